/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/ata_command.c - one row for each command a disk knows, and the commands that move no sectors.
 *
 *      write to 1F7 --> [table] --> ata_transfer.c for data, or done here
 *
 * Asked by:  devices/ide.c.
 * Asks:      devices/ata_transfer.c, ata_identify.c; block_ops for a flush.
 * A code without a row is aborted (ABRT), as the standard says for what a device does not implement. That is also how
 * PACKET, SMART, SECURITY and NCQ commands end: IDENTIFY does not claim them. A packet device will have a table of its own.
 * Tested by: tests/unit/test_ide.c.
 * Read next: devices/ata_transfer.c.
 */
#include "devices/ide_parts.h"

#define CHECK_ACTIVE	0xff
#define CHECK_STANDBY	0x00

/* SET FEATURES, subcommands */
#define FEATURE_CACHE_ON	0x02
#define FEATURE_MODE		0x03
#define FEATURE_LOOKAHEAD_OFF	0x55
#define FEATURE_KEEP		0x66	/* settings stay over a software reset: here they always do */
#define FEATURE_CACHE_OFF	0x82
#define FEATURE_LOOKAHEAD_ON	0xaa
#define FEATURE_REVERT		0xcc

/* ---- how commands end ---- */

void ata_finish(struct ide_channel *channel, struct ide_drive *drive, uint8_t error)
{
	channel->phase = IDE_IDLE;
	drive->reg.error = error;
	drive->reg.status = ATA_DRDY | ATA_DSC | (error ? ATA_ERR : 0);
	ide_drive_interrupt(channel, drive);
}

void ata_finish_fault(struct ide_channel *channel, struct ide_drive *drive)
{
	channel->phase = IDE_IDLE;
	drive->reg.error = ATA_ABRT;
	drive->reg.status = ATA_DRDY | ATA_DF | ATA_DSC | ATA_ERR;
	ide_drive_interrupt(channel, drive);
}

int ata_flush_host(struct ide_channel *channel, struct ide_drive *drive)
{
	const struct block_ops *block = drive->block;
	int err = block->flush(block->owner);

	channel->stats.flushes++;
	if (err)
		ide_report(channel, drive, IDE_HOST_FLUSH, 0, err);
	else
		drive->unflushed = false;
	return err;
}

/* ---- data commands ---- */

static void read_pio(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	if (ata_transfer_address(channel, drive, ext))
		ata_pio_in(channel, drive, 1);
}

static void read_multiple(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	if (drive->multiple == 0)
		ata_finish(channel, drive, ATA_ABRT);
	else if (ata_transfer_address(channel, drive, ext))
		ata_pio_in(channel, drive, drive->multiple);
}

static void read_dma(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	if (ata_transfer_address(channel, drive, ext))
		ata_dma(channel, drive, false);
}

static void read_verify(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	if (ata_transfer_address(channel, drive, ext))
		ata_verify(channel);
}

/* May the guest write here, and where? False: the command has ended. */
static bool write_begins(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	if (drive->block->read_only) {
		ata_finish(channel, drive, ATA_WP | ATA_ABRT);
		return false;
	}
	return ata_transfer_address(channel, drive, ext);
}

static void write_pio(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	if (write_begins(channel, drive, ext))
		ata_pio_out(channel, drive, 1);
}

static void write_multiple(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	if (drive->multiple == 0)
		ata_finish(channel, drive, ATA_ABRT);
	else if (write_begins(channel, drive, ext))
		ata_pio_out(channel, drive, drive->multiple);
}

static void write_dma(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	if (write_begins(channel, drive, ext))
		ata_dma(channel, drive, true);
}

static void identify(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	(void)ext;
	ata_identify(drive, channel->buffer);
	ata_data_in(channel, drive);
}

static void read_buffer(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	(void)ext;
	memcpy(channel->buffer, channel->scratch, IDE_SECTOR_BYTES);
	ata_data_in(channel, drive);
}

static void write_buffer(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	(void)ext;
	ata_data_out(channel, drive);
}

/* ---- commands without data ---- */

static void flush_cache(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	(void)ext;
	if (ata_flush_host(channel, drive) != 0)
		ata_finish_fault(channel, drive);
	else
		ata_finish(channel, drive, 0);
}

static void recalibrate(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	(void)ext;
	drive->reg.lba_mid = 0;		/* the head stands on cylinder 0 */
	drive->reg.lba_high = 0;
	ata_finish(channel, drive, 0);
}

static void seek(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	if (ata_transfer_address(channel, drive, ext))
		ata_finish(channel, drive, 0);
}

/*
 * INITIALIZE DEVICE PARAMETERS: another way to cut the disk into cylinders, as a BIOS or DOS may want. A cut that cannot be
 * leaves the drive without CHS addresses until the next one.
 */
static void initialize_parameters(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	uint32_t heads = (channel->device & 15) + 1u, sectors = drive->reg.count;
	uint64_t cylinders;

	(void)ext;
	if (sectors == 0) {
		drive->current = (struct ide_geometry){ 0 };
		ata_finish(channel, drive, ATA_ABRT);
		return;
	}
	cylinders = plx_min64(drive->block->nsectors / (heads * sectors), 65535);
	if (cylinders == 0)
		cylinders = 1;		/* a disk of less than a cylinder: its end is checked as an LBA */
	/* A geometry that is the native one is so to the last cylinder. */
	if (heads == drive->native.heads && sectors == drive->native.sectors)
		cylinders = drive->native.cylinders;
	drive->current = (struct ide_geometry){ (uint16_t)cylinders, (uint8_t)heads, (uint8_t)sectors };
	ata_finish(channel, drive, 0);
}

/* SET MULTIPLE MODE: powers of two; 0 turns it off. */
static void set_multiple(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	uint8_t count = drive->reg.count;

	(void)ext;
	if (count > IDE_MAX_MULTIPLE || count & (count - 1)) {
		ata_finish(channel, drive, ATA_ABRT);
		return;
	}
	drive->multiple = count;
	ata_finish(channel, drive, 0);
}

/* SET FEATURES 03h: the count register has the kind of mode in bits 7-3 and its number in bits 2-0. */
static bool set_transfer_mode(struct ide_drive *drive)
{
	unsigned int kind = drive->reg.count >> 3, mode = drive->reg.count & 7;

	switch (kind) {
	case 0:			/* the default PIO mode, with or without IORDY */
		return mode <= 1;
	case 1:			/* PIO 0 - 4: no effect on us, and none on the DMA mode */
		return mode <= 4;
	case 4:
		if (mode > 2)
			return false;
		drive->mwdma_mode = 1u << mode;
		drive->udma_mode = 0;
		return true;
	case 8:
		if (mode > 5)
			return false;
		drive->udma_mode = 1u << mode;
		drive->mwdma_mode = 0;
		return true;
	default:		/* single-word DMA is older than the words that claim it */
		return false;
	}
}

static void set_features(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	bool known = true;

	(void)ext;
	switch (drive->reg.feature) {
	case FEATURE_MODE:
		known = set_transfer_mode(drive);
		break;
	case FEATURE_CACHE_ON:
		drive->write_cache = true;
		break;
	case FEATURE_CACHE_OFF:
		/* What is cached goes out first: from here on each finished write is durable. */
		if (ata_flush_host(channel, drive) != 0) {
			ata_finish_fault(channel, drive);
			return;
		}
		drive->write_cache = false;
		break;
	case FEATURE_LOOKAHEAD_ON:
	case FEATURE_LOOKAHEAD_OFF:
	case FEATURE_KEEP:
	case FEATURE_REVERT:
		break;			/* accepted by every disk, and drivers complain if not; nothing to do */
	default:
		known = false;
	}
	ata_finish(channel, drive, known ? 0 : ATA_ABRT);
}

static void read_native_max(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	struct ide_taskfile *reg = &drive->reg;
	uint64_t last = drive->block->nsectors - 1;

	if (!ext)
		last = plx_min64(last, 0x0ffffffe);
	reg->lba_low = last & 0xff;
	reg->lba_mid = last >> 8 & 0xff;
	reg->lba_high = last >> 16 & 0xff;
	if (ext) {
		reg->hob_lba_low = last >> 24 & 0xff;
		reg->hob_lba_mid = last >> 32 & 0xff;
		reg->hob_lba_high = last >> 40 & 0xff;
	} else {
		channel->device = (channel->device & 0xf0) | (last >> 24 & 15);
	}
	ata_finish(channel, drive, 0);
}

/* Timers are not kept: a disk that is told to rest is asleep at once, and awake at the next access. */
static void standby(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	(void)ext;
	/* The standard has the write cache go to the medium before it stops. */
	if (drive->unflushed && ata_flush_host(channel, drive) != 0) {
		ata_finish_fault(channel, drive);
		return;
	}
	drive->standby = true;
	ata_finish(channel, drive, 0);
}

static void standby_timer(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	(void)ext;
	ata_finish(channel, drive, 0);
}

static void idle(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	(void)ext;
	drive->standby = false;
	ata_finish(channel, drive, 0);
}

static void check_power(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	(void)ext;
	drive->reg.count = drive->standby ? CHECK_STANDBY : CHECK_ACTIVE;
	ata_finish(channel, drive, 0);
}

static void nop(struct ide_channel *channel, struct ide_drive *drive, bool ext)
{
	(void)ext;
	ata_finish(channel, drive, ATA_ABRT);	/* ATA-6, "NOP": always ends so */
}

/* EXECUTE DEVICE DIAGNOSTIC is for both drives, whichever is selected; drive 0 answers. */
void ata_diagnostic(struct ide_channel *channel)
{
	channel->phase = IDE_IDLE;
	channel->device = 0;
	channel->stats.commands++;
	for (unsigned int i = 0; i < 2; i++)
		ide_signature(&channel->drive[i]);
	ide_update_irq(channel);
	if (channel->drive[0].kind != IDE_NO_DRIVE)
		ide_drive_interrupt(channel, &channel->drive[0]);
}

/* ---- the table ---- */

struct ata_row {
	void (*run)(struct ide_channel *channel, struct ide_drive *drive, bool ext);
	bool ext;		/* 48-bit registers */
	bool media;		/* wakes a disk that stands by */
};

#define ROW(code, run, ext, media) [code] = { run, ext, media }
#define ROWS(first, last, run) [first ... last] = { run, false, true }

static const struct ata_row ata_disk_commands[256] = {
	/*  code  what it does           48-bit media     ATA-6 name; older codes for the same stand beside it */
	ROW(0x00, nop,                   false, false),	/* NOP */
	ROWS(0x10, 0x1f, recalibrate),			/* RECALIBRATE: the low digit was a step rate */
	ROW(0x20, read_pio,              false, true),	/* READ SECTOR(S) */
	ROW(0x21, read_pio,              false, true),	/* the same, without retries */
	ROW(0x24, read_pio,              true,  true),	/* READ SECTOR(S) EXT */
	ROW(0x25, read_dma,              true,  true),	/* READ DMA EXT */
	ROW(0x27, read_native_max,       true,  false),	/* READ NATIVE MAX ADDRESS EXT */
	ROW(0x29, read_multiple,         true,  true),	/* READ MULTIPLE EXT */
	ROW(0x30, write_pio,             false, true),	/* WRITE SECTOR(S) */
	ROW(0x31, write_pio,             false, true),
	ROW(0x34, write_pio,             true,  true),	/* WRITE SECTOR(S) EXT */
	ROW(0x35, write_dma,             true,  true),	/* WRITE DMA EXT */
	ROW(0x39, write_multiple,        true,  true),	/* WRITE MULTIPLE EXT */
	ROW(0x3c, write_pio,             false, true),	/* WRITE VERIFY */
	ROW(0x40, read_verify,           false, true),	/* READ VERIFY SECTOR(S) */
	ROW(0x41, read_verify,           false, true),
	ROW(0x42, read_verify,           true,  true),	/* READ VERIFY SECTOR(S) EXT */
	ROWS(0x70, 0x7f, seek),				/* SEEK: the same */
	ROW(0x91, initialize_parameters, false, false),	/* INITIALIZE DEVICE PARAMETERS */
	ROW(0x94, standby,               false, false),	/* STANDBY IMMEDIATE */
	ROW(0x95, idle,                  false, false),	/* IDLE IMMEDIATE */
	ROW(0x96, standby_timer,         false, false),	/* STANDBY: sets the timer */
	ROW(0x97, idle,                  false, false),	/* IDLE */
	ROW(0x98, check_power,           false, false),	/* CHECK POWER MODE */
	ROW(0x99, standby,               false, false),	/* SLEEP */
	ROW(0xc4, read_multiple,         false, true),	/* READ MULTIPLE */
	ROW(0xc5, write_multiple,        false, true),	/* WRITE MULTIPLE */
	ROW(0xc6, set_multiple,          false, false),	/* SET MULTIPLE MODE */
	ROW(0xc8, read_dma,              false, true),	/* READ DMA */
	ROW(0xc9, read_dma,              false, true),
	ROW(0xca, write_dma,             false, true),	/* WRITE DMA */
	ROW(0xcb, write_dma,             false, true),
	ROW(0xe0, standby,               false, false),	/* STANDBY IMMEDIATE */
	ROW(0xe1, idle,                  false, false),	/* IDLE IMMEDIATE */
	ROW(0xe2, standby_timer,         false, false),	/* STANDBY */
	ROW(0xe3, idle,                  false, false),	/* IDLE */
	ROW(0xe4, read_buffer,           false, false),	/* READ BUFFER */
	ROW(0xe5, check_power,           false, false),	/* CHECK POWER MODE */
	ROW(0xe6, standby,               false, false),	/* SLEEP */
	ROW(0xe7, flush_cache,           false, true),	/* FLUSH CACHE */
	ROW(0xe8, write_buffer,          false, false),	/* WRITE BUFFER */
	ROW(0xea, flush_cache,           true,  true),	/* FLUSH CACHE EXT */
	ROW(0xec, identify,              false, false),	/* IDENTIFY DEVICE */
	ROW(0xef, set_features,          false, false),	/* SET FEATURES */
	ROW(0xf8, read_native_max,       false, false),	/* READ NATIVE MAX ADDRESS */
};
#undef ROW
#undef ROWS

/*
 * A command given while another is under way ends that one: the standard leaves it open, and a driver that gave up on
 * half a transfer is better served so than by silence.
 */
void ata_command(struct ide_channel *channel, struct ide_drive *drive, uint8_t command)
{
	const struct ata_row *row = &ata_disk_commands[command];

	channel->stats.commands++;
	if (channel->phase != IDE_IDLE) {
		channel->phase = IDE_IDLE;
		ide_active(channel)->reg.status &= ~ATA_DRQ;
	}
	drive->reg.command = command;
	drive->reg.error = 0;
	drive->reg.status = ATA_DRDY | ATA_DSC;
	drive->interrupt = false;	/* a new command takes the old interrupt back */
	ide_update_irq(channel);

	if (!row->run) {
		ata_finish(channel, drive, ATA_ABRT);
		return;
	}
	if (row->media)
		drive->standby = false;
	row->run(channel, drive, row->ext);
}
