/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/client/vm.c - a machine in plexus.ko: made, laid out, asked, ended.
 *
 * Asked by:  host/vm.c. Asks: the module, through client.h's table; device.c, run.c.
 * Errors:    what plexus.h lets fail in silence (start, A20, DMA) is kept, and ends the next run with a sentence.
 * Tested by: tests/unit/test_module_client.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host-module/client/client.h"

#define ACCESS_MAX	(16ull << 20)	/* of one PLEXUS_ACCESS */
#define BLOCK_ALIGN	64u

_Static_assert(PLX_REWRITE_ADAPTIVE == PLEXUS_REWRITE_ADAPTIVE && PLX_REWRITE_FARCALL == PLEXUS_REWRITE_FARCALL &&
	       PLX_REWRITE_INT3 == PLEXUS_REWRITE_INT3 && PLX_REWRITE_INTERPRET == PLEXUS_REWRITE_INTERPRET &&
	       PLX_REWRITE_GATE == PLEXUS_REWRITE_GATE, "rewrite");
_Static_assert(PLX_MAP_RAM == PLEXUS_MAP_RAM && PLX_MAP_ROM == PLEXUS_MAP_ROM && PLX_MAP_NONE == PLEXUS_MAP_DEVICE, "kinds");

static const struct plx_vm_ops module_ops;

int hm_ioctl(struct plx_vm *vm, unsigned long call, void *arg)
{
	int err;

	do
		err = vm->calls->ioctl(vm->calls->owner, vm->fd, call, arg);
	while (err == -EINTR);
	return err;
}

/* The machine is of no use any more, and plexus.h has no way to say so here. The first reason is the one that counts. */
static void fail(struct plx_vm *vm, int err, const char *what)
{
	if (vm->failed)
		return;
	vm->failed = true;
	if (err == -EIO && vm->run->message[0])
		host_error(&vm->head, err, "%.*s", (int)sizeof(vm->run->message), (const char *)vm->run->message);
	else
		host_error(&vm->head, err, "plexus.ko could not %s: %s", what, strerror(-err));
}

/* ---- making ------------------------------------------------------------------------------------------ */

static void say_create(int err, const struct plx_vm_config *config, const struct plexus_version *v, char *why, size_t why_bytes)
{
	uint64_t mib = (config->ram_bytes + config->extra_bytes) >> 20;

	switch (err) {
	case -ENOMEM:
		snprintf(why, why_bytes, "plexus.ko has no memory for a machine of %" PRIu64 " MiB (it is never swapped out, and a user "
			 "has a limit): give it less with --memory, " HM_ELSE, mib);
		break;
	case -EMFILE:
		snprintf(why, why_bytes, "you have as many machines as plexus.ko gives one user (%" PRIu32 "): end one, as root raise "
			 "its parameter max_machines, " HM_ELSE, v->max_machines);
		break;
	case -EOPNOTSUPP:
		snprintf(why, why_bytes, "plexus.ko cannot run guests on this processor or kernel: the kernel's log says why (dmesg), "
			 HM_ELSE);
		break;
	case -E2BIG:
	case -EINVAL:
		snprintf(why, why_bytes, "plexus.ko (release %.*s) does not know such a machine: leave out %s, " HM_ELSE,
			 (int)sizeof(v->release), (const char *)v->release,
			 config->descriptor_tables_guest ? "--descriptor-tables=guest" :
			 config->monitor_high ? "--monitor-high" : "what is out of the ordinary");
		break;
	default:
		snprintf(why, why_bytes, "plexus.ko cannot make a machine: %s; " HM_ELSE, strerror(-err));
	}
}

static int create_machine(struct plx_vm *vm, const struct plx_vm_config *config, char *why, size_t why_bytes)
{
	struct plexus_create create = {
		.size = sizeof(create),
		.flags = (config->count_instructions ? PLEXUS_CREATE_COUNT : 0) | (config->monitor_high ? PLEXUS_CREATE_HIGH : 0),
		.ram_bytes = config->ram_bytes,
		.extra_bytes = config->extra_bytes,
		.rewrite = config->rewrite,
		.tables = config->descriptor_tables_guest ? PLEXUS_TABLES_GUEST : PLEXUS_TABLES_FREE,
	};
	struct plexus_version version;
	uint32_t off;
	int device, err;

	err = host_features_parse(config->host_features, &off, why, why_bytes);
	if (err)
		return err;
	/* FS is the kernel's affair there. */
	create.features_off = (off & HOST_FEATURE_LAHF ? PLEXUS_FEATURE_LAHF : 0) |
			      (off & HOST_FEATURE_CODE16 ? PLEXUS_FEATURE_CODE16 : 0);
	device = hm_device_open(vm->calls, &version, why, why_bytes);
	if (device < 0)
		return device;
	if (version.max_ram_bytes && vm->ram_bytes > version.max_ram_bytes) {
		snprintf(why, why_bytes, "plexus.ko gives a machine at most %" PRIu64 " MiB, %" PRIu64 " of them beside its RAM: "
			 "give it less with --memory, " HM_ELSE, version.max_ram_bytes >> 20, config->extra_bytes >> 20);
		err = -ENOMEM;
	} else {
		do
			err = vm->calls->ioctl(vm->calls->owner, device, PLEXUS_CREATE_VM, &create);
		while (err == -EINTR);
		if (err < 0)
			say_create(err, config, &version, why, why_bytes);
		else
			vm->fd = err;
	}
	vm->calls->close(vm->calls->owner, device);
	return err < 0 ? err : 0;
}

static int map_machine(struct plx_vm *vm, char *why, size_t why_bytes)
{
	void *at;
	int err = vm->calls->map(vm->calls->owner, vm->fd, PLEXUS_MMAP_RUN, sizeof(*vm->run), true, &at);

	if (!err) {
		vm->run = at;
		err = vm->calls->map(vm->calls->owner, vm->fd, PLEXUS_MMAP_RAM, vm->ram_bytes, true, &at);
	}
	if (err)
		snprintf(why, why_bytes, "the machine's memory cannot be mapped: %s; give it less with --memory, " HM_ELSE,
			 strerror(-err));
	else
		vm->ram = at;
	return err;
}

static void vm_destroy(struct plx_vm *vm);

int hm_vm_create_by(const struct hm_calls *calls, const struct plx_vm_config *config, struct plx_vm **out, char *why, size_t why_bytes)
{
	struct plx_vm *vm = calloc(1, sizeof(*vm));
	int err;

	if (!vm) {
		snprintf(why, why_bytes, "out of memory");
		return -ENOMEM;
	}
	host_head_init(&vm->head, &module_ops);
	vm->calls = calls;
	vm->fd = -1;
	vm->ram_bytes = config->ram_bytes + config->extra_bytes;
	err = create_machine(vm, config, why, why_bytes);
	if (!err)
		err = map_machine(vm, why, why_bytes);
	if (err) {
		vm_destroy(vm);
		return err;
	}
	*out = vm;
	return 0;
}

int hm_vm_create(const struct plx_vm_config *config, struct plx_vm **vm, char *why, size_t why_bytes)
{
	return hm_vm_create_by(&hm_calls, config, vm, why, why_bytes);
}

/* ---- memory of devices -------------------------------------------------------------------------------- */

struct hm_block {
	struct hm_block *next;
};

_Static_assert(sizeof(struct hm_block) <= BLOCK_ALIGN, "a block's head fits before its memory");

static void *vm_alloc(struct plx_vm *vm, size_t nbytes)
{
	/* calloc leaves large blocks to the kernel's zero pages: a sparse one costs nothing. */
	struct hm_block *block = nbytes < SIZE_MAX - 2 * BLOCK_ALIGN ? calloc(1, nbytes + 2 * BLOCK_ALIGN) : NULL;

	if (!block)
		return NULL;
	block->next = vm->blocks;
	vm->blocks = block;
	return (void *)(((uintptr_t)(block + 1) + BLOCK_ALIGN - 1) & ~(uintptr_t)(BLOCK_ALIGN - 1));
}

static void vm_destroy(struct plx_vm *vm)
{
	while (vm->blocks) {
		struct hm_block *block = vm->blocks;

		vm->blocks = block->next;
		free(block);
	}
	while (vm->nmappings) {
		const struct hm_mapping *m = &vm->mapping[--vm->nmappings];

		vm->calls->unmap(vm->calls->owner, m->at, m->nbytes);
	}
	if (vm->ram)
		vm->calls->unmap(vm->calls->owner, vm->ram, vm->ram_bytes);
	if (vm->run)
		vm->calls->unmap(vm->calls->owner, vm->run, sizeof(*vm->run));
	if (vm->fd >= 0)
		vm->calls->close(vm->calls->owner, vm->fd);
	free(vm);
}

/* ---- guest memory ------------------------------------------------------------------------------------- */

static uint8_t *vm_ram(struct plx_vm *vm)
{
	return vm->ram;
}

static int vm_map(struct plx_vm *vm, uint32_t gpa, uint64_t nbytes, uint64_t offset, int kind)
{
	struct plexus_map map = {
		.size = sizeof(map),
		.kind = (uint32_t)kind,
		.guest_physical = gpa,
		.bytes = nbytes,
		.offset = kind == PLX_MAP_NONE ? 0 : offset,
	};
	int err = hm_ioctl(vm, PLEXUS_MAP, &map);

	if (err == -EINVAL)
		return host_error(&vm->head, err, "a memory region is not on page boundaries or outside memory");
	if (err < 0)
		fail(vm, err, "lay out memory");
	return err < 0 ? err : 0;
}

/* By the module and not by our mapping of RAM: it knows what is ROM or a device, and which pages have fragments. */
static void access_memory(struct plx_vm *vm, uint32_t gpa, void *buf, uint64_t nbytes, bool write)
{
	int err = 0;

	for (uint64_t done = 0; done < nbytes && err >= 0; ) {
		/* Addresses wrap at 4 GiB, as those of a device with 32 lines. */
		uint64_t at = (uint32_t)(gpa + done);
		struct plexus_access access = {
			.size = sizeof(access),
			.write = write,
			.guest_physical = at,
			.bytes = plx_min64(plx_min64(nbytes - done, ACCESS_MAX), (1ull << 32) - at),
			.buffer = (uintptr_t)buf + done,
		};

		err = hm_ioctl(vm, PLEXUS_ACCESS, &access);
		done += access.bytes;
	}
	if (err >= 0)
		return;
	if (!write)
		memset(buf, 0xff, nbytes);
	fail(vm, err, "reach guest memory");
}

static void vm_dma_read(struct plx_vm *vm, uint32_t gpa, void *buf, uint32_t nbytes)
{
	access_memory(vm, gpa, buf, nbytes, false);
}

static void vm_dma_write(struct plx_vm *vm, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	/* The module only reads it. */
	access_memory(vm, gpa, (void *)(uintptr_t)buf, nbytes, true);
}

/* ---- pins and buttons: any thread --------------------------------------------------------------------- */

/*
 * The module looks at the shared words whenever it enters the guest, so a call is only needed while it may be inside. Set before
 * PLEXUS_RUN, and read here after the word was written: if we see it clear, the module sees the word.
 */
static void kick(struct plx_vm *vm)
{
	if (__atomic_load_n(&vm->in_run, __ATOMIC_SEQ_CST))
		vm->calls->ioctl(vm->calls->owner, vm->fd, PLEXUS_KICK, NULL);
}

static void vm_set_intr(struct plx_vm *vm, bool level)
{
	uint32_t old = __atomic_exchange_n(&vm->run->intr, level, __ATOMIC_SEQ_CST);

	if (level && !old)
		kick(vm);
}

static void vm_pulse_nmi(struct plx_vm *vm)
{
	__atomic_store_n(&vm->run->nmi, 1, __ATOMIC_SEQ_CST);
	kick(vm);
}

static void vm_stop(struct plx_vm *vm)
{
	__atomic_fetch_or(&vm->run->stop, PLEXUS_STOP_QUIT, __ATOMIC_SEQ_CST);
	kick(vm);
}

static void vm_request_reset(struct plx_vm *vm)
{
	__atomic_fetch_or(&vm->run->stop, PLEXUS_STOP_RESET, __ATOMIC_SEQ_CST);
	kick(vm);
}

/* ---- the processor ------------------------------------------------------------------------------------ */

static void start(struct plx_vm *vm, const struct plexus_start *how)
{
	struct plexus_start copy = *how;
	int err;

	__atomic_store_n(&vm->run->nmi, 0, __ATOMIC_SEQ_CST);
	copy.size = sizeof(copy);
	err = hm_ioctl(vm, PLEXUS_START, &copy);
	if (err < 0)
		fail(vm, err, "start the processor");
}

static void vm_reset_cpu(struct plx_vm *vm)
{
	start(vm, &(struct plexus_start){ .flat = 0 });
}

static void vm_start_flat(struct plx_vm *vm, const struct plx_flat_start *how)
{
	start(vm, &(struct plexus_start){ .flat = 1, .eip = how->eip, .esp = how->esp, .esi = how->esi,
					  .gdt_base = how->gdt_base, .gdt_limit = how->gdt_limit });
}

static void vm_set_a20(struct plx_vm *vm, bool open)
{
	struct plexus_a20 a20 = { .size = sizeof(a20), .open = open };
	int err = hm_ioctl(vm, PLEXUS_A20, &a20);

	if (err < 0)
		fail(vm, err, "set the A20 gate");
}

static bool vm_registers(struct plx_vm *vm, struct plexus_registers *to)
{
	int err;

	*to = (struct plexus_registers){ .size = sizeof(*to) };
	err = hm_ioctl(vm, PLEXUS_REGISTERS, to);
	/* Kept apart from fail(): a machine that cannot be looked at may still run. */
	if (err < 0 && !vm->failed)
		host_error(&vm->head, err, "plexus.ko does not give them: %s", strerror(-err));
	return err >= 0;
}

static size_t vm_stat_values(struct plx_vm *vm, uint64_t *values, size_t max)
{
	struct plexus_stats stats = {
		.size = sizeof(stats),
		.max = (uint32_t)plx_min64(max, UINT32_MAX),
		.values = (uintptr_t)values,
	};

	return hm_ioctl(vm, PLEXUS_STATS, &stats) < 0 ? 0 : stats.count;
}

/* ---- what is no matter here --------------------------------------------------------------------------- */

static void nothing_to_do(struct plx_vm *vm)
{
	(void)vm;
}

static const struct plx_vm_ops module_ops = {
	.destroy = vm_destroy,
	.alloc = vm_alloc,
	.host_call = nothing_to_do,	/* the kernel keeps the guest's FPU state */
	.ram = vm_ram,
	.map = vm_map,
	.dma_read = vm_dma_read,
	.dma_write = vm_dma_write,
	.set_a20 = vm_set_a20,
	.run = hm_run,
	.set_intr = vm_set_intr,
	.pulse_nmi = vm_pulse_nmi,
	.stop = vm_stop,
	.request_reset = vm_request_reset,
	.child_died = nothing_to_do,	/* it has no processes */
	.reset_cpu = vm_reset_cpu,
	.start_flat = vm_start_flat,
	.registers = vm_registers,
	.stat_values = vm_stat_values,
	.sites = hm_sites,
	.trace = hm_trace,		/* trace_collect: the monitor does it */
	.cover = hm_cover,
};
