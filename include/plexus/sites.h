/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * include/plexus/sites.h - the table of virtualized sites: what the rewriting learns from, and what people are shown.
 *
 *      callouts, faults --> monitor/sites.c: [this table] --> monitor/exits.c decides: called out, or as it stands
 *                                                         --> user/trace_profile.c, trace_tally.c: the same numbers for people
 *
 * Always kept, for it is written on slow paths only: where the monitor does an instruction anyway. A site is a linear address and
 * the width of its code (16 or 32 bits); programs that have different instructions at one address share a row, which shows the one met last.
 * What runs in the fragment, copied or inlined, is not here.
 */
#ifndef PLEXUS_SITES_H
#define PLEXUS_SITES_H

#include "plexus/base.h"

/* What the rewriting has made of a site. */
enum plx_site_state {
	PLX_SITE_AS_MADE = 0,	/* as its class is always handled */
	PLX_SITE_CALLOUT,	/* it faulted too often: called out */
	PLX_SITE_AS_IT_STANDS,	/* it was called out, and would not have faulted any more: back */
};

/* Why it faulted last. */
enum plx_site_cause {
	PLX_SITE_OTHER = 0,	/* nothing that a callout would spare for good */
	PLX_SITE_DEVICE,	/* device memory */
	PLX_SITE_CODE,		/* a store beside code */
	PLX_SITE_TABLE,		/* a store to page tables that are watched */
	PLX_SITE_LIMIT,		/* a segment's limit, the guest's or ours */
	PLX_SITE_GUEST,		/* page faults of the guest's own, one upon the other */
};

/* What the inline sequence has to do with it. */
enum plx_site_sequence {
	PLX_SITE_NO_SEQUENCE = 0,
	PLX_SITE_WOULD_INLINE,	/* there is one; called out so that the trace sees it */
	PLX_SITE_INLINE_EXIT,	/* the way out of one, for what it cannot do */
};

/* 64 bytes: one cache line for a callout. */
struct plx_site {
	uint32_t linear;
	uint16_t row;		/* prescan row: prescan_row_mnemonic() */
	uint8_t klass, length;	/* enum prescan_class; bytes, 0: the slot is free */
	uint8_t bytes[15], how;	/* how: enum plx_trace_how, the last time */
	uint8_t mode, cpl;	/* PLX_TRACE_CODE32 and others of trace.h; both as they were when it was met first */
	uint8_t state, cause;
	uint32_t streak;	/* since @state was decided: faults; of a callout: times in a row that it would not have faulted */
	uint64_t count;		/* times the monitor did it */
	uint64_t cost;		/* TSC ticks in the monitor; see plx_vm_sites. The way there and back is not among them */
	uint64_t since;		/* TSC when @state was decided */
	uint32_t faults;	/* of @count: the host's exceptions */
	uint16_t made;		/* how often it was made a callout */
	uint8_t sequence;
	uint8_t in_vain;	/* PLX_SITE_GUEST: times in a row that what it touched had to be mapped at once nevertheless */
};

_Static_assert(sizeof(struct plx_site) == 64, "a site is one cache line");

#define PLX_SITES (1u << 14)

struct plx_sites {
	struct plx_site site[PLX_SITES];
	struct plx_site gone;	/* count, cost, faults of those that lost their slot to another */
	uint64_t start_tsc;
	uint16_t nearby[4096];	/* by hash of the address: how many callouts there are. Spares the translator the search */
};

struct plx_vm;
/*
 * @every: from now on take the time of each callout, and count single steps (--profile); else one callout of sixteen stands for all.
 * Valid as long as the VM; NULL: plx_vm_error says why. The engine writes while others read: a row may be a moment older than the next.
 */
const struct plx_sites *plx_vm_sites(struct plx_vm *vm, bool every);

#endif
