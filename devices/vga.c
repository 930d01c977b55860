/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/vga.c - the VGA as a whole: power-on, and a text mode without a BIOS.
 *
 * Asked by: devices/pc.c. Read next: vga_mem.c, where the one clever thing is; then vga_regs.c, vga_render.c.
 */
#include "devices/vga_parts.h"

void vga_init(struct vga *vga, uint8_t *vram, uint64_t vram_offset, uint32_t vram_bytes,
	      const struct vga_map_ops *map)
{
	memset(vga, 0, sizeof(*vga));
	vga->vram = vram;
	vga->vram_offset = vram_offset;
	vga->vram_bytes = vram_bytes;
	if (map)
		vga->map = *map;
	vga_reset(vga);
}

bool vga_attach_pci(struct vga *vga, struct pci *bus, uint8_t devfn)
{
	if (!pci_function_init(bus, &vga->pci, devfn, VGA_PCI_VENDOR, VGA_PCI_DEVICE, VGA_PCI_CLASS, 0, vga))
		return false;
	/* No mmio operations: the frame buffer is RAM, which the machine maps when the region moves. */
	pci_function_bar(&vga->pci, 0, PCI_REGION_MEMORY, vga->vram_bytes, NULL, NULL, vga);
	return true;
}

void vga_reset(struct vga *vga)
{
	struct vga fresh = {
		.pci = vga->pci,
		.vram = vga->vram,
		.vram_offset = vga->vram_offset,
		.vram_bytes = vga->vram_bytes,
		.map = vga->map,
		.layout = vga->layout,		/* the bytes stay, so how they are to be read stays too */
		.window = vga->window,		/* for vga_window_update to take back */
		.window_reads = vga->window_reads,
		.window_writes = vga->window_writes,
		.remaps = vga->remaps,
		.relayouts = vga->relayouts,
		.dac_mask = 0xff,
	};

	fresh.dispi[VGA_DISPI_ID] = DISPI_ID_LAST;
	fresh.dispi[VGA_DISPI_BPP] = 8;
	*vga = fresh;
	vga_window_update(vga);
	if (vga->pci.bus)
		pci_function_reset(&vga->pci);
}

/* The IBM VGA's parameter table for mode 3: 80x25, 9x16 cells, 720x400 dots. */
static const uint8_t mode3_seq[5] = { 0x03, 0x00, 0x03, 0x00, 0x02 };
static const uint8_t mode3_crtc[25] = {
	0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
	0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
};
static const uint8_t mode3_gc[9] = { 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff };
static const uint8_t mode3_attr[21] = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
	0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00,
};

void vga_set_text_mode(struct vga *vga)
{
	memcpy(vga->seq, mode3_seq, sizeof(mode3_seq));
	memcpy(vga->crtc, mode3_crtc, sizeof(mode3_crtc));
	memcpy(vga->gc, mode3_gc, sizeof(mode3_gc));
	memcpy(vga->attr, mode3_attr, sizeof(mode3_attr));
	vga->misc = 0x67;
	vga->attr_index = AR_INDEX_SCREEN_ON;
	vga->attr_data = false;
	vga->dac_mask = 0xff;
	vga->dispi[VGA_DISPI_ENABLE] = 0;
	vga->dispi[VGA_DISPI_BANK] = 0;

	/* The first 64 DAC entries are the EGA's: bits 2..0 two thirds of red, green, blue; bits 5..3 one third. */
	for (unsigned int i = 0; i < 64; i++)
		for (unsigned int c = 0; c < 3; c++)
			vga->dac[i][c] = (uint8_t)((i >> (2 - c) & 1) * 42 + (i >> (5 - c) & 1) * 21);

	for (uint32_t off = 0; off < 0x8000; off += 2) {
		vga->vram[vga_index(vga, off, 0)] = ' ';
		vga->vram[vga_index(vga, off, 1)] = 0x07;
	}
	vga_window_update(vga);
}

/*
 * No pointer leads to a ROM's font but interrupt 43h, and that only when the ROM has run. But since the EGA the first two characters
 * of every such font are a blank and a face.
 */
static const uint8_t font_begins[32] = {
	[16 + 2] = 0x7e, 0x81, 0xa5, 0x81, 0x81, 0xbd, 0x99, 0x81, 0x81, 0x7e,
};

bool vga_load_rom_font(struct vga *vga, const uint8_t *rom, uint32_t nbytes)
{
	for (uint32_t at = 0; nbytes >= 4096 && at <= nbytes - 4096; at++) {
		if (memcmp(rom + at, font_begins, sizeof(font_begins)))
			continue;
		for (uint32_t i = 0; i < 4096; i++)
			vga->vram[vga_index(vga, i / 16 * 32 + i % 16, 2)] = rom[at + i];
		return true;
	}
	return false;
}
