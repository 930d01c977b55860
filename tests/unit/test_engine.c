/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_engine.c - claims about guest code as the engine runs it, under each rewrite strategy: control flow, code
 * that changes, paging, flags and interrupts. What ring 3 may not do is in test_engine_user.c.
 *
 * Guest programs record values with OUT to port E0h and end with OUT to F4h.
 */
#include "engine_vm.h"

#define OUT(reg) "	xchgl " reg ", %eax\n	outl %eax, $0xe0\n	xchgl " reg ", %eax\n"
#define SAY_EAX "	outl %eax, $0xe0\n"
#define END "	outb %al, $0xf4\n	hlt\n"

static void check_out(const struct evm *m, const uint32_t *want, uint32_t n)
{
	for (uint32_t i = 0; i < n && i < m->nout; i++)
		if (m->out[i] != want[i]) {
			print_error("strategy %s: value %u is %x, not %x\n",
				    evm_strategy_name[m->vm->engine->interpret_only ? 3 : m->vm->engine->cache.env.strategy],
				    i, m->out[i], want[i]);
			fail();
		}
	if (m->nout != n)
		print_error("strategy %s\n", evm_strategy_name[m->vm->engine->interpret_only ? 3 : m->vm->engine->cache.env.strategy]);
	assert_int_equal(m->nout, n);
}
#define CHECK_OUT(m, ...) do { \
	const uint32_t want_[] = { __VA_ARGS__ }; \
	check_out(m, want_, PLX_ARRAY_SIZE(want_)); \
} while (0)

/* ---- control flow ----------------------------------------------------------------------------------------- */

GUEST(g_direct,
	"	xorl %eax, %eax\n"
	"	call 1f\n"
	"	addl $0x10, %eax\n"
	"	jmp 2f\n"
	"1:	incl %eax\n"
	"	cmpl $1, %eax\n"
	"	je 3f\n"
	"	addl $0x1000, %eax\n"
	"3:	ret\n"
	"2:	" SAY_EAX
	"	movl $5, %ecx\n"
	"	xorl %eax, %eax\n"
	"4:	addl %ecx, %eax\n"
	"	loop 4b\n"
	SAY_EAX
	"	jecxz 5f\n"
	"	incl %eax\n"
	"5:	" SAY_EAX
	"	movl $3, %ecx\n"
	"	xorl %edx, %edx\n"
	"6:	incl %edx\n"
	"	cmpl $2, %edx\n"
	"	loopne 6b\n"
	OUT("%edx") OUT("%ecx")
	"	movl $0x10002, %ecx\n"
	"	xorl %edx, %edx\n"
	"7:	incl %edx\n"
	"	.byte 0x67\n"
	"	loop 7b\n"				/* CX alone counts */
	OUT("%edx") OUT("%ecx")
	END);

static void direct_branches_calls_and_loops_go_where_they_say(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_direct);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x11, 15, 15, 2, 1, 2, 0x10000);
		assert_int_equal(m->cpu->gpr[X86_ESP], STACK);
	}
}

GUEST(g_indirect,
	"	movl $(1f - g_indirect + 0x10000), %eax\n"
	"	call *%eax\n"				/* register */
	"	movl $(2f - g_indirect + 0x10000), 0x20000\n"
	"	call *0x20000\n"			/* memory */
	"	pushl $(3f - g_indirect + 0x10000)\n"
	"	movl $7, %ebx\n"
	"	call *(%esp)\n"				/* memory, named by ESP before the push */
	"	call *(%esp)\n"
	"	addl $4, %esp\n"
	"	movl $4, %ecx\n"
	"	movl $(4f - g_indirect + 0x10000), %ecx\n"
	"	jmp *%ecx\n"				/* the register the sequence uses itself */
	"	hlt\n"
	"1:	movl $0x111, %edx\n" OUT("%edx") "	ret\n"
	"2:	pushl %eax\n	pushl %eax\n	movl $0x222, %edx\n" OUT("%edx")
	"	addl $8, %esp\n	ret\n"
	"3:	incl %ebx\n	cmpl $9, %ebx\n" OUT("%ebx") "	ret\n"
	"4:	" OUT("%ecx")
	"	pushl $0xaa\n	pushl $0xbb\n"
	"	call 5f\n"
	"	movl %esp, %eax\n" SAY_EAX
	"	stc\n"
	"	call 6f\n"
	"	sbbl %eax, %eax\n" SAY_EAX		/* RET keeps the flags */
	END
	"5:	ret $8\n"
	"6:	ret\n");

static void indirect_branches_keep_every_register_and_flag(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		for (unsigned int round = 0; round < 3; round++) {	/* later rounds go through the jump table */
			LOAD(m, PROG, g_indirect);
			evm_start(m, PROG);
			evm_run_to_end(m);
			CHECK_OUT(m, 0x111, 0x222, 8, 9, m->out[4], STACK, 0xffffffff);
			assert_int_equal(m->out[4], m->cpu->gpr[X86_ECX]);
		}
	}
}

/* Two functions whose addresses agree in their low half share an entry of the jump table. */
GUEST(g_alias,
	"	movl $200, %esi\n"
	"	xorl %edi, %edi\n"
	"1:	movl $0x30000, %eax\n"
	"	call *%eax\n"
	"	movl $0x50000, %eax\n"
	"	call *%eax\n"
	"	decl %esi\n"
	"	jnz 1b\n"
	OUT("%edi")
	END);
GUEST(g_add_1, "	incl %edi\n	ret\n");
GUEST(g_add_100, "	addl $0x100, %edi\n	ret\n");

static void targets_that_share_a_place_in_the_jump_table_are_told_apart(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_alias);
		LOAD(m, 0x30000, g_add_1);
		LOAD(m, 0x50000, g_add_100);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 200 + 0x100 * 200);
	}
}

GUEST(g_far,
	"	lcall $0x10, $(1f - g_far + 0x10000)\n"
	SAY_EAX
	"	pushl $0x10\n	pushl $(2f - g_far + 0x10000)\n	lret\n"
	"	hlt\n"
	"1:	movl $0x77, %eax\n	lret\n"
	"2:	ljmp $0x38, $(3f - g_far + 0x10000 - 0x10000)\n"
	"	.code16\n"
	"3:	movw $0x1234, %ax\n"
	"	movl $0x10003, %ecx\n"
	"	xorl %edx, %edx\n"
	"4:	incw %dx\n"
	"	loop 4b\n"				/* CX */
	"	call 5f\n"
	"	outl %eax, $0xe0\n"
	OUT("%edx") OUT("%ecx")
	"	movw $(6f - g_far), %bx\n"
	"	call *%bx\n"
	"	jmp *%cs:(7f - g_far)\n"
	"5:	addw $1, %ax\n"
	"	ret\n"
	"6:	ret\n"
	"7:	.word 8f - g_far\n"
	"8:	ljmpl $0x10, $(9f - g_far + 0x10000)\n"
	"	.code32\n"
	"9:	movl %esp, %eax\n"
	SAY_EAX
	END);

static void far_transfers_and_16_bit_code_work(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_far);
		evm_descriptor(m, CODE16, PROG, 0xffff, 0x9b, 0);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x77, 0x1235, 3, 0x10000, STACK);
	}
}

/* ---- code that changes ------------------------------------------------------------------------------------- */

GUEST(g_smc_same,
	"	movl $3, %esi\n"
	"1:	movb $0x42, (2f - g_smc_same + 0x10001)\n"	/* the next instruction's immediate */
	"2:	movl $0x11, %eax\n"
	SAY_EAX
	"	movb $0x11, (2b - g_smc_same + 0x10001)\n"
	"	decl %esi\n"
	"	jnz 1b\n"
	END);

static void a_store_into_the_running_code_is_seen_by_the_next_instruction(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_smc_same);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x42, 0x42, 0x42);
	}
}

/* A function at 31FFEh: MOV EAX, imm32; RET lies across two pages. The second page's half is rewritten. */
GUEST(g_smc_straddle,
	"	xorl %edx, %edx\n"
	"1:	movl %edx, %ebx\n"
	"	shll $8, %ebx\n"
	"	addl $0x10, %ebx\n"
	"	movw %bx, 0x32000\n"
	"	movl $0x31ffd, %eax\n"
	"	call *%eax\n"
	SAY_EAX
	"	incl %edx\n"
	"	cmpl $8, %edx\n"
	"	jb 1b\n"
	END);
GUEST(g_straddler, "	movl $0x5566, %eax\n	ret\n");

static void a_store_into_the_second_page_of_a_straddling_instruction_is_seen(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_smc_straddle);
		LOAD(m, 0x31ffd, g_straddler);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x00105566, 0x01105566, 0x02105566, 0x03105566, 0x04105566, 0x05105566, 0x06105566, 0x07105566);
	}
}

GUEST(g_smc_string,
	"	movl $4, %ebx\n"
	"1:	movl $0x20000, %esi\n"
	"	testl $1, %ebx\n"
	"	jz 2f\n"
	"	addl $16, %esi\n"
	"2:	movl $0x30000, %edi\n"
	"	movl $16, %ecx\n"
	"	rep movsb\n"
	"	movl $0x30000, %eax\n"
	"	call *%eax\n"
	SAY_EAX
	"	decl %ebx\n"
	"	jnz 1b\n"
	END);

static void code_copied_over_code_is_run(void **state)
{
	static const uint8_t code[32] = {
		0xb8, 1, 0, 0, 0, 0xc3, [16] = 0xb8, 2, 0, 0, 0, 0xc3,
	};
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_smc_string);
		evm_poke(m, DATA, code, sizeof(code));
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 1, 2, 1, 2);
	}
}

/* ---- paging --------------------------------------------------------------------------------------------------- */

#define PAGING_ON \
	"	movl $0x100000, %eax\n" \
	"	movl %eax, %cr3\n" \
	"	movl %cr0, %eax\n" \
	"	orl $0x80010000, %eax\n" \
	"	movl %eax, %cr0\n" \
	"	jmp 99f\n" \
	"99:\n"

/* Page 31000h shows 31000h or 33000h. */
GUEST(g_remap,
	PAGING_ON
	"	movl $6, %esi\n"
	"1:	movl $0x31000, %eax\n"
	"	call *%eax\n"
	SAY_EAX
	"	xorl $0x2000, 0x1010c4\n"		/* its page-table entry */
	"	testl $1, %esi\n"
	"	jz 2f\n"
	"	invlpg 0x31000\n"
	"	jmp 3f\n"
	"2:	movl %cr3, %eax\n"
	"	movl %eax, %cr3\n"
	"3:	call 4f\n"
	"	decl %esi\n"
	"	jnz 1b\n"
	END
	"4:	movl $0x31000, %eax\n"
	"	jmp *%eax\n");

static void remapped_code_is_found_after_invlpg_and_cr3_loads(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_remap);
		evm_identity(m, 7);
		LOAD(m, 0x31000, g_add_1);
		LOAD(m, 0x33000, g_add_100);
		evm_poke(m, 0x31000, "\xb8\x11\0\0\0\xc3", 6);
		evm_poke(m, 0x33000, "\xb8\x22\0\0\0\xc3", 6);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x11, 0x22, 0x11, 0x22, 0x11, 0x22);
	}
}

/* The page that runs remaps itself: from INVLPG on the other page's code goes on. */
GUEST(g_remap_self,
	"	movl $0x33007, 0x1010c4\n"
	"	invlpg 0x31000\n"
	"	movl $0x1111, %eax\n"
	"	ret\n");
GUEST(g_remap_self_other,
	"	movl $0x33007, 0x1010c4\n"
	"	invlpg 0x31000\n"
	"	movl $0x2222, %eax\n"
	"	ret\n");
GUEST(g_remap_self_main,
	PAGING_ON
	"	movl $0x31000, %eax\n"
	"	call *%eax\n"
	SAY_EAX
	END);

static void invlpg_of_the_running_page_takes_effect_at_once(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		evm_identity(m, 7);
		LOAD(m, PROG, g_remap_self_main);
		LOAD(m, 0x31000, g_remap_self);
		LOAD(m, 0x33000, g_remap_self_other);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x2222);
	}
}

/* ---- modes ------------------------------------------------------------------------------------------------------ */

/* One function with an FPU instruction, called through the jump table with CR0.TS clear, then set, then clear. */
GUEST(g_ts,
	"	movl $2, 0x5004\n"
	"	movl $(8f - g_ts + 0x10000), 0x5008\n"
	"	movl $3, %esi\n"
	"	movl $(9f - g_ts + 0x10000), %ebx\n"
	"	clts\n"
	"1:	call *%ebx\n"
	"	call *%ebx\n"
	SAY_EAX
	"	movl %cr0, %eax\n"
	"	xorl $8, %eax\n"
	"	movl %eax, %cr0\n"
	"	decl %esi\n"
	"	jnz 1b\n"
	END
	"9:	movl $1, %eax\n"
	"	fnop\n"
	"	ret\n"
	"8:	movl $2, %eax\n"			/* after #NM */
	"	ret\n");

static void cr0_ts_counts_for_code_reached_by_an_indirect_branch(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_ts);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 1, 2, 1);
		assert_int_equal(m->log->count, 2);
		assert_int_equal(m->log->entry[0].vector, X86_VEC_NM);
	}
}

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
		cmocka_unit_test(direct_branches_calls_and_loops_go_where_they_say),
		cmocka_unit_test(indirect_branches_keep_every_register_and_flag),
		cmocka_unit_test(targets_that_share_a_place_in_the_jump_table_are_told_apart),
		cmocka_unit_test(far_transfers_and_16_bit_code_work),
		cmocka_unit_test(a_store_into_the_running_code_is_seen_by_the_next_instruction),
		cmocka_unit_test(a_store_into_the_second_page_of_a_straddling_instruction_is_seen),
		cmocka_unit_test(code_copied_over_code_is_run),
		cmocka_unit_test(remapped_code_is_found_after_invlpg_and_cr3_loads),
		cmocka_unit_test(invlpg_of_the_running_page_takes_effect_at_once),
		cmocka_unit_test(cr0_ts_counts_for_code_reached_by_an_indirect_branch),
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
