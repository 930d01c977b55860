/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/client/record.c - sites, traces and coverage as the monitor in ring 0 keeps them: mapped, and read where they are.
 *
 * The memory is the monitor's own, so its layout must be the one that this program was compiled with: a module of another release
 * is refused with a sentence, and so is one that is too small for what we would read.
 *
 * Asked by:  host/vm.c. Asks: the module, through client.h's table.
 * Tested by: tests/unit/test_module_client.c; tests/module/inside/what_is_recorded_is_right.
 */
#include <errno.h>
#include <string.h>

#include "host-module/client/client.h"
#include "plexus/coverage.h"
#include "plexus/sites.h"
#include "plexus/trace.h"
#include "prescan/prescan.h"

static int say(struct plx_vm *vm, int err, const char *what)
{
	switch (err) {
	case -ENOTTY:
		return host_error(&vm->head, err, "plexus.ko is of a release that does not record %s: install the module of this "
				  "program's release, " HM_ELSE, what);
	case -EPROTO:
		return host_error(&vm->head, err, "plexus.ko records %s in another form than this program reads: install the module "
				  "of this program's release, " HM_ELSE, what);
	case -EEXIST:
		return host_error(&vm->head, err, "%s is recorded already", what);
	default:
		return host_error(&vm->head, err, "plexus.ko cannot record %s: %s; " HM_ELSE, what, strerror(-err));
	}
}

/* @r's answer, or the sentence. */
static int ask(struct plx_vm *vm, struct plexus_record *r, const char *what)
{
	int err = hm_ioctl(vm, PLEXUS_RECORD, r);

	if (err >= 0 && (r->layout != PLX_RECORD_LAYOUT || r->rows != prescan_nr_rows()))
		err = -EPROTO;
	return err < 0 ? say(vm, err, what) : 0;
}

/* Mappings live as long as the VM. */
static void *map_part(struct plx_vm *vm, const struct plexus_record *r, unsigned int part, uint64_t nbytes, bool writable, const char *what)
{
	struct hm_mapping *m;
	void *at;
	int err;

	if (r->part[part].bytes < nbytes || vm->nmappings == HM_MAPPINGS) {
		say(vm, -EPROTO, what);
		return NULL;
	}
	err = vm->calls->map(vm->calls->owner, vm->fd, r->part[part].offset, nbytes, writable, &at);
	if (err) {
		say(vm, err, what);
		return NULL;
	}
	m = &vm->mapping[vm->nmappings++];
	m->at = at;
	m->nbytes = nbytes;
	return at;
}

const struct plx_sites *hm_sites(struct plx_vm *vm, bool every)
{
	static const char what[] = "sites";
	struct plexus_record r = { .size = sizeof(r), .what = PLEXUS_RECORD_SITES, .flags = every ? PLEXUS_RECORD_EVERY : 0 };

	if (vm->sites && (!every || vm->every))
		return vm->sites;
	if (ask(vm, &r, what))
		return NULL;
	vm->every = every;
	if (!vm->sites)
		vm->sites = map_part(vm, &r, 0, sizeof(*vm->sites), false, what);
	return vm->sites;
}

struct plx_trace *hm_trace(struct plx_vm *vm, uint32_t entries, bool wait)
{
	static const char what[] = "a trace";
	struct plexus_record r = {
		.size = sizeof(r), .what = PLEXUS_RECORD_TRACE, .flags = wait ? PLEXUS_RECORD_WAIT : 0, .entries = entries,
	};
	struct plx_trace *t = &vm->trace;

	if (ask(vm, &r, what))
		return NULL;
	t->entries = entries;
	t->wait = wait;
	t->sums = map_part(vm, &r, 0, sizeof(*t->sums), false, what);
	if (t->sums && entries)
		t->ring = map_part(vm, &r, 1, plx_trace_ring_bytes(entries), false, what);
	if (t->sums && (t->ring || !entries))
		t->control = map_part(vm, &r, 2, sizeof(*t->control), true, what);
	return t->control ? t : NULL;
}

const struct plx_cover *hm_cover(struct plx_vm *vm)
{
	static const char what[] = "coverage";
	struct plexus_record r = { .size = sizeof(r), .what = PLEXUS_RECORD_COVERAGE };

	if (ask(vm, &r, what))
		return NULL;
	return map_part(vm, &r, 0, PLX_COVER_BYTES, false, what);
}
