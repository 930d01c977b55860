/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_pool.c - claims about host-module/pool.c, against a byte a page.
 */
#include "tables_lab.h"
#include "host-module/pool.h"

static struct pool *make(uint32_t npages)
{
	void *memory = malloc(pool_bytes(npages));

	assert_non_null(memory);
	assert_int_equal(pool_init(memory, npages), 0);
	return memory;
}

static void sixteen_tib_take_two_bits_a_page_and_two_bytes_a_set(void **state)
{
	size_t nbytes = pool_bytes(POOL_MAX_PAGES);
	uint32_t sets = POOL_MAX_PAGES / POOL_SET_PAGES, supersets = sets / POOL_SUPERSET_SETS;

	(void)state;
	print_message("16 TiB = %u pages, %u sets, %u supersets, %zu bytes of tracking\n", POOL_MAX_PAGES, sets, supersets, nbytes);
	assert_int_equal((uint64_t)POOL_MAX_PAGES * POOL_PAGE_BYTES, 16ull << 40);
	assert_int_equal(POOL_MAX_PAGES, 8388608);
	assert_int_equal(sets, 8192);
	assert_int_equal(supersets, 256);
	assert_in_range(nbytes, 2 * POOL_MAX_PAGES / 8 + 2 * (sets + supersets), 2 * POOL_MAX_PAGES / 8 + 2 * (sets + supersets) + 64);
}

static void no_pages_and_too_many_pages_are_no_pool(void **state)
{
	uint64_t memory[1024];

	(void)state;
	assert_int_equal(pool_bytes(0), 0);
	assert_int_equal(pool_bytes(POOL_MAX_PAGES + 1), 0);
	assert_int_equal(pool_init(memory, 0), -PLX_EINVAL);
	assert_int_equal(pool_init(memory, POOL_MAX_PAGES + 1), -PLX_EINVAL);
	assert_int_equal(pool_init((uint8_t *)memory + 4, 1), -PLX_EINVAL);
}

/* pool_bytes is exact: what stands behind is never written. */
static void a_pool_keeps_to_its_bytes(void **state)
{
	static const uint32_t sizes[] = { 1, 63, 64, 65, 1023, 1024, 1025, 32767, 32768, 32769, 100000 };

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(sizes); i++) {
		uint32_t n = sizes[i], index;
		size_t nbytes = pool_bytes(n);
		uint8_t *memory = malloc(nbytes + 64);
		struct pool *pool = (struct pool *)memory;

		memset(memory, 0xa5, nbytes + 64);
		assert_int_equal(pool_init(memory, n), 0);
		for (uint32_t p = 0; p < n; p++)
			assert_int_equal(pool_add(pool, p), 0);
		for (uint32_t p = 0; p < n; p++) {
			assert_int_equal(pool_take(pool, &index), 0);
			assert_int_equal(index, p);
		}
		assert_int_equal(pool_take(pool, &index), -PLX_ENOMEM);
		for (size_t b = 0; b < 64; b++)
			assert_int_equal(memory[nbytes + b], 0xa5);
		free(memory);
	}
}

static void a_whole_superset_free_fits_its_counter(void **state)
{
	struct pool *pool = make(POOL_MAX_PAGES);
	uint32_t index;

	(void)state;
	for (uint32_t p = 0; p < 2 * POOL_SUPERSET_SETS * POOL_SET_PAGES; p++)
		assert_int_equal(pool_add(pool, p), 0);
	assert_int_equal(pool_free_count(pool), 65536);
	assert_int_equal(pool_take(pool, &index), 0);
	assert_int_equal(index, 0);
	assert_int_equal(pool_add(pool, POOL_MAX_PAGES - 1), 0);
	for (uint32_t p = 1; p < 65536; p++)
		assert_int_equal(pool_take_at(pool, p), 0);
	assert_int_equal(pool_take(pool, &index), 0);
	assert_int_equal(index, POOL_MAX_PAGES - 1);
	free(pool);
}

/* Every state against every call: the error, and that nothing changed. */
static void each_misuse_has_its_error_and_changes_nothing(void **state)
{
	struct pool *pool = make(3000);
	size_t nbytes = pool_bytes(3000);
	uint8_t *before = malloc(nbytes);
	uint32_t index = 77;

	(void)state;
	assert_int_equal(pool_take(pool, &index), -PLX_ENOMEM);
	assert_int_equal(index, 77);
	pool_add(pool, 1500);			/* taken */
	pool_take(pool, &index);
	pool_add(pool, 2999);			/* free */
	memcpy(before, pool, nbytes);

	assert_int_equal(pool_add(pool, 1500), -PLX_EEXIST);
	assert_int_equal(pool_add(pool, 2999), -PLX_EEXIST);
	assert_int_equal(pool_remove(pool, 0), -PLX_ENOENT);
	assert_int_equal(pool_remove(pool, 1500), -PLX_EBUSY);
	assert_int_equal(pool_take_at(pool, 0), -PLX_ENOENT);
	assert_int_equal(pool_take_at(pool, 1500), -PLX_EBUSY);
	assert_int_equal(pool_give(pool, 0), -PLX_ENOENT);
	assert_int_equal(pool_give(pool, 2999), -PLX_EALREADY);
	for (uint32_t beyond = 3000; beyond; beyond = beyond == 3000 ? ~0u : 0) {
		assert_int_equal(pool_add(pool, beyond), -PLX_EINVAL);
		assert_int_equal(pool_remove(pool, beyond), -PLX_EINVAL);
		assert_int_equal(pool_take_at(pool, beyond), -PLX_EINVAL);
		assert_int_equal(pool_give(pool, beyond), -PLX_EINVAL);
		assert_int_equal(pool_state(pool, beyond), POOL_ABSENT);
	}
	assert_memory_equal(before, pool, nbytes);
	free(before);
	free(pool);
}

static void the_lowest_free_page_is_taken_first(void **state)
{
	static const uint32_t order[] = { 70000, 5, 33000, 1024, 64, 1023 }, sorted[] = { 5, 64, 1023, 1024, 33000, 70000 };
	struct pool *pool = make(80000);
	uint32_t index;

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(order); i++)
		pool_add(pool, order[i]);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(sorted); i++) {
		assert_int_equal(pool_take(pool, &index), 0);
		assert_int_equal(index, sorted[i]);
	}
	free(pool);
}

/* The host's world and the monitor's map a pool at different addresses. */
static void a_pool_works_at_another_address(void **state)
{
	struct pool *pool = make(5000), *moved = malloc(pool_bytes(5000));
	uint32_t index;

	(void)state;
	pool_add(pool, 4000);
	pool_add(pool, 4001);
	memcpy(moved, pool, pool_bytes(5000));
	memset(pool, 0xff, pool_bytes(5000));
	free(pool);
	assert_int_equal(pool_take(moved, &index), 0);
	assert_int_equal(index, 4000);
	assert_int_equal(pool_free_count(moved), 1);
	assert_int_equal(pool_capacity(moved), 5000);
	free(moved);
}

static uint32_t lowest_free(const uint8_t *model, uint32_t n)
{
	const uint8_t *at = memchr(model, POOL_FREE, n);

	return at ? (uint32_t)(at - model) : n;
}

static void random_calls(struct lab_random *r, uint32_t n, unsigned int ncalls)
{
	/* What each call expects of a page's state (absent, free, taken), and makes of it. */
	static const struct { int result[3]; uint8_t then; } table[4] = {
		{ { 0, -PLX_EEXIST, -PLX_EEXIST }, POOL_FREE },		/* add */
		{ { -PLX_ENOENT, 0, -PLX_EBUSY }, POOL_ABSENT },	/* remove */
		{ { -PLX_ENOENT, 0, -PLX_EBUSY }, POOL_TAKEN },		/* take_at */
		{ { -PLX_ENOENT, -PLX_EALREADY, 0 }, POOL_FREE },	/* give */
	};
	struct pool *pool = make(n);
	uint8_t *model = calloc(n, 1);
	uint32_t nfree = 0, npresent = 0;

	for (unsigned int i = 0; i < ncalls; i++) {
		unsigned int call = lab_below(r, 6);
		uint32_t at = lab_below(r, n), low, index = ~0u;
		int result, want;

		/* In long phases more is added, or more is taken. */
		if (call == 1 && i / 5000 % 2)
			call = 0;
		if (call < 4) {
			want = table[call].result[model[at]];
			result = call == 0 ? pool_add(pool, at) : call == 1 ? pool_remove(pool, at) :
				call == 2 ? pool_take_at(pool, at) : pool_give(pool, at);
			assert_int_equal(result, want);
			if (!want) {
				nfree += (table[call].then == POOL_FREE) - (model[at] == POOL_FREE);
				npresent += (table[call].then != POOL_ABSENT) - (model[at] != POOL_ABSENT);
				model[at] = table[call].then;
			}
		} else {
			low = lowest_free(model, n);
			result = pool_take(pool, &index);
			assert_int_equal(result, low == n ? -PLX_ENOMEM : 0);
			if (!result) {
				assert_int_equal(index, low);
				model[low] = POOL_TAKEN;
				nfree--;
			}
		}
		assert_int_equal(pool_free_count(pool), nfree);
		assert_int_equal(pool_present_count(pool), npresent);
	}
	for (uint32_t p = 0; p < n; p++)
		assert_int_equal(pool_state(pool, p), model[p]);
	free(model);
	free(pool);
}

static void random_calls_agree_with_a_byte_a_page(void **state)
{
	static const uint32_t sizes[] = { 1, 7, 64, 1000, 1024, 1025, 40000, 70001 };
	struct lab_random r = lab_seed("pool");

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(sizes); i++)
		random_calls(&r, sizes[i], 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixteen_tib_take_two_bits_a_page_and_two_bytes_a_set),
		cmocka_unit_test(no_pages_and_too_many_pages_are_no_pool),
		cmocka_unit_test(a_pool_keeps_to_its_bytes),
		cmocka_unit_test(a_whole_superset_free_fits_its_counter),
		cmocka_unit_test(each_misuse_has_its_error_and_changes_nothing),
		cmocka_unit_test(the_lowest_free_page_is_taken_first),
		cmocka_unit_test(a_pool_works_at_another_address),
		cmocka_unit_test(random_calls_agree_with_a_byte_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
