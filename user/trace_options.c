/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/trace_options.c - see trace_options.h. Asked by: user/options.c. Tested by: tests/unit/test_trace_filter.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/trace_options.h"

int trace_options_file(struct trace_options *o, const char *text, char *why, size_t why_bytes)
{
	const char *comma = strchr(text, ',');
	size_t n = comma ? (size_t)(comma - text) : strlen(text);

	if (o->file) {
		snprintf(why, why_bytes, "--trace was given twice");
		return -EINVAL;
	}
	if (!n) {
		snprintf(why, why_bytes, "--trace: the file's name is empty");
		return -EINVAL;
	}
	if (n >= sizeof(o->path)) {
		snprintf(why, why_bytes, "--trace: the file's name is too long");
		return -EINVAL;
	}
	memcpy(o->path, text, n);
	o->path[n] = '\0';
	o->file = o->path;
	return comma ? trace_filter_parse(&o->filter, "--trace", comma + 1, why, why_bytes) : 0;
}

int trace_options_full(struct trace_options *o, const char *text, char *why, size_t why_bytes)
{
	o->drop = !strcmp(text, "drop");
	if (o->drop || !strcmp(text, "wait"))
		return 0;
	snprintf(why, why_bytes, "--trace-full: '%s' is neither wait nor drop", text);
	return -EINVAL;
}
