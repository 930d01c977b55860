/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/bench/main.c - plexbench: measure rows and print "bench GROUP NAME VALUE ns UNIT", one line a row.
 *
 *   plexbench list                names
 *   plexbench all [MS]            every row, MS milliseconds a measurement (default 150)
 *   plexbench NAME [MS]           one row
 *
 * Rounds are doubled until one measurement is long enough for any clock; then the best of three counts, since what disturbs a
 * measurement only ever makes it longer.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "bench.h"

volatile uint32_t sink;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_of(const struct row *row, uint32_t n)
{
	double start = now_ns();

	sink += row->rounds(n);
	return now_ns() - start;
}

static void measure(const struct row *row, double wanted_ns)
{
	uint32_t n = 1;
	double best, t;

	while ((t = time_of(row, n)) < wanted_ns && n < 1u << 30)
		n = t > wanted_ns / 16 ? (uint32_t)(n * (wanted_ns / t) * 1.1) + 1 : n * 4;
	best = t;
	for (int i = 0; i < 2; i++) {
		t = time_of(row, n);
		if (t < best)
			best = t;
	}
	printf("bench %s %s %.4g ns %s\n", row->group, row->name, best / n / row->units, row->unit);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const struct row *tables[] = { compute_rows, system_rows };
	double wanted_ns = (argc > 2 ? atof(argv[2]) : 150) * 1e6;
	int found = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: plexbench list|all|NAME [MS]\n");
		return 2;
	}
	if (strcmp(argv[1], "nothing") == 0)	/* what fork_exec runs */
		return 0;
	for (int table = 0; table < 2; table++)
		for (const struct row *row = tables[table]; row->name; row++) {
			if (strcmp(argv[1], "list") == 0)
				printf("%s %s %s\n", row->group, row->name, row->unit);
			else if (strcmp(argv[1], "all") == 0 || strcmp(argv[1], row->name) == 0)
				measure(row, wanted_ns);
			else
				continue;
			found = 1;
		}
	if (!found)
		fprintf(stderr, "no row %s; \"plexbench list\" names them\n", argv[1]);
	return !found;
}
