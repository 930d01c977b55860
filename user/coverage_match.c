/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/coverage_match.c - see coverage_match.h.
 *
 * Asked by:  user/coverage_report.c. Asks: user/prescan_sweep.c. Tested by: tests/unit/test_coverage_match.c.
 */
#include <stdlib.h>
#include <string.h>

#include "user/coverage_match.h"

#define KEY_BYTES	5u		/* of an instruction that is to be told from others: calls and jumps have them, and each is nearly unique */
#define COMMON		8u		/* what stands at more places than these tells nothing */
#define BIASES_MAX	64u
#define VOTES_MAX	4096u		/* places that are counted at a time, a power of two */
#define VOTES_LEAST	3u
#define MOVES_MAX	9u		/* distances that a loader may have moved addresses by */
#define FRAMES_MAX	64u		/* frames that one linear page is followed through */

/* ---- words ---- */

static const struct {
	const char *name, *meaning;
} rans[RAN_NR] = {
	[RAN_NATIVE] = { "native", "as it stands, or as a relinked branch" },
	[RAN_INLINED] = { "inlined", "a sequence inside the fragment did the virtual work" },
	[RAN_NEXUS] = { "nexus", "called out to the monitor" },
	[RAN_INTERPRETED] = { "interpreted", "single-stepped, or done after a fault" },
	[RAN_OTHER_BYTES] = { "other bytes", "ran, but not with the file's bytes: patched" },
}, disagreements[DISAGREE_NR] = {
	[DISAGREE_BYTES] = { "other-bytes", "ran with other bytes than the file has: patched" },
	[DISAGREE_NOT_CODE] = { "not-code", "ran where the scan found no code" },
	[DISAGREE_INSIDE] = { "inside", "ran from inside what the scan took for one instruction" },
	[DISAGREE_MODE] = { "other-mode", "ran as code of the other mode, with another length" },
};

const char *ran_name(unsigned int ran)
{
	return ran < RAN_NR ? rans[ran].name : "(none)";
}

const char *ran_meaning(unsigned int ran)
{
	return ran < RAN_NR ? rans[ran].meaning : "(none)";
}

const char *disagreement_name(unsigned int kind)
{
	return kind < DISAGREE_NR ? disagreements[kind].name : "(none)";
}

const char *disagreement_meaning(unsigned int kind)
{
	return kind < DISAGREE_NR ? disagreements[kind].meaning : "(none)";
}

enum ran ran_of(unsigned int how)
{
	return how & PLX_COVER_INTERPRETED ? RAN_INTERPRETED : how & PLX_COVER_NEXUS ? RAN_NEXUS :
	       how & PLX_COVER_INLINED ? RAN_INLINED : RAN_NATIVE;
}

/* ---- the index ---- */

static uint32_t hash_of(const uint8_t *bytes)
{
	uint64_t key = 0;

	memcpy(&key, bytes, KEY_BYTES);
	key *= 0x9e3779b97f4a7c15u;
	return (uint32_t)(key >> 32);
}

bool coverage_index_make(struct coverage_index *index, const struct coverage *all)
{
	size_t size = 1024;

	while (size < all->ninsns)
		size *= 2;
	*index = (struct coverage_index){ .all = all, .mask = (uint32_t)size - 1 };
	index->head = calloc(size, sizeof(*index->head));
	index->next = calloc(all->ninsns + 1, sizeof(*index->next));
	index->known = calloc(all->ninsns + 1, 1);
	if (!index->head || !index->next || !index->known) {
		coverage_index_free(index);
		return false;
	}
	for (size_t i = 0; i < all->ninsns; i++) {
		uint32_t *head = &index->head[hash_of(all->insns[i].bytes) & index->mask];

		if (all->insns[i].length < KEY_BYTES)
			continue;
		index->next[i] = *head;
		*head = (uint32_t)i + 1;
	}
	return true;
}

void coverage_index_free(struct coverage_index *index)
{
	free(index->head);
	free(index->next);
	free(index->known);
	*index = (struct coverage_index){ 0 };
}

/* ---- where did the region stand? ---- */

struct vote {
	uint32_t bias, count;
};

static int by_count(const void *a, const void *b)
{
	const struct vote *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->bias < y->bias ? -1 : x->bias > y->bias;
}

static void vote_for(struct vote *votes, uint32_t bias)
{
	uint32_t at = (bias * 0x9e3779b1u) >> 20 & (VOTES_MAX - 1);

	for (unsigned int tries = 0; tries < 16; tries++, at = (at + 1) & (VOTES_MAX - 1)) {
		if (!votes[at].count)
			votes[at].bias = bias;
		if (votes[at].bias == bias) {
			votes[at].count++;
			return;
		}
	}
}

/* What ran with the bytes at this offset: one vote for each place. */
static void vote_at(const struct coverage_index *index, const struct code_region *region, uint32_t offset, struct vote *votes)
{
	const struct coverage_insn *insns = index->all->insns;
	uint32_t bias[COMMON], n = 0;

	for (uint32_t i = index->head[hash_of(region->bytes + offset) & index->mask]; i; i = index->next[i - 1]) {
		const struct coverage_insn *insn = &insns[i - 1];
		uint32_t b = insn->linear - (uint32_t)(region->address + offset), j = 0;

		if (insn->length > region->nbytes - offset || memcmp(insn->bytes, region->bytes + offset, insn->length))
			continue;
		while (j < n && bias[j] != b)
			j++;
		if (j < n)
			continue;
		if (n == COMMON)
			return;
		bias[n++] = b;
	}
	for (uint32_t i = 0; i < n; i++)
		vote_for(votes, bias[i]);
}

/* Candidates, the file's own address first. */
static uint32_t find_biases(const struct coverage_index *index, const struct code_region *region, uint32_t *biases)
{
	struct vote *votes = calloc(VOTES_MAX, sizeof(*votes));
	uint32_t n = 0;

	biases[n++] = 0;
	if (!votes)
		return 0;
	for (uint32_t at = 0; at + KEY_BYTES <= region->nbytes; at++)
		vote_at(index, region, at, votes);
	qsort(votes, VOTES_MAX, sizeof(*votes), by_count);
	for (unsigned int i = 0; i < VOTES_MAX && n < BIASES_MAX; i++) {
		if (votes[i].count < VOTES_LEAST || votes[i].count < votes[0].count / 100)
			break;
		if (votes[i].bias)
			biases[n++] = votes[i].bias;
	}
	free(votes);
	return n;
}

/* ---- what ran there ---- */

/* By offset into the region. */
struct seen {
	uint8_t how;		/* PLX_COVER_*: an instruction with the file's bytes began here */
	uint8_t length, code32, relocated;
	uint32_t same, other;	/* that one, and one with other bytes; numbers + 1 */
};

struct match {
	struct coverage_index *index;
	const struct code_region *region;
	struct seen *seen;
	uint32_t moved[MOVES_MAX], nmoved;	/* as far as a loader may have moved addresses in it */
	uint32_t to_physical;	/* of what was noted last: physical less linear address */
	struct ran_region *to;
	unsigned int cell_shift;
	uint32_t (*cells)[RAN_NR];
	void (*take)(void *owner, const struct ran_place *place);
	void *owner;
};

static bool same_bytes(const struct code_region *r, uint32_t offset, const struct coverage_insn *insn)
{
	return insn->length <= r->nbytes - offset && !memcmp(r->bytes + offset, insn->bytes, insn->length);
}

/* Bytes that differ are a 32-bit address or displacement, and differ by as much as the loader moved the region; in what was not linked yet, by anything. */
static bool moved_bytes(const struct match *m, uint32_t offset, const struct coverage_insn *insn)
{
	const struct code_region *r = m->region;
	struct prescan_insn decoded;
	uint8_t bytes[15];

	if (!(m->nmoved || r->unlinked) || insn->length > r->nbytes - offset ||
	    prescan_decode(insn->bytes, insn->length, insn->code32 ? PRESCAN_MODE_32 : PRESCAN_MODE_16, &decoded) != PRESCAN_OK)
		return false;
	memcpy(bytes, r->bytes + offset, insn->length);
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int at = i ? decoded.imm_off : decoded.disp_off, size = i ? decoded.imm_size : decoded.disp_size;
		uint32_t ran, file;

		if (size != 4)
			continue;
		memcpy(&ran, insn->bytes + at, 4);
		memcpy(&file, bytes + at, 4);
		if (r->unlinked)
			memcpy(bytes + at, &ran, 4);
		for (uint32_t k = 0; k < m->nmoved; k++)
			if (ran - file == m->moved[k] || file - ran == m->moved[k])
				memcpy(bytes + at, &ran, 4);
	}
	return !memcmp(bytes, insn->bytes, insn->length);
}

static bool is_here(const struct match *m, uint32_t offset, const struct coverage_insn *insn)
{
	return same_bytes(m->region, offset, insn) || moved_bytes(m, offset, insn);
}

static size_t first_at(const struct coverage *all, uint64_t linear)
{
	size_t low = 0, high = all->ninsns;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (all->insns[mid].linear < linear)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct frame {
	uint32_t gfn, same, other;
};

/* The frames that this linear page was mapped to, with how much of what ran there is the region's. */
static uint32_t page_frames(const struct match *m, size_t from, size_t to, uint32_t base, struct frame *frames)
{
	const struct coverage_insn *insns = m->index->all->insns;
	uint32_t n = 0;

	for (size_t i = from; i < to; i++) {
		uint32_t gfn = insns[i].gpa >> PLX_PAGE_SHIFT, f = 0;

		while (f < n && frames[f].gfn != gfn)
			f++;
		if (f == n) {
			if (n == FRAMES_MAX)
				continue;
			frames[n++] = (struct frame){ .gfn = gfn };
		}
		if (is_here(m, insns[i].linear - base, &insns[i]))
			frames[f].same++;
		else
			frames[f].other++;
	}
	return n;
}

static void note(struct match *m, size_t i, uint32_t offset)
{
	const struct coverage_insn *insn = &m->index->all->insns[i];
	struct seen *s = &m->seen[offset];

	m->index->known[i] = 1;
	if (!is_here(m, offset, insn)) {
		s->other = (uint32_t)i + 1;
		return;
	}
	s->relocated = !same_bytes(m->region, offset, insn);
	m->to_physical = insn->gpa - insn->linear;
	s->how |= insn->how;
	s->same = (uint32_t)i + 1;
	s->length = insn->length;
	s->code32 = insn->code32;
}

/* Return: whether anything of the region ran at @base. @well: most of what ran here is the region's, so what was patched is believed, too. */
static bool note_at(struct match *m, uint32_t base, bool well, bool dry, uint64_t *same, uint64_t *all_there)
{
	const struct coverage *all = m->index->all;
	uint64_t end = plx_min64((uint64_t)base + m->region->nbytes, 1ull << 32);
	size_t i = first_at(all, base), stop;
	struct frame frames[FRAMES_MAX];
	bool any = false;

	for (; i < all->ninsns && all->insns[i].linear < end; i = stop) {
		uint32_t page = all->insns[i].linear >> PLX_PAGE_SHIFT, n;

		for (stop = i; stop < all->ninsns && all->insns[stop].linear < end && all->insns[stop].linear >> PLX_PAGE_SHIFT == page;)
			stop++;
		n = page_frames(m, i, stop, base, frames);
		for (uint32_t f = 0; f < n; f++) {
			bool is = frames[f].same >= frames[f].other && frames[f].same;

			*same += is ? frames[f].same : 0;
			*all_there += frames[f].same + frames[f].other;
			if (dry || (!is && !(well && n == 1)))
				continue;
			any = true;
			for (size_t k = i; k < stop; k++)
				if (all->insns[k].gpa >> PLX_PAGE_SHIFT == frames[f].gfn)
					note(m, k, all->insns[k].linear - base);
		}
	}
	return any;
}

static bool try_bias(struct match *m, uint32_t bias)
{
	uint32_t base = (uint32_t)m->region->address + bias;
	uint64_t same = 0, all = 0, unused = 0;

	note_at(m, base, false, true, &same, &all);
	/* A few instructions alike are chance. Where the file says that it stands, they are not. */
	if (!same || (bias && same < 2 * VOTES_LEAST))
		return false;
	if (!note_at(m, base, same * 4 >= all * 3, false, &unused, &unused))
		return false;
	if (m->to->nbiases < PLX_ARRAY_SIZE(m->to->biases))
		m->to->biases[m->to->nbiases] = bias;
	m->to->nbiases++;
	return true;
}

/*
 * What was linked for one of the places stands moved at the others: a kernel that was moved before paging was on, a ROM that moves a copy of
 * itself up in memory.
 */
static void set_moves(struct match *m, const uint32_t *biases, uint32_t nbiases, uint32_t i)
{
	m->nmoved = 0;
	for (uint32_t j = 0; j < nbiases && m->nmoved < MOVES_MAX; j++)
		if (biases[j] != biases[i])
			m->moved[m->nmoved++] = biases[i] - biases[j];
}

/* All places; and for each, what ran there before paging was on, where linear addresses are physical ones. */
static void try_biases(struct match *m, const uint32_t *biases, uint32_t nbiases)
{
	uint32_t tried[2 * BIASES_MAX], ntried = nbiases;

	memcpy(tried, biases, nbiases * sizeof(*tried));
	for (uint32_t i = 0; i < nbiases; i++) {
		uint32_t physical, j = 0;

		set_moves(m, biases, nbiases, i);
		if (!try_bias(m, biases[i]))
			continue;
		physical = biases[i] + m->to_physical;
		while (j < ntried && tried[j] != physical)
			j++;
		if (j < ntried)
			continue;
		tried[ntried++] = physical;
		try_bias(m, physical);
	}
}

/* ---- against the scan ---- */

static void into_cells(struct match *m, uint64_t offset, uint32_t nbytes, unsigned int ran)
{
	while (nbytes) {
		uint64_t room = ((offset >> m->cell_shift) + 1) * (1ull << m->cell_shift) - offset;
		uint32_t n = nbytes < room ? nbytes : (uint32_t)room;

		m->cells[offset >> m->cell_shift][ran] += n;
		offset += n;
		nbytes -= n;
	}
}

static void disagree(struct match *m, const struct step *step, uint32_t offset, uint32_t insn, enum disagreement kind)
{
	struct ran_place place = {
		.address = m->region->address + offset, .insn = insn - 1, .kind = kind, .cover = step->cover, .mode = step->mode,
		.nbytes = (uint8_t)plx_min32(m->index->all->insns[insn - 1].length, m->region->nbytes - offset),
	};

	memcpy(place.bytes, m->region->bytes + offset, place.nbytes);
	m->to->disagree[kind]++;
	if (m->take)
		m->take(m->owner, &place);
}

static void count_ran(struct match *m, const struct step *step, uint32_t offset, unsigned int how, enum ran ran)
{
	struct ran_region *r = m->to;

	r->class_bytes[step->cover] += step->nbytes;
	r->class_insns[step->cover]++;
	r->ran_bytes[ran] += step->nbytes;
	r->ran_insns[ran]++;
	r->relocated += m->seen[offset].relocated && ran != RAN_OTHER_BYTES;
	for (unsigned int h = 0; h < PLX_COVER_HOWS; h++)
		r->how_insns[h] += how >> h & 1;
	if (step->insn)
		r->foreseen[step->rewriting][ran]++;
	into_cells(m, offset, step->nbytes, ran);
}

static bool take_step(void *owner, const struct step *step)
{
	struct match *m = owner;
	uint32_t at = (uint32_t)(step->address - m->region->address);
	const struct seen *s = &m->seen[at];
	bool code = step->insn != NULL;

	if (code && s->how && s->length == step->nbytes)
		count_ran(m, step, at, s->how, ran_of(s->how));
	else if (code && s->how)
		disagree(m, step, at, s->same, DISAGREE_MODE);
	else if (code && s->other)
		count_ran(m, step, at, 0, RAN_OTHER_BYTES);
	if (code && s->other)
		disagree(m, step, at, s->other, DISAGREE_BYTES);
	for (uint32_t i = code; i < step->nbytes; i++) {
		const struct seen *in = &m->seen[at + i];
		uint32_t insn = in->how ? in->same : in->other;

		if (!insn)
			continue;
		disagree(m, step, at + i, insn, !code ? DISAGREE_NOT_CODE : in->how ? DISAGREE_INSIDE : DISAGREE_BYTES);
		into_cells(m, at + i, plx_min32(m->index->all->insns[insn - 1].length, step->nbytes - i), in->how ? ran_of(in->how) : RAN_OTHER_BYTES);
	}
	return true;
}

/* The cells as text (see struct region_result); "." stands for a cell of which nothing ran. */
static char *map_text(const struct match *m, uint32_t ncells)
{
	char *text = malloc((size_t)ncells * (RAN_NR * 12 + 2) + 1), *kept;
	uint64_t cell_bytes = 1ull << m->cell_shift;
	size_t n = 0;

	if (!text)
		return NULL;
	for (uint32_t i = 0; i < ncells; i++) {
		size_t before;

		if (i)
			text[n++] = ' ';
		before = n;
		for (unsigned int r = 0; r < RAN_NR; r++) {
			if (!m->cells[i][r])
				continue;
			if (m->cells[i][r] == cell_bytes)
				text[n++] = (char)('a' + r);
			else
				n += (size_t)sprintf(text + n, "%c%u", 'a' + r, m->cells[i][r]);
		}
		if (n == before)
			text[n++] = '.';
	}
	text[n] = '\0';
	kept = realloc(text, n + 1);
	return kept ? kept : text;
}

bool coverage_match(struct coverage_index *index, const struct code_region *region, const struct sweep_mode *mode, const uint64_t *base,
		    unsigned int cell_shift, struct ran_region *to, void (*take)(void *owner, const struct ran_place *place), void *owner)
{
	uint32_t ncells = (uint32_t)((region->nbytes + (1ull << cell_shift) - 1) >> cell_shift), biases[BIASES_MAX], nbiases = 1;
	struct match m = { .index = index, .region = region, .to = to, .cell_shift = cell_shift, .take = take, .owner = owner };

	*to = (struct ran_region){ 0 };
	m.seen = calloc(region->nbytes + 1, sizeof(*m.seen));
	m.cells = calloc(ncells + 1, sizeof(*m.cells));
	if (base)
		biases[0] = (uint32_t)(*base - region->address);
	else
		nbiases = find_biases(index, region, biases);
	if (m.seen && m.cells && nbiases) {
		try_biases(&m, biases, nbiases);
		if (to->nbiases)
			sweep_region(region, mode, take_step, &m);
		to->map = map_text(&m, ncells);
	}
	free(m.seen);
	free(m.cells);
	return to->map != NULL;
}

void ran_region_free(struct ran_region *region)
{
	free(region->map);
	region->map = NULL;
}
