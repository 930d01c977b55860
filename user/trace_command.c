/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_command.c - `plexus trace`: record a run, read a recorded one, or compare the ways of rewriting.
 *
 *      plexus trace [--output FILE] [--filter LIST] RUN-OPTION...     as `plexus run --trace=FILE,LIST RUN-OPTION...`
 *      plexus trace --read FILE ...                                   trace_read.c
 *      plexus trace --compare LIST --until TEXT RUN-OPTION...         trace_compare.c
 *
 * Asked by: command.c. What is not an option of its own here is one of `plexus run`.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/command.h"
#include "user/machine.h"
#include "user/run.h"
#include "user/say.h"
#include "user/trace_compare.h"
#include "user/trace_read.h"

static const char help[] =
	"Usage: plexus trace [--output FILE] [--filter LIST] RUN-OPTION...\n"
	"       plexus trace --read FILE [--json|--summary|--folded|--chrome OUT] [OPTION]...\n"
	"       plexus trace --compare LIST --until TEXT RUN-OPTION...\n"
	"Records every virtualized instruction of a machine, and shows what was recorded.\n"
	"\n"
	"Recording (the other options are those of `plexus run`):\n"
	"  --output FILE            where to (default: plexus.trace)\n"
	"  --filter LIST            what, such as class=port,cpl=0; see below\n"
	"\n"
	"Reading:\n"
	"  --read FILE              as text, one line a record, unless one of these says otherwise:\n"
	"  --json                   a line of JSON a record; with --summary: the summary as JSON\n"
	"  --summary                by instruction and by site\n"
	"  --folded[=cost|count]    stacks for flame graphs\n"
	"  --chrome OUT             trace events for Perfetto, into file OUT\n"
	"  --output FILE            the others into a file\n"
	"  --filter LIST            only these records\n"
	"  --symbols FILE           names of the guest's functions: System.map, or vmlinux\n"
	"  --top N                  so many sites in a summary (default: 20)\n"
	"  --limit N                so many records; 0: all (default: 1000000 with --chrome, else all)\n"
	"\n"
	"Comparing:\n"
	"  --compare LIST           of int3, farcall, adaptive and, with --host module, gate: run the machine\n"
	"                           once with each\n"
	"  --until TEXT             a run ends when this stands on the serial port (or the guest powers off)\n"
	"\n"
	"Filters: class=C insn=NAME how=H port=P[-Q] addr=A[-B] cpl=N space=CR3 event=E, and\n"
	"start=T stop=T with T one of addr:A port:P exception[:VECTOR] interrupt[:VECTOR].\n"
	"All of it is explained in plexus-trace(1).\n";

/* Some 250 bytes each: what Perfetto opens in a browser without choking on it. */
#define CHROME_LIMIT 1000000

struct words {
	const char *read, *output, *filter, *symbols, *chrome, *compare, *until, *folded;
	bool json, summary, help;
	unsigned long top;
	unsigned long long limit;
	char **run;			/* what is left: "run", then options of `plexus run`; NULL at the end */
	int nrun;
};

struct word {
	const char *name;
	const char **to;		/* takes an argument */
	bool *flag;			/* takes none */
};

/* 1: argv[*i] was ours (and *i moved on if its argument followed it); 0: it is not; -EINVAL, and it has been said why. */
static int own_word(char **argv, int argc, int *i, const struct word *words, size_t n)
{
	const char *text = argv[*i];

	for (size_t k = 0; k < n; k++) {
		size_t length = strlen(words[k].name);

		if (strncmp(text, words[k].name, length) || (text[length] && text[length] != '='))
			continue;
		if (words[k].flag) {
			if (text[length]) {
				say("%s: this option takes no argument", words[k].name);
				return -EINVAL;
			}
			*words[k].flag = true;
			return 1;
		}
		if (*words[k].to) {
			say("%s was given twice", words[k].name);
			return -EINVAL;
		}
		if (text[length]) {
			*words[k].to = text + length + 1;
		} else if (*i + 1 < argc) {
			*words[k].to = argv[++*i];
		} else {
			say("%s needs an argument", words[k].name);
			return -EINVAL;
		}
		if (!**words[k].to) {
			say("%s: its argument is empty", words[k].name);
			return -EINVAL;
		}
		return 1;
	}
	return 0;
}

static int split_words(int argc, char **argv, struct words *w)
{
	const char *top = NULL, *limit = NULL;
	char *end;
	const struct word own[] = {
		{ "--read", &w->read, NULL }, { "--output", &w->output, NULL }, { "-o", &w->output, NULL },
		{ "--filter", &w->filter, NULL }, { "--symbols", &w->symbols, NULL }, { "--chrome", &w->chrome, NULL },
		{ "--compare", &w->compare, NULL }, { "--until", &w->until, NULL }, { "--top", &top, NULL }, { "--limit", &limit, NULL },
		{ "--json", NULL, &w->json }, { "--summary", NULL, &w->summary },
		{ "--help", NULL, &w->help }, { "-h", NULL, &w->help },
	};

	w->run = calloc((size_t)argc + 3, sizeof(*w->run));
	if (!w->run) {
		say("out of memory");
		return -ENOMEM;
	}
	w->run[w->nrun++] = argv[0];
	for (int i = 1; i < argc; i++) {
		int own_one;

		if (!strcmp(argv[i], "--folded") || !strncmp(argv[i], "--folded=", 9)) {
			w->folded = argv[i][8] ? argv[i] + 9 : "cost";
			continue;
		}
		own_one = own_word(argv, argc, &i, own, PLX_ARRAY_SIZE(own));
		if (own_one < 0)
			return own_one;
		if (!own_one)
			w->run[w->nrun++] = argv[i];
	}
	w->top = 20;
	if (top) {
		w->top = strtoul(top, &end, 10);
		if (end == top || *end || !w->top || w->top > 1000000) {
			say("--top: '%s' is no number from 1 to 1000000", top);
			return -EINVAL;
		}
	}
	w->limit = w->chrome ? CHROME_LIMIT : 0;
	if (limit) {
		w->limit = strtoull(limit, &end, 10);
		if (*limit < '0' || *limit > '9' || *end) {
			say("--limit: '%s' is no number of records", limit);
			return -EINVAL;
		}
	}
	if (limit && (w->summary || w->folded || !w->read)) {
		say("--limit goes with --read as text, --json or --chrome");
		return -EINVAL;
	}
	return 0;
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

static int choose_form(const struct words *w, struct trace_read_options *o)
{
	int forms = (w->json && !w->summary) + w->summary + !!w->folded + !!w->chrome;

	if (forms > 1) {
		say("--json, --summary, --folded and --chrome are different forms; give one of them");
		return -EINVAL;
	}
	if (w->folded && strcmp(w->folded, "cost") && strcmp(w->folded, "count")) {
		say("--folded: '%s' is neither cost nor count", w->folded);
		return -EINVAL;
	}
	if (w->chrome && w->output) {
		say("--chrome names its own file; leave out --output");
		return -EINVAL;
	}
	o->form = w->chrome ? TRACE_CHROME : w->folded ? (strcmp(w->folded, "count") ? TRACE_FOLDED : TRACE_FOLDED_COUNT) :
		  w->summary ? (w->json ? TRACE_SUMMARY_JSON : TRACE_SUMMARY) : w->json ? TRACE_JSON : TRACE_TEXT;
	return 0;
}

static int read_command(const struct words *w)
{
	static struct trace_read_options o;
	char why[WHY_BYTES];

	if (w->nrun > 1) {
		say("%s does not go with --read", w->run[1]);
		return STATUS_USAGE;
	}
	if (w->compare || w->until) {
		say("%s does not go with --read", w->compare ? "--compare" : "--until");
		return STATUS_USAGE;
	}
	o = (struct trace_read_options){
		.file = w->read, .output = w->chrome ? w->chrome : w->output, .symbols = w->symbols, .top = (unsigned int)w->top,
		.limit = w->limit,
	};
	trace_filter_init(&o.filter);
	o.filter.event_mask = ~0u;		/* what was recorded is shown */
	if (choose_form(w, &o))
		return STATUS_USAGE;
	if (w->filter && trace_filter_parse(&o.filter, "--filter", w->filter, why, sizeof(why))) {
		say("%s", why);
		return STATUS_USAGE;
	}
	return trace_read(&o);
}

/* ---- recording -------------------------------------------------------------------------------------------- */

static int record_command(const struct words *w, int argc, char **argv)
{
	const char *wrong = w->json ? "--json" : w->summary ? "--summary" : w->folded ? "--folded" : w->chrome ? "--chrome" :
			    w->symbols ? "--symbols" : w->until ? "--until" : NULL;
	char trace[4096 + 1100];

	if (wrong) {
		say("%s needs %s beside it", wrong, w->until && wrong == w->until ? "--compare LIST" : "--read FILE");
		return STATUS_USAGE;
	}
	if (w->filter)
		snprintf(trace, sizeof(trace), "--trace=%s,%s", w->output ? w->output : "plexus.trace", w->filter);
	else
		snprintf(trace, sizeof(trace), "--trace=%s", w->output ? w->output : "plexus.trace");
	for (int i = 1; i < w->nrun; i++)
		if (!strncmp(w->run[i], "--trace=", 8)) {
			if (w->output || w->filter) {
				say("--trace names file and filter already; leave out --output and --filter");
				return STATUS_USAGE;
			}
			return run_command(w->nrun, w->run, argc, argv);
		}
	/* In front, so that an argument missing at the end is still seen to be missing. */
	memmove(w->run + 2, w->run + 1, ((size_t)w->nrun - 1) * sizeof(*w->run));
	w->run[1] = trace;
	return run_command(w->nrun + 1, w->run, argc, argv);
}

int command_trace(int argc, char **argv)
{
	struct words w = { .read = NULL };
	int status;

	if (split_words(argc, argv, &w)) {
		status = STATUS_USAGE;
	} else if (w.help) {
		fputs(help, stdout);
		status = fflush(stdout) ? STATUS_FAILED : STATUS_OK;
	} else if (w.read) {
		status = read_command(&w);
	} else if (w.compare) {
		status = trace_compare(w.compare, w.until, w.nrun, w.run);
	} else {
		status = record_command(&w, argc, argv);
	}
	free(w.run);
	return status;
}
