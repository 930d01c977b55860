/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_corpora.c - the corpora of tests/corpora, each case held against prescan.
 *
 * The files written by hand say what is right; the exhaustive part is checked against its sums, which the oracles have seen whole
 * (tests/oracle), and against rules that hold for whatever an encoding may be.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/corpora/checksum.h"

#define SHOWN_AT_MOST 20

struct tester {
	const char *path;
	unsigned int number, cases, wrong;
};

static FILE *open_corpus(const char *name)
{
	const char *top = getenv("top_srcdir");
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/corpora/%s", top ? top : ".", name);
	f = fopen(path, "r");
	if (!f)
		print_error("cannot read %s\n", path);
	assert_non_null(f);
	return f;
}

static bool case_holds(void *arg, const struct corpus_case *wanted)
{
	struct tester *t = arg;
	struct corpus_case is;
	char text[512];

	corpus_case_of(&is, wanted->bytes, wanted->mode);
	t->cases++;
	if (is.length == wanted->length && !strcmp(is.klass, wanted->klass) && !strcmp(is.rewriting, wanted->rewriting))
		return true;
	if (t->wrong++ < SHOWN_AT_MOST) {
		corpus_print(wanted, text, sizeof(text));
		print_error("%s:%u: the file says  %s\n", t->path, t->number, text);
		corpus_print(&is, text, sizeof(text));
		print_error("             prescan says  %s\n", text);
	}
	return true;
}

static void file_holds(const char *name, unsigned int at_least)
{
	struct tester t = { .path = name };
	FILE *f = open_corpus(name);
	char text[512];

	while (fgets(text, sizeof(text), f)) {
		struct corpus_line line;
		const char *error;
		int parsed = corpus_parse(text, &line, &error);

		t.number++;
		if (parsed < 0)
			print_error("%s:%u: %s\n", name, t.number, error);
		assert_true(parsed >= 0);
		if (parsed)
			corpus_expand(&line, case_holds, &t);
	}
	fclose(f);
	assert_int_equal(t.wrong, 0);
	assert_true(t.cases >= at_least);
}

static void sensitive_instructions_are_what_the_hand_written_corpus_says(void **state)
{
	(void)state;
	file_holds("sensitive.txt", 10000);
}

static void undefined_and_over_long_encodings_are_what_the_hand_written_corpus_says(void **state)
{
	(void)state;
	file_holds("undefined.txt", 1500);
}

static void every_encoding_of_every_map_is_what_it_was(void **state)
{
	FILE *f = open_corpus("checksums.txt");
	char text[512];
	unsigned int wrong = 0, lines = 0;

	(void)state;
	for (unsigned int part = 0; part < WALK_NR_PARTS; part++) {
		struct corpus_sum sum[2];

		corpus_sums((enum walk_part)part, sum);
		for (unsigned int mode = PRESCAN_MODE_16; mode <= PRESCAN_MODE_32; mode++) {
			char is[128];

			corpus_sum_print((enum walk_part)part, mode, &sum[mode], is, sizeof(is));
			do
				assert_non_null(fgets(text, sizeof(text), f));
			while (text[0] == '#');
			text[strcspn(text, "\n")] = '\0';
			lines++;
			if (!strcmp(text, is))
				continue;
			print_error("the file: %s\nnow:      %s\n", text, is);
			wrong++;
		}
	}
	fclose(f);
	if (wrong)
		print_error("if that is meant, tests/corpora/generate --checksums writes the new file\n");
	assert_int_equal(wrong, 0);
	assert_int_equal(lines, 2 * WALK_NR_PARTS);
}

/* Rules that hold whatever an encoding may be. */
static bool rule_holds(void *arg, const struct corpus_case *c)
{
	struct tester *t = arg;
	bool copied = !strcmp(c->rewriting, "copied");
	const char *broken = NULL;
	char text[512];

	t->cases++;
	if (c->length > PRESCAN_INSN_MAX)
		broken = "nothing is longer than 15 bytes";
	else if (!c->length && copied)
		broken = "what is undefined is not copied";
	else if (c->length && !c->reason[0])
		broken = "a class has a reason";
	else if (copied && strcmp(c->klass, "plain") && strcmp(c->klass, "fpu"))
		broken = "nothing sensitive is copied";
	else if (!strcmp(c->klass, "plain") && !copied)
		broken = "what is plain is copied";
	else if (!strcmp(c->klass, "refuse"))
		broken = "nothing refused is called defined";
	if (!broken)
		return true;
	corpus_print(c, text, sizeof(text));
	if (t->wrong++ < SHOWN_AT_MOST)
		print_error("%s: %s\n", broken, text);
	return true;
}

static void no_encoding_of_any_map_is_copied_that_is_sensitive(void **state)
{
	struct tester t = { .path = "walk" };

	(void)state;
	for (unsigned int part = 0; part < WALK_NR_PARTS; part++)
		corpus_walk((enum walk_part)part, rule_holds, &t);
	assert_int_equal(t.wrong, 0);
	assert_true(t.cases > 10000000);
}

static void a_printed_case_is_read_back_as_it_was(void **state)
{
	static const char *const lines[] = {
		"32 9c 1 flags inlined why", "16 0f01/0m 3 table far-jump why", "16+32 66{15}90 - too-long far-jump why",
	};
	static const char *const bad[] = {
		"32 9c 1 flags inlined", "64 9c 1 flags inlined why", "32 9 1 flags inlined why", "32 9c x flags inlined why",
		"32 0f/9m 3 table far-jump why", "32 0f[2e 3 table far-jump why", "32 {3}90 1 plain copied why",
	};
	struct corpus_line line;
	struct corpus_case c;
	const char *error;
	char text[512];
	uint8_t bytes[16] = { 0x2e, 0x8b, 0x44, 0x24, 0x08 };

	(void)state;
	corpus_case_of(&c, bytes, PRESCAN_MODE_32);
	corpus_print(&c, text, sizeof(text));
	assert_int_equal(corpus_parse(text, &line, &error), 1);
	assert_int_equal(line.length, 5);
	assert_int_equal(line.tokens, 5);
	assert_string_equal(line.klass, c.klass);
	assert_string_equal(line.reason, c.reason);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(lines); i++)
		assert_int_equal(corpus_parse(lines[i], &line, &error), 1);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(bad); i++)
		assert_int_equal(corpus_parse(bad[i], &line, &error), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_printed_case_is_read_back_as_it_was),
		cmocka_unit_test(sensitive_instructions_are_what_the_hand_written_corpus_says),
		cmocka_unit_test(undefined_and_over_long_encodings_are_what_the_hand_written_corpus_says),
		cmocka_unit_test(every_encoding_of_every_map_is_what_it_was),
		cmocka_unit_test(no_encoding_of_any_map_is_copied_that_is_sensitive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
