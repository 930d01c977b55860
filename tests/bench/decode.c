/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/bench/decode.c - instructions a second: prescan beside Capstone and Zydis, on the same code, on one core.
 *
 *   decode [FILE...]     i386 ELF files (their executable sections); at most 16 MB of them are used
 *
 * Only places where all three find an instruction are decoded, each by its own length, so all do the same work: length and class
 * for prescan; for Zydis its quickest (minimal) mode and its full one, which has operands; for Capstone without and with detail.
 * A round goes over all code; the best of several rounds counts, for what disturbs only makes slower. Prints
 * "bench decode NAME VALUE per instruction" lines, in nanoseconds, for tests/bench/run, and a table on standard error.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef HAVE_ZYDIS
#include <Zydis/Zydis.h>
#endif

#include "prescan/prescan.h"
#include "tests/oracle/code_file.h"

#define CODE_MAX (16u << 20)
#define ROUNDS 5		/* at least, and at least so long: some round finds the processor free */
#define LONG_NS 1e9
#define PAD 16

struct code {
	uint8_t *bytes;
	uint32_t nbytes;
	uint32_t *at;		/* where instructions begin */
	uint32_t n;
	const struct code_file *file;
};

static void add(void *arg, size_t offset, size_t nbytes)
{
	struct code *c = arg;

	if (nbytes > CODE_MAX - c->nbytes)
		nbytes = CODE_MAX - c->nbytes;
	memcpy(c->bytes + c->nbytes, c->file->bytes + offset, nbytes);
	c->nbytes += (uint32_t)nbytes;
}

struct decoders {
	csh plain, detail;
	cs_insn *insn, *insn_detail;
#ifdef HAVE_ZYDIS
	ZydisDecoder minimal, full;
#endif
};

static bool by_prescan(struct decoders *d, const uint8_t *p, unsigned int *length)
{
	struct prescan_insn insn;

	(void)d;
	if (prescan_decode(p, PRESCAN_INSN_MAX, PRESCAN_MODE_32, &insn) != PRESCAN_OK)
		return false;
	*length = insn.length;
	__asm__ volatile("" : : "r"(insn.klass));
	return true;
}

static bool capstone(csh handle, cs_insn *insn, const uint8_t *p, unsigned int *length)
{
	size_t left = PRESCAN_INSN_MAX;
	uint64_t address = 0;

	if (!cs_disasm_iter(handle, &p, &left, &address, insn))
		return false;
	*length = insn->size;
	return true;
}

static bool by_capstone(struct decoders *d, const uint8_t *p, unsigned int *length)
{
	return capstone(d->plain, d->insn, p, length);
}

static bool by_capstone_detail(struct decoders *d, const uint8_t *p, unsigned int *length)
{
	return capstone(d->detail, d->insn_detail, p, length);
}

#ifdef HAVE_ZYDIS
static bool by_zydis_minimal(struct decoders *d, const uint8_t *p, unsigned int *length)
{
	ZydisDecodedInstruction insn;

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&d->minimal, NULL, p, PRESCAN_INSN_MAX, &insn)))
		return false;
	*length = insn.length;
	return true;
}

static bool by_zydis(struct decoders *d, const uint8_t *p, unsigned int *length)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&d->full, p, PRESCAN_INSN_MAX, &insn, op)))
		return false;
	*length = insn.length;
	return true;
}
#endif

struct contender {
	const char *name;
	bool (*decode)(struct decoders *d, const uint8_t *p, unsigned int *length);
};

static const struct contender contenders[] = {
	{ "prescan", by_prescan },
#ifdef HAVE_ZYDIS
	{ "zydis_minimal", by_zydis_minimal },
	{ "zydis_full", by_zydis },
#endif
	{ "capstone", by_capstone },
	{ "capstone_detail", by_capstone_detail },
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Where all of them find an instruction of the same length. */
static void choose(struct code *c, struct decoders *d)
{
	for (uint32_t at = 0; at < c->nbytes;) {
		unsigned int first = 0, length = 0;
		bool all = true;

		for (size_t i = 0; i < PLX_ARRAY_SIZE(contenders) && all; i++) {
			all = contenders[i].decode(d, c->bytes + at, &length) && (!i || length == first);
			first = length;
		}
		if (!all) {
			at++;
			continue;
		}
		c->at[c->n++] = at;
		at += length;
	}
}

static void measure(const struct code *c, struct decoders *d, const struct contender *who)
{
	double best = 0, begun = now_ns();

	for (unsigned int round = 0; round < ROUNDS || now_ns() - begun < LONG_NS; round++) {
		double start = now_ns(), took;
		unsigned long sum = 0;
		unsigned int length = 0;

		for (uint32_t i = 0; i < c->n; i++) {
			who->decode(d, c->bytes + c->at[i], &length);
			sum += length;
		}
		took = now_ns() - start;
		__asm__ volatile("" : : "r"(sum));
		if (!round || took < best)
			best = took;
	}
	printf("bench decode %s %.3f per instruction\n", who->name, best / c->n);
	fprintf(stderr, "%-16s %8.2f million instructions a second, %7.1f ns each\n", who->name, 1e3 * c->n / best, best / c->n);
}

static bool open_decoders(struct decoders *d)
{
	if (cs_open(CS_ARCH_X86, CS_MODE_32, &d->plain) != CS_ERR_OK || cs_open(CS_ARCH_X86, CS_MODE_32, &d->detail) != CS_ERR_OK)
		return false;
	cs_option(d->detail, CS_OPT_DETAIL, CS_OPT_ON);
	d->insn = cs_malloc(d->plain);
	d->insn_detail = cs_malloc(d->detail);
#ifdef HAVE_ZYDIS
	if (!ZYAN_SUCCESS(ZydisDecoderInit(&d->full, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32)) ||
	    !ZYAN_SUCCESS(ZydisDecoderInit(&d->minimal, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32)))
		return false;
	ZydisDecoderEnableMode(&d->minimal, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
#endif
	return true;
}

int main(int argc, char **argv)
{
	struct code c = { .bytes = calloc(1, CODE_MAX + PAD), .at = malloc(CODE_MAX * sizeof(uint32_t)) };
	struct decoders d = { .plain = 0 };
	struct code_file f;

	if (!c.bytes || !c.at || !open_decoders(&d)) {
		fprintf(stderr, "decode: no memory, or a library does not start\n");
		return 2;
	}
	for (int i = 1; i < argc && c.nbytes < CODE_MAX; i++) {
		if (!code_file_open(&f, argv[i])) {
			perror(argv[i]);
			return 2;
		}
		c.file = &f;
		code_file_each(&f, add, &c);
		code_file_close(&f);
	}
	choose(&c, &d);
	if (!c.n) {
		fprintf(stderr, "usage: decode FILE...: i386 ELF files with code\n");
		return 2;
	}
	fprintf(stderr, "%.1f MB of code, %u instructions\n", c.nbytes / 1e6, c.n);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(contenders); i++)
		measure(&c, &d, &contenders[i]);
	return 0;
}
