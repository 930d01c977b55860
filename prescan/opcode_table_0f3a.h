/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/opcode_table_0f3a.h - SSSE3, SSE4, AES, PCLMULQDQ and SHA with an
 * immediate byte (SDM 2D, "Three-byte Opcode Map: 0F 3A").
 *
 * Read by opcode_table_all.h.
 */
SSE_66(0x08, "ROUNDPS",		M_R, B)
SSE_66(0x09, "ROUNDPD",		M_R, B)
SSE_66(0x0a, "ROUNDSS",		M_R, B)
SSE_66(0x0b, "ROUNDSD",		M_R, B)
SSE_66(0x0c, "BLENDPS",		M_R, B)
SSE_66(0x0d, "BLENDPD",		M_R, B)
SSE_66(0x0e, "PBLENDW",		M_R, B)
MMX_SSE(0x0f, "PALIGNR",	M_R, B)
SSE_66(0x14, "PEXTRB",		M_W, B)
SSE_66(0x15, "PEXTRW",		M_W, B)
SSE_66(0x16, "PEXTRD",		M_W, B)
SSE_66(0x17, "EXTRACTPS",	M_W, B)
SSE_66(0x20, "PINSRB",		M_R, B)
SSE_66(0x21, "INSERTPS",	M_R, B)
SSE_66(0x22, "PINSRD",		M_R, B)
SSE_66(0x40, "DPPS",		M_R, B)
SSE_66(0x41, "DPPD",		M_R, B)
SSE_66(0x42, "MPSADBW",		M_R, B)
SSE_66(0x44, "PCLMULQDQ",	M_R, B)
SSE_66(0x60, "PCMPESTRM",	M_R, B)
SSE_66(0x61, "PCMPESTRI",	M_R, B)
SSE_66(0x62, "PCMPISTRM",	M_R, B)
SSE_66(0x63, "PCMPISTRI",	M_R, B)
ROW(OP(0xcc), "SHA1RNDS4", FPU, M_R | SSE | P_NP, B, FPU_SSE)
SSE_66(0xdf, "AESKEYGENASSIST",	M_R, B)
