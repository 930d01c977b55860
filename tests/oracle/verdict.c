/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/oracle/verdict.c - see verdict.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/verdict.h"

bool name_matches(const char *pattern, const char *name)
{
	size_t n = strlen(pattern);

	if (n && pattern[n - 1] == '*')
		return !strncmp(pattern, name, n - 1);
	return !strcmp(pattern, name);
}

void name_lower(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; from[i] && i < size - 1; i++)
		to[i] = (char)tolower((unsigned char)from[i]);
	to[i] = '\0';
}

static void scan_prefixes(struct verdict *v)
{
	for (v->opcode = 0; v->opcode < PRESCAN_INSN_MAX; v->opcode++) {
		switch (v->bytes[v->opcode]) {
		case 0x66:
			v->prefixes |= SEEN_66;
			continue;
		case 0x67:
			v->prefixes |= SEEN_67;
			continue;
		case 0xf3:
			v->prefixes |= SEEN_F3;
			continue;
		case 0xf2:
			v->prefixes |= SEEN_F2;
			continue;
		case 0xf0:
			v->prefixes |= SEEN_LOCK;
			continue;
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
			continue;
		}
		return;
	}
}

void verdict_make(struct verdict *v, const uint8_t *bytes, enum prescan_mode mode)
{
	*v = (struct verdict){ .bytes = bytes, .mode = mode };
	scan_prefixes(v);
	v->status = prescan_decode(bytes, PRESCAN_INSN_MAX, mode, &v->insn);
	if (v->status == PRESCAN_OK)
		name_lower(v->name, sizeof(v->name), prescan_mnemonic(&v->insn));
	if (v->status == PRESCAN_NEED_MORE)
		abort();		/* never with 15 bytes: prescan.h */
}

bool verdict_is_escape(const struct verdict *v)
{
	return verdict_byte(v, 0) == 0x0f;
}

bool verdict_is_vex(const struct verdict *v)
{
	return (verdict_byte(v, 0) & 0xfe) == 0xc4 && verdict_byte(v, 1) >= 0xc0;
}

bool verdict_is_evex(const struct verdict *v)
{
	return verdict_byte(v, 0) == 0x62 && verdict_byte(v, 1) >= 0xc0;
}

bool verdict_is_xop(const struct verdict *v)
{
	/* Map 8 and above in the low five bits: else it is POP. */
	return verdict_byte(v, 0) == 0x8f && (verdict_byte(v, 1) & 0x1f) >= 8;
}

void tally_add(struct tally *t, const char *oracle, const char *why, const struct verdict *v)
{
	struct tally_line *l;

	for (l = t->line; l < t->line + t->lines; l++) {
		if (l->why == why && l->oracle == oracle) {
			l->count++;
			return;
		}
	}
	if (t->lines == TALLY_MAX)
		abort();
	*l = (struct tally_line){ .oracle = oracle, .why = why, .count = 1, .mode = (uint8_t)v->mode };
	memcpy(l->bytes, v->bytes, sizeof(l->bytes));
	t->lines++;
}

void tally_merge(struct tally *into, const struct tally *from)
{
	for (unsigned int i = 0; i < from->lines; i++) {
		const struct tally_line *f = &from->line[i];
		struct verdict v = { .bytes = f->bytes, .mode = f->mode };
		unsigned int k;

		for (k = 0; k < into->lines; k++)
			if (into->line[k].why == f->why && into->line[k].oracle == f->oracle)
				break;
		if (k == into->lines) {
			tally_add(into, f->oracle, f->why, &v);
			into->line[k].count = 0;
		}
		into->line[k].count += f->count;
	}
}

static int by_oracle_then_count(const void *a, const void *b)
{
	const struct tally_line *x = a, *y = b;
	int order = strcmp(x->oracle, y->oracle);

	if (order)
		return order;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->why, y->why);
}

static void print_bytes(const uint8_t *bytes, unsigned int n, FILE *out)
{
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%s%02x", i ? " " : "", bytes[i]);
}

void tally_print(const struct tally *t, FILE *out)
{
	struct tally sorted = *t;
	const char *oracle = "";

	qsort(sorted.line, sorted.lines, sizeof(sorted.line[0]), by_oracle_then_count);
	for (unsigned int i = 0; i < sorted.lines; i++) {
		const struct tally_line *l = &sorted.line[i];

		if (strcmp(oracle, l->oracle)) {
			oracle = l->oracle;
			fprintf(out, "%s\n", oracle);
		}
		fprintf(out, "  %12lu  %s\n                  such as, %s-bit: ", l->count, l->why, l->mode ? "32" : "16");
		print_bytes(l->bytes, 10, out);
		fprintf(out, "\n");
	}
}

void difference_print(const struct verdict *v, const char *oracle, const struct difference *d, FILE *out)
{
	fprintf(out, "%s-bit, %s: ours ", v->mode ? "32" : "16", d->what);
	if (v->status == PRESCAN_OK)
		fprintf(out, "%s (%u bytes)", v->name, v->insn.length);
	else
		fprintf(out, v->status == PRESCAN_TOO_LONG ? "too long" : "undefined");
	fprintf(out, ", %s: %s; bytes ", oracle, d->theirs);
	print_bytes(v->bytes, PRESCAN_INSN_MAX, out);
	fprintf(out, "\n");
}
