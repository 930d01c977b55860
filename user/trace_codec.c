/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_codec.c - one record of a trace to a few bytes, and back.
 *
 *      tag byte      bits 0-1 event; 2 the place is not the expected one; 3-5 a, b, c differ; 6 result is not 0; 7 other space
 *      time          since the last record's end, zigzag varint
 *      space         CR3, varint                                     (bit 7)
 *      instruction:  cost; site number, or 0 and a new site          (bit 2)
 *      other event:  EIP's difference to the last event's; CS, its base, mode and CPL (bit 2)
 *      a, b, c       instruction: zigzag difference to the site's last; event: as it is
 *      result        one byte                                        (bit 6)
 *
 * Asked by:  trace_file.c. Tested by: tests/unit/test_trace_file.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "prescan/prescan.h"
#include "user/trace_file.h"

#define TAG_PLACE	0x04
#define TAG_A		0x08
#define TAG_B		0x10
#define TAG_C		0x20
#define TAG_RESULT	0x40
#define TAG_SPACE	0x80

#define FIRST_HASH	4096u

/* ---- numbers --------------------------------------------------------------------------------------- */

static uint8_t *put_varint(uint8_t *to, uint64_t value)
{
	while (value >= 0x80) {
		*to++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*to++ = (uint8_t)value;
	return to;
}

static uint8_t *put_signed(uint8_t *to, int64_t value)
{
	return put_varint(to, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

struct source {
	const uint8_t *at, *end;
	bool bad;
};

static uint64_t get_varint(struct source *s)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		if (s->at == s->end)
			break;
		value |= (uint64_t)(*s->at & 0x7f) << shift;
		if (!(*s->at++ & 0x80))
			return value;
	}
	s->bad = true;
	return 0;
}

static int64_t get_signed(struct source *s)
{
	uint64_t value = get_varint(s);

	return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

static void get_bytes(struct source *s, void *to, size_t nbytes)
{
	if ((size_t)(s->end - s->at) < nbytes) {
		s->bad = true;
		return;
	}
	memcpy(to, s->at, nbytes);
	s->at += nbytes;
}

/* ---- sites ----------------------------------------------------------------------------------------- */

int trace_codec_init(struct trace_codec *c)
{
	*c = (struct trace_codec){ .last = UINT32_MAX };
	c->max_sites = FIRST_HASH / 2;
	c->hash_size = FIRST_HASH;
	c->memory = calloc(c->max_sites, sizeof(*c->memory));
	c->hash = calloc(c->hash_size, sizeof(*c->hash));
	c->names = calloc(PLX_TRACE_ROWS, sizeof(*c->names));
	if (c->memory && c->hash && c->names)
		return 0;
	trace_codec_free(c);
	return -ENOMEM;
}

void trace_codec_free(struct trace_codec *c)
{
	free(c->memory);
	free(c->hash);
	free(c->names);
	*c = (struct trace_codec){ .memory = NULL };
}

static uint32_t hash_of(const struct trace_site *s)
{
	return (s->eip + s->cs_base * 31 + ((uint32_t)s->how << 8 | (uint32_t)s->mode << 4 | s->cpl) * 0x01000193u) * 0x9e3779b1u;
}

static void insert(struct trace_codec *c, uint32_t number)
{
	uint32_t i = hash_of(&c->memory[number].site) >> 8 & (c->hash_size - 1);

	while (c->hash[i])
		i = (i + 1) & (c->hash_size - 1);
	c->hash[i] = number + 1;
}

static bool grow(struct trace_codec *c)
{
	struct trace_memory *memory = realloc(c->memory, 2ull * c->max_sites * sizeof(*memory));
	uint32_t *hash = calloc(2ull * c->hash_size, sizeof(*hash));

	if (memory)
		c->memory = memory;
	if (!memory || !hash) {
		free(hash);
		return false;
	}
	free(c->hash);
	c->hash = hash;
	c->hash_size *= 2;
	c->max_sites *= 2;
	for (uint32_t i = 0; i < c->nsites; i++)
		insert(c, i);
	return true;
}

static struct trace_memory *new_site(struct trace_codec *c, const struct trace_site *site)
{
	if (c->nsites == c->max_sites && !grow(c))
		return NULL;
	c->memory[c->nsites] = (struct trace_memory){ .site = *site, .follower = UINT32_MAX };
	insert(c, c->nsites);
	return &c->memory[c->nsites++];
}

static bool same_site(const struct trace_site *a, const struct trace_site *b)
{
	return !memcmp(a, b, sizeof(*a));
}

_Static_assert(sizeof(struct trace_site) == 32, "struct trace_site is compared as bytes: no padding");

/* The number of a site met before, or UINT32_MAX. */
static uint32_t find(const struct trace_codec *c, const struct trace_site *site)
{
	uint32_t i = hash_of(site) >> 8 & (c->hash_size - 1);

	for (; c->hash[i]; i = (i + 1) & (c->hash_size - 1))
		if (same_site(&c->memory[c->hash[i] - 1].site, site))
			return c->hash[i] - 1;
	return UINT32_MAX;
}

static struct trace_site site_of(const struct plx_trace_record *r)
{
	struct trace_site site = {
		.eip = r->eip, .cs_base = r->cs_base, .cs = r->cs, .row = r->row, .how = r->how, .klass = r->klass,
		.mode = r->mode, .cpl = r->cpl, .length = r->length,
	};

	memcpy(site.bytes, r->bytes, sizeof(site.bytes));
	return site;
}

static void site_to(struct plx_trace_record *r, const struct trace_site *site)
{
	r->eip = site->eip;
	r->cs_base = site->cs_base;
	r->cs = site->cs;
	r->row = site->row;
	r->how = site->how;
	r->klass = site->klass;
	r->mode = site->mode;
	r->cpl = site->cpl;
	r->length = site->length;
	memcpy(r->bytes, site->bytes, sizeof(r->bytes));
}

static uint8_t *put_site(struct trace_codec *c, uint8_t *to, const struct trace_site *s)
{
	const struct trace_site *near = c->last == UINT32_MAX ? &c->place : &c->memory[c->last].site;
	uint16_t row = s->row & (PLX_TRACE_ROWS - 1);
	const char *name = prescan_row_mnemonic(row);
	size_t n = strnlen(name, TRACE_NAME_BYTES - 1);

	to = put_signed(to, (int32_t)(s->eip - near->eip));
	to = put_varint(to, s->cs_base);
	to = put_varint(to, s->cs);
	*to++ = s->how;
	*to++ = s->klass;
	*to++ = s->mode;
	*to++ = s->cpl;
	*to++ = s->length;
	memcpy(to, s->bytes, plx_min32(s->length, sizeof(s->bytes)));
	to += plx_min32(s->length, sizeof(s->bytes));
	to = put_varint(to, row);
	if (c->names[row][0])
		return to;
	/* Row numbers are this version's; the name stands in the file, once. */
	memcpy(c->names[row], name, n);
	*to++ = (uint8_t)n;
	memcpy(to, name, n);
	return to + n;
}

static void get_site(struct trace_codec *c, struct source *from, struct trace_site *s)
{
	const struct trace_site *near = c->last == UINT32_MAX ? &c->place : &c->memory[c->last].site;
	uint8_t small[5] = { 0 }, n = 0;
	uint64_t row;

	*s = (struct trace_site){ .eip = near->eip + (uint32_t)get_signed(from) };
	s->cs_base = (uint32_t)get_varint(from);
	s->cs = (uint16_t)get_varint(from);
	get_bytes(from, small, sizeof(small));
	s->how = small[0];
	s->klass = small[1];
	s->mode = small[2];
	s->cpl = small[3];
	s->length = small[4];
	if (s->length > sizeof(s->bytes) || s->how >= PLX_TRACE_HOWS || s->klass >= PRESCAN_NR_CLASSES || s->cpl > 3) {
		from->bad = true;
		return;
	}
	get_bytes(from, s->bytes, s->length);
	row = get_varint(from);
	if (row >= PLX_TRACE_ROWS) {
		from->bad = true;
		return;
	}
	s->row = (uint16_t)row;
	if (c->names[row][0])
		return;
	get_bytes(from, &n, 1);
	if (!n || n >= TRACE_NAME_BYTES) {
		from->bad = true;
		return;
	}
	get_bytes(from, c->names[row], n);
}

/* ---- records ----------------------------------------------------------------------------------------- */

static uint8_t *put_insn(struct trace_codec *c, uint8_t *to, uint8_t *tag, const struct plx_trace_record *r)
{
	struct trace_site site = site_of(r);
	uint32_t expected = c->last == UINT32_MAX ? UINT32_MAX : c->memory[c->last].follower;
	uint32_t number;
	struct trace_memory *m;

	to = put_varint(to, r->cost);
	if (expected != UINT32_MAX && same_site(&c->memory[expected].site, &site)) {
		number = expected;
		m = &c->memory[number];
	} else {
		*tag |= TAG_PLACE;
		number = find(c, &site);
		if (number == UINT32_MAX) {
			number = c->nsites;
			m = new_site(c, &site);
			if (!m)
				return NULL;
			to = put_varint(to, 0);
			to = put_site(c, to, &site);
		} else {
			m = &c->memory[number];
			to = put_varint(to, number + 1ull);
		}
	}
	if (r->a != m->a) {
		*tag |= TAG_A;
		to = put_signed(to, (int32_t)(r->a - m->a));
	}
	if (r->b != m->b) {
		*tag |= TAG_B;
		to = put_signed(to, (int32_t)(r->b - m->b));
	}
	if (r->c != m->c) {
		*tag |= TAG_C;
		to = put_signed(to, (int32_t)(r->c - m->c));
	}
	m->a = r->a;
	m->b = r->b;
	m->c = r->c;
	if (c->last != UINT32_MAX)
		c->memory[c->last].follower = number;
	c->last = number;
	return to;
}

static uint8_t *put_event(struct trace_codec *c, uint8_t *to, uint8_t *tag, const struct plx_trace_record *r)
{
	struct trace_site *p = &c->place;

	to = put_signed(to, (int32_t)(r->eip - p->eip));
	p->eip = r->eip;
	if (r->cs != p->cs || r->cs_base != p->cs_base || r->mode != p->mode || r->cpl != p->cpl) {
		*tag |= TAG_PLACE;
		to = put_varint(to, r->cs);
		to = put_varint(to, r->cs_base);
		*to++ = r->mode;
		*to++ = r->cpl;
		p->cs = r->cs;
		p->cs_base = r->cs_base;
		p->mode = r->mode;
		p->cpl = r->cpl;
	}
	if (r->a) {
		*tag |= TAG_A;
		to = put_varint(to, r->a);
	}
	if (r->b) {
		*tag |= TAG_B;
		to = put_varint(to, r->b);
	}
	if (r->c) {
		*tag |= TAG_C;
		to = put_varint(to, r->c);
	}
	return to;
}

size_t trace_encode(struct trace_codec *c, const struct plx_trace_record *r, uint8_t *start)
{
	uint8_t tag = r->event & 3, *to = start + 1;

	to = put_signed(to, (int64_t)(r->tsc - c->when));
	c->when = r->tsc + r->cost;
	if (r->space != c->space) {
		tag |= TAG_SPACE;
		to = put_varint(to, r->space);
		c->space = r->space;
	}
	to = r->event == PLX_TRACE_INSN ? put_insn(c, to, &tag, r) : put_event(c, to, &tag, r);
	if (!to)
		return 0;
	if (r->result) {
		tag |= TAG_RESULT;
		*to++ = r->result;
	}
	*start = tag;
	return (size_t)(to - start);
}

static int get_insn(struct trace_codec *c, struct source *s, uint8_t tag, struct plx_trace_record *r, uint32_t *number)
{
	struct trace_memory *m;
	struct trace_site site;

	r->cost = (uint32_t)get_varint(s);
	if (!(tag & TAG_PLACE)) {
		*number = c->last == UINT32_MAX ? UINT32_MAX : c->memory[c->last].follower;
		if (*number >= c->nsites)
			return -EINVAL;
	} else {
		uint64_t named = get_varint(s);

		if (named > c->nsites)
			return -EINVAL;
		*number = named ? (uint32_t)named - 1 : c->nsites;
		if (!named) {
			get_site(c, s, &site);
			if (s->bad)
				return -EINVAL;
			if (!new_site(c, &site))
				return -ENOMEM;
		}
	}
	m = &c->memory[*number];
	if (tag & TAG_A)
		m->a += (uint32_t)get_signed(s);
	if (tag & TAG_B)
		m->b += (uint32_t)get_signed(s);
	if (tag & TAG_C)
		m->c += (uint32_t)get_signed(s);
	r->a = m->a;
	r->b = m->b;
	r->c = m->c;
	site_to(r, &m->site);
	if (c->last != UINT32_MAX)
		c->memory[c->last].follower = *number;
	c->last = *number;
	return 0;
}

static void get_event(struct trace_codec *c, struct source *s, uint8_t tag, struct plx_trace_record *r)
{
	struct trace_site *p = &c->place;

	p->eip += (uint32_t)get_signed(s);
	if (tag & TAG_PLACE) {
		p->cs = (uint16_t)get_varint(s);
		p->cs_base = (uint32_t)get_varint(s);
		get_bytes(s, &p->mode, 1);
		get_bytes(s, &p->cpl, 1);
		p->cpl &= 3;
	}
	r->eip = p->eip;
	r->cs = p->cs;
	r->cs_base = p->cs_base;
	r->mode = p->mode;
	r->cpl = p->cpl;
	r->a = tag & TAG_A ? (uint32_t)get_varint(s) : 0;
	r->b = tag & TAG_B ? (uint32_t)get_varint(s) : 0;
	r->c = tag & TAG_C ? (uint32_t)get_varint(s) : 0;
}

int trace_decode(struct trace_codec *c, const uint8_t **at, const uint8_t *end, struct plx_trace_record *r, uint32_t *site)
{
	struct source s = { .at = *at, .end = end };
	uint8_t tag = 0;
	int err;

	*r = (struct plx_trace_record){ 0 };
	*site = UINT32_MAX;
	get_bytes(&s, &tag, 1);
	r->event = tag & 3;
	r->tsc = c->when + (uint64_t)get_signed(&s);
	if (tag & TAG_SPACE)
		c->space = (uint32_t)get_varint(&s);
	r->space = c->space;
	if (r->event == PLX_TRACE_INSN) {
		err = get_insn(c, &s, tag, r, site);
		if (err)
			return err;
	} else {
		get_event(c, &s, tag, r);
	}
	if (tag & TAG_RESULT)
		get_bytes(&s, &r->result, 1);
	if (s.bad)
		return -EINVAL;
	c->when = r->tsc + r->cost;
	*at = s.at;
	return 0;
}
