/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor/interp_simd.h - how many bytes a legacy MMX or SSE instruction reads or writes at its memory operand. */
#ifndef MONITOR_INTERP_SIMD_H
#define MONITOR_INTERP_SIMD_H

#include "prescan/prescan.h"

#define SIMD_BYTES	0x1f
#define SIMD_ANY	0x40	/* 16 bytes at any address: unaligned they are #AC while EFLAGS.AC says so, others #GP */
#define SIMD_STORE	0x80

/* SIMD_BYTES in the low bits, and flags; 0: has no memory form. */
uint8_t interp_simd_operand(const struct prescan_insn *in);

#endif
