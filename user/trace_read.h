/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/trace_read.h - `plexus trace --read`: a recorded trace as text, JSON, summary, folded stacks or Chrome's trace events. */
#ifndef USER_TRACE_READ_H
#define USER_TRACE_READ_H

#include "user/trace_filter.h"

enum trace_form { TRACE_TEXT, TRACE_JSON, TRACE_SUMMARY, TRACE_SUMMARY_JSON, TRACE_FOLDED, TRACE_FOLDED_COUNT, TRACE_CHROME };

struct trace_read_options {
	const char *file;
	enum trace_form form;
	const char *output;		/* NULL: standard output */
	const char *symbols;		/* NULL: none */
	unsigned int top;		/* sites in a summary */
	uint64_t limit;			/* records in the other forms but stacks; 0: all */
	struct trace_filter filter;
};

/* The exit status; what is wrong has been said. */
int trace_read(struct trace_read_options *o);

#endif
