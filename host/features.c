/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host/features.c - the list of --host-features: what of the host's processor is not to be used.
 *
 * Asked by:  each host when a machine is made. What a feature chooses is the host's affair (host-process/features.c).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/host.h"

static const struct {
	const char *name;
	uint32_t bit;
} features[] = {
	{ "fsgsbase", HOST_FEATURE_FSGSBASE },
	{ "lahf", HOST_FEATURE_LAHF },
	{ "code16", HOST_FEATURE_CODE16 },
};

int host_features_parse(const char *list, uint32_t *off, char *why, size_t why_bytes)
{
	*off = 0;
	while (list && *list) {
		size_t n = strcspn(list, ",");
		bool known = false;

		for (unsigned int i = 0; n > 1 && *list == '-' && i < PLX_ARRAY_SIZE(features); i++) {
			if (strlen(features[i].name) == n - 1 && !memcmp(features[i].name, list + 1, n - 1)) {
				*off |= features[i].bit;
				known = true;
			}
		}
		if (!known) {
			snprintf(why, why_bytes, "--host-features: \"%.*s\" is not known; features can only be taken away, "
				 "by -fsgsbase, -lahf or -code16", (int)n, list);
			return -EINVAL;
		}
		list += n + (list[n] == ',');
	}
	return 0;
}
