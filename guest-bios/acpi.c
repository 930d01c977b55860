/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-bios/acpi.c - RSDP, RSDT, FADT and FACS around the DSDT, and the script that links them.
 *
 * Asked by:  user/run.c, once before power-on (and again at reset when a kernel is loaded without firmware).
 * Asks:      guest-bios/dsdt_aml.h, which the build makes from dsdt.asl.
 * Source:    ACPI 1.0b (tables, chapter 5; fixed hardware, chapter 4), Intel PIIX4 datasheet ("Power Management"),
 *            QEMU's docs of fw_cfg "etc/table-loader" for the script's format.
 * Tested by: tests/unit/test_acpi.c.
 *
 * The machine has no APIC, hence no MADT: one interrupt controller, the 8259A pair. Revision 1 tables are
 * what every system of the last 25 years reads.
 */
#include "guest-bios/acpi.h"
#include "guest-bios/dsdt_aml.h"

/* The PIIX4's power management block as the firmware places it. */
#define PM_BASE		0x600
#define PM1_EVT		(PM_BASE + 0x0)		/* status and enable, 4 bytes */
#define PM1_CNT		(PM_BASE + 0x4)		/* SCI_EN, SLP_TYP, SLP_EN, 2 bytes */
#define PM_TMR		(PM_BASE + 0x8)		/* 24-bit timer, 4 bytes */
#define PM_GPE0		(PM_BASE + 0xc)		/* status word, enable word */
#define SMI_CMD		0xb2
#define SMI_ACPI_ENABLE	0xf1
#define SMI_ACPI_DISABLE 0xf0
#define SCI_IRQ		9

/* FADT flags */
#define FADT_WBINVD	(1u << 0)
#define FADT_PROC_C1	(1u << 2)
#define FADT_SLP_BUTTON	(1u << 5)	/* set: no fixed sleep button. Bit 4 clear: the power button is a fixed one */

/* One table after another in "etc/acpi/tables"; the FACS first, for it alone must lie on 64 bytes. */
#define FACS_AT		0u
#define FACS_BYTES	64u
#define FADT_AT		(FACS_AT + FACS_BYTES)
#define FADT_BYTES	116u
#define RSDT_AT		(FADT_AT + 120u)
#define RSDT_BYTES	40u		/* header and one entry */
#define DSDT_AT		(RSDT_AT + RSDT_BYTES)
#define TABLES_ALIGN	64u

_Static_assert(DSDT_AT + sizeof(dsdt_aml) <= ACPI_TABLES_MAX, "the DSDT outgrew its room");
_Static_assert(ACPI_TABLES_MAX + 64 <= ACPI_AREA_BYTES, "the tables outgrew the BIOS area");

/* Offsets that the script patches. */
#define HDR_CHECKSUM	9u
#define FADT_FACS	36u
#define FADT_DSDT	40u
#define RSDT_ENTRY	36u
#define RSDP_CHECKSUM	8u
#define RSDP_RSDT	16u

/*
 * The script: entries of 128 bytes, little-endian, zero-padded. A file is named by 56 bytes.
 *
 *   ALLOCATE      file, u32 align, u8 zone        place the file in high memory, or where the RSDP is searched for
 *   ADD_POINTER   file, other, u32 at, u8 size    add the address of @other to the field
 *   ADD_CHECKSUM  file, u32 at, u32 start, u32 n  make the n bytes sum to zero
 */
enum { STEP_ALLOCATE = 1, STEP_ADD_POINTER = 2, STEP_ADD_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_FSEG = 2 };
#define NAME_BYTES	56u

static void put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value);
	put16(to + 2, value >> 16);
}

static uint32_t get32(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* The 36 bytes every table but FACS and RSDP begins with. The checksum is the script's affair. */
static void put_header(uint8_t *table, const char *signature, uint32_t nbytes, const char *oem_table)
{
	memcpy(table, signature, 4);
	put32(table + 4, nbytes);
	table[8] = 1;				/* revision */
	memcpy(table + 10, "PLEXUS", 6);
	memcpy(table + 16, oem_table, 8);
	put32(table + 24, 1);			/* OEM revision */
	memcpy(table + 28, "PLX ", 4);		/* who made it */
	put32(table + 32, 1);
}

static void put_fadt(uint8_t *fadt)
{
	put_header(fadt, "FACP", FADT_BYTES, "PLXFADT ");
	put32(fadt + FADT_FACS, FACS_AT);
	put32(fadt + FADT_DSDT, DSDT_AT);
	put16(fadt + 46, SCI_IRQ);
	put32(fadt + 48, SMI_CMD);
	fadt[52] = SMI_ACPI_ENABLE;
	fadt[53] = SMI_ACPI_DISABLE;
	put32(fadt + 56, PM1_EVT);
	put32(fadt + 64, PM1_CNT);
	put32(fadt + 76, PM_TMR);
	put32(fadt + 80, PM_GPE0);
	fadt[88] = 4;				/* bytes of PM1_EVT, ... */
	fadt[89] = 2;				/* ... PM1_CNT, ... */
	fadt[91] = 4;				/* ... PM_TMR and ... */
	fadt[92] = 4;				/* ... PM_GPE0 */
	put16(fadt + 96, 0xfff);		/* C2 and C3 latencies: above 100 and 1000, that is, no C2, no C3 */
	put16(fadt + 98, 0xfff);
	fadt[108] = 0x32;			/* the century's byte in the RTC's RAM */
	put32(fadt + 112, FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON);
}

static uint8_t *next_step(struct acpi_files *files, uint32_t command, const char *file)
{
	uint8_t *step = files->script + files->script_bytes;

	files->script_bytes += ACPI_SCRIPT_ENTRY;
	put32(step, command);
	for (uint32_t i = 0; file[i]; i++)
		step[4 + i] = (uint8_t)file[i];
	return step + 4 + NAME_BYTES;
}

static void step_allocate(struct acpi_files *files, const char *file, uint32_t align, uint8_t zone)
{
	uint8_t *args = next_step(files, STEP_ALLOCATE, file);

	put32(args, align);
	args[4] = zone;
}

static void step_add_pointer(struct acpi_files *files, const char *file, const char *other, uint32_t at)
{
	uint8_t *args = next_step(files, STEP_ADD_POINTER, file);

	for (uint32_t i = 0; other[i]; i++)
		args[i] = (uint8_t)other[i];
	put32(args + NAME_BYTES, at);
	args[NAME_BYTES + 4] = 4;
}

static void step_add_checksum(struct acpi_files *files, const char *file, uint32_t at, uint32_t start, uint32_t nbytes)
{
	uint8_t *args = next_step(files, STEP_ADD_CHECKSUM, file);

	put32(args, at);
	put32(args + 4, start);
	put32(args + 8, nbytes);
}

void acpi_build(struct acpi_files *files)
{
	uint8_t *tables = files->tables;

	memset(files, 0, sizeof(*files));

	memcpy(tables + FACS_AT, "FACS", 4);
	put32(tables + FACS_AT + 4, FACS_BYTES);
	put_fadt(tables + FADT_AT);
	put_header(tables + RSDT_AT, "RSDT", RSDT_BYTES, "PLXRSDT ");
	put32(tables + RSDT_AT + RSDT_ENTRY, FADT_AT);
	memcpy(tables + DSDT_AT, dsdt_aml, sizeof(dsdt_aml));
	files->tables_bytes = DSDT_AT + sizeof(dsdt_aml);

	memcpy(files->rsdp, "RSD PTR ", 8);
	memcpy(files->rsdp + 9, "PLEXUS", 6);
	put32(files->rsdp + RSDP_RSDT, RSDT_AT);
	files->rsdp_bytes = ACPI_RSDP_BYTES;

	/* Pointers before the checksums that cover them. The DSDT has its checksum from iasl and no pointers. */
	step_allocate(files, ACPI_FILE_RSDP, 16, ZONE_FSEG);
	step_allocate(files, ACPI_FILE_TABLES, TABLES_ALIGN, ZONE_HIGH);
	step_add_pointer(files, ACPI_FILE_TABLES, ACPI_FILE_TABLES, FADT_AT + FADT_FACS);
	step_add_pointer(files, ACPI_FILE_TABLES, ACPI_FILE_TABLES, FADT_AT + FADT_DSDT);
	step_add_checksum(files, ACPI_FILE_TABLES, FADT_AT + HDR_CHECKSUM, FADT_AT, FADT_BYTES);
	step_add_pointer(files, ACPI_FILE_TABLES, ACPI_FILE_TABLES, RSDT_AT + RSDT_ENTRY);
	step_add_checksum(files, ACPI_FILE_TABLES, RSDT_AT + HDR_CHECKSUM, RSDT_AT, RSDT_BYTES);
	step_add_pointer(files, ACPI_FILE_RSDP, ACPI_FILE_TABLES, RSDP_RSDT);
	step_add_checksum(files, ACPI_FILE_RSDP, RSDP_CHECKSUM, 0, ACPI_RSDP_BYTES);
}

/* ---- the firmware's half, for machines without firmware ------------------------------------- */

/* A file, once it is placed. */
struct placed {
	const char *name;
	const uint8_t *data;
	uint32_t nbytes;
	uint32_t at;		/* in the area */
	bool done;
};

static struct placed *find_placed(struct placed *file, size_t nfiles, const uint8_t *name)
{
	for (size_t i = 0; i < nfiles; i++) {
		size_t n = 0;

		while (file[i].name[n] && (uint8_t)file[i].name[n] == name[n])
			n++;
		if (!file[i].name[n] && !name[n])
			return &file[i];
	}
	return NULL;
}

/* Is [at, at + nbytes) inside the placed file? */
static bool inside(const struct placed *file, uint32_t at, uint32_t nbytes)
{
	return file && file->done && at <= file->nbytes && nbytes <= file->nbytes - at;
}

static bool carry_out(const uint8_t *step, struct placed *file, size_t nfiles, uint8_t *area, uint32_t *next)
{
	const uint8_t *args = step + 4 + NAME_BYTES;
	struct placed *to = find_placed(file, nfiles, step + 4), *other;
	uint32_t at, start, nbytes;
	uint8_t sum = 0;

	if (!to)
		return false;
	switch (get32(step)) {
	case STEP_ALLOCATE:
		at = (*next + get32(args) - 1) & ~(get32(args) - 1);
		if (at > ACPI_AREA_BYTES || to->nbytes > ACPI_AREA_BYTES - at)
			return false;
		memcpy(area + at, to->data, to->nbytes);
		to->at = at;
		to->done = true;
		*next = at + to->nbytes;
		return true;
	case STEP_ADD_POINTER:
		other = find_placed(file, nfiles, args);
		at = get32(args + NAME_BYTES);
		if (!inside(to, at, 4) || !inside(other, 0, 0) || args[NAME_BYTES + 4] != 4)
			return false;
		at += to->at;
		put32(area + at, get32(area + at) + ACPI_AREA_GPA + other->at);
		return true;
	case STEP_ADD_CHECKSUM:
		at = get32(args);
		start = get32(args + 4);
		nbytes = get32(args + 8);
		if (!inside(to, at, 1) || !inside(to, start, nbytes))
			return false;
		for (uint32_t i = 0; i < nbytes; i++)
			sum = (uint8_t)(sum + area[to->at + start + i]);
		area[to->at + at] = (uint8_t)(area[to->at + at] - sum);
		return true;
	default:
		return false;
	}
}

uint32_t acpi_place(const struct acpi_files *files, uint8_t *area)
{
	struct placed file[] = {
		{ .name = ACPI_FILE_RSDP, .data = files->rsdp, .nbytes = files->rsdp_bytes },
		{ .name = ACPI_FILE_TABLES, .data = files->tables, .nbytes = files->tables_bytes },
	};
	uint32_t next = 0;

	for (uint32_t at = 0; at < files->script_bytes; at += ACPI_SCRIPT_ENTRY)
		if (!carry_out(files->script + at, file, PLX_ARRAY_SIZE(file), area, &next))
			return 0;
	return file[0].done ? ACPI_AREA_GPA + file[0].at : 0;
}
