/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_trace_filter.c - which records pass which filter, and what is said of a filter that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "prescan/prescan.h"
#include "user/trace_options.h"

static struct trace_filter filter;
static char why[512];

static void parse(const char *text)
{
	trace_filter_init(&filter);
	if (trace_filter_parse(&filter, "--filter", text, why, sizeof(why))) {
		print_error("%s\n", why);
		fail();
	}
}

static void refused(const char *text, const char *because)
{
	trace_filter_init(&filter);
	assert_int_equal(trace_filter_parse(&filter, "--filter", text, why, sizeof(why)), -EINVAL);
	if (!strstr(why, because) || strncmp(why, "--filter: ", 10)) {
		print_error("for '%s' it said: %s\n", text, why);
		fail();
	}
}

static bool pass(const struct plx_trace_record *r, const char *name)
{
	return trace_filter_pass(&filter, r, name);
}

static const struct plx_trace_record
	out_80 = { .event = PLX_TRACE_INSN, .klass = PRESCAN_PORT, .how = PLX_TRACE_DEVICE, .eip = 0xc0100100, .row = 1, .a = 0x80 | 1 << 16 | 1 << 24 },
	in_1f0 = { .event = PLX_TRACE_INSN, .klass = PRESCAN_STRING_PORT, .how = PLX_TRACE_DEVICE, .eip = 0xc0100200, .row = 2, .a = 0x1f0 | 2 << 16 },
	cli = { .event = PLX_TRACE_INSN, .klass = PRESCAN_FLAGS, .how = PLX_TRACE_INLINE, .eip = 0x80, .cs_base = 0xf0000, .row = 3 },
	user = { .event = PLX_TRACE_INSN, .klass = PRESCAN_ID, .how = PLX_TRACE_NEXUS, .eip = 0x8048000, .row = 4, .cpl = 3, .space = 0x3000 },
	pf = { .event = PLX_TRACE_EXCEPTION, .a = 14, .eip = 0x8048000, .cpl = 3, .space = 0x3000 },
	timer = { .event = PLX_TRACE_INTERRUPT, .a = 0x20, .eip = 0xc0100100 },
	fill = { .event = PLX_TRACE_FILL, .eip = 0xc0100100 };

static unsigned int passing(void)
{
	return (unsigned int)pass(&out_80, "OUT") | (unsigned int)pass(&in_1f0, "INSW") << 1 | (unsigned int)pass(&cli, "CLI") << 2 |
	       (unsigned int)pass(&user, "CPUID") << 3 | (unsigned int)pass(&pf, "") << 4 | (unsigned int)pass(&timer, "") << 5 |
	       (unsigned int)pass(&fill, "") << 6;
}

static void without_a_filter_all_but_fills_pass(void **state)
{
	(void)state;
	trace_filter_init(&filter);
	assert_int_equal(passing(), 0x3f);
}

static void each_key_keeps_what_it_names(void **state)
{
	(void)state;
	parse("class=port");
	assert_int_equal(passing(), 0x01);
	parse("class=port,class=string-port");
	assert_int_equal(passing(), 0x03);
	parse("insn=cli");
	assert_int_equal(passing(), 0x04);
	parse("insn=CLI,insn=CPUID");
	assert_int_equal(passing(), 0x0c);
	parse("how=inline");
	assert_int_equal(passing(), 0x04);
	parse("port=0x80");
	assert_int_equal(passing(), 0x01);
	parse("port=0x80-0x1ef,port=496");
	assert_int_equal(passing(), 0x03);
	parse("addr=0xf0080");
	assert_int_equal(passing(), 0x04);
	parse("addr=0xc0000000-0xffffffff");
	assert_int_equal(passing(), 0x23);
	parse("cpl=3");
	assert_int_equal(passing(), 0x18);
	parse("space=0x3000");
	assert_int_equal(passing(), 0x18);
	parse("event=exception");
	assert_int_equal(passing(), 0x10);
	parse("event=fill");
	assert_int_equal(passing(), 0x40);
}

static void different_keys_must_all_agree(void **state)
{
	(void)state;
	parse("class=port,class=flags,addr=0xc0000000-0xffffffff");
	assert_int_equal(passing(), 0x01);
	parse("class=id,event=insn,event=interrupt,cpl=0");
	assert_int_equal(passing(), 0x20);
}

static void a_start_and_a_stop_bound_what_is_kept_and_are_kept_themselves(void **state)
{
	(void)state;
	parse("start=port:0x80,stop=exception:14");
	assert_false(pass(&cli, "CLI"));
	assert_false(pass(&timer, ""));
	assert_true(pass(&out_80, "OUT"));
	assert_true(pass(&cli, "CLI"));
	assert_true(pass(&pf, ""));
	assert_false(pass(&cli, "CLI"));
	assert_false(trace_filter_over(&filter));
	assert_true(pass(&out_80, "OUT"));		/* again */
	assert_true(pass(&cli, "CLI"));
}

static void a_stop_without_a_start_is_the_end(void **state)
{
	(void)state;
	parse("stop=interrupt");
	assert_true(pass(&cli, "CLI"));
	assert_false(trace_filter_over(&filter));
	assert_true(pass(&timer, ""));
	assert_false(pass(&cli, "CLI"));
	assert_true(trace_filter_over(&filter));
}

static void a_start_at_an_address_fires_there(void **state)
{
	(void)state;
	parse("start=addr:0xf0080,class=id");
	assert_false(pass(&user, "CPUID"));
	assert_false(pass(&cli, "CLI"));		/* starts, and is not asked for */
	assert_true(pass(&user, "CPUID"));
}

static void a_filter_that_is_none_is_refused_with_what_there_is(void **state)
{
	(void)state;
	refused("port", "is no filter; write it like");
	refused("", "is no filter");
	refused("ports=3", "'ports' is no filter; there are class, insn");
	refused("class=prot", "none of refuse, plain");
	refused("insn=FROB", "is no instruction");
	refused("how=fast", "none of inline, nexus");
	refused("cpl=4", "none of 0, 1, 2, 3");
	refused("event=boot", "none of insn, exception");
	refused("port=3f8", "is no number");
	refused("port=0x10000", "is more than 0xffff");
	refused("port=9-5", "ends before it begins");
	refused("addr=1-", "is no range");
	refused("addr=0x100000000", "is no number");
	refused("start=addr", "is none of addr:A");
	refused("start=exception:256", "is more than 0xff");
	refused("start=port:1,start=port:2", "given twice");
	refused("class=port,,cpl=0", "is no filter");
}

static void too_many_ranges_are_told(void **state)
{
	char text[512] = "port=1";

	(void)state;
	for (unsigned int i = 0; i < TRACE_FILTER_RANGES; i++)
		strcat(text, ",port=2");
	refused(text, "there is room for");
}

static void the_option_takes_a_file_and_then_filters(void **state)
{
	static struct trace_options o;

	(void)state;
	trace_filter_init(&o.filter);
	assert_int_equal(trace_options_file(&o, "a/b.trace,class=port,cpl=0", why, sizeof(why)), 0);
	assert_string_equal(o.file, "a/b.trace");
	assert_string_equal(o.filter.text, "class=port,cpl=0");
	assert_int_equal(o.filter.cpl_mask, 1);
	assert_int_equal(trace_options_file(&o, "again", why, sizeof(why)), -EINVAL);
	o.file = NULL;
	assert_int_equal(trace_options_file(&o, ",class=port", why, sizeof(why)), -EINVAL);
	assert_int_equal(trace_options_full(&o, "drop", why, sizeof(why)), 0);
	assert_true(o.drop);
	assert_int_equal(trace_options_full(&o, "wait", why, sizeof(why)), 0);
	assert_false(o.drop);
	assert_int_equal(trace_options_full(&o, "lose", why, sizeof(why)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_filter_all_but_fills_pass),
		cmocka_unit_test(each_key_keeps_what_it_names),
		cmocka_unit_test(different_keys_must_all_agree),
		cmocka_unit_test(a_start_and_a_stop_bound_what_is_kept_and_are_kept_themselves),
		cmocka_unit_test(a_stop_without_a_start_is_the_end),
		cmocka_unit_test(a_start_at_an_address_fires_there),
		cmocka_unit_test(a_filter_that_is_none_is_refused_with_what_there_is),
		cmocka_unit_test(too_many_ranges_are_told),
		cmocka_unit_test(the_option_takes_a_file_and_then_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
