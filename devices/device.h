/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/device.h - what a chip may know of the machine around it: nothing but these.
 *
 *      port or memory access --> bus.c --> [chip] --> irq_line, dma, backend
 *                                            ^ guest time, handed in as @now_ns
 *
 * Rules for every chip:
 *  - It knows its datasheet only. No globals, no malloc, no stdio, no clock of the host, no threads: its state is
 *    one struct that the machine (pc.c) places in shared memory. The machine serialises all calls.
 *  - Time is guest time in nanoseconds since power-on, an argument. A chip that must act later says when through
 *    CHIP_deadline() (UINT64_MAX: never), and the machine calls CHIP_advance(chip, now_ns) at or after it.
 *  - Code and state may be used from several host processes that share that memory at one address.
 *  - A guest can write anything: out-of-range values are masked or ignored as the datasheet says; never an assert.
 */
#ifndef DEVICES_DEVICE_H
#define DEVICES_DEVICE_H

#include "plexus/base.h"

#define DEV_NEVER UINT64_MAX
#define DEV_NS_PER_S 1000000000ull

/* An interrupt output: level-style for all; an edge is high, then low. */
struct irq_line {
	void (*set)(void *owner, unsigned int line, bool level);
	void *owner;
	unsigned int line;
};

static inline void irq_set(const struct irq_line *irq, bool level)
{
	if (irq->set)
		irq->set(irq->owner, irq->line, level);
}

/* Bus-master access to guest physical memory. Ranges without RAM read as ff and swallow writes. */
struct dma_ops {
	void (*read)(void *owner, uint32_t gpa, void *buf, uint32_t nbytes);
	void (*write)(void *owner, uint32_t gpa, const void *buf, uint32_t nbytes);
	void *owner;
};

/* Where a serial port or console sends its bytes. @write never blocks the guest. */
struct char_sink {
	void (*write)(void *owner, uint8_t byte);
	void *owner;
};

/* A disk's backing. Sectors are 512 bytes. All return 0 or -errno. @flush makes earlier writes durable. */
struct block_ops {
	int (*read)(void *owner, uint64_t sector, void *buf, uint32_t nsectors);
	int (*write)(void *owner, uint64_t sector, const void *buf, uint32_t nsectors);
	int (*flush)(void *owner);
	uint64_t nsectors;
	bool read_only;
	void *owner;
};

/*
 * A chip's entry for a port range. @port is absolute, @size is 1, 2 or 4. The bus has already split accesses
 * that cross ranges; a chip that only knows bytes sets @byte_wide and then sees size 1 only, low byte first.
 */
struct bus_port_ops {
	uint32_t (*in)(void *chip, uint16_t port, unsigned int size, uint64_t now_ns);
	void (*out)(void *chip, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns);
	/* Optional bulk forms for REP INS/OUTS: move up to @count elements, return how many (at least 1). */
	uint32_t (*ins)(void *chip, uint16_t port, unsigned int size, void *buf, uint32_t count, uint64_t now_ns);
	uint32_t (*outs)(void *chip, uint16_t port, unsigned int size, const void *buf, uint32_t count, uint64_t now_ns);
	bool byte_wide;
};

struct bus_mmio_ops {
	uint32_t (*read)(void *chip, uint32_t gpa, unsigned int size, uint64_t now_ns);
	void (*write)(void *chip, uint32_t gpa, unsigned int size, uint32_t value, uint64_t now_ns);
};

#endif
