/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/kernel/plexus_module.h - the part of plexus.ko that is Linux' kernel.
 *
 *      main.c         the device, limits, loading
 *      machine.c      a machine: its ioctls, its mmap, its life
 *      memory.c       pages, and the private address space as it is before the monitor runs
 *      run.c          in and out of the monitor's world, and what it asks for
 *      transition.S   the page of code that is in both worlds
 *
 * Locks: machine->lock (a mutex, held over a whole PLEXUS_RUN: sleeps) protects all of a machine but machine->runner, which
 * machine->kick_lock (a spinlock, taken last, nothing below it) protects. users_lock (a mutex, in main.c) may be taken with a machine's
 * held, never the other way round. pool_lock (a spinlock in memory.c) is taken alone. In the monitor's world interrupts are off, and no lock is taken.
 */
#ifndef HOST_MODULE_KERNEL_PLEXUS_MODULE_H
#define HOST_MODULE_KERNEL_PLEXUS_MODULE_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "host-module/tables.h"
#include "host-module/world.h"
#include "plexus/plexus-abi.h"

#define PLX_MODULE_RAM_MAX	(4ull << 30)
#define PLX_ACCESS_MAX		(16u << 20)

struct plx_user {		/* who has machines: main.c */
	struct list_head list;
	kuid_t uid;
	unsigned int machines;
	u64 bytes;
};

struct machine {
	struct mutex lock;
	spinlock_t kick_lock;
	struct task_struct *runner;	/* in PLEXUS_RUN, and perhaps in the guest */
	wait_queue_head_t wait;		/* HLT */
	bool kicked;

	struct plx_user *user;
	u64 bytes;			/* charged to the user */

	bool dead;
	u32 waiting;			/* the canonical request that the monitor waits with; REQUEST_START: it has not run yet */
	u32 device_exit, device_bytes;	/* of a REQUEST_DEVICE: what it asked */

	struct world_ctx *ctx;		/* the block */
	struct world_shared *shared;	/* vmalloc */
	size_t shared_bytes;
	void *bounce, *stack;
	struct plexus_run *run;		/* vmalloc, mapped by the user */
	size_t run_bytes;

	struct tables tables;
	u32 nr_ram;			/* blocks of 2 MiB, in shared->ram */
	unsigned long *ram_in_pieces;	/* a bit each: it is 512 pages from anywhere */
	struct page **chunk;		/* of 2 MiB, for page tables */
	u32 nr_chunks, max_chunks;
	struct xarray arena;		/* by page number in the arena */
	u32 nr_arena;
	struct shown {			/* parts of the arena that the program may map: by kind, part */
		u64 offset, bytes;
		bool writable;
	} shown[PLEXUS_RECORD_COVERAGE + 1][PLEXUS_RECORD_PARTS];

	u8 fx[512] __aligned(16);	/* the guest's FPU state while the host has the processor */
};

/* memory.c */
int machine_memory_create(struct machine *m, const struct plexus_create *c);
void machine_memory_destroy(struct machine *m);
int machine_more_tables(struct machine *m);		/* so that the monitor does not run short */
void machine_give_pages(struct machine *m);		/* answers REQUEST_PAGES */
struct page *machine_arena_page(struct machine *m, u64 offset);	/* NULL: the monitor never touched it */
void plx_pool_drain(void);
int plx_pool_create(void);
extern bool plx_small_pages;				/* take no RAM in 2 MiB pages: main.c */

/* run.c */
int machine_start(struct machine *m);
int machine_run(struct machine *m);
int machine_command(struct machine *m, u32 command);	/* words are in ctx->command_*; a reply, too */
void machine_kick(struct machine *m);
int plx_run_check(void);

/* machine.c */
long machine_create(const struct plexus_create *c, struct plx_user *user);	/* takes over what @user was charged */

/* main.c */
struct plx_user *plx_user_get(u64 bytes);		/* ERR_PTR: over a limit */
int plx_user_charge(struct plx_user *user, u64 bytes);	/* -ENOMEM: over the limit */
void plx_user_put(struct plx_user *user, u64 bytes);
int plx_copy_in(void *to, size_t known, const void __user *from);
int plx_copy_out(void __user *to, const void *from, size_t known);

/* transition.S */
extern char world_page_start[], world_page_end[], world_leave[];
extern char world_switch_nmi[], world_switch_mc[], world_switch_defect[], world_replay[];
extern const char world_image_start[], world_image_end[], world_block_start[], world_block_end[];
asmlinkage void world_enter(struct world_ctx *ctx);

#endif
