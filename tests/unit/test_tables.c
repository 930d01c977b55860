/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_tables.c - claims about host-module/tables.h, one by one. The long random run is test_tables_random.c.
 */
#include "tables_walker.h"
#include "host-module/tables_inside.h"

#define RW	(TABLES_W | TABLES_U)
#define NEW	TABLES_CREATE
#define MIB2	(1ull << 21)
#define HIGH	0xffffffff80000000ull

static struct tables_lab lab, *const l = &lab;
static struct tables *const t = &lab.t;
static struct tables_inv *const inv = &lab.inv;

static const struct tables_config four = { .levels = 4, .nx = true, .phys_bits = 46 };
static const struct tables_config five_sme = { .levels = 5, .nx = true, .phys_bits = 52, .sme_mask = 1ull << 47 };

static int setup(void **state)
{
	(void)state;
	tables_lab_init(l, &four, 32);
	return 0;
}

static int setup_five(void **state)
{
	(void)state;
	tables_lab_init(l, &five_sme, 32);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_done(&l->lab);
	return 0;
}

static uint32_t new_pair(void)
{
	uint32_t pair;

	assert_int_equal(pair_alloc(t, &pair, inv), 0);
	return pair;
}

static struct walk look(uint32_t root, uint64_t va)
{
	return walk(l, tables_root(t, root), va);
}

static bool shown(uint32_t root, uint64_t va)
{
	return look(root, va).present;
}

/* A photograph of all table pages, to say that nothing has changed. */
static uint64_t photograph(void)
{
	uint64_t sum = 0;

	for (uint32_t c = 0; c < t->pages.state->nchunks; c++)
		for (uint32_t slot = 0; slot < TABLE_SLOTS; slot++)
			for (unsigned int i = 0; i < 512; i++)
				sum = (sum ^ table_page(&t->pages, c * TABLE_SLOTS + slot)[i]) * 0x100000001b3ull + (sum >> 47);
	return sum;
}

static void eat_free_pages(void)
{
	l->lab.limit = 0;
	while (table_page_alloc(&t->pages, true) != TABLE_NONE)
		;
}

/* ---- arguments -------------------------------------------------------------------------------------------------------------- */

static void four_or_five_levels_and_nothing_else(void **state)
{
	static const struct tables_config bad[] = {
		{ .levels = 3, .phys_bits = 46 }, { .levels = 6, .phys_bits = 46 }, { .levels = 4, .phys_bits = 53 },
		{ .levels = 4, .phys_bits = 31 }, { .levels = 4, .phys_bits = 46, .sme_mask = 1ull << 52 },
		{ .levels = 4, .phys_bits = 46, .sme_mask = 1 },
	};
	struct tables_state other;

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(bad); i++)
		assert_int_equal(tables_init(t, &other, &bad[i]), -PLX_EINVAL);
	assert_ptr_equal(t->state, &l->state);
	eat_free_pages();
	assert_int_equal(tables_init(t, &other, &four), -PLX_ENOMEM);
}

static void bad_arguments_are_invalid_and_change_nothing(void **state)
{
	uint32_t pair = new_pair();
	uint64_t before = photograph();

	(void)state;
	assert_int_equal(tables_map(t, HIGH + 1, 0, 4096, RW | NEW, inv), -PLX_EINVAL);
	assert_int_equal(tables_map(t, HIGH, 0x800, 4096, RW | NEW, inv), -PLX_EINVAL);
	assert_int_equal(tables_map(t, HIGH, 0, 0, RW | NEW, inv), -PLX_EINVAL);
	assert_int_equal(tables_map(t, HIGH, 0, 4097, RW | NEW, inv), -PLX_EINVAL);
	assert_int_equal(tables_map(t, HIGH, 1ull << 46, 4096, RW | NEW, inv), -PLX_EINVAL);
	assert_int_equal(tables_map(t, HIGH, (1ull << 46) - 4096, 8192, RW | NEW, inv), -PLX_EINVAL);
	assert_int_equal(tables_map(t, HIGH, 0, 4096, RW | NEW | X86_PTE_G, inv), -PLX_EINVAL);
	assert_int_equal(tables_map(t, HIGH, 0, 4096, RW | NEW | TABLES_BOTH, inv), -PLX_EINVAL);
	assert_int_equal(tables_map(t, HIGH, 0, 4096, RW | NEW | 1ull << 11, inv), -PLX_EINVAL);
	assert_int_equal(tables_map(t, 0xfffff000, 0, 4096, RW | NEW, inv), -PLX_EINVAL);	/* a pair's */
	assert_int_equal(tables_map(t, 0xfffff000, 0, 8192, RW | NEW, inv), -PLX_EINVAL);
	assert_int_equal(tables_map(t, 1ull << 47, 0, 4096, RW | NEW, inv), -PLX_EINVAL);	/* not canonical */
	assert_int_equal(tables_map(t, (1ull << 47) - 4096, 0, 8192, RW | NEW, inv), -PLX_EINVAL);
	assert_int_equal(tables_map(t, (1ull << 47) - 4096, 0, ~0ull << 47, RW | NEW, inv), -PLX_EINVAL);
	assert_int_equal(tables_map(t, -4096ull, 0, 8192, RW | NEW, inv), -PLX_EINVAL);		/* over the top */
	assert_int_equal(tables_map(t, HIGH, -4096ull, 8192, RW | NEW, inv), -PLX_EINVAL);
	assert_int_equal(tables_unmap(t, HIGH, 100, inv), -PLX_EINVAL);
	assert_int_equal(tables_unmap(t, (1ull << 47) - 4096, ~0ull << 47, inv), -PLX_EINVAL);	/* from half to half */
	assert_int_equal(tables_unmap(t, -4096ull, 8192, inv), -PLX_EINVAL);
	assert_int_equal(tables_protect(t, HIGH, 4096, X86_PTE_G, 0, inv), -PLX_EINVAL);
	assert_int_equal(pair_map(t, pair, 0x800, 0, 4096, RW | NEW, inv), -PLX_EINVAL);
	assert_int_equal(pair_map(t, pair, 0xfffff000, 0, 8192, RW | NEW, inv), -PLX_EINVAL);
	assert_int_equal(pair_map(t, pair, 0, 0, 4096, RW | NEW | X86_PTE_G, inv), -PLX_EINVAL);
	assert_int_equal(pair_unmap(t, pair, 0, 0, inv), -PLX_EINVAL);
	assert_int_equal(pair_unmap(t, pair, 0x2000, -0x1000ull, inv), -PLX_EINVAL);
	assert_int_equal(pair_protect(t, pair, 0, 4096, TABLES_LARGE, 0, inv), -PLX_EINVAL);
	assert_int_equal(tables_lookup(t, 3, 1ull << 47, NULL, NULL), -PLX_EINVAL);
	assert_int_equal(photograph(), before);
	assert_int_equal(inv->kind, TABLES_INV_NONE);
}

static void a_pair_that_is_not_allocated_is_not_found(void **state)
{
	(void)state;
	for (uint32_t pair = 0; pair <= TABLES_MAX_PAIRS; pair += TABLES_MAX_PAIRS / 2) {
		int want = pair < TABLES_MAX_PAIRS ? -PLX_ENOENT : -PLX_EINVAL;

		assert_int_equal(pair_free(t, pair, inv), want);
		assert_int_equal(pair_clear(t, pair, inv), want);
		assert_int_equal(pair_map(t, pair, 0, 0, 4096, RW | NEW, inv), want);
		assert_int_equal(pair_unmap(t, pair, 0, 4096, inv), want);
		assert_int_equal(pair_protect(t, pair, 0, 4096, 0, 0, inv), want);
		assert_int_equal(tables_lookup(t, TABLES_USER(pair), 0, NULL, NULL), -PLX_EINVAL);
		assert_int_equal(tables_root(t, TABLES_SUPERVISOR(pair)), 0);
	}
}

static void there_are_512_pairs(void **state)
{
	uint32_t pair;

	(void)state;
	for (uint32_t i = 0; i < TABLES_MAX_PAIRS; i++)
		assert_int_equal(new_pair(), i);
	assert_int_equal(l->state.nr_pairs, 512);
	assert_int_equal(pair_alloc(t, &pair, inv), -PLX_ENOSPC);
	assert_int_equal(pair_free(t, 300, inv), 0);
	assert_int_equal(pair_free(t, 300, inv), -PLX_ENOENT);
	assert_int_equal(new_pair(), 300);
	assert_int_equal(reachable(l), 2 + 512 * 4);	/* the template has two tables with 4 levels; a pair four */
}

/* ---- the monitor's part ----------------------------------------------------------------------------------------------------- */

static void the_monitors_part_is_in_every_root_of_before_and_after(void **state)
{
	uint32_t before = new_pair(), after, roots[5];
	uint64_t places[] = { HIGH, 1ull << 32, 1ull << 39, 3ull << 39, -4096ull, l->state.config.levels == 5 ? 5ull << 48 : 5ull << 39 };

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(places); i++)
		assert_int_equal(tables_map(t, places[i], 0x1000 * (i + 1), 4096, TABLES_W | NEW, inv), 0);
	after = new_pair();
	roots[0] = TABLES_TEMPLATE;
	roots[1] = TABLES_SUPERVISOR(before);
	roots[2] = TABLES_USER(before);
	roots[3] = TABLES_SUPERVISOR(after);
	roots[4] = TABLES_USER(after);
	for (size_t r = 0; r < PLX_ARRAY_SIZE(roots); r++) {
		for (size_t i = 0; i < PLX_ARRAY_SIZE(places); i++) {
			struct walk w = look(roots[r], places[i]);

			assert_true(w.present);
			assert_int_equal(w.phys, 0x1000 * (i + 1));
			assert_int_equal(w.rights, TABLES_W);
		}
	}
	assert_int_equal(inv->kind, TABLES_INV_NONE);
	/* And what goes from one goes from all. */
	assert_int_equal(tables_unmap(t, 1ull << 32, 4096, inv), 0);
	for (size_t r = 0; r < PLX_ARRAY_SIZE(roots); r++)
		assert_false(shown(roots[r], 1ull << 32));
	assert_true(inv_covers(inv, 1ull << 32));
}

static void the_monitors_part_outlives_pairs(void **state)
{
	uint32_t pair = new_pair();

	(void)state;
	tables_map(t, HIGH, 0x5000, 4096, TABLES_W | NEW, inv);
	pair_map(t, pair, 0, 0, 4096, RW | NEW, inv);
	pair_free(t, pair, inv);
	assert_true(l->state.garbage);
	assert_int_equal(inv->kind, TABLES_INV_ALL);
	assert_int_equal(tables_collect(t, inv), 4 + 2);
	assert_int_equal(look(TABLES_TEMPLATE, HIGH).phys, 0x5000);
	assert_int_equal(t->pages.state->nused, reachable(l));
}

static void a_large_unmap_of_nothing_is_short(void **state)
{
	(void)state;
	tables_map(t, 1ull << 40, 0x5000, 4096, TABLES_W | NEW, inv);
	assert_int_equal(tables_unmap(t, 1ull << 32, (1ull << 47) - (1ull << 32), inv), 0);
	assert_false(shown(TABLES_TEMPLATE, 1ull << 40));
	assert_int_equal(tables_unmap(t, ~0ull << 47, 1ull << 47, inv), 0);
}

/* ---- two views -------------------------------------------------------------------------------------------------------------- */

static void a_page_of_the_guests_kernel_is_in_one_view(void **state)
{
	uint32_t pair = new_pair();
	struct walk w;

	(void)state;
	assert_int_equal(pair_map(t, pair, 0xc0000000, 0x123000, 4096, RW | TABLES_NX | NEW, inv), 0);
	w = look(TABLES_SUPERVISOR(pair), 0xc0000000);
	assert_true(w.present);
	assert_int_equal(w.phys, 0x123000);
	assert_int_equal(w.rights, RW | TABLES_NX);
	assert_false(shown(TABLES_USER(pair), 0xc0000000));
	assert_false(shown(TABLES_TEMPLATE, 0xc0000000));
}

static void a_page_of_the_guests_user_is_in_both(void **state)
{
	uint32_t pair = new_pair(), other = new_pair();
	uint64_t flags;

	(void)state;
	assert_int_equal(pair_map(t, pair, 0x400000, 0x7000, 4096, RW | TABLES_BOTH | NEW, inv), 0);
	assert_int_equal(look(TABLES_USER(pair), 0x400000).rights, RW);
	assert_int_equal(look(TABLES_SUPERVISOR(pair), 0x400000).phys, 0x7000);
	assert_false(shown(TABLES_SUPERVISOR(other), 0x400000));
	assert_int_equal(tables_lookup(t, TABLES_SUPERVISOR(pair), 0x400123, NULL, &flags), 0);
	assert_int_equal(flags, RW | TABLES_BOTH);
}

/* CR0.WP = 0: the guest's kernel may write what its user may only read. */
static void a_page_can_be_read_only_for_the_user_alone(void **state)
{
	uint32_t pair = new_pair();

	(void)state;
	pair_map(t, pair, 0x400000, 0x7000, 4096, RW | TABLES_BOTH | TABLES_USER_RO | NEW, inv);
	assert_int_equal(look(TABLES_USER(pair), 0x400000).rights, TABLES_U);
	assert_int_equal(look(TABLES_SUPERVISOR(pair), 0x400000).rights, RW);
	assert_int_equal(pair_protect(t, pair, 0x400000, 4096, TABLES_USER_RO, 0, inv), 0);
	assert_int_equal(look(TABLES_USER(pair), 0x400000).rights, RW);
}

static void the_windows_own_pages_are_for_ring_0_in_both_views(void **state)
{
	uint32_t pair = new_pair();

	(void)state;
	pair_map(t, pair, 0xfa000000, 0x9000, 4096, TABLES_W | TABLES_BOTH | NEW, inv);
	assert_int_equal(look(TABLES_USER(pair), 0xfa000000).rights, TABLES_W);
	assert_int_equal(look(TABLES_SUPERVISOR(pair), 0xfa000000).rights, TABLES_W);
}

static void when_rights_change_the_user_view_follows(void **state)
{
	uint32_t pair = new_pair();

	(void)state;
	pair_map(t, pair, 0x10000, 0x100000, 0x8000, RW | TABLES_BOTH | NEW, inv);
	assert_int_equal(pair_protect(t, pair, 0x11000, 0x2000, TABLES_W, 0, inv), 0);
	assert_int_equal(look(TABLES_USER(pair), 0x10000).rights, RW);
	assert_int_equal(look(TABLES_USER(pair), 0x11000).rights, TABLES_U);
	assert_int_equal(look(TABLES_SUPERVISOR(pair), 0x12000).rights, TABLES_U);
	assert_int_equal(look(TABLES_USER(pair), 0x13000).rights, RW);
	assert_true(inv_covers(inv, 0x11000) && inv_covers(inv, 0x12000));
	/* Taken from the user, and given back. */
	assert_int_equal(pair_protect(t, pair, 0x10000, 0x8000, TABLES_BOTH, 0, inv), 0);
	assert_false(shown(TABLES_USER(pair), 0x10000));
	assert_int_equal(pair_protect(t, pair, 0x10000, 0x8000, TABLES_BOTH, TABLES_BOTH, inv), 0);
	assert_int_equal(look(TABLES_USER(pair), 0x11000).rights, TABLES_U);
	assert_int_equal(look(TABLES_USER(pair), 0x11000).phys, 0x101000);
}

static void protecting_a_hole_fails_as_a_whole(void **state)
{
	uint32_t pair = new_pair();
	uint64_t before;

	(void)state;
	pair_map(t, pair, 0x10000, 0, 0x4000, RW | TABLES_BOTH | NEW, inv);
	before = photograph();
	assert_int_equal(pair_protect(t, pair, 0x10000, 0x5000, TABLES_W, 0, inv), -PLX_ENOENT);
	assert_int_equal(pair_protect(t, pair, 0x10000, 0x40000000, TABLES_W, 0, inv), -PLX_ENOENT);
	assert_int_equal(pair_protect(t, pair, 0xf000, 0x2000, TABLES_W, 0, inv), -PLX_ENOENT);
	assert_int_equal(photograph(), before);
}

static void mapping_over_something_needs_overwrite(void **state)
{
	uint32_t pair = new_pair();
	uint64_t before;

	(void)state;
	pair_map(t, pair, 0x3000, 0x1000, 4096, RW | TABLES_BOTH | NEW, inv);
	pair_map(t, pair, 0x40000000, 0, MIB2, RW | NEW | TABLES_LARGE, inv);
	before = photograph();
	assert_int_equal(pair_map(t, pair, 0, 0, 0x10000, RW | NEW, inv), -PLX_EEXIST);
	assert_int_equal(pair_map(t, pair, 0, 0, MIB2, RW | NEW | TABLES_LARGE, inv), -PLX_EEXIST);
	assert_int_equal(pair_map(t, pair, 0x3ffff000, 0, 0x2000, RW | NEW, inv), -PLX_EEXIST);
	assert_int_equal(photograph(), before);
	assert_int_equal(inv->kind, TABLES_INV_NONE);
	assert_int_equal(pair_map(t, pair, 0, 0, 0x10000, RW | TABLES_OVERWRITE, inv), 0);
	assert_int_equal(look(TABLES_SUPERVISOR(pair), 0x3000).phys, 0x3000);
	assert_false(shown(TABLES_USER(pair), 0x3000));		/* it was TABLES_BOTH before */
	assert_true(inv_covers(inv, 0x3000));
	assert_false(inv_covers(inv, 0x4000));
}

static void a_missing_table_needs_create(void **state)
{
	uint32_t pair = new_pair();
	uint64_t before = photograph();

	(void)state;
	assert_int_equal(pair_map(t, pair, 0, 0, 4096, RW, inv), -PLX_ENOENT);
	assert_int_equal(pair_map(t, pair, 0, 0, MIB2, RW | TABLES_LARGE | TABLES_OVERWRITE, inv), -PLX_ENOENT);
	assert_int_equal(tables_map(t, HIGH, 0, 4096, RW, inv), -PLX_ENOENT);
	assert_int_equal(photograph(), before);
	pair_map(t, pair, 0, 0, 4096, RW | NEW, inv);
	assert_int_equal(pair_map(t, pair, 0x1000, 0, 4096, RW, inv), 0);
	assert_int_equal(pair_map(t, pair, MIB2, 0, 4096, RW, inv), -PLX_ENOENT);
	assert_int_equal(pair_map(t, pair, MIB2, 0, MIB2, RW | TABLES_LARGE, inv), 0);
}

/* The processor's bits are each view's own, and no right's change loses them; who names them sets them. */
static void accessed_and_dirty_outlive_a_change_of_rights(void **state)
{
	uint32_t pair = new_pair();

	(void)state;
	pair_map(t, pair, 0, 0, 0x2000, RW | TABLES_BOTH | NEW, inv);
	*walk_leaf(l, TABLES_USER(pair), 0) |= TABLES_A | TABLES_D;
	*walk_leaf(l, TABLES_SUPERVISOR(pair), 0x1000) |= TABLES_A;
	pair_protect(t, pair, 0, 0x2000, TABLES_W, 0, inv);
	assert_int_equal(look(TABLES_USER(pair), 0).rights, TABLES_U | TABLES_A | TABLES_D);
	assert_int_equal(look(TABLES_SUPERVISOR(pair), 0).rights, TABLES_U);
	assert_int_equal(look(TABLES_SUPERVISOR(pair), 0x1000).rights, TABLES_U | TABLES_A);
	assert_int_equal(look(TABLES_USER(pair), 0x1000).rights, TABLES_U);
	pair_protect(t, pair, 0, 0x2000, TABLES_A | TABLES_D, TABLES_A, inv);
	for (uint32_t va = 0; va < 0x2000; va += 0x1000) {
		assert_int_equal(look(TABLES_USER(pair), va).rights, TABLES_U | TABLES_A);
		assert_int_equal(look(TABLES_SUPERVISOR(pair), va).rights, TABLES_U | TABLES_A);
	}
}

/* Bit 63 is reserved where EFER.NXE is 0. */
static void without_nx_the_bit_is_never_set(void **state)
{
	static const struct tables_config no_nx = { .levels = 4, .phys_bits = 46 };
	uint32_t pair;

	(void)state;
	lab_done(&l->lab);
	tables_lab_init(l, &no_nx, 8);
	pair = new_pair();
	pair_map(t, pair, 0, 0, 4096, RW | TABLES_BOTH | TABLES_NX | NEW, inv);
	pair_protect(t, pair, 0, 4096, TABLES_NX | TABLES_W, TABLES_NX, inv);
	assert_int_equal(look(TABLES_SUPERVISOR(pair), 0).rights, TABLES_U);
	assert_int_equal(look(TABLES_USER(pair), 0).rights, TABLES_U);
}

/* AMD's SME: the mask is in every entry and in CR3 (the walker looks), and no address may touch it. */
static void the_encryption_bit_is_everywhere_and_no_address(void **state)
{
	uint32_t pair = new_pair();
	uint64_t phys;

	(void)state;
	assert_int_equal(pair_map(t, pair, 0, 0x5000, 4096, RW | TABLES_BOTH | NEW, inv), 0);
	assert_int_equal(tables_lookup(t, TABLES_USER(pair), 0x10, &phys, NULL), 0);
	assert_int_equal(phys, 0x5010);
	assert_int_equal(look(TABLES_USER(pair), 0).phys, 0x5000);
	assert_int_equal(pair_map(t, pair, 0x1000, 1ull << 47, 4096, RW | NEW, inv), -PLX_EINVAL);
}

/* ---- 2 MiB leaves ----------------------------------------------------------------------------------------------------------- */

static void large_leaves_are_used_where_all_is_aligned(void **state)
{
	uint32_t pair = new_pair();

	(void)state;
	/* One page, two large ones, one page. */
	assert_int_equal(pair_map(t, pair, 0x3ff000, 0x7ff000, 2 * MIB2 + 0x2000, RW | TABLES_BOTH | NEW | TABLES_LARGE, inv), 0);
	for (uint32_t view = TABLES_SUPERVISOR(pair); view <= TABLES_USER(pair); view++) {
		assert_false(look(view, 0x3ff000).large);
		assert_true(look(view, 0x400000).large);
		assert_true(look(view, 0x7ff000).large);
		assert_false(look(view, 0x800000).large);
		for (uint32_t va = 0x3ff000; va < 0x801000; va += 0x1000)
			assert_int_equal(look(view, va).phys, va + 0x400000);
	}
	/* The same with addresses that do not fit together: none. */
	pair_clear(t, pair, inv);
	pair_map(t, pair, 0, 0x1000, 2 * MIB2, RW | TABLES_BOTH | NEW | TABLES_LARGE, inv);
	assert_false(look(TABLES_SUPERVISOR(pair), 0).large);
	pair_clear(t, pair, inv);
	pair_map(t, pair, 0, 0, 2 * MIB2, RW | TABLES_BOTH | NEW, inv);
	assert_false(look(TABLES_USER(pair), 0).large);
}

static void part_of_a_large_leaf_changes_and_the_rest_stays(void **state)
{
	uint32_t pair = new_pair();

	(void)state;
	pair_map(t, pair, 0x80000000, 6 * MIB2, MIB2, RW | TABLES_BOTH | NEW | TABLES_LARGE, inv);
	*walk_leaf(l, TABLES_USER(pair), 0x80000000) |= TABLES_A;
	memset(inv, 0, sizeof(*inv));
	assert_int_equal(pair_unmap(t, pair, 0x80005000, 0x1000, inv), 0);
	assert_int_equal(inv->kind, TABLES_INV_ALL);
	assert_int_equal(pair_protect(t, pair, 0x80007000, 0x1000, TABLES_W, 0, inv), 0);
	assert_int_equal(pair_map(t, pair, 0x80009000, 0x1000, 0x1000, TABLES_U | TABLES_OVERWRITE, inv), 0);
	for (uint32_t i = 0; i < 512; i++) {
		struct walk s = look(TABLES_SUPERVISOR(pair), 0x80000000 + i * 4096), u = look(TABLES_USER(pair), 0x80000000 + i * 4096);

		assert_int_equal(s.present, i != 5);
		assert_int_equal(u.present, i != 5 && i != 9);
		assert_int_equal(s.phys, i == 5 ? 0 : i == 9 ? 0x1000 : 6 * MIB2 + i * 4096);
		assert_int_equal(s.rights, i == 5 ? 0 : i == 7 || i == 9 ? TABLES_U : RW);
		if (u.present)
			assert_int_equal(u.rights, (i == 7 ? TABLES_U : RW) | TABLES_A);
	}
}

static void a_large_leaf_takes_the_place_of_a_table(void **state)
{
	uint32_t pair = new_pair();

	(void)state;
	pair_map(t, pair, 0, 0, 0x10000, RW | TABLES_BOTH | NEW, inv);
	memset(inv, 0, sizeof(*inv));
	assert_int_equal(pair_map(t, pair, 0, 0, MIB2, RW | TABLES_BOTH | TABLES_LARGE | TABLES_OVERWRITE, inv), 0);
	assert_true(look(TABLES_USER(pair), 0x5000).large);
	assert_int_equal(inv->kind, TABLES_INV_ALL);
	assert_true(l->state.garbage);
	assert_int_equal(tables_collect(t, inv), 2);
	assert_false(l->state.garbage);
	/* And of an empty one, without overwriting anything. */
	pair_map(t, pair, 0x200000, 0, 0x1000, RW | TABLES_BOTH | NEW, inv);
	pair_unmap(t, pair, 0x200000, 0x1000, inv);
	assert_int_equal(pair_map(t, pair, 0x200000, 0, MIB2, RW | TABLES_LARGE, inv), 0);
}

static void protecting_a_large_leaf_whole_or_to_what_it_is_does_not_split(void **state)
{
	uint32_t pair = new_pair();

	(void)state;
	pair_map(t, pair, 0, 0, MIB2, RW | NEW | TABLES_LARGE, inv);
	pair_protect(t, pair, 0x5000, 0x1000, TABLES_W, TABLES_W, inv);
	assert_int_equal(pair_protect(t, pair, 0, MIB2, TABLES_W | TABLES_BOTH, TABLES_BOTH, inv), 0);
	assert_true(look(TABLES_SUPERVISOR(pair), 0).large);
	assert_true(look(TABLES_USER(pair), 0).large);
	assert_int_equal(look(TABLES_USER(pair), 0).rights, TABLES_U);
	assert_int_equal(l->state.count.splits, 0);
}

/* Some processors keep parts of a large leaf as pages, some as one: INVLPG of the part that changed would not do. */
static void taking_a_large_leaf_apart_invalidates_all(void **state)
{
	(void)state;
	tables_map(t, HIGH, 0, MIB2, TABLES_W | NEW | TABLES_LARGE, inv);
	tables_unmap(t, HIGH + 0x1000, 0x1000, inv);
	assert_int_equal(inv->kind, TABLES_INV_ALL);
	assert_int_equal(look(TABLES_TEMPLATE, HIGH + 0x2000).phys, 0x2000);
}

/* ---- what to invalidate ----------------------------------------------------------------------------------------------------- */

static void new_mappings_ask_for_no_invalidation(void **state)
{
	uint32_t pair = new_pair();

	(void)state;
	pair_map(t, pair, 0, 0, MIB2 + 0x5000, RW | TABLES_BOTH | NEW | TABLES_LARGE, inv);
	tables_map(t, HIGH, 0, 0x5000, TABLES_W | NEW, inv);
	pair_map(t, pair, 0, 0, MIB2, RW | TABLES_BOTH | TABLES_OVERWRITE | TABLES_LARGE, inv);	/* what is there already */
	pair_unmap(t, pair, 0x40000000, 0x40000000, inv);					/* and what is not */
	assert_int_equal(inv->kind, TABLES_INV_NONE);
}

/* With a PCID for each root, the others remember the monitor's part, too, and the way to tables that are freed. */
static void changes_that_concern_every_root_say_so(void **state)
{
	uint32_t pair = new_pair(), other = new_pair();

	(void)state;
	pair_map(t, pair, 0, 0, 0x2000, RW | NEW, inv);
	pair_map(t, other, 0, 0, 0x2000, RW | NEW, inv);
	tables_map(t, HIGH, 0, 0x3000, TABLES_W | NEW, inv);
	assert_false(inv->every_root);
	pair_protect(t, pair, 0, 0x1000, TABLES_W, 0, inv);
	pair_unmap(t, pair, 0, 0x1000, inv);
	pair_clear(t, pair, inv);
	assert_false(inv->every_root);
	memset(inv, 0, sizeof(*inv));
	tables_unmap(t, HIGH + 0x1000, 0x1000, inv);
	assert_true(inv->every_root);
	assert_int_equal(inv->kind, TABLES_INV_PAGES);
	memset(inv, 0, sizeof(*inv));
	assert_int_equal(tables_collect(t, inv), 2);
	assert_true(inv->every_root);
	memset(inv, 0, sizeof(*inv));
	pair_unmap(t, other, 0, 0x2000, inv);
	assert_int_equal(tables_prune(t, inv), 2);
	assert_true(inv->every_root);
	assert_int_equal(inv->kind, TABLES_INV_ALL);
}

static void ranges_to_invalidate_add_up_until_all_is_cheaper(void **state)
{
	struct tables_inv i = { 0 };

	(void)state;
	tables_inv_pages(&i, 0x10000, 1);
	tables_inv_pages(&i, 0x12000, 2);
	tables_inv_pages(&i, 0xf000, 1);
	assert_int_equal(i.kind, TABLES_INV_PAGES);
	assert_int_equal(i.va, 0xf000);
	assert_int_equal(i.npages, 5);
	tables_inv_pages(&i, 0xf000 + (TABLES_INV_MAX_PAGES - 1) * 4096, 1);
	assert_int_equal(i.npages, TABLES_INV_MAX_PAGES);
	tables_inv_pages(&i, 0xe000, 1);
	assert_int_equal(i.kind, TABLES_INV_ALL);
	tables_inv_pages(&i, 0, 1);
	assert_int_equal(i.kind, TABLES_INV_ALL);
	i.kind = TABLES_INV_NONE;
	tables_inv_pages(&i, -8192ull, 1);
	tables_inv_pages(&i, -4096ull, 1);		/* the last page: ends at 2^64 */
	assert_int_equal(i.npages, 2);
	assert_int_equal(i.va, -8192ull);
}

/* ---- tracing ---------------------------------------------------------------------------------------------------------------- */

static void clearing_a_pair_leaves_its_tables_to_the_next_collect(void **state)
{
	uint32_t pair = new_pair(), used;
	uint64_t written;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		pair_map(t, pair, i << 24, 0, 4096, RW | TABLES_BOTH | NEW, inv);
	used = t->pages.state->nused;
	written = l->state.count.leaves_written;
	memset(inv, 0, sizeof(*inv));
	assert_int_equal(pair_clear(t, pair, inv), 0);
	assert_int_equal(inv->kind, TABLES_INV_ALL);
	assert_int_equal(t->pages.state->nused, used);
	assert_int_equal(l->state.count.leaves_written, written);
	for (uint32_t i = 0; i < 100; i++) {
		assert_false(shown(TABLES_SUPERVISOR(pair), i << 24));
		assert_false(shown(TABLES_USER(pair), i << 24));
	}
	memset(inv, 0, sizeof(*inv));
	assert_int_equal(tables_collect(t, inv), 2 * (100 + 2));	/* 100 tables under two PDs, in two views */
	assert_int_equal(inv->kind, TABLES_INV_ALL);
	assert_int_equal(t->pages.state->nused, reachable(l));
	assert_int_equal(tables_collect(t, inv), 0);
}

static void garbage_is_collected_when_pages_run_out_before_the_host_is_asked(void **state)
{
	uint32_t pair = new_pair(), got = l->lab.next;

	(void)state;
	for (uint32_t round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < 60; i++)
			assert_int_equal(pair_map(t, pair, i << 21, 0, 4096, RW | TABLES_BOTH | NEW, inv), 0);
		pair_clear(t, pair, inv);
	}
	assert_int_equal(l->lab.next, got);
	assert_true(l->state.count.collects > 0);
	assert_int_equal(l->state.count.prunes, 0);
}

static void tables_that_map_nothing_are_cut_off_when_nothing_else_is_left(void **state)
{
	uint32_t pair = new_pair();

	(void)state;
	tables_map(t, HIGH, 0, 4096, TABLES_W | NEW, inv);
	tables_map(t, HIGH + MIB2, 0, 4096, TABLES_W | NEW, inv);
	tables_unmap(t, HIGH + MIB2, 4096, inv);
	pair_map(t, pair, 0x40000000, 0, 4096, RW | TABLES_BOTH | NEW, inv);
	pair_unmap(t, pair, 0x40000000, 4096, inv);
	eat_free_pages();
	memset(inv, 0, sizeof(*inv));
	assert_int_equal(pair_map(t, pair, 0x80000000, 0x6000, 4096, RW | TABLES_BOTH | NEW, inv), 0);
	assert_int_equal(inv->kind, TABLES_INV_ALL);
	assert_int_equal(l->state.count.prunes, 1);
	assert_int_equal(t->pages.state->nfree, 1);	/* four of the pair's and one of the monitor's came, four went */
	assert_int_equal(look(TABLES_USER(pair), 0x80000000).phys, 0x6000);
	assert_int_equal(look(TABLES_USER(pair), HIGH).rights, TABLES_W);
}

static void pinned_pages_are_not_traced_away(void **state)
{
	table_ref mine = table_page_alloc(&t->pages, true);

	(void)state;
	table_page(&t->pages, mine)[7] = 42;
	table_page_alloc(&t->pages, false);		/* nobody points to this one */
	assert_int_equal(tables_collect(t, inv), 1);
	assert_int_equal(table_page(&t->pages, mine)[7], 42);
	table_page_free(&t->pages, mine);
	assert_int_equal(t->pages.state->nused, reachable(l));
}

/* ---- table pages ------------------------------------------------------------------------------------------------------------ */

static void an_entry_names_any_table_of_any_chunk(void **state)
{
	struct table_pages_state *s = malloc(table_pages_bytes(TABLE_MAX_CHUNKS));
	struct tables wide = *t;

	(void)state;
	assert_int_equal(table_pages_bytes(TABLE_MAX_CHUNKS + 1), 0);
	table_pages_init(s, TABLE_MAX_CHUNKS);
	wide.pages.state = s;
	for (uint32_t c = 0; c < TABLE_MAX_CHUNKS; c++) {
		table_ref ref = c * TABLE_SLOTS + 1 + c % 511;
		uint64_t entry;

		s->chunk[c].pool_index = 0;
		entry = entry_to(&wide, ref);
		assert_int_equal(entry_ref(entry), ref);
		assert_int_equal(WALK_ADDRESS(l, entry), lab_phys_of(0) + (ref % TABLE_SLOTS) * 4096);
		assert_int_equal(entry & 0x80000000000001ff, 7);
	}
	free(s);
}

static void an_empty_chunk_goes_back_and_its_number_comes_again(void **state)
{
	struct table_pages *p = &t->pages;
	uint32_t pair = new_pair(), index;

	(void)state;
	assert_int_equal(table_pages_add(p, 20), 0);
	assert_int_equal(table_pages_add(p, 20), -PLX_EEXIST);
	assert_int_equal(table_pages_add(p, 21), 0);
	assert_int_equal(p->state->nfree, 3 * 511 - 2 - 4);
	assert_int_equal(table_pages_release(p, &index), 0);
	assert_int_equal(index, 21);
	assert_int_equal(table_pages_release(p, &index), 0);
	assert_int_equal(index, 20);
	assert_int_equal(table_pages_release(p, &index), -PLX_ENOENT);
	assert_int_equal(table_pages_add(p, 22), 0);
	assert_int_equal(p->state->nchunks, 2);
	l->lab.phys[23] += 4096;
	assert_int_equal(table_pages_add(p, 23), -PLX_EINVAL);
	l->lab.phys[23] = 1ull << 52;
	assert_int_equal(table_pages_add(p, 23), -PLX_EINVAL);
	pair_map(t, pair, 0, 0, 4096, RW | NEW, inv);
	assert_true(shown(TABLES_SUPERVISOR(pair), 0));
}

/* So that high ones empty and can go back. */
static void the_lowest_chunk_with_room_is_used_first(void **state)
{
	struct table_pages *p = &t->pages;
	uint32_t pair = new_pair(), index;
	table_ref first, last = 0, ref;

	(void)state;
	pair_map(t, pair, 0, 0, 4096, RW | NEW, inv);
	table_pages_want(p, 2 * 511);				/* three chunks, numbers 0..2 */
	first = table_page_alloc(p, true);
	while (p->state->nfree)
		last = table_page_alloc(p, true);
	assert_int_equal(first / TABLE_SLOTS, 0);
	assert_int_equal(last / TABLE_SLOTS, 2);

	table_page_free(p, last);
	table_page_free(p, first);
	assert_int_equal(table_page_alloc(p, true), first);
	assert_int_equal(table_page_alloc(p, true), last);
	pair_clear(t, pair, inv);				/* of chunk 0, by tracing */
	assert_int_equal(tables_collect(t, inv), 2);
	assert_int_equal(table_page_alloc(p, true) / TABLE_SLOTS, 0);
	assert_int_equal(table_page_alloc(p, true) / TABLE_SLOTS, 0);
	assert_int_equal(table_page_alloc(p, true), TABLE_NONE);

	/* The middle one goes back and comes again: there is nothing in between, then all of it. */
	for (uint32_t slot = 1; slot < TABLE_SLOTS; slot++)
		table_page_free(p, 1 * TABLE_SLOTS + slot);
	assert_int_equal(table_pages_release(p, &index), 0);
	assert_int_equal(p->state->nlive, 2);
	assert_int_equal(p->state->nchunks, 3);
	table_page_free(p, last);
	assert_int_equal(table_page_alloc(p, true), last);
	assert_int_equal(table_page_alloc(p, true), TABLE_NONE);
	assert_int_equal(table_pages_add(p, index), 0);
	ref = table_page_alloc(p, true);
	assert_int_equal(ref, 1 * TABLE_SLOTS + 1);
	assert_int_equal(p->state->nfree, 510);
	/* The first free one is beyond the last chunk when the last goes. */
	for (uint32_t slot = 1; slot < TABLE_SLOTS; slot++)
		table_page_free(p, 2 * TABLE_SLOTS + slot);
	while (p->state->nfree > 511)
		table_page_alloc(p, true);
	assert_int_equal(table_pages_release(p, &index), 0);
	assert_int_equal(p->state->nchunks, 2);
	assert_int_equal(table_page_alloc(p, true), TABLE_NONE);
	assert_int_equal(table_pages_add(p, index), 0);
	assert_int_equal(table_page_alloc(p, true), 2 * TABLE_SLOTS + 1);
}

/* Ten pieces under two PDs; the user's view likewise. */
static void a_call_needs_no_more_pages_than_it_uses(void **state)
{
	uint32_t pair = new_pair();
	table_ref eaten[TABLE_SLOTS];
	uint32_t n = 0, need = 2 * (2 + 10);

	(void)state;
	l->lab.limit = 0;
	while ((eaten[n] = table_page_alloc(&t->pages, true)) != TABLE_NONE)
		n++;
	for (uint32_t i = 0; i < need; i++) {
		assert_int_equal(pair_map(t, pair, 0x40000000 - 5 * MIB2, 0, 10 * MIB2, RW | TABLES_BOTH | NEW, inv), -PLX_ENOMEM);
		table_page_free(&t->pages, eaten[--n]);
	}
	assert_int_equal(pair_map(t, pair, 0x40000000 - 5 * MIB2, 0, 10 * MIB2, RW | TABLES_BOTH | NEW, inv), 0);
	assert_int_equal(t->pages.state->nfree, 0);
}

static void no_page_is_asked_for_that_has_no_place(void **state)
{
	struct table_pages *p = &t->pages;

	(void)state;
	l->lab.limit = LAB_PAGES;
	p->state->max_chunks = 3;
	assert_false(table_pages_want(p, 511 * 4));
	assert_int_equal(l->lab.next, 3);
	assert_int_equal(table_pages_add(p, 50), -PLX_ENOSPC);
}

/* The host's world and the monitor's see the same tables at different addresses. */
static void another_world_sees_the_same_tables(void **state)
{
	size_t nbytes = (size_t)4 * POOL_PAGE_BYTES;
	uint8_t *elsewhere = mmap(NULL, nbytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct tables other = { .state = malloc(sizeof(l->state)) };
	uint32_t pair = new_pair();
	uint64_t phys;

	(void)state;
	pair_map(t, pair, 0x1000, 0x77000, 4096, RW | TABLES_BOTH | NEW, inv);
	memcpy(elsewhere, l->lab.base, nbytes);
	memcpy(other.state, &l->state, sizeof(l->state));
	other.pages.state = t->pages.state;
	other.pages.pool_base = elsewhere;
	mprotect(l->lab.base, nbytes, PROT_NONE);
	assert_int_equal(tables_lookup(&other, TABLES_USER(pair), 0x1000, &phys, NULL), 0);
	assert_int_equal(phys, 0x77000);
	assert_int_equal(pair_map(&other, pair, 0x2000, 0x88000, 4096, RW | NEW, inv), 0);
	assert_int_equal(tables_collect(&other, inv), 0);
	munmap(elsewhere, nbytes);
	free(other.state);
}

int main(void)
{
#define T(claim)	cmocka_unit_test_setup_teardown(claim, setup, teardown)
#define T5(claim)	{ #claim " with 5 levels and SME", claim, setup_five, teardown, NULL }
	const struct CMUnitTest tests[] = {
		T(four_or_five_levels_and_nothing_else),
		T(bad_arguments_are_invalid_and_change_nothing),
		T(a_pair_that_is_not_allocated_is_not_found),
		T(there_are_512_pairs),
		T(the_monitors_part_is_in_every_root_of_before_and_after),
		T5(the_monitors_part_is_in_every_root_of_before_and_after),
		T(the_monitors_part_outlives_pairs),
		T(a_large_unmap_of_nothing_is_short),
		T(a_page_of_the_guests_kernel_is_in_one_view),
		T5(a_page_of_the_guests_kernel_is_in_one_view),
		T(a_page_of_the_guests_user_is_in_both),
		T(a_page_can_be_read_only_for_the_user_alone),
		T(the_windows_own_pages_are_for_ring_0_in_both_views),
		T(when_rights_change_the_user_view_follows),
		T(protecting_a_hole_fails_as_a_whole),
		T(mapping_over_something_needs_overwrite),
		T(a_missing_table_needs_create),
		T(accessed_and_dirty_outlive_a_change_of_rights),
		T(without_nx_the_bit_is_never_set),
		T5(the_encryption_bit_is_everywhere_and_no_address),
		T(large_leaves_are_used_where_all_is_aligned),
		T(part_of_a_large_leaf_changes_and_the_rest_stays),
		T5(part_of_a_large_leaf_changes_and_the_rest_stays),
		T(a_large_leaf_takes_the_place_of_a_table),
		T(taking_a_large_leaf_apart_invalidates_all),
		T(protecting_a_large_leaf_whole_or_to_what_it_is_does_not_split),
		T(new_mappings_ask_for_no_invalidation),
		T(changes_that_concern_every_root_say_so),
		T(ranges_to_invalidate_add_up_until_all_is_cheaper),
		T(clearing_a_pair_leaves_its_tables_to_the_next_collect),
		T(garbage_is_collected_when_pages_run_out_before_the_host_is_asked),
		T(tables_that_map_nothing_are_cut_off_when_nothing_else_is_left),
		T(pinned_pages_are_not_traced_away),
		T(an_entry_names_any_table_of_any_chunk),
		T(an_empty_chunk_goes_back_and_its_number_comes_again),
		T(the_lowest_chunk_with_room_is_used_first),
		T(a_call_needs_no_more_pages_than_it_uses),
		T(no_page_is_asked_for_that_has_no_place),
		T(another_world_sees_the_same_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
