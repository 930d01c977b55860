/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/rewriting.c - the translator's choice as a function: instruction, strategy and mode in, rewriting out.
 *
 *      guest code --> decode --> [translate.c, inline.c] --> code cache
 *                        \-----> [here] --> reports
 *
 * The questions are asked in the translator's order: may the segment be relied on, may the class be copied, is there a sequence
 * for this form in this mode; what remains leaves the fragment in the way the strategy says.
 *
 * Asked by:  user/prescan_sweep.c, tests. Never: emits anything.
 * Tested by: tests/unit/test_prescan_rewriting.c, against what prescan_translate() emits.
 * Read next: prescan/translate.c, translate_one().
 */
#include "plexus/x86.h"
#include "prescan/rewriting.h"

#define SAFE_DISPLACEMENT 0x1000000	/* as in translate.c; the test stands on both sides of it */

static bool flat_32(uint32_t key)
{
	const uint32_t need = KEY_D | KEY_SS_B | KEY_FLAT;

	return (key & need) == need;
}

static bool is_bit_string(const struct prescan_insn *insn)
{
	return insn->map == PRESCAN_MAP_0F && (insn->opcode & 0xe7) == 0xa3;
}

/* At CPL 3, an access through a segment whose limit alone does not keep it out of supervisor pages. */
static bool segment_unsafe(const struct prescan_insn *insn, uint32_t key)
{
	uint32_t guard = 0, safe = insn->seg == X86_FS ? KEY_SAFE_FS : KEY_SAFE_GS;

	if (insn->seg == X86_FS)
		guard = KEY_GUARD_FS;
	else if (insn->seg == X86_GS)
		guard = KEY_GUARD_GS;
	else if (insn->seg == X86_CS)
		guard = insn->addrsize == 2 ? KEY_GUARD_CS16 : KEY_GUARD_CS;
	if (!(key & guard) || (insn->flags & PRESCAN_F_AGEN))
		return false;
	if (!(insn->flags & PRESCAN_F_MEM))
		return (insn->prefixes & PRESCAN_PFX_SEG) && insn->klass != PRESCAN_BRANCH;
	if (insn->seg == X86_CS || is_bit_string(insn) || !(key & safe))
		return true;
	return insn->base != PRESCAN_NO_REG || insn->index != PRESCAN_NO_REG || insn->addrsize != 4 ||
	       insn->disp < -SAFE_DISPLACEMENT || insn->disp > SAFE_DISPLACEMENT;
}

static bool fpu_copied(const struct prescan_insn *insn, uint32_t key)
{
	if (insn->flags & PRESCAN_F_AVX)
		return false;
	if (insn->map == PRESCAN_MAP_1B && insn->opcode == 0x9b)
		return key & KEY_FWAIT;
	return key & (insn->flags & PRESCAN_F_SSE ? KEY_SSE : KEY_FPU);
}

static enum prescan_rewriting way_out(enum prescan_rewrite strategy, uint32_t key)
{
	switch (strategy) {
	case REWRITE_INT3:
	case REWRITE_GATE:
		return REWRITING_INT3;
	case REWRITE_FARCALL:
		/* Without flat 32-bit data segments ESP has no place to be kept in. A 16-bit stack: prescan/translate.c says why. */
		if ((key & (KEY_FLAT | KEY_D | KEY_SS_B)) == (KEY_FLAT | KEY_D | KEY_SS_B))
			return REWRITING_FAR_CALL;
		return REWRITING_FAR_JUMP;
	case REWRITE_ADAPTIVE:
		break;
	}
	return REWRITING_FAR_JUMP;
}

static enum prescan_rewriting branch(const struct prescan_insn *insn, enum prescan_rewriting out, uint32_t key)
{
	bool indirect = insn->map == PRESCAN_MAP_1B && (insn->opcode == 0xc2 || insn->opcode == 0xc3 || insn->opcode == 0xff);

	if (!indirect)
		return REWRITING_RELINKED;
	return flat_32(key) && insn->opsize == 4 ? REWRITING_LOOKED_UP : out;
}

static enum prescan_rewriting flags(const struct prescan_insn *insn, enum prescan_rewriting out, uint32_t key)
{
	bool user = key & KEY_CPL3;

	if (!flat_32(key) || !(key & KEY_PLAIN_FLAGS) || insn->opsize != 4)
		return out;
	switch (insn->opcode) {
	case 0xfa:					/* CLI */
		return user ? out : REWRITING_INLINED;
	case 0xfb:					/* STI: leaves when an interrupt waits */
		return user ? out : REWRITING_INLINED_OR_LEAVES;
	case 0x9c:					/* PUSHF: the user's IF is the processor's */
		if (user)
			return key & KEY_USER_IF ? REWRITING_COPIED : out;
		return REWRITING_INLINED;
	case 0x9d:					/* POPF: leaves when the image sets more than plain flags */
		return REWRITING_INLINED_OR_LEAVES;
	}
	return out;
}

static enum prescan_rewriting seg_store(const struct prescan_insn *insn, enum prescan_rewriting out, uint32_t key)
{
	if (!flat_32(key))
		return out;
	if (insn->map == PRESCAN_MAP_1B && insn->opcode == 0x8c && insn->mod != 3)
		return out;
	return REWRITING_INLINED;
}

/* Through the gate the same forms are done as inline; MOV of 16 bits alone is not. */
static enum prescan_rewriting through_gate(enum prescan_rewriting inlined, const struct prescan_insn *insn, enum prescan_rewriting out)
{
	return inlined == out || insn->opsize != 4 ? out : REWRITING_GATE;
}

enum prescan_rewriting prescan_rewriting(const struct prescan_insn *insn, enum prescan_rewrite strategy, uint32_t key)
{
	enum prescan_rewriting out = way_out(strategy, key);

	if (!insn || segment_unsafe(insn, key))
		return out;
	switch (insn->klass) {
	case PRESCAN_PLAIN:
		return REWRITING_COPIED;
	case PRESCAN_FPU:
		return fpu_copied(insn, key) ? REWRITING_COPIED : out;
	case PRESCAN_ID:
		if (insn->map == PRESCAN_MAP_0F && insn->opcode == 0x31 && (key & KEY_TSC))
			return REWRITING_COPIED;
		return out;
	case PRESCAN_BRANCH:
		return branch(insn, out, key);
	case PRESCAN_FLAGS:
		if (strategy == REWRITE_GATE)
			return through_gate(flags(insn, out, key), insn, out);
		return strategy == REWRITE_ADAPTIVE ? flags(insn, out, key) : out;
	case PRESCAN_SEG_STORE:
		if (strategy == REWRITE_GATE)
			return through_gate(seg_store(insn, out, key), insn, out);
		return strategy == REWRITE_ADAPTIVE ? seg_store(insn, out, key) : out;
	default:
		return out;
	}
}

static const struct {
	const char *name, *meaning;
} texts[REWRITING_NR] = {
	[REWRITING_COPIED] = { "copied", "runs as it stands" },
	[REWRITING_RELINKED] = { "relinked", "direct branch, led to a fragment" },
	[REWRITING_LOOKED_UP] = { "looked-up", "indirect branch, through the jump table inside the fragment" },
	[REWRITING_INLINED] = { "inlined", "a sequence inside the fragment does the virtual work" },
	[REWRITING_INLINED_OR_LEAVES] = { "inlined-or-leaves", "the same; the rare case leaves for the monitor" },
	[REWRITING_FAR_JUMP] = { "far-jump", "leaves for the monitor by a far jump into the nexus" },
	[REWRITING_FAR_CALL] = { "far-call", "leaves for the monitor by a far call into the nexus" },
	[REWRITING_INT3] = { "int3", "leaves for the monitor by a breakpoint" },
	[REWRITING_GATE] = { "gate", "a breakpoint, whose handler in ring 3 does the virtual work; the rare case leaves for the monitor" },
};

const char *prescan_rewriting_name(enum prescan_rewriting rewriting)
{
	return (unsigned int)rewriting < REWRITING_NR ? texts[rewriting].name : "(none)";
}

const char *prescan_rewriting_meaning(enum prescan_rewriting rewriting)
{
	return (unsigned int)rewriting < REWRITING_NR ? texts[rewriting].meaning : "(none)";
}
