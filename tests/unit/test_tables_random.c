/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_tables_random.c - long random runs of host-module/tables.h against a model that has an entry a page and no tables.
 *
 * After each call, whether it succeeded or not, the range it named is compared in all views by the walker; now and then everything
 * is. What had been mapped and now is not, or otherwise, must be in what the call said to invalidate; so must tables that a
 * processor could have cached a way to.
 */
#include "tables_walker.h"

#define PAIRS		5u
#define WINDOWS		4u
#define WINDOW_PAGES	1536u		/* three tables of the last level */
#define PAGE		4096ull
#define MIB2		(1ull << 21)

struct page {
	bool present;
	uint64_t phys, rights;	/* TABLES_RIGHTS */
};

struct space {
	bool used;
	uint32_t number;
	struct page page[WINDOWS][WINDOW_PAGES];
};

struct model {
	struct tables_lab l;
	struct lab_random r;
	struct space pair[PAIRS], monitor;
	table_ref pinned[TABLE_SLOTS];	/* taken away, so that pages are scarce */
	uint32_t npinned;
	unsigned int nenomem, neexist, nenoent, ndone, nlost_tables;
};

/* Over the carries of the indices. */
static const uint64_t low[WINDOWS] = { 0, (1ull << 30) - MIB2, (3ull << 30) - 2 * MIB2, (4ull << 30) - 3 * MIB2 };
static const uint64_t high4[WINDOWS] = { 4ull << 30, (1ull << 39) - MIB2, ~0ull << 47, -3 * MIB2 };
static const uint64_t high5[WINDOWS] = { 4ull << 30, (1ull << 48) - MIB2, (1ull << 56) - 3 * MIB2, ~0ull << 31 };

static uint64_t window(const struct model *m, const struct space *sp, unsigned int w)
{
	if (sp != &m->monitor)
		return low[w];
	return m->l.state.config.levels == 5 ? high5[w] : high4[w];
}

static struct page image(const struct page *p)
{
	struct page u = *p;

	if (!p->present || !(p->rights & TABLES_BOTH))
		return (struct page){ 0 };
	if (p->rights & TABLES_USER_RO)
		u.rights &= ~(uint64_t)TABLES_W;
	u.rights &= ~(TABLES_BOTH | TABLES_USER_RO);
	return u;
}

static void compare(const struct model *m, uint32_t root, uint64_t va, struct page want)
{
	struct walk w = walk(&m->l, tables_root(&m->l.t, root), va);
	uint64_t phys, flags;

	assert_int_equal(w.present, want.present);
	assert_int_equal(tables_lookup(&m->l.t, root, va | 0x123, &phys, &flags), want.present ? 0 : -PLX_ENOENT);
	if (!want.present)
		return;
	assert_int_equal(w.phys, want.phys);
	assert_int_equal(phys, want.phys | 0x123);
	assert_int_equal(w.rights, want.rights & ~(TABLES_BOTH | TABLES_USER_RO));
	assert_int_equal(flags, want.rights | (w.large ? TABLES_LARGE : 0));
}

static void compare_range(const struct model *m, const struct space *sp, unsigned int w, uint32_t from, uint32_t n)
{
	for (uint32_t i = from; i < from + n; i++) {
		const struct page *p = &sp->page[w][i];
		uint64_t va = window(m, sp, w) + i * PAGE;

		if (sp != &m->monitor) {
			compare(m, TABLES_SUPERVISOR(sp->number), va, *p);
			compare(m, TABLES_USER(sp->number), va, image(p));
			continue;
		}
		compare(m, TABLES_TEMPLATE, va, *p);
		for (uint32_t s = 0; s < PAIRS; s++) {
			if (!m->pair[s].used)
				continue;
			compare(m, TABLES_SUPERVISOR(m->pair[s].number), va, *p);
			compare(m, TABLES_USER(m->pair[s].number), va, *p);
		}
	}
}

static void compare_all(const struct model *m)
{
	for (unsigned int w = 0; w < WINDOWS; w++) {
		compare_range(m, &m->monitor, w, 0, WINDOW_PAGES);
		for (uint32_t s = 0; s < PAIRS; s++)
			if (m->pair[s].used)
				compare_range(m, &m->pair[s], w, 0, WINDOW_PAGES);
	}
}

/* ---- one random call -------------------------------------------------------------------------------------------------------- */

enum what { MAP, UNMAP, PROTECT };

struct call {
	enum what what;
	struct space *sp;
	unsigned int w;
	uint32_t from, n;
	uint64_t phys, flags, mask;
};

static uint64_t random_rights(struct model *m, bool pair)
{
	uint64_t rights = 0, all[] = { TABLES_W, TABLES_U, TABLES_NX, TABLES_PCD, TABLES_PWT, TABLES_BOTH, TABLES_USER_RO };

	for (size_t i = 0; i < (pair ? 7u : 5u); i++)
		if (lab_below(&m->r, 2))
			rights |= all[i];
	return rights;
}

static struct call random_call(struct model *m)
{
	struct call c = { .what = lab_below(&m->r, 8), .w = lab_below(&m->r, WINDOWS) };
	uint32_t s = lab_below(&m->r, PAIRS + 1);

	c.what = c.what < 4 ? MAP : c.what < 6 ? UNMAP : PROTECT;
	c.sp = s < PAIRS && m->pair[s].used ? &m->pair[s] : &m->monitor;
	switch (lab_below(&m->r, 4)) {
	case 0:			/* whole tables */
		c.from = lab_below(&m->r, 3) * 512;
		c.n = (1 + lab_below(&m->r, 3 - c.from / 512)) * 512;
		break;
	case 1:			/* anything */
		c.from = lab_below(&m->r, WINDOW_PAGES);
		c.n = 1 + lab_below(&m->r, WINDOW_PAGES - c.from);
		break;
	default:		/* a few pages */
		c.from = lab_below(&m->r, WINDOW_PAGES - 20);
		c.n = 1 + lab_below(&m->r, 20);
	}
	c.flags = random_rights(m, c.sp != &m->monitor);
	if (c.what == MAP) {
		/* Half of them stand to the linear address so that 2 MiB leaves are possible. */
		c.phys = (uint64_t)lab_below(&m->r, 1u << 20) * MIB2;
		c.phys += lab_below(&m->r, 2) ? (window(m, c.sp, c.w) + c.from * PAGE) % MIB2 : lab_below(&m->r, 512) * PAGE;
		c.flags |= TABLES_CREATE | (lab_below(&m->r, 2) ? TABLES_LARGE : 0) | (lab_below(&m->r, 4) ? TABLES_OVERWRITE : 0);
	} else if (c.what == PROTECT) {
		c.mask = random_rights(m, c.sp != &m->monitor);
		/* Mostly where there is something. */
		if (lab_below(&m->r, 4)) {
			while (c.n > 1 && !c.sp->page[c.w][c.from].present) {
				c.from++;
				c.n--;
			}
			for (uint32_t i = 1; i < c.n; i++)
				if (!c.sp->page[c.w][c.from + i].present)
					c.n = i;
		}
	}
	return c;
}

static int do_call(struct model *m, const struct call *c)
{
	struct tables *t = &m->l.t;
	uint64_t va = window(m, c->sp, c->w) + c->from * PAGE, nbytes = c->n * PAGE;
	uint32_t pair = c->sp->number, linear = (uint32_t)va;
	struct tables_inv *inv = &m->l.inv;

	memset(inv, 0, sizeof(*inv));
	if (c->sp == &m->monitor)
		return c->what == MAP ? tables_map(t, va, c->phys, nbytes, c->flags, inv) :
			c->what == UNMAP ? tables_unmap(t, va, nbytes, inv) : tables_protect(t, va, nbytes, c->mask, c->flags, inv);
	return c->what == MAP ? pair_map(t, pair, linear, c->phys, nbytes, c->flags, inv) :
		c->what == UNMAP ? pair_unmap(t, pair, linear, nbytes, inv) :
		pair_protect(t, pair, linear, nbytes, c->mask, c->flags, inv);
}

/* What the call should answer, given pages enough. */
static int expected(const struct call *c)
{
	for (uint32_t i = c->from; i < c->from + c->n; i++) {
		if (c->what == MAP && c->sp->page[c->w][i].present && !(c->flags & TABLES_OVERWRITE))
			return -PLX_EEXIST;
		if (c->what == PROTECT && !c->sp->page[c->w][i].present)
			return -PLX_ENOENT;
	}
	return 0;
}

static bool same(struct page a, struct page b)
{
	const uint64_t ours = TABLES_BOTH | TABLES_USER_RO;

	return a.present == b.present && a.phys == b.phys && (a.rights & ~ours) == (b.rights & ~ours);
}

/* It succeeded: do it in the model, and hold it to what it said of the TLB. */
static void commit(struct model *m, const struct call *c)
{
	uint64_t known = TABLES_RIGHTS & ~(m->l.state.config.nx ? 0 : TABLES_NX);

	for (uint32_t i = 0; i < c->n; i++) {
		struct page *p = &c->sp->page[c->w][c->from + i], old = *p, old_image = image(p);

		if (c->what == MAP)
			*p = (struct page){ true, c->phys + i * PAGE, c->flags & known };
		else if (c->what == UNMAP)
			*p = (struct page){ 0 };
		else
			p->rights = ((p->rights & ~c->mask) | (c->flags & c->mask)) & known;
		if ((old.present && !same(old, *p)) || (old_image.present && !same(old_image, image(p))))
			assert_true(inv_covers(&m->l.inv, window(m, c->sp, c->w) + (c->from + i) * PAGE));
	}
}

#define PATHS 6

/* A processor may remember the way to a table: if the way is another afterwards, all must go. */
struct path { uint32_t root; uint64_t va; struct walk before; };

static void remember_paths(struct model *m, struct path *path)
{
	for (unsigned int i = 0; i < PATHS; i++) {
		uint32_t s = lab_below(&m->r, PAIRS), w = lab_below(&m->r, WINDOWS);
		bool monitor = !m->pair[s].used || lab_below(&m->r, 3) == 0;

		path[i].va = window(m, monitor ? &m->monitor : &m->pair[s], w) + lab_below(&m->r, WINDOW_PAGES) * PAGE;
		path[i].root = m->pair[s].used ? TABLES_SUPERVISOR(m->pair[s].number) + lab_below(&m->r, 2) : TABLES_TEMPLATE;
		path[i].before = walk(&m->l, tables_root(&m->l.t, path[i].root), path[i].va);
	}
}

static void hold_to_paths(struct model *m, const struct path *path)
{
	for (unsigned int i = 0; i < PATHS; i++) {
		struct walk after = walk(&m->l, tables_root(&m->l.t, path[i].root), path[i].va);

		for (int level = 1; level <= 5; level++) {
			if (!path[i].before.table[level] || after.table[level] == path[i].before.table[level])
				continue;
			assert_int_equal(m->l.inv.kind, TABLES_INV_ALL);
			m->nlost_tables++;
		}
	}
}

static int call_and_compare(struct model *m, const struct call *c)
{
	struct path path[PATHS];
	int want = expected(c), result;

	remember_paths(m, path);
	result = do_call(m, c);
	if (result != -PLX_ENOMEM || want)
		assert_int_equal(result, want);
	if (!result)
		commit(m, c);
	hold_to_paths(m, path);
	compare_range(m, c->sp, c->w, c->from, c->n);
	return result;
}

/* ---- pairs, tracing --------------------------------------------------------------------------------------------------------- */

static void take_away(struct model *m, uint32_t leave)
{
	while (m->l.t.pages.state->nfree > leave) {
		m->pinned[m->npinned] = table_page_alloc(&m->l.t.pages, true);
		assert_int_not_equal(m->pinned[m->npinned++], TABLE_NONE);
	}
}

static void come_or_go(struct model *m)
{
	struct space *sp = &m->pair[lab_below(&m->r, PAIRS)];
	int result;

	if (!sp->used) {
		result = pair_alloc(&m->l.t, &sp->number, &m->l.inv);
		assert_true(result == 0 || result == -PLX_ENOMEM);
		sp->used = !result;
		memset(sp->page, 0, sizeof(sp->page));
	} else if (lab_below(&m->r, 2)) {
		assert_int_equal(pair_clear(&m->l.t, sp->number, &m->l.inv), 0);
		memset(sp->page, 0, sizeof(sp->page));
	} else {
		assert_int_equal(pair_free(&m->l.t, sp->number, &m->l.inv), 0);
		sp->used = false;
	}
}

static void tracing_is_exact(struct model *m)
{
	uint32_t before = m->l.t.pages.state->nused - m->npinned, reach = reachable(&m->l), free = m->l.t.pages.state->nfree;

	assert_int_equal(tables_collect(&m->l.t, &m->l.inv), before - reach);
	assert_int_equal(m->l.t.pages.state->nused, reach + m->npinned);
	assert_int_equal(m->l.t.pages.state->nfree, free + before - reach);
}

static void run(struct model *m, unsigned int ncalls)
{
	for (unsigned int i = 0; i < ncalls; i++) {
		struct call c = random_call(m);

		switch (call_and_compare(m, &c)) {
		case 0:
			m->ndone++;
			break;
		case -PLX_EEXIST:
			m->neexist++;
			break;
		case -PLX_ENOENT:
			m->nenoent++;
			break;
		default:	/* give some and do it again, or do without */
			m->nenomem++;
			if (lab_below(&m->r, 2)) {
				for (uint32_t n = 0; n < 12 && m->npinned; n++)
					table_page_free(&m->l.t.pages, m->pinned[--m->npinned]);
				assert_int_not_equal(call_and_compare(m, &c), -PLX_ENOMEM);
			} else if (lab_below(&m->r, 2)) {
				come_or_go(m);
			}
		}
		if (lab_below(&m->r, 20) == 0)
			take_away(m, lab_below(&m->r, 12));
		if (lab_below(&m->r, 40) == 0)
			come_or_go(m);
		if (lab_below(&m->r, 100) == 0)
			tracing_is_exact(m);
		if (lab_below(&m->r, 200) == 0)
			compare_all(m);
	}
	compare_all(m);
	tracing_is_exact(m);
	tables_prune(&m->l.t, &m->l.inv);
	compare_all(m);
	tracing_is_exact(m);
}

static void random_calls_agree_with_a_table_of_pages(void **state)
{
	static const struct tables_config configs[] = {
		{ .levels = 4, .nx = true, .phys_bits = 46 },
		{ .levels = 4, .nx = false, .phys_bits = 48, .sme_mask = 1ull << 47 },
		{ .levels = 5, .nx = true, .phys_bits = 52, .sme_mask = 1ull << 51 },
		{ .levels = 5, .nx = true, .phys_bits = 46 },
	};

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(configs); i++) {
		struct model *m = calloc(1, sizeof(*m));

		m->r = lab_seed("tables");
		m->r.x ^= (uint64_t)i << 40;
		tables_lab_init(&m->l, &configs[i], 1);
		take_away(m, 30);
		run(m, 3000);
		print_message("%u done, %u refused, %u holes, %u without pages, %u ways lost; %llu collects, %llu prunes, %llu splits\n",
			      m->ndone, m->neexist, m->nenoent, m->nenomem, m->nlost_tables,
			      (unsigned long long)m->l.state.count.collects, (unsigned long long)m->l.state.count.prunes,
			      (unsigned long long)m->l.state.count.splits);
		assert_true(m->ndone && m->neexist && m->nenoent && m->nenomem > 20 && m->nlost_tables);
		lab_done(&m->l.lab);
		free(m);
	}
}

/*
 * Each call with room for no table, for one, for two, until it succeeds: before that nothing has changed anywhere, and when it
 * succeeds it takes no more than there is (a table from nowhere would be slot 0 of chunk 0, which the walker never forgives).
 */
static void without_pages_at_any_point_all_is_as_before(void **state)
{
	static const struct tables_config config = { .levels = 5, .nx = true, .phys_bits = 46 };
	struct model *m = calloc(1, sizeof(*m));
	unsigned int failures = 0, deepest = 0;

	(void)state;
	m->r = lab_seed("tables without pages");
	tables_lab_init(&m->l, &config, 1);
	for (unsigned int s = 0; s < 2; s++) {
		m->pair[s].used = true;
		assert_int_equal(pair_alloc(&m->l.t, &m->pair[s].number, &m->l.inv), 0);
	}
	for (unsigned int i = 0; i < 200; i++) {
		struct call c = random_call(m);
		unsigned int room = 0;

		if (i % 5 == 0 && c.sp != &m->monitor) {
			pair_clear(&m->l.t, c.sp->number, &m->l.inv);
			memset(c.sp->page, 0, sizeof(c.sp->page));
			tables_prune(&m->l.t, &m->l.inv);
		}
		take_away(m, 0);
		while (call_and_compare(m, &c) == -PLX_ENOMEM) {
			compare_all(m);
			assert_true(m->npinned > 0);
			table_page_free(&m->l.t.pages, m->pinned[--m->npinned]);
			room++;
			failures++;
		}
		deepest = plx_max32(deepest, room);
		compare_all(m);
	}
	print_message("%u failures, %u in a row before one call\n", failures, deepest);
	assert_true(failures > 50 && deepest > 4);
	lab_done(&m->l.lab);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_calls_agree_with_a_table_of_pages),
		cmocka_unit_test(without_pages_at_any_point_all_is_as_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
