/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/trace_options.h - what a run is to tell of its virtualized instructions: --trace and its kin. */
#ifndef USER_TRACE_OPTIONS_H
#define USER_TRACE_OPTIONS_H

#include "user/trace_filter.h"

#define TRACE_RING_ENTRIES 65536	/* 4 MiB: a burst of 20 ms at the highest rate there is */

struct trace_options {
	const char *file;		/* NULL: records go nowhere */
	struct trace_filter filter;
	bool summary;			/* a table on standard error at the end */
	const char *summary_json;	/* NULL: no file */
	bool drop;			/* a full buffer drops records instead of holding the guest */
	bool profile;			/* the hottest sites, live */
	char path[4096];		/* where @file points */
};

static inline bool trace_wanted(const struct trace_options *o)
{
	return o->file || o->summary || o->summary_json || o->profile;
}

/* The profile alone needs no trace: its table is always kept. */
static inline bool trace_records_or_sums(const struct trace_options *o)
{
	return o->file || o->summary || o->summary_json;
}

/* "FILE[,filter...]". 0, or -EINVAL with one sentence in @why. */
int trace_options_file(struct trace_options *o, const char *text, char *why, size_t why_bytes);
/* "wait" or "drop". */
int trace_options_full(struct trace_options *o, const char *text, char *why, size_t why_bytes);

#endif
