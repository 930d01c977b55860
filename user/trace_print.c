/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_print.c - see trace_print.h. What operands a, b and c mean stands in include/plexus/trace.h.
 *
 * Asked by:  trace_read.c. Tested by: tests/unit/test_trace_print.c.
 */
#include <inttypes.h>
#include <string.h>

#include "plexus/x86.h"
#include "prescan/prescan.h"
#include "user/trace_filter.h"
#include "user/trace_print.h"

static const char *const result_names[] = { "done", "faulted", "halted" };

const char *trace_vector_name(uint32_t vector)
{
	static const char *const names[] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "", "#TS", "#NP", "#SS", "#GP", "#PF", "", "#MF", "#AC", "#MC", "#XM",
	};

	return vector < PLX_ARRAY_SIZE(names) ? names[vector] : "";
}

static const char *result_name(const struct plx_trace_record *r)
{
	return result_names[r->result < PLX_ARRAY_SIZE(result_names) ? r->result : 0];
}

/* "IF 1->0", for the flags that the monitor keeps to itself. */
static size_t flag_change(char *text, size_t room, const char *name, uint32_t before, uint32_t after, uint32_t mask, unsigned int shift)
{
	if (!((before ^ after) & mask))
		return 0;
	return (size_t)snprintf(text, room, " %s %u->%u", name, (before & mask) >> shift, (after & mask) >> shift);
}

static void flags_text(const struct plx_trace_record *r, char *text)
{
	size_t n = (size_t)snprintf(text, TRACE_OPERANDS_BYTES, "eflags %08x", r->result == 1 ? r->a : r->b);

	if (r->result == 1)
		return;
	n += flag_change(text + n, TRACE_OPERANDS_BYTES - n, "IF", r->a, r->b, X86_FLAG_IF, 9);
	n += flag_change(text + n, TRACE_OPERANDS_BYTES - n, "IOPL", r->a, r->b, X86_FLAG_IOPL, 12);
	n += flag_change(text + n, TRACE_OPERANDS_BYTES - n, "TF", r->a, r->b, X86_FLAG_TF, 8);
	flag_change(text + n, TRACE_OPERANDS_BYTES - n, "NT", r->a, r->b, X86_FLAG_NT, 14);
}

/* After 0F: MOV CR/DR 20-23, WRMSR 30, RDMSR 32. */
static uint8_t system_opcode(const struct plx_trace_record *r)
{
	for (unsigned int i = 0; i + 1 < r->length && i + 1 < sizeof(r->bytes); i++)
		if (r->bytes[i] == 0x0f)
			return r->bytes[i + 1];
	return 0;
}

static void system_text(const struct plx_trace_record *r, char *text)
{
	uint8_t opcode = system_opcode(r);

	if (opcode >= 0x20 && opcode <= 0x23) {
		const char *kind = r->a & 0x200 ? "dr" : "cr";

		if (r->a & 0x100)
			snprintf(text, TRACE_OPERANDS_BYTES, "%s%u %08x -> %08x", kind, r->a & 7, r->b, r->result == 1 ? r->b : r->c);
		else
			snprintf(text, TRACE_OPERANDS_BYTES, "%s%u %08x", kind, r->a & 7, r->b);
	} else if (opcode == 0x30) {
		snprintf(text, TRACE_OPERANDS_BYTES, "msr %x = %08x:%08x", r->a, r->c, r->b);
	} else if (opcode == 0x32) {
		snprintf(text, TRACE_OPERANDS_BYTES, "msr %x is %08x:%08x", r->a, r->c, r->b);
	}
}

const char *trace_operands(const struct plx_trace_record *r, char text[TRACE_OPERANDS_BYTES])
{
	static const char *const sreg[] = { "es", "cs", "ss", "ds", "fs", "gs", "?", "?" };
	unsigned int size = r->a >> 16 & 0xff;
	const size_t room = TRACE_OPERANDS_BYTES;

	text[0] = '\0';
	switch (r->event) {
	case PLX_TRACE_EXCEPTION:
		if (r->a == X86_VEC_PF)
			snprintf(text, room, "%s error %x address %08x", trace_vector_name(r->a), r->b, r->c);
		else
			snprintf(text, room, "%s vector %u error %x", trace_vector_name(r->a), r->a, r->b);
		return text;
	case PLX_TRACE_INTERRUPT:
		snprintf(text, room, "vector %02x", r->a);
		return text;
	case PLX_TRACE_FILL:
		snprintf(text, room, "page %08x for %s", r->a & ~(uint32_t)PLX_PAGE_MASK, r->b ? "writing" : "reading");
		return text;
	}
	switch (r->klass) {
	case PRESCAN_PORT:
		if (r->result == 1)
			snprintf(text, room, "port %04x, %u bytes", r->a & 0xffff, size);
		else
			snprintf(text, room, "port %04x %s %0*x", r->a & 0xffff, r->a >> 24 ? "=" : "is", (int)size * 2, r->b);
		break;
	case PRESCAN_STRING_PORT:
		snprintf(text, room, "port %04x %s %u times %u bytes", r->a & 0xffff, r->a >> 24 ? "written" : "read", r->b, size);
		break;
	case PRESCAN_SEG_LOAD:
		if (r->result != 1)
			snprintf(text, room, "%s %04x base %08x limit %08x", sreg[r->a & 7], r->a >> 16, r->b, r->c);
		break;
	case PRESCAN_FLAGS:
		flags_text(r, text);
		break;
	case PRESCAN_SYSTEM:
		system_text(r, text);
		break;
	case PRESCAN_FAR:
		if (r->c)
			snprintf(text, room, "vector %02x to %04x:%08x", r->c, r->a & 0xffff, r->b);
		else if (r->result != 1)
			snprintf(text, room, "to %04x:%08x", r->a & 0xffff, r->b);
		break;
	case PRESCAN_ID:
		snprintf(text, room, "eax %08x -> %08x edx %08x", r->a, r->b, r->c);
		break;
	case PRESCAN_PLAIN:
	case PRESCAN_FPU:
		if (r->how == PLX_TRACE_DEVICE)
			snprintf(text, room, "memory %08x %s %x", r->a, r->c ? "=" : "is", r->b);
		break;
	}
	return text;
}

static struct trace_site site_of(const struct plx_trace_record *r)
{
	struct trace_site site = { .eip = r->eip, .mode = r->mode, .length = r->length };

	memcpy(site.bytes, r->bytes, sizeof(site.bytes));
	return site;
}

static const char *disassembly(struct trace_printer *p, const struct plx_trace_record *r, uint32_t number, const char *name)
{
	struct trace_site site = site_of(r);

	return r->event == PLX_TRACE_INSN ? trace_disasm_site(&p->disasm, number, &site, name) : "";
}

static const char *mode_name(uint8_t mode)
{
	if (mode & PLX_TRACE_V86)
		return "v86";
	if (!(mode & PLX_TRACE_PROTECTED))
		return mode & PLX_TRACE_CODE32 ? "real32" : "real";
	return mode & PLX_TRACE_CODE32 ? "p32" : "p16";
}

static double seconds(const struct trace_printer *p, uint64_t ticks)
{
	return (double)ticks / (double)p->tsc_hz;
}

/* Since the start; a record from before it, which there should be none of, is put there. */
static uint64_t nanoseconds(const struct trace_printer *p, uint64_t tsc)
{
	return tsc > p->start_tsc ? (uint64_t)((unsigned __int128)(tsc - p->start_tsc) * 1000000000u / p->tsc_hz) : 0;
}

static const char *hex_bytes(const struct plx_trace_record *r, char text[2 * 15 + 1])
{
	for (unsigned int i = 0; i < r->length && i < sizeof(r->bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", r->bytes[i]);
	text[2 * plx_min32(r->length, sizeof(r->bytes))] = '\0';
	return text;
}

void trace_print_text(struct trace_printer *p, const struct plx_trace_record *r, uint32_t number, const char *name)
{
	char operands[TRACE_OPERANDS_BYTES], bytes[2 * 15 + 1];
	uint32_t offset;
	const char *symbol = trace_symbol_find(p->symbols, r->eip + r->cs_base, &offset);

	fprintf(p->to, "%14.9f %04x:%08x %u %-6s %08x ", seconds(p, r->tsc - p->start_tsc), r->cs, r->eip, r->cpl, mode_name(r->mode), r->space);
	if (r->event == PLX_TRACE_INSN)
		fprintf(p->to, "%-11s %-11s %-14s %-28s %6u ticks", trace_how_names[r->how], prescan_class_name(r->klass),
			hex_bytes(r, bytes), disassembly(p, r, number, name), r->cost);
	else
		fprintf(p->to, "%-11s", trace_event_names[r->event & 3]);
	trace_operands(r, operands);
	if (operands[0])
		fprintf(p->to, "  %s", operands);
	if (r->result)
		fprintf(p->to, "  %s", result_name(r));
	if (symbol)
		fprintf(p->to, "  <%s+0x%x>", symbol, offset);
	fputc('\n', p->to);
}

/* Names, disassembly and symbols hold neither quotes nor controls, but a symbol file is anybody's. */
static void put_string(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		if ((unsigned char)*text < 0x20)
			fprintf(to, "\\u%04x", (unsigned char)*text);
		else
			fputc(*text, to);
	}
	fputc('"', to);
}

static void json_operands(FILE *to, const struct plx_trace_record *r)
{
	bool done = r->result != 1;

	switch (r->event) {
	case PLX_TRACE_EXCEPTION:
		fprintf(to, ", \"vector\": %u, \"error\": %u", r->a, r->b);
		if (r->a == X86_VEC_PF)
			fprintf(to, ", \"address\": %u", r->c);
		return;
	case PLX_TRACE_INTERRUPT:
		fprintf(to, ", \"vector\": %u", r->a);
		return;
	case PLX_TRACE_FILL:
		fprintf(to, ", \"address\": %u, \"write\": %s", r->a, r->b ? "true" : "false");
		return;
	}
	switch (r->klass) {
	case PRESCAN_PORT:
	case PRESCAN_STRING_PORT:
		fprintf(to, ", \"port\": %u, \"size\": %u, \"out\": %s", r->a & 0xffff, r->a >> 16 & 0xff, r->a >> 24 ? "true" : "false");
		if (r->klass == PRESCAN_STRING_PORT)
			fprintf(to, ", \"elements\": %u", r->b);
		else if (done)
			fprintf(to, ", \"value\": %u", r->b);
		break;
	case PRESCAN_SEG_LOAD:
		if (done)
			fprintf(to, ", \"register\": %u, \"selector\": %u, \"base\": %u, \"limit\": %u", r->a & 7, r->a >> 16, r->b, r->c);
		break;
	case PRESCAN_FLAGS:
		fprintf(to, ", \"eflags\": %u, \"eflags_after\": %u", r->a, done ? r->b : r->a);
		break;
	case PRESCAN_SYSTEM:
		if (system_opcode(r) >= 0x20 && system_opcode(r) <= 0x23)
			fprintf(to, ", \"%s\": %u, \"write\": %s, \"old\": %u, \"new\": %u", r->a & 0x200 ? "dr" : "cr", r->a & 7,
				r->a & 0x100 ? "true" : "false", r->b, done ? r->c : r->b);
		else if (system_opcode(r) == 0x30 || system_opcode(r) == 0x32)
			fprintf(to, ", \"msr\": %u, \"low\": %u, \"high\": %u", r->a, r->b, r->c);
		break;
	case PRESCAN_FAR:
		if (r->c)
			fprintf(to, ", \"vector\": %u", r->c);
		if (done)
			fprintf(to, ", \"new_cs\": %u, \"new_eip\": %u", r->a & 0xffff, r->b);
		break;
	case PRESCAN_ID:
		fprintf(to, ", \"leaf\": %u, \"eax\": %u, \"edx\": %u", r->a, r->b, r->c);
		break;
	case PRESCAN_PLAIN:
	case PRESCAN_FPU:
		if (r->how == PLX_TRACE_DEVICE)
			fprintf(to, ", \"gpa\": %u, \"value\": %u, \"write\": %s", r->a, r->b, r->c ? "true" : "false");
		break;
	}
}

void trace_print_json(struct trace_printer *p, const struct plx_trace_record *r, uint32_t number, const char *name)
{
	char bytes[2 * 15 + 1];
	uint32_t offset;
	const char *symbol = trace_symbol_find(p->symbols, r->eip + r->cs_base, &offset);

	fprintf(p->to, "{\"time\": %.9f, \"event\": \"%s\", \"cs\": %u, \"eip\": %u, \"cs_base\": %u, \"cpl\": %u, \"mode\": \"%s\", \"paging\": %s, \"space\": %u",
		seconds(p, r->tsc - p->start_tsc), trace_event_names[r->event & 3], r->cs, r->eip, r->cs_base, r->cpl, mode_name(r->mode),
		r->mode & PLX_TRACE_PAGING ? "true" : "false", r->space);
	if (r->event == PLX_TRACE_INSN) {
		fprintf(p->to, ", \"insn\": \"%s\", \"bytes\": \"%s\", \"text\": ", name, hex_bytes(r, bytes));
		put_string(p->to, disassembly(p, r, number, name));
		fprintf(p->to, ", \"class\": \"%s\", \"how\": \"%s\", \"result\": \"%s\", \"ticks\": %u", prescan_class_name(r->klass),
			trace_how_names[r->how], result_name(r), r->cost);
	}
	json_operands(p->to, r);
	if (symbol) {
		fputs(", \"symbol\": ", p->to);
		put_string(p->to, symbol);
		fprintf(p->to, ", \"offset\": %u", offset);
	}
	fputs("}\n", p->to);
}

/* ---- Chrome's trace events -------------------------------------------------------------------------------- */

#define ROW_EVENTS 10	/* rows ("threads") 0 to 3 are privilege levels, this and the next two exceptions, interrupts, fills */

static void name_row(struct trace_printer *p, unsigned int row, const char *name)
{
	fprintf(p->to, ",\n{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"ts\":0,\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}"
		",\n{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"ts\":0,\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%u}}", row, name, row, row);
}

void trace_chrome_begin(struct trace_printer *p)
{
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", p->to);
	fputs("{\"ph\":\"M\",\"pid\":1,\"tid\":0,\"ts\":0,\"name\":\"process_name\",\"args\":{\"name\":\"guest\"}}", p->to);
	name_row(p, 0, "kernel (CPL 0)");
	name_row(p, 1, "CPL 1");
	name_row(p, 2, "CPL 2");
	name_row(p, 3, "user (CPL 3)");
	name_row(p, ROW_EVENTS, "exceptions");
	name_row(p, ROW_EVENTS + 1, "interrupts");
	name_row(p, ROW_EVENTS + 2, "page fills");
}

void trace_print_chrome(struct trace_printer *p, const struct plx_trace_record *r, uint32_t number, const char *name)
{
	char operands[TRACE_OPERANDS_BYTES];
	uint32_t offset;
	const char *symbol = trace_symbol_find(p->symbols, r->eip + r->cs_base, &offset);
	/* Whole nanoseconds at both ends: an event that ended a rounding after the next one's start would be taken for its parent. */
	uint64_t at = nanoseconds(p, r->tsc), lasts = nanoseconds(p, r->tsc + r->cost) - at;

	trace_operands(r, operands);
	if (r->event == PLX_TRACE_INSN) {
		fprintf(p->to, ",\n{\"ph\":\"X\",\"pid\":1,\"tid\":%u,\"ts\":%" PRIu64 ".%03u,\"dur\":%" PRIu64 ".%03u,\"name\":\"%s\",\"cat\":\"%s\",\"args\":{\"text\":",
			r->cpl, at / 1000, (unsigned int)(at % 1000), lasts / 1000, (unsigned int)(lasts % 1000), name,
			prescan_class_name(r->klass));
		put_string(p->to, disassembly(p, r, number, name));
		fprintf(p->to, ",\"how\":\"%s\",", trace_how_names[r->how]);
	} else {
		fprintf(p->to, ",\n{\"ph\":\"i\",\"s\":\"t\",\"pid\":1,\"tid\":%u,\"ts\":%" PRIu64 ".%03u,\"name\":\"%s\",\"cat\":\"event\",\"args\":{",
			ROW_EVENTS - 1u + r->event, at / 1000, (unsigned int)(at % 1000), operands[0] ? operands : trace_event_names[r->event & 3]);
	}
	fprintf(p->to, "\"at\":\"%04x:%08x", r->cs, r->eip);
	if (symbol)
		fprintf(p->to, " +0x%x\",\"symbol\":", offset), put_string(p->to, symbol);
	else
		fputc('"', p->to);
	fprintf(p->to, ",\"space\":\"%08x\"", r->space);
	if (operands[0] && r->event == PLX_TRACE_INSN) {
		fputs(",\"operands\":", p->to);
		put_string(p->to, operands);
	}
	fputs("}}", p->to);
}

void trace_chrome_end(struct trace_printer *p)
{
	fputs("\n]}\n", p->to);
}
