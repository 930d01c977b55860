/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/prescan_report.c - what the three forms of the report share, and the table. Tested by: tests/unit/test_prescan_command.c. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/prescan_report.h"

#define SHOWN_INSNS	40u
#define SHOWN_FINDINGS	20u
#define SHOWN_REGIONS	40u
#define SHOWN_WORST	10u

bool report_make(struct report *report)
{
	report->lines = NULL;
	if (!totals_make(&report->totals, report->results, report->nresults))
		return false;
	report->lines = insn_lines(report->totals.counts, report->totals.ncounts, &report->nlines);
	return report->lines != NULL;
}

void report_free(struct report *report)
{
	totals_free(&report->totals);
	free(report->lines);
	report->lines = NULL;
}

const char *report_mode_name(const struct region_result *region)
{
	if (!region->nbytes16)
		return "32";
	return region->nbytes16 == region->nbytes ? "16" : "16/32";
}

const char *report_verdict_name(unsigned int verdict)
{
	static const char *const names[IMAGE_NR] = {
		[IMAGE_CODE] = "scanned", [IMAGE_NONE] = "no-code", [IMAGE_FOREIGN] = "foreign", [IMAGE_BAD] = "failed",
	};

	return verdict < IMAGE_NR ? names[verdict] : "(none)";
}

const char *report_strategy_name(enum prescan_rewrite strategy)
{
	static const char *const names[] = {
		[REWRITE_ADAPTIVE] = "adaptive", [REWRITE_FARCALL] = "farcall", [REWRITE_INT3] = "int3", [REWRITE_GATE] = "gate",
	};

	return names[strategy];
}

const char *report_commas(uint64_t value, char text[32])
{
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, value), at = 0;

	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

unsigned int report_utf8(const char *text)
{
	const uint8_t *b = (const uint8_t *)text;
	unsigned int n = b[0] < 0x80 ? 1 : b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : b[0] < 0xf5 ? 4 : 0;

	for (unsigned int i = 1; i < n; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	/* Over-long forms, surrogates, and what is past U+10FFFF (RFC 3629, "Syntax of UTF-8 Byte Sequences"). */
	if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) || (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f))
		return 0;
	return n;
}

void report_hex(const uint8_t *bytes, size_t nbytes, const char *between, FILE *to)
{
	for (size_t i = 0; i < nbytes; i++)
		fprintf(to, "%s%02x", i ? between : "", bytes[i]);
}

/* ---- the table ---- */

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static uint64_t sum(const uint64_t *values, size_t n)
{
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++)
		all += values[i];
	return all;
}

static void print_files(const struct report *r, FILE *to)
{
	const struct totals *t = &r->totals;
	char a[32], b[32];

	fprintf(to, "%s file%s with code, %s code region%s", report_commas(t->files[IMAGE_CODE], a), t->files[IMAGE_CODE] == 1 ? "" : "s",
		report_commas(t->regions, b), t->regions == 1 ? "" : "s");
	if (t->files[IMAGE_NONE])
		fprintf(to, "; %s without", report_commas(t->files[IMAGE_NONE], a));
	if (t->files[IMAGE_FOREIGN])
		fprintf(to, "; %s of 64-bit or other code", report_commas(t->files[IMAGE_FOREIGN], a));
	if (t->files[IMAGE_BAD])
		fprintf(to, "; %s failed", report_commas(t->files[IMAGE_BAD], a));
	if (r->links)
		fprintf(to, "; %s symbolic links not followed", report_commas(r->links, a));
	fprintf(to, "\nJudged for --rewrite %s, %s code in flat segments.\n", report_strategy_name(r->options->sweep.strategy),
		r->options->sweep.user ? "user (CPL 3)" : "kernel (CPL 0)");
}

static void print_regions(const struct report *r, FILE *to)
{
	uint64_t shown = 0;

	fputs("\nregions                                              address       bytes  mode   decoded    leaves\n", to);
	for (size_t i = 0; i < r->nresults; i++) {
		const struct file_result *f = r->results[i];

		for (uint32_t j = 0; j < f->nregions; j++, shown++) {
			const struct region_result *g = &f->regions[j];
			uint64_t code = g->nbytes - g->cover_bytes[COVER_DATA];
			char a[32], b[32];

			if (shown == SHOWN_REGIONS)
				break;
			if (!j)
				fprintf(to, "  %s (%s)\n", f->path, f->format);
			fprintf(to, "    %-42s %10" PRIx64 " %12s  %-5s%s %8.3f%% %9s\n", g->name, g->address, report_commas(g->nbytes, a),
				report_mode_name(g), g->guessed ? "?" : " ", code ? percent(code - region_undecoded(g), code) : 100.0,
				report_commas(g->leaves, b));
		}
	}
	if (shown < r->totals.regions)
		fprintf(to, "  ... and %" PRIu64 " more; --json and --html have all\n", r->totals.regions - shown);
}

static void print_classes(const struct report *r, FILE *to)
{
	const struct totals *t = &r->totals;
	uint64_t all = sum(t->cover_bytes, COVER_NR);
	char a[32], b[32];

	fputs("\nclass          instructions          bytes    share\n", to);
	for (unsigned int c = 0; c < COVER_NR; c++) {
		/* Undecoded last, so that it stands where people look. */
		unsigned int cover = c + 1 < PRESCAN_NR_CLASSES ? c + 1 : c + 1 == PRESCAN_NR_CLASSES ? COVER_REFUSED : c;

		if (t->cover_bytes[cover])
			fprintf(to, "  %-12s %12s %14s %7.3f%%  %s\n", cover_name(cover),
				cover == COVER_DATA ? "-" : report_commas(t->cover_insns[cover], a),
				report_commas(t->cover_bytes[cover], b), percent(t->cover_bytes[cover], all), cover_meaning(cover));
	}
	fprintf(to, "  %-12s %12s %14s\n", "all", report_commas(sum(t->cover_insns, COVER_NR) - t->cover_insns[COVER_DATA], a),
		report_commas(all, b));
}

static void print_rewritings(const struct report *r, FILE *to)
{
	const struct totals *t = &r->totals;
	uint64_t all = sum(t->rewriting_insns, REWRITING_NR);
	char a[32], b[32];

	fputs("\nrewriting            instructions          bytes    share\n", to);
	for (unsigned int i = 0; i < REWRITING_NR; i++)
		if (t->rewriting_insns[i])
			fprintf(to, "  %-18s %12s %14s %7.3f%%  %s\n", prescan_rewriting_name(i), report_commas(t->rewriting_insns[i], a),
				report_commas(t->rewriting_bytes[i], b), percent(t->rewriting_insns[i], all),
				prescan_rewriting_meaning(i));
}

static void print_insns(const struct report *r, bool copied, FILE *to)
{
	size_t shown = 0, left = 0;
	uint64_t insns = 0;
	char a[32];

	fprintf(to, "\n%s\n", copied ? "instructions that run as they stand, the most frequent" : "instructions that are rewritten");
	for (size_t i = 0; i < r->nlines; i++) {
		const struct insn_line *l = &r->lines[i];

		if ((l->rewriting_nr == REWRITING_COPIED) != copied)
			continue;
		if (copied && shown == SHOWN_INSNS) {
			left++;
			insns += l->insns;
			continue;
		}
		shown++;
		fprintf(to, "  %12s  %-10s %-2u  %-11s %-18s %s\n", report_commas(l->insns, a), l->mnemonic, l->mode, l->klass, l->rewriting,
			l->reason);
	}
	if (left)
		fprintf(to, "  %12s  in %zu more kinds; --json and --html have all\n", report_commas(insns, a), left);
	if (!shown)
		fputs("  none\n", to);
}

static void print_findings(const struct report *r, FILE *to)
{
	uint64_t all = sum(r->totals.findings, FINDING_NR), shown = 0;
	char a[32];

	fputs("\nundefined, refused, unsupported\n", to);
	for (unsigned int k = 0; k < FINDING_NR; k++)
		if (r->totals.findings[k])
			fprintf(to, "  %12s  %-12s %s\n", report_commas(r->totals.findings[k], a), finding_name(k), finding_meaning(k));
	if (!all)
		fputs("  none\n", to);
	for (size_t i = 0; i < r->nresults && shown < SHOWN_FINDINGS; i++)
		for (uint32_t j = 0; j < r->results[i]->nfindings && shown < SHOWN_FINDINGS; j++, shown++) {
			const struct finding *f = &r->results[i]->findings[j];

			fprintf(to, "    %s %s %" PRIx64 " (%u-bit): %s%s%s: ", r->results[i]->path, r->results[i]->regions[f->region].name,
				f->address, f->mode, finding_name(f->kind), f->kind == FINDING_UNSUPPORTED ? " " : "",
				f->kind == FINDING_UNSUPPORTED ? prescan_row_mnemonic(f->row) : "");
			report_hex(f->bytes, f->nbytes, " ", to);
			fputc('\n', to);
		}
	if (shown < all)
		fprintf(to, "    ... and %s more; --json has up to --findings N a file\n", report_commas(all - shown, a));
}

static void print_worst(const struct report *r, FILE *to)
{
	struct worst worst[SHOWN_WORST];
	char a[32];

	for (unsigned int by_leaves = 0; by_leaves < 2; by_leaves++) {
		size_t n = worst_regions(r->results, r->nresults, by_leaves, worst, SHOWN_WORST);

		fprintf(to, "\n%s\n", by_leaves ? "worst places: most ways out into the monitor" : "worst places: most bytes that were not decoded");
		for (size_t i = 0; i < n; i++)
			fprintf(to, "  %12s %7.3f%%  %s %s\n", report_commas(worst[i].weight, a),
				percent(worst[i].weight, worst[i].region->nbytes), worst[i].file->path, worst[i].region->name);
		if (!n)
			fputs("  none\n", to);
	}
}

void report_table(const struct report *r, FILE *to)
{
	print_files(r, to);
	if (!r->totals.regions)
		return;
	print_regions(r, to);
	print_classes(r, to);
	print_rewritings(r, to);
	print_insns(r, false, to);
	print_insns(r, true, to);
	print_findings(r, to);
	print_worst(r, to);
}
