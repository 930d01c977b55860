/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/display_keys.c - tables: the US keyboard by its scan codes, and code page 437.
 *
 * A terminal tells of characters, a keyboard of keys going down and up. So a character becomes the key that bears it, with
 * Shift or Ctrl held around it; the key goes up at once, for a terminal never says when it did.
 */
#include <stdbool.h>

#include "user/display_keys.h"

#define SC_BREAK	0x80
#define SC_E0		0xe0
#define SC_CTRL		0x1d
#define SC_SHIFT	0x2a
#define SC_ALT		0x38

/* Characters by scan code, without and with Shift. */
static const char plain[0x3a] = {
	[0x02] = '1', '2', '3', '4', '5', '6', '7', '8', '9', '0', '-', '=', '\b', '\t',
	[0x10] = 'q', 'w', 'e', 'r', 't', 'y', 'u', 'i', 'o', 'p', '[', ']', '\r',
	[0x1e] = 'a', 's', 'd', 'f', 'g', 'h', 'j', 'k', 'l', ';', '\'', '`',
	[0x2b] = '\\', 'z', 'x', 'c', 'v', 'b', 'n', 'm', ',', '.', '/',
	[0x39] = ' ',
};
static const char shifted[0x3a] = {
	[0x02] = '!', '@', '#', '$', '%', '^', '&', '*', '(', ')', '_', '+',
	[0x10] = 'Q', 'W', 'E', 'R', 'T', 'Y', 'U', 'I', 'O', 'P', '{', '}',
	[0x1e] = 'A', 'S', 'D', 'F', 'G', 'H', 'J', 'K', 'L', ':', '"', '~',
	[0x2b] = '|', 'Z', 'X', 'C', 'V', 'B', 'N', 'M', '<', '>', '?',
};

/* Keys without a character; the high byte says E0. */
static const uint16_t named[DISPLAY_KEY_LAST - DISPLAY_KEY_FIRST] = {
	[DISPLAY_KEY_UP - DISPLAY_KEY_FIRST] = 0xe048,
	[DISPLAY_KEY_DOWN - DISPLAY_KEY_FIRST] = 0xe050,
	[DISPLAY_KEY_LEFT - DISPLAY_KEY_FIRST] = 0xe04b,
	[DISPLAY_KEY_RIGHT - DISPLAY_KEY_FIRST] = 0xe04d,
	[DISPLAY_KEY_HOME - DISPLAY_KEY_FIRST] = 0xe047,
	[DISPLAY_KEY_END - DISPLAY_KEY_FIRST] = 0xe04f,
	[DISPLAY_KEY_PAGE_UP - DISPLAY_KEY_FIRST] = 0xe049,
	[DISPLAY_KEY_PAGE_DOWN - DISPLAY_KEY_FIRST] = 0xe051,
	[DISPLAY_KEY_INSERT - DISPLAY_KEY_FIRST] = 0xe052,
	[DISPLAY_KEY_DELETE - DISPLAY_KEY_FIRST] = 0xe053,
	[DISPLAY_KEY_ESCAPE - DISPLAY_KEY_FIRST] = 0x01,
	[DISPLAY_KEY_BACKSPACE - DISPLAY_KEY_FIRST] = 0x0e,
	[DISPLAY_KEY_ENTER - DISPLAY_KEY_FIRST] = 0x1c,
	[DISPLAY_KEY_F1 - DISPLAY_KEY_FIRST] = 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x41, 0x42, 0x43, 0x44, 0x57, 0x58,
};

static uint8_t find(const char table[0x3a], uint32_t character)
{
	for (uint8_t code = 0; character && code < 0x3a; code++)
		if ((uint8_t)table[code] == character)
			return code;
	return 0;
}

/* The key that bears @key, E0 in the high byte; 0: none. Adds the modifiers that the character implies. */
static uint16_t key_code(uint32_t key, unsigned int *modifiers)
{
	uint8_t code;

	if (key >= DISPLAY_KEY_FIRST)
		return key < DISPLAY_KEY_LAST ? named[key - DISPLAY_KEY_FIRST] : 0;
	if (key == 27)
		return 0x01;
	if (key == 127)
		return 0x0e;
	if (key < 32 && key != '\t' && key != '\r' && key != '\b') {
		*modifiers |= DISPLAY_MOD_CTRL;		/* Ctrl-@ is the key of 2; Ctrl-^ and Ctrl-_ are those of 6 and - */
		key += 64;
		if (key >= 'A' && key <= 'Z')
			key += 32;
	}
	code = find(plain, key);
	if (code)
		return code;
	code = find(shifted, key);
	if (code)
		*modifiers |= DISPLAY_MOD_SHIFT;
	return code;
}

size_t display_key_codes(uint32_t key, unsigned int modifiers, uint8_t codes[DISPLAY_CODES_MAX])
{
	static const struct { unsigned int modifier; uint8_t code; } held[3] = {
		{ DISPLAY_MOD_CTRL, SC_CTRL }, { DISPLAY_MOD_ALT, SC_ALT }, { DISPLAY_MOD_SHIFT, SC_SHIFT },
	};
	uint16_t code = key_code(key, &modifiers);
	size_t n = 0;

	if (!code)
		return 0;
	for (int i = 0; i < 3; i++)
		if (modifiers & held[i].modifier)
			codes[n++] = held[i].code;
	for (int up = 0; up < 2; up++) {
		if (code >> 8)
			codes[n++] = SC_E0;
		codes[n++] = (uint8_t)(code | (up ? SC_BREAK : 0));
	}
	for (int i = 2; i >= 0; i--)
		if (modifiers & held[i].modifier)
			codes[n++] = held[i].code | SC_BREAK;
	return n;
}

const uint16_t display_cp437[256] = {
	/* 00 */ 0x0020, 0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022,
	/* 08 */ 0x25d8, 0x25cb, 0x25d9, 0x2642, 0x2640, 0x266a, 0x266b, 0x263c,
	/* 10 */ 0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7, 0x25ac, 0x21a8,
	/* 18 */ 0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc,
	/* 20 */ ' ', '!', '"', '#', '$', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
	/* 30 */ '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
	/* 40 */ '@', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
	/* 50 */ 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', '[', '\\', ']', '^', '_',
	/* 60 */ '`', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	/* 70 */ 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '{', '|', '}', '~', 0x2302,
	/* 80 */ 0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7,
	/* 88 */ 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5,
	/* 90 */ 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9,
	/* 98 */ 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192,
	/* a0 */ 0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba,
	/* a8 */ 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
	/* b0 */ 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556,
	/* b8 */ 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510,
	/* c0 */ 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f,
	/* c8 */ 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567,
	/* d0 */ 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b,
	/* d8 */ 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
	/* e0 */ 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
	/* e8 */ 0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229,
	/* f0 */ 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248,
	/* f8 */ 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};
