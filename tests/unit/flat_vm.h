/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/flat_vm.h - a machine in a struct: a megabyte of RAM, a fake device, a vCPU. For tests of monitor/.
 *
 *      0x01000 GDT   0x02000 IDT   0x03000 TSS   0x04000 LDT   0x05000 second TSS
 *      0x08000 inner stack's page   0x09000 outer stack's page   0x10000.. page tables
 *      0x80000 device (one page)   0x90000 ROM (one page)
 */
#ifndef TESTS_UNIT_FLAT_VM_H
#define TESTS_UNIT_FLAT_VM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "monitor/mon.h"

#define GDT	0x1000u
#define IDT	0x2000u
#define TSS	0x3000u
#define LDT	0x4000u
#define TSS2	0x5000u
#define STACK0	0x9000u		/* tops */
#define STACK3	0xa000u
#define DEVICE	0x80000u
#define ROM	0x90000u
#define RAM_BYTES 0x100000u

#define CODE0	0x08
#define DATA0	0x10
#define CODE3	0x1b
#define DATA3	0x23
#define TSS_SEL	0x28
#define LDT_SEL	0x30
#define TSS2_SEL 0x38
#define SPARE	0x40		/* free for a test, and all after it */

struct mmio_access { uint32_t gpa, size, value; bool write; };

struct flat {
	struct mon_vm vm;
	struct mon_vcpu vcpu;
	struct mon_hooks hooks;
	struct mmio_access mmio[32];
	unsigned int nr_mmio;
	/* What the hooks were told last, and how often. */
	uint32_t code_gpa, code_nbytes, watch_gpa;
	unsigned int nr_code, nr_watch, nr_flush, nr_cr3, nr_invlpg;
	uint64_t tsc;
};

/* Hooks get the vCPU alone; the struct around it is ours. */
static inline struct flat *flat_of(struct mon_vcpu *vcpu)
{
	return (struct flat *)((char *)vcpu - offsetof(struct flat, vcpu));
}

static uint32_t flat_mmio_read(void *machine, uint32_t gpa, unsigned int size)
{
	struct flat *f = machine;

	f->mmio[f->nr_mmio++ % 32] = (struct mmio_access){ gpa, size, 0, false };
	return 0xd0d1d2d3u + (gpa & 0xfff);
}

static void flat_mmio_write(void *machine, uint32_t gpa, unsigned int size, uint32_t value)
{
	struct flat *f = machine;

	f->mmio[f->nr_mmio++ % 32] = (struct mmio_access){ gpa, size, value, true };
}

static void flat_code_written(struct mon_vcpu *vcpu, uint32_t gpa, uint32_t nbytes)
{
	struct flat *f = flat_of(vcpu);

	f->nr_code++;
	f->code_gpa = gpa;
	f->code_nbytes = nbytes;
}

static void flat_page_changed(struct mon_vcpu *vcpu, uint32_t gpa)
{
	flat_of(vcpu)->nr_watch++;
	flat_of(vcpu)->watch_gpa = gpa;
}

static void flat_flush(struct mon_vcpu *vcpu, bool global_too)
{
	(void)global_too;
	flat_of(vcpu)->nr_flush++;
}

static void flat_load_cr3(struct mon_vcpu *vcpu) { flat_of(vcpu)->nr_cr3++; }

static void flat_invlpg(struct mon_vcpu *vcpu, uint32_t linear)
{
	(void)linear;
	flat_of(vcpu)->nr_invlpg++;
}

static inline uint32_t ram32(struct flat *f, uint32_t gpa)
{
	uint32_t v;

	memcpy(&v, f->vm.ram + gpa, 4);
	return v;
}

static inline uint16_t ram16(struct flat *f, uint32_t gpa) { return (uint16_t)ram32(f, gpa); }
static inline void set32(struct flat *f, uint32_t gpa, uint32_t v) { memcpy(f->vm.ram + gpa, &v, 4); }
static inline void set16(struct flat *f, uint32_t gpa, uint16_t v) { memcpy(f->vm.ram + gpa, &v, 2); }
static inline void set64(struct flat *f, uint32_t gpa, uint64_t v) { memcpy(f->vm.ram + gpa, &v, 8); }

/* @access is the access byte, @flags the nibble G D L AVL. */
static inline void set_desc(struct flat *f, uint32_t table, uint16_t sel, uint32_t base, uint32_t limit, uint32_t access,
			    uint32_t flags)
{
	uint32_t at = table + (sel & ~7u);

	set32(f, at, (limit & 0xffff) | base << 16);
	set32(f, at + 4, (base >> 16 & 0xff) | access << 8 | (limit & 0xf0000) | flags << 20 | (base & 0xff000000));
}

/* Call, interrupt, trap and task gates. */
static inline void set_gate(struct flat *f, uint32_t table, uint32_t index, uint16_t sel, uint32_t offset, uint32_t access,
			    uint32_t params)
{
	set32(f, table + index * 8, (offset & 0xffff) | (uint32_t)sel << 16);
	set32(f, table + index * 8 + 4, (offset & 0xffff0000) | access << 8 | params);
}

static inline void load(struct flat *f, unsigned int sreg, uint16_t sel)
{
	uint32_t desc[2];

	assert_int_equal(mon_read_descriptor(&f->vcpu, sel, X86_VEC_GP, desc), MON_OK);
	mon_seg_from_descriptor(&f->vcpu.seg[sreg], sel, desc);
}

/* Flat 32-bit protected mode, paging off, at @cpl 0 or 3, EIP 0x7000 and a stack of that ring. */
static inline void enter_protected(struct flat *f, unsigned int cpl)
{
	struct mon_vcpu *v = &f->vcpu;
	uint16_t data = cpl ? DATA3 : DATA0;

	v->cr0 = X86_CR0_PE | X86_CR0_ET;
	v->cpl = (uint8_t)cpl;
	load(f, X86_CS, cpl ? CODE3 : CODE0);
	for (unsigned int s = 0; s < 6; s++)
		if (s != X86_CS)
			load(f, s, data);
	v->eip = 0x7000;
	v->gpr[X86_ESP] = cpl ? STACK3 : STACK0;
	v->eflags = X86_FLAG_ONE | X86_FLAG_IF;
	v->seg_dirty = 0;
	v->mode_dirty = 0;
}

/* V86 mode at 0700:0100 with a stack at 0900:0100. */
static inline void enter_v86(struct flat *f, unsigned int iopl)
{
	struct mon_vcpu *v = &f->vcpu;

	enter_protected(f, 3);
	v->eflags = X86_FLAG_ONE | X86_FLAG_IF | X86_FLAG_VM | iopl << X86_FLAG_IOPL_SHIFT;
	for (unsigned int s = 0; s < 6; s++)
		mon_seg_real(v, s, (uint16_t)(0x100 + s));
	mon_seg_real(v, X86_CS, 0x700);
	mon_seg_real(v, X86_SS, 0x900);
	v->eip = 0x100;
	v->gpr[X86_ESP] = 0x100;
}

static inline void enter_real(struct flat *f)
{
	struct mon_vcpu *v = &f->vcpu;

	mon_reset(v);
	v->idtr.limit = 0x3ff;
	for (unsigned int s = 0; s < 6; s++)
		mon_seg_real(v, s, 0);
	mon_seg_real(v, X86_CS, 0x700);
	mon_seg_real(v, X86_SS, 0x900);
	v->eip = 0x100;
	v->gpr[X86_ESP] = 0x100;
}

static inline int flat_setup(void **state)
{
	static const struct mon_io_ops io = { .mmio_read = flat_mmio_read, .mmio_write = flat_mmio_write };
	struct flat *f = calloc(1, sizeof(*f));
	struct mon_vcpu *v = &f->vcpu;

	f->vm.ram = calloc(1, RAM_BYTES);
	f->vm.ram_bytes = RAM_BYTES;
	f->vm.page = calloc(1u << 20, sizeof(uint64_t));
	f->vm.io = &io;
	f->vm.machine = f;
	f->vm.a20_mask = ~0u;
	for (uint64_t at = 0; at < RAM_BYTES; at += PLX_PAGE_SIZE)
		f->vm.page[at >> PLX_PAGE_SHIFT] = at | MON_PAGE_PRESENT;
	f->vm.page[DEVICE >> PLX_PAGE_SHIFT] = 0;
	f->vm.page[ROM >> PLX_PAGE_SHIFT] |= MON_PAGE_ROM;
	f->hooks = (struct mon_hooks){
		.flush_tlb = flat_flush, .load_cr3 = flat_load_cr3, .invlpg = flat_invlpg,
		.code_written = flat_code_written, .page_changed = flat_page_changed,
	};
	v->vm = &f->vm;
	v->hooks = &f->hooks;
	mon_reset(v);
	f->nr_flush = 0;

	v->gdtr = (struct mon_dtr){ .base = GDT, .limit = 0x1ff };
	v->idtr = (struct mon_dtr){ .base = IDT, .limit = 0x7ff };
	set_desc(f, GDT, CODE0, 0, 0xfffff, 0x9b, 0xc);
	set_desc(f, GDT, DATA0, 0, 0xfffff, 0x93, 0xc);
	set_desc(f, GDT, CODE3, 0, 0xfffff, 0xfb, 0xc);
	set_desc(f, GDT, DATA3, 0, 0xfffff, 0xf3, 0xc);
	set_desc(f, GDT, TSS_SEL, TSS, 0x67, 0x8b, 0);
	set_desc(f, GDT, LDT_SEL, LDT, 0xff, 0x82, 0);
	set_desc(f, GDT, TSS2_SEL, TSS2, 0x67, 0x89, 0);
	v->tr = (struct mon_seg){ .sel = TSS_SEL, .attr = 0x8b, .base = TSS, .limit = 0x67 };
	v->ldtr = (struct mon_seg){ .sel = LDT_SEL, .attr = 0x82, .base = LDT, .limit = 0xff };
	set32(f, TSS + 4, STACK0);
	set32(f, TSS + 8, DATA0);
	enter_protected(f, 0);
	*state = f;
	return 0;
}

static inline int flat_teardown(void **state)
{
	struct flat *f = *state;

	free(f->vm.page);
	free(f->vm.ram);
	free(f);
	return 0;
}

#define FLAT_TEST(fn) cmocka_unit_test_setup_teardown(fn, flat_setup, flat_teardown)

static inline void expect_fault(struct flat *f, enum mon_status st, uint8_t vector, uint16_t error)
{
	assert_int_equal(st, MON_FAULT);
	assert_int_equal(f->vcpu.fault.vector, vector);
	assert_true(f->vcpu.fault.has_error);
	assert_int_equal(f->vcpu.fault.error, error);
}

#endif
