/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/oracle/capstone_errata.h - where Capstone 4.0.2 is not to be believed.
 *
 * Each entry is an encoding class on which Capstone and the SDM differ, or which
 * Plexus leaves undefined on purpose. All that stand here were looked up in SDM 2
 * (or AMD APM 3) and, but for what the processor at hand lacks, tried on silicon:
 * an instruction at the end of a page raises #UD, or faults on the next page
 * exactly when its length says so. Rules that are more than a name are functions
 * in capstone.c.
 */
#ifndef TESTS_ORACLE_CAPSTONE_ERRATA_H
#define TESTS_ORACLE_CAPSTONE_ERRATA_H

/* Instructions that Capstone knows and we refuse. A trailing * is a prefix match. */
static const char *const refused_on_purpose[] = {
	/* Later than AVX2, or one maker's own: the guest's CPUID shows none. */
	"k*",					/* AVX-512 mask registers */
	"vfmadd*", "vfmsub*", "vfnmadd*", "vfnmsub*",	/* FMA4; FMA is defined and not met here */
	"vpermil2ps", "vpermil2pd",		/* XOP */
	"montmul", "xsha1", "xsha256", "xstorerng", "xcrypt*",	/* VIA PadLock */
	"encls", "enclu",			/* SGX */
	"pcommit",				/* withdrawn before any processor had it */
	/* TSX: the abort address would be one in the code cache. */
	"xbegin", "xabort", "xend", "xtest",
	/* 64-bit mode only. */
	"swapgs",
};

/* Instructions that we know and Capstone 4.0.2 does not. */
static const struct {
	const char *name;
	const char *why;
} unknown_to_capstone[] = {
	{ "endbr32", "CET came after" },
	{ "endbr64", "CET came after" },
	{ "lfence", "SDM 2A, LFENCE: the processor ignores the r/m field" },
	{ "mfence", "SDM 2B, MFENCE: the processor ignores the r/m field" },
	{ "sfence", "SDM 2B, SFENCE: the processor ignores the r/m field" },
	{ "nop", "SDM 2D, two-byte map: 0F 18 to 0F 1F are reserved NOPs in all forms" },
	{ "prefetchw", "APM 3, PREFETCH: reserved forms are aliases, not #UD" },
	{ "ud0", "SDM 2B, UD: 0F FF" },
	{ "vbroadcasti128", "missing" },
};

/* Two names of one thing: ours, theirs. */
static const char *const same_name[][2] = {
	{ "call", "lcall" }, { "jmp", "ljmp" },
	{ "pusha", "pushaw" }, { "pushad", "pushal" }, { "popa", "popaw" }, { "popad", "popal" },
	{ "xlat", "xlatb" }, { "shl", "sal" },
	{ "fneni", "feni8087_nop" }, { "fndisi", "fdisi8087_nop" }, { "fnsetpm", "fsetpm" },
	{ "fcom2", "fcom" }, { "fcomp3", "fcomp" }, { "fcomp5", "fcomp" }, { "fxch4", "fxch" },
	{ "fxch7", "fxch" }, { "fstp1", "fstpnce" }, { "fstp8", "fstp" }, { "fstp9", "fstp" },
	{ "vcvtpd2dq", "vcvtpd2dqx" }, { "vcvttpd2dq", "vcvttpd2dqx" }, { "vcvtpd2ps", "vcvtpd2psx" },
	/* Outside 64-bit mode the W1 form is the W0 form (SDM 2B, PEXTRB/PEXTRD/PEXTRQ). */
	{ "vpextrd", "vpextrq" }, { "vpinsrd", "vpinsrq" },
};

/* Wrong names: they take the wrong row, or do not have the right one. */
static const struct {
	const char *ours, *theirs, *why;
} wrong_name[] = {
	{ "cbw", "cwde", "16-bit mode: operand size inverted" },
	{ "cwd", "cdq", "16-bit mode: operand size inverted" },
	{ "pause", "nop", "16-bit mode: the unprefixed row" },
	{ "rdpid", "rdseed", "F3 0F C7 /7 came after" },
};

/* What is done to the memory operand, where Capstone's "access" is wrong: nearly all
 * its stores say "read". BY_PLACE: a move, which writes its first operand. */
enum access { A_NONE, A_READ, A_WRITE, A_RW, A_BY_PLACE };
static const struct {
	const char *name;
	enum access access;
} access_by_sdm[] = {
	{ "arpl", A_RW }, { "cmpxchg", A_RW }, { "cmpxchg8b", A_RW },
	{ "rol", A_RW }, { "ror", A_RW }, { "rcl", A_RW }, { "rcr", A_RW },
	{ "test", A_READ },
	{ "set*", A_WRITE },
	{ "fst", A_WRITE }, { "fstp", A_WRITE }, { "fist", A_WRITE }, { "fistp", A_WRITE },
	{ "fisttp", A_WRITE }, { "fnstcw", A_WRITE }, { "frstor", A_READ },
	{ "stmxcsr", A_WRITE }, { "vstmxcsr", A_WRITE },
	/* They read the header to know what is in its initial state. */
	{ "xsave", A_RW }, { "xsaveopt", A_RW },
	{ "clwb", A_READ },			/* SDM 2A, CLWB: checked as a byte load */
	/* An address and no access: LEA, INVLPG; hints. */
	{ "lea", A_NONE }, { "invlpg", A_NONE }, { "nop", A_NONE }, { "prefetch*", A_NONE },
	{ "movbe", A_BY_PLACE }, { "movnti", A_WRITE }, { "movntq", A_WRITE }, { "movntdq", A_WRITE },
	{ "movntps", A_WRITE }, { "movntpd", A_WRITE }, { "movntss", A_WRITE }, { "movntsd", A_WRITE },
	{ "movd", A_BY_PLACE }, { "movq", A_BY_PLACE }, { "movdqa", A_BY_PLACE }, { "movdqu", A_BY_PLACE },
	{ "movups", A_BY_PLACE }, { "movupd", A_BY_PLACE }, { "movss", A_BY_PLACE }, { "movsd", A_BY_PLACE },
	{ "movlps", A_BY_PLACE }, { "movlpd", A_BY_PLACE }, { "movhps", A_BY_PLACE }, { "movhpd", A_BY_PLACE },
	{ "pextrb", A_WRITE }, { "pextrw", A_WRITE }, { "pextrd", A_WRITE }, { "extractps", A_WRITE },
	{ "vpextrb", A_WRITE }, { "vpextrw", A_WRITE }, { "vpextrd", A_WRITE }, { "vextractps", A_WRITE },
	{ "vextractf128", A_WRITE }, { "vextracti128", A_WRITE }, { "vcvtps2ph", A_WRITE },
	{ "vmovd", A_BY_PLACE }, { "vmovq", A_BY_PLACE }, { "vmovdqa", A_BY_PLACE }, { "vmovdqu", A_BY_PLACE },
	{ "vmovups", A_BY_PLACE }, { "vmovupd", A_BY_PLACE }, { "vmovss", A_BY_PLACE }, { "vmovsd", A_BY_PLACE },
	{ "vmovaps", A_BY_PLACE }, { "vmovapd", A_BY_PLACE },
	{ "vmovlps", A_BY_PLACE }, { "vmovlpd", A_BY_PLACE }, { "vmovhps", A_BY_PLACE }, { "vmovhpd", A_BY_PLACE },
	{ "vmovntdq", A_WRITE }, { "vmovntps", A_WRITE }, { "vmovntpd", A_WRITE },
	{ "vmaskmovps", A_BY_PLACE }, { "vmaskmovpd", A_BY_PLACE },
	{ "vpmaskmovd", A_BY_PLACE }, { "vpmaskmovq", A_BY_PLACE },
	/* No access given at all. */
	{ "cvtsd2si", A_READ }, { "cvtss2si", A_READ }, { "vcvtsd2si", A_READ }, { "vcvtss2si", A_READ },
	{ "roundsd", A_READ }, { "roundss", A_READ }, { "vroundsd", A_READ }, { "vroundss", A_READ },
};

#endif
