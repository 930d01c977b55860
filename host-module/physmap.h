/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/physmap.h - guest physical page -> host page.
 *
 *      bits 51..48   47..39   38..30   29..21   20..12
 *           top[16] -> 512 --> 512 --> 512 --> 512 entries, a host page each
 *
 * The tables are pinned pages of host-module/table_pages.h. An entry never has bit 0 set: should a processor still walk, through a
 * stale cached entry, a page that was a page table once and is one of these now, it finds nothing present.
 *
 * The module's: the offset in a machine's RAM object (PLEXUS_MMAP_RAM), to the page that is there. Which guest physical page shows
 * which offset is struct mon_vm's affair: there the kinds of memory are, and ROMs and A20.
 *
 * Locking:   one owner, the holder of the VM's run lock, which also owns the table pages. Nothing here sleeps.
 * Errors:    all checks stand before the first change: after an error nothing has changed, tables made on the way included.
 * Tested by: tests/unit/test_physmap.c, against a plain array.
 */
#ifndef HOST_MODULE_PHYSMAP_H
#define HOST_MODULE_PHYSMAP_H

#include "host-module/table_pages.h"

#define PHYSMAP_BITS	52	/* of guest physical addresses, and of host ones */

/* No pointers: the same in every world. */
struct physmap {
	table_ref top[16];
	uint64_t nr_mapped;	/* pages */
	uint32_t nr_tables;
};

void physmap_init(struct physmap *map);

/*
 * Both addresses are of whole pages, below 1 << 52.
 * -PLX_EINVAL: misaligned, or out of range.
 * -PLX_EEXIST: a mapping is there, and not @overwrite.
 * -PLX_ENOENT: a parent table is missing, and not @create.
 * -PLX_ENOMEM: tables are missing and there are not enough pages for all of them. tables_collect may find some.
 */
int physmap_map(struct physmap *map, struct table_pages *pages, uint64_t guest_physical, uint64_t host_page,
		bool create, bool overwrite);
/* -PLX_EINVAL; -PLX_ENOENT: nothing is mapped there. Tables stay until physmap_trim. */
int physmap_unmap(struct physmap *map, struct table_pages *pages, uint64_t guest_physical);
/* -PLX_EINVAL: out of range; -PLX_ENOENT. @guest_physical may point into a page; so does *@host then. */
int physmap_lookup(const struct physmap *map, const struct table_pages *pages, uint64_t guest_physical, uint64_t *host);
/* How many bytes from @guest_physical on, at most @nbytes and none beyond the 2 MiB around it, lie one behind the other from *@host on.
 * 0: nothing is mapped there, or it is out of range. */
uint64_t physmap_run(const struct physmap *map, const struct table_pages *pages, uint64_t guest_physical, uint64_t nbytes, uint64_t *host);
/* The first mapping at or above @from. -PLX_ENOENT: no more. */
int physmap_next(const struct physmap *map, const struct table_pages *pages, uint64_t from,
		 uint64_t *guest_physical, uint64_t *host_page);
/* Call @fn for each mapping in [@from, @to) upward, until it returns other than 0; returns that, or 0. @fn may unmap what it
 * is shown, and change any mapping above; it may not trim or clear. */
int physmap_walk(const struct physmap *map, const struct table_pages *pages, uint64_t from, uint64_t to,
		 int (*fn)(void *arg, uint64_t guest_physical, uint64_t host_page), void *arg);
/* Free the tables that have no mapping in them; returns how many. */
uint32_t physmap_trim(struct physmap *map, struct table_pages *pages);
/* Unmap all, free all. */
void physmap_clear(struct physmap *map, struct table_pages *pages);

#endif
