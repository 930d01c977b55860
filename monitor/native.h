/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/native.h - guest instructions on the bare processor, one at a time: what a host must provide.
 *
 * The host
 *  1. places one struct mon_native per vCPU (64-byte aligned) and sets vcpu->native_page to it;
 *  2. gives it scratch memory that is mapped twice, writable at one address and executable at another
 *     (process host: a memfd; no page is writable and executable in one view), by mon_native_init();
 *  3. gives the vCPU its fpu_area (at least 512 bytes, 64-byte aligned) and fills it by mon_fpu_reset();
 *  4. in its handler of SIGFPE, SIGILL, SIGSEGV, SIGBUS (module: of the exceptions themselves) first asks
 *     mon_native_recover(): if true, the fault is the guest instruction's; set RIP as told and return. Nothing else of
 *     the interrupted registers may change. With an x87 fault the status word stays as it is: no FNCLEX.
 *
 * FPU state: fpu_live says where the guest's is. mon_native_insn() leaves it where it found it: what is not live is loaded for
 * the instruction and saved after it. A host that leaves it live while C code runs must know that libc's memcpy() and its like
 * use vector registers; before code with floating point or SIMD of its own, library calls included, it calls mon_fpu_save(),
 * which also puts the ABI's default control words back.
 */
#ifndef MONITOR_NATIVE_H
#define MONITOR_NATIVE_H

#include "monitor/mon.h"
#include "nexus/native.h"

#define MON_NATIVE_OPERAND_BYTES 1024u
#define MON_NATIVE_SLOT_BYTES	32u	/* 15 bytes of instruction, REX, RET, and room */

struct mon_native {
	/* A copy of the memory operand; FXSAVE needs 512 bytes on a 16-byte boundary. */
	uint8_t operand[MON_NATIVE_OPERAND_BYTES] __attribute__((aligned(64)));
	struct nexus_native_frame frame;
	uint8_t *code_w;	/* scratch code, writable view */
	const uint8_t *code_x;	/* the same memory, executable view */
	uint32_t nr_slots;
	volatile uint32_t active;	/* between entry and return of the scratch code */
	volatile uint32_t vector;	/* of the fault, from mon_native_recover() */
	uint64_t nr_run;
	uint64_t nr_encoded;	/* scratch slots written; far fewer than runs, for slots are found again */
};

void mon_native_init(struct mon_native *native, void *writable, const void *executable, size_t nbytes);

/* For the host's exception handler: did guest instruction in scratch code fault? Then *rip is where to go on. */
bool mon_native_recover(struct mon_vcpu *vcpu, uint8_t vector, uint64_t fault_rip, uint64_t *rip);

/* Bring the guest's FPU and SSE state into the processor, or back into fpu_area. No-ops if it is there. */
void mon_fpu_load(struct mon_vcpu *vcpu);
void mon_fpu_save(struct mon_vcpu *vcpu);
/* The state after reset (SDM 3A, "Processor State After Reset"), in fpu_area. */
void mon_fpu_reset(struct mon_vcpu *vcpu);

#endif
