/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_profile.h - --profile: the dearest virtualized sites, and what the rewriting made of each; live like top, and at the end.
 * The numbers are those that the rewriting goes by (include/plexus/sites.h); no trace is needed.
 */
#ifndef USER_TRACE_PROFILE_H
#define USER_TRACE_PROFILE_H

#include <stdint.h>
#include <stdio.h>

#include "plexus/sites.h"

#define PROFILE_PERIOD_MS 500

struct trace_profile {
	uint64_t (*last)[2];		/* count and cost of each site when the table was last drawn; NULL: none yet */
	uint64_t last_ns;
	uint64_t last_total, last_cost;
	unsigned int drawn;		/* lines on the screen that are ours */
};

/* Draws over what was drawn last. @tsc_hz: ticks a second. */
void trace_profile_draw(struct trace_profile *p, const struct plx_sites *sites, uint64_t now_ns, uint64_t tsc_hz, FILE *to);
/* The whole run: sums, and the @top dearest. */
void trace_profile_print(const struct plx_sites *sites, unsigned int top, uint64_t tsc_hz, FILE *to);
void trace_profile_free(struct trace_profile *p);

#endif
