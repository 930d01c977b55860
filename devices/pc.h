/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pc.h - the machine: which chips there are, and how they are wired. A 1996 PC: i440FX, PIIX3, PIIX4 power management.
 *
 * Asked by: user/run.c. Asks: every chip, include/plexus/plexus.h.
 * Threads:  pc_* take the machine's lock inside. The vCPU's thread comes in through the plx_machine_ops; an event thread
 *           (user/) calls pc_advance at pc_deadline and brings input.
 */
#ifndef DEVICES_PC_H
#define DEVICES_PC_H

#include "plexus/plexus.h"
#include "devices/device.h"

#define PC_MAX_DISKS 4
#define PC_MAX_FWCFG 32

struct pc_fwcfg_file {
	const char *name;	/* at most 55 characters, such as "etc/acpi/tables" */
	const void *data;
	uint32_t nbytes;
	bool guest_writable;
};

struct pc_config {
	struct plx_vm *vm;
	uint64_t ram_bytes;
	const struct block_ops *disk[PC_MAX_DISKS];	/* primary master, primary slave, secondary master, ... ; NULL: none */
	struct char_sink serial[2];			/* COM1, COM2; write NULL: no sink (bytes vanish) */
	struct char_sink debug_console;			/* port 402h */
	const void *firmware; uint32_t firmware_bytes;	/* image that ends at 4 GiB (and at 1 MiB); NULL: none (direct kernel) */
	struct pc_fwcfg_file fwcfg[PC_MAX_FWCFG];	/* until name NULL; the machine adds its own (boot order, e820, CMOS...) */
	const void *vga_rom; uint32_t vga_rom_bytes;	/* handed over as fw_cfg "pci1234,1111.rom"; without firmware: a font */
	uint64_t (*now_ns)(void *owner); void *clock_owner;	/* guest time; monotonic */
	int64_t (*wall_s)(void *owner);			/* UTC seconds, for the RTC at reset */
	void (*wake_events)(void *owner);		/* the next deadline came nearer: event thread, look again */
	void *wake_owner;
	/* The host failed at what the guest asked of disk[@disk]: @what is "read", "written" or "flushed", @error an -errno.
	 * The guest sees an ATA error; this is for the person. Called with the machine's lock held. NULL: nobody is told. */
	void (*host_error)(void *owner, unsigned int disk, const char *what, uint64_t sector, int error);
	void *host_error_owner;
	bool has_vga;
};

struct pc;

/* Builds the machine in memory from plx_vm_alloc, maps RAM, ROM and VGA memory, and sets it as vm's machine. 0 or -errno. */
int pc_create(const struct pc_config *config, struct pc **pc);
/* Power-on state of every chip and of the memory map (PAM: ROM; A20 open). RAM stays. */
void pc_reset(struct pc *pc);
uint64_t pc_deadline(struct pc *pc);			/* guest ns, DEV_NEVER if none */
void pc_advance(struct pc *pc, uint64_t now_ns);

/* Input from the outside. Return false when the chip's buffer is full: try again after pc_advance. */
bool pc_serial_input(struct pc *pc, unsigned int port, uint8_t byte);
bool pc_key_scancode(struct pc *pc, uint8_t set1_byte);	/* PS/2 scancode set 1 bytes, as after translation */
/* @dx to the right, @dy downward, @dz toward the user; @buttons: bit 0 left, 1 right, 2 middle. Movement adds up. */
void pc_mouse(struct pc *pc, int dx, int dy, int dz, uint8_t buttons);
void pc_power_button(struct pc *pc);
/* After the processor's process died, perhaps inside the machine: opens the lock that it will not leave. The chips may be left
 * half-way through an access; the machine is only good for being put away. */
void pc_break_lock(struct pc *pc);

/* How the machine asked to end, after PLX_EXIT_STOP / PLX_EXIT_RESET. */
bool pc_powered_off(const struct pc *pc);

/* Text screen for displays and screenshots: a snapshot. */
#define PC_TEXT_MAX (132 * 60)
struct pc_text_screen {
	bool valid;			/* false: a graphics mode is on */
	uint16_t columns, rows;
	uint16_t cursor_x, cursor_y; bool cursor_visible;
	uint16_t cell[PC_TEXT_MAX];	/* character | attribute << 8 */
	uint32_t palette[16];		/* 0x00RRGGBB of the 16 attribute colours */
};
void pc_text_screen(struct pc *pc, struct pc_text_screen *screen);
/* The picture as RGB: text is drawn with the guest's own font from plane 2. @rgb NULL: just the size. */
void pc_picture(struct pc *pc, uint32_t *width, uint32_t *height, uint8_t *rgb, size_t nbytes);

/* Counters for --stats: group "port" and others; returns how many there are. */
size_t pc_stats(struct pc *pc, struct plx_stat *stats, size_t max);

#endif
