/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_coverage_engine.c - claims about what the engine says was run: include/plexus/coverage.h, monitor/cover.c. */
#include "engine_vm.h"

#include "plexus/coverage.h"

static const struct plx_cover_insn *entry_at(const struct plx_cover *c, uint32_t linear)
{
	for (uint32_t i = 1; i < c->ninsns; i++)
		if (c->insn[i].linear == linear && c->insn[i].how)
			return &c->insn[i];
	return NULL;
}

/*
 * One letter an instruction, in the order of @bytes: . never reached, n native, N native and its own exception, i inlined, x called out,
 * X called out and an exception, t interpreted, T interpreted and an exception, ? anything else.
 */
static void picture(const struct plx_cover *c, uint32_t linear, const uint8_t *bytes, const uint8_t *end, char *to)
{
	while (bytes < end) {
		const struct plx_cover_insn *insn = entry_at(c, linear);
		struct prescan_insn decoded;

		assert_int_equal(prescan_decode(bytes, (size_t)(end - bytes), PRESCAN_MODE_32, &decoded), PRESCAN_OK);
		if (!insn) {
			*to++ = '.';
		} else {
			assert_int_equal(insn->length, decoded.length);
			assert_memory_equal(insn->bytes, bytes, decoded.length);
			assert_int_equal(insn->gpa, linear);
			assert_true(insn->code32);
			switch (insn->how) {
			case PLX_COVER_NATIVE: *to++ = 'n'; break;
			case PLX_COVER_NATIVE | PLX_COVER_RAISED: *to++ = 'N'; break;
			case PLX_COVER_INLINED: *to++ = 'i'; break;
			case PLX_COVER_NEXUS: *to++ = 'x'; break;
			case PLX_COVER_NEXUS | PLX_COVER_RAISED: *to++ = 'X'; break;
			case PLX_COVER_INTERPRETED: *to++ = 't'; break;
			case PLX_COVER_INTERPRETED | PLX_COVER_RAISED: *to++ = 'T'; break;
			default: *to++ = '?';
			}
		}
		linear += decoded.length;
		bytes += decoded.length;
	}
	*to = '\0';
}

/* Under --rewrite=interpret everything that ran was interpreted. */
static void as_interpreted(const char *right, char *to)
{
	for (; *right; right++)
		*to++ = *right == '.' ? '.' : *right == 'N' || *right == 'X' ? 'T' : 't';
	*to = '\0';
}

/* Without inlining, what was inlined is called out. */
static void as_called_out(const char *right, char *to)
{
	for (; *right; right++)
		*to++ = *right == 'i' ? 'x' : *right;
	*to = '\0';
}

static void check(const struct plx_cover *c, const uint8_t *guest, const uint8_t *end, int strategy, const char *right)
{
	char is[200], wanted[200];

	picture(c, PROG, guest, end, is);
	if (strategy == PLX_REWRITE_INTERPRET)
		as_interpreted(right, wanted);
	else if (strategy == PLX_REWRITE_ADAPTIVE)
		snprintf(wanted, sizeof(wanted), "%s", right);
	else
		as_called_out(right, wanted);
	if (strcmp(is, wanted))
		print_error("%s: is %s\nwanted %s\n", evm_strategy_name[strategy], is, wanted);
	assert_string_equal(is, wanted);
}

#define RUN_AND_CHECK(guest, right)							\
	do {										\
		struct evm *m;								\
											\
		EVERY_STRATEGY(m) {							\
			const struct plx_cover *c = plx_vm_cover(m->vm);		\
											\
			assert_non_null(c);						\
			LOAD(m, PROG, guest);						\
			evm_start(m, PROG);						\
			evm_run_to_end(m);						\
			check(c, guest, guest##_end, s_, right);			\
			assert_int_equal(c->lost, 0);					\
		}									\
	} while (0)

GUEST(g_branches,
	"	xorl %eax, %eax\n"		/* n */
	"	jnz 1f\n"			/* n, never taken */
	"	incl %eax\n"			/* n */
	"	jnz 2f\n"			/* n, always taken */
	"	nop\n"				/* . the tail behind a side exit */
	"	nop\n"				/* . */
	"1:	incl %ebx\n"			/* . */
	"	jmp 3f\n"			/* . */
	"2:	movl $3, %ecx\n"		/* n */
	"4:	nop\n"				/* n */
	"	loop 4b\n"			/* n */
	"	jecxz 3f\n"			/* n */
	"	ud2\n"				/* . */
	"3:	cli\n"				/* i */
	"	pushfl\n"			/* i */
	"	popl %eax\n"			/* n */
	"	str %ax\n"			/* x */
	"	nop\n"				/* n */
	END);

static void tails_behind_side_exits_are_not_called_run(void **state)
{
	(void)state;
	RUN_AND_CHECK(g_branches, "nnnn....nnnn.iinxnx.");
}

GUEST(g_returns,
	"	call 1f\n"			/* n */
	"	nop\n"				/* n */
	"	call 1f\n"			/* n */
	"	call 3f\n"			/* n */
	"	jmp 2f\n"			/* n */
	"	nop\n"				/* . */
	"1:	incl %eax\n"			/* n */
	"	ret\n"				/* n */
	"	nop\n"				/* . */
	"3:	movl (%esp), %ecx\n"		/* n */
	"	addl $4, %esp\n"		/* n */
	"	testl %eax, %eax\n"		/* n */
	"	jz 4f\n"			/* n */
	"	jmp *%ecx\n"			/* n */
	"4:	nop\n"				/* . */
	"	ret $4\n"			/* . */
	"2:	nop\n"				/* n */
	END);

static void indirect_branches_and_what_is_before_them_ran(void **state)
{
	(void)state;
	RUN_AND_CHECK(g_returns, "nnnnn.nn.nnnnn..nx.");
}

GUEST(g_fault,
	"	nop\n"
	"	movl 0x20000, %ebx\n"		/* not present: the kernel ends the run */
	"	nop\n"
	"	ret\n");

static void what_stands_behind_a_fault_is_not_called_run(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		const struct plx_cover *c = plx_vm_cover(m->vm);
		char is[40];

		LOAD(m, PROG, g_fault);
		evm_identity(m, 7);
		evm_page(m, DATA, 0);
		evm_start(m, PROG);
		m->cpu->cr3 = PGDIR;
		m->cpu->cr0 |= X86_CR0_PG | X86_CR0_WP;
		mon_tlb_flush(m->cpu);
		engine_hooks.load_cr3(m->cpu);
		evm_run(m);
		assert_int_equal(m->log->count, 1);
		assert_int_equal(m->log->entry[0].vector, 14);
		picture(c, PROG, g_fault, g_fault_end, is);
		assert_string_equal(is, s_ == PLX_REWRITE_INTERPRET ? "tT.." : "nN..");
		assert_int_equal(entry_at(c, PROG + 1)->raised, 1);
	}
}

GUEST(g_counts,
	"	movl $100, %ecx\n"
	"1:	str %ax\n"
	"	loop 1b\n"
	END);

static void callouts_are_counted(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		const struct plx_cover *c = plx_vm_cover(m->vm);
		const struct plx_cover_insn *insn;

		LOAD(m, PROG, g_counts);
		evm_start(m, PROG);
		evm_run_to_end(m);
		insn = entry_at(c, PROG + 5);
		assert_non_null(insn);
		assert_int_equal(s_ == PLX_REWRITE_INTERPRET ? insn->interpreted : insn->callouts, 100);
		assert_int_equal(insn->interpreted + insn->callouts, 100);
		assert_int_equal(insn->cpls, 1);
	}
}

/* Twice round: the second time the NOP is an INC. */
GUEST(g_patch,
	"	movl $2, %ecx\n"
	"1:	nop\n"
	"	movb $0x40, 1b - g_patch + 0x10000\n"
	"	loop 1b\n"
	END);

static void a_patched_instruction_has_both_its_forms(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		const struct plx_cover *c = plx_vm_cover(m->vm);
		unsigned int nop = 0, inc = 0;

		LOAD(m, PROG, g_patch);
		evm_start(m, PROG);
		evm_run_to_end(m);
		for (uint32_t i = 1; i < c->ninsns; i++)
			if (c->insn[i].linear == PROG + 5 && c->insn[i].how) {
				nop += c->insn[i].bytes[0] == 0x90;
				inc += c->insn[i].bytes[0] == 0x40;
			}
		assert_int_equal(nop, 1);
		assert_int_equal(inc, 1);
	}
}

static void what_ran_outlives_the_code_cache(void **state)
{
	struct evm *m = evm_open(PLX_REWRITE_ADAPTIVE);
	const struct plx_cover *c = plx_vm_cover(m->vm);
	uint32_t before;

	(void)state;
	LOAD(m, PROG, g_branches);
	evm_start(m, PROG);
	evm_run_to_end(m);
	before = c->ninsns;
	prescan_cache_flush(&m->vm->engine->cache);
	check(c, g_branches, g_branches_end, PLX_REWRITE_ADAPTIVE, "nnnn....nnnn.iinxnx.");
	evm_start(m, PROG);
	evm_run_to_end(m);
	assert_int_equal(c->ninsns, before);		/* the same again adds nothing */
	check(c, g_branches, g_branches_end, PLX_REWRITE_ADAPTIVE, "nnnn....nnnn.iinxnx.");
	evm_close(m);
}

static void recording_changes_nothing_that_the_guest_sees(void **state)
{
	const uint8_t *const guest[] = { g_branches, g_returns, g_counts }, *const end[] = { g_branches_end, g_returns_end, g_counts_end };

	(void)state;
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(guest); i++) {
		struct mon_vcpu before;

		for (unsigned int with = 0; with < 2; with++) {
			struct evm *m = evm_open(PLX_REWRITE_ADAPTIVE);

			if (with)
				assert_non_null(plx_vm_cover(m->vm));
			evm_poke(m, PROG, guest[i], (uint32_t)(end[i] - guest[i]));
			evm_start(m, PROG);
			evm_run_to_end(m);
			if (!with) {
				before = *m->cpu;
			} else {
				assert_memory_equal(before.gpr, m->cpu->gpr, sizeof(before.gpr));
				assert_int_equal(before.eflags, m->cpu->eflags);
				assert_int_equal(before.eip, m->cpu->eip);
			}
			evm_close(m);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tails_behind_side_exits_are_not_called_run),
		cmocka_unit_test(indirect_branches_and_what_is_before_them_ran),
		cmocka_unit_test(what_stands_behind_a_fault_is_not_called_run),
		cmocka_unit_test(callouts_are_counted),
		cmocka_unit_test(a_patched_instruction_has_both_its_forms),
		cmocka_unit_test(what_ran_outlives_the_code_cache),
		cmocka_unit_test(recording_changes_nothing_that_the_guest_sees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
