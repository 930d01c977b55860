/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_options.c - the words behind `plexus run`: what they mean, and what is said when they mean nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "user/options.h"

static struct run_options options;
static char why[512];

/* parse("--disk", "a", NULL) */
static int parse(const char *first, ...)
{
	char *argv[32] = { (char *)"run" };
	int argc = 1;
	va_list args;

	va_start(args, first);
	for (const char *word = first; word; word = va_arg(args, const char *))
		argv[argc++] = (char *)word;
	va_end(args);
	argv[argc] = NULL;
	why[0] = '\0';
	return run_options_parse(argc, argv, &options, why, sizeof(why));
}

#define refused(sentence, ...)							\
	do {									\
		assert_int_equal(parse(__VA_ARGS__, NULL), -EINVAL);		\
		assert_string_equal(why, sentence);				\
	} while (0)

static void without_options_there_is_256m_and_the_serial_port_on_stdio(void **state)
{
	(void)state;
	assert_int_equal(parse(NULL), 0);
	assert_int_equal(options.memory_bytes, 256 << 20);
	assert_int_equal(options.serial, SERIAL_STDIO);
	assert_int_equal(options.display, DISPLAY_NONE);
	assert_int_equal(options.rewrite, PLX_REWRITE_ADAPTIVE);
	assert_false(options.snapshot || options.stats || options.no_vga || options.reset_on_triple_fault);
	assert_int_equal(options.ndisks, 0);
	assert_null(options.screenshot);
}

static void every_option_lands_where_it_belongs(void **state)
{
	(void)state;
	assert_int_equal(parse("--disk", "a", "--disk=b", "--snapshot", "--memory", "1G", "--serial=file:log", "--screenshot=s.png",
			       "--firmware=f", "--vga-rom=v", "--debug-console=d", "--rewrite=int3", "--host-features=-lahf,-fsgsbase",
			       "--on-triple-fault=reset", "--stats", "--stats=x.json", NULL), 0);
	assert_int_equal(options.ndisks, 2);
	assert_string_equal(options.disk[0], "a");
	assert_string_equal(options.disk[1], "b");
	assert_true(options.snapshot);
	assert_int_equal(options.memory_bytes, 1 << 30);
	assert_int_equal(options.serial, SERIAL_FILE);
	assert_string_equal(options.serial_path, "log");
	assert_string_equal(options.screenshot, "s.png");
	assert_string_equal(options.firmware, "f");
	assert_string_equal(options.vga_rom, "v");
	assert_string_equal(options.debug_console, "d");
	assert_int_equal(options.rewrite, PLX_REWRITE_INT3);
	assert_string_equal(options.host_features, "-lahf,-fsgsbase");
	assert_true(options.reset_on_triple_fault);
	assert_true(options.stats);
	assert_string_equal(options.stats_json, "x.json");

	assert_int_equal(parse("--kernel", "k", "--initrd", "i", "--append", "", "--no-vga", NULL), 0);
	assert_string_equal(options.kernel, "k");
	assert_string_equal(options.initrd, "i");
	assert_string_equal(options.append, "");
	assert_true(options.no_vga);
}

static void each_strategy_has_its_word(void **state)
{
	(void)state;
	assert_int_equal(parse("--rewrite", "adaptive", NULL), 0);
	assert_int_equal(options.rewrite, PLX_REWRITE_ADAPTIVE);
	assert_int_equal(parse("--rewrite", "farcall", NULL), 0);
	assert_int_equal(options.rewrite, PLX_REWRITE_FARCALL);
	assert_int_equal(parse("--rewrite", "interpret", NULL), 0);
	assert_int_equal(options.rewrite, PLX_REWRITE_INTERPRET);
	refused("--rewrite: 'fast' is none of adaptive, farcall, int3, gate and interpret", "--rewrite=fast");
}

static void a_display_takes_the_terminal_from_the_serial_port(void **state)
{
	(void)state;
	assert_int_equal(parse("--display", "curses", NULL), 0);
	assert_int_equal(options.serial, SERIAL_NONE);
	assert_int_equal(parse("--display", "curses", "--serial", "pty", NULL), 0);
	assert_int_equal(options.serial, SERIAL_PTY);
	refused("--display curses and --serial stdio both want the terminal; use --serial pty or file:PATH",
		"--serial=stdio", "--display=curses");
	refused("--display: 'sdl' is neither none nor curses", "--display=sdl");
}

static void sizes_are_powers_of_1024_and_a_bare_number_is_mib(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(parse_size("64", &n), 0);
	assert_int_equal(n, 64ull << 20);
	assert_int_equal(parse_size("64m", &n), 0);
	assert_int_equal(n, 64ull << 20);
	assert_int_equal(parse_size("2048K", &n), 0);
	assert_int_equal(n, 2ull << 20);
	assert_int_equal(parse_size("3G", &n), 0);
	assert_int_equal(n, 3ull << 30);
}

static void what_is_no_size_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "M", "-1", "+1", "1T", "1MB", "1 M", "0x10", "1.5G", "99999999999999999999", "18446744073709551617K",
	};
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(bad); i++)
		if (parse_size(bad[i], &n) != -EINVAL)
			fail_msg("'%s' was taken for a size", bad[i]);
	refused("--memory: 'much' is no size; write it like 256M or 1G", "--memory=much");
}

static void memory_goes_from_1m_to_3584m_in_whole_mib(void **state)
{
	(void)state;
	assert_int_equal(parse("--memory=1M", NULL), 0);
	assert_int_equal(parse("--memory=3584M", NULL), 0);
	refused("--memory: 1023K is out of range; the machine can have 1M to 3584M", "--memory=1023K");
	refused("--memory: 0 is out of range; the machine can have 1M to 3584M", "--memory=0");
	refused("--memory: 3585M is out of range; the machine can have 1M to 3584M", "--memory=3585M");
	refused("--memory: 1500K is not a whole number of MiB", "--memory=1500K");
}

static void a_fifth_disk_has_no_place(void **state)
{
	(void)state;
	assert_int_equal(parse("--disk=a", "--disk=b", "--disk=c", "--disk=d", NULL), 0);
	assert_int_equal(options.ndisks, 4);
	refused("--disk: the machine has room for 4 disks", "--disk=a", "--disk=b", "--disk=c", "--disk=d", "--disk=e");
}

static void serial_ports_go_to_one_of_four_places(void **state)
{
	(void)state;
	assert_int_equal(parse("--serial=pty", NULL), 0);
	assert_int_equal(options.serial, SERIAL_PTY);
	assert_int_equal(parse("--serial=none", NULL), 0);
	assert_int_equal(options.serial, SERIAL_NONE);
	refused("--serial: 'tcp' is none of stdio, file:PATH, pty and none", "--serial=tcp");
	refused("--serial: file: needs a path behind it", "--serial=file:");
}

static void what_is_no_option_is_named(void **state)
{
	(void)state;
	refused("--colour is no option, or short for more than one; `plexus run --help` lists them", "--colour");
	refused("-x is no option; `plexus run --help` lists them", "-x");
	refused("'debian.img' is no option; a disk is given with --disk FILE", "debian.img");
	refused("'--disk' is no option; a disk is given with --disk FILE", "--", "--disk");
	/* --s: --snapshot, --serial, --screenshot, --stats */
	refused("--s is no option, or short for more than one; `plexus run --help` lists them", "--s");
}

static void a_missing_argument_is_named(void **state)
{
	(void)state;
	refused("--disk needs an argument", "--disk");
	refused("--memory needs an argument", "--snapshot", "--memory");
	refused("--disk: the file's name is empty", "--disk", "");
	refused("--kernel: the file's name is empty", "--kernel=");
}

static void an_argument_too_many_is_named(void **state)
{
	(void)state;
	refused("--snapshot=yes: this option takes no argument", "--snapshot=yes");
	refused("--no-vga=1: this option takes no argument", "--no-vga=1");
}

static void one_file_given_twice_is_refused(void **state)
{
	(void)state;
	refused("--kernel was given twice", "--kernel=a", "--kernel=b");
	refused("--stats was given twice", "--stats=a", "--stats=b");
}

static void options_that_contradict_each_other_are_refused(void **state)
{
	(void)state;
	refused("--initrd needs --kernel FILE beside it", "--initrd=i");
	refused("--append needs --kernel FILE beside it", "--append=quiet");
	refused("--kernel starts without firmware; leave out --firmware", "--kernel=k", "--firmware=f");
	refused("--kernel starts without firmware; leave out --vga-rom", "--kernel=k", "--vga-rom=f");
	refused("--no-vga leaves no screen for --vga-rom", "--no-vga", "--vga-rom=v");
	refused("--no-vga leaves no screen for --screenshot", "--no-vga", "--screenshot=v");
	refused("--no-vga leaves no screen for --display curses", "--no-vga", "--display=curses");
}

static void host_features_are_a_list_of_names(void **state)
{
	static const char *const bad[] = { "", ",", "-", "-bmi2,", "-bmi2,,-erms", "bmi2 erms", "--bmi2", "-bmi2;" };

	(void)state;
	assert_int_equal(parse("--host-features=-bmi2", NULL), 0);
	assert_int_equal(parse("--host-features=+sse4_2,-sse4.1", NULL), 0);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(bad); i++)
		if (parse("--host-features", bad[i], NULL) != -EINVAL)
			fail_msg("'%s' was taken for a list", bad[i]);
}

static void a_triple_fault_ends_or_resets(void **state)
{
	(void)state;
	assert_int_equal(parse("--on-triple-fault=exit", NULL), 0);
	assert_false(options.reset_on_triple_fault);
	refused("--on-triple-fault: 'halt' is neither reset nor exit", "--on-triple-fault=halt");
}

static void each_host_has_its_word(void **state)
{
	(void)state;
	assert_int_equal(parse(NULL), 0);
	assert_int_equal(options.host, PLX_HOST_PROCESS);
	assert_int_equal(parse("--host", "module", NULL), 0);
	assert_int_equal(options.host, PLX_HOST_MODULE);
	assert_int_equal(parse("--host=auto", NULL), 0);
	assert_int_equal(options.host, PLX_HOST_AUTO);
	assert_int_equal(parse("--host=module", "--host=process", NULL), 0);
	assert_int_equal(options.host, PLX_HOST_PROCESS);
	refused("--host: 'kvm' is none of process, module and auto", "--host=kvm");
}

static void what_only_the_module_host_can_do_is_asked_of_it_alone(void **state)
{
	(void)state;
	assert_int_equal(parse("--host=module", "--descriptor-tables=guest", "--monitor-high", NULL), 0);
	assert_true(options.descriptor_tables_guest && options.monitor_high);
	assert_int_equal(parse("--host=auto", "--descriptor-tables=guest", NULL), 0);
	assert_int_equal(parse("--descriptor-tables=free", NULL), 0);
	assert_false(options.descriptor_tables_guest);
	refused("--descriptor-tables: 'low' is neither free nor guest", "--descriptor-tables=low");
	refused("--descriptor-tables=guest needs --host module beside it", "--descriptor-tables=guest");
	refused("--monitor-high needs --host module beside it", "--monitor-high");
	assert_int_equal(parse("--host=module", "--rewrite=gate", NULL), 0);
	assert_int_equal(options.rewrite, PLX_REWRITE_GATE);
	refused("--rewrite=gate needs --host module beside it", "--rewrite=gate");
}

static void each_host_records(void **state)
{
	(void)state;
	assert_int_equal(parse("--host=auto", "--trace-summary", NULL), 0);
	assert_int_equal(parse("--host=module", "--trace=t", "--profile", "--coverage=c", NULL), 0);
	assert_int_equal(options.host, PLX_HOST_MODULE);
}

static void a_coverage_file_has_a_name_and_is_one(void **state)
{
	(void)state;
	assert_int_equal(parse("--disk", "d", NULL), 0);
	assert_null(options.coverage);
	assert_int_equal(parse("--coverage=run.cov", NULL), 0);
	assert_string_equal(options.coverage, "run.cov");
	refused("--coverage: the file's name is empty", "--coverage=");
	refused("--coverage was given twice", "--coverage=a", "--coverage=b");
}

static void help_counts_whatever_stands_beside_it(void **state)
{
	(void)state;
	assert_int_equal(parse("--help", "something", NULL), 0);
	assert_true(options.help);
	assert_int_equal(parse("-h", NULL), 0);
	assert_true(options.help);
}

/* The help and the parser are two lists; whoever adds to one must add to the other. */
static void the_help_names_every_option(void **state)
{
	static const char *const names[] = {
		"--disk FILE", "--snapshot", "--kernel FILE", "--initrd FILE", "--append TEXT", "--firmware FILE", "--vga-rom FILE",
		"--memory SIZE", "--no-vga", "--serial ", "--display ", "--screenshot FILE", "--debug-console FILE", "--stats[=FILE",
		"--rewrite ", "--host-features LIST", "--on-triple-fault ", "--host process|module|auto", "--descriptor-tables free|guest",
		"--monitor-high",
	};

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(names); i++)
		if (!strstr(run_options_help, names[i]))
			fail_msg("the help does not say '%s'", names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_options_there_is_256m_and_the_serial_port_on_stdio),
		cmocka_unit_test(every_option_lands_where_it_belongs),
		cmocka_unit_test(each_strategy_has_its_word),
		cmocka_unit_test(each_host_has_its_word),
		cmocka_unit_test(what_only_the_module_host_can_do_is_asked_of_it_alone),
		cmocka_unit_test(each_host_records),
		cmocka_unit_test(a_coverage_file_has_a_name_and_is_one),
		cmocka_unit_test(a_display_takes_the_terminal_from_the_serial_port),
		cmocka_unit_test(sizes_are_powers_of_1024_and_a_bare_number_is_mib),
		cmocka_unit_test(what_is_no_size_is_refused),
		cmocka_unit_test(memory_goes_from_1m_to_3584m_in_whole_mib),
		cmocka_unit_test(a_fifth_disk_has_no_place),
		cmocka_unit_test(serial_ports_go_to_one_of_four_places),
		cmocka_unit_test(what_is_no_option_is_named),
		cmocka_unit_test(a_missing_argument_is_named),
		cmocka_unit_test(an_argument_too_many_is_named),
		cmocka_unit_test(one_file_given_twice_is_refused),
		cmocka_unit_test(options_that_contradict_each_other_are_refused),
		cmocka_unit_test(host_features_are_a_list_of_names),
		cmocka_unit_test(a_triple_fault_ends_or_resets),
		cmocka_unit_test(help_counts_whatever_stands_beside_it),
		cmocka_unit_test(the_help_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
