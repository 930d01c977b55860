/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/prescan_walk.h - which files are meant by the paths on the command line. */
#ifndef USER_PRESCAN_WALK_H
#define USER_PRESCAN_WALK_H

#include "user/prescan_scan.h"

struct scan_list {
	struct scan_file *files;	/* sorted by path, no path twice */
	size_t nfiles, room;
	uint64_t nbytes;
	uint64_t links;			/* symbolic links in directories: not followed, so there are no loops */
	bool failed;			/* something could not be read; a sentence was said */
};

/* A named path may be a symbolic link; what is found in directories is taken only if it is a regular file. False: no memory. */
bool scan_list_add(struct scan_list *list, const char *path);
void scan_list_sort(struct scan_list *list);
void scan_list_free(struct scan_list *list);

#endif
