/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_command.c - `plexus prescan PATH...`: how much of this code would run as it stands, and what of the rest?
 *
 *      paths --> [walk] --> files --> [pool: image, sweep, count] --> results --> table, JSON, HTML
 *
 * Asked by:  user/command.c. Read next: user/prescan_pool.c, user/prescan_sweep.c, user/prescan_image.h.
 * Tested by: tests/unit/test_prescan_command.c.
 */
#define _GNU_SOURCE			/* sched_getaffinity, for CPU_COUNT */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/command.h"
#include "user/coverage_report.h"
#include "user/host_files.h"
#include "user/prescan_pool.h"
#include "user/prescan_report.h"
#include "user/say.h"

#define FINDINGS_DEFAULT	1000u
#define JOBS_MAX		256u

static const char help[] =
	"Usage: plexus prescan [OPTION]... PATH...\n"
	"       plexus prescan [OPTION]... --coverage=FILE[,FILE]... [PATH]...\n"
	"Reads programs, kernels, ROMs, boot sectors and disk images, or whole directories of them, and says for every byte of code\n"
	"whether it is decoded, its class, and the rewriting it would get. Nothing is run.\n"
	"\n"
	"What is read\n"
	"  --mode 16|32|auto        the mode of the code (default auto: what the file says, or else a guess by branches)\n"
	"  --raw[=ADDRESS]          each PATH is nothing but code, its first byte at ADDRESS (default 0)\n"
	"How it is judged\n"
	"  --rewrite STRATEGY       adaptive (default), farcall, int3 or gate, as in plexus run\n"
	"  --cpl 0|3                as kernel code (default) or as user code\n"
	"What ran of it\n"
	"  --coverage=FILE[,FILE]   beside the scan, what ran in these runs (plexus run --coverage=FILE); with no PATH, that alone\n"
	"  --base ADDRESS           where each PATH's first byte of code stood in the machine (default: it is searched)\n"
	"What is written\n"
	"  --json[=FILE]            JSON lines on standard output instead of the table; or into FILE as well\n"
	"  --html FILE              one page with a coverage map\n"
	"  --each                   every instruction, a line each, before the rest\n"
	"  --findings N             keep at most N undefined places a file (default 1000; all are counted)\n"
	"How it is done\n"
	"  --state FILE             keep results in FILE; a scan that was stopped goes on there\n"
	"  --jobs N                 threads (default: one a processor)\n"
	"  --help                   this text\n"
	"\n"
	"Exit status: 0 all was read, 1 something could not be, 2 the command line was wrong, 128+N stopped by signal N.\n";

struct request {
	struct scan_options scan;
	const char *json_path, *html_path, *state_path;
	const char *coverage_list;	/* NULL: none */
	uint64_t base;
	bool json, each, base_given;
	unsigned int jobs;
};

enum { OPT_MODE = 256, OPT_RAW, OPT_REWRITE, OPT_CPL, OPT_JSON, OPT_HTML, OPT_EACH, OPT_FINDINGS, OPT_STATE, OPT_JOBS, OPT_COVERAGE, OPT_BASE };

static const struct option options[] = {
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "raw", optional_argument, NULL, OPT_RAW },
	{ "rewrite", required_argument, NULL, OPT_REWRITE },
	{ "cpl", required_argument, NULL, OPT_CPL },
	{ "json", optional_argument, NULL, OPT_JSON },
	{ "html", required_argument, NULL, OPT_HTML },
	{ "each", no_argument, NULL, OPT_EACH },
	{ "findings", required_argument, NULL, OPT_FINDINGS },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "coverage", required_argument, NULL, OPT_COVERAGE },
	{ "base", required_argument, NULL, OPT_BASE },
	{ "help", no_argument, NULL, 'h' },
	{ 0 }
};

/* Which of the words is it? -1, with a sentence, if none. */
static int word(const char *option, const char *arg, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(arg, words[i]))
			return i;
	say("--%s %s: must be %s%s%s%s%s; `plexus prescan --help` lists the options", option, arg, words[0], n > 2 ? ", " : " or ", words[1],
	    n > 2 ? " or " : "", n > 2 ? words[2] : "");
	return -1;
}

static bool number(const char *option, const char *arg, uint64_t least, uint64_t most, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(arg, &end, 0);
	if (!errno && end != arg && !*end && arg[0] != '-' && *value >= least && *value <= most)
		return true;
	say("--%s %s: must be a number from %llu to %llu", option, arg, (unsigned long long)least, (unsigned long long)most);
	return false;
}

static bool not_empty(const char *option, const char *arg)
{
	if (*arg)
		return true;
	say("--%s: a file name is missing", option);
	return false;
}

/* One option. False: wrong, and said. */
static bool take_option(struct request *r, int option, const char *arg)
{
	static const char *const modes[] = { "16", "32", "auto" };
	static const char *const strategies[] = { "adaptive", "farcall", "int3", "gate" };
	static const char *const levels[] = { "0", "3" };
	uint64_t value;
	int i;

	switch (option) {
	case OPT_MODE:
		i = word("mode", arg, modes, 3);
		r->scan.image.mode = i == 0 ? CODE_16 : i == 1 ? CODE_32 : CODE_GUESS;
		return i >= 0;
	case OPT_RAW:
		r->scan.image.raw = true;
		return !arg || number("raw", arg, 0, UINT32_MAX, &r->scan.image.raw_address);
	case OPT_REWRITE:
		i = word("rewrite", arg, strategies, REWRITE_GATE + 1);
		if (i >= 0)
			r->scan.sweep.strategy = (enum prescan_rewrite)i;
		return i >= 0;
	case OPT_CPL:
		i = word("cpl", arg, levels, 2);
		r->scan.sweep.user = i == 1;
		return i >= 0;
	case OPT_JSON:
		r->json = true;
		r->json_path = arg;
		return !arg || not_empty("json", arg);
	case OPT_HTML:
		r->html_path = arg;
		return not_empty("html", arg);
	case OPT_EACH:
		r->each = true;
		return true;
	case OPT_FINDINGS:
		if (!number("findings", arg, 0, 100000000, &value))
			return false;
		r->scan.findings_max = (uint32_t)value;
		return true;
	case OPT_STATE:
		r->state_path = arg;
		return not_empty("state", arg);
	case OPT_JOBS:
		if (!number("jobs", arg, 1, JOBS_MAX, &value))
			return false;
		r->jobs = (unsigned int)value;
		return true;
	case OPT_COVERAGE:
		if (r->coverage_list) {
			say("--coverage: was given twice; several files stand behind one, with commas between them");
			return false;
		}
		r->coverage_list = arg;
		return not_empty("coverage", arg);
	case OPT_BASE:
		r->base_given = true;
		return number("base", arg, 0, UINT32_MAX, &r->base);
	}
	return false;
}

static unsigned int processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : n > (int)JOBS_MAX ? JOBS_MAX : (unsigned int)n;
}

/* ---- output ---- */

static int whole_output(void)
{
	if (fflush(stdout) || ferror(stdout)) {
		say("standard output cannot be written: %s", strerror(errno));
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

static int write_file(const struct report *report, const char *path, void (*print)(const struct report *report, FILE *to))
{
	struct host_new_file file;
	char why[5000];

	if (host_file_create(&file, path, why, sizeof(why))) {
		say("%s", why);
		return STATUS_FAILED;
	}
	print(report, file.stream);
	if (host_file_commit(&file, why, sizeof(why))) {
		say("%s", why);
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

/* Files that were named and failed, or are of foreign code, and all that failed: one sentence each. */
static bool tell_troubles(const struct report *report)
{
	bool any = false;

	for (size_t i = 0; i < report->nresults; i++) {
		const struct file_result *f = report->results[i];

		if (f->verdict == IMAGE_BAD || (f->named && f->verdict != IMAGE_CODE)) {
			say("%s: %s", f->path, f->why);
			any = true;
		}
	}
	return any;
}

/* The scan, if there is one, and what ran. */
static void whole_table(const struct report *report, FILE *to)
{
	if (report->nresults)
		report_table(report, to);
	if (report->nresults && report->coverage)
		fputc('\n', to);
	if (report->coverage)
		coverage_table(report->coverage, to);
}

static void whole_json(const struct report *report, FILE *to)
{
	if (report->nresults)
		report_json(report, to);
	if (report->coverage)
		coverage_json(report->coverage, !report->nresults, to);
}

static int write_reports(const struct request *r, const struct report *report)
{
	bool json = r->json && !r->json_path;
	int status = STATUS_OK, s;
	char why[5000];

	/* Files first: what fails for want of space should not look done on the terminal. */
	if (r->html_path)
		status = write_file(report, r->html_path, report_html);
	if (r->json_path) {
		s = write_file(report, r->json_path, whole_json);
		status = status ? status : s;
	}
	if (r->each && !report_listing(report, json, stdout, why, sizeof(why))) {
		say("%s", why);
		status = STATUS_FAILED;
	}
	(json ? whole_json : whole_table)(report, stdout);
	s = whole_output();
	return status ? status : s;
}

/* ---- the command ---- */

/* What ran alone, no file being named. */
static int tell_coverage(const struct request *r, struct coverage_report *coverage)
{
	struct report report = { .options = &r->scan, .coverage = coverage };
	int status;

	if (r->each) {
		say("--each: lists the instructions of a PATH, and none was named");
		return STATUS_USAGE;
	}
	if (!report_make(&report)) {
		say("there is not enough memory for the report");
		return STATUS_FAILED;
	}
	status = write_reports(r, &report);
	report_free(&report);
	return status;
}

static int scan(const struct request *r, struct pool *pool, struct coverage_report *coverage)
{
	struct report report = { .nresults = pool->list->nfiles, .options = &pool->options, .links = pool->list->links };
	int err = pool_run(pool), status;
	char why[5000];

	if (err == -EINTR) {
		say("stopped after %zu of %zu files; %s", pool->ndone, pool->list->nfiles,
		    pool->state ? "the same command goes on from there" : "with --state FILE a scan can go on later");
		return 128 + pool->signal;
	}
	if (err) {
		say("%s", pool->why);
		return STATUS_FAILED;
	}
	report.results = pool->results;
	if (!report_make(&report)) {
		report_free(&report);
		say("there is not enough memory for the report");
		return STATUS_FAILED;
	}
	if (coverage) {
		if (!coverage_report_match(coverage, report.results, report.nresults, &r->scan, r->base_given ? &r->base : NULL,
					   r->scan.findings_max, why, sizeof(why))) {
			report_free(&report);
			say("%s", why);
			return STATUS_FAILED;
		}
		report.coverage = coverage;
	}
	status = write_reports(r, &report);
	if (tell_troubles(&report) || pool->list->failed)
		status = STATUS_FAILED;
	report_free(&report);
	return status;
}

static int scan_paths(const struct request *r, struct scan_list *list, char *const *paths, struct coverage_report *coverage)
{
	struct pool pool = { .list = list, .options = r->scan, .threads = r->jobs, .progress = isatty(STDERR_FILENO) };
	struct scan_state state = { .fd = -1 };
	char words[160], why[5000];
	int status;

	for (; *paths; paths++)
		if (!scan_list_add(list, *paths)) {
			say("there is not enough memory for a list of %zu files", list->nfiles);
			return STATUS_FAILED;
		}
	scan_list_sort(list);
	if (!list->nfiles) {
		if (!list->failed)
			say("there is no file in what was named");
		return STATUS_FAILED;
	}
	if (r->state_path) {
		snprintf(words, sizeof(words), "mode %u raw %d at %llx rewrite %u cpl %d findings %u", r->scan.image.mode, r->scan.image.raw,
			 (unsigned long long)r->scan.image.raw_address, r->scan.sweep.strategy, r->scan.sweep.user ? 3 : 0,
			 r->scan.findings_max);
		if (scan_state_open(&state, r->state_path, words, why, sizeof(why))) {
			say("%s", why);
			return STATUS_FAILED;
		}
		pool.state = &state;
	}
	status = scan(r, &pool, coverage);
	if (coverage)
		coverage_report_free(coverage);		/* it points at the pool's results */
	pool_free(&pool);
	if (r->state_path)
		scan_state_close(&state);
	return status;
}

static int take_coverage(const struct request *r, struct coverage_report *coverage)
{
	char why[5000];
	int err = coverage_report_read(coverage, r->coverage_list, why, sizeof(why));

	if (!err && !coverage->all.nruns) {
		snprintf(why, sizeof(why), "--coverage: a file name is missing");
		err = -EINVAL;
	}
	if (!err && !coverage_report_sum(coverage)) {
		snprintf(why, sizeof(why), "there is not enough memory for what ran");
		err = -ENOMEM;
	}
	if (!err)
		return STATUS_OK;
	coverage_report_free(coverage);
	say("%s", why);
	return STATUS_FAILED;
}

int command_prescan(int argc, char **argv)
{
	struct request r = { .scan = { .image = { .mode = CODE_GUESS }, .findings_max = FINDINGS_DEFAULT }, .jobs = processors() };
	struct coverage_report coverage = { 0 };
	struct scan_list list = { 0 };
	int option, status;

	optind = 0;		/* a test may call this more than once */
	opterr = 0;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return whole_output();
		}
		if (option == '?') {
			say("%s: is no option, or lacks its argument; `plexus prescan --help` lists them", argv[optind - 1]);
			return STATUS_USAGE;
		}
		if (!take_option(&r, option, optarg))
			return STATUS_USAGE;
	}
	if (optind == argc && !r.coverage_list) {
		say("a path is missing; `plexus prescan --help` tells more");
		return STATUS_USAGE;
	}
	if (r.base_given && (!r.coverage_list || optind == argc)) {
		say("--base says where a PATH stood in a run; it needs --coverage=FILE and a PATH");
		return STATUS_USAGE;
	}
	if (r.coverage_list) {
		status = take_coverage(&r, &coverage);
		if (status)
			return status;
	}
	if (optind == argc)
		status = tell_coverage(&r, &coverage);
	else
		status = scan_paths(&r, &list, argv + optind, r.coverage_list ? &coverage : NULL);
	coverage_report_free(&coverage);
	scan_list_free(&list);
	return status;
}
