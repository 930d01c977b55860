/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/oracle/verdict.h - one byte string, what prescan says of it, and how other decoders' answers are judged.
 *
 *      bytes --> prescan_decode --> verdict --+--> capstone.c  \
 *                                             +--> zydis.c      > enum outcome, and why
 *                                             +--> bare.c      /
 *
 * Every difference must have an explanation: a sentence that says who is right and by which word of the SDM. The explanations
 * stand in the oracles' own files, capstone_errata.h and zydis_errata.h; each one used is counted in a tally, so a
 * report shows the list with numbers. A difference without one is an error, of ours or of the list's.
 *
 * Asked by:  tests/unit/test_decode_capstone.c (short form), tests/oracle/oracle.c and coverage.c (long forms).
 * Read next: tests/oracle/capstone.c.
 */
#ifndef TESTS_ORACLE_VERDICT_H
#define TESTS_ORACLE_VERDICT_H

#include <stdio.h>

#include "prescan/prescan.h"

enum outcome {
	AGREE = 0,
	EXPLAINED,	/* differ, and the tally knows why */
	UNEXPLAINED,
};

enum seen_prefix { SEEN_66 = 1, SEEN_F3 = 2, SEEN_F2 = 4, SEEN_LOCK = 8, SEEN_67 = 16 };

struct verdict {
	const uint8_t *bytes;	/* PRESCAN_INSN_MAX of them */
	enum prescan_mode mode;
	enum prescan_status status;
	struct prescan_insn insn;
	char name[32];		/* lower case; empty if undefined */
	/* Found by a second, naive look at the bytes: */
	unsigned int prefixes;	/* enum seen_prefix */
	unsigned int opcode;	/* offset of the first opcode byte; PRESCAN_INSN_MAX if there is none */
};

void verdict_make(struct verdict *v, const uint8_t *bytes, enum prescan_mode mode);
static inline uint8_t verdict_byte(const struct verdict *v, unsigned int i)
{
	return v->opcode + i < PRESCAN_INSN_MAX ? v->bytes[v->opcode + i] : 0;
}
bool verdict_is_escape(const struct verdict *v);	/* 0F .. */
bool verdict_is_vex(const struct verdict *v);
bool verdict_is_evex(const struct verdict *v);
bool verdict_is_xop(const struct verdict *v);

/* How often each explanation was needed. Explanations are string literals. */
#define TALLY_MAX 128
struct tally {
	struct tally_line {
		const char *oracle, *why;
		unsigned long count;
		uint8_t bytes[PRESCAN_INSN_MAX];	/* the first case, as an example */
		uint8_t mode;
	} line[TALLY_MAX];
	unsigned int lines;
};
void tally_add(struct tally *t, const char *oracle, const char *why, const struct verdict *v);
void tally_merge(struct tally *into, const struct tally *from);
void tally_print(const struct tally *t, FILE *out);

/* A difference, in words. */
struct difference {
	const char *what;	/* NULL: none without explanation */
	char theirs[160];
};
void difference_print(const struct verdict *v, const char *oracle, const struct difference *d, FILE *out);

/* "set*" matches every name that begins so. */
bool name_matches(const char *pattern, const char *name);
void name_lower(char *to, size_t size, const char *from);

/* capstone.c */
struct capstone;
struct capstone *capstone_open(void);			/* NULL: the library does not want to */
void capstone_close(struct capstone *c);
enum outcome capstone_judge(struct capstone *c, const struct verdict *v, struct tally *t, struct difference *d);

/* zydis.c; without the library zydis_open() gives NULL */
struct zydis;
struct zydis *zydis_open(void);
void zydis_close(struct zydis *z);
enum outcome zydis_judge(struct zydis *z, const struct verdict *v, struct tally *t, struct difference *d);

/* bare.c: the processor itself. NULL: ready; else why not. */
const char *bare_open(void);
enum outcome bare_judge(const struct verdict *v, struct tally *t, struct difference *d);

#endif
