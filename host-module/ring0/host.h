/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/host.h - the monitor's own surroundings in ring 0, in the private address space.
 *
 *      start.c      makes the machine and runs it; the host's commands
 *      host_ops.c   struct plx_host_ops over the private page tables
 *      io.c         from the monitor out to the devices, which are in user space
 *      trap.c       exceptions and interrupts while guest code runs, and those of the monitor itself
 *      block.c      the processor's tables, and moving them
 *      gate.c       an INT3 that ring 3 serves itself
 *      record.c     sites, traces and coverage, where the program sees them
 *      guest_tables.c  GDT and IDT at the addresses of the guest's own, for who asks
 *      world.c      world_call: asking the host; the arena
 *      handlers.S world_call.S gate_handler.S
 *
 * One processor runs this, with interrupts off; who may run it holds the machine's run lock in the kernel. Nothing of the kernel is
 * mapped here but the transition page and this machine's block.
 */
#ifndef HOST_MODULE_RING0_HOST_H
#define HOST_MODULE_RING0_HOST_H

#include "host-module/tables.h"
#include "host-module/world.h"
#include "monitor/engine.h"
#include "monitor/native.h"

/* The processor's local descriptor table is a page-aligned part of the arena. */
#define LDT_BYTES	(ENGINE_LDT_SLOTS * 8)

enum { TABLE_GDT, TABLE_IDT };

/* guest_tables.c */
struct guest_tables {
	bool settled;			/* the tables stand as the rest says */
	bool paging;
	uint32_t base[2];		/* host linear: where the guest has its own */
	bool stands[2];			/* there; else it is in the block */
	uint32_t counted[2];
	bool counted_as_fallen[2];
	uint8_t *page[ENGINE_MAX_TAKEN];	/* behind engine->taken[] */
};

struct module_host {
	struct world_ctx *ctx;		/* where the block is in use */
	struct world_shared *shared;
	uint8_t *bounce;
	struct tables tables;

	struct mon_vm vm;
	struct mon_vcpu *vcpu;
	struct mon_engine *engine;
	struct mon_cpu_features features;
	struct mon_native native;
	struct mon_io_ops io;

	uint64_t arena_next;
	uint64_t *ldt;
	uint32_t pair[SPACE_MAX];	/* of each space; ~0: none yet */
	uint32_t pair_now;
	bool user_view;			/* of the two, the one for the guest's CPL 3 */
	bool nothing_runs_yet;
	struct guest_tables tables_of_guest;
	struct gate_data *gate;		/* NULL: the strategy is another */
	const uint8_t *gate_code;

	uint64_t iret_phys;		/* a stack page, and where in WORLD_IRET it stands now */
	uint32_t iret_slot;
	uint64_t last_open;		/* TSC when the host's interrupts last had a chance */
};

/* It is at work before there is an IDT that could ask for a page. */
_Static_assert(sizeof(struct module_host) <= WORLD_ARENA_FIRST * PLX_PAGE_SIZE / 2, "WORLD_ARENA_FIRST");

/* world.c */
void world_call(struct module_host *h, enum world_request_kind kind);
void *arena_alloc(struct module_host *h, uint64_t nbytes, uint64_t align);	/* the machine dies if none is left */
/* Whole pages, for the monitor's tables (engine_alloc_fn; @h is the struct module_host). NULL: none left, but for a reserve. */
void *arena_table(void *h, size_t nbytes);
void arena_touch(const void *at, uint64_t nbytes);	/* so that it is there when the processor itself looks */
/* Fill arena pages from @va on. False: the host has no memory. */
bool arena_fill(struct module_host *h, uint64_t va);
uint64_t world_phys(struct module_host *h, const void *at);
void tables_done(struct module_host *h, struct tables_inv *inv);	/* what the processor still caches */
bool tables_need(struct module_host *h);	/* the host has given pages: try again */
void world_sync(struct module_host *h);		/* the host's words to the engine's */
void start_command(struct module_host *h, uint32_t command);
void world_die(struct module_host *h, const char *what, int err) __attribute__((noreturn));

/* start.c */
struct module_host *module_host(void);

/* host_ops.c */
extern const struct plx_host_ops module_host_ops;
int spaces_create(struct module_host *h);
/* In the present pair, a page that only ring 0 may use; and nothing. */
int space_show_table(struct module_host *h, uint32_t linear, const uint8_t *at);
int space_unmap(struct module_host *h, uint32_t linear, uint64_t nbytes);

/* io.c */
void io_init(struct module_host *h);

/* block.c */
void block_use_at(struct module_host *h, uint64_t base);
void block_init(struct module_host *h);
void block_anew(struct module_host *h);	/* at home, all tables written once more: before the guest runs */
void block_again(struct module_host *h);	/* the same, where it is */

/* gate.c */
enum gate_stop { GATE_ELSEWHERE, GATE_STARTS_OVER, GATE_WAS_DONE };
void gate_create(struct module_host *h);
void gate_arm(struct module_host *h);		/* before each entry into the guest */
void gate_leave(struct module_host *h);		/* before the guest runs: every INT3 is to be seen, and comes to ring 0 */
/* If @f is in the handler: back to the INT3, or on to the end; @f is in the fragment then. */
enum gate_stop gate_settle(struct module_host *h, struct world_frame *f);
/* Of the INT3 at @f; NX_EXIT_SPECIAL: it is none of ours. */
uint32_t gate_site(const struct module_host *h, const struct world_frame *f);
uint64_t gate_done(const struct module_host *h);	/* instructions, so far */

/* record.c: COMMAND_RECORD; @r->part[] by offsets in the arena. 0 or -PLX_E... */
struct plexus_record;
int record_show(struct module_host *h, uint32_t what, uint32_t flags, uint32_t entries, struct plexus_record *r);

/* guest_tables.c */
void guest_tables_settle(struct module_host *h);	/* where the guest's are now */
void guest_tables_home(struct module_host *h);		/* into the block, until they are settled again */
void guest_tables_ask(struct module_host *h);		/* the processor, for the statistics */

/* trap.c */
int world_trap(struct world_ctx *ctx);
void world_fault(struct world_ctx *ctx, struct world_frame *frame);
void world_breathe(struct module_host *h);

/* world_call.S */
void world_call_switch(struct world_ctx *ctx);
void enter_guest(struct mon_vcpu *vcpu);

static inline uint64_t ring0_cr2(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr2, %0" : "=r"(value));
	return value;
}

static inline void ring0_set_cr3(uint64_t value)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t ring0_cr3(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr3, %0" : "=r"(value));
	return value;
}

static inline void ring0_invlpg(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline uint64_t ring0_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

#endif
