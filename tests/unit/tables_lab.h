/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/tables_lab.h - what the tests of the module host's memory structures share: random numbers whose seed is told, and a pool of
 * 2 MiB pages that stand in one place and have physical addresses in quite another order.
 */
#ifndef TESTS_UNIT_TABLES_LAB_H
#define TESTS_UNIT_TABLES_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "host-module/table_pages.h"

struct lab_random { uint64_t x; };

/* PLX_SEED=... repeats a run. */
static inline struct lab_random lab_seed(const char *what)
{
	const char *given = getenv("PLX_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 0x9e3779b97f4a7c15ull;

	print_message("%s: PLX_SEED=0x%llx\n", what, (unsigned long long)seed);
	return (struct lab_random){ seed ? seed : 1 };
}

static inline uint32_t lab_below(struct lab_random *r, uint32_t n)	/* xorshift64* */
{
	r->x ^= r->x >> 12;
	r->x ^= r->x << 25;
	r->x ^= r->x >> 27;
	return (uint32_t)((r->x * 0x2545f4914f6cdd1dull) >> 32) % n;
}

#define LAB_PAGES	64u
#define LAB_PHYS_BASE	0x140000000ull	/* 5 GiB */

struct lab {
	uint8_t *base;
	uint64_t phys[LAB_PAGES];
	uint32_t next;		/* pages below are given away */
	uint32_t limit;		/* as many as need_page may give */
	struct table_pages pages;
};

/* 37 and 64 have no common divisor: each page has a place of its own, and neighbours are not neighbours. */
static inline uint64_t lab_phys_of(uint32_t index)
{
	return LAB_PHYS_BASE + (uint64_t)(index * 37u % LAB_PAGES) * POOL_PAGE_BYTES;
}

static inline int lab_need_page(void *arg, uint32_t *index)
{
	struct lab *lab = arg;

	if (lab->next >= lab->limit)
		return -PLX_ENOMEM;
	*index = lab->next++;
	return 0;
}

static inline void lab_init(struct lab *lab, uint32_t max_chunks, uint32_t limit)
{
	memset(lab, 0, sizeof(*lab));
	lab->limit = limit;
	lab->base = mmap(NULL, (size_t)LAB_PAGES * POOL_PAGE_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(lab->base != MAP_FAILED);
	for (uint32_t i = 0; i < LAB_PAGES; i++)
		lab->phys[i] = lab_phys_of(i);
	lab->pages.state = malloc(table_pages_bytes(max_chunks));
	assert_int_equal(table_pages_init(lab->pages.state, max_chunks), 0);
	lab->pages.pool_base = lab->base;
	lab->pages.phys = lab->phys;
	lab->pages.need_page = lab_need_page;
	lab->pages.need_arg = lab;
}

static inline void lab_done(struct lab *lab)
{
	munmap(lab->base, (size_t)LAB_PAGES * POOL_PAGE_BYTES);
	free(lab->pages.state);
}

/* What a processor would find at a physical address. NULL: not the pool's memory. */
static inline uint8_t *lab_at(const struct lab *lab, uint64_t phys)
{
	for (uint32_t i = 0; i < LAB_PAGES; i++)
		if (phys - lab_phys_of(i) < POOL_PAGE_BYTES)
			return lab->base + (size_t)i * POOL_PAGE_BYTES + (phys - lab_phys_of(i));
	return NULL;
}

#endif
