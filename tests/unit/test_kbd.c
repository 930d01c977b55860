/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_kbd.c - the 8042, its keyboard and its mouse, as drivers of several ages use them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "devices/kbd.h"

#define MS 1000000ull

static struct kbd kbd;
static bool irq[2], a20;
static unsigned int resets;
static uint64_t now;

static void on_line(void *owner, unsigned int line, bool level)
{
	(void)owner;
	if (line == 20)
		a20 = level;
	else
		irq[line == 12] = level;
}

static void on_reset(void *owner)
{
	(void)owner;
	resets++;
}

static int set_up(void **state)
{
	const struct kbd_config config = {
		.irq1 = { .set = on_line, .line = 1 }, .irq12 = { .set = on_line, .line = 12 },
		.a20 = { .set = on_line, .line = 20 }, .reset = on_reset,
	};

	(void)state;
	now = 0;
	resets = 0;
	irq[0] = irq[1] = a20 = false;
	kbd_init(&kbd, &config);
	return 0;
}

static uint8_t status(void)
{
	return (uint8_t)kbd_port_ops.in(&kbd, 0x64, 1, now);
}

static void command(uint8_t value)
{
	kbd_port_ops.out(&kbd, 0x64, 1, value, now);
}

static void data(uint8_t value)
{
	kbd_port_ops.out(&kbd, 0x60, 1, value, now);
}

/* Wait as a driver does, at most 10 ms, then read. -1: nothing came. */
static int get(void)
{
	uint64_t end = now + 10 * MS;

	while (!(status() & 1)) {
		if (now >= end)
			return -1;
		now += MS / 10;
	}
	return (int)kbd_port_ops.in(&kbd, 0x60, 1, now);
}

static void mouse_command(uint8_t value)
{
	command(0xd4);
	data(value);
}

static void set_command_byte(uint8_t value)
{
	command(0x60);
	data(value);
}

/* Set 1 as after translation, the state in which firmware leaves the controller: translate, IRQs on. */
static void set_up_like_firmware(void)
{
	set_command_byte(0x47);
}

static void type(const uint8_t *bytes, size_t n)
{
	while (n--)
		assert_true(kbd_scancode(&kbd, *bytes++, now));
}

#define TYPE(...) do { const uint8_t t_[] = { __VA_ARGS__ }; type(t_, sizeof(t_)); } while (0)
#define EXPECT(...) do { \
		const uint8_t e_[] = { __VA_ARGS__ }; \
		for (size_t i_ = 0; i_ < sizeof(e_); i_++) \
			assert_int_equal(get(), e_[i_]); \
		assert_int_equal(get(), -1); \
	} while (0)

static void the_self_tests_pass(void **state)
{
	(void)state;
	command(0xaa);
	EXPECT(0x55);
	assert_int_equal(status() & 0x04, 0x04);
	command(0xab);
	EXPECT(0x00);
	command(0xa9);
	EXPECT(0x00);
}

static void the_command_byte_reads_back(void **state)
{
	(void)state;
	set_command_byte(0x65);
	command(0x20);
	EXPECT(0x65);
	assert_int_equal(status() & 0x08, 0x08);
	command(0xa7);
	command(0xad);
	command(0x20);
	EXPECT(0x75);
	command(0xa8);
	command(0xae);
	command(0x20);
	EXPECT(0x45);
}

static void controller_memory_holds_what_is_written(void **state)
{
	(void)state;
	command(0x6a);
	data(0x77);
	command(0x2a);
	EXPECT(0x77);
}

static void set_2_reaches_the_guest_as_set_1_when_translated(void **state)
{
	(void)state;
	set_up_like_firmware();
	TYPE(0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0x41, 0xc1);	/* A, up, F7 */
	EXPECT(0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0x41, 0xc1);
}

static void every_set_1_code_survives_the_way_through_set_2(void **state)
{
	unsigned int code;

	(void)state;
	set_up_like_firmware();
	for (code = 1; code <= 0x58; code++) {
		if (code == 0x55)
			continue;		/* no key */
		TYPE((uint8_t)code, (uint8_t)(code | 0x80));
		assert_int_equal(get(), code);
		assert_int_equal(get(), code | 0x80);
	}
}

static void untranslated_set_2_has_f0_before_releases(void **state)
{
	(void)state;
	set_command_byte(0x05);
	TYPE(0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0x54, 0xd4);	/* A, up, SysRq */
	EXPECT(0x1c, 0xf0, 0x1c, 0xe0, 0x75, 0xe0, 0xf0, 0x75, 0x84, 0xf0, 0x84);
}

static void pause_comes_right_in_each_set(void **state)
{
	(void)state;
	set_command_byte(0x05);
	TYPE(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
	EXPECT(0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77);
	data(0xf0);
	data(0x01);
	EXPECT(0xfa, 0xfa);
	TYPE(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
	EXPECT(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
	data(0xf0);
	data(0x03);
	EXPECT(0xfa, 0xfa);
	TYPE(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
	EXPECT(0x62, 0xf0, 0x62);
}

static void set_3_has_one_code_a_key(void **state)
{
	(void)state;
	set_command_byte(0x05);
	data(0xf0);
	data(0x03);
	EXPECT(0xfa, 0xfa);
	TYPE(0x3b, 0xbb, 0xe0, 0x1c, 0xe0, 0x9c);		/* F1, keypad Enter */
	EXPECT(0x07, 0xf0, 0x07, 0x79, 0xf0, 0x79);
	TYPE(0xe0, 0x2a, 0xe0, 0x37, 0xe0, 0xb7, 0xe0, 0xaa);	/* Print: the shifts around it are no keys here */
	EXPECT(0x57, 0xf0, 0x57);
	data(0xf9);						/* make only */
	EXPECT(0xfa);
	TYPE(0x1e, 0x9e);
	EXPECT(0x1c);
}

static void the_current_set_can_be_asked_for(void **state)
{
	(void)state;
	set_command_byte(0x05);
	data(0xf0);
	data(0x00);
	EXPECT(0xfa, 0xfa, 0x02);
	set_command_byte(0x45);
	data(0xf0);
	data(0x00);
	EXPECT(0xfa, 0xfa, 0x41);				/* 02h, translated */
}

static void the_keyboard_answers_its_commands(void **state)
{
	(void)state;
	set_command_byte(0x05);
	data(0xff);
	EXPECT(0xfa, 0xaa);
	data(0xf2);
	EXPECT(0xfa, 0xab, 0x83);
	data(0xed);
	EXPECT(0xfa);
	data(0x07);
	EXPECT(0xfa);
	assert_int_equal(kbd.keyboard.leds, 7);
	data(0xee);
	EXPECT(0xee);
	data(0xf3);
	data(0x20);
	EXPECT(0xfa, 0xfa);
	data(0xf6);
	EXPECT(0xfa);
	data(0xfe);
	EXPECT(0xfa);						/* the last byte again */
	data(0xe1);
	EXPECT(0xfe);						/* no such command */
}

static void the_id_is_translated_as_drivers_know_it(void **state)
{
	(void)state;
	set_up_like_firmware();
	data(0xf2);
	EXPECT(0xfa, 0xab, 0x41);
}

static void a_keyboard_told_to_stop_sends_no_keys(void **state)
{
	(void)state;
	set_up_like_firmware();
	data(0xf5);
	EXPECT(0xfa);
	TYPE(0x1e);
	assert_int_equal(get(), -1);
	data(0xf4);
	EXPECT(0xfa);
	TYPE(0x1e);
	EXPECT(0x1e);
}

static void a_switched_off_wire_keeps_keys_until_it_is_on(void **state)
{
	(void)state;
	set_up_like_firmware();
	command(0xad);
	TYPE(0x1e);
	assert_int_equal(get(), -1);
	command(0xae);
	EXPECT(0x1e);
}

static void irq_1_is_up_while_a_key_waits_and_falls_when_it_is_read(void **state)
{
	(void)state;
	set_up_like_firmware();
	TYPE(0x1e, 0x9e);
	assert_true(irq[0]);
	assert_int_equal(status() & 0x21, 0x01);
	kbd_port_ops.in(&kbd, 0x60, 1, now);
	assert_false(irq[0]);
	assert_int_equal(kbd_deadline(&kbd), kbd.next_ns);
	now = kbd_deadline(&kbd);
	kbd_advance(&kbd, now);
	assert_true(irq[0]);
	assert_int_equal(kbd_deadline(&kbd), DEV_NEVER);
}

static void a_byte_read_twice_for_one_interrupt_is_the_same(void **state)
{
	(void)state;
	set_up_like_firmware();
	TYPE(0x1e, 0x9e);
	assert_int_equal(kbd_port_ops.in(&kbd, 0x60, 1, now), 0x1e);
	assert_int_equal(kbd_port_ops.in(&kbd, 0x60, 1, now), 0x1e);
	EXPECT(0x9e);
}

static void a_full_buffer_refuses_and_takes_again_later(void **state)
{
	unsigned int n = 0;

	(void)state;
	set_up_like_firmware();
	while (kbd_scancode(&kbd, 0x1e, now) && n < 1000)
		n++;
	assert_in_range(n, 16, 100);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(get(), 0x1e);
	assert_true(kbd_scancode(&kbd, 0x9e, now));
	EXPECT(0x9e);
}

static void the_output_port_drives_a20_and_reset(void **state)
{
	(void)state;
	assert_true(a20);
	command(0xd1);
	data(0xdd);
	assert_false(a20);
	command(0xd0);
	EXPECT(0xcd);			/* bits 4 and 5 tell of the buffer, which was empty */
	command(0xdf);
	assert_true(a20);
	command(0xdd);
	assert_false(a20);
	assert_int_equal(resets, 0);
	command(0xfe);
	assert_int_equal(resets, 1);
	command(0xff);			/* pulses nothing */
	assert_int_equal(resets, 1);
	command(0xd1);
	data(0xfe);
	assert_int_equal(resets, 2);
}

static void d2_and_d3_put_bytes_in_as_if_they_came_from_the_wires(void **state)
{
	(void)state;
	set_up_like_firmware();
	command(0xd2);
	data(0x1c);
	assert_true(irq[0]);
	EXPECT(0x1c);			/* not translated */
	command(0xd3);
	data(0xa5);
	assert_true(irq[1]);
	assert_int_equal(status() & 0x21, 0x21);
	EXPECT(0xa5);
}

static void a_mouse_resets_identifies_and_reports(void **state)
{
	(void)state;
	set_up_like_firmware();
	mouse_command(0xff);
	EXPECT(0xfa, 0xaa, 0x00);
	mouse_command(0xf2);
	EXPECT(0xfa, 0x00);
	kbd_mouse_event(&kbd, 5, 5, 0, 1, now);
	assert_int_equal(get(), -1);		/* not asked to report */
	mouse_command(0xf4);
	assert_int_equal(get(), 0xfa);
	/* The button that is down is news. */
	EXPECT(0x09, 0x00, 0x00);
	kbd_mouse_event(&kbd, 3, -2, 0, 0, now);
	assert_true(irq[1]);
	EXPECT(0x08, 0x03, 0x02);		/* up is positive */
	kbd_mouse_event(&kbd, -1, 1, 0, 6, now);
	EXPECT(0x3e, 0xff, 0xff);
}

static void movement_adds_up_while_nobody_reads(void **state)
{
	(void)state;
	set_up_like_firmware();
	mouse_command(0xf4);
	EXPECT(0xfa);
	for (unsigned int i = 0; i < 100; i++)
		kbd_mouse_event(&kbd, 3, 0, 0, 0, now);
	EXPECT(0x08, 3, 0, 0x08, 255, 0, 0x08, 297 - 255, 0);
}

static void three_knocks_give_the_mouse_a_wheel(void **state)
{
	(void)state;
	set_up_like_firmware();
	mouse_command(0xf3);
	mouse_command(200);
	mouse_command(0xf3);
	mouse_command(100);
	mouse_command(0xf3);
	mouse_command(80);
	while (get() >= 0)
		;
	mouse_command(0xf2);
	EXPECT(0xfa, 0x03);
	mouse_command(0xf4);
	EXPECT(0xfa);
	kbd_mouse_event(&kbd, 0, 0, -1, 0, now);
	EXPECT(0x08, 0, 0, 0xff);
}

static void wheel_turns_of_a_mouse_without_a_wheel_do_not_wake_anybody(void **state)
{
	(void)state;
	set_up_like_firmware();
	mouse_command(0xf4);
	EXPECT(0xfa);
	kbd_mouse_event(&kbd, 0, 0, 1, 0, now);
	assert_int_equal(kbd_deadline(&kbd), DEV_NEVER);
}

static void mouse_status_tells_mode_resolution_and_rate(void **state)
{
	(void)state;
	set_up_like_firmware();
	mouse_command(0xe8);
	EXPECT(0xfa);
	mouse_command(0x03);
	EXPECT(0xfa);
	mouse_command(0xf3);
	EXPECT(0xfa);
	mouse_command(40);
	EXPECT(0xfa);
	mouse_command(0xe7);
	EXPECT(0xfa);
	mouse_command(0xe9);
	EXPECT(0xfa, 0x10, 0x03, 40);
}

/* A driver that gives up on an answer must not find it in front of the next one's. */
static void a_command_drops_the_answer_to_the_one_before(void **state)
{
	(void)state;
	set_up_like_firmware();
	mouse_command(0xe9);
	mouse_command(0xf2);
	EXPECT(0xfa, 0xfa, 0x00);		/* the first byte had arrived already */
}

static void remote_mode_reports_only_when_asked(void **state)
{
	(void)state;
	set_up_like_firmware();
	mouse_command(0xf0);
	EXPECT(0xfa);
	kbd_mouse_event(&kbd, 7, 0, 0, 0, now);
	assert_int_equal(get(), -1);
	mouse_command(0xeb);
	EXPECT(0xfa, 0x08, 7, 0);
}

static void wrap_mode_echoes_until_reset(void **state)
{
	(void)state;
	set_up_like_firmware();
	mouse_command(0xee);
	EXPECT(0xfa);
	mouse_command(0xf4);
	EXPECT(0xf4);
	mouse_command(0xec);
	EXPECT(0xfa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, set_up)
		T(the_self_tests_pass),
		T(the_command_byte_reads_back),
		T(controller_memory_holds_what_is_written),
		T(set_2_reaches_the_guest_as_set_1_when_translated),
		T(every_set_1_code_survives_the_way_through_set_2),
		T(untranslated_set_2_has_f0_before_releases),
		T(pause_comes_right_in_each_set),
		T(set_3_has_one_code_a_key),
		T(the_current_set_can_be_asked_for),
		T(the_keyboard_answers_its_commands),
		T(the_id_is_translated_as_drivers_know_it),
		T(a_keyboard_told_to_stop_sends_no_keys),
		T(a_switched_off_wire_keeps_keys_until_it_is_on),
		T(irq_1_is_up_while_a_key_waits_and_falls_when_it_is_read),
		T(a_byte_read_twice_for_one_interrupt_is_the_same),
		T(a_full_buffer_refuses_and_takes_again_later),
		T(the_output_port_drives_a20_and_reset),
		T(d2_and_d3_put_bytes_in_as_if_they_came_from_the_wires),
		T(a_mouse_resets_identifies_and_reports),
		T(movement_adds_up_while_nobody_reads),
		T(three_knocks_give_the_mouse_a_wheel),
		T(wheel_turns_of_a_mouse_without_a_wheel_do_not_wake_anybody),
		T(mouse_status_tells_mode_resolution_and_rate),
		T(a_command_drops_the_answer_to_the_one_before),
		T(remote_mode_reports_only_when_asked),
		T(wrap_mode_echoes_until_reset),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
