/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * include/plexus/x86.h - the architecture's own numbers, in the SDM's names.
 *
 * Asked by: everybody. Asks: nothing. Also read by assembler files.
 * Source:   Intel SDM volumes 1 and 3A; editions pinned in docs/references.md.
 */
#ifndef PLEXUS_X86_H
#define PLEXUS_X86_H

/* EFLAGS */
#define X86_FLAG_CF	0x00000001
#define X86_FLAG_ONE	0x00000002	/* bit 1 always reads as 1 */
#define X86_FLAG_PF	0x00000004
#define X86_FLAG_AF	0x00000010
#define X86_FLAG_ZF	0x00000040
#define X86_FLAG_SF	0x00000080
#define X86_FLAG_TF	0x00000100
#define X86_FLAG_IF	0x00000200
#define X86_FLAG_DF	0x00000400
#define X86_FLAG_OF	0x00000800
#define X86_FLAG_IOPL	0x00003000
#define X86_FLAG_IOPL_SHIFT	12
#define X86_FLAG_NT	0x00004000
#define X86_FLAG_RF	0x00010000
#define X86_FLAG_VM	0x00020000
#define X86_FLAG_AC	0x00040000
#define X86_FLAG_VIF	0x00080000
#define X86_FLAG_VIP	0x00100000
#define X86_FLAG_ID	0x00200000
#define X86_FLAGS_STATUS (X86_FLAG_CF | X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF | \
			  X86_FLAG_SF | X86_FLAG_OF)

#ifndef PLX_KERNEL		/* Linux has the same names */
/* CR0 */
#define X86_CR0_PE	0x00000001
#define X86_CR0_MP	0x00000002
#define X86_CR0_EM	0x00000004
#define X86_CR0_TS	0x00000008
#define X86_CR0_ET	0x00000010
#define X86_CR0_NE	0x00000020
#define X86_CR0_WP	0x00010000
#define X86_CR0_AM	0x00040000
#define X86_CR0_NW	0x20000000
#define X86_CR0_CD	0x40000000
#define X86_CR0_PG	0x80000000

/* CR4 */
#define X86_CR4_VME	0x0001
#define X86_CR4_PVI	0x0002
#define X86_CR4_TSD	0x0004
#define X86_CR4_DE	0x0008
#define X86_CR4_PSE	0x0010
#define X86_CR4_PAE	0x0020
#define X86_CR4_MCE	0x0040
#define X86_CR4_PGE	0x0080
#define X86_CR4_PCE	0x0100
#define X86_CR4_OSFXSR	0x0200
#define X86_CR4_OSXMMEXCPT 0x0400
#define X86_CR4_UMIP	0x0800
#define X86_CR4_OSXSAVE	0x40000
#define X86_CR4_SMEP	0x100000
#define X86_CR4_SMAP	0x200000
#endif

/* Exception vectors: SDM 3A, "Protected-Mode Exceptions and Interrupts" */
#define X86_VEC_DE	0
#define X86_VEC_DB	1
#define X86_VEC_NMI	2
#define X86_VEC_BP	3
#define X86_VEC_OF	4
#define X86_VEC_BR	5
#define X86_VEC_UD	6
#define X86_VEC_NM	7
#define X86_VEC_DF	8
#define X86_VEC_TS	10
#define X86_VEC_NP	11
#define X86_VEC_SS	12
#define X86_VEC_GP	13
#define X86_VEC_PF	14
#define X86_VEC_MF	16
#define X86_VEC_AC	17
#define X86_VEC_MC	18
#define X86_VEC_XM	19

/* Page-fault error code */
#define X86_PF_P	0x01	/* protection violation, not a missing page */
#define X86_PF_W	0x02
#define X86_PF_U	0x04
#define X86_PF_RSVD	0x08
#define X86_PF_I	0x10	/* instruction fetch; only with EFER.NXE */

/* Paging-structure entry bits */
#define X86_PTE_P	0x001
#define X86_PTE_W	0x002
#define X86_PTE_U	0x004
#define X86_PTE_PWT	0x008
#define X86_PTE_PCD	0x010
#define X86_PTE_A	0x020
#define X86_PTE_D	0x040
#define X86_PTE_PS	0x080
#define X86_PTE_G	0x100

/* General registers, in the encoding's order */
#define X86_EAX	0
#define X86_ECX	1
#define X86_EDX	2
#define X86_EBX	3
#define X86_ESP	4
#define X86_EBP	5
#define X86_ESI	6
#define X86_EDI	7

/* Segment registers, in the encoding's order */
#define X86_ES	0
#define X86_CS	1
#define X86_SS	2
#define X86_DS	3
#define X86_FS	4
#define X86_GS	5

/* MSRs */
#define X86_MSR_TSC		0x10
#define X86_MSR_APIC_BASE	0x1b
#define X86_MSR_SYSENTER_CS	0x174
#define X86_MSR_SYSENTER_ESP	0x175
#define X86_MSR_SYSENTER_EIP	0x176
#define X86_MSR_PAT		0x277
#define X86_MSR_EFER		0xc0000080
#define X86_EFER_NXE		0x800

#endif
