/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/processor.h - the thread in which the guest runs.
 *
 *   RUNNING -> DONE  [processor_thread]  power-off, stop, triple fault (without reset), failure
 *
 *   RUNNING: everything but @done belongs to the thread. DONE: everything belongs to whoever joins it.
 */
#ifndef USER_PROCESSOR_H
#define USER_PROCESSOR_H

#include <pthread.h>
#include <stdatomic.h>

#include "user/machine.h"

struct processor {
	struct machine *machine;
	pthread_t thread;
	atomic_bool done;
	enum plx_exit exit;		/* once done: never PLX_EXIT_RESET */
	unsigned int resets, triple_faults;
	char why[WHY_BYTES];		/* PLX_EXIT_ERROR: what failed. PLX_EXIT_TRIPLE_FAULT: the registers */
};

/* 0 or -errno. Signals must be blocked before: the thread inherits the mask. */
int processor_start(struct processor *cpu, struct machine *machine);

#endif
