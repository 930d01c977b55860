/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host/stats.c - the engine's numbers under the names that --stats shows, for both hosts.
 *
 * Asked by:  host/vm.c. Asks: monitor/stats.h, the table; prescan, for mnemonics.
 * Tested by: tests/unit/test_engine_stats.c.
 */
#include <string.h>

#include "host/stats.h"
#include "monitor/stats.h"
#include "prescan/prescan.h"

enum kind { COUNT, TICKS, HIDDEN };

static const struct {
	const char *group, *name;
	enum kind kind;
} row_of[ENGINE_STAT_NR] = {
#define NAME_ROW(id, group, name, kind, value) [ENGINE_STAT_##id] = { group, name, kind },
	[ENGINE_STAT_BEFORE_PAIRS] = { NULL, NULL, HIDDEN },
	ENGINE_STATS(NAME_ROW)
#undef NAME_ROW
};

/* Callouts by class and instruction; forms of one instruction together. */
static const char *const callout_group[PRESCAN_NR_CLASSES] = {
	[PRESCAN_REFUSE] = "callout: undefined",
	[PRESCAN_PLAIN] = "callout: plain (device memory, stores beside code)",
	[PRESCAN_FPU] = "callout: x87, SIMD",
	[PRESCAN_BRANCH] = "callout: near branch in 16-bit code",
	[PRESCAN_FAR] = "callout: far transfer",
	[PRESCAN_SEG_LOAD] = "callout: segment load",
	[PRESCAN_SEG_STORE] = "callout: segment store",
	[PRESCAN_FLAGS] = "callout: flags",
	[PRESCAN_TABLE] = "callout: tables",
	[PRESCAN_SYSTEM] = "callout: system",
	[PRESCAN_ID] = "callout: identification",
	[PRESCAN_PORT] = "callout: port",
	[PRESCAN_STRING_PORT] = "callout: string port",
	[PRESCAN_UD] = "callout: UD",
};

struct list {
	struct plx_stat *out;
	size_t max, n;
};

static void add(struct list *list, const char *group, const char *name, uint64_t value)
{
	if (list->n < list->max)
		list->out[list->n] = (struct plx_stat){ group, name, value };
	list->n++;
}

/* What stands before the pairs, by number; 0 for what a module of yesterday does not count yet. */
static uint64_t fixed(const uint64_t *values, size_t nfixed, enum engine_stat which)
{
	return which < nfixed ? values[which] : 0;
}

static void add_class(struct list *list, const uint64_t *pairs, size_t npairs, unsigned int klass, bool same_rows)
{
	size_t first = list->n;

	for (size_t i = 0; i < npairs; i++) {
		uint32_t row = ENGINE_STAT_ROW(pairs[2 * i]);
		/* A module of another release may number its rows otherwise: then only the class is sure. */
		const char *name = same_rows && row < prescan_nr_rows() ? prescan_row_mnemonic(row) : "all";
		size_t at = first;

		if (ENGINE_STAT_CLASS(pairs[2 * i]) != klass)
			continue;
		while (at < list->n && at < list->max && strcmp(list->out[at].name, name))
			at++;
		if (at < list->n && at < list->max)
			list->out[at].value += pairs[2 * i + 1];
		else
			add(list, callout_group[klass], name, pairs[2 * i + 1]);
	}
}

size_t stats_name_values(const uint64_t *values, size_t nvalues, const struct stat_rate *rate, struct plx_stat *out, size_t max)
{
	struct list list = { .out = out, .max = max };
	size_t nfixed = nvalues ? (size_t)plx_min64(values[ENGINE_STAT_BEFORE_PAIRS], nvalues) : 0;
	uint64_t counted = fixed(values, nfixed, ENGINE_STAT_COUNTED_INSNS);
	uint64_t interpreted = fixed(values, nfixed, ENGINE_STAT_INTERPRETED);
	bool same_rows = fixed(values, nfixed, ENGINE_STAT_ROWS) == prescan_nr_rows();

	if (!nfixed)
		return 0;
	for (size_t i = 0; i < ENGINE_STAT_NR && i < nfixed; i++) {
		uint64_t value = values[i];

		if (row_of[i].kind == HIDDEN)
			continue;
		if (row_of[i].kind == TICKS)
			value = rate->ticks ? (uint64_t)((unsigned __int128)value * rate->ns / rate->ticks) : 0;
		add(&list, row_of[i].group, row_of[i].name, value);
	}
	/* From decoding to code that may be chained to, page walks and write protection included. */
	if (fixed(values, nfixed, ENGINE_STAT_GUEST_INSNS) && rate->ticks)
		add(&list, "code", "translation, ns an instruction",
		    (uint64_t)((unsigned __int128)fixed(values, nfixed, ENGINE_STAT_TRANSLATION) * rate->ns / rate->ticks /
			       fixed(values, nfixed, ENGINE_STAT_GUEST_INSNS)));
	if (counted) {
		add(&list, "interpreter", "instructions run", counted + interpreted);
		add(&list, "interpreter", "interpreted, of a million", interpreted * 1000000 / (counted + interpreted));
	}
	for (unsigned int k = 0; k < PRESCAN_NR_CLASSES; k++)
		add_class(&list, values + nfixed, (nvalues - nfixed) / 2, k, same_rows);
	return list.n;
}
