/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/oracle/zydis_errata.h - where Zydis 4.0.0 and prescan differ, and who is right.
 *
 * Nearly all are extensions that Zydis knows and the guest's CPUID does not have: prescan judges as a processor with
 * everything up to AVX2, and for such a processor they are #UD. No length differs, and no address.
 */
#ifndef TESTS_ORACLE_ZYDIS_ERRATA_H
#define TESTS_ORACLE_ZYDIS_ERRATA_H

struct zydis_erratum {
	const char *name, *why;		/* a trailing * is a prefix match */
};

/* Two names of one thing: ours, theirs. */
static const char *const zydis_same_name[][2] = {
	{ "ja", "jnbe" }, { "jae", "jnb" }, { "je", "jz" }, { "jg", "jnle" }, { "jge", "jnl" }, { "jne", "jnz" },
	{ "seta", "setnbe" }, { "setae", "setnb" }, { "sete", "setz" }, { "setg", "setnle" }, { "setge", "setnl" },
	{ "setne", "setnz" },
	{ "cmova", "cmovnbe" }, { "cmovae", "cmovnb" }, { "cmove", "cmovz" }, { "cmovg", "cmovnle" },
	{ "cmovge", "cmovnl" }, { "cmovne", "cmovnz" },
	{ "retf", "ret" }, { "wait", "fwait" }, { "prefetchw", "prefetch*" },
	{ "fcom2", "fcom" }, { "fcomp3", "fcomp" }, { "fcomp5", "fcomp" }, { "fxch4", "fxch" }, { "fxch7", "fxch" },
	{ "fstp1", "fstpnce" }, { "fstp8", "fstp" }, { "fstp9", "fstp" },
	{ "fndisi", "fdisi8087_nop" }, { "fneni", "feni8087_nop" }, { "fnsetpm", "fsetpm287_nop" },
	/* Without CET, which Zydis was told to leave out, they are. */
	{ "endbr32", "nop" }, { "endbr64", "nop" },
};

static const struct {
	const char *ours, *theirs, *why;
} zydis_wrong_name[] = {
	{ "pfrcpit1", "pfcpit1", "misspelt: AMD 3DNow! Technology Manual, \"PFRCPIT1\"" },
	{ "pfrsqrt", "pfsqrt", "misspelt: AMD 3DNow! Technology Manual, \"PFRSQRT\"" },
};

#define LATER(extension) extension ": later than AVX2, not in the guest's CPUID, and so #UD (SDM 2, \"Exceptions\" of its page)"
static const struct zydis_erratum zydis_refused[] = {
	{ "k*", LATER("AVX-512 mask registers") },
	{ "vpdp*", LATER("AVX-VNNI") },
	{ "vaes*", LATER("VAES, the 256-bit forms") },
	{ "vpclmulqdq", LATER("VPCLMULQDQ, the 256-bit form") },
	{ "gf2p8*", LATER("GFNI") }, { "vgf2p8*", LATER("GFNI") },
	{ "aesdec128kl", LATER("Key Locker") }, { "aesdec256kl", LATER("Key Locker") },
	{ "aesenc128kl", LATER("Key Locker") }, { "aesenc256kl", LATER("Key Locker") },
	{ "aesdecwide*", LATER("Key Locker") }, { "aesencwide*", LATER("Key Locker") },
	{ "encodekey*", LATER("Key Locker") }, { "loadiwkey", LATER("Key Locker") },
	{ "clrssbsy", LATER("CET") }, { "setssbsy", LATER("CET") }, { "rstorssp", LATER("CET") }, { "saveprevssp", LATER("CET") },
	{ "incsspd", LATER("CET") }, { "wrssd", LATER("CET") }, { "wrussd", LATER("CET") },
	{ "enqcmd*", LATER("ENQCMD") }, { "movdir*", LATER("MOVDIRI, MOVDIR64B") }, { "ptwrite", LATER("PTWRITE") },
	{ "tpause", LATER("WAITPKG") }, { "umonitor", LATER("WAITPKG") }, { "umwait", LATER("WAITPKG") },
	{ "serialize", LATER("SERIALIZE") }, { "hreset", LATER("HRESET") }, { "xresldtrk", LATER("TSXLDTRK") }, { "xsusldtrk", LATER("TSXLDTRK") },
	{ "encl*", LATER("SGX") }, { "tdcall", LATER("TDX") }, { "seamcall", LATER("TDX") },
	{ "pconfig", LATER("PCONFIG") }, { "wrpkru", LATER("PKU") }, { "rdpkru", LATER("PKU") }, { "uiret", LATER("UINTR") },
	{ "xabort", LATER("TSX") }, { "xbegin", LATER("TSX") }, { "xend", LATER("TSX") }, { "xtest", LATER("TSX") },
	{ "vfm*", "FMA4, AMD's alone: not in the guest's CPUID (AMD APM 4; FMA itself is defined here and met elsewhere)" },
	{ "vfnm*", "FMA4, AMD's alone: not in the guest's CPUID (AMD APM 4; FMA itself is defined here and met elsewhere)" },
	{ "vpermil2p*", "XOP: not in the guest's CPUID (AMD APM 4)" },
	{ "clzero", "CLZERO, AMD's alone: not in the guest's CPUID (AMD APM 3)" },
	{ "monitorx", "MONITORX: not in the guest's CPUID (AMD APM 3)" }, { "mwaitx", "MONITORX: not in the guest's CPUID (AMD APM 3)" },
	{ "mcommit", "MCOMMIT: not in the guest's CPUID (AMD APM 3)" }, { "rdpru", "RDPRU: not in the guest's CPUID (AMD APM 3)" },
	{ "tlbsync", "INVLPGB: not in the guest's CPUID (AMD APM 3)" }, { "invlpgb", "INVLPGB: not in the guest's CPUID (AMD APM 3)" },
	{ "pvalidate", "SEV-SNP: not in the guest's CPUID (AMD APM 3)" }, { "psmash", "SEV-SNP: not in the guest's CPUID (AMD APM 3)" },
	{ "rmp*", "SEV-SNP: not in the guest's CPUID (AMD APM 3)" },
	{ "montmul", "VIA PadLock: not in the guest's CPUID" }, { "xcrypt*", "VIA PadLock: not in the guest's CPUID" },
	{ "xsha*", "VIA PadLock: not in the guest's CPUID" }, { "xstore", "VIA PadLock: not in the guest's CPUID" },
	{ "nop", "0F 0D with a register: AMD APM 3, \"PREFETCH\": #UD; the SDM names only the memory form" },
};
#undef LATER

/* We say an instruction, Zydis none. */
#define NOT_THERE "66, F2, F3 before VMX's instructions, MONITOR, MWAIT: #UD either way, for the guest's CPUID has neither; the monitor raises it"
static const struct zydis_erratum unknown_to_zydis[] = {
	{ "vm*", NOT_THERE }, { "monitor", NOT_THERE }, { "mwait", NOT_THERE },
};
#undef NOT_THERE

/* What is done to the memory operand. */
#define NO_ACCESS "an address is formed and no memory is read: its page of SDM 2, \"Description\""
static const struct zydis_erratum zydis_access[] = {
	{ "invlpg", NO_ACCESS }, { "nop", NO_ACCESS }, { "prefetch*", NO_ACCESS },
};
#undef NO_ACCESS

#endif
