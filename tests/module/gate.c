/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/module/gate.c - PLEXUS_REWRITE_GATE: does ring 3 by itself what it says, and is it what the other strategies do?
 *
 *      guest: a known number of CLI STI PUSHF POPF, PUSH and MOV of segment registers --> sum of all that they showed --OUT--> compared
 *             the same where the gate's handler must give up: a stack in device memory, flags that are not plain
 *
 * Between them stand ADCs, so a flag that is lost anywhere is in the sum. The sum of PLEXUS_REWRITE_INTERPRET is what is right.
 * Asked by: inside/the_gate_does_what_the_others_do.
 */
#include "monitor/stats.h"
#include "tests/module/machine.h"

#define ROUNDS		20000u
#define IN_A_ROUND	20u	/* instructions that the gate's handler can do */
#define DEVICE		0x500000u
#define DEVICE_FLAGS	0x6d7u

#define ADC(reg) "adcl %" #reg ", %ebp\n"
#define PUSH(sreg) "pushl %" #sreg "\n" "popl %eax\n" ADC(eax)

GUEST(sums,
	"movl $1, %edi\n" "xorl %ebp, %ebp\n" "movl $20000, %ecx\n"
	/* The first to touch the stack's page, and the last to touch another. */
	"pushf\n" "popf\n" "movl $0x38000, %esp\n" "pushf\n" "popf\n" "movl $0x30000, %esp\n"
	"1: cli\n" "addl %ecx, %ebp\n" "pushf\n" "popl %eax\n" ADC(eax)
	"sti\n" "nop\n" "pushf\n" "popl %eax\n" ADC(eax)
	PUSH(es) PUSH(cs) PUSH(ss) PUSH(ds) PUSH(fs) PUSH(gs)
	"movl %es, %eax\n" ADC(eax)
	"movl %ecx, %esi\n" "movl %cs, %ecx\n" ADC(ecx) "movl %esi, %ecx\n"
	"movl %ss, %edx\n" ADC(edx)
	"movl %ds, %ebx\n" ADC(ebx)
	"movl %esp, %esi\n" "movl %fs, %esp\n" ADC(esp) "movl %esi, %esp\n"
	"movl %ebp, %eax\n" "movl %gs, %ebp\n" ADC(eax)
	"movl %ds, %esi\n" ADC(esi)
	"movl %edi, %edx\n" "movl %es, %edi\n" ADC(edi) "movl %edx, %edi\n"
	"leal 0x3039(%edi,%edi,4), %edi\n" "movl %edi, %eax\n" "andl $0x200ed5, %eax\n" "orl $2, %eax\n"
	"pushl %eax\n" "popf\n" "pushf\n" "popl %eax\n" "leal (%ebp,%eax,2), %ebp\n"
	"decl %ecx\n" "jnz 1b\n"
	"movl %ebp, %eax\n" "outl %eax, $0x80\n" "pushl $2\n" "popf\n"
	/* The stack in a device. */
	"cli\n" "movl $0x500004, %esp\n" "cmpl %esp, %esp\n" "stc\n" "pushf\n"
	"popf\n" "movl %esp, %eax\n" "movl $0x30000, %esp\n" "pushf\n" "outl %eax, $0x80\n" "popl %eax\n" "outl %eax, $0x80\n"
	"movl $0x500000, %esp\n" "pushl %cs\n" "movl $0x30000, %esp\n"
	/* IOPL, NT and AC, and back to none. */
	"movl $0x47002, %eax\n" "pushl %eax\n" "popf\n" "pushf\n" "popl %eax\n" "outl %eax, $0x80\n"
	"pushl $2\n" "popf\n" "pushf\n" "popl %eax\n" "outl %eax, $0x80\n"
	"2: hlt\n" "jmp 2b\n");

static struct machine m;

static void expect_number(const char *what, uint32_t number)
{
	uint32_t said = machine_says(&m);

	if (said != number)
		fail("%s: %x, expected %x", what, said, number);
}

static void expect_access(const char *what, uint32_t exit, uint32_t address, uint32_t value)
{
	uint32_t left = machine_run(&m);

	if (left != exit || m.run->address != address || m.run->bytes != 4 || (exit == PLEXUS_EXIT_MMIO_WRITE && m.run->value != value))
		fail("%s: exit %u, %u bytes at %x, value %x", what, left, m.run->bytes, m.run->address, m.run->value);
	m.run->value = value;
}

static uint64_t stat(unsigned int which)
{
	uint64_t value[ENGINE_STAT_NR];
	struct plexus_stats stats = { .size = sizeof(stats), .max = ENGINE_STAT_NR, .values = (uintptr_t)value };

	if (machine_call(&m, PLEXUS_STATS, &stats))
		fail("PLEXUS_STATS: %s", strerror(errno));
	return value[which];
}

static uint32_t run(uint32_t rewrite, uint32_t flags)
{
	const struct plexus_create how = { .size = sizeof(how), .ram_bytes = GUEST_RAM, .rewrite = rewrite, .flags = flags };
	uint64_t wanted = rewrite == PLEXUS_REWRITE_GATE ? (uint64_t)ROUNDS * IN_A_ROUND + 4 : 0, done;
	uint32_t sum;

	m = (struct machine){ .ram_bytes = GUEST_RAM, .fd = machine_create_fd(&how) };
	if (m.fd < 0)
		fail("PLEXUS_CREATE_VM: %s", strerror(errno));
	machine_map(&m);
	machine_load(&m, sums, sums_end);
	sum = machine_says(&m);
	done = stat(ENGINE_STAT_GATE_DONE);
	/* One that the host's interrupt stops short of its end starts over, and is counted twice. */
	if (done < wanted || done > wanted + wanted / 100)
		fail("strategy %u, flags %x: %llu instructions behind the gate, not %llu; %llu faults", rewrite, flags, (unsigned long long)done,
		     (unsigned long long)wanted, (unsigned long long)stat(ENGINE_STAT_FAULTS));
	if (wanted && stat(ENGINE_STAT_EXITS_CALLOUT) > 1000)
		fail("%llu callouts beside the gate", (unsigned long long)stat(ENGINE_STAT_EXITS_CALLOUT));
	expect_access("PUSHF to a device", PLEXUS_EXIT_MMIO_WRITE, DEVICE, 0x47);
	expect_access("POPF from a device", PLEXUS_EXIT_MMIO_READ, DEVICE, DEVICE_FLAGS);
	expect_number("ESP behind it", DEVICE + 4);
	expect_number("the flags behind it", DEVICE_FLAGS);
	expect_access("PUSH CS to a device", PLEXUS_EXIT_MMIO_WRITE, DEVICE - 4, 0x10);
	expect_number("AC, NT and IOPL", 0x47002);
	expect_number("none of them", 2);
	machine_destroy(&m);
	return sum;
}

int main(void)
{
	static const uint32_t others[] = { PLEXUS_REWRITE_ADAPTIVE, PLEXUS_REWRITE_FARCALL, PLEXUS_REWRITE_INT3, PLEXUS_REWRITE_GATE };
	uint32_t right = run(PLEXUS_REWRITE_INTERPRET, 0), sum;

	for (unsigned int i = 0; i < 4; i++) {
		sum = run(others[i], 0);
		if (sum != right)
			fail("strategy %u: the sum is %x, interpreted it is %x", others[i], sum, right);
	}
	sum = run(PLEXUS_REWRITE_GATE, PLEXUS_CREATE_HIGH);
	if (sum != right)
		fail("with the monitor above 4 GiB the sum is %x, interpreted it is %x", sum, right);
	return 0;
}
