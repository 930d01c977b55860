/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor/sites.h - counting what the monitor does for the guest, by place; see include/plexus/sites.h for what a site tells. */
#ifndef MONITOR_SITES_H
#define MONITOR_SITES_H

#include "monitor/engine.h"
#include "plexus/sites.h"

/* The callout @s is about to be done: its site, counted. */
struct plx_site *sites_callout(struct mon_engine *e, struct site *s);
/* The site of the instruction at CS:EIP; NULL if it cannot be fetched. */
struct plx_site *sites_here(struct mon_engine *e);
/* It faulted for our reasons: the same, counted. */
struct plx_site *sites_fault(struct mon_engine *e, enum plx_site_cause cause);
/* @insn at CS:EIP is about to be done by the interpreter, as a single step or because nothing runs natively. */
void sites_step(struct mon_engine *e, const struct prescan_insn *insn, const uint8_t *bytes);
void sites_decide(struct mon_engine *e, struct plx_site *site, enum plx_site_state state);

/* How many callouts the next time taken stands for; 0: do not take it. Of a site's first callouts the time is always taken. */
static inline uint32_t sites_weight(const struct mon_engine *e, const struct plx_site *site)
{
	if (e->trace)
		return 0;		/* trace_end takes it, and adds it here */
	if (site->count <= 16 || e->every_callout_timed)
		return 1;
	return site->count & 15 ? 0 : 16;
}

#endif
