/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/client/device.c - is there a module, may we open it, does it speak our version? And if not, what to do.
 *
 * Asked by:  vm.c; host/vm.c and `plexus doctor`, by plx_host_module_check.
 * Tested by: tests/unit/test_module_client.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host-module/client/client.h"

static void say_open(const struct hm_calls *calls, int err, char *why, size_t why_bytes)
{
	char group[64];

	switch (err) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		snprintf(why, why_bytes, "there is no " PLEXUS_DEVICE ": as root \"modprobe plexus\", " HM_ELSE);
		break;
	case -EACCES:
	case -EPERM:
		if (calls->group(calls->owner, PLEXUS_DEVICE, group, sizeof(group)))
			snprintf(why, why_bytes, PLEXUS_DEVICE " may not be opened: it is for the group \"%s\" (as root "
				 "\"usermod -aG %s USER\", then log in again), " HM_ELSE, group, group);
		else
			snprintf(why, why_bytes, PLEXUS_DEVICE " may not be opened: it is for root alone (as root "
				 "\"chgrp GROUP " PLEXUS_DEVICE "\" gives it to a group of yours), " HM_ELSE);
		break;
	case -EMFILE:
	case -ENFILE:
		snprintf(why, why_bytes, PLEXUS_DEVICE " cannot be opened: %s; raise \"ulimit -n\", " HM_ELSE, strerror(-err));
		break;
	default:
		snprintf(why, why_bytes, PLEXUS_DEVICE " cannot be opened: %s; " HM_ELSE, strerror(-err));
	}
}

/* What is wrong with the answer of PLEXUS_VERSION, if anything. */
static int judge(int err, const struct plexus_version *v, char *why, size_t why_bytes)
{
	if (err == -ENOTTY) {
		snprintf(why, why_bytes, PLEXUS_DEVICE " is something else: it does not know its version; " HM_ELSE);
		return err;
	}
	if (err < 0) {
		snprintf(why, why_bytes, PLEXUS_DEVICE " does not tell its version: %s; " HM_ELSE, strerror(-err));
		return err;
	}
	if (v->version == PLEXUS_ABI_VERSION)
		return 0;
	snprintf(why, why_bytes, "plexus.ko (release \"%.*s\") speaks version %" PRIu32 " of its interface and this program version %u: "
		 "install the module of this program's release, " HM_ELSE, (int)sizeof(v->release), (const char *)v->release,
		 v->version, PLEXUS_ABI_VERSION);
	return -EPROTO;
}

int hm_device_open(const struct hm_calls *calls, struct plexus_version *version, char *why, size_t why_bytes)
{
	int fd = calls->open(calls->owner, PLEXUS_DEVICE), err;

	if (fd < 0) {
		say_open(calls, fd, why, why_bytes);
		return fd;
	}
	do {
		*version = (struct plexus_version){ .size = sizeof(*version) };
		err = calls->ioctl(calls->owner, fd, PLEXUS_VERSION, version);
	} while (err == -EINTR);
	err = judge(err, version, why, why_bytes);
	if (!err)
		return fd;
	calls->close(calls->owner, fd);
	return err;
}

int hm_device_check(const struct hm_calls *calls, char *text, size_t nbytes)
{
	struct plexus_version v;
	int fd = hm_device_open(calls, &v, text, nbytes);

	if (fd < 0)
		return fd;
	calls->close(calls->owner, fd);
	snprintf(text, nbytes, "plexus.ko %.*s, up to %" PRIu32 " machines of a user, each of up to %" PRIu64 " MiB",
		 (int)sizeof(v.release), (const char *)v.release, v.max_machines, v.max_ram_bytes >> 20);
	return 0;
}

int plx_host_module_check(char *text, size_t nbytes)
{
	return hm_device_check(&hm_calls, text, nbytes);
}
