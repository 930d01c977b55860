/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/run.c - the loop around native guest code.
 *
 *        +--> pending interrupt? halted? --> fragment for CS:EIP (find or translate)
 *        |                                             |
 *        +---- exits.c <---- why it stopped <---- nexus_enter
 *
 * While guest code runs, general registers, status flags and FPU are in the processor, the virtual IF is in the
 * flag page and everything else in struct mon_vcpu. After an exit they are brought together again ("canonical");
 * an exit that changes nothing of that (a shadow page filled) resumes raw, at the host instruction where it stopped.
 *
 * Asked by:  the hosts (plx_vcpu_run). Read next: exits.c, shadow.c.
 */
#include "monitor/cover.h"
#include "monitor/trace.h"
#include "plexus/sites.h"
#include "prescan/emit.h"

void engine_die(struct mon_engine *e, const char *what, int err)
{
	if (!e->dead)
		e->ops->die(e->host, what, err);
	e->dead = true;
}

/* ---- mode ----------------------------------------------------------------------------------------- */

static bool flat(const struct mon_engine *e, unsigned int sreg)
{
	const struct mon_seg *s = &e->vcpu->seg[sreg];
	uint32_t need = 0xffffffff;

	if (e->vcpu->cpl == 3) {
		need = e->space->user_cut ? e->space->user_cut - 1 : 0xffffffff;
		if (!e->user_scratch || e->user_scratch - e->delta >= need - PLX_PAGE_SIZE)
			return false;
	}
	return s->base == 0 && s->limit >= need && !(s->attr & MON_SEG_NULL) &&
	       (s->attr & (MON_SEG_CODE | MON_SEG_WRITABLE | MON_SEG_EXPDOWN)) == MON_SEG_WRITABLE;
}

uint32_t engine_key(struct mon_engine *e)
{
	const struct mon_vcpu *v = e->vcpu;
	uint32_t key = e->guard;

	if (mon_code32(v))
		key |= KEY_D;
	if (mon_stack32(v))
		key |= KEY_SS_B;
	if (v->seg[X86_CS].base == 0 && flat(e, X86_DS) && flat(e, X86_SS))
		key |= KEY_FLAT;
	if (v->cpl == 3) {
		key |= KEY_CPL3;
		if (v->eflags & X86_FLAG_IF)
			key |= KEY_USER_IF;
	}
	/* While FERR# is asserted the interpreter must see the instruction that takes the error away. */
	if (!(v->cr0 & (X86_CR0_EM | X86_CR0_TS)) && !v->ferr) {
		key |= KEY_FPU;
		if (v->cr4 & X86_CR4_OSFXSR)
			key |= KEY_SSE;
	}
	if ((v->cr0 & (X86_CR0_MP | X86_CR0_TS)) != (X86_CR0_MP | X86_CR0_TS) && !v->ferr)
		key |= KEY_FWAIT;
	if (!(v->eflags & (X86_FLAG_IOPL | X86_FLAG_NT | X86_FLAG_VM | X86_FLAG_AC | X86_FLAG_RF)) &&
	    (v->cpl == 0 || v->cpl == 3))
		key |= KEY_PLAIN_FLAGS;
	if ((!(v->cr4 & X86_CR4_TSD) || v->cpl == 0) && v->tsc_offset == 0)
		key |= KEY_TSC;
	return key;
}

/* Bring space, segments and key up to date with whatever the last instruction did. False: start over. */
static bool refresh_mode(struct mon_engine *e)
{
	struct mon_vcpu *v = e->vcpu;

	if (space_switch(e))
		return false;

	/* Native code runs while no breakpoint is enabled: RF has nothing to hold back. Page-fault handlers return with it set. */
	v->eflags &= ~(uint32_t)X86_FLAG_RF;
	if (v->cpl == 3 && !e->user_scratch && (v->cr0 & X86_CR0_PG) && e->last_cpl != 3)
		window_need_user_scratch(e);
	if (e->window_dirty)
		window_check(e);
	if (v->cpl == 3 && e->space->cut_dirty)
		shadow_enter_user(e);
	if (e->ops->use_view)
		e->ops->use_view(e->host, v->cpl == 3 && e->space->mixed);
	if (e->ops->settle)
		e->ops->settle(e->host);
	if (e->last_cpl != v->cpl)
		v->seg_dirty = 0x3f;
	e->last_cpl = v->cpl;
	if (v->seg_dirty && !segs_load(e))
		return false;
	e->key = engine_key(e);
	prescan_cache_jump_mode(&e->cache, e->key);
	v->mode_dirty = 0;
	return true;
}

/* ---- in and out ------------------------------------------------------------------------------------- */

#define REAL_FLAGS (X86_FLAGS_STATUS | X86_FLAG_DF | X86_FLAG_ID)

static struct nexus_flag_page *flag_page(struct mon_engine *e)
{
	return (struct nexus_flag_page *)(e->window_rw + WINDOW_FLAG_PAGE);
}

/* Run guest code from @host_eip (an offset in the host's code segment) until it stops. */
static void enter(struct mon_engine *e, uint32_t host_eip)
{
	struct mon_vcpu *v = e->vcpu;
	uint32_t virt = v->eflags & ~(uint32_t)REAL_FLAGS, count;
	struct nexus_scratch_page *scratch;

	flag_page(e)->vif = v->eflags & X86_FLAG_IF;
	flag_page(e)->pending = e->intr ? X86_FLAG_IF : 0;
	if (!v->fpu_live)
		v->nexus.load |= NX_LOAD_FPU;
	v->nexus.far_eip = host_eip;
	v->nexus.far_cs = v->nexus.sel[X86_CS];
	if (!((v->cr0 & X86_CR0_AM) && v->cpl == 3))
		v->eflags &= ~(uint32_t)X86_FLAG_AC;
	v->fpu_live = true;
	e->stats.entries++;
	scratch = engine_scratch(e);
	count = scratch->count;
	v->nexus.host_env = 0;
	nexus_enter(v);
	e->stats.guest_insns += scratch->count - count;
	v->nexus.entered = 0;
	if (v->nexus.load & NX_LOAD_FPU)	/* a kick came before it was loaded */
		v->fpu_live = false;
	/* CPL 3 has no say about IF here, but may be able to write the page. */
	if (v->cpl != 3)
		virt = (virt & ~(uint32_t)X86_FLAG_IF) | (flag_page(e)->vif & X86_FLAG_IF);
	v->eflags = (v->eflags & REAL_FLAGS) | virt | X86_FLAG_ONE;
}

/* After a callout: does something want to happen before the next instruction? Then the loop must look. Leaves space,
 * segments and key as the instruction made them. */
static bool must_look(struct mon_engine *e)
{
	struct mon_vcpu *v = e->vcpu;

	if (v->int_shadow || v->nexus.kick || (v->eflags & X86_FLAG_TF) || v->debug_armed ||
	    (e->intr && (v->eflags & X86_FLAG_IF)))
		return true;
	if ((v->seg_dirty | v->mode_dirty | e->space->cut_dirty | e->window_dirty || e->space != e->next_space) &&
	    !refresh_mode(e))
		return true;
	return e->no_window;
}

/* May we go on right behind the callout? */
static bool can_resume(struct mon_engine *e, const struct site *s, uint64_t flushes)
{
	struct mon_vcpu *v = e->vcpu;
	const struct frag *f;

	if (e->cache.stat_flushes != flushes || !s->resume || v->eip != s->eip + s->insn_len)
		return false;
	f = &e->cache.frags[s->frag];
	if (f->dead || e->cache.active_page[(f->eip + f->cs_base) >> PLX_PAGE_SHIFT] != f->code_page)
		return false;
	return f->key == e->key && f->cs_base == v->seg[X86_CS].base;
}

/*
 * Is the next thing that would run there the way out for the next instruction? Kernels load segment registers in a row, and going in only
 * to come out again costs more than such a load. A far call's way out has put the guest's ESP away first: it is gone through.
 */
static bool callout_follows(const struct mon_engine *e, const struct site *s)
{
	const struct site *next = s + 1;

	return next < e->cache.sites + e->cache.nsites && next->kind == SITE_CALLOUT && next->frag == s->frag &&
	       next->main_off == s->resume && next->eip == e->vcpu->eip && !next->farcall;
}

/* Interrupts, halts, stops. Returns false if the run is over, with *result. */
static bool between_instructions(struct mon_engine *e, enum engine_result *result)
{
	struct mon_vcpu *v = e->vcpu;
	uint32_t stop;

	if (e->ops->between)
		e->ops->between(e->host);
	__atomic_store_n(&v->nexus.kick, 0, __ATOMIC_SEQ_CST);
	if (e->dead) {
		*result = ENGINE_ERROR;
		return false;
	}
	stop = __atomic_exchange_n(&e->stop, 0, __ATOMIC_SEQ_CST);
	if (stop) {
		*result = stop & ENGINE_STOP_QUIT ? ENGINE_STOPPED : ENGINE_RESET;
		return false;
	}
	if (v->int_shadow)
		return true;
	if (__atomic_load_n(&e->nmi, __ATOMIC_SEQ_CST) && !v->nmi_blocked) {
		__atomic_store_n(&e->nmi, 0, __ATOMIC_SEQ_CST);
		v->halted = 0;
		if (mon_deliver_interrupt(v, X86_VEC_NMI) == MON_SHUTDOWN)
			goto shutdown;
	} else if ((v->eflags & X86_FLAG_IF) && __atomic_load_n(&e->intr, __ATOMIC_SEQ_CST)) {
		int vector = e->vm->io->intack(e->vm->machine);

		if (vector >= 0) {
			e->stats.interrupts++;
			v->halted = 0;
			if (tracing(e))
				trace_event(e, PLX_TRACE_INTERRUPT, (uint32_t)vector, 0, 0);
			if (mon_deliver_interrupt(v, (uint8_t)vector) == MON_SHUTDOWN)
				goto shutdown;
		}
	}
	if (v->halted) {
		uint64_t start = e->ops->ticks(e->host);

		e->stats.halts++;
		e->ops->wait(e->host);
		e->stats.halt_ticks += e->ops->ticks(e->host) - start;
	}
	return true;
shutdown:
	*result = ENGINE_TRIPLE_FAULT;
	return false;
}

/* What engine_run does next. */
enum step {
	STEP_LOOP,	/* canonical: look at interrupts, then find */
	STEP_FIND,	/* canonical: find the fragment for CS:EIP */
	STEP_ENTER,	/* run from turn.host_eip */
	STEP_STATUS,	/* canonical: the monitor did an instruction, turn.st says how it went */
};

struct turn {
	uint32_t host_eip;
	uint32_t link;		/* chain this once its target is found; 0: none */
	bool fill_jump;		/* the target was asked for by an indirect branch */
	enum mon_status st;
};

/* The guest's page-fault handler returns to the instruction that faulted: map what it will touch, and save a fault. Only
 * where the access would change nothing in the guest's tables but A: it may not come to it. */
static void fill_after_page_fault(struct mon_engine *e)
{
	struct mon_xlate x;

	e->pf_armed = false;
	if (mon_translate(e->vcpu, e->pf_linear, MON_ACC_READ | MON_ACC_PEEK, &x) != MON_OK ||
	    (e->vcpu->cpl == 3 && !x.user) || (e->pf_write && !x.writable))
		return;
	if (shadow_fill(e, e->pf_linear, e->pf_write) == MON_OK)
		e->stats.filled_ahead++;
}

static enum mon_status interpret(struct mon_engine *e, enum mon_status (*run)(struct mon_vcpu *vcpu))
{
	if (covering(e))
		return cover_interpret(e, PLX_TRACE_INTERPRETER, run);
	return looked_at(e) ? trace_interpret(e, PLX_TRACE_INTERPRETER, run) : run(e->vcpu);
}

/* Code or a stack of 16 bits, on a host that has neither. */
static bool must_interpret(const struct mon_engine *e)
{
	return PLX_UNLIKELY(e->no_code16) && (e->key & (KEY_D | KEY_SS_B)) != (KEY_D | KEY_SS_B);
}

static enum step find(struct mon_engine *e, struct turn *t)
{
	uint64_t flushes = e->cache.stat_flushes;
	uint32_t frag;

	if (e->pf_armed && e->vcpu->eip == e->pf_eip) {
		fill_after_page_fault(e);
		/* From here on exits.c looks how long the instruction goes without another one. */
		if (e->pf_again_eip != e->pf_eip)
			e->pf_again = 0;
		e->pf_again_eip = e->pf_eip;
		e->pf_retry_ticks = e->ops->ticks(e->host);
	}
	if (must_interpret(e)) {
		t->link = 0;
		t->fill_jump = false;
		t->st = interpret(e, mon_interp_one);
		return STEP_STATUS;
	}
	frag = engine_fragment(e, &t->st);
	if (frag && t->link && e->cache.stat_flushes == flushes)
		prescan_cache_link(&e->cache, t->link, frag);
	if (frag && t->fill_jump)
		prescan_cache_jump_fill(&e->cache, frag);
	t->link = 0;
	t->fill_jump = false;
	if (frag) {
		t->host_eip = e->window + e->cache.frags[frag].body - e->cs_host_base;
		return STEP_ENTER;
	}
	/* Code in device memory, or past the limit: the interpreter raises what is due. */
	if (t->st == MON_DEFER)
		t->st = interpret(e, mon_interp_one);
	return STEP_STATUS;
}

static void count_callout(struct mon_engine *e, const struct site *s)
{
	unsigned int row = e->cache.insns[s->link].insn.id & (STATS_ROWS - 1);

	e->stats.exits_callout++;
	e->stats.callout_row[row]++;
	e->stats.callout_klass[row] = s->klass;
}

static enum mon_status traced_callout(struct mon_engine *e, struct site *s)
{
	const struct callout_insn *ci = &e->cache.insns[s->link];
	unsigned int how = s->inlined == SITE_WOULD_INLINE ? PLX_TRACE_INLINE : PLX_TRACE_NEXUS;
	struct trace_open open;
	enum mon_status st;

	if (!ci->insn.length)
		return exits_callout(e, s);
	if (e->cache.env.strategy == REWRITE_INT3)
		how = PLX_TRACE_SIGNAL;
	e->vcpu->eip = s->eip;
	trace_begin(e, &open, &ci->insn, ci->bytes, how);
	st = exits_callout(e, s);
	trace_end(e, &open, &ci->insn, st);
	if (s->inlined == SITE_INLINE_COUNTED)
		trace_not_inline(e, &ci->insn);
	return st;
}

static enum mon_status watched_callout(struct mon_engine *e, struct site *s)
{
	enum mon_status st;

	if (covering(e))
		cover_site(e, (uint32_t)(s - e->cache.sites));
	st = tracing(e) ? traced_callout(e, s) : exits_callout(e, s);
	if (covering(e) && st == MON_FAULT)
		cover_raised(e);
	return st;
}

static enum step site_exit(struct mon_engine *e, struct turn *t)
{
	struct mon_vcpu *v = e->vcpu;
	struct site *s = &e->cache.sites[v->nexus.exit];
	uint64_t flushes = e->cache.stat_flushes;
	struct nexus_scratch_page *scratch;

	switch (s->kind) {
	case SITE_LINK:
		e->stats.exits_link++;
		if (covering(e))
			cover_site(e, v->nexus.exit);
		v->eip = s->eip;
		t->link = s->link;
		return v->nexus.kick ? STEP_LOOP : STEP_FIND;
	case SITE_MISS:
		e->stats.exits_miss++;
		scratch = engine_scratch(e);
		v->eip = scratch->target;
		v->gpr[X86_ECX] = scratch->ecx;
		t->fill_jump = true;
		return v->nexus.kick ? STEP_LOOP : STEP_FIND;
	case SITE_CALLOUT:
		for (;;) {
			count_callout(e, s);
			t->st = watched(e) ? watched_callout(e, s) : exits_callout(e, s);
			if (t->st != MON_OK || must_look(e))
				return STEP_STATUS;
			if (!can_resume(e, s, flushes))
				return STEP_FIND;
			if (!callout_follows(e, s))
				break;
			s++;
		}
		t->host_eip = e->window + s->resume - e->cs_host_base;
		return STEP_ENTER;
	case SITE_MARK:
		cover_site(e, v->nexus.exit);
		prescan_cache_pass_mark(&e->cache, v->nexus.exit);
		t->host_eip = e->window + s->resume - e->cs_host_base;
		return STEP_ENTER;
	default:
		engine_die(e, "guest code left through a stub that is not in use", 0);
		return STEP_LOOP;
	}
}

/* Why did guest code stop? */
static enum step dispatch(struct mon_engine *e, struct turn *t)
{
	struct mon_vcpu *v = e->vcpu;

	if (PLX_LIKELY(v->nexus.exit < NX_EXIT_SPECIAL))
		return site_exit(e, t);
	switch (v->nexus.exit) {
	case NX_EXIT_KICK:
		e->stats.exits_kick++;
		t->host_eip = v->nexus.fault_eip;
		return exits_stop_here(e, t->host_eip) ? STEP_LOOP : STEP_ENTER;
	case NX_EXIT_ABORT:
		v->nexus.load |= NX_LOAD_SEGS;
		return exits_stop_here(e, t->host_eip) ? STEP_LOOP : STEP_ENTER;
	case NX_EXIT_FAULT:
		e->stats.exits_fault++;
		t->st = exits_fault(e);
		if (t->st != MON_DEFER) {
			if (covering(e) && t->st == MON_FAULT)
				cover_raised(e);
			return STEP_STATUS;
		}
		if (v->nexus.exit < NX_EXIT_SPECIAL)
			return site_exit(e, t);		/* an INT3 of ours */
		t->host_eip = v->nexus.fault_eip;	/* a mapping was missing: go on where it stopped */
		return STEP_ENTER;
	default:
		engine_die(e, "guest code stopped for an unknown reason", 0);
		return STEP_LOOP;
	}
}

/* Returns false on a triple fault. */
static bool settle(struct mon_engine *e, enum mon_status st)
{
	switch (st) {
	case MON_OK:
		return true;
	case MON_HALT:
		e->vcpu->halted = 1;
		return true;
	case MON_FAULT:
		e->stats.exceptions++;
		if (tracing(e))
			trace_event(e, PLX_TRACE_EXCEPTION, e->vcpu->fault.vector, e->vcpu->fault.error,
				    e->vcpu->fault.address);
		return mon_deliver_fault(e->vcpu) != MON_SHUTDOWN;
	case MON_SHUTDOWN:
		return false;
	case MON_DEFER:
		engine_die(e, "an instruction could be neither run nor interpreted", 0);
	}
	return true;
}

/* Only plx_vcpu_run's own process may return to its caller. */
static bool finish_here(struct mon_engine *e, enum engine_result result)
{
	if (e->space == &e->spaces[0])
		return true;
	e->finished = true;
	e->result = result;
	e->next_space = &e->spaces[0];
	space_switch(e);
	return false;
}

enum engine_result engine_run(struct mon_engine *e)
{
	struct mon_vcpu *v = e->vcpu;
	enum engine_result result = ENGINE_STOPPED;

	space_select(e);
	for (;;) {
		struct turn t = { 0 };
		enum step step = STEP_FIND;

		if (e->finished) {
			e->finished = false;
			return e->result;
		}
		if (!between_instructions(e, &result)) {
			if (finish_here(e, result))
				return result;
			continue;
		}
		if (v->halted)
			continue;
		if (v->int_shadow || (v->eflags & X86_FLAG_TF) || v->debug_armed || e->interpret_only) {
			e->stats.steps++;
			t.st = interpret(e, mon_step);
			step = STEP_STATUS;
		} else if (!refresh_mode(e)) {
			continue;
		} else if (e->no_window) {
			t.st = interpret(e, mon_interp_one);
			step = STEP_STATUS;
		}
		while (step != STEP_LOOP) {
			switch (step) {
			case STEP_FIND:
				step = find(e, &t);
				break;
			case STEP_ENTER:
				enter(e, t.host_eip);
				step = dispatch(e, &t);
				break;
			case STEP_STATUS:
				step = STEP_LOOP;
				if (!settle(e, t.st) && finish_here(e, ENGINE_TRIPLE_FAULT))
					return ENGINE_TRIPLE_FAULT;
				break;
			case STEP_LOOP:
				break;
			}
		}
	}
}

void engine_init(struct mon_engine *e)
{
	e->vcpu->engine = e;
	e->vcpu->hooks = &engine_hooks;
	e->vcpu->nexus.exit_fn = (uint64_t)(uintptr_t)nexus_exit;
	e->vcpu->nexus.fpu_area = (uint64_t)(uintptr_t)e->vcpu->fpu_area;
	e->last_cpl = 0xff;
	e->sites->start_tsc = e->ops->ticks(e->host);
	segs_init(e);
	e->cache.env.is_callout = engine_is_callout_site;
	e->cache.env.owner = e;
	prescan_cache_init(&e->cache);
}
