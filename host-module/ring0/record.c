/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/record.c - sites, traces and coverage, in pages of the arena that the program sees.
 *
 *      monitor/sites.c, trace.c, cover.c --> pages of the arena <-- mmap by kernel/machine.c <-- client/record.c --> user/
 *
 * What the program can write to, struct plx_trace_control, has pages of its own, and the monitor believes nothing in it: masks, a
 * count that is cut to its array, and a tail of which the worst is that records are lost or the guest waits.
 * Asked by: start.c (COMMAND_RECORD). Asks: monitor/trace.c, cover.c; gate.c.
 */
#include "host-module/ring0/host.h"
#include "monitor/cover.h"
#include "monitor/sites.h"
#include "monitor/trace.h"
#include "plexus/plexus-abi.h"

/* The first @touched bytes are there before anybody looks; what comes behind them is looked at only where the monitor has written. */
static void show(struct plexus_record *r, unsigned int part, const void *at, uint64_t nbytes, uint64_t touched, uint32_t flags)
{
	arena_touch(at, touched);
	r->part[part].offset = (uint64_t)at - WORLD_ARENA;
	r->part[part].bytes = (nbytes + PLX_PAGE_MASK) & ~(uint64_t)PLX_PAGE_MASK;
	r->part[part].flags = flags;
}

static int show_trace(struct module_host *h, struct plexus_record *r, uint32_t entries, bool wait)
{
	const struct plx_trace *t;

	if (h->engine->trace)
		return -PLX_EEXIST;
	if (!trace_entries_valid(entries))
		return -PLX_EINVAL;
	t = trace_start(h->engine, arena_table, h, entries, wait);
	if (!t)
		return -PLX_ENOMEM;
	gate_leave(h);
	show(r, 0, t->sums, sizeof(*t->sums), sizeof(*t->sums), 0);
	if (t->ring)
		show(r, 1, t->ring, plx_trace_ring_bytes(entries), sizeof(*t->ring), 0);
	show(r, 2, t->control, sizeof(*t->control), sizeof(*t->control), PLEXUS_PART_WRITABLE);
	return 0;
}

static int show_coverage(struct module_host *h, struct plexus_record *r)
{
	const struct cover *c;

	if (h->engine->cover)
		return -PLX_EEXIST;
	c = cover_start(h->engine, arena_table, h);
	if (!c)
		return -PLX_ENOMEM;
	gate_leave(h);
	show(r, 0, c->all, PLX_COVER_BYTES, sizeof(*c->all), 0);
	return 0;
}

/* The addresses of what could not be had whole are for the next. */
static int or_as_before(struct module_host *h, uint64_t arena_next, int err)
{
	if (err)
		h->arena_next = arena_next;
	return err;
}

int record_show(struct module_host *h, uint32_t what, uint32_t flags, uint32_t entries, struct plexus_record *r)
{
	const uint64_t before = h->arena_next;
	const uint32_t known = what == PLEXUS_RECORD_SITES ? PLEXUS_RECORD_EVERY : what == PLEXUS_RECORD_TRACE ? PLEXUS_RECORD_WAIT : 0;

	memset(r, 0, sizeof(*r));
	r->layout = PLX_RECORD_LAYOUT;
	r->rows = prescan_nr_rows();
	if (flags & ~known || (entries && what != PLEXUS_RECORD_TRACE))
		return -PLX_EINVAL;
	switch (what) {
	case PLEXUS_RECORD_SITES:
		if (flags & PLEXUS_RECORD_EVERY)
			h->engine->every_callout_timed = true;
		show(r, 0, h->engine->sites, sizeof(*h->engine->sites), sizeof(*h->engine->sites), 0);
		return 0;
	case PLEXUS_RECORD_TRACE:
		return or_as_before(h, before, show_trace(h, r, entries, flags & PLEXUS_RECORD_WAIT));
	case PLEXUS_RECORD_COVERAGE:
		return or_as_before(h, before, show_coverage(h, r));
	default:
		return -PLX_EINVAL;
	}
}
