/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_run.c - `plexus run` from the command line to the exit status, with a guest written in C.
 *
 * Each test runs the command in a child process, on pipes or on a pseudo-terminal of its own, and looks at what comes out. The engine
 * and the PC are those of fake_machine.c. Nothing here measures time; waits end when something has happened, and a
 * child that hangs is killed after a minute, which fails the test.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/unit/fake_machine.h"
#include "user/command.h"
#include "user/coverage_file.h"

#define HANG_S 60

static char directory[64];		/* of this test */

struct child {
	pid_t pid;
	int in, out, err;		/* our ends; on a terminal in == out is the master */
	char out_text[1 << 16], err_text[1 << 14];
	size_t out_bytes, err_bytes;
};

static struct child child;

/* ---- helpers ---------------------------------------------------------------------------------- */

static const char *in_dir(const char *name)
{
	static char path[8][160];
	static int next;
	char *p = path[next++ % 8];

	snprintf(p, sizeof(path[0]), "%s/%s", directory, name);
	return p;
}

static void write_file(const char *name, const void *bytes, size_t nbytes)
{
	FILE *file = fopen(in_dir(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, nbytes, file), nbytes);
	fclose(file);
}

static size_t read_file(const char *name, char *to, size_t max)
{
	FILE *file = fopen(in_dir(name), "r");
	size_t n;

	if (!file)
		return 0;
	n = fread(to, 1, max - 1, file);
	to[n] = '\0';
	fclose(file);
	return n;
}

static int fresh(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&child, 0, sizeof(child));
	child.in = child.out = child.err = -1;
	snprintf(directory, sizeof(directory), "/tmp/plexus-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	/* A system ROM and a VGA's, so that nothing depends on what is installed here. */
	char *rom = calloc(1, 65536);

	write_file("bios", rom, 65536);
	memcpy(rom, "\x55\xaa", 2);
	write_file("vga", rom, 32768);
	write_file("disk", rom, 4096);
	free(rom);
	return 0;
}

static int clean(void **state)
{
	char command[128];

	(void)state;
	if (child.pid > 0) {
		kill(child.pid, SIGKILL);
		waitpid(child.pid, NULL, 0);
	}
	close(child.in);
	if (child.out != child.in)
		close(child.out);
	close(child.err);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command) ? -1 : 0;
}

/* The child's half: the command, in its own words. */
static void run_command(va_list words)
{
	char *argv[32] = { (char *)"plexus" };
	int argc = 1;

	for (char *word = va_arg(words, char *); word; word = va_arg(words, char *))
		argv[argc++] = word;
	for (int sig = 1; sig < NSIG; sig++)	/* cmocka's handlers are not for us */
		signal(sig, SIG_DFL);
	alarm(HANG_S);
	exit(plexus_main(argc, argv));
}

/* On pipes: start("run", ..., NULL). */
static void start(const char *unused, ...)
{
	int in[2], out[2], err[2];
	va_list words;

	(void)unused;
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
	fflush(NULL);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		va_start(words, unused);
		run_command(words);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	child.in = in[1];
	child.out = out[0];
	child.err = err[0];
}

/* On a terminal: standard input and output are it, standard error is a pipe. */
static void start_on_terminal(const char *unused, ...)
{
	int err[2];
	va_list words;

	(void)unused;
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	fflush(NULL);
	child.pid = forkpty(&child.in, NULL, NULL, NULL);
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		dup2(err[1], 2);
		va_start(words, unused);
		run_command(words);
	}
	close(err[1]);
	child.out = child.in;
	child.err = err[0];
}

/* Takes in what there is. Return false when both ends are closed. */
static bool take_output(void)
{
	struct pollfd p[2] = { { .fd = child.out, .events = POLLIN }, { .fd = child.err, .events = POLLIN } };
	ssize_t n;

	if (child.out < 0 && child.err < 0)
		return false;
	assert_true(poll(p, 2, HANG_S * 1000) > 0);
	if (p[0].revents) {
		n = read(child.out, child.out_text + child.out_bytes, sizeof(child.out_text) - child.out_bytes - 1);
		if (n > 0)
			child.out_bytes += (size_t)n;
		else if (child.out != child.in)
			close(child.out), child.out = -1;
		else
			child.out = -1;		/* a terminal's master: kept open, as child.in */
	}
	if (p[1].revents) {
		n = read(child.err, child.err_text + child.err_bytes, sizeof(child.err_text) - child.err_bytes - 1);
		if (n > 0)
			child.err_bytes += (size_t)n;
		else
			close(child.err), child.err = -1;
	}
	return true;
}

static void wait_for_output(const char *text)
{
	while (!memmem(child.out_text, child.out_bytes, text, strlen(text)))
		if (!take_output())
			fail_msg("'%s' never came; standard error: %s", text, child.err_text);
}

static void wait_for_error(const char *text)
{
	while (!strstr(child.err_text, text))
		if (!take_output())
			fail_msg("'%s' was never said, but: %s", text, child.err_text);
}

static void send_text(const char *text)
{
	assert_int_equal(write(child.in, text, strlen(text)), strlen(text));
}

/* The exit status, or 1000 plus the signal that killed it. */
static int end(void)
{
	int status;

	while (take_output())
		;
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	child.pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void ends_with(int status)
{
	int got = end();

	if (got != status)
		fail_msg("exit status %d, not %d; standard error: %s", got, status, child.err_text);
}

static void said(const char *text)
{
	if (!strstr(child.err_text, text))
		fail_msg("'%s' was not said, but: %s", text, child.err_text);
}

/* A machine with the ROMs of fresh(): start(RUN, ...). */
#define RUN "", "run", "--firmware", in_dir("bios"), "--vga-rom", in_dir("vga")

/* ---- output, input, the end --------------------------------------------------------------------- */

static enum plx_exit says_hello(struct fake_machine *f)
{
	(void)f;
	guest_print("hello, world\r\n");
	return guest_power_off();
}

static void what_the_guest_prints_is_there_when_it_has_powered_off(void **state)
{
	(void)state;
	fake.guest = says_hello;
	start(RUN, NULL);
	ends_with(0);
	assert_string_equal(child.out_text, "hello, world\r\n");
	assert_string_equal(child.err_text, "");
}

static enum plx_exit adds_up_10000_bytes(struct fake_machine *f)
{
	unsigned long sum = 0, n = 0;
	char line[64];

	(void)f;
	for (int byte; n < 10000 && (byte = guest_read()) >= 0; n++)
		sum = sum * 31 + (unsigned int)byte;
	snprintf(line, sizeof(line), "%lu", sum);
	guest_print(line);
	return guest_power_off();
}

/* The UART takes 16 bytes at a time. */
static void piped_input_reaches_the_guest_whole_and_in_order(void **state)
{
	char text[10001], expected[64];
	unsigned long sum = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		text[i] = (char)(1 + i % 255);		/* Ctrl-A among them: no terminal, no meaning */
		sum = sum * 31 + (unsigned char)text[i];
	}
	text[10000] = '\0';
	fake.guest = adds_up_10000_bytes;
	start(RUN, NULL);
	send_text(text);
	ends_with(0);
	snprintf(expected, sizeof(expected), "%lu", sum);
	assert_string_equal(child.out_text, expected);
}

static enum plx_exit outlives_its_input(struct fake_machine *f)
{
	(void)f;
	guest_print("first ");
	usleep(100000);
	guest_print("second");
	return guest_power_off();
}

static void the_end_of_input_is_not_the_end_of_the_guest(void **state)
{
	(void)state;
	fake.guest = outlives_its_input;
	start(RUN, NULL);
	close(child.in);
	child.in = -1;
	ends_with(0);
	assert_string_equal(child.out_text, "first second");
}

static enum plx_exit prints_3_mib(struct fake_machine *f)
{
	const struct char_sink *sink = &f->config.serial[0];

	for (int i = 0; i < 3 << 20; i++)
		sink->write(sink->owner, 'x');
	fputs("guest is through\n", stderr);
	return guest_power_off();
}

static void a_reader_that_does_not_read_does_not_hold_the_guest(void **state)
{
	int out;

	(void)state;
	fake.guest = prints_3_mib;
	start(RUN, NULL);
	out = child.out;
	child.out = -1;			/* not read, not closed */
	wait_for_error("guest is through");
	ends_with(0);
	said("bytes were lost, for nobody read them");
	close(out);
}

static void a_reader_that_went_away_is_told_once_and_kills_nobody(void **state)
{
	const char *first;

	(void)state;
	fake.guest = prints_3_mib;
	start(RUN, NULL);
	close(child.out);
	child.out = -1;
	ends_with(0);
	first = strstr(child.err_text, "Broken pipe");
	assert_non_null(first);
	assert_null(strstr(first + 1, "Broken pipe"));
}

static void serial_output_lands_in_a_file_that_was_emptied(void **state)
{
	char text[64], option[128];

	(void)state;
	write_file("log", "old old old old old old", 23);
	snprintf(option, sizeof(option), "--serial=file:%s", in_dir("log"));
	fake.guest = says_hello;
	start(RUN, option, NULL);
	ends_with(0);
	read_file("log", text, sizeof(text));
	assert_string_equal(text, "hello, world\r\n");
	assert_int_equal(child.out_bytes, 0);
}

static enum plx_exit speaks_to_the_debug_console(struct fake_machine *f)
{
	for (const char *p = "POST 42"; *p; p++)
		f->config.debug_console.write(f->config.debug_console.owner, (uint8_t)*p);
	return guest_power_off();
}

static void the_debug_console_has_a_file_of_its_own(void **state)
{
	char text[64];

	(void)state;
	fake.guest = speaks_to_the_debug_console;
	start(RUN, "--debug-console", in_dir("debug"), NULL);
	ends_with(0);
	read_file("debug", text, sizeof(text));
	assert_string_equal(text, "POST 42");
}

static enum plx_exit echoes_one_byte(struct fake_machine *f)
{
	char text[2] = { 0 };
	int byte;

	(void)f;
	guest_print("?");
	byte = guest_read();
	text[0] = (char)(byte + 1);
	guest_print(text);
	return guest_wait_for_stop();
}

static void a_pty_carries_both_ways(void **state)
{
	char name[64], buf[1];
	struct pollfd p;
	int fd;

	(void)state;
	fake.guest = echoes_one_byte;
	start(RUN, "--serial", "pty", NULL);
	wait_for_error("the serial port is /dev/pts/");
	wait_for_error("\n");
	assert_int_equal(sscanf(strstr(child.err_text, "/dev"), "%63s", name), 1);
	fd = open(name, O_RDWR | O_NOCTTY);
	assert_true(fd >= 0);
	p = (struct pollfd){ .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, HANG_S * 1000), 1);
	assert_int_equal(read(fd, buf, 1), 1);
	assert_int_equal(buf[0], '?');
	assert_int_equal(write(fd, "a", 1), 1);
	assert_int_equal(poll(&p, 1, HANG_S * 1000), 1);
	assert_int_equal(read(fd, buf, 1), 1);
	assert_int_equal(buf[0], 'b');
	close(fd);
	kill(child.pid, SIGTERM);
	ends_with(128 + SIGTERM);
}

/* ---- time ------------------------------------------------------------------------------------------ */

static enum plx_exit waits_for_20_ticks(struct fake_machine *f)
{
	while (atomic_load(&f->advances) < 20 && !atomic_load(&f->stop))
		usleep(100);
	return guest_power_off();
}

static void the_machine_is_advanced_at_its_deadlines(void **state)
{
	(void)state;
	fake.guest = waits_for_20_ticks;
	fake.deadline_every_ns = 1000000;
	start(RUN, NULL);
	ends_with(0);
}

static enum plx_exit sets_a_timer_then_waits(struct fake_machine *f)
{
	uint64_t then = f->config.now_ns(f->config.clock_owner), now;

	usleep(50000);			/* the loop is asleep: there is no deadline */
	now = f->config.now_ns(f->config.clock_owner);
	if (now <= then || f->config.wall_s(f->config.clock_owner) < 1700000000)
		return PLX_EXIT_ERROR;
	f->deadline_every_ns = 1;
	f->config.wake_events(f->config.wake_owner);
	return waits_for_20_ticks(f);
}

static void a_nearer_deadline_wakes_the_loop(void **state)
{
	(void)state;
	fake.guest = sets_a_timer_then_waits;
	start(RUN, NULL);
	ends_with(0);
}

/* ---- ends ------------------------------------------------------------------------------------------- */

static enum plx_exit triple_faults_twice(struct fake_machine *f)
{
	return f->runs <= 2 ? PLX_EXIT_TRIPLE_FAULT : says_hello(f);
}

static void a_triple_fault_is_told_with_the_registers(void **state)
{
	(void)state;
	fake.guest = triple_faults_twice;
	start(RUN, NULL);
	ends_with(1);
	said("triple fault");
	said("EAX=12345678 EIP=0000fff0");
}

static void a_triple_fault_resets_the_machine_if_so_asked(void **state)
{
	(void)state;
	fake.guest = triple_faults_twice;
	start(RUN, "--on-triple-fault=reset", NULL);
	ends_with(0);
	assert_string_equal(child.out_text, "hello, world\r\n");
	said("reset 2 times after a triple fault");
}

static enum plx_exit resets_once(struct fake_machine *f)
{
	if (f->runs == 1)
		return PLX_EXIT_RESET;
	guest_print(f->resets == 1 ? "again" : "not reset");
	return guest_power_off();
}

static void a_reset_runs_the_machine_again(void **state)
{
	(void)state;
	fake.guest = resets_once;
	start(RUN, NULL);
	ends_with(0);
	assert_string_equal(child.out_text, "again");
}

static enum plx_exit host_fails(struct fake_machine *f)
{
	f->error = "the host ran out of mappings; raise vm.max_map_count";
	return PLX_EXIT_ERROR;
}

static void a_host_failure_is_the_engines_sentence_and_status_1(void **state)
{
	(void)state;
	fake.guest = host_fails;
	start(RUN, NULL);
	ends_with(1);
	assert_string_equal(child.err_text, "plexus: the host ran out of mappings; raise vm.max_map_count\n");
}

static void a_vm_that_cannot_be_made_says_why(void **state)
{
	(void)state;
	fake.create_error = "modify_ldt is not there; run `plexus doctor`";
	start(RUN, NULL);
	ends_with(1);
	assert_string_equal(child.err_text, "plexus: modify_ldt is not there; run `plexus doctor`\n");
}

static enum plx_exit prints_and_waits(struct fake_machine *f)
{
	(void)f;
	guest_print("ready");
	return guest_wait_for_stop();
}

static void signals_end_the_machine_in_order(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(signals); i++) {
		if (i) {
			clean(NULL);
			fresh(NULL);
		}
		fake.guest = prints_and_waits;
		start(RUN, "--stats", NULL);
		wait_for_output("ready");
		kill(child.pid, signals[i]);
		ends_with(128 + signals[i]);
		said("fragments");		/* the orderly way, with all that comes at the end */
	}
}

static enum plx_exit never_stops(struct fake_machine *f)
{
	(void)f;
	guest_print("ready");
	while (!atomic_load(&f->stop))
		usleep(200);
	guest_print(" stopping");
	while (pause())
		;
	return PLX_EXIT_STOP;
}

static void a_processor_that_does_not_stop_is_left_at_the_second_signal(void **state)
{
	(void)state;
	fake.guest = never_stops;
	start(RUN, NULL);
	wait_for_output("ready");
	kill(child.pid, SIGTERM);
	wait_for_output("stopping");
	usleep(1100000);			/* sooner, it would be the first signal still */
	kill(child.pid, SIGTERM);
	ends_with(128 + SIGTERM);
	said("did not stop in time");
}

static enum plx_exit stops_slowly(struct fake_machine *f)
{
	(void)f;
	guest_print("ready");
	while (!atomic_load(&f->stop))
		usleep(200);
	guest_print(" stopping");
	usleep(300000);
	return PLX_EXIT_STOP;
}

/* timeout(1) signals its child, and then the group that the child is in. */
static void two_signals_at_once_are_one_request(void **state)
{
	(void)state;
	fake.guest = stops_slowly;
	start(RUN, "--stats", NULL);
	wait_for_output("ready");
	kill(child.pid, SIGTERM);
	wait_for_output("stopping");
	kill(child.pid, SIGTERM);
	ends_with(128 + SIGTERM);
	said("fragments");			/* the orderly way */
}

/* ---- disks ------------------------------------------------------------------------------------------- */

static enum plx_exit writes_sector_1(struct fake_machine *f)
{
	uint8_t sector[512];

	memset(sector, 0xab, sizeof(sector));
	if (f->config.disk[0]->nsectors != 8 || f->config.disk[1])
		return PLX_EXIT_ERROR;
	if (f->config.disk[0]->write(f->config.disk[0]->owner, 1, sector, 1))
		return PLX_EXIT_ERROR;
	memset(sector, 0, sizeof(sector));
	if (f->config.disk[0]->read(f->config.disk[0]->owner, 1, sector, 1) || sector[511] != 0xab)
		return PLX_EXIT_ERROR;
	return guest_power_off();
}

static void what_the_guest_writes_is_in_the_image(void **state)
{
	char bytes[8192];

	(void)state;
	fake.guest = writes_sector_1;
	start(RUN, "--disk", in_dir("disk"), NULL);
	ends_with(0);
	assert_int_equal(read_file("disk", bytes, sizeof(bytes)), 4096);
	assert_int_equal((uint8_t)bytes[512], 0xab);
	assert_int_equal((uint8_t)bytes[1024], 0);
}

static void a_snapshot_leaves_the_image_as_it_was(void **state)
{
	char bytes[8192];

	(void)state;
	fake.guest = writes_sector_1;
	start(RUN, "--disk", in_dir("disk"), "--snapshot", NULL);
	ends_with(0);
	assert_int_equal(read_file("disk", bytes, sizeof(bytes)), 4096);
	assert_int_equal((uint8_t)bytes[512], 0);
}

static enum plx_exit meets_a_full_host(struct fake_machine *f)
{
	for (uint64_t sector = 0; sector < 3; sector++)
		f->config.host_error(f->config.host_error_owner, 0, "written", sector, -ENOSPC);
	guest_print("ready");
	return guest_wait_for_stop();
}

static void a_failing_host_disk_is_told_once(void **state)
{
	const char *told;

	(void)state;
	fake.guest = meets_a_full_host;
	start(RUN, "--disk", in_dir("disk"), NULL);
	wait_for_output("ready");
	kill(child.pid, SIGTERM);
	ends_with(128 + SIGTERM);
	said("disk: could not be written: No space left on device");
	told = strstr(child.err_text, "could not be");
	assert_null(strstr(told + 1, "could not be"));
}

/* ---- what the machine is given ------------------------------------------------------------------------- */

static enum plx_exit checks_its_machine(struct fake_machine *f)
{
	const struct pc_fwcfg_file *file = f->config.fwcfg;
	bool right = f->vm_config.ram_bytes == 64 << 20 && f->config.ram_bytes == 64 << 20 &&
		     f->vm_config.rewrite == PLX_REWRITE_FARCALL && !strcmp(f->vm_config.host_features, "-erms") &&
		     f->config.firmware_bytes == 65536 && f->config.vga_rom_bytes == 32768 && f->config.has_vga &&
		     !memcmp(f->config.vga_rom, "\x55\xaa", 2) && !strcmp(file[0].name, "etc/acpi/rsdp") &&
		     !strcmp(file[1].name, "etc/acpi/tables") && !strcmp(file[2].name, "etc/table-loader") && !file[3].name;

	guest_print(right ? "right" : "wrong");
	return guest_power_off();
}

static void the_machine_is_what_the_options_say(void **state)
{
	(void)state;
	fake.guest = checks_its_machine;
	start(RUN, "--memory=64M", "--rewrite=farcall", "--host-features=-erms", NULL);
	ends_with(0);
	assert_string_equal(child.out_text, "right");
}

static enum plx_exit checks_its_host(struct fake_machine *f)
{
	guest_print(f->vm_config.host == PLX_HOST_AUTO && f->vm_config.descriptor_tables_guest && f->vm_config.monitor_high ?
		    "auto" : f->vm_config.host == PLX_HOST_MODULE ? "module" : "process");
	return guest_power_off();
}

static void a_machine_runs_in_a_process_unless_another_host_is_asked_for(void **state)
{
	(void)state;
	fake.guest = checks_its_host;
	start(RUN, NULL);
	ends_with(0);
	assert_string_equal(child.out_text, "process");
}

static void the_module_is_asked_for_by_its_word(void **state)
{
	(void)state;
	fake.guest = checks_its_host;
	start(RUN, "--host=module", NULL);
	ends_with(0);
	assert_string_equal(child.out_text, "module");
}

static void the_engine_chooses_where_the_options_leave_it_to_it(void **state)
{
	(void)state;
	fake.guest = checks_its_host;
	start(RUN, "--host=auto", "--descriptor-tables=guest", "--monitor-high", NULL);
	ends_with(0);
	assert_string_equal(child.out_text, "auto");
}

/* Whoever asks for a record gets one, rather than the other host and a refusal. */
static void what_is_recorded_is_run_in_a_process(void **state)
{
	(void)state;
	fake.guest = checks_its_host;
	start(RUN, "--host=auto", "--trace-summary", NULL);
	ends_with(0);
	assert_string_equal(child.out_text, "process");
}

/* The least that is a kernel: see test_linux_loader.c for the fields. */
static void write_kernel(void)
{
	uint8_t image[3 * 512] = { 0 };

	image[0x1f1] = 1;
	image[0x1f4] = 32;
	image[0x1fe] = 0x55;
	image[0x1ff] = 0xaa;
	memcpy(image + 0x200, "\xeb\x66HdrS\x05\x02", 8);
	image[0x211] = 1;
	image[0x216] = 0x10;			/* code32_start */
	memset(image + 0x22c, 0xff, 3);
	image[0x22f] = 0x37;
	memset(image + 1024, 0x90, 512);
	write_file("kernel", image, sizeof(image));
}

static enum plx_exit checks_its_kernel(struct fake_machine *f)
{
	const uint8_t *ram = f->ram;
	bool right = f->start.eip == 0x100000 && ram[0x100000] == 0x90 && !f->config.firmware && f->flat_starts == f->runs &&
		     f->mapped_bios_area == f->runs && !memcmp(ram + 0xe0000, "RSD PTR ", 8) && !strcmp((const char *)ram + 0x92000, "quiet");

	f->ram[0x100000] = 0;
	if (right && f->runs == 1)
		return PLX_EXIT_RESET;
	guest_print(right ? "right twice" : "wrong");
	return guest_power_off();
}

static void a_kernel_is_loaded_at_power_on_and_at_each_reset(void **state)
{
	(void)state;
	write_kernel();
	fake.guest = checks_its_kernel;
	start("", "run", "--kernel", in_dir("kernel"), "--append", "quiet", NULL);
	ends_with(0);
	assert_string_equal(child.out_text, "right twice");
}

/* ---- figures and pictures -------------------------------------------------------------------------------- */

static void the_table_shows_each_group_once(void **state)
{
	const char *port;

	(void)state;
	fake.guest = says_hello;
	start(RUN, "--stats", NULL);
	ends_with(0);
	said("1,234,567");
	said("1.500 s");
	port = strstr(child.err_text, "\nport\n");
	assert_non_null(port);
	assert_null(strstr(port + 1, "\nport\n"));
	assert_non_null(strstr(port, "engine"));
	assert_non_null(strstr(port, "devices"));
}

static void the_json_file_appears_whole_with_nothing_beside_it(void **state)
{
	char text[4096], option[128], command[256];

	(void)state;
	snprintf(option, sizeof(option), "--stats=%s", in_dir("s.json"));
	fake.guest = says_hello;
	start(RUN, option, NULL);
	ends_with(0);
	assert_true(read_file("s.json", text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "\"code\": {\n    \"fragments\": 1234567\n  }"));
	assert_non_null(strstr(text, "\"port\": {\n    \"engine\": 1,\n    \"devices\": 2\n  }"));
	assert_int_equal(text[strlen(text) - 2], '}');
	snprintf(command, sizeof(command), "test \"$(ls -d %s*)\" = %s", in_dir("s.json"), in_dir("s.json"));
	assert_int_equal(system(command), 0);
}

static void figures_that_cannot_be_written_fail_the_run(void **state)
{
	(void)state;
	fake.guest = says_hello;
	start(RUN, "--stats=/dev/full", NULL);
	ends_with(1);
	said("/dev/full: cannot be written: No space left on device");
	assert_string_equal(child.out_text, "hello, world\r\n");
}

static void a_name_where_nothing_can_be_written_is_told_before_the_guest_runs(void **state)
{
	char option[128];

	(void)state;
	snprintf(option, sizeof(option), "--stats=%s", in_dir("no/such/dir.json"));
	fake.guest = says_hello;
	start(RUN, option, NULL);
	ends_with(1);
	said("cannot be written: No such file or directory");
	assert_string_equal(child.out_text, "");
}

static void the_screenshot_is_a_png_at_the_end(void **state)
{
	char bytes[256];

	(void)state;
	fake.guest = says_hello;
	start(RUN, "--screenshot", in_dir("s.png"), NULL);
	ends_with(0);
	assert_true(read_file("s.png", bytes, sizeof(bytes)) > 8);
	assert_memory_equal(bytes, "\x89PNG\r\n\x1a\n", 8);
}

static enum plx_exit runs_a_cpuid(struct fake_machine *f)
{
	struct plx_cover *c = f->cover;

	c->insn[c->ninsns++] = (struct plx_cover_insn){ .linear = 0x7c02, .gpa = 0x7c02, .bytes = { 0x0f, 0xa2 }, .length = 2, .how = PLX_COVER_NEXUS,
							.cpls = 1, .callouts = 7 };
	c->insn[c->ninsns++] = (struct plx_cover_insn){ .linear = 0x7c04, .gpa = 0x7c04, .bytes = { 0x90 }, .length = 1 };
	return PLX_EXIT_TRIPLE_FAULT;
}

static void what_ran_is_in_the_file_even_after_a_triple_fault(void **state)
{
	struct coverage coverage = { 0 };
	char why[256] = "";

	(void)state;
	fake.guest = runs_a_cpuid;
	start(RUN, "--rewrite=int3", "--coverage", in_dir("cov"), NULL);
	ends_with(1);
	assert_int_equal(coverage_read(&coverage, in_dir("cov"), why, sizeof(why)), 0);
	assert_int_equal(coverage.ninsns, 1);		/* the other was never reached */
	assert_int_equal(coverage.insns[0].linear, 0x7c02);
	assert_int_equal(coverage.insns[0].callouts, 7);
	assert_int_equal(coverage.runs[0].unreached, 1);
	assert_int_equal(coverage.runs[0].rewrite, PLX_REWRITE_INT3);
	assert_non_null(strstr(coverage.runs[0].command, "--rewrite=int3"));
	coverage_free(&coverage);
}

/* ---- what people get wrong --------------------------------------------------------------------------------- */

static void refused_run(const char *option, const char *argument, const char *sentence)
{
	fake.guest = says_hello;
	start(RUN, option, argument, NULL);
	ends_with(1);
	said(sentence);
	/* One sentence, and no guest. */
	assert_int_equal(strncmp(child.err_text, "plexus: ", 8), 0);
	assert_ptr_equal(strchr(child.err_text, '\n'), child.err_text + child.err_bytes - 1);
	assert_int_equal(child.out_bytes, 0);
}

static void a_coverage_file_that_cannot_be_made_is_told_first(void **state)
{
	(void)state;
	refused_run("--coverage", in_dir("no/such/cov"), "cannot be written: No such file or directory");
}

static void a_missing_disk_is_refused(void **state)
{
	(void)state;
	refused_run("--disk", in_dir("nowhere"), "nowhere");
}

static void an_empty_disk_is_refused(void **state)
{
	(void)state;
	write_file("empty", "", 0);
	refused_run("--disk", in_dir("empty"), "empty");
}

static void a_disk_that_is_no_multiple_of_512_is_refused(void **state)
{
	(void)state;
	write_file("cut", "0123456789", 10);
	refused_run("--disk", in_dir("cut"), "512");
}

static void a_directory_is_no_disk(void **state)
{
	(void)state;
	refused_run("--disk", directory, "directory");
}

static void a_serial_file_that_cannot_be_made_is_refused(void **state)
{
	char option[128];

	(void)state;
	snprintf(option, sizeof(option), "file:%s", in_dir("no/such/log"));
	refused_run("--serial", option, "--serial: ");
}

static void a_debug_console_that_cannot_be_made_is_refused(void **state)
{
	(void)state;
	refused_run("--debug-console", in_dir("no/such/log"), "--debug-console: ");
}

static void firmware_that_is_none_is_refused(void **state)
{
	(void)state;
	start("", "run", "--firmware", in_dir("disk"), NULL);
	ends_with(1);
	said("not a system ROM");
}

static void a_kernel_that_is_none_is_refused(void **state)
{
	(void)state;
	start("", "run", "--kernel", in_dir("bios"), NULL);
	ends_with(1);
	said("bios: is not a Linux kernel");
	clean(NULL);
	fresh(NULL);
	start("", "run", "--kernel", directory, NULL);
	ends_with(1);
	said("Is a directory");
}

static void words_that_mean_nothing_are_status_2(void **state)
{
	(void)state;
	start("", "run", "--colour", NULL);
	ends_with(2);
	said("--colour is no option");
	clean(NULL);
	fresh(NULL);
	start("", "walk", NULL);
	ends_with(2);
	said("'walk' is no command");
	clean(NULL);
	fresh(NULL);
	start("", NULL);
	ends_with(2);
	said("a command is missing");
}

static void help_and_version_go_to_standard_output(void **state)
{
	(void)state;
	start("", "help", NULL);
	ends_with(0);
	assert_non_null(strstr(child.out_text, "plexus COMMAND"));
	clean(NULL);
	fresh(NULL);
	start("", "run", "--help", NULL);
	ends_with(0);
	assert_non_null(strstr(child.out_text, "--on-triple-fault"));
	clean(NULL);
	fresh(NULL);
	start("", "doctor", "--help", NULL);
	ends_with(0);
	assert_non_null(strstr(child.out_text, "Usage: plexus doctor"));
	clean(NULL);
	fresh(NULL);
	start("", "--version", NULL);
	ends_with(0);
	assert_memory_equal(child.out_text, "plexus ", 7);
}

/* ---- on a terminal ------------------------------------------------------------------------------------------ */

static bool terminal_is_raw(void)
{
	struct termios mode;

	assert_int_equal(tcgetattr(child.in, &mode), 0);
	return !(mode.c_lflag & (ICANON | ECHO | ISIG));
}

static bool terminal_is_as_before(void)
{
	struct termios mode;

	assert_int_equal(tcgetattr(child.in, &mode), 0);
	return (mode.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG) && (mode.c_iflag & ICRNL);
}

static enum plx_exit tells_each_byte(struct fake_machine *f)
{
	char text[16];

	(void)f;
	guest_print("ready");
	for (int byte; (byte = guest_read()) >= 0;) {
		snprintf(text, sizeof(text), "<%d>", byte);
		guest_print(text);
	}
	return PLX_EXIT_STOP;
}

static void keys_of_the_terminal_go_to_the_guest_ctrl_c_too(void **state)
{
	(void)state;
	fake.guest = tells_each_byte;
	start_on_terminal(RUN, NULL);
	wait_for_output("ready");
	assert_true(terminal_is_raw());
	send_text("a\r\x03\x1a\x11");
	wait_for_output("<97><13><3><26><17>");
	send_text("\x01x");
	ends_with(0);
	assert_true(terminal_is_as_before());
}

static void ctrl_a_twice_sends_one(void **state)
{
	(void)state;
	fake.guest = tells_each_byte;
	start_on_terminal(RUN, NULL);
	wait_for_output("ready");
	send_text("\x01\x01\x01qb");	/* q is no key of ours: swallowed */
	wait_for_output("<1><98>");
	send_text("\x01X");
	ends_with(0);
}

static void ctrl_a_h_tells_the_keys(void **state)
{
	(void)state;
	fake.guest = tells_each_byte;
	start_on_terminal(RUN, NULL);
	wait_for_output("ready");
	send_text("\x01h");
	wait_for_error("press the power button");
	send_text("\x01x");
	ends_with(0);
}

static enum plx_exit waits_for_the_button(struct fake_machine *f)
{
	guest_print("ready");
	while (!atomic_load(&f->power_button))
		usleep(200);
	return guest_power_off();
}

static void ctrl_a_p_presses_the_power_button(void **state)
{
	(void)state;
	fake.guest = waits_for_the_button;
	start_on_terminal(RUN, NULL);
	wait_for_output("ready");
	send_text("\x01p");
	ends_with(0);
}

static void ctrl_a_s_writes_the_screenshot_now(void **state)
{
	char bytes[256];

	(void)state;
	fake.guest = tells_each_byte;
	start_on_terminal(RUN, "--screenshot", in_dir("s.png"), NULL);
	wait_for_output("ready");
	send_text("\x01sb");
	wait_for_output("<98>");
	assert_true(read_file("s.png", bytes, sizeof(bytes)) > 8);
	send_text("\x01x");
	ends_with(0);
}

static void a_signal_gives_the_terminal_back(void **state)
{
	(void)state;
	fake.guest = prints_and_waits;
	start_on_terminal(RUN, NULL);
	wait_for_output("ready");
	assert_true(terminal_is_raw());
	kill(child.pid, SIGTERM);
	ends_with(128 + SIGTERM);
	assert_true(terminal_is_as_before());
}

static void the_display_takes_the_terminal_and_ctrl_a_x_gives_it_back(void **state)
{
	(void)state;
	setenv("TERM", "xterm", 1);
	fake.guest = prints_and_waits;
	start_on_terminal(RUN, "--display", "curses", NULL);
	wait_for_output("\033[?1049h");		/* xterm's other screen */
	send_text("\x01x");
	ends_with(0);
	assert_true(terminal_is_as_before());
	assert_non_null(memmem(child.out_text, child.out_bytes, "\033[?1049l", 8));
	assert_null(memmem(child.out_text, child.out_bytes, "ready", 5));	/* the serial port goes nowhere */
}

static void a_display_without_a_terminal_is_refused(void **state)
{
	(void)state;
	refused_run("--display", "curses", "terminal");
}

/* The machine itself may die of these; a shell that echoes nothing must not be what is left. */
static void dies_of(int sig)
{
	fake.guest = prints_and_waits;
	start_on_terminal(RUN, NULL);
	wait_for_output("ready");
	assert_true(terminal_is_raw());
	kill(child.pid, sig);
	ends_with(1000 + sig);
	assert_true(terminal_is_as_before());
}

static void a_segmentation_fault_gives_the_terminal_back(void **state)
{
	(void)state;
	dies_of(SIGSEGV);
}

static void an_abort_gives_the_terminal_back(void **state)
{
	(void)state;
	dies_of(SIGABRT);
}

static void a_stop_gives_the_terminal_back_and_going_on_takes_it_again(void **state)
{
	int status;

	(void)state;
	fake.guest = tells_each_byte;
	start_on_terminal(RUN, NULL);
	wait_for_output("ready");
	kill(child.pid, SIGTSTP);
	assert_int_equal(waitpid(child.pid, &status, WUNTRACED), child.pid);
	assert_true(WIFSTOPPED(status));
	assert_true(terminal_is_as_before());
	kill(child.pid, SIGCONT);
	while (!terminal_is_raw())
		usleep(1000);		/* ended by the child's alarm at the latest: tcgetattr still works, end() fails */
	send_text("a");
	wait_for_output("<97>");
	send_text("\x01x");
	ends_with(0);
	assert_true(terminal_is_as_before());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, clean)
	const struct CMUnitTest tests[] = {
		TEST(what_the_guest_prints_is_there_when_it_has_powered_off),
		TEST(piped_input_reaches_the_guest_whole_and_in_order),
		TEST(the_end_of_input_is_not_the_end_of_the_guest),
		TEST(a_reader_that_does_not_read_does_not_hold_the_guest),
		TEST(a_reader_that_went_away_is_told_once_and_kills_nobody),
		TEST(serial_output_lands_in_a_file_that_was_emptied),
		TEST(the_debug_console_has_a_file_of_its_own),
		TEST(a_pty_carries_both_ways),
		TEST(the_machine_is_advanced_at_its_deadlines),
		TEST(a_nearer_deadline_wakes_the_loop),
		TEST(a_triple_fault_is_told_with_the_registers),
		TEST(a_triple_fault_resets_the_machine_if_so_asked),
		TEST(a_reset_runs_the_machine_again),
		TEST(a_host_failure_is_the_engines_sentence_and_status_1),
		TEST(a_vm_that_cannot_be_made_says_why),
		TEST(signals_end_the_machine_in_order),
		TEST(a_processor_that_does_not_stop_is_left_at_the_second_signal),
		TEST(two_signals_at_once_are_one_request),
		TEST(what_the_guest_writes_is_in_the_image),
		TEST(a_snapshot_leaves_the_image_as_it_was),
		TEST(a_failing_host_disk_is_told_once),
		TEST(the_machine_is_what_the_options_say),
		TEST(a_machine_runs_in_a_process_unless_another_host_is_asked_for),
		TEST(the_module_is_asked_for_by_its_word),
		TEST(the_engine_chooses_where_the_options_leave_it_to_it),
		TEST(what_is_recorded_is_run_in_a_process),
		TEST(a_kernel_is_loaded_at_power_on_and_at_each_reset),
		TEST(the_table_shows_each_group_once),
		TEST(the_json_file_appears_whole_with_nothing_beside_it),
		TEST(figures_that_cannot_be_written_fail_the_run),
		TEST(a_name_where_nothing_can_be_written_is_told_before_the_guest_runs),
		TEST(the_screenshot_is_a_png_at_the_end),
		TEST(what_ran_is_in_the_file_even_after_a_triple_fault),
		TEST(a_coverage_file_that_cannot_be_made_is_told_first),
		TEST(a_missing_disk_is_refused),
		TEST(an_empty_disk_is_refused),
		TEST(a_disk_that_is_no_multiple_of_512_is_refused),
		TEST(a_directory_is_no_disk),
		TEST(a_serial_file_that_cannot_be_made_is_refused),
		TEST(a_debug_console_that_cannot_be_made_is_refused),
		TEST(firmware_that_is_none_is_refused),
		TEST(a_kernel_that_is_none_is_refused),
		TEST(words_that_mean_nothing_are_status_2),
		TEST(help_and_version_go_to_standard_output),
		TEST(keys_of_the_terminal_go_to_the_guest_ctrl_c_too),
		TEST(ctrl_a_twice_sends_one),
		TEST(ctrl_a_h_tells_the_keys),
		TEST(ctrl_a_p_presses_the_power_button),
		TEST(ctrl_a_s_writes_the_screenshot_now),
		TEST(a_signal_gives_the_terminal_back),
		TEST(the_display_takes_the_terminal_and_ctrl_a_x_gives_it_back),
		TEST(a_display_without_a_terminal_is_refused),
		TEST(a_segmentation_fault_gives_the_terminal_back),
		TEST(an_abort_gives_the_terminal_back),
		TEST(a_stop_gives_the_terminal_back_and_going_on_takes_it_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
