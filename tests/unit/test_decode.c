/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_decode.c - the decoder's promises, one claim a test.
 *
 * What Capstone can judge is in test_decode_capstone.c; here is what it cannot:
 * classes, verdicts on cut-off bytes, prefixes, and encodings it gets wrong.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "plexus/x86.h"
#include "prescan/prescan.h"

/* Decode the bytes given and return the verdict. */
#define TRY(mode, insn, ...) \
	prescan_decode((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), mode, insn)
/* Decode bytes that must be one whole instruction. */
#define DECODE(mode, insn, ...) do { \
	assert_int_equal(TRY(mode, insn, __VA_ARGS__), PRESCAN_OK); \
	assert_int_equal((insn)->length, sizeof((const uint8_t[]){ __VA_ARGS__ })); \
} while (0)
#define M16 PRESCAN_MODE_16
#define M32 PRESCAN_MODE_32

/* Robin and Irvine, "Analysis of the Intel Pentium's Ability to Support a Secure
 * Virtual Machine Monitor" (2000), table of sensitive, unprivileged instructions. */
static void no_sensitive_unprivileged_instruction_is_plain(void **state)
{
	static const struct {
		uint8_t bytes[8];
		enum prescan_class klass;
	} sensitive[] = {
		{ { 0x0f, 0x01, 0x00 }, PRESCAN_TABLE },	/* SGDT */
		{ { 0x0f, 0x01, 0x08 }, PRESCAN_TABLE },	/* SIDT */
		{ { 0x0f, 0x00, 0xc0 }, PRESCAN_TABLE },	/* SLDT */
		{ { 0x0f, 0x01, 0xe0 }, PRESCAN_TABLE },	/* SMSW reg */
		{ { 0x0f, 0x01, 0x20 }, PRESCAN_TABLE },	/* SMSW mem */
		{ { 0x9c }, PRESCAN_FLAGS },			/* PUSHF */
		{ { 0x9d }, PRESCAN_FLAGS },			/* POPF */
		{ { 0x0f, 0x02, 0xc0 }, PRESCAN_TABLE },	/* LAR */
		{ { 0x0f, 0x03, 0xc0 }, PRESCAN_TABLE },	/* LSL */
		{ { 0x0f, 0x00, 0xe0 }, PRESCAN_TABLE },	/* VERR */
		{ { 0x0f, 0x00, 0xe8 }, PRESCAN_TABLE },	/* VERW */
		{ { 0x07 }, PRESCAN_SEG_LOAD },			/* POP ES, SS, DS, FS, GS */
		{ { 0x17 }, PRESCAN_SEG_LOAD },
		{ { 0x1f }, PRESCAN_SEG_LOAD },
		{ { 0x0f, 0xa1 }, PRESCAN_SEG_LOAD },
		{ { 0x0f, 0xa9 }, PRESCAN_SEG_LOAD },
		{ { 0x06 }, PRESCAN_SEG_STORE },		/* PUSH ES, CS, SS, DS, FS, GS */
		{ { 0x0e }, PRESCAN_SEG_STORE },
		{ { 0x16 }, PRESCAN_SEG_STORE },
		{ { 0x1e }, PRESCAN_SEG_STORE },
		{ { 0x0f, 0xa0 }, PRESCAN_SEG_STORE },
		{ { 0x0f, 0xa8 }, PRESCAN_SEG_STORE },
		{ { 0x9a }, PRESCAN_FAR },			/* CALL, JMP far */
		{ { 0xff, 0x18 }, PRESCAN_FAR },
		{ { 0xea }, PRESCAN_FAR },
		{ { 0xff, 0x28 }, PRESCAN_FAR },
		{ { 0xcd, 0x80 }, PRESCAN_FAR },		/* INT n, INT3, INTO, INT1 */
		{ { 0xcc }, PRESCAN_FAR },
		{ { 0xce }, PRESCAN_FAR },
		{ { 0xf1 }, PRESCAN_FAR },
		{ { 0xca }, PRESCAN_FAR },			/* RET far, IRET */
		{ { 0xcb }, PRESCAN_FAR },
		{ { 0xcf }, PRESCAN_FAR },
		{ { 0x0f, 0x00, 0xc8 }, PRESCAN_TABLE },	/* STR */
		{ { 0x8c, 0xd8 }, PRESCAN_SEG_STORE },		/* MOV from, to Sreg */
		{ { 0x8c, 0x00 }, PRESCAN_SEG_STORE },
		{ { 0x8e, 0xd8 }, PRESCAN_SEG_LOAD },
		{ { 0x8e, 0x00 }, PRESCAN_SEG_LOAD },
		/* not in their table, for they had no such silicon, or it is a load of two */
		{ { 0xc4, 0x00 }, PRESCAN_SEG_LOAD },		/* LES, LDS, LSS, LFS, LGS */
		{ { 0xc5, 0x00 }, PRESCAN_SEG_LOAD },
		{ { 0x0f, 0xb2, 0x00 }, PRESCAN_SEG_LOAD },
		{ { 0x0f, 0xb4, 0x00 }, PRESCAN_SEG_LOAD },
		{ { 0x0f, 0xb5, 0x00 }, PRESCAN_SEG_LOAD },
		{ { 0x63, 0xc0 }, PRESCAN_TABLE },		/* ARPL */
		{ { 0xfa }, PRESCAN_FLAGS },			/* CLI, STI: silent with VME, PVI or IOPL 3 */
		{ { 0xfb }, PRESCAN_FLAGS },
		{ { 0x0f, 0x31 }, PRESCAN_ID },			/* RDTSC, CPUID, XGETBV, RDTSCP, RDRAND, RDSEED, RDPID */
		{ { 0x0f, 0xa2 }, PRESCAN_ID },
		{ { 0x0f, 0x01, 0xd0 }, PRESCAN_ID },
		{ { 0x0f, 0x01, 0xf9 }, PRESCAN_ID },
		{ { 0x0f, 0xc7, 0xf0 }, PRESCAN_ID },
		{ { 0x0f, 0xc7, 0xf8 }, PRESCAN_ID },
		{ { 0xf3, 0x0f, 0xc7, 0xf8 }, PRESCAN_ID },
		{ { 0x0f, 0x34 }, PRESCAN_FAR },		/* SYSENTER, SYSCALL */
		{ { 0x0f, 0x05 }, PRESCAN_FAR },
	};
	struct prescan_insn insn;
	uint8_t bytes[PRESCAN_INSN_MAX];

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(sensitive); i++) {
		for (int mode = M16; mode <= M32; mode++) {
			memset(bytes, 0, sizeof(bytes));
			memcpy(bytes, sensitive[i].bytes, sizeof(sensitive[i].bytes));
			assert_int_equal(prescan_decode(bytes, sizeof(bytes), mode, &insn), PRESCAN_OK);
			assert_int_equal(insn.klass, sensitive[i].klass);
		}
	}
}

/* SDM 3A, "Privileged Instructions", and I/O (SDM 1, "I/O Privilege Level"). */
static void privileged_and_port_instructions_are_told_apart(void **state)
{
	static const struct {
		uint8_t bytes[4];
		enum prescan_class klass;
	} rows[] = {
		{ { 0xf4 }, PRESCAN_SYSTEM },			/* HLT */
		{ { 0x0f, 0x01, 0x10 }, PRESCAN_SYSTEM },	/* LGDT, LIDT, LMSW, INVLPG */
		{ { 0x0f, 0x01, 0x18 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x01, 0xf0 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x01, 0x38 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x00, 0xd0 }, PRESCAN_SYSTEM },	/* LLDT, LTR */
		{ { 0x0f, 0x00, 0xd8 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x20, 0xc0 }, PRESCAN_SYSTEM },	/* MOV CR, DR */
		{ { 0x0f, 0x22, 0xd8 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x21, 0xf8 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x23, 0xf8 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x06 }, PRESCAN_SYSTEM },		/* CLTS, INVD, WBINVD, RDMSR, WRMSR, RDPMC */
		{ { 0x0f, 0x08 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x09 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x32 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x30 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x33 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x01, 0xd1 }, PRESCAN_SYSTEM },	/* XSETBV, MONITOR, MWAIT, CLAC, STAC */
		{ { 0x0f, 0x01, 0xc8 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x01, 0xc9 }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x01, 0xca }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x01, 0xcb }, PRESCAN_SYSTEM },
		{ { 0x0f, 0x01, 0xc1 }, PRESCAN_SYSTEM },	/* VMCALL, VMMCALL */
		{ { 0x0f, 0x01, 0xd9 }, PRESCAN_SYSTEM },
		{ { 0xe4 }, PRESCAN_PORT }, { { 0xe5 }, PRESCAN_PORT },
		{ { 0xe6 }, PRESCAN_PORT }, { { 0xe7 }, PRESCAN_PORT },
		{ { 0xec }, PRESCAN_PORT }, { { 0xed }, PRESCAN_PORT },
		{ { 0xee }, PRESCAN_PORT }, { { 0xef }, PRESCAN_PORT },
		{ { 0x6c }, PRESCAN_STRING_PORT }, { { 0x6d }, PRESCAN_STRING_PORT },
		{ { 0x6e }, PRESCAN_STRING_PORT }, { { 0x6f }, PRESCAN_STRING_PORT },
	};
	struct prescan_insn insn;
	uint8_t bytes[PRESCAN_INSN_MAX];

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, rows[i].bytes, sizeof(rows[i].bytes));
		assert_int_equal(prescan_decode(bytes, sizeof(bytes), M32, &insn), PRESCAN_OK);
		assert_int_equal(insn.klass, rows[i].klass);
	}
}

/* Both halves of a row must be written: a class and its reason. */
static void every_instruction_has_a_name_a_class_and_a_reason(void **state)
{
	static const uint8_t escapes[][2] = { { 0 }, { 0x0f }, { 0x0f, 0x38 }, { 0x0f, 0x3a } };
	static const uint8_t mandatory[] = { 0, 0x66, 0xf3, 0xf2 };
	struct prescan_insn insn;
	uint8_t bytes[PRESCAN_INSN_MAX];
	int n;

	(void)state;
	for (int e = 0; e < 4 * 4 * 256 * 256; e++) {
		memset(bytes, 0, sizeof(bytes));
		n = 0;
		if (mandatory[e >> 18])
			bytes[n++] = mandatory[e >> 18];
		for (int k = 0; k < 2 && escapes[(e >> 16) & 3][k]; k++)
			bytes[n++] = escapes[(e >> 16) & 3][k];
		bytes[n++] = (uint8_t)(e >> 8);
		bytes[n++] = (uint8_t)e;
		if (prescan_decode(bytes, sizeof(bytes), M32, &insn) != PRESCAN_OK)
			continue;
		assert_in_range(insn.klass, PRESCAN_REFUSE + 1, PRESCAN_NR_CLASSES - 1);
		assert_in_range(insn.id, 0, prescan_nr_rows() - 1);
		assert_string_not_equal(prescan_mnemonic(&insn), "(none)");
		assert_string_not_equal(prescan_reason(&insn), "no row: undefined");
		assert_string_equal(prescan_mnemonic(&insn), prescan_row_mnemonic(insn.id));
	}
	for (unsigned int k = 0; k < PRESCAN_NR_CLASSES; k++)
		assert_non_null(prescan_class_name(k));
}

/* prescan.h: the verdict on fewer bytes is "more" or the final one, never another. */
static void a_cut_off_instruction_asks_for_more_and_never_changes_its_mind(void **state)
{
	struct prescan_insn whole, part;
	enum prescan_status status, early;
	uint8_t bytes[PRESCAN_INSN_MAX];
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		for (size_t k = 0; k < sizeof(bytes); k++) {
			seed = seed * 1664525 + 1013904223;
			bytes[k] = (uint8_t)(seed >> 24);
		}
		status = prescan_decode(bytes, sizeof(bytes), i & 1, &whole);
		for (size_t n = 0; n < sizeof(bytes); n++) {
			early = prescan_decode(bytes, n, i & 1, &part);
			if (status == PRESCAN_OK)
				assert_int_equal(early, n < whole.length ? PRESCAN_NEED_MORE : PRESCAN_OK);
			else
				assert_true(early == PRESCAN_NEED_MORE || early == status);
		}
	}
}

static void the_result_is_written_only_when_there_is_one(void **state)
{
	struct prescan_insn insn, before;

	(void)state;
	memset(&insn, 0xa5, sizeof(insn));
	before = insn;
	assert_int_equal(TRY(M32, &insn, 0x81, 0xc0, 1, 2), PRESCAN_NEED_MORE);
	assert_memory_equal(&insn, &before, sizeof(insn));
	assert_int_equal(TRY(M32, &insn, 0x8d, 0xc0, 0), PRESCAN_UNDEFINED);
	assert_int_equal(insn.length, 2);
	insn.length = before.length;
	assert_memory_equal(&insn, &before, sizeof(insn));
}

/* SDM 2A, "Instruction Prefixes": more than 15 bytes is #GP(0). */
static void sixteen_bytes_are_too_long_and_fifteen_are_not(void **state)
{
	uint8_t bytes[32];
	struct prescan_insn insn;

	(void)state;
	memset(bytes, 0x26, sizeof(bytes));
	bytes[14] = 0x90;
	assert_int_equal(prescan_decode(bytes, 32, M32, &insn), PRESCAN_OK);
	assert_int_equal(insn.length, 15);
	bytes[14] = 0x26;
	bytes[15] = 0x90;
	assert_int_equal(prescan_decode(bytes, 32, M32, &insn), PRESCAN_TOO_LONG);
	assert_int_equal(prescan_decode(bytes, 15, M32, &insn), PRESCAN_TOO_LONG);
	assert_int_equal(prescan_decode(bytes, 14, M32, &insn), PRESCAN_NEED_MORE);
	/* The sixteenth byte may be anywhere: here it is in the immediate. */
	bytes[11] = 0xb8;
	assert_int_equal(prescan_decode(bytes, 32, M32, &insn), PRESCAN_TOO_LONG);
}

static void of_segment_overrides_and_repeats_the_last_wins(void **state)
{
	struct prescan_insn insn;

	(void)state;
	DECODE(M32, &insn, 0x64, 0x2e, 0x8b, 0x00);
	assert_int_equal(insn.seg, X86_CS);
	DECODE(M32, &insn, 0x2e, 0x65, 0x8b, 0x45, 0x00);
	assert_int_equal(insn.seg, X86_GS);
	assert_true(insn.prefixes & PRESCAN_PFX_SEG);
	DECODE(M32, &insn, 0xf3, 0xf2, 0xa6);
	assert_int_equal(insn.prefixes & (PRESCAN_PFX_REP | PRESCAN_PFX_REPNE), PRESCAN_PFX_REPNE);
	DECODE(M32, &insn, 0xf2, 0xf3, 0x0f, 0x10, 0xc0);
	assert_string_equal(prescan_mnemonic(&insn), "MOVSS");
}

/* SDM 2A, "Instruction Prefixes": F2 and F3 choose before 66 does, in any order. */
static void f2_and_f3_win_over_66_as_mandatory_prefixes(void **state)
{
	struct prescan_insn insn;

	(void)state;
	DECODE(M32, &insn, 0x66, 0x0f, 0x58, 0xc1);
	assert_string_equal(prescan_mnemonic(&insn), "ADDPD");
	DECODE(M32, &insn, 0x66, 0xf2, 0x0f, 0x58, 0xc1);
	assert_string_equal(prescan_mnemonic(&insn), "ADDSD");
	DECODE(M32, &insn, 0xf3, 0x66, 0x64, 0x0f, 0x58, 0xc1);
	assert_string_equal(prescan_mnemonic(&insn), "ADDSS");
	DECODE(M16, &insn, 0x66, 0x67, 0x0f, 0x58, 0xc1);
	assert_string_equal(prescan_mnemonic(&insn), "ADDPD");
	/* No F3 row: undefined, though there is one for 66. */
	assert_int_equal(TRY(M32, &insn, 0xf3, 0x66, 0x0f, 0x28, 0xc1), PRESCAN_UNDEFINED);
	/* Where 66 is the operand size, both count. */
	DECODE(M32, &insn, 0x66, 0xf3, 0x0f, 0xb8, 0xc1);
	assert_string_equal(prescan_mnemonic(&insn), "POPCNT");
	assert_int_equal(insn.opsize, 2);
}

static void the_default_segment_follows_the_base_register(void **state)
{
	struct prescan_insn insn;

	(void)state;
	DECODE(M32, &insn, 0x8b, 0x00);				/* [eax] */
	assert_int_equal(insn.seg, X86_DS);
	DECODE(M32, &insn, 0x8b, 0x45, 0x04);			/* [ebp+4] */
	assert_int_equal(insn.seg, X86_SS);
	DECODE(M32, &insn, 0x8b, 0x04, 0x24);			/* [esp] */
	assert_int_equal(insn.seg, X86_SS);
	DECODE(M32, &insn, 0x8b, 0x04, 0x28);			/* [eax+ebp]: EBP as index */
	assert_int_equal(insn.seg, X86_DS);
	DECODE(M32, &insn, 0x8b, 0x05, 0, 0, 0, 0);		/* [disp32] */
	assert_int_equal(insn.seg, X86_DS);
	DECODE(M32, &insn, 0x8b, 0x04, 0x2d, 0, 0, 0, 0);	/* [ebp*1+disp32]: no base */
	assert_int_equal(insn.seg, X86_DS);
	DECODE(M16, &insn, 0x8b, 0x02);				/* [bp+si] */
	assert_int_equal(insn.seg, X86_SS);
	DECODE(M16, &insn, 0x8b, 0x06, 0x34, 0x12);		/* [disp16] */
	assert_int_equal(insn.seg, X86_DS);
	assert_int_equal(insn.disp, 0x1234);
	DECODE(M16, &insn, 0x36, 0x8b, 0x07);			/* ss:[bx] */
	assert_int_equal(insn.seg, X86_SS);
}

/* SDM 2B, MOVS, STOS, ...: ES:[EDI] cannot be overridden, DS:[ESI] can. */
static void string_operands_name_the_segment_an_override_can_change(void **state)
{
	static const uint8_t source[] = { 0xa4, 0xa5, 0xa6, 0xa7, 0xac, 0xad, 0x6e, 0x6f };
	static const uint8_t destination[] = { 0xaa, 0xab, 0xae, 0xaf, 0x6c, 0x6d };
	struct prescan_insn insn;

	(void)state;
	for (size_t i = 0; i < sizeof(source); i++) {
		DECODE(M32, &insn, source[i]);
		assert_int_equal(insn.seg, X86_DS);
		assert_true(insn.flags & PRESCAN_F_STRING);
		DECODE(M32, &insn, 0x64, source[i]);
		assert_int_equal(insn.seg, X86_FS);
	}
	for (size_t i = 0; i < sizeof(destination); i++) {
		DECODE(M32, &insn, 0x64, destination[i]);
		assert_int_equal(insn.seg, X86_ES);
		assert_true(insn.flags & PRESCAN_F_STRING);
	}
}

static void implicit_addresses_honour_the_override(void **state)
{
	struct prescan_insn insn;

	(void)state;
	DECODE(M32, &insn, 0xd7);				/* XLAT */
	assert_int_equal(insn.seg, X86_DS);
	assert_false(insn.flags & PRESCAN_F_MEM);
	DECODE(M32, &insn, 0x2e, 0xd7);
	assert_int_equal(insn.seg, X86_CS);
	DECODE(M32, &insn, 0x64, 0x66, 0x0f, 0xf7, 0xc1);	/* MASKMOVDQU */
	assert_int_equal(insn.seg, X86_FS);
	DECODE(M16, &insn, 0x26, 0xa1, 0x34, 0x92);		/* MOV AX, ES:[9234h] */
	assert_int_equal(insn.seg, X86_ES);
	assert_int_equal(insn.flags, PRESCAN_F_MEM | PRESCAN_F_MEM_READ | PRESCAN_F_MOFFS);
	assert_int_equal(insn.disp_size, 2);
	assert_int_equal((uint16_t)insn.disp, 0x9234);
	DECODE(M32, &insn, 0x67, 0xa2, 0x34, 0x12);		/* MOV [1234h], AL */
	assert_int_equal(insn.flags, PRESCAN_F_MEM | PRESCAN_F_MEM_WRITE | PRESCAN_F_MOFFS);
	assert_int_equal(insn.addrsize, 2);
}

/* SDM 2A, "LOCK": the list of instructions, and only with a memory destination. */
static void lock_is_legal_with_eighteen_instructions_in_memory_and_no_other(void **state)
{
	static const uint8_t lockable[][3] = {
		{ 0x00 }, { 0x01 }, { 0x08 }, { 0x09 }, { 0x10 }, { 0x11 }, { 0x18 }, { 0x19 },
		{ 0x20 }, { 0x21 }, { 0x28 }, { 0x29 }, { 0x30 }, { 0x31 },
		{ 0x86 }, { 0x87 }, { 0x0f, 0xb0 }, { 0x0f, 0xb1 }, { 0x0f, 0xc0 }, { 0x0f, 0xc1 },
		{ 0x0f, 0xab }, { 0x0f, 0xb3 }, { 0x0f, 0xbb },
	};
	static const struct { uint8_t bytes[2], regs; } groups[] = {	/* @regs: bit n for /n */
		{ { 0x80 }, 0x7f }, { { 0x81 }, 0x7f }, { { 0x82 }, 0x7f }, { { 0x83 }, 0x7f },
		{ { 0xf6 }, 0x0c }, { { 0xf7 }, 0x0c }, { { 0xfe }, 0x03 }, { { 0xff }, 0x03 },
		{ { 0x0f, 0xba }, 0xe0 }, { { 0x0f, 0xc7 }, 0x02 },
	};
	struct prescan_insn insn;
	bool legal;

	(void)state;
	for (int op = 0; op < 512; op++) {
		for (int modrm = 0; modrm < 256; modrm++) {
			uint8_t bytes[PRESCAN_INSN_MAX] = { 0xf0 };
			int n = 1;

			if (op >= 256)
				bytes[n++] = 0x0f;
			bytes[n] = (uint8_t)op;
			bytes[n + 1] = (uint8_t)modrm;
			switch (op) {	/* prefixes and escapes are no instruction */
			case 0x0f: case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
			case 0x66: case 0x67: case 0xf0: case 0xf2: case 0xf3:
				continue;
			}
			legal = false;
			for (size_t i = 0; i < PLX_ARRAY_SIZE(lockable); i++)
				if (!memcmp(bytes + 1, lockable[i], (size_t)n))
					legal = true;
			for (size_t i = 0; i < PLX_ARRAY_SIZE(groups); i++)
				if (!memcmp(bytes + 1, groups[i].bytes, (size_t)n))
					legal = groups[i].regs >> ((modrm >> 3) & 7) & 1;
			if (modrm >= 0xc0)
				legal = false;
			assert_int_equal(prescan_decode(bytes, sizeof(bytes), M32, &insn),
					 legal ? PRESCAN_OK : PRESCAN_UNDEFINED);
		}
	}
}

static void a_register_form_has_no_memory_flags(void **state)
{
	struct prescan_insn insn;

	(void)state;
	DECODE(M32, &insn, 0x01, 0xc8);
	assert_int_equal(insn.flags, PRESCAN_F_MODRM | PRESCAN_F_LOCKABLE);
	DECODE(M32, &insn, 0x01, 0x08);
	assert_int_equal(insn.flags, PRESCAN_F_MODRM | PRESCAN_F_LOCKABLE | PRESCAN_F_MEM |
				     PRESCAN_F_MEM_READ | PRESCAN_F_MEM_WRITE);
	DECODE(M32, &insn, 0x0f, 0x1f, 0xc0);
	assert_int_equal(insn.flags, PRESCAN_F_MODRM);
}

static void an_address_that_is_formed_and_not_used_is_neither_read_nor_written(void **state)
{
	static const uint8_t rows[][3] = {
		{ 0x8d, 0x00 },							/* LEA */
		{ 0x0f, 0x01, 0x38 },						/* INVLPG */
		{ 0x0f, 0x1f, 0x00 }, { 0x0f, 0x0d, 0x08 }, { 0x0f, 0x18, 0x08 },	/* NOP, prefetches */
	};
	struct prescan_insn insn;

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
		assert_int_equal(prescan_decode(rows[i], 3, M32, &insn), PRESCAN_OK);
		assert_int_equal(insn.flags, PRESCAN_F_MODRM | PRESCAN_F_MEM | PRESCAN_F_AGEN);
	}
}

/* SDM 2B, MOV to and from control, debug registers: mod is ignored. */
static void mov_with_control_registers_is_a_register_form_whatever_mod_says(void **state)
{
	struct prescan_insn insn;

	(void)state;
	for (int mod = 0; mod < 4; mod++) {
		/* rm = 4 and 5 would take a SIB byte and a displacement */
		DECODE(M32, &insn, 0x0f, 0x22, (uint8_t)(mod << 6 | 3 << 3 | 4));
		assert_int_equal(insn.mod, 3);
		assert_int_equal(insn.reg, 3);
		assert_int_equal(insn.rm, 4);
		assert_int_equal(insn.flags, PRESCAN_F_MODRM);
		DECODE(M16, &insn, 0x0f, 0x21, (uint8_t)(mod << 6 | 7 << 3 | 5));
		assert_int_equal(insn.opsize, 4);
	}
	for (int cr = 0; cr < 8; cr++)
		assert_int_equal(TRY(M32, &insn, 0x0f, 0x20, (uint8_t)(0xc0 | cr << 3)),
				 cr == 0 || (cr >= 2 && cr <= 4) ? PRESCAN_OK : PRESCAN_UNDEFINED);
}

static void segment_register_fields_name_only_registers_that_exist(void **state)
{
	struct prescan_insn insn;

	(void)state;
	for (int sreg = 0; sreg < 8; sreg++) {
		assert_int_equal(TRY(M32, &insn, 0x8c, (uint8_t)(0xc0 | sreg << 3)),
				 sreg < 6 ? PRESCAN_OK : PRESCAN_UNDEFINED);
		assert_int_equal(TRY(M32, &insn, 0x8e, (uint8_t)(0xc0 | sreg << 3)),
				 sreg < 6 && sreg != X86_CS ? PRESCAN_OK : PRESCAN_UNDEFINED);
	}
}

/* SDM 2A, "The VEX Prefix": outside 64-bit mode C4 and C5 are VEX when mod = 3. */
static void les_and_lds_are_vex_only_with_mod_3(void **state)
{
	struct prescan_insn insn;

	(void)state;
	for (int mode = M16; mode <= M32; mode++) {
		assert_int_equal(TRY(mode, &insn, 0xc4, 0xbf, 0, 0, 0, 0), PRESCAN_OK);
		assert_string_equal(prescan_mnemonic(&insn), "LES");
		DECODE(mode, &insn, 0xc5, 0xf8, 0x77);
		assert_string_equal(prescan_mnemonic(&insn), "VZEROUPPER");
		assert_int_equal(insn.map, PRESCAN_MAP_VEX_0F);
		assert_int_equal(insn.opcode, 0x77);
		assert_int_equal(insn.opcode_off, 0);
		DECODE(mode, &insn, 0xc4, 0xe2, 0x70, 0xf2, 0xc3);	/* ANDN eax, ecx, ebx */
		assert_int_equal(insn.klass, PRESCAN_PLAIN);
		assert_int_equal(insn.vex_vvvv, X86_ECX);
		assert_int_equal(insn.opsize, 4);
	}
	/* No legacy prefix that VEX holds itself, and no LOCK, may stand before it. */
	assert_int_equal(TRY(M32, &insn, 0x66, 0xc5, 0xf8, 0x77), PRESCAN_UNDEFINED);
	assert_int_equal(TRY(M32, &insn, 0xf3, 0xc5, 0xf8, 0x77), PRESCAN_UNDEFINED);
	assert_int_equal(TRY(M32, &insn, 0xf0, 0xc5, 0xf8, 0x77), PRESCAN_UNDEFINED);
	assert_int_equal(TRY(M32, &insn, 0x64, 0x67, 0xc5, 0xf8, 0x77), PRESCAN_OK);
}

static void a_gather_has_a_vector_index_and_three_different_registers(void **state)
{
	struct prescan_insn insn;

	(void)state;
	/* VPGATHERDD xmm1, [eax + xmm4*1], xmm2: index 4 is a register here */
	DECODE(M32, &insn, 0xc4, 0xe2, 0x69, 0x90, 0x0c, 0x20);
	assert_true(insn.flags & PRESCAN_F_VSIB);
	assert_int_equal(insn.base, X86_EAX);
	assert_int_equal(insn.index, 4);
	/* index = destination; mask = destination; no SIB byte; 16-bit address */
	assert_int_equal(TRY(M32, &insn, 0xc4, 0xe2, 0x69, 0x90, 0x0c, 0x08), PRESCAN_UNDEFINED);
	assert_int_equal(TRY(M32, &insn, 0xc4, 0xe2, 0x71, 0x90, 0x0c, 0x20), PRESCAN_UNDEFINED);
	assert_int_equal(TRY(M32, &insn, 0xc4, 0xe2, 0x69, 0x90, 0x08), PRESCAN_UNDEFINED);
	assert_int_equal(TRY(M16, &insn, 0xc4, 0xe2, 0x69, 0x90, 0x0c, 0x20), PRESCAN_UNDEFINED);
}

static void instructions_that_only_raise_ud_are_told_from_bytes_that_mean_nothing(void **state)
{
	struct prescan_insn insn;

	(void)state;
	DECODE(M32, &insn, 0x0f, 0x0b);
	assert_int_equal(insn.klass, PRESCAN_UD);
	DECODE(M32, &insn, 0x0f, 0xb9, 0xc0);
	assert_int_equal(insn.klass, PRESCAN_UD);
	DECODE(M32, &insn, 0x0f, 0xff, 0x40, 0x10);
	assert_int_equal(insn.klass, PRESCAN_UD);
	assert_int_equal(TRY(M32, &insn, 0x0f, 0x04), PRESCAN_UNDEFINED);
	/* TSX would abort to an address in the code cache; EVEX and XOP are not offered. */
	assert_int_equal(TRY(M32, &insn, 0xc7, 0xf8, 0, 0, 0, 0), PRESCAN_UNDEFINED);
	assert_int_equal(TRY(M32, &insn, 0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc0), PRESCAN_UNDEFINED);
	assert_int_equal(TRY(M32, &insn, 0x8f, 0xe8, 0x78, 0xc0, 0xc0, 0), PRESCAN_UNDEFINED);
}

/* SDM 2B, ENDBR32: a NOP where CET is off, and it is off. */
static void endbr32_is_a_nop(void **state)
{
	struct prescan_insn insn;

	(void)state;
	DECODE(M32, &insn, 0xf3, 0x0f, 0x1e, 0xfb);
	assert_string_equal(prescan_mnemonic(&insn), "ENDBR32");
	assert_int_equal(insn.klass, PRESCAN_PLAIN);
}

static void immediates_are_extended_as_the_instruction_does_it(void **state)
{
	struct prescan_insn insn;

	(void)state;
	DECODE(M32, &insn, 0x83, 0xc0, 0xff);			/* ADD EAX, -1 */
	assert_int_equal(insn.imm, 0xffffffff);
	DECODE(M32, &insn, 0x80, 0xc0, 0xff);			/* ADD AL, FFh */
	assert_int_equal(insn.imm, 0xff);
	DECODE(M32, &insn, 0x6a, 0x80);				/* PUSH -128 */
	assert_int_equal(insn.imm, 0xffffff80);
	DECODE(M16, &insn, 0xb8, 0xfe, 0xff);			/* MOV AX, FFFEh */
	assert_int_equal(insn.imm, 0xfffe);
	DECODE(M16, &insn, 0xe9, 0xfe, 0xff);			/* JMP -2 */
	assert_int_equal(insn.imm, 0xfffffffe);
	DECODE(M32, &insn, 0x66, 0xe8, 0xfe, 0xff);		/* CALL rel16 */
	assert_int_equal(insn.imm, 0xfffffffe);
	assert_int_equal(insn.imm_size, 2);
	DECODE(M32, &insn, 0xc2, 0xfc, 0xff);			/* RET FFFCh */
	assert_int_equal(insn.imm, 0xfffc);
	DECODE(M32, &insn, 0xc8, 0x34, 0x12, 0x05);		/* ENTER 1234h, 5 */
	assert_int_equal(insn.imm, 0x1234);
	assert_int_equal(insn.imm2, 5);
	DECODE(M16, &insn, 0xea, 0x5b, 0xe0, 0x00, 0xf0);	/* JMP F000:E05B */
	assert_int_equal(insn.imm, 0xe05b);
	assert_int_equal(insn.imm2, 0xf000);
	DECODE(M32, &insn, 0x9a, 1, 2, 3, 4, 5, 6);
	assert_int_equal(insn.imm, 0x04030201);
	assert_int_equal(insn.imm2, 0x0605);
	DECODE(M32, &insn, 0x66, 0x0f, 0x78, 0xc1, 0x12, 0x34);	/* EXTRQ */
	assert_int_equal(insn.imm, 0x12);
	assert_int_equal(insn.imm2, 0x34);
}

static void offsets_point_at_the_bytes_they_name(void **state)
{
	struct prescan_insn insn;

	(void)state;
	/* fs: ADD dword [eax + ecx*4 + 11223344h], 55667788h */
	DECODE(M32, &insn, 0x64, 0x81, 0x84, 0x88, 0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55);
	assert_int_equal(insn.opcode_off, 1);
	assert_int_equal(insn.modrm_off, 2);
	assert_int_equal(insn.disp_off, 4);
	assert_int_equal(insn.imm_off, 8);
	assert_int_equal(insn.disp, 0x11223344);
	assert_int_equal(insn.imm, 0x55667788);
	assert_int_equal(insn.base, X86_EAX);
	assert_int_equal(insn.index, X86_ECX);
	assert_int_equal(insn.scale, 2);
	DECODE(M32, &insn, 0x0f, 0x0f, 0x41, 0x08, 0x9e);	/* PFADD mm0, [ecx+8] */
	assert_int_equal(insn.map, PRESCAN_MAP_3DNOW);
	assert_int_equal(insn.opcode, 0x9e);
	assert_int_equal(insn.disp_off, 3);
	assert_int_equal(insn.imm_size, 0);
}

/* CS.D says how wide things are, never what is done: the same bytes choose the
 * same row in both modes, but for the rows whose name holds the size. This stands
 * for Capstone, which loses mandatory prefixes in 16-bit mode. */
static void the_mode_changes_sizes_and_nothing_else(void **state)
{
	static const char *const sized[][2] = {
		{ "PUSHA", "PUSHAD" }, { "POPA", "POPAD" }, { "PUSHF", "PUSHFD" }, { "POPF", "POPFD" },
		{ "CBW", "CWDE" }, { "CWD", "CDQ" }, { "IRET", "IRETD" }, { "JCXZ", "JECXZ" },
		{ "MOVSW", "MOVSD" }, { "CMPSW", "CMPSD" }, { "STOSW", "STOSD" }, { "LODSW", "LODSD" },
		{ "SCASW", "SCASD" }, { "INSW", "INSD" }, { "OUTSW", "OUTSD" },
	};
	struct prescan_insn in16, in32;
	enum prescan_status s16, s32;
	uint8_t bytes[PRESCAN_INSN_MAX + 2] = { 0x66, 0x67 };
	uint32_t seed = 7;
	bool named;

	(void)state;
	for (int i = 0; i < 500000; i++) {
		for (size_t k = 2; k < 13; k++) {
			seed = seed * 1664525 + 1013904223;
			bytes[k] = (uint8_t)(seed >> 24);
		}
		if (i & 1)
			bytes[2] = 0x0f;
		s16 = prescan_decode(bytes + 2, PRESCAN_INSN_MAX, M16, &in16);
		s32 = prescan_decode(bytes + 2, PRESCAN_INSN_MAX, M32, &in32);
		if (s16 != PRESCAN_OK || s32 != PRESCAN_OK) {
			/* Only a gather depends on the address size; and 3DNow!, whose
			 * opcode stands behind the address. */
			if (s16 == PRESCAN_UNDEFINED && s32 == PRESCAN_OK)
				assert_true((in32.flags & PRESCAN_F_VSIB) || in32.map == PRESCAN_MAP_3DNOW);
			if (s32 == PRESCAN_UNDEFINED && s16 == PRESCAN_OK)
				assert_int_equal(in16.map, PRESCAN_MAP_3DNOW);
			continue;
		}
		assert_int_equal(in16.klass, in32.klass);
		if (in32.map == PRESCAN_MAP_3DNOW)
			continue;
		assert_int_equal(in16.flags & PRESCAN_F_STRING, in32.flags & PRESCAN_F_STRING);
		if (in16.id != in32.id) {
			named = false;
			for (size_t k = 0; k < PLX_ARRAY_SIZE(sized); k++)
				for (int swap = 0; swap < 2; swap++)
					if (!strcmp(sized[k][swap], prescan_mnemonic(&in16)) &&
					    !strcmp(sized[k][!swap], prescan_mnemonic(&in32)))
						named = true;
			assert_true(named);
		}
		/* 67 in 16-bit mode addresses as 32-bit mode does (VEX: 66 is not allowed). */
		if (in32.prefixes & PRESCAN_PFX_ADDRSIZE || in32.length > 13)
			continue;
		if (prescan_decode(bytes + 1, PRESCAN_INSN_MAX + 1, M16, &in16) != PRESCAN_OK)
			continue;
		assert_int_equal(in16.addrsize, 4);
		assert_int_equal(in16.base, in32.base);
		assert_int_equal(in16.index, in32.index);
		assert_int_equal(in16.scale, in32.scale);
		assert_int_equal(in16.disp, in32.disp);
		assert_int_equal(in16.seg, in32.seg);
	}
}

/* With 15 bytes or more there is a short way through the decoder; with the instruction's own bytes alone it is the long one. */
static void what_stands_behind_an_instruction_changes_nothing(void **state)
{
	static const uint8_t second[] = { 0x00, 0x04, 0x05, 0x24, 0x25, 0x44, 0x45, 0x64, 0x84, 0x85, 0xa4, 0xc0, 0xc4, 0xd8, 0xe5, 0xff };
	unsigned int compared = 0;

	(void)state;
	for (unsigned int op = 0; op < 512; op++) {
		for (unsigned int modrm = 0; modrm < 256; modrm++) {
			for (unsigned int i = 0; i < PLX_ARRAY_SIZE(second); i++) {
				uint8_t bytes[16] = { 0 };
				unsigned int at = 0;
				struct prescan_insn more, exact;

				if (op >= 256)
					bytes[at++] = 0x0f;
				bytes[at++] = (uint8_t)op;
				bytes[at++] = (uint8_t)modrm;
				bytes[at++] = second[i];
				for (; at < sizeof(bytes); at++)
					bytes[at] = (uint8_t)(0x71 + at * 0x1f);
				memset(&more, 0x5a, sizeof(more));
				if (prescan_decode(bytes, sizeof(bytes), PRESCAN_MODE_32, &more) != PRESCAN_OK || more.length >= PRESCAN_INSN_MAX)
					continue;
				memset(&exact, 0xa5, sizeof(exact));
				assert_int_equal(prescan_decode(bytes, more.length, PRESCAN_MODE_32, &exact), PRESCAN_OK);
				if (memcmp(&more, &exact, sizeof(more)))
					print_error("opcode %x, ModRM %x, then %x\n", op, modrm, second[i]);
				assert_memory_equal(&more, &exact, sizeof(more));
				compared++;
			}
		}
	}
	assert_true(compared > 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_sensitive_unprivileged_instruction_is_plain),
		cmocka_unit_test(privileged_and_port_instructions_are_told_apart),
		cmocka_unit_test(every_instruction_has_a_name_a_class_and_a_reason),
		cmocka_unit_test(a_cut_off_instruction_asks_for_more_and_never_changes_its_mind),
		cmocka_unit_test(the_result_is_written_only_when_there_is_one),
		cmocka_unit_test(sixteen_bytes_are_too_long_and_fifteen_are_not),
		cmocka_unit_test(of_segment_overrides_and_repeats_the_last_wins),
		cmocka_unit_test(f2_and_f3_win_over_66_as_mandatory_prefixes),
		cmocka_unit_test(the_default_segment_follows_the_base_register),
		cmocka_unit_test(string_operands_name_the_segment_an_override_can_change),
		cmocka_unit_test(implicit_addresses_honour_the_override),
		cmocka_unit_test(lock_is_legal_with_eighteen_instructions_in_memory_and_no_other),
		cmocka_unit_test(a_register_form_has_no_memory_flags),
		cmocka_unit_test(an_address_that_is_formed_and_not_used_is_neither_read_nor_written),
		cmocka_unit_test(mov_with_control_registers_is_a_register_form_whatever_mod_says),
		cmocka_unit_test(segment_register_fields_name_only_registers_that_exist),
		cmocka_unit_test(les_and_lds_are_vex_only_with_mod_3),
		cmocka_unit_test(a_gather_has_a_vector_index_and_three_different_registers),
		cmocka_unit_test(instructions_that_only_raise_ud_are_told_from_bytes_that_mean_nothing),
		cmocka_unit_test(endbr32_is_a_nop),
		cmocka_unit_test(immediates_are_extended_as_the_instruction_does_it),
		cmocka_unit_test(offsets_point_at_the_bytes_they_name),
		cmocka_unit_test(what_stands_behind_an_instruction_changes_nothing),
		cmocka_unit_test(the_mode_changes_sizes_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
