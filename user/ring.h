/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/ring.h - bytes on their way out of the machine: a serial port's sink, and the event loop that empties it.
 *
 *      chip --ring_put()--> | ring, in shared memory | --outlet_drain()--> file descriptor
 *        (any host process of the machine)                (the event loop)
 *
 * One producer at a time (the machine's lock sees to it), one consumer.
 */
#ifndef USER_RING_H
#define USER_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/wake.h"

#define RING_BYTES	(1u << 20)	/* a power of two */
#define RING_PATIENCE_MS 50		/* how long a full ring holds the guest before bytes are dropped */

struct ring {
	struct wake *wake;
	atomic_uint put, taken;		/* bytes ever, modulo 2^32 */
	bool lossy;			/* the producer's: nobody reads; do not wait again until half is free */
	atomic_ulong dropped;
	uint8_t data[RING_BYTES];
};

/* @memory is zeroed and sizeof(struct ring) long. */
struct ring *ring_init(void *memory, struct wake *wake);

/* char_sink.write: never waits longer than RING_PATIENCE_MS, and that only once while nobody reads. */
void ring_put(void *ring, uint8_t byte);

static inline uint32_t ring_used(struct ring *ring)
{
	return atomic_load(&ring->put) - atomic_load(&ring->taken);
}

/* ---- the other end ------------------------------------------------------------------------ */

struct outlet {
	struct ring *ring;	/* NULL: this outlet is not there */
	int fd;
	bool own_fd;		/* close it at the end */
	bool blocking;		/* the descriptor may block: ask poll() first, and write little */
	int error;		/* errno that ended it; what comes after vanishes */
	const char *name;	/* for messages */
};

enum outlet_state { OUTLET_EMPTY, OUTLET_FULL };

/* Moves what the descriptor takes. OUTLET_FULL: call again when it is writable. */
enum outlet_state outlet_drain(struct outlet *outlet);
/* All that is left, waiting up to @timeout_ms for a slow reader; then closes. */
void outlet_finish(struct outlet *outlet, int timeout_ms);
/*
 * Makes an outlet of descriptor @fd (such as 1) without changing its file status flags, which other processes share: where
 * the kernel allows, it is opened a second time, non-blocking.
 */
void outlet_adopt(struct outlet *outlet, struct ring *ring, int fd, const char *name);

#endif
