/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_trace_file.c - what was recorded is what is read, whatever it was; what is not whole is refused; and a file appears
 * whole or not at all.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prescan/prescan.h"
#include "user/trace_file.h"

static char directory[64], path[96], why[1024];

static int fresh(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/plexus-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/trace", directory);
	return 0;
}

static unsigned int files_in_directory(void)
{
	unsigned int n = 0;
	struct dirent *entry;
	DIR *dir = opendir(directory);

	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static int clean(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static uint64_t seed = 1;

static uint32_t any(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 32);
}

/* Few places, seldom new ones, as in life; and now and then something wild. */
static struct plx_trace_record any_record(uint64_t *tsc)
{
	uint32_t place = any() % 10 ? any() % 40 : any();
	struct plx_trace_record r = {
		.event = any() % 8 ? PLX_TRACE_INSN : (uint8_t)(1 + any() % 3),
		.eip = any() % 1000 ? 0xc0100000 + place % 4000 * 3 : any(), .cs = 0x60, .cs_base = place % 17 ? 0 : place << 4,
		.space = any() % 20 ? 0x3000 : any() & 0xfffff000, .mode = place & 15, .cpl = place % 5 ? 0 : 3,
		.a = any() % 3 ? 5 : any(), .b = any() % 3 ? 0 : any(), .c = any() % 9 ? 0 : any(),
	};

	*tsc += any() % 100 ? any() % 10000 : any() * 100000ull;
	r.tsc = *tsc;
	if (r.event != PLX_TRACE_INSN)
		return r;
	r.cost = any() % 50 ? any() % 3000 : any();
	r.row = (uint16_t)(place % prescan_nr_rows());
	r.how = place % PLX_TRACE_HOWS;
	r.klass = place % PRESCAN_NR_CLASSES;
	r.length = (uint8_t)(1 + place % 15);
	r.result = any() % 30 ? 0 : 1;
	for (unsigned int i = 0; i < r.length; i++)
		r.bytes[i] = (uint8_t)(place >> i % 4 * 8);
	return r;
}

static const struct trace_header_text text = { .version = "1.2.3", .command = "run --disk 'a b'", .filter = "cpl=0" };

static void write_some(unsigned int n, uint64_t from)
{
	struct trace_writer w;
	uint64_t tsc = 1000000;

	seed = from;
	assert_int_equal(trace_writer_open(&w, path, &text, tsc, 2500000000u, why, sizeof(why)), 0);
	for (unsigned int i = 0; i < n; i++) {
		struct plx_trace_record r = any_record(&tsc);

		assert_int_equal(trace_writer_put(&w, &r), 0);
	}
	w.totals.end_tsc = tsc;
	w.totals.dropped = 7;
	w.totals.filtered = 9;
	assert_int_equal(trace_writer_close(&w, why, sizeof(why)), 0);
}

static void check_read(unsigned int n, uint64_t from)
{
	struct plx_trace_record r, want;
	struct trace_reader in;
	uint64_t tsc = 1000000;
	uint32_t site;

	seed = from;
	assert_int_equal(trace_reader_open(&in, path, why, sizeof(why)), 0);
	assert_string_equal(in.version, "1.2.3");
	assert_string_equal(in.command, "run --disk 'a b'");
	assert_string_equal(in.filter, "cpl=0");
	for (unsigned int i = 0; i < n; i++) {
		want = any_record(&tsc);
		assert_int_equal(trace_reader_next(&in, &r, &site, why, sizeof(why)), 1);
		assert_memory_equal(&r, &want, sizeof(r));
		if (r.event == PLX_TRACE_INSN) {
			assert_true(site < in.codec.nsites);
			assert_string_equal(trace_row_name(&in.codec, r.row), prescan_row_mnemonic(r.row));
		}
	}
	assert_int_equal(trace_reader_next(&in, &r, &site, why, sizeof(why)), 0);
	assert_int_equal(in.totals.records, n);
	assert_int_equal(in.totals.dropped, 7);
	assert_int_equal(in.totals.filtered, 9);
	assert_int_equal(in.totals.end_tsc, tsc);
	trace_reader_close(&in);
}

static void what_is_written_is_read(void **state)
{
	static const unsigned int sizes[] = { 0, 1, 2, 1000, 200000 };

	(void)state;
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(sizes); i++) {
		write_some(sizes[i], i + 1);
		check_read(sizes[i], i + 1);
	}
}

static void a_loop_of_one_site_takes_few_bytes(void **state)
{
	struct plx_trace_record r = { .tsc = 1000000, .eip = 0xc0101234, .cs = 0x60, .length = 1, .bytes = { 0xfa }, .cost = 50 };
	struct trace_writer w;
	struct stat st;

	(void)state;
	assert_int_equal(trace_writer_open(&w, path, &text, r.tsc, 2500000000u, why, sizeof(why)), 0);
	for (unsigned int i = 0; i < 100000; i++, r.tsc += 200)
		assert_int_equal(trace_writer_put(&w, &r), 0);
	assert_int_equal(trace_writer_close(&w, why, sizeof(why)), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 5 * 100000);
}

static uint8_t *slurp(size_t *nbytes)
{
	FILE *file = fopen(path, "r");
	uint8_t *data;
	struct stat st;

	assert_non_null(file);
	fstat(fileno(file), &st);
	*nbytes = (size_t)st.st_size;
	data = malloc(*nbytes + 1);
	assert_int_equal(fread(data, 1, *nbytes, file), *nbytes);
	fclose(file);
	return data;
}

static void spill(const uint8_t *data, size_t nbytes)
{
	FILE *file = fopen(path, "w");

	assert_int_equal(fwrite(data, 1, nbytes, file), nbytes);
	fclose(file);
}

static void a_file_cut_off_anywhere_is_refused(void **state)
{
	struct trace_reader in;
	size_t nbytes;
	uint8_t *data;

	(void)state;
	write_some(300, 5);
	data = slurp(&nbytes);
	for (size_t n = 0; n < nbytes; n++) {
		spill(data, n);
		assert_int_not_equal(trace_reader_open(&in, path, why, sizeof(why)), 0);
		assert_non_null(strstr(why, n < 8 ? "is no trace of Plexus" : "is cut off"));
	}
	free(data);
}

static void a_file_with_any_byte_wrong_is_refused(void **state)
{
	struct trace_reader in;
	size_t nbytes;
	uint8_t *data;

	(void)state;
	write_some(300, 6);
	data = slurp(&nbytes);
	for (size_t i = 0; i < nbytes; i++) {
		data[i] ^= 0x41;
		spill(data, nbytes);
		assert_int_not_equal(trace_reader_open(&in, path, why, sizeof(why)), 0);
		data[i] ^= 0x41;
	}
	free(data);
}

static void bytes_that_are_no_records_are_told_so(void **state)
{
	struct plx_trace_record r;
	struct trace_codec codec;
	uint8_t junk[64];
	uint32_t site;

	(void)state;
	seed = 99;
	for (unsigned int i = 0; i < 20000; i++) {
		const uint8_t *at = junk;

		assert_int_equal(trace_codec_init(&codec), 0);
		for (unsigned int k = 0; k < sizeof(junk); k++)
			junk[k] = (uint8_t)any();
		while (at < junk + sizeof(junk) && !trace_decode(&codec, &at, junk + sizeof(junk), &r, &site)) {
			assert_true(r.event != PLX_TRACE_INSN || (site < codec.nsites && r.length <= 15 && r.cpl <= 3));
			assert_true(at <= junk + sizeof(junk));
		}
		trace_codec_free(&codec);
	}
}

static void a_foreign_file_is_refused(void **state)
{
	struct trace_reader in;

	(void)state;
	spill((const uint8_t *)"#!/bin/sh\nexit 0\n", 17);
	assert_int_equal(trace_reader_open(&in, path, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "is no trace of Plexus"));
	spill((const uint8_t *)"PLXTRACE\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 40);
	assert_int_equal(trace_reader_open(&in, path, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "format 2"));
}

static void a_discarded_trace_leaves_nothing(void **state)
{
	struct trace_writer w;

	(void)state;
	assert_int_equal(trace_writer_open(&w, path, &text, 0, 1, why, sizeof(why)), 0);
	assert_int_equal(files_in_directory(), 1);
	assert_int_not_equal(access(path, F_OK), 0);		/* under another name yet */
	trace_writer_discard(&w);
	assert_int_equal(files_in_directory(), 0);
}

static void a_trace_that_may_not_grow_leaves_nothing(void **state)
{
	struct rlimit old, small;
	struct trace_writer w;
	uint64_t tsc = 0;
	int err = 0;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 100000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(trace_writer_open(&w, path, &text, 0, 1, why, sizeof(why)), 0);
	setrlimit(RLIMIT_FSIZE, &small);
	for (unsigned int i = 0; i < 100000 && !err; i++) {
		struct plx_trace_record r = any_record(&tsc);

		err = trace_writer_put(&w, &r);
	}
	assert_int_equal(err, -EFBIG);
	assert_int_equal(trace_writer_close(&w, why, sizeof(why)), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_non_null(strstr(why, "File too large"));
	assert_int_equal(files_in_directory(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, fresh, clean),
		cmocka_unit_test_setup_teardown(a_loop_of_one_site_takes_few_bytes, fresh, clean),
		cmocka_unit_test_setup_teardown(a_file_cut_off_anywhere_is_refused, fresh, clean),
		cmocka_unit_test_setup_teardown(a_file_with_any_byte_wrong_is_refused, fresh, clean),
		cmocka_unit_test(bytes_that_are_no_records_are_told_so),
		cmocka_unit_test_setup_teardown(a_foreign_file_is_refused, fresh, clean),
		cmocka_unit_test_setup_teardown(a_discarded_trace_leaves_nothing, fresh, clean),
		cmocka_unit_test_setup_teardown(a_trace_that_may_not_grow_leaves_nothing, fresh, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
