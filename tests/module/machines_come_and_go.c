/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/module/machines_come_and_go.c - make a machine, run a guest of a few instructions in it, end it; N times.
 *
 *   machines_come_and_go ROUNDS
 *
 * Each round's guest computes another number, so what is left of the machine before would be seen.
 * Asked by: inside/a_thousand_machines_come_and_go.
 */
#include "tests/module/machine.h"

GUEST(guest,
	"movl (%esi), %eax\n"
	"pushl %eax\n"
	"call 1f\n"
	"1: popl %ecx\n"
	"popl %edx\n"
	"imull $3, %edx, %eax\n"
	"outl %eax, $0x80\n"
	"movl %eax, 4(%esi)\n"
	"cli\n"
	"2: hlt\n"
	"jmp 2b\n");

static void round_of(uint32_t number)
{
	struct machine m = machine_create();
	uint32_t *data = (uint32_t *)(m.ram + GUEST_DATA), said;

	/* The pages come from a stock that all machines share. */
	for (uint64_t i = 0; i < m.ram_bytes / 4; i++)
		if (((uint32_t *)m.ram)[i])
			fail("round %u: new RAM holds %08x at %llx", number, ((uint32_t *)m.ram)[i], (unsigned long long)i * 4);
	memset(m.ram + GUEST_RAM / 2, 0xa5, GUEST_RAM / 2);
	data[0] = number;
	machine_load(&m, guest, guest_end);
	said = machine_says(&m);
	if (said != number * 3)
		fail("round %u: the guest says %u", number, said);
	/* It halts with interrupts off: no way on but this. */
	m.run->stop = PLEXUS_STOP_QUIT;
	if (machine_run(&m) != PLEXUS_EXIT_STOP)
		fail("round %u: exit %u, not a stop", number, m.run->exit);
	machine_destroy(&m);
}

int main(int argc, char **argv)
{
	uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 10;

	for (uint32_t i = 1; i <= rounds; i++)
		round_of(i);
	return 0;
}
