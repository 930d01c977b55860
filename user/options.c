/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/options.c - the words behind `plexus run`, read and judged.
 *
 * Asked by:  user/run.c. Asks: getopt_long.
 * Tested by: tests/unit/test_options.c. Documented in docs/plexus.1: an option added here is added there.
 *
 * Whatever is wrong is told in one sentence, the first thing that is wrong, and the command ends with status 2.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "user/options.h"

enum option_code {
	OPT_DISK = 256, OPT_SNAPSHOT, OPT_MEMORY, OPT_SERIAL, OPT_DISPLAY, OPT_SCREENSHOT, OPT_KERNEL, OPT_INITRD, OPT_APPEND,
	OPT_FIRMWARE, OPT_VGA_ROM, OPT_NO_VGA, OPT_DEBUG_CONSOLE, OPT_REWRITE, OPT_HOST_FEATURES, OPT_TRIPLE_FAULT, OPT_STATS, OPT_COUNT,
	OPT_TRACE, OPT_TRACE_SUMMARY, OPT_TRACE_FULL, OPT_PROFILE, OPT_COVERAGE, OPT_HOST, OPT_DESCRIPTOR_TABLES, OPT_MONITOR_HIGH,
	OPT_HELP,
};

static const struct option long_options[] = {
	{ "disk", required_argument, NULL, OPT_DISK },
	{ "snapshot", no_argument, NULL, OPT_SNAPSHOT },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "serial", required_argument, NULL, OPT_SERIAL },
	{ "display", required_argument, NULL, OPT_DISPLAY },
	{ "screenshot", required_argument, NULL, OPT_SCREENSHOT },
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "initrd", required_argument, NULL, OPT_INITRD },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "firmware", required_argument, NULL, OPT_FIRMWARE },
	{ "vga-rom", required_argument, NULL, OPT_VGA_ROM },
	{ "no-vga", no_argument, NULL, OPT_NO_VGA },
	{ "debug-console", required_argument, NULL, OPT_DEBUG_CONSOLE },
	{ "rewrite", required_argument, NULL, OPT_REWRITE },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "descriptor-tables", required_argument, NULL, OPT_DESCRIPTOR_TABLES },
	{ "monitor-high", no_argument, NULL, OPT_MONITOR_HIGH },
	{ "host-features", required_argument, NULL, OPT_HOST_FEATURES },
	{ "on-triple-fault", required_argument, NULL, OPT_TRIPLE_FAULT },
	{ "stats", optional_argument, NULL, OPT_STATS },
	{ "count", no_argument, NULL, OPT_COUNT },
	{ "trace", required_argument, NULL, OPT_TRACE },
	{ "trace-summary", optional_argument, NULL, OPT_TRACE_SUMMARY },
	{ "trace-full", required_argument, NULL, OPT_TRACE_FULL },
	{ "profile", no_argument, NULL, OPT_PROFILE },
	{ "coverage", required_argument, NULL, OPT_COVERAGE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

const char run_options_help[] =
	"Usage: plexus run [OPTION]...\n"
	"Runs an IA-32 machine until it powers itself off.\n"
	"\n"
	"What it starts from:\n"
	"  --disk FILE              a raw disk image; up to four, the first one boots\n"
	"  --snapshot               leave the images as they are; what is written is gone at the end\n"
	"  --kernel FILE            start this Linux kernel (bzImage) without firmware\n"
	"  --initrd FILE            its initial RAM disk\n"
	"  --append TEXT            its command line\n"
	"  --firmware FILE          system ROM instead of the installed SeaBIOS\n"
	"  --vga-rom FILE           VGA ROM instead of the installed one\n"
	"\n"
	"What it is made of:\n"
	"  --memory SIZE            such as 256M (the default) or 1G; 1M to 3584M\n"
	"  --no-vga                 no VGA\n"
	"\n"
	"What is seen of it:\n"
	"  --serial stdio|file:PATH|pty|none   the first serial port (default: stdio; none with a display)\n"
	"  --display none|curses    the screen (default: none)\n"
	"  --screenshot FILE.png    write the picture at the end\n"
	"  --debug-console FILE     what firmware writes to port 402h\n"
	"  --stats[=FILE.json]      figures at the end, as a table on standard error or into a file\n"
	"  --count                  count guest instructions, so that --stats shows the interpreter's share (slower)\n"
	"  --trace=FILE[,FILTER...] record every virtualized instruction; read it with `plexus trace --read FILE`\n"
	"  --trace-summary[=FILE.json]  their sums at the end, as a table on standard error or into a file\n"
	"  --trace-full wait|drop   what a full trace buffer does to the guest or the record (default: wait)\n"
	"  --profile                the dearest sites and what the rewriting made of them, live on a terminal, and at the end\n"
	"  --coverage=FILE          which instructions ran, and how; read it with `plexus prescan --coverage=FILE`\n"
	"\n"
	"How it runs:\n"
	"  --host process|module|auto   in this process, in the kernel by /dev/plexus, or in the kernel if that can be\n"
	"                           (default: process)\n"
	"  --rewrite adaptive|farcall|int3|gate|interpret\n"
	"                           how sensitive instructions are replaced (default: adaptive; gate: with --host module)\n"
	"  --host-features LIST     host features not to use, such as -fsgsbase\n"
	"  --descriptor-tables free|guest      with --host module: where the real descriptor tables stand, in linear\n"
	"                           addresses that the guest leaves free, or where its own are (default: free)\n"
	"  --monitor-high           with --host module: the monitor stands above the guest's 4 GiB\n"
	"  --on-triple-fault exit|reset        (default: exit)\n"
	"\n"
	"With the serial port on a terminal, Ctrl-A x leaves and Ctrl-A h tells the other keys.\n"
	"All of it is explained in plexus(1).\n";

PLX_PRINTF(3, 4)
static int refuse(char *why, size_t why_bytes, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, why_bytes, fmt, args);
	va_end(args);
	return -EINVAL;
}

int parse_size(const char *text, uint64_t *nbytes)
{
	uint64_t value = 0;
	unsigned int shift;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++) {
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > UINT64_MAX >> 30)
			return -EINVAL;
	}
	switch (toupper((unsigned char)*text)) {
	case 'K': shift = 10; break;
	case 'M': case '\0': shift = 20; break;
	case 'G': shift = 30; break;
	default: return -EINVAL;
	}
	if (*text && text[1])
		return -EINVAL;
	*nbytes = value << shift;
	return 0;
}

static int read_memory(struct run_options *o, const char *text, char *why, size_t why_bytes)
{
	if (parse_size(text, &o->memory_bytes))
		return refuse(why, why_bytes, "--memory: '%s' is no size; write it like 256M or 1G", text);
	if (o->memory_bytes < MEMORY_MIN || o->memory_bytes > MEMORY_MAX)
		return refuse(why, why_bytes, "--memory: %s is out of range; the machine can have 1M to 3584M", text);
	if (o->memory_bytes % MEMORY_MIN)
		return refuse(why, why_bytes, "--memory: %s is not a whole number of MiB", text);
	return 0;
}

static int read_serial(struct run_options *o, const char *text, char *why, size_t why_bytes)
{
	if (!strcmp(text, "stdio")) {
		o->serial = SERIAL_STDIO;
	} else if (!strcmp(text, "pty")) {
		o->serial = SERIAL_PTY;
	} else if (!strcmp(text, "none")) {
		o->serial = SERIAL_NONE;
	} else if (!strncmp(text, "file:", 5)) {
		o->serial = SERIAL_FILE;
		o->serial_path = text + 5;
		if (!*o->serial_path)
			return refuse(why, why_bytes, "--serial: file: needs a path behind it");
	} else {
		return refuse(why, why_bytes, "--serial: '%s' is none of stdio, file:PATH, pty and none", text);
	}
	return 0;
}

/* The index of @text among @words, or -1. */
static int one_of(const char *text, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(text, words[i]))
			return i;
	return -1;
}

static int read_rewrite(struct run_options *o, const char *text, char *why, size_t why_bytes)
{
	static const char *const words[] = { "adaptive", "farcall", "int3", "interpret", "gate", NULL };
	static const enum plx_rewrite values[] = {
		PLX_REWRITE_ADAPTIVE, PLX_REWRITE_FARCALL, PLX_REWRITE_INT3, PLX_REWRITE_INTERPRET, PLX_REWRITE_GATE,
	};
	int i = one_of(text, words);

	if (i < 0)
		return refuse(why, why_bytes, "--rewrite: '%s' is none of adaptive, farcall, int3, gate and interpret", text);
	o->rewrite = values[i];
	return 0;
}

static int read_host(struct run_options *o, const char *text, char *why, size_t why_bytes)
{
	static const char *const words[] = { "process", "module", "auto", NULL };
	static const enum plx_host values[] = { PLX_HOST_PROCESS, PLX_HOST_MODULE, PLX_HOST_AUTO };
	int i = one_of(text, words);

	if (i < 0)
		return refuse(why, why_bytes, "--host: '%s' is none of process, module and auto", text);
	o->host = values[i];
	return 0;
}

/* Signs, names and commas; which names there are the engine knows. */
static int read_host_features(struct run_options *o, const char *text, char *why, size_t why_bytes)
{
	const char *p = text;

	do {
		if (*p == '-' || *p == '+')
			p++;
		if (!isalnum((unsigned char)*p))
			return refuse(why, why_bytes, "--host-features: '%s' is no list such as -fsgsbase", text);
		while (isalnum((unsigned char)*p) || *p == '_' || *p == '.')
			p++;
	} while (*p++ == ',');
	if (p[-1])
		return refuse(why, why_bytes, "--host-features: '%s' is no list such as -fsgsbase", text);
	o->host_features = text;
	return 0;
}

/* Options that take a file's name: an empty one is a slip of a shell script, told here and not as ENOENT later. */
static int read_path(const char **to, const char *option, const char *text, char *why, size_t why_bytes)
{
	if (!*text)
		return refuse(why, why_bytes, "--%s: the file's name is empty", option);
	if (*to)
		return refuse(why, why_bytes, "--%s was given twice", option);
	*to = text;
	return 0;
}

static int read_option(struct run_options *o, int code, const char *arg, char *why, size_t why_bytes)
{
	switch (code) {
	case OPT_DISK:
		if (o->ndisks == PC_MAX_DISKS)
			return refuse(why, why_bytes, "--disk: the machine has room for %d disks", PC_MAX_DISKS);
		return read_path(&o->disk[o->ndisks++], "disk", arg, why, why_bytes);
	case OPT_SNAPSHOT:
		o->snapshot = true;
		return 0;
	case OPT_MEMORY:
		return read_memory(o, arg, why, why_bytes);
	case OPT_SERIAL:
		return read_serial(o, arg, why, why_bytes);
	case OPT_DISPLAY:
		if (strcmp(arg, "none") && strcmp(arg, "curses"))
			return refuse(why, why_bytes, "--display: '%s' is neither none nor curses", arg);
		o->display = !strcmp(arg, "curses") ? DISPLAY_CURSES : DISPLAY_NONE;
		return 0;
	case OPT_SCREENSHOT:
		return read_path(&o->screenshot, "screenshot", arg, why, why_bytes);
	case OPT_KERNEL:
		return read_path(&o->kernel, "kernel", arg, why, why_bytes);
	case OPT_INITRD:
		return read_path(&o->initrd, "initrd", arg, why, why_bytes);
	case OPT_APPEND:
		o->append = arg;
		return 0;
	case OPT_FIRMWARE:
		return read_path(&o->firmware, "firmware", arg, why, why_bytes);
	case OPT_VGA_ROM:
		return read_path(&o->vga_rom, "vga-rom", arg, why, why_bytes);
	case OPT_NO_VGA:
		o->no_vga = true;
		return 0;
	case OPT_DEBUG_CONSOLE:
		return read_path(&o->debug_console, "debug-console", arg, why, why_bytes);
	case OPT_REWRITE:
		return read_rewrite(o, arg, why, why_bytes);
	case OPT_HOST:
		return read_host(o, arg, why, why_bytes);
	case OPT_DESCRIPTOR_TABLES:
		if (strcmp(arg, "free") && strcmp(arg, "guest"))
			return refuse(why, why_bytes, "--descriptor-tables: '%s' is neither free nor guest", arg);
		o->descriptor_tables_guest = !strcmp(arg, "guest");
		return 0;
	case OPT_MONITOR_HIGH:
		o->monitor_high = true;
		return 0;
	case OPT_HOST_FEATURES:
		return read_host_features(o, arg, why, why_bytes);
	case OPT_TRIPLE_FAULT:
		if (strcmp(arg, "reset") && strcmp(arg, "exit"))
			return refuse(why, why_bytes, "--on-triple-fault: '%s' is neither reset nor exit", arg);
		o->reset_on_triple_fault = !strcmp(arg, "reset");
		return 0;
	case OPT_COUNT:
		o->count = true;
		return 0;
	case OPT_STATS:
		if (arg)
			return read_path(&o->stats_json, "stats", arg, why, why_bytes);
		o->stats = true;
		return 0;
	case OPT_TRACE:
		return trace_options_file(&o->trace, arg, why, why_bytes);
	case OPT_TRACE_SUMMARY:
		if (arg)
			return read_path(&o->trace.summary_json, "trace-summary", arg, why, why_bytes);
		o->trace.summary = true;
		return 0;
	case OPT_TRACE_FULL:
		return trace_options_full(&o->trace, arg, why, why_bytes);
	case OPT_PROFILE:
		o->trace.profile = true;
		return 0;
	case OPT_COVERAGE:
		return read_path(&o->coverage, "coverage", arg, why, why_bytes);
	default:
		o->help = true;
		return 0;
	}
}

/* Options that say different things together. */
static int check_together(const struct run_options *o, char *why, size_t why_bytes)
{
	if (!o->kernel && (o->initrd || o->append))
		return refuse(why, why_bytes, "%s needs --kernel FILE beside it", o->initrd ? "--initrd" : "--append");
	if (o->kernel && (o->firmware || o->vga_rom))
		return refuse(why, why_bytes, "--kernel starts without firmware; leave out %s",
			      o->firmware ? "--firmware" : "--vga-rom");
	if (o->no_vga && (o->vga_rom || o->screenshot || o->display == DISPLAY_CURSES))
		return refuse(why, why_bytes, "--no-vga leaves no screen for %s",
			      o->vga_rom ? "--vga-rom" : o->screenshot ? "--screenshot" : "--display curses");
	if (o->display == DISPLAY_CURSES && o->serial == SERIAL_STDIO)
		return refuse(why, why_bytes,
			      "--display curses and --serial stdio both want the terminal; use --serial pty or file:PATH");
	if (o->host == PLX_HOST_PROCESS && (o->descriptor_tables_guest || o->monitor_high))
		return refuse(why, why_bytes, "%s needs --host module beside it",
			      o->descriptor_tables_guest ? "--descriptor-tables=guest" : "--monitor-high");
	if (o->host == PLX_HOST_PROCESS && o->rewrite == PLX_REWRITE_GATE)
		return refuse(why, why_bytes, "--rewrite=gate needs --host module beside it");
	return 0;
}

int run_options_parse(int argc, char **argv, struct run_options *o, char *why, size_t why_bytes)
{
	bool serial_given = false;
	int code, err;

	memset(o, 0, sizeof(*o));
	o->memory_bytes = MEMORY_DEFAULT;
	trace_filter_init(&o->trace.filter);

	opterr = 0;
	optind = 0;			/* GNU: start afresh, whoever parsed before */
	while ((code = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (code == ':')
			return refuse(why, why_bytes, "%s needs an argument", argv[optind - 1]);
		if (code == '?' && optopt >= OPT_DISK)
			return refuse(why, why_bytes, "%s: this option takes no argument", argv[optind - 1]);
		if (code == '?' && optopt)
			return refuse(why, why_bytes, "-%c is no option; `plexus run --help` lists them", optopt);
		if (code == '?')
			return refuse(why, why_bytes, "%s is no option, or short for more than one; `plexus run --help` lists them",
				      argv[optind - 1]);
		serial_given |= code == OPT_SERIAL;
		err = read_option(o, code, optarg, why, why_bytes);
		if (err)
			return err;
	}
	if (o->help)
		return 0;
	if (optind < argc)
		return refuse(why, why_bytes, "'%s' is no option; a disk is given with --disk FILE", argv[optind]);
	if (!serial_given)
		o->serial = o->display == DISPLAY_CURSES ? SERIAL_NONE : SERIAL_STDIO;
	return check_together(o, why, why_bytes);
}
