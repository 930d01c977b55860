/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_trace_profile.c - what --profile makes of the table of sites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plexus/trace.h"
#include "prescan/prescan.h"
#include "user/trace_profile.h"
#include "user/trace_site.h"

#define HZ 1000000000ull

static struct plx_sites *sites;
static struct trace_profile profile;
static char *text;
static size_t text_bytes;

static int fresh(void **state)
{
	(void)state;
	free(sites);
	sites = calloc(1, sizeof(*sites));
	sites->start_tsc = 5 * HZ;
	return sites ? 0 : -1;
}

static int clean(void **state)
{
	(void)state;
	trace_profile_free(&profile);
	free(text);
	text = NULL;
	return 0;
}

static struct plx_site *put(uint32_t slot, uint32_t linear, uint64_t count, uint64_t cost)
{
	const uint8_t bytes[2] = { 0xe4, 0x61 };		/* IN AL, 61h */
	struct plx_site *s = &sites->site[slot];
	struct prescan_insn insn;

	prescan_decode(bytes, 2, PRESCAN_MODE_32, &insn);
	*s = (struct plx_site){ .linear = linear, .count = count, .cost = cost, .length = 2, .klass = insn.klass, .row = insn.id,
				.mode = PLX_TRACE_CODE32, .how = PLX_TRACE_DEVICE };
	memcpy(s->bytes, bytes, 2);
	return s;
}

static const char *draw(uint64_t now_ns)
{
	FILE *to = open_memstream(&text, &text_bytes);

	trace_profile_draw(&profile, sites, now_ns, HZ, to);
	fclose(to);
	return text;
}

static const char *print(unsigned int top)
{
	FILE *to = open_memstream(&text, &text_bytes);

	trace_profile_print(sites, top, HZ, to);
	fclose(to);
	return text;
}

static void the_live_table_shows_what_was_added_since_it_was_drawn_last(void **state)
{
	(void)state;
	put(7, 0xc0101010, 1000, HZ);
	draw(0);
	put(7, 0xc0101010, 1000, HZ);
	put(9, 0xc0202020, 50, HZ / 10);
	assert_non_null(strstr(draw(HZ), "c0202020"));
	assert_non_null(strstr(text, "50 instructions a second done by the monitor, 10.0% of the time; in all 1050"));
	assert_non_null(strstr(text, "in al, 0x61"));
	assert_null(strstr(text, "c0101010"));
}

static void a_site_in_a_slot_that_another_had_begins_anew(void **state)
{
	(void)state;
	put(7, 0xc0101010, 1000, HZ);
	draw(0);
	put(7, 0xc0303030, 20, HZ / 2);
	sites->gone.count = 1000;
	sites->gone.cost = HZ;
	assert_non_null(strstr(draw(HZ), "c0303030"));
	assert_non_null(strstr(text, " 50.00%"));
	assert_non_null(strstr(text, "20 instructions a second"));
}

static void the_table_at_the_end_has_the_dearest_first_and_no_more_than_wanted(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 40; i++)
		put(i * 11, 0xc0000000 + i, 10, i * 1000);
	put(0, 0xdeadbeef, 10, 1);
	sites->gone.count = 5;
	print(3);
	assert_non_null(strstr(text, "done by the monitor 415, in 0.820 ms"));
	assert_non_null(strstr(text, "c0000028"));
	assert_true(strstr(text, "c0000028") < strstr(text, "c0000027"));
	assert_true(strstr(text, "c0000027") < strstr(text, "c0000026"));
	assert_null(strstr(text, "c0000025"));
	assert_null(strstr(text, "deadbeef"));
}

static void each_site_says_what_was_made_of_it_and_why(void **state)
{
	char why[SITE_DECISION_BYTES];
	struct plx_site *s = put(1, 1, 40, 40);

	(void)state;
	assert_string_equal(trace_site_decision(s, 5 * HZ, HZ, why), "always called out");
	s->how = PLX_TRACE_SIGNAL;
	assert_string_equal(trace_site_decision(s, 5 * HZ, HZ, why), "always a breakpoint");
	s->sequence = PLX_SITE_INLINE_EXIT;
	assert_string_equal(trace_site_decision(s, 5 * HZ, HZ, why), "inline: what the sequence cannot do");
	s->sequence = PLX_SITE_WOULD_INLINE;
	assert_string_equal(trace_site_decision(s, 5 * HZ, HZ, why), "inline: called out for the trace");
	s->faults = 2;
	s->cause = PLX_SITE_CODE;
	assert_string_equal(trace_site_decision(s, 5 * HZ, HZ, why), "as it stands: 2 faults, store beside code");
	s->state = PLX_SITE_CALLOUT;
	s->cause = PLX_SITE_DEVICE;
	s->faults = 16;
	s->made = 1;
	s->since = 17 * HZ + HZ * 3 / 10;
	assert_string_equal(trace_site_decision(s, 5 * HZ, HZ, why), "16 faults, device memory: callout since 12.3 s");
	s->made = 3;
	assert_string_equal(trace_site_decision(s, 5 * HZ, HZ, why), "16 faults, device memory: callout since 12.3 s (3rd time)");
	s->state = PLX_SITE_AS_IT_STANDS;
	assert_string_equal(trace_site_decision(s, 5 * HZ, HZ, why), "no faults any more: as it stands since 12.3 s (called out 3 times)");
	assert_true(strlen(why) < SITE_DECISION_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_live_table_shows_what_was_added_since_it_was_drawn_last, fresh, clean),
		cmocka_unit_test_setup_teardown(a_site_in_a_slot_that_another_had_begins_anew, fresh, clean),
		cmocka_unit_test_setup_teardown(the_table_at_the_end_has_the_dearest_first_and_no_more_than_wanted, fresh, clean),
		cmocka_unit_test_setup_teardown(each_site_says_what_was_made_of_it_and_why, fresh, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
