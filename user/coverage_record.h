/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/coverage_record.h - `plexus run --coverage=FILE`: ask the engine to record what runs, and write it down at the end. */
#ifndef USER_COVERAGE_RECORD_H
#define USER_COVERAGE_RECORD_H

#include "plexus/plexus.h"
#include "user/coverage_file.h"

struct coverage_recorder {
	const char *path;		/* NULL: not wanted */
	const struct plx_cover *cover;	/* NULL: nothing is recorded */
	struct coverage_run run;	/* its texts are the caller's */
};

/*
 * Before the first run; does nothing if @path is NULL. Sees to it that the file can be made, and leaves none. @version and @command must
 * outlive the recorder. 0, or -errno with one sentence in @why.
 */
int coverage_recorder_start(struct coverage_recorder *r, const char *path, struct plx_vm *vm, enum plx_rewrite rewrite,
			    const char *version, const char *command, char *why, size_t why_bytes);
/* The processor has stopped. The file is there, whole, or it is not. 0, or -errno with one sentence in @why. */
int coverage_recorder_finish(struct coverage_recorder *r, char *why, size_t why_bytes);

#endif
