/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/bench/tables.c - what the module host's page tables cost: make tests/bench/tables, and run it.
 *
 * Random pages of a 4 GiB space whose 2,048 tables all exist are the worst case: each call misses the processor's caches. The best of
 * several rounds counts. Prints "bench tables NAME VALUE UNIT" lines.
 */
#include <time.h>

#include "tests/unit/tables_lab.h"
#include "host-module/tables.h"

#define CALLS	200000
#define ROUNDS	5
#define RIGHTS	(TABLES_W | TABLES_U | TABLES_CREATE | TABLES_OVERWRITE)

static struct lab lab;
static struct tables t;
static struct tables_state state;
static struct tables_inv inv;
static uint32_t pair, spread;	/* pages are taken from so much of the space */

static uint32_t place(unsigned int i)
{
	return (i * 2654435761u & (spread - 1)) & ~(uint32_t)PLX_PAGE_MASK;
}

static void map_one_view(unsigned int i)
{
	pair_map(&t, pair, place(i), (uint64_t)(i & 0xffff) << PLX_PAGE_SHIFT, PLX_PAGE_SIZE, RIGHTS, &inv);
}

static void map_both_views(unsigned int i)
{
	pair_map(&t, pair, place(i), (uint64_t)(i & 0xffff) << PLX_PAGE_SHIFT, PLX_PAGE_SIZE, RIGHTS | TABLES_BOTH, &inv);
}

static void protect(unsigned int i)
{
	pair_protect(&t, pair, place(i), PLX_PAGE_SIZE, TABLES_W, i & 1 ? TABLES_W : 0, &inv);
}

static void map_16_pages(unsigned int i)
{
	pair_map(&t, pair, place(i) & ~0xffffu, (uint64_t)(i & 0xffff) << 16, 0x10000, RIGHTS, &inv);
}

static void unmap(unsigned int i)
{
	pair_unmap(&t, pair, place(i), PLX_PAGE_SIZE, &inv);
}

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void each(const char *name, const char *where, void (*call)(unsigned int i))
{
	double best = 1e18;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		double from = now_ns(), ns;

		for (unsigned int i = 0; i < CALLS; i++)
			call(i);
		ns = (now_ns() - from) / CALLS;
		best = ns < best ? ns : best;
	}
	printf("bench tables %s_%s %.0f ns\n", name, where, best);
}

static void all_calls(const char *where)
{
	each("map_both_views", where, map_both_views);
	each("protect_both_views", where, protect);
	each("map_one_view", where, map_one_view);
	each("map_16_pages", where, map_16_pages);
	each("unmap", where, unmap);
}

int main(void)
{
	static const struct tables_config config = { .levels = 4, .nx = true, .phys_bits = 46 };
	double from;
	uint32_t freed;

	lab_init(&lab, LAB_PAGES, LAB_PAGES);
	t.pages = lab.pages;
	if (tables_init(&t, &state, &config) || pair_alloc(&t, &pair, &inv))
		return 1;
	spread = 1u << 24;
	all_calls("within_16_mib");
	spread = 0;		/* less 1: all */
	all_calls("within_4_gib");
	map_both_views(0);
	from = now_ns();
	tables_collect(&t, &inv);
	printf("bench tables collect_%u_in_use %.0f us\n", t.pages.state->nused, (now_ns() - from) / 1e3);
	from = now_ns();
	pair_clear(&t, pair, &inv);
	printf("bench tables clear %.0f ns\n", now_ns() - from);
	from = now_ns();
	freed = tables_collect(&t, &inv);
	printf("bench tables collect_%u_garbage %.0f us\n", freed, (now_ns() - from) / 1e3);
	lab_done(&lab);
	return 0;
}
