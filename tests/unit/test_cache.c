/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_cache.c - claims about prescan/cache.c: what is found, what is chained, what a write or a remapping takes away.
 */
#include "cache_lab.h"

#define PAGE_A 0x10000u
#define PAGE_B 0x11000u
#define GFN_A 0x40
#define GFN_B 0x50

static struct prescan_cache cache, *const c = &cache;
static uint8_t *rw;

static int setup(void **state)
{
	(void)state;
	rw = calloc(1, WINDOW_BYTES);
	lab_cache_init(c, rw);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_cache_free(c);
	free(rw);
	return 0;
}

/* A fragment of NOPs with a jump to @target at its end; @n bytes in all. */
static uint32_t jumper(uint32_t eip, uint32_t gfn, uint32_t n, uint32_t target)
{
	uint8_t code[FRAG_MAX_GUEST];
	uint32_t rel = target - (eip + n);

	memset(code, 0x90, sizeof(code));
	code[n - 5] = 0xe9;
	memcpy(code + n - 4, &rel, 4);
	return lab_translate(c, eip, gfn, KEY_KERNEL, code, n);
}

static uint32_t returner(uint32_t eip, uint32_t gfn, uint32_t key)
{
	return lab_translate(c, eip, gfn, key, (const uint8_t *)"\xc3", 1);
}

static uint32_t find(uint32_t eip)
{
	return prescan_cache_find(c, eip, 0, KEY_KERNEL);
}

/* Where the rel32 of a link goes now. */
static uint32_t link_goes(uint32_t link)
{
	uint32_t rel;

	memcpy(&rel, rw + c->links[link].patch, 4);
	return c->links[link].patch + 4 + rel;
}

/* A fragment's last link: jumper() makes one. */
static uint32_t link_of(uint32_t frag)
{
	for (uint32_t i = c->nlinks - 1; i; i--)
		if (c->links[i].owner == frag)
			return i;
	fail();
	return 0;
}

static uint32_t jump_goes(uint32_t eip, unsigned int user)
{
	uint32_t to;

	memcpy(&to, rw + WINDOW_JUMP_TABLE + user * WINDOW_JUMP_BYTES + (eip & 0xffff) * 4, 4);
	return to - LAB_WINDOW;
}

static void a_fragment_is_found_by_place_base_and_mode_alone(void **state)
{
	uint32_t f = returner(PAGE_A + 4, GFN_A, KEY_KERNEL);

	(void)state;
	assert_int_not_equal(f, 0);
	assert_int_equal(find(PAGE_A + 4), f);
	assert_int_equal(find(PAGE_A + 5), 0);
	assert_int_equal(prescan_cache_find(c, PAGE_A + 4, 0, KEY_KERNEL ^ KEY_FPU), 0);
	assert_int_equal(prescan_cache_find(c, 4, PAGE_A, KEY_KERNEL), 0);	/* the same linear address */
}

static void a_page_that_is_mapped_elsewhere_hides_its_fragments_until_it_is_back(void **state)
{
	uint32_t f = returner(PAGE_A, GFN_A, KEY_KERNEL), f2;

	(void)state;
	prescan_cache_deactivate(c, PAGE_A >> 12);
	assert_int_equal(find(PAGE_A), 0);
	assert_true(prescan_cache_page_known(c, PAGE_A >> 12, GFN_A));
	assert_false(prescan_cache_page_known(c, PAGE_A >> 12, GFN_B));
	f2 = returner(PAGE_A, GFN_B, KEY_KERNEL);
	assert_int_equal(find(PAGE_A), f2);
	prescan_cache_page(c, PAGE_A >> 12, GFN_A, false, false);		/* without a word, too */
	assert_int_equal(find(PAGE_A), f);
}

static void global_pages_stay_unless_they_are_meant_too(void **state)
{
	uint32_t a = returner(PAGE_A, GFN_A, KEY_KERNEL), b;

	(void)state;
	prescan_cache_page(c, PAGE_B >> 12, GFN_B, true, false);
	b = returner(PAGE_B, GFN_B, KEY_KERNEL);
	prescan_cache_deactivate_all(c, false);
	assert_int_equal(find(PAGE_A), 0);
	assert_int_equal(find(PAGE_B), b);
	prescan_cache_deactivate_all(c, true);
	assert_int_equal(find(PAGE_B), 0);
	assert_int_equal(c->nactive, 0);
	prescan_cache_page(c, PAGE_A >> 12, GFN_A, false, false);
	assert_int_equal(find(PAGE_A), a);
}

static void a_link_leads_to_its_target_and_back_to_its_veneer(void **state)
{
	uint32_t target = returner(PAGE_B, GFN_B, KEY_KERNEL);
	uint32_t from = jumper(PAGE_A, GFN_A, 20, PAGE_B), link = link_of(from);
	uint32_t veneer = c->links[link].veneer, site = prescan_cache_site_at(c, veneer);

	(void)state;
	assert_int_equal(link_goes(link), veneer);
	assert_int_equal(c->sites[site].kind, SITE_LINK);
	assert_int_equal(c->sites[site].eip, PAGE_B);
	assert_int_equal(c->sites[site].link, link);
	prescan_cache_link(c, link, target);
	assert_int_equal(link_goes(link), c->frags[target].body);
	prescan_cache_link(c, link, from);				/* linked already: nothing happens */
	assert_int_equal(link_goes(link), c->frags[target].body);
	prescan_cache_kill(c, target);
	assert_int_equal(link_goes(link), veneer);
	assert_int_equal(find(PAGE_B), 0);
	prescan_cache_kill(c, target);					/* twice is once */
	target = returner(PAGE_B, GFN_B, KEY_KERNEL);
	prescan_cache_link(c, link, target);
	assert_int_equal(link_goes(link), c->frags[target].body);
}

static void a_dead_fragment_is_linked_to_nothing(void **state)
{
	uint32_t target = returner(PAGE_B, GFN_B, KEY_KERNEL);
	uint32_t from = jumper(PAGE_A, GFN_A, 20, PAGE_B), link = link_of(from);

	(void)state;
	prescan_cache_kill(c, from);
	prescan_cache_link(c, link, target);
	assert_int_equal(link_goes(link), c->links[link].veneer);
	assert_int_equal(c->frags[target].incoming, 0);
}

static void links_from_other_pages_last_no_longer_than_the_target_page(void **state)
{
	uint32_t target = returner(PAGE_B + 0x100, GFN_B, KEY_KERNEL);
	uint32_t far_link = link_of(jumper(PAGE_A, GFN_A, 20, PAGE_B + 0x100));
	uint32_t near_link = link_of(jumper(PAGE_B, GFN_B, 20, PAGE_B + 0x100));
	uint32_t far_link2 = link_of(jumper(PAGE_A + 0x40, GFN_A, 20, PAGE_B + 0x100));

	(void)state;
	prescan_cache_link(c, far_link, target);
	prescan_cache_link(c, near_link, target);
	prescan_cache_link(c, far_link2, target);
	prescan_cache_deactivate(c, PAGE_B >> 12);
	assert_int_equal(link_goes(far_link), c->links[far_link].veneer);
	assert_int_equal(link_goes(far_link2), c->links[far_link2].veneer);
	assert_int_equal(link_goes(near_link), c->frags[target].body);	/* they come and go together */
	prescan_cache_page(c, PAGE_B >> 12, GFN_B, false, false);
	prescan_cache_kill(c, target);
	assert_int_equal(link_goes(near_link), c->links[near_link].veneer);
}

static void a_write_kills_what_it_touches_and_nothing_else(void **state)
{
	uint32_t a = jumper(PAGE_A + 0x100, GFN_A, 16, PAGE_B), b = jumper(PAGE_A + 0x110, GFN_A, 16, PAGE_B);

	(void)state;
	assert_false(prescan_cache_written(c, (GFN_A << 12) + 0xff, 1));
	assert_false(prescan_cache_written(c, (GFN_A << 12) + 0x120, 16));
	assert_int_equal(find(PAGE_A + 0x100), a);
	assert_int_equal(find(PAGE_A + 0x110), b);
	assert_false(prescan_cache_written(c, (GFN_A << 12) + 0x10f, 1));
	assert_int_equal(find(PAGE_A + 0x100), 0);
	assert_int_equal(find(PAGE_A + 0x110), b);
	assert_false(prescan_cache_frame_empty(c, GFN_A));
	assert_true(prescan_cache_written(c, (GFN_A << 12) + 0x10c, 5));
	assert_int_equal(find(PAGE_A + 0x110), 0);
	assert_true(prescan_cache_frame_empty(c, GFN_A));
}

static void a_write_reaches_every_place_that_shows_the_frame(void **state)
{
	(void)state;
	returner(PAGE_A + 8, GFN_A, KEY_KERNEL);
	returner(PAGE_B + 8, GFN_A, KEY_KERNEL);
	prescan_cache_deactivate(c, PAGE_B >> 12);			/* also one that is not active */
	assert_true(prescan_cache_written(c, (GFN_A << 12) + 8, 1));
	assert_int_equal(find(PAGE_A + 8), 0);
	prescan_cache_page(c, PAGE_B >> 12, GFN_A, false, false);
	assert_int_equal(find(PAGE_B + 8), 0);
}

/* MOV EAX, imm32 of which @n bytes lie in the first page. */
static uint32_t straddler(uint32_t n)
{
	return lab_translate(c, PAGE_B - n, GFN_A, KEY_KERNEL, (const uint8_t *)"\xb8\x11\x22\x33\x44\xc3", 6);
}

static void a_straddling_fragment_dies_by_a_write_to_either_page(void **state)
{
	(void)state;
	for (uint32_t n = 1; n < 5; n++) {
		uint32_t f = straddler(n);

		assert_int_equal(find(PAGE_B - n), f);
		assert_int_equal(c->frags[f].guest_bytes, 5);		/* it ends with that instruction */
		assert_false(prescan_cache_written(c, ((GFN_A + 1) << 12) + 5 - n, 4));
		assert_int_equal(find(PAGE_B - n), f);
		assert_true(prescan_cache_written(c, ((GFN_A + 1) << 12) + 4 - n, 1));
		assert_int_equal(find(PAGE_B - n), 0);
		f = straddler(n);
		assert_true(prescan_cache_written(c, (GFN_A << 12) + 0xfff, 1));
		assert_int_equal(find(PAGE_B - n), 0);
		assert_true(prescan_cache_frame_empty(c, GFN_A + 1));
	}
}

static void a_straddling_fragment_dies_with_the_mapping_of_its_second_page(void **state)
{
	uint32_t f = straddler(2), from = jumper(PAGE_A, GFN_A, 20, PAGE_B - 2), link = link_of(from);

	(void)state;
	prescan_cache_link(c, link, f);					/* from its own first page */
	prescan_cache_deactivate(c, PAGE_B >> 12);
	assert_true(c->frags[f].dead);
	assert_int_equal(find(PAGE_B - 2), 0);
	assert_int_equal(link_goes(link), c->links[link].veneer);
}

static void the_jump_table_leads_to_the_indirect_entry_or_to_the_miss(void **state)
{
	uint32_t a = returner(PAGE_A, GFN_A, KEY_KERNEL), alias = returner(PAGE_A + 0x50000, GFN_B, KEY_KERNEL), u;

	(void)state;
	assert_int_equal(jump_goes(PAGE_A, 0), c->miss_veneer[0]);
	assert_true(c->frags[a].indirect_entry);
	prescan_cache_jump_fill(c, a);
	assert_int_equal(jump_goes(PAGE_A, 0), c->frags[a].body - PRESCAN_PROLOGUE);
	prescan_cache_jump_fill(c, alias);				/* the same slot */
	assert_int_equal(jump_goes(PAGE_A, 0), c->frags[alias].body - PRESCAN_PROLOGUE);
	prescan_cache_kill(c, a);
	assert_int_equal(jump_goes(PAGE_A, 0), c->frags[alias].body - PRESCAN_PROLOGUE);
	prescan_cache_kill(c, alias);
	assert_int_equal(jump_goes(PAGE_A, 0), c->miss_veneer[0]);
	a = returner(PAGE_A, GFN_A, KEY_KERNEL);
	prescan_cache_jump_fill(c, a);
	u = returner(PAGE_A, GFN_A, KEY_KERNEL | KEY_CPL3);
	prescan_cache_jump_fill(c, u);
	assert_int_equal(jump_goes(PAGE_A, 1), c->frags[u].body - PRESCAN_PROLOGUE);
	assert_int_equal(jump_goes(PAGE_A, 0), c->frags[a].body - PRESCAN_PROLOGUE);
	prescan_cache_deactivate(c, PAGE_A >> 12);
	assert_int_equal(jump_goes(PAGE_A, 0), c->miss_veneer[0]);
	assert_int_equal(jump_goes(PAGE_A, 1), c->miss_veneer[1]);
}

static void the_jump_table_holds_fragments_of_one_mode_alone(void **state)
{
	uint32_t a = returner(PAGE_A, GFN_A, KEY_KERNEL), b = returner(PAGE_A + 4, GFN_A, KEY_KERNEL ^ KEY_FPU);

	(void)state;
	prescan_cache_jump_mode(c, KEY_KERNEL);
	prescan_cache_jump_fill(c, a);
	prescan_cache_jump_mode(c, KEY_KERNEL ^ KEY_FPU);
	assert_int_equal(jump_goes(PAGE_A, 0), c->miss_veneer[0]);
	prescan_cache_jump_fill(c, b);
	prescan_cache_jump_mode(c, KEY_KERNEL | KEY_CPL3);		/* another table */
	assert_int_equal(jump_goes(PAGE_A + 4, 0), c->frags[b].body - PRESCAN_PROLOGUE);
	prescan_cache_jump_fill(c, a);					/* filled for another mode: that clears, too */
	assert_int_equal(jump_goes(PAGE_A + 4, 0), c->miss_veneer[0]);
	assert_int_equal(jump_goes(PAGE_A, 0), c->frags[a].body - PRESCAN_PROLOGUE);
}

/* More fills and kills than the log has room for must not leave a stale entry behind. */
static void clearing_the_jump_table_forgets_no_slot(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < CACHE_MAX_JUMP_LOG + 10; i++) {
		uint32_t eip = PAGE_A + (i & 7) * 16, f = find(eip);

		if (!f)
			f = returner(eip, GFN_A, KEY_KERNEL);
		prescan_cache_jump_fill(c, f);
		if (i % 3)
			prescan_cache_kill(c, f);
	}
	prescan_cache_jump_clear(c, 0);
	for (uint32_t i = 0; i < 0x10000; i++)
		assert_int_equal(jump_goes(i, 0), c->miss_veneer[0]);
}

static void offsets_are_found_in_their_fragments(void **state)
{
	uint32_t frags[64], n = 0;

	(void)state;
	for (uint32_t i = 0; i < 64; i++)
		frags[n++] = jumper(PAGE_A + i * 32, GFN_A, 6 + i % 20, PAGE_B);
	assert_int_equal(prescan_cache_at(c, WINDOW_CODE - 1), 0);
	for (uint32_t i = 0; i < n; i++) {
		const struct frag *f = &c->frags[frags[i]];

		assert_int_equal(prescan_cache_at(c, f->body - PRESCAN_PROLOGUE), frags[i]);
		assert_int_equal(prescan_cache_at(c, f->body), frags[i]);
		assert_int_equal(prescan_cache_at(c, f->body + f->host_bytes - 1), frags[i]);
		assert_int_not_equal(prescan_cache_at(c, f->body + f->host_bytes), frags[i]);
	}
	assert_int_equal(prescan_cache_at(c, c->code_next + 1000), 0);
	assert_int_equal(prescan_cache_at(c, WINDOW_COLD), 0);
}

static void each_direct_jump_knows_its_target(void **state)
{
	uint32_t eip, frags[20];

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		frags[i] = jumper(PAGE_A + i * 32, GFN_A, 8, PAGE_B + i * 4);
	for (uint32_t i = 0; i < 20; i++) {
		const struct frag *f = &c->frags[frags[i]];

		assert_true(prescan_cache_jump_target(c, f->body + f->host_bytes - 5, &eip));
		assert_int_equal(eip, PAGE_B + i * 4);
		assert_false(prescan_cache_jump_target(c, f->body, &eip));
	}
}

static void a_full_cache_says_so_and_is_as_new_after_a_flush(void **state)
{
	uint32_t n = 0, first = c->code_next, f;

	(void)state;
	for (;; n++) {
		f = jumper(PAGE_A + (n & 0x7f) * 32, GFN_A, 5, PAGE_B);
		if (!f)
			break;
		assert_in_range(c->code_next, first, WINDOW_COLD);
		assert_in_range(c->cold_next, WINDOW_COLD, WINDOW_BYTES);
		assert_true(n < 10000000);
	}
	assert_true(n > 100000);
	prescan_cache_flush(c);
	assert_int_equal(find(PAGE_A), 0);
	assert_int_equal(c->nactive, 0);
	assert_true(prescan_cache_frame_empty(c, GFN_A));
	assert_int_equal(prescan_cache_at(c, first), 0);
	f = returner(PAGE_A, GFN_A, KEY_KERNEL);
	assert_int_equal(find(PAGE_A), f);
	assert_int_equal(jump_goes(PAGE_A, 0), c->miss_veneer[0]);
	assert_int_equal(prescan_cache_site_at(c, c->miss_veneer[0]), 1);
	assert_int_equal(prescan_cache_site_at(c, c->miss_veneer[1]), 2);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CLAIM(a_fragment_is_found_by_place_base_and_mode_alone),
		CLAIM(a_page_that_is_mapped_elsewhere_hides_its_fragments_until_it_is_back),
		CLAIM(global_pages_stay_unless_they_are_meant_too),
		CLAIM(a_link_leads_to_its_target_and_back_to_its_veneer),
		CLAIM(a_dead_fragment_is_linked_to_nothing),
		CLAIM(links_from_other_pages_last_no_longer_than_the_target_page),
		CLAIM(a_write_kills_what_it_touches_and_nothing_else),
		CLAIM(a_write_reaches_every_place_that_shows_the_frame),
		CLAIM(a_straddling_fragment_dies_by_a_write_to_either_page),
		CLAIM(a_straddling_fragment_dies_with_the_mapping_of_its_second_page),
		CLAIM(the_jump_table_leads_to_the_indirect_entry_or_to_the_miss),
		CLAIM(the_jump_table_holds_fragments_of_one_mode_alone),
		CLAIM(clearing_the_jump_table_forgets_no_slot),
		CLAIM(offsets_are_found_in_their_fragments),
		CLAIM(each_direct_jump_knows_its_target),
		CLAIM(a_full_cache_says_so_and_is_as_new_after_a_flush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
