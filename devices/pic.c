/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pic.c - the 8259A, twice: who may interrupt the processor, and in which order.
 *
 *      chip --irq_line--> [pic] --intr--> pc.c --> processor
 *
 * Asked by:  the bus for its ports, every chip for its line, devices/pc.c for INTA.
 * Asks:      nothing but its two outputs.
 * Source:    Intel 8259A datasheet; 82371SB (PIIX3) datasheet for the edge/level registers.
 * Departs:   An edge stays latched when its line drops before INTA. The 8259A would then give the spurious
 *            vector; we cannot be as quick as the processor those chips were timed for, and a lost timer tick is
 *            worse than a late one. A level-triggered request that drops is gone, and INTR with it, also through the
 *            cascade; only an INTA that comes all the same gets the spurious vector.
 *            ICW1's LTIM bit is ignored: the PIIX3 puts the ELCR in its place.
 *            8080 mode (ICW4 bit 0 clear) gives 8086 vectors: no PC can wire the other.
 * Tested by: tests/unit/test_pic.c.
 */
#include "devices/pic.h"

#define CASCADE		2	/* the master's input that the slave drives */
#define SPURIOUS	7
#define NO_INPUT	8

/* IRQ 0, 1, 2, 8 and 13 are edge-triggered whatever the guest asks for (PIIX3, "ELCR1", "ELCR2"). */
#define ELCR_MASTER_MASK 0xf8
#define ELCR_SLAVE_MASK	0xde

#define ICW1_IC4	0x01
#define ICW1_SNGL	0x02
#define ICW1_MARK	0x10	/* D4: this is ICW1, not an OCW */
#define ICW4_AEOI	0x02
#define ICW4_SFNM	0x10
#define OCW3_MARK	0x08	/* D3 with D4 clear: OCW3 */

/* How many steps below the highest priority the first set bit of @inputs stands: 0..7, 8 for none. */
static unsigned int first_rank(const struct pic_chip *chip, uint8_t inputs)
{
	unsigned int rank;

	if (!inputs)
		return NO_INPUT;
	for (rank = 0; rank < 8; rank++)
		if (inputs >> ((chip->lowest + 1 + rank) & 7) & 1)
			break;
	return rank;
}

/* The input that the chip would serve now; NO_INPUT if its INT output is low. */
static unsigned int chip_request(const struct pic *pic, const struct pic_chip *chip)
{
	uint8_t serving = chip->isr;
	unsigned int rank = first_rank(chip, chip->irr & ~chip->imr);

	if (rank == NO_INPUT)
		return NO_INPUT;
	/* Special mask mode: a masked level no longer blocks those below it (8259A, "Special Mask Mode"). */
	if (chip->special_mask)
		serving &= ~chip->imr;
	/* Special fully nested: a slave in service may interrupt again with a higher input of its own. */
	if (chip->special_nested && chip == &pic->chip[0])
		serving &= ~(1u << CASCADE);
	if (rank >= first_rank(chip, serving))
		return NO_INPUT;
	return (chip->lowest + 1 + rank) & 7;
}

static void chip_set_line(struct pic_chip *chip, unsigned int input, bool level)
{
	uint8_t bit = (uint8_t)(1u << input);

	if (chip->elcr & bit) {
		if (level)
			chip->irr |= bit;
		else
			chip->irr &= ~bit;
	} else if (level && !(chip->line & bit)) {
		chip->irr |= bit;
	}
	if (level)
		chip->line |= bit;
	else
		chip->line &= ~bit;
}

/* From the inputs outward: slave's INT, master's input 2, INTR. To be called after every change. */
static void pic_update(struct pic *pic)
{
	bool level = chip_request(pic, &pic->chip[1]) != NO_INPUT;

	chip_set_line(&pic->chip[0], CASCADE, level);
	/* The slave knows best whether it still wants something: no spurious vector for what it took back. */
	if (!level)
		pic->chip[0].irr &= ~(1u << CASCADE);
	level = chip_request(pic, &pic->chip[0]) != NO_INPUT;
	if (level == pic->intr_level)
		return;
	pic->intr_level = level;
	irq_set(&pic->intr, level);
}

void pic_set_irq(void *opaque, unsigned int irq, bool level)
{
	struct pic *pic = opaque;

	chip_set_line(&pic->chip[irq >> 3 & 1], irq & 7, level);
	pic_update(pic);
}

static void rotate_to(struct pic_chip *chip, unsigned int lowest)
{
	chip->lowest = lowest & 7;
}

/* One chip answers INTA for @input: into service, unless automatic EOI ends it at once. */
static void chip_acknowledge(struct pic_chip *chip, unsigned int input)
{
	uint8_t bit = (uint8_t)(1u << input);

	if (!(chip->elcr & bit))
		chip->irr &= ~bit;
	if (!chip->auto_eoi)
		chip->isr |= bit;
	else if (chip->rotate_on_auto_eoi)
		rotate_to(chip, input);
}

static void count_taken(struct pic *pic, unsigned int irq)
{
	pic->delivered[irq]++;
	if (pic->taken)
		pic->taken(pic->taken_owner, irq);
}

/* The slave's INT goes low during INTA; without this gap the master, edge-triggered, would miss that a second
 * request of the slave stands behind the first. */
static void slave_acknowledge(struct pic *pic, unsigned int input)
{
	chip_acknowledge(&pic->chip[1], input);
	chip_set_line(&pic->chip[0], CASCADE, false);
}

uint8_t pic_acknowledge(struct pic *pic)
{
	struct pic_chip *master = &pic->chip[0], *slave = &pic->chip[1];
	unsigned int input = chip_request(pic, master), irq;
	uint8_t vector;

	if (input == NO_INPUT) {
		pic->spurious++;
		return master->base | SPURIOUS;
	}
	chip_acknowledge(master, input);
	if (input != CASCADE || master->single) {
		vector = master->base | (uint8_t)input;
		irq = input;
	} else {
		input = chip_request(pic, slave);
		if (input == NO_INPUT) {
			/* Gone between the two halves of INTA. The master has seen the slave and stays in service: the
			 * guest owes it, not the slave, an EOI. */
			pic->spurious++;
			pic_update(pic);
			return slave->base | SPURIOUS;
		}
		slave_acknowledge(pic, input);
		vector = slave->base | (uint8_t)input;
		irq = 8 + input;
	}
	/* Outputs first: the callback may well raise its line again. */
	pic_update(pic);
	count_taken(pic, irq);
	return vector;
}

int pic_peek(const struct pic *pic)
{
	unsigned int input = chip_request(pic, &pic->chip[0]);

	if (input == NO_INPUT)
		return -1;
	if (input != CASCADE || pic->chip[0].single)
		return pic->chip[0].base | (int)input;
	input = chip_request(pic, &pic->chip[1]);
	return pic->chip[1].base | (input == NO_INPUT ? SPURIOUS : (int)input);
}

static void write_icw1(struct pic_chip *chip, uint8_t value)
{
	/* "Edge sense circuit is reset": an edge-triggered input must fall and rise again; @line remembers it. */
	chip->irr &= chip->elcr;
	chip->isr = 0;
	chip->imr = 0;
	chip->lowest = 7;
	chip->special_mask = false;
	chip->poll = false;
	chip->read_isr = false;
	chip->auto_eoi = false;
	chip->special_nested = false;
	chip->rotate_on_auto_eoi = false;
	chip->single = value & ICW1_SNGL;
	chip->wants_icw4 = value & ICW1_IC4;
	chip->init = PIC_WANTS_ICW2;
}

/* OCW2: end of interrupt and rotation; the three high bits are the command, the three low ones the input. */
static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
	unsigned int command = value >> 5, input = value & 7, rank;

	switch (command) {
	case 0:			/* rotate in automatic EOI mode: clear */
	case 4:			/* and set */
		chip->rotate_on_auto_eoi = command == 4;
		break;
	case 1:			/* non-specific EOI */
	case 5:			/* and rotate */
		rank = first_rank(chip, chip->special_mask ? chip->isr & ~chip->imr : chip->isr);
		if (rank == NO_INPUT)
			break;
		input = (chip->lowest + 1 + rank) & 7;
		chip->isr &= ~(1u << input);
		if (command == 5)
			rotate_to(chip, input);
		break;
	case 3:			/* specific EOI */
	case 7:			/* and rotate */
		chip->isr &= ~(1u << input);
		if (command == 7)
			rotate_to(chip, input);
		break;
	case 6:			/* set priority */
		rotate_to(chip, input);
		break;
	default:		/* 2: no operation */
		break;
	}
}

static void write_ocw3(struct pic_chip *chip, uint8_t value)
{
	chip->poll = value & 0x04;
	if (value & 0x02)
		chip->read_isr = value & 0x01;
	if (value & 0x40)
		chip->special_mask = value & 0x20;
}

static void chip_write_data(struct pic *pic, struct pic_chip *chip, uint8_t value)
{
	switch (chip->init) {
	case PIC_WANTS_ICW2:
		chip->base = value & 0xf8;
		chip->init = !chip->single ? PIC_WANTS_ICW3 : chip->wants_icw4 ? PIC_WANTS_ICW4 : PIC_READY;
		break;
	case PIC_WANTS_ICW3:	/* the cascade is soldered: which input it is cannot be chosen */
		chip->init = chip->wants_icw4 ? PIC_WANTS_ICW4 : PIC_READY;
		break;
	case PIC_WANTS_ICW4:
		chip->auto_eoi = value & ICW4_AEOI;
		chip->special_nested = value & ICW4_SFNM;
		chip->init = PIC_READY;
		break;
	default:
		chip->imr = value;
		break;
	}
	pic_update(pic);
}

/* Poll: the read that follows OCW3's P bit is an INTA for this chip alone. Bit 7 tells if there was a request. */
static uint8_t chip_poll(struct pic *pic, struct pic_chip *chip)
{
	unsigned int input = chip_request(pic, chip);

	chip->poll = false;
	if (input == NO_INPUT)
		return 0;
	if (chip == &pic->chip[0])
		chip_acknowledge(chip, input);
	else
		slave_acknowledge(pic, input);
	pic_update(pic);
	if (chip != &pic->chip[0] || input != CASCADE)
		count_taken(pic, chip == &pic->chip[0] ? input : 8 + input);
	return 0x80 | (uint8_t)input;
}

static uint32_t pic_in(void *opaque, uint16_t port, unsigned int size, uint64_t now_ns)
{
	struct pic *pic = opaque;
	struct pic_chip *chip;

	(void)size;
	(void)now_ns;
	if ((port & ~1u) == PIC_PORT_ELCR)
		return pic->chip[port & 1].elcr;
	chip = &pic->chip[(port & 0x80) != 0];
	if (chip->poll)
		return chip_poll(pic, chip);
	if (port & 1)
		return chip->imr;
	return chip->read_isr ? chip->isr : chip->irr;
}

static void write_elcr(struct pic *pic, unsigned int which, uint8_t value)
{
	struct pic_chip *chip = &pic->chip[which];
	uint8_t changed;

	value &= which ? ELCR_SLAVE_MASK : ELCR_MASTER_MASK;
	changed = chip->elcr ^ value;
	chip->elcr = value;
	/* An input that is level-triggered now requests while it is high; a latched edge means nothing to it. */
	chip->irr = (chip->irr & ~(changed & value)) | (chip->line & changed & value);
	pic_update(pic);
}

static void pic_out(void *opaque, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct pic *pic = opaque;
	struct pic_chip *chip;

	(void)size;
	(void)now_ns;
	if ((port & ~1u) == PIC_PORT_ELCR) {
		write_elcr(pic, port & 1, (uint8_t)value);
		return;
	}
	chip = &pic->chip[(port & 0x80) != 0];
	if (port & 1) {
		chip_write_data(pic, chip, (uint8_t)value);
		return;
	}
	if (value & ICW1_MARK)
		write_icw1(chip, (uint8_t)value);
	else if (value & OCW3_MARK)
		write_ocw3(chip, (uint8_t)value);
	else
		write_ocw2(chip, (uint8_t)value);
	pic_update(pic);
}

const struct bus_port_ops pic_port_ops = { .in = pic_in, .out = pic_out, .byte_wide = true };

void pic_reset(struct pic *pic)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct pic_chip *chip = &pic->chip[i];
		uint8_t line = chip->line;

		memset(chip, 0, sizeof(*chip));
		chip->line = i == 0 ? line & ~(1u << CASCADE) : line;
		chip->lowest = 7;
	}
	pic_update(pic);
}

void pic_init(struct pic *pic, struct irq_line intr)
{
	memset(pic, 0, sizeof(*pic));
	pic->intr = intr;
	pic_reset(pic);
}
