/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/opcode_table_1b.h - the one-byte opcodes (SDM 2D, "One-Byte Opcode Map").
 *
 * Read by opcode_table_all.h. D8-DF are in opcode_table_x87.h.
 * The last column is the argument for the class; whoever changes a class
 * changes the argument with it.
 */

/* 00 - 3F, columns 0 to 5: the eight arithmetic operations */
#define ALU(op, name, lock, store) \
	ROW(OP((op) + 0), name, PLAIN, (store) | (lock),	NONE, DATA) \
	ROW(OP((op) + 1), name, PLAIN, (store) | (lock),	NONE, DATA) \
	ROW(OP((op) + 2), name, PLAIN, M_R,			NONE, DATA) \
	ROW(OP((op) + 3), name, PLAIN, M_R,			NONE, DATA) \
	ROW(OP((op) + 4), name, PLAIN, 0,			B,    REGS) \
	ROW(OP((op) + 5), name, PLAIN, 0,			Z,    REGS)
ALU(0x00, "ADD", LOCK, M_RW)
ALU(0x08, "OR",  LOCK, M_RW)
ALU(0x10, "ADC", LOCK, M_RW)
ALU(0x18, "SBB", LOCK, M_RW)
ALU(0x20, "AND", LOCK, M_RW)
ALU(0x28, "SUB", LOCK, M_RW)
ALU(0x30, "XOR", LOCK, M_RW)
ALU(0x38, "CMP", 0,    M_R)
#undef ALU

/* 00 - 3F, columns 6 and 7: segment registers, prefixes, decimal adjustment */
ROW(OP(0x06), "PUSH",	SEG_STORE,	STACK,		NONE, SHOWSEG)
ROW(OP(0x07), "POP",	SEG_LOAD,	STACK,		NONE, LOADSEG)
ROW(OP(0x0e), "PUSH",	SEG_STORE,	STACK,		NONE, SHOWSEG)
ESCAPE(OP(0x0f), ROWS_0F)
ROW(OP(0x16), "PUSH",	SEG_STORE,	STACK,		NONE, SHOWSEG)
ROW(OP(0x17), "POP",	SEG_LOAD,	STACK,		NONE, LOADSEG)
ROW(OP(0x1e), "PUSH",	SEG_STORE,	STACK,		NONE, SHOWSEG)
ROW(OP(0x1f), "POP",	SEG_LOAD,	STACK,		NONE, LOADSEG)
PREFIX(OP(0x26))	/* ES */
ROW(OP(0x27), "DAA",	PLAIN,		0,		NONE, REGS)
PREFIX(OP(0x2e))	/* CS */
ROW(OP(0x2f), "DAS",	PLAIN,		0,		NONE, REGS)
PREFIX(OP(0x36))	/* SS */
ROW(OP(0x37), "AAA",	PLAIN,		0,		NONE, REGS)
PREFIX(OP(0x3e))	/* DS */
ROW(OP(0x3f), "AAS",	PLAIN,		0,		NONE, REGS)

/* 40 - 5F */
ROW8(OP(0x40), "INC",	PLAIN,		0,		NONE, REGS)
ROW8(OP(0x48), "DEC",	PLAIN,		0,		NONE, REGS)
ROW8(OP(0x50), "PUSH",	PLAIN,		STACK,		NONE, ONSTACK)
ROW8(OP(0x58), "POP",	PLAIN,		STACK,		NONE, ONSTACK)

/* 60 - 67 */
BY_OPSIZE(OP(0x60), pusha, "PUSHA", "PUSHAD", PLAIN, STACK, NONE, ONSTACK)
BY_OPSIZE(OP(0x61), popa, "POPA", "POPAD", PLAIN, STACK, NONE, ONSTACK)
ROW(OP(0x62), "BOUND",	PLAIN,		M_R | MEM_ONLY,	NONE, "data only; #BR comes to us as a fault. mod = 3 is EVEX, not offered")
ROW(OP(0x63), "ARPL",	TABLE,		M_RW,		NONE, "no secret, but undefined in real and V86 mode, which run as protected mode here")
PREFIX(OP(0x64))	/* FS */
PREFIX(OP(0x65))	/* GS */
PREFIX(OP(0x66))	/* operand size */
PREFIX(OP(0x67))	/* address size */

/* 68 - 6F */
ROW(OP(0x68), "PUSH",	PLAIN,		STACK,		Z,    ONSTACK)
ROW(OP(0x69), "IMUL",	PLAIN,		M_R,		Z,    DATA)
ROW(OP(0x6a), "PUSH",	PLAIN,		STACK,		BS,   ONSTACK)
ROW(OP(0x6b), "IMUL",	PLAIN,		M_R,		BS,   DATA)
ROW(OP(0x6c), "INSB",	STRING_PORT,	STRING | SEG_ES, NONE, IOPORT)
BY_OPSIZE(OP(0x6d), ins, "INSW", "INSD", STRING_PORT, STRING | SEG_ES, NONE, IOPORT)
ROW(OP(0x6e), "OUTSB",	STRING_PORT,	STRING,		NONE, IOPORT)
BY_OPSIZE(OP(0x6f), outs, "OUTSW", "OUTSD", STRING_PORT, STRING, NONE, IOPORT)

/* 70 - 7F */
BY_CONDITION(OP(0x70), "J", BRANCH, END, REL8, TARGET)

/* 80 - 83: group 1. 82 is 80 again, in every IA-32 processor. */
#define GROUP1(op, tag, imm) \
	GROUP(OP(op), tag, REG, 8) \
	ROW(IN(tag, 0), "ADD", PLAIN, M_RW | LOCK, imm, DATA) \
	ROW(IN(tag, 1), "OR",  PLAIN, M_RW | LOCK, imm, DATA) \
	ROW(IN(tag, 2), "ADC", PLAIN, M_RW | LOCK, imm, DATA) \
	ROW(IN(tag, 3), "SBB", PLAIN, M_RW | LOCK, imm, DATA) \
	ROW(IN(tag, 4), "AND", PLAIN, M_RW | LOCK, imm, DATA) \
	ROW(IN(tag, 5), "SUB", PLAIN, M_RW | LOCK, imm, DATA) \
	ROW(IN(tag, 6), "XOR", PLAIN, M_RW | LOCK, imm, DATA) \
	ROW(IN(tag, 7), "CMP", PLAIN, M_R,	   imm, DATA)
GROUP1(0x80, g1_80, B)
GROUP1(0x81, g1_81, Z)
GROUP1(0x82, g1_82, B)
GROUP1(0x83, g1_83, BS)
#undef GROUP1

/* 84 - 8F */
ROW(OP(0x84), "TEST",	PLAIN,		M_R,		NONE, DATA)
ROW(OP(0x85), "TEST",	PLAIN,		M_R,		NONE, DATA)
ROW(OP(0x86), "XCHG",	PLAIN,		M_RW | LOCK,	NONE, DATA)
ROW(OP(0x87), "XCHG",	PLAIN,		M_RW | LOCK,	NONE, DATA)
ROW(OP(0x88), "MOV",	PLAIN,		M_W,		NONE, DATA)
ROW(OP(0x89), "MOV",	PLAIN,		M_W,		NONE, DATA)
ROW(OP(0x8a), "MOV",	PLAIN,		M_R,		NONE, DATA)
ROW(OP(0x8b), "MOV",	PLAIN,		M_R,		NONE, DATA)
GROUP(OP(0x8c), mov_from_sreg, REG, 8)
ROW(IN(mov_from_sreg, 0), "MOV", SEG_STORE, M_W,	NONE, SHOWSEG)
ROW(IN(mov_from_sreg, 1), "MOV", SEG_STORE, M_W,	NONE, SHOWSEG)
ROW(IN(mov_from_sreg, 2), "MOV", SEG_STORE, M_W,	NONE, SHOWSEG)
ROW(IN(mov_from_sreg, 3), "MOV", SEG_STORE, M_W,	NONE, SHOWSEG)
ROW(IN(mov_from_sreg, 4), "MOV", SEG_STORE, M_W,	NONE, SHOWSEG)
ROW(IN(mov_from_sreg, 5), "MOV", SEG_STORE, M_W,	NONE, SHOWSEG)
ROW(OP(0x8d), "LEA",	PLAIN,		M_A | MEM_ONLY,	NONE, ADDRESS)
GROUP(OP(0x8e), mov_to_sreg, REG, 8)	/* CS, /1, cannot be loaded so */
ROW(IN(mov_to_sreg, 0), "MOV", SEG_LOAD, M_R,		NONE, LOADSEG)
ROW(IN(mov_to_sreg, 2), "MOV", SEG_LOAD, M_R,		NONE, LOADSEG)
ROW(IN(mov_to_sreg, 3), "MOV", SEG_LOAD, M_R,		NONE, LOADSEG)
ROW(IN(mov_to_sreg, 4), "MOV", SEG_LOAD, M_R,		NONE, LOADSEG)
ROW(IN(mov_to_sreg, 5), "MOV", SEG_LOAD, M_R,		NONE, LOADSEG)
GROUP(OP(0x8f), g1a, REG, 8)		/* the others are XOP, not offered */
ROW(IN(g1a, 0), "POP",	PLAIN,		M_W | STACK,	NONE, ONSTACK)

/* 90 - 97 */
GROUP(OP(0x90), nop, PFX, 4)
ROW(IN(nop, 0), "NOP",	PLAIN,		0,		NONE, NOTHING)
ROW(IN(nop, 1), "NOP",	PLAIN,		0,		NONE, NOTHING)
ROW(IN(nop, 2), "PAUSE", PLAIN,		0,		NONE, NOTHING)
ROW(IN(nop, 3), "NOP",	PLAIN,		0,		NONE, NOTHING)
ROW(OP(0x91), "XCHG",	PLAIN,		0,		NONE, REGS)
ROW(OP(0x92), "XCHG",	PLAIN,		0,		NONE, REGS)
ROW(OP(0x93), "XCHG",	PLAIN,		0,		NONE, REGS)
ROW(OP(0x94), "XCHG",	PLAIN,		0,		NONE, REGS)
ROW(OP(0x95), "XCHG",	PLAIN,		0,		NONE, REGS)
ROW(OP(0x96), "XCHG",	PLAIN,		0,		NONE, REGS)
ROW(OP(0x97), "XCHG",	PLAIN,		0,		NONE, REGS)

/* 98 - 9F */
BY_OPSIZE(OP(0x98), cbw, "CBW", "CWDE", PLAIN, 0, NONE, REGS)
BY_OPSIZE(OP(0x99), cwd, "CWD", "CDQ", PLAIN, 0, NONE, REGS)
ROW(OP(0x9a), "CALL",	FAR,		STACK | END,	PTR,  FARCS)
ROW(OP(0x9b), "WAIT",	FPU,		X87,		NONE, "waits for the x87; #NM when CR0.MP and CR0.TS are both set")
BY_OPSIZE(OP(0x9c), pushf, "PUSHF", "PUSHFD", FLAGS, STACK, NONE, "would show the host's IF and IOPL")
BY_OPSIZE(OP(0x9d), popf, "POPF", "POPFD", FLAGS, STACK, NONE, "CPL > IOPL: IF and IOPL kept as they are, and no fault")
ROW(OP(0x9e), "SAHF",	PLAIN,		0,		NONE, REGS)
ROW(OP(0x9f), "LAHF",	PLAIN,		0,		NONE, REGS)

/* A0 - A7 */
ROW(OP(0xa0), "MOV",	PLAIN,	PRESCAN_F_MEM | PRESCAN_F_MEM_READ | PRESCAN_F_MOFFS,	MOFFS, DATA)
ROW(OP(0xa1), "MOV",	PLAIN,	PRESCAN_F_MEM | PRESCAN_F_MEM_READ | PRESCAN_F_MOFFS,	MOFFS, DATA)
ROW(OP(0xa2), "MOV",	PLAIN,	PRESCAN_F_MEM | PRESCAN_F_MEM_WRITE | PRESCAN_F_MOFFS,	MOFFS, DATA)
ROW(OP(0xa3), "MOV",	PLAIN,	PRESCAN_F_MEM | PRESCAN_F_MEM_WRITE | PRESCAN_F_MOFFS,	MOFFS, DATA)
ROW(OP(0xa4), "MOVSB",	PLAIN,		STRING,		NONE, STR_DATA)
BY_OPSIZE(OP(0xa5), movs, "MOVSW", "MOVSD", PLAIN, STRING, NONE, STR_DATA)
ROW(OP(0xa6), "CMPSB",	PLAIN,		STRING,		NONE, STR_DATA)
BY_OPSIZE(OP(0xa7), cmps, "CMPSW", "CMPSD", PLAIN, STRING, NONE, STR_DATA)

/* A8 - AF */
ROW(OP(0xa8), "TEST",	PLAIN,		0,		B,    REGS)
ROW(OP(0xa9), "TEST",	PLAIN,		0,		Z,    REGS)
ROW(OP(0xaa), "STOSB",	PLAIN,		STRING | SEG_ES, NONE, STR_DATA)
BY_OPSIZE(OP(0xab), stos, "STOSW", "STOSD", PLAIN, STRING | SEG_ES, NONE, STR_DATA)
ROW(OP(0xac), "LODSB",	PLAIN,		STRING,		NONE, STR_DATA)
BY_OPSIZE(OP(0xad), lods, "LODSW", "LODSD", PLAIN, STRING, NONE, STR_DATA)
ROW(OP(0xae), "SCASB",	PLAIN,		STRING | SEG_ES, NONE, STR_DATA)
BY_OPSIZE(OP(0xaf), scas, "SCASW", "SCASD", PLAIN, STRING | SEG_ES, NONE, STR_DATA)

/* B0 - BF */
ROW8(OP(0xb0), "MOV",	PLAIN,		0,		B,    REGS)
ROW8(OP(0xb8), "MOV",	PLAIN,		0,		Z,    REGS)

/* C0, C1, D0 - D3: group 2. /6 is SHL again. */
#define GROUP2(op, tag, imm) \
	GROUP(OP(op), tag, REG, 8) \
	ROW(IN(tag, 0), "ROL", PLAIN, M_RW, imm, DATA) \
	ROW(IN(tag, 1), "ROR", PLAIN, M_RW, imm, DATA) \
	ROW(IN(tag, 2), "RCL", PLAIN, M_RW, imm, DATA) \
	ROW(IN(tag, 3), "RCR", PLAIN, M_RW, imm, DATA) \
	ROW(IN(tag, 4), "SHL", PLAIN, M_RW, imm, DATA) \
	ROW(IN(tag, 5), "SHR", PLAIN, M_RW, imm, DATA) \
	ROW(IN(tag, 6), "SHL", PLAIN, M_RW, imm, DATA) \
	ROW(IN(tag, 7), "SAR", PLAIN, M_RW, imm, DATA)
GROUP2(0xc0, g2_c0, B)
GROUP2(0xc1, g2_c1, B)
GROUP2(0xd0, g2_d0, NONE)
GROUP2(0xd1, g2_d1, NONE)
GROUP2(0xd2, g2_d2, NONE)
GROUP2(0xd3, g2_d3, NONE)
#undef GROUP2

/* C2 - C7 */
ROW(OP(0xc2), "RET",	BRANCH,		STACK | END,	W,    TARGET)
ROW(OP(0xc3), "RET",	BRANCH,		STACK | END,	NONE, TARGET)
GROUP(OP(0xc4), les, VEX, 1)
ROW(IN(les, 0), "LES",	SEG_LOAD,	M_R | MEM_ONLY,	NONE, LOADSEG)
GROUP(OP(0xc5), lds, VEX, 1)
ROW(IN(lds, 0), "LDS",	SEG_LOAD,	M_R | MEM_ONLY,	NONE, LOADSEG)
GROUP(OP(0xc6), g11_c6, REG, 8)		/* /7 with mod = 3 would be XABORT: TSX is not offered, */
ROW(IN(g11_c6, 0), "MOV", PLAIN,	M_W,		B,    DATA)
GROUP(OP(0xc7), g11_c7, REG, 8)		/* and XBEGIN would abort to an address in the cache */
ROW(IN(g11_c7, 0), "MOV", PLAIN,	M_W,		Z,    DATA)

/* C8 - CF */
ROW(OP(0xc8), "ENTER",	PLAIN,		STACK,		ENTER, ONSTACK)
ROW(OP(0xc9), "LEAVE",	PLAIN,		STACK,		NONE, ONSTACK)
ROW(OP(0xca), "RETF",	FAR,		STACK | END,	W,    FARCS)
ROW(OP(0xcb), "RETF",	FAR,		STACK | END,	NONE, FARCS)
ROW(OP(0xcc), "INT3",	FAR,		STACK | END,	NONE, INTR)
ROW(OP(0xcd), "INT",	FAR,		STACK | END,	B,    INTR)
ROW(OP(0xce), "INTO",	FAR,		STACK | END,	NONE, INTR)
BY_OPSIZE(OP(0xcf), iret, "IRET", "IRETD", FAR, STACK | END, NONE, FARCS)

/* D4 - D7 */
ROW(OP(0xd4), "AAM",	PLAIN,		0,		B,    "registers and arithmetic flags only; #DE comes to us as a fault")
ROW(OP(0xd5), "AAD",	PLAIN,		0,		B,    REGS)
ROW(OP(0xd6), "SALC",	PLAIN,		0,		NONE, REGS)
ROW(OP(0xd7), "XLAT",	PLAIN,		0,		NONE, DATA)

/* E0 - E7 */
ROW(OP(0xe0), "LOOPNE",	BRANCH,		END,		REL8, TARGET)
ROW(OP(0xe1), "LOOPE",	BRANCH,		END,		REL8, TARGET)
ROW(OP(0xe2), "LOOP",	BRANCH,		END,		REL8, TARGET)
GROUP(OP(0xe3), jcxz, ADDRSIZE, 2)
ROW(IN(jcxz, 0), "JCXZ", BRANCH,	END,		REL8, TARGET)
ROW(IN(jcxz, 1), "JECXZ", BRANCH,	END,		REL8, TARGET)
ROW(OP(0xe4), "IN",	PORT,		0,		B,    IOPORT)
ROW(OP(0xe5), "IN",	PORT,		0,		B,    IOPORT)
ROW(OP(0xe6), "OUT",	PORT,		0,		B,    IOPORT)
ROW(OP(0xe7), "OUT",	PORT,		0,		B,    IOPORT)

/* E8 - EF */
ROW(OP(0xe8), "CALL",	BRANCH,		STACK | END,	RELZ, PUSHES)
ROW(OP(0xe9), "JMP",	BRANCH,		END,		RELZ, TARGET)
ROW(OP(0xea), "JMP",	FAR,		END,		PTR,  FARCS)
ROW(OP(0xeb), "JMP",	BRANCH,		END,		REL8, TARGET)
ROW(OP(0xec), "IN",	PORT,		0,		NONE, IOPORT)
ROW(OP(0xed), "IN",	PORT,		0,		NONE, IOPORT)
ROW(OP(0xee), "OUT",	PORT,		0,		NONE, IOPORT)
ROW(OP(0xef), "OUT",	PORT,		0,		NONE, IOPORT)

/* F0 - F7 */
PREFIX(OP(0xf0))	/* LOCK */
ROW(OP(0xf1), "INT1",	FAR,		STACK | END,	NONE, INTR)
PREFIX(OP(0xf2))	/* REPNE */
PREFIX(OP(0xf3))	/* REP */
ROW(OP(0xf4), "HLT",	SYSTEM,		0,		NONE, PRIV)
ROW(OP(0xf5), "CMC",	PLAIN,		0,		NONE, REGS)
/* group 3; /1 is TEST again */
#define GROUP3(op, tag, imm_test) \
	GROUP(OP(op), tag, REG, 8) \
	ROW(IN(tag, 0), "TEST", PLAIN, M_R,	    imm_test, DATA) \
	ROW(IN(tag, 1), "TEST", PLAIN, M_R,	    imm_test, DATA) \
	ROW(IN(tag, 2), "NOT",  PLAIN, M_RW | LOCK, NONE, DATA) \
	ROW(IN(tag, 3), "NEG",  PLAIN, M_RW | LOCK, NONE, DATA) \
	ROW(IN(tag, 4), "MUL",  PLAIN, M_R,	    NONE, DATA) \
	ROW(IN(tag, 5), "IMUL", PLAIN, M_R,	    NONE, DATA) \
	ROW(IN(tag, 6), "DIV",  PLAIN, M_R,	    NONE, "data only; #DE comes to us as a fault") \
	ROW(IN(tag, 7), "IDIV", PLAIN, M_R,	    NONE, "data only; #DE comes to us as a fault")
GROUP3(0xf6, g3_f6, B)
GROUP3(0xf7, g3_f7, Z)
#undef GROUP3

/* F8 - FF */
ROW(OP(0xf8), "CLC",	PLAIN,		0,		NONE, REGS)
ROW(OP(0xf9), "STC",	PLAIN,		0,		NONE, REGS)
ROW(OP(0xfa), "CLI",	FLAGS,		0,		NONE, "the guest's IF, not the host's; IOPL or VME decide")
ROW(OP(0xfb), "STI",	FLAGS,		0,		NONE, "the guest's IF, not the host's; opens its interrupt shadow")
ROW(OP(0xfc), "CLD",	PLAIN,		0,		NONE, REGS)
ROW(OP(0xfd), "STD",	PLAIN,		0,		NONE, REGS)
GROUP(OP(0xfe), g4, REG, 8)
ROW(IN(g4, 0), "INC",	PLAIN,		M_RW | LOCK,	NONE, DATA)
ROW(IN(g4, 1), "DEC",	PLAIN,		M_RW | LOCK,	NONE, DATA)
GROUP(OP(0xff), g5, REG, 8)
ROW(IN(g5, 0), "INC",	PLAIN,		M_RW | LOCK,	NONE, DATA)
ROW(IN(g5, 1), "DEC",	PLAIN,		M_RW | LOCK,	NONE, DATA)
ROW(IN(g5, 2), "CALL",	BRANCH,		M_R | STACK | END, NONE, PUSHES)
ROW(IN(g5, 3), "CALL",	FAR,		M_R | STACK | END | MEM_ONLY, NONE, FARCS)
ROW(IN(g5, 4), "JMP",	BRANCH,		M_R | END,	NONE, TARGET)
ROW(IN(g5, 5), "JMP",	FAR,		M_R | END | MEM_ONLY, NONE, FARCS)
ROW(IN(g5, 6), "PUSH",	PLAIN,		M_R | STACK,	NONE, ONSTACK)
