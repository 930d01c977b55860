/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_acpi_pm.c - claims about power management: timer, events, SCI, soft off.
 *
 * Sources: ACPI 1.0b, "ACPI Hardware Specification"; datasheet 82371AB.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "devices/acpi_pm.h"

#define BASE	0x600
#define SEC	DEV_NS_PER_S
#define HALF	(1u << 23)		/* ticks between two overflows */

struct board {
	struct pci pci;
	struct acpi_pm pm;
	uint32_t mapped;
	bool sci;
	int power_offs;
};

static void on_move(void *owner, const struct pci_region *region, uint32_t old_base, uint32_t new_base)
{
	struct board *b = owner;

	(void)old_base;
	assert_ptr_equal(region->ports, &acpi_pm_ports);
	assert_ptr_equal(region->chip, &b->pm);
	b->mapped = new_base;
}

static void on_sci(void *owner, unsigned int line, bool level)
{
	assert_int_equal(line, ACPI_SCI_IRQ);
	((struct board *)owner)->sci = level;
}

static void on_power_off(void *owner)
{
	((struct board *)owner)->power_offs++;
}

/* As SeaBIOS leaves it. */
static int board_setup(void **state)
{
	static struct board board;
	struct pci_machine machine = { .move = on_move, .owner = &board };
	struct acpi_pm_config config = { .sci = { on_sci, &board, ACPI_SCI_IRQ }, .power_off = on_power_off,
					 .owner = &board };

	memset(&board, 0, sizeof(board));
	board.mapped = PCI_UNMAPPED;
	pci_init(&board.pci, &machine);
	acpi_pm_init(&board.pm, &board.pci, &config);
	acpi_pm_reset(&board.pm, 0);
	pci_config_write(&board.pci, PCI_DEVFN(1, 3), 0x40, 4, BASE | 1, 0);
	pci_config_write(&board.pci, PCI_DEVFN(1, 3), 0x80, 1, 1, 0);
	*state = &board;
	return 0;
}

static uint32_t in(struct board *b, uint16_t offset, unsigned int size, uint64_t now_ns)
{
	uint32_t value = acpi_pm_ports.in(&b->pm, BASE + offset, size, now_ns);

	return size == 4 ? value : value & ((1u << (8 * size)) - 1);
}

static void out(struct board *b, uint16_t offset, unsigned int size, uint32_t value, uint64_t now_ns)
{
	acpi_pm_ports.out(&b->pm, BASE + offset, size, value, now_ns);
}

static void acpi_on(struct board *b)
{
	acpi_smi_ports.out(&b->pm, 0xb2, 1, ACPI_SMI_ENABLE, 0);
}

/* ---- where it answers ---- */

static void ports_appear_where_firmware_puts_them(void **state)
{
	struct board *b = *state;

	assert_int_equal(b->mapped, BASE);
	pci_config_write(&b->pci, PCI_DEVFN(1, 3), 0x40, 4, 0xb001, 0);
	assert_int_equal(b->mapped, 0xb000);
	assert_int_equal(pci_config_read(&b->pci, PCI_DEVFN(1, 3), 0x40, 4), 0xb001);
	pci_config_write(&b->pci, PCI_DEVFN(1, 3), 0x80, 1, 0, 0);
	assert_int_equal(b->mapped, PCI_UNMAPPED);
}

static void reset_takes_the_ports_away(void **state)
{
	struct board *b = *state;

	acpi_pm_reset(&b->pm, 5 * SEC);
	assert_int_equal(b->mapped, PCI_UNMAPPED);
	assert_int_equal(pci_config_read(&b->pci, PCI_DEVFN(1, 3), 0x80, 1), 0);
}

static void identity_and_smbus_base_are_as_linux_expects(void **state)
{
	struct board *b = *state;

	assert_int_equal(pci_config_read(&b->pci, PCI_DEVFN(1, 3), 0, 4), 0x71138086);
	pci_config_write(&b->pci, PCI_DEVFN(1, 3), 0x90, 4, 0x0701, 0);
	assert_int_equal(pci_config_read(&b->pci, PCI_DEVFN(1, 3), 0x90, 4), 0x0701);
	pci_config_write(&b->pci, PCI_DEVFN(1, 3), 0xd2, 1, 0x09, 0);
	assert_int_equal(pci_config_read(&b->pci, PCI_DEVFN(1, 3), 0xd2, 1), 0x09);
}

/* Otherwise SeaBIOS installs an SMI handler and waits for an SMI for ever. */
static void smi_handler_looks_installed_from_reset(void **state)
{
	struct board *b = *state;

	assert_true(pci_config_read(&b->pci, PCI_DEVFN(1, 3), 0x58, 4) & 1u << 25);
}

/* ---- PM timer ---- */

static void timer_counts_at_3_579545_mhz(void **state)
{
	struct board *b = *state;

	assert_int_equal(in(b, 8, 4, 0), 0);
	assert_int_equal(in(b, 8, 4, SEC), 3579545);
	assert_int_equal(in(b, 8, 4, SEC / 1000), 3579);
}

static void timer_is_24_bits_wide(void **state)
{
	struct board *b = *state;

	assert_int_equal(in(b, 8, 4, 5 * SEC), (5ull * 3579545) & 0xffffff);
	/* A year on, the arithmetic must not have overflowed. */
	assert_int_equal(in(b, 8, 4, 31536000 * SEC), (31536000ull * 3579545) & 0xffffff);
}

static void timer_is_read_only_and_readable_in_parts(void **state)
{
	struct board *b = *state;

	out(b, 8, 4, 0xffffffff, SEC);
	assert_int_equal(in(b, 8, 4, SEC), 3579545);
	assert_int_equal(in(b, 8, 2, SEC), 3579545 & 0xffff);
	assert_int_equal(in(b, 10, 1, SEC), 3579545 >> 16);
}

static void top_bit_changing_sets_the_timer_status(void **state)
{
	struct board *b = *state;
	uint64_t half_ns = (HALF * 1000000000ull + 3579544) / 3579545;

	assert_int_equal(in(b, 0, 2, half_ns - 1), 0);
	assert_int_equal(in(b, 0, 2, half_ns), ACPI_PM1_TMR);
	out(b, 0, 2, ACPI_PM1_TMR, half_ns);
	assert_int_equal(in(b, 0, 2, half_ns + 1), 0);
	assert_int_equal(in(b, 0, 2, 2 * half_ns), ACPI_PM1_TMR);	/* falling counts as well */
}

static void overflow_raises_sci_at_the_deadline(void **state)
{
	struct board *b = *state;
	uint64_t at;

	assert_true(acpi_pm_deadline(&b->pm) == DEV_NEVER);
	acpi_on(b);
	assert_true(acpi_pm_deadline(&b->pm) == DEV_NEVER);
	out(b, 2, 2, ACPI_PM1_TMR, SEC);
	at = acpi_pm_deadline(&b->pm);
	assert_int_equal(at, (HALF * 1000000000ull + 3579544) / 3579545);
	acpi_pm_advance(&b->pm, at - 1);
	assert_false(b->sci);
	acpi_pm_advance(&b->pm, at);
	assert_true(b->sci);
	assert_true(acpi_pm_deadline(&b->pm) == DEV_NEVER);		/* until somebody clears it */
	out(b, 0, 2, ACPI_PM1_TMR, at + 1);
	assert_false(b->sci);
	assert_true(acpi_pm_deadline(&b->pm) > at);
	assert_true(acpi_pm_deadline(&b->pm) != DEV_NEVER);
}

/* ---- events and SCI ---- */

static void smi_commands_switch_acpi_on_and_off(void **state)
{
	struct board *b = *state;

	assert_int_equal(in(b, 4, 2, 0) & ACPI_PM1_SCI_EN, 0);
	acpi_on(b);
	assert_int_equal(in(b, 4, 2, 0) & ACPI_PM1_SCI_EN, 1);
	assert_int_equal(acpi_smi_ports.in(&b->pm, 0xb2, 1, 0), ACPI_SMI_ENABLE);
	acpi_smi_ports.out(&b->pm, 0xb2, 1, ACPI_SMI_DISABLE, 0);
	assert_int_equal(in(b, 4, 2, 0) & ACPI_PM1_SCI_EN, 0);
	acpi_smi_ports.out(&b->pm, 0xb3, 1, 0x5a, 0);
	assert_int_equal(acpi_smi_ports.in(&b->pm, 0xb3, 1, 0), 0x5a);
}

static void power_button_is_heard_only_by_a_guest_that_asked(void **state)
{
	struct board *b = *state;

	assert_false(acpi_pm_power_button(&b->pm));
	assert_false(b->sci);
	assert_int_equal(in(b, 0, 2, 0), ACPI_PM1_PWRBTN);
	out(b, 0, 2, ACPI_PM1_PWRBTN, 0);

	acpi_on(b);
	out(b, 2, 2, ACPI_PM1_PWRBTN, 0);
	assert_true(acpi_pm_power_button(&b->pm));
	assert_true(b->sci);
	out(b, 0, 2, ACPI_PM1_PWRBTN, 0);
	assert_false(b->sci);
	assert_int_equal(in(b, 0, 2, 0), 0);
}

static void enabling_an_event_that_is_pending_raises_sci(void **state)
{
	struct board *b = *state;

	acpi_on(b);
	acpi_pm_rtc_alarm(&b->pm);
	assert_false(b->sci);
	out(b, 2, 2, ACPI_PM1_RTC, 0);
	assert_true(b->sci);
	out(b, 2, 2, 0, 0);
	assert_false(b->sci);
}

/* ACPI 1.0b, "Power Management 1 Control": while SCI_EN is 0 events would be the SMI handler's business. */
static void sci_is_silent_until_acpi_is_on(void **state)
{
	struct board *b = *state;

	out(b, 2, 2, ACPI_PM1_PWRBTN, 0);
	out(b, 0xe, 2, 1, 0);
	assert_false(acpi_pm_power_button(&b->pm));
	assert_false(acpi_pm_gpe(&b->pm, 0));
	assert_false(b->sci);
	acpi_on(b);
	assert_true(b->sci);
}

static void writing_zeros_to_status_clears_nothing(void **state)
{
	struct board *b = *state;

	acpi_pm_power_button(&b->pm);
	out(b, 0, 2, (uint16_t)~ACPI_PM1_PWRBTN, 0);
	assert_int_equal(in(b, 0, 2, 0), ACPI_PM1_PWRBTN);
}

static void status_and_enable_can_be_written_by_the_byte(void **state)
{
	struct board *b = *state;

	acpi_pm_power_button(&b->pm);
	out(b, 3, 1, ACPI_PM1_PWRBTN >> 8, 0);		/* enable, high byte */
	assert_int_equal(in(b, 0, 4, 0), ACPI_PM1_PWRBTN | ACPI_PM1_PWRBTN << 16);
	out(b, 1, 1, ACPI_PM1_PWRBTN >> 8, 0);		/* status, high byte */
	assert_int_equal(in(b, 0, 4, 0), ACPI_PM1_PWRBTN << 16);
}

static void general_purpose_events_raise_sci(void **state)
{
	struct board *b = *state;

	acpi_on(b);
	out(b, 0xe, 2, 1 << 3, 0);
	assert_false(acpi_pm_gpe(&b->pm, 2));
	assert_false(b->sci);
	assert_true(acpi_pm_gpe(&b->pm, 3));
	assert_true(b->sci);
	assert_int_equal(in(b, 0xc, 4, 0), 0x0008000c);
	out(b, 0xc, 2, 1 << 3, 0);
	assert_false(b->sci);
}

/* ---- soft off ---- */

static void s5_switches_the_machine_off(void **state)
{
	struct board *b = *state;

	acpi_on(b);
	out(b, 4, 2, ACPI_PM1_SLP_EN | ACPI_PM1_SCI_EN, 0);
	assert_int_equal(b->power_offs, 1);
	assert_int_equal(in(b, 4, 2, 0) & ACPI_PM1_SLP_EN, 0);		/* write-only */
}

static void sleep_type_without_sleep_enable_does_nothing(void **state)
{
	struct board *b = *state;

	out(b, 4, 2, 5 << 10, 0);
	assert_int_equal(in(b, 4, 2, 0), 5 << 10);
	out(b, 4, 2, 0, 0);
	assert_int_equal(b->power_offs, 0);
}

static void sleep_states_that_are_not_offered_do_not_switch_off(void **state)
{
	struct board *b = *state;

	out(b, 4, 2, ACPI_PM1_SLP_EN | 1 << 10, 0);
	assert_int_equal(b->power_offs, 0);
}

static void sleep_enable_by_a_byte_write_works(void **state)
{
	struct board *b = *state;

	out(b, 5, 1, ACPI_PM1_SLP_EN >> 8, 0);
	assert_int_equal(b->power_offs, 1);
}

static void other_registers_are_remembered(void **state)
{
	struct board *b = *state;

	out(b, 0x28, 4, 0x12345678, 0);		/* GLBCTL, as SeaBIOS reads and writes it */
	assert_int_equal(in(b, 0x28, 4, 0), 0x12345678);
	assert_int_equal(in(b, 0x2a, 2, 0), 0x1234);
	in(b, 0x3d, 4, 0);			/* past the end of the block: no harm */
	out(b, 0x3d, 4, 0xffffffff, 0);
}

#define T(name) cmocka_unit_test_setup(name, board_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ports_appear_where_firmware_puts_them),
		T(reset_takes_the_ports_away),
		T(identity_and_smbus_base_are_as_linux_expects),
		T(smi_handler_looks_installed_from_reset),
		T(timer_counts_at_3_579545_mhz),
		T(timer_is_24_bits_wide),
		T(timer_is_read_only_and_readable_in_parts),
		T(top_bit_changing_sets_the_timer_status),
		T(overflow_raises_sci_at_the_deadline),
		T(smi_commands_switch_acpi_on_and_off),
		T(power_button_is_heard_only_by_a_guest_that_asked),
		T(enabling_an_event_that_is_pending_raises_sci),
		T(sci_is_silent_until_acpi_is_on),
		T(writing_zeros_to_status_clears_nothing),
		T(status_and_enable_can_be_written_by_the_byte),
		T(general_purpose_events_raise_sci),
		T(s5_switches_the_machine_off),
		T(sleep_type_without_sleep_enable_does_nothing),
		T(sleep_states_that_are_not_offered_do_not_switch_off),
		T(sleep_enable_by_a_byte_write_works),
		T(other_registers_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
