/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pc_wire.c - the board: which chip's pin goes to which other's, and who answers at which port.
 *
 *      PIT, keyboard, UARTs, RTC, mouse, IDE --ISA--+
 *      PCI functions --PIRQ--> PIIX3 --PCI----------+--or--> PIC --INTR--> processor
 *      power management --SCI-----------------------+
 *
 * Asked by: devices/pc.c, once. Asks: every chip.
 * The board is a 1996 PC: i440FX and PIIX3, with the PIIX4's power management added for ACPI.
 */
#include "devices/pc_parts.h"

/* ---- lines ---- */

static void drive_intr(void *owner, unsigned int line, bool level)
{
	struct pc *pc = owner;

	(void)line;
	pc->intr = level;
	plx_set_intr(pc->vm, level);
}

static void drive_irq(void *owner, unsigned int line, bool level)
{
	struct pc *pc = owner;
	unsigned int irq = line & 15;
	uint32_t source = 1u << (line >> 8);

	if (level)
		pc->irq_sources[irq] |= source;
	else
		pc->irq_sources[irq] &= ~source;
	pic_set_irq(&pc->pic, irq, pc->irq_sources[irq] != 0);
}

static void irq_was_taken(void *owner, unsigned int irq)
{
	struct pc *pc = owner;

	if (irq != 0)
		return;
	pit_irq0_taken(&pc->pit);
	pc_rearm(pc, PC_TIMER_PIT);
}

/*
 * A20 has two switches, and whoever wrote last decides. Boards that or-ed them existed, but system software of the time
 * does not count on it: it opens by one and closes by the other.
 */
static void drive_a20(void *owner, unsigned int line, bool level)
{
	struct pc *pc = owner;

	(void)line;
	if (level == pc->a20_open)
		return;
	pc->a20_open = level;
	plx_vm_set_a20(pc->vm, level);
}

static void reset_button(void *owner)
{
	struct pc *pc = owner;

	plx_vm_request_reset(pc->vm);
}

/* CF9 can also reset the processor alone (INIT). Firmware then finds the same machine either way. */
static void reset_by_cf9(void *owner, bool hard)
{
	(void)hard;
	reset_button(owner);
}

static void power_off(void *owner)
{
	struct pc *pc = owner;

	/* A disk writes its cache out when the power goes; a failure is reported by the disk itself. */
	ide_flush_all(&pc->ide);
	__atomic_store_n(&pc->powered_off, true, __ATOMIC_RELEASE);
	plx_vm_stop(pc->vm);
}

static void dma_read(void *owner, uint32_t gpa, void *buf, uint32_t nbytes)
{
	struct pc *pc = owner;

	plx_vm_dma_read(pc->vm, gpa, buf, nbytes);
}

static void dma_write(void *owner, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	struct pc *pc = owner;

	plx_vm_dma_write(pc->vm, gpa, buf, nbytes);
}

static struct irq_line irq_line(struct pc *pc, unsigned int irq, enum pc_irq_source source)
{
	return (struct irq_line){ .set = drive_irq, .owner = pc, .line = PC_LINE(irq, source) };
}

/* ---- the coprocessor's error ---- */

#define COPROCESSOR_PORT	0xf0
#define COPROCESSOR_IRQ		13

static void drive_irq13(struct pc *pc, bool level)
{
	drive_irq(pc, PC_LINE(COPROCESSOR_IRQ, PC_IRQ_ISA), level);
}

/*
 * PIIX3 datasheet, "Coprocessor Error Function": FERR# going active latches IRQ 13. A write to port F0h takes the request
 * away and, as long as FERR# stays active, asserts IGNNE#, so that the handler can use the x87 to look at its error.
 */
bool pc_coprocessor_error(struct pc *pc, bool level)
{
	if (level && !pc->ferr)
		drive_irq13(pc, true);
	if (!level)
		pc->ignne = false;
	pc->ferr = level;
	return pc->ignne;
}

static void coprocessor_out(void *opaque, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct pc *pc = opaque;

	(void)port;
	(void)size;
	(void)value;
	(void)now_ns;
	drive_irq13(pc, false);
	pc->ignne = pc->ferr;
}

static uint32_t coprocessor_in(void *opaque, uint16_t port, unsigned int size, uint64_t now_ns)
{
	(void)opaque;
	(void)port;
	(void)size;
	(void)now_ns;
	return 0xff;
}

static const struct bus_port_ops coprocessor_ports = { .in = coprocessor_in, .out = coprocessor_out, .byte_wide = true };

void pc_coprocessor_reset(struct pc *pc)
{
	drive_irq13(pc, false);
	pc->ferr = pc->ignne = false;
}

/* ---- PCI regions ---- */

static unsigned int tag_of(const struct pc *pc, const struct pci_region *region)
{
	return region->chip == &pc->pm ? PC_TIMER_PM : PC_TIMER_NONE;
}

static const char *name_of(const struct pc *pc, const struct pci_region *region)
{
	return region->chip == &pc->pm ? "acpi pm" : region->chip == &pc->ide ? "ide dma" : "pci";
}

static void place(struct pc *pc, struct pc_region *slot)
{
	const struct pci_region *r = slot->region;

	if (r->kind == PCI_REGION_IO && r->ports)
		slot->handle = bus_add_ports(&pc->bus, name_of(pc, r), (uint16_t)r->base, r->nbytes, r->ports, r->chip,
					     (uint8_t)tag_of(pc, r));
	else if (r->kind == PCI_REGION_MEMORY && r->mmio)
		slot->handle = bus_add_mmio(&pc->bus, r->base, r->nbytes, r->mmio, r->chip, (uint8_t)tag_of(pc, r));
}

static void displace(struct pc *pc, struct pc_region *slot)
{
	if (slot->region->kind == PCI_REGION_IO)
		bus_remove_ports(&pc->bus, slot->handle);
	else
		bus_remove_mmio(&pc->bus, slot->handle);
	slot->handle = 0;
}

/*
 * The guest moved a PCI region. Regions may overlap for a moment while it shuffles them, and whoever came late to a
 * port did not get it; so once somebody has left, all the others of its kind try again.
 */
static void move_region(void *owner, const struct pci_region *region, uint32_t old_base, uint32_t new_base)
{
	struct pc *pc = owner;
	struct pc_region *slot = NULL;
	unsigned int i;

	if (region == &pc->vga.pci.region[0]) {
		pc_memory_frame_buffer(pc, new_base);
		return;
	}
	for (i = 0; i < PC_MAX_REGIONS && !slot; i++)
		if (pc->regions[i].region == region)
			slot = &pc->regions[i];
	for (i = 0; i < PC_MAX_REGIONS && !slot; i++)
		if (!pc->regions[i].region)
			slot = &pc->regions[i];
	if (!slot)
		return;			/* more functions than the board has places: its region stays silent */

	if (slot->region && old_base != PCI_UNMAPPED)
		displace(pc, slot);
	slot->region = new_base == PCI_UNMAPPED ? NULL : region;
	for (i = 0; i < PC_MAX_REGIONS; i++) {
		struct pc_region *other = &pc->regions[i];

		if (other != slot && other->region && other->region->kind == region->kind &&
		    old_base != PCI_UNMAPPED && other->region->base < old_base + region->nbytes &&
		    old_base < other->region->base + other->region->nbytes) {
			displace(pc, other);
			place(pc, other);
		}
	}
	if (slot->region)
		place(pc, slot);
}

/* ---- chips ---- */

static void add(struct pc *pc, const char *name, uint16_t first, uint32_t count, const struct bus_port_ops *ops,
		void *chip, unsigned int tag)
{
	bus_add_ports(&pc->bus, name, first, count, ops, chip, (uint8_t)tag);
}

static void wire_isa(struct pc *pc)
{
	const struct pc_config *config = &pc->config;
	struct kbd_config kbd = {
		.irq1 = irq_line(pc, 1, PC_IRQ_ISA), .irq12 = irq_line(pc, 12, PC_IRQ_ISA),
		.a20 = { .set = drive_a20, .owner = pc },
		.reset = reset_button, .owner = pc,
	};

	pic_init(&pc->pic, (struct irq_line){ .set = drive_intr, .owner = pc });
	pc->pic.taken = irq_was_taken;
	pc->pic.taken_owner = pc;
	add(pc, "pic", PIC_PORT_MASTER, 2, &pic_port_ops, &pc->pic, PC_TAG_PIC);
	add(pc, "pic", PIC_PORT_SLAVE, 2, &pic_port_ops, &pc->pic, PC_TAG_PIC);
	add(pc, "pic elcr", PIC_PORT_ELCR, 2, &pic_port_ops, &pc->pic, PC_TAG_PIC);

	pit_init(&pc->pit, irq_line(pc, 0, PC_IRQ_ISA), pc->last_ns);
	add(pc, "pit", PIT_PORT_COUNTER0, 4, &pit_port_ops, &pc->pit, PC_TIMER_PIT);
	add(pc, "port 61h", PIT_PORT_SYSTEM, 1, &pit_port_ops, &pc->pit, PC_TIMER_PIT);

	rtc_init(&pc->rtc, irq_line(pc, 8, PC_IRQ_ISA), config->wall_s ? config->wall_s(config->clock_owner) : 0,
		 pc->last_ns);
	add(pc, "rtc", RTC_PORT_INDEX, 2, &rtc_port_ops, &pc->rtc, PC_TIMER_RTC);

	kbd_init(&pc->kbd, &kbd);
	add(pc, "keyboard", KBD_PORT_DATA, 1, &kbd_port_ops, &pc->kbd, PC_TIMER_KBD);
	add(pc, "keyboard", KBD_PORT_STATUS, 1, &kbd_port_ops, &pc->kbd, PC_TIMER_KBD);

	port92_init(&pc->port92, (struct irq_line){ .set = drive_a20, .owner = pc }, reset_button, pc);
	add(pc, "port 92h", PORT92_PORT, 1, &port92_port_ops, &pc->port92, PC_TIMER_NONE);

	add(pc, "coprocessor", COPROCESSOR_PORT, 1, &coprocessor_ports, pc, PC_TIMER_NONE);

	uart_init(&pc->uart[0], irq_line(pc, 4, PC_IRQ_ISA), config->serial[0]);
	uart_init(&pc->uart[1], irq_line(pc, 3, PC_IRQ_ISA), config->serial[1]);
	add(pc, "com1", UART_COM1, UART_PORT_COUNT, &uart_port_ops, &pc->uart[0], PC_TIMER_COM1);
	add(pc, "com2", UART_COM2, UART_PORT_COUNT, &uart_port_ops, &pc->uart[1], PC_TIMER_COM2);

	debugcon_init(&pc->debugcon, config->debug_console);
	add(pc, "debug console", DEBUGCON_PORT, 1, &debugcon_port_ops, &pc->debugcon, PC_TIMER_NONE);

	dma8237_init(&pc->dma);
	add(pc, "dma", DMA8237_PORT_LOW, 16, &dma8237_port_ops, &pc->dma, PC_TIMER_NONE);
	add(pc, "dma page", DMA8237_PORT_PAGE, 16, &dma8237_port_ops, &pc->dma, PC_TIMER_NONE);
	add(pc, "dma", DMA8237_PORT_HIGH, 32, &dma8237_port_ops, &pc->dma, PC_TIMER_NONE);
}

static void report_host_error(void *owner, unsigned int disk, enum ide_host_operation operation, uint64_t sector, int error)
{
	static const char *const what[] = {
		[IDE_HOST_READ] = "read", [IDE_HOST_WRITE] = "written", [IDE_HOST_FLUSH] = "flushed",
	};
	const struct pc *pc = owner;

	if (pc->config.host_error)
		pc->config.host_error(pc->config.host_error_owner, disk, what[operation], sector, error);
}

static void wire_ide(struct pc *pc, const struct dma_ops *dma)
{
	struct ide_config ide = {
		.irq = { irq_line(pc, IDE_PRIMARY_IRQ, PC_IRQ_ISA), irq_line(pc, IDE_SECONDARY_IRQ, PC_IRQ_ISA) },
		.dma = *dma,
		.host_error = report_host_error, .owner = pc,
	};
	unsigned int i;

	for (i = 0; i < PC_MAX_DISKS; i++)
		ide.disk[i] = pc->config.disk[i];
	ide_init(&pc->ide, &pc->pci, &ide);
	add(pc, "ide", IDE_PRIMARY_PORT, IDE_COMMAND_PORT_COUNT, &ide_command_ports, &pc->ide.channel[0], PC_TIMER_NONE);
	add(pc, "ide control", IDE_PRIMARY_CONTROL, IDE_CONTROL_PORT_COUNT, &ide_control_ports, &pc->ide.channel[0],
	    PC_TIMER_NONE);
	add(pc, "ide 2", IDE_SECONDARY_PORT, IDE_COMMAND_PORT_COUNT, &ide_command_ports, &pc->ide.channel[1],
	    PC_TIMER_NONE);
	add(pc, "ide 2 control", IDE_SECONDARY_CONTROL, IDE_CONTROL_PORT_COUNT, &ide_control_ports, &pc->ide.channel[1],
	    PC_TIMER_NONE);
}

static void wire_pci(struct pc *pc)
{
	struct pci_machine machine = { .move = move_region, .owner = pc };
	struct i440fx_config bridge = { .shadow = pc_memory_shadow, .owner = pc, .ram_bytes = pc->config.ram_bytes };
	struct piix3_config isa = { .reset = reset_by_cf9, .owner = pc };
	struct acpi_pm_config pm = { .sci = irq_line(pc, ACPI_SCI_IRQ, PC_IRQ_SCI), .power_off = power_off, .owner = pc };
	const struct dma_ops dma = { .read = dma_read, .write = dma_write, .owner = pc };
	unsigned int i;

	for (i = 0; i < 4; i++)
		machine.pirq[i] = (struct irq_line){ .set = piix3_pirq, .owner = &pc->piix3, .line = i };
	for (i = 0; i < 16; i++)
		isa.pic[i] = irq_line(pc, i, PC_IRQ_PCI);

	pci_init(&pc->pci, &machine);
	i440fx_init(&pc->i440fx, &pc->pci, &bridge);
	piix3_init(&pc->piix3, &pc->pci, &isa);
	pci_set_cf9(&pc->pci, &piix3_cf9_ports, &pc->piix3);
	wire_ide(pc, &dma);
	acpi_pm_init(&pc->pm, &pc->pci, &pm);
	add(pc, "pci", PCI_PORT_FIRST, PCI_PORT_COUNT, &pci_ports, &pc->pci, PC_TIMER_NONE);
	add(pc, "smi", ACPI_SMI_PORT, ACPI_SMI_PORT_COUNT, &acpi_smi_ports, &pc->pm, PC_TIMER_PM);

	fwcfg_init(&pc->fwcfg, &dma);
	add(pc, "fw_cfg", FWCFG_PORT, FWCFG_PORT_COUNT, &fwcfg_ports, &pc->fwcfg, PC_TIMER_NONE);
	add(pc, "fw_cfg dma", FWCFG_DMA_PORT, FWCFG_DMA_PORT_COUNT, &fwcfg_dma_ports, &pc->fwcfg, PC_TIMER_NONE);
}

static void wire_vga(struct pc *pc)
{
	const struct vga_map_ops map = { .map_window = pc_memory_window, .owner = pc };

	vga_init(&pc->vga, plx_vm_ram(pc->vm) + pc->vram_offset, pc->vram_offset, VGA_VRAM_BYTES, &map);
	vga_attach_pci(&pc->vga, &pc->pci, PCI_DEVFN(2, 0));
	add(pc, "vga", VGA_PORT_MONO_FIRST, VGA_PORT_MONO_COUNT, &vga_port_ops, &pc->vga, PC_TIMER_NONE);
	add(pc, "vga", VGA_PORT_FIRST, VGA_PORT_COUNT, &vga_port_ops, &pc->vga, PC_TIMER_NONE);
	add(pc, "vga", VGA_PORT_COLOUR_FIRST, VGA_PORT_COLOUR_COUNT, &vga_port_ops, &pc->vga, PC_TIMER_NONE);
	add(pc, "vga dispi", VGA_PORT_DISPI_FIRST, VGA_PORT_DISPI_COUNT, &vga_dispi_ops, &pc->vga, PC_TIMER_NONE);
	bus_add_mmio(&pc->bus, VGA_WINDOW_GPA, VGA_WINDOW_BYTES, &vga_window_ops, &pc->vga, PC_TIMER_NONE);
}

/* Fixed ports first: what PCI regions later claim on top of them they do not get. */
void pc_wire(struct pc *pc)
{
	wire_isa(pc);
	wire_pci(pc);
	if (pc->config.has_vga)
		wire_vga(pc);
	bus_add_mmio(&pc->bus, PC_SHADOW_GPA, PC_SHADOW_END - PC_SHADOW_GPA, &pc_shadow_ops, pc, PC_TIMER_NONE);
}
