/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/corpora/walk.c - see walk.h. */
#include <string.h>

#include "tests/corpora/walk.h"

const char *const walk_part_name[WALK_NR_PARTS] = {
	[WALK_1B] = "1b", [WALK_0F] = "0f", [WALK_0F38] = "0f38", [WALK_0F3A] = "0f3a", [WALK_3DNOW] = "3dnow",
	[WALK_VEX] = "vex", [WALK_EVEX] = "evex", [WALK_XOP] = "xop", [WALK_ADDRESS] = "address", [WALK_LONG] = "long",
};

struct walker {
	walk_fn fn;
	void *arg;
	unsigned int sparse, skip;
	bool stopped;
	uint8_t bytes[PRESCAN_INSN_MAX + 1];
	unsigned int n;
};

static void begin(struct walker *w)
{
	memset(w->bytes, WALK_FILLER, sizeof(w->bytes));
	w->n = 0;
}

static void put(struct walker *w, unsigned int byte)
{
	if (w->n < sizeof(w->bytes))
		w->bytes[w->n++] = (uint8_t)byte;
}

static void put_all(struct walker *w, const uint8_t *bytes, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		put(w, bytes[i]);
}

static void give(struct walker *w)
{
	/* A step that shares no factor with the powers of two the loops are made of. */
	if (w->skip) {
		w->skip--;
		return;
	}
	w->skip = w->sparse - 1;
	if (!w->fn(w->arg, w->bytes))
		w->stopped = true;
}

/* Sets of prefixes that can change a meaning: LOCK, segment, 67, 66, and F2 or F3. The mandatory one stands last. */
#define PREFIX_SETS 48
static void put_prefixes(struct walker *w, unsigned int set)
{
	static const uint8_t rep[3] = { 0, 0xf3, 0xf2 };

	if (set / 24)
		put(w, 0xf0);
	if (set / 12 % 2)
		put(w, 0x64);
	if (set / 6 % 2)
		put(w, 0x67);
	if (set / 3 % 2)
		put(w, 0x66);
	if (set % 3)
		put(w, rep[set % 3]);
}

/* The same in the other order, for what stands last must not matter. */
static void put_prefixes_reversed(struct walker *w, unsigned int set)
{
	if (set % 3)
		put(w, set % 3 == 1 ? 0xf3 : 0xf2);
	if (set / 3 % 2)
		put(w, 0x66);
	if (set / 6 % 2)
		put(w, 0x67);
	if (set / 12 % 2)
		put(w, 0x2e);
	if (set / 24)
		put(w, 0xf0);
}

static void walk_map(struct walker *w, const uint8_t *escape, unsigned int nescape)
{
	for (unsigned int set = 0; set < PREFIX_SETS && !w->stopped; set++) {
		for (unsigned int e = 0; e < 0x10000 && !w->stopped; e++) {
			begin(w);
			put_prefixes(w, set);
			put_all(w, escape, nescape);
			put(w, e >> 8);
			put(w, e);
			give(w);
		}
		for (unsigned int e = 0; e < 0x10000 && !w->stopped; e += 0x15) {
			begin(w);
			put_prefixes_reversed(w, set);
			put_all(w, escape, nescape);
			put(w, e >> 8);
			put(w, e);
			give(w);
		}
	}
}

static void walk_3dnow(struct walker *w)
{
	for (unsigned int set = 0; set < PREFIX_SETS && !w->stopped; set += 3) {
		for (unsigned int e = 0; e < 0x10000 && !w->stopped; e++) {
			unsigned int modrm = e >> 8;
			/* Where the suffix stands depends on the address; put it at each place. */
			begin(w);
			put_prefixes(w, set);
			put(w, 0x0f);
			put(w, 0x0f);
			put(w, modrm);
			memset(w->bytes + w->n, (int)(e & 0xff), sizeof(w->bytes) - w->n);
			give(w);
		}
	}
}

static void walk_vex(struct walker *w)
{
	static const uint8_t before[] = { 0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x2e, 0x64 };

	for (unsigned int map = 1; map <= 3; map++) {
		for (unsigned int fields = 0; fields < 32 && !w->stopped; fields++) {	/* W, vvvv = 1111b or 1101b, L, pp */
			for (unsigned int e = 0; e < 0x10000 && !w->stopped; e++) {
				begin(w);
				put(w, 0xc4);
				put(w, 0xe0 | map);
				put(w, (fields & 16) << 3 | (fields & 8 ? 0x78 : 0x68) | (fields & 7));
				put(w, e >> 8);
				put(w, e);
				give(w);
			}
		}
	}
	for (unsigned int fields = 0; fields < 32 && !w->stopped; fields++) {	/* R, vvvv, L, pp */
		for (unsigned int e = 0; e < 0x10000 && !w->stopped; e++) {
			begin(w);
			put(w, 0xc5);
			put(w, 0xc0 | (fields & 16 ? 0x80 : 0) | (fields & 8 ? 0x78 : 0x68) | (fields & 7));
			put(w, e >> 8);
			put(w, e);
			give(w);
		}
	}
	/* Every map, B bit, vvvv; few ModRM. */
	for (unsigned int p0 = 0xc0; p0 <= 0xff; p0++) {
		for (unsigned int e = 0; e < 0x10000 && !w->stopped; e += 5) {
			begin(w);
			put(w, 0xc4);
			put(w, p0);
			put(w, e >> 8);
			put(w, e);
			put(w, 0xc1);
			give(w);
		}
	}
	for (unsigned int i = 0; i < sizeof(before); i++) {
		for (unsigned int e = 0; e < 0x10000 && !w->stopped; e++) {
			begin(w);
			put(w, before[i]);
			put(w, 0xc5);
			put(w, 0xf8 | (e & 3));
			put(w, e >> 8);
			put(w, (e & 0xfc) | (e >> 8 & 3));
			give(w);
		}
	}
}

static void walk_evex(struct walker *w)
{
	static const uint8_t maps[] = { 1, 2, 3, 5, 6 };

	for (unsigned int m = 0; m < sizeof(maps); m++) {
		for (unsigned int fields = 0; fields < 16 && !w->stopped; fields++) {	/* L'L = 0 or 2, W, pp */
			for (unsigned int e = 0; e < 0x10000 && !w->stopped; e++) {
				begin(w);
				put(w, 0x62);
				put(w, 0xf0 | maps[m]);
				put(w, (fields & 4 ? 0x80 : 0) | 0x7c | (fields & 3));
				put(w, fields & 8 ? 0x48 : 0x08);
				put(w, e >> 8);
				put(w, e);
				give(w);
			}
		}
	}
	/* Every first and third payload byte: masks, rounding, broadcast, reserved bits. */
	for (unsigned int e = 0; e < 0x10000 && !w->stopped; e++) {
		begin(w);
		put(w, 0x62);
		put(w, 0xc0 | e >> 8);
		put(w, 0x7d);
		put(w, e);
		put(w, 0x58);
		put(w, 0xc1);
		give(w);
	}
}

static void walk_xop(struct walker *w)
{
	for (unsigned int second = 0; second < 256; second++) {
		for (unsigned int e = 0; e < 0x10000 && !w->stopped; e += 3) {
			begin(w);
			put(w, 0x8f);
			put(w, second);
			put(w, e >> 8);
			put(w, e);
			put(w, 0xc1);
			give(w);
		}
	}
}

static void walk_address(struct walker *w)
{
	/* Load, store, LEA, read-modify-write, immediate after the address, SSE, gather. */
	static const uint8_t opcodes[][5] = {
		{ 1, 0x8b }, { 1, 0x88 }, { 1, 0x8d }, { 1, 0x83 }, { 1, 0x81 }, { 2, 0x0f, 0x6f }, { 3, 0x0f, 0x3a, 0x0f },
		{ 4, 0xc4, 0xe2, 0x71, 0x90 },
	};
	static const uint8_t prefixes[] = { 0, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };

	for (unsigned int o = 0; o < PLX_ARRAY_SIZE(opcodes); o++) {
		for (unsigned int p = 0; p < 2 * sizeof(prefixes); p++) {
			for (unsigned int e = 0; e < 0x10000 && !w->stopped; e++) {
				begin(w);
				if (prefixes[p / 2])
					put(w, prefixes[p / 2]);
				if (p & 1)
					put(w, 0x67);
				put_all(w, opcodes[o] + 1, opcodes[o][0]);
				put(w, e >> 8);
				put(w, e);
				/* A displacement and an immediate that show their order. */
				for (unsigned int i = 0; i < 8; i++)
					put(w, 0x81 + i);
				give(w);
			}
		}
	}
}

static void walk_long(struct walker *w)
{
	static const uint8_t prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3, 0xf0 };
	static const uint8_t tails[][12] = {
		{ 1, 0x90 }, { 2, 0x89, 0xc8 }, { 3, 0x0f, 0xaf, 0xc1 }, { 2, 0x0f, 0xa2 }, { 5, 0xe8, 1, 2, 3, 4 },
		{ 7, 0x9a, 1, 2, 3, 4, 5, 6 }, { 11, 0xc7, 0x84, 0x24, 1, 2, 3, 4, 5, 6, 7, 8 },
		{ 10, 0x81, 0x05, 1, 2, 3, 4, 5, 6, 7, 8 }, { 3, 0xf0, 0xff, 0x00 }, { 4, 0xc8, 1, 2, 3 },
		{ 5, 0x0f, 0x38, 0xf0, 0x04, 0x24 }, { 5, 0xc5, 0xf8, 0x58, 0x04, 0x24 }, { 2, 0xcd, 0x80 }, { 1, 0xcf },
		{ 2, 0x0f, 0x0b }, { 3, 0x0f, 0x01, 0xd0 }, { 6, 0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc1 }, { 1, 0xa5 },
	};

	for (unsigned int t = 0; t < PLX_ARRAY_SIZE(tails); t++) {
		for (unsigned int p = 0; p < sizeof(prefixes); p++) {
			for (unsigned int q = 0; q < sizeof(prefixes); q++) {
				for (unsigned int n = 0; n <= PRESCAN_INSN_MAX && !w->stopped; n++) {
					begin(w);
					for (unsigned int i = 0; i < n; i++)
						put(w, i ? prefixes[p] : prefixes[q]);
					put_all(w, tails[t] + 1, tails[t][0]);
					give(w);
				}
			}
		}
	}
}

bool walk(enum walk_part part, unsigned int sparse, walk_fn fn, void *arg)
{
	static const uint8_t escape[] = { 0x0f, 0x38, 0x0f, 0x3a };
	struct walker w = { .fn = fn, .arg = arg, .sparse = sparse };

	switch (part) {
	case WALK_1B:
		walk_map(&w, escape, 0);
		break;
	case WALK_0F:
		walk_map(&w, escape, 1);
		break;
	case WALK_0F38:
		walk_map(&w, escape, 2);
		break;
	case WALK_0F3A:
		walk_map(&w, escape + 2, 2);
		break;
	case WALK_3DNOW:
		walk_3dnow(&w);
		break;
	case WALK_VEX:
		walk_vex(&w);
		break;
	case WALK_EVEX:
		walk_evex(&w);
		break;
	case WALK_XOP:
		walk_xop(&w);
		break;
	case WALK_ADDRESS:
		walk_address(&w);
		break;
	case WALK_LONG:
		walk_long(&w);
		break;
	case WALK_NR_PARTS:
		break;
	}
	return !w.stopped;
}
