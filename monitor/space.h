/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/space.h - a space: one guest address space (one CR3 value) with its host mappings.
 *
 * A space that becomes inactive keeps its mappings, and copies of the guest page-table pages that they came from. When
 * its CR3 is loaded again those pages are compared, and only what changed is dropped: just what the hardware
 * allows, without a trap per PTE write. In the process host each space is a process of its own.
 *
 * Owner: whoever runs guest code. An inactive space's arrays are touched only to leave word of what it must do
 * when it wakes (space_tell): its mappings are out of reach from here.
 */
#ifndef MONITOR_SPACE_H
#define MONITOR_SPACE_H

#include "plexus/base.h"

struct mon_engine;

#define SPACE_MAX		16
#define SPACE_TABLES		64	/* page-table pages copied; beyond, mappings do not outlive a switch */
#define SPACE_PENDING		128
#define SPACE_LDT_SLOTS		8192

#define SPACE_NO_PAGING		0xffffffffu	/* "CR3" while CR0.PG is 0 */

/* A guest page-table page as it was when mappings were made from it. */
struct space_table {
	uint32_t gfn;
	uint32_t base;		/* first guest linear address that it maps */
	uint32_t entry_bytes;	/* of linear space an entry maps: 4 KiB, or 2 or 4 MiB for a directory */
	uint32_t entry_size;	/* 4 or 8 */
	uint32_t copy[1024];
};

enum space_word { SPACE_DROP_PAGE, SPACE_DROP_GFN, SPACE_PROTECT_GFN };

struct mon_space {
	uint32_t cr3;		/* root that it stands for */
	bool used;		/* has an owner in the host that can run it */
	uint64_t last_used;

	/* shadow.c: an entry a host linear page */
	uint32_t *shadow;	/* gfn << 12 | SHADOW_* ; 0: nothing mapped */
	uint32_t *rmap_next;	/* next linear page + 1 that shows the same gfn */
	uint32_t *rmap_head;	/* by gfn: linear page + 1 */
	uint64_t *mapped_bits;	/* bit a linear page */
	uint32_t nr_mapped;
	uint16_t region_s[1024], region_u[1024];	/* per 4 MiB: supervisor and user pages mapped */
	bool cut_dirty;
	bool mixed;		/* supervisor pages lie below the cut: CPL 3 needs a view of its own */
	uint32_t user_cut;	/* CPL 3 segments end below this guest linear address; 0: no cut (4 GiB) */

	struct space_table *table;
	uint32_t ntables;
	uint64_t pdpte[3];	/* PAE: as they were at the last activation */
	uint64_t pdpte3[2];	/* the last one, by bit 12 of the root: see space_for about pairs */
	bool loose;		/* some mapping came from a table that is not copied */

	struct { uint8_t word; uint32_t value; } pending[SPACE_PENDING];
	uint32_t npending;
	bool flush_pending;	/* drop everything at the next activation */

	/* window.c */
	uint32_t window_at, scratch_at;		/* host linear; 0: not placed here */
	uint32_t main_shown, cold_shown;	/* window offsets: the code cache is mapped up to here */

	uint32_t ldt_version[SPACE_LDT_SLOTS];	/* of each slot as it is installed here */

	/* the host's */
	int32_t host_pid, host_tid;
	uint32_t host_run;	/* futex: 1 = this one runs guest code */
	int32_t host_cpu;	/* processor + 1 that it is bound to; 0: none */
};

/* CR3 was loaded, or paging turned on or off. The switch itself waits for space_switch. True: it is the same space as before,
 * seen through the other root of a pair. */
bool space_select(struct mon_engine *e);
/* At a canonical point: be in the space that was selected. True: another host process ran meanwhile, everything may have
 * changed, start over. */
bool space_switch(struct mon_engine *e);
/* A mapping of @linear was just made from the guest's tables: remember the entries. */
struct mon_xlate;
void space_note(struct mon_engine *e, uint32_t linear, const struct mon_xlate *x);
/* Leave word for every other space that this concerns. */
void space_tell(struct mon_engine *e, enum space_word word, uint32_t value);
void space_flush_others(struct mon_engine *e);
/* The active space's tables were compared with the guest's: changed entries are dropped. */
void space_revalidate(struct mon_engine *e);

#endif
