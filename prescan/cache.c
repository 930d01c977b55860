/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/cache.c - finding, chaining and dropping fragments.
 *
 * Asked by:  prescan/translate.c, monitor/run.c, monitor/exits.c.
 * Asks:      nothing. Memory is handed in; nothing here can fail but by "full".
 * Built:     twice, freestanding and hosted.
 */
#include "prescan/cache.h"
#include "monitor/window.h"

static void put32(struct prescan_cache *c, uint32_t offset, uint32_t value)
{
	memcpy(c->rw + offset, &value, 4);
}

static uint32_t *jump_slot(struct prescan_cache *c, unsigned int user, uint32_t eip)
{
	return (uint32_t *)(c->rw + WINDOW_JUMP_TABLE + user * WINDOW_JUMP_BYTES) + (eip & 0xffff);
}

static uint32_t code_address(struct prescan_cache *c, uint32_t offset)
{
	return c->env.window + offset - c->env.data_bias;
}

void prescan_cache_jump_clear(struct prescan_cache *c, unsigned int user)
{
	uint32_t miss = code_address(c, c->miss_veneer[user]);

	if (c->jump_log_full[user]) {
		uint32_t *slot = jump_slot(c, user, 0);

		for (uint32_t i = 0; i < 0x10000; i++)
			slot[i] = miss;
		memset(c->jump_frag[user], 0, 0x10000 * sizeof(uint32_t));
	} else {
		for (uint32_t i = 0; i < c->njump_log[user]; i++) {
			*jump_slot(c, user, c->jump_log[user][i]) = miss;
			c->jump_frag[user][c->jump_log[user][i]] = 0;
		}
	}
	c->njump_log[user] = 0;
	c->jump_log_full[user] = false;
}

void prescan_cache_jump_mode(struct prescan_cache *c, uint32_t key)
{
	unsigned int user = !!(key & KEY_CPL3);

	if (c->jump_key[user] == key)
		return;
	prescan_cache_jump_clear(c, user);
	c->jump_key[user] = key;
}

void prescan_cache_jump_fill(struct prescan_cache *c, uint32_t frag)
{
	struct frag *f = &c->frags[frag];
	unsigned int user = !!(f->key & KEY_CPL3);
	uint32_t index = f->eip & 0xffff;

	if (!f->indirect_entry)
		return;
	prescan_cache_jump_mode(c, f->key);
	if (!c->jump_frag[user][index]) {
		if (c->njump_log[user] < CACHE_MAX_JUMP_LOG)
			c->jump_log[user][c->njump_log[user]++] = (uint16_t)index;
		else
			c->jump_log_full[user] = true;
	}
	c->jump_frag[user][index] = frag;
	*jump_slot(c, user, index) = code_address(c, f->body - PRESCAN_PROLOGUE);
}

static void jump_forget(struct prescan_cache *c, uint32_t frag)
{
	struct frag *f = &c->frags[frag];
	unsigned int user = !!(f->key & KEY_CPL3);
	uint32_t index = f->eip & 0xffff;

	if (c->jump_frag[user][index] != frag)
		return;
	/* The slot stays in the log: clearing it twice does no harm, and jump_frag keeps a zero for "empty",
	 * so a slot that is filled again is logged again. */
	c->jump_frag[user][index] = 0;
	*jump_slot(c, user, index) = code_address(c, c->miss_veneer[user]);
}

void prescan_cache_flush(struct prescan_cache *c)
{
	for (uint32_t i = 1; i < c->npages; i++) {
		c->active_page[c->pages[i].linear] = 0;
		c->gfn_page[c->pages[i].gfn] = 0;
	}
	memset(c->hash, 0, CACHE_HASH * sizeof(*c->hash));
	c->nfrags = c->nrecs = c->nlinks = c->npages = c->ninsns = 1;
	c->nsites = 3;			/* 1 and 2: the miss veneers' */
	c->nactive = c->nplaces = 0;
	c->code_next = WINDOW_CODE;
	c->cold_next = WINDOW_COLD;
	c->stat_flushes++;
	for (unsigned int user = 0; user < 2; user++) {
		c->jump_log_full[user] = true;
		c->jump_key[user] = 0;
	}
}

void prescan_cache_init(struct prescan_cache *c)
{
	prescan_cache_flush(c);
	c->stat_flushes = 0;
}

uint32_t prescan_cache_find(struct prescan_cache *c, uint32_t eip, uint32_t cs_base, uint32_t key)
{
	uint32_t linear = eip + cs_base;
	uint32_t page = c->active_page[linear >> PLX_PAGE_SHIFT];

	if (!page)
		return 0;
	for (uint32_t i = c->hash[prescan_cache_hash(linear, key)]; i; i = c->frags[i].hash_next) {
		struct frag *f = &c->frags[i];

		if (f->eip == eip && f->key == key && f->code_page == page && f->cs_base == cs_base && !f->dead)
			return i;
	}
	return 0;
}

void prescan_cache_link(struct prescan_cache *c, uint32_t link, uint32_t target)
{
	struct link *l = &c->links[link];

	if (l->target || c->frags[l->owner].dead)
		return;
	l->target = target;
	l->next = c->frags[target].incoming;
	c->frags[target].incoming = link;
	put32(c, l->patch, c->frags[target].body - (l->patch + 4));
}

void prescan_cache_pass_mark(struct prescan_cache *c, uint32_t site)
{
	put32(c, c->sites[site].main_off, 0);
}

static void unlink_one(struct prescan_cache *c, struct link *l)
{
	l->target = 0;
	put32(c, l->patch, l->veneer - (l->patch + 4));
	c->stat_unlinks++;
}

/* Cut the chains that lead to @frag; those from its own code page too if @all. */
static void unlink_incoming(struct prescan_cache *c, uint32_t frag, bool all)
{
	struct frag *f = &c->frags[frag];
	uint32_t kept = 0, next;

	for (uint32_t i = f->incoming; i; i = next) {
		struct link *l = &c->links[i];

		next = l->next;
		if (!all && c->frags[l->owner].code_page == f->code_page) {
			l->next = kept;
			kept = i;
		} else {
			unlink_one(c, l);
		}
	}
	f->incoming = kept;
}

void prescan_cache_kill(struct prescan_cache *c, uint32_t frag)
{
	struct frag *f = &c->frags[frag];

	if (f->dead)
		return;
	f->dead = true;
	unlink_incoming(c, frag, true);
	jump_forget(c, frag);
	c->stat_invalidated++;

	uint32_t *at = &c->hash[prescan_cache_hash(f->eip + f->cs_base, f->key)];

	while (*at && *at != frag)
		at = &c->frags[*at].hash_next;
	if (*at)
		*at = f->hash_next;
	at = &c->pages[f->code_page].frags;
	while (*at && *at != frag)
		at = &c->frags[*at].page_next;
	if (*at)
		*at = f->page_next;
	if (f->code_page2) {
		at = &c->pages[f->code_page2].frags2;
		while (*at && *at != frag)
			at = &c->frags[*at].page2_next;
		if (*at)
			*at = f->page2_next;
	}
}

static void deactivate(struct prescan_cache *c, uint32_t page)
{
	struct code_page *p = &c->pages[page];
	uint32_t next;

	for (uint32_t i = p->frags; i; i = c->frags[i].page_next) {
		if (c->frags[i].incoming)
			unlink_incoming(c, i, false);
		jump_forget(c, i);
	}
	/* Fragments that start in the page before and reach into this one are entered from there,
	 * by chains that stay: they must go. */
	for (uint32_t i = p->frags2; i; i = next) {
		next = c->frags[i].page2_next;
		prescan_cache_kill(c, i);
	}
	c->active_page[p->linear] = 0;
	if (p->active_pos) {
		uint32_t last = c->active[--c->nactive];

		c->active[p->active_pos - 1] = last;
		c->pages[last].active_pos = p->active_pos;
		p->active_pos = 0;
	}
}

void prescan_cache_deactivate(struct prescan_cache *c, uint32_t linear_page)
{
	uint32_t page = c->active_page[linear_page];

	if (page)
		deactivate(c, page);
}

void prescan_cache_deactivate_all(struct prescan_cache *c, bool global_too)
{
	while (c->nactive)
		deactivate(c, c->active[c->nactive - 1]);
	if (global_too)
		for (uint32_t i = 1; i < c->npages; i++)
			if (c->active_page[c->pages[i].linear] == i)
				deactivate(c, i);
}

bool prescan_cache_page_known(const struct prescan_cache *c, uint32_t linear_page, uint32_t gfn)
{
	for (uint32_t i = c->gfn_page[gfn]; i; i = c->pages[i].gfn_next)
		if (c->pages[i].linear == linear_page)
			return true;
	return false;
}

void prescan_cache_recheck(struct prescan_cache *c, bool (*same)(void *owner, const struct code_page *page), void *owner)
{
	/* Downward: deactivating one puts the last, which was looked at already, in its place. */
	for (uint32_t i = c->nactive; i-- > 0; )
		if (!same(owner, &c->pages[c->active[i]]))
			deactivate(c, c->active[i]);
}

uint32_t prescan_cache_page(struct prescan_cache *c, uint32_t linear_page, uint32_t gfn, bool global, bool user)
{
	uint32_t i = c->active_page[linear_page];

	if (i) {
		if (c->pages[i].gfn == gfn)
			return i;
		deactivate(c, i);
	}
	for (i = c->gfn_page[gfn]; i; i = c->pages[i].gfn_next)
		if (c->pages[i].linear == linear_page)
			break;
	if (!i) {
		if (c->npages == CACHE_MAX_PAGES)
			return 0;
		i = c->npages++;
		c->pages[i] = (struct code_page){ .linear = linear_page, .gfn = gfn, .gfn_next = c->gfn_page[gfn] };
		c->gfn_page[gfn] = i;
	}
	c->pages[i].global = global;
	c->pages[i].user = user;
	c->active_page[linear_page] = i;
	if (!global) {
		c->active[c->nactive++] = i;
		c->pages[i].active_pos = c->nactive;
	}
	return i;
}

bool prescan_cache_written(struct prescan_cache *c, uint32_t gpa, uint32_t nbytes)
{
	uint32_t gfn = gpa >> PLX_PAGE_SHIFT;
	uint32_t first = gpa & PLX_PAGE_MASK, end = first + nbytes;
	bool empty = true;

	for (uint32_t p = c->gfn_page[gfn]; p; p = c->pages[p].gfn_next) {
		uint32_t next;

		for (uint32_t i = c->pages[p].frags; i; i = next) {
			struct frag *f = &c->frags[i];
			uint32_t at = (f->eip + f->cs_base) & PLX_PAGE_MASK;

			next = f->page_next;
			if (at < end && first < at + f->guest_bytes)
				prescan_cache_kill(c, i);
			else
				empty = false;
		}
		for (uint32_t i = c->pages[p].frags2; i; i = next) {
			struct frag *f = &c->frags[i];
			uint32_t at = (f->eip + f->cs_base) & PLX_PAGE_MASK;

			next = f->page2_next;
			if (first < at + f->guest_bytes - PLX_PAGE_SIZE)
				prescan_cache_kill(c, i);
			else
				empty = false;
		}
	}
	return empty;
}

bool prescan_cache_frame_empty(const struct prescan_cache *c, uint32_t gfn)
{
	for (uint32_t p = c->gfn_page[gfn]; p; p = c->pages[p].gfn_next)
		if (c->pages[p].frags || c->pages[p].frags2)
			return false;
	return true;
}

uint32_t prescan_cache_at(struct prescan_cache *c, uint32_t offset)
{
	uint32_t low = 1, high = c->nfrags;

	/* Bodies lie in the order of their numbers. */
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (c->frags[mid].body - (c->frags[mid].indirect_entry ? PRESCAN_PROLOGUE : 0) <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 1)
		return 0;
	low--;
	return offset < c->frags[low].body + c->frags[low].host_bytes ? low : 0;
}

const struct frag_rec *prescan_cache_rec(struct prescan_cache *c, const struct frag *f, uint32_t host_off)
{
	const struct frag_rec *rec = &c->recs[f->recs];
	uint32_t low = 0, high = f->nrecs;

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (rec[mid].host_off <= host_off)
			low = mid;
		else
			high = mid;
	}
	return &rec[low];
}

uint32_t prescan_cache_site_at(struct prescan_cache *c, uint32_t offset)
{
	const uint8_t *code = c->rw + offset;
	uint32_t value;

	if (offset < WINDOW_COLD || offset + 16 > WINDOW_BYTES)
		return 0;
	if (code[0] == 0x66)
		code++;
	if (code[0] == 0xea) {
		memcpy(&value, code + 1, 4);
		value -= c->env.window;
		if (value < WINDOW_COLD || value + 6 > WINDOW_BYTES)
			return 0;
		code = c->rw + value;
	}
	if (code[0] != 0x41 || code[1] != 0xb8)
		return 0;
	memcpy(&value, code + 2, 4);
	return value < c->nsites ? value : 0;
}

bool prescan_cache_jump_target(struct prescan_cache *c, uint32_t offset, uint32_t *eip)
{
	uint32_t low = 1, high = c->nlinks, site;

	offset += c->rw[offset] == 0x66 ? 2 : 1;
	while (low < high) {			/* links are made in the order of their places */
		uint32_t mid = low + (high - low) / 2;

		if (c->links[mid].patch < offset)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == c->nlinks || c->links[low].patch != offset)
		return false;
	site = prescan_cache_site_at(c, c->links[low].veneer);
	*eip = c->sites[site].eip;
	return site != 0;
}
