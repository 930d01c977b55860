/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_decode_capstone.c - the decoder against another one.
 *
 * Two decoders written apart rarely make the same mistake. For every encoding
 * tried, Capstone and prescan must agree on: defined or not, length, mnemonic,
 * the address (base, index, scale, displacement, segment), what is done to the
 * memory operand, and the immediate. Where they differ and the SDM is on our
 * side, test_decode_errata.h says so; nothing else may differ.
 */
#include <stdarg.h>
#include <ctype.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <capstone/capstone.h>

#include "prescan/prescan.h"
#include "tests/unit/test_decode_errata.h"

#define RANDOM_STRINGS 2000000
#define SHOWN_AT_MOST 20

struct oracle {
	csh handle[2];		/* by enum prescan_mode */
	cs_insn *insn[2];
	unsigned long compared, both_defined, shown;
};

/* One encoding and what the two said. */
struct verdicts {
	const uint8_t *bytes;
	enum prescan_mode mode;
	enum prescan_status status;
	struct prescan_insn insn;
	char name[32];		/* ours, lower case */
	const cs_insn *cs;	/* NULL: undefined */
	const char *cs_name;	/* without "rep", "lock", ... */
	/* found by a second, naive look at the bytes: */
	unsigned int prefixes;	/* bits of enum seen_prefix */
	unsigned int opcode;	/* offset of the first opcode byte */
};

enum seen_prefix { SEEN_66 = 1, SEEN_F3 = 2, SEEN_F2 = 4, SEEN_LOCK = 8 };

static bool matches(const char *pattern, const char *name)
{
	size_t n = strlen(pattern);

	if (n && pattern[n - 1] == '*')
		return !strncmp(pattern, name, n - 1);
	return !strcmp(pattern, name);
}

static void lower_case(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; from[i] && i < size - 1; i++)
		to[i] = (char)tolower((unsigned char)from[i]);
	to[i] = '\0';
}

static const char *without_prefix_words(const char *name)
{
	static const char *const words[] = {
		"rep ", "repe ", "repne ", "lock ", "bnd ", "xacquire ", "xrelease ", "data16 ", "addr32 ",
	};
	bool again;

	do {
		again = false;
		for (size_t i = 0; i < PLX_ARRAY_SIZE(words); i++) {
			if (!strncmp(name, words[i], strlen(words[i]))) {
				name += strlen(words[i]);
				again = true;
			}
		}
	} while (again);
	return name;
}

static void scan_prefixes(struct verdicts *v)
{
	for (v->opcode = 0; v->opcode < PRESCAN_INSN_MAX; v->opcode++) {
		switch (v->bytes[v->opcode]) {
		case 0x66:
			v->prefixes |= SEEN_66;
			continue;
		case 0xf3:
			v->prefixes |= SEEN_F3;
			continue;
		case 0xf2:
			v->prefixes |= SEEN_F2;
			continue;
		case 0xf0:
			v->prefixes |= SEEN_LOCK;
			continue;
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: case 0x67:
			continue;
		}
		return;
	}
}

static bool is_escape(const struct verdicts *v)
{
	return v->bytes[v->opcode] == 0x0f;
}

static bool is_vex(const struct verdicts *v)
{
	return (v->bytes[v->opcode] & 0xfe) == 0xc4 && v->bytes[v->opcode + 1] >= 0xc0;
}

static bool names_agree(const struct verdicts *v)
{
	size_t n = strlen(v->name), cs_n = strlen(v->cs_name);

	if (!strcmp(v->name, v->cs_name))
		return true;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(same_name); i++)
		if (!strcmp(same_name[i][0], v->name) && !strcmp(same_name[i][1], v->cs_name))
			return true;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(wrong_name); i++)
		if (!strcmp(wrong_name[i].ours, v->name) && !strcmp(wrong_name[i].theirs, v->cs_name))
			return true;
	/* CMPPS with its predicate in the name: cmpeqps, vcmplt_oqss, ... */
	if ((matches("cmp*", v->name) || matches("vcmp*", v->name)) && n >= 5 && cs_n > n &&
	    !strncmp(v->name, v->cs_name, n - 2) && !strcmp(v->name + n - 2, v->cs_name + cs_n - 2))
		return true;
	/* JCXZ and JECXZ: it looks at 67 before other prefixes only when 67 is last. */
	if (v->bytes[v->opcode] == 0xe3)
		return true;
	/* UD0, UD1, UD2: their numbering changed between editions. */
	return v->insn.klass == PRESCAN_UD && matches("ud*", v->cs_name);
}

/* Would @bytes, which differ a little from @v's, be what Capstone says of @v? */
static bool explains(const struct verdicts *v, const uint8_t *bytes)
{
	struct verdicts other = *v;

	if (prescan_decode(bytes, PRESCAN_INSN_MAX, v->mode, &other.insn) != PRESCAN_OK)
		return false;
	lower_case(other.name, sizeof(other.name), prescan_mnemonic(&other.insn));
	return names_agree(&other);
}

/* The same without those prefixes? */
static bool defined_without(const struct verdicts *v, bool keep_66)
{
	uint8_t bytes[PRESCAN_INSN_MAX] = { 0 };
	unsigned int n = 0;

	for (unsigned int i = 0; i < PRESCAN_INSN_MAX; i++) {
		if (i < v->opcode && (v->bytes[i] == 0xf3 || v->bytes[i] == 0xf2 ||
				      (v->bytes[i] == 0x66 && !keep_66)))
			continue;
		bytes[n++] = v->bytes[i];
	}
	return explains(v, bytes);
}

/* The same with other bits in the last byte of its VEX prefix? */
static bool defined_with_other_vex(const struct verdicts *v, uint8_t flipped)
{
	uint8_t bytes[PRESCAN_INSN_MAX];

	if (!is_vex(v) || v->bytes[v->opcode] != 0xc4 || v->opcode > 10)
		return false;
	memcpy(bytes, v->bytes, sizeof(bytes));
	bytes[v->opcode + 2] ^= flipped;
	return explains(v, bytes);
}

/* Capstone says an instruction, we say #UD. Why is it wrong? NULL: it is not. */
static const char *why_undefined(const struct verdicts *v)
{
	uint8_t op = v->bytes[v->opcode], next = v->bytes[v->opcode + 1], modrm = v->bytes[v->opcode + 2];

	for (size_t i = 0; i < PLX_ARRAY_SIZE(refused_on_purpose); i++)
		if (matches(refused_on_purpose[i], v->cs_name))
			return "refused on purpose";
	if (v->prefixes & SEEN_LOCK)
		return "LOCK where it is not allowed; test_decode.c has the list";
	if (op == 0x62 && next >= 0xc0)
		return "EVEX, refused on purpose";
	if (op == 0x8f && (next & 0x38))
		return "XOP, refused on purpose";
	if (is_vex(v) && v->prefixes)
		return "66, F2, F3 before VEX";
	if (is_escape(v) && v->prefixes && (defined_without(v, false) || defined_without(v, true)))
		return "a row that exists only without that prefix; Capstone ignores the prefix";
	if (defined_with_other_vex(v, 0x80))
		return "VEX.W fixed by the SDM; Capstone ignores it";
	if (defined_with_other_vex(v, 0x40) || defined_with_other_vex(v, 0xc0))
		return "vvvv must be 1111b; Capstone looks at three bits of it outside 64-bit mode";
	if (matches("vgather*", v->cs_name) || matches("vpgather*", v->cs_name))
		return "a gather with two equal registers, or no SIB byte";
	if (op == 0x0f && next == 0x0f && !strcmp(v->cs_name, "femms"))
		return "FEMMS is 0F 0E, not 0F 0F with suffix 0E";
	if (op == 0x8e && (next & 0x38) == 0x08)
		return "MOV CS";
	if (op == 0x0f && (next == 0x20 || next == 0x22))
		return "a control register that does not exist";
	if (op == 0x0f && next == 0x78 && (modrm & 0x38))
		return "EXTRQ is /0";
	return NULL;
}

/* We say an instruction, Capstone says none. */
static const char *why_defined(const struct verdicts *v)
{
	for (size_t i = 0; i < PLX_ARRAY_SIZE(unknown_to_capstone); i++)
		if (!strcmp(unknown_to_capstone[i].name, v->name))
			return unknown_to_capstone[i].why;
	if ((v->insn.flags & PRESCAN_F_MOFFS) && (v->prefixes & SEEN_66) && (v->prefixes & (SEEN_F3 | SEEN_F2)))
		return "Capstone refuses A0-A3 with 66 and F2 or F3";
	return NULL;
}

/* Encodings on which Capstone's answer means nothing, whatever it is. */
static bool beyond_capstone(const struct verdicts *v)
{
	/* In 16-bit mode it takes the unprefixed row of the SSE maps.
	 * the_mode_changes_sizes_and_nothing_else() in test_decode.c stands for this. */
	if (v->mode == PRESCAN_MODE_16 && is_escape(v) && (v->prefixes & ~SEEN_LOCK))
		return true;
	/* Of 66 together with F2 or F3 it drops the 66, so sizes and lengths are wrong. */
	if (!is_escape(v) && (v->prefixes & SEEN_66) && (v->prefixes & (SEEN_F2 | SEEN_F3)))
		return true;
	/* It knows a mandatory prefix only as the last of the prefixes. */
	if (is_escape(v) && (v->prefixes & (SEEN_F3 | SEEN_F2)) &&
	    v->bytes[v->opcode - 1] != 0xf3 && v->bytes[v->opcode - 1] != 0xf2)
		return true;
	if (is_escape(v) && (v->prefixes & ~SEEN_LOCK) == SEEN_66 && v->bytes[v->opcode - 1] != 0x66)
		return true;
	/* EXTRQ, INSERTQ (SSE4a) with immediates: shown as VMREAD. */
	return is_escape(v) && (v->bytes[v->opcode + 1] & 0xfe) == 0x78 && v->prefixes;
}

static const cs_x86_op *memory_operand(const cs_insn *cs, unsigned int *place)
{
	const cs_x86 *x = &cs->detail->x86;

	for (unsigned int i = 0; i < x->op_count; i++) {
		if (x->operands[i].type == X86_OP_MEM) {
			*place = i;
			return &x->operands[i];
		}
	}
	return NULL;
}

static bool access_agrees(const struct verdicts *v, const cs_x86_op *mem, unsigned int place)
{
	enum access expected = mem->access == CS_AC_READ ? A_READ : mem->access == CS_AC_WRITE ? A_WRITE :
			       mem->access == (CS_AC_READ | CS_AC_WRITE) ? A_RW : A_NONE;
	enum access ours = A_NONE;

	for (size_t i = 0; i < PLX_ARRAY_SIZE(access_by_sdm); i++)
		if (matches(access_by_sdm[i].name, v->name))
			expected = access_by_sdm[i].access;
	if (expected == A_BY_PLACE)
		expected = place == 0 ? A_WRITE : A_READ;
	if (v->insn.flags & PRESCAN_F_MEM_READ)
		ours = A_READ;
	if (v->insn.flags & PRESCAN_F_MEM_WRITE)
		ours = ours == A_READ ? A_RW : A_WRITE;
	return ours == expected;
}

static bool address_agrees(const struct verdicts *v, const cs_x86_op *mem)
{
	static const x86_reg r32[] = {
		X86_REG_EAX, X86_REG_ECX, X86_REG_EDX, X86_REG_EBX, X86_REG_ESP, X86_REG_EBP, X86_REG_ESI, X86_REG_EDI,
	};
	static const x86_reg r16[] = {
		X86_REG_AX, X86_REG_CX, X86_REG_DX, X86_REG_BX, X86_REG_SP, X86_REG_BP, X86_REG_SI, X86_REG_DI,
	};
	static const x86_reg sreg[] = {
		X86_REG_ES, X86_REG_CS, X86_REG_SS, X86_REG_DS, X86_REG_FS, X86_REG_GS,
	};
	const struct prescan_insn *d = &v->insn;
	const x86_reg *regs = d->addrsize == 4 ? r32 : r16;
	uint32_t mask = d->addrsize == 4 ? 0xffffffff : 0xffff;
	x86_reg base = X86_REG_INVALID, index = X86_REG_INVALID, cs_index = mem->mem.index;

	if (d->base != PRESCAN_NO_REG)
		base = regs[d->base];
	if (d->index != PRESCAN_NO_REG)
		index = regs[d->index];
	if (d->flags & PRESCAN_F_VSIB)
		index = cs_index >= X86_REG_YMM0 && cs_index <= X86_REG_YMM7 ? X86_REG_YMM0 + d->index :
									       X86_REG_XMM0 + d->index;
	if (cs_index == X86_REG_EIZ)	/* "no index", spelled out */
		cs_index = X86_REG_INVALID;
	if (base != mem->mem.base || index != cs_index)
		return false;
	if (index != X86_REG_INVALID && mem->mem.scale != 1 << d->scale)
		return false;
	if (((uint32_t)d->disp & mask) != ((uint32_t)mem->mem.disp & mask))
		return false;
	/* It names a segment only when an override stands there. */
	if (d->prefixes & PRESCAN_PFX_SEG)
		return mem->mem.segment == sreg[d->seg];
	return mem->mem.segment == X86_REG_INVALID;
}

/* One of Capstone's immediates is ours, in the bits that both have. */
static bool immediate_agrees(const struct verdicts *v)
{
	const cs_x86 *x = &v->cs->detail->x86;
	uint32_t ours = v->insn.imm, mask = 0xffffffff;
	bool any = false;

	if (v->insn.opsize == 2 || v->insn.imm_size == 2)
		mask = 0xffff;
	if (v->insn.imm_size == 1 && v->insn.klass != PRESCAN_BRANCH)
		mask = 0xff;
	/* It cuts branch targets to 16 bits in 16-bit mode, even under 66, and under 67. */
	if (v->insn.klass == PRESCAN_BRANCH && (v->mode == PRESCAN_MODE_16 || v->insn.addrsize == 2))
		mask = 0xffff;

	for (unsigned int i = 0; i < x->op_count; i++) {
		uint32_t theirs = (uint32_t)x->operands[i].imm;

		if (x->operands[i].type != X86_OP_IMM)
			continue;
		any = true;
		/* A branch's operand is the target, but for RET; the instruction stands at 0. */
		if (v->insn.klass == PRESCAN_BRANCH && v->bytes[v->opcode] != 0xc2)
			theirs -= v->insn.length;
		if (!((theirs ^ ours) & mask))
			return true;
	}
	return !any;		/* CMPPS: in the name */
}

/* NULL, or what differs. */
static const char *difference(const struct verdicts *v)
{
	const cs_x86_op *mem;
	unsigned int place = 0;

	if (v->status == PRESCAN_TOO_LONG)
		return v->cs ? "Capstone found an end within 15 bytes" : NULL;
	if (v->status != PRESCAN_OK)
		return v->cs && !why_undefined(v) ? "undefined here, defined there" : NULL;
	if (!v->cs)
		return why_defined(v) ? NULL : "defined here, undefined there";

	if (!names_agree(v))
		return "mnemonic";
	if (v->insn.klass == PRESCAN_UD)
		return NULL;	/* Capstone's UD1 has no ModRM byte */
	if (v->insn.length != v->cs->size)
		return "length";
	if (v->insn.imm_size && !immediate_agrees(v))
		return "immediate";
	if (v->insn.flags & PRESCAN_F_STRING)
		return NULL;	/* implicit operands are no business of F_MEM */
	mem = memory_operand(v->cs, &place);
	if (!!mem != !!(v->insn.flags & PRESCAN_F_MEM))
		return strcmp(v->name, "xlat") ? "memory operand" : NULL;
	if (mem && !address_agrees(v, mem))
		return "address";
	if (mem && !access_agrees(v, mem, place))
		return "access";
	return NULL;
}

static void compare(struct oracle *oracle, const uint8_t *bytes, enum prescan_mode mode)
{
	struct verdicts v = { .bytes = bytes, .mode = mode };
	const uint8_t *p = bytes;
	size_t left = PRESCAN_INSN_MAX;
	uint64_t address = 0;
	const char *what;

	scan_prefixes(&v);
	v.status = prescan_decode(bytes, PRESCAN_INSN_MAX, mode, &v.insn);
	assert_int_not_equal(v.status, PRESCAN_NEED_MORE);
	if (beyond_capstone(&v))
		return;
	if (v.status == PRESCAN_OK)
		lower_case(v.name, sizeof(v.name), prescan_mnemonic(&v.insn));
	if (cs_disasm_iter(oracle->handle[mode], &p, &left, &address, oracle->insn[mode])) {
		v.cs = oracle->insn[mode];
		v.cs_name = without_prefix_words(v.cs->mnemonic);
	}
	oracle->compared++;
	oracle->both_defined += v.cs && v.status == PRESCAN_OK;

	what = difference(&v);
	if (!what)
		return;
	if (oracle->shown++ < SHOWN_AT_MOST) {
		print_error("%s-bit, %s: ours %s (%d bytes), Capstone's %s %s (%d bytes):", mode ? "32" : "16", what,
			    v.status == PRESCAN_OK ? v.name : "-", v.status == PRESCAN_OK ? v.insn.length : 0,
			    v.cs ? v.cs->mnemonic : "-", v.cs ? v.cs->op_str : "", v.cs ? v.cs->size : 0);
		for (int i = 0; i < PRESCAN_INSN_MAX; i++)
			print_error(" %02x", bytes[i]);
		print_error("\n");
	}
}

static int open_oracle(void **state)
{
	struct oracle *oracle = calloc(1, sizeof(*oracle));

	if (!oracle)
		return -1;
	for (int mode = PRESCAN_MODE_16; mode <= PRESCAN_MODE_32; mode++) {
		if (cs_open(CS_ARCH_X86, mode ? CS_MODE_32 : CS_MODE_16, &oracle->handle[mode]) != CS_ERR_OK)
			return -1;
		cs_option(oracle->handle[mode], CS_OPT_DETAIL, CS_OPT_ON);
		oracle->insn[mode] = cs_malloc(oracle->handle[mode]);
	}
	*state = oracle;
	return 0;
}

static int close_oracle(void **state)
{
	struct oracle *oracle = *state;

	for (int mode = PRESCAN_MODE_16; mode <= PRESCAN_MODE_32; mode++) {
		cs_free(oracle->insn[mode], 1);
		cs_close(&oracle->handle[mode]);
	}
	free(oracle);
	return 0;
}

/* Each map, opcode and ModRM byte, under the prefixes that change what they mean. */
static void every_opcode_modrm_and_prefix_is_decoded_as_capstone_does(void **state)
{
	static const uint8_t prefixes[][2] = {
		{ 0 }, { 0x66 }, { 0xf3 }, { 0xf2 }, { 0xf0 }, { 0x67 }, { 0x2e }, { 0x66, 0xf3 }, { 0x66, 0xf2 },
	};
	static const uint8_t escapes[][2] = { { 0 }, { 0x0f }, { 0x0f, 0x38 }, { 0x0f, 0x3a } };
	struct oracle *oracle = *state;
	uint8_t bytes[PRESCAN_INSN_MAX];
	int n;

	for (size_t p = 0; p < PLX_ARRAY_SIZE(prefixes); p++) {
		for (int e = 0; e < 4 * 256 * 256; e++) {
			memset(bytes, 0x91, sizeof(bytes));
			n = 0;
			for (int k = 0; k < 2 && prefixes[p][k]; k++)
				bytes[n++] = prefixes[p][k];
			for (int k = 0; k < 2 && escapes[e >> 16][k]; k++)
				bytes[n++] = escapes[e >> 16][k];
			bytes[n++] = (uint8_t)(e >> 8);
			bytes[n++] = (uint8_t)e;
			compare(oracle, bytes, PRESCAN_MODE_16);
			compare(oracle, bytes, PRESCAN_MODE_32);
		}
	}
	assert_int_equal(oracle->shown, 0);
	assert_true(oracle->both_defined > 1000000);	/* it did compare */
}

static void every_vex_opcode_modrm_w_l_and_pp_is_decoded_as_capstone_does(void **state)
{
	struct oracle *oracle = *state;
	uint8_t bytes[PRESCAN_INSN_MAX];

	for (uint8_t map = 1; map <= 3; map++) {
		for (int fields = 0; fields < 32; fields++) {	/* W, vvvv = 1111b or 1101b, L, pp */
			for (int e = 0; e < 256 * 256; e++) {
				memset(bytes, 0x91, sizeof(bytes));
				bytes[0] = 0xc4;
				bytes[1] = 0xe0 | map;
				bytes[2] = (uint8_t)((fields & 16) << 3 | (fields & 8 ? 0x78 : 0x68) | (fields & 7));
				bytes[3] = (uint8_t)(e >> 8);
				bytes[4] = (uint8_t)e;
				compare(oracle, bytes, PRESCAN_MODE_32);
			}
		}
	}
	assert_int_equal(oracle->shown, 0);
	assert_true(oracle->both_defined > 400000);
}

/* Half of them plain noise, half with the first bytes chosen to reach far maps. */
static void random_bytes_are_decoded_as_capstone_does(void **state)
{
	static const uint8_t openers[16] = {
		0x66, 0xf3, 0xf2, 0x67, 0x0f, 0x0f, 0x0f, 0x0f, 0x64, 0xc4, 0xc5, 0xff, 0xd9, 0xdb, 0x0f, 0x8b,
	};
	struct oracle *oracle = *state;
	uint64_t x = 0x9e3779b97f4a7c15u;	/* xorshift64; the seed is fixed */
	uint8_t bytes[PRESCAN_INSN_MAX + 1];

	for (long i = 0; i < RANDOM_STRINGS; i++) {
		for (size_t k = 0; k < sizeof(bytes); k += 8) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			memcpy(bytes + k, &x, 8);
		}
		if (i & 2) {
			bytes[0] = openers[bytes[0] & 15];
			bytes[1] = bytes[0] >= 0xc4 && bytes[0] <= 0xc5 ? bytes[1] | 0xc0 : bytes[1];
			if (bytes[0] == 0x66 || bytes[0] == 0x67)
				bytes[1] = openers[bytes[1] & 15];
		}
		compare(oracle, bytes, i & 1 ? PRESCAN_MODE_32 : PRESCAN_MODE_16);
	}
	assert_int_equal(oracle->shown, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_opcode_modrm_and_prefix_is_decoded_as_capstone_does,
						open_oracle, close_oracle),
		cmocka_unit_test_setup_teardown(every_vex_opcode_modrm_w_l_and_pp_is_decoded_as_capstone_does,
						open_oracle, close_oracle),
		cmocka_unit_test_setup_teardown(random_bytes_are_decoded_as_capstone_does,
						open_oracle, close_oracle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
