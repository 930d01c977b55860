/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/exits.c - what a stop of native guest code means.
 *
 *      host #PF ---> shadow_fill: mapped -> go on     guest's own -> #PF     device, code page -> interpret
 *      host #GP ---> a limit, of the guest's or of ours: the interpreter knows which
 *      host #BP ---> a site under --rewrite=int3
 *      others   ---> the guest's own exception
 *
 * Sites that keep faulting (device memory, stores beside code) are translated again as callouts: a fault
 * costs some microseconds, a callout a tenth of one. What each site has cost and what was made of it stands in one table
 * (sites.c), which --profile shows.
 *
 * Asked by: run.c. Asks: shadow.c, interp.c, sites.c, prescan/cache.c.
 */
#include "monitor/cover.h"
#include "monitor/sites.h"
#include "monitor/trace.h"
#include "prescan/emit.h"

#define FAULTS_BEFORE_CALLOUT 3		/* the first time; a site that is known for it is believed at once */
#define QUIET_BEFORE_NATIVE 24
#define PATIENCE_DOUBLED_MAX 3	/* one that comes and goes is believed later: coming and going costs what some 200 callouts do */

#define AGAIN_BEFORE_CALLOUT 3u	/* the guest's own page faults */
#define AGAIN_SHIFT_MAX 16u
#define AGAIN_TICKS 100000u	/* some ten microseconds: the way here and back, and little else */
#define QUIET_BEFORE_TOUCHING 8
#define IN_VAIN_BEFORE_NATIVE 3

struct nexus_scratch_page *engine_scratch(struct mon_engine *e)
{
	return (struct nexus_scratch_page *)(e->window_rw +
		(e->vcpu->cpl == 3 ? WINDOW_USER_SCRATCH : WINDOW_SCRATCH_PAGE));
}

/* ---- where are we? -------------------------------------------------------------------------------- */

void exits_locate(struct mon_engine *e, uint32_t host_eip)
{
	struct mon_vcpu *v = e->vcpu;
	struct nexus_scratch_page *scratch = engine_scratch(e);
	uint32_t offset = host_eip + e->cs_host_base - e->window;
	uint32_t frag = prescan_cache_at(&e->cache, offset);
	const struct frag_rec *rec;
	const struct frag *f;
	uint32_t kind;

	if (!frag) {
		engine_die(e, "guest code stopped outside the code cache", 0);
		return;
	}
	f = &e->cache.frags[frag];
	if (offset < f->body) {			/* the prologue: an indirect branch is about to arrive */
		v->eip = scratch->target;
		v->gpr[X86_ECX] = scratch->ecx;
		return;
	}
	rec = prescan_cache_rec(&e->cache, f, offset - f->body);
	kind = rec->kind & ~(uint32_t)(REC_STI_SHADOW | REC_RESTART);
	if (covering(e))
		cover_stopped(e, frag, rec->guest_off, kind == REC_BRANCH || kind == REC_INDIRECT);
	v->eip = f->eip + rec->guest_off;
	if (!(f->key & KEY_D))
		v->eip &= 0xffff;
	if ((rec->kind & REC_STI_SHADOW) && (v->eflags & X86_FLAG_IF))
		v->int_shadow = MON_SHADOW_STI;
	switch (kind) {
	case REC_EXACT:
		break;
	case REC_ECX:
		v->gpr[X86_ECX] = scratch->ecx;
		break;
	case REC_ESP:
		v->gpr[X86_ESP] = scratch->esp;
		break;
	case REC_ECX_EDX:
		v->gpr[X86_ECX] = scratch->ecx;
		v->gpr[X86_EDX] = scratch->edx;
		break;
	case REC_PUSHED_ECX_EDX:
		v->gpr[X86_EDX] = scratch->edx;
		/* fall through */
	case REC_PUSHED_ECX:
		v->gpr[X86_ECX] = scratch->ecx;
		/* fall through */
	case REC_PUSHED:
		v->gpr[X86_ESP] += 4;
		break;
	case REC_INDIRECT:
		v->eip = scratch->target;
		v->gpr[X86_ECX] = scratch->ecx;
		break;
	case REC_BRANCH:
		/* Not decoded again: the guest may have unmapped its code, and still run it from the TLB. */
		if (!prescan_cache_jump_target(&e->cache, f->body + rec->host_off, &v->eip))
			engine_die(e, "a branch under way leads nowhere", 0);
		break;
	}
}

bool exits_stop_here(struct mon_engine *e, uint32_t host_eip)
{
	struct mon_vcpu *v = e->vcpu;
	uint32_t offset = host_eip + e->cs_host_base - e->window;
	uint32_t frag;
	bool wanted;

	__atomic_store_n(&v->nexus.kick, 0, __ATOMIC_SEQ_CST);
	wanted = e->stop || e->pause || e->dead || (e->nmi && !v->nmi_blocked) || (e->intr && (v->eflags & X86_FLAG_IF));
	if (!wanted && e->intr) {
		/* Between looking whether an interrupt waits and setting IF: look again. */
		frag = prescan_cache_at(&e->cache, offset);
		if (frag && offset >= e->cache.frags[frag].body)
			wanted = prescan_cache_rec(&e->cache, &e->cache.frags[frag],
						   offset - e->cache.frags[frag].body)->kind & REC_RESTART;
	}
	if (!wanted)
		return false;
	exits_locate(e, host_eip);
	return true;
}

/* ---- adaptive rewriting --------------------------------------------------------------------------- */

static void call_out(struct mon_engine *e, struct plx_site *site, uint32_t frag)
{
	if (e->cache.env.strategy != REWRITE_ADAPTIVE)
		return;
	if (site->state != PLX_SITE_CALLOUT) {
		if (++site->streak < FAULTS_BEFORE_CALLOUT && !site->made)
			return;
		sites_decide(e, site, PLX_SITE_CALLOUT);
		e->stats.callout_sites++;
	}
	/* Else a fragment made before, which has the instruction as it stands. */
	if (frag)
		prescan_cache_kill(&e->cache, frag);
}

/*
 * A page fault of the guest's own at vcpu->eip, the state being canonical. An instruction that faults nearly every time it runs, as one that touches
 * a new page each time does, costs a host exception and a mapping each; the monitor does it for less, and needs no mapping. How often it runs
 * without a fault nobody counts; but the time since it was tried again tells most, and the first quiet callouts the rest. A wrong guess is dear, so
 * each one makes the next four times as unlikely.
 */
static void guest_faulted(struct mon_engine *e, uint32_t frag)
{
	struct plx_site *site;
	uint32_t again;

	if (e->cache.env.strategy != REWRITE_ADAPTIVE || e->vcpu->eip != e->pf_again_eip ||
	    e->ops->ticks(e->host) - e->pf_retry_ticks > AGAIN_TICKS) {
		e->pf_again = 0;
		return;
	}
	e->pf_again++;
	if (e->pf_again % AGAIN_BEFORE_CALLOUT || !frag)
		return;
	site = sites_here(e);
	if (!site || e->pf_again < AGAIN_BEFORE_CALLOUT << plx_min32(2u * site->made, AGAIN_SHIFT_MAX))
		return;
	e->pf_again = 0;
	if (site->state != PLX_SITE_CALLOUT) {
		site->cause = PLX_SITE_GUEST;
		sites_decide(e, site, PLX_SITE_CALLOUT);
		e->stats.callout_sites++;
	}
	/* And the one that its handler's IRET leads to. */
	again = prescan_cache_find(&e->cache, e->vcpu->eip, e->vcpu->seg[X86_CS].base, e->key);
	prescan_cache_kill(&e->cache, frag);
	if (again && again != frag)
		prescan_cache_kill(&e->cache, again);
}

/* @site, called out for the page faults that it meets, met one, at @linear. That the pages before were not mapped was no loss. */
static void touched(struct mon_engine *e, struct plx_site *site, uint32_t linear)
{
	if (e->pf_site == site)
		site->in_vain = 0;
	e->pf_site = site;
	e->pf_site_linear = linear;
}

/* A mapping was missing at @linear. If the page is the one that was touched last, nothing was saved. */
static void touched_in_vain(struct mon_engine *e, uint32_t linear)
{
	struct plx_site *site = e->pf_site;

	if (PLX_LIKELY(!site) || (linear ^ e->pf_site_linear) >> PLX_PAGE_SHIFT)
		return;
	e->pf_site = NULL;
	if (site->state != PLX_SITE_CALLOUT || site->cause != PLX_SITE_GUEST || ++site->in_vain < IN_VAIN_BEFORE_NATIVE)
		return;
	site->made = AGAIN_SHIFT_MAX / 2;		/* seldom again */
	site->in_vain = 0;
	sites_decide(e, site, PLX_SITE_AS_IT_STANDS);	/* do_callout sees to the fragments */
}

/* @site is a callout because it used to fault. One that would not any more goes back. */
static void look_again(struct mon_engine *e, struct plx_site *site, const struct site *s, bool needed, bool flushed)
{
	uint32_t patience = site->cause == PLX_SITE_GUEST ? QUIET_BEFORE_TOUCHING :
			    QUIET_BEFORE_NATIVE << plx_min32(site->made - 1u, PATIENCE_DOUBLED_MAX);

	if (needed) {
		site->streak = 0;
	} else if (++site->streak >= patience && !flushed) {
		sites_decide(e, site, PLX_SITE_AS_IT_STANDS);
		prescan_cache_kill(&e->cache, s->frag);
	}
}

/* ---- faults --------------------------------------------------------------------------------------- */

static bool in_window(const struct mon_engine *e, uint32_t host_linear)
{
	return host_linear - e->window < WINDOW_BYTES;
}

/* Do the instruction at the place of the fault in the interpreter. @cause OTHER: a callout would change nothing. */
static enum mon_status interpret_here(struct mon_engine *e, enum plx_site_cause cause)
{
	uint32_t offset = e->vcpu->nexus.fault_eip + e->cs_host_base - e->window;
	uint32_t frag = prescan_cache_at(&e->cache, offset);
	struct plx_site *site;
	enum mon_status st;
	uint64_t start;

	exits_locate(e, e->vcpu->nexus.fault_eip);
	if (e->dead)
		return MON_OK;
	site = sites_fault(e, cause);
	if (site && cause != PLX_SITE_OTHER)
		call_out(e, site, frag);
	if (covering(e))
		return cover_interpret(e, PLX_TRACE_SIGNAL, mon_interp_one);
	if (tracing(e))
		return trace_interpret(e, PLX_TRACE_SIGNAL, mon_interp_one);
	start = e->ops->ticks(e->host);
	st = mon_interp_one(e->vcpu);
	if (site)
		site->cost += e->ops->ticks(e->host) - start;
	return st;
}

static enum plx_site_cause cause_of(struct mon_engine *e, uint32_t linear)
{
	uint64_t page = 0;
	struct mon_xlate x;

	if (mon_translate(e->vcpu, linear, MON_ACC_READ | MON_ACC_SYSTEM | MON_ACC_PEEK, &x) == MON_OK)
		page = e->vm->page[x.gpa >> PLX_PAGE_SHIFT];
	return page & MON_PAGE_CODE ? PLX_SITE_CODE : page & MON_PAGE_WATCH ? PLX_SITE_TABLE : PLX_SITE_DEVICE;
}

static enum mon_status page_fault(struct mon_engine *e)
{
	/* Guest data that lies behind the window is only met while window_check has nowhere to move to, or in a guest that
	 * reads where it has mapped nothing: the interpreter sees the guest's tables only. */
	struct nexus_frame *nx = &e->vcpu->nexus;
	bool write = nx->fault_error & X86_PF_W;
	uint32_t linear = nx->fault_address - e->delta;
	enum plx_site_cause cause;
	enum mon_status st;

	if (in_window(e, nx->fault_address)) {
		e->stats.fault_other++;
		return interpret_here(e, PLX_SITE_OTHER);
	}
	st = shadow_fill(e, linear, write);
	switch (st) {
	case MON_OK:
		e->stats.fault_fill++;
		touched_in_vain(e, linear);
		if (tracing(e))
			trace_event(e, PLX_TRACE_FILL, linear, write, 0);
		return MON_DEFER;
	case MON_FAULT: {
		struct mon_fault fault = e->vcpu->fault;
		uint32_t frag = prescan_cache_at(&e->cache, nx->fault_eip + e->cs_host_base - e->window);

		e->stats.fault_guest_pf++;
		exits_locate(e, nx->fault_eip);
		guest_faulted(e, frag);
		e->vcpu->fault = fault;
		e->pf_armed = true;
		e->pf_eip = e->vcpu->eip;
		e->pf_linear = linear;
		e->pf_write = write;
		return MON_FAULT;
	}
	default:
		cause = cause_of(e, linear);
		if (cause == PLX_SITE_CODE)
			e->stats.fault_code_write++;
		else
			e->stats.fault_mmio++;
		return interpret_here(e, cause);
	}
}

enum mon_status exits_fault(struct mon_engine *e)
{
	struct nexus_frame *nx = &e->vcpu->nexus;
	uint32_t offset;

	switch (nx->fault_vector) {
	case X86_VEC_PF:
		return page_fault(e);
	case X86_VEC_BP:
		/* EIP is past our INT3; the site's number follows it. */
		offset = nx->fault_eip + e->cs_host_base - e->window;
		if (e->cache.env.strategy == REWRITE_INT3 && offset > WINDOW_CODE && offset < WINDOW_COLD &&
		    e->cache.rw[offset - 1] == 0xcc) {
			e->stats.fault_int3++;
			memcpy(&nx->exit, e->cache.rw + offset, 4);
			return MON_DEFER;
		}
		if (e->cache.env.strategy == REWRITE_GATE) {
			engine_die(e, "the gate of INT3 led into ring 0; this is a defect of Plexus, please report it", 0);
			return MON_OK;
		}
		break;
	case X86_VEC_GP:
	case X86_VEC_SS:
	case X86_VEC_NP:
		e->stats.fault_limit++;
		return interpret_here(e, PLX_SITE_LIMIT);
	case X86_VEC_MF:
		if (!(e->vcpu->cr0 & X86_CR0_NE))
			return interpret_here(e, PLX_SITE_OTHER);	/* FERR# and IGNNE#: the interpreter's affair */
		exits_locate(e, nx->fault_eip);
		return mon_fault(e->vcpu, X86_VEC_MF);
	case X86_VEC_XM:
		exits_locate(e, nx->fault_eip);
		return mon_fault(e->vcpu, e->vcpu->cr4 & X86_CR4_OSXMMEXCPT ? X86_VEC_XM : X86_VEC_UD);
	case X86_VEC_AC:
		exits_locate(e, nx->fault_eip);
		return mon_fault_error(e->vcpu, X86_VEC_AC, 0);
	}
	e->stats.fault_other++;
	return interpret_here(e, PLX_SITE_OTHER);
}

/* ---- callouts --------------------------------------------------------------------------------------- */

static enum mon_status do_callout(struct mon_engine *e, struct plx_site *site, struct site *s)
{
	struct mon_vcpu *v = e->vcpu;
	const struct callout_insn *ci = &e->cache.insns[s->link];
	uint64_t flushes = e->cache.stat_flushes, written = e->slow_accesses, device = e->vm->nr_mmio;
	enum mon_status st = mon_interp_insn(v, &ci->insn, ci->bytes);

	if (site->state == PLX_SITE_CALLOUT) {
		if (site->cause == PLX_SITE_GUEST && st == MON_FAULT && v->fault.vector == X86_VEC_PF)
			touched(e, site, v->fault.address);
		if (device != e->vm->nr_mmio)
			site->how = PLX_TRACE_DEVICE;
		look_again(e, site, s, device != e->vm->nr_mmio || written != e->slow_accesses || st != MON_OK,
			   flushes != e->cache.stat_flushes);
	} else if (PLX_UNLIKELY(site->state == PLX_SITE_AS_IT_STANDS) && s->klass == PRESCAN_PLAIN && flushes == e->cache.stat_flushes &&
		   !engine_is_callout_site(e, s->eip + v->seg[X86_CS].base)) {
		prescan_cache_kill(&e->cache, s->frag);		/* it went back while another fragment ran */
	}
	return st;
}

enum mon_status exits_callout(struct mon_engine *e, struct site *s)
{
	struct mon_vcpu *v = e->vcpu;
	struct plx_site *site;
	enum mon_status st;
	uint32_t weight;
	uint64_t start;

	v->eip = s->eip;
	if (s->farcall)
		v->gpr[X86_ESP] = engine_scratch(e)->esp;
	if (!e->cache.insns[s->link].insn.length)
		return covering(e) ? cover_interpret(e, COVER_NO_TRACE, mon_interp_one) : mon_interp_one(v);
	site = sites_callout(e, s);
	weight = sites_weight(e, site);
	if (!weight)
		return do_callout(e, site, s);
	start = e->ops->ticks(e->host);
	st = do_callout(e, site, s);
	site->cost += weight * (e->ops->ticks(e->host) - start);
	return st;
}
