/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_pack.c - a result as bytes and back, for the state file.
 *
 * Little-endian, fixed widths, strings with their length before them. The bytes come from a file, so reading checks everything: lengths
 * against what is left, numbers against their enumerations. What does not fit is no result.
 *
 * Asked by: user/prescan_state.c. Tested by: tests/unit/test_prescan_scan.c.
 */
#include <stdlib.h>
#include <string.h>

#include "user/prescan_result.h"

/* ---- out ---- */

struct out {
	uint8_t *bytes;
	size_t n, room;
	bool failed;
};

static void put(struct out *out, const void *bytes, size_t nbytes)
{
	if (out->failed || !nbytes)
		return;
	if (nbytes > out->room - out->n) {
		size_t room = 2 * (out->room + nbytes) + 256;
		uint8_t *grown = realloc(out->bytes, room);

		if (!grown) {
			out->failed = true;
			return;
		}
		out->bytes = grown;
		out->room = room;
	}
	memcpy(out->bytes + out->n, bytes, nbytes);
	out->n += nbytes;
}

static void put_number(struct out *out, uint64_t value, unsigned int nbytes)
{
	uint8_t bytes[8];

	for (unsigned int i = 0; i < nbytes; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	put(out, bytes, nbytes);
}

static void put_text(struct out *out, const char *text)
{
	size_t n = strlen(text);

	put_number(out, n, 4);
	put(out, text, n);
}

static void put_region(struct out *out, const struct region_result *r)
{
	put_text(out, r->name);
	put_number(out, r->address, 8);
	put_number(out, r->nbytes, 8);
	put_number(out, r->nbytes16, 8);
	put_number(out, r->guessed, 1);
	put_number(out, r->leaves, 8);
	for (unsigned int i = 0; i < COVER_NR; i++) {
		put_number(out, r->cover_bytes[i], 8);
		put_number(out, r->cover_insns[i], 8);
	}
	for (unsigned int i = 0; i < FINDING_NR; i++)
		put_number(out, r->findings[i], 8);
	put_number(out, r->cell_shift, 1);
	put_text(out, r->map);
}

uint8_t *file_result_pack(const struct file_result *r, size_t *nbytes)
{
	struct out out = { 0 };

	put_text(&out, r->path);
	put_number(&out, r->nbytes, 8);
	put_number(&out, r->mtime_ns, 8);
	put_number(&out, r->inode, 8);
	put_number(&out, r->named, 1);
	put_number(&out, r->verdict, 1);
	put_text(&out, r->format);
	put_text(&out, r->why);
	put_number(&out, r->nregions, 4);
	for (uint32_t i = 0; i < r->nregions; i++)
		put_region(&out, &r->regions[i]);
	put_number(&out, r->ncounts, 4);
	for (uint32_t i = 0; i < r->ncounts; i++) {
		put_number(&out, r->counts[i].row, 2);
		put_number(&out, r->counts[i].mode, 1);
		put_number(&out, r->counts[i].rewriting, 1);
		put_number(&out, r->counts[i].klass, 1);
		put_number(&out, r->counts[i].insns, 8);
		put_number(&out, r->counts[i].bytes, 8);
	}
	put_number(&out, r->nfindings, 4);
	for (uint32_t i = 0; i < r->nfindings; i++) {
		const struct finding *f = &r->findings[i];

		put_number(&out, f->address, 8);
		put_number(&out, f->region, 4);
		put_number(&out, f->kind, 1);
		put_number(&out, f->mode, 1);
		put_number(&out, f->row, 2);
		put_number(&out, f->nbytes, 1);
		put(&out, f->bytes, f->nbytes);
	}
	put_number(&out, r->omitted, 8);
	if (out.failed) {
		free(out.bytes);
		return NULL;
	}
	*nbytes = out.n;
	return out.bytes;
}

/* ---- in ---- */

struct in {
	const uint8_t *bytes;
	size_t left;
	bool failed;
};

static bool get(struct in *in, void *bytes, size_t nbytes)
{
	if (in->failed || nbytes > in->left) {
		in->failed = true;
		return false;
	}
	if (nbytes)
		memcpy(bytes, in->bytes, nbytes);
	in->bytes += nbytes;
	in->left -= nbytes;
	return true;
}

static uint64_t get_number(struct in *in, unsigned int nbytes)
{
	uint8_t bytes[8] = { 0 };

	if (!get(in, bytes, nbytes))
		return 0;
	return image_le64(bytes);
}

static uint64_t get_below(struct in *in, unsigned int nbytes, uint64_t limit)
{
	uint64_t value = get_number(in, nbytes);

	if (value >= limit)
		in->failed = true;
	return in->failed ? 0 : value;
}

static char *get_text(struct in *in)
{
	uint64_t n = get_number(in, 4);
	char *text;

	if (in->failed || n > in->left || memchr(in->bytes, 0, (size_t)n)) {
		in->failed = true;
		return NULL;
	}
	text = malloc((size_t)n + 1);
	if (!text) {
		in->failed = true;
		return NULL;
	}
	get(in, text, (size_t)n);
	text[n] = '\0';
	return text;
}

/* Room for @n things that take at least @least bytes each in the file: a wild number fails before it is allocated. */
static void *get_array(struct in *in, uint32_t *n, size_t least, size_t size)
{
	uint64_t count = get_number(in, 4);
	void *array = NULL;

	if (!in->failed && count <= in->left / least)
		array = calloc((size_t)count + 1, size);
	if (!array) {
		in->failed = true;
		return NULL;
	}
	*n = (uint32_t)count;
	return array;
}

static void get_region(struct in *in, struct region_result *r)
{
	r->name = get_text(in);
	r->address = get_number(in, 8);
	r->nbytes = get_number(in, 8);
	r->nbytes16 = get_number(in, 8);
	r->guessed = get_below(in, 1, 2);
	r->leaves = get_number(in, 8);
	for (unsigned int i = 0; i < COVER_NR; i++) {
		r->cover_bytes[i] = get_number(in, 8);
		r->cover_insns[i] = get_number(in, 8);
	}
	for (unsigned int i = 0; i < FINDING_NR; i++)
		r->findings[i] = get_number(in, 8);
	r->cell_shift = (uint8_t)get_below(in, 1, 40);
	r->map = get_text(in);
}

struct file_result *file_result_unpack(const uint8_t *bytes, size_t nbytes)
{
	struct in in = { .bytes = bytes, .left = nbytes };
	struct file_result *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->path = get_text(&in);
	r->nbytes = get_number(&in, 8);
	r->mtime_ns = get_number(&in, 8);
	r->inode = get_number(&in, 8);
	r->named = get_below(&in, 1, 2);
	r->verdict = (uint8_t)get_below(&in, 1, IMAGE_NR);
	r->format = get_text(&in);
	r->why = get_text(&in);
	r->regions = get_array(&in, &r->nregions, 64, sizeof(*r->regions));
	for (uint32_t i = 0; i < r->nregions && !in.failed; i++)
		get_region(&in, &r->regions[i]);
	r->counts = get_array(&in, &r->ncounts, 20, sizeof(*r->counts));
	for (uint32_t i = 0; i < r->ncounts && !in.failed; i++) {
		r->counts[i].row = (uint16_t)get_below(&in, 2, prescan_nr_rows());
		r->counts[i].mode = (uint8_t)get_number(&in, 1);
		r->counts[i].rewriting = (uint8_t)get_below(&in, 1, REWRITING_NR);
		r->counts[i].klass = (uint8_t)get_below(&in, 1, PRESCAN_NR_CLASSES);
		r->counts[i].insns = get_number(&in, 8);
		r->counts[i].bytes = get_number(&in, 8);
	}
	r->findings = get_array(&in, &r->nfindings, 17, sizeof(*r->findings));
	for (uint32_t i = 0; i < r->nfindings && !in.failed; i++) {
		struct finding *f = &r->findings[i];

		f->address = get_number(&in, 8);
		f->region = (uint32_t)get_below(&in, 4, r->nregions);
		f->kind = (uint8_t)get_below(&in, 1, FINDING_NR);
		f->mode = (uint8_t)get_number(&in, 1);
		f->row = (uint16_t)get_below(&in, 2, prescan_nr_rows());
		f->nbytes = (uint8_t)get_below(&in, 1, PRESCAN_INSN_MAX + 1);
		get(&in, f->bytes, f->nbytes);
	}
	r->omitted = get_number(&in, 8);
	if (in.failed || in.left) {
		file_result_free(r);
		return NULL;
	}
	return r;
}
