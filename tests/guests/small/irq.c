/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/irq.c - hardware interrupts: PIT ticks, masks, the shadow of STI, HLT, nesting, user mode,
 * the 8259A's registers. No times are printed, only order and counts that the guest itself sets.
 */
#include "guest.h"

static volatile uint32_t ticks, stop_after, at_flag, order[16], orders;
static volatile uint32_t shadow_marker, shadow_seen;
static volatile bool nest;

static void tick(struct frame *f)
{
	ticks++;
	shadow_seen = shadow_marker;
	at_flag = f->eflags & 0x200;
	if (ticks == stop_after)
		outb(0x21, 0xff);
	pic_eoi(0);
}

static void start_pit(uint16_t reload)
{
	outb(0x43, 0x34);
	outb(0x40, reload & 0xff);
	outb(0x40, reload >> 8);
}

/* Leave one tick pending: the PIT's edge is latched by the 8259A while it is masked or IF is 0. */
static void make_pending(void)
{
	outb(0x20, 0x0a);
	while (!(inb(0x20) & 1))
		;
}

static void reset_ticks(uint32_t stop)
{
	outb(0x21, 0xff);
	pic_init();
	ticks = 0;
	stop_after = stop;
}

static void user_wait(void)
{
	while (ticks < 5)
		;
	print("user: interrupts came, if %x\n", at_flag);
}

static void slave(struct frame *f)
{
	(void)f;
	outb(0x70, 0x0c);
	(void)inb(0x71);
	ticks++;
	pic_eoi(8);
}

static void low(struct frame *f)
{
	order[orders++] = f->vector;
	if (nest) {
		/* IRQ 0 is higher: it may come while this one is in service. */
		outb(0x21, inb(0x21) & 0xfe);
		__asm__ volatile("sti; nop; nop; cli");
		order[orders++] = 0x100 | f->vector;
	}
	pic_eoi(f->vector - 0x20);
}

static void high(struct frame *f)
{
	order[orders++] = f->vector;
	outb(0x21, inb(0x21) | 1);
	pic_eoi(0);
}

void guest_main(void)
{
	uint32_t count, before;

	pic_init();
	hook[0x20] = tick;

	/* Ticks are counted while the guest spins. */
	reset_ticks(20);
	start_pit(1193);
	pic_unmask(0);
	__asm__ volatile("sti");
	while (ticks < 20)
		;
	__asm__ volatile("cli");
	print("20 ticks, if %x\n", at_flag);

	/* HLT wakes by an interrupt, again and again. */
	reset_ticks(10);
	pic_unmask(0);
	count = 0;
	while (ticks < 10) {
		__asm__ volatile("sti; hlt; cli");
		count++;
	}
	/* Two ticks may come in one go on a busy host; a wake without a tick may not. */
	print("hlt: %u ticks, %s\n", ticks, count <= 10 ? "no idle wake" : "idle wakes");

	/* Masked: nothing comes, but it stays pending and comes after. */
	reset_ticks(1);
	make_pending();
	__asm__ volatile("sti; nop; nop; cli");
	print("masked: %u", ticks);
	pic_unmask(0);
	__asm__ volatile("sti; nop; nop; cli");
	print(" unmasked: %u\n", ticks);

	/* The instruction behind STI still runs undisturbed. */
	reset_ticks(1);
	pic_unmask(0);
	make_pending();
	shadow_marker = 0;
	__asm__ volatile("sti; movl $1, %0; movl $2, %0; cli" : "=m"(shadow_marker));
	print("sti shadow: ticks %u marker %u\n", ticks, shadow_seen);

	/* STI CLI: never a window. */
	reset_ticks(1);
	pic_unmask(0);
	make_pending();
	for (unsigned int i = 0; i < 1000; i++)
		__asm__ volatile("sti; cli");
	print("sti cli: ticks %u\n", ticks);

	/* POPF has no shadow. */
	shadow_marker = 0;
	__asm__ volatile("pushfl; orl $0x200, (%%esp); popfl; movl $1, %0; cli" : "=m"(shadow_marker) : : "cc", "memory");
	print("popf: ticks %u marker %u\n", ticks, shadow_seen);

	/* IRET that sets IF: at once. */
	reset_ticks(1);
	pic_unmask(0);
	make_pending();
	shadow_marker = 0;
	__asm__ volatile("pushfl; orl $0x200, (%%esp); pushl %%cs; pushl $1f; iret\n1: movl $1, %0; cli" : "=m"(shadow_marker) : : "cc", "memory");
	print("iret: ticks %u marker %u\n", ticks, shadow_seen);

	/* A tight loop without a memory access must be interruptible; so must a REP. */
	reset_ticks(3);
	pic_unmask(0);
	__asm__ volatile("sti");
	for (before = 0; ticks < 3; before++)
		__asm__ volatile("movl $100000, %%ecx\n1: decl %%ecx; jnz 1b" : : : "ecx");
	__asm__ volatile("cli");
	print("loop interrupted: ticks %u\n", ticks);

	reset_ticks(4);
	pic_unmask(0);
	{
		uint32_t left, at;

		__asm__ volatile("sti");
		do {
			__asm__ volatile("cld; rep stosb" : "=c"(left), "=D"(at) : "0"(0x100000), "1"(0x200000), "a"(0x5a) : "memory");
			if (left != 0 || at != 0x300000)
				print("rep broken\n");
		} while (ticks < 4);
		__asm__ volatile("cli");
	}
	print("rep interrupted: ticks %u\n", ticks);

	/* User mode: interrupts switch to the TSS's stack. */
	reset_ticks(5);
	pic_unmask(0);
	run_user_flags(user_wait, 0x200);

	/* CLI holds for long. */
	reset_ticks(1);
	pic_unmask(0);
	for (volatile uint32_t i = 0; i < 3000000; i++)
		;
	print("cli holds: ticks %u\n", ticks);
	__asm__ volatile("sti; nop; nop; cli");
	print("then: ticks %u\n", ticks);

	/* Two requests at once: IRQ 0 first, then 4 (the UART's empty transmitter). */
	reset_ticks(1);
	hook[0x20] = high;
	hook[0x24] = low;
	outb(0x3f9, 0);
	outb(0x3fc, 0x08);
	outb(0x3f9, 2);
	make_pending();
	outb(0x21, (uint8_t)~0x11);
	__asm__ volatile("sti; nop; nop; nop; cli");
	print("order:");
	for (unsigned int i = 0; i < orders; i++)
		print(" %02x", order[i]);
	print("\n");
	outb(0x3f9, 0);
	(void)inb(0x3fa);

	/* Nesting: IRQ 4's handler opens interrupts, IRQ 0 comes inside. */
	reset_ticks(1);
	orders = 0;
	nest = true;
	outb(0x3f9, 2);
	make_pending();
	outb(0x21, (uint8_t)~0x10);
	__asm__ volatile("sti; nop; nop; nop; cli");
	print("nested:");
	for (unsigned int i = 0; i < orders; i++)
		print(" %02x", order[i]);
	print("\n");
	outb(0x3f9, 0);
	(void)inb(0x3fa);

	/* The slave chip: RTC update interrupts on IRQ 8, once. */
	reset_ticks(0);
	hook[0x20] = tick;
	hook[0x28] = slave;
	start_pit(0);
	outb(0x70, 0x0a);
	outb(0x71, 0x26);			/* 1024 Hz */
	outb(0x70, 0x0b);
	outb(0x71, 0x42);			/* periodic, 24 hours */
	outb(0x70, 0x0c);
	(void)inb(0x71);
	pic_unmask(8);
	__asm__ volatile("sti");
	while (ticks < 16)
		;
	__asm__ volatile("cli");
	outb(0x70, 0x0b);
	outb(0x71, 0x02);
	print("rtc: 16 interrupts\n");

	/* The 8259A's registers. */
	outb(0x21, 0x5a);
	outb(0xa1, 0xa5);
	print("imr %02x %02x\n", inb(0x21), inb(0xa1));
	outb(0x20, 0x0b);
	print("isr %02x\n", inb(0x20));
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}
