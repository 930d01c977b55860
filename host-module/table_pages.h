/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/table_pages.h - 4 KiB table pages, cut from 2 MiB pool pages.
 *
 *      chunk (a pool page of 2 MiB)
 *      | slot 0: bitmaps, its number, its physical address | slot 1 | slot 2 | ... | slot 511 |
 *
 * A table page is named by a reference, chunk number << 9 | slot; 0 is none (slot 0 is never a table). References mean the same
 * in every world; only struct table_pages, of which each world makes one for itself, has addresses.
 *
 * Two kinds of table pages: *traced* ones belong to page tables and are freed by tracing (host-module/collect.c), never one by
 * one; *pinned* ones (host-module/physmap.c) are freed by their owner, and tracing leaves them alone.
 *
 * Locking:   one owner, the holder of the VM's run lock. Nothing here sleeps. need_page may not sleep either where the monitor
 *            runs with the host's interrupts off: it takes a page that was put aside before, or answers -PLX_ENOMEM.
 * Tested by: tests/unit/test_tables.c, tests/unit/test_physmap.c.
 */
#ifndef HOST_MODULE_TABLE_PAGES_H
#define HOST_MODULE_TABLE_PAGES_H

#include "plexus/base.h"
#include "plexus/errors.h"
#include "host-module/pool.h"

#define TABLE_MAX_CHUNKS	16384u	/* 32 GiB of tables: as many as the spare bits of an entry can name (tables.h) */
#define TABLE_SLOTS		512u
#define TABLE_NONE		0u

typedef uint32_t table_ref;

/* Shared between worlds; no pointers. */
struct table_pages_state {
	uint32_t max_chunks;
	uint32_t nchunks;		/* numbers in use are below this; some may be empty */
	uint32_t nfree;			/* free slots over all chunks */
	uint32_t nused;			/* traced and pinned ones */
	uint32_t first_free;		/* no chunk below has a free slot */
	uint32_t nlive;			/* chunks that there are */
	uint64_t asked, got;		/* of need_page */
	struct {
		uint32_t pool_index;	/* ~0: no chunk has this number */
		uint32_t nfree;
	} chunk[];
};

/* One for each world. */
struct table_pages {
	struct table_pages_state *state;
	uint8_t *pool_base;		/* pool page i stands at pool_base + i * 2 MiB */
	const uint64_t *phys;		/* physical address of pool page i, for table_pages_add alone; NULL: i * 2 MiB */
	/* Gives a pool page that is the tables' own from now on, fit for table_pages_add, or -PLX_ENOMEM. NULL: there is never one. */
	int (*need_page)(void *arg, uint32_t *pool_index);
	void *need_arg;
};

/* First in each chunk. */
struct table_chunk {
	uint64_t phys;
	uint32_t number, pool_index;
	uint64_t used[8];	/* bit a slot; slot 0 always set */
	uint64_t pinned[8];	/* subset of used */
	uint64_t marked[8];	/* while tracing */
};

size_t table_pages_bytes(uint32_t max_chunks);	/* 0: not 1..TABLE_MAX_CHUNKS */
int table_pages_init(struct table_pages_state *state, uint32_t max_chunks);
/* The pool page (taken from the pool by the caller) becomes a chunk. -PLX_EEXIST: it is one already; -PLX_ENOSPC: max_chunks;
 * -PLX_EINVAL: phys[] not 2 MiB aligned or above 52 bits. */
int table_pages_add(struct table_pages *pages, uint32_t pool_index);
/* A chunk without a table in it stops being one: the caller gives the pool page back. -PLX_ENOENT: there is none. */
int table_pages_release(struct table_pages *pages, uint32_t *pool_index);
/* A zeroed page; TABLE_NONE: none free. Asks nobody. */
table_ref table_page_alloc(struct table_pages *pages, bool pinned);
/* Pinned pages only. */
void table_page_free(struct table_pages *pages, table_ref ref);
/* Ask need_page until @n are free. False: it had no more; what it gave stays. */
bool table_pages_want(struct table_pages *pages, uint32_t n);

static inline uint8_t *table_pool_page(const struct table_pages *pages, uint32_t pool_index)
{
	return pages->pool_base + ((uint64_t)pool_index << POOL_PAGE_SHIFT);
}

static inline struct table_chunk *table_chunk(const struct table_pages *pages, uint32_t number)
{
	return (struct table_chunk *)table_pool_page(pages, pages->state->chunk[number].pool_index);
}

static inline uint64_t *table_page(const struct table_pages *pages, table_ref ref)
{
	return (uint64_t *)((uint8_t *)table_chunk(pages, ref / TABLE_SLOTS) + (uint64_t)(ref % TABLE_SLOTS) * PLX_PAGE_SIZE);
}

static inline uint64_t table_page_phys(const struct table_pages *pages, table_ref ref)
{
	return table_chunk(pages, ref / TABLE_SLOTS)->phys + (uint64_t)(ref % TABLE_SLOTS) * PLX_PAGE_SIZE;
}

#endif
