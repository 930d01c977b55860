/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_result.c - sums and orders of results, and the words for their parts.
 *
 * Asked by: user/prescan_table.c, _json.c, _html.c, _command.c. Tested by: tests/unit/test_prescan_scan.c.
 */
#include <stdlib.h>
#include <string.h>

#include "user/prescan_result.h"

static const struct {
	const char *name, *meaning;
} covers[COVER_NR - PRESCAN_NR_CLASSES] = {
	[COVER_UNDEFINED - PRESCAN_NR_CLASSES] = { "undefined", "no instruction: #UD" },
	[COVER_CUT - PRESCAN_NR_CLASSES] = { "cut", "an instruction that runs over a function's start or the end" },
	[COVER_DATA - PRESCAN_NR_CLASSES] = { "data", "known to be no code" },
};

static const char *const class_meanings[PRESCAN_NR_CLASSES] = {
	[PRESCAN_REFUSE] = "encodings of later processors, which CPUID does not show: #UD",
	[PRESCAN_PLAIN] = "the same effect in ring 3",
	[PRESCAN_FPU] = "x87, MMX, SSE, AVX",
	[PRESCAN_BRANCH] = "near control flow",
	[PRESCAN_FAR] = "far control flow, interrupts, system calls",
	[PRESCAN_SEG_LOAD] = "loads a segment register",
	[PRESCAN_SEG_STORE] = "shows a segment register",
	[PRESCAN_FLAGS] = "IF and IOPL: CLI STI PUSHF POPF",
	[PRESCAN_TABLE] = "shows descriptor tables or CR0",
	[PRESCAN_SYSTEM] = "privileged",
	[PRESCAN_ID] = "shows the processor or its clock",
	[PRESCAN_PORT] = "IN and OUT",
	[PRESCAN_STRING_PORT] = "INS and OUTS",
	[PRESCAN_UD] = "defined to be undefined: UD0 UD1 UD2",
};

static const struct {
	const char *name, *meaning;
} findings[FINDING_NR] = {
	[FINDING_UNDEFINED] = { "undefined", "no instruction: the processor raises #UD" },
	[FINDING_REFUSED] = { "refused", "an encoding that is not offered (EVEX, XOP, TSX, SGX, PKU, other VEX): #UD in the guest" },
	[FINDING_UNSUPPORTED] = { "unsupported", "decoded, but CPUID does not offer it (AVX, VMX, SVM ...): #UD in the guest" },
	[FINDING_TOO_LONG] = { "too-long", "more than 15 bytes: the processor raises #GP(0)" },
	[FINDING_CUT] = { "cut", "an instruction that runs over a function's start or the section's end" },
};

const char *cover_name(unsigned int cover)
{
	if (cover >= COVER_NR)
		return "(none)";
	return cover < PRESCAN_NR_CLASSES ? prescan_class_name((enum prescan_class)cover) : covers[cover - PRESCAN_NR_CLASSES].name;
}

const char *cover_meaning(unsigned int cover)
{
	if (cover >= COVER_NR)
		return "(none)";
	return cover < PRESCAN_NR_CLASSES ? class_meanings[cover] : covers[cover - PRESCAN_NR_CLASSES].meaning;
}

const char *finding_name(unsigned int kind)
{
	return kind < FINDING_NR ? findings[kind].name : "(none)";
}

const char *finding_meaning(unsigned int kind)
{
	return kind < FINDING_NR ? findings[kind].meaning : "(none)";
}

uint64_t region_undecoded(const struct region_result *region)
{
	return region->cover_bytes[COVER_REFUSED] + region->cover_bytes[COVER_UNDEFINED] + region->cover_bytes[COVER_CUT];
}

void file_result_free(struct file_result *result)
{
	if (!result)
		return;
	for (uint32_t i = 0; result->regions && i < result->nregions; i++) {
		free(result->regions[i].name);
		free(result->regions[i].map);
	}
	free(result->path);
	free(result->format);
	free(result->why);
	free(result->regions);
	free(result->counts);
	free(result->findings);
	free(result);
}

/* ---- totals ---- */

static int by_row(const void *a, const void *b)
{
	const struct insn_count *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	if (x->mode != y->mode)
		return x->mode < y->mode ? -1 : 1;
	return (int)x->rewriting - (int)y->rewriting;
}

/* Sorts, and adds equal ones up. */
static uint32_t add_up(struct insn_count *counts, uint32_t n)
{
	uint32_t kept = 0;

	if (!n)
		return 0;
	qsort(counts, n, sizeof(*counts), by_row);
	for (uint32_t i = 1; i < n; i++) {
		if (by_row(&counts[kept], &counts[i])) {
			counts[++kept] = counts[i];
			continue;
		}
		counts[kept].insns += counts[i].insns;
		counts[kept].bytes += counts[i].bytes;
	}
	return kept + 1;
}

static void add_file(struct totals *t, const struct file_result *r)
{
	t->files[r->verdict]++;
	t->file_bytes += r->nbytes;
	t->regions += r->nregions;
	t->omitted += r->omitted;
	for (uint32_t i = 0; i < r->nregions; i++) {
		for (unsigned int c = 0; c < COVER_NR; c++) {
			t->cover_bytes[c] += r->regions[i].cover_bytes[c];
			t->cover_insns[c] += r->regions[i].cover_insns[c];
		}
		for (unsigned int k = 0; k < FINDING_NR; k++)
			t->findings[k] += r->regions[i].findings[k];
	}
	for (uint32_t i = 0; i < r->ncounts; i++) {
		t->rewriting_insns[r->counts[i].rewriting] += r->counts[i].insns;
		t->rewriting_bytes[r->counts[i].rewriting] += r->counts[i].bytes;
	}
}

bool totals_make(struct totals *t, const struct file_result *const *results, size_t nresults)
{
	uint32_t room = 0;

	*t = (struct totals){ 0 };
	for (size_t i = 0; i < nresults; i++) {
		add_file(t, results[i]);
		if (t->ncounts + results[i]->ncounts > room) {
			struct insn_count *grown;

			/* Mostly the same rows again: add up first, grow if that was not enough. */
			t->ncounts = add_up(t->counts, t->ncounts);
			room = 2 * (t->ncounts + results[i]->ncounts) + 1024;
			grown = realloc(t->counts, room * sizeof(*grown));
			if (!grown) {
				totals_free(t);
				return false;
			}
			t->counts = grown;
		}
		if (results[i]->ncounts)
			memcpy(t->counts + t->ncounts, results[i]->counts, results[i]->ncounts * sizeof(*t->counts));
		t->ncounts += results[i]->ncounts;
	}
	t->ncounts = add_up(t->counts, t->ncounts);
	return true;
}

void totals_free(struct totals *t)
{
	free(t->counts);
	*t = (struct totals){ 0 };
}

/* ---- the table of instructions ---- */

static int by_text(const void *a, const void *b)
{
	const struct insn_line *x = a, *y = b;
	int order = strcmp(x->mnemonic, y->mnemonic);

	if (!order)
		order = strcmp(x->klass, y->klass);
	if (!order)
		order = (int)x->mode - (int)y->mode;
	if (!order)
		order = strcmp(x->rewriting, y->rewriting);
	return order ? order : strcmp(x->reason, y->reason);
}

static int by_number(const void *a, const void *b)
{
	const struct insn_line *x = a, *y = b;

	if (x->insns != y->insns)
		return x->insns > y->insns ? -1 : 1;
	return by_text(a, b);
}

struct insn_line *insn_lines(const struct insn_count *counts, uint32_t ncounts, size_t *nlines)
{
	struct insn_line *lines = calloc(ncounts + 1, sizeof(*lines));
	size_t kept = 0;

	*nlines = 0;
	if (!lines || !ncounts)
		return lines;
	for (uint32_t i = 0; i < ncounts; i++) {
		struct prescan_insn insn = { .id = counts[i].row };

		lines[i] = (struct insn_line){
			.mnemonic = prescan_mnemonic(&insn), .klass = cover_name(counts[i].klass),
			.rewriting = prescan_rewriting_name(counts[i].rewriting), .reason = prescan_reason(&insn),
			.insns = counts[i].insns, .bytes = counts[i].bytes, .mode = counts[i].mode, .rewriting_nr = counts[i].rewriting,
		};
	}
	qsort(lines, ncounts, sizeof(*lines), by_text);
	for (uint32_t i = 1; i < ncounts; i++) {
		if (by_text(&lines[kept], &lines[i])) {
			lines[++kept] = lines[i];
			continue;
		}
		lines[kept].insns += lines[i].insns;
		lines[kept].bytes += lines[i].bytes;
	}
	*nlines = kept + 1;
	qsort(lines, *nlines, sizeof(*lines), by_number);
	return lines;
}

/* ---- the worst places ---- */

static bool worse(const struct worst *a, const struct worst *b)
{
	int order;

	if (a->weight != b->weight)
		return a->weight > b->weight;
	order = strcmp(a->file->path, b->file->path);
	if (order)
		return order < 0;
	return a->region < b->region;
}

size_t worst_regions(const struct file_result *const *results, size_t nresults, bool by_leaves, struct worst *worst, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < nresults; i++)
		for (uint32_t j = 0; j < results[i]->nregions; j++) {
			struct worst w = { .file = results[i], .region = &results[i]->regions[j] };
			size_t at = n;

			w.weight = by_leaves ? w.region->leaves : region_undecoded(w.region);
			if (!w.weight)
				continue;
			while (at && worse(&w, &worst[at - 1]))
				at--;
			if (at == room)
				continue;
			if (n < room)
				n++;
			memmove(worst + at + 1, worst + at, (n - at - 1) * sizeof(*worst));
			worst[at] = w;
		}
	return n;
}
