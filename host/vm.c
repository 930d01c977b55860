/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host/vm.c - include/plexus/plexus.h: which host a machine has, and the door to it.
 *
 * Asked by:  user/, devices/pc.c. Asks: the host's struct plx_vm_ops; host/stats.c, host/registers.c.
 * Rule:      what the devices call on the processor's thread touches general registers only, as this folder is compiled.
 * Tested by: tests/unit/test_module_client.c; every test of the engine comes through here.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "host/host.h"
#include "host/stats.h"
#include "monitor/stats.h"
#include "plexus/coverage.h"
#include "plexus/plexus-abi.h"
#include "plexus/sites.h"
#include "plexus/trace.h"

#define RAM_MAX 0xe0000000ull		/* 3.5 GiB: above are devices and the firmware */

/* Why plx_vm_create failed: there is no VM yet to keep it. Written by plx_vm_create only. */
static char create_error[HOST_ERROR_MAX] = "no error";

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static struct plx_vm_head *head(struct plx_vm *vm)
{
	return (struct plx_vm_head *)vm;
}

static const struct plx_vm_ops *ops(struct plx_vm *vm)
{
	return head(vm)->ops;
}

void host_head_init(struct plx_vm_head *h, const struct plx_vm_ops *vm_ops)
{
	h->ops = vm_ops;
	h->start_ns = clock_ns();
	h->start_ticks = host_rdtsc();
	snprintf(h->error, sizeof(h->error), "no error");
}

int host_error(struct plx_vm_head *h, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(h->error, sizeof(h->error), format, args);
	va_end(args);
	return err;
}

/* ---- choosing --------------------------------------------------------------------------------------- */

static int refuse(int err, const char *why)
{
	snprintf(create_error, sizeof(create_error), "%s", why);
	return err;
}

int plx_vm_create(const struct plx_vm_config *config, struct plx_vm **vm)
{
	char ignored[HOST_ERROR_MAX];
	bool module = config->host == PLX_HOST_MODULE ||
		      (config->host == PLX_HOST_AUTO && !plx_host_module_check(ignored, sizeof(ignored)));

	if (!config->ram_bytes || config->ram_bytes > RAM_MAX || config->ram_bytes % (1u << 20)) {
		snprintf(create_error, sizeof(create_error),
			 "guest memory must be a multiple of 1 MiB, at most %llu MiB", RAM_MAX >> 20);
		return -EINVAL;
	}
	if (module)
		return hm_vm_create(config, vm, create_error, sizeof(create_error));
	if (config->descriptor_tables_guest)
		return refuse(-EINVAL, "--descriptor-tables=guest needs --host module: in a process the tables are Linux's own");
	if (config->monitor_high)
		return refuse(-EINVAL, "--monitor-high needs --host module: in a process the monitor is above 4 GiB always");
	if (config->rewrite == PLX_REWRITE_GATE)
		return refuse(-EINVAL, "--rewrite=gate needs --host module: in a process the gate of INT3 is Linux's own");
	return hp_vm_create(config, vm, create_error, sizeof(create_error));
}

const char *plx_vm_error(const struct plx_vm *vm)
{
	return vm ? ((const struct plx_vm_head *)vm)->error : create_error;
}

/* ---- through the door ------------------------------------------------------------------------------- */

void plx_vm_destroy(struct plx_vm *vm)
{
	ops(vm)->destroy(vm);
}

void plx_vm_set_machine(struct plx_vm *vm, const struct plx_machine_ops *machine_ops, void *machine)
{
	head(vm)->machine_ops = machine_ops;
	head(vm)->machine = machine;
}

void *plx_vm_alloc(struct plx_vm *vm, size_t nbytes)
{
	return ops(vm)->alloc(vm, nbytes);
}

void plx_vm_host_call(struct plx_vm *vm)
{
	ops(vm)->host_call(vm);
}

uint8_t *plx_vm_ram(struct plx_vm *vm)
{
	return ops(vm)->ram(vm);
}

int plx_vm_map(struct plx_vm *vm, uint32_t gpa, uint64_t nbytes, uint64_t offset, int kind)
{
	return ops(vm)->map(vm, gpa, nbytes, offset, kind);
}

void plx_vm_dma_read(struct plx_vm *vm, uint32_t gpa, void *buf, uint32_t nbytes)
{
	ops(vm)->dma_read(vm, gpa, buf, nbytes);
}

void plx_vm_dma_write(struct plx_vm *vm, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	ops(vm)->dma_write(vm, gpa, buf, nbytes);
}

void plx_vm_set_a20(struct plx_vm *vm, bool open)
{
	ops(vm)->set_a20(vm, open);
}

enum plx_exit plx_vcpu_run(struct plx_vm *vm)
{
	return ops(vm)->run(vm);
}

void plx_set_intr(struct plx_vm *vm, bool level)
{
	ops(vm)->set_intr(vm, level);
}

void plx_pulse_nmi(struct plx_vm *vm)
{
	ops(vm)->pulse_nmi(vm);
}

void plx_vm_stop(struct plx_vm *vm)
{
	ops(vm)->stop(vm);
}

void plx_vm_request_reset(struct plx_vm *vm)
{
	ops(vm)->request_reset(vm);
}

void plx_vm_child_died(struct plx_vm *vm)
{
	ops(vm)->child_died(vm);
}

void plx_vm_reset_cpu(struct plx_vm *vm)
{
	ops(vm)->reset_cpu(vm);
}

void plx_vm_start_flat(struct plx_vm *vm, const struct plx_flat_start *start)
{
	ops(vm)->start_flat(vm, start);
}

void plx_vm_dump_registers(struct plx_vm *vm, char *buf, size_t nbytes)
{
	struct plexus_registers r = { .size = sizeof(r) };

	if (ops(vm)->registers(vm, &r))
		host_print_registers(&r, buf, nbytes);
	else
		snprintf(buf, nbytes, "(the registers are not known: %s)\n", head(vm)->error);
}

/* ---- statistics, traces, coverage ------------------------------------------------------------------- */

size_t plx_vm_stats(struct plx_vm *vm, struct plx_stat *stats, size_t max)
{
	/* The machine has lived long enough to know the rate of the time-stamp counter well. */
	const struct stat_rate rate = {
		.ticks = host_rdtsc() - head(vm)->start_ticks,
		.ns = clock_ns() - head(vm)->start_ns,
	};
	size_t room = ops(vm)->stat_values(vm, NULL, 0), n;
	uint64_t *values = calloc(room + 1, sizeof(*values));

	if (!values)
		return 0;
	/* More may have come up meanwhile: what is there is taken. */
	n = plx_min64(ops(vm)->stat_values(vm, values, room), room);
	n = stats_name_values(values, n, &rate, stats, max);
	free(values);
	return n;
}

const struct plx_sites *plx_vm_sites(struct plx_vm *vm, bool every)
{
	return ops(vm)->sites(vm, every);
}

struct plx_trace *plx_vm_trace(struct plx_vm *vm, uint32_t entries, bool wait)
{
	return ops(vm)->trace(vm, entries, wait);
}

void plx_vm_trace_collect(struct plx_vm *vm)
{
	if (ops(vm)->trace_collect)
		ops(vm)->trace_collect(vm);
}

const struct plx_cover *plx_vm_cover(struct plx_vm *vm)
{
	return ops(vm)->cover(vm);
}
