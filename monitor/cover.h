/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor/cover.h - recording which guest instructions were reached; see include/plexus/coverage.h for what is kept. */
#ifndef MONITOR_COVER_H
#define MONITOR_COVER_H

#include "monitor/engine.h"
#include "plexus/coverage.h"

#define COVER_HASH	(1u << 20)
#define COVER_MAX_SLOTS	(1u << 22)

/* One instruction of one fragment. */
struct cover_slot {
	uint32_t insn;		/* index into plx_cover.insn */
	uint8_t off;		/* from the fragment's first byte */
	uint8_t how;		/* what the translator made of it */
	uint16_t pad;
};

struct cover_frag {
	uint32_t first;		/* slot */
	uint32_t nslots;
};

struct cover_site {
	uint32_t end;		/* whoever leaves here has run the slots from the fragment's first up to this one, exclusive */
	uint32_t insn;		/* a callout's own; 0: none */
	bool told;
};

struct cover {
	struct plx_cover *all;		/* for others to read */
	uint32_t *hash;			/* COVER_HASH heads */
	struct cover_slot *slot;	/* COVER_MAX_SLOTS; dropped with the cache's fragments */
	struct cover_frag *frag;	/* CACHE_MAX_FRAGS */
	struct cover_site *site;	/* CACHE_MAX_SITES */
	uint32_t nslots;
	uint64_t flushes;		/* the cache's, when slots were dropped last */
	uint32_t at;			/* the instruction that the engine stands at; 0: none that is known */
};

static inline bool covering(const struct mon_engine *e)
{
	return PLX_UNLIKELY(e->cover != NULL);
}

/* Somebody looks at callouts: one question for both who may. */
static inline bool watched(const struct mon_engine *e)
{
	return PLX_UNLIKELY(((uintptr_t)e->trace | (uintptr_t)e->cover) != 0);
}

/* From now on, before anything is translated. NULL: no memory. */
struct cover *cover_start(struct mon_engine *e, engine_alloc_fn *alloc, void *arg);
/* @frag was made from @req; @gpa2: of the next page, where it reaches into that. */
void cover_fragment(struct mon_engine *e, uint32_t frag, const struct prescan_request *req, uint32_t gpa, uint32_t gpa2);
/* Guest code has left at that site: a chain that was not made yet, a mark, a callout that is about to be done. */
void cover_site(struct mon_engine *e, uint32_t site);
/* It has stopped in @frag, before the instruction @off bytes from its first, or right behind it if @done. */
void cover_stopped(struct mon_engine *e, uint32_t frag, uint32_t off, bool done);
/* The instruction that cover_site or cover_stopped saw last raises an exception. */
void cover_raised(struct mon_engine *e);
/* Do the instruction at CS:EIP with @run (mon_interp_one or mon_step). @trace: enum plx_trace_how, or COVER_NO_TRACE. */
#define COVER_NO_TRACE (~0u)
enum mon_status cover_interpret(struct mon_engine *e, unsigned int trace, enum mon_status (*run)(struct mon_vcpu *vcpu));

#endif
