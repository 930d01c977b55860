/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/machine.h - from the options to a machine that stands ready to run.
 *
 *      options --> machine_build() --> VM, disks, ROMs, serial port, PC
 *                       machine_power_on()   before the first run and after each reset
 *                       machine_close()      disks flushed, output delivered
 *
 * What the guest's devices touch (clock, rings, disks) lies in struct machine_shared, in memory that every host
 * process of the machine sees at one address. The rest belongs to the event loop's process.
 */
#ifndef USER_MACHINE_H
#define USER_MACHINE_H

#include "devices/block_file.h"
#include "devices/block_overlay.h"
#include "devices/pc.h"
#include "guest-bios/acpi.h"
#include "user/host_files.h"
#include "user/options.h"
#include "user/ring.h"
#include "user/wake.h"

#define WHY_BYTES 4400		/* a sentence with a path in it */
#define OUTPUT_PATIENCE_MS 2000	/* how long the end waits for a slow reader of the output */

struct machine_disk {
	struct block_file file;
	struct block_overlay overlay;
	struct block_ops file_ops, ops;		/* ops: what the guest sees */
};

/* The first failure of the host at the guest's disks. The processor's thread fills it, then sets @state. */
struct machine_host_error {
	unsigned int state;		/* 0: none, 1: being written, 2: to be told, 3: told; atomic */
	unsigned int disk;
	const char *what;		/* "read", "written", "flushed" */
	int error;			/* -errno */
};

struct machine_shared {
	uint64_t start_ns;		/* CLOCK_MONOTONIC at power-on: guest time 0 */
	struct wake output;		/* a ring has bytes */
	struct wake events;		/* the next deadline came nearer, or the processor stopped */
	struct machine_disk disk[PC_MAX_DISKS];
	struct machine_host_error host_error;
	struct acpi_files acpi;
};

struct machine {
	const struct run_options *options;
	struct plx_vm *vm;
	struct pc *pc;
	struct machine_shared *shared;
	struct outlet serial, debug;
	int serial_in;			/* where COM1's input comes from; -1: nowhere */
	int pty_slave;			/* held open, so that a pty without a reader is no error; -1: none */
	struct host_file kernel, initrd;
	bool nothing_to_start;		/* the first disk has no boot sector */
};

/* 0, or -errno with one sentence in @why; a machine half built is taken down by machine_close() all the same. */
int machine_build(struct machine *m, const struct run_options *options, char *why, size_t why_bytes);
/* A kernel given with --kernel is put into RAM and the processor pointed at it. Between runs only. 0 or -errno and @why. */
int machine_power_on(struct machine *m, char *why, size_t why_bytes);
/* Guest time. */
uint64_t machine_now_ns(const struct machine *m);
/* Makes what the guest wrote durable. 0 or -errno and @why. */
int machine_flush_disks(struct machine *m, char *why, size_t why_bytes);
/* If the host failed at one of the guest's disks, says so, once in the machine's life. Event loop's thread. */
void machine_tell_host_error(struct machine *m);
void machine_close(struct machine *m);

#endif
