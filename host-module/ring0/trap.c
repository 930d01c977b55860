/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/trap.c - exceptions and interrupts.
 *
 *      from the guest:    the host's interrupt, NMI, #MC --> to the host at once, and back; a kick may be waiting then
 *                         an exception               --> out of nexus_enter with NX_EXIT_FAULT, for monitor/exits.c
 *      from the monitor:  #PF in the arena           --> the host gives pages
 *                         in a native step           --> monitor/native.c knows where to go on
 *                         an interrupt, in world_breathe --> the host
 *                         anything else              --> a defect: the machine dies, the host lives
 *
 * Asked by: handlers.S.
 */
#include "host-module/ring0/host.h"

#define BREATH_TICKS	200000		/* some 0.1 ms: how long the host's interrupts wait at most for the monitor */

static bool is_host_interrupt(uint64_t vector)
{
	return vector >= 32 || vector == X86_VEC_NMI || vector == X86_VEC_MC;
}

static void to_host(struct module_host *h, uint64_t vector)
{
	h->ctx->a[0] = (uint32_t)vector;
	h->ctx->interrupts++;
	world_call(h, REQUEST_INTERRUPT);
}

static void keep_registers(struct mon_vcpu *v, const struct world_frame *f)
{
	v->gpr[X86_EAX] = (uint32_t)f->rax;
	v->gpr[X86_ECX] = (uint32_t)f->rcx;
	v->gpr[X86_EDX] = (uint32_t)f->rdx;
	v->gpr[X86_EBX] = (uint32_t)f->rbx;
	v->gpr[X86_ESP] = (uint32_t)f->rsp;
	v->gpr[X86_EBP] = (uint32_t)f->rbp;
	v->gpr[X86_ESI] = (uint32_t)f->rsi;
	v->gpr[X86_EDI] = (uint32_t)f->rdi;
	v->eflags = (uint32_t)f->rflags;
	v->nexus.fault_eip = (uint32_t)f->rip;
}

/* In a stub, or in the veneer before it. */
static bool on_its_way_out(const struct mon_engine *e, const struct world_frame *f)
{
	uint32_t offset = (uint32_t)f->rip + e->cs_host_base - e->window;

	return (f->cs & 0xffff) == SEL_CS64 || (offset >= WINDOW_COLD && offset < WINDOW_BYTES);
}

/*
 * IRET to a stack segment with B = 0 loads SP alone: the upper half of ESP stays what it was in ring 0. So there the image is read
 * from a stack page whose own address has the guest's upper half in bits 31..16.
 */
static uint64_t iret_stack(struct module_host *h, uint16_t ss, uint32_t esp, uint64_t otherwise)
{
	struct tables_inv inv = { .kind = TABLES_INV_NONE };
	uint64_t slot;

	if (!(ss & 4) || h->ldt[ss >> 3] & 1ull << 54)
		return otherwise;
	slot = WORLD_IRET + (esp & 0xffff0000);
	if (h->iret_slot != (esp & 0xffff0000) || !h->iret_phys) {
		if (!h->iret_phys)
			h->iret_phys = world_phys(h, arena_alloc(h, PLX_PAGE_SIZE, PLX_PAGE_SIZE));
		else
			tables_unmap(&h->tables, WORLD_IRET + h->iret_slot, PLX_PAGE_SIZE, &inv);
		h->iret_slot = esp & 0xffff0000;
		while (tables_map(&h->tables, slot, h->iret_phys, PLX_PAGE_SIZE,
				  TABLES_W | TABLES_NX | TABLES_A | TABLES_D | TABLES_CREATE | TABLES_OVERWRITE, &inv))
			if (!tables_need(h))
				world_die(h, "cannot map a stack page", -PLX_ENOMEM);
		tables_done(h, &inv);
	}
	return slot + PLX_PAGE_SIZE / 2;
}

/* monitor/run.c's way into the guest. */
void nexus_enter(struct mon_vcpu *v)
{
	struct module_host *h = module_host();

	/* One that came while the monitor was at work: NMIs are shut until the host has it. */
	if (h->ctx->nmi_pending)
		to_host(h, X86_VEC_NMI);
	if (h->gate)
		gate_arm(h);
	v->nexus.iret_stack = iret_stack(h, v->nexus.sel[X86_SS], v->gpr[X86_ESP], WORLD_STACK + PLX_PAGE_SIZE / 2);
	enter_guest(v);
}

int world_trap(struct world_ctx *ctx)
{
	struct module_host *h = module_host();
	struct mon_vcpu *v = h->vcpu;
	struct world_frame *f = &ctx->frame;
	uint64_t vector = f->vector & 0xff, top;
	enum gate_stop gate = gate_settle(h, f);

	if (!is_host_interrupt(vector)) {
		/* A page fault is the guest's stack: as good as one of the INT3 itself, where @f is now. What else, the interpreter knows. */
		if (gate == GATE_STARTS_OVER && vector != X86_VEC_PF) {
			keep_registers(v, f);
			v->nexus.exit = gate_site(h, f);
			return 1;
		}
		if ((f->cs & 0xffff) == SEL_CS64) {
			world_die(h, "a stub of the code cache faulted; this is a defect of Plexus, please report it", 0);
		}
		keep_registers(v, f);
		v->nexus.fault_vector = (uint32_t)vector;
		v->nexus.fault_error = (uint32_t)f->error;
		v->nexus.fault_address = vector == X86_VEC_PF ? (uint32_t)ring0_cr2() : 0;
		v->nexus.exit = NX_EXIT_FAULT;
		return 1;
	}
	to_host(h, vector);
	if (v->nexus.kick && !on_its_way_out(h->engine, f)) {
		keep_registers(v, f);
		v->nexus.exit = NX_EXIT_KICK;
		return 1;
	}
	top = iret_stack(h, (uint16_t)f->ss, (uint32_t)f->rsp, 0);
	if ((f->cs & 0xffff) == SEL_CS64)
		top = 0;	/* loads all of RSP */
	if (top) {
		top -= 5 * 8;
		memcpy((void *)top, &f->rip, 5 * 8);
		ctx->iret_rsp = top;
	} else {
		ctx->iret_rsp = (uint64_t)&f->rip;
	}
	return 0;
}

void world_fault(struct world_ctx *ctx, struct world_frame *f)
{
	static const char digits[] = "0123456789abcdef";
	struct module_host *h = module_host();
	uint64_t vector = f->vector & 0xff, at = ring0_cr2(), rip;
	char text[] = "a defect of Plexus: exception 00 in the monitor at 0000000000000000, address 0000000000000000";

	(void)ctx;
	if (is_host_interrupt(vector)) {
		to_host(h, vector);
		return;
	}
	if (vector == X86_VEC_PF && at >= WORLD_ARENA && at < WORLD_ARENA + WORLD_ARENA_BYTES && !(f->error & 1)) {
		if (!arena_fill(h, at))
			world_die(h, "the host has no memory for the monitor", -PLX_ENOMEM);
		return;
	}
	if (h->vcpu && mon_native_recover(h->vcpu, (uint8_t)vector, f->rip, &rip)) {
		f->rip = rip;
		return;
	}
	text[30] = digits[vector >> 4];
	text[31] = digits[vector & 15];
	for (unsigned int i = 0; i < 16; i++) {
		text[51 + i] = digits[f->rip >> (60 - 4 * i) & 15];
		text[77 + i] = digits[at >> (60 - 4 * i) & 15];
	}
	world_die(h, text, 0);
}

/* Between instructions: the monitor may have been at work for long. */
void world_breathe(struct module_host *h)
{
	if (ring0_tsc() - h->last_open < BREATH_TICKS)
		return;
	h->last_open = ring0_tsc();
	__asm__ volatile("sti; nop; nop; cli" : : : "memory");
}
