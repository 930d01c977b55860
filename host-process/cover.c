/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/cover.c - memory for what ran: see include/plexus/coverage.h. Sparse: what is not used costs nothing.
 */
#include "host-process/process.h"
#include "monitor/cover.h"

const struct plx_cover *hp_cover(struct plx_vm *vm)
{
	struct mon_engine *e = vm->engine;
	struct cover *c = hp_arena_alloc(vm, sizeof(*c), 64);

	if (!c)
		return NULL;
	c->all.insn = hp_arena_alloc(vm, (size_t)PLX_COVER_MAX_INSNS * sizeof(*c->all.insn), 4096);
	c->hash = hp_arena_alloc(vm, COVER_HASH * sizeof(*c->hash), 4096);
	c->slot = hp_arena_alloc(vm, (size_t)COVER_MAX_SLOTS * sizeof(*c->slot), 4096);
	c->frag = hp_arena_alloc(vm, (size_t)CACHE_MAX_FRAGS * sizeof(*c->frag), 4096);
	c->site = hp_arena_alloc(vm, (size_t)CACHE_MAX_SITES * sizeof(*c->site), 4096);
	if (!c->all.insn || !c->hash || !c->slot || !c->frag || !c->site)
		return NULL;
	c->all.ninsns = 1;
	e->cover = c;
	e->cache.env.marked = true;
	prescan_cache_flush(&e->cache);
	c->flushes = e->cache.stat_flushes;
	return &c->all;
}
