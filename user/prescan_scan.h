/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/prescan_scan.h - one file, from its path to its result. Any number of threads may do this at once. */
#ifndef USER_PRESCAN_SCAN_H
#define USER_PRESCAN_SCAN_H

#include <stdatomic.h>

#include "user/prescan_result.h"
#include "user/prescan_sweep.h"

struct scan_options {
	struct image_options image;	/* but for .named, which is the file's */
	struct sweep_mode sweep;
	uint32_t findings_max;		/* of one file */
	const atomic_bool *stop;	/* set by another thread: give up soon */
};

/* What is known of a file before it is read. */
struct scan_file {
	char *path;
	uint64_t nbytes, mtime_ns, inode;
	bool named;			/* on the command line, not found in a directory */
};

/* NULL: no memory, or stopped. A file that cannot be read is a result too: IMAGE_BAD, with the reason. */
struct file_result *scan_file(const struct scan_file *file, const struct scan_options *options);

#endif
