/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_trace_print.c - what a record, a sum and a symbol look like. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <unistd.h>

#include "prescan/prescan.h"
#include "user/trace_print.h"
#include "user/trace_tally.h"

static char why[512];

static struct plx_trace_record record_of(enum prescan_class klass, const char *bytes, uint8_t length, uint32_t a, uint32_t b, uint32_t c)
{
	struct plx_trace_record r = {
		.tsc = 2000, .cost = 300, .eip = 0xc0101234, .cs = 0x60, .klass = (uint8_t)klass, .length = length, .a = a, .b = b, .c = c,
		.mode = PLX_TRACE_CODE32 | PLX_TRACE_PROTECTED | PLX_TRACE_PAGING, .how = PLX_TRACE_NEXUS, .space = 0x3000,
	};

	memcpy(r.bytes, bytes, length);
	return r;
}

static void operands(const struct plx_trace_record *r, const char *want)
{
	char text[TRACE_OPERANDS_BYTES];

	assert_string_equal(trace_operands(r, text), want);
}

static void operands_are_told_by_class(void **state)
{
	struct plx_trace_record r;

	(void)state;
	r = record_of(PRESCAN_PORT, "\xe6\x80", 2, 0x80 | 1 << 16 | 1 << 24, 0x5, 0);
	operands(&r, "port 0080 = 05");
	r = record_of(PRESCAN_PORT, "\x66\xed", 2, 0x1f0 | 2 << 16, 0xabc, 0);
	operands(&r, "port 01f0 is 0abc");
	r.result = 1;
	operands(&r, "port 01f0, 2 bytes");
	r = record_of(PRESCAN_STRING_PORT, "\xf3\x66\x6d", 3, 0x1f0 | 2 << 16, 256, 256);
	operands(&r, "port 01f0 read 256 times 2 bytes");
	r = record_of(PRESCAN_SEG_LOAD, "\x8e\xd8", 2, 3 | 0x7b << 16, 0, 0xffffffff);
	operands(&r, "ds 007b base 00000000 limit ffffffff");
	r = record_of(PRESCAN_SYSTEM, "\x0f\x22\xc0", 3, 0x100, 0x11, 0x80000011);
	operands(&r, "cr0 00000011 -> 80000011");
	r = record_of(PRESCAN_SYSTEM, "\x0f\x21\xf8", 3, 0x207, 0x400, 0x400);
	operands(&r, "dr7 00000400");
	r = record_of(PRESCAN_SYSTEM, "\x0f\x30", 2, 0x174, 0x60, 0);
	operands(&r, "msr 174 = 00000000:00000060");
	r = record_of(PRESCAN_SYSTEM, "\xf4", 1, 0, 0, 0);
	operands(&r, "");
	r = record_of(PRESCAN_FLAGS, "\xfa", 1, 0x202, 0x2, 0);
	operands(&r, "eflags 00000002 IF 1->0");
	r = record_of(PRESCAN_FAR, "\xcd\x80", 2, 0x60, 0xc0102000, 0x80);
	operands(&r, "vector 80 to 0060:c0102000");
	r = record_of(PRESCAN_PLAIN, "\x88\x01", 2, 0xb8000, 0x41, 1);
	operands(&r, "");			/* no device saw it */
	r.how = PLX_TRACE_DEVICE;
	operands(&r, "memory 000b8000 = 41");
	r = (struct plx_trace_record){ .event = PLX_TRACE_EXCEPTION, .a = 14, .b = 6, .c = 0x1234 };
	operands(&r, "#PF error 6 address 00001234");
	r = (struct plx_trace_record){ .event = PLX_TRACE_EXCEPTION, .a = 13, .b = 0x10 };
	operands(&r, "#GP vector 13 error 10");
	r = (struct plx_trace_record){ .event = PLX_TRACE_INTERRUPT, .a = 0x30 };
	operands(&r, "vector 30");
}

static char *printed(void (*print)(struct trace_printer *, const struct plx_trace_record *, uint32_t, const char *),
		     const struct plx_trace_record *r, const char *name, const struct trace_symbols *symbols)
{
	struct trace_printer p = { .start_tsc = 1000, .tsc_hz = 1000000, .symbols = symbols };
	static char *text;
	size_t nbytes;

	free(text);
	p.to = open_memstream(&text, &nbytes);
	trace_disasm_open(&p.disasm);
	print(&p, r, 0, name);
	trace_disasm_close(&p.disasm);
	fclose(p.to);
	return text;
}

static void a_line_of_text_has_time_place_instruction_and_result(void **state)
{
	struct plx_trace_record r = record_of(PRESCAN_SYSTEM, "\x0f\x22\xd8", 3, 0x103, 0x1000, 0x2000);
	char *text = printed(trace_print_text, &r, "MOV", NULL);

	(void)state;
	assert_non_null(strstr(text, "0.001000000 0060:c0101234 0 p32"));
	assert_non_null(strstr(text, "nexus"));
	assert_non_null(strstr(text, "0f22d8"));
	assert_non_null(strstr(text, "mov cr3, eax"));
	assert_non_null(strstr(text, "300 ticks  cr3 00001000 -> 00002000\n"));
	r.result = 1;
	assert_non_null(strstr(printed(trace_print_text, &r, "MOV", NULL), "faulted"));
	r.mode = 0;
	r.length = 1;
	r.bytes[0] = 0x06;
	assert_non_null(strstr(printed(trace_print_text, &r, "PUSH", NULL), " real "));
}

static void the_mode_decides_how_bytes_are_disassembled(void **state)
{
	struct plx_trace_record r = record_of(PRESCAN_FLAGS, "\x9c", 1, 0, 0, 0);

	(void)state;
	assert_non_null(strstr(printed(trace_print_text, &r, "PUSHFD", NULL), "pushfd"));
	r.mode = 0;
	assert_null(strstr(printed(trace_print_text, &r, "PUSHF", NULL), "pushfd"));
}

static void json_has_the_operands_under_their_names(void **state)
{
	struct plx_trace_record r = record_of(PRESCAN_PORT, "\xe6\x80", 2, 0x80 | 1 << 16 | 1 << 24, 5, 0);
	char *text = printed(trace_print_json, &r, "OUT", NULL);

	(void)state;
	assert_non_null(strstr(text, "\"port\": 128, \"size\": 1, \"out\": true, \"value\": 5}"));
	assert_non_null(strstr(text, "\"time\": 0.001000000, \"event\": \"insn\""));
	assert_non_null(strstr(text, "\"insn\": \"OUT\", \"bytes\": \"e680\", \"text\": \"out 0x80, al\""));
}

static void strange_symbols_do_not_break_json(void **state)
{
	struct trace_symbol symbol = { 0xc0101000, "a\"b\\c\x01" };
	struct trace_symbols symbols = { .symbol = &symbol, .count = 1 };
	struct plx_trace_record r = record_of(PRESCAN_FLAGS, "\xfa", 1, 0, 0, 0);

	(void)state;
	assert_non_null(strstr(printed(trace_print_json, &r, "CLI", &symbols), "\"symbol\": \"a\\\"b\\\\c\\u0001\", \"offset\": 564}"));
}

/* ---- symbols --------------------------------------------------------------------------------------------- */

static char path[64];

static void file_of(const void *data, size_t nbytes)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/plexus-test-XXXXXX");
	fd = mkstemp(path);
	assert_int_equal(write(fd, data, nbytes), (ssize_t)nbytes);
	close(fd);
}

static void the_symbol_below_an_address_names_it(void **state)
{
	static const char map[] = "c0100000 T _text\nc0100040 t do_it\nc0100040 T alias\nnonsense\nc0200000 D data\t[module]\n00000000 A absolute\n";
	struct trace_symbols s;
	uint32_t offset;

	(void)state;
	file_of(map, sizeof(map) - 1);
	assert_int_equal(trace_symbols_read(&s, path, why, sizeof(why)), 0);
	unlink(path);
	assert_int_equal(s.count, 3);
	assert_string_equal(trace_symbol_find(&s, 0xc0100000, &offset), "_text");
	assert_int_equal(offset, 0);
	assert_string_equal(trace_symbol_find(&s, 0xc010003f, &offset), "_text");
	assert_int_equal(trace_symbol_find(&s, 0xc0100041, &offset) != NULL, 1);
	assert_int_equal(offset, 1);
	assert_string_equal(trace_symbol_find(&s, 0xc0200000, &offset), "data");
	assert_null(trace_symbol_find(&s, 0xc00fffff, &offset));
	assert_null(trace_symbol_find(&s, 0xc0300000, &offset));	/* 1 MiB past the last one: something else */
	assert_null(trace_symbol_find(NULL, 0xc0100000, &offset));
	trace_symbols_free(&s);
}

struct tiny_elf {
	Elf32_Ehdr header;
	Elf32_Shdr section[3];
	Elf32_Sym symbol[2];
	char strings[8];
};

static struct tiny_elf tiny(void)
{
	struct tiny_elf e = {
		.header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB }, .e_shoff = offsetof(struct tiny_elf, section),
			    .e_shnum = 3, .e_shentsize = sizeof(Elf32_Shdr) },
		.section = { { .sh_type = SHT_NULL },
			     { .sh_type = SHT_SYMTAB, .sh_link = 2, .sh_offset = offsetof(struct tiny_elf, symbol), .sh_size = 2 * sizeof(Elf32_Sym) },
			     { .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct tiny_elf, strings), .sh_size = 8 } },
		.symbol = { { 0 }, { .st_name = 1, .st_value = 0x1000, .st_info = STT_FUNC, .st_shndx = 1 } },
		.strings = "\0start",
	};
	return e;
}

static void an_elf_file_gives_its_functions(void **state)
{
	struct tiny_elf e = tiny();
	struct trace_symbols s;
	uint32_t offset;

	(void)state;
	file_of(&e, sizeof(e));
	assert_int_equal(trace_symbols_read(&s, path, why, sizeof(why)), 0);
	unlink(path);
	assert_string_equal(trace_symbol_find(&s, 0x1004, &offset), "start");
	assert_int_equal(offset, 4);
	trace_symbols_free(&s);
}

/* Any byte of its tables may be wrong, and the file may end anywhere: refused or read, never out of bounds (run under a sanitizer to see). */
static void a_broken_elf_file_is_refused_or_read_in_bounds(void **state)
{
	struct trace_symbols s;

	(void)state;
	for (size_t i = 0; i < sizeof(struct tiny_elf); i++)
		for (unsigned int k = 0; k < 2; k++) {
			struct tiny_elf e = tiny();

			((uint8_t *)&e)[i] ^= k ? 0xff : 0x01;
			file_of(&e, k ? sizeof(e) : i + 1);
			if (trace_symbols_read(&s, path, why, sizeof(why)) == 0)
				trace_symbols_free(&s);
			unlink(path);
		}
}

static void a_file_without_symbols_is_refused(void **state)
{
	struct trace_symbols s;

	(void)state;
	file_of("hello\n", 6);
	assert_int_equal(trace_symbols_read(&s, path, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "has no symbols"));
	unlink(path);
	assert_int_equal(trace_symbols_read(&s, path, why, sizeof(why)), -ENOENT);
}

/* ---- sums ------------------------------------------------------------------------------------------------ */

static void a_tally_adds_by_instruction_and_by_site(void **state)
{
	struct plx_trace_record r = record_of(PRESCAN_STRING_PORT, "\xf3\x6c", 2, 0x60 | 1 << 16, 100, 100);
	struct trace_tally t = { .tsc_hz = 1000000 };
	char *text = NULL;
	size_t nbytes;
	FILE *to;

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(trace_tally_add(&t, &r, i % 2, "INSB"), 0);
	r = record_of(PRESCAN_PORT, "\xe6\x80", 2, 0x80 | 1 << 16 | 1 << 24, 5, 0);
	assert_int_equal(trace_tally_add(&t, &r, 7, "OUT"), 0);
	r.result = 1;
	assert_int_equal(trace_tally_add(&t, &r, 7, "OUT"), 0);
	r = (struct plx_trace_record){ .event = PLX_TRACE_INTERRUPT };
	assert_int_equal(trace_tally_add(&t, &r, UINT32_MAX, ""), 0);

	assert_int_equal(t.ninsns, 2);
	assert_int_equal(t.port_reads, 500);
	assert_int_equal(t.port_writes, 1);		/* the faulted one wrote nothing */
	assert_int_equal(t.event[PLX_TRACE_INSN], 7);
	assert_int_equal(t.event[PLX_TRACE_INTERRUPT], 1);
	assert_int_equal(t.insn_cost, 7 * 300);
	assert_int_equal(t.place[0].count, 3);
	assert_int_equal(t.place[1].count, 2);
	assert_int_equal(t.place[7].count, 2);

	to = open_memstream(&text, &nbytes);
	trace_tally_print(&t, NULL, 10, to);
	fclose(to);
	assert_non_null(strstr(text, "INSB         string-port nexus                  5"));
	assert_non_null(strstr(text, "port reads 500, port writes 1\n"));
	free(text);
	trace_tally_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operands_are_told_by_class),
		cmocka_unit_test(a_line_of_text_has_time_place_instruction_and_result),
		cmocka_unit_test(the_mode_decides_how_bytes_are_disassembled),
		cmocka_unit_test(json_has_the_operands_under_their_names),
		cmocka_unit_test(strange_symbols_do_not_break_json),
		cmocka_unit_test(the_symbol_below_an_address_names_it),
		cmocka_unit_test(an_elf_file_gives_its_functions),
		cmocka_unit_test(a_broken_elf_file_is_refused_or_read_in_bounds),
		cmocka_unit_test(a_file_without_symbols_is_refused),
		cmocka_unit_test(a_tally_adds_by_instruction_and_by_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
