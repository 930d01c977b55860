/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/dma8237.c - the ISA DMA controllers as software sees them before it starts a transfer.
 *
 * Asked by:  the bus. Asks: nothing: no ISA chip here asks for DMA, so no transfer ever runs, and the
 *            registers need only hold what was written, as the self tests and resource probes of guests check.
 * Source:    Intel 8237A datasheet, "Register Description"; PIIX3 datasheet for the page registers.
 * Tested by: tests/unit/test_pc.c.
 */
#include "devices/dma8237.h"

/* Registers 8-15, by number */
enum { COMMAND_STATUS = 8, REQUEST, MASK_ONE, MODE, CLEAR_FLIP_FLOP, MASTER_CLEAR, CLEAR_MASK, MASK_ALL };

static void master_clear(struct dma8237_chip *chip)
{
	chip->command = 0;
	chip->request = 0;
	chip->status = 0;
	chip->temporary = 0;
	chip->high_byte = false;
	chip->mask = 0x0f;
}

static uint8_t read_half(struct dma8237_chip *chip, uint16_t value)
{
	chip->high_byte = !chip->high_byte;
	return (uint8_t)(chip->high_byte ? value : value >> 8);
}

static uint8_t chip_read(struct dma8237_chip *chip, unsigned int reg)
{
	const struct dma8237_channel *c = &chip->channel[reg >> 1 & 3];
	uint8_t value;

	if (reg < COMMAND_STATUS)
		return read_half(chip, reg & 1 ? c->count : c->address);
	switch (reg) {
	case COMMAND_STATUS:
		value = chip->status;
		chip->status = 0;
		return value;
	case MASTER_CLEAR:		/* reads as the temporary register */
		return chip->temporary;
	case MASK_ALL:			/* the PIIX3 lets it be read */
		return chip->mask | 0xf0;
	default:
		return 0xff;
	}
}

static void write_half(struct dma8237_chip *chip, uint16_t *base, uint16_t *current, uint8_t value)
{
	chip->high_byte = !chip->high_byte;
	if (chip->high_byte)
		*base = (uint16_t)((*base & 0xff00) | value);
	else
		*base = (uint16_t)((*base & 0x00ff) | value << 8);
	*current = *base;
}

static void chip_write(struct dma8237_chip *chip, unsigned int reg, uint8_t value)
{
	struct dma8237_channel *c = &chip->channel[reg >> 1 & 3];
	uint8_t bit = (uint8_t)(1u << (value & 3));

	if (reg < COMMAND_STATUS) {
		if (reg & 1)
			write_half(chip, &c->base_count, &c->count, value);
		else
			write_half(chip, &c->base_address, &c->address, value);
		return;
	}
	switch (reg) {
	case COMMAND_STATUS:
		chip->command = value;
		break;
	case REQUEST:
		chip->request = value & 4 ? chip->request | bit : chip->request & ~bit;
		break;
	case MASK_ONE:
		chip->mask = value & 4 ? chip->mask | bit : chip->mask & ~bit;
		break;
	case MODE:
		chip->channel[value & 3].mode = value;
		break;
	case CLEAR_FLIP_FLOP:
		chip->high_byte = false;
		break;
	case MASTER_CLEAR:
		master_clear(chip);
		break;
	case CLEAR_MASK:
		chip->mask = 0;
		break;
	case MASK_ALL:
		chip->mask = value & 0x0f;
		break;
	}
}

static uint32_t dma8237_in(void *opaque, uint16_t port, unsigned int size, uint64_t now_ns)
{
	struct dma8237 *dma = opaque;

	(void)size;
	(void)now_ns;
	if (port >= DMA8237_PORT_HIGH)
		return chip_read(&dma->chip[1], port >> 1 & 15);
	if (port >= DMA8237_PORT_PAGE)
		return dma->page[port & 15];
	return chip_read(&dma->chip[0], port & 15);
}

static void dma8237_out(void *opaque, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct dma8237 *dma = opaque;

	(void)size;
	(void)now_ns;
	if (port >= DMA8237_PORT_HIGH) {
		chip_write(&dma->chip[1], port >> 1 & 15, (uint8_t)value);
	} else if (port >= DMA8237_PORT_PAGE) {
		dma->page[port & 15] = (uint8_t)value;
		if (port == DMA8237_PORT_PAGE)
			dma->last_post_code = (uint8_t)value;
	} else {
		chip_write(&dma->chip[0], port & 15, (uint8_t)value);
	}
}

const struct bus_port_ops dma8237_port_ops = { .in = dma8237_in, .out = dma8237_out, .byte_wide = true };

void dma8237_reset(struct dma8237 *dma)
{
	master_clear(&dma->chip[0]);
	master_clear(&dma->chip[1]);
}

void dma8237_init(struct dma8237 *dma)
{
	memset(dma, 0, sizeof(*dma));
	dma8237_reset(dma);
}
