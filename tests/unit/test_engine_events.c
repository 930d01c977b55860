/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_engine_events.c - claims about flags, single steps, interrupts and the FPU's registers while the engine runs guest
 * code, under each rewrite strategy.
 */
#include "engine_vm.h"

/* ---- flags ---------------------------------------------------------------------------------------------------------- */

GUEST(g_flags,
	"	cli\n	pushfl\n	popl %eax\n	andl $0x3200, %eax\n" SAY_EAX
	"	sti\n	pushfl\n	popl %eax\n	andl $0x3200, %eax\n" SAY_EAX
	"	.byte 0x2e\n	pushfl\n	popl %eax\n	andl $0x200, %eax\n" SAY_EAX
	"	pushl $0x002\n	popfl\n	pushfl\n	popl %eax\n" SAY_EAX
	"	pushl $0xcd7\n	popfl\n	pushfl\n	popl %eax\n" SAY_EAX
	"	pushl $0x3202\n	popfl\n	pushfl\n	popl %eax\n" SAY_EAX	/* IOPL 3 */
	"	cli\n	pushfl\n	popl %eax\n" SAY_EAX
	"	pushl $0x40246\n	popfl\n	pushfl\n	popl %eax\n" SAY_EAX	/* AC */
	"	pushl $0x200002\n	popfl\n	pushfl\n	popl %eax\n" SAY_EAX	/* ID */
	"	pushl $2\n	popfl\n"
	"	movl $0x12345678, %ecx\n	movl $0x87654321, %edx\n"
	"	pushfl\n	popfl\n	sti\n	cli\n	pushfl\n	popl %eax\n"
	SAY_EAX OUT("%ecx") OUT("%edx")
	"	pushw $0x3ffd\n	pushw $0\n	addl $4, %esp\n"
	"	movl %esp, %eax\n" SAY_EAX
	END);

static void the_flags_image_shows_the_virtual_if_and_iopl(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_flags);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0, 0x200, 0x200, 2, 0xcd7, 0x3202, 0x3002, 0x40246, 0x200002, 2, 0x12345678, 0x87654321, STACK);
	}
}

/* A fragment made of nothing but STI. */
static void a_page_full_of_sti_is_an_ordinary_page(void **state)
{
	struct evm *m;
	uint8_t code[0x1000];

	(void)state;
	memset(code, 0xfb, sizeof(code));
	EVERY_STRATEGY(m) {
		evm_poke(m, 0x30000, code, sizeof(code));
		evm_poke(m, 0x31000, "\xb8\x11\0\0\0\xe6\xf4\xf4", 8);
		evm_start(m, 0x30000);
		evm_run_to_end(m);
		assert_int_equal(m->cpu->gpr[X86_EAX], 0x11);
		for (uint32_t i = 1; i < m->vm->engine->cache.nfrags; i++) {
			const struct frag *f = &m->vm->engine->cache.frags[i];

			assert_in_range(f->guest_bytes, 1, 255);
			assert_in_range(f->ninsns, 1, 49);
			assert_in_range(f->host_bytes, 1, 49 * 80);
		}
	}
}

GUEST(g_tf,
	"	movl $2, 0x5004\n"
	"	pushfl\n"
	"	orl $0x100, (%esp)\n"
	"	popfl\n"
	"	nop\n"
	"	call 1f\n"
	"	pushfl\n"
	"	andl $~0x100, (%esp)\n"
	"	popfl\n"
	"	nop\n"
	END
	"1:	ret\n");
/* #DB's handler lets the guest go on where it was. */
static void tf_stops_after_each_instruction(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_tf);
		evm_start(m, PROG);
		m->log->then = THEN_SKIP;
		evm_poke(m, PROG, "\xc7\x05\x04\x50\0\0\x01\0\0\0", 10);
		evm_run_to_end(m);
		assert_int_equal(m->log->count, 6);
		for (uint32_t i = 0; i < 6; i++)
			assert_int_equal(m->log->entry[i].vector, X86_VEC_DB);
		assert_int_equal(m->log->entry[1].eip, m->log->entry[0].eip + 18);
		assert_int_equal(m->log->entry[2].eip, m->log->entry[0].eip + 5);
	}
}

GUEST(g_watch,
	"	movl $0x20000, %eax\n"
	"	movl %eax, %dr0\n"
	"	movl $0xd0001, %eax\n"			/* four bytes, writes */
	"	movl %eax, %dr7\n"
	"	movl $7, 0x20000\n"
	"	xorl %eax, %eax\n"
	"	movl %eax, %dr7\n"
	"	movl $1000, %ecx\n"
	"1:	movl %ecx, 0x20000\n"
	"	loop 1b\n"
	END);
/* Debug registers are the guest's, whatever code runs natively; and they cost nothing once they are off again. */
static void a_breakpoint_is_met_and_code_runs_natively_after_it(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_watch);
		evm_start(m, PROG);
		m->log->then = THEN_SKIP;
		evm_run_to_end(m);
		assert_int_equal(m->log->count, 1);
		assert_int_equal(m->log->entry[0].vector, X86_VEC_DB);
		assert_int_equal(m->log->entry[0].eip, PROG + 5 + 3 + 5 + 3 + 10);
		assert_int_equal(m->cpu->dr[6] & 0xe00f, 1);
		if (!m->vm->engine->interpret_only)
			assert_in_range(m->vm->engine->stats.steps, 2, 500);
	}
}

/* ---- interrupts -------------------------------------------------------------------------------------------------------- */

/* The interrupt waits from the start; it may come after the instruction behind STI and no earlier. */
GUEST(g_shadow,
	"	movl $1, %eax\n"
	"	outl %eax, $0xe4\n"		/* INTR goes up */
	"	xorl %eax, %eax\n"
	"	sti\n"
	"	incl %eax\n"
	"	incl %eax\n"
	"	cli\n"
	"	movl $1, %eax\n"
	"	outl %eax, $0xe4\n"
	"	xorl %eax, %eax\n"
	"	pushl $0x202\n"
	"	popfl\n"			/* no shadow here */
	"	incl %eax\n"
	"	cli\n"
	"	movl $1, %eax\n"
	"	outl %eax, $0xe4\n"
	"	xorl %eax, %eax\n"
	"	sti\n"
	"	cli\n"				/* STI; CLI lets nothing in */
	"	incl %eax\n"
	"	movl %ss, %ebx\n"
	"	sti\n"
	"	nop\n"
	"	nop\n"
	END);
GUEST(g_say_eax, SAY_EAX "	iret\n");

static void an_interrupt_waits_for_the_instruction_behind_sti(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_shadow);
		LOAD(m, 0xb000, g_say_eax);
		evm_gate(m, 0x30, 0xb000, 0);
		evm_start(m, PROG);
		m->vector = 0x30;
		evm_run_to_end(m);
		CHECK_OUT(m, 1, 0, 1);
	}
}

/*
 * Interrupts from another thread. The program keeps EDX = EAX + EBX, EBP = EAX ^ ESI and the FPU's top = EAX's parity of
 * rounds; between the two instructions that change a pair a flag in memory is set. The handler checks.
 */
GUEST(g_busy,
	"	finit\n	fld1\n"
	"	movl $0x20100, %edi\n"
	"	xorl %eax, %eax\n	movl $5, %ebx\n	movl $5, %edx\n"
	"	sti\n"
	"1:	movl $1, 0x20000\n"
	"	incl %eax\n"
	"	incl %edx\n"
	"	movl $0, 0x20000\n"
	"	pushfl\n"
	"	pushl $0x77\n"
	"	call 2f\n"
	"	addl $4, %esp\n"
	"	cli\n"
	"	incl %ebx\n	incl %edx\n"
	"	popfl\n"
	"	movl $(3f - g_busy + 0x10000), %ecx\n"
	"	call *%ecx\n"
	"	fadd %st(0)\n	fld1\n	fdivrp\n"
	"	movw %cs, 0x20010\n	pushl %ds\n	popl %ecx\n	cmpl $0x18, %ecx\n	jne 8f\n"
	"	movl $3, %ecx\n"
	"4:	cli\n	incl %ebx\n	incl %edx\n	sti\n	nop\n	loop 4b\n"
	"	jecxz 5f\n"
	"8:	movl $0xbad3, %eax\n" SAY_EAX END
	"5:	cmpl $0, 0x20008\n"		/* told to end? */
	"	je 1b\n"
	"	cli\n"
	"	subl %eax, %edx\n	subl %ebx, %edx\n" OUT("%edx")
	"	movl %esp, %eax\n" SAY_EAX
	END
	"2:	cmpl $0x77, 4(%esp)\n"
	"	jne 8b\n"
	"	ret\n"
	"3:	cmpl $(3b - g_busy + 0x10000), %ecx\n"
	"	jne 8b\n"
	"	ret\n");
GUEST(g_busy_handler,
	"	pushl %ecx\n"
	"	cmpl $0, 0x20000\n"
	"	jne 1f\n"
	"	leal (%eax,%ebx), %ecx\n"
	"	cmpl %ecx, %edx\n"
	"	jne 9f\n"
	"1:	cmpl $0x20100, %edi\n"
	"	jne 9f\n"
	"	movl 12(%esp), %ecx\n"		/* EFLAGS: IF must have been 1 */
	"	testl $0x200, %ecx\n"
	"	jz 9f\n"
	"	cmpl $0x10, 8(%esp)\n"
	"	jne 9f\n"
	"	movl 4(%esp), %ecx\n"
	"	subl $0x10000, %ecx\n"
	"	cmpl $0x200, %ecx\n"
	"	jae 9f\n"
	"	lock incb 0x20200(%ecx)\n"	/* where it came: an instruction's start? */
	"	incl 0x20004\n"
	"	popl %ecx\n"
	"	iret\n"
	"9:	movl $0xbad, %eax\n" SAY_EAX END);

struct noise {
	struct evm *m;
	uint32_t seed;
	bool end;
};

static void *make_noise(void *arg)
{
	struct noise *n = arg;
	volatile uint32_t sink = 0;

	for (unsigned int i = 0; i < 4000 && !n->end; i++) {
		n->seed = n->seed * 1664525 + 1013904223;
		for (uint32_t j = n->seed >> 20; j; j--)
			sink++;
		plx_set_intr(n->m->vm, true);
		if (i % 64 == 63)
			sched_yield();
	}
	__atomic_store_n((uint32_t *)(n->m->ram + 0x20008), 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void interrupts_at_any_moment_find_a_consistent_guest(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		struct noise noise = { .m = m, .seed = 7 };
		bool start[0x200] = { false };
		const uint8_t *code = g_busy;
		struct prescan_insn insn;
		pthread_t thread;

		for (uint32_t at = 0; code + at < g_busy_end; at += insn.length) {
			assert_int_equal(prescan_decode(code + at, (size_t)(g_busy_end - code) - at, PRESCAN_MODE_32, &insn), PRESCAN_OK);
			start[at] = true;
		}
		LOAD(m, PROG, g_busy);
		LOAD(m, 0xb000, g_busy_handler);
		evm_gate(m, 0x30, 0xb000, 0);
		evm_start(m, PROG);
		m->vector = 0x30;
		pthread_create(&thread, NULL, make_noise, &noise);
		evm_run(m);
		noise.end = true;
		pthread_join(thread, NULL);
		assert_false(m->timed_out);
		CHECK_OUT(m, 0, STACK);
		assert_int_equal(evm_peek32(m, 0x20004), m->nr_intack);
		for (uint32_t i = 0; i < 0x200; i++)
			if (m->ram[0x20200 + i] && !start[i])
				fail_msg("interrupted inside an instruction, at offset %x", i);
		/* 1 / (x + x), again and again: neither lost nor doubled */
		assert_true(m->nr_intack > 0);
	}
}

/* The FPU's registers count along with EAX while host code runs between (devices, mappings, interrupts from another thread). */
GUEST(g_fpu_kept,
	"	finit\n	fldz\n	sti\n	xorl %eax, %eax\n	xorl %esi, %esi\n"
	"	xorps %xmm7, %xmm7\n	pcmpeqd %xmm6, %xmm6\n"
	"1:	fld1\n	faddp\n"
	"	psubd %xmm6, %xmm7\n"			/* each lane + 1 */
	"	incl %eax\n"
	"	testl $0xff, %eax\n	jnz 2f\n"
	"	movl %cr3, %ecx\n	movl %ecx, %cr3\n"	/* mappings go: faults to come */
	"	movl 0x20000(%esi), %ecx\n	addl $0x1000, %esi\n	andl $0x7ffff, %esi\n"
	"	movl 0x80000000, %ecx\n"		/* a device: host code runs */
	"2:	cmpl $0, 0x20008\n	je 1b\n"
	"	cli\n"
	SAY_EAX
	"	fistpl 0x20020\n	movups %xmm7, 0x20030\n"
	END);

GUEST(g_nothing, "	iret\n");

static void fpu_registers_survive_exits_and_interrupts(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		struct noise noise = { .m = m, .seed = 9 };
		pthread_t thread;

		LOAD(m, PROG, g_fpu_kept);
		LOAD(m, 0xb000, g_nothing);
		evm_gate(m, 0x30, 0xb000, 0);
		evm_start(m, PROG);
		m->vector = 0x30;
		m->max_mmio = UINT32_MAX;
		pthread_create(&thread, NULL, make_noise, &noise);
		evm_run(m);
		noise.end = true;
		pthread_join(thread, NULL);
		assert_int_equal(m->nout, 1);
		assert_int_equal(evm_peek32(m, 0x20020), m->out[0]);
		for (uint32_t i = 0; i < 4; i++)
			assert_int_equal(evm_peek32(m, 0x20030 + 4 * i), m->out[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_flags_image_shows_the_virtual_if_and_iopl),
		cmocka_unit_test(a_page_full_of_sti_is_an_ordinary_page),
		cmocka_unit_test(tf_stops_after_each_instruction),
		cmocka_unit_test(a_breakpoint_is_met_and_code_runs_natively_after_it),
		cmocka_unit_test(an_interrupt_waits_for_the_instruction_behind_sti),
		cmocka_unit_test(interrupts_at_any_moment_find_a_consistent_guest),
		cmocka_unit_test(fpu_registers_survive_exits_and_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
