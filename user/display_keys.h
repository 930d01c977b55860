/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/display_keys.h - from what a terminal sends to what a keyboard sends (scan code set 1, US layout).
 *
 * Asked by: user/display_curses.c. Pure: no terminal, no curses, no state.
 */
#ifndef USER_DISPLAY_KEYS_H
#define USER_DISPLAY_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum display_key {
	DISPLAY_KEY_FIRST = 0x110000,	/* behind all characters, so one number names a character or a key */
	DISPLAY_KEY_UP = DISPLAY_KEY_FIRST, DISPLAY_KEY_DOWN, DISPLAY_KEY_LEFT, DISPLAY_KEY_RIGHT,
	DISPLAY_KEY_HOME, DISPLAY_KEY_END, DISPLAY_KEY_PAGE_UP, DISPLAY_KEY_PAGE_DOWN,
	DISPLAY_KEY_INSERT, DISPLAY_KEY_DELETE, DISPLAY_KEY_ESCAPE, DISPLAY_KEY_BACKSPACE, DISPLAY_KEY_ENTER,
	DISPLAY_KEY_F1, DISPLAY_KEY_F12 = DISPLAY_KEY_F1 + 11,
	DISPLAY_KEY_LAST
};

#define DISPLAY_MOD_SHIFT	1u
#define DISPLAY_MOD_ALT		2u
#define DISPLAY_MOD_CTRL	4u

#define DISPLAY_CODES_MAX	12	/* three modifiers and an E0 key, pressed and released, with room */

/*
 * Bytes for one key, pressed and released, with its modifiers around it. @key: a Unicode character (control characters 0-31
 * are Ctrl with a letter, but for Tab, Enter, Escape and Backspace), or an enum display_key.
 * Return: how many bytes stand in @codes; 0: the US keyboard has no such key.
 */
size_t display_key_codes(uint32_t key, unsigned int modifiers, uint8_t codes[DISPLAY_CODES_MAX]);

/* IBM code page 437 as Unicode, with the pictures that the screen shows for control characters. */
extern const uint16_t display_cp437[256];

#endif
