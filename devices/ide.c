/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/ide.c - the two channels as the guest's ports show them: registers, data port, interrupt, reset.
 *
 *      1F0 data <--> buffer         1F1-1F6 --> both drives' registers        1F7 --> ata_command.c
 *
 * Asked by:  devices/pc.c, devices/bus.c.
 * Asks:      ata_command.c, ata_transfer.c; IRQ 14 and 15.
 * Decoding:  the ports answer also before firmware sets the enable bits in registers 41h and 43h, so that a kernel
 *            started without firmware finds its disk.
 * Tested by: tests/unit/test_ide.c.
 * Read next: devices/ata_command.c, devices/ata_transfer.c.
 */
#include "devices/ide_parts.h"

enum { REG_DATA, REG_ERROR, REG_COUNT, REG_LBA_LOW, REG_LBA_MID, REG_LBA_HIGH, REG_DEVICE, REG_STATUS };

#define FLOATING	0x7f		/* no drive on the cable: ones, but for DD7, which the host pulls down so that BSY reads as clear (ATA-6, termination of DD7) */

/* ---- interrupt ---- */

/*
 * INTRQ is the selected drive's pending interrupt; nIEN takes the drive off the line. A rising edge sets the bus
 * master's interrupt bit, whatever the command was (PIIX3, "Bus Master IDE Status Register").
 */
void ide_update_irq(struct ide_channel *channel)
{
	const struct ide_drive *drive = ide_selected(channel);
	bool level = drive->kind != IDE_NO_DRIVE && drive->interrupt && !(channel->control & ATA_NIEN);

	if (level == channel->irq_level)
		return;
	channel->irq_level = level;
	if (level)
		channel->bm_status |= BM_INTERRUPT;
	irq_set(&channel->ide->config.irq[channel->index], level);
}

void ide_drive_interrupt(struct ide_channel *channel, struct ide_drive *drive)
{
	drive->interrupt = true;
	ide_update_irq(channel);
}

void ide_report(struct ide_channel *channel, const struct ide_drive *drive, enum ide_host_operation operation,
		uint64_t sector, int error)
{
	const struct ide_config *config = &channel->ide->config;

	channel->stats.host_errors++;
	if (config->host_error)
		config->host_error(config->owner, drive->index, operation, sector, error);
}

/* ---- reset ---- */

void ide_signature(struct ide_drive *drive)
{
	uint8_t command = drive->reg.command;

	drive->reg = (struct ide_taskfile){ .count = 1, .lba_low = 1, .error = 1, .command = command };
	drive->reg.status = drive->kind == IDE_NO_DRIVE ? 0 : ATA_DRDY | ATA_DSC;
	drive->interrupt = false;
}

/* What both a software reset and power-on do to a channel. Modes set by SET FEATURES and the geometry stay. */
static void channel_reset(struct ide_channel *channel)
{
	channel->phase = IDE_IDLE;
	channel->device = 0;
	for (unsigned int i = 0; i < 2; i++) {
		ide_signature(&channel->drive[i]);
		channel->drive[i].standby = false;
	}
	ide_update_irq(channel);
}

static void drive_power_on(struct ide_drive *drive)
{
	drive->current = drive->native;
	drive->multiple = 0;
	drive->mwdma_mode = 1u << 2;
	drive->udma_mode = 0;
	drive->write_cache = true;
}

void ide_reset(struct ide *ide)
{
	uint8_t *config = ide->pci.config;

	pci_function_reset(&ide->pci);
	pci_set16(config, PCI_CFG_STATUS, 0x0280);
	memset(&config[0x40], 0, 0x100 - 0x40);
	for (unsigned int i = 0; i < 2; i++) {
		struct ide_channel *channel = &ide->channel[i];

		channel->control = 0;
		ide_dma_reset(channel);
		drive_power_on(&channel->drive[0]);
		drive_power_on(&channel->drive[1]);
		channel_reset(channel);
	}
}

/* ---- the command block: 1F0 - 1F7 ---- */

static bool any_drive(const struct ide_channel *channel)
{
	return channel->drive[0].kind != IDE_NO_DRIVE || channel->drive[1].kind != IDE_NO_DRIVE;
}

/* An absent drive's register reads are answered by the other one, but its status is 00 (ATA-6, "Single device"). */
static const struct ide_taskfile *answering(struct ide_channel *channel)
{
	struct ide_drive *drive = ide_selected(channel);

	if (drive->kind == IDE_NO_DRIVE)
		drive = &channel->drive[drive == &channel->drive[0]];
	return &drive->reg;
}

static uint8_t status(struct ide_channel *channel)
{
	if (!any_drive(channel))
		return FLOATING;
	if (channel->control & ATA_SRST)
		return ATA_BSY;
	return ide_selected(channel)->reg.status;
}

static uint8_t read_register(struct ide_channel *channel, unsigned int reg)
{
	const struct ide_taskfile *file = answering(channel);
	bool hob = channel->control & ATA_HOB;

	if (!any_drive(channel))
		return FLOATING;
	if (channel->control & ATA_SRST)
		return ATA_BSY;
	switch (reg) {
	case REG_ERROR:
		return file->error;
	case REG_COUNT:
		return hob ? file->hob_count : file->count;
	case REG_LBA_LOW:
		return hob ? file->hob_lba_low : file->lba_low;
	case REG_LBA_MID:
		return hob ? file->hob_lba_mid : file->lba_mid;
	case REG_LBA_HIGH:
		return hob ? file->hob_lba_high : file->lba_high;
	case REG_DEVICE:
		return channel->device | ATA_DEVICE_ONES;
	default:
		/* Reading the status register, unlike the alternate one, takes the interrupt back. */
		ide_selected(channel)->interrupt = false;
		ide_update_irq(channel);
		return status(channel);
	}
}

static void push(uint8_t *now, uint8_t *before, uint8_t value)
{
	*before = *now;
	*now = value;
}

static void write_register(struct ide_channel *channel, unsigned int reg, uint8_t value)
{
	if (channel->control & ATA_SRST)
		return;			/* BSY: the drives do not listen */
	channel->control &= ~ATA_HOB;
	if (reg == REG_DEVICE) {
		channel->device = value;
		ide_update_irq(channel);
		return;
	}
	if (reg == REG_STATUS) {
		struct ide_drive *drive = ide_selected(channel);

		if (value == 0x90)
			ata_diagnostic(channel);	/* addressed to both drives */
		else if (drive->kind != IDE_NO_DRIVE)
			ata_command(channel, drive, value);
		return;
	}
	/* Both drives see every write of a parameter; only commands are for one. */
	for (unsigned int i = 0; i < 2; i++) {
		struct ide_taskfile *file = &channel->drive[i].reg;

		if (reg == REG_ERROR)
			push(&file->feature, &file->hob_feature, value);
		else if (reg == REG_COUNT)
			push(&file->count, &file->hob_count, value);
		else if (reg == REG_LBA_LOW)
			push(&file->lba_low, &file->hob_lba_low, value);
		else if (reg == REG_LBA_MID)
			push(&file->lba_mid, &file->hob_lba_mid, value);
		else
			push(&file->lba_high, &file->hob_lba_high, value);
	}
}

/* ---- the data port ---- */

/* How many bytes the data port can move now: none unless the selected drive asks (DRQ). */
static uint32_t data_ready(struct ide_channel *channel, enum ide_phase phase)
{
	if (channel->phase != phase || ide_selected(channel) != ide_active(channel))
		return 0;
	return channel->drq_end - channel->position;
}

static uint32_t data_in(struct ide_channel *channel, void *buf, uint32_t nbytes)
{
	nbytes = plx_min32(nbytes, data_ready(channel, IDE_PIO_IN));
	if (nbytes == 0)
		return 0;
	memcpy(buf, &channel->buffer[channel->position], nbytes);
	channel->position += nbytes;
	if (channel->position == channel->drq_end)
		ata_block_moved(channel);
	return nbytes;
}

static uint32_t data_out(struct ide_channel *channel, const void *buf, uint32_t nbytes)
{
	nbytes = plx_min32(nbytes, data_ready(channel, IDE_PIO_OUT));
	if (nbytes == 0)
		return 0;
	memcpy(&channel->buffer[channel->position], buf, nbytes);
	channel->position += nbytes;
	if (channel->position == channel->drq_end)
		ata_block_moved(channel);
	return nbytes;
}

static uint32_t command_in(void *chip, uint16_t port, unsigned int size, uint64_t now_ns)
{
	struct ide_channel *channel = chip;
	unsigned int reg = port & 7;
	uint32_t value = 0xffffffff;

	(void)now_ns;
	if (reg == REG_DATA) {
		channel->stats.pio_single++;
		/* The cable has 16 lines: a byte read takes a word off it too. */
		data_in(channel, &value, size == 1 ? 2 : size);
		return value;
	}
	value = read_register(channel, reg);
	for (unsigned int i = 1; i < size && reg + i <= REG_STATUS; i++)
		value |= (uint32_t)read_register(channel, reg + i) << (8 * i);
	return value;
}

static void command_out(void *chip, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct ide_channel *channel = chip;
	unsigned int reg = port & 7;

	(void)now_ns;
	if (reg == REG_DATA) {
		channel->stats.pio_single++;
		data_out(channel, &value, size == 1 ? 2 : size);
		return;
	}
	for (unsigned int i = 0; i < size && reg + i <= REG_STATUS; i++)
		write_register(channel, reg + i, value >> (8 * i) & 0xff);
}

/*
 * REP INSW of a sector is one copy. It stops at the end of the DRQ block: what comes next is another block, and the
 * guest has a right to see the status in between. Without DRQ the bus floats, however long the guest reads on.
 */
static uint32_t command_ins(void *chip, uint16_t port, unsigned int size, void *buf, uint32_t count, uint64_t now_ns)
{
	struct ide_channel *channel = chip;
	uint32_t ready = data_ready(channel, IDE_PIO_IN), value;

	if ((port & 7) == REG_DATA && size != 1 && ready == 0) {
		memset(buf, 0xff, (size_t)count * size);
		return count;
	}
	if ((port & 7) != REG_DATA || size == 1 || ready < size) {
		value = command_in(chip, port, size, now_ns);
		memcpy(buf, &value, size);
		return 1;
	}
	channel->stats.pio_bulk++;
	count = plx_min32(count, ready / size);
	return data_in(channel, buf, count * size) / size;
}

static uint32_t command_outs(void *chip, uint16_t port, unsigned int size, const void *buf, uint32_t count,
			     uint64_t now_ns)
{
	struct ide_channel *channel = chip;
	uint32_t ready = data_ready(channel, IDE_PIO_OUT), value = 0;

	if ((port & 7) == REG_DATA && size != 1 && ready == 0)
		return count;
	if ((port & 7) != REG_DATA || size == 1 || ready < size) {
		memcpy(&value, buf, size);
		command_out(chip, port, size, value, now_ns);
		return 1;
	}
	channel->stats.pio_bulk++;
	count = plx_min32(count, ready / size);
	return data_out(channel, buf, count * size) / size;
}

const struct bus_port_ops ide_command_ports = {
	.in = command_in, .out = command_out, .ins = command_ins, .outs = command_outs,
};

/* ---- the control block: 3F6 ---- */

static uint32_t control_in(void *chip, uint16_t port, unsigned int size, uint64_t now_ns)
{
	(void)port, (void)size, (void)now_ns;
	return status(chip);
}

static void control_out(void *chip, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct ide_channel *channel = chip;
	bool was_reset = channel->control & ATA_SRST;

	(void)port, (void)size, (void)now_ns;
	channel->control = value & (ATA_HOB | ATA_SRST | ATA_NIEN);
	if (value & ATA_SRST && !was_reset) {
		channel->phase = IDE_IDLE;
		channel->drive[0].interrupt = false;
		channel->drive[1].interrupt = false;
	} else if (!(value & ATA_SRST) && was_reset) {
		channel_reset(channel);
	}
	ide_update_irq(channel);
}

const struct bus_port_ops ide_control_ports = { .in = control_in, .out = control_out, .byte_wide = true };

/* ---- set-up ---- */

static void ide_written(void *chip, unsigned int offset, unsigned int nbytes, uint64_t now_ns)
{
	struct ide *ide = chip;

	(void)nbytes, (void)now_ns;
	/* A transfer may have waited for the right to be bus master. */
	if (offset <= PCI_CFG_COMMAND) {
		ide_dma_run(&ide->channel[0]);
		ide_dma_run(&ide->channel[1]);
	}
}

void ide_init(struct ide *ide, struct pci *pci, const struct ide_config *config)
{
	memset(ide, 0, sizeof(*ide));
	ide->config = *config;
	/* Programming interface 80h: both channels at their ISA places for good, and a bus master. */
	pci_function_init(pci, &ide->pci, PCI_DEVFN(1, 1), 0x8086, 0x7010, 0x010180, 0x00, ide);
	ide->pci.written = ide_written;
	pci_function_bar(&ide->pci, 4, PCI_REGION_IO, 16, &ide_dma_ports, NULL, ide);
	memset(&ide->pci.writable[0x40], 0xff, 0x100 - 0x40);

	for (unsigned int i = 0; i < 4; i++) {
		struct ide_channel *channel = &ide->channel[i / 2];
		struct ide_drive *drive = &channel->drive[i & 1];

		channel->ide = ide;
		channel->index = i / 2;
		drive->index = i;
		drive->block = config->disk[i];
		if (!drive->block || drive->block->nsectors == 0)
			continue;
		drive->kind = IDE_ATA_DISK;
		drive->native = ide_geometry(drive->block->nsectors);
	}
}

int ide_flush_all(struct ide *ide)
{
	int first = 0;

	for (unsigned int i = 0; i < 4; i++) {
		struct ide_channel *channel = &ide->channel[i / 2];
		struct ide_drive *drive = &channel->drive[i & 1];
		int err = 0;

		if (drive->kind == IDE_ATA_DISK && drive->unflushed)
			err = ata_flush_host(channel, drive);
		if (err && !first)
			first = err;
	}
	return first;
}
