/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/module/wrong_arguments.c - what /dev/plexus and a machine say to calls that make no sense: a table, two threads, a fuzzer.
 *
 *   wrong_arguments table           each call with wrong sizes, pointers, flags, values, in the wrong order: exact errno
 *   wrong_arguments threads         while one thread is in PLEXUS_RUN: -EBUSY, and PLEXUS_KICK
 *   wrong_arguments fuzz SECONDS [SEED [loud]]    calls out of a seeded generator, on machines that run guests of random bytes; only
 *                                   the host's health is looked at, and that no errno comes that plexus-abi.h does not name
 *
 * Asked by: inside/calls_with_wrong_arguments_*.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/time.h>
#include <time.h>

#include "tests/module/machine.h"

#define BAD_POINTER ((void *)0xdead000000000ull)	/* canonical, and nobody's */
#define KERNEL_POINTER ((void *)0xffffffff81000000ull)
#define WILD_POINTER ((void *)0x8000000000000000ull)	/* not canonical */

static unsigned int wrong;

static void expect(const char *what, long ret, int err)
{
	int got = ret < 0 ? errno : 0;

	if (got == err)
		return;
	wrong++;
	printf("%s: %s, not %s\n", what, got ? strerror(got) : "no error", err ? strerror(err) : "no error");
}

#define EXPECT(err, fd, call, arg)                                                                            \
	do {                                                                                                  \
		errno = 0;                                                                                    \
		expect(#call " " #arg " (line " LINE(__LINE__) ")", ioctl(fd, call, arg), err);               \
	} while (0)
#define LINE(n) LINE2(n)
#define LINE2(n) #n

/* Pointers and sizes: alike in every call that takes a structure. */
static void structure(int fd, unsigned long call, const void *good, uint32_t known, const char *name)
{
	static uint8_t page[8192] __attribute__((aligned(4096)));
	uint8_t *end = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char what[100];

	if (end == MAP_FAILED || munmap(end + 4096, 4096))
		fail("mmap: %s", strerror(errno));
#define SAY(...) (snprintf(what, sizeof(what), __VA_ARGS__), what)
	expect(SAY("%s of null", name), ioctl(fd, call, NULL), EFAULT);
	expect(SAY("%s of a bad pointer", name), ioctl(fd, call, BAD_POINTER), EFAULT);
	expect(SAY("%s of the kernel's memory", name), ioctl(fd, call, KERNEL_POINTER), EFAULT);
	expect(SAY("%s of a wild pointer", name), ioctl(fd, call, WILD_POINTER), EFAULT);
	expect(SAY("%s of -1", name), ioctl(fd, call, (void *)-1l), EFAULT);
	for (uint32_t size = 0; size < 8; size++) {
		memset(page, 0, sizeof(page));
		memcpy(page, good, known);
		memcpy(page, &size, 4);
		expect(SAY("%s of size %u", name, size), ioctl(fd, call, page), EINVAL);
	}
	for (uint64_t size = 4097; size <= UINT32_MAX; size = size * 7 | 1) {
		memcpy(page, &size, 4);
		expect(SAY("%s of size %llu", name, (unsigned long long)size), ioctl(fd, call, page), EINVAL);
	}
	/* One of tomorrow, that wants something which this module does not know. */
	memset(page, 0, sizeof(page));
	memcpy(page, good, known);
	for (uint32_t size = known + 1; size <= 4096; size = size * 2 - known / 2) {
		memcpy(page, &size, 4);
		page[size - 1] = 1;
		expect(SAY("%s of size %u with a tail", name, size), ioctl(fd, call, page), E2BIG);
		page[size - 1] = 0;
	}
	/* The end of the structure is not there, or not writable. */
	for (uint32_t there = 4; there < known; there += 4) {
		memcpy(end + 4096 - there, good, there);
		memcpy(end + 4096 - there, &known, 4);
		expect(SAY("%s with %u bytes of %u", name, there, known), ioctl(fd, call, end + 4096 - there), EFAULT);
	}
	munmap(end, 4096);
}

static void device_table(void)
{
	int fd = open(device_path(), O_RDWR);
	struct plexus_version v = { .size = sizeof(v) };
	const struct plexus_create good = { .size = sizeof(good), .ram_bytes = GUEST_RAM };
	uint8_t longer[128] = { 0 };

	if (fd < 0)
		fail("%s: %s", device_path(), strerror(errno));
	EXPECT(0, fd, PLEXUS_VERSION, &v);
	if (v.version != PLEXUS_ABI_VERSION || v.size != sizeof(v) || !v.max_machines || !memchr(v.release, 0, sizeof(v.release)))
		fail("PLEXUS_VERSION answers version %u, size %u, %u machines", v.version, v.size, v.max_machines);
	v.reserved = 1;
	EXPECT(EINVAL, fd, PLEXUS_VERSION, &v);
	v.reserved = 0;
	structure(fd, PLEXUS_VERSION, &v, sizeof(v), "PLEXUS_VERSION");
	memcpy(longer, &v, sizeof(v));
	longer[0] = 100;
	EXPECT(0, fd, PLEXUS_VERSION, longer);
	/* Shorter ones are answered as far as there is room. */
	memset(longer, 0, sizeof(longer));
	longer[0] = 8;
	memset(longer + 8, 0x77, 8);
	EXPECT(0, fd, PLEXUS_VERSION, longer);
	if (longer[4] != PLEXUS_ABI_VERSION || longer[8] != 0x77)
		fail("PLEXUS_VERSION of 8 bytes wrote %u and %02x", longer[4], longer[8]);

	EXPECT(ENOTTY, fd, PLEXUS_RUN, NULL);
	EXPECT(ENOTTY, fd, PLEXUS_KICK, NULL);
	EXPECT(ENOTTY, fd, PLEXUS_MAP, longer);
	EXPECT(ENOTTY, fd, PLEXUS_REGISTERS, longer);
	EXPECT(ENOTTY, fd, _IO('X', 0x7f), NULL);
	EXPECT(ENOTTY, fd, _IOW('X', 0x00, struct plexus_version), &v);
	EXPECT(ENOTTY, fd, _IOWR('X', 0x00, uint32_t), &v);
	EXPECT(ENOTTY, fd, 0u, NULL);
	EXPECT(ENOTTY, fd, 0xffffffffu, NULL);

	structure(fd, PLEXUS_CREATE_VM, &good, sizeof(good), "PLEXUS_CREATE_VM");
#define CREATE(err, ...)                                                                                      \
	do {                                                                                                  \
		struct plexus_create c = good;                                                                \
		int made;                                                                                     \
		__VA_ARGS__;                                                                                  \
		errno = 0;                                                                                    \
		made = ioctl(fd, PLEXUS_CREATE_VM, &c);                                                       \
		expect("PLEXUS_CREATE_VM with " #__VA_ARGS__, made, err);                                     \
		if (made >= 0)                                                                                \
			close(made);                                                                          \
	} while (0)
	CREATE(EINVAL, c.flags = 4);
	CREATE(EINVAL, c.flags = 0x80000000);
	CREATE(EINVAL, c.ram_bytes = 0);
	CREATE(EINVAL, c.ram_bytes = 4096);
	CREATE(EINVAL, c.ram_bytes = (1u << 20) + 4096);
	CREATE(EINVAL, c.ram_bytes = (3584ull << 20) + (1 << 20));
	CREATE(EINVAL, c.ram_bytes = 1ull << 63);
	CREATE(EINVAL, c.ram_bytes = -(1ull << 20));
	CREATE(EINVAL, c.extra_bytes = 1);
	CREATE(EINVAL, c.extra_bytes = 4ull << 30);
	CREATE(EINVAL, c.extra_bytes = -4096ull);
	CREATE(EINVAL, c.extra_bytes = -GUEST_RAM);
	CREATE(EINVAL, c.rewrite = PLEXUS_REWRITE_GATE + 1);
	CREATE(EINVAL, c.rewrite = ~0u);
	CREATE(EINVAL, c.tables = 2);
	CREATE(EINVAL, c.tables = ~0u);
	CREATE(EINVAL, c.features_off = 4);
	CREATE(EINVAL, c.features_off = 1ull << 63);
	CREATE(ENOMEM, c.ram_bytes = 3584ull << 20);	/* more than this user may have in a machine of the bench */
	CREATE(0, c.extra_bytes = 4096);
	CREATE(0, c.rewrite = PLEXUS_REWRITE_INT3);
	CREATE(0, c.flags = PLEXUS_CREATE_COUNT);
	if (read(fd, longer, 1) >= 0 || write(fd, longer, 1) >= 0)
		fail("the device can be read or written");
	if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED)
		fail("the device can be mapped");
	close(fd);
}

/* As many as are allowed, and one more. */
static void too_many(void)
{
	struct plexus_version v = { .size = sizeof(v) };
	const struct plexus_create how = { .size = sizeof(how), .ram_bytes = GUEST_RAM };
	int device = open(device_path(), O_RDWR), fd[64];
	uint32_t n;

	ioctl(device, PLEXUS_VERSION, &v);
	close(device);
	for (n = 0; n < v.max_machines && n < 64; n++) {
		fd[n] = machine_create_fd(&how);
		if (fd[n] < 0)
			fail("machine %u of %u: %s", n, v.max_machines, strerror(errno));
	}
	expect("one machine too many", machine_create_fd(&how), EMFILE);
	close(fd[--n]);
	fd[n] = machine_create_fd(&how);
	expect("one instead of one that ended", fd[n], 0);
	for (uint32_t i = 0; i <= n; i++)
		close(fd[i]);
}

static void map_wrongly(int fd, const char *what, int protection, int flags, uint64_t bytes, uint64_t offset)
{
	void *at = mmap(NULL, bytes, protection, flags, fd, (off_t)offset);

	if (at == MAP_FAILED)
		return;
	printf("mmap %s: it was done\n", what);
	wrong++;
	munmap(at, bytes);
}

static void mmap_table(const struct machine *m)
{
	const int rw = PROT_READ | PROT_WRITE;

	map_wrongly(m->fd, "of RAM, private", rw, MAP_PRIVATE, 4096, 0);
	map_wrongly(m->fd, "of RAM, executable", rw | PROT_EXEC, MAP_SHARED, 4096, 0);
	map_wrongly(m->fd, "of more than RAM", rw, MAP_SHARED, GUEST_RAM + 4096, 0);
	map_wrongly(m->fd, "over RAM's end", rw, MAP_SHARED, 8192, GUEST_RAM - 4096);
	map_wrongly(m->fd, "behind RAM", rw, MAP_SHARED, 4096, GUEST_RAM);
	map_wrongly(m->fd, "of more than the run page", rw, MAP_SHARED, 1 << 20, PLEXUS_MMAP_RUN);
	map_wrongly(m->fd, "behind the run page", rw, MAP_SHARED, 4096, PLEXUS_MMAP_RUN + 4096);
	map_wrongly(m->fd, "before the run page", rw, MAP_SHARED, 8192, PLEXUS_MMAP_RUN - 4096);
	for (unsigned int bit = 22; bit < 63; bit++)
		if (1ull << bit != PLEXUS_MMAP_RUN)
			map_wrongly(m->fd, "far away", rw, MAP_SHARED, 4096, 1ull << bit);
	map_wrongly(m->fd, "at the end of all offsets", rw, MAP_SHARED, 8192, 0x7ffffffffffff000ull);
	map_wrongly(m->fd, "at a negative offset", rw, MAP_SHARED, 8192, -4096ull);
	map_wrongly(m->fd, "at a negative offset, so that the end wraps", rw, MAP_SHARED, 8192, -8192ull);
	if (mremap(m->ram, m->ram_bytes, m->ram_bytes + 4096, MREMAP_MAYMOVE) != MAP_FAILED)
		fail("a mapping of RAM can be made longer");
}

static void *map_part(const struct machine *m, const struct plexus_record *r, unsigned int part, int prot)
{
	return mmap(NULL, r->part[part].bytes, prot, MAP_SHARED, m->fd, (off_t)r->part[part].offset);
}

/* Parts of a record: each is mapped as it says, and not otherwise. Return: the writable one, or NULL. */
static void *parts(const struct machine *m, const struct plexus_record *r)
{
	void *writable = NULL;

	for (unsigned int i = 0; i < PLEXUS_RECORD_PARTS; i++) {
		const uint64_t offset = r->part[i].offset, bytes = r->part[i].bytes;
		void *at;

		if (!bytes)
			continue;
		if (r->part[i].flags & PLEXUS_PART_WRITABLE) {
			writable = at = map_part(m, r, i, PROT_READ | PROT_WRITE);
		} else {
			at = map_part(m, r, i, PROT_READ);
			errno = 0;
			expect("mmap of a part, writable", map_part(m, r, i, PROT_READ | PROT_WRITE) == MAP_FAILED ? -1 : 0, EACCES);
			errno = 0;
			expect("mprotect of a part, writable", mprotect(at, 4096, PROT_READ | PROT_WRITE), EACCES);
		}
		if (at == MAP_FAILED)
			fail("mmap of part %u of record %u: %s", i, r->what, strerror(errno));
		(void)*(const volatile uint8_t *)at;
		map_wrongly(m->fd, "of a part, executable", PROT_READ | PROT_EXEC, MAP_SHARED, 4096, offset);
		map_wrongly(m->fd, "of a part, private", PROT_READ, MAP_PRIVATE, 4096, offset);
		map_wrongly(m->fd, "of more than a part", PROT_READ, MAP_SHARED, bytes + 4096, offset);
		map_wrongly(m->fd, "of more than the end of a part", PROT_READ, MAP_SHARED, 8192, offset + bytes - 4096);
		if (mremap(at, bytes, bytes + 4096, MREMAP_MAYMOVE) != MAP_FAILED)
			fail("a mapping of a part can be made longer");
	}
	return writable;
}

static void record_table(const struct machine *m)
{
	const struct plexus_record zero = { .size = sizeof(zero) };
	struct plexus_record r;

#define RECORD(err, kind, ...)                                                                                	do {                                                                                                  		r = zero;                                                                                     		r.what = kind;                                                                                		__VA_ARGS__;                                                                                  		errno = 0;                                                                                    		expect("PLEXUS_RECORD of " #kind " with " #__VA_ARGS__, ioctl(m->fd, PLEXUS_RECORD, &r), err); 	} while (0)
	RECORD(EINVAL, 3, );
	RECORD(EINVAL, ~0u, );
	RECORD(EINVAL, PLEXUS_RECORD_SITES, r.flags = PLEXUS_RECORD_WAIT);
	RECORD(EINVAL, PLEXUS_RECORD_SITES, r.entries = 1024);
	RECORD(EINVAL, PLEXUS_RECORD_SITES, r.layout = 1);
	RECORD(EINVAL, PLEXUS_RECORD_SITES, r.rows = 1);
	for (unsigned int i = 0; i < PLEXUS_RECORD_PARTS; i++) {
		RECORD(EINVAL, PLEXUS_RECORD_SITES, r.part[i].offset = 4096);
		RECORD(EINVAL, PLEXUS_RECORD_SITES, r.part[i].bytes = 4096);
		RECORD(EINVAL, PLEXUS_RECORD_SITES, r.part[i].flags = 1);
		RECORD(EINVAL, PLEXUS_RECORD_SITES, r.part[i].reserved = 1);
	}
	RECORD(EINVAL, PLEXUS_RECORD_TRACE, r.flags = PLEXUS_RECORD_EVERY);
	RECORD(EINVAL, PLEXUS_RECORD_TRACE, r.flags = 4);
	RECORD(EINVAL, PLEXUS_RECORD_TRACE, r.entries = 1);
	RECORD(EINVAL, PLEXUS_RECORD_TRACE, r.entries = 512);
	RECORD(EINVAL, PLEXUS_RECORD_TRACE, r.entries = 1025);
	RECORD(EINVAL, PLEXUS_RECORD_TRACE, r.entries = 1u << 25);
	RECORD(EINVAL, PLEXUS_RECORD_TRACE, r.entries = ~0u);
	RECORD(EINVAL, PLEXUS_RECORD_COVERAGE, r.flags = 1);
	RECORD(EINVAL, PLEXUS_RECORD_COVERAGE, r.entries = 1024);
	map_wrongly(m->fd, "of the arena's start", PROT_READ, MAP_SHARED, 4096, 0x5000000000ull);
	RECORD(0, PLEXUS_RECORD_SITES, );
	if (parts(m, &r))
		fail("sites can be written");
	RECORD(0, PLEXUS_RECORD_SITES, r.flags = PLEXUS_RECORD_EVERY);
	RECORD(0, PLEXUS_RECORD_TRACE, r.entries = 1024, r.flags = PLEXUS_RECORD_WAIT);
	if (!parts(m, &r) || !r.layout || !r.rows)
		fail("a trace has nothing to write to, or no layout");
	RECORD(EEXIST, PLEXUS_RECORD_TRACE, );
	RECORD(0, PLEXUS_RECORD_COVERAGE, );
	if (parts(m, &r))
		fail("coverage can be written");
	RECORD(EEXIST, PLEXUS_RECORD_COVERAGE, );
	map_wrongly(m->fd, "of the arena's start", PROT_READ, MAP_SHARED, 4096, 0x5000000000ull);
}

static void machine_table(void)
{
	struct machine m = machine_create();
	struct plexus_registers r = { .size = sizeof(r) };
	uint64_t values[512];
	uint8_t bytes[64] = { 0 };
	const struct plexus_map map = { .size = sizeof(map), .guest_physical = 0x100000, .bytes = 4096, .offset = 0x100000 };
	const struct plexus_access reading = { .size = sizeof(reading), .bytes = 16, .buffer = (uintptr_t)bytes };
	const struct plexus_start start = { .size = sizeof(start) };
	const struct plexus_a20 a20 = { .size = sizeof(a20), .open = 1 };
	const struct plexus_stats stats = { .size = sizeof(stats), .max = 512, .values = (uintptr_t)values };
	const struct plexus_record sites = { .size = sizeof(sites), .what = PLEXUS_RECORD_SITES };

	structure(m.fd, PLEXUS_MAP, &map, sizeof(map), "PLEXUS_MAP");
	structure(m.fd, PLEXUS_ACCESS, &reading, sizeof(reading), "PLEXUS_ACCESS");
	structure(m.fd, PLEXUS_START, &start, sizeof(start), "PLEXUS_START");
	structure(m.fd, PLEXUS_A20, &a20, sizeof(a20), "PLEXUS_A20");
	structure(m.fd, PLEXUS_REGISTERS, &r, sizeof(r), "PLEXUS_REGISTERS");
	structure(m.fd, PLEXUS_STATS, &stats, sizeof(stats), "PLEXUS_STATS");
	structure(m.fd, PLEXUS_RECORD, &sites, sizeof(sites), "PLEXUS_RECORD");
#define TRY(err, call, type, good, ...)                                                                       \
	do {                                                                                                  \
		struct type c = good;                                                                         \
		__VA_ARGS__;                                                                                  \
		errno = 0;                                                                                    \
		expect(#call " with " #__VA_ARGS__, ioctl(m.fd, call, &c), err);                              \
	} while (0)
#define MAP(err, ...) TRY(err, PLEXUS_MAP, plexus_map, map, __VA_ARGS__)
	MAP(0, );
	MAP(0, c.bytes = 0);
	MAP(EINVAL, c.kind = 3);
	MAP(EINVAL, c.kind = ~0u);
	MAP(EINVAL, c.guest_physical = 1);
	MAP(EINVAL, c.bytes = 4095);
	MAP(EINVAL, c.offset = 0x100001);
	MAP(EINVAL, c.guest_physical = 1ull << 32);
	MAP(EINVAL, c.guest_physical = 1ull << 63);
	MAP(EINVAL, c.guest_physical = -4096ull);
	MAP(EINVAL, c.guest_physical = 0xfffff000, c.bytes = 8192);
	MAP(EINVAL, c.bytes = -4096ull);
	MAP(EINVAL, c.bytes = 1ull << 40);
	MAP(EINVAL, c.offset = GUEST_RAM);
	MAP(EINVAL, c.offset = GUEST_RAM - 4096, c.bytes = 8192);
	MAP(EINVAL, c.offset = -4096ull);
	MAP(EINVAL, c.offset = -4096ull, c.bytes = 8192);
	MAP(EINVAL, c.offset = 1ull << 63);
	MAP(0, c.kind = PLEXUS_MAP_DEVICE, c.guest_physical = 0xfffff000, c.offset = 1ull << 40);
	MAP(0, c.kind = PLEXUS_MAP_DEVICE, c.guest_physical = 0x80000000, c.bytes = 0x80000000);
#define ACCESS(err, ...) TRY(err, PLEXUS_ACCESS, plexus_access, reading, __VA_ARGS__)
	ACCESS(0, );
	ACCESS(0, c.bytes = 0, c.buffer = 0);
	ACCESS(EINVAL, c.write = 2);
	ACCESS(EINVAL, c.bytes = (16u << 20) + 1);
	ACCESS(EINVAL, c.bytes = -1ull);
	ACCESS(EINVAL, c.guest_physical = (1ull << 32) - 8);
	ACCESS(EINVAL, c.guest_physical = -8ull);
	ACCESS(EINVAL, c.guest_physical = 1ull << 32);
	ACCESS(EINVAL, c.guest_physical = 1ull << 63);
	ACCESS(EFAULT, c.buffer = 0);
	ACCESS(EFAULT, c.buffer = (uintptr_t)BAD_POINTER);
	ACCESS(EFAULT, c.buffer = (uintptr_t)KERNEL_POINTER);
	ACCESS(EFAULT, c.buffer = (uintptr_t)WILD_POINTER);
	ACCESS(EFAULT, c.buffer = -8ull);
	ACCESS(EFAULT, c.write = 1, c.buffer = (uintptr_t)KERNEL_POINTER);
	/* Where nothing is, ones are read, and what is written is gone. */
	memset(bytes, 0, sizeof(bytes));
	ACCESS(0, c.guest_physical = 0xc0000000);
	for (unsigned int i = 0; i < 16; i++)
		if (bytes[i] != 0xff)
			fail("memory that is not there reads %02x", bytes[i]);
	ACCESS(0, c.write = 1, c.guest_physical = 0xc0000000);
	ACCESS(0, c.write = 1, c.guest_physical = 0xfffffff0);
#define START(err, ...) TRY(err, PLEXUS_START, plexus_start, start, __VA_ARGS__)
	START(EINVAL, c.flat = 2);
	START(EINVAL, c.reserved = 1);
	START(EINVAL, c.gdt_limit = 0x10000);
	START(0, c.flat = 1, c.eip = ~0u, c.esp = ~0u, c.gdt_base = ~0u, c.gdt_limit = 0xffff);
	START(0, );
	TRY(EINVAL, PLEXUS_A20, plexus_a20, a20, c.open = 2);
	TRY(0, PLEXUS_A20, plexus_a20, a20, c.open = 0);
	TRY(0, PLEXUS_A20, plexus_a20, a20, );
#define STATS(err, ...) TRY(err, PLEXUS_STATS, plexus_stats, stats, __VA_ARGS__)
	STATS(0, );
	STATS(0, c.max = 0, c.values = 0);
	STATS(EINVAL, c.reserved = 1);
	STATS(EFAULT, c.values = 0);
	STATS(EFAULT, c.values = (uintptr_t)KERNEL_POINTER);
	STATS(EFAULT, c.values = (uintptr_t)WILD_POINTER, c.max = ~0u);
	EXPECT(0, m.fd, PLEXUS_REGISTERS, &r);
	if (r.size != sizeof(r) || r.eip != 0xfff0 || r.segment[1].selector != 0xf000)
		fail("after power-on EIP is %x, CS %x", r.eip, r.segment[1].selector);
	EXPECT(EINVAL, m.fd, PLEXUS_RUN, (void *)1);
	EXPECT(EINVAL, m.fd, PLEXUS_KICK, (void *)1);
	EXPECT(0, m.fd, PLEXUS_KICK, NULL);
	EXPECT(ENOTTY, m.fd, PLEXUS_VERSION, &r);
	EXPECT(ENOTTY, m.fd, PLEXUS_CREATE_VM, &r);
	EXPECT(ENOTTY, m.fd, 0u, NULL);
	EXPECT(ENOTTY, m.fd, 0xffffffffu, NULL);
	if (read(m.fd, bytes, 1) >= 0 || write(m.fd, bytes, 1) >= 0)
		fail("a machine can be read or written");
	mmap_table(&m);
	record_table(&m);
	/* After all that it is a machine still. */
	m.run->stop = PLEXUS_STOP_QUIT | 0xfffffff0;
	EXPECT(0, m.fd, PLEXUS_RUN, NULL);
	if (m.run->exit != PLEXUS_EXIT_STOP)
		fail("exit %u after a stop was wished", m.run->exit);
	/* It has run. */
	TRY(EINVAL, PLEXUS_RECORD, plexus_record, sites, c.what = PLEXUS_RECORD_TRACE);
	TRY(EINVAL, PLEXUS_RECORD, plexus_record, sites, c.what = PLEXUS_RECORD_COVERAGE);
	TRY(0, PLEXUS_RECORD, plexus_record, sites, );
	machine_destroy(&m);
}

/* ---- two threads ------------------------------------------------------------------------------------------------- */

GUEST(spins, "outl %eax, $0x80\n" "1: incl %eax\n" "jmp 1b\n");
GUEST(halts, "outl %eax, $0x80\n" "cli\n" "1: hlt\n" "jmp 1b\n");

static void *runner(void *arg)
{
	return (void *)(uintptr_t)machine_run(arg);
}

static void busy(const uint8_t *code, const uint8_t *end)
{
	struct machine m = machine_create();
	struct plexus_registers r = { .size = sizeof(r) };
	pthread_t thread;
	void *exit;
	int tries = 0;

	machine_load(&m, code, end);
	machine_says(&m);
	pthread_create(&thread, NULL, runner, &m);
	/* Until it is inside. */
	while (!ioctl(m.fd, PLEXUS_REGISTERS, &r) && tries++ < 3000)
		usleep(1000);
	EXPECT(EBUSY, m.fd, PLEXUS_REGISTERS, &r);
	EXPECT(EBUSY, m.fd, PLEXUS_REGISTERS, NULL);
	EXPECT(EBUSY, m.fd, PLEXUS_RUN, NULL);
	EXPECT(EBUSY, m.fd, PLEXUS_MAP, NULL);
	EXPECT(EBUSY, m.fd, PLEXUS_ACCESS, NULL);
	EXPECT(EBUSY, m.fd, PLEXUS_START, NULL);
	EXPECT(EBUSY, m.fd, PLEXUS_A20, NULL);
	EXPECT(EBUSY, m.fd, PLEXUS_STATS, NULL);
	EXPECT(EBUSY, m.fd, 0u, NULL);
	for (unsigned int i = 0; i < 200; i++)
		EXPECT(0, m.fd, PLEXUS_KICK, NULL);
	EXPECT(EBUSY, m.fd, PLEXUS_RUN, NULL);
	__atomic_fetch_or(&m.run->stop, PLEXUS_STOP_QUIT, __ATOMIC_SEQ_CST);
	EXPECT(0, m.fd, PLEXUS_KICK, NULL);
	pthread_join(thread, &exit);
	if ((uintptr_t)exit != PLEXUS_EXIT_STOP)
		fail("a kick with a wish to stop ended in exit %lu", (unsigned long)(uintptr_t)exit);
	EXPECT(0, m.fd, PLEXUS_REGISTERS, &r);
	machine_destroy(&m);
}

/* ---- the fuzzer --------------------------------------------------------------------------------------------------- */

static uint64_t seed;
static bool loud;	/* each call is told, for one that does not come back */

static uint64_t next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

/* Values that are more often near an edge than not. */
static uint64_t some_value(void)
{
	static const uint64_t edges[] = { 0, 1, 2, 4095, 4096, GUEST_RAM, 1ull << 20, 16u << 20, 1ull << 31, 1ull << 32, 1ull << 40, 1ull << 63 };
	uint64_t n = next();

	switch (n >> 60) {
	case 0 ... 5:
		return edges[n % (sizeof(edges) / sizeof(*edges))] + (n >> 30) % 3 - 1;
	case 6 ... 9:
		return n & GUEST_RAM & ~4095ull;
	case 10 ... 12:
		return n % GUEST_RAM & ~4095ull;
	case 13:
		return 0;
	default:
		return n;
	}
}

static uint8_t *some_pointer(uint8_t *mine)
{
	switch (next() % 24) {
	case 0:
		return NULL;
	case 1:
		return BAD_POINTER;
	case 2:
		return KERNEL_POINTER;
	case 3:
		return WILD_POINTER;
	case 4:
		return mine + 65536 - next() % 64;	/* its end is nobody's */
	default:
		return mine;
	}
}

static uint64_t *scribble;	/* a trace's control, mapped; NULL: there is none */
static uint64_t scribbled;	/* bytes */

static void fuzz_call(const struct machine *m, uint8_t *mine)
{
	static const struct {
		unsigned long call;
		uint32_t size;
	} calls[] = {
		{ PLEXUS_MAP, sizeof(struct plexus_map) }, { PLEXUS_ACCESS, sizeof(struct plexus_access) },
		{ PLEXUS_START, sizeof(struct plexus_start) }, { PLEXUS_A20, sizeof(struct plexus_a20) },
		{ PLEXUS_REGISTERS, sizeof(struct plexus_registers) }, { PLEXUS_STATS, sizeof(struct plexus_stats) },
		{ PLEXUS_RUN, 0 }, { PLEXUS_RUN, 0 }, { PLEXUS_RUN, 0 }, { PLEXUS_KICK, 0 }, { PLEXUS_CREATE_VM, 40 },
		{ PLEXUS_RECORD, sizeof(struct plexus_record) },
	};
	static const int named[] = { EFAULT, EINVAL, E2BIG, EBUSY, ENOMEM, EINTR, EIO, ENOTTY, EMFILE, EOPNOTSUPP, EEXIST };
	uint64_t n = next();
	unsigned int which = n % (sizeof(calls) / sizeof(*calls));
	uint64_t *words = (uint64_t *)mine;
	uint8_t *arg = some_pointer(mine);
	unsigned long call = calls[which].call;
	bool known = false;
	long ret;

	for (unsigned int i = 0; i < 8; i++)
		words[i] = n >> 33 & 1 ? some_value() : n >> (34 + i) & 1 ? some_value() : 0;
	((uint32_t *)mine)[0] = n >> 42 & 15 ? calls[which].size : (uint32_t)some_value();
	if (n >> 46 & 3)
		((uint32_t *)mine)[1] = n >> 48 & 1;
	if (call == PLEXUS_ACCESS && n >> 49 & 7) {
		words[2] %= 1u << 17;
		words[3] = (uintptr_t)some_pointer(mine + 128);
	}
	if (call == PLEXUS_STATS)
		words[2] = (uintptr_t)some_pointer(mine + 128);
	if (!calls[which].size && n >> 52 & 31)
		arg = NULL;
	/* Replies, pins and buttons, whatever the machine waits for. */
	m->run->value = (uint32_t)some_value();
	m->run->count = (uint32_t)some_value();
	m->run->exit = (uint32_t)some_value();
	m->run->in_ram = (uint32_t)next() & 1;
	m->run->ram_offset = some_value();
	m->run->intr = next() % 2;
	m->run->nmi = next() % 16 == 0;
	m->run->stop = next() % 16 ? 0 : (uint32_t)next();
	if (loud)
		printf("call %lx, %u bytes: %llx %llx %llx %llx\n", call & 0xff, calls[which].size, (unsigned long long)words[0],
		       (unsigned long long)words[1], (unsigned long long)words[2], (unsigned long long)words[3]);
	/* What the program may write of a trace: at any moment, and anything. */
	for (unsigned int i = 0; scribble && i < 6; i++)
		scribble[i] = n >> 20 & 1 ? some_value() : 0;
	ret = ioctl(m->fd, call, arg);
	for (unsigned int i = 0; i < sizeof(named) / sizeof(*named); i++)
		known |= errno == named[i];
	if (ret < 0 && !known)
		fail("call %lx: %s, an error that it may not have", call, strerror(errno));
	/* The program's mapping of what it handed in may have been written, and no more than that. */
	for (unsigned int i = 0; i < 64; i++)
		if (mine[65536 + 4096 + i] != 0x5a)
			fail("call %lx wrote where nobody said", call);
}

/* Before it runs, a trace, coverage, or nothing of it. */
static void random_record(const struct machine *m)
{
	const uint64_t n = next();
	struct plexus_record trace = {
		.size = sizeof(trace), .what = PLEXUS_RECORD_TRACE, .flags = n & PLEXUS_RECORD_WAIT, .entries = n & 4 ? 1024 : 0,
	};
	struct plexus_record coverage = { .size = sizeof(coverage), .what = PLEXUS_RECORD_COVERAGE };

	if (n & 8)
		machine_call(m, PLEXUS_RECORD, &coverage);
	if (!(n & 16) || machine_call(m, PLEXUS_RECORD, &trace))
		return;
	scribble = map_part(m, &trace, 2, PROT_READ | PROT_WRITE);
	scribbled = trace.part[2].bytes;
	if (scribble == MAP_FAILED)
		fail("mmap of a trace's control: %s", strerror(errno));
}

static struct machine random_machine(void)
{
	const uint64_t how_it_runs = next();
	const struct plexus_create how = {
		.size = sizeof(how),
		.ram_bytes = GUEST_RAM,
		.flags = how_it_runs & (PLEXUS_CREATE_COUNT | PLEXUS_CREATE_HIGH),
		.rewrite = (uint32_t)(how_it_runs >> 8) % (PLEXUS_REWRITE_GATE + 1),
		.tables = how_it_runs >> 40 & PLEXUS_TABLES_GUEST,
		.features_off = how_it_runs >> 48 & (PLEXUS_FEATURE_LAHF | PLEXUS_FEATURE_CODE16),
	};
	struct plexus_start start = { .size = sizeof(start), .flat = next() % 4 != 0, .eip = GUEST_CODE, .esp = GUEST_STACK,
				      .gdt_base = 0x1000, .gdt_limit = 0xff };
	struct machine m = { .ram_bytes = GUEST_RAM };

	m.fd = machine_create_fd(&how);
	if (m.fd < 0)
		fail("PLEXUS_CREATE_VM: %s", strerror(errno));
	machine_map(&m);
	for (uint64_t at = 0; at < GUEST_RAM; at += next() % 64 + 1)
		m.ram[at] = (uint8_t)next();
	machine_call(&m, PLEXUS_START, &start);
	random_record(&m);
	return m;
}

static void nothing(int signal)
{
	(void)signal;
}

/* A signal every few milliseconds, so that every run ends. */
static void alarm_often(void)
{
	const struct sigaction action = { .sa_handler = nothing };
	const struct itimerval often = { .it_interval.tv_usec = 4000, .it_value.tv_usec = 4000 };

	if (sigaction(SIGALRM, &action, NULL) || setitimer(ITIMER_REAL, &often, NULL))
		fail("setitimer: %s", strerror(errno));
}

static void fuzz(unsigned int seconds)
{
	uint8_t *mine = mmap(NULL, 65536 + 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	time_t end = time(NULL) + seconds;
	unsigned long machines = 0, calls = 0;

	if (mine == MAP_FAILED || mprotect(mine + 65536, 4096, PROT_NONE))
		fail("mmap: %s", strerror(errno));
	memset(mine + 65536 + 4096, 0x5a, 4096);
	alarm_often();
	while (time(NULL) < end) {
		struct machine m;

		/* As SEED it makes this machine the first. */
		printf("machine %lu: seed 0x%llx\n", machines, (unsigned long long)seed);
		m = random_machine();
		for (unsigned int i = 0; i < 400 && time(NULL) < end; i++, calls++)
			fuzz_call(&m, mine);
		if (scribble)
			munmap(scribble, scribbled);
		scribble = NULL;
		machine_destroy(&m);
		machines++;
	}
	printf("%lu machines, %lu calls\n", machines, calls);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "table")) {
		device_table();
		too_many();
		machine_table();
	} else if (!strcmp(what, "threads")) {
		busy(spins, spins_end);
		busy(halts, halts_end);
	} else if (!strcmp(what, "fuzz") && argc > 2) {
		seed = argc > 3 ? strtoull(argv[3], NULL, 0) : (uint64_t)time(NULL) * 0x9e3779b97f4a7c15ull;
		printf("seed 0x%llx\n", (unsigned long long)seed);
		seed |= !seed;
		loud = argc > 4;
		fuzz((unsigned int)atoi(argv[2]));
	} else {
		fail("see the head of tests/module/wrong_arguments.c");
	}
	if (wrong)
		printf("%u answers are wrong\n", wrong);
	return wrong != 0;
}
