/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_pit.c - devices/pit.c against the 8254 datasheet, with the clock held in hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "devices/pit.h"

#define MS 1000000ull

static struct pit pit;
static bool level;
static unsigned int rises;
static uint64_t now;

static void on_irq(void *owner, unsigned int line, bool high)
{
	(void)owner;
	(void)line;
	if (high && !level)
		rises++;
	level = high;
}

static void out(uint16_t port, uint8_t value)
{
	pit_port_ops.out(&pit, port, 1, value, now);
}

static uint8_t in(uint16_t port)
{
	return (uint8_t)pit_port_ops.in(&pit, port, 1, now);
}

static uint16_t in16(uint16_t port)
{
	uint8_t low = in(port);

	return (uint16_t)(low | in(port) << 8);
}

static void out16(uint16_t port, uint16_t value)
{
	out(port, value & 0xff);
	out(port, value >> 8);
}

/* The first nanosecond of @tick. */
static uint64_t ns(uint64_t tick)
{
	return (tick * 1000000000ull + PIT_HZ - 1) / PIT_HZ;
}

/* Clocks after the write of a count, the count has been in the counter for one clock less. */
static void after_write(uint64_t clocks)
{
	now = ns(clocks);
}

static int set_up(void **state)
{
	(void)state;
	now = 0;
	level = false;
	pit_init(&pit, (struct irq_line){ .set = on_irq }, 0);
	rises = 0;
	return 0;
}

/* Let time pass as the machine does: from deadline to deadline, the guest taking each tick at once. */
static void run_until(uint64_t end, bool taking)
{
	while (pit_deadline(&pit) <= end) {
		now = pit_deadline(&pit) > now ? pit_deadline(&pit) : now;
		pit_advance(&pit, now);
		if (taking)
			pit_irq0_taken(&pit);
	}
	now = end;
}

static void the_count_goes_down_from_the_clock_after_the_write(void **state)
{
	(void)state;
	out(0x43, 0x34);
	out16(0x40, 1000);
	after_write(1);
	assert_int_equal(in16(0x40), 1000);
	after_write(11);
	assert_int_equal(in16(0x40), 990);
	after_write(1001);
	assert_int_equal(in16(0x40), 1000);
}

/* 8254 datasheet, "Counter Latch Command": held until read; the counter itself counts on. */
static void a_latched_count_stands_while_time_passes(void **state)
{
	(void)state;
	out(0x43, 0x34);
	out16(0x40, 50000);
	after_write(101);
	out(0x43, 0x00);
	after_write(201);
	out(0x43, 0x00);			/* ignored: the first is not read yet */
	assert_int_equal(in16(0x40), 49900);
	assert_int_equal(in16(0x40), 49800);
}

static void one_byte_access_reads_and_writes_only_that_byte(void **state)
{
	(void)state;
	out(0x43, 0x14);			/* counter 0, low byte, mode 2 */
	out(0x40, 0x80);
	after_write(1);
	assert_int_equal(in(0x40), 0x80);
	assert_int_equal(in(0x40), 0x80);
	out(0x43, 0x24);			/* high byte */
	out(0x40, 0x12);
	now += ns(1);
	assert_int_equal(in(0x40), 0x12);
}

static void bcd_counts_in_decimal(void **state)
{
	(void)state;
	out(0x43, 0x35);
	out16(0x40, 0x1000);
	after_write(2);
	assert_int_equal(in16(0x40), 0x0999);
	out(0x43, 0x35);
	out16(0x40, 0);				/* 10,000 */
	now += ns(2);
	assert_int_equal(in16(0x40), 0x9999);
}

static void mode_0_rises_once_n_plus_1_clocks_after_the_write(void **state)
{
	(void)state;
	out(0x43, 0x30);
	assert_false(level);
	out16(0x40, 100);
	assert_int_equal(pit_deadline(&pit), ns(101));
	after_write(100);
	pit_advance(&pit, now);
	assert_false(level);
	after_write(101);
	pit_advance(&pit, now);
	assert_true(level);
	assert_int_equal(rises, 1);
	assert_int_equal(pit_deadline(&pit), DEV_NEVER);
	after_write(103);
	assert_int_equal(in16(0x40), 0xfffe);	/* counts on */
}

static void mode_0_stops_between_the_two_bytes_of_a_count(void **state)
{
	(void)state;
	out(0x43, 0x30);
	out16(0x40, 100);
	out(0x40, 5);
	after_write(200);
	pit_advance(&pit, now);
	assert_false(level);
	out(0x40, 0);
	assert_int_equal(pit_deadline(&pit), ns(200 + 6));
}

static void mode_2_rises_once_a_period_without_drift(void **state)
{
	(void)state;
	out(0x43, 0x34);
	out16(0x40, 11932);			/* 100 Hz, near enough */
	rises = 0;
	run_until(3600 * DEV_NS_PER_S, true);
	assert_int_equal(rises, 3600ull * PIT_HZ / 11932);
}

static void mode_2_output_is_low_for_one_clock(void **state)
{
	(void)state;
	out(0x43, 0xb4);			/* counter 2 */
	out16(0x42, 10);
	out(0x61, 0x01);			/* gate: starts it at clock 1 */
	after_write(1 + 8);
	assert_int_equal(in(0x61) & 0x20, 0x20);
	after_write(1 + 9);
	assert_int_equal(in(0x61) & 0x20, 0x00);
	after_write(1 + 10);
	assert_int_equal(in(0x61) & 0x20, 0x20);
}

static void mode_3_counts_by_twos_and_is_high_longer_for_odd_counts(void **state)
{
	(void)state;
	out(0x43, 0xb6);
	out16(0x42, 5);
	out(0x61, 0x01);
	after_write(1 + 2);
	assert_int_equal(in(0x61) & 0x20, 0x20);	/* clocks 0, 1, 2 high */
	assert_int_equal(in16(0x42), 0);
	after_write(1 + 3);
	assert_int_equal(in(0x61) & 0x20, 0x00);	/* 3, 4 low */
	assert_int_equal(in16(0x42), 4);
	after_write(1 + 5);
	assert_int_equal(in(0x61) & 0x20, 0x20);
}

static void a_new_count_in_mode_2_waits_for_the_end_of_the_period(void **state)
{
	(void)state;
	out(0x43, 0x34);
	out16(0x40, 1000);
	after_write(500);
	out16(0x40, 200);
	assert_int_equal(pit_deadline(&pit), ns(1001));
	after_write(501);
	assert_int_equal(in16(0x40), 500);
	out(0x43, 0xe2);			/* read back the status of counter 0 */
	assert_int_equal(in(0x40) & 0x40, 0x40);	/* null count */
	after_write(1001);
	pit_advance(&pit, now);
	assert_int_equal(rises, 1);
	assert_int_equal(pit_deadline(&pit), ns(1201));
	assert_int_equal(in16(0x40), 200);
}

static void mode_1_is_a_shot_for_each_rise_of_the_gate(void **state)
{
	(void)state;
	out(0x43, 0xb2);
	out16(0x42, 50);
	assert_int_equal(in(0x61) & 0x20, 0x20);
	out(0x61, 0x01);
	after_write(2);
	assert_int_equal(in(0x61) & 0x20, 0x00);
	after_write(51);
	assert_int_equal(in(0x61) & 0x20, 0x20);
	out(0x61, 0x00);
	out(0x61, 0x01);			/* again */
	after_write(53);
	assert_int_equal(in(0x61) & 0x20, 0x00);
}

static void mode_1_keeps_its_count_until_the_next_trigger(void **state)
{
	(void)state;
	out(0x43, 0xb2);
	out16(0x42, 50);
	out(0x61, 0x01);
	after_write(10);
	out16(0x42, 5);
	after_write(40);
	assert_int_equal(in(0x61) & 0x20, 0x00);
	out(0x61, 0x00);
	out(0x61, 0x01);
	after_write(47);
	assert_int_equal(in(0x61) & 0x20, 0x20);
}

static void mode_4_strobes_low_for_one_clock(void **state)
{
	(void)state;
	out(0x43, 0x38);
	assert_true(level);
	out16(0x40, 10);
	assert_int_equal(pit_deadline(&pit), ns(12));	/* 1 to load, 10 to count, 1 low */
	run_until(ns(100), true);
	assert_int_equal(rises, 1);
}

static void mode_5_strobes_after_a_trigger(void **state)
{
	(void)state;
	out(0x43, 0xba);
	out16(0x42, 10);
	after_write(50);
	assert_int_equal(in(0x61) & 0x20, 0x20);
	out(0x61, 0x01);
	after_write(50 + 1 + 10);
	assert_int_equal(in(0x61) & 0x20, 0x00);
	after_write(50 + 1 + 11);
	assert_int_equal(in(0x61) & 0x20, 0x20);
}

static void the_gate_holds_mode_0_and_lets_it_go_on(void **state)
{
	(void)state;
	out(0x61, 0x01);
	out(0x43, 0xb0);
	out16(0x42, 1000);
	after_write(101);
	out(0x61, 0x00);
	after_write(601);
	assert_int_equal(in16(0x42), 900);
	out(0x61, 0x01);
	after_write(701);
	assert_int_equal(in16(0x42), 800);
	after_write(1500);
	assert_int_equal(in(0x61) & 0x20, 0x00);
	after_write(1501);
	assert_int_equal(in(0x61) & 0x20, 0x20);
}

static void read_back_gives_status_before_count(void **state)
{
	(void)state;
	out(0x43, 0x34);
	out16(0x40, 1000);
	after_write(11);
	out(0x43, 0xc2);			/* both, counter 0 */
	after_write(500);
	assert_int_equal(in(0x40), 0xb4);	/* OUT high, count loaded, both bytes, mode 2 */
	assert_int_equal(in16(0x40), 990);
}

static void read_back_latches_several_counters_at_once(void **state)
{
	(void)state;
	out(0x43, 0x34);
	out16(0x40, 1000);
	out(0x43, 0x74);
	out16(0x41, 2000);
	after_write(11);
	out(0x43, 0xd6);			/* counts of 0 and 1 */
	after_write(400);
	assert_int_equal(in16(0x40), 990);
	assert_int_equal(in16(0x41), 1990);
}

static void refresh_toggles_every_15_microseconds(void **state)
{
	unsigned int toggles = 0;
	uint8_t last = in(0x61) & 0x10, bit;

	(void)state;
	for (now = 0; now < 1 * MS; now += 1000) {
		bit = in(0x61) & 0x10;
		toggles += bit != last;
		last = bit;
	}
	assert_int_equal(toggles, 66);
}

static void speaker_and_gate_bits_read_back(void **state)
{
	(void)state;
	out(0x61, 0xff);
	assert_int_equal(in(0x61) & 0x0f, 0x0f);
	assert_int_equal(in(0x61) & 0xc0, 0x00);
}

/* The policy at the head of pit.c. */
static void ticks_the_guest_was_too_slow_for_come_one_by_one_at_twice_the_rate(void **state)
{
	uint64_t period = 1193 * DEV_NS_PER_S / PIT_HZ, due;

	(void)state;
	out(0x43, 0x34);
	out16(0x40, 1193);
	rises = 0;
	run_until(10 * period + period * 3 / 4, false);	/* ten ticks fell due, the first is still not taken */
	assert_int_equal(pit.owed, 9);
	pit_irq0_taken(&pit);
	rises = 0;
	pit_advance(&pit, now);
	assert_int_equal(rises, 1);			/* one, not nine */
	pit_irq0_taken(&pit);
	due = pit_deadline(&pit);
	assert_true(due >= now + period / 2 || due == ns(11 * 1193 + 1));
	run_until(40 * period + period / 2, true);
	assert_int_equal(pit.owed, 0);
	assert_int_equal(rises, 30 + 9);		/* none lost, and none made up */
}

static void a_late_advance_owes_what_it_slept_through(void **state)
{
	(void)state;
	out(0x43, 0x34);
	out16(0x40, 1193);
	rises = 0;
	now = ns(1 + 1193 * 5 + 3);
	pit_advance(&pit, now);
	assert_int_equal(rises, 1);
	assert_int_equal(pit.owed, 4);
	pit_irq0_taken(&pit);
	run_until(ns(1 + 1193 * 40 + 3), true);
	assert_int_equal(rises, 40);
}

static void masked_ticks_are_lost(void **state)
{
	(void)state;
	out(0x43, 0x34);
	out16(0x40, 1193);
	pit_irq0_masked(&pit, true);
	run_until(100 * MS, false);
	assert_int_equal(pit.owed, 0);
	assert_true(pit.ticks_lost > 90);
}

static void reprogramming_forgets_what_was_owed(void **state)
{
	(void)state;
	out(0x43, 0x34);
	out16(0x40, 1193);
	run_until(100 * MS, false);
	assert_true(pit.owed > 90);
	out(0x43, 0x34);
	out16(0x40, 11932);
	assert_int_equal(pit.owed, 0);
}

static void a_count_of_one_does_not_drown_the_host(void **state)
{
	(void)state;
	out(0x43, 0x34);
	out16(0x40, 1);
	rises = 0;
	run_until(1 * MS, true);
	assert_in_range(rises, 1, 60);
	out(0x43, 0x36);
	out16(0x40, 1);
	in16(0x40);
	run_until(2 * MS, true);
	assert_in_range(rises, 1, 120);
}

static void centuries_of_guest_time_do_not_overflow(void **state)
{
	(void)state;
	now = 100ull * 365 * 86400 * DEV_NS_PER_S;
	out(0x43, 0x34);
	out16(0x40, 1000);
	now += ns(101);
	assert_in_range(in16(0x40), 899, 901);
	assert_true(pit_deadline(&pit) > now && pit_deadline(&pit) < now + 1 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, set_up)
		T(the_count_goes_down_from_the_clock_after_the_write),
		T(a_latched_count_stands_while_time_passes),
		T(one_byte_access_reads_and_writes_only_that_byte),
		T(bcd_counts_in_decimal),
		T(mode_0_rises_once_n_plus_1_clocks_after_the_write),
		T(mode_0_stops_between_the_two_bytes_of_a_count),
		T(mode_2_rises_once_a_period_without_drift),
		T(mode_2_output_is_low_for_one_clock),
		T(mode_3_counts_by_twos_and_is_high_longer_for_odd_counts),
		T(a_new_count_in_mode_2_waits_for_the_end_of_the_period),
		T(mode_1_is_a_shot_for_each_rise_of_the_gate),
		T(mode_1_keeps_its_count_until_the_next_trigger),
		T(mode_4_strobes_low_for_one_clock),
		T(mode_5_strobes_after_a_trigger),
		T(the_gate_holds_mode_0_and_lets_it_go_on),
		T(read_back_gives_status_before_count),
		T(read_back_latches_several_counters_at_once),
		T(refresh_toggles_every_15_microseconds),
		T(speaker_and_gate_bits_read_back),
		T(ticks_the_guest_was_too_slow_for_come_one_by_one_at_twice_the_rate),
		T(a_late_advance_owes_what_it_slept_through),
		T(masked_ticks_are_lost),
		T(reprogramming_forgets_what_was_owed),
		T(a_count_of_one_does_not_drown_the_host),
		T(centuries_of_guest_time_do_not_overflow),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
