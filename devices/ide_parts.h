/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/ide_parts.h - what the files of the IDE function ask of each other; nobody else includes it.
 *
 *      ide.c            ports, registers, interrupt, reset
 *      ata_command.c    one row for each command code; commands without data
 *      ata_transfer.c   sectors between disk, buffer and the data port
 *      ata_identify.c   the 256 words of IDENTIFY DEVICE
 *      ide_dma.c        bus master: the buffer and guest memory
 */
#ifndef DEVICES_IDE_PARTS_H
#define DEVICES_IDE_PARTS_H

#include "devices/ide.h"

/* Status register */
#define ATA_BSY		0x80
#define ATA_DRDY	0x40
#define ATA_DF		0x20
#define ATA_DSC		0x10
#define ATA_DRQ		0x08
#define ATA_ERR		0x01

/* Error register */
#define ATA_UNC		0x40		/* reading: a sector that cannot be read */
#define ATA_WP		0x40		/* writing: the medium is write protected */
#define ATA_IDNF	0x10		/* no such sector */
#define ATA_ABRT	0x04

/* Device register */
#define ATA_DEVICE_LBA	0x40
#define ATA_DEVICE_1	0x10
#define ATA_DEVICE_ONES	0xa0		/* obsolete bits 7 and 5 read as ones */

/* Device control register */
#define ATA_NIEN	0x02
#define ATA_SRST	0x04
#define ATA_HOB		0x80

/* Bus master status register */
#define BM_ACTIVE	0x01
#define BM_ERROR	0x02
#define BM_INTERRUPT	0x04
#define BM_CAPABLE	0x60		/* "drive n does DMA": a note that firmware leaves for drivers */

static inline struct ide_drive *ide_selected(struct ide_channel *channel)
{
	return &channel->drive[channel->device & ATA_DEVICE_1 ? 1 : 0];
}

static inline struct ide_drive *ide_active(struct ide_channel *channel)
{
	return &channel->drive[channel->active];
}

/* ide.c */
void ide_update_irq(struct ide_channel *channel);
void ide_drive_interrupt(struct ide_channel *channel, struct ide_drive *drive);
/* Power-on or reset signature in the registers: an ATA disk that is ready. */
void ide_signature(struct ide_drive *drive);
void ide_report(struct ide_channel *channel, const struct ide_drive *drive, enum ide_host_operation operation,
		uint64_t sector, int error);

/* ata_command.c */
void ata_command(struct ide_channel *channel, struct ide_drive *drive, uint8_t command);
void ata_diagnostic(struct ide_channel *channel);
/* The command is over: ready, and an interrupt. @error 0: well; else the error register. */
void ata_finish(struct ide_channel *channel, struct ide_drive *drive, uint8_t error);
/* The same for a fault of the device itself (the host's disk is full): DF and ERR. */
void ata_finish_fault(struct ide_channel *channel, struct ide_drive *drive);
/* Flush through to the host. 0 or -errno, reported. */
int ata_flush_host(struct ide_channel *channel, struct ide_drive *drive);

/* ata_transfer.c */
/* Take address and count from the registers; @ext: 48-bit forms. False: the command has ended in IDNF. */
bool ata_transfer_address(struct ide_channel *channel, struct ide_drive *drive, bool ext);
void ata_pio_in(struct ide_channel *channel, struct ide_drive *drive, uint32_t block_sectors);
void ata_pio_out(struct ide_channel *channel, struct ide_drive *drive, uint32_t block_sectors);
/* One block of 512 bytes without sectors behind it: sent from the buffer, or received into channel->scratch. */
void ata_data_in(struct ide_channel *channel, struct ide_drive *drive);
void ata_data_out(struct ide_channel *channel, struct ide_drive *drive);
void ata_dma(struct ide_channel *channel, struct ide_drive *drive, bool write);
/* Read all that ata_transfer_address took, and keep none of it. */
void ata_verify(struct ide_channel *channel);
/* The buffer is empty (in) or to be filled (out): make the next portion ready. False: the command has ended. */
bool ata_next_portion(struct ide_channel *channel);
/* The present DRQ block was moved through the data port. */
void ata_block_moved(struct ide_channel *channel);

/* ata_identify.c */
void ata_identify(const struct ide_drive *drive, uint8_t *bytes);

/* ide_dma.c */
void ide_dma_run(struct ide_channel *channel);
void ide_dma_reset(struct ide_channel *channel);

#endif
