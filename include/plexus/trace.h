/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * include/plexus/trace.h - what the engine tells of every virtualized instruction.
 *
 *      monitor/run.c, exits.c --record--> ring in shared memory --> user/trace_*.c --> file, summary, live profile
 *
 * One producer (the vCPU, in whatever host process it runs), one consumer (a thread of the main process). The ring is in memory
 * from plx_vm_alloc. While a VM is traced with a ring, inline sequences of sensitive instructions are callouts, so that each is seen: their
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

struct plx_trace_ring {
	uint32_t size;		/* entries, a power of two */
	uint32_t wait;		/* 1: a full ring stops the guest until there is room; 0: records are dropped and counted */
	uint64_t head;		/* entries written so far; the producer's */
	uint64_t tail;		/* entries taken so far; the consumer's. The producer sleeps on its low half (futex) when full */
	uint64_t dropped;
	uint32_t waiting;	/* the producer sleeps, or is about to: wake it */
	struct plx_trace_record record[];
};

/* Sum of one instruction under one way of handling. */
struct plx_trace_sum {
	uint64_t count, cost;
};

#define PLX_TRACE_ROWS	4096
#define PLX_TRACE_HOWS	5

struct plx_trace {
	struct plx_trace_sum sum[PLX_TRACE_ROWS][PLX_TRACE_HOWS];
	struct plx_trace_sum event[4];			/* by enum plx_trace_event */
	uint8_t klass[PLX_TRACE_ROWS];			/* of the instructions summed up: enum prescan_class */
	struct plx_trace_ring *ring;			/* NULL: sums only */
	uint32_t class_mask;				/* bit a class: only these are recorded in the ring; sums have all */
	uint32_t cpl_mask;				/* bit a privilege level */
	bool fills;					/* PLX_TRACE_FILL too */

	/* With sums only, inline sequences stay, and count themselves. Whoever reads sums calls plx_vm_trace_collect first. */
#define PLX_TRACE_INLINE_COUNTERS 16
	uint64_t inline_total[PLX_TRACE_INLINE_COUNTERS], called_out[PLX_TRACE_INLINE_COUNTERS];
	uint32_t inline_last[2][PLX_TRACE_INLINE_COUNTERS];

	uint32_t watch[2], nwatch;			/* linear addresses: what stands there is called out and recorded, whatever it is */
};

struct plx_vm;
/*
 * Trace from now on. Before plx_vcpu_run. @entries 0: sums only; else a power of two, 1024 to 16 Mi.
 * NULL: out of memory. Change class_mask and the others in the answer before the run.
 */
struct plx_trace *plx_vm_trace(struct plx_vm *vm, uint32_t entries, bool wait);
/* Adds what inline sequences have counted to the sums. One caller at a time; any thread. Nothing without a trace. */
void plx_vm_trace_collect(struct plx_vm *vm);

#endif
