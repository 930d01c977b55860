/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * include/plexus/trace.h - what the engine tells of every virtualized instruction.
 *
 *      monitor/run.c, exits.c --record--> ring in shared memory --> user/trace_*.c --> file, summary, live profile
 *
 * One producer (the vCPU, wherever its host runs it), one consumer (a thread of the main process). While a VM is traced with a ring, inline sequences of sensitive instructions are callouts, so that each is seen: their
 * records say PLX_TRACE_INLINE for how they would have been handled. With sums alone they stay inline and count themselves, without cost.
 * Sums by place are always kept, trace or not: include/plexus/sites.h.
 */
#ifndef PLEXUS_TRACE_H
#define PLEXUS_TRACE_H

#include "plexus/base.h"

enum plx_trace_event {
	PLX_TRACE_INSN = 0,	/* a virtualized instruction was done (or faulted: @result) */
	PLX_TRACE_EXCEPTION,	/* an exception was delivered to the guest: a = vector, b = error code, c = CR2 for #PF */
	PLX_TRACE_INTERRUPT,	/* a hardware interrupt was delivered: a = vector */
	PLX_TRACE_FILL,		/* a host fault mapped a page: a = linear address, b = 1 for a write */
};

enum plx_trace_how {
	PLX_TRACE_INLINE = 0,	/* has an inline sequence; called out for the trace */
	PLX_TRACE_NEXUS,	/* far transfer through the nexus */
	PLX_TRACE_SIGNAL,	/* a host exception: INT3, segment limit, page protection */
	PLX_TRACE_INTERPRETER,	/* single step, or no other way */
	PLX_TRACE_DEVICE,	/* reached a device: ports, device memory. An access that was refused says how it was handled */
};

/* Mode bits of a record. */
#define PLX_TRACE_CODE32	0x01
#define PLX_TRACE_PROTECTED	0x02
#define PLX_TRACE_V86		0x04
#define PLX_TRACE_PAGING	0x08

/* 64 bytes. Operands @a, @b, @c by class (enum prescan_class):
 *   port                port | size << 16 | out << 24, value of AL/AX/EAX afterwards (out: before), 0
 *   string port         port | size << 16 | out << 24, elements moved, ECX before
 *   segment load        register | selector << 16, base, limit afterwards
 *   system              MOV CR/DR: n | write << 8 | dr << 9, old, new; MSR: index, low, high; others: 0
 *   far                 new CS, new EIP, vector for INT (else 0)
 *   flags               EFLAGS before, after, 0
 *   identification      EAX before, EAX, EDX afterwards
 *   plain, FPU          guest physical address and value of the last device access, 0 if none, 1 if it was a write
 *   others              0
 */
struct plx_trace_record {
	uint64_t tsc;		/* host TSC when the engine was reached */
	uint32_t cost;		/* TSC ticks until guest code could go on; the world switch itself not included */
	uint32_t eip, cs_base;
	uint32_t space;		/* CR3; 0 while paging is off */
	uint32_t a, b, c;
	uint16_t cs;
	uint16_t row;		/* prescan row: prescan_row_mnemonic() */
	uint8_t event, how, klass, mode;
	uint8_t cpl, length, result;	/* result: 0 done, 1 faulted, 2 halted */
	uint8_t bytes[15];
	uint8_t pad[2];
};

_Static_assert(sizeof(struct plx_trace_record) == 64, "a trace record is 64 bytes");

/* The producer's. */
struct plx_trace_ring {
	uint64_t head;		/* entries written so far */
	uint64_t dropped;
	struct plx_trace_record record[];
};

/* The consumer's: what it wants to see, which it may change at any time, and how far it has read. */
struct plx_trace_control {
	uint64_t tail;		/* entries taken so far. The producer sleeps on its low half (futex) when the ring is full */
	uint32_t waiting;	/* the producer sleeps, or is about to: wake it */
	uint32_t class_mask;	/* bit a class: only these are recorded in the ring; sums have all */
	uint32_t cpl_mask;	/* bit a privilege level */
	uint32_t fills;		/* 1: PLX_TRACE_FILL too */
	uint32_t nwatch, watch[2];	/* linear addresses: what stands there is called out and recorded, whatever it is */
};

/* Sum of one instruction under one way of handling. */
struct plx_trace_sum {
	uint64_t count, cost;
};

#define PLX_TRACE_ROWS	4096
#define PLX_TRACE_HOWS	5

/* The engine's. */
struct plx_trace_sums {
	struct plx_trace_sum sum[PLX_TRACE_ROWS][PLX_TRACE_HOWS];
	struct plx_trace_sum event[4];			/* by enum plx_trace_event */
	uint8_t klass[PLX_TRACE_ROWS];			/* of the instructions summed up: enum prescan_class */

	/* With sums only, inline sequences stay, and count themselves. Whoever reads sums calls plx_vm_trace_collect first. */
#define PLX_TRACE_INLINE_COUNTERS 16
	uint64_t inline_total[PLX_TRACE_INLINE_COUNTERS], called_out[PLX_TRACE_INLINE_COUNTERS];
	uint32_t inline_last[2][PLX_TRACE_INLINE_COUNTERS];
};

/* Three pieces of shared memory, each of pages of its own: under some hosts the consumer can only write to @control. */
struct plx_trace {
	struct plx_trace_sums *sums;
	struct plx_trace_ring *ring;	/* NULL: sums only */
	struct plx_trace_control *control;
	uint32_t entries;		/* of the ring, a power of two */
	bool wait;			/* a full ring stops the guest until there is room; else records are dropped and counted */
};

/* Goes up whenever something changes in what is shared here, in sites.h or in coverage.h: two programs may look at it. */
#define PLX_RECORD_LAYOUT 1

static inline uint64_t plx_trace_ring_bytes(uint32_t entries)
{
	return sizeof(struct plx_trace_ring) + (uint64_t)entries * sizeof(struct plx_trace_record);
}

struct plx_vm;
/*
 * Trace from now on. Before plx_vcpu_run. @entries 0: sums only; else a power of two, 1024 to 16 Mi.
 * NULL: plx_vm_error says why. What @control has at first: everything but fills. Change it before the run.
 */
struct plx_trace *plx_vm_trace(struct plx_vm *vm, uint32_t entries, bool wait);
/* Adds what inline sequences have counted to the sums. One caller at a time; any thread. Nothing without a trace, nor under a host
 * that does it now and then by itself, and whenever the run ends. */
void plx_vm_trace_collect(struct plx_vm *vm);

#endif
