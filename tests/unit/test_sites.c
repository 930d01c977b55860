/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_sites.c - claims about the table of sites (include/plexus/sites.h) and what the rewriting makes of it. */
#include "engine_vm.h"

#include "monitor/sites.h"
#include "plexus/trace.h"

#define DEVICE_MEMORY "0x2000000"	/* nothing is there but what answers for devices */

/* One load, a hundred times from each place: device, memory, device, memory. Reads count where they end. */
GUEST(g_comes_and_goes,
	"	movl $" DEVICE_MEMORY ", %esi\n"
	"	call 1f\n"
	"	movb $1, %al\n	outb %al, $0xe0\n"
	"	movl $0x20000, %esi\n"
	"	call 1f\n"
	"	outb %al, $0xe0\n"
	"	movl $" DEVICE_MEMORY ", %esi\n"
	"	call 1f\n"
	"	outb %al, $0xe0\n"
	"	movl $0x20000, %esi\n"
	"	call 1f\n"
	"	jmp 9f\n"
	"1:	movl $100, %ecx\n"
	"	jmp g_the_load\n"		/* so that one fragment has it */
	"g_the_load:\n"
	"	movl (%esi), %ebx\n"
	"	loop g_the_load\n"
	"	ret\n"
	"9:\n"
	END);
extern const uint8_t g_the_load[];

GUEST(g_ports,
	"	movl $1000, %ecx\n"
	"1:	inb $0xe0, %al\n"
	"	loop 1b\n"
	END);

static const struct plx_site *site_at(const struct evm *m, uint32_t linear)
{
	const struct plx_sites *t = plx_vm_sites(m->vm, false);

	for (uint32_t i = 0; i < PLX_SITES; i++)
		if (t->site[i].length && t->site[i].linear == linear)
			return &t->site[i];
	print_error("no site at %x\n", linear);
	fail();
	return NULL;
}

static uint64_t counted(const struct evm *m)
{
	const struct plx_sites *t = plx_vm_sites(m->vm, false);
	uint64_t n = t->gone.count;

	for (uint32_t i = 0; i < PLX_SITES; i++)
		n += t->site[i].count;
	return n;
}

/* Stops at each OUT, so that the table can be looked at in between. */
static struct evm *phases(enum plx_rewrite rewrite)
{
	struct evm *m = evm_open(rewrite);

	evm_poke(m, PROG, g_comes_and_goes, (uint32_t)(g_comes_and_goes_end - g_comes_and_goes));
	evm_start(m, PROG);
	return m;
}

#define THE_LOAD (PROG + (uint32_t)(g_the_load - g_comes_and_goes))

static void a_site_that_faults_is_called_out_and_the_table_says_why(void **state)
{
	const struct plx_site *s;
	struct evm *m = phases(PLX_REWRITE_ADAPTIVE);
	const uint8_t bytes[2] = { 0x8b, 0x1e };

	(void)state;
	m->ram[PROG + 10] = 0xe6;		/* in place of MOV AL,1 and OUT: OUT F4h, AL */
	m->ram[PROG + 11] = 0xf4;
	evm_run_to_end(m);
	s = site_at(m, THE_LOAD);
	assert_int_equal(m->nr_mmio, 100);
	assert_int_equal(s->count, 100);
	assert_int_equal(s->faults, 3);
	assert_int_equal(s->state, PLX_SITE_CALLOUT);
	assert_int_equal(s->cause, PLX_SITE_DEVICE);
	assert_int_equal(s->how, PLX_TRACE_DEVICE);
	assert_int_equal(s->made, 1);
	assert_int_equal(s->klass, PRESCAN_PLAIN);
	assert_int_equal(s->length, 2);
	assert_memory_equal(s->bytes, bytes, 2);
	assert_true(s->cost > 0);
	assert_true(s->since > plx_vm_sites(m->vm, false)->start_tsc);
	assert_int_equal(m->vm->engine->stats.callout_sites, 1);
	assert_true(engine_is_callout_site(m->vm->engine, THE_LOAD));
	assert_false(engine_is_callout_site(m->vm->engine, THE_LOAD + 2));
}

/* 100 from the device: 3 by fault, then called out. From memory: 24 callouts for nothing, then as it stands. From the device again:
 * one fault is enough. From memory: it takes 48 callouts to believe it. */
static void a_site_that_would_not_fault_any_more_goes_back_and_is_believed_later_each_time(void **state)
{
	const struct plx_site *s;
	struct evm *m = phases(PLX_REWRITE_ADAPTIVE);

	(void)state;
	evm_run_to_end(m);
	s = site_at(m, THE_LOAD);
	assert_int_equal(m->nr_mmio, 200);
	assert_int_equal(s->faults, 3 + 1);
	assert_int_equal(s->made, 2);
	assert_int_equal(s->state, PLX_SITE_AS_IT_STANDS);
	assert_int_equal(s->count, 100 + 24 + 100 + 48);
	assert_false(engine_is_callout_site(m->vm->engine, THE_LOAD));
}

static void without_adaptive_rewriting_faults_are_counted_and_nothing_is_decided(void **state)
{
	static const enum plx_rewrite other[] = { PLX_REWRITE_FARCALL, PLX_REWRITE_INT3 };
	const struct plx_site *s;

	(void)state;
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(other); i++) {
		struct evm *m = phases(other[i]);

		evm_run_to_end(m);
		s = site_at(m, THE_LOAD);
		assert_int_equal(s->count, 200);
		assert_int_equal(s->faults, 200);
		assert_int_equal(s->state, PLX_SITE_AS_MADE);
	}
}

static void callouts_are_counted_with_their_cost_though_nobody_looks(void **state)
{
	const struct plx_site *s;
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		evm_poke(m, PROG, g_ports, (uint32_t)(g_ports_end - g_ports));
		evm_start(m, PROG);
		evm_run_to_end(m);
		if (m->vm->engine->interpret_only) {
			assert_int_equal(counted(m), 0);	/* single steps are not, unless somebody looks */
			continue;
		}
		s = site_at(m, PROG + 5);
		assert_int_equal(s->count, 1000);
		assert_int_equal(s->klass, PRESCAN_PORT);
		assert_true(s->cost > 1000);			/* ticks; a port takes more than one */
		assert_int_equal(s->state, PLX_SITE_AS_MADE);
	}
}

static void single_steps_are_counted_for_who_looks(void **state)
{
	struct evm *m = evm_open(PLX_REWRITE_INTERPRET);

	(void)state;
	plx_vm_sites(m->vm, true);
	evm_poke(m, PROG, g_ports, (uint32_t)(g_ports_end - g_ports));
	evm_start(m, PROG);
	evm_run_to_end(m);
	assert_int_equal(site_at(m, PROG + 5)->count, 1000);
	assert_int_equal(site_at(m, PROG + 7)->count, 1000);		/* LOOP */
	assert_int_equal(site_at(m, PROG + 7)->how, PLX_TRACE_INTERPRETER);
}

static void a_table_that_is_full_keeps_its_sums_and_its_word(void **state)
{
	const uint8_t bytes[1] = { 0x90 };
	struct evm *m = evm_open(PLX_REWRITE_ADAPTIVE);
	struct mon_engine *e = m->vm->engine;
	struct prescan_insn insn;
	uint32_t callouts = 0, marks = 0;

	(void)state;
	evm_start(m, PROG);
	assert_int_equal(prescan_decode(bytes, 1, PRESCAN_MODE_32, &insn), PRESCAN_OK);
	for (uint32_t i = 0; i < 5 * PLX_SITES; i++) {
		m->cpu->eip = i * 3;
		sites_step(e, &insn, bytes);
		if (i % 7 == 0)
			sites_decide(e, e->site_at, PLX_SITE_CALLOUT);
	}
	assert_int_equal(counted(m), 5 * PLX_SITES);
	assert_true(e->sites->gone.count >= 4 * PLX_SITES);
	for (uint32_t i = 0; i < PLX_SITES; i++) {
		const struct plx_site *s = &e->sites->site[i];

		if (!s->length)
			continue;
		callouts += s->state == PLX_SITE_CALLOUT;
		assert_int_equal(engine_is_callout_site(e, s->linear), s->state == PLX_SITE_CALLOUT);
	}
	for (uint32_t i = 0; i < PLX_ARRAY_SIZE(e->sites->nearby); i++)
		marks += e->sites->nearby[i];
	assert_true(callouts > 1000);
	assert_int_equal(marks, callouts);
}

static void code_of_two_widths_at_one_address_has_two_sites(void **state)
{
	const uint8_t bytes[1] = { 0x90 };
	struct evm *m = evm_open(PLX_REWRITE_ADAPTIVE);
	struct mon_engine *e = m->vm->engine;
	const struct plx_site *wide;
	struct prescan_insn insn;

	(void)state;
	evm_start(m, PROG);
	assert_int_equal(prescan_decode(bytes, 1, PRESCAN_MODE_32, &insn), PRESCAN_OK);
	sites_step(e, &insn, bytes);
	wide = e->site_at;
	m->cpu->seg[X86_CS].attr &= ~(uint32_t)MON_SEG_DB;
	sites_step(e, &insn, bytes);
	assert_ptr_not_equal(e->site_at, wide);
	assert_int_equal(e->site_at->linear, wide->linear);
	assert_int_equal(wide->mode & PLX_TRACE_CODE32, PLX_TRACE_CODE32);
	assert_int_equal(e->site_at->mode & PLX_TRACE_CODE32, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_site_that_faults_is_called_out_and_the_table_says_why),
		cmocka_unit_test(a_site_that_would_not_fault_any_more_goes_back_and_is_believed_later_each_time),
		cmocka_unit_test(without_adaptive_rewriting_faults_are_counted_and_nothing_is_decided),
		cmocka_unit_test(callouts_are_counted_with_their_cost_though_nobody_looks),
		cmocka_unit_test(single_steps_are_counted_for_who_looks),
		cmocka_unit_test(a_table_that_is_full_keeps_its_sums_and_its_word),
		cmocka_unit_test(code_of_two_widths_at_one_address_has_two_sites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
