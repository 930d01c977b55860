/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/i440fx.h - the host bridge 8086:1237 at 00:00.0: who answers between C0000h and FFFFFh.
 *
 * Asked by: devices/pc.c. Asks: devices/pci.h, and the machine through @shadow.
 * Source:   Intel 82441FX (PMC) datasheet, "Programmable Attribute Map Registers", "System Management RAM Control".
 * Note:     the subsystem IDs 1AF4:1100 are how SeaBIOS knows that the fw_cfg ports exist.
 */
#ifndef DEVICES_I440FX_H
#define DEVICES_I440FX_H

#include "devices/pci.h"

#define I440FX_PAM0	0x59		/* F0000h, 64 KiB; 5A - 5F: two areas of 16 KiB each, from C0000h up */
#define I440FX_DRB0	0x60
#define I440FX_SMRAM	0x72
#define I440FX_PAM_AREAS 13

struct i440fx_config {
	/*
	 * [gpa, gpa + nbytes), whole PAM areas, now answers so: reads from RAM or else from what lies on the PCI bus
	 * (ROM); writes go to RAM or else to the bus. Neighbours that change together come in one call.
	 */
	void (*shadow)(void *owner, uint32_t gpa, uint32_t nbytes, bool read_ram, bool write_ram);
	void *owner;
	uint64_t ram_bytes;
};

struct i440fx {
	struct pci_function pci;
	struct i440fx_config config;
	uint8_t area[I440FX_PAM_AREAS];	/* as last told to the machine: bit 0 read RAM, bit 1 write RAM */
};

void i440fx_init(struct i440fx *bridge, struct pci *pci, const struct i440fx_config *config);
/* Power-on: everything from the bus. Calls @shadow for all areas, whatever they were. */
void i440fx_reset(struct i440fx *bridge);

#endif
