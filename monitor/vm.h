/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/vm.h - what the virtual processors of one machine share: guest physical
 * memory and the way out to devices.
 *
 * Guest physical memory is one table, an entry a page of the low 4 GiB. RAM and ROM lie in
 * one host object (a memfd, or pinned pages) that the host maps at @ram; an entry holds the
 * page's offset there. What has no entry is a device, reached through @io.
 */
#ifndef MONITOR_VM_H
#define MONITOR_VM_H

#include "plexus/base.h"

/* Low bits of a mon_vm.page[] entry; the high bits are the byte offset of the page in @ram. */
#define MON_PAGE_PRESENT 0x001	/* RAM or ROM; 0: MMIO or nothing there */
#define MON_PAGE_ROM	0x002	/* writes go to io->mmio_write (a ROM ignores them; flash would not) */
#define MON_PAGE_CODE	0x004	/* fragments were made from it: writes must call hooks->code_written */
#define MON_PAGE_WATCH	0x008	/* monitor/run.c wants hooks->page_changed for writes */
#define MON_PAGE_DIRTY	0x010	/* set by writes through mon_write and by the shadow; display code clears it */

/* The machine around the processor. @size is 1, 2 or 4. Ports nobody owns read all ones; so does
 * memory nobody owns, and writes there vanish: that is the implementor's affair, not ours.
 * ins/outs move @count elements between a port and @buf at once (REP INS/OUTS) and return how many
 * they moved, at least 1. None of these is called with guest FPU state at risk: the host saves it. */
struct mon_io_ops {
	uint32_t (*in)(void *machine, uint16_t port, unsigned int size);
	void (*out)(void *machine, uint16_t port, unsigned int size, uint32_t value);
	uint32_t (*ins)(void *machine, uint16_t port, unsigned int size, void *buf, uint32_t count);
	uint32_t (*outs)(void *machine, uint16_t port, unsigned int size, const void *buf, uint32_t count);
	uint32_t (*mmio_read)(void *machine, uint32_t gpa, unsigned int size);
	void (*mmio_write)(void *machine, uint32_t gpa, unsigned int size, uint32_t value);
	int (*intack)(void *machine);	/* the vector the PIC gives, 0..255; -1 if none (spurious is the PIC's affair) */
	/* The FERR# pin; returns the IGNNE# pin, which it samples at each x87 error too. NULL: not connected, IGNNE# asserted. */
	bool (*ferr)(void *machine, bool level);
};

struct mon_vm {
	uint8_t *ram;		/* host view of the RAM object, writable */
	uint64_t ram_bytes;	/* size of that object, ROM pages included */
	uint64_t *page;		/* 1 << 20 entries */
	const struct mon_io_ops *io;
	void *machine;		/* first argument of io's functions */
	uint64_t (*tsc)(void);	/* host TSC; NULL: the processor's own */
	const struct mon_cpu_features *features;	/* monitor/cpuid.c */
	uint32_t mmio_gpa, mmio_value, mmio_write;	/* the last of them */
	uint64_t nr_mmio;	/* device memory accesses so far; the host counts them */
	uint32_t a20_mask;	/* ~0, or ~(1 << 20) while the A20 gate is closed */
};

/* NULL unless the page that holds @gpa is RAM or ROM. */
static inline uint8_t *mon_phys_ptr(const struct mon_vm *vm, uint32_t gpa)
{
	uint64_t entry = vm->page[gpa >> PLX_PAGE_SHIFT];

	if (!(entry & MON_PAGE_PRESENT))
		return NULL;
	return vm->ram + (entry & ~(uint64_t)PLX_PAGE_MASK) + (gpa & PLX_PAGE_MASK);
}

#endif
