/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/trace_print.h - one record of a trace for people (a line of text), for programs (a line of JSON), for Perfetto (an event). */
#ifndef USER_TRACE_PRINT_H
#define USER_TRACE_PRINT_H

#include <stdio.h>

#include "user/trace_disasm.h"
#include "user/trace_symbols.h"

struct trace_printer {
	FILE *to;
	struct trace_disasm disasm;
	const struct trace_symbols *symbols;	/* NULL: none */
	uint64_t start_tsc, tsc_hz;
};

/* @site: its number in the file, or UINT32_MAX; @name: the mnemonic. */
void trace_print_text(struct trace_printer *p, const struct plx_trace_record *r, uint32_t site, const char *name);
void trace_print_json(struct trace_printer *p, const struct plx_trace_record *r, uint32_t site, const char *name);
/* The trace-event format of Chrome, which Perfetto opens: begin, an event a record, end. Rows: privilege levels, and events. */
void trace_chrome_begin(struct trace_printer *p);
void trace_print_chrome(struct trace_printer *p, const struct plx_trace_record *r, uint32_t site, const char *name);
void trace_chrome_end(struct trace_printer *p);

/* Operands and result that matter, as words; "" if there are none. */
#define TRACE_OPERANDS_BYTES 128
const char *trace_operands(const struct plx_trace_record *r, char text[TRACE_OPERANDS_BYTES]);
/* "#PF" for 14; "" for those without a name. */
const char *trace_vector_name(uint32_t vector);

#endif
