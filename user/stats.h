/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/stats.h - the figures of a run, for people and for programs. */
#ifndef USER_STATS_H
#define USER_STATS_H

#include <stdint.h>
#include <stdio.h>

#include "plexus/plexus.h"

#define STATS_MAX 512

struct stats {
	struct plx_stat stat[STATS_MAX];	/* as counted, engine first, then the machine */
	size_t nstats;
	uint64_t wall_ns, user_ns, system_ns;	/* of this process and its children that have ended */
	uint64_t peak_bytes;			/* resident */
};

/* Fills in the times; counters are appended by stats_add. @start_ns is CLOCK_MONOTONIC at power-on. */
void stats_times(struct stats *stats, uint64_t start_ns);
/* Appends @n counters; what does not fit is left out. */
void stats_add(struct stats *stats, const struct plx_stat *from, size_t n);

/* Grouped: the groups in the order of their first counter, each once. Group "time" is in nanoseconds, shown as seconds. */
void stats_print(const struct stats *stats, FILE *to);
void stats_print_json(const struct stats *stats, const char *version, FILE *to);

#endif
