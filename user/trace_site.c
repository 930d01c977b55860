/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/trace_site.c - see trace_site.h. Asked by: trace_profile.c, trace_tally.c. Tested by: tests/unit/test_trace_profile.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plexus/trace.h"
#include "prescan/prescan.h"
#include "user/trace_site.h"

static const char *cause_name(const struct plx_site *s)
{
	static const char *const names[] = { "the monitor's needs", "device memory", "store beside code", "watched page tables", "segment limit",
					       "the guest's own" };

	return names[s->cause < PLX_ARRAY_SIZE(names) ? s->cause : 0];
}

/* For sites that the rewriting has not touched. */
static void as_made(const struct plx_site *s, char text[SITE_DECISION_BYTES])
{
	if (s->faults)
		snprintf(text, SITE_DECISION_BYTES, "as it stands: %" PRIu32 " faults, %s", s->faults, cause_name(s));
	else if (s->sequence == PLX_SITE_INLINE_EXIT)
		snprintf(text, SITE_DECISION_BYTES, "inline: what the sequence cannot do");
	else if (s->sequence == PLX_SITE_WOULD_INLINE)
		snprintf(text, SITE_DECISION_BYTES, "inline: called out for the trace");
	else if (s->how == PLX_TRACE_INTERPRETER)
		snprintf(text, SITE_DECISION_BYTES, "single steps");
	else if (s->how == PLX_TRACE_SIGNAL)
		snprintf(text, SITE_DECISION_BYTES, "always a breakpoint");
	else
		snprintf(text, SITE_DECISION_BYTES, "always called out");
}

const char *trace_site_decision(const struct plx_site *s, uint64_t start_tsc, uint64_t tsc_hz, char text[SITE_DECISION_BYTES])
{
	double since = tsc_hz && s->since > start_tsc ? (double)(s->since - start_tsc) / (double)tsc_hz : 0;
	const char *ordinal = s->made == 2 ? "2nd" : "3rd";
	char times[48] = "";

	switch (s->state) {
	case PLX_SITE_CALLOUT:
		if (s->made == 2 || s->made == 3)
			snprintf(times, sizeof(times), " (%s time)", ordinal);
		else if (s->made > 3)
			snprintf(times, sizeof(times), " (%uth time)", s->made);
		snprintf(text, SITE_DECISION_BYTES, "%" PRIu32 " faults, %s: callout since %.1f s%s", s->faults, cause_name(s), since, times);
		break;
	case PLX_SITE_AS_IT_STANDS:
		if (s->made > 1)
			snprintf(times, sizeof(times), " (called out %u times)", s->made);
		snprintf(text, SITE_DECISION_BYTES, "no faults any more: as it stands since %.1f s%s", since, times);
		break;
	default:
		as_made(s, text);
	}
	return text;
}

struct trace_site trace_site_of(const struct plx_site *s)
{
	struct trace_site site = {
		.eip = s->linear, .row = s->row, .how = s->how, .klass = s->klass, .mode = s->mode, .cpl = s->cpl, .length = s->length,
	};

	memcpy(site.bytes, s->bytes, sizeof(site.bytes));
	return site;
}
