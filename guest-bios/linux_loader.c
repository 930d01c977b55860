/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-bios/linux_loader.c - what a boot loader does for Linux: the 32-bit boot protocol.
 *
 *      bzImage:  | boot sector, setup code (real mode) | the kernel proper (32-bit) |
 *                        ^ header at 1F1h, says all     --> 1 MiB
 *
 * Asked by:  user/machine.c, at power-on and at each reset.
 * Asks:      nothing: image in, RAM and start state out.
 * Source:    Linux, Documentation/arch/x86/boot.rst ("The Linux/x86 Boot Protocol") and zero-page.rst.
 * Tested by: tests/unit/test_linux_loader.c, with images made there.
 *
 * The real-mode part of the image never runs. What it would have asked of the BIOS (memory map, disks, screen) is written
 * into the boot parameters here; so the machine must say the same as the chips do.
 *
 *      00400 BIOS data area: top of low memory only
 *      90000 boot parameters ("zero page")
 *      91000 GDT: null, null, code 10h, data 18h
 *      92000 command line
 *      9F000 stack, downward; 9FC00 end of low memory
 *      E0000 ACPI tables, if any
 *     100000 kernel; it moves itself and unpacks to its preferred address
 *        ... initial RAM disk, as high as the kernel allows
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "guest-bios/linux_loader.h"

#define PARAMS_GPA	0x90000u
#define GDT_GPA		0x91000u
#define CMDLINE_GPA	0x92000u
#define CMDLINE_MAX	0x0b000u	/* up to 9D000h: 8 KiB of stack stay */
#define STACK_GPA	0x9f000u
#define LOW_END		0x9fc00u
#define BIOS_GPA	0xe0000u
#define KERNEL_GPA	0x100000u

/* The setup header: offsets in the image and in the boot parameters alike. */
#define HDR_START		0x1f1
#define HDR_SETUP_SECTS		0x1f1	/* u8: 512-byte sectors of setup code; 0 means 4 */
#define HDR_SYSSIZE		0x1f4	/* u32: the 32-bit part in units of 16 bytes */
#define HDR_BOOT_FLAG		0x1fe	/* u16: AA55 */
#define HDR_JUMP_LENGTH		0x201	/* u8: the header ends at 202h plus this */
#define HDR_MAGIC		0x202	/* "HdrS" */
#define HDR_VERSION		0x206	/* u16 */
#define HDR_TYPE_OF_LOADER	0x210	/* u8 */
#define HDR_LOADFLAGS		0x211	/* u8 */
#define HDR_CODE32_START	0x214	/* u32 */
#define HDR_RAMDISK_IMAGE	0x218	/* u32 */
#define HDR_RAMDISK_SIZE	0x21c	/* u32 */
#define HDR_CMD_LINE_PTR	0x228	/* u32 */
#define HDR_INITRD_ADDR_MAX	0x22c	/* u32: 2.03 */
#define HDR_CMDLINE_SIZE	0x238	/* u32: 2.06 */
#define HDR_XLOADFLAGS		0x236	/* u16: 2.12 */
#define HDR_PREF_ADDRESS	0x258	/* u64: 2.10 */
#define HDR_INIT_SIZE		0x260	/* u32: 2.10 */
#define HDR_END_MAX		0x290

#define LOADED_HIGH		0x01	/* the kernel belongs at 1 MiB, not at 64 KiB */
#define CAN_USE_HEAP		0x80
#define XLF_KERNEL_64		0x01
#define LOADER_UNDEFINED	0xff	/* a loader without a number of its own */
#define PROTOCOL_MIN		0x0205

/* Boot parameters beyond the header. The first 64 bytes tell of the screen. */
#define BP_ORIG_VIDEO_MODE	0x006	/* u8 */
#define BP_ORIG_VIDEO_COLS	0x007	/* u8 */
#define BP_ORIG_VIDEO_LINES	0x00e	/* u8 */
#define BP_ORIG_VIDEO_IS_VGA	0x00f	/* u8 */
#define BP_ORIG_VIDEO_POINTS	0x010	/* u16: lines of a character */
#define BP_EXT_MEM_K		0x002	/* u16: KiB above 1 MiB, at most 63 MiB told here */
#define BP_ACPI_RSDP		0x070	/* u64 */
#define BP_ALT_MEM_K		0x1e0	/* u32: the same, without the bound */
#define BP_E820_ENTRIES		0x1e8	/* u8 */
#define BP_E820_TABLE		0x2d0	/* entries of 20 bytes */

enum { E820_RAM = 1, E820_RESERVED = 2 };

/* What the header says, once it has been believed. */
struct kernel {
	uint32_t setup_bytes;	/* boot sector and setup code */
	uint32_t code_bytes;	/* the 32-bit part */
	uint32_t header_end;
	uint16_t version;
	uint64_t end_gpa;	/* the kernel may use memory up to here before it reads the memory map */
	uint32_t initrd_max;	/* highest address the RAM disk may touch */
	uint32_t cmdline_max;	/* without its NUL */
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value);
	put16(p + 2, value >> 16);
}

static void put64(uint8_t *p, uint64_t value)
{
	put32(p, (uint32_t)value);
	put32(p + 4, (uint32_t)(value >> 32));
}

PLX_PRINTF(4, 5)
static int refuse(int err, char *why, size_t why_bytes, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, why_bytes, fmt, args);
	va_end(args);
	return err;
}

static uint64_t mib_up(uint64_t nbytes)
{
	return (nbytes + (1 << 20) - 1) >> 20;
}

/* What people hand over instead of a bzImage, and what to say to them. */
static const char *not_a_kernel(const uint8_t *image, size_t nbytes)
{
	if (nbytes >= 4 && !memcmp(image, "\177ELF", 4))
		return "is an ELF file, perhaps a vmlinux; pass the bzImage (arch/x86/boot/bzImage)";
	if (nbytes >= 2 && image[0] == 0x1f && image[1] == 0x8b)
		return "is compressed by gzip; pass the bzImage itself";
	if (nbytes >= 512 && get16(image + HDR_BOOT_FLAG) == 0xaa55)
		return "is bootable but no Linux kernel; boot it as a disk with --disk";
	return "is not a Linux kernel (no bzImage header)";
}

static int read_header(const struct linux_boot *boot, struct kernel *k, char *why, size_t why_bytes)
{
	const uint8_t *image = boot->kernel;
	size_t nbytes = boot->kernel_bytes;
	unsigned int setup_sects;

	if (nbytes < HDR_PREF_ADDRESS || get16(image + HDR_BOOT_FLAG) != 0xaa55 ||
	    memcmp(image + HDR_MAGIC, "HdrS", 4))
		return refuse(-EINVAL, why, why_bytes, "%s", not_a_kernel(image, nbytes));

	k->version = get16(image + HDR_VERSION);
	if (k->version < PROTOCOL_MIN)
		return refuse(-EINVAL, why, why_bytes,
			      "speaks boot protocol %u.%02u, older than 2.05 (Linux 2.6.20); boot it from a disk",
			      k->version >> 8, k->version & 0xff);
	if (!(image[HDR_LOADFLAGS] & LOADED_HIGH))
		return refuse(-EINVAL, why, why_bytes, "is a zImage, which loads low; build a bzImage");
	if (k->version >= 0x020c && (get16(image + HDR_XLOADFLAGS) & XLF_KERNEL_64))
		return refuse(-EINVAL, why, why_bytes, "is a 64-bit kernel; this machine is IA-32, use an i386 or i686 one");

	setup_sects = image[HDR_SETUP_SECTS] ? image[HDR_SETUP_SECTS] : 4;
	k->setup_bytes = (setup_sects + 1) * 512;
	if (nbytes <= k->setup_bytes || nbytes > UINT32_MAX)
		return refuse(-EINVAL, why, why_bytes, "is cut short: its setup code alone is longer than the file");
	k->code_bytes = (uint32_t)nbytes - k->setup_bytes;
	/* Files may carry padding or signatures behind the kernel, never less than it. */
	if ((uint64_t)get32(image + HDR_SYSSIZE) * 16 > (uint64_t)k->code_bytes + 15)
		return refuse(-EINVAL, why, why_bytes, "is cut short: %zu bytes of %llu", nbytes,
			      (unsigned long long)get32(image + HDR_SYSSIZE) * 16 + k->setup_bytes);

	/* iPXE wears the header for boot loaders; its 32-bit part is data, which its 16-bit code unpacks. */
	if (!get32(image + HDR_CODE32_START))
		return refuse(-EINVAL, why, why_bytes, "has no 32-bit entry, as iPXE has none; let a boot loader on a disk start it");

	k->header_end = 0x202 + image[HDR_JUMP_LENGTH];
	if (k->header_end > HDR_END_MAX)
		k->header_end = HDR_END_MAX;
	if (k->header_end > nbytes)
		k->header_end = (uint32_t)nbytes;

	k->end_gpa = (uint64_t)KERNEL_GPA + k->code_bytes;
	if (k->version >= 0x020a && nbytes >= HDR_INIT_SIZE + 4) {
		uint64_t pref = get64(image + HDR_PREF_ADDRESS), size = get32(image + HDR_INIT_SIZE);

		if (pref > UINT32_MAX)
			return refuse(-EINVAL, why, why_bytes, "wants to run above 4 GiB; this machine is IA-32");
		if (pref < KERNEL_GPA)
			pref = KERNEL_GPA;
		if (pref + size > k->end_gpa)
			k->end_gpa = pref + size;
	}
	k->initrd_max = get32(image + HDR_INITRD_ADDR_MAX);
	k->cmdline_max = k->version >= 0x0206 ? get32(image + HDR_CMDLINE_SIZE) : 255;
	if (k->cmdline_max > CMDLINE_MAX - 1)
		k->cmdline_max = CMDLINE_MAX - 1;
	return 0;
}

/* As high as it may lie, on a page, clear of the kernel. 0: nowhere. */
static uint32_t place_initrd(const struct kernel *k, uint64_t ram_bytes, size_t initrd_bytes)
{
	uint64_t end = plx_min64((uint64_t)k->initrd_max + 1, ram_bytes);
	uint64_t at;

	if (initrd_bytes > end)
		return 0;
	at = (end - initrd_bytes) & ~(uint64_t)PLX_PAGE_MASK;
	return at >= k->end_gpa ? (uint32_t)at : 0;
}

static void e820_add(uint8_t *params, uint64_t start, uint64_t end, uint32_t type)
{
	uint8_t *entry = params + BP_E820_TABLE + 20 * params[BP_E820_ENTRIES]++;

	put64(entry, start);
	put64(entry + 8, end - start);
	put32(entry + 16, type);
}

/* @params is one page, zeroed. */
static void fill_params(uint8_t *params, uint64_t ram_bytes, const struct linux_boot *boot, const struct kernel *k,
			uint32_t initrd_gpa)
{
	uint32_t ext_k = (uint32_t)((ram_bytes >> 10) - 1024);

	memcpy(params + HDR_START, boot->kernel + HDR_START, k->header_end - HDR_START);
	params[HDR_TYPE_OF_LOADER] = LOADER_UNDEFINED;
	params[HDR_LOADFLAGS] &= (uint8_t)~CAN_USE_HEAP;	/* the heap is the real-mode code's, which never runs */
	put32(params + HDR_CODE32_START, KERNEL_GPA);
	put32(params + HDR_CMD_LINE_PTR, CMDLINE_GPA);
	put32(params + HDR_RAMDISK_IMAGE, initrd_gpa);
	put32(params + HDR_RAMDISK_SIZE, initrd_gpa ? (uint32_t)boot->initrd_bytes : 0);
	put16(params + BP_EXT_MEM_K, ext_k < 0xfc00 ? ext_k : 0xfc00);
	put32(params + BP_ALT_MEM_K, ext_k);
	put64(params + BP_ACPI_RSDP, boot->rsdp_gpa);

	if (boot->text_screen) {
		params[BP_ORIG_VIDEO_MODE] = 3;
		params[BP_ORIG_VIDEO_COLS] = 80;
		params[BP_ORIG_VIDEO_LINES] = 25;
		params[BP_ORIG_VIDEO_IS_VGA] = 1;
		put16(params + BP_ORIG_VIDEO_POINTS, 16);
	}

	e820_add(params, 0, LOW_END, E820_RAM);
	e820_add(params, LOW_END, 0xa0000, E820_RESERVED);
	e820_add(params, BIOS_GPA, 0x100000, E820_RESERVED);
	e820_add(params, 0x100000, ram_bytes, E820_RAM);
}

int linux_load(const struct linux_ram *ram, const struct linux_boot *boot, struct plx_flat_start *start, char *why,
	       size_t why_bytes)
{
	static const uint64_t flat[4] = {
		0, 0,
		0x00cf9b000000ffffull,	/* 10h: code, base 0, 4 GiB, 32-bit, ring 0, accessed */
		0x00cf93000000ffffull,	/* 18h: data, the same */
	};
	uint8_t params[PLX_PAGE_SIZE] = { 0 }, gdt[sizeof(flat)], word[2];
	const char *cmdline = boot->cmdline ? boot->cmdline : "";
	struct kernel k = { 0 };
	uint32_t initrd_gpa = 0;
	int err;

	err = read_header(boot, &k, why, why_bytes);
	if (err)
		return err;
	if (strlen(cmdline) > k.cmdline_max)
		return refuse(-EINVAL, why, why_bytes, "takes a command line of at most %u characters; --append gives %zu",
			      k.cmdline_max, strlen(cmdline));
	if (k.end_gpa > ram->nbytes)
		return refuse(-ENOSPC, why, why_bytes, "needs %lluM of memory to start; give more with --memory",
			      (unsigned long long)mib_up(k.end_gpa));
	if (boot->initrd && boot->initrd_bytes) {
		initrd_gpa = place_initrd(&k, ram->nbytes, boot->initrd_bytes);
		if (!initrd_gpa)
			return refuse(-ENOSPC, why, why_bytes,
				      "has no room for an initial RAM disk of %lluM beside it; give more with --memory",
				      (unsigned long long)mib_up(boot->initrd_bytes));
	}

	/* From here on nothing fails. */
	put16(word, LOW_END >> 4);	/* BIOS data area: segment of the extended one */
	ram->write(ram->owner, 0x40e, word, 2);
	put16(word, LOW_END >> 10);	/* KiB of low memory */
	ram->write(ram->owner, 0x413, word, 2);
	fill_params(params, ram->nbytes, boot, &k, initrd_gpa);
	ram->write(ram->owner, PARAMS_GPA, params, sizeof(params));
	for (unsigned int i = 0; i < 4; i++)
		put64(gdt + 8 * i, flat[i]);
	ram->write(ram->owner, GDT_GPA, gdt, sizeof(gdt));
	ram->write(ram->owner, CMDLINE_GPA, cmdline, (uint32_t)strlen(cmdline) + 1);
	ram->write(ram->owner, KERNEL_GPA, boot->kernel + k.setup_bytes, k.code_bytes);
	if (initrd_gpa)
		ram->write(ram->owner, initrd_gpa, boot->initrd, (uint32_t)boot->initrd_bytes);

	*start = (struct plx_flat_start){
		.eip = KERNEL_GPA, .esp = STACK_GPA, .esi = PARAMS_GPA,
		.gdt_base = GDT_GPA, .gdt_limit = sizeof(gdt) - 1,
	};
	return 0;
}
