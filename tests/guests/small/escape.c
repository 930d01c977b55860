/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/escape.c - every door that a processor has, tried by CPL 0 and CPL 3: each selector value in each data segment
 * register, far calls and far jumps to each kind of descriptor, INT n for each n, the fast system calls, physical addresses where
 * there is no memory. A monitor has descriptors, gates and pages of its own somewhere: none of them may be met.
 *
 * Outcomes are counted, and what happened at which selector goes into a sum. SDM 3A, "Protection"; SDM 2A, MOV, CALL, JMP, INT n.
 */
#include "guest.h"

#define FIRST SEL_FREE
#define NEAR 0x400u		/* selectors below are tried in every register, those above in one each */

static uint64_t ldt[16];
static uint32_t ok, faults[32], others, sum;
static uint32_t cpl;
static struct {
	uint32_t offset;
	uint16_t selector;
} __attribute__((packed)) far_pointer;

void landing(void);
void landing_of_jump(void);
extern uint8_t int_stubs[];
/* A far call comes back by RET, a far jump by the way in EDX. */
__asm__(".globl landing, landing_of_jump, int_stubs\n"
	"landing: lret\n"
	"landing_of_jump: jmp *%edx\n"
	".balign 8\n"
	"int_stubs:\n"
	".set vector, 0\n"
	".rept 256\n"
	".balign 8\n"
	".byte 0xcd, vector\n"
	"jmp *%edx\n"
	".set vector, vector + 1\n"
	".endr\n");

static void begin(void)
{
	ok = others = sum = 0;
	memset(faults, 0, sizeof(faults));
}

static void note(uint32_t what)
{
	uint32_t outcome = 0;

	if (caught.vector < 0)
		ok++;
	else if (caught.vector < 32)
		faults[caught.vector]++;
	else
		others++;
	if (caught.vector >= 0)
		outcome = (uint32_t)caught.vector << 16 | (caught.error & 0xffff);
	sum = (sum ^ what) * 16777619u;
	sum = (sum ^ outcome) * 16777619u;
}

static void tell(const char *what)
{
	print("cpl %u %s: %u ok, %u #UD, %u #NP, %u #SS, %u #GP, %u interrupts, sum %08x\n", cpl, what, ok, faults[6], faults[11],
	      faults[12], faults[13], others, sum);
}

/* Each register gets its usual segment back at once: what was loaded may be good for nothing. */
#define LOAD(reg)                                                                                                     \
	TRY("movw %w0, %%" reg "; movw %w1, %%" reg, : : "r"(selector), "r"(cpl ? SEL_DATA3 : SEL_DATA0) : "memory")

static void load(uint32_t selector, unsigned int reg)
{
	switch (reg) {
	case 0:
		LOAD("ds");
		break;
	case 1:
		LOAD("es");
		break;
	case 2:
		LOAD("fs");
		break;
	case 3:
		LOAD("gs");
		break;
	default:
		LOAD("ss");
	}
	note(selector | reg << 16);
}

static void loads(void)
{
	begin();
	for (uint32_t selector = 0; selector < NEAR; selector++)
		for (unsigned int reg = 0; reg < 5; reg++)
			load(selector, reg);
	tell("near selectors");
	begin();
	for (uint32_t selector = NEAR; selector < 0x10000; selector++)
		load(selector, selector % 5);
	tell("far selectors");
}

static void far_calls(void)
{
	begin();
	for (uint32_t selector = 0; selector < NEAR; selector++) {
		far_pointer.offset = (uint32_t)landing;
		far_pointer.selector = (uint16_t)selector;
		TRY("lcall *%0", : : "m"(far_pointer) : "memory");
		note(selector);
	}
	for (uint32_t selector = NEAR; selector < 0x10000; selector += 37) {
		far_pointer.selector = (uint16_t)selector;
		TRY("lcall *%0", : : "m"(far_pointer) : "memory");
		note(selector);
	}
	tell("far calls");
}

static void far_jumps(void)
{
	begin();
	for (uint32_t selector = 0; selector < 0x10000; selector += selector < NEAR ? 1 : 37) {
		far_pointer.offset = (uint32_t)landing_of_jump;
		far_pointer.selector = (uint16_t)selector;
		if (cpl)
			TRY("movl $5f, %%edx; ljmp *%0\n5: ljmp $0x1b, $6f\n6:", : : "m"(far_pointer) : "edx", "memory");
		else
			TRY("movl $5f, %%edx; ljmp *%0\n5: ljmp $0x08, $6f\n6:", : : "m"(far_pointer) : "edx", "memory");
		note(selector);
	}
	tell("far jumps");
}

static void interrupts(void)
{
	begin();
	for (uint32_t n = 0; n < 256; n++) {
		/* 30h and 31h are the library's own doors; its handlers of those with error codes would miss one. */
		if (n == 0x30 || n == 0x31 || (!cpl && (n == 8 || (n >= 10 && n <= 14) || n == 17)))
			continue;
		TRY("movl $5f, %%edx; jmp *%0\n5:", : : "r"(int_stubs + 8 * n) : "edx", "memory");
		note(n);
	}
	tell("int n");
}

static void fast_calls(void)
{
	TRY("sysenter", : : : "ecx", "edx", "memory");
	show("sysenter");
	TRY("sysexit", : : "c"(0), "d"(0) : "memory");
	show("sysexit");
	TRY("syscall", : : : "ecx", "memory");
	show("syscall");
	TRY(".byte 0x0f, 0x07", : : : "ecx", "memory");
	show("sysret");
}

static void all(void)
{
	loads();
	far_calls();
	far_jumps();
	interrupts();
	fast_calls();
}

/* One descriptor of each type and privilege, but for tasks (tasks.c): code and data are flat, call gates lead to the landing. */
static void descriptors(void)
{
	static const uint8_t system[] = { 0x0, 0x2, 0x8, 0xa, 0xd, 0xe, 0xf };
	uint16_t selector = FIRST;

	for (uint32_t type = 0; type < 16; type++)
		/* Expand-down data has all but the first page. */
		set_segment(selector += 8, 0, (type & 12) == 4 ? 0 : 0xfffff, (uint8_t)(0x90 | type | (type * 5 & 3) << 5), FLAGS_32_PAGES);
	set_segment(selector += 8, 0, 0xfffff, 0x72, FLAGS_32_PAGES);	/* data, not present */
	set_segment(selector += 8, 0, 0xfffff, 0x7a, FLAGS_32_PAGES);	/* code, not present */
	for (unsigned int i = 0; i < sizeof(system); i++)
		set_segment(selector += 8, 0, 0xffff, (uint8_t)(0xe0 | system[i]), FLAGS_16);
	set_gate(&gdt[(selector += 8) >> 3], SEL_CODE0, (uint32_t)landing, 0xec, 0);
	set_gate(&gdt[(selector += 8) >> 3], SEL_CODE0, (uint32_t)landing, 0x8c, 0);
	set_gate(&gdt[(selector += 8) >> 3], SEL_CODE3 & ~3, (uint32_t)landing, 0xec, 0);
	set_gate(&gdt[(selector += 8) >> 3], 0x1f8, (uint32_t)landing, 0xec, 0);
	set_gate(&gdt[(selector += 8) >> 3], SEL_DATA0, (uint32_t)landing, 0xec, 0);
	set_gate(&gdt[(selector += 8) >> 3], 0, (uint32_t)landing, 0xec, 0);
	set_gate(&gdt[(selector += 8) >> 3], SEL_CODE0, (uint32_t)landing, 0x6c, 0);
	memcpy(ldt, &gdt[FIRST >> 3], sizeof(ldt));
	set_segment(SEL_LDT, (uint32_t)ldt, sizeof(ldt) - 1, ACC_LDT, 0);
	__asm__ volatile("lldt %w0" : : "r"(SEL_LDT));
}

/* Frames above RAM: nobody's. What is read there is all ones, or zeroes on some boards. */
static void nowhere(void)
{
	uint32_t something = 0;

	paging_identity();
	for (uint32_t frame = 0x10000000; frame < 0xc0000000; frame += 0x400000 - 0x1000) {
		volatile uint32_t *at = (volatile uint32_t *)0x700000;
		uint32_t first;

		map_page(0x700000, (frame & ~0xfffu) | 7);
		first = at[0];
		if (first != at[1023] || (first && ~first))
			something++;
		at[0] = 0x5eed5eed;
		if (at[0] != first)
			something++;
	}
	print("above RAM: %u frames hold something\n", something);
	paging_off();
}

void guest_main(void)
{
	wrmsr(0x174, 0);
	descriptors();

	((uint8_t *)&idt[0x80])[5] |= 0x60;
	((uint8_t *)&idt[0xff])[5] |= 0x60;
	cpl = 0;
	all();
	cpl = 3;
	run_user(all);
	nowhere();
}
