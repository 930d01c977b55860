/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/coverage_match.h - where in a region of a file did what ran stand? And what does the scan of the file say of these bytes?
 *
 *      coverage (what ran) --index--\
 *      region of a file ------------+--> [match] --> what of it ran, how, as a map; where scan and run disagree
 *
 * A region is looked for where the file says that it stands; and wherever distinctive instructions of it ran, which finds kernels before they
 * turned paging on, libraries wherever they were mapped, and ROMs. A page of memory counts as the region's if at least half of what ran
 * there has the region's bytes. Or the caller knows the place. Where a loader moved the region, addresses in it may have moved along.
 */
#ifndef USER_COVERAGE_MATCH_H
#define USER_COVERAGE_MATCH_H

#include "user/coverage_file.h"
#include "user/prescan_result.h"
#include "user/prescan_sweep.h"

/* How a stretch ran, for maps: the dearest way counts. */
enum ran {
	RAN_NATIVE = 0,
	RAN_INLINED,
	RAN_NEXUS,
	RAN_INTERPRETED,
	RAN_OTHER_BYTES,	/* something ran here, but not what the file has */
	RAN_NR
};

enum disagreement {
	DISAGREE_BYTES = 0,	/* other bytes ran: patched */
	DISAGREE_NOT_CODE,	/* the scan found data, or nothing that decodes */
	DISAGREE_INSIDE,	/* it began inside an instruction of the scan */
	DISAGREE_MODE,		/* the same first byte, but decoded as code of the other mode */
	DISAGREE_NR
};

/* A place where scan and run disagree. */
struct ran_place {
	uint64_t address;	/* as the file says */
	uint32_t insn;		/* what ran: index into the coverage */
	uint8_t kind;		/* enum disagreement */
	uint8_t cover, mode;	/* what the scan has there: enum cover, 16 or 32 */
	uint8_t nbytes, bytes[15];	/* the file's, from @address on */
};

struct ran_region {
	uint64_t class_bytes[COVER_NR], class_insns[COVER_NR];	/* of the scan's instructions that ran, in whatever form */
	uint64_t ran_bytes[RAN_NR], ran_insns[RAN_NR];		/* each under its dearest way */
	uint64_t how_insns[PLX_COVER_HOWS];			/* each under every way it ran */
	uint64_t foreseen[REWRITING_NR][RAN_NR];		/* instructions, by the rewriting that the scan foresaw */
	uint64_t relocated;		/* instructions that ran with an address moved as far as the region was */
	uint64_t disagree[DISAGREE_NR];
	uint64_t biases[4];	/* the first places it stood: linear less the file's address, modulo 2^32 */
	uint32_t nbiases;
	char *map;		/* cells as in struct region_result, with 'a' + enum ran; what did not run has no letter */
};

struct coverage_index {
	const struct coverage *all;
	uint32_t *head, *next;	/* instructions of five bytes and more, by their first five; numbers + 1 */
	uint32_t mask;
	uint8_t *known;		/* by instruction: 1 if it stood in a region that was matched */
};

/* False: no memory. */
bool coverage_index_make(struct coverage_index *index, const struct coverage *all);
void coverage_index_free(struct coverage_index *index);

/*
 * @base: the linear address of the region's first byte, or NULL to search. @cell_shift: of the map. @take gets each disagreement, in the order
 * of addresses. False: no memory. @to is to be given to ran_region_free() in any case.
 */
bool coverage_match(struct coverage_index *index, const struct code_region *region, const struct sweep_mode *mode, const uint64_t *base,
		    unsigned int cell_shift, struct ran_region *to, void (*take)(void *owner, const struct ran_place *place), void *owner);
void ran_region_free(struct ran_region *region);

const char *ran_name(unsigned int ran);
const char *ran_meaning(unsigned int ran);
const char *disagreement_name(unsigned int kind);
const char *disagreement_meaning(unsigned int kind);
/* The dearest of PLX_COVER_* bits. */
enum ran ran_of(unsigned int how);

#endif
