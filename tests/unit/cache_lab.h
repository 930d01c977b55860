/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/cache_lab.h - a code cache in plain memory, for tests of prescan/cache.c and prescan/translate.c. Nothing in it runs
 * on the processor.
 */
#ifndef TESTS_UNIT_CACHE_LAB_H
#define TESTS_UNIT_CACHE_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "monitor/window.h"
#include "plexus/x86.h"
#include "prescan/emit.h"

#define LAB_WINDOW WINDOW_PREFERRED
#define KEY_KERNEL (KEY_D | KEY_SS_B | KEY_FLAT | KEY_FPU | KEY_SSE | KEY_PLAIN_FLAGS | KEY_TSC | KEY_FWAIT)

/* @rw: WINDOW_BYTES, zeroed. */
static inline void lab_cache_init(struct prescan_cache *c, uint8_t *rw)
{
	*c = (struct prescan_cache){ .rw = rw };
	c->env = (struct prescan_env){
		.window = LAB_WINDOW, .user_scratch = LAB_WINDOW + WINDOW_USER_SCRATCH, .cs64 = NX_CS64,
	};
	c->frags = calloc(CACHE_MAX_FRAGS, sizeof(*c->frags));
	c->recs = calloc(CACHE_MAX_RECS, sizeof(*c->recs));
	c->sites = calloc(CACHE_MAX_SITES, sizeof(*c->sites));
	c->links = calloc(CACHE_MAX_LINKS, sizeof(*c->links));
	c->pages = calloc(CACHE_MAX_PAGES, sizeof(*c->pages));
	c->insns = calloc(CACHE_MAX_CALLOUTS, sizeof(*c->insns));
	c->hash = calloc(CACHE_HASH, sizeof(*c->hash));
	c->active_page = calloc(1u << 20, sizeof(*c->active_page));
	c->gfn_page = calloc(1u << 20, sizeof(*c->gfn_page));
	c->active = calloc(CACHE_MAX_PAGES, sizeof(*c->active));
	c->places = calloc(CACHE_MAX_PLACES, sizeof(*c->places));
	for (unsigned int user = 0; user < 2; user++) {
		c->jump_log[user] = calloc(CACHE_MAX_JUMP_LOG, sizeof(uint16_t));
		c->jump_frag[user] = calloc(0x10000, sizeof(uint32_t));
	}
	prescan_cache_init(c);
}

static inline void lab_cache_free(struct prescan_cache *c)
{
	free(c->frags);
	free(c->recs);
	free(c->sites);
	free(c->links);
	free(c->pages);
	free(c->insns);
	free(c->hash);
	free(c->active_page);
	free(c->gfn_page);
	free(c->active);
	free(c->places);
	for (unsigned int user = 0; user < 2; user++) {
		free(c->jump_log[user]);
		free(c->jump_frag[user]);
	}
}

/* The fragment for @bytes, of which the page of @eip maps to @gfn and the next page to @gfn + 1. */
static inline uint32_t lab_translate(struct prescan_cache *c, uint32_t eip, uint32_t gfn, uint32_t key, const uint8_t *bytes,
				     uint32_t nbytes)
{
	struct prescan_request req = { .eip = eip, .key = key, .bytes = bytes, .nbytes = nbytes, .limit_bytes = FRAG_MAX_GUEST };
	uint32_t room = PLX_PAGE_SIZE - (eip & PLX_PAGE_MASK);

	req.nbytes_page = plx_min32(room, nbytes);
	req.page = prescan_cache_page(c, eip >> PLX_PAGE_SHIFT, gfn, false, false);
	if (nbytes > room)
		req.page2 = prescan_cache_page(c, (eip >> PLX_PAGE_SHIFT) + 1, gfn + 1, false, false);
	return prescan_translate(c, &req);
}

#endif
