/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pc_parts.h - the machine's state, for the files that make up the machine: pc.c, pc_wire.c, pc_memory.c,
 * pc_firmware.c, pc_stats.c. Nobody else includes it but their test.
 */
#ifndef DEVICES_PC_PARTS_H
#define DEVICES_PC_PARTS_H

#include "devices/acpi_pm.h"
#include "devices/bus.h"
#include "devices/debugcon.h"
#include "devices/dma8237.h"
#include "devices/fwcfg.h"
#include "devices/i440fx.h"
#include "devices/ide.h"
#include "devices/kbd.h"
#include "devices/pc.h"
#include "devices/pc_lock.h"
#include "devices/pci.h"
#include "devices/pic.h"
#include "devices/piix3.h"
#include "devices/pit.h"
#include "devices/port92.h"
#include "devices/rtc.h"
#include "devices/uart.h"
#include "devices/vga.h"

/* Chips with a deadline. The numbers are also bus tags; tag 0 is for chips without one. */
enum pc_timer {
	PC_TIMER_NONE = 0, PC_TIMER_PIT, PC_TIMER_RTC, PC_TIMER_KBD, PC_TIMER_COM1, PC_TIMER_COM2, PC_TIMER_PM,
	PC_NR_TIMERS,
	PC_TAG_PIC = PC_NR_TIMERS,	/* no deadline of its own, but its mask decides about the PIT's */
};

/* Several outputs may share an input of the PIC: they are or-ed. */
enum pc_irq_source { PC_IRQ_ISA = 0, PC_IRQ_PCI, PC_IRQ_SCI };
#define PC_LINE(irq, source)	((irq) | (unsigned int)(source) << 8)

#define PC_MAX_REGIONS	16		/* PCI regions placed at the same time */
#define PC_LOW_ROM_BYTES (128u << 10)	/* of the firmware, below 1 MiB */
#define PC_SHADOW_GPA	0xc0000u	/* where PAM rules */
#define PC_SHADOW_END	0x100000u
#define PC_SHADOW_AREA	0x4000u
#define PC_ROM_MAX	(4u << 20)

/* The room behind RAM in the RAM object (plx_vm_config.extra_bytes), from its start. */
#define PC_EXTRA_ROM	0u
#define PC_EXTRA_VRAM	PC_ROM_MAX

/*
 * Locking: one lock, @lock, around everything below "locked". It is taken by each pc_* function and each
 * machine operation, and held across the chips' callbacks into the engine (plx_set_intr, plx_vm_map, plx_vm_dma_*).
 * config.wake_events is called without it.
 */
struct pc {
	struct pc_lock lock;

	/* fixed once created: */
	struct pc_config config;
	struct plx_vm *vm;
	uint64_t rom_offset, vram_offset;	/* in the RAM object */

	/* locked: */
	uint64_t last_ns;		/* guest time of the last entry: time never runs backward here */
	uint64_t due[PC_NR_TIMERS];	/* each chip's deadline */
	uint64_t earliest;		/* the least of them */
	uint64_t promised;		/* what pc_deadline told last: the event thread sleeps until then */
	uint32_t irq_sources[16];	/* enum pc_irq_source, one bit each: who holds the input high */
	bool a20_open;
	bool ferr, ignne;		/* the processor's x87 error pins */
	bool intr;
	uint16_t shadow_write;		/* a bit for each 16 KiB from C0000h: writes go to RAM */
	uint32_t frame_buffer_gpa;	/* where video memory is mapped now, or PCI_UNMAPPED */
	struct pc_region { const struct pci_region *region; unsigned int handle; } regions[PC_MAX_REGIONS];

	struct pic pic;
	struct pit pit;
	struct rtc rtc;
	struct kbd kbd;
	struct port92 port92;
	struct uart uart[2];
	struct debugcon debugcon;
	struct dma8237 dma;
	struct pci pci;
	struct i440fx i440fx;
	struct piix3 piix3;
	struct ide ide;
	struct acpi_pm pm;
	struct fwcfg fwcfg;
	struct vga vga;
	struct bus bus;

	uint8_t e820[20];		/* fw_cfg "etc/e820" */

	bool powered_off;		/* also read without the lock: it only ever goes up between resets */
};

/* pc.c */
void pc_rearm(struct pc *pc, enum pc_timer timer);
void pc_note_masks(struct pc *pc);

/* pc_wire.c: chips, lines, ports. */
void pc_wire(struct pc *pc);
bool pc_coprocessor_error(struct pc *pc, bool level);	/* FERR# is @level; returns IGNNE# */
void pc_coprocessor_reset(struct pc *pc);

/* pc_memory.c: what lies where in guest physical memory. 0 or -errno. */
int pc_memory_init(struct pc *pc);
void pc_memory_shadow(void *pc, uint32_t gpa, uint32_t nbytes, bool read_ram, bool write_ram);
void pc_memory_window(void *pc, bool direct, uint32_t gpa, uint32_t nbytes, uint64_t vram_offset);
void pc_memory_frame_buffer(struct pc *pc, uint32_t gpa);
extern const struct bus_mmio_ops pc_shadow_ops;

/* pc_firmware.c: what firmware is told, and what it would have set up had there been one. */
int pc_firmware_init(struct pc *pc);
void pc_firmware_absent(struct pc *pc, uint64_t now_ns);

#endif
