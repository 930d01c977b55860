/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/oracle/coverage.c - real code, instruction by instruction, before prescan, Capstone and Zydis.
 *
 *   coverage [--jobs N] [--report FILE] [--want-bytes N] [--list FILE] NAME=PATH[,16|,32|,both|,elf]...
 *
 * --list FILE holds such arguments, one a line.
 *
 * PATH is i386 ELF (its executable sections) or raw. NAME groups files in the report; a NAME may come again. Without
 * a mode it is 32-bit; "both" sweeps twice, for files that mix 16- and 32-bit code; "elf" leaves out what is not ELF.
 *
 * The sweep is linear: after an instruction the next one, after what is none the next byte, so data between functions is met too.
 * That is no harm: all that is asked is whether three decoders agree wherever they are put. Code is cut into chunks that
 * are swept apart; a sweep that starts inside an instruction finds the boundaries again within a few.
 *
 * Exit status 1: a difference that nothing explains, or fewer bytes than wanted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/oracle/code_file.h"
#include "tests/oracle/verdict.h"

#define CHUNK	(2u << 20)
#define MAX_JOBS 64
#define MAX_GROUPS 64
#define SHOWN_AT_MOST 10

struct count {
	uint64_t bytes, insns, agree, explained, later, unexplained, undefined_bytes;
	uint64_t klass[PRESCAN_NR_CLASSES];
};

struct chunk {
	unsigned int file, group;
	enum prescan_mode mode;
	size_t offset, nbytes;
};

struct group {
	char name[32];
	unsigned int files;
};

/* One worker's, shared with the parent. */
struct work {
	struct count group[MAX_GROUPS];
	struct tally tally;
	char shown[SHOWN_AT_MOST][512];
	unsigned int nshown;
};

struct run {
	unsigned int jobs;
	const char *report;
	uint64_t want_bytes;
	struct group group[MAX_GROUPS];
	unsigned int groups;
	struct code_file *file;
	unsigned int files;
	struct chunk *chunk;
	unsigned int chunks;
	unsigned int *next;	/* shared */
	struct work *work;	/* shared, one a worker */
	struct chunk adding;	/* while files are read */
};

static unsigned int group_of(struct run *r, const char *name, size_t n)
{
	unsigned int g;

	for (g = 0; g < r->groups; g++)
		if (strlen(r->group[g].name) == n && !memcmp(r->group[g].name, name, n))
			return g;
	if (g == MAX_GROUPS || n >= sizeof(r->group[g].name)) {
		fprintf(stderr, "coverage: too many names, or too long a one\n");
		exit(2);
	}
	memcpy(r->group[g].name, name, n);
	r->groups++;
	return g;
}

static void add_piece(void *arg, size_t offset, size_t nbytes)
{
	struct run *r = arg;

	for (size_t at = 0; at < nbytes; at += CHUNK) {
		r->chunk = realloc(r->chunk, (r->chunks + 1) * sizeof(*r->chunk));
		if (!r->chunk)
			abort();
		r->chunk[r->chunks] = r->adding;
		r->chunk[r->chunks].offset = offset + at;
		r->chunk[r->chunks].nbytes = nbytes - at < CHUNK ? nbytes - at : CHUNK;
		r->chunks++;
	}
}

static bool add_file(struct run *r, const char *spec)
{
	const char *path = strchr(spec, '='), *comma;
	bool mode16, mode32, elf;
	char name[4096];

	if (!path) {
		fprintf(stderr, "coverage: %s is not NAME=PATH\n", spec);
		return false;
	}
	comma = strrchr(path, ',');
	mode16 = comma && (!strcmp(comma, ",16") || !strcmp(comma, ",both"));
	mode32 = !comma || !strcmp(comma, ",32") || !strcmp(comma, ",both") || !mode16;
	elf = comma && !strcmp(comma, ",elf");
	if (!mode16 && !elf && comma && strcmp(comma, ",32"))
		comma = NULL;		/* a comma of the path's own */
	snprintf(name, sizeof(name), "%.*s", comma ? (int)(comma - path - 1) : (int)strlen(path + 1), path + 1);
	r->file = realloc(r->file, (r->files + 1) * sizeof(*r->file));
	if (!r->file)
		abort();
	if (!code_file_open(&r->file[r->files], name)) {
		if (errno == ENOEXEC)
			return true;	/* empty, or for another machine: packages hold such files */
		fprintf(stderr, "coverage: cannot read %s: %s\n", name, strerror(errno));
		return false;
	}
	if (elf && !r->file[r->files].elf) {
		code_file_close(&r->file[r->files]);
		return true;
	}
	r->adding = (struct chunk){ .file = r->files, .group = group_of(r, spec, (size_t)(path - spec)) };
	r->group[r->adding.group].files++;
	for (unsigned int mode = PRESCAN_MODE_16; mode <= PRESCAN_MODE_32; mode++) {
		r->adding.mode = (enum prescan_mode)mode;
		if (mode == PRESCAN_MODE_16 ? mode16 : mode32)
			code_file_each(&r->file[r->files], add_piece, r);
	}
	r->files++;
	return true;
}

static void show(struct work *w, const struct verdict *v, const char *oracle, const struct difference *d)
{
	FILE *f;

	if (w->nshown == SHOWN_AT_MOST)
		return;
	f = fmemopen(w->shown[w->nshown], sizeof(w->shown[0]), "w");
	if (!f)
		return;
	difference_print(v, oracle, d, f);
	fclose(f);
	w->nshown++;
}

static void sweep(struct run *r, struct work *w, const struct chunk *c, struct capstone *capstone, struct zydis *zydis)
{
	const struct code_file *f = &r->file[c->file];
	struct count *count = &w->group[c->group];
	size_t end = c->offset + c->nbytes;
	uint8_t window[PRESCAN_INSN_MAX];

	count->bytes += c->nbytes;
	for (size_t at = c->offset; at < end;) {
		size_t left = f->nbytes - at;
		struct verdict v;
		struct difference d;
		enum outcome by_capstone, by_zydis = AGREE;

		memset(window, 0, sizeof(window));
		memcpy(window, f->bytes + at, left < sizeof(window) ? left : sizeof(window));
		verdict_make(&v, window, c->mode);
		by_capstone = capstone_judge(capstone, &v, &w->tally, &d);
		if (by_capstone == UNEXPLAINED)
			show(w, &v, "Capstone", &d);
		if (zydis) {
			by_zydis = zydis_judge(zydis, &v, &w->tally, &d);
			if (by_zydis == UNEXPLAINED)
				show(w, &v, "Zydis", &d);
		}
		count->unexplained += by_capstone == UNEXPLAINED || by_zydis == UNEXPLAINED;
		if (v.status != PRESCAN_OK) {
			/* Defined there, and that is explained: what came after AVX2. Else all agree that it is data. */
			if (zydis ? by_zydis == EXPLAINED : by_capstone == EXPLAINED)
				count->later++;
			else
				count->undefined_bytes++;
			at++;
			continue;
		}
		count->insns++;
		count->klass[v.insn.klass]++;
		count->agree += by_capstone == AGREE && by_zydis == AGREE;
		count->explained += by_capstone == EXPLAINED || by_zydis == EXPLAINED;
		at += v.insn.length;
	}
}

static void work(struct run *r, unsigned int self)
{
	struct capstone *capstone = capstone_open();
	struct zydis *zydis = zydis_open();
	unsigned int i;

	if (!capstone)
		_exit(2);
	while ((i = __atomic_fetch_add(r->next, 1, __ATOMIC_RELAXED)) < r->chunks)
		sweep(r, &r->work[self], &r->chunk[i], capstone, zydis);
	_exit(0);
}

static struct count sum_of(const struct run *r, unsigned int group)
{
	struct count sum = { 0 };

	for (unsigned int j = 0; j < r->jobs; j++) {
		const struct count *c = &r->work[j].group[group];

		sum.bytes += c->bytes;
		sum.insns += c->insns;
		sum.agree += c->agree;
		sum.explained += c->explained;
		sum.later += c->later;
		sum.unexplained += c->unexplained;
		sum.undefined_bytes += c->undefined_bytes;
		for (unsigned int k = 0; k < PRESCAN_NR_CLASSES; k++)
			sum.klass[k] += c->klass[k];
	}
	return sum;
}

static void print_row(const char *name, unsigned int files, const struct count *c, FILE *out)
{
	uint64_t known = c->insns - (c->unexplained < c->insns ? c->unexplained : c->insns);

	fprintf(out, "%-20s %6u %10.1f %12lu %9.4f %% %10lu %10lu %11lu\n", name, files, (double)c->bytes / 1e6,
		(unsigned long)c->insns, c->insns ? 100.0 * (double)known / (double)c->insns : 0.0, (unsigned long)c->later,
		(unsigned long)c->undefined_bytes, (unsigned long)c->unexplained);
}

static struct count report(const struct run *r, FILE *out)
{
	struct count all = { 0 };
	struct tally tally = { .lines = 0 };
	unsigned int files = 0;

	fprintf(out, "%-20s %6s %10s %12s %11s %10s %10s %11s\n", "real code", "files", "MB", "instructions", "right", "after AVX2",
		"no code", "unexplained");
	for (unsigned int g = 0; g < r->groups; g++) {
		struct count c = sum_of(r, g);

		print_row(r->group[g].name, r->group[g].files, &c, out);
		files += r->group[g].files;
		all.bytes += c.bytes;
		all.insns += c.insns;
		all.agree += c.agree;
		all.explained += c.explained;
		all.later += c.later;
		all.unexplained += c.unexplained;
		all.undefined_bytes += c.undefined_bytes;
		for (unsigned int k = 0; k < PRESCAN_NR_CLASSES; k++)
			all.klass[k] += c.klass[k];
	}
	print_row("all", files, &all, out);
	fprintf(out, "\nright: defined, with the length, operands and name that Capstone and Zydis give it, or with another that the SDM\n"
		     "gives it (the list below). after AVX2: places where Zydis knows an instruction that no CPUID of ours offers.\n"
		     "no code: bytes at which nobody finds an instruction, data between functions. %lu instructions found no objection\n"
		     "at all, %lu one that is explained.\n\nclasses:", (unsigned long)all.agree, (unsigned long)all.explained);
	for (unsigned int k = 0; k < PRESCAN_NR_CLASSES; k++)
		if (all.klass[k])
			fprintf(out, " %s %lu", prescan_class_name((enum prescan_class)k), (unsigned long)all.klass[k]);
	fprintf(out, "\n\n");
	for (unsigned int j = 0; j < r->jobs; j++) {
		tally_merge(&tally, &r->work[j].tally);
		for (unsigned int i = 0; i < r->work[j].nshown; i++)
			fprintf(out, "UNEXPLAINED %s", r->work[j].shown[i]);
	}
	fprintf(out, "explanations, and how often each was needed:\n\n");
	tally_print(&tally, out);
	return all;
}

static void progress(const struct run *r, time_t started, bool last)
{
	unsigned int taken = __atomic_load_n(r->next, __ATOMIC_RELAXED);
	uint64_t bytes = 0, insns = 0, bad = 0;

	for (unsigned int g = 0; g < r->groups; g++) {
		struct count c = sum_of(r, g);

		bytes += c.bytes;
		insns += c.insns;
		bad += c.unexplained;
	}
	fprintf(stderr, "%scoverage: %3ld s, chunk %u of %u, %.1f MB, %.1f million instructions, %lu unexplained%s",
		isatty(2) ? "\r" : "", (long)(time(NULL) - started), taken < r->chunks ? taken : r->chunks, r->chunks,
		(double)bytes / 1e6, (double)insns / 1e6, (unsigned long)bad, isatty(2) && !last ? "   " : "\n");
}

static int run(struct run *r)
{
	time_t started = time(NULL), shown = started;
	unsigned int left, died = 0;
	struct count all;
	FILE *file;

	r->work = mmap(NULL, sizeof(*r->work) * r->jobs + 64, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->work == MAP_FAILED) {
		perror("coverage: no shared memory");
		return 2;
	}
	r->next = (unsigned int *)(r->work + r->jobs);
	for (left = 0; left < r->jobs; left++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("coverage: fork");
			return 2;
		}
		if (!pid)
			work(r, left);
	}
	while (left) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid > 0) {
			left--;
			died += !WIFEXITED(status) || WEXITSTATUS(status);
			continue;
		}
		usleep(50000);
		if (time(NULL) - shown >= (isatty(2) ? 1 : 20)) {
			shown = time(NULL);
			progress(r, started, false);
		}
	}
	progress(r, started, true);
	all = report(r, stdout);
	if (r->report) {
		file = fopen(r->report, "w");
		if (file)
			report(r, file);
		if (!file || fclose(file)) {
			fprintf(stderr, "coverage: cannot write %s: %s\n", r->report, strerror(errno));
			return 2;
		}
	}
	if (died)
		fprintf(stderr, "coverage: %u workers died\n", died);
	if (all.bytes < r->want_bytes)
		fprintf(stderr, "coverage: %.1f MB of code, %.1f are wanted\n", (double)all.bytes / 1e6, (double)r->want_bytes / 1e6);
	return died || all.unexplained || all.bytes < r->want_bytes;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "jobs", 1, NULL, 'j' }, { "report", 1, NULL, 'r' }, { "want-bytes", 1, NULL, 'w' }, { "list", 1, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	struct run r = { .jobs = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN) };
	char line[4096];
	FILE *list;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 'j': r.jobs = (unsigned int)strtoul(optarg, NULL, 0); break;
		case 'r': r.report = optarg; break;
		case 'w': r.want_bytes = strtoull(optarg, NULL, 0); break;
		case 'l':
			list = fopen(optarg, "r");
			if (!list) {
				fprintf(stderr, "coverage: cannot read %s: %s\n", optarg, strerror(errno));
				return 2;
			}
			while (fgets(line, sizeof(line), list)) {
				line[strcspn(line, "\n")] = '\0';
				if (line[0] && !add_file(&r, line))
					return 2;
			}
			fclose(list);
			break;
		default: return 2;
		}
	}
	if (!r.jobs || r.jobs > MAX_JOBS)
		r.jobs = 1;
	for (int i = optind; i < argc; i++)
		if (!add_file(&r, argv[i]))
			return 2;
	if (!r.chunks) {
		fprintf(stderr, "coverage: no code\n");
		return 2;
	}
	return run(&r);
}
