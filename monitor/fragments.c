/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/fragments.c - the fragment for CS:EIP: found, or its code page activated again, or made.
 *
 *      CS:EIP --> active code page? --> fragment of this mode? --> [translate] --> prescan/translate.c
 *
 * Asked by: run.c. Asks: paging.c (may this be executed, where is it), prescan/, shadow.c (write protection of code).
 */
#include "monitor/cover.h"
#include "prescan/emit.h"

static bool fetch_page(struct mon_engine *e, uint32_t linear, unsigned int access, struct mon_xlate *x, uint8_t **host)
{
	if (mon_translate(e->vcpu, linear, MON_ACC_EXEC | access, x) != MON_OK)
		return false;
	*host = mon_phys_ptr(e->vm, x->gpa);
	return true;
}

static void mark_code(struct mon_engine *e, uint32_t gfn)
{
	if (e->vm->page[gfn] & MON_PAGE_CODE)
		return;
	e->vm->page[gfn] |= MON_PAGE_CODE;
	shadow_protect_gfn(e, gfn);
	space_tell(e, SPACE_PROTECT_GFN, gfn);
	mon_tlb_flush(e->vcpu);
}

/* A new fragment for the present CS:EIP; 0: MON_FAULT (the fetch faults), or MON_DEFER (code in device memory). */
static uint32_t translate(struct mon_engine *e, enum mon_status *st)
{
	struct mon_vcpu *v = e->vcpu;
	struct prescan_cache *c = &e->cache;
	uint8_t bytes[FRAG_MAX_GUEST + 2 * PRESCAN_INSN_MAX];
	struct prescan_request req = {
		.eip = v->eip, .cs_base = v->seg[X86_CS].base, .key = e->key, .bytes = bytes, .limit_bytes = FRAG_MAX_GUEST,
	};
	uint32_t linear = req.eip + req.cs_base;
	uint32_t room = PLX_PAGE_SIZE - (linear & PLX_PAGE_MASK);
	uint32_t limit = v->seg[X86_CS].limit;
	struct mon_xlate x, x2;
	uint8_t *host, *host2 = NULL;
	uint64_t start = e->ops->ticks(e->host);
	bool global, second = false;
	uint32_t frag;

	*st = MON_DEFER;
	if (req.eip > limit)
		return 0;
	if (!fetch_page(e, linear, 0, &x, &host)) {
		*st = MON_FAULT;
		return 0;
	}
	if (!host)
		return 0;
	req.nbytes_page = req.nbytes = plx_min32(room, FRAG_MAX_GUEST + PRESCAN_INSN_MAX);
	if (limit - req.eip < req.nbytes)
		req.nbytes_page = req.nbytes = limit - req.eip + 1;
	if (!(req.key & KEY_D) && 0x10000 - (req.eip & 0xffff) < req.nbytes)
		req.nbytes_page = req.nbytes = 0x10000 - (req.eip & 0xffff);
	memcpy(bytes, host, req.nbytes);
	if (req.nbytes == room && fetch_page(e, linear + room, MON_ACC_PEEK, &x2, &host2) && host2 &&
	    (x2.user || v->cpl < 3)) {
		second = true;
		req.nbytes += PRESCAN_INSN_MAX;
		if (limit - req.eip < req.nbytes)
			req.nbytes = limit - req.eip + 1;
		memcpy(bytes + room, host2, req.nbytes - room);
	}
	global = x.global && (v->cr4 & X86_CR4_PGE);

	for (unsigned int tries = 0; tries < 2; tries++) {
		bool fits;

		req.page = prescan_cache_page(c, linear >> PLX_PAGE_SHIFT, x.gpa >> PLX_PAGE_SHIFT, global, x.user);
		req.page2 = 0;
		fits = req.page != 0;
		if (second && fits) {
			req.page2 = prescan_cache_page(c, (linear + room) >> PLX_PAGE_SHIFT, x2.gpa >> PLX_PAGE_SHIFT,
						       x2.global && (v->cr4 & X86_CR4_PGE), x2.user);
			fits = req.page2 != 0;
		}
		frag = fits ? prescan_translate(c, &req) : 0;
		if (frag)
			break;
		prescan_cache_flush(c);
	}
	if (!frag) {
		engine_die(e, "the code cache cannot hold a single fragment", 0);
		return 0;
	}
	if (covering(e))
		cover_fragment(e, frag, &req, x.gpa, second ? x2.gpa : 0);
	mark_code(e, x.gpa >> PLX_PAGE_SHIFT);
	if (c->frags[frag].code_page2)
		mark_code(e, x2.gpa >> PLX_PAGE_SHIFT);
	window_show_code(e);
	*st = MON_OK;
	e->stats.translate_ticks += e->ops->ticks(e->host) - start;
	return frag;
}

/* Find or make. A frame of code pages inactive since the last CR3 load is activated again by one walk. */
uint32_t engine_fragment(struct mon_engine *e, enum mon_status *st)
{
	struct mon_vcpu *v = e->vcpu;
	struct prescan_cache *c = &e->cache;
	uint32_t linear = v->eip + v->seg[X86_CS].base;
	uint32_t frag = prescan_cache_find(c, v->eip, v->seg[X86_CS].base, e->key);
	struct mon_xlate x;

	*st = MON_OK;
	if (frag)
		return frag;
	if (!c->active_page[linear >> PLX_PAGE_SHIFT] && v->eip <= v->seg[X86_CS].limit) {
		if (mon_translate(v, linear, MON_ACC_EXEC, &x) != MON_OK) {
			*st = MON_FAULT;
			return 0;
		}
		if (prescan_cache_page_known(c, linear >> PLX_PAGE_SHIFT, x.gpa >> PLX_PAGE_SHIFT)) {
			prescan_cache_page(c, linear >> PLX_PAGE_SHIFT, x.gpa >> PLX_PAGE_SHIFT,
					   x.global && (v->cr4 & X86_CR4_PGE), x.user);
			e->stats.page_activations++;
			frag = prescan_cache_find(c, v->eip, v->seg[X86_CS].base, e->key);
			if (frag)
				return frag;
		}
	}
	return translate(e, st);
}
