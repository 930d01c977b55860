/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/features.c - the feature table: what the host has, and what --host-features takes away.
 *
 * Asked by: vm.c. Each feature names a variant that is chosen once, at start.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>

#include "host-process/features.h"

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE (1 << 1)
#endif

struct feature {
	const char *name;
	bool (*present)(void);
	size_t flag;		/* offset of the bool in struct plx_vm */
};

/* The CPUID bit says the instructions exist; the kernel says whether it lets ring 3 use them. */
static bool has_fsgsbase(void)
{
	return getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE;
}

static const struct feature features[] = {
	{ "fsgsbase", has_fsgsbase, offsetof(struct plx_vm, fsgsbase) },
};

static bool *flag_of(struct plx_vm *vm, const struct feature *f)
{
	return (bool *)((uint8_t *)vm + f->flag);
}

int hp_features_parse(struct plx_vm *vm, const char *list)
{
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(features); i++)
		*flag_of(vm, &features[i]) = features[i].present();
	while (list && *list) {
		size_t n = strcspn(list, ",");
		bool known = false;

		for (unsigned int i = 0; n > 1 && *list == '-' && i < PLX_ARRAY_SIZE(features); i++) {
			if (strlen(features[i].name) == n - 1 && !memcmp(features[i].name, list + 1, n - 1)) {
				*flag_of(vm, &features[i]) = false;
				known = true;
			}
		}
		if (!known)
			return hp_error(vm, -EINVAL, "--host-features: \"%.*s\" is not known; features can only be taken "
					"away, by -fsgsbase", (int)n, list);
		list += n + (list[n] == ',');
	}
	return 0;
}
