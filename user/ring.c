/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/ring.c - bytes out of the machine: see ring.h.
 *
 * Asked by:  a serial chip (put), user/event_loop.c (drain), user/run.c (finish).
 * Never:     keeps state outside the ring on the producer's side: it may run in another process than the consumer.
 * Tested by: tests/unit/test_ring.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "user/ring.h"

struct ring *ring_init(void *memory, struct wake *wake)
{
	struct ring *ring = memory;

	ring->wake = wake;
	return ring;
}

/* The ring is full. Give the reader a moment; then lose bytes rather than hold the guest (and the machine's lock). */
static bool wait_for_room(struct ring *ring)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	if (ring->lossy)
		return false;
	for (int i = 0; i < RING_PATIENCE_MS; i++) {
		wake_poke(ring->wake);
		nanosleep(&ms, NULL);
		if (ring_used(ring) < RING_BYTES)
			return true;
	}
	ring->lossy = true;
	return false;
}

void ring_put(void *owner, uint8_t byte)
{
	struct ring *ring = owner;
	uint32_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);

	if (ring->lossy && ring_used(ring) <= RING_BYTES / 2)
		ring->lossy = false;
	if (ring->lossy || (ring_used(ring) == RING_BYTES && !wait_for_room(ring))) {
		atomic_fetch_add(&ring->dropped, 1);
		return;
	}
	ring->data[put % RING_BYTES] = byte;
	atomic_store_explicit(&ring->put, put + 1, memory_order_release);
	wake_poke(ring->wake);
}

/* ---- the other end ------------------------------------------------------------------------ */

/* What a descriptor that may block is asked to take at once: a pipe that polls writable takes this much (POSIX, PIPE_BUF). */
#define CAREFUL_BYTES 4096u

static void give_up(struct outlet *outlet, int error)
{
	outlet->error = error;
	fprintf(stderr, "plexus: %s: %s; what follows is lost\n", outlet->name, strerror(error));
}

enum outlet_state outlet_drain(struct outlet *outlet)
{
	struct ring *ring = outlet->ring;

	while (ring_used(ring)) {
		uint32_t taken = atomic_load(&ring->taken);
		uint32_t n = ring_used(ring), edge = RING_BYTES - taken % RING_BYTES;
		ssize_t written;

		if (n > edge)
			n = edge;
		if (outlet->error) {
			atomic_store(&ring->taken, taken + n);
			continue;
		}
		if (outlet->blocking) {
			struct pollfd p = { .fd = outlet->fd, .events = POLLOUT };

			if (poll(&p, 1, 0) == 0)
				return OUTLET_FULL;
			if (n > CAREFUL_BYTES)
				n = CAREFUL_BYTES;
		}
		written = write(outlet->fd, ring->data + taken % RING_BYTES, n);
		if (written > 0)
			atomic_store(&ring->taken, taken + (uint32_t)written);
		else if (written < 0 && errno == EAGAIN)
			return OUTLET_FULL;
		else if (written < 0 && errno != EINTR)
			give_up(outlet, errno);
	}
	return OUTLET_EMPTY;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

void outlet_finish(struct outlet *outlet, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;
	unsigned long dropped;

	if (!outlet->ring)
		return;
	while (outlet_drain(outlet) == OUTLET_FULL) {
		struct pollfd p = { .fd = outlet->fd, .events = POLLOUT };
		int64_t left = end - now_ms();

		if (left <= 0)
			break;
		poll(&p, 1, (int)left);
	}
	dropped = atomic_load(&outlet->ring->dropped) + ring_used(outlet->ring);
	if (dropped && !outlet->error)
		fprintf(stderr, "plexus: %s: %lu bytes were lost, for nobody read them\n", outlet->name, dropped);
	if (outlet->own_fd)
		close(outlet->fd);
	outlet->ring = NULL;
}

void outlet_adopt(struct outlet *outlet, struct ring *ring, int fd, const char *name)
{
	char path[64];
	struct stat st;

	*outlet = (struct outlet){ .ring = ring, .fd = fd, .name = name };
	/* Regular files are never slow, and opened again they would lose their offset. */
	if (fstat(fd, &st) < 0 || S_ISREG(st.st_mode))
		return;
	outlet->blocking = true;
	if (!S_ISCHR(st.st_mode) && !S_ISFIFO(st.st_mode))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;			/* another user's terminal: poll() has to do */
	outlet->fd = fd;
	outlet->own_fd = true;
	outlet->blocking = false;
}
