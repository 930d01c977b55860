/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/trace_symbols.c - see trace_symbols.h. Asked by: trace_read.c. Tested by: tests/unit/test_trace_symbols.c. */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/host_files.h"
#include "user/trace_symbols.h"

#define FAR_BELOW (1u << 20)	/* further from a symbol than this, an address is in something else */

static bool add(struct trace_symbols *s, uint32_t address, const char *name)
{
	if (s->count == s->max) {
		size_t max = s->max ? 2 * s->max : 1024;
		struct trace_symbol *more = realloc(s->symbol, max * sizeof(*more));

		if (!more)
			return false;
		s->symbol = more;
		s->max = max;
	}
	s->symbol[s->count++] = (struct trace_symbol){ address, name };
	return true;
}

/* ---- "c0101234 T name", a line a symbol --------------------------------------------------------------- */

/* Return: how many lines were symbols; -1: out of memory. Splits @text in place. */
static long read_map(struct trace_symbols *s, char *text)
{
	char *line, *rest = text;
	long found = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		char *end, *name, *tail;
		unsigned long long address = strtoull(line, &end, 16);

		if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ' || !end[3])
			continue;
		name = end + 3;
		tail = strpbrk(name, " \t\r");		/* kallsyms: the module's name follows */
		if (tail)
			*tail = '\0';
		if (strchr("aAuU", end[1]))
			continue;			/* absolute numbers and undefined names are no places */
		if (!add(s, (uint32_t)address, name))
			return -1;
		found++;
	}
	return found;
}

/* ---- ELF ------------------------------------------------------------------------------------------------ */

static bool inside(size_t nbytes, uint64_t offset, uint64_t length)
{
	return offset <= nbytes && length <= nbytes - offset;
}

static int read_elf(struct trace_symbols *s, const uint8_t *data, size_t nbytes)
{
	const Elf32_Ehdr *header = (const Elf32_Ehdr *)data;
	const Elf32_Shdr *section;

	if (nbytes < sizeof(*header) || header->e_ident[EI_CLASS] != ELFCLASS32 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_shentsize != sizeof(*section) || header->e_shoff % 4 ||
	    !inside(nbytes, header->e_shoff, (uint64_t)header->e_shnum * sizeof(*section)))
		return -EINVAL;
	section = (const Elf32_Shdr *)(data + header->e_shoff);
	for (unsigned int i = 0; i < header->e_shnum; i++) {
		const Elf32_Shdr *table = &section[i], *strings;

		if (table->sh_type != SHT_SYMTAB || table->sh_link >= header->e_shnum || table->sh_offset % 4 ||
		    !inside(nbytes, table->sh_offset, table->sh_size))
			continue;
		strings = &section[table->sh_link];
		if (!strings->sh_size || !inside(nbytes, strings->sh_offset, strings->sh_size) ||
		    data[strings->sh_offset + strings->sh_size - 1])
			return -EINVAL;
		for (size_t j = 0; j < table->sh_size / sizeof(Elf32_Sym); j++) {
			const Elf32_Sym *symbol = (const Elf32_Sym *)(data + table->sh_offset) + j;
			unsigned int type = ELF32_ST_TYPE(symbol->st_info);

			if ((type != STT_FUNC && type != STT_NOTYPE) || symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE ||
			    symbol->st_name >= strings->sh_size || !data[strings->sh_offset + symbol->st_name])
				continue;
			if (!add(s, symbol->st_value, (const char *)data + strings->sh_offset + symbol->st_name))
				return -ENOMEM;
		}
	}
	return 0;
}

/* ---- both ------------------------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const struct trace_symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

int trace_symbols_read(struct trace_symbols *s, const char *path, char *why, size_t why_bytes)
{
	struct host_file file;
	size_t kept = 0;
	int err;

	*s = (struct trace_symbols){ .symbol = NULL };
	err = host_file_map(&file, path, why, why_bytes);
	if (err)
		return err;
	s->names = malloc(file.nbytes + 1);
	if (!s->names) {
		err = -ENOMEM;
	} else {
		if (file.nbytes)
			memcpy(s->names, file.data, file.nbytes);
		s->names[file.nbytes] = '\0';
		if (file.nbytes >= SELFMAG && !memcmp(s->names, ELFMAG, SELFMAG))
			err = read_elf(s, (const uint8_t *)s->names, file.nbytes);
		else if (read_map(s, s->names) < 0)
			err = -ENOMEM;
	}
	host_file_unmap(&file);
	if (!err && !s->count)
		err = -EINVAL;
	if (err) {
		snprintf(why, why_bytes, "%s: %s", path, err == -ENOMEM ? "out of memory" :
			 "has no symbols; give a System.map or a 32-bit vmlinux that is not stripped");
		trace_symbols_free(s);
		return err;
	}
	qsort(s->symbol, s->count, sizeof(*s->symbol), by_address);
	for (size_t i = 0; i < s->count; i++)
		if (!kept || s->symbol[kept - 1].address != s->symbol[i].address)
			s->symbol[kept++] = s->symbol[i];
	s->count = kept;
	return 0;
}

void trace_symbols_free(struct trace_symbols *s)
{
	free(s->symbol);
	free(s->names);
	*s = (struct trace_symbols){ .symbol = NULL };
}

const char *trace_symbol_find(const struct trace_symbols *s, uint32_t address, uint32_t *offset)
{
	size_t low = 0, high = s ? s->count : 0;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->symbol[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - s->symbol[low - 1].address >= FAR_BELOW)
		return NULL;
	*offset = address - s->symbol[low - 1].address;
	return s->symbol[low - 1].name;
}
