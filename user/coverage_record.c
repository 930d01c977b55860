/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/coverage_record.c - see coverage_record.h.
 *
 *      engine's table, as it was filled --> [what ran, sorted] --> coverage_file.c --> temporary file --> FILE
 *
 * Asked by:  user/run.c. Tested by: tests/unit/test_run.c, tests/guests/run-coverage.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "user/coverage_record.h"
#include "user/host_files.h"
#include "user/say.h"

int coverage_recorder_start(struct coverage_recorder *r, const char *path, struct plx_vm *vm, enum plx_rewrite rewrite,
			    const char *version, const char *command, char *why, size_t why_bytes)
{
	*r = (struct coverage_recorder){ .path = path, .run = { .rewrite = rewrite, .version = version, .command = command } };
	if (!path)
		return 0;
	if (getrandom(r->run.id, sizeof(r->run.id), 0) != sizeof(r->run.id)) {
		snprintf(why, why_bytes, "no random number for the coverage file: %s", strerror(errno));
		return -EIO;
	}
	r->cover = plx_vm_cover(vm);
	if (r->cover)
		return 0;
	snprintf(why, why_bytes, "%s", plx_vm_error(vm));
	return -ENOMEM;
}

static int by_order(const void *a, const void *b)
{
	return coverage_order(a, b);
}

int coverage_recorder_finish(struct coverage_recorder *r, char *why, size_t why_bytes)
{
	const struct plx_cover *c = r->cover;
	struct coverage_insn *insns;
	struct host_new_file file;
	size_t n = 0;
	int err;

	if (!c)
		return 0;
	r->cover = NULL;
	insns = malloc((size_t)(c->ninsns + 1) * sizeof(*insns));
	if (!insns) {
		snprintf(why, why_bytes, "%s: cannot be written: out of memory", r->path);
		return -ENOMEM;
	}
	for (uint32_t i = 1; i < c->ninsns; i++) {
		const struct plx_cover_insn *from = &c->insn[i];

		if (!from->how) {
			r->run.unreached++;
			continue;
		}
		insns[n] = (struct coverage_insn){
			.linear = from->linear, .gpa = from->gpa, .length = from->length, .code32 = from->code32, .how = from->how,
			.cpls = from->cpls, .callouts = from->callouts, .interpreted = from->interpreted, .raised = from->raised,
		};
		memcpy(insns[n++].bytes, from->bytes, from->length);
	}
	r->run.lost = c->lost;
	if (c->lost)
		say("--coverage: the table was full; %llu new instructions are not in %s", (unsigned long long)c->lost, r->path);
	qsort(insns, n, sizeof(*insns), by_order);
	err = host_file_create(&file, r->path, why, why_bytes);
	if (!err) {
		coverage_write(&r->run, insns, n, file.stream);
		err = host_file_commit(&file, why, why_bytes);
	}
	free(insns);
	return err;
}
