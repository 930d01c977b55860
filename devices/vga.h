/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/vga.h - a standard VGA with the Bochs display interface (DISPI) and a linear frame buffer.
 *
 *   ports 3B4-3DF --> vga_regs.c ---+
 *   ports 1CE-1CF --> vga_dispi.c --+--> [struct vga] --> vga_render.c --> text snapshot, picture
 *   A0000-BFFFF ----> vga_mem.c ---+         |
 *                                            +--> map_window: "let the guest at these bytes itself"
 *
 * Asked by: devices/pc.c (wiring), user/ only through pc_text_screen and pc_picture.
 * Sources:  IBM VGA Technical Reference; the FreeVGA Project's register pages; the Bochs VBE display interface.
 *
 * Video memory has two layouts, because two kinds of mode must be plain RAM for the guest. See vga_mem.c.
 */
#ifndef DEVICES_VGA_H
#define DEVICES_VGA_H

#include "devices/device.h"
#include "devices/pc.h"
#include "devices/pci.h"

#define VGA_VRAM_BYTES		(16u << 20)
#define VGA_WINDOW_GPA		0xa0000u	/* the legacy window: register vga_window_ops for all of it */
#define VGA_WINDOW_BYTES	0x20000u

/* Port ranges to register. The VGA's are byte-wide (a word OUT to 3C4h is index, then data); DISPI's are 16-bit. */
#define VGA_PORT_MONO_FIRST	0x3b4		/* 3B4, 3B5 and 3BA; with vga_port_ops */
#define VGA_PORT_MONO_COUNT	7
#define VGA_PORT_FIRST		0x3c0		/* 3C0-3CF; with vga_port_ops */
#define VGA_PORT_COUNT		16
#define VGA_PORT_COLOUR_FIRST	0x3d4		/* 3D4, 3D5 and 3DA; with vga_port_ops */
#define VGA_PORT_COLOUR_COUNT	7
#define VGA_PORT_DISPI_FIRST	0x1ce		/* 1CE index, 1CF data; with vga_dispi_ops */
#define VGA_PORT_DISPI_COUNT	2

/* PCI identity. BAR 0 (pci.region[0], without mmio operations) is the frame buffer: the machine maps video memory
 * there as plain RAM, from vram_offset in the RAM object on. */
#define VGA_PCI_VENDOR		0x1234
#define VGA_PCI_DEVICE		0x1111
#define VGA_PCI_CLASS		0x030000u	/* class 03, subclass 00, interface 00 */

/*
 * How A0000-BFFFF is mapped from now on. direct: guest accesses to [gpa, gpa + nbytes) go straight to the RAM
 * object's bytes from @vram_offset on (read and write), and the rest of A0000-BFFFF goes to vga_window_ops.
 * Not direct: all of A0000-BFFFF goes to vga_window_ops (gpa, nbytes and offset are 0). All page-aligned.
 * Called from within port and window accesses, thus on the vCPU's thread, and from vga_reset. Each call
 * replaces the one before; equal calls in a row are left out. After vga_init the window is not direct.
 */
struct vga_map_ops {
	void (*map_window)(void *owner, bool direct, uint32_t gpa, uint32_t nbytes, uint64_t vram_offset);
	void *owner;
};

#define VGA_SEQ_REGS	8
#define VGA_CRTC_REGS	32	/* 00h-18h are the VGA's */
#define VGA_GC_REGS	16
#define VGA_ATTR_REGS	32

enum vga_dispi_reg {
	VGA_DISPI_ID, VGA_DISPI_XRES, VGA_DISPI_YRES, VGA_DISPI_BPP, VGA_DISPI_ENABLE, VGA_DISPI_BANK,
	VGA_DISPI_VIRT_WIDTH, VGA_DISPI_VIRT_HEIGHT, VGA_DISPI_X_OFFSET, VGA_DISPI_Y_OFFSET,
	VGA_DISPI_MEMORY_64K, VGA_DISPI_REGS
};

/* How planes and offsets are laid out in the bytes of video memory; see vga_mem.c. */
enum vga_layout { VGA_LAYOUT_QUAD = 0, VGA_LAYOUT_PAIR };

/* A run of the window that the guest may have for itself; @offset counts from the start of video memory. */
struct vga_window {
	bool direct;
	uint8_t layout;			/* enum vga_layout it needs */
	uint32_t gpa, nbytes, offset;
};

/* The chip's state; all plain data, for the machine to place. Fields are vga_*.c's own. */
struct vga {
	struct pci_function pci;	/* pci.bus NULL: not on a PCI bus */

	uint8_t *vram;			/* host view of video memory */
	uint64_t vram_offset;		/* the same place in the VM's RAM object */
	uint32_t vram_bytes;
	struct vga_map_ops map;

	uint8_t misc, feature;
	uint8_t seq_index, seq[VGA_SEQ_REGS];
	uint8_t crtc_index, crtc[VGA_CRTC_REGS];
	uint8_t gc_index, gc[VGA_GC_REGS];
	uint8_t attr_index, attr[VGA_ATTR_REGS];	/* index: bit 5 is "palette address source" */
	bool attr_data;			/* the flip-flop: the next write to 3C0 is data */

	uint8_t dac_mask, dac_read_index, dac_write_index;
	uint8_t dac_component;		/* 0 red, 1 green, 2 blue: next through 3C9 */
	bool dac_reading;
	uint8_t dac_hold[3];		/* an entry is written whole, with its third byte */
	uint8_t dac[256][3];		/* as written: 6 bits, or 8 with DISPI's 8BIT_DAC */

	uint16_t dispi_index;
	uint16_t dispi[VGA_DISPI_REGS];

	uint8_t latch[4];
	uint8_t layout;			/* enum vga_layout */

	struct vga_window window;	/* what map_window was last told */
	struct vga_window wish;		/* what the registers would allow now */
	uint8_t wish_hits;		/* window accesses since the wish came up */

	uint64_t window_reads, window_writes, remaps, relayouts;	/* for statistics */
};

/* @vram: VGA_VRAM_BYTES (or a power of two from 256 KiB on) that the caller owns, @vram_offset where they are in the RAM
 * object. @map's functions may be NULL: the window is then never direct. Ends with vga_reset's state. */
void vga_init(struct vga *vga, uint8_t *vram, uint64_t vram_offset, uint32_t vram_bytes,
	      const struct vga_map_ops *map);
/* Make it a PCI function as well: configuration space and BAR 0. False: the bus is full. */
bool vga_attach_pci(struct vga *vga, struct pci *bus, uint8_t devfn);
/* Power-on state: registers 0, screen blank; video memory keeps its bytes. Makes the window not direct. */
void vga_reset(struct vga *vga);

/*
 * 80x25 colour text (mode 3) as a VGA BIOS leaves it, but without a font: for a kernel that is loaded
 * without firmware and expects a text screen. Clears the screen.
 */
void vga_set_text_mode(struct vga *vga);
/* The font that goes with it, from a VGA BIOS that is there but not run: its characters of 8x16 dots. False: it has none. */
bool vga_load_rom_font(struct vga *vga, const uint8_t *rom, uint32_t nbytes);

/* For the bus: @chip is the struct vga. */
extern const struct bus_port_ops vga_port_ops;
extern const struct bus_port_ops vga_dispi_ops;
extern const struct bus_mmio_ops vga_window_ops;	/* A0000-BFFFF, any gpa in it; size 1, 2, 4 */

/* The text screen as it stands. valid is false in graphics modes. More than PC_TEXT_MAX cells: fewer rows. */
void vga_text_snapshot(const struct vga *vga, struct pc_text_screen *screen);
/*
 * The picture as R, G, B bytes, top row first. Always sets *width and *height; draws when @rgb is not NULL and
 * nbytes >= width * height * 3. @now_ns decides blinking; DEV_NEVER: everything that blinks is lit (for screenshots).
 */
void vga_picture(const struct vga *vga, uint64_t now_ns, uint32_t *width, uint32_t *height, uint8_t *rgb,
		 size_t nbytes);

#endif
