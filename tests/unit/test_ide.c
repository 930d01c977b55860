/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_ide.c - claims about the IDE channels and the commands of their disks, driven through ports as a driver does.
 *
 * Source: ATA/ATAPI-6 (T13/1410D), "Command descriptions".
 */
#include "tests/unit/ide_board.h"

/* ---- registers, selection, reset ---- */

static void power_on_shows_the_signature_of_a_disk(void **state)
{
	struct board *b = *state;

	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(in(b, ERROR), 1);
	assert_int_equal(in(b, COUNT), 1);
	assert_int_equal(in(b, LOW), 1);
	assert_int_equal(in(b, MID), 0);
	assert_int_equal(in(b, HIGH), 0);
	assert_int_equal(in(b, DEVICE), 0xa0);
}

static void registers_read_back_what_was_written(void **state)
{
	struct board *b = *state;

	out(b, DEVICE, 0xa0);
	out(b, COUNT, 0x55);
	out(b, LOW, 0xaa);
	assert_int_equal(in(b, COUNT), 0x55);
	assert_int_equal(in(b, LOW), 0xaa);
	assert_int_equal(in(b, DEVICE), 0xa0);
	out(b, DEVICE, 0xb0);
	assert_int_equal(in(b, DEVICE), 0xb0);
}

/* ATA-6, "Single device configurations": device 0 answers for device 1, with status 00. */
static void absent_drive_1_has_status_zero_and_obeys_nothing(void **state)
{
	struct board *b = *state;

	out(b, DEVICE, 0xb0);
	assert_int_equal(in(b, STATUS), 0);
	assert_int_equal(alt_status(b), 0);
	out(b, COMMAND, 0xec);
	assert_int_equal(in(b, STATUS), 0);
	assert_false(b->irq);
	assert_int_equal(in_word(b), 0xffff);
	out(b, DEVICE, 0xa0);
	assert_int_equal(in(b, STATUS), READY);
}

static void an_empty_channel_floats_and_is_never_busy(void **state)
{
	struct board *b = *state;
	struct ide_channel *secondary = &b->ide.channel[1];

	for (unsigned int reg = ERROR; reg <= STATUS; reg++)
		assert_int_equal(ide_command_ports.in(secondary, 0x170 + reg, 1, 0) & 0xff, 0x7f);
	assert_int_equal(ide_control_ports.in(secondary, 0x376, 1, 0) & 0xff, 0x7f);
	ide_command_ports.out(secondary, 0x177, 1, 0xec, 0);
	ide_command_ports.out(secondary, 0x177, 1, 0x90, 0);
	assert_int_equal(ide_command_ports.in(secondary, 0x177, 1, 0) & 0xff, 0x7f);
}

static void high_order_bytes_are_the_writes_before(void **state)
{
	struct board *b = *state;

	out(b, LOW, 0x11);
	out(b, LOW, 0x22);
	control(b, 0x80);
	assert_int_equal(in(b, LOW), 0x11);
	out(b, MID, 0);			/* any write of the command block ends it */
	assert_int_equal(in(b, LOW), 0x22);
}

static void software_reset_is_busy_while_it_lasts_and_cancels(void **state)
{
	struct board *b = *state;

	lba28(b, 0x20, 0, 2);
	assert_int_equal(alt_status(b), READY | DRQ);
	control(b, 0x04);
	assert_int_equal(alt_status(b), BSY);
	assert_false(b->irq);
	out(b, COUNT, 9);		/* nobody listens */
	control(b, 0x00);
	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(in(b, COUNT), 1);
	assert_int_equal(in(b, ERROR), 1);
	assert_int_equal(in(b, DEVICE), 0xa0);
	assert_int_equal(in_word(b), 0xffff);
}

static void diagnostic_passes_and_interrupts(void **state)
{
	struct board *b = *state;

	out(b, DEVICE, 0xb0);		/* for both drives, whichever is selected */
	out(b, COMMAND, 0x90);
	assert_true(b->irq);
	assert_int_equal(in(b, DEVICE), 0xa0);
	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(in(b, ERROR), 1);
	assert_int_equal(in(b, COUNT), 1);
}

static void two_disks_on_a_cable_are_two(void **state)
{
	struct board *b = *state;
	struct block_ops second = b->block;
	struct ide_config config = b->ide.config;
	struct pci_machine machine = { .owner = b };
	uint16_t word[256];

	second.nsectors = 500;
	config.disk[1] = &second;
	pci_init(&b->pci, &machine);
	ide_init(&b->ide, &b->pci, &config);
	ide_reset(&b->ide);
	b->irqs = 0;

	out(b, DEVICE, 0xb0);
	assert_int_equal(in(b, STATUS), READY);
	out(b, COMMAND, 0xec);
	assert_int_equal(ins(b, 2, word, 256), 256);
	assert_int_equal(word[60], 500);
	assert_int_equal(word[13] & 0xff, '2');	/* PLX00002 */
	assert_int_equal(word[93], 0x6b00);

	/* A transfer of drive 1 is not drive 0's: its data port is dead while drive 0 is selected. */
	out(b, DEVICE, 0xf0);
	out(b, COUNT, 1);
	out(b, LOW, 9);
	out(b, MID, 0);
	out(b, HIGH, 0);
	out(b, COMMAND, 0x20);
	out(b, DEVICE, 0xe0);
	assert_int_equal(alt_status(b), READY);
	assert_int_equal(in_word(b), 0xffff);
	out(b, DEVICE, 0xf0);
	take_sector(b, 9);
	assert_int_equal(in(b, STATUS), READY);
}

/* ---- interrupt ---- */

static void status_takes_the_interrupt_back_and_alternate_status_does_not(void **state)
{
	struct board *b = *state;

	simple(b, 0xe5, 0, 0);
	assert_true(b->irq);
	alt_status(b);
	assert_true(b->irq);
	in(b, STATUS);
	assert_false(b->irq);
}

static void nien_holds_the_interrupt_until_it_is_cleared(void **state)
{
	struct board *b = *state;

	control(b, 0x02);
	simple(b, 0xe5, 0, 0);
	assert_false(b->irq);
	control(b, 0x00);
	assert_true(b->irq);
}

static void new_command_takes_the_old_interrupt_back(void **state)
{
	struct board *b = *state;

	simple(b, 0xe5, 0, 0);
	simple(b, 0xe5, 0, 0);
	assert_int_equal(b->irqs, 2);	/* two edges, though nobody read the status */
}

static void interrupt_of_a_drive_that_is_not_selected_waits(void **state)
{
	struct board *b = *state;

	simple(b, 0xe5, 0, 0);
	out(b, DEVICE, 0xb0);
	assert_false(b->irq);
	out(b, DEVICE, 0xa0);
	assert_true(b->irq);
}

/* ---- IDENTIFY ---- */

static void text_of(const uint16_t *word, unsigned int first, unsigned int nwords, char *text)
{
	for (unsigned int i = 0; i < nwords; i++) {
		text[2 * i] = (char)(word[first + i] >> 8);
		text[2 * i + 1] = (char)(word[first + i] & 0xff);
	}
	text[2 * nwords] = 0;
}

static void identify_names_the_disk(void **state)
{
	struct board *b = *state;
	uint16_t word[256];
	char text[48];

	identify(b, word);
	text_of(word, 27, 20, text);
	assert_memory_equal(text, "PLEXUS HARDDISK         ", 24);
	text_of(word, 10, 10, text);
	assert_memory_equal(text, "PLX00001            ", 20);
}

static void identify_tells_geometry_and_capacity(void **state)
{
	struct board *b = *state;
	uint16_t word[256];

	identify(b, word);
	assert_int_equal(word[0], 0x0040);
	assert_int_equal(word[1], 2);
	assert_int_equal(word[3], 16);
	assert_int_equal(word[6], 63);
	assert_int_equal(word[54], 2);
	assert_int_equal(word[57] | word[58] << 16, 2 * 16 * 63);
	assert_int_equal(word[60] | word[61] << 16, NSECTORS);
	assert_int_equal(word[100] | word[101] << 16, NSECTORS);
	assert_int_equal(word[102] | word[103] << 16, 0);
}

static void identify_of_a_large_disk_saturates_the_small_fields(void **state)
{
	struct board *b = *state;
	uint16_t word[256];

	b->block.nsectors = 0x123456789aull;
	b->ide.channel[0].drive[0].native = ide_geometry(b->block.nsectors);
	identify(b, word);
	assert_int_equal(word[1], 16383);
	assert_int_equal(word[60] | word[61] << 16, 0x0fffffff);
	assert_int_equal(word[100] | (uint32_t)word[101] << 16, 0x3456789a);
	assert_int_equal(word[102], 0x12);
}

static void identify_claims_what_drivers_need(void **state)
{
	struct board *b = *state;
	uint16_t word[256];
	uint8_t sum = 0;

	identify(b, word);
	assert_int_equal(word[49] & 0x0300, 0x0300);	/* LBA, DMA */
	assert_int_equal(word[47] & 0xff, 16);
	assert_int_equal(word[53] & 7, 7);
	assert_int_equal(word[63], 0x0407);		/* multiword DMA 2 chosen */
	assert_int_equal(word[83], 0x7400);		/* flush, flush ext, 48-bit */
	assert_int_equal(word[88], 0x003f);
	for (unsigned int i = 0; i < 512; i++)
		sum += ((const uint8_t *)word)[i];
	assert_int_equal(word[255] & 0xff, 0xa5);
	assert_int_equal(sum, 0);
}

static void bios_translation_begins_above_1024_cylinders(void **state)
{
	(void)state;
	assert_int_equal(ide_bios_translation(1024ull * 16 * 63), 0);
	assert_int_equal(ide_bios_translation(1025ull * 16 * 63), 1);
	assert_int_equal(ide_geometry(100).cylinders, 1);
}

/* ---- the other commands ---- */

static void commands_that_a_disk_does_not_have_are_aborted(void **state)
{
	/* DEVICE RESET, PACKET, IDENTIFY PACKET, SMART, SECURITY, SET MAX, NCQ, DSM, READ LOG EXT, reserved; NOP too. */
	static const uint8_t codes[] = { 0x00, 0x08, 0xa0, 0xa1, 0xb0, 0xf5, 0xf9, 0x60, 0x61, 0x06, 0x2f, 0xff, 0x22, 0x32 };
	struct board *b = *state;

	for (size_t i = 0; i < sizeof(codes); i++) {
		simple(b, codes[i], 0, 0);
		assert_true(b->irq);
		assert_int_equal(in(b, STATUS), READY | ERR);
		assert_int_equal(in(b, ERROR), ABRT);
	}
}

static void harmless_commands_end_well(void **state)
{
	/* RECALIBRATE, STANDBY and IDLE with and without IMMEDIATE, SLEEP, and their older codes. */
	static const uint8_t codes[] = { 0x10, 0x1f, 0xe0, 0xe1, 0xe2, 0xe3, 0xe6, 0x94, 0x95, 0x96, 0x97, 0x99 };
	struct board *b = *state;

	for (size_t i = 0; i < sizeof(codes); i++) {
		simple(b, codes[i], 0, 0);
		assert_true(b->irq);
		assert_int_equal(in(b, STATUS), READY);
	}
}

static void power_mode_follows_standby_and_access(void **state)
{
	struct board *b = *state;

	simple(b, 0xe5, 0, 0);
	assert_int_equal(in(b, COUNT), 0xff);
	simple(b, 0xe0, 0, 0);
	simple(b, 0xe5, 0, 0);
	assert_int_equal(in(b, COUNT), 0x00);
	lba28(b, 0x20, 0, 1);
	take_sector(b, 0);
	simple(b, 0xe5, 0, 0);
	assert_int_equal(in(b, COUNT), 0xff);
}

static void seek_checks_the_address(void **state)
{
	struct board *b = *state;

	lba28(b, 0x70, NSECTORS - 1, 0);
	assert_int_equal(in(b, STATUS), READY);
	lba28(b, 0x70, NSECTORS, 0);
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_int_equal(in(b, ERROR), IDNF);
}

static void native_max_is_the_last_sector(void **state)
{
	struct board *b = *state;

	simple(b, 0xf8, 0, 0);
	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(in(b, LOW) | in(b, MID) << 8 | in(b, HIGH) << 16, NSECTORS - 1);
	b->block.nsectors = 0x123456789aull;
	simple(b, 0x27, 0, 0);
	assert_int_equal(in(b, LOW) | in(b, MID) << 8 | in(b, HIGH) << 16, 0x567899);
	control(b, 0x80);
	assert_int_equal(in(b, LOW) | in(b, MID) << 8 | in(b, HIGH) << 16, 0x001234);
}

static void set_features_chooses_transfer_modes(void **state)
{
	struct board *b = *state;
	uint16_t word[256];

	simple(b, 0xef, 3, 0x45);		/* Ultra DMA 5 */
	assert_int_equal(in(b, STATUS), READY);
	identify(b, word);
	assert_int_equal(word[88], 0x203f);
	assert_int_equal(word[63], 0x0007);
	simple(b, 0xef, 3, 0x22);		/* multiword DMA 2 */
	simple(b, 0xef, 3, 0x0c);		/* PIO 4 leaves that alone */
	identify(b, word);
	assert_int_equal(word[88], 0x003f);
	assert_int_equal(word[63], 0x0407);
	simple(b, 0xef, 3, 0x46);		/* there is no Ultra DMA 6 */
	assert_int_equal(in(b, STATUS), READY | ERR);
	simple(b, 0xef, 0x05, 0);		/* nor power management levels */
	assert_int_equal(in(b, ERROR), ABRT);
}

static void buffer_commands_keep_a_sector(void **state)
{
	struct board *b = *state;
	uint8_t bytes[512], back[512];

	fill(bytes, sizeof(bytes), 6);
	simple(b, 0xe8, 0, 0);
	assert_int_equal(outs(b, 2, bytes, 256), 256);
	assert_int_equal(in(b, STATUS), READY);
	lba28(b, 0x20, 0, 1);
	take_sector(b, 0);
	simple(b, 0xe4, 0, 0);
	assert_int_equal(ins(b, 2, back, 256), 256);
	assert_memory_equal(bytes, back, 512);
	assert_int_equal(b->writes, 0);
}

static void new_command_ends_one_that_was_given_up(void **state)
{
	struct board *b = *state;

	lba28(b, 0x20, 0, 4);
	in_word(b);
	lba28(b, 0x20, 50, 1);
	take_sector(b, 50);
	assert_int_equal(in(b, STATUS), READY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(power_on_shows_the_signature_of_a_disk),
		T(registers_read_back_what_was_written),
		T(absent_drive_1_has_status_zero_and_obeys_nothing),
		T(an_empty_channel_floats_and_is_never_busy),
		T(two_disks_on_a_cable_are_two),
		T(high_order_bytes_are_the_writes_before),
		T(software_reset_is_busy_while_it_lasts_and_cancels),
		T(diagnostic_passes_and_interrupts),
		T(status_takes_the_interrupt_back_and_alternate_status_does_not),
		T(nien_holds_the_interrupt_until_it_is_cleared),
		T(new_command_takes_the_old_interrupt_back),
		T(interrupt_of_a_drive_that_is_not_selected_waits),
		T(identify_names_the_disk),
		T(identify_tells_geometry_and_capacity),
		T(identify_of_a_large_disk_saturates_the_small_fields),
		T(identify_claims_what_drivers_need),
		T(bios_translation_begins_above_1024_cylinders),
		T(commands_that_a_disk_does_not_have_are_aborted),
		T(harmless_commands_end_well),
		T(power_mode_follows_standby_and_access),
		T(seek_checks_the_address),
		T(native_max_is_the_last_sector),
		T(set_features_chooses_transfer_modes),
		T(buffer_commands_keep_a_sector),
		T(new_command_ends_one_that_was_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
