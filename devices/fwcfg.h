/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/fwcfg.h - fw_cfg: how the machine hands the firmware its files and figures.
 *
 *      firmware: select a key (510), then read bytes (511), or one DMA descriptor (514-51B) for all of it
 *
 * Asked by: devices/pc.c. Asks: guest memory, through struct dma_ops.
 * Source:   "QEMU Firmware Configuration (fw_cfg) Device", the public specification.
 * Memory:   items are pointers to the caller's memory, never copied; it must be shared like the struct itself
 *           and outlive it. Items of 8 bytes and less can be given by value.
 */
#ifndef DEVICES_FWCFG_H
#define DEVICES_FWCFG_H

#include "devices/device.h"

#define FWCFG_PORT		0x510	/* 510 - 511: selector and data */
#define FWCFG_PORT_COUNT	2
#define FWCFG_DMA_PORT		0x514	/* 514 - 51B: address of the DMA descriptor, big-endian */
#define FWCFG_DMA_PORT_COUNT	8
#define FWCFG_MAX_FILES		64
#define FWCFG_NAME_BYTES	56	/* with the NUL */

/* Well-known keys. Files get keys from FWCFG_KEY_FILE_FIRST on. */
#define FWCFG_KEY_SIGNATURE	0x0000
#define FWCFG_KEY_ID		0x0001
#define FWCFG_KEY_UUID		0x0002
#define FWCFG_KEY_RAM_SIZE	0x0003
#define FWCFG_KEY_NOGRAPHIC	0x0004
#define FWCFG_KEY_NB_CPUS	0x0005
#define FWCFG_KEY_BOOT_DEVICE	0x000c
#define FWCFG_KEY_NUMA		0x000d
#define FWCFG_KEY_BOOT_MENU	0x000e
#define FWCFG_KEY_MAX_CPUS	0x000f
#define FWCFG_KEY_FILE_DIR	0x0019
#define FWCFG_KEY_FILE_FIRST	0x0020
#define FWCFG_KEY_ARCH		0x8000	/* 8000: ACPI tables, 8001: SMBIOS, 8002: IRQ 0 override, 8003: E820, 8004: HPET */
#define FWCFG_NR_KEYS		(FWCFG_KEY_FILE_FIRST + FWCFG_MAX_FILES)
#define FWCFG_NR_ARCH_KEYS	8

struct fwcfg_item {
	uint8_t *data;			/* NULL: given by value */
	uint32_t nbytes;		/* 0: no such item; it then reads as zeros */
	bool writable;			/* by the guest, through DMA only */
	uint8_t value[8];
};

struct fwcfg {
	struct dma_ops dma;
	struct fwcfg_item item[FWCFG_NR_KEYS];
	struct fwcfg_item arch_item[FWCFG_NR_ARCH_KEYS];
	uint32_t nr_files;
	uint8_t directory[4 + FWCFG_MAX_FILES * 64];	/* as the guest reads it */
	uint16_t key;
	uint32_t offset;
	uint8_t dma_address[8];				/* as written, big-endian */
	uint64_t bytes_by_port, bytes_by_dma;		/* for --stats */
};

extern const struct bus_port_ops fwcfg_ports;		/* chip: struct fwcfg */
extern const struct bus_port_ops fwcfg_dma_ports;	/* chip: struct fwcfg */

void fwcfg_init(struct fwcfg *fwcfg, const struct dma_ops *dma);
void fwcfg_reset(struct fwcfg *fwcfg);			/* the selection; items stay */

/* A numbered item. Return false if there is no such key. Given again, it replaces the old one. */
bool fwcfg_add_bytes(struct fwcfg *fwcfg, uint16_t key, const void *data, uint32_t nbytes);
bool fwcfg_add_integer(struct fwcfg *fwcfg, uint16_t key, uint64_t value, unsigned int nbytes);	/* little-endian, 1 - 8 */
/*
 * A file. Return its key; a name that is there already gets the new contents under its old key.
 * -1: the name is empty or too long, or the directory is full. A file of 0 bytes is listed.
 */
int fwcfg_add_file(struct fwcfg *fwcfg, const char *name, const void *data, uint32_t nbytes, bool guest_writable);

#endif
