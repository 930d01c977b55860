/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host/host.h - what a host is to include/plexus/plexus.h: a struct plx_vm of its own that begins with this head.
 *
 *      user/, devices/ --plx_vm_...--> host/vm.c --ops--> host-process/vm.c        (this process)
 *                                                   +---> host-module/client/vm.c  (/dev/plexus)
 *
 * It stands in a folder of its own, under both hosts, because each of them includes it and neither may know the other; and
 * it is no public header, because nobody above the API may tell the hosts apart.
 *
 * Each function is one of plexus.h, with its contract: what is said there of threads and of the FPU holds here.
 * Asked by:  host/vm.c; the hosts.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "plexus/plexus.h"

struct plx_sites;
struct plx_trace;
struct plx_cover;
struct plexus_registers;

#define HOST_ERROR_MAX 256

struct plx_vm_ops {
	void (*destroy)(struct plx_vm *vm);
	void *(*alloc)(struct plx_vm *vm, size_t nbytes);
	void (*host_call)(struct plx_vm *vm);
	uint8_t *(*ram)(struct plx_vm *vm);
	int (*map)(struct plx_vm *vm, uint32_t gpa, uint64_t nbytes, uint64_t offset, int kind);
	void (*dma_read)(struct plx_vm *vm, uint32_t gpa, void *buf, uint32_t nbytes);
	void (*dma_write)(struct plx_vm *vm, uint32_t gpa, const void *buf, uint32_t nbytes);
	void (*set_a20)(struct plx_vm *vm, bool open);
	enum plx_exit (*run)(struct plx_vm *vm);
	void (*set_intr)(struct plx_vm *vm, bool level);
	void (*pulse_nmi)(struct plx_vm *vm);
	void (*stop)(struct plx_vm *vm);
	void (*request_reset)(struct plx_vm *vm);
	void (*child_died)(struct plx_vm *vm);
	void (*reset_cpu)(struct plx_vm *vm);
	void (*start_flat)(struct plx_vm *vm, const struct plx_flat_start *start);
	/* False: it cannot be asked now, and the error says why. */
	bool (*registers)(struct plx_vm *vm, struct plexus_registers *to);
	/* The engine's numbers, as engine_stat_values() of monitor/stats.h gives them. */
	size_t (*stat_values)(struct plx_vm *vm, uint64_t *values, size_t max);
	const struct plx_sites *(*sites)(struct plx_vm *vm, bool every);
	struct plx_trace *(*trace)(struct plx_vm *vm, uint32_t entries, bool wait);
	void (*trace_collect)(struct plx_vm *vm);	/* NULL: it is done without asking */
	const struct plx_cover *(*cover)(struct plx_vm *vm);
};

/* The first member of every host's struct plx_vm. */
struct plx_vm_head {
	const struct plx_vm_ops *ops;
	const struct plx_machine_ops *machine_ops;
	void *machine;
	uint64_t start_ns, start_ticks;	/* when it was made, by CLOCK_MONOTONIC and by the time-stamp counter */
	char error[HOST_ERROR_MAX];
};

/* vm.c: fills the head; and the last error as one sentence. Returns @err. */
void host_head_init(struct plx_vm_head *head, const struct plx_vm_ops *ops);
int host_error(struct plx_vm_head *head, int err, const char *format, ...) PLX_PRINTF(3, 4);

/* The hosts. 0, or -errno and one sentence in @why. @config was looked at by plx_vm_create. */
int hp_vm_create(const struct plx_vm_config *config, struct plx_vm **vm, char *why, size_t why_bytes);
int hm_vm_create(const struct plx_vm_config *config, struct plx_vm **vm, char *why, size_t why_bytes);

/* features.c: --host-features. Bits of HOST_FEATURE_*: those that @list ("-lahf,-fsgsbase", NULL for none) takes away. */
#define HOST_FEATURE_FSGSBASE	0x1u
#define HOST_FEATURE_LAHF	0x2u
#define HOST_FEATURE_CODE16	0x4u	/* 16-bit code and stacks run natively; else they are interpreted */
int host_features_parse(const char *list, uint32_t *off, char *why, size_t why_bytes);

/* registers.c: text for people, always NUL-terminated. */
void host_print_registers(const struct plexus_registers *r, char *buf, size_t nbytes);

static inline uint64_t host_rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

#endif
