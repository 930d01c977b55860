/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_module_client.c - host-module/client/ against a kernel made up here: the test plays plexus.ko.
 *
 * Each PLEXUS_RUN takes the next step of a list: what the program left in the run page is kept as the reply to the step
 * before, and the run page is filled anew.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host-module/client/client.h"
#include "monitor/stats.h"
#include "plexus/coverage.h"
#include "plexus/sites.h"
#include "plexus/trace.h"
#include "prescan/prescan.h"

#define MIB		(1ull << 20)
#define RAM_BYTES	(8 * MIB)
#define EXTRA_BYTES	(2 * MIB)
#define DEVICE_FD	100
#define MACHINE_FD	101
#define MAX_STEPS	16
#define CALLS_MAX	64

struct step {
	int err;			/* PLEXUS_RUN's answer */
	uint32_t exit, bytes, address, value, count, in_ram;
	uint64_t ram_offset;
	const char *message;
	void (*meanwhile)(void);	/* what other threads do while the module runs the guest */
};

static struct fake {
	int open_err, version_err, create_err, map_run_err, map_ram_err;
	int interruptions;		/* this many calls are broken off by a signal first */
	uint32_t version;		/* it answers */
	uint64_t max_ram_bytes;
	const char *release, *group;
	int fail_call_err;		/* @fail_call's answer */
	unsigned long fail_call;
	uint64_t stat[ENGINE_STAT_NR + 4];
	uint32_t nstats;

	struct step step[MAX_STEPS];
	unsigned int nsteps, at;
	uint32_t reply[MAX_STEPS], reply_count[MAX_STEPS];

	struct plexus_create create;
	struct plexus_map map;
	struct plexus_start start;
	struct plexus_a20 a20;
	struct plexus_access access[CALLS_MAX];
	unsigned int naccesses, kicks, starts;
	bool device_open, machine_open;
	struct plexus_run *run;
	uint8_t *ram;
	uint64_t run_bytes, ram_bytes;
	sigset_t mask;			/* while it ran */

	/* PLEXUS_RECORD */
	struct plexus_record record;	/* as it was asked last */
	unsigned int nrecords;
	uint32_t layout, rows;
	uint64_t short_by;		/* each part is smaller by this */
	int map_record_err, fail_part;	/* @fail_part: 1 is the first to be mapped; 0 none */
	struct {
		void *at;
		uint64_t nbytes;
		bool writable;
	} shown[8];
	unsigned int nshown;
} fake;

/* ---- the kernel -------------------------------------------------------------------------------------- */

static int fake_open(void *owner, const char *path)
{
	assert_ptr_equal(owner, &fake);
	assert_string_equal(path, "/dev/plexus");
	if (fake.open_err)
		return fake.open_err;
	fake.device_open = true;
	return DEVICE_FD;
}

static void fake_close(void *owner, int fd)
{
	(void)owner;
	if (fd == DEVICE_FD) {
		assert_true(fake.device_open);
		fake.device_open = false;
	} else {
		assert_int_equal(fd, MACHINE_FD);
		assert_true(fake.machine_open);
		fake.machine_open = false;
	}
}

static int next_step(void)
{
	struct plexus_run *r = fake.run;
	const struct step *s;

	pthread_sigmask(SIG_SETMASK, NULL, &fake.mask);
	if (fake.at) {
		fake.reply[fake.at - 1] = r->value;
		fake.reply_count[fake.at - 1] = r->count;
	}
	assert_true(fake.at < fake.nsteps);	/* the program came once too often */
	s = &fake.step[fake.at++];
	r->exit = s->exit;
	r->bytes = s->bytes;
	r->address = s->address;
	r->value = s->value;
	r->count = s->count;
	r->in_ram = s->in_ram;
	r->ram_offset = s->ram_offset;
	if (s->message)
		memcpy(r->message, s->message, strnlen(s->message, sizeof(r->message)));
	if (s->meanwhile)
		s->meanwhile();
	return s->err;
}

#define PART_OFFSET 0x5000000000ull

/* Three parts for each, whatever it is: large enough for all there are. */
static int fake_record(struct plexus_record *r)
{
	fake.record = *r;
	fake.nrecords++;
	r->layout = fake.layout;
	r->rows = fake.rows;
	for (unsigned int i = 0; i < PLEXUS_RECORD_PARTS; i++) {
		r->part[i].offset = PART_OFFSET + (i << 30);
		r->part[i].bytes = PLX_COVER_BYTES - fake.short_by;
	}
	return 0;
}

static int fake_ioctl(void *owner, int fd, unsigned long call, void *arg)
{
	(void)owner;
	/* The first word of each structure is its size. */
	if (arg)
		assert_int_equal(*(uint32_t *)arg, call >> 16 & 0x3fff);
	if (fd == DEVICE_FD)
		assert_true(fake.device_open);
	else
		assert_true(fd == MACHINE_FD && fake.machine_open);
	if (fake.interruptions && call != PLEXUS_RUN) {
		fake.interruptions--;
		return -EINTR;
	}
	if (call == fake.fail_call)
		return fake.fail_call_err;
	switch (call) {
	case PLEXUS_VERSION: {
		struct plexus_version *v = arg;

		assert_int_equal(v->reserved, 0);
		if (fake.version_err)
			return fake.version_err;
		v->version = fake.version;
		v->max_machines = 16;
		v->max_ram_bytes = fake.max_ram_bytes;
		memcpy(v->release, fake.release, strnlen(fake.release, sizeof(v->release)));
		return 0;
	}
	case PLEXUS_CREATE_VM:
		fake.create = *(struct plexus_create *)arg;
		if (fake.create_err)
			return fake.create_err;
		fake.machine_open = true;
		return MACHINE_FD;
	case PLEXUS_RUN:
		assert_null(arg);
		return next_step();
	case PLEXUS_KICK:
		assert_null(arg);
		fake.kicks++;
		return 0;
	case PLEXUS_MAP:
		fake.map = *(struct plexus_map *)arg;
		return 0;
	case PLEXUS_ACCESS: {
		struct plexus_access *a = arg;

		assert_true(fake.naccesses < CALLS_MAX);
		assert_true(a->bytes <= 16 * MIB && a->guest_physical + a->bytes <= 1ull << 32);
		fake.access[fake.naccesses++] = *a;
		if (a->guest_physical + a->bytes <= RAM_BYTES) {
			void *buffer = (void *)(uintptr_t)a->buffer;

			if (a->write)
				memcpy(fake.ram + a->guest_physical, buffer, a->bytes);
			else
				memcpy(buffer, fake.ram + a->guest_physical, a->bytes);
		}
		return 0;
	}
	case PLEXUS_START:
		fake.start = *(struct plexus_start *)arg;
		fake.starts++;
		return 0;
	case PLEXUS_A20:
		fake.a20 = *(struct plexus_a20 *)arg;
		return 0;
	case PLEXUS_REGISTERS: {
		struct plexus_registers *r = arg;

		r->gpr[0] = 0x11223344;
		r->gpr[4] = 0x55667788;
		r->eip = 0xfff0;
		r->segment[1] = (struct plexus_segment){ 0xf000, 0xffff0000, 0xffff, 0x9b };
		r->segment[7] = (struct plexus_segment){ 0x30, 0x3000, 0x67, 0x8b };
		r->idt_limit = 0x3ff;
		return 0;
	}
	case PLEXUS_STATS: {
		struct plexus_stats *s = arg;

		assert_int_equal(s->reserved, 0);
		s->count = fake.nstats;
		memcpy((void *)(uintptr_t)s->values, fake.stat, plx_min32(s->max, s->count) * sizeof(fake.stat[0]));
		return 0;
	}
	case PLEXUS_RECORD:
		return fake_record(arg);
	default:
		return -ENOTTY;
	}
}

static int map_shown(uint64_t nbytes, bool writable, void **at)
{
	assert_true(fake.nshown < PLX_ARRAY_SIZE(fake.shown));
	if (fake.fail_part == (int)fake.nshown + 1)
		return fake.map_record_err;
	fake.shown[fake.nshown].nbytes = nbytes;
	fake.shown[fake.nshown].writable = writable;
	*at = fake.shown[fake.nshown++].at = calloc(1, nbytes);
	return 0;
}

static int fake_map(void *owner, int fd, uint64_t offset, uint64_t nbytes, bool writable, void **at)
{
	(void)owner;
	assert_int_equal(fd, MACHINE_FD);
	if (offset >= PART_OFFSET)
		return map_shown(nbytes, writable, at);
	assert_true(writable);
	if (offset == PLEXUS_MMAP_RUN) {
		if (fake.map_run_err)
			return fake.map_run_err;
		fake.run_bytes = nbytes;
		*at = fake.run = calloc(1, nbytes);
	} else {
		assert_int_equal(offset, PLEXUS_MMAP_RAM);
		if (fake.map_ram_err)
			return fake.map_ram_err;
		fake.ram_bytes = nbytes;
		*at = fake.ram = calloc(1, nbytes);
	}
	return 0;
}

static void fake_unmap(void *owner, void *at, uint64_t nbytes)
{
	(void)owner;
	for (unsigned int i = 0; i < fake.nshown; i++) {
		if (at != fake.shown[i].at)
			continue;
		assert_int_equal(nbytes, fake.shown[i].nbytes);
		free(at);
		fake.shown[i].at = NULL;
		return;
	}
	if (at == fake.run) {
		assert_int_equal(nbytes, fake.run_bytes);
		fake.run = NULL;
	} else {
		assert_ptr_equal(at, fake.ram);
		assert_int_equal(nbytes, fake.ram_bytes);
		fake.ram = NULL;
	}
	free(at);
}

static bool fake_group(void *owner, const char *path, char *name, size_t nbytes)
{
	(void)owner;
	assert_string_equal(path, "/dev/plexus");
	if (fake.group)
		snprintf(name, nbytes, "%s", fake.group);
	return fake.group != NULL;
}

static const struct hm_calls fake_calls = {
	.open = fake_open, .close = fake_close, .ioctl = fake_ioctl, .map = fake_map, .unmap = fake_unmap, .group = fake_group,
	.owner = &fake,
};

/* ---- the machine around the processor ---------------------------------------------------------------- */

static struct board {
	char what[16];
	uint32_t address, size, value, count;
	uint32_t give;			/* what it answers */
	uint8_t seen[64];
	unsigned int calls;
} board;

static void note(void *machine, const char *what, uint32_t address, uint32_t size, uint32_t value, uint32_t count)
{
	assert_ptr_equal(machine, &board);
	snprintf(board.what, sizeof(board.what), "%s", what);
	board.address = address;
	board.size = size;
	board.value = value;
	board.count = count;
	board.calls++;
}

static uint32_t board_in(void *machine, uint16_t port, unsigned int size)
{
	note(machine, "in", port, size, 0, 1);
	return board.give;
}

static void board_out(void *machine, uint16_t port, unsigned int size, uint32_t value)
{
	note(machine, "out", port, size, value, 1);
}

static uint32_t board_ins(void *machine, uint16_t port, unsigned int size, void *buf, uint32_t count)
{
	note(machine, "ins", port, size, 0, count);
	memset(buf, 0x5a, (size_t)plx_min32(board.give, count) * size);
	return board.give;
}

static uint32_t board_outs(void *machine, uint16_t port, unsigned int size, const void *buf, uint32_t count)
{
	note(machine, "outs", port, size, 0, count);
	memcpy(board.seen, buf, plx_min32(sizeof(board.seen), count * size));
	return board.give;
}

static uint32_t board_mmio_read(void *machine, uint32_t gpa, unsigned int size)
{
	note(machine, "mmio_read", gpa, size, 0, 1);
	return board.give;
}

static void board_mmio_write(void *machine, uint32_t gpa, unsigned int size, uint32_t value)
{
	note(machine, "mmio_write", gpa, size, value, 1);
}

static int board_intack(void *machine)
{
	note(machine, "intack", 0, 0, 0, 0);
	return (int)board.give;
}

static bool board_ferr(void *machine, bool level)
{
	note(machine, "ferr", 0, 0, level, 0);
	return board.give;
}

static const struct plx_machine_ops board_ops = {
	.in = board_in, .out = board_out, .ins = board_ins, .outs = board_outs,
	.mmio_read = board_mmio_read, .mmio_write = board_mmio_write, .intack = board_intack, .ferr = board_ferr,
};
static struct plx_machine_ops board_without_ferr;

/* ---- words of the tests ------------------------------------------------------------------------------ */

static struct plx_vm *vm;
static char why[HOST_ERROR_MAX];

static int create(const struct plx_vm_config *config)
{
	why[0] = '\0';
	return hm_vm_create_by(&fake_calls, config, &vm, why, sizeof(why));
}

static const struct plx_vm_config plain = { .host = PLX_HOST_MODULE, .ram_bytes = RAM_BYTES, .extra_bytes = EXTRA_BYTES };

static int fresh(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&board, 0, sizeof(board));
	fake.version = PLEXUS_ABI_VERSION;
	fake.max_ram_bytes = 4096 * MIB;
	fake.release = "1.2.3";
	fake.layout = PLX_RECORD_LAYOUT;
	fake.rows = prescan_nr_rows();
	vm = NULL;
	return 0;
}

static int made(void **state)
{
	fresh(state);
	if (create(&plain))
		return -1;
	plx_vm_set_machine(vm, &board_ops, &board);
	return 0;
}

static int gone(void **state)
{
	(void)state;
	if (vm)
		plx_vm_destroy(vm);
	vm = NULL;
	for (unsigned int i = 0; i < fake.nshown; i++)
		if (fake.shown[i].at)
			return -1;
	return fake.device_open || fake.machine_open || fake.run || fake.ram;
}

/* The steps, then the end by plx_vm_stop. */
static void steps(const struct step *s, unsigned int n)
{
	assert_true(n < MAX_STEPS);
	memcpy(fake.step, s, n * sizeof(*s));
	fake.step[n] = (struct step){ .exit = PLEXUS_EXIT_STOP };
	fake.nsteps = n + 1;
	fake.at = 0;
}
#define STEPS(...) steps((const struct step[]){ __VA_ARGS__ }, sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

static void says(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" does not say \"%s\"", text, words);
	assert_null(strchr(text, '\n'));
}

static void run_fails(int err, const char *words)
{
	fake.step[0] = (struct step){ .err = err };
	fake.nsteps = 1;
	fake.at = 0;
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_ERROR);
	says(plx_vm_error(vm), words);
}

/* ---- making ------------------------------------------------------------------------------------------ */

static void a_machine_is_asked_for_as_configured(void **state)
{
	struct plx_vm_config config = {
		.ram_bytes = RAM_BYTES, .extra_bytes = EXTRA_BYTES, .rewrite = PLX_REWRITE_INT3, .host_features = "-lahf,-fsgsbase,-code16",
		.count_instructions = true, .descriptor_tables_guest = true, .monitor_high = true,
	};

	(void)state;
	assert_int_equal(create(&config), 0);
	assert_int_equal(fake.create.flags, PLEXUS_CREATE_COUNT | PLEXUS_CREATE_HIGH);
	assert_int_equal(fake.create.ram_bytes, RAM_BYTES);
	assert_int_equal(fake.create.extra_bytes, EXTRA_BYTES);
	assert_int_equal(fake.create.rewrite, PLEXUS_REWRITE_INT3);
	assert_int_equal(fake.create.tables, PLEXUS_TABLES_GUEST);
	assert_int_equal(fake.create.features_off, PLEXUS_FEATURE_LAHF | PLEXUS_FEATURE_CODE16);
	assert_int_equal(fake.ram_bytes, RAM_BYTES + EXTRA_BYTES);
	assert_true(fake.run_bytes >= sizeof(struct plexus_run));
	assert_ptr_equal(plx_vm_ram(vm), fake.ram);
	assert_false(fake.device_open);		/* the machine has a descriptor of its own */
}

static void a_plain_machine_asks_for_nothing_special(void **state)
{
	(void)state;
	assert_int_equal(create(&plain), 0);
	assert_int_equal(fake.create.flags, 0);
	assert_int_equal(fake.create.tables, PLEXUS_TABLES_FREE);
	assert_int_equal(fake.create.features_off, 0);
	assert_string_equal(plx_vm_error(vm), "no error");
}

static void each_way_not_to_open_the_device_has_its_sentence(void **state)
{
	static const struct { int err; const char *group, *words; } ways[] = {
		{ -ENOENT, NULL, "there is no /dev/plexus: as root \"modprobe plexus\", or use --host process" },
		{ -ENXIO, NULL, "modprobe plexus" },
		{ -EACCES, "plexus", "for the group \"plexus\" (as root \"usermod -aG plexus USER\", then log in again), or use --host" },
		{ -EACCES, NULL, "for root alone" },
		{ -EPERM, NULL, "for root alone" },
		{ -EMFILE, NULL, "ulimit -n" },
		{ -EIO, NULL, "Input/output error; or use --host process" },
	};

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(ways); i++) {
		fake.open_err = ways[i].err;
		fake.group = ways[i].group;
		assert_int_equal(create(&plain), ways[i].err);
		says(why, ways[i].words);
		assert_int_equal(hm_device_check(&fake_calls, why, sizeof(why)), ways[i].err);
		says(why, ways[i].words);
	}
}

static void a_module_of_another_version_is_refused(void **state)
{
	static const uint32_t versions[] = { 0, PLEXUS_ABI_VERSION + 1, ~0u };

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(versions); i++) {
		fake.version = versions[i];
		assert_int_equal(create(&plain), -EPROTO);
		says(why, "plexus.ko (release \"1.2.3\") speaks version");
		says(why, "install the module of this program's release, or use --host process");
		assert_false(fake.device_open);
	}
}

static void a_device_that_is_no_module_is_refused(void **state)
{
	(void)state;
	fake.version_err = -ENOTTY;
	assert_int_equal(create(&plain), -ENOTTY);
	says(why, "something else");
	fake.version_err = -EINVAL;		/* it does not like our size */
	assert_int_equal(create(&plain), -EINVAL);
	says(why, "does not tell its version: Invalid argument");
}

static void a_release_without_an_end_is_cut(void **state)
{
	(void)state;
	fake.release = "0123456789012345678901234567890123456789";
	assert_int_equal(hm_device_check(&fake_calls, why, sizeof(why)), 0);
	assert_string_equal(why, "plexus.ko 01234567890123456789012345678901, up to 16 machines of a user, each of up to 4096 MiB");
	assert_false(fake.device_open);
}

static void each_way_not_to_make_a_machine_has_its_sentence(void **state)
{
	static const struct { int err; const char *words; } ways[] = {
		{ -ENOMEM, "no memory for a machine of 10 MiB" },
		{ -EMFILE, "as many machines as plexus.ko gives one user (16)" },
		{ -EOPNOTSUPP, "on this processor or kernel" },
		{ -EINVAL, "leave out what is out of the ordinary, or use --host process" },
		{ -E2BIG, "does not know such a machine" },
		{ -ENOTTY, "cannot make a machine: Inappropriate ioctl" },
		{ -EFAULT, "cannot make a machine: Bad address; or use --host process" },
	};
	struct plx_vm_config guest = plain, high = plain;

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(ways); i++) {
		fake.create_err = ways[i].err;
		assert_int_equal(create(&plain), ways[i].err);
		says(why, ways[i].words);
		assert_false(fake.device_open || fake.machine_open);
	}
	fake.create_err = -EINVAL;
	guest.descriptor_tables_guest = true;
	assert_int_equal(create(&guest), -EINVAL);
	says(why, "leave out --descriptor-tables=guest,");
	high.monitor_high = true;
	assert_int_equal(create(&high), -EINVAL);
	says(why, "leave out --monitor-high,");
}

static void more_memory_than_the_module_gives_is_refused_before_it_is_asked_for(void **state)
{
	(void)state;
	fake.max_ram_bytes = RAM_BYTES;
	assert_int_equal(create(&plain), -ENOMEM);
	says(why, "at most 8 MiB, 2 of them beside its RAM");
	assert_int_equal(fake.create.size, 0);
	assert_false(fake.device_open);
}

static void memory_that_cannot_be_mapped_leaves_nothing_behind(void **state)
{
	(void)state;
	fake.map_run_err = -ENOMEM;
	assert_int_equal(create(&plain), -ENOMEM);
	says(why, "cannot be mapped: Cannot allocate memory");
	assert_false(fake.machine_open);
	fake.map_run_err = 0;
	fake.map_ram_err = -EAGAIN;
	assert_int_equal(create(&plain), -EAGAIN);
	assert_null(fake.run);
	assert_false(fake.machine_open);
}

static void an_unknown_feature_is_refused_as_in_a_process(void **state)
{
	struct plx_vm_config config = plain;

	(void)state;
	config.host_features = "-lahf,-telepathy";
	assert_int_equal(create(&config), -EINVAL);
	says(why, "\"-telepathy\" is not known");
}

static void a_signal_while_it_is_made_changes_nothing(void **state)
{
	(void)state;
	fake.interruptions = 1;
	assert_int_equal(create(&plain), 0);
	assert_int_equal(fake.interruptions, 0);
	plx_vm_destroy(vm);
	vm = NULL;
	fake.interruptions = 3;
	assert_int_equal(create(&plain), 0);
}

/* ---- exits ------------------------------------------------------------------------------------------- */

static void in_gives_as_many_bits_as_were_asked_for(void **state)
{
	(void)state;
	board.give = 0x89abcdef;
	STEPS({ .exit = PLEXUS_EXIT_IN, .bytes = 1, .address = 0x3f8 },
	      { .exit = PLEXUS_EXIT_IN, .bytes = 2, .address = 0x1f0 },
	      { .exit = PLEXUS_EXIT_IN, .bytes = 4, .address = 0xcfc });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_int_equal(fake.reply[0], 0xef);
	assert_int_equal(fake.reply[1], 0xcdef);
	assert_int_equal(fake.reply[2], 0x89abcdef);
	assert_string_equal(board.what, "in");
	assert_int_equal(board.address, 0xcfc);
	assert_int_equal(board.size, 4);
}

static void check_out(uint32_t nbytes, uint32_t want)
{
	STEPS({ .exit = PLEXUS_EXIT_OUT, .bytes = nbytes, .address = 0x80, .value = 0x89abcdef });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_string_equal(board.what, "out");
	assert_int_equal(board.address, 0x80);
	assert_int_equal(board.size, nbytes);
	assert_int_equal(board.value, want);
}

static void out_hands_on_as_many_bits_as_were_written(void **state)
{
	(void)state;
	check_out(1, 0xef);
	check_out(2, 0xcdef);
	check_out(4, 0x89abcdef);
}

static void ins_fills_the_run_page_and_tells_how_many(void **state)
{
	(void)state;
	board.give = 3;
	STEPS({ .exit = PLEXUS_EXIT_INS, .bytes = 2, .address = 0x1f0, .count = 256 });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_string_equal(board.what, "ins");
	assert_int_equal(board.count, 256);
	assert_int_equal(board.size, 2);
	assert_int_equal(fake.reply[0], 3);
	assert_int_equal(fake.reply_count[0], 3);
	assert_memory_equal(fake.run->data, "\x5a\x5a\x5a\x5a\x5a\x5a\0", 7);
}

static void ins_fills_guest_memory_where_it_stands(void **state)
{
	(void)state;
	board.give = 4;
	STEPS({ .exit = PLEXUS_EXIT_INS, .bytes = 4, .address = 0x1f0, .count = 4, .in_ram = 1,
		.ram_offset = RAM_BYTES + EXTRA_BYTES - 16 });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_int_equal(fake.reply[0], 4);
	assert_int_equal(fake.ram[RAM_BYTES + EXTRA_BYTES - 17], 0);
	assert_int_equal(fake.ram[RAM_BYTES + EXTRA_BYTES - 16], 0x5a);
	assert_int_equal(fake.ram[RAM_BYTES + EXTRA_BYTES - 1], 0x5a);
}

static void put_data(void)
{
	memcpy(fake.run->data, "abcdefgh", 8);
}

static void outs_takes_from_the_run_page_and_from_guest_memory(void **state)
{
	(void)state;
	board.give = 8;
	STEPS({ .exit = PLEXUS_EXIT_OUTS, .bytes = 1, .address = 0x402, .count = 8, .meanwhile = put_data });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_string_equal(board.what, "outs");
	assert_memory_equal(board.seen, "abcdefgh", 8);

	memcpy(fake.ram + 0x7000, "ABCDEFGH", 8);
	board.give = 1;
	STEPS({ .exit = PLEXUS_EXIT_OUTS, .bytes = 2, .address = 0x402, .count = 4, .in_ram = 1, .ram_offset = 0x7000 });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_memory_equal(board.seen, "ABCDEFGH", 8);
	assert_int_equal(fake.reply[0], 1);
}

static void a_full_run_page_of_elements_is_taken(void **state)
{
	(void)state;
	board.give = PLEXUS_RUN_DATA / 4;
	STEPS({ .exit = PLEXUS_EXIT_INS, .bytes = 4, .count = PLEXUS_RUN_DATA / 4 });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_int_equal(fake.run->data[PLEXUS_RUN_DATA - 1], 0x5a);
}

/* Each on a machine of its own, for it is dead afterwards. */
static void accesses_that_do_not_fit_end_the_run_and_touch_nothing(void **state)
{
	static const struct step nonsense[] = {
		{ .exit = PLEXUS_EXIT_INS, .bytes = 4, .count = PLEXUS_RUN_DATA / 4 + 1 },
		{ .exit = PLEXUS_EXIT_INS, .bytes = 4, .count = 0x40000001 },	/* 4 in 32 bits */
		{ .exit = PLEXUS_EXIT_OUTS, .bytes = 1, .count = 0 },
		{ .exit = PLEXUS_EXIT_INS, .bytes = 1, .count = 2, .in_ram = 1, .ram_offset = RAM_BYTES + EXTRA_BYTES - 1 },
		{ .exit = PLEXUS_EXIT_INS, .bytes = 1, .count = 2, .in_ram = 1, .ram_offset = ~0ull },
		{ .exit = PLEXUS_EXIT_OUTS, .bytes = 4, .count = 0x40000001, .in_ram = 1 },
		{ .exit = PLEXUS_EXIT_IN, .bytes = 3 },
		{ .exit = PLEXUS_EXIT_OUT, .bytes = 0 },
		{ .exit = PLEXUS_EXIT_MMIO_READ, .bytes = 8 },
		{ .exit = PLEXUS_EXIT_MMIO_WRITE, .bytes = 0x80000000 },
		{ .exit = PLEXUS_EXIT_ERROR + 1, .bytes = 1 },
		{ .exit = ~0u, .bytes = 1 },
	};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(nonsense); i++) {
		gone(state);
		assert_int_equal(made(state), 0);
		steps(&nonsense[i], 1);
		assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_ERROR);
		says(plx_vm_error(vm), "this is a defect of Plexus, please report it");
		assert_int_equal(board.calls, 0);
		assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_ERROR);	/* and stays so */
		assert_int_equal(fake.at, 1);
	}
}

static void device_memory_is_read_and_written(void **state)
{
	(void)state;
	board.give = 0x89abcdef;
	STEPS({ .exit = PLEXUS_EXIT_MMIO_READ, .bytes = 1, .address = 0xfec00010 },
	      { .exit = PLEXUS_EXIT_MMIO_READ, .bytes = 2, .address = 0xa0000 },
	      { .exit = PLEXUS_EXIT_MMIO_READ, .bytes = 4, .address = 0xfffffffc });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_int_equal(fake.reply[0], 0xef);
	assert_int_equal(fake.reply[1], 0xcdef);
	assert_int_equal(fake.reply[2], 0x89abcdef);
	assert_string_equal(board.what, "mmio_read");
	assert_int_equal(board.address, 0xfffffffc);
	STEPS({ .exit = PLEXUS_EXIT_MMIO_WRITE, .bytes = 2, .address = 0xb8000, .value = 0xffff0741 });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_string_equal(board.what, "mmio_write");
	assert_int_equal(board.address, 0xb8000);
	assert_int_equal(board.value, 0x0741);
}

static void an_interrupt_controller_may_have_no_vector(void **state)
{
	(void)state;
	board.give = 0x20;
	STEPS({ .exit = PLEXUS_EXIT_INTACK });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_int_equal(fake.reply[0], 0x20);
	board.give = ~0u;
	STEPS({ .exit = PLEXUS_EXIT_INTACK });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_int_equal(fake.reply[0], 0xffffffff);
}

static void ferr_is_asked_where_it_is_connected(void **state)
{
	(void)state;
	STEPS({ .exit = PLEXUS_EXIT_FERR, .value = 1 });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_string_equal(board.what, "ferr");
	assert_int_equal(board.value, 1);
	assert_int_equal(fake.reply[0], 0);
	board_without_ferr = board_ops;
	board_without_ferr.ferr = NULL;
	plx_vm_set_machine(vm, &board_without_ferr, &board);
	STEPS({ .exit = PLEXUS_EXIT_FERR, .value = 1 });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_int_equal(fake.reply[0], 1);		/* IGNNE# is asserted */
}

static void ends_of_a_run_are_told_apart(void **state)
{
	static const struct { uint32_t exit; enum plx_exit end; } ends[] = {
		{ PLEXUS_EXIT_STOP, PLX_EXIT_STOP }, { PLEXUS_EXIT_RESET, PLX_EXIT_RESET },
		{ PLEXUS_EXIT_TRIPLE_FAULT, PLX_EXIT_TRIPLE_FAULT },
	};

	(void)state;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(ends); i++) {
		STEPS({ .exit = ends[i].exit });
		assert_int_equal(plx_vcpu_run(vm), ends[i].end);
		assert_int_equal(fake.at, 1);
	}
}

static void a_machine_that_died_says_why(void **state)
{
	(void)state;
	STEPS({ .exit = PLEXUS_EXIT_ERROR, .message = "the monitor met something it does not know" });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_ERROR);
	assert_string_equal(plx_vm_error(vm), "the monitor met something it does not know");
}

static void a_last_sentence_without_an_end_is_cut(void **state)
{
	char message[sizeof(fake.run->message) + 64];

	(void)state;
	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	STEPS({ .exit = PLEXUS_EXIT_ERROR, .message = message });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_ERROR);
	assert_int_equal(strlen(plx_vm_error(vm)), HOST_ERROR_MAX - 1);
}

static void each_way_not_to_run_has_its_sentence(void **state)
{
	static const struct { int err; const char *words; } ways[] = {
		{ -EIO, "does not say why; look at dmesg" },
		{ -EBUSY, "in another thread" },
		{ -ENOMEM, "no memory left" },
		{ -EOPNOTSUPP, "or use --host process" },
		{ -EFAULT, "cannot run the machine: Bad address" },
		{ -ENOTTY, "cannot run the machine: Inappropriate ioctl" },
	};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(ways); i++) {
		gone(state);
		assert_int_equal(made(state), 0);
		run_fails(ways[i].err, ways[i].words);
	}
	gone(state);
	assert_int_equal(made(state), 0);
	memcpy(fake.run->message, "it was all too much", 20);
	run_fails(-EIO, "it was all too much");
}

/* ---- pins and buttons -------------------------------------------------------------------------------- */

static void a_signal_breaks_a_run_off_and_it_goes_on(void **state)
{
	(void)state;
	board.give = 7;
	STEPS({ .err = -EINTR }, { .err = -EINTR, .exit = PLEXUS_EXIT_IN, .bytes = 1 }, { .exit = PLEXUS_EXIT_NONE },
	      { .exit = PLEXUS_EXIT_IN, .bytes = 1 });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_int_equal(board.calls, 1);	/* what stands in the run page after -EINTR is no exit */
	assert_int_equal(fake.at, 5);
}

static void stop_meanwhile(void)
{
	plx_vm_stop(vm);
}

static void reset_meanwhile(void)
{
	plx_vm_request_reset(vm);
}

static void both_meanwhile(void)
{
	plx_vm_request_reset(vm);
	plx_vm_stop(vm);
}

static void a_stop_that_the_module_did_not_take_is_taken_after_a_signal(void **state)
{
	(void)state;
	STEPS({ .err = -EINTR, .meanwhile = stop_meanwhile });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_int_equal(fake.at, 1);
	assert_int_equal(fake.run->stop, 0);
	STEPS({ .exit = PLEXUS_EXIT_NONE, .meanwhile = reset_meanwhile });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_RESET);
	assert_int_equal(fake.at, 1);
	STEPS({ .err = -EINTR, .meanwhile = both_meanwhile });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
}

static void raise_meanwhile(void)
{
	plx_set_intr(vm, true);
	plx_set_intr(vm, true);
	plx_set_intr(vm, false);
	assert_int_equal(fake.kicks, 1);	/* one edge, one kick; a level that goes away waits for nobody */
	plx_pulse_nmi(vm);
	assert_int_equal(fake.kicks, 2);
	plx_vm_stop(vm);
	assert_int_equal(fake.kicks, 3);
	plx_vm_request_reset(vm);
	assert_int_equal(fake.kicks, 4);
}

static void only_a_machine_that_may_be_inside_is_kicked(void **state)
{
	(void)state;
	plx_set_intr(vm, true);
	assert_int_equal(fake.run->intr, 1);
	plx_set_intr(vm, false);
	assert_int_equal(fake.run->intr, 0);
	plx_pulse_nmi(vm);
	assert_int_equal(fake.run->nmi, 1);
	plx_vm_request_reset(vm);
	assert_int_equal(fake.run->stop, PLEXUS_STOP_RESET);
	plx_vm_stop(vm);
	assert_int_equal(fake.run->stop, PLEXUS_STOP_RESET | PLEXUS_STOP_QUIT);
	assert_int_equal(fake.kicks, 0);
	fake.run->stop = 0;
	STEPS({ .exit = PLEXUS_EXIT_STOP, .meanwhile = raise_meanwhile });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	plx_set_intr(vm, true);
	assert_int_equal(fake.kicks, 4);
}

static uint32_t in_with_interrupt(void *machine, uint16_t port, unsigned int size)
{
	(void)machine;
	(void)port;
	(void)size;
	plx_set_intr(vm, true);
	return 0;
}

static void a_device_on_the_processors_thread_needs_no_kick(void **state)
{
	struct plx_machine_ops ops = board_ops;

	(void)state;
	ops.in = in_with_interrupt;
	plx_vm_set_machine(vm, &ops, &board);
	STEPS({ .exit = PLEXUS_EXIT_IN, .bytes = 1 });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_int_equal(fake.run->intr, 1);
	assert_int_equal(fake.kicks, 0);
}

static void signals_wait_while_it_runs_but_for_those_of_our_own_defects(void **state)
{
	sigset_t after;

	(void)state;
	STEPS({ .exit = PLEXUS_EXIT_STOP });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_STOP);
	assert_true(sigismember(&fake.mask, SIGTERM) && sigismember(&fake.mask, SIGUSR1) && sigismember(&fake.mask, SIGCHLD));
	assert_false(sigismember(&fake.mask, SIGSEGV) || sigismember(&fake.mask, SIGBUS) || sigismember(&fake.mask, SIGILL));
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_false(sigismember(&after, SIGTERM));
}

/* ---- memory ------------------------------------------------------------------------------------------ */

static void memory_of_devices_is_zeroed_aligned_and_apart(void **state)
{
	uint8_t *a = plx_vm_alloc(vm, 100), *b = plx_vm_alloc(vm, 4 * MIB), *c = plx_vm_alloc(vm, 0);

	(void)state;
	assert_true(a && b && c);
	assert_int_equal(((uintptr_t)a | (uintptr_t)b) % 64, 0);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(a[i], 0);
	memset(a, 1, 100);
	assert_int_equal(b[0] | b[4 * MIB - 1], 0);
	memset(b, 2, 4 * MIB);
	assert_int_equal(a[99], 1);
	assert_null(plx_vm_alloc(vm, SIZE_MAX - 8));
}

static void regions_are_laid_out_as_asked(void **state)
{
	(void)state;
	assert_int_equal(plx_vm_map(vm, 0xfffc0000, 0x40000, RAM_BYTES, PLX_MAP_ROM), 0);
	assert_int_equal(fake.map.kind, PLEXUS_MAP_ROM);
	assert_int_equal(fake.map.guest_physical, 0xfffc0000);
	assert_int_equal(fake.map.bytes, 0x40000);
	assert_int_equal(fake.map.offset, RAM_BYTES);
	/* What plexus.h does not look at, the module does: it must be 0. */
	assert_int_equal(plx_vm_map(vm, 0xa0000, 0x20000, 0x123, PLX_MAP_NONE), 0);
	assert_int_equal(fake.map.kind, PLEXUS_MAP_DEVICE);
	assert_int_equal(fake.map.offset, 0);
	fake.fail_call = PLEXUS_MAP;
	fake.fail_call_err = -EINVAL;
	assert_int_equal(plx_vm_map(vm, 1, 2, 3, PLX_MAP_RAM), -EINVAL);
	says(plx_vm_error(vm), "not on page boundaries or outside memory");
	STEPS({ .exit = PLEXUS_EXIT_RESET });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_RESET);	/* a caller's mistake is not the end of the machine */
}

static void dma_goes_through_the_module_a_piece_at_a_time(void **state)
{
	uint8_t *big = calloc(1, 40 * MIB);

	(void)state;
	plx_vm_dma_write(vm, 0x1000, "hello", 6);
	assert_int_equal(fake.naccesses, 1);
	assert_int_equal(fake.access[0].write, 1);
	assert_string_equal((char *)fake.ram + 0x1000, "hello");
	plx_vm_dma_read(vm, 0x1001, big, 5);
	assert_int_equal(fake.access[1].write, 0);
	assert_string_equal((char *)big, "ello");

	fake.naccesses = 0;
	plx_vm_dma_read(vm, 0x10000000, big, 40 * MIB);
	assert_int_equal(fake.naccesses, 3);
	assert_int_equal(fake.access[2].guest_physical, 0x10000000 + 32 * MIB);
	assert_int_equal(fake.access[2].bytes, 8 * MIB);
	assert_int_equal(fake.access[2].buffer, (uintptr_t)big + 32 * MIB);

	fake.naccesses = 0;
	plx_vm_dma_read(vm, 0xfffffff0, big, 32);		/* around the top of the address space */
	assert_int_equal(fake.naccesses, 2);
	assert_int_equal(fake.access[0].bytes, 16);
	assert_int_equal(fake.access[1].guest_physical, 0);
	fake.naccesses = 0;
	plx_vm_dma_read(vm, 0, big, 0);
	assert_int_equal(fake.naccesses, 0);
	free(big);
}

static void dma_that_fails_ends_the_next_run(void **state)
{
	uint8_t byte = 0;

	(void)state;
	fake.fail_call = PLEXUS_ACCESS;
	fake.fail_call_err = -EFAULT;
	plx_vm_dma_read(vm, 0, &byte, 1);
	assert_int_equal(byte, 0xff);		/* a bus that nobody drives */
	STEPS({ .exit = PLEXUS_EXIT_STOP });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_ERROR);
	assert_int_equal(fake.at, 0);
	says(plx_vm_error(vm), "plexus.ko could not reach guest memory: Bad address");
}

/* ---- the processor ----------------------------------------------------------------------------------- */

static void a_processor_starts_as_after_power_on_or_flat(void **state)
{
	const struct plx_flat_start flat = { .eip = 0x100000, .esp = 0x8000, .esi = 0x10000, .gdt_base = 0x900, .gdt_limit = 0x1f };

	(void)state;
	plx_pulse_nmi(vm);
	plx_vm_reset_cpu(vm);
	assert_int_equal(fake.start.flat, 0);
	assert_int_equal(fake.run->nmi, 0);
	plx_vm_start_flat(vm, &flat);
	assert_int_equal(fake.starts, 2);
	assert_int_equal(fake.start.flat, 1);
	assert_int_equal(fake.start.eip, 0x100000);
	assert_int_equal(fake.start.esp, 0x8000);
	assert_int_equal(fake.start.esi, 0x10000);
	assert_int_equal(fake.start.gdt_base, 0x900);
	assert_int_equal(fake.start.gdt_limit, 0x1f);
	assert_int_equal(fake.start.reserved, 0);
}

static void a_processor_that_does_not_start_ends_the_next_run_with_the_first_reason(void **state)
{
	(void)state;
	fake.fail_call = PLEXUS_START;
	fake.fail_call_err = -EIO;
	memcpy(fake.run->message, "first", 6);
	plx_vm_reset_cpu(vm);
	memcpy(fake.run->message, "later", 6);
	plx_vm_reset_cpu(vm);
	STEPS({ .exit = PLEXUS_EXIT_STOP });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_ERROR);
	assert_string_equal(plx_vm_error(vm), "first");
}

static void the_a20_gate_is_set(void **state)
{
	(void)state;
	plx_vm_set_a20(vm, true);
	assert_int_equal(fake.a20.open, 1);
	plx_vm_set_a20(vm, false);
	assert_int_equal(fake.a20.open, 0);
	fake.fail_call = PLEXUS_A20;
	fake.fail_call_err = -ENOTTY;
	plx_vm_set_a20(vm, true);
	STEPS({ .exit = PLEXUS_EXIT_STOP });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_ERROR);
	says(plx_vm_error(vm), "set the A20 gate");
}

static void registers_are_text(void **state)
{
	char text[1024], little[16];

	(void)state;
	plx_vm_dump_registers(vm, text, sizeof(text));
	assert_non_null(strstr(text, "EAX=11223344 EBX=00000000"));
	assert_non_null(strstr(text, "ESP=55667788\nEIP=0000fff0"));
	assert_non_null(strstr(text, "CS=f000 base ffff0000 limit 0000ffff attr 0009b\n"));
	assert_non_null(strstr(text, "IDT base 00000000 limit 03ff  TR=0030 base 00003000\n"));
	plx_vm_dump_registers(vm, little, sizeof(little));
	assert_string_equal(little, "EAX=11223344 EB");
}

static void registers_of_a_dead_machine_are_said_to_be_unknown(void **state)
{
	char text[256];

	(void)state;
	fake.fail_call = PLEXUS_REGISTERS;
	fake.fail_call_err = -EIO;
	plx_vm_dump_registers(vm, text, sizeof(text));
	assert_non_null(strstr(text, "the registers are not known: plexus.ko does not give them: Input/output error"));
}

/* ---- figures ----------------------------------------------------------------------------------------- */

static void figures_have_the_names_that_a_process_gives_them(void **state)
{
	struct plx_stat stats[256];
	uint64_t entries = 0, callouts = 0;
	size_t n;

	(void)state;
	fake.stat[0] = ENGINE_STAT_NR;
	fake.stat[ENGINE_STAT_ENTRIES] = 12;
	fake.stat[ENGINE_STAT_ROWS] = 1;	/* another release's */
	fake.stat[ENGINE_STAT_NR] = 0 << 8 | 1;
	fake.stat[ENGINE_STAT_NR + 1] = 34;
	fake.nstats = ENGINE_STAT_NR + 2;
	n = plx_vm_stats(vm, stats, PLX_ARRAY_SIZE(stats));
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(stats[i].name, "entries into guest code"))
			entries = stats[i].value;
		if (!strncmp(stats[i].group, "callout: ", 9))
			callouts += stats[i].value;
	}
	assert_int_equal(entries, 12);
	assert_int_equal(callouts, 34);
}

static void a_module_without_figures_has_none(void **state)
{
	struct plx_stat stats[4];

	(void)state;
	fake.fail_call = PLEXUS_STATS;
	fake.fail_call_err = -ENOTTY;
	assert_int_equal(plx_vm_stats(vm, stats, 4), 0);
}

static void a_trace_is_three_pieces_and_one_is_for_us_to_write(void **state)
{
	struct plx_trace *t;

	(void)state;
	t = plx_vm_trace(vm, 1024, true);
	assert_non_null(t);
	assert_int_equal(fake.record.what, PLEXUS_RECORD_TRACE);
	assert_int_equal(fake.record.flags, PLEXUS_RECORD_WAIT);
	assert_int_equal(fake.record.entries, 1024);
	assert_int_equal(t->entries, 1024);
	assert_true(t->wait);
	assert_int_equal(fake.nshown, 3);
	assert_ptr_equal(t->sums, fake.shown[0].at);
	assert_ptr_equal(t->ring, fake.shown[1].at);
	assert_ptr_equal(t->control, fake.shown[2].at);
	assert_int_equal(fake.shown[1].nbytes, plx_trace_ring_bytes(1024));
	assert_false(fake.shown[0].writable || fake.shown[1].writable);
	assert_true(fake.shown[2].writable);
	plx_vm_trace_collect(vm);			/* the monitor does it */
}

static void sums_alone_have_no_ring(void **state)
{
	struct plx_trace *t;

	(void)state;
	t = plx_vm_trace(vm, 0, false);
	assert_non_null(t);
	assert_null(t->ring);
	assert_int_equal(fake.record.flags, 0);
	assert_int_equal(fake.nshown, 2);
}

static void sites_are_asked_for_once_and_again_to_be_timed(void **state)
{
	const struct plx_sites *sites;

	(void)state;
	sites = plx_vm_sites(vm, false);
	assert_non_null(sites);
	assert_int_equal(fake.record.what, PLEXUS_RECORD_SITES);
	assert_ptr_equal(plx_vm_sites(vm, false), sites);
	assert_int_equal(fake.nrecords, 1);
	assert_ptr_equal(plx_vm_sites(vm, true), sites);
	assert_int_equal(fake.record.flags, PLEXUS_RECORD_EVERY);
	assert_ptr_equal(plx_vm_sites(vm, true), sites);
	assert_int_equal(fake.nrecords, 2);
	assert_int_equal(fake.nshown, 1);
	assert_false(fake.shown[0].writable);
}

static void coverage_is_a_table_to_read(void **state)
{
	const struct plx_cover *cover = plx_vm_cover(vm);

	(void)state;
	assert_non_null(cover);
	assert_ptr_equal(cover, fake.shown[0].at);
	assert_int_equal(fake.record.what, PLEXUS_RECORD_COVERAGE);
	assert_int_equal(fake.shown[0].nbytes, PLX_COVER_BYTES);
	assert_false(fake.shown[0].writable);
}

static void each_way_not_to_record_has_its_sentence(void **state)
{
	(void)state;
	fake.fail_call = PLEXUS_RECORD;
	fake.fail_call_err = -ENOTTY;
	assert_null(plx_vm_trace(vm, 1024, true));
	says(plx_vm_error(vm), "of a release that does not record a trace");
	says(plx_vm_error(vm), "or use --host process");
	fake.fail_call_err = -ENOMEM;
	assert_null(plx_vm_cover(vm));
	says(plx_vm_error(vm), "cannot record coverage: Cannot allocate memory");
	fake.fail_call_err = -EEXIST;
	assert_null(plx_vm_cover(vm));
	says(plx_vm_error(vm), "coverage is recorded already");
	fake.fail_call = 0;
	fake.layout++;
	assert_null(plx_vm_sites(vm, true));
	says(plx_vm_error(vm), "records sites in another form");
	fake.layout--;
	fake.rows--;
	assert_null(plx_vm_sites(vm, true));
	says(plx_vm_error(vm), "records sites in another form");
	fake.rows++;
	fake.short_by = 1;
	assert_null(plx_vm_cover(vm));
	says(plx_vm_error(vm), "records coverage in another form");
	assert_int_equal(fake.nshown, 0);
	fake.short_by = 0;
	fake.fail_part = 2;
	fake.map_record_err = -EAGAIN;
	assert_null(plx_vm_trace(vm, 1024, true));
	says(plx_vm_error(vm), "cannot record a trace: Resource temporarily unavailable");
	assert_int_equal(fake.nshown, 1);		/* and given back with the machine */
}

static void calls_that_are_the_process_hosts_alone_do_nothing(void **state)
{
	(void)state;
	plx_vm_host_call(vm);
	plx_vm_child_died(vm);
	STEPS({ .exit = PLEXUS_EXIT_RESET });
	assert_int_equal(plx_vcpu_run(vm), PLX_EXIT_RESET);
}

/* ---- which host -------------------------------------------------------------------------------------- */

static void a_process_refuses_what_only_the_module_can(void **state)
{
	struct plx_vm_config config = { .ram_bytes = RAM_BYTES, .descriptor_tables_guest = true };
	struct plx_vm *none = NULL;

	(void)state;
	assert_int_equal(plx_vm_create(&config, &none), -EINVAL);
	says(plx_vm_error(NULL), "--descriptor-tables=guest needs --host module");
	config.descriptor_tables_guest = false;
	config.monitor_high = true;
	assert_int_equal(plx_vm_create(&config, &none), -EINVAL);
	says(plx_vm_error(NULL), "--monitor-high needs --host module");
	config.monitor_high = false;
	config.ram_bytes = RAM_BYTES + 1;
	config.host = PLX_HOST_MODULE;
	assert_int_equal(plx_vm_create(&config, &none), -EINVAL);
	says(plx_vm_error(NULL), "multiple of 1 MiB");
}

/* On a host that has one this cannot be shown. */
static void auto_is_the_process_where_there_is_no_module(void **state)
{
	struct plx_vm_config config = { .host = PLX_HOST_AUTO, .ram_bytes = RAM_BYTES };
	struct plx_vm *process = NULL;

	(void)state;
	if (plx_host_module_check(why, sizeof(why)) == 0)
		skip();
	assert_int_equal(plx_vm_create(&config, &process), 0);
	assert_non_null(plx_vm_trace(process, 0, false));	/* what only that one can */
	plx_vm_destroy(process);
	config.host = PLX_HOST_MODULE;
	assert_int_not_equal(plx_vm_create(&config, &process), 0);
	says(plx_vm_error(NULL), "or use --host process");
}

#define ON_NOTHING(test) cmocka_unit_test_setup_teardown(test, fresh, gone)
#define ON_MACHINE(test) cmocka_unit_test_setup_teardown(test, made, gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_NOTHING(a_machine_is_asked_for_as_configured),
		ON_NOTHING(a_plain_machine_asks_for_nothing_special),
		ON_NOTHING(each_way_not_to_open_the_device_has_its_sentence),
		ON_NOTHING(a_module_of_another_version_is_refused),
		ON_NOTHING(a_device_that_is_no_module_is_refused),
		ON_NOTHING(a_release_without_an_end_is_cut),
		ON_NOTHING(each_way_not_to_make_a_machine_has_its_sentence),
		ON_NOTHING(more_memory_than_the_module_gives_is_refused_before_it_is_asked_for),
		ON_NOTHING(memory_that_cannot_be_mapped_leaves_nothing_behind),
		ON_NOTHING(an_unknown_feature_is_refused_as_in_a_process),
		ON_NOTHING(a_signal_while_it_is_made_changes_nothing),
		ON_MACHINE(in_gives_as_many_bits_as_were_asked_for),
		ON_MACHINE(out_hands_on_as_many_bits_as_were_written),
		ON_MACHINE(ins_fills_the_run_page_and_tells_how_many),
		ON_MACHINE(ins_fills_guest_memory_where_it_stands),
		ON_MACHINE(outs_takes_from_the_run_page_and_from_guest_memory),
		ON_MACHINE(a_full_run_page_of_elements_is_taken),
		ON_MACHINE(accesses_that_do_not_fit_end_the_run_and_touch_nothing),
		ON_MACHINE(device_memory_is_read_and_written),
		ON_MACHINE(an_interrupt_controller_may_have_no_vector),
		ON_MACHINE(ferr_is_asked_where_it_is_connected),
		ON_MACHINE(ends_of_a_run_are_told_apart),
		ON_MACHINE(a_machine_that_died_says_why),
		ON_MACHINE(a_last_sentence_without_an_end_is_cut),
		ON_MACHINE(each_way_not_to_run_has_its_sentence),
		ON_MACHINE(a_signal_breaks_a_run_off_and_it_goes_on),
		ON_MACHINE(a_stop_that_the_module_did_not_take_is_taken_after_a_signal),
		ON_MACHINE(only_a_machine_that_may_be_inside_is_kicked),
		ON_MACHINE(a_device_on_the_processors_thread_needs_no_kick),
		ON_MACHINE(signals_wait_while_it_runs_but_for_those_of_our_own_defects),
		ON_MACHINE(memory_of_devices_is_zeroed_aligned_and_apart),
		ON_MACHINE(regions_are_laid_out_as_asked),
		ON_MACHINE(dma_goes_through_the_module_a_piece_at_a_time),
		ON_MACHINE(dma_that_fails_ends_the_next_run),
		ON_MACHINE(a_processor_starts_as_after_power_on_or_flat),
		ON_MACHINE(a_processor_that_does_not_start_ends_the_next_run_with_the_first_reason),
		ON_MACHINE(the_a20_gate_is_set),
		ON_MACHINE(registers_are_text),
		ON_MACHINE(registers_of_a_dead_machine_are_said_to_be_unknown),
		ON_MACHINE(figures_have_the_names_that_a_process_gives_them),
		ON_MACHINE(a_module_without_figures_has_none),
		ON_MACHINE(a_trace_is_three_pieces_and_one_is_for_us_to_write),
		ON_MACHINE(sums_alone_have_no_ring),
		ON_MACHINE(sites_are_asked_for_once_and_again_to_be_timed),
		ON_MACHINE(coverage_is_a_table_to_read),
		ON_MACHINE(each_way_not_to_record_has_its_sentence),
		ON_MACHINE(calls_that_are_the_process_hosts_alone_do_nothing),
		ON_NOTHING(a_process_refuses_what_only_the_module_can),
		ON_NOTHING(auto_is_the_process_where_there_is_no_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
