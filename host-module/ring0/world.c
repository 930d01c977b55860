/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/world.c - asking the host for something, and the memory that comes that way.
 *
 * The arena is 2 GiB of addresses: a page of it comes from the host when it is first touched, as in the process host, where
 * Linux does that. So the monitor's large, sparse tables cost what is used of them.
 * Asked by: everything here. Asks: world_call.S.
 */
#include "host-module/ring0/host.h"
#include "monitor/trace.h"

void world_sync(struct module_host *h)
{
	struct world_ctx *ctx = h->ctx;
	struct mon_engine *e = h->engine;
	bool kick = ctx->pause;

	if (!e)
		return;
	if (ctx->intr && !e->intr)
		kick = true;
	e->intr = ctx->intr;
	e->pause = ctx->pause;
	if (ctx->nmi) {
		ctx->nmi = 0;
		e->nmi = 1;
		kick = true;
	}
	if (ctx->stop) {
		e->stop |= ctx->stop;
		ctx->stop = 0;
		kick = true;
	}
	if (kick)
		h->vcpu->nexus.kick = 1;
}

void world_call(struct module_host *h, enum world_request_kind kind)
{
	/* What the program sees of inline sequences is at most a tick old, and right when the run is over. */
	if (kind == REQUEST_INTERRUPT || kind == REQUEST_WAIT || kind == REQUEST_PAUSE || kind == REQUEST_ENDED)
		trace_collect(h->engine);
	h->ctx->request = kind;
	world_call_switch(h->ctx);
	while (h->ctx->command != COMMAND_NONE) {
		uint32_t command = h->ctx->command;

		/* It may have to ask for pages in its turn. */
		h->ctx->command = COMMAND_NONE;
		start_command(h, command);
		h->ctx->request = REQUEST_COMMAND_DONE;
		world_call_switch(h->ctx);
	}
	world_sync(h);
	h->last_open = ring0_tsc();
}

void world_die(struct module_host *h, const char *what, int err)
{
	char *to = h->ctx->message, *end = to + sizeof(h->ctx->message) - 32;

	while (*what && to < end)
		*to++ = *what++;
	if (err) {
		const char *why = err == -PLX_ENOMEM ? ": out of memory" : ": error ";
		unsigned int n = (unsigned int)-err;

		while (*why)
			*to++ = *why++;
		if (err != -PLX_ENOMEM) {
			if (n >= 100)
				*to++ = (char)('0' + n / 100 % 10);
			*to++ = (char)('0' + n / 10 % 10);
			*to++ = (char)('0' + n % 10);
		}
	}
	*to = 0;
	for (;;)
		world_call(h, REQUEST_DIED);
}

bool tables_need(struct module_host *h)
{
	world_call(h, REQUEST_CHUNK);
	return h->ctx->a[0] == 0;
}

void tables_done(struct module_host *h, struct tables_inv *inv)
{
	(void)h;
	if (inv->kind == TABLES_INV_ALL)
		ring0_set_cr3(ring0_cr3());
	else if (inv->kind == TABLES_INV_PAGES)
		for (uint32_t i = 0; i < inv->npages; i++)
			ring0_invlpg(inv->va + (uint64_t)i * PLX_PAGE_SIZE);
	*inv = (struct tables_inv){ .kind = TABLES_INV_NONE };
}

#define ARENA_RESERVE (16u << 20)	/* for what the monitor cannot do without */

static void *arena_below(struct module_host *h, uint64_t nbytes, uint64_t align, uint64_t end)
{
	uint64_t at = (h->arena_next + align - 1) & ~(align - 1);

	if (at > end || nbytes > end - at)
		return NULL;
	h->arena_next = at + nbytes;
	return (void *)at;
}

void *arena_table(void *h, size_t nbytes)
{
	return arena_below(h, (nbytes + PLX_PAGE_MASK) & ~(uint64_t)PLX_PAGE_MASK, PLX_PAGE_SIZE,
			   WORLD_ARENA + WORLD_ARENA_BYTES - ARENA_RESERVE);
}

void *arena_alloc(struct module_host *h, uint64_t nbytes, uint64_t align)
{
	void *at = arena_below(h, nbytes, align, WORLD_ARENA + WORLD_ARENA_BYTES);

	if (!at)
		world_die(h, "the monitor has no addresses left", -PLX_ENOMEM);
	return at;
}

void arena_touch(const void *at, uint64_t nbytes)
{
	uint64_t va = (uint64_t)at & ~(uint64_t)PLX_PAGE_MASK;

	for (; va < (uint64_t)at + nbytes; va += PLX_PAGE_SIZE)
		(void)*(const volatile uint8_t *)va;
}

/* Neighbours come along: a table that is touched at all is mostly touched on. */
bool arena_fill(struct module_host *h, uint64_t va)
{
	struct tables_inv inv = { .kind = TABLES_INV_NONE };
	uint64_t end = (va | 0xffff) + 1;
	uint32_t n = 1;

	va &= ~(uint64_t)PLX_PAGE_MASK;
	while (va + (uint64_t)n * PLX_PAGE_SIZE < end && n < WORLD_PAGES_AT_ONCE &&
	       tables_lookup(&h->tables, TABLES_TEMPLATE, va + (uint64_t)n * PLX_PAGE_SIZE, NULL, NULL) == -PLX_ENOENT)
		n++;
	h->ctx->a[0] = n;
	h->ctx->q[0] = va;
	world_call(h, REQUEST_PAGES);
	n = h->ctx->a[0];
	for (uint32_t i = 0; i < n; i++) {
		uint64_t at = va + (uint64_t)i * PLX_PAGE_SIZE;
		int err = tables_map(&h->tables, at, h->ctx->page[i], PLX_PAGE_SIZE,
				     TABLES_W | TABLES_NX | TABLES_A | TABLES_D | TABLES_CREATE, &inv);

		/* The host keeps many table pages ready for each entry: this cannot come twice. */
		if (err)
			return false;
	}
	tables_done(h, &inv);
	return n > 0;
}

uint64_t world_phys(struct module_host *h, const void *at)
{
	uint64_t phys = 0;

	arena_touch(at, 1);
	tables_lookup(&h->tables, TABLES_TEMPLATE, (uint64_t)at, &phys, NULL);
	return phys;
}
