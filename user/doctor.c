/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/doctor.c - `plexus doctor`: try on this host what the process host will need, one thing at a time.
 *
 * Asked by:  user/command.c. Asks: the kernel, by doing the thing rather than by reading about it wherever that is possible.
 * Tested by: tests/unit/test_host_files.c.
 *
 * "MISSING" is only what no guest can do without; what merely costs speed or room is a warning.
 */
#define _GNU_SOURCE			/* memfd_create, MAP_FIXED_NOREPLACE */
#include <asm/ldt.h>
#include <cpuid.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest-bios/firmware.h"
#include "user/command.h"
#include "user/doctor.h"
#include "user/host_files.h"
#include "user/options.h"
#include "user/say.h"

#define HWCAP2_FSGSBASE	(1u << 1)
#define LOW_END		(1ull << 32)
#define WANT_MAP_COUNT	65530u
#define MAX_MIN_ADDR	65536u

struct examination {
	FILE *out;
	const char *root;
	bool missing;
};

enum finding { FINDING_OK, FINDING_WARNING, FINDING_MISSING };

PLX_PRINTF(4, 5)
static void find(struct examination *ex, enum finding finding, const char *what, const char *fmt, ...)
{
	static const char *const words[] = { "ok", "warning", "MISSING" };
	va_list args;

	ex->missing |= finding == FINDING_MISSING;
	fprintf(ex->out, "%-8s %s: ", words[finding], what);
	va_start(args, fmt);
	vfprintf(ex->out, fmt, args);
	va_end(args);
	fputc('\n', ex->out);
}

static void check_kernel(struct examination *ex)
{
	struct utsname name;

	if (uname(&name) < 0 || strcmp(name.sysname, "Linux") || strcmp(name.machine, "x86_64"))
		find(ex, FINDING_MISSING, "kernel", "not Linux on x86-64; Plexus runs nowhere else");
	else
		find(ex, FINDING_OK, "kernel", "Linux %s on x86-64", name.release);
}

/* ---- the LDT ---------------------------------------------------------------------------------- */

/* Like every entry Plexus makes: DPL 3, from the last slot so that nobody's is overwritten. */
#define LDT_SLOT (LDT_ENTRIES - 2)

static int write_ldt(const struct user_desc *desc)
{
	return syscall(SYS_modify_ldt, 0x11, desc, sizeof(*desc)) < 0 ? -errno : 0;
}

static void clear_ldt(void)
{
	const struct user_desc empty = { .entry_number = LDT_SLOT, .read_exec_only = 1, .seg_not_present = 1 };

	write_ldt(&empty);
}

/* What the processor itself says of the entry (SDM 2A, "LSL"): not all that accept a system call also do it. */
static bool limit_seen(uint32_t limit)
{
	uint32_t selector = LDT_SLOT << 3 | 7, seen = 0;
	bool valid;

	__asm__("lsl %2, %0" : "+r"(seen), "=@ccz"(valid) : "r"(selector));
	return valid && seen == limit;
}

static void check_ldt(struct examination *ex)
{
	struct user_desc desc = {
		.entry_number = LDT_SLOT, .base_addr = 0x10000, .limit = 0x1234, .seg_32bit = 1, .useable = 1,
	};
	int err = write_ldt(&desc);

	if (err == -ENOSYS)
		find(ex, FINDING_MISSING, "modify_ldt",
		     "this kernel was built without it; use one with CONFIG_MODIFY_LDT_SYSCALL=y (Debian's have it)");
	else if (err)
		find(ex, FINDING_MISSING, "modify_ldt",
		     "refused (%s); a container's seccomp profile may forbid it (docker run --security-opt seccomp=unconfined)",
		     strerror(-err));
	else if (!limit_seen(0x1234))
		find(ex, FINDING_MISSING, "modify_ldt", "accepted but without effect; is this an emulated kernel (gVisor, WSL 1)?");
	else
		find(ex, FINDING_OK, "modify_ldt", "segments can be made");
	if (err)
		return;

	desc.seg_32bit = 0;
	desc.contents = MODIFY_LDT_CONTENTS_CODE;
	desc.limit = 0xffff;
	err = write_ldt(&desc);
	if (err || !limit_seen(0xffff))
		find(ex, FINDING_WARNING, "16-bit segments",
		     "refused (a kernel without CONFIG_X86_16BIT, as Debian's for cloud machines): 16-bit guest code is interpreted, which "
		     "makes a machine start slower and changes nothing else");
	else
		find(ex, FINDING_OK, "16-bit segments", "allowed");
	clear_ldt();
}

/* ---- memory ----------------------------------------------------------------------------------- */

static void check_min_addr(struct examination *ex)
{
	char path[512];
	uint64_t value;

	snprintf(path, sizeof(path), "%s/proc/sys/vm/mmap_min_addr", ex->root);
	if (host_read_number(path, &value))
		find(ex, FINDING_WARNING, "vm.mmap_min_addr", "cannot be read; 65536 or less is needed");
	else if (value > MAX_MIN_ADDR)
		find(ex, FINDING_MISSING, "vm.mmap_min_addr", "%" PRIu64 "; as root: sysctl -w vm.mmap_min_addr=65536", value);
	else
		find(ex, FINDING_OK, "vm.mmap_min_addr", "%" PRIu64, value);
}

static void check_map_count(struct examination *ex)
{
	char path[512];
	uint64_t value;

	snprintf(path, sizeof(path), "%s/proc/sys/vm/max_map_count", ex->root);
	if (host_read_number(path, &value))
		find(ex, FINDING_WARNING, "vm.max_map_count", "cannot be read; %u is wanted", WANT_MAP_COUNT);
	else if (value < WANT_MAP_COUNT)
		find(ex, FINDING_WARNING, "vm.max_map_count",
		     "%" PRIu64 " is little for guests with many mappings; as root: sysctl -w vm.max_map_count=262144", value);
	else
		find(ex, FINDING_OK, "vm.max_map_count", "%" PRIu64, value);
}

/* A mapping below 4 GiB of our own binary, stack or libraries would stand where the guest's linear space belongs. */
static void check_low_space(struct examination *ex)
{
	unsigned long long start, end;
	char path[512], line[4400];
	bool free_space = true;
	FILE *maps;

	snprintf(path, sizeof(path), "%s/proc/self/maps", ex->root);
	maps = fopen(path, "re");
	if (!maps) {
		find(ex, FINDING_WARNING, "low 4 GiB", "/proc/self/maps cannot be read; is /proc mounted?");
		return;
	}
	while (free_space && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%llx-%llx", &start, &end) == 2 && start < LOW_END)
			free_space = false;
	fclose(maps);
	if (!free_space)
		find(ex, FINDING_MISSING, "low 4 GiB",
		     "taken at %llx-%llx; build Plexus as a position-independent program, and run it without "
		     "`setarch --addr-compat-layout` and the like", start, end);
	else
		find(ex, FINDING_OK, "low 4 GiB", "free for the guest");
}

/* One object seen twice: writable here, executable there. The code cache lives so. */
static void check_memfd(struct examination *ex)
{
	void *writable, *executable = MAP_FAILED;
	int fd = memfd_create("plexus-doctor", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, PLX_PAGE_SIZE) < 0) {
		find(ex, FINDING_MISSING, "memfd_create", "refused: %s; look at the sysctl vm.memfd_noexec and at seccomp profiles",
		     strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	writable = mmap(NULL, PLX_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (writable != MAP_FAILED)
		executable = mmap((void *)(uintptr_t)MAX_MIN_ADDR, PLX_PAGE_SIZE, PROT_READ | PROT_EXEC,
				  MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	if (executable == MAP_FAILED)
		find(ex, FINDING_MISSING, "code memory",
		     "cannot be mapped executable at 64 KiB: %s; look at SELinux (execmem) and the sysctl vm.memfd_noexec",
		     strerror(errno));
	else
		find(ex, FINDING_OK, "code memory", "memfd_create works, and maps writable and executable apart");
	if (executable != MAP_FAILED)
		munmap(executable, PLX_PAGE_SIZE);
	if (writable != MAP_FAILED)
		munmap(writable, PLX_PAGE_SIZE);
	close(fd);
}

static void check_memory(struct examination *ex)
{
	uint64_t nbytes = host_memory_bytes(ex->root);

	if (!nbytes)
		find(ex, FINDING_WARNING, "memory", "nobody says how much there is");
	else if (nbytes < 2 * MEMORY_DEFAULT)
		find(ex, FINDING_WARNING, "memory", "%" PRIu64 "M; run guests with --memory=%" PRIu64 "M or less", nbytes >> 20,
		     nbytes >> 21);
	else
		find(ex, FINDING_OK, "memory", "%" PRIu64 "M", nbytes >> 20);
}

/* ---- processor -------------------------------------------------------------------------------- */

static void check_processor(struct examination *ex)
{
	unsigned int eax, ebx = 0, ecx = 0, edx = 0;
	bool bmi2 = false, erms = false, xsave = false, fxsr = false;
	bool fsgsbase = getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE;

	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
		fxsr = edx & bit_FXSAVE;
		xsave = ecx & bit_OSXSAVE;
	}
	if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
		bmi2 = ebx & bit_BMI2;
		erms = ebx & 1u << 9;
	}
	if (!fxsr)
		find(ex, FINDING_MISSING, "processor", "no FXSR");
	find(ex, FINDING_OK, "processor", "fsgsbase %s, bmi2 %s, erms %s, xsave %s%s", fsgsbase ? "yes" : "no",
	     bmi2 ? "yes" : "no", erms ? "yes" : "no", xsave ? "yes" : "no",
	     fsgsbase && bmi2 && erms && xsave ? "" : " (what is not there only costs speed)");
}

/* ---- the other host ---------------------------------------------------------------------------- */

/* Nobody needs it: `plexus run` does without. */
static void check_module(struct examination *ex)
{
	char text[512];
	int err = plx_host_module_check(text, sizeof(text));

	if (err == -ENOENT)
		find(ex, FINDING_OK, "module host", "no /dev/plexus, which only --host module needs (as root: modprobe plexus)");
	else
		find(ex, err ? FINDING_WARNING : FINDING_OK, "module host", "%s", text);
}

/* ---- permissions and packages ------------------------------------------------------------------- */

static void check_seccomp(struct examination *ex)
{
	char path[512], line[512];
	int mode = -1;
	FILE *status;

	snprintf(path, sizeof(path), "%s/proc/self/status", ex->root);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Seccomp: %d", &mode) == 1)
			break;
	if (status)
		fclose(status);
	if (mode < 0)
		find(ex, FINDING_WARNING, "seccomp", "unknown; /proc/self/status does not tell");
	else if (mode)
		find(ex, FINDING_WARNING, "seccomp",
		     "a filter is on (a container's, most likely); what it forbids shows in the other lines");
	else
		find(ex, FINDING_OK, "seccomp", "no filter");
}

static void check_firmware(struct examination *ex)
{
	struct firmware rom = { .data = NULL }, vga = { .data = NULL };
	char why[4400];

	if (firmware_read(FIRMWARE_SYSTEM, NULL, ex->root, &rom, why, sizeof(why)) ||
	    firmware_read(FIRMWARE_VGA, NULL, ex->root, &vga, why, sizeof(why)))
		find(ex, FINDING_WARNING, "firmware", "%s", why);
	else
		find(ex, FINDING_OK, "firmware", "%s and %s", rom.path, vga.path);
	free(rom.data);
	free(vga.data);
}

bool doctor_examine(FILE *out, const char *root)
{
	struct examination ex = { .out = out, .root = root };

	check_kernel(&ex);
	check_ldt(&ex);
	check_min_addr(&ex);
	check_low_space(&ex);
	check_memfd(&ex);
	check_map_count(&ex);
	check_memory(&ex);
	check_processor(&ex);
	check_seccomp(&ex);
	check_module(&ex);
	check_firmware(&ex);
	return !ex.missing;
}

static const char help[] =
	"Usage: plexus doctor\n"
	"Tries what Plexus needs of this host, and prints a line each: ok, warning (slower, or less room) or MISSING (no guest\n"
	"runs), what was found, and what to do about it.\n"
	"\n"
	"Exit status: 0 guests can run, 1 something is missing, 2 the command line was wrong.\n";

int command_doctor(int argc, char **argv)
{
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		if (!fflush(stdout))
			return STATUS_OK;
		say("standard output cannot be written");
		return STATUS_FAILED;
	}
	if (argc > 1) {
		say("doctor takes no argument, not even '%s'", argv[1]);
		return STATUS_USAGE;
	}
	if (!doctor_examine(stdout, "")) {
		fflush(stdout);
		say("this host cannot run guests until what is MISSING above is mended");
		return STATUS_FAILED;
	}
	return fflush(stdout) ? STATUS_FAILED : STATUS_OK;
}
