/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pc_lock.h - the machine's one lock: three states in one word of shared memory.
 *
 *      0 free     1 taken, nobody waits     2 taken, somebody may wait
 *
 * Taking and leaving it uncontended is one atomic exchange each and no system call, which a port access cannot spare.
 * The futex is not private: host processes of one VM share the machine's memory and so this lock.
 */
#ifndef DEVICES_PC_LOCK_H
#define DEVICES_PC_LOCK_H

#include "plexus/base.h"

struct pc_lock {
	uint32_t word;
};

/* pc_lock.c: the slow halves */
void pc_lock_wait(struct pc_lock *lock);
void pc_lock_wake(struct pc_lock *lock);

static inline void pc_lock_take(struct pc_lock *lock)
{
	uint32_t expected = 0;

	if (PLX_UNLIKELY(!__atomic_compare_exchange_n(&lock->word, &expected, 1, false, __ATOMIC_ACQUIRE,
						      __ATOMIC_RELAXED)))
		pc_lock_wait(lock);
}

static inline void pc_lock_leave(struct pc_lock *lock)
{
	if (PLX_UNLIKELY(__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2))
		pc_lock_wake(lock);
}

#endif
