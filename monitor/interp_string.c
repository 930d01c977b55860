/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_string.c - MOVS CMPS STOS LODS SCAS, alone and repeated.
 *
 * A repeated instruction is interruptible between elements, its registers always telling how far it got. So a
 * fault in element k leaves k elements done, and mon_interp_one() may stop early with EIP still at the instruction.
 *
 * Two speeds: REP MOVS and REP STOS upward within RAM go a run at a time through a small buffer (never more than
 * reaches the end of a page); everything else, and the first element of everything that might fault, goes one by one.
 *
 * Asked by:  interp.c's tables.
 * Tested by: tests/unit/test_interp.c, tests/unit/test_interp_bare.c.
 */
#include "monitor/interp.h"
#include "monitor/interp_flags.h"
#include "monitor/interp_repeat.h"

FLAGS_BINARY(op_cmp, "cmp")

static enum mon_status movs(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int size)
{
	uint32_t from, to, value = 0;

	/* The destination is asked before the source is read: the source may be a device. */
	IP_TRY(ip_probe_read(v, in->seg, ip_reg(v, X86_ESI, in->addrsize), size, &from));
	IP_TRY(ip_probe_write(v, X86_ES, ip_reg(v, X86_EDI, in->addrsize), size, &to));
	IP_TRY(mon_read(v, from, &value, size, MON_ACC_READ));
	IP_TRY(mon_write(v, to, &value, size, MON_ACC_WRITE));
	ip_string_advance(v, in, X86_ESI, size, 1);
	ip_string_advance(v, in, X86_EDI, size, 1);
	return MON_OK;
}

static enum mon_status stos(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int size)
{
	IP_TRY(ip_store(v, X86_ES, ip_reg(v, X86_EDI, in->addrsize), size, v->gpr[X86_EAX]));
	ip_string_advance(v, in, X86_EDI, size, 1);
	return MON_OK;
}

static enum mon_status lods(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int size)
{
	uint32_t value;

	IP_TRY(ip_load(v, in->seg, ip_reg(v, X86_ESI, in->addrsize), size, &value));
	ip_set_reg(v, X86_EAX, size, value);
	ip_string_advance(v, in, X86_ESI, size, 1);
	return MON_OK;
}

static enum mon_status scas(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int size)
{
	uint32_t value;

	IP_TRY(ip_load(v, X86_ES, ip_reg(v, X86_EDI, in->addrsize), size, &value));
	op_cmp(size, v->gpr[X86_EAX], value, &v->eflags);
	ip_string_advance(v, in, X86_EDI, size, 1);
	return MON_OK;
}

static enum mon_status cmps(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int size)
{
	uint32_t a, b;

	IP_TRY(ip_load(v, in->seg, ip_reg(v, X86_ESI, in->addrsize), size, &a));
	IP_TRY(ip_load(v, X86_ES, ip_reg(v, X86_EDI, in->addrsize), size, &b));
	op_cmp(size, a, b, &v->eflags);
	ip_string_advance(v, in, X86_ESI, size, 1);
	ip_string_advance(v, in, X86_EDI, size, 1);
	return MON_OK;
}

static enum mon_status element(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int size)
{
	switch (in->opcode & 0xfe) {
	case 0xa4: return movs(v, in, size);
	case 0xa6: return cmps(v, in, size);
	case 0xaa: return stos(v, in, size);
	case 0xac: return lods(v, in, size);
	default:   return scas(v, in, size);		/* AE */
	}
}

/* ---- runs ---- */

/* Both return how many elements were done at once; 0: go one by one. */

static uint32_t run_of_stos(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int size, uint32_t count)
{
	struct ip_run to;
	uint32_t buf[IP_RUN_BYTES / 4], nbytes;
	uint32_t pattern = v->gpr[X86_EAX];

	if (!ip_run_find(v, in, X86_ES, X86_EDI, size, count, MON_ACC_WRITE, &to))
		return 0;
	if (size == 1)
		pattern = (pattern & 0xff) * 0x01010101u;
	else if (size == 2)
		pattern = (pattern & 0xffff) * 0x00010001u;
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(buf); i++)
		buf[i] = pattern;
	nbytes = to.count * size;
	for (uint32_t at = 0; at < nbytes; at += IP_RUN_BYTES)
		mon_phys_write(v, to.gpa + at, buf, plx_min32(nbytes - at, IP_RUN_BYTES));
	ip_string_advance(v, in, X86_EDI, size, to.count);
	return to.count;
}

static uint32_t run_of_movs(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int size, uint32_t count)
{
	struct ip_run from, to;
	uint8_t buf[IP_RUN_BYTES];
	uint32_t nbytes;

	if (!ip_run_find(v, in, in->seg, X86_ESI, size, count, MON_ACC_READ, &from) ||
	    !ip_run_find(v, in, X86_ES, X86_EDI, size, from.count, MON_ACC_WRITE, &to))
		return 0;
	nbytes = to.count * size;
	/* A destination that starts inside the source repeats what was just written: one by one, then. */
	if (to.gpa - from.gpa < nbytes)
		return 0;
	for (uint32_t at = 0; at < nbytes; at += IP_RUN_BYTES) {
		uint32_t n = plx_min32(nbytes - at, IP_RUN_BYTES);

		mon_phys_read(v, from.gpa + at, buf, n);
		mon_phys_write(v, to.gpa + at, buf, n);
	}
	ip_string_advance(v, in, X86_ESI, size, to.count);
	ip_string_advance(v, in, X86_EDI, size, to.count);
	return to.count;
}

INTERP_HANDLER(interp_string)
{
	unsigned int size = ip_wsize(in), kind = in->opcode & 0xfe;
	bool compares = kind == 0xa6 || kind == 0xae;
	uint32_t budget = IP_REPEAT_BUDGET, left, done;

	if (!ip_repeats(in)) {
		IP_TRY(element(v, in, size));
		return ip_done(v, in);
	}

	for (;;) {
		left = ip_reg(v, X86_ECX, in->addrsize);
		if (left == 0)
			return ip_done(v, in);
		if (budget == 0)
			return MON_OK;			/* EIP stays: as if an interrupt had come between elements */

		done = 0;
		if (left > 1 && ip_may_run(v)) {
			if (kind == 0xaa)
				done = run_of_stos(v, in, size, left);
			else if (kind == 0xa4)
				done = run_of_movs(v, in, size, left);
		}
		if (done == 0) {
			enum mon_status status = element(v, in, size);

			if (status != MON_OK)
				return status;
			done = 1;
		}
		ip_set_reg(v, X86_ECX, in->addrsize, left - done);
		/* REPE goes on while ZF is 1, REPNE while it is 0. */
		if (compares && !(v->eflags & X86_FLAG_ZF) == !!(in->prefixes & PRESCAN_PFX_REP))
			return ip_done(v, in);
		if (ip_traps_between(v) && left != done)
			return MON_OK;
		budget -= plx_min32(done, budget);
	}
}
