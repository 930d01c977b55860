/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/mon.h - the virtual processor's routines, and who may call whom.
 *
 *      run.c (engine: native code, exits)          interp*.c (one instruction at a time)
 *             \                                       /
 *              segment.c far.c interrupt.c task.c sysreg.c cpuid.c     "the system half"
 *                             |
 *                       memory.c paging.c                              guest memory
 *
 * Every routine here follows one rule: check everything, then commit. On MON_FAULT nothing of the
 * guest has changed but vcpu->fault (accessed bits excepted, as in hardware). EIP: routines called for an
 * instruction take @next, the EIP after it, where they need it; a fault leaves EIP at the instruction.
 */
#ifndef MONITOR_MON_H
#define MONITOR_MON_H

#include "monitor/vcpu.h"
#include "monitor/vm.h"

/* ---- memory.c, paging.c: guest memory ---------------------------------------------------- */

#define MON_ACC_READ	0x0
#define MON_ACC_WRITE	0x1
#define MON_ACC_EXEC	0x2
#define MON_ACC_SYSTEM	0x4	/* implicit supervisor access (GDT, IDT, TSS, inner stack), whatever CPL is */
#define MON_ACC_PEEK	0x8	/* no A/D bits, no fault record, RAM only: for debuggers and reports */

/* A successful translation of one linear page. */
struct mon_xlate {
	uint32_t gpa;		/* of the byte asked for */
	bool writable;		/* a write by the same CPL would be allowed, and D is already set */
	bool user;		/* U/S says user */
	bool global;
	bool write_ok;		/* a write would be allowed (D may still be clear) */
	bool nx;
	bool accessed;		/* A is set */
	uint32_t page_bytes;	/* 4 KiB, 2 MiB or 4 MiB: of the guest's mapping */
	/* With paging on: where the entries stand. A large page's leaf is its directory entry. */
	uint32_t dir_gpa, leaf_gpa;
};

/* Walk the guest's tables (32-bit, PSE, PAE; CR0.WP, NX) for an access by the current CPL, set A (and D
 * for writes), apply A20. MON_FAULT: vcpu->fault is the #PF with its error code and address. */
enum mon_status mon_translate(struct mon_vcpu *vcpu, uint32_t linear, unsigned int access, struct mon_xlate *out);

/* Linear accesses, no segmentation. @nbytes is 1..16; may cross a page (both pages are checked before
 * a byte moves). Device pages go to vm->io. Values are little-endian in @buf. */
enum mon_status mon_read(struct mon_vcpu *vcpu, uint32_t linear, void *buf, uint32_t nbytes, unsigned int access);
enum mon_status mon_write(struct mon_vcpu *vcpu, uint32_t linear, const void *buf, uint32_t nbytes, unsigned int access);
/* Check that such an access would not fault, and change nothing but A/D. */
enum mon_status mon_probe(struct mon_vcpu *vcpu, uint32_t linear, uint32_t nbytes, unsigned int access);

/* The same through a segment register: type, limit, null, canonical #GP/#SS(0) first, then paging. */
enum mon_status mon_seg_check(struct mon_vcpu *vcpu, unsigned int sreg, uint32_t offset, uint32_t nbytes,
			      unsigned int access, uint32_t *linear);
enum mon_status mon_seg_read(struct mon_vcpu *vcpu, unsigned int sreg, uint32_t offset, void *buf, uint32_t nbytes);
enum mon_status mon_seg_write(struct mon_vcpu *vcpu, unsigned int sreg, uint32_t offset, const void *buf, uint32_t nbytes);

/* Instruction bytes at CS:EIP into @buf, at most 15. *nbytes says how many were readable; MON_FAULT only
 * if the first byte is not (then #PF or #GP(0)). A caller that needs more than *nbytes bytes calls
 * mon_fetch_fault(), which raises the fault of byte number @at. */
enum mon_status mon_fetch(struct mon_vcpu *vcpu, uint32_t eip, uint8_t *buf, uint32_t *nbytes);
enum mon_status mon_fetch_fault(struct mon_vcpu *vcpu, uint32_t eip, uint32_t at);

/* Physical accesses by devices and the loader; MMIO pages are skipped (reads give ff). Keep MON_PAGE_CODE,
 * WATCH and DIRTY honest. @vcpu is used for its hooks. */
void mon_phys_read(struct mon_vcpu *vcpu, uint32_t gpa, void *buf, uint32_t nbytes);
void mon_phys_write(struct mon_vcpu *vcpu, uint32_t gpa, const void *buf, uint32_t nbytes);

/* Software TLB. Called by sysreg.c where the architecture says so, and by the engine. */
void mon_tlb_flush(struct mon_vcpu *vcpu);
void mon_tlb_flush_page(struct mon_vcpu *vcpu, uint32_t linear);

/* ---- segment.c ---------------------------------------------------------------------------- */

/* MOV/POP to a segment register other than CS, and the second half of LDS and friends: real mode, V86 and
 * protected mode, all checks, accessed bit. Sets seg_dirty; for SS the caller sets int_shadow. */
enum mon_status mon_load_seg(struct mon_vcpu *vcpu, unsigned int sreg, uint16_t sel);
enum mon_status mon_lldt(struct mon_vcpu *vcpu, uint16_t sel);
enum mon_status mon_ltr(struct mon_vcpu *vcpu, uint16_t sel);
/* LAR, LSL, VERR, VERW: @zf is the outcome; *value is written if zf. */
enum mon_status mon_lar(struct mon_vcpu *vcpu, uint16_t sel, bool *zf, uint32_t *value);
enum mon_status mon_lsl(struct mon_vcpu *vcpu, uint16_t sel, bool *zf, uint32_t *value);
enum mon_status mon_ver(struct mon_vcpu *vcpu, uint16_t sel, bool write, bool *zf);
/* Read a descriptor of the GDT or LDT: MON_FAULT with @vector(sel & ~3) if outside the table. */
enum mon_status mon_read_descriptor(struct mon_vcpu *vcpu, uint16_t sel, uint8_t vector, uint32_t desc[2]);
void mon_seg_from_descriptor(struct mon_seg *seg, uint16_t sel, const uint32_t desc[2]);
/* The caches as real mode and V86 mode load them. */
void mon_seg_real(struct mon_vcpu *vcpu, unsigned int sreg, uint16_t sel);

/* ---- far.c: far transfers; all of real, V86, 16/32-bit protected, gates, tasks -------------- */

enum mon_status mon_far_jmp(struct mon_vcpu *vcpu, uint16_t sel, uint32_t offset, unsigned int opsize);
enum mon_status mon_far_call(struct mon_vcpu *vcpu, uint16_t sel, uint32_t offset, unsigned int opsize, uint32_t next);
enum mon_status mon_far_ret(struct mon_vcpu *vcpu, unsigned int opsize, uint16_t pop_bytes);
enum mon_status mon_iret(struct mon_vcpu *vcpu, unsigned int opsize);
enum mon_status mon_sysenter(struct mon_vcpu *vcpu);
enum mon_status mon_sysexit(struct mon_vcpu *vcpu);

/* ---- interrupt.c ---------------------------------------------------------------------------- */

/* INT n / INT3 / INTO: @next is pushed; checks gate DPL, V86 IOPL (and CR4.VME). */
enum mon_status mon_soft_int(struct mon_vcpu *vcpu, uint8_t vector, uint32_t next, bool int3_or_into);
/* Deliver vcpu->fault as an exception at the current EIP: benign/contributory/double/triple rules.
 * MON_OK: the guest is at its handler. MON_SHUTDOWN: triple fault. */
enum mon_status mon_deliver_fault(struct mon_vcpu *vcpu);
/* Deliver a hardware interrupt or NMI (vector 2). The caller checked IF and the shadow. Clears halted. A fault
 * on the way is itself delivered. */
enum mon_status mon_deliver_interrupt(struct mon_vcpu *vcpu, uint8_t vector);

/* ---- task.c -------------------------------------------------------------------------------- */

enum mon_task_cause { MON_TASK_JMP, MON_TASK_CALL, MON_TASK_IRET, MON_TASK_GATE };
enum mon_status mon_task_switch(struct mon_vcpu *vcpu, uint16_t tss_sel, enum mon_task_cause cause,
				uint32_t next, bool has_error, uint32_t error);
/* The I/O permission check of IN/OUT: CPL > IOPL or V86 asks the TSS bitmap. MON_FAULT is #GP(0). */
enum mon_status mon_io_check(struct mon_vcpu *vcpu, uint16_t port, unsigned int size);
/* The ring stack of @cpl in the current TSS. */
enum mon_status mon_tss_stack(struct mon_vcpu *vcpu, unsigned int cpl, uint16_t *ss, uint32_t *esp);

/* ---- sysreg.c, cpuid.c --------------------------------------------------------------------- */

/* Reset as at power-on (SDM 3A "Processor State After Reset"), CS:EIP F000:FFF0 with base FFFF0000. */
void mon_reset(struct mon_vcpu *vcpu);
/* Privilege (#GP(0) outside CPL 0) is checked inside each of these. */
enum mon_status mon_read_cr(struct mon_vcpu *vcpu, unsigned int n, uint32_t *value);
enum mon_status mon_write_cr(struct mon_vcpu *vcpu, unsigned int n, uint32_t value);
enum mon_status mon_lmsw(struct mon_vcpu *vcpu, uint16_t value);
enum mon_status mon_clts(struct mon_vcpu *vcpu);
enum mon_status mon_read_dr(struct mon_vcpu *vcpu, unsigned int n, uint32_t *value);
enum mon_status mon_write_dr(struct mon_vcpu *vcpu, unsigned int n, uint32_t value);
enum mon_status mon_rdmsr(struct mon_vcpu *vcpu, uint32_t index, uint64_t *value);
enum mon_status mon_wrmsr(struct mon_vcpu *vcpu, uint32_t index, uint64_t value);
enum mon_status mon_rdtsc(struct mon_vcpu *vcpu, uint64_t *value);	/* CR4.TSD */
enum mon_status mon_rdpmc(struct mon_vcpu *vcpu, uint32_t index, uint64_t *value);
enum mon_status mon_invlpg(struct mon_vcpu *vcpu, uint32_t linear);
enum mon_status mon_hlt(struct mon_vcpu *vcpu);				/* MON_HALT or MON_FAULT */
/* LGDT/LIDT with the operand already read (16-bit operand size: base & 0xffffff is done here). */
enum mon_status mon_lgdt(struct mon_vcpu *vcpu, uint16_t limit, uint32_t base, unsigned int opsize);
enum mon_status mon_lidt(struct mon_vcpu *vcpu, uint16_t limit, uint32_t base, unsigned int opsize);
/* debug.c: breakpoints. Arm: after DR7 was written, however. Code: those for an instruction at @linear, bit n for DRn. Data: an
 * access was done, while MON_DEBUG_DATA is armed; hits are gathered for mon_step. */
void mon_debug_arm(struct mon_vcpu *vcpu);
uint8_t mon_debug_code(const struct mon_vcpu *vcpu, uint32_t linear);
void mon_debug_data(struct mon_vcpu *vcpu, uint32_t linear, uint32_t nbytes, bool write);
/* Flags: CLI and STI with IOPL, V86, PVI; POPF with its masks. @opsize 2 keeps the upper half. */
enum mon_status mon_cli(struct mon_vcpu *vcpu);
enum mon_status mon_sti(struct mon_vcpu *vcpu);			/* sets int_shadow if IF was 0 */
enum mon_status mon_popf(struct mon_vcpu *vcpu, uint32_t image, unsigned int opsize);
enum mon_status mon_pushf(struct mon_vcpu *vcpu, unsigned int opsize, uint32_t *image);

/* What CPUID shows, computed once from the host's features and --host-features/--cpu masks. */
struct mon_cpu_features {
	uint32_t max_leaf, max_ext_leaf;
	uint32_t vendor[3];		/* EBX, EDX, ECX of leaf 0 */
	uint32_t signature;		/* EAX of leaf 1 */
	uint32_t leaf1_ecx, leaf1_edx;
	uint32_t leaf7_ebx, leaf7_ecx, leaf7_edx;
	uint32_t ext1_ecx, ext1_edx;
	uint32_t ext7_edx;		/* bit 8: invariant TSC */
	char brand[48];
	uint32_t fxsr_mask;
};
/* @host_cpuid asks the real processor; regs are EAX EBX ECX EDX. No XSAVE/AVX is offered yet, no APIC, no
 * x2APIC, no VMX/SVM, no MONITOR; SEP, PAE, PSE, PGE, CMOV, CX8, FXSR, SSE..SSE4.2, POPCNT, AES as the host has them. */
void mon_features_init(struct mon_cpu_features *f, void (*host_cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]));
void mon_cpuid(struct mon_vcpu *vcpu, uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);

/* ---- interp.c, interp_*.c, native.c ---------------------------------------------------------- */

/* Fetch, decode and execute the instruction at CS:EIP, completely; a REP string instruction may stop early with
 * EIP at itself and its registers advanced (as at an interrupt), after at least one iteration. Faults are
 * returned, not delivered. Clears int_shadow that was set before it. Does not look at TF. MON_HALT for HLT. */
enum mon_status mon_interp_one(struct mon_vcpu *vcpu);
/* The same for a caller that has decoded it. */
struct prescan_insn;
enum mon_status mon_interp_insn(struct mon_vcpu *vcpu, const struct prescan_insn *insn, const uint8_t *bytes);
/* mon_interp_one, and what a processor does around it: faults are delivered, TF and breakpoints raise #DB.
 * MON_OK, MON_HALT or MON_SHUTDOWN. */
enum mon_status mon_step(struct mon_vcpu *vcpu);

/* native.c: run one PLAIN or FPU instruction on the bare processor with its memory operand replaced by @mem (host address,
 * [R8] in the re-encoded instruction), guest GPRs and status flags loaded. For x87/MMX/SSE. The caller
 * has checked and copied the operand in, and copies it out. MON_FAULT: the instruction itself faulted (#MF, #XM, #DE...). */
enum mon_status mon_native_insn(struct mon_vcpu *vcpu, const struct prescan_insn *insn, const uint8_t *bytes, void *mem);

#endif
