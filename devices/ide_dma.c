/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/ide_dma.c - the bus master: it carries the channel's buffer to and from guest memory along a PRD table.
 *
 *      table (guest memory): { address, count, end } { address, count, end } ... <-- bm_next
 *
 * Asked by:  the guest through BAR 4; ata_transfer.c when a DMA command is given.
 * Asks:      guest memory through dma_ops; ata_transfer.c for the next portion of sectors.
 * Source:    PIIX3, "Bus Master IDE"; the programming interface's table of what the status bits mean together:
 *              INT 1 ACTIVE 0   the transfer ended with the table
 *              INT 1 ACTIVE 1   the transfer ended before the table (also after a disk error)
 *              INT 0 ACTIVE 0   the table ended before the transfer: the drive still waits, with DRQ
 * Direction: the command's. A guest that starts the engine the other way round gets the transfer that it asked the drive for.
 * Tested by: tests/unit/test_ide_dma.c.
 * Read next: devices/block_file.c.
 */
#include "devices/ide_parts.h"

#define BM_START	0x01
#define BM_COMMAND	0x09		/* start, direction */

#define PRD_BYTES	8
#define PRD_END		0x80000000u

enum { BM_REG_COMMAND = 0, BM_REG_STATUS = 2, BM_REG_TABLE = 4 };

static uint32_t get_le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void load_descriptor(struct ide_channel *channel)
{
	const struct dma_ops *dma = &channel->ide->config.dma;
	uint8_t prd[PRD_BYTES];
	uint32_t count;

	dma->read(dma->owner, channel->bm_next, prd, sizeof(prd));
	channel->bm_next += PRD_BYTES;
	channel->bm_gpa = get_le32(prd) & ~1u;		/* word-aligned, as the count is even */
	count = get_le32(prd + 4);
	channel->bm_bytes = count & 0xfffe;
	if (channel->bm_bytes == 0)
		channel->bm_bytes = 0x10000;
	channel->bm_last = count & PRD_END;
}

static void move_bytes(struct ide_channel *channel)
{
	const struct dma_ops *dma = &channel->ide->config.dma;
	uint32_t nbytes = plx_min32(channel->bm_bytes, channel->drq_end - channel->position);
	uint8_t *bytes = &channel->buffer[channel->position];

	if (channel->phase == IDE_DMA_IN)
		dma->write(dma->owner, channel->bm_gpa, bytes, nbytes);
	else
		dma->read(dma->owner, channel->bm_gpa, bytes, nbytes);
	channel->position += nbytes;
	channel->bm_gpa += nbytes;
	channel->bm_bytes -= nbytes;
}

/* Both sides must be ready: a DMA command on the drive, and a started engine that may be bus master. */
void ide_dma_run(struct ide_channel *channel)
{
	if (!(channel->bm_status & BM_ACTIVE) || !pci_is_master(&channel->ide->pci))
		return;
	if (channel->phase == IDE_DMA_IN || channel->phase == IDE_DMA_OUT)
		channel->stats.dma_transfers++;

	while (channel->phase == IDE_DMA_IN || channel->phase == IDE_DMA_OUT) {
		if (channel->position == channel->drq_end && !ata_next_portion(channel))
			break;
		if (channel->bm_bytes == 0) {
			if (channel->bm_last)
				break;
			load_descriptor(channel);
		}
		move_bytes(channel);
	}
	if (channel->bm_bytes == 0 && channel->bm_last)
		channel->bm_status &= ~BM_ACTIVE;
}

static void write_command(struct ide_channel *channel, uint8_t value)
{
	uint8_t old = channel->bm_command;

	channel->bm_command = value & BM_COMMAND;
	if (!(value & BM_START)) {
		channel->bm_status &= ~BM_ACTIVE;
	} else if (!(old & BM_START)) {
		channel->bm_status |= BM_ACTIVE;
		channel->bm_next = channel->bm_table;
		channel->bm_bytes = 0;
		channel->bm_last = false;
		ide_dma_run(channel);
	}
}

static uint8_t read_byte(const struct ide_channel *channel, unsigned int reg)
{
	if (reg == BM_REG_COMMAND)
		return channel->bm_command;
	if (reg == BM_REG_STATUS)
		return channel->bm_status;
	if (reg >= BM_REG_TABLE)
		return channel->bm_table >> (8 * (reg - BM_REG_TABLE)) & 0xff;
	return 0;
}

static void write_byte(struct ide_channel *channel, unsigned int reg, uint8_t value)
{
	unsigned int shift = 8 * (reg & 3);

	if (reg == BM_REG_COMMAND) {
		write_command(channel, value);
	} else if (reg == BM_REG_STATUS) {
		channel->bm_status &= ~(value & (BM_ERROR | BM_INTERRUPT));
		channel->bm_status = (channel->bm_status & ~BM_CAPABLE) | (value & BM_CAPABLE);
	} else if (reg >= BM_REG_TABLE) {
		channel->bm_table &= ~(0xffu << shift);
		channel->bm_table |= (uint32_t)value << shift;
		channel->bm_table &= ~3u;
	}
}

static uint32_t dma_in(void *chip, uint16_t port, unsigned int size, uint64_t now_ns)
{
	struct ide *ide = chip;
	unsigned int offset = port & 15;	/* the region is 16 ports, aligned */
	uint32_t value = 0;

	(void)now_ns;
	for (unsigned int i = 0; i < size && offset + i < 16; i++)
		value |= (uint32_t)read_byte(&ide->channel[(offset + i) >> 3], (offset + i) & 7) << (8 * i);
	return value;
}

static void dma_out(void *chip, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct ide *ide = chip;
	unsigned int offset = port & 15;

	(void)now_ns;
	/* From the top: when one write covers status and command, the engine starts last. */
	for (unsigned int i = size; i-- > 0;)
		if (offset + i < 16)
			write_byte(&ide->channel[(offset + i) >> 3], (offset + i) & 7, value >> (8 * i) & 0xff);
}

const struct bus_port_ops ide_dma_ports = { .in = dma_in, .out = dma_out };

void ide_dma_reset(struct ide_channel *channel)
{
	channel->bm_command = 0;
	channel->bm_status = 0;
	channel->bm_table = 0;
	channel->bm_next = 0;
	channel->bm_bytes = 0;
	channel->bm_last = false;
}
