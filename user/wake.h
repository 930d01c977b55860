/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/wake.h - waking the event loop from wherever the guest's devices run.
 *
 * The struct lies in memory from plx_vm_alloc, and the eventfd is inherited: a device may poke from any host process of the
 * machine. A poke that has not been seen yet costs no further system call.
 */
#ifndef USER_WAKE_H
#define USER_WAKE_H

#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

struct wake {
	int fd;			/* eventfd, non-blocking */
	atomic_uint poked;
};

static inline void wake_poke(struct wake *wake)
{
	static const uint64_t one = 1;

	/* A full eventfd counter cannot be (one poke at a time), and any other failure is seen at the next poke. */
	if (!atomic_exchange(&wake->poked, 1))
		(void)!write(wake->fd, &one, sizeof(one));
}

/* Also after somebody died between the two halves of wake_poke. */
static inline void wake_surely(struct wake *wake)
{
	atomic_store(&wake->poked, 0);
	wake_poke(wake);
}

/* The consumer: from here on pokes count again. What was asked for is looked at after this, never before. */
static inline void wake_take(struct wake *wake)
{
	uint64_t count;

	(void)!read(wake->fd, &count, sizeof(count));
	atomic_store(&wake->poked, 0);
}

#endif
