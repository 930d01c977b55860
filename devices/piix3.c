/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/piix3.c - the ISA bridge: four PCI interrupts onto the PIC's inputs, and port CF9.
 *
 *      pci.c: PIRQA# - D# --> [piix3: registers 60 - 63] --> PIC inputs 3 - 7, 9 - 12, 14, 15
 *
 * Asked by:  devices/pci.c (irq_line, configuration writes, CF9).
 * Asks:      the PIC's lines; the machine for a reset.
 * Tested by: tests/unit/test_pci.c.
 * Read next: devices/ide.c.
 */
#include "devices/piix3.h"

#define ROUTE_OFF	0x80
#define ROUTABLE	0xdef8u		/* PIIX3, "PIRQRC": 0 - 2, 8 and 13 are reserved */

#define RC_SYSTEM	0x02		/* hard reset, not INIT of the processor alone */
#define RC_CPU		0x04		/* a 0 to 1 step of this bit resets */

static void update_pic(struct piix3 *piix3)
{
	uint16_t driven = 0, changed;

	for (unsigned int line = 0; line < 4; line++) {
		uint8_t route = piix3->pci.config[PIIX3_PIRQRCA + line];

		if (piix3->pirq >> line & 1 && !(route & ROUTE_OFF))
			driven |= 1u << (route & 15);
	}
	driven &= ROUTABLE;
	changed = driven ^ piix3->driven;
	piix3->driven = driven;
	for (unsigned int irq = 0; irq < 16; irq++)
		if (changed >> irq & 1)
			irq_set(&piix3->config.pic[irq], driven >> irq & 1);
}

void piix3_pirq(void *owner, unsigned int line, bool level)
{
	struct piix3 *piix3 = owner;

	if (level)
		piix3->pirq |= 1u << (line & 3);
	else
		piix3->pirq &= ~(1u << (line & 3));
	update_pic(piix3);
}

static void piix3_written(void *chip, unsigned int offset, unsigned int nbytes, uint64_t now_ns)
{
	(void)now_ns;
	if (offset + nbytes > PIIX3_PIRQRCA && offset <= PIIX3_PIRQRCA + 3)
		update_pic(chip);
}

static uint32_t cf9_in(void *chip, uint16_t port, unsigned int size, uint64_t now_ns)
{
	const struct piix3 *piix3 = chip;

	(void)port, (void)size, (void)now_ns;
	return piix3->reset_control;
}

static void cf9_out(void *chip, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct piix3 *piix3 = chip;
	bool step = value & RC_CPU && !(piix3->reset_control & RC_CPU);

	(void)port, (void)size, (void)now_ns;
	piix3->reset_control = value & (RC_SYSTEM | RC_CPU);
	if (!step)
		return;
	/* The reset itself clears the register; done here too, so that a machine that only resets its processor
	 * (INIT) sees the next step again. */
	piix3->reset_control &= ~RC_CPU;
	if (piix3->config.reset)
		piix3->config.reset(piix3->config.owner, value & RC_SYSTEM);
}

const struct bus_port_ops piix3_cf9_ports = { .in = cf9_in, .out = cf9_out, .byte_wide = true };

void piix3_init(struct piix3 *piix3, struct pci *pci, const struct piix3_config *config)
{
	uint8_t *writable = piix3->pci.writable;

	pci_function_init(pci, &piix3->pci, PCI_DEVFN(1, 0), 0x8086, 0x7000, 0x060100, 0x00, piix3);
	piix3->pci.written = piix3_written;
	piix3->pci.config[PCI_CFG_HEADER_TYPE] = 0x80;	/* IDE and power management are functions of this device */
	piix3->config = *config;
	piix3->pirq = 0;
	piix3->driven = 0;
	piix3->reset_control = 0;

	pci_set16(writable, PCI_CFG_COMMAND, 0x0148);	/* I/O, memory and master are wired on */
	writable[PCI_CFG_INT_LINE] = 0;
	memset(&writable[0x40], 0xff, 0x100 - 0x40);
	memset(&writable[PIIX3_PIRQRCA], 0x8f, 4);
}

void piix3_reset(struct piix3 *piix3)
{
	uint8_t *config = piix3->pci.config;

	pci_function_reset(&piix3->pci);
	pci_set16(config, PCI_CFG_COMMAND, 0x0007);
	pci_set16(config, PCI_CFG_STATUS, 0x0200);
	memset(&config[0x40], 0, 0x100 - 0x40);
	/* PIIX3 datasheet, the default of each register. */
	config[0x4c] = 0x4d;				/* IORT: ISA I/O recovery */
	config[0x4e] = 0x03;				/* XBCS: RTC and keyboard chip selects */
	memset(&config[PIIX3_PIRQRCA], ROUTE_OFF, 4);
	config[0x69] = 0x02;				/* TOM */
	config[0x70] = 0x80;				/* MBIRQ0: not routed */
	config[0x71] = 0x80;
	config[0x76] = 0x0c;				/* MBDMA */
	config[0x77] = 0x0c;
	config[0x78] = 0x02;				/* PCSC */
	config[0xa0] = 0x08;				/* SMICNTL */
	config[0xa8] = 0x0f;				/* FTMR */
	piix3->reset_control = 0;
	update_pic(piix3);
}
