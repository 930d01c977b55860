/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/coverage_report.h - what ran, on paper: alone, or beside the scan of the files that it came from.
 *
 *      coverage, results of the scan --> [coverage_report_make: files read again, matched] --> table, JSON lines, parts of the HTML page
 */
#ifndef USER_COVERAGE_REPORT_H
#define USER_COVERAGE_REPORT_H

#include "user/coverage_match.h"
#include "user/prescan_scan.h"

struct ran_file_place {
	const struct file_result *file;
	const struct region_result *region;
	struct ran_place place;
};

/* Of one class, the instructions that ran. */
struct ran_class {
	uint64_t insns, bytes, by[RAN_NR], callouts, interpreted, raised;
};

struct coverage_report {
	struct coverage all;
	struct coverage_index index;

	/* what ran, by itself */
	struct ran_class classes[PRESCAN_NR_CLASSES], sum, code16, cpl[4];
	uint32_t *hottest;		/* instructions with most callouts and interpretations, at most COVERAGE_HOTTEST */
	uint32_t nhottest;

	/* beside the scan */
	const struct file_result *const *results;
	size_t nresults;
	struct ran_region **regions;	/* [file][region] */
	struct ran_region sums;		/* over all regions; no map */
	uint64_t code_bytes;		/* of all regions, without what is known as data */
	struct ran_file_place *places;	/* the first of them, in order; the rest is counted */
	size_t nplaces, places_max;
	uint64_t elsewhere_insns, elsewhere_bytes;	/* ran, but in none of the files */
};

#define COVERAGE_HOTTEST 50u

/* "FILE,FILE": all of them together. 0, or -errno with a sentence in @why. */
int coverage_report_read(struct coverage_report *c, const char *list, char *why, size_t why_bytes);
/* The sums of what ran by itself. False: no memory. */
bool coverage_report_sum(struct coverage_report *c);
/*
 * Matches the files of @results, which are read again. @base: where the first byte of each file's first region stood, or NULL. At most @places_max
 * disagreements are kept. False, with a sentence in @why: a file cannot be read any more, or there is no memory.
 */
bool coverage_report_match(struct coverage_report *c, const struct file_result *const *results, size_t nresults,
			   const struct scan_options *options, const uint64_t *base, size_t places_max, char *why, size_t why_bytes);
void coverage_report_free(struct coverage_report *c);
const struct ran_region *coverage_report_region(const struct coverage_report *c, size_t file, uint32_t region);

/* What ran alone; and beside the scan, if it was matched. */
void coverage_table(const struct coverage_report *c, FILE *to);
void coverage_json(const struct coverage_report *c, bool each, FILE *to);
void coverage_html(const struct coverage_report *c, FILE *to);
const char *coverage_colour(unsigned int ran);	/* in the maps: enum ran */

/* "native+nexus" */
const char *coverage_hows(unsigned int how, char text[64]);
/* Decoded again: the mnemonic, and the class if wanted. Never NULL. */
const char *coverage_mnemonic(const struct coverage_insn *insn, unsigned int *klass);

#endif
