/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_flags.h - arithmetic with exact flags, by asking the processor.
 *
 * The monitor runs on the very architecture it interprets, so the sum, the carry and also the flags
 * that the SDM calls undefined come from the one source that cannot disagree with natively run guest code: the same
 * instruction. Status flags travel in EAX in the only form that ring-3 code can load and store cheaply:
 *
 *      AH = SF ZF 0 AF 0 PF 1 CF  (LAHF/SAHF)          AL bit 0 = OF  (SETO; 1 + 7Fh overflows, so ADD sets it)
 *
 * Three cycles, against some thirty for PUSHF/POPF, and IF and TF never come near the processor.
 *
 * Asked by: interp_alu.c, interp_shift.c, interp_bit.c. No memory operands here: values come in and go out in registers.
 */
#ifndef MONITOR_INTERP_FLAGS_H
#define MONITOR_INTERP_FLAGS_H

#include "plexus/base.h"
#include "plexus/x86.h"

#define FLAGS_IN	"addb $0x7f, %%al\n\tsahf\n\t"
#define FLAGS_OUT	"\n\tlahf\n\tseto %%al"

static inline uint32_t flags_pack(uint32_t eflags)
{
	return (eflags & 0xff) << 8 | (eflags >> 11 & 1);
}

static inline uint32_t flags_merge(uint32_t eflags, uint32_t packed)
{
	return (eflags & ~(uint32_t)X86_FLAGS_STATUS) | (packed >> 8 & 0xd5) | (packed & 1) << 11;
}

/* a = a OP b, three sizes. */
#define FLAGS_BINARY(name, insn)								\
static inline uint32_t name(unsigned int size, uint32_t a, uint32_t b, uint32_t *eflags)	\
{												\
	uint32_t fl = flags_pack(*eflags);							\
												\
	if (size == 4)										\
		__asm__(FLAGS_IN insn "l %k[b], %k[a]" FLAGS_OUT				\
			: [a] "+r" (a), [fl] "+&a" (fl) : [b] "r" (b) : "cc");			\
	else if (size == 2)									\
		__asm__(FLAGS_IN insn "w %w[b], %w[a]" FLAGS_OUT				\
			: [a] "+r" (a), [fl] "+&a" (fl) : [b] "r" (b) : "cc");			\
	else											\
		__asm__(FLAGS_IN insn "b %b[b], %b[a]" FLAGS_OUT				\
			: [a] "+q" (a), [fl] "+&a" (fl) : [b] "q" (b) : "cc");			\
	*eflags = flags_merge(*eflags, fl);							\
	return a;										\
}

#define FLAGS_UNARY(name, insn)									\
static inline uint32_t name(unsigned int size, uint32_t a, uint32_t *eflags)			\
{												\
	uint32_t fl = flags_pack(*eflags);							\
												\
	if (size == 4)										\
		__asm__(FLAGS_IN insn "l %k[a]" FLAGS_OUT : [a] "+r" (a), [fl] "+&a" (fl) : : "cc");	\
	else if (size == 2)									\
		__asm__(FLAGS_IN insn "w %w[a]" FLAGS_OUT : [a] "+r" (a), [fl] "+&a" (fl) : : "cc");	\
	else											\
		__asm__(FLAGS_IN insn "b %b[a]" FLAGS_OUT : [a] "+q" (a), [fl] "+&a" (fl) : : "cc");	\
	*eflags = flags_merge(*eflags, fl);							\
	return a;										\
}

/* a = a SHIFTED BY cl. The processor masks the count itself, and leaves the flags alone when it is 0. */
#define FLAGS_SHIFT(name, insn)									\
static inline uint32_t name(unsigned int size, uint32_t a, uint32_t count, uint32_t *eflags)	\
{												\
	uint32_t fl = flags_pack(*eflags);							\
												\
	if (size == 4)										\
		__asm__(FLAGS_IN insn "l %%cl, %k[a]" FLAGS_OUT					\
			: [a] "+r" (a), [fl] "+&a" (fl) : "c" (count) : "cc");			\
	else if (size == 2)									\
		__asm__(FLAGS_IN insn "w %%cl, %w[a]" FLAGS_OUT					\
			: [a] "+r" (a), [fl] "+&a" (fl) : "c" (count) : "cc");			\
	else											\
		__asm__(FLAGS_IN insn "b %%cl, %b[a]" FLAGS_OUT					\
			: [a] "+q" (a), [fl] "+&a" (fl) : "c" (count) : "cc");			\
	*eflags = flags_merge(*eflags, fl);							\
	return a;										\
}

/* 16 and 32 bits only: BSF, IMUL r,r/m ... */
#define FLAGS_BINARY_WL(name, insn)								\
static inline uint32_t name(unsigned int size, uint32_t a, uint32_t b, uint32_t *eflags)	\
{												\
	uint32_t fl = flags_pack(*eflags);							\
												\
	if (size == 4)										\
		__asm__(FLAGS_IN insn "l %k[b], %k[a]" FLAGS_OUT				\
			: [a] "+&r" (a), [fl] "+&a" (fl) : [b] "r" (b) : "cc");			\
	else											\
		__asm__(FLAGS_IN insn "w %w[b], %w[a]" FLAGS_OUT				\
			: [a] "+&r" (a), [fl] "+&a" (fl) : [b] "r" (b) : "cc");			\
	*eflags = flags_merge(*eflags, fl);							\
	return a;										\
}

/* dst = OP(a, b), 32 bits, VEX-encoded: operands in AT&T order b, a, dst. */
#define FLAGS_VEX3(name, insn)									\
static inline uint32_t name(uint32_t a, uint32_t b, uint32_t *eflags)				\
{												\
	uint32_t fl = flags_pack(*eflags), out;							\
												\
	__asm__(FLAGS_IN insn " %k[b], %k[a], %k[out]" FLAGS_OUT				\
		: [out] "=&r" (out), [fl] "+&a" (fl) : [a] "r" (a), [b] "r" (b) : "cc");	\
	*eflags = flags_merge(*eflags, fl);							\
	return out;										\
}

#define FLAGS_VEX2(name, insn)									\
static inline uint32_t name(uint32_t a, uint32_t *eflags)					\
{												\
	uint32_t fl = flags_pack(*eflags), out;							\
												\
	__asm__(FLAGS_IN insn " %k[a], %k[out]" FLAGS_OUT					\
		: [out] "=&r" (out), [fl] "+&a" (fl) : [a] "r" (a) : "cc");			\
	*eflags = flags_merge(*eflags, fl);							\
	return out;										\
}

#endif
