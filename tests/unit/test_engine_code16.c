/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_engine_code16.c - on a kernel without 16-bit segments (here: --host-features=-code16) guests do the same.
 *
 * Such a kernel refuses each descriptor with D/B = 0, so none may ever be asked for; this host's would be granted.
 */
#include "engine_vm.h"

/* Data segments with B = 0, a stack with SS.B = 0 that wraps at 64 KiB, a segment that expands down, and 16-bit code. */
GUEST(g_sixteen,
	"	movl $0x40, %eax\n	movl %eax, %ds\n	movl %eax, %es\n	movl %eax, %fs\n"
	"	movl $0x11223344, 0x5ff0\n	movl %es:0x5ff0, %eax\n" SAY_EAX
	"	movl %fs:0x5ff0, %eax\n" SAY_EAX
	"	movl $0x48, %eax\n	movl %eax, %gs\n	movl $0x55667788, %gs:0x2000\n	movl %gs:0x2000, %eax\n" SAY_EAX
	"	movl %esp, %ecx\n"
	"	movl $0x40, %eax\n	movl %eax, %ss\n	movl $0xabcd8002, %esp\n"
	"	pushl $0x1234567\n	movl %esp, %eax\n" SAY_EAX
	"	popl %eax\n" SAY_EAX
	"	call 1f\n1:	popl %eax\n	subl $(1b - g_sixteen), %eax\n" SAY_EAX
	"	movl $0x18, %eax\n	movl %eax, %ss\n	movl %ecx, %esp\n	movl %eax, %ds\n	movl %eax, %es\n"
	"	lcall $0x38, $0xb800\n"
	SAY_EAX
	END);
GUEST(g_in_16, "	.code16\n	movw $0x4321, %ax\n	shll $16, %eax\n	movw $0x8765, %ax\n	lretl\n	.code32\n");

static struct evm *open_vm(bool no_code16)
{
	struct evm *m = evm_open(PLX_REWRITE_ADAPTIVE);

	m->vm->engine->no_code16 = no_code16;
	return m;
}

static void run_sixteen(struct evm *m)
{
	LOAD(m, PROG, g_sixteen);
	LOAD(m, 0xb800, g_in_16);
	evm_descriptor(m, SPARE, 0x30000, 0x0fff, 0x97, 0);	/* expands down, B = 0: offsets 1000h to FFFFh */
	evm_start(m, PROG);
	evm_run_to_end(m);
	CHECK_OUT(m, 0x11223344, 0x11223344, 0x55667788, 0xabcd7ffe, 0x1234567, PROG, 0x43218765);
	assert_int_equal(evm_peek32(m, 0x32000), 0x55667788);
}

static bool has_16_bit_descriptor(const struct mon_engine *e)
{
	for (uint32_t i = 1; i < ENGINE_LDT_SLOTS; i++)
		if (e->ldt[i].version && !e->ldt[i].seg.big)
			return true;
	return false;
}

static void no_16_bit_descriptor_is_asked_for_and_guests_do_the_same(void **state)
{
	struct evm *m = open_vm(false);

	(void)state;
	run_sixteen(m);
	assert_true(has_16_bit_descriptor(m->vm->engine));	/* it is a guest that has use for them */
	evm_close(m);
	m = open_vm(true);
	run_sixteen(m);
	assert_false(has_16_bit_descriptor(m->vm->engine));
	evm_close(m);
}

static void the_feature_can_be_taken_away(void **state)
{
	struct plx_vm_config config = { .ram_bytes = EVM_RAM, .host_features = "-code16" };
	struct plx_vm *vm = NULL;

	(void)state;
	assert_int_equal(plx_vm_create(&config, &vm), 0);
	assert_true(vm->engine->no_code16);
	plx_vm_destroy(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_16_bit_descriptor_is_asked_for_and_guests_do_the_same),
		cmocka_unit_test(the_feature_can_be_taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
