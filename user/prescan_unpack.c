/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_unpack.c - kernels and boot loaders come compressed: xz, LZMA and gzip, through liblzma and zlib.
 *
 * Why these libraries: docs/decisions/0010-liblzma-and-zlib-unpack-kernels.md.
 * Asked by: user/prescan_bzimage.c, user/prescan_grub.c.
 */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "user/prescan_image.h"

#define OUT_MAX		(1ull << 30)	/* a kernel is some 30 MiB; what claims more is a bomb or broken */
#define MEMORY_MAX	(1ull << 30)

/* An output that grows; the image frees it. */
struct out {
	uint8_t *bytes;
	size_t n, room;
};

static int more_room(struct out *out)
{
	size_t room = out->room ? out->room * 2 : 8u << 20;
	uint8_t *grown;

	if (out->room >= OUT_MAX)
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

static int unpack_lzma(const uint8_t *bytes, size_t nbytes, bool xz, struct out *out)
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

static const struct {
	uint8_t magic[4], n;
	const char *name;
} others[] = {
	{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, "Zstandard" },
	{ { 0x02, 0x21, 0x4c, 0x18 }, 4, "LZ4" },
	{ { 0x89, 0x4c, 0x5a, 0x4f }, 4, "LZO" },
	{ { 'B', 'Z', 'h' }, 3, "bzip2" },
};

int unpack(struct code_image *image, const uint8_t *bytes, size_t nbytes, uint8_t **result, size_t *result_bytes, char *why, size_t why_bytes)
{
	struct out out = { 0 };
	uint8_t *kept;
	int err;

	if (nbytes >= 6 && !memcmp(bytes, "\xfd" "7zXZ", 6)) {
		err = unpack_lzma(bytes, nbytes, true, &out);
	} else if (nbytes >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
		err = unpack_gzip(bytes, nbytes, &out);
	} else if (nbytes >= 3 && bytes[0] == 0x5d && !bytes[1] && !bytes[2]) {
		err = unpack_lzma(bytes, nbytes, false, &out);
	} else {
		const char *name = "in a way that is not known here";

		for (size_t i = 0; i < PLX_ARRAY_SIZE(others); i++)
			if (nbytes >= others[i].n && !memcmp(bytes, others[i].magic, others[i].n)) {
				snprintf(why, why_bytes, "is compressed with %s, which is not unpacked here; give the vmlinux itself",
					 others[i].name);
				return -ENOTSUP;
			}
		snprintf(why, why_bytes, "is compressed %s; give the vmlinux itself", name);
		return -ENOTSUP;
	}
	if (!err) {
		kept = image_buffer(image, out.n);
		err = kept ? 0 : -ENOMEM;
		if (kept)
			memcpy(kept, out.bytes, out.n);
		*result = kept;
		*result_bytes = out.n;
	}
	free(out.bytes);
	if (err)
		snprintf(why, why_bytes, "%s", err == -ENOMEM ? "does not fit in memory unpacked" :
			 err == -EFBIG ? "is larger than 1 GiB unpacked" : "cannot be unpacked: it is damaged or truncated");
	return err;
}

bool unpack_lzma_raw(const uint8_t *bytes, size_t nbytes, uint8_t *result, size_t result_bytes)
{
	/* The parameters GRUB packs with; they are nowhere in the stream. The dictionary reaches over all of it. */
	lzma_options_lzma options = { .dict_size = 1u << 26, .lc = 3, .lp = 0, .pb = 2 };
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
