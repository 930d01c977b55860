/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/process.h - the process host: a VM inside an ordinary unprivileged process.
 *
 *      vm.c       struct plx_vm_ops: the API of include/plexus/plexus.h
 *      map.c      memory objects, the low 4 GiB, the window, LDT: struct plx_host_ops
 *      signal.c   exceptions and kicks arrive here
 *      io.c       from guest code out to the machine's callbacks, and back
 *
 * The program lives above 4 GiB; everything below belongs to the guest. After guest code has run, FS is the guest's:
 * until hp_host_env() nothing may touch thread-local storage, which means: no libc call.
 */
#ifndef HOST_PROCESS_PROCESS_H
#define HOST_PROCESS_PROCESS_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/host.h"
#include "monitor/engine.h"
#include "monitor/native.h"
#include "plexus/plexus.h"

#define HP_ARENA_BYTES (2ull << 30)

struct plx_vm {
	struct plx_vm_head head;
	struct mon_vm vm;
	struct mon_vcpu *vcpu;
	struct mon_engine *engine;
	struct mon_cpu_features features;
	struct mon_native native;

	struct mon_io_ops io;

	uint8_t *arena;
	size_t arena_used;
	int ram_fd, window_fd, native_fd;
	uint8_t *native_rw, *native_rx;
	uint64_t ram_bytes;

	void (*set_fs)(struct plx_vm *vm);	/* features.c: put fs_base into FS */
	uint64_t fs_base;		/* of the vCPU's thread */
	pid_t vcpu_tid, vcpu_pid;
	bool running, window_placed;
	bool lost;			/* a process of the VM died, and error says so: home's to write */
	cpu_set_t affinity;		/* where Plexus may run at all */
	uint64_t bound_ticks;
	struct mon_space *wanted_space;	/* home shall make a process for it */
	pthread_t vcpu_thread;
	void *signal_stack;
};

/* map.c */
extern const struct plx_host_ops hp_host_ops;
int hp_memory_create(struct plx_vm *vm, const struct plx_vm_config *config);
void hp_memory_destroy(struct plx_vm *vm);
void *hp_arena_alloc(struct plx_vm *vm, size_t nbytes, size_t align);
void *hp_table(void *vm, size_t nbytes);	/* the same, for the monitor's tables: engine_alloc_fn */
uint32_t hp_min_linear(void);

/* signal.c */
#define HP_KICK_SIGNAL SIGUSR1
int hp_signals_install(struct plx_vm *vm);
void hp_signals_remove(struct plx_vm *vm);

/* spaces.c */
void hp_spaces_create(struct plx_vm *vm);
void hp_spaces_destroy(struct plx_vm *vm);
bool hp_spaces_lost(struct plx_vm *vm);	/* home, when it has stopped running: did a process die? plx_vm_error says how */
void hp_child_died(struct plx_vm *vm);
int hp_hand_over(void *host, struct mon_space *from, struct mon_space *to);

/* io.c */
void hp_host_env(struct plx_vm *vm);
void hp_io_init(struct plx_vm *vm);
void hp_host_call(struct plx_vm *vm);

/* record.c */
const struct plx_sites *hp_sites(struct plx_vm *vm, bool every);
void hp_trace_collect(struct plx_vm *vm);
struct plx_trace *hp_trace(struct plx_vm *vm, uint32_t entries, bool wait);
const struct plx_cover *hp_cover(struct plx_vm *vm);

/* The last error as one sentence; it is @err again. */
#define hp_error(vm, err, ...) host_error(&(vm)->head, err, __VA_ARGS__)

/* System calls without libc: no errno, no thread-local storage. -errno on failure. */
static inline long hp_syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#endif
