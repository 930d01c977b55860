/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_physmap.c - claims about host-module/physmap.c, against a plain array; and about pinned table pages.
 */
#include "tables_lab.h"
#include "host-module/physmap.h"

#define TOP_PAGE ((1ull << PHYSMAP_BITS) - PLX_PAGE_SIZE)

static struct lab lab;
static struct physmap map;
static struct table_pages *const pages = &lab.pages;

static int setup(void **state)
{
	(void)state;
	lab_init(&lab, 16, 8);
	physmap_init(&map);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_done(&lab);
	return 0;
}

static int put(uint64_t gpa, uint64_t host)
{
	return physmap_map(&map, pages, gpa, host, true, false);
}

static uint64_t get(uint64_t gpa)
{
	uint64_t host;

	return physmap_lookup(&map, pages, gpa, &host) ? ~0ull : host;
}

static void what_was_mapped_is_found_with_its_offset(void **state)
{
	(void)state;
	assert_int_equal(put(0, 0x7000), 0);
	assert_int_equal(put(0xfffff000, 0), 0);
	assert_int_equal(put(TOP_PAGE, TOP_PAGE), 0);
	assert_int_equal(get(0x123), 0x7123);
	assert_int_equal(get(0xffffffff), 0xfff);
	assert_int_equal(get(TOP_PAGE + 5), TOP_PAGE + 5);
	assert_int_equal(get(0x1000), ~0ull);
	assert_int_equal(map.nr_mapped, 3);
}

/* As one page at a time says, wherever it begins and however long it may be. */
static void a_run_is_what_lies_in_one_piece_within_2_mib(void **state)
{
	const uint64_t base = 6ull << 21;
	uint64_t host = 0;

	(void)state;
	for (uint64_t i = 0; i < 1024; i++)
		if (i % 37)
			put(base + i * PLX_PAGE_SIZE, (0x40000 + i + i / 100 * 7) * PLX_PAGE_SIZE);
	for (uint64_t at = base; at < base + 1024 * PLX_PAGE_SIZE; at += 0x7ff)
		for (uint64_t nbytes = 1; nbytes < 1ull << 23; nbytes *= 5) {
			uint64_t run = 0;

			while (run < nbytes && get(at) != ~0ull && get(at + run) == get(at) + run && (at + run) >> 21 == at >> 21)
				run += PLX_PAGE_SIZE - ((at + run) & PLX_PAGE_MASK);
			run = plx_min64(run, nbytes);
			assert_int_equal(physmap_run(&map, pages, at, nbytes, &host), run);
			if (run)
				assert_int_equal(host, get(at));
		}
	assert_int_equal(physmap_run(&map, pages, 1ull << 40, 0x1000, &host), 0);
	assert_int_equal(physmap_run(&map, pages, 1ull << PHYSMAP_BITS, 0x1000, &host), 0);
}

static void misaligned_and_out_of_range_are_invalid(void **state)
{
	uint64_t host;

	(void)state;
	assert_int_equal(put(1, 0), -PLX_EINVAL);
	assert_int_equal(put(0, 0x800), -PLX_EINVAL);
	assert_int_equal(put(1ull << PHYSMAP_BITS, 0), -PLX_EINVAL);
	assert_int_equal(put(0, 1ull << PHYSMAP_BITS), -PLX_EINVAL);
	assert_int_equal(put(~0xfffull, 0), -PLX_EINVAL);
	assert_int_equal(physmap_lookup(&map, pages, 1ull << PHYSMAP_BITS, &host), -PLX_EINVAL);
	assert_int_equal(physmap_unmap(&map, pages, 1ull << PHYSMAP_BITS), -PLX_EINVAL);
	assert_int_equal(physmap_unmap(&map, pages, 0x10), -PLX_EINVAL);
	assert_int_equal(map.nr_tables, 0);
	assert_int_equal(pages->state->nused, 0);
}

static void a_second_mapping_needs_overwrite(void **state)
{
	(void)state;
	put(0x5000, 0x1000);
	assert_int_equal(put(0x5000, 0x2000), -PLX_EEXIST);
	assert_int_equal(get(0x5000), 0x1000);
	assert_int_equal(physmap_map(&map, pages, 0x5000, 0x2000, false, true), 0);
	assert_int_equal(get(0x5000), 0x2000);
	assert_int_equal(map.nr_mapped, 1);
}

/* At each of the four levels that can be missing. */
static void a_missing_parent_needs_create(void **state)
{
	static const uint64_t near[] = { 0x1000, 1ull << 21, 1ull << 30, 1ull << 39, 1ull << 48 };

	(void)state;
	put(0, 0x1000);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(near); i++) {
		uint32_t before = map.nr_tables;

		assert_int_equal(physmap_map(&map, pages, near[i], 0x3000, false, false), i ? -PLX_ENOENT : 0);
		assert_int_equal(physmap_map(&map, pages, near[i], 0x3000, false, true), i ? -PLX_ENOENT : 0);
		assert_int_equal(map.nr_tables, before);
		assert_int_equal(physmap_map(&map, pages, near[i], 0x3000, true, true), 0);
		assert_int_equal(map.nr_tables, before + i);
	}
}

/* A mapping there is told before a missing parent could be: there is none then. Bad arguments come before both. */
static void unmapping_what_is_not_there_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(physmap_unmap(&map, pages, 0), -PLX_ENOENT);
	put(0x1000, 0x1000);
	assert_int_equal(physmap_unmap(&map, pages, 0), -PLX_ENOENT);
	assert_int_equal(physmap_unmap(&map, pages, 0x1000), 0);
	assert_int_equal(physmap_unmap(&map, pages, 0x1000), -PLX_ENOENT);
	assert_int_equal(map.nr_mapped, 0);
}

/* Four tables are needed; with fewer pages the map, and the count of pages, are what they were. */
static void without_pages_for_all_tables_none_is_made(void **state)
{
	table_ref eaten[1024];
	uint32_t n = 0;

	(void)state;
	put(0, 0x1000);
	lab.limit = lab.next;
	while ((eaten[n] = table_page_alloc(pages, true)) != TABLE_NONE)
		n++;
	for (uint32_t room = 0; room <= 4; room++) {
		uint32_t used = pages->state->nused;
		struct physmap before = map;

		assert_int_equal(pages->state->nfree, room);
		assert_int_equal(put(5ull << 48, 0x9000), room < 4 ? -PLX_ENOMEM : 0);
		if (room < 4) {
			assert_memory_equal(&before, &map, sizeof(map));
			assert_int_equal(pages->state->nused, used);
			assert_int_equal(get(5ull << 48), ~0ull);
			table_page_free(pages, eaten[--n]);
		}
	}
	assert_int_equal(get(5ull << 48), 0x9000);
	assert_int_equal(get(0), 0x1000);
}

static void pages_are_asked_of_the_host_when_none_is_left(void **state)
{
	(void)state;
	assert_int_equal(pages->state->got, 0);
	/* A table a mapping: 2 MiB apart. A chunk has 511. */
	for (uint64_t i = 0; i < 600; i++)
		assert_int_equal(put(i << 21, i << 12), 0);
	assert_int_equal(pages->state->got, 2);
	for (uint64_t i = 0; i < 600; i++)
		assert_int_equal(get(i << 21), i << 12);
}

/* host-module/physmap.h says why: a stale cached entry may lead a processor here. */
static void no_entry_looks_present_to_a_processor(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		put(i * 0x3f7fe000ull, i << 12);
	for (uint32_t c = 0; c < pages->state->nchunks; c++)
		for (uint32_t slot = 1; slot < TABLE_SLOTS; slot++)
			for (unsigned int e = 0; e < 512; e++)
				assert_int_equal(table_page(pages, c * TABLE_SLOTS + slot)[e] & 1, 0);
}

static void trimming_frees_just_the_empty_tables(void **state)
{
	(void)state;
	put(0, 0x1000);
	put(1ull << 30, 0x2000);
	put(7ull << 48, 0x3000);
	assert_int_equal(map.nr_tables, 4 + 2 + 4);
	physmap_unmap(&map, pages, 1ull << 30);
	physmap_unmap(&map, pages, 7ull << 48);
	assert_int_equal(map.nr_tables, 10);
	assert_int_equal(physmap_trim(&map, pages), 6);
	assert_int_equal(pages->state->nused, 4);
	assert_int_equal(get(0), 0x1000);
	assert_int_equal(physmap_map(&map, pages, 7ull << 48, 0, false, false), -PLX_ENOENT);
	physmap_unmap(&map, pages, 0);
	assert_int_equal(physmap_trim(&map, pages), 4);
	assert_int_equal(pages->state->nused, 0);
}

static int collect_one(void *arg, uint64_t gpa, uint64_t host)
{
	uint64_t **at = arg;

	assert_int_equal(host, gpa >> 4 & ~0xfffull);
	*(*at)++ = gpa;
	return gpa == 0xfffff000 ? 42 : 0;
}

static void a_walk_goes_upward_and_stops_when_told(void **state)
{
	static const uint64_t order[] = { 1ull << 47, 0x1ff000, 0x200000, 0xfffff000, 0x1000, 15ull << 48, 0x40000000 };
	uint64_t seen[8], *at = seen;

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(order); i++)
		put(order[i], order[i] >> 4 & ~0xfffull);
	assert_int_equal(physmap_walk(&map, pages, 0, 1ull << PHYSMAP_BITS, collect_one, &at), 42);
	assert_int_equal(at - seen, 5);
	assert_int_equal(seen[0], 0x1000);
	assert_int_equal(seen[1], 0x1ff000);
	assert_int_equal(seen[2], 0x200000);
	assert_int_equal(seen[3], 0x40000000);
	at = seen;
	assert_int_equal(physmap_walk(&map, pages, 0x100000000, 15ull << 48, collect_one, &at), 0);
	assert_int_equal(at - seen, 1);
	at = seen;
	assert_int_equal(physmap_walk(&map, pages, 0x100000000, (15ull << 48) + 1, collect_one, &at), 0);
	assert_int_equal(at - seen, 2);
	assert_int_equal(seen[1], 15ull << 48);
}

#define AREAS 5
#define AREA_PAGES 1536u

/* Around places where a level's index carries over. */
static const uint64_t area[AREAS] = { 0, (1ull << 30) - (1 << 20), (1ull << 39) - (3 << 20), (1ull << 48) - (1 << 21),
	(1ull << 52) - AREA_PAGES * PLX_PAGE_SIZE };
static uint64_t model[AREAS][AREA_PAGES];	/* host page + 1; 0: none */

static void agrees(void)
{
	uint64_t from = 0, gpa, host, n = 0;

	for (unsigned int a = 0; a < AREAS; a++) {
		for (unsigned int p = 0; p < AREA_PAGES; p++) {
			uint64_t at = area[a] + (uint64_t)p * PLX_PAGE_SIZE;

			assert_int_equal(get(at), model[a][p] ? model[a][p] - 1 : ~0ull);
			if (!model[a][p])
				continue;
			/* The walk finds the same, in order. */
			assert_int_equal(physmap_next(&map, pages, from, &gpa, &host), 0);
			assert_int_equal(gpa, at);
			assert_int_equal(host, model[a][p] - 1);
			from = gpa + 1;
			n++;
		}
	}
	assert_int_equal(physmap_next(&map, pages, from, &gpa, &host), -PLX_ENOENT);
	assert_int_equal(map.nr_mapped, n);
	assert_int_equal(pages->state->nused, map.nr_tables);
}

static void random_calls_agree_with_a_plain_array(void **state)
{
	struct lab_random r = lab_seed("physmap");
	unsigned int no_parent = 0;

	(void)state;
	memset(model, 0, sizeof(model));
	for (unsigned int i = 0; i < 60000; i++) {
		unsigned int a = lab_below(&r, AREAS), p = lab_below(&r, AREA_PAGES);
		uint64_t gpa = area[a] + (uint64_t)p * PLX_PAGE_SIZE, host = (uint64_t)lab_below(&r, ~0u) << PLX_PAGE_SHIFT;
		bool create = lab_below(&r, 4), overwrite = lab_below(&r, 2);
		uint64_t *m = &model[a][p];
		int result;

		if (lab_below(&r, 5000) == 0)
			physmap_trim(&map, pages);
		if (lab_below(&r, 20000) == 0) {
			physmap_clear(&map, pages);
			memset(model, 0, sizeof(model));
			assert_int_equal(pages->state->nused, 0);
		}
		if (lab_below(&r, 2)) {
			assert_int_equal(physmap_unmap(&map, pages, gpa), *m ? 0 : -PLX_ENOENT);
			*m = 0;
		} else {
			result = physmap_map(&map, pages, gpa, host, create, overwrite);
			if (*m && !overwrite) {
				assert_int_equal(result, -PLX_EEXIST);
			} else if (result == -PLX_ENOENT) {
				assert_false(create || *m);
				no_parent++;
			} else {
				assert_int_equal(result, 0);
				*m = host + 1;
			}
		}
		if (i % 2000 == 0)
			agrees();
	}
	agrees();
	assert_true(no_parent > 0);
	physmap_clear(&map, pages);
	assert_int_equal(pages->state->nused, 0);
}

int main(void)
{
#define T(claim) cmocka_unit_test_setup_teardown(claim, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_was_mapped_is_found_with_its_offset),
		T(a_run_is_what_lies_in_one_piece_within_2_mib),
		T(misaligned_and_out_of_range_are_invalid),
		T(a_second_mapping_needs_overwrite),
		T(a_missing_parent_needs_create),
		T(unmapping_what_is_not_there_is_an_error),
		T(without_pages_for_all_tables_none_is_made),
		T(pages_are_asked_of_the_host_when_none_is_left),
		T(no_entry_looks_present_to_a_processor),
		T(trimming_frees_just_the_empty_tables),
		T(a_walk_goes_upward_and_stops_when_told),
		T(random_calls_agree_with_a_plain_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
