/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/coverage_print.c - what ran as a table for people and as JSON lines for programs. See coverage_report.h.
 *
 * Asked by:  user/prescan_command.c. Read next: coverage_html.c. Tested by: tests/guests/run-coverage.
 */
#include <inttypes.h>

#include "user/coverage_report.h"
#include "user/prescan_report.h"

#define SHOWN_HOTTEST	20u
#define SHOWN_PLACES	20u
#define SHOWN_REGIONS	40u

static const char *const strategies[] = { "adaptive", "farcall", "int3", "interpret", "gate" };

static const char *strategy(const struct coverage_run *run)
{
	return run->rewrite < PLX_ARRAY_SIZE(strategies) ? strategies[run->rewrite] : "(unknown)";
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* ---- the table ---- */

static void print_class(const char *name, const struct ran_class *k, const char *meaning, FILE *to)
{
	char a[32], b[32], c[32], d[32];

	if (!k->insns)
		return;
	fprintf(to, "  %-12s %11s %11s", name, report_commas(k->insns, a), report_commas(k->bytes, b));
	for (unsigned int h = 0; h < PLX_COVER_HOWS; h++)
		fprintf(to, " %11s", report_commas(k->by[h], a));
	fprintf(to, " %13s %13s %11s  %s\n", report_commas(k->callouts, b), report_commas(k->interpreted, c), report_commas(k->raised, d), meaning);
}

static void print_hottest(const struct coverage_report *c, FILE *to)
{
	char a[32], b[32], hows[64];

	fputs("\nhottest: left most often for the monitor\n", to);
	if (!c->nhottest)
		fputs("  none\n", to);
	else
		fputs("      callouts   interpreted   address  physical mode  class        instruction\n", to);
	for (uint32_t i = 0; i < c->nhottest && i < SHOWN_HOTTEST; i++) {
		const struct coverage_insn *insn = &c->all.insns[c->hottest[i]];
		unsigned int klass;
		const char *mnemonic = coverage_mnemonic(insn, &klass);

		fprintf(to, " %13s %13s  %08" PRIx32 "  %08" PRIx32 "  %u  %-12s %-10s ", report_commas(insn->callouts, a),
			report_commas(insn->interpreted, b), insn->linear, insn->gpa, insn->code32 ? 32 : 16, cover_name(klass), mnemonic);
		report_hex(insn->bytes, insn->length, " ", to);
		fprintf(to, "  (%s)\n", coverage_hows(insn->how, hows));
	}
}

static void print_alone(const struct coverage_report *c, FILE *to)
{
	char a[32];

	for (size_t i = 0; i < c->all.nruns; i++) {
		const struct coverage_run *run = &c->all.runs[i];

		fprintf(to, "run of plexus %s, --rewrite %s: %s\n", run->version, strategy(run), run->command);
		fprintf(to, "    %s instructions were translated and not reached\n", report_commas(run->unreached, a));
		if (run->lost)
			fprintf(to, "    %s more found the table full: THE RECORD IS NOT WHOLE\n", report_commas(run->lost, a));
	}
	fputs("\nwhat ran     instructions       bytes      native     inlined       nexus interpreted      callouts   interpreted      raised\n", to);
	for (unsigned int i = 0; i < PRESCAN_NR_CLASSES; i++)
		print_class(cover_name(i), &c->classes[i], cover_meaning(i), to);
	print_class("all", &c->sum, "", to);
	print_class("in 16 bits", &c->code16, "", to);
	for (unsigned int cpl = 0; cpl < 4; cpl++) {
		char name[16];

		snprintf(name, sizeof(name), "at CPL %u", cpl);
		print_class(name, &c->cpl[cpl], "", to);
	}
	fputs("  Instructions are those of different places; bytes count where they are. The last three columns are how often.\n", to);
	print_hottest(c, to);
}

static void print_region(const struct coverage_report *c, size_t i, uint32_t j, FILE *to)
{
	const struct region_result *g = &c->results[i]->regions[j];
	const struct ran_region *r = coverage_report_region(c, i, j);
	uint64_t ran = 0, disagree = 0;
	char a[32], b[32];

	for (unsigned int k = 0; k < RAN_NR; k++)
		ran += r->ran_bytes[k];
	for (unsigned int k = 0; k < DISAGREE_NR; k++)
		disagree += r->disagree[k];
	fprintf(to, "    %-42s %10" PRIx64 " %12s %7.3f%% %9s ", g->name, g->address, report_commas(ran, a),
		percent(ran, g->nbytes - g->cover_bytes[COVER_DATA]), report_commas(disagree, b));
	if (!r->nbiases)
		fputs(" nowhere", to);
	for (uint32_t k = 0; k < r->nbiases && k < PLX_ARRAY_SIZE(r->biases); k++)
		fprintf(to, " %08" PRIx32, (uint32_t)(g->address + r->biases[k]));
	if (r->nbiases > PLX_ARRAY_SIZE(r->biases))
		fprintf(to, " and %" PRIu32 " more", r->nbiases - (uint32_t)PLX_ARRAY_SIZE(r->biases));
	fputc('\n', to);
}

static void print_regions(const struct coverage_report *c, FILE *to)
{
	uint64_t shown = 0, all = 0;

	fputs("\nwhat ran of the files                            address   bytes ran    share  disagree  stood at\n", to);
	for (size_t i = 0; i < c->nresults; i++)
		for (uint32_t j = 0; j < c->results[i]->nregions; j++, all++) {
			if (shown == SHOWN_REGIONS)
				continue;
			if (!j)
				fprintf(to, "  %s\n", c->results[i]->path);
			print_region(c, i, j, to);
			shown++;
		}
	if (shown < all)
		fprintf(to, "  ... and %" PRIu64 " more; --json and --html have all\n", all - shown);
}

static void print_sums(const struct coverage_report *c, FILE *to)
{
	uint64_t scanned[COVER_NR] = { 0 }, ran = 0;
	char a[32], b[32];

	for (size_t i = 0; i < c->nresults; i++)
		for (uint32_t j = 0; j < c->results[i]->nregions; j++)
			for (unsigned int k = 0; k < COVER_NR; k++)
				scanned[k] += c->results[i]->regions[j].cover_bytes[k];
	for (unsigned int k = 0; k < RAN_NR; k++)
		ran += c->sums.ran_bytes[k];
	fprintf(to, "\n%s of %s bytes of code ran: %.3f%%\n", report_commas(ran, a), report_commas(c->code_bytes, b), percent(ran, c->code_bytes));
	fputs("\nclass           bytes ran     of bytes    share\n", to);
	for (unsigned int k = 0; k < COVER_NR; k++)
		if (scanned[k] && k != COVER_DATA)
			fprintf(to, "  %-12s %10s %12s %7.3f%%\n", cover_name(k), report_commas(c->sums.class_bytes[k], a),
				report_commas(scanned[k], b), percent(c->sums.class_bytes[k], scanned[k]));
	fputs("\nhow           instructions        bytes    share of what ran\n", to);
	for (unsigned int k = 0; k < RAN_NR; k++)
		if (c->sums.ran_insns[k])
			fprintf(to, "  %-12s %11s %12s %7.3f%%  %s\n", ran_name(k), report_commas(c->sums.ran_insns[k], a),
				report_commas(c->sums.ran_bytes[k], b), percent(c->sums.ran_bytes[k], ran), ran_meaning(k));
	if (c->sums.relocated)
		fprintf(to, "  %s of these instructions ran with an address that the loader had moved\n", report_commas(c->sums.relocated, a));
	fputs("\nforeseen by the scan      native     inlined       nexus interpreted other bytes\n", to);
	for (unsigned int i = 0; i < REWRITING_NR; i++) {
		uint64_t any = 0;

		for (unsigned int k = 0; k < RAN_NR; k++)
			any += c->sums.foreseen[i][k];
		if (!any)
			continue;
		fprintf(to, "  %-18s", prescan_rewriting_name(i));
		for (unsigned int k = 0; k < RAN_NR; k++)
			fprintf(to, " %11s", report_commas(c->sums.foreseen[i][k], a));
		fputc('\n', to);
	}
}

static void print_places(const struct coverage_report *c, FILE *to)
{
	uint64_t all = 0;
	size_t shown = 0;
	char a[32];

	fputs("\nwhere scan and run disagree\n", to);
	for (unsigned int k = 0; k < DISAGREE_NR; k++) {
		all += c->sums.disagree[k];
		if (c->sums.disagree[k])
			fprintf(to, "  %12s  %-12s %s\n", report_commas(c->sums.disagree[k], a), disagreement_name(k), disagreement_meaning(k));
	}
	if (!all)
		fputs("  nowhere\n", to);
	for (; shown < c->nplaces && shown < SHOWN_PLACES; shown++) {
		const struct ran_file_place *p = &c->places[shown];
		const struct coverage_insn *insn = &c->all.insns[p->place.insn];

		fprintf(to, "    %s %s %" PRIx64 ": %s: ran %s ", p->file->path, p->region->name, p->place.address, disagreement_name(p->place.kind),
			coverage_mnemonic(insn, NULL));
		report_hex(insn->bytes, insn->length, " ", to);
		fprintf(to, " (%u-bit, at %08" PRIx32 "), the file has %s (%u-bit) ", insn->code32 ? 32 : 16, insn->linear,
			cover_name(p->place.cover), p->place.mode);
		report_hex(p->place.bytes, p->place.nbytes, " ", to);
		fputc('\n', to);
	}
	if (shown < all)
		fprintf(to, "    ... and %s more; --json has up to --findings N\n", report_commas(all - shown, a));
}

void coverage_table(const struct coverage_report *c, FILE *to)
{
	char a[32], b[32];

	print_alone(c, to);
	if (!c->nresults)
		return;
	print_regions(c, to);
	print_sums(c, to);
	print_places(c, to);
	fprintf(to, "\n%s instructions (%s bytes) ran that stand in none of the files\n", report_commas(c->elsewhere_insns, a),
		report_commas(c->elsewhere_bytes, b));
}

/* ---- JSON ---- */

static void json_insn(const struct coverage_insn *insn, FILE *to)
{
	unsigned int klass;
	const char *mnemonic = coverage_mnemonic(insn, &klass);
	bool first = true;

	fprintf(to, "\"address\":\"0x%" PRIx32 "\",\"physical\":\"0x%" PRIx32 "\",\"mode\":%u,\"length\":%u,\"data\":\"", insn->linear, insn->gpa,
		insn->code32 ? 32 : 16, insn->length);
	report_hex(insn->bytes, insn->length, "", to);
	fprintf(to, "\",\"mnemonic\":\"%s\",\"class\":\"%s\",\"how\":[", mnemonic, cover_name(klass));
	for (unsigned int h = 0; h < PLX_COVER_HOWS; h++)
		if (insn->how >> h & 1) {
			fprintf(to, "%s\"%s\"", first ? "" : ",", ran_name(h));
			first = false;
		}
	fputs("],\"cpl\":[", to);
	first = true;
	for (unsigned int cpl = 0; cpl < 4; cpl++)
		if (insn->cpls >> cpl & 1) {
			fprintf(to, "%s%u", first ? "" : ",", cpl);
			first = false;
		}
	fprintf(to, "],\"callouts\":%" PRIu64 ",\"interpreted\":%" PRIu64 ",\"raised\":%" PRIu64, insn->callouts, insn->interpreted, insn->raised);
}

static void json_ways(const char *name, const uint64_t *values, FILE *to)
{
	fprintf(to, ",\"%s\":{", name);
	for (unsigned int k = 0; k < RAN_NR; k++)
		fprintf(to, "%s\"%s\":%" PRIu64, k ? "," : "", ran_name(k), values[k]);
	fputc('}', to);
}

static void json_region(const struct ran_region *r, FILE *to)
{
	bool first = true;

	json_ways("ran_bytes", r->ran_bytes, to);
	json_ways("ran_instructions", r->ran_insns, to);
	fprintf(to, ",\"relocated\":%" PRIu64 ",\"classes\":{", r->relocated);
	for (unsigned int k = 0; k < COVER_NR; k++)
		if (r->class_insns[k]) {
			fprintf(to, "%s\"%s\":{\"instructions\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", first ? "" : ",", cover_name(k), r->class_insns[k],
				r->class_bytes[k]);
			first = false;
		}
	fputs("},\"disagreements\":{", to);
	for (unsigned int k = 0; k < DISAGREE_NR; k++)
		fprintf(to, "%s\"%s\":%" PRIu64, k ? "," : "", disagreement_name(k), r->disagree[k]);
	fputc('}', to);
}

static void json_beside(const struct coverage_report *c, FILE *to)
{
	for (size_t i = 0; i < c->nresults; i++)
		for (uint32_t j = 0; j < c->results[i]->nregions; j++) {
			const struct region_result *g = &c->results[i]->regions[j];
			const struct ran_region *r = coverage_report_region(c, i, j);

			fputs("{\"type\":\"ran_region\",\"path\":", to);
			report_json_text(c->results[i]->path, to);
			fputs(",\"region\":", to);
			report_json_text(g->name, to);
			fprintf(to, ",\"address\":\"0x%" PRIx64 "\",\"bytes\":%" PRIu64 ",\"stood_at\":[", g->address, g->nbytes);
			for (uint32_t k = 0; k < r->nbiases && k < PLX_ARRAY_SIZE(r->biases); k++)
				fprintf(to, "%s\"0x%" PRIx32 "\"", k ? "," : "", (uint32_t)(g->address + r->biases[k]));
			fprintf(to, "],\"places\":%" PRIu32, r->nbiases);
			json_region(r, to);
			fprintf(to, ",\"cell_bytes\":%" PRIu64 ",\"map\":\"%s\"}\n", (uint64_t)1 << g->cell_shift, r->map);
		}
	for (size_t i = 0; i < c->nplaces; i++) {
		const struct ran_file_place *p = &c->places[i];

		fputs("{\"type\":\"disagreement\",\"path\":", to);
		report_json_text(p->file->path, to);
		fputs(",\"region\":", to);
		report_json_text(p->region->name, to);
		fprintf(to, ",\"file_address\":\"0x%" PRIx64 "\",\"kind\":\"%s\",\"scan\":\"%s\",\"scan_mode\":%u,\"file_data\":\"",
			p->place.address, disagreement_name(p->place.kind), cover_name(p->place.cover), p->place.mode);
		report_hex(p->place.bytes, p->place.nbytes, "", to);
		fputs("\",\"ran\":{", to);
		json_insn(&c->all.insns[p->place.insn], to);
		fputs("}}\n", to);
	}
}

void coverage_json(const struct coverage_report *c, bool each, FILE *to)
{
	for (size_t i = 0; i < c->all.nruns; i++) {
		const struct coverage_run *run = &c->all.runs[i];

		fputs("{\"type\":\"run\",\"id\":\"", to);
		report_hex(run->id, sizeof(run->id), "", to);
		fputs("\",\"plexus\":", to);
		report_json_text(run->version, to);
		fprintf(to, ",\"rewrite\":\"%s\",\"command\":", strategy(run));
		report_json_text(run->command, to);
		fprintf(to, ",\"unreached\":%" PRIu64 ",\"lost\":%" PRIu64 "}\n", run->unreached, run->lost);
	}
	for (size_t i = 0; each && i < c->all.ninsns; i++) {
		fputs("{\"type\":\"ran\",", to);
		json_insn(&c->all.insns[i], to);
		fputs("}\n", to);
	}
	if (c->nresults)
		json_beside(c, to);
	fprintf(to, "{\"type\":\"ran_total\",\"instructions\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"how\":{", c->sum.insns, c->sum.bytes);
	for (unsigned int h = 0; h < PLX_COVER_HOWS; h++)
		fprintf(to, "%s\"%s\":%" PRIu64, h ? "," : "", ran_name(h), c->sum.by[h]);
	fprintf(to, "},\"callouts\":%" PRIu64 ",\"interpreted\":%" PRIu64 ",\"raised\":%" PRIu64, c->sum.callouts, c->sum.interpreted, c->sum.raised);
	if (c->nresults) {
		fprintf(to, ",\"code_bytes\":%" PRIu64, c->code_bytes);
		json_region(&c->sums, to);
		fprintf(to, ",\"elsewhere_instructions\":%" PRIu64 ",\"elsewhere_bytes\":%" PRIu64, c->elsewhere_insns, c->elsewhere_bytes);
	}
	fputs("}\n", to);
}
