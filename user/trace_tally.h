/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_tally.h - a trace added up, by instruction and by site: from the machine's own sums or from a file's records.
 */
#ifndef USER_TRACE_TALLY_H
#define USER_TRACE_TALLY_H

#include <stdio.h>

#include "user/trace_file.h"
#include "user/trace_filter.h"
#include "user/trace_site.h"
#include "user/trace_symbols.h"

struct tally_insn {
	char name[TRACE_NAME_BYTES];
	uint8_t klass, how;
	uint64_t count, cost, faults;
};

struct tally_place {
	struct trace_site site;
	char name[TRACE_NAME_BYTES];
	uint64_t count, cost;
	char decision[SITE_DECISION_BYTES];	/* from the machine only */
};

struct trace_tally {
	struct tally_insn *insn;
	size_t ninsns, max_insns;
	struct tally_place *place;
	size_t nplaces, max_places;
	uint64_t event[4];		/* by enum plx_trace_event */
	uint64_t insn_cost;
	uint64_t port_reads, port_writes;	/* elements; from records only */
	uint64_t sites_lost, dropped;
	uint64_t tsc_hz;
	bool sites_are_partial;		/* inlined instructions were counted, their sites were not */
};

void trace_tally_free(struct trace_tally *t);
/* From the machine. 0 or -ENOMEM. */
int trace_tally_live(struct trace_tally *t, const struct plx_trace *trace, const struct plx_sites *sites, uint64_t tsc_hz);
/* One record of a file; @site as trace_reader_next gave it. 0 or -ENOMEM. */
int trace_tally_add(struct trace_tally *t, const struct plx_trace_record *r, uint32_t site, const char *name);

/* The tables: by instruction, and the @top sites by cost and by count. @symbols may be NULL. */
void trace_tally_print(struct trace_tally *t, const struct trace_symbols *symbols, unsigned int top, FILE *to);
void trace_tally_json(struct trace_tally *t, const struct trace_symbols *symbols, unsigned int top, FILE *to);

#endif
