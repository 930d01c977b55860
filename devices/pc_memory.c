/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pc_memory.c - guest physical memory: RAM, ROM, and the holes that chips decide about.
 *
 *      0 - 9FFFF          RAM
 *      A0000 - BFFFF      VGA window: vga.c lets the guest at the bytes itself, or takes each access
 *      C0000 - FFFFF      PAM areas (i440fx.c): the RAM behind them, or ROM in the last 128 KiB, or nothing
 *      100000 - RAM's end RAM
 *      ...                the frame buffer, wherever the guest placed it
 *      4 GiB - size       the firmware image
 *
 * In the RAM object: RAM from 0, then PC_EXTRA_ROM, PC_EXTRA_VRAM. The bytes of C0000-FFFFF in it are the shadow RAM.
 *
 * Asked by: pc_wire.c's chips, pc.c. Asks: plx_vm_map.
 */
#include <errno.h>

#include "devices/pc_parts.h"

static uint32_t low_rom_gpa(const struct pc *pc)
{
	return PC_SHADOW_END - plx_min32(pc->config.firmware_bytes, PC_LOW_ROM_BYTES);
}

/* Mapping cannot fail for want of anything but host resources; the engine then stops the machine with its own error. */
static void map(struct pc *pc, uint32_t gpa, uint64_t nbytes, uint64_t offset, int kind)
{
	if (nbytes)
		plx_vm_map(pc->vm, gpa, nbytes, offset, kind);
}

/*
 * A PAM area changed. What is read decides the mapping; where reads come from ROM but writes go to RAM (firmware copying
 * itself), the writes arrive in shadow_write() below.
 */
void pc_memory_shadow(void *owner, uint32_t gpa, uint32_t nbytes, bool read_ram, bool write_ram)
{
	struct pc *pc = owner;
	uint32_t end = gpa + nbytes, rom = low_rom_gpa(pc), area;

	for (area = gpa; area < end; area += PC_SHADOW_AREA) {
		uint16_t bit = (uint16_t)(1u << (area - PC_SHADOW_GPA) / PC_SHADOW_AREA);

		pc->shadow_write = write_ram ? pc->shadow_write | bit : pc->shadow_write & ~bit;
	}
	if (read_ram) {
		map(pc, gpa, nbytes, gpa, write_ram ? PLX_MAP_RAM : PLX_MAP_ROM);
		return;
	}
	if (gpa < rom)
		map(pc, gpa, plx_min32(end, rom) - gpa, 0, PLX_MAP_NONE);
	if (end > rom) {
		gpa = plx_max32(gpa, rom);
		map(pc, gpa, end - gpa, pc->rom_offset + pc->config.firmware_bytes - (PC_SHADOW_END - gpa), PLX_MAP_ROM);
	}
}

/* Reads come here only where there is neither RAM nor ROM: the bus floats. */
static uint32_t shadow_read(void *owner, uint32_t gpa, unsigned int size, uint64_t now_ns)
{
	(void)owner;
	(void)gpa;
	(void)size;
	(void)now_ns;
	return 0xffffffff;
}

static void shadow_write(void *owner, uint32_t gpa, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct pc *pc = owner;
	uint8_t *ram = plx_vm_ram(pc->vm);
	unsigned int i;

	(void)now_ns;
	for (i = 0; i < size; i++, gpa++)
		if (pc->shadow_write >> (gpa - PC_SHADOW_GPA) / PC_SHADOW_AREA & 1)
			ram[gpa] = (uint8_t)(value >> (8 * i));
}

const struct bus_mmio_ops pc_shadow_ops = { .read = shadow_read, .write = shadow_write };

/* vga.c: the legacy window is now memory in part, or not at all. */
void pc_memory_window(void *owner, bool direct, uint32_t gpa, uint32_t nbytes, uint64_t vram_offset)
{
	struct pc *pc = owner;

	map(pc, VGA_WINDOW_GPA, VGA_WINDOW_BYTES, 0, PLX_MAP_NONE);
	if (direct)
		map(pc, gpa, nbytes, vram_offset, PLX_MAP_RAM);
}

/* The frame buffer's BAR. Memory of the board wins over it: a guest that places it there does not see it. */
void pc_memory_frame_buffer(struct pc *pc, uint32_t gpa)
{
	uint64_t rom = 0x100000000ull - pc->config.firmware_bytes;

	if (pc->frame_buffer_gpa != PCI_UNMAPPED)
		map(pc, pc->frame_buffer_gpa, VGA_VRAM_BYTES, 0, PLX_MAP_NONE);
	pc->frame_buffer_gpa = PCI_UNMAPPED;
	if (gpa == PCI_UNMAPPED || gpa < pc->config.ram_bytes || gpa < PC_SHADOW_END || (uint64_t)gpa + VGA_VRAM_BYTES > rom)
		return;
	pc->frame_buffer_gpa = gpa;
	map(pc, gpa, VGA_VRAM_BYTES, pc->vram_offset, PLX_MAP_RAM);
}

int pc_memory_init(struct pc *pc)
{
	const struct pc_config *config = &pc->config;
	uint32_t size = config->firmware_bytes;
	int err;

	pc->rom_offset = config->ram_bytes + PC_EXTRA_ROM;
	pc->vram_offset = config->ram_bytes + PC_EXTRA_VRAM;
	pc->frame_buffer_gpa = PCI_UNMAPPED;
	if (config->ram_bytes < PC_SHADOW_END || size > PC_ROM_MAX || size & PLX_PAGE_MASK || (size && !config->firmware))
		return -EINVAL;

	err = plx_vm_map(pc->vm, VGA_WINDOW_GPA, VGA_WINDOW_BYTES, 0, PLX_MAP_NONE);
	if (err || !size)
		return err;
	memcpy(plx_vm_ram(pc->vm) + pc->rom_offset, config->firmware, size);
	return plx_vm_map(pc->vm, 0u - size, size, pc->rom_offset, PLX_MAP_ROM);
}
