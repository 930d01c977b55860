/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/corpora/checksum.h - the exhaustive corpora as cases and as sums; shared by generate.c and tests/unit/test_corpora.c.
 */
#ifndef TESTS_CORPORA_CHECKSUM_H
#define TESTS_CORPORA_CHECKSUM_H

#include <string.h>

#include "tests/corpora/corpus.h"

struct corpus_sum {
	uint64_t hash;
	unsigned long cases, defined, undefined, too_long;
};

struct corpus_walker {
	corpus_fn fn;
	void *arg;
	uint8_t last[2][PRESCAN_INSN_MAX];	/* bytes of the last case, by mode */
	unsigned int last_length[2];
};

/* The same instruction with another byte behind it is not another case. */
static inline bool corpus_walk_step(void *arg, const uint8_t *bytes)
{
	struct corpus_walker *w = arg;

	for (unsigned int mode = PRESCAN_MODE_16; mode <= PRESCAN_MODE_32; mode++) {
		struct corpus_case c;
		bool same;

		corpus_case_of(&c, bytes, (enum prescan_mode)mode);
		same = c.length && c.length == w->last_length[mode] && !memcmp(bytes, w->last[mode], c.length);
		w->last_length[mode] = c.length;
		memcpy(w->last[mode], bytes, PRESCAN_INSN_MAX);
		if (!same && !w->fn(w->arg, &c))
			return false;
	}
	return true;
}

static inline bool corpus_walk(enum walk_part part, corpus_fn fn, void *arg)
{
	struct corpus_walker w = { .fn = fn, .arg = arg };

	return walk(part, 1, corpus_walk_step, &w);
}

static inline uint64_t corpus_hash(uint64_t hash, const void *data, size_t n)
{
	const uint8_t *p = data;

	/* FNV-1a */
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

static inline bool corpus_sum_step(void *arg, const struct corpus_case *c)
{
	struct corpus_sum *s = (struct corpus_sum *)arg + c->mode;
	uint8_t length = (uint8_t)c->length;

	s->hash = corpus_hash(s->hash, c->bytes, length ? length : PRESCAN_INSN_MAX);
	s->hash = corpus_hash(s->hash, &length, 1);
	s->hash = corpus_hash(s->hash, c->klass, strlen(c->klass));
	s->cases++;
	s->defined += length != 0;
	s->undefined += !strcmp(c->klass, "undefined");
	s->too_long += !strcmp(c->klass, "too-long");
	return true;
}

static inline void corpus_sums(enum walk_part part, struct corpus_sum sum[2])
{
	sum[0] = sum[1] = (struct corpus_sum){ .hash = 0xcbf29ce484222325u };
	corpus_walk(part, corpus_sum_step, sum);
}

static inline int corpus_sum_print(enum walk_part part, unsigned int mode, const struct corpus_sum *s, char *to, size_t size)
{
	char name[16];

	snprintf(name, sizeof(name), "%s/%s", walk_part_name[part], mode ? "32" : "16");
	return snprintf(to, size, "%-12s %016llx %9lu %9lu %9lu %9lu", name, (unsigned long long)s->hash, s->cases, s->defined,
			s->undefined, s->too_long);
}

#endif
