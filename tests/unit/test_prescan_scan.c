/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_prescan_scan.c - the sweep accounts for every byte once, and a result survives being packed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/prescan_scan.h"

struct seen {
	struct step steps[64];
	size_t n;
};

static bool see(void *owner, const struct step *step)
{
	struct seen *seen = owner;

	assert_true(seen->n < PLX_ARRAY_SIZE(seen->steps));
	seen->steps[seen->n] = *step;
	seen->steps[seen->n++].insn = NULL;	/* lives no longer than the call */
	return true;
}

static const struct sweep_mode kernel = { .strategy = REWRITE_ADAPTIVE };

static struct seen sweep(const uint8_t *bytes, uint32_t nbytes, enum code_mode mode, struct code_mark *marks, size_t nmarks)
{
	struct code_region region = { .name = "test", .address = 0x1000, .bytes = bytes, .nbytes = nbytes, .mode = (uint8_t)mode,
				      .marks = marks, .nmarks = nmarks };
	struct seen seen = { .n = 0 };

	assert_true(sweep_region(&region, &kernel, see, &seen));
	return seen;
}

static void steps_lie_end_to_end(void **state)
{
	/* push; mov $1,%eax; (undefined) 0f 04; cli; in %dx,%al; ret; and a call that is cut off */
	static const uint8_t code[] = { 0x55, 0xb8, 1, 0, 0, 0, 0x0f, 0x04, 0xfa, 0xec, 0xc3, 0xe8, 0x00 };
	static const struct { uint32_t nbytes; uint8_t cover; int finding; uint8_t rewriting; } want[] = {
		{ 1, PRESCAN_PLAIN, -1, REWRITING_COPIED }, { 5, PRESCAN_PLAIN, -1, REWRITING_COPIED },
		{ 1, COVER_UNDEFINED, FINDING_UNDEFINED, REWRITING_FAR_JUMP }, { 2, PRESCAN_PLAIN, -1, REWRITING_COPIED },
		{ 1, PRESCAN_PORT, -1, REWRITING_FAR_JUMP }, { 1, PRESCAN_BRANCH, -1, REWRITING_LOOKED_UP },
		{ 2, COVER_CUT, FINDING_CUT, REWRITING_FAR_JUMP },
	};
	struct seen seen = sweep(code, sizeof(code), CODE_32, NULL, 0);
	uint64_t at = 0x1000;

	(void)state;
	assert_int_equal(seen.n, PLX_ARRAY_SIZE(want));
	for (size_t i = 0; i < seen.n; i++) {
		assert_int_equal(seen.steps[i].address, at);
		assert_int_equal(seen.steps[i].nbytes, want[i].nbytes);
		assert_int_equal(seen.steps[i].cover, want[i].cover);
		assert_int_equal(seen.steps[i].finding, want[i].finding);
		assert_int_equal(seen.steps[i].rewriting, want[i].rewriting);
		at += seen.steps[i].nbytes;
	}
	assert_int_equal(at, 0x1000 + sizeof(code));
}

/* mov $imm32,%eax whose last two bytes are a function's first: the function wins. */
static void a_function_starts_the_sweep_anew(void **state)
{
	static const uint8_t code[] = { 0xb8, 1, 2, 0x90, 0xc3 };
	struct code_mark marks[] = { { 3, MARK_CODE } };
	struct seen seen = sweep(code, sizeof(code), CODE_32, marks, 1);

	(void)state;
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.steps[0].finding, FINDING_CUT);
	assert_int_equal(seen.steps[0].nbytes, 3);
	assert_int_equal(seen.steps[1].address, 0x1003);
	assert_int_equal(seen.steps[2].cover, PRESCAN_BRANCH);
}

static void data_is_passed_over_and_modes_change_at_marks(void **state)
{
	/* mov $0,%eax | data | the same bytes twice: in 16-bit mode three, then add [bx+si],al */
	static const uint8_t code[] = { 0xb8, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xb8, 0, 0, 0, 0 };
	struct code_mark marks[] = { { 5, MARK_DATA }, { 8, MARK_16 }, { 8, MARK_CODE } };
	struct seen seen = sweep(code, sizeof(code), CODE_32, marks, 3);

	(void)state;
	assert_int_equal(seen.n, 4);
	assert_int_equal(seen.steps[1].cover, COVER_DATA);
	assert_int_equal(seen.steps[1].nbytes, 3);
	assert_int_equal(seen.steps[2].mode, 16);
	assert_int_equal(seen.steps[2].nbytes, 3);
	assert_int_equal(seen.steps[3].nbytes, 2);
}

static void what_is_not_offered_is_told_apart_from_what_is_undefined(void **state)
{
	static const struct { uint8_t bytes[15]; uint8_t n; int finding; } cases[] = {
		{ { 0x0f, 0x04 }, 2, FINDING_UNDEFINED },
		{ { 0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc1 }, 6, FINDING_REFUSED },			/* vaddps zmm: EVEX */
		{ { 0x62, 0xf1, 0x7c, 0x48, 0x58, 0x44, 0x24, 0x01 }, 8, FINDING_REFUSED },	/* with SIB and disp8 */
		{ { 0x62, 0xf3, 0x75, 0x48, 0x0f, 0xc2, 0x05 }, 7, FINDING_REFUSED },		/* vpalignr, imm8 */
		{ { 0x8f, 0xe8, 0x78, 0xc0, 0xc1, 0x03 }, 6, FINDING_REFUSED },			/* vprotb: XOP, imm8 */
		{ { 0xc6, 0xf8, 0xff }, 3, FINDING_REFUSED },					/* xabort */
		{ { 0xc7, 0xf8, 0, 0, 0, 0 }, 6, FINDING_REFUSED },				/* xbegin */
		{ { 0x0f, 0x01, 0xd5 }, 3, FINDING_REFUSED },					/* xend */
		{ { 0x0f, 0x01, 0xee }, 3, FINDING_REFUSED },					/* rdpkru */
		{ { 0xc5, 0xfc, 0x58, 0xc1 }, 4, FINDING_UNSUPPORTED },				/* vaddps ymm: AVX */
		{ { 0x0f, 0x01, 0xc1 }, 3, FINDING_UNSUPPORTED },				/* vmcall */
		{ { 0x0f, 0x01, 0xf9 }, 3, FINDING_UNSUPPORTED },				/* rdtscp */
		{ { 0x0f, 0xae, 0x20 }, 3, FINDING_UNSUPPORTED },				/* xsave */
		{ { 0x0f, 0x37 }, 2, FINDING_UNSUPPORTED },					/* getsec */
		{ { 0xc4, 0xe2, 0x70, 0xf2, 0xc2 }, 5, -1 },					/* andn: VEX, but BMI */
		{ { 0x0f, 0x0b }, 2, -1 },							/* ud2 is an instruction */
		{ { 0x0f, 0xa2 }, 2, -1 },							/* cpuid */
		{ { 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66 }, 1, FINDING_TOO_LONG },
	};

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(cases); i++) {
		struct seen seen = sweep(cases[i].bytes, 15, CODE_32, NULL, 0);

		if (seen.steps[0].finding != cases[i].finding)
			print_error("case %zu\n", i);
		assert_int_equal(seen.steps[0].finding, cases[i].finding);
		if (cases[i].finding != FINDING_UNDEFINED)
			assert_int_equal(seen.steps[0].nbytes, cases[i].n);
	}
}

/* ---- whole files ---- */

static struct file_result *scan_bytes(const uint8_t *bytes, size_t nbytes, uint32_t findings_max)
{
	char path[] = "/tmp/test_prescan_scan.XXXXXX";
	struct scan_options options = { .image = { .mode = CODE_32, .raw = true }, .sweep = kernel, .findings_max = findings_max };
	struct scan_file file = { .path = path, .nbytes = nbytes, .mtime_ns = 77, .inode = 88, .named = true };
	struct file_result *result;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, nbytes), nbytes);
	close(fd);
	result = scan_file(&file, &options);
	unlink(path);
	assert_non_null(result);
	return result;
}

static void fill(uint8_t *bytes, size_t nbytes, uint32_t seed)
{
	for (size_t i = 0; i < nbytes; i++) {
		seed = seed * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(seed >> 24);
	}
}

/* Reads the map's text back. */
static void read_map(const struct region_result *r, uint64_t cover_bytes[COVER_NR])
{
	uint64_t cell = 0;
	const char *at = r->map;

	memset(cover_bytes, 0, COVER_NR * sizeof(*cover_bytes));
	while (*at) {
		if (*at == ' ') {
			cell++;
			at++;
			continue;
		}
		unsigned int cover = (unsigned int)(*at++ - 'a');
		char *end;
		uint64_t n = strtoull(at, &end, 10);

		assert_in_range(cover, 0, COVER_NR - 1);
		cover_bytes[cover] += end == at ? 1ull << r->cell_shift : n;
		at = end;
	}
	assert_int_equal(cell, (r->nbytes - 1) >> r->cell_shift);
}

static void every_byte_is_counted_once_in_classes_rows_and_map(void **state)
{
	static const size_t sizes[] = { 1, 15, 16, 17, 8192, 8193, 100001 };
	static uint8_t bytes[100001];

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(sizes); i++) {
		struct file_result *r;
		uint64_t sum = 0, rows = 0, insns = 0, row_insns = 0, decoded = 0, map[COVER_NR];

		fill(bytes, sizes[i], (uint32_t)i + 1);
		r = scan_bytes(bytes, sizes[i], 10);
		assert_int_equal(r->verdict, IMAGE_CODE);
		assert_int_equal(r->nregions, 1);
		read_map(&r->regions[0], map);
		for (unsigned int c = 0; c < COVER_NR; c++) {
			sum += r->regions[0].cover_bytes[c];
			assert_int_equal(map[c], r->regions[0].cover_bytes[c]);
			if (c != COVER_REFUSED && c < PRESCAN_NR_CLASSES) {
				decoded += r->regions[0].cover_bytes[c];
				insns += r->regions[0].cover_insns[c];
			}
		}
		for (uint32_t j = 0; j < r->ncounts; j++) {
			rows += r->counts[j].bytes;
			row_insns += r->counts[j].insns;
		}
		assert_int_equal(sum, sizes[i]);
		assert_int_equal(rows, decoded);
		assert_int_equal(row_insns, insns);
		assert_int_equal(sum - decoded, region_undecoded(&r->regions[0]));
		file_result_free(r);
	}
}

static void findings_beyond_the_limit_are_counted_all_the_same(void **state)
{
	uint8_t bytes[20];
	struct file_result *r;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i += 2) {
		bytes[i] = 0xf0;
		bytes[i + 1] = 0x90;	/* LOCK NOP is none; the NOP alone is one */
	}
	r = scan_bytes(bytes, sizeof(bytes), 3);
	assert_int_equal(r->nfindings, 3);
	assert_int_equal(r->omitted, 7);
	assert_int_equal(r->regions[0].findings[FINDING_UNDEFINED], 10);
	assert_int_equal(r->findings[2].address, 4);
	assert_int_equal(r->findings[2].bytes[0], 0xf0);
	file_result_free(r);
}

/* ---- packing ---- */

static void a_packed_result_comes_back_the_same(void **state)
{
	static uint8_t bytes[5000];
	size_t nbytes, again_bytes;
	struct file_result *r, *back;
	uint8_t *packed, *again;

	(void)state;
	fill(bytes, sizeof(bytes), 9);
	r = scan_bytes(bytes, sizeof(bytes), 100);
	packed = file_result_pack(r, &nbytes);
	assert_non_null(packed);
	back = file_result_unpack(packed, nbytes);
	assert_non_null(back);
	assert_string_equal(back->path, r->path);
	assert_int_equal(back->mtime_ns, 77);
	assert_int_equal(back->inode, 88);
	assert_true(back->named);
	assert_string_equal(back->regions[0].map, r->regions[0].map);
	assert_int_equal(back->ncounts, r->ncounts);
	assert_int_equal(back->nfindings, r->nfindings);
	again = file_result_pack(back, &again_bytes);
	assert_int_equal(again_bytes, nbytes);
	assert_memory_equal(again, packed, nbytes);
	free(again);
	file_result_free(back);

	/* Cut anywhere, or with a byte too many, it is no result. */
	for (size_t n = 0; n < nbytes; n++)
		assert_null(file_result_unpack(packed, n));
	packed = realloc(packed, nbytes + 1);
	packed[nbytes] = 0;
	assert_null(file_result_unpack(packed, nbytes + 1));
	free(packed);
	file_result_free(r);
}

static void a_damaged_record_does_no_harm(void **state)
{
	static uint8_t bytes[600];
	struct file_result *r, *back;
	size_t nbytes;
	uint8_t *packed;
	uint32_t seed = 1;

	(void)state;
	fill(bytes, sizeof(bytes), 3);
	r = scan_bytes(bytes, sizeof(bytes), 100);
	packed = file_result_pack(r, &nbytes);
	for (int i = 0; i < 20000; i++) {
		uint8_t old;
		size_t at;

		seed = seed * 1664525u + 1013904223u;
		at = (seed >> 4) % nbytes;
		old = packed[at];
		packed[at] = (uint8_t)(seed >> 24);
		back = file_result_unpack(packed, nbytes);
		file_result_free(back);
		packed[at] = old;
	}
	free(packed);
	file_result_free(r);
}

/* ---- sums ---- */

static void sums_do_not_depend_on_the_order(void **state)
{
	static uint8_t a[3000], b[5000];
	const struct file_result *forth[2], *back[2];
	struct file_result *x, *y;
	struct totals t, u;

	(void)state;
	fill(a, sizeof(a), 5);
	fill(b, sizeof(b), 6);
	x = scan_bytes(a, sizeof(a), 10);
	y = scan_bytes(b, sizeof(b), 10);
	forth[0] = back[1] = x;
	forth[1] = back[0] = y;
	assert_true(totals_make(&t, forth, 2));
	assert_true(totals_make(&u, back, 2));
	assert_int_equal(t.ncounts, u.ncounts);
	assert_memory_equal(t.counts, u.counts, t.ncounts * sizeof(*t.counts));
	for (unsigned int c = 0; c < COVER_NR; c++)
		assert_int_equal(t.cover_bytes[c], x->regions[0].cover_bytes[c] + y->regions[0].cover_bytes[c]);
	totals_free(&t);
	totals_free(&u);
	file_result_free(x);
	file_result_free(y);
}

static void the_worst_places_come_worst_first(void **state)
{
	struct region_result regions[4] = { { .nbytes = 10 }, { .nbytes = 10 }, { .nbytes = 10 }, { .nbytes = 10 } };
	struct file_result file = { .path = (char *)"a", .regions = regions, .nregions = 4 };
	const struct file_result *files[] = { &file };
	struct worst worst[2];

	(void)state;
	regions[0].cover_bytes[COVER_UNDEFINED] = 2;
	regions[2].cover_bytes[COVER_CUT] = 5;
	regions[3].cover_bytes[COVER_REFUSED] = 3;
	assert_int_equal(worst_regions(files, 1, false, worst, 2), 2);
	assert_ptr_equal(worst[0].region, &regions[2]);
	assert_ptr_equal(worst[1].region, &regions[3]);
	assert_int_equal(worst_regions(files, 1, true, worst, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_lie_end_to_end),
		cmocka_unit_test(a_function_starts_the_sweep_anew),
		cmocka_unit_test(data_is_passed_over_and_modes_change_at_marks),
		cmocka_unit_test(what_is_not_offered_is_told_apart_from_what_is_undefined),
		cmocka_unit_test(every_byte_is_counted_once_in_classes_rows_and_map),
		cmocka_unit_test(findings_beyond_the_limit_are_counted_all_the_same),
		cmocka_unit_test(a_packed_result_comes_back_the_same),
		cmocka_unit_test(a_damaged_record_does_no_harm),
		cmocka_unit_test(sums_do_not_depend_on_the_order),
		cmocka_unit_test(the_worst_places_come_worst_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
