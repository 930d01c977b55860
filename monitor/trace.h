/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor/trace.h - recording what was virtualized; see include/plexus/trace.h for what a record says. */
#ifndef MONITOR_TRACE_H
#define MONITOR_TRACE_H

#include "monitor/engine.h"
#include "plexus/sites.h"
#include "plexus/trace.h"

/* An instruction under way: what must be known before it is done. */
struct trace_open {
	struct plx_trace_record r;
	uint64_t nr_mmio;
};

static inline bool tracing(const struct mon_engine *e)
{
	return PLX_UNLIKELY(e->trace != NULL);
}

/* Single steps too want to be seen. */
static inline bool looked_at(const struct mon_engine *e)
{
	return tracing(e) || PLX_UNLIKELY(e->every_callout_timed);
}

/* A power of two, 1024 to 16 Mi, or 0. */
static inline bool trace_entries_valid(uint32_t entries)
{
	return !entries || (!(entries & (entries - 1)) && entries >= 1024 && entries <= 1u << 24);
}

/* From now on, with a ring of @entries (0: sums only), before anything is translated. NULL: no memory, or no such ring. */
struct plx_trace *trace_start(struct mon_engine *e, engine_alloc_fn *alloc, void *arg, uint32_t entries, bool wait);
/* Does the trace want to see what stands there, whatever it is? */
bool trace_watches(const struct mon_engine *e, uint32_t linear);

/* At vcpu->eip stands @insn; @how: enum plx_trace_how. */
void trace_begin(struct mon_engine *e, struct trace_open *t, const struct prescan_insn *insn, const uint8_t *bytes,
		 unsigned int how);
void trace_end(struct mon_engine *e, struct trace_open *t, const struct prescan_insn *insn, enum mon_status st);
/* Do the instruction at CS:EIP with @run (mon_interp_one or mon_step), and record it; without a trace, count it at its site. */
enum mon_status trace_interpret(struct mon_engine *e, unsigned int how, enum mon_status (*run)(struct mon_vcpu *vcpu));
/* @insn counted itself as an inline sequence, and was called out after all. */
void trace_not_inline(struct mon_engine *e, const struct prescan_insn *insn);
/* Bring the sums of inline sequences up to date; for one caller at a time, on any thread. */
void trace_collect(struct mon_engine *e);
void trace_event(struct mon_engine *e, unsigned int event, uint32_t a, uint32_t b, uint32_t c);

#endif
