/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_engine_random.c - random programs end in the same state however the engine runs them.
 *
 * The reference is the interpreter; each rewrite strategy must give the same registers, flags, FPU image, guest memory,
 * port accesses and sequence of exceptions. A program is straight-line code with forward branches, short loops, calls and
 * stores into itself. Instructions that fault are logged by the guest's kernel and skipped.
 *
 * PLX_RANDOM_PROGRAMS says how many programs for each kind of machine; PLX_RANDOM_FIRST is the first one's number and
 * PLX_RANDOM_KIND the only kind, to see one again; PLX_RANDOM_SAVE is a file for its code.
 */
#define _GNU_SOURCE
#include <sys/wait.h>
#include <unistd.h>

#define EVM_RAM 0x400000u
#include "random_program.h"

#define PROGRAMS 300

struct result {
	enum plx_exit exit;
	bool timed_out;
	uint32_t gpr[8], eip, eflags, nout, faults, seg[6];
	uint64_t memory, out;
	bool lost;		/* it is no longer the program that was meant */
	bool in_window;		/* it asked for memory that is not there where a page of ours stands: see CAVEATS */
	uint8_t fpu[288];
};

/* ---- running it -------------------------------------------------------------------------------------------------- */

static uint64_t hash(const uint8_t *bytes, size_t nbytes, uint64_t h)
{
	for (size_t i = 0; i + 8 <= nbytes; i += 8) {
		uint64_t word;

		memcpy(&word, bytes + i, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return h;
}

#define LOW_BYTES 0x60000u

static void prepare(struct evm *m, const struct program *p, enum kind kind, uint32_t number)
{
	static uint8_t low[LOW_BYTES];
	uint64_t seed = number + 1;

	memset(low, 0xcc, sizeof(low));		/* who gets lost is stopped soon */
	memset(low + GDT, 0, 0x2000);
	memset(low + TSS, 0, 0x1000);
	memset(low + LOG, 0, 0x3000);
	memset(low + STACK - 0x2000, 0, 0x3000);
	for (uint32_t at = DATA; at < DATA + 0x9000; at += 8) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		memcpy(low + at, &(uint64_t){ seed >> 32 | seed << 32 }, 8);
	}
	memcpy(low + PROG, p->code, p->n);
	memcpy(low + NEXT, p->next, sizeof(p->next));
	evm_poke(m, 0, low, LOW_BYTES);
	memset(low, 0, 0x5000);
	evm_poke(m, PGDIR, low, 0x5000);
	evm_tables(m);
	m->log->then = THEN_SKIP;
	m->log->go_on = base(p);
	evm_descriptor(m, SEG_SMALL, DATA, 0x7ff, p->user ? 0xf3 : 0x93, 4);
	evm_descriptor(m, SEG_READ, DATA, 0xfffff, p->user ? 0xf1 : 0x91, 12);
	evm_descriptor(m, SEG_DOWN, DATA, 0, p->user ? 0xf7 : 0x97, 12);
	evm_descriptor(m, SEG_ABSENT, DATA, 0xfffff, p->user ? 0x73 : 0x13, 12);
	evm_descriptor(m, SEG_BYTES, DATA, 0x123, p->user ? 0xf2 : 0x92, 12);
	evm_descriptor(m, SEG_TLS, DATA, 0xfffff, p->user ? 0xf2 : 0x92, 12);
	evm_descriptor(m, SEG_CODE, DATA, 0xfffff, p->user ? 0xfb : 0x9b, 12);
	evm_descriptor(m, SEG_STACK16, 0, 0xffff, p->user ? 0xf3 : 0x93, 0);
	evm_identity(m, p->user ? 7 : 3);
	evm_page(m, 0x50000, 0x50003);
	evm_page(m, 0x51000, 0x51005);
	evm_page(m, 0x52000, 0);
	if (p->d16)
		evm_descriptor(m, CODE16, PROG, 0xffff, p->user ? 0xfb : 0x9b, 0);

	if (p->user) {
		evm_poke32(m, TSS + 4, 0xc0000000 + KSTACK);
		evm_start_user(m, base(p));
		if (kind == RING3_NO_WP)
			m->cpu->cr0 &= ~X86_CR0_WP;
	} else {
		evm_start(m, base(p));
		if (p->paged) {
			m->cpu->cr3 = PGDIR;
			m->cpu->cr0 |= X86_CR0_PG | X86_CR0_WP;
			engine_hooks.load_cr3(m->cpu);
		}
	}
	if (p->d16)
		m->cpu->seg[X86_CS] = (struct mon_seg){ .sel = (uint16_t)(CODE16 | p->rpl), .base = PROG, .limit = 0xffff,
			.attr = p->user ? 0xfb : 0x9b };
	m->max_mmio = 20000;
}

static void run(struct evm *m, const struct program *p, enum kind kind, uint32_t number, struct result *r)
{
	static const uint8_t zero[0x1000];
	static uint8_t tables[0x5000];

	memset(r, 0, sizeof(*r));
	prepare(m, p, kind, number);
	memcpy(tables, m->ram + PGDIR, sizeof(tables));
	r->exit = evm_run(m);
	r->timed_out = m->timed_out;
	memcpy(r->gpr, m->cpu->gpr, sizeof(r->gpr));
	r->eip = m->cpu->eip;
	r->eflags = m->cpu->eflags;
	for (unsigned int i = 0; i < 6; i++)
		r->seg[i] = m->cpu->seg[i].sel;
	r->nout = m->nout;
	r->faults = m->log->count;
	r->out = hash((const uint8_t *)m->out, m->nout * 4 & ~7u, m->seed);
	r->memory = hash(m->ram, LOW_BYTES, 1);
	for (uint32_t at = LOW_BYTES; at < EVM_RAM; at += 0x1000)	/* zero, but for what strayed there */
		if (at - PGDIR >= 0x5000 && memcmp(m->ram + at, zero, sizeof(zero))) {
			r->memory = hash(m->ram + at, 0x1000, r->memory + at);
			evm_poke(m, at, zero, sizeof(zero));
		}
	for (uint32_t at = 0; at < sizeof(tables); at += 4) {
		uint32_t entry = evm_peek32(m, PGDIR + at) & ~0x20u, was;	/* A: an instruction that faults may set it or not */

		memcpy(&was, tables + at, 4);
		r->lost |= ((entry ^ was) & ~0x60u) != 0;
		memcpy(tables + at, &entry, 4);
	}
	r->memory = hash(tables, sizeof(tables), r->memory);
	for (uint32_t at = 0; at < p->n; at++)
		r->lost |= m->ram[PROG + at] != p->code[at] && !p->patched[at];
	for (uint32_t i = 0; i < m->log->count && i < PLX_ARRAY_SIZE(m->log->entry); i++) {
		uint32_t at = m->log->entry[i].eip - base(p);

		r->lost |= at >= p->n || !p->starts[at];
		/* The scratch page of CPL 3 stands at the first free place from 1 GiB down. */
		r->in_window |= m->log->entry[i].cr2 - WINDOW_PREFERRED < WINDOW_BYTES ||
				m->log->entry[i].cr2 >> PLX_PAGE_SHIFT == 0x3ffff || m->log->entry[i].cr2 >> PLX_PAGE_SHIFT == 0x200;
	}
	r->in_window |= m->in_window;
	r->lost |= m->nr_mmio >= m->max_mmio || r->timed_out;
	memcpy(r->fpu, m->cpu->fpu_area, sizeof(r->fpu));
	memset(r->fpu + 6, 0, 18);		/* FOP, FIP, FDP: where the copy ran */
	memset(r->fpu + 28, 0, 4);
}

static const char *difference(const struct result *a, const struct result *b)
{
	if (a->in_window)
		return NULL;
	if (a->exit != b->exit || a->timed_out != b->timed_out)
		return a->lost && b->lost ? NULL : "exit";
	/* Page tables changed without a word are seen as late as the TLB likes, a repeated instruction that overwrites itself
	 * goes on for as long as it is not interrupted, and what ENTER leaves behind when it faults half-way nobody
	 * promises: so much for programs that ran into data or over themselves. A processor that shut down is in no state that a program could look at. */
	if ((a->lost && b->lost) || a->exit == PLX_EXIT_TRIPLE_FAULT)
		return NULL;
	if (a->faults != b->faults)
		return "number of exceptions";
	if (memcmp(a->gpr, b->gpr, sizeof(a->gpr)))
		return "registers";
	if (a->eip != b->eip)
		return "EIP";
	if (a->eflags != b->eflags)
		return "flags";
	if (memcmp(a->seg, b->seg, sizeof(a->seg)))
		return "selectors";
	if (a->nout != b->nout || a->out != b->out)
		return "ports";
	if (memcmp(a->fpu, b->fpu, sizeof(a->fpu)))
		return "FPU";
	if (a->memory != b->memory)
		return "memory";
	return NULL;
}

static void dump(const char *who, const struct result *r, const struct evm *m)
{
	print_error("%s: exit %d eax %x ecx %x edx %x ebx %x esp %x ebp %x esi %x edi %x eip %x flags %x, %u exceptions\n", who,
		    (int)r->exit, r->gpr[0], r->gpr[1], r->gpr[2], r->gpr[3], r->gpr[4], r->gpr[5], r->gpr[6], r->gpr[7],
		    r->eip, r->eflags, r->faults);
	for (uint32_t i = 0; i < m->log->count && i < 40; i++)
		print_error("   %u/%x at %x:%x flags %x esp %x cr2 %x\n", m->log->entry[i].vector, m->log->entry[i].error,
			    m->log->entry[i].cs, m->log->entry[i].eip, m->log->entry[i].eflags, m->log->entry[i].esp,
			    m->log->entry[i].cr2);
}

/* Run both again and say what differs. */
static void explain(const struct program *p, enum kind kind, uint32_t number, enum plx_rewrite rewrite)
{
	static uint8_t ram[PGDIR + 0x5000];
	struct result r, r2;
	struct evm *m;
	const char *save = getenv("PLX_RANDOM_SAVE");
	unsigned int said = 0;

	m = evm_open(PLX_REWRITE_INTERPRET);
	run(m, p, kind, number, &r);
	dump("interpret", &r, m);
	memcpy(ram, m->ram, sizeof(ram));
	evm_close(m);
	m = evm_open(rewrite);
	run(m, p, kind, number, &r2);
	dump(evm_strategy_name[rewrite], &r2, m);
	for (uint32_t at = 0; at < sizeof(r.fpu); at++)
		if (r.fpu[at] != r2.fpu[at])
			print_error("   FPU image [%u] is %x, should be %x\n", at, r2.fpu[at], r.fpu[at]);
	for (uint32_t at = 0; at < sizeof(ram) && said < 12; at += 4)
		if (memcmp(ram + at, m->ram + at, 4)) {
			uint32_t was;

			memcpy(&was, ram + at, 4);
			print_error("   [%x] is %x, should be %x\n", at, evm_peek32(m, at), was);
			said++;
		}
	evm_close(m);
	if (save) {
		FILE *f = fopen(save, "w");

		assert_non_null(f);
		fwrite(p->code, 1, p->n, f);
		fclose(f);
	}
}

static uint32_t setting(const char *name, uint32_t otherwise)
{
	const char *text = getenv(name);

	return text ? (uint32_t)strtoul(text, NULL, 0) : otherwise;
}

/* Returns how many programs went wrong. */
static uint32_t compare(enum kind kind, uint32_t n)
{
	uint32_t first = setting("PLX_RANDOM_FIRST", 1), wrong = 0;
	struct result *want = calloc(n, sizeof(*want)), got;
	uint32_t lost = 0;
	static struct program p;
	uint64_t faults = 0;
	struct evm *m;

	m = evm_open(PLX_REWRITE_INTERPRET);
	for (uint32_t i = 0; i < n; i++) {
		generate(&p, kind, first + i);
		run(m, &p, kind, first + i, &want[i]);
		faults += want[i].faults;
		lost += want[i].lost || want[i].exit == PLX_EXIT_TRIPLE_FAULT;
	}
	evm_close(m);
	for (unsigned int s = 0; s < 3; s++) {
		m = evm_open((enum plx_rewrite)s);
		for (uint32_t i = 0; i < n; i++) {
			const char *what;

			generate(&p, kind, first + i);
			run(m, &p, kind, first + i, &got);
			what = difference(&want[i], &got);
			if (!what)
				continue;
			print_error("%s, program %u, %s: %s differ\n", kind_name[kind], first + i, evm_strategy_name[s], what);
			if (!wrong++) {
				dump("as it ran", &got, m);
				evm_close(m);
				explain(&p, kind, first + i, (enum plx_rewrite)s);
				m = evm_open((enum plx_rewrite)s);
			}
			if (wrong > 20)
				break;
		}
		evm_close(m);
	}
	free(want);
	if (n >= PROGRAMS) {
		assert_in_range(faults, n, n * 60);	/* neither tame nor lost in its faults */
		assert_in_range(lost, 0, n / 5);
	}
	return wrong;
}

static void compare_kind(enum kind kind)
{
	if (setting("PLX_RANDOM_KIND", kind) != kind)
		skip();
	assert_int_equal(compare(kind, setting("PLX_RANDOM_PROGRAMS", PROGRAMS)), 0);
}

/* Who may not map the lowest pages shows guest address 0 somewhere else, and every segment has a base. */
static void without_privilege_a_biased_guest_runs_as_interpreted(void **state)
{
	int status;
	pid_t child;

	(void)state;
	if (geteuid())
		skip();			/* then the others have shown it */
	fflush(NULL);
	child = fork();
	if (!child) {
		uint32_t wrong = 0;

		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(100);
		for (enum kind kind = 0; kind < NR_KINDS; kind++)
			wrong += compare(kind, 40);
		_exit(wrong > 99 ? 99 : (int)wrong);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void programs_of_ring_0_run_as_interpreted(void **state)
{
	(void)state;
	compare_kind(RING0);
}

static void programs_of_ring_0_with_paging_run_as_interpreted(void **state)
{
	(void)state;
	compare_kind(RING0_PAGED);
}

static void programs_of_ring_3_run_as_interpreted(void **state)
{
	(void)state;
	compare_kind(RING3);
}

static void programs_of_ring_3_without_wp_run_as_interpreted(void **state)
{
	(void)state;
	compare_kind(RING3_NO_WP);
}

static void programs_of_16_bit_ring_0_run_as_interpreted(void **state)
{
	(void)state;
	compare_kind(RING0_16);
}

static void programs_of_16_bit_ring_3_run_as_interpreted(void **state)
{
	(void)state;
	compare_kind(RING3_16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_of_ring_0_run_as_interpreted),
		cmocka_unit_test(programs_of_ring_0_with_paging_run_as_interpreted),
		cmocka_unit_test(programs_of_ring_3_run_as_interpreted),
		cmocka_unit_test(programs_of_ring_3_without_wp_run_as_interpreted),
		cmocka_unit_test(programs_of_16_bit_ring_0_run_as_interpreted),
		cmocka_unit_test(programs_of_16_bit_ring_3_run_as_interpreted),
		cmocka_unit_test(without_privilege_a_biased_guest_runs_as_interpreted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
