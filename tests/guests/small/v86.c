/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/v86.c - virtual-8086 mode with and without IOPL, its monitor's view, and the I/O bitmap.
 * SDM 3A, "Virtual-8086 Mode".
 */
#include "guest.h"

/* The task's code, copied to 7000:0000. Each HLT asks the monitor for the next step; DX tells where it is. */
extern const uint8_t v86_code[], v86_code_end[];
__asm__(".code16\n"
	"v86_code:\n\t"
	"movw $0x7000, %ax\n\tmovw %ax, %ds\n\t"
	"movw %cs, %bx\n\tmovw $0x4321, %cx\n\tmovw %cx, 0x800\n\tmovw 0x800, %si\n\t"
	"hlt\n\t"				/* 1: segments and memory */
	"pushfw\n\tpopw %bx\n\t"		/* at IOPL 3: runs; else the monitor does it */
	"cli\n\tpushfw\n\tpopw %cx\n\t"
	"sti\n\tpushfw\n\tpopw %si\n\t"
	"hlt\n\t"				/* 2: flags */
	"int $0x21\n\t"
	"hlt\n\t"				/* 3 */
	"movw $0x7100, %ax\n\tmovw %ax, %es\n\tmovw $0x10, %di\n\tmovw $8, %cx\n\tmovb $0x5a, %al\n\tcld\n\trep stosb\n\t"
	"movw %es:0x16, %bx\n\tlcall $0x7000, $v86_far - v86_code\n\t"
	"hlt\n\t"				/* 4: far call, string */
	"movl $0x12345678, %eax\n\tmovl %eax, %ebx\n\tshrl $16, %ebx\n\t"
	"hlt\n\t"				/* 5: 32-bit operands */
	"movw $0x80, %dx\n\toutb %al, %dx\n\t"
	"hlt\n\t"				/* 6: allowed port */
	"movw $0x84, %dx\n\tinb %dx, %al\n\t"
	"hlt\n\t"				/* 7: refused port */
	"lgdt 0x800\n\t"
	"hlt\n\t"				/* 8: privileged */
	"movw $0xffff, %bx\n\tmovw %bx, %ds\n\tmovb 0x20, %al\n\t"	/* FFFF:0020 = 100010h */
	"hlt\n\t"				/* 9: above 1 MiB */
	"ud2\n\t"
	"hlt\n"
	"v86_far: movw %sp, %si\n\tmovw %sp, %bp\n\tmovw 2(%bp), %di\n\tlret\n"
	"v86_code_end:\n.code32");

static uint32_t step, iopl;

static void leave(struct frame *f)
{
	/* Back to enter_user's caller: through the same door as INT 30h. */
	(void)f;
	__asm__ volatile("int $0x30");
}

static const char *name_of(uint8_t opcode)
{
	switch (opcode) {
	case 0xfa: return "cli";
	case 0xfb: return "sti";
	case 0x9c: return "pushf";
	case 0x9d: return "popf";
	case 0xcd: return "int";
	case 0xf4: return "hlt";
	case 0xec: return "in";
	case 0x0f: return "0f";
	default: return "?";
	}
}

static void monitor(struct frame *f)
{
	const uint8_t *code = (const uint8_t *)((f->cs << 4) + f->eip);
	uint16_t *stack;

	if (!(f->eflags & 0x20000)) {
		print("not from V86 mode: eip %x cs %x\n", f->eip, f->cs);
		end();
	}
	if (*code == 0xf4) {
		step++;
		print("step %u: ax %04x bx %04x cx %04x si %04x di %04x ds %04x es %04x sp %04x ss %04x code %u\n", step, f->eax & 0xffff,
		      f->ebx & 0xffff, f->ecx & 0xffff, f->esi & 0xffff, f->edi & 0xffff, f->v86_ds, f->v86_es, f->esp, f->ss, f->error);
		f->eip++;
		return;
	}
	print("monitor: %s\n", name_of(*code));
	switch (*code) {
	case 0x9c:
		f->esp -= 2;
		stack = (uint16_t *)((f->ss << 4) + f->esp);
		*stack = 0x1111;
		f->eip++;
		break;
	case 0x9d:
		f->esp += 2;
		f->eip++;
		break;
	case 0xfa:
	case 0xfb:
	case 0xec:
		f->eip++;
		break;
	case 0xcd:
		f->eip += 2;
		break;
	case 0x0f:
		f->eip += 5;
		break;
	default:
		end();
	}
}

static void undefined(struct frame *f)
{
	print("monitor: #UD vm %u iopl %u\n", f->eflags >> 17 & 1, f->eflags >> 12 & 3);
	leave(f);
}

/* enter_user's frame has no V86 segments; build our own. */
static void run_v86(uint32_t eflags)
{
	__asm__ volatile("pushl $1f; pushl %%ebp; pushl %%ebx; pushl %%esi; pushl %%edi; pushl user_esp; movl %%esp, user_esp; movl %%esp, tss + 4\n\t"
			 "pushl $0; pushl $0; pushl $0x7200; pushl $0x7300; pushl $0x7000; pushl $0x1000; pushl %0; pushl $0x7000; pushl $0; movl $0x1234, %%edi; iret\n"
			 "1:"
			 : : "r"(eflags | 0x20002) : "eax", "ecx", "edx", "memory", "cc");
}

void guest_main(void)
{
	hook[13] = monitor;
	hook[6] = undefined;
	*(volatile uint8_t *)0x100010 = 0x77;
	tss.bitmap[0x80 / 8] &= ~1u;
	for (iopl = 0; iopl <= 3; iopl += 3) {
		memcpy((void *)0x70000, v86_code, (size_t)(v86_code_end - v86_code));
		step = 0;
		print("IOPL %u\n", iopl);
		run_v86(iopl << 12);
	}
	print("back in protected mode: cs %x vm %x\n", SEL_CODE0, read_eflags() >> 17 & 1);
}
