/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/i440fx.c - the host bridge: its PAM registers say whether BIOS addresses are ROM or RAM.
 *
 *      firmware writes 59 - 5F --> [i440fx] --> machine: map [C0000h, 100000h) anew, area by area
 *
 * Asked by:  devices/pci.c, when the guest writes configuration space; devices/pc.c.
 * Asks:      the machine, through config.shadow.
 * Storage:   SMRAM (72h) and the DRAM and error registers are remembered and have no effect: there is no SMM here,
 *            and DRAM timing is nobody's concern.
 * Tested by: tests/unit/test_pci.c.
 * Read next: devices/piix3.c.
 */
#include "devices/i440fx.h"

#define PAM_READ	1	/* RE: reads go to DRAM */
#define PAM_WRITE	2	/* WE: writes go to DRAM */

/* 82441FX, "DRAM Row Boundary": each row's end in units of 8 MiB. One full row, the others empty behind it. */
#define DRB_UNIT	(8u << 20)
#define DRB_ROWS	8

/*
 * Areas in address order, so that neighbours can be told in one call:
 *   0 - 11: C0000h, C4000h, ... EC000h, 16 KiB each, low nibble of 5Ah, high nibble of 5Ah, low of 5Bh, ...
 *   12:     F0000h, 64 KiB, high nibble of 59h
 */
static uint8_t area_setting(const struct i440fx *bridge, unsigned int area)
{
	const uint8_t *pam = &bridge->pci.config[I440FX_PAM0];

	if (area == 12)
		return pam[0] >> 4 & 3;
	return pam[1 + area / 2] >> (area & 1 ? 4 : 0) & 3;
}

static uint32_t area_gpa(unsigned int area)
{
	return area == I440FX_PAM_AREAS ? 0x100000 : 0xc0000 + area * 0x4000;
}

static void update_shadow(struct i440fx *bridge, bool all)
{
	unsigned int area = 0, end;
	uint8_t setting;

	while (area < I440FX_PAM_AREAS) {
		setting = area_setting(bridge, area);
		if (!all && bridge->area[area] == setting) {
			area++;
			continue;
		}
		for (end = area; end < I440FX_PAM_AREAS && area_setting(bridge, end) == setting &&
				 (all || bridge->area[end] != setting); end++)
			bridge->area[end] = setting;
		if (bridge->config.shadow)
			bridge->config.shadow(bridge->config.owner, area_gpa(area), area_gpa(end) - area_gpa(area),
					      setting & PAM_READ, setting & PAM_WRITE);
		area = end;
	}
}

static void i440fx_written(void *chip, unsigned int offset, unsigned int nbytes, uint64_t now_ns)
{
	(void)now_ns;
	if (offset + nbytes > I440FX_PAM0 && offset <= I440FX_PAM0 + 6)
		update_shadow(chip, false);
}

void i440fx_init(struct i440fx *bridge, struct pci *pci, const struct i440fx_config *config)
{
	uint8_t *writable = bridge->pci.writable;

	pci_function_init(pci, &bridge->pci, PCI_DEVFN(0, 0), 0x8086, 0x1237, 0x060000, 0x02, bridge);
	bridge->pci.written = i440fx_written;
	bridge->config = *config;

	/* 82441FX, "PCICMD": only SERR# and parity may be changed; memory and mastering are wired on. */
	pci_set16(writable, PCI_CFG_COMMAND, 0x0140);
	writable[PCI_CFG_INT_LINE] = 0;
	memset(&writable[0x50], 0xff, 0x100 - 0x50);
	writable[I440FX_PAM0] = 0x30;
	memset(&writable[I440FX_PAM0 + 1], 0x33, 6);
	writable[I440FX_SMRAM] = 0x7f;
}

void i440fx_reset(struct i440fx *bridge)
{
	uint8_t *config = bridge->pci.config;
	uint64_t rows = bridge->config.ram_bytes / DRB_UNIT;

	pci_function_reset(&bridge->pci);
	pci_set16(config, PCI_CFG_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_set16(config, PCI_CFG_STATUS, 0x0280);	/* medium DEVSEL#, fast back-to-back */
	memset(&config[0x50], 0, 0x100 - 0x50);
	memset(&config[I440FX_DRB0], (int)plx_min64(rows, 255), DRB_ROWS);
	config[I440FX_SMRAM] = 0x02;
	update_shadow(bridge, true);
}
