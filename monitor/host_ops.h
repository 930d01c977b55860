/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/host_ops.h - the small set of things that only a host can do.
 *
 * Asked by:  monitor/ and prescan/ (code cache). Implemented by host-process/ and host-module/.
 * Addresses: @linear is a *host* linear address below 4 GiB, that is guest linear + engine->delta.
 * Errors:    0 or -errno. A failure is final for the VM: mon_die() with a sentence (invariant 6).
 */
#ifndef MONITOR_HOST_OPS_H
#define MONITOR_HOST_OPS_H

#include "plexus/base.h"

#define HOST_PROT_READ	1
#define HOST_PROT_WRITE	2
/* For hosts with two views of a space (use_view): the guest's CPL 3 may see it, too; and not write it, whatever WRITE says. */
#define HOST_PROT_USER	4
#define HOST_PROT_USER_READ 8

/* A segment for the processor: DPL 3, present. */
struct host_segment {
	uint32_t base;
	uint32_t limit;		/* bytes; below 1 MiB byte granular, else a multiple of 4 KiB minus 1 */
	uint8_t kind;		/* HOST_SEG_* */
	uint8_t big;		/* D/B */
};
#define HOST_SEG_RO	0
#define HOST_SEG_RW	1
#define HOST_SEG_RW_DOWN 2	/* expand-down */
#define HOST_SEG_CODE	3	/* readable code */
#define HOST_SEG_RO_DOWN 4

struct mon_space;

struct plx_host_ops {
	/* Show @nbytes of the RAM object from @offset at @linear; replaces what is there. Never executable. */
	int (*map)(void *host, uint32_t linear, uint64_t offset, uint64_t nbytes, int prot);
	int (*unmap)(void *host, uint32_t linear, uint64_t nbytes);
	int (*protect)(void *host, uint32_t linear, uint64_t nbytes, int prot);

	/* From here on guest code sees what CPL 3 may, or all. NULL: there is one view, and what CPL 3 must not see has to be unmapped. */
	void (*use_view)(void *host, bool user);

	/* Guest code is about to run: segments, space and window are in order. NULL: nothing more to do. */
	void (*settle)(void *host);

	/* Show the window's object at @linear (flag page and scratch page read-write, jump tables read-only, no code yet) and
	 * take it away from its old place, 0 if none; the two may overlap. */
	int (*place_window)(void *host, uint32_t old_linear, uint32_t linear);
	/* Show [from, to) of the object's code, read-execute. */
	int (*show_code)(void *host, uint32_t window_linear, uint32_t from, uint32_t to);
	/* The scratch page of CPL 3; 0 in either place means nowhere. */
	int (*place_user_scratch)(void *host, uint32_t old_linear, uint32_t linear);

	/* Write descriptor table slot @slot; the selector is @slot << 3 | 7 in the process host. */
	int (*set_segment)(void *host, unsigned int slot, const struct host_segment *segment);

	/* Let @to run guest code, in its own process, made now if there is none; come back when somebody hands over to @from's
	 * process again, whichever space that then stands for. The vCPU's registers and FPU state are in memory. */
	int (*hand_over)(void *host, struct mon_space *from, struct mon_space *to);

	/* Sleep until nexus.kick is set. */
	void (*wait)(void *host);
	void (*wait_word)(void *host, const uint32_t *word);	/* until it changes, or some milliseconds */
	void (*between)(void *host);	/* NULL, or called between instructions where interrupts are looked at */
	uint64_t (*ticks)(void *host);	/* a fast clock for statistics; the host knows its rate */
	/* Record the sentence that explains why the VM cannot go on. */
	void (*die)(void *host, const char *what, int err);
};

#endif
