/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_unpack.c - kernels and boot loaders come compressed: xz, LZMA, gzip, bzip2, Zstandard, LZ4, each through its library.
 *
 * Why these libraries: docs/decisions/0010-liblzma-and-zlib-unpack-kernels.md.
 * Asked by:  user/prescan_bzimage.c, user/prescan_grub.c.
 * Tested by: tests/unit/test_prescan_unpack.c.
 */
#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "user/prescan_image.h"

#define MEMORY_MAX	(1ull << 30)
#define LZ4_MAGIC	0x184c2102u	/* "legacy", which is what kernels are packed with */
#define LZ4_BLOCK	(8u << 20)	/* unpacked; only the last block is shorter */

/* An output that grows, up to @max. */
struct out {
	uint8_t *bytes;
	size_t n, room, max;
};

static int more_room(struct out *out)
{
	size_t room = (size_t)plx_min64(out->room ? out->room * 2 : LZ4_BLOCK, out->max);
	uint8_t *grown;

	if (out->room >= out->max)
		return -EFBIG;
	grown = realloc(out->bytes, room);
	if (!grown)
		return -ENOMEM;
	out->bytes = grown;
	out->room = room;
	return 0;
}

static int run_lzma(lzma_stream *stream, struct out *out)
{
	lzma_ret ret = LZMA_OK;
	int err;

	while (ret == LZMA_OK) {
		if (out->n == out->room) {
			err = more_room(out);
			if (err)
				return err;
		}
		stream->next_out = out->bytes + out->n;
		stream->avail_out = out->room - out->n;
		ret = lzma_code(stream, LZMA_FINISH);
		out->n = out->room - stream->avail_out;
	}
	if (ret == LZMA_STREAM_END)
		return 0;
	return ret == LZMA_MEM_ERROR || ret == LZMA_MEMLIMIT_ERROR ? -ENOMEM : -EINVAL;
}

static int unpack_lzma_or_xz(const uint8_t *bytes, size_t nbytes, bool xz, struct out *out)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	int err = -ENOMEM;

	if ((xz ? lzma_stream_decoder(&stream, MEMORY_MAX, 0) : lzma_alone_decoder(&stream, MEMORY_MAX)) == LZMA_OK) {
		stream.next_in = bytes;
		stream.avail_in = nbytes;
		err = run_lzma(&stream, out);
	}
	lzma_end(&stream);
	return err;
}

static int unpack_xz(const uint8_t *bytes, size_t nbytes, struct out *out)
{
	return unpack_lzma_or_xz(bytes, nbytes, true, out);
}

static int unpack_lzma(const uint8_t *bytes, size_t nbytes, struct out *out)
{
	return unpack_lzma_or_xz(bytes, nbytes, false, out);
}

static int unpack_gzip(const uint8_t *bytes, size_t nbytes, struct out *out)
{
	z_stream stream = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)nbytes };
	int ret = Z_OK, err = 0;

	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	while (ret == Z_OK && !err) {
		if (out->n == out->room)
			err = more_room(out);
		if (err)
			break;
		stream.next_out = out->bytes + out->n;
		stream.avail_out = (uInt)(out->room - out->n);
		ret = inflate(&stream, Z_NO_FLUSH);
		out->n = out->room - stream.avail_out;
	}
	inflateEnd(&stream);
	if (err)
		return err;
	return ret == Z_STREAM_END ? 0 : ret == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
}

static int unpack_bzip2(const uint8_t *bytes, size_t nbytes, struct out *out)
{
	bz_stream stream = { .next_in = (char *)(uintptr_t)bytes, .avail_in = (unsigned int)nbytes };
	int ret = BZ_OK, err = 0;

	if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK)
		return -ENOMEM;
	while (ret == BZ_OK && !err) {
		if (out->n == out->room)
			err = more_room(out);
		if (err)
			break;
		stream.next_out = (char *)out->bytes + out->n;
		stream.avail_out = (unsigned int)(out->room - out->n);
		ret = BZ2_bzDecompress(&stream);
		out->n = out->room - stream.avail_out;
		if (ret == BZ_OK && !stream.avail_in && stream.avail_out)	/* it waits for input that there is not */
			ret = BZ_UNEXPECTED_EOF;
	}
	BZ2_bzDecompressEnd(&stream);
	if (err)
		return err;
	return ret == BZ_STREAM_END ? 0 : ret == BZ_MEM_ERROR ? -ENOMEM : -EINVAL;
}

static int zstd_error(size_t ret)
{
	switch (ZSTD_getErrorCode(ret)) {
	case ZSTD_error_memory_allocation:
	case ZSTD_error_frameParameter_windowTooLarge:		/* the library's own limit of 128 MiB, which kernels keep to */
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

/* One frame; the size that the kernel's build puts behind it is none. */
static int unpack_zstd(const uint8_t *bytes, size_t nbytes, struct out *out)
{
	ZSTD_inBuffer in = { .src = bytes, .size = nbytes };
	ZSTD_DStream *stream = ZSTD_createDStream();
	int err = stream ? 0 : -ENOMEM;

	while (!err) {
		ZSTD_outBuffer to;
		size_t ret;

		if (out->n == out->room)
			err = more_room(out);
		if (err)
			break;
		to = (ZSTD_outBuffer){ .dst = out->bytes, .size = out->room, .pos = out->n };
		ret = ZSTD_decompressStream(stream, &to, &in);
		out->n = to.pos;
		if (ZSTD_isError(ret))
			err = zstd_error(ret);
		else if (!ret)
			break;
		else if (in.pos == in.size && to.pos < to.size)
			err = -EINVAL;		/* it waits for input that there is not */
	}
	ZSTD_freeDStream(stream);
	return err;
}

/*
 * The legacy frame: magic, then blocks, each behind its packed size; it has neither end nor checksum. What ends it is the
 * unpacked size, which the kernel's build puts behind every payload: it is also the only thing that tells a cut one.
 */
static int unpack_lz4(const uint8_t *bytes, size_t nbytes, struct out *out)
{
	size_t at = 4;
	int n, err;

	while (nbytes - at > 4) {
		uint32_t packed = image_le32(bytes + at);

		at += 4;
		if (packed == LZ4_MAGIC)	/* several frames, one behind the other */
			continue;
		if (!packed || packed > nbytes - at || packed > (uint32_t)LZ4_COMPRESSBOUND(LZ4_BLOCK))
			return -EINVAL;
		while (out->room - out->n < LZ4_BLOCK) {
			err = more_room(out);
			if (err == -EFBIG && out->n < out->room)
				break;
			if (err)
				return err;
		}
		n = LZ4_decompress_safe((const char *)bytes + at, (char *)out->bytes + out->n, (int)packed,
					(int)plx_min64(out->room - out->n, LZ4_BLOCK));
		if (n < 0)		/* damaged, or more than fits: the library does not tell which */
			return out->room - out->n < LZ4_BLOCK ? -EFBIG : -EINVAL;
		out->n += (size_t)n;
		at += packed;
	}
	return nbytes - at == 4 && image_le32(bytes + at) == (uint32_t)out->n ? 0 : -EINVAL;
}

static const struct {
	uint8_t magic[6], n;
	int (*unpack)(const uint8_t *bytes, size_t nbytes, struct out *out);	/* NULL: only known by name */
	const char *name;
} packings[] = {
	{ { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, unpack_xz, "xz" },
	{ { 0x1f, 0x8b }, 2, unpack_gzip, "gzip" },
	{ { 0x5d, 0x00, 0x00 }, 3, unpack_lzma, "LZMA" },
	{ { 'B', 'Z', 'h' }, 3, unpack_bzip2, "bzip2" },
	{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, unpack_zstd, "Zstandard" },
	{ { 0x02, 0x21, 0x4c, 0x18 }, 4, unpack_lz4, "LZ4" },
	{ { 0x89, 'L', 'Z', 'O' }, 4, NULL, "LZO" },
};

int unpack(struct code_image *image, const uint8_t *bytes, size_t nbytes, size_t max, uint8_t **result, size_t *result_bytes,
	   char *why, size_t why_bytes)
{
	struct out out = { .max = max };
	uint8_t *kept;
	size_t i;
	int err;

	for (i = 0; i < PLX_ARRAY_SIZE(packings); i++)
		if (nbytes >= packings[i].n && !memcmp(bytes, packings[i].magic, packings[i].n))
			break;
	if (i == PLX_ARRAY_SIZE(packings)) {
		snprintf(why, why_bytes, "is compressed in a way that is not known here; give the vmlinux itself");
		return -ENOTSUP;
	}
	if (!packings[i].unpack) {
		snprintf(why, why_bytes, "is compressed with %s, which is not unpacked here; give the vmlinux itself", packings[i].name);
		return -ENOTSUP;
	}
	err = packings[i].unpack(bytes, nbytes, &out);
	if (!err) {
		kept = image_buffer(image, out.n);
		err = kept ? 0 : -ENOMEM;
		if (kept && out.n)
			memcpy(kept, out.bytes, out.n);
		*result = kept;
		*result_bytes = out.n;
	}
	free(out.bytes);
	if (err == -ENOMEM)
		snprintf(why, why_bytes, "does not fit in memory unpacked");
	else if (err == -EFBIG)
		snprintf(why, why_bytes, "is larger than %zu MiB unpacked", max >> 20);
	else if (err)
		snprintf(why, why_bytes, "(%s) cannot be unpacked: it is damaged or truncated", packings[i].name);
	return err;
}

bool unpack_lzma_raw(const uint8_t *bytes, size_t nbytes, uint8_t *result, size_t result_bytes)
{
	/* The parameters GRUB packs with; they are nowhere in the stream. A dictionary that reaches over all of it does for any. */
	const uint32_t dict_bytes = result_bytes > LZMA_DICT_SIZE_MIN ? (uint32_t)result_bytes : LZMA_DICT_SIZE_MIN;
	lzma_options_lzma options = { .dict_size = dict_bytes, .lc = 3, .lp = 0, .pb = 2 };
	const lzma_filter filters[] = { { LZMA_FILTER_LZMA1, &options }, { LZMA_VLI_UNKNOWN, NULL } };
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret ret;

	if (lzma_raw_decoder(&stream, filters) != LZMA_OK)
		return false;
	stream.next_in = bytes;
	stream.avail_in = nbytes;
	stream.next_out = result;
	stream.avail_out = result_bytes;
	do
		ret = lzma_code(&stream, LZMA_RUN);
	while (ret == LZMA_OK && stream.avail_out && stream.avail_in);
	lzma_end(&stream);
	return (ret == LZMA_OK || ret == LZMA_STREAM_END) && !stream.avail_out;
}
