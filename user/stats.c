/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/stats.c - see stats.h. Asked by: user/run.c. Tested by: tests/unit/test_stats.c. */
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "user/stats.h"

static uint64_t timeval_ns(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000000u + (uint64_t)tv->tv_usec * 1000u;
}

void stats_times(struct stats *stats, uint64_t start_ns)
{
	struct rusage self, children;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	stats->wall_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec - start_ns;
	stats->user_ns = timeval_ns(&self.ru_utime) + timeval_ns(&children.ru_utime);
	stats->system_ns = timeval_ns(&self.ru_stime) + timeval_ns(&children.ru_stime);
	stats->peak_bytes = (uint64_t)self.ru_maxrss * 1024;
}

void stats_add(struct stats *stats, const struct plx_stat *from, size_t n)
{
	for (size_t i = 0; i < n && stats->nstats < STATS_MAX; i++)
		stats->stat[stats->nstats++] = from[i];
}

/* Is counter @i the first of its group? */
static bool first_of_group(const struct stats *stats, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(stats->stat[j].group, stats->stat[i].group))
			return false;
	return true;
}

/* "1234567" -> "1,234,567": people count digits badly. */
static const char *with_commas(uint64_t value, char text[32])
{
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, value), at = 0;

	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

static void print_seconds(const char *name, uint64_t ns, FILE *to)
{
	fprintf(to, "  %-32s %15.3f s\n", name, (double)ns / 1e9);
}

static void print_count(const char *name, uint64_t value, FILE *to)
{
	char text[32];

	fprintf(to, "  %-32s %15s\n", name, with_commas(value, text));
}

void stats_print(const struct stats *stats, FILE *to)
{
	fputs("\nhost\n", to);
	print_seconds("wall", stats->wall_ns, to);
	print_seconds("processor, user", stats->user_ns, to);
	print_seconds("processor, system", stats->system_ns, to);
	print_count("peak resident KiB", stats->peak_bytes >> 10, to);

	for (size_t i = 0; i < stats->nstats; i++) {
		const char *group = stats->stat[i].group;

		if (!first_of_group(stats, i))
			continue;
		fprintf(to, "%s\n", group);
		for (size_t j = i; j < stats->nstats; j++) {
			if (strcmp(stats->stat[j].group, group))
				continue;
			if (!strcmp(group, "time"))
				print_seconds(stats->stat[j].name, stats->stat[j].value, to);
			else
				print_count(stats->stat[j].name, stats->stat[j].value, to);
		}
	}
}

/* RFC 8259, "Strings". Names are ours and plain; one with a quote must still not break the file. */
static void put_string(const char *text, FILE *to)
{
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(to, "\\u%04x", (unsigned char)*text);
		else
			fputc(*text, to);
	}
	fputc('"', to);
}

void stats_print_json(const struct stats *stats, const char *version, FILE *to)
{
	fputs("{\n  \"plexus\": ", to);
	put_string(version, to);
	fprintf(to, ",\n  \"host\": {\n    \"wall_ns\": %" PRIu64 ",\n    \"user_ns\": %" PRIu64 ",\n    \"system_ns\": %" PRIu64
		",\n    \"peak_resident_bytes\": %" PRIu64 "\n  }", stats->wall_ns, stats->user_ns, stats->system_ns,
		stats->peak_bytes);
	for (size_t i = 0; i < stats->nstats; i++) {
		bool first = true;

		if (!first_of_group(stats, i))
			continue;
		fputs(",\n  ", to);
		put_string(stats->stat[i].group, to);
		fputs(": {", to);
		for (size_t j = i; j < stats->nstats; j++) {
			if (strcmp(stats->stat[j].group, stats->stat[i].group))
				continue;
			fputs(first ? "\n    " : ",\n    ", to);
			put_string(stats->stat[j].name, to);
			fprintf(to, ": %" PRIu64, stats->stat[j].value);
			first = false;
		}
		fputs("\n  }", to);
	}
	fputs("\n}\n", to);
}
