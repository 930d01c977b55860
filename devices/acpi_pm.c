/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/acpi_pm.c - the PM timer, PM1 and GPE registers, soft off, and the SMI command port.
 *
 *      PM timer, power button, RTC, GPE --> status & enable --> SCI (IRQ 9), once SCI_EN is set
 *
 * Asked by:  devices/pci.c places the registers (config 40h with enable bit 80h.0); devices/pc.c for time and events.
 * Asks:      the SCI line; the machine to power off.
 * Not here:  SMM. Config bit 58h.25 (APMC_EN) reads as set from reset, so firmware believes that its SMI handler is
 *            installed and leaves SMM alone; the two commands that handler would serve, F1h and F0h, act here.
 * Tested by: tests/unit/test_acpi_pm.c.
 * Read next: devices/piix3.c.
 */
#include "devices/acpi_pm.h"

#define CFG_PMBASE	0x40
#define CFG_DEVACTB	0x58
#define CFG_PMREGMISC	0x80
#define CFG_SMBBASE	0x90
#define CFG_SMBHSTCFG	0xd2
#define DEVACTB_APMC_EN	(1u << 25)
#define REGION		6		/* no BAR: registers 40h and 80h rule it */

#define TIMER_MASK	0xffffffu	/* 24 bits */
#define TIMER_TOP_SHIFT	23		/* TMR_STS is set when bit 23 changes, either way (ACPI, "PM Timer") */

#define PM1_EVENTS	(ACPI_PM1_TMR | ACPI_PM1_GBL | ACPI_PM1_PWRBTN | ACPI_PM1_RTC)
#define PM1_STATUS	(PM1_EVENTS | ACPI_PM1_BM | ACPI_PM1_WAK)
#define CNT_SLP_TYP(v)	((v) >> 10 & 7)
#define CNT_STORED	0x1c03u		/* SLP_TYP, BM_RLD, SCI_EN; GBL_RLS and SLP_EN only act */

/* Seconds are taken apart because ns * 3579545 would pass 2^64 after 86 minutes. */
static uint64_t timer_ticks(uint64_t now_ns)
{
	return now_ns / DEV_NS_PER_S * ACPI_PM_TIMER_HZ + now_ns % DEV_NS_PER_S * ACPI_PM_TIMER_HZ / DEV_NS_PER_S;
}

/* The first nanosecond at which timer_ticks() is @ticks. */
static uint64_t timer_ns(uint64_t ticks)
{
	return ticks / ACPI_PM_TIMER_HZ * DEV_NS_PER_S +
	       (ticks % ACPI_PM_TIMER_HZ * DEV_NS_PER_S + ACPI_PM_TIMER_HZ - 1) / ACPI_PM_TIMER_HZ;
}

static void update_sci(struct acpi_pm *pm)
{
	bool level = pm->pm1_control & ACPI_PM1_SCI_EN &&
		     (pm->pm1_status & pm->pm1_enable & PM1_EVENTS || pm->gpe_status & pm->gpe_enable);

	irq_set(&pm->config.sci, level);
}

/* Bring TMR_STS up to date; the timer itself needs no help, it is a function of time. */
static void update_timer(struct acpi_pm *pm, uint64_t now_ns)
{
	uint64_t half_period = timer_ticks(now_ns) >> TIMER_TOP_SHIFT;

	if (half_period == pm->half_period)
		return;
	pm->half_period = half_period;
	pm->pm1_status |= ACPI_PM1_TMR;
	update_sci(pm);
}

uint64_t acpi_pm_deadline(const struct acpi_pm *pm)
{
	bool heard = pm->pm1_control & ACPI_PM1_SCI_EN && pm->pm1_enable & ACPI_PM1_TMR;

	/* With the status bit set already, one more overflow changes nothing. */
	if (!heard || pm->pm1_status & ACPI_PM1_TMR)
		return DEV_NEVER;
	return timer_ns((pm->half_period + 1) << TIMER_TOP_SHIFT);
}

void acpi_pm_advance(struct acpi_pm *pm, uint64_t now_ns)
{
	update_timer(pm, now_ns);
}

static bool raise_pm1(struct acpi_pm *pm, uint16_t bit)
{
	pm->pm1_status |= bit;
	update_sci(pm);
	return pm->pm1_control & ACPI_PM1_SCI_EN && pm->pm1_enable & bit;
}

bool acpi_pm_power_button(struct acpi_pm *pm)
{
	return raise_pm1(pm, ACPI_PM1_PWRBTN);
}

bool acpi_pm_rtc_alarm(struct acpi_pm *pm)
{
	return raise_pm1(pm, ACPI_PM1_RTC);
}

bool acpi_pm_gpe(struct acpi_pm *pm, unsigned int bit)
{
	pm->gpe_status |= 1u << (bit & 15);
	update_sci(pm);
	return pm->pm1_control & ACPI_PM1_SCI_EN && pm->gpe_enable >> (bit & 15) & 1;
}

/* ---- the 64 I/O registers, as dwords; smaller accesses are parts of these ---- */

static uint32_t read_dword(struct acpi_pm *pm, unsigned int offset, uint64_t now_ns)
{
	switch (offset) {
	case ACPI_PM_EVT:
		update_timer(pm, now_ns);
		return pm->pm1_status | (uint32_t)pm->pm1_enable << 16;
	case ACPI_PM_CNT:
		return pm->pm1_control;
	case ACPI_PM_TMR:
		return timer_ticks(now_ns) & TIMER_MASK;
	case ACPI_PM_GPE0:
		return pm->gpe_status | (uint32_t)pm->gpe_enable << 16;
	default:
		return pm->io[offset] | pm->io[offset + 1] << 8 | pm->io[offset + 2] << 16 |
		       (uint32_t)pm->io[offset + 3] << 24;
	}
}

static void write_control(struct acpi_pm *pm, uint16_t value, uint16_t mask)
{
	uint16_t stored = CNT_STORED & mask;

	pm->pm1_control = (pm->pm1_control & ~stored) | (value & stored);
	update_sci(pm);
	if (value & mask & ACPI_PM1_SLP_EN && CNT_SLP_TYP(pm->pm1_control) == ACPI_PM_SLP_TYP_S5 &&
	    pm->config.power_off)
		pm->config.power_off(pm->config.owner);
}

/* @mask: ff in each byte that the access covers. */
static void write_dword(struct acpi_pm *pm, unsigned int offset, uint32_t value, uint32_t mask, uint64_t now_ns)
{
	uint16_t high_mask = mask >> 16, high = value >> 16;

	value &= mask;
	switch (offset) {
	case ACPI_PM_EVT:
		update_timer(pm, now_ns);
		pm->pm1_status &= ~value;		/* write 1 to clear */
		pm->pm1_enable = ((pm->pm1_enable & ~high_mask) | (high & high_mask)) & PM1_EVENTS;
		update_sci(pm);
		break;
	case ACPI_PM_CNT:
		write_control(pm, value & 0xffff, mask & 0xffff);
		break;
	case ACPI_PM_TMR:
		break;					/* read-only */
	case ACPI_PM_GPE0:
		pm->gpe_status &= ~value;
		pm->gpe_enable = (pm->gpe_enable & ~high_mask) | (high & high_mask);
		update_sci(pm);
		break;
	default:
		for (unsigned int i = 0; i < 4; i++)
			if (mask >> (8 * i) & 0xff)
				pm->io[offset + i] = value >> (8 * i) & 0xff;
	}
}

static uint32_t pm_in(void *chip, uint16_t port, unsigned int size, uint64_t now_ns)
{
	struct acpi_pm *pm = chip;
	unsigned int offset = (port - pm->pci.region[REGION].base) & (ACPI_PM_PORT_COUNT - 1);
	unsigned int shift = 8 * (offset & 3);
	uint64_t value = read_dword(pm, offset & ~3u, now_ns);

	/* An access across two registers is the ISA bus's two cycles. */
	if ((offset & 3) + size > 4 && offset + size <= ACPI_PM_PORT_COUNT)
		value |= (uint64_t)read_dword(pm, (offset & ~3u) + 4, now_ns) << 32;
	return (uint32_t)(value >> shift);
}

static void pm_out(void *chip, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct acpi_pm *pm = chip;
	unsigned int offset = (port - pm->pci.region[REGION].base) & (ACPI_PM_PORT_COUNT - 1);
	unsigned int shift = 8 * (offset & 3);
	uint64_t mask = ((1ull << (8 * size)) - 1) << shift;
	uint64_t shifted = (uint64_t)value << shift;

	write_dword(pm, offset & ~3u, (uint32_t)shifted, (uint32_t)mask, now_ns);
	if (mask >> 32 && offset + size <= ACPI_PM_PORT_COUNT)
		write_dword(pm, (offset & ~3u) + 4, shifted >> 32, mask >> 32, now_ns);
}

const struct bus_port_ops acpi_pm_ports = { .in = pm_in, .out = pm_out };

/* ---- ports B2 and B3: APM control and status ---- */

static uint32_t smi_in(void *chip, uint16_t port, unsigned int size, uint64_t now_ns)
{
	const struct acpi_pm *pm = chip;

	(void)size, (void)now_ns;
	return port == ACPI_SMI_PORT ? pm->smi_command : pm->smi_status;
}

static void smi_out(void *chip, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct acpi_pm *pm = chip;

	(void)size;
	if (port != ACPI_SMI_PORT) {
		pm->smi_status = value & 0xff;
		return;
	}
	pm->smi_command = value & 0xff;
	update_timer(pm, now_ns);
	if (pm->smi_command == ACPI_SMI_ENABLE)
		pm->pm1_control |= ACPI_PM1_SCI_EN;
	else if (pm->smi_command == ACPI_SMI_DISABLE)
		pm->pm1_control &= ~ACPI_PM1_SCI_EN;
	update_sci(pm);
}

const struct bus_port_ops acpi_smi_ports = { .in = smi_in, .out = smi_out, .byte_wide = true };

/* ---- configuration space ---- */

static void pm_written(void *chip, unsigned int offset, unsigned int nbytes, uint64_t now_ns)
{
	struct acpi_pm *pm = chip;
	uint32_t base = pci_get16(&pm->pci, CFG_PMBASE) & 0xffc0;

	(void)offset, (void)nbytes, (void)now_ns;
	if (!(pm->pci.config[CFG_PMREGMISC] & 1) || base == 0)
		base = PCI_UNMAPPED;
	pci_region_move(&pm->pci, REGION, base);
}

void acpi_pm_init(struct acpi_pm *pm, struct pci *pci, const struct acpi_pm_config *config)
{
	uint8_t *writable = pm->pci.writable;

	memset(pm, 0, sizeof(*pm));
	pm->config = *config;
	pci_function_init(pci, &pm->pci, PCI_DEVFN(1, 3), 0x8086, 0x7113, 0x068000, 0x03, pm);
	pm->pci.written = pm_written;
	pm->pci.config[PCI_CFG_INT_PIN] = 1;
	pci_function_bar(&pm->pci, REGION, PCI_REGION_IO, ACPI_PM_PORT_COUNT, &acpi_pm_ports, NULL, pm);

	memset(&writable[0x40], 0xff, 0x100 - 0x40);
	pci_set32(writable, CFG_PMBASE, 0x0000ffc0);
	pci_set32(writable, CFG_SMBBASE, 0x0000fff0);
}

void acpi_pm_reset(struct acpi_pm *pm, uint64_t now_ns)
{
	uint8_t *config = pm->pci.config;

	pci_function_reset(&pm->pci);
	pci_set16(config, PCI_CFG_STATUS, 0x0280);
	memset(&config[0x40], 0, 0x100 - 0x40);
	config[CFG_PMBASE] = 1;			/* "this is I/O space": wired */
	config[CFG_SMBBASE] = 1;
	pci_set32(config, CFG_DEVACTB, DEVACTB_APMC_EN);

	pm->pm1_status = 0;
	pm->pm1_enable = 0;
	pm->pm1_control = 0;
	pm->gpe_status = 0;
	pm->gpe_enable = 0;
	memset(pm->io, 0, sizeof(pm->io));
	pm->smi_command = 0;
	pm->smi_status = 0;
	pm->half_period = timer_ticks(now_ns) >> TIMER_TOP_SHIFT;
	update_sci(pm);
}
