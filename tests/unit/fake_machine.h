/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/fake_machine.h - an engine and a PC that do what a test tells them, under the names of the real ones.
 *
 * Links in place of host-process/libhostprocess.a and devices/pc.c, so that user/ can be tested without a guest: the
 * "guest" is a C function that runs where the guest would, in plx_vcpu_run.
 */
#ifndef TESTS_FAKE_MACHINE_H
#define TESTS_FAKE_MACHINE_H

#include <stdatomic.h>

#include "devices/pc.h"
#include "plexus/coverage.h"
#include "plexus/sites.h"
#include "plexus/trace.h"

struct fake_machine {
	/* set by the test */
	enum plx_exit (*guest)(struct fake_machine *fake);
	const char *create_error;	/* plx_vm_create fails with this sentence */
	uint64_t deadline_every_ns;	/* pc_deadline: so often; 0: never */

	/* seen by the guest and the test */
	struct plx_vm_config vm_config;
	struct pc_config config;
	struct plx_flat_start start;
	unsigned int runs, resets, flat_starts, mapped_bios_area;
	atomic_uint advances, power_button;
	atomic_bool stop, powered_off;
	atomic_uint fifo_put, fifo_taken;
	uint8_t fifo[16];		/* the UART's receive buffer */
	uint8_t *ram;
	const char *error;		/* what plx_vm_error says */
	uint64_t last_deadline_ns;
	struct plx_sites sites;
	bool every;			/* asked of plx_vm_sites */
	struct plx_trace *trace;	/* NULL: none was asked for */
	struct plx_cover *cover;	/* NULL: none was asked for */
};

extern struct fake_machine fake;

/* For guests. */
void guest_print(const char *text);
int guest_read(void);			/* the next byte of COM1, waiting for it; -1 once stop was asked for */
enum plx_exit guest_power_off(void);
enum plx_exit guest_wait_for_stop(void);

#endif
