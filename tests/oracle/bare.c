/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/oracle/bare.c - the last word: length and #UD measured on the processor itself.
 *
 *      [ RW page, executable ............ bytes ][ inaccessible page ]
 *                                         ^ IP                        a fetch fault here says: longer than that
 *
 * With all but the last byte before the inaccessible page the processor must fetch beyond it; with all of them it must not.
 * The bytes run with TF set in a 16- or 32-bit code segment in the LDT whose data segments end after 64 KiB, so they stop after
 * one instruction whatever it is, and can write only where we look away. The caller runs us in a child process of its own:
 * bytes may end it.
 *
 * What cannot be asked: instructions that enter the host's kernel (INT, SYSENTER, SYSCALL) are only measured, not run; what this
 * processor does not have is #UD here and need not be for prescan (explained, by CPUID); at CPL 3 some are #UD that are not at CPL 0.
 *
 * Read next: tests/unit/bare_cpu.c, which compares what instructions do.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "plexus/x86.h"
#include "tests/oracle/verdict.h"

#define ORACLE "the bare processor"

void oracle_enter(uint32_t eip, uint16_t cs, uint16_t ds);	/* bare_enter.S; comes back through oracle_left */
extern const char oracle_left[];

enum { SLOT_CODE16 = 1, SLOT_CODE32, SLOT_DATA16, SLOT_DATA32 };
#define LDT_SELECTOR(slot) ((uint16_t)((slot) << 3 | 7))
#define DATA_BYTES 0x10000u

/* This process's one set of pages; signal handlers have no context to hand in. */
static uint8_t *code_page, *data;
static unsigned long fs_base;
static volatile bool inside;
static volatile int seen_vector;
static volatile uint64_t seen_rip, seen_address;
static volatile uint32_t seen_error;

static long raw_syscall(long number, long a, long b)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return result;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *reg = uc->uc_mcontext.gregs;

	(void)info;
	if (!inside) {
		signal(sig, SIG_DFL);
		return;
	}
	__asm__ volatile("pushfq\n\tandl $~0x40000, (%%rsp)\n\tpopfq" : : : "cc", "memory");
	raw_syscall(SYS_arch_prctl, ARCH_SET_FS, (long)fs_base);	/* MOV FS may have come before */
	seen_vector = (int)reg[REG_TRAPNO];
	seen_rip = (uint64_t)reg[REG_RIP];
	seen_error = (uint32_t)reg[REG_ERR];
	seen_address = (uint64_t)reg[REG_CR2];
	inside = false;
	reg[REG_RIP] = (greg_t)(uintptr_t)oracle_left;
	reg[REG_CSGSFS] = (reg[REG_CSGSFS] & 0x0000ffffffff0000) | 0x33 | (greg_t)0x2b << 48;
	reg[REG_EFL] = 0x202;
}

static int set_segment(unsigned int slot, const void *base, uint32_t limit, bool code, bool big)
{
	struct user_desc d = {
		.entry_number = slot, .base_addr = (unsigned int)(uintptr_t)base, .limit = limit, .seg_32bit = big,
		.contents = code ? MODIFY_LDT_CONTENTS_CODE : MODIFY_LDT_CONTENTS_DATA, .useable = 1,
	};

	return (int)syscall(SYS_modify_ldt, 0x11, &d, sizeof(d));
}

const char *bare_open(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_size = 1 << 16 };

	code_page = mmap(NULL, 2 * PLX_PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	data = mmap(NULL, DATA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (code_page == MAP_FAILED || data == MAP_FAILED)
		return "no memory below 2 GiB";
	if (mprotect(code_page + PLX_PAGE_SIZE, PLX_PAGE_SIZE, PROT_NONE))
		return "no inaccessible page";
	if (set_segment(SLOT_CODE16, code_page, 2 * PLX_PAGE_SIZE - 1, true, false) ||
	    set_segment(SLOT_CODE32, code_page, 2 * PLX_PAGE_SIZE - 1, true, true) ||
	    set_segment(SLOT_DATA16, data, DATA_BYTES - 1, false, false) ||
	    set_segment(SLOT_DATA32, data, DATA_BYTES - 1, false, true))
		return "modify_ldt does not work here";
	stack.ss_sp = malloc(stack.ss_size);
	if (!stack.ss_sp || sigaltstack(&stack, NULL))
		return "no alternate signal stack";
	if (raw_syscall(SYS_arch_prctl, ARCH_GET_FS, (long)&fs_base))
		return "arch_prctl does not work here";
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], &sa, NULL))
			return "no signal handlers";
	return NULL;
}

enum probe { FETCHES_MORE, IS_UD, RAN };

/* The first @n bytes stand before the inaccessible page. */
static enum probe probe(const struct verdict *v, unsigned int n)
{
	uint32_t eip = PLX_PAGE_SIZE - n;
	uint64_t past = (uintptr_t)code_page + PLX_PAGE_SIZE;

	memcpy(code_page + eip, v->bytes, n);
	inside = true;
	__asm__ volatile("" : : : "memory");
	oracle_enter(eip, LDT_SELECTOR(v->mode ? SLOT_CODE32 : SLOT_CODE16), LDT_SELECTOR(v->mode ? SLOT_DATA32 : SLOT_DATA16));
	__asm__ volatile("" : : : "memory");
	if (seen_rip >> 32)
		abort();		/* it was we who faulted: nothing measured here means anything */
	if (seen_vector == X86_VEC_UD)
		return IS_UD;
	/* A fetch (error bit 4) of the next page, while EIP is still at the instruction. */
	if (seen_vector == X86_VEC_PF && (seen_error & 0x10) && seen_address == past && seen_rip == eip)
		return FETCHES_MORE;
	return RAN;
}

/* Must not run here: they go to the host's kernel or a hypervisor. Their length is measured all the same. */
static bool must_not_run(const struct prescan_insn *d)
{
	if (d->map == PRESCAN_MAP_1B)
		return d->opcode == 0xcd || d->opcode == 0x9a || d->opcode == 0xea || d->opcode == 0xca || d->opcode == 0xcb ||
		       d->opcode == 0xcf || (d->opcode == 0xff && (d->reg == 3 || d->reg == 5));
	if (d->map != PRESCAN_MAP_0F)
		return false;
	return d->opcode == 0x05 || d->opcode == 0x34 || (d->opcode == 0x01 && (d->modrm == 0xc1 || d->modrm == 0xd9));
}

struct missing {
	const char *name, *why;
};

static bool has(unsigned int leaf, unsigned int reg, unsigned int bit)
{
	unsigned int r[4];

	return __get_cpuid_count(leaf, 0, &r[0], &r[1], &r[2], &r[3]) && r[reg] >> bit & 1;
}
enum { A, B, C, D };

/* prescan: defined. Here: #UD. */
static const char *why_ud_here(const struct verdict *v)
{
	const struct prescan_insn *d = &v->insn;

	if (d->klass == PRESCAN_UD)
		return NULL;
	if ((!strcmp(v->name, "vpextrd") || !strcmp(v->name, "vpinsrd")) && d->vex_w)
		return "VPEXTRD, VPINSRD with VEX.W = 1: W is ignored outside 64-bit mode (SDM 2B, \"PEXTRB/PEXTRD/PEXTRQ\"); AMD raises #UD";
	if (d->map == PRESCAN_MAP_3DNOW || !strcmp(v->name, "femms"))
		return has(0x80000001, D, 31) ? NULL : "3DNow!: not in this processor";
	if (!strcmp(v->name, "rsm"))
		return "RSM: #UD outside system-management mode (SDM 2B, \"RSM\"); prescan gives it to the monitor";
	if (!strcmp(v->name, "monitor") || !strcmp(v->name, "mwait"))
		return "MONITOR, MWAIT: #UD at CPL 3 (SDM 2B, \"MONITOR\"); prescan gives them to the monitor";
	if (name_matches("vm*", v->name) && d->klass == PRESCAN_SYSTEM)
		return "VMX and SVM are off here; prescan gives them to the monitor";
	if (d->klass == PRESCAN_SYSTEM && d->map == PRESCAN_MAP_0F && d->opcode == 0x01 && d->mod == 3 && d->reg == 3)
		return "VMX and SVM are off here; prescan gives them to the monitor";
	if (!strcmp(v->name, "invept") || !strcmp(v->name, "invvpid"))
		return "VMX and SVM are off here; prescan gives them to the monitor";
	if (!strcmp(v->name, "getsec"))
		return "SMX is off here; prescan gives it to the monitor";
	if (name_matches("sysenter", v->name) || name_matches("sysexit", v->name))
		return "SYSENTER, SYSEXIT: #UD in AMD's long mode (AMD APM 3, \"SYSENTER\"); defined in legacy mode";
	if (name_matches("sysret", v->name) || name_matches("syscall", v->name))
		return "SYSCALL, SYSRET: Intel has them in 64-bit mode alone (SDM 2B, \"SYSCALL\"); AMD in every mode";
	if (d->klass == PRESCAN_SYSTEM && (!strcmp(v->name, "clac") || !strcmp(v->name, "stac")))
		return "CLAC, STAC: #UD at CPL 3 (SDM 2A, \"CLAC\"); prescan gives them to the monitor";
	if (name_matches("sha*", v->name) && d->map != PRESCAN_MAP_1B && !has(7, B, 29))
		return "SHA: not in this processor";
	if (!strcmp(v->name, "adcx") || !strcmp(v->name, "adox"))
		return has(7, B, 19) ? NULL : "ADX: not in this processor";
	if (!strcmp(v->name, "rdpid"))
		return has(7, C, 22) ? NULL : "RDPID: not in this processor";
	if (!strcmp(v->name, "rdseed"))
		return has(7, B, 18) ? NULL : "RDSEED: not in this processor";
	if (!strcmp(v->name, "extrq") || !strcmp(v->name, "insertq") || !strcmp(v->name, "movntss") || !strcmp(v->name, "movntsd"))
		return has(0x80000001, C, 6) ? NULL : "SSE4a: not in this processor";
	if (!strcmp(v->name, "xsavec") || !strcmp(v->name, "xsaves") || !strcmp(v->name, "xrstors") || !strcmp(v->name, "xsaveopt")) {
		unsigned int r[4], bit = !strcmp(v->name, "xsaveopt") ? 0 : !strcmp(v->name, "xsavec") ? 1 : 3;

		__cpuid_count(0xd, 1, r[0], r[1], r[2], r[3]);
		return r[0] >> bit & 1 ? NULL : "XSAVEOPT, XSAVEC, XSAVES: not in this processor";
	}
	if (!strcmp(v->name, "clwb"))
		return has(7, B, 24) ? NULL : "CLWB: not in this processor";
	if (!strcmp(v->name, "clflushopt"))
		return has(7, B, 23) ? NULL : "CLFLUSHOPT: not in this processor";
	if (!strcmp(v->name, "invpcid"))
		return has(7, B, 10) ? NULL : "INVPCID: not in this processor";
	if ((d->flags & PRESCAN_F_AVX) && !has(7, B, 5))
		return "AVX2 and what came with it: not in this processor";
	return NULL;
}

/*
 * Could the processor have met byte 16 before it knew that this is undefined? The shape of the instruction, with the address
 * that its ModRM byte would have, and room for the longest immediate, 6 bytes.
 */
static bool may_pass_15(const struct verdict *v)
{
	unsigned int at = v->opcode + 1, mod, rm;
	bool address32 = (v->mode == PRESCAN_MODE_32) != !!(v->prefixes & SEEN_67);

	if (verdict_is_escape(v))
		at += (verdict_byte(v, 1) & 0xfd) == 0x38 ? 2 : 1;
	else if (verdict_is_vex(v))
		at += verdict_byte(v, 0) == 0xc4 ? 3 : 2;
	if (at >= PRESCAN_INSN_MAX)
		return true;
	mod = v->bytes[at] >> 6;
	rm = v->bytes[at] & 7;
	at++;
	if (mod != 3 && address32) {
		if (rm == 4 && at < PRESCAN_INSN_MAX && mod == 0 && (v->bytes[at] & 7) == 5)
			at += 4;
		at += (rm == 4) + (mod == 1 ? 1 : mod == 2 || rm == 5 ? 4 : 0);
	} else if (mod != 3) {
		at += mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0;
	}
	return at + 6 > PRESCAN_INSN_MAX;
}

/* prescan: #UD. Here it runs, or faults in another way. */
static const char *why_runs_here(const struct verdict *v)
{
	uint8_t op = verdict_byte(v, 0), next = verdict_byte(v, 1), third = verdict_byte(v, 2);

	if (seen_vector == X86_VEC_GP && may_pass_15(v))
		return "undefined and longer than 15 bytes: #UD or #GP(0), either will do (SDM 3A, \"Priority Among Concurrent Events\": one class)";
	if (op == 0x0f && next == 0 && (third & 0x38) == 0x28 && (v->prefixes & SEEN_LOCK))
		return "LOCK VERW with a memory operand: #UD by SDM 2A, \"LOCK\"; this processor ignores the LOCK";
	if (verdict_is_evex(v))
		return "EVEX (AVX-512): this processor has it, the guest's CPUID does not";
	if (verdict_is_xop(v))
		return "XOP: this processor has it, or knows its length; the guest's CPUID does not have it";
	if (verdict_is_vex(v) && (has(7, C, 9) || has(7, C, 8) || has(7, B, 16)))
		return "VEX rows that came after AVX2 (mask registers, VAES, VPCLMULQDQ, GFNI): this processor has them, the guest's CPUID does not";
	if (op == 0x0f && next == 0x38 && third == 0xcf)
		return "GFNI: this processor has it, the guest's CPUID does not";
	if (op == 0x0f && next == 0x3a && (third == 0xce || third == 0xcf))
		return "GFNI: this processor has it, the guest's CPUID does not";
	if (op == 0x0f && (next == 0x20 || next == 0x22) && (v->prefixes & SEEN_LOCK))
		return "LOCK MOV CR0 is MOV CR8 on AMD (APM 3, \"MOV CRn\"): not in the guest's CPUID";
	if (op == 0x0f && next == 0x01 && third >= 0xc0)
		return "an extension after AVX2, or AMD's own, in group 7: this processor has it, the guest's CPUID does not";
	return NULL;
}

static bool is_vmread(const struct verdict *v)
{
	return !strcmp(v->name, "vmread") || !strcmp(v->name, "vmwrite");
}

enum outcome bare_judge(const struct verdict *v, struct tally *t, struct difference *d)
{
	const char *why;
	enum probe p;

	d->what = NULL;
	if (v->status == PRESCAN_OK) {
		unsigned int length = v->insn.length;

		if (length > 1) {
			p = probe(v, length - 1);
			if (p == RAN) {
				d->what = "length: it is shorter";
				snprintf(d->theirs, sizeof(d->theirs), "at most %u bytes", length - 1);
				return UNEXPLAINED;
			}
			/* #UD may be known before the last byte is there: that is for the whole to say. */
		}
		if (must_not_run(&v->insn))
			return AGREE;
		p = probe(v, length);
		if (p == RAN)
			return v->insn.klass == PRESCAN_UD ? UNEXPLAINED : AGREE;
		if (p == FETCHES_MORE && is_vmread(v)) {
			tally_add(t, ORACLE, "VMREAD, VMWRITE: AMD's 0F 78 and 79 are EXTRQ and INSERTQ with immediates (APM 4); undefined prefixes fetch those, then #UD", v);
			return EXPLAINED;
		}
		if (p == FETCHES_MORE) {
			d->what = "length: it is longer";
			snprintf(d->theirs, sizeof(d->theirs), "more than %u bytes", length);
			return UNEXPLAINED;
		}
		if (v->insn.klass == PRESCAN_UD)
			return AGREE;
		why = why_ud_here(v);
		if (why) {
			tally_add(t, ORACLE, why, v);
			return EXPLAINED;
		}
		d->what = "defined here, undefined there";
		snprintf(d->theirs, sizeof(d->theirs), "#UD");
		return UNEXPLAINED;
	}
	/* Undefined, or longer than 15 bytes: #UD, or #GP for the length, must come with all 15 there at the latest. */
	p = probe(v, PRESCAN_INSN_MAX);
	if (v->status == PRESCAN_TOO_LONG) {
		if (seen_vector == X86_VEC_GP)
			return AGREE;
		if (p == IS_UD) {
			tally_add(t, ORACLE, "undefined and longer than 15 bytes: #UD or #GP(0), either will do (SDM 3A, \"Priority Among Concurrent Events\": one class)", v);
			return EXPLAINED;
		}
		d->what = "too long here, not there";
		snprintf(d->theirs, sizeof(d->theirs), "vector %d", seen_vector);
		return UNEXPLAINED;
	}
	if (p == IS_UD)
		return AGREE;
	why = why_runs_here(v);
	if (why) {
		tally_add(t, ORACLE, why, v);
		return EXPLAINED;
	}
	d->what = "undefined here, defined there";
	snprintf(d->theirs, sizeof(d->theirs), "vector %d", seen_vector);
	return UNEXPLAINED;
}
