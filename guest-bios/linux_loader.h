/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-bios/linux_loader.h - start a Linux kernel without firmware or boot loader.
 */
#ifndef GUEST_BIOS_LINUX_LOADER_H
#define GUEST_BIOS_LINUX_LOADER_H

#include <stddef.h>
#include <stdint.h>

#include "plexus/plexus.h"

struct linux_boot {
	const uint8_t *kernel;		/* the whole bzImage */
	size_t kernel_bytes;
	const uint8_t *initrd;		/* NULL: none */
	size_t initrd_bytes;
	const char *cmdline;		/* NULL: empty */
	uint32_t rsdp_gpa;		/* where the ACPI tables start; 0: none */
	bool text_screen;		/* there is a VGA, in mode 3 */
};

/* Guest RAM from address 0, written through @write: at a reset the engine must hear which pages of code are new. */
struct linux_ram {
	uint64_t nbytes;
	void (*write)(void *owner, uint32_t gpa, const void *buf, uint32_t nbytes);
	void *owner;
};

/*
 * Places kernel, initial RAM disk, command line and boot parameters in guest RAM, and says how the processor is to start.
 * Everything is checked before a byte is written.
 *
 * Return: 0 with *@start filled in; -EINVAL (not a kernel we can start) or -ENOSPC (more RAM is needed) with a sentence
 * fragment in @why that fits behind the file's name and a colon.
 */
int linux_load(const struct linux_ram *ram, const struct linux_boot *boot, struct plx_flat_start *start, char *why,
	       size_t why_bytes);

#endif
