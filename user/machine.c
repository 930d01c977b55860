/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/machine.c - opens what the options name and builds the PC from it.
 *
 * Asked by:  user/run.c; machine_power_on also by the processor's thread, at a reset.
 * Asks:      include/plexus/plexus.h, devices/pc.h, guest-bios/, user/ring.h.
 * Order:     what a person may have got wrong is found first (files, memory), before the engine takes anything.
 * Tested by: tests/unit/test_run.c.
 */
#define _GNU_SOURCE			/* posix_openpt and friends */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "guest-bios/firmware.h"
#include "guest-bios/linux_loader.h"
#include "user/machine.h"
#include "user/say.h"

/* Room behind RAM for the system ROM (4 MiB at most) and video memory. The object is sparse: what is not used costs nothing. */
#define EXTRA_BYTES (32ull << 20)

PLX_PRINTF(4, 5)
static int refuse(int err, char *why, size_t why_bytes, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, why_bytes, fmt, args);
	va_end(args);
	return err;
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * DEV_NS_PER_S + (uint64_t)now.tv_nsec;
}

/* ---- called by the devices, in whatever process they run ------------------------------------ */

static uint64_t clock_now_ns(void *owner)
{
	const struct machine_shared *shared = owner;

	return monotonic_ns() - shared->start_ns;
}

static int64_t clock_wall_s(void *owner)
{
	(void)owner;
	return (int64_t)time(NULL);
}

static void wake_events(void *owner)
{
	wake_poke(owner);
}

/* The guest may ask for the same sector a thousand times: the first failure is told, the guest's log has the others. */
static void note_host_error(void *owner, unsigned int disk, const char *what, uint64_t sector, int error)
{
	struct machine_shared *shared = owner;
	struct machine_host_error *e = &shared->host_error;
	unsigned int none = 0;

	(void)sector;
	if (!__atomic_compare_exchange_n(&e->state, &none, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	e->disk = disk;
	e->what = what;
	e->error = error;
	__atomic_store_n(&e->state, 2, __ATOMIC_RELEASE);
	wake_poke(&shared->events);
}

/* ---- building -------------------------------------------------------------------------------- */

static int check_memory(const struct run_options *o, char *why, size_t why_bytes)
{
	uint64_t host = host_memory_bytes("");

	if (host && o->memory_bytes > host)
		return refuse(-ENOMEM, why, why_bytes, "--memory: %lluM is more than this host has or allows (%lluM)",
			      (unsigned long long)(o->memory_bytes >> 20), (unsigned long long)(host >> 20));
	return 0;
}

static int map_kernel(struct machine *m, char *why, size_t why_bytes)
{
	const struct run_options *o = m->options;
	int err = 0;

	if (o->kernel)
		err = host_file_map(&m->kernel, o->kernel, why, why_bytes);
	if (!err && o->initrd)
		err = host_file_map(&m->initrd, o->initrd, why, why_bytes);
	if (!err && o->initrd && !m->initrd.nbytes)
		err = refuse(-EINVAL, why, why_bytes, "%s: is empty, and no initial RAM disk", o->initrd);
	return err;
}

static int create_vm(struct machine *m, char *why, size_t why_bytes)
{
	const struct run_options *o = m->options;
	const struct plx_vm_config config = {
		.host = o->host,
		.descriptor_tables_guest = o->descriptor_tables_guest,
		.monitor_high = o->monitor_high,
		.ram_bytes = o->memory_bytes,
		.extra_bytes = EXTRA_BYTES,
		.rewrite = o->rewrite,
		.host_features = o->host_features,
		.count_instructions = o->count,
	};
	int err = plx_vm_create(&config, &m->vm);

	if (err) {
		m->vm = NULL;
		return refuse(err, why, why_bytes, "%s", plx_vm_error(NULL));
	}
	m->shared = plx_vm_alloc(m->vm, sizeof(*m->shared));
	if (!m->shared)
		return refuse(-ENOMEM, why, why_bytes, "out of memory");
	for (unsigned int i = 0; i < PC_MAX_DISKS; i++)
		m->shared->disk[i].file.fd = m->shared->disk[i].overlay.fd = -1;
	m->shared->output.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	m->shared->events.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (m->shared->output.fd < 0 || m->shared->events.fd < 0)
		return refuse(-errno, why, why_bytes, "no event descriptor: %s", strerror(errno));
	m->shared->start_ns = monotonic_ns();
	return 0;
}

static int open_disk(struct machine *m, unsigned int i, char *why, size_t why_bytes)
{
	struct machine_disk *disk = &m->shared->disk[i];
	bool snapshot = m->options->snapshot;
	void *bitmap;
	int err;

	err = block_file_open(&disk->file, m->options->disk[i], snapshot ? BLOCK_FILE_READ_ONLY : 0,
			      snapshot ? &disk->file_ops : &disk->ops, why, why_bytes);
	if (err || !snapshot)
		return err;
	bitmap = plx_vm_alloc(m->vm, block_overlay_bitmap_bytes(disk->file_ops.nsectors));
	if (!bitmap)
		return refuse(-ENOMEM, why, why_bytes, "%s: not enough memory to keep account of so large an image; run it without --snapshot", m->options->disk[i]);
	return block_overlay_open(&disk->overlay, &disk->file_ops, bitmap, NULL, &disk->ops, why, why_bytes);
}

/* ---- the first sector: what a person may have got wrong about an image ---- */

static uint32_t le32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static bool has_signature(const uint8_t *sector)
{
	return sector[510] == 0x55 && sector[511] == 0xaa;
}

/* The sector behind the last partition; 0 when there is no partition table (boot code may stand in its place). */
static uint64_t partitions_end(const uint8_t *sector)
{
	uint64_t end = 0;

	if (!has_signature(sector))
		return 0;
	for (const uint8_t *entry = sector + 446; entry < sector + 510; entry += 16) {
		uint64_t start = le32(entry + 8), count = le32(entry + 12);

		if ((entry[0] & 0x7f) || (entry[4] && (!start || !count)))
			return 0;	/* no table would have that */
		/* EEh stands in for a GPT: its size says little. */
		if (entry[4] && entry[4] != 0xee && start + count > end)
			end = start + count;
	}
	return end;
}

static int check_first_sector(struct machine *m, unsigned int i, char *why, size_t why_bytes)
{
	const struct run_options *o = m->options;
	const struct block_ops *ops = &m->shared->disk[i].ops;
	uint8_t sector[512];
	uint64_t end;
	int err = ops->read(ops->owner, 0, sector, 1);

	if (err)
		return refuse(err, why, why_bytes, "%s: cannot be read: %s", o->disk[i], strerror(-err));
	end = partitions_end(sector);
	if (end > ops->nsectors)
		return refuse(-EINVAL, why, why_bytes, "%s is cut short: its partitions end at sector %llu, the file has %llu; "
			      "get the whole image, or make up for the rest with zeroes: \"truncate -s %llu %s\"", o->disk[i],
			      (unsigned long long)end, (unsigned long long)ops->nsectors, (unsigned long long)end * 512, o->disk[i]);
	/* A firmware of the user's own may start something else. */
	m->nothing_to_start |= i == 0 && !o->kernel && !o->firmware && !has_signature(sector);
	return 0;
}

static struct ring *new_ring(struct machine *m)
{
	void *memory = plx_vm_alloc(m->vm, sizeof(struct ring));

	return memory ? ring_init(memory, &m->shared->output) : NULL;
}

static int open_output_file(struct outlet *outlet, struct ring *ring, const char *option, const char *path, char *why,
			    size_t why_bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);

	if (fd < 0)
		return refuse(-errno, why, why_bytes, "%s: %s: cannot be written: %s", option, path,
			      errno == ENXIO ? "it is a pipe that nobody reads" : strerror(errno));
	*outlet = (struct outlet){ .ring = ring, .fd = fd, .own_fd = true, .name = path };
	return 0;
}

static int open_pty(struct machine *m, struct ring *ring, char *why, size_t why_bytes)
{
	struct termios mode;
	char name[128];
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, name, sizeof(name)) ||
	    (m->pty_slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
		int err = errno;

		if (fd >= 0)
			close(fd);
		return refuse(-err, why, why_bytes, "--serial: no pseudo-terminal: %s", strerror(err));
	}
	/* Bytes pass as they are: no echo of what the guest says, no translation of line ends. */
	if (tcgetattr(m->pty_slave, &mode) == 0) {
		cfmakeraw(&mode);
		tcsetattr(m->pty_slave, TCSANOW, &mode);
	}
	m->serial = (struct outlet){ .ring = ring, .fd = fd, .own_fd = true, .name = "serial port" };
	m->serial_in = fd;
	say("the serial port is %s", name);
	return 0;
}

static int open_serial(struct machine *m, char *why, size_t why_bytes)
{
	const struct run_options *o = m->options;
	struct ring *ring;

	if (o->serial == SERIAL_NONE)
		return 0;
	ring = new_ring(m);
	if (!ring)
		return refuse(-ENOMEM, why, why_bytes, "out of memory for the serial port");
	switch (o->serial) {
	case SERIAL_STDIO:
		outlet_adopt(&m->serial, ring, STDOUT_FILENO, "standard output");
		m->serial_in = STDIN_FILENO;
		return 0;
	case SERIAL_FILE:
		return open_output_file(&m->serial, ring, "--serial", o->serial_path, why, why_bytes);
	default:
		return open_pty(m, ring, why, why_bytes);
	}
}

static int open_debug_console(struct machine *m, char *why, size_t why_bytes)
{
	struct ring *ring;

	if (!m->options->debug_console)
		return 0;
	ring = new_ring(m);
	if (!ring)
		return refuse(-ENOMEM, why, why_bytes, "out of memory for the debug console");
	return open_output_file(&m->debug, ring, "--debug-console", m->options->debug_console, why, why_bytes);
}

/* ROMs are handed over by address and read by the devices for as long as the machine lives: into shared memory with them. */
static int share_rom(struct machine *m, struct firmware *fw, const void **data, uint32_t *nbytes, char *why, size_t why_bytes)
{
	void *copy = plx_vm_alloc(m->vm, fw->nbytes);

	if (!copy)
		return refuse(-ENOMEM, why, why_bytes, "%s: out of memory", fw->path);
	memcpy(copy, fw->data, fw->nbytes);
	*data = copy;
	*nbytes = fw->nbytes;
	return 0;
}

static int create_pc(struct machine *m, struct firmware *rom, struct firmware *vga, char *why, size_t why_bytes)
{
	const struct run_options *o = m->options;
	struct acpi_files *acpi = &m->shared->acpi;
	struct pc_config config = {
		.vm = m->vm,
		.ram_bytes = o->memory_bytes,
		.now_ns = clock_now_ns, .clock_owner = m->shared,
		.wall_s = clock_wall_s,
		.wake_events = wake_events, .wake_owner = &m->shared->events,
		.host_error = note_host_error, .host_error_owner = m->shared,
		.has_vga = !o->no_vga,
	};
	int err;

	for (unsigned int i = 0; i < o->ndisks; i++)
		config.disk[i] = &m->shared->disk[i].ops;
	if (m->serial.ring)
		config.serial[0] = (struct char_sink){ .write = ring_put, .owner = m->serial.ring };
	if (m->debug.ring)
		config.debug_console = (struct char_sink){ .write = ring_put, .owner = m->debug.ring };
	if (rom->data) {
		err = share_rom(m, rom, &config.firmware, &config.firmware_bytes, why, why_bytes);
		if (err)
			return err;
	}
	if (vga->data) {
		err = share_rom(m, vga, &config.vga_rom, &config.vga_rom_bytes, why, why_bytes);
		if (err)
			return err;
	}
	acpi_build(acpi);
	config.fwcfg[0] = (struct pc_fwcfg_file){ ACPI_FILE_RSDP, acpi->rsdp, acpi->rsdp_bytes, false };
	config.fwcfg[1] = (struct pc_fwcfg_file){ ACPI_FILE_TABLES, acpi->tables, acpi->tables_bytes, false };
	config.fwcfg[2] = (struct pc_fwcfg_file){ ACPI_FILE_SCRIPT, acpi->script, acpi->script_bytes, false };

	err = pc_create(&config, &m->pc);
	if (err) {
		m->pc = NULL;
		return refuse(err, why, why_bytes, "the machine cannot be built: %s", strerror(-err));
	}
	return 0;
}

static int build_with_roms(struct machine *m, struct firmware *rom, struct firmware *vga, char *why, size_t why_bytes)
{
	const struct run_options *o = m->options;
	int err = check_memory(o, why, why_bytes);

	if (!err)
		err = map_kernel(m, why, why_bytes);
	if (!err && !o->kernel)
		err = firmware_read(FIRMWARE_SYSTEM, o->firmware, "", rom, why, why_bytes);
	if (!err && !o->kernel && !o->no_vga)
		err = firmware_read(FIRMWARE_VGA, o->vga_rom, "", vga, why, why_bytes);
	/* A kernel by itself runs no ROM, but its text is drawn with one's font. Without it a screenshot shows no letters; that is all. */
	if (!err && o->kernel && !o->no_vga && firmware_read(FIRMWARE_VGA, NULL, "", vga, why, why_bytes))
		why[0] = '\0';
	if (!err)
		err = create_vm(m, why, why_bytes);
	for (unsigned int i = 0; !err && i < o->ndisks; i++)
		err = open_disk(m, i, why, why_bytes);
	for (unsigned int i = 0; !err && i < o->ndisks; i++)
		err = check_first_sector(m, i, why, why_bytes);
	if (!err)
		err = open_serial(m, why, why_bytes);
	if (!err)
		err = open_debug_console(m, why, why_bytes);
	if (!err)
		err = create_pc(m, rom, vga, why, why_bytes);
	if (!err)
		err = machine_power_on(m, why, why_bytes);
	return err;
}

int machine_build(struct machine *m, const struct run_options *options, char *why, size_t why_bytes)
{
	struct firmware rom = { .data = NULL }, vga = { .data = NULL };
	int err;

	*m = (struct machine){ .options = options, .serial_in = -1, .pty_slave = -1 };
	err = build_with_roms(m, &rom, &vga, why, why_bytes);
	free(rom.data);
	free(vga.data);
	return err;
}

/* Through the engine and not through the host's view: at a reset there are fragments of the code that is overwritten. */
static void write_ram(void *owner, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	plx_vm_dma_write(owner, gpa, buf, nbytes);
}

static int place_acpi(struct machine *m, uint32_t *rsdp_gpa, char *why, size_t why_bytes)
{
	uint8_t *area = calloc(1, ACPI_AREA_BYTES);
	int err;

	if (!area)
		return refuse(-ENOMEM, why, why_bytes, "out of memory for the ACPI tables");
	/* No firmware has opened the BIOS area: the tables go where RAM answers. */
	err = plx_vm_map(m->vm, ACPI_AREA_GPA, ACPI_AREA_BYTES, ACPI_AREA_GPA, PLX_MAP_RAM);
	if (err) {
		free(area);
		return refuse(err, why, why_bytes, "%s", plx_vm_error(m->vm));
	}
	*rsdp_gpa = acpi_place(&m->shared->acpi, area);
	plx_vm_dma_write(m->vm, ACPI_AREA_GPA, area, ACPI_AREA_BYTES);
	free(area);
	return 0;
}

int machine_power_on(struct machine *m, char *why, size_t why_bytes)
{
	const struct linux_ram ram = { .nbytes = m->options->memory_bytes, .write = write_ram, .owner = m->vm };
	struct linux_boot boot = {
		.kernel = m->kernel.data, .kernel_bytes = m->kernel.nbytes,
		.initrd = m->initrd.data, .initrd_bytes = m->initrd.nbytes,
		.cmdline = m->options->append,
		.text_screen = !m->options->no_vga,
	};
	struct plx_flat_start start;
	char fragment[256];
	int err;

	if (!m->options->kernel)
		return 0;
	err = place_acpi(m, &boot.rsdp_gpa, why, why_bytes);
	if (err)
		return err;
	err = linux_load(&ram, &boot, &start, fragment, sizeof(fragment));
	if (err)
		return refuse(err, why, why_bytes, "%s: %s", m->options->kernel, fragment);
	plx_vm_start_flat(m->vm, &start);
	return 0;
}

uint64_t machine_now_ns(const struct machine *m)
{
	return clock_now_ns(m->shared);
}

int machine_flush_disks(struct machine *m, char *why, size_t why_bytes)
{
	int first_err = 0;

	for (unsigned int i = 0; i < m->options->ndisks; i++) {
		const struct block_ops *ops = &m->shared->disk[i].ops;
		int err = ops->flush && !ops->read_only ? ops->flush(ops->owner) : 0;

		if (err && !first_err)
			first_err = refuse(err, why, why_bytes, "%s: what was written last may be lost: %s", m->options->disk[i],
					   strerror(-err));
	}
	return first_err;
}

void machine_tell_host_error(struct machine *m)
{
	struct machine_host_error *e = &m->shared->host_error;

	if (__atomic_load_n(&e->state, __ATOMIC_ACQUIRE) != 2)
		return;
	e->state = 3;
	say("%s: could not be %s: %s; the guest sees a disk error (later ones are not told here)",
	    m->options->disk[e->disk], e->what, strerror(-e->error));
}

void machine_close(struct machine *m)
{
	outlet_finish(&m->serial, OUTPUT_PATIENCE_MS);
	outlet_finish(&m->debug, OUTPUT_PATIENCE_MS);
	if (m->pty_slave >= 0)
		close(m->pty_slave);
	m->pty_slave = m->serial_in = -1;
	if (m->shared) {
		for (unsigned int i = 0; i < PC_MAX_DISKS; i++) {
			struct machine_disk *disk = &m->shared->disk[i];

			if (disk->overlay.fd >= 0)
				block_overlay_close(&disk->overlay);
			if (disk->file.fd >= 0)
				block_file_close(&disk->file);
		}
		if (m->shared->output.fd > 0)
			close(m->shared->output.fd);
		if (m->shared->events.fd > 0)
			close(m->shared->events.fd);
		m->shared = NULL;
	}
	if (m->vm)
		plx_vm_destroy(m->vm);
	m->vm = NULL;
	m->pc = NULL;
	host_file_unmap(&m->kernel);
	host_file_unmap(&m->initrd);
}
