/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/fuzz/fuzz.h - three things that take any bytes: the decoder, the translator, the interpreter.
 *
 *      libFuzzer (tests/fuzz/run) --+--> fuzz_decode      any bytes, any length
 *                                   +--> fuzz_translate   a mode and guest code
 *      tests/unit/test_fuzz_found --+--> fuzz_interp      a processor's state and guest code
 *
 * Each looks at what it got back and ends the process by abort(), with a sentence, if a promise was broken. What fuzzing found, and
 * what covers much, is kept in tests/fuzz/found/NAME/ and run again by every make check.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void fuzz_decode(const uint8_t *data, size_t n);
void fuzz_translate(const uint8_t *data, size_t n);
/* The host's half of monitor/native.h: call once before. */
void fuzz_interp_signals(void);
void fuzz_interp(const uint8_t *data, size_t n);

#define FUZZ_REQUIRE(condition, ...)				\
	do {							\
		if (!(condition)) {				\
			fprintf(stderr, __VA_ARGS__);		\
			fprintf(stderr, " (%s:%d: %s)\n", __FILE__, __LINE__, #condition); \
			abort();				\
		}						\
	} while (0)

/* Compiled with -DFUZZ_TARGET=fuzz_decode and so on, each file becomes libFuzzer's program. */
#ifdef FUZZ_TARGET
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	FUZZ_TARGET(data, n);
	return 0;
}
#endif

#endif
