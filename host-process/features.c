/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/features.c - the feature table: what the host has, and what --host-features takes away.
 *
 * Asked by: vm.c. Each feature names a variant that is chosen once, at start.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "host-process/features.h"

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE (1 << 1)
#endif

/*
 * One row a variant. The generic way works everywhere; the better one is taken where the host has the feature and nobody took it
 * away. @use puts the choice where it is looked up while guests run.
 */
struct feature {
	uint32_t bit;
	bool (*present)(void);
	void (*use)(struct plx_vm *vm, bool better);
	const char *what;
};

/* The CPUID bit says the instructions exist; the kernel says whether it lets ring 3 use them. */
static bool has_fsgsbase(void)
{
	return getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE;
}

static void set_fs_by_syscall(struct plx_vm *vm)
{
	/* A null selector first: without FSGSBASE the kernel believes the selector, not the base. */
	__asm__ volatile("movw %w0, %%fs" : : "r"(0));
	hp_syscall6(SYS_arch_prctl, ARCH_SET_FS, (long)vm->fs_base, 0, 0, 0, 0);
	vm->vcpu->nexus.load |= NX_LOAD_FS | NX_LOAD_SS;
}

/* The guest's selector stays: to change it here and on the way back is a third of the way to a device. The kernel keeps both apart. */
static void set_fs_by_instruction(struct plx_vm *vm)
{
	struct nexus_frame *nx = &vm->vcpu->nexus;

	if (!(nx->load & (NX_LOAD_FS | NX_LOAD_FS_BASE))) {
		__asm__ volatile("rdfsbase %0" : "=r"(nx->fs_base));
		nx->load |= NX_LOAD_FS_BASE;
	}
	__asm__ volatile("wrfsbase %0" : : "r"(vm->fs_base));
}

static void use_fsgsbase(struct plx_vm *vm, bool better)
{
	vm->set_fs = better ? set_fs_by_instruction : set_fs_by_syscall;
}

/* The first x86-64 processors lacked LAHF and SAHF in 64-bit mode. */
static bool has_lahf(void)
{
	uint32_t a, b, c = 0, d;

	return __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & 1);
}

static void use_lahf(struct plx_vm *vm, bool better)
{
	vm->vcpu->nexus.popf_if = better ? NX_POPF_FEW : NX_POPF_ALWAYS;
}

/*
 * Kernels without CONFIG_X86_16BIT (Debian's for cloud machines) refuse every descriptor with D/B = 0. No guest runs yet, so no slot of
 * the table is in use.
 */
static bool has_code16(void)
{
	struct user_desc desc = { .entry_number = LDT_ENTRIES - 1, .limit = 0xffff, .contents = MODIFY_LDT_CONTENTS_CODE, .useable = 1 };
	const struct user_desc empty = { .entry_number = LDT_ENTRIES - 1, .read_exec_only = 1, .seg_not_present = 1 };

	if (hp_syscall6(SYS_modify_ldt, 0x11, (long)&desc, sizeof(desc), 0, 0, 0))
		return false;
	hp_syscall6(SYS_modify_ldt, 0x11, (long)&empty, sizeof(empty), 0, 0, 0);
	return true;
}

static void use_code16(struct plx_vm *vm, bool better)
{
	vm->engine->no_code16 = !better;
}

static const struct feature features[] = {
	{ HOST_FEATURE_FSGSBASE, has_fsgsbase, use_fsgsbase, "FS base by WRFSBASE, else by a system call" },
	{ HOST_FEATURE_LAHF, has_lahf, use_lahf, "guest flags by SAHF on entry, else by POPFQ" },
	{ HOST_FEATURE_CODE16, has_code16, use_code16, "16-bit code and stacks natively, else interpreted" },
};

int hp_features_choose(struct plx_vm *vm, const char *list)
{
	uint32_t off;
	int err = host_features_parse(list, &off, vm->head.error, sizeof(vm->head.error));

	for (unsigned int i = 0; !err && i < PLX_ARRAY_SIZE(features); i++)
		features[i].use(vm, !(off & features[i].bit) && features[i].present());
	return err;
}
