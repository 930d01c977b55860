/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/physmap.c - guest physical page -> host page. See host-module/physmap.h.
 *
 * Level 4 is a table below top[], level 1 holds the mappings. An entry of a table above level 1 is the next table's
 * reference << 12 | VALID; of level 1 it is the host page | VALID. VALID is bit 1: bit 0 stays clear.
 */
#include "host-module/physmap.h"

#define VALID		2ull
#define LEVELS		4
#define PAGE_MASK64	((uint64_t)PLX_PAGE_MASK)

static unsigned int shift_of(int level)
{
	return PLX_PAGE_SHIFT + 9 * (unsigned int)(level - 1);
}

static uint64_t *slot_of(const struct table_pages *pages, table_ref ref, int level, uint64_t gpa)
{
	return &table_page(pages, ref)[gpa >> shift_of(level) & (TABLE_SLOTS - 1)];
}

static table_ref next_of(uint64_t entry)
{
	return (table_ref)(entry >> PLX_PAGE_SHIFT);
}

/* Down to the lowest table that there is for @gpa; *@level is its level, LEVELS + 1 if there is none. */
static table_ref lowest(const struct physmap *map, const struct table_pages *pages, uint64_t gpa, int *level)
{
	table_ref ref = map->top[gpa >> shift_of(LEVELS + 1)];
	uint64_t entry;

	*level = LEVELS + 1;
	if (ref == TABLE_NONE)
		return TABLE_NONE;
	for (*level = LEVELS; *level > 1; --*level) {
		entry = *slot_of(pages, ref, *level, gpa);
		if (!entry)
			break;
		ref = next_of(entry);
	}
	return ref;
}

void physmap_init(struct physmap *map)
{
	memset(map, 0, sizeof(*map));
}

int physmap_map(struct physmap *map, struct table_pages *pages, uint64_t gpa, uint64_t host_page, bool create, bool overwrite)
{
	uint64_t *slot;
	table_ref ref, new;
	int level;

	if (gpa & PAGE_MASK64 || gpa >> PHYSMAP_BITS || host_page & PAGE_MASK64 || host_page >> PHYSMAP_BITS)
		return -PLX_EINVAL;
	ref = lowest(map, pages, gpa, &level);
	if (level > 1 && !create)
		return -PLX_ENOENT;
	if (level == 1 && *slot_of(pages, ref, 1, gpa) && !overwrite)
		return -PLX_EEXIST;
	if (!table_pages_want(pages, (uint32_t)level - 1))
		return -PLX_ENOMEM;

	/* Nothing fails from here on. */
	for (; level > 1; level--) {
		new = table_page_alloc(pages, true);
		map->nr_tables++;
		if (level == LEVELS + 1)
			map->top[gpa >> shift_of(LEVELS + 1)] = new;
		else
			*slot_of(pages, ref, level, gpa) = (uint64_t)new << PLX_PAGE_SHIFT | VALID;
		ref = new;
	}
	slot = slot_of(pages, ref, 1, gpa);
	if (!*slot)
		map->nr_mapped++;
	*slot = host_page | VALID;
	return 0;
}

int physmap_unmap(struct physmap *map, struct table_pages *pages, uint64_t gpa)
{
	uint64_t *slot;
	table_ref ref;
	int level;

	if (gpa & PAGE_MASK64 || gpa >> PHYSMAP_BITS)
		return -PLX_EINVAL;
	ref = lowest(map, pages, gpa, &level);
	if (level > 1)
		return -PLX_ENOENT;
	slot = slot_of(pages, ref, 1, gpa);
	if (!*slot)
		return -PLX_ENOENT;
	*slot = 0;
	map->nr_mapped--;
	return 0;
}

int physmap_lookup(const struct physmap *map, const struct table_pages *pages, uint64_t gpa, uint64_t *host)
{
	uint64_t entry;
	table_ref ref;
	int level;

	if (gpa >> PHYSMAP_BITS)
		return -PLX_EINVAL;
	ref = lowest(map, pages, gpa, &level);
	if (level > 1)
		return -PLX_ENOENT;
	entry = *slot_of(pages, ref, 1, gpa);
	if (!entry)
		return -PLX_ENOENT;
	*host = (entry & ~PAGE_MASK64) | (gpa & PAGE_MASK64);
	return 0;
}

uint64_t physmap_run(const struct physmap *map, const struct table_pages *pages, uint64_t gpa, uint64_t nbytes, uint64_t *host)
{
	uint64_t within = gpa & PAGE_MASK64, run = PLX_PAGE_SIZE - within, end = gpa & ~(uint64_t)(POOL_PAGE_BYTES - 1);
	const uint64_t *slot;
	table_ref ref;
	int level;

	if (gpa >> PHYSMAP_BITS)
		return 0;
	ref = lowest(map, pages, gpa, &level);
	if (level > 1)
		return 0;
	slot = slot_of(pages, ref, 1, gpa);
	if (!*slot)
		return 0;
	*host = (*slot & ~PAGE_MASK64) | within;
	for (end += POOL_PAGE_BYTES - gpa; run < nbytes && run < end && slot[1] == slot[0] + PLX_PAGE_SIZE; slot++)
		run += PLX_PAGE_SIZE;
	return run < nbytes ? run : nbytes;
}

int physmap_next(const struct physmap *map, const struct table_pages *pages, uint64_t from,
		 uint64_t *gpa, uint64_t *host_page)
{
	uint64_t at = (from + PAGE_MASK64) & ~PAGE_MASK64, entry;
	table_ref ref;
	int level;

	if (from >> PHYSMAP_BITS)
		return -PLX_ENOENT;
	while (!(at >> PHYSMAP_BITS)) {
		ref = lowest(map, pages, at, &level);
		if (level == 1) {
			entry = *slot_of(pages, ref, 1, at);
			if (entry) {
				*gpa = at;
				*host_page = entry & ~PAGE_MASK64;
				return 0;
			}
		}
		/* What is missing here is missing up to the end of the entry that is empty. */
		at = ((at >> shift_of(level)) + 1) << shift_of(level);
	}
	return -PLX_ENOENT;
}

int physmap_walk(const struct physmap *map, const struct table_pages *pages, uint64_t from, uint64_t to,
		 int (*fn)(void *arg, uint64_t guest_physical, uint64_t host_page), void *arg)
{
	uint64_t gpa, host_page;
	int result;

	while (!physmap_next(map, pages, from, &gpa, &host_page) && gpa < to) {
		result = fn(arg, gpa, host_page);
		if (result)
			return result;
		from = gpa + PLX_PAGE_SIZE;
	}
	return 0;
}

/* Free what is empty in and below @ref, mappings counting only if @keep; true: @ref itself went. */
static bool trim(struct physmap *map, struct table_pages *pages, table_ref ref, int level, bool keep)
{
	uint64_t *table = table_page(pages, ref);
	bool empty = true;

	for (unsigned int i = 0; i < TABLE_SLOTS; i++) {
		if (!table[i])
			continue;
		if (level == 1 ? !keep : trim(map, pages, next_of(table[i]), level - 1, keep))
			table[i] = 0;
		else
			empty = false;
	}
	if (empty) {
		table_page_free(pages, ref);
		map->nr_tables--;
	}
	return empty;
}

uint32_t physmap_trim(struct physmap *map, struct table_pages *pages)
{
	uint32_t before = map->nr_tables;

	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(map->top); i++)
		if (map->top[i] && trim(map, pages, map->top[i], LEVELS, true))
			map->top[i] = TABLE_NONE;
	return before - map->nr_tables;
}

void physmap_clear(struct physmap *map, struct table_pages *pages)
{
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(map->top); i++)
		if (map->top[i])
			trim(map, pages, map->top[i], LEVELS, false);
	physmap_init(map);
}
