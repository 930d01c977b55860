/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/coverage_report.c - sums of what ran, and what of the scanned files it was. See coverage_report.h.
 *
 * Asked by:  user/prescan_command.c. Asks: coverage_file.c, coverage_match.c, prescan_image.c. Read next: coverage_print.c.
 * Tested by: tests/guests/run-coverage.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/coverage_report.h"

int coverage_report_read(struct coverage_report *c, const char *list, char *why, size_t why_bytes)
{
	char *words = strdup(list), *save = NULL;
	int err = words ? 0 : -ENOMEM;

	for (char *path = words ? strtok_r(words, ",", &save) : NULL; path && !err; path = strtok_r(NULL, ",", &save)) {
		struct coverage one = { 0 };

		err = coverage_read(&one, path, why, why_bytes);
		if (!err && !coverage_add(&c->all, &one)) {
			coverage_free(&one);
			err = -ENOMEM;
		}
	}
	free(words);
	if (err == -ENOMEM)
		snprintf(why, why_bytes, "%s: needs more memory than there is", list);
	return err;
}

/* ---- what ran, by itself ---- */

const char *coverage_mnemonic(const struct coverage_insn *insn, unsigned int *klass)
{
	struct prescan_insn decoded;

	if (klass)
		*klass = PRESCAN_REFUSE;
	if (prescan_decode(insn->bytes, insn->length, insn->code32 ? PRESCAN_MODE_32 : PRESCAN_MODE_16, &decoded) != PRESCAN_OK)
		return "(none)";
	if (klass)
		*klass = decoded.klass;
	return prescan_mnemonic(&decoded);
}

const char *coverage_hows(unsigned int how, char text[64])
{
	size_t n = 0;

	text[0] = '\0';
	for (unsigned int h = 0; h < PLX_COVER_HOWS; h++)
		if (how >> h & 1)
			n += (size_t)sprintf(text + n, "%s%s", n ? "+" : "", ran_name(h));
	return text;
}

_Static_assert(PLX_COVER_NATIVE == 1 << RAN_NATIVE && PLX_COVER_INLINED == 1 << RAN_INLINED && PLX_COVER_NEXUS == 1 << RAN_NEXUS &&
	       PLX_COVER_INTERPRETED == 1 << RAN_INTERPRETED, "enum ran and PLX_COVER_* go in the same order");

static uint64_t heat(const struct coverage_insn *insn)
{
	return insn->callouts + insn->interpreted;
}

/* Into the list of the hottest, most first; of equals the one that was met first stays. */
static void note_heat(struct coverage_report *c, uint32_t i)
{
	const struct coverage_insn *insns = c->all.insns;
	uint32_t at = c->nhottest;

	if (!heat(&insns[i]))
		return;
	while (at && heat(&insns[i]) > heat(&insns[c->hottest[at - 1]]))
		at--;
	if (at == COVERAGE_HOTTEST)
		return;
	if (c->nhottest < COVERAGE_HOTTEST)
		c->nhottest++;
	memmove(c->hottest + at + 1, c->hottest + at, (c->nhottest - at - 1) * sizeof(*c->hottest));
	c->hottest[at] = i;
}

static void add(struct ran_class *to, const struct coverage_insn *insn)
{
	to->insns++;
	to->bytes += insn->length;
	for (unsigned int h = 0; h < PLX_COVER_HOWS; h++)
		to->by[h] += insn->how >> h & 1;
	to->callouts += insn->callouts;
	to->interpreted += insn->interpreted;
	to->raised += insn->raised;
}

bool coverage_report_sum(struct coverage_report *c)
{
	c->hottest = calloc(COVERAGE_HOTTEST, sizeof(*c->hottest));
	if (!c->hottest || !coverage_index_make(&c->index, &c->all))
		return false;
	for (size_t i = 0; i < c->all.ninsns; i++) {
		const struct coverage_insn *insn = &c->all.insns[i];
		unsigned int klass;

		coverage_mnemonic(insn, &klass);
		add(&c->classes[klass], insn);
		add(&c->sum, insn);
		if (!insn->code32)
			add(&c->code16, insn);
		for (unsigned int cpl = 0; cpl < 4; cpl++)
			if (insn->cpls >> cpl & 1)
				add(&c->cpl[cpl], insn);
		note_heat(c, (uint32_t)i);
	}
	return true;
}

/* ---- beside the scan ---- */

struct taker {
	struct coverage_report *c;
	const struct file_result *file;
	const struct region_result *region;
	bool failed;
};

static void take_place(void *owner, const struct ran_place *place)
{
	struct taker *t = owner;
	struct coverage_report *c = t->c;

	if (c->nplaces == c->places_max)
		return;
	if (!(c->nplaces & (c->nplaces - 1))) {		/* a power of two, or none yet: the room is full */
		struct ran_file_place *grown = realloc(c->places, (c->nplaces ? 2 * c->nplaces : 1) * sizeof(*grown));

		if (!grown) {
			t->failed = true;
			return;
		}
		c->places = grown;
	}
	c->places[c->nplaces++] = (struct ran_file_place){ .file = t->file, .region = t->region, .place = *place };
}

static void add_region(struct coverage_report *c, const struct ran_region *r, const struct region_result *scanned)
{
	struct ran_region *s = &c->sums;

	c->code_bytes += scanned->nbytes - scanned->cover_bytes[COVER_DATA];
	for (unsigned int i = 0; i < COVER_NR; i++) {
		s->class_bytes[i] += r->class_bytes[i];
		s->class_insns[i] += r->class_insns[i];
	}
	for (unsigned int i = 0; i < RAN_NR; i++) {
		s->ran_bytes[i] += r->ran_bytes[i];
		s->ran_insns[i] += r->ran_insns[i];
	}
	for (unsigned int i = 0; i < PLX_COVER_HOWS; i++)
		s->how_insns[i] += r->how_insns[i];
	for (unsigned int i = 0; i < REWRITING_NR; i++)
		for (unsigned int j = 0; j < RAN_NR; j++)
			s->foreseen[i][j] += r->foreseen[i][j];
	s->relocated += r->relocated;
	for (unsigned int i = 0; i < DISAGREE_NR; i++)
		s->disagree[i] += r->disagree[i];
}

static bool match_image(struct coverage_report *c, size_t nr, const struct code_image *image, const struct scan_options *options,
			const uint64_t *base)
{
	const struct file_result *f = c->results[nr];

	for (uint32_t j = 0; j < f->nregions; j++) {
		struct taker t = { .c = c, .file = f, .region = &f->regions[j] };
		uint64_t at = base ? *base + image->regions[j].address - image->regions[0].address : 0;

		if (!coverage_match(&c->index, &image->regions[j], &options->sweep, base ? &at : NULL, f->regions[j].cell_shift,
				    &c->regions[nr][j], take_place, &t) || t.failed)
			return false;
		add_region(c, &c->regions[nr][j], &f->regions[j]);
	}
	return true;
}

static bool match_file(struct coverage_report *c, size_t nr, const struct scan_options *options, const uint64_t *base, char *why, size_t why_bytes)
{
	const struct file_result *f = c->results[nr];
	struct image_options how = options->image;
	struct code_image image;
	bool ok;

	c->regions[nr] = calloc(f->nregions + 1, sizeof(*c->regions[nr]));
	if (!c->regions[nr]) {
		snprintf(why, why_bytes, "there is not enough memory for the coverage of %s", f->path);
		return false;
	}
	if (!f->nregions)
		return true;
	how.named = f->named;
	image_open(&image, f->path, &how);
	ok = image.nregions == f->nregions;
	for (uint32_t j = 0; ok && j < f->nregions; j++)
		ok = image.regions[j].nbytes == f->regions[j].nbytes;
	if (!ok)
		snprintf(why, why_bytes, "%s: changed while it was scanned", f->path);
	else if (!match_image(c, nr, &image, options, base)) {
		snprintf(why, why_bytes, "there is not enough memory for the coverage of %s", f->path);
		ok = false;
	}
	image_free(&image);
	return ok;
}

bool coverage_report_match(struct coverage_report *c, const struct file_result *const *results, size_t nresults,
			   const struct scan_options *options, const uint64_t *base, size_t places_max, char *why, size_t why_bytes)
{
	c->places_max = places_max;
	c->results = results;
	c->regions = calloc(nresults + 1, sizeof(*c->regions));
	if (!c->regions) {
		snprintf(why, why_bytes, "there is not enough memory for the coverage of %zu files", nresults);
		return false;
	}
	for (; c->nresults < nresults; c->nresults++)
		if (!match_file(c, c->nresults, options, base, why, why_bytes)) {
			c->nresults++;			/* what it has is to be freed */
			return false;
		}
	for (size_t i = 0; i < c->all.ninsns; i++)
		if (!c->index.known[i]) {
			c->elsewhere_insns++;
			c->elsewhere_bytes += c->all.insns[i].length;
		}
	return true;
}

const struct ran_region *coverage_report_region(const struct coverage_report *c, size_t file, uint32_t region)
{
	return &c->regions[file][region];
}

void coverage_report_free(struct coverage_report *c)
{
	for (size_t i = 0; i < c->nresults; i++) {
		for (uint32_t j = 0; c->regions[i] && j < c->results[i]->nregions; j++)
			ran_region_free(&c->regions[i][j]);
		free(c->regions[i]);
	}
	free(c->regions);
	free(c->places);
	free(c->hottest);
	coverage_index_free(&c->index);
	coverage_free(&c->all);
	*c = (struct coverage_report){ 0 };
}
