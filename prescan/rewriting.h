/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/rewriting.h - which rewriting an instruction gets, without translating it.
 *
 * Asked by: user/prescan_sweep.c (static reports), tests. The translator is the truth; this is its rule in one function, and
 * tests/unit/test_prescan_rewriting.c holds the two together over every opcode, strategy and mode.
 */
#ifndef PRESCAN_REWRITING_H
#define PRESCAN_REWRITING_H

#include "prescan/cache.h"

enum prescan_rewriting {
	REWRITING_COPIED = 0,	/* the guest's own bytes */
	REWRITING_RELINKED,	/* direct branch: the same condition, to a fragment instead of to guest code */
	REWRITING_LOOKED_UP,	/* indirect branch or return: through the jump table, inside the fragment */
	REWRITING_INLINED,	/* a sequence in the fragment does the virtual work */
	REWRITING_INLINED_OR_LEAVES,	/* the same, but its slow path is a way out into the monitor */
	REWRITING_GATE,		/* a breakpoint whose handler in ring 3 does it; the rare case leaves */
	REWRITING_FAR_JUMP,	/* a way out: far jump to a 64-bit stub of its own */
	REWRITING_FAR_CALL,	/* a way out: far call to it, on the nexus' own stack */
	REWRITING_INT3,		/* a way out: a breakpoint */
	REWRITING_NR
};

/*
 * @insn: decoded; NULL stands for bytes that are no instruction, for the monitor raises the exception they are due.
 * @key:  KEY_*, the mode the code runs in.
 *
 * Pure. Sites that turn into callouts while the guest runs (they faulted too often) are not foreseen here.
 */
enum prescan_rewriting prescan_rewriting(const struct prescan_insn *insn, enum prescan_rewrite strategy, uint32_t key);

/* One word, and one sentence. Never NULL. */
const char *prescan_rewriting_name(enum prescan_rewriting rewriting);
const char *prescan_rewriting_meaning(enum prescan_rewriting rewriting);

#endif
