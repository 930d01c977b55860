/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_json.c - the report as JSON lines, and the listing of every instruction in both forms.
 *
 * Each line is an object with a "type": scan, file, region, finding, instruction, total; with --each also step. Addresses are strings,
 * because JSON's numbers are other people's doubles.
 *
 * Asked by: user/prescan_command.c. Source: RFC 8259. Tested by: tests/unit/test_prescan_command.c.
 */
#include <inttypes.h>
#include <string.h>

#include "user/command.h"
#include "user/prescan_report.h"

void report_json_text(const char *text, FILE *to)
{
	fputc('"', to);
	while (*text) {
		unsigned int n = report_utf8(text);

		if (!n) {
			fputs("\xef\xbf\xbd", to);
			n = 1;
		} else if (*text == '"' || *text == '\\') {
			fprintf(to, "\\%c", *text);
		} else if ((unsigned char)*text < 0x20 || *text == 0x7f) {
			fprintf(to, "\\u%04x", (unsigned char)*text);
		} else {
			fwrite(text, 1, n, to);
		}
		text += n;
	}
	fputc('"', to);
}

static void field(const char *name, const char *text, FILE *to)
{
	fprintf(to, ",\"%s\":", name);
	report_json_text(text, to);
}

static void put_covers(const uint64_t *bytes, const uint64_t *insns, FILE *to)
{
	bool first = true;

	fputs(",\"classes\":{", to);
	for (unsigned int c = 0; c < COVER_NR; c++)
		if (bytes[c]) {
			fprintf(to, "%s\"%s\":{\"steps\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", first ? "" : ",", cover_name(c), insns[c], bytes[c]);
			first = false;
		}
	fputc('}', to);
}

static void put_finding_counts(const uint64_t *findings, FILE *to)
{
	fputs(",\"findings\":{", to);
	for (unsigned int k = 0; k < FINDING_NR; k++)
		fprintf(to, "%s\"%s\":%" PRIu64, k ? "," : "", finding_name(k), findings[k]);
	fputc('}', to);
}

static void put_file(const struct file_result *f, FILE *to)
{
	fputs("{\"type\":\"file\",\"path\":", to);
	report_json_text(f->path, to);
	fprintf(to, ",\"bytes\":%" PRIu64, f->nbytes);
	field("verdict", report_verdict_name(f->verdict), to);
	field("format", f->format, to);
	if (f->why[0])
		field("why", f->why, to);
	fprintf(to, ",\"regions\":%" PRIu32 ",\"findings_omitted\":%" PRIu64 "}\n", f->nregions, f->omitted);
	for (uint32_t i = 0; i < f->nregions; i++) {
		const struct region_result *g = &f->regions[i];

		fputs("{\"type\":\"region\",\"path\":", to);
		report_json_text(f->path, to);
		field("region", g->name, to);
		fprintf(to, ",\"address\":\"0x%" PRIx64 "\",\"bytes\":%" PRIu64 ",\"bytes_16\":%" PRIu64 ",\"mode\":\"%s\",\"mode_guessed\":%s",
			g->address, g->nbytes, g->nbytes16, report_mode_name(g), g->guessed ? "true" : "false");
		fprintf(to, ",\"undecoded_bytes\":%" PRIu64 ",\"leaves\":%" PRIu64, region_undecoded(g), g->leaves);
		put_covers(g->cover_bytes, g->cover_insns, to);
		put_finding_counts(g->findings, to);
		fprintf(to, ",\"cell_bytes\":%" PRIu64, (uint64_t)1 << g->cell_shift);
		field("map", g->map, to);
		fputs("}\n", to);
	}
	for (uint32_t i = 0; i < f->nfindings; i++) {
		const struct finding *d = &f->findings[i];

		fputs("{\"type\":\"finding\",\"path\":", to);
		report_json_text(f->path, to);
		field("region", f->regions[d->region].name, to);
		fprintf(to, ",\"address\":\"0x%" PRIx64 "\",\"mode\":%u,\"kind\":\"%s\"", d->address, d->mode, finding_name(d->kind));
		if (d->kind == FINDING_UNSUPPORTED)
			field("mnemonic", prescan_row_mnemonic(d->row), to);
		fputs(",\"data\":\"", to);
		report_hex(d->bytes, d->nbytes, "", to);
		fputs("\"}\n", to);
	}
}

void report_json(const struct report *r, FILE *to)
{
	const struct totals *t = &r->totals;

	fprintf(to, "{\"type\":\"scan\",\"version\":1,\"plexus\":\"%s\",\"rewrite\":\"%s\",\"cpl\":%d,\"map_letters\":{", plexus_version,
		report_strategy_name(r->options->sweep.strategy), r->options->sweep.user ? 3 : 0);
	for (unsigned int c = 0; c < COVER_NR; c++)
		fprintf(to, "%s\"%c\":\"%s\"", c ? "," : "", 'a' + c, cover_name(c));
	fputs("}}\n", to);
	for (size_t i = 0; i < r->nresults; i++)
		put_file(r->results[i], to);
	for (size_t i = 0; i < r->nlines; i++) {
		const struct insn_line *l = &r->lines[i];

		fputs("{\"type\":\"instruction\",\"mnemonic\":", to);
		report_json_text(l->mnemonic, to);
		fprintf(to, ",\"mode\":%u,\"class\":\"%s\",\"rewriting\":\"%s\",\"count\":%" PRIu64 ",\"bytes\":%" PRIu64, l->mode, l->klass,
			l->rewriting, l->insns, l->bytes);
		field("reason", l->reason, to);
		fputs("}\n", to);
	}
	fputs("{\"type\":\"total\",\"files\":{", to);
	for (unsigned int v = 0; v < IMAGE_NR; v++)
		fprintf(to, "%s\"%s\":%" PRIu64, v ? "," : "", report_verdict_name(v), t->files[v]);
	fprintf(to, "},\"file_bytes\":%" PRIu64 ",\"regions\":%" PRIu64 ",\"links_not_followed\":%" PRIu64, t->file_bytes, t->regions, r->links);
	put_covers(t->cover_bytes, t->cover_insns, to);
	fputs(",\"rewritings\":{", to);
	for (unsigned int i = 0; i < REWRITING_NR; i++)
		fprintf(to, "%s\"%s\":{\"instructions\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", i ? "," : "", prescan_rewriting_name(i),
			t->rewriting_insns[i], t->rewriting_bytes[i]);
	fputc('}', to);
	put_finding_counts(t->findings, to);
	fprintf(to, ",\"findings_omitted\":%" PRIu64 "}\n", t->omitted);
}

/* ---- every instruction ---- */

struct listing {
	FILE *to;
	bool json;
	const char *path, *region;
};

/* Why this happens to these bytes. */
static const char *reason_of(const struct step *s)
{
	if (s->insn)
		return prescan_reason(s->insn);
	return s->finding >= 0 ? finding_meaning((unsigned int)s->finding) : cover_meaning(s->cover);
}

static bool put_step(void *owner, const struct step *s)
{
	struct listing *l = owner;
	const char *rewriting = s->cover == COVER_DATA ? "none" : prescan_rewriting_name(s->rewriting);
	const char *mnemonic = s->insn ? prescan_mnemonic(s->insn) : "(none)";
	size_t shown = s->nbytes < PRESCAN_INSN_MAX ? s->nbytes : PRESCAN_INSN_MAX;

	if (!l->json) {
		fprintf(l->to, "%8" PRIx64 " %u %-11s %-18s %-12s ", s->address, s->mode, cover_name(s->cover), rewriting, mnemonic);
		report_hex(s->bytes, shown, "", l->to);
		if (shown < s->nbytes)
			fprintf(l->to, "... (%" PRIu32 " bytes)", s->nbytes);
		fprintf(l->to, "  %s\n", reason_of(s));
		return !ferror(l->to);
	}
	fputs("{\"type\":\"step\",\"path\":", l->to);
	report_json_text(l->path, l->to);
	field("region", l->region, l->to);
	fprintf(l->to, ",\"address\":\"0x%" PRIx64 "\",\"mode\":%u,\"length\":%" PRIu32 ",\"data\":\"", s->address, s->mode, s->nbytes);
	report_hex(s->bytes, shown, "", l->to);
	fprintf(l->to, "\",\"decoded\":%s,\"class\":\"%s\",\"rewriting\":\"%s\"", s->insn ? "true" : "false", cover_name(s->cover), rewriting);
	if (s->insn)
		field("mnemonic", mnemonic, l->to);
	if (s->finding >= 0)
		field("finding", finding_name((unsigned int)s->finding), l->to);
	field("reason", reason_of(s), l->to);
	fputs("}\n", l->to);
	return !ferror(l->to);
}

bool report_listing(const struct report *r, bool json, FILE *to, char *why, size_t why_bytes)
{
	for (size_t i = 0; i < r->nresults; i++) {
		const struct file_result *f = r->results[i];
		struct image_options how = r->options->image;
		struct listing l = { .to = to, .json = json, .path = f->path };
		struct code_image image;
		bool ok = true;

		if (!f->nregions)
			continue;
		how.named = f->named;
		image_open(&image, f->path, &how);
		if (image.nregions != f->nregions) {
			snprintf(why, why_bytes, "%s: changed while it was scanned", f->path);
			image_free(&image);
			return false;
		}
		for (size_t j = 0; j < image.nregions && ok; j++) {
			l.region = image.regions[j].name;
			if (!json)
				fprintf(to, "%s %s\n", f->path, l.region);
			ok = sweep_region(&image.regions[j], &r->options->sweep, put_step, &l);
		}
		image_free(&image);
		if (!ok)
			break;		/* standard output is told of by whoever flushes it */
	}
	return true;
}
