/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_read.c - see trace_read.h.
 *
 *      file --> trace_file.c --> filter --> trace_print.c (a record at a time) or trace_tally.c (all together) --> output
 *
 * Asked by:  trace_command.c. Tested by: tests/guests/run-trace.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prescan/prescan.h"
#include "user/machine.h"
#include "user/say.h"
#include "user/trace_print.h"
#include "user/trace_read.h"
#include "user/trace_tally.h"

struct reading {
	struct trace_read_options *o;
	struct trace_reader reader;
	struct trace_symbols symbols;
	struct trace_printer printer;
	struct trace_tally tally;
	struct host_new_file output;
	FILE *to;
	char why[WHY_BYTES];
};

/* ---- folded stacks: "cpl0;do_IRQ;OUT 1234", as flame graphs are made from --------------------------------- */

static void fold_name(const struct reading *rd, const struct trace_site *site, char *text, size_t room)
{
	uint32_t offset, linear = site->eip + site->cs_base;
	const char *symbol = trace_symbol_find(rd->symbols.count ? &rd->symbols : NULL, linear, &offset);

	if (symbol)
		snprintf(text, room, "cpl%u;%s", site->cpl, symbol);
	else
		snprintf(text, room, "cpl%u;%08x", site->cpl, linear);
}

struct folded {
	char text[200];
	uint64_t weight;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct folded *)a)->text, ((const struct folded *)b)->text);
}

static int print_folded(struct reading *rd)
{
	const struct trace_tally *t = &rd->tally;
	struct folded *line = calloc(t->nplaces + 1, sizeof(*line));
	bool by_count = rd->o->form == TRACE_FOLDED_COUNT;
	size_t n = 0;

	if (!line) {
		snprintf(rd->why, sizeof(rd->why), "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < t->nplaces; i++) {
		const struct tally_place *p = &t->place[i];
		char where[160];

		if (!p->count)
			continue;
		fold_name(rd, &p->site, where, sizeof(where));
		snprintf(line[n].text, sizeof(line[n].text), "%s;%s", where, p->name);
		line[n++].weight = by_count ? p->count : p->cost;
	}
	qsort(line, n, sizeof(*line), by_text);
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && !strcmp(line[i].text, line[i + 1].text))
			line[i + 1].weight += line[i].weight;	/* another place of the same function */
		else
			fprintf(rd->to, "%s %" PRIu64 "\n", line[i].text, line[i].weight);
	}
	free(line);
	return 0;
}

/* ---- all forms -------------------------------------------------------------------------------------------- */

static int one_record(struct reading *rd, const struct plx_trace_record *r, uint32_t site, const char *name)
{
	switch (rd->o->form) {
	case TRACE_TEXT:
		trace_print_text(&rd->printer, r, site, name);
		return 0;
	case TRACE_JSON:
		trace_print_json(&rd->printer, r, site, name);
		return 0;
	case TRACE_CHROME:
		trace_print_chrome(&rd->printer, r, site, name);
		return 0;
	default:
		if (!trace_tally_add(&rd->tally, r, site, name))
			return 0;
		snprintf(rd->why, sizeof(rd->why), "out of memory");
		return -ENOMEM;
	}
}

static int all_records(struct reading *rd)
{
	struct plx_trace_record r;
	uint64_t shown = 0;
	uint32_t site;
	int err;

	while ((err = trace_reader_next(&rd->reader, &r, &site, rd->why, sizeof(rd->why))) > 0) {
		const char *name = r.event == PLX_TRACE_INSN ? trace_row_name(&rd->reader.codec, r.row) : "";

		if (!trace_filter_pass(&rd->o->filter, &r, name))
			continue;
		if (rd->o->limit && shown++ == rd->o->limit) {
			say("%s: the first %" PRIu64 " records that the filter passes; the rest is left out (--limit N, --filter)", rd->o->file, rd->o->limit);
			return 0;
		}
		err = one_record(rd, &r, site, name);
		if (err)
			return err;
		if (ferror(rd->to))
			return 0;		/* told when the output is closed */
	}
	return err;
}

static void print_header(struct reading *rd)
{
	const struct trace_reader *in = &rd->reader;

	fprintf(rd->to, "# plexus %s: %s\n# %" PRIu64 " records", in->version, in->command, in->totals.records);
	if (in->filter[0])
		fprintf(rd->to, ", filter %s", in->filter);
	if (in->totals.dropped)
		fprintf(rd->to, ", %" PRIu64 " DROPPED", in->totals.dropped);
	fprintf(rd->to, ", %.3f s, %.3f MHz\n", (double)(in->totals.end_tsc - in->totals.start_tsc) / (double)in->totals.tsc_hz,
		(double)in->totals.tsc_hz / 1e6);
}

static int print_all(struct reading *rd)
{
	const struct trace_symbols *symbols = rd->symbols.count ? &rd->symbols : NULL;
	enum trace_form form = rd->o->form;
	int err;

	if (form == TRACE_TEXT || form == TRACE_SUMMARY)
		print_header(rd);
	if (form == TRACE_TEXT)
		fputs("# time s       cs:eip      cpl mode space    handled     class       bytes          instruction\n", rd->to);
	if (form == TRACE_CHROME)
		trace_chrome_begin(&rd->printer);
	err = all_records(rd);
	if (err)
		return err;
	rd->tally.dropped = rd->reader.totals.dropped;
	rd->tally.tsc_hz = rd->reader.totals.tsc_hz;
	switch (form) {
	case TRACE_SUMMARY:
		trace_tally_print(&rd->tally, symbols, rd->o->top, rd->to);
		return 0;
	case TRACE_SUMMARY_JSON:
		trace_tally_json(&rd->tally, symbols, rd->o->top, rd->to);
		return 0;
	case TRACE_FOLDED:
	case TRACE_FOLDED_COUNT:
		return print_folded(rd);
	case TRACE_CHROME:
		trace_chrome_end(&rd->printer);
		return 0;
	default:
		return 0;
	}
}

static int open_all(struct reading *rd)
{
	const struct trace_read_options *o = rd->o;
	int err = trace_reader_open(&rd->reader, o->file, rd->why, sizeof(rd->why));

	if (!err && o->symbols)
		err = trace_symbols_read(&rd->symbols, o->symbols, rd->why, sizeof(rd->why));
	if (!err && o->output)
		err = host_file_create(&rd->output, o->output, rd->why, sizeof(rd->why));
	return err;
}

static int close_output(struct reading *rd, int err)
{
	if (rd->o->output && rd->output.stream) {
		if (!err)
			return host_file_commit(&rd->output, rd->why, sizeof(rd->why));
		fclose(rd->output.stream);
		if (rd->output.temporary[0])
			unlink(rd->output.temporary);
		return err;
	}
	if (!err && (fflush(stdout) || ferror(stdout))) {
		if (errno == EPIPE)
			return 0;		/* `| head` has seen enough */
		err = -EIO;
		snprintf(rd->why, sizeof(rd->why), "standard output cannot be written");
	}
	return err;
}

int trace_read(struct trace_read_options *o)
{
	static struct reading rd;	/* large, and there is one */
	int err;

	rd = (struct reading){ .o = o };
	err = open_all(&rd);
	if (!err) {
		rd.to = o->output ? rd.output.stream : stdout;
		rd.printer = (struct trace_printer){
			.to = rd.to, .symbols = rd.symbols.count ? &rd.symbols : NULL,
			.start_tsc = rd.reader.totals.start_tsc, .tsc_hz = rd.reader.totals.tsc_hz,
		};
		trace_disasm_open(&rd.printer.disasm);
		err = print_all(&rd);
		trace_disasm_close(&rd.printer.disasm);
		err = close_output(&rd, err);
	}
	if (err)
		say("%s", rd.why);
	trace_tally_free(&rd.tally);
	trace_symbols_free(&rd.symbols);
	trace_reader_close(&rd.reader);
	return err ? STATUS_FAILED : STATUS_OK;
}
