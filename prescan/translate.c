/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/translate.c - guest bytes in, one fragment out.
 *
 *      guest code --> decode --> [translate] --> code cache --> nexus --> guest runs
 *
 * A fragment follows the guest's code from its first instruction through not-taken conditional branches to the first
 * instruction after which control cannot fall through, the page's end, or FRAG_MAX_INSNS.
 * Plain instructions are copied. Branches are relinked. What is sensitive becomes an inline sequence
 * (inline.c) or a callout: a far transfer through a 64-bit stub of its own into the monitor.
 *
 * Asked by:  monitor/run.c. Asks: decode.c, cache.c, inline.c. Never: touches guest memory.
 * Read next: prescan/inline.c, then monitor/exits.c.
 */
#include "monitor/window.h"
#include "plexus/x86.h"
#include "prescan/emit.h"

#define SAFE_DISPLACEMENT 0x1000000	/* see KEY_SAFE_GS: monitor/run.c promises this margin */

void emit_rec(struct emit *e, uint32_t guest_off, unsigned int kind)
{
	struct prescan_cache *c = e->c;
	uint16_t host_off = (uint16_t)(e->pos - e->f->body);
	struct frag_rec *rec = &c->recs[c->nrecs];

	if (e->after_sti)
		kind |= REC_STI_SHADOW;
	/* Two records at one place: the later one is right. */
	if (e->f->nrecs && rec[-1].host_off == host_off) {
		rec--;
	} else {
		c->nrecs++;
		e->f->nrecs++;
	}
	*rec = (struct frag_rec){ .host_off = host_off, .guest_off = (uint8_t)guest_off, .kind = (uint8_t)kind };
}

/* The 64-bit half of every way out: movl $site, %r8d; jmp *NX_EXIT_FN(%r15). Returns its window offset. */
static uint32_t cold_stub(struct prescan_cache *c, uint32_t site)
{
	uint8_t *at = c->rw + c->cold_next;
	uint32_t offset = c->cold_next;

	at[0] = 0x41;
	at[1] = 0xb8;
	memcpy(at + 2, &site, 4);
	at[6] = 0x41;
	at[7] = 0xff;
	at[8] = 0x67;
	at[9] = NX_EXIT_FN;
	c->cold_next += 10;
	return offset;
}

/* The 16/32-bit half for a branch that is not chained: a far jump to the stub behind it. */
static uint32_t cold_veneer(struct prescan_cache *c, bool d, uint32_t site)
{
	uint32_t offset = c->cold_next, target;
	uint8_t *at = c->rw + offset;

	if (!d)
		*at++ = 0x66;
	*at++ = 0xea;
	target = c->env.window + offset + (d ? 7 : 8);
	prescan_cache_place(c, (uint32_t)(at - c->rw), PLACE_STUB);
	memcpy(at, &target, 4);
	memcpy(at + 4, &c->env.cs64, 2);
	c->cold_next += d ? 7 : 8;
	cold_stub(c, site);
	return offset;
}

static uint32_t new_site(struct emit *e, enum site_kind kind, uint32_t eip)
{
	uint32_t site = e->c->nsites++;

	e->c->sites[site] = (struct site){ .kind = (uint8_t)kind, .frag = e->frag, .eip = eip, .main_off = e->pos };
	return site;
}

/* Emit the rel32 of a branch to @eip; the opcode is already there. Starts at a veneer. */
void emit_link(struct emit *e, uint32_t eip)
{
	struct prescan_cache *c = e->c;
	uint32_t site = new_site(e, SITE_LINK, eip);
	uint32_t link = c->nlinks++;
	uint32_t veneer = cold_veneer(c, e->d, site);

	c->sites[site].link = link;
	c->links[link] = (struct link){ .patch = e->pos, .veneer = veneer, .owner = e->frag };
	emit32(e, veneer - (e->pos + 4));
}

static void emit_jump_to(struct emit *e, uint32_t eip)
{
	emit_wide(e);
	emit8(e, 0xe9);
	emit_link(e, eip);
}

void emit_mark(struct emit *e, uint32_t off)
{
	struct prescan_cache *c = e->c;
	uint32_t site;

	if (!c->env.marked)
		return;
	emit_rec(e, off, REC_EXACT);
	emit_wide(e);
	emit8(e, 0xe9);
	site = new_site(e, SITE_MARK, e->req->eip + off);
	emit32(e, cold_veneer(c, e->d, site) - (e->pos + 4));
	c->sites[site].resume = e->pos;
}

static struct moving stub_at(const struct prescan_cache *c, uint32_t offset)
{
	return (struct moving){ c->env.window + offset, PLACE_STUB };
}

/*
 * A far call to 64-bit code pushes through all of RSP, whatever SS says. Its upper half is clean behind a load of ESP, unless a host
 * interrupt comes between: to a stack of 16 bits (SS.B = 0) IRET loads SP alone, and the rest of RSP stays that of Linux' espfix stack. A far
 * call to 32-bit code would push through SP there, into guest memory. So such a stack is left by a far jump, which pushes nothing.
 */
static bool by_farcall(const struct emit *e)
{
	const uint32_t need = KEY_FLAT | KEY_D | KEY_SS_B;

	return e->c->env.strategy == REWRITE_FARCALL && (e->req->key & need) == need;
}

uint32_t emit_callout(struct emit *e, const struct prescan_insn *insn, const uint8_t *bytes, uint32_t eip)
{
	struct prescan_cache *c = e->c;
	uint32_t off = eip - e->req->eip;
	uint32_t site = new_site(e, SITE_CALLOUT, eip);
	struct site *s = &c->sites[site];
	uint32_t stub;

	s->link = c->ninsns++;
	c->insns[s->link].insn = *insn;
	memcpy(c->insns[s->link].bytes, bytes, insn->length);
	s->klass = insn->klass;
	s->insn_len = insn->length;

	switch (c->env.strategy) {
	case REWRITE_INT3:
		emit8(e, 0xcc);
		emit32(e, site);		/* read by the monitor, never run */
		break;
	case REWRITE_GATE:
		emit8(e, 0xcc);
		emit32(e, site);		/* struct nexus_gate_site, read by the handler */
		emit8(e, e->gate_op);
		emit8(e, e->gate_arg);
		if (e->gate_op)
			s->inlined = SITE_INLINED;
		break;
	case REWRITE_FARCALL:
		stub = cold_stub(c, site);
		if (by_farcall(e)) {
			s->farcall = true;
			emit_store(e, X86_ESP, SCRATCH(e, esp));
			emit8(e, 0xbc);		/* mov $stack, %esp */
			emit_moving(e, at_scratch(e, offsetof(struct nexus_scratch_page, stack) +
						  sizeof(((struct nexus_scratch_page *)0)->stack)));
			emit_rec(e, off, REC_ESP);
			emit8(e, 0x9a);		/* lcall */
		} else {
			emit_wide(e);
			emit8(e, 0xea);
		}
		emit_moving(e, stub_at(c, stub));
		emit16(e, c->env.cs64);
		break;
	case REWRITE_ADAPTIVE:
		stub = cold_stub(c, site);
		emit_wide(e);
		emit8(e, 0xea);
		emit_moving(e, stub_at(c, stub));
		emit16(e, c->env.cs64);
		break;
	}
	s->resume = e->pos;
	return site;
}

uint32_t prescan_branch_target(const struct prescan_insn *insn, uint32_t eip)
{
	uint32_t target = eip + insn->length + insn->imm;

	return insn->opsize == 2 ? target & 0xffff : target;
}

/* BT, BTS, BTR, BTC m,r: the bit's number moves the address by up to 256 MiB. */
static bool is_bit_string(const struct prescan_insn *insn)
{
	return insn->map == PRESCAN_MAP_0F && (insn->opcode & 0xe7) == 0xa3;
}

/* A data access that the segment limit alone does not keep out of supervisor pages. */
static bool must_check_segment(const struct emit *e, const struct prescan_insn *insn)
{
	uint32_t key = e->req->key;
	uint32_t guard = insn->seg == X86_FS ? KEY_GUARD_FS : insn->seg == X86_GS ? KEY_GUARD_GS : 0;
	uint32_t safe = insn->seg == X86_FS ? KEY_SAFE_FS : KEY_SAFE_GS;

	if (insn->seg == X86_CS)
		guard = insn->addrsize == 2 ? KEY_GUARD_CS16 : KEY_GUARD_CS;
	if (!(key & guard) || (insn->flags & PRESCAN_F_AGEN))
		return false;
	if (!(insn->flags & PRESCAN_F_MEM))	/* string source, XLAT; before a branch it is a hint */
		return (insn->prefixes & PRESCAN_PFX_SEG) && insn->klass != PRESCAN_BRANCH;
	return insn->seg == X86_CS || is_bit_string(insn) || !(key & safe) || insn->base != PRESCAN_NO_REG || insn->index != PRESCAN_NO_REG ||
	       insn->addrsize != 4 || insn->disp < -SAFE_DISPLACEMENT || insn->disp > SAFE_DISPLACEMENT;
}

static bool fpu_as_is(const struct emit *e, const struct prescan_insn *insn)
{
	uint32_t key = e->req->key;

	if (insn->flags & PRESCAN_F_AVX)
		return false;			/* not offered in CPUID */
	if (insn->map == PRESCAN_MAP_1B && insn->opcode == 0x9b)
		return key & KEY_FWAIT;
	if (insn->flags & PRESCAN_F_SSE)
		return key & KEY_SSE;
	return key & KEY_FPU;
}

/* Near control flow. False: no way to do it here, make it a callout. Sets *ends. */
static bool emit_branch(struct emit *e, const struct prescan_insn *insn, const uint8_t *bytes, uint32_t eip, bool *ends)
{
	uint32_t off = eip - e->req->eip;
	uint32_t next = eip + insn->length;
	uint32_t target;
	uint8_t op = insn->opcode;

	*ends = true;
	if (!e->d && insn->opsize == 2)
		next &= 0xffff;
	if (insn->map == PRESCAN_MAP_0F || (op & 0xf0) == 0x70) {		/* Jcc */
		emit_rec(e, off, REC_EXACT);
		emit_wide(e);
		emit8(e, 0x0f);
		emit8(e, 0x80 | (op & 15));
		emit_link(e, prescan_branch_target(insn, eip));
		*ends = false;
		return true;
	}
	switch (op) {
	case 0xe9:
	case 0xeb:
		emit_rec(e, off, REC_EXACT);
		emit_jump_to(e, prescan_branch_target(insn, eip));
		return true;
	case 0xe8:
		target = prescan_branch_target(insn, eip);
		emit_rec(e, off, REC_EXACT);
		if (insn->opsize == 2) {
			if (e->d)
				emit8(e, 0x66);
			emit8(e, 0x68);
			emit16(e, (uint16_t)next);
		} else {
			emit_wide(e);
			emit8(e, 0x68);
			emit32(e, next);
		}
		emit_rec(e, off, REC_BRANCH);
		emit_jump_to(e, target);
		return true;
	case 0xe0: case 0xe1: case 0xe2: case 0xe3:		/* LOOPNE LOOPE LOOP JECXZ */
		target = prescan_branch_target(insn, eip);
		emit_rec(e, off, REC_EXACT);
		emit_wide(e);
		if (insn->prefixes & PRESCAN_PFX_ADDRSIZE)
			emit8(e, 0x67);
		emit8(e, op);
		emit8(e, e->d ? 2 : 3);
		emit_rec(e, off + insn->length, REC_EXACT);	/* not taken: all is done */
		emit_wide(e);
		emit8(e, 0xeb);
		emit8(e, e->d ? 5 : 6);
		emit_rec(e, off, REC_BRANCH);
		emit_jump_to(e, target);
		*ends = false;
		return true;
	case 0xc2:
	case 0xc3:
		return emit_inline_ret(e, insn, off);
	case 0xff:
		return emit_inline_indirect(e, insn, bytes, off, next);
	}
	return false;
}

/* After these the mode, the mapping of code, or EIP is something else. */
static bool callout_ends(const struct prescan_insn *insn)
{
	if (insn->flags & PRESCAN_F_END)
		return true;
	switch (insn->klass) {
	case PRESCAN_FAR:
	case PRESCAN_UD:
	case PRESCAN_REFUSE:
		return true;
	case PRESCAN_SYSTEM:
		return insn->map == PRESCAN_MAP_0F && insn->opcode == 0x22;	/* MOV CRn, r32 */
	default:
		return false;
	}
}

/* Inline FLAGS or SEG_STORE. While tracing (or with no counter left) the sequence is taken back: *would says that there is one. */
static bool try_inline(struct emit *e, const struct prescan_insn *insn, const uint8_t *bytes, uint32_t off, bool *would)
{
	struct prescan_cache *c = e->c;
	const struct emit before = *e;
	const struct frag frag = *e->f;
	const uint32_t nrecs = c->nrecs, nsites = c->nsites, nlinks = c->nlinks, ninsns = c->ninsns, cold = c->cold_next;
	const uint32_t nplaces = c->nplaces;
	bool done, counted = !c->env.counted || emit_inline_count(e, insn, off);

	done = insn->klass == PRESCAN_FLAGS ? emit_inline_flags(e, insn, bytes, off) : emit_inline_seg_store(e, insn, off);
	if (done && counted && !c->env.traced) {
		for (uint32_t i = nsites; i < c->nsites; i++)
			c->sites[i].inlined = c->env.counted ? SITE_INLINE_COUNTED : SITE_INLINED;
		return true;
	}
	if (!c->env.traced && !c->env.counted)
		return false;			/* nothing was emitted */
	*would = done;
	*e = before;
	*e->f = frag;
	c->nrecs = nrecs;
	c->nsites = nsites;
	c->nlinks = nlinks;
	c->ninsns = ninsns;
	c->cold_next = cold;
	c->nplaces = nplaces;
	return false;
}

/* One instruction. Returns true if the fragment ends with it. */
static bool translate_one(struct emit *e, const struct prescan_insn *insn, const uint8_t *bytes, uint32_t eip)
{
	struct prescan_cache *c = e->c;
	uint32_t off = eip - e->req->eip, site;
	bool ends = false, done = false, would_inline = false;

	if (!(c->env.is_callout && c->env.is_callout(c->env.owner, eip + e->req->cs_base)) &&
	    !must_check_segment(e, insn)) {
		switch (insn->klass) {
		case PRESCAN_PLAIN:
			done = true;
			break;
		case PRESCAN_FPU:
			done = fpu_as_is(e, insn);
			break;
		case PRESCAN_ID:
			done = insn->map == PRESCAN_MAP_0F && insn->opcode == 0x31 && (e->req->key & KEY_TSC);
			break;
		case PRESCAN_BRANCH:
			if (emit_branch(e, insn, bytes, eip, &ends))
				return ends;
			break;
		case PRESCAN_FLAGS:
		case PRESCAN_SEG_STORE:
			if (try_inline(e, insn, bytes, off, &would_inline))
				return false;
			if (c->env.strategy == REWRITE_GATE && !c->env.traced && !c->env.counted)
				emit_gate_op(e, insn);
			break;
		default:
			break;
		}
	}
	emit_rec(e, off, REC_EXACT);
	if (done) {
		emit_bytes(e, bytes, insn->length);
		return false;
	}
	site = emit_callout(e, insn, bytes, eip);
	if (would_inline)
		c->sites[site].inlined = SITE_WOULD_INLINE;
	/* Done in ring 3, the next instruction stands in its shadow; called out, the monitor sees to it. */
	if (e->gate_op == GATE_STI)
		e->after_sti = true;
	e->gate_op = e->gate_arg = GATE_LEAVE;
	ends = callout_ends(insn);
	if (ends)
		c->sites[site].resume = 0;
	return ends;
}

static bool has_room(const struct prescan_cache *c)
{
	return c->nfrags + 1 < CACHE_MAX_FRAGS && c->nrecs + FRAG_MAX_RECS < CACHE_MAX_RECS &&
	       c->nsites + 2 * FRAG_MAX_INSNS + 4 < CACHE_MAX_SITES &&
	       c->nlinks + FRAG_MAX_INSNS + 4 < CACHE_MAX_LINKS &&
	       c->ninsns + FRAG_MAX_INSNS + 4 < CACHE_MAX_CALLOUTS && c->nplaces + FRAG_MAX_PLACES < CACHE_MAX_PLACES &&
	       c->code_next + FRAG_MAIN_MAX < WINDOW_COLD && c->cold_next + FRAG_COLD_MAX < WINDOW_BYTES;
}

/* The two places where indirect branches land that the table cannot serve; made anew after a flush. */
static void make_miss_veneers(struct prescan_cache *c)
{
	for (unsigned int user = 0; user < 2; user++) {
		c->sites[1 + user] = (struct site){ .kind = SITE_MISS };
		c->miss_veneer[user] = cold_veneer(c, true, 1 + user);
		c->jump_log_full[user] = true;
		prescan_cache_jump_clear(c, user);
	}
}

uint32_t prescan_translate(struct prescan_cache *c, const struct prescan_request *req)
{
	struct emit e = { .c = c, .req = req, .d = req->key & KEY_D };
	struct prescan_insn insn;
	uint32_t eip = req->eip, off = 0, page2 = 0, count_at, ninsns;
	bool ended = false;

	if (!has_room(c))
		return 0;
	if (c->cold_next == WINDOW_COLD)
		make_miss_veneers(c);

	e.frag = c->nfrags++;
	e.f = &c->frags[e.frag];
	*e.f = (struct frag){ .eip = req->eip, .cs_base = req->cs_base, .key = req->key, .recs = c->nrecs };
	e.pos = c->code_next;
	if ((req->key & (KEY_D | KEY_SS_B | KEY_FLAT)) == (KEY_D | KEY_SS_B | KEY_FLAT))
		emit_prologue(&e, req->eip);
	e.f->body = e.pos;
	count_at = emit_count(&e);

	while (!ended) {
		enum prescan_status st;
		bool was_sti = e.after_sti;

		st = prescan_decode(req->bytes + off, req->nbytes - off, req->key & KEY_D ? PRESCAN_MODE_32 : PRESCAN_MODE_16,
				    &insn);
		if (e.f->ninsns && !was_sti &&
		    (st != PRESCAN_OK || off + insn.length > req->limit_bytes || e.f->ninsns >= FRAG_MAX_INSNS ||
		     off + insn.length > req->nbytes_page || off + insn.length > FRAG_MAX_GUEST))
			break;
		if (st != PRESCAN_OK) {
			/* The monitor raises what is due: #UD, #GP, or the fetch's own fault. */
			insn = (struct prescan_insn){ .klass = PRESCAN_REFUSE, .length = 1, .flags = PRESCAN_F_END };
			emit_rec(&e, off, REC_EXACT);
			/* Behind an STI that was the last of the bytes there is nothing to keep a copy of. */
			c->sites[emit_callout(&e, &insn, off < req->nbytes ? req->bytes + off : req->bytes, eip)].resume = 0;
			c->insns[c->ninsns - 1].insn.length = 0;	/* "fetch it again" */
			ended = true;
		} else {
			if (off + insn.length > req->nbytes_page)
				page2 = req->page2;
			ended = translate_one(&e, &insn, req->bytes + off, eip);
		}
		if (was_sti)
			e.after_sti = false;	/* a second STI finds IF set: it holds nothing back */
		e.f->ninsns++;
		off += insn.length;
		eip += insn.length;
		/* Counting wants fragments that are run to their end. */
		if (page2 || (count_at && insn.klass == PRESCAN_BRANCH && !e.after_sti))
			break;
	}
	ninsns = e.f->ninsns;
	if (count_at)
		memcpy(c->rw + count_at, &ninsns, 4);
	if (!ended) {
		emit_rec(&e, off, REC_EXACT);
		emit_jump_to(&e, eip);
	}

	e.f->guest_bytes = (uint8_t)off;
	e.f->host_bytes = (uint16_t)(e.pos - e.f->body);
	e.f->code_page = req->page;
	c->code_next = (e.pos + 15) & ~15u;
	c->stat_insns += e.f->ninsns;
	c->stat_bytes += off;
	c->stat_emitted += e.f->host_bytes;

	uint32_t h = prescan_cache_hash(eip - off + req->cs_base, req->key);

	e.f->hash_next = c->hash[h];
	c->hash[h] = e.frag;
	e.f->page_next = c->pages[req->page].frags;
	c->pages[req->page].frags = e.frag;
	if (page2) {
		e.f->code_page2 = page2;
		e.f->page2_next = c->pages[page2].frags2;
		c->pages[page2].frags2 = e.frag;
	}
	return e.frag;
}
