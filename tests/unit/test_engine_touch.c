/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_engine_touch.c - claims about what page faults, INVLPG and rows of callouts cost, in calls and exits; what the guest sees of
 * them is tests/guests/small/demand.c's affair.
 */
#include "engine_vm.h"

#define FIRST 0x400000u		/* no page of it is there when a program starts */

#define PAGING_ON \
	"	movl $0x100000, %eax\n	movl %eax, %cr3\n" \
	"	movl %cr0, %eax\n	orl $0x80010000, %eax\n	movl %eax, %cr0\n"

/* Maps the page that was touched, and counts at 20000h. */
GUEST(g_handler,
	"	pushl %eax\n	pushl %edx\n"
	"	movl %cr2, %edx\n	movl %edx, %eax\n"
	"	shrl $12, %eax\n	andl $~0xfff, %edx\n	orl $0x67, %edx\n"
	"	movl %edx, 0x101000(,%eax,4)\n"
	"	incl 0x20000\n"
	"	popl %edx\n	popl %eax\n	addl $4, %esp\n	iret\n");

/* A byte each [20004h] bytes, up to [20008h]. */
GUEST(g_touch,
	PAGING_ON
	"	movl $0x400000, %edi\n"
	"1:	movb $1, (%edi)\n"
	"	addl 0x20004, %edi\n"
	"	cmpl 0x20008, %edi\n"
	"	jb 1b\n"
	"	movl 0x20000, %eax\n" SAY_EAX
	END);

/* The same, and what was stored is read at once. */
GUEST(g_touch_and_use,
	PAGING_ON
	"	movl $0x400000, %edi\n"
	"1:	movb $1, (%edi)\n"
	"	movb (%edi), %al\n"
	"	addl 0x20004, %edi\n"
	"	cmpl 0x20008, %edi\n"
	"	jb 1b\n"
	"	movl 0x20000, %eax\n" SAY_EAX
	END);

/* "At once" is a matter of the host's clock: here it stands. */
static uint64_t still(void *host)
{
	(void)host;
	return 1;
}

static void touch(struct evm *m, const uint8_t *program, const uint8_t *end, uint32_t step, uint32_t npages)
{
	static struct plx_host_ops ops;

	ops = hp_host_ops;
	ops.ticks = still;
	m->vm->engine->ops = &ops;
	evm_identity(m, 7);
	for (uint32_t i = 0; i < 256; i++)
		evm_page(m, FIRST + i * 0x1000, 0);
	evm_poke32(m, DATA, 0);
	evm_poke32(m, DATA + 4, step);
	evm_poke32(m, DATA + 8, FIRST + npages * 0x1000);
	evm_load(m, PROG, program, end);
	LOAD(m, 0x30000, g_handler);
	evm_gate(m, X86_VEC_PF, 0x30000, 0);
	evm_start(m, PROG);
	evm_run_to_end(m);
	CHECK_OUT(m, npages);
}

static void an_instruction_that_faults_each_time_is_soon_called_out(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		const struct mon_stats *stats = &m->vm->engine->stats;

		touch(m, g_touch, g_touch_end, 0x1000, 200);
		if (m->vm->engine->interpret_only) {
			assert_int_equal(stats->fault_guest_pf, 0);
		} else if (m->vm->engine->cache.env.strategy == REWRITE_ADAPTIVE) {
			assert_in_range(stats->fault_guest_pf, 3, 6);
			assert_in_range(stats->filled_ahead, 3, 6);
		} else {
			assert_int_equal(stats->fault_guest_pf, 200);
			assert_int_equal(stats->filled_ahead, 200);
		}
	}
}

/* It faults once in 256 times: called out it would cost more. After three faults it is tried, after twelve more again, then after 48. */
static void a_wrong_guess_is_made_seldom(void **state)
{
	struct evm *m = evm_open(PLX_REWRITE_ADAPTIVE);

	(void)state;
	touch(m, g_touch, g_touch_end, 16, 60);
	assert_int_equal(m->vm->engine->stats.callout_sites, 2);
	assert_in_range(m->vm->engine->stats.fault_guest_pf, 58, 60);
	evm_close(m);
}

/* Called out, the store saves nothing then: the load needs the mapping. */
static void a_page_used_at_once_is_mapped_as_before(void **state)
{
	struct evm *m = evm_open(PLX_REWRITE_ADAPTIVE);

	(void)state;
	touch(m, g_touch_and_use, g_touch_and_use_end, 0x1000, 200);
	assert_int_equal(m->vm->engine->stats.callout_sites, 1);
	assert_in_range(m->vm->engine->stats.fault_guest_pf, 190, 199);
	assert_in_range(m->vm->engine->stats.filled_ahead, 190, 199);
	evm_close(m);
}

/* [20000h] pages are written, made read-only, writable again, and taken away: by changes of the tables first, and INVLPG for each page then. */
GUEST(g_range,
	PAGING_ON
	"	movl $0x400000, %edi\n"
	"	movl 0x20000, %ecx\n"
	"1:	incl (%edi)\n	addl $0x1000, %edi\n	decl %ecx\n	jnz 1b\n"
	"	movl $3, %esi\n"
	"2:	movl $0x102000, %edi\n"
	"	movl 0x20000, %ecx\n"
	"3:	movl (%edi), %eax\n"
	"	xorl 0x20000(,%esi,4), %eax\n"
	"	stosl\n	decl %ecx\n	jnz 3b\n"
	"	movl $0x400000, %edi\n"
	"	movl 0x20000, %ecx\n"
	"4:	invlpg (%edi)\n	addl $0x1000, %edi\n	decl %ecx\n	jnz 4b\n"
	"	decl %esi\n	jnz 2b\n"
	"	movl 0x20000, %eax\n" SAY_EAX
	END);

static struct mon_stats change_range(enum plx_rewrite rewrite, uint32_t npages)
{
	struct evm *m = evm_open(rewrite);
	struct mon_stats stats;

	evm_identity(m, 0x67);
	evm_poke32(m, DATA, npages);
	evm_poke32(m, DATA + 12, 2);
	evm_poke32(m, DATA + 8, 2);
	evm_poke32(m, DATA + 4, 1);
	LOAD(m, PROG, g_range);
	evm_start(m, PROG);
	evm_run_to_end(m);
	CHECK_OUT(m, npages);
	stats = m->vm->engine->stats;
	evm_close(m);
	return stats;
}

static void a_range_changed_by_invlpg_costs_the_calls_of_one_page(void **state)
{
	(void)state;
	for (unsigned int rewrite = PLX_REWRITE_ADAPTIVE; rewrite <= PLX_REWRITE_INT3; rewrite++) {
		struct mon_stats one = change_range(rewrite, 1), many = change_range(rewrite, 16);

		assert_int_equal(many.invlpgs, one.invlpgs + 3 * 15);
		assert_in_range(one.protects, 2, 100);
		assert_int_equal(many.protects, one.protects);
		assert_int_equal(many.unmaps, one.unmaps);
		assert_int_equal(many.unmap_pages, one.unmap_pages + 15);
	}
}

GUEST(g_row,
	"	movl $100, %ecx\n"
	"	movl $0x18, %eax\n"
	"1:	movl %eax, %ds\n	movl %eax, %es\n	movl %eax, %fs\n"
	"	decl %ecx\n	jnz 1b\n"
	END);

/* Not so for far calls: each one puts ESP away first. */
static void callouts_in_a_row_are_done_at_one_exit(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		const struct mon_stats *stats = &m->vm->engine->stats;

		LOAD(m, PROG, g_row);
		evm_start(m, PROG);
		evm_run_to_end(m);
		if (m->vm->engine->interpret_only)
			continue;
		assert_in_range(stats->exits_callout, 300, 310);
		if (m->vm->engine->cache.env.strategy == REWRITE_FARCALL)
			assert_in_range(stats->entries, 300, 330);
		else
			assert_in_range(stats->entries, 100, 130);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_instruction_that_faults_each_time_is_soon_called_out),
		cmocka_unit_test(a_wrong_guess_is_made_seldom),
		cmocka_unit_test(a_page_used_at_once_is_mapped_as_before),
		cmocka_unit_test(a_range_changed_by_invlpg_costs_the_calls_of_one_page),
		cmocka_unit_test(callouts_in_a_row_are_done_at_one_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
