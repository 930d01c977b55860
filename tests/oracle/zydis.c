/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/oracle/zydis.c - the second opinion: what Zydis says of a byte string, and whether that is what prescan says.
 *
 * Zydis is strict where Capstone is lenient, so little has to be explained, and what Capstone cannot be asked (16-bit
 * mode above all) is asked here. Compared: defined or not, length, mnemonic, the address, what is done to the memory
 * operand, immediates. Zydis is told to leave out MPX, CET and CLDEMOTE: the hint opcodes are NOPs in the guest's CPUID.
 *
 * A test-time library (libzydis-dev): without it zydis_open() says NULL, and who asked skips.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/verdict.h"

#ifndef HAVE_ZYDIS
struct zydis *zydis_open(void) { return NULL; }
void zydis_close(struct zydis *z) { (void)z; }
enum outcome zydis_judge(struct zydis *z, const struct verdict *v, struct tally *t, struct difference *d)
{
	(void)z, (void)v, (void)t, (void)d;
	return AGREE;
}
#else
#include <Zydis/Zydis.h>

#include "plexus/x86.h"
#include "tests/oracle/zydis_errata.h"

#define ORACLE "Zydis"

struct zydis {
	ZydisDecoder decoder[2];	/* by enum prescan_mode */
};

struct judged {
	struct verdict v;
	bool defined;
	ZyanStatus status;
	const char *z_name;
	ZydisDecodedInstruction z;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	struct tally *tally;
	bool explained;
};

static bool use(struct judged *j, const char *why)
{
	tally_add(j->tally, ORACLE, why, &j->v);
	j->explained = true;
	return true;
}

static bool names_agree(struct judged *j)
{
	if (!strcmp(j->v.name, j->z_name))
		return true;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(zydis_same_name); i++)
		if (!strcmp(zydis_same_name[i][0], j->v.name) && name_matches(zydis_same_name[i][1], j->z_name))
			return true;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(zydis_wrong_name); i++)
		if (!strcmp(zydis_wrong_name[i].ours, j->v.name) && !strcmp(zydis_wrong_name[i].theirs, j->z_name))
			return use(j, zydis_wrong_name[i].why);
	return false;
}

static const char *why_undefined(const struct judged *j)
{
	const struct verdict *v = &j->v;

	if (verdict_is_evex(v))
		return "EVEX (AVX-512): the guest's CPUID has none, so it is #UD (SDM 2A, \"Intel AVX-512 Encoding\")";
	if (verdict_is_xop(v))
		return "XOP: the guest's CPUID has none; 8F with ModRM.reg other than 0 is #UD (SDM 2D, \"Opcode Extensions\", group 1A)";
	for (size_t i = 0; i < PLX_ARRAY_SIZE(zydis_refused); i++)
		if (name_matches(zydis_refused[i].name, j->z_name))
			return zydis_refused[i].why;
	return NULL;
}

static const char *why_defined(const struct judged *j)
{
	for (size_t i = 0; i < PLX_ARRAY_SIZE(unknown_to_zydis); i++)
		if (name_matches(unknown_to_zydis[i].name, j->v.name))
			return unknown_to_zydis[i].why;
	return NULL;
}

static const ZydisDecodedOperand *memory_operand(const struct judged *j)
{
	for (unsigned int i = 0; i < j->z.operand_count; i++)
		if (j->op[i].type == ZYDIS_OPERAND_TYPE_MEMORY && j->op[i].visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
			return &j->op[i];
	return NULL;
}

static bool address_agrees(const struct judged *j, const ZydisDecodedOperand *mem)
{
	static const ZydisRegister sreg[] = {
		ZYDIS_REGISTER_ES, ZYDIS_REGISTER_CS, ZYDIS_REGISTER_SS, ZYDIS_REGISTER_DS, ZYDIS_REGISTER_FS, ZYDIS_REGISTER_GS,
	};
	const struct prescan_insn *d = &j->v.insn;
	uint32_t mask = d->addrsize == 4 ? 0xffffffff : 0xffff;
	int first = d->addrsize == 4 ? ZYDIS_REGISTER_EAX : ZYDIS_REGISTER_AX;
	int base = ZYDIS_REGISTER_NONE, index = ZYDIS_REGISTER_NONE, z_index = mem->mem.index;

	if (d->base != PRESCAN_NO_REG)
		base = first + d->base;
	if (d->index != PRESCAN_NO_REG)
		index = first + d->index;
	if (d->flags & PRESCAN_F_VSIB)
		index = (z_index >= ZYDIS_REGISTER_YMM0 ? ZYDIS_REGISTER_YMM0 : ZYDIS_REGISTER_XMM0) + d->index;
	if (base != (int)mem->mem.base || index != z_index)
		return false;
	if (index != ZYDIS_REGISTER_NONE && mem->mem.scale != 1 << d->scale && d->addrsize == 4)
		return false;
	if (((uint32_t)d->disp & mask) != ((uint32_t)mem->mem.disp.value & mask))
		return false;
	return mem->mem.segment == sreg[d->seg] || (d->flags & PRESCAN_F_AGEN);
}

static bool access_agrees(struct judged *j, const ZydisDecodedOperand *mem)
{
	bool r = mem->actions & ZYDIS_OPERAND_ACTION_MASK_READ, w = mem->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
	bool ours_r = j->v.insn.flags & PRESCAN_F_MEM_READ, ours_w = j->v.insn.flags & PRESCAN_F_MEM_WRITE;

	if (mem->mem.type == ZYDIS_MEMOP_TYPE_AGEN)
		r = w = false;
	if (r == ours_r && w == ours_w)
		return true;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(zydis_access); i++)
		if (name_matches(zydis_access[i].name, j->v.name))
			return use(j, zydis_access[i].why);
	return false;
}

/* Their raw immediates are ours, byte for byte. */
static bool immediates_agree(const struct judged *j)
{
	const struct prescan_insn *d = &j->v.insn;
	const uint32_t ours[2] = { d->imm, d->imm2 };
	const uint8_t sizes[2] = { d->imm_size, d->imm2_size };

	for (unsigned int i = 0; i < 2; i++) {
		unsigned int bytes = j->z.raw.imm[i].size / 8;
		uint32_t mask = sizes[i] == 4 ? 0xffffffff : sizes[i] == 2 ? 0xffff : 0xff;

		if (d->map == PRESCAN_MAP_3DNOW)
			continue;		/* the suffix is an opcode here */
		if (bytes != sizes[i])
			return false;
		if (bytes && (((uint32_t)j->z.raw.imm[i].value.u ^ ours[i]) & mask))
			return false;
		if (bytes && !i && j->z.raw.imm[i].offset != d->imm_off)
			return false;
	}
	return true;
}

static const char *difference(struct judged *j)
{
	const struct prescan_insn *d = &j->v.insn;
	const ZydisDecodedOperand *mem;
	const char *why;

	if (j->v.status == PRESCAN_TOO_LONG)
		return j->defined ? "found an end within 15 bytes" : NULL;
	if (j->v.status != PRESCAN_OK) {
		if (!j->defined)
			return NULL;
		why = why_undefined(j);
		return why && use(j, why) ? NULL : "undefined here, defined there";
	}
	if (!j->defined) {
		why = why_defined(j);
		return why && use(j, why) ? NULL : "defined here, undefined there";
	}
	if (!names_agree(j))
		return "mnemonic";
	if (d->length != j->z.length)
		return "length";
	if (d->klass == PRESCAN_UD)
		return NULL;
	if (!immediates_agree(j))
		return "immediate";
	if (d->flags & PRESCAN_F_STRING)
		return NULL;
	mem = memory_operand(j);
	if (!!mem != !!(d->flags & PRESCAN_F_MEM))
		return "memory operand";
	if (mem && !address_agrees(j, mem))
		return "address";
	if (mem && !access_agrees(j, mem))
		return "access";
	return NULL;
}

enum outcome zydis_judge(struct zydis *z, const struct verdict *v, struct tally *t, struct difference *d)
{
	struct judged j;

	j.v = *v;
	j.tally = t;
	j.explained = false;
	j.status = ZydisDecoderDecodeFull(&z->decoder[v->mode], v->bytes, PRESCAN_INSN_MAX, &j.z, j.op);
	j.defined = ZYAN_SUCCESS(j.status);
	j.z_name = j.defined ? ZydisMnemonicGetString(j.z.mnemonic) : "";
	d->what = difference(&j);
	if (!d->what)
		return j.explained ? EXPLAINED : AGREE;
	if (j.defined)
		snprintf(d->theirs, sizeof(d->theirs), "%s (%u bytes)", j.z_name, j.z.length);
	else
		snprintf(d->theirs, sizeof(d->theirs), "undefined (status %x)", j.status);
	return UNEXPLAINED;
}

struct zydis *zydis_open(void)
{
	struct zydis *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	for (int mode = PRESCAN_MODE_16; mode <= PRESCAN_MODE_32; mode++) {
		ZydisDecoder *dec = &z->decoder[mode];

		if (!ZYAN_SUCCESS(ZydisDecoderInit(dec, mode ? ZYDIS_MACHINE_MODE_LEGACY_32 : ZYDIS_MACHINE_MODE_LEGACY_16,
						   mode ? ZYDIS_STACK_WIDTH_32 : ZYDIS_STACK_WIDTH_16))) {
			free(z);
			return NULL;
		}
		ZydisDecoderEnableMode(dec, ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
		ZydisDecoderEnableMode(dec, ZYDIS_DECODER_MODE_CET, ZYAN_FALSE);
		ZydisDecoderEnableMode(dec, ZYDIS_DECODER_MODE_CLDEMOTE, ZYAN_FALSE);
		ZydisDecoderEnableMode(dec, ZYDIS_DECODER_MODE_WBNOINVD, ZYAN_FALSE);
	}
	return z;
}

void zydis_close(struct zydis *z)
{
	free(z);
}
#endif
