/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/corpora/corpus.c - see corpus.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/corpora/corpus.h"

static int hex_byte(const char *p)
{
	char digits[3] = { p[0], p[0] ? p[1] : '\0', '\0' };
	char *end;
	long value = strtol(digits, &end, 16);

	return isxdigit((unsigned char)p[0]) && end == digits + 2 ? (int)value : -1;
}

/* The BYTES field. NULL: well; else what is wrong. */
static const char *parse_bytes(const char *p, struct corpus_line *line)
{
	while (*p) {
		struct corpus_token *t = &line->token[line->tokens];

		if (line->tokens == CORPUS_TOKENS)
			return "too many bytes";
		*t = (struct corpus_token){ .kind = TOKEN_BYTE };
		if (p[0] == '?' && p[1] == '?') {
			t->kind = TOKEN_ANY;
			p += 2;
		} else if (*p == '[') {
			if (hex_byte(p + 1) < 0 || p[3] != ']')
				return "[xx] wants one byte";
			t->kind = TOKEN_OPTIONAL;
			t->byte = (uint8_t)hex_byte(p + 1);
			p += 4;
		} else if (*p == '/') {
			t->kind = TOKEN_MODRM;
			t->any_reg = p[1] == '_';
			if (!t->any_reg && (p[1] < '0' || p[1] > '7'))
				return "/ wants a digit or _";
			t->byte = t->any_reg ? 0 : (uint8_t)(p[1] - '0');
			t->mem = p[2] == 'm' || p[2] == 'a';
			t->regs = p[2] == 'r' || p[2] == 'a';
			if (!t->mem && !t->regs)
				return "/n wants m, r or a";
			p += 3;
		} else if (*p == '{') {
			char *end;
			unsigned long n = strtoul(p + 1, &end, 10);

			if (*end != '}' || !line->tokens || n < 1 || line->tokens + n - 1 > CORPUS_TOKENS)
				return "{n} wants a number and a byte before it";
			for (unsigned long i = 1; i < n; i++, line->tokens++)
				line->token[line->tokens] = line->token[line->tokens - 1];
			p = end + 1;
			continue;
		} else {
			if (hex_byte(p) < 0)
				return "not hexadecimal";
			t->byte = (uint8_t)hex_byte(p);
			p += 2;
		}
		line->tokens++;
	}
	return line->tokens ? NULL : "no bytes";
}

int corpus_parse(const char *text, struct corpus_line *line, const char **error)
{
	char mode[8], bytes[128], length[8];
	int n = 0;

	while (isspace((unsigned char)*text))
		text++;
	if (!*text || *text == '#')
		return 0;
	memset(line, 0, sizeof(*line));
	*error = "six fields are wanted: mode bytes length class rewriting reason";
	if (sscanf(text, "%7s %127s %7s %15s %23s %n", mode, bytes, length, line->klass, line->rewriting, &n) != 5 || !n || !text[n])
		return -1;
	snprintf(line->reason, sizeof(line->reason), "%s", text + n);
	line->reason[strcspn(line->reason, "\n")] = '\0';
	line->mode[PRESCAN_MODE_16] = !strcmp(mode, "16") || !strcmp(mode, "16+32");
	line->mode[PRESCAN_MODE_32] = !strcmp(mode, "32") || !strcmp(mode, "16+32");
	*error = "the mode is 16, 32 or 16+32";
	if (!line->mode[0] && !line->mode[1])
		return -1;
	line->length = (unsigned int)strtoul(length, NULL, 10);
	*error = "the length is a number, or - for what is undefined";
	if (!line->length != !strcmp(length, "-"))
		return -1;
	*error = parse_bytes(bytes, line);
	return *error ? -1 : 1;
}

/* One expansion under way. */
struct expansion {
	const struct corpus_line *line;
	enum prescan_mode mode;
	corpus_fn fn;
	void *arg;
	uint8_t bytes[CORPUS_TOKENS * 8];
	unsigned int n, extra;
	bool address32;
};

/* SDM 2A, "Addressing-Mode Encoding of ModR/M and SIB Bytes": bytes of displacement. */
static unsigned int displacement(bool address32, uint8_t modrm, uint8_t sib)
{
	unsigned int mod = modrm >> 6, rm = modrm & 7;

	if (mod == 3)
		return 0;
	if (mod == 1)
		return 1;
	if (!address32)
		return mod == 2 || rm == 6 ? 2 : 0;
	if (mod == 2 || rm == 5 || (rm == 4 && (sib & 7) == 5))
		return 4;
	return 0;
}

static bool expand_from(struct expansion *x, unsigned int at);

static bool with_byte(struct expansion *x, unsigned int at, unsigned int byte)
{
	unsigned int n = x->n;
	bool go_on;

	x->bytes[x->n++] = (uint8_t)byte;
	go_on = expand_from(x, at + 1);
	x->n = n;
	return go_on;
}

static bool with_modrm(struct expansion *x, unsigned int at, uint8_t modrm)
{
	/* No index; EBP or none as base; a scaled index. */
	static const uint8_t sibs[] = { 0x24, 0x25, 0x8d, 0xb3 };
	unsigned int n = x->n, extra = x->extra, disp;
	bool has_sib = modrm < 0xc0 && x->address32 && (modrm & 7) == 4, go_on = true;

	for (unsigned int s = 0; s < (has_sib ? sizeof(sibs) : 1) && go_on; s++) {
		x->bytes[x->n++] = modrm;
		if (has_sib)
			x->bytes[x->n++] = sibs[s];
		disp = displacement(x->address32, modrm, sibs[s]);
		for (unsigned int i = 0; i < disp; i++)
			x->bytes[x->n++] = WALK_FILLER;
		x->extra += has_sib + disp;
		go_on = expand_from(x, at + 1);
		x->n = n;
		x->extra = extra;
	}
	return go_on;
}

static bool expand_from(struct expansion *x, unsigned int at)
{
	const struct corpus_token *t = &x->line->token[at];
	struct corpus_case c = { .mode = x->mode };

	if (at == x->line->tokens) {
		memset(c.bytes, WALK_FILLER, sizeof(c.bytes));
		memcpy(c.bytes, x->bytes, x->n < sizeof(c.bytes) ? x->n : sizeof(c.bytes));
		c.length = x->line->length ? x->line->length + x->extra : 0;
		c.klass = x->line->klass;
		c.rewriting = x->line->rewriting;
		c.reason = x->line->reason;
		return x->fn(x->arg, &c);
	}
	switch (t->kind) {
	case TOKEN_BYTE:
		if (t->byte == 0x67)
			x->address32 = x->mode == PRESCAN_MODE_16;
		return with_byte(x, at, t->byte);
	case TOKEN_ANY:
		for (unsigned int i = 0; i < 256; i++)
			if (!with_byte(x, at, i))
				return false;
		return true;
	case TOKEN_OPTIONAL: {
		bool before = x->address32, go_on;

		if (!expand_from(x, at + 1))
			return false;
		if (t->byte == 0x67)
			x->address32 = x->mode == PRESCAN_MODE_16;
		x->extra++;
		go_on = with_byte(x, at, t->byte);
		x->extra--;
		x->address32 = before;
		return go_on;
	}
	case TOKEN_MODRM:
		for (unsigned int modrm = 0; modrm < 256; modrm++) {
			if (!t->any_reg && (modrm >> 3 & 7) != t->byte)
				continue;
			if (modrm >= 0xc0 ? !t->regs : !t->mem)
				continue;
			if (!with_modrm(x, at, (uint8_t)modrm))
				return false;
		}
		return true;
	}
	return false;
}

bool corpus_expand(const struct corpus_line *line, corpus_fn fn, void *arg)
{
	for (unsigned int mode = PRESCAN_MODE_16; mode <= PRESCAN_MODE_32; mode++) {
		struct expansion x = {
			.line = line, .mode = (enum prescan_mode)mode, .fn = fn, .arg = arg, .address32 = mode == PRESCAN_MODE_32,
		};

		if (line->mode[mode] && !expand_from(&x, 0))
			return false;
	}
	return true;
}

void corpus_case_of(struct corpus_case *c, const uint8_t *bytes, enum prescan_mode mode)
{
	uint32_t key = mode == PRESCAN_MODE_32 ? CORPUS_KEY_32 : CORPUS_KEY_16;
	struct prescan_insn insn;
	enum prescan_status status = prescan_decode(bytes, PRESCAN_INSN_MAX + 1, mode, &insn);
	bool ok = status == PRESCAN_OK;

	memcpy(c->bytes, bytes, sizeof(c->bytes));
	c->mode = mode;
	c->length = ok ? insn.length : 0;
	c->klass = ok ? prescan_class_name(insn.klass) : status == PRESCAN_TOO_LONG ? "too-long" : "undefined";
	c->rewriting = prescan_rewriting_name(prescan_rewriting(ok ? &insn : NULL, REWRITE_ADAPTIVE, key));
	c->reason = ok ? prescan_reason(&insn) : status == PRESCAN_TOO_LONG ? "more than 15 bytes: #GP(0)" : "#UD";
}

int corpus_print(const struct corpus_case *c, char *to, size_t size)
{
	static const char digit[] = "0123456789abcdef";
	unsigned int n = c->length ? c->length : PRESCAN_INSN_MAX;
	char bytes[2 * (PRESCAN_INSN_MAX + 1) + 1], length[12] = "-";

	for (unsigned int i = 0; i < n; i++) {
		bytes[2 * i] = digit[c->bytes[i] >> 4];
		bytes[2 * i + 1] = digit[c->bytes[i] & 15];
	}
	bytes[2 * n] = '\0';
	if (c->length)
		snprintf(length, sizeof(length), "%u", c->length);
	return snprintf(to, size, "%s %-30s %2s %-11s %-17s %s", c->mode == PRESCAN_MODE_32 ? "32" : "16", bytes, length, c->klass,
			c->rewriting, c->reason);
}
