/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/oracle/oracle.c - prescan against Capstone, Zydis and the bare processor, for as long as one likes.
 *
 *   oracle [--strings N] [--corpora STEP] [--bare N] [--seed N] [--jobs N] [--report FILE]
 *
 *   --strings N   so many random byte strings, each in one mode, to Capstone and Zydis (default 1000000)
 *   --corpora N   every Nth encoding of the exhaustive corpora in both modes to both (1: all; default 0: none)
 *   --bare N      so many more random strings, and about as many of the corpora's encodings, to the bare processor
 *                 (default 20000; 0: none)
 *   --report FILE the page that is printed, as a file too
 *
 * The report lists every explanation that was needed, with how often and an example. Exit status 1 if a difference was without
 * one. The work is cut into pieces, each with a seed of its own, done by as many processes as there are processors: the result
 * does not depend on how many.
 *
 * Read next: tests/oracle/verdict.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/corpora/walk.h"
#include "tests/oracle/verdict.h"

#define PIECE_STRINGS 100000ul
#define SHOWN_AT_MOST 25
#define MAX_JOBS 256

struct counts {
	unsigned long strings, defined, agree, explained, unexplained;
};
enum { CAPSTONE, ZYDIS, BARE, NR_ORACLES };
static const char *const oracle_name[NR_ORACLES] = { "Capstone", "Zydis", "the bare processor" };

/* One worker's results, in memory that the parent sees. */
struct work {
	struct counts of[NR_ORACLES];
	struct tally tally;
	unsigned long done;			/* steps, for the progress line */
	uint8_t now[PRESCAN_INSN_MAX];		/* what a dead child was at */
	char shown[SHOWN_AT_MOST][512];
	unsigned int nshown;
};

struct options {
	unsigned long strings, corpora, bare, seed;
	unsigned int jobs;
	const char *report;
};

/* What a piece of work is: random strings, or one part of the walk. */
struct piece {
	enum { RANDOM, RANDOM_BARE, WALK, WALK_BARE } kind;
	unsigned long seed, count;
	enum walk_part part;
	unsigned int sparse;
};

struct run {
	struct options opt;
	struct piece *piece;
	unsigned long pieces;
	unsigned long *next;			/* shared: the next piece nobody has taken */
	struct work *work;			/* shared, one a worker */
	/* in a worker: */
	struct work *mine;
	struct capstone *capstone;
	struct zydis *zydis;
};

static void count(struct run *r, unsigned int oracle, const struct verdict *v, enum outcome outcome, const struct difference *d)
{
	struct counts *c = &r->mine->of[oracle];

	c->strings++;
	c->defined += v->status == PRESCAN_OK;
	c->agree += outcome == AGREE;
	c->explained += outcome == EXPLAINED;
	if (outcome != UNEXPLAINED)
		return;
	c->unexplained++;
	if (r->mine->nshown < SHOWN_AT_MOST) {
		FILE *f = fmemopen(r->mine->shown[r->mine->nshown], sizeof(r->mine->shown[0]), "w");

		if (f) {
			difference_print(v, oracle_name[oracle], d, f);
			fclose(f);
			r->mine->nshown++;
		}
	}
}

static void judge(struct run *r, const uint8_t *bytes, enum prescan_mode mode, bool bare)
{
	struct verdict v;
	struct difference d = { .what = NULL };
	enum outcome outcome;

	verdict_make(&v, bytes, mode);
	if (bare) {
		memcpy(r->mine->now, bytes, PRESCAN_INSN_MAX);
		outcome = bare_judge(&v, &r->mine->tally, &d);
		count(r, BARE, &v, outcome, &d);
		return;
	}
	outcome = capstone_judge(r->capstone, &v, &r->mine->tally, &d);
	count(r, CAPSTONE, &v, outcome, &d);
	if (r->zydis) {
		outcome = zydis_judge(r->zydis, &v, &r->mine->tally, &d);
		count(r, ZYDIS, &v, outcome, &d);
	}
}

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* A third noise, a third with first bytes chosen to reach far maps, a third with a heap of prefixes. */
static void random_string(uint64_t *x, uint8_t bytes[16])
{
	static const uint8_t openers[16] = {
		0x66, 0xf3, 0xf2, 0x67, 0x0f, 0x0f, 0x0f, 0x0f, 0x64, 0xc4, 0xc5, 0xff, 0xd9, 0xdb, 0x0f, 0x8b,
	};
	static const uint8_t prefixes[16] = {
		0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x64, 0x26, 0x66, 0x67, 0xf2, 0xf3, 0x36, 0x3e, 0x65, 0x66,
	};
	uint64_t a = next_random(x), b = next_random(x), how = next_random(x);
	unsigned int n;

	memcpy(bytes, &a, 8);
	memcpy(bytes + 8, &b, 8);
	switch (how % 3) {
	case 0:
		return;
	case 1:
		bytes[0] = openers[bytes[0] & 15];
		if (bytes[0] == 0xc4 || bytes[0] == 0xc5)
			bytes[1] |= 0xc0;
		if (bytes[0] == 0xc4)
			bytes[1] = 0xe1 + bytes[1] % 3;
		if (bytes[0] == 0x0f && (how & 0x100))
			bytes[1] = how & 0x200 ? 0x38 : 0x3a;
		if (bytes[0] == 0x66 || bytes[0] == 0x67 || (bytes[0] & 0xfe) == 0xf2)
			bytes[1] = openers[bytes[1] & 15];
		return;
	default:
		n = (how >> 8) % 16;
		n = (how >> 16) % (n + 1);
		for (unsigned int i = 0; i < n; i++)
			bytes[i] = prefixes[bytes[i] & 15];
		if (how >> 40 & 1 && n < 15)
			bytes[n] = 0x0f;
	}
}

struct step {
	struct run *r;
	bool bare;
};

static bool step(void *arg, const uint8_t *bytes)
{
	struct step *s = arg;

	judge(s->r, bytes, PRESCAN_MODE_16, s->bare);
	judge(s->r, bytes, PRESCAN_MODE_32, s->bare);
	return true;
}

static void do_piece(struct run *r, const struct piece *p)
{
	struct step s = { .r = r, .bare = p->kind == WALK_BARE };
	uint64_t x = (p->seed + 1) * 0x9e3779b97f4a7c15u;
	uint8_t bytes[16];

	if (p->kind == WALK || p->kind == WALK_BARE) {
		walk(p->part, p->sparse, step, &s);
		return;
	}
	for (unsigned long i = 0; i < p->count; i++) {
		random_string(&x, bytes);
		judge(r, bytes, x >> 33 & 1 ? PRESCAN_MODE_32 : PRESCAN_MODE_16, p->kind == RANDOM_BARE);
	}
}

static void work(struct run *r, unsigned int self)
{
	unsigned long i;
	const char *why;

	r->mine = &r->work[self];
	r->capstone = capstone_open();
	r->zydis = zydis_open();
	if (!r->capstone) {
		fprintf(stderr, "oracle: Capstone does not start\n");
		_exit(2);
	}
	if (r->opt.bare) {
		why = bare_open();
		if (why) {
			fprintf(stderr, "oracle: the bare processor cannot be asked: %s\n", why);
			_exit(2);
		}
	}
	while ((i = __atomic_fetch_add(r->next, 1, __ATOMIC_RELAXED)) < r->pieces) {
		do_piece(r, &r->piece[i]);
		__atomic_fetch_add(&r->mine->done, 1, __ATOMIC_RELAXED);
	}
	_exit(0);
}

static void add_piece(struct run *r, struct piece p)
{
	r->piece = realloc(r->piece, (r->pieces + 1) * sizeof(p));
	if (!r->piece)
		abort();
	r->piece[r->pieces++] = p;
}

static void plan(struct run *r)
{
	const struct options *o = &r->opt;
	unsigned long seed = o->seed * 1000003;

	for (unsigned int part = 0; part < WALK_NR_PARTS; part++) {
		if (o->corpora)
			add_piece(r, (struct piece){ .kind = WALK, .part = part, .sparse = (unsigned int)o->corpora });
		/* About 24 million encodings in all; long and 3dnow have few. */
		if (o->bare)
			add_piece(r, (struct piece){ .kind = WALK_BARE, .part = part, .sparse = 1 +
				(unsigned int)((part == WALK_LONG ? 35000ul : 24000000ul) / (o->bare / 2 + 1) | 1) });
	}
	for (unsigned long n = 0; n < o->bare; n += PIECE_STRINGS / 10)
		add_piece(r, (struct piece){ .kind = RANDOM_BARE, .seed = seed++,
			.count = o->bare - n < PIECE_STRINGS / 10 ? o->bare - n : PIECE_STRINGS / 10 });
	for (unsigned long n = 0; n < o->strings; n += PIECE_STRINGS)
		add_piece(r, (struct piece){ .kind = RANDOM, .seed = seed++,
			.count = o->strings - n < PIECE_STRINGS ? o->strings - n : PIECE_STRINGS });
}

static void progress(const struct run *r, time_t started, bool last)
{
	unsigned long strings = 0, bare = 0, bad = 0, taken = __atomic_load_n(r->next, __ATOMIC_RELAXED), seconds;

	for (unsigned int j = 0; j < r->opt.jobs; j++) {
		strings += r->work[j].of[CAPSTONE].strings;
		bare += r->work[j].of[BARE].strings;
		for (unsigned int o = 0; o < NR_ORACLES; o++)
			bad += r->work[j].of[o].unexplained;
	}
	seconds = (unsigned long)(time(NULL) - started);
	if (taken > r->pieces)
		taken = r->pieces;
	fprintf(stderr, "%soracle: %3lu s, piece %lu of %lu, %lu strings, %lu on the bare processor, %lu unexplained%s",
		isatty(2) ? "\r" : "", seconds, taken, r->pieces, strings, bare, bad, isatty(2) && !last ? "   " : "\n");
}

static void report(const struct run *r, unsigned int died, FILE *out)
{
	struct tally all = { .lines = 0 };

	fprintf(out, "prescan against other decoders and the processor\n\n%-20s %12s %12s %12s %12s %12s\n", "", "strings", "defined",
		"agree", "explained", "unexplained");
	for (unsigned int o = 0; o < NR_ORACLES; o++) {
		struct counts sum = { 0 };

		for (unsigned int j = 0; j < r->opt.jobs; j++) {
			const struct counts *c = &r->work[j].of[o];

			sum.strings += c->strings;
			sum.defined += c->defined;
			sum.agree += c->agree;
			sum.explained += c->explained;
			sum.unexplained += c->unexplained;
		}
		if (!sum.strings)
			fprintf(out, "%-20s not asked%s\n", oracle_name[o], o == ZYDIS ? ": built without it (libzydis-dev)" : "");
		else
			fprintf(out, "%-20s %12lu %12lu %12lu %12lu %12lu\n", oracle_name[o], sum.strings, sum.defined, sum.agree,
				sum.explained, sum.unexplained);
	}
	fprintf(out, "\nseed %lu\n", r->opt.seed);
	for (unsigned int j = 0; j < r->opt.jobs; j++) {
		tally_merge(&all, &r->work[j].tally);
		for (unsigned int i = 0; i < r->work[j].nshown; i++)
			fprintf(out, "UNEXPLAINED %s", r->work[j].shown[i]);
	}
	if (died)
		fprintf(out, "%u workers died\n", died);
	fprintf(out, "\nExplanations, and how often each was needed:\n\n");
	tally_print(&all, out);
}

static int run(struct run *r)
{
	unsigned int died = 0, left;
	unsigned long unexplained = 0;
	time_t started = time(NULL), shown = started;
	FILE *file;

	plan(r);
	r->work = mmap(NULL, sizeof(*r->work) * r->opt.jobs + 64, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->work == MAP_FAILED) {
		perror("oracle: no shared memory");
		return 2;
	}
	r->next = (unsigned long *)(r->work + r->opt.jobs);
	for (left = 0; left < r->opt.jobs; left++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("oracle: fork");
			return 2;
		}
		if (!pid)
			work(r, left);
	}
	while (left) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid > 0) {
			left--;
			if (!WIFEXITED(status) || WEXITSTATUS(status)) {
				died++;
				fprintf(stderr, "oracle: a worker ended with status %x\n", status);
			}
			continue;
		}
		usleep(100000);
		if (time(NULL) - shown >= (isatty(2) ? 1 : 20)) {
			shown = time(NULL);
			progress(r, started, false);
		}
	}
	progress(r, started, true);
	for (unsigned int j = 0; j < r->opt.jobs; j++)
		for (unsigned int o = 0; o < NR_ORACLES; o++)
			unexplained += r->work[j].of[o].unexplained;
	report(r, died, stdout);
	if (r->opt.report) {
		file = fopen(r->opt.report, "w");
		if (!file) {
			fprintf(stderr, "oracle: cannot write %s: %s\n", r->opt.report, strerror(errno));
			return 2;
		}
		report(r, died, file);
		if (fclose(file)) {
			fprintf(stderr, "oracle: cannot write %s: %s\n", r->opt.report, strerror(errno));
			return 2;
		}
	}
	return unexplained || died;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "strings", 1, NULL, 's' }, { "corpora", 1, NULL, 'c' }, { "bare", 1, NULL, 'b' }, { "seed", 1, NULL, 'S' },
		{ "jobs", 1, NULL, 'j' }, { "report", 1, NULL, 'r' }, { NULL, 0, NULL, 0 },
	};
	struct run r = { .opt = { .strings = 1000000, .bare = 20000, .seed = 1, .jobs = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN) } };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 's': r.opt.strings = strtoul(optarg, NULL, 0); break;
		case 'c': r.opt.corpora = strtoul(optarg, NULL, 0); break;
		case 'b': r.opt.bare = strtoul(optarg, NULL, 0); break;
		case 'S': r.opt.seed = strtoul(optarg, NULL, 0); break;
		case 'j': r.opt.jobs = (unsigned int)strtoul(optarg, NULL, 0); break;
		case 'r': r.opt.report = optarg; break;
		default: return 2;
		}
	}
	if (!r.opt.jobs || r.opt.jobs > MAX_JOBS)
		r.opt.jobs = 1;
	return run(&r);
}
