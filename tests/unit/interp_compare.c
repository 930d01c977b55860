/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/interp_compare.c - see interp_compare.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/interp.h"
#include "tests/unit/interp_compare.h"

struct machine *machine;
uint64_t nr_faults, nr_done;
static uint64_t seed;

void compare_seed(uint64_t start) { seed = start; }

uint32_t rnd(void)
{
	/* xorshift64*, Vigna */
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)(seed * 0x2545f4914f6cdd1dull >> 32);
}

uint32_t below(uint32_t n) { return rnd() % n; }

/* A register value: small, near a border, an address of the arena, or anything. */
uint32_t value(void)
{
	static const uint32_t edge[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
					 0x80000000, 0xffffffff, 0xfffffffe, 0xffff8000, 0xffffff80 };

	switch (below(8)) {
	case 0: return edge[below(PLX_ARRAY_SIZE(edge))];
	case 1: return below(64);
	case 2: return rnd();
	case 3: return below(64) - 32;
	default: return below(0xfff0);
	}
}

#define COMPARED_FLAGS (X86_FLAGS_STATUS | X86_FLAG_DF)

static void print_case(const struct test_case *t, const struct bare_cpu *before, const char *what)
{
	fprintf(stderr, "%s: %s-bit code, %s-bit stack, %s:", what, t->code32 ? "32" : "16", t->stack32 ? "32" : "16",
		prescan_mnemonic(&t->in));
	for (unsigned int i = 0; i < t->in.length; i++)
		fprintf(stderr, " %02x", t->bytes[i]);
	fprintf(stderr, "\n  ESP %08x EBP %08x ESI %08x EDI %08x ECX %08x\n", (uint32_t)before->gpr[4], (uint32_t)before->gpr[5],
		(uint32_t)before->gpr[6], (uint32_t)before->gpr[7], (uint32_t)before->gpr[1]);
}

static struct mon_seg segment(uint16_t sel, uint32_t base, uint32_t limit, uint32_t attr)
{
	return (struct mon_seg){ .sel = sel, .base = base, .limit = limit, .attr = attr | MON_SEG_P | MON_SEG_S | MON_SEG_DPL };
}

static void virtual_start(const struct test_case *t, const struct bare_cpu *cpu)
{
	uint16_t data = bare_selector_data(t->stack32);
	struct mon_vcpu *v = &machine->v;

	for (unsigned int i = 0; i < 8; i++)
		v->gpr[i] = (uint32_t)cpu->gpr[i];
	v->eflags = (uint32_t)cpu->rflags;
	v->eip = BARE_CODE_OFFSET;
	v->cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_NE | X86_CR0_AM;	/* as Linux has it */
	v->cr4 = X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	v->cpl = 3;
	for (unsigned int s = 0; s < 6; s++)
		v->seg[s] = segment(data, MACHINE_ARENA, BARE_ARENA_BYTES - 1, 3 | (t->stack32 ? MON_SEG_DB : 0));
	v->seg[X86_FS] = v->seg[X86_GS] = (struct mon_seg){ .attr = MON_SEG_NULL };
	v->seg[X86_CS] = segment(bare_selector_code(t->code32), 0, BARE_CODE_LIMIT, 0xb | (t->code32 ? MON_SEG_DB : 0));
	v->int_shadow = 0;
}

/* The string instructions may stop early: a processor would go on after the interrupt, and so do we. */
static enum mon_status virtual_run(const struct test_case *t)
{
	struct mon_vcpu *v = &machine->v;
	enum mon_status status;

	do
		status = mon_interp_insn(v, &t->in, t->bytes);
	while (status == MON_OK && (t->in.flags & PRESCAN_F_STRING) && v->eip == BARE_CODE_OFFSET);
	return status;
}

/* All but the pointers to the last instruction and operand, MXCSR's mask, and what fxsave leaves alone. */
static bool fpu_equal(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, 6) == 0 && memcmp(a + 24, b + 24, 4) == 0 && memcmp(a + 32, b + 32, 288 - 32) == 0;
}

static bool is_access_fault(int vector)
{
	return vector == X86_VEC_SS || vector == X86_VEC_GP || vector == X86_VEC_AC;
}

/* False, with a report, if the two differ. */
bool same_on_both(const struct test_case *t, struct bare_cpu *cpu)
{
	uint8_t *arena = machine->vm.ram + MACHINE_ARENA;
	struct mon_vcpu *v = &machine->v;
	struct bare_cpu before = *cpu;
	enum mon_status status;
	int vector;

	virtual_start(t, cpu);
	if (cpu->use_fpu) {
		memcpy(machine->fpu, cpu->fpu, 512);
		v->fpu_live = false;
	}
	status = virtual_run(t);
	mon_fpu_save(v);
	vector = status == MON_FAULT ? v->fault.vector : -1;

	bare_cpu_run(cpu, t->bytes, t->in.length, t->code32, t->stack32);

	/* Which of two faults comes first is the model's own choice: of two operands (Zen 4 changes its mind with REP), of an
	 * operand that is beyond the limit and not aligned either. */
	if (is_access_fault(vector) && is_access_fault(cpu->vector) &&
	    ((t->in.flags & PRESCAN_F_STRING) || t->in.klass == PRESCAN_FPU || (before.rflags & X86_FLAG_AC)))
		vector = cpu->vector;
	if (vector != cpu->vector || (status != MON_OK && status != MON_FAULT)) {
		print_case(t, &before, "vector differs");
		fprintf(stderr, "  bare %d, interpreter %d (status %d)\n", cpu->vector, vector, status);
		return false;
	}
	/* POPA that faults has popped some registers in hardware, which does no harm: it will pop them again. */
	if (vector >= 0 && t->in.map == PRESCAN_MAP_1B && t->in.opcode == 0x61)
		return true;
	for (unsigned int i = 0; i < 8; i++)
		if (v->gpr[i] != (uint32_t)cpu->gpr[i]) {
			print_case(t, &before, "register differs");
			fprintf(stderr, "  r%u was %08x, bare %08x, interpreter %08x\n", i, (uint32_t)before.gpr[i],
				(uint32_t)cpu->gpr[i], v->gpr[i]);
			return false;
		}
	if ((v->eflags ^ cpu->rflags) & COMPARED_FLAGS) {
		print_case(t, &before, "flags differ");
		fprintf(stderr, "  were %03x, bare %03x, interpreter %03x, eax %08x\n", (uint32_t)before.rflags & COMPARED_FLAGS,
			(uint32_t)cpu->rflags & COMPARED_FLAGS, v->eflags & COMPARED_FLAGS, (uint32_t)before.gpr[0]);
		return false;
	}
	/* A processor pushes as it goes and leaves what it wrote below the stack pointer; the interpreter writes nothing. */
	if (vector >= 0 && t->in.map == PRESCAN_MAP_1B && (t->in.opcode == 0x60 || t->in.opcode == 0xc8))
		memcpy(bare_arena, arena, BARE_ARENA_BYTES);
	if (memcmp(arena, bare_arena, BARE_ARENA_BYTES) != 0) {
		print_case(t, &before, "memory differs");
		for (unsigned int i = 0, n = 0; i < BARE_ARENA_BYTES && n < 8; i++)
			if (arena[i] != bare_arena[i]) {
				fprintf(stderr, "  [%04x] bare %02x, interpreter %02x\n", i, bare_arena[i], arena[i]);
				n++;
			}
		return false;
	}
	/* Nor does a load of the whole x87 state that faults half-way: what it had loaded stays, in hardware. */
	if (vector >= 0 && (t->in.flags & PRESCAN_F_X87) && ip_is_mem(&t->in) && t->in.reg == 4)
		return true;
	/* MASKMOVQ that faults has already claimed the x87 registers for MMX. */
	if (vector >= 0 && t->in.map == PRESCAN_MAP_0F && t->in.opcode == 0xf7)
		return true;
	if (cpu->use_fpu && !fpu_equal(cpu->fpu, machine->fpu)) {
		print_case(t, &before, "FPU state differs");
		for (unsigned int i = 0, n = 0; i < 288 && n < 8; i++)
			if (cpu->fpu[i] != machine->fpu[i] && (i < 6 || i >= 24) && i / 4 != 7) {
				fprintf(stderr, "  +%u was %02x bare %02x, interpreter %02x\n", i, before.fpu[i], cpu->fpu[i],
					machine->fpu[i]);
				n++;
			}
		return false;
	}
	if (vector < 0) {
		uint32_t eip = cpu->taken ? BARE_TAKEN_OFFSET : BARE_CODE_OFFSET + t->in.length;

		nr_done++;
		if (v->eip != eip) {
			print_case(t, &before, "EIP differs");
			fprintf(stderr, "  bare %x, interpreter %x\n", eip, v->eip);
			return false;
		}
	} else {
		nr_faults++;
		if (v->eip != BARE_CODE_OFFSET) {
			print_case(t, &before, "EIP moved by a fault");
			return false;
		}
	}
	return true;
}

void fill_registers(struct bare_cpu *cpu)
{
	for (unsigned int i = 0; i < 8; i++)
		cpu->gpr[i] = value();
	cpu->rflags = (rnd() & X86_FLAGS_STATUS) | X86_FLAG_ONE | X86_FLAG_IF;
	if (below(4) == 0)
		cpu->rflags |= X86_FLAG_DF;
	if (below(16) == 0)
		cpu->rflags |= X86_FLAG_AC;
	cpu->use_fpu = 0;
}

void put_both(uint32_t offset, const void *bytes, uint32_t nbytes)
{
	memcpy(bare_arena + offset, bytes, nbytes);
	memcpy(machine->vm.ram + MACHINE_ARENA + offset, bytes, nbytes);
}

void stir_memory(void)
{
	for (unsigned int i = 0; i < 256; i++) {
		uint32_t x = value();

		put_both(below(BARE_ARENA_BYTES / 4) * 4, &x, 4);
	}
}

static bool hook(uint8_t vector, uint64_t rip, uint64_t *new_rip)
{
	return mon_native_recover(&machine->v, vector, rip, new_rip);
}

const char *compare_init(void)
{
	const char *why = bare_cpu_init();

	if (why || machine)
		return why;
	machine = machine_create();
	bare_signal_hook = hook;
	compare_seed(0x706c65787573);
	memcpy(machine->vm.ram + MACHINE_ARENA, bare_arena, BARE_ARENA_BYTES);
	return NULL;
}

bool random_instruction(struct test_case *t, unsigned int map)
{
	static const uint8_t overrides[] = { 0x26, 0x36, 0x3e };
	unsigned int n = 0, vex_at = 0;

	t->code32 = below(2);
	t->stack32 = below(2);
	if (map < PRESCAN_MAP_VEX_0F) {
		if (below(4) == 0)
			t->bytes[n++] = 0x66;
		if (below(10) == 0)
			t->bytes[n++] = overrides[below(3)];
		if (below(30) == 0)
			t->bytes[n++] = 0xf0;
		if (below(5) == 0)
			t->bytes[n++] = 0xf3;
		else if (below(6) == 0)
			t->bytes[n++] = 0xf2;
	}
	if (below(6) == 0)
		t->bytes[n++] = 0x67;
	switch (map) {
	case PRESCAN_MAP_0F:
		t->bytes[n++] = 0x0f;
		break;
	case PRESCAN_MAP_0F38:
	case PRESCAN_MAP_0F3A:
		t->bytes[n++] = 0x0f;
		t->bytes[n++] = map == PRESCAN_MAP_0F38 ? 0x38 : 0x3a;
		break;
	case PRESCAN_MAP_VEX_0F38:
	case PRESCAN_MAP_VEX_0F3A:
		t->bytes[n++] = 0xc4;
		t->bytes[n++] = map == PRESCAN_MAP_VEX_0F38 ? 0xe2 : 0xe3;
		vex_at = n;
		t->bytes[n++] = 0x80 | 0x40 | (uint8_t)(below(8) << 3) | (uint8_t)below(4);
		break;
	}
	t->bytes[n++] = (uint8_t)rnd();
	if (vex_at) {			/* W = 0 mostly, L = 0; the opcodes of BMI */
		t->bytes[vex_at] &= 0x7b;
		t->bytes[n - 1] = map == PRESCAN_MAP_VEX_0F3A ? 0xf0 : (uint8_t)(0xf2 + below(6));
	}
	t->bytes[n++] = (uint8_t)rnd();		/* ModRM, most often */
	if (below(2))
		t->bytes[n++] = (uint8_t)rnd();	/* SIB, perhaps */
	while (n < 15) {
		uint32_t x = value();

		for (unsigned int i = 0; i < 4 && n < 15; i++, x >>= 8)
			t->bytes[n++] = (uint8_t)x;
	}
	if (prescan_decode(t->bytes, 15, t->code32 ? PRESCAN_MODE_32 : PRESCAN_MODE_16, &t->in) != PRESCAN_OK)
		return false;
	return t->in.map == map;
}

bool in_the_arena(const struct prescan_insn *in)
{
	return !(in->prefixes & PRESCAN_PFX_SEG) || in->seg == X86_DS || in->seg == X86_ES || in->seg == X86_SS;
}
