/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_fpu.c - x87, MMX and SSE: may the guest, how many bytes, then native.c.
 *
 * What the processor cannot see for us is done here: CR0.EM, TS and MP, CR4.OSFXSR, the guest's segment and page checks.
 * The operand is copied into native->operand, the instruction runs there, the result is copied out. Stores are
 * probed before the instruction runs, since it may pop the stack. Alignment is left to the processor: the copy lies as the
 * guest's operand does, relative to 16 bytes, and the #GP is the instruction's own.
 *
 * Asked by:  interp.c's tables.
 * Asks:      native.c; interp_simd.h for operand sizes.
 * Tested by: tests/unit/test_interp_native.c.
 */
#include "monitor/interp.h"
#include "monitor/interp_simd.h"
#include "monitor/native.h"

/* ---- permission ---- */

static enum mon_status may_x87(struct mon_vcpu *v)
{
	if (v->cr0 & (X86_CR0_EM | X86_CR0_TS))
		return mon_fault(v, X86_VEC_NM);
	return MON_OK;
}

static enum mon_status may_simd(struct mon_vcpu *v, bool sse)
{
	if ((v->cr0 & X86_CR0_EM) || (sse && !(v->cr4 & X86_CR4_OSFXSR)))
		return ip_ud(v);
	if (v->cr0 & X86_CR0_TS)
		return mon_fault(v, X86_VEC_NM);
	return MON_OK;
}

/* ---- operands of up to 512 bytes ---- */

/* The pieces of 16 bytes that mon_read(), mon_write() and mon_probe() take. */
static enum mon_status probe_all(struct mon_vcpu *v, uint32_t linear, uint32_t nbytes, unsigned int access)
{
	for (uint32_t at = 0; at < nbytes; at += 16)
		IP_TRY(mon_probe(v, linear + at, plx_min32(nbytes - at, 16), access));
	return MON_OK;
}

static enum mon_status copy_in(struct mon_vcpu *v, uint32_t linear, uint8_t *to, uint32_t nbytes)
{
	for (uint32_t at = 0; at < nbytes; at += 16)
		IP_TRY(mon_read(v, linear + at, to + at, plx_min32(nbytes - at, 16), MON_ACC_READ));
	return MON_OK;
}

static enum mon_status copy_out(struct mon_vcpu *v, uint32_t linear, const uint8_t *from, uint32_t nbytes)
{
	for (uint32_t at = 0; at < nbytes; at += 16)
		IP_TRY(mon_write(v, linear + at, from + at, plx_min32(nbytes - at, 16), MON_ACC_WRITE));
	return MON_OK;
}

/* ---- errors the PC's old way: CR0.NE is 0 ---- */

#define FSW_ES		0x0080u
#define FSW_ES_B	0x8080u		/* B follows ES */
#define FPU_EXCEPTIONS	0x003fu		/* flags in FSW, masks in FCW */

static uint16_t image_word(const struct mon_vcpu *v, unsigned int at)
{
	return (uint16_t)(v->fpu_area[at] | v->fpu_area[at + 1] << 8);
}

static void set_image_word(struct mon_vcpu *v, unsigned int at, unsigned int value)
{
	v->fpu_area[at] = (uint8_t)value;
	v->fpu_area[at + 1] = (uint8_t)(value >> 8);
}

static uint16_t x87_status(const struct mon_vcpu *v)
{
	uint16_t fsw;

	if (!v->fpu_live)
		return image_word(v, 2);
	__asm__ volatile("fnstsw %0" : "=a" (fsw));
	return fsw;
}

static bool drive_ferr(struct mon_vcpu *v, bool level)
{
	const struct mon_io_ops *io = v->vm->io;

	v->mode_dirty |= v->ferr != level;
	v->ferr = level;
	return io->ferr ? io->ferr(v->vm->machine, level) : true;
}

/* FLDENV, FRSTOR and FLDCW bring a control word of their own. */
static bool loads_control_word(const struct prescan_insn *in)
{
	return ip_is_mem(in) && ((in->opcode == 0xd9 && (in->reg == 4 || in->reg == 5)) || (in->opcode == 0xdd && in->reg == 4));
}

/* IGNNE# is asserted: the instruction runs as if nothing were pending. Errors of its own get the masked response, and pend. */
static enum mon_status run_ignoring(struct mon_vcpu *v, const struct prescan_insn *in, void *mem)
{
	enum mon_status status;
	uint16_t fcw, fsw;

	mon_fpu_save(v);
	fcw = image_word(v, 0);
	fsw = image_word(v, 2);
	set_image_word(v, 0, fcw | FPU_EXCEPTIONS);
	set_image_word(v, 2, fsw & ~FSW_ES_B);
	status = mon_native_insn(v, in, NULL, mem);
	mon_fpu_save(v);
	if (status != MON_OK || !loads_control_word(in))
		set_image_word(v, 0, (image_word(v, 0) & ~FPU_EXCEPTIONS) | (fcw & FPU_EXCEPTIONS));
	fcw = image_word(v, 0);
	fsw = image_word(v, 2) & (uint16_t)~FSW_ES_B;
	set_image_word(v, 2, fsw | (fsw & ~fcw & FPU_EXCEPTIONS ? FSW_ES_B : 0));
	return status;
}

/*
 * SDM 1, "MS-DOS Compatibility Sub-mode": an unmasked error is pending, and @in would wait for it. The processor asserts
 * FERR#, from which the board makes IRQ 13, and freezes before @in until an interrupt comes: MON_HALT with EIP where it is. Once
 * the handler has written port F0h the board asserts IGNNE#, and x87 instructions run again, error or not.
 */
static enum mon_status run_with_error_pending(struct mon_vcpu *v, const struct prescan_insn *in, void *mem)
{
	return drive_ferr(v, true) ? run_ignoring(v, in, mem) : MON_HALT;
}

static enum mon_status run(struct mon_vcpu *v, const struct prescan_insn *in, void *mem)
{
	enum mon_status status = mon_native_insn(v, in, NULL, mem);

	if (status == MON_FAULT && v->fault.vector == X86_VEC_MF && !(v->cr0 & X86_CR0_NE))
		status = run_with_error_pending(v, in, mem);
	if (PLX_UNLIKELY(v->ferr) && !(x87_status(v) & FSW_ES))
		drive_ferr(v, false);
	/* An unmasked SIMD exception is #XM only for a system that said it knows #XM. */
	if (status == MON_FAULT && v->fault.vector == X86_VEC_XM && !(v->cr4 & X86_CR4_OSXMMEXCPT))
		return ip_ud(v);
	return status;
}

/* A place for the copy, with the alignment of @linear. */
static uint8_t *operand_of(struct mon_vcpu *v, uint32_t linear)
{
	return ((struct mon_native *)v->native_page)->operand + (linear & 15);
}

/* FNSTENV, FNSTCW, FNSAVE, FNSTSW, FXSAVE and FXRSTOR run whatever error is pending. */
static bool waits_for_errors(const struct prescan_insn *in)
{
	if (in->map != PRESCAN_MAP_1B)
		return in->flags & PRESCAN_F_MMX;
	return !((in->opcode == 0xd9 || in->opcode == 0xdd) && in->reg >= 6);
}

static enum mon_status check(struct mon_vcpu *v, const struct prescan_insn *in, uint32_t nbytes, unsigned int access,
			     uint32_t *linear)
{
	unsigned int align = nbytes;			/* SDM 3A, "Alignment Requirements by Data Type" */

	if (nbytes == 10)
		align = 8;
	else if (nbytes > 16 || nbytes == 14)
		align = in->flags & PRESCAN_F_X87 ? in->opsize : 1;
	else if (nbytes == 16 && !(interp_simd_operand(in) & SIMD_ANY))
		align = 1;				/* the instruction's own #GP */
	/* An error that pends comes before whatever is wrong with the operand. */
	if (v->cr0 & X86_CR0_NE && waits_for_errors(in) && x87_status(v) & FSW_ES)
		return mon_fault(v, X86_VEC_MF);
	IP_TRY(mon_seg_check(v, in->seg, ip_offset(v, in), nbytes, access, linear));
	if (ip_misaligned(v, *linear, align))
		return mon_fault_error(v, X86_VEC_AC, 0);
	return probe_all(v, *linear, nbytes, access);
}

static enum mon_status run_load(struct mon_vcpu *v, const struct prescan_insn *in, uint32_t nbytes)
{
	uint8_t *operand;
	uint32_t linear;

	IP_TRY(check(v, in, nbytes, MON_ACC_READ, &linear));
	operand = operand_of(v, linear);
	IP_TRY(copy_in(v, linear, operand, nbytes));
	IP_TRY(run(v, in, operand));
	return ip_done(v, in);
}

static enum mon_status run_store(struct mon_vcpu *v, const struct prescan_insn *in, uint32_t nbytes)
{
	uint8_t *operand;
	uint32_t linear;

	IP_TRY(check(v, in, nbytes, MON_ACC_WRITE, &linear));
	operand = operand_of(v, linear);
	IP_TRY(run(v, in, operand));
	IP_TRY(copy_out(v, linear, operand, nbytes));
	return ip_done(v, in);
}

/* ---- x87 ---- */

/* Memory operand of D8-DF by ModRM.reg: bytes, X87_STORE if written. ENV and ALL depend on the operand size. */
#define X87_STORE	0x80
#define X87_ENV		0x40
#define X87_ALL		0x20
static const uint8_t x87_operand[8][8] = {
	/* D8 */ { 4, 4, 4, 4, 4, 4, 4, 4 },
	/* D9: FLD, -, FST, FSTP, FLDENV, FLDCW, FNSTENV, FNSTCW */
	{ 4, 0, 4 | X87_STORE, 4 | X87_STORE, X87_ENV, 2, X87_ENV | X87_STORE, 2 | X87_STORE },
	/* DA */ { 4, 4, 4, 4, 4, 4, 4, 4 },
	/* DB: FILD, FISTTP, FIST, FISTP, -, FLD m80, -, FSTP m80 */
	{ 4, 4 | X87_STORE, 4 | X87_STORE, 4 | X87_STORE, 0, 10, 0, 10 | X87_STORE },
	/* DC */ { 8, 8, 8, 8, 8, 8, 8, 8 },
	/* DD: FLD, FISTTP, FST, FSTP, FRSTOR, -, FNSAVE, FNSTSW */
	{ 8, 8 | X87_STORE, 8 | X87_STORE, 8 | X87_STORE, X87_ALL, 0, X87_ALL | X87_STORE, 2 | X87_STORE },
	/* DE */ { 2, 2, 2, 2, 2, 2, 2, 2 },
	/* DF: FILD m16, FISTTP, FIST, FISTP, FBLD, FILD m64, FBSTP, FISTP m64 */
	{ 2, 2 | X87_STORE, 2 | X87_STORE, 2 | X87_STORE, 10, 8, 10 | X87_STORE, 8 | X87_STORE },
};

/*
 * A store of a number. With an unmasked invalid operation, overflow or underflow the processor writes nothing and keeps the
 * exception for the next x87 instruction; then nothing may be copied out. So the copy starts as a pattern, and if it is still
 * there and the exception summary is set, nothing was written.
 */
static enum mon_status x87_store_number(struct mon_vcpu *v, const struct prescan_insn *in, uint32_t nbytes)
{
	uint8_t *operand = operand_of(v, 0), pattern[16];
	uint32_t linear;

	for (unsigned int i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(0xd7 + i * 0x4d);
	memcpy(operand, pattern, sizeof(pattern));
	IP_TRY(check(v, in, nbytes, MON_ACC_WRITE, &linear));
	IP_TRY(run(v, in, operand));
	if (!(x87_status(v) & FSW_ES) || memcmp(operand, pattern, nbytes) != 0)
		IP_TRY(copy_out(v, linear, operand, nbytes));
	return ip_done(v, in);
}

/* FNSTENV, FNSAVE. The pointers to the last instruction and operand would be ours, not the guest's: they read 0. */
static enum mon_status x87_store_state(struct mon_vcpu *v, const struct prescan_insn *in, uint32_t nbytes)
{
	uint32_t pointers = in->opsize == 4 ? 12 : 6, env = in->opsize == 4 ? 28 : 14;
	uint8_t *operand = operand_of(v, 0);
	uint32_t linear;

	IP_TRY(check(v, in, nbytes, MON_ACC_WRITE, &linear));
	IP_TRY(run(v, in, operand));
	memset(operand + pointers, 0, env - pointers);
	IP_TRY(copy_out(v, linear, operand, nbytes));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_x87)
{
	uint32_t nbytes;
	uint8_t kind;

	if (in->opcode == 0x9b) {			/* WAIT looks at TS only if MP says so */
		if ((v->cr0 & (X86_CR0_MP | X86_CR0_TS)) == (X86_CR0_MP | X86_CR0_TS))
			return mon_fault(v, X86_VEC_NM);
		IP_TRY(run(v, in, NULL));
		return ip_done(v, in);
	}
	IP_TRY(may_x87(v));
	if (!ip_is_mem(in)) {
		IP_TRY(run(v, in, NULL));
		return ip_done(v, in);
	}

	kind = x87_operand[in->opcode & 7][in->reg];
	nbytes = kind & 0x1f;
	if (kind & X87_ENV)
		nbytes = in->opsize == 4 ? 28 : 14;
	else if (kind & X87_ALL)
		nbytes = in->opsize == 4 ? 108 : 94;
	if (nbytes == 0)
		return ip_ud(v);
	if (!(kind & X87_STORE))
		return run_load(v, in, nbytes);
	if (kind & (X87_ENV | X87_ALL))
		return x87_store_state(v, in, nbytes);
	if (nbytes == 2 && (in->opcode == 0xd9 || in->opcode == 0xdd))	/* FNSTCW, FNSTSW: no number, no exception */
		return run_store(v, in, nbytes);
	return x87_store_number(v, in, nbytes);
}

/* ---- MMX, SSE ---- */

INTERP_HANDLER(interp_simd)
{
	bool sse = in->flags & PRESCAN_F_SSE;
	uint8_t kind;
	uint32_t nbytes;

	/* VMREAD and VMWRITE share 0F 78 and 79 with EXTRQ and INSERTQ. */
	if (in->klass != PRESCAN_FPU)
		return ip_ud(v);
	IP_TRY(may_simd(v, sse));
	if (!ip_is_mem(in)) {
		IP_TRY(run(v, in, NULL));
		return ip_done(v, in);
	}
	kind = interp_simd_operand(in);
	nbytes = kind & SIMD_BYTES;
	if (nbytes == 0)
		return ip_ud(v);
	return kind & SIMD_STORE ? run_store(v, in, nbytes) : run_load(v, in, nbytes);
}

/*
 * MASKMOVQ, MASKMOVDQU: single bytes of a register to seg:[EDI], chosen by a mask. Which ones shows when it runs
 * twice, over zeros and over ones: a byte that comes out the same both times was written.
 */
INTERP_HANDLER(interp_maskmov)
{
	uint32_t nbytes = in->prefixes & PRESCAN_PFX_OPSIZE ? 16 : 8, linear;
	uint32_t offset = ip_reg(v, X86_EDI, in->addrsize);
	uint8_t *zeros, *ones;

	IP_TRY(may_simd(v, in->flags & PRESCAN_F_SSE));
	IP_TRY(mon_seg_check(v, in->seg, offset, nbytes, MON_ACC_WRITE, &linear));
	if (ip_misaligned(v, linear, 8))
		return mon_fault_error(v, X86_VEC_AC, 0);
	IP_TRY(mon_probe(v, linear, nbytes, MON_ACC_WRITE));
	zeros = operand_of(v, 0);
	ones = zeros + 64;
	memset(zeros, 0, 16);
	memset(ones, 0xff, 16);
	IP_TRY(run(v, in, zeros));
	IP_TRY(run(v, in, ones));
	for (uint32_t i = 0; i < nbytes; i++)
		if (zeros[i] == ones[i])
			IP_TRY(mon_write(v, linear + i, &zeros[i], 1, MON_ACC_WRITE));
	return ip_done(v, in);
}

/* ---- 0F AE: FXSAVE and its neighbours ---- */

/* In 32-bit mode FXSAVE writes the header, ST0-7 and XMM0-7; what follows belongs to 64-bit mode or to software. */
#define FXSAVE_BYTES		512
#define FXSAVE_WRITTEN		288
#define FXSAVE_MXCSR		24
#define FXSAVE_MXCSR_MASK	28

static uint32_t mxcsr_mask(const struct mon_vcpu *v)
{
	uint32_t mask = v->vm && v->vm->features ? v->vm->features->fxsr_mask : 0;

	return mask ? mask : 0xffbf;			/* 0 means the Pentium III's: no DAZ (SDM 1, "MXCSR_MASK") */
}

static enum mon_status fxsave(struct mon_vcpu *v, const struct prescan_insn *in)
{
	uint8_t *operand = operand_of(v, 0);
	uint32_t linear, mask = mxcsr_mask(v);

	IP_TRY(check(v, in, FXSAVE_BYTES, MON_ACC_WRITE, &linear));
	if (linear & 15)
		return ip_gp0(v);
	IP_TRY(run(v, in, operand));
	memset(operand + 6, 0, 2);			/* FOP */
	memset(operand + 8, 0, 16);			/* FIP, FDP: ours */
	memcpy(operand + FXSAVE_MXCSR_MASK, &mask, 4);
	IP_TRY(copy_out(v, linear, operand, FXSAVE_WRITTEN));
	return ip_done(v, in);
}

/* FXRSTOR and LDMXCSR: a reserved bit of MXCSR is #GP(0), and ours to find, for it would be the host's fault otherwise. */
static enum mon_status load_mxcsr(struct mon_vcpu *v, const struct prescan_insn *in, uint32_t nbytes, uint32_t at)
{
	uint8_t *operand = operand_of(v, 0);
	uint32_t linear, mxcsr;

	IP_TRY(check(v, in, nbytes, MON_ACC_READ, &linear));
	if (nbytes == FXSAVE_BYTES && (linear & 15))
		return ip_gp0(v);
	IP_TRY(copy_in(v, linear, operand, nbytes));
	memcpy(&mxcsr, operand + at, 4);
	if (mxcsr & ~mxcsr_mask(v))
		return ip_gp0(v);
	IP_TRY(run(v, in, operand));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_group15)
{
	uint32_t linear;

	if (!ip_is_mem(in)) {
		/* LFENCE MFENCE SFENCE: the interpreter is in order. RDFSBASE and friends are 64-bit only. */
		if (in->reg >= 5 && ip_simd_prefix(in) == 0)
			return ip_done(v, in);
		return ip_ud(v);
	}
	/* CLFLUSH, CLFLUSHOPT, CLWB: checked as a read of a byte. */
	if ((in->reg == 7 && ip_simd_prefix(in) < 2) ||
	    (in->reg == 6 && ip_simd_prefix(in) == 1 && IP_HAS(v, leaf7_ebx, 24))) {
		IP_TRY(mon_seg_check(v, in->seg, ip_offset(v, in), 1, MON_ACC_READ, &linear));
		IP_TRY(mon_probe(v, linear, 1, MON_ACC_READ));
		return ip_done(v, in);
	}
	if (ip_simd_prefix(in) != 0)
		return ip_ud(v);			/* others, not offered */
	switch (in->reg) {
	case 0:
	case 1:
		if (!IP_HAS(v, leaf1_edx, 24))
			return ip_ud(v);
		IP_TRY(may_x87(v));
		return in->reg ? load_mxcsr(v, in, FXSAVE_BYTES, FXSAVE_MXCSR) : fxsave(v, in);
	case 2:
		IP_TRY(may_simd(v, true));
		return load_mxcsr(v, in, 4, 0);
	case 3:
		IP_TRY(may_simd(v, true));
		return run_store(v, in, 4);
	default:					/* XSAVE and its kin need CR4.OSXSAVE, which is not offered */
		return ip_ud(v);
	}
}

/* AVX: not offered (no XSAVE), so CR4.OSXSAVE is never set, and without it every VEX vector instruction is #UD. */
INTERP_HANDLER(interp_vex)
{
	(void)in;
	return ip_ud(v);
}
