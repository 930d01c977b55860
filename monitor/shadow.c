/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/shadow.c - host mappings as a TLB of the guest's paging.
 *
 * The guest's tables are never watched for this: a mapping is made on a fault by walking them, and dropped when
 * the architecture says that a TLB entry is gone (INVLPG, MOV CR3, CR0/CR4 changes). What the
 * guest sees is a processor with a large TLB.
 *
 *      host #PF --> shadow_fill --> mon_translate (A, D) --> host map
 *                                        | MON_FAULT: the guest's own #PF
 *
 * Kept for each host linear page: what is mapped there (shadow[]), and for each guest frame the list of
 * places that show it (rmap), so that a frame that gets code in it can be write-protected everywhere.
 *
 * Asked by: run.c, exits.c. Asks: host ops, paging.c. Built: twice.
 */
#include "monitor/engine.h"

#define REGION_SHIFT 10		/* pages of 4 MiB, for region_s and region_u */
#define FILL_AROUND 16		/* pages looked at around a fault, naturally aligned */
#define REFRESH_RUN 64	/* pages that an INVLPG may put right at once */
#define NO_ROOM (-12)		/* -ENOMEM */

static inline uint32_t host_page(struct mon_engine *e, uint32_t linear)
{
	return (linear + e->delta) >> PLX_PAGE_SHIFT;
}

static void forget(struct mon_engine *e, uint32_t page)
{
	uint32_t entry = e->space->shadow[page];
	uint32_t *at = &e->space->rmap_head[entry >> PLX_PAGE_SHIFT];

	while (*at != page + 1)
		at = &e->space->rmap_next[*at - 1];
	*at = e->space->rmap_next[page];
	e->space->shadow[page] = 0;
	e->space->mapped_bits[page / 64] &= ~(1ull << page % 64);
	e->space->nr_mapped--;
	if (entry & SHADOW_U)
		e->space->region_u[page >> REGION_SHIFT]--;
	else
		e->space->region_s[page >> REGION_SHIFT]--;
}

static void remember(struct mon_engine *e, uint32_t page, uint32_t gfn, uint32_t flags)
{
	if (e->space->shadow[page])
		forget(e, page);
	e->space->shadow[page] = gfn << PLX_PAGE_SHIFT | flags | SHADOW_P;
	e->space->rmap_next[page] = e->space->rmap_head[gfn];
	e->space->rmap_head[gfn] = page + 1;
	e->space->mapped_bits[page / 64] |= 1ull << page % 64;
	e->space->nr_mapped++;
	if (flags & SHADOW_U) {
		if (!e->space->region_u[page >> REGION_SHIFT]++)
			e->space->cut_dirty = true;
	} else {
		if (!e->space->region_s[page >> REGION_SHIFT]++)
			e->space->cut_dirty = true;
	}
}

/*
 * Linux lets a process have so many mappings (vm.max_map_count: 65530), and a guest that uses scattered pages needs one for each.
 * When they run out all of this space's are dropped, as any TLB may do at any time. True: try again. A neighbour's
 * unmapping can need one more, too, but not while all are dropped from the bottom up: that only shortens.
 */
bool shadow_make_room(struct mon_engine *e, int err)
{
	if (err != NO_ROOM || !e->space->nr_mapped || e->making_room)
		return false;
	e->making_room = true;
	e->stats.map_overflows++;
	shadow_flush(e, true);
	e->making_room = false;
	return !e->dead;
}

static void unmap_run(struct mon_engine *e, uint32_t page, uint32_t npages)
{
	int err = e->ops->unmap(e->host, page << PLX_PAGE_SHIFT, (uint64_t)npages << PLX_PAGE_SHIFT);

	if (shadow_make_room(e, err))
		err = e->ops->unmap(e->host, page << PLX_PAGE_SHIFT, (uint64_t)npages << PLX_PAGE_SHIFT);
	e->stats.unmaps++;
	e->stats.unmap_pages += npages;
	if (err)
		engine_die(e, "cannot unmap guest pages", err);
}

void shadow_drop(struct mon_engine *e, uint32_t linear)
{
	uint32_t page = host_page(e, linear);

	if (!e->space->shadow[page])
		return;
	forget(e, page);
	unmap_run(e, page, 1);
}

/* Drop what @want says, in runs of neighbours. */
static void drop_matching(struct mon_engine *e, uint32_t first, uint32_t end, uint32_t mask, uint32_t want)
{
	uint32_t run = 0, run_start = 0;

	for (uint32_t page = first; page < end; page++) {
		if (page % 64 == 0 && end - page >= 64 && !e->space->mapped_bits[page / 64]) {
			if (run)
				unmap_run(e, run_start, run);
			run = 0;
			page += 63;
			continue;
		}
		if (e->space->shadow[page] && (e->space->shadow[page] & mask) == want) {
			if (!run)
				run_start = page;
			run++;
			forget(e, page);
		} else if (run) {
			unmap_run(e, run_start, run);
			run = 0;
		}
	}
	if (run)
		unmap_run(e, run_start, run);
}

void shadow_drop_range(struct mon_engine *e, uint32_t host_linear, uint32_t nbytes)
{
	drop_matching(e, host_linear >> PLX_PAGE_SHIFT, (host_linear + nbytes) >> PLX_PAGE_SHIFT, 0, 0);
}

/*
 * Guest tables changed: drop what is mapped from @linear on and is not global. Neighbours are gathered, so that a
 * space whose every page changed costs few calls; shadow_drop_finish does what is left.
 */
void shadow_drop_changed(struct mon_engine *e, uint32_t linear, uint32_t nbytes)
{
	uint32_t first = host_page(e, linear), n = nbytes >> PLX_PAGE_SHIFT;

	e->stats.cr3_entries_changed++;
	for (uint32_t page = first; page < first + n; page++) {
		if (page % 64 == 0 && first + n - page >= 64 && !e->space->mapped_bits[page / 64]) {
			page += 63;
			continue;
		}
		if (!e->space->shadow[page] || (e->space->shadow[page] & SHADOW_G))
			continue;
		forget(e, page);
		if (e->drop_count && e->drop_first + e->drop_count == page) {
			e->drop_count++;
			continue;
		}
		shadow_drop_finish(e);
		e->drop_first = page;
		e->drop_count = 1;
	}
}

void shadow_drop_finish(struct mon_engine *e)
{
	if (e->drop_count)
		unmap_run(e, e->drop_first, e->drop_count);
	e->drop_count = 0;
}

void shadow_flush(struct mon_engine *e, bool global_too)
{
	for (uint32_t region = 0; region < 1024 && e->space->nr_mapped; region++) {
		uint32_t first = region << REGION_SHIFT;

		if (!e->space->region_s[region] && !e->space->region_u[region])
			continue;
		drop_matching(e, first, first + (1u << REGION_SHIFT), global_too ? 0 : SHADOW_G, 0);
	}
}

void shadow_drop_gfn(struct mon_engine *e, uint32_t gfn)
{
	while (e->space->rmap_head[gfn]) {
		uint32_t page = e->space->rmap_head[gfn] - 1;

		forget(e, page);
		unmap_run(e, page, 1);
	}
}

void shadow_protect_gfn(struct mon_engine *e, uint32_t gfn)
{
	for (uint32_t at = e->space->rmap_head[gfn]; at; at = e->space->rmap_next[at - 1]) {
		int err;

		if (!(e->space->shadow[at - 1] & SHADOW_W))
			continue;
		err = e->ops->protect(e->host, (at - 1) << PLX_PAGE_SHIFT, PLX_PAGE_SIZE, HOST_PROT_READ);
		e->stats.protects++;
		if (shadow_make_room(e, err))
			return;			/* no mapping of it is left at all */
		if (err) {
			engine_die(e, "cannot write-protect a guest page", err);
			return;
		}
		e->space->shadow[at - 1] &= ~SHADOW_W;
	}
}

/* May native stores to this frame go by unseen? */
static bool frame_writable(uint64_t entry)
{
	return !(entry & (MON_PAGE_ROM | MON_PAGE_CODE | MON_PAGE_WATCH));
}

static bool reserved(struct mon_engine *e, uint32_t page)
{
	uint32_t linear = page << PLX_PAGE_SHIFT;

	for (uint32_t i = 0; i < e->ntaken; i++)
		if (linear == e->taken[i])
			return true;
	return linear < e->min_linear || linear - e->window < WINDOW_BYTES ||
	       (e->user_scratch && linear == e->user_scratch);
}

/* What a peek at the guest's mapping of @linear gives for a neighbour of a fault; 0 if it should be left alone.
 * Only entries whose A bit (and D, for a writable view) are set already: we never set them here. */
static uint32_t neighbour_flags(struct mon_engine *e, uint32_t linear, uint32_t *gfn, struct mon_xlate *out)
{
	struct mon_vcpu *v = e->vcpu;
	struct mon_xlate x;
	uint64_t entry;
	uint32_t flags = 0;

	if (mon_translate(v, linear, MON_ACC_READ | MON_ACC_SYSTEM | MON_ACC_PEEK, &x) != MON_OK)
		return 0;
	*gfn = x.gpa >> PLX_PAGE_SHIFT;
	entry = e->vm->page[*gfn];
	if (!(entry & MON_PAGE_PRESENT) || !x.accessed)
		return 0;
	/* Without CR0.WP a peek says what the supervisor may write: no word about CPL 3. */
	if (x.writable && frame_writable(entry) && (v->cpl < 3 || v->cr0 & X86_CR0_WP))
		flags |= SHADOW_W;
	if (x.user)
		flags |= SHADOW_U;
	if (x.global && (v->cr4 & X86_CR4_PGE))
		flags |= SHADOW_G;
	*out = x;
	return flags | SHADOW_P;
}

static bool map_run(struct mon_engine *e, uint32_t page, uint32_t npages, uint32_t gfn, uint32_t flags)
{
	uint64_t offset = e->vm->page[gfn] & ~(uint64_t)PLX_PAGE_MASK;
	int prot = HOST_PROT_READ | (flags & SHADOW_W ? HOST_PROT_WRITE : 0) | (flags & SHADOW_U ? HOST_PROT_USER : 0) |
		   (flags & SHADOW_SW ? HOST_PROT_USER_READ : 0);
	int err = e->ops->map(e->host, page << PLX_PAGE_SHIFT, offset, (uint64_t)npages << PLX_PAGE_SHIFT, prot);

	if (shadow_make_room(e, err))
		err = e->ops->map(e->host, page << PLX_PAGE_SHIFT, offset, (uint64_t)npages << PLX_PAGE_SHIFT, prot);
	e->stats.maps++;
	e->stats.map_pages += npages;
	if (err) {
		engine_die(e, "cannot map guest memory", err);
		return false;
	}
	for (uint32_t i = 0; i < npages; i++) {
		remember(e, page + i, gfn + i, flags);
		if (flags & SHADOW_W)
			e->vm->page[gfn + i] |= MON_PAGE_DIRTY;
	}
	return true;
}

/* What shadow[] would say of a page that is mapped, by the guest's tables as they are now. 0: best not to map it. */
static uint32_t wanted(struct mon_engine *e, uint32_t page, struct mon_xlate *x)
{
	uint32_t gfn = 0, flags = neighbour_flags(e, (page << PLX_PAGE_SHIFT) - e->delta, &gfn, x);

	/* Without CR0.WP the rights to a user page depend on who asks. */
	if (!flags || ((flags & SHADOW_U) && !(e->vcpu->cr0 & X86_CR0_WP)))
		return 0;
	return gfn << PLX_PAGE_SHIFT | flags;
}

/* @page is, or is about to be, mapped as @entry, which came from @x. */
static void note_wanted(struct mon_engine *e, uint32_t page, uint32_t entry, const struct mon_xlate *x)
{
	if (!(entry & SHADOW_G))
		space_note(e, (page << PLX_PAGE_SHIFT) - e->delta, x);
}

/* How many pages from @page on, no more than REFRESH_RUN, changed their rights as @page did: @change is SHADOW_W, and W now @writable. */
static uint32_t run_of_rights(struct mon_engine *e, uint32_t page, bool writable)
{
	uint32_t n = 1;

	for (; n < REFRESH_RUN && page + n < 1u << 20; n++) {
		uint32_t old = e->space->shadow[page + n];
		struct mon_xlate x;

		if (!old || !!(old & SHADOW_W) == writable || (wanted(e, page + n, &x) ^ old) != SHADOW_W)
			break;
		note_wanted(e, page + n, old, &x);
	}
	return n;
}

static uint32_t run_of_lost(struct mon_engine *e, uint32_t page)
{
	struct mon_xlate x;
	uint32_t n = 1;

	while (n < REFRESH_RUN && page + n < 1u << 20 && e->space->shadow[page + n] && !wanted(e, page + n, &x))
		n++;
	return n;
}

/*
 * INVLPG: what is mapped at @linear must be as the guest's tables say now. Usually they say something close to what they said:
 * nothing new, other rights, or the copy after a copy-on-write; then one call puts it right, where dropping would cost a
 * call now and a fault and a call later.
 *
 * A kernel that changes a range changes its tables first, and then says INVLPG for page after page. A processor may forget what it
 * knows of a page at any time, and look it up again; so the neighbours that changed likewise are put right by the same call.
 */
void shadow_refresh(struct mon_engine *e, uint32_t linear)
{
	uint32_t page = host_page(e, linear), now, n, old = e->space->shadow[page];
	struct mon_xlate x;
	int err;

	if (!old)
		return;
	/* The tables loaded may be another space's already. */
	if (e->space != e->next_space) {
		shadow_drop(e, linear);
		return;
	}
	now = wanted(e, page, &x);
	if (now)
		note_wanted(e, page, now, &x);
	if (now == old)
		return;
	if (!now) {
		n = run_of_lost(e, page);
		for (uint32_t i = 0; i < n; i++)
			forget(e, page + i);
		unmap_run(e, page, n);
		return;
	}
	if ((old ^ now) == SHADOW_W) {
		n = run_of_rights(e, page, now & SHADOW_W);
		e->stats.protects++;
		err = e->ops->protect(e->host, page << PLX_PAGE_SHIFT, n << PLX_PAGE_SHIFT,
				      HOST_PROT_READ | (now & SHADOW_W ? HOST_PROT_WRITE : 0));
		if (shadow_make_room(e, err))
			return;
		if (err) {
			engine_die(e, "cannot change the rights of a guest page", err);
			return;
		}
		for (uint32_t i = 0; i < n; i++) {
			e->space->shadow[page + i] ^= SHADOW_W;
			if (now & SHADOW_W)
				e->vm->page[e->space->shadow[page + i] >> PLX_PAGE_SHIFT] |= MON_PAGE_DIRTY;
		}
		return;
	}
	map_run(e, page, 1, now >> PLX_PAGE_SHIFT, now & PLX_PAGE_MASK);
}

enum mon_status shadow_fill(struct mon_engine *e, uint32_t linear, bool write)
{
	struct mon_vcpu *v = e->vcpu;
	uint32_t page = host_page(e, linear);
	uint32_t gfn, flags = 0, first, last, limit_low, limit_high;
	struct mon_xlate x, nx;
	uint64_t entry;
	enum mon_status st;

	st = mon_translate(v, linear, write ? MON_ACC_WRITE : MON_ACC_READ, &x);
	if (st != MON_OK)
		return st;
	gfn = x.gpa >> PLX_PAGE_SHIFT;
	entry = e->vm->page[gfn];
	if (page << PLX_PAGE_SHIFT < e->min_linear) {
		e->low_accesses++;
		e->window_dirty = true;
		return MON_DEFER;
	}
	if (!(entry & MON_PAGE_PRESENT) || reserved(e, page))
		return MON_DEFER;
	if (write && (entry & MON_PAGE_CODE) && prescan_cache_frame_empty(&e->cache, gfn)) {
		e->vm->page[gfn] &= ~(uint64_t)MON_PAGE_CODE;	/* all its fragments are gone */
		entry = e->vm->page[gfn];
	}
	if (write && !frame_writable(entry))
		return MON_DEFER;
	if (x.writable && frame_writable(entry))
		flags |= SHADOW_W;
	if (x.user)
		flags |= SHADOW_U;
	if (x.global && (v->cr4 & X86_CR4_PGE))
		flags |= SHADOW_G;
	/* CR0.WP = 0 lets the kernel write what the user may not: such a view is the kernel's alone. */
	if (x.user && v->cpl < 3 && !(v->cr0 & X86_CR0_WP) && (flags & SHADOW_W)) {
		flags |= SHADOW_SW;
		e->space->cut_dirty = true;
	}
	flags |= SHADOW_P;
	if (!(flags & SHADOW_G))
		space_note(e, linear, &x);

	/* Neighbours with the same rights that lie in a row in guest physical memory too come along: a mapping
	 * call costs far more than a page. */
	first = last = page;
	if (x.page_bytes > PLX_PAGE_SIZE || !(v->cr0 & X86_CR0_PG)) {
		limit_low = page & ~0xffu;	/* 1 MiB */
		limit_high = limit_low | 0xff;
	} else {
		limit_low = page & ~(FILL_AROUND - 1u);
		limit_high = limit_low | (FILL_AROUND - 1);
	}
	while (last < limit_high && !e->space->shadow[last + 1] && !reserved(e, last + 1)) {
		uint32_t ngfn, nflags = neighbour_flags(e, ((last + 1) << PLX_PAGE_SHIFT) - e->delta, &ngfn, &nx);

		if ((nflags | SHADOW_SW) != (flags | SHADOW_SW) || ngfn != gfn + (last + 1 - page) ||
		    (e->vm->page[ngfn] >> PLX_PAGE_SHIFT) != (e->vm->page[gfn] >> PLX_PAGE_SHIFT) + (last + 1 - page))
			break;
		last++;
		if (!(flags & SHADOW_G))
			space_note(e, (last << PLX_PAGE_SHIFT) - e->delta, &nx);
	}
	while (first > limit_low && !e->space->shadow[first - 1] && !reserved(e, first - 1)) {
		uint32_t ngfn, nflags = neighbour_flags(e, ((first - 1) << PLX_PAGE_SHIFT) - e->delta, &ngfn, &nx);

		if ((nflags | SHADOW_SW) != (flags | SHADOW_SW) || ngfn != gfn - (page - (first - 1)) ||
		    (e->vm->page[ngfn] >> PLX_PAGE_SHIFT) != (e->vm->page[gfn] >> PLX_PAGE_SHIFT) - (page - (first - 1)))
			break;
		first--;
		if (!(flags & SHADOW_G))
			space_note(e, (first << PLX_PAGE_SHIFT) - e->delta, &nx);
	}
	if (!map_run(e, first, last - first + 1, gfn - (page - first), flags))
		return MON_DEFER;
	return MON_OK;
}

/*
 * Before CPL 3 code runs: its data segments end at the cut, the lowest supervisor page above every user page (in
 * steps of 4 MiB). Supervisor pages below the cut, and kernel-only writable views, cannot stay; or, where the host has a view
 * for CPL 3 that lacks them, that is used from here on.
 */
void shadow_enter_user(struct mon_engine *e)
{
	uint32_t top_user = 0, cut = 1024;
	uint32_t old = e->space->user_cut;

	e->space->cut_dirty = false;
	e->space->mixed = false;
	for (uint32_t r = 0; r < 1024; r++)
		if (e->space->region_u[r])
			top_user = r + 1;
	for (uint32_t r = 1023; r + 1 > top_user && r != UINT32_MAX; r--)
		if (e->space->region_s[r])
			cut = r;
	/* The window is out of the user's reach too wherever that is possible. */
	if (cut > e->window >> 22 && top_user <= e->window >> 22)
		cut = e->window >> 22;
	for (uint32_t r = 0; r < cut; r++) {
		uint32_t first = r << REGION_SHIFT;

		if (e->ops->use_view) {
			e->space->mixed |= e->space->region_s[r] || (e->space->region_u[r] && !(e->vcpu->cr0 & X86_CR0_WP));
			continue;
		}
		if (e->space->region_s[r])
			drop_matching(e, first, first + (1u << REGION_SHIFT), SHADOW_U, 0);
		if (e->space->region_u[r] && !(e->vcpu->cr0 & X86_CR0_WP))
			drop_matching(e, first, first + (1u << REGION_SHIFT), SHADOW_SW, SHADOW_SW);
	}
	e->space->user_cut = cut == 1024 ? 0 : (cut << 22) - e->delta;
	e->space->cut_dirty = false;
	if (e->space->user_cut != old)
		e->vcpu->seg_dirty = 0x3f;
}
