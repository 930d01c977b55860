/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/interp_machine.h - a virtual processor with a little memory, for tests of the interpreter.
 *
 * RAM from 0, the guest's arena (the data segments of interp_machine_user()) at MACHINE_ARENA. Scratch code for
 * native.c is mapped twice, as monitor/native.h asks.
 */
#ifndef TESTS_UNIT_INTERP_MACHINE_H
#define TESTS_UNIT_INTERP_MACHINE_H

#include "monitor/mon.h"
#include "monitor/native.h"
#include "prescan/prescan.h"

#define MACHINE_RAM_BYTES (2u << 20)
#define MACHINE_ARENA 0x100000u

struct machine {
	struct mon_vcpu v;
	struct mon_vm vm;
	struct mon_native native;
	struct mon_cpu_features features;	/* all there are */
	uint8_t fpu[512] __attribute__((aligned(64)));
	/* The one port device and the one MMIO device: they remember and count. */
	uint32_t port_value, port_reads, port_writes, port_last, bulk_calls;
	uint32_t mmio_reads, mmio_writes, mmio_last;
};

/* Never NULL: fails the test instead. */
struct machine *machine_create(void);
void machine_destroy(struct machine *m);

/* Real mode as at reset, but CS:EIP 0000:1000, flags 2, all bases 0. */
void machine_real(struct machine *m);
/* Ring 0, flat 32-bit segments, paging off, GDT at 800h: 8 code, 10h data, EIP 1000h, ESP 8000h. */
void machine_flat(struct machine *m);

/* Put @nbytes at the linear (physical) address and EIP there. */
void machine_code(struct machine *m, uint32_t at, const void *bytes, uint32_t nbytes);
#define CODE(m, bytes) machine_code(m, 0x1000, bytes, sizeof(bytes) - 1)

uint32_t machine_get32(const struct machine *m, uint32_t gpa);
void machine_put32(struct machine *m, uint32_t gpa, uint32_t value);

#endif
