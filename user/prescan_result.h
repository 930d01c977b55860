/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_result.h - what is known of a file once it is scanned: everything that reports print, and the state file keeps.
 *
 * A result holds no time and no order: the same bytes give the same result, whoever scanned them and when.
 */
#ifndef USER_PRESCAN_RESULT_H
#define USER_PRESCAN_RESULT_H

#include "prescan/rewriting.h"
#include "user/prescan_image.h"

/* What can be said of a byte: the class of its instruction, or why it has none. Row 0, "refuse", is of encodings that later
 * processors have and CPUID does not show; what no processor knows is undefined. */
enum cover {
	COVER_REFUSED = PRESCAN_REFUSE,
	/* the other classes stand here, under their own numbers */
	COVER_UNDEFINED = PRESCAN_NR_CLASSES,
	COVER_CUT,		/* an instruction that a function's start or the section's end cuts off */
	COVER_DATA,		/* known to be no code: an object's symbol, a header */
	COVER_NR
};

enum finding_kind {
	FINDING_UNDEFINED = 0,	/* no instruction: the processor raises #UD */
	FINDING_REFUSED,	/* an encoding that Plexus does not offer: EVEX, XOP, TSX, SGX, PKU, VEX beyond AVX2. #UD in the guest */
	FINDING_UNSUPPORTED,	/* decoded, but CPUID does not offer it: AVX, VMX, SVM ... #UD in the guest */
	FINDING_TOO_LONG,	/* more than 15 bytes: #GP */
	FINDING_CUT,
	FINDING_NR
};

struct finding {
	uint64_t address;
	uint32_t region;
	uint8_t kind;		/* enum finding_kind */
	uint8_t mode;		/* 16 or 32 */
	uint8_t nbytes;
	uint8_t bytes[PRESCAN_INSN_MAX];
	uint16_t row;		/* FINDING_UNSUPPORTED: which instruction */
};

struct region_result {
	char *name;
	uint64_t address, nbytes;
	uint64_t nbytes16;	/* of them swept in 16-bit mode */
	bool guessed;		/* the mode is our guess */
	uint64_t cover_bytes[COVER_NR], cover_insns[COVER_NR];
	uint64_t leaves;	/* instructions that leave the fragment for the monitor */
	uint64_t findings[FINDING_NR];
	/*
	 * The map: cells of 2^cell_shift bytes, one after the other, each a list of letters, 'a' + enum cover, with the number of
	 * bytes of that kind behind it; no number: all of the cell. Between cells a blank.
	 */
	uint8_t cell_shift;
	char *map;
};

struct insn_count {
	uint16_t row;
	uint8_t mode;		/* 16 or 32 */
	uint8_t rewriting;	/* enum prescan_rewriting */
	uint8_t klass;		/* enum prescan_class, the row's */
	uint64_t insns, bytes;
};

struct file_result {
	char *path;
	uint64_t nbytes, mtime_ns, inode;	/* to know it again */
	bool named;		/* on the command line: then what is no known format was read as raw code */
	uint8_t verdict;	/* enum image_verdict */
	char *format, *why;	/* never NULL */
	struct region_result *regions;
	uint32_t nregions;
	struct insn_count *counts;	/* sorted by row, mode, rewriting */
	uint32_t ncounts;
	struct finding *findings;	/* in the order of regions and addresses */
	uint32_t nfindings;
	uint64_t omitted;	/* findings beyond the limit; they are counted in the regions all the same */
};

void file_result_free(struct file_result *result);	/* NULL is fine */
const char *cover_name(unsigned int cover);
const char *cover_meaning(unsigned int cover);
const char *finding_name(unsigned int kind);
const char *finding_meaning(unsigned int kind);
/* Bytes of a region that are no decoded instruction, though they stand where code should. */
uint64_t region_undecoded(const struct region_result *region);

/* The same facts as bytes, for the state file. pack: NULL without memory. unpack: NULL if they are no result. */
uint8_t *file_result_pack(const struct file_result *result, size_t *nbytes);
struct file_result *file_result_unpack(const uint8_t *bytes, size_t nbytes);

/* All results together. */
struct totals {
	uint64_t files[IMAGE_NR];	/* by verdict */
	uint64_t file_bytes, regions;
	uint64_t cover_bytes[COVER_NR], cover_insns[COVER_NR];
	uint64_t rewriting_insns[REWRITING_NR], rewriting_bytes[REWRITING_NR];
	uint64_t findings[FINDING_NR], omitted;
	struct insn_count *counts;
	uint32_t ncounts;
};

/* One line of the table of instructions: rows that people cannot tell apart are added up. */
struct insn_line {
	const char *mnemonic, *klass, *rewriting, *reason;
	uint64_t insns, bytes;
	uint8_t mode;
	uint8_t rewriting_nr;
};

bool totals_make(struct totals *totals, const struct file_result *const *results, size_t nresults);
void totals_free(struct totals *totals);
/* Sorted by instructions, most first. NULL: no memory. */
struct insn_line *insn_lines(const struct insn_count *counts, uint32_t ncounts, size_t *nlines);

/* The regions with most undecoded bytes, and those that leave most often; at most @room of them, worst first. */
struct worst {
	const struct file_result *file;
	const struct region_result *region;
	uint64_t weight;
};
size_t worst_regions(const struct file_result *const *results, size_t nresults, bool by_leaves, struct worst *worst, size_t room);

#endif
