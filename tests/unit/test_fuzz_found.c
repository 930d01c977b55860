/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_fuzz_found.c - what fuzzing found, and what it found to cover much, once more.
 *
 * tests/fuzz/found/NAME.txt: an input a line in hexadecimal, # begins a comment. A broken promise ends the process by abort()
 * after a sentence that says which.
 */
#include <ctype.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz.h"

static void each_input(const char *name, void (*fuzz)(const uint8_t *data, size_t n))
{
	const char *top = getenv("top_srcdir");
	char path[512], text[1024];
	unsigned int inputs = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/fuzz/found/%s.txt", top ? top : ".", name);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(text, sizeof(text), f)) {
		uint8_t bytes[512];
		size_t n = 0;

		if (text[0] == '#' || text[0] == '\n')
			continue;
		for (const char *p = text; isxdigit((unsigned char)p[0]) && isxdigit((unsigned char)p[1]) && n < sizeof(bytes); p += 2) {
			char digits[3] = { p[0], p[1], '\0' };

			bytes[n++] = (uint8_t)strtoul(digits, NULL, 16);
		}
		assert_true(n > 0);
		fuzz(bytes, n);
		inputs++;
	}
	fclose(f);
	assert_true(inputs > 50);
}

static void decoder_keeps_its_promises_for_what_fuzzing_found(void **state)
{
	(void)state;
	each_input("decode", fuzz_decode);
}

static void translator_keeps_its_promises_for_what_fuzzing_found(void **state)
{
	(void)state;
	each_input("translate", fuzz_translate);
}

static void interpreter_keeps_its_promises_for_what_fuzzing_found(void **state)
{
	(void)state;
	fuzz_interp_signals();		/* here: cmocka takes the signals for itself before each test */
	each_input("interp", fuzz_interp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoder_keeps_its_promises_for_what_fuzzing_found),
		cmocka_unit_test(translator_keeps_its_promises_for_what_fuzzing_found),
		cmocka_unit_test(interpreter_keeps_its_promises_for_what_fuzzing_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
