/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/tables_inside.h - what tables.c, pairs.c and collect.c share, and nobody else.
 *
 * A call is an *edit*: a range, and what to do with it. Each is done in three steps: count (checks all, changes nothing, says how many
 * tables it needs), room (so many are free, or -PLX_ENOMEM), commit (cannot fail).
 */
#ifndef HOST_MODULE_TABLES_INSIDE_H
#define HOST_MODULE_TABLES_INSIDE_H

#include "host-module/tables.h"

#define ENTRY_P		((uint64_t)X86_PTE_P)
#define ENTRY_TABLE	((uint64_t)(X86_PTE_P | X86_PTE_W | X86_PTE_U))
#define ENTRY_LARGE	((uint64_t)X86_PTE_PS)
#define ENTRY_AD	((uint64_t)(X86_PTE_A | X86_PTE_D))
#define LARGE_BYTES	((uint64_t)POOL_PAGE_BYTES)
#define LOW_ENTRIES	4u	/* of the low PDPT: 4 GiB */

enum edit_kind { EDIT_MAP, EDIT_UNMAP, EDIT_PROTECT };

struct edit {
	enum edit_kind kind;
	uint64_t va, last;	/* of the first and the last byte */
	uint64_t phys;		/* map: of va */
	uint64_t leaf;		/* map, protect: rights, as in an entry; no address, no P, no PS */
	uint64_t mask;		/* protect: which of them */
	bool large, create, overwrite;
};

/* Where a walk starts: the template's top, or a view's PDPT of slot 0. */
struct start {
	table_ref ref;
	int level;
};

/* The part of an edit that lies under one entry of a PD. */
struct piece {
	uint64_t va, last;
	bool whole;		/* all 2 MiB of it */
	bool to_large;		/* map: it becomes a 2 MiB leaf */
	uint64_t phys;		/* map: of va */
	table_ref ref;		/* the lowest table above the leaves that exists here, */
	int level;		/* and its level: 2 is the PD */
	uint64_t pde;		/* 0 if level is above 2 */
};

/* Tables missing, each counted once though many pieces miss it: pieces come in order. */
struct tally {
	uint32_t need;
	uint64_t last[6];	/* by level: the last one counted, as va >> ... + 1 */
};

static inline unsigned int table_shift(int level)
{
	return PLX_PAGE_SHIFT + 9 * (unsigned int)(level - 1);
}

static inline uint64_t *table_entry(const struct tables *t, table_ref ref, int level, uint64_t va)
{
	return &table_page(&t->pages, ref)[va >> table_shift(level) & (TABLE_SLOTS - 1)];
}

static inline bool entry_is_table(uint64_t entry, int level)
{
	return entry & ENTRY_P && level > 1 && !(level == 2 && entry & ENTRY_LARGE);
}

/* The chunk's number is spread over ignored bits; the slot is in the address, for chunks are 2 MiB aligned. */
static inline table_ref entry_ref(uint64_t entry)
{
	uint32_t chunk = (uint32_t)(entry >> 9 & 7) | (uint32_t)(entry >> 52 & 0x7ff) << 3;

	return chunk * TABLE_SLOTS + (uint32_t)(entry >> PLX_PAGE_SHIFT & (TABLE_SLOTS - 1));
}

static inline uint64_t entry_to(const struct tables *t, table_ref ref)
{
	uint64_t chunk = ref / TABLE_SLOTS;

	return table_page_phys(&t->pages, ref) | t->state->config.sme_mask | ENTRY_TABLE | (chunk & 7) << 9 | (chunk >> 3) << 52;
}

/* The processor may walk here at any moment: one store, and after what it makes reachable. */
static inline void entry_set(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static inline unsigned int pt_index(uint64_t va)
{
	return (unsigned int)(va >> PLX_PAGE_SHIFT) & (TABLE_SLOTS - 1);
}

static inline bool tables_pair_used(const struct tables *t, uint32_t pair)
{
	return pair < TABLES_MAX_PAIRS && t->state->pair[pair].top[0] != TABLE_NONE;
}

/* tables.c */
void tables_inv_pages(struct tables_inv *inv, uint64_t va, uint64_t npages);
void tables_inv_all(struct tables_inv *inv);
/* Fill in @edit from arguments. 0 or -PLX_EINVAL; the range's place is the caller's to check. */
int edit_make(const struct tables *t, struct edit *edit, enum edit_kind kind, uint64_t va, uint64_t nbytes);
int edit_make_map(const struct tables *t, struct edit *edit, uint64_t va, uint64_t phys, uint64_t nbytes, uint64_t flags,
		  uint64_t allowed);
int edit_make_protect(const struct tables *t, struct edit *edit, uint64_t va, uint64_t nbytes, uint64_t mask, uint64_t flags,
		      uint64_t allowed);
/* The piece at @at; holes are taken as large as they are when nothing is to be mapped there. */
void edit_piece(const struct tables *t, struct start start, const struct edit *edit, uint64_t at, struct piece *piece);
void tally_missing(struct tally *tally, uint64_t va, int from, int to);
int edit_count(const struct tables *t, struct start start, const struct edit *edit, struct tally *tally);
void edit_commit(struct tables *t, struct start start, const struct edit *edit, struct tables_inv *inv);
/* Make the tables from below @piece->level down to @to, linked; fills in the piece's ref and level. */
void edit_descend(struct tables *t, struct piece *piece, int to);
/* A table of 4 KiB leaves that map what the 2 MiB leaf @pde does; not linked yet. */
table_ref edit_split(struct tables *t, uint64_t pde);
/* After a count that was not satisfied, the @step-th in a row: find pages. False: there is no more to be tried. */
bool tables_find_room(struct tables *t, uint32_t need, unsigned int step, struct tables_inv *inv);

#endif
