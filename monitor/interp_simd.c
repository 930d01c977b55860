/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_simd.c - the memory operands of MMX, SSE to SSE4.2, AES, SHA and 3DNow!, as a table.
 *
 * Columns are the prefixes that choose the instruction: none, 66h, F3h, F2h. A missing entry has no memory form.
 * Source:    SDM 2, the instructions' pages.
 * Tested by: tests/unit/test_interp_native.c, which asks the processor for the sizes.
 */
#include "monitor/interp.h"
#include "monitor/interp_simd.h"

#define U	(16 | SIMD_ANY)
#define S(n)	((n) | SIMD_STORE)
#define MMX_OR_SSE { 8, 16, 0, 0 }
#define PACKED	{ 16, 16, 0, 0 }
#define ARITH	{ 16, 16, 4, 8 }
#define SSE66	{ 0, 16, 0, 0 }

static const uint8_t map_0f[256][4] = {
	[0x10] = { U, U, 4, 8 },			/* MOVUPS MOVUPD MOVSS MOVSD */
	[0x11] = { S(U), S(U), S(4), S(8) },
	[0x12] = { 8, 8, 16, 8 },			/* MOVLPS MOVLPD MOVSLDUP MOVDDUP */
	[0x13] = { S(8), S(8), 0, 0 },
	[0x14 ... 0x15] = PACKED,			/* UNPCKL UNPCKH */
	[0x16] = { 8, 8, 16, 0 },			/* MOVHPS MOVHPD MOVSHDUP */
	[0x17] = { S(8), S(8), 0, 0 },
	[0x28] = PACKED,				/* MOVAPS MOVAPD */
	[0x29] = { S(16), S(16), 0, 0 },
	[0x2a] = { 8, 8, 4, 4 },			/* CVTPI2PS CVTPI2PD CVTSI2SS CVTSI2SD */
	[0x2b] = { S(16), S(16), S(4), S(8) },		/* MOVNTPS MOVNTPD; SSE4A's MOVNTSS MOVNTSD */
	[0x2c ... 0x2d] = { 8, 16, 4, 8 },		/* CVT(T)PS2PI CVT(T)PD2PI CVT(T)SS2SI CVT(T)SD2SI */
	[0x2e ... 0x2f] = { 4, 8, 0, 0 },		/* UCOMIS COMIS */
	[0x51] = ARITH,					/* SQRT */
	[0x52 ... 0x53] = { 16, 0, 4, 0 },		/* RSQRT RCP */
	[0x54 ... 0x57] = PACKED,			/* AND ANDN OR XOR */
	[0x58 ... 0x59] = ARITH,			/* ADD MUL */
	[0x5a] = { 8, 16, 4, 8 },			/* CVTPS2PD CVTPD2PS CVTSS2SD CVTSD2SS */
	[0x5b] = { 16, 16, 16, 0 },			/* CVTDQ2PS CVTPS2DQ CVTTPS2DQ */
	[0x5c ... 0x5f] = ARITH,			/* SUB MIN DIV MAX */
	[0x60 ... 0x62] = { 4, 16, 0, 0 },		/* PUNPCKL: the MMX forms read half */
	[0x63 ... 0x6b] = MMX_OR_SSE,
	[0x6c ... 0x6d] = SSE66,			/* PUNPCKLQDQ PUNPCKHQDQ */
	[0x6e] = { 4, 4, 0, 0 },			/* MOVD */
	[0x6f] = { 8, 16, U, 0 },			/* MOVQ MOVDQA MOVDQU */
	[0x70] = { 8, 16, 16, 16 },			/* PSHUFW PSHUFD PSHUFHW PSHUFLW */
	[0x74 ... 0x76] = MMX_OR_SSE,
	[0x7c ... 0x7d] = { 0, 16, 0, 16 },		/* HADD HSUB */
	[0x7e] = { S(4), S(4), 8, 0 },			/* MOVD; MOVQ load */
	[0x7f] = { S(8), S(16), S(U), 0 },
	[0xc2] = ARITH,					/* CMPccPS ... */
	[0xc4] = { 2, 2, 0, 0 },			/* PINSRW */
	[0xc6] = PACKED,				/* SHUFPS SHUFPD */
	[0xd0] = { 0, 16, 0, 16 },			/* ADDSUB */
	[0xd1 ... 0xd5] = MMX_OR_SSE,
	[0xd6] = { 0, S(8), 0, 0 },			/* MOVQ store */
	[0xd8 ... 0xe5] = MMX_OR_SSE,
	[0xe6] = { 0, 16, 8, 16 },			/* CVTTPD2DQ CVTDQ2PD CVTPD2DQ */
	[0xe7] = { S(8), S(16), 0, 0 },			/* MOVNTQ MOVNTDQ */
	[0xe8 ... 0xef] = MMX_OR_SSE,
	[0xf0] = { 0, 0, 0, U },			/* LDDQU */
	[0xf1 ... 0xf6] = MMX_OR_SSE,
	[0xf8 ... 0xfe] = MMX_OR_SSE,
};

static const uint8_t map_0f38[256][4] = {
	[0x00 ... 0x0b] = MMX_OR_SSE,			/* SSSE3 */
	[0x10] = SSE66,					/* PBLENDVB */
	[0x14 ... 0x15] = SSE66,			/* BLENDVPS BLENDVPD */
	[0x17] = SSE66,					/* PTEST */
	[0x1c ... 0x1e] = MMX_OR_SSE,			/* PABS */
	[0x20] = { 0, 8, 0, 0 }, [0x21] = { 0, 4, 0, 0 }, [0x22] = { 0, 2, 0, 0 },	/* PMOVSX */
	[0x23] = { 0, 8, 0, 0 }, [0x24] = { 0, 4, 0, 0 }, [0x25] = { 0, 8, 0, 0 },
	[0x28 ... 0x2b] = SSE66,			/* PMULDQ PCMPEQQ MOVNTDQA PACKUSDW */
	[0x30] = { 0, 8, 0, 0 }, [0x31] = { 0, 4, 0, 0 }, [0x32] = { 0, 2, 0, 0 },	/* PMOVZX */
	[0x33] = { 0, 8, 0, 0 }, [0x34] = { 0, 4, 0, 0 }, [0x35] = { 0, 8, 0, 0 },
	[0x37 ... 0x41] = SSE66,			/* PCMPGTQ PMIN PMAX PMULLD PHMINPOSUW */
	[0xc8 ... 0xcd] = { U, 0, 0, 0 },		/* SHA */
	[0xcf] = SSE66,					/* GF2P8MULB */
	[0xdb ... 0xdf] = SSE66,			/* AES */
};

static const uint8_t map_0f3a[256][4] = {
	[0x08 ... 0x09] = SSE66,			/* ROUNDPS ROUNDPD */
	[0x0a] = { 0, 4, 0, 0 },			/* ROUNDSS */
	[0x0b] = { 0, 8, 0, 0 },			/* ROUNDSD */
	[0x0c ... 0x0e] = SSE66,			/* BLENDPS BLENDPD PBLENDW */
	[0x0f] = MMX_OR_SSE,				/* PALIGNR */
	[0x14] = { 0, S(1), 0, 0 },			/* PEXTRB */
	[0x15] = { 0, S(2), 0, 0 },			/* PEXTRW */
	[0x16 ... 0x17] = { 0, S(4), 0, 0 },		/* PEXTRD EXTRACTPS */
	[0x20] = { 0, 1, 0, 0 },			/* PINSRB */
	[0x21 ... 0x22] = { 0, 4, 0, 0 },		/* INSERTPS PINSRD */
	[0x40 ... 0x42] = SSE66,			/* DPPS DPPD MPSADBW */
	[0x44] = SSE66,					/* PCLMULQDQ */
	[0x60 ... 0x63] = { 0, U, 0, 0 },		/* PCMPxSTRx */
	[0xcc] = { U, 0, 0, 0 },			/* SHA1RNDS4 */
	[0xce ... 0xcf] = SSE66,			/* GF2P8AFFINE(INV)QB */
	[0xdf] = SSE66,					/* AESKEYGENASSIST */
};

uint8_t interp_simd_operand(const struct prescan_insn *in)
{
	unsigned int column = ip_simd_prefix(in);

	switch (in->map) {
	case PRESCAN_MAP_0F: return map_0f[in->opcode][column];
	case PRESCAN_MAP_0F38: return map_0f38[in->opcode][column];
	case PRESCAN_MAP_0F3A: return map_0f3a[in->opcode][column];
	case PRESCAN_MAP_3DNOW: return 8;
	default: return 0;
	}
}
