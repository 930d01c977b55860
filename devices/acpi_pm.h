/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/acpi_pm.h - power management, 8086:7113 at 00:01.3: PM timer, power button, soft off, SCI.
 *
 * Asked by: devices/pc.c. Asks: devices/pci.h; SCI and power-off through struct acpi_pm_config.
 * Source:   Intel 82371AB (PIIX4) datasheet, "Power Management I/O Registers"; ACPI 1.0b, "ACPI Register Model".
 *
 * For the one who writes the FADT (offsets from the base that the firmware puts in config register 40h, 600h with SeaBIOS):
 *   PM1a_EVT +0, 4 bytes; PM1a_CNT +4, 2 bytes; PM_TMR +8, 4 bytes, 24 bits wide (TMR_VAL_EXT 0);
 *   GPE0 +0Ch, 4 bytes (status word, enable word); SMI_CMD B2h with ACPI_ENABLE F1h, ACPI_DISABLE F0h; SCI on IRQ 9,
 *   level, active low at the pin (high at the PIC). \_S5 has SLP_TYP 0. No other sleep state.
 */
#ifndef DEVICES_ACPI_PM_H
#define DEVICES_ACPI_PM_H

#include "devices/pci.h"

#define ACPI_PM_PORT_COUNT	64
#define ACPI_PM_EVT		0x00
#define ACPI_PM_CNT		0x04
#define ACPI_PM_TMR		0x08
#define ACPI_PM_GPE0		0x0c
#define ACPI_PM_TIMER_HZ	3579545u
#define ACPI_PM_SLP_TYP_S5	0
#define ACPI_SCI_IRQ		9

#define ACPI_SMI_PORT		0xb2	/* B2: command, B3: status byte; the range to register for acpi_smi_ports */
#define ACPI_SMI_PORT_COUNT	2
#define ACPI_SMI_ENABLE		0xf1
#define ACPI_SMI_DISABLE	0xf0

/* PM1 status and enable bits */
#define ACPI_PM1_TMR		0x0001
#define ACPI_PM1_BM		0x0010
#define ACPI_PM1_GBL		0x0020
#define ACPI_PM1_PWRBTN		0x0100
#define ACPI_PM1_RTC		0x0400
#define ACPI_PM1_WAK		0x8000
/* PM1 control bits */
#define ACPI_PM1_SCI_EN		0x0001
#define ACPI_PM1_SLP_EN		0x2000

struct acpi_pm_config {
	struct irq_line sci;
	void (*power_off)(void *owner);		/* the guest wrote SLP_TYP 0 with SLP_EN */
	void *owner;
};

struct acpi_pm {
	struct pci_function pci;
	struct acpi_pm_config config;
	uint16_t pm1_status, pm1_enable, pm1_control;
	uint16_t gpe_status, gpe_enable;
	uint64_t half_period;		/* how often bit 23 of the timer has toggled, as far as the status bit knows */
	uint8_t io[ACPI_PM_PORT_COUNT];	/* registers that are storage to us: P_CNT, GLBEN, GLBCTL, DEVCTL, ... */
	uint8_t smi_command, smi_status;
};

extern const struct bus_port_ops acpi_pm_ports;		/* chip: struct acpi_pm; region 6, placed by the guest */
extern const struct bus_port_ops acpi_smi_ports;	/* chip: struct acpi_pm */

void acpi_pm_init(struct acpi_pm *pm, struct pci *pci, const struct acpi_pm_config *config);
void acpi_pm_reset(struct acpi_pm *pm, uint64_t now_ns);
uint64_t acpi_pm_deadline(const struct acpi_pm *pm);
void acpi_pm_advance(struct acpi_pm *pm, uint64_t now_ns);

/* Return true if the guest has asked to hear of it (SCI on and event enabled); otherwise only the status bit is set. */
bool acpi_pm_power_button(struct acpi_pm *pm);
bool acpi_pm_rtc_alarm(struct acpi_pm *pm);
/* General-purpose event @bit, 0 - 15. */
bool acpi_pm_gpe(struct acpi_pm *pm, unsigned int bit);

#endif
