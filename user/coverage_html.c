/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/coverage_html.c - the part of the HTML page that says what ran; the maps themselves are prescan_html.c's.
 *
 * Asked by:  user/prescan_html.c. Tested by: tests/guests/run-coverage.
 */
#include <inttypes.h>

#include "user/coverage_report.h"
#include "user/prescan_report.h"

#define PLACES_MAX	2000u

static const char *const colours[RAN_NR] = {
	[RAN_NATIVE] = "#2f8f4e", [RAN_INLINED] = "#e8b800", [RAN_NEXUS] = "#e2571e", [RAN_INTERPRETED] = "#8a2fbf", [RAN_OTHER_BYTES] = "#1f5fd0",
};

const char *coverage_colour(unsigned int ran)
{
	return ran < RAN_NR ? colours[ran] : "#000";
}

static void number(uint64_t value, FILE *to)
{
	char text[32];

	fprintf(to, "<td class=\"n\">%s</td>", report_commas(value, text));
}

static void share(uint64_t part, uint64_t whole, FILE *to)
{
	fprintf(to, "<td class=\"n\">%.3f&#8201;%%</td>", whole ? 100.0 * (double)part / (double)whole : 0);
}

static void text(const char *words, FILE *to)
{
	fputs("<td>", to);
	report_html_text(words, to);
	fputs("</td>", to);
}

static void bytes(const uint8_t *data, size_t nbytes, FILE *to)
{
	fputs("<td><code>", to);
	report_hex(data, nbytes, " ", to);
	fputs("</code></td>", to);
}

static void put_runs(const struct coverage_report *c, FILE *to)
{
	char a[32];

	fputs("<ul>\n", to);
	for (size_t i = 0; i < c->all.nruns; i++) {
		const struct coverage_run *run = &c->all.runs[i];

		fputs("<li><code>", to);
		report_html_text(run->command, to);
		fprintf(to, "</code>; %s instructions were translated and not reached", report_commas(run->unreached, a));
		if (run->lost)
			fprintf(to, "; <b>%s more found the table full</b>", report_commas(run->lost, a));
		fputs("</li>\n", to);
	}
	fputs("</ul>\n", to);
}

static void put_alone(const struct coverage_report *c, FILE *to)
{
	fputs("<table><tr><th>class</th><th class=\"n\">instructions</th><th class=\"n\">bytes</th>", to);
	for (unsigned int h = 0; h < PLX_COVER_HOWS; h++)
		fprintf(to, "<th class=\"n\">%s</th>", ran_name(h));
	fputs("<th class=\"n\">callouts</th><th class=\"n\">interpreted</th><th class=\"n\">raised</th></tr>\n", to);
	for (unsigned int k = 0; k <= PRESCAN_NR_CLASSES; k++) {
		const struct ran_class *s = k < PRESCAN_NR_CLASSES ? &c->classes[k] : &c->sum;

		if (!s->insns)
			continue;
		fputs("<tr>", to);
		text(k < PRESCAN_NR_CLASSES ? cover_name(k) : "all", to);
		number(s->insns, to);
		number(s->bytes, to);
		for (unsigned int h = 0; h < PLX_COVER_HOWS; h++)
			number(s->by[h], to);
		number(s->callouts, to);
		number(s->interpreted, to);
		number(s->raised, to);
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
}

static void put_hottest(const struct coverage_report *c, FILE *to)
{
	char hows[64];

	fputs("<h2>Hottest: left most often for the monitor</h2>\n", to);
	if (!c->nhottest) {
		fputs("<p>None.</p>\n", to);
		return;
	}
	fputs("<table><tr><th class=\"n\">callouts</th><th class=\"n\">interpreted</th><th class=\"n\">address</th><th class=\"n\">physical</th>"
	      "<th class=\"n\">mode</th><th>class</th><th>instruction</th><th>bytes</th><th>how</th></tr>\n", to);
	for (uint32_t i = 0; i < c->nhottest; i++) {
		const struct coverage_insn *insn = &c->all.insns[c->hottest[i]];
		unsigned int klass;
		const char *mnemonic = coverage_mnemonic(insn, &klass);

		fputs("<tr>", to);
		number(insn->callouts, to);
		number(insn->interpreted, to);
		fprintf(to, "<td class=\"n\"><code>%08" PRIx32 "</code></td><td class=\"n\"><code>%08" PRIx32 "</code></td><td class=\"n\">%u</td>",
			insn->linear, insn->gpa, insn->code32 ? 32 : 16);
		text(cover_name(klass), to);
		text(mnemonic, to);
		bytes(insn->bytes, insn->length, to);
		text(coverage_hows(insn->how, hows), to);
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
}

/* Bars of what ran of each class that the scan found. */
static void put_classes(const struct coverage_report *c, const uint64_t *scanned, FILE *to)
{
	fputs("<h2>What ran, by the scan's classes</h2><table><tr><th>class</th><th class=\"n\">bytes ran</th><th class=\"n\">of bytes</th>"
	      "<th class=\"n\">share</th></tr>\n", to);
	for (unsigned int k = 0; k < COVER_NR; k++) {
		if (!scanned[k] || k == COVER_DATA)
			continue;
		fputs("<tr>", to);
		text(cover_name(k), to);
		number(c->sums.class_bytes[k], to);
		number(scanned[k], to);
		share(c->sums.class_bytes[k], scanned[k], to);
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
}

static void put_hows(const struct coverage_report *c, uint64_t ran, FILE *to)
{
	fputs("<h2>What ran, by how</h2><table><tr><th>how</th><th class=\"n\">instructions</th><th class=\"n\">bytes</th>"
	      "<th class=\"n\">share</th><th></th></tr>\n", to);
	for (unsigned int k = 0; k < RAN_NR; k++) {
		fprintf(to, "<tr><td><span class=\"s\" style=\"background:%s\"></span>%s</td>", colours[k], ran_name(k));
		number(c->sums.ran_insns[k], to);
		number(c->sums.ran_bytes[k], to);
		share(c->sums.ran_bytes[k], ran, to);
		text(ran_meaning(k), to);
		fputs("</tr>\n", to);
	}
	fputs("</table>\n<h2>Foreseen, and what came of it</h2><table><tr><th>the scan foresaw</th>", to);
	for (unsigned int k = 0; k < RAN_NR; k++)
		fprintf(to, "<th class=\"n\">%s</th>", ran_name(k));
	fputs("</tr>\n", to);
	for (unsigned int i = 0; i < REWRITING_NR; i++) {
		uint64_t any = 0;

		for (unsigned int k = 0; k < RAN_NR; k++)
			any += c->sums.foreseen[i][k];
		if (!any)
			continue;
		fputs("<tr>", to);
		text(prescan_rewriting_name(i), to);
		for (unsigned int k = 0; k < RAN_NR; k++)
			number(c->sums.foreseen[i][k], to);
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
}

static void put_places(const struct coverage_report *c, FILE *to)
{
	uint64_t all = 0;
	size_t shown = 0;
	char a[32];

	fputs("<h2>Where scan and run disagree</h2><table>\n", to);
	for (unsigned int k = 0; k < DISAGREE_NR; k++) {
		all += c->sums.disagree[k];
		fputs("<tr>", to);
		text(disagreement_name(k), to);
		number(c->sums.disagree[k], to);
		text(disagreement_meaning(k), to);
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
	if (!all)
		return;
	fputs("<table><tr><th>file</th><th>region</th><th class=\"n\">address</th><th>what</th><th>ran</th><th></th><th class=\"n\">mode</th>"
	      "<th class=\"n\">at</th><th>the file has</th><th></th></tr>\n", to);
	for (; shown < c->nplaces && shown < PLACES_MAX; shown++) {
		const struct ran_file_place *p = &c->places[shown];
		const struct coverage_insn *insn = &c->all.insns[p->place.insn];

		fputs("<tr>", to);
		text(p->file->path, to);
		text(p->region->name, to);
		fprintf(to, "<td class=\"n\"><code>%" PRIx64 "</code></td>", p->place.address);
		text(disagreement_name(p->place.kind), to);
		text(coverage_mnemonic(insn, NULL), to);
		bytes(insn->bytes, insn->length, to);
		fprintf(to, "<td class=\"n\">%u</td><td class=\"n\"><code>%08" PRIx32 "</code></td>", insn->code32 ? 32 : 16, insn->linear);
		fprintf(to, "<td>%s, %u-bit</td>", cover_name(p->place.cover), p->place.mode);
		bytes(p->place.bytes, p->place.nbytes, to);
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
	if (shown < all)
		fprintf(to, "<p class=\"q\">... and %s more.</p>\n", report_commas(all - shown, a));
}

void coverage_html(const struct coverage_report *c, FILE *to)
{
	uint64_t scanned[COVER_NR] = { 0 }, ran = 0;
	char a[32], b[32];

	for (size_t i = 0; i < c->nresults; i++)
		for (uint32_t j = 0; j < c->results[i]->nregions; j++)
			for (unsigned int k = 0; k < COVER_NR; k++)
				scanned[k] += c->results[i]->regions[j].cover_bytes[k];
	for (unsigned int k = 0; k < RAN_NR; k++)
		ran += c->sums.ran_bytes[k];
	if (c->nresults)
		fprintf(to, "<h1>What ran: %s of %s bytes of code, %.3f&#8201;%%</h1>\n", report_commas(ran, a), report_commas(c->code_bytes, b),
			c->code_bytes ? 100.0 * (double)ran / (double)c->code_bytes : 0);
	else
		fputs("<h1>What ran</h1>\n", to);
	put_runs(c, to);
	if (c->nresults) {
		put_classes(c, scanned, to);
		put_hows(c, ran, to);
		put_places(c, to);
		fprintf(to, "<p>%s instructions (%s bytes) ran that stand in none of the files.</p>\n", report_commas(c->elsewhere_insns, a),
			report_commas(c->elsewhere_bytes, b));
	}
	fputs("<h2>All that ran</h2>\n", to);
	put_alone(c, to);
	put_hottest(c, to);
}
