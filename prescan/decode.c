/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/decode.c - from guest bytes to one instruction and its class.
 *
 *      guest code --> [prescan] --> code cache --> nexus --> guest runs
 *                        ^ here                      |
 *                     monitor <-------- exits -------+
 *
 * One pass, left to right, as the processor does it: prefixes, opcode, ModRM,
 * SIB, displacement, immediate. What is known about an opcode is in its row; the
 * code here knows only the shape of instructions.
 *
 * Two ways: decode_whole() knows all; decode_quick() only 32-bit code without prefixes, nine of ten instructions, and asks tables
 * where the other branches, for a guess gone wrong costs the processor more than all the rest. It gives up where it is not sure.
 *
 * Asked by:  prescan/rewrite*.c, monitor/interp*.c, user/, tests.
 * Asks:      prescan/opcode_table.c, its table.
 * Never:     touches guest memory, allocates, writes a global.
 * Built:     twice, freestanding and hosted; one source.
 * Tested by: tests/unit/test_decode*.c.
 * Read next: prescan/opcode_table_1b.h.
 */
#include "prescan/opcode_table.h"
#include "plexus/x86.h"

#define NONE PRESCAN_NO_REG
#define KEEP_IN_MEMORY(object) __asm__ volatile("" : : "r"(&(object)) : "memory")

/* What a ModRM byte with mod != 3 says about the address, by mod * 8 + rm. */
struct address_form {
	uint8_t base, index, seg, disp_size;
};

/* SDM 2A, "16-Bit Addressing Forms with the ModR/M Byte" */
#define FORMS16(bp_seg, bp_base, d, d6) \
	{ X86_EBX, X86_ESI, X86_DS, d }, { X86_EBX, X86_EDI, X86_DS, d }, \
	{ X86_EBP, X86_ESI, X86_SS, d }, { X86_EBP, X86_EDI, X86_SS, d }, \
	{ X86_ESI, NONE, X86_DS, d }, { X86_EDI, NONE, X86_DS, d }, \
	{ bp_base, NONE, bp_seg, d6 }, { X86_EBX, NONE, X86_DS, d }
static const struct address_form form16[24] = {
	/* BP without a displacement does not exist: its place is a plain 16-bit address. */
	FORMS16(X86_DS, NONE, 0, 2),
	FORMS16(X86_SS, X86_EBP, 1, 1),
	FORMS16(X86_SS, X86_EBP, 2, 2),
};
#undef FORMS16

/* SDM 2A, "32-Bit Addressing Forms with the ModR/M Byte". rm = 4: a SIB byte
 * follows, and its base field is looked up here again in place of rm. */
#define FORMS32(ebp_seg, ebp_base, d, d5) \
	{ X86_EAX, NONE, X86_DS, d }, { X86_ECX, NONE, X86_DS, d }, \
	{ X86_EDX, NONE, X86_DS, d }, { X86_EBX, NONE, X86_DS, d }, \
	{ X86_ESP, NONE, X86_SS, d }, { ebp_base, NONE, ebp_seg, d5 }, \
	{ X86_ESI, NONE, X86_DS, d }, { X86_EDI, NONE, X86_DS, d }
static const struct address_form form32[24] = {
	/* EBP likewise; as the base in a SIB byte too. */
	FORMS32(X86_DS, NONE, 0, 4),
	FORMS32(X86_SS, X86_EBP, 1, 1),
	FORMS32(X86_SS, X86_EBP, 4, 4),
};
#undef FORMS32

/* The bytes, and how far we are. */
struct cursor {
	const uint8_t *bytes;
	size_t nbytes;		/* as the caller gave it */
	unsigned int avail;	/* of those, no more than 15 */
	unsigned int pos;
};

static inline bool have(const struct cursor *c, unsigned int n)
{
	return c->pos + n <= c->avail;
}

/* The bytes given do not hold the instruction. If there were 15, none do. */
static enum prescan_status ran_out(const struct cursor *c)
{
	return c->nbytes >= PRESCAN_INSN_MAX ? PRESCAN_TOO_LONG : PRESCAN_NEED_MORE;
}

static enum prescan_status undefined(const struct cursor *c, struct prescan_insn *insn)
{
	insn->length = (uint8_t)c->pos;
	return PRESCAN_UNDEFINED;
}

static inline uint32_t take8(struct cursor *c)
{
	return c->bytes[c->pos++];
}

static inline uint32_t take16(struct cursor *c)
{
	const uint8_t *p = c->bytes + c->pos;

	c->pos += 2;
	return p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t take32(struct cursor *c)
{
	const uint8_t *p = c->bytes + c->pos;

	c->pos += 4;
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* @n is 0, 1, 2 or 4; the caller has checked that they are there. */
static inline int32_t take_signed(struct cursor *c, unsigned int n)
{
	switch (n) {
	case 1:
		return (int8_t)take8(c);
	case 2:
		return (int16_t)take16(c);
	case 4:
		return (int32_t)take32(c);
	}
	return 0;
}

/* One legacy prefix. Of several segment overrides, and of F2 and F3, the last wins. */
static void note_prefix(struct prescan_insn *d, uint8_t byte)
{
	switch (byte) {
	case 0x66:
		d->prefixes |= PRESCAN_PFX_OPSIZE;
		return;
	case 0x67:
		d->prefixes |= PRESCAN_PFX_ADDRSIZE;
		return;
	case 0xf0:
		d->prefixes |= PRESCAN_PFX_LOCK;
		return;
	case 0xf2:
		d->prefixes &= (uint8_t)~PRESCAN_PFX_REP;
		d->prefixes |= PRESCAN_PFX_REPNE;
		return;
	case 0xf3:
		d->prefixes &= (uint8_t)~PRESCAN_PFX_REPNE;
		d->prefixes |= PRESCAN_PFX_REP;
		return;
	}
	d->prefixes |= PRESCAN_PFX_SEG;
	/* 26 2E 36 3E are ES CS SS DS in order; 64 and 65 are FS and GS. */
	d->seg = byte < 0x64 ? (byte >> 3) & 3 : byte - 0x64 + X86_FS;
}

/* Which of the four columns of a map: none, 66, F3, F2 (VEX.pp's order too). */
static unsigned int prefix_column(const struct prescan_insn *d)
{
	if (d->prefixes & PRESCAN_PFX_VEX)
		return d->vex_pp;
	if (d->prefixes & PRESCAN_PFX_REP)
		return 2;
	if (d->prefixes & PRESCAN_PFX_REPNE)
		return 3;
	return d->prefixes & PRESCAN_PFX_OPSIZE ? 1 : 0;
}

/*
 * The rest of a VEX prefix, and which map it leads to. @c stands behind C4 or C5,
 * whose next byte has mod = 3. Outside 64-bit mode that byte's upper two bits, and
 * so R and X, are ones by construction; B is ignored (SDM 2A, "The VEX Prefix").
 *
 * *@map_row: 0 when the map is none we know; the caller refuses.
 */
static enum prescan_status take_vex(struct cursor *c, struct prescan_insn *d, uint8_t opcode, unsigned int *map_row)
{
	unsigned int map = 1;
	uint8_t last;

	if (!have(c, opcode == 0xc4 ? 2 : 1))
		return ran_out(c);
	if (opcode == 0xc4)
		map = take8(c) & 0x1f;
	last = (uint8_t)take8(c);

	d->vex_w = opcode == 0xc4 ? last >> 7 : 0;
	d->vex_vvvv = (~last >> 3) & 15;
	d->vex_l = (last >> 2) & 1;
	d->vex_pp = last & 3;

	*map_row = 0;
	if (map >= 1 && map <= 3)
		*map_row = ROWS_VEX_0F + (map - 1) * 256;

	/* #UD with any of these before VEX; seg and 67 are allowed. */
	if (d->prefixes & (PRESCAN_PFX_LOCK | PRESCAN_PFX_REP | PRESCAN_PFX_REPNE | PRESCAN_PFX_OPSIZE))
		*map_row = 0;
	d->prefixes |= PRESCAN_PFX_VEX;
	return PRESCAN_OK;
}

/*
 * Follow @row's selectors down to the instruction. *@row is a leaf on PRESCAN_OK.
 * A ModRM byte is looked at here, and taken later: it stands at c->pos throughout.
 */
static enum prescan_status find_leaf(struct cursor *c, struct prescan_insn *d, const struct prescan_row **row)
{
	const struct prescan_row *r = *row;
	unsigned int next;
	enum prescan_status status;

	while (r->sel != SEL_LEAF) {
		next = r->next;
		switch (r->sel) {
		case SEL_MAP:
			if (!have(c, 1))
				return ran_out(c);
			d->map = (uint8_t)(next >> 8);
			d->opcode = (uint8_t)take8(c);
			next += d->opcode;
			break;
		case SEL_VEX:
			if (!have(c, 1))
				return ran_out(c);
			if ((c->bytes[c->pos] & 0xc0) != 0xc0)
				break;
			status = take_vex(c, d, d->opcode, &next);
			if (status != PRESCAN_OK)
				return status;
			if (!next)
				return PRESCAN_UNDEFINED;
			if (!have(c, 1))
				return ran_out(c);
			d->map = (uint8_t)(next >> 8);
			d->opcode = (uint8_t)take8(c);
			next += d->opcode;
			break;
		case SEL_REG:
			if (!have(c, 1))
				return ran_out(c);
			next += (c->bytes[c->pos] >> 3) & 7;
			break;
		case SEL_RM:
			if (!have(c, 1))
				return ran_out(c);
			next += c->bytes[c->pos] & 7;
			break;
		case SEL_MOD:
			if (!have(c, 1))
				return ran_out(c);
			next += c->bytes[c->pos] >= 0xc0;
			break;
		case SEL_PFX:
			next += prefix_column(d);
			break;
		case SEL_OPSIZE:
			next += d->opsize == 4;
			break;
		case SEL_ADDRSIZE:
			next += d->addrsize == 4;
			break;
		case SEL_VEX_L:
			next += d->vex_l;
			break;
		case SEL_VEX_W:
			next += d->vex_w;
			break;
		}
		r = &prescan_rows[next];
	}
	*row = r;
	return PRESCAN_OK;
}

/* Do prefixes, mod and VEX fields keep the row's rules? d->mod is set. */
static bool rules_kept(const struct prescan_insn *d, uint32_t bits)
{
	if ((bits & P_ANY) && !(bits & (P_NP << prefix_column(d))))
		return false;
	if ((bits & MEM_ONLY) && d->mod == 3)
		return false;
	if ((bits & REG_ONLY) && d->mod != 3)
		return false;
	if ((bits & VL0) && d->vex_l)
		return false;
	if ((bits & VL1) && !d->vex_l)
		return false;
	if ((bits & VW0) && d->vex_w)
		return false;
	if ((bits & VW1) && !d->vex_w)
		return false;
	if ((bits & NOV) && d->vex_vvvv)
		return false;
	/* A gather's address is base + vector index: a SIB byte, so 32-bit addressing. */
	if ((bits & VSIB) && (d->rm != 4 || d->addrsize != 4))
		return false;
	return true;
}

/* SDM 2A, "VPGATHERDD": #UD if any two of destination, mask and index are one. */
static bool gather_registers_differ(const struct prescan_insn *d)
{
	return d->reg != d->index && d->reg != d->vex_vvvv && d->index != d->vex_vvvv;
}

/* SIB and displacement. @c stands behind the ModRM byte, whose mod is not 3. */
static inline enum prescan_status take_address(struct cursor *c, struct prescan_insn *d)
{
	const struct address_form *form;
	unsigned int sib;

	if (d->addrsize == 4) {
		form = &form32[d->mod * 8 + d->rm];
		if (d->rm == 4) {
			if (!have(c, 1))
				return ran_out(c);
			sib = take8(c);
			form = &form32[d->mod * 8 + (sib & 7)];
			d->scale = (uint8_t)(sib >> 6);
			d->index = (sib >> 3) & 7;
			if (d->index == X86_ESP && !(d->flags & PRESCAN_F_VSIB))
				d->index = PRESCAN_NO_REG;
		}
	} else {
		form = &form16[d->mod * 8 + d->rm];
		d->index = form->index;
	}
	d->base = form->base;
	d->disp_size = form->disp_size;
	if (!(d->prefixes & PRESCAN_PFX_SEG))
		d->seg = form->seg;

	if (form->disp_size) {
		if (!have(c, form->disp_size))
			return ran_out(c);
		d->disp_off = (uint8_t)c->pos;
		d->disp = take_signed(c, form->disp_size);
	}
	return PRESCAN_OK;
}

/* The bytes after the address, and what they mean. */
static enum prescan_status take_immediate(struct cursor *c, struct prescan_insn *d, enum prescan_imm kind)
{
	unsigned int size = 1, size2 = 0;

	switch (kind) {
	case IMM_W:
		size = 2;
		break;
	case IMM_Z:
	case IMM_RELZ:
		size = d->opsize;
		break;
	case IMM_PTR:
		size = d->opsize;
		size2 = 2;
		break;
	case IMM_ENTER:
		size = 2;
		size2 = 1;
		break;
	case IMM_BB:
		size2 = 1;
		break;
	case IMM_MOFFS:
		if (!have(c, d->addrsize))
			return ran_out(c);
		d->disp_size = d->addrsize;
		d->disp_off = (uint8_t)c->pos;
		d->disp = take_signed(c, d->addrsize);
		return PRESCAN_OK;
	default:
		break;
	}

	if (!have(c, size + size2))
		return ran_out(c);
	d->imm_off = (uint8_t)c->pos;
	d->imm_size = (uint8_t)size;
	d->imm2_size = (uint8_t)size2;
	d->imm = (uint32_t)take_signed(c, size);
	if (kind != IMM_BS && kind != IMM_REL8 && kind != IMM_RELZ && size < 4)
		d->imm &= size == 1 ? 0xffu : 0xffffu;
	if (size2)
		d->imm2 = (uint16_t)take_signed(c, size2) & (size2 == 1 ? 0xffu : 0xffffu);
	return PRESCAN_OK;
}

/* ---- the short way ---------------------------------------------------------------------------------- */

/* What is left of @value when only its lowest @size bytes count, 0, 1, 2 or 4; sign-extended, but for 0. */
static inline int32_t extend(uint32_t value, unsigned int size)
{
	unsigned int shift = (32 - 8 * size) & 31;

	return (int32_t)(value << shift) >> shift;
}

static inline uint32_t bytes_at(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));	/* little-endian, as the guest's are */
	return value;
}

/* What a ModRM byte says with 32-bit addresses, in the order of struct prescan_insn, so that one store takes it there. Number 256: none. */
struct modrm_form {
	uint8_t modrm, mod, reg, rm, base, index, scale, disp_size;
};
_Static_assert(offsetof(struct prescan_insn, disp_size) == offsetof(struct prescan_insn, modrm) + 7 && sizeof(struct modrm_form) == 8,
	       "struct modrm_form is a piece of struct prescan_insn");

#define FORM(b) { (b), (b) >> 6, (b) >> 3 & 7, (b) & 7, \
	(b) >> 6 == 3 || ((b) >> 6 == 0 && ((b) & 7) == 5) ? NONE : (b) & 7, NONE, 0, \
	(b) >> 6 == 1 ? 1 : (b) >> 6 == 2 || ((b) >> 6 == 0 && ((b) & 7) == 5) ? 4 : 0 },
#define FORM8(b) FORM(b) FORM((b) + 1) FORM((b) + 2) FORM((b) + 3) FORM((b) + 4) FORM((b) + 5) FORM((b) + 6) FORM((b) + 7)
#define FORM64(b) FORM8(b) FORM8((b) + 8) FORM8((b) + 16) FORM8((b) + 24) FORM8((b) + 32) FORM8((b) + 40) FORM8((b) + 48) FORM8((b) + 56)
static const struct modrm_form modrm_forms[257] = {
	FORM64(0) FORM64(64) FORM64(128) FORM64(192)
	{ .base = NONE, .index = NONE },
};
#undef FORM64
#undef FORM8
#undef FORM

/* By enum prescan_imm, up to IMM_RELZ. */
static const struct {
	uint32_t mask;
	uint8_t size;
} quick_imm[] = {
	[IMM_NONE] = { 0, 0 }, [IMM_B] = { 0xff, 1 }, [IMM_BS] = { ~0u, 1 }, [IMM_W] = { 0xffff, 2 }, [IMM_Z] = { ~0u, 4 },
	[IMM_REL8] = { ~0u, 1 }, [IMM_RELZ] = { ~0u, 4 },
};

/* SIB behind ModRM; what the ModRM byte said is in @insn already. */
static inline void take_sib_quick(unsigned int sib, struct prescan_insn *insn)
{
	const struct address_form *form = &form32[insn->mod * 8 + (sib & 7)];
	unsigned int index = sib >> 3 & 7;

	insn->base = form->base;
	insn->disp_size = form->disp_size;
	insn->index = index == X86_ESP ? NONE : (uint8_t)index;
	insn->scale = (uint8_t)(sib >> 6);
}

/*
 * All that looks at bytes here stays within 12 of them: opcode 2, ModRM, SIB, 4, 4; the caller has 15.
 * False: not one of those that this way knows; nothing was written.
 */
static inline bool decode_quick(const uint8_t *bytes, struct prescan_insn *insn)
{
	const struct modrm_form *form;
	const struct prescan_row *row;
	unsigned int opcode = bytes[0], map = PRESCAN_MAP_1B, pos = 1, at = opcode, has_modrm, disp_size, imm_size;
	uint32_t bits;

	if (opcode == 0x0f) {
		opcode = bytes[1];
		map = PRESCAN_MAP_0F;
		at = ROWS_0F + opcode;
		pos = 2;
	}
	row = &prescan_rows[at];
	if (row->sel == SEL_REG) {
		at = row->next + (bytes[pos] >> 3 & 7u);
		row = &prescan_rows[at];
	} else if (row->sel == SEL_OPSIZE) {
		at = row->next + 1u;
		row = &prescan_rows[at];
	}
	if (PLX_UNLIKELY(!row->quick))
		return false;

	bits = row->bits;
	_Static_assert(PRESCAN_F_MODRM == 1, "a flag that counts as a byte");
	has_modrm = bits & PRESCAN_F_MODRM;
	form = &modrm_forms[(bytes[pos] & -has_modrm) + (1 - has_modrm) * 256];
	if (PLX_UNLIKELY((bits & MEM_ONLY) && form->mod == 3))
		return false;
	memcpy(&insn->modrm, form, sizeof(*form));
	insn->modrm_off = (uint8_t)(pos & -has_modrm);
	pos += has_modrm;
	if (form->rm == 4 && form->mod != 3)
		take_sib_quick(bytes[pos++], insn);
	disp_size = insn->disp_size;
	imm_size = quick_imm[row->imm].size;

	insn->map = (uint8_t)map;
	insn->opcode = (uint8_t)opcode;
	insn->prefixes = 0;
	/* ESP and EBP stand for SS, all else for DS, which is the next number. */
	insn->seg = bits & SEG_ES ? X86_ES : (uint8_t)(X86_DS - ((insn->base & ~1u) == X86_ESP && form->mod != 3));
	insn->opsize = 4;
	insn->addrsize = 4;
	insn->klass = row->klass;
	insn->imm_size = (uint8_t)imm_size;
	insn->imm2_size = 0;
	insn->opcode_off = 0;
	insn->flags = (uint16_t)(form->mod == 3 ? bits & ~(PRESCAN_F_MEM | PRESCAN_F_MEM_READ | PRESCAN_F_MEM_WRITE | PRESCAN_F_AGEN) : bits);
	insn->disp_off = (uint8_t)(pos & -(unsigned int)!!disp_size);
	insn->disp = extend(bytes_at(bytes + pos), disp_size) & -(int32_t)!!disp_size;
	pos += disp_size;
	insn->imm_off = (uint8_t)(pos & -(unsigned int)!!imm_size);
	insn->imm = (uint32_t)extend(bytes_at(bytes + pos), imm_size) & quick_imm[row->imm].mask;
	insn->imm2 = 0;
	insn->vex_l = insn->vex_w = insn->vex_pp = insn->vex_vvvv = 0;
	insn->id = (uint16_t)at;
	insn->length = (uint8_t)(pos + imm_size);
	return true;
}

/* ---- the whole way ---------------------------------------------------------------------------------- */

static enum prescan_status decode_whole(const uint8_t *bytes, size_t nbytes, enum prescan_mode mode, struct prescan_insn *insn)
{
	struct cursor c = { .bytes = bytes, .nbytes = nbytes };
	struct prescan_insn d = { .seg = X86_DS, .base = PRESCAN_NO_REG, .index = PRESCAN_NO_REG };
	const struct prescan_row *row;
	enum prescan_status status;
	uint32_t bits;
	bool small;

	c.avail = nbytes < PRESCAN_INSN_MAX ? (unsigned int)nbytes : PRESCAN_INSN_MAX;

	for (;;) {
		if (!have(&c, 1))
			return ran_out(&c);
		d.opcode = c.bytes[c.pos];
		row = &prescan_rows[d.opcode];
		if (PLX_LIKELY(row->sel != SEL_PREFIX))
			break;
		note_prefix(&d, d.opcode);
		c.pos++;
	}
	d.opcode_off = (uint8_t)c.pos++;
	small = mode == PRESCAN_MODE_16;
	d.opsize = small == !(d.prefixes & PRESCAN_PFX_OPSIZE) ? 2 : 4;
	d.addrsize = small == !(d.prefixes & PRESCAN_PFX_ADDRSIZE) ? 2 : 4;

	if (row->sel != SEL_LEAF) {
		status = find_leaf(&c, &d, &row);
		if (PLX_UNLIKELY(status != PRESCAN_OK))
			return status == PRESCAN_UNDEFINED ? undefined(&c, insn) : status;
	}
	if (PLX_UNLIKELY(row->klass == PRESCAN_REFUSE))
		return undefined(&c, insn);

	bits = row->bits;
	d.flags = (uint16_t)bits;
	if (bits & PRESCAN_F_MODRM) {
		if (!have(&c, 1))
			return ran_out(&c);
		d.modrm_off = (uint8_t)c.pos;
		d.modrm = (uint8_t)take8(&c);
		d.mod = d.modrm >> 6;
		d.reg = (d.modrm >> 3) & 7;
		d.rm = d.modrm & 7;
	}
	if (PLX_UNLIKELY(bits & RULES_CHECKED)) {
		if (!rules_kept(&d, bits))
			return undefined(&c, insn);
		if (bits & MOD_IGN)
			d.mod = 3;
	}
	d.vex_vvvv &= 7;	/* outside 64-bit mode the fourth bit names no register */
	if (bits & OP32)
		d.opsize = 4;
	if ((bits & PRESCAN_F_MODRM) && d.mod == 3)
		d.flags &= (uint16_t)~(PRESCAN_F_MEM | PRESCAN_F_MEM_READ | PRESCAN_F_MEM_WRITE | PRESCAN_F_AGEN);
	if (PLX_UNLIKELY(d.prefixes & PRESCAN_PFX_LOCK) &&
	    !((d.flags & PRESCAN_F_LOCKABLE) && (d.flags & PRESCAN_F_MEM)))
		return undefined(&c, insn);

	if ((bits & PRESCAN_F_MODRM) && d.mod != 3) {
		status = take_address(&c, &d);
		if (PLX_UNLIKELY(status != PRESCAN_OK))
			return status;
	}
	if (bits & SEG_ES)
		d.seg = X86_ES;
	if (PLX_UNLIKELY(bits & VSIB) && !gather_registers_differ(&d))
		return undefined(&c, insn);

	if (PLX_UNLIKELY(row->imm == IMM_3DNOW)) {
		if (!have(&c, 1))
			return ran_out(&c);
		d.map = PRESCAN_MAP_3DNOW;
		d.opcode = (uint8_t)take8(&c);
		row = &prescan_rows[ROWS_3DNOW + d.opcode];
		if (row->klass == PRESCAN_REFUSE)
			return undefined(&c, insn);
	} else if (row->imm != IMM_NONE) {
		status = take_immediate(&c, &d, row->imm);
		if (PLX_UNLIKELY(status != PRESCAN_OK))
			return status;
	}

	d.klass = row->klass;
	d.id = (uint16_t)(row - prescan_rows);
	/* Without this the compiler gathers the bytes of @d into wide registers for
	 * the copy, and the caller waits for all of them; with it, for the length. */
	KEEP_IN_MEMORY(d);
	*insn = d;
	KEEP_IN_MEMORY(*insn);
	insn->length = (uint8_t)c.pos;
	return PRESCAN_OK;
}

enum prescan_status prescan_decode(const uint8_t *bytes, size_t nbytes, enum prescan_mode mode, struct prescan_insn *insn)
{
	if (nbytes >= PRESCAN_INSN_MAX && mode == PRESCAN_MODE_32 && decode_quick(bytes, insn))
		return PRESCAN_OK;
	return decode_whole(bytes, nbytes, mode, insn);
}

unsigned int prescan_nr_rows(void)
{
	return PRESCAN_NR_ROWS;
}
