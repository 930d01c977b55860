/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/space.c - keeping spaces across CR3 loads.
 *
 *      MOV CR3 --> space_select: which space is that?     --> space_switch: hand over to its process
 *                    same one: compare its tables                           |
 *                                                              activate: word left meanwhile, window, tables
 *
 * Asked by: run.c (hooks and loop), shadow.c. Asks: shadow.c, window.c, host ops. Built: twice.
 */
#include "monitor/engine.h"

static uint32_t present_root(const struct mon_engine *e)
{
	const struct mon_vcpu *v = e->vcpu;

	if (!(v->cr0 & X86_CR0_PG))
		return SPACE_NO_PAGING;
	return v->cr4 & X86_CR4_PAE ? v->cr3 & ~31u : v->cr3 & ~PLX_PAGE_MASK;
}

/* ---- page-table copies ------------------------------------------------------------------------------ */

static struct space_table *find_table(struct mon_space *sp, uint32_t gfn, uint32_t base)
{
	for (uint32_t i = 0; i < sp->ntables; i++)
		if (sp->table[i].gfn == gfn && sp->table[i].base == base)
			return &sp->table[i];
	return NULL;
}

/* Copy the entry at @gpa as it is now: the mapping was made from it a moment ago, and only we run. */
static void note_entry(struct mon_engine *e, uint32_t gpa, uint32_t base, uint32_t entry_bytes, uint32_t entry_size)
{
	struct mon_space *sp = e->space;
	uint32_t gfn = gpa >> PLX_PAGE_SHIFT;
	struct space_table *t = find_table(sp, gfn, base);

	const uint8_t *now = mon_phys_ptr(e->vm, gfn << PLX_PAGE_SHIFT);

	if (!t) {
		if (!now || sp->ntables == SPACE_TABLES) {
			sp->loose = true;
			return;
		}
		t = &sp->table[sp->ntables++];
		t->gfn = gfn;
		t->base = base;
		t->entry_bytes = entry_bytes;
		t->entry_size = entry_size;
		memcpy(t->copy, now, PLX_PAGE_SIZE);
	}
	memcpy((uint8_t *)t->copy + (gpa & PLX_PAGE_MASK), now + (gpa & PLX_PAGE_MASK), entry_size);
}

void space_note(struct mon_engine *e, uint32_t linear, const struct mon_xlate *x)
{
	bool pae = e->vcpu->cr4 & X86_CR4_PAE;
	uint32_t size = pae ? 8 : 4;
	uint32_t dir_span = pae ? 0x200000 : 0x400000;

	if (!(e->vcpu->cr0 & X86_CR0_PG))
		return;
	note_entry(e, x->dir_gpa, pae ? linear & 0xc0000000 : 0, dir_span, size);
	if (x->leaf_gpa != x->dir_gpa)
		note_entry(e, x->leaf_gpa, linear & ~(dir_span - 1), PLX_PAGE_SIZE, size);
}

/* What the processor sets by itself (by our hand) is no change. */
static bool entry_changed(uint64_t old, uint64_t now)
{
	const uint64_t ours = X86_PTE_A | X86_PTE_D;

	return (old | ours) != (now | ours) || (old & ours & ~now);
}

static void forget_tables_in(struct mon_space *sp, uint32_t first, uint64_t nbytes, bool directories)
{
	for (uint32_t i = 0; i < sp->ntables; ) {
		struct space_table *t = &sp->table[i];

		if ((directories || t->entry_bytes == PLX_PAGE_SIZE) && t->base >= first && t->base < first + nbytes)
			*t = sp->table[--sp->ntables];
		else
			i++;
	}
}

static uint64_t get_entry(const uint8_t *at, uint32_t size)
{
	uint64_t wide;
	uint32_t narrow;

	if (size == 8) {
		memcpy(&wide, at, 8);
		return wide;
	}
	memcpy(&narrow, at, 4);
	return narrow;
}

#define LINE_BYTES 64u

/* The library's memcmp() is for whole pages: asked 64 times about a line it would cost more than it spares. */
static bool line_differs(const uint8_t *a, const uint8_t *b)
{
	uint64_t x[LINE_BYTES / 8], y[LINE_BYTES / 8];

	memcpy(x, a, LINE_BYTES);
	memcpy(y, b, LINE_BYTES);
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) |
		(x[4] ^ y[4]) | (x[5] ^ y[5]) | (x[6] ^ y[6]) | (x[7] ^ y[7])) != 0;
}

/* Compare one table; drop what changed. Returns false if the table list itself changed: start over. */
static bool compare_table(struct mon_engine *e, struct space_table *t)
{
	const uint8_t *now = mon_phys_ptr(e->vm, t->gfn << PLX_PAGE_SHIFT);
	uint8_t *copy = (uint8_t *)t->copy;

	if (!now || !memcmp(copy, now, PLX_PAGE_SIZE))
		return true;
	for (uint32_t at = 0; at < PLX_PAGE_SIZE; at += t->entry_size) {
		uint64_t old, new;
		uint32_t linear = t->base + at / t->entry_size * t->entry_bytes;

		if (at % LINE_BYTES == 0 && !line_differs(copy + at, now + at)) {
			at += LINE_BYTES - t->entry_size;
			continue;
		}
		old = get_entry(copy + at, t->entry_size);
		new = get_entry(now + at, t->entry_size);
		if (old == new)
			continue;
		memcpy(copy + at, &new, t->entry_size);
		if (!entry_changed(old, new))
			continue;
		shadow_drop_changed(e, linear, t->entry_bytes);
		if (t->entry_bytes != PLX_PAGE_SIZE) {
			forget_tables_in(e->space, linear, t->entry_bytes, false);
			return false;
		}
	}
	return true;
}

void space_revalidate(struct mon_engine *e)
{
	struct mon_space *sp = e->space;

	if (sp->loose || sp->cr3 == SPACE_NO_PAGING) {
		shadow_flush(e, false);
		sp->ntables = 0;
		sp->loose = false;
		return;
	}
	for (uint32_t i = 0; i < 4 && (e->vcpu->cr4 & X86_CR4_PAE); i++) {
		uint64_t *seen = i < 3 ? &sp->pdpte[i] : &sp->pdpte3[e->vcpu->cr3 >> PLX_PAGE_SHIFT & 1];
		uint64_t old = *seen;

		*seen = e->vcpu->pdpte[i];
		if (old == *seen || !old)
			continue;
		shadow_drop_changed(e, i << 30, 1u << 30);
		forget_tables_in(sp, i << 30, 1u << 30, true);
	}
	/* Directories first: what hangs below a changed entry is not worth comparing. */
	for (unsigned int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < sp->ntables; i++)
			if ((sp->table[i].entry_bytes == PLX_PAGE_SIZE) == pass && !compare_table(e, &sp->table[i]))
				i = UINT32_MAX;		/* again from the first */
	shadow_drop_finish(e);
}

/* ---- word for spaces that sleep ---------------------------------------------------------------------- */

static bool concerns(const struct mon_engine *e, const struct mon_space *sp, enum space_word word, uint32_t value)
{
	if (word == SPACE_DROP_PAGE)	/* a page that is not global goes when its CR3 is loaded anyway */
		return sp->shadow[(value + e->delta) >> PLX_PAGE_SHIFT] & SHADOW_G;
	return sp->rmap_head[value];
}

void space_tell(struct mon_engine *e, enum space_word word, uint32_t value)
{
	for (uint32_t i = 0; i < e->nspaces; i++) {
		struct mon_space *sp = &e->spaces[i];

		if (sp == e->space || sp->flush_pending || !concerns(e, sp, word, value))
			continue;
		if (sp->npending == SPACE_PENDING) {
			sp->flush_pending = true;
			continue;
		}
		sp->pending[sp->npending].word = (uint8_t)word;
		sp->pending[sp->npending++].value = value;
	}
}

void space_flush_others(struct mon_engine *e)
{
	for (uint32_t i = 0; i < e->nspaces; i++)
		if (&e->spaces[i] != e->space)
			e->spaces[i].flush_pending = true;
}

/* We run in this space's process now: catch up with what happened meanwhile. */
static void activate(struct mon_engine *e)
{
	struct mon_space *sp = e->space;

	e->ldt_generation++;		/* which slots are installed is each process's own affair */
	e->vcpu->seg_dirty = 0x3f;
	window_sync(e);
	if (sp->flush_pending) {
		shadow_flush(e, true);
		sp->ntables = 0;
		sp->loose = false;
	} else {
		for (uint32_t i = 0; i < sp->npending; i++) {
			uint32_t value = sp->pending[i].value;

			switch (sp->pending[i].word) {
			case SPACE_DROP_PAGE:
				shadow_drop(e, value);
				break;
			case SPACE_DROP_GFN:
				shadow_drop_gfn(e, value);
				break;
			case SPACE_PROTECT_GFN:
				shadow_protect_gfn(e, value);
				break;
			}
		}
	}
	sp->npending = 0;
	sp->flush_pending = false;
	space_revalidate(e);
}

/* ---- choosing and switching ---------------------------------------------------------------------------- */

/*
 * Kernel page-table isolation gives a process two roots in neighbouring pages, which share the tables of its lower 3 GiB and
 * differ in the last entry, and loads CR3 at each entry to and exit from the kernel. Such a pair is one space: what
 * the kernel's root maps stays mapped under the other, where the cut segments of CPL 3 hide it as they always do.
 * Neighbours that are two processes do not share tables.
 */
static bool is_pair(const struct mon_engine *e, const struct mon_space *sp, uint32_t root)
{
	const uint64_t *pdpte = e->vcpu->pdpte;

	return (e->vcpu->cr4 & X86_CR4_PAE) && (sp->cr3 ^ root) == PLX_PAGE_SIZE && (pdpte[0] | pdpte[1] | pdpte[2]) &&
	       pdpte[0] == sp->pdpte[0] && pdpte[1] == sp->pdpte[1] && pdpte[2] == sp->pdpte[2];
}

static struct mon_space *space_for(struct mon_engine *e, uint32_t root)
{
	struct mon_space *oldest = NULL;

	for (uint32_t i = 0; i < e->nspaces; i++)
		if (e->spaces[i].cr3 == root || is_pair(e, &e->spaces[i], root))
			return &e->spaces[i];
	if (e->nspaces < e->max_spaces) {
		struct mon_space *sp = &e->spaces[e->nspaces++];

		sp->cr3 = root;
		return sp;
	}
	for (uint32_t i = 0; i < e->nspaces; i++)
		if (&e->spaces[i] != e->space && (!oldest || e->spaces[i].last_used < oldest->last_used))
			oldest = &e->spaces[i];
	if (!oldest)
		oldest = e->space;	/* there is just the one */
	/* Its global mappings hold for every root; the others are dropped when it wakes. */
	oldest->cr3 = root;
	oldest->loose = true;
	memset(oldest->pdpte, 0, sizeof(oldest->pdpte));
	memset(oldest->pdpte3, 0, sizeof(oldest->pdpte3));
	return oldest;
}

bool space_select(struct mon_engine *e)
{
	uint32_t root = present_root(e);
	bool other_view;

	other_view = e->next_space == e->space && e->present_root != root;
	e->next_space = space_for(e, root);
	e->next_space->last_used = ++e->space_clock;
	other_view = other_view && e->next_space == e->space;
	e->present_root = root;
	if (e->next_space == e->space)
		space_revalidate(e);
	return other_view;
}

bool space_switch(struct mon_engine *e)
{
	struct mon_space *from = e->space, *to = e->next_space;

	if (from == to)
		return false;
	e->stats.space_switches++;
	e->space = to;
	if (e->ops->hand_over(e->host, from, to)) {
		engine_die(e, "cannot make a process for a guest address space", -12);
		e->space = from;
		return true;
	}
	/* Somebody handed over to us: this process's own space is the active one. */
	if (!e->dead && !e->finished)
		activate(e);
	return true;
}
