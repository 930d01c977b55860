/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/trace.c - memory for a trace: see include/plexus/trace.h and sites.h.
 */
#include "host-process/process.h"
#include "monitor/trace.h"
#include "plexus/sites.h"
#include "plexus/trace.h"

bool hp_trace_watches(const struct mon_engine *e, uint32_t linear)
{
	for (uint32_t i = 0; e->trace && i < e->trace->nwatch; i++)
		if (e->trace->watch[i] == linear)
			return true;
	return false;
}

void hp_trace_collect(struct plx_vm *vm)
{
	trace_collect(vm->engine);
}

struct plx_sites *hp_sites(struct plx_vm *vm)
{
	return vm->engine->sites;
}

#define TRACE_ENTRIES_MAX (1u << 24)

struct plx_trace *hp_trace(struct plx_vm *vm, uint32_t entries, bool wait)
{
	struct plx_trace *trace;

	if (entries && (entries & (entries - 1) || entries < 1024 || entries > TRACE_ENTRIES_MAX))
		return NULL;
	trace = hp_arena_alloc(vm, sizeof(*trace), 4096);
	if (!trace)
		return NULL;
	if (entries) {
		trace->ring = hp_arena_alloc(vm, sizeof(*trace->ring) + (size_t)entries * sizeof(trace->ring->record[0]), 4096);
		if (!trace->ring)
			return NULL;
		trace->ring->size = entries;
		trace->ring->wait = wait;
	}
	trace->class_mask = ~0u;
	trace->cpl_mask = 0xf;
	vm->engine->trace = trace;
	vm->engine->cache.env.traced = entries;
	vm->engine->cache.env.counted = !entries;
	prescan_cache_flush(&vm->engine->cache);
	return trace;
}
