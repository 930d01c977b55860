/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/opcode_table.h - the shape of a row, and how the rows are laid out.
 *
 *   rows 0..255           one-byte opcodes
 *   rows 256..2047        seven more maps of 256, in the order of enum prescan_map
 *   rows 2048..           groups: two, four or eight rows that a ModRM field, a
 *                         mandatory prefix or the operand size chooses between
 *
 * Each map is a file, opcode_table_*.h, of ROW and GROUP lines. It is read three
 * times: here, where GROUP hands out row numbers; in opcode_table.c, which keeps
 * what the decoder needs; and in names.c, which keeps the mnemonic and the reason.
 * A row nobody wrote is all zeroes, and so PRESCAN_REFUSE: undefined.
 *
 * Asked by:  prescan/opcode_table.c, decode.c, names.c. Nobody else.
 * Read next: prescan/opcode_table_1b.h.
 */
#ifndef PRESCAN_OPCODE_TABLE_H
#define PRESCAN_OPCODE_TABLE_H

#include "prescan/prescan.h"

/* What chooses the next row. The group's first row is @next. */
enum prescan_select {
	SEL_LEAF = 0,	/* nothing: this is the instruction */
	SEL_PREFIX,	/* a prefix byte: look at the next byte */
	SEL_MAP,	/* an escape byte: the next byte, in the map at @next */
	SEL_VEX,	/* C4, C5: VEX when the next byte says mod = 3, else LES, LDS */
	SEL_REG,	/* ModRM.reg: 8 rows */
	SEL_RM,		/* ModRM.rm: 8 rows */
	SEL_MOD,	/* memory form, register form: 2 rows */
	SEL_PFX,	/* mandatory prefix: none, 66, F3, F2: 4 rows */
	SEL_OPSIZE,	/* 16-bit, 32-bit operand: 2 rows */
	SEL_ADDRSIZE,	/* 16-bit, 32-bit address: 2 rows */
	SEL_VEX_L,	/* VEX.L = 0, 1: 2 rows */
	SEL_VEX_W,	/* VEX.W = 0, 1: 2 rows */
};

enum prescan_imm {
	IMM_NONE = 0,
	IMM_B,		/* byte */
	IMM_BS,		/* byte, sign-extended */
	IMM_W,		/* word */
	IMM_Z,		/* word or doubleword, by operand size */
	IMM_REL8,	/* branch displacements, sign-extended */
	IMM_RELZ,
	IMM_PTR,	/* far pointer: offset by operand size, then selector */
	IMM_ENTER,	/* word, byte */
	IMM_BB,		/* byte, byte: EXTRQ, INSERTQ */
	IMM_MOFFS,	/* no immediate but an address, by address size */
	IMM_3DNOW,	/* no immediate but the opcode, last of all */
};

/* Rules: the upper half of prescan_row.bits, above the PRESCAN_F_* half. */
#define P_NP	0x00010000u	/* the prefixes this row exists with; none of the four: with any */
#define P_66	0x00020000u
#define P_F3	0x00040000u
#define P_F2	0x00080000u
#define P_SHIFT	16
#define P_ANY	(P_NP | P_66 | P_F3 | P_F2)
#define MEM_ONLY 0x00100000u	/* mod = 3 is undefined */
#define REG_ONLY 0x00200000u	/* mod != 3 is undefined */
#define MOD_IGN	0x00400000u	/* mod is not looked at: a register whatever it says */
#define OP32	0x00800000u	/* operand size is 32 bits in every mode */
#define SEG_ES	0x01000000u	/* the implicit operand is ES:[EDI]; no override applies */
#define VL0	0x02000000u	/* VEX.L must be 0 */
#define VL1	0x04000000u	/* VEX.L must be 1 */
#define VW0	0x08000000u	/* VEX.W must be 0 */
#define VW1	0x10000000u	/* VEX.W must be 1 */
#define NOV	0x20000000u	/* VEX.vvvv must be 1111b: no operand is named there */
/* Rules that can refuse an encoding. */
#define RULES_CHECKED (P_ANY | MEM_ONLY | REG_ONLY | MOD_IGN | VSIB | VL0 | VL1 | VW0 | VW1 | NOV)

/* Instructions that decode_quick() takes: one immediate at most, and without a prefix no rule but MEM_ONLY that could refuse them. */
#define QUICK(klass, bits, imm) \
	((klass) != PRESCAN_REFUSE && (imm) <= IMM_RELZ && !((bits) & (RULES_CHECKED & ~(P_ANY | MEM_ONLY))) && \
	 (!((bits) & P_ANY) || ((bits) & P_NP)))

struct prescan_row {
	uint32_t bits;		/* PRESCAN_F_* and the rules above */
	uint16_t next;		/* first row of the group; 0 in a leaf */
	uint8_t sel;		/* enum prescan_select */
	uint8_t klass;		/* enum prescan_class */
	uint8_t imm;		/* enum prescan_imm */
	uint8_t quick;		/* decode.c's short way knows it */
};

/* Words the tables are written in. M_* is "has a ModRM byte whose memory form ..." */
#define MODRM	PRESCAN_F_MODRM
#define M_R	(PRESCAN_F_MODRM | PRESCAN_F_MEM | PRESCAN_F_MEM_READ)
#define M_W	(PRESCAN_F_MODRM | PRESCAN_F_MEM | PRESCAN_F_MEM_WRITE)
#define M_RW	(M_R | M_W)
#define M_A	(PRESCAN_F_MODRM | PRESCAN_F_MEM | PRESCAN_F_AGEN)
#define REG	(PRESCAN_F_MODRM | REG_ONLY)
#define LOCK	PRESCAN_F_LOCKABLE
#define STACK	PRESCAN_F_STACK
#define STRING	PRESCAN_F_STRING
#define END	PRESCAN_F_END
#define X87	PRESCAN_F_X87
#define MMX	PRESCAN_F_MMX
#define SSE	PRESCAN_F_SSE
#define AVX	PRESCAN_F_AVX
#define VSIB	PRESCAN_F_VSIB

/* Reasons that many rows share. */
#define DATA	"data only; segments and paging guard the address"
#define REGS	"registers and arithmetic flags only"
#define NOTHING	"no effect, or a hint: the address is not even checked"
#define ADDRESS	"registers only; the address is formed and not used"
#define ONSTACK	"data only; SS, its size and its limit are the guest's own"
#define STR_DATA "data only; DS (or the override) and ES are the guest's own"
#define TARGET	"its target is a guest address: the copy must go to a fragment"
#define PUSHES	"pushes its own address, which would be one in the code cache"
#define FARCS	"loads CS and may change the privilege level"
#define INTR	"goes through the guest's IDT, not the host's"
#define SHOWSEG	"would show our selector, and its RPL of 3"
#define LOADSEG	"loads a hidden part from the guest's descriptor table, not ours"
#define SHOWTAB	"would show the host's table, selector or CR0, and no fault"
#define PRIV	"#GP(0) unless CPL is 0, and the guest's CPL is not the real one"
#define VIRT	"another monitor's affair: CPUID shows neither VMX nor SVM"
#define HOSTID	"would show the host's processor or its clock"
#define IOPORT	"IOPL and the I/O bitmap are the guest's; so is the device"
#define FPU_X87	"data only, while CR0.EM and CR0.TS are clear"
#define FPU_MMX	"data only, while CR0.EM and CR0.TS are clear (EM: #UD)"
#define FPU_SSE	"data only, while CR0.EM, CR0.TS are clear, CR4.OSFXSR is set"
#define FPU_AVX	"data only, while CR0.TS is clear, CR4.OSXSAVE and XCR0 allow it"
#define NEVER	"defined to be undefined"

/* Composite lines: several rows that differ in one thing. ROW and GROUP get
 * their meaning from whoever includes the tables. */
#define OP(op)		(MAP + (op))		/* a place in the map at hand */
#define IN(tag, i)	(G_##tag + (i))		/* a place in a group */

#define ROW8(at, name, klass, bits, imm, why) \
	ROW((at) + 0, name, klass, bits, imm, why) ROW((at) + 1, name, klass, bits, imm, why) \
	ROW((at) + 2, name, klass, bits, imm, why) ROW((at) + 3, name, klass, bits, imm, why) \
	ROW((at) + 4, name, klass, bits, imm, why) ROW((at) + 5, name, klass, bits, imm, why) \
	ROW((at) + 6, name, klass, bits, imm, why) ROW((at) + 7, name, klass, bits, imm, why)

/* Two rows that differ in the name: 16-bit and 32-bit operand. */
#define BY_OPSIZE(at, tag, name16, name32, klass, bits, imm, why) \
	GROUP(at, tag, OPSIZE, 2) \
	ROW(IN(tag, 0), name16, klass, bits, imm, why) \
	ROW(IN(tag, 1), name32, klass, bits, imm, why)

/* The sixteen conditions, in encoding order. */
#define BY_CONDITION(at, stem, klass, bits, imm, why) \
	ROW((at) + 0, stem "O", klass, bits, imm, why) ROW((at) + 1, stem "NO", klass, bits, imm, why) \
	ROW((at) + 2, stem "B", klass, bits, imm, why) ROW((at) + 3, stem "AE", klass, bits, imm, why) \
	ROW((at) + 4, stem "E", klass, bits, imm, why) ROW((at) + 5, stem "NE", klass, bits, imm, why) \
	ROW((at) + 6, stem "BE", klass, bits, imm, why) ROW((at) + 7, stem "A", klass, bits, imm, why) \
	ROW((at) + 8, stem "S", klass, bits, imm, why) ROW((at) + 9, stem "NS", klass, bits, imm, why) \
	ROW((at) + 10, stem "P", klass, bits, imm, why) ROW((at) + 11, stem "NP", klass, bits, imm, why) \
	ROW((at) + 12, stem "L", klass, bits, imm, why) ROW((at) + 13, stem "GE", klass, bits, imm, why) \
	ROW((at) + 14, stem "LE", klass, bits, imm, why) ROW((at) + 15, stem "G", klass, bits, imm, why)

/* GROUP pastes its tag; this lets a computed tag expand before. */
#define GROUP_EXPANDED(at, tag, sel, n)	GROUP(at, tag, sel, n)

/* MMX without prefix, SSE with 66. */
#define MMX_SSE(op, name, bits, imm) \
	GROUP_EXPANDED(OP(op), MAPTAG(op), PFX, 4) \
	ROW(IN_MAP(op, 0), name, FPU, MMX | (bits), imm, FPU_MMX) \
	ROW(IN_MAP(op, 1), name, FPU, SSE | (bits), imm, FPU_SSE)
/* SSE only with 66. */
#define SSE_66(op, name, bits, imm) \
	ROW(OP(op), name, FPU, SSE | P_66 | (bits), imm, FPU_SSE)
/* Packed single (no prefix), packed double (66), scalar single (F3), scalar double (F2). */
#define PS_PD(op, stem, bits, imm) \
	GROUP_EXPANDED(OP(op), MAPTAG(op), PFX, 4) \
	ROW(IN_MAP(op, 0), stem "PS", FPU, SSE | (bits), imm, FPU_SSE) \
	ROW(IN_MAP(op, 1), stem "PD", FPU, SSE | (bits), imm, FPU_SSE)
#define PS_SS(op, stem, bits, imm) \
	GROUP_EXPANDED(OP(op), MAPTAG(op), PFX, 4) \
	ROW(IN_MAP(op, 0), stem "PS", FPU, SSE | (bits), imm, FPU_SSE) \
	ROW(IN_MAP(op, 2), stem "SS", FPU, SSE | (bits), imm, FPU_SSE)
#define PS_PD_SS_SD(op, stem, bits, imm) \
	PS_PD(op, stem, bits, imm) \
	ROW(IN_MAP(op, 2), stem "SS", FPU, SSE | (bits), imm, FPU_SSE) \
	ROW(IN_MAP(op, 3), stem "SD", FPU, SSE | (bits), imm, FPU_SSE)

/* The same for VEX; one prefix column, or as above. */
#define V(at, name, bits, imm)		ROW(at, name, FPU, AVX | (bits), imm, FPU_AVX)
#define V_66(op, name, bits, imm)	V(OP(op), name, P_66 | (bits), imm)
#define V_PS_PD(op, stem, bits, imm) \
	GROUP_EXPANDED(OP(op), MAPTAG(op), PFX, 4) \
	V(IN_MAP(op, 0), stem "PS", bits, imm) \
	V(IN_MAP(op, 1), stem "PD", bits, imm)
/* The packed forms of these have two operands and so no vvvv; or three, and one. */
#define V_PS_PD_SS_SD(op, stem, packed, bits, imm) \
	V_PS_PD(op, stem, packed, imm) \
	V(IN_MAP(op, 2), stem "SS", bits, imm) \
	V(IN_MAP(op, 3), stem "SD", bits, imm)
#define V_PS_SS(op, stem, packed, bits, imm) \
	GROUP_EXPANDED(OP(op), MAPTAG(op), PFX, 4) \
	V(IN_MAP(op, 0), stem "PS", packed, imm) \
	V(IN_MAP(op, 2), stem "SS", bits, imm)
/* 66, and W chooses the element. */
#define V_66_W(op, name0, name1, bits, imm) \
	GROUP_EXPANDED(OP(op), MAPTAG(op), VEX_W, 2) \
	V(IN_MAP(op, 0), name0, P_66 | (bits), imm) \
	V(IN_MAP(op, 1), name1, P_66 | (bits), imm)

enum prescan_rows_layout {
	ROWS_1B		= 256 * PRESCAN_MAP_1B,
	ROWS_0F		= 256 * PRESCAN_MAP_0F,
	ROWS_0F38	= 256 * PRESCAN_MAP_0F38,
	ROWS_0F3A	= 256 * PRESCAN_MAP_0F3A,
	ROWS_VEX_0F	= 256 * PRESCAN_MAP_VEX_0F,
	ROWS_VEX_0F38	= 256 * PRESCAN_MAP_VEX_0F38,
	ROWS_VEX_0F3A	= 256 * PRESCAN_MAP_VEX_0F3A,
	ROWS_3DNOW	= 256 * PRESCAN_MAP_3DNOW,
	ROWS_LAST_MAP	= 256 * PRESCAN_NR_MAPS - 1,
#define ROW(at, name, klass, bits, imm, why)
#define GROUP(at, tag, sel, n)	G_##tag, G_##tag##_LAST = G_##tag + (n) - 1,
#define PREFIX(at)
#define ESCAPE(at, map)
#include "prescan/opcode_table_all.h"
#undef ROW
#undef GROUP
#undef PREFIX
#undef ESCAPE
	PRESCAN_NR_ROWS
};

extern const struct prescan_row prescan_rows[PRESCAN_NR_ROWS];

#endif
