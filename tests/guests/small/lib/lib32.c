/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/lib/lib32.c - descriptors, exceptions, user mode, paging and the interrupt controller of 32-bit guests.
 */
#include "guest.h"

uint64_t idt[256] __attribute__((aligned(8)));
struct tss32 tss __attribute__((aligned(128)));
hook_fn hook[256];
volatile struct caught caught;
volatile uint32_t resume_eip, try_eip;
uint8_t user_stack[8192] __attribute__((aligned(16)));

void leave_user(void);
void guest_start(void);
void trap(struct frame *f);

static const char *const exception_name[20] = {
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "9", "#TS", "#NP", "#SS", "#GP", "#PF", "15",
	"#MF", "#AC", "#MC", "#XM",
};

static bool has_error_code(int vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

void set_segment(uint16_t selector, uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
	gdt[selector >> 3] = (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40 |
			     (uint64_t)(limit >> 16 & 0xf) << 48 | (uint64_t)(flags & 0xf) << 52 | (uint64_t)(base >> 24) << 56;
}

void set_gate(uint64_t *slot, uint16_t selector, uint32_t offset, uint8_t access, uint8_t parameters)
{
	*slot = (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)parameters << 32 | (uint64_t)access << 40 |
		(uint64_t)(offset >> 16) << 48;
}

void set_interrupt(uint8_t vector, void (*handler)(void), uint8_t access)
{
	set_gate(&idt[vector], SEL_CODE0, (uint32_t)handler, access, 0);
}

void trap(struct frame *f)
{
	if (hook[f->vector]) {
		hook[f->vector](f);
		return;
	}
	if (resume_eip) {
		caught.vector = (int)f->vector;
		caught.error = f->error;
		caught.cr2 = f->vector == 14 ? read_cr2() : 0;
		caught.eip_offset = f->eip - try_eip;
		caught.eflags = f->eflags;
		f->eip = resume_eip;
		return;
	}
	print("unexpected vector %u error %04x eip %08x cs %04x eflags %08x cr2 %08x\n", f->vector, f->error, f->eip,
	      f->cs, f->eflags, read_cr2());
	end();
}

void show(const char *what)
{
	if (caught.vector < 0)
		print("%s: ok\n", what);
	else if (caught.vector == 14)
		print("%s: #PF(%04x) at %08x\n", what, caught.error, caught.cr2);
	else if (has_error_code(caught.vector))
		print("%s: %s(%04x)\n", what, exception_name[caught.vector], caught.error);
	else if (caught.vector < 20)
		print("%s: %s\n", what, exception_name[caught.vector]);
	else
		print("%s: interrupt %02x\n", what, (unsigned int)caught.vector);
}

static void hook_print(struct frame *f)
{
	print("%c", (char)f->eax);
}

void run_user(void (*fn)(void))
{
	run_user_flags(fn, 0x202 & ~0x200u);
}

/* fn returns to this stub. */
static void user_exit(void)
{
	__asm__ volatile("int $0x30");
}

void run_user_flags(void (*fn)(void), uint32_t eflags)
{
	uint32_t *top = (uint32_t *)(user_stack + sizeof(user_stack) - 16);

	*top = (uint32_t)user_exit;
	enter_user((uint32_t)fn, (uint32_t)top, eflags | 2);
}

static uint32_t next_table;

void paging_identity(void)
{
	memset((void *)PAGE_DIR, 0, 4096);
	next_table = 0x101000;
	for (uint32_t linear = 0; linear < 8u << 20; linear += 4096) {
		volatile uint32_t *pde = &PAGE_DIR[linear >> 22];

		if (!*pde) {
			memset((void *)next_table, 0, 4096);
			*pde = next_table | 7;
			next_table += 4096;
		}
		((uint32_t *)(*pde & ~0xfffu))[linear >> 12 & 1023] = linear | 7;
	}
	write_cr3(0x100000);
	write_cr0(read_cr0() | 0x80000000u);
}

void paging_off(void)
{
	write_cr0(read_cr0() & ~0x80000000u);
}

volatile uint32_t *pte_of(uint32_t linear)
{
	return &((volatile uint32_t *)(PAGE_DIR[linear >> 22] & ~0xfffu))[linear >> 12 & 1023];
}

void map_page(uint32_t linear, uint32_t entry)
{
	if (!(PAGE_DIR[linear >> 22] & 1)) {
		memset((void *)next_table, 0, 4096);
		PAGE_DIR[linear >> 22] = next_table | 7;
		next_table += 4096;
	}
	*pte_of(linear) = entry;
	invlpg(linear);
}

void pic_init(void)
{
	static const uint8_t words[2][4] = { { 0x11, 0x20, 0x04, 0x01 }, { 0x11, 0x28, 0x02, 0x01 } };

	for (unsigned int chip = 0; chip < 2; chip++) {
		uint16_t port = chip ? 0xa0 : 0x20;

		outb(port, words[chip][0]);
		for (unsigned int i = 1; i < 4; i++)
			outb(port + 1, words[chip][i]);
		outb(port + 1, 0xff);
	}
}

void pic_unmask(unsigned int irq)
{
	if (irq >= 8) {
		outb(0xa1, inb(0xa1) & ~(1u << (irq - 8)));
		irq = 2;
	}
	outb(0x21, inb(0x21) & ~(1u << irq));
}

void pic_eoi(unsigned int irq)
{
	if (irq >= 8)
		outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

void guest_start(void)
{
	struct { uint16_t limit; uint32_t base; } __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint32_t)idt };

	for (unsigned int vector = 0; vector < 256; vector++)
		set_interrupt((uint8_t)vector, (void (*)(void))trap_stubs[vector], ACC_INT32);
	set_interrupt(0x30, leave_user, ACC_INT32 | 0x60);
	set_interrupt(0x31, (void (*)(void))trap_stubs[0x31], ACC_INT32 | 0x60);
	hook[0x31] = hook_print;
	__asm__ volatile("lidt %0" : : "m"(pointer));

	tss.ss0 = SEL_DATA0;
	tss.esp0 = 0x90000;
	tss.iomap = offsetof(struct tss32, bitmap);
	memset(tss.bitmap, 0xff, sizeof(tss.bitmap));
	set_segment(SEL_TSS, (uint32_t)&tss, sizeof(tss) - 1, ACC_TSS32, 0);
	__asm__ volatile("ltr %w0; lldt %w1" : : "r"(SEL_TSS), "r"(0));

	outb(0x3fb, 0x03);			/* 8 data bits, no parity, 1 stop bit */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	print("BEGIN %s\n", guest_name);
	guest_main();
	end();
}
