/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/vcpu.h - the virtual processor's state, and the words for what happens to it.
 *
 * Asked by:  every file of monitor/, nexus/ and the hosts.
 * Never:     touched by devices/ or user/ (they see include/plexus/plexus.h).
 * Built:     twice, freestanding and hosted.
 *
 * Here the state is architectural: what an SDM reader expects, complete and precise whenever
 * the monitor's C code runs. While guest code runs natively the general registers, flags and
 * FPU are in the processor, and the engine (monitor/run.c) carries them over at every exit.
 */
#ifndef MONITOR_VCPU_H
#define MONITOR_VCPU_H

#include "plexus/base.h"
#include "plexus/x86.h"
#include "nexus/frame.h"

struct mon_vm;
struct mon_vcpu;

/* A segment register with its hidden part, or LDTR/TR. */
struct mon_seg {
	uint16_t sel;
	uint16_t pad;
	uint32_t attr;		/* MON_SEG_*: the descriptor's access byte and flags */
	uint32_t base;
	uint32_t limit;		/* in bytes, already scaled by G */
};

#define MON_SEG_TYPE	0x0000f
#define MON_SEG_ACCESSED 0x00001
#define MON_SEG_WRITABLE 0x00002	/* data: writable; code: readable */
#define MON_SEG_READABLE 0x00002
#define MON_SEG_EXPDOWN	0x00004		/* data: expand-down; code: conforming */
#define MON_SEG_CONFORMING 0x00004
#define MON_SEG_CODE	0x00008
#define MON_SEG_S	0x00010		/* code or data, not system */
#define MON_SEG_DPL	0x00060
#define MON_SEG_DPL_SHIFT 5
#define MON_SEG_P	0x00080
#define MON_SEG_AVL	0x01000
#define MON_SEG_DB	0x04000		/* D of a code segment, B of a stack */
#define MON_SEG_G	0x08000
#define MON_SEG_NULL	0x10000		/* unusable: loaded with a null selector */

struct mon_dtr {
	uint32_t base;
	uint16_t limit;
};

enum mon_status {
	MON_OK = 0,
	MON_FAULT,	/* vcpu->fault says which; nothing else of the guest has changed */
	MON_HALT,	/* HLT done, EIP past it: wait for an interrupt */
	MON_SHUTDOWN,	/* triple fault: the processor is in shutdown */
	MON_DEFER,	/* this routine cannot do it; ask the next one (interpreter -> native step) */
};

struct mon_fault {
	uint8_t vector;
	bool has_error;
	bool soft;		/* INT n, INT3, INTO: gate DPL is checked, EIP is past the instruction */
	bool external;		/* hardware interrupt: EXT in error codes */
	uint16_t error;
	uint32_t address;	/* #PF: the linear address, for CR2 */
};

/* What the code around the CPU core wants to be told. Any may be called from any core routine;
 * vcpu->hooks may be NULL (unit tests). Implemented by monitor/run.c. */
struct mon_hooks {
	void (*flush_tlb)(struct mon_vcpu *vcpu, bool global_too);	/* CR0.PG/WP, CR4, EFER.NXE changed */
	void (*load_cr3)(struct mon_vcpu *vcpu);			/* after vcpu->cr3 was written */
	void (*invlpg)(struct mon_vcpu *vcpu, uint32_t linear);
	void (*code_written)(struct mon_vcpu *vcpu, uint32_t gpa, uint32_t nbytes);	/* RAM with MON_PAGE_CODE */
	void (*page_changed)(struct mon_vcpu *vcpu, uint32_t gpa);	/* a write to a page with MON_PAGE_WATCH */
};

#define MON_TLB_SIZE	512	/* direct mapped, index = low bits of the page number */

/* One entry a linear page: the monitor's own software TLB, filled by mon_translate(). */
struct mon_tlb {
	uint32_t tag_read[2];	/* [0] supervisor, [1] user: linear page | 1 when reads are allowed, else 0 */
	uint32_t tag_write[2];	/* ... when writes are allowed, D is set and the page is plain RAM */
	uint8_t *host;		/* page in our view of guest RAM */
	uint32_t gpa;		/* of the page */
	uint32_t used;		/* memory.c: which entries a flush must clear; see there */
};

struct mon_vcpu {
	/* Fixed order: nexus/ assembler knows these offsets (nexus/frame.h). */
	uint32_t gpr[8];	/* EAX ECX EDX EBX ESP EBP ESI EDI */
	uint32_t eip;
	uint32_t eflags;	/* complete: real status flags, virtual IF, IOPL, NT, TF, VM, ... */
	struct nexus_frame nexus;

	struct mon_seg seg[6];	/* ES CS SS DS FS GS */
	struct mon_seg ldtr, tr;
	struct mon_dtr gdtr, idtr;
	uint8_t cpl;		/* 0..3; 3 in V86 mode, 0 in real mode */
	uint8_t int_shadow;	/* MON_SHADOW_*: interrupts are held until after the next instruction */
	uint8_t halted;
	uint8_t nmi_blocked;
	uint8_t seg_dirty;	/* bit s: seg[s] changed since the engine last looked */
	uint8_t mode_dirty;	/* CPL, CR0, CR4, CS.D, VM, IOPL ... changed since the engine last looked */

	uint32_t cr0, cr2, cr3, cr4;
	uint64_t pdpte[4];	/* PAE: loaded by MOV CR3 and friends */
	uint32_t dr[8];
	uint8_t debug_armed;	/* MON_DEBUG_*: what kinds of breakpoint DR7 enables; debug.c */
	uint8_t debug_hits;	/* data breakpoints that the present instruction has hit, bit n for DRn */
	uint64_t efer;
	uint32_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t apic_base;
	uint64_t pat;
	uint64_t xcr0;
	uint64_t tsc_offset;	/* guest TSC = host TSC + this */
	uint64_t mtrr_def_type;
	uint64_t mtrr_fixed[11];	/* 250, 258, 259, 268..26F */
	uint64_t mtrr_var[16];		/* 200..20F */
	uint64_t misc_enable;		/* 1A0 */

	struct mon_fault fault;	/* valid after MON_FAULT */

	/* An exception being delivered, for double and triple faults: 0xff none. */
	uint8_t delivering;

	uint8_t ferr;		/* FERR# is asserted: CR0.NE was 0 at an x87 error, and it is pending still; interp_fpu.c */
	bool fpu_live;		/* the guest's FPU/SIMD state is in the processor now */
	uint8_t *fpu_area;	/* 64-byte aligned FXSAVE/XSAVE image while !fpu_live */

	struct mon_vm *vm;
	const struct mon_hooks *hooks;
	void *engine;		/* monitor/run.c's own */
	void *native_page;	/* monitor/native.c's own: scratch code, see there */

	uint64_t nr_interpreted;	/* instructions done by mon_interp_one */
	uint64_t nr_delivered;		/* exceptions given to the guest by mon_deliver_fault */

	struct mon_tlb tlb[MON_TLB_SIZE];
};

#define MON_DEBUG_CODE	1
#define MON_DEBUG_DATA	2

#define MON_SHADOW_STI	1
#define MON_SHADOW_SS	2

static inline bool mon_protected(const struct mon_vcpu *v) { return v->cr0 & X86_CR0_PE; }
static inline bool mon_v86(const struct mon_vcpu *v) { return v->eflags & X86_FLAG_VM; }
/* Segments are loaded as in the 8086: base = selector << 4. */
static inline bool mon_real_or_v86(const struct mon_vcpu *v) { return !mon_protected(v) || mon_v86(v); }
static inline unsigned int mon_iopl(const struct mon_vcpu *v) { return v->eflags >> X86_FLAG_IOPL_SHIFT & 3; }
static inline bool mon_code32(const struct mon_vcpu *v) { return v->seg[X86_CS].attr & MON_SEG_DB; }
static inline bool mon_stack32(const struct mon_vcpu *v) { return v->seg[X86_SS].attr & MON_SEG_DB; }

static inline enum mon_status mon_fault(struct mon_vcpu *v, uint8_t vector)
{
	v->fault = (struct mon_fault){ .vector = vector };
	return MON_FAULT;
}

static inline enum mon_status mon_fault_error(struct mon_vcpu *v, uint8_t vector, uint16_t error)
{
	v->fault = (struct mon_fault){ .vector = vector, .has_error = true, .error = error };
	return MON_FAULT;
}

#endif
