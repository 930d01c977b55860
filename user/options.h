/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/options.h - what `plexus run` was asked to do. */
#ifndef USER_OPTIONS_H
#define USER_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "devices/pc.h"
#include "user/trace_options.h"

#define MEMORY_DEFAULT	(256ull << 20)
#define MEMORY_MIN	(1ull << 20)
#define MEMORY_MAX	(3584ull << 20)		/* PCI devices live from 3.5 GiB on */

enum serial_kind { SERIAL_NONE, SERIAL_STDIO, SERIAL_FILE, SERIAL_PTY };
enum display_kind { DISPLAY_NONE, DISPLAY_CURSES };

struct run_options {
	const char *disk[PC_MAX_DISKS];
	unsigned int ndisks;
	bool snapshot;
	uint64_t memory_bytes;
	enum serial_kind serial;
	const char *serial_path;	/* SERIAL_FILE */
	enum display_kind display;
	const char *screenshot;		/* NULL: none */
	const char *kernel, *initrd, *append;
	const char *firmware, *vga_rom;	/* NULL: what is installed */
	bool no_vga;
	const char *debug_console;	/* NULL: nobody listens */
	enum plx_host host;
	bool descriptor_tables_guest, monitor_high;
	enum plx_rewrite rewrite;
	const char *host_features;
	bool reset_on_triple_fault;
	bool stats;			/* a table on standard error */
	const char *stats_json;		/* NULL: no file */
	bool count;			/* count guest instructions */
	struct trace_options trace;
	const char *coverage;		/* NULL: what runs is not recorded */
	bool help;			/* --help was given: nothing else counts */
};

/*
 * @argv[0] is the word "run". 0, or -EINVAL with one sentence in @why. The strings are argv's own.
 * Only what can be judged from the words alone is judged here; whether files exist is asked later.
 */
int run_options_parse(int argc, char **argv, struct run_options *options, char *why, size_t why_bytes);

/* "256M", "1G", "2048K", "256" (a bare number is MiB) to bytes. 0, or -EINVAL. */
int parse_size(const char *text, uint64_t *nbytes);

extern const char run_options_help[];

#endif
