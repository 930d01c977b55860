/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/opcode_table_vex_0f38.h - AVX, AVX2, FMA, F16C and BMI in the 0F38 map
 * (VEX.mmmmm = 2).
 *
 * Read by opcode_table_all.h. Conventions as in opcode_table_vex_0f.h. BMI works
 * on general registers: no CR0 or CR4 bit stops it, so it is plain.
 */

/* 00 - 0F */
V_66(0x00, "VPSHUFB",		M_R,			NONE)
V_66(0x01, "VPHADDW",		M_R,			NONE)
V_66(0x02, "VPHADDD",		M_R,			NONE)
V_66(0x03, "VPHADDSW",		M_R,			NONE)
V_66(0x04, "VPMADDUBSW",	M_R,			NONE)
V_66(0x05, "VPHSUBW",		M_R,			NONE)
V_66(0x06, "VPHSUBD",		M_R,			NONE)
V_66(0x07, "VPHSUBSW",		M_R,			NONE)
V_66(0x08, "VPSIGNB",		M_R,			NONE)
V_66(0x09, "VPSIGNW",		M_R,			NONE)
V_66(0x0a, "VPSIGND",		M_R,			NONE)
V_66(0x0b, "VPMULHRSW",		M_R,			NONE)
V_66(0x0c, "VPERMILPS",		M_R | VW0,		NONE)
V_66(0x0d, "VPERMILPD",		M_R | VW0,		NONE)
V_66(0x0e, "VTESTPS",		M_R | VW0 | NOV,	NONE)
V_66(0x0f, "VTESTPD",		M_R | VW0 | NOV,	NONE)

/* 13 - 2F */
V_66(0x13, "VCVTPH2PS",		M_R | VW0 | NOV,	NONE)
V_66(0x16, "VPERMPS",		M_R | VL1 | VW0,	NONE)
V_66(0x17, "VPTEST",		M_R | NOV,		NONE)
V_66(0x18, "VBROADCASTSS",	M_R | VW0 | NOV,	NONE)
V_66(0x19, "VBROADCASTSD",	M_R | VL1 | VW0 | NOV,	NONE)
V_66(0x1a, "VBROADCASTF128",	M_R | MEM_ONLY | VL1 | VW0 | NOV, NONE)
V_66(0x1c, "VPABSB",		M_R | NOV,		NONE)
V_66(0x1d, "VPABSW",		M_R | NOV,		NONE)
V_66(0x1e, "VPABSD",		M_R | NOV,		NONE)
V_66(0x20, "VPMOVSXBW",		M_R | NOV,		NONE)
V_66(0x21, "VPMOVSXBD",		M_R | NOV,		NONE)
V_66(0x22, "VPMOVSXBQ",		M_R | NOV,		NONE)
V_66(0x23, "VPMOVSXWD",		M_R | NOV,		NONE)
V_66(0x24, "VPMOVSXWQ",		M_R | NOV,		NONE)
V_66(0x25, "VPMOVSXDQ",		M_R | NOV,		NONE)
V_66(0x28, "VPMULDQ",		M_R,			NONE)
V_66(0x29, "VPCMPEQQ",		M_R,			NONE)
V_66(0x2a, "VMOVNTDQA",		M_R | MEM_ONLY | NOV,	NONE)
V_66(0x2b, "VPACKUSDW",		M_R,			NONE)
V_66(0x2c, "VMASKMOVPS",	M_R | MEM_ONLY | VW0,	NONE)
V_66(0x2d, "VMASKMOVPD",	M_R | MEM_ONLY | VW0,	NONE)
V_66(0x2e, "VMASKMOVPS",	M_W | MEM_ONLY | VW0,	NONE)
V_66(0x2f, "VMASKMOVPD",	M_W | MEM_ONLY | VW0,	NONE)

/* 30 - 5A */
V_66(0x30, "VPMOVZXBW",		M_R | NOV,		NONE)
V_66(0x31, "VPMOVZXBD",		M_R | NOV,		NONE)
V_66(0x32, "VPMOVZXBQ",		M_R | NOV,		NONE)
V_66(0x33, "VPMOVZXWD",		M_R | NOV,		NONE)
V_66(0x34, "VPMOVZXWQ",		M_R | NOV,		NONE)
V_66(0x35, "VPMOVZXDQ",		M_R | NOV,		NONE)
V_66(0x36, "VPERMD",		M_R | VL1 | VW0,	NONE)
V_66(0x37, "VPCMPGTQ",		M_R,			NONE)
V_66(0x38, "VPMINSB",		M_R,			NONE)
V_66(0x39, "VPMINSD",		M_R,			NONE)
V_66(0x3a, "VPMINUW",		M_R,			NONE)
V_66(0x3b, "VPMINUD",		M_R,			NONE)
V_66(0x3c, "VPMAXSB",		M_R,			NONE)
V_66(0x3d, "VPMAXSD",		M_R,			NONE)
V_66(0x3e, "VPMAXUW",		M_R,			NONE)
V_66(0x3f, "VPMAXUD",		M_R,			NONE)
V_66(0x40, "VPMULLD",		M_R,			NONE)
V_66(0x41, "VPHMINPOSUW",	M_R | VL0 | NOV,	NONE)
V_66_W(0x45, "VPSRLVD", "VPSRLVQ", M_R,			NONE)
V_66(0x46, "VPSRAVD",		M_R | VW0,		NONE)
V_66_W(0x47, "VPSLLVD", "VPSLLVQ", M_R,			NONE)
V_66(0x58, "VPBROADCASTD",	M_R | VW0 | NOV,	NONE)
V_66(0x59, "VPBROADCASTQ",	M_R | VW0 | NOV,	NONE)
V_66(0x5a, "VBROADCASTI128",	M_R | MEM_ONLY | VL1 | VW0 | NOV, NONE)

/* 78 - 93. A gather reads some of many places; its index is a vector. */
V_66(0x78, "VPBROADCASTB",	M_R | VW0 | NOV,	NONE)
V_66(0x79, "VPBROADCASTW",	M_R | VW0 | NOV,	NONE)
V_66_W(0x8c, "VPMASKMOVD", "VPMASKMOVQ", M_R | MEM_ONLY, NONE)
V_66_W(0x8e, "VPMASKMOVD", "VPMASKMOVQ", M_W | MEM_ONLY, NONE)
V_66_W(0x90, "VPGATHERDD", "VPGATHERDQ", M_R | MEM_ONLY | VSIB, NONE)
V_66_W(0x91, "VPGATHERQD", "VPGATHERQQ", M_R | MEM_ONLY | VSIB, NONE)
V_66_W(0x92, "VGATHERDPS", "VGATHERDPD", M_R | MEM_ONLY | VSIB, NONE)
V_66_W(0x93, "VGATHERQPS", "VGATHERQPD", M_R | MEM_ONLY | VSIB, NONE)

/* 96 - BF: FMA, in three orders of the operands */
#define FMA(op6, op7, op8, op9, opa, opb, opc, opd, ope, opf, order) \
	V_66_W(op6, "VFMADDSUB" order "PS", "VFMADDSUB" order "PD", M_R, NONE) \
	V_66_W(op7, "VFMSUBADD" order "PS", "VFMSUBADD" order "PD", M_R, NONE) \
	V_66_W(op8, "VFMADD" order "PS", "VFMADD" order "PD", M_R, NONE) \
	V_66_W(op9, "VFMADD" order "SS", "VFMADD" order "SD", M_R, NONE) \
	V_66_W(opa, "VFMSUB" order "PS", "VFMSUB" order "PD", M_R, NONE) \
	V_66_W(opb, "VFMSUB" order "SS", "VFMSUB" order "SD", M_R, NONE) \
	V_66_W(opc, "VFNMADD" order "PS", "VFNMADD" order "PD", M_R, NONE) \
	V_66_W(opd, "VFNMADD" order "SS", "VFNMADD" order "SD", M_R, NONE) \
	V_66_W(ope, "VFNMSUB" order "PS", "VFNMSUB" order "PD", M_R, NONE) \
	V_66_W(opf, "VFNMSUB" order "SS", "VFNMSUB" order "SD", M_R, NONE)
FMA(0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, "132")
FMA(0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, "213")
FMA(0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf, "231")
#undef FMA

/* DB - DF: AES, 128 bits only (the 256-bit forms came after AVX2) */
V_66(0xdb, "VAESIMC",		M_R | VL0 | NOV,	NONE)
V_66(0xdc, "VAESENC",		M_R | VL0,		NONE)
V_66(0xdd, "VAESENCLAST",	M_R | VL0,		NONE)
V_66(0xde, "VAESDEC",		M_R | VL0,		NONE)
V_66(0xdf, "VAESDECLAST",	M_R | VL0,		NONE)

/* F2 - F7: BMI1 and BMI2 */
#define BMI(at, name, bits)	ROW(at, name, PLAIN, M_R | VL0 | OP32 | (bits), NONE, DATA)
BMI(OP(0xf2), "ANDN",		P_NP)
GROUP(OP(0xf3), vg17, REG, 8)
BMI(IN(vg17, 1), "BLSR",	P_NP)
BMI(IN(vg17, 2), "BLSMSK",	P_NP)
BMI(IN(vg17, 3), "BLSI",	P_NP)
GROUP(OP(0xf5), bzhi, PFX, 4)
BMI(IN(bzhi, 0), "BZHI",	0)
BMI(IN(bzhi, 2), "PEXT",	0)
BMI(IN(bzhi, 3), "PDEP",	0)
BMI(OP(0xf6), "MULX",		P_F2)
GROUP(OP(0xf7), bextr, PFX, 4)
BMI(IN(bextr, 0), "BEXTR",	0)
BMI(IN(bextr, 1), "SHLX",	0)
BMI(IN(bextr, 2), "SARX",	0)
BMI(IN(bextr, 3), "SHRX",	0)
#undef BMI
