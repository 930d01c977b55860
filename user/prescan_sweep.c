/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_sweep.c - from a region of bytes to a row of steps.
 *
 *      region, its marks --> [sweep] --> steps --> counts, map, findings
 *
 * Instructions are taken one behind the other. A mark MARK_CODE starts anew: the instruction that would run over it is cut off, for a
 * function that is called begins there. Bytes under MARK_DATA are passed over. A byte that begins no instruction is one step of one
 * byte, and the sweep goes on behind it: code after data finds itself again within a few instructions, since lengths are short.
 * So data among code that nobody marked is swept as if it were code, and shows as undefined bytes and odd instructions.
 *
 * Asked by:  user/prescan_scan.c, user/prescan_listing.c. Asks: prescan/decode.c, prescan/rewriting.c.
 * Tested by: tests/unit/test_prescan_scan.c.
 */
#include <string.h>

#include "user/prescan_sweep.h"

uint32_t sweep_key(const struct sweep_mode *mode, bool code32)
{
	uint32_t key = KEY_FPU | KEY_SSE | KEY_FWAIT | KEY_PLAIN_FLAGS | KEY_TSC;

	if (code32)
		key |= KEY_D | KEY_SS_B | KEY_FLAT;
	if (mode->user)
		key |= KEY_CPL3 | KEY_USER_IF;
	return key;
}

/* ---- what is not offered ---- */

static bool named(const struct prescan_insn *insn, const char *const *names, size_t n)
{
	const char *mnemonic = prescan_mnemonic(insn);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(mnemonic, names[i]))
			return true;
	return false;
}

bool insn_unsupported(const struct prescan_insn *insn)
{
	/* 0F 01 with a register form, and 0F C7: MONITOR/MWAIT, SMAP, XSAVE, VMX, SVM, RDTSCP, RDPID; SMX; SMM. */
	static const char *const missing[] = {
		"MONITOR", "MWAIT", "CLAC", "STAC", "XGETBV", "XSETBV", "VMFUNC", "RDTSCP", "RDPID", "GETSEC", "RSM", "INVPCID",
		"VMCALL", "VMLAUNCH", "VMRESUME", "VMXOFF", "VMXON", "VMPTRLD", "VMPTRST", "VMCLEAR", "VMREAD", "VMWRITE",
		"INVEPT", "INVVPID", "VMRUN", "VMMCALL", "VMLOAD", "VMSAVE", "STGI", "CLGI", "SKINIT", "INVLPGA",
		"EXTRQ", "INSERTQ", "MOVNTSS", "MOVNTSD",
	};

	if (insn->flags & PRESCAN_F_AVX)
		return true;
	if (insn->map == PRESCAN_MAP_3DNOW || (insn->map == PRESCAN_MAP_0F && insn->opcode == 0x0e))	/* 3DNow!, FEMMS */
		return true;
	if (insn->klass == PRESCAN_SYSTEM || insn->klass == PRESCAN_ID || insn->klass == PRESCAN_FPU)
		return named(insn, missing, PLX_ARRAY_SIZE(missing));
	return false;
}

/* ModRM, SIB and displacement. 0: they run past the bytes. */
static unsigned int address_length(const uint8_t *bytes, size_t nbytes, bool address32)
{
	unsigned int mod, rm, n = 1;

	if (!nbytes)
		return 0;
	mod = bytes[0] >> 6;
	rm = bytes[0] & 7;
	if (mod == 3)
		return 1;
	if (!address32) {
		n += mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0;
	} else {
		if (rm == 4) {
			if (nbytes < 2)
				return 0;
			n++;
			rm = bytes[1] & 7;
		}
		n += mod == 1 ? 1 : mod == 2 || rm == 5 ? 4 : 0;
	}
	return n <= nbytes ? n : 0;
}

/* Vector instructions with an immediate byte: all of map 3, and in map 1 the shifts by a constant and the shuffles. */
static bool has_immediate(unsigned int map, uint8_t opcode)
{
	if (map == 3)
		return true;
	return map == 1 && ((opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 || (opcode >= 0xc4 && opcode <= 0xc6));
}

unsigned int refused_length(const uint8_t *bytes, size_t nbytes, bool code32)
{
	bool address32 = code32, operand32 = code32;
	unsigned int at = 0, head, map, immediate, address;

	if (nbytes > PRESCAN_INSN_MAX)
		nbytes = PRESCAN_INSN_MAX;
	for (; at < nbytes; at++) {
		if (bytes[at] == 0x67)
			address32 = !code32;
		else if (bytes[at] == 0x66)
			operand32 = !code32;
		else if ((bytes[at] & 0xe7) != 0x26 && bytes[at] != 0x64 && bytes[at] != 0x65 && bytes[at] != 0xf2 && bytes[at] != 0xf3)
			break;
	}
	if (at + 3 > nbytes)
		return 0;
	bytes += at;
	nbytes -= at;
	if (bytes[0] == 0xc6 && bytes[1] == 0xf8)		/* XABORT imm8 */
		return at + 3;
	if (bytes[0] == 0xc7 && bytes[1] == 0xf8)		/* XBEGIN rel */
		return nbytes >= (operand32 ? 6u : 4u) ? at + (operand32 ? 6 : 4) : 0;
	if (bytes[0] == 0x0f && bytes[1] == 0x01 && memchr("\xc0\xc5\xcf\xd5\xd6\xd7\xe8\xee\xef\xfa\xfb\xfc", bytes[2], 12))
		return at + 3;	/* SGX, PCONFIG, XEND, XTEST, SERIALIZE, RDPKRU, WRPKRU, MONITORX, MWAITX, CLZERO */
	if (bytes[1] < 0xc0)					/* BOUND, POP, LES, LDS */
		return 0;
	switch (bytes[0]) {
	case 0x62:						/* EVEX: bit 3 of the first byte is 0, bit 2 of the second is 1 */
		if ((bytes[1] & 0x08) || !(bytes[2] & 0x04) || !(bytes[1] & 7))
			return 0;
		head = 4;
		map = bytes[1] & 7;
		break;
	case 0x8f:						/* XOP: maps 8 to 10 */
		map = bytes[1] & 31;
		if (map < 8 || map > 10)
			return 0;
		head = 3;
		break;
	case 0xc4:
		map = bytes[1] & 31;
		if (map < 1 || map > 3)
			return 0;
		head = 3;
		break;
	case 0xc5:
		map = 1;
		head = 2;
		break;
	default:
		return 0;
	}
	if (nbytes < head + 2)
		return 0;
	immediate = bytes[0] == 0x8f ? (map == 8 ? 1 : map == 10 ? 4 : 0) : has_immediate(map, bytes[head]);
	address = address_length(bytes + head + 1, nbytes - head - 1, address32);
	if (!address || head + 1 + address + immediate > nbytes)
		return 0;
	return at + head + 1 + address + immediate;
}

/* ---- the sweep ---- */

/* Where we are among the marks. */
struct place {
	const struct code_region *region;
	size_t mark;
	bool code32, data;
};

/* All marks at or before @at have taken effect; returns where the next one is. */
static uint32_t pass_marks(struct place *p, uint32_t at)
{
	const struct code_region *r = p->region;

	for (; p->mark < r->nmarks && r->marks[p->mark].offset <= at; p->mark++)
		switch (r->marks[p->mark].kind) {
		case MARK_16:
		case MARK_32:
			p->code32 = r->marks[p->mark].kind == MARK_32;
			break;
		case MARK_DATA:
			p->data = true;
			break;
		case MARK_CODE:
			p->data = false;
			break;
		}
	return p->mark < r->nmarks ? r->marks[p->mark].offset : r->nbytes;
}

/* The bytes at @at, of which @room stand before the next mark. Fills in the step. */
static void take_code(const struct sweep_mode *mode, const struct place *p, uint32_t room, struct step *step, struct prescan_insn *insn)
{
	enum prescan_status status = prescan_decode(step->bytes, room, p->code32 ? PRESCAN_MODE_32 : PRESCAN_MODE_16, insn);
	uint32_t key = sweep_key(mode, p->code32);

	step->finding = -1;
	step->insn = NULL;
	if (status == PRESCAN_OK) {
		step->insn = insn;
		step->nbytes = insn->length;
		step->cover = insn->klass;
		if (insn_unsupported(insn))
			step->finding = FINDING_UNSUPPORTED;
	} else if (status == PRESCAN_NEED_MORE) {
		step->nbytes = room;
		step->cover = COVER_CUT;
		step->finding = FINDING_CUT;
	} else {
		unsigned int length = refused_length(step->bytes, room, p->code32);

		step->nbytes = length ? length : 1;
		/* The decoder may judge by a ModRM byte that it did not count. */
		step->looked_at = length ? length : status == PRESCAN_UNDEFINED ? plx_min32(room, insn->length + 1u) : room;
		step->cover = length ? COVER_REFUSED : COVER_UNDEFINED;
		step->finding = length ? FINDING_REFUSED : status == PRESCAN_TOO_LONG ? FINDING_TOO_LONG : FINDING_UNDEFINED;
	}
	if (step->looked_at < step->nbytes)
		step->looked_at = step->nbytes;
	step->rewriting = (uint8_t)prescan_rewriting(step->insn, mode->strategy, key);
}

bool sweep_region(const struct code_region *region, const struct sweep_mode *mode, bool (*take)(void *owner, const struct step *step),
		  void *owner)
{
	struct place p = { .region = region, .code32 = region->mode != CODE_16 };
	struct prescan_insn insn;

	for (uint32_t at = 0; at < region->nbytes;) {
		uint32_t next = pass_marks(&p, at);
		struct step step = {
			.address = region->address + at, .bytes = region->bytes + at, .mode = p.code32 ? 32 : 16, .finding = -1,
		};

		if (p.data) {
			step.nbytes = next - at;
			step.cover = COVER_DATA;
		} else {
			take_code(mode, &p, next - at, &step, &insn);
		}
		if (!take(owner, &step))
			return false;
		at += step.nbytes;
	}
	return true;
}
