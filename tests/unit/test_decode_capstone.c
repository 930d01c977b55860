/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_decode_capstone.c - the decoder against Capstone, in the form that is short enough for every change.
 *
 * How the two are compared, and what is known of their differences, is in tests/oracle/capstone.c and
 * capstone_errata.h. The long form, with Zydis and the bare processor, is tests/oracle/oracle.c.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/oracle/verdict.h"

#define RANDOM_STRINGS 2000000
#define SHOWN_AT_MOST 20

struct oracle {
	struct capstone *capstone;
	struct tally tally;
	unsigned long compared, both_defined, unexplained;
};

static void compare(struct oracle *oracle, const uint8_t *bytes, enum prescan_mode mode)
{
	struct verdict v;
	struct difference d;
	enum outcome outcome;

	verdict_make(&v, bytes, mode);
	outcome = capstone_judge(oracle->capstone, &v, &oracle->tally, &d);
	oracle->compared++;
	oracle->both_defined += outcome == AGREE && v.status == PRESCAN_OK;
	if (outcome == UNEXPLAINED && oracle->unexplained++ < SHOWN_AT_MOST)
		difference_print(&v, "Capstone", &d, stderr);
}

static int open_oracle(void **state)
{
	struct oracle *oracle = calloc(1, sizeof(*oracle));

	*state = oracle;
	if (!oracle)
		return -1;
	oracle->capstone = capstone_open();
	return oracle->capstone ? 0 : -1;
}

static int close_oracle(void **state)
{
	struct oracle *oracle = *state;

	capstone_close(oracle->capstone);
	free(oracle);
	return 0;
}

/* Each map, opcode and ModRM byte, under the prefixes that change what they mean. */
static void every_opcode_modrm_and_prefix_is_decoded_as_capstone_does(void **state)
{
	static const uint8_t prefixes[][2] = {
		{ 0 }, { 0x66 }, { 0xf3 }, { 0xf2 }, { 0xf0 }, { 0x67 }, { 0x2e }, { 0x66, 0xf3 }, { 0x66, 0xf2 },
	};
	static const uint8_t escapes[][2] = { { 0 }, { 0x0f }, { 0x0f, 0x38 }, { 0x0f, 0x3a } };
	struct oracle *oracle = *state;
	uint8_t bytes[PRESCAN_INSN_MAX];
	int n;

	for (size_t p = 0; p < PLX_ARRAY_SIZE(prefixes); p++) {
		for (int e = 0; e < 4 * 256 * 256; e++) {
			memset(bytes, 0x91, sizeof(bytes));
			n = 0;
			for (int k = 0; k < 2 && prefixes[p][k]; k++)
				bytes[n++] = prefixes[p][k];
			for (int k = 0; k < 2 && escapes[e >> 16][k]; k++)
				bytes[n++] = escapes[e >> 16][k];
			bytes[n++] = (uint8_t)(e >> 8);
			bytes[n++] = (uint8_t)e;
			compare(oracle, bytes, PRESCAN_MODE_16);
			compare(oracle, bytes, PRESCAN_MODE_32);
		}
	}
	assert_int_equal(oracle->unexplained, 0);
	assert_true(oracle->both_defined > 1000000);	/* it did compare */
}

static void every_vex_opcode_modrm_w_l_and_pp_is_decoded_as_capstone_does(void **state)
{
	struct oracle *oracle = *state;
	uint8_t bytes[PRESCAN_INSN_MAX];

	for (uint8_t map = 1; map <= 3; map++) {
		for (int fields = 0; fields < 32; fields++) {	/* W, vvvv = 1111b or 1101b, L, pp */
			for (int e = 0; e < 256 * 256; e++) {
				memset(bytes, 0x91, sizeof(bytes));
				bytes[0] = 0xc4;
				bytes[1] = 0xe0 | map;
				bytes[2] = (uint8_t)((fields & 16) << 3 | (fields & 8 ? 0x78 : 0x68) | (fields & 7));
				bytes[3] = (uint8_t)(e >> 8);
				bytes[4] = (uint8_t)e;
				compare(oracle, bytes, PRESCAN_MODE_32);
			}
		}
	}
	assert_int_equal(oracle->unexplained, 0);
	assert_true(oracle->both_defined > 400000);
}

/* Half of them plain noise, half with the first bytes chosen to reach far maps. */
static void random_bytes_are_decoded_as_capstone_does(void **state)
{
	static const uint8_t openers[16] = {
		0x66, 0xf3, 0xf2, 0x67, 0x0f, 0x0f, 0x0f, 0x0f, 0x64, 0xc4, 0xc5, 0xff, 0xd9, 0xdb, 0x0f, 0x8b,
	};
	struct oracle *oracle = *state;
	uint64_t x = 0x9e3779b97f4a7c15u;	/* xorshift64; the seed is fixed */
	uint8_t bytes[PRESCAN_INSN_MAX + 1];

	for (long i = 0; i < RANDOM_STRINGS; i++) {
		for (size_t k = 0; k < sizeof(bytes); k += 8) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			memcpy(bytes + k, &x, 8);
		}
		if (i & 2) {
			bytes[0] = openers[bytes[0] & 15];
			bytes[1] = bytes[0] >= 0xc4 && bytes[0] <= 0xc5 ? bytes[1] | 0xc0 : bytes[1];
			if (bytes[0] == 0x66 || bytes[0] == 0x67)
				bytes[1] = openers[bytes[1] & 15];
		}
		compare(oracle, bytes, i & 1 ? PRESCAN_MODE_32 : PRESCAN_MODE_16);
	}
	assert_int_equal(oracle->unexplained, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_opcode_modrm_and_prefix_is_decoded_as_capstone_does,
						open_oracle, close_oracle),
		cmocka_unit_test_setup_teardown(every_vex_opcode_modrm_w_l_and_pp_is_decoded_as_capstone_does,
						open_oracle, close_oracle),
		cmocka_unit_test_setup_teardown(random_bytes_are_decoded_as_capstone_does,
						open_oracle, close_oracle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
