/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/corpora/walk.h - the exhaustive part of the corpora: every encoding that the shape of IA-32 instructions allows.
 *
 *      walk.c (byte strings; knows no instruction) --+--> tests/corpora/generate.c   lines of text, checksums
 *                                                    +--> tests/oracle/oracle.c      Capstone, Zydis, the bare processor
 *                                                    +--> tests/unit/test_corpora.c  rules that hold for all of them
 *
 * The walk does not ask the decoder what exists: it gives all, so what the decoder wrongly does not know is met too. Bytes after
 * those that it chooses are WALK_FILLER, a displacement or an immediate wherever one is wanted.
 */
#ifndef TESTS_CORPORA_WALK_H
#define TESTS_CORPORA_WALK_H

#include "prescan/prescan.h"

#define WALK_FILLER 0x91

enum walk_part {
	WALK_1B = 0,	/* one-byte opcodes: 48 sets of prefixes x opcode x ModRM */
	WALK_0F,
	WALK_0F38,
	WALK_0F3A,
	WALK_3DNOW,	/* 0F 0F: ModRM x suffix */
	WALK_VEX,	/* C4, C5: map, W, vvvv, L, pp x opcode x ModRM; prefixes before */
	WALK_EVEX,	/* 62 with mod = 3: map, W, pp, L'L x opcode x ModRM */
	WALK_XOP,	/* 8F: every second byte x opcode */
	WALK_ADDRESS,	/* every ModRM x SIB, in both address sizes, with each segment */
	WALK_LONG,	/* instructions grown by prefixes to 14, 15, 16 bytes and more */
	WALK_NR_PARTS
};

extern const char *const walk_part_name[WALK_NR_PARTS];

/* @bytes: PRESCAN_INSN_MAX + 1 of them. Return false to stop the walk. */
typedef bool (*walk_fn)(void *arg, const uint8_t *bytes);
/* True unless @fn stopped it. @sparse: 1 is all of it; n about one in n, evenly spread, for tests that must be short. */
bool walk(enum walk_part part, unsigned int sparse, walk_fn fn, void *arg);

#endif
