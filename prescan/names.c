/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/names.c - the mnemonic and the reason of each row, for people.
 *
 * The other half of prescan/opcode_table.c, from the same opcode_table_*.h files;
 * apart from it so that decoding does not drag text through the data cache.
 *
 * Asked by:  user/ (reports, trace), statistics, tests.
 */
#include "prescan/opcode_table.h"

struct row_text {
	const char *mnemonic;
	const char *why;
};

static const struct row_text texts[PRESCAN_NR_ROWS] = {
#define ROW(at, name_, klass, bits, imm, why_) \
	[at] = { .mnemonic = (name_), .why = (why_) },
#define GROUP(at, tag, sel, n)
#define PREFIX(at)
#define ESCAPE(at, map)
#include "prescan/opcode_table_all.h"
};

static const char *const class_names[PRESCAN_NR_CLASSES] = {
	[PRESCAN_REFUSE]	= "refuse",
	[PRESCAN_PLAIN]		= "plain",
	[PRESCAN_FPU]		= "fpu",
	[PRESCAN_BRANCH]	= "branch",
	[PRESCAN_FAR]		= "far",
	[PRESCAN_SEG_LOAD]	= "seg-load",
	[PRESCAN_SEG_STORE]	= "seg-store",
	[PRESCAN_FLAGS]		= "flags",
	[PRESCAN_TABLE]		= "table",
	[PRESCAN_SYSTEM]	= "system",
	[PRESCAN_ID]		= "id",
	[PRESCAN_PORT]		= "port",
	[PRESCAN_STRING_PORT]	= "string-port",
	[PRESCAN_UD]		= "ud",
};

/* Rows that are no instruction: groups, prefixes, what nobody wrote. */
static const char no_mnemonic[] = "(none)";
static const char no_reason[] = "no row: undefined";

const char *prescan_row_mnemonic(unsigned int id)
{
	if (id >= PRESCAN_NR_ROWS || !texts[id].mnemonic)
		return no_mnemonic;
	return texts[id].mnemonic;
}

const char *prescan_mnemonic(const struct prescan_insn *insn)
{
	return prescan_row_mnemonic(insn->id);
}

const char *prescan_reason(const struct prescan_insn *insn)
{
	if (insn->id >= PRESCAN_NR_ROWS || !texts[insn->id].why)
		return no_reason;
	return texts[insn->id].why;
}

const char *prescan_class_name(enum prescan_class klass)
{
	if ((unsigned int)klass >= PRESCAN_NR_CLASSES)
		return class_names[PRESCAN_REFUSE];
	return class_names[klass];
}
