/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-bios/acpi.h - the ACPI tables of the machine, and the two ways they reach the guest.
 *
 *                                  +--> fw_cfg files --> firmware places and links them
 *      dsdt.asl --> acpi_build() --+
 *                                  +--> acpi_place(): straight into RAM, for a kernel without firmware
 *
 * Both ways follow one script, so that what a unit test checks for one holds for the other.
 */
#ifndef GUEST_BIOS_ACPI_H
#define GUEST_BIOS_ACPI_H

#include "plexus/base.h"

/* Where a machine without firmware finds its tables: the area that the ACPI specification tells systems to search. */
#define ACPI_AREA_GPA	0x000e0000u
#define ACPI_AREA_BYTES	0x00020000u

#define ACPI_RSDP_BYTES		20	/* ACPI 1.0 */
#define ACPI_TABLES_MAX		16384
#define ACPI_SCRIPT_ENTRY	128
#define ACPI_SCRIPT_MAX		(16 * ACPI_SCRIPT_ENTRY)

/* The names under which firmware asks for the three files. */
#define ACPI_FILE_RSDP		"etc/acpi/rsdp"
#define ACPI_FILE_TABLES	"etc/acpi/tables"
#define ACPI_FILE_SCRIPT	"etc/table-loader"

struct acpi_files {
	uint8_t rsdp[ACPI_RSDP_BYTES];
	uint8_t tables[ACPI_TABLES_MAX];
	uint8_t script[ACPI_SCRIPT_MAX];
	uint32_t rsdp_bytes, tables_bytes, script_bytes;
};

/* Fills in all three. Pure: the same machine gives the same bytes. */
void acpi_build(struct acpi_files *files);

/*
 * Carries out the script as firmware would, with the files placed from ACPI_AREA_GPA on. @area is the host's view of that
 * area and ACPI_AREA_BYTES long. Return: the guest physical address of the RSDP, or 0 if a step asks for what there is not.
 */
uint32_t acpi_place(const struct acpi_files *files, uint8_t *area);

#endif
