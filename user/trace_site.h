/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/trace_site.h - a site of include/plexus/sites.h in words. */
#ifndef USER_TRACE_SITE_H
#define USER_TRACE_SITE_H

#include "plexus/sites.h"
#include "user/trace_file.h"

#define SITE_DECISION_BYTES 96

/*
 * What the rewriting made of it, and why: "16 faults, device memory: callout since 12.3 s".
 * @start_tsc, @tsc_hz: what seconds are counted by.
 */
const char *trace_site_decision(const struct plx_site *s, uint64_t start_tsc, uint64_t tsc_hz, char text[SITE_DECISION_BYTES]);
/* For the disassembler and the tables that know sites from traces. */
struct trace_site trace_site_of(const struct plx_site *s);

#endif
