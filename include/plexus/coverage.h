/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * include/plexus/coverage.h - which guest instructions ran, and how: what the engine keeps of a run.
 *
 *      monitor/cover.c --one entry an instruction--> table in shared memory --at the end--> user/coverage_record.c --> file
 *
 * An instruction is known by where it stood (linear and physical), its mode and its bytes: code that was patched has an entry
 * for each of its forms, a library that two programs map at two places has two.
 */
#ifndef PLEXUS_COVERAGE_H
#define PLEXUS_COVERAGE_H

#include "plexus/base.h"

/* How it was done. More than one bit: now so, now so. 0: translated with what stands before it, but never reached. */
#define PLX_COVER_NATIVE	0x01	/* the guest's own bytes, or a relinked branch */
#define PLX_COVER_INLINED	0x02	/* a sequence inside the fragment did the virtual work */
#define PLX_COVER_NEXUS		0x04	/* called out to the monitor: far transfer, or INT3 */
#define PLX_COVER_INTERPRETED	0x08	/* by the interpreter: single step, a fault that was Plexus' own, --rewrite=interpret */
#define PLX_COVER_HOWS		4
#define PLX_COVER_RAISED	0x10	/* it raised an exception at least once */

/* 56 bytes. */
struct plx_cover_insn {
	uint32_t linear, gpa;	/* of the first byte */
	uint8_t bytes[15], length;
	uint8_t code32;		/* 1: decoded as 32-bit code, 0: as 16-bit code */
	uint8_t how;		/* PLX_COVER_* */
	uint8_t cpls;		/* bit a privilege level that it ran at */
	uint8_t pad;
	uint32_t next;		/* the engine's: of the same hash */
	uint64_t callouts, interpreted, raised;	/* how often each happened; native runs are not counted */
};

_Static_assert(sizeof(struct plx_cover_insn) == 56, "an entry is 56 bytes");

#define PLX_COVER_MAX_INSNS	(1u << 22)

struct plx_cover {
	uint64_t lost;			/* new instructions that found the table full */
	uint32_t ninsns, pad;
	struct plx_cover_insn insn[];	/* [1, ninsns): in the order in which they were met */
};

#define PLX_COVER_BYTES (sizeof(struct plx_cover) + (uint64_t)PLX_COVER_MAX_INSNS * sizeof(struct plx_cover_insn))

struct plx_vm;
/* Record from now on. Before plx_vcpu_run. The answer may be read while no vCPU runs. NULL: plx_vm_error says why. */
const struct plx_cover *plx_vm_cover(struct plx_vm *vm);

#endif
