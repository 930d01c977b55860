/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_sweep.h - a linear sweep over one region of code: every byte is accounted for, once.
 */
#ifndef USER_PRESCAN_SWEEP_H
#define USER_PRESCAN_SWEEP_H

#include "user/prescan_image.h"
#include "user/prescan_result.h"

/* What code is judged under. */
struct sweep_mode {
	enum prescan_rewrite strategy;
	bool user;		/* CPL 3 */
};

/* The KEY_* mode that reports assume: flat segments and FPU there, IF = 1; 16-bit code is in real mode. */
uint32_t sweep_key(const struct sweep_mode *mode, bool code32);

/* One step: an instruction, a byte that begins none, or a stretch of data. */
struct step {
	uint64_t address;
	const uint8_t *bytes;
	uint32_t nbytes;
	uint32_t looked_at;		/* as many bytes tell what it is; more than @nbytes where none are an instruction */
	uint8_t cover;			/* enum cover */
	uint8_t mode;			/* 16 or 32 */
	uint8_t rewriting;		/* enum prescan_rewriting: what becomes of undefined bytes, too */
	int finding;			/* enum finding_kind, or -1 */
	const struct prescan_insn *insn;	/* NULL if none was decoded */
};

/* Goes through the region in order; @take gets every step. Returns false as soon as @take does. */
bool sweep_region(const struct code_region *region, const struct sweep_mode *mode, bool (*take)(void *owner, const struct step *step),
		  void *owner);

/* Decoded, but with these CPUID bits missing the guest gets #UD: SDM 2, "CPUID feature flag" of the instruction's page. */
bool insn_unsupported(const struct prescan_insn *insn);

/*
 * Length of an encoding that the decoder refuses though processors know it: EVEX, XOP, TSX, SGX, protection keys, VEX opcodes of no row. 0: none
 * of them, so undefined; also when fewer than @nbytes are there.
 */
unsigned int refused_length(const uint8_t *bytes, size_t nbytes, bool code32);

#endif
