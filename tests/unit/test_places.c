/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_places.c - claims about prescan/places.c: a cache whose bases moved is, byte for byte, the cache that would have
 * been made there.
 *
 * The same guest code is translated, chained and dropped in two caches: one at its first bases, which then moves; one at the new
 * bases from the start. An address that is not on the list, or on it under the wrong kind, or twice, is a difference.
 */
#include "cache_lab.h"

#define PAGES 16u

struct pair {
	uint8_t *rw[2];
	struct prescan_cache c[2];
};

static uint32_t seed;

static uint32_t rnd(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));

	for (unsigned int i = 0; i < 2; i++) {
		p->rw[i] = calloc(1, WINDOW_BYTES);
		lab_cache_init(&p->c[i], p->rw[i]);
	}
	seed = 1;
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	for (unsigned int i = 0; i < 2; i++) {
		lab_cache_free(&p->c[i]);
		free(p->rw[i]);
	}
	free(p);
	return 0;
}

static void bases(struct prescan_cache *c, uint32_t window, uint32_t user_scratch, uint32_t bias)
{
	c->env.window = window;
	c->env.user_scratch = user_scratch;
	c->env.data_bias = bias;
}

/* Whatever has a sequence of its own, and what has none, in one program. */
static uint32_t make_program(uint8_t *bytes, uint32_t max)
{
	static const char *const insn[] = {
		"\xfa", "\xfb", "\x9c", "\x9d", "\xc3", "\xc2\x08\x00", "\xff\xd0", "\xff\xe1", "\xff\x16", "\x8c\xd8", "\x1e", "\x0f\xa0", "\x66\x0e",
		"\x66\x9c", "\xe8\x20\x00\x00\x00", "\x75\x05", "\xe2\x03", "\xeb\x10", "\x0f\xa2", "\x0f\x31", "\xcd\x80", "\xcf", "\xec",
		"\xf4", "\x8e\xd8", "\x90", "\x01\xd8", "\x89\x03", "\xd9\xe8", "\x0f\x0b", "\x65\x8b\x03", "\x0f\x20\xc0",
	};
	static const uint8_t length[] = {
		1, 1, 1, 1, 1, 3, 2, 2, 2, 2, 1, 2, 2, 2, 5, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 1, 2, 2, 2, 2, 3, 3,
	};
	uint32_t n = 0;

	_Static_assert(PLX_ARRAY_SIZE(insn) == PLX_ARRAY_SIZE(length), "a length for each");
	while (n + 5 <= max) {
		uint32_t i = rnd() % PLX_ARRAY_SIZE(insn);

		memcpy(bytes + n, insn[i], length[i]);
		n += length[i];
	}
	return n;
}

/* The same in both caches. */
static void live(struct pair *p, unsigned int fragments)
{
	static const uint32_t keys[] = {
		KEY_KERNEL, KEY_KERNEL | KEY_CPL3, KEY_KERNEL | KEY_CPL3 | KEY_USER_IF, KEY_KERNEL & ~KEY_FLAT, KEY_KERNEL & ~KEY_D,
		KEY_KERNEL & ~(KEY_D | KEY_SS_B | KEY_FLAT), (KEY_KERNEL & ~KEY_SS_B) | KEY_CPL3, KEY_KERNEL | KEY_CPL3 | KEY_GUARD_GS,
	};
	uint8_t bytes[64];

	for (unsigned int i = 0; i < fragments; i++) {
		uint32_t n = make_program(bytes, sizeof(bytes)), key = keys[rnd() % PLX_ARRAY_SIZE(keys)];
		uint32_t page = rnd() % PAGES, eip = page << 12 | (rnd() & 0xfff), what = rnd(), other = rnd();
		unsigned int env = rnd();

		for (unsigned int k = 0; k < 2; k++) {
			struct prescan_cache *c = &p->c[k];
			uint32_t frag;

			c->env.strategy = (enum prescan_rewrite)(env % 3);
			c->env.count = env & 0x100;
			c->env.counted = (env & 0x600) == 0x600;
			c->env.traced = (env & 0x3000) == 0x3000;
			frag = lab_translate(c, eip, 0x100 + page, key, bytes, n);
			assert_int_not_equal(frag, 0);
			/* What was taken back may have left bytes behind the fragment, which nobody runs. */
			for (uint32_t at = c->frags[frag].body + c->frags[frag].host_bytes; at < c->code_next; at++)
				c->rw[at] = 0;
			if (what & 1)
				prescan_cache_jump_fill(c, frag);
			if (what & 2 && c->nlinks > 1)
				prescan_cache_link(c, 1 + other % (c->nlinks - 1), frag);
			if ((what & 12) == 12)
				prescan_cache_kill(c, 1 + other % frag);
			if ((what & 0xf0) == 0xf0)
				prescan_cache_deactivate(c, other % PAGES);
		}
	}
}

static void assert_same(const struct pair *p)
{
	const struct prescan_cache *a = &p->c[0], *b = &p->c[1];

	assert_int_equal(a->code_next, b->code_next);
	assert_int_equal(a->cold_next, b->cold_next);
	assert_int_equal(a->nplaces, b->nplaces);
	for (uint32_t at = WINDOW_JUMP_TABLE; at < a->cold_next; at = at == a->code_next ? WINDOW_COLD : at + 1)
		if (a->rw[at] != b->rw[at])
			fail_msg("window offset %x: %02x, not %02x", at, a->rw[at], b->rw[at]);
}

static void move(struct pair *p, uint32_t window, uint32_t user_scratch, uint32_t bias)
{
	prescan_cache_moved(&p->c[0], window, user_scratch, bias);
}

static void a_moved_cache_is_the_one_that_would_have_been_made_there(void **state)
{
	struct pair *p = *state;

	bases(&p->c[0], 0xfa000000, 0x200000, 0);
	bases(&p->c[1], 0x12400000, 0x3ffff000, 0);
	live(p, 3000);
	move(p, 0x12400000, 0x3ffff000, 0);
	assert_same(p);
}

static void a_shift_of_the_linear_space_is_a_move_of_all_but_stubs(void **state)
{
	struct pair *p = *state;

	bases(&p->c[0], 0xfa000000, 0x200000, 0x10000);
	bases(&p->c[1], 0xfa000000, 0x200000, 0);
	live(p, 3000);
	move(p, 0xfa000000, 0x200000, 0);
	assert_same(p);
}

static void the_user_scratch_page_moves_alone(void **state)
{
	struct pair *p = *state;
	uint32_t in_user = 0;

	bases(&p->c[0], 0xfa000000, 0x200000, 0);
	bases(&p->c[1], 0xfa000000, 0x3fff0000, 0);
	live(p, 3000);
	for (uint32_t i = 0; i < p->c[0].nplaces; i++)
		in_user += p->c[0].places[i] >> PLACE_KIND_SHIFT == PLACE_USER_SCRATCH;
	assert_int_not_equal(in_user, 0);
	/* Those and no others; the jump tables hold none. */
	assert_int_equal(prescan_cache_moved(&p->c[0], 0xfa000000, 0x3fff0000, 0), in_user);
	assert_same(p);
}

static void life_goes_on_at_the_new_place(void **state)
{
	struct pair *p = *state;

	bases(&p->c[0], 0xfa000000, 0x200000, 0x10000);
	bases(&p->c[1], 0xfac00000, 0x201000, 0);
	for (unsigned int i = 1; i <= 20; i++) {
		live(p, 100);
		move(p, 0xfac00000, 0x201000, 0);
		live(p, 100);
		assert_same(p);
		move(p, 0x20000000 + (i << 22), 0x3ff00000 - (i << 12), i & 1 ? 0x10000 : 0);
	}
	move(p, 0xfac00000, 0x201000, 0);
	assert_same(p);
}

static void moving_away_and_back_changes_nothing(void **state)
{
	struct pair *p = *state;

	for (unsigned int k = 0; k < 2; k++)
		bases(&p->c[k], 0xfa000000, 0x200000, 0);
	live(p, 1000);
	for (uint32_t to = 0x400000; to < 0xfb000000; to += 0x4400000)
		move(p, to, to >> 2, to & 0x400000 ? 0x10000 : 0);
	move(p, 0xfa000000, 0x200000, 0);
	assert_same(p);
}

static void a_flush_forgets_the_places_too(void **state)
{
	struct pair *p = *state;

	for (unsigned int k = 0; k < 2; k++)
		bases(&p->c[k], 0xfa000000, 0x200000, 0);
	live(p, 1000);
	for (unsigned int k = 0; k < 2; k++)
		prescan_cache_flush(&p->c[k]);
	assert_int_equal(p->c[0].nplaces, 0);
	assert_int_equal(prescan_cache_moved(&p->c[0], 0xe0000000, 0x300000, 0x10000), 0);
	bases(&p->c[1], 0xe0000000, 0x300000, 0x10000);
	live(p, 1000);
	assert_same(p);
}

/* No place for them, no fragment: the caller flushes and tries again. */
static void a_full_list_is_a_full_cache(void **state)
{
	struct prescan_cache *c = &((struct pair *)*state)->c[0];
	const uint8_t nop[] = { 0x90 };

	assert_int_not_equal(lab_translate(c, 0x1000, 1, KEY_KERNEL, nop, 1), 0);
	c->nplaces = CACHE_MAX_PLACES - FRAG_MAX_PLACES;
	assert_int_equal(lab_translate(c, 0x1100, 1, KEY_KERNEL, nop, 1), 0);
	prescan_cache_flush(c);
	assert_int_not_equal(lab_translate(c, 0x1100, 1, KEY_KERNEL, nop, 1), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_moved_cache_is_the_one_that_would_have_been_made_there),
		TEST(a_shift_of_the_linear_space_is_a_move_of_all_but_stubs),
		TEST(the_user_scratch_page_moves_alone),
		TEST(life_goes_on_at_the_new_place),
		TEST(moving_away_and_back_changes_nothing),
		TEST(a_flush_forgets_the_places_too),
		TEST(a_full_list_is_a_full_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
