/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/coverage_file.c - see coverage_file.h, which has the format.
 *
 * Asked by:  user/coverage_record.c, user/coverage_report.c. Tested by: tests/unit/test_coverage_file.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/coverage_file.h"
#include "user/host_files.h"

#define HEAD_LINEAR	0x20
#define HEAD_GPA	0x40
#define HEAD_COUNTS	0x80
#define HEAD_CODE32	0x10
#define HOW_BITS	0x0f
#define NAME_MAX_BYTES	65536u

_Static_assert(PLX_COVER_RAISED == HOW_BITS + 1, "how it was done has four bits; that it raised is told by a count");

static const uint8_t magic[8] = { 'P', 'L', 'X', 'C', 'O', 'V', 'E', 'R' };

int coverage_order(const struct coverage_insn *a, const struct coverage_insn *b)
{
	if (a->linear != b->linear)
		return a->linear < b->linear ? -1 : 1;
	if (a->gpa != b->gpa)
		return a->gpa < b->gpa ? -1 : 1;
	if (a->code32 != b->code32)
		return a->code32 < b->code32 ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->bytes, b->bytes, a->length);
}

/* ---- writing ---- */

struct sink {
	FILE *to;
	uint64_t sum;
};

#define FNV_BASIS 0xcbf29ce484222325u

static uint64_t fnv(uint64_t sum, const uint8_t *bytes, size_t nbytes)
{
	for (size_t i = 0; i < nbytes; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3u;
	return sum;
}

static void put(struct sink *s, const void *bytes, size_t nbytes)
{
	s->sum = fnv(s->sum, bytes, nbytes);
	fwrite(bytes, 1, nbytes, s->to);
}

static size_t to_varint(uint8_t *at, uint64_t value)
{
	size_t n = 0;

	while (value >= 0x80) {
		at[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	at[n++] = (uint8_t)value;
	return n;
}

static void put_varint(struct sink *s, uint64_t value)
{
	uint8_t bytes[10];

	put(s, bytes, to_varint(bytes, value));
}

static void put_number(struct sink *s, uint64_t value, unsigned int nbytes)
{
	uint8_t bytes[8];

	for (unsigned int i = 0; i < nbytes; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	put(s, bytes, nbytes);
}

static void put_text(struct sink *s, const char *text)
{
	size_t n = strlen(text);

	n = n < NAME_MAX_BYTES ? n : NAME_MAX_BYTES;
	put_varint(s, n);
	put(s, text, n);
}

static void put_insn(struct sink *s, const struct coverage_insn *insn, const struct coverage_insn *before)
{
	bool linear = insn->linear != before->linear + before->length;
	bool gpa = insn->gpa - insn->linear != before->gpa - before->linear;
	bool counts = insn->callouts || insn->interpreted || insn->raised;
	uint8_t bytes[2 + 2 * 5 + 15 + 3 * 10];
	size_t n = 0;

	bytes[n++] = (uint8_t)((insn->how & HOW_BITS) | (insn->code32 ? HEAD_CODE32 : 0) | (linear ? HEAD_LINEAR : 0) |
			       (gpa ? HEAD_GPA : 0) | (counts ? HEAD_COUNTS : 0));
	bytes[n++] = (uint8_t)(insn->length | insn->cpls << 4);
	if (linear)
		n += to_varint(bytes + n, insn->linear - before->linear);
	if (gpa)
		n += to_varint(bytes + n, insn->gpa - insn->linear);
	memcpy(bytes + n, insn->bytes, insn->length);
	n += insn->length;
	if (counts) {
		n += to_varint(bytes + n, insn->callouts);
		n += to_varint(bytes + n, insn->interpreted);
		n += to_varint(bytes + n, insn->raised);
	}
	put(s, bytes, n);
}

bool coverage_write(const struct coverage_run *run, const struct coverage_insn *insns, size_t ninsns, FILE *to)
{
	struct sink s = { .to = to, .sum = FNV_BASIS };
	const struct coverage_insn none = { 0 };
	const struct coverage_insn *before = &none;

	put(&s, magic, sizeof(magic));
	put_number(&s, COVERAGE_VERSION, 4);
	put(&s, run->id, sizeof(run->id));
	put_varint(&s, run->rewrite);
	put_varint(&s, run->lost);
	put_varint(&s, run->unreached);
	put_text(&s, run->version);
	put_text(&s, run->command);
	put_varint(&s, ninsns);
	for (size_t i = 0; i < ninsns; before = &insns[i++])
		put_insn(&s, &insns[i], before);
	put_number(&s, s.sum, 8);
	return !ferror(to);
}

/* ---- reading ---- */

struct source {
	const uint8_t *at, *end;
	bool cut;		/* more was wanted than is there */
};

static bool take(struct source *s, void *to, size_t nbytes)
{
	if ((size_t)(s->end - s->at) < nbytes) {
		s->cut = true;
		memset(to, 0, nbytes);
		return false;
	}
	memcpy(to, s->at, nbytes);
	s->at += nbytes;
	return true;
}

static uint64_t take_number(struct source *s, unsigned int nbytes)
{
	uint8_t bytes[8] = { 0 };
	uint64_t value = 0;

	take(s, bytes, nbytes);
	for (unsigned int i = 0; i < nbytes; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

static uint64_t take_varint(struct source *s)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte = (uint8_t)take_number(s, 1);

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

static char *take_text(struct source *s)
{
	uint64_t n = take_varint(s);
	char *text;

	if (n > (uint64_t)(s->end - s->at)) {
		s->cut = true;
		n = 0;
	}
	text = calloc(1, (size_t)n + 1);
	if (text)
		take(s, text, (size_t)n);
	return text;
}

/* False: no entry. */
static bool take_insn(struct source *s, struct coverage_insn *insn, const struct coverage_insn *before)
{
	uint8_t head = (uint8_t)take_number(s, 1), second = (uint8_t)take_number(s, 1);

	*insn = (struct coverage_insn){ .length = second & 15, .cpls = second >> 4, .code32 = !!(head & HEAD_CODE32), .how = head & HOW_BITS };
	insn->linear = head & HEAD_LINEAR ? before->linear + (uint32_t)take_varint(s) : before->linear + before->length;
	insn->gpa = insn->linear + (head & HEAD_GPA ? (uint32_t)take_varint(s) : before->gpa - before->linear);
	take(s, insn->bytes, insn->length);
	if (head & HEAD_COUNTS) {
		insn->callouts = take_varint(s);
		insn->interpreted = take_varint(s);
		insn->raised = take_varint(s);
	}
	if (insn->raised)
		insn->how |= PLX_COVER_RAISED;
	return !s->cut && insn->length && insn->how && (!before->length || coverage_order(before, insn) < 0);
}

static int parse_whole(struct coverage *c, struct source *s)
{
	struct coverage_run *run = calloc(1, sizeof(*run));
	const struct coverage_insn none = { 0 };
	uint64_t n;

	c->runs = run;
	if (!run)
		return -ENOMEM;
	c->nruns = 1;
	take(s, run->id, sizeof(run->id));
	run->rewrite = take_varint(s);
	run->lost = take_varint(s);
	run->unreached = take_varint(s);
	run->version = take_text(s);
	run->command = take_text(s);
	if (!run->version || !run->command)
		return -ENOMEM;
	n = take_varint(s);
	if (s->cut || n > (uint64_t)(s->end - s->at) / 3) {	/* an entry has three bytes at least */
		s->cut = true;
		return -EINVAL;
	}
	c->insns = calloc((size_t)n + 1, sizeof(*c->insns));
	if (!c->insns)
		return -ENOMEM;
	for (; c->ninsns < n; c->ninsns++)
		if (!take_insn(s, &c->insns[c->ninsns], c->ninsns ? &c->insns[c->ninsns - 1] : &none))
			return -EINVAL;
	return 0;
}

int coverage_parse(struct coverage *coverage, const uint8_t *bytes, size_t nbytes, char *why, size_t why_bytes)
{
	struct source s = { .at = bytes, .end = bytes + nbytes };
	struct coverage c = { 0 };
	const uint8_t *sum_at;
	uint8_t start[sizeof(magic)];
	uint32_t version;
	int err;

	if (!take(&s, start, sizeof(start)) || memcmp(start, magic, sizeof(magic))) {
		bool cut = nbytes && nbytes < sizeof(magic) && !memcmp(bytes, magic, nbytes);

		snprintf(why, why_bytes, cut ? "is cut off" : "is no coverage file of Plexus");
		return -EINVAL;
	}
	version = (uint32_t)take_number(&s, 4);
	if (!s.cut && version != COVERAGE_VERSION) {
		snprintf(why, why_bytes, "is of format version %u, and this Plexus reads version %u", version, COVERAGE_VERSION);
		return -EINVAL;
	}
	err = parse_whole(&c, &s);
	sum_at = s.at;
	if (!err && (take_number(&s, 8) != fnv(FNV_BASIS, bytes, (size_t)(sum_at - bytes)) || s.at != s.end))
		err = -EINVAL;
	if (!err) {
		*coverage = c;
		return 0;
	}
	coverage_free(&c);
	if (err == -ENOMEM)
		snprintf(why, why_bytes, "needs more memory than there is");
	else
		snprintf(why, why_bytes, s.cut ? "is cut off" : "is damaged");
	return err;
}

int coverage_read(struct coverage *coverage, const char *path, char *why, size_t why_bytes)
{
	struct host_file file;
	char what[128];
	int err = host_file_map(&file, path, why, why_bytes);

	if (err)
		return err;
	err = coverage_parse(coverage, file.data, file.nbytes, what, sizeof(what));
	if (err)
		snprintf(why, why_bytes, "%s: %s", path, what);
	host_file_unmap(&file);
	return err;
}

/* ---- together ---- */

static int by_id(const void *a, const void *b)
{
	const struct coverage_run *x = a, *y = b;

	return memcmp(x->id, y->id, sizeof(x->id));
}

static bool has_run(const struct coverage *c, const struct coverage_run *run)
{
	for (size_t i = 0; i < c->nruns; i++)
		if (!by_id(&c->runs[i], run))
			return true;
	return false;
}

static void add_insn(struct coverage_insn *to, const struct coverage_insn *other)
{
	to->how |= other->how;
	to->cpls |= other->cpls;
	to->callouts += other->callouts;
	to->interpreted += other->interpreted;
	to->raised += other->raised;
}

bool coverage_add(struct coverage *to, struct coverage *other)
{
	struct coverage_insn *insns;
	struct coverage_run *runs;
	size_t i = 0, j = 0, n = 0;

	if (other->nruns && has_run(to, &other->runs[0])) {
		coverage_free(other);
		return true;
	}
	insns = malloc((to->ninsns + other->ninsns + 1) * sizeof(*insns));
	runs = malloc((to->nruns + other->nruns + 1) * sizeof(*runs));
	if (!insns || !runs) {
		free(insns);
		free(runs);
		return false;
	}
	while (i < to->ninsns || j < other->ninsns) {
		int order = i == to->ninsns ? 1 : j == other->ninsns ? -1 : coverage_order(&to->insns[i], &other->insns[j]);

		insns[n] = order <= 0 ? to->insns[i] : other->insns[j];
		if (!order)
			add_insn(&insns[n], &other->insns[j]);
		i += order <= 0;
		j += order >= 0;
		n++;
	}
	if (to->nruns)
		memcpy(runs, to->runs, to->nruns * sizeof(*runs));
	if (other->nruns)
		memcpy(runs + to->nruns, other->runs, other->nruns * sizeof(*runs));
	qsort(runs, to->nruns + other->nruns, sizeof(*runs), by_id);
	free(to->insns);
	free(to->runs);
	free(other->insns);
	free(other->runs);
	*to = (struct coverage){ .runs = runs, .nruns = to->nruns + other->nruns, .insns = insns, .ninsns = n };
	*other = (struct coverage){ 0 };
	return true;
}

void coverage_free(struct coverage *c)
{
	for (size_t i = 0; i < c->nruns; i++) {
		free((void *)c->runs[i].version);
		free((void *)c->runs[i].command);
	}
	free(c->runs);
	free(c->insns);
	*c = (struct coverage){ 0 };
}
