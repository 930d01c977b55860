/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/module/machine.h - a machine of /dev/plexus in a few lines, for the programs of the bench.
 *
 *      GUEST(name, "assembler") --> machine_create --> machine_load --> machine_run --> machine_destroy
 *
 * The guest is 32-bit code, position independent, started flat at GUEST_CODE with its stack below GUEST_STACK. Nothing here
 * knows of a library of the project: what a test says to the module, it says itself.
 * Asked by: the programs in this folder.
 */
#ifndef TESTS_MODULE_MACHINE_H
#define TESTS_MODULE_MACHINE_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plexus/plexus-abi.h"

#define GUEST_CODE	0x10000u
#define GUEST_STACK	0x30000u
#define GUEST_DATA	0x40000u
#define GUEST_RAM	(2ull << 20)
#define GUEST_PORT	0x80	/* where guests speak */

/* Assembler that stands in this program and runs in a guest. */
#define GUEST(name, text)                                                                                               \
	extern const uint8_t name[], name##_end[];                                                                      \
	__asm__(".pushsection .rodata\n.globl " #name ", " #name "_end\n.code32\n" #name ":\n" text "\n" #name "_end:\n" \
		".code64\n.popsection\n")

struct machine {
	int fd;
	struct plexus_run *run;
	uint8_t *ram;
	uint64_t ram_bytes;
};

__attribute__((unused, noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exit(1);
}

static inline const char *device_path(void)
{
	const char *path = getenv("PLX_DEVICE");

	return path ? path : PLEXUS_DEVICE;
}

static inline int machine_create_fd(const struct plexus_create *how)
{
	int device = open(device_path(), O_RDWR | O_CLOEXEC), fd, err;

	if (device < 0)
		fail("%s: %s", device_path(), strerror(errno));
	fd = ioctl(device, PLEXUS_CREATE_VM, how);
	err = errno;
	close(device);
	errno = err;
	return fd;
}

static inline void machine_map(struct machine *m)
{
	m->run = mmap(NULL, sizeof(*m->run), PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, (off_t)PLEXUS_MMAP_RUN);
	if (m->run == MAP_FAILED)
		fail("mmap of the run page: %s", strerror(errno));
	m->ram = mmap(NULL, m->ram_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, (off_t)PLEXUS_MMAP_RAM);
	if (m->ram == MAP_FAILED)
		fail("mmap of RAM: %s", strerror(errno));
}

static inline struct machine machine_create(void)
{
	const struct plexus_create how = { .size = sizeof(how), .ram_bytes = GUEST_RAM };
	struct machine m = { .ram_bytes = GUEST_RAM };

	m.fd = machine_create_fd(&how);
	if (m.fd < 0)
		fail("PLEXUS_CREATE_VM: %s", strerror(errno));
	machine_map(&m);
	return m;
}

static inline void machine_destroy(struct machine *m)
{
	if (munmap(m->run, sizeof(*m->run)) || munmap(m->ram, m->ram_bytes) || close(m->fd))
		fail("the end of a machine: %s", strerror(errno));
}

static inline int machine_call(const struct machine *m, unsigned long call, void *arg)
{
	int ret;

	do
		ret = ioctl(m->fd, call, arg);
	while (ret < 0 && errno == EINTR);
	return ret;
}

static inline void machine_load(const struct machine *m, const uint8_t *code, const uint8_t *end)
{
	struct plexus_start start = { .size = sizeof(start), .flat = 1, .eip = GUEST_CODE, .esp = GUEST_STACK, .esi = GUEST_DATA };

	memcpy(m->ram + GUEST_CODE, code, (size_t)(end - code));
	if (machine_call(m, PLEXUS_START, &start))
		fail("PLEXUS_START: %s", strerror(errno));
}

/* Until it wants something; the exit's number. */
static inline uint32_t machine_run(const struct machine *m)
{
	if (machine_call(m, PLEXUS_RUN, NULL))
		fail("PLEXUS_RUN: %s; %.*s", strerror(errno), (int)sizeof(m->run->message), (const char *)m->run->message);
	if (m->run->exit == PLEXUS_EXIT_ERROR)
		fail("the machine ended: %.*s", (int)sizeof(m->run->message), (const char *)m->run->message);
	return m->run->exit;
}

/* The next exit is OUT to GUEST_PORT; what was written. */
static inline uint32_t machine_says(const struct machine *m)
{
	uint32_t exit = machine_run(m);

	if (exit != PLEXUS_EXIT_OUT || m->run->address != GUEST_PORT)
		fail("exit %u at %x, where the guest writes to port %x", exit, m->run->address, GUEST_PORT);
	return m->run->value;
}

#endif
