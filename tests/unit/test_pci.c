/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_pci.c - claims about the PCI bus, the host bridge and the ISA bridge, driven through their ports.
 *
 * Sources: PCI Local Bus Specification 2.1; datasheets 82441FX and 82371SB.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "devices/i440fx.h"
#include "devices/pci.h"
#include "devices/piix3.h"

#define MAX_EVENTS 32

struct move { const struct pci_region *region; uint32_t old_base, new_base; };
struct shadow { uint32_t gpa, nbytes; bool read_ram, write_ram; };

struct board {
	struct pci pci;
	struct i440fx host;
	struct piix3 isa;
	struct pci_function card;	/* 00:03.0 with two BARs and INTA# */
	struct move move[MAX_EVENTS];
	unsigned int nr_moves;
	struct shadow shadow[MAX_EVENTS];
	unsigned int nr_shadows;
	uint16_t pic;			/* levels */
	unsigned int pic_changes;
	int resets, hard_resets;
	unsigned int written_offset, written_bytes;
};

static void on_move(void *owner, const struct pci_region *region, uint32_t old_base, uint32_t new_base)
{
	struct board *b = owner;

	assert_true(b->nr_moves < MAX_EVENTS);
	b->move[b->nr_moves++] = (struct move){ region, old_base, new_base };
}

static void on_shadow(void *owner, uint32_t gpa, uint32_t nbytes, bool read_ram, bool write_ram)
{
	struct board *b = owner;

	assert_true(b->nr_shadows < MAX_EVENTS);
	b->shadow[b->nr_shadows++] = (struct shadow){ gpa, nbytes, read_ram, write_ram };
}

static void on_pic(void *owner, unsigned int line, bool level)
{
	struct board *b = owner;

	b->pic = level ? b->pic | 1u << line : b->pic & ~(1u << line);
	b->pic_changes++;
}

static void on_reset(void *owner, bool hard)
{
	struct board *b = owner;

	b->resets++;
	b->hard_resets += hard;
}

static void on_written(void *chip, unsigned int offset, unsigned int nbytes, uint64_t now_ns)
{
	struct board *b = chip;

	(void)now_ns;
	b->written_offset = offset;
	b->written_bytes = nbytes;
}

static int board_setup(void **state)
{
	static struct board board;
	struct board *b = &board;
	struct pci_machine machine = { .move = on_move, .owner = b };
	struct i440fx_config host = { .shadow = on_shadow, .owner = b, .ram_bytes = 256u << 20 };
	struct piix3_config isa = { .reset = on_reset, .owner = b };

	memset(b, 0, sizeof(*b));
	for (unsigned int i = 0; i < 4; i++)
		machine.pirq[i] = (struct irq_line){ piix3_pirq, &b->isa, i };
	for (unsigned int i = 0; i < 16; i++)
		isa.pic[i] = (struct irq_line){ on_pic, b, i };
	pci_init(&b->pci, &machine);
	i440fx_init(&b->host, &b->pci, &host);
	piix3_init(&b->isa, &b->pci, &isa);
	pci_set_cf9(&b->pci, &piix3_cf9_ports, &b->isa);
	assert_true(pci_function_init(&b->pci, &b->card, PCI_DEVFN(3, 0), 0x1234, 0x5678, 0x020000, 7, b));
	b->card.written = on_written;
	b->card.config[PCI_CFG_INT_PIN] = 1;
	pci_function_bar(&b->card, 0, PCI_REGION_IO, 32, NULL, NULL, b);
	pci_function_bar(&b->card, 1, PCI_REGION_MEMORY, 0x10000, NULL, NULL, b);
	i440fx_reset(&b->host);
	piix3_reset(&b->isa);
	pci_function_reset(&b->card);
	b->nr_moves = 0;
	b->nr_shadows = 0;
	b->pic_changes = 0;
	*state = b;
	return 0;
}

/* As a driver does it: address to CF8, data at CFC. */
static uint32_t config_in(struct board *b, uint8_t devfn, unsigned int offset, unsigned int size)
{
	pci_ports.out(&b->pci, 0xcf8, 4, 0x80000000u | devfn << 8 | (offset & 0xfc), 0);
	return pci_ports.in(&b->pci, 0xcfc + (offset & 3), size, 0);
}

static void config_out(struct board *b, uint8_t devfn, unsigned int offset, unsigned int size, uint32_t value)
{
	pci_ports.out(&b->pci, 0xcf8, 4, 0x80000000u | devfn << 8 | (offset & 0xfc), 0);
	pci_ports.out(&b->pci, 0xcfc + (offset & 3), size, value, 0);
}

#define CARD PCI_DEVFN(3, 0)
#define HOST PCI_DEVFN(0, 0)
#define ISA PCI_DEVFN(1, 0)

/* ---- configuration mechanism 1 ---- */

static void chipset_functions_have_the_ids_that_seabios_looks_for(void **state)
{
	struct board *b = *state;

	assert_int_equal(config_in(b, HOST, 0, 4), 0x12378086);
	assert_int_equal(config_in(b, HOST, 0x2c, 4), 0x11001af4);	/* "this is the fw_cfg machine" */
	assert_int_equal(config_in(b, HOST, 0x0a, 2), 0x0600);
	assert_int_equal(config_in(b, ISA, 0, 4), 0x70008086);
	assert_int_equal(config_in(b, ISA, 0x0a, 2), 0x0601);
	assert_int_equal(config_in(b, ISA, 0x0e, 1), 0x80);		/* more functions follow */
}

static void absent_functions_read_as_all_ones_and_swallow_writes(void **state)
{
	struct board *b = *state;

	assert_int_equal(config_in(b, PCI_DEVFN(9, 0), 0, 4), 0xffffffff);
	assert_int_equal(config_in(b, PCI_DEVFN(1, 5), 0, 2), 0xffff);
	config_out(b, PCI_DEVFN(9, 0), 4, 2, 7);
	pci_ports.out(&b->pci, 0xcf8, 4, 0x80010000, 0);		/* bus 1 */
	assert_int_equal(pci_ports.in(&b->pci, 0xcfc, 4, 0), 0xffffffff);
}

static void data_port_is_dead_while_the_enable_bit_is_off(void **state)
{
	struct board *b = *state;

	pci_ports.out(&b->pci, 0xcf8, 4, 0x00000000, 0);
	assert_int_equal(pci_ports.in(&b->pci, 0xcfc, 4, 0), 0xffffffff);
}

static void address_register_takes_whole_dwords_only(void **state)
{
	struct board *b = *state;

	pci_ports.out(&b->pci, 0xcf8, 4, 0x80000000, 0);
	pci_ports.out(&b->pci, 0xcfb, 1, 0x01, 0);	/* how Linux provokes mechanism 2 */
	assert_int_equal(pci_ports.in(&b->pci, 0xcf8, 4, 0), 0x80000000);
	assert_int_equal(pci_ports.in(&b->pci, 0xcf8, 1, 0), 0xff);
	pci_ports.out(&b->pci, 0xcf8, 4, 0xffffffff, 0);
	assert_int_equal(pci_ports.in(&b->pci, 0xcf8, 4, 0), 0x80fffffc);
}

static void bytes_and_words_of_a_register_are_its_parts(void **state)
{
	struct board *b = *state;

	assert_int_equal(config_in(b, CARD, 1, 1), 0x12);
	assert_int_equal(config_in(b, CARD, 2, 2), 0x5678);
	assert_int_equal(config_in(b, CARD, 8, 4), 0x02000007);
	config_out(b, CARD, 0x3c, 1, 11);
	assert_int_equal(config_in(b, CARD, 0x3c, 2), 0x010b);	/* the pin beside it is read-only */
	assert_int_equal(b->written_offset, 0x3c);
	assert_int_equal(b->written_bytes, 1);
}

static void identity_cannot_be_overwritten(void **state)
{
	struct board *b = *state;

	config_out(b, CARD, 0, 4, 0);
	config_out(b, CARD, 8, 4, 0);
	config_out(b, CARD, 0x2c, 4, 0);
	assert_int_equal(config_in(b, CARD, 0, 4), 0x56781234);
	assert_int_equal(config_in(b, CARD, 8, 4), 0x02000007);
	assert_int_equal(config_in(b, CARD, 0x2c, 4), 0x11001af4);
}

static void status_errors_clear_by_writing_ones(void **state)
{
	struct board *b = *state;

	b->card.config[PCI_CFG_STATUS + 1] = 0xf8;
	config_out(b, CARD, PCI_CFG_STATUS, 2, 0x2000);
	assert_int_equal(config_in(b, CARD, PCI_CFG_STATUS, 2), 0xd800);
}

/* ---- base address registers ---- */

static void all_ones_in_a_bar_tell_its_size(void **state)
{
	struct board *b = *state;

	config_out(b, CARD, 0x10, 4, 0xffffffff);
	config_out(b, CARD, 0x14, 4, 0xffffffff);
	config_out(b, CARD, 0x18, 4, 0xffffffff);
	assert_int_equal(config_in(b, CARD, 0x10, 4), 0xffffffe1);
	assert_int_equal(config_in(b, CARD, 0x14, 4), 0xffff0000);
	assert_int_equal(config_in(b, CARD, 0x18, 4), 0);		/* no such BAR */
}

static void sizing_with_decoding_on_maps_nothing(void **state)
{
	struct board *b = *state;

	config_out(b, CARD, PCI_CFG_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	config_out(b, CARD, 0x10, 4, 0xffffffff);
	config_out(b, CARD, 0x14, 4, 0xffffffff);
	assert_int_equal(b->nr_moves, 0);
	assert_int_equal(b->card.region[0].base, PCI_UNMAPPED);
}

static void io_bar_answers_only_once_it_is_placed_and_enabled(void **state)
{
	struct board *b = *state;

	config_out(b, CARD, 0x10, 4, 0xc000);
	assert_int_equal(b->nr_moves, 0);
	config_out(b, CARD, PCI_CFG_COMMAND, 2, PCI_COMMAND_IO);
	assert_int_equal(b->nr_moves, 1);
	assert_ptr_equal(b->move[0].region, &b->card.region[0]);
	assert_int_equal(b->move[0].old_base, PCI_UNMAPPED);
	assert_int_equal(b->move[0].new_base, 0xc000);
}

static void io_bar_that_is_moved_leaves_its_old_place(void **state)
{
	struct board *b = *state;

	config_out(b, CARD, PCI_CFG_COMMAND, 2, PCI_COMMAND_IO);
	config_out(b, CARD, 0x10, 4, 0xc000);
	config_out(b, CARD, 0x10, 4, 0xd020);
	assert_int_equal(b->nr_moves, 2);
	assert_int_equal(b->move[1].old_base, 0xc000);
	assert_int_equal(b->move[1].new_base, 0xd020);
	config_out(b, CARD, PCI_CFG_COMMAND, 1, 0);
	assert_int_equal(b->nr_moves, 3);
	assert_int_equal(b->move[2].new_base, PCI_UNMAPPED);
}

static void memory_bar_follows_the_memory_enable_bit(void **state)
{
	struct board *b = *state;

	config_out(b, CARD, 0x14, 4, 0xfebc0000);
	config_out(b, CARD, PCI_CFG_COMMAND, 2, PCI_COMMAND_IO);
	assert_int_equal(b->nr_moves, 0);
	config_out(b, CARD, PCI_CFG_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(b->nr_moves, 1);
	assert_int_equal(b->card.region[1].base, 0xfebc0000);
}

static void io_bar_beyond_64k_is_nowhere(void **state)
{
	struct board *b = *state;

	config_out(b, CARD, PCI_CFG_COMMAND, 2, PCI_COMMAND_IO);
	config_out(b, CARD, 0x10, 4, 0x00010000);
	config_out(b, CARD, 0x10, 4, 0xffffffe0);
	assert_int_equal(b->nr_moves, 0);
	config_out(b, CARD, 0x10, 4, 0xffe0);		/* the last place there is */
	assert_int_equal(b->card.region[0].base, 0xffe0);
}

static void reset_takes_every_region_off_the_bus(void **state)
{
	struct board *b = *state;

	config_out(b, CARD, PCI_CFG_COMMAND, 2, PCI_COMMAND_IO);
	config_out(b, CARD, 0x10, 4, 0xc000);
	pci_function_reset(&b->card);
	assert_int_equal(b->card.region[0].base, PCI_UNMAPPED);
	assert_int_equal(b->move[1].new_base, PCI_UNMAPPED);
	assert_int_equal(config_in(b, CARD, 0x10, 4), 1);
	assert_int_equal(config_in(b, CARD, PCI_CFG_COMMAND, 2), 0);
}

static void two_functions_cannot_have_one_place(void **state)
{
	struct board *b = *state;
	struct pci_function twin;

	assert_false(pci_function_init(&b->pci, &twin, CARD, 1, 2, 0, 0, NULL));
}

/* ---- interrupts ---- */

static void interrupt_pin_reaches_the_pic_input_that_firmware_routed(void **state)
{
	struct board *b = *state;

	/* Device 3, INTA#: (3 - 1 + 0) mod 4 = PIRQC#. */
	config_out(b, ISA, 0x60, 4, 0x0b0b0a0a);
	pci_intx(&b->card, true);
	assert_int_equal(b->pic, 1 << 11);
	pci_intx(&b->card, false);
	assert_int_equal(b->pic, 0);
}

static void unrouted_pirq_stays_silent_until_it_is_routed(void **state)
{
	struct board *b = *state;

	pci_intx(&b->card, true);
	assert_int_equal(b->pic, 0);
	config_out(b, ISA, 0x62, 1, 5);
	assert_int_equal(b->pic, 1 << 5);
	config_out(b, ISA, 0x62, 1, 9);			/* moved while it is high */
	assert_int_equal(b->pic, 1 << 9);
	config_out(b, ISA, 0x62, 1, 0x80);
	assert_int_equal(b->pic, 0);
}

static void reserved_pic_inputs_cannot_be_routed_to(void **state)
{
	struct board *b = *state;

	pci_intx(&b->card, true);
	for (unsigned int irq = 0; irq < 16; irq++) {
		config_out(b, ISA, 0x62, 1, irq);
		assert_int_equal(b->pic, 0xdef8 & 1u << irq);
	}
}

static void shared_line_falls_when_the_last_function_lets_go(void **state)
{
	struct board *b = *state;
	static struct pci_function other;

	assert_true(pci_function_init(&b->pci, &other, PCI_DEVFN(7, 0), 1, 2, 0, 0, NULL));
	other.config[PCI_CFG_INT_PIN] = 1;		/* device 7: PIRQC# as well */
	config_out(b, ISA, 0x62, 1, 11);
	pci_intx(&b->card, true);
	pci_intx(&other, true);
	pci_intx(&b->card, false);
	assert_int_equal(b->pic, 1 << 11);
	assert_int_equal(b->pic_changes, 1);
	pci_intx(&other, false);
	assert_int_equal(b->pic, 0);
}

/* ---- 82441FX ---- */

static void power_on_reads_and_writes_the_rom(void **state)
{
	struct board *b = *state;

	i440fx_reset(&b->host);
	assert_int_equal(b->nr_shadows, 1);
	assert_int_equal(b->shadow[0].gpa, 0xc0000);
	assert_int_equal(b->shadow[0].nbytes, 0x40000);
	assert_false(b->shadow[0].read_ram);
	assert_false(b->shadow[0].write_ram);
}

static void pam0_rules_the_bios_segment_alone(void **state)
{
	struct board *b = *state;

	config_out(b, HOST, 0x59, 1, 0x30);
	assert_int_equal(b->nr_shadows, 1);
	assert_int_equal(b->shadow[0].gpa, 0xf0000);
	assert_int_equal(b->shadow[0].nbytes, 0x10000);
	assert_true(b->shadow[0].read_ram && b->shadow[0].write_ram);
	config_out(b, HOST, 0x59, 1, 0x10);		/* copied; now write-protected */
	assert_int_equal(b->nr_shadows, 2);
	assert_true(b->shadow[1].read_ram);
	assert_false(b->shadow[1].write_ram);
}

static void pam_nibbles_are_16k_areas_in_order(void **state)
{
	struct board *b = *state;

	config_out(b, HOST, 0x5a, 1, 0x10);		/* high nibble: C4000 */
	config_out(b, HOST, 0x5f, 1, 0x02);		/* low nibble: E8000, write only */
	assert_int_equal(b->nr_shadows, 2);
	assert_int_equal(b->shadow[0].gpa, 0xc4000);
	assert_int_equal(b->shadow[0].nbytes, 0x4000);
	assert_true(b->shadow[0].read_ram);
	assert_int_equal(b->shadow[1].gpa, 0xe8000);
	assert_false(b->shadow[1].read_ram);
	assert_true(b->shadow[1].write_ram);
}

/* SeaBIOS opens everything with two dword writes, at 58 and 5C. */
static void neighbours_that_change_alike_come_in_one_call(void **state)
{
	struct board *b = *state;

	config_out(b, HOST, 0x58, 4, 0x33333000);
	config_out(b, HOST, 0x5c, 4, 0x33333333);
	assert_int_equal(b->nr_shadows, 3);
	assert_int_equal(b->shadow[0].gpa, 0xc0000);	/* 5A, 5B */
	assert_int_equal(b->shadow[0].nbytes, 0x10000);
	assert_int_equal(b->shadow[1].gpa, 0xf0000);	/* 59 */
	assert_int_equal(b->shadow[2].gpa, 0xd0000);	/* 5C - 5F */
	assert_int_equal(b->shadow[2].nbytes, 0x20000);
	config_out(b, HOST, 0x5c, 4, 0x33333333);
	assert_int_equal(b->nr_shadows, 3);		/* nothing new, no call */
}

static void reserved_pam_bits_read_as_zero(void **state)
{
	struct board *b = *state;

	config_out(b, HOST, 0x58, 4, 0xffffffff);
	assert_int_equal(config_in(b, HOST, 0x59, 1), 0x30);
	assert_int_equal(config_in(b, HOST, 0x5a, 2), 0x3333);
}

static void smram_register_is_remembered(void **state)
{
	struct board *b = *state;

	assert_int_equal(config_in(b, HOST, 0x72, 1), 0x02);
	config_out(b, HOST, 0x72, 1, 0x4a);
	assert_int_equal(config_in(b, HOST, 0x72, 1), 0x4a);
}

/* ---- port CF9 ---- */

static void reset_port_acts_on_the_rising_bit(void **state)
{
	struct board *b = *state;

	pci_ports.out(&b->pci, 0xcf9, 1, 0x02, 0);
	assert_int_equal(b->resets, 0);
	assert_int_equal(pci_ports.in(&b->pci, 0xcf9, 1, 0), 0x02);
	pci_ports.out(&b->pci, 0xcf9, 1, 0x06, 0);
	assert_int_equal(b->resets, 1);
	assert_int_equal(b->hard_resets, 1);
	pci_ports.out(&b->pci, 0xcf9, 1, 0x00, 0);
	pci_ports.out(&b->pci, 0xcf9, 1, 0x04, 0);
	assert_int_equal(b->resets, 2);
	assert_int_equal(b->hard_resets, 1);		/* INIT only */
}

static void dword_to_cf8_does_not_touch_the_reset_port(void **state)
{
	struct board *b = *state;

	pci_ports.out(&b->pci, 0xcf8, 4, 0x80000600, 0);
	pci_ports.out(&b->pci, 0xcf8, 2, 0x0600, 0);
	assert_int_equal(b->resets, 0);
}

#define T(name) cmocka_unit_test_setup(name, board_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(chipset_functions_have_the_ids_that_seabios_looks_for),
		T(absent_functions_read_as_all_ones_and_swallow_writes),
		T(data_port_is_dead_while_the_enable_bit_is_off),
		T(address_register_takes_whole_dwords_only),
		T(bytes_and_words_of_a_register_are_its_parts),
		T(identity_cannot_be_overwritten),
		T(status_errors_clear_by_writing_ones),
		T(all_ones_in_a_bar_tell_its_size),
		T(sizing_with_decoding_on_maps_nothing),
		T(io_bar_answers_only_once_it_is_placed_and_enabled),
		T(io_bar_that_is_moved_leaves_its_old_place),
		T(memory_bar_follows_the_memory_enable_bit),
		T(io_bar_beyond_64k_is_nowhere),
		T(reset_takes_every_region_off_the_bus),
		T(two_functions_cannot_have_one_place),
		T(interrupt_pin_reaches_the_pic_input_that_firmware_routed),
		T(unrouted_pirq_stays_silent_until_it_is_routed),
		T(reserved_pic_inputs_cannot_be_routed_to),
		T(shared_line_falls_when_the_last_function_lets_go),
		T(power_on_reads_and_writes_the_rom),
		T(pam0_rules_the_bios_segment_alone),
		T(pam_nibbles_are_16k_areas_in_order),
		T(neighbours_that_change_alike_come_in_one_call),
		T(reserved_pam_bits_read_as_zero),
		T(smram_register_is_remembered),
		T(reset_port_acts_on_the_rising_bit),
		T(dword_to_cf8_does_not_touch_the_reset_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
