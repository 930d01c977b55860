/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/bus.h - which chip answers at which port and which address.
 *
 *      pc.c --> [bus] --> a chip's struct bus_port_ops / bus_mmio_ops
 *
 * Asked by: devices/pc.c, with the machine's lock held.
 * Asks:     the chips only.
 * A port is looked up in one table of 64 Ki bytes, so the answer costs one load however many chips there are.
 * Fixed ranges are added once; a PCI base address register adds and removes its range while the guest runs.
 */
#ifndef DEVICES_BUS_H
#define DEVICES_BUS_H

#include "devices/device.h"

#define BUS_MAX_RANGES	64	/* fits the table's bytes; entry 0 is "nobody" */
#define BUS_MAX_MMIO	8
#define BUS_NAME_MAX	20	/* with the NUL */
#define BUS_BATCH	64	/* elements of REP INS/OUTS moved at once for a chip without a bulk form */

struct bus_range {
	const struct bus_port_ops *ops;	/* NULL: this entry is free */
	void *chip;
	uint16_t first, last;		/* both included: a range may end at ffffh */
	uint8_t tag;			/* the machine's own mark, see bus.touched */
	uint64_t reads, writes;		/* accesses, after splitting; a bulk move counts its elements */
	char in_name[BUS_NAME_MAX + 4];	/* "pic in", "pic out": as --stats prints them */
	char out_name[BUS_NAME_MAX + 4];
};

struct bus_mmio {
	const struct bus_mmio_ops *ops;	/* NULL: free */
	void *chip;
	uint32_t first, last;
	uint8_t tag;
	uint64_t reads, writes;
};

struct bus {
	uint8_t port[65536];		/* index into range[]; 0: nobody there */
	struct bus_range range[BUS_MAX_RANGES];
	struct bus_mmio mmio[BUS_MAX_MMIO];
	/* Bit @tag is set when a range with that tag was accessed. The machine clears it before an access and
	 * afterwards asks just those chips for their deadlines. Tag 0 means: nothing to ask. */
	uint32_t touched;
};

/*
 * bus_add_ports - let @chip answer at [first, first + count).
 * Ports that somebody already answers stay his: a guest that moves a PCI range over the PIC does not get to hide the PIC.
 * Return: a handle above 0 for bus_remove_ports, 0 if there is no room or nothing to claim.
 */
unsigned int bus_add_ports(struct bus *bus, const char *name, uint16_t first, uint32_t count,
			   const struct bus_port_ops *ops, void *chip, uint8_t tag);
void bus_remove_ports(struct bus *bus, unsigned int handle);

/* The same for memory. Return: a handle above 0, or 0. The first range added wins an overlap. */
unsigned int bus_add_mmio(struct bus *bus, uint32_t first, uint32_t nbytes,
			  const struct bus_mmio_ops *ops, void *chip, uint8_t tag);
void bus_remove_mmio(struct bus *bus, unsigned int handle);

/* One access. @size is 1, 2 or 4. Nobody there: reads give all ones, writes vanish. */
uint32_t bus_in(struct bus *bus, uint16_t port, unsigned int size, uint64_t now_ns);
void bus_out(struct bus *bus, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns);

/* REP INS/OUTS. Return how many elements moved: at least 1 (0 only for @count 0), at most @count. */
uint32_t bus_ins(struct bus *bus, uint16_t port, unsigned int size, void *buf, uint32_t count, uint64_t now_ns);
uint32_t bus_outs(struct bus *bus, uint16_t port, unsigned int size, const void *buf, uint32_t count,
		  uint64_t now_ns);

uint32_t bus_mmio_read(struct bus *bus, uint32_t gpa, unsigned int size, uint64_t now_ns);
void bus_mmio_write(struct bus *bus, uint32_t gpa, unsigned int size, uint32_t value, uint64_t now_ns);

#endif
