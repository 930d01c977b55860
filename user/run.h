/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/run.h - a run as other subcommands start one. */
#ifndef USER_RUN_H
#define USER_RUN_H

#include "prescan/prescan.h"
#include "user/options.h"

/* What a run cost, for those who compare runs. */
struct run_figures {
	uint64_t callouts, signals, interpreted;
	uint64_t inlined;				/* sensitive instructions that never left guest code */
	uint64_t gate;					/* done in ring 3, behind the gate of INT3 */
	uint64_t count[PRESCAN_NR_CLASSES], ticks[PRESCAN_NR_CLASSES];	/* of the others */
	uint64_t tsc_hz;
	bool complete;
};

/* @argv[0] stands for the subcommand, the rest are options of `plexus run`. @told: the command line as it was typed, for a trace's header.
 * The exit status; what is wrong has been said. */
int run_command(int argc, char **argv, int told_argc, char **told);
/* The same, in a process of its own that shares @figures; sums of the virtualized instructions are kept. */
int run_measured(int argc, char **argv, struct run_figures *figures);

#endif
