/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/piix3.h - the ISA bridge 8086:7000 at 00:01.0: PCI interrupts to the PIC, and the reset port CF9.
 *
 * Asked by: devices/pc.c; devices/pci.c brings PIRQ levels through irq_line (piix3_pirq).
 * Asks:     the PIC, through @pic, and the machine, through @reset.
 * Source:   Intel 82371SB (PIIX3) datasheet, "PIRQ Route Control Registers", "Reset Control Register".
 * Not here: the 8259A, 8254 and DMA controllers of the same package are chips of their own; ELCR (4D0/4D1) is the PIC's.
 */
#ifndef DEVICES_PIIX3_H
#define DEVICES_PIIX3_H

#include "devices/pci.h"

#define PIIX3_PIRQRCA	0x60		/* 60 - 63: routing of PIRQA# - PIRQD#; bit 7 = not routed */

struct piix3_config {
	/* PIC inputs by ISA number; the bridge raises those it is told to route to. Others on the same input: the machine or-s. */
	struct irq_line pic[16];
	/* Port CF9: bit 2 went from 0 to 1. @hard: bit 1 was set too (PCI reset), else only the processor (INIT). */
	void (*reset)(void *owner, bool hard);
	void *owner;
};

struct piix3 {
	struct pci_function pci;
	struct piix3_config config;
	uint8_t pirq;			/* levels of PIRQA# - D#, bits 0 - 3 */
	uint16_t driven;		/* PIC inputs held high now */
	uint8_t reset_control;		/* CF9 */
};

extern const struct bus_port_ops piix3_cf9_ports;	/* chip: struct piix3; to be handed to pci_set_cf9 */

void piix3_init(struct piix3 *piix3, struct pci *pci, const struct piix3_config *config);
void piix3_reset(struct piix3 *piix3);
/* An irq_line.set: owner is the struct piix3, line 0 - 3 is PIRQA# - PIRQD#. For pci_machine.pirq. */
void piix3_pirq(void *owner, unsigned int line, bool level);

#endif
