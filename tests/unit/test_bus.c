/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_bus.c - devices/bus.c: who answers, whole or split, and who counts it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "devices/bus.h"

/* A chip that remembers its last accesses, and reads as its port number in each byte. */
struct recorder {
	struct { uint32_t at; unsigned int size; uint32_t value; } seen[16];
	unsigned int count;
};

static void record(struct recorder *r, uint32_t at, unsigned int size, uint32_t value)
{
	if (r->count < PLX_ARRAY_SIZE(r->seen)) {
		r->seen[r->count].at = at;
		r->seen[r->count].size = size;
		r->seen[r->count].value = value;
	}
	r->count++;
}

static uint32_t bytes_of(uint32_t at, unsigned int size)
{
	uint32_t value = 0;
	unsigned int i;

	for (i = 0; i < size; i++)
		value |= ((at + i) & 0xff) << (8 * i);
	return value;
}

static uint32_t rec_in(void *chip, uint16_t port, unsigned int size, uint64_t now_ns)
{
	(void)now_ns;
	record(chip, port, size, 0);
	return bytes_of(port, size);
}

static void rec_out(void *chip, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	(void)now_ns;
	record(chip, port, size, value);
}

static uint32_t rec_ins(void *chip, uint16_t port, unsigned int size, void *buf, uint32_t count, uint64_t now_ns)
{
	(void)now_ns;
	record(chip, port, size, count);
	memset(buf, 0x5a, (size_t)count * size);
	return count;
}

static uint32_t rec_read(void *chip, uint32_t gpa, unsigned int size, uint64_t now_ns)
{
	(void)now_ns;
	record(chip, gpa, size, 0);
	return bytes_of(gpa, size);
}

static void rec_write(void *chip, uint32_t gpa, unsigned int size, uint32_t value, uint64_t now_ns)
{
	(void)now_ns;
	record(chip, gpa, size, value);
}

static const struct bus_port_ops wide = { .in = rec_in, .out = rec_out };
static const struct bus_port_ops bytes = { .in = rec_in, .out = rec_out, .byte_wide = true };
static const struct bus_port_ops bulk = { .in = rec_in, .out = rec_out, .ins = rec_ins };
static const struct bus_mmio_ops memory = { .read = rec_read, .write = rec_write };

struct fixture {
	struct bus bus;
	struct recorder a, b;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void a_port_nobody_answers_reads_all_ones(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(bus_in(&f->bus, 0x1234, 1, 0), 0xff);
	assert_int_equal(bus_in(&f->bus, 0x1234, 2, 0), 0xffff);
	assert_int_equal(bus_in(&f->bus, 0x1234, 4, 0), 0xffffffff);
	bus_out(&f->bus, 0x1234, 4, 0, 0);
	assert_int_equal(f->bus.range[0].reads, 3);
}

static void an_access_inside_one_range_arrives_whole(void **state)
{
	struct fixture *f = *state;

	assert_int_not_equal(bus_add_ports(&f->bus, "a", 0x100, 8, &wide, &f->a, 0), 0);
	assert_int_equal(bus_in(&f->bus, 0x101, 4, 0), 0x04030201);
	assert_int_equal(f->a.count, 1);
	assert_int_equal(f->a.seen[0].size, 4);
}

static void a_chip_of_bytes_sees_bytes_low_one_first(void **state)
{
	struct fixture *f = *state;

	bus_add_ports(&f->bus, "a", 0x20, 2, &bytes, &f->a, 0);
	bus_out(&f->bus, 0x20, 2, 0xbbaa, 0);
	assert_int_equal(f->a.count, 2);
	assert_int_equal(f->a.seen[0].at, 0x20);
	assert_int_equal(f->a.seen[0].value, 0xaa);
	assert_int_equal(f->a.seen[1].at, 0x21);
	assert_int_equal(f->a.seen[1].value, 0xbb);
}

static void an_access_across_a_border_is_split_between_both(void **state)
{
	struct fixture *f = *state;

	bus_add_ports(&f->bus, "a", 0x100, 2, &wide, &f->a, 0);
	bus_add_ports(&f->bus, "b", 0x102, 2, &wide, &f->b, 0);
	bus_out(&f->bus, 0x100, 4, 0x44332211, 0);
	assert_int_equal(f->a.count, 1);
	assert_int_equal(f->a.seen[0].value, 0x2211);
	assert_int_equal(f->b.count, 1);
	assert_int_equal(f->b.seen[0].value, 0x4433);
}

static void a_wide_last_port_may_run_on_into_ports_of_nobody(void **state)
{
	struct fixture *f = *state;

	bus_add_ports(&f->bus, "a", 0x1ce, 2, &wide, &f->a, 0);
	bus_out(&f->bus, 0x1cf, 2, 0xb0c5, 0);
	assert_int_equal(f->a.count, 1);
	assert_int_equal(f->a.seen[0].value, 0xb0c5);
	/* The other way round nobody starts it. */
	assert_int_equal(bus_in(&f->bus, 0x1cd, 2, 0), 0xceff);
	assert_int_equal(f->a.seen[1].size, 1);
}

static void the_last_port_does_not_wrap_to_the_first(void **state)
{
	struct fixture *f = *state;

	bus_add_ports(&f->bus, "a", 0xffff, 1, &wide, &f->a, 0);
	bus_out(&f->bus, 0xffff, 2, 0x2211, 0);
	assert_int_equal(f->a.count, 1);
	assert_int_equal(f->a.seen[0].value, 0x11);
}

static void who_was_there_first_keeps_his_ports(void **state)
{
	struct fixture *f = *state;
	unsigned int late;

	bus_add_ports(&f->bus, "a", 0x20, 2, &bytes, &f->a, 0);
	late = bus_add_ports(&f->bus, "b", 0x20, 4, &bytes, &f->b, 0);
	bus_in(&f->bus, 0x20, 1, 0);
	bus_in(&f->bus, 0x22, 1, 0);
	assert_int_equal(f->a.count, 1);
	assert_int_equal(f->b.count, 1);
	assert_int_equal(f->b.seen[0].at, 0x22);

	bus_remove_ports(&f->bus, late);
	assert_int_equal(bus_in(&f->bus, 0x22, 1, 0), 0xff);
	assert_int_equal(bus_in(&f->bus, 0x21, 1, 0), 0x21);
}

static void only_touched_tags_are_marked(void **state)
{
	struct fixture *f = *state;

	bus_add_ports(&f->bus, "a", 0x100, 2, &wide, &f->a, 3);
	bus_add_ports(&f->bus, "b", 0x200, 2, &wide, &f->b, 5);
	bus_in(&f->bus, 0x200, 1, 0);
	assert_int_equal(f->bus.touched, 1u << 5);
	bus_out(&f->bus, 0x100, 1, 0, 0);
	assert_int_equal(f->bus.touched, 1u << 5 | 1u << 3);
}

static void bulk_moves_go_to_the_chip_at_once_or_else_element_by_element(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[512];

	bus_add_ports(&f->bus, "a", 0x1f0, 8, &bulk, &f->a, 0);
	bus_add_ports(&f->bus, "b", 0x60, 1, &bytes, &f->b, 0);
	assert_int_equal(bus_ins(&f->bus, 0x1f0, 2, buf, 256, 0), 256);
	assert_int_equal(f->a.count, 1);
	assert_int_equal(buf[511], 0x5a);

	assert_int_equal(bus_ins(&f->bus, 0x60, 1, buf, 3, 0), 3);
	assert_int_equal(f->b.count, 3);
	assert_int_equal(buf[2], 0x60);
	assert_int_equal(bus_outs(&f->bus, 0x60, 1, "xyz", 3, 0), 3);
	assert_int_equal(f->b.seen[5].value, 'z');
	/* Long runs stop after a batch, so that interrupts get in between. */
	assert_int_equal(bus_ins(&f->bus, 0x60, 1, buf, 512, 0), BUS_BATCH);
	assert_int_equal(bus_ins(&f->bus, 0x60, 1, buf, 0, 0), 0);
}

static void accesses_are_counted_per_range(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[32];
	unsigned int a = bus_add_ports(&f->bus, "disk", 0x1f0, 8, &bulk, &f->a, 0);

	bus_in(&f->bus, 0x1f7, 1, 0);
	bus_ins(&f->bus, 0x1f0, 2, buf, 16, 0);
	bus_out(&f->bus, 0x1f7, 1, 0, 0);
	assert_int_equal(f->bus.range[a].reads, 17);
	assert_int_equal(f->bus.range[a].writes, 1);
	assert_string_equal(f->bus.range[a].in_name, "disk in");
	assert_string_equal(f->bus.range[a].out_name, "disk out");
}

static void memory_accesses_find_their_chip_and_split_at_its_end(void **state)
{
	struct fixture *f = *state;
	unsigned int handle = bus_add_mmio(&f->bus, 0xa0000, 0x20000, &memory, &f->a, 0);

	assert_int_equal(bus_mmio_read(&f->bus, 0xbfffe, 4, 0), 0xfffffffe);
	assert_int_equal(f->a.seen[0].size, 2);
	bus_mmio_write(&f->bus, 0xa0000, 4, 1, 0);
	assert_int_equal(f->a.count, 2);
	bus_remove_mmio(&f->bus, handle);
	assert_int_equal(bus_mmio_read(&f->bus, 0xa0000, 1, 0), 0xff);
}

static void a_range_up_to_4_gib_does_not_wrap(void **state)
{
	struct fixture *f = *state;

	bus_add_mmio(&f->bus, 0xfffff000, 0x1000, &memory, &f->a, 0);
	assert_int_equal(bus_mmio_read(&f->bus, 0xffffffff, 1, 0), 0xff);
	assert_int_equal(f->a.count, 1);
	assert_int_equal(bus_mmio_read(&f->bus, 0, 1, 0), 0xff);
	assert_int_equal(f->a.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(a_port_nobody_answers_reads_all_ones),
		T(an_access_inside_one_range_arrives_whole),
		T(a_chip_of_bytes_sees_bytes_low_one_first),
		T(an_access_across_a_border_is_split_between_both),
		T(a_wide_last_port_may_run_on_into_ports_of_nobody),
		T(the_last_port_does_not_wrap_to_the_first),
		T(who_was_there_first_keeps_his_ports),
		T(only_touched_tags_are_marked),
		T(bulk_moves_go_to_the_chip_at_once_or_else_element_by_element),
		T(accesses_are_counted_per_range),
		T(memory_accesses_find_their_chip_and_split_at_its_end),
		T(a_range_up_to_4_gib_does_not_wrap),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
