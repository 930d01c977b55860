/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_filter.c - see trace_filter.h. Asked by: trace_options.c (words), trace_record.c and trace_read.c (records).
 * Tested by: tests/unit/test_trace_filter.c.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "prescan/prescan.h"
#include "user/trace_filter.h"

const char *const trace_event_names[4] = { "insn", "exception", "interrupt", "fill" };
const char *const trace_how_names[PLX_TRACE_HOWS] = { "inline", "nexus", "signal", "interpreter", "device" };

/* One word of the filter under examination. */
struct word {
	const char *option;
	const char *key, *value;
	char *why;
	size_t why_bytes;
};

PLX_PRINTF(2, 3)
static int refuse(const struct word *w, const char *fmt, ...)
{
	int n = snprintf(w->why, w->why_bytes, "%s: ", w->option);
	va_list args;

	va_start(args, fmt);
	if (n >= 0 && (size_t)n < w->why_bytes)
		vsnprintf(w->why + n, w->why_bytes - (size_t)n, fmt, args);
	va_end(args);
	return -EINVAL;
}

void trace_filter_init(struct trace_filter *f)
{
	*f = (struct trace_filter){
		.text = "", .class_mask = ~0u, .cpl_mask = 0xf, .how_mask = ~0u, .on = true,
		.event_mask = 1u << PLX_TRACE_INSN | 1u << PLX_TRACE_EXCEPTION | 1u << PLX_TRACE_INTERRUPT,
	};
}

/* ---- values ---------------------------------------------------------------------------------------- */

static bool number(const char *text, const char **end, uint32_t *value)
{
	unsigned long long n;
	char *stop;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	n = strtoull(text, &stop, 0);
	*end = stop;
	*value = (uint32_t)n;
	return !errno && n <= UINT32_MAX;
}

static int read_range(const struct word *w, const char *text, uint32_t max, struct trace_range *range)
{
	const char *end;

	if (!number(text, &end, &range->first))
		return refuse(w, "'%s' is no number; write it like 0x1f0 or 0x1f0-0x1f7", text);
	range->last = range->first;
	if (*end == '-' && !number(end + 1, &end, &range->last))
		return refuse(w, "'%s' is no range; write it like 0x1f0-0x1f7", text);
	if (*end)
		return refuse(w, "'%s' is no number; write it like 0x1f0 or 0x1f0-0x1f7", text);
	if (range->first > range->last)
		return refuse(w, "'%s' ends before it begins", text);
	if (range->last > max)
		return refuse(w, "'%s' is more than 0x%x", text, max);
	return 0;
}

static int add_range(const struct word *w, uint32_t max, struct trace_range *list, unsigned int *n)
{
	int err;

	if (*n == TRACE_FILTER_RANGES)
		return refuse(w, "there is room for %d ranges after %s=", TRACE_FILTER_RANGES, w->key);
	err = read_range(w, w->value, max, &list[*n]);
	*n += !err;
	return err;
}

/* @mask is still @all when no word of its key came before. */
static int add_bit(const struct word *w, const char *const *names, unsigned int count, uint32_t all, uint32_t *mask)
{
	char known[256] = "";
	size_t n = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (!strcmp(w->value, names[i])) {
			*mask = (*mask == all ? 0 : *mask) | 1u << i;
			return 0;
		}
		n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s", i ? ", " : "", names[i]);
		if (n >= sizeof(known))
			break;
	}
	return refuse(w, "%s=%s is none of %s", w->key, w->value, known);
}

static int add_class(const struct word *w, struct trace_filter *f)
{
	const char *names[PRESCAN_NR_CLASSES];

	for (unsigned int i = 0; i < PRESCAN_NR_CLASSES; i++)
		names[i] = prescan_class_name(i);
	return add_bit(w, names, PRESCAN_NR_CLASSES, ~0u, &f->class_mask);
}

static int add_name(const struct word *w, struct trace_filter *f)
{
	bool known = false;

	if (f->nnames == TRACE_FILTER_NAMES)
		return refuse(w, "there is room for %d instructions", TRACE_FILTER_NAMES);
	for (unsigned int row = 0; row < prescan_nr_rows() && !known; row++)
		known = !strcasecmp(prescan_row_mnemonic(row), w->value);
	if (!known || strlen(w->value) >= TRACE_FILTER_NAME_BYTES)
		return refuse(w, "insn=%s is no instruction as the processor's manual names them", w->value);
	snprintf(f->name[f->nnames++], TRACE_FILTER_NAME_BYTES, "%s", w->value);
	return 0;
}

static int read_trigger(const struct word *w, struct trace_trigger *t)
{
	const char *colon = strchr(w->value, ':');
	const char *value = colon ? colon + 1 : NULL;
	size_t n = colon ? (size_t)(colon - w->value) : strlen(w->value);
	static const char hint[] = "is none of addr:A, port:P, exception[:VECTOR] and interrupt[:VECTOR]";

	if (t->kind != TRIGGER_NONE)
		return refuse(w, "%s= was given twice", w->key);
	if (n == 4 && !memcmp(w->value, "addr", 4) && value) {
		t->kind = TRIGGER_ADDRESS;
		return read_range(w, value, UINT32_MAX, &t->value);
	}
	if (n == 4 && !memcmp(w->value, "port", 4) && value) {
		t->kind = TRIGGER_PORT;
		return read_range(w, value, 0xffff, &t->value);
	}
	t->kind = TRIGGER_EVENT;
	t->value = (struct trace_range){ 0, 255 };
	if (n == 9 && !memcmp(w->value, "exception", 9))
		t->event = PLX_TRACE_EXCEPTION;
	else if (n == 9 && !memcmp(w->value, "interrupt", 9))
		t->event = PLX_TRACE_INTERRUPT;
	else
		return refuse(w, "%s=%s %s", w->key, w->value, hint);
	return value ? read_range(w, value, 255, &t->value) : 0;
}

/* ---- words ------------------------------------------------------------------------------------------- */

#define DEFAULT_EVENTS (1u << PLX_TRACE_INSN | 1u << PLX_TRACE_EXCEPTION | 1u << PLX_TRACE_INTERRUPT)

static int read_word(const struct word *w, struct trace_filter *f)
{
	static const char *const levels[] = { "0", "1", "2", "3" };

	if (!strcmp(w->key, "class"))
		return add_class(w, f);
	if (!strcmp(w->key, "insn"))
		return add_name(w, f);
	if (!strcmp(w->key, "port"))
		return add_range(w, 0xffff, f->port, &f->nports);
	if (!strcmp(w->key, "addr"))
		return add_range(w, UINT32_MAX, f->address, &f->naddresses);
	if (!strcmp(w->key, "space"))
		return add_range(w, UINT32_MAX, f->space, &f->nspaces);
	if (!strcmp(w->key, "cpl"))
		return add_bit(w, levels, 4, 0xf, &f->cpl_mask);
	if (!strcmp(w->key, "how"))
		return add_bit(w, trace_how_names, PLX_TRACE_HOWS, ~0u, &f->how_mask);
	if (!strcmp(w->key, "start"))
		return read_trigger(w, &f->start);
	if (!strcmp(w->key, "stop"))
		return read_trigger(w, &f->stop);
	return refuse(w, "'%s' is no filter; there are class, insn, how, port, addr, cpl, space, event, start and stop", w->key);
}

int trace_filter_parse(struct trace_filter *f, const char *option, const char *text, char *why, size_t why_bytes)
{
	char copy[1024], *key, *rest = copy;
	uint32_t events = 0;

	if (strlen(text) >= sizeof(copy)) {
		snprintf(why, why_bytes, "%s: the filter is longer than %zu characters", option, sizeof(copy) - 1);
		return -EINVAL;
	}
	f->text = text;
	strcpy(copy, text);
	while ((key = strsep(&rest, ",")) != NULL) {
		char *value = strchr(key, '=');
		struct word w = { .option = option, .key = key, .why = why, .why_bytes = why_bytes };
		int err;

		if (!value)
			return refuse(&w, "'%s' is no filter; write it like class=port or addr=0xc0100000-0xc01fffff", key);
		*value++ = '\0';
		w.value = value;
		err = strcmp(key, "event") ? read_word(&w, f) : add_bit(&w, trace_event_names, 4, 0, &events);
		if (err)
			return err;
	}
	if (events)
		f->event_mask = events;
	else if (f->class_mask != ~0u || f->how_mask != ~0u || f->nnames || f->nports)
		f->event_mask = 1u << PLX_TRACE_INSN;
	f->on = f->start.kind == TRIGGER_NONE;
	return 0;
}

/* ---- records ------------------------------------------------------------------------------------------- */

static bool inside(uint32_t value, const struct trace_range *range)
{
	return value >= range->first && value <= range->last;
}

static bool inside_one(uint32_t value, const struct trace_range *range, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (inside(value, &range[i]))
			return true;
	return n == 0;
}

static bool is_port(const struct plx_trace_record *r)
{
	return r->event == PLX_TRACE_INSN && (r->klass == PRESCAN_PORT || r->klass == PRESCAN_STRING_PORT);
}

static bool fires(const struct trace_trigger *t, const struct plx_trace_record *r)
{
	switch (t->kind) {
	case TRIGGER_ADDRESS:
		return inside(r->eip + r->cs_base, &t->value);
	case TRIGGER_PORT:
		return is_port(r) && inside(r->a & 0xffff, &t->value);
	case TRIGGER_EVENT:
		return r->event == t->event && inside(r->a, &t->value);
	default:
		return false;
	}
}

static bool name_wanted(struct trace_filter *f, uint16_t row, const char *name)
{
	uint8_t *known = &f->row[row & (PLX_TRACE_ROWS - 1)];

	if (!*known) {
		*known = 2;
		for (unsigned int i = 0; i < f->nnames; i++)
			if (!strcasecmp(f->name[i], name))
				*known = 1;
	}
	return *known == 1;
}

static bool wanted(struct trace_filter *f, const struct plx_trace_record *r, const char *name)
{
	if (!(f->event_mask >> r->event & 1) || !(f->cpl_mask >> (r->cpl & 3) & 1) ||
	    !inside_one(r->eip + r->cs_base, f->address, f->naddresses) || !inside_one(r->space, f->space, f->nspaces))
		return false;
	if (r->event != PLX_TRACE_INSN)
		return true;
	return f->class_mask >> r->klass & 1 && f->how_mask >> r->how & 1 && (!f->nnames || name_wanted(f, r->row, name)) &&
	       (!f->nports || (is_port(r) && inside_one(r->a & 0xffff, f->port, f->nports)));
}

bool trace_filter_pass(struct trace_filter *f, const struct plx_trace_record *r, const char *name)
{
	if (PLX_UNLIKELY(!f->on)) {
		if (!fires(&f->start, r))
			return false;
		f->on = true;
	} else if (PLX_UNLIKELY(f->stop.kind != TRIGGER_NONE) && fires(&f->stop, r)) {
		f->on = false;		/* this record is the last */
	}
	return wanted(f, r, name);
}
