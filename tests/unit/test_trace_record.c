/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_trace_record.c - the thread between the machine and the file, with an engine made for it (fake_machine.c). */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "prescan/prescan.h"
#include "tests/unit/fake_machine.h"
#include "user/trace_record.h"

static struct trace_options options;
static struct trace_recorder recorder;
static char directory[64], path[96], why[4400];

static int fresh(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&options, 0, sizeof(options));
	trace_filter_init(&options.filter);
	snprintf(directory, sizeof(directory), "/tmp/plexus-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/trace", directory);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static void start(const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), "%s%s", path, what);
	assert_int_equal(trace_options_file(&options, text, why, sizeof(why)), 0);
	assert_int_equal(trace_recorder_start(&recorder, &options, (struct plx_vm *)&fake, "1", "run", false, why, sizeof(why)), 0);
	assert_non_null(fake.trace);
}

/* As the engine does it, without the sleep: the ring's reader is quick enough for a test. */
static void put(uint32_t number)
{
	struct plx_trace_control *control = fake.trace->control;
	struct plx_trace_ring *ring = fake.trace->ring;

	while (ring->head - __atomic_load_n(&control->tail, __ATOMIC_ACQUIRE) >= fake.trace->entries)
		__atomic_store_n(&control->waiting, 1, __ATOMIC_SEQ_CST);
	ring->record[ring->head & (fake.trace->entries - 1)] = (struct plx_trace_record){
		.tsc = number, .event = PLX_TRACE_INSN, .klass = number % 2 ? PRESCAN_FLAGS : PRESCAN_ID, .length = 1, .eip = number % 100,
		.a = number,
	};
	__atomic_store_n(&ring->head, ring->head + 1, __ATOMIC_RELEASE);
}

static unsigned int count_file(uint32_t first, uint32_t step)
{
	struct plx_trace_record r;
	struct trace_reader in;
	unsigned int n = 0;
	uint32_t site;

	assert_int_equal(trace_reader_open(&in, path, why, sizeof(why)), 0);
	while (trace_reader_next(&in, &r, &site, why, sizeof(why)) > 0) {
		assert_int_equal(r.a, first + n * step);
		n++;
	}
	trace_reader_close(&in);
	return n;
}

static void every_record_arrives_in_order(void **state)
{
	(void)state;
	start("");
	for (uint32_t i = 0; i < 500000; i++)
		put(i);
	assert_int_equal(trace_recorder_finish(&recorder, why, sizeof(why)), 0);
	assert_int_equal(count_file(0, 1), 500000);
	assert_true(fake.trace->wait);
}

static void a_filter_is_told_to_the_engine_and_kept_in_the_file(void **state)
{
	(void)state;
	start(",class=flags,cpl=0");
	assert_int_equal(fake.trace->control->class_mask, 1u << PRESCAN_FLAGS);
	assert_int_equal(fake.trace->control->cpl_mask, 1);
	for (uint32_t i = 0; i < 1000; i++)
		put(i);
	assert_int_equal(trace_recorder_finish(&recorder, why, sizeof(why)), 0);
	assert_int_equal(count_file(1, 2), 500);
}

static void triggers_want_to_see_everything_and_watch_their_address(void **state)
{
	(void)state;
	start(",class=flags,start=addr:0x63");
	assert_int_equal(fake.trace->control->class_mask, ~0u);
	assert_int_equal(fake.trace->control->nwatch, 1);
	assert_int_equal(fake.trace->control->watch[0], 0x63);
	for (uint32_t i = 0; i < 1000; i++)
		put(i);
	assert_int_equal(trace_recorder_finish(&recorder, why, sizeof(why)), 0);
	assert_int_equal(count_file(99, 2), 451);
}

static void a_trace_that_cannot_be_written_stops_the_machine(void **state)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	struct rlimit old, small;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 100000;
	start("");
	setrlimit(RLIMIT_FSIZE, &small);
	for (uint32_t i = 0; !atomic_load(&fake.stop); i++) {
		put(i);
		if (i % 65536 == 0)
			nanosleep(&moment, NULL);
	}
	put(1);					/* what still comes is taken, and lost */
	assert_int_equal(trace_recorder_finish(&recorder, why, sizeof(why)), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_non_null(strstr(why, "the trace cannot be written: File too large"));
	assert_int_equal(rmdir(directory), 0);			/* nothing is left in it */
	assert_int_equal(mkdir(directory, 0700), 0);
}

static void a_full_disk_is_told_before_the_machine_starts(void **state)
{
	(void)state;
	assert_int_equal(trace_options_file(&options, "/dev/full", why, sizeof(why)), 0);
	assert_int_equal(trace_recorder_start(&recorder, &options, (struct plx_vm *)&fake, "1", "run", false, why, sizeof(why)), -ENOSPC);
	assert_non_null(strstr(why, "/dev/full: the trace cannot be written: No space left"));
}

static void an_abandoned_trace_leaves_nothing(void **state)
{
	(void)state;
	start("");
	put(1);
	trace_recorder_abandon(&recorder);
	assert_int_equal(rmdir(directory), 0);
	assert_int_equal(mkdir(directory, 0700), 0);
}

static void without_a_wish_nothing_is_traced(void **state)
{
	(void)state;
	assert_int_equal(trace_recorder_start(&recorder, &options, (struct plx_vm *)&fake, "1", "run", false, why, sizeof(why)), 0);
	assert_null(fake.trace);
	assert_int_equal(trace_recorder_finish(&recorder, why, sizeof(why)), 0);
}

static void sums_alone_need_no_ring(void **state)
{
	(void)state;
	options.summary_json = path;
	assert_int_equal(trace_recorder_start(&recorder, &options, (struct plx_vm *)&fake, "1", "run", false, why, sizeof(why)), 0);
	assert_null(fake.trace->ring);
	fake.trace->sums->sum[5][PLX_TRACE_NEXUS] = (struct plx_trace_sum){ .count = 42, .cost = 4200 };
	fake.trace->sums->event[PLX_TRACE_INSN] = fake.trace->sums->sum[5][PLX_TRACE_NEXUS];
	assert_int_equal(trace_recorder_finish(&recorder, why, sizeof(why)), 0);
	assert_int_equal(access(path, R_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_record_arrives_in_order, fresh, clean),
		cmocka_unit_test_setup_teardown(a_filter_is_told_to_the_engine_and_kept_in_the_file, fresh, clean),
		cmocka_unit_test_setup_teardown(triggers_want_to_see_everything_and_watch_their_address, fresh, clean),
		cmocka_unit_test_setup_teardown(a_trace_that_cannot_be_written_stops_the_machine, fresh, clean),
		cmocka_unit_test_setup_teardown(a_full_disk_is_told_before_the_machine_starts, fresh, clean),
		cmocka_unit_test_setup_teardown(an_abandoned_trace_leaves_nothing, fresh, clean),
		cmocka_unit_test_setup_teardown(without_a_wish_nothing_is_traced, fresh, clean),
		cmocka_unit_test_setup_teardown(sums_alone_need_no_ring, fresh, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
