/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_walk.c - directories, depth first, into one sorted list: so the result does not depend on their order.
 *
 * Asked by: user/prescan_command.c. Tested by: tests/unit/test_prescan_command.c.
 */
#define _GNU_SOURCE			/* asprintf */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "user/prescan_walk.h"
#include "user/say.h"

static bool add_file(struct scan_list *list, const char *path, const struct stat *st, bool named)
{
	if (list->nfiles == list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		struct scan_file *grown = realloc(list->files, room * sizeof(*grown));

		if (!grown)
			return false;
		list->files = grown;
		list->room = room;
	}
	list->files[list->nfiles] = (struct scan_file){
		.path = strdup(path), .nbytes = (uint64_t)st->st_size, .inode = st->st_ino, .named = named,
		.mtime_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec,
	};
	return list->files[list->nfiles].path && ++list->nfiles;
}

static bool walk(struct scan_list *list, const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	size_t n = strlen(path);
	bool ok = true;

	if (!directory) {
		say("%s: cannot be read: %s", path, strerror(errno));
		list->failed = true;
		return true;
	}
	for (errno = 0; ok && (entry = readdir(directory)); errno = 0) {
		struct stat st;
		char *inner;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&inner, "%s%s%s", path, path[n - 1] == '/' ? "" : "/", entry->d_name) < 0) {
			ok = false;
			break;
		}
		if (lstat(inner, &st) < 0) {
			/* What is gone since readdir() is nobody's loss. */
			if (errno != ENOENT) {
				say("%s: cannot be examined: %s", inner, strerror(errno));
				list->failed = true;
			}
		} else if (S_ISDIR(st.st_mode)) {
			ok = walk(list, inner);
		} else if (S_ISLNK(st.st_mode)) {
			list->links++;
		} else if (S_ISREG(st.st_mode)) {
			ok = add_file(list, inner, &st, false);
		}
		free(inner);
	}
	if (ok && errno) {
		say("%s: cannot be read to its end: %s", path, strerror(errno));
		list->failed = true;
	}
	closedir(directory);
	return ok;
}

bool scan_list_add(struct scan_list *list, const char *path)
{
	size_t n = strlen(path);
	struct stat st;
	char *trimmed;
	bool ok;

	if (stat(path, &st) < 0) {
		say("%s: cannot be opened: %s", path, strerror(errno));
		list->failed = true;
		return true;
	}
	/* Nothing follows a FIFO's or a terminal's name in a list of files; image_open() says why. */
	if (!S_ISDIR(st.st_mode))
		return add_file(list, path, &st, true);
	while (n > 1 && path[n - 1] == '/')
		n--;
	trimmed = strndup(path, n);
	ok = trimmed && walk(list, trimmed);
	free(trimmed);
	return ok;
}

static int by_path(const void *a, const void *b)
{
	const struct scan_file *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : (int)y->named - (int)x->named;
}

void scan_list_sort(struct scan_list *list)
{
	size_t kept = 0;

	if (list->nfiles)
		qsort(list->files, list->nfiles, sizeof(*list->files), by_path);
	for (size_t i = 0; i < list->nfiles; i++) {
		if (kept && !strcmp(list->files[i].path, list->files[kept - 1].path)) {
			free(list->files[i].path);
			continue;
		}
		list->nbytes += list->files[i].nbytes;
		list->files[kept++] = list->files[i];
	}
	list->nfiles = kept;
}

void scan_list_free(struct scan_list *list)
{
	for (size_t i = 0; i < list->nfiles; i++)
		free(list->files[i].path);
	free(list->files);
	*list = (struct scan_list){ 0 };
}
