/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pci.h - the PCI bus: configuration mechanism 1, and which function answers where.
 *
 *      ports CF8-CFF --> pci.c --> a function's 256 bytes --> regions that move --> the machine's bus
 *      a chip's INTx# --> pci.c --> PIRQ A-D --> piix3.c --> PIC
 *
 * Asked by: devices/pc.c (ports, wiring), and every PCI chip (pci_function_*).
 * Asks:     nothing but the machine, through struct pci_machine and irq_line.
 * Source:   PCI Local Bus Specification 2.1, "Configuration Space"; one bus, numbered 0.
 */
#ifndef DEVICES_PCI_H
#define DEVICES_PCI_H

#include "devices/device.h"

#define PCI_PORT_FIRST	0xcf8		/* the range to register for pci_ports: CF8 - CFF */
#define PCI_PORT_COUNT	8
#define PCI_MAX_FUNCTIONS 16
#define PCI_MAX_BARS	6
#define PCI_MAX_REGIONS	8		/* 0 - 5: the BARs; 6, 7: windows that a chip places by registers of its own */
#define PCI_UNMAPPED	0xffffffffu
#define PCI_DEVFN(device, function) ((uint8_t)((device) << 3 | (function)))

/* Offsets in the configuration header. */
#define PCI_CFG_VENDOR		0x00
#define PCI_CFG_DEVICE		0x02
#define PCI_CFG_COMMAND		0x04
#define PCI_CFG_STATUS		0x06
#define PCI_CFG_REVISION	0x08
#define PCI_CFG_PROG_IF		0x09
#define PCI_CFG_SUBCLASS	0x0a
#define PCI_CFG_CLASS		0x0b
#define PCI_CFG_CACHE_LINE	0x0c
#define PCI_CFG_LATENCY		0x0d
#define PCI_CFG_HEADER_TYPE	0x0e
#define PCI_CFG_BAR0		0x10
#define PCI_CFG_SUBSYS_VENDOR	0x2c
#define PCI_CFG_SUBSYS		0x2e
#define PCI_CFG_INT_LINE	0x3c
#define PCI_CFG_INT_PIN		0x3d

#define PCI_COMMAND_IO		0x0001
#define PCI_COMMAND_MEMORY	0x0002
#define PCI_COMMAND_MASTER	0x0004

enum pci_region_kind { PCI_REGION_NONE = 0, PCI_REGION_IO, PCI_REGION_MEMORY };

/* A window of ports or memory that the guest may place. @base is PCI_UNMAPPED while it answers nowhere. */
struct pci_region {
	enum pci_region_kind kind;
	uint32_t nbytes;			/* a power of two; ports at least 4, memory at least 16 */
	uint32_t base;
	const struct bus_port_ops *ports;	/* kind IO: who answers there */
	const struct bus_mmio_ops *mmio;	/* kind MEMORY: the same; NULL when the machine maps it itself */
	void *chip;				/* the argument of both */
};

/*
 * What the machine does for the bus. @move: @region was at @old_base and is at @new_base now; either may be
 * PCI_UNMAPPED, they always differ. The machine takes the ports off its bus at the old place and puts
 * region->ports (with region->chip) at the new one; two regions may overlap while firmware shuffles them.
 */
struct pci_machine {
	void (*move)(void *owner, const struct pci_region *region, uint32_t old_base, uint32_t new_base);
	void *owner;
	struct irq_line pirq[4];		/* PIRQA# - PIRQD#, level */
};

struct pci;

/* One function of a device: embedded in its chip. */
struct pci_function {
	uint8_t config[256];
	uint8_t writable[256];			/* bits that the guest may set and clear */
	uint8_t write_1_clears[256];		/* status bits */
	struct pci_region region[PCI_MAX_REGIONS];
	/* Called after the guest wrote config[offset .. offset + nbytes); may be NULL. Regions 0-5 have moved already. */
	void (*written)(void *chip, unsigned int offset, unsigned int nbytes, uint64_t now_ns);
	void *chip;
	struct pci *bus;
	uint8_t devfn;
	bool intx;				/* level of its interrupt pin */
};

struct pci {
	struct pci_machine machine;
	struct pci_function *function[PCI_MAX_FUNCTIONS];
	unsigned int nr_functions;
	uint32_t address;			/* the CF8 register */
	uint8_t pirq_level;			/* one bit a line, as last told to the machine */
	const struct bus_port_ops *cf9_ports;	/* byte port CF9 lies inside CF8-CFB but belongs to the ISA bridge */
	void *cf9_chip;
};

extern const struct bus_port_ops pci_ports;	/* chip: struct pci */

void pci_init(struct pci *pci, const struct pci_machine *machine);
void pci_reset(struct pci *pci);		/* the CF8 register only; each chip resets its function */
void pci_set_cf9(struct pci *pci, const struct bus_port_ops *ports, void *chip);

/* The access as the processor makes it through CF8/CFC, for a machine that starts without firmware and for tests. */
uint32_t pci_config_read(struct pci *pci, uint8_t devfn, unsigned int offset, unsigned int size);
void pci_config_write(struct pci *pci, uint8_t devfn, unsigned int offset, unsigned int size, uint32_t value,
		      uint64_t now_ns);

/* For chips. @class_code is base class << 16 | subclass << 8 | programming interface. False: the bus is full. */
bool pci_function_init(struct pci *pci, struct pci_function *function, uint8_t devfn, uint16_t vendor,
		       uint16_t device, uint32_t class_code, uint8_t revision, void *chip);
void pci_function_bar(struct pci_function *function, unsigned int bar, enum pci_region_kind kind, uint32_t nbytes,
		      const struct bus_port_ops *ports, const struct bus_mmio_ops *mmio, void *chip);
/* Command, BARs and interrupt line back to zero; every region is taken off the bus. */
void pci_function_reset(struct pci_function *function);
/* Place a region by hand: those that no BAR rules. @base PCI_UNMAPPED takes it away. */
void pci_region_move(struct pci_function *function, unsigned int region, uint32_t base);
/* The interrupt pin (config byte 3D: 1 = INTA# ... 4 = INTD#). Lines of several functions are or-ed. */
void pci_intx(struct pci_function *function, bool level);

static inline bool pci_is_master(const struct pci_function *function)
{
	return function->config[PCI_CFG_COMMAND] & PCI_COMMAND_MASTER;
}

static inline uint16_t pci_get16(const struct pci_function *function, unsigned int offset)
{
	return (uint16_t)(function->config[offset] | function->config[offset + 1] << 8);
}

static inline uint32_t pci_get32(const struct pci_function *function, unsigned int offset)
{
	return pci_get16(function, offset) | (uint32_t)pci_get16(function, offset + 2) << 16;
}

static inline void pci_set16(uint8_t *bytes, unsigned int offset, uint16_t value)
{
	bytes[offset] = value & 0xff;
	bytes[offset + 1] = value >> 8;
}

static inline void pci_set32(uint8_t *bytes, unsigned int offset, uint32_t value)
{
	pci_set16(bytes, offset, value & 0xffff);
	pci_set16(bytes, offset + 2, value >> 16);
}

#endif
