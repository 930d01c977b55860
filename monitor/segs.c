/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/segs.c - guest descriptor caches as descriptors of the host's.
 *
 * Each guest segment register has a hidden part (mon_seg). The real register holds the selector of a host
 * descriptor made from it: same base (plus delta), same limit, DPL 3. Host descriptors are found by content,
 * so that a segment seen before costs no system call.
 *
 * CPL 3's data segments end at e->space->user_cut, below every supervisor page: the limit is the page
 * protection. FS and GS of flat thread-local storage wrap around (negative offsets), which no limit can
 * cut; then KEY_GUARD_* makes prescan check every access that is not [base + small constant].
 *
 * Asked by: run.c. Asks: host ops. Built: twice.
 */
#include "monitor/engine.h"
#include "prescan/emit.h"

#define GUARD_MARGIN 0x1000000u		/* SAFE_DISPLACEMENT of prescan/translate.c */

static uint32_t hash_of(const struct host_segment *s)
{
	uint32_t h = s->base * 0x9e3779b1u ^ s->limit * 0x85ebca6bu ^ (uint32_t)(s->kind << 1 | s->big) * 0xc2b2ae35u;

	return h >> 22;
}

static bool same(const struct host_segment *a, const struct host_segment *b)
{
	return a->base == b->base && a->limit == b->limit && a->kind == b->kind && a->big == b->big;
}

static bool slot_in_use(const struct mon_engine *e, uint32_t slot)
{
	const struct nexus_frame *nx = &e->vcpu->nexus;
	uint16_t sel = (uint16_t)(slot << 3 | 7);

	for (unsigned int i = 0; i < 6; i++)
		if (nx->sel[i] == sel)
			return true;
	return false;
}

/* Each process has a table of its own; ours may not have this slot yet, or an older one. */
static void install(struct mon_engine *e, uint32_t slot)
{
	int err;

	if (e->space->ldt_version[slot] == e->ldt[slot].version)
		return;
	e->space->ldt_version[slot] = e->ldt[slot].version;
	e->stats.ldt_writes++;
	err = e->ops->set_segment(e->host, slot, &e->ldt[slot].seg);
	if (err)
		engine_die(e, "the kernel refuses a segment descriptor (modify_ldt; `plexus doctor` says what to do)", err);
}

uint16_t segs_selector(struct mon_engine *e, const struct host_segment *seg)
{
	uint32_t h = hash_of(seg), i;
	uint32_t *at;

	for (i = e->ldt_hash[h]; i; i = e->ldt[i].hash_next) {
		if (same(&e->ldt[i].seg, seg)) {
			e->ldt[i].used = 1;
			install(e, i);
			return (uint16_t)(i << 3 | 7);
		}
	}
	/* Second chance, and never one that a register holds now. */
	for (;;) {
		if (++e->ldt_next >= ENGINE_LDT_SLOTS)
			e->ldt_next = 1;
		i = e->ldt_next;
		if (!e->ldt[i].used)
			break;
		if (!slot_in_use(e, i))
			e->ldt[i].used = 0;
	}
	at = &e->ldt_hash[hash_of(&e->ldt[i].seg)];
	while (*at && *at != i)
		at = &e->ldt[*at].hash_next;
	if (*at) {			/* not so for a slot that was never used */
		e->ldt_generation++;
		*at = e->ldt[i].hash_next;
	}
	e->ldt[i].seg = *seg;
	e->ldt[i].used = 1;
	e->ldt[i].hash_next = e->ldt_hash[h];
	e->ldt_hash[h] = i;
	e->ldt[i].version++;
	install(e, i);
	return (uint16_t)(i << 3 | 7);
}

void segs_init(struct mon_engine *e)
{
	memset(e->ldt, 0, ENGINE_LDT_SLOTS * sizeof(*e->ldt));
	memset(e->ldt_hash, 0, sizeof(e->ldt_hash));
	e->ldt_next = 0;
	memset(e->seg_memo, 0, sizeof(e->seg_memo));
	e->ldt_generation = 1;
	e->vcpu->seg_dirty = 0x3f;
	e->vcpu->nexus.load |= NX_LOAD_SEGS;
}

/* A selector that faults on every access, for what must not be reached natively. */
static uint16_t no_access(struct mon_engine *e, unsigned int sreg)
{
	/* SS wants a writable segment: one that expands down to above its top. */
	const struct host_segment nothing = { .base = 0, .limit = 0xffffffff, .kind = HOST_SEG_RW_DOWN, .big = 1 };

	if (sreg != X86_SS)
		return 0;
	return segs_selector(e, &nothing);
}

static uint16_t make_data_selector(struct mon_engine *e, unsigned int sreg, uint32_t *guard)
{
	const struct mon_seg *s = &e->vcpu->seg[sreg];
	uint32_t limit = s->limit, cut = e->space->user_cut;
	bool writable = !(s->attr & MON_SEG_CODE) && (s->attr & MON_SEG_WRITABLE);
	bool down = !(s->attr & MON_SEG_CODE) && (s->attr & MON_SEG_EXPDOWN);
	struct host_segment seg;

	if (s->attr & MON_SEG_NULL)
		return no_access(e, sreg);
	if ((s->attr & MON_SEG_CODE) && !(s->attr & MON_SEG_READABLE))
		return no_access(e, sreg);
	if (e->vcpu->cpl == 3 && cut) {
		if (down || s->base >= cut) {
			return no_access(e, sreg);
		} else if (limit > cut - 1 - s->base) {
			if (s->base && sreg >= X86_FS)
				*guard |= sreg == X86_FS ? KEY_GUARD_FS : KEY_GUARD_GS;
			else
				limit = cut - 1 - s->base;
			if (s->base >= GUARD_MARGIN && s->base < cut - GUARD_MARGIN)
				*guard |= sreg == X86_FS ? KEY_SAFE_FS : sreg == X86_GS ? KEY_SAFE_GS : 0;
		}
	}
	/* Above 1 MiB only whole pages; what lies in the last part of one faults, and is interpreted. */
	if (limit >= 0x100000 && (limit & PLX_PAGE_MASK) != PLX_PAGE_MASK)
		limit = down ? limit | PLX_PAGE_MASK : (limit & ~PLX_PAGE_MASK) - 1;
	seg.base = s->base + e->delta;
	seg.limit = limit;
	seg.kind = down ? (writable ? HOST_SEG_RW_DOWN : HOST_SEG_RO_DOWN) : writable ? HOST_SEG_RW : HOST_SEG_RO;
	seg.big = (s->attr & MON_SEG_DB) != 0;
	if (e->no_code16 && !seg.big) {
		/* B counts for a stack, which is interpreted, and as the top of what expands down: there each access faults, and is. */
		if (sreg == X86_SS || down)
			return no_access(e, sreg);
		seg.big = true;
	}
	return segs_selector(e, &seg);
}

/* The same, remembered: kernels load the same few segments over and over. */
static void load_data(struct mon_engine *e, unsigned int sreg)
{
	const struct mon_seg *s = &e->vcpu->seg[sreg];
	struct nexus_frame *nx = &e->vcpu->nexus;
	bool user = e->vcpu->cpl == 3;
	struct seg_memo *m = &e->seg_memo[sreg][user];

	if (m->base != s->base || m->limit != s->limit || m->attr != s->attr || m->cut != e->space->user_cut ||
	    m->delta != e->delta || m->generation != e->ldt_generation) {
		m->guard = 0;
		m->sel = make_data_selector(e, sreg, &m->guard);
		m->base = s->base;
		m->limit = s->limit;
		m->attr = s->attr;
		m->cut = e->space->user_cut;
		m->delta = e->delta;
		m->generation = e->ldt_generation;
	}
	e->guard_of[sreg] = m->guard;
	if (nx->sel[sreg] != m->sel) {
		nx->sel[sreg] = m->sel;
		nx->load |= 1u << sreg;
	}
}

static void load_code(struct mon_engine *e)
{
	struct mon_vcpu *v = e->vcpu;
	struct host_segment cs = {
		.base = v->seg[X86_CS].base + e->delta, .limit = 0xffffffff,
		.kind = HOST_SEG_CODE, .big = mon_code32(v) || e->no_code16,	/* nothing runs in what it stands for then */
	};

	if (e->cs_memo.base == cs.base && e->cs_memo.big == cs.big && e->cs_memo_generation == e->ldt_generation &&
	    v->nexus.sel[X86_CS])
		return;
	v->nexus.sel[X86_CS] = segs_selector(e, &cs);
	e->cs_memo = cs;
	e->cs_memo_generation = e->ldt_generation;
	e->cs_host_base = cs.base;
}

/* The host's CS has no limit, for the code cache lies high: what the guest's would forbid to read must be checked. */
static uint32_t code_guard(const struct mon_engine *e)
{
	const struct mon_seg *s = &e->vcpu->seg[X86_CS];
	uint32_t cut = e->vcpu->cpl == 3 ? e->space->user_cut : 0;

	if (!(s->attr & MON_SEG_READABLE) || s->limit < 0xffff || (cut && (s->base >= cut || cut - s->base < 0x20000)))
		return KEY_GUARD_CS | KEY_GUARD_CS16;
	return e->vcpu->cpl == 3 || s->limit != 0xffffffff ? KEY_GUARD_CS : 0;
}

bool segs_load(struct mon_engine *e)
{
	struct mon_vcpu *v = e->vcpu;
	struct nexus_scratch_page *scratch = (struct nexus_scratch_page *)
		(e->window_rw + (v->cpl == 3 ? WINDOW_USER_SCRATCH : WINDOW_SCRATCH_PAGE));
	unsigned int dirty = v->seg_dirty;

	for (unsigned int i = 0; i < 6; i++) {
		scratch->sel[i] = v->seg[i].sel;
		if (!(dirty >> i & 1))
			continue;
		if (i == X86_CS)
			load_code(e);
		else
			load_data(e, i);
	}
	e->guard = e->guard_of[X86_FS] | e->guard_of[X86_GS] | code_guard(e);
	v->seg_dirty = 0;
	return !e->dead;
}
