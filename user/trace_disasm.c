/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/trace_disasm.c - see trace_disasm.h. Asked by: trace_print.c, trace_tally.c, trace_profile.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/trace_disasm.h"

void trace_disasm_open(struct trace_disasm *d)
{
	*d = (struct trace_disasm){ .open = false };
	if (cs_open(CS_ARCH_X86, CS_MODE_16, &d->handle[0]) != CS_ERR_OK)
		return;
	if (cs_open(CS_ARCH_X86, CS_MODE_32, &d->handle[1]) != CS_ERR_OK) {
		cs_close(&d->handle[0]);
		return;
	}
	d->open = true;
}

void trace_disasm_close(struct trace_disasm *d)
{
	for (size_t i = 0; i < d->nknown; i++)
		free(d->known[i]);
	free(d->known);
	if (d->open) {
		cs_close(&d->handle[0]);
		cs_close(&d->handle[1]);
	}
	*d = (struct trace_disasm){ .open = false };
}

/* "RDMSR" -> "rdmsr": as Capstone would have written it. */
static void put_name(char *text, const char *name)
{
	size_t n = 0;

	for (; name[n] && n < TRACE_DISASM_BYTES - 1; n++)
		text[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] + 32) : name[n];
	text[n] = '\0';
}

const char *trace_disasm(struct trace_disasm *d, const struct trace_site *site, const char *name, char text[TRACE_DISASM_BYTES])
{
	cs_insn *insn;
	size_t n;

	put_name(text, name);
	if (!d->open)
		return text;
	n = cs_disasm(d->handle[site->mode & PLX_TRACE_CODE32], site->bytes, site->length, site->eip, 1, &insn);
	if (!n)
		return text;
	snprintf(text, TRACE_DISASM_BYTES, "%s%s%.64s", insn->mnemonic, insn->op_str[0] ? " " : "", insn->op_str);
	cs_free(insn, n);
	return text;
}

const char *trace_disasm_site(struct trace_disasm *d, uint32_t number, const struct trace_site *site, const char *name)
{
	char text[TRACE_DISASM_BYTES];

	if (number >= d->nknown) {
		size_t more = d->nknown ? 2 * d->nknown : 1024;
		char **known;

		if (more <= number)
			more = number + 1ull;
		known = realloc(d->known, more * sizeof(*known));
		if (!known)
			return name;
		memset(known + d->nknown, 0, (more - d->nknown) * sizeof(*known));
		d->known = known;
		d->nknown = more;
	}
	if (!d->known[number])
		d->known[number] = strdup(trace_disasm(d, site, name, text));
	return d->known[number] ? d->known[number] : name;
}
