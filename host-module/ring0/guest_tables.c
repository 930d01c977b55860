/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/guest_tables.c - --descriptor-tables=guest: the processor's GDT and IDT at the linear addresses of the guest's own.
 *
 *      block (in the window, or above 4 GiB)             guest linear space
 *      GDT, IDT  --copied, at the guest's offset-->  [ supervisor page ] <-- GDTR, IDTR: the base is the guest's
 *      context, TSS, handlers: stay                         | whatever the guest does there faults, and is interpreted
 *                                                           +---> the guest's own page (monitor/shadow.c, reserved)
 *
 * What the guest has mapped at those addresses, if anything, does not matter: the pages are supervisor pages, it runs in ring 3, and
 * the interpreter knows the guest's tables alone. So all that has to be followed is the two bases, what else is ours in the linear space
 * (window, scratch page), and the space: a root has the pages only while it is in use with them. Before another root is loaded,
 * and before the window or the scratch page are placed, the tables go home into the block, which is always in order.
 *
 * While paging is off they stay in the block: boot loaders go to and fro between modes, with tables amid their data, and would run
 * several times slower. With paging on, a table that cannot stand where the guest's does stays there too ("fell back"): off 8 bytes'
 * alignment, for a descriptor may not lie across two cache lines where the host traps split locks; at the end of the space, which ours
 * would leave; in the window or the scratch page; and the IDT where it would lie over the GDT: ours has 16 bytes a gate, the guest's 8.
 *
 * Asked by:  monitor/run.c (op_settle in host_ops.c), host_ops.c. Asks: host_ops.c for mappings.
 * Tested by: tests/module/inside/descriptor_tables_stand_where_the_guest_has_its_own.
 */
#include "host-module/ring0/host.h"

#define IDT_BYTES	4096
#define LINEAR_END	0xfffff000ull	/* of what may be used: no page number wraps */

static const uint32_t bytes_of[2] = { [TABLE_GDT] = GDT_BYTES, [TABLE_IDT] = IDT_BYTES };
static const uint32_t block_offset[2] = { [TABLE_GDT] = BLOCK_GDT, [TABLE_IDT] = BLOCK_IDT };

static void load(const struct world_ctx *ctx)
{
	__asm__ volatile("lgdt %0" : : "m"(ctx->gdtr));
	__asm__ volatile("lidt %0" : : "m"(ctx->idtr));
}

void guest_tables_home(struct module_host *h)
{
	struct mon_engine *e = h->engine;

	h->tables_of_guest.settled = false;
	if (!e || !e->ntaken)
		return;
	h->ctx->gdtr.base = (uint64_t)h->ctx + BLOCK_GDT;
	h->ctx->idtr.base = (uint64_t)h->ctx + BLOCK_IDT;
	load(h->ctx);
	for (uint32_t i = 0; i < e->ntaken; i++)
		if (space_unmap(h, e->taken[i], PLX_PAGE_SIZE))
			world_die(h, "cannot take a descriptor table away", -PLX_ENOMEM);
	e->ntaken = 0;
}

static bool overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

/* May @which stand at @at? By whole pages against what else is ours, by bytes against the other table. */
static bool fits(const struct mon_engine *e, const struct guest_tables *g, unsigned int which)
{
	uint64_t at = g->base[which], first = at & ~(uint64_t)PLX_PAGE_MASK;
	uint64_t pages = ((at + bytes_of[which] + PLX_PAGE_MASK) & ~(uint64_t)PLX_PAGE_MASK) - first;

	return g->paging && !(at & 7) && first + pages <= LINEAR_END && first >= e->min_linear &&
	       !overlap(first, pages, e->window, WINDOW_BYTES) &&
	       !(e->user_scratch && overlap(first, pages, e->user_scratch, PLX_PAGE_SIZE)) &&
	       !(which == TABLE_IDT && g->stands[TABLE_GDT] && overlap(at, IDT_BYTES, g->base[TABLE_GDT], GDT_BYTES));
}

/* The number of @page among those taken; it joins them if it is new. */
static uint32_t take(struct mon_engine *e, uint32_t page)
{
	uint32_t i = 0;

	while (i < e->ntaken && e->taken[i] != page)
		i++;
	if (i == e->ntaken)
		e->taken[e->ntaken++] = page;
	return i;
}

static void copy_table(struct module_host *h, unsigned int which)
{
	struct guest_tables *g = &h->tables_of_guest;
	const uint8_t *from = (const uint8_t *)h->ctx + block_offset[which];
	uint32_t at = g->base[which], left = bytes_of[which];

	while (left) {
		uint32_t n = plx_min32(left, PLX_PAGE_SIZE - (at & PLX_PAGE_MASK));

		memcpy(g->page[take(h->engine, at & ~PLX_PAGE_MASK)] + (at & PLX_PAGE_MASK), from, n);
		at += n;
		from += n;
		left -= n;
	}
}

static bool show_pages(struct module_host *h)
{
	struct mon_engine *e = h->engine;

	for (uint32_t i = 0; i < e->ntaken; i++) {
		shadow_drop_range(e, e->taken[i], PLX_PAGE_SIZE);
		if (space_show_table(h, e->taken[i], h->tables_of_guest.page[i]))
			return false;
	}
	return true;
}

static void place(struct module_host *h)
{
	struct guest_tables *g = &h->tables_of_guest;
	struct mon_engine *e = h->engine;

	guest_tables_home(h);
	if (!g->page[0])
		for (unsigned int i = 0; i < PLX_ARRAY_SIZE(g->page); i++) {
			g->page[i] = arena_alloc(h, PLX_PAGE_SIZE, PLX_PAGE_SIZE);
			if (!g->page[i])
				world_die(h, "the descriptor tables do not fit the arena", 0);
		}
	for (unsigned int which = 0; which < 2; which++) {
		g->stands[which] = fits(e, g, which);
		if (g->stands[which])
			copy_table(h, which);
		if (g->base[which] != g->counted[which] || !g->stands[which] != g->counted_as_fallen[which]) {
			if (g->stands[which])
				e->stats.tables_moved++;
			else if (g->paging)
				e->stats.tables_fell_back++;
		}
		g->counted[which] = g->base[which];
		g->counted_as_fallen[which] = !g->stands[which];
	}
	if (!show_pages(h)) {
		engine_die(e, "cannot map a descriptor table where the guest has its own", -PLX_ENOMEM);
		return;
	}
	if (g->stands[TABLE_GDT])
		h->ctx->gdtr.base = g->base[TABLE_GDT];
	if (g->stands[TABLE_IDT])
		h->ctx->idtr.base = g->base[TABLE_IDT];
	load(h->ctx);
	g->settled = true;
}

void guest_tables_settle(struct module_host *h)
{
	struct guest_tables *g = &h->tables_of_guest;
	const struct mon_engine *e = h->engine;
	const struct mon_vcpu *v = h->vcpu;
	uint32_t gdt = v->gdtr.base + e->delta, idt = v->idtr.base + e->delta;
	bool paging = v->cr0 & X86_CR0_PG;

	if (g->settled && g->base[TABLE_GDT] == gdt && g->base[TABLE_IDT] == idt && g->paging == paging)
		return;
	g->base[TABLE_GDT] = gdt;
	g->base[TABLE_IDT] = idt;
	g->paging = paging;
	if (paging || h->engine->ntaken)
		place(h);
	else
		g->settled = true;
}

/* As the processor says it, not as the monitor believes. */
void guest_tables_ask(struct module_host *h)
{
	struct world_dtr gdtr, idtr;

	__asm__ volatile("sgdt %0" : "=m"(gdtr));
	__asm__ volatile("sidt %0" : "=m"(idtr));
	h->engine->stats.gdt_at = gdtr.base;
	h->engine->stats.idt_at = idtr.base;
}
