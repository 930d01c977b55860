/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/trace_disasm.h - an instruction's bytes as text, by Capstone. For people only: the engine has its own decoder. */
#ifndef USER_TRACE_DISASM_H
#define USER_TRACE_DISASM_H

#include <capstone/capstone.h>

#include "user/trace_file.h"

#define TRACE_DISASM_BYTES 112

struct trace_disasm {
	csh handle[2];			/* 16-bit, 32-bit code */
	bool open;
	/* what was disassembled before, by site number; NULL: not yet */
	char **known;
	size_t nknown;
};

/* Without Capstone's help (out of memory) mnemonics stand alone: no error. */
void trace_disasm_open(struct trace_disasm *d);
void trace_disasm_close(struct trace_disasm *d);
/* Into @text, and return it. @name is what stands there if Capstone does not know the bytes. */
const char *trace_disasm(struct trace_disasm *d, const struct trace_site *site, const char *name, char text[TRACE_DISASM_BYTES]);
/* The same for site @number of a file: each is asked for once. Valid until close. */
const char *trace_disasm_site(struct trace_disasm *d, uint32_t number, const struct trace_site *site, const char *name);

#endif
