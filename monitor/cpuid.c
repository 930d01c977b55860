/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/cpuid.c - which processor the guest finds itself on.
 *
 *      host's CPUID --> [mon_features_init] --> struct mon_cpu_features --> [mon_cpuid] --> guest
 *
 * Asked by:  the host once, at start; the interpreter and the nexus at each CPUID.
 * Source:    SDM 2A, CPUID; AMD APM 3, "Obtaining Processor Information Via the CPUID Instruction".
 * Tested by: tests/unit/test_cpuid.c.
 *
 * Guest code runs on the real processor, so an unprivileged instruction that the guest may try is there or is
 * not: such features are the host's, or fewer. What the monitor itself plays (paging, SYSENTER, MTRRs, the TSC)
 * is offered everywhere. A guest may know that it is one: leaf 1's hypervisor bit, and leaf 40000000h; there are no paravirtual
 * features behind it. Missing on purpose: APIC and x2APIC (a PIC machine), VME, MCE and MCA, PSE-36,
 * XSAVE and with it AVX, FMA, F16C; MONITOR, VMX, SVM, RDTSCP, SMEP, SMAP, long mode, CX16.
 */
#include "monitor/system.h"

/* Leaf 1 EDX. Ours: FPU DE PSE TSC MSR PAE SEP MTRR PGE PAT. The host's: CX8 CMOV CLFSH MMX FXSR SSE SSE2. */
#define LEAF1_EDX_OURS	(1u << 0 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 11 | 1u << 12 | \
			 1u << 13 | 1u << 16)
#define LEAF1_EDX_HOST	(1u << 8 | 1u << 15 | 1u << 19 | 1u << 23 | 1u << 24 | 1u << 25 | 1u << 26)
/* Leaf 1 ECX: SSE3 PCLMULQDQ SSSE3 SSE4.1 SSE4.2 MOVBE POPCNT AES RDRAND. */
#define LEAF1_ECX_HOST	(1u << 0 | 1u << 1 | 1u << 9 | 1u << 19 | 1u << 20 | 1u << 22 | 1u << 23 | 1u << 25 | 1u << 30)
#define LEAF1_ECX_HYPERVISOR	(1u << 31)
/* Leaf 7 EBX: BMI1 BMI2 ERMS RDSEED ADX SHA; EDX: FSRM. BMI is VEX-encoded but needs no XSAVE state. */
#define LEAF7_EBX_HOST	(1u << 3 | 1u << 8 | 1u << 9 | 1u << 18 | 1u << 19 | 1u << 29)
#define LEAF7_EDX_ARCH_CAPABILITIES (1u << 29)
#define LEAF7_EDX_HOST	(1u << 4)
/* Leaf 80000001h ECX: LAHF ABM PREFETCHW; EDX: NX. */
#define EXT1_ECX_HOST	(1u << 0 | 1u << 5 | 1u << 8)
#define EXT1_EDX_HOST	(1u << 20)
/* AMD repeats these bits of leaf 1 EDX in leaf 80000001h. */
#define EXT1_EDX_MIRROR	0x0183f3ffu
#define EXT7_EDX_HOST	(1u << 8)	/* the TSC runs at one rate in every state */

#define EXT21_EAX_SRSO_NO	(1u << 29) /* the host's kernel sees to return predictions, if anybody */
#define EXT21_ECX_TSA_NO	(1u << 1 | 1u << 2)

#define MAX_LEAF	7
#define HYPERVISOR_LEAF	0x40000000u
#define MAX_EXT_LEAF	0x80000008u
#define MAX_EXT_LEAF_AMD 0x80000021u
#define CLFLUSH_BYTES	64u

enum { EAX, EBX, ECX, EDX };

static bool vendor_is(const uint32_t regs[4], uint32_t ebx, uint32_t edx, uint32_t ecx)
{
	return regs[EBX] == ebx && regs[EDX] == edx && regs[ECX] == ecx;
}

static bool is_amd(const struct mon_cpu_features *f) { return f->vendor[0] == 0x68747541; }

void mon_features_init(struct mon_cpu_features *f, void (*host_cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]))
{
	uint32_t regs[4], host_max, host_max_ext;

	memset(f, 0, sizeof(*f));
	f->max_leaf = MAX_LEAF;

	host_cpuid(0, 0, regs);
	host_max = regs[EAX];
	if (vendor_is(regs, 0x756e6547, 0x49656e69, 0x6c65746e) ||	/* GenuineIntel */
	    vendor_is(regs, 0x68747541, 0x69746e65, 0x444d4163)) {	/* AuthenticAMD */
		f->vendor[0] = regs[EBX];
		f->vendor[1] = regs[EDX];
		f->vendor[2] = regs[ECX];
		host_cpuid(1, 0, regs);
		f->signature = regs[EAX];
	} else {
		/* A make that guests may not know: a Pentium III says enough. */
		f->vendor[0] = 0x756e6547;
		f->vendor[1] = 0x49656e69;
		f->vendor[2] = 0x6c65746e;
		f->signature = 0x683;
		host_cpuid(1, 0, regs);
	}
	f->max_ext_leaf = is_amd(f) ? MAX_EXT_LEAF_AMD : MAX_EXT_LEAF;
	f->leaf1_edx = LEAF1_EDX_OURS | (regs[EDX] & LEAF1_EDX_HOST);
	f->leaf1_ecx = (regs[ECX] & LEAF1_ECX_HOST) | LEAF1_ECX_HYPERVISOR;
	f->fxsr_mask = f->leaf1_edx & 1u << 26 ? 0xffff : 0xffbf;	/* DAZ came with SSE2 */

	if (host_max >= 7) {
		host_cpuid(7, 0, regs);
		f->leaf7_ebx = regs[EBX] & LEAF7_EBX_HOST;
		f->leaf7_edx = regs[EDX] & LEAF7_EDX_HOST;
		/*
		 * Page-table isolation in the guest would keep nothing from its user code that runs in our process anyway, and
		 * costs two CR3 loads a system call; and its VERW comes to the monitor, at each system call, and empties no
		 * buffer. ARCH_CAPABILITIES says that neither is needed; AMD has leaf 80000021h for that.
		 */
		if (!is_amd(f))
			f->leaf7_edx |= LEAF7_EDX_ARCH_CAPABILITIES;
	}

	host_cpuid(0x80000000, 0, regs);
	host_max_ext = regs[EAX];
	if (host_max_ext >= 0x80000001 && host_max_ext < 0x80010000) {
		host_cpuid(0x80000001, 0, regs);
		f->ext1_ecx = regs[ECX] & EXT1_ECX_HOST;
		f->ext1_edx = regs[EDX] & EXT1_EDX_HOST;
		if (is_amd(f))
			f->ext1_edx |= f->leaf1_edx & EXT1_EDX_MIRROR;
	}
	if (host_max_ext >= 0x80000004 && host_max_ext < 0x80010000) {
		for (uint32_t i = 0; i < 3; i++) {
			host_cpuid(0x80000002 + i, 0, regs);
			memcpy(f->brand + i * 16, regs, 16);
		}
	}
	if (host_max_ext >= 0x80000007 && host_max_ext < 0x80010000) {
		host_cpuid(0x80000007, 0, regs);
		f->ext7_edx = regs[EDX] & EXT7_EDX_HOST;
	}
}

/* Leaves 80000005h and 80000006h: 32 KiB of L1 each, 8-way; 512 KiB of L2, 8-way; lines of 64 bytes. */
#define L1_CACHE	(32u << 24 | 8u << 16 | 1u << 8 | 64u)
#define L2_CACHE	(512u << 16 | 6u << 12 | 1u << 8 | 64u)

static void extended_leaf(const struct mon_cpu_features *f, uint32_t leaf, uint32_t regs[4])
{
	switch (leaf) {
	case 0x80000000:
		regs[EAX] = f->max_ext_leaf;
		if (is_amd(f)) {
			regs[EBX] = f->vendor[0];
			regs[EDX] = f->vendor[1];
			regs[ECX] = f->vendor[2];
		}
		break;
	case 0x80000001:
		regs[EAX] = is_amd(f) ? f->signature : 0;
		regs[ECX] = f->ext1_ecx;
		regs[EDX] = f->ext1_edx;
		break;
	case 0x80000002:
	case 0x80000003:
	case 0x80000004:
		memcpy(regs, f->brand + (leaf - 0x80000002) * 16, 16);
		break;
	case 0x80000005:
		if (is_amd(f))
			regs[ECX] = regs[EDX] = L1_CACHE;
		break;
	case 0x80000006:
		regs[ECX] = L2_CACHE;
		break;
	case 0x80000007:
		regs[EDX] = f->ext7_edx;
		break;
	case 0x80000008:
		regs[EAX] = 32u << 8 | SYS_PHYS_BITS;
		break;
	case 0x80000021:
		if (is_amd(f)) {
			regs[EAX] = EXT21_EAX_SRSO_NO;
			regs[ECX] = EXT21_ECX_TSA_NO;
		}
		break;
	}
}

void mon_cpuid(struct mon_vcpu *vcpu, uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	const struct mon_cpu_features *f = vcpu->vm->features;

	regs[EAX] = regs[EBX] = regs[ECX] = regs[EDX] = 0;
	if (!f)
		return;
	if (leaf & 0x80000000) {
		if (leaf <= f->max_ext_leaf)
			extended_leaf(f, leaf, regs);
		return;
	}
	if (leaf == HYPERVISOR_LEAF) {
		regs[EAX] = HYPERVISOR_LEAF;
		memcpy(&regs[EBX], "PlexusPlexus", 12);
		return;
	}
	if (leaf > f->max_leaf)
		return;
	switch (leaf) {
	case 0:
		regs[EAX] = f->max_leaf;
		regs[EBX] = f->vendor[0];
		regs[EDX] = f->vendor[1];
		regs[ECX] = f->vendor[2];
		break;
	case 1:
		regs[EAX] = f->signature;
		/* One logical processor, APIC id 0, no brand index. */
		regs[EBX] = f->leaf1_edx & 1u << 19 ? CLFLUSH_BYTES / 8 << 8 : 0;
		regs[ECX] = f->leaf1_ecx;
		regs[EDX] = f->leaf1_edx;
		break;
	case 2:
		if (!is_amd(f))
			regs[EAX] = 1;	/* asked once is asked enough; no descriptors */
		break;
	case 7:
		if (subleaf == 0) {
			regs[EBX] = f->leaf7_ebx;
			regs[ECX] = f->leaf7_ecx;
			regs[EDX] = f->leaf7_edx;
		}
		break;
	}
}
