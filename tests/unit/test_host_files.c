/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_host_files.c - what is read from the host, how results are written, and what doctor makes of a host made up here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/doctor.h"
#include "user/host_files.h"

static char root[64];
static char why[4400];
static char report[8192];

static int fresh(void **state)
{
	(void)state;
	why[0] = '\0';
	snprintf(root, sizeof(root), "/tmp/plexus-test-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int clean(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command) ? -1 : 0;
}

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s%s", root, name);
	return path;
}

static void host_file(const char *name, const char *text)
{
	char command[512];
	FILE *file;

	snprintf(command, sizeof(command), "mkdir -p \"$(dirname %s)\"", path_of(name));
	assert_int_equal(system(command), 0);
	file = fopen(path_of(name), "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* ---- memory ------------------------------------------------------------------------------------ */

static void without_control_groups_memory_is_the_hosts(void **state)
{
	(void)state;
	assert_true(host_memory_bytes(root) > 1 << 20);
}

static void a_limit_on_any_group_above_us_binds(void **state)
{
	(void)state;
	host_file("/proc/self/cgroup", "0::/user.slice/session-1.scope\n");
	host_file("/sys/fs/cgroup/user.slice/session-1.scope/memory.max", "max\n");
	host_file("/sys/fs/cgroup/user.slice/memory.max", "8388608\n");
	host_file("/sys/fs/cgroup/memory.max", "16777216\n");
	assert_int_equal(host_memory_bytes(root), 8388608);
}

static void inside_a_container_the_group_mounted_at_the_top_binds(void **state)
{
	(void)state;
	host_file("/proc/self/cgroup", "0::/not/here\n");
	host_file("/sys/fs/cgroup/memory.max", "16777216\n");
	assert_int_equal(host_memory_bytes(root), 16777216);
}

static void version_1_limits_bind_and_their_no_limit_does_not(void **state)
{
	uint64_t host;

	(void)state;
	host = host_memory_bytes(root);
	host_file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	assert_int_equal(host_memory_bytes(root), host);
	host_file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "4194304\n");
	assert_int_equal(host_memory_bytes(root), 4194304);
}

/* ---- files ------------------------------------------------------------------------------------- */

static void a_file_is_mapped_whole_and_an_empty_one_is_empty(void **state)
{
	struct host_file file;

	(void)state;
	host_file("/kernel", "some bytes");
	assert_int_equal(host_file_map(&file, path_of("/kernel"), why, sizeof(why)), 0);
	assert_int_equal(file.nbytes, 10);
	assert_memory_equal(file.data, "some bytes", 10);
	host_file_unmap(&file);
	assert_null(file.data);
	host_file("/empty", "");
	assert_int_equal(host_file_map(&file, path_of("/empty"), why, sizeof(why)), 0);
	assert_int_equal(file.nbytes, 0);
}

static void what_is_no_file_is_refused_with_its_name(void **state)
{
	struct host_file file;

	(void)state;
	assert_int_equal(host_file_map(&file, root, why, sizeof(why)), -EISDIR);
	assert_non_null(strstr(why, root));
	assert_int_equal(host_file_map(&file, "/dev/null", why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "/dev/null: is not a file");
	assert_int_equal(host_file_map(&file, path_of("/nowhere"), why, sizeof(why)), -ENOENT);
	assert_int_equal(mkfifo(path_of("/fifo"), 0600), 0);
	assert_int_equal(host_file_map(&file, path_of("/fifo"), why, sizeof(why)), -EINVAL);	/* and does not wait for a writer */
}

static void a_result_appears_only_when_it_is_whole(void **state)
{
	struct host_new_file file;
	struct stat st;
	char text[16] = "";
	FILE *old;

	(void)state;
	host_file("/result", "old");
	assert_int_equal(host_file_create(&file, path_of("/result"), why, sizeof(why)), 0);
	fputs("new", file.stream);
	fflush(file.stream);
	old = fopen(path_of("/result"), "r");
	assert_non_null(fgets(text, sizeof(text), old));
	assert_string_equal(text, "old");
	fclose(old);
	assert_int_equal(host_file_commit(&file, why, sizeof(why)), 0);
	old = fopen(path_of("/result"), "r");
	assert_non_null(fgets(text, sizeof(text), old));
	assert_string_equal(text, "new");
	fclose(old);
	assert_int_equal(stat(path_of("/result"), &st), 0);
	assert_int_equal(st.st_mode & 0400, 0400);
}

/* /dev/full: every write fails with ENOSPC. */
static void a_full_disk_is_told(void **state)
{
	struct host_new_file file;

	(void)state;
	assert_int_equal(host_file_create(&file, "/dev/full", why, sizeof(why)), 0);
	fputs("much", file.stream);
	assert_int_equal(host_file_commit(&file, why, sizeof(why)), -ENOSPC);
	assert_string_equal(why, "/dev/full: cannot be written: No space left on device");
}

/* ---- doctor ------------------------------------------------------------------------------------- */

static bool examine(void)
{
	FILE *out = fmemopen(report, sizeof(report), "w");
	bool healthy;

	assert_non_null(out);
	memset(report, 0, sizeof(report));
	healthy = doctor_examine(out, root);
	fclose(out);
	return healthy;
}

static void reported(const char *line)
{
	if (!strstr(report, line))
		fail_msg("no line '%s' in:\n%s", line, report);
}

/* What a stock Debian says; the checks that try things still try them on this host. */
static void healthy_host(void)
{
	host_file("/proc/sys/vm/mmap_min_addr", "65536\n");
	host_file("/proc/sys/vm/max_map_count", "65530\n");
	host_file("/proc/self/maps", "55e0c0000000-55e0c0001000 r--p 00000000 08:01 1 /usr/bin/plexus\n");
	host_file("/proc/self/status", "Name:\tplexus\nSeccomp:\t0\n");
}

static void a_stock_host_is_healthy(void **state)
{
	(void)state;
	healthy_host();
	if (!examine())
		fail_msg("%s", report);
	reported("ok       vm.mmap_min_addr: 65536\n");
	reported("ok       vm.max_map_count: 65530\n");
	reported("ok       low 4 GiB: free");
	reported("ok       seccomp: no filter");
	reported("ok       modify_ldt");
	reported("ok       16-bit segments");
}

static void too_high_a_first_address_is_missing_and_says_what_to_do(void **state)
{
	(void)state;
	healthy_host();
	host_file("/proc/sys/vm/mmap_min_addr", "65537\n");
	assert_false(examine());
	reported("MISSING  vm.mmap_min_addr: 65537; as root: sysctl -w vm.mmap_min_addr=65536\n");
}

static void few_mappings_are_a_warning_only(void **state)
{
	(void)state;
	healthy_host();
	host_file("/proc/sys/vm/max_map_count", "65529\n");
	assert_true(examine());
	reported("warning  vm.max_map_count: 65529 is little");
}

static void a_mapping_below_4_gib_is_missing_space(void **state)
{
	(void)state;
	healthy_host();
	host_file("/proc/self/maps", "08048000-08049000 r-xp 00000000 08:01 1 /usr/bin/plexus\n");
	assert_false(examine());
	reported("MISSING  low 4 GiB: taken at 8048000-8049000");
	host_file("/proc/self/maps", "100000000-100001000 r-xp 00000000 08:01 1 /usr/bin/plexus\n");
	assert_true(examine());
}

static void a_seccomp_filter_little_memory_and_no_firmware_are_warnings(void **state)
{
	(void)state;
	healthy_host();
	host_file("/proc/self/status", "Name:\tplexus\nSeccomp:\t2\n");
	host_file("/sys/fs/cgroup/memory.max", "134217728\n");
	assert_true(examine());
	reported("warning  seccomp: a filter is on");
	reported("warning  memory: 128M; run guests with --memory=64M or less");
	reported("warning  firmware: no firmware is installed");
}

static void a_host_without_proc_is_warned_of_not_trusted(void **state)
{
	(void)state;
	assert_true(examine());
	reported("warning  vm.mmap_min_addr: cannot be read");
	reported("warning  low 4 GiB: /proc/self/maps cannot be read");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, clean)
	const struct CMUnitTest tests[] = {
		TEST(without_control_groups_memory_is_the_hosts),
		TEST(a_limit_on_any_group_above_us_binds),
		TEST(inside_a_container_the_group_mounted_at_the_top_binds),
		TEST(version_1_limits_bind_and_their_no_limit_does_not),
		TEST(a_file_is_mapped_whole_and_an_empty_one_is_empty),
		TEST(what_is_no_file_is_refused_with_its_name),
		TEST(a_result_appears_only_when_it_is_whole),
		TEST(a_full_disk_is_told),
		TEST(a_stock_host_is_healthy),
		TEST(too_high_a_first_address_is_missing_and_says_what_to_do),
		TEST(few_mappings_are_a_warning_only),
		TEST(a_mapping_below_4_gib_is_missing_space),
		TEST(a_seccomp_filter_little_memory_and_no_firmware_are_warnings),
		TEST(a_host_without_proc_is_warned_of_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
