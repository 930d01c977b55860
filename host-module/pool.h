/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/pool.h - which 2 MiB pages the module host has, and which of them are free.
 *
 *      16 TiB = 8 Mi pages          bit       a page
 *                8 Ki sets          counter   1,024 pages    free pages in it, 16 bits
 *                256 supersets      counter   32 sets        32 * 1,024 pages: still 16 bits
 *
 * Finding the lowest free page looks at 256 + 32 counters and 16 words of bits at most, whatever the fill.
 *
 * A page is *absent* (never added, or removed), *free*, or *taken*. One bit (free) would not tell absent from taken, and the
 * errors below would be guesses: so there are two, free and present, in bitmaps of equal shape. Only the free bits are counted by set.
 *
 * Asked by:  the module proper (pages come from the host there, and go back), and the monitor in ring 0 (takes and gives).
 * Never:     touches a page, allocates, sleeps, or knows an address: it numbers pages, and holds no pointer itself. Its memory can
 *            be mapped at different addresses in the host's world and the monitor's.
 * Locking:   none inside. The one pool of a VM belongs to whoever holds the VM's run lock; a pool that several VMs share needs
 *            a lock of its own around each call here (a spinlock will do: each call is some 300 loads at most).
 * Errors:    every call that returns an error has changed nothing.
 * Tested by: tests/unit/test_pool.c, against a byte a page.
 */
#ifndef HOST_MODULE_POOL_H
#define HOST_MODULE_POOL_H

#include "plexus/base.h"
#include "plexus/errors.h"

#define POOL_PAGE_SHIFT		21
#define POOL_PAGE_BYTES		(1u << POOL_PAGE_SHIFT)
#define POOL_SET_PAGES		1024u
#define POOL_SUPERSET_SETS	32u
#define POOL_MAX_PAGES		(8u << 20)	/* 16 TiB */

struct pool;	/* lies at the start of the memory given to pool_init */

/* Bytes of tracking for @npages, the struct itself included. 0: @npages is 0 or above POOL_MAX_PAGES. */
size_t pool_bytes(uint32_t npages);
/* @memory: pool_bytes(@npages), aligned to 8. Every page is absent then. -PLX_EINVAL: as pool_bytes; or misaligned. */
int pool_init(void *memory, uint32_t npages);

/* -PLX_EINVAL everywhere: @index is not below the capacity. */
int pool_add(struct pool *pool, uint32_t index);	/* absent -> free; -PLX_EEXIST: not absent */
int pool_remove(struct pool *pool, uint32_t index);	/* free -> absent; -PLX_ENOENT: absent; -PLX_EBUSY: taken */
int pool_take(struct pool *pool, uint32_t *index);	/* the lowest free one -> taken; -PLX_ENOMEM: none is free */
int pool_take_at(struct pool *pool, uint32_t index);	/* free -> taken; -PLX_ENOENT: absent; -PLX_EBUSY: taken */
int pool_give(struct pool *pool, uint32_t index);	/* taken -> free; -PLX_ENOENT: absent; -PLX_EALREADY: free */

enum pool_page { POOL_ABSENT, POOL_FREE, POOL_TAKEN };
enum pool_page pool_state(const struct pool *pool, uint32_t index);	/* beyond the capacity: absent */
uint32_t pool_free_count(const struct pool *pool);
uint32_t pool_present_count(const struct pool *pool);	/* free and taken */
uint32_t pool_capacity(const struct pool *pool);

#endif
