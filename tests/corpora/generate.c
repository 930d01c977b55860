/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/corpora/generate.c - the exhaustive corpora as text, or their checksums.
 *
 *   generate --list                  the parts
 *   generate PART...                 lines of corpus.h on standard output ("all": some 20 million, over a gigabyte)
 *   generate --checksums             what stands in tests/corpora/checksums.txt
 *   generate --expand FILE...        hand-written files with every line expanded
 *
 * An encoding without ModRM stands once, not 256 times. Checksums are over mode, bytes, length and class; rewritings and reasons
 * may change with the translator and with better words, and have tests of their own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/corpora/checksum.h"

static bool print_case(void *arg, const struct corpus_case *c)
{
	char text[512];

	(void)arg;
	corpus_print(c, text, sizeof(text));
	return puts(text) >= 0;
}

static int checksums(void)
{
	printf("# tests/corpora/checksums.txt - the exhaustive corpora, part by part: tests/corpora/generate --checksums writes this.\n"
	       "# A change here is a change of what some encoding is: look at which, and say why in the commit.\n"
	       "#\n# %-10s %-16s %9s %9s %9s %9s\n", "part/mode", "checksum", "cases", "defined", "undefined", "too-long");
	for (unsigned int part = 0; part < WALK_NR_PARTS; part++) {
		struct corpus_sum sum[2];

		corpus_sums((enum walk_part)part, sum);
		for (unsigned int mode = PRESCAN_MODE_16; mode <= PRESCAN_MODE_32; mode++) {
			char text[128];

			corpus_sum_print((enum walk_part)part, mode, &sum[mode], text, sizeof(text));
			puts(text);
		}
	}
	return 0;
}

static int expand(const char *path)
{
	FILE *f = fopen(path, "r");
	char text[512];
	unsigned int number = 0;

	if (!f) {
		fprintf(stderr, "generate: cannot read %s: %s\n", path, strerror(errno));
		return 1;
	}
	while (fgets(text, sizeof(text), f)) {
		struct corpus_line line;
		const char *error;
		int parsed = corpus_parse(text, &line, &error);

		number++;
		if (parsed < 0) {
			fprintf(stderr, "%s:%u: %s\n", path, number, error);
			fclose(f);
			return 1;
		}
		if (parsed)
			corpus_expand(&line, print_case, NULL);
	}
	fclose(f);
	return 0;
}

int main(int argc, char **argv)
{
	bool all = argc == 2 && !strcmp(argv[1], "all"), any = false;

	if (argc == 2 && !strcmp(argv[1], "--checksums"))
		return checksums();
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (unsigned int part = 0; part < WALK_NR_PARTS; part++)
			puts(walk_part_name[part]);
		return 0;
	}
	if (argc > 2 && !strcmp(argv[1], "--expand")) {
		for (int i = 2; i < argc; i++)
			if (expand(argv[i]))
				return 1;
		return 0;
	}
	for (unsigned int part = 0; part < WALK_NR_PARTS; part++) {
		bool wanted = all;

		for (int i = 1; i < argc; i++)
			wanted |= !strcmp(argv[i], walk_part_name[part]);
		if (wanted && !corpus_walk((enum walk_part)part, print_case, NULL))
			return 1;
		any |= wanted;
	}
	if (!any)
		fprintf(stderr, "generate: no such part; generate --list names them\n");
	return !any;
}
