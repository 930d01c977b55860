/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/bench/bench.h - plexbench's rows: what is done n times, and the unit that one time is.
 *
 * The same static i386 binary runs in Plexus' guest, in TCG's guest and on the bare processor; so every row is ordinary user code,
 * and a row's figure is nanoseconds for one unit. Lower is better everywhere.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

struct row {
	const char *group;		/* "compute" or "system" */
	const char *name;
	const char *unit;		/* what is counted: "call", "byte", ... */
	uint32_t units;			/* units in one round */
	uint32_t (*rounds)(uint32_t n);	/* does n rounds; returns something that depends on all of them */
};

extern const struct row compute_rows[], system_rows[];	/* end with a row without a name */

/* Where results go, so that the compiler cannot leave the work out. */
extern volatile uint32_t sink;

#endif
