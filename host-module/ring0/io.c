/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/io.c - from the monitor out to the machine's devices, which stand in user space: PLEXUS_RUN comes back there.
 *
 * The guest's FPU state stays in the processor; the kernel saves it around whatever runs meanwhile.
 */
#include "host-module/ring0/host.h"
#include "plexus/plexus-abi.h"

static uint32_t device(struct module_host *h, enum plexus_exit exit, uint32_t bytes, uint32_t address, uint32_t value)
{
	struct world_ctx *ctx = h->ctx;

	ctx->a[0] = exit;
	ctx->a[1] = bytes;
	ctx->a[2] = address;
	ctx->a[3] = value;
	ctx->a[4] = 1;
	ctx->a[5] = 0;
	world_call(h, REQUEST_DEVICE);
	return h->ctx->a[3];
}

static uint32_t io_in(void *host, uint16_t port, unsigned int size)
{
	return device(host, PLEXUS_EXIT_IN, size, port, 0);
}

static void io_out(void *host, uint16_t port, unsigned int size, uint32_t value)
{
	device(host, PLEXUS_EXIT_OUT, size, port, value);
}

/* Elements of a string instruction, in RAM where they stand, or by way of the bounce buffer. */
static uint32_t string(struct module_host *h, enum plexus_exit exit, uint16_t port, unsigned int size, void *buf, uint32_t count)
{
	struct world_ctx *ctx = h->ctx;
	uint64_t at = (uint64_t)buf, end = WORLD_RAM + h->vm.ram_bytes;
	bool in_ram = at >= WORLD_RAM && at < end;

	if (!in_ram && count > PLEXUS_RUN_DATA / size)
		count = PLEXUS_RUN_DATA / size;
	/* First, for it may have to ask for a page, with the same words. */
	if (!in_ram && exit == PLEXUS_EXIT_OUTS)
		memcpy(h->bounce, buf, (size_t)count * size);
	ctx->a[0] = exit;
	ctx->a[1] = size;
	ctx->a[2] = port;
	ctx->a[3] = 0;
	ctx->a[4] = count;
	ctx->a[5] = in_ram;
	ctx->q[0] = in_ram ? at - WORLD_RAM : 0;
	world_call(h, REQUEST_DEVICE);
	/* The device's word for how many: not to be believed beyond what was asked. */
	if (h->ctx->a[4] < count)
		count = h->ctx->a[4] ? h->ctx->a[4] : 1;
	if (!in_ram && exit == PLEXUS_EXIT_INS)
		memcpy(buf, h->bounce, (size_t)count * size);
	return count;
}

static uint32_t io_ins(void *host, uint16_t port, unsigned int size, void *buf, uint32_t count)
{
	return string(host, PLEXUS_EXIT_INS, port, size, buf, count);
}

static uint32_t io_outs(void *host, uint16_t port, unsigned int size, const void *buf, uint32_t count)
{
	return string(host, PLEXUS_EXIT_OUTS, port, size, (void *)(uintptr_t)buf, count);
}

static uint32_t io_mmio_read(void *host, uint32_t gpa, unsigned int size)
{
	struct module_host *h = host;

	h->vm.nr_mmio++;
	h->vm.mmio_gpa = gpa;
	h->vm.mmio_write = 0;
	h->vm.mmio_value = device(h, PLEXUS_EXIT_MMIO_READ, size, gpa, 0);
	return h->vm.mmio_value;
}

static void io_mmio_write(void *host, uint32_t gpa, unsigned int size, uint32_t value)
{
	struct module_host *h = host;

	h->vm.nr_mmio++;
	h->vm.mmio_gpa = gpa;
	h->vm.mmio_value = value;
	h->vm.mmio_write = 1;
	device(h, PLEXUS_EXIT_MMIO_WRITE, size, gpa, value);
}

static int io_intack(void *host)
{
	int vector = (int)device(host, PLEXUS_EXIT_INTACK, 4, 0, 0);

	return vector > 255 ? -1 : vector;
}

static bool io_ferr(void *host, bool level)
{
	return device(host, PLEXUS_EXIT_FERR, 4, 0, level) != 0;
}

void io_init(struct module_host *h)
{
	h->io = (struct mon_io_ops){
		.in = io_in, .out = io_out, .ins = io_ins, .outs = io_outs,
		.mmio_read = io_mmio_read, .mmio_write = io_mmio_write, .intack = io_intack,
		.ferr = io_ferr,
	};
	h->vm.io = &h->io;
	h->vm.machine = h;
}
