/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/coverage_file.h - what ran, in a file; and several such files together.
 *
 *      plexus run --coverage=FILE --> file --\
 *      plexus run --coverage=FILE --> file ---+--> coverage_add() --> plexus prescan --coverage=FILE,FILE
 *
 * File, all numbers little-endian; "varint" is seven bits a byte, the lowest first, bit 7 set in all but the last:
 *
 *      8 bytes   PLXCOVER
 *      4 bytes   format version, 1
 *      16 bytes  the run's own number, drawn at random: a run that is given twice counts once
 *      varint    enum plx_rewrite of the run
 *      varint    instructions that were met when the table was full
 *      varint    instructions that were translated and never reached (they are not in the file)
 *      varint    n; n bytes: Plexus' version       varint    n; n bytes: the command line
 *      varint    number of entries, and then each, in ascending order (see coverage_order):
 *          byte      bits 3..0: PLX_COVER_* that it was done by; bit 4: 32-bit code; bit 5: the linear address follows; bit 6: the distance to
 *                    the physical address follows; bit 7: counts follow
 *          byte      bits 3..0: length, 1..15; bits 7..4: privilege levels it ran at
 *          [varint]  linear address less the one before (at first: less 0); if left out, it stands right behind the one before
 *          [varint]  physical less linear address, modulo 2^32; if left out, the same as of the one before (at first: 0)
 *          bytes     the instruction's
 *          [3 varints]  callouts, times interpreted, exceptions raised
 *      8 bytes   FNV-1a, 64 bits, of all that stands before
 */
#ifndef USER_COVERAGE_FILE_H
#define USER_COVERAGE_FILE_H

#include <stdio.h>

#include "plexus/coverage.h"

#define COVERAGE_VERSION	1u
#define COVERAGE_ID_BYTES	16

struct coverage_run {
	uint8_t id[COVERAGE_ID_BYTES];
	uint64_t rewrite;		/* enum plx_rewrite */
	uint64_t lost, unreached;
	const char *version, *command;	/* never NULL */
};

/* One instruction at one place, in one form: of one run, or summed up over runs. */
struct coverage_insn {
	uint32_t linear, gpa;
	uint8_t bytes[15], length;	/* beyond @length bytes are 0 */
	uint8_t code32, how, cpls, pad;
	uint64_t callouts, interpreted, raised;
};

struct coverage {
	struct coverage_run *runs;	/* sorted by number */
	size_t nruns;
	struct coverage_insn *insns;	/* sorted by coverage_order(); each once */
	size_t ninsns;
};

/* By linear address, physical address, mode, length, bytes. 0: the same instruction. */
int coverage_order(const struct coverage_insn *a, const struct coverage_insn *b);

/* False: the stream did not take it all. @insns are sorted. */
bool coverage_write(const struct coverage_run *run, const struct coverage_insn *insns, size_t ninsns, FILE *to);
/* 0; -EINVAL: these bytes are no such file, with the rest of a sentence in @why; -ENOMEM. @coverage is written on 0 only. */
int coverage_parse(struct coverage *coverage, const uint8_t *bytes, size_t nbytes, char *why, size_t why_bytes);
/* The same for a file: @why is a whole sentence, the path in it. */
int coverage_read(struct coverage *coverage, const char *path, char *why, size_t why_bytes);
/*
 * Adds the runs of @other that @to has not; neither the order of such calls nor a second call with the same makes a difference.
 * Empties @other. False: out of memory, and both are as they were.
 */
bool coverage_add(struct coverage *to, struct coverage *other);
void coverage_free(struct coverage *coverage);

#endif
