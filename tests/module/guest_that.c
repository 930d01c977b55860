/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/module/guest_that.c - one guest, that computes, halts or waits for its device.
 *
 *   guest_that computes [ROUNDS]   integers, x87 and SSE2; the same instructions run in this program, and the results are compared.
 *                                  At each PLEXUS_RUN the program's own vector and x87 registers hold known values, and
 *                                  hold them afterwards
 *   guest_that waits               HLT with interrupts on. Each SIGUSR1 is an interrupt of its, whose handler counts; says the count
 *   guest_that spins | halts | reads   for ever: a loop; HLT with interrupts off; IN from a port whose device never answers.
 *                                  Says "there" when the guest is where it shall be; for those who want to kill it
 *
 * Asked by: inside/two_machines_at_once, kill_in_the_middle, interrupts_do_not_hurt_a_running_guest, processors_come_and_go_*,
 * machines_outlive_a_sleep_of_the_host.
 */
#include <signal.h>
#include <sys/syscall.h>

#include "tests/module/machine.h"

/*
 * In ECX = rounds, EDI = data: 1024 words at 0, then from 4096 on doubles 3.99 and 1.0 and the pair to begin with. Out EAX, and
 * x87's and SSE's results behind them. x := 3.99 x (1 - x) forgets nothing: one wrong bit is another number some steps later.
 */
#define WORK                            \
	"	movl $0x12345678, %eax\n"        \
	"	fninit\n"                        \
	"	fldl 4112(%edi)\n"               \
	"	movupd 4112(%edi), %xmm0\n"      \
	"	movsd 4104(%edi), %xmm1\n"       \
	"	unpcklpd %xmm1, %xmm1\n"         \
	"	movsd 4096(%edi), %xmm2\n"       \
	"	unpcklpd %xmm2, %xmm2\n"         \
	"1:	imull $1664525, %eax, %eax\n"  \
	"	addl $1013904223, %eax\n"        \
	"	roll $5, %eax\n"                 \
	"	xorl %ecx, %eax\n"               \
	"	movl %eax, %edx\n"               \
	"	andl $1023, %edx\n"              \
	"	call 2f\n"                       \
	"	fld1\n"                          \
	"	fsub %st(1), %st\n"              \
	"	fmulp %st, %st(1)\n"             \
	"	fmull 4096(%edi)\n"              \
	"	movapd %xmm1, %xmm3\n"           \
	"	subpd %xmm0, %xmm3\n"            \
	"	mulpd %xmm3, %xmm0\n"            \
	"	mulpd %xmm2, %xmm0\n"            \
	"	decl %ecx\n"                     \
	"	jnz 1b\n"                        \
	"	fstpt 4128(%edi)\n"              \
	"	movupd %xmm0, 4144(%edi)\n"      \
	"	jmp 3f\n"                        \
	"2:	addl (%edi,%edx,4), %eax\n"    \
	"	movl %eax, (%edi,%edx,4)\n"      \
	"	ret\n"                           \
	"3:\n"

GUEST(computes,
	"movl $0x600, %eax\n"		/* OSFXSR, OSXMMEXCPT: SSE is on */
	"movl %eax, %cr4\n"
	"movl %esi, %edi\n"
	"movl 8192(%edi), %ecx\n"
	WORK
	"outl %eax, $0x80\n"
	"4: hlt\n"
	"jmp 4b\n");

GUEST(spins, "outl %eax, $0x80\n" "1: incl %eax\n" "jmp 1b\n");
GUEST(halts, "outl %eax, $0x80\n" "cli\n" "1: hlt\n" "jmp 1b\n");
GUEST(reads, "outl %eax, $0x80\n" "1: inl $0x84, %eax\n" "jmp 1b\n");

/* At ESI: the operand of LGDT, 16 bytes on that of LIDT; the tables behind them, see wait_for_interrupts. */
GUEST(waits,
	"lgdt (%esi)\n"
	"lidt 16(%esi)\n"
	"xorl %eax, %eax\n"
	"outl %eax, $0x80\n"
	"1: sti\n"
	"hlt\n"
	"jmp 1b\n"
	".globl waits_handler\n"
	"waits_handler: incl %eax\n"
	"outl %eax, $0x80\n"
	"iret\n");
extern const uint8_t waits_handler[];

/* The same, as a function of this program; data stands below 4 GiB. */
uint32_t here(uint8_t *data, uint32_t rounds);
__asm__(".pushsection .text\n"
	"here:\n"
	"	movl %esi, %ecx\n"
	WORK
	"	ret\n"
	".popsection\n");

static void data_init(uint8_t *data, uint32_t rounds)
{
	const double values[] = { 3.99, 1.0, 0.3, 0.7 };

	memset(data, 0, 8192);
	for (uint32_t i = 0; i < 1024; i++)
		((uint32_t *)data)[i] = i * 0x9e3779b9u;
	memcpy(data + 4096, values, sizeof(values));
	memcpy(data + 8192, &rounds, sizeof(rounds));
}

/* PLEXUS_RUN by its bare instruction, between registers that are filled and looked at. */
static long run_with_full_registers(const struct machine *m)
{
	static uint8_t want[512] __attribute__((aligned(16))), got[512] __attribute__((aligned(16)));
	static uint32_t turn;
	const uint16_t control = 0x27f;			/* double precision: not what the kernel gives */
	const uint32_t mxcsr = 0x1f80 | 0x6000;		/* towards zero */
	long ret;

	turn++;
	__asm__ volatile("fxsave (%0)" : : "r"(want) : "memory");
	memcpy(want, &control, 2);
	memcpy(want + 24, &mxcsr, 4);
	want[4] = 0xff;					/* all eight are in use */
	for (unsigned int i = 0; i < 8; i++) {
		uint64_t mantissa = 1ull << 63 | (uint64_t)turn << 8 | i;
		uint16_t exponent = (uint16_t)(0x3fff + i);

		memcpy(want + 32 + 16 * i, &mantissa, 8);
		memcpy(want + 40 + 16 * i, &exponent, 2);
	}
	for (unsigned int i = 0; i < 256; i++)
		want[160 + i] = (uint8_t)(i * 7 + turn);
	__asm__ volatile("fxrstor (%[want])\n"
			 "syscall\n"
			 "fxsave (%[got])\n"
			 "fninit\n"
			 "ldmxcsr %[usual]\n"
			 : "=a"(ret)
			 : "a"(SYS_ioctl), "D"((long)m->fd), "S"((unsigned long)PLEXUS_RUN), "d"(0L), [want] "r"(want), [got] "r"(got),
			   [usual] "m"((uint32_t){ 0x1f80 })
			 : "rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
			   "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	/* Without what Linux leaves to the processor: last instruction and operand. */
	if (memcmp(want, got, 6) || memcmp(want + 24, got + 24, 4))
		fail("turn %u: x87's control words or MXCSR came back other than they were", turn);
	for (unsigned int i = 0; i < 8; i++)
		if (memcmp(want + 32 + 16 * i, got + 32 + 16 * i, 10))
			fail("turn %u: this program's ST(%u) is another", turn, i);
	for (unsigned int i = 0; i < 256; i++)
		if (want[160 + i] != got[160 + i])
			fail("turn %u: this program's XMM%u is another", turn, i / 16);
	return ret;
}

static int compute(uint32_t rounds)
{
	struct machine m = machine_create();
	uint8_t *mine = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uint8_t *its = m.ram + GUEST_DATA;
	uint32_t sum, turns = 0;
	long ret;

	if (mine == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	data_init(mine, rounds);
	data_init(its, rounds);
	machine_load(&m, computes, computes_end);
	do {
		ret = run_with_full_registers(&m);
		turns++;
	} while (ret == -EINTR);
	if (ret || m.run->exit != PLEXUS_EXIT_OUT || m.run->address != GUEST_PORT)
		fail("PLEXUS_RUN: %s, exit %u: %.*s", strerror((int)-ret), m.run->exit, 256, (const char *)m.run->message);
	sum = here(mine, rounds);
	if (m.run->value != sum || memcmp(mine, its, 4096))
		fail("the guest computed %08x, this program %08x", m.run->value, sum);
	if (memcmp(mine + 4128, its + 4128, 10))
		fail("x87: the guest's result is another");
	if (memcmp(mine + 4144, its + 4144, 16))
		fail("SSE2: the guest's result is another");
	printf("%08x after %u rounds, %u calls\n", sum, rounds, turns);
	machine_destroy(&m);
	return 0;
}

static int stay(const uint8_t *code, const uint8_t *end)
{
	struct machine m = machine_create();

	machine_load(&m, code, end);
	machine_says(&m);
	printf("there\n");
	fflush(stdout);
	if (machine_run(&m) != PLEXUS_EXIT_IN)
		fail("exit %u", m.run->exit);
	/* The device does not answer. */
	for (;;)
		pause();
}

static struct machine waiting;

/* The call in PLEXUS_RUN ends with -EINTR, or the next one finds the pin high. */
static void raise_intr(int signal)
{
	(void)signal;
	__atomic_store_n(&waiting.run->intr, 1, __ATOMIC_SEQ_CST);
}

static int wait_for_interrupts(void)
{
	enum { VECTOR = 0x20, GDT = GUEST_DATA + 0x100, IDT = GUEST_DATA + 0x200 };
	const struct sigaction action = { .sa_handler = raise_intr };
	/* At 10h code, at 18h data, both flat: what PLEXUS_START gave. */
	const uint64_t gdt[] = { 0, 0, 0x00cf9a000000ffff, 0x00cf92000000ffff };
	const uint32_t handler = GUEST_CODE + (uint32_t)(waits_handler - waits);
	/* A 32-bit interrupt gate, DPL 0. */
	const uint64_t gate = (handler & 0xffff) | 0x10u << 16 | (uint64_t)(handler >> 16) << 48 | 0x8eull << 40;
	const struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) gdtr = { sizeof(gdt) - 1, GDT }, idtr = { 8 * (VECTOR + 1) - 1, IDT };

	waiting = machine_create();
	memcpy(waiting.ram + GUEST_DATA, &gdtr, sizeof(gdtr));
	memcpy(waiting.ram + GUEST_DATA + 16, &idtr, sizeof(idtr));
	memcpy(waiting.ram + GDT, gdt, sizeof(gdt));
	memcpy(waiting.ram + IDT + 8 * VECTOR, &gate, sizeof(gate));
	machine_load(&waiting, waits, waits_end);
	if (sigaction(SIGUSR1, &action, NULL))
		fail("sigaction: %s", strerror(errno));
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		switch (machine_run(&waiting)) {
		case PLEXUS_EXIT_INTACK:
			__atomic_store_n(&waiting.run->intr, 0, __ATOMIC_SEQ_CST);
			waiting.run->value = VECTOR;
			break;
		case PLEXUS_EXIT_OUT:
			printf("%u\n", waiting.run->value);
			break;
		default:
			fail("exit %u", waiting.run->exit);
		}
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "computes"))
		return compute(argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 1000000);
	if (!strcmp(what, "waits"))
		return wait_for_interrupts();
	if (!strcmp(what, "spins"))
		return stay(spins, spins_end);
	if (!strcmp(what, "halts"))
		return stay(halts, halts_end);
	if (!strcmp(what, "reads"))
		return stay(reads, reads_end);
	fprintf(stderr, "guest_that: see the head of tests/module/guest_that.c\n");
	return 2;
}
