/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_block.c - claims about disk images: what is refused and how it is said, what reaches the file, and that
 * a snapshot never does.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>

#include "devices/block_file.h"
#include "devices/block_overlay.h"
#include "devices/ide.h"

#define NSECTORS 64

struct place {
	char directory[64], image[96], error[512];
	struct block_file file;
	struct block_ops ops;
};

static void make_image(const char *path, size_t nbytes)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (size_t i = 0; i < nbytes; i++)
		fputc((int)(i / 512 + i % 512 * 3) & 0xff, f);
	assert_int_equal(fclose(f), 0);
}

static int place_setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	strcpy(p->directory, "/tmp/plexus-test-XXXXXX");
	assert_non_null(mkdtemp(p->directory));
	snprintf(p->image, sizeof(p->image), "%s/disk.img", p->directory);
	make_image(p->image, NSECTORS * 512);
	p->file.fd = -1;
	*state = p;
	return 0;
}

static int place_teardown(void **state)
{
	struct place *p = *state;

	block_file_close(&p->file);
	unlink(p->image);
	rmdir(p->directory);
	free(p);
	return 0;
}

static int open_image(struct place *p, unsigned int flags)
{
	return block_file_open(&p->file, p->image, flags, &p->ops, p->error, sizeof(p->error));
}

/* What the file holds, seen by somebody else. */
static void file_bytes(const char *path, uint64_t offset, void *buf, size_t nbytes)
{
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, buf, nbytes, (off_t)offset), nbytes);
	close(fd);
}

/* ---- opening ---- */

static void image_opens_with_its_size(void **state)
{
	struct place *p = *state;

	assert_int_equal(open_image(p, 0), 0);
	assert_true(p->ops.nsectors == NSECTORS);
	assert_false(p->ops.read_only);
}

static void missing_image_is_told_with_a_remedy(void **state)
{
	struct place *p = *state;

	unlink(p->image);
	assert_int_equal(open_image(p, 0), -ENOENT);
	assert_non_null(strstr(p->error, p->image));
	assert_non_null(strstr(p->error, "truncate"));
}

static void directory_is_told_to_be_one(void **state)
{
	struct place *p = *state;
	struct block_file file;

	assert_int_equal(block_file_open(&file, p->directory, 0, &p->ops, p->error, sizeof(p->error)), -EISDIR);
	assert_non_null(strstr(p->error, "is a directory"));
	assert_int_equal(block_file_open(&file, p->directory, BLOCK_FILE_READ_ONLY, &p->ops, p->error,
					 sizeof(p->error)), -EISDIR);
	assert_non_null(strstr(p->error, p->directory));
}

static void empty_image_is_refused(void **state)
{
	struct place *p = *state;

	assert_int_equal(truncate(p->image, 0), 0);
	assert_int_equal(open_image(p, 0), -EINVAL);
	assert_non_null(strstr(p->error, "is empty"));
	assert_int_equal(p->file.fd, -1);
}

static void image_of_half_a_sector_is_refused(void **state)
{
	struct place *p = *state;

	assert_int_equal(truncate(p->image, 1000), 0);
	assert_int_equal(open_image(p, 0), -EINVAL);
	assert_non_null(strstr(p->error, "1000 bytes"));
	assert_non_null(strstr(p->error, "truncate -s %512"));
}

static void qcow2_image_is_known_and_refused(void **state)
{
	struct place *p = *state;
	int fd = open(p->image, O_WRONLY);

	assert_int_equal(pwrite(fd, "QFI\xfb", 4, 0), 4);
	close(fd);
	assert_int_equal(open_image(p, 0), -EINVAL);
	assert_non_null(strstr(p->error, "qcow2"));
	assert_non_null(strstr(p->error, "qemu-img convert"));
}

static void fifo_is_refused_without_hanging(void **state)
{
	struct place *p = *state;

	unlink(p->image);
	assert_int_equal(mkfifo(p->image, 0600), 0);
	assert_int_equal(open_image(p, BLOCK_FILE_READ_ONLY), -EINVAL);
	assert_non_null(strstr(p->error, "neither a file nor a block device"));
}

static void write_protected_image_points_to_snapshot(void **state)
{
	struct place *p = *state;

	bool root = geteuid() == 0;
	int writing, reading;

	assert_int_equal(chmod(p->directory, 0755), 0);
	assert_int_equal(chmod(p->image, 0444), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);	/* root may write anything: be nobody for a moment */
	writing = open_image(p, 0);
	reading = open_image(p, BLOCK_FILE_READ_ONLY);
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(writing, -EACCES);
	assert_non_null(strstr(p->error, "--snapshot"));
	assert_int_equal(reading, 0);
}

static void short_error_buffer_is_ended_and_none_is_allowed(void **state)
{
	struct place *p = *state;
	char small[8];

	unlink(p->image);
	memset(small, 'x', sizeof(small));
	block_file_open(&p->file, p->image, 0, &p->ops, small, sizeof(small));
	assert_int_equal(small[7], 0);
	assert_int_equal(block_file_open(&p->file, p->image, 0, &p->ops, NULL, 0), -ENOENT);
}

/* ---- sharing ---- */

static void two_machines_cannot_write_one_image(void **state)
{
	struct place *p = *state;
	struct block_file second;
	struct block_ops ops;

	assert_int_equal(open_image(p, 0), 0);
	assert_int_equal(block_file_open(&second, p->image, 0, &ops, p->error, sizeof(p->error)), -EBUSY);
	assert_non_null(strstr(p->error, "in use by another Plexus"));
	assert_int_equal(block_file_open(&second, p->image, BLOCK_FILE_READ_ONLY, &ops, p->error,
					 sizeof(p->error)), -EBUSY);
	block_file_close(&p->file);
	assert_int_equal(block_file_open(&second, p->image, 0, &ops, p->error, sizeof(p->error)), 0);
	block_file_close(&second);
}

static void readers_share_an_image_and_keep_writers_out(void **state)
{
	struct place *p = *state;
	struct block_file second, third;
	struct block_ops ops;

	assert_int_equal(open_image(p, BLOCK_FILE_READ_ONLY), 0);
	assert_int_equal(block_file_open(&second, p->image, BLOCK_FILE_READ_ONLY, &ops, NULL, 0), 0);
	assert_int_equal(block_file_open(&third, p->image, 0, &ops, NULL, 0), -EBUSY);
	block_file_close(&second);
}

static void forked_process_uses_the_same_disk(void **state)
{
	struct place *p = *state;
	uint8_t bytes[512], got[512];
	int status;
	pid_t pid;

	assert_int_equal(open_image(p, 0), 0);
	memset(bytes, 0x42, sizeof(bytes));
	pid = fork();
	if (pid == 0)
		_exit(p->ops.write(p->ops.owner, 3, bytes, 1) != 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(p->ops.read(p->ops.owner, 3, got, 1), 0);
	assert_memory_equal(got, bytes, 512);
	/* The child's exit must not have dropped the lock. */
	assert_int_equal(block_file_open(&(struct block_file){ 0 }, p->image, 0, &(struct block_ops){ 0 }, NULL, 0),
			 -EBUSY);
}

/* ---- moving sectors ---- */

static void sectors_go_where_they_belong(void **state)
{
	struct place *p = *state;
	uint8_t bytes[1024], got[1024];

	assert_int_equal(open_image(p, 0), 0);
	memset(bytes, 0x5a, sizeof(bytes));
	assert_int_equal(p->ops.write(p->ops.owner, 10, bytes, 2), 0);
	file_bytes(p->image, 10 * 512, got, 1024);
	assert_memory_equal(got, bytes, 1024);
	assert_int_equal(p->ops.read(p->ops.owner, 9, got, 2), 0);
	assert_int_equal(got[0], 9);
	assert_int_equal(got[512], 0x5a);
	file_bytes(p->image, 12 * 512, got, 1);
	assert_int_equal(got[0], 12);
}

static void ranges_beyond_the_end_are_refused(void **state)
{
	struct place *p = *state;
	uint8_t bytes[1024];
	struct stat st;

	assert_int_equal(open_image(p, 0), 0);
	assert_int_equal(p->ops.read(p->ops.owner, NSECTORS - 1, bytes, 2), -EINVAL);
	assert_int_equal(p->ops.write(p->ops.owner, NSECTORS - 1, bytes, 2), -EINVAL);
	assert_int_equal(p->ops.write(p->ops.owner, UINT64_MAX, bytes, 2), -EINVAL);
	assert_int_equal(stat(p->image, &st), 0);
	assert_int_equal(st.st_size, NSECTORS * 512);
}

static void image_cut_short_while_in_use_is_a_read_error(void **state)
{
	struct place *p = *state;
	uint8_t bytes[512];

	assert_int_equal(open_image(p, 0), 0);
	assert_int_equal(truncate(p->image, 512), 0);
	assert_int_equal(p->ops.read(p->ops.owner, 0, bytes, 1), 0);
	assert_int_equal(p->ops.read(p->ops.owner, 1, bytes, 1), -EIO);
}

static void read_only_image_cannot_be_written_but_flushed(void **state)
{
	struct place *p = *state;
	uint8_t bytes[512] = { 0 };

	assert_int_equal(open_image(p, BLOCK_FILE_READ_ONLY), 0);
	assert_true(p->ops.read_only);
	assert_int_equal(p->ops.write(p->ops.owner, 0, bytes, 1), -EROFS);
	assert_int_equal(p->ops.flush(p->ops.owner), 0);
}

static void host_errors_come_back_as_they_are(void **state)
{
	struct place *p = *state;
	uint8_t bytes[512] = { 0 };
	struct rlimit old, small = { 512, 0 };
	int fd, err;

	assert_int_equal(open_image(p, 0), 0);
	/* A file that may not reach past 512 bytes: EFBIG, as a full disk would be ENOSPC. */
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	err = p->ops.write(p->ops.owner, 5, bytes, 1);
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(err, -EFBIG);

	fd = p->file.fd;
	p->file.fd = -1;
	assert_int_equal(p->ops.flush(p->ops.owner), -EBADF);
	assert_int_equal(p->ops.read(p->ops.owner, 0, bytes, 1), -EBADF);
	p->file.fd = fd;
}

/* The claim that matters to a guest's journal: after FLUSH CACHE has ended well, the data is in the file. */
static void what_a_guest_flushed_is_in_the_file(void **state)
{
	struct place *p = *state;
	static struct ide ide;
	struct pci pci;
	struct pci_machine machine = { 0 };
	struct ide_config config = { 0 };
	uint8_t bytes[512], got[512];
	struct ide_channel *channel = &ide.channel[0];

	assert_int_equal(open_image(p, 0), 0);
	config.disk[0] = &p->ops;
	pci_init(&pci, &machine);
	ide_init(&ide, &pci, &config);
	ide_reset(&ide);
	memset(bytes, 0xc3, sizeof(bytes));
	ide_command_ports.out(channel, 0x1f6, 1, 0xe0, 0);
	ide_command_ports.out(channel, 0x1f2, 1, 1, 0);
	ide_command_ports.out(channel, 0x1f3, 1, 20, 0);
	ide_command_ports.out(channel, 0x1f4, 1, 0, 0);
	ide_command_ports.out(channel, 0x1f5, 1, 0, 0);
	ide_command_ports.out(channel, 0x1f7, 1, 0x30, 0);
	assert_int_equal(ide_command_ports.outs(channel, 0x1f0, 2, bytes, 256, 0), 256);
	ide_command_ports.out(channel, 0x1f7, 1, 0xe7, 0);
	assert_int_equal(ide_command_ports.in(channel, 0x1f7, 1, 0) & 0xff, 0x50);
	file_bytes(p->image, 20 * 512, got, 512);
	assert_memory_equal(got, bytes, 512);
}

/* ---- snapshots ---- */

struct snapshot {
	struct block_overlay overlay;
	struct block_ops ops;
	uint8_t bitmap[NSECTORS / 8];
};

static void snapshot_open(struct place *p, struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(open_image(p, BLOCK_FILE_READ_ONLY), 0);
	assert_int_equal(block_overlay_bitmap_bytes(NSECTORS), sizeof(s->bitmap));
	assert_int_equal(block_overlay_open(&s->overlay, &p->ops, s->bitmap, p->directory, &s->ops, p->error,
					    sizeof(p->error)), 0);
}

static void snapshot_reads_back_its_writes_and_leaves_the_image(void **state)
{
	struct place *p = *state;
	struct snapshot s;
	uint8_t before[NSECTORS * 512], after[NSECTORS * 512], bytes[512];

	file_bytes(p->image, 0, before, sizeof(before));
	snapshot_open(p, &s);
	assert_false(s.ops.read_only);
	assert_true(s.ops.nsectors == NSECTORS);
	memset(bytes, 0x77, sizeof(bytes));
	assert_int_equal(s.ops.write(s.ops.owner, 8, bytes, 1), 0);
	assert_int_equal(s.ops.write(s.ops.owner, 15, bytes, 1), 0);
	assert_int_equal(s.ops.flush(s.ops.owner), 0);
	assert_int_equal(s.ops.read(s.ops.owner, 0, after, NSECTORS), 0);
	for (unsigned int i = 0; i < NSECTORS; i++) {
		if (i == 8 || i == 15)
			assert_memory_equal(&after[i * 512], bytes, 512);
		else
			assert_memory_equal(&after[i * 512], &before[i * 512], 512);
	}
	file_bytes(p->image, 0, after, sizeof(after));
	assert_memory_equal(after, before, sizeof(before));
	block_overlay_close(&s.overlay);
}

static void snapshot_leaves_no_file_behind(void **state)
{
	struct place *p = *state;
	struct snapshot s;
	uint8_t bytes[512] = { 0 };

	snapshot_open(p, &s);
	assert_int_equal(s.ops.write(s.ops.owner, 0, bytes, 1), 0);
	unlink(p->image);
	/* Only an empty directory can be removed. */
	assert_int_equal(rmdir(p->directory), 0);
	assert_int_equal(s.ops.read(s.ops.owner, 0, bytes, 1), 0);
	block_overlay_close(&s.overlay);
}

static void snapshot_write_that_fails_leaves_the_old_sector(void **state)
{
	struct place *p = *state;
	struct snapshot s;
	uint8_t bytes[512] = { 0 };
	int fd;

	snapshot_open(p, &s);
	fd = s.overlay.fd;
	s.overlay.fd = -1;
	assert_int_equal(s.ops.write(s.ops.owner, 4, bytes, 1), -EBADF);
	s.overlay.fd = fd;
	assert_int_equal(s.ops.read(s.ops.owner, 4, bytes, 1), 0);
	assert_int_equal(bytes[0], 4);
	assert_int_equal(s.ops.write(s.ops.owner, NSECTORS, bytes, 1), -EINVAL);
	assert_int_equal(s.ops.read(s.ops.owner, NSECTORS - 1, bytes, 2), -EINVAL);
	block_overlay_close(&s.overlay);
}

static void snapshot_without_a_place_to_write_says_so(void **state)
{
	struct place *p = *state;
	struct snapshot s;

	assert_int_equal(open_image(p, BLOCK_FILE_READ_ONLY), 0);
	assert_int_equal(block_overlay_open(&s.overlay, &p->ops, s.bitmap, "/nowhere/at/all", &s.ops, p->error,
					    sizeof(p->error)), -ENOENT);
	assert_non_null(strstr(p->error, "/nowhere/at/all"));
	assert_non_null(strstr(p->error, "TMPDIR"));
	assert_int_equal(s.overlay.fd, -1);
}

static void forked_process_sees_the_snapshot_through_shared_memory(void **state)
{
	struct place *p = *state;
	struct snapshot *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint8_t bytes[512];
	int status;
	pid_t pid;

	assert_ptr_not_equal(s, MAP_FAILED);
	snapshot_open(p, s);
	memset(bytes, 0x99, sizeof(bytes));
	pid = fork();
	if (pid == 0)
		_exit(s->ops.write(s->ops.owner, 30, bytes, 1) != 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(s->ops.read(s->ops.owner, 30, bytes, 1), 0);
	assert_int_equal(bytes[511], 0x99);
	block_overlay_close(&s->overlay);
	munmap(s, sizeof(*s));
}

#define T(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(image_opens_with_its_size),
		T(missing_image_is_told_with_a_remedy),
		T(directory_is_told_to_be_one),
		T(empty_image_is_refused),
		T(image_of_half_a_sector_is_refused),
		T(qcow2_image_is_known_and_refused),
		T(fifo_is_refused_without_hanging),
		T(write_protected_image_points_to_snapshot),
		T(short_error_buffer_is_ended_and_none_is_allowed),
		T(two_machines_cannot_write_one_image),
		T(readers_share_an_image_and_keep_writers_out),
		T(forked_process_uses_the_same_disk),
		T(sectors_go_where_they_belong),
		T(ranges_beyond_the_end_are_refused),
		T(image_cut_short_while_in_use_is_a_read_error),
		T(read_only_image_cannot_be_written_but_flushed),
		T(host_errors_come_back_as_they_are),
		T(what_a_guest_flushed_is_in_the_file),
		T(snapshot_reads_back_its_writes_and_leaves_the_image),
		T(snapshot_leaves_no_file_behind),
		T(snapshot_write_that_fails_leaves_the_old_sector),
		T(snapshot_without_a_place_to_write_says_so),
		T(forked_process_sees_the_snapshot_through_shared_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
