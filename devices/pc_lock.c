/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pc_lock.c - waiting for the machine's lock.
 *
 * Asked by: pc_lock.h, when there is contention. Asks: the host's futex.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "devices/pc_lock.h"

/* A holder is mostly done within a microsecond: sleeping costs more than looking again some times. */
#define SPINS 200

void pc_lock_wait(struct pc_lock *lock)
{
	unsigned int i;
	uint32_t expected;

	for (i = 0; i < SPINS; i++) {
		expected = 0;
		if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) == 0 &&
		    __atomic_compare_exchange_n(&lock->word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return;
		__builtin_ia32_pause();
	}
	/* From here it is taken as 2: we cannot know if others wait behind us, so whoever leaves it wakes one. */
	while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0)
		syscall(SYS_futex, &lock->word, FUTEX_WAIT, 2, NULL, NULL, 0);
}

void pc_lock_wake(struct pc_lock *lock)
{
	syscall(SYS_futex, &lock->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}
