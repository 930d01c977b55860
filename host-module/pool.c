/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/pool.c - 2 MiB pages by number: absent, free or taken. See host-module/pool.h.
 *
 * In memory: the struct, superset counters, set counters, present bits, free bits; each at an offset that follows from
 * the capacity, and rounded up so that the bitmaps are aligned. The last set and superset may reach beyond the capacity: the
 * bits there are never present, so nobody finds them.
 */
#include "host-module/pool.h"

#define SET_WORDS (POOL_SET_PAGES / 64)

struct pool {
	uint32_t npages, nsets, nsupersets;
	uint32_t nfree, npresent;
	uint32_t reserved;
};

_Static_assert(POOL_SUPERSET_SETS * POOL_SET_PAGES < 1u << 16, "a superset's free pages are counted in 16 bits");
_Static_assert(sizeof(struct pool) % 8 == 0, "the counters and bitmaps behind it stay aligned");

static uint32_t sets_of(uint32_t npages)
{
	return (npages + POOL_SET_PAGES - 1) / POOL_SET_PAGES;
}

static uint32_t supersets_of(uint32_t nsets)
{
	return (nsets + POOL_SUPERSET_SETS - 1) / POOL_SUPERSET_SETS;
}

/* Both kinds of counters, up to a multiple of 8 bytes. */
static size_t counter_bytes(uint32_t nsets)
{
	return (((size_t)supersets_of(nsets) + nsets) * sizeof(uint16_t) + 7) & ~(size_t)7;
}

static uint16_t *superset_free(const struct pool *pool)
{
	return (uint16_t *)(pool + 1);
}

static uint16_t *set_free(const struct pool *pool)
{
	return superset_free(pool) + pool->nsupersets;
}

static uint64_t *present_bits(const struct pool *pool)
{
	return (uint64_t *)((uint8_t *)(pool + 1) + counter_bytes(pool->nsets));
}

static uint64_t *free_bits(const struct pool *pool)
{
	return present_bits(pool) + (size_t)pool->nsets * SET_WORDS;
}

static bool is_set(const uint64_t *bits, uint32_t index)
{
	return bits[index / 64] >> index % 64 & 1;
}

size_t pool_bytes(uint32_t npages)
{
	uint32_t nsets = sets_of(npages);

	if (!npages || npages > POOL_MAX_PAGES)
		return 0;
	return sizeof(struct pool) + counter_bytes(nsets) + 2 * (size_t)nsets * SET_WORDS * sizeof(uint64_t);
}

int pool_init(void *memory, uint32_t npages)
{
	struct pool *pool = memory;

	if (!pool_bytes(npages) || (uintptr_t)memory % 8)
		return -PLX_EINVAL;
	memset(memory, 0, pool_bytes(npages));
	pool->npages = npages;
	pool->nsets = sets_of(npages);
	pool->nsupersets = supersets_of(pool->nsets);
	return 0;
}

static void now_free(struct pool *pool, uint32_t index)
{
	free_bits(pool)[index / 64] |= 1ull << index % 64;
	set_free(pool)[index / POOL_SET_PAGES]++;
	superset_free(pool)[index / POOL_SET_PAGES / POOL_SUPERSET_SETS]++;
	pool->nfree++;
}

static void no_longer_free(struct pool *pool, uint32_t index)
{
	free_bits(pool)[index / 64] &= ~(1ull << index % 64);
	set_free(pool)[index / POOL_SET_PAGES]--;
	superset_free(pool)[index / POOL_SET_PAGES / POOL_SUPERSET_SETS]--;
	pool->nfree--;
}

enum pool_page pool_state(const struct pool *pool, uint32_t index)
{
	if (index >= pool->npages || !is_set(present_bits(pool), index))
		return POOL_ABSENT;
	return is_set(free_bits(pool), index) ? POOL_FREE : POOL_TAKEN;
}

int pool_add(struct pool *pool, uint32_t index)
{
	if (index >= pool->npages)
		return -PLX_EINVAL;
	if (pool_state(pool, index) != POOL_ABSENT)
		return -PLX_EEXIST;
	present_bits(pool)[index / 64] |= 1ull << index % 64;
	pool->npresent++;
	now_free(pool, index);
	return 0;
}

/* 0 if @index names a free page. */
static int must_be_free(const struct pool *pool, uint32_t index)
{
	if (index >= pool->npages)
		return -PLX_EINVAL;
	switch (pool_state(pool, index)) {
	case POOL_FREE:
		return 0;
	case POOL_TAKEN:
		return -PLX_EBUSY;
	default:
		return -PLX_ENOENT;
	}
}

int pool_remove(struct pool *pool, uint32_t index)
{
	int err = must_be_free(pool, index);

	if (err)
		return err;
	no_longer_free(pool, index);
	present_bits(pool)[index / 64] &= ~(1ull << index % 64);
	pool->npresent--;
	return 0;
}

int pool_take_at(struct pool *pool, uint32_t index)
{
	int err = must_be_free(pool, index);

	if (!err)
		no_longer_free(pool, index);
	return err;
}

int pool_take(struct pool *pool, uint32_t *index)
{
	const uint64_t *bits;
	uint32_t at = 0;

	if (!pool->nfree)
		return -PLX_ENOMEM;
	/* A counter above 0 says that the next level has something: no loop needs a bound. */
	while (!superset_free(pool)[at])
		at++;
	at *= POOL_SUPERSET_SETS;
	while (!set_free(pool)[at])
		at++;
	bits = free_bits(pool);
	at *= SET_WORDS;
	while (!bits[at])
		at++;
	*index = at * 64 + (uint32_t)__builtin_ctzll(bits[at]);
	no_longer_free(pool, *index);
	return 0;
}

int pool_give(struct pool *pool, uint32_t index)
{
	if (index >= pool->npages)
		return -PLX_EINVAL;
	switch (pool_state(pool, index)) {
	case POOL_TAKEN:
		now_free(pool, index);
		return 0;
	case POOL_FREE:
		return -PLX_EALREADY;
	default:
		return -PLX_ENOENT;
	}
}

uint32_t pool_free_count(const struct pool *pool)
{
	return pool->nfree;
}

uint32_t pool_present_count(const struct pool *pool)
{
	return pool->npresent;
}

uint32_t pool_capacity(const struct pool *pool)
{
	return pool->npages;
}
