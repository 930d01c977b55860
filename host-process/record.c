/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/record.c - memory for sites, traces and coverage: the arena, which this program and its processes share.
 *
 * See include/plexus/trace.h, sites.h and coverage.h. Asked by: host/vm.c. Asks: monitor/trace.c, cover.c.
 */
#include <errno.h>

#include "host-process/process.h"
#include "monitor/cover.h"
#include "monitor/trace.h"

const struct plx_sites *hp_sites(struct plx_vm *vm, bool every)
{
	if (every)
		vm->engine->every_callout_timed = true;
	return vm->engine->sites;
}

struct plx_trace *hp_trace(struct plx_vm *vm, uint32_t entries, bool wait)
{
	struct plx_trace *trace = trace_start(vm->engine, hp_table, vm, entries, wait);

	if (!trace)
		hp_error(vm, -ENOMEM, "out of memory for the trace");
	return trace;
}

void hp_trace_collect(struct plx_vm *vm)
{
	trace_collect(vm->engine);
}

const struct plx_cover *hp_cover(struct plx_vm *vm)
{
	struct cover *cover = cover_start(vm->engine, hp_table, vm);

	if (!cover)
		hp_error(vm, -ENOMEM, "out of memory for --coverage");
	return cover ? cover->all : NULL;
}
