/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/dma8237.h - the two ISA DMA controllers and their page registers: registers only, no transfers.
 */
#ifndef DEVICES_DMA8237_H
#define DEVICES_DMA8237_H

#include "devices/device.h"

#define DMA8237_PORT_LOW	0x00	/* 00-0F: channels 0-3, bytes */
#define DMA8237_PORT_PAGE	0x80	/* 80-8F: page registers; 80 is where firmware puts its POST code */
#define DMA8237_PORT_HIGH	0xc0	/* C0-DF: channels 4-7, words, a register at each even port */

struct dma8237_channel {
	uint16_t base_address, base_count;
	uint16_t address, count;
	uint8_t mode;
};

struct dma8237_chip {
	struct dma8237_channel channel[4];
	uint8_t command, request, mask, temporary;
	uint8_t status;			/* terminal counts, cleared by reading */
	bool high_byte;			/* the flip-flop */
};

struct dma8237 {
	struct dma8237_chip chip[2];
	uint8_t page[16];
	uint8_t last_post_code;
};

extern const struct bus_port_ops dma8237_port_ops;	/* all three ranges */

void dma8237_init(struct dma8237 *dma);
void dma8237_reset(struct dma8237 *dma);

#endif
