/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pci.c - configuration mechanism 1, base address registers, interrupt pins.
 *
 *      CF8: which bus, device, function, register --> CFC-CFF: its bytes --> written() of the chip
 *
 * Asked by:  devices/pc.c for the ports; the PCI chips for their configuration space.
 * Asks:      the machine to move port ranges and to drive PIRQ lines.
 * Sizing:    a BAR needs no special case. Its low bits are read-only by the writable mask, so all ones come back as
 *            the size, and an address that cannot be (FFF0h and above in the 32 bits) is mapped nowhere.
 * Tested by: tests/unit/test_pci.c.
 * Read next: devices/i440fx.c, devices/piix3.c.
 */
#include "devices/pci.h"

#define ADDRESS_ENABLE	0x80000000u
#define ADDRESS_WRITABLE 0x80fffffcu	/* PCI 2.1, "CONFIG_ADDRESS": bits 30-24, 1 and 0 read as zero */
#define PORT_ADDRESS	0xcf8
#define PORT_RESET	0xcf9
#define PORT_DATA	0xcfc

static uint32_t ones(unsigned int size)
{
	return size >= 4 ? 0xffffffffu : (1u << (8 * size)) - 1;
}

static struct pci_function *find(const struct pci *pci, uint8_t devfn)
{
	for (unsigned int i = 0; i < pci->nr_functions; i++)
		if (pci->function[i]->devfn == devfn)
			return pci->function[i];
	return NULL;
}

/* ---- regions ---- */

static void move_to(struct pci_function *function, struct pci_region *region, uint32_t base)
{
	const struct pci_machine *machine = &function->bus->machine;
	uint32_t old_base = region->base;

	if (base == old_base)
		return;
	region->base = base;
	if (machine->move)
		machine->move(machine->owner, region, old_base, base);
}

/*
 * Where a BAR's region belongs now. Address 0 means "not placed yet", as firmware and operating systems take it;
 * a range that ends at the very top is what a BAR holds while it is being sized.
 */
static uint32_t bar_base(const struct pci_function *function, unsigned int bar)
{
	const struct pci_region *region = &function->region[bar];
	uint32_t value = pci_get32(function, PCI_CFG_BAR0 + 4 * bar) & ~(region->nbytes - 1);
	uint8_t command = function->config[PCI_CFG_COMMAND];

	if (value == 0)
		return PCI_UNMAPPED;
	if (region->kind == PCI_REGION_IO) {
		if (!(command & PCI_COMMAND_IO) || value > 0x10000u - region->nbytes)
			return PCI_UNMAPPED;
		return value;
	}
	if (!(command & PCI_COMMAND_MEMORY) || value + (region->nbytes - 1) == 0xffffffffu)
		return PCI_UNMAPPED;
	return value;
}

static void update_bars(struct pci_function *function)
{
	for (unsigned int bar = 0; bar < PCI_MAX_BARS; bar++)
		if (function->region[bar].kind != PCI_REGION_NONE)
			move_to(function, &function->region[bar], bar_base(function, bar));
}

void pci_region_move(struct pci_function *function, unsigned int region, uint32_t base)
{
	move_to(function, &function->region[region], base);
}

/* ---- configuration space ---- */

uint32_t pci_config_read(struct pci *pci, uint8_t devfn, unsigned int offset, unsigned int size)
{
	const struct pci_function *function = find(pci, devfn);
	uint32_t value = 0;

	/* Nobody claims the cycle: master abort, and the host bridge makes it all ones. */
	if (!function || offset + size > 256)
		return ones(size);
	for (unsigned int i = 0; i < size; i++)
		value |= (uint32_t)function->config[offset + i] << (8 * i);
	return value;
}

void pci_config_write(struct pci *pci, uint8_t devfn, unsigned int offset, unsigned int size, uint32_t value,
		      uint64_t now_ns)
{
	struct pci_function *function = find(pci, devfn);

	if (!function || offset + size > 256)
		return;
	for (unsigned int i = 0; i < size; i++) {
		uint8_t byte = (value >> (8 * i)) & 0xff;
		uint8_t mask = function->writable[offset + i];
		uint8_t *config = &function->config[offset + i];

		*config = (*config & ~mask) | (byte & mask);
		*config &= ~(byte & function->write_1_clears[offset + i]);
	}
	if (offset < PCI_CFG_BAR0 + 4 * PCI_MAX_BARS)
		update_bars(function);
	if (function->written)
		function->written(function->chip, offset, size, now_ns);
}

/* ---- ports CF8 - CFF ---- */

/* Does the address register name a place on our one bus? */
static bool addressed(const struct pci *pci, uint16_t port, uint8_t *devfn, unsigned int *offset)
{
	if (!(pci->address & ADDRESS_ENABLE) || pci->address & 0x00ff0000)
		return false;
	*devfn = (pci->address >> 8) & 0xff;
	*offset = (pci->address & 0xfc) + (port & 3);
	return true;
}

static uint32_t pci_in(void *chip, uint16_t port, unsigned int size, uint64_t now_ns)
{
	struct pci *pci = chip;
	unsigned int offset;
	uint8_t devfn;

	if (port >= PORT_DATA && port + size <= PORT_DATA + 4) {
		if (!addressed(pci, port, &devfn, &offset))
			return ones(size);
		return pci_config_read(pci, devfn, offset, size);
	}
	/* CONFIG_ADDRESS is there for whole dwords only; anything smaller passes it by, on to ISA, where CF9 lives. */
	if (port == PORT_ADDRESS && size == 4)
		return pci->address;
	if (port == PORT_RESET && size == 1 && pci->cf9_ports)
		return pci->cf9_ports->in(pci->cf9_chip, port, size, now_ns);
	return ones(size);
}

static void pci_out(void *chip, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct pci *pci = chip;
	unsigned int offset;
	uint8_t devfn;

	if (port >= PORT_DATA && port + size <= PORT_DATA + 4) {
		if (addressed(pci, port, &devfn, &offset))
			pci_config_write(pci, devfn, offset, size, value, now_ns);
		return;
	}
	if (port == PORT_ADDRESS && size == 4)
		pci->address = value & ADDRESS_WRITABLE;
	else if (port == PORT_RESET && size == 1 && pci->cf9_ports)
		pci->cf9_ports->out(pci->cf9_chip, port, size, value, now_ns);
}

const struct bus_port_ops pci_ports = { .in = pci_in, .out = pci_out };

/* ---- interrupts ---- */

/*
 * INTA# of device d is wired to PIRQ (d - 1) mod 4, INTB# to the next: the board's wiring that SeaBIOS and the
 * ACPI tables of this machine take for granted.
 */
static unsigned int pirq_of(const struct pci_function *function)
{
	unsigned int pin = function->config[PCI_CFG_INT_PIN] - 1u;

	return ((function->devfn >> 3) - 1u + pin) & 3;
}

void pci_intx(struct pci_function *function, bool level)
{
	struct pci *pci = function->bus;
	uint8_t now = 0, changed;

	function->intx = level;
	for (unsigned int i = 0; i < pci->nr_functions; i++)
		if (pci->function[i]->intx && pci->function[i]->config[PCI_CFG_INT_PIN])
			now |= 1u << pirq_of(pci->function[i]);
	changed = now ^ pci->pirq_level;
	pci->pirq_level = now;
	for (unsigned int line = 0; line < 4; line++)
		if (changed >> line & 1)
			irq_set(&pci->machine.pirq[line], now >> line & 1);
}

/* ---- set-up ---- */

void pci_init(struct pci *pci, const struct pci_machine *machine)
{
	memset(pci, 0, sizeof(*pci));
	pci->machine = *machine;
}

void pci_reset(struct pci *pci)
{
	pci->address = 0;
}

void pci_set_cf9(struct pci *pci, const struct bus_port_ops *ports, void *chip)
{
	pci->cf9_ports = ports;
	pci->cf9_chip = chip;
}

bool pci_function_init(struct pci *pci, struct pci_function *function, uint8_t devfn, uint16_t vendor,
		       uint16_t device, uint32_t class_code, uint8_t revision, void *chip)
{
	memset(function, 0, sizeof(*function));
	function->bus = pci;
	function->devfn = devfn;
	function->chip = chip;
	for (unsigned int i = 0; i < PCI_MAX_REGIONS; i++)
		function->region[i].base = PCI_UNMAPPED;

	pci_set16(function->config, PCI_CFG_VENDOR, vendor);
	pci_set16(function->config, PCI_CFG_DEVICE, device);
	pci_set32(function->config, PCI_CFG_REVISION, class_code << 8 | revision);
	pci_set16(function->config, PCI_CFG_SUBSYS_VENDOR, 0x1af4);
	pci_set16(function->config, PCI_CFG_SUBSYS, 0x1100);

	/* I/O, memory, master, parity response, SERR#; the error bits of the status word clear by writing ones. */
	pci_set16(function->writable, PCI_CFG_COMMAND, 0x0147);
	pci_set16(function->write_1_clears, PCI_CFG_STATUS, 0xf900);
	function->writable[PCI_CFG_CACHE_LINE] = 0xff;
	function->writable[PCI_CFG_LATENCY] = 0xff;
	function->writable[PCI_CFG_INT_LINE] = 0xff;

	if (pci->nr_functions == PCI_MAX_FUNCTIONS || find(pci, devfn))
		return false;
	pci->function[pci->nr_functions++] = function;
	return true;
}

void pci_function_bar(struct pci_function *function, unsigned int bar, enum pci_region_kind kind, uint32_t nbytes,
		      const struct bus_port_ops *ports, const struct bus_mmio_ops *mmio, void *chip)
{
	struct pci_region *region = &function->region[bar];

	*region = (struct pci_region){ .kind = kind, .nbytes = nbytes, .base = PCI_UNMAPPED,
				       .ports = ports, .mmio = mmio, .chip = chip };
	if (bar >= PCI_MAX_BARS)
		return;
	pci_set32(function->config, PCI_CFG_BAR0 + 4 * bar, kind == PCI_REGION_IO ? 1 : 0);
	pci_set32(function->writable, PCI_CFG_BAR0 + 4 * bar, ~(nbytes - 1));
}

void pci_function_reset(struct pci_function *function)
{
	pci_set16(function->config, PCI_CFG_COMMAND, 0);
	function->config[PCI_CFG_CACHE_LINE] = 0;
	function->config[PCI_CFG_LATENCY] = 0;
	function->config[PCI_CFG_INT_LINE] = 0;
	for (unsigned int i = 0; i < PCI_MAX_REGIONS; i++) {
		struct pci_region *region = &function->region[i];

		if (region->kind == PCI_REGION_NONE)
			continue;
		if (i < PCI_MAX_BARS)
			pci_set32(function->config, PCI_CFG_BAR0 + 4 * i, region->kind == PCI_REGION_IO ? 1 : 0);
		move_to(function, region, PCI_UNMAPPED);
	}
	pci_intx(function, false);
}
