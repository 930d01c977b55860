/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/block.c - GDT, IDT and TSS of the private world, and moving them to another linear address.
 *
 * Moving changes no page of the block's but descriptors' bases and gates' offsets: the TSS descriptor, RSP0 and the stack of #DF in
 * the TSS, 256 gates (but that of INT3, if it leads to gate_handler.S), and the images that LGDT and LIDT read. The pages are mapped at the new place before, and unmapped at
 * the old one after; whoever asks for the move does both.
 */
#include "host-module/ring0/host.h"

#define TSS_BYTES	0x68
#define TSS_RSP0	0x04
#define TSS_IST1	0x24
#define TSS_IST2	0x2c
#define TSS_IO_MAP	0x66

#define INTERRUPT_GATE	0xe
#define TRAP_GATE	0xf

static void gate(uint64_t *idt, unsigned int vector, unsigned int selector, uint64_t offset, unsigned int ist, unsigned int type, unsigned int dpl)
{
	idt[vector * 2] = (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)ist << 32 |
			  (uint64_t)(0x80 | type | dpl << 5) << 40 | (offset >> 16 & 0xffff) << 48;
	idt[vector * 2 + 1] = offset >> 32;
}

static void system_descriptor(uint64_t *gdt, unsigned int selector, uint64_t base, uint32_t limit, unsigned int type)
{
	gdt[selector / 8] = (limit & 0xffff) | (base & 0xffffff) << 16 | (uint64_t)(0x80 | type) << 40 |
			    (uint64_t)(limit >> 16 & 15) << 48 | (base >> 24 & 0xff) << 56;
	gdt[selector / 8 + 1] = base >> 32;
}

static void load(struct world_ctx *ctx)
{
	uint64_t *gdt = (uint64_t *)ctx->gdtr.base;
	uint16_t tss = SEL_TSS, ldt = SEL_LDT;

	__asm__ volatile("lgdt %0" : : "m"(ctx->gdtr));
	gdt[SEL_TSS / 8] &= ~(2ull << 40);	/* not busy */
	__asm__ volatile("ltr %0" : : "m"(tss));
	__asm__ volatile("lldt %0" : : "m"(ldt));
	__asm__ volatile("lidt %0" : : "m"(ctx->idtr));
}

void block_use_at(struct module_host *h, uint64_t base)
{
	struct world_ctx *ctx = (struct world_ctx *)base;
	uint64_t *gdt = (uint64_t *)(base + BLOCK_GDT), *idt = (uint64_t *)(base + BLOCK_IDT);
	uint8_t *tss = (uint8_t *)(base + BLOCK_TSS);
	uint64_t rsp0 = base + C_FRAME_END, ist1 = base + BLOCK_DF_STACK + PLX_PAGE_SIZE;
	const uint64_t ist2 = WORLD_GATE + 2 * PLX_PAGE_SIZE;

	if (h->ctx == ctx && !h->nothing_runs_yet)
		return;
	memcpy(tss + TSS_RSP0, &rsp0, 8);
	memcpy(tss + TSS_IST1, &ist1, 8);
	memcpy(tss + TSS_IST2, &ist2, 8);
	system_descriptor(gdt, SEL_TSS, base + BLOCK_TSS, TSS_BYTES - 1, 0x9);
	for (unsigned int i = 0; i < 256; i++)
		gate(idt, i, SEL_CODE, base + BLOCK_CODE + 0x40 + 16 * i, i == 8 ? 1 : 0, INTERRUPT_GATE,
		     i == VECTOR_SITE || i == X86_VEC_BP || i == X86_VEC_OF ? 3 : 0);
	/* From ring 3 to ring 3. A trap gate: what cleared IF in ring 3 could never set it again. */
	if (h->gate)
		gate(idt, X86_VEC_BP, SEL_CS64, WORLD_GATE, 2, TRAP_GATE, 3);
	ctx->gdtr.limit = GDT_BYTES - 1;
	ctx->gdtr.base = (uint64_t)gdt;
	ctx->idtr.limit = 256 * 16 - 1;
	ctx->idtr.base = (uint64_t)idt;
	ctx->here = base;
	ctx->handler_va = base + BLOCK_CODE;
	ctx->iret_rsp = base + C_FRAME + offsetof(struct world_frame, rip);
	h->ctx = ctx;
	load(ctx);
}

static void write_at(struct module_host *h, uint64_t base)
{
	h->nothing_runs_yet = true;
	block_use_at(h, base);
	h->nothing_runs_yet = false;
}

void block_anew(struct module_host *h)
{
	write_at(h, WORLD_BLOCK);
}

void block_again(struct module_host *h)
{
	write_at(h, (uint64_t)h->ctx);
}

void block_init(struct module_host *h)
{
	uint64_t *gdt = (uint64_t *)((uint64_t)h->ctx + BLOCK_GDT);
	uint16_t no_io_map = TSS_BYTES;

	memset(gdt, 0, GDT_BYTES);
	gdt[SEL_CODE / 8] = 0x00af9b000000ffffull;
	gdt[SEL_DATA / 8] = 0x00cf93000000ffffull;
	gdt[SEL_CS64 / 8] = 0x00affb000000ffffull;
	system_descriptor(gdt, SEL_LDT, (uint64_t)h->ldt, LDT_BYTES - 1, 0x2);
	memset((uint8_t *)gdt + (BLOCK_TSS - BLOCK_GDT), 0, TSS_BYTES);
	memcpy((uint8_t *)gdt + (BLOCK_TSS - BLOCK_GDT) + TSS_IO_MAP, &no_io_map, 2);
	h->ctx->trap_fn = (uint64_t)world_trap;
	h->ctx->fault_fn = (uint64_t)world_fault;
	h->ctx->vcpu = (uint64_t)h->vcpu;
	block_anew(h);
}
