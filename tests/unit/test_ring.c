/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_ring.c - bytes on their way out: in order, none twice, and lost only when nobody reads. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "user/ring.h"

static struct wake wake;
static struct ring *ring;
static int ends[2];

static int fresh(void **state)
{
	(void)state;
	wake = (struct wake){ .fd = eventfd(0, EFD_NONBLOCK) };
	ring = ring_init(calloc(1, sizeof(*ring)), &wake);
	return pipe2(ends, O_NONBLOCK);
}

static int clean(void **state)
{
	(void)state;
	free(ring);
	close(wake.fd);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void put_text(const char *text)
{
	while (*text)
		ring_put(ring, (uint8_t)*text++);
}

static void bytes_come_out_in_order_also_around_the_edge(void **state)
{
	struct outlet outlet = { .ring = ring, .fd = ends[1], .name = "test" };
	uint32_t in = 0, out = 0;
	uint8_t buf[4096];

	(void)state;
	/* 3 MiB through a ring of 1 MiB, in pieces that do not divide it. */
	while (in < 3 * RING_BYTES) {
		ssize_t n;

		for (int i = 0; i < 3001; i++, in++)
			ring_put(ring, (uint8_t)(in * 7 + in / 256));
		assert_int_equal(outlet_drain(&outlet), OUTLET_EMPTY);
		while ((n = read(ends[0], buf, sizeof(buf))) > 0)
			for (ssize_t i = 0; i < n; i++, out++)
				assert_int_equal(buf[i], (uint8_t)(out * 7 + out / 256));
	}
	assert_int_equal(in, out);
	assert_int_equal(ring->dropped, 0);
}

static void a_full_descriptor_keeps_the_rest_for_later(void **state)
{
	struct outlet outlet = { .ring = ring, .fd = ends[1], .name = "test" };
	size_t total = 0;
	uint8_t buf[65536];
	ssize_t n;

	(void)state;
	for (int i = 0; i < 200000; i++)	/* a pipe holds 64 KiB */
		ring_put(ring, 'x');
	assert_int_equal(outlet_drain(&outlet), OUTLET_FULL);
	do {
		while ((n = read(ends[0], buf, sizeof(buf))) > 0)
			total += (size_t)n;
	} while (outlet_drain(&outlet) == OUTLET_FULL || ring_used(ring));
	while ((n = read(ends[0], buf, sizeof(buf))) > 0)
		total += (size_t)n;
	assert_int_equal(total, 200000);
}

static void a_descriptor_that_may_block_is_never_written_when_full(void **state)
{
	struct outlet outlet = { .ring = ring, .fd = ends[1], .blocking = true, .name = "test" };

	(void)state;
	fcntl(ends[1], F_SETFL, 0);		/* were it written while full, this test would hang */
	for (int i = 0; i < 200000; i++)
		ring_put(ring, 'x');
	assert_int_equal(outlet_drain(&outlet), OUTLET_FULL);
	assert_true(ring_used(ring) > 0);
}

static void many_bytes_poke_once_until_the_poke_is_taken(void **state)
{
	uint64_t count;

	(void)state;
	put_text("many bytes");
	assert_int_equal(read(wake.fd, &count, sizeof(count)), sizeof(count));
	assert_int_equal(count, 1);
	put_text("more");
	assert_int_equal(read(wake.fd, &count, sizeof(count)), -1);
	wake_take(&wake);
	put_text("again");
	assert_int_equal(read(wake.fd, &count, sizeof(count)), sizeof(count));
}

static void a_full_ring_drops_counts_and_goes_on_once_half_is_free(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < RING_BYTES + 10; i++)
		ring_put(ring, 'x');
	assert_int_equal(ring->dropped, 10);
	ring->taken += RING_BYTES / 2 - 1;
	ring_put(ring, 'y');
	assert_int_equal(ring->dropped, 11);
	ring->taken += 1;
	ring_put(ring, 'y');
	assert_int_equal(ring->dropped, 11);
	assert_int_equal(ring_used(ring), RING_BYTES / 2 + 1);
}

static void an_outlet_that_failed_swallows_what_follows(void **state)
{
	int closed[2];
	struct outlet outlet = { .ring = ring, .name = "test outlet" };

	(void)state;
	assert_int_equal(pipe(closed), 0);
	close(closed[1]);
	outlet.fd = closed[0];			/* open for reading only: EBADF */
	put_text("lost");
	assert_int_equal(outlet_drain(&outlet), OUTLET_EMPTY);
	assert_int_equal(outlet.error, EBADF);
	assert_int_equal(ring_used(ring), 0);
	close(closed[0]);
}

static void finishing_gives_up_on_a_reader_that_never_reads(void **state)
{
	struct outlet outlet = { .ring = ring, .fd = ends[1], .name = "test outlet" };

	(void)state;
	for (int i = 0; i < 200000; i++)
		ring_put(ring, 'x');
	outlet_finish(&outlet, 10);
	assert_null(outlet.ring);
	outlet_finish(&outlet, 10);		/* again: harmless */
}

/* Whoever shares our standard output must not find it non-blocking afterwards. */
static void adopting_a_pipe_leaves_its_flags_alone(void **state)
{
	struct outlet outlet;

	(void)state;
	fcntl(ends[1], F_SETFL, 0);
	outlet_adopt(&outlet, ring, ends[1], "test");
	assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	for (int i = 0; i < 200000; i++)
		ring_put(ring, 'x');
	assert_int_equal(outlet_drain(&outlet), OUTLET_FULL);
	assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	outlet_finish(&outlet, 0);
	assert_int_equal(fcntl(ends[1], F_GETFD), 0);	/* still open: it was not ours */
}

static void *put_a_million(void *unused)
{
	(void)unused;
	for (uint32_t i = 0; i < 1000000; i++)
		ring_put(ring, (uint8_t)(i ^ i >> 8));
	return NULL;
}

static void two_threads_agree_on_every_byte(void **state)
{
	struct outlet outlet = { .ring = ring, .fd = ends[1], .name = "test" };
	uint32_t out = 0;
	uint8_t buf[4096];
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, put_a_million, NULL), 0);
	while (out < 1000000) {
		struct pollfd p = { .fd = wake.fd, .events = POLLIN };
		ssize_t n;

		if (!ring_used(ring))
			assert_int_equal(poll(&p, 1, 60000), 1);
		wake_take(&wake);
		outlet_drain(&outlet);
		while ((n = read(ends[0], buf, sizeof(buf))) > 0)
			for (ssize_t i = 0; i < n; i++, out++)
				if (buf[i] != (uint8_t)(out ^ out >> 8))
					fail_msg("byte %u is wrong", out);
	}
	pthread_join(thread, NULL);
	assert_int_equal(ring->dropped, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, clean)
	const struct CMUnitTest tests[] = {
		TEST(bytes_come_out_in_order_also_around_the_edge),
		TEST(a_full_descriptor_keeps_the_rest_for_later),
		TEST(a_descriptor_that_may_block_is_never_written_when_full),
		TEST(many_bytes_poke_once_until_the_poke_is_taken),
		TEST(a_full_ring_drops_counts_and_goes_on_once_half_is_free),
		TEST(an_outlet_that_failed_swallows_what_follows),
		TEST(finishing_gives_up_on_a_reader_that_never_reads),
		TEST(adopting_a_pipe_leaves_its_flags_alone),
		TEST(two_threads_agree_on_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
