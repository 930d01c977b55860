/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/sites.c - where the monitor works for the guest, how often and for how long.
 *
 *      exits.c --callout, fault--> [sites] --> exits.c: is it worth a callout? --> translate.c asks engine_is_callout_site
 *                                     |
 *                                     +------> user/: --profile, --trace-summary
 *
 * One table for both, so that what people see is what the rewriting goes by. A callout finds its row by a number kept in its
 * struct site; only the first time, and after a flush of the code cache, by the address.
 *
 * Asked by: exits.c, trace.c, prescan/translate.c (engine_is_callout_site). Asks: trace.c. Never: decides anything. Built: twice.
 * Tested by: tests/unit/test_sites.c.
 */
#include "monitor/sites.h"
#include "monitor/trace.h"

#define NEIGHBOURS 8		/* slots an address may be in */

static uint32_t hash(uint32_t linear)
{
	return linear * 0x9e3779b1u;
}

static bool is_at(const struct plx_site *s, uint32_t linear, bool code32)
{
	return s->linear == linear && s->length && !!(s->mode & PLX_TRACE_CODE32) == code32;
}

static uint16_t *nearby(struct plx_sites *t, uint32_t linear)
{
	return &t->nearby[hash(linear) >> 20];
}

/* What a site counted stays in the sums when the site makes room for another. */
static void forget(struct plx_sites *t, struct plx_site *s)
{
	t->gone.count += s->count;
	t->gone.cost += s->cost;
	t->gone.faults += s->faults;
	s->count = s->cost = 0;
	s->faults = 0;
}

/* The slot of this address: its own, a free one, or the one least missed. */
static struct plx_site *slot(struct plx_sites *t, uint32_t linear, bool code32)
{
	uint32_t first = hash(linear) >> 18;
	struct plx_site *least = NULL;

	for (uint32_t i = 0; i < NEIGHBOURS; i++) {
		struct plx_site *s = &t->site[(first + i) & (PLX_SITES - 1)];

		if (!s->length || is_at(s, linear, code32))
			return s;
		if (!least || s->count < least->count)
			least = s;
	}
	forget(t, least);
	if (least->state == PLX_SITE_CALLOUT)
		--*nearby(t, least->linear);
	least->length = 0;
	return least;
}

static struct plx_site *find(struct mon_engine *e, const struct prescan_insn *insn, const uint8_t *bytes)
{
	const struct mon_vcpu *v = e->vcpu;
	uint32_t linear = v->eip + v->seg[X86_CS].base, nbytes = plx_min32(insn->length, sizeof(((struct plx_site *)0)->bytes));
	struct plx_site *s = slot(e->sites, linear, mon_code32(v));

	if (s->length && s->row == insn->id && !memcmp(s->bytes, bytes, nbytes))
		return s;
	/* Other code stands here now. What was decided holds on: the translator has gone by it already. */
	if (s->length)
		forget(e->sites, s);
	else
		*s = (struct plx_site){ .linear = linear, .since = e->sites->start_tsc };
	s->row = insn->id;
	s->klass = insn->klass;
	memcpy(s->bytes, bytes, nbytes);
	s->cpl = v->cpl;
	s->mode = (mon_code32(v) ? PLX_TRACE_CODE32 : 0) | (mon_protected(v) ? PLX_TRACE_PROTECTED : 0) |
		  (mon_v86(v) ? PLX_TRACE_V86 : 0) | (v->cr0 & X86_CR0_PG ? PLX_TRACE_PAGING : 0);
	__atomic_store_n(&s->length, insn->length, __ATOMIC_RELEASE);	/* last: others read */
	return s;
}

struct plx_site *sites_callout(struct mon_engine *e, struct site *s)
{
	const struct callout_insn *ci = &e->cache.insns[s->link];
	uint32_t linear = e->vcpu->eip + e->vcpu->seg[X86_CS].base;
	struct plx_site *site = &e->sites->site[s->place];

	if (PLX_UNLIKELY(site->linear != linear || !site->length)) {
		site = find(e, &ci->insn, ci->bytes);
		site->sequence = s->inlined == SITE_WOULD_INLINE ? PLX_SITE_WOULD_INLINE : s->inlined ? PLX_SITE_INLINE_EXIT : PLX_SITE_NO_SEQUENCE;
		site->how = s->inlined == SITE_WOULD_INLINE ? PLX_TRACE_INLINE :
			    e->cache.env.strategy == REWRITE_INT3 ? PLX_TRACE_SIGNAL :
			    s->klass == PRESCAN_PORT || s->klass == PRESCAN_STRING_PORT ? PLX_TRACE_DEVICE : PLX_TRACE_NEXUS;
		s->place = (uint32_t)(site - e->sites->site);
	}
	site->count++;
	e->site_at = site;
	return site;
}

struct plx_site *sites_here(struct mon_engine *e)
{
	struct mon_vcpu *v = e->vcpu;
	uint8_t bytes[PRESCAN_INSN_MAX + 1];
	uint32_t nbytes = 0;
	struct prescan_insn insn;

	if (mon_fetch(v, v->eip, bytes, &nbytes) != MON_OK ||
	    prescan_decode(bytes, nbytes, mon_code32(v) ? PRESCAN_MODE_32 : PRESCAN_MODE_16, &insn) != PRESCAN_OK)
		return NULL;
	return find(e, &insn, bytes);
}

struct plx_site *sites_fault(struct mon_engine *e, enum plx_site_cause cause)
{
	struct plx_site *site = sites_here(e);

	e->site_at = NULL;
	if (!site)
		return NULL;
	site->count++;
	site->faults++;
	site->cause = (uint8_t)cause;
	site->how = PLX_TRACE_SIGNAL;
	e->site_at = site;
	return site;
}

void sites_step(struct mon_engine *e, const struct prescan_insn *insn, const uint8_t *bytes)
{
	e->site_at = find(e, insn, bytes);
	e->site_at->count++;
	e->site_at->how = PLX_TRACE_INTERPRETER;
}

void sites_decide(struct mon_engine *e, struct plx_site *site, enum plx_site_state state)
{
	uint16_t *n = nearby(e->sites, site->linear);

	if (state == PLX_SITE_CALLOUT) {
		++*n;
		site->made += site->made < UINT16_MAX;
	} else if (site->state == PLX_SITE_CALLOUT) {
		--*n;
	}
	site->state = (uint8_t)state;
	site->streak = 0;
	site->since = e->ops->ticks(e->host);
}

bool engine_is_callout_site(void *engine, uint32_t linear)
{
	const struct mon_engine *e = engine;
	const struct plx_sites *t = e->sites;

	if (tracing(e) && trace_watches(e, linear))
		return true;
	if (PLX_LIKELY(!t->nearby[hash(linear) >> 20]))
		return false;
	for (uint32_t i = 0; i < NEIGHBOURS; i++) {
		const struct plx_site *s = &t->site[((hash(linear) >> 18) + i) & (PLX_SITES - 1)];

		if (s->linear == linear && s->length && s->state == PLX_SITE_CALLOUT)
			return true;
	}
	return false;
}
