/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/stats.c - the engine's counters under the names that --stats shows.
 */
#define _GNU_SOURCE
#include <string.h>
#include <time.h>

#include "host-process/process.h"

static uint64_t ticks_to_ns(const struct plx_vm *vm, uint64_t ticks)
{
	struct timespec now;
	uint64_t ns, all = hp_rdtsc() - vm->start_ticks;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec - vm->start_ns;
	return all ? (uint64_t)((unsigned __int128)ticks * ns / all) : 0;
}

static size_t add(struct plx_stat *out, size_t max, size_t at, const char *group, const char *name, uint64_t value)
{
	if (at < max)
		out[at] = (struct plx_stat){ group, name, value };
	return at + 1;
}

/* Callouts by class and instruction; forms of one instruction together. */
static const char *const callout_group[PRESCAN_NR_CLASSES] = {
	[PRESCAN_REFUSE] = "callout: undefined",
	[PRESCAN_PLAIN] = "callout: plain (device memory, stores beside code)",
	[PRESCAN_FPU] = "callout: x87, SIMD",
	[PRESCAN_BRANCH] = "callout: near branch in 16-bit code",
	[PRESCAN_FAR] = "callout: far transfer",
	[PRESCAN_SEG_LOAD] = "callout: segment load",
	[PRESCAN_SEG_STORE] = "callout: segment store",
	[PRESCAN_FLAGS] = "callout: flags",
	[PRESCAN_TABLE] = "callout: tables",
	[PRESCAN_SYSTEM] = "callout: system",
	[PRESCAN_ID] = "callout: identification",
	[PRESCAN_PORT] = "callout: port",
	[PRESCAN_STRING_PORT] = "callout: string port",
	[PRESCAN_UD] = "callout: UD",
};

static size_t add_class(const struct mon_stats *s, unsigned int klass, struct plx_stat *out, size_t max, size_t n)
{
	size_t first = n;

	for (unsigned int row = 0; row < prescan_nr_rows() && row < STATS_ROWS; row++) {
		const char *name = prescan_row_mnemonic(row);
		size_t i = first;

		if (!s->callout_row[row] || s->callout_klass[row] != klass)
			continue;
		while (i < n && i < max && strcmp(out[i].name, name))
			i++;
		if (i < n && i < max)
			out[i].value += s->callout_row[row];
		else
			n = add(out, max, n, callout_group[klass], name, s->callout_row[row]);
	}
	return n;
}

size_t plx_vm_stats(struct plx_vm *vm, struct plx_stat *out, size_t max)
{
	const struct mon_stats *s = &vm->engine->stats;
	const struct prescan_cache *c = &vm->engine->cache;
	const struct plx_stat all[] = {
		{ "time", "translation", ticks_to_ns(vm, s->translate_ticks) },
		{ "time", "halted", ticks_to_ns(vm, s->halt_ticks) },
		{ "code", "fragments", c->nfrags - 1 },
		{ "code", "guest instructions translated", c->stat_insns },
		{ "code", "guest bytes translated", c->stat_bytes },
		{ "code", "host bytes emitted", c->stat_emitted },
		{ "code", "fragments dropped", c->stat_invalidated },
		{ "code", "cache flushes", c->stat_flushes },
		{ "code", "chains cut", c->stat_unlinks },
		{ "code", "code pages activated again", s->page_activations },
		{ "code", "sites made callouts", s->callout_sites },
		{ "nexus", "entries into guest code", s->entries },
		{ "nexus", "branches not chained yet", s->exits_link },
		{ "nexus", "indirect branches missed", s->exits_miss },
		{ "nexus", "callouts", s->exits_callout },
		{ "nexus", "kicks", s->exits_kick },
		{ "signal", "all faults", s->exits_fault },
		{ "signal", "mapping filled", s->fault_fill },
		{ "signal", "guest page fault", s->fault_guest_pf },
		{ "signal", "device memory", s->fault_mmio },
		{ "signal", "store beside code", s->fault_code_write },
		{ "signal", "segment limit", s->fault_limit },
		{ "signal", "int3 sites", s->fault_int3 },
		{ "signal", "others", s->fault_other },
		{ "mapping", "filled before a fault", s->filled_ahead },
		{ "mapping", "map calls", s->maps },
		{ "mapping", "pages mapped", s->map_pages },
		{ "mapping", "unmap calls", s->unmaps },
		{ "mapping", "pages unmapped", s->unmap_pages },
		{ "mapping", "protect calls", s->protects },
		{ "mapping", "segment descriptors written", s->ldt_writes },
		{ "mapping", "CR3 loads", s->cr3_loads },
		{ "mapping", "page-table entries changed", s->cr3_entries_changed },
		{ "mapping", "space switches", s->space_switches },
		{ "mapping", "spaces", vm->engine->nspaces },
		{ "mapping", "INVLPG", s->invlpgs },
		{ "mapping", "dropped all for lack of room", s->map_overflows },
		{ "mapping", "window moves", s->window_moves },
		{ "mapping", "shifts of the linear space", s->delta_changes },
		{ "interrupt", "interrupts delivered", s->interrupts },
		{ "interrupt", "exceptions delivered", s->exceptions },
		{ "interrupt", "halts", s->halts },
		{ "interpreter", "instructions interpreted", vm->vcpu->nr_interpreted },
		{ "interpreter", "single steps", s->steps },
	};
	size_t n = PLX_ARRAY_SIZE(all);

	for (size_t i = 0; i < n && i < max; i++)
		out[i] = all[i];
	if (s->guest_insns) {
		uint64_t run = s->guest_insns + vm->vcpu->nr_interpreted;

		n = add(out, max, n, "interpreter", "instructions run", run);
		n = add(out, max, n, "interpreter", "interpreted, of a million", vm->vcpu->nr_interpreted * 1000000 / run);
	}
	for (unsigned int k = 0; k < PRESCAN_NR_CLASSES; k++)
		n = add_class(s, k, out, max, n);
	return n;
}
