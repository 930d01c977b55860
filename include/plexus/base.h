/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * include/plexus/base.h - the few words every part of the house shares.
 *
 * Built:  twice. prescan/, nexus/ and monitor/ are compiled freestanding for
 *         ring 0 (PLX_RING0 defined) and hosted for user space, from one source.
 *         This file alone knows which of the two worlds it is in.
 * Never:  pulls in libc; the three headers below are the compiler's own.
 */
#ifndef PLEXUS_BASE_H
#define PLEXUS_BASE_H

#ifdef PLX_KERNEL
#include <linux/types.h>
#include <linux/stddef.h>
#include <linux/string.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#define PLX_ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PLX_LIKELY(x)		__builtin_expect(!!(x), 1)
#define PLX_UNLIKELY(x)		__builtin_expect(!!(x), 0)
#define PLX_PRINTF(fmt, args)	__attribute__((format(printf, fmt, args)))
#define PLX_UNUSED		__attribute__((unused))

#define PLX_PAGE_SHIFT	12
#define PLX_PAGE_SIZE	4096u
#define PLX_PAGE_MASK	0xfffu

/* Freestanding code has no <string.h>; the compiler may also emit calls to
 * these four by itself, so both worlds provide them under their plain names. */
#ifndef PLX_KERNEL
void *memcpy(void *restrict to, const void *restrict from, size_t nbytes);
void *memmove(void *to, const void *from, size_t nbytes);
void *memset(void *to, int byte, size_t nbytes);
int memcmp(const void *a, const void *b, size_t nbytes);
#endif

static inline uint32_t plx_min32(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t plx_max32(uint32_t a, uint32_t b) { return a > b ? a : b; }
static inline uint64_t plx_min64(uint64_t a, uint64_t b) { return a < b ? a : b; }

#endif
