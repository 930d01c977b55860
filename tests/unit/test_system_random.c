/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_system_random.c - what must hold of far transfers, interrupts and segment loads whatever the tables say.
 *
 * Descriptor tables, TSSs, stacks and page tables are filled with nearly sensible values from a fixed seed, one
 * operation is done, and its outcome is held against claims that need no oracle: a fault changes nothing, a
 * success leaves a state that a processor could be in.
 */
#include "tests/unit/flat_vm.h"

#define ROUNDS		60000
#define WATCHED_BYTES	0x14000u	/* tables, stacks, page tables */
#define PD		0x10000u
#define PT		0x11000u

struct random { uint64_t state; };

static uint32_t next(struct random *r, uint32_t below)
{
	r->state = r->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(r->state >> 33) % below;
}

static uint16_t any_selector(struct random *r)
{
	static const uint16_t good[] = { CODE0, DATA0, CODE3, DATA3, TSS2_SEL, LDT_SEL };

	if (next(r, 3) == 0)
		return (uint16_t)(good[next(r, 6)] ^ (next(r, 8) ? 0 : next(r, 4)));
	if (next(r, 20) == 0)
		return (uint16_t)next(r, 0x10000);
	return (uint16_t)(next(r, 64) << 3 | (next(r, 4) ? 0 : 4) | next(r, 4));
}

static void random_descriptor(struct flat *f, struct random *r, uint32_t table, uint32_t index)
{
	static const uint8_t access[] = {
		0x9a, 0x9b, 0x98, 0x9e, 0x9f, 0xfa, 0xfb, 0xfe, 0x92, 0x93, 0x90, 0x96, 0xf2, 0xf3, 0xf6, 0xba, 0xb2, 0xda,
		0xd2, 0x12, 0x1a, 0x7a, 0x89, 0x8b, 0xe9, 0x81, 0x82,
	};
	static const uint8_t gates[] = { 0x84, 0xe4, 0x8c, 0xec, 0x6c, 0x85, 0xe5, 0x8e, 0x8f, 0x86, 0x87, 0xee, 0xef, 0xe6 };

	if (next(r, 4) == 0)
		set_gate(f, table, index, any_selector(r), next(r, 4) ? 0x6000 + next(r, 0x100) : next(r, 0x7fffffff),
			 gates[next(r, sizeof(gates))], next(r, 32));
	else
		set_desc(f, table, (uint16_t)(index << 3), next(r, 2) ? 0 : next(r, 0x10) << 12,
			 next(r, 2) ? 0xfffff : next(r, 0x10000), access[next(r, sizeof(access))], next(r, 16) & 0xd);
}

static void random_tss(struct flat *f, struct random *r, uint32_t tss)
{
	set32(f, tss, any_selector(r));
	for (uint32_t cpl = 0; cpl < 3; cpl++) {
		set32(f, tss + 4 + cpl * 8, next(r, 6) ? STACK0 - next(r, 4) * 8 : next(r, 0x20));
		set32(f, tss + 8 + cpl * 8, next(r, 3) ? (cpl ? any_selector(r) : DATA0) : any_selector(r));
	}
	set32(f, tss + 0x1c, PD);
	set32(f, tss + 0x20, 0x6000 + next(r, 0x10));
	set32(f, tss + 0x24, next(r, 6) ? 2 : 2 | next(r, 0x40000));
	set32(f, tss + 0x28 + 4 * X86_ESP, STACK0 - next(r, 8));
	for (uint32_t s = 0; s < 6; s++)
		set32(f, tss + 0x48 + 4 * s, next(r, 3) ? (s == X86_CS ? CODE0 : DATA0) : any_selector(r));
	set32(f, tss + 0x60, next(r, 3) ? 0 : any_selector(r));
	set32(f, tss + 0x64, next(r, 6) ? 0 : 1);
}

/* Near the top of both stacks: what returns pop. */
static void random_stack(struct flat *f, struct random *r, uint32_t top)
{
	for (uint32_t at = top - 64; at < top; at += 4) {
		uint32_t v = any_selector(r);

		if (next(r, 3) == 0)
			v = next(r, 2) ? 0x6000 + next(r, 0x100) : next(r, 0x40000);
		set32(f, at, v);
	}
	f->vcpu.gpr[X86_ESP] = top - 64 + next(r, 4) * 4;
	if (next(r, 4) == 0) {
		/* A way out to ring 3: what RETF pops, or with EFLAGS in it what IRET pops. */
		uint32_t at = f->vcpu.gpr[X86_ESP];

		set32(f, at, 0x6000);
		set32(f, at + 4, CODE3);
		if (next(r, 2))
			set32(f, (at += 4) + 4, 0x202);
		set32(f, at + 8, STACK3 - 0x20);
		set32(f, at + 12, DATA3);
	}
}

static void random_machine(struct flat *f, struct random *r)
{
	struct mon_vcpu *v = &f->vcpu;
	unsigned int mode = next(r, 8);

	memset(f->vm.ram, 0, WATCHED_BYTES);
	for (uint32_t i = 1; i < 64; i++)
		random_descriptor(f, r, GDT, i);
	for (uint32_t i = 0; i < 32; i++)
		random_descriptor(f, r, LDT, i);
	for (uint32_t i = 0; i < 256; i++)
		set_gate(f, IDT, i, next(r, 3) ? CODE0 : any_selector(r), 0x6000 + i,
			 (uint8_t[]){ 0x8e, 0x8f, 0xee, 0xef, 0x86, 0xe6, 0xe5, 0x0e, 0x84 }[next(r, 9)], 0);
	set_desc(f, GDT, CODE0, 0, 0xfffff, 0x9a + next(r, 2), 0xc);
	set_desc(f, GDT, DATA0, 0, 0xfffff, 0x92 + next(r, 2), 0xc);
	set_desc(f, GDT, CODE3, 0, 0xfffff, 0xfa + next(r, 2), 0xc);
	set_desc(f, GDT, DATA3, 0, 0xfffff, 0xf2 + next(r, 2), 0xc);
	set_desc(f, GDT, TSS_SEL, TSS, 0x67, 0x8b, 0);
	set_desc(f, GDT, TSS2_SEL, TSS2, 0x67, next(r, 2) ? 0x89 : 0xe9, 0);
	random_tss(f, r, TSS);
	random_tss(f, r, TSS2);
	memset(f->vm.ram + 0x7000, 0x90, 16);

	mon_reset(v);
	v->gdtr = (struct mon_dtr){ .base = GDT, .limit = 0x1ff };
	v->idtr = (struct mon_dtr){ .base = IDT, .limit = (uint16_t)(next(r, 8) ? 0x7ff : next(r, 0x800)) };
	v->ldtr = (struct mon_seg){ .sel = LDT_SEL, .attr = 0x82, .base = LDT, .limit = 0xff };
	v->tr = (struct mon_seg){ .sel = TSS_SEL, .attr = 0x8b, .base = TSS, .limit = 0x67 };
	if (mode == 0)
		enter_real(f);
	else if (mode == 1)
		enter_v86(f, next(r, 2) * 3);
	else
		enter_protected(f, next(r, 2) * 3);
	for (unsigned int s = 0; s < 6; s++)
		v->seg[s].attr |= MON_SEG_ACCESSED;	/* as the loads that got us here did */
	if (mode <= 1) {
		random_stack(f, r, 0x9100);
		v->gpr[X86_ESP] -= 0x9000;
	} else {
		random_stack(f, r, v->cpl ? STACK3 : STACK0);
		if (next(r, 4) == 0)
			v->eflags |= X86_FLAG_NT;
	}
	if (mode != 1 && next(r, 10) == 0)
		v->seg[X86_SS].limit = v->gpr[X86_ESP] + 3;
	if (mode && next(r, 2)) {
		for (uint32_t i = 0; i < 1024; i++)
			set32(f, PT + i * 4, i < 0x100 ? i << 12 | (next(r, 40) ? 7 : next(r, 8)) : 0);
		set32(f, PD, PT | 7);
		v->cr3 = PD;
		v->cr0 |= X86_CR0_PG | (next(r, 2) ? X86_CR0_WP : 0);
	}
	v->sysenter_cs = next(r, 2) ? 0 : 0x60;
	v->mode_dirty = v->seg_dirty = 0;
}

enum op { JMP, CALL, RETF, IRET, INT_N, LOAD, LLDT, LTR, FAULT, INTERRUPT, SYSENTER, SYSEXIT, NR_OPS };

static enum mon_status do_op(struct flat *f, struct random *r, enum op op)
{
	struct mon_vcpu *v = &f->vcpu;
	unsigned int opsize = next(r, 3) ? 4 : 2;
	static const uint8_t faults[] = { 0, 1, 3, 6, 8, 10, 11, 12, 13, 13, 14, 14, 16 };
	uint8_t vector;

	switch (op) {
	case JMP: return mon_far_jmp(v, any_selector(r), 0x6000 + next(r, 0x10), opsize);
	case CALL: return mon_far_call(v, any_selector(r), 0x6000 + next(r, 0x10), opsize, v->eip + 7);
	case RETF: return mon_far_ret(v, opsize, (uint16_t)(next(r, 3) * 4));
	case IRET: return mon_iret(v, opsize);
	case INT_N: return mon_soft_int(v, (uint8_t)next(r, 256), v->eip + 2, false);
	case LOAD: return mon_load_seg(v, (uint8_t[]){ 0, 2, 2, 3, 4, 5 }[next(r, 6)], any_selector(r));
	case LLDT: return mon_lldt(v, any_selector(r));
	case LTR: return mon_ltr(v, any_selector(r));
	case INTERRUPT: return mon_deliver_interrupt(v, (uint8_t)next(r, 256));
	case SYSENTER: return mon_sysenter(v);
	case SYSEXIT: return mon_sysexit(v);
	default:
		vector = faults[next(r, sizeof(faults))];
		mon_fault(v, vector);
		if (vector == 8 || (vector >= 10 && vector <= 14))
			mon_fault_error(v, vector, (uint16_t)next(r, 0x100));
		return mon_deliver_fault(v);
	}
}

/* Registers a fault may not touch: all but the record of the fault itself, CR2, DR6, and the software's own. */
static void expect_same_registers(const struct mon_vcpu *a, const struct mon_vcpu *b)
{
	assert_memory_equal(a->gpr, b->gpr, sizeof(a->gpr));
	assert_int_equal(a->eip, b->eip);
	assert_int_equal(a->eflags, b->eflags);
	assert_memory_equal(a->seg, b->seg, sizeof(a->seg));
	assert_memory_equal(&a->ldtr, &b->ldtr, sizeof(a->ldtr));
	assert_memory_equal(&a->tr, &b->tr, sizeof(a->tr));
	assert_int_equal(a->cpl, b->cpl);
	assert_int_equal(a->cr0, b->cr0);
	assert_int_equal(a->cr3, b->cr3);
}

/* Memory: only accessed bits of descriptors, and A and D of page-table entries. */
static void expect_same_memory(const uint8_t *before, const uint8_t *after)
{
	if (memcmp(before, after, WATCHED_BYTES) == 0)
		return;
	for (uint32_t at = 0; at < WATCHED_BYTES; at++) {
		uint8_t may_come = 0;

		if (before[at] == after[at])
			continue;
		if ((at >= GDT && at < GDT + 0x200) || (at >= LDT && at < LDT + 0x100))
			may_come = at % 8 == 5 && before[at] & 0x10 ? 1 : 0;
		if (at >= PD && at < PT + 0x1000 && at % 4 == 0)
			may_come = X86_PTE_A | X86_PTE_D;
		assert_int_equal(before[at] | may_come, after[at] | may_come);
		assert_int_equal(before[at] & ~after[at], 0);
	}
}

/* What holds of every state that a processor can be in. */
static void expect_possible(const struct mon_vcpu *v, enum op op)
{
	const struct mon_seg *cs = &v->seg[X86_CS], *ss = &v->seg[X86_SS];

	assert_int_equal(v->eflags & 0x8028, 0);
	assert_true(v->eflags & X86_FLAG_ONE);
	assert_true(v->eip <= cs->limit);
	assert_int_equal(v->delivering, 0xff);
	if (!mon_protected(v)) {
		assert_int_equal(v->cpl, 0);
		return;
	}
	if (mon_v86(v)) {
		assert_int_equal(v->cpl, 3);
		for (unsigned int s = 0; s < 6; s++) {
			assert_int_equal(v->seg[s].base, v->seg[s].sel << 4);
			assert_int_equal(v->seg[s].limit, 0xffff);
		}
		return;
	}
	assert_int_equal(cs->sel & 3, v->cpl);
	assert_true(cs->attr & MON_SEG_CODE && cs->attr & MON_SEG_S && cs->attr & MON_SEG_P && cs->attr & MON_SEG_ACCESSED);
	if (cs->attr & MON_SEG_CONFORMING)
		assert_true((cs->attr & MON_SEG_DPL) >> MON_SEG_DPL_SHIFT <= v->cpl);
	else
		assert_int_equal((cs->attr & MON_SEG_DPL) >> MON_SEG_DPL_SHIFT, v->cpl);
	assert_int_equal(ss->sel & 3, v->cpl);
	assert_int_equal((ss->attr & MON_SEG_DPL) >> MON_SEG_DPL_SHIFT, v->cpl);
	assert_int_equal(ss->attr & (MON_SEG_CODE | MON_SEG_WRITABLE | MON_SEG_P | MON_SEG_S),
			 MON_SEG_WRITABLE | MON_SEG_P | MON_SEG_S);
	assert_true(v->tr.attr & 2);
	for (unsigned int s = 0; s < 6 && op != SYSEXIT; s++) {	/* which leaves ring 0's data segments to ring 3 */
		const struct mon_seg *seg = &v->seg[s];
		bool conforming = (seg->attr & (MON_SEG_CODE | MON_SEG_CONFORMING)) == (MON_SEG_CODE | MON_SEG_CONFORMING);

		if (s == X86_CS || s == X86_SS || seg->attr & MON_SEG_NULL || conforming)
			continue;
		assert_true((seg->attr & MON_SEG_DPL) >> MON_SEG_DPL_SHIFT >= v->cpl);
		assert_true(!(seg->attr & MON_SEG_CODE) || seg->attr & MON_SEG_READABLE);
	}
}

/* The engine looks only at what is marked dirty. */
static void expect_changes_marked(const struct mon_vcpu *a, const struct mon_vcpu *b)
{
	uint32_t watched = X86_FLAG_VM | X86_FLAG_IOPL | X86_FLAG_NT | X86_FLAG_TF;

	for (unsigned int s = 0; s < 6; s++)
		if (memcmp(&a->seg[s], &b->seg[s], sizeof(a->seg[s])))
			assert_true(b->seg_dirty >> s & 1);
	if (a->cpl != b->cpl || a->cr0 != b->cr0 || a->seg[X86_CS].attr != b->seg[X86_CS].attr ||
	    (a->eflags ^ b->eflags) & watched)
		assert_true(b->mode_dirty);
}

static void run(struct flat *f, enum op op, unsigned int counts[4])
{
	struct mon_vcpu *before = malloc(sizeof(*before));
	uint8_t *ram = malloc(WATCHED_BYTES);

	for (unsigned int i = 0; i < ROUNDS / NR_OPS; i++) {
		struct random r = { .state = (uint64_t)op << 32 | i };
		enum mon_status st;

		random_machine(f, &r);
		memcpy(before, &f->vcpu, sizeof(*before));
		memcpy(ram, f->vm.ram, WATCHED_BYTES);
		st = do_op(f, &r, op);
		counts[st]++;
		expect_changes_marked(before, &f->vcpu);
		if (st == MON_OK) {
			expect_possible(&f->vcpu, op);
		} else if (!(f->vcpu.cr0 & X86_CR0_TS)) {	/* set by a task switch: then the fault is the new task's */
			expect_same_registers(before, &f->vcpu);
			expect_same_memory(ram, f->vm.ram);
		}
		if (st == MON_FAULT)
			assert_true(f->vcpu.fault.has_error || f->vcpu.fault.vector == X86_VEC_UD ||
				    f->vcpu.fault.vector == X86_VEC_DB);
	}
	free(ram);
	free(before);
}

static void faults_change_nothing_and_successes_are_possible_states(void **state)
{
	for (unsigned int op = 0; op < NR_OPS; op++) {
		unsigned int counts[8] = { 0 };

		run(*state, op, counts);
		/* The dice are fair: each operation was seen to succeed, and all but the deliveries to fault. */
		assert_true(counts[MON_OK] > 10);
		if (op == FAULT || op == INTERRUPT)
			assert_int_equal(counts[MON_FAULT], 0);
		else
			assert_true(counts[MON_FAULT] > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLAT_TEST(faults_change_nothing_and_successes_are_possible_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
