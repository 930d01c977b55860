/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_engine_move.c - claims about moves of the window and of CPL 3's scratch page: the guest computes what it always did,
 * sees the page that it mapped where the window stood, and no instruction of it is translated again.
 *
 * The guests here are no guests: they ask the machine where the window stands (port E8h; ECh: the scratch page), in order to
 * map a page of theirs right there. Each such question is also when the test looks at the counters.
 */
#include "engine_vm.h"

#define TABLE 0x350000u		/* a page table, every entry of it FRAME */
#define FRAME 0x360000u
#define MAGIC 0x1234abcdu
#define DIRS 0x200000u		/* page directories of the test with spaces */
#define HANDLER 0xb000u
#define CODE_16 0xb800u
#define RESULT 0x20000u		/* what WORK gave before anything moved */
#define VERDICT 0x20010u

/* Questions after which all of a loop has been translated, what becomes a callout for faulting too often included. */
#define WARM 12u
#define WARM_SPACES 160u	/* what is run each 32nd time has faulted three times in each of its fragments */

/* In memory that all processes of the VM share. */
struct watch {
	uint32_t nr_asked, warm;
	uint64_t insns, flushes, moves;	/* at question @warm */
	uint64_t last_insns;		/* at the last one: the guest's end is translated when it comes there */
	uint64_t place[16];		/* bit a 4 MiB: the window stood there */
};
static struct watch *watch;

static uint32_t where_in(void *machine, uint16_t port, unsigned int size)
{
	const struct mon_engine *e = ((struct evm *)machine)->vm->engine;
	uint32_t region = e->window >> 22;

	if (port != 0xe8)
		return port == 0xec ? e->user_scratch : evm_in(machine, port, size);
	watch->place[region / 64] |= 1ull << region % 64;
	if (++watch->nr_asked == watch->warm) {
		watch->insns = e->cache.stat_insns;
		watch->flushes = e->cache.stat_flushes;
		watch->moves = e->stats.window_moves;
	}
	watch->last_insns = e->cache.stat_insns;
	return e->window;
}

/*
 * WORK: one of each that embeds an address. EAX: what came out; keeps EBX, ESI, EDI and EBP. It goes through inlined CLI, STI,
 * PUSHF, POPF and segment reads (CPL 0), returns, indirect calls and jumps, callouts, far calls, and 16-bit code.
 */
#define WORK(name, code, code16) \
	name "work:\n" \
	"	xorl %eax, %eax\n" \
	"	pushfl\n	popl %ecx\n	andl $0x200, %ecx\n	addl %ecx, %eax\n" \
	code \
	"	movl %ds, %ecx\n	addl %ecx, %eax\n" \
	"	pushl %ss\n	popl %ecx\n	leal (%eax, %ecx, 4), %eax\n" \
	"	call " name "triple\n" \
	"	call 1f\n" \
	"1:	popl %edx\n" \
	"	addl $(" name "triple - 1b), %edx\n" \
	"	call *%edx\n" \
	"	subl $(" name "triple - " name "there), %edx\n" \
	"	jmp *%edx\n" \
	"	hlt\n" \
	name "there:\n" \
	"	str %cx\n	movzwl %cx, %ecx\n	addl %ecx, %eax\n" \
	"	int $0x81\n" \
	code16 \
	"	pushfl\n	popfl\n" \
	"	ret\n" \
	name "triple:\n" \
	"	leal (%eax, %eax, 2), %eax\n" \
	"	ret\n"

#define WORK_CPL0 \
	"	cli\n	pushfl\n	popl %ecx\n	andl $0x200, %ecx\n	leal (%eax, %ecx, 2), %eax\n" \
	"	sti\n	nop\n	pushfl\n	popl %ecx\n	andl $0x200, %ecx\n	leal (%eax, %ecx, 4), %eax\n" \
	"	pushl $0x202\n	popfl\n"
#define WORK_16 "	lcall $0x38, $0xb800\n"

GUEST(m_handler, "	leal 0x1000(%eax), %eax\n	iret\n");
/* 16-bit: CLI, ADD EAX,5, STI, far return to 32-bit code */
static const uint8_t code_16[] = { 0xfa, 0x66, 0x05, 0x05, 0, 0, 0, 0xfb, 0x66, 0xcb };

#define PAGING_ON(cr3) \
	"	movl $" cr3 ", %eax\n" \
	"	movl %eax, %cr3\n" \
	"	movl %cr0, %eax\n" \
	"	orl $0x80010000, %eax\n" \
	"	movl %eax, %cr0\n" \
	"	jmp 99f\n" \
	"99:\n"

static struct evm *start(enum plx_rewrite rewrite)
{
	static struct plx_machine_ops ops;
	struct evm *m = evm_open(rewrite);

	watch = plx_vm_alloc(m->vm, sizeof(*watch));
	assert_non_null(watch);
	watch->warm = WARM;
	ops = evm_ops;
	ops.in = where_in;
	plx_vm_set_machine(m->vm, &ops, m);
	evm_identity(m, 7);
	for (uint32_t i = 0; i < 1024; i++)
		evm_poke32(m, TABLE + i * 4, FRAME | 7);
	evm_poke32(m, FRAME, MAGIC);
	evm_poke(m, CODE_16, code_16, sizeof(code_16));
	LOAD(m, HANDLER, m_handler);
	evm_gate(m, 0x81, HANDLER, 3);
	return m;
}

/* For each strategy that has a code cache. */
#define EVERY_CACHE(m) \
	for (unsigned int s_ = 0; s_ < 3 && ((m) = start((enum plx_rewrite)s_)); evm_close(m), s_++)

static void nothing_was_translated_again(const struct evm *m, uint32_t least_moves)
{
	const struct mon_engine *e = m->vm->engine;

	assert_true(watch->nr_asked > watch->warm);
	assert_in_range(e->stats.window_moves - watch->moves, least_moves, UINT32_MAX);
	assert_int_not_equal(e->stats.places_patched, 0);
	assert_int_equal(e->stats.fault_other, 0);	/* of accesses to the window, for one */
	assert_int_equal(e->cache.stat_flushes, watch->flushes);
	assert_int_equal(watch->last_insns, watch->insns);
}

/* ---- CPL 0 ------------------------------------------------------------------------------------------------------ */

/* A page mapped in the highest 4 MiB under the window makes it go down by just 4 MiB: it comes to all places there are. */
GUEST(g_walk,
	PAGING_ON("0x100000")
	"	sti\n"
	"	call g_walkwork\n"
	"	movl %eax, 0x20000\n"
	"1:	inl $0xe8, %eax\n"
	"	cmpl $0x800000, %eax\n"
	"	je 8f\n"
	"	leal 0x3c00000(%eax), %ebx\n"
	"	movl %ebx, %edx\n"
	"	shrl $22, %edx\n"
	"	movl $0x350003, 0x100000(,%edx,4)\n"
	"	cmpl $0x1234abcd, (%ebx)\n"
	"	jne 9f\n"
	"	movl %ebx, 4(%ebx)\n"
	"	cmpl %ebx, 0x360004\n"
	"	jne 9f\n"
	"	call g_walkwork\n"
	"	cmpl %eax, 0x20000\n"
	"	je 1b\n"
	"	jmp 9f\n"
	"8:	movl $0x600d, %ebx\n"
	"9:\n"
	OUT("%ebx")
	END
	WORK("g_walk", WORK_CPL0, WORK_16));

static void the_window_comes_to_every_place_and_nothing_is_translated_again(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_CACHE(m) {
		uint32_t places = 0;

		LOAD(m, PROG, g_walk);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x600d);
		nothing_was_translated_again(m, 900);
		/* From home to above the second half's 8 MiB of RAM, then from below it to above the first. */
		for (uint32_t region = 2; region <= WINDOW_PREFERRED >> 22; region++)
			if (region <= 0x300 - 16 || region >= 0x302) {
				assert_true(watch->place[region / 64] >> region % 64 & 1);
				places++;
			}
		assert_in_range(m->vm->engine->stats.window_moves, places - 1, places + 1);
	}
}

/*
 * Three directories in no order, each a space and a process of its own; what one maps is not mapped in the others. Now and then
 * one of them forgets its pages, so that the window goes home.
 */
GUEST(g_spaces,
	PAGING_ON("0x100000")
	"	sti\n"
	"	call g_spaceswork\n"
	"	movl %eax, 0x20000\n"
	"	movl $416, %ebp\n"
	"	movl $1, %esi\n"
	"1:	imull $1664525, %esi, %esi\n"
	"	addl $1013904223, %esi\n"
	"	movl %esi, %eax\n"
	"	shrl $12, %eax\n"
	"	xorl %edx, %edx\n"
	"	movl $3, %ecx\n"
	"	divl %ecx\n"
	"	shll $12, %edx\n"
	"	leal 0x200000(%edx), %edi\n"
	"	movl %edi, %cr3\n"
	"	testl $31, %ebp\n"
	"	jnz 4f\n"
	"	movl $0x302, %edx\n"			/* 302h-3FFh, then 2-2FFh */
	"2:	movl $0, (%edi,%edx,4)\n"
	"	incl %edx\n"
	"	cmpl $0x400, %edx\n"
	"	jne 3f\n"
	"	movl $2, %edx\n"
	"3:	cmpl $0x300, %edx\n"
	"	jne 2b\n"
	"	movl %edi, %cr3\n"
	"4:	inl $0xe8, %eax\n"
	"	movl %esi, %ebx\n"
	"	shrl $8, %ebx\n"
	"	andl $0x3fff000, %ebx\n"
	"	addl %eax, %ebx\n"			/* a page somewhere in the window */
	"	movl %ebx, %edx\n"
	"	shrl $22, %edx\n"
	"	movl $0x350003, (%edi,%edx,4)\n"
	"	cmpl $0x1234abcd, (%ebx)\n"
	"	jne 9f\n"
	"	movl %esi, 4(%ebx)\n"
	"	cmpl %esi, 0x360004\n"
	"	jne 9f\n"
	"	call g_spaceswork\n"
	"	cmpl %eax, 0x20000\n"
	"	jne 9f\n"
	"	decl %ebp\n"
	"	jnz 1b\n"
	"	movl $0x600d, %ebp\n"
	"9:\n"
	OUT("%ebp")
	END
	WORK("g_spaces", WORK_CPL0, WORK_16));

static void each_space_shows_the_window_where_it_stands_before_it_runs(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_CACHE(m) {
		for (uint32_t at = 0; at < 3 * PLX_PAGE_SIZE; at += 4)
			evm_poke32(m, DIRS + at, evm_peek32(m, PGDIR + at % PLX_PAGE_SIZE));
		watch->warm = WARM_SPACES;
		LOAD(m, PROG, g_spaces);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x600d);
		assert_int_equal(m->vm->engine->nspaces, 5);	/* without paging, PGDIR, and the three */
		nothing_was_translated_again(m, 300);
	}
}

/* ---- CPL 3 ------------------------------------------------------------------------------------------------------ */

GUEST(m_ask_scratch, "	inl $0xec, %eax\n	iret\n");
GUEST(m_ask_window, "	inl $0xe8, %eax\n	iret\n");

/* Ring 3 that writes its page tables itself. At 280000h the one for 3FC00000h. */
GUEST(u_walk,
	"	call u_walkwork\n"
	"	movl %eax, 0x20000\n"
	"	movl $200, %ebp\n"
	"1:	int $0x83\n"
	"	testl $3, %ebp\n"
	"	jnz 2f\n"
	"	movl %eax, %edx\n"			/* every fourth time the window moves too; not to be seen from here */
	"	shrl $22, %edx\n"
	"	movl $0x350003, 0x10003c(,%edx,4)\n"
	"	call u_walkwork\n"
	"	cmpl %eax, 0x20000\n"
	"	jne 9f\n"
	"2:	int $0x82\n"
	"	movl %eax, %ebx\n"
	"	cmpl $0x3fc00000, %ebx\n"
	"	jb 9f\n"
	"	movl %ebx, %edx\n"
	"	shrl $12, %edx\n"
	"	andl $0x3ff, %edx\n"
	"	movl $0x360007, 0x280000(,%edx,4)\n"
	"	cmpl $0x1234abcd, (%ebx)\n"
	"	jne 9f\n"
	"	movl %ebp, 4(%ebx)\n"
	"	cmpl %ebp, 0x360004\n"
	"	jne 9f\n"
	"	call u_walkwork\n"
	"	cmpl %eax, 0x20000\n"
	"	jne 9f\n"
	"	decl %ebp\n"
	"	jnz 1b\n"
	"	movl $0x600d, %ebp\n"
	"9:	movl %ebp, 0x20010\n"
	"	int $0x80\n"
	WORK("u_walk", "", ""));

static void the_scratch_page_of_user_code_moves_and_nothing_is_translated_again(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_CACHE(m) {
		LOAD(m, 0xb100, m_ask_scratch);
		LOAD(m, 0xb200, m_ask_window);
		evm_gate(m, 0x82, 0xb100, 3);
		evm_gate(m, 0x83, 0xb200, 3);
		evm_poke32(m, PGDIR + 0xff * 4, 0x280007);
		LOAD(m, PROG, u_walk);
		evm_start_user(m, PROG);
		evm_run_to_end(m);
		assert_int_equal(evm_peek32(m, VERDICT), 0x600d);
		nothing_was_translated_again(m, 200);
	}
}

/* ---- the shift of the linear space --------------------------------------------------------------------------------- */

/* Paging on and off; each time the linear space is shifted, as for a user who may not map the lowest 64 KiB. */
GUEST(g_shift,
	"	movl $0x100000, %eax\n"
	"	movl %eax, %cr3\n"
	"	sti\n"
	"	call g_shiftwork\n"
	"	movl %eax, 0x20000\n"
	"	movl $40, %ebp\n"
	"1:	inl $0xe8, %eax\n"
	"	movl %cr0, %eax\n"
	"	xorl $0x80000000, %eax\n"
	"	movl %eax, %cr0\n"
	"	jmp 2f\n"
	"2:	call g_shiftwork\n"
	"	cmpl %eax, 0x20000\n"
	"	jne 9f\n"
	"	decl %ebp\n"
	"	jnz 1b\n"
	"	movl $0x600d, %ebp\n"
	"9:\n"
	OUT("%ebp")
	END
	WORK("g_shift", WORK_CPL0, WORK_16));

static void a_shift_of_the_linear_space_translates_nothing_again(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_CACHE(m) {
		struct mon_engine *e = m->vm->engine;

		e->min_linear = 0x10000;
		e->delta = e->cache.env.data_bias = 0x10000;
		LOAD(m, PROG, g_shift);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x600d);
		assert_int_equal(e->stats.delta_changes, 40);
		nothing_was_translated_again(m, 0);
	}
}

/* ---- no linear page left ------------------------------------------------------------------------------------------ */

/*
 * All 4 GiB are mapped onto themselves, in pages of 4 MiB, as memtest86+ does: the window stands over what maps nothing. Then memory
 * comes to be where it stands, first because a page is mapped elsewhere, then because the machine gets some (port E4h).
 */
GUEST(g_full,
	"	movl %cr4, %eax\n	orl $0x10, %eax\n	movl %eax, %cr4\n"
	PAGING_ON("0x100000")
	"	sti\n"
	"	call g_fullwork\n"
	"	movl %eax, 0x20000\n"
	"	movl $10000, %ebp\n"
	"1:	call g_fullwork\n"
	"	cmpl %eax, 0x20000\n"
	"	jne 9f\n"
	"	decl %ebp\n"
	"	jnz 1b\n"
	"	inl $0xe8, %eax\n"
	"	movl %eax, %ebx\n"
	"	movl %eax, %edx\n"
	"	shrl $22, %edx\n"
	"	movl $0x83, 0x100000(,%edx,4)\n"
	"	movl 0x20000(%ebx), %eax\n"	/* the window's code, had it stayed */
	"	cmpl 0x20000, %eax\n"
	"	jne 9f\n"
	"	inl $0xe8, %eax\n"
	"	cmpl %eax, %ebx\n"
	"	je 9f\n"
	"	movl %eax, %ebx\n"
	"	inl $0xe4, %eax\n"
	"	movl 0x20000(%ebx), %eax\n"
	"	cmpl 0x20000, %eax\n"
	"	jne 9f\n"
	"	inl $0xe8, %eax\n"
	"	cmpl %eax, %ebx\n"
	"	je 9f\n"
	"	call g_fullwork\n"
	"	cmpl %eax, 0x20000\n"
	"	jne 9f\n"
	"	movl $0x600d, %ebp\n"
	"9:\n"
	OUT("%ebp")
	END
	WORK("g_full", WORK_CPL0, WORK_16));

static uint32_t memory_at_the_window(void *machine, uint16_t port, unsigned int size)
{
	struct evm *m = machine;

	if (port != 0xe4)
		return where_in(machine, port, size);
	return (uint32_t)plx_vm_map(m->vm, m->vm->engine->window, 0x400000, 0, PLX_MAP_RAM);
}

static void a_guest_that_maps_all_linear_pages_runs_natively_where_there_is_no_memory(void **state)
{
	struct plx_machine_ops ops = evm_ops;
	struct evm *m;

	(void)state;
	ops.in = memory_at_the_window;
	EVERY_CACHE(m) {
		plx_vm_set_machine(m->vm, &ops, m);
		for (uint32_t i = 0; i < 1024; i++)
			evm_poke32(m, PGDIR + i * 4, i << 22 | 0x83);
		LOAD(m, PROG, g_full);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x600d);
		assert_in_range(m->vm->engine->stats.steps, 0, 30000);	/* the shadow of STI each time; all: 400,000 */
		assert_in_range(m->vm->engine->stats.window_moves, 2, 4);
	}
}

/* Paging is off when the machine gets memory where the window stands: firmware that places a frame buffer. */
GUEST(g_flat,
	"	inl $0xe8, %eax\n"
	"	movl %eax, %ebx\n"
	"	inl $0xe4, %eax\n"
	"	movl $1000, %ebp\n"
	"1:	movl %ebp, 0x20000(%ebx)\n"
	"	cmpl %ebp, 0x20000\n"
	"	jne 9f\n"
	"	call g_flatwork\n"
	"	decl %ebp\n"
	"	jnz 1b\n"
	"	inl $0xe8, %eax\n"
	"	cmpl %eax, %ebx\n"
	"	je 9f\n"
	"	movl $0x600d, %ebp\n"
	"9:\n"
	OUT("%ebp")
	END
	WORK("g_flat", WORK_CPL0, WORK_16));

static void without_paging_the_window_leaves_where_memory_comes_to_be(void **state)
{
	struct plx_machine_ops ops = evm_ops;
	struct evm *m;

	(void)state;
	ops.in = memory_at_the_window;
	EVERY_CACHE(m) {
		plx_vm_set_machine(m->vm, &ops, m);
		LOAD(m, PROG, g_flat);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x600d);
		assert_int_equal(m->vm->engine->stats.window_moves, 1);
		assert_in_range(m->vm->engine->stats.fault_other, 0, 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_comes_to_every_place_and_nothing_is_translated_again),
		cmocka_unit_test(each_space_shows_the_window_where_it_stands_before_it_runs),
		cmocka_unit_test(the_scratch_page_of_user_code_moves_and_nothing_is_translated_again),
		cmocka_unit_test(a_shift_of_the_linear_space_translates_nothing_again),
		cmocka_unit_test(a_guest_that_maps_all_linear_pages_runs_natively_where_there_is_no_memory),
		cmocka_unit_test(without_paging_the_window_leaves_where_memory_comes_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
