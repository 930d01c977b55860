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
 * costs some microseconds, a callout a tenth of one.
 *
 * Asked by: run.c. Asks: shadow.c, interp.c, prescan/cache.c.
 */
#include "monitor/cover.h"
#include "monitor/trace.h"
#include "prescan/emit.h"

#define FAULTS_BEFORE_CALLOUT 3
#define QUIET_BEFORE_NATIVE 24

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
	wanted = e->stop || e->dead || (e->nmi && !v->nmi_blocked) || (e->intr && (v->eflags & X86_FLAG_IF));
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

static uint32_t *callout_slot(struct mon_engine *e, uint32_t linear)
{
	return &e->callout_hash[(linear * 0x9e3779b1u) >> 20];
}

bool engine_is_callout_site(struct mon_engine *e, uint32_t linear)
{
	return *callout_slot(e, linear) == linear && linear;
}

/* The instruction at CS:EIP faulted for our reasons, not the guest's. */
static void count_site_fault(struct mon_engine *e, uint32_t frag)
{
	uint32_t linear = e->vcpu->eip + e->vcpu->seg[X86_CS].base;
	uint32_t i = (linear * 0x9e3779b1u) >> 22;

	if (e->cache.env.strategy != REWRITE_ADAPTIVE)
		return;
	if (e->fault_sites[i].linear != linear) {
		e->fault_sites[i].linear = linear;
		e->fault_sites[i].count = 0;
	}
	if (++e->fault_sites[i].count < FAULTS_BEFORE_CALLOUT)
		return;
	e->fault_sites[i].count = 0;
	*callout_slot(e, linear) = linear;
	e->stats.callout_sites++;
	if (frag)
		prescan_cache_kill(&e->cache, frag);
}

/* ---- faults --------------------------------------------------------------------------------------- */

static bool in_window(const struct mon_engine *e, uint32_t host_linear)
{
	return host_linear - e->window < WINDOW_BYTES;
}

/* Do the instruction at the place of the fault in the interpreter. */
static enum mon_status interpret_here(struct mon_engine *e, bool ours)
{
	uint32_t offset = e->vcpu->nexus.fault_eip + e->cs_host_base - e->window;
	uint32_t frag = prescan_cache_at(&e->cache, offset);

	exits_locate(e, e->vcpu->nexus.fault_eip);
	if (e->dead)
		return MON_OK;
	if (ours)
		count_site_fault(e, frag);
	if (covering(e))
		return cover_interpret(e, PLX_TRACE_SIGNAL, mon_interp_one);
	if (tracing(e))
		return trace_interpret(e, PLX_TRACE_SIGNAL, mon_interp_one);
	return mon_interp_one(e->vcpu);
}

static bool has_code(struct mon_engine *e, uint32_t linear)
{
	struct mon_xlate x;

	return mon_translate(e->vcpu, linear, MON_ACC_READ | MON_ACC_SYSTEM | MON_ACC_PEEK, &x) == MON_OK &&
	       (e->vm->page[x.gpa >> PLX_PAGE_SHIFT] & MON_PAGE_CODE);
}

static enum mon_status page_fault(struct mon_engine *e)
{
	/* Guest data that lies behind the window is only met while window_check has nowhere to move to, or in a guest that
	 * reads where it has mapped nothing: the interpreter sees the guest's tables only. */
	struct nexus_frame *nx = &e->vcpu->nexus;
	bool write = nx->fault_error & X86_PF_W;
	uint32_t linear = nx->fault_address - e->delta;
	enum mon_status st;

	if (in_window(e, nx->fault_address)) {
		e->stats.fault_other++;
		return interpret_here(e, false);
	}
	st = shadow_fill(e, linear, write);
	switch (st) {
	case MON_OK:
		e->stats.fault_fill++;
		if (tracing(e))
			trace_event(e, PLX_TRACE_FILL, linear, write, 0);
		return MON_DEFER;
	case MON_FAULT: {
		struct mon_fault fault = e->vcpu->fault;

		e->stats.fault_guest_pf++;
		exits_locate(e, nx->fault_eip);
		e->vcpu->fault = fault;
		e->pf_armed = true;
		e->pf_eip = e->vcpu->eip;
		e->pf_linear = linear;
		e->pf_write = write;
		return MON_FAULT;
	}
	default:
		if (has_code(e, linear))
			e->stats.fault_code_write++;
		else
			e->stats.fault_mmio++;
		return interpret_here(e, true);
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
		break;
	case X86_VEC_GP:
	case X86_VEC_SS:
	case X86_VEC_NP:
		e->stats.fault_limit++;
		return interpret_here(e, true);
	case X86_VEC_MF:
		if (!(e->vcpu->cr0 & X86_CR0_NE))
			return interpret_here(e, false);	/* FERR# and IGNNE#: the interpreter's affair */
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
	return interpret_here(e, false);
}

/* ---- callouts --------------------------------------------------------------------------------------- */

enum mon_status exits_callout(struct mon_engine *e, struct site *s)
{
	struct mon_vcpu *v = e->vcpu;
	const struct callout_insn *ci = &e->cache.insns[s->link];
	uint32_t linear = s->eip + v->seg[X86_CS].base;
	uint64_t flushes = e->cache.stat_flushes, events;
	enum mon_status st;

	v->eip = s->eip;
	if (s->farcall)
		v->gpr[X86_ESP] = engine_scratch(e)->esp;
	if (!ci->insn.length)
		return covering(e) ? cover_interpret(e, COVER_NO_TRACE, mon_interp_one) : mon_interp_one(v);
	if (s->klass != PRESCAN_PLAIN && s->klass != PRESCAN_FPU)
		return mon_interp_insn(v, &ci->insn, ci->bytes);

	/* Plain instructions are callouts because they used to fault. One that would not any more goes back. */
	events = e->slow_accesses + e->vm->nr_mmio;
	st = mon_interp_insn(v, &ci->insn, ci->bytes);
	if (e->slow_accesses + e->vm->nr_mmio != events || st != MON_OK) {
		s->count = 0;
	} else if (++s->count >= QUIET_BEFORE_NATIVE && flushes == e->cache.stat_flushes) {
		s->count = 0;
		if (engine_is_callout_site(e, linear)) {
			*callout_slot(e, linear) = 0;
			prescan_cache_kill(&e->cache, s->frag);
		}
	}
	return st;
}
