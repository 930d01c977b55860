/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nexus/native.h - the frame that native_run.S and monitor/native.c share: one guest instruction on the bare processor.
 *
 * Read by C and by the assembler; the static asserts keep the two in step.
 */
#ifndef NEXUS_NATIVE_H
#define NEXUS_NATIVE_H

#define NN_GPR		0	/* eight of 8 bytes, in the encoding's order */
#define NN_MEM		64
#define NN_ENTRY	72
#define NN_HOST_RSP	80
#define NN_FLAGS	88

#ifndef __ASSEMBLER__
#include "plexus/base.h"

struct nexus_native_frame {
	/* 64 bits each, because a memory operand may have to be addressed through EDI. gpr[4] travels in R12. */
	uint64_t gpr[8];
	uint64_t mem;		/* for R8 */
	uint64_t entry;		/* of the scratch code: the instruction, then RET */
	uint64_t host_rsp;	/* written on the way in, for nexus_native_fault */
	uint16_t flags;		/* AH:AL as monitor/interp_flags.h packs them */
};

_Static_assert(offsetof(struct nexus_native_frame, gpr) == NN_GPR, "nexus/native.h");
_Static_assert(offsetof(struct nexus_native_frame, mem) == NN_MEM, "nexus/native.h");
_Static_assert(offsetof(struct nexus_native_frame, entry) == NN_ENTRY, "nexus/native.h");
_Static_assert(offsetof(struct nexus_native_frame, host_rsp) == NN_HOST_RSP, "nexus/native.h");
_Static_assert(offsetof(struct nexus_native_frame, flags) == NN_FLAGS, "nexus/native.h");

/* 0: done, @frame holds the results. 1: the instruction faulted and the host redirected it to nexus_native_fault. */
int nexus_native_run(struct nexus_native_frame *frame);
extern const char nexus_native_fault[];
/* After scratch code was written through another mapping: nothing stale may still be in the pipeline. */
void nexus_native_serialize(void);
#endif
#endif
