/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/tables.c - editing one tree of page tables, and the monitor's part of all of them.
 *
 *      tables_map --> edit_make_map --> [ edit_count --> tables_find_room ]* --> edit_commit
 *                       arguments         state, errors     pages                 no errors
 *
 * An edit is taken apart into pieces, each under one entry of a PD: there a piece is nothing, a 2 MiB leaf, or a table of 4 KiB leaves, and
 * all the cases are in two places, count_piece and commit_piece. They must agree about how many tables are made.
 *
 * Asked by:  the module and the monitor, by way of host-module/tables.h; pairs.c.
 * Read next: pairs.c.
 */
#include "host-module/tables_inside.h"

/* ---- what to invalidate ----------------------------------------------------------------------------------------------------- */

void tables_inv_all(struct tables_inv *inv)
{
	inv->kind = TABLES_INV_ALL;
	inv->npages = 0;
	inv->va = 0;
}

/* One range only: two become the one that holds both, while that is small. By page numbers, for the last page of all ends at 2^64. */
void tables_inv_pages(struct tables_inv *inv, uint64_t va, uint64_t npages)
{
	uint64_t first = va >> PLX_PAGE_SHIFT, end = first + npages;

	if (inv->kind == TABLES_INV_ALL)
		return;
	if (inv->kind == TABLES_INV_PAGES) {
		uint64_t old = inv->va >> PLX_PAGE_SHIFT;

		if (old < first)
			first = old;
		if (old + inv->npages > end)
			end = old + inv->npages;
	}
	if (end - first > TABLES_INV_MAX_PAGES) {
		tables_inv_all(inv);
		return;
	}
	inv->kind = TABLES_INV_PAGES;
	inv->va = first << PLX_PAGE_SHIFT;
	inv->npages = (uint32_t)(end - first);
}

/* ---- arguments -------------------------------------------------------------------------------------------------------------- */

int edit_make(const struct tables *t, struct edit *edit, enum edit_kind kind, uint64_t va, uint64_t nbytes)
{
	(void)t;
	if ((va | nbytes) % PLX_PAGE_SIZE || !nbytes || va + (nbytes - 1) < va)
		return -PLX_EINVAL;
	memset(edit, 0, sizeof(*edit));
	edit->kind = kind;
	edit->va = va;
	edit->last = va + (nbytes - 1);
	return 0;
}

/* NX where there is none is a reserved bit. */
static uint64_t known_rights(const struct tables *t, uint64_t flags)
{
	return flags & (TABLES_RIGHTS | ENTRY_AD) & ~(t->state->config.nx ? 0 : TABLES_NX);
}

int edit_make_map(const struct tables *t, struct edit *edit, uint64_t va, uint64_t phys, uint64_t nbytes, uint64_t flags,
		  uint64_t allowed)
{
	int err = edit_make(t, edit, EDIT_MAP, va, nbytes);

	if (err)
		return err;
	if (phys % PLX_PAGE_SIZE || phys + (nbytes - 1) < phys || (phys + (nbytes - 1)) >> t->state->config.phys_bits ||
	    flags & ~(allowed | ENTRY_AD | TABLES_LARGE | TABLES_CREATE | TABLES_OVERWRITE))
		return -PLX_EINVAL;
	edit->phys = phys;
	edit->leaf = known_rights(t, flags);
	edit->large = flags & TABLES_LARGE;
	edit->create = flags & TABLES_CREATE;
	edit->overwrite = flags & TABLES_OVERWRITE;
	return 0;
}

int edit_make_protect(const struct tables *t, struct edit *edit, uint64_t va, uint64_t nbytes, uint64_t mask, uint64_t flags,
		      uint64_t allowed)
{
	int err = edit_make(t, edit, EDIT_PROTECT, va, nbytes);

	if (err)
		return err;
	if ((mask | flags) & ~(allowed | ENTRY_AD))
		return -PLX_EINVAL;
	edit->mask = known_rights(t, mask);
	edit->leaf = known_rights(t, flags) & edit->mask;
	return 0;
}

/* ---- pieces ----------------------------------------------------------------------------------------------------------------- */

void edit_piece(const struct tables *t, struct start start, const struct edit *edit, uint64_t at, struct piece *piece)
{
	uint64_t span = LARGE_BYTES, entry;

	piece->va = at;
	piece->ref = start.ref;
	piece->pde = 0;
	for (piece->level = start.level; piece->level > 2; piece->level--) {
		entry = *table_entry(t, piece->ref, piece->level, at);
		if (!entry)
			break;
		piece->ref = entry_ref(entry);
	}
	if (piece->level == 2)
		piece->pde = *table_entry(t, piece->ref, 2, at);
	else if (edit->kind == EDIT_UNMAP)
		span = 1ull << table_shift(piece->level);

	piece->last = at | (span - 1);
	if (piece->last > edit->last)
		piece->last = edit->last;
	piece->whole = at % LARGE_BYTES == 0 && piece->last - at >= LARGE_BYTES - 1;
	piece->phys = edit->phys + (at - edit->va);
	piece->to_large = edit->kind == EDIT_MAP && edit->large && piece->whole && piece->phys % LARGE_BYTES == 0;
}

/* The tables of levels @from down to @to are missing for @va. One of level l serves all of va >> table_shift(l + 1). */
void tally_missing(struct tally *tally, uint64_t va, int from, int to)
{
	for (int level = from; level >= to; level--) {
		uint64_t which = (va >> table_shift(level + 1)) + 1;

		if (tally->last[level] != which)
			tally->need++;
		tally->last[level] = which;
	}
}

static uint64_t protected_leaf(const struct edit *edit, uint64_t leaf)
{
	return (leaf & ~edit->mask) | edit->leaf;
}

/* Is any (@present) or is no (!@present) 4 KiB leaf there, of those of the piece? */
static bool any_leaf(const struct tables *t, const struct piece *piece, bool present)
{
	const uint64_t *pt = table_page(&t->pages, entry_ref(piece->pde));

	for (unsigned int i = pt_index(piece->va); i <= pt_index(piece->last); i++)
		if (!!pt[i] == present)
			return true;
	return false;
}

static int count_piece(const struct tables *t, const struct edit *edit, const struct piece *piece, struct tally *tally)
{
	bool is_large = piece->pde & ENTRY_LARGE, is_table = entry_is_table(piece->pde, 2);

	switch (edit->kind) {
	case EDIT_MAP:
		if (is_large && !edit->overwrite)
			return -PLX_EEXIST;
		if (is_table && !edit->overwrite && any_leaf(t, piece, true))
			return -PLX_EEXIST;
		if (!piece->pde && !edit->create && (piece->level > 2 || !piece->to_large))
			return -PLX_ENOENT;
		if (piece->to_large)
			tally_missing(tally, piece->va, piece->level - 1, 2);
		else if (!is_table)
			tally_missing(tally, piece->va, piece->level - 1, 1);
		return 0;
	case EDIT_UNMAP:
		if (is_large && !piece->whole)
			tally_missing(tally, piece->va, 1, 1);
		return 0;
	case EDIT_PROTECT:
		if (!piece->pde || (is_table && any_leaf(t, piece, false)))
			return -PLX_ENOENT;
		if (is_large && !piece->whole && protected_leaf(edit, piece->pde) != piece->pde)
			tally_missing(tally, piece->va, 1, 1);
		return 0;
	}
	return -PLX_EINVAL;
}

int edit_count(const struct tables *t, struct start start, const struct edit *edit, struct tally *tally)
{
	struct piece piece;
	uint64_t at = edit->va;
	int err;

	for (;;) {
		edit_piece(t, start, edit, at, &piece);
		err = count_piece(t, edit, &piece, tally);
		if (err || piece.last == edit->last)
			return err;
		at = piece.last + 1;
	}
}

/* ---- commit ----------------------------------------------------------------------------------------------------------------- */

static table_ref make_table(struct tables *t)
{
	t->state->count.tables_made++;
	return table_page_alloc(&t->pages, false);
}

/* The template's entry @index in one of the tables that pairs have copies of: give it to them. It was empty before. */
static void spread(struct tables *t, table_ref ref, unsigned int index, uint64_t entry)
{
	struct tables_state *s = t->state;
	table_ref copy;

	if (ref != s->top && ref != s->pml4 && ref != s->pdpt)
		return;
	s->count.spreads++;
	for (uint32_t i = 0; i < TABLES_MAX_PAIRS; i++) {
		if (!tables_pair_used(t, i))
			continue;
		for (int view = 0; view < 2; view++) {
			if (ref == s->top)
				copy = s->pair[i].top[view];
			else if (ref == s->pdpt)
				copy = s->pair[i].pdpt[view];
			else
				copy = entry_ref(table_page(&t->pages, s->pair[i].top[view])[0]);
			entry_set(&table_page(&t->pages, copy)[index], entry);
		}
	}
}

void edit_descend(struct tables *t, struct piece *piece, int to)
{
	while (piece->level > to) {
		table_ref new = make_table(t);
		uint64_t entry = entry_to(t, new), *at = table_entry(t, piece->ref, piece->level, piece->va);

		entry_set(at, entry);
		spread(t, piece->ref, (unsigned int)(piece->va >> table_shift(piece->level) & (TABLE_SLOTS - 1)), entry);
		piece->ref = new;
		piece->level--;
	}
}

table_ref edit_split(struct tables *t, uint64_t pde)
{
	table_ref ref = make_table(t);
	uint64_t *pt = table_page(&t->pages, ref), leaf = pde & ~ENTRY_LARGE;

	for (unsigned int i = 0; i < TABLE_SLOTS; i++)
		pt[i] = leaf + (uint64_t)i * PLX_PAGE_SIZE;
	t->state->count.splits++;
	return ref;
}

static uint64_t new_leaf(const struct tables *t, const struct edit *edit, uint64_t old, uint64_t phys)
{
	switch (edit->kind) {
	case EDIT_MAP:
		return phys | t->state->config.sme_mask | edit->leaf | ENTRY_P;
	case EDIT_PROTECT:
		return protected_leaf(edit, old);
	default:
		return 0;
	}
}

/* The 4 KiB leaves of the piece, in @pt, which may or may not be linked. */
static void commit_leaves(struct tables *t, const struct edit *edit, const struct piece *piece, uint64_t *pt,
			  struct tables_inv *inv)
{
	uint64_t va = piece->va, phys = piece->phys;

	for (unsigned int i = pt_index(piece->va); i <= pt_index(piece->last); i++) {
		uint64_t leaf = new_leaf(t, edit, pt[i], phys);

		if (leaf != pt[i]) {
			if (pt[i])
				tables_inv_pages(inv, va, 1);
			entry_set(&pt[i], leaf);
			t->state->count.leaves_written++;
		}
		va += PLX_PAGE_SIZE;
		phys += PLX_PAGE_SIZE;
	}
}

/* The whole entry of the PD becomes @pde: a 2 MiB leaf, or nothing. */
static void commit_large(struct tables *t, struct piece *piece, uint64_t pde, struct tables_inv *inv)
{
	if (pde == piece->pde)
		return;
	if (piece->pde)
		tables_inv_all(inv);
	if (entry_is_table(piece->pde, 2))
		t->state->garbage = true;
	entry_set(table_entry(t, piece->ref, 2, piece->va), pde);
	t->state->count.leaves_written++;
}

static void commit_piece(struct tables *t, const struct edit *edit, struct piece *piece, struct tables_inv *inv)
{
	bool is_large = piece->pde & ENTRY_LARGE;
	table_ref split;

	if (piece->level > 2 && edit->kind != EDIT_MAP)
		return;
	if (edit->kind == EDIT_MAP)
		edit_descend(t, piece, 2);
	if (piece->to_large || (piece->whole && edit->kind == EDIT_UNMAP) || (piece->whole && is_large && edit->kind == EDIT_PROTECT)) {
		uint64_t pde = new_leaf(t, edit, piece->pde, piece->phys);

		commit_large(t, piece, pde ? pde | ENTRY_LARGE : 0, inv);
		return;
	}
	if (is_large) {
		if (edit->kind == EDIT_PROTECT && protected_leaf(edit, piece->pde) == piece->pde)
			return;
		/* Built beside, then linked: the pages around those that change are never missing. */
		split = edit_split(t, piece->pde);
		tables_inv_all(inv);
		commit_leaves(t, edit, piece, table_page(&t->pages, split), inv);
		entry_set(table_entry(t, piece->ref, 2, piece->va), entry_to(t, split));
		return;
	}
	if (!piece->pde) {
		if (edit->kind != EDIT_MAP)
			return;
		edit_descend(t, piece, 1);
		commit_leaves(t, edit, piece, table_page(&t->pages, piece->ref), inv);
		return;
	}
	commit_leaves(t, edit, piece, table_page(&t->pages, entry_ref(piece->pde)), inv);
}

void edit_commit(struct tables *t, struct start start, const struct edit *edit, struct tables_inv *inv)
{
	struct piece piece;
	uint64_t at = edit->va;

	for (;;) {
		edit_piece(t, start, edit, at, &piece);
		commit_piece(t, edit, &piece, inv);
		if (piece.last == edit->last)
			return;
		at = piece.last + 1;
	}
}

/* ---- room ------------------------------------------------------------------------------------------------------------------- */

/*
 * Cheapest first: garbage, if any; then the host's pages; then tables that map nothing. When little is left after collecting, more is
 * asked for at once: else, close to the brim, every few calls would collect again.
 */
bool tables_find_room(struct tables *t, uint32_t need, unsigned int step, struct tables_inv *inv)
{
	uint32_t reserve;

	switch (step) {
	case 0:
		if (t->state->garbage) {
			tables_collect(t, inv);
			reserve = t->pages.state->nlive * TABLE_SLOTS / 8;
			if (t->pages.state->nfree < need + reserve)
				table_pages_want(&t->pages, need + reserve);
		}
		return true;
	case 1:
		table_pages_want(&t->pages, need);
		return true;
	case 2:
		tables_prune(t, inv);
		return true;
	default:
		t->state->count.no_memory++;
		return false;
	}
}

/* ---- the monitor's part ----------------------------------------------------------------------------------------------------- */

static bool canonical(const struct tables *t, uint64_t va)
{
	uint64_t top = va >> (table_shift(t->state->config.levels + 1) - 1);

	return !top || top == ~0ull >> (table_shift(t->state->config.levels + 1) - 1);
}

static int monitor_edit(struct tables *t, const struct edit *edit, struct tables_inv *inv)
{
	struct start start = { t->state->top, t->state->config.levels };
	struct tables_inv mine = { .kind = TABLES_INV_NONE };

	/* Both ends canonical, on the same side of the hole. */
	if (edit->va < TABLES_LOW_BYTES || !canonical(t, edit->va) || !canonical(t, edit->last) || (edit->va ^ edit->last) >> 63)
		return -PLX_EINVAL;
	for (unsigned int step = 0;; step++) {
		struct tally tally = { 0 };
		int err = edit_count(t, start, edit, &tally);

		if (err)
			return err;
		if (tally.need <= t->pages.state->nfree)
			break;
		if (!tables_find_room(t, tally.need, step, inv))
			return -PLX_ENOMEM;
	}
	edit_commit(t, start, edit, &mine);
	if (mine.kind == TABLES_INV_PAGES)
		tables_inv_pages(inv, mine.va, mine.npages);
	else if (mine.kind == TABLES_INV_ALL)
		tables_inv_all(inv);
	if (mine.kind != TABLES_INV_NONE)
		inv->every_root = true;
	return 0;
}

#define MONITOR_RIGHTS (TABLES_RIGHTS & ~(TABLES_BOTH | TABLES_USER_RO))

int tables_map(struct tables *t, uint64_t va, uint64_t phys, uint64_t nbytes, uint64_t flags, struct tables_inv *inv)
{
	struct edit edit;
	int err = edit_make_map(t, &edit, va, phys, nbytes, flags, MONITOR_RIGHTS);

	if (!err)
		err = monitor_edit(t, &edit, inv);
	if (!err)
		t->state->count.maps++;
	return err;
}

int tables_unmap(struct tables *t, uint64_t va, uint64_t nbytes, struct tables_inv *inv)
{
	struct edit edit;
	int err = edit_make(t, &edit, EDIT_UNMAP, va, nbytes);

	if (!err)
		err = monitor_edit(t, &edit, inv);
	if (!err)
		t->state->count.unmaps++;
	return err;
}

int tables_protect(struct tables *t, uint64_t va, uint64_t nbytes, uint64_t mask, uint64_t flags, struct tables_inv *inv)
{
	struct edit edit;
	int err = edit_make_protect(t, &edit, va, nbytes, mask, flags, MONITOR_RIGHTS);

	if (!err)
		err = monitor_edit(t, &edit, inv);
	if (!err)
		t->state->count.protects++;
	return err;
}

int tables_init(struct tables *t, struct tables_state *state, const struct tables_config *config)
{
	uint32_t need = config->levels - 2u;

	if (config->levels < 4 || config->levels > 5 || config->phys_bits < 32 || config->phys_bits > 52 ||
	    config->sme_mask >> 52 || config->sme_mask % PLX_PAGE_SIZE)
		return -PLX_EINVAL;
	if (!table_pages_want(&t->pages, need))
		return -PLX_ENOMEM;
	t->state = state;
	memset(state, 0, sizeof(*state));
	state->config = *config;
	/* The encryption bit is no address bit. */
	if (config->sme_mask && (unsigned int)__builtin_ctzll(config->sme_mask) < config->phys_bits)
		state->config.phys_bits = (uint8_t)__builtin_ctzll(config->sme_mask);
	state->address_mask = ((1ull << 52) - PLX_PAGE_SIZE) & ~config->sme_mask;
	state->top = state->pml4 = make_table(t);
	if (config->levels == 5) {
		state->pml4 = make_table(t);
		table_page(&t->pages, state->top)[0] = entry_to(t, state->pml4);
	}
	state->pdpt = make_table(t);
	table_page(&t->pages, state->pml4)[0] = entry_to(t, state->pdpt);
	return 0;
}

/* ---- looking ---------------------------------------------------------------------------------------------------------------- */

static table_ref root_of(const struct tables *t, uint32_t root)
{
	if (root == TABLES_TEMPLATE)
		return t->state->top;
	if (!tables_pair_used(t, (root - 1) / 2))
		return TABLE_NONE;
	return t->state->pair[(root - 1) / 2].top[(root - 1) % 2];
}

uint64_t tables_root(const struct tables *t, uint32_t root)
{
	table_ref ref = root_of(t, root);

	return ref == TABLE_NONE ? 0 : table_page_phys(&t->pages, ref) | t->state->config.sme_mask;
}

int tables_lookup(const struct tables *t, uint32_t root, uint64_t va, uint64_t *phys, uint64_t *flags)
{
	table_ref ref = root_of(t, root);
	int level = t->state->config.levels;
	uint64_t entry, within;

	if (ref == TABLE_NONE || !canonical(t, va))
		return -PLX_EINVAL;
	while (entry_is_table(entry = *table_entry(t, ref, level, va), level)) {
		ref = entry_ref(entry);
		level--;
	}
	if (!entry)
		return -PLX_ENOENT;
	within = (1ull << table_shift(level)) - 1;
	if (phys)
		*phys = (entry & t->state->address_mask & ~within) | (va & within);
	if (flags)
		*flags = (entry & (TABLES_RIGHTS | ENTRY_AD)) | (level == 2 ? TABLES_LARGE : 0);
	return 0;
}
