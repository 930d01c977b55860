/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host/stats.h - from the engine's numbers (monitor/stats.h) to what --stats shows. */
#ifndef HOST_STATS_H
#define HOST_STATS_H

#include "plexus/plexus.h"

/* So many ticks of the time-stamp counter took so many nanoseconds. No ticks: times are shown as 0. */
struct stat_rate {
	uint64_t ticks, ns;
};

/* Names @nvalues numbers in the order of monitor/stats.h, of this release or another. Fills up to @max; returns how many there are. */
size_t stats_name_values(const uint64_t *values, size_t nvalues, const struct stat_rate *rate, struct plx_stat *out, size_t max);

#endif
