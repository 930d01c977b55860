/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/prescan_pool.h - scans a list of files on several threads, with a progress bar, and stops when asked to. */
#ifndef USER_PRESCAN_POOL_H
#define USER_PRESCAN_POOL_H

#include "user/prescan_state.h"
#include "user/prescan_walk.h"

struct pool {
	const struct scan_list *list;
	struct scan_options options;
	struct scan_state *state;	/* NULL: none */
	unsigned int threads;
	bool progress;			/* a bar on standard error */
	/* Out: a result a file, in the list's order; those from the state are the state's. */
	const struct file_result **results;
	struct file_result **own;
	int signal;			/* which stopped it; 0: none */
	size_t ndone;
	char why[5000];
};

/* 0: all files have results. -EINTR: stopped by pool->signal. Other -errno: a sentence is in pool->why. */
int pool_run(struct pool *pool);
void pool_free(struct pool *pool);

#endif
