/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/corpora/corpus.h - one case a line, as text: what an encoding is, and what becomes of it.
 *
 *   MODE BYTES LENGTH CLASS REWRITING REASON...
 *
 *   MODE       16, 32, or 16+32 (the line holds in both)
 *   BYTES      hexadecimal, from the first prefix on. Lines written by hand may use:
 *                ??      every value of the byte
 *                /3m     a ModRM byte with reg = 3 and every memory form (SIB bytes and displacements follow by themselves)
 *                /3r     ... every register form; /3a both; /_m, /_r, /_a every reg
 *                [2e]    with and without that prefix
 *                {13}    the byte before it, thirteen times in all
 *   LENGTH     bytes; what [ ] puts in front and what an address adds behind ModRM come on top. "-": undefined
 *   CLASS      prescan_class_name(), or "undefined" (#UD), or "too-long" (#GP(0))
 *   REWRITING  prescan_rewriting_name(), under the default strategy, for a flat 32-bit kernel (32) or real mode (16)
 *   REASON     why that class: to the end of the line
 *
 * # begins a comment. After the bytes given come WALK_FILLER bytes, so displacements and immediates need not be written.
 */
#ifndef TESTS_CORPORA_CORPUS_H
#define TESTS_CORPORA_CORPUS_H

#include <stdio.h>

#include "prescan/rewriting.h"
#include "tests/corpora/walk.h"

/* The two modes that rewritings are given for. */
#define CORPUS_KEY_32 (KEY_D | KEY_SS_B | KEY_FLAT | KEY_FPU | KEY_SSE | KEY_FWAIT | KEY_PLAIN_FLAGS)
#define CORPUS_KEY_16 (KEY_FPU | KEY_SSE | KEY_FWAIT | KEY_PLAIN_FLAGS)

#define CORPUS_TOKENS 40

struct corpus_token {
	enum { TOKEN_BYTE, TOKEN_ANY, TOKEN_OPTIONAL, TOKEN_MODRM } kind;
	uint8_t byte;
	bool any_reg, mem, regs;	/* MODRM; @byte is reg */
};

struct corpus_line {
	bool mode[2];			/* by enum prescan_mode */
	struct corpus_token token[CORPUS_TOKENS];
	unsigned int tokens;
	unsigned int length;		/* 0: undefined or too long */
	char klass[16], rewriting[24], reason[256];
};

/* One encoding of a line. */
struct corpus_case {
	uint8_t bytes[PRESCAN_INSN_MAX + 1];
	enum prescan_mode mode;
	unsigned int length;
	const char *klass, *rewriting, *reason;
};

/* 1: a case. 0: an empty line or a comment. -1: no sense in it; *error says what. */
int corpus_parse(const char *text, struct corpus_line *line, const char **error);
/* Every encoding the line stands for; stops when @fn says false. */
typedef bool (*corpus_fn)(void *arg, const struct corpus_case *c);
bool corpus_expand(const struct corpus_line *line, corpus_fn fn, void *arg);

/* What prescan makes of bytes, in the same words. */
void corpus_case_of(struct corpus_case *c, const uint8_t *bytes, enum prescan_mode mode);
/* How a case is written; without the newline. Returns the number of characters. */
int corpus_print(const struct corpus_case *c, char *to, size_t size);

#endif
