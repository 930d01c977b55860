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
 *      record.c   sites, traces and coverage, out of the monitor's own memory
 *      run.c      PLEXUS_RUN, again and again, and what it comes back with
 *      calls.c    the four system calls, in a table: a test puts its own there and plays the kernel
 */
#ifndef HOST_MODULE_CLIENT_CLIENT_H
#define HOST_MODULE_CLIENT_CLIENT_H

#include "host/host.h"
#include "plexus/plexus-abi.h"
#include "plexus/trace.h"

/* Each returns -errno if it fails. */
struct hm_calls {
	int (*open)(void *owner, const char *path);
	void (*close)(void *owner, int fd);
	int (*ioctl)(void *owner, int fd, unsigned long call, void *arg);
	int (*map)(void *owner, int fd, uint64_t offset, uint64_t nbytes, bool writable, void **at);	/* shared, readable */
	void (*unmap)(void *owner, void *at, uint64_t nbytes);
	/* The group that may open @path beside its owner; false: none, or nobody knows. */
	bool (*group)(void *owner, const char *path, char *name, size_t nbytes);
	void *owner;
};

extern const struct hm_calls hm_calls;

struct hm_block;

#define HM_MAPPINGS 5		/* of records: sites, three of a trace, coverage */

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
	struct hm_mapping {
		void *at;
		uint64_t nbytes;
	} mapping[HM_MAPPINGS];
	unsigned int nmappings;
	const struct plx_sites *sites;	/* NULL: nobody asked yet */
	bool every;			/* ... with the time of each callout */
	struct plx_trace trace;
};

/* The sentence has these words at its end wherever the module cannot be used. */
#define HM_ELSE "or use --host process"

/* device.c: a descriptor of a module that speaks our version, and what it says of itself; or -errno and one sentence. */
int hm_device_open(const struct hm_calls *calls, struct plexus_version *version, char *why, size_t why_bytes);
int hm_device_check(const struct hm_calls *calls, char *text, size_t nbytes);

/* vm.c */
int hm_vm_create_by(const struct hm_calls *calls, const struct plx_vm_config *config, struct plx_vm **vm, char *why, size_t why_bytes);
int hm_ioctl(struct plx_vm *vm, unsigned long call, void *arg);	/* again after a signal */

/* record.c: as plexus/sites.h, trace.h and coverage.h say */
const struct plx_sites *hm_sites(struct plx_vm *vm, bool every);
struct plx_trace *hm_trace(struct plx_vm *vm, uint32_t entries, bool wait);
const struct plx_cover *hm_cover(struct plx_vm *vm);

/* run.c */
enum plx_exit hm_run(struct plx_vm *vm);

#endif
