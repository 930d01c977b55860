/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/trace_symbols.h - names for guest addresses: System.map, /proc/kallsyms, or an ELF file with its symbol table (vmlinux). */
#ifndef USER_TRACE_SYMBOLS_H
#define USER_TRACE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct trace_symbol {
	uint32_t address;
	const char *name;
};

struct trace_symbols {
	struct trace_symbol *symbol;	/* by address, each address once */
	size_t count, max;
	char *names;			/* what the names are in */
};

/* 0, or -errno with one sentence in @why. */
int trace_symbols_read(struct trace_symbols *s, const char *path, char *why, size_t why_bytes);
void trace_symbols_free(struct trace_symbols *s);
/* The symbol at or next below @address, and how far below; NULL if there is none, or none within 1 MiB. @s may be NULL. */
const char *trace_symbol_find(const struct trace_symbols *s, uint32_t address, uint32_t *offset);

#endif
