/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_pool.c - the scan on all cores.
 *
 *      main thread: progress, signals, state file          workers: next file -> scan_file() -> results[i]
 *
 * Workers take the next file from a counter and put the result into its place, so the order in which they finish does not show.
 * Signals are blocked while they run and read by the main thread, which tells the workers to stop; a worker notices
 * within 65,536 instructions. What is in the state file by then stays there.
 *
 * Locking: pool->results and ->own belong to the worker that took the index until it has put the index into done[], under
 * the lock; then to the main thread.
 *
 * Asked by: user/prescan_command.c. Tested by: tests/unit/test_prescan_command.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "user/prescan_pool.h"

#define PROGRESS_MS	200
#define BAR_CELLS	20

struct crew {
	struct pool *pool;
	atomic_size_t next;
	atomic_bool stop;
	atomic_bool no_memory;
	int wake;			/* eventfd: something is in done[], or a worker ended */
	pthread_mutex_t lock;
	size_t *done;			/* indexes, in the order they were finished */
	size_t ndone;
	unsigned int running;
};

static void *work(void *arg)
{
	struct crew *crew = arg;
	struct pool *pool = crew->pool;
	const uint64_t one = 1;
	ssize_t n;

	for (;;) {
		size_t i = atomic_fetch_add(&crew->next, 1);

		if (i >= pool->list->nfiles || atomic_load(&crew->stop))
			break;
		if (pool->results[i])		/* the state knew it */
			continue;
		pool->own[i] = scan_file(&pool->list->files[i], &pool->options);
		if (!pool->own[i]) {
			if (!atomic_load(&crew->stop))
				atomic_store(&crew->no_memory, true);
			break;
		}
		pool->results[i] = pool->own[i];
		pthread_mutex_lock(&crew->lock);
		crew->done[crew->ndone++] = i;
		pthread_mutex_unlock(&crew->lock);
		n = write(crew->wake, &one, sizeof(one));
		(void)n;
	}
	pthread_mutex_lock(&crew->lock);
	crew->running--;
	pthread_mutex_unlock(&crew->lock);
	n = write(crew->wake, &one, sizeof(one));
	(void)n;
	return NULL;
}

/* ---- progress ---- */

struct progress {
	bool shown;
	uint64_t bytes0, bytes;
	struct timespec start;
};

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void show(struct progress *p, const struct pool *pool)
{
	uint64_t all = pool->list->nbytes ? pool->list->nbytes : 1;
	double seconds = seconds_since(&p->start), rate = seconds > 0 ? (double)(p->bytes - p->bytes0) / seconds : 0;
	unsigned int full = (unsigned int)(p->bytes * BAR_CELLS / all);
	char bar[BAR_CELLS + 1], left[32] = "--:--", line[160];
	struct winsize size;
	int columns = 80, n;

	memset(bar, '.', BAR_CELLS);
	memset(bar, '#', full < BAR_CELLS ? full : BAR_CELLS);
	bar[BAR_CELLS] = '\0';
	if (rate > 0 && seconds > 0.5) {
		uint64_t s = (uint64_t)((double)(pool->list->nbytes - p->bytes) / rate);

		if (s < 360000)
			snprintf(left, sizeof(left), "%" PRIu64 ":%02u", s / 60, (unsigned int)(s % 60));
	}
	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 10)
		columns = size.ws_col;
	n = snprintf(line, sizeof(line), "[%s] %zu of %zu files, %.1f of %.1f MB, %.1f MB/s, %s left", bar, pool->ndone, pool->list->nfiles,
		     (double)p->bytes / 1e6, (double)pool->list->nbytes / 1e6, rate / 1e6, left);
	if (n >= columns)
		line[columns - 1] = '\0';	/* a line that wraps cannot be overwritten */
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	p->shown = true;
}

static void hide(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}

/* ---- the main thread ---- */

/* Files that were finished since the last look: counted, and kept in the state. */
static int collect(struct crew *crew, struct progress *p, size_t *seen)
{
	struct pool *pool = crew->pool;
	size_t ndone;

	pthread_mutex_lock(&crew->lock);
	ndone = crew->ndone;
	pthread_mutex_unlock(&crew->lock);
	for (; *seen < ndone; (*seen)++) {
		size_t i = crew->done[*seen];
		int err;

		pool->ndone++;
		p->bytes += pool->list->files[i].nbytes;
		if (!pool->state)
			continue;
		err = scan_state_append(pool->state, pool->own[i], pool->why, sizeof(pool->why));
		if (err)
			return err;
	}
	return 0;
}

static bool anyone_running(struct crew *crew)
{
	bool any;

	pthread_mutex_lock(&crew->lock);
	any = crew->running;
	pthread_mutex_unlock(&crew->lock);
	return any;
}

static int supervise(struct crew *crew, int signals, struct progress *p)
{
	struct pool *pool = crew->pool;
	struct pollfd fds[2] = { { .fd = crew->wake, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	struct timespec last = p->start;
	size_t seen = 0;
	int err = 0;

	while (anyone_running(crew)) {
		struct signalfd_siginfo info;
		uint64_t count;
		int e;

		poll(fds, 2, PROGRESS_MS);
		if ((fds[0].revents & POLLIN) && read(crew->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
			err = -errno;
		if ((fds[1].revents & POLLIN) && read(signals, &info, sizeof(info)) == sizeof(info) && !pool->signal) {
			pool->signal = (int)info.ssi_signo;
			err = err ? err : -EINTR;
		}
		e = err && err != -EINTR ? 0 : collect(crew, p, &seen);
		if (e)
			err = e;
		if (err)
			atomic_store(&crew->stop, true);
		if (pool->progress && seconds_since(&last) >= PROGRESS_MS / 1e3) {
			show(p, pool);
			clock_gettime(CLOCK_MONOTONIC, &last);
		}
	}
	if (!err || err == -EINTR) {
		int e = collect(crew, p, &seen);

		err = e ? e : err;
	}
	hide(p);
	if (!err && atomic_load(&crew->no_memory)) {
		snprintf(pool->why, sizeof(pool->why), "there is not enough memory; --jobs 1 takes less");
		err = -ENOMEM;
	}
	/* The last file was done when the signal came: then it came too late. */
	if (err == -EINTR && pool->ndone == pool->list->nfiles) {
		pool->signal = 0;
		err = 0;
	}
	return err;
}

static int run_crew(struct crew *crew, struct progress *p)
{
	struct pool *pool = crew->pool;
	pthread_t *threads = calloc(pool->threads, sizeof(*threads));
	unsigned int started = 0;
	sigset_t set, old;
	int signals, err = -ENOMEM;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	crew->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (threads && signals >= 0 && crew->wake >= 0) {
		crew->running = pool->threads;
		while (started < pool->threads && !pthread_create(&threads[started], NULL, work, crew))
			started++;
		pthread_mutex_lock(&crew->lock);
		crew->running -= pool->threads - started;
		pthread_mutex_unlock(&crew->lock);
		err = started ? supervise(crew, signals, p) : -EAGAIN;
	}
	for (unsigned int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (err && err != -EINTR && !pool->why[0])
		snprintf(pool->why, sizeof(pool->why), "the scan cannot be started: %s", strerror(-err));
	if (signals >= 0)
		close(signals);
	if (crew->wake >= 0)
		close(crew->wake);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	free(threads);
	return err;
}

int pool_run(struct pool *pool)
{
	struct crew crew = { .pool = pool, .wake = -1, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct progress p = { 0 };
	size_t n = pool->list->nfiles, left = 0;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &p.start);
	pool->results = calloc(n + 1, sizeof(const struct file_result *));
	pool->own = calloc(n + 1, sizeof(struct file_result *));
	crew.done = calloc(n + 1, sizeof(*crew.done));
	if (!pool->results || !pool->own || !crew.done) {
		snprintf(pool->why, sizeof(pool->why), "there is not enough memory for a list of %zu files", n);
		free(crew.done);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		if (pool->state)
			pool->results[i] = scan_state_find(pool->state, &pool->list->files[i]);
		if (!pool->results[i]) {
			left++;
			continue;
		}
		pool->ndone++;
		p.bytes0 += pool->list->files[i].nbytes;
	}
	p.bytes = p.bytes0;
	pool->options.stop = &crew.stop;
	if (pool->threads > left)
		pool->threads = (unsigned int)left;
	if (left)
		err = run_crew(&crew, &p);
	pool->options.stop = NULL;
	free(crew.done);
	return err;
}

void pool_free(struct pool *pool)
{
	for (size_t i = 0; pool->own && i < pool->list->nfiles; i++)
		file_result_free(pool->own[i]);
	free(pool->own);
	free(pool->results);
	pool->own = NULL;
	pool->results = NULL;
}
