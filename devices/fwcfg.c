/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/fwcfg.c - fw_cfg: numbered items, a directory of named files, and a DMA engine to read them.
 *
 *      out 510: key --> in 511: one byte after the other
 *      out 518: address of {control, length, address} --> all of it at once
 *
 * Asked by:  devices/pc.c; the guest's firmware, Linux's qemu_fw_cfg.
 * Asks:      guest memory through dma_ops.
 * Reading past an item's end, or an item that is not there, gives zeros: firmware asks for what may be missing.
 * Tested by: tests/unit/test_fwcfg.c.
 * Read next: guest-bios/, which fills it.
 */
#include "devices/fwcfg.h"

#define KEY_ARCH	0x8000
#define KEY_INDEX	0x3fff		/* bit 14 once asked for writing through the data port; it has no meaning now */

#define ID_PORT		1u
#define ID_DMA		2u

#define DMA_ERROR	0x01u
#define DMA_READ	0x02u
#define DMA_SKIP	0x04u
#define DMA_SELECT	0x08u
#define DMA_WRITE	0x10u
#define DMA_DESCRIPTOR_BYTES 16

#define DIR_ENTRY_BYTES	64		/* be32 size, be16 key, 2 reserved, 56 of name */

static const char dma_signature[8] = { 'Q', 'E', 'M', 'U', ' ', 'C', 'F', 'G' };

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t value)
{
	p[0] = value >> 24;
	p[1] = value >> 16 & 0xff;
	p[2] = value >> 8 & 0xff;
	p[3] = value & 0xff;
}

static struct fwcfg_item *find_item(struct fwcfg *fwcfg, uint16_t key)
{
	unsigned int index = key & KEY_INDEX;

	if (key & KEY_ARCH)
		return index < FWCFG_NR_ARCH_KEYS ? &fwcfg->arch_item[index] : NULL;
	return index < FWCFG_NR_KEYS ? &fwcfg->item[index] : NULL;
}

static uint8_t *item_bytes(struct fwcfg_item *item)
{
	return item->data ? item->data : item->value;
}

static void select_key(struct fwcfg *fwcfg, uint16_t key)
{
	fwcfg->key = key;
	fwcfg->offset = 0;
}

/*
 * The next bytes of the selected item: where they are and how many, at most @nbytes; 0 at its end.
 * The offset moves by the caller's count, and stops at the end so that it can never wrap.
 */
static uint32_t window(struct fwcfg *fwcfg, uint32_t nbytes, uint8_t **bytes, bool *writable)
{
	struct fwcfg_item *item = find_item(fwcfg, fwcfg->key);

	if (!item || fwcfg->offset >= item->nbytes)
		return 0;
	*bytes = item_bytes(item) + fwcfg->offset;
	*writable = item->writable;
	return plx_min32(nbytes, item->nbytes - fwcfg->offset);
}

/* ---- ports 510 and 511 ---- */

static uint32_t read_bytes(struct fwcfg *fwcfg, uint8_t *to, uint32_t nbytes)
{
	uint8_t *from;
	bool writable;
	uint32_t there = window(fwcfg, nbytes, &from, &writable);

	if (there)
		memcpy(to, from, there);
	memset(to + there, 0, nbytes - there);
	fwcfg->offset += there;
	fwcfg->bytes_by_port += nbytes;
	return nbytes;
}

static uint32_t fwcfg_in(void *chip, uint16_t port, unsigned int size, uint64_t now_ns)
{
	uint8_t byte;

	(void)now_ns;
	if (port != FWCFG_PORT + 1 || size != 1)
		return 0xffffffff;		/* the selector cannot be read */
	read_bytes(chip, &byte, 1);
	return byte;
}

static void fwcfg_out(void *chip, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	(void)now_ns;
	/* The data port has ignored writes since the DMA interface came to be the way to write. */
	if (port == FWCFG_PORT && size == 2)
		select_key(chip, value & 0xffff);
}

static uint32_t fwcfg_ins(void *chip, uint16_t port, unsigned int size, void *buf, uint32_t count, uint64_t now_ns)
{
	uint32_t value;

	if (port == FWCFG_PORT + 1 && size == 1)
		return read_bytes(chip, buf, count);
	value = fwcfg_in(chip, port, size, now_ns);
	memcpy(buf, &value, size);
	return 1;
}

const struct bus_port_ops fwcfg_ports = { .in = fwcfg_in, .out = fwcfg_out, .ins = fwcfg_ins };

/* ---- ports 514 - 51B ---- */

static void dma_zeros(struct fwcfg *fwcfg, uint32_t gpa, uint32_t nbytes)
{
	static const uint8_t zeros[4096];
	uint32_t n;

	for (; nbytes; nbytes -= n, gpa += n) {
		n = plx_min32(nbytes, sizeof(zeros));
		fwcfg->dma.write(fwcfg->dma.owner, gpa, zeros, n);
	}
}

/* Return: the control word that tells the guest how it went, 0 or DMA_ERROR. */
static uint32_t dma_move(struct fwcfg *fwcfg, uint32_t control, uint32_t nbytes, uint32_t gpa)
{
	uint8_t *bytes = NULL;
	bool writable = false;
	uint32_t there = window(fwcfg, nbytes, &bytes, &writable);

	if (control & DMA_READ) {
		if (there)
			fwcfg->dma.write(fwcfg->dma.owner, gpa, bytes, there);
		dma_zeros(fwcfg, gpa + there, nbytes - there);
	} else if (control & DMA_WRITE) {
		/* All or nothing: an item cannot grow. */
		if (nbytes && (!writable || there != nbytes))
			return DMA_ERROR;
		if (there)
			fwcfg->dma.read(fwcfg->dma.owner, gpa, bytes, there);
	} else if (!(control & DMA_SKIP)) {
		return 0;
	}
	fwcfg->offset += there;
	fwcfg->bytes_by_dma += there;
	return 0;
}

static void dma_run(struct fwcfg *fwcfg)
{
	uint8_t descriptor[DMA_DESCRIPTOR_BYTES], result[4];
	uint32_t gpa = get_be32(&fwcfg->dma_address[4]);
	uint32_t control, nbytes;
	bool beyond = get_be32(fwcfg->dma_address) != 0;

	/* Consumed: a 32-bit guest writes only the low half, and means zero for the other. */
	memset(fwcfg->dma_address, 0, sizeof(fwcfg->dma_address));
	if (beyond)
		return;				/* no memory there, so no place for an answer either */

	fwcfg->dma.read(fwcfg->dma.owner, gpa, descriptor, sizeof(descriptor));
	control = get_be32(&descriptor[0]);
	nbytes = get_be32(&descriptor[4]);
	if (control & DMA_SELECT)
		select_key(fwcfg, control >> 16);
	/* A buffer above 4 GiB, or one that would pass it, is not memory. Skipping needs none. */
	if (control & (DMA_READ | DMA_WRITE) &&
	    (get_be32(&descriptor[8]) || (uint64_t)get_be32(&descriptor[12]) + nbytes > 1ull << 32))
		control = DMA_ERROR;
	else
		control = dma_move(fwcfg, control, nbytes, get_be32(&descriptor[12]));
	put_be32(result, control);
	fwcfg->dma.write(fwcfg->dma.owner, gpa, result, sizeof(result));
}

static uint32_t fwcfg_dma_in(void *chip, uint16_t port, unsigned int size, uint64_t now_ns)
{
	uint32_t value = 0;

	(void)chip, (void)now_ns;
	for (unsigned int i = 0; i < size; i++)
		value |= (uint32_t)(uint8_t)dma_signature[(port - FWCFG_DMA_PORT + i) & 7] << (8 * i);
	return value;
}

static void fwcfg_dma_out(void *chip, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct fwcfg *fwcfg = chip;
	unsigned int offset = port - FWCFG_DMA_PORT;

	(void)now_ns;
	for (unsigned int i = 0; i < size && offset + i < 8; i++)
		fwcfg->dma_address[offset + i] = value >> (8 * i) & 0xff;
	/* Big-endian: the last byte is the least, and writing it starts the transfer. */
	if (offset + size >= 8)
		dma_run(fwcfg);
}

const struct bus_port_ops fwcfg_dma_ports = { .in = fwcfg_dma_in, .out = fwcfg_dma_out };

/* ---- filling it ---- */

bool fwcfg_add_bytes(struct fwcfg *fwcfg, uint16_t key, const void *data, uint32_t nbytes)
{
	struct fwcfg_item *item = find_item(fwcfg, key);

	if (!item)
		return false;
	/* Only dma_move writes through the pointer, and only if the item is marked writable. */
	*item = (struct fwcfg_item){ .data = (uint8_t *)(uintptr_t)data, .nbytes = nbytes };
	return true;
}

bool fwcfg_add_integer(struct fwcfg *fwcfg, uint16_t key, uint64_t value, unsigned int nbytes)
{
	struct fwcfg_item *item = find_item(fwcfg, key);

	if (!item || nbytes == 0 || nbytes > sizeof(item->value))
		return false;
	*item = (struct fwcfg_item){ .nbytes = nbytes };
	for (unsigned int i = 0; i < nbytes; i++)
		item->value[i] = value >> (8 * i) & 0xff;
	return true;
}

/* Length without the NUL, or FWCFG_NAME_BYTES when it does not fit. */
static unsigned int name_length(const char *name)
{
	unsigned int n = 0;

	while (n < FWCFG_NAME_BYTES && name[n])
		n++;
	return n;
}

int fwcfg_add_file(struct fwcfg *fwcfg, const char *name, const void *data, uint32_t nbytes, bool guest_writable)
{
	unsigned int length = name_length(name), file;
	uint8_t *entry = NULL;
	uint16_t key;

	if (length == 0 || length == FWCFG_NAME_BYTES)
		return -1;
	for (file = 0; file < fwcfg->nr_files; file++) {
		entry = &fwcfg->directory[4 + file * DIR_ENTRY_BYTES];
		if (memcmp(entry + 8, name, length + 1) == 0)
			break;
	}
	if (file == FWCFG_MAX_FILES)
		return -1;
	key = FWCFG_KEY_FILE_FIRST + file;
	entry = &fwcfg->directory[4 + file * DIR_ENTRY_BYTES];
	memset(entry, 0, DIR_ENTRY_BYTES);
	put_be32(entry, nbytes);
	entry[4] = key >> 8;
	entry[5] = key & 0xff;
	memcpy(entry + 8, name, length);

	fwcfg_add_bytes(fwcfg, key, data, nbytes);
	fwcfg->item[key].writable = guest_writable;
	if (file == fwcfg->nr_files)
		fwcfg->nr_files++;
	put_be32(fwcfg->directory, fwcfg->nr_files);
	fwcfg_add_bytes(fwcfg, FWCFG_KEY_FILE_DIR, fwcfg->directory, 4 + fwcfg->nr_files * DIR_ENTRY_BYTES);
	return key;
}

void fwcfg_init(struct fwcfg *fwcfg, const struct dma_ops *dma)
{
	memset(fwcfg, 0, sizeof(*fwcfg));
	fwcfg->dma = *dma;
	fwcfg_add_bytes(fwcfg, FWCFG_KEY_SIGNATURE, dma_signature, 4);
	fwcfg_add_integer(fwcfg, FWCFG_KEY_ID, ID_PORT | ID_DMA, 4);
	fwcfg_add_bytes(fwcfg, FWCFG_KEY_FILE_DIR, fwcfg->directory, 4);
}

void fwcfg_reset(struct fwcfg *fwcfg)
{
	select_key(fwcfg, FWCFG_KEY_SIGNATURE);
	memset(fwcfg->dma_address, 0, sizeof(fwcfg->dma_address));
}
