/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * include/plexus/plexus.h - the one API of both hosts: a machine's memory, its processor, and running it.
 *
 * Asked by:  user/ and devices/pc.c. Implemented by host/vm.c, a door to host-process/ and to host-module/client/, which speaks
 *            include/plexus/plexus-abi.h to the kernel module.
 * The shape is KVM's: create a VM, lay out its memory, create a vCPU, run, handle exits. Port and memory-mapped I/O go
 * through struct plx_machine_ops instead of an exit, so that a host that has the device model a function call away can use it so.
 *
 * Errors: functions return 0 or -errno, and plx_vm_error() then gives one sentence that says what and what to do.
 * Threads: plx_vcpu_run belongs to one thread. plx_vcpu_kick, plx_irq_pending may be called from any.
 */
#ifndef PLEXUS_PLEXUS_H
#define PLEXUS_PLEXUS_H

#include "plexus/base.h"

struct plx_vm;

enum plx_rewrite { PLX_REWRITE_ADAPTIVE = 0, PLX_REWRITE_FARCALL, PLX_REWRITE_INT3, PLX_REWRITE_INTERPRET, PLX_REWRITE_GATE };

enum plx_host {
	PLX_HOST_PROCESS = 0,	/* in this process, without privilege */
	PLX_HOST_MODULE,	/* in ring 0, by plexus.ko behind /dev/plexus */
	PLX_HOST_AUTO,		/* the module if it is there, may be opened and is of our version; else the process */
};

struct plx_vm_config {
	enum plx_host host;
	uint64_t ram_bytes;		/* guest RAM, from address 0 (with no hole: at most 3.5 GiB), multiple of 1 MiB */
	uint64_t extra_bytes;		/* room behind it for ROMs and video memory, placed with plx_vm_map */
	enum plx_rewrite rewrite;
	const char *host_features;	/* "--host-features=" list such as "-lahf,-fsgsbase"; NULL: all there are */
	bool count_instructions;	/* costs some speed; plx_vm_stats then has the interpreter's share */
	bool descriptor_tables_guest;	/* module: the real descriptor tables stand where the guest believes its own to be */
	bool monitor_high;		/* module: the monitor stands above 4 GiB, not in the guest's linear space */
};

/* The machine around the processor. Sizes are 1, 2, 4. May be called with the machine's lock not held; called on the vCPU's
 * thread. ins/outs return how many elements they moved, at least 1. intack returns a vector or -1. */
struct plx_machine_ops {
	uint32_t (*in)(void *machine, uint16_t port, unsigned int size);
	void (*out)(void *machine, uint16_t port, unsigned int size, uint32_t value);
	uint32_t (*ins)(void *machine, uint16_t port, unsigned int size, void *buf, uint32_t count);
	uint32_t (*outs)(void *machine, uint16_t port, unsigned int size, const void *buf, uint32_t count);
	uint32_t (*mmio_read)(void *machine, uint32_t gpa, unsigned int size);
	void (*mmio_write)(void *machine, uint32_t gpa, unsigned int size, uint32_t value);
	int (*intack)(void *machine);
	/* FERR# (an x87 error while CR0.NE is 0) changes; also asked again while it is asserted. Returns whether IGNNE# is
	 * asserted. NULL: nothing is connected, and IGNNE# always is. */
	bool (*ferr)(void *machine, bool level);
};

enum plx_exit {
	PLX_EXIT_STOP,		/* plx_vm_stop was called (power-off, Ctrl-A x, signal) */
	PLX_EXIT_TRIPLE_FAULT,	/* the processor is in shutdown; plx_vm_reset_cpu starts it again */
	PLX_EXIT_RESET,		/* plx_vm_request_reset was called */
	PLX_EXIT_ERROR,		/* the host failed; plx_vm_error says how */
};

/* Memory that survives and is shared by every host process of this VM, at one address; zeroed, never freed
 * before plx_vm_destroy. Devices live here. NULL: out of memory. */
void *plx_vm_alloc(struct plx_vm *vm, size_t nbytes);

int plx_vm_create(const struct plx_vm_config *config, struct plx_vm **vm);
void plx_vm_destroy(struct plx_vm *vm);
/* 0 and in @text what the module is ("plexus.ko 0.1.0, up to ..."), or -errno and one sentence that says why it cannot be used. */
int plx_host_module_check(char *text, size_t nbytes);
/* The last error as one sentence; never NULL. With vm NULL: why plx_vm_create failed. */
const char *plx_vm_error(const struct plx_vm *vm);
/* The machine's functions, and all that they call, use general registers only (-mgeneral-regs-only) and nothing of libc but system-call
 * wrappers: the guest's FPU state is in the processor meanwhile. Code there that needs more (a message with snprintf, say) calls
 * plx_vm_host_call first; it costs some 100 ns, and nothing on other threads. */
void plx_vm_host_call(struct plx_vm *vm);
void plx_vm_set_machine(struct plx_vm *vm, const struct plx_machine_ops *ops, void *machine);

/* Host view of the RAM object: RAM at offset 0, then the extra bytes. */
uint8_t *plx_vm_ram(struct plx_vm *vm);
#define PLX_MAP_RAM	0	/* readable and writable */
#define PLX_MAP_ROM	1	/* readable; writes go to mmio_write */
#define PLX_MAP_NONE	2	/* device: all accesses go to mmio_read/mmio_write */
/* Say what guest physical [gpa, gpa + nbytes) is: pages of the RAM object from @offset. May be called while
 * the machine runs, from the vCPU's thread (PAM registers, VGA modes). Everything starts as PLX_MAP_NONE but RAM. */
int plx_vm_map(struct plx_vm *vm, uint32_t gpa, uint64_t nbytes, uint64_t offset, int kind);
/* DMA by devices: from the vCPU's thread, or while it does not run. */
void plx_vm_dma_read(struct plx_vm *vm, uint32_t gpa, void *buf, uint32_t nbytes);
void plx_vm_dma_write(struct plx_vm *vm, uint32_t gpa, const void *buf, uint32_t nbytes);
/* A20 gate: true = open (addresses pass unmasked). From the vCPU's thread. */
void plx_vm_set_a20(struct plx_vm *vm, bool open);

enum plx_exit plx_vcpu_run(struct plx_vm *vm);
/* INTR pin of the processor, driven by the PIC: level. NMI: edge. Any thread. */
void plx_set_intr(struct plx_vm *vm, bool level);
void plx_pulse_nmi(struct plx_vm *vm);
/* Make plx_vcpu_run return soon, with that exit. Any thread, also a signal handler. */
void plx_vm_stop(struct plx_vm *vm);
void plx_vm_request_reset(struct plx_vm *vm);
/* A child of this process died (SIGCHLD). If it was one of the VM's, plx_vcpu_run returns soon, with PLX_EXIT_ERROR. Any thread. */
void plx_vm_child_died(struct plx_vm *vm);
/* Processor back to power-on; memory and mappings stay. Between runs only. */
void plx_vm_reset_cpu(struct plx_vm *vm);

/* Start state for a kernel loaded without firmware (Linux 32-bit boot protocol): flat protected mode, paging off, interrupts off. */
struct plx_flat_start {
	uint32_t eip, esp, esi, gdt_base;	/* GDT: null, null, 10h code, 18h data, at gdt_base in RAM */
	uint16_t gdt_limit;
};
void plx_vm_start_flat(struct plx_vm *vm, const struct plx_flat_start *start);

/* Registers as text, for triple faults and debuggers: always NUL-terminated. */
void plx_vm_dump_registers(struct plx_vm *vm, char *buf, size_t nbytes);

/* Statistics: names and values as the engine counts them, in a fixed order. */
struct plx_stat { const char *group; const char *name; uint64_t value; };
/* Fills up to @max; returns how many there are. Groups: "time" (ns), "code", "nexus", "signal", "mapping", "port", "interrupt", "interpreter". */
size_t plx_vm_stats(struct plx_vm *vm, struct plx_stat *stats, size_t max);

#endif
