/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_guess.c - 16- or 32-bit code? A blob does not say, but its branches do.
 *
 * The bytes are swept in both modes. In the right one, direct branches lead to where an instruction begins; in the wrong
 * one, instructions have other lengths, and branches lead into the middle of them about as often as not. A window takes the mode in which
 * more of its branches keep this promise; a window without branches, or undecided, goes with its neighbours.
 *
 * Asked by: user/prescan_image.c. Tested by: tests/unit/test_prescan_image.c.
 */
#include <stdlib.h>

#include "prescan/cache.h"
#include "user/prescan_image.h"

#define SAMPLE_BYTES	(1u << 20)	/* of a blob that is of one mode, so much tells enough */

static void set_bit(uint8_t *bits, uint32_t i)
{
	bits[i >> 3] |= (uint8_t)(1u << (i & 7));
}

static bool get_bit(const uint8_t *bits, uint32_t i)
{
	return bits[i >> 3] >> (i & 7) & 1;
}

static bool is_direct(const struct prescan_insn *insn)
{
	if (insn->klass != PRESCAN_BRANCH)
		return false;
	return insn->map == PRESCAN_MAP_0F || (insn->opcode != 0xc2 && insn->opcode != 0xc3 && insn->opcode != 0xff);
}

/* Adds each window's branches that keep the promise, and subtracts twice those that do not. */
static void judge(const struct code_region *region, enum prescan_mode mode, uint32_t window, int64_t *score, uint8_t *starts)
{
	struct prescan_insn insn;
	uint32_t at;

	for (at = 0; at < region->nbytes; at += insn.length) {
		set_bit(starts, at);
		if (prescan_decode(region->bytes + at, region->nbytes - at, mode, &insn) != PRESCAN_OK) {
			insn.length = 1;
			score[at / window]--;
		}
	}
	for (at = 0; at < region->nbytes; at += insn.length) {
		int64_t target;

		if (prescan_decode(region->bytes + at, region->nbytes - at, mode, &insn) != PRESCAN_OK) {
			insn.length = 1;
			continue;
		}
		if (!is_direct(&insn))
			continue;
		target = (int64_t)at + insn.length + (int32_t)insn.imm;
		if (insn.opsize == 2)		/* IP wraps, and the region may be larger than its segment */
			target = (int64_t)((at & ~0xffffu) | ((at + insn.length + insn.imm) & 0xffff));
		if (target < 0 || target >= region->nbytes)
			score[at / window] -= 2;
		else
			score[at / window] += get_bit(starts, (uint32_t)target) ? 1 : -2;
	}
}

static void apply(struct code_image *image, struct code_region *region, const int64_t *score16, const int64_t *score32, uint32_t window,
		  uint32_t nwindows)
{
	int64_t whole = 0;
	uint8_t mode;

	for (uint32_t i = 0; i < nwindows; i++)
		whole += score32[i] - score16[i];
	mode = whole >= 0 ? CODE_32 : CODE_16;
	/* The first window that knows its mode speaks for those before it. */
	for (uint32_t i = 0; i < nwindows; i++)
		if (score32[i] != score16[i]) {
			mode = score32[i] > score16[i] ? CODE_32 : CODE_16;
			break;
		}
	region->mode = mode;
	for (uint32_t i = 0; i < nwindows; i++) {
		uint8_t here = score32[i] == score16[i] ? mode : score32[i] > score16[i] ? CODE_32 : CODE_16;

		if (here != mode)
			image_mark(image, region, (uint64_t)i * window, here == CODE_32 ? MARK_32 : MARK_16);
		mode = here;
	}
}

void guess_modes(struct code_image *image, struct code_region *region)
{
	struct code_region sample = *region;
	uint32_t window, nwindows;
	int64_t *score16 = NULL, *score32 = NULL;
	uint8_t *starts16 = NULL, *starts32 = NULL;

	region->guessed = true;
	region->mode = CODE_32;
	if (!region->nbytes)
		return;
	if (!region->guess_window)
		sample.nbytes = plx_min32(region->nbytes, SAMPLE_BYTES);
	window = region->guess_window ? region->guess_window : sample.nbytes;
	nwindows = (sample.nbytes - 1) / window + 1;
	score16 = calloc(nwindows, sizeof(*score16));
	score32 = calloc(nwindows, sizeof(*score32));
	starts16 = calloc(1, sample.nbytes / 8 + 1);
	starts32 = calloc(1, sample.nbytes / 8 + 1);
	if (score16 && score32 && starts16 && starts32) {
		judge(&sample, PRESCAN_MODE_16, window, score16, starts16);
		judge(&sample, PRESCAN_MODE_32, window, score32, starts32);
		apply(image, region, score16, score32, window, nwindows);
	} else {
		image->no_memory = true;
		image_say(image, IMAGE_BAD, "there is not enough memory to read it");
	}
	free(score16);
	free(score32);
	free(starts16);
	free(starts32);
}
