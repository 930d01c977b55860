/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/fake_machine.c - see fake_machine.h. Asked by: tests/unit/test_run.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/fake_machine.h"

struct fake_machine fake;

/* ---- the engine ----------------------------------------------------------------------------- */

static void *zeroed(size_t nbytes)
{
	void *memory = mmap(NULL, nbytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void *plx_vm_alloc(struct plx_vm *vm, size_t nbytes)
{
	(void)vm;
	return zeroed(nbytes);
}

int plx_vm_create(const struct plx_vm_config *config, struct plx_vm **vm)
{
	fake.vm_config = *config;
	if (fake.create_error)
		return -ENOSYS;
	fake.ram = zeroed(config->ram_bytes + config->extra_bytes);
	*vm = (struct plx_vm *)&fake;
	return fake.ram ? 0 : -ENOMEM;
}

void plx_vm_destroy(struct plx_vm *vm)
{
	(void)vm;
}

const char *plx_vm_error(const struct plx_vm *vm)
{
	if (!vm)
		return fake.create_error;
	return fake.error ? fake.error : "no error";
}

const struct plx_sites *plx_vm_sites(struct plx_vm *vm, bool every)
{
	(void)vm;
	fake.every = every;
	return &fake.sites;
}

int plx_vm_map(struct plx_vm *vm, uint32_t gpa, uint64_t nbytes, uint64_t offset, int kind)
{
	(void)vm;
	if (gpa == 0xe0000 && nbytes == 0x20000 && offset == 0xe0000 && kind == PLX_MAP_RAM)
		fake.mapped_bios_area++;
	return 0;
}

void plx_vm_dma_write(struct plx_vm *vm, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	(void)vm;
	memcpy(fake.ram + gpa, buf, nbytes);
}

enum plx_exit plx_vcpu_run(struct plx_vm *vm)
{
	(void)vm;
	fake.runs++;
	return fake.guest(&fake);
}

void plx_vm_stop(struct plx_vm *vm)
{
	(void)vm;
	atomic_store(&fake.stop, true);
}

void plx_vm_child_died(struct plx_vm *vm)
{
	(void)vm;
}

void plx_vm_reset_cpu(struct plx_vm *vm)
{
	(void)vm;
}

void plx_vm_start_flat(struct plx_vm *vm, const struct plx_flat_start *start)
{
	(void)vm;
	fake.start = *start;
	fake.flat_starts++;
}

int plx_host_module_check(char *text, size_t nbytes)
{
	snprintf(text, nbytes, "no module here");
	return -ENOENT;
}

void plx_vm_dump_registers(struct plx_vm *vm, char *buf, size_t nbytes)
{
	(void)vm;
	snprintf(buf, nbytes, "EAX=12345678 EIP=0000fff0");
}

size_t plx_vm_stats(struct plx_vm *vm, struct plx_stat *stats, size_t max)
{
	const struct plx_stat all[] = {
		{ "time", "guest", 1500000000 }, { "code", "fragments", 1234567 }, { "port", "engine", 1 },
	};

	(void)vm;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(all) && i < max; i++)
		stats[i] = all[i];
	return PLX_ARRAY_SIZE(all);
}

struct plx_trace *plx_vm_trace(struct plx_vm *vm, uint32_t entries, bool wait)
{
	(void)vm;
	fake.trace = zeroed(sizeof(*fake.trace));
	fake.trace->sums = zeroed(sizeof(*fake.trace->sums));
	fake.trace->control = zeroed(sizeof(*fake.trace->control));
	fake.trace->control->class_mask = ~0u;
	fake.trace->control->cpl_mask = 0xf;
	fake.trace->entries = entries;
	fake.trace->wait = wait;
	if (entries)
		fake.trace->ring = zeroed(plx_trace_ring_bytes(entries));
	return fake.trace;
}

void plx_vm_trace_collect(struct plx_vm *vm)
{
	(void)vm;
}

const struct plx_cover *plx_vm_cover(struct plx_vm *vm)
{
	(void)vm;
	fake.cover = zeroed(sizeof(*fake.cover) + 16 * sizeof(fake.cover->insn[0]));
	fake.cover->ninsns = 1;
	return fake.cover;
}

/* ---- the PC ----------------------------------------------------------------------------------- */

int pc_create(const struct pc_config *config, struct pc **pc)
{
	fake.config = *config;
	*pc = (struct pc *)&fake;
	return 0;
}

void pc_reset(struct pc *pc)
{
	(void)pc;
	fake.resets++;
}

uint64_t pc_deadline(struct pc *pc)
{
	(void)pc;
	return fake.deadline_every_ns ? fake.last_deadline_ns + fake.deadline_every_ns : DEV_NEVER;
}

void pc_advance(struct pc *pc, uint64_t now_ns)
{
	(void)pc;
	fake.last_deadline_ns = now_ns;
	atomic_fetch_add(&fake.advances, 1);
}

bool pc_serial_input(struct pc *pc, unsigned int port, uint8_t byte)
{
	uint32_t put = atomic_load(&fake.fifo_put);

	(void)pc;
	if (port || put - atomic_load(&fake.fifo_taken) == sizeof(fake.fifo))
		return false;
	fake.fifo[put % sizeof(fake.fifo)] = byte;
	atomic_store(&fake.fifo_put, put + 1);
	return true;
}

bool pc_key_scancode(struct pc *pc, uint8_t set1_byte)
{
	(void)pc;
	(void)set1_byte;
	return true;
}

void pc_power_button(struct pc *pc)
{
	(void)pc;
	atomic_fetch_add(&fake.power_button, 1);
}

void pc_break_lock(struct pc *pc)
{
	(void)pc;
}

bool pc_powered_off(const struct pc *pc)
{
	(void)pc;
	return atomic_load(&fake.powered_off);
}

void pc_text_screen(struct pc *pc, struct pc_text_screen *screen)
{
	(void)pc;
	memset(screen, 0, sizeof(*screen));
}

void pc_picture(struct pc *pc, uint32_t *width, uint32_t *height, uint8_t *rgb, size_t nbytes)
{
	(void)pc;
	*width = 4;
	*height = 2;
	if (rgb)
		memset(rgb, 0x80, nbytes < 24 ? nbytes : 24);
}

size_t pc_stats(struct pc *pc, struct plx_stat *stats, size_t max)
{
	(void)pc;
	if (max)
		stats[0] = (struct plx_stat){ "port", "devices", 2 };
	return 1;
}

/* ---- for guests --------------------------------------------------------------------------------- */

void guest_print(const char *text)
{
	const struct char_sink *sink = &fake.config.serial[0];

	while (*text && sink->write)
		sink->write(sink->owner, (uint8_t)*text++);
}

int guest_read(void)
{
	uint32_t taken = atomic_load(&fake.fifo_taken);
	int byte;

	while (atomic_load(&fake.fifo_put) == taken) {
		if (atomic_load(&fake.stop))
			return -1;
		usleep(200);
	}
	byte = fake.fifo[taken % sizeof(fake.fifo)];
	atomic_store(&fake.fifo_taken, taken + 1);
	return byte;
}

enum plx_exit guest_power_off(void)
{
	atomic_store(&fake.powered_off, true);
	return PLX_EXIT_STOP;
}

enum plx_exit guest_wait_for_stop(void)
{
	while (!atomic_load(&fake.stop))
		usleep(200);
	return PLX_EXIT_STOP;
}
