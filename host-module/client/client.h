/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/client/client.h - the module host as a program sees it: include/plexus/plexus.h over /dev/plexus.
 *
 *      host/vm.c --struct plx_vm_ops--> vm.c --ioctl--> plexus.ko
 *                                       run.c <-exits--    |
 *                                         |                +-- struct plexus_run and guest RAM, by mmap
 *                                         +--> struct plx_machine_ops, on the thread that runs
 *
 *      device.c   open, version, and why not
 *      vm.c       a machine: made, laid out, asked, ended
 *      run.c      PLEXUS_RUN, again and again, and what it comes back with
 *      calls.c    the four system calls, in a table: a test puts its own there and plays the kernel
 */
#ifndef HOST_MODULE_CLIENT_CLIENT_H
#define HOST_MODULE_CLIENT_CLIENT_H

#include "host/host.h"
#include "plexus/plexus-abi.h"

/* Each returns -errno if it fails. */
struct hm_calls {
	int (*open)(void *owner, const char *path);
	void (*close)(void *owner, int fd);
	int (*ioctl)(void *owner, int fd, unsigned long call, void *arg);
	int (*map)(void *owner, int fd, uint64_t offset, uint64_t nbytes, void **at);	/* shared, readable and writable */
	void (*unmap)(void *owner, void *at, uint64_t nbytes);
	/* The group that may open @path beside its owner; false: none, or nobody knows. */
	bool (*group)(void *owner, const char *path, char *name, size_t nbytes);
	void *owner;
};

extern const struct hm_calls hm_calls;

struct hm_block;

struct plx_vm {
	struct plx_vm_head head;
	const struct hm_calls *calls;
	int fd;
	struct plexus_run *run;
	uint8_t *ram;
	uint64_t ram_bytes;		/* of the whole object */
	uint32_t in_run;		/* a thread is in PLEXUS_RUN, or about to be: others must kick. Atomic */
	bool failed;			/* a call that cannot report failed; plx_vcpu_run does, head.error says how */
	struct hm_block *blocks;	/* plx_vm_alloc */
};

/* The sentence has these words at its end wherever the module cannot be used. */
#define HM_ELSE "or use --host process"

/* device.c: a descriptor of a module that speaks our version, and what it says of itself; or -errno and one sentence. */
int hm_device_open(const struct hm_calls *calls, struct plexus_version *version, char *why, size_t why_bytes);
int hm_device_check(const struct hm_calls *calls, char *text, size_t nbytes);

/* vm.c */
int hm_vm_create_by(const struct hm_calls *calls, const struct plx_vm_config *config, struct plx_vm **vm, char *why, size_t why_bytes);
int hm_ioctl(struct plx_vm *vm, unsigned long call, void *arg);	/* again after a signal */

/* run.c */
enum plx_exit hm_run(struct plx_vm *vm);

#endif
