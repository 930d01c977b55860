/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/prescan.h - what the rest of the house may ask of the decoder.
 *
 *      guest code --> [prescan] --> code cache --> nexus --> guest runs
 *                        ^ here                      |
 *                     monitor <-------- exits -------+
 *
 * Asked by:  prescan/rewrite*.c, monitor/interp*.c, user/ (reports), tests.
 * Built:     twice, freestanding and hosted.
 * Read next: prescan/opcode_table.c, then prescan/decode.c.
 */
#ifndef PRESCAN_PRESCAN_H
#define PRESCAN_PRESCAN_H

#include "plexus/base.h"

#define PRESCAN_INSN_MAX 15	/* bytes; a longer instruction is #GP(0) (SDM 2A, "Instruction Prefixes") */

enum prescan_status {
	PRESCAN_OK = 0,
	PRESCAN_NEED_MORE,	/* the instruction runs past the bytes given */
	PRESCAN_UNDEFINED,	/* the processor would raise #UD; @insn->length bytes were looked at */
	PRESCAN_TOO_LONG,	/* more than 15 bytes: #GP(0) */
};

enum prescan_mode {
	PRESCAN_MODE_16 = 0,	/* CS.D = 0 (real mode, V86, 16-bit protected mode) */
	PRESCAN_MODE_32 = 1,	/* CS.D = 1 */
};

/* What must be done with an instruction before it may run in ring 3. */
enum prescan_class {
	PRESCAN_REFUSE = 0,	/* zero on purpose: a row nobody wrote is refused */
	PRESCAN_PLAIN,		/* same effect at ring 3: copied as is */
	PRESCAN_FPU,		/* x87/MMX/SSE/AVX: plain while CR0.TS/EM, CR4 allow it; #NM/#UD otherwise */
	PRESCAN_BRANCH,		/* near control flow: JMP/Jcc/CALL/RET/LOOP/JECXZ: relinked */
	PRESCAN_FAR,		/* far CALL/JMP/RET, INT n, INT3, INTO, IRET, SYSENTER, SYSEXIT, SYSCALL, SYSRET */
	PRESCAN_SEG_LOAD,	/* MOV Sreg,r/m; POP Sreg; LDS/LES/LSS/LFS/LGS */
	PRESCAN_SEG_STORE,	/* MOV r/m,Sreg; PUSH Sreg: would show our selector */
	PRESCAN_FLAGS,		/* PUSHF, POPF, CLI, STI: lie about IF/IOPL in silence */
	PRESCAN_TABLE,		/* SGDT SIDT SLDT STR SMSW LAR LSL VERR VERW ARPL: unprivileged, sensitive */
	PRESCAN_SYSTEM,		/* privileged, trapping: LGDT LIDT LLDT LTR LMSW MOV CR/DR CLTS HLT INVLPG INVD
				 * WBINVD RDMSR WRMSR RDPMC XSETBV MONITOR MWAIT ... */
	PRESCAN_ID,		/* CPUID, RDTSC, RDTSCP, XGETBV, RDRAND-like: the guest sees virtual values */
	PRESCAN_PORT,		/* IN, OUT */
	PRESCAN_STRING_PORT,	/* INS, OUTS with or without REP */
	PRESCAN_UD,		/* defined to raise #UD: UD0 UD1 UD2 */
	PRESCAN_NR_CLASSES
};

enum prescan_map {		/* which opcode map @opcode indexes */
	PRESCAN_MAP_1B = 0,	/* one byte */
	PRESCAN_MAP_0F,
	PRESCAN_MAP_0F38,
	PRESCAN_MAP_0F3A,
	PRESCAN_MAP_VEX_0F,
	PRESCAN_MAP_VEX_0F38,
	PRESCAN_MAP_VEX_0F3A,
	PRESCAN_MAP_3DNOW,	/* 0F 0F: @opcode is the trailing byte */
	PRESCAN_NR_MAPS
};

/* @prefixes */
#define PRESCAN_PFX_OPSIZE	0x01	/* 66h seen */
#define PRESCAN_PFX_ADDRSIZE	0x02	/* 67h seen */
#define PRESCAN_PFX_LOCK	0x04
#define PRESCAN_PFX_REP		0x08	/* F3h is the last of F2h/F3h */
#define PRESCAN_PFX_REPNE	0x10	/* F2h is the last of F2h/F3h */
#define PRESCAN_PFX_SEG		0x20	/* some segment override seen; @seg says which one wins */
#define PRESCAN_PFX_VEX		0x40

/* @flags: facts about the instruction that its users dispatch on */
#define PRESCAN_F_MODRM		0x0001	/* has a ModRM byte */
#define PRESCAN_F_MEM		0x0002	/* has an explicit memory operand (ModRM mod != 3, or moffs A0-A3) */
#define PRESCAN_F_MEM_READ	0x0004	/* ... which is read */
#define PRESCAN_F_MEM_WRITE	0x0008	/* ... which is written */
#define PRESCAN_F_STRING	0x0010	/* MOVS STOS LODS SCAS CMPS INS OUTS (and so may repeat) */
#define PRESCAN_F_STACK		0x0020	/* implicitly pushes or pops */
#define PRESCAN_F_END		0x0040	/* ends a basic block: no fall-through, or control flow of any kind */
#define PRESCAN_F_MOFFS		0x0080	/* A0-A3: @disp is the address, @disp_size bytes */
/* The next four say which bits may forbid an FPU-class instruction: X87 (#NM: CR0.EM, TS; WAIT: MP and TS; FXSAVE and
 * FXRSTOR count here), MMX (#UD: EM; #NM: TS), SSE (#UD: EM, not CR4.OSFXSR; #NM: TS), AVX (#UD: not CR4.OSXSAVE; #NM: TS;
 * the XSAVE family counts here, but asks nothing of XCR0). CVTPI2PS and its like have both MMX and SSE. */
#define PRESCAN_F_X87		0x0100
#define PRESCAN_F_MMX		0x0200
#define PRESCAN_F_SSE		0x0400	/* any legacy-encoded XMM instruction */
#define PRESCAN_F_AVX		0x0800
#define PRESCAN_F_AGEN		0x1000	/* LEA, INVLPG, NOP r/m, prefetch: address formed, memory not accessed */
#define PRESCAN_F_LOCKABLE	0x2000	/* LOCK is legal with a memory destination */
#define PRESCAN_F_VSIB		0x4000	/* AVX2 gathers: @index is an XMM or YMM register, not a general one */

#define PRESCAN_NO_REG		0xff

/*
 * One decoded instruction. Offsets are from the first prefix byte.
 * @disp is sign-extended to 32 bits; so is @imm where the instruction sign-extends it.
 * For far pointers (9A, EA) @imm is the offset and @imm2 the selector; for ENTER
 * @imm is the size and @imm2 the level; EXTRQ/INSERTQ use both bytes.
 */
struct prescan_insn {
	uint8_t length;		/* bytes, 1..15 */
	uint8_t map;		/* enum prescan_map */
	uint8_t opcode;		/* last opcode byte */
	uint8_t prefixes;	/* PRESCAN_PFX_* */
	uint8_t seg;		/* effective segment of the memory operand, X86_ES..X86_GS, overrides applied;
				 * X86_SS by default for EBP/ESP/BP-based addresses, otherwise X86_DS */
	uint8_t opsize;		/* effective operand size in bytes, 2 or 4 (byte instructions also say 2 or 4) */
	uint8_t addrsize;	/* effective address size in bytes, 2 or 4 */
	uint8_t klass;		/* enum prescan_class */

	uint8_t modrm;		/* the byte; valid with PRESCAN_F_MODRM */
	uint8_t mod, reg, rm;	/* its fields */
	uint8_t base, index;	/* 32-bit registers of the address, PRESCAN_NO_REG if none. 16-bit forms are
				 * given the same way: [BX+SI] is base EBX, index ESI, addrsize 2 */
	uint8_t scale;		/* 0..3, shift */
	uint8_t disp_size;	/* 0, 1, 2, 4 */

	uint8_t imm_size;	/* bytes of @imm: 0, 1, 2, 4 */
	uint8_t imm2_size;	/* 0, 1, 2 */
	uint8_t opcode_off;	/* of the first opcode byte (0Fh for two-byte opcodes; the C4h/C5h byte for VEX) */
	uint8_t modrm_off;
	uint8_t disp_off;
	uint8_t imm_off;
	uint16_t flags;		/* PRESCAN_F_* */

	int32_t disp;
	uint32_t imm;
	uint16_t imm2;

	uint8_t vex_l, vex_w, vex_pp, vex_vvvv;	/* vvvv as a register number 0..7 (already inverted), unused reads 0 */

	uint16_t id;		/* row number, dense, 0..prescan_nr_rows()-1: statistics and names hang on it */
};

/**
 * prescan_decode - decode and classify one instruction.
 * @bytes:  a private copy of guest code, never live guest memory.
 * @nbytes: how many bytes may be read, 1..any; no more than 15 are looked at.
 * @mode:   the default operand and address size.
 * @insn:   written only on PRESCAN_OK (and @insn->length on PRESCAN_UNDEFINED).
 *
 * Pure: no globals written, no allocation, no locks. LOCK where it is not allowed is PRESCAN_UNDEFINED.
 * Bytes are judged as a processor with every extension up to AVX2 in 32-bit mode would (CPL, CR0 and
 * CPUID faults are the caller's affair). VEX in real mode and V86 mode is the caller's affair too.
 *
 * Return: enum prescan_status. See SDM 2A "Instruction Format", SDM 2D "Opcode Map".
 */
enum prescan_status prescan_decode(const uint8_t *bytes, size_t nbytes,
				   enum prescan_mode mode, struct prescan_insn *insn);

/* Mnemonic as the SDM writes it ("MOV r/m32,Sreg" -> "MOV"), class reason, class name. Never NULL. */
const char *prescan_mnemonic(const struct prescan_insn *insn);
const char *prescan_reason(const struct prescan_insn *insn);
const char *prescan_class_name(enum prescan_class klass);
unsigned int prescan_nr_rows(void);
const char *prescan_row_mnemonic(unsigned int id);

#endif
