/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/features.c - the feature table: what the host has, and what --host-features takes away.
 *
 * Asked by: vm.c. Each feature names a variant that is chosen once, at start.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <string.h>
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
	const char *name;
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
	hp_syscall6(SYS_arch_prctl, ARCH_SET_FS, (long)vm->fs_base, 0, 0, 0, 0);
	vm->vcpu->nexus.load |= NX_LOAD_SS;
}

static void set_fs_by_instruction(struct plx_vm *vm)
{
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

static const struct feature features[] = {
	{ "fsgsbase", has_fsgsbase, use_fsgsbase, "FS base by WRFSBASE, else by a system call" },
	{ "lahf", has_lahf, use_lahf, "guest flags by SAHF on entry, else by POPFQ" },
};

int hp_features_parse(struct plx_vm *vm, const char *list)
{
	bool use[PLX_ARRAY_SIZE(features)];

	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(features); i++)
		use[i] = features[i].present();
	while (list && *list) {
		size_t n = strcspn(list, ",");
		bool known = false;

		for (unsigned int i = 0; n > 1 && *list == '-' && i < PLX_ARRAY_SIZE(features); i++) {
			if (strlen(features[i].name) == n - 1 && !memcmp(features[i].name, list + 1, n - 1)) {
				use[i] = false;
				known = true;
			}
		}
		if (!known)
			return hp_error(vm, -EINVAL, "--host-features: \"%.*s\" is not known; features can only be taken "
					"away, by -fsgsbase or -lahf", (int)n, list);
		list += n + (list[n] == ',');
	}
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(features); i++)
		features[i].use(vm, use[i]);
	return 0;
}
