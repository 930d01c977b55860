/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_profile.c - see trace_profile.h. Asked by: trace_record.c's thread. The numbers are those that the engine counts; they are
 * read while it counts, so a row may be a moment older than the next.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "prescan/prescan.h"
#include "user/trace_disasm.h"
#include "user/trace_filter.h"
#include "user/trace_profile.h"

#define ROWS 16

struct hot {
	uint32_t slot;
	uint64_t count, cost;		/* since the last drawing */
};

/* The ROWS dearest, dearest first: insertion into a short list. */
static unsigned int hottest(const struct trace_profile *p, const struct plx_trace *trace, struct hot hot[ROWS])
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < PLX_TRACE_SITES; i++) {
		struct hot h = { .slot = i, .count = trace->site[i].count - p->last[i][0], .cost = trace->site[i].cost - p->last[i][1] };
		unsigned int at;

		if (!h.count || (n == ROWS && h.cost <= hot[ROWS - 1].cost))
			continue;
		at = n < ROWS ? n++ : ROWS - 1;
		for (; at > 0 && hot[at - 1].cost < h.cost; at--)
			hot[at] = hot[at - 1];
		hot[at] = h;
	}
	return n;
}

static void remember(struct trace_profile *p, const struct plx_trace *trace, uint64_t now_ns)
{
	for (uint32_t i = 0; i < PLX_TRACE_SITES; i++) {
		p->last[i][0] = trace->site[i].count;
		p->last[i][1] = trace->site[i].cost;
	}
	p->last_total = trace->event[PLX_TRACE_INSN].count;
	p->last_cost = trace->event[PLX_TRACE_INSN].cost;
	p->last_ns = now_ns;
}

void trace_profile_draw(struct trace_profile *p, const struct plx_trace *trace, uint64_t now_ns, uint64_t tsc_hz, FILE *to)
{
	struct trace_disasm disasm;
	struct hot hot[ROWS];
	unsigned int n;
	double span;

	if (!p->last) {
		p->last = calloc(PLX_TRACE_SITES, sizeof(*p->last));
		if (!p->last)
			return;
		p->last_ns = now_ns;
		return;
	}
	span = (double)(now_ns - p->last_ns) / 1e9;
	if (span <= 0)
		return;
	n = hottest(p, trace, hot);
	trace_disasm_open(&disasm);
	if (p->drawn)
		fprintf(to, "\033[%uA", p->drawn);
	fprintf(to, "\033[K%.0f virtualized instructions a second, %.1f%% of the time; in all %" PRIu64 "\r\n"
		"\033[K %8s %3s %-11s %10s %7s  %s\r\n",
		(double)(trace->event[PLX_TRACE_INSN].count - p->last_total) / span,
		100.0 * (double)(trace->event[PLX_TRACE_INSN].cost - p->last_cost) / (double)tsc_hz / span,
		trace->event[PLX_TRACE_INSN].count, "address", "cpl", "handled", "a second", "time", "instruction");
	for (unsigned int i = 0; i < ROWS; i++) {
		const struct plx_trace_site *s = &trace->site[i < n ? hot[i].slot : 0];
		struct trace_site site = { .eip = s->linear, .mode = s->mode, .length = s->length };
		char text[TRACE_DISASM_BYTES];

		memcpy(site.bytes, s->bytes, sizeof(site.bytes));
		fputs("\033[K", to);
		if (i < n)
			fprintf(to, " %08x %3u %-11s %10.0f %6.2f%%  %s", s->linear, s->cpl, trace_how_names[s->how], (double)hot[i].count / span,
				100.0 * (double)hot[i].cost / (double)tsc_hz / span,
				trace_disasm(&disasm, &site, prescan_row_mnemonic(s->row), text));
		fputs("\r\n", to);
	}
	fflush(to);
	p->drawn = ROWS + 2;
	trace_disasm_close(&disasm);
	remember(p, trace, now_ns);
}

void trace_profile_free(struct trace_profile *p)
{
	free(p->last);
	*p = (struct trace_profile){ .drawn = 0 };
}
