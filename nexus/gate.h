/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nexus/gate.h - what stands behind an INT3 of --rewrite=gate, and what the handler in ring 3 makes of it.
 *
 *      fragment: INT3, struct nexus_gate_site --IDT gate 3, DPL 3, 64-bit code of DPL 3--> host-module/ring0/gate_handler.S --IRETQ--> behind it
 *                                                                                      \--what it cannot do: INT 80h--> monitor
 *
 * An interrupt gate whose code segment is ring 3's changes no privilege: the handler is the nexus' own, with a stack of its own
 * (IST), and the simple instructions are done without ring 0. Only a monitor that owns the IDT can have one: the module host.
 *
 * Read by: prescan (writes sites), gate_handler.S. The assertions keep the two in step.
 */
#ifndef NEXUS_GATE_H
#define NEXUS_GATE_H

/* nexus_gate_site.op */
#define GATE_LEAVE	0	/* the monitor does it */
#define GATE_CLI	1
#define GATE_STI	2	/* leaves when an interrupt waits */
#define GATE_PUSHF	3	/* at CPL 0: with the virtual IF */
#define GATE_POPF	4	/* leaves when an interrupt waits, or for more than plain flags */
#define GATE_USER_PUSHF	5	/* at CPL 3, virtual IF = 1: as the processor has it */
#define GATE_USER_POPF	6	/* at CPL 3: IF stays */
#define GATE_PUSH_SEG	7	/* arg: GATE_ARG_* */
#define GATE_MOV_SEG	8	/* MOV r32, Sreg */
#define GATE_OPS	9

#define GATE_ARG_SEG	0x07	/* the segment register */
#define GATE_ARG_REG	0x38	/* the general register, << 3 */
#define GATE_ARG_USER	0x40	/* the selectors are CPL 3's */

#define GATE_SITE_OP	4
#define GATE_SITE_ARG	5
#define GATE_SITE_BYTES	6

/* Flags that GATE_POPF leaves to the monitor: TF IOPL NT RF VM AC VIF VIP. And those that it takes from the image. */
#define GATE_ODD_FLAGS	0x1f7100
#define GATE_TAKEN_FLAGS 0x200cd5

#ifndef __ASSEMBLER__
#include "plexus/base.h"

struct nexus_gate_site {
	uint32_t site;		/* of prescan's */
	uint8_t op, arg;
} __attribute__((packed));

_Static_assert(sizeof(struct nexus_gate_site) == GATE_SITE_BYTES, "nexus/gate.h");
_Static_assert(offsetof(struct nexus_gate_site, op) == GATE_SITE_OP, "nexus/gate.h");
_Static_assert(offsetof(struct nexus_gate_site, arg) == GATE_SITE_ARG, "nexus/gate.h");
#endif
#endif
