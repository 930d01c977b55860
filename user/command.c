/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/command.c - which subcommand is meant. Asked by: main(). Read next: user/run.c.
 * Tested by: tests/unit/test_run.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "user/command.h"
#include "user/say.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "(unversioned)"
#endif

const char plexus_version[] = PACKAGE_VERSION;

static const char help[] =
	"Usage: plexus COMMAND [OPTION]...\n"
	"Runs IA-32 operating systems as ordinary programs, without hardware virtualization.\n"
	"\n"
	"  run       run a machine; `plexus run --help` lists its options\n"
	"  doctor    check whether this host can\n"
	"  prescan   what Plexus would do with the code in files; `plexus prescan --help`\n"
	"  trace     record, read and compare what is virtualized; `plexus trace --help`\n"
	"  help      this text\n"
	"\n"
	"  --version the version\n"
	"\n"
	"Exit status: 0 the guest powered off, 1 something failed, 2 the command line was wrong,\n"
	"128+N ended by signal N. More in plexus(1).\n";

static int print(const char *text)
{
	fputs(text, stdout);
	if (fflush(stdout) || ferror(stdout)) {
		say("standard output cannot be written");
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

static int command_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return print(help);
}

static int command_version(int argc, char **argv)
{
	char line[64];

	(void)argc;
	(void)argv;
	snprintf(line, sizeof(line), "plexus %s\n", plexus_version);
	return print(line);
}

static const struct {
	const char *name;
	int (*call)(int argc, char **argv);
} commands[] = {
	{ "run", command_run },
	{ "doctor", command_doctor },
	{ "trace", command_trace },
	{ "prescan", command_prescan },
	{ "help", command_help },
	{ "--help", command_help },
	{ "-h", command_help },
	{ "--version", command_version },
};

/*
 * Started with a standard descriptor closed (">&-", some daemons)? Then the next file opened gets its number, and what is said to
 * standard error lands in it: in a disk image, say.
 */
static void occupy_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int plexus_main(int argc, char **argv)
{
	occupy_standard_descriptors();
	if (argc < 2) {
		say("a command is missing; `plexus help` lists them");
		return STATUS_USAGE;
	}
	for (size_t i = 0; i < PLX_ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].call(argc - 1, argv + 1);
	say("'%s' is no command; `plexus help` lists them", argv[1]);
	return STATUS_USAGE;
}
