/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/features.h - which optional features of the host's processor may be used (--host-features).
 */
#ifndef HOST_PROCESS_FEATURES_H
#define HOST_PROCESS_FEATURES_H

#include "host-process/process.h"

/* Look what the host has, without what @list takes away ("-lahf,-fsgsbase"), and choose. 0, or -errno and the VM's error. */
int hp_features_choose(struct plx_vm *vm, const char *list);

#endif
