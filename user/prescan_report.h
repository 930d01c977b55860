/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/prescan_report.h - results on paper: a table for people, JSON lines for programs, one HTML page for both. */
#ifndef USER_PRESCAN_REPORT_H
#define USER_PRESCAN_REPORT_H

#include "user/prescan_scan.h"

struct coverage_report;

struct report {
	const struct file_result *const *results;	/* sorted by path */
	size_t nresults;
	const struct scan_options *options;
	struct totals totals;
	struct insn_line *lines;
	size_t nlines;
	uint64_t links;		/* symbolic links that were not followed */
	const struct coverage_report *coverage;	/* what ran of it; NULL: nobody asked */
};

bool report_make(struct report *report);	/* from the fields above totals. False: no memory */
void report_free(struct report *report);

void report_table(const struct report *report, FILE *to);
void report_json(const struct report *report, FILE *to);
void report_html(const struct report *report, FILE *to);

/*
 * Every instruction of every file: one line each, as text or as JSON. The files are read again; one that cannot be, any more,
 * ends it: false, with a sentence in @why.
 */
bool report_listing(const struct report *report, bool json, FILE *to, char *why, size_t why_bytes);

/* Words that all of them use. */
const char *report_mode_name(const struct region_result *region);	/* "16", "32", "16/32" */
const char *report_verdict_name(unsigned int verdict);
const char *report_strategy_name(enum prescan_rewrite strategy);
/* "1,234,567" */
const char *report_commas(uint64_t value, char text[32]);
/* A JSON string, quotes included; bytes that are no UTF-8 become U+FFFD. */
void report_json_text(const char *text, FILE *to);
/* Text inside an HTML element or attribute. */
void report_html_text(const char *text, FILE *to);
/* The length of the UTF-8 character at @text, or 0. */
unsigned int report_utf8(const char *text);
void report_hex(const uint8_t *bytes, size_t nbytes, const char *between, FILE *to);

#endif
