/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_file.c - see trace_file.h.
 *
 * Asked by:  trace_record.c (writing), trace_read.c (reading). Asks: trace_codec.c, host_files.c.
 * Tested by: tests/unit/test_trace_file.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/trace_file.h"

#define FILE_MAGIC	"PLXTRACE"
#define FILE_VERSION	1
#define BLOCK_MAGIC	0x4b4c4250u	/* "PBLK" */
#define END_MAGIC	0x444e4550u	/* "PEND" */

/* Then three strings with their NUL: version of Plexus, command line, filter. */
struct file_header {
	char magic[8];
	uint32_t version;
	uint32_t text_bytes;
	uint64_t tsc_hz, start_tsc;	/* the rate as known at the start; the end block's is measured over the whole run */
	uint32_t sum, zero;		/* of this header with @sum 0, and the strings */
};

struct block_header {
	uint32_t magic, nbytes, nrecords;
	uint32_t sum;			/* of the three and the data */
};

static uint64_t add_to_sum(uint64_t sum, const void *from, size_t nbytes)
{
	const uint8_t *data = from;
	uint64_t word;

	for (; nbytes >= 8; data += 8, nbytes -= 8) {
		memcpy(&word, data, 8);
		sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
		sum ^= sum >> 29;
	}
	for (; nbytes; data++, nbytes--)
		sum = (sum ^ *data) * 0x100000001b3ull;
	return sum;
}

static uint32_t checksum(const void *header, size_t header_bytes, const void *data, size_t nbytes)
{
	uint64_t sum = add_to_sum(add_to_sum(0xcbf29ce484222325ull, header, header_bytes), data, nbytes);

	return (uint32_t)(sum ^ sum >> 32);
}

static uint32_t block_sum(const struct block_header *h, const void *data)
{
	return checksum(h, offsetof(struct block_header, sum), data, h->nbytes);
}

/* ---- writing ------------------------------------------------------------------------------------- */

static void write_out(struct trace_writer *w, const void *data, size_t nbytes)
{
	if (!w->error && fwrite(data, 1, nbytes, w->file.stream) != nbytes)
		w->error = errno ? -errno : -EIO;
}

static void write_block(struct trace_writer *w, uint32_t magic, const void *data, size_t nbytes, uint32_t nrecords)
{
	struct block_header header = { .magic = magic, .nbytes = (uint32_t)nbytes, .nrecords = nrecords };

	header.sum = block_sum(&header, data);

	write_out(w, &header, sizeof(header));
	write_out(w, data, nbytes);
}

static void write_header(struct trace_writer *w, const struct trace_header_text *text)
{
	char *strings = (char *)w->block;		/* its room is free yet */
	int n = snprintf(strings, TRACE_BLOCK_BYTES, "%s%c%s%c%s", text->version, 0, text->command, 0, text->filter);
	struct file_header header = {
		.magic = FILE_MAGIC, .version = FILE_VERSION, .text_bytes = (uint32_t)n + 1,
		.tsc_hz = w->totals.tsc_hz, .start_tsc = w->totals.start_tsc,
	};

	header.sum = checksum(&header, sizeof(header), strings, header.text_bytes);
	write_out(w, &header, sizeof(header));
	write_out(w, strings, header.text_bytes);
}

int trace_writer_open(struct trace_writer *w, const char *path, const struct trace_header_text *text, uint64_t start_tsc, uint64_t tsc_hz,
		      char *why, size_t why_bytes)
{
	int err;

	*w = (struct trace_writer){ .totals = { .start_tsc = start_tsc, .tsc_hz = tsc_hz } };
	err = host_file_create(&w->file, path, why, why_bytes);
	if (err)
		return err;
	w->block = malloc(TRACE_BLOCK_BYTES + TRACE_RECORD_MAX);
	if (!w->block || trace_codec_init(&w->codec)) {
		trace_writer_discard(w);
		snprintf(why, why_bytes, "%s: out of memory for the trace", path);
		return -ENOMEM;
	}
	w->codec.when = start_tsc;
	setvbuf(w->file.stream, NULL, _IONBF, 0);	/* blocks are large enough */
	write_header(w, text);
	if (w->error) {
		err = w->error;
		snprintf(why, why_bytes, "%s: the trace cannot be written: %s", path, strerror(-err));
		trace_writer_discard(w);
		return err;
	}
	return 0;
}

int trace_writer_put(struct trace_writer *w, const struct plx_trace_record *record)
{
	size_t n;

	if (w->error)
		return w->error;
	n = trace_encode(&w->codec, record, w->block + w->used);
	if (!n) {
		w->error = -ENOMEM;
		return w->error;
	}
	w->used += n;
	w->block_records++;
	w->totals.records++;
	if (w->used >= TRACE_BLOCK_BYTES) {
		write_block(w, BLOCK_MAGIC, w->block, w->used, w->block_records);
		w->used = 0;
		w->block_records = 0;
	}
	return w->error;
}

static void free_writer(struct trace_writer *w)
{
	free(w->block);
	w->block = NULL;
	trace_codec_free(&w->codec);
}

void trace_writer_discard(struct trace_writer *w)
{
	if (w->file.stream)
		fclose(w->file.stream);
	if (w->file.stream && w->file.temporary[0])
		unlink(w->file.temporary);
	w->file.stream = NULL;
	free_writer(w);
}

int trace_writer_close(struct trace_writer *w, char *why, size_t why_bytes)
{
	int err;

	if (w->used)
		write_block(w, BLOCK_MAGIC, w->block, w->used, w->block_records);
	write_block(w, END_MAGIC, &w->totals, sizeof(w->totals), 0);
	if (w->error) {
		err = w->error;
		snprintf(why, why_bytes, "%s: the trace cannot be written: %s", w->file.path, strerror(-err));
		trace_writer_discard(w);
		return err;
	}
	err = host_file_commit(&w->file, why, why_bytes);
	free_writer(w);
	return err;
}

/* ---- reading ------------------------------------------------------------------------------------- */

/* The block at @at, or NULL if what stands there is none that is whole. */
static const struct block_header *block_at(const struct trace_reader *r, const uint8_t *at, struct block_header *copy)
{
	const uint8_t *end = r->file.data + r->file.nbytes;

	if ((size_t)(end - at) < sizeof(*copy))
		return NULL;
	memcpy(copy, at, sizeof(*copy));
	return (size_t)(end - at) - sizeof(*copy) >= copy->nbytes ? copy : NULL;
}

/* Three strings, each ending inside the header. */
static bool take_text(struct trace_reader *r, const char *text, size_t nbytes)
{
	const char **to[] = { &r->version, &r->command, &r->filter };

	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(to); i++) {
		size_t n = strnlen(text, nbytes);

		if (n == nbytes)
			return false;
		*to[i] = text;
		text += n + 1;
		nbytes -= n + 1;
	}
	return nbytes == 0;
}

static int check_blocks(struct trace_reader *r, char *why, size_t why_bytes)
{
	const uint8_t *at = r->block, *end = r->file.data + r->file.nbytes;
	uint64_t records = 0;
	struct block_header h;

	for (;;) {
		if (!block_at(r, at, &h)) {
			snprintf(why, why_bytes, "%s: the trace is cut off after %" PRIu64 " records; copy the file again", r->path, records);
			return -EINVAL;
		}
		if ((h.magic != BLOCK_MAGIC && h.magic != END_MAGIC) || block_sum(&h, at + sizeof(h)) != h.sum)
			break;
		at += sizeof(h);
		if (h.magic == END_MAGIC) {
			if (h.nbytes != sizeof(r->totals) || at + h.nbytes != end)
				break;
			memcpy(&r->totals, at, sizeof(r->totals));
			if (r->totals.records != records || !r->totals.tsc_hz)
				break;
			return 0;
		}
		at += h.nbytes;
		records += h.nrecords;
	}
	snprintf(why, why_bytes, "%s: the trace is damaged after %" PRIu64 " records; copy the file again", r->path, records);
	return -EINVAL;
}

static int check_file(struct trace_reader *r, char *why, size_t why_bytes)
{
	struct file_header header = { .version = 0 };
	size_t nbytes = r->file.nbytes;
	uint32_t sum;

	if (nbytes)
		memcpy(&header, r->file.data, plx_min64(nbytes, sizeof(header)));
	if (nbytes < sizeof(header.magic) || memcmp(header.magic, FILE_MAGIC, sizeof(header.magic))) {
		snprintf(why, why_bytes, "%s: is no trace of Plexus; one is made by `plexus run --trace=FILE`", r->path);
		return -EINVAL;
	}
	if (nbytes < sizeof(header) || nbytes - sizeof(header) < header.text_bytes) {
		snprintf(why, why_bytes, "%s: the trace is cut off in its header; copy the file again", r->path);
		return -EINVAL;
	}
	if (header.version != FILE_VERSION) {
		snprintf(why, why_bytes, "%s: is a trace of format %u; this version of Plexus reads format %u", r->path, header.version,
			 FILE_VERSION);
		return -EINVAL;
	}
	sum = header.sum;
	header.sum = 0;
	if (checksum(&header, sizeof(header), r->file.data + sizeof(header), header.text_bytes) != sum ||
	    !take_text(r, (const char *)r->file.data + sizeof(header), header.text_bytes)) {
		snprintf(why, why_bytes, "%s: the trace is damaged in its header; copy the file again", r->path);
		return -EINVAL;
	}
	r->block = r->file.data + sizeof(header) + header.text_bytes;
	r->codec.when = header.start_tsc;
	return check_blocks(r, why, why_bytes);
}

int trace_reader_open(struct trace_reader *r, const char *path, char *why, size_t why_bytes)
{
	int err;

	*r = (struct trace_reader){ .path = path };
	err = host_file_map(&r->file, path, why, why_bytes);
	if (err)
		return err;
	if (trace_codec_init(&r->codec)) {
		snprintf(why, why_bytes, "out of memory");
		err = -ENOMEM;
	} else {
		err = check_file(r, why, why_bytes);
	}
	if (err)
		trace_reader_close(r);
	return err;
}

int trace_reader_next(struct trace_reader *r, struct plx_trace_record *record, uint32_t *site, char *why, size_t why_bytes)
{
	struct block_header h;
	int err;

	while (!r->left) {
		if (!block_at(r, r->block, &h) || h.magic != BLOCK_MAGIC)
			return 0;
		r->at = r->block + sizeof(h);
		r->block = r->end = r->at + h.nbytes;
		r->left = h.nrecords;
	}
	err = trace_decode(&r->codec, &r->at, r->end, record, site);
	if (err) {
		snprintf(why, why_bytes, "%s: %s after %" PRIu64 " records", r->path,
			 err == -ENOMEM ? "out of memory" : "the trace is damaged", r->number);
		return err;
	}
	r->left--;
	r->number++;
	return 1;
}

void trace_reader_close(struct trace_reader *r)
{
	host_file_unmap(&r->file);
	trace_codec_free(&r->codec);
}
