/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/host_files.h - small questions to the host: a file's contents, how much memory there is. */
#ifndef USER_HOST_FILES_H
#define USER_HOST_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A file's contents, mapped read-only; @data is NULL for an empty file. */
struct host_file {
	const uint8_t *data;
	size_t nbytes;
};

/* 0, or -errno with one sentence in @why that begins with the path. Directories and devices are refused. */
int host_file_map(struct host_file *file, const char *path, char *why, size_t why_bytes);
void host_file_unmap(struct host_file *file);

/*
 * Memory this process may use: the host's, or less if a control group says so. @root is "" but in tests. 0: nobody knows.
 */
uint64_t host_memory_bytes(const char *root);

/* One unsigned number at the beginning of a file such as those below /proc/sys. 0, or -errno. */
int host_read_number(const char *path, uint64_t *value);

/*
 * Writes a file whole or not at all: host_file_create() opens a temporary file beside @path, host_file_commit() renames it.
 * What is no regular file (/dev/stdout, a pipe) is written directly.
 */
struct host_new_file {
	FILE *stream;
	char path[4096], temporary[4112];	/* temporary "": written directly */
};
/* For what is written hours later: could it be, as far as one can tell now? 0, or -errno with one sentence in @why. */
int host_file_check(const char *path, char *why, size_t why_bytes);
int host_file_create(struct host_new_file *file, const char *path, char *why, size_t why_bytes);
int host_file_commit(struct host_new_file *file, char *why, size_t why_bytes);

#endif
