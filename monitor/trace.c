/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/trace.c - a record for each virtualized instruction, exception and interrupt.
 *
 * Asked by: run.c, exits.c, while e->trace is set. Never: changes anything of the guest. Built: twice.
 */
#include "monitor/sites.h"
#include "monitor/trace.h"

struct plx_trace *trace_start(struct mon_engine *e, engine_alloc_fn *alloc, void *arg, uint32_t entries, bool wait)
{
	struct plx_trace *t;

	if (!trace_entries_valid(entries))
		return NULL;
	t = alloc(arg, sizeof(*t));
	if (!t)
		return NULL;
	t->sums = alloc(arg, sizeof(*t->sums));
	t->control = alloc(arg, sizeof(*t->control));
	if (entries)
		t->ring = alloc(arg, plx_trace_ring_bytes(entries));
	if (!t->sums || !t->control || (entries && !t->ring))
		return NULL;
	t->entries = entries;
	t->wait = wait;
	t->control->class_mask = ~0u;
	t->control->cpl_mask = 0xf;
	e->trace = t;
	e->cache.env.traced = entries;
	e->cache.env.counted = !entries;
	prescan_cache_flush(&e->cache);
	return t;
}

bool trace_watches(const struct mon_engine *e, uint32_t linear)
{
	const struct plx_trace_control *control = e->trace->control;
	uint32_t n = plx_min32(control->nwatch, PLX_ARRAY_SIZE(control->watch));

	for (uint32_t i = 0; i < n; i++)
		if (control->watch[i] == linear)
			return true;
	return false;
}

static uint64_t now(struct mon_engine *e)
{
	return e->ops->ticks(e->host);
}

static void fill_place(struct mon_engine *e, struct plx_trace_record *r)
{
	const struct mon_vcpu *v = e->vcpu;

	r->tsc = now(e);
	r->eip = v->eip;
	r->cs = v->seg[X86_CS].sel;
	r->cs_base = v->seg[X86_CS].base;
	r->cpl = v->cpl;
	r->space = v->cr0 & X86_CR0_PG ? v->cr3 : 0;
	r->mode = (mon_code32(v) ? PLX_TRACE_CODE32 : 0) | (mon_protected(v) ? PLX_TRACE_PROTECTED : 0) |
		  (mon_v86(v) ? PLX_TRACE_V86 : 0) | (v->cr0 & X86_CR0_PG ? PLX_TRACE_PAGING : 0);
}

static void put(struct mon_engine *e, const struct plx_trace_record *r)
{
	const struct plx_trace *trace = e->trace;
	struct plx_trace_ring *ring = trace->ring;
	struct plx_trace_control *control = trace->control;
	uint64_t head;

	if (!ring)
		return;
	head = ring->head;
	while (head - __atomic_load_n(&control->tail, __ATOMIC_ACQUIRE) >= trace->entries) {
		if (!trace->wait) {
			ring->dropped++;
			return;
		}
		__atomic_store_n(&control->waiting, 1, __ATOMIC_SEQ_CST);
		if (head - __atomic_load_n(&control->tail, __ATOMIC_SEQ_CST) < trace->entries)
			break;
		e->ops->wait_word(e->host, (uint32_t *)&control->tail);
	}
	ring->record[head & (trace->entries - 1)] = *r;
	__atomic_store_n(&ring->head, head + 1, __ATOMIC_RELEASE);
}

void trace_begin(struct mon_engine *e, struct trace_open *t, const struct prescan_insn *insn, const uint8_t *bytes,
		 unsigned int how)
{
	const struct mon_vcpu *v = e->vcpu;
	struct plx_trace_record *r = &t->r;

	*r = (struct plx_trace_record){ .event = PLX_TRACE_INSN, .how = (uint8_t)how, .klass = insn->klass,
					.row = insn->id & (PLX_TRACE_ROWS - 1), .length = insn->length };
	memcpy(r->bytes, bytes, plx_min32(insn->length, sizeof(r->bytes)));
	fill_place(e, r);
	t->nr_mmio = e->vm->nr_mmio;
	switch (insn->klass) {
	case PRESCAN_PORT:
	case PRESCAN_STRING_PORT: {
		bool dx = insn->klass == PRESCAN_STRING_PORT || (insn->opcode & 8);
		bool out = insn->opcode & 2;
		uint32_t size = insn->opcode & 1 ? insn->opsize : 1;

		r->a = (dx ? v->gpr[X86_EDX] & 0xffff : insn->imm & 0xff) | size << 16 | (uint32_t)out << 24;
		if (insn->klass == PRESCAN_PORT)
			r->b = v->gpr[X86_EAX] & (size >= 4 ? ~0u : (1u << (8 * size)) - 1);
		else
			r->c = v->gpr[X86_ECX] & (insn->addrsize == 2 ? 0xffff : ~0u);
		break;
	}
	case PRESCAN_SYSTEM:
		if (insn->map == PRESCAN_MAP_0F && insn->opcode >= 0x20 && insn->opcode <= 0x23) {
			bool write = insn->opcode & 2, dr = insn->opcode & 1;

			r->a = insn->reg | (uint32_t)write << 8 | (uint32_t)dr << 9;
			r->b = dr ? v->dr[insn->reg & 7] : insn->reg == 0 ? v->cr0 : insn->reg == 2 ? v->cr2 :
			       insn->reg == 3 ? v->cr3 : v->cr4;
		} else if (insn->map == PRESCAN_MAP_0F && (insn->opcode == 0x30 || insn->opcode == 0x32)) {
			r->a = v->gpr[X86_ECX];
			r->b = v->gpr[X86_EAX];
			r->c = v->gpr[X86_EDX];
		}
		break;
	case PRESCAN_FLAGS:
		r->a = v->eflags;
		break;
	case PRESCAN_ID:
		r->a = v->gpr[X86_EAX];
		break;
	case PRESCAN_FAR:
		if (insn->map == PRESCAN_MAP_1B)
			r->c = insn->opcode == 0xcd ? insn->imm & 0xff : insn->opcode == 0xcc ? X86_VEC_BP :
			       insn->opcode == 0xce ? X86_VEC_OF : 0;
		break;
	default:
		break;
	}
}

/* Which register a segment load went to: MOV Sreg by ModRM, POP and LxS by the opcode. */
static unsigned int loaded_register(const struct prescan_insn *insn)
{
	if (insn->map == PRESCAN_MAP_1B) {
		switch (insn->opcode) {
		case 0x8e: return insn->reg < 6 ? insn->reg : X86_DS;
		case 0xc4: return X86_ES;
		case 0xc5: return X86_DS;
		default: return insn->opcode >> 3 & 3;	/* 07 17 1F */
		}
	}
	switch (insn->opcode) {
	case 0xb2: return X86_SS;
	case 0xb4: case 0xa1: return X86_FS;
	default: return X86_GS;				/* B5, A9 */
	}
}

void trace_end(struct mon_engine *e, struct trace_open *t, const struct prescan_insn *insn, enum mon_status st)
{
	const struct mon_vcpu *v = e->vcpu;
	struct plx_trace_record *r = &t->r;
	const struct plx_trace_control *control = e->trace->control;
	struct plx_trace_sums *sums = e->trace->sums;
	uint64_t cost = now(e) - r->tsc;
	struct plx_trace_sum *sum;

	r->cost = cost > UINT32_MAX ? UINT32_MAX : (uint32_t)cost;
	r->result = st == MON_FAULT ? 1 : st == MON_HALT ? 2 : 0;
	switch (insn->klass) {
	case PRESCAN_PORT: {
		uint32_t size = r->a >> 16 & 0xff;

		if (st == MON_FAULT)
			break;		/* refused: no device saw it */
		if (!(r->a >> 24))
			r->b = v->gpr[X86_EAX] & (size >= 4 ? ~0u : (1u << (8 * size)) - 1);
		r->how = PLX_TRACE_DEVICE;
		break;
	}
	case PRESCAN_STRING_PORT:
		if (insn->prefixes & (PRESCAN_PFX_REP | PRESCAN_PFX_REPNE))
			r->b = r->c - (v->gpr[X86_ECX] & (insn->addrsize == 2 ? 0xffff : ~0u));
		else
			r->b = st != MON_FAULT;
		if (r->b)
			r->how = PLX_TRACE_DEVICE;
		break;
	case PRESCAN_SEG_LOAD: {
		unsigned int sreg = loaded_register(insn);

		r->a = sreg | (uint32_t)v->seg[sreg].sel << 16;
		r->b = v->seg[sreg].base;
		r->c = v->seg[sreg].limit;
		break;
	}
	case PRESCAN_SYSTEM:
		if (insn->map == PRESCAN_MAP_0F && insn->opcode >= 0x20 && insn->opcode <= 0x23)
			r->c = insn->opcode & 1 ? v->dr[insn->reg & 7] : insn->reg == 0 ? v->cr0 : insn->reg == 2 ? v->cr2 :
			       insn->reg == 3 ? v->cr3 : v->cr4;
		else if (insn->map == PRESCAN_MAP_0F && insn->opcode == 0x32) {
			r->b = v->gpr[X86_EAX];
			r->c = v->gpr[X86_EDX];
		}
		break;
	case PRESCAN_FLAGS:
		r->b = v->eflags;
		break;
	case PRESCAN_ID:
		r->b = v->gpr[X86_EAX];
		r->c = v->gpr[X86_EDX];
		break;
	case PRESCAN_FAR:
		r->a = v->seg[X86_CS].sel;
		r->b = v->eip;
		break;
	case PRESCAN_PLAIN:
	case PRESCAN_FPU:
		if (e->vm->nr_mmio != t->nr_mmio) {
			r->a = e->vm->mmio_gpa;
			r->b = e->vm->mmio_value;
			r->c = e->vm->mmio_write;
			r->how = PLX_TRACE_DEVICE;
		}
		break;
	default:
		break;
	}
	sum = &sums->sum[r->row][r->how];
	sum->count++;
	sum->cost += r->cost;
	sums->klass[r->row] = r->klass;
	sums->event[PLX_TRACE_INSN].count++;
	sums->event[PLX_TRACE_INSN].cost += r->cost;
	if (e->site_at) {
		e->site_at->cost += r->cost;
		e->site_at->how = r->how;	/* the latest: the engine learns */
	}
	if (control->class_mask >> r->klass & control->cpl_mask >> r->cpl & 1)
		put(e, r);
}

/* At the place of @at, which was recorded. */
static void put_event(struct mon_engine *e, const struct plx_trace_record *at, unsigned int event, uint32_t a, uint32_t b, uint32_t c)
{
	struct plx_trace_record r = {
		.tsc = now(e), .eip = at->eip, .cs_base = at->cs_base, .cs = at->cs, .space = at->space, .cpl = at->cpl, .mode = at->mode,
		.event = (uint8_t)event, .a = a, .b = b, .c = c,
	};

	e->trace->sums->event[event].count++;
	if (e->trace->control->cpl_mask >> r.cpl & 1)
		put(e, &r);
}

void trace_event(struct mon_engine *e, unsigned int event, uint32_t a, uint32_t b, uint32_t c)
{
	const struct plx_trace *trace = e->trace;
	struct plx_trace_record r = { .event = (uint8_t)event, .a = a, .b = b, .c = c };

	trace->sums->event[event].count++;
	if (event == PLX_TRACE_FILL && !trace->control->fills)
		return;
	fill_place(e, &r);
	if (trace->control->cpl_mask >> r.cpl & 1)
		put(e, &r);
}

#define DR6_BS 0x4000u

enum mon_status trace_interpret(struct mon_engine *e, unsigned int how, enum mon_status (*run)(struct mon_vcpu *vcpu))
{
	struct mon_vcpu *v = e->vcpu;
	const uint64_t delivered = v->nr_delivered;
	uint8_t bytes[PRESCAN_INSN_MAX + 1];
	uint32_t nbytes = 0;
	struct prescan_insn insn;
	struct trace_open open = { .nr_mmio = 0 };
	enum mon_status st;
	/* An instruction that cannot be fetched or decoded shows as the exception that it raises. */
	bool known = mon_fetch(v, v->eip, bytes, &nbytes) == MON_OK &&
		     prescan_decode(bytes, nbytes, mon_code32(v) ? PRESCAN_MODE_32 : PRESCAN_MODE_16, &insn) == PRESCAN_OK;

	if (how == PLX_TRACE_INTERPRETER && known)
		sites_step(e, &insn, bytes);
	if (!tracing(e)) {
		uint64_t start = now(e);

		st = run(v);
		if (known)
			e->site_at->cost += now(e) - start;
		return st;
	}
	if (known)
		trace_begin(e, &open, &insn, bytes, how);
	else
		fill_place(e, &open.r);
	st = run(v);
	if (v->nr_delivered == delivered) {
		if (known)
			trace_end(e, &open, &insn, st);
		return st;
	}
	/* mon_step has delivered what the instruction raised: its state is the handler's already. A single-step trap comes after it. */
	if (known)
		trace_end(e, &open, &insn, v->fault.vector == X86_VEC_DB && (v->dr[6] & DR6_BS) ? st : MON_FAULT);
	put_event(e, &open.r, PLX_TRACE_EXCEPTION, v->fault.vector, v->fault.error, v->fault.address);
	return st;
}

/* ---- inline sequences that count themselves --------------------------------------------------------- */

_Static_assert(PLX_TRACE_INLINE_COUNTERS == NX_INLINE_COUNTERS, "include/plexus/trace.h and nexus/frame.h");

void trace_not_inline(struct mon_engine *e, const struct prescan_insn *insn)
{
	for (uint32_t i = 0; i < e->cache.ninline_rows; i++)
		if (e->cache.inline_row[i] == insn->id)
			e->trace->sums->called_out[i]++;
}

void trace_collect(struct mon_engine *e)
{
	static const uint32_t page[2] = { WINDOW_SCRATCH_PAGE, WINDOW_USER_SCRATCH };
	struct plx_trace_sums *t;
	uint32_t n;

	if (!e->trace || !e->cache.env.counted)
		return;
	t = e->trace->sums;
	n = __atomic_load_n(&e->cache.ninline_rows, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t row = e->cache.inline_row[i] & (PLX_TRACE_ROWS - 1);

		for (unsigned int user = 0; user < 2; user++) {
			const struct nexus_scratch_page *scratch = (const struct nexus_scratch_page *)(e->window_rw + page[user]);
			uint32_t now = __atomic_load_n(&scratch->inlined[i], __ATOMIC_RELAXED);

			t->inline_total[i] += now - t->inline_last[user][i];
			t->inline_last[user][i] = now;
		}
		t->klass[row] = e->cache.inline_class[i];
		t->sum[row][PLX_TRACE_INLINE].count = t->inline_total[i] - t->called_out[i];
	}
}
