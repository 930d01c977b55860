/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_filter.h - which records are wanted: "class=port,port=0x1f0-0x1f7,start=addr:0xc0100000".
 *
 * Words of one key are alternatives, different keys must all agree. class, insn, port and how speak of instructions, so each of them leaves
 * out exceptions and interrupts unless event= names them. Page fills are recorded only when event=fill asks for them.
 */
#ifndef USER_TRACE_FILTER_H
#define USER_TRACE_FILTER_H

#include "plexus/trace.h"

#define TRACE_FILTER_RANGES	16
#define TRACE_FILTER_NAMES	32
#define TRACE_FILTER_NAME_BYTES	24

struct trace_range {
	uint32_t first, last;
};

enum trace_trigger_kind { TRIGGER_NONE, TRIGGER_ADDRESS, TRIGGER_PORT, TRIGGER_EVENT };

struct trace_trigger {
	enum trace_trigger_kind kind;
	struct trace_range value;	/* addresses, ports, or vectors */
	uint8_t event;			/* TRIGGER_EVENT: enum plx_trace_event */
};

struct trace_filter {
	const char *text;		/* as it was written; "" for none */
	uint32_t class_mask, cpl_mask, event_mask, how_mask;	/* bit an enumerator */
	struct trace_range port[TRACE_FILTER_RANGES], address[TRACE_FILTER_RANGES], space[TRACE_FILTER_RANGES];
	unsigned int nports, naddresses, nspaces, nnames;
	char name[TRACE_FILTER_NAMES][TRACE_FILTER_NAME_BYTES];
	struct trace_trigger start, stop;

	bool on;			/* between start and stop */
	uint8_t row[PLX_TRACE_ROWS];	/* is its name wanted? 0: not asked yet, 1: yes, 2: no */
};

/* Everything but page fills. */
void trace_filter_init(struct trace_filter *f);
/* Adds the words of @text, which stays referenced. 0, or -EINVAL with one sentence in @why, which begins with @option. */
int trace_filter_parse(struct trace_filter *f, const char *option, const char *text, char *why, size_t why_bytes);
/* Is this record, whose mnemonic is @name, wanted? Records come in order: triggers remember. */
bool trace_filter_pass(struct trace_filter *f, const struct plx_trace_record *r, const char *name);
/* Triggers stopped recording, and nothing can start it again. */
static inline bool trace_filter_over(const struct trace_filter *f)
{
	return !f->on && f->start.kind == TRIGGER_NONE;
}

extern const char *const trace_event_names[4], *const trace_how_names[PLX_TRACE_HOWS];

#endif
