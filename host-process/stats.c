/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/stats.c - the engine's counters, read where they lie.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>

#include "host-process/process.h"
#include "host/stats.h"
#include "monitor/stats.h"

/* Since plx_vm_create: long enough to know the rate of the time-stamp counter well. */
static struct stat_rate rate(const struct plx_vm *vm)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct stat_rate){
		.ticks = hp_rdtsc() - vm->start_ticks,
		.ns = (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec - vm->start_ns,
	};
}

size_t plx_vm_stats(struct plx_vm *vm, struct plx_stat *out, size_t max)
{
	size_t room = ENGINE_STAT_NR + 2 * STATS_ROWS, n;
	uint64_t *values = calloc(room, sizeof(*values));
	struct stat_rate now = rate(vm);

	if (!values)
		return 0;
	n = stats_name_values(values, engine_stat_values(vm->engine, values, room), &now, out, max);
	free(values);
	return n;
}
