/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_engine.c - claims about guest code as the engine runs it, under each rewrite strategy: control flow, code
 * that changes, paging. Flags and interrupts are in test_engine_events.c, what ring 3 may not do in test_engine_user.c.
 *
 * Guest programs record values with OUT to port E0h and end with OUT to F4h.
 */
#include "engine_vm.h"

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

/* Two address spaces: 31000h shows one function or the other, 32000h the same one; the counter page is shared. */
GUEST(g_spaces,
	PAGING_ON
	"	movl $40, %esi\n"
	"1:	movl $0x31000, %eax\n"
	"	call *%eax\n"
	"	movl $0x32000, %eax\n"
	"	call *%eax\n"
	"	incl 0x21000\n"			/* private: 21000h or 23000h */
	"	movl %cr3, %eax\n"
	"	xorl $0x10000, %eax\n"
	"	movl %eax, %cr3\n"
	"	cmpl $20, %esi\n"
	"	jne 2f\n"
	"	movb $5, 0x34003\n"			/* 32000h's ADD EDI, imm8 through another mapping */
	"2:	decl %esi\n"
	"	jnz 1b\n"
	OUT("%edi")
	"	movl 0x21000, %eax\n" SAY_EAX
	"	movl %cr3, %eax\n	xorl $0x10000, %eax\n	movl %eax, %cr3\n"
	"	movl 0x21000, %eax\n" SAY_EAX
	END);

static void address_spaces_keep_their_code_and_data_apart(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		evm_identity(m, 7);
		for (uint32_t at = 0; at < 0x4000; at += 4)	/* the other space's tables: 110000h */
			evm_poke32(m, PGDIR + 0x10000 + at, evm_peek32(m, PGDIR + at));
		evm_poke32(m, PGDIR + 0x10000, (PGTAB + 0x10000) | 7);
		evm_poke32(m, PGTAB + 0x10000 + 0x31 * 4, 0x33007);
		evm_poke32(m, PGTAB + 0x10000 + 0x21 * 4, 0x23007);
		evm_page(m, 0x34000, 0x32007);
		evm_poke32(m, PGTAB + 0x10000 + 0x34 * 4, 0x32007);
		LOAD(m, PROG, g_spaces);
		LOAD(m, 0x31000, g_add_1);
		LOAD(m, 0x33000, g_add_100);
		evm_poke(m, 0x32000, "\x90\x83\xc7\x00\xc3", 5);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 20 + 20 * 0x100 + 19 * 5, 20, 20);
	}
}

/* A page beside one that was used is not used: its A bit says so, and its D bit whether it was written. */
GUEST(g_accessed,
	PAGING_ON
	"	movl 0x64000, %eax\n"
	"	movl 0x1011a8, %eax\n" SAY_EAX		/* 6A000h */
	"	movl 0x10118c, %eax\n" SAY_EAX		/* 63000h */
	"	movl 0x101190, %eax\n" SAY_EAX		/* 64000h */
	"	movl 0x6a000, %eax\n"
	"	movl 0x1011a8, %eax\n" SAY_EAX
	"	incl 0x6a000\n"
	"	movl 0x1011a8, %eax\n" SAY_EAX
	"	andl $~0x60, 0x1011a8\n"
	"	invlpg 0x6a000\n"
	"	movl 0x6a000, %eax\n"
	"	movl 0x1011a8, %eax\n" SAY_EAX
	"	pushl 0x6a000\n	popl 0x6a000\n"
	"	movl 0x1011a8, %eax\n" SAY_EAX
	END);

static void accessed_and_dirty_bits_say_what_was_used(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_accessed);
		evm_identity(m, 7);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x6a007, 0x63007, 0x64027, 0x6a027, 0x6a067, 0x6a027, 0x6a067);
	}
}

/* AC, then plain flags again, by POPF at CPL 0: each is seen by the next PUSHF. */
GUEST(g_ac,
	"	movl $4, %esi\n"
	"1:	pushl $0x40002\n	popfl\n"
	"	pushl $0x2\n	popfl\n"
	"	pushfl\n	popl %eax\n" SAY_EAX
	"	decl %esi\n	jnz 1b\n"
	END);

static void popf_takes_back_what_popf_set(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_ac);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 2, 2, 2, 2);
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

/* FS, and behind each access of a device the same FS: with either of two bases, and with none. */
GUEST(g_fs,
	"	movl $1000, %ebp\n"
	"1:	movl $0x50, %eax\n	movl %eax, %fs\n"
	"	cmpl $0x50505050, %fs:0\n	jne 9f\n"
	"	inb $0x80, %al\n"
	"	cmpl $0x50505050, %fs:0\n	jne 9f\n"
	"	outb %al, $0x80\n	inb $0x80, %al\n"
	"	cmpl $0x50505050, %fs:0\n	jne 9f\n"
	"	movl $0x58, %eax\n	movl %eax, %fs\n	inb $0x80, %al\n"
	"	cmpl $0x58585858, %fs:0\n	jne 9f\n"
	"	xorl %eax, %eax\n	movl %eax, %fs\n	inb $0x80, %al\n"
	"	movl $0x18, %eax\n	movl %eax, %fs\n	inb $0x80, %al\n"
	"	cmpl $0x18181818, %fs:0x20000\n	jne 9f\n"
	"	decl %ebp\n	jnz 1b\n"
	"	movl $0x600d, %ebp\n"
	"9:\n" OUT("%ebp")
	END);

static void fs_is_the_guests_behind_each_access_of_a_device(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, g_fs);
		evm_start(m, PROG);
		evm_poke32(m, GDT + 0x50, 0x1000ffff);		/* 21000h */
		evm_poke32(m, GDT + 0x54, 0x00cf9302);
		evm_poke32(m, GDT + 0x58, 0x2000ffff);
		evm_poke32(m, GDT + 0x5c, 0x00cf9302);
		evm_poke32(m, DATA, 0x18181818);
		evm_poke32(m, DATA + 0x1000, 0x50505050);
		evm_poke32(m, DATA + 0x2000, 0x58585858);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x600d);
		/* What goes astray faults, and is interpreted rightly. */
		assert_in_range(m->vm->engine->stats.fault_mmio + m->vm->engine->stats.fault_other, 0, 20);
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
		cmocka_unit_test(address_spaces_keep_their_code_and_data_apart),
		cmocka_unit_test(accessed_and_dirty_bits_say_what_was_used),
		cmocka_unit_test(popf_takes_back_what_popf_set),
		cmocka_unit_test(cr0_ts_counts_for_code_reached_by_an_indirect_branch),
		cmocka_unit_test(fs_is_the_guests_behind_each_access_of_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
