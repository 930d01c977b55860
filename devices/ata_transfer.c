/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/ata_transfer.c - sectors on their way: disk, the channel's buffer, and then the data port or DMA.
 *
 *      disk --64 KiB at a time--> buffer --a DRQ block at a time--> data port (ide.c) or guest memory (ide_dma.c)
 *
 * Asked by:  devices/ata_command.c, ide.c, ide_dma.c.
 * Asks:      struct block_ops.
 *
 *   IDLE -> PIO_IN, PIO_OUT, DMA_IN, DMA_OUT   [ata_pio_in, ata_pio_out, ata_data_in, ata_data_out, ata_dma]
 *   PIO_* -> same, next block                  [ata_block_moved]     with an interrupt
 *   any -> IDLE                                [ata_finish, ata_finish_fault, end_silently, a reset, a new command]
 *
 * The buffer reads ahead and gathers, within one command: firmware that asks for 128 sectors by PIO costs one host read,
 * not 128. An error is told at the block it belongs to when reading; when writing, at the latest before the command ends.
 *
 * Tested by: tests/unit/test_ide_data.c.
 * Read next: devices/ide_dma.c.
 */
#include "devices/ide_parts.h"

/* ---- addresses ---- */

static uint64_t lba_from_registers(const struct ide_channel *channel, const struct ide_taskfile *reg)
{
	uint64_t low = reg->lba_low | (uint32_t)reg->lba_mid << 8 | (uint32_t)reg->lba_high << 16;
	uint64_t high = reg->hob_lba_low | (uint32_t)reg->hob_lba_mid << 8 | (uint32_t)reg->hob_lba_high << 16;

	if (channel->lba48)
		return low | high << 24;
	return low | (uint64_t)(channel->device & 15) << 24;
}

/* Cylinder, head, sector in the geometry that INITIALIZE DEVICE PARAMETERS set. False: there is no such place. */
static bool lba_from_chs(const struct ide_channel *channel, const struct ide_drive *drive, uint64_t *lba)
{
	const struct ide_geometry *geometry = &drive->current;
	uint32_t cylinder = drive->reg.lba_mid | drive->reg.lba_high << 8;
	uint32_t head = channel->device & 15, sector = drive->reg.lba_low;

	if (cylinder >= geometry->cylinders || head >= geometry->heads || sector == 0 || sector > geometry->sectors)
		return false;
	*lba = ((uint64_t)cylinder * geometry->heads + head) * geometry->sectors + sector - 1;
	return true;
}

static void show_address(struct ide_channel *channel, struct ide_drive *drive, uint64_t lba, uint32_t count)
{
	struct ide_taskfile *reg = &drive->reg;
	uint64_t cylinder_head;

	reg->count = count & 0xff;
	if (channel->chs) {
		cylinder_head = lba / drive->current.sectors;
		reg->lba_low = (uint8_t)(lba % drive->current.sectors + 1);
		reg->lba_mid = cylinder_head / drive->current.heads & 0xff;
		reg->lba_high = cylinder_head / drive->current.heads >> 8 & 0xff;
		channel->device = (channel->device & 0xf0) | cylinder_head % drive->current.heads;
		return;
	}
	reg->lba_low = lba & 0xff;
	reg->lba_mid = lba >> 8 & 0xff;
	reg->lba_high = lba >> 16 & 0xff;
	if (channel->lba48) {
		reg->hob_count = count >> 8 & 0xff;
		reg->hob_lba_low = lba >> 24 & 0xff;
		reg->hob_lba_mid = lba >> 32 & 0xff;
		reg->hob_lba_high = lba >> 40 & 0xff;
	} else {
		channel->device = (channel->device & 0xf0) | (lba >> 24 & 15);
	}
}

bool ata_transfer_address(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	const struct ide_taskfile *reg = &drive->reg;
	uint32_t count = reg->count | (ext ? reg->hob_count << 8 : 0);

	channel->lba48 = ext;
	channel->chs = !ext && !(channel->device & ATA_DEVICE_LBA);
	channel->active = drive->index & 1;
	channel->no_sectors = false;
	channel->bad_sector = false;
	channel->position = 0;
	channel->filled = 0;
	channel->drq_end = 0;
	/* Zero means the largest count there is. */
	channel->remaining = count ? count : ext ? 65536 : 256;

	if (!channel->chs)
		channel->lba = lba_from_registers(channel, reg);
	else if (!lba_from_chs(channel, drive, &channel->lba))
		channel->lba = UINT64_MAX;
	if (channel->lba < drive->block->nsectors)
		return true;
	ata_finish(channel, drive, ATA_IDNF);	/* the registers hold the bad address already */
	return false;
}

/* ---- ends ---- */

static void end_at(struct ide_channel *channel, struct ide_drive *drive, uint8_t error, uint64_t lba, uint32_t count)
{
	show_address(channel, drive, lba, count);
	ata_finish(channel, drive, error);
}

/* The last block of a PIO read has left: there is nothing more to tell, so no interrupt. */
static void end_silently(struct ide_channel *channel, struct ide_drive *drive)
{
	channel->phase = IDE_IDLE;
	drive->reg.status = ATA_DRDY | ATA_DSC;
}

/* ---- reading ---- */

/* Read up to @count sectors at channel->lba into the buffer. Return: how many came, before the first that did not. */
static uint32_t read_sectors(struct ide_channel *channel, struct ide_drive *drive, uint32_t count)
{
	const struct block_ops *block = drive->block;
	uint32_t good = 0;
	int err = block->read(block->owner, channel->lba, channel->buffer, count);

	if (!err)
		good = count;
	/* One bad sector must not take its neighbours with it: they are good data, and the guest must learn which. */
	while (good < count) {
		err = block->read(block->owner, channel->lba + good, &channel->buffer[good * IDE_SECTOR_BYTES], 1);
		if (err) {
			ide_report(channel, drive, IDE_HOST_READ, channel->lba + good, err);
			channel->bad_sector = true;
			break;
		}
		good++;
	}
	channel->lba += good;
	channel->remaining -= good;
	channel->stats.sectors_read += good;
	return good;
}

static bool next_in(struct ide_channel *channel, struct ide_drive *drive)
{
	uint32_t count;

	if (channel->position == channel->filled) {
		if (!channel->bad_sector && channel->remaining == 0) {
			if (!channel->no_sectors)
				show_address(channel, drive, channel->lba - 1, 0);
			if (channel->phase == IDE_DMA_IN)
				ata_finish(channel, drive, 0);
			else
				end_silently(channel, drive);
			return false;
		}
		count = plx_min32(channel->remaining, IDE_BUFFER_SECTORS);
		count = (uint32_t)plx_min64(count, drive->block->nsectors - channel->lba);
		if (!channel->bad_sector && count == 0) {
			end_at(channel, drive, ATA_IDNF, channel->lba, channel->remaining);
			return false;
		}
		count = channel->bad_sector ? 0 : read_sectors(channel, drive, count);
		if (count == 0) {
			end_at(channel, drive, ATA_UNC, channel->lba, channel->remaining);
			return false;
		}
		channel->filled = count * IDE_SECTOR_BYTES;
		channel->position = 0;
	}
	channel->drq_end = plx_min32(channel->position + channel->block_sectors * IDE_SECTOR_BYTES, channel->filled);
	return true;
}

/* ---- writing ---- */

/* The buffer goes to the disk. False: the command has ended in an error. */
static bool write_sectors(struct ide_channel *channel, struct ide_drive *drive)
{
	const struct block_ops *block = drive->block;
	uint32_t count = channel->position / IDE_SECTOR_BYTES, good = 0;
	int err = block->write(block->owner, channel->lba, channel->buffer, count);

	if (!err)
		good = count;
	while (good < count) {
		err = block->write(block->owner, channel->lba + good, &channel->buffer[good * IDE_SECTOR_BYTES], 1);
		if (err)
			break;
		good++;
	}
	channel->lba += good;
	channel->stats.sectors_written += good;
	drive->unflushed |= good > 0;
	if (good == count) {
		channel->position = 0;
		return true;
	}
	ide_report(channel, drive, IDE_HOST_WRITE, channel->lba, err);
	show_address(channel, drive, channel->lba, channel->remaining + count - good);
	ata_finish_fault(channel, drive);
	return false;
}

static bool next_out(struct ide_channel *channel, struct ide_drive *drive)
{
	bool all_here = channel->remaining == 0;
	uint64_t room = drive->block->nsectors - channel->lba - channel->position / IDE_SECTOR_BYTES;
	uint32_t count;

	if (channel->no_sectors) {
		if (channel->position == 0) {
			channel->drq_end = IDE_SECTOR_BYTES;
			return true;
		}
		memcpy(channel->scratch, channel->buffer, IDE_SECTOR_BYTES);
		ata_finish(channel, drive, 0);
		return false;
	}
	if (channel->position && (all_here || room == 0 || channel->position == sizeof(channel->buffer)) &&
	    !write_sectors(channel, drive))
		return false;
	if (all_here) {
		show_address(channel, drive, channel->lba - 1, 0);
		if (!drive->write_cache && ata_flush_host(channel, drive) != 0)
			ata_finish_fault(channel, drive);
		else
			ata_finish(channel, drive, 0);
		return false;
	}
	if (room == 0) {
		end_at(channel, drive, ATA_IDNF, channel->lba, channel->remaining);
		return false;
	}
	count = plx_min32(channel->block_sectors, channel->remaining);
	count = plx_min32(count, (sizeof(channel->buffer) - channel->position) / IDE_SECTOR_BYTES);
	count = (uint32_t)plx_min64(count, room);
	channel->remaining -= count;
	channel->drq_end = channel->position + count * IDE_SECTOR_BYTES;
	return true;
}

bool ata_next_portion(struct ide_channel *channel)
{
	struct ide_drive *drive = ide_active(channel);

	if (channel->phase == IDE_PIO_IN || channel->phase == IDE_DMA_IN)
		return next_in(channel, drive);
	return next_out(channel, drive);
}

/* ---- the data port's side ---- */

static void ask(struct ide_channel *channel, struct ide_drive *drive, bool interrupt)
{
	if (!ata_next_portion(channel))
		return;
	drive->reg.status = ATA_DRDY | ATA_DSC | ATA_DRQ;
	if (interrupt)
		ide_drive_interrupt(channel, drive);
}

void ata_block_moved(struct ide_channel *channel)
{
	ask(channel, ide_active(channel), true);
}

void ata_pio_in(struct ide_channel *channel, struct ide_drive *drive, uint32_t block_sectors)
{
	channel->phase = IDE_PIO_IN;
	channel->block_sectors = block_sectors;
	ask(channel, drive, true);
}

/* A drive asks for the first block without an interrupt: the host is waiting for DRQ anyhow. */
void ata_pio_out(struct ide_channel *channel, struct ide_drive *drive, uint32_t block_sectors)
{
	channel->phase = IDE_PIO_OUT;
	channel->block_sectors = block_sectors;
	ask(channel, drive, false);
}

static void no_sectors(struct ide_channel *channel, struct ide_drive *drive)
{
	channel->active = drive->index & 1;
	channel->no_sectors = true;
	channel->bad_sector = false;
	channel->remaining = 0;
	channel->position = 0;
}

void ata_data_in(struct ide_channel *channel, struct ide_drive *drive)
{
	no_sectors(channel, drive);
	channel->filled = IDE_SECTOR_BYTES;
	ata_pio_in(channel, drive, 1);
}

void ata_data_out(struct ide_channel *channel, struct ide_drive *drive)
{
	no_sectors(channel, drive);
	ata_pio_out(channel, drive, 1);
}

/* ---- no port at all ---- */

void ata_dma(struct ide_channel *channel, struct ide_drive *drive, bool write)
{
	channel->phase = write ? IDE_DMA_OUT : IDE_DMA_IN;
	channel->block_sectors = IDE_BUFFER_SECTORS;
	drive->reg.status = ATA_DRDY | ATA_DSC | ATA_DRQ;
	ide_dma_run(channel);	/* at once, if the guest started the bus master first */
}

void ata_verify(struct ide_channel *channel)
{
	/* As a DMA read whose data nobody fetches: it ends, well or not, with an interrupt. */
	channel->phase = IDE_DMA_IN;
	channel->block_sectors = IDE_BUFFER_SECTORS;
	while (ata_next_portion(channel))
		channel->position = channel->filled;
}
