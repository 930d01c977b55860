/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nexus/frame.h - where the world switch keeps what the processor cannot hold.
 *
 * Read by C and by assembler. The frame lies inside struct mon_vcpu, behind the general registers;
 * R15 points at the vCPU for as long as guest code runs (the SDM preserves R8-R15 across
 * compatibility mode, and nothing in compatibility mode can name them), so every stub
 * finds the frame without touching guest memory.
 */
#ifndef NEXUS_FRAME_H
#define NEXUS_FRAME_H

/* Offsets from R15. */
#define NX_GPR		0
#define NX_EFLAGS	36
#define NX_HOST_RSP	40
#define NX_EXIT_FN	48
#define NX_FAR_EIP	56
#define NX_FAR_CS	60
#define NX_LOAD		64
#define NX_KICK		68
#define NX_EXIT		72
#define NX_SEL		76		/* ES CS SS DS FS GS, two bytes each */
#define NX_FPU_AREA	88
#define NX_ENTERED	96
#define NX_POPF_IF	104
#define NX_STUB_R15	128
#define NX_IRET_STACK	136
#define NX_FS_BASE	144

/* nexus.load: what the entry must put into the processor besides the general registers. */
#define NX_LOAD_ES	0x01	/* 1 << segment register: it changed, or something else was in it */
#define NX_LOAD_SS	0x04	/* also after every system call: Linux returns with its own */
#define NX_LOAD_DS	0x08
#define NX_LOAD_FS	0x10	/* also after the host used thread-local storage, without WRFSBASE */
#define NX_LOAD_GS	0x20
#define NX_LOAD_SEGS	0x3d
#define NX_LOAD_FPU	0x40	/* FXRSTOR from fpu_area */
#define NX_LOAD_FS_BASE	0x80	/* WRFSBASE from fs_base: the selector is the guest's still, the base is the host's */

/* nexus.exit: below this, a site number of prescan's; from here on, why else guest code stopped. */
#define NX_EXIT_SPECIAL	0xfffffff0
#define NX_EXIT_FAULT	0xffffffff	/* a host exception: nexus.fault_* */
#define NX_EXIT_KICK	0xfffffffe	/* stopped between two host instructions of a fragment */
#define NX_EXIT_ABORT	0xfffffffd	/* kicked before guest code was reached; registers as they were */

#define NX_CS64		0x33		/* Linux: the 64-bit user code segment */

/* nexus.popf_if: with SAHF in 64-bit mode, and without. */
#define NX_POPF_FEW	0x240400	/* DF, AC, ID */
#define NX_POPF_ALWAYS	0x000002	/* bit 1, which is always set */

#ifndef __ASSEMBLER__
#include "plexus/base.h"

struct nexus_frame {
	uint64_t host_rsp;	/* the monitor's stack while guest code runs */
	uint64_t exit_fn;	/* nexus_exit: cache stubs jump through here */
	uint32_t far_eip;	/* where to enter: offset and selector, as FAR JMP m16:32 reads it */
	uint16_t far_cs, pad0;
	uint32_t load;		/* NX_LOAD_* */
	uint32_t kick;		/* not 0: do not enter guest code. Set by any thread */
	uint32_t exit;		/* out: site number or NX_EXIT_* */
	uint16_t sel[6];	/* host selectors that stand for the guest's segments; [X86_CS] is far_cs's */
	uint64_t fpu_area;	/* address of the FXSAVE image */
	uint32_t entered;	/* host_rsp is that of the nexus_enter under way */
	uint32_t host_env;	/* the host: FS and FPU are its own. Entering guest code ends that */
	uint32_t popf_if;	/* flags that only POPFQ can load: those of the guest that SAHF cannot, or all */
	uint32_t pad1;
	/* After NX_EXIT_FAULT or NX_EXIT_KICK: */
	uint32_t fault_eip;	/* offset in the host code segment */
	uint32_t fault_vector, fault_error;
	uint32_t fault_address;	/* #PF: host linear address, low 32 bits */
	/* The module host's: R15 for stubs in ring 3, which may not see the vCPU, and where to build what IRET reads. */
	uint64_t stub_r15, iret_stack;
	uint64_t fs_base;	/* the guest's, while the host uses thread-local storage; see NX_LOAD_FS_BASE */
};

/*
 * Pages of the window that fragments read and write with plain data accesses. Guest code can write
 * them too, so nothing in them is believed beyond what the guest may decide for itself.
 *
 * The flag page is CPL 0's: the virtual IF, and whether an interrupt waits for it. Inlined STI and POPF look at
 * @pending before they set IF; when it is set they call out, and the interrupt is delivered.
 */
struct nexus_flag_page {
	uint32_t vif;		/* X86_FLAG_IF or 0 */
	uint32_t pending;	/* X86_FLAG_IF or 0 */
};

#define NX_INLINE_COUNTERS 16

/* The scratch page: spilled registers, and images of what the guest may read for itself. */
struct nexus_scratch_page {
	uint32_t ecx, edx, eax;	/* spilled while a sequence uses the register */
	uint32_t target;	/* guest EIP that an indirect branch goes to */
	uint32_t esp;		/* across a far call */
	uint32_t sel[8];	/* virtual selectors ES CS SS DS FS GS, zero-extended */
	uint32_t count;		/* guest instructions run, modulo 2^32, when they are counted */
	uint32_t stack[16];	/* far calls push here, upward to this array's end */
	uint32_t inlined[NX_INLINE_COUNTERS];	/* inline sequences run, modulo 2^32, by env.inline_row, when they are counted */
};

_Static_assert(offsetof(struct nexus_frame, exit_fn) + NX_HOST_RSP == NX_EXIT_FN, "frame.h");
_Static_assert(offsetof(struct nexus_frame, far_eip) + NX_HOST_RSP == NX_FAR_EIP, "frame.h");
_Static_assert(offsetof(struct nexus_frame, far_cs) + NX_HOST_RSP == NX_FAR_CS, "frame.h");
_Static_assert(offsetof(struct nexus_frame, load) + NX_HOST_RSP == NX_LOAD, "frame.h");
_Static_assert(offsetof(struct nexus_frame, kick) + NX_HOST_RSP == NX_KICK, "frame.h");
_Static_assert(offsetof(struct nexus_frame, exit) + NX_HOST_RSP == NX_EXIT, "frame.h");
_Static_assert(offsetof(struct nexus_frame, sel) + NX_HOST_RSP == NX_SEL, "frame.h");
_Static_assert(offsetof(struct nexus_frame, fpu_area) + NX_HOST_RSP == NX_FPU_AREA, "frame.h");
_Static_assert(offsetof(struct nexus_frame, entered) + NX_HOST_RSP == NX_ENTERED, "frame.h");
_Static_assert(offsetof(struct nexus_frame, stub_r15) + NX_HOST_RSP == NX_STUB_R15, "frame.h");
_Static_assert(offsetof(struct nexus_frame, iret_stack) + NX_HOST_RSP == NX_IRET_STACK, "frame.h");
_Static_assert(offsetof(struct nexus_frame, fs_base) + NX_HOST_RSP == NX_FS_BASE, "frame.h");
_Static_assert(offsetof(struct nexus_frame, popf_if) + NX_HOST_RSP == NX_POPF_IF, "frame.h");

struct mon_vcpu;

/* switch.S */
void nexus_enter(struct mon_vcpu *vcpu);
void nexus_exit(void);
/* Leave for nexus_enter's caller from a signal handler (any stack); vcpu->nexus.exit and registers are already stored. */
void nexus_unwind(struct mon_vcpu *vcpu) __attribute__((noreturn));
extern const char nexus_enter_end[];	/* nexus_enter .. here: a kick aborts the entry */
#endif
#endif
