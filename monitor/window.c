/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/window.c - keeping the window out of the guest's way.
 *
 * The window and CPL 3's scratch page lie in guest linear space, where the guest has mapped nothing. How do we learn that it
 * comes to use a page there? Its first access would not fault, for our pages are mapped. So the few page-table pages
 * that could map something there are watched: the page directory, and page tables under the window if there are any.
 * They are write-protected (MON_PAGE_WATCH), stores to them are interpreted, and the places are looked at again.
 *
 * A move drops nothing: the addresses that fragments hold are patched (prescan/places.c), this process shows the window at its new
 * place, and each other space's process does so before it runs guest code again (window_sync). Moves happen between guest
 * instructions only, for a register of a fragment under way may hold such an address.
 *
 * A guest may leave no place: one that maps all 4 GiB onto themselves, as memtest86+ does. Then the window stands where pages map
 * physical addresses without memory, as it does with paging off; only a read of nothing tells the difference (CAVEATS). If there is
 * no such place either, guest code is interpreted until there is one again: slow, but nothing the guest can see.
 *
 * Asked by: run.c, whenever paging changed. Asks: host ops, prescan/cache.c. Built: twice.
 */
#include "monitor/engine.h"

#define CHECKS_BEFORE_RETURN 64

struct scan {
	struct mon_engine *e;
	uint32_t *tables;	/* gfns of the tables looked at; NULL: do not collect */
	uint32_t ntables;
	bool busy;
	bool over_nothing;	/* a page that maps no memory is as good as none */
};

static void note_table(struct scan *s, uint32_t gpa)
{
	uint32_t gfn = gpa >> PLX_PAGE_SHIFT;

	if (!s->tables || (s->ntables && s->tables[s->ntables - 1] == gfn) || s->ntables == WINDOW_MAX_WATCHED)
		return;
	for (uint32_t i = 0; i < s->ntables; i++)
		if (s->tables[i] == gfn)
			return;
	s->tables[s->ntables++] = gfn;
}

static uint64_t read_entry(struct scan *s, uint32_t gpa, bool pae)
{
	const uint8_t *at = mon_phys_ptr(s->e->vm, gpa);
	uint64_t entry = 0;

	if (at)
		memcpy(&entry, at, pae ? 8 : 4);
	return entry;
}

/* Does an entry that maps [gpa, gpa + nbytes) stand in the way? */
static bool in_the_way(const struct scan *s, uint64_t gpa, uint32_t nbytes)
{
	if (!s->over_nothing)
		return true;
	for (uint64_t at = gpa; at < gpa + nbytes && at < 1ull << 32; at += PLX_PAGE_SIZE)
		if (s->e->vm->page[at >> PLX_PAGE_SHIFT] & MON_PAGE_PRESENT)
			return true;
	return false;
}

/* Look at the part of one page table that maps [linear, end). */
static void scan_table(struct scan *s, uint64_t dir_entry, uint32_t linear, uint32_t end, bool pae)
{
	uint32_t mask = pae ? 0x1ff : 0x3ff, bytes = pae ? 8 : 4;
	uint32_t table = (uint32_t)dir_entry & ~PLX_PAGE_MASK;

	note_table(s, table);
	for (uint32_t at = linear; at != end && !s->busy; at += PLX_PAGE_SIZE) {
		uint64_t entry = read_entry(s, table + (at >> PLX_PAGE_SHIFT & mask) * bytes, pae);

		if (entry & X86_PTE_P)
			s->busy = in_the_way(s, entry & ~(1ull << 63) & ~(uint64_t)PLX_PAGE_MASK, PLX_PAGE_SIZE);
	}
}

/* Does the guest map anything in [linear, linear + nbytes)? Page numbers do not wrap here. */
static bool range_busy(struct scan *s, uint32_t linear, uint32_t nbytes)
{
	const struct mon_vcpu *v = s->e->vcpu;
	bool pae = v->cr4 & X86_CR4_PAE;
	uint32_t span = pae ? 0x200000 : 0x400000;
	uint64_t end = (uint64_t)linear + nbytes;

	s->busy = false;
	if (!(v->cr0 & X86_CR0_PG))
		return s->busy = in_the_way(s, linear, nbytes);
	for (uint64_t at = linear; at < end && !s->busy; at = (at & ~(uint64_t)(span - 1)) + span) {
		uint64_t part_end = (at & ~(uint64_t)(span - 1)) + span;
		uint32_t dir_gpa;
		uint64_t entry;

		if (pae) {
			uint64_t pdpte = v->pdpte[at >> 30];

			if (!(pdpte & X86_PTE_P))
				continue;
			dir_gpa = ((uint32_t)pdpte & ~PLX_PAGE_MASK) | ((uint32_t)(at >> 21) & 0x1ff) << 3;
		} else {
			dir_gpa = (v->cr3 & ~PLX_PAGE_MASK) | (uint32_t)(at >> 22) << 2;
		}
		note_table(s, dir_gpa);
		entry = read_entry(s, dir_gpa, pae);
		if (!(entry & X86_PTE_P))
			continue;
		if ((entry & X86_PTE_PS) && (pae || (v->cr4 & X86_CR4_PSE)))
			s->busy = in_the_way(s, entry & ~(1ull << 63) & ~(uint64_t)(span - 1), span);
		else
			scan_table(s, entry, (uint32_t)at, (uint32_t)(part_end < end ? part_end : end), pae);
	}
	return s->busy;
}

static bool guest_uses(struct mon_engine *e, uint32_t host_linear, uint32_t nbytes, bool over_nothing)
{
	struct scan s = { .e = e, .over_nothing = over_nothing };

	return range_busy(&s, host_linear - e->delta, nbytes);
}

/* A place of @nbytes, aligned to @step, away from @avoid; 0 if the guest left none. The preferred place comes first. */
static uint32_t find_place(struct mon_engine *e, uint32_t preferred, uint32_t nbytes, uint32_t step, uint32_t top,
			   uint32_t avoid, uint32_t avoid_bytes, bool over_nothing)
{
	if (!guest_uses(e, preferred, nbytes, over_nothing) && preferred - avoid >= avoid_bytes && avoid - preferred >= nbytes)
		return preferred;
	for (uint32_t at = top - nbytes; at >= step + 0x100000 && at <= top; at -= step) {
		if (at - avoid < avoid_bytes || avoid - at < nbytes)
			continue;
		if (!guest_uses(e, at, nbytes, over_nothing))
			return at;
	}
	return 0;
}

/* Only as much of the code is shown as is in use: what the guest has not mapped should fault. */
void window_show_code(struct mon_engine *e)
{
	const uint32_t step = 0x40000;
	uint32_t main_end = (e->cache.code_next + step) & ~(step - 1);
	uint32_t cold_end = (e->cache.cold_next + step) & ~(step - 1);
	int err = 0;

	if (main_end > e->space->main_shown && main_end <= WINDOW_COLD) {
		err = e->ops->show_code(e->host, e->window, e->space->main_shown, main_end);
		if (shadow_make_room(e, err))
			err = e->ops->show_code(e->host, e->window, e->space->main_shown, main_end);
		e->space->main_shown = main_end;
	}
	if (!err && cold_end > e->space->cold_shown && cold_end <= WINDOW_BYTES) {
		err = e->ops->show_code(e->host, e->window, e->space->cold_shown, cold_end);
		if (shadow_make_room(e, err))
			err = e->ops->show_code(e->host, e->window, e->space->cold_shown, cold_end);
		e->space->cold_shown = cold_end;
	}
	if (err)
		engine_die(e, "cannot map the code cache", err);
}

/* Show the window at e->window in the present process. */
static bool show_window(struct mon_engine *e)
{
	struct mon_space *sp = e->space;
	int err;

	shadow_drop_range(e, e->window, WINDOW_BYTES);
	err = e->ops->place_window(e->host, sp->window_at, e->window);
	if (shadow_make_room(e, err))
		err = e->ops->place_window(e->host, sp->window_at, e->window);
	if (err) {
		engine_die(e, "cannot map the window; see vm.memfd_noexec and SELinux", err);
		return false;
	}
	sp->window_at = e->window;
	sp->main_shown = WINDOW_CODE;
	sp->cold_shown = WINDOW_COLD;
	sp->cut_dirty = true;		/* CPL 3 must not reach it here either */
	window_show_code(e);
	return !e->dead;
}

static bool show_user_scratch(struct mon_engine *e)
{
	struct mon_space *sp = e->space;
	int err;

	if (e->user_scratch)
		shadow_drop_range(e, e->user_scratch, PLX_PAGE_SIZE);
	err = e->ops->place_user_scratch(e->host, sp->scratch_at, e->user_scratch);
	if (shadow_make_room(e, err))
		err = e->ops->place_user_scratch(e->host, sp->scratch_at, e->user_scratch);
	if (err)
		engine_die(e, "cannot map the scratch page of user code", err);
	sp->scratch_at = e->user_scratch;
	return !err;
}

/* The fragments' addresses follow e->window, e->user_scratch and e->delta. User code that needs a scratch page is not run while
 * there is none, so what it has may stay as it is until then. */
static void patch_code(struct mon_engine *e)
{
	uint32_t scratch = e->user_scratch ? e->user_scratch : e->cache.env.user_scratch;

	e->stats.places_patched += prescan_cache_moved(&e->cache, e->window, scratch, e->delta);
}

bool window_place(struct mon_engine *e, uint32_t to)
{
	e->window = to;
	e->window_clear = false;
	patch_code(e);
	return show_window(e);
}

void window_sync(struct mon_engine *e)
{
	if (e->space->window_at != e->window)
		show_window(e);
	else
		window_show_code(e);
	if (e->space->scratch_at != e->user_scratch)
		show_user_scratch(e);
}

static void move_window(struct mon_engine *e, uint32_t to)
{
	uint64_t start = e->ops->ticks(e->host);

	if (!window_place(e, to))
		return;
	e->checks_since_move = 0;
	e->stats.window_moves++;
	e->stats.move_ticks += e->ops->ticks(e->host) - start;
}

static void move_user_scratch(struct mon_engine *e, uint32_t to)
{
	uint64_t start = e->ops->ticks(e->host);

	e->user_scratch = to;
	patch_code(e);
	if (!show_user_scratch(e))
		return;
	e->space->cut_dirty = true;
	e->stats.window_moves++;
	e->stats.move_ticks += e->ops->ticks(e->host) - start;
}

static void watch_tables(struct mon_engine *e, const uint32_t *tables, uint32_t n)
{
	/* Spaces may have tables in common: another one's views of them are writable still. */
	bool changed = n != e->nwatched || e->watched_in != e->space;

	for (uint32_t i = 0; i < n && !changed; i++)
		changed = e->watched[i] != tables[i];
	if (!changed)
		return;
	e->watched_in = e->space;
	for (uint32_t i = 0; i < e->nwatched; i++)
		e->vm->page[e->watched[i]] &= ~(uint64_t)MON_PAGE_WATCH;
	for (uint32_t i = 0; i < n; i++) {
		e->watched[i] = tables[i];
		if (!(e->vm->page[tables[i]] & MON_PAGE_PRESENT))
			continue;
		e->vm->page[tables[i]] |= MON_PAGE_WATCH;
		shadow_protect_gfn(e, tables[i]);
	}
	e->nwatched = n;
	mon_tlb_flush(e->vcpu);
}

/* CPL 3's scratch page stays below the lowest supervisor page that the cut may use; 1 GiB is low enough for all. */
#define USER_SCRATCH_TOP 0x40000000u

/*
 * Where the host lets nobody map the lowest 64 KiB, host linear addresses are shifted by that much while paging is off: the
 * forbidden range then stands for the top of the guest's space. That gives every segment a base, which costs a
 * cycle a load and triples the price of far transfers. With paging on, guests hardly use the first pages; their few accesses
 * are interpreted. A guest that does use them (V86 tasks) gets the shift back, for good.
 */
#define LOW_ACCESSES_BEFORE_SHIFT 4096

static void choose_delta(struct mon_engine *e)
{
	uint32_t want = 0;

	if (e->min_linear && (!(e->vcpu->cr0 & X86_CR0_PG) || e->low_accesses > LOW_ACCESSES_BEFORE_SHIFT))
		want = 0x10000;
	if (want == e->delta)
		return;
	shadow_flush(e, true);
	space_flush_others(e);
	e->delta = want;
	patch_code(e);
	e->vcpu->seg_dirty = 0x3f;
	for (uint32_t i = 0; i < e->nspaces; i++)
		e->spaces[i].cut_dirty = true;	/* the cut is a guest address of a host region */
	e->stats.delta_changes++;
}

/*
 * Paging is off, so linear is physical: out of the way of memory, such as the frame buffer where firmware puts it. Each of the guest's
 * accesses there would be a fault. With no such place it stays; those accesses are interpreted.
 */
static void clear_of_memory(struct mon_engine *e)
{
	uint32_t to;

	if (e->window_clear)
		return;
	if (guest_uses(e, e->window, WINDOW_BYTES, true)) {
		to = find_place(e, WINDOW_PREFERRED, WINDOW_BYTES, 0x400000, 0xff000000u, 0, 0, true);
		if (to)
			move_window(e, to);
	}
	e->window_clear = true;
}

void window_check(struct mon_engine *e)
{
	uint32_t tables[WINDOW_MAX_WATCHED] = { 0 };
	struct scan s = { .e = e, .tables = tables };
	bool busy;

	e->window_dirty = false;
	e->no_window = false;
	choose_delta(e);
	if (!(e->vcpu->cr0 & X86_CR0_PG)) {
		/* Linear is physical now, and the scratch page would hide RAM. */
		if (e->user_scratch)
			move_user_scratch(e, 0);
		watch_tables(e, tables, 0);
		clear_of_memory(e);
		return;
	}
	e->checks_since_move++;
	busy = range_busy(&s, e->window - e->delta, WINDOW_BYTES);
	/* Low places are where guests put new things, and where their user code can reach: go home when home is free. */
	if (!busy && e->window != WINDOW_PREFERRED && e->checks_since_move > CHECKS_BEFORE_RETURN &&
	    !guest_uses(e, WINDOW_PREFERRED, WINDOW_BYTES, false)) {
		move_window(e, WINDOW_PREFERRED);
		s.ntables = 0;
		range_busy(&s, e->window - e->delta, WINDOW_BYTES);
	}
	if (busy) {
		uint32_t to = find_place(e, WINDOW_PREFERRED, WINDOW_BYTES, 0x400000, 0xff000000u, e->user_scratch,
					 PLX_PAGE_SIZE, false);

		if (!to) {
			s.over_nothing = true;
			to = e->window;
			if (range_busy(&s, e->window - e->delta, WINDOW_BYTES))
				to = find_place(e, WINDOW_PREFERRED, WINDOW_BYTES, 0x400000, 0xff000000u, e->user_scratch,
						PLX_PAGE_SIZE, true);
		}
		if (to && to != e->window)
			move_window(e, to);
		e->no_window = !to;
		s.ntables = 0;
		range_busy(&s, e->window - e->delta, WINDOW_BYTES);
	}
	s.over_nothing = false;
	if (e->user_scratch && range_busy(&s, e->user_scratch - e->delta, PLX_PAGE_SIZE)) {
		uint32_t to = find_place(e, USER_SCRATCH_PREFERRED, PLX_PAGE_SIZE, PLX_PAGE_SIZE, USER_SCRATCH_TOP,
					 e->window, WINDOW_BYTES, false);

		move_user_scratch(e, to);
		if (e->user_scratch)
			range_busy(&s, e->user_scratch - e->delta, PLX_PAGE_SIZE);
	}
	watch_tables(e, tables, s.ntables);
}

void window_need_user_scratch(struct mon_engine *e)
{
	uint32_t to = find_place(e, USER_SCRATCH_PREFERRED, PLX_PAGE_SIZE, PLX_PAGE_SIZE, USER_SCRATCH_TOP, e->window,
				 WINDOW_BYTES, false);

	if (to)
		move_user_scratch(e, to);
	window_check(e);
}
