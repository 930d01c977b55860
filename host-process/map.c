/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/map.c - the process host's memory objects and mappings.
 *
 * Three memfds: guest RAM (RAM, ROMs and video memory in one), the window, and the native step's scratch page. Each is
 * mapped once above 4 GiB, writable, for the monitor. Below 4 GiB guest RAM is shown page by page, never
 * executable; the window is shown once, its code readable and executable but not writable.
 *
 * The functions in hp_host_ops run with the guest's FS: system calls only, no libc.
 * Asked by: monitor/ through struct plx_host_ops; vm.c.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host-process/process.h"

#define POPULATE_MAX (64u << 10)	/* larger runs fault in as they are used: huge pages make that cheap */

/* Linux returns from a system call with a stack segment of its own. */
static long call(struct plx_vm *vm, long n, long a, long b, long c, long d, long e, long f)
{
	vm->vcpu->nexus.load |= NX_LOAD_SS;
	return hp_syscall6(n, a, b, c, d, e, f);
}

static int map_low(struct plx_vm *vm, uint32_t linear, uint64_t nbytes, int prot, int flags, int fd, uint64_t offset)
{
	long at = call(vm, SYS_mmap, linear, (long)nbytes, prot, MAP_SHARED | MAP_FIXED | flags, fd, (long)offset);

	return at < 0 && at > -4096 ? (int)at : 0;
}

static int host_map(void *host, uint32_t linear, uint64_t offset, uint64_t nbytes, int prot)
{
	struct plx_vm *vm = host;

	return map_low(vm, linear, nbytes, PROT_READ | (prot & HOST_PROT_WRITE ? PROT_WRITE : 0),
		       nbytes <= POPULATE_MAX ? MAP_POPULATE : 0, vm->ram_fd, offset);
}

static int host_unmap(void *host, uint32_t linear, uint64_t nbytes)
{
	return (int)call(host, SYS_munmap, linear, (long)nbytes, 0, 0, 0, 0);
}

static int host_protect(void *host, uint32_t linear, uint64_t nbytes, int prot)
{
	return (int)call(host, SYS_mprotect, linear, (long)nbytes,
			 PROT_READ | (prot & HOST_PROT_WRITE ? PROT_WRITE : 0), 0, 0, 0);
}

static int host_place_window(void *host, uint32_t old, uint32_t linear)
{
	struct plx_vm *vm = host;
	int err = 0;

	/* First: the two places may overlap. */
	if (old)
		err = host_unmap(host, old, WINDOW_BYTES);
	if (!err)
		err = map_low(vm, linear + WINDOW_FLAG_PAGE, PLX_PAGE_SIZE, PROT_READ | PROT_WRITE, 0, vm->window_fd,
			      WINDOW_FLAG_PAGE);
	if (!err)
		err = map_low(vm, linear + WINDOW_SCRATCH_PAGE, PLX_PAGE_SIZE, PROT_READ | PROT_WRITE, 0, vm->window_fd,
			      WINDOW_SCRATCH_PAGE);
	if (!err)
		err = map_low(vm, linear + WINDOW_JUMP_TABLE, 2 * WINDOW_JUMP_BYTES, PROT_READ, 0, vm->window_fd,
			      WINDOW_JUMP_TABLE);
	return err;
}

static int host_show_code(void *host, uint32_t window, uint32_t from, uint32_t to)
{
	struct plx_vm *vm = host;

	return map_low(vm, window + from, to - from, PROT_READ | PROT_EXEC, 0, vm->window_fd, from);
}

static int host_place_user_scratch(void *host, uint32_t old, uint32_t linear)
{
	struct plx_vm *vm = host;
	int err = 0;

	if (linear)
		err = map_low(vm, linear, PLX_PAGE_SIZE, PROT_READ | PROT_WRITE, 0, vm->window_fd, WINDOW_USER_SCRATCH);
	if (!err && old)
		err = host_unmap(host, old, PLX_PAGE_SIZE);
	return err;
}

static int host_set_segment(void *host, unsigned int slot, const struct host_segment *seg)
{
	bool pages = seg->limit >= 0x100000;
	struct user_desc desc = {
		.entry_number = slot,
		.base_addr = seg->base,
		.limit = pages ? seg->limit >> PLX_PAGE_SHIFT : seg->limit,
		.seg_32bit = seg->big,
		.limit_in_pages = pages,
		.useable = 1,
	};

	switch (seg->kind) {
	case HOST_SEG_CODE:
		desc.contents = MODIFY_LDT_CONTENTS_CODE;
		break;
	case HOST_SEG_RW_DOWN:
	case HOST_SEG_RO_DOWN:
		desc.contents = MODIFY_LDT_CONTENTS_STACK;
		desc.read_exec_only = seg->kind == HOST_SEG_RO_DOWN;
		break;
	default:
		desc.contents = MODIFY_LDT_CONTENTS_DATA;
		desc.read_exec_only = seg->kind == HOST_SEG_RO;
	}
	return (int)call(host, SYS_modify_ldt, 0x11, (long)&desc, sizeof(desc), 0, 0, 0);
}

static void host_wait(void *host)
{
	struct plx_vm *vm = host;

	/* Comes back at once if the word is not 0 any more; a signal is as good as a wake. */
	call(vm, SYS_futex, (long)&vm->vcpu->nexus.kick, FUTEX_WAIT, 0, 0, 0, 0);
}

static void host_wait_word(void *host, const uint32_t *word)
{
	const struct timespec patience = { .tv_nsec = 5000000 };

	call(host, SYS_futex, (long)word, FUTEX_WAIT, *word, (long)&patience, 0, 0);
}

static uint64_t host_ticks(void *host)
{
	(void)host;
	return host_rdtsc();
}

static void host_die(void *host, const char *what, int err)
{
	struct plx_vm *vm = host;

	hp_host_env(vm);
	if (err)
		hp_error(vm, err, "%s: %s%s", what, strerror(-err),
			 err == -ENOMEM ? "; raise vm.max_map_count (sysctl) or give the guest less memory" : "");
	else
		hp_error(vm, -EIO, "%s; this is a defect of Plexus, please report it", what);
}

const struct plx_host_ops hp_host_ops = {
	.map = host_map,
	.unmap = host_unmap,
	.protect = host_protect,
	.place_window = host_place_window,
	.show_code = host_show_code,
	.place_user_scratch = host_place_user_scratch,
	.set_segment = host_set_segment,
	.hand_over = hp_hand_over,
	.wait = host_wait,
	.wait_word = host_wait_word,
	.ticks = host_ticks,
	.die = host_die,
};

/* ---- set-up, with libc ------------------------------------------------------------------------------ */

static int object_create(struct plx_vm *vm, const char *name, uint64_t nbytes, int *fd, uint8_t **at)
{
	void *p;

	*fd = memfd_create(name, MFD_CLOEXEC);
	if (*fd < 0)
		return hp_error(vm, -errno, "cannot make a memory object (memfd_create): %s; `plexus doctor` says what to do", strerror(errno));
	if (ftruncate(*fd, (off_t)nbytes))
		return hp_error(vm, -errno, "cannot size a memory object to %llu bytes: %s; give the guest less memory",
				(unsigned long long)nbytes, strerror(errno));
	p = mmap(NULL, nbytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, *fd, 0);
	if (p == MAP_FAILED)
		return hp_error(vm, -errno, "cannot map %llu bytes: %s; give the guest less memory",
				(unsigned long long)nbytes, strerror(errno));
	*at = p;
	if ((uintptr_t)p < 1ull << 32)
		return hp_error(vm, -EFAULT, "the kernel placed memory below 4 GiB; run Plexus as a position-independent program");
	return 0;
}

void *hp_arena_alloc(struct plx_vm *vm, size_t nbytes, size_t align)
{
	size_t at = (vm->arena_used + align - 1) & ~(align - 1);

	if (at + nbytes > HP_ARENA_BYTES)
		return NULL;
	vm->arena_used = at + nbytes;
	return vm->arena + at;
}

uint32_t hp_min_linear(void)
{
	unsigned long value = 65536;
	FILE *f;
	void *p = mmap(NULL, PLX_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (p != MAP_FAILED) {		/* privileged: page 0 is ours to map */
		munmap(p, PLX_PAGE_SIZE);
		return 0;
	}
	f = fopen("/proc/sys/vm/mmap_min_addr", "r");
	if (f) {
		if (fscanf(f, "%lu", &value) != 1)
			value = 65536;
		fclose(f);
	}
	return (uint32_t)value;
}

int hp_memory_create(struct plx_vm *vm, const struct plx_vm_config *config)
{
	uint8_t *window;
	int err;

	vm->ram_bytes = config->ram_bytes + config->extra_bytes;
	err = object_create(vm, "plexus-ram", vm->ram_bytes, &vm->ram_fd, &vm->vm.ram);
	if (err)
		return err;
	/* Where shmem honours advice, 2 MiB pages make filling and walking guest memory much cheaper. */
	madvise(vm->vm.ram, vm->ram_bytes, MADV_HUGEPAGE);
	vm->vm.ram_bytes = vm->ram_bytes;
	err = object_create(vm, "plexus-window", WINDOW_BYTES, &vm->window_fd, &window);
	if (err)
		return err;
	vm->engine->window_rw = window;
	err = object_create(vm, "plexus-native", PLX_PAGE_SIZE, &vm->native_fd, &vm->native_rw);
	if (err)
		return err;
	vm->native_rx = mmap(NULL, PLX_PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, vm->native_fd, 0);
	if (vm->native_rx == MAP_FAILED)
		return hp_error(vm, -errno,
				"cannot map memory executable: %s; look at the sysctl vm.memfd_noexec and at SELinux",
				strerror(errno));
	return 0;
}

void hp_memory_destroy(struct plx_vm *vm)
{
	munmap((void *)(uintptr_t)PLX_PAGE_SIZE, (1ull << 32) - PLX_PAGE_SIZE);
	if (vm->vm.ram)
		munmap(vm->vm.ram, vm->ram_bytes);
	if (vm->engine && vm->engine->window_rw)
		munmap(vm->engine->window_rw, WINDOW_BYTES);
	if (vm->native_rw)
		munmap(vm->native_rw, PLX_PAGE_SIZE);
	if (vm->native_rx && vm->native_rx != MAP_FAILED)
		munmap(vm->native_rx, PLX_PAGE_SIZE);
	if (vm->ram_fd >= 0)
		close(vm->ram_fd);
	if (vm->window_fd >= 0)
		close(vm->window_fd);
	if (vm->native_fd >= 0)
		close(vm->native_fd);
}
