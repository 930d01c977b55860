/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_port.c - IN, OUT, INS, OUTS.
 *
 * Reading a port can change the device, so whatever may refuse (the I/O permission check, the memory operand) comes first.
 * REP INS and OUTS hand whole runs to the device: firmware and boot loaders read disks so, word by word.
 *
 * Asked by:  interp.c's tables.
 * Tested by: tests/unit/test_interp.c.
 */
#include "monitor/interp_repeat.h"

static uint32_t port_in(struct mon_vcpu *v, uint16_t port, unsigned int size)
{
	return v->vm->io->in(v->vm->machine, port, size) & ip_mask(size);
}

static void port_out(struct mon_vcpu *v, uint16_t port, unsigned int size, uint32_t value)
{
	v->vm->io->out(v->vm->machine, port, size, value & ip_mask(size));
}

/* E4-E7 have the port as a byte, EC-EF in DX. */
static uint16_t port_of(const struct mon_vcpu *v, const struct prescan_insn *in)
{
	return in->opcode & 8 ? (uint16_t)v->gpr[X86_EDX] : (uint8_t)in->imm;
}

INTERP_HANDLER(interp_in)
{
	unsigned int size = ip_wsize(in);
	uint16_t port = port_of(v, in);

	IP_TRY(mon_io_check(v, port, size));
	ip_set_reg(v, X86_EAX, size, port_in(v, port, size));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_out)
{
	unsigned int size = ip_wsize(in);
	uint16_t port = port_of(v, in);

	IP_TRY(mon_io_check(v, port, size));
	port_out(v, port, size, v->gpr[X86_EAX]);
	return ip_done(v, in);
}

static enum mon_status ins(struct mon_vcpu *v, const struct prescan_insn *in, uint16_t port, unsigned int size)
{
	uint32_t linear, value;

	IP_TRY(ip_probe_write(v, X86_ES, ip_reg(v, X86_EDI, in->addrsize), size, &linear));
	value = port_in(v, port, size);
	IP_TRY(mon_write(v, linear, &value, size, MON_ACC_WRITE));
	ip_string_advance(v, in, X86_EDI, size, 1);
	return MON_OK;
}

static enum mon_status outs(struct mon_vcpu *v, const struct prescan_insn *in, uint16_t port, unsigned int size)
{
	uint32_t value;

	IP_TRY(ip_load(v, in->seg, ip_reg(v, X86_ESI, in->addrsize), size, &value));
	port_out(v, port, size, value);
	ip_string_advance(v, in, X86_ESI, size, 1);
	return MON_OK;
}

/* Move up to @count elements at once. Returns how many; 0: go one by one. */
static uint32_t run_of_ports(struct mon_vcpu *v, const struct prescan_insn *in, uint16_t port, unsigned int size,
			     uint32_t count)
{
	const struct mon_io_ops *io = v->vm->io;
	bool input = !(in->opcode & 2);
	unsigned int reg = input ? X86_EDI : X86_ESI;
	uint8_t buf[IP_RUN_BYTES] __attribute__((aligned(8)));
	struct ip_run run;
	uint32_t done;

	if (!(input ? io->ins != NULL : io->outs != NULL))
		return 0;
	count = plx_min32(count, IP_RUN_BYTES / size);
	if (!ip_run_find(v, in, input ? X86_ES : in->seg, reg, size, count, input ? MON_ACC_WRITE : MON_ACC_READ, &run))
		return 0;
	if (input) {
		done = plx_min32(io->ins(v->vm->machine, port, size, buf, run.count), run.count);
		mon_phys_write(v, run.gpa, buf, done * size);
	} else {
		mon_phys_read(v, run.gpa, buf, run.count * size);
		done = plx_min32(io->outs(v->vm->machine, port, size, buf, run.count), run.count);
	}
	ip_string_advance(v, in, reg, size, done);
	return done;
}

INTERP_HANDLER(interp_string_port)
{
	unsigned int size = ip_wsize(in);
	uint16_t port = (uint16_t)v->gpr[X86_EDX];
	uint32_t budget = IP_REPEAT_BUDGET, left, done;
	enum mon_status status;

	/* The hardware asks before each element; neither DX nor the bitmap can change between them here. */
	if (!ip_repeats(in)) {
		IP_TRY(mon_io_check(v, port, size));
		IP_TRY(in->opcode & 2 ? outs(v, in, port, size) : ins(v, in, port, size));
		return ip_done(v, in);
	}

	left = ip_reg(v, X86_ECX, in->addrsize);
	if (left == 0)
		return ip_done(v, in);
	IP_TRY(mon_io_check(v, port, size));
	while (left && budget) {
		done = left > 1 && ip_may_run(v) ? run_of_ports(v, in, port, size, left) : 0;
		if (done == 0) {
			status = in->opcode & 2 ? outs(v, in, port, size) : ins(v, in, port, size);
			if (status != MON_OK)
				return status;
			done = 1;
		}
		left -= done;
		ip_set_reg(v, X86_ECX, in->addrsize, left);
		if (ip_traps_between(v) && left)
			return MON_OK;
		budget -= plx_min32(done, budget);
	}
	return left ? MON_OK : ip_done(v, in);
}
