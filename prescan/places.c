/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/places.c - a moved window: the addresses in the code cache follow it, and all else stays.
 *
 *      monitor/window.c --> [prescan_cache_moved] --> stubs' far jumps, scratch and flag page accesses, jump tables
 *
 * Near jumps, records, sites and links are offsets in the window and know nothing of where it stands. What the processor wants as an
 * address was put on the list when it was emitted (emit_moving, cold_veneer); the jump tables are full of addresses by their nature.
 * Each is a base plus a constant, so the difference of the bases is all that has to be known here.
 *
 * Places of dead fragments stay on the list: their memory is given to nobody before the flush that empties the list
 * too, so patching them is work for nothing and no harm.
 *
 * Asked by:  monitor/window.c, between guest instructions.
 * Built:     twice, freestanding and hosted.
 * Tested by: tests/unit/test_places.c (a patched cache is the one that would have been made there), tests/unit/test_engine_move.c.
 */
#include "monitor/window.h"
#include "prescan/cache.h"

_Static_assert(WINDOW_BYTES == 1u << PLACE_KIND_SHIFT, "an offset in the window and a kind fit one word");

static void add_to(uint8_t *at, uint32_t difference)
{
	uint32_t value;

	memcpy(&value, at, 4);
	value += difference;
	memcpy(at, &value, 4);
}

static uint32_t patch_places(struct prescan_cache *c, const uint32_t difference[])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->nplaces; i++) {
		uint32_t by = difference[c->places[i] >> PLACE_KIND_SHIFT];

		if (!by)
			continue;
		add_to(c->rw + (c->places[i] & (WINDOW_BYTES - 1)), by);
		n++;
	}
	return n;
}

/* Every entry is the address of a fragment or of the miss veneer, both in the window. */
static uint32_t patch_jump_tables(struct prescan_cache *c, uint32_t difference)
{
	const uint32_t n = 2 * WINDOW_JUMP_BYTES / 4;
	uint32_t *entry = (uint32_t *)(c->rw + WINDOW_JUMP_TABLE);

	if (!difference)
		return 0;
	/* Half of what a move costs: so eight in a row. */
	for (uint32_t i = 0; i < n; i += 8) {
		entry[i] += difference;
		entry[i + 1] += difference;
		entry[i + 2] += difference;
		entry[i + 3] += difference;
		entry[i + 4] += difference;
		entry[i + 5] += difference;
		entry[i + 6] += difference;
		entry[i + 7] += difference;
	}
	return n;
}

uint32_t prescan_cache_moved(struct prescan_cache *c, uint32_t window, uint32_t user_scratch, uint32_t data_bias)
{
	struct prescan_env *env = &c->env;
	const uint32_t bias = env->data_bias - data_bias;
	const uint32_t difference[] = {
		[PLACE_STUB] = window - env->window,
		[PLACE_WINDOW] = window - env->window + bias,
		[PLACE_USER_SCRATCH] = user_scratch - env->user_scratch + bias,
	};

	env->window = window;
	env->user_scratch = user_scratch;
	env->data_bias = data_bias;
	if (!c->nplaces)
		return 0;		/* nothing was translated yet: the jump tables are not made either */
	return patch_places(c, difference) + patch_jump_tables(c, difference[PLACE_WINDOW]);
}
