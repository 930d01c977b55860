/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_prescan_unpack.c - packed kernels: each packing made here with its library, whole, cut, damaged, and as a bomb.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <bzlib.h>
#include <cmocka.h>
#include <lz4hc.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "user/prescan_image.h"

#define BLOCK	(8u << 20)		/* of LZ4's legacy frame */

static void put32(uint8_t *at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* ---- what kernels' builds do ---- */

static size_t pack_xz(const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	size_t done = 0;

	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, from, n, to, &done, room), LZMA_OK);
	return done;
}

static size_t pack_lzma(const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_options_lzma options;

	assert_false(lzma_lzma_preset(&options, 1));
	assert_int_equal(lzma_alone_encoder(&stream, &options), LZMA_OK);
	stream.next_in = from;
	stream.avail_in = n;
	stream.next_out = to;
	stream.avail_out = room;
	assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
	lzma_end(&stream);
	return room - stream.avail_out;
}

static size_t pack_gzip(const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	z_stream stream = { .next_in = (Bytef *)(uintptr_t)from, .avail_in = (uInt)n, .next_out = to, .avail_out = (uInt)room };

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return stream.total_out;
}

static size_t pack_bzip2(const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	unsigned int done = (unsigned int)room;

	assert_int_equal(BZ2_bzBuffToBuffCompress((char *)to, &done, (char *)(uintptr_t)from, (unsigned int)n, 9, 0, 0), BZ_OK);
	return done;
}

static size_t pack_zstd(const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t done;

	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);	/* as the command does */
	done = ZSTD_compress2(context, to, room, from, n);
	assert_false(ZSTD_isError(done));
	ZSTD_freeCCtx(context);
	return done;
}

/* The library writes blocks; the legacy frame around them is made by hand, and the size behind it as the kernel's build does. */
static size_t pack_lz4(const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	size_t done = 4;

	put32(to, 0x184c2102);
	for (size_t at = 0; at < n; at += BLOCK) {
		int packed = LZ4_compress_HC((const char *)from + at, (char *)to + done + 4, (int)plx_min64(n - at, BLOCK),
					     (int)(room - done - 8), 3);

		assert_true(packed > 0);
		put32(to + done, (uint32_t)packed);
		done += 4 + (size_t)packed;
	}
	put32(to + done, (uint32_t)n);
	return done + 4;
}

static const struct packing {
	const char *name;
	size_t (*pack)(const uint8_t *from, size_t n, uint8_t *to, size_t room);
	bool checked;		/* a checksum over what is unpacked */
} packings[] = {
	{ "xz", pack_xz, true }, { "LZMA", pack_lzma, false }, { "gzip", pack_gzip, true }, { "bzip2", pack_bzip2, true },
	{ "Zstandard", pack_zstd, true }, { "LZ4", pack_lz4, false },
};

/* Bytes that pack to about a half, and differ from place to place. */
static uint8_t *content(size_t n)
{
	uint8_t *bytes = malloc(n);
	uint32_t seed = 1;

	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525u + 1013904223u;
		bytes[i] = seed & 0x80000000u ? (uint8_t)(seed >> 24) : (uint8_t)(i >> 12);
	}
	return bytes;
}

struct result {
	struct code_image image;
	uint8_t *bytes;
	size_t n;
	char why[160];
};

/* The packed bytes stand alone in their memory, so that a checker of memory sees who reads past them. */
static int run(struct result *r, const uint8_t *packed, size_t n, size_t max)
{
	uint8_t *copy = malloc(n ? n : 1);
	int err;

	*r = (struct result){ 0 };
	memcpy(copy, packed, n);
	err = unpack(&r->image, copy, n, max, &r->bytes, &r->n, r->why, sizeof(r->why));
	free(copy);
	assert_int_equal(!err, !r->why[0]);
	assert_null(strchr(r->why, '\n'));
	return err;
}

/* ---- */

static void what_was_packed_comes_out_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(packings); i++) {
		/* More than a block of LZ4, and more than the first piece of memory. */
		size_t n = !strcmp(packings[i].name, "LZ4") || !strcmp(packings[i].name, "Zstandard") ? BLOCK * 2 + 12345 : 300000;
		size_t room = n + n / 8 + 1000, packed_bytes;
		uint8_t *bytes = content(n), *packed = malloc(room);
		struct result r;

		packed_bytes = packings[i].pack(bytes, n, packed, room);
		assert_int_equal(run(&r, packed, packed_bytes, UNPACK_MAX), 0);
		assert_int_equal(r.n, n);
		assert_memory_equal(r.bytes, bytes, n);
		image_free(&r.image);
		free(packed);
		free(bytes);
	}
}

static void a_size_behind_the_packed_bytes_does_no_harm(void **state)
{
	uint8_t *bytes = content(5000), packed[8000];

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(packings); i++) {
		size_t n = packings[i].pack(bytes, 5000, packed, sizeof(packed));
		struct result r;

		if (packings[i].pack != pack_lz4) {	/* which has it already */
			put32(packed + n, 5000);
			n += 4;
		}
		assert_int_equal(run(&r, packed, n, UNPACK_MAX), 0);
		assert_int_equal(r.n, 5000);
		image_free(&r.image);
	}
	free(bytes);
}

static void cut_at_any_byte_it_is_one_sentence(void **state)
{
	uint8_t *bytes = content(2000), packed[4000];
	char name[32];

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(packings); i++) {
		size_t n = packings[i].pack(bytes, 2000, packed, sizeof(packed));
		struct result r;

		snprintf(name, sizeof(name), "(%s)", packings[i].name);
		for (size_t cut = 0; cut < n; cut++) {
			assert_int_not_equal(run(&r, packed, cut, 1u << 20), 0);
			if (cut >= 6) {
				assert_non_null(strstr(r.why, "damaged or truncated"));
				assert_non_null(strstr(r.why, name));
			}
			image_free(&r.image);
		}
	}
	free(bytes);
}

static void a_changed_byte_never_makes_other_code(void **state)
{
	uint8_t *bytes = content(2000), packed[4000];
	unsigned int refused = 0;

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(packings); i++) {
		size_t n = packings[i].pack(bytes, 2000, packed, sizeof(packed));

		for (size_t at = 0; at < n; at++) {
			struct result r;

			packed[at] ^= 0x55;
			if (run(&r, packed, n, 1u << 20))
				refused++;
			else if (packings[i].checked)
				assert_true(r.n == 2000 && !memcmp(r.bytes, bytes, 2000));
			packed[at] ^= 0x55;
			image_free(&r.image);
		}
	}
	assert_true(refused > 1000);
	free(bytes);
}

static void a_bomb_ends_at_the_limit(void **state)
{
	size_t n = 20u << 20, room = 1u << 20;
	uint8_t *bytes = calloc(1, n), *packed = malloc(room);

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(packings); i++) {
		size_t packed_bytes = packings[i].pack(bytes, n, packed, room);
		struct result r;

		assert_int_equal(run(&r, packed, packed_bytes, 9u << 20), -EFBIG);
		assert_string_equal(r.why, "is larger than 9 MiB unpacked");
		image_free(&r.image);
	}
	free(bytes);
	free(packed);
}

static void zstandard_gets_no_window_without_bound(void **state)
{
	/* No checksum, no content size, a window of 1 GiB; then an empty last block. */
	static const uint8_t frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 0x01, 0x00, 0x00 };
	struct result r;

	(void)state;
	assert_int_equal(run(&r, frame, sizeof(frame), UNPACK_MAX), -ENOMEM);
	assert_string_equal(r.why, "does not fit in memory unpacked");
	image_free(&r.image);
}

static void lz4_is_held_to_the_size_behind_it(void **state)
{
	uint8_t *bytes = content(2000), packed[8000];
	size_t n = pack_lz4(bytes, 2000, packed, sizeof(packed));
	struct result r;

	(void)state;
	put32(packed + n - 4, 2001);
	assert_int_equal(run(&r, packed, n, UNPACK_MAX), -EINVAL);
	image_free(&r.image);
	/* Two frames, as when two files are packed into one. */
	memmove(packed + n - 4, packed, n);
	put32(packed + 2 * n - 8, 4000);
	assert_int_equal(run(&r, packed, 2 * n - 4, UNPACK_MAX), 0);
	assert_int_equal(r.n, 4000);
	assert_memory_equal(r.bytes + 2000, bytes, 2000);
	image_free(&r.image);
	put32(packed + 4, 0);			/* a block of nothing */
	assert_int_equal(run(&r, packed, n, UNPACK_MAX), -EINVAL);
	image_free(&r.image);
	put32(packed + 4, 0xffffffff);
	assert_int_equal(run(&r, packed, n, UNPACK_MAX), -EINVAL);
	image_free(&r.image);
	free(bytes);
}

static void what_is_not_unpacked_is_named(void **state)
{
	static const uint8_t lzo[] = { 0x89, 'L', 'Z', 'O', 0, 0x0d, 0x0a, 0x1a, 0x0a }, unknown[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct result r;

	(void)state;
	assert_int_equal(run(&r, lzo, sizeof(lzo), UNPACK_MAX), -ENOTSUP);
	assert_non_null(strstr(r.why, "compressed with LZO"));
	assert_non_null(strstr(r.why, "give the vmlinux itself"));
	image_free(&r.image);
	assert_int_equal(run(&r, unknown, sizeof(unknown), UNPACK_MAX), -ENOTSUP);
	assert_non_null(strstr(r.why, "in a way that is not known here"));
	image_free(&r.image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_comes_out_again),
		cmocka_unit_test(a_size_behind_the_packed_bytes_does_no_harm),
		cmocka_unit_test(cut_at_any_byte_it_is_one_sentence),
		cmocka_unit_test(a_changed_byte_never_makes_other_code),
		cmocka_unit_test(a_bomb_ends_at_the_limit),
		cmocka_unit_test(zstandard_gets_no_window_without_bound),
		cmocka_unit_test(lz4_is_held_to_the_size_behind_it),
		cmocka_unit_test(what_is_not_unpacked_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
