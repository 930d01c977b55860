/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/io.c - from the monitor out to the machine, with the processor made the host's own.
 *
 * Device code uses thread-local storage, so the host's FS is put back before each call, and the guest's loaded again on the
 * next entry. It does not use FPU or SIMD registers: devices/ and the callbacks that user/ hands in are compiled so and call nothing of
 * libc but system calls, so the guest's FPU state stays where it is. Who needs more calls plx_vm_host_call() first.
 */
#define _GNU_SOURCE
#include "host-process/process.h"

static void host_fs(struct plx_vm *vm)
{
	if (vm->vcpu->nexus.host_env)
		return;
	vm->set_fs(vm);
	vm->vcpu->nexus.host_env = true;
	vm->vcpu->nexus.load |= NX_LOAD_SS;
}

void hp_host_env(struct plx_vm *vm)
{
	mon_fpu_save(vm->vcpu);
	host_fs(vm);
}

void hp_host_call(struct plx_vm *vm)
{
	if (vm->running && pthread_equal(pthread_self(), vm->vcpu_thread))
		mon_fpu_save(vm->vcpu);
}

static uint32_t io_in(void *host, uint16_t port, unsigned int size)
{
	struct plx_vm *vm = host;

	host_fs(vm);
	return vm->head.machine_ops->in(vm->head.machine, port, size);
}

static void io_out(void *host, uint16_t port, unsigned int size, uint32_t value)
{
	struct plx_vm *vm = host;

	host_fs(vm);
	vm->head.machine_ops->out(vm->head.machine, port, size, value);
}

static uint32_t io_ins(void *host, uint16_t port, unsigned int size, void *buf, uint32_t count)
{
	struct plx_vm *vm = host;

	host_fs(vm);
	return vm->head.machine_ops->ins(vm->head.machine, port, size, buf, count);
}

static uint32_t io_outs(void *host, uint16_t port, unsigned int size, const void *buf, uint32_t count)
{
	struct plx_vm *vm = host;

	host_fs(vm);
	return vm->head.machine_ops->outs(vm->head.machine, port, size, buf, count);
}

static uint32_t io_mmio_read(void *host, uint32_t gpa, unsigned int size)
{
	struct plx_vm *vm = host;

	vm->vm.nr_mmio++;
	vm->vm.mmio_gpa = gpa;
	vm->vm.mmio_write = 0;
	host_fs(vm);
	vm->vm.mmio_value = vm->head.machine_ops->mmio_read(vm->head.machine, gpa, size);
	return vm->vm.mmio_value;
}

static void io_mmio_write(void *host, uint32_t gpa, unsigned int size, uint32_t value)
{
	struct plx_vm *vm = host;

	vm->vm.nr_mmio++;
	vm->vm.mmio_gpa = gpa;
	vm->vm.mmio_value = value;
	vm->vm.mmio_write = 1;
	host_fs(vm);
	vm->head.machine_ops->mmio_write(vm->head.machine, gpa, size, value);
}

static int io_intack(void *host)
{
	struct plx_vm *vm = host;

	host_fs(vm);
	return vm->head.machine_ops->intack(vm->head.machine);
}

static bool io_ferr(void *host, bool level)
{
	struct plx_vm *vm = host;

	host_fs(vm);
	return vm->head.machine_ops->ferr ? vm->head.machine_ops->ferr(vm->head.machine, level) : true;
}

void hp_io_init(struct plx_vm *vm)
{
	vm->io = (struct mon_io_ops){
		.in = io_in, .out = io_out, .ins = io_ins, .outs = io_outs,
		.mmio_read = io_mmio_read, .mmio_write = io_mmio_write, .intack = io_intack,
		.ferr = io_ferr,
	};
	vm->vm.io = &vm->io;
	vm->vm.machine = vm;
}
