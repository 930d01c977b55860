/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/client/run.c - PLEXUS_RUN, again and again, and what it comes back with.
 *
 *      RUN --> in, out, ins, outs, mmio, intack, ferr --> the machine's function --> reply in the run page --+
 *       ^ |                                                                                                  |
 *       | +--> stop, reset, triple fault, error --> plx_vcpu_run returns                                     |
 *       +----------------------------------------------------------------------------------------------------+
 *
 * What the module says is looked at before it is believed as far as our own memory depends on it (sizes, offsets): a module of
 * another making must not make this program write where it should not.
 *
 * Asked by:  host/vm.c, on the processor's thread.
 * Tested by: tests/unit/test_module_client.c.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "host-module/client/client.h"

#define GO_ON (-1)

static int broken(struct plx_vm *vm, const char *what)
{
	vm->failed = true;
	host_error(&vm->head, -EPROTO, "plexus.ko asks for %s; this is a defect of Plexus, please report it", what);
	return PLX_EXIT_ERROR;
}

static uint32_t mask(uint32_t value, uint32_t nbytes)
{
	return nbytes == 4 ? value : value & ((1u << 8 * nbytes) - 1);
}

/* Where the elements of INS or OUTS stand. NULL: nowhere that is ours. */
static void *elements(struct plx_vm *vm, const struct plexus_run *r)
{
	uint64_t nbytes = (uint64_t)r->count * r->bytes;

	if (!r->in_ram)
		return nbytes <= sizeof(r->data) ? vm->run->data : NULL;
	if (r->ram_offset > vm->ram_bytes || nbytes > vm->ram_bytes - r->ram_offset)
		return NULL;
	return vm->ram + r->ram_offset;
}

static int string_port(struct plx_vm *vm, const struct plexus_run *r)
{
	const struct plx_machine_ops *ops = vm->head.machine_ops;
	uint16_t port = (uint16_t)r->address;
	void *at = elements(vm, r);
	uint32_t done;

	if (!at || !r->count)
		return broken(vm, "a string transfer that does not fit");
	if (r->exit == PLEXUS_EXIT_INS)
		done = ops->ins(vm->head.machine, port, r->bytes, at, r->count);
	else
		done = ops->outs(vm->head.machine, port, r->bytes, at, r->count);
	vm->run->value = vm->run->count = done;
	return GO_ON;
}

static int device(struct plx_vm *vm, const struct plexus_run *r)
{
	const struct plx_machine_ops *ops = vm->head.machine_ops;
	void *machine = vm->head.machine;
	uint16_t port = (uint16_t)r->address;

	if (r->bytes != 1 && r->bytes != 2 && r->bytes != 4)
		return broken(vm, "an access of an odd size");
	switch (r->exit) {
	case PLEXUS_EXIT_IN:
		vm->run->value = mask(ops->in(machine, port, r->bytes), r->bytes);
		return GO_ON;
	case PLEXUS_EXIT_OUT:
		ops->out(machine, port, r->bytes, mask(r->value, r->bytes));
		return GO_ON;
	case PLEXUS_EXIT_MMIO_READ:
		vm->run->value = mask(ops->mmio_read(machine, r->address, r->bytes), r->bytes);
		return GO_ON;
	case PLEXUS_EXIT_MMIO_WRITE:
		ops->mmio_write(machine, r->address, r->bytes, mask(r->value, r->bytes));
		return GO_ON;
	default:
		return string_port(vm, r);
	}
}

/* Stop and reset that were asked for when the module was not there to take them. */
static int stop_asked(struct plx_vm *vm)
{
	uint32_t stop = __atomic_exchange_n(&vm->run->stop, 0, __ATOMIC_SEQ_CST);

	if (stop & PLEXUS_STOP_QUIT)
		return PLX_EXIT_STOP;
	return stop & PLEXUS_STOP_RESET ? PLX_EXIT_RESET : GO_ON;
}

static int dispatch(struct plx_vm *vm)
{
	const struct plx_machine_ops *ops = vm->head.machine_ops;
	/* A copy without the data: what was looked at stays what it was. */
	struct plexus_run r;

	memcpy(&r, vm->run, offsetof(struct plexus_run, message));
	switch (r.exit) {
	case PLEXUS_EXIT_NONE:
		return stop_asked(vm);
	case PLEXUS_EXIT_IN:
	case PLEXUS_EXIT_OUT:
	case PLEXUS_EXIT_INS:
	case PLEXUS_EXIT_OUTS:
	case PLEXUS_EXIT_MMIO_READ:
	case PLEXUS_EXIT_MMIO_WRITE:
		return device(vm, &r);
	case PLEXUS_EXIT_INTACK:
		vm->run->value = (uint32_t)ops->intack(vm->head.machine);
		return GO_ON;
	case PLEXUS_EXIT_FERR:
		vm->run->value = ops->ferr ? ops->ferr(vm->head.machine, r.value != 0) : 1;
		return GO_ON;
	case PLEXUS_EXIT_STOP:
		return PLX_EXIT_STOP;
	case PLEXUS_EXIT_RESET:
		return PLX_EXIT_RESET;
	case PLEXUS_EXIT_TRIPLE_FAULT:
		return PLX_EXIT_TRIPLE_FAULT;
	case PLEXUS_EXIT_ERROR:
		vm->failed = true;
		host_error(&vm->head, -EIO, "%.*s", (int)sizeof(vm->run->message), (const char *)vm->run->message);
		return PLX_EXIT_ERROR;
	default:
		return broken(vm, "something that this program does not know");
	}
}

static int run_failed(struct plx_vm *vm, int err)
{
	switch (err) {
	case -EINTR:
		return stop_asked(vm);
	case -EIO:
		vm->failed = true;
		if (vm->run->message[0])
			host_error(&vm->head, err, "%.*s", (int)sizeof(vm->run->message), (const char *)vm->run->message);
		else
			host_error(&vm->head, err, "plexus.ko gave the machine up, and does not say why; look at dmesg");
		return PLX_EXIT_ERROR;
	case -EBUSY:
		host_error(&vm->head, err, "the machine runs in another thread already; this is a defect of Plexus, please report it");
		return PLX_EXIT_ERROR;
	case -ENOMEM:
		host_error(&vm->head, err, "the host has no memory left for the machine; give the guest less, or stop something else");
		return PLX_EXIT_ERROR;
	case -EOPNOTSUPP:
		host_error(&vm->head, err, "plexus.ko cannot run guests on this processor: the kernel's log says why (dmesg), " HM_ELSE);
		return PLX_EXIT_ERROR;
	default:
		host_error(&vm->head, err, "plexus.ko cannot run the machine: %s", strerror(-err));
		return PLX_EXIT_ERROR;
	}
}

static int turn(struct plx_vm *vm)
{
	int err;

	__atomic_store_n(&vm->in_run, 1, __ATOMIC_SEQ_CST);
	err = vm->calls->ioctl(vm->calls->owner, vm->fd, PLEXUS_RUN, NULL);
	__atomic_store_n(&vm->in_run, 0, __ATOMIC_SEQ_CST);
	return err < 0 ? run_failed(vm, err) : dispatch(vm);
}

enum plx_exit hm_run(struct plx_vm *vm)
{
	sigset_t block, old;
	int exit = GO_ON;

	/* As in the process host: signals are the event loop's, but for defects of our own, whose handlers restore the terminal. */
	sigfillset(&block);
	sigdelset(&block, SIGSEGV);
	sigdelset(&block, SIGBUS);
	sigdelset(&block, SIGFPE);
	sigdelset(&block, SIGILL);
	sigdelset(&block, SIGTRAP);
	pthread_sigmask(SIG_SETMASK, &block, &old);
	while (exit == GO_ON && !vm->failed)
		exit = turn(vm);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return vm->failed ? PLX_EXIT_ERROR : (enum plx_exit)exit;
}
