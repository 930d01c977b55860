/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/mem_builtin.c - the four functions that a compiler calls by itself.
 *
 * Asked by:  everything freestanding; compilers emit these calls for copies and initialisers.
 * Built:     for ring 0 alone. In user space libc has them.
 * Tested by: tests/unit/test_memory.c, under other names.
 *
 * String instructions, not loops: a compiler would turn a loop back into a call to the very function.
 */
#include "plexus/base.h"

void *memcpy(void *restrict to, const void *restrict from, size_t nbytes)
{
	void *d = to;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(nbytes) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t nbytes)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	if ((uintptr_t)d - (uintptr_t)s >= nbytes)	/* below, or clear of the source */
		return memcpy(to, from, nbytes);
	d += nbytes - 1;
	s += nbytes - 1;
	__asm__ volatile("std; rep movsb; cld" : "+D"(d), "+S"(s), "+c"(nbytes) : : "memory", "cc");
	return to;
}

void *memset(void *to, int byte, size_t nbytes)
{
	void *d = to;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(nbytes) : "a"(byte) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t nbytes)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	/* Pages of page tables are compared at every CR3 load: 64 bytes at a time, until the first difference. */
	while (nbytes >= 64) {
		uint64_t p[8], q[8];

		__builtin_memcpy(p, x, 64);
		__builtin_memcpy(q, y, 64);
		if ((p[0] ^ q[0]) | (p[1] ^ q[1]) | (p[2] ^ q[2]) | (p[3] ^ q[3]) |
		    (p[4] ^ q[4]) | (p[5] ^ q[5]) | (p[6] ^ q[6]) | (p[7] ^ q[7]))
			break;
		x += 64;
		y += 64;
		nbytes -= 64;
	}
	for (; nbytes; x++, y++, nbytes--)
		if (*x != *y)
			return *x - *y;
	return 0;
}
