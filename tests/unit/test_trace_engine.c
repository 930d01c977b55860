/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_trace_engine.c - claims about what the engine records and sums up: include/plexus/trace.h. */
#include "engine_vm.h"

#include "plexus/trace.h"

GUEST(g_mixed,
	"	movl $1000, %ecx\n"
	"1:	cli\n"
	"	pushfl\n"
	"	pushfl\n"
	"	popfl\n"
	"	popfl\n"
	"	sti\n"
	"	nop\n"
	"	movl %ds, %eax\n"
	"	pushl %es\n"
	"	popl %eax\n"
	"	str %ax\n"
	"	loop 1b\n"
	"	pushl $0x10202\n"		/* RF: the inline sequence gives this one away */
	"	popfl\n"
	"	pushl $0x202\n"
	"	popfl\n"
	END);

/* Instructions of that name, in all ways; @how UINT_MAX: any. */
static uint64_t sum(const struct plx_trace *t, const char *name, enum prescan_class klass, unsigned int how)
{
	uint64_t n = 0;

	for (unsigned int row = 0; row < prescan_nr_rows(); row++)
		for (unsigned int i = 0; i < PLX_TRACE_HOWS; i++)
			if (!strcmp(prescan_row_mnemonic(row), name) && t->sums->klass[row] == klass && (how == UINT32_MAX || how == i))
				n += t->sums->sum[row][i].count;
	return n;
}

#define ANY UINT32_MAX

static void check_mixed(const struct plx_trace *t)
{
	assert_int_equal(sum(t, "CLI", PRESCAN_FLAGS, ANY), 1000);
	assert_int_equal(sum(t, "STI", PRESCAN_FLAGS, ANY), 1000);
	assert_int_equal(sum(t, "PUSHFD", PRESCAN_FLAGS, ANY), 2000);
	assert_int_equal(sum(t, "POPFD", PRESCAN_FLAGS, ANY), 2002);
	assert_int_equal(sum(t, "MOV", PRESCAN_SEG_STORE, ANY), 1000);
	assert_int_equal(sum(t, "PUSH", PRESCAN_SEG_STORE, ANY), 1000);
	assert_int_equal(sum(t, "STR", PRESCAN_TABLE, ANY), 1000);
}

static void sums_alone_count_each_instruction_once_inline_or_not(void **state)
{
	struct plx_trace *t;
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		t = plx_vm_trace(m->vm, 0, false);
		assert_non_null(t);
		LOAD(m, PROG, g_mixed);
		evm_start(m, PROG);
		evm_run_to_end(m);
		plx_vm_trace_collect(m->vm);
		plx_vm_trace_collect(m->vm);		/* once more adds nothing */
		check_mixed(t);
		if (s_ == PLX_REWRITE_ADAPTIVE) {
			assert_int_equal(sum(t, "CLI", PRESCAN_FLAGS, PLX_TRACE_INLINE), 1000);
			assert_int_equal(sum(t, "POPFD", PRESCAN_FLAGS, PLX_TRACE_INLINE), 2001);
			assert_int_equal(sum(t, "POPFD", PRESCAN_FLAGS, PLX_TRACE_NEXUS), 1);
		} else {
			assert_int_equal(sum(t, "CLI", PRESCAN_FLAGS, PLX_TRACE_INLINE), 0);
		}
	}
}

static void counting_changes_nothing_that_the_guest_sees(void **state)
{
	struct mon_vcpu before;
	struct evm *m;

	(void)state;
	m = evm_open(PLX_REWRITE_ADAPTIVE);
	LOAD(m, PROG, g_mixed);
	evm_start(m, PROG);
	evm_run_to_end(m);
	before = *m->cpu;
	evm_close(m);
	m = evm_open(PLX_REWRITE_ADAPTIVE);
	assert_non_null(plx_vm_trace(m->vm, 0, false));
	LOAD(m, PROG, g_mixed);
	evm_start(m, PROG);
	evm_run_to_end(m);
	assert_memory_equal(before.gpr, m->cpu->gpr, sizeof(before.gpr));
	assert_int_equal(before.eflags, m->cpu->eflags);
	assert_int_equal(before.eip, m->cpu->eip);
	evm_close(m);
}

GUEST(g_ports,
	"	movb $0x5a, %al\n"
	"	outb %al, $0xe1\n"
	"	inw $0xe0, %ax\n"
	"	movl $0x20000, %esi\n"
	"	movl $0xe1, %edx\n"
	"	movl $7, %ecx\n"
	"	rep outsl\n"
	"	movl %cr0, %eax\n"
	"	movl %eax, %cr0\n"
	"	movl $0x18, %eax\n"
	"	movl %eax, %fs\n"
	"	ud2\n");

static const struct plx_trace_record *nth(const struct plx_trace *t, const char *name, unsigned int n)
{
	for (uint64_t i = 0; i < t->ring->head; i++)
		if (t->ring->record[i].event == PLX_TRACE_INSN && !strcmp(prescan_row_mnemonic(t->ring->record[i].row), name) && !n--)
			return &t->ring->record[i];
	print_error("no record of %s\n", name);
	fail();
	return NULL;
}

static void records_tell_operands_results_and_places(void **state)
{
	const struct plx_trace_record *r;
	struct plx_trace *t;
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		t = plx_vm_trace(m->vm, 1024, true);
		LOAD(m, PROG, g_ports);
		evm_start(m, PROG);
		evm_run_to_end(m);

		r = nth(t, "OUT", 0);
		assert_int_equal(r->eip, PROG + 2);
		assert_int_equal(r->a, 0xe1 | 1 << 16 | 1 << 24);
		assert_int_equal(r->b, 0x5a);
		assert_int_equal(r->how, PLX_TRACE_DEVICE);
		assert_int_equal(r->length, 2);
		assert_int_equal(r->bytes[0], 0xe6);
		assert_int_equal(r->cpl, 0);
		assert_int_equal(r->cs, CODE0);
		assert_int_equal(r->mode, PLX_TRACE_CODE32 | PLX_TRACE_PROTECTED);
		r = nth(t, "IN", 0);
		assert_int_equal(r->a, 0xe0 | 2 << 16);
		assert_int_equal(r->b, (1664525u + 1013904223u) >> 8 & 0xffff);
		r = nth(t, "OUTSD", 0);
		assert_int_equal(r->b, 7);
		assert_int_equal(r->c, 7);
		r = nth(t, "MOV", 0);
		while (r->klass != PRESCAN_SYSTEM)
			r++;
		assert_int_equal(r->a, 0);
		assert_int_equal(r->b, m->cpu->cr0);
		r = nth(t, "MOV", 0);
		while (r->klass != PRESCAN_SEG_LOAD)
			r++;
		assert_int_equal(r->a, X86_FS | DATA0 << 16);
		assert_int_equal(r->c, 0xffffffff);
	}
}

static void an_exception_is_a_record_of_its_own(void **state)
{
	const struct plx_trace_record *r, *end;
	struct plx_trace *t;
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		t = plx_vm_trace(m->vm, 1024, true);
		LOAD(m, PROG, g_ports);
		evm_start(m, PROG);
		evm_run_to_end(m);
		end = t->ring->record + t->ring->head;
		for (r = t->ring->record; r < end && r->event != PLX_TRACE_EXCEPTION; r++)
			;
		assert_true(r < end);
		assert_int_equal(r->a, X86_VEC_UD);
		assert_int_equal(r->eip, PROG + (uint32_t)(g_ports_end - g_ports) - 2);
		assert_int_equal(t->sums->event[PLX_TRACE_EXCEPTION].count, 1);
	}
}

static void a_ring_that_drops_keeps_the_first_and_counts_the_rest(void **state)
{
	struct plx_trace *t;
	struct evm *m = evm_open(PLX_REWRITE_ADAPTIVE);

	(void)state;
	t = plx_vm_trace(m->vm, 1024, false);
	LOAD(m, PROG, g_mixed);
	evm_start(m, PROG);
	evm_run_to_end(m);
	assert_int_equal(t->ring->head, 1024);
	assert_true(t->ring->dropped > 7000);
	check_mixed(t);				/* the sums have all of them */
	assert_int_equal(t->sums->event[PLX_TRACE_INSN].count + t->sums->event[PLX_TRACE_EXCEPTION].count, t->ring->head + t->ring->dropped);
	evm_close(m);
}

static bool taken_enough;

static void *take_slowly(void *arg)
{
	struct plx_trace *t = arg;
	const struct timespec moment = { .tv_nsec = 1000000 };

	while (!__atomic_load_n(&taken_enough, __ATOMIC_RELAXED)) {
		nanosleep(&moment, NULL);
		__atomic_store_n(&t->control->tail, __atomic_load_n(&t->ring->head, __ATOMIC_ACQUIRE), __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void a_ring_that_waits_loses_nothing(void **state)
{
	pthread_t thread;
	struct plx_trace *t;
	struct evm *m = evm_open(PLX_REWRITE_ADAPTIVE);

	(void)state;
	t = plx_vm_trace(m->vm, 1024, true);
	LOAD(m, PROG, g_mixed);
	evm_start(m, PROG);
	pthread_create(&thread, NULL, take_slowly, t);
	evm_run_to_end(m);
	assert_int_equal(t->ring->dropped, 0);
	assert_int_equal(t->sums->event[PLX_TRACE_INSN].count + t->sums->event[PLX_TRACE_EXCEPTION].count, t->ring->head);
	__atomic_store_n(&taken_enough, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	evm_close(m);
}

static void a_watched_address_is_recorded_whatever_stands_there(void **state)
{
	struct plx_trace *t;
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		uint64_t seen = 0;

		t = plx_vm_trace(m->vm, 16384, true);
		t->control->nwatch = 1;
		LOAD(m, PROG, g_mixed);
		assert_int_equal(g_mixed[5 + 6], 0x90);
		t->control->watch[0] = PROG + 5 + 6;
		evm_start(m, PROG);
		evm_run_to_end(m);
		for (uint64_t i = 0; i < t->ring->head; i++)
			seen += t->ring->record[i].eip == t->control->watch[0] && t->ring->record[i].event == PLX_TRACE_INSN;
		assert_int_equal(seen, 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_alone_count_each_instruction_once_inline_or_not),
		cmocka_unit_test(counting_changes_nothing_that_the_guest_sees),
		cmocka_unit_test(records_tell_operands_results_and_places),
		cmocka_unit_test(an_exception_is_a_record_of_its_own),
		cmocka_unit_test(a_ring_that_drops_keeps_the_first_and_counts_the_rest),
		cmocka_unit_test(a_ring_that_waits_loses_nothing),
		cmocka_unit_test(a_watched_address_is_recorded_whatever_stands_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
