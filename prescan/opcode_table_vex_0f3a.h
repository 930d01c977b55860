/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/opcode_table_vex_0f3a.h - AVX, AVX2, F16C and RORX in the 0F3A map
 * (VEX.mmmmm = 3); all have an immediate byte.
 *
 * Read by opcode_table_all.h. Conventions as in opcode_table_vex_0f.h.
 */
V_66(0x00, "VPERMQ",		M_R | VL1 | VW1 | NOV,	B)
V_66(0x01, "VPERMPD",		M_R | VL1 | VW1 | NOV,	B)
V_66(0x02, "VPBLENDD",		M_R | VW0,		B)
V_66(0x04, "VPERMILPS",		M_R | VW0 | NOV,	B)
V_66(0x05, "VPERMILPD",		M_R | VW0 | NOV,	B)
V_66(0x06, "VPERM2F128",	M_R | VL1 | VW0,	B)
V_66(0x08, "VROUNDPS",		M_R | NOV,		B)
V_66(0x09, "VROUNDPD",		M_R | NOV,		B)
V_66(0x0a, "VROUNDSS",		M_R,			B)
V_66(0x0b, "VROUNDSD",		M_R,			B)
V_66(0x0c, "VBLENDPS",		M_R,			B)
V_66(0x0d, "VBLENDPD",		M_R,			B)
V_66(0x0e, "VPBLENDW",		M_R,			B)
V_66(0x0f, "VPALIGNR",		M_R,			B)
V_66(0x14, "VPEXTRB",		M_W | VL0 | NOV,	B)
V_66(0x15, "VPEXTRW",		M_W | VL0 | NOV,	B)
V_66(0x16, "VPEXTRD",		M_W | VL0 | NOV,	B)
V_66(0x17, "VEXTRACTPS",	M_W | VL0 | NOV,	B)
V_66(0x18, "VINSERTF128",	M_R | VL1 | VW0,	B)
V_66(0x19, "VEXTRACTF128",	M_W | VL1 | VW0 | NOV,	B)
V_66(0x1d, "VCVTPS2PH",		M_W | VW0 | NOV,	B)
V_66(0x20, "VPINSRB",		M_R | VL0,		B)
V_66(0x21, "VINSERTPS",		M_R | VL0,		B)
V_66(0x22, "VPINSRD",		M_R | VL0,		B)
V_66(0x38, "VINSERTI128",	M_R | VL1 | VW0,	B)
V_66(0x39, "VEXTRACTI128",	M_W | VL1 | VW0 | NOV,	B)
V_66(0x40, "VDPPS",		M_R,			B)
V_66(0x41, "VDPPD",		M_R | VL0,		B)
V_66(0x42, "VMPSADBW",		M_R,			B)
V_66(0x44, "VPCLMULQDQ",	M_R | VL0,		B)
V_66(0x46, "VPERM2I128",	M_R | VL1 | VW0,	B)

/* 4A - 4C: the immediate names a fourth register */
V_66(0x4a, "VBLENDVPS",		M_R | VW0,		B)
V_66(0x4b, "VBLENDVPD",		M_R | VW0,		B)
V_66(0x4c, "VPBLENDVB",		M_R | VW0,		B)

V_66(0x60, "VPCMPESTRM",	M_R | VL0 | NOV,	B)
V_66(0x61, "VPCMPESTRI",	M_R | VL0 | NOV,	B)
V_66(0x62, "VPCMPISTRM",	M_R | VL0 | NOV,	B)
V_66(0x63, "VPCMPISTRI",	M_R | VL0 | NOV,	B)
V_66(0xdf, "VAESKEYGENASSIST",	M_R | VL0 | NOV,	B)
ROW(OP(0xf0), "RORX", PLAIN,	M_R | P_F2 | VL0 | NOV | OP32, B, DATA)
