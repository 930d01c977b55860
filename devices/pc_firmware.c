/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pc_firmware.c - what the machine tells its firmware (CMOS, fw_cfg), and what it does itself when there is none.
 *
 * Asked by: pc.c. Asks: rtc.c, fwcfg.c, and the chips' registers as firmware would.
 * Source:   SeaBIOS's documentation of runtime files ("docs/Runtime_config"), the public fw_cfg specification; CMOS bytes
 *           as PC BIOSes have used them since the AT.
 */
#include <errno.h>

#include "devices/pc_parts.h"

#define E820_RAM	1

/* CMOS 3Dh: first boot device in the low nibble, second in the high one */
#define BOOT_DISK	2
#define BOOT_CDROM	3

#define EQUIPMENT_FPU	0x02
#define EQUIPMENT_MOUSE	0x04

/*
 * SeaBIOS runs a ROM of this name for the PCI device of these numbers, and tells it which device that is; one from "vgaroms/" is told
 * of none. The VGA BIOS then takes the frame buffer to be at E0000000h, and so do all who ask it (VBE): they would draw into nothing.
 */
#define VGA_ROM_FILE "pci1234,1111.rom"

static void set_cmos16(struct pc *pc, uint8_t index, uint64_t value)
{
	value = plx_min64(value, 0xffff);
	rtc_set_cmos(&pc->rtc, index, (uint8_t)value);
	rtc_set_cmos(&pc->rtc, (uint8_t)(index + 1), (uint8_t)(value >> 8));
}

/* The AT's user-defined disk: type 47, with its geometry in eight bytes. SeaBIOS asks the disk itself; others look here. */
static void set_cmos_disk(struct pc *pc, unsigned int which, const struct block_ops *disk)
{
	static const uint8_t extended_type[2] = { 0x19, 0x1a }, geometry_at[2] = { 0x1b, 0x24 };
	struct ide_geometry g = ide_geometry(disk->nsectors);
	uint8_t at = geometry_at[which];

	rtc_set_cmos(&pc->rtc, extended_type[which], 47);
	set_cmos16(pc, at, g.cylinders);
	rtc_set_cmos(&pc->rtc, at + 2, g.heads);
	set_cmos16(pc, at + 3, 0xffff);			/* no write precompensation */
	rtc_set_cmos(&pc->rtc, at + 5, 0xc0 | (g.heads > 8 ? 0x08 : 0));
	set_cmos16(pc, at + 6, g.cylinders);		/* landing zone */
	rtc_set_cmos(&pc->rtc, at + 8, g.sectors);
}

static void fill_cmos(struct pc *pc)
{
	uint64_t ram = pc->config.ram_bytes, kib = ram >> 10;
	uint8_t types = 0, translation = 0;
	unsigned int i;

	set_cmos16(pc, RTC_CMOS_BASE_KIB, 640);
	set_cmos16(pc, RTC_CMOS_EXT_KIB, kib - 1024);
	set_cmos16(pc, RTC_CMOS_EXT2_KIB, kib - 1024);
	set_cmos16(pc, RTC_CMOS_ABOVE_16M, ram > 16u << 20 ? (ram - (16u << 20)) >> 16 : 0);
	for (i = 0; i < 3; i++)
		rtc_set_cmos(&pc->rtc, (uint8_t)(RTC_CMOS_ABOVE_4G + i), 0);
	rtc_set_cmos(&pc->rtc, RTC_CMOS_CPUS, 0);
	rtc_set_cmos(&pc->rtc, RTC_CMOS_FLOPPY, 0);
	rtc_set_cmos(&pc->rtc, RTC_CMOS_EQUIPMENT, EQUIPMENT_FPU | EQUIPMENT_MOUSE);

	for (i = 0; i < PC_MAX_DISKS; i++) {
		const struct block_ops *disk = pc->config.disk[i];

		if (!disk)
			continue;
		translation |= (uint8_t)(ide_bios_translation(disk->nsectors) << (2 * i));
		if (i < 2) {
			types |= i ? 0x0f : 0xf0;	/* 15: the type is in the extended byte */
			set_cmos_disk(pc, i, disk);
		}
	}
	rtc_set_cmos(&pc->rtc, RTC_CMOS_DISKS, types);
	rtc_set_cmos(&pc->rtc, RTC_CMOS_TRANSLATION, translation);
	rtc_set_cmos(&pc->rtc, RTC_CMOS_BOOT1, BOOT_CDROM << 4 | BOOT_DISK);
	rtc_set_cmos(&pc->rtc, RTC_CMOS_BOOT2, 0);
	rtc_set_checksum(&pc->rtc);
}

static void put_le(uint8_t *to, uint64_t value, unsigned int nbytes)
{
	while (nbytes--) {
		*to++ = (uint8_t)value;
		value >>= 8;
	}
}

/* @data may live anywhere and only until we return; items must live in shared memory, and as long as the machine. */
static int add_copy(struct pc *pc, const char *name, const void *data, uint32_t nbytes, bool guest_writable)
{
	void *copy = plx_vm_alloc(pc->vm, nbytes ? nbytes : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, nbytes);
	return fwcfg_add_file(&pc->fwcfg, name, copy, nbytes, guest_writable) < 0 ? -EINVAL : 0;
}

static int add_files(struct pc *pc)
{
	static const uint8_t no_waiting[4] = { 0xff, 0xff, 0xff, 0xff };
	const struct pc_config *config = &pc->config;
	unsigned int i;
	int err;

	/* One entry: RAM. What lies in it that is not RAM, firmware knows better than we. */
	put_le(pc->e820, 0, 8);
	put_le(pc->e820 + 8, config->ram_bytes, 8);
	put_le(pc->e820 + 16, E820_RAM, 4);
	if (fwcfg_add_file(&pc->fwcfg, "etc/e820", pc->e820, sizeof(pc->e820), false) < 0)
		return -EINVAL;
	/* Without a bootable disk: say so and stay, rather than try again every minute. */
	err = add_copy(pc, "etc/boot-fail-wait", no_waiting, sizeof(no_waiting), false);
	if (!err && config->vga_rom && config->has_vga)
		err = add_copy(pc, VGA_ROM_FILE, config->vga_rom, config->vga_rom_bytes, false);
	for (i = 0; !err && i < PC_MAX_FWCFG && config->fwcfg[i].name; i++)
		err = add_copy(pc, config->fwcfg[i].name, config->fwcfg[i].data, config->fwcfg[i].nbytes,
			       config->fwcfg[i].guest_writable);
	return err;
}

int pc_firmware_init(struct pc *pc)
{
	static const uint8_t no_nodes[8];	/* NUMA: none */

	fill_cmos(pc);
	fwcfg_add_integer(&pc->fwcfg, FWCFG_KEY_RAM_SIZE, pc->config.ram_bytes, 8);
	fwcfg_add_integer(&pc->fwcfg, FWCFG_KEY_NOGRAPHIC, !pc->config.has_vga, 2);
	fwcfg_add_integer(&pc->fwcfg, FWCFG_KEY_NB_CPUS, 1, 2);
	fwcfg_add_integer(&pc->fwcfg, FWCFG_KEY_MAX_CPUS, 1, 2);
	fwcfg_add_integer(&pc->fwcfg, FWCFG_KEY_BOOT_MENU, 0, 2);
	fwcfg_add_bytes(&pc->fwcfg, FWCFG_KEY_NUMA, no_nodes, sizeof(no_nodes));
	fwcfg_add_integer(&pc->fwcfg, FWCFG_KEY_ARCH | 2, 1, 1);	/* IRQ 0 reaches input 2 of an I/O APIC: as on every PC */
	return add_files(pc);
}

/* ---- no firmware: a kernel is loaded straight into RAM ---- */

static void set8(struct pc *pc, uint8_t devfn, unsigned int offset, uint8_t value, uint64_t now_ns)
{
	pci_config_write(&pc->pci, devfn, offset, 1, value, now_ns);
}

static void set32(struct pc *pc, uint8_t devfn, unsigned int offset, uint32_t value, uint64_t now_ns)
{
	pci_config_write(&pc->pci, devfn, offset, 4, value, now_ns);
}

/*
 * The set-up that a kernel takes for granted, at the addresses where SeaBIOS puts it too (the ACPI tables name some of
 * them): shadow RAM, PIRQ routes, power management at 600h, bus-master IDE, the frame buffer, a text screen, timers.
 */
void pc_firmware_absent(struct pc *pc, uint64_t now_ns)
{
	static const uint8_t route[4] = { 10, 10, 11, 11 };
	const uint8_t bridge = PCI_DEVFN(0, 0), isa = PCI_DEVFN(1, 0), ide = PCI_DEVFN(1, 1), pm = PCI_DEVFN(1, 3),
		      vga = PCI_DEVFN(2, 0);
	unsigned int i;

	/* Keyboard translated to set 1, with its interrupt; the mouse is the driver's to find. */
	bus_out(&pc->bus, KBD_PORT_STATUS, 1, 0xaa, now_ns);
	bus_in(&pc->bus, KBD_PORT_DATA, 1, now_ns);
	bus_out(&pc->bus, KBD_PORT_STATUS, 1, 0x60, now_ns);
	bus_out(&pc->bus, KBD_PORT_DATA, 1, 0x65, now_ns);

	set8(pc, bridge, I440FX_PAM0, 0x30, now_ns);
	for (i = 1; i <= 6; i++)
		set8(pc, bridge, I440FX_PAM0 + i, i >= 5 ? 0x33 : 0x00, now_ns);

	for (i = 0; i < 4; i++)
		set8(pc, isa, PIIX3_PIRQRCA + i, route[i], now_ns);
	/* PIRQs are level-triggered, and so is the SCI. */
	bus_out(&pc->bus, PIC_PORT_ELCR + 1, 1, 1u << (9 - 8) | 1u << (10 - 8) | 1u << (11 - 8), now_ns);

	set32(pc, ide, PCI_CFG_BAR0 + 4 * 4, 0xc000, now_ns);
	set8(pc, ide, PCI_CFG_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER, now_ns);
	set8(pc, ide, 0x41, 0x80, now_ns);	/* IDETIM: both channels decode */
	set8(pc, ide, 0x43, 0x80, now_ns);

	set8(pc, pm, PCI_CFG_INT_LINE, ACPI_SCI_IRQ, now_ns);
	set32(pc, pm, 0x40, 0x601, now_ns);	/* PMBA */
	set8(pc, pm, 0x80, 0x01, now_ns);	/* PMREGMISC: enable it */

	if (!pc->config.has_vga)
		return;
	set32(pc, vga, PCI_CFG_BAR0, 0xfd000000, now_ns);
	set8(pc, vga, PCI_CFG_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, now_ns);
	vga_set_text_mode(&pc->vga);
	if (pc->config.vga_rom)
		vga_load_rom_font(&pc->vga, pc->config.vga_rom, pc->config.vga_rom_bytes);
}
