/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_prescan_rewriting.c - what reports say of an instruction is what the translator does with it.
 *
 * Every opcode of every map with several ModRM forms, prefix sets, strategies and modes is translated for real, one instruction a
 * fragment, and the emitted code is read: no opinion of its own is compared, only bytes, sites and links.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "monitor/window.h"
#include "nexus/gate.h"
#include "plexus/x86.h"
#include "prescan/rewriting.h"

#define EIP		0x100100u

/* Big enough for one fragment at a time. */
struct bench {
	struct prescan_cache c;
	uint32_t frags0, sites0, links0;
};

static void *zeroes(size_t n, size_t size)
{
	void *p = mmap(NULL, n * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

static int setup(void **state)
{
	struct bench *b = zeroes(1, sizeof(*b));
	struct prescan_cache *c = &b->c;

	c->rw = zeroes(1, WINDOW_BYTES);
	c->frags = zeroes(CACHE_MAX_FRAGS, sizeof(*c->frags));
	c->recs = zeroes(CACHE_MAX_RECS, sizeof(*c->recs));
	c->sites = zeroes(CACHE_MAX_SITES, sizeof(*c->sites));
	c->links = zeroes(CACHE_MAX_LINKS, sizeof(*c->links));
	c->pages = zeroes(CACHE_MAX_PAGES, sizeof(*c->pages));
	c->insns = zeroes(CACHE_MAX_CALLOUTS, sizeof(*c->insns));
	c->hash = zeroes(CACHE_HASH, sizeof(*c->hash));
	c->active_page = zeroes(1u << 20, sizeof(uint32_t));
	c->gfn_page = zeroes(1u << 20, sizeof(uint32_t));
	c->active = zeroes(CACHE_MAX_PAGES, sizeof(uint32_t));
	c->places = zeroes(CACHE_MAX_PLACES, sizeof(uint32_t));
	for (int user = 0; user < 2; user++) {
		c->jump_log[user] = zeroes(CACHE_MAX_JUMP_LOG, sizeof(uint16_t));
		c->jump_frag[user] = zeroes(0x10000, sizeof(uint32_t));
	}
	prescan_cache_init(c);
	c->env = (struct prescan_env){
		.window = WINDOW_PREFERRED, .user_scratch = USER_SCRATCH_PREFERRED, .cs64 = 0x33,
	};
	*state = b;
	return 0;
}

/* The way out that stands at a callout's place in main code. */
static enum prescan_rewriting way_out_at(const struct prescan_cache *c, const struct site *s)
{
	const uint8_t *at = c->rw + s->main_off;

	if (s->farcall)
		return REWRITING_FAR_CALL;
	if (at[0] == 0xcc)
		return c->env.strategy == REWRITE_GATE && at[1 + GATE_SITE_OP] != GATE_LEAVE ? REWRITING_GATE : REWRITING_INT3;
	assert_true(at[0] == 0xea || (at[0] == 0x66 && at[1] == 0xea));
	return REWRITING_FAR_JUMP;
}

/* Does the body, up to @end, hold the tail of a jump through the table: jmp *%cs:table(,%ecx,4)? */
static bool ends_in_table_jump(const struct prescan_cache *c, const struct frag *f)
{
	const uint8_t *end = c->rw + f->body + f->host_bytes;

	return f->host_bytes >= 8 && end[-8] == 0x2e && end[-7] == 0xff && end[-6] == 0x24 && end[-5] == 0x8d;
}

/* Translates the one instruction and reads what became of it. */
static enum prescan_rewriting emitted(struct bench *b, const uint8_t *bytes, const struct prescan_insn *insn, uint32_t key)
{
	struct prescan_cache *c = &b->c;
	uint32_t length = insn ? insn->length : PRESCAN_INSN_MAX, frag, callouts = 0, branches = 0, callout = 0;
	uint8_t code[PRESCAN_INSN_MAX + 1];
	/* Behind it a NOP, for a fragment never ends in STI's shadow. */
	struct prescan_request req = {
		.eip = EIP, .key = key, .page = 1, .bytes = code, .nbytes = length + 1, .nbytes_page = length + 1,
		.limit_bytes = length,
	};
	uint32_t copied = length + (key & KEY_D ? 5 : 6);	/* and the jump to what follows */
	const struct frag *f;

	memcpy(code, bytes, length);
	code[length] = 0x90;
	/* What the last one took is free again, but for the miss veneers that stand first. */
	if (c->cold_next > WINDOW_COLD + 64) {
		c->nfrags = 1;
		c->nsites = 3;
		c->nlinks = 1;
		c->nrecs = 1;
		c->ninsns = 1;
		c->nplaces = 0;
		c->code_next = WINDOW_CODE;
		c->cold_next = WINDOW_COLD + 128;
	}
	uint32_t site = c->nsites;

	frag = prescan_translate(c, &req);
	assert_int_not_equal(frag, 0);
	f = &c->frags[frag];
	if (site < 3)
		site = 3;
	for (; site < c->nsites; site++) {
		const struct site *s = &c->sites[site];

		if (s->kind == SITE_CALLOUT) {
			callouts++;
			callout = site;
		}
		/* The link to the next instruction is how every fragment ends that falls through; it is no branch. */
		if (s->kind == SITE_LINK && !((s->eip == EIP + length || s->eip == EIP + length + 1) && s->main_off + 4 == f->body + f->host_bytes))
			branches++;
	}
	if (callouts) {
		assert_int_equal(callouts, 1);
		/* Alone at the front of the body, or somewhere inside a sequence. */
		if (c->env.strategy == REWRITE_ADAPTIVE && c->sites[callout].main_off != f->body)
			return REWRITING_INLINED_OR_LEAVES;
		return way_out_at(c, &c->sites[callout]);
	}
	if (insn && insn->klass == PRESCAN_BRANCH)
		return ends_in_table_jump(c, f) && !branches ? REWRITING_LOOKED_UP : REWRITING_RELINKED;
	assert_int_equal(branches, 0);
	if (f->host_bytes == copied && !memcmp(c->rw + f->body, bytes, length))
		return REWRITING_COPIED;
	/* PUSHF with idle prefixes is copied without them. */
	if (insn && insn->opcode == 0x9c && f->host_bytes == 6 && c->rw[f->body] == 0x9c)
		return REWRITING_COPIED;
	return REWRITING_INLINED;
}

static unsigned long checked;

static void check(struct bench *b, const uint8_t *bytes, uint32_t key)
{
	struct prescan_insn insn = { 0 };
	enum prescan_status status = prescan_decode(bytes, PRESCAN_INSN_MAX, key & KEY_D ? PRESCAN_MODE_32 : PRESCAN_MODE_16, &insn);
	const struct prescan_insn *in = status == PRESCAN_OK ? &insn : NULL;

	for (int strategy = REWRITE_ADAPTIVE; strategy <= REWRITE_GATE; strategy++) {
		enum prescan_rewriting said, done;

		b->c.env.strategy = (enum prescan_rewrite)strategy;
		said = prescan_rewriting(in, (enum prescan_rewrite)strategy, key);
		done = emitted(b, bytes, in, key);
		checked++;
		if (said == done)
			continue;
		print_error("%s: strategy %d, key %x, bytes", in ? prescan_mnemonic(in) : "(none)", strategy, key);
		for (int i = 0; i < 12; i++)
			print_error(" %02x", bytes[i]);
		fail_msg(": said %s, done %s", prescan_rewriting_name(said), prescan_rewriting_name(done));
	}
}

static const uint32_t whole = KEY_D | KEY_SS_B | KEY_FLAT | KEY_FPU | KEY_SSE | KEY_PLAIN_FLAGS | KEY_TSC | KEY_FWAIT;

static const uint32_t keys[] = {
	KEY_D | KEY_SS_B | KEY_FLAT | KEY_FPU | KEY_SSE | KEY_PLAIN_FLAGS | KEY_TSC | KEY_FWAIT,
	KEY_D | KEY_SS_B | KEY_FLAT | KEY_FPU | KEY_SSE | KEY_PLAIN_FLAGS | KEY_TSC | KEY_FWAIT | KEY_CPL3 | KEY_USER_IF,
	KEY_D | KEY_SS_B | KEY_FLAT | KEY_PLAIN_FLAGS | KEY_CPL3 | KEY_GUARD_FS | KEY_GUARD_GS | KEY_GUARD_CS,
	KEY_D | KEY_SS_B | KEY_FLAT | KEY_FPU | KEY_CPL3 | KEY_GUARD_GS | KEY_SAFE_GS | KEY_GUARD_FS | KEY_SAFE_FS | KEY_GUARD_CS16,
	KEY_D | KEY_SS_B | KEY_FLAT,
	KEY_D | KEY_FLAT | KEY_FPU | KEY_FWAIT,
	KEY_D | KEY_SS_B | KEY_FPU | KEY_SSE | KEY_PLAIN_FLAGS,
	KEY_FPU | KEY_SSE | KEY_PLAIN_FLAGS | KEY_TSC,
	KEY_SS_B | KEY_FLAT,
	0,
};

/* Opcode spaces: what stands before the opcode byte. */
static const struct {
	uint8_t bytes[4], n;
} spaces[] = {
	{ { 0 }, 0 }, { { 0x0f }, 1 }, { { 0x0f, 0x38 }, 2 }, { { 0x0f, 0x3a }, 2 }, { { 0xc5, 0xf8 }, 2 }, { { 0xc5, 0xf9 }, 2 },
	{ { 0xc4, 0xe2, 0x79 }, 3 }, { { 0xc4, 0xe3, 0x79 }, 3 },
};
static const uint8_t prefix_sets[][3] = {
	{ 0 }, { 1, 0x66 }, { 1, 0x67 }, { 1, 0xf3 }, { 1, 0xf2 }, { 1, 0x64 }, { 1, 0x65 }, { 1, 0x2e }, { 2, 0x65, 0x67 }, { 1, 0xf0 },
};
static const uint8_t modrms[] = { 0x05, 0x00, 0x44, 0x85, 0xc0, 0x02 };

static void every_opcode_gets_the_rewriting_that_is_reported(void **state)
{
	struct bench *b = *state;

	for (size_t s = 0; s < PLX_ARRAY_SIZE(spaces); s++)
		for (unsigned int op = 0; op < 256; op++)
			for (size_t p = 0; p < PLX_ARRAY_SIZE(prefix_sets); p++)
				for (size_t m = 0; m < PLX_ARRAY_SIZE(modrms); m++)
					for (unsigned int reg = 0; reg < 8; reg++)
						for (size_t k = 0; k < PLX_ARRAY_SIZE(keys); k++) {
							uint8_t bytes[16] = { 0 };
							unsigned int n = 0;

							for (unsigned int i = 0; i < prefix_sets[p][0]; i++)
								bytes[n++] = prefix_sets[p][1 + i];
							memcpy(bytes + n, spaces[s].bytes, spaces[s].n);
							n += spaces[s].n;
							bytes[n++] = (uint8_t)op;
							bytes[n] = (uint8_t)(modrms[m] | reg << 3);
							check(b, bytes, keys[k]);
						}
	assert_true(checked > 1000000);
}

/* [base + constant] through a segment whose base has a margin: the constant decides, on both sides and at the edge. */
static void the_margin_of_a_guarded_segment_is_the_translators(void **state)
{
	static const uint32_t displacements[] = { 0, 0xffffff, 0x1000000, 0x1000001, 0xff000000, 0xfeffffff, 0x80000000 };
	const uint32_t key = whole | KEY_CPL3 | KEY_GUARD_GS | KEY_SAFE_GS;
	struct bench *b = *state;
	struct prescan_insn insn;

	for (size_t i = 0; i < PLX_ARRAY_SIZE(displacements); i++) {
		uint8_t bytes[16] = { 0x65, 0x8b, 0x05 };

		memcpy(bytes + 3, &displacements[i], 4);
		check(b, bytes, key);
		assert_int_equal(prescan_decode(bytes, sizeof(bytes), PRESCAN_MODE_32, &insn), PRESCAN_OK);
		assert_int_equal(prescan_rewriting(&insn, REWRITE_ADAPTIVE, key) == REWRITING_COPIED,
				 (int32_t)displacements[i] >= -0x1000000 && (int32_t)displacements[i] <= 0x1000000);
	}
}

static void random_bytes_get_the_rewriting_that_is_reported(void **state)
{
	struct bench *b = *state;
	uint32_t seed = 0x1234567;

	for (int i = 0; i < 300000; i++) {
		uint8_t bytes[16];

		for (size_t j = 0; j < sizeof(bytes); j++) {
			seed = seed * 1664525u + 1013904223u;
			bytes[j] = (uint8_t)(seed >> 24);
		}
		check(b, bytes, seed >> 3 & 0xffff);
	}
}

static void every_rewriting_has_a_name_and_a_meaning(void **state)
{
	(void)state;
	for (int i = 0; i < REWRITING_NR; i++) {
		assert_string_not_equal(prescan_rewriting_name((enum prescan_rewriting)i), "(none)");
		assert_string_not_equal(prescan_rewriting_meaning((enum prescan_rewriting)i), "(none)");
		for (int j = 0; j < i; j++)
			assert_string_not_equal(prescan_rewriting_name((enum prescan_rewriting)i),
						prescan_rewriting_name((enum prescan_rewriting)j));
	}
	assert_string_equal(prescan_rewriting_name(REWRITING_NR), "(none)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_opcode_gets_the_rewriting_that_is_reported, setup),
		cmocka_unit_test_setup(the_margin_of_a_guarded_segment_is_the_translators, setup),
		cmocka_unit_test_setup(random_bytes_get_the_rewriting_that_is_reported, setup),
		cmocka_unit_test(every_rewriting_has_a_name_and_a_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
