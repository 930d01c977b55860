/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_acpi.c - the ACPI tables, read the way an operating system reads them: find the RSDP, follow the pointers,
 * believe nothing without its checksum.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest-bios/acpi.h"

struct placed {
	struct acpi_files files;
	uint8_t area[ACPI_AREA_BYTES];
	uint32_t rsdp;
};

static int place_tables(void **state)
{
	struct placed *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	acpi_build(&p->files);
	p->rsdp = acpi_place(&p->files, p->area);
	*state = p;
	return 0;
}

static int free_tables(void **state)
{
	free(*state);
	return 0;
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static const uint8_t *at(const struct placed *p, uint32_t gpa, uint32_t nbytes)
{
	assert_in_range(gpa, ACPI_AREA_GPA, ACPI_AREA_GPA + ACPI_AREA_BYTES - nbytes);
	return p->area + (gpa - ACPI_AREA_GPA);
}

static uint8_t sum(const uint8_t *bytes, uint32_t n)
{
	uint8_t total = 0;

	while (n--)
		total = (uint8_t)(total + *bytes++);
	return total;
}

static const uint8_t *rsdt(const struct placed *p)
{
	return at(p, get32(at(p, p->rsdp, 20) + 16), 40);
}

static const uint8_t *fadt(const struct placed *p)
{
	return at(p, get32(rsdt(p) + 36), 116);
}

/* ACPI 1.0b, "Root System Description Pointer": on 16 bytes, signature and checksum over 20 bytes. */
static void the_rsdp_is_found_by_a_search_on_16_byte_steps(void **state)
{
	struct placed *p = *state;
	uint32_t found = 0;

	for (uint32_t i = 0; i + 20 <= ACPI_AREA_BYTES && !found; i += 16)
		if (!memcmp(p->area + i, "RSD PTR ", 8) && sum(p->area + i, 20) == 0)
			found = ACPI_AREA_GPA + i;
	assert_int_equal(found, p->rsdp);
	assert_int_not_equal(found, 0);
}

static void every_table_sums_to_zero_over_its_own_length(void **state)
{
	struct placed *p = *state;
	const uint8_t *dsdt = at(p, get32(fadt(p) + 40), 36);

	assert_memory_equal(rsdt(p), "RSDT", 4);
	assert_int_equal(sum(rsdt(p), get32(rsdt(p) + 4)), 0);
	assert_memory_equal(fadt(p), "FACP", 4);
	assert_int_equal(get32(fadt(p) + 4), 116);
	assert_int_equal(sum(fadt(p), 116), 0);
	assert_memory_equal(dsdt, "DSDT", 4);
	assert_int_equal(sum(dsdt, get32(dsdt + 4)), 0);
}

/* ACPI 1.0b, "Firmware ACPI Control Structure": on a 64-byte boundary. */
static void the_facs_lies_on_64_bytes(void **state)
{
	struct placed *p = *state;
	uint32_t facs = get32(fadt(p) + 36);

	assert_int_equal(facs % 64, 0);
	assert_memory_equal(at(p, facs, 64), "FACS", 4);
	assert_int_equal(get32(at(p, facs, 64) + 4), 64);
}

/* A system that finds an MADT would program an I/O APIC that is not there. */
static void no_table_speaks_of_an_apic(void **state)
{
	struct placed *p = *state;

	assert_int_equal(get32(rsdt(p) + 4), 36 + 4);
	for (uint32_t i = 0; i + 4 <= p->files.tables_bytes; i++)
		assert_memory_not_equal(p->files.tables + i, "APIC", 4);
}

static void the_power_button_is_the_fixed_one_and_power_management_is_the_piix4s(void **state)
{
	struct placed *p = *state;
	const uint8_t *f = fadt(p);

	assert_int_equal(get32(f + 112) & 1u << 4, 0);
	assert_int_equal(f[46] | f[47] << 8, 9);
	assert_int_equal(get32(f + 48), 0xb2);
	assert_int_equal(f[52], 0xf1);
	assert_int_equal(f[53], 0xf0);
	assert_int_equal(get32(f + 56), 0x600);
	assert_int_equal(get32(f + 64), 0x604);
	assert_int_equal(get32(f + 76), 0x608);
}

/* Name (_S5, Package (4) {0, 0, 0, 0}) in AML: 08 name 12 length 04 then zeroes. */
static void the_dsdt_names_a_soft_off_state_of_type_0(void **state)
{
	static const uint8_t s5[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0, 0, 0, 0 };
	struct placed *p = *state;
	bool found = false;

	for (uint32_t i = 0; i + sizeof(s5) <= p->files.tables_bytes; i++)
		found |= !memcmp(p->files.tables + i, s5, sizeof(s5));
	assert_true(found);
}

/* Firmware asks for files by these names and steps of 128 bytes; a name it does not know ends its work. */
static void the_script_names_only_files_that_are_handed_over(void **state)
{
	struct placed *p = *state;

	assert_int_not_equal(p->files.script_bytes, 0);
	assert_int_equal(p->files.script_bytes % ACPI_SCRIPT_ENTRY, 0);
	for (uint32_t i = 0; i < p->files.script_bytes; i += ACPI_SCRIPT_ENTRY) {
		const char *name = (const char *)p->files.script + i + 4;

		assert_in_range(get32(p->files.script + i), 1, 3);
		assert_true(!strcmp(name, ACPI_FILE_RSDP) || !strcmp(name, ACPI_FILE_TABLES));
	}
}

static void a_script_that_reaches_outside_its_file_places_nothing(void **state)
{
	struct placed *p = *state;
	struct acpi_files bad = p->files;

	/* The third step is a pointer in the tables; move it to their very end, where only 3 bytes are left. */
	uint8_t *where = bad.script + 2 * ACPI_SCRIPT_ENTRY + 4 + 2 * 56;
	uint32_t end = bad.tables_bytes - 3;

	for (int i = 0; i < 4; i++)
		where[i] = (uint8_t)(end >> (8 * i));
	assert_int_equal(acpi_place(&bad, p->area), 0);

	bad = p->files;
	bad.script[4] = 'E';		/* "Etc/acpi/rsdp": there is no such file */
	assert_int_equal(acpi_place(&bad, p->area), 0);

	bad = p->files;
	bad.tables_bytes = ACPI_AREA_BYTES;
	assert_int_equal(acpi_place(&bad, p->area), 0);
}

static void the_same_machine_gives_the_same_bytes(void **state)
{
	struct placed *p = *state;
	struct acpi_files *again = malloc(sizeof(*again));

	assert_non_null(again);
	memset(again, 0xa5, sizeof(*again));
	acpi_build(again);
	assert_memory_equal(again, &p->files, sizeof(*again));
	free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rsdp_is_found_by_a_search_on_16_byte_steps),
		cmocka_unit_test(every_table_sums_to_zero_over_its_own_length),
		cmocka_unit_test(the_facs_lies_on_64_bytes),
		cmocka_unit_test(no_table_speaks_of_an_apic),
		cmocka_unit_test(the_power_button_is_the_fixed_one_and_power_management_is_the_piix4s),
		cmocka_unit_test(the_dsdt_names_a_soft_off_state_of_type_0),
		cmocka_unit_test(the_script_names_only_files_that_are_handed_over),
		cmocka_unit_test(a_script_that_reaches_outside_its_file_places_nothing),
		cmocka_unit_test(the_same_machine_gives_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, place_tables, free_tables);
}
