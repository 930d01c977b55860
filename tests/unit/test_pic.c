/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_pic.c - devices/pic.c, driven as a guest and its chips would. Claims are the 8259A datasheet's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "devices/pic.h"

static struct pic pic;
static bool intr;
static unsigned int last_taken;

static void on_intr(void *owner, unsigned int line, bool level)
{
	(void)owner;
	(void)line;
	intr = level;
}

static void on_taken(void *owner, unsigned int irq)
{
	(void)owner;
	last_taken = irq;
}

static void out(uint16_t port, uint8_t value)
{
	pic_port_ops.out(&pic, port, 1, value, 0);
}

static uint8_t in(uint16_t port)
{
	return (uint8_t)pic_port_ops.in(&pic, port, 1, 0);
}

/* As every PC operating system does it: vectors 20h and 28h, cascade on 2, 8086 mode. @icw4 adds AEOI or SFNM. */
static void program(uint8_t icw4)
{
	out(0x20, 0x11);
	out(0x21, 0x20);
	out(0x21, 0x04);
	out(0x21, 0x01 | icw4);
	out(0xa0, 0x11);
	out(0xa1, 0x28);
	out(0xa1, 0x02);
	out(0xa1, 0x01 | (icw4 & 2));
}

static int set_up(void **state)
{
	(void)state;
	intr = false;
	last_taken = 99;
	pic_init(&pic, (struct irq_line){ .set = on_intr });
	pic.taken = on_taken;
	program(0);
	return 0;
}

static void raise(unsigned int irq)
{
	pic_set_irq(&pic, irq, true);
}

static void lower(unsigned int irq)
{
	pic_set_irq(&pic, irq, false);
}

static void pulse(unsigned int irq)
{
	raise(irq);
	lower(irq);
}

static void eoi(void)
{
	out(0xa0, 0x20);
	out(0x20, 0x20);
}

static void icw2_gives_the_vectors_of_both_chips(void **state)
{
	(void)state;
	pulse(1);
	assert_true(intr);
	assert_int_equal(pic_peek(&pic), 0x21);
	assert_int_equal(pic_acknowledge(&pic), 0x21);
	assert_int_equal(last_taken, 1);
	out(0x20, 0x20);
	pulse(8);
	assert_int_equal(pic_acknowledge(&pic), 0x28);
	assert_int_equal(last_taken, 8);
	assert_int_equal(pic.delivered[8], 1);
}

static void the_lower_number_goes_first(void **state)
{
	(void)state;
	pulse(4);
	pulse(12);
	pulse(1);
	assert_int_equal(pic_acknowledge(&pic), 0x21);
	eoi();
	assert_int_equal(pic_acknowledge(&pic), 0x2c);
	eoi();
	assert_int_equal(pic_acknowledge(&pic), 0x24);
	eoi();
	assert_false(intr);
}

static void an_interrupt_in_service_blocks_itself_and_those_below(void **state)
{
	(void)state;
	pulse(3);
	pic_acknowledge(&pic);
	pulse(3);
	pulse(4);
	assert_false(intr);
	pulse(1);
	assert_true(intr);
	assert_int_equal(pic_acknowledge(&pic), 0x21);
	out(0x20, 0x20);
	assert_false(intr);		/* IRQ 3 is still in service */
	out(0x20, 0x20);
	assert_int_equal(pic_acknowledge(&pic), 0x23);
}

static void a_masked_request_waits_for_its_unmasking(void **state)
{
	(void)state;
	out(0x21, 0x02);
	pulse(1);
	assert_false(intr);
	assert_true(pic_masked(&pic, 1));
	assert_int_equal(in(0x20), 0x02);	/* IRR shows it */
	out(0x21, 0x00);
	assert_true(intr);
	assert_int_equal(in(0x21), 0x00);
}

static void masking_the_cascade_masks_the_slave(void **state)
{
	(void)state;
	out(0x21, 0x04);
	pulse(9);
	assert_false(intr);
	out(0x21, 0x00);
	assert_true(intr);
}

static void an_edge_counts_once_however_long_the_line_stays_high(void **state)
{
	(void)state;
	raise(5);
	pic_acknowledge(&pic);
	eoi();
	assert_false(intr);
	lower(5);
	raise(5);
	assert_true(intr);
}

static void a_level_counts_as_long_as_the_line_is_high(void **state)
{
	(void)state;
	out(0x4d1, 0x08);			/* IRQ 11 */
	assert_int_equal(in(0x4d1), 0x08);
	raise(11);
	assert_int_equal(pic_acknowledge(&pic), 0x2b);
	assert_false(intr);
	eoi();
	assert_true(intr);
	lower(11);
	pic_acknowledge(&pic);
	eoi();
	assert_false(intr);
}

static void timer_keyboard_cascade_rtc_and_fpu_stay_edge_triggered(void **state)
{
	(void)state;
	out(0x4d0, 0xff);
	out(0x4d1, 0xff);
	assert_int_equal(in(0x4d0), 0xf8);
	assert_int_equal(in(0x4d1), 0xde);
}

/* "If the IR input goes low before INTA a default IR7 will occur." */
static void a_request_that_is_gone_at_inta_gives_input_7_without_service(void **state)
{
	(void)state;
	out(0x4d0, 0x20);			/* IRQ 5 level */
	raise(5);
	assert_true(intr);
	lower(5);
	assert_false(intr);
	assert_int_equal(pic_acknowledge(&pic), 0x27);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0x00);	/* ISR */
	assert_int_equal(pic.spurious, 1);
}

static void a_slave_request_that_is_gone_leaves_no_trace_in_the_master(void **state)
{
	(void)state;
	out(0x4d1, 0x04);			/* IRQ 10 level */
	raise(10);
	assert_true(intr);
	lower(10);
	assert_false(intr);
	assert_int_equal(in(0x20), 0x00);
	assert_int_equal(pic_acknowledge(&pic), 0x27);
	raise(10);
	assert_int_equal(pic_acknowledge(&pic), 0x2a);
}

/* INTA is two pulses; what vanishes between them leaves the slave to answer with its input 7. */
static void a_slave_request_lost_inside_inta_gives_15_and_the_master_in_service(void **state)
{
	(void)state;
	raise(10);
	pic.chip[1].irr = 0;
	assert_int_equal(pic_acknowledge(&pic), 0x2f);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0x04);
	out(0xa0, 0x0b);
	assert_int_equal(in(0xa0), 0x00);
}

static void a_second_slave_request_is_not_lost_behind_the_first(void **state)
{
	(void)state;
	pulse(12);
	assert_int_equal(pic_acknowledge(&pic), 0x2c);
	pulse(8);				/* higher, while 12 and the cascade are in service */
	assert_false(intr);			/* not specially nested: the master blocks */
	eoi();
	assert_int_equal(pic_acknowledge(&pic), 0x28);
}

static void special_fully_nested_mode_lets_a_higher_slave_request_in(void **state)
{
	(void)state;
	program(0x10);
	pulse(12);
	pic_acknowledge(&pic);
	pulse(8);
	assert_true(intr);
	assert_int_equal(pic_acknowledge(&pic), 0x28);
}

static void automatic_eoi_leaves_nothing_in_service(void **state)
{
	(void)state;
	program(0x02);
	pulse(3);
	pic_acknowledge(&pic);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0);
	pulse(4);
	assert_true(intr);
}

static void rotation_in_automatic_eoi_puts_the_served_one_last(void **state)
{
	(void)state;
	program(0x02);
	out(0x20, 0x80);
	pulse(3);
	pulse(4);
	assert_int_equal(pic_acknowledge(&pic), 0x23);
	pulse(3);
	assert_int_equal(pic_acknowledge(&pic), 0x24);
	assert_int_equal(pic_acknowledge(&pic), 0x23);
}

static void rotate_on_eoi_puts_the_served_one_last(void **state)
{
	(void)state;
	pulse(4);
	pic_acknowledge(&pic);
	out(0x20, 0xa0);			/* rotate on non-specific EOI */
	pulse(3);
	pulse(5);
	assert_int_equal(pic_acknowledge(&pic), 0x25);
	out(0x20, 0xe0 | 5);			/* rotate on specific EOI: 6 is highest now */
	pulse(6);
	assert_int_equal(pic_acknowledge(&pic), 0x26);
}

static void set_priority_chooses_the_lowest(void **state)
{
	(void)state;
	out(0x20, 0xc0 | 5);			/* 5 lowest, 6 highest */
	pulse(0);
	pulse(6);
	assert_int_equal(pic_acknowledge(&pic), 0x26);
	assert_false(intr);
	out(0x20, 0x60 | 6);
	assert_int_equal(pic_acknowledge(&pic), 0x20);
}

static void specific_eoi_ends_just_that_one(void **state)
{
	(void)state;
	pulse(5);
	pic_acknowledge(&pic);
	pulse(3);
	pic_acknowledge(&pic);
	out(0x20, 0x60 | 5);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0x08);
}

static void special_mask_mode_lets_lower_ones_pass_a_masked_service(void **state)
{
	(void)state;
	pulse(3);
	pic_acknowledge(&pic);
	pulse(6);
	assert_false(intr);
	out(0x21, 0x08);
	out(0x20, 0x68);
	assert_true(intr);
	assert_int_equal(pic_acknowledge(&pic), 0x26);
	out(0x20, 0x48);
	pulse(7);
	assert_false(intr);
}

static void poll_reads_the_request_and_takes_it(void **state)
{
	(void)state;
	out(0x20, 0x0c);
	assert_int_equal(in(0x20), 0x00);
	pulse(4);
	out(0x20, 0x0c);
	assert_int_equal(in(0x20), 0x84);
	assert_false(intr);
	assert_int_equal(last_taken, 4);
	assert_int_equal(in(0x20), 0x00);	/* poll is over: IRR again */
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0x10);
}

static void ocw3_chooses_between_requests_and_service(void **state)
{
	(void)state;
	pulse(1);
	pic_acknowledge(&pic);
	pulse(4);
	out(0x20, 0x0a);
	assert_int_equal(in(0x20), 0x10);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0x02);
	assert_int_equal(in(0x20), 0x02);	/* the choice stays */
}

static void icw1_forgets_masks_service_and_latched_edges(void **state)
{
	(void)state;
	out(0x21, 0xff);
	raise(3);
	program(0);
	assert_int_equal(in(0x21), 0x00);
	assert_false(intr);			/* the line must fall and rise again */
	lower(3);
	raise(3);
	assert_true(intr);
}

static void without_icw4_automatic_eoi_is_off(void **state)
{
	(void)state;
	program(0x02);
	out(0x20, 0x10);			/* no ICW4 */
	out(0x21, 0x40);
	out(0x21, 0x04);
	out(0x21, 0xfe);			/* this is OCW1 already */
	assert_int_equal(in(0x21), 0xfe);
	pulse(0);
	assert_int_equal(pic_acknowledge(&pic), 0x40);
	out(0x20, 0x0b);
	assert_int_equal(in(0x20), 0x01);
}

static void reset_keeps_the_lines_but_no_request(void **state)
{
	(void)state;
	raise(6);
	pic_reset(&pic);
	assert_false(intr);
	raise(6);				/* no new edge */
	assert_false(intr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, set_up)
		T(icw2_gives_the_vectors_of_both_chips),
		T(the_lower_number_goes_first),
		T(an_interrupt_in_service_blocks_itself_and_those_below),
		T(a_masked_request_waits_for_its_unmasking),
		T(masking_the_cascade_masks_the_slave),
		T(an_edge_counts_once_however_long_the_line_stays_high),
		T(a_level_counts_as_long_as_the_line_is_high),
		T(timer_keyboard_cascade_rtc_and_fpu_stay_edge_triggered),
		T(a_request_that_is_gone_at_inta_gives_input_7_without_service),
		T(a_slave_request_that_is_gone_leaves_no_trace_in_the_master),
		T(a_slave_request_lost_inside_inta_gives_15_and_the_master_in_service),
		T(a_second_slave_request_is_not_lost_behind_the_first),
		T(special_fully_nested_mode_lets_a_higher_slave_request_in),
		T(automatic_eoi_leaves_nothing_in_service),
		T(rotation_in_automatic_eoi_puts_the_served_one_last),
		T(rotate_on_eoi_puts_the_served_one_last),
		T(set_priority_chooses_the_lowest),
		T(specific_eoi_ends_just_that_one),
		T(special_mask_mode_lets_lower_ones_pass_a_masked_service),
		T(poll_reads_the_request_and_takes_it),
		T(ocw3_chooses_between_requests_and_service),
		T(icw1_forgets_masks_service_and_latched_edges),
		T(without_icw4_automatic_eoi_is_off),
		T(reset_keeps_the_lines_but_no_request),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
