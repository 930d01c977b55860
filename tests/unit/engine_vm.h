/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/engine_vm.h - a whole little VM in this process: guest code in assembler, a kernel that logs exceptions,
 * a machine with two ports. For tests of the engine under each of its rewrite strategies.
 *
 *      0x01000 GDT   0x02000 IDT   0x03000 TSS   0x05000 log of exceptions   0x06000 "next instruction" table
 *      0x08000 kernel   0x0a000 top of the kernel's stack   0x10000 program   0x20000 data   0x40000 top of stack
 *      0x100000 page directory   0x101000.. page tables
 *
 * Port F4h ends the run; port E0h records a value; reading E0h gives a fixed sequence.
 */
#ifndef TESTS_UNIT_ENGINE_VM_H
#define TESTS_UNIT_ENGINE_VM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "host-process/process.h"

#define GDT	0x1000u
#define IDT	0x2000u
#define TSS	0x3000u
#define LOG	0x5000u
#define NEXT	0x6000u
#define KERNEL	0x8000u
#define KSTACK	0xa000u
#define PROG	0x10000u
#define DATA	0x20000u
#define STACK	0x40000u
#define PGDIR	0x100000u
#define PGTAB	0x101000u
#ifndef EVM_RAM
#define EVM_RAM	0x800000u
#endif

#define CODE0	0x10
#define DATA0	0x18
#define CODE3	0x23
#define DATA3	0x2b
#define TSS_SEL	0x30
#define CODE16	0x38
#define DATA16	0x40
#define SPARE	0x48		/* free for a test, and all after it */

/* What the kernel does after it has logged an exception. */
#define THEN_STOP 0		/* end the run */
#define THEN_SKIP 1		/* go on behind the instruction: NEXT[eip - go_on] says where that is; traps just go on */
#define THEN_GOTO 2		/* go on at the address in log.go_on */

/* Guest code for 32-bit segments as bytes in this program. Jumps inside are relative; where an address is wanted, say
 * (label - name + 0x10000). */
#define GUEST(name, text) \
	extern const uint8_t name[], name##_end[]; \
	__asm__(".pushsection .rodata\n.code32\n" #name ":\n" text "\n" #name "_end:\n.code64\n.popsection\n")

struct evm_entry {
	uint32_t vector, error, eip, cs, eflags, cr2, esp, pad;
};

struct evm_log {
	uint32_t count, then, go_on, max;
	struct evm_entry entry[120];
};
_Static_assert(sizeof(struct evm_log) <= NEXT - LOG, "the log ends before the next table");

struct evm {
	struct plx_vm *vm;
	uint8_t *ram;
	struct evm_log *log;
	struct mon_vcpu *cpu;
	uint32_t out[64], nout, seed;
	int vector;			/* what intack gives */
	uint32_t nr_intack, nr_mmio, max_mmio;
	bool in_window;			/* a device access where the window's preferred place is */
	bool timed_out;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool over;
};

static const char *const evm_strategy_name[] = { "adaptive", "farcall", "int3", "interpret" };

/* The kernel: sixteen bytes a vector, then what they have in common. */
GUEST(evm_kernel,
	".set vec, 0\n"
	".rept 64\n"
	".balign 16\n"
	".if (vec == 8) || (vec >= 10 && vec <= 14) || (vec == 17)\n"
	".else\n"
	"	pushl $0\n"
	".endif\n"
	"	.byte 0x6a, vec\n"
	"	jmp evm_common\n"
	".set vec, vec + 1\n"
	".endr\n"
	".balign 16\n"
	"	outb %al, $0xf4\n"		/* INT 80h arrives here: all is done */
	"	hlt\n"
	"evm_common:\n"
	"	pushal\n"			/* 0: EDI ... 28: EAX, 32: vector, 36: error, 40: EIP, CS, EFLAGS */
	"	pushl %ds\n"
	"	pushl %es\n"
	"	movl $0x18, %eax\n"
	"	movl %eax, %ds\n"
	"	movl %eax, %es\n"
	"	cld\n"
	"	movl 0x5000, %eax\n"
	"	cmpl 0x500c, %eax\n"
	"	jae 9f\n"
	"	incl 0x5000\n"
	"	shll $5, %eax\n"
	"	leal 0x5010(%eax), %edi\n"
	"	leal 40(%esp), %esi\n"
	"	movl %ss:(%esi), %eax\n"
	"	stosl\n"			/* vector */
	"	movl %ss:4(%esi), %eax\n"
	"	stosl\n"			/* error */
	"	movl %ss:8(%esi), %eax\n"
	"	stosl\n"
	"	movl %ss:12(%esi), %eax\n"
	"	stosl\n"
	"	movl %ss:16(%esi), %eax\n"
	"	stosl\n"
	"	movl %cr2, %eax\n"
	"	stosl\n"
	"	movl %esp, %eax\n"
	"	stosl\n"
	"	movl 0x5004, %eax\n"
	"	cmpl $2, %eax\n"
	"	je 2f\n"
	"	cmpl $1, %eax\n"
	"	jne 9f\n"
	"	movl %ss:8(%esi), %eax\n"	/* traps are past it already */
	"	cmpl $1, %ss:(%esi)\n"
	"	je 3f\n"
	"	cmpl $3, %ss:(%esi)\n"
	"	je 3f\n"
	"	cmpl $4, %ss:(%esi)\n"
	"	je 3f\n"
	"	cmpl $32, %ss:(%esi)\n"
	"	jae 3f\n"
	"	subl 0x5008, %eax\n"
	"	cmpl $0x1000, %eax\n"
	"	jae 9f\n"
	"	movzwl 0x6000(%eax,%eax), %eax\n"
	"	addl 0x5008, %eax\n"
	"	movl %eax, %ss:8(%esi)\n"
	"	jmp 3f\n"
	"2:	movl 0x5008, %eax\n"
	"	movl %eax, %ss:8(%esi)\n"
	"3:	popl %es\n"
	"	popl %ds\n"
	"	popal\n"
	"	addl $8, %esp\n"
	"	iret\n"
	"9:	outb %al, $0xf4\n"
	"	hlt\n");

static uint32_t evm_in(void *machine, uint16_t port, unsigned int size)
{
	struct evm *m = machine;

	if (port != 0xe0)
		return ~0u;
	m->seed = m->seed * 1664525 + 1013904223;
	return size == 4 ? m->seed : m->seed >> 8 & ((1u << size * 8) - 1);
}

static void evm_out(void *machine, uint16_t port, unsigned int size, uint32_t value)
{
	struct evm *m = machine;

	(void)size;
	if (port == 0xf4)
		plx_vm_stop(m->vm);
	else if (port == 0xe0 && m->nout < PLX_ARRAY_SIZE(m->out))
		m->out[m->nout++] = value;
	else if (port == 0xe4)
		plx_set_intr(m->vm, value);
}

static uint32_t evm_ins(void *machine, uint16_t port, unsigned int size, void *buf, uint32_t count)
{
	uint32_t value = evm_in(machine, port, size);

	(void)count;
	memcpy(buf, &value, size);
	return 1;
}

static uint32_t evm_outs(void *machine, uint16_t port, unsigned int size, const void *buf, uint32_t count)
{
	uint32_t value = 0;

	(void)count;
	memcpy(&value, buf, size);
	evm_out(machine, port, size, value);
	return 1;
}

static void evm_count_mmio(struct evm *m, uint32_t gpa)
{
	if (gpa - WINDOW_PREFERRED < WINDOW_BYTES)
		m->in_window = true;
	if (++m->nr_mmio == m->max_mmio)
		plx_vm_stop(m->vm);
}

static uint32_t evm_mmio_read(void *machine, uint32_t gpa, unsigned int size)
{
	(void)size;
	evm_count_mmio(machine, gpa);
	return 0xccccccccu;
}

static void evm_mmio_write(void *machine, uint32_t gpa, unsigned int size, uint32_t value)
{
	(void)size;
	(void)value;
	evm_count_mmio(machine, gpa);
}

static int evm_intack(void *machine)
{
	struct evm *m = machine;

	m->nr_intack++;
	plx_set_intr(m->vm, false);
	return m->vector;
}

static const struct plx_machine_ops evm_ops = {
	.in = evm_in, .out = evm_out, .ins = evm_ins, .outs = evm_outs,
	.mmio_read = evm_mmio_read, .mmio_write = evm_mmio_write, .intack = evm_intack,
};

static inline void evm_poke(struct evm *m, uint32_t gpa, const void *bytes, uint32_t nbytes)
{
	plx_vm_dma_write(m->vm, gpa, bytes, nbytes);
}

static inline void evm_poke32(struct evm *m, uint32_t gpa, uint32_t value)
{
	evm_poke(m, gpa, &value, 4);
}

static inline uint32_t evm_peek32(const struct evm *m, uint32_t gpa)
{
	uint32_t value;

	memcpy(&value, m->ram + gpa, 4);
	return value;
}

/* @flags: G 8, D 4, as the descriptor has them. */
static inline void evm_descriptor(struct evm *m, uint32_t sel, uint32_t base, uint32_t limit, uint32_t access, uint32_t flags)
{
	evm_poke32(m, GDT + (sel & ~7u), base << 16 | (limit & 0xffff));
	evm_poke32(m, GDT + (sel & ~7u) + 4, (base & 0xff000000) | flags << 20 | (limit & 0xf0000) | access << 8 |
		   (base >> 16 & 0xff));
}

static inline void evm_gate(struct evm *m, uint32_t vector, uint32_t offset, unsigned int dpl)
{
	evm_poke32(m, IDT + vector * 8, CODE0 << 16 | (offset & 0xffff));
	evm_poke32(m, IDT + vector * 8 + 4, (offset & 0xffff0000) | 0x8e00 | dpl << 13);
}

/* Memory as it is before a program; all else is zero. */
static inline void evm_tables(struct evm *m)
{
	evm_descriptor(m, CODE0, 0, 0xfffff, 0x9b, 12);
	evm_descriptor(m, DATA0, 0, 0xfffff, 0x93, 12);
	evm_descriptor(m, CODE3, 0, 0xfffff, 0xfb, 12);
	evm_descriptor(m, DATA3, 0, 0xfffff, 0xf3, 12);
	evm_descriptor(m, TSS_SEL, TSS, 0x67, 0x89, 0);
	evm_descriptor(m, CODE16, 0, 0xffff, 0x9b, 0);
	evm_descriptor(m, DATA16, 0, 0xffff, 0x93, 0);
	for (uint32_t i = 0; i < 64; i++)
		evm_gate(m, i, KERNEL + i * 16, i == 3 || i == 4 ? 3 : 0);
	evm_gate(m, 0x80, KERNEL + 64 * 16, 3);
	evm_poke32(m, TSS + 4, KSTACK);
	evm_poke32(m, TSS + 8, DATA0);
	evm_poke32(m, TSS + 0x64, 0x68u << 16);
	evm_poke(m, KERNEL, evm_kernel, (uint32_t)(evm_kernel_end - evm_kernel));
	m->log->count = 0;
	m->log->then = THEN_STOP;
	m->log->max = PLX_ARRAY_SIZE(m->log->entry);
}

/* Page tables: [0, EVM_RAM) as it is, with @rights; the same again for the supervisor at C0000000. */
static inline void evm_identity(struct evm *m, uint32_t rights)
{
	for (uint32_t i = 0; i < EVM_RAM >> 22; i++) {
		evm_poke32(m, PGDIR + i * 4, (PGTAB + i * 0x1000) | 7);
		evm_poke32(m, PGDIR + (0x300 + i) * 4, (PGTAB + (i + 2) * 0x1000) | 3);
	}
	for (uint32_t i = 0; i < EVM_RAM >> 12; i++) {
		evm_poke32(m, PGTAB + i * 4, i << 12 | rights);
		evm_poke32(m, PGTAB + 0x2000 + i * 4, i << 12 | 0x63);
	}
}

static inline void evm_page(struct evm *m, uint32_t linear, uint32_t entry)
{
	evm_poke32(m, PGTAB + (linear >> 12) * 4, entry);
}

static inline void evm_start(struct evm *m, uint32_t eip)
{
	struct plx_flat_start start = { .eip = eip, .esp = STACK, .gdt_base = GDT, .gdt_limit = 0xff };

	plx_vm_start_flat(m->vm, &start);
	m->cpu->idtr = (struct mon_dtr){ .base = IDT, .limit = 0x7ff };
	m->cpu->tr = (struct mon_seg){ .sel = TSS_SEL, .base = TSS, .limit = 0x67, .attr = 0x8b };
	m->cpu->cr4 |= X86_CR4_OSFXSR;
	m->cpu->cr0 = (m->cpu->cr0 & ~(X86_CR0_CD | X86_CR0_NW | X86_CR0_EM | X86_CR0_TS)) | X86_CR0_NE | X86_CR0_MP;
	m->nout = m->nr_intack = m->nr_mmio = 0;
	m->in_window = false;
	m->seed = 1;
}

/* From the start in ring 3, with paging on. */
static inline void evm_start_user(struct evm *m, uint32_t eip)
{
	evm_start(m, eip);
	m->cpu->cr3 = PGDIR;
	m->cpu->cr0 |= X86_CR0_PG | X86_CR0_WP;
	mon_tlb_flush(m->cpu);
	engine_hooks.load_cr3(m->cpu);
	for (unsigned int i = 0; i < 6; i++)
		m->cpu->seg[i] = (struct mon_seg){ .sel = i == X86_CS ? CODE3 : DATA3, .limit = 0xffffffff,
			.attr = MON_SEG_P | MON_SEG_S | MON_SEG_DB | MON_SEG_G | MON_SEG_DPL | MON_SEG_ACCESSED | MON_SEG_WRITABLE |
				(i == X86_CS ? MON_SEG_CODE : 0) };
	m->cpu->cpl = 3;
	m->cpu->seg_dirty = 0x3f;
	m->cpu->mode_dirty = 1;
}

/* The VM of now. One runs in a process at a time: a test that failed leaves its own behind, and the next one clears it away. */
static struct evm *evm_now;

static inline void evm_close(struct evm *m)
{
	evm_now = NULL;
	plx_vm_destroy(m->vm);		/* and with it the memory of *m */
}

static inline struct evm *evm_open(enum plx_rewrite rewrite)
{
	struct plx_vm_config config = { .ram_bytes = EVM_RAM, .rewrite = rewrite };
	struct plx_vm *vm = NULL;
	struct evm *m;

	if (evm_now)
		evm_close(evm_now);
	if (plx_vm_create(&config, &vm)) {
		print_error("%s\n", plx_vm_error(NULL));
		fail();
	}
	m = plx_vm_alloc(vm, sizeof(*m));	/* a space of its own runs in a process of its own: it must see this too */
	assert_non_null(m);
	m->vm = vm;
	plx_vm_set_machine(m->vm, &evm_ops, m);
	m->ram = plx_vm_ram(m->vm);
	m->log = (struct evm_log *)(m->ram + LOG);
	m->cpu = m->vm->vcpu;
	m->max_mmio = 5000;
	evm_now = m;
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->wake, NULL);
	evm_tables(m);
	return m;
}

/* A guest that does not end is ended, and the test fails for that: how long is no part of any claim. */
static void *evm_watch(void *arg)
{
	struct evm *m = arg;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	pthread_mutex_lock(&m->lock);
	while (!m->over && !m->timed_out)
		if (pthread_cond_timedwait(&m->wake, &m->lock, &until)) {
			m->timed_out = true;
			plx_vm_stop(m->vm);
		}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

static inline enum plx_exit evm_run(struct evm *m)
{
	enum plx_exit exit;
	pthread_t watch;

	m->over = m->timed_out = false;
	pthread_create(&watch, NULL, evm_watch, m);
	exit = plx_vcpu_run(m->vm);
	pthread_mutex_lock(&m->lock);
	m->over = true;
	pthread_cond_signal(&m->wake);
	pthread_mutex_unlock(&m->lock);
	pthread_join(watch, NULL);
	return exit;
}

/* Run and expect the guest's own end. */
static inline void evm_run_to_end(struct evm *m)
{
	enum plx_exit exit = evm_run(m);

	if (exit != PLX_EXIT_STOP || m->timed_out) {
		char text[1024];

		plx_vm_dump_registers(m->vm, text, sizeof(text));
		print_error("exit %d%s: %s\n%s", (int)exit, m->timed_out ? " (it would not end)" : "",
			    plx_vm_error(m->vm), text);
		for (uint32_t i = 0; i < m->log->count && i < 8; i++)
			print_error("exception %u error %x at %x cr2 %x\n", m->log->entry[i].vector,
				    m->log->entry[i].error, m->log->entry[i].eip, m->log->entry[i].cr2);
		fail();
	}
}

static inline void evm_load(struct evm *m, uint32_t gpa, const uint8_t *code, const uint8_t *end)
{
	evm_poke(m, gpa, code, (uint32_t)(end - code));
}

#define LOAD(m, gpa, name) evm_load(m, gpa, name, name##_end)

/* For each strategy a fresh VM, in @m. */
#define EVERY_STRATEGY(m) \
	for (unsigned int s_ = 0; s_ < 4 && ((m) = evm_open((enum plx_rewrite)s_)); evm_close(m), s_++)

/* Words of guest programs. */
#define OUT(reg) "	xchgl " reg ", %eax\n	outl %eax, $0xe0\n	xchgl " reg ", %eax\n"
#define SAY_EAX "	outl %eax, $0xe0\n"
#define END "	outb %al, $0xf4\n	hlt\n"

static inline void evm_check_out(const struct evm *m, const uint32_t *want, uint32_t n)
{
	for (uint32_t i = 0; i < n && i < m->nout; i++)
		if (m->out[i] != want[i]) {
			print_error("strategy %s: value %u is %x, not %x\n",
				    evm_strategy_name[m->vm->engine->interpret_only ? 3 : m->vm->engine->cache.env.strategy],
				    i, m->out[i], want[i]);
			fail();
		}
	if (m->nout != n)
		print_error("strategy %s\n", evm_strategy_name[m->vm->engine->interpret_only ? 3 : m->vm->engine->cache.env.strategy]);
	assert_int_equal(m->nout, n);
}
#define CHECK_OUT(m, ...) do { \
	const uint32_t want_[] = { __VA_ARGS__ }; \
	evm_check_out(m, want_, PLX_ARRAY_SIZE(want_)); \
} while (0)

#endif
