/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_compare.c - see trace_compare.h.
 *
 *      [here] --fork--> the run, with its serial port on a pipe --> [here] looks for the text, then SIGTERM
 *             <-- struct run_figures in shared memory, and what wait4() says of time
 *
 * One run after the other, each a process of its own: none warms the next one's memory. Asked by: trace_command.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/run.h"
#include "user/say.h"
#include "user/trace_compare.h"

#define STRATEGIES_MAX 5

struct contest {
	const char *strategy[STRATEGIES_MAX];
	unsigned int n;
	bool module;			/* --host module: gate is one of its strategies */
	struct run_figures *figures;	/* shared with the runs, one each */
	double wall[STRATEGIES_MAX], cpu[STRATEGIES_MAX];
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Sums would have the gate leave everything to the monitor. */
static bool has_sums(const struct contest *c, unsigned int i)
{
	return strcmp(c->strategy[i], "gate") != 0;
}

/* "int3,farcall" in pieces; @list is cut up. */
static int read_list(struct contest *c, char *list)
{
	static const char *const known[] = { "int3", "gate", "farcall", "adaptive", "interpret" };
	char *word;

	while ((word = strsep(&list, ",")) != NULL) {
		bool ok = false;

		for (unsigned int i = 0; i < PLX_ARRAY_SIZE(known); i++)
			ok |= !strcmp(word, known[i]);
		for (unsigned int i = 0; i < c->n; i++)
			if (!strcmp(word, c->strategy[i])) {
				say("--compare: %s was given twice", word);
				return -EINVAL;
			}
		if (!ok || c->n == STRATEGIES_MAX) {
			say("--compare: '%s' is none of int3, gate, farcall, adaptive and interpret", word);
			return -EINVAL;
		}
		if (!strcmp(word, "gate") && !c->module) {
			say("--compare: gate needs --host module among the run's options");
			return -EINVAL;
		}
		c->strategy[c->n++] = word;
	}
	return 0;
}

/* Do the run's options ask for the module? All else about them is the run's own affair. */
static bool asks_for_module(int argc, char **argv)
{
	bool module = false;

	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "--host=", 7))
			module = !strcmp(argv[i] + 7, "module");
		else if (!strcmp(argv[i], "--host") && i + 1 < argc)
			module = !strcmp(argv[i + 1], "module");
	}
	return module;
}

/* Reads what the guest says until @text was in it. True: it was; false: the guest has ended. */
static bool listen_for(int fd, const char *text)
{
	size_t length = strlen(text), have = 0;
	char buffer[8192];
	ssize_t n;

	while ((n = read(fd, buffer + have, sizeof(buffer) - have)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		have += (size_t)n;
		if (length && memmem(buffer, have, text, length))
			return true;
		/* What may be the beginning of the text stays. */
		if (have >= length) {
			size_t keep = length ? length - 1 : 0;

			memmove(buffer, buffer + have - keep, keep);
			have = keep;
		}
	}
	return false;
}

/* The child's part: standard output is the guest's serial port, and its last words go nowhere. */
static void run_child(struct contest *c, unsigned int i, int fd, int argc, char **argv)
{
	char rewrite[64];
	char **words = calloc((size_t)argc + 5, sizeof(*words));
	int n = 0;

	if (!words)
		_exit(STATUS_FAILED);
	snprintf(rewrite, sizeof(rewrite), "--rewrite=%s", c->strategy[i]);
	words[n++] = argv[0];
	for (int k = 1; k < argc; k++)
		words[n++] = argv[k];
	words[n++] = rewrite;
	words[n++] = (char *)"--serial=stdio";
	if (has_sums(c, i))
		words[n++] = (char *)"--trace-summary=/dev/null";
	dup2(fd, STDOUT_FILENO);
	close(fd);
	_exit(run_measured(n, words, &c->figures[i]));
}

static int run_one(struct contest *c, unsigned int i, const char *until, int argc, char **argv)
{
	double start = now_s();
	struct rusage usage;
	bool met;
	int status, fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC)) {
		say("--compare: no pipe: %s", strerror(errno));
		return -errno;
	}
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		say("--compare: no process: %s", strerror(errno));
		return -errno;
	}
	if (pid == 0) {
		close(fds[0]);
		run_child(c, i, fds[1], argc, argv);
	}
	close(fds[1]);
	met = listen_for(fds[0], until ? until : "");
	c->wall[i] = now_s() - start;
	if (met) {
		kill(pid, SIGTERM);
		listen_for(fds[0], "");		/* it may have more to say */
	}
	close(fds[0]);
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return -errno;
	c->cpu[i] = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	if (c->figures[i].complete && (met || (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_OK))) {
		if (met || !until)
			return 0;
		say("--compare: the guest ended under %s without saying '%s'", c->strategy[i], until);
		return -EINVAL;
	}
	if (WIFSIGNALED(status))
		say("--compare: the run under %s was ended by signal %d", c->strategy[i], WTERMSIG(status));
	return -EINVAL;				/* the run itself has said what was wrong */
}

/* ---- the table -------------------------------------------------------------------------------------------- */

static void heading(const struct contest *c)
{
	printf("%-12s", "");
	for (unsigned int i = 0; i < c->n; i++)
		printf(" %19s", c->strategy[i]);
	putchar('\n');
}

static void row_of_seconds(const struct contest *c, const char *name, const double *value)
{
	printf("%-12s", name);
	for (unsigned int i = 0; i < c->n; i++)
		printf(" %17.3f s", value[i]);
	putchar('\n');
}

static void row_of_counts(const struct contest *c, const char *name, size_t offset)
{
	printf("%-12s", name);
	for (unsigned int i = 0; i < c->n; i++) {
		uint64_t value;

		memcpy(&value, (const char *)&c->figures[i] + offset, sizeof(value));
		printf(" %19" PRIu64, value);
	}
	putchar('\n');
}

static double ms(const struct run_figures *f, uint64_t ticks)
{
	return f->tsc_hz ? (double)ticks * 1e3 / (double)f->tsc_hz : 0;
}

static void row_of_class(const struct contest *c, unsigned int klass)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < c->n; i++)
		any |= c->figures[i].count[klass];
	if (!any)
		return;
	printf("%-12s", prescan_class_name(klass));
	for (unsigned int i = 0; i < c->n; i++) {
		if (has_sums(c, i))
			printf(" %9" PRIu64 " %9.3f", c->figures[i].count[klass], ms(&c->figures[i], c->figures[i].ticks[klass]));
		else
			printf(" %19s", "-");
	}
	putchar('\n');
}

static void print_table(const struct contest *c)
{
	heading(c);
	row_of_seconds(c, "wall", c->wall);
	row_of_seconds(c, "processor", c->cpu);
	row_of_counts(c, "callouts", offsetof(struct run_figures, callouts));
	row_of_counts(c, "signals", offsetof(struct run_figures, signals));
	row_of_counts(c, "inlined", offsetof(struct run_figures, inlined));
	if (c->module)
		row_of_counts(c, "gate", offsetof(struct run_figures, gate));
	row_of_counts(c, "interpreted", offsetof(struct run_figures, interpreted));
	puts("\nvirtualized by class: how often, and milliseconds in the monitor (the way there and back is not among them)");
	for (unsigned int k = 0; k < PRESCAN_NR_CLASSES; k++)
		row_of_class(c, k);
}

int trace_compare(const char *text, const char *until, int argc, char **argv)
{
	struct contest c = { .module = asks_for_module(argc, argv) };
	char *list = strdup(text);
	int err = list ? read_list(&c, list) : -ENOMEM;

	if (until && strlen(until) > 1000) {
		say("--until: the text is longer than 1000 characters");
		err = -EINVAL;
	}
	if (err) {
		free(list);
		return STATUS_USAGE;
	}
	c.figures = mmap(NULL, sizeof(*c.figures) * STRATEGIES_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c.figures == MAP_FAILED) {
		say("--compare: out of memory");
		free(list);
		return STATUS_FAILED;
	}
	for (unsigned int i = 0; i < c.n && !err; i++) {
		fprintf(stderr, "plexus: running under %s\n", c.strategy[i]);
		err = run_one(&c, i, until, argc, argv);
	}
	if (!err)
		print_table(&c);
	munmap(c.figures, sizeof(*c.figures) * STRATEGIES_MAX);
	free(list);
	if (err || fflush(stdout) || ferror(stdout))
		return STATUS_FAILED;
	return STATUS_OK;
}
