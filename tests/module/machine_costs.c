/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/module/machine_costs.c - what the module host costs, in instructions (tests/module/run --bench).
 *
 *      row --> a machine of its own, tables made here --> guest: [RDTSC, ROUNDS times the row, RDTSC] --OUT--> least of PASSES
 *
 * The guest is a flat 32-bit program at CPL 0 (one row: CPL 3) that reads the host's TSC, which counts instructions in this bench; so
 * a row counts all that was executed for it, in the guest, the monitor, the kernel and this program. The empty loop is subtracted.
 * Rows are short, so that passes without a timer interrupt of the host are among them, and the least counts.
 *
 * Prints "bench NAME INSTRUCTIONS" for one of each; with -v what the monitor counted for one, too (monitor/stats.h), which says
 * whether the row is what its name says. Rows that tests/bench/ring0.c has are not here: both hosts run that one.
 *
 *   machine_costs [-v] [NAME...]
 *
 * Asked by: inside/bench_costs_of_a_machine. Shown by: lib/figures.awk.
 */
#include <stdbool.h>

#include "monitor/stats.h"
#include "tests/module/machine.h"

#define RAM_BYTES	(16ull << 20)
#define PASSES		24u
#define VALUES		128u

/* Where the guest's things stand. */
#define GDT		0x1000u
#define IDT		0x2000u
#define TSS		0x3000u
#define IDTR		0x3f00u
#define COUNTER		"0x4000"
#define BEGIN		"0x4004"
#define DIRECTORY	0x100000u	/* and another one, for a second address space */
#define DIRECTORY_2	0x101000u
#define TABLE_LOW	0x102000u	/* 4 MiB as they are */
#define TABLE_TEST	0x103000u	/* at 40000000h */
#define TABLE_IN_WAY	0x104000u
#define TABLES_FAR	0x110000u	/* 64 tables from 50000000h on */
#define LINEAR_TEST	0x40000000u
#define LINEAR_FAR	0x50000000u
#define DEVICE_PAGE	0xa0000u

/* The monitor's window: where it is at home, and where it goes from there (monitor/window.c). */
#define WINDOW_HOME	0xfa000000u
#define WINDOW_NEXT	0xfb000000u

/* Handlers stand at the start of each guest; gates name them by their offsets. */
#define HANDLER_IRET	0x10u
#define HANDLER_SKIP	0x20u		/* a 2-byte instruction */
#define HANDLER_SKIP_E	0x30u		/* the same with an error code */
#define HANDLER_FILL	0x40u		/* #PF: makes the test page present */

#define AT(offset) "	.skip " offset " - (. - 6b), 0x90\n"
#define HANDLERS                                                       \
	"6:	.byte 0xeb, 9f - . - 1\n"	/* a short jump, of known size */ \
	AT("0x10") "	iretl\n"                                         \
	AT("0x20") "	addl $2, (%esp)\n	iretl\n"                      \
	AT("0x30") "	addl $4, %esp\n	addl $2, (%esp)\n	iretl\n"     \
	AT("0x40") "	addl $4, %esp\n	orl $1, 0x103000\n	iretl\n"     \
	"9:	lidt 0x3f00\n	movw $0x28, %ax\n	ltr %ax\n"

#define PAGING			\
	"movl $0x100000, %eax\n	movl %eax, %cr3\n	movl %cr0, %eax\n	orl $0x80010000, %eax\n	movl %eax, %cr0\n	jmp 3f\n3:\n"

#define LOOP(body)                                        \
	"8:	movl 0x4008, %eax\n	movl %eax, " COUNTER "\n" \
	"	rdtsc\n	movl %eax, " BEGIN "\n"             \
	"7:	" body                                          \
	"	decl " COUNTER "\n	jnz 7b\n"                   \
	"	rdtsc\n	subl " BEGIN ", %eax\n"             \
	"	outl %eax, $0x80\n	jmp 8b\n"

#define COST(name, setup, body) GUEST(guest_##name, HANDLERS setup LOOP(body))

COST(empty, "", "");
COST(device_out, "", "outl %eax, $0x84\n");
COST(device_in, "", "inl $0x84, %eax\n");
COST(device_memory, "", "movl %eax, 0xa0000\n");
COST(callout_smsw, "", "smsw %ax\n");
COST(sti_shadow, "", "sti\n	nop\n	cli\n");
COST(int_iret, "", "int $0x40\n");
COST(ud2_iret, "", "ud2\n");
COST(gp_iret, "movw $0x1000, %cx\n", "movw %cx, %es\n");
/* To CPL 3, with ports (IOPL 3); the handler is at CPL 0. */
COST(system_call,
     "movl %esp, 0x3004\n	movl $0x18, 0x3008\n"
     "pushl $0x3b\n	pushl $0x28000\n	pushl $0x3002\n	pushl $0x33\n	call 4f\n4:	addl $(5f - 4b), (%esp)\n	iretl\n"
     "5:	movw $0x3b, %ax\n	movw %ax, %ds\n",
     "int $0x40\n");
COST(fill_neighbours, "movl $0x50000000, %edi\n" PAGING, "movl (%edi), %eax\n	addl $0x1000, %edi\n");
COST(fill_far, "movl $0x50000000, %edi\n" PAGING, "movl (%edi), %eax\n	addl $0x20000, %edi\n");
COST(cr3_same, PAGING "movl $0x100000, %ebx\n", "movl %ebx, %cr3\n	movl 0x40000000, %eax\n");
COST(cr3_changed, PAGING "movl $0x100000, %ebx\n", "xorl $0x1000, 0x103000\n	movl %ebx, %cr3\n	movl 0x40000000, %eax\n");
COST(cr3_other, PAGING "movl $0x100000, %ebx\n", "xorl $0x1000, %ebx\n	movl %ebx, %cr3\n	movl 0x40000000, %eax\n");
COST(invlpg_same, PAGING, "invlpg 0x40000000\n	movl 0x40000000, %eax\n");
COST(invlpg_changed, PAGING, "xorl $0x1000, 0x103000\n	invlpg 0x40000000\n	movl 0x40000000, %eax\n");
COST(page_fault, PAGING, "andl $~1, 0x103000\n	invlpg 0x40000000\n	movl 0x40000000, %eax\n");
/* Two moves: out of the guest's way, and home again. Page directory entries 1000 and 1004. */
COST(window_moves, PAGING,
     "movl $0x104003, 0x100fa0\n	movl $0, 0x100fa0\n	movl $0x104003, 0x100fb0\n	movl $0, 0x100fb0\n");
COST(store_watched, PAGING, "movl $0, 0x100ff0\n");
COST(cli_sti, "", "cli\n	sti\n	nop\n");
COST(pushf_popf, "", "pushf\n	popf\n");
COST(read_ds, "", "movl %ds, %eax\n");
COST(read_cr0, "", "movl %cr0, %eax\n");
GUEST(guest_ticks, "outl %eax, $0x80\n1:	rdtsc\n	movl %eax, %ebx\n2:	rdtsc\n	movl %eax, %ecx\n	subl %ebx, %eax\n"
      "movl %ecx, %ebx\n	cmpl $1000, %eax\n	jb 2b\n	outl %eax, $0x80\n	jmp 1b\n");

struct row {
	const char *name;
	const uint8_t *code, *end;
	uint32_t rounds, each;		/* how many of the row's things are in a round */
	uint32_t rewrite;
};

#define ROW(name, rounds, each) { #name, guest_##name, guest_##name##_end, rounds, each, PLEXUS_REWRITE_ADAPTIVE }
/* The same under each strategy. */
#define STRATEGY(name, strategy, which) { #name "_" #strategy, guest_##name, guest_##name##_end, 64, 1, which }
#define STRATEGIES(name) \
	STRATEGY(name, int3, PLEXUS_REWRITE_INT3), STRATEGY(name, gate, PLEXUS_REWRITE_GATE), \
	STRATEGY(name, farcall, PLEXUS_REWRITE_FARCALL), STRATEGY(name, adaptive, PLEXUS_REWRITE_ADAPTIVE)
static const struct row rows[] = {
	ROW(empty, 64, 1),
	ROW(device_out, 32, 1), ROW(device_in, 32, 1), ROW(device_memory, 32, 1),
	ROW(callout_smsw, 64, 1), ROW(sti_shadow, 64, 1),
	ROW(int_iret, 64, 1), ROW(ud2_iret, 64, 1), ROW(gp_iret, 64, 1), ROW(system_call, 64, 1),
	ROW(fill_neighbours, 256, 1), ROW(fill_far, 64, 1),
	ROW(cr3_same, 64, 1), ROW(cr3_changed, 64, 1), ROW(cr3_other, 64, 1),
	ROW(invlpg_same, 64, 1), ROW(invlpg_changed, 64, 1), ROW(page_fault, 64, 1),
	ROW(window_moves, 4, 2), ROW(store_watched, 64, 1),
	STRATEGIES(cli_sti), STRATEGIES(pushf_popf), STRATEGIES(read_ds), STRATEGIES(read_cr0),
};

static const char *const stat_name[] = {
	"how many",
#define STAT_NAME(id, group, name, kind, value) name,
	ENGINE_STATS(STAT_NAME)
#undef STAT_NAME
};

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static void put32(struct machine *m, uint32_t at, uint32_t value)
{
	memcpy(m->ram + at, &value, 4);
}

static void put_descriptor(struct machine *m, uint32_t selector, uint32_t base, uint32_t limit, uint32_t attributes)
{
	put32(m, GDT + selector, (limit & 0xffff) | base << 16);
	put32(m, GDT + selector + 4, (base >> 16 & 0xff) | attributes << 8 | (limit & 0xf0000) | (base & 0xff000000));
}

static void make_tables(struct machine *m)
{
	static const struct { uint8_t vector, handler; } gates[] = {
		{ 6, HANDLER_SKIP }, { 13, HANDLER_SKIP_E }, { 14, HANDLER_FILL }, { 0x40, HANDLER_IRET },
	};

	put_descriptor(m, 0x10, 0, 0xfffff, 0xc09b);
	put_descriptor(m, 0x18, 0, 0xfffff, 0xc093);
	put_descriptor(m, 0x28, TSS, 103, 0x0089);
	put_descriptor(m, 0x30, 0, 0xfffff, 0xc0fb);
	put_descriptor(m, 0x38, 0, 0xfffff, 0xc0f3);
	for (unsigned int i = 0; i < sizeof(gates) / sizeof(gates[0]); i++) {
		put32(m, IDT + gates[i].vector * 8u, (GUEST_CODE & 0xffff) + gates[i].handler + (0x10u << 16));
		put32(m, IDT + gates[i].vector * 8u + 4, (GUEST_CODE & 0xffff0000) | 0xee00);
	}
	put32(m, IDTR, 0x7ff | (IDT & 0xffff) << 16);
	put32(m, IDTR + 4, IDT >> 16);
	for (uint32_t i = 0; i < 1024; i++)
		put32(m, TABLE_LOW + i * 4, i << 12 | 3);
	put32(m, TABLE_TEST, 0x200003);
	put32(m, TABLE_IN_WAY, 0x200003);
	for (uint32_t i = 0; i < 64 * 1024; i++)
		put32(m, TABLES_FAR + i * 4, 0x400000 + (i << 12 & 0x7fffff) + 3);
	for (uint32_t at = DIRECTORY; at <= DIRECTORY_2; at += DIRECTORY_2 - DIRECTORY) {
		put32(m, at, TABLE_LOW | 3);
		put32(m, at + (LINEAR_TEST >> 22) * 4, TABLE_TEST | 3);
		for (uint32_t i = 0; i < 64; i++)
			put32(m, at + ((LINEAR_FAR >> 22) + i) * 4, (TABLES_FAR + i * 0x1000) | 3);
	}
}

static struct machine begin(const uint8_t *code, const uint8_t *end, uint32_t rounds, uint32_t rewrite)
{
	const struct plexus_create how = { .size = sizeof(how), .ram_bytes = RAM_BYTES, .rewrite = rewrite };
	struct plexus_start start = { .size = sizeof(start), .flat = 1, .eip = GUEST_CODE, .esp = GUEST_STACK,
				      .gdt_base = GDT, .gdt_limit = 0x3f };
	struct plexus_map map = { .size = sizeof(map), .kind = PLEXUS_MAP_DEVICE, .guest_physical = DEVICE_PAGE, .bytes = 4096,
				  .offset = DEVICE_PAGE };
	struct machine m = { .ram_bytes = RAM_BYTES };

	m.fd = machine_create_fd(&how);
	if (m.fd < 0)
		fail("PLEXUS_CREATE_VM: %s", strerror(errno));
	machine_map(&m);
	make_tables(&m);
	put32(&m, 0x4008, rounds);
	memcpy(m.ram + GUEST_CODE, code, (size_t)(end - code));
	if (machine_call(&m, PLEXUS_MAP, &map))
		fail("PLEXUS_MAP: %s", strerror(errno));
	if (machine_call(&m, PLEXUS_START, &start))
		fail("PLEXUS_START: %s", strerror(errno));
	return m;
}

static void read_stats(const struct machine *m, uint64_t *values)
{
	struct plexus_stats s = { .size = sizeof(s), .max = VALUES, .values = (uintptr_t)values };

	memset(values, 0, VALUES * sizeof(*values));
	if (machine_call(m, PLEXUS_STATS, &s))
		fail("PLEXUS_STATS: %s", strerror(errno));
}

/* What the guest says when a pass is through; devices are answered at once. @least: of PLEXUS_RUN for one device access, from here. */
static uint32_t pass(const struct machine *m, uint64_t *least)
{
	for (;;) {
		uint64_t start = tsc(), spent;
		uint32_t exit = machine_run(m);

		spent = tsc() - start;
		if (exit == PLEXUS_EXIT_OUT && m->run->address == GUEST_PORT)
			return m->run->value;
		if (exit != PLEXUS_EXIT_OUT && exit != PLEXUS_EXIT_IN && exit != PLEXUS_EXIT_MMIO_WRITE)
			fail("exit %u at %x", exit, m->run->address);
		if (spent < *least)
			*least = spent;
	}
}

static uint32_t measure(const struct row *row, bool verbose)
{
	struct machine m = begin(row->code, row->end, row->rounds, row->rewrite);
	uint64_t before[VALUES], after[VALUES], least_run = UINT64_MAX;
	uint32_t least = UINT32_MAX;

	pass(&m, &least_run);
	read_stats(&m, before);
	for (unsigned int i = 0; i < PASSES; i++) {
		uint32_t spent = pass(&m, &least_run);

		if (spent < least)
			least = spent;
	}
	read_stats(&m, after);
	if (verbose)
		for (unsigned int i = 1; i < ENGINE_STAT_NR; i++)
			if (after[i] - before[i] >= PASSES * row->rounds / 8)
				printf("%s: %s %.2f\n", row->name, stat_name[i],
				       (double)(after[i] - before[i]) / (PASSES * row->rounds * row->each));
	if (!strcmp(row->name, "device_out"))
		printf("bench device_out_run_call %llu\n", (unsigned long long)least_run);
	machine_destroy(&m);
	return least;
}

/* Calls that go into the kernel alone, and into the monitor's world and back without the guest. */
static void measure_calls(void)
{
	struct machine m = begin(guest_empty, guest_empty_end, 1, PLEXUS_REWRITE_ADAPTIVE);
	struct plexus_a20 a20 = { .size = sizeof(a20), .open = 1 };
	uint64_t least_none = UINT64_MAX, least_a20 = UINT64_MAX, least_kernel = UINT64_MAX;

	for (unsigned int i = 0; i < 200; i++) {
		uint64_t start = tsc(), spent;

		ioctl(m.fd, _IO('X', 0x7f));
		spent = tsc() - start;
		least_none = spent < least_none ? spent : least_none;
		a20.open = 2;
		start = tsc();
		ioctl(m.fd, PLEXUS_A20, &a20);
		spent = tsc() - start;
		least_kernel = spent < least_kernel ? spent : least_kernel;
		a20.open = 1;
		start = tsc();
		ioctl(m.fd, PLEXUS_A20, &a20);
		spent = tsc() - start;
		least_a20 = spent < least_a20 ? spent : least_a20;
	}
	printf("bench system_call_of_host %llu\n", (unsigned long long)least_none);
	printf("bench world_switch %llu\n", (unsigned long long)(least_a20 - least_kernel));
	machine_destroy(&m);
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The host's timer interrupt, seen as a gap by one who reads the TSC all the time: a guest, and this program. The difference of the
 * medians is what the module adds to the host's work. */
static void measure_ticks(void)
{
	struct machine m = begin(guest_ticks, guest_ticks_end, 1, PLEXUS_REWRITE_ADAPTIVE);
	uint32_t in_guest[41], here[41];
	uint64_t unused = 0, last;

	pass(&m, &unused);
	for (unsigned int i = 0; i < 41; i++)
		in_guest[i] = pass(&m, &unused);
	last = tsc();
	for (unsigned int i = 0; i < 41;) {
		uint64_t now = tsc();

		if (now - last >= 1000)
			here[i++] = (uint32_t)(now - last);
		last = now;
	}
	qsort(in_guest, 41, sizeof(in_guest[0]), compare);
	qsort(here, 41, sizeof(here[0]), compare);
	printf("bench interrupt_in_guest %u\nbench interrupt_in_program %u\n", in_guest[20], here[20]);
	machine_destroy(&m);
}

static bool wanted(const char *name, char **names, int n)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(name, names[i]))
			return true;
	return n == 0;
}

int main(int argc, char **argv)
{
	bool verbose = argc > 1 && !strcmp(argv[1], "-v");
	char **names = argv + 1 + verbose;
	int n = argc - 1 - verbose;
	double empty = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (wanted("calls", names, n))
		measure_calls();
	if (wanted("ticks", names, n))
		measure_ticks();
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		double one;

		if (i && !wanted(row->name, names, n))
			continue;
		one = (double)measure(row, verbose) / row->rounds;
		if (!i)
			empty = one;
		printf("bench %s %.1f\n", row->name, i ? (one - empty) / row->each : one);
	}
	return 0;
}
