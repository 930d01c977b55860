/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/oracle/capstone.c - what Capstone says of a byte string, and whether that is what prescan says.
 *
 * Two decoders written apart rarely make the same mistake. The two must agree on: defined or not, length, mnemonic, the
 * address (base, index, scale, displacement, segment), what is done to the memory operand, and the immediate. Where they
 * differ, the SDM decides: names are listed in capstone_errata.h, rules are functions here, and each carries its
 * reason. Capstone 4.0.2 needs many: it is lenient, above all in 16-bit mode; zydis.c needs few.
 *
 * Read next: tests/oracle/capstone_errata.h, then tests/oracle/zydis.c.
 */
#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/capstone_errata.h"
#include "tests/oracle/verdict.h"

#define ORACLE "Capstone"
static const char short_ud[] = "UD0 and UD1 have a ModRM byte (SDM 2B, \"UD\"); Capstone's have none";

struct capstone {
	csh handle[2];		/* by enum prescan_mode */
	cs_insn *insn[2];
};

/* A verdict and Capstone's. */
struct judged {
	struct verdict v;
	const cs_insn *cs;	/* NULL: undefined */
	const char *cs_name;	/* without "rep", "lock", ... */
	struct tally *tally;
	bool explained;
};

/* That explanation was needed. Always true, to be returned. */
static bool use(struct judged *j, const char *why)
{
	if (j->tally)
		tally_add(j->tally, ORACLE, why, &j->v);
	j->explained = true;
	return true;
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

static bool names_agree(struct judged *j)
{
	size_t n = strlen(j->v.name), cs_n = strlen(j->cs_name);

	if (!strcmp(j->v.name, j->cs_name))
		return true;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(same_name); i++)
		if (!strcmp(same_name[i][0], j->v.name) && !strcmp(same_name[i][1], j->cs_name))
			return true;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(wrong_name); i++)
		if (!strcmp(wrong_name[i].ours, j->v.name) && !strcmp(wrong_name[i].theirs, j->cs_name))
			return use(j, wrong_name[i].why);
	/* CMPPS with its predicate in the name: cmpeqps, vcmplt_oqss, ... */
	if ((name_matches("cmp*", j->v.name) || name_matches("vcmp*", j->v.name)) && n >= 5 && cs_n > n &&
	    !strncmp(j->v.name, j->cs_name, n - 2) && !strcmp(j->v.name + n - 2, j->cs_name + cs_n - 2))
		return true;
	if (verdict_byte(&j->v, 0) == 0xe3)
		return use(j, "JCXZ or JECXZ: 67 counts wherever among the prefixes it stands (SDM 2A, \"Instruction Prefixes\"); Capstone wants it last");
	if (j->v.insn.klass == PRESCAN_UD && name_matches("ud*", j->cs_name))
		return use(j, "UD0, UD1: their names changed places between editions; SDM 2B, \"UD\" is ours");
	return false;
}

/* Would @bytes, which differ a little from @j's, be what Capstone says of @j? */
static bool explains(const struct judged *j, const uint8_t *bytes)
{
	struct judged other = *j;

	other.tally = NULL;
	verdict_make(&other.v, bytes, j->v.mode);
	return other.v.status == PRESCAN_OK && names_agree(&other);
}

/* The same without those prefixes? */
static bool defined_without(const struct judged *j, bool keep_66)
{
	uint8_t bytes[PRESCAN_INSN_MAX] = { 0 };
	unsigned int n = 0;

	for (unsigned int i = 0; i < PRESCAN_INSN_MAX; i++) {
		uint8_t b = j->v.bytes[i];

		if (i < j->v.opcode && (b == 0xf3 || b == 0xf2 || (b == 0x66 && !keep_66)))
			continue;
		bytes[n++] = b;
	}
	return explains(j, bytes);
}

/* The same with other bits in the last byte of its VEX prefix? */
static bool defined_with_other_vex(const struct judged *j, uint8_t flipped)
{
	uint8_t bytes[PRESCAN_INSN_MAX];

	if (!verdict_is_vex(&j->v) || verdict_byte(&j->v, 0) != 0xc4 || j->v.opcode > 10)
		return false;
	memcpy(bytes, j->v.bytes, sizeof(bytes));
	bytes[j->v.opcode + 2] ^= flipped;
	return explains(j, bytes);
}

/* Is it one of the eighteen that SDM 2A, "LOCK" names, with a memory destination? Capstone's names. */
static bool may_be_locked(const struct judged *j)
{
	static const char *const names[] = {
		"add", "adc", "and", "btc", "btr", "bts", "cmpxchg", "cmpxchg8b", "dec", "inc", "neg", "not", "or", "sbb",
		"sub", "xor", "xadd", "xchg",
	};
	const cs_x86 *x = &j->cs->detail->x86;

	if (!x->op_count || (x->operands[0].type != X86_OP_MEM && strcmp(j->cs_name, "xchg")))
		return false;
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], j->cs_name))
			return !strcmp(names[i], "xchg") ? x->operands[0].type == X86_OP_MEM || x->operands[1].type == X86_OP_MEM : true;
	return false;
}

/* Capstone says an instruction, we say #UD. Why is it wrong? NULL: it is not. */
static const char *why_undefined(const struct judged *j)
{
	const struct verdict *v = &j->v;
	uint8_t op = verdict_byte(v, 0), next = verdict_byte(v, 1), modrm = verdict_byte(v, 2);

	if (verdict_is_evex(v))
		return "EVEX (AVX-512): the guest's CPUID has none, so it is #UD (SDM 2A, \"Intel AVX-512 Encoding\")";
	if (verdict_is_xop(v))
		return "XOP: the guest's CPUID has none; 8F with ModRM.reg other than 0 is #UD (SDM 2D, \"Opcode Extensions\", group 1A)";
	for (size_t i = 0; i < PLX_ARRAY_SIZE(refused_on_purpose); i++)
		if (name_matches(refused_on_purpose[i], j->cs_name))
			return "an extension that the guest's CPUID does not have, and so #UD: capstone_errata.h, refused_on_purpose";
	if ((v->prefixes & SEEN_LOCK) && !may_be_locked(j))
		return "LOCK where SDM 2A, \"LOCK\" does not allow it: #UD";
	if (verdict_is_vex(v) && v->prefixes & ~(unsigned int)SEEN_67)
		return "66, F2, F3, LOCK before VEX: #UD (SDM 2A, \"VEX and the LOCK prefix\", \"VEX and the 66H, F2H, and F3H prefixes\")";
	if (verdict_is_escape(v) && v->prefixes && (defined_without(j, false) || defined_without(j, true)))
		return "the row exists without that mandatory prefix only (SDM 2D, \"Opcode Map\"); Capstone ignores the prefix";
	if (defined_with_other_vex(j, 0x80))
		return "VEX.W is fixed on the SDM's page of it; Capstone ignores the bit";
	if (defined_with_other_vex(j, 0x40) || defined_with_other_vex(j, 0xc0))
		return "VEX.vvvv must be 1111b, all four bits (SDM 2A, \"VEX.vvvv\"); Capstone looks at three of them outside 64-bit mode";
	if (name_matches("vgather*", j->cs_name) || name_matches("vpgather*", j->cs_name))
		return "a gather with two equal registers, or without SIB byte: #UD (SDM 2C, \"VPGATHERDD\")";
	if (op == 0x0f && next == 0x0f && !strcmp(j->cs_name, "femms"))
		return "FEMMS is 0F 0E (AMD APM 3, \"FEMMS\"), not 0F 0F with suffix 0E";
	if (op == 0x8e && (next & 0x38) == 0x08)
		return "MOV to CS: #UD (SDM 2B, \"MOV\")";
	if (op == 0x0f && (next == 0x20 || next == 0x22))
		return "CR1 and CR5 to CR15: #UD (SDM 2B, \"MOV - Move to/from Control Registers\")";
	if (op == 0x0f && next == 0x78 && (modrm & 0x38))
		return "EXTRQ is /0 (AMD APM 4, \"EXTRQ\")";
	return NULL;
}

/* We say an instruction, Capstone says none. Why is it wrong? */
static const char *why_defined(const struct judged *j)
{
	for (size_t i = 0; i < PLX_ARRAY_SIZE(unknown_to_capstone); i++)
		if (!strcmp(unknown_to_capstone[i].name, j->v.name))
			return unknown_to_capstone[i].why;
	if ((j->v.insn.flags & PRESCAN_F_MOFFS) && (j->v.prefixes & SEEN_66) && (j->v.prefixes & (SEEN_F3 | SEEN_F2)))
		return "MOV with moffs takes any prefix (SDM 2B, \"MOV\"); Capstone refuses A0-A3 with 66 and F2 or F3";
	return NULL;
}

/* Encodings on which Capstone's answer means nothing, whatever it is. */
static const char *beyond_capstone(const struct verdict *v)
{
	uint8_t last = v->opcode ? v->bytes[v->opcode - 1] : 0;
	bool escape = verdict_is_escape(v);

	/* the_mode_changes_sizes_and_nothing_else() in test_decode.c, and Zydis, stand for this. */
	if (v->mode == PRESCAN_MODE_16 && escape && (v->prefixes & (SEEN_66 | SEEN_67 | SEEN_F2 | SEEN_F3)))
		return "not asked: in 16-bit mode Capstone takes the unprefixed row of two-byte opcodes whatever the prefix";
	if (!escape && (v->prefixes & SEEN_66) && (v->prefixes & (SEEN_F2 | SEEN_F3)))
		return "not asked: of 66 together with F2 or F3 Capstone drops the 66, so sizes and lengths are wrong";
	if (escape && (v->prefixes & (SEEN_F3 | SEEN_F2)) && last != 0xf3 && last != 0xf2)
		return "not asked: Capstone knows a mandatory prefix only as the last of the prefixes; SDM 2A, \"Instruction Prefixes\" gives no order";
	if (escape && (v->prefixes & (SEEN_66 | SEEN_F2 | SEEN_F3)) == SEEN_66 && last != 0x66)
		return "not asked: Capstone knows a mandatory prefix only as the last of the prefixes; SDM 2A, \"Instruction Prefixes\" gives no order";
	if (escape && (verdict_byte(v, 1) & 0xfe) == 0x78 && v->prefixes)
		return "not asked: EXTRQ and INSERTQ with immediates (AMD APM 4) are VMREAD to Capstone";
	return NULL;
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

static bool access_agrees(struct judged *j, const cs_x86_op *mem, unsigned int place)
{
	enum access theirs = mem->access == CS_AC_READ ? A_READ : mem->access == CS_AC_WRITE ? A_WRITE :
			       mem->access == (CS_AC_READ | CS_AC_WRITE) ? A_RW : A_NONE;
	enum access expected = theirs, ours = A_NONE;

	for (size_t i = 0; i < PLX_ARRAY_SIZE(access_by_sdm); i++)
		if (name_matches(access_by_sdm[i].name, j->v.name))
			expected = access_by_sdm[i].access;
	if (expected == A_BY_PLACE)
		expected = place == 0 ? A_WRITE : A_READ;
	if (expected != theirs)
		use(j, "what is done to the memory operand: the SDM's page of each instruction, \"Description\"; Capstone calls nearly all SSE stores reads, and what LEA forms an access");
	if (j->v.insn.flags & PRESCAN_F_MEM_READ)
		ours = A_READ;
	if (j->v.insn.flags & PRESCAN_F_MEM_WRITE)
		ours = ours == A_READ ? A_RW : A_WRITE;
	return ours == expected;
}

static bool address_agrees(const struct judged *j, const cs_x86_op *mem)
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
	const struct prescan_insn *d = &j->v.insn;
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
static bool immediate_agrees(const struct judged *j)
{
	const cs_x86 *x = &j->cs->detail->x86;
	uint32_t ours = j->v.insn.imm, mask = 0xffffffff;
	bool any = false;

	if (j->v.insn.opsize == 2 || j->v.insn.imm_size == 2)
		mask = 0xffff;
	if (j->v.insn.imm_size == 1 && j->v.insn.klass != PRESCAN_BRANCH)
		mask = 0xff;
	/* It cuts branch targets to 16 bits in 16-bit mode, even under 66, and under 67. */
	if (j->v.insn.klass == PRESCAN_BRANCH && (j->v.mode == PRESCAN_MODE_16 || j->v.insn.addrsize == 2))
		mask = 0xffff;

	for (unsigned int i = 0; i < x->op_count; i++) {
		uint32_t theirs = (uint32_t)x->operands[i].imm;

		if (x->operands[i].type != X86_OP_IMM)
			continue;
		any = true;
		/* A branch's operand is the target, but for RET; the instruction stands at 0. */
		if (j->v.insn.klass == PRESCAN_BRANCH && verdict_byte(&j->v, 0) != 0xc2)
			theirs -= j->v.insn.length;
		if (!((theirs ^ ours) & mask))
			return true;
	}
	return !any;		/* CMPPS: in the name */
}

/* NULL, or what differs and is not explained. */
static const char *difference(struct judged *j)
{
	const cs_x86_op *mem;
	unsigned int place = 0;
	const char *why;

	if (j->v.status == PRESCAN_TOO_LONG) {
		if (!j->cs)
			return NULL;
		if (verdict_is_escape(&j->v) && (verdict_byte(&j->v, 1) == 0xb9 || verdict_byte(&j->v, 1) == 0xff) &&
		    use(j, short_ud))
			return NULL;
		return "an end found within 15 bytes";
	}
	if (j->v.status != PRESCAN_OK) {
		if (!j->cs)
			return NULL;
		why = why_undefined(j);
		return why && use(j, why) ? NULL : "undefined here, defined there";
	}
	if (!j->cs) {
		why = why_defined(j);
		return why && use(j, why) ? NULL : "defined here, undefined there";
	}
	if (!names_agree(j))
		return "mnemonic";
	if (j->v.insn.klass == PRESCAN_UD && j->v.insn.length != j->cs->size) {
		use(j, short_ud);
		return NULL;
	}
	if (j->v.insn.length != j->cs->size)
		return "length";
	if (j->v.insn.klass == PRESCAN_UD)
		return NULL;
	if (j->v.insn.imm_size && !immediate_agrees(j))
		return "immediate";
	if (j->v.insn.flags & PRESCAN_F_STRING)
		return NULL;	/* implicit operands are no business of F_MEM */
	mem = memory_operand(j->cs, &place);
	if (!!mem != !!(j->v.insn.flags & PRESCAN_F_MEM))
		return strcmp(j->v.name, "xlat") ? "memory operand" : NULL;
	if (mem && !address_agrees(j, mem))
		return "address";
	if (mem && !access_agrees(j, mem, place))
		return "access";
	return NULL;
}

enum outcome capstone_judge(struct capstone *c, const struct verdict *v, struct tally *t, struct difference *d)
{
	struct judged j = { .v = *v, .tally = t };
	const uint8_t *p = v->bytes;
	size_t left = PRESCAN_INSN_MAX;
	uint64_t address = 0;
	const char *why = beyond_capstone(v);

	if (why) {
		use(&j, why);
		return EXPLAINED;
	}
	if (cs_disasm_iter(c->handle[v->mode], &p, &left, &address, c->insn[v->mode])) {
		j.cs = c->insn[v->mode];
		j.cs_name = without_prefix_words(j.cs->mnemonic);
	}
	d->what = difference(&j);
	if (!d->what)
		return j.explained ? EXPLAINED : AGREE;
	if (j.cs)
		snprintf(d->theirs, sizeof(d->theirs), "%s %.60s (%u bytes)", j.cs->mnemonic, j.cs->op_str, j.cs->size);
	else
		snprintf(d->theirs, sizeof(d->theirs), "undefined");
	return UNEXPLAINED;
}

struct capstone *capstone_open(void)
{
	struct capstone *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	for (int mode = PRESCAN_MODE_16; mode <= PRESCAN_MODE_32; mode++) {
		if (cs_open(CS_ARCH_X86, mode ? CS_MODE_32 : CS_MODE_16, &c->handle[mode]) != CS_ERR_OK) {
			capstone_close(c);
			return NULL;
		}
		cs_option(c->handle[mode], CS_OPT_DETAIL, CS_OPT_ON);
		c->insn[mode] = cs_malloc(c->handle[mode]);
	}
	return c;
}

void capstone_close(struct capstone *c)
{
	for (int mode = PRESCAN_MODE_16; mode <= PRESCAN_MODE_32; mode++) {
		if (!c->handle[mode])
			continue;
		cs_free(c->insn[mode], 1);
		cs_close(&c->handle[mode]);
	}
	free(c);
}
