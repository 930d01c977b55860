/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/opcode_table_x87.h - D8 to DF (SDM 2D, "Escape Opcodes").
 *
 * Read by opcode_table_all.h. Each opcode is a group by mod; its memory half is
 * a group by reg, so is its register half, and there some go on by rm. The
 * register forms that the SDM leaves blank but every processor since the 8087
 * runs as another instruction are here under the names that assemblers give
 * them, with the word "alias": a guest that uses one sees it run on silicon.
 */
#define FP_SPLIT(op, tag) \
	GROUP(OP(op), tag, MOD, 2) \
	GROUP(IN(tag, 0), tag##_m, REG, 8) \
	GROUP(IN(tag, 1), tag##_r, REG, 8)
#define FP(at, name, bits)	ROW(at, name, FPU, X87 | (bits), NONE, FPU_X87)
#define FP_ALIAS(at, name)	ROW(at, name, FPU, X87 | MODRM, NONE, "alias, in silicon since the 8087; otherwise as its original")
#define FP_NOP(at, name)	ROW(at, name, FPU, X87 | MODRM, NONE, "did something on the 8087 or 80287, nothing since")
#define FP_ARITH(tag, bits) \
	FP(IN(tag, 0), "FADD", bits)	FP(IN(tag, 1), "FMUL", bits) \
	FP(IN(tag, 2), "FCOM", bits)	FP(IN(tag, 3), "FCOMP", bits) \
	FP(IN(tag, 4), "FSUB", bits)	FP(IN(tag, 5), "FSUBR", bits) \
	FP(IN(tag, 6), "FDIV", bits)	FP(IN(tag, 7), "FDIVR", bits)
#define FP_ARITH_INT(tag) \
	FP(IN(tag, 0), "FIADD", M_R)	FP(IN(tag, 1), "FIMUL", M_R) \
	FP(IN(tag, 2), "FICOM", M_R)	FP(IN(tag, 3), "FICOMP", M_R) \
	FP(IN(tag, 4), "FISUB", M_R)	FP(IN(tag, 5), "FISUBR", M_R) \
	FP(IN(tag, 6), "FIDIV", M_R)	FP(IN(tag, 7), "FIDIVR", M_R)

/* D8: m32 real */
FP_SPLIT(0xd8, d8)
FP_ARITH(d8_m, M_R)
FP_ARITH(d8_r, MODRM)

/* D9 */
FP_SPLIT(0xd9, d9)
FP(IN(d9_m, 0), "FLD",		M_R)
FP(IN(d9_m, 2), "FST",		M_W)
FP(IN(d9_m, 3), "FSTP",		M_W)
FP(IN(d9_m, 4), "FLDENV",	M_R)
FP(IN(d9_m, 5), "FLDCW",	M_R)
FP(IN(d9_m, 6), "FNSTENV",	M_W)
FP(IN(d9_m, 7), "FNSTCW",	M_W)
FP(IN(d9_r, 0), "FLD",		MODRM)
FP(IN(d9_r, 1), "FXCH",		MODRM)
GROUP(IN(d9_r, 2), d9_d0, RM, 8)
FP(IN(d9_d0, 0), "FNOP",	MODRM)
FP_ALIAS(IN(d9_r, 3), "FSTP1")
GROUP(IN(d9_r, 4), d9_e0, RM, 8)
FP(IN(d9_e0, 0), "FCHS",	MODRM)
FP(IN(d9_e0, 1), "FABS",	MODRM)
FP(IN(d9_e0, 4), "FTST",	MODRM)
FP(IN(d9_e0, 5), "FXAM",	MODRM)
GROUP(IN(d9_r, 5), d9_e8, RM, 8)
FP(IN(d9_e8, 0), "FLD1",	MODRM)
FP(IN(d9_e8, 1), "FLDL2T",	MODRM)
FP(IN(d9_e8, 2), "FLDL2E",	MODRM)
FP(IN(d9_e8, 3), "FLDPI",	MODRM)
FP(IN(d9_e8, 4), "FLDLG2",	MODRM)
FP(IN(d9_e8, 5), "FLDLN2",	MODRM)
FP(IN(d9_e8, 6), "FLDZ",	MODRM)
GROUP(IN(d9_r, 6), d9_f0, RM, 8)
FP(IN(d9_f0, 0), "F2XM1",	MODRM)
FP(IN(d9_f0, 1), "FYL2X",	MODRM)
FP(IN(d9_f0, 2), "FPTAN",	MODRM)
FP(IN(d9_f0, 3), "FPATAN",	MODRM)
FP(IN(d9_f0, 4), "FXTRACT",	MODRM)
FP(IN(d9_f0, 5), "FPREM1",	MODRM)
FP(IN(d9_f0, 6), "FDECSTP",	MODRM)
FP(IN(d9_f0, 7), "FINCSTP",	MODRM)
GROUP(IN(d9_r, 7), d9_f8, RM, 8)
FP(IN(d9_f8, 0), "FPREM",	MODRM)
FP(IN(d9_f8, 1), "FYL2XP1",	MODRM)
FP(IN(d9_f8, 2), "FSQRT",	MODRM)
FP(IN(d9_f8, 3), "FSINCOS",	MODRM)
FP(IN(d9_f8, 4), "FRNDINT",	MODRM)
FP(IN(d9_f8, 5), "FSCALE",	MODRM)
FP(IN(d9_f8, 6), "FSIN",	MODRM)
FP(IN(d9_f8, 7), "FCOS",	MODRM)

/* DA: m32 integer */
FP_SPLIT(0xda, da)
FP_ARITH_INT(da_m)
FP(IN(da_r, 0), "FCMOVB",	MODRM)
FP(IN(da_r, 1), "FCMOVE",	MODRM)
FP(IN(da_r, 2), "FCMOVBE",	MODRM)
FP(IN(da_r, 3), "FCMOVU",	MODRM)
GROUP(IN(da_r, 5), da_e8, RM, 8)
FP(IN(da_e8, 1), "FUCOMPP",	MODRM)

/* DB */
FP_SPLIT(0xdb, db)
FP(IN(db_m, 0), "FILD",		M_R)
FP(IN(db_m, 1), "FISTTP",	M_W)
FP(IN(db_m, 2), "FIST",		M_W)
FP(IN(db_m, 3), "FISTP",	M_W)
FP(IN(db_m, 5), "FLD",		M_R)
FP(IN(db_m, 7), "FSTP",		M_W)
FP(IN(db_r, 0), "FCMOVNB",	MODRM)
FP(IN(db_r, 1), "FCMOVNE",	MODRM)
FP(IN(db_r, 2), "FCMOVNBE",	MODRM)
FP(IN(db_r, 3), "FCMOVNU",	MODRM)
GROUP(IN(db_r, 4), db_e0, RM, 8)
FP_NOP(IN(db_e0, 0), "FNENI")
FP_NOP(IN(db_e0, 1), "FNDISI")
FP(IN(db_e0, 2), "FNCLEX",	MODRM)
FP(IN(db_e0, 3), "FNINIT",	MODRM)
FP_NOP(IN(db_e0, 4), "FNSETPM")
FP(IN(db_r, 5), "FUCOMI",	MODRM)
FP(IN(db_r, 6), "FCOMI",	MODRM)

/* DC: m64 real */
FP_SPLIT(0xdc, dc)
FP_ARITH(dc_m, M_R)
FP(IN(dc_r, 0), "FADD",		MODRM)
FP(IN(dc_r, 1), "FMUL",		MODRM)
FP_ALIAS(IN(dc_r, 2), "FCOM2")
FP_ALIAS(IN(dc_r, 3), "FCOMP3")
FP(IN(dc_r, 4), "FSUBR",	MODRM)
FP(IN(dc_r, 5), "FSUB",		MODRM)
FP(IN(dc_r, 6), "FDIVR",	MODRM)
FP(IN(dc_r, 7), "FDIV",		MODRM)

/* DD */
FP_SPLIT(0xdd, dd)
FP(IN(dd_m, 0), "FLD",		M_R)
FP(IN(dd_m, 1), "FISTTP",	M_W)
FP(IN(dd_m, 2), "FST",		M_W)
FP(IN(dd_m, 3), "FSTP",		M_W)
FP(IN(dd_m, 4), "FRSTOR",	M_R)
FP(IN(dd_m, 6), "FNSAVE",	M_W)
FP(IN(dd_m, 7), "FNSTSW",	M_W)
FP(IN(dd_r, 0), "FFREE",	MODRM)
FP_ALIAS(IN(dd_r, 1), "FXCH4")
FP(IN(dd_r, 2), "FST",		MODRM)
FP(IN(dd_r, 3), "FSTP",		MODRM)
FP(IN(dd_r, 4), "FUCOM",	MODRM)
FP(IN(dd_r, 5), "FUCOMP",	MODRM)

/* DE: m16 integer */
FP_SPLIT(0xde, de)
FP_ARITH_INT(de_m)
FP(IN(de_r, 0), "FADDP",	MODRM)
FP(IN(de_r, 1), "FMULP",	MODRM)
FP_ALIAS(IN(de_r, 2), "FCOMP5")
GROUP(IN(de_r, 3), de_d8, RM, 8)
FP(IN(de_d8, 1), "FCOMPP",	MODRM)
FP(IN(de_r, 4), "FSUBRP",	MODRM)
FP(IN(de_r, 5), "FSUBP",	MODRM)
FP(IN(de_r, 6), "FDIVRP",	MODRM)
FP(IN(de_r, 7), "FDIVP",	MODRM)

/* DF */
FP_SPLIT(0xdf, df)
FP(IN(df_m, 0), "FILD",		M_R)
FP(IN(df_m, 1), "FISTTP",	M_W)
FP(IN(df_m, 2), "FIST",		M_W)
FP(IN(df_m, 3), "FISTP",	M_W)
FP(IN(df_m, 4), "FBLD",		M_R)
FP(IN(df_m, 5), "FILD",		M_R)
FP(IN(df_m, 6), "FBSTP",	M_W)
FP(IN(df_m, 7), "FISTP",	M_W)
ROW(IN(df_r, 0), "FFREEP", FPU,	X87 | MODRM, NONE, "in no SDM table, yet compilers emit it; data only while CR0.EM, TS are clear")
FP_ALIAS(IN(df_r, 1), "FXCH7")
FP_ALIAS(IN(df_r, 2), "FSTP8")
FP_ALIAS(IN(df_r, 3), "FSTP9")
GROUP(IN(df_r, 4), df_e0, RM, 8)
FP(IN(df_e0, 0), "FNSTSW",	MODRM)
FP(IN(df_r, 5), "FUCOMIP",	MODRM)
FP(IN(df_r, 6), "FCOMIP",	MODRM)

#undef FP_SPLIT
#undef FP
#undef FP_ALIAS
#undef FP_NOP
#undef FP_ARITH
#undef FP_ARITH_INT
