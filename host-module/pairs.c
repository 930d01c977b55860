/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/pairs.c - the guest's part of the page tables: two views kept as one.
 *
 * Every edit is made in the supervisor view; then the user view is made its image over the same range (mirror_piece). The image needs
 * tables too, and they are counted before the first change: mirror_count never counts less than mirror_piece makes, and now and then
 * one more. A leaf of the user view follows from the supervisor view's alone:
 *
 *      no TABLES_BOTH          nothing
 *      TABLES_BOTH             the same, less W if TABLES_USER_RO, less our two bits
 *
 * only A and D are each view's own, for the processor sets them.
 */
#include "host-module/tables_inside.h"

static struct start view_start(const struct tables *t, uint32_t pair, int view)
{
	return (struct start){ t->state->pair[pair].pdpt[view], 3 };
}

/* Will the edit show anything in the user view that it may not show yet? */
static bool shows(const struct edit *edit)
{
	return edit->kind != EDIT_UNMAP && edit->leaf & TABLES_BOTH;
}

/* While unmapping, the two views' pieces may differ in length, by the holes that they are in. The image's counts: where it has a hole,
 * the source shows nothing. */
static void mirror_count(const struct tables *t, uint32_t pair, const struct edit *edit, struct tally *tally)
{
	struct start from = view_start(t, pair, 0), to = view_start(t, pair, 1);
	struct piece source, image;
	uint64_t at = edit->va;

	for (;;) {
		bool stays_large;

		edit_piece(t, to, edit, at, &image);
		edit_piece(t, from, edit, at, &source);
		stays_large = image.to_large || (image.whole && edit->kind != EDIT_MAP && source.pde & ENTRY_LARGE) ||
			(image.whole && edit->kind == EDIT_UNMAP);
		if (!image.pde) {
			if (shows(edit))
				tally_missing(tally, at, image.level - 1, stays_large ? 2 : 1);
		} else if (image.pde & ENTRY_LARGE && !stays_large) {
			tally_missing(tally, at, 1, 1);
		}
		if (image.last == edit->last)
			return;
		at = image.last + 1;
	}
}

/* @old: the user view's leaf now, 0 if none. */
static uint64_t image_of(const struct edit *edit, uint64_t leaf, uint64_t old)
{
	uint64_t image;

	if (!(leaf & TABLES_BOTH))
		return 0;
	image = leaf & ~(TABLES_BOTH | TABLES_USER_RO);
	if (leaf & TABLES_USER_RO)
		image &= ~(uint64_t)TABLES_W;
	if (old && edit->kind == EDIT_PROTECT)
		image = (image & ~(ENTRY_AD & ~edit->mask)) | (old & ENTRY_AD & ~edit->mask);
	return image;
}

/* The image's entry of the PD becomes @pde, which is no table: what was there goes. */
static void image_whole(struct tables *t, struct piece *image, uint64_t pde, struct tables_inv *inv)
{
	if (image->pde == pde)
		return;
	edit_descend(t, image, 2);
	if (image->pde)
		tables_inv_all(inv);
	if (entry_is_table(image->pde, 2))
		t->state->garbage = true;
	entry_set(table_entry(t, image->ref, 2, image->va), pde);
	t->state->count.leaves_written++;
}

static void image_leaves(struct tables *t, const struct edit *edit, const struct piece *image, const uint64_t *source, uint64_t *pt,
			 struct tables_inv *inv)
{
	uint64_t va = image->va;

	for (unsigned int i = pt_index(image->va); i <= pt_index(image->last); i++, va += PLX_PAGE_SIZE) {
		uint64_t leaf = image_of(edit, source[i], pt[i]);

		if (leaf == pt[i])
			continue;
		if (pt[i])
			tables_inv_pages(inv, va, 1);
		entry_set(&pt[i], leaf);
		t->state->count.leaves_written++;
	}
}

static bool any_to_show(const uint64_t *source, const struct piece *image)
{
	for (unsigned int i = pt_index(image->va); i <= pt_index(image->last); i++)
		if (source[i] & TABLES_BOTH)
			return true;
	return false;
}

static void mirror_piece(struct tables *t, const struct edit *edit, const struct piece *source, struct piece *image,
			 struct tables_inv *inv)
{
	const uint64_t *from;
	table_ref split;

	if (!entry_is_table(source->pde, 2)) {
		/* All 2 MiB of the source are one thing, so all 2 MiB of the image are. */
		image_whole(t, image, image_of(edit, source->pde, image->pde & ENTRY_LARGE ? image->pde : 0), inv);
		return;
	}
	from = table_page(&t->pages, entry_ref(source->pde));
	if (image->pde & ENTRY_LARGE) {
		split = edit_split(t, image->pde);
		tables_inv_all(inv);
		image_leaves(t, edit, image, from, table_page(&t->pages, split), inv);
		entry_set(table_entry(t, image->ref, 2, image->va), entry_to(t, split));
	} else if (image->pde) {
		image_leaves(t, edit, image, from, table_page(&t->pages, entry_ref(image->pde)), inv);
	} else if (any_to_show(from, image)) {
		edit_descend(t, image, 1);
		image_leaves(t, edit, image, from, table_page(&t->pages, image->ref), inv);
	}
}

static void mirror_commit(struct tables *t, uint32_t pair, const struct edit *edit, struct tables_inv *inv)
{
	struct start from = view_start(t, pair, 0), to = view_start(t, pair, 1);
	struct piece source, image;
	uint64_t at = edit->va;

	for (;;) {
		edit_piece(t, from, edit, at, &source);
		edit_piece(t, to, edit, at, &image);
		mirror_piece(t, edit, &source, &image, inv);
		if (image.last == edit->last)
			return;
		at = image.last + 1;
	}
}

static int pair_named(const struct tables *t, uint32_t pair)
{
	if (pair >= TABLES_MAX_PAIRS)
		return -PLX_EINVAL;
	return tables_pair_used(t, pair) ? 0 : -PLX_ENOENT;
}

static int pair_edit(struct tables *t, uint32_t pair, const struct edit *edit, struct tables_inv *inv)
{
	int err = pair_named(t, pair);

	if (err)
		return err;
	if (edit->last >= TABLES_LOW_BYTES)
		return -PLX_EINVAL;
	for (unsigned int step = 0;; step++) {
		struct tally supervisor = { 0 }, user = { 0 };

		err = edit_count(t, view_start(t, pair, 0), edit, &supervisor);
		if (err)
			return err;
		mirror_count(t, pair, edit, &user);
		if (supervisor.need + user.need <= t->pages.state->nfree)
			break;
		if (!tables_find_room(t, supervisor.need + user.need, step, inv))
			return -PLX_ENOMEM;
	}
	edit_commit(t, view_start(t, pair, 0), edit, inv);
	mirror_commit(t, pair, edit, inv);
	return 0;
}

int pair_map(struct tables *t, uint32_t pair, uint32_t linear, uint64_t phys, uint64_t nbytes, uint64_t flags,
	     struct tables_inv *inv)
{
	struct edit edit;
	int err = edit_make_map(t, &edit, linear, phys, nbytes, flags, TABLES_RIGHTS);

	if (!err)
		err = pair_edit(t, pair, &edit, inv);
	if (!err)
		t->state->count.maps++;
	return err;
}

int pair_unmap(struct tables *t, uint32_t pair, uint32_t linear, uint64_t nbytes, struct tables_inv *inv)
{
	struct edit edit;
	int err = edit_make(t, &edit, EDIT_UNMAP, linear, nbytes);

	if (!err)
		err = pair_edit(t, pair, &edit, inv);
	if (!err)
		t->state->count.unmaps++;
	return err;
}

int pair_protect(struct tables *t, uint32_t pair, uint32_t linear, uint64_t nbytes, uint64_t mask, uint64_t flags,
		 struct tables_inv *inv)
{
	struct edit edit;
	int err = edit_make_protect(t, &edit, linear, nbytes, mask, flags, TABLES_RIGHTS);

	if (!err)
		err = pair_edit(t, pair, &edit, inv);
	if (!err)
		t->state->count.protects++;
	return err;
}

/* ---- pairs come and go ------------------------------------------------------------------------------------------------------ */

/* A copy of @ref without its first @skip entries. */
static table_ref copy_table(struct tables *t, table_ref ref, unsigned int skip)
{
	table_ref copy = table_page_alloc(&t->pages, false);

	t->state->count.tables_made++;
	memcpy(table_page(&t->pages, copy) + skip, table_page(&t->pages, ref) + skip, (TABLE_SLOTS - skip) * sizeof(uint64_t));
	return copy;
}

int pair_alloc(struct tables *t, uint32_t *pair, struct tables_inv *inv)
{
	struct tables_state *s = t->state;
	uint32_t need = 2 * (s->config.levels - 2u), n = 0;

	while (n < TABLES_MAX_PAIRS && tables_pair_used(t, n))
		n++;
	if (n == TABLES_MAX_PAIRS)
		return -PLX_ENOSPC;
	for (unsigned int step = 0; t->pages.state->nfree < need; step++)
		if (!tables_find_room(t, need, step, inv))
			return -PLX_ENOMEM;

	for (int view = 0; view < 2; view++) {
		table_ref pdpt = copy_table(t, s->pdpt, LOW_ENTRIES), top = copy_table(t, s->top, 1), pml4 = top;

		if (s->config.levels == 5) {
			pml4 = copy_table(t, s->pml4, 1);
			table_page(&t->pages, top)[0] = entry_to(t, pml4);
		}
		table_page(&t->pages, pml4)[0] = entry_to(t, pdpt);
		s->pair[n].pdpt[view] = pdpt;
		s->pair[n].top[view] = top;
	}
	s->nr_pairs++;
	*pair = n;
	return 0;
}

int pair_free(struct tables *t, uint32_t pair, struct tables_inv *inv)
{
	int err = pair_named(t, pair);

	if (err)
		return err;
	memset(&t->state->pair[pair], 0, sizeof(t->state->pair[pair]));
	t->state->nr_pairs--;
	t->state->garbage = true;
	tables_inv_all(inv);
	return 0;
}

int pair_clear(struct tables *t, uint32_t pair, struct tables_inv *inv)
{
	int err = pair_named(t, pair);

	if (err)
		return err;
	for (int view = 0; view < 2; view++) {
		uint64_t *pdpt = table_page(&t->pages, t->state->pair[pair].pdpt[view]);

		for (unsigned int i = 0; i < LOW_ENTRIES; i++) {
			if (!pdpt[i])
				continue;
			entry_set(&pdpt[i], 0);
			t->state->garbage = true;
			tables_inv_all(inv);
		}
	}
	t->state->count.pair_clears++;
	return 0;
}
