/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_bit.c - bits one by one: test, scan, count, reverse, checksum, and the BMI instructions.
 *
 * Asked by:  interp.c's tables.
 * Tested by: tests/unit/test_interp_bare.c, against the bare processor.
 */
#include "monitor/interp.h"
#include "monitor/interp_flags.h"

FLAGS_BINARY_WL(op_bt, "bt")
FLAGS_BINARY_WL(op_bts, "bts")
FLAGS_BINARY_WL(op_btr, "btr")
FLAGS_BINARY_WL(op_btc, "btc")
/* A zero source leaves the destination alone on every processor since the 486, hence "a" goes in too. */
FLAGS_BINARY_WL(op_bsf, "bsf")
FLAGS_BINARY_WL(op_bsr, "bsr")
/* With REP: a processor without these runs BSF and BSR, and so would the guest's native code. */
FLAGS_BINARY_WL(op_tzcnt, "tzcnt")
FLAGS_BINARY_WL(op_lzcnt, "lzcnt")
FLAGS_VEX3(op_andn, "andn")
FLAGS_VEX3(op_bzhi, "bzhi")
FLAGS_VEX2(op_blsr, "blsr")
FLAGS_VEX2(op_blsmsk, "blsmsk")
FLAGS_VEX2(op_blsi, "blsi")

/*
 * BT BTS BTR BTC. With a register as bit offset and memory as base the offset is signed and reaches
 * beyond the operand (SDM 2A, "BT"): the word that holds the bit is found first.
 */
INTERP_HANDLER(interp_bt)
{
	unsigned int size = in->opsize, op;
	uint32_t eflags = v->eflags, a, bit, offset, linear = 0;

	if (in->opcode == 0xba) {
		op = in->reg & 3;
		bit = in->imm;
	} else {
		op = in->opcode >> 3 & 3;
		bit = ip_reg(v, in->reg, size);
	}

	if (!ip_is_mem(in)) {
		a = ip_reg(v, in->rm, size);
	} else {
		offset = ip_offset(v, in);
		if (in->opcode != 0xba) {
			int32_t index = size == 4 ? (int32_t)bit >> 5 : (int16_t)bit >> 4;

			offset += (uint32_t)index * size;
			if (in->addrsize == 2)
				offset &= 0xffff;
		}
		if (op == 0) {
			IP_TRY(ip_load(v, in->seg, offset, size, &a));
		} else {
			uint32_t buf = 0;

			IP_TRY(ip_probe_write(v, in->seg, offset, size, &linear));
			IP_TRY(mon_read(v, linear, &buf, size, MON_ACC_READ));
			a = buf;
		}
	}

	bit &= size * 8 - 1;
	switch (op) {
	case 0: op_bt(size, a, bit, &eflags); break;
	case 1: a = op_bts(size, a, bit, &eflags); break;
	case 2: a = op_btr(size, a, bit, &eflags); break;
	default: a = op_btc(size, a, bit, &eflags); break;
	}
	if (op != 0) {
		if (ip_is_mem(in))
			IP_TRY(mon_write(v, linear, &a, size, MON_ACC_WRITE));
		else
			ip_set_reg(v, in->rm, size, a);
	}
	v->eflags = eflags;
	return ip_done(v, in);
}

INTERP_HANDLER(interp_bitscan)
{
	unsigned int size = in->opsize;
	uint32_t a = v->gpr[in->reg], b;
	bool count = in->prefixes & PRESCAN_PFX_REP;

	IP_TRY(ip_rm_load(v, in, size, &b));
	if (in->opcode == 0xbc)
		a = count ? op_tzcnt(size, a, b, &v->eflags) : op_bsf(size, a, b, &v->eflags);
	else
		a = count ? op_lzcnt(size, a, b, &v->eflags) : op_bsr(size, a, b, &v->eflags);
	ip_set_reg(v, in->reg, size, a);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_popcnt)
{
	uint32_t b, n;

	if (!(in->prefixes & PRESCAN_PFX_REP) || !IP_HAS(v, leaf1_ecx, 23))
		return ip_ud(v);
	IP_TRY(ip_rm_load(v, in, in->opsize, &b));
	/* Not __builtin_popcount(): without a flag for it that is a call to a library we do not have. */
	for (n = 0; b; n++)
		b &= b - 1;
	ip_set_reg(v, in->reg, in->opsize, n);
	v->eflags = (v->eflags & ~(uint32_t)X86_FLAGS_STATUS) | (n ? 0 : X86_FLAG_ZF);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_bswap)
{
	unsigned int reg = in->opcode & 7;

	if (in->opsize == 4)
		v->gpr[reg] = __builtin_bswap32(v->gpr[reg]);
	else
		ip_set_reg(v, reg, 2, 0);	/* undefined; all silicon so far gives 0 */
	return ip_done(v, in);
}

/* The CRC-32C of @size bytes, bit-reflected, no inversions: SDM 2A, "CRC32". */
static uint32_t crc32c(uint32_t crc, uint32_t value, unsigned int size)
{
	crc ^= value;
	for (unsigned int bit = 0; bit < size * 8; bit++)
		crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	return crc;
}

INTERP_HANDLER(interp_0f38_f0)
{
	unsigned int size;
	uint32_t a;

	if (in->prefixes & PRESCAN_PFX_REPNE) {
		if (!IP_HAS(v, leaf1_ecx, 20))
			return ip_ud(v);
		size = ip_wsize(in);
		IP_TRY(ip_rm_load(v, in, size, &a));
		v->gpr[in->reg] = crc32c(v->gpr[in->reg], a, size);
		return ip_done(v, in);
	}

	if (!ip_is_mem(in) || (in->prefixes & PRESCAN_PFX_REP) || !IP_HAS(v, leaf1_ecx, 22))
		return ip_ud(v);
	size = in->opsize;
	if (in->opcode == 0xf0) {
		IP_TRY(ip_rm_load(v, in, size, &a));
		a = __builtin_bswap32(a) >> (32 - size * 8);
		ip_set_reg(v, in->reg, size, a);
	} else {
		a = __builtin_bswap32(v->gpr[in->reg] << (32 - size * 8));
		IP_TRY(ip_rm_store(v, in, size, a));
	}
	return ip_done(v, in);
}

#define HAS_BMI1(v)	IP_HAS(v, leaf7_ebx, 3)
#define HAS_BMI2(v)	IP_HAS(v, leaf7_ebx, 8)

INTERP_HANDLER(interp_andn)
{
	uint32_t b;

	if (!HAS_BMI1(v))
		return ip_ud(v);
	IP_TRY(ip_rm_load(v, in, 4, &b));
	v->gpr[in->reg] = op_andn(v->gpr[in->vex_vvvv], b, &v->eflags);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_group17)
{
	uint32_t a;

	if (!HAS_BMI1(v))
		return ip_ud(v);
	IP_TRY(ip_rm_load(v, in, 4, &a));
	switch (in->reg) {
	case 1: a = op_blsr(a, &v->eflags); break;
	case 2: a = op_blsmsk(a, &v->eflags); break;
	case 3: a = op_blsi(a, &v->eflags); break;
	default: return ip_ud(v);
	}
	v->gpr[in->vex_vvvv] = a;
	return ip_done(v, in);
}

static uint32_t deposit(uint32_t value, uint32_t mask)
{
	uint32_t out = 0;

	for (; mask; mask &= mask - 1, value >>= 1)
		if (value & 1)
			out |= mask & -mask;
	return out;
}

static uint32_t extract(uint32_t value, uint32_t mask)
{
	uint32_t out = 0;

	for (unsigned int n = 0; mask; mask &= mask - 1, n++)
		if (value & mask & -mask)
			out |= 1u << n;
	return out;
}

INTERP_HANDLER(interp_bzhi)
{
	uint32_t a;

	if (!HAS_BMI2(v))
		return ip_ud(v);
	IP_TRY(ip_rm_load(v, in, 4, &a));
	switch (in->vex_pp) {
	case 0: a = op_bzhi(a, v->gpr[in->vex_vvvv], &v->eflags); break;
	case 2: a = extract(v->gpr[in->vex_vvvv], a); break;
	case 3: a = deposit(v->gpr[in->vex_vvvv], a); break;
	default: return ip_ud(v);
	}
	v->gpr[in->reg] = a;
	return ip_done(v, in);
}

INTERP_HANDLER(interp_mulx)
{
	uint64_t product;
	uint32_t a;

	if (!HAS_BMI2(v) || in->vex_pp != 3)
		return ip_ud(v);
	IP_TRY(ip_rm_load(v, in, 4, &a));
	product = (uint64_t)v->gpr[X86_EDX] * a;
	v->gpr[in->vex_vvvv] = (uint32_t)product;	/* if both are one register, the high half stays */
	v->gpr[in->reg] = (uint32_t)(product >> 32);
	return ip_done(v, in);
}
