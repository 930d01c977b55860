/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_rtc.c - devices/rtc.c against the MC146818 datasheet, with the clock held in hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "devices/rtc.h"

#define S DEV_NS_PER_S
/* 31 December 1996, 23:59:58 UTC, a Tuesday. */
#define NEW_YEARS_EVE 852076798ll

static struct rtc rtc;
static bool level;
static uint64_t now;

static void on_irq(void *owner, unsigned int line, bool high)
{
	(void)owner;
	(void)line;
	level = high;
}

static uint8_t get(uint8_t index)
{
	rtc_port_ops.out(&rtc, 0x70, 1, index, now);
	return (uint8_t)rtc_port_ops.in(&rtc, 0x71, 1, now);
}

static void set(uint8_t index, uint8_t value)
{
	rtc_port_ops.out(&rtc, 0x70, 1, index, now);
	rtc_port_ops.out(&rtc, 0x71, 1, value, now);
}

static int set_up(void **state)
{
	(void)state;
	now = 0;
	level = false;
	rtc_init(&rtc, (struct irq_line){ .set = on_irq }, NEW_YEARS_EVE, 0);
	return 0;
}

static void assert_date(uint8_t century, uint8_t year, uint8_t month, uint8_t day, uint8_t weekday)
{
	assert_int_equal(get(0x32), century);
	assert_int_equal(get(9), year);
	assert_int_equal(get(8), month);
	assert_int_equal(get(7), day);
	assert_int_equal(get(6), weekday);
}

static void assert_time(uint8_t hour, uint8_t minute, uint8_t second)
{
	assert_int_equal(get(4), hour);
	assert_int_equal(get(2), minute);
	assert_int_equal(get(0), second);
}

static void time_is_the_wall_clocks_plus_guest_time(void **state)
{
	(void)state;
	assert_date(0x19, 0x96, 0x12, 0x31, 3);
	assert_time(0x23, 0x59, 0x58);
	now = 2 * S;
	assert_date(0x19, 0x97, 0x01, 0x01, 4);
	assert_time(0x00, 0x00, 0x00);
}

static void the_calendar_knows_leap_years_and_centuries(void **state)
{
	static const struct { int64_t s; uint8_t century, year, month, day; } days[] = {
		{ 951782400, 0x20, 0x00, 0x02, 0x29 }, { 951868800, 0x20, 0x00, 0x03, 0x01 },
		{ 1709164800, 0x20, 0x24, 0x02, 0x29 }, { 4107456000, 0x21, 0x00, 0x02, 0x28 },
		{ 4107542400, 0x21, 0x00, 0x03, 0x01 }, { 0, 0x19, 0x70, 0x01, 0x01 },
		{ -86400, 0x19, 0x69, 0x12, 0x31 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < PLX_ARRAY_SIZE(days); i++) {
		rtc_init(&rtc, (struct irq_line){ 0 }, days[i].s, 0);
		assert_int_equal(get(0x32), days[i].century);
		assert_int_equal(get(9), days[i].year);
		assert_int_equal(get(8), days[i].month);
		assert_int_equal(get(7), days[i].day);
	}
}

static void binary_and_12_hour_formats_show_the_same_time(void **state)
{
	(void)state;
	set(0x0b, 0x06);
	assert_date(19, 96, 12, 31, 3);
	assert_time(23, 59, 58);
	set(0x0b, 0x00);			/* BCD, 12 hours */
	assert_time(0x91, 0x59, 0x58);		/* 11 p.m. */
	now = 2 * S;
	assert_int_equal(get(4), 0x12);		/* midnight is 12 a.m. */
	now += 12 * 3600 * S;
	assert_int_equal(get(4), 0x92);		/* noon is 12 p.m. */
	now += 3600 * S;
	assert_int_equal(get(4), 0x81);
}

static void set_holds_the_time_and_its_release_starts_the_new_one(void **state)
{
	(void)state;
	set(0x0b, 0x82);
	now = 10 * S;
	assert_time(0x23, 0x59, 0x58);
	set(0, 0x30);
	set(2, 0x15);
	set(4, 0x08);
	set(7, 0x28);
	set(8, 0x02);
	set(9, 0x04);
	set(0x32, 0x20);
	set(6, 0x07);
	assert_time(0x08, 0x15, 0x30);
	now = 20 * S;
	set(0x0b, 0x02);
	assert_time(0x08, 0x15, 0x30);
	now += 5 * S;
	assert_time(0x08, 0x15, 0x35);
	now += 86400 * S;
	assert_date(0x20, 0x04, 0x02, 0x29, 1);	/* weekday counts on from what was written */
}

static void a_field_written_while_time_runs_takes_effect_at_once(void **state)
{
	(void)state;
	set(4, 0x10);
	assert_time(0x10, 0x59, 0x58);
	now = 2 * S;
	assert_time(0x11, 0x00, 0x00);
	assert_int_equal(get(7), 0x31);
}

static void nonsense_in_the_time_becomes_sense(void **state)
{
	uint8_t reg;

	(void)state;
	set(0x0b, 0x82);
	for (reg = 0; reg <= 9; reg++)
		set(reg, 0xff);
	set(0x32, 0x00);
	set(0x0b, 0x02);
	now = 1 * S;
	assert_in_range(get(0), 0, 0x59);
	assert_in_range(get(4), 0, 0x23);
	assert_in_range(get(8), 1, 0x12);
	assert_in_range(get(7), 1, 0x31);
}

static void update_in_progress_warns_before_the_second_changes(void **state)
{
	(void)state;
	assert_int_equal(get(0x0a), 0x26);
	now = 1 * S - 300000;
	assert_int_equal(get(0x0a), 0xa6);
	now = 1 * S;
	assert_int_equal(get(0x0a), 0x26);
	set(0x0b, 0x82);			/* no updates while SET */
	now = 2 * S - 300000;
	assert_int_equal(get(0x0a), 0x26);
}

static void update_ended_interrupts_each_second(void **state)
{
	(void)state;
	assert_int_equal(rtc_deadline(&rtc), DEV_NEVER);
	set(0x0b, 0x12);
	assert_int_equal(rtc_deadline(&rtc), 1 * S);
	now = 1 * S;
	rtc_advance(&rtc, now);
	assert_true(level);
	assert_int_equal(rtc_deadline(&rtc), DEV_NEVER);	/* until C is read there is nothing to add */
	assert_int_equal(get(0x0c) & 0x90, 0x90);
	assert_false(level);
	assert_int_equal(get(0x0c) & 0x90, 0x00);
	assert_int_equal(rtc_deadline(&rtc), 2 * S);
}

static void flags_are_set_also_when_nobody_asked_for_interrupts(void **state)
{
	(void)state;
	get(0x0c);
	now = 1 * S + 5;
	assert_int_equal(get(0x0c), 0x50);	/* update ended, periodic; no IRQF */
	assert_false(level);
}

static void the_alarm_rings_at_its_time_only(void **state)
{
	(void)state;
	set(1, 0x03);
	set(3, 0x00);
	set(5, 0x00);
	set(0x0b, 0x22);
	for (now = 1 * S; now < 5 * S; now += S) {
		rtc_advance(&rtc, now);
		assert_false(level);
	}
	rtc_advance(&rtc, now);			/* 00:00:03 */
	assert_true(level);
	assert_int_equal(get(0x0c) & 0xa0, 0xa0);
}

static void alarm_fields_may_be_dont_care(void **state)
{
	unsigned int rings = 0;

	(void)state;
	set(1, 0x00);
	set(3, 0xc0);
	set(5, 0xff);
	set(0x0b, 0x22);
	for (now = 1 * S; now <= 180 * S; now += S) {
		rtc_advance(&rtc, now);
		rings += (get(0x0c) & 0x20) != 0;
	}
	assert_int_equal(rings, 3);
}

static void an_alarm_that_passed_unseen_is_found(void **state)
{
	(void)state;
	set(1, 0x00);
	set(3, 0x30);
	set(5, 0x12);
	get(0x0c);
	now = 3 * 86400 * S;
	assert_int_equal(get(0x0c) & 0x20, 0x20);
}

static void periodic_interrupts_come_at_the_chosen_rate(void **state)
{
	unsigned int n = 0;

	(void)state;
	set(0x0a, 0x2c);			/* 16 Hz */
	set(0x0b, 0x42);
	while (rtc_deadline(&rtc) <= 10 * S) {
		now = rtc_deadline(&rtc);
		rtc_advance(&rtc, now);
		assert_true(level);
		get(0x0c);
		assert_false(level);
		n++;
	}
	assert_int_equal(n, 160);
}

static void rates_1_and_2_are_those_of_8_and_9(void **state)
{
	(void)state;
	set(0x0b, 0x42);
	set(0x0a, 0x21);
	get(0x0c);
	assert_in_range(rtc_deadline(&rtc) - now, S / 256 - 10, S / 256 + 10);
	set(0x0a, 0x22);
	assert_in_range(rtc_deadline(&rtc) - now, S / 128 - 10, S / 128 + 10);
	set(0x0a, 0x20);
	assert_int_equal(rtc_deadline(&rtc), DEV_NEVER);
}

/* "The first update cycle is one-half second later." */
static void divider_reset_stops_time_and_restarts_it_half_a_second_before_an_update(void **state)
{
	(void)state;
	set(0x0a, 0x76);
	now = 100 * S;
	assert_time(0x23, 0x59, 0x58);
	set(0x0a, 0x26);
	now += S / 2 - 1000;
	assert_time(0x23, 0x59, 0x58);
	now += 2000;
	assert_time(0x23, 0x59, 0x59);
}

static void reset_clears_interrupts_but_not_time_nor_memory(void **state)
{
	(void)state;
	set(0x0b, 0x72);
	set(0x40, 0xa5);
	now = 1 * S;
	rtc_advance(&rtc, now);
	assert_true(level);
	rtc_reset(&rtc, now);
	assert_false(level);
	assert_int_equal(get(0x0b), 0x02);
	assert_int_equal(get(0x40), 0xa5);
	assert_time(0x23, 0x59, 0x59);
}

static void registers_c_and_d_and_uip_cannot_be_written(void **state)
{
	(void)state;
	set(0x0d, 0x00);
	assert_int_equal(get(0x0d), 0x80);
	set(0x0a, 0xa6);
	assert_int_equal(get(0x0a), 0x26);
	set(0x0c, 0xff);
	assert_int_equal(get(0x0c) & 0x80, 0x00);
}

static void the_index_port_holds_the_nmi_mask(void **state)
{
	(void)state;
	set(0x80 | 0x40, 0x11);
	assert_true(rtc.nmi_masked);
	assert_int_equal(get(0x40), 0x11);
	assert_false(rtc.nmi_masked);
}

static void the_checksum_covers_10h_to_2dh(void **state)
{
	(void)state;
	rtc_set_cmos(&rtc, 0x10, 0xff);
	rtc_set_cmos(&rtc, 0x2d, 0x02);
	rtc_set_cmos(&rtc, 0x30, 0x55);
	rtc_set_checksum(&rtc);
	assert_int_equal(get(0x2e), 0x01);
	assert_int_equal(get(0x2f), 0x01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, set_up)
		T(time_is_the_wall_clocks_plus_guest_time),
		T(the_calendar_knows_leap_years_and_centuries),
		T(binary_and_12_hour_formats_show_the_same_time),
		T(set_holds_the_time_and_its_release_starts_the_new_one),
		T(a_field_written_while_time_runs_takes_effect_at_once),
		T(nonsense_in_the_time_becomes_sense),
		T(update_in_progress_warns_before_the_second_changes),
		T(update_ended_interrupts_each_second),
		T(flags_are_set_also_when_nobody_asked_for_interrupts),
		T(the_alarm_rings_at_its_time_only),
		T(alarm_fields_may_be_dont_care),
		T(an_alarm_that_passed_unseen_is_found),
		T(periodic_interrupts_come_at_the_chosen_rate),
		T(rates_1_and_2_are_those_of_8_and_9),
		T(divider_reset_stops_time_and_restarts_it_half_a_second_before_an_update),
		T(reset_clears_interrupts_but_not_time_nor_memory),
		T(registers_c_and_d_and_uip_cannot_be_written),
		T(the_index_port_holds_the_nmi_mask),
		T(the_checksum_covers_10h_to_2dh),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
