/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/native.c - run one guest instruction on the bare processor.
 *
 *      interp_fpu.c --> [mon_native_insn] --> scratch code --> nexus/native_run.S --> the instruction itself
 *
 * x87, MMX and SSE are not written again in C: the processor has them. The instruction is encoded anew for 64-bit
 * mode, its memory operand replaced by [R8], which points to a copy that the caller has checked and fetched. Segment
 * overrides and 67h go with the address. Where 64-bit mode has another meaning for the bytes (40-4F, 82), another encoding of
 * the same instruction is taken; where it has none, the answer is MON_DEFER.
 *
 * The guest's ESP as a register operand becomes R12 by a REX bit, so the host's stack pointer is never the guest's.
 *
 * Integer instructions can come this way too. The interpreter does not need that; its tests do.
 *
 * Asked by:  interp_fpu.c, tests.
 * Tested by: tests/unit/test_interp_native.c.
 */
#include "monitor/interp.h"
#include "monitor/interp_flags.h"
#include "monitor/native.h"

#define OPCODE_RET 0xc3
#define REX	0x40
#define REX_R	0x04
#define REX_B	0x01
#define ESP_FIELD 4		/* as a register number; with a REX bit R12 */

#define SIMD_FLAGS	(PRESCAN_F_MMX | PRESCAN_F_SSE | PRESCAN_F_AVX)

/* ---- FPU state ---- */

void mon_fpu_load(struct mon_vcpu *v)
{
	if (v->fpu_live)
		return;
	__asm__ volatile("fxrstor64 %0" : : "m" (*(const uint8_t (*)[512])v->fpu_area) : "memory");
	v->fpu_live = true;
}

void mon_fpu_save(struct mon_vcpu *v)
{
	static const uint32_t mxcsr_default = 0x1f80;

	if (!v->fpu_live)
		return;
	__asm__ volatile("fxsave64 %0" : "=m" (*(uint8_t (*)[512])v->fpu_area));
	/* What C code may take for granted: empty x87 stack, all exceptions masked. */
	__asm__ volatile("fninit\n\tldmxcsr %0" : : "m" (mxcsr_default));
	v->fpu_live = false;
}

void mon_fpu_reset(struct mon_vcpu *v)
{
	memset(v->fpu_area, 0, 512);
	v->fpu_area[0] = 0x40;			/* FCW 0040h */
	v->fpu_area[4] = 0xff;			/* FXSAVE's abridged tag word: FTW 5555h is "all zero", not empty */
	v->fpu_area[24] = 0x80;			/* MXCSR 1f80h */
	v->fpu_area[25] = 0x1f;
	v->fpu_live = false;
}

/* ---- encoding ---- */

struct encoding {
	union {
		uint8_t bytes[MON_NATIVE_SLOT_BYTES];	/* zeros behind the RET */
		uint64_t words[MON_NATIVE_SLOT_BYTES / 8];
	};
	unsigned int length;
	bool mem_in_edi;	/* the operand is at [RDI], because REX would turn AH into SPL */
};

enum operand_kind { FIELD_NONE, FIELD_GPR, FIELD_BYTE };

struct fields {
	uint8_t reg, rm, opcode;	/* enum operand_kind: what ModRM.reg, ModRM.rm and the opcode's low bits name */
};

static bool simd_touches_gpr_rm(const struct prescan_insn *in)
{
	unsigned int prefix = ip_simd_prefix(in);

	if (in->map == PRESCAN_MAP_0F || in->map == PRESCAN_MAP_VEX_0F)
		return (in->opcode == 0x2a && prefix >= 2) || in->opcode == 0x6e ||
		       (in->opcode == 0x7e && prefix != 2) || in->opcode == 0xc4;
	if (in->map == PRESCAN_MAP_0F3A || in->map == PRESCAN_MAP_VEX_0F3A)
		return (in->opcode >= 0x14 && in->opcode <= 0x17) || in->opcode == 0x20 || in->opcode == 0x22;
	return false;
}

static bool simd_touches_gpr_reg(const struct prescan_insn *in)
{
	if (in->map != PRESCAN_MAP_0F && in->map != PRESCAN_MAP_VEX_0F)
		return false;
	switch (in->opcode) {
	case 0x2c:
	case 0x2d:
		return ip_simd_prefix(in) >= 2;
	case 0x50:
	case 0xc3:
	case 0xc5:
	case 0xd7:
		return true;
	}
	return false;
}

static struct fields integer_fields(const struct prescan_insn *in)
{
	const struct fields words = { FIELD_GPR, FIELD_GPR, FIELD_NONE };
	const struct fields bytes = { FIELD_BYTE, FIELD_BYTE, FIELD_NONE };
	const struct fields byte_rm = { FIELD_NONE, FIELD_BYTE, FIELD_NONE };
	const struct fields byte_source = { FIELD_GPR, FIELD_BYTE, FIELD_NONE };
	uint8_t op = in->opcode;

	if (!(in->flags & PRESCAN_F_MODRM)) {
		if (in->map == PRESCAN_MAP_1B && op >= 0xb0 && op <= 0xb7)
			return (struct fields){ FIELD_NONE, FIELD_NONE, FIELD_BYTE };
		if (in->map == PRESCAN_MAP_1B && ((op >= 0x40 && op <= 0x4f) || (op >= 0x90 && op <= 0x97) ||
						 (op >= 0xb8 && op <= 0xbf)))
			return (struct fields){ FIELD_NONE, FIELD_NONE, FIELD_GPR };
		if (in->map == PRESCAN_MAP_0F && op >= 0xc8 && op <= 0xcf)
			return (struct fields){ FIELD_NONE, FIELD_NONE, FIELD_GPR };
		return (struct fields){ FIELD_NONE, FIELD_NONE, FIELD_NONE };
	}

	switch (in->map) {
	case PRESCAN_MAP_1B:
		if (op & 1)
			return words;
		if (op < 0x40 || op == 0x84 || op == 0x86 || op == 0x88 || op == 0x8a)
			return bytes;
		if (op == 0x80 || op == 0x82 || op == 0xc0 || op == 0xc6 || op == 0xd0 || op == 0xd2 || op == 0xf6 ||
		    op == 0xfe)
			return byte_rm;
		return words;
	case PRESCAN_MAP_0F:
		if (op == 0xb0 || op == 0xc0)
			return bytes;
		if (op >= 0x90 && op <= 0x9f)
			return byte_rm;
		if (op == 0xb6 || op == 0xbe)
			return byte_source;
		return words;
	case PRESCAN_MAP_0F38:
		return op == 0xf0 && (in->prefixes & PRESCAN_PFX_REPNE) ? byte_source : words;
	default:
		return words;
	}
}

/* Forms that 64-bit mode has lost, or whose memory operand is not the explicit one. */
static bool encodable(const struct prescan_insn *in, const void *mem)
{
	if (in->klass != PRESCAN_PLAIN && in->klass != PRESCAN_FPU)
		return false;
	if (in->flags & (PRESCAN_F_STRING | PRESCAN_F_STACK | PRESCAN_F_MOFFS | PRESCAN_F_END))
		return false;
	if (ip_is_mem(in) && ((in->flags & PRESCAN_F_AGEN) || !mem))
		return false;
	if (in->map == PRESCAN_MAP_1B)
		switch (in->opcode) {
		case 0x27: case 0x2f: case 0x37: case 0x3f:	/* DAA DAS AAA AAS */
		case 0x60: case 0x61: case 0x62: case 0x63:
		case 0xc4: case 0xc5:
		case 0xd4: case 0xd5: case 0xd6: case 0xd7:	/* AAM AAD SALC XLAT */
		case 0xfc: case 0xfd:				/* CLD STD: DF is the C code's here */
			return false;
		}
	return true;
}

static void put(struct encoding *e, uint8_t byte)
{
	e->bytes[e->length++] = byte;
}

static void put_imm(struct encoding *e, uint32_t value, unsigned int nbytes)
{
	for (unsigned int i = 0; i < nbytes; i++)
		put(e, (uint8_t)(value >> i * 8));
}

static bool wants_66(const struct prescan_insn *in)
{
	if (in->flags & PRESCAN_F_X87)
		/* Only FLDENV FNSTENV FRSTOR FNSAVE look at it, for the format in memory. */
		return in->opsize == 2 && ip_is_mem(in) && (in->opcode == 0xd9 || in->opcode == 0xdd) &&
		       (in->reg == 4 || in->reg == 6);
	if ((in->flags & SIMD_FLAGS) || (in->map == PRESCAN_MAP_0F38 && in->opcode == 0xf6))
		return in->prefixes & PRESCAN_PFX_OPSIZE;
	return in->opsize == 2;
}

static void put_legacy(struct encoding *e, const struct prescan_insn *in, uint8_t rex, uint8_t opcode)
{
	if (in->prefixes & PRESCAN_PFX_LOCK)
		put(e, 0xf0);
	if (wants_66(in))
		put(e, 0x66);
	if (in->prefixes & PRESCAN_PFX_REP)
		put(e, 0xf3);
	else if (in->prefixes & PRESCAN_PFX_REPNE)
		put(e, 0xf2);
	if (rex)
		put(e, REX | rex);
	if (in->map != PRESCAN_MAP_1B)
		put(e, 0x0f);
	if (in->map == PRESCAN_MAP_0F38)
		put(e, 0x38);
	else if (in->map == PRESCAN_MAP_0F3A)
		put(e, 0x3a);
	put(e, in->map == PRESCAN_MAP_3DNOW ? 0x0f : opcode);
}

static void put_vex(struct encoding *e, const struct prescan_insn *in, uint8_t rex)
{
	bool integer = !(in->flags & SIMD_FLAGS);
	/* R and B inverted; X stays 1, there is no index. */
	uint8_t rxb = (uint8_t)(0x40 | (rex & REX_R ? 0 : 0x80) | (rex & REX_B ? 0 : 0x20));
	uint8_t vvvv = in->vex_vvvv;

	if (integer && vvvv == ESP_FIELD)
		vvvv = 12;
	put(e, 0xc4);
	put(e, rxb | (uint8_t)(in->map - PRESCAN_MAP_VEX_0F + 1));
	/* W of an integer instruction is ignored in 32-bit mode; in 64-bit mode it would mean 64 bits. */
	put(e, (uint8_t)((integer ? 0 : in->vex_w << 7) | (~vvvv & 15) << 3 | in->vex_l << 2 | in->vex_pp));
	put(e, in->opcode);
}

static bool encode(const struct prescan_insn *in, const void *mem, struct encoding *e)
{
	bool vex = in->map >= PRESCAN_MAP_VEX_0F && in->map <= PRESCAN_MAP_VEX_0F3A, byte_high = false;
	uint8_t opcode = in->opcode, rex = 0, modrm = in->modrm;
	bool has_modrm = in->flags & PRESCAN_F_MODRM;
	struct fields f = { FIELD_NONE, FIELD_NONE, FIELD_NONE };

	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(e->words); i++)
		e->words[i] = 0;
	e->length = 0;
	e->mem_in_edi = false;
	if (!encodable(in, mem))
		return false;

	if (!(in->flags & (SIMD_FLAGS | PRESCAN_F_X87)))
		f = integer_fields(in);
	else if (has_modrm && (in->flags & SIMD_FLAGS)) {
		f.reg = simd_touches_gpr_reg(in) ? FIELD_GPR : FIELD_NONE;
		f.rm = simd_touches_gpr_rm(in) ? FIELD_GPR : FIELD_NONE;
	}

	if (f.reg == FIELD_BYTE && in->reg >= 4)
		byte_high = true;
	if (f.reg == FIELD_GPR && in->reg == ESP_FIELD)
		rex |= REX_R;			/* an opcode extension of 4 gets it too, and ignores it */
	if (ip_is_mem(in)) {
		if (byte_high) {
			e->mem_in_edi = true;
			modrm = (uint8_t)(in->reg << 3 | X86_EDI);
		} else {
			rex |= REX_B;
			modrm = (uint8_t)(in->reg << 3);
		}
	} else if (has_modrm) {
		if (f.rm == FIELD_GPR && in->rm == ESP_FIELD)
			rex |= REX_B;
		if (f.rm == FIELD_BYTE && in->rm >= 4)
			byte_high = true;
	} else if (f.opcode == FIELD_GPR && (opcode & 7) == ESP_FIELD) {
		rex |= REX_B;
	}
	if (byte_high && rex)
		return false;			/* MOVZX ESP,AH: no encoding has both */

	if (in->map == PRESCAN_MAP_1B && opcode >= 0x40 && opcode <= 0x4f) {
		has_modrm = true;		/* INC and DEC by their long form */
		modrm = (uint8_t)(0xc0 | (opcode & 8) | (opcode & 7));
		opcode = 0xff;
	} else if (in->map == PRESCAN_MAP_1B && opcode == 0x82) {
		opcode = 0x80;
	}

	if (vex)
		put_vex(e, in, rex);
	else
		put_legacy(e, in, rex, opcode);
	if (has_modrm)
		put(e, modrm);
	put_imm(e, in->imm, in->imm_size);
	put_imm(e, in->imm2, in->imm2_size);
	if (in->map == PRESCAN_MAP_3DNOW && in->imm_size == 0)
		put(e, in->opcode);
	put(e, OPCODE_RET);
	return true;
}

/* ---- scratch slots ---- */

void mon_native_init(struct mon_native *native, void *writable, const void *executable, size_t nbytes)
{
	memset(native, 0, sizeof(*native));
	native->code_w = writable;
	native->code_x = executable;
	native->nr_slots = (uint32_t)(nbytes / MON_NATIVE_SLOT_BYTES);
}

/*
 * The slot of this code, written if it is not there yet. No memcmp() and memcpy(): guest FPU state may be live, and those of
 * a libc use vector registers.
 */
static const uint8_t *find_slot(struct mon_native *native, const struct encoding *e)
{
	uint64_t hash = 0, differs = 0, *slot;
	uint32_t at;

	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(e->words); i++)
		hash = (hash ^ e->words[i]) * 0x9e3779b97f4a7c15ull;	/* 2^64 / golden ratio: spreads upward */
	at = (uint32_t)(hash >> 32) % native->nr_slots * MON_NATIVE_SLOT_BYTES;
	slot = (uint64_t *)(void *)(native->code_w + at);
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(e->words); i++)
		differs |= slot[i] ^ e->words[i];
	if (differs) {
		for (unsigned int i = 0; i < PLX_ARRAY_SIZE(e->words); i++)
			slot[i] = e->words[i];
		nexus_native_serialize();
		native->nr_encoded++;
	}
	return native->code_x + at;
}

bool mon_native_recover(struct mon_vcpu *v, uint8_t vector, uint64_t fault_rip, uint64_t *rip)
{
	struct mon_native *native = v->native_page;

	/* By address, not by the flag alone: a fault of the monitor's own must never look like the guest's. */
	if (!native || !native->active || fault_rip - (uint64_t)(uintptr_t)native->code_x >=
	    (uint64_t)native->nr_slots * MON_NATIVE_SLOT_BYTES)
		return false;
	native->vector = vector;
	*rip = (uint64_t)(uintptr_t)nexus_native_fault;
	return true;
}

enum mon_status mon_native_insn(struct mon_vcpu *v, const struct prescan_insn *in, const uint8_t *bytes, void *mem)
{
	struct mon_native *native = v->native_page;
	struct nexus_native_frame *frame;
	bool mem_in_edi, uses_fpu, was_live = v->fpu_live;
	struct encoding e;
	int faulted;

	(void)bytes;
	if (!native || !encode(in, mem, &e))
		return MON_DEFER;
	/* MASKMOVQ and MASKMOVDQU have no ModRM memory operand: theirs is at EDI by definition. */
	mem_in_edi = e.mem_in_edi || (mem && !ip_is_mem(in));

	frame = &native->frame;
	for (unsigned int i = 0; i < 8; i++)
		frame->gpr[i] = v->gpr[i];
	if (mem_in_edi)
		frame->gpr[X86_EDI] = (uint64_t)(uintptr_t)mem;
	frame->mem = (uint64_t)(uintptr_t)mem;
	frame->flags = (uint16_t)flags_pack(v->eflags);
	frame->entry = (uint64_t)(uintptr_t)find_slot(native, &e);

	uses_fpu = in->flags & (SIMD_FLAGS | PRESCAN_F_X87) || in->klass == PRESCAN_FPU;
	if (uses_fpu)
		mon_fpu_load(v);
	native->nr_run++;
	native->active = 1;
	faulted = nexus_native_run(frame);
	native->active = 0;
	if (uses_fpu && !was_live)
		mon_fpu_save(v);
	if (faulted) {
		uint8_t vector = (uint8_t)native->vector;

		if (vector == X86_VEC_GP || vector == X86_VEC_SS || vector == X86_VEC_AC)
			return mon_fault_error(v, vector, 0);
		return mon_fault(v, vector);
	}

	for (unsigned int i = 0; i < 8; i++)
		if (i != X86_EDI || !mem_in_edi)
			v->gpr[i] = (uint32_t)frame->gpr[i];
	v->eflags = flags_merge(v->eflags, frame->flags);
	return MON_OK;
}
