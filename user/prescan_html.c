/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_html.c - the report as one page: nothing is loaded from anywhere, and it prints.
 *
 * The coverage map is a canvas a region, drawn by a few lines of script from the region's map (struct region_result): a cell is a
 * stretch of addresses, split among the colours of what stands in it. Without script there are still the bars (SVG) and all
 * tables.
 *
 * Asked by: user/prescan_command.c. Tested by: tests/unit/test_prescan_command.c.
 */
#include <inttypes.h>
#include <string.h>

#include "user/command.h"
#include "user/coverage_report.h"
#include "user/prescan_report.h"

#define MAPS_MAX	400u		/* a page that no browser opens helps nobody; the worst regions come first then */
#define FINDINGS_MAX	2000u
#define WORST		25u

/* Calm for what runs as it stands, warm for what is rewritten, red and black for what is not decoded. */
static const char *const colours[COVER_NR] = {
	[PRESCAN_REFUSE] = "#d6004f", [PRESCAN_PLAIN] = "#c9dcec", [PRESCAN_FPU] = "#8fb8de", [PRESCAN_BRANCH] = "#9ccfa4",
	[PRESCAN_FAR] = "#f2a33a", [PRESCAN_SEG_LOAD] = "#8a5fbf", [PRESCAN_SEG_STORE] = "#c39be8", [PRESCAN_FLAGS] = "#e8c51f",
	[PRESCAN_TABLE] = "#a0622d", [PRESCAN_SYSTEM] = "#e2571e", [PRESCAN_ID] = "#1fa5a5", [PRESCAN_PORT] = "#2f6f4f",
	[PRESCAN_STRING_PORT] = "#5b8f1e", [PRESCAN_UD] = "#7a7a2a", [COVER_UNDEFINED] = "#e00000", [COVER_CUT] = "#701010",
	[COVER_DATA] = "#e4e4e4",
};

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>plexus prescan</title>\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n"
	"body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:76em;padding:0 1em;color:#222;background:#fff}\n"
	"h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}table{border-collapse:collapse;margin:.5em 0}\n"
	"td,th{padding:.15em .7em .15em 0;text-align:left;vertical-align:top}th{border-bottom:1px solid #999}\n"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}code{font-family:ui-monospace,monospace;font-size:.93em}\n"
	".s{display:inline-block;width:1em;height:1em;vertical-align:-.15em;margin-right:.4em;border:1px solid #0003}\n"
	".r{margin:1em 0}.r canvas{display:block;max-width:100%;image-rendering:pixelated;cursor:crosshair}\n"
	".q{color:#666}svg{display:block;width:100%;height:12px}#tip{position:fixed;background:#222;color:#fff;padding:.3em .6em;\n"
	"font-size:.85em;white-space:pre;pointer-events:none;display:none;border-radius:3px}label{cursor:pointer}\n"
	"</style></head><body>\n";

/* For each region: cells of 7x14 pixels in rows of 128, each filled from the left in proportion. What is rare is at least a pixel. */
static const char script[] =
	"<div id=\"tip\"></div><script>\n"
	"'use strict';\n"
	"const W=7,H=14,ROW=128,off=new Set(),tip=document.getElementById('tip');\n"
	"function cells(e){const n=+e.dataset.bytes,z=+e.dataset.cell;return e.dataset.map.split(' ').map((t,i)=>{\n"
	" const size=Math.min(z,n-i*z),out=[];for(const m of t.matchAll(/([a-z])(\\d*)/g))\n"
	"  out.push([m[1].charCodeAt(0)-97,m[2]?+m[2]:size]);return out;});}\n"
	"/* What ran of each cell stands in a strip below it; where nothing did, the cell is pale. */\n"
	"function strip(e,c){const ran=e.dataset.ran;if(!ran)return;const n=+e.dataset.bytes,z=+e.dataset.cell;\n"
	" if(!e.ran)e.ran=ran.split(' ').map((t,i)=>{const size=Math.min(z,n-i*z),out=[];\n"
	"  for(const m of t.matchAll(/([a-z])(\\d*)/g))out.push([m[1].charCodeAt(0)-97,m[2]?+m[2]:size]);return out;});\n"
	" e.ran.forEach((cell,i)=>{const x=i%ROW*W,y=Math.floor(i/ROW)*H,size=Math.min(z,n-i*z);let at=0;\n"
	"  c.fillStyle='#fff';if(!cell.length){c.globalAlpha=.6;c.fillRect(x,y,W-1,H-1);c.globalAlpha=1;return;}c.fillRect(x,y+H-6,W-1,5);\n"
	"  cell.forEach(p=>{const w=Math.max(1,p[1]/size*(W-1));c.fillStyle=RANCOLOUR[p[0]];\n"
	"   c.fillRect(x+Math.min(at,W-2),y+H-5,Math.min(w,W-1-Math.min(at,W-2)),4);at+=w;});});}\n"
	"function draw(e){const list=e.cells||(e.cells=cells(e)),c=e.getContext('2d');\n"
	" e.width=Math.min(ROW,list.length)*W;e.height=Math.ceil(list.length/ROW)*H;\n"
	" list.forEach((cell,i)=>{const x=i%ROW*W,y=Math.floor(i/ROW)*H,shown=cell.filter(p=>!off.has(p[0]));\n"
	"  const sum=cell.reduce((a,p)=>a+p[1],0);let at=0;shown.sort((a,b)=>b[1]-a[1]);\n"
	"  const rare=shown.slice(1).map(p=>Math.max(1,Math.round(p[1]/sum*(W-1)))),used=rare.reduce((a,b)=>a+b,0);\n"
	"  shown.forEach((p,k)=>{const w=k?rare[k-1]:Math.max(1,W-1-used);c.fillStyle=COLOUR[p[0]];\n"
	"   if(at<W-1)c.fillRect(x+at,y,Math.min(w,W-1-at),H-1);at+=w;});});strip(e,c);}\n"
	"document.querySelectorAll('canvas').forEach(e=>{draw(e);\n"
	" e.onmousemove=v=>{const b=e.getBoundingClientRect(),k=e.width/b.width,i=Math.floor((v.clientY-b.top)*k/H)*ROW+\n"
	"  Math.floor((v.clientX-b.left)*k/W),cell=e.cells[i];if(!cell){tip.style.display='none';return;}\n"
	"  const a=BigInt(e.dataset.address)+BigInt(i)*BigInt(e.dataset.cell);tip.textContent='0x'+a.toString(16)+'\\n'+\n"
	"  cell.map(p=>NAME[p[0]]+' '+p[1]).join('\\n')+(e.ran?'\\nran: '+(e.ran[i].map(p=>RANNAME[p[0]]+' '+p[1]).join(', ')||'nothing'):'');\n"
	"  tip.style.display='block';tip.style.left=v.clientX+14+'px';\n"
	"  tip.style.top=v.clientY+14+'px';};e.onmouseleave=()=>tip.style.display='none';});\n"
	"document.querySelectorAll('input[data-cover]').forEach(b=>b.onchange=()=>{const k=+b.dataset.cover;\n"
	" if(b.checked)off.delete(k);else off.add(k);document.querySelectorAll('canvas').forEach(draw);});\n"
	"</script>\n";

void report_html_text(const char *text, FILE *to)
{
	while (*text) {
		unsigned int n = report_utf8(text);

		if (!n) {
			fputs("&#xfffd;", to);
			n = 1;
		} else if (*text == '<') {
			fputs("&lt;", to);
		} else if (*text == '>') {
			fputs("&gt;", to);
		} else if (*text == '&') {
			fputs("&amp;", to);
		} else if (*text == '"') {
			fputs("&quot;", to);
		} else if ((unsigned char)*text < 0x20) {
			fputc('?', to);
		} else {
			fwrite(text, 1, n, to);
		}
		text += n;
	}
}

static void cell_number(uint64_t value, FILE *to)
{
	char text[32];

	fprintf(to, "<td class=\"n\">%s</td>", report_commas(value, text));
}

static void cell_text(const char *text, FILE *to)
{
	fputs("<td>", to);
	report_html_text(text, to);
	fputs("</td>", to);
}

static void cell_share(uint64_t part, uint64_t whole, FILE *to)
{
	fprintf(to, "<td class=\"n\">%.3f&#8201;%%</td>", whole ? 100.0 * (double)part / (double)whole : 0);
}

/* One bar, its parts in proportion. */
static void put_bar(const uint64_t *bytes, uint64_t all, FILE *to)
{
	double at = 0;

	fputs("<svg viewBox=\"0 0 1000 12\" preserveAspectRatio=\"none\" role=\"img\">", to);
	for (unsigned int c = 0; c < COVER_NR && all; c++) {
		double width = 1000.0 * (double)bytes[c] / (double)all;

		if (!bytes[c])
			continue;
		fprintf(to, "<rect x=\"%.3f\" width=\"%.3f\" height=\"12\" fill=\"%s\"><title>%s</title></rect>", at, width, colours[c],
			cover_name(c));
		at += width;
	}
	fputs("</svg>\n", to);
}

static void put_summary(const struct report *r, FILE *to)
{
	const struct totals *t = &r->totals;
	uint64_t all = 0, undecoded = t->cover_bytes[COVER_REFUSED] + t->cover_bytes[COVER_UNDEFINED] + t->cover_bytes[COVER_CUT], code;
	char a[32], b[32];

	for (unsigned int c = 0; c < COVER_NR; c++)
		all += t->cover_bytes[c];
	code = all - t->cover_bytes[COVER_DATA];
	fprintf(to, "<h1>plexus prescan: %s bytes of code, %.4f&#8201;%% decoded</h1>\n", report_commas(code, a),
		code ? 100.0 * (double)(code - undecoded) / (double)code : 100.0);
	fprintf(to, "<p>%s files: %" PRIu64 " with code, %" PRIu64 " without, %" PRIu64 " foreign, %" PRIu64 " failed; %s code regions. "
		"Judged for <code>--rewrite %s</code>, %s, flat segments. Plexus %s.</p>\n", report_commas(r->nresults, a),
		t->files[IMAGE_CODE], t->files[IMAGE_NONE], t->files[IMAGE_FOREIGN], t->files[IMAGE_BAD], report_commas(t->regions, b),
		report_strategy_name(r->options->sweep.strategy), r->options->sweep.user ? "user code" : "kernel code", plexus_version);
	put_bar(t->cover_bytes, all, to);
	fputs("<h2>By class</h2><table><tr><th>class</th><th class=\"n\">instructions</th><th class=\"n\">bytes</th>"
	      "<th class=\"n\">share</th><th></th></tr>\n", to);
	for (unsigned int c = 0; c < COVER_NR; c++) {
		if (!t->cover_bytes[c])
			continue;
		fprintf(to, "<tr><td><label><input type=\"checkbox\" checked data-cover=\"%u\"><span class=\"s\" style=\"background:%s\">"
			"</span>%s</label></td>", c, colours[c], cover_name(c));
		cell_number(t->cover_insns[c], to);
		cell_number(t->cover_bytes[c], to);
		cell_share(t->cover_bytes[c], all, to);
		cell_text(cover_meaning(c), to);
		fputs("</tr>\n", to);
	}
	fputs("</table>\n<h2>By rewriting</h2><table><tr><th>rewriting</th><th class=\"n\">instructions</th><th class=\"n\">bytes</th>"
	      "<th></th></tr>\n", to);
	for (unsigned int i = 0; i < REWRITING_NR; i++) {
		if (!t->rewriting_insns[i])
			continue;
		fputs("<tr>", to);
		cell_text(prescan_rewriting_name(i), to);
		cell_number(t->rewriting_insns[i], to);
		cell_number(t->rewriting_bytes[i], to);
		cell_text(prescan_rewriting_meaning(i), to);
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
}

/* The map of what ran of this region; NULL: nobody asked. */
static const char *ran_map(const struct report *r, const struct file_result *f, const struct region_result *g)
{
	for (size_t i = 0; r->coverage && i < r->nresults; i++)
		if (r->results[i] == f)
			return coverage_report_region(r->coverage, i, (uint32_t)(g - f->regions))->map;
	return NULL;
}

static void put_map(const struct report *r, const struct file_result *f, const struct region_result *g, FILE *to)
{
	const char *ran = ran_map(r, f, g);
	char a[32];

	fputs("<div class=\"r\"><b>", to);
	report_html_text(f->path, to);
	fputs("</b> ", to);
	report_html_text(g->name, to);
	fprintf(to, " <span class=\"q\">at <code>%" PRIx64 "</code>, %s bytes, %s-bit%s, a cell is %" PRIu64 " bytes</span>\n", g->address,
		report_commas(g->nbytes, a), report_mode_name(g), g->guessed ? " (guessed)" : "", (uint64_t)1 << g->cell_shift);
	put_bar(g->cover_bytes, g->nbytes, to);
	fprintf(to, "<canvas width=\"1\" height=\"1\" data-address=\"%" PRIu64 "\" data-bytes=\"%" PRIu64 "\" data-cell=\"%" PRIu64 "\" data-map=\"",
		g->address, g->nbytes, (uint64_t)1 << g->cell_shift);
	report_html_text(g->map, to);
	if (ran)
		fprintf(to, "\" data-ran=\"%s", ran);
	fputs("\"></canvas></div>\n", to);
}

static void put_maps(const struct report *r, FILE *to)
{
	struct worst worst[MAPS_MAX];
	size_t n;

	fputs("<h2>Coverage map</h2>\n", to);
	if (r->coverage) {
		fputs("<p>Below each cell, what ran of it: ", to);
		for (unsigned int k = 0; k < RAN_NR; k++)
			fprintf(to, "<span class=\"s\" style=\"background:%s\"></span>%s ", coverage_colour(k), ran_name(k));
		fputs("- cells of which nothing ran are pale.</p>\n", to);
	}
	if (r->totals.regions <= MAPS_MAX) {
		for (size_t i = 0; i < r->nresults; i++)
			for (uint32_t j = 0; j < r->results[i]->nregions; j++)
				put_map(r, r->results[i], &r->results[i]->regions[j], to);
		return;
	}
	n = worst_regions(r->results, r->nresults, false, worst, MAPS_MAX);
	if (n < MAPS_MAX / 2)		/* little is undecoded: the rest of the room is for what leaves most */
		n += worst_regions(r->results, r->nresults, true, worst + n, MAPS_MAX / 2);
	fprintf(to, "<p class=\"q\">%" PRIu64 " regions are too many for one page; these are the %zu worst. JSON has the map of every one.</p>\n",
		r->totals.regions, n);
	for (size_t i = 0; i < n; i++)
		put_map(r, worst[i].file, worst[i].region, to);
}

static void put_worst(const struct report *r, FILE *to)
{
	struct worst worst[WORST];

	for (unsigned int by_leaves = 0; by_leaves < 2; by_leaves++) {
		size_t n = worst_regions(r->results, r->nresults, by_leaves, worst, WORST);

		fprintf(to, "<h2>Worst places: %s</h2>\n", by_leaves ? "most ways out into the monitor" : "most bytes not decoded");
		if (!n) {
			fputs("<p>None.</p>\n", to);
			continue;
		}
		fprintf(to, "<table><tr><th>file</th><th>region</th><th class=\"n\">%s</th><th class=\"n\">of bytes</th><th class=\"n\">share</th></tr>\n",
			by_leaves ? "instructions" : "bytes");
		for (size_t i = 0; i < n; i++) {
			fputs("<tr>", to);
			cell_text(worst[i].file->path, to);
			cell_text(worst[i].region->name, to);
			cell_number(worst[i].weight, to);
			cell_number(worst[i].region->nbytes, to);
			cell_share(worst[i].weight, worst[i].region->nbytes, to);
			fputs("</tr>\n", to);
		}
		fputs("</table>\n", to);
	}
}

static void put_insns(const struct report *r, FILE *to)
{
	fputs("<h2>Instructions</h2><table><tr><th>instruction</th><th class=\"n\">mode</th><th>class</th><th>rewriting</th>"
	      "<th class=\"n\">count</th><th class=\"n\">bytes</th><th>why</th></tr>\n", to);
	for (size_t i = 0; i < r->nlines; i++) {
		const struct insn_line *l = &r->lines[i];

		fputs("<tr>", to);
		cell_text(l->mnemonic, to);
		cell_number(l->mode, to);
		cell_text(l->klass, to);
		cell_text(l->rewriting, to);
		cell_number(l->insns, to);
		cell_number(l->bytes, to);
		cell_text(l->reason, to);
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
}

static void put_findings(const struct report *r, FILE *to)
{
	uint64_t all = 0, shown = 0;
	char a[32];

	fputs("<h2>Undefined, refused, unsupported</h2><table>\n", to);
	for (unsigned int k = 0; k < FINDING_NR; k++) {
		all += r->totals.findings[k];
		fputs("<tr>", to);
		cell_text(finding_name(k), to);
		cell_number(r->totals.findings[k], to);
		cell_text(finding_meaning(k), to);
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
	if (!all)
		return;
	fputs("<table><tr><th>file</th><th>region</th><th class=\"n\">address</th><th class=\"n\">mode</th><th>what</th><th>bytes</th></tr>\n", to);
	for (size_t i = 0; i < r->nresults; i++)
		for (uint32_t j = 0; j < r->results[i]->nfindings && shown < FINDINGS_MAX; j++, shown++) {
			const struct finding *f = &r->results[i]->findings[j];

			fputs("<tr>", to);
			cell_text(r->results[i]->path, to);
			cell_text(r->results[i]->regions[f->region].name, to);
			fprintf(to, "<td class=\"n\"><code>%" PRIx64 "</code></td><td class=\"n\">%u</td><td>%s %s</td><td><code>", f->address,
				f->mode, finding_name(f->kind), f->kind == FINDING_UNSUPPORTED ? prescan_row_mnemonic(f->row) : "");
			report_hex(f->bytes, f->nbytes, " ", to);
			fputs("</code></td></tr>\n", to);
		}
	fputs("</table>\n", to);
	if (shown < all)
		fprintf(to, "<p class=\"q\">... and %s more.</p>\n", report_commas(all - shown, a));
}

static void put_troubles(const struct report *r, FILE *to)
{
	bool any = false;

	for (size_t i = 0; i < r->nresults; i++) {
		const struct file_result *f = r->results[i];

		if (f->verdict != IMAGE_BAD && f->verdict != IMAGE_FOREIGN)
			continue;
		if (!any)
			fputs("<h2>Files that were not scanned whole</h2><table>\n", to);
		any = true;
		fputs("<tr>", to);
		cell_text(f->path, to);
		cell_text(f->why, to);
		fputs("</tr>\n", to);
	}
	if (any)
		fputs("</table>\n", to);
}

void report_html(const struct report *r, FILE *to)
{
	fputs(head, to);
	if (r->coverage)
		coverage_html(r->coverage, to);
	if (r->nresults) {
		put_summary(r, to);
		put_maps(r, to);
	}
	if (r->nresults) {
		put_worst(r, to);
		put_insns(r, to);
		put_findings(r, to);
		put_troubles(r, to);
	}
	fputs("<script>\nconst COLOUR=[", to);
	for (unsigned int c = 0; c < COVER_NR; c++)
		fprintf(to, "%s'%s'", c ? "," : "", colours[c]);
	fputs("],NAME=[", to);
	for (unsigned int c = 0; c < COVER_NR; c++)
		fprintf(to, "%s'%s'", c ? "," : "", cover_name(c));
	fputs("],RANCOLOUR=[", to);
	for (unsigned int k = 0; k < RAN_NR; k++)
		fprintf(to, "%s'%s'", k ? "," : "", coverage_colour(k));
	fputs("],RANNAME=[", to);
	for (unsigned int k = 0; k < RAN_NR; k++)
		fprintf(to, "%s'%s'", k ? "," : "", ran_name(k));
	fputs("];\n</script>\n", to);
	fputs(script, to);
	fputs("</body></html>\n", to);
}
