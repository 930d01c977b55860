/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/oracle/code_file.h - the code in a file: executable sections of an i386 ELF file, or all of any other.
 *
 * As small as a test can have it, and of its own on purpose: plexus prescan (user/prescan_*.c) reads files too, and is not to be
 * believed here before it is tested.
 */
#ifndef TESTS_ORACLE_CODE_FILE_H
#define TESTS_ORACLE_CODE_FILE_H

#include "plexus/base.h"

struct code_file {
	const uint8_t *bytes;
	size_t nbytes;
	bool elf;
};

/* False: not readable, empty, or an ELF file of another machine; errno says which (ENOEXEC). */
bool code_file_open(struct code_file *f, const char *path);
void code_file_close(struct code_file *f);
/* Calls @fn for each piece of code. */
void code_file_each(const struct code_file *f, void (*fn)(void *arg, size_t offset, size_t nbytes), void *arg);

#endif
