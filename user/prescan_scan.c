/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_scan.c - counts what the sweep finds: bytes by class, instructions by row, the map, the findings.
 *
 * Asked by:  user/prescan_pool.c, from every thread. Asks: user/prescan_image.c, user/prescan_sweep.c.
 * Tested by: tests/unit/test_prescan_scan.c.
 */
#include <stdlib.h>
#include <string.h>

#include "user/prescan_scan.h"

#define CELLS_MAX	512u
#define CELL_SHIFT_MIN	4u
#define STOP_EVERY	0xffffu		/* instructions, a mask: how often a thread looks whether it is to stop */

struct tally {
	uint64_t insns, bytes;
	uint8_t klass;
};

struct scan {
	const struct scan_options *options;
	struct file_result *result;
	struct region_result *region;
	uint32_t region_nr, nsteps, findings_room;
	struct tally *tallies;		/* [row][32-bit?][rewriting] */
	uint32_t (*cells)[COVER_NR];
	bool failed;
};

static struct tally *tally_of(struct scan *s, uint32_t row, bool code32, unsigned int rewriting)
{
	return &s->tallies[(row * 2 + code32) * REWRITING_NR + rewriting];
}

/* A step may reach over several cells. */
static void into_cells(struct scan *s, uint64_t offset, uint32_t nbytes, unsigned int cover)
{
	unsigned int shift = s->region->cell_shift;

	while (nbytes) {
		uint64_t room = ((offset >> shift) + 1) * (1ull << shift) - offset;
		uint32_t n = nbytes < room ? nbytes : (uint32_t)room;

		s->cells[offset >> shift][cover] += n;
		offset += n;
		nbytes -= n;
	}
}

static void note_finding(struct scan *s, const struct step *step)
{
	struct file_result *r = s->result;
	struct finding *f;

	s->region->findings[step->finding]++;
	if (r->nfindings >= s->options->findings_max) {
		r->omitted++;
		return;
	}
	if (r->nfindings == s->findings_room) {
		uint32_t room = s->findings_room ? s->findings_room * 2 : 64;
		struct finding *grown = realloc(r->findings, room * sizeof(*grown));

		if (!grown) {
			s->failed = true;
			return;
		}
		r->findings = grown;
		s->findings_room = room;
	}
	f = &r->findings[r->nfindings++];
	*f = (struct finding){
		.address = step->address, .region = s->region_nr, .kind = (uint8_t)step->finding, .mode = step->mode,
		.nbytes = (uint8_t)(step->looked_at < PRESCAN_INSN_MAX ? step->looked_at : PRESCAN_INSN_MAX),
		.row = step->insn ? step->insn->id : 0,
	};
	memcpy(f->bytes, step->bytes, f->nbytes);
}

static bool take_step(void *owner, const struct step *step)
{
	struct scan *s = owner;
	struct region_result *r = s->region;

	r->cover_bytes[step->cover] += step->nbytes;
	r->cover_insns[step->cover]++;
	if (step->mode == 16)
		r->nbytes16 += step->nbytes;
	into_cells(s, step->address - r->address, step->nbytes, step->cover);
	if (step->insn) {
		struct tally *t = tally_of(s, step->insn->id, step->mode == 32, step->rewriting);

		t->insns++;
		t->bytes += step->nbytes;
		t->klass = step->insn->klass;
		r->leaves += step->rewriting >= REWRITING_FAR_JUMP;
	}
	if (step->finding >= 0)
		note_finding(s, step);
	if (!(++s->nsteps & STOP_EVERY) && s->options->stop && atomic_load(s->options->stop))
		s->failed = true;
	return !s->failed;
}

/* The cells as text (see struct region_result). */
static char *map_text(const struct scan *s, uint32_t ncells)
{
	size_t n = 0, room = (size_t)ncells * (COVER_NR * 12 + 1) + 1;
	uint64_t cell_bytes = 1ull << s->region->cell_shift;
	char *text = malloc(room), *kept;

	if (!text)
		return NULL;
	for (uint32_t i = 0; i < ncells; i++) {
		if (i)
			text[n++] = ' ';
		for (unsigned int c = 0; c < COVER_NR; c++) {
			if (!s->cells[i][c])
				continue;
			if (s->cells[i][c] == cell_bytes)
				text[n++] = (char)('a' + c);
			else
				n += (size_t)sprintf(text + n, "%c%u", 'a' + c, s->cells[i][c]);
		}
	}
	text[n] = '\0';
	kept = realloc(text, n + 1);
	return kept ? kept : text;
}

static bool scan_region(struct scan *s, const struct code_region *region)
{
	struct region_result *r = s->region;
	uint32_t ncells;

	r->name = strdup(region->name);
	r->address = region->address;
	r->nbytes = region->nbytes;
	r->guessed = region->guessed;
	r->cell_shift = CELL_SHIFT_MIN;
	while ((r->nbytes + (1ull << r->cell_shift) - 1) >> r->cell_shift > CELLS_MAX)
		r->cell_shift++;
	ncells = (uint32_t)((r->nbytes + (1ull << r->cell_shift) - 1) >> r->cell_shift);
	memset(s->cells, 0, CELLS_MAX * sizeof(*s->cells));
	if (!r->name || !sweep_region(region, &s->options->sweep, take_step, s))
		return false;
	r->map = map_text(s, ncells);
	return r->map != NULL;
}

static bool collect_counts(struct scan *s)
{
	struct file_result *r = s->result;
	uint32_t n = 0, rows = prescan_nr_rows();

	for (uint32_t i = 0; i < rows * 2 * REWRITING_NR; i++)
		n += s->tallies[i].insns != 0;
	r->counts = calloc(n + 1, sizeof(*r->counts));
	if (!r->counts)
		return false;
	for (uint32_t i = 0; i < rows * 2 * REWRITING_NR; i++)
		if (s->tallies[i].insns)
			r->counts[r->ncounts++] = (struct insn_count){
				.row = (uint16_t)(i / (2 * REWRITING_NR)), .mode = i / REWRITING_NR % 2 ? 32 : 16,
				.rewriting = (uint8_t)(i % REWRITING_NR), .klass = s->tallies[i].klass,
				.insns = s->tallies[i].insns, .bytes = s->tallies[i].bytes,
			};
	return true;
}

static bool scan_image(struct scan *s, const struct code_image *image)
{
	struct file_result *r = s->result;

	r->regions = calloc(image->nregions + 1, sizeof(*r->regions));
	s->tallies = calloc((size_t)prescan_nr_rows() * 2 * REWRITING_NR, sizeof(*s->tallies));
	s->cells = malloc(CELLS_MAX * sizeof(*s->cells));
	if (!r->regions || !s->tallies || !s->cells)
		return false;
	for (size_t i = 0; i < image->nregions; i++) {
		s->region = &r->regions[i];
		s->region_nr = (uint32_t)i;
		r->nregions++;
		if (!scan_region(s, &image->regions[i]))
			return false;
	}
	return collect_counts(s);
}

struct file_result *scan_file(const struct scan_file *file, const struct scan_options *options)
{
	struct scan s = { .options = options };
	struct image_options how = options->image;
	struct code_image image;
	bool done;

	s.result = calloc(1, sizeof(*s.result));
	if (!s.result)
		return NULL;
	how.named = file->named;
	s.result->verdict = (uint8_t)image_open(&image, file->path, &how);
	s.result->nbytes = file->nbytes;
	s.result->mtime_ns = file->mtime_ns;
	s.result->inode = file->inode;
	s.result->named = file->named;
	s.result->path = strdup(file->path);
	s.result->format = strdup(image.format);
	s.result->why = strdup(image.why);
	done = s.result->path && s.result->format && s.result->why && scan_image(&s, &image);
	image_free(&image);
	free(s.tallies);
	free(s.cells);
	if (done)
		return s.result;
	file_result_free(s.result);
	return NULL;
}
