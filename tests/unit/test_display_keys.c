/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_display_keys.c - what is typed in a terminal, as scan code set 1 has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "user/display_keys.h"

#define EXPECT(key, modifiers, ...) do { \
	static const uint8_t expected[] = { __VA_ARGS__ }; \
	uint8_t codes[DISPLAY_CODES_MAX]; \
	assert_int_equal(display_key_codes(key, modifiers, codes), sizeof(expected)); \
	assert_memory_equal(codes, expected, sizeof(expected)); \
} while (0)

static void a_letter_goes_down_and_up(void **state)
{
	(void)state;
	EXPECT('a', 0, 0x1e, 0x9e);
	EXPECT('/', 0, 0x35, 0xb5);
	EXPECT(' ', 0, 0x39, 0xb9);
	EXPECT('0', 0, 0x0b, 0x8b);
}

static void a_capital_has_shift_around_it(void **state)
{
	(void)state;
	EXPECT('Q', 0, 0x2a, 0x10, 0x90, 0xaa);
	EXPECT('|', 0, 0x2a, 0x2b, 0xab, 0xaa);
	EXPECT('_', 0, 0x2a, 0x0c, 0x8c, 0xaa);
}

static void a_control_character_is_ctrl_with_its_letter(void **state)
{
	(void)state;
	EXPECT(3, 0, 0x1d, 0x2e, 0xae, 0x9d);
	EXPECT(28, 0, 0x1d, 0x2b, 0xab, 0x9d);
	EXPECT(0, 0, 0x1d, 0x2a, 0x03, 0x83, 0xaa, 0x9d);	/* Ctrl-@ is Ctrl-Shift-2 */
}

static void tab_enter_escape_and_backspace_have_keys_of_their_own(void **state)
{
	(void)state;
	EXPECT('\t', 0, 0x0f, 0x8f);
	EXPECT('\r', 0, 0x1c, 0x9c);
	EXPECT(27, 0, 0x01, 0x81);
	EXPECT(127, 0, 0x0e, 0x8e);
	EXPECT('\b', 0, 0x0e, 0x8e);
}

static void grey_keys_have_e0_before_both_codes(void **state)
{
	(void)state;
	EXPECT(DISPLAY_KEY_UP, 0, 0xe0, 0x48, 0xe0, 0xc8);
	EXPECT(DISPLAY_KEY_DELETE, DISPLAY_MOD_CTRL | DISPLAY_MOD_ALT,
	       0x1d, 0x38, 0xe0, 0x53, 0xe0, 0xd3, 0xb8, 0x9d);
}

static void function_keys_11_and_12_came_later_than_the_others(void **state)
{
	(void)state;
	EXPECT(DISPLAY_KEY_F1, 0, 0x3b, 0xbb);
	EXPECT(DISPLAY_KEY_F1 + 9, 0, 0x44, 0xc4);
	EXPECT(DISPLAY_KEY_F1 + 10, 0, 0x57, 0xd7);
	EXPECT(DISPLAY_KEY_F12, DISPLAY_MOD_ALT, 0x38, 0x58, 0xd8, 0xb8);
}

static void what_the_keyboard_lacks_sends_nothing(void **state)
{
	uint8_t codes[DISPLAY_CODES_MAX];

	(void)state;
	assert_int_equal(display_key_codes(0xe4, 0, codes), 0);		/* a umlaut */
	assert_int_equal(display_key_codes(0x20ac, 0, codes), 0);
	assert_int_equal(display_key_codes(DISPLAY_KEY_LAST, 0, codes), 0);
	assert_int_equal(display_key_codes(UINT32_MAX, 0, codes), 0);
}

/* Every printable ASCII character has a key, and no two the same key with the same modifiers. */
static void all_of_ascii_can_be_typed_and_told_apart(void **state)
{
	uint8_t codes[128][DISPLAY_CODES_MAX] = { 0 };

	(void)state;
	for (unsigned int c = 32; c < 127; c++) {
		assert_in_range(display_key_codes(c, 0, codes[c]), 2, 4);
		for (unsigned int d = 32; d < c; d++)
			assert_memory_not_equal(codes[c], codes[d], DISPLAY_CODES_MAX);
	}
}

static void worst_case_fits_its_buffer(void **state)
{
	uint8_t codes[DISPLAY_CODES_MAX + 4];

	(void)state;
	memset(codes, 0x77, sizeof(codes));
	display_key_codes(DISPLAY_KEY_END, DISPLAY_MOD_SHIFT | DISPLAY_MOD_ALT | DISPLAY_MOD_CTRL, codes);
	for (int i = DISPLAY_CODES_MAX; i < DISPLAY_CODES_MAX + 4; i++)
		assert_int_equal(codes[i], 0x77);
}

static void code_page_437_keeps_ascii_and_draws_boxes(void **state)
{
	(void)state;
	for (unsigned int c = 32; c < 127; c++)
		assert_int_equal(display_cp437[c], c);
	assert_int_equal(display_cp437[0xc4], 0x2500);
	assert_int_equal(display_cp437[0xdb], 0x2588);
	assert_int_equal(display_cp437[0xe1], 0x00df);
	for (unsigned int c = 0; c < 256; c++)		/* nothing that would move a terminal's cursor */
		assert_true(display_cp437[c] >= 32 && (display_cp437[c] < 127 || display_cp437[c] >= 160));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_letter_goes_down_and_up),
		cmocka_unit_test(a_capital_has_shift_around_it),
		cmocka_unit_test(a_control_character_is_ctrl_with_its_letter),
		cmocka_unit_test(tab_enter_escape_and_backspace_have_keys_of_their_own),
		cmocka_unit_test(grey_keys_have_e0_before_both_codes),
		cmocka_unit_test(function_keys_11_and_12_came_later_than_the_others),
		cmocka_unit_test(what_the_keyboard_lacks_sends_nothing),
		cmocka_unit_test(all_of_ascii_can_be_typed_and_told_apart),
		cmocka_unit_test(worst_case_fits_its_buffer),
		cmocka_unit_test(code_page_437_keeps_ascii_and_draws_boxes),
	};

	return cmocka_run_group_tests_name("display keys", tests, NULL, NULL);
}
