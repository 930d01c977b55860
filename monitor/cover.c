/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/cover.c - which guest instructions were reached: a translated one is not yet a run one.
 *
 * A fragment is a straight line with ways out, and is entered at its first instruction or behind a callout of its own. So whoever leaves it
 * at some place has run everything before that place. And every way out is seen here the first time it is taken:
 *
 *      direct branch      its chain is made by the monitor, so until then it leaves
 *      indirect branch    has a mark before it (env.marked): a jump that leaves once, and is then cut short
 *      callout            always leaves
 *      fault, kick        stops before an instruction, which exits_locate names
 *
 * That is exact and costs guest code a jump to the next instruction at each indirect branch. Ways out that were told once stay silent.
 *
 * Asked by:  run.c, exits.c, fragments.c, while e->cover is set. Asks: decode.c. Never: changes anything of the guest. Built: twice.
 * Tested by: tests/unit/test_coverage_engine.c, tests/guests/run-coverage.
 */
#include "monitor/cover.h"
#include "monitor/trace.h"
#include "prescan/emit.h"

/* ---- the table -------------------------------------------------------------------------------------- */

/* Instructions that stand side by side have heads side by side: a fragment's are in the cache together. */
struct cover *cover_start(struct mon_engine *e, engine_alloc_fn *alloc, void *arg)
{
	struct cover *c = alloc(arg, sizeof(*c));

	if (!c)
		return NULL;
	/* Sparse, as a host's memory is: what is not used costs nothing. */
	c->all = alloc(arg, PLX_COVER_BYTES);
	c->hash = alloc(arg, COVER_HASH * sizeof(*c->hash));
	c->slot = alloc(arg, (uint64_t)COVER_MAX_SLOTS * sizeof(*c->slot));
	c->frag = alloc(arg, (uint64_t)CACHE_MAX_FRAGS * sizeof(*c->frag));
	c->site = alloc(arg, (uint64_t)CACHE_MAX_SITES * sizeof(*c->site));
	if (!c->all || !c->hash || !c->slot || !c->frag || !c->site)
		return NULL;
	c->all->ninsns = 1;
	e->cover = c;
	e->cache.env.marked = true;
	prescan_cache_flush(&e->cache);
	c->flushes = e->cache.stat_flushes;
	return c;
}

static uint32_t hash_of(uint32_t linear, uint32_t gpa)
{
	uint32_t page = (linear >> PLX_PAGE_SHIFT) * 0x9e3779b1u ^ (gpa >> PLX_PAGE_SHIFT) * 0x85ebca6bu;

	return ((page ^ page >> 15) + (linear & PLX_PAGE_MASK)) & (COVER_HASH - 1);
}

/* The entry of this instruction, made if need be; 0: the table is full. */
static uint32_t entry(struct cover *c, uint32_t linear, uint32_t gpa, const uint8_t *bytes, uint32_t length, bool code32)
{
	uint32_t *head = &c->hash[hash_of(linear, gpa)];
	struct plx_cover_insn *insn;
	uint32_t i;

	for (i = *head; i; i = insn->next) {
		insn = &c->all->insn[i];
		if (insn->linear == linear && insn->gpa == gpa && insn->length == length && insn->code32 == code32 &&
		    !memcmp(insn->bytes, bytes, length))
			return i;
	}
	if (c->all->ninsns == PLX_COVER_MAX_INSNS) {
		c->all->lost++;
		return 0;
	}
	i = c->all->ninsns++;
	insn = &c->all->insn[i];
	*insn = (struct plx_cover_insn){ .linear = linear, .gpa = gpa, .length = (uint8_t)length, .code32 = code32, .next = *head };
	memcpy(insn->bytes, bytes, length);
	*head = i;
	return i;
}

/* ---- fragments -------------------------------------------------------------------------------------- */

/* What the translator does with an instruction that has no callout. */
static uint8_t planned(const struct prescan_insn *insn, uint32_t key)
{
	if (insn->klass != PRESCAN_FLAGS && insn->klass != PRESCAN_SEG_STORE)
		return PLX_COVER_NATIVE;
	if (insn->opcode == 0x9c && (key & KEY_CPL3))	/* PUSHF as it stands: KEY_USER_IF */
		return PLX_COVER_NATIVE;
	return PLX_COVER_INLINED;
}

/* How many of the fragment's slots stand before @off. */
static uint32_t slots_before(const struct cover *c, const struct cover_frag *f, uint32_t off)
{
	uint32_t n = 0;

	while (n < f->nslots && c->slot[f->first + n].off < off)
		n++;
	return n;
}

static void enter_site(struct mon_engine *e, const struct cover_frag *cf, const struct frag *f, uint32_t site)
{
	const struct site *s = &e->cache.sites[site];
	struct cover *c = e->cover;
	struct cover_site *to = &c->site[site];
	bool callout = s->kind == SITE_CALLOUT;
	uint32_t off = s->eip - f->eip, n;

	if (s->kind == SITE_LINK)	/* its EIP is where it goes to */
		off = prescan_cache_rec(&e->cache, f, s->main_off - f->body)->guest_off;
	n = slots_before(c, cf, off);
	*to = (struct cover_site){ .end = cf->first + n };
	if (n == cf->nslots || (callout && !e->cache.insns[s->link].insn.length))
		return;
	if (!callout) {
		to->end++;
		return;
	}
	to->insn = c->slot[cf->first + n].insn;
	if (s->inlined != SITE_INLINED && s->inlined != SITE_INLINE_COUNTED)
		c->slot[cf->first + n].how = PLX_COVER_NEXUS;
}

void cover_fragment(struct mon_engine *e, uint32_t frag, const struct prescan_request *req, uint32_t gpa, uint32_t gpa2)
{
	const struct frag *f = &e->cache.frags[frag];
	struct cover *c = e->cover;
	struct cover_frag *cf = &c->frag[frag];
	uint32_t off = 0, linear = f->eip + f->cs_base, site = e->cache.nsites;
	struct prescan_insn insn;
	bool full = false;

	if (c->flushes != e->cache.stat_flushes) {
		c->flushes = e->cache.stat_flushes;
		c->nslots = 0;
	}
	*cf = (struct cover_frag){ .first = c->nslots };
	if (c->nslots + FRAG_MAX_INSNS > COVER_MAX_SLOTS) {
		full = true;
		c->all->lost += f->ninsns;
	}
	/* What does not decode ends the fragment with a callout that fetches it again. */
	while (!full && off < f->guest_bytes && cf->nslots < FRAG_MAX_INSNS &&
	       prescan_decode(req->bytes + off, req->nbytes - off, f->key & KEY_D ? PRESCAN_MODE_32 : PRESCAN_MODE_16, &insn) == PRESCAN_OK) {
		uint32_t in_page = (linear & PLX_PAGE_MASK) + off;
		uint32_t at = in_page < PLX_PAGE_SIZE ? gpa + off : (gpa2 & ~PLX_PAGE_MASK) + in_page - PLX_PAGE_SIZE;

		c->slot[c->nslots++] = (struct cover_slot){
			.insn = entry(c, linear + off, at, req->bytes + off, insn.length, f->key & KEY_D),
			.off = (uint8_t)off, .how = planned(&insn, f->key),
		};
		cf->nslots++;
		off += insn.length;
	}
	while (site > 3 && e->cache.sites[site - 1].frag == frag)
		enter_site(e, cf, f, --site);
}

static void ran(struct mon_engine *e, uint32_t insn, unsigned int how)
{
	struct plx_cover_insn *i = &e->cover->all->insn[insn];	/* entry 0 takes what found no room */

	i->how |= (uint8_t)how;
	i->cpls |= (uint8_t)(1u << e->vcpu->cpl);
}

static void ran_slots(struct mon_engine *e, uint32_t frag, uint32_t end)
{
	for (uint32_t i = e->cover->frag[frag].first; i < end; i++)
		ran(e, e->cover->slot[i].insn, e->cover->slot[i].how);
}

void cover_site(struct mon_engine *e, uint32_t site)
{
	struct cover *c = e->cover;
	struct cover_site *s = &c->site[site];

	c->at = s->insn;
	if (s->insn)
		c->all->insn[s->insn].callouts++;
	if (s->told)
		return;
	s->told = true;
	ran_slots(e, e->cache.sites[site].frag, s->end);
	if (s->insn)
		ran(e, s->insn, PLX_COVER_NEXUS);
}

void cover_stopped(struct mon_engine *e, uint32_t frag, uint32_t off, bool done)
{
	struct cover *c = e->cover;
	const struct cover_frag *f = &c->frag[frag];
	uint32_t n = slots_before(c, f, off + done);

	ran_slots(e, frag, f->first + n);
	c->at = !done && n < f->nslots && c->slot[f->first + n].off == off ? c->slot[f->first + n].insn : 0;
}

void cover_raised(struct mon_engine *e)
{
	struct cover *c = e->cover;
	struct plx_cover_insn *insn = &c->all->insn[c->at];

	if (!c->at)
		return;
	/* A callout has said how; what faults natively was begun, if not ended. */
	ran(e, c->at, PLX_COVER_RAISED | (insn->how & PLX_COVER_NEXUS ? 0 : PLX_COVER_NATIVE));
	insn->raised++;
	c->at = 0;
}

/* ---- the interpreter -------------------------------------------------------------------------------- */

/* The entry of the instruction at CS:EIP, without any effect that the guest could see. 0: none, or not in RAM or ROM. */
static uint32_t entry_here(struct mon_engine *e)
{
	struct mon_vcpu *v = e->vcpu;
	uint32_t linear = v->eip + v->seg[X86_CS].base, limit = v->seg[X86_CS].limit, gpa;
	uint32_t room = PLX_PAGE_SIZE - (linear & PLX_PAGE_MASK), nbytes;
	uint8_t bytes[PRESCAN_INSN_MAX];
	struct prescan_insn insn;
	struct mon_xlate x;
	const uint8_t *host;

	if (v->eip > limit || mon_translate(v, linear, MON_ACC_EXEC | MON_ACC_PEEK, &x) != MON_OK)
		return 0;
	host = mon_phys_ptr(e->vm, x.gpa);
	if (!host)
		return 0;
	gpa = x.gpa;
	nbytes = plx_min32(room, PRESCAN_INSN_MAX);
	memcpy(bytes, host, nbytes);
	if (nbytes < PRESCAN_INSN_MAX && mon_translate(v, linear + room, MON_ACC_EXEC | MON_ACC_PEEK, &x) == MON_OK) {
		host = mon_phys_ptr(e->vm, x.gpa);
		if (host) {
			memcpy(bytes + nbytes, host, PRESCAN_INSN_MAX - nbytes);
			nbytes = PRESCAN_INSN_MAX;
		}
	}
	if (limit - v->eip < nbytes - 1)
		nbytes = limit - v->eip + 1;
	if (prescan_decode(bytes, nbytes, mon_code32(v) ? PRESCAN_MODE_32 : PRESCAN_MODE_16, &insn) != PRESCAN_OK)
		return 0;
	return entry(e->cover, linear, gpa, bytes, insn.length, mon_code32(v));
}

enum mon_status cover_interpret(struct mon_engine *e, unsigned int trace, enum mon_status (*run)(struct mon_vcpu *vcpu))
{
	struct mon_vcpu *v = e->vcpu;
	const uint64_t interpreted = v->nr_interpreted, delivered = v->nr_delivered;
	const uint8_t cpls = (uint8_t)(1u << v->cpl);
	uint32_t index = entry_here(e);
	struct plx_cover_insn *insn = &e->cover->all->insn[index];
	enum mon_status st;

	e->cover->at = 0;
	st = tracing(e) && trace != COVER_NO_TRACE ? trace_interpret(e, trace, run) : run(v);
	if (!index || v->nr_interpreted == interpreted)	/* a breakpoint, or the fetch, came before it */
		return st;
	insn->how |= PLX_COVER_INTERPRETED;
	insn->cpls |= cpls;
	insn->interpreted++;
	/* A single step's trap is not the instruction's own. */
	if (st == MON_FAULT || (v->nr_delivered != delivered && v->fault.vector != X86_VEC_DB)) {
		insn->how |= PLX_COVER_RAISED;
		insn->raised++;
	}
	return st;
}
