/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/ide.h - the PIIX3 IDE function 8086:7010 at 00:01.1: two channels, two ATA disks each, bus-master DMA.
 *
 *      ports 1F0-1F7, 3F6 --> ide.c ---> ata_command.c --> struct block_ops
 *      BAR 4 (BMIDE)      --> ide_dma.c -^  (PRD table)        ata_identify.c: what the disk says of itself
 *
 * Asked by: devices/pc.c. Asks: a disk's struct block_ops, guest memory, IRQ 14 and 15.
 * Source:   ATA/ATAPI-6 (T13/1410D), "Command descriptions", "Protocol"; Intel 82371SB (PIIX3), "IDE Controller".
 * Time:     commands complete inside the port access that starts them: there is no deadline.
 * Room:     a packet device (ATAPI) will be another ide_drive.kind; every dispatch on kind has its place.
 */
#ifndef DEVICES_IDE_H
#define DEVICES_IDE_H

#include "devices/pci.h"

#define IDE_PRIMARY_PORT	0x1f0	/* 8 ports, ide_command_ports */
#define IDE_PRIMARY_CONTROL	0x3f6	/* 1 port, ide_control_ports */
#define IDE_PRIMARY_IRQ		14
#define IDE_SECONDARY_PORT	0x170
#define IDE_SECONDARY_CONTROL	0x376
#define IDE_SECONDARY_IRQ	15
#define IDE_COMMAND_PORT_COUNT	8
#define IDE_CONTROL_PORT_COUNT	1

#define IDE_SECTOR_BYTES	512u
#define IDE_MAX_MULTIPLE	16u	/* sectors in one DRQ block of READ/WRITE MULTIPLE */
#define IDE_BUFFER_SECTORS	128u	/* moved between block_ops and the channel's buffer at once */

enum ide_host_operation { IDE_HOST_READ, IDE_HOST_WRITE, IDE_HOST_FLUSH };

struct ide_config {
	const struct block_ops *disk[4];	/* primary 0, 1, secondary 0, 1; NULL: no drive */
	struct irq_line irq[2];
	struct dma_ops dma;
	/*
	 * The host could not do what the guest asked of disk 0 - 3: @error is an -errno, @sector where (0 for a flush).
	 * The guest gets the ATA error too; this is for the person at the host, who can make room on the disk. May be NULL.
	 */
	void (*host_error)(void *owner, unsigned int disk, enum ide_host_operation operation, uint64_t sector, int error);
	void *owner;
};

/* Cylinders, heads, sectors a track. */
struct ide_geometry {
	uint16_t cylinders;		/* 1 - 16383 */
	uint8_t heads, sectors;		/* a disk's own: 16 and 63 */
};

enum ide_drive_kind { IDE_NO_DRIVE = 0, IDE_ATA_DISK };

/* The command block registers as a drive sees them; each has had two writes (LBA48): now and before (HOB). */
struct ide_taskfile {
	uint8_t feature, count, lba_low, lba_mid, lba_high;
	uint8_t hob_feature, hob_count, hob_lba_low, hob_lba_mid, hob_lba_high;
	uint8_t error, status, command;
};

struct ide_drive {
	enum ide_drive_kind kind;
	const struct block_ops *block;
	struct ide_taskfile reg;
	struct ide_geometry native, current;	/* current: INITIALIZE DEVICE PARAMETERS; heads 0: refused, no CHS */
	uint8_t index;				/* 0 - 3 */
	uint8_t multiple;			/* sectors; 0: READ/WRITE MULTIPLE are refused */
	uint8_t mwdma_mode, udma_mode;		/* one bit, as in IDENTIFY words 63 and 88; 0: not this kind */
	bool write_cache, interrupt, standby;
	bool unflushed;				/* written since the last flush that succeeded */
};

/* What the channel's buffer is for. */
enum ide_phase { IDE_IDLE = 0, IDE_PIO_IN, IDE_PIO_OUT, IDE_DMA_IN, IDE_DMA_OUT };

struct ide_stats {
	uint64_t commands, sectors_read, sectors_written, flushes, host_errors, pio_bulk, pio_single, dma_transfers;
};

struct ide;

struct ide_channel {
	struct ide *ide;
	struct ide_drive drive[2];
	uint8_t device;			/* device/head register: one for both drives */
	uint8_t control;		/* device control: nIEN, SRST, HOB */
	uint8_t index;			/* 0: primary */
	bool irq_level;

	/* The command that is under way, on drive[device bit 4] at the time it was given. */
	enum ide_phase phase;
	uint8_t active;			/* which drive */
	bool lba48, chs;		/* how the registers tell an address */
	bool no_sectors;		/* the buffer is the data itself (IDENTIFY, READ BUFFER): no disk behind it */
	uint64_t lba;			/* in: the sector after the buffer's last; out: the buffer's first */
	uint32_t remaining;		/* in: sectors not yet in the buffer; out: not yet asked of the guest */
	uint32_t block_sectors;		/* sectors between two DRQ interrupts */
	uint32_t filled;		/* in: bytes in the buffer */
	uint32_t position;		/* next byte of the buffer */
	uint32_t drq_end;		/* where this DRQ block (or DMA portion) ends in the buffer */
	bool bad_sector;		/* in: sector @lba could not be read */

	/* Bus master: BMIDE registers. */
	uint8_t bm_command, bm_status;
	uint32_t bm_table;		/* PRD table, as the guest wrote it */
	uint32_t bm_next;		/* next descriptor */
	uint32_t bm_gpa, bm_bytes;	/* what is left of the present descriptor */
	bool bm_last;			/* it has the end-of-table bit */

	struct ide_stats stats;
	uint8_t buffer[IDE_BUFFER_SECTORS * IDE_SECTOR_BYTES];
	uint8_t scratch[IDE_SECTOR_BYTES];	/* READ BUFFER / WRITE BUFFER */
};

struct ide {
	struct pci_function pci;
	struct ide_config config;
	struct ide_channel channel[2];
};

extern const struct bus_port_ops ide_command_ports;	/* chip: struct ide_channel */
extern const struct bus_port_ops ide_control_ports;	/* chip: struct ide_channel */
extern const struct bus_port_ops ide_dma_ports;		/* chip: struct ide; BAR 4 */

void ide_init(struct ide *ide, struct pci *pci, const struct ide_config *config);
void ide_reset(struct ide *ide);
/* Make all that was written durable, at power-off. 0 or the first -errno. */
int ide_flush_all(struct ide *ide);

/* What the disk reports, and what the BIOS should use for INT 13h: CMOS 39h, 0 none, 1 LBA-assisted. */
struct ide_geometry ide_geometry(uint64_t nsectors);
unsigned int ide_bios_translation(uint64_t nsectors);

#endif
