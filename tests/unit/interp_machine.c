/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/interp_machine.c - see interp_machine.h. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/interp_machine.h"

#define SCRATCH_BYTES 4096

static uint32_t port_in(void *machine, uint16_t port, unsigned int size)
{
	struct machine *m = machine;

	(void)size;
	m->port_reads++;
	m->port_last = port;
	return m->port_value;
}

static void port_out(void *machine, uint16_t port, unsigned int size, uint32_t value)
{
	struct machine *m = machine;

	(void)size;
	m->port_writes++;
	m->port_last = port;
	m->port_value = value;
}

/* In bulk the device counts upward, at most 100 elements at a time. */
static uint32_t port_ins(void *machine, uint16_t port, unsigned int size, void *buf, uint32_t count)
{
	struct machine *m = machine;

	m->bulk_calls++;
	m->port_last = port;
	count = plx_min32(count, 100);
	for (uint32_t i = 0; i < count; i++) {
		memcpy((uint8_t *)buf + i * size, &m->port_value, size);
		m->port_value++;
	}
	m->port_reads += count;
	return count;
}

static uint32_t port_outs(void *machine, uint16_t port, unsigned int size, const void *buf, uint32_t count)
{
	struct machine *m = machine;

	m->bulk_calls++;
	m->port_last = port;
	m->port_writes += count;
	m->port_value = 0;
	memcpy(&m->port_value, (const uint8_t *)buf + (count - 1) * size, size);
	return count;
}

static uint32_t mmio_read(void *machine, uint32_t gpa, unsigned int size)
{
	struct machine *m = machine;

	(void)gpa;
	(void)size;
	m->mmio_reads++;
	return m->mmio_last;
}

static void mmio_write(void *machine, uint32_t gpa, unsigned int size, uint32_t value)
{
	struct machine *m = machine;

	(void)gpa;
	(void)size;
	m->mmio_writes++;
	m->mmio_last = value;
}

static int intack(void *machine)
{
	(void)machine;
	return -1;
}

static const struct mon_io_ops io_ops = {
	.in = port_in, .out = port_out, .ins = port_ins, .outs = port_outs,
	.mmio_read = mmio_read, .mmio_write = mmio_write, .intack = intack,
};

static void scratch_create(struct mon_native *native)
{
	int fd = memfd_create("scratch", 0);
	void *w, *x;

	if (fd < 0 || ftruncate(fd, SCRATCH_BYTES))
		abort();
	w = mmap(NULL, SCRATCH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	x = mmap(NULL, SCRATCH_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (w == MAP_FAILED || x == MAP_FAILED)
		abort();
	close(fd);
	mon_native_init(native, w, x, SCRATCH_BYTES);
}

static uint32_t host_mxcsr_mask(void)
{
	static uint8_t image[512] __attribute__((aligned(16)));
	uint32_t mask;

	__asm__ volatile("fxsave %0" : "=m" (image));
	memcpy(&mask, image + 28, 4);
	return mask;
}

struct machine *machine_create(void)
{
	struct machine *m = aligned_alloc(64, (sizeof(*m) + 63) & ~(size_t)63);

	if (!m)
		abort();
	memset(m, 0, sizeof(*m));
	m->vm.ram = calloc(1, MACHINE_RAM_BYTES);
	m->vm.ram_bytes = MACHINE_RAM_BYTES;
	m->vm.page = calloc(1 << 20, sizeof(*m->vm.page));
	if (!m->vm.ram || !m->vm.page)
		abort();
	for (uint64_t at = 0; at < MACHINE_RAM_BYTES; at += PLX_PAGE_SIZE)
		m->vm.page[at >> PLX_PAGE_SHIFT] = at | MON_PAGE_PRESENT;
	m->vm.io = &io_ops;
	m->vm.machine = m;
	m->vm.a20_mask = ~0u;
	memset(&m->features, 0xff, sizeof(m->features));
	m->features.fxsr_mask = host_mxcsr_mask();
	m->vm.features = &m->features;
	m->v.vm = &m->vm;
	m->v.fpu_area = m->fpu;
	m->v.native_page = &m->native;
	scratch_create(&m->native);
	mon_reset(&m->v);
	mon_fpu_reset(&m->v);
	return m;
}

void machine_destroy(struct machine *m)
{
	munmap(m->native.code_w, SCRATCH_BYTES);
	munmap((void *)(uintptr_t)m->native.code_x, SCRATCH_BYTES);
	free(m->vm.ram);
	free(m->vm.page);
	free(m);
}

void machine_real(struct machine *m)
{
	mon_reset(&m->v);
	for (unsigned int s = 0; s < 6; s++)
		mon_seg_real(&m->v, s, 0);
	m->v.eip = 0x1000;
	m->v.gpr[X86_ESP] = 0x8000;
}

void machine_flat(struct machine *m)
{
	machine_real(m);
	m->v.cr0 |= X86_CR0_PE | X86_CR0_NE;
	m->v.cr4 |= X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	for (unsigned int s = 0; s < 6; s++)
		m->v.seg[s] = (struct mon_seg){
			.sel = s == X86_CS ? 8 : 16, .limit = ~0u,
			.attr = MON_SEG_P | MON_SEG_S | MON_SEG_G | MON_SEG_DB | (s == X86_CS ? 0xb : 3),
		};
	machine_put32(m, 0x808, 0x0000ffff);
	machine_put32(m, 0x80c, 0x00cf9b00);
	machine_put32(m, 0x810, 0x0000ffff);
	machine_put32(m, 0x814, 0x00cf9300);
	m->v.gdtr.base = 0x800;
	m->v.gdtr.limit = 0x1f;
	mon_tlb_flush(&m->v);
}

void machine_code(struct machine *m, uint32_t at, const void *bytes, uint32_t nbytes)
{
	memcpy(m->vm.ram + at, bytes, nbytes);
	m->v.eip = at;
}

uint32_t machine_get32(const struct machine *m, uint32_t gpa)
{
	uint32_t value;

	memcpy(&value, m->vm.ram + gpa, 4);
	return value;
}

void machine_put32(struct machine *m, uint32_t gpa, uint32_t value)
{
	memcpy(m->vm.ram + gpa, &value, 4);
}
