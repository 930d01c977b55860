/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/fuzz/fuzz_interp.c - a few instructions by mon_interp_one() from any state that a processor can be in.
 *
 * Input: STATE_BYTES that choose the mode, segments and registers; then code at CS:EIP; memory is noise, with descriptor
 * tables in it. The guest's 4 GiB show the same 64 KiB again and again, so any address is memory, code is often data, and a copy to
 * compare with is cheap. Every 16th page is a device.
 *
 * Promised by monitor/mon.h, and checked after each instruction:
 *   - MON_FAULT: registers, segments, system registers, memory and devices are as before (accessed and busy bits of descriptors
 *     excepted; MXCSR's flags, which a SIMD exception sets; the elements that a repeated string instruction had done; and
 *     tasks, whose switch may end in a fault of the new task);
 *   - otherwise: what can never be is not (CPL 3 in real mode, reserved flags, ...);
 *   - never MON_DEFER or MON_SHUTDOWN, which are other functions' answers.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/interp_machine.h"

#define STATE_BYTES	64
#define MIRROR_BYTES	0x10000u
#define STEPS		6
#define GDT		0x0800u
#define LDT		0x1000u
#define IDT		0x1800u
#define TSS		0x2000u
#define TABLE_BYTES	0x400u
#define TABLES_END	0x2800u

static struct machine *machine;		/* of this process; signal handlers ask it too */
static struct sigaction before[32];

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint64_t rip;

	if (machine && mon_native_recover(&machine->v, (uint8_t)uc->uc_mcontext.gregs[REG_TRAPNO],
					  (uint64_t)uc->uc_mcontext.gregs[REG_RIP], &rip)) {
		uc->uc_mcontext.gregs[REG_RIP] = (greg_t)rip;
		return;
	}
	/* Not the guest's: a finding. Whoever was there before us reports it. */
	if (before[sig].sa_flags & SA_SIGINFO && before[sig].sa_sigaction)
		before[sig].sa_sigaction(sig, info, context);
	else
		signal(sig, SIG_DFL);
}

void fuzz_interp_signals(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };

	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(signals); i++)
		FUZZ_REQUIRE(!sigaction(signals[i], &sa, &before[signals[i]]), "no signal handler");
}

#ifdef FUZZ_TARGET
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	fuzz_interp_signals();
	return 0;
}
#endif

static void new_machine(void)
{
	machine = machine_create();
	for (uint32_t page = 0; page < 1u << 20; page++) {
		uint64_t at = (uint64_t)(page << PLX_PAGE_SHIFT) & (MIRROR_BYTES - 1);

		machine->vm.page[page] = (page & 0xf0f) == 0x10f ? 0 : at | MON_PAGE_PRESENT;
	}
}

/* The input, taken bit by bit; zeros when it is at its end. */
struct input {
	const uint8_t *p;
	size_t left;
};

static uint8_t take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static uint32_t take32(struct input *in)
{
	uint32_t value = take(in);

	value |= (uint32_t)take(in) << 8;
	value |= (uint32_t)take(in) << 16;
	return value | (uint32_t)take(in) << 24;
}

/* Addresses that matter: round ones, those around a limit, anything. */
static uint32_t take_address(struct input *in)
{
	static const uint32_t places[] = { 0, 0x1000, 0x7fff, 0x8000, 0xffff, 0x10000, 0xfffffffe, 0x80000000 };
	uint8_t how = take(in);

	if (how & 0x80)
		return take32(in);
	return places[how & 7] + (uint32_t)(int8_t)(how << 1 & 0xf0) / 16;
}

static void fill(uint8_t *ram)
{
	uint64_t x = 0x9e3779b97f4a7c15u;

	for (uint32_t at = 0; at < MIRROR_BYTES; at += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(ram + at, &x, 8);
	}
}

/* Tables in which much is valid: flat code and data of both sizes and privileges, gates, task states; the rest stays noise. */
static void put_tables(uint8_t *ram)
{
	static const uint8_t access[] = {
		0x00, 0x9b, 0x93, 0xfb, 0xf3, 0x9f, 0xff, 0x91, 0x97, 0xf1, 0x82, 0x89, 0x8b, 0x85, 0x84, 0x8c, 0xec, 0x8e, 0xee,
		0x8f, 0xef, 0x86, 0xe6, 0x87, 0x13, 0x1b, 0x81, 0x83, 0xe5, 0x09, 0x92, 0x9a,
	};
	static const uint8_t gates[] = { 0x8e, 0xee, 0x8f, 0xef, 0x86, 0xe6, 0x85, 0xe5, 0x0e, 0x00 };

	for (unsigned int i = 0; i < 64; i++) {
		uint8_t a = access[i % sizeof(access)], *d = ram + GDT + 8 * i, *l = ram + LDT + 8 * i, *g = ram + IDT + 8 * i;
		bool gate = !(a & 0x10) && (a & 0xf) >= 4 && (a & 0xf) != 9 && (a & 0xf) != 11;
		bool tss = !(a & 0x10) && !gate && (a & 0xf) != 2;

		memset(d, 0, 8);
		if (gate) {
			d[2] = 0x08 + 16 * (i & 1);
			d[1] = 0x10;
		} else {
			d[0] = d[1] = 0xff;
			d[3] = tss ? TSS >> 8 : (a & 0xf) == 2 ? LDT >> 8 : 0;
			d[6] = tss || (a & 0xf) == 2 ? 0 : i & 32 ? 0x0f : 0xcf;
		}
		d[5] = a;
		memcpy(l, d, 8);
		memset(g, 0, 8);
		g[1] = 0x20;
		g[2] = i % 3 ? 0x08 : 0x18;
		g[5] = gates[i % sizeof(gates)];
	}
}

static void set_segment(struct mon_vcpu *v, unsigned int s, struct input *in, uint8_t how)
{
	struct mon_seg *seg = &v->seg[s];

	seg->base = how & 1 ? take_address(in) : 0;
	seg->limit = how & 2 ? take_address(in) : how & 4 ? 0xffff : 0xffffffff;
	seg->attr = MON_SEG_P | MON_SEG_S | (how & 8 ? 0 : MON_SEG_DB) | (seg->limit > 0xfffff ? MON_SEG_G : 0);
	if (seg->attr & MON_SEG_G)
		seg->limit |= 0xfff;
	if (s == X86_CS) {
		seg->attr |= MON_SEG_CODE | MON_SEG_ACCESSED | (how & 16 ? 0 : MON_SEG_READABLE);
		seg->sel = 0x08;
	} else {
		seg->attr |= MON_SEG_ACCESSED | (how & 16 && s != X86_SS ? 0 : MON_SEG_WRITABLE) | (how & 32 ? MON_SEG_EXPDOWN : 0);
		seg->sel = 0x10;
		if (how & 64 && s != X86_SS)
			*seg = (struct mon_seg){ .attr = MON_SEG_NULL };
	}
}

static void set_state(struct machine *m, struct input *in)
{
	struct mon_vcpu *v = &m->v;
	uint8_t mode = take(in), how = take(in);

	mon_reset(v);
	mon_fpu_reset(v);
	mon_fpu_load(v);		/* MXCSR_MASK and what else the processor writes into an image */
	mon_fpu_save(v);
	v->cr0 |= X86_CR0_NE;
	v->cr4 |= X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	for (unsigned int s = 0; s < 6; s++)
		mon_seg_real(v, s, 0);
	v->gdtr = (struct mon_dtr){ GDT, how & 1 ? 0x1ff : 0x47 };
	v->idtr = (struct mon_dtr){ IDT, how & 2 ? 0x1ff : 0x67 };
	v->ldtr = (struct mon_seg){ .sel = 0x50, .base = LDT, .limit = 0x1ff, .attr = MON_SEG_P | 2 };
	v->tr = (struct mon_seg){ .sel = 0x60, .base = TSS, .limit = 0x1ff, .attr = MON_SEG_P | 0xb };
	for (unsigned int i = 0; i < 8; i++)
		v->gpr[i] = take_address(in);
	v->eflags = 2 | (take32(in) & (X86_FLAG_CF | X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF | X86_FLAG_SF | X86_FLAG_IF |
				       X86_FLAG_DF | X86_FLAG_OF | X86_FLAG_IOPL | X86_FLAG_NT | X86_FLAG_AC | X86_FLAG_ID));
	if (how & 4)
		v->cr0 |= X86_CR0_TS;
	if (how & 8)
		v->cr0 |= X86_CR0_EM;
	if (how & 16)
		v->cr0 |= X86_CR0_AM;
	if (how & 32)
		v->cr0 |= X86_CR0_MP;
	if (how & 64)
		v->cr4 &= ~(uint32_t)X86_CR4_OSFXSR;
	switch (mode & 3) {
	case 0:
		break;				/* real mode */
	case 1:					/* V86 mode */
		v->cr0 |= X86_CR0_PE;
		v->eflags |= X86_FLAG_VM;
		v->cpl = 3;
		for (unsigned int s = 0; s < 6; s++)
			mon_seg_real(v, s, (uint16_t)(s * 0x100));
		break;
	default:
		v->cr0 |= X86_CR0_PE;
		for (unsigned int s = 0; s < 6; s++)
			set_segment(v, s, in, s == X86_CS ? mode >> 2 & 0x18 : take(in));
		v->cpl = mode & 4 ? 3 : 0;
		if (v->cpl == 3) {
			for (unsigned int s = 0; s < 6; s++)
				if (!(v->seg[s].attr & MON_SEG_NULL)) {
					v->seg[s].attr |= MON_SEG_DPL;
					v->seg[s].sel = s == X86_CS ? 0x1b : 0x23;
				}
		}
	}
	v->eip = TABLES_END + (take(in) << 4);
	v->int_shadow = how & 128 ? MON_SHADOW_STI : 0;
	v->mode_dirty = v->seg_dirty = 0;
	mon_tlb_flush(v);
}

/* What a fault may not have changed. */
struct snapshot {
	struct mon_vcpu v;
	uint8_t ram[MIRROR_BYTES];
	uint8_t fpu[512];
	uint32_t port_reads, port_writes, mmio_writes;
};

#define SAME(field) FUZZ_REQUIRE(!memcmp(&s->v.field, &v->field, sizeof(v->field)), \
				 "vector %u of %02x %02x %02x %02x at %x: " #field " changed", v->fault.vector, \
				 code[0], code[1], code[2], code[3], s->v.eip)

/* A fault in element k of a repeated string instruction leaves k elements done, as in the processor. */
static bool is_repeated(const struct mon_vcpu *v, const uint8_t *code)
{
	struct prescan_insn d;

	return prescan_decode(code, PRESCAN_INSN_MAX, mon_code32(v) ? PRESCAN_MODE_32 : PRESCAN_MODE_16, &d) == PRESCAN_OK &&
	       (d.flags & PRESCAN_F_STRING) && (d.prefixes & (PRESCAN_PFX_REP | PRESCAN_PFX_REPNE));
}

static void nothing_changed(const struct snapshot *s, const struct machine *m, const uint8_t *code)
{
	const struct mon_vcpu *v = &m->v;
	bool repeated = is_repeated(&s->v, code);

	if (!repeated) {
		SAME(gpr);
		SAME(eflags);
	}
	if (v->fault.vector != X86_VEC_DB)	/* INT1: a trap, EIP is past it (interp_branch.c) */
		SAME(eip);
	SAME(seg);
	SAME(ldtr);
	SAME(gdtr);
	SAME(idtr);
	SAME(cpl);
	SAME(int_shadow);
	SAME(halted);
	SAME(nmi_blocked);
	SAME(cr0);
	SAME(cr2);
	SAME(cr3);
	SAME(cr4);
	SAME(pdpte);
	SAME(dr);
	SAME(efer);
	SAME(sysenter_cs);
	SAME(sysenter_esp);
	SAME(sysenter_eip);
	SAME(pat);
	SAME(xcr0);
	SAME(mtrr_def_type);
	SAME(mtrr_fixed);
	SAME(mtrr_var);
	SAME(misc_enable);
	if (repeated)
		return;
	FUZZ_REQUIRE(s->port_reads == m->port_reads && s->port_writes == m->port_writes && s->mmio_writes == m->mmio_writes,
		     "vector %u of %02x %02x %02x: a device was touched", v->fault.vector, code[0], code[1], code[2]);
	if (v->fault.vector != X86_VEC_XM)
		FUZZ_REQUIRE(!memcmp(s->fpu, m->fpu, sizeof(s->fpu)), "vector %u of %02x %02x %02x %02x: FPU state changed",
			     v->fault.vector, code[0], code[1], code[2], code[3]);
	if (!memcmp(s->ram, m->vm.ram, MIRROR_BYTES))
		return;
	for (uint32_t at = 0; at < MIRROR_BYTES; at++) {
		uint8_t changed = s->ram[at] ^ m->vm.ram[at];
		uint32_t linear = at;

		if (!changed)
			continue;
		/* The access byte of a descriptor: accessed, or a task state's busy bit. */
		FUZZ_REQUIRE((linear - s->v.gdtr.base < s->v.gdtr.limit + 1u && ((linear - s->v.gdtr.base) & 7) == 5 && !(changed & ~3)) ||
			     (linear - s->v.ldtr.base <= s->v.ldtr.limit && ((linear - s->v.ldtr.base) & 7) == 5 && !(changed & ~1)),
			     "vector %u of %02x %02x %02x %02x: memory changed at %x", v->fault.vector, code[0], code[1], code[2],
			     code[3], at);
	}
}

static void state_is_possible(const struct mon_vcpu *v, const uint8_t *code)
{
	FUZZ_REQUIRE(v->cpl <= 3, "CPL %u", v->cpl);
	if (!mon_protected(v))
		FUZZ_REQUIRE(!v->cpl && !mon_v86(v), "%02x %02x %02x: real mode at CPL %u", code[0], code[1], code[2], v->cpl);
	if (mon_v86(v))
		FUZZ_REQUIRE(v->cpl == 3, "%02x %02x %02x: V86 mode at CPL %u", code[0], code[1], code[2], v->cpl);
	FUZZ_REQUIRE((v->eflags & 0xffc0802a) == 2, "%02x %02x %02x %02x: EFLAGS %08x", code[0], code[1], code[2], code[3], v->eflags);
	FUZZ_REQUIRE(!(v->seg[X86_CS].attr & MON_SEG_NULL), "CS is null");
}

void fuzz_interp(const uint8_t *data, size_t n)
{
	static struct snapshot s;
	static uint8_t pristine[MIRROR_BYTES];
	struct input in = { data, n < STATE_BYTES ? n : STATE_BYTES };
	struct mon_vcpu *v;
	uint32_t linear;

	if (n <= STATE_BYTES || n > STATE_BYTES + 128)
		return;
	if (!machine) {
		new_machine();
		fill(pristine);
		put_tables(pristine);
	}
	v = &machine->v;
	memcpy(machine->vm.ram, pristine, MIRROR_BYTES);
	set_state(machine, &in);
	linear = v->seg[X86_CS].base + v->eip;
	for (size_t i = STATE_BYTES; i < n; i++)
		machine->vm.ram[(linear + i - STATE_BYTES) & (MIRROR_BYTES - 1)] = data[i];

	for (unsigned int step = 0; step < STEPS; step++) {
		uint8_t code[PRESCAN_INSN_MAX];
		enum mon_status status;
		uint16_t task = v->tr.sel;

		mon_fpu_save(v);
		s.v = *v;
		memcpy(s.ram, machine->vm.ram, MIRROR_BYTES);
		memcpy(s.fpu, machine->fpu, sizeof(s.fpu));
		s.port_reads = machine->port_reads;
		s.port_writes = machine->port_writes;
		s.mmio_writes = machine->mmio_writes;
		for (unsigned int i = 0; i < sizeof(code); i++)
			code[i] = machine->vm.ram[(v->seg[X86_CS].base + v->eip + i) & (MIRROR_BYTES - 1)];

		status = mon_interp_one(v);
		mon_fpu_save(v);
		switch (status) {
		case MON_OK:
			state_is_possible(v, code);
			break;
		case MON_HALT:
			return;
		case MON_FAULT:
			if (v->tr.sel == task && !memcmp(&s.v.tr, &v->tr, sizeof(v->tr)))
				nothing_changed(&s, machine, code);
			return;
		default:
			FUZZ_REQUIRE(false, "status %d of %02x %02x %02x %02x %02x", status, code[0], code[1], code[2], code[3], code[4]);
		}
		/* A guest that turned paging on reads noise for tables: that is another test's. */
		if (v->cr0 & X86_CR0_PG)
			return;
	}
}
