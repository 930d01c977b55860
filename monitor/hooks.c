/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/hooks.c - what the processor core tells the engine: paging changed, code was written.
 *
 *      sysreg.c, memory.c, task.c --> [hooks] --> shadow.c, space.c, prescan/cache.c
 *
 * Called in the middle of an instruction: only what may wait for no later moment is done here; spaces and the window follow when
 * the state is canonical (run.c, refresh_mode).
 */
#include "monitor/engine.h"

static struct mon_engine *engine_of(struct mon_vcpu *vcpu)
{
	return vcpu->engine;
}

static void hook_flush_tlb(struct mon_vcpu *vcpu, bool global_too)
{
	struct mon_engine *e = engine_of(vcpu);

	e->window_dirty = true;
	shadow_flush(e, global_too);
	if (global_too)
		space_flush_others(e);
	space_select(e);
	prescan_cache_deactivate_all(&e->cache, global_too);
}

/* Do the tables loaded now map that code page as it was? Processes of one program share most of theirs. */
static bool code_page_same(void *owner, const struct code_page *page)
{
	struct mon_engine *e = owner;
	struct mon_xlate x;

	return mon_translate(e->vcpu, page->linear << PLX_PAGE_SHIFT, MON_ACC_READ | MON_ACC_PEEK, &x) == MON_OK &&
	       x.gpa >> PLX_PAGE_SHIFT == page->gfn && x.user == page->user && !x.nx;
}

static bool user_code_page_same(void *owner, const struct code_page *page)
{
	return !page->user || code_page_same(owner, page);
}

static void hook_load_cr3(struct mon_vcpu *vcpu)
{
	struct mon_engine *e = engine_of(vcpu);

	e->stats.cr3_loads++;
	e->window_dirty = true;
	/* Under the other root of a pair the kernel's pages may be missing; they come back with the next load. */
	prescan_cache_recheck(&e->cache, space_select(e) ? user_code_page_same : code_page_same, e);
}

static void hook_invlpg(struct mon_vcpu *vcpu, uint32_t linear)
{
	struct mon_engine *e = engine_of(vcpu);

	uint32_t code = e->cache.active_page[linear >> PLX_PAGE_SHIFT];

	e->stats.invlpgs++;
	shadow_refresh(e, linear);
	space_tell(e, SPACE_DROP_PAGE, linear);
	if (code && !code_page_same(e, &e->cache.pages[code]))
		prescan_cache_deactivate(&e->cache, linear >> PLX_PAGE_SHIFT);
}

static void hook_code_written(struct mon_vcpu *vcpu, uint32_t gpa, uint32_t nbytes)
{
	struct mon_engine *e = engine_of(vcpu);

	e->slow_accesses++;
	if (prescan_cache_written(&e->cache, gpa, nbytes))
		e->vm->page[gpa >> PLX_PAGE_SHIFT] &= ~(uint64_t)MON_PAGE_CODE;
}

static void hook_page_changed(struct mon_vcpu *vcpu, uint32_t gpa)
{
	struct mon_engine *e = engine_of(vcpu);

	(void)gpa;
	e->slow_accesses++;
	e->window_dirty = true;
}

const struct mon_hooks engine_hooks = {
	.flush_tlb = hook_flush_tlb,
	.load_cr3 = hook_load_cr3,
	.invlpg = hook_invlpg,
	.code_written = hook_code_written,
	.page_changed = hook_page_changed,
};
