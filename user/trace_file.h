/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_file.h - a trace in a file: written as it is recorded, read front to back.
 *
 *      ring --> trace_record.c --> trace_encode() --> blocks --> file --> blocks --> trace_reader_next() --> trace_print.c ...
 *
 * File: a header, blocks of encoded records, and an end block without which the file counts as cut off. All little-endian.
 * Most records come from few places, so a place (struct trace_site) is written once and named by number afterwards; even the number is
 * left out when this place follows its predecessor as it did last time. Times and operands are differences. A record takes some 8 bytes.
 */
#ifndef USER_TRACE_FILE_H
#define USER_TRACE_FILE_H

#include "plexus/trace.h"
#include "user/host_files.h"

#define TRACE_NAME_BYTES 24	/* the longest mnemonic there is has room */

/* A virtualized instruction in the guest's code, as far as it is the same each time it is met. */
struct trace_site {
	uint32_t eip, cs_base;
	uint16_t cs, row;
	uint8_t how, klass, mode, cpl, length;
	uint8_t bytes[15];
};

/* What encoder and decoder remember of a site, alike. */
struct trace_memory {
	struct trace_site site;
	uint32_t a, b, c;	/* of its last record */
	uint32_t follower;	/* the site of the instruction recorded after it the last time */
};

struct trace_codec {
	struct trace_memory *memory;
	uint32_t nsites, max_sites;
	uint32_t *hash;			/* encoder only: site number + 1; a power of two entries, at most half full */
	uint32_t hash_size;
	uint64_t when;			/* the end of the last record */
	uint32_t last;			/* site of the last instruction */
	uint32_t space;
	struct trace_site place;	/* of the last event that was no instruction */
	char (*names)[TRACE_NAME_BYTES];	/* by row; "" for one not met yet */
};

#define TRACE_RECORD_MAX 160	/* bytes that one encoded record can take */

/* 0 or -ENOMEM. */
int trace_codec_init(struct trace_codec *codec);
void trace_codec_free(struct trace_codec *codec);
/* Return: bytes written to @to, which has room for TRACE_RECORD_MAX; 0: out of memory. */
size_t trace_encode(struct trace_codec *codec, const struct plx_trace_record *record, uint8_t *to);
/* *at moves on. @site: its number, or UINT32_MAX for an event. 0; -EINVAL: these bytes are no record; -ENOMEM. */
int trace_decode(struct trace_codec *codec, const uint8_t **at, const uint8_t *end, struct plx_trace_record *record, uint32_t *site);

struct trace_totals {
	uint64_t records;		/* in the file */
	uint64_t filtered;		/* seen and not asked for */
	uint64_t dropped;		/* lost, because the buffer was full */
	uint64_t start_tsc, end_tsc;
	uint64_t tsc_hz;
};

/* ---- writing ------------------------------------------------------------------------------------- */

#define TRACE_BLOCK_BYTES (256u << 10)

struct trace_writer {
	struct host_new_file file;
	struct trace_codec codec;
	uint8_t *block;
	size_t used;
	uint32_t block_records;
	struct trace_totals totals;
	int error;			/* -errno of the first failure; what comes after is not written */
};

struct trace_header_text {
	const char *version, *command, *filter;
};

/* 0, or -errno with one sentence in @why. */
int trace_writer_open(struct trace_writer *w, const char *path, const struct trace_header_text *text, uint64_t start_tsc, uint64_t tsc_hz,
		      char *why, size_t why_bytes);
/* 0 or w->error. */
int trace_writer_put(struct trace_writer *w, const struct plx_trace_record *record);
/* The file appears under its name, or, on any failure of before or now, is gone. totals.end_tsc and others are the caller's to set. */
int trace_writer_close(struct trace_writer *w, char *why, size_t why_bytes);
/* Leaves nothing behind. */
void trace_writer_discard(struct trace_writer *w);

/* ---- reading ------------------------------------------------------------------------------------- */

struct trace_reader {
	const char *path;
	struct host_file file;
	struct trace_codec codec;
	const char *version, *command, *filter;		/* in the file */
	struct trace_totals totals;
	const uint8_t *block, *at, *end;		/* next block; rest of the present one */
	uint32_t left;					/* records of it not read yet */
	uint64_t number;				/* records read */
};

/* Judges the whole file first: a foreign, truncated or damaged one is refused. 0, or -errno with one sentence in @why. */
int trace_reader_open(struct trace_reader *r, const char *path, char *why, size_t why_bytes);
/* 1: a record; 0: there are no more; -errno and @why. */
int trace_reader_next(struct trace_reader *r, struct plx_trace_record *record, uint32_t *site, char *why, size_t why_bytes);
void trace_reader_close(struct trace_reader *r);

/* The mnemonic of a record from this file. */
static inline const char *trace_row_name(const struct trace_codec *codec, uint16_t row)
{
	return codec->names[row & (PLX_TRACE_ROWS - 1)];
}

#endif
