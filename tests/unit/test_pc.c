/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_pc.c - the machine without a processor: this file plays the engine (plx_vm_*) and the guest.
 *
 * The engine here is a memory map on paper: for each page of guest physical memory its kind and offset.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "devices/pc_parts.h"

#define MIB (1u << 20)
#define RAM_BYTES (16u * MIB)
#define EXTRA_BYTES (32u * MIB)
#define ROM_BYTES (256u << 10)
#define MS 1000000ull

/* ---- the engine ---- */

struct plx_vm {
	uint8_t *ram;
	struct page { uint8_t kind; uint32_t offset; } *page;	/* offset in pages */
	const struct plx_machine_ops *ops;
	void *machine;
	void *blocks[64];
	unsigned int nblocks, resets, stops, wakes, a20_calls;
	bool intr, a20;
	uint64_t now;
};

static struct plx_vm vm;

void *plx_vm_alloc(struct plx_vm *v, size_t nbytes)
{
	assert_true(v->nblocks < PLX_ARRAY_SIZE(v->blocks));
	return v->blocks[v->nblocks++] = calloc(1, nbytes);
}

void plx_vm_set_machine(struct plx_vm *v, const struct plx_machine_ops *ops, void *machine)
{
	v->ops = ops;
	v->machine = machine;
}

uint8_t *plx_vm_ram(struct plx_vm *v)
{
	return v->ram;
}

int plx_vm_map(struct plx_vm *v, uint32_t gpa, uint64_t nbytes, uint64_t offset, int kind)
{
	uint64_t i;

	assert_int_equal(gpa & PLX_PAGE_MASK, 0);
	assert_int_equal(nbytes & PLX_PAGE_MASK, 0);
	assert_int_equal(offset & PLX_PAGE_MASK, 0);
	assert_true(gpa + nbytes <= 1ull << 32);
	assert_true(kind == PLX_MAP_NONE || offset + nbytes <= RAM_BYTES + EXTRA_BYTES);
	for (i = 0; i < nbytes >> 12; i++) {
		v->page[(gpa >> 12) + i].kind = (uint8_t)kind;
		v->page[(gpa >> 12) + i].offset = (uint32_t)((offset >> 12) + i);
	}
	return 0;
}

void plx_vm_dma_read(struct plx_vm *v, uint32_t gpa, void *buf, uint32_t nbytes)
{
	for (uint8_t *to = buf; nbytes--; gpa++)
		*to++ = gpa < RAM_BYTES ? v->ram[gpa] : 0xff;
}

void plx_vm_dma_write(struct plx_vm *v, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	for (const uint8_t *from = buf; nbytes--; gpa++, from++)
		if (gpa < RAM_BYTES)
			v->ram[gpa] = *from;
}

void plx_vm_set_a20(struct plx_vm *v, bool open)
{
	v->a20 = open;
	v->a20_calls++;
}

void plx_set_intr(struct plx_vm *v, bool level)
{
	v->intr = level;
}

void plx_vm_stop(struct plx_vm *v)
{
	v->stops++;
}

void plx_vm_request_reset(struct plx_vm *v)
{
	v->resets++;
}

/* ---- the guest ---- */

static struct pc *pc;
static uint8_t firmware[ROM_BYTES];
static char serial_out[256], debug_out[256];
static size_t nserial, ndebug;

static uint64_t clock_now(void *owner)
{
	return ((struct plx_vm *)owner)->now;
}

static int64_t clock_wall(void *owner)
{
	(void)owner;
	return 852076798;
}

static void wake(void *owner)
{
	((struct plx_vm *)owner)->wakes++;
}

static void to_serial(void *owner, uint8_t byte)
{
	(void)owner;
	if (nserial < sizeof(serial_out))
		serial_out[nserial++] = (char)byte;
}

static void to_debug(void *owner, uint8_t byte)
{
	(void)owner;
	if (ndebug < sizeof(debug_out))
		debug_out[ndebug++] = (char)byte;
}

static uint32_t in(uint16_t port, unsigned int size)
{
	return vm.ops->in(vm.machine, port, size);
}

static uint8_t inb(uint16_t port)
{
	return (uint8_t)in(port, 1);
}

static void out(uint16_t port, unsigned int size, uint32_t value)
{
	vm.ops->out(vm.machine, port, size, value);
}

static void outb(uint16_t port, uint8_t value)
{
	out(port, 1, value);
}

static uint8_t cmos(uint8_t index)
{
	outb(0x70, index);
	return inb(0x71);
}

static void pci_address(uint8_t devfn, unsigned int offset)
{
	out(0xcf8, 4, 0x80000000u | (uint32_t)devfn << 8 | (offset & 0xfc));
}

static uint32_t pci_read(uint8_t devfn, unsigned int offset, unsigned int size)
{
	pci_address(devfn, offset);
	return in((uint16_t)(0xcfc + (offset & 3)), size);
}

static void pci_write(uint8_t devfn, unsigned int offset, unsigned int size, uint32_t value)
{
	pci_address(devfn, offset);
	out((uint16_t)(0xcfc + (offset & 3)), size, value);
}

static void fwcfg_select(uint16_t key)
{
	out(0x510, 2, key);
}

/* Finds a file in the directory; its key, or 0. */
static uint16_t fwcfg_find(const char *name, uint32_t *nbytes)
{
	uint8_t entry[64];
	uint32_t count = 0, i;

	fwcfg_select(0x19);
	for (i = 0; i < 4; i++)
		count = count << 8 | inb(0x511);
	while (count--) {
		for (i = 0; i < 64; i++)
			entry[i] = inb(0x511);
		if (strcmp((char *)entry + 8, name))
			continue;
		*nbytes = (uint32_t)entry[0] << 24 | entry[1] << 16 | entry[2] << 8 | entry[3];
		return (uint16_t)(entry[4] << 8 | entry[5]);
	}
	return 0;
}

static struct page page(uint32_t gpa)
{
	return vm.page[gpa >> 12];
}

static void assert_page(uint32_t gpa, int kind, uint64_t offset)
{
	assert_int_equal(page(gpa).kind, kind);
	if (kind != PLX_MAP_NONE)
		assert_int_equal(page(gpa).offset, offset >> 12);
}

static void program_pics(void)
{
	outb(0x20, 0x11);
	outb(0x21, 0x20);
	outb(0x21, 0x04);
	outb(0x21, 0x01);
	outb(0xa0, 0x11);
	outb(0xa1, 0x28);
	outb(0xa1, 0x02);
	outb(0xa1, 0x01);
}

static int take(void)
{
	int vector = vm.ops->intack(vm.machine);

	if (vector >= 0x28)
		outb(0xa0, 0x20);
	if (vector >= 0)
		outb(0x20, 0x20);
	return vector;
}

/* ---- a disk of zeros that remembers its last sector ---- */

static uint8_t disk_sector[512];
static int disk_error;			/* what the host answers to writes and flushes */
static unsigned int disk_flushes, host_errors;
static char host_error_what[16];
static int host_error_number;

static void note_host_error(void *owner, unsigned int disk, const char *what, uint64_t sector, int error)
{
	assert_ptr_equal(owner, &vm);
	assert_int_equal(disk, 0);
	(void)sector;
	host_errors++;
	snprintf(host_error_what, sizeof(host_error_what), "%s", what);
	host_error_number = error;
}

static int disk_read(void *owner, uint64_t sector, void *buf, uint32_t nsectors)
{
	(void)owner;
	(void)sector;
	while (nsectors--) {
		memcpy(buf, disk_sector, 512);
		buf = (uint8_t *)buf + 512;
	}
	return 0;
}

static int disk_write(void *owner, uint64_t sector, const void *buf, uint32_t nsectors)
{
	(void)owner;
	(void)sector;
	memcpy(disk_sector, (const uint8_t *)buf + (nsectors - 1) * 512, 512);
	return disk_error;
}

static int disk_flush(void *owner)
{
	(void)owner;
	disk_flushes++;
	return disk_error;
}

static const struct block_ops disk = {
	.read = disk_read, .write = disk_write, .flush = disk_flush, .nsectors = 20480,
};

/* ---- building ---- */

static void build(bool with_firmware, bool with_vga)
{
	static const char rom[] = "\x55\xaa rom";
	struct pc_config config = {
		.vm = &vm, .ram_bytes = RAM_BYTES, .disk = { &disk },
		.serial = { { .write = to_serial } }, .debug_console = { .write = to_debug },
		.now_ns = clock_now, .clock_owner = &vm, .wall_s = clock_wall, .wake_events = wake, .wake_owner = &vm,
		.has_vga = with_vga, .host_error = note_host_error, .host_error_owner = &vm,
		.fwcfg = { { "etc/acpi/rsdp", "RSD PTR ", 8, false } },
		.vga_rom = rom, .vga_rom_bytes = sizeof(rom),
	};
	unsigned int i;

	memset(&vm, 0, sizeof(vm));
	vm.ram = calloc(1, RAM_BYTES + EXTRA_BYTES);
	vm.page = calloc(1u << 20, sizeof(*vm.page));
	for (i = 0; i < 1u << 20; i++)
		vm.page[i] = (struct page){ .kind = i < RAM_BYTES >> 12 ? PLX_MAP_RAM : PLX_MAP_NONE, .offset = i };
	vm.now = 5 * MS;
	nserial = ndebug = 0;
	disk_error = 0;
	disk_flushes = host_errors = 0;
	for (i = 0; i < sizeof(firmware); i++)
		firmware[i] = (uint8_t)(i >> 12);
	if (with_firmware) {
		config.firmware = firmware;
		config.firmware_bytes = sizeof(firmware);
	}
	assert_int_equal(pc_create(&config, &pc), 0);
}

static int set_up(void **state)
{
	(void)state;
	build(true, true);
	return 0;
}

static int set_up_plain(void **state)
{
	(void)state;
	build(false, false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	while (vm.nblocks)
		free(vm.blocks[--vm.nblocks]);
	free(vm.ram);
	free(vm.page);
	return 0;
}

/* ---- memory ---- */

static void firmware_stands_below_4_gib_and_below_1_mib(void **state)
{
	(void)state;
	assert_page(0xfffc0000, PLX_MAP_ROM, RAM_BYTES);
	assert_page(0xfffff000, PLX_MAP_ROM, RAM_BYTES + 0x3f000);
	assert_page(0xe0000, PLX_MAP_ROM, RAM_BYTES + 0x20000);
	assert_page(0xff000, PLX_MAP_ROM, RAM_BYTES + 0x3f000);
	assert_memory_equal(vm.ram + RAM_BYTES, firmware, sizeof(firmware));
	assert_page(0xa0000, PLX_MAP_NONE, 0);
	assert_page(0xbf000, PLX_MAP_NONE, 0);
	assert_page(0xc0000, PLX_MAP_NONE, 0);
	assert_page(0x9f000, PLX_MAP_RAM, 0x9f000);
	assert_page(0x100000, PLX_MAP_RAM, 0x100000);
}

static void pam_switches_areas_between_rom_and_ram(void **state)
{
	(void)state;
	pci_write(0, 0x59, 1, 0x30);			/* F0000: RAM */
	assert_page(0xf0000, PLX_MAP_RAM, 0xf0000);
	assert_page(0xec000, PLX_MAP_ROM, RAM_BYTES + 0x2c000);
	pci_write(0, 0x59, 1, 0x10);			/* reads RAM, writes vanish */
	assert_page(0xf0000, PLX_MAP_ROM, 0xf0000);
	vm.ops->mmio_write(vm.machine, 0xf0000, 1, 0x77);
	assert_int_equal(vm.ram[0xf0000], 0x00);
	pci_write(0, 0x5a, 1, 0x33);			/* C0000 - C7FFF */
	assert_page(0xc0000, PLX_MAP_RAM, 0xc0000);
	assert_page(0xc8000, PLX_MAP_NONE, 0);
}

static void writes_reach_ram_while_reads_come_from_rom(void **state)
{
	(void)state;
	pci_write(0, 0x59, 1, 0x20);
	assert_page(0xf0000, PLX_MAP_ROM, RAM_BYTES + 0x30000);
	vm.ops->mmio_write(vm.machine, 0xf1234, 4, 0x44332211);
	assert_int_equal(vm.ram[0xf1234], 0x11);
	assert_int_equal(vm.ram[0xf1237], 0x44);
	vm.ops->mmio_write(vm.machine, 0xe1234, 1, 0x55);
	assert_int_equal(vm.ram[0xe1234], 0x00);
	assert_int_equal(vm.ops->mmio_read(vm.machine, 0xd0000, 2), 0xffff);
}

static void the_frame_buffer_is_ram_wherever_its_bar_points(void **state)
{
	uint8_t vga = PCI_DEVFN(2, 0);

	(void)state;
	pci_write(vga, 0x10, 4, 0xe0000000);
	assert_page(0xe0000000, PLX_MAP_NONE, 0);
	pci_write(vga, 0x04, 2, 2);
	assert_page(0xe0000000, PLX_MAP_RAM, RAM_BYTES + PC_EXTRA_VRAM);
	assert_page(0xe0fff000, PLX_MAP_RAM, RAM_BYTES + PC_EXTRA_VRAM + VGA_VRAM_BYTES - 4096);
	pci_write(vga, 0x10, 4, 0xc0000000);
	assert_page(0xe0000000, PLX_MAP_NONE, 0);
	assert_page(0xc0000000, PLX_MAP_RAM, RAM_BYTES + PC_EXTRA_VRAM);
}

static void a_bar_over_ram_or_firmware_does_not_hide_them(void **state)
{
	uint8_t vga = PCI_DEVFN(2, 0);

	(void)state;
	pci_write(vga, 0x04, 2, 2);
	pci_write(vga, 0x10, 4, 0xff000000);
	assert_page(0xfffff000, PLX_MAP_ROM, RAM_BYTES + 0x3f000);
	pci_write(vga, 0x10, 4, 0x01000000);		/* right behind RAM: fine */
	assert_page(0x01000000, PLX_MAP_RAM, RAM_BYTES + PC_EXTRA_VRAM);
	assert_page(0x00fff000, PLX_MAP_RAM, 0x00fff000);
}

static void a20_is_what_the_last_writer_of_either_switch_said(void **state)
{
	(void)state;
	assert_true(vm.a20);
	assert_int_equal(inb(0x92) & 2, 2);
	outb(0x64, 0xdd);
	assert_false(vm.a20);
	outb(0x92, 0x02);
	assert_true(vm.a20);
	outb(0x64, 0xdf);
	outb(0x92, 0x00);
	assert_false(vm.a20);
	outb(0x64, 0xdf);				/* nothing changes in the 8042, and yet it opens */
	assert_true(vm.a20);
	outb(0x64, 0xd1);
	outb(0x60, 0xdd);
	assert_false(vm.a20);
	pc_reset(pc);
	assert_true(vm.a20);
}

/* ---- ends ---- */

static void four_ways_lead_to_a_reset(void **state)
{
	(void)state;
	outb(0x64, 0xfe);
	assert_int_equal(vm.resets, 1);
	outb(0x92, 0x01);
	assert_int_equal(vm.resets, 2);
	outb(0x92, 0x01);				/* no step from 0 to 1 */
	assert_int_equal(vm.resets, 2);
	outb(0xcf9, 0x02);
	outb(0xcf9, 0x06);
	assert_int_equal(vm.resets, 3);
	outb(0x64, 0xd1);
	outb(0x60, 0x02);
	assert_int_equal(vm.resets, 4);
	assert_int_equal(vm.stops, 0);
}

static void soft_off_stops_the_machine(void **state)
{
	uint8_t pm = PCI_DEVFN(1, 3);

	(void)state;
	pci_write(pm, 0x40, 4, 0x601);
	pci_write(pm, 0x80, 1, 0x01);
	assert_false(pc_powered_off(pc));
	out(0x604, 2, 0x2000);
	assert_true(pc_powered_off(pc));
	assert_int_equal(vm.stops, 1);
	pc_reset(pc);
	assert_false(pc_powered_off(pc));
}

/* Sector 7 of the first disk by WRITE SECTORS. */
static void write_a_sector(void)
{
	static const uint16_t words[256] = { 0x1234 };

	outb(0x1f6, 0xe0);
	outb(0x1f2, 1);
	outb(0x1f3, 7);
	outb(0x1f4, 0);
	outb(0x1f5, 0);
	outb(0x1f7, 0x30);
	assert_int_equal(vm.ops->outs(vm.machine, 0x1f0, 2, words, 256), 256);
}

static void soft_off(void)
{
	pci_write(PCI_DEVFN(1, 3), 0x40, 4, 0x601);
	pci_write(PCI_DEVFN(1, 3), 0x80, 1, 0x01);
	out(0x604, 2, 0x2000);
}

static void soft_off_makes_written_disks_durable(void **state)
{
	(void)state;
	write_a_sector();
	assert_int_equal(inb(0x1f7) & 0x89, 0x00);
	assert_int_equal(disk_flushes, 0);
	soft_off();
	assert_int_equal(disk_flushes, 1);
	assert_int_equal(host_errors, 0);
}

static void a_failing_host_disk_is_reported(void **state)
{
	(void)state;
	disk_error = -ENOSPC;
	write_a_sector();
	assert_int_equal(inb(0x1f7) & 0x81, 0x01);
	assert_int_equal(host_errors, 1);
	assert_string_equal(host_error_what, "written");
	assert_int_equal(host_error_number, -ENOSPC);
	disk_error = 0;
	write_a_sector();
	disk_error = -EIO;
	soft_off();
	assert_int_equal(host_errors, 2);
	assert_string_equal(host_error_what, "flushed");
	assert_int_equal(vm.stops, 1);			/* and yet the machine goes off */
}

static void reset_brings_back_rom_and_takes_pci_regions_away(void **state)
{
	uint8_t ide = PCI_DEVFN(1, 1);

	(void)state;
	pci_write(0, 0x59, 1, 0x30);
	pci_write(ide, 0x20, 4, 0xc000);
	pci_write(ide, 0x04, 2, 1);
	assert_int_not_equal(inb(0xc002), 0xff);
	outb(0x80, 0x42);
	pc_reset(pc);
	assert_page(0xf0000, PLX_MAP_ROM, RAM_BYTES + 0x30000);
	assert_int_equal(inb(0xc002), 0xff);
	assert_int_equal(pc->bus.port[0xc002], 0);
}

/* ---- interrupts and time ---- */

static void the_timer_reaches_the_processor(void **state)
{
	(void)state;
	program_pics();
	outb(0x43, 0x34);
	outb(0x40, 1193 & 0xff);
	outb(0x40, 1193 >> 8);
	assert_false(vm.intr);
	assert_in_range(pc_deadline(pc), vm.now + MS - 10000, vm.now + MS + 10000);
	vm.now = pc_deadline(pc);
	pc_advance(pc, vm.now);
	assert_true(vm.intr);
	assert_int_equal(take(), 0x20);
	assert_false(vm.intr);
	assert_true(pc_deadline(pc) > vm.now);
}

static void intack_without_a_request_gives_none(void **state)
{
	(void)state;
	program_pics();
	assert_int_equal(vm.ops->intack(vm.machine), -1);
}

/* SDM 1, "MS-DOS Compatibility Sub-mode". */
static void an_x87_error_is_irq_13_until_port_f0h_is_written(void **state)
{
	(void)state;
	program_pics();
	assert_false(vm.ops->ferr(vm.machine, true));
	assert_true(vm.intr);
	assert_int_equal(take(), 0x2d);
	outb(0x20, 0x20);
	outb(0xa0, 0x20);
	assert_false(vm.ops->ferr(vm.machine, true));	/* asked again: no second edge, and nobody has looked at it yet */
	assert_false(vm.intr);
	outb(0xf0, 0);
	assert_true(vm.ops->ferr(vm.machine, true));	/* IGNNE#, while the error is there */
	assert_false(vm.intr);
	assert_false(vm.ops->ferr(vm.machine, false));
	outb(0xf0, 0);
	assert_false(vm.ops->ferr(vm.machine, true));	/* the next error is a new one */
	assert_true(vm.intr);
	pc_reset(pc);
	assert_false(vm.intr);
	assert_false(vm.ops->ferr(vm.machine, false));
}

static void a_nearer_deadline_wakes_the_event_thread_once(void **state)
{
	(void)state;
	program_pics();
	outb(0x43, 0x34);
	outb(0x40, 0);
	outb(0x40, 0);
	pc_deadline(pc);
	vm.wakes = 0;
	outb(0x43, 0x34);		/* nothing to wait for meanwhile */
	assert_int_equal(vm.wakes, 0);
	outb(0x40, 100);
	outb(0x40, 0);			/* and now something sooner */
	assert_int_equal(vm.wakes, 1);
	inb(0x61);
	assert_int_equal(vm.wakes, 1);
	assert_true(pc_deadline(pc) < vm.now + MS);
}

static void an_access_after_a_deadline_finds_the_chip_up_to_date(void **state)
{
	(void)state;
	program_pics();
	outb(0x43, 0x34);
	outb(0x40, 1193 & 0xff);
	outb(0x40, 1193 >> 8);
	vm.now += 2 * MS;
	assert_false(vm.intr);		/* the event thread overslept */
	inb(0x80);			/* any port */
	assert_true(vm.intr);
}

static void missed_timer_ticks_are_caught_up_after_each_intack(void **state)
{
	unsigned int ticks = 0;
	uint64_t end = vm.now + 100 * MS;

	(void)state;
	program_pics();
	outb(0x43, 0x34);
	outb(0x40, 1193 & 0xff);
	outb(0x40, 1193 >> 8);
	/* 40 ms asleep, then awake for 60. */
	vm.now += 40 * MS;
	pc_advance(pc, vm.now);
	while (vm.now < end) {
		while (vm.intr) {
			assert_int_equal(take(), 0x20);
			ticks++;
		}
		vm.now = pc_deadline(pc) > vm.now ? pc_deadline(pc) : vm.now;
		pc_advance(pc, vm.now);
	}
	assert_in_range(ticks, 99, 101);
}

static void masked_timer_ticks_are_not_caught_up(void **state)
{
	unsigned int ticks = 0;

	(void)state;
	program_pics();
	outb(0x43, 0x34);
	outb(0x40, 1193 & 0xff);
	outb(0x40, 1193 >> 8);
	outb(0x21, 0x01);
	vm.now += 50 * MS;
	pc_advance(pc, vm.now);
	outb(0x21, 0x00);
	while (vm.intr && ticks < 10) {
		take();
		ticks++;
		pc_advance(pc, vm.now);
	}
	assert_int_equal(ticks, 1);	/* the one that the 8259A remembers */
}

static void keys_come_in_as_irq_1(void **state)
{
	(void)state;
	program_pics();
	outb(0x64, 0x60);
	outb(0x60, 0x47);
	assert_true(pc_key_scancode(pc, 0x1e));
	while (vm.intr && vm.ops->intack(vm.machine) != 0x21)
		outb(0x20, 0x20);
	assert_int_equal(inb(0x60), 0x1e);
}

static void serial_input_and_output_pass_through(void **state)
{
	(void)state;
	program_pics();
	outb(0x21, 0x01);
	outb(0x3fc, 0x0b);
	outb(0x3f9, 0x01);
	outb(0x3f8, 'o');
	outb(0x3f8, 'k');
	assert_int_equal(nserial, 2);
	assert_memory_equal(serial_out, "ok", 2);
	assert_true(pc_serial_input(pc, 0, 'x'));
	assert_true(vm.intr);
	assert_int_equal(take(), 0x24);
	assert_int_equal(inb(0x3f8), 'x');
	assert_true(pc_serial_input(pc, 1, 'y'));
	assert_int_equal(inb(0x2f8), 'y');
}

static void pci_interrupts_and_sci_share_a_line_as_levels(void **state)
{
	uint8_t isa = PCI_DEVFN(1, 0), pm = PCI_DEVFN(1, 3);

	(void)state;
	program_pics();
	outb(0x4d1, 0x02);			/* IRQ 9 level */
	pci_write(pm, 0x40, 4, 0x601);
	pci_write(pm, 0x80, 1, 0x01);
	out(0x604, 2, 0x0001);			/* SCI_EN */
	out(0x602, 2, 0x0100);			/* power button */
	pci_write(isa, 0x60, 1, 9);
	piix3_pirq(&pc->piix3, 0, true);
	pc_power_button(pc);
	assert_int_equal(take(), 0x29);
	out(0x600, 2, 0x0100);			/* the button is seen to */
	assert_true(vm.intr);			/* PIRQA# still holds the line */
	piix3_pirq(&pc->piix3, 0, false);
	assert_false(vm.intr);
}

static void a_disk_is_read_through_its_ports(void **state)
{
	uint16_t words[256];

	(void)state;
	program_pics();
	memcpy(disk_sector, "boot", 4);
	disk_sector[510] = 0x55;
	disk_sector[511] = 0xaa;
	outb(0x1f6, 0xe0);
	outb(0x1f2, 1);
	outb(0x1f3, 0);
	outb(0x1f4, 0);
	outb(0x1f5, 0);
	outb(0x1f7, 0x20);
	assert_int_equal(take(), 0x2e);
	assert_int_equal(inb(0x1f7) & 0x89, 0x08);
	assert_int_equal(vm.ops->ins(vm.machine, 0x1f0, 2, words, 256), 256);
	assert_memory_equal(words, disk_sector, 512);
	assert_int_equal(inb(0x1f7) & 0x89, 0x00);
}

/* ---- firmware's questions ---- */

static void cmos_tells_memory_disks_and_boot_order(void **state)
{
	unsigned int sum = 0, i;

	(void)state;
	assert_int_equal(cmos(0x15) | cmos(0x16) << 8, 640);
	assert_int_equal(cmos(0x17) | cmos(0x18) << 8, 15 * 1024);
	assert_int_equal(cmos(0x30) | cmos(0x31) << 8, 15 * 1024);
	assert_int_equal(cmos(0x34) | cmos(0x35) << 8, 0);
	assert_int_equal(cmos(0x5b) | cmos(0x5c) | cmos(0x5d), 0);
	assert_int_equal(cmos(0x5f), 0);
	assert_int_equal(cmos(0x12), 0xf0);
	assert_int_equal(cmos(0x19), 47);
	assert_int_equal(cmos(0x3d) & 0x0f, 2);
	assert_int_equal(cmos(0x32), 0x19);
	for (i = 0x10; i <= 0x2d; i++)
		sum += cmos((uint8_t)i);
	assert_int_equal(cmos(0x2e) << 8 | cmos(0x2f), sum);
}

static void fw_cfg_has_what_seabios_asks_for(void **state)
{
	uint32_t nbytes = 0;
	uint16_t key;

	(void)state;
	fwcfg_select(0);
	assert_int_equal(inb(0x511), 'Q');
	assert_int_equal(inb(0x511), 'E');
	fwcfg_select(3);
	inb(0x511);
	inb(0x511);
	inb(0x511);
	assert_int_equal(inb(0x511), RAM_BYTES >> 24);
	fwcfg_select(5);
	assert_int_equal(inb(0x511), 1);

	key = fwcfg_find("etc/e820", &nbytes);
	assert_int_not_equal(key, 0);
	assert_int_equal(nbytes, 20);
	fwcfg_select(key);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(inb(0x511), 0);
	key = fwcfg_find("pci1234,1111.rom", &nbytes);
	assert_int_not_equal(key, 0);
	fwcfg_select(key);
	assert_int_equal(inb(0x511), 0x55);
	key = fwcfg_find("etc/acpi/rsdp", &nbytes);
	assert_int_equal(nbytes, 8);
	fwcfg_select(key);
	assert_int_equal(inb(0x511), 'R');
}

static void the_debug_console_answers_and_passes_bytes_on(void **state)
{
	(void)state;
	assert_int_equal(inb(0x402), 0xe9);
	vm.ops->outs(vm.machine, 0x402, 1, "hello", 5);
	assert_int_equal(ndebug, 5);
	assert_memory_equal(debug_out, "hello", 5);
}

static void the_board_has_its_five_pci_functions(void **state)
{
	(void)state;
	assert_int_equal(pci_read(PCI_DEVFN(0, 0), 0, 4), 0x12378086);
	assert_int_equal(pci_read(PCI_DEVFN(1, 0), 0, 4), 0x70008086);
	assert_int_equal(pci_read(PCI_DEVFN(1, 1), 0, 4), 0x70108086);
	assert_int_equal(pci_read(PCI_DEVFN(1, 3), 0, 4), 0x71138086);
	assert_int_equal(pci_read(PCI_DEVFN(2, 0), 0, 4), 0x11111234);
	assert_int_equal(pci_read(PCI_DEVFN(3, 0), 0, 4), 0xffffffff);
}

static void dma_registers_hold_what_is_written(void **state)
{
	(void)state;
	outb(0x0c, 0);
	outb(0x04, 0x34);
	outb(0x04, 0x12);
	assert_int_equal(inb(0x04), 0x34);
	assert_int_equal(inb(0x04), 0x12);
	outb(0xd8, 0);
	outb(0xc6, 0x78);
	outb(0xc6, 0x56);
	assert_int_equal(inb(0xc6), 0x78);
	assert_int_equal(inb(0xc6), 0x56);
	outb(0x81, 0x5a);
	assert_int_equal(inb(0x81), 0x5a);
	outb(0x80, 0x99);
	assert_int_equal(inb(0x80), 0x99);
	outb(0x0f, 0x05);
	outb(0x0a, 0x00);		/* unmask channel 0 */
	assert_int_equal(inb(0x0f), 0xf4);
	outb(0x0d, 0);
	assert_int_equal(inb(0x0f), 0xff);
}

static void pci_regions_that_overlap_for_a_moment_both_end_up_right(void **state)
{
	uint8_t ide = PCI_DEVFN(1, 1), pm = PCI_DEVFN(1, 3);

	(void)state;
	pci_write(pm, 0x40, 4, 0xc001);
	pci_write(pm, 0x80, 1, 0x01);
	pci_write(ide, 0x20, 4, 0xc000);		/* on top of it */
	pci_write(ide, 0x04, 2, 1);
	pci_write(pm, 0x40, 4, 0x601);			/* which then leaves */
	assert_int_equal(pc->bus.range[pc->bus.port[0xc000]].chip == &pc->ide, 1);
	assert_int_equal(pc->bus.range[pc->bus.port[0x600]].chip == &pc->pm, 1);
}

/* ---- without firmware, without VGA ---- */

static void without_firmware_the_machine_is_set_up_as_firmware_leaves_it(void **state)
{
	(void)state;
	assert_page(0xe0000, PLX_MAP_RAM, 0xe0000);
	assert_page(0xff000, PLX_MAP_RAM, 0xff000);
	assert_page(0xfffff000, PLX_MAP_NONE, 0);
	assert_int_equal(pc->bus.range[pc->bus.port[0x608]].chip == &pc->pm, 1);
	assert_int_equal(pci_read(PCI_DEVFN(1, 0), 0x60, 1), 10);
	assert_int_equal(inb(0x4d1), 0x0e);
	assert_int_equal(inb(0x64) & 0x05, 0x04);		/* self test done, nothing left in the buffer */
	vm.now += MS;
	assert_true(pc_key_scancode(pc, 0x1e));
	assert_int_equal(inb(0x60), 0x1e);			/* translated */
	pc_reset(pc);
	assert_page(0xff000, PLX_MAP_RAM, 0xff000);
	assert_int_equal(pc->bus.range[pc->bus.port[0x608]].chip == &pc->pm, 1);
}

static void without_vga_its_ports_and_screen_are_not_there(void **state)
{
	struct pc_text_screen screen;
	uint32_t width = 1, height = 1;

	(void)state;
	assert_int_equal(inb(0x3cc), 0xff);
	assert_int_equal(pci_read(PCI_DEVFN(2, 0), 0, 4), 0xffffffff);
	pc_text_screen(pc, &screen);
	assert_false(screen.valid);
	pc_picture(pc, &width, &height, NULL, 0);
	assert_int_equal(width, 0);
}

static void a_firmware_image_of_odd_size_is_refused(void **state)
{
	struct pc_config config = pc->config;
	struct pc *other;

	(void)state;
	config.firmware = firmware;
	config.firmware_bytes = 1000;
	assert_int_equal(pc_create(&config, &other), -EINVAL);
	config.firmware_bytes = 4160u << 10;
	assert_int_equal(pc_create(&config, &other), -EINVAL);
}

/* ---- statistics and the lock ---- */

static uint64_t stat_value(const char *group, const char *name)
{
	struct plx_stat stats[128];
	size_t n = pc_stats(pc, stats, PLX_ARRAY_SIZE(stats)), i;

	for (i = 0; i < n && i < PLX_ARRAY_SIZE(stats); i++)
		if (!strcmp(stats[i].group, group) && !strcmp(stats[i].name, name))
			return stats[i].value;
	return 0;
}

static void statistics_count_ports_and_interrupts(void **state)
{
	(void)state;
	program_pics();
	outb(0x21, 0x00);
	outb(0xa1, 0x00);
	assert_int_equal(stat_value("port", "pic out"), 10);
	outb(0x43, 0x30);
	outb(0x40, 10);
	outb(0x40, 0);
	vm.now += MS;
	pc_advance(pc, vm.now);
	take();
	assert_int_equal(stat_value("interrupt", "irq 0 timer"), 1);
	assert_int_equal(stat_value("timer", "ticks given"), pc->pit.ticks_given);
	inb(0x9999);
	assert_int_equal(stat_value("port", "nobody in"), 1);
}

/* A fixed sequence of nonsense. The claim is checked by the sanitizers and by plx_vm_map's assertions above. */
static void a_guest_that_writes_anything_anywhere_harms_nobody(void **state)
{
	static const uint16_t favourites[] = {
		0x20, 0x21, 0x40, 0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x92, 0xa0, 0xa1, 0xb2, 0x1ce, 0x1cf, 0x1f0,
		0x1f6, 0x1f7, 0x3c0, 0x3c4, 0x3c5, 0x3ce, 0x3cf, 0x3d4, 0x3d5, 0x3f6, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc,
		0x4d0, 0x4d1, 0x510, 0x511, 0x514, 0x518, 0x600, 0x604, 0xc000, 0xcf8, 0xcf9, 0xcfc, 0xcfd,	/* and 0 - ffff now and then */
	};
	uint32_t seed = 12345, buf[64];

	(void)state;
#define RANDOM() (seed = seed * 1664525u + 1013904223u, seed >> 8)
	for (unsigned int i = 0; i < 300000; i++) {
		uint16_t port = RANDOM() % 4 ? favourites[RANDOM() % PLX_ARRAY_SIZE(favourites)] : (uint16_t)RANDOM();
		unsigned int size = 1u << RANDOM() % 3;
		uint32_t gpa = 0xa0000 + RANDOM() % 0x60000;

		switch (RANDOM() % 8) {
		case 0:
			in(port, size);
			break;
		case 1:
			vm.ops->ins(vm.machine, port, size, buf, 1 + RANDOM() % 64);
			break;
		case 2:
			memset(buf, (int)RANDOM(), sizeof(buf));
			vm.ops->outs(vm.machine, port, size, buf, 1 + RANDOM() % 64);
			break;
		case 3:
			vm.ops->mmio_read(vm.machine, gpa, size);
			vm.ops->mmio_write(vm.machine, gpa, size, RANDOM());
			break;
		case 4:
			vm.now += RANDOM() % MS;
			pc_advance(pc, vm.now);
			take();
			pc_key_scancode(pc, (uint8_t)RANDOM());
			pc_serial_input(pc, 0, (uint8_t)RANDOM());
			break;
		default:
			out(port, size, RANDOM() % 2 ? RANDOM() : RANDOM() % 256);
			break;
		}
	}
#undef RANDOM
	pc_reset(pc);
	assert_page(0xf0000, PLX_MAP_ROM, RAM_BYTES + 0x30000);
}

struct counter_thread { struct pc_lock *lock; unsigned int *sum; };

static void *count(void *argument)
{
	struct counter_thread *t = argument;

	for (unsigned int i = 0; i < 20000; i++) {
		pc_lock_take(t->lock);
		++*t->sum;
		pc_lock_leave(t->lock);
	}
	return NULL;
}

static void the_lock_lets_one_in_at_a_time(void **state)
{
	struct pc_lock lock = { 0 };
	unsigned int sum = 0;
	struct counter_thread argument = { &lock, &sum };
	pthread_t thread[3];

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, count, &argument), 0);
	for (unsigned int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(sum, 60000);
	assert_int_equal(lock.word, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define PLAIN(name) cmocka_unit_test_setup_teardown(name, set_up_plain, tear_down)
		T(firmware_stands_below_4_gib_and_below_1_mib),
		T(pam_switches_areas_between_rom_and_ram),
		T(writes_reach_ram_while_reads_come_from_rom),
		T(the_frame_buffer_is_ram_wherever_its_bar_points),
		T(a_bar_over_ram_or_firmware_does_not_hide_them),
		T(a20_is_what_the_last_writer_of_either_switch_said),
		T(four_ways_lead_to_a_reset),
		T(soft_off_stops_the_machine),
		T(soft_off_makes_written_disks_durable),
		T(a_failing_host_disk_is_reported),
		T(reset_brings_back_rom_and_takes_pci_regions_away),
		T(the_timer_reaches_the_processor),
		T(intack_without_a_request_gives_none),
		T(an_x87_error_is_irq_13_until_port_f0h_is_written),
		T(a_nearer_deadline_wakes_the_event_thread_once),
		T(an_access_after_a_deadline_finds_the_chip_up_to_date),
		T(missed_timer_ticks_are_caught_up_after_each_intack),
		T(masked_timer_ticks_are_not_caught_up),
		T(keys_come_in_as_irq_1),
		T(serial_input_and_output_pass_through),
		T(pci_interrupts_and_sci_share_a_line_as_levels),
		T(a_disk_is_read_through_its_ports),
		T(cmos_tells_memory_disks_and_boot_order),
		T(fw_cfg_has_what_seabios_asks_for),
		T(the_debug_console_answers_and_passes_bytes_on),
		T(the_board_has_its_five_pci_functions),
		T(dma_registers_hold_what_is_written),
		T(pci_regions_that_overlap_for_a_moment_both_end_up_right),
		PLAIN(without_firmware_the_machine_is_set_up_as_firmware_leaves_it),
		PLAIN(without_vga_its_ports_and_screen_are_not_there),
		PLAIN(a_firmware_image_of_odd_size_is_refused),
		T(statistics_count_ports_and_interrupts),
		T(a_guest_that_writes_anything_anywhere_harms_nobody),
		T(the_lock_lets_one_in_at_a_time),
#undef T
#undef PLAIN
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
