/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/module/descriptor_tables.c - PLEXUS_TABLES_GUEST: where does the processor have its GDT and IDT?
 *
 *      guest: LGDT, LIDT, paging, CR3 --OUT--> PLEXUS_STATS (what SGDT and SIDT say in ring 0) == PLEXUS_REGISTERS (the guest's own)?
 *
 * All that a guest executes is scanned, so none can read the true base itself. In between it writes its tables, and data and a
 * stack in the same pages, and reads them back; its own tables must work as ever.
 * Asked by: inside/descriptor_tables_stand_where_the_guest_has_its_own.
 */
#include "monitor/stats.h"
#include "tests/module/machine.h"

#define ROUNDS 4000u

GUEST(tables,
	"movl %esi, %ebx\n"		/* 40000h */
	"xorl %ebp, %ebp\n"
	"movl $0x0000ffff, 0x110(%ebx)\n" "movl $0x00cf9b00, 0x114(%ebx)\n"
	"movl $0x0000ffff, 0x118(%ebx)\n" "movl $0x00cf9300, 0x11c(%ebx)\n"
	"movl $0x0000ffff, 0x120(%ebx)\n" "movl $0x00409304, 0x124(%ebx)\n"
	"movw $0x27, 0x1200(%ebx)\n" "movl $0x40100, 0x1202(%ebx)\n" "lgdt 0x1200(%ebx)\n"
	"movw $0x7ff, 0x1208(%ebx)\n" "movl $0x42000, 0x120a(%ebx)\n" "lidt 0x1208(%ebx)\n"
	"movl $1, %eax\n" "outl %eax, $0x80\n"
	/* Paging: 4 MiB as they are, and C0050000h is 50000h. */
	"movl $0x83, 0x60000\n" "movl $0x62003, 0x60c00\n" "movl $0x50003, 0x62140\n"
	"movl $0x83, 0x61000\n" "movl $0x62003, 0x61c00\n"
	"movl $0x10, %eax\n" "movl %eax, %cr4\n" "movl $0x60000, %eax\n" "movl %eax, %cr3\n"
	"movl %cr0, %eax\n" "orl $0x80000000, %eax\n" "movl %eax, %cr0\n" "jmp 1f\n" "1:\n"
	"movl $2, %eax\n" "outl %eax, $0x80\n"
	/* A descriptor with ever another base, a counter and a stack, all in the GDT's page. */
	"movl $4000, %ecx\n"
	"1: incl 0xff0(%ebx)\n"
	"movzbl %cl, %eax\n" "shll $16, %eax\n" "orl $0xffff, %eax\n" "movl %eax, 0x120(%ebx)\n"
	"cmpl 0x120(%ebx), %eax\n" "jne 9f\n"
	"movw $0x20, %dx\n" "movw %dx, %fs\n" "movzbl %fs:0, %eax\n" "addl %eax, %ebp\n"
	"movl %esp, %edx\n" "leal 0xf00(%ebx), %esp\n" "pushl %ecx\n" "popl %eax\n" "movl %edx, %esp\n" "addl %eax, %ebp\n"
	"decl %ecx\n" "jnz 1b\n"
	"movl %ebp, %eax\n" "outl %eax, $0x80\n"
	"movl 0xff0(%ebx), %eax\n" "outl %eax, $0x80\n"
	/* A gate with ever another handler. */
	"movw $0x10, 0x201a(%ebx)\n" "movw $0x8e00, 0x201c(%ebx)\n"
	"movw $1, 0x201e(%ebx)\n"
	"xorl %ebp, %ebp\n" "movl $4000, %ecx\n"
	"2: movl $(7f - tables), %eax\n" "testb $1, %cl\n" "jz 3f\n" "movl $(8f - tables), %eax\n"
	"3: movw %ax, 0x2018(%ebx)\n" "int3\n" "decl %ecx\n" "jnz 2b\n"
	"movl %ebp, %eax\n" "outl %eax, $0x80\n"
	/* Elsewhere; the IDT would lie over the GDT. */
	"leal 0x100(%ebx), %esi\n" "movl $0x50008, %edi\n" "movl $10, %ecx\n" "cld\n" "rep movsl\n"
	"movl $0x50008, 0x1202(%ebx)\n" "lgdt 0x1200(%ebx)\n"
	"movl $0x4f800, 0x120a(%ebx)\n" "lidt 0x1208(%ebx)\n"
	"movl $4, %eax\n" "outl %eax, $0x80\n"
	"movl $0x42000, 0x120a(%ebx)\n" "lidt 0x1208(%ebx)\n"
	"movl $0xc0050008, 0x1202(%ebx)\n" "lgdt 0x1200(%ebx)\n"
	"movl $5, %eax\n" "outl %eax, $0x80\n"
	"movl $0x61000, %eax\n" "movl %eax, %cr3\n"
	"movl $6, %eax\n" "outl %eax, $0x80\n"
	/* To and fro; the table is read, and written, in each space. */
	"movl $500, %ecx\n"
	"4: movl $0x60000, %eax\n" "movl %eax, %cr3\n" "incl 0xc0050100\n" "movw $0x20, %dx\n" "movw %dx, %fs\n"
	"movl $0x61000, %eax\n" "movl %eax, %cr3\n" "incl 0x50100\n" "int3\n" "loop 4b\n"
	"movl 0xc0050100, %eax\n" "outl %eax, $0x80\n"
	/* Not on an address where a table of ours can be. */
	"movl $0xc0050009, 0x1202(%ebx)\n" "lgdt 0x1200(%ebx)\n"
	"movl $8, %eax\n" "outl %eax, $0x80\n"
	"movl $0xc0050008, 0x1202(%ebx)\n" "lgdt 0x1200(%ebx)\n"
	/* Nothing is mapped there, and it is no matter until the guest uses it. */
	"movl $0xd0000ff8, 0x120a(%ebx)\n" "lidt 0x1208(%ebx)\n"
	"movl $9, %eax\n" "outl %eax, $0x80\n"
	"sgdt 0x1300(%ebx)\n" "movl 0x1302(%ebx), %eax\n" "outl %eax, $0x80\n"
	"sidt 0x1300(%ebx)\n" "movl 0x1302(%ebx), %eax\n" "outl %eax, $0x80\n"
	"5: hlt\n" "jmp 5b\n"
	"7: incl %ebp\n" "iret\n"
	"8: addl $0x10000, %ebp\n" "iret\n"
	"9: movl $0xbad, %eax\n" "outl %eax, $0x80\n" "jmp 5b\n");

static struct machine m;
static uint64_t value[ENGINE_STAT_NR];
static struct plexus_registers registers;

static void ask(void)
{
	struct plexus_stats stats = { .size = sizeof(stats), .max = ENGINE_STAT_NR, .values = (uintptr_t)value };

	registers.size = sizeof(registers);
	if (machine_call(&m, PLEXUS_STATS, &stats) || machine_call(&m, PLEXUS_REGISTERS, &registers))
		fail("PLEXUS_STATS or PLEXUS_REGISTERS: %s", strerror(errno));
}

/* Both, one or none of the tables stand where the guest has its own. */
static void expect(const char *when, uint32_t step, bool gdt, bool idt)
{
	uint32_t said = machine_says(&m);

	if (said != step)
		fail("%s: the guest says %x, not %x", when, said, step);
	ask();
	if ((value[ENGINE_STAT_GDT_AT] == registers.gdt_base) != gdt || (value[ENGINE_STAT_IDT_AT] == registers.idt_base) != idt)
		fail("%s: GDT at %llx, the guest's at %x; IDT at %llx, the guest's at %x", when,
		     (unsigned long long)value[ENGINE_STAT_GDT_AT], registers.gdt_base,
		     (unsigned long long)value[ENGINE_STAT_IDT_AT], registers.idt_base);
}

static void expect_number(const char *what, uint32_t number)
{
	uint32_t said = machine_says(&m);

	if (said != number)
		fail("%s: %x, expected %x", what, said, number);
}

static void run(uint32_t tables_are, bool there)
{
	const struct plexus_create how = { .size = sizeof(how), .ram_bytes = GUEST_RAM, .tables = tables_are };
	uint32_t sum = 0;

	m = (struct machine){ .ram_bytes = GUEST_RAM, .fd = machine_create_fd(&how) };
	if (m.fd < 0)
		fail("PLEXUS_CREATE_VM: %s", strerror(errno));
	machine_map(&m);
	for (uint32_t i = 0; i < 256; i++)
		m.ram[GUEST_DATA + i] = (uint8_t)(i * 7);
	for (uint32_t i = 1; i <= ROUNDS; i++)
		sum += (uint8_t)(i * 7) + i;
	machine_load(&m, tables, tables_end);
	expect("before paging is on", 1, false, false);
	expect("paging", 2, there, there);
	expect_number("through a descriptor written in each round, and by a stack beside it", sum);
	expect_number("a counter in the GDT's page", ROUNDS);
	expect_number("through a gate written in each round", ROUNDS / 2 << 16 | ROUNDS / 2);
	expect("the IDT would lie over the GDT", 4, there, false);
	expect("a high address", 5, there, there);
	expect("another space", 6, there, there);
	expect_number("a word in the GDT's page, under two addresses in two spaces", 1000);
	expect("a GDT off alignment", 8, false, there);
	expect("an IDT where the guest has mapped nothing", 9, there, there);
	expect_number("SGDT", 0xc0050008);
	expect_number("SIDT", 0xd0000ff8);
	ask();
	if ((value[ENGINE_STAT_TABLES_MOVED] != 0) != there || (value[ENGINE_STAT_TABLES_FELL_BACK] != 0) != there)
		fail("%llu moves, %llu fell back", (unsigned long long)value[ENGINE_STAT_TABLES_MOVED],
		     (unsigned long long)value[ENGINE_STAT_TABLES_FELL_BACK]);
	printf("%s: tables moved %llu times, fell back %llu times; %llu faults, %llu callouts\n", there ? "guest" : "free",
	       (unsigned long long)value[ENGINE_STAT_TABLES_MOVED], (unsigned long long)value[ENGINE_STAT_TABLES_FELL_BACK],
	       (unsigned long long)value[ENGINE_STAT_FAULTS], (unsigned long long)value[ENGINE_STAT_EXITS_CALLOUT]);
	machine_destroy(&m);
}

int main(void)
{
	run(PLEXUS_TABLES_FREE, false);
	run(PLEXUS_TABLES_GUEST, true);
	return 0;
}
