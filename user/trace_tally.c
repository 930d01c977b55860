/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_tally.c - see trace_tally.h.
 *
 * Asked by:  trace_record.c (at the end of a run), trace_read.c (--summary), trace_compare.c.
 * Tested by: tests/unit/test_trace_tally.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "prescan/prescan.h"
#include "user/trace_disasm.h"
#include "user/trace_tally.h"

void trace_tally_free(struct trace_tally *t)
{
	free(t->insn);
	free(t->place);
	*t = (struct trace_tally){ .insn = NULL };
}

/* The sum of one mnemonic in one class under one way of handling; forms of an instruction are together. */
static struct tally_insn *insn_for(struct trace_tally *t, const char *name, uint8_t klass, uint8_t how)
{
	struct tally_insn *insn;

	for (size_t i = 0; i < t->ninsns; i++) {
		insn = &t->insn[i];
		if (insn->klass == klass && insn->how == how && !strcmp(insn->name, name))
			return insn;
	}
	if (t->ninsns == t->max_insns) {
		size_t max = t->max_insns ? 2 * t->max_insns : 128;

		insn = realloc(t->insn, max * sizeof(*insn));
		if (!insn)
			return NULL;
		t->insn = insn;
		t->max_insns = max;
	}
	insn = &t->insn[t->ninsns++];
	*insn = (struct tally_insn){ .klass = klass, .how = how };
	snprintf(insn->name, sizeof(insn->name), "%s", name);
	return insn;
}

/* Room for place @number; what lies between is empty. */
static bool make_places(struct trace_tally *t, size_t number)
{
	if (number >= t->max_places) {
		size_t max = t->max_places ? 2 * t->max_places : 1024;
		struct tally_place *place;

		if (max <= number)
			max = number + 1;
		place = realloc(t->place, max * sizeof(*place));
		if (!place)
			return false;
		t->place = place;
		t->max_places = max;
	}
	while (t->nplaces <= number)
		t->place[t->nplaces++] = (struct tally_place){ .count = 0 };
	return true;
}

int trace_tally_live(struct trace_tally *t, const struct plx_trace *trace, const struct plx_sites *sites, uint64_t tsc_hz)
{
	*t = (struct trace_tally){ .tsc_hz = tsc_hz, .sites_lost = sites->gone.count, .sites_are_partial = !trace->ring };
	for (unsigned int row = 0; row < prescan_nr_rows() && row < PLX_TRACE_ROWS; row++) {
		for (unsigned int how = 0; how < PLX_TRACE_HOWS; how++) {
			const struct plx_trace_sum *sum = &trace->sums->sum[row][how];
			struct tally_insn *insn;

			if (!sum->count)
				continue;
			insn = insn_for(t, prescan_row_mnemonic(row), trace->sums->klass[row], (uint8_t)how);
			if (!insn)
				return -ENOMEM;
			insn->count += sum->count;
			insn->cost += sum->cost;
			t->event[PLX_TRACE_INSN] += sum->count;
			t->insn_cost += sum->cost;
		}
	}
	for (unsigned int i = PLX_TRACE_INSN + 1; i < PLX_ARRAY_SIZE(t->event); i++)
		t->event[i] = trace->sums->event[i].count;
	for (unsigned int i = 0; i < PLX_SITES; i++) {
		const struct plx_site *s = &sites->site[i];
		struct tally_place *place;

		if (!s->count || !s->length)
			continue;
		if (!make_places(t, t->nplaces))
			return -ENOMEM;
		place = &t->place[t->nplaces - 1];
		*place = (struct tally_place){ .site = trace_site_of(s), .count = s->count, .cost = s->cost };
		snprintf(place->name, sizeof(place->name), "%s", prescan_row_mnemonic(s->row));
		trace_site_decision(s, sites->start_tsc, tsc_hz, place->decision);
	}
	if (trace->ring)
		t->dropped = trace->ring->dropped;
	return 0;
}

int trace_tally_add(struct trace_tally *t, const struct plx_trace_record *r, uint32_t site, const char *name)
{
	struct tally_insn *insn;
	struct tally_place *place;

	t->event[r->event & 3]++;
	if (r->event != PLX_TRACE_INSN)
		return 0;
	insn = insn_for(t, name, r->klass, r->how);
	if (!insn || !make_places(t, site))
		return -ENOMEM;
	insn->count++;
	insn->cost += r->cost;
	insn->faults += r->result == 1;
	t->insn_cost += r->cost;
	place = &t->place[site];
	if (!place->count) {
		place->site = (struct trace_site){
			.eip = r->eip, .cs_base = r->cs_base, .cs = r->cs, .row = r->row, .how = r->how, .klass = r->klass,
			.mode = r->mode, .cpl = r->cpl, .length = r->length,
		};
		memcpy(place->site.bytes, r->bytes, sizeof(r->bytes));
		snprintf(place->name, sizeof(place->name), "%s", name);
	}
	place->count++;
	place->cost += r->cost;
	if (r->result != 1 && (r->klass == PRESCAN_PORT || r->klass == PRESCAN_STRING_PORT)) {
		uint64_t n = r->klass == PRESCAN_PORT ? 1 : r->b;

		if (r->a >> 24)
			t->port_writes += n;
		else
			t->port_reads += n;
	}
	return 0;
}

/* ---- order ---------------------------------------------------------------------------------------------- */

static int descending(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

static int insn_by_cost(const void *a, const void *b)
{
	const struct tally_insn *x = a, *y = b;
	int order = descending(x->cost, y->cost);

	if (!order)
		order = descending(x->count, y->count);
	return order ? order : strcmp(x->name, y->name);
}

static int place_by_cost(const void *a, const void *b)
{
	const struct tally_place *x = a, *y = b;
	int order = descending(x->cost, y->cost);

	return order ? order : x->site.eip < y->site.eip ? -1 : x->site.eip > y->site.eip;
}

static int place_by_count(const void *a, const void *b)
{
	const struct tally_place *x = a, *y = b;
	int order = descending(x->count, y->count);

	return order ? order : x->site.eip < y->site.eip ? -1 : x->site.eip > y->site.eip;
}

/* ---- text ------------------------------------------------------------------------------------------------ */

static double microseconds(const struct trace_tally *t, uint64_t ticks)
{
	return t->tsc_hz ? (double)ticks * 1e6 / (double)t->tsc_hz : 0;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void print_insns(struct trace_tally *t, FILE *to)
{
	qsort(t->insn, t->ninsns, sizeof(*t->insn), insn_by_cost);
	fprintf(to, "\nby instruction\n  %-12s %-11s %-11s %12s %12s %7s %10s %9s\n", "instruction", "class", "handled", "count", "us",
		"share", "ticks each", "faulted");
	for (size_t i = 0; i < t->ninsns; i++) {
		const struct tally_insn *n = &t->insn[i];

		fprintf(to, "  %-12s %-11s %-11s %12" PRIu64, n->name, prescan_class_name(n->klass), trace_how_names[n->how], n->count);
		if (!n->cost && n->how == PLX_TRACE_INLINE) {
			fprintf(to, " %12s %7s %10s\n", "-", "-", "-");		/* they never left guest code: nobody took the time */
			continue;
		}
		fprintf(to, " %12.1f %6.1f%% %10" PRIu64, microseconds(t, n->cost), percent(n->cost, t->insn_cost), n->cost / n->count);
		if (n->faults)
			fprintf(to, " %9" PRIu64, n->faults);
		fputc('\n', to);
	}
}

static void print_places(struct trace_tally *t, const struct trace_symbols *symbols, unsigned int top, const char *title,
			 struct trace_disasm *disasm, FILE *to)
{
	char text[TRACE_DISASM_BYTES];

	fprintf(to, "\n%s\n  %8s %3s %-11s %12s %12s %7s  %s\n", title, "address", "cpl", "handled", "count", "us", "share", "instruction");
	for (size_t i = 0; i < t->nplaces && i < top && t->place[i].count; i++) {
		const struct tally_place *p = &t->place[i];
		uint32_t offset, linear = p->site.eip + p->site.cs_base;
		const char *symbol = trace_symbol_find(symbols, linear, &offset);

		fprintf(to, "  %08x %3u %-11s %12" PRIu64 " %12.1f %6.1f%%  %-32s", linear, p->site.cpl, trace_how_names[p->site.how],
			p->count, microseconds(t, p->cost), percent(p->cost, t->insn_cost), trace_disasm(disasm, &p->site, p->name, text));
		if (symbol)
			fprintf(to, " %s+0x%x", symbol, offset);
		if (p->decision[0])
			fprintf(to, " %s", p->decision);
		fputc('\n', to);
	}
}

void trace_tally_print(struct trace_tally *t, const struct trace_symbols *symbols, unsigned int top, FILE *to)
{
	struct trace_disasm disasm;
	char title[80];

	fprintf(to, "virtualized instructions %" PRIu64 ", in %.3f ms; exceptions %" PRIu64 ", interrupts %" PRIu64 "\n",
		t->event[PLX_TRACE_INSN], microseconds(t, t->insn_cost) / 1e3, t->event[PLX_TRACE_EXCEPTION],
		t->event[PLX_TRACE_INTERRUPT]);
	if (t->port_reads || t->port_writes)
		fprintf(to, "port reads %" PRIu64 ", port writes %" PRIu64 "\n", t->port_reads, t->port_writes);
	if (t->dropped)
		fprintf(to, "records dropped %" PRIu64 ": the figures are too small by as many\n", t->dropped);
	print_insns(t, to);
	trace_disasm_open(&disasm);
	qsort(t->place, t->nplaces, sizeof(*t->place), place_by_cost);
	snprintf(title, sizeof(title), "the %u dearest sites%s", top, t->sites_are_partial ? " (of those that leave guest code)" : "");
	print_places(t, symbols, top, title, &disasm, to);
	qsort(t->place, t->nplaces, sizeof(*t->place), place_by_count);
	snprintf(title, sizeof(title), "the %u most frequent sites%s", top,
		 t->sites_are_partial ? " (of those that leave guest code)" : "");
	print_places(t, symbols, top, title, &disasm, to);
	if (t->sites_lost)
		fprintf(to, "  and %" PRIu64 " instructions at sites that lost their place in the table to others\n", t->sites_lost);
	trace_disasm_close(&disasm);
}

/* ---- JSON ------------------------------------------------------------------------------------------------ */

void trace_tally_json(struct trace_tally *t, const struct trace_symbols *symbols, unsigned int top, FILE *to)
{
	struct trace_disasm disasm;
	char text[TRACE_DISASM_BYTES];

	fprintf(to, "{\n  \"tsc_hz\": %" PRIu64 ",\n  \"instructions\": %" PRIu64 ",\n  \"ticks\": %" PRIu64 ",\n  \"exceptions\": %" PRIu64
		",\n  \"interrupts\": %" PRIu64 ",\n  \"fills\": %" PRIu64 ",\n  \"port_reads\": %" PRIu64 ",\n  \"port_writes\": %" PRIu64
		",\n  \"dropped\": %" PRIu64 ",\n  \"by_instruction\": [", t->tsc_hz, t->event[PLX_TRACE_INSN], t->insn_cost,
		t->event[PLX_TRACE_EXCEPTION], t->event[PLX_TRACE_INTERRUPT], t->event[PLX_TRACE_FILL], t->port_reads, t->port_writes,
		t->dropped);
	qsort(t->insn, t->ninsns, sizeof(*t->insn), insn_by_cost);
	for (size_t i = 0; i < t->ninsns; i++)
		fprintf(to, "%s\n    {\"insn\": \"%s\", \"class\": \"%s\", \"how\": \"%s\", \"count\": %" PRIu64 ", \"ticks\": %" PRIu64
			", \"faulted\": %" PRIu64 "}", i ? "," : "", t->insn[i].name, prescan_class_name(t->insn[i].klass),
			trace_how_names[t->insn[i].how], t->insn[i].count, t->insn[i].cost, t->insn[i].faults);
	fputs("\n  ],\n  \"by_site\": [", to);
	trace_disasm_open(&disasm);
	qsort(t->place, t->nplaces, sizeof(*t->place), place_by_cost);
	for (size_t i = 0; i < t->nplaces && i < top && t->place[i].count; i++) {
		const struct tally_place *p = &t->place[i];
		uint32_t offset, linear = p->site.eip + p->site.cs_base;
		const char *symbol = trace_symbol_find(symbols, linear, &offset);

		fprintf(to, "%s\n    {\"address\": \"0x%08x\", \"cpl\": %u, \"insn\": \"%s\", \"text\": \"%s\", \"how\": \"%s\", \"count\": %"
			PRIu64 ", \"ticks\": %" PRIu64, i ? "," : "", linear, p->site.cpl, p->name,
			trace_disasm(&disasm, &p->site, p->name, text), trace_how_names[p->site.how], p->count, p->cost);
		if (symbol)
			fprintf(to, ", \"symbol\": \"%s\", \"offset\": %u", symbol, offset);
		if (p->decision[0])
			fprintf(to, ", \"decision\": \"%s\"", p->decision);
		fputc('}', to);
	}
	trace_disasm_close(&disasm);
	fputs("\n  ]\n}\n", to);
}
