/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/table_pages.c - 4 KiB pages out of 2 MiB ones. See host-module/table_pages.h.
 */
#include "host-module/table_pages.h"

#define NO_CHUNK	(~0u)
#define WORDS		(TABLE_SLOTS / 64)

_Static_assert(sizeof(struct table_chunk) <= PLX_PAGE_SIZE, "a chunk's bookkeeping is its slot 0");

size_t table_pages_bytes(uint32_t max_chunks)
{
	if (!max_chunks || max_chunks > TABLE_MAX_CHUNKS)
		return 0;
	return sizeof(struct table_pages_state) + max_chunks * sizeof(((struct table_pages_state *)0)->chunk[0]);
}

int table_pages_init(struct table_pages_state *state, uint32_t max_chunks)
{
	if (!table_pages_bytes(max_chunks))
		return -PLX_EINVAL;
	memset(state, 0, table_pages_bytes(max_chunks));
	state->max_chunks = max_chunks;
	return 0;
}

int table_pages_add(struct table_pages *pages, uint32_t pool_index)
{
	struct table_pages_state *s = pages->state;
	uint64_t phys = pages->phys ? pages->phys[pool_index] : (uint64_t)pool_index << POOL_PAGE_SHIFT;
	uint32_t number = s->nchunks;
	struct table_chunk *chunk;

	if (phys % POOL_PAGE_BYTES || phys >> 52)
		return -PLX_EINVAL;
	for (uint32_t i = s->nchunks; i-- > 0;) {
		if (s->chunk[i].pool_index == pool_index)
			return -PLX_EEXIST;
		if (s->chunk[i].pool_index == NO_CHUNK)
			number = i;
	}
	if (number == s->max_chunks)
		return -PLX_ENOSPC;

	chunk = (struct table_chunk *)table_pool_page(pages, pool_index);
	memset(chunk, 0, sizeof(*chunk));
	chunk->phys = phys;
	chunk->number = number;
	chunk->pool_index = pool_index;
	chunk->used[0] = 1;
	s->chunk[number].pool_index = pool_index;
	s->chunk[number].nfree = TABLE_SLOTS - 1;
	s->nfree += TABLE_SLOTS - 1;
	s->nlive++;
	if (number == s->nchunks)
		s->nchunks++;
	if (number < s->first_free)
		s->first_free = number;
	return 0;
}

int table_pages_release(struct table_pages *pages, uint32_t *pool_index)
{
	struct table_pages_state *s = pages->state;

	/* From the top: low chunks fill first, so that high ones can be given back. */
	for (uint32_t i = s->nchunks; i-- > 0;) {
		if (s->chunk[i].pool_index == NO_CHUNK || s->chunk[i].nfree != TABLE_SLOTS - 1)
			continue;
		*pool_index = s->chunk[i].pool_index;
		s->chunk[i].pool_index = NO_CHUNK;
		s->chunk[i].nfree = 0;
		s->nfree -= TABLE_SLOTS - 1;
		s->nlive--;
		while (s->nchunks && s->chunk[s->nchunks - 1].pool_index == NO_CHUNK)
			s->nchunks--;
		return 0;
	}
	return -PLX_ENOENT;
}

table_ref table_page_alloc(struct table_pages *pages, bool pinned)
{
	struct table_pages_state *s = pages->state;
	struct table_chunk *chunk;
	uint32_t word = 0, bit;
	table_ref ref;

	if (!s->nfree)
		return TABLE_NONE;
	while (!s->chunk[s->first_free].nfree)
		s->first_free++;
	chunk = table_chunk(pages, s->first_free);
	while (!~chunk->used[word])
		word++;
	bit = (uint32_t)__builtin_ctzll(~chunk->used[word]);
	chunk->used[word] |= 1ull << bit;
	if (pinned)
		chunk->pinned[word] |= 1ull << bit;
	s->chunk[s->first_free].nfree--;
	s->nfree--;
	s->nused++;
	ref = s->first_free * TABLE_SLOTS + word * 64 + bit;
	memset(table_page(pages, ref), 0, PLX_PAGE_SIZE);
	return ref;
}

void table_page_free(struct table_pages *pages, table_ref ref)
{
	uint32_t number = ref / TABLE_SLOTS, slot = ref % TABLE_SLOTS;
	struct table_chunk *chunk = table_chunk(pages, number);

	chunk->used[slot / 64] &= ~(1ull << slot % 64);
	chunk->pinned[slot / 64] &= ~(1ull << slot % 64);
	pages->state->chunk[number].nfree++;
	pages->state->nfree++;
	pages->state->nused--;
	if (number < pages->state->first_free)
		pages->state->first_free = number;
}

bool table_pages_want(struct table_pages *pages, uint32_t n)
{
	struct table_pages_state *s = pages->state;
	uint32_t pool_index;

	while (s->nfree < n) {
		/* Not asked for when there is no place for it: nobody could give it back. */
		if (!pages->need_page || s->nlive == s->max_chunks)
			return false;
		s->asked++;
		if (pages->need_page(pages->need_arg, &pool_index) || table_pages_add(pages, pool_index))
			return false;
		s->got++;
	}
	return true;
}
