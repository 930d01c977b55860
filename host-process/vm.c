/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/vm.c - include/plexus/plexus.h, implemented by an ordinary process.
 *
 * Asked by:  user/, devices/pc.c. Asks: monitor/engine.h, map.c, signal.c, io.c.
 * State:     all of it in the arena, which is shared memory at one address (struct plx_vm included).
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host-process/features.h"
#include "host-process/process.h"

#define RAM_MAX 0xe0000000ull		/* 3.5 GiB: above are devices and the firmware */

/* Why plx_vm_create failed: there is no VM yet to keep it. Written by plx_vm_create only. */
static char create_error[HP_ERROR_MAX] = "no error";

int hp_error(struct plx_vm *vm, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(vm->error, sizeof(vm->error), format, args);
	va_end(args);
	return err;
}

const char *plx_vm_error(const struct plx_vm *vm)
{
	return vm ? vm->error : create_error;
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	__cpuid_count(leaf, subleaf, regs[0], regs[1], regs[2], regs[3]);
}

/* The arena is sparse: what is not used costs nothing. */
static void *table(void *vm, size_t nbytes)
{
	return hp_arena_alloc(vm, nbytes, 4096);
}

static void start_vcpu(struct plx_vm *vm)
{
	mon_reset(vm->vcpu);
	mon_fpu_reset(vm->vcpu);
	/* The guest sees the host's time-stamp counter as it is, so that RDTSC needs no help. */
	vm->vcpu->tsc_offset = 0;
	vm->vcpu->halted = 0;
	vm->vcpu->seg_dirty = 0x3f;
	vm->vcpu->mode_dirty = 1;
}

static int build(struct plx_vm *vm, const struct plx_vm_config *config)
{
	struct mon_engine *e;
	int err;

	vm->vcpu = hp_arena_alloc(vm, sizeof(*vm->vcpu), 4096);
	vm->engine = e = hp_arena_alloc(vm, sizeof(*vm->engine), 4096);
	if (!vm->vcpu || !e)
		return hp_error(vm, -ENOMEM, "out of memory for the virtual processor");
	vm->vcpu->nexus.host_env = true;
	vm->vcpu->fpu_area = hp_arena_alloc(vm, 4096, 64);
	e->vm = &vm->vm;
	err = hp_memory_create(vm, config);
	if (!err && !engine_allocate(e, SPACE_MAX, table, vm))
		err = hp_error(vm, -ENOMEM, "out of memory for the monitor's tables");
	if (!err)
		hp_spaces_create(vm);
	if (!err)
		err = hp_features_parse(vm, config->host_features);
	if (err)
		return err;

	mon_native_init(&vm->native, vm->native_rw, vm->native_rx, PLX_PAGE_SIZE);
	mon_features_init(&vm->features, host_cpuid);
	vm->vm.features = &vm->features;
	vm->vm.a20_mask = ~0u;
	vm->vcpu->vm = &vm->vm;
	vm->vcpu->native_page = &vm->native;
	hp_io_init(vm);
	for (uint64_t at = 0; at < config->ram_bytes; at += PLX_PAGE_SIZE)
		vm->vm.page[at >> PLX_PAGE_SHIFT] = at | MON_PAGE_PRESENT;

	e->vcpu = vm->vcpu;
	e->ops = &hp_host_ops;
	e->host = vm;
	e->min_linear = hp_min_linear();
	/* What the host will not map at the bottom goes to the top: the segments' bases wrap around. */
	e->delta = e->min_linear > 0 ? 0x10000 : 0;
	e->window = WINDOW_PREFERRED;
	e->interpret_only = config->rewrite == PLX_REWRITE_INTERPRET;
	e->cache.rw = e->window_rw;
	e->cache.env = (struct prescan_env){
		.window = e->window,
		.data_bias = e->delta,
		.cs64 = NX_CS64,
		.strategy = config->rewrite == PLX_REWRITE_FARCALL ? REWRITE_FARCALL :
			    config->rewrite == PLX_REWRITE_INT3 ? REWRITE_INT3 : REWRITE_ADAPTIVE,
		.count = config->count_instructions,
		.is_callout = hp_is_callout,
		.owner = e,
	};
	engine_init(e);
	start_vcpu(vm);
	return 0;
}

bool hp_is_callout(void *owner, uint32_t linear)
{
	return engine_is_callout_site(owner, linear) || hp_trace_watches(owner, linear);
}

int plx_vm_create(const struct plx_vm_config *config, struct plx_vm **out)
{
	struct plx_vm *vm;
	uint8_t *arena;
	int err;

	if (!config->ram_bytes || config->ram_bytes > RAM_MAX || config->ram_bytes % (1u << 20)) {
		snprintf(create_error, sizeof(create_error),
			 "guest memory must be a multiple of 1 MiB, at most %llu MiB", RAM_MAX >> 20);
		return -EINVAL;
	}
	arena = mmap(NULL, HP_ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena == MAP_FAILED) {
		snprintf(create_error, sizeof(create_error), "cannot allocate the monitor's memory: %s; free some",
			 strerror(errno));
		return -errno;
	}
	vm = (struct plx_vm *)arena;
	vm->arena = arena;
	vm->arena_used = sizeof(*vm);
	vm->ram_fd = vm->window_fd = vm->native_fd = -1;
	vm->start_ns = clock_ns();
	vm->start_ticks = hp_rdtsc();
	snprintf(vm->error, sizeof(vm->error), "no error");
	err = build(vm, config);
	if (err) {
		snprintf(create_error, sizeof(create_error), "%s", vm->error);
		hp_memory_destroy(vm);
		munmap(arena, HP_ARENA_BYTES);
		return err;
	}
	*out = vm;
	return 0;
}

void plx_vm_destroy(struct plx_vm *vm)
{
	hp_spaces_destroy(vm);
	hp_memory_destroy(vm);
	munmap(vm->arena, HP_ARENA_BYTES);
}

void plx_vm_set_machine(struct plx_vm *vm, const struct plx_machine_ops *ops, void *machine)
{
	vm->machine_ops = ops;
	vm->machine = machine;
}

void *plx_vm_alloc(struct plx_vm *vm, size_t nbytes)
{
	return hp_arena_alloc(vm, nbytes, 64);
}

uint8_t *plx_vm_ram(struct plx_vm *vm)
{
	return vm->vm.ram;
}

int plx_vm_map(struct plx_vm *vm, uint32_t gpa, uint64_t nbytes, uint64_t offset, int kind)
{
	if ((gpa | nbytes | offset) & PLX_PAGE_MASK || gpa + nbytes > 1ull << 32 ||
	    (kind != PLX_MAP_NONE && offset + nbytes > vm->ram_bytes))
		return hp_error(vm, -EINVAL, "a memory region is not on page boundaries or outside memory");
	for (uint64_t at = 0; at < nbytes; at += PLX_PAGE_SIZE) {
		uint32_t gfn = (uint32_t)((gpa + at) >> PLX_PAGE_SHIFT);
		uint64_t entry = 0;

		if (kind != PLX_MAP_NONE)
			entry = (offset + at) | MON_PAGE_PRESENT | (kind == PLX_MAP_ROM ? MON_PAGE_ROM : 0);
		if ((vm->vm.page[gfn] & ~(uint64_t)(MON_PAGE_CODE | MON_PAGE_DIRTY)) == entry)
			continue;
		prescan_cache_written(&vm->engine->cache, gfn << PLX_PAGE_SHIFT, PLX_PAGE_SIZE);
		shadow_drop_gfn(vm->engine, gfn);
		space_tell(vm->engine, SPACE_DROP_GFN, gfn);
		vm->vm.page[gfn] = entry;
	}
	mon_tlb_flush(vm->vcpu);
	return 0;
}

void plx_vm_dma_read(struct plx_vm *vm, uint32_t gpa, void *buf, uint32_t nbytes)
{
	mon_phys_read(vm->vcpu, gpa, buf, nbytes);
}

void plx_vm_dma_write(struct plx_vm *vm, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	mon_phys_write(vm->vcpu, gpa, buf, nbytes);
}

void plx_vm_set_a20(struct plx_vm *vm, bool open)
{
	uint32_t mask = open ? ~0u : ~(1u << 20);

	if (vm->vm.a20_mask == mask)
		return;
	vm->vm.a20_mask = mask;
	mon_tlb_flush(vm->vcpu);
	engine_hooks.flush_tlb(vm->vcpu, true);
}

/* Make the vCPU's thread look around, wherever it is. */
static void kick(struct plx_vm *vm)
{
	__atomic_store_n(&vm->vcpu->nexus.kick, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&vm->running, __ATOMIC_SEQ_CST) || pthread_equal(pthread_self(), vm->vcpu_thread))
		return;
	syscall(SYS_futex, &vm->vcpu->nexus.kick, FUTEX_WAKE, 1, NULL, NULL, 0);
	syscall(SYS_tgkill, vm->vcpu_pid, vm->vcpu_tid, HP_KICK_SIGNAL);
}

void plx_set_intr(struct plx_vm *vm, bool level)
{
	uint32_t old = __atomic_exchange_n(&vm->engine->intr, level, __ATOMIC_SEQ_CST);

	if (level && !old)
		kick(vm);
}

void plx_pulse_nmi(struct plx_vm *vm)
{
	__atomic_store_n(&vm->engine->nmi, 1, __ATOMIC_SEQ_CST);
	kick(vm);
}

void plx_vm_stop(struct plx_vm *vm)
{
	__atomic_fetch_or(&vm->engine->stop, ENGINE_STOP_QUIT, __ATOMIC_SEQ_CST);
	kick(vm);
}

void plx_vm_request_reset(struct plx_vm *vm)
{
	__atomic_fetch_or(&vm->engine->stop, ENGINE_STOP_RESET, __ATOMIC_SEQ_CST);
	kick(vm);
}

void plx_vm_reset_cpu(struct plx_vm *vm)
{
	__atomic_store_n(&vm->engine->nmi, 0, __ATOMIC_SEQ_CST);
	start_vcpu(vm);
	mon_tlb_flush(vm->vcpu);
	engine_hooks.flush_tlb(vm->vcpu, true);
}

static struct mon_seg flat_segment(uint16_t sel, uint32_t type)
{
	return (struct mon_seg){ .sel = sel, .attr = type | MON_SEG_S | MON_SEG_P | MON_SEG_DB | MON_SEG_G |
				 MON_SEG_ACCESSED, .limit = 0xffffffff };
}

void plx_vm_start_flat(struct plx_vm *vm, const struct plx_flat_start *start)
{
	struct mon_vcpu *v = vm->vcpu;

	plx_vm_reset_cpu(vm);
	v->cr0 |= X86_CR0_PE;
	v->gdtr = (struct mon_dtr){ .base = start->gdt_base, .limit = start->gdt_limit };
	for (unsigned int i = 0; i < 6; i++)
		v->seg[i] = flat_segment(0x18, MON_SEG_WRITABLE);
	v->seg[X86_CS] = flat_segment(0x10, MON_SEG_CODE | MON_SEG_READABLE);
	v->eip = start->eip;
	v->gpr[X86_ESP] = start->esp;
	v->gpr[X86_ESI] = start->esi;
	v->seg_dirty = 0x3f;
	v->mode_dirty = 1;
}

void plx_vm_dump_registers(struct plx_vm *vm, char *buf, size_t nbytes)
{
	static const char *const name[6] = { "ES", "CS", "SS", "DS", "FS", "GS" };
	const struct mon_vcpu *v = vm->vcpu;
	size_t n;

	n = (size_t)snprintf(buf, nbytes,
		"EAX=%08x EBX=%08x ECX=%08x EDX=%08x\nESI=%08x EDI=%08x EBP=%08x ESP=%08x\n"
		"EIP=%08x EFLAGS=%08x CPL=%u\nCR0=%08x CR2=%08x CR3=%08x CR4=%08x\n",
		v->gpr[X86_EAX], v->gpr[X86_EBX], v->gpr[X86_ECX], v->gpr[X86_EDX],
		v->gpr[X86_ESI], v->gpr[X86_EDI], v->gpr[X86_EBP], v->gpr[X86_ESP],
		v->eip, v->eflags, v->cpl, v->cr0, v->cr2, v->cr3, v->cr4);
	for (unsigned int i = 0; i < 6 && n < nbytes; i++)
		n += (size_t)snprintf(buf + n, nbytes - n, "%s=%04x base %08x limit %08x attr %05x\n", name[i],
				      v->seg[i].sel, v->seg[i].base, v->seg[i].limit, v->seg[i].attr);
	if (n < nbytes)
		snprintf(buf + n, nbytes - n, "GDT base %08x limit %04x  IDT base %08x limit %04x  TR=%04x base %08x\n",
			 v->gdtr.base, v->gdtr.limit, v->idtr.base, v->idtr.limit, v->tr.sel, v->tr.base);
}

enum plx_exit plx_vcpu_run(struct plx_vm *vm)
{
	enum engine_result result;
	sigset_t block, old;

	/* Handlers of other signals would run with the guest's FS. */
	sigfillset(&block);
	sigdelset(&block, SIGSEGV);
	sigdelset(&block, SIGBUS);
	sigdelset(&block, SIGFPE);
	sigdelset(&block, SIGILL);
	sigdelset(&block, SIGTRAP);
	sigdelset(&block, HP_KICK_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &block, &old);
	vm->vcpu_thread = pthread_self();
	vm->vcpu_tid = (pid_t)syscall(SYS_gettid);
	vm->vcpu_pid = getpid();
	vm->engine->spaces[0].host_tid = vm->vcpu_tid;
	syscall(SYS_arch_prctl, ARCH_GET_FS, &vm->fs_base);
	if (hp_signals_install(vm) || (!vm->window_placed && !window_place(vm->engine, vm->engine->window))) {
		hp_signals_remove(vm);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		return PLX_EXIT_ERROR;
	}
	vm->window_placed = true;
	__atomic_store_n(&vm->running, true, __ATOMIC_SEQ_CST);

	vm->vcpu->nexus.host_env = false;
	vm->vcpu->nexus.load |= NX_LOAD_SEGS;
	result = engine_run(vm->engine);
	hp_host_env(vm);
	__asm__ volatile("movw %w0, %%ds; movw %w0, %%es; movw %w0, %%gs" : : "r"(0));

	__atomic_store_n(&vm->running, false, __ATOMIC_SEQ_CST);
	hp_signals_remove(vm);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (hp_spaces_lost(vm))
		return PLX_EXIT_ERROR;
	switch (result) {
	case ENGINE_STOPPED:
		return PLX_EXIT_STOP;
	case ENGINE_RESET:
		return PLX_EXIT_RESET;
	case ENGINE_TRIPLE_FAULT:
		return PLX_EXIT_TRIPLE_FAULT;
	default:
		return PLX_EXIT_ERROR;
	}
}
