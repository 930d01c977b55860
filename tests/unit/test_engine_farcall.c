/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_engine_farcall.c - wherever a host interrupt comes on the way out under --rewrite=farcall, it changes nothing.
 *
 * Linux returns to a 16-bit stack of the LDT through its espfix stack, whose address stays in the upper half of RSP; a far call to 64-bit
 * code would push there, and the process would stand still. No timer is waited for: a page of the code cache that the
 * processor has not seen yet begins behind the load of ESP, or in the far transfer, and the kernel maps it without a word to anybody.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "engine_vm.h"

#define PAGE_AT		(WINDOW_CODE + 0x10000)	/* the page that is not there yet: an offset in the window */
#define SEQUENCE	18			/* bytes: mov %esp,scratch; mov $stack,%esp; lcall */
#define LCALL_AT	11
#define NINSNS		16

/* The next fragment ends up around PAGE_AT. A mapping of its own, lest the kernel map it together with the page before. */
static void prepare(void *machine, uint16_t port, unsigned int size, uint32_t value)
{
	struct evm *m = machine;
	struct mon_engine *e = m->vm->engine;

	if (port != 0xe8) {
		evm_out(machine, port, size, value);
		return;
	}
	e->cache.code_next = PAGE_AT - SEQUENCE * NINSNS / 2;
	m->out[m->nout++] = (uint32_t)madvise((void *)(uintptr_t)(e->window + PAGE_AT), PLX_PAGE_SIZE, MADV_DONTDUMP);
}

static const struct plx_machine_ops ops = {
	.in = evm_in, .out = prepare, .ins = evm_ins, .outs = evm_outs,
	.mmio_read = evm_mmio_read, .mmio_write = evm_mmio_write, .intack = evm_intack,
};

static uint32_t far_calls_cut(const struct prescan_cache *c)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i < c->nsites; i++)
		n += c->sites[i].farcall && c->sites[i].main_off + LCALL_AT <= PAGE_AT && c->sites[i].main_off + SEQUENCE > PAGE_AT;
	return n;
}

/* OUT E8h, a jump, @shift NOPs, then instructions that call out. */
static void load_program(struct evm *m, uint32_t shift)
{
	uint32_t at = PROG;

	evm_poke(m, at, "\xe6\xe8\xeb\x00", 4);
	for (at += 4; shift; shift--)
		evm_poke(m, at++, "\x90", 1);
	for (uint32_t i = 0; i < NINSNS; i++, at += 3)
		evm_poke(m, at, "\x0f\x01\xe3", 3);		/* smsw %ebx */
	evm_poke(m, at, "\x89\xe0\xe7\xe0\xe6\xf4\xf4", 7);	/* ESP to port E0h, and the end */
}

/* How many far calls had the page's end in or before them. */
static uint32_t run_around_the_page(bool stack32)
{
	uint32_t cut = 0;

	for (uint32_t shift = 0; shift < SEQUENCE; shift++) {
		struct evm *m = evm_open(PLX_REWRITE_FARCALL);

		plx_vm_set_machine(m->vm, &ops, m);
		load_program(m, shift);
		evm_start(m, PROG);
		if (!stack32)
			m->cpu->seg[X86_SS].attr &= ~MON_SEG_DB;
		evm_run_to_end(m);
		CHECK_OUT(m, 0, STACK);
		cut += far_calls_cut(&m->vm->engine->cache);
		evm_close(m);
	}
	return cut;
}

static void the_kernel_may_come_between_the_load_of_esp_and_the_far_call(void **state)
{
	(void)state;
	assert_int_equal(run_around_the_page(true), SEQUENCE - LCALL_AT);	/* at its first byte, and at each after that */
}

static void a_stack_of_16_bits_is_left_without_a_push(void **state)
{
	(void)state;
	assert_int_equal(run_around_the_page(false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_may_come_between_the_load_of_esp_and_the_far_call),
		cmocka_unit_test(a_stack_of_16_bits_is_left_without_a_push),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
