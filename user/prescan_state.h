/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_state.h - results kept in a file, so that a scan that was stopped can go on where it stood.
 *
 *      header line (version and options) | record | record | ...       record: length, checksum, a packed result
 *
 * The file only grows, a record at a time; a record that was cut off (power, full disk) is dropped when it is opened again.
 */
#ifndef USER_PRESCAN_STATE_H
#define USER_PRESCAN_STATE_H

#include "user/prescan_scan.h"

struct scan_state {
	int fd;				/* -1: there is none */
	char path[4096];
	uint64_t nbytes;		/* up to the last whole record */
	struct file_result **results;	/* sorted by path */
	size_t nresults, room;
};

/*
 * Opens or makes the file. @options names all that changes a result; a file made with others is refused.
 * 0, or -errno with a sentence in @why that begins with the path.
 */
int scan_state_open(struct scan_state *state, const char *path, const char *options, char *why, size_t why_bytes);
/* The result of this very file, unchanged since, or NULL. It stays the state's, until scan_state_close(). */
const struct file_result *scan_state_find(const struct scan_state *state, const struct scan_file *file);
/* 0; or -errno with a sentence, and the file as it was before. */
int scan_state_append(struct scan_state *state, const struct file_result *result, char *why, size_t why_bytes);
void scan_state_close(struct scan_state *state);

#endif
