/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pc_stats.c - what the machine counted, for --stats.
 *
 * Asked by: user/. Asks: the bus's and the chips' counters. Ports that nobody touched are left out.
 */
#include "devices/pc_parts.h"

struct list {
	struct plx_stat *stats;
	size_t max, count;
};

static void add(struct list *list, const char *group, const char *name, uint64_t value)
{
	if (list->count < list->max)
		list->stats[list->count] = (struct plx_stat){ .group = group, .name = name, .value = value };
	list->count++;
}

static void add_used(struct list *list, const char *group, const char *name, uint64_t value)
{
	if (value)
		add(list, group, name, value);
}

static bool same_name(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* A chip at several ranges (the two PICs) counts as one: under the first of them. */
static void add_ports(struct list *list, struct bus *bus)
{
	unsigned int i, j;

	for (i = 1; i < BUS_MAX_RANGES; i++) {
		const struct bus_range *range = &bus->range[i];
		uint64_t reads = 0, writes = 0;
		bool first = range->ops != NULL;

		for (j = 1; first && j < BUS_MAX_RANGES; j++) {
			const struct bus_range *other = &bus->range[j];

			if (!other->ops || !same_name(other->in_name, range->in_name))
				continue;
			if (j < i)
				first = false;
			reads += other->reads;
			writes += other->writes;
		}
		if (!first)
			continue;
		add_used(list, "port", range->in_name, reads);
		add_used(list, "port", range->out_name, writes);
	}
	add_used(list, "port", "nobody in", bus->range[0].reads);
	add_used(list, "port", "nobody out", bus->range[0].writes);
}

static void add_irqs(struct list *list, const struct pic *pic)
{
	static const char *const name[16] = {
		"irq 0 timer", "irq 1 keyboard", "irq 2", "irq 3 com2", "irq 4 com1", "irq 5", "irq 6", "irq 7",
		"irq 8 rtc", "irq 9 acpi", "irq 10", "irq 11", "irq 12 mouse", "irq 13", "irq 14 ide", "irq 15 ide 2",
	};
	unsigned int i;

	for (i = 0; i < 16; i++)
		add_used(list, "interrupt", name[i], pic->delivered[i]);
	add_used(list, "interrupt", "spurious", pic->spurious);
}

static void add_disks(struct list *list, const struct ide *ide)
{
	struct ide_stats sum = ide->channel[0].stats;
	const struct ide_stats *other = &ide->channel[1].stats;

	add(list, "disk", "commands", sum.commands + other->commands);
	add(list, "disk", "sectors read", sum.sectors_read + other->sectors_read);
	add(list, "disk", "sectors written", sum.sectors_written + other->sectors_written);
	add_used(list, "disk", "flushes", sum.flushes + other->flushes);
	add_used(list, "disk", "dma transfers", sum.dma_transfers + other->dma_transfers);
	add_used(list, "disk", "host errors", sum.host_errors + other->host_errors);
}

size_t pc_stats(struct pc *pc, struct plx_stat *stats, size_t max)
{
	struct list list = { .stats = stats, .max = max };

	pc_lock_take(&pc->lock);
	add_ports(&list, &pc->bus);
	add_irqs(&list, &pc->pic);
	add(&list, "timer", "ticks given", pc->pit.ticks_given);
	add(&list, "timer", "ticks late", pc->pit.ticks_late);
	add(&list, "timer", "ticks lost", pc->pit.ticks_lost);
	add_disks(&list, &pc->ide);
	add_used(&list, "serial", "bytes in", pc->uart[0].bytes_in + pc->uart[1].bytes_in);
	add_used(&list, "serial", "bytes out", pc->uart[0].bytes_out + pc->uart[1].bytes_out);
	add_used(&list, "fw_cfg", "bytes by port", pc->fwcfg.bytes_by_port);
	add_used(&list, "fw_cfg", "bytes by dma", pc->fwcfg.bytes_by_dma);
	add_used(&list, "vga", "window reads", pc->vga.window_reads);
	add_used(&list, "vga", "window writes", pc->vga.window_writes);
	add_used(&list, "vga", "remaps", pc->vga.remaps);
	pc_lock_leave(&pc->lock);
	return list.count;
}
