/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * include/plexus/plexus-abi.h - what a program says to /dev/plexus, and what it hears.
 *
 *      open /dev/plexus --> PLEXUS_VERSION, PLEXUS_CREATE_VM --> a descriptor of the machine
 *                                                                    | mmap: guest RAM at 0, struct plexus_run at PLEXUS_MMAP_RUN
 *                                                                    | PLEXUS_MAP, PLEXUS_START, ... while it does not run
 *                                                                    | PLEXUS_RECORD: what to keep of the run, and where to see it
 *                                                                    + PLEXUS_RUN: until it wants something (plexus_run.exit)
 *
 * Fixed-width types only; every structure has the same size and offsets for 32-bit and 64-bit callers (asserted below), and
 * starts with its own size: a caller of tomorrow may hand in a longer one, whose tail must be zero for a module of today (-E2BIG
 * else), and one of yesterday a shorter one, whose missing tail counts as zero. Unknown flags and reserved fields that
 * are not zero are -EINVAL.
 *
 * Errors: -EFAULT (a pointer), -EINVAL (a value), -E2BIG (as above), -EBUSY (the machine runs in another thread), -ENOMEM, -EINTR
 * (a signal: call PLEXUS_RUN again, nothing is lost), -EIO (the machine is dead; plexus_run.message says why), -ENOTTY (no such
 * call here), -EMFILE (too many machines of this user), -EOPNOTSUPP (this processor or kernel cannot), -EEXIST (it is recorded
 * already).
 * Threads: calls on one machine exclude each other, but for PLEXUS_KICK, which any thread may do at any time.
 */
#ifndef PLEXUS_ABI_H
#define PLEXUS_ABI_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/ioctl.h>
#else
#include <stddef.h>
#include <stdint.h>
#ifndef PLX_RING0		/* the monitor makes no ioctls */
#include <sys/ioctl.h>
#endif
#endif

#define PLEXUS_ABI_VERSION	1
#define PLEXUS_DEVICE		"/dev/plexus"

/* mmap offsets on a machine's descriptor. */
#define PLEXUS_MMAP_RAM		0x0ull
#define PLEXUS_MMAP_RUN		0x4000000000ull	/* what PLEXUS_RECORD gives is above it */

struct plexus_version {
	uint32_t size;
	uint32_t version;		/* out: PLEXUS_ABI_VERSION */
	uint32_t max_machines;		/* out: of one user at a time */
	uint32_t reserved;
	uint64_t max_ram_bytes;		/* out: of one machine */
	uint8_t release[32];		/* out: of the module, text */
};

#define PLEXUS_REWRITE_ADAPTIVE	0
#define PLEXUS_REWRITE_FARCALL	1
#define PLEXUS_REWRITE_INT3	2
#define PLEXUS_REWRITE_INTERPRET 3
#define PLEXUS_REWRITE_GATE	4	/* INT3 through a gate that changes no privilege */

#define PLEXUS_TABLES_FREE	0	/* descriptor tables stand in a free range of the guest's linear space */
#define PLEXUS_TABLES_GUEST	1	/* ... where the guest believes its own to be */

#define PLEXUS_CREATE_COUNT	0x1u	/* count guest instructions */
#define PLEXUS_CREATE_HIGH	0x2u	/* keep the monitor's tables above 4 GiB */

struct plexus_create {
	uint32_t size;
	uint32_t flags;			/* PLEXUS_CREATE_* */
	uint64_t ram_bytes;		/* guest RAM from address 0; multiple of 1 MiB */
	uint64_t extra_bytes;		/* behind it, for ROMs and video memory */
	uint32_t rewrite;		/* PLEXUS_REWRITE_* */
	uint32_t tables;		/* PLEXUS_TABLES_* */
	uint64_t features_off;		/* host features not to use: bits of PLEXUS_FEATURE_* */
};

#define PLEXUS_FEATURE_LAHF	0x1ull	/* SAHF and LAHF in 64-bit code */
#define PLEXUS_FEATURE_CODE16	0x2ull	/* 16-bit guest code runs natively */

#define PLEXUS_MAP_RAM		0
#define PLEXUS_MAP_ROM		1	/* readable; writes leave as PLEXUS_EXIT_MMIO_WRITE */
#define PLEXUS_MAP_DEVICE	2	/* all accesses leave */

struct plexus_map {
	uint32_t size;
	uint32_t kind;			/* PLEXUS_MAP_* */
	uint64_t guest_physical;	/* page aligned, below 4 GiB */
	uint64_t bytes;
	uint64_t offset;		/* into the machine's RAM object */
};

/* Guest physical memory as a device would see it. */
struct plexus_access {
	uint32_t size;
	uint32_t write;			/* 0 or 1 */
	uint64_t guest_physical;
	uint64_t bytes;			/* at most 16 MiB */
	uint64_t buffer;		/* user address */
};

/* The processor as it is after power-on (flat == 0), or as a 32-bit boot protocol wants it. */
struct plexus_start {
	uint32_t size;
	uint32_t flat;
	uint32_t eip, esp, esi, gdt_base;
	uint32_t gdt_limit;
	uint32_t reserved;
};

struct plexus_a20 {
	uint32_t size;
	uint32_t open;
};

/* Segment registers in the order ES CS SS DS FS GS, then LDTR and TR. */
struct plexus_segment {
	uint32_t selector, base, limit, attributes;
};

struct plexus_registers {
	uint32_t size;
	uint32_t cpl;
	uint32_t gpr[8];		/* EAX ECX EDX EBX ESP EBP ESI EDI */
	uint32_t eip, eflags;
	uint32_t cr0, cr2, cr3, cr4;
	struct plexus_segment segment[8];
	uint32_t gdt_base, gdt_limit, idt_base, idt_limit;
	uint32_t halted, reserved;
};

/* Counters by number; what each means is in monitor/stats.h, and new ones only ever come at the end. */
struct plexus_stats {
	uint32_t size;
	uint32_t max;			/* room at @values */
	uint32_t count;			/* out: how many there are */
	uint32_t reserved;
	uint64_t values;		/* user address of uint64_t[max] */
};

#define PLEXUS_RECORD_SITES	0	/* struct plx_sites of sites.h: kept always, shown from now on */
#define PLEXUS_RECORD_TRACE	1	/* trace.h: plx_trace_sums, plx_trace_ring, plx_trace_control. Before the first PLEXUS_RUN */
#define PLEXUS_RECORD_COVERAGE	2	/* struct plx_cover of coverage.h. Before the first PLEXUS_RUN */

#define PLEXUS_RECORD_EVERY	0x1u	/* of SITES: take the time of each callout */
#define PLEXUS_RECORD_WAIT	0x2u	/* of TRACE: a full ring holds the guest; else records are dropped and counted */

#define PLEXUS_RECORD_PARTS	3
#define PLEXUS_PART_WRITABLE	0x1u	/* it may be mapped writable, too */

/* Records in memory that the monitor writes: to be mapped, whole or in part, from @part. */
struct plexus_record {
	uint32_t size;
	uint32_t what;			/* PLEXUS_RECORD_* */
	uint32_t flags;			/* PLEXUS_RECORD_EVERY, _WAIT */
	uint32_t entries;		/* of TRACE: of the ring, a power of two, 1024 to 16 Mi; 0: sums only */
	uint32_t layout;		/* out: PLX_RECORD_LAYOUT of trace.h, as the module has it */
	uint32_t rows;			/* out: how many instructions prescan knows there; records name them by number */
	struct {
		uint64_t offset;	/* out: to mmap at */
		uint64_t bytes;		/* out: 0: there is no such part */
		uint32_t flags;		/* out: PLEXUS_PART_* */
		uint32_t reserved;
	} part[PLEXUS_RECORD_PARTS];	/* in the order in which they are named above */
};

/* Why PLEXUS_RUN came back. For those with a reply: put it into plexus_run.value (INS, OUTS: into count) before the next PLEXUS_RUN. */
enum plexus_exit {
	PLEXUS_EXIT_NONE = 0,		/* it did not, -EINTR and the like: run again */
	PLEXUS_EXIT_IN,			/* address = port; reply: the value read */
	PLEXUS_EXIT_OUT,
	PLEXUS_EXIT_INS,		/* count elements wanted; reply: count done, at least 1, and the bytes */
	PLEXUS_EXIT_OUTS,		/* count elements; reply: how many were taken, at least 1 */
	PLEXUS_EXIT_MMIO_READ,		/* address; reply */
	PLEXUS_EXIT_MMIO_WRITE,
	PLEXUS_EXIT_INTACK,		/* reply: vector, or -1 */
	PLEXUS_EXIT_FERR,		/* value = level; reply: IGNNE# */
	PLEXUS_EXIT_STOP,		/* plexus_run.stop was set */
	PLEXUS_EXIT_RESET,
	PLEXUS_EXIT_TRIPLE_FAULT,
	PLEXUS_EXIT_ERROR,		/* the machine is dead: message */
};

#define PLEXUS_STOP_QUIT	1u
#define PLEXUS_STOP_RESET	2u
#define PLEXUS_RUN_DATA		16384u

/* Shared by mmap. The first part may be written at any time (atomically, then PLEXUS_KICK if the machine may be running in
 * another thread); the rest only while the machine does not run. */
struct plexus_run {
	uint32_t intr;			/* level of the processor's INTR pin */
	uint32_t nmi;			/* an edge: the module takes it back to 0 */
	uint32_t stop;			/* PLEXUS_STOP_*: or'ed in; the module takes it back to 0 */
	uint32_t reserved0[5];

	uint32_t exit;			/* enum plexus_exit */
	uint32_t bytes;			/* 1, 2 or 4, of one element */
	uint32_t address;		/* port or guest physical */
	uint32_t value;			/* and the reply */
	uint32_t count;			/* of elements */
	uint32_t in_ram;		/* INS, OUTS: the elements stand in RAM at ram_offset; else in data[] */
	uint64_t ram_offset;
	uint32_t reserved1[16];

	uint8_t message[256];		/* one sentence */
	uint8_t data[PLEXUS_RUN_DATA];
};

#define PLEXUS_VERSION		_IOWR('X', 0x00, struct plexus_version)
#define PLEXUS_CREATE_VM	_IOW('X', 0x01, struct plexus_create)

#define PLEXUS_RUN		_IO('X', 0x10)
#define PLEXUS_KICK		_IO('X', 0x11)
#define PLEXUS_MAP		_IOW('X', 0x12, struct plexus_map)
#define PLEXUS_ACCESS		_IOW('X', 0x13, struct plexus_access)
#define PLEXUS_START		_IOW('X', 0x14, struct plexus_start)
#define PLEXUS_A20		_IOW('X', 0x15, struct plexus_a20)
#define PLEXUS_REGISTERS	_IOWR('X', 0x16, struct plexus_registers)
#define PLEXUS_STATS		_IOWR('X', 0x17, struct plexus_stats)

#define PLEXUS_RECORD		_IOWR('X', 0x18, struct plexus_record)

#define PLEXUS_ASSERT(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type)
PLEXUS_ASSERT(plexus_version, 56);
PLEXUS_ASSERT(plexus_create, 40);
PLEXUS_ASSERT(plexus_map, 32);
PLEXUS_ASSERT(plexus_access, 32);
PLEXUS_ASSERT(plexus_start, 32);
PLEXUS_ASSERT(plexus_a20, 8);
PLEXUS_ASSERT(plexus_segment, 16);
PLEXUS_ASSERT(plexus_registers, 216);
PLEXUS_ASSERT(plexus_stats, 24);
PLEXUS_ASSERT(plexus_record, 96);
PLEXUS_ASSERT(plexus_run, 16384 + 256 + 128);
_Static_assert(offsetof(struct plexus_create, features_off) == 32, "plexus_create");
_Static_assert(offsetof(struct plexus_map, guest_physical) == 8, "plexus_map");
_Static_assert(offsetof(struct plexus_access, buffer) == 24, "plexus_access");
_Static_assert(offsetof(struct plexus_registers, segment) == 64, "plexus_registers");
_Static_assert(offsetof(struct plexus_stats, values) == 16, "plexus_stats");
_Static_assert(offsetof(struct plexus_record, part) == 24, "plexus_record");
_Static_assert(offsetof(struct plexus_run, exit) == 32, "plexus_run");
_Static_assert(offsetof(struct plexus_run, ram_offset) == 56, "plexus_run");
_Static_assert(offsetof(struct plexus_run, message) == 128, "plexus_run");
_Static_assert(offsetof(struct plexus_run, data) == 384, "plexus_run");

#endif
