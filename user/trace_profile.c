/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_profile.c - see trace_profile.h. Asked by: trace_record.c, its thread while the machine runs and its end. The numbers are
 * those that the engine counts; they are read while it counts, so a row may be a moment older than the next.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "prescan/prescan.h"
#include "user/trace_disasm.h"
#include "user/trace_filter.h"
#include "user/trace_profile.h"
#include "user/trace_site.h"

#define ROWS_MAX 1024
#define ROWS 16			/* of the live table, where the terminal has as many */
#define LINE_BYTES 512

struct hot {
	uint32_t slot;
	uint64_t count, cost;		/* since the last drawing; at the end: since the start */
};

/* The @rows dearest, dearest first: insertion into a short list. @last may be NULL. */
static unsigned int hottest(uint64_t (*last)[2], const struct plx_sites *sites, struct hot *hot, unsigned int rows)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < PLX_SITES; i++) {
		const struct plx_site *s = &sites->site[i];
		struct hot h = { .slot = i, .count = s->count, .cost = s->cost };
		unsigned int at;

		/* A site that took over another's slot begins anew. */
		if (last && h.count >= last[i][0] && h.cost >= last[i][1]) {
			h.count -= last[i][0];
			h.cost -= last[i][1];
		}
		if (!h.count || !__atomic_load_n(&s->length, __ATOMIC_ACQUIRE) || (n == rows && h.cost <= hot[rows - 1].cost))
			continue;
		at = n < rows ? n++ : rows - 1;
		for (; at > 0 && hot[at - 1].cost < h.cost; at--)
			hot[at] = hot[at - 1];
		hot[at] = h;
	}
	return n;
}

struct sums {
	uint64_t count, cost, faults;
};

static struct sums add_up(const struct plx_sites *sites)
{
	struct sums sums = { .count = sites->gone.count, .cost = sites->gone.cost, .faults = sites->gone.faults };

	for (uint32_t i = 0; i < PLX_SITES; i++) {
		sums.count += sites->site[i].count;
		sums.cost += sites->site[i].cost;
		sums.faults += sites->site[i].faults;
	}
	return sums;
}

static void remember(struct trace_profile *p, const struct plx_sites *sites, const struct sums *sums, uint64_t now_ns)
{
	for (uint32_t i = 0; i < PLX_SITES; i++) {
		p->last[i][0] = sites->site[i].count;
		p->last[i][1] = sites->site[i].cost;
	}
	p->last_total = sums->count;
	p->last_cost = sums->cost;
	p->last_ns = now_ns;
}

static const char *instruction(struct trace_disasm *disasm, const struct plx_site *s, char text[TRACE_DISASM_BYTES])
{
	struct trace_site site = trace_site_of(s);

	return trace_disasm(disasm, &site, prescan_row_mnemonic(s->row), text);
}

/* What would wrap or scroll cannot be drawn over. Not a terminal: as if it were large. */
static void terminal_size(FILE *to, unsigned int *rows, unsigned int *columns)
{
	struct winsize size;

	*rows = ROWS;
	*columns = LINE_BYTES - 1;
	if (ioctl(fileno(to), TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		return;
	*rows = size.ws_row > ROWS + 3 ? ROWS : size.ws_row > 4 ? size.ws_row - 3u : 1;
	*columns = plx_min32(size.ws_col - 1u, LINE_BYTES - 1);
}

static void put_line(const char *line, unsigned int columns, FILE *to)
{
	fprintf(to, "\033[K%.*s\r\n", (int)columns, line);
}

void trace_profile_draw(struct trace_profile *p, const struct plx_sites *sites, uint64_t now_ns, uint64_t tsc_hz, FILE *to)
{
	char text[TRACE_DISASM_BYTES], why[SITE_DECISION_BYTES], line[LINE_BYTES];
	unsigned int n, rows, columns;
	struct sums sums = add_up(sites);
	struct trace_disasm disasm;
	struct hot hot[ROWS];
	double span;

	if (!p->last) {
		p->last = calloc(PLX_SITES, sizeof(*p->last));
		if (p->last)
			remember(p, sites, &sums, now_ns);
		return;
	}
	span = (double)(now_ns - p->last_ns) / 1e9;
	if (span <= 0)
		return;
	terminal_size(to, &rows, &columns);
	n = hottest(p->last, sites, hot, rows);
	trace_disasm_open(&disasm);
	if (p->drawn)
		fprintf(to, "\033[%uA", p->drawn);
	snprintf(line, sizeof(line), "%.0f instructions a second done by the monitor, %.1f%% of the time; in all %" PRIu64 ", by fault %" PRIu64,
		 (double)(sums.count - p->last_total) / span, 100.0 * (double)(sums.cost - p->last_cost) / (double)tsc_hz / span, sums.count,
		 sums.faults);
	put_line(line, columns, to);
	snprintf(line, sizeof(line), " %8s %3s %-11s %8s %7s  %-28s %s", "address", "cpl", "handled", "a second", "time", "instruction", "because");
	put_line(line, columns, to);
	for (unsigned int i = 0; i < rows; i++) {
		const struct plx_site *s = &sites->site[i < n ? hot[i].slot : 0];

		line[0] = '\0';
		if (i < n)
			snprintf(line, sizeof(line), " %08x %3u %-11s %8.0f %6.2f%%  %-28s %s", s->linear, s->cpl,
				 trace_how_names[s->how % PLX_TRACE_HOWS], (double)hot[i].count / span,
				 100.0 * (double)hot[i].cost / (double)tsc_hz / span, instruction(&disasm, s, text),
				 trace_site_decision(s, sites->start_tsc, tsc_hz, why));
		put_line(line, columns, to);
	}
	fputs("\033[J", to);			/* the terminal may have been larger */
	fflush(to);
	p->drawn = rows + 2;
	trace_disasm_close(&disasm);
	remember(p, sites, &sums, now_ns);
}

void trace_profile_print(const struct plx_sites *sites, unsigned int top, uint64_t tsc_hz, FILE *to)
{
	char text[TRACE_DISASM_BYTES], why[SITE_DECISION_BYTES];
	struct sums sums = add_up(sites);
	struct trace_disasm disasm;
	struct hot *hot = calloc(plx_min32(top, ROWS_MAX), sizeof(*hot));
	double us = tsc_hz ? 1e6 / (double)tsc_hz : 0;
	unsigned int n;

	if (!hot)
		return;
	n = hottest(NULL, sites, hot, plx_min32(top, ROWS_MAX));
	trace_disasm_open(&disasm);
	fprintf(to, "\ninstructions done by the monitor %" PRIu64 ", in %.3f ms; %" PRIu64 " of them by fault\nthe %u dearest sites\n"
		"  %8s %3s %-11s %12s %12s %7s %9s  %-28s %s\n", sums.count, (double)sums.cost * us / 1e3, sums.faults, n, "address", "cpl",
		"handled", "count", "us", "share", "by fault", "instruction", "because");
	for (unsigned int i = 0; i < n; i++) {
		const struct plx_site *s = &sites->site[hot[i].slot];

		fprintf(to, "  %08x %3u %-11s %12" PRIu64 " %12.1f %6.1f%% %9" PRIu32 "  %-28s %s\n", s->linear, s->cpl,
			trace_how_names[s->how % PLX_TRACE_HOWS], s->count, (double)s->cost * us,
			sums.cost ? 100.0 * (double)s->cost / (double)sums.cost : 0, s->faults, instruction(&disasm, s, text),
			trace_site_decision(s, sites->start_tsc, tsc_hz, why));
	}
	trace_disasm_close(&disasm);
	free(hot);
}

void trace_profile_free(struct trace_profile *p)
{
	free(p->last);
	*p = (struct trace_profile){ .drawn = 0 };
}
