/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/tables_walker.h - a processor's view of page tables: it knows CR3 and physical memory, and nothing of ours.
 *
 * On its way it holds every entry to what host-module/tables.h promises of it, and sets A in those that point to tables, as
 * processors do.
 */
#ifndef TESTS_UNIT_TABLES_WALKER_H
#define TESTS_UNIT_TABLES_WALKER_H

#include "tables_lab.h"
#include "host-module/tables.h"

struct tables_lab {
	struct lab lab;
	struct tables t;
	struct tables_state state;
	struct tables_inv inv;
};

static inline void tables_lab_init(struct tables_lab *l, const struct tables_config *config, uint32_t limit)
{
	memset(l, 0, sizeof(*l));
	lab_init(&l->lab, LAB_PAGES, limit);
	l->t.pages = l->lab.pages;
	l->t.pages.need_arg = &l->lab;
	assert_int_equal(tables_init(&l->t, &l->state, config), 0);
}

#define WALK_ADDRESS(l, entry)	((entry) & ((1ull << 52) - PLX_PAGE_SIZE) & ~(l)->state.config.sme_mask)

static inline uint64_t *walk_table(const struct tables_lab *l, uint64_t address)
{
	uint64_t *table = (uint64_t *)lab_at(&l->lab, address);
	const struct table_chunk *chunk;
	uint64_t slot = address / PLX_PAGE_SIZE % TABLE_SLOTS;

	assert_non_null(table);
	chunk = (const void *)((uintptr_t)table - slot * PLX_PAGE_SIZE);
	assert_true(slot > 0);				/* slot 0 is bookkeeping */
	assert_true(chunk->used[slot / 64] >> slot % 64 & 1);
	assert_false(chunk->pinned[slot / 64] >> slot % 64 & 1);
	return table;
}

struct walk {
	bool present, large;
	uint64_t phys;		/* of the page's 4 KiB */
	uint64_t rights;	/* W U PWT PCD A D NX, all levels taken together */
	uint64_t table[6];	/* by level: address of the table walked through, 0 if it did not get there */
};

static inline bool walk_is_table(uint64_t entry, int level)
{
	return entry & 1 && level > 1 && !(level == 2 && entry & X86_PTE_PS);
}

static inline struct walk walk(const struct tables_lab *l, uint64_t cr3, uint64_t va)
{
	const struct tables_config *config = &l->state.config;
	struct walk w = { 0 };
	uint64_t address = WALK_ADDRESS(l, cr3), entry, size;

	assert_int_equal(cr3, address | config->sme_mask);
	for (int level = config->levels;; level--) {
		w.table[level] = address;
		entry = walk_table(l, address)[va >> (12 + 9 * (level - 1)) & 511];
		if (!(entry & 1)) {
			assert_int_equal(entry, 0);
			return w;
		}
		assert_int_equal(entry & config->sme_mask, config->sme_mask);
		assert_int_equal(entry & X86_PTE_G, 0);
		address = WALK_ADDRESS(l, entry);
		if (walk_is_table(entry, level)) {
			assert_int_equal(entry & 7, 7);
			assert_int_equal(entry >> 63, 0);
			assert_int_equal(entry & X86_PTE_PS, 0);
			walk_table(l, w.table[level])[va >> (12 + 9 * (level - 1)) & 511] |= X86_PTE_A;
			continue;
		}
		assert_true(level <= 2);
		assert_int_equal(level == 1 && entry & X86_PTE_PS, 0);	/* PAT */
		assert_int_equal(entry & 0x7ff0000000000800, 0);
		assert_true(config->nx || !(entry >> 63));
		size = level == 2 ? 1 << 21 : 1 << 12;
		assert_int_equal(address % size, 0);
		assert_int_equal(address >> config->phys_bits, 0);
		w.present = true;
		w.large = level == 2;
		w.phys = address + (va & (size - 1) & ~0xfffull);
		w.rights = entry & (TABLES_W | TABLES_U | TABLES_PWT | TABLES_PCD | TABLES_A | TABLES_D | TABLES_NX);
		return w;
	}
}

/* The entry of the leaf, to play the processor that sets A and D. */
static inline uint64_t *walk_leaf(const struct tables_lab *l, uint32_t root, uint64_t va)
{
	struct walk w = walk(l, tables_root(&l->t, root), va);
	int level = w.large ? 2 : 1;

	assert_true(w.present);
	return &walk_table(l, w.table[level])[va >> (12 + 9 * (level - 1)) & 511];
}

struct reach { uint8_t seen[LAB_PAGES][TABLE_SLOTS]; uint32_t n; };

static inline void reach_from(const struct tables_lab *l, struct reach *r, uint64_t address, int level)
{
	uint64_t *table = walk_table(l, address);
	size_t at = (size_t)((uint8_t *)table - l->lab.base);
	uint8_t *seen = &r->seen[at / POOL_PAGE_BYTES][at / PLX_PAGE_SIZE % TABLE_SLOTS];

	if (*seen)
		return;
	*seen = 1;
	r->n++;
	for (unsigned int i = 0; level > 1 && i < 512; i++)
		if (walk_is_table(table[i], level))
			reach_from(l, r, WALK_ADDRESS(l, table[i]), level - 1);
}

/* How many tables all roots reach. */
static inline uint32_t reachable(const struct tables_lab *l)
{
	static struct reach r;

	memset(&r, 0, sizeof(r));
	for (uint32_t root = 0; root <= TABLES_USER(TABLES_MAX_PAIRS - 1); root++)
		if (tables_root(&l->t, root))
			reach_from(l, &r, WALK_ADDRESS(l, tables_root(&l->t, root)), l->state.config.levels);
	return r.n;
}

static inline bool inv_covers(const struct tables_inv *inv, uint64_t va)
{
	return inv->kind == TABLES_INV_ALL ||
		(inv->kind == TABLES_INV_PAGES && (va >> 12) - (inv->va >> 12) < inv->npages);
}

#endif
