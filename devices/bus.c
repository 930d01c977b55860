/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/bus.c - the ISA/PCI bus as a table: from a port or an address to its chip.
 *
 *      IN/OUT, MMIO --> pc.c --> [bus] --> chip
 *
 * Asked by:  devices/pc.c.
 * Asks:      the chips.
 * Splitting: an access that one chip covers goes to it whole, also when it is not aligned. One that crosses a
 *            border, or meets a chip of byte registers, is halved until it does not: a 16-bit OUT to 20h is
 *            OUT to 20h and then to 21h, as the ISA bus does it.
 * Tested by: tests/unit/test_bus.c.
 * Read next: devices/pc.c.
 */
#include "devices/bus.h"

static uint32_t all_ones(unsigned int size)
{
	return size >= 4 ? 0xffffffffu : (1u << (size * 8)) - 1;
}

/* Copies what fits and always ends the string. Return: its length. */
static size_t name_put(char *to, size_t room, const char *from)
{
	size_t n = 0;

	while (from[n] && n + 1 < room) {
		to[n] = from[n];
		n++;
	}
	to[n] = 0;
	return n;
}

static void name_range(struct bus_range *range, const char *name)
{
	size_t n = name_put(range->in_name, BUS_NAME_MAX, name);

	name_put(range->in_name + n, 5, " in");
	name_put(range->out_name, BUS_NAME_MAX, name);
	name_put(range->out_name + n, 5, " out");
}

unsigned int bus_add_ports(struct bus *bus, const char *name, uint16_t first, uint32_t count,
			   const struct bus_port_ops *ops, void *chip, uint8_t tag)
{
	struct bus_range *range;
	unsigned int index, claimed = 0;
	uint32_t port;

	for (index = 1; index < BUS_MAX_RANGES; index++)
		if (!bus->range[index].ops)
			break;
	if (index == BUS_MAX_RANGES || !ops)
		return 0;
	if (first + count > 65536)
		count = 65536u - first;

	for (port = first; port < first + count; port++) {
		if (bus->port[port])
			continue;
		bus->port[port] = (uint8_t)index;
		claimed++;
	}
	if (!claimed)
		return 0;

	range = &bus->range[index];
	range->ops = ops;
	range->chip = chip;
	range->first = first;
	range->last = (uint16_t)(first + count - 1);
	range->tag = tag;
	range->reads = 0;
	range->writes = 0;
	name_range(range, name);
	return index;
}

void bus_remove_ports(struct bus *bus, unsigned int handle)
{
	struct bus_range *range;
	uint32_t port;

	if (handle == 0 || handle >= BUS_MAX_RANGES)
		return;
	range = &bus->range[handle];
	if (!range->ops)
		return;
	for (port = range->first; port <= range->last; port++)
		if (bus->port[port] == handle)
			bus->port[port] = 0;
	range->ops = NULL;
}

unsigned int bus_add_mmio(struct bus *bus, uint32_t first, uint32_t nbytes,
			  const struct bus_mmio_ops *ops, void *chip, uint8_t tag)
{
	struct bus_mmio *mmio;
	unsigned int index;

	if (!ops || !nbytes)
		return 0;
	for (index = 0; index < BUS_MAX_MMIO; index++)
		if (!bus->mmio[index].ops)
			break;
	if (index == BUS_MAX_MMIO)
		return 0;
	mmio = &bus->mmio[index];
	mmio->chip = chip;
	mmio->first = first;
	mmio->last = nbytes - 1 > 0xffffffffu - first ? 0xffffffffu : first + (nbytes - 1);
	mmio->tag = tag;
	mmio->reads = 0;
	mmio->writes = 0;
	mmio->ops = ops;
	return index + 1;
}

void bus_remove_mmio(struct bus *bus, unsigned int handle)
{
	if (handle && handle <= BUS_MAX_MMIO)
		bus->mmio[handle - 1].ops = NULL;
}

/*
 * Does one chip answer all of [port, port + size), in one piece? Its last port may be wider than its number says (the
 * Bochs display's 16-bit data port 1CFh): what runs on into ports of nobody stays whole. A port past ffffh does not exist.
 */
static bool port_whole(const struct bus *bus, uint16_t port, unsigned int size)
{
	uint8_t index = bus->port[port];
	unsigned int i;

	if (size == 1)
		return true;
	if (port + size > 65536 || (index && bus->range[index].ops->byte_wide))
		return false;
	for (i = 1; i < size; i++)
		if (bus->port[port + i] != index && (bus->port[port + i] || !index))
			return false;
	return true;
}

uint32_t bus_in(struct bus *bus, uint16_t port, unsigned int size, uint64_t now_ns)
{
	struct bus_range *range;
	uint32_t low, high;

	if (PLX_UNLIKELY(!port_whole(bus, port, size))) {
		/* The low half first, and by itself: reading may change the chip. */
		size /= 2;
		low = bus_in(bus, port, size, now_ns);
		high = bus_in(bus, (uint16_t)(port + size), size, now_ns);
		return low | high << (size * 8);
	}
	range = &bus->range[bus->port[port]];
	range->reads++;
	if (!range->ops || !range->ops->in)
		return all_ones(size);
	bus->touched |= 1u << range->tag;
	return range->ops->in(range->chip, port, size, now_ns) & all_ones(size);
}

void bus_out(struct bus *bus, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct bus_range *range;

	if (PLX_UNLIKELY(!port_whole(bus, port, size))) {
		size /= 2;
		bus_out(bus, port, size, value & all_ones(size), now_ns);
		bus_out(bus, (uint16_t)(port + size), size, value >> (size * 8), now_ns);
		return;
	}
	range = &bus->range[bus->port[port]];
	range->writes++;
	if (!range->ops || !range->ops->out)
		return;
	bus->touched |= 1u << range->tag;
	range->ops->out(range->chip, port, size, value & all_ones(size), now_ns);
}

uint32_t bus_ins(struct bus *bus, uint16_t port, unsigned int size, void *buf, uint32_t count, uint64_t now_ns)
{
	struct bus_range *range = &bus->range[bus->port[port]];
	uint8_t *to = buf;
	uint32_t i, value;

	if (!count)
		return 0;
	if (range->ops && range->ops->ins && port_whole(bus, port, size)) {
		bus->touched |= 1u << range->tag;
		i = range->ops->ins(range->chip, port, size, buf, count, now_ns);
		range->reads += i;
		return i;
	}
	count = plx_min32(count, BUS_BATCH);
	for (i = 0; i < count; i++, to += size) {
		value = bus_in(bus, port, size, now_ns);
		memcpy(to, &value, size);	/* little-endian on both sides */
	}
	return count;
}

uint32_t bus_outs(struct bus *bus, uint16_t port, unsigned int size, const void *buf, uint32_t count,
		  uint64_t now_ns)
{
	struct bus_range *range = &bus->range[bus->port[port]];
	const uint8_t *from = buf;
	uint32_t i, value;

	if (!count)
		return 0;
	if (range->ops && range->ops->outs && port_whole(bus, port, size)) {
		bus->touched |= 1u << range->tag;
		i = range->ops->outs(range->chip, port, size, buf, count, now_ns);
		range->writes += i;
		return i;
	}
	count = plx_min32(count, BUS_BATCH);
	for (i = 0; i < count; i++, from += size) {
		value = 0;
		memcpy(&value, from, size);
		bus_out(bus, port, size, value, now_ns);
	}
	return count;
}

static struct bus_mmio *mmio_find(struct bus *bus, uint32_t gpa)
{
	unsigned int i;

	for (i = 0; i < BUS_MAX_MMIO; i++)
		if (bus->mmio[i].ops && gpa >= bus->mmio[i].first && gpa <= bus->mmio[i].last)
			return &bus->mmio[i];
	return NULL;
}

uint32_t bus_mmio_read(struct bus *bus, uint32_t gpa, unsigned int size, uint64_t now_ns)
{
	struct bus_mmio *mmio = mmio_find(bus, gpa);
	uint32_t low, high;

	if (mmio != mmio_find(bus, gpa + size - 1)) {
		size /= 2;
		low = bus_mmio_read(bus, gpa, size, now_ns);
		high = bus_mmio_read(bus, gpa + size, size, now_ns);
		return low | high << (size * 8);
	}
	if (!mmio)
		return all_ones(size);
	mmio->reads++;
	bus->touched |= 1u << mmio->tag;
	return mmio->ops->read(mmio->chip, gpa, size, now_ns) & all_ones(size);
}

void bus_mmio_write(struct bus *bus, uint32_t gpa, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct bus_mmio *mmio = mmio_find(bus, gpa);

	if (mmio != mmio_find(bus, gpa + size - 1)) {
		size /= 2;
		bus_mmio_write(bus, gpa, size, value & all_ones(size), now_ns);
		bus_mmio_write(bus, gpa + size, size, value >> (size * 8), now_ns);
		return;
	}
	if (!mmio)
		return;
	mmio->writes++;
	bus->touched |= 1u << mmio->tag;
	mmio->ops->write(mmio->chip, gpa, size, value & all_ones(size), now_ns);
}
