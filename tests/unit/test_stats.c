/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_stats.c - figures as people and programs read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "user/stats.h"

static struct stats stats;
static char text[8192];

static void print(bool json)
{
	FILE *to = fmemopen(text, sizeof(text), "w");

	assert_non_null(to);
	memset(text, 0, sizeof(text));
	if (json)
		stats_print_json(&stats, "1.2 \"x\"", to);
	else
		stats_print(&stats, to);
	fclose(to);
}

static void expect(const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

static int fresh(void **state)
{
	static const struct plx_stat some[] = {
		{ "port", "in", 999 }, { "code", "fragments", 1000 }, { "time", "native", 2500000000 },
		{ "port", "out", UINT64_MAX }, { "code", "bytes", 0 },
	};

	(void)state;
	memset(&stats, 0, sizeof(stats));
	stats_add(&stats, some, PLX_ARRAY_SIZE(some));
	stats.wall_ns = 1234000000;
	return 0;
}

static void counters_of_a_group_stand_together_in_the_order_of_its_first(void **state)
{
	(void)state;
	print(false);
	assert_true(strstr(text, "\nport\n") < strstr(text, "\ncode\n"));
	assert_true(strstr(text, "18,446,744,073,709,551,615") < strstr(text, "\ncode\n"));
	assert_true(strstr(text, "\ncode\n") < strstr(text, "\ntime\n"));
	expect("999\n");
	expect("1,000\n");
}

static void times_are_shown_in_seconds(void **state)
{
	(void)state;
	print(false);
	expect("2.500 s\n");
	expect("1.234 s\n");
}

static void json_keeps_nanoseconds_and_all_64_bits(void **state)
{
	(void)state;
	print(true);
	expect("\"native\": 2500000000");
	expect("\"out\": 18446744073709551615");
	expect("\"wall_ns\": 1234000000");
}

/* RFC 8259: in the absence of a JSON reader, the marks that a program would stumble over. */
static void json_is_well_formed(void **state)
{
	int depth = 0;

	(void)state;
	print(true);
	expect("\"plexus\": \"1.2 \\\"x\\\"\"");
	assert_null(strstr(text, ",\n  }"));
	assert_null(strstr(text, ",\n}"));
	for (const char *p = text; *p; p++) {
		depth += *p == '{';
		depth -= *p == '}';
		assert_true(depth >= 0);
	}
	assert_int_equal(depth, 0);
}

static void more_counters_than_there_is_room_for_are_left_out(void **state)
{
	struct plx_stat one = { "code", "x", 1 };

	(void)state;
	for (int i = 0; i < STATS_MAX + 10; i++)
		stats_add(&stats, &one, 1);
	assert_int_equal(stats.nstats, STATS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(counters_of_a_group_stand_together_in_the_order_of_its_first, fresh),
		cmocka_unit_test_setup(times_are_shown_in_seconds, fresh),
		cmocka_unit_test_setup(json_keeps_nanoseconds_and_all_64_bits, fresh),
		cmocka_unit_test_setup(json_is_well_formed, fresh),
		cmocka_unit_test_setup(more_counters_than_there_is_room_for_are_left_out, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
