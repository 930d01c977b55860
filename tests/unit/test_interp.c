/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_interp.c - what the bare processor cannot be asked in ring 3: faults that leave nothing half done, ports, devices,
 * repeats that stop and go on, shadows and single steps, system instructions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/interp_machine.h"

#define PAGE_DIR	0x180000u
#define PAGE_TABLE	0x181000u
#define BAD		0x10000u	/* linear page that a test makes read-only or takes away */
#define MMIO		0x3000000u	/* no RAM there */

static int create(void **state)
{
	*state = machine_create();
	machine_flat(*state);
	return 0;
}

static int destroy(void **state)
{
	machine_destroy(*state);
	return 0;
}

static void set_pte(struct machine *m, uint32_t linear, uint32_t bits)
{
	machine_put32(m, PAGE_TABLE + (linear >> 12) * 4, linear | bits);
	mon_tlb_flush(&m->v);
}

/* Paging on, the first 2 MiB identical and writable, WP set. */
static void paged(struct machine *m)
{
	for (uint32_t at = 0; at < MACHINE_RAM_BYTES; at += PLX_PAGE_SIZE)
		machine_put32(m, PAGE_TABLE + (at >> 12) * 4, at | X86_PTE_P | X86_PTE_W | X86_PTE_U);
	machine_put32(m, PAGE_DIR, PAGE_TABLE | X86_PTE_P | X86_PTE_W | X86_PTE_U);
	m->v.cr3 = PAGE_DIR;
	m->v.cr0 |= X86_CR0_PG | X86_CR0_WP;
	mon_tlb_flush(&m->v);
}

static void step_ok(struct machine *m, unsigned int n)
{
	while (n--)
		assert_int_equal(mon_interp_one(&m->v), MON_OK);
}

static void assert_fault(struct machine *m, unsigned int vector)
{
	assert_int_equal(mon_interp_one(&m->v), MON_FAULT);
	assert_int_equal(m->v.fault.vector, vector);
}

/* ---- faults ---- */

/* EBX is an address whose page may not be written, ECX likewise for the stack. All of these write there. */
static const struct {
	const char *name;
	uint8_t bytes[8];
	bool stack;		/* it is the stack that may not be written */
} writers[] = {
	{ "add [ebx],al",	{ 0x00, 0x03 }, false },
	{ "adc [ebx],ebp",	{ 0x11, 0x2b }, false },
	{ "xor dword [ebx],5",	{ 0x83, 0x33, 5 }, false },
	{ "mov [ebx],edx",	{ 0x89, 0x13 }, false },
	{ "xchg [ebx],edx",	{ 0x87, 0x13 }, false },
	{ "pop dword [ebx]",	{ 0x8f, 0x03 }, false },
	{ "mov dword [ebx],1",	{ 0xc7, 0x03, 1 }, false },
	{ "rol byte [ebx],1",	{ 0xd0, 0x03 }, false },
	{ "shl dword [ebx],3",	{ 0xc1, 0x23, 3 }, false },
	{ "not dword [ebx]",	{ 0xf7, 0x13 }, false },
	{ "neg dword [ebx]",	{ 0xf7, 0x1b }, false },
	{ "inc byte [ebx]",	{ 0xfe, 0x03 }, false },
	{ "bts [ebx],eax",	{ 0x0f, 0xab, 0x03 }, false },
	{ "btr dword [ebx],1",	{ 0x0f, 0xba, 0x33, 1 }, false },
	{ "shld [ebx],eax,5",	{ 0x0f, 0xa4, 0x03, 5 }, false },
	{ "cmpxchg [ebx],edx",	{ 0x0f, 0xb1, 0x13 }, false },
	{ "cmpxchg8b [ebx]",	{ 0x0f, 0xc7, 0x0b }, false },
	{ "xadd [ebx],edx",	{ 0x0f, 0xc1, 0x13 }, false },
	{ "setz [ebx]",		{ 0x0f, 0x94, 0x03 }, false },
	{ "movnti [ebx],eax",	{ 0x0f, 0xc3, 0x03 }, false },
	{ "mov [ebx],ds",	{ 0x8c, 0x1b }, false },
	{ "sgdt [ebx]",		{ 0x0f, 0x01, 0x03 }, false },
	{ "fstp dword [ebx]",	{ 0xd9, 0x1b }, false },
	{ "movaps [ebx],xmm0",	{ 0x0f, 0x29, 0x03 }, false },
	{ "stosd",		{ 0xab }, false },
	{ "rep stosd",		{ 0xf3, 0xab }, false },
	{ "movsd",		{ 0xa5 }, false },
	{ "rep movsb",		{ 0xf3, 0xa4 }, false },
	{ "insd",		{ 0x6d }, false },
	{ "rep insw",		{ 0x66, 0xf3, 0x6d }, false },
	{ "push eax",		{ 0x50 }, true },
	{ "push 1",		{ 0x6a, 1 }, true },
	{ "push [esi]",		{ 0xff, 0x36 }, true },
	{ "push ds",		{ 0x1e }, true },
	{ "pushf",		{ 0x9c }, true },
	{ "pusha",		{ 0x60 }, true },
	{ "call rel32",		{ 0xe8, 0, 1, 0, 0 }, true },
	{ "call edx",		{ 0xff, 0xd2 }, true },
	{ "call far",		{ 0x9a, 0, 0x11, 0, 0, 8, 0 }, true },
	{ "enter 16,3",		{ 0xc8, 16, 0, 3 }, true },
};

static void write_that_faults_changes_nothing(void **state)
{
	struct machine *m = *state;
	uint8_t *ram_before = malloc(MACHINE_RAM_BYTES);
	struct mon_vcpu before;

	assert_non_null(ram_before);
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(writers); i++)
		for (unsigned int missing = 0; missing < 2; missing++) {
			struct mon_vcpu *v = &m->v;

			machine_flat(m);
			paged(m);
			mon_fpu_reset(v);
			for (unsigned int r = 0; r < 8; r++)
				v->gpr[r] = 0x2000 + r * 0x100;
			v->gpr[X86_EBX] = v->gpr[X86_EDI] = BAD + 0x40;
			v->gpr[X86_ESP] = writers[i].stack ? BAD + 0x200 : 0x8000;
			set_pte(m, BAD, missing ? 0 : X86_PTE_P | X86_PTE_U);
			machine_code(m, 0x1000, writers[i].bytes, sizeof(writers[i].bytes));
			m->port_reads = m->bulk_calls = 0;
			before = *v;
			memcpy(ram_before, m->vm.ram, MACHINE_RAM_BYTES);

			if (mon_interp_one(v) != MON_FAULT || v->fault.vector != X86_VEC_PF)
				fail_msg("%s: no page fault", writers[i].name);
			/* The write is asked for even if the page is not there to be read. */
			if (v->fault.error != (X86_PF_W | (missing ? 0 : X86_PF_P)))
				fail_msg("%s: error code %x", writers[i].name, v->fault.error);
			if (memcmp(before.gpr, v->gpr, sizeof(v->gpr)) || v->eip != before.eip || v->eflags != before.eflags)
				fail_msg("%s: registers changed", writers[i].name);
			if (memcmp(before.seg, v->seg, sizeof(v->seg)) || m->port_reads || m->bulk_calls)
				fail_msg("%s: something changed", writers[i].name);
			/* Accessed bits may be set. */
			memcpy(ram_before + PAGE_DIR, m->vm.ram + PAGE_DIR, 0x2000);
			if (memcmp(ram_before, m->vm.ram, MACHINE_RAM_BYTES))
				fail_msg("%s: memory changed", writers[i].name);
		}
	free(ram_before);
}

static void store_that_faults_does_not_pop_the_x87_stack(void **state)
{
	struct machine *m = *state;

	CODE(m, "\xdb\xe3\xd9\xe8\xd9\x1d\x40\x00\x01\x00\xdf\xe0");	/* FNINIT FLD1 FSTP [BAD + 40h] FNSTSW */
	paged(m);
	set_pte(m, BAD, X86_PTE_P);
	step_ok(m, 2);
	assert_fault(m, X86_VEC_PF);
	set_pte(m, BAD, X86_PTE_P | X86_PTE_W);
	step_ok(m, 2);
	assert_int_equal(machine_get32(m, BAD + 0x40), 0x3f800000);
	assert_int_equal(m->v.gpr[X86_EAX] & 0x3800, 0);		/* popped once */
}

static void operand_across_pages_faults_at_the_second(void **state)
{
	struct machine *m = *state;

	paged(m);
	set_pte(m, BAD, 0);
	CODE(m, "\x01\x03");			/* ADD [EBX],EAX */
	m->v.gpr[X86_EBX] = BAD - 2;
	m->v.gpr[X86_EAX] = 0x01010101;
	assert_fault(m, X86_VEC_PF);
	assert_int_equal(m->v.fault.address, BAD);
	assert_int_equal(machine_get32(m, BAD - 4), 0);
}

static void instruction_across_pages_faults_at_the_second(void **state)
{
	struct machine *m = *state;

	paged(m);
	set_pte(m, BAD, 0);
	machine_code(m, BAD - 2, "\xb8\x01", 2);	/* MOV EAX, imm32 */
	assert_fault(m, X86_VEC_PF);
	assert_int_equal(m->v.fault.address, BAD);
	assert_int_equal(m->v.eip, BAD - 2);
	/* One that ends at the page's end does not look further. */
	machine_code(m, BAD - 2, "\xb0\x01", 2);
	step_ok(m, 1);
	assert_int_equal(m->v.eip, BAD);
}

/* SDM 3A, "General Protection Exception": an instruction of more than 15 bytes. */
static void sixteen_bytes_are_one_too_many(void **state)
{
	struct machine *m = *state;

	CODE(m, "\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x90");
	assert_fault(m, X86_VEC_GP);
	m->v.eip++;
	step_ok(m, 1);
}

static void undefined_and_misused_instructions_are_ud(void **state)
{
	struct machine *m = *state;

	CODE(m, "\x0f\x0b");			/* UD2 */
	assert_fault(m, X86_VEC_UD);
	CODE(m, "\xf0\x89\x03");		/* LOCK MOV */
	assert_fault(m, X86_VEC_UD);
	CODE(m, "\x8e\xc8");			/* MOV CS,AX */
	assert_fault(m, X86_VEC_UD);
	CODE(m, "\x0f\xc7\xc9");		/* CMPXCHG8B ECX */
	assert_fault(m, X86_VEC_UD);
	CODE(m, "\xc5\xf8\x58\xc1");		/* VADDPS: AVX is not offered */
	assert_fault(m, X86_VEC_UD);
	m->v.seg[X86_CS].attr &= ~(uint32_t)MON_SEG_DB;
	m->v.cr0 &= ~(uint32_t)X86_CR0_PE;
	CODE(m, "\x63\xc0");			/* ARPL in real mode */
	assert_fault(m, X86_VEC_UD);
	CODE(m, "\x0f\x00\xc0");		/* SLDT in real mode */
	assert_fault(m, X86_VEC_UD);
}

static void branch_beyond_the_limit_faults_before_the_push(void **state)
{
	struct machine *m = *state;

	m->v.seg[X86_CS].limit = 0x1fff;
	CODE(m, "\xe8\x00\x20\x00\x00");
	assert_fault(m, X86_VEC_GP);
	assert_int_equal(m->v.gpr[X86_ESP], 0x8000);
	assert_int_equal(m->v.eip, 0x1000);
}

/* ---- devices ---- */

static void read_modify_write_touches_a_device_once_each_way(void **state)
{
	struct machine *m = *state;

	m->mmio_last = 0x11;
	m->v.gpr[X86_EBX] = MMIO;
	CODE(m, "\x83\x03\x05");		/* ADD DWORD [EBX],5 */
	step_ok(m, 1);
	assert_int_equal(m->mmio_reads, 1);
	assert_int_equal(m->mmio_writes, 1);
	assert_int_equal(m->mmio_last, 0x16);
}

/* SDM 2A, "CMPXCHG": the destination is written whatever the comparison says. */
static void compare_and_exchange_always_writes(void **state)
{
	struct machine *m = *state;

	m->mmio_last = 7;
	m->v.gpr[X86_EBX] = MMIO;
	m->v.gpr[X86_EAX] = 8;
	CODE(m, "\x0f\xb1\x13");
	step_ok(m, 1);
	assert_int_equal(m->mmio_writes, 1);
	assert_int_equal(m->mmio_last, 7);
	assert_int_equal(m->v.gpr[X86_EAX], 7);
}

static void ports_are_read_and_written_at_their_size(void **state)
{
	struct machine *m = *state;

	m->port_value = 0xa1b2c3d4;
	m->v.gpr[X86_EAX] = 0x11111111;
	m->v.gpr[X86_EDX] = 0xffff03f8;
	CODE(m, "\xe4\x60\x66\xed\xed\xee");	/* IN AL,60h; IN AX,DX; IN EAX,DX; OUT DX,AL */
	step_ok(m, 1);
	assert_int_equal(m->v.gpr[X86_EAX], 0x111111d4);
	assert_int_equal(m->port_last, 0x60);
	step_ok(m, 1);
	assert_int_equal(m->v.gpr[X86_EAX], 0x1111c3d4);
	assert_int_equal(m->port_last, 0x3f8);
	step_ok(m, 2);
	assert_int_equal(m->port_value, 0xd4);
}

static void ports_without_permission_are_not_touched(void **state)
{
	struct machine *m = *state;

	m->v.cpl = 3;
	m->v.tr.limit = 0x66;			/* a TSS without a bitmap */
	m->v.seg[X86_CS].attr |= MON_SEG_DPL;
	m->v.gpr[X86_ECX] = 4;
	m->v.gpr[X86_EDI] = 0x2000;
	CODE(m, "\xe4\x60");
	assert_fault(m, X86_VEC_GP);
	CODE(m, "\xf3\x6c");
	assert_fault(m, X86_VEC_GP);
	assert_int_equal(m->port_reads, 0);
	assert_int_equal(m->v.gpr[X86_ECX], 4);
}

static void repeated_input_moves_runs(void **state)
{
	struct machine *m = *state;
	uint32_t calls = 0;

	m->v.gpr[X86_ECX] = 1000;
	m->v.gpr[X86_EDI] = 0x20ffe;		/* crosses pages, and not on a word boundary of the run */
	m->v.gpr[X86_EDX] = 0x1f0;
	CODE(m, "\x66\xf3\x6d");
	while (m->v.eip == 0x1000 && calls++ < 100)
		step_ok(m, 1);
	assert_int_equal(m->v.eip, 0x1003);
	assert_int_equal(m->v.gpr[X86_ECX], 0);
	assert_int_equal(m->v.gpr[X86_EDI], 0x20ffe + 2000);
	assert_int_equal(m->port_reads, 1000);
	assert_true(m->bulk_calls >= 9 && m->bulk_calls <= 20);
	/* The first word went alone, up to the page's end; the device counts from 1 in bulk and does not count alone. */
	assert_int_equal(machine_get32(m, 0x21000) & 0xffff, machine_get32(m, 0x20ffe) & 0xffff);
	assert_int_equal(machine_get32(m, 0x21002) & 0xffff, (machine_get32(m, 0x21000) & 0xffff) + 1);
}

static void repeated_output_moves_runs(void **state)
{
	struct machine *m = *state;

	for (uint32_t i = 0; i < 256; i++)
		machine_put32(m, 0x20000 + i * 4, i);
	m->v.gpr[X86_ECX] = 256;
	m->v.gpr[X86_ESI] = 0x20000;
	CODE(m, "\xf3\x6f");
	while (m->v.eip == 0x1000)
		step_ok(m, 1);
	assert_int_equal(m->port_writes, 256);
	assert_true(m->bulk_calls < 8);
	assert_int_equal(m->port_value, 255);
	assert_int_equal(m->v.gpr[X86_ESI], 0x20400);
}

static void input_to_a_device_goes_one_by_one(void **state)
{
	struct machine *m = *state;

	m->port_value = 0x42;
	m->v.gpr[X86_ECX] = 5;
	m->v.gpr[X86_EDI] = MMIO;
	CODE(m, "\xf3\x6c");
	step_ok(m, 1);
	assert_int_equal(m->bulk_calls, 0);
	assert_int_equal(m->mmio_writes, 5);
	assert_int_equal(m->mmio_last, 0x42);
}

/* ---- repeats ---- */

static void repeat_that_faults_stops_at_the_element(void **state)
{
	struct machine *m = *state;

	paged(m);
	set_pte(m, BAD, X86_PTE_P);
	for (uint32_t at = 0; at < 64; at++)
		m->vm.ram[0x20000 + at] = (uint8_t)(at + 1);
	m->v.gpr[X86_ECX] = 40;
	m->v.gpr[X86_ESI] = 0x20000;
	m->v.gpr[X86_EDI] = BAD - 10;
	CODE(m, "\xf3\xa4");
	assert_fault(m, X86_VEC_PF);
	assert_int_equal(m->v.fault.address, BAD);
	assert_int_equal(m->v.gpr[X86_ECX], 30);
	assert_int_equal(m->v.gpr[X86_ESI], 0x2000a);
	assert_int_equal(m->v.gpr[X86_EDI], BAD);
	assert_int_equal(m->v.eip, 0x1000);
	assert_int_equal(m->vm.ram[BAD - 1], 10);
	set_pte(m, BAD, X86_PTE_P | X86_PTE_W);
	step_ok(m, 1);
	assert_int_equal(m->vm.ram[BAD + 29], 40);
	assert_int_equal(m->v.eip, 0x1002);
}

static void long_repeat_lets_interrupts_in(void **state)
{
	struct machine *m = *state;
	unsigned int calls = 0;

	m->v.gpr[X86_ECX] = 0x40000;
	m->v.gpr[X86_EDI] = 0x20000;
	m->v.gpr[X86_EAX] = 0x5a;
	CODE(m, "\xf3\xaa");
	while (m->v.eip == 0x1000 && calls++ < 1000)
		step_ok(m, 1);
	assert_true(calls > 8);
	assert_int_equal(m->v.gpr[X86_ECX], 0);
	assert_int_equal(m->vm.ram[0x5ffff], 0x5a);
	assert_int_equal(m->vm.ram[0x60000], 0);
}

static void single_step_sees_every_element(void **state)
{
	struct machine *m = *state;

	m->v.eflags |= X86_FLAG_TF;
	m->v.gpr[X86_ECX] = 3;
	m->v.gpr[X86_EDI] = 0x2000;
	CODE(m, "\xf3\xaa");
	step_ok(m, 1);
	assert_int_equal(m->v.gpr[X86_ECX], 2);
	assert_int_equal(m->v.eip, 0x1000);
	step_ok(m, 2);
	assert_int_equal(m->v.eip, 0x1002);
}

/* What a repeated MOVS writes, it reads again if the operands overlap so. */
static void overlapping_repeat_spreads_its_first_bytes(void **state)
{
	struct machine *m = *state;

	m->vm.ram[0x20000] = 0x77;
	m->v.gpr[X86_ECX] = 300;
	m->v.gpr[X86_ESI] = 0x20000;
	m->v.gpr[X86_EDI] = 0x20001;
	CODE(m, "\xf3\xa4");
	step_ok(m, 1);
	assert_int_equal(m->vm.ram[0x20000 + 300], 0x77);
	/* Downward in memory, upward in time: an ordinary move, and in one run. */
	for (uint32_t at = 0; at < 300; at++)
		m->vm.ram[0x20010 + at] = (uint8_t)at;
	m->v.gpr[X86_ECX] = 300;
	m->v.gpr[X86_ESI] = 0x20010;
	m->v.gpr[X86_EDI] = 0x20000;
	CODE(m, "\xf3\xa4");
	step_ok(m, 1);
	for (uint32_t at = 0; at < 300; at++)
		assert_int_equal(m->vm.ram[0x20000 + at], (uint8_t)at);
}

/* ---- shadows and steps ---- */

/* SDM 3A, "Masking Exceptions and Interrupts When Switching Stacks"; SDM 2B, "STI". */
static void stack_switch_and_sti_shade_one_instruction(void **state)
{
	struct machine *m = *state;

	m->v.gpr[X86_EAX] = 16;
	CODE(m, "\x8e\xd0\x90\xfb\x90\x50\x17\x90\x8e\xd8");	/* MOV SS; NOP; STI; NOP; PUSH; POP SS; NOP; MOV DS */
	step_ok(m, 1);
	assert_int_equal(m->v.int_shadow, MON_SHADOW_SS);
	step_ok(m, 1);
	assert_int_equal(m->v.int_shadow, 0);
	step_ok(m, 1);
	assert_int_equal(m->v.int_shadow, MON_SHADOW_STI);
	step_ok(m, 1);
	assert_int_equal(m->v.int_shadow, 0);
	step_ok(m, 2);
	assert_int_equal(m->v.int_shadow, MON_SHADOW_SS);
	step_ok(m, 2);
	assert_int_equal(m->v.int_shadow, 0);
}

/* Real mode, handlers at 0000:(3000h + 16 * vector). */
static void real_with_handlers(struct machine *m)
{
	machine_real(m);
	for (uint32_t vector = 0; vector < 32; vector++)
		machine_put32(m, vector * 4, 0x3000 + vector * 16);
}

static void trap_flag_traps_after_the_instruction(void **state)
{
	struct machine *m = *state;

	real_with_handlers(m);
	m->v.eflags |= X86_FLAG_TF;
	CODE(m, "\x40");
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_int_equal(m->v.eip, 0x3000 + 16 * X86_VEC_DB);
	assert_int_equal(m->v.gpr[X86_EAX] & 0xffff, 1);
	assert_int_equal(machine_get32(m, 0x8000 - 6) & 0xffff, 0x1001);
	assert_true(m->v.dr[6] & 0x4000);
	assert_false(m->v.eflags & X86_FLAG_TF);
	assert_true(machine_get32(m, 0x8000 - 2) & X86_FLAG_TF);
}

static void trap_waits_for_the_instruction_after_a_stack_switch(void **state)
{
	struct machine *m = *state;

	real_with_handlers(m);
	m->v.eflags |= X86_FLAG_TF;
	CODE(m, "\x8e\xd0\x40");		/* MOV SS,AX; INC AX */
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_int_equal(m->v.eip, 0x1002);
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_int_equal(m->v.eip, 0x3000 + 16 * X86_VEC_DB);
}

static void software_interrupt_does_not_trap(void **state)
{
	struct machine *m = *state;

	real_with_handlers(m);
	m->v.eflags |= X86_FLAG_TF;
	CODE(m, "\xcd\x15");
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_int_equal(m->v.eip, 0x3000 + 16 * 0x15);
	/* INTO that does nothing does trap. */
	m->v.eflags |= X86_FLAG_TF;
	CODE(m, "\xce");
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_int_equal(m->v.eip, 0x3000 + 16 * X86_VEC_DB);
}

static void step_delivers_faults(void **state)
{
	struct machine *m = *state;

	real_with_handlers(m);
	CODE(m, "\xf6\xf1");			/* DIV CL, by 0 */
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_int_equal(m->v.eip, 0x3000);
	assert_int_equal(machine_get32(m, 0x8000 - 6) & 0xffff, 0x1000);
}

static void halt_stands_past_itself(void **state)
{
	struct machine *m = *state;

	CODE(m, "\xf4");
	assert_int_equal(mon_interp_one(&m->v), MON_HALT);
	assert_int_equal(m->v.eip, 0x1001);
	m->v.cpl = 3;
	CODE(m, "\xf4");
	assert_fault(m, X86_VEC_GP);
	assert_int_equal(m->v.eip, 0x1000);
}

/* ---- system instructions ---- */

static void table_registers_go_to_memory_and_back(void **state)
{
	struct machine *m = *state;

	m->v.gpr[X86_EBX] = 0x2000;
	m->v.idtr.base = 0x12345678;
	m->v.idtr.limit = 0x7ff;
	machine_put32(m, 0x2006, 0xeeeeeeee);
	CODE(m, "\x0f\x01\x0b\x0f\x01\x13");	/* SIDT [EBX]; LGDT [EBX] */
	step_ok(m, 2);
	assert_int_equal(machine_get32(m, 0x2002), 0x12345678);
	assert_int_equal(machine_get32(m, 0x2006), 0xeeeeeeee);
	assert_int_equal(m->v.gdtr.base, 0x12345678);
	assert_int_equal(m->v.gdtr.limit, 0x7ff);
	CODE(m, "\x66\x0f\x01\x1b");		/* LIDT, 16-bit: 24 bits of base */
	step_ok(m, 1);
	assert_int_equal(m->v.idtr.base, 0x345678);
}

static void control_registers_are_the_virtual_ones(void **state)
{
	struct machine *m = *state;

	CODE(m, "\x0f\x20\xc0\x0d\x08\x00\x00\x00\x0f\x22\xc0\x0f\x06\x0f\x01\xe1\x0f\x22\xd8\x0f\x20\xda");
	step_ok(m, 3);				/* MOV EAX,CR0; OR EAX,TS; MOV CR0,EAX */
	assert_true(m->v.cr0 & X86_CR0_TS);
	step_ok(m, 1);				/* CLTS */
	assert_false(m->v.cr0 & X86_CR0_TS);
	step_ok(m, 1);				/* SMSW ECX */
	assert_int_equal(m->v.gpr[X86_ECX], m->v.cr0);
	m->v.gpr[X86_EAX] = 0x5000;
	step_ok(m, 2);				/* MOV CR3,EAX; MOV EDX,CR3 */
	assert_int_equal(m->v.gpr[X86_EDX], 0x5000);
	m->v.cpl = 3;
	CODE(m, "\x0f\x20\xc0");
	assert_fault(m, X86_VEC_GP);
}

static void far_pointer_loads_segment_and_register(void **state)
{
	struct machine *m = *state;

	machine_put32(m, 0x2000, 0xcafe0000);
	machine_put32(m, 0x2004, 0x0010);
	m->v.gpr[X86_EBX] = 0x2000;
	m->v.seg[X86_ES].attr = MON_SEG_NULL;
	CODE(m, "\xc4\x13");			/* LES EDX,[EBX] */
	step_ok(m, 1);
	assert_int_equal(m->v.gpr[X86_EDX], 0xcafe0000);
	assert_int_equal(m->v.seg[X86_ES].sel, 0x10);
	/* A bad selector: neither changes. */
	machine_put32(m, 0x2004, 0x0100);
	machine_put32(m, 0x2000, 1);
	CODE(m, "\xc4\x13");
	assert_fault(m, X86_VEC_GP);
	assert_int_equal(m->v.gpr[X86_EDX], 0xcafe0000);
}

static void real_mode_far_call_and_return(void **state)
{
	struct machine *m = *state;

	machine_real(m);
	memcpy(m->vm.ram + 0x2345, "\xcb", 1);
	CODE(m, "\x9a\x45\x03\x00\x02");	/* CALL 0200:0345; RETF there */
	step_ok(m, 1);
	assert_int_equal(m->v.seg[X86_CS].base, 0x2000);
	assert_int_equal(m->v.eip, 0x345);
	step_ok(m, 1);
	assert_int_equal(m->v.seg[X86_CS].sel, 0);
	assert_int_equal(m->v.eip, 0x1005);
	assert_int_equal(m->v.gpr[X86_ESP], 0x8000);
}

static void cpuid_and_counters_answer(void **state)
{
	struct machine *m = *state;

	m->features.vendor[0] = 0x11111111;
	m->features.max_leaf = 7;
	m->v.gpr[X86_EAX] = 0;
	CODE(m, "\x0f\xa2\x0f\x31");
	step_ok(m, 1);
	assert_int_equal(m->v.gpr[X86_EBX], 0x11111111);
	step_ok(m, 1);
	m->v.cpl = 3;
	m->v.cr4 |= X86_CR4_TSD;
	CODE(m, "\x0f\x31");
	assert_fault(m, X86_VEC_GP);
}

static void every_instruction_is_counted(void **state)
{
	struct machine *m = *state;
	uint64_t before = m->v.nr_interpreted;

	CODE(m, "\x90\x90\x90");
	step_ok(m, 3);
	assert_int_equal(m->v.nr_interpreted, before + 3);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(write_that_faults_changes_nothing),
		CLAIM(store_that_faults_does_not_pop_the_x87_stack),
		CLAIM(operand_across_pages_faults_at_the_second),
		CLAIM(instruction_across_pages_faults_at_the_second),
		CLAIM(sixteen_bytes_are_one_too_many),
		CLAIM(undefined_and_misused_instructions_are_ud),
		CLAIM(branch_beyond_the_limit_faults_before_the_push),
		CLAIM(read_modify_write_touches_a_device_once_each_way),
		CLAIM(compare_and_exchange_always_writes),
		CLAIM(ports_are_read_and_written_at_their_size),
		CLAIM(ports_without_permission_are_not_touched),
		CLAIM(repeated_input_moves_runs),
		CLAIM(repeated_output_moves_runs),
		CLAIM(input_to_a_device_goes_one_by_one),
		CLAIM(repeat_that_faults_stops_at_the_element),
		CLAIM(long_repeat_lets_interrupts_in),
		CLAIM(single_step_sees_every_element),
		CLAIM(overlapping_repeat_spreads_its_first_bytes),
		CLAIM(stack_switch_and_sti_shade_one_instruction),
		CLAIM(trap_flag_traps_after_the_instruction),
		CLAIM(trap_waits_for_the_instruction_after_a_stack_switch),
		CLAIM(software_interrupt_does_not_trap),
		CLAIM(step_delivers_faults),
		CLAIM(halt_stands_past_itself),
		CLAIM(table_registers_go_to_memory_and_back),
		CLAIM(control_registers_are_the_virtual_ones),
		CLAIM(far_pointer_loads_segment_and_register),
		CLAIM(real_mode_far_call_and_return),
		CLAIM(cpuid_and_counters_answer),
		CLAIM(every_instruction_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
