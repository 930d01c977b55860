/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/fuzz/fuzz_decode.c - what prescan.h promises of prescan_decode(), for any bytes.
 *
 * The input lies at the end of a heap block of its own size, so that a sanitizer sees a byte read too many.
 */
#include <string.h>

#include "prescan/prescan.h"
#include "tests/fuzz/fuzz.h"

static void offsets_lie_inside(const struct prescan_insn *d)
{
	FUZZ_REQUIRE(d->length >= 1 && d->length <= PRESCAN_INSN_MAX, "length %u", d->length);
	FUZZ_REQUIRE(d->opcode_off < d->length, "opcode at %u of %u", d->opcode_off, d->length);
	if (d->flags & PRESCAN_F_MODRM)
		FUZZ_REQUIRE(d->modrm_off > d->opcode_off && d->modrm_off < d->length, "ModRM at %u of %u", d->modrm_off, d->length);
	if (d->disp_size)
		FUZZ_REQUIRE(d->disp_off + d->disp_size <= d->length, "displacement at %u of %u", d->disp_off, d->length);
	if (d->imm_size)
		FUZZ_REQUIRE(d->imm_off + d->imm_size + d->imm2_size <= d->length, "immediate at %u of %u", d->imm_off, d->length);
	FUZZ_REQUIRE(d->klass > PRESCAN_REFUSE && d->klass < PRESCAN_NR_CLASSES, "class %u", d->klass);
	FUZZ_REQUIRE(d->map < PRESCAN_NR_MAPS && d->id < prescan_nr_rows(), "map %u, row %u", d->map, d->id);
	FUZZ_REQUIRE(d->seg <= 5 && (d->opsize == 2 || d->opsize == 4) && (d->addrsize == 2 || d->addrsize == 4),
		     "segment %u, sizes %u %u", d->seg, d->opsize, d->addrsize);
	FUZZ_REQUIRE(*prescan_mnemonic(d) != '(' && *prescan_reason(d), "a row without a name");
	FUZZ_REQUIRE(!(d->flags & PRESCAN_F_AGEN) || !(d->flags & (PRESCAN_F_MEM_READ | PRESCAN_F_MEM_WRITE)),
		     "an address that is formed and used");
}

static void in_mode(const uint8_t *bytes, size_t n, enum prescan_mode mode)
{
	struct prescan_insn insn, again, untouched;
	enum prescan_status status, shorter;

	memset(&insn, 0xa5, sizeof(insn));
	memset(&untouched, 0xa5, sizeof(untouched));
	status = prescan_decode(bytes, n, mode, &insn);
	switch (status) {
	case PRESCAN_OK:
		offsets_lie_inside(&insn);
		/* What stands behind it does not matter, and nothing less will do. */
		FUZZ_REQUIRE(prescan_decode(bytes, insn.length, mode, &again) == PRESCAN_OK &&
			     !memcmp(&again, &insn, sizeof(insn)), "its own bytes are not enough");
		for (unsigned int k = 1; k < insn.length; k++) {
			shorter = prescan_decode(bytes, k, mode, &again);
			FUZZ_REQUIRE(shorter == PRESCAN_NEED_MORE, "%u bytes of %u give status %d", k, insn.length, shorter);
		}
		break;
	case PRESCAN_NEED_MORE:
		FUZZ_REQUIRE(n < PRESCAN_INSN_MAX, "more than 15 bytes are wanted");
		FUZZ_REQUIRE(!memcmp(&insn, &untouched, sizeof(insn)), "the result was written");
		break;
	case PRESCAN_UNDEFINED:
		FUZZ_REQUIRE(insn.length >= 1 && insn.length <= PRESCAN_INSN_MAX, "looked at %u bytes", insn.length);
		untouched.length = insn.length;
		FUZZ_REQUIRE(!memcmp(&insn, &untouched, sizeof(insn)), "more than the length was written");
		break;
	case PRESCAN_TOO_LONG:
		FUZZ_REQUIRE(n >= PRESCAN_INSN_MAX, "%zu bytes are too long", n);
		FUZZ_REQUIRE(!memcmp(&insn, &untouched, sizeof(insn)), "the result was written");
		break;
	}
}

void fuzz_decode(const uint8_t *data, size_t n)
{
	uint8_t *copy;

	if (!n)
		return;
	/* A string of instructions: each place is a beginning. */
	for (size_t at = 0; at < n && at < 64; at++) {
		size_t left = n - at < 20 ? n - at : 20;

		copy = malloc(left);
		if (!copy)
			abort();
		memcpy(copy, data + at, left);
		in_mode(copy, left, PRESCAN_MODE_16);
		in_mode(copy, left, PRESCAN_MODE_32);
		free(copy);
	}
}
