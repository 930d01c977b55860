/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/fuzz/fuzz_translate.c - guest code into a fragment, and is the fragment what it must be?
 *
 * Input: 8 bytes of mode (key, strategy, eip), then guest code. Checked of what prescan_translate() leaves behind:
 *   - every emitted byte belongs to an instruction that may run at ring 3: plain, FPU if the mode allows it, branches that stay in
 *     the fragment or go to a veneer of its own, far transfers to the 64-bit selector, and the few that inline sequences use;
 *   - records ascend, stand at instructions on both sides, and cover the fragment from its first byte;
 *   - sites, links, page and hash lists are in the tables' bounds and lead back to the fragment.
 */
#include <string.h>
#include <sys/mman.h>

#include "monitor/window.h"
#include "plexus/x86.h"
#include "prescan/emit.h"
#include "tests/fuzz/fuzz.h"

#define HEAD 8

/* Where everything stood before the translation under test. */
struct mark {
	uint32_t nfrags, nrecs, nsites, nlinks, ninsns, nplaces, code_next, cold_next;
};

static void *zeroes(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	FUZZ_REQUIRE(p != MAP_FAILED, "no memory");
	return p;
}

/* Some sites faulted too often; which ones is arbitrary but fixed. */
static bool is_callout(void *owner, uint32_t linear)
{
	return *(const uint8_t *)owner && !((linear * 0x9e3779b1u) >> 29);
}

static struct prescan_cache *new_cache(void)
{
	struct prescan_cache *c = zeroes(sizeof(*c));

	c->rw = zeroes(WINDOW_BYTES);
	c->frags = zeroes(CACHE_MAX_FRAGS * sizeof(*c->frags));
	c->recs = zeroes(CACHE_MAX_RECS * sizeof(*c->recs));
	c->sites = zeroes(CACHE_MAX_SITES * sizeof(*c->sites));
	c->links = zeroes(CACHE_MAX_LINKS * sizeof(*c->links));
	c->pages = zeroes(CACHE_MAX_PAGES * sizeof(*c->pages));
	c->insns = zeroes(CACHE_MAX_CALLOUTS * sizeof(*c->insns));
	c->hash = zeroes(CACHE_HASH * sizeof(*c->hash));
	c->active_page = zeroes((1u << 20) * sizeof(uint32_t));
	c->gfn_page = zeroes((1u << 20) * sizeof(uint32_t));
	c->active = zeroes(CACHE_MAX_PAGES * sizeof(uint32_t));
	c->places = zeroes(CACHE_MAX_PLACES * sizeof(uint32_t));
	for (unsigned int user = 0; user < 2; user++) {
		c->jump_log[user] = zeroes(CACHE_MAX_JUMP_LOG * sizeof(uint16_t));
		c->jump_frag[user] = zeroes(0x10000 * sizeof(uint32_t));
	}
	prescan_cache_init(c);
	return c;
}

/* One look at emitted main code. */
struct reader {
	const struct prescan_cache *c;
	const struct frag *f;
	uint32_t key, strategy, end;	/* @end: window offset behind the body */
	const struct mark *mark;
	uint8_t starts[FRAG_MAIN_MAX];	/* 1: an instruction begins at that offset from the body */
};

static bool site_at(const struct reader *r, uint32_t offset)
{
	for (uint32_t s = r->mark->nsites; s < r->c->nsites; s++)
		if (r->c->sites[s].main_off == offset && r->c->sites[s].kind == SITE_CALLOUT)
			return true;
	return false;
}

static void branch_stays(const struct reader *r, uint32_t from, const struct prescan_insn *d)
{
	uint32_t target = from + d->length + d->imm;

	if (target >= r->f->body && target < r->end)
		return;			/* its start is checked when all starts are known */
	FUZZ_REQUIRE(target >= r->mark->cold_next && target < r->c->cold_next, "a jump out of the fragment, to %x", target);
	FUZZ_REQUIRE(d->imm_size == 4, "a short jump to a veneer");
}

static bool may_run(const struct reader *r, uint32_t at, const struct prescan_insn *d)
{
	bool one_byte = d->map == PRESCAN_MAP_1B;
	uint32_t key = r->key;

	switch (d->klass) {
	case PRESCAN_PLAIN:
		return true;
	case PRESCAN_FPU:
		if (one_byte && d->opcode == 0x9b)
			return key & KEY_FWAIT;
		if (d->flags & PRESCAN_F_AVX)
			return false;
		return key & (d->flags & PRESCAN_F_SSE ? KEY_SSE : KEY_FPU);
	case PRESCAN_BRANCH:
		if (one_byte && d->opcode == 0xff)	/* jmp *%cs:table(,%ecx,4) */
			return d->reg == 4 && d->seg == X86_CS && d->index == X86_ECX && d->base == PRESCAN_NO_REG &&
			       (uint32_t)d->disp == r->c->env.window + WINDOW_JUMP_TABLE +
						    (key & KEY_CPL3 ? WINDOW_JUMP_BYTES : 0);
		if (one_byte && (d->opcode == 0xe8 || d->opcode == 0xc2 || d->opcode == 0xc3))
			return false;
		branch_stays(r, at, d);
		return true;
	case PRESCAN_FAR:
		if (one_byte && d->opcode == 0xcc)
			return (r->strategy == REWRITE_INT3 || r->strategy == REWRITE_GATE) && site_at(r, at);
		if (!one_byte || (d->opcode != 0xea && d->opcode != 0x9a) || d->imm2 != r->c->env.cs64)
			return false;
		return d->imm - r->c->env.window >= r->mark->cold_next && d->imm - r->c->env.window < r->c->cold_next;
	case PRESCAN_FLAGS:
		return one_byte && (d->opcode == 0x9c || d->opcode == 0x9d) && d->opsize == 4 && (key & KEY_PLAIN_FLAGS) &&
		       r->strategy == REWRITE_ADAPTIVE;
	case PRESCAN_ID:
		return d->map == PRESCAN_MAP_0F && d->opcode == 0x31 && (key & KEY_TSC);
	default:
		return false;
	}
}

static void read_main(struct reader *r)
{
	enum prescan_mode mode = r->key & KEY_D ? PRESCAN_MODE_32 : PRESCAN_MODE_16;
	uint32_t at = r->f->body;
	struct prescan_insn d;

	while (at < r->end) {
		enum prescan_status status = prescan_decode(r->c->rw + at, r->end - at, mode, &d);

		FUZZ_REQUIRE(status == PRESCAN_OK, "emitted code does not decode at +%u: status %d", at - r->f->body, status);
		r->starts[at - r->f->body] = 1;
		FUZZ_REQUIRE(may_run(r, at, &d), "emitted code holds %s (%s) at +%u", prescan_mnemonic(&d),
			     prescan_class_name(d.klass), at - r->f->body);
		at += d.length;
		if (d.map == PRESCAN_MAP_1B && d.opcode == 0xcc) {
			FUZZ_REQUIRE(r->strategy != REWRITE_GATE || r->c->rw[at + GATE_SITE_OP] < GATE_OPS, "op %u",
				     r->c->rw[at + GATE_SITE_OP]);
			at += r->strategy == REWRITE_GATE ? GATE_SITE_BYTES : 4;	/* data: never run */
		}
	}
	FUZZ_REQUIRE(at == r->end, "the last instruction reaches out of the fragment");
	for (at = r->f->body; at < r->end; at++) {
		uint32_t target;

		if (!r->starts[at - r->f->body])
			continue;
		prescan_decode(r->c->rw + at, r->end - at, mode, &d);
		if (d.klass != PRESCAN_BRANCH || (d.map == PRESCAN_MAP_1B && d.opcode == 0xff))
			continue;
		target = at + d.length + d.imm;
		if (target >= r->f->body && target < r->end)
			FUZZ_REQUIRE(r->starts[target - r->f->body], "a jump into the middle of an instruction");
	}
}

static void records_fit(const struct reader *r, const uint8_t *guest_starts)
{
	const struct frag_rec *rec = &r->c->recs[r->f->recs];

	FUZZ_REQUIRE(r->f->nrecs, "no record");
	FUZZ_REQUIRE(rec->host_off == 0 && rec->guest_off == 0, "the first record is not at the beginning");
	for (uint32_t i = 0; i < r->f->nrecs; i++) {
		FUZZ_REQUIRE(!i || rec[i].host_off > rec[i - 1].host_off, "records do not ascend");
		FUZZ_REQUIRE(rec[i].host_off < r->f->host_bytes && r->starts[rec[i].host_off], "a record between instructions: +%u",
			     rec[i].host_off);
		FUZZ_REQUIRE(rec[i].guest_off <= r->f->guest_bytes && guest_starts[rec[i].guest_off],
			     "a record between guest instructions: +%u", rec[i].guest_off);
		FUZZ_REQUIRE((rec[i].kind & ~(REC_RESTART | REC_STI_SHADOW)) <= REC_INDIRECT, "record kind %u", rec[i].kind);
	}
	FUZZ_REQUIRE(r->f->recs + r->f->nrecs == r->c->nrecs, "records of nobody");
}

static void sites_fit(const struct reader *r, const struct prescan_request *req)
{
	const struct prescan_cache *c = r->c;
	uint32_t frag = (uint32_t)(r->f - c->frags);

	for (uint32_t s = r->mark->nsites; s < c->nsites; s++) {
		const struct site *site = &c->sites[s];

		FUZZ_REQUIRE(site->frag == frag, "a site of another fragment");
		FUZZ_REQUIRE(site->main_off >= r->f->body && site->main_off < r->end, "a site outside its fragment");
		if (site->kind == SITE_LINK) {
			FUZZ_REQUIRE(site->link >= r->mark->nlinks && site->link < c->nlinks, "a link out of bounds");
			FUZZ_REQUIRE(c->links[site->link].owner == frag && !c->links[site->link].target, "a link of another fragment");
			continue;
		}
		FUZZ_REQUIRE(site->kind == SITE_CALLOUT, "site kind %u", site->kind);
		FUZZ_REQUIRE(site->link >= r->mark->ninsns && site->link < c->ninsns, "a callout out of bounds");
		FUZZ_REQUIRE(site->eip - req->eip < FRAG_MAX_GUEST + PRESCAN_INSN_MAX, "a callout for another place");
		FUZZ_REQUIRE(!site->resume || (site->resume > r->f->body && site->resume < r->end &&
			     r->starts[site->resume - r->f->body]), "a callout comes back between instructions");
		FUZZ_REQUIRE(!c->insns[site->link].insn.length ||
			     !memcmp(c->insns[site->link].bytes, req->bytes + (site->eip - req->eip), site->insn_len),
			     "a callout with other bytes");
	}
}

static void lists_fit(const struct reader *r, const struct prescan_request *req)
{
	const struct prescan_cache *c = r->c;
	uint32_t frag = (uint32_t)(r->f - c->frags);

	FUZZ_REQUIRE(c->pages[req->page].frags == frag, "the page does not know its fragment");
	FUZZ_REQUIRE(c->hash[prescan_cache_hash(req->eip + req->cs_base, req->key)] == frag, "the fragment cannot be found");
	FUZZ_REQUIRE(c->nfrags <= CACHE_MAX_FRAGS && c->nrecs <= CACHE_MAX_RECS && c->nsites <= CACHE_MAX_SITES &&
		     c->nlinks <= CACHE_MAX_LINKS && c->ninsns <= CACHE_MAX_CALLOUTS, "a table is too full");
	FUZZ_REQUIRE(c->code_next - r->f->body <= FRAG_MAIN_MAX && c->cold_next - r->mark->cold_next <= FRAG_COLD_MAX &&
		     r->f->nrecs <= FRAG_MAX_RECS && c->nplaces - r->mark->nplaces <= FRAG_MAX_PLACES, "a fragment larger than has_room() provides for");
	/* One more when an STI was the last: what follows it must be fetched before it is known. */
	FUZZ_REQUIRE(r->f->guest_bytes <= req->nbytes + 1, "more guest bytes than there are");
}

/* Where guest instructions begin; the end of the last one counts. */
static void guest_starts(const struct prescan_request *req, const struct frag *f, uint8_t starts[256 + PRESCAN_INSN_MAX])
{
	enum prescan_mode mode = req->key & KEY_D ? PRESCAN_MODE_32 : PRESCAN_MODE_16;
	struct prescan_insn d;
	uint32_t at = 0;

	memset(starts, 0, 256 + PRESCAN_INSN_MAX);
	while (at <= f->guest_bytes) {
		starts[at] = 1;
		if (at >= req->nbytes || prescan_decode(req->bytes + at, req->nbytes - at, mode, &d) != PRESCAN_OK)
			d.length = 1;
		at += d.length;
	}
}

static void rewind_to(struct prescan_cache *c, const struct mark *m, const struct prescan_request *req)
{
	c->hash[prescan_cache_hash(req->eip + req->cs_base, req->key)] = 0;
	c->pages[req->page].frags = 0;
	c->pages[req->page2].frags2 = 0;
	c->nfrags = m->nfrags;
	c->nrecs = m->nrecs;
	c->nplaces = m->nplaces;
	c->nsites = m->nsites;
	c->nlinks = m->nlinks;
	c->ninsns = m->ninsns;
	c->code_next = m->code_next;
	c->cold_next = m->cold_next;
}

void fuzz_translate(const uint8_t *data, size_t n)
{
	static struct prescan_cache *c;		/* of this process; every translation is taken back */
	static uint8_t callouts;
	struct prescan_request req = { .eip = 0x100000, .limit_bytes = FRAG_MAX_GUEST };
	uint8_t guest[256 + PRESCAN_INSN_MAX];
	struct reader r;
	struct mark m;
	uint32_t frag, room;
	uint8_t *copy;

	if (n <= HEAD || n > 1024)
		return;
	if (!c) {
		c = new_cache();
		c->env = (struct prescan_env){
			.window = WINDOW_PREFERRED, .user_scratch = USER_SCRATCH_PREFERRED, .cs64 = 0x33,
			.is_callout = is_callout, .owner = &callouts,
		};
	}
	req.key = data[0] | (uint32_t)data[1] << 8;
	c->env.strategy = data[2] % (REWRITE_GATE + 1);
	c->env.count = data[2] & 0x40;
	c->env.traced = data[2] & 0x20;
	c->env.counted = data[2] & 0x10;
	c->ninline_rows = 0;
	callouts = data[2] & 0x80;
	req.eip += data[3] | (data[4] & 0xfu) << 8;
	if (!(req.key & KEY_D))
		req.eip &= 0xffff;
	if (data[5])
		req.limit_bytes = data[5] % FRAG_MAX_GUEST + 1;
	n -= HEAD;
	copy = malloc(n);
	if (!copy)
		abort();
	memcpy(copy, data + HEAD, n);
	room = PLX_PAGE_SIZE - (req.eip & PLX_PAGE_MASK);
	req.bytes = copy;
	req.nbytes = (uint32_t)n;
	req.nbytes_page = plx_min32(room, req.nbytes);
	req.page = prescan_cache_page(c, req.eip >> PLX_PAGE_SHIFT, 16, false, false);
	if (req.nbytes > room)
		req.page2 = prescan_cache_page(c, (req.eip >> PLX_PAGE_SHIFT) + 1, 17, false, false);
	if (c->cold_next == WINDOW_COLD) {	/* the miss veneers are made with the first fragment */
		m = (struct mark){ .nfrags = c->nfrags, .nrecs = c->nrecs, .nsites = c->nsites, .nlinks = c->nlinks,
				   .ninsns = c->ninsns, .nplaces = c->nplaces, .code_next = c->code_next };
		prescan_translate(c, &req);
		m.cold_next = WINDOW_COLD + 64;
		rewind_to(c, &m, &req);
	}
	m = (struct mark){ c->nfrags, c->nrecs, c->nsites, c->nlinks, c->ninsns, c->nplaces, c->code_next, c->cold_next };
	frag = prescan_translate(c, &req);
	FUZZ_REQUIRE(frag == m.nfrags, "fragment %u", frag);

	r = (struct reader){ .c = c, .f = &c->frags[frag], .key = req.key, .strategy = c->env.strategy, .mark = &m };
	r.end = r.f->body + r.f->host_bytes;
	read_main(&r);
	guest_starts(&req, r.f, guest);
	records_fit(&r, guest);
	sites_fit(&r, &req);
	lists_fit(&r, &req);
	rewind_to(c, &m, &req);
	free(copy);
}
