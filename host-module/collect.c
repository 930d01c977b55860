/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/collect.c - page tables that no root reaches are found by tracing, and freed.
 *
 * No table counts its references, and none knows who points to it: whoever drops a pointer just drops it. Here all that can
 * be reached from the template and the allocated pairs is marked; of the rest, what is not pinned (host-module/table_pages.h) is free.
 * Tables of the last level are marked by their parents and never read: tracing looks at some 1/512 of all tables.
 *
 * Nothing is half made meanwhile: collecting happens before a call's first change, or as a call of its own.
 */
#include "host-module/tables_inside.h"

/* True: it was not marked yet. */
static bool mark(struct tables *t, table_ref ref)
{
	struct table_chunk *chunk = table_chunk(&t->pages, ref / TABLE_SLOTS);
	uint64_t *word = &chunk->marked[ref % TABLE_SLOTS / 64], bit = 1ull << ref % 64;

	if (*word & bit)
		return false;
	*word |= bit;
	return true;
}

/* Five levels deep at most. */
static void trace(struct tables *t, table_ref ref, int level)
{
	const uint64_t *table = table_page(&t->pages, ref);

	if (!mark(t, ref) || level == 1)
		return;
	for (unsigned int i = 0; i < TABLE_SLOTS; i++)
		if (entry_is_table(table[i], level))
			trace(t, entry_ref(table[i]), level - 1);
}

static unsigned int count_bits(uint64_t word)
{
	unsigned int n = 0;

	for (; word; word &= word - 1)
		n++;
	return n;
}

static uint32_t sweep(struct table_pages *pages)
{
	struct table_pages_state *s = pages->state;
	uint32_t freed = 0;

	for (uint32_t i = 0; i < s->nchunks; i++) {
		struct table_chunk *chunk;
		unsigned int here = 0;

		if (s->chunk[i].pool_index == ~0u)
			continue;
		chunk = table_chunk(pages, i);
		chunk->marked[0] |= 1;		/* slot 0 is this very struct */
		for (unsigned int w = 0; w < PLX_ARRAY_SIZE(chunk->used); w++) {
			uint64_t keep = chunk->marked[w] | chunk->pinned[w];

			here += count_bits(chunk->used[w] & ~keep);
			chunk->used[w] &= keep;
			chunk->marked[w] = 0;
		}
		s->chunk[i].nfree += here;
		if (here && i < s->first_free)
			s->first_free = i;
		freed += here;
	}
	s->nfree += freed;
	s->nused -= freed;
	return freed;
}

uint32_t tables_collect(struct tables *t, struct tables_inv *inv)
{
	struct tables_state *s = t->state;
	uint32_t freed;

	trace(t, s->top, s->config.levels);
	for (uint32_t i = 0; i < TABLES_MAX_PAIRS; i++)
		for (int view = 0; tables_pair_used(t, i) && view < 2; view++)
			trace(t, s->pair[i].top[view], s->config.levels);
	freed = sweep(&t->pages);
	/* Who dropped the pointers was told so, but may have put it off until that root is loaded: now the pages will be used anew. */
	if (freed) {
		tables_inv_all(inv);
		inv->every_root = true;
	}
	s->garbage = false;
	s->count.collects++;
	s->count.tables_freed += freed;
	return freed;
}

static bool is_empty(const struct tables *t, table_ref ref)
{
	const uint64_t *table = table_page(&t->pages, ref);

	for (unsigned int i = 0; i < TABLE_SLOTS; i++)
		if (table[i])
			return false;
	return true;
}

/* Below @ref, cut off tables of the last level that map nothing. The levels above stay: pairs have copies of some of their entries. */
static void cut_empty(struct tables *t, table_ref ref, int level)
{
	uint64_t *table = table_page(&t->pages, ref);

	for (unsigned int i = 0; i < TABLE_SLOTS; i++) {
		if (!entry_is_table(table[i], level))
			continue;
		if (level > 2) {
			cut_empty(t, entry_ref(table[i]), level - 1);
		} else if (is_empty(t, entry_ref(table[i]))) {
			entry_set(&table[i], 0);
		}
	}
}

uint32_t tables_prune(struct tables *t, struct tables_inv *inv)
{
	struct tables_state *s = t->state;

	cut_empty(t, s->top, s->config.levels);
	for (uint32_t i = 0; i < TABLES_MAX_PAIRS; i++) {
		for (int view = 0; tables_pair_used(t, i) && view < 2; view++) {
			uint64_t *pdpt = table_page(&t->pages, s->pair[i].pdpt[view]);

			for (unsigned int j = 0; j < LOW_ENTRIES; j++) {
				if (!pdpt[j])
					continue;
				cut_empty(t, entry_ref(pdpt[j]), 2);
				if (is_empty(t, entry_ref(pdpt[j])))
					entry_set(&pdpt[j], 0);
			}
		}
	}
	/* What was cut off is freed at once: that says what to invalidate. */
	s->count.prunes++;
	return tables_collect(t, inv);
}
