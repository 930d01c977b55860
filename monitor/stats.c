/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/stats.c - the engine's counters as numbers in a fixed order: see monitor/stats.h.
 *
 * Asked by:  host-process/vm.c, and the module for PLEXUS_STATS. Asks: nothing.
 * Tested by: tests/unit/test_engine_stats.c.
 */
#include "monitor/engine.h"
#include "monitor/stats.h"

static size_t put(uint64_t *out, size_t max, size_t at, uint64_t value)
{
	if (at < max)
		out[at] = value;
	return at + 1;
}

size_t engine_stat_values(const struct mon_engine *e, uint64_t *out, size_t max)
{
	size_t n = put(out, max, 0, ENGINE_STAT_NR);

#define ENGINE_STAT_PUT(id, group, name, kind, value) n = put(out, max, n, value);
	ENGINE_STATS(ENGINE_STAT_PUT)
#undef ENGINE_STAT_PUT
	for (unsigned int row = 0; row < prescan_nr_rows() && row < STATS_ROWS; row++) {
		if (!e->stats.callout_row[row])
			continue;
		n = put(out, max, n, (uint64_t)row << 8 | e->stats.callout_klass[row]);
		n = put(out, max, n, e->stats.callout_row[row]);
	}
	return n;
}
