/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/stats.h - what is paid for, as numbers in a fixed order, and the one table that names them.
 *
 *      struct mon_engine --engine_stat_values--> uint64_t[] --(module host: PLEXUS_STATS)--> host/stats.c --> names
 *
 * The engine may be in ring 0, where names are of no use; so numbers travel, and whoever shows them names them, for both hosts
 * from the same rows. The order is part of what plexus.ko says to a program of another release:
 *
 *      values[0]                        how many stand before the pairs, itself included: a reader takes those it knows
 *      values[1] ...                    the rows below, in their order; a new one comes at the end, none ever goes
 *      values[values[0]] ...            pairs: prescan row << 8 | class, how often an instruction of it was called out
 *
 * Read next: host/stats.c.
 */
#ifndef MONITOR_STATS_H
#define MONITOR_STATS_H

#include "plexus/base.h"

struct mon_engine;

/*
 * X(id, group, name, kind, value): @value reads the engine at @e.
 * COUNT as it is; TICKS of the time-stamp counter, shown as time; HIDDEN has no line of its own.
 */
#define ENGINE_STATS(X) \
	X(TRANSLATION,		"time", "translation", TICKS, e->stats.translate_ticks) \
	X(HALTED,		"time", "halted", TICKS, e->stats.halt_ticks) \
	X(FRAGMENTS,		"code", "fragments", COUNT, e->cache.nfrags - 1) \
	X(GUEST_INSNS,		"code", "guest instructions translated", COUNT, e->cache.stat_insns) \
	X(GUEST_BYTES,		"code", "guest bytes translated", COUNT, e->cache.stat_bytes) \
	X(HOST_BYTES,		"code", "host bytes emitted", COUNT, e->cache.stat_emitted) \
	X(INVALIDATED,		"code", "fragments dropped", COUNT, e->cache.stat_invalidated) \
	X(FLUSHES,		"code", "cache flushes", COUNT, e->cache.stat_flushes) \
	X(UNLINKS,		"code", "chains cut", COUNT, e->cache.stat_unlinks) \
	X(ACTIVATIONS,		"code", "code pages activated again", COUNT, e->stats.page_activations) \
	X(CALLOUT_SITES,	"code", "sites made callouts", COUNT, e->stats.callout_sites) \
	X(ENTRIES,		"nexus", "entries into guest code", COUNT, e->stats.entries) \
	X(EXITS_LINK,		"nexus", "branches not chained yet", COUNT, e->stats.exits_link) \
	X(EXITS_MISS,		"nexus", "indirect branches missed", COUNT, e->stats.exits_miss) \
	X(EXITS_CALLOUT,	"nexus", "callouts", COUNT, e->stats.exits_callout) \
	X(EXITS_KICK,		"nexus", "kicks", COUNT, e->stats.exits_kick) \
	X(FAULTS,		"signal", "all faults", COUNT, e->stats.exits_fault) \
	X(FAULT_FILL,		"signal", "mapping filled", COUNT, e->stats.fault_fill) \
	X(FAULT_GUEST_PF,	"signal", "guest page fault", COUNT, e->stats.fault_guest_pf) \
	X(FAULT_MMIO,		"signal", "device memory", COUNT, e->stats.fault_mmio) \
	X(FAULT_CODE_WRITE,	"signal", "store beside code", COUNT, e->stats.fault_code_write) \
	X(FAULT_LIMIT,		"signal", "segment limit", COUNT, e->stats.fault_limit) \
	X(FAULT_INT3,		"signal", "int3 sites", COUNT, e->stats.fault_int3) \
	X(FAULT_OTHER,		"signal", "others", COUNT, e->stats.fault_other) \
	X(FILLED_AHEAD,		"mapping", "filled before a fault", COUNT, e->stats.filled_ahead) \
	X(MAPS,			"mapping", "map calls", COUNT, e->stats.maps) \
	X(MAP_PAGES,		"mapping", "pages mapped", COUNT, e->stats.map_pages) \
	X(UNMAPS,		"mapping", "unmap calls", COUNT, e->stats.unmaps) \
	X(UNMAP_PAGES,		"mapping", "pages unmapped", COUNT, e->stats.unmap_pages) \
	X(PROTECTS,		"mapping", "protect calls", COUNT, e->stats.protects) \
	X(LDT_WRITES,		"mapping", "segment descriptors written", COUNT, e->stats.ldt_writes) \
	X(CR3_LOADS,		"mapping", "CR3 loads", COUNT, e->stats.cr3_loads) \
	X(CR3_CHANGED,		"mapping", "page-table entries changed", COUNT, e->stats.cr3_entries_changed) \
	X(SPACE_SWITCHES,	"mapping", "space switches", COUNT, e->stats.space_switches) \
	X(SPACES,		"mapping", "spaces", COUNT, e->nspaces) \
	X(INVLPGS,		"mapping", "INVLPG", COUNT, e->stats.invlpgs) \
	X(MAP_OVERFLOWS,	"mapping", "dropped all for lack of room", COUNT, e->stats.map_overflows) \
	X(WINDOW_MOVES,		"mapping", "window moves", COUNT, e->stats.window_moves) \
	X(DELTA_CHANGES,	"mapping", "shifts of the linear space", COUNT, e->stats.delta_changes) \
	X(INTERRUPTS,		"interrupt", "interrupts delivered", COUNT, e->stats.interrupts) \
	X(EXCEPTIONS,		"interrupt", "exceptions delivered", COUNT, e->stats.exceptions) \
	X(HALTS,		"interrupt", "halts", COUNT, e->stats.halts) \
	X(INTERPRETED,		"interpreter", "instructions interpreted", COUNT, e->vcpu->nr_interpreted) \
	X(STEPS,		"interpreter", "single steps", COUNT, e->stats.steps) \
	X(COUNTED_INSNS,	NULL, "run natively, when they are counted", HIDDEN, e->stats.guest_insns) \
	X(ROWS,			NULL, "rows of prescan: what the pairs' numbers mean", HIDDEN, prescan_nr_rows()) \
	X(MOVE_TIME,		"time", "window moves", TICKS, e->stats.move_ticks) \
	X(PLACES_PATCHED,	"mapping", "places patched at moves", COUNT, e->stats.places_patched) \
	X(TABLES_MOVED,		"mapping", "descriptor tables moved", COUNT, e->stats.tables_moved) \
	X(TABLES_FELL_BACK,	"mapping", "descriptor tables fell back", COUNT, e->stats.tables_fell_back) \
	X(GDT_AT,		NULL, "the real GDT's base", HIDDEN, e->stats.gdt_at) \
	X(IDT_AT,		NULL, "the real IDT's base", HIDDEN, e->stats.idt_at) \
	X(GATE_DONE,		"nexus", "done behind the gate of INT3", COUNT, e->stats.gate_done)

enum engine_stat {
	ENGINE_STAT_BEFORE_PAIRS = 0,
#define ENGINE_STAT_ID(id, group, name, kind, value) ENGINE_STAT_##id,
	ENGINE_STATS(ENGINE_STAT_ID)
#undef ENGINE_STAT_ID
	ENGINE_STAT_NR
};

#define ENGINE_STAT_ROW(pair)	((uint32_t)((pair) >> 8))
#define ENGINE_STAT_CLASS(pair)	((uint8_t)(pair))

/* Fills up to @max of @out; returns how many there are: call again with more room if that is more. The engine may run meanwhile. */
size_t engine_stat_values(const struct mon_engine *e, uint64_t *out, size_t max);

#endif
