/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_engine_user.c - what ring 3 may not do, whatever way it tries, under each rewrite strategy.
 *
 * User pages lie at 0..7FFFFFh, the same memory once more for the supervisor at C0000000h. A few pages below are different:
 * 50000h supervisor, 51000h read-only, 52000h absent. Each attempt must end in the fault that the processor would
 * raise, with nothing written.
 */
#include "engine_vm.h"

#define SUPERVISOR 0x50000u
#define READ_ONLY 0x51000u
#define ABSENT 0x52000u

/* Segments of ring 3, after the common ones: RPL 3. */
#define SEG_WRAP 0x4b		/* flat, base 80000000h: offsets from 40000000h up reach C0000000h */
#define SEG_TLS 0x53		/* flat, base 20000h */
#define SEG_HIGH 0x5b		/* base C0000000h */
#define SEG_DOWN 0x63		/* expand-down, base 0, above FFFFh */
#define SEG_NEAR 0x6b		/* flat, base B8000000h: as near below the kernel as thread-local storage stands */

/* INT 81h: the kernel touches its own half, so that it is mapped when ring 3 tries. */
GUEST(u_warm, "	pushl %eax\n	movl %ss:0xc0005000, %eax\n	movl %eax, %ss:0xc0005ffc\n	popl %eax\n	iret\n");

static void user_vm(struct evm *m)
{
	LOAD(m, 0xb000, u_warm);
	evm_gate(m, 0x81, 0xb000, 3);
	evm_identity(m, 0x67);
	evm_page(m, SUPERVISOR, SUPERVISOR | 0x63);
	evm_page(m, READ_ONLY, READ_ONLY | 0x65);
	evm_page(m, ABSENT, 0);
	evm_descriptor(m, SEG_WRAP, 0x80000000, 0xfffff, 0xf3, 12);
	evm_descriptor(m, SEG_TLS, DATA, 0xfffff, 0xf3, 12);
	evm_descriptor(m, SEG_HIGH, 0xc0000000, 0xfffff, 0xf3, 12);
	evm_descriptor(m, SEG_DOWN, 0, 0xf, 0xf7, 12);
	evm_descriptor(m, SEG_NEAR, 0xb8000000, 0xfffff, 0xf3, 12);
	evm_poke32(m, TSS + 4, 0xc0000000 + KSTACK);
	m->log->then = THEN_GOTO;
	m->log->max = 4;
}

struct attempt {
	const char *what;
	const char *bytes;
	uint32_t nbytes;
	uint32_t vector, error, cr2;
};
#define TRY(what, bytes, vector, error, cr2) { what, bytes, sizeof(bytes) - 1, vector, error, cr2 }

/* Registers at each attempt: EAX 0, EBX 50000h, ECX 4, EDX 0, ESI 20000h, EDI 21000h, EBP 51000h. The kernel half is warm: it was
 * mapped by the kernel while it handled the fault before. */
static const struct attempt attempts[] = {
	TRY("read supervisor", "\x8b\x03", 14, 5, 0x50000),
	TRY("write supervisor", "\x89\x03", 14, 7, 0x50000),
	TRY("read-modify-write supervisor", "\xff\x03", 14, 7, 0x50000),
	TRY("write read-only", "\x89\x45\x00", 14, 7, 0x51000),
	TRY("read absent", "\xa1\x10\x20\x05\x00", 14, 4, 0x52010),
	TRY("write absent", "\xa3\x10\x20\x05\x00", 14, 6, 0x52010),
	TRY("read across into absent", "\xa1\xfe\x1f\x05\x00", 14, 4, 0x52000),
	TRY("read the kernel", "\xa1\x00\x50\x00\xc0", 14, 5, 0xc0005000),
	TRY("write the kernel", "\xa3\x00\x50\x00\xc0", 14, 7, 0xc0005000),
	TRY("read the kernel through CS", "\x2e\xa1\x00\x50\x00\xc0", 14, 5, 0xc0005000),
	TRY("read the kernel through CS, ModRM", "\x2e\x8b\x05\x00\x50\x00\xc0", 14, 5, 0xc0005000),
	TRY("read the kernel through ES", "\x26\xa1\x00\x50\x00\xc0", 14, 5, 0xc0005000),
	TRY("read the kernel through SS", "\x36\xa1\x00\x50\x00\xc0", 14, 5, 0xc0005000),
	TRY("read the kernel through FS, wrapping", "\x64\xa1\x00\x50\x00\x40", 14, 5, 0xc0005000),
	TRY("write the kernel through FS, wrapping", "\x64\xa3\x00\x50\x00\x40", 14, 7, 0xc0005000),
	TRY("read supervisor through GS, negative", "\x65\x8b\x82\x00\x00\x03\x00", 14, 5, 0x50000),
	TRY("read the kernel through GS, negative", "\x65\xa1\x00\x50\xfe\xbf", 14, 5, 0xc0005000),
	TRY("MOVS from the kernel", "\xbe\x00\x50\x00\xc0\xa5", 14, 5, 0xc0005000),
	TRY("MOVS from the kernel through FS", "\xbe\x00\x50\x00\x40\x64\xa5", 14, 5, 0xc0005000),
	TRY("STOS to the kernel", "\xbf\x00\x50\x00\xc0\xab", 14, 7, 0xc0005000),
	TRY("REP STOS into supervisor", "\xbf\xf8\xff\x04\x00\xf3\xab", 14, 7, 0x50000),
	TRY("REP STOS into absent", "\xbf\xf8\x1f\x05\x00\x83\xef\x08\x83\xc7\x08\xbf\x00\x20\x05\x00\xf3\xab", 14, 6, 0x52000),
	TRY("CMPS with the kernel", "\xbf\x00\x50\x00\xc0\xa7", 14, 5, 0xc0005000),
	TRY("XLAT from the kernel", "\xbb\x00\x50\x00\xc0\xd7", 14, 5, 0xc0005000),
	TRY("XLAT from the kernel through CS", "\xbb\x00\x50\x00\xc0\x2e\xd7", 14, 5, 0xc0005000),
	TRY("PUSH onto the kernel", "\xbc\x04\x50\x00\xc0\x50", 14, 7, 0xc0005000),
	TRY("POP from the kernel", "\xbc\x00\x50\x00\xc0\x58", 14, 5, 0xc0005000),
	TRY("CALL pushing onto read-only", "\xbc\x10\x10\x05\x00\xe8\x00\x00\x00\x00", 14, 7, 0x5100c),
	TRY("CALL through a pointer in the kernel", "\xff\x15\x00\x50\x00\xc0", 14, 5, 0xc0005000),
	TRY("JMP through a pointer in the kernel, CS", "\x2e\xff\x25\x00\x50\x00\xc0", 14, 5, 0xc0005000),
	TRY("RET from the kernel", "\xbc\x00\x50\x00\xc0\xc3", 14, 5, 0xc0005000),
	TRY("PUSHA across into supervisor", "\xbc\x08\x10\x05\x00\x60", 14, 7, 0x51004),
	TRY("ENTER onto the kernel", "\xbc\x04\x50\x00\xc0\xc8\x00\x00\x00", 14, 7, 0xc0005000),
	TRY("LEAVE from the kernel", "\xbd\x00\x50\x00\xc0\xc9", 14, 5, 0xc0005000),
	TRY("FLD from the kernel", "\xd9\x05\x00\x50\x00\xc0", 14, 5, 0xc0005000),
	TRY("FST to the kernel", "\xd9\x15\x00\x50\x00\xc0", 14, 7, 0xc0005000),
	TRY("MOVUPS to the kernel", "\x0f\x11\x05\x00\x50\x00\xc0", 14, 7, 0xc0005000),
	TRY("MASKMOVDQU to the kernel", "\xbf\x00\x50\x00\xc0\x66\x0f\x76\xc0\x66\x0f\xf7\xc0", 14, 7, 0xc0005000),
	TRY("jump to supervisor code", "\xff\xe3", 14, 5, 0x50000),
	TRY("jump to the kernel", "\xb8\x00\x80\x00\xc0\xff\xe0", 14, 5, 0xc0008000),
	TRY("jump to the code cache", "\xb8\x00\x00\x10\xfa\xff\xe0", 14, 4, 0xfa100000),
	TRY("read the code cache", "\xa1\x00\x00\x10\xfa", 14, 4, 0xfa100000),
	TRY("read the code cache through CS", "\x2e\xa1\x00\x00\x10\xfa", 14, 4, 0xfa100000),
	TRY("write the code cache", "\xa3\x00\x00\x10\xfa", 14, 6, 0xfa100000),
	TRY("write the jump table", "\xa3\x00\x00\x01\xfa", 14, 6, 0xfa010000),
	TRY("write the flag page", "\xa3\x00\x00\x00\xfa", 14, 6, 0xfa000000),
	TRY("write the scratch page of CPL 0", "\xa3\x00\x10\x00\xfa", 14, 6, 0xfa001000),
	TRY("CLI", "\xfa", 13, 0, 0),
	TRY("STI", "\xfb", 13, 0, 0),
	TRY("HLT", "\xf4", 13, 0, 0),
	TRY("IN", "\xec", 13, 0, 0),
	TRY("OUT", "\xee", 13, 0, 0),
	TRY("MOV from CR0", "\x0f\x20\xc0", 13, 0, 0),
	TRY("INT 20h without a gate for us", "\xcd\x20", 13, 0x102, 0),
	TRY("a far jump to the host's 64-bit code", "\xea\x00\x00\x10\xfa\x33\x00", 13, 0x30, 0),
	TRY("a far call to the host's 64-bit code", "\x9a\x00\x00\x10\xfa\x33\x00", 13, 0x30, 0),
	TRY("the host's own selector", "\xb8\x0f\x00\x00\x00\x8e\xd8", 13, 0x0c, 0),
	TRY("UD2", "\x0f\x0b", 6, 0, 0),
	TRY("SYSENTER without its MSRs", "\x0f\x34", 13, 0, 0),
};

/* mov $..., registers; then the attempt; INT 80h behind it. */
static uint32_t build_attempt(uint8_t *at, const struct attempt *a)
{
	static const uint8_t head[] = {
		0xcd, 0x81, 0x31, 0xc0, 0x31, 0xd2, 0xb9, 4, 0, 0, 0, 0xbb, 0, 0, 5, 0, 0xbe, 0, 0, 2, 0, 0xbf, 0, 0x10, 2, 0,
		0xbd, 0, 0x10, 5, 0, 0xbc, 0, 0, 4, 0,
	};

	memcpy(at, head, sizeof(head));
	memcpy(at + sizeof(head), a->bytes, a->nbytes);
	memcpy(at + sizeof(head) + a->nbytes, "\xcd\x80", 2);
	return (uint32_t)sizeof(head) + a->nbytes + 2;
}

static void set_tls(struct evm *m)
{
	m->cpu->seg[X86_FS].sel = SEG_WRAP;
	m->cpu->seg[X86_FS].base = 0x80000000;
	m->cpu->seg[X86_GS].sel = SEG_TLS;
	m->cpu->seg[X86_GS].base = DATA;
}

static void every_forbidden_access_is_the_fault_that_it_is(void **state)
{
	struct evm *m;
	unsigned int wrong = 0;

	(void)state;
	EVERY_STRATEGY(m) {
		user_vm(m);
		for (unsigned int i = 0; i < 3 * PLX_ARRAY_SIZE(attempts); i++) {
			const struct attempt *a = &attempts[i % PLX_ARRAY_SIZE(attempts)];
			uint32_t before = evm_peek32(m, 0x50000), before2 = evm_peek32(m, 0x51000);
			const struct evm_entry *got = &m->log->entry[0];
			uint8_t code[64];
			uint32_t n = build_attempt(code, a);

			evm_poke(m, PROG, code, n);
			m->log->count = 0;
			m->log->go_on = PROG + n - 2;
			evm_start_user(m, PROG);
			set_tls(m);
			evm_run_to_end(m);
			if (m->log->count != 1 || got->vector != a->vector || got->error != a->error ||
			    (a->vector == 14 && a->cr2 != 0xffffffff && got->cr2 != a->cr2)) {
				print_error("%s, %s: %u faults, vector %u error %x cr2 %x eip %x\n", evm_strategy_name[s_], a->what,
					    m->log->count, got->vector, got->error, got->cr2, got->eip);
				wrong++;
			}
			assert_int_equal(evm_peek32(m, 0x50000), before);
			assert_int_equal(evm_peek32(m, 0x51000), before2);
		}
	}
	assert_int_equal(wrong, 0);
}

/* BT m, r32 reaches 256 MiB to either side of its operand. */
GUEST(u_bit_test,
	"	int $0x81\n"
	"	movl $0x40028000, %eax\n"		/* byte 8005000h behind the operand: B8000000h + 8005000h */
	"	btsl %eax, %gs:0\n"
	"	int $0x80\n");

static void a_bit_string_through_a_thread_segment_stops_at_the_kernel(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		user_vm(m);
		LOAD(m, PROG, u_bit_test);
		for (unsigned int round = 0; round < 4; round++) {
			m->log->count = 0;
			m->log->go_on = PROG + (uint32_t)(u_bit_test_end - u_bit_test) - 2;
			evm_start_user(m, PROG);
			m->cpu->seg[X86_GS].sel = SEG_NEAR;
			m->cpu->seg[X86_GS].base = 0xb8000000;
			evm_run_to_end(m);
			assert_int_equal(m->log->count, 1);
			assert_int_equal(m->log->entry[0].vector, 14);
			assert_int_equal(m->log->entry[0].error, 7);
			assert_int_equal(m->log->entry[0].cr2, 0xc0005000);
		}
	}
}

GUEST(u_int80, "	int $0x80\n");

/* A writable page beside a read-only one, both used before, in a row in memory; CR0.WP is 0. */
GUEST(u_neighbour,
	"	movl %eax, 0x60000\n"
	"	movl %eax, 0x61000\n"
	"	int $0x80\n");

static void a_read_only_page_beside_a_writable_one_stays_read_only_without_wp(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		user_vm(m);
		evm_page(m, 0x60000, 0x60067);
		evm_page(m, 0x61000, 0x61065);
		LOAD(m, PROG, u_neighbour);
		m->log->go_on = PROG + 10;
		evm_start_user(m, PROG);
		m->cpu->cr0 &= ~X86_CR0_WP;
		evm_run_to_end(m);
		assert_int_equal(m->log->count, 1);
		assert_int_equal(m->log->entry[0].vector, 14);
		assert_int_equal(m->log->entry[0].error, 7);
		assert_int_equal(m->log->entry[0].cr2, 0x61000);
	}
}

/* An instruction of five bytes, three of them in a page that ring 3 may not fetch from. */
static void an_instruction_that_runs_on_into_a_forbidden_page_faults(void **state)
{
	static const uint32_t page[] = { SUPERVISOR, ABSENT };
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		user_vm(m);
		for (unsigned int i = 0; i < 2; i++) {
			evm_poke(m, page[i] - 2, "\xb8\x11\x22\x33\x44\xcd\x80", 7);
			evm_page(m, 0x4f000, 0x4f067);
			LOAD(m, PROG, u_int80);
			m->log->count = 0;
			m->log->go_on = PROG;
			evm_start_user(m, page[i] - 2);
			evm_run_to_end(m);
			assert_int_equal(m->log->count, 1);
			assert_int_equal(m->log->entry[0].vector, 14);
			assert_int_equal(m->log->entry[0].error, i ? 4 : 5);
			assert_int_equal(m->log->entry[0].cr2, page[i]);
			assert_int_equal(m->log->entry[0].eip, page[i] - 2);
		}
	}
}

/* Stacks of ring 3 that the cut cannot express: expand-down, and based above it. */
GUEST(u_stack,
	"	movl $0x63, %eax\n"
	"	movl %eax, %ss\n"
	"	pushl $0x1234\n"
	"	popl %ebx\n"
	"	call 1f\n"
	"	movl $0x5b, %eax\n"
	"	movl %eax, %ss\n"
	"	pushl %eax\n"				/* the kernel's memory: #PF */
	"	int $0x80\n"
	"1:	ret\n");

static void strange_stacks_of_ring_3_work_or_fault_as_they_should(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		user_vm(m);
		LOAD(m, PROG, u_stack);
		m->log->go_on = PROG + (uint32_t)(u_stack_end - u_stack) - 3;
		evm_start_user(m, PROG);
		evm_run_to_end(m);
		assert_int_equal(m->log->count, 1);
		assert_int_equal(m->log->entry[0].vector, 14);
		assert_int_equal(m->log->entry[0].error, 7);
		assert_int_equal(m->log->entry[0].cr2, 0xc003fffc);
		assert_int_equal(evm_peek32(m, STACK - 4), PROG + 0x12);
	}
}

/* Ring 0 may write to what of ours it can reach; that must not give it more than it has. */
GUEST(u_flag_page,
	"	cli\n"
	"	movl $2, 0x5004\n	movl $(1f - u_flag_page + 0x10000), 0x5008\n"
	"	movl $0xffffffff, 0xfa000000\n"
	"1:	movl $(2f - u_flag_page + 0x10000), 0x5008\n"
	"	movl $0xffffffff, 0xfa000004\n"
	"2:	movl %cr0, %eax\n"
	"	pushfl\n	popl %eax\n"
	"	outb %al, $0xf4\n	hlt\n");

static void what_the_kernel_writes_into_our_pages_gives_it_no_flag_but_if(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		LOAD(m, PROG, u_flag_page);
		evm_start(m, PROG);
		evm_run_to_end(m);
		assert_int_equal(m->cpu->gpr[X86_EAX] & ~0x200u & ~X86_FLAGS_STATUS, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_forbidden_access_is_the_fault_that_it_is),
		cmocka_unit_test(a_bit_string_through_a_thread_segment_stops_at_the_kernel),
		cmocka_unit_test(a_read_only_page_beside_a_writable_one_stays_read_only_without_wp),
		cmocka_unit_test(an_instruction_that_runs_on_into_a_forbidden_page_faults),
		cmocka_unit_test(strange_stacks_of_ring_3_work_or_fault_as_they_should),
		cmocka_unit_test(what_the_kernel_writes_into_our_pages_gives_it_no_flag_but_if),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
