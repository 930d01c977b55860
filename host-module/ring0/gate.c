/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/gate.c - around gate_handler.S: its two pages, what it must know of the guest's present state, and where it stopped.
 *
 * Asked by: start.c (once), trap.c (each entry, each interrupt or fault of its).
 */
#include "host-module/ring0/host.h"
#include "nexus/gate.h"

#define GATE_CODE_FLAGS	(TABLES_U | TABLES_A | TABLES_CREATE)
#define GATE_DATA_FLAGS	(TABLES_U | TABLES_W | TABLES_NX | TABLES_A | TABLES_D | TABLES_CREATE)

extern const uint8_t gate_start[], gate_end[];

/* The page behind the code; the rest of it is the stack. */
struct gate_data {
	uint32_t cs_base, flag_page, bias, selectors, user_selectors, pad;
	uint64_t done;
	uint8_t stack[PLX_PAGE_SIZE - 32];
};

_Static_assert(offsetof(struct gate_data, cs_base) == G_CS_BASE, "world.h");
_Static_assert(offsetof(struct gate_data, flag_page) == G_FLAG_PAGE, "world.h");
_Static_assert(offsetof(struct gate_data, bias) == G_BIAS, "world.h");
_Static_assert(offsetof(struct gate_data, selectors) == G_SELECTORS, "world.h");
_Static_assert(offsetof(struct gate_data, user_selectors) == G_USER_SELECTORS, "world.h");
_Static_assert(offsetof(struct gate_data, done) == G_DONE, "world.h");
_Static_assert(sizeof(struct gate_data) == PLX_PAGE_SIZE, "gate.c");
_Static_assert(offsetof(struct nexus_flag_page, vif) == 0 && offsetof(struct nexus_flag_page, pending) == 4, "gate_handler.S");
_Static_assert(GATE_ODD_FLAGS == (X86_FLAG_TF | X86_FLAG_IOPL | X86_FLAG_NT | X86_FLAG_RF | X86_FLAG_VM | X86_FLAG_AC |
				  X86_FLAG_VIF | X86_FLAG_VIP), "nexus/gate.h");
_Static_assert(GATE_TAKEN_FLAGS == (X86_FLAGS_STATUS | X86_FLAG_DF | X86_FLAG_ID), "nexus/gate.h");

static void map_page(struct module_host *h, uint64_t va, const void *page, uint64_t flags)
{
	struct tables_inv inv = { .kind = TABLES_INV_NONE };

	while (tables_map(&h->tables, va, world_phys(h, page), PLX_PAGE_SIZE, flags, &inv))
		if (!tables_need(h))
			world_die(h, "cannot map the gate's pages", -PLX_ENOMEM);
	tables_done(h, &inv);
}

void gate_create(struct module_host *h)
{
	uint8_t *code = arena_alloc(h, PLX_PAGE_SIZE, PLX_PAGE_SIZE);

	h->gate = arena_alloc(h, PLX_PAGE_SIZE, PLX_PAGE_SIZE);
	memcpy(code, gate_start, (size_t)(gate_end - gate_start));
	h->gate_code = code;
	arena_touch(h->gate, PLX_PAGE_SIZE);
	map_page(h, WORLD_GATE, code, GATE_CODE_FLAGS);
	map_page(h, WORLD_GATE + PLX_PAGE_SIZE, h->gate, GATE_DATA_FLAGS);
	block_anew(h);		/* with INT3's gate: with --monitor-high they are never written again */
}

/* The handler sees host linear addresses: it is 64-bit code, which no segment moves. */
void gate_arm(struct module_host *h)
{
	const struct mon_engine *e = h->engine;
	struct gate_data *d = h->gate;
	const uint32_t sel = (uint32_t)offsetof(struct nexus_scratch_page, sel);

	d->cs_base = e->cs_host_base;
	d->bias = e->cache.env.data_bias;
	d->flag_page = e->window + WINDOW_FLAG_PAGE;
	d->selectors = e->window + WINDOW_SCRATCH_PAGE + sel;
	d->user_selectors = e->cache.env.user_scratch + sel;
}

void gate_leave(struct module_host *h)
{
	if (!h->gate)
		return;
	h->gate = NULL;
	h->engine->cache.env.strategy = REWRITE_INT3;
	prescan_cache_flush(&h->engine->cache);
	block_again(h);
}

uint64_t gate_done(const struct module_host *h)
{
	return h->gate ? h->gate->done : 0;
}

/* As IRETQ reads it, and as an interrupt to it pushes it. */
struct iret_frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

static bool at_iretq(const struct module_host *h, uint64_t rip)
{
	const uint8_t *at = h->gate_code + (rip - WORLD_GATE);

	return at[0] == 0x48 && at[1] == 0xcf;
}

enum gate_stop gate_settle(struct module_host *h, struct world_frame *f)
{
	const struct iret_frame *from = (const struct iret_frame *)((const uint8_t *)h->gate + PLX_PAGE_SIZE) - 1;
	bool done;

	if (!h->gate || (f->cs & 0xffff) != SEL_CS64 || f->rip - WORLD_GATE >= PLX_PAGE_SIZE - 1)
		return GATE_ELSEWHERE;
	done = at_iretq(h, f->rip);
	if (done)
		from--;
	f->rip = done ? from->rip : from->rip - 1;	/* or at the INT3 */
	f->cs = from->cs;
	f->rflags = from->rflags;
	f->rsp = from->rsp;
	f->ss = from->ss;
	return done ? GATE_WAS_DONE : GATE_STARTS_OVER;
}

uint32_t gate_site(const struct module_host *h, const struct world_frame *f)
{
	const struct mon_engine *e = h->engine;
	uint32_t offset = (uint32_t)f->rip + 1 + e->cs_host_base - e->window, site;

	if (offset < WINDOW_CODE || offset >= WINDOW_COLD)
		return NX_EXIT_SPECIAL;
	memcpy(&site, e->cache.rw + offset, 4);
	return site;
}
