/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_prescan_command.c - plexus prescan as it is called: paths, outputs, stopping and going on, and everything that
 * can be wrong with what it is given. Each call is a child process of its own in a folder of its own.
 */
#define _GNU_SOURCE			/* mkdtemp, nftw */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plexus/base.h"
#include "user/command.h"

const char plexus_version[] = "test";

/* ---- a folder of files, and a command run in it ---- */

static int setup(void **state)
{
	char *folder = strdup("/tmp/test_prescan_command.XXXXXX");

	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	*state = folder;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int teardown(void **state)
{
	assert_int_equal(chdir("/"), 0);
	nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

static void write_file(const char *path, const void *bytes, size_t nbytes)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, nbytes, file), nbytes);
	assert_int_equal(fclose(file), 0);
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t n = 0;

	assert_non_null(file);
	if (getdelim(&text, &n, 0, file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

/* A boot sector; @seed makes each another. */
static void write_sector(const char *path, uint32_t seed)
{
	uint8_t sector[512];

	for (size_t i = 0; i < sizeof(sector); i++) {
		seed = seed * 1664525u + 1013904223u;
		sector[i] = (uint8_t)(seed >> 24);
	}
	sector[0] = 0xfa;
	sector[510] = 0x55;
	sector[511] = 0xaa;
	write_file(path, sector, sizeof(sector));
}

struct ran {
	int status;
	char *out, *err;
};

static void redirect(const char *path, int to)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0 || dup2(fd, to) < 0)
		_exit(99);
	close(fd);
}

/* Root reads everything; a child that is to be refused becomes somebody else first. */
static bool as_nobody;

/* @file_limit: no file may grow beyond it, as on a full disk; 0: no limit. */
static pid_t start(const char *const *args, rlim_t file_limit)
{
	char *argv[16] = { (char *)"prescan" };
	int argc = 1;
	pid_t pid;

	for (; *args; args++)
		argv[argc++] = (char *)*args;
	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	redirect("out", STDOUT_FILENO);
	redirect("err", STDERR_FILENO);
	if (as_nobody && geteuid() == 0 && (setgid(65534) || setuid(65534)))
		_exit(98);
	if (file_limit) {
		struct rlimit limit = { file_limit, file_limit };

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
	}
	_exit(command_prescan(argc, argv));
}

static struct ran finish(pid_t pid)
{
	struct ran r;

	assert_int_equal(waitpid(pid, &r.status, 0), pid);
	assert_true(WIFEXITED(r.status));
	r.status = WEXITSTATUS(r.status);
	r.out = read_file("out");
	r.err = read_file("err");
	return r;
}

#define RUN(...) finish(start((const char *const[]){ __VA_ARGS__, NULL }, 0))

static void done(struct ran r)
{
	free(r.out);
	free(r.err);
}

static void expect_one_sentence(const struct ran *r, int status, const char *part)
{
	const char *newline = strchr(r->err, '\n');

	if (r->status != status || !strstr(r->err, part))
		print_error("status %d: %s", r->status, r->err);
	assert_int_equal(r->status, status);
	assert_non_null(strstr(r->err, part));
	assert_memory_equal(r->err, "plexus: ", 8);
	assert_non_null(newline);
	assert_int_equal(newline[1], 0);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

/* How many names in the folder begin so? Temporary files are beside what they become. */
static size_t names_like(const char *path, const char *start)
{
	char command[256];
	FILE *pipe;
	size_t n = 0;

	snprintf(command, sizeof(command), "ls -A %s", path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while (fgets(command, sizeof(command), pipe))
		n += !strncmp(command, start, strlen(start));
	pclose(pipe);
	return n;
}

/* ---- output ---- */

static void a_boot_sector_is_reported_as_a_table(void **state)
{
	struct ran r;

	(void)state;
	write_sector("boot.bin", 1);
	r = RUN("boot.bin");
	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	assert_non_null(strstr(r.out, "boot.bin (boot sector)"));
	assert_non_null(strstr(r.out, "instructions that are rewritten"));
	assert_non_null(strstr(r.out, "worst places"));
	assert_non_null(strstr(r.out, "\n  all "));
	done(r);
}

static void each_lists_every_byte_of_code(void **state)
{
	static const uint8_t code[] = { 0xfa, 0x55, 0xb8, 1, 0, 0, 0, 0xec, 0xf0, 0x90, 0xc3 };
	struct ran r;

	(void)state;
	write_file("code", code, sizeof(code));
	r = RUN("--raw=0x100", "--mode", "32", "--each", "--json", "code");
	assert_int_equal(r.status, 0);
	assert_int_equal(count(r.out, "\"type\":\"step\""), 7);
	assert_non_null(strstr(r.out, "\"address\":\"0x100\",\"mode\":32,\"length\":1,\"data\":\"fa\",\"decoded\":true,\"class\":\"flags\","
			       "\"rewriting\":\"inlined\",\"mnemonic\":\"CLI\",\"reason\":"));
	assert_non_null(strstr(r.out, "\"address\":\"0x108\",\"mode\":32,\"length\":1,\"data\":\"f0\",\"decoded\":false,\"class\":\"undefined\","));
	assert_int_equal(count(r.out, "\"type\":\"total\""), 1);
	done(r);
	r = RUN("--raw", "--mode", "32", "--each", "--rewrite", "int3", "code");
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, " 32 flags       int3"));
	done(r);
	r = RUN("--raw", "--mode", "16", "--each", "--cpl", "3", "code");
	assert_non_null(strstr(r.out, " 16 flags       far-jump"));
	done(r);
}

static void the_page_needs_nothing_but_itself(void **state)
{
	struct ran r;
	char *page;

	(void)state;
	write_sector("<b>&\"\x80.bin", 2);
	r = RUN("--html", "page.html", "--json=lines", ".");
	assert_int_equal(r.status, 0);
	page = read_file("page.html");
	assert_memory_equal(page, "<!DOCTYPE html>", 15);
	assert_non_null(strstr(page, "</html>"));
	assert_null(strstr(page, "http"));
	assert_null(strstr(page, "src="));
	assert_null(strstr(page, "href="));
	assert_null(strstr(page, "url("));
	assert_null(strstr(page, "<b>&\""));
	assert_non_null(strstr(page, "&lt;b&gt;&amp;&quot;&#xfffd;.bin"));
	assert_non_null(strstr(page, "<canvas"));
	assert_non_null(strstr(page, "<svg"));
	assert_non_null(strstr(page, "Worst places"));
	free(page);
	page = read_file("lines");
	assert_non_null(strstr(page, "\"./<b>&\\\"\xef\xbf\xbd.bin\""));
	free(page);
	done(r);
}

/* RFC 8259, as far as we write it. Returns what stands behind the value, or NULL. */
static const char *json_value(const char *at)
{
	char end;

	if (*at == '"') {
		for (at++; *at && *at != '"'; at++) {
			if ((unsigned char)*at < 0x20)
				return NULL;
			if (*at == '\\' && !strchr("\"\\/bfnrtu", *++at))
				return NULL;
		}
		return *at ? at + 1 : NULL;
	}
	if (*at != '{') {
		size_t n = strspn(at, "-0123456789.");

		return !strncmp(at, "true", 4) ? at + 4 : !strncmp(at, "false", 5) ? at + 5 : n ? at + n : NULL;
	}
	do {
		at = json_value(at + 1);
		if (!at || *at != ':')
			return NULL;
		at = json_value(at + 1);
		end = at ? *at : 0;
	} while (end == ',');
	return end == '}' ? at + 1 : NULL;
}

static void every_line_of_json_is_an_object(void **state)
{
	struct ran r;
	size_t n = 0;

	(void)state;
	write_sector("a \"quoted\" \\ name\n.bin", 3);
	r = RUN("--each", "--json", ".");
	assert_int_equal(r.status, 0);
	for (const char *at = r.out; *at; at++, n++) {
		const char *end = *at == '{' ? json_value(at) : NULL;

		assert_non_null(end);
		assert_int_equal(*end, '\n');
		assert_memory_equal(at, "{\"type\":\"", 9);
		at = end;
	}
	assert_true(n > 100);
	done(r);
}

/* ---- directories ---- */

static void make_tree(int first, int step)
{
	char path[64];

	mkdir("tree", 0777);
	mkdir("tree/sub", 0777);
	for (int i = first; i >= 0 && i < 40; i += step) {
		snprintf(path, sizeof(path), "tree/%s%d.bin", i % 3 ? "" : "sub/", i);
		write_sector(path, (uint32_t)i);
	}
	write_file("tree/text", "no code here, and more than that\n", 33);
}

static void the_result_does_not_depend_on_order_or_threads(void **state)
{
	struct ran a, b, c;

	(void)state;
	make_tree(0, 1);
	a = RUN("--json", "--jobs", "1", "tree");
	nftw("tree", remove_one, 16, FTW_DEPTH | FTW_PHYS);
	make_tree(39, -1);
	b = RUN("--json", "--jobs", "8", "tree");
	/* Named out of order, and some of them twice. */
	c = RUN("--json", "--jobs", "3", "tree/sub", "tree/", "tree/sub");
	assert_int_equal(a.status, 0);
	assert_int_equal(count(a.out, "\"verdict\":\"scanned\""), 40);
	assert_int_equal(count(a.out, "\"verdict\":\"no-code\""), 1);
	assert_string_equal(a.out, b.out);
	assert_string_equal(a.out, c.out);
	done(a);
	done(b);
	done(c);
}

static void links_in_a_directory_are_not_followed(void **state)
{
	struct ran r;

	(void)state;
	mkdir("d", 0777);
	write_sector("d/a.bin", 1);
	assert_int_equal(symlink("../d", "d/loop"), 0);
	assert_int_equal(symlink("a.bin", "d/b.bin"), 0);
	assert_int_equal(mkfifo("d/fifo", 0666), 0);
	r = RUN("--json", "d");
	assert_int_equal(r.status, 0);
	assert_int_equal(count(r.out, "\"type\":\"file\""), 1);
	assert_non_null(strstr(r.out, "\"links_not_followed\":2"));
	done(r);
}

/* ---- stopping and going on ---- */

static void a_scan_goes_on_where_the_state_ends(void **state)
{
	struct ran whole, first, again;
	struct stat st;
	off_t full;

	(void)state;
	make_tree(0, 1);
	whole = RUN("--json", "tree");
	first = RUN("--json", "--state", "s", "tree");
	assert_string_equal(first.out, whole.out);
	stat("s", &st);
	full = st.st_size;

	/* As if it had been stopped in the middle of a record. */
	assert_int_equal(truncate("s", full / 2), 0);
	again = RUN("--json", "--state", "s", "tree");
	assert_int_equal(again.status, 0);
	assert_string_equal(again.out, whole.out);
	stat("s", &st);
	assert_int_equal(st.st_size, full);
	done(again);

	/* All is known: nothing is added. */
	again = RUN("--json", "--state", "s", "tree");
	assert_string_equal(again.out, whole.out);
	stat("s", &st);
	assert_int_equal(st.st_size, full);
	done(again);

	/* A file that changed is read again. */
	write_sector("tree/1.bin", 777);
	again = RUN("--json", "--state", "s", "tree");
	assert_string_not_equal(again.out, whole.out);
	stat("s", &st);
	assert_true(st.st_size > full);
	done(again);
	done(first);
	done(whole);
}

static void a_state_of_other_options_or_of_others_is_left_alone(void **state)
{
	struct ran r;
	char *text;

	(void)state;
	write_sector("a.bin", 1);
	done(RUN("--state", "s", "a.bin"));
	r = RUN("--state", "s", "--mode", "32", "a.bin");
	expect_one_sentence(&r, 1, "other options");
	done(r);
	write_file("s", "somebody's notes\n", 17);
	r = RUN("--state", "s", "a.bin");
	expect_one_sentence(&r, 1, "no state file");
	done(r);
	text = read_file("s");
	assert_string_equal(text, "somebody's notes\n");
	free(text);
}

/* A FIFO that nobody writes holds no scan up (it is refused), so time is bought with size: 64 MiB of code, again and again. */
static void ctrl_c_ends_with_a_sentence_and_keeps_the_state(void **state)
{
	static const char *const args[] = { "--state", "s", "--html", "page", "--raw", "--jobs", "1", "big", NULL };
	char name[32];
	struct ran r;
	struct stat st;
	pid_t pid;

	(void)state;
	mkdir("big", 0777);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "big/%02d", i);
		write_file(name, "", 0);
		assert_int_equal(truncate(name, i ? 32 << 20 : 4096), 0);
	}
	pid = start(args, 0);
	/* The first, small file is in the state: the scan is in the middle of things. */
	while (stat("s", &st) < 0 || st.st_size < 300)
		usleep(1000);
	kill(pid, SIGINT);
	r = finish(pid);
	expect_one_sentence(&r, 128 + SIGINT, "stopped after");
	assert_string_equal(r.out, "");
	assert_int_equal(names_like(".", "page"), 0);
	stat("s", &st);
	assert_true(st.st_size >= 300);
	done(r);
}

/* ---- what can be wrong ---- */

static void what_cannot_be_read_is_one_sentence(void **state)
{
	static const uint8_t elf64[64] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	static const uint8_t cut_elf[20] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };
	struct ran r;

	(void)state;
	r = RUN("not-there");
	expect_one_sentence(&r, 1, "not-there: cannot be opened: No such file");
	done(r);
	assert_int_equal(symlink("loop2", "loop1"), 0);
	assert_int_equal(symlink("loop1", "loop2"), 0);
	r = RUN("loop1");
	expect_one_sentence(&r, 1, "symbolic links");
	done(r);
	assert_int_equal(mkfifo("fifo", 0666), 0);
	r = RUN("fifo");
	expect_one_sentence(&r, 1, "neither a file nor a block device");
	done(r);
	write_file("empty", "", 0);
	r = RUN("empty");
	expect_one_sentence(&r, 1, "is empty");
	done(r);
	write_file("64", elf64, sizeof(elf64));
	r = RUN("64");
	expect_one_sentence(&r, 1, "64-bit");
	done(r);
	write_file("cut", cut_elf, sizeof(cut_elf));
	r = RUN("cut");
	expect_one_sentence(&r, 1, "truncated");
	done(r);
	mkdir("nothing", 0777);
	r = RUN("nothing");
	expect_one_sentence(&r, 1, "no file");
	done(r);
}

static void a_damaged_kernel_or_cd_is_one_sentence(void **state)
{
	static const uint8_t cut[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x01 };
	uint8_t kernel[1024 + 64] = { 0 }, cd[17 * 2048] = { 0 };
	struct ran r;

	(void)state;
	kernel[0x1f1] = 1;
	kernel[510] = 0x55;
	kernel[511] = 0xaa;
	memcpy(kernel + 0x202, "HdrS\xc\2", 6);
	kernel[0x248] = 16;
	kernel[0x24c] = sizeof(cut);
	memcpy(kernel + 1024 + 16, cut, sizeof(cut));
	write_file("bzImage", kernel, sizeof(kernel));
	r = RUN("bzImage");
	expect_one_sentence(&r, 1, "its packed kernel (Zstandard) cannot be unpacked: it is damaged or truncated");
	done(r);
	memcpy(cd + 16 * 2048, "\1CD001\1", 7);
	write_file("cd.iso", cd, sizeof(cd));
	r = RUN("cd.iso");
	expect_one_sentence(&r, 1, "is truncated: its list of volume descriptors");
	done(r);
}

static void one_bad_file_does_not_keep_the_others_from_being_read(void **state)
{
	static const uint8_t cut_elf[20] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };
	struct ran r;

	(void)state;
	mkdir("d", 0777);
	write_sector("d/good.bin", 1);
	write_file("d/bad", cut_elf, sizeof(cut_elf));
	r = RUN("--json", "d");
	expect_one_sentence(&r, 1, "d/bad: is truncated");
	assert_int_equal(count(r.out, "\"verdict\":\"scanned\""), 1);
	assert_int_equal(count(r.out, "\"verdict\":\"failed\""), 1);
	done(r);
}

static void unreadable_files_and_folders_are_told(void **state)
{
	struct ran r;

	(void)state;
	chmod(".", 0755);
	as_nobody = true;
	mkdir("d", 0777);
	mkdir("d/closed", 0);
	r = RUN("d");
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.err, "d/closed: cannot be read: Permission denied"));
	done(r);
	write_sector("secret", 1);
	chmod("secret", 0);
	r = RUN("secret");
	expect_one_sentence(&r, 1, "Permission denied");
	done(r);
	as_nobody = false;
}

static void a_full_disk_leaves_nothing_half_written(void **state)
{
	static const char *const html[] = { "--html", "page", "boot.bin", NULL };
	static const char *const json[] = { "--json=lines", "boot.bin", NULL };
	static const char *const with_state[] = { "--state", "s", "boot.bin", NULL };
	struct ran r;

	(void)state;
	write_sector("boot.bin", 1);
	write_file("page", "the old page", 12);
	r = finish(start(html, 4096));
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.err, "page: cannot be written"));
	assert_int_equal(names_like(".", "page"), 1);		/* the old one, and no temporary file */
	done(r);
	r = finish(start(json, 4096));
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.err, "lines: cannot be written"));
	assert_int_equal(names_like(".", "lines"), 0);
	done(r);

	/* The state keeps what is whole, here only its header, and a later scan goes on with it. */
	r = finish(start(with_state, 200));
	expect_one_sentence(&r, 1, "s: cannot be written");
	done(r);
	r = RUN("--state", "s", "boot.bin");
	assert_int_equal(r.status, 0);
	done(r);
	r = RUN("--html", "no/such/folder/page", "boot.bin");
	assert_int_equal(r.status, 1);
	done(r);
}

static void standard_output_that_is_full_is_an_error(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	write_sector("boot.bin", 1);
	pid = fork();
	if (!pid) {
		char *argv[] = { (char *)"prescan", (char *)"boot.bin", NULL };

		redirect("/dev/full", STDOUT_FILENO);
		redirect("err", STDERR_FILENO);
		_exit(command_prescan(2, argv));
	}
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void a_wrong_command_line_is_status_2(void **state)
{
	static const char *const lines[][4] = {
		{ "--mode", "64", "x" }, { "--rewrite", "magic", "x" }, { "--cpl", "1", "x" }, { "--jobs", "0", "x" },
		{ "--findings", "-1", "x" }, { "--raw=zebra", "x" }, { "--no-such-option", "x" }, { "--html" }, { "--state=", "x" },
		{ "--json=", "x" },
	};

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(lines); i++) {
		struct ran r = finish(start(lines[i], 0));

		expect_one_sentence(&r, 2, "");
		done(r);
	}
	struct ran r = finish(start((const char *const[]){ NULL }, 0));

	expect_one_sentence(&r, 2, "path is missing");
	done(r);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_boot_sector_is_reported_as_a_table),
		TEST(each_lists_every_byte_of_code),
		TEST(the_page_needs_nothing_but_itself),
		TEST(every_line_of_json_is_an_object),
		TEST(the_result_does_not_depend_on_order_or_threads),
		TEST(links_in_a_directory_are_not_followed),
		TEST(a_scan_goes_on_where_the_state_ends),
		TEST(a_state_of_other_options_or_of_others_is_left_alone),
		TEST(ctrl_c_ends_with_a_sentence_and_keeps_the_state),
		TEST(what_cannot_be_read_is_one_sentence),
		TEST(a_damaged_kernel_or_cd_is_one_sentence),
		TEST(one_bad_file_does_not_keep_the_others_from_being_read),
		TEST(unreadable_files_and_folders_are_told),
		TEST(a_full_disk_leaves_nothing_half_written),
		TEST(standard_output_that_is_full_is_an_error),
		TEST(a_wrong_command_line_is_status_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
