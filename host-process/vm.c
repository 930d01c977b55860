/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/vm.c - struct plx_vm_ops, implemented by an ordinary process.
 *
 * Asked by:  host/vm.c. Asks: monitor/engine.h, map.c, signal.c, io.c.
 * State:     all of it in the arena, which is shared memory at one address (struct plx_vm included).
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host-process/features.h"
#include "host-process/process.h"
#include "monitor/stats.h"
#include "plexus/plexus-abi.h"

static const struct plx_vm_ops process_ops;

static void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	__cpuid_count(leaf, subleaf, regs[0], regs[1], regs[2], regs[3]);
}

/* The arena is sparse: what is not used costs nothing. */
void *hp_table(void *vm, size_t nbytes)
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
	if (!err && !engine_allocate(e, SPACE_MAX, hp_table, vm))
		err = hp_error(vm, -ENOMEM, "out of memory for the monitor's tables");
	if (!err)
		hp_spaces_create(vm);
	if (!err)
		err = hp_features_choose(vm, config->host_features);
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
	};
	engine_init(e);
	start_vcpu(vm);
	return 0;
}

int hp_vm_create(const struct plx_vm_config *config, struct plx_vm **out, char *why, size_t why_bytes)
{
	struct plx_vm *vm;
	uint8_t *arena;
	int err;

	arena = mmap(NULL, HP_ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena == MAP_FAILED) {
		err = -errno;
		snprintf(why, why_bytes, "cannot allocate the monitor's memory: %s; free some, or raise the limit (ulimit -v)", strerror(-err));
		return err;
	}
	vm = (struct plx_vm *)arena;
	vm->arena = arena;
	vm->arena_used = sizeof(*vm);
	vm->ram_fd = vm->window_fd = vm->native_fd = -1;
	host_head_init(&vm->head, &process_ops);
	err = build(vm, config);
	if (err) {
		snprintf(why, why_bytes, "%s", vm->head.error);
		hp_memory_destroy(vm);
		munmap(arena, HP_ARENA_BYTES);
		return err;
	}
	*out = vm;
	return 0;
}

static void vm_destroy(struct plx_vm *vm)
{
	hp_spaces_destroy(vm);
	hp_memory_destroy(vm);
	munmap(vm->arena, HP_ARENA_BYTES);
}

static void *vm_alloc(struct plx_vm *vm, size_t nbytes)
{
	return hp_arena_alloc(vm, nbytes, 64);
}

static uint8_t *vm_ram(struct plx_vm *vm)
{
	return vm->vm.ram;
}

static int vm_map(struct plx_vm *vm, uint32_t gpa, uint64_t nbytes, uint64_t offset, int kind)
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
		vm->engine->window_dirty = true;	/* it may stand where there was nothing until now */
		vm->engine->window_clear = false;
	}
	mon_tlb_flush(vm->vcpu);
	return 0;
}

static void vm_dma_read(struct plx_vm *vm, uint32_t gpa, void *buf, uint32_t nbytes)
{
	mon_phys_read(vm->vcpu, gpa, buf, nbytes);
}

static void vm_dma_write(struct plx_vm *vm, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	mon_phys_write(vm->vcpu, gpa, buf, nbytes);
}

static void vm_set_a20(struct plx_vm *vm, bool open)
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

static void vm_set_intr(struct plx_vm *vm, bool level)
{
	uint32_t old = __atomic_exchange_n(&vm->engine->intr, level, __ATOMIC_SEQ_CST);

	if (level && !old)
		kick(vm);
}

static void vm_pulse_nmi(struct plx_vm *vm)
{
	__atomic_store_n(&vm->engine->nmi, 1, __ATOMIC_SEQ_CST);
	kick(vm);
}

static void vm_stop(struct plx_vm *vm)
{
	__atomic_fetch_or(&vm->engine->stop, ENGINE_STOP_QUIT, __ATOMIC_SEQ_CST);
	kick(vm);
}

static void vm_request_reset(struct plx_vm *vm)
{
	__atomic_fetch_or(&vm->engine->stop, ENGINE_STOP_RESET, __ATOMIC_SEQ_CST);
	kick(vm);
}

static void vm_reset_cpu(struct plx_vm *vm)
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

static void vm_start_flat(struct plx_vm *vm, const struct plx_flat_start *start)
{
	struct mon_vcpu *v = vm->vcpu;

	vm_reset_cpu(vm);
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

static struct plexus_segment segment(const struct mon_seg *s)
{
	return (struct plexus_segment){ .selector = s->sel, .base = s->base, .limit = s->limit, .attributes = s->attr };
}

static bool vm_registers(struct plx_vm *vm, struct plexus_registers *to)
{
	const struct mon_vcpu *v = vm->vcpu;

	memcpy(to->gpr, v->gpr, sizeof(to->gpr));
	for (unsigned int i = 0; i < 6; i++)
		to->segment[i] = segment(&v->seg[i]);
	to->segment[6] = segment(&v->ldtr);
	to->segment[7] = segment(&v->tr);
	to->cpl = v->cpl;
	to->eip = v->eip;
	to->eflags = v->eflags;
	to->cr0 = v->cr0;
	to->cr2 = v->cr2;
	to->cr3 = v->cr3;
	to->cr4 = v->cr4;
	to->gdt_base = v->gdtr.base;
	to->gdt_limit = v->gdtr.limit;
	to->idt_base = v->idtr.base;
	to->idt_limit = v->idtr.limit;
	to->halted = v->halted;
	return true;
}

static size_t vm_stat_values(struct plx_vm *vm, uint64_t *values, size_t max)
{
	return engine_stat_values(vm->engine, values, max);
}

static enum plx_exit vm_run(struct plx_vm *vm)
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
	__asm__ volatile("movw %w0, %%ds; movw %w0, %%es; movw %w0, %%fs; movw %w0, %%gs" : : "r"(0));
	vm->set_fs(vm);			/* its base went with the selector */

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

static const struct plx_vm_ops process_ops = {
	.destroy = vm_destroy,
	.alloc = vm_alloc,
	.host_call = hp_host_call,
	.ram = vm_ram,
	.map = vm_map,
	.dma_read = vm_dma_read,
	.dma_write = vm_dma_write,
	.set_a20 = vm_set_a20,
	.run = vm_run,
	.set_intr = vm_set_intr,
	.pulse_nmi = vm_pulse_nmi,
	.stop = vm_stop,
	.request_reset = vm_request_reset,
	.child_died = hp_child_died,
	.reset_cpu = vm_reset_cpu,
	.start_flat = vm_start_flat,
	.registers = vm_registers,
	.stat_values = vm_stat_values,
	.trace = hp_trace,
	.sites = hp_sites,
	.trace_collect = hp_trace_collect,
	.cover = hp_cover,
};
