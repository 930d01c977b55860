/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/allocate.c - the engine's tables, out of whatever memory a host has.
 *
 * They are as large as they can ever become, and sparse: a host gives addresses, and pages when they are touched.
 * Asked by: the hosts, once for a machine, before engine_init.
 */
#include "monitor/engine.h"
#include "plexus/sites.h"

static bool cache_tables(struct prescan_cache *c, engine_alloc_fn *alloc, void *arg)
{
	bool ok = true;

	ok &= (c->frags = alloc(arg, CACHE_MAX_FRAGS * sizeof(*c->frags))) != NULL;
	ok &= (c->recs = alloc(arg, CACHE_MAX_RECS * sizeof(*c->recs))) != NULL;
	ok &= (c->sites = alloc(arg, CACHE_MAX_SITES * sizeof(*c->sites))) != NULL;
	ok &= (c->links = alloc(arg, CACHE_MAX_LINKS * sizeof(*c->links))) != NULL;
	ok &= (c->pages = alloc(arg, CACHE_MAX_PAGES * sizeof(*c->pages))) != NULL;
	ok &= (c->insns = alloc(arg, CACHE_MAX_CALLOUTS * sizeof(*c->insns))) != NULL;
	ok &= (c->hash = alloc(arg, CACHE_HASH * sizeof(*c->hash))) != NULL;
	ok &= (c->active_page = alloc(arg, (1u << 20) * sizeof(*c->active_page))) != NULL;
	ok &= (c->gfn_page = alloc(arg, (1u << 20) * sizeof(*c->gfn_page))) != NULL;
	ok &= (c->places = alloc(arg, CACHE_MAX_PLACES * sizeof(*c->places))) != NULL;
	ok &= (c->active = alloc(arg, CACHE_MAX_PAGES * sizeof(*c->active))) != NULL;
	for (unsigned int user = 0; user < 2; user++) {
		ok &= (c->jump_log[user] = alloc(arg, CACHE_MAX_JUMP_LOG * sizeof(uint16_t))) != NULL;
		ok &= (c->jump_frag[user] = alloc(arg, 0x10000 * sizeof(uint32_t))) != NULL;
	}
	return ok;
}

static bool space_tables(struct mon_space *sp, engine_alloc_fn *alloc, void *arg)
{
	bool ok = true;

	ok &= (sp->shadow = alloc(arg, (1u << 20) * sizeof(*sp->shadow))) != NULL;
	ok &= (sp->rmap_next = alloc(arg, (1u << 20) * sizeof(*sp->rmap_next))) != NULL;
	ok &= (sp->rmap_head = alloc(arg, (1u << 20) * sizeof(*sp->rmap_head))) != NULL;
	ok &= (sp->mapped_bits = alloc(arg, (1u << 14) * sizeof(*sp->mapped_bits))) != NULL;
	ok &= (sp->table = alloc(arg, SPACE_TABLES * sizeof(*sp->table))) != NULL;
	return ok;
}

bool engine_allocate(struct mon_engine *e, unsigned int nspaces, engine_alloc_fn *alloc, void *arg)
{
	bool ok = true;

	ok &= (e->vm->page = alloc(arg, (1u << 20) * sizeof(*e->vm->page))) != NULL;
	ok &= (e->ldt = alloc(arg, ENGINE_LDT_SLOTS * sizeof(*e->ldt))) != NULL;
	ok &= (e->sites = alloc(arg, sizeof(*e->sites))) != NULL;
	ok &= cache_tables(&e->cache, alloc, arg);
	e->spaces = alloc(arg, SPACE_MAX * sizeof(*e->spaces));
	if (!ok || !e->spaces)
		return false;
	for (unsigned int i = 0; i < nspaces; i++)
		ok &= space_tables(&e->spaces[i], alloc, arg);
	e->max_spaces = nspaces;
	e->nspaces = 1;
	e->spaces[0].cr3 = SPACE_NO_PAGING;
	e->spaces[0].used = true;
	e->space = e->next_space = &e->spaces[0];
	return ok;
}
