/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_record.c - see trace_record.h.
 *
 * The thread looks every few milliseconds and is never woken: the processor pays for a record with a copy of 64 bytes and nothing else.
 * The ring holds more than what a few milliseconds can bring; when it is full all the same, the processor sleeps, and is woken here.
 *
 * Asked by:  run.c. Asks: trace_file.c, trace_filter.c, trace_tally.c, trace_profile.c.
 * Tested by: tests/unit/test_trace_record.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "prescan/prescan.h"
#include "user/say.h"
#include "user/trace_record.h"
#include "user/trace_tally.h"

#define LOOK_NS		2000000		/* so often is the ring looked at */
#define BATCH		2048u		/* room is given back after so many records */
#define SUMMARY_SITES	20u

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Ticks a second, from what has passed since the start; the longer ago, the more exact. */
static uint64_t tsc_rate(uint64_t start_tsc, uint64_t start_ns)
{
	uint64_t ns = clock_ns() - start_ns;

	return ns ? (uint64_t)((unsigned __int128)(__rdtsc() - start_tsc) * 1000000000u / ns) : 0;
}

/* ---- the thread ------------------------------------------------------------------------------------------ */

static void take_one(struct trace_recorder *t, const struct plx_trace_record *r)
{
	struct trace_filter *f = &t->options->filter;

	if (!trace_filter_pass(f, r, prescan_row_mnemonic(r->row))) {
		t->filtered++;
		if (trace_filter_over(f)) {	/* nothing will pass any more: spare the processor the work */
			t->trace->control->class_mask = 0;
			t->trace->control->cpl_mask = 0;
		}
		return;
	}
	if (!t->writer.error && trace_writer_put(&t->writer, r))
		plx_vm_stop(t->vm);		/* a trace that cannot be written is told now, not after hours */
}

/* Everything that is in the ring. Return: whether there was anything. */
static bool take_all(struct trace_recorder *t)
{
	const struct plx_trace_ring *ring = t->trace->ring;
	struct plx_trace_control *control = t->trace->control;
	uint64_t tail = control->tail, head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
	bool any = head != tail;

	while (tail != head) {
		uint64_t stop = plx_min64(head, tail + BATCH);

		for (; tail != stop; tail++)
			take_one(t, &ring->record[tail & (t->trace->entries - 1)]);
		__atomic_store_n(&control->tail, tail, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&control->waiting, __ATOMIC_SEQ_CST)) {
			__atomic_store_n(&control->waiting, 0, __ATOMIC_SEQ_CST);
			syscall(SYS_futex, &control->tail, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
		}
	}
	return any;
}

uint64_t trace_recorder_rate(const struct trace_recorder *t)
{
	return tsc_rate(t->writer.totals.start_tsc, t->start_ns);
}

static void draw(struct trace_recorder *t)
{
	uint64_t hz = trace_recorder_rate(t);

	if (hz)
		trace_profile_draw(&t->profile, t->sites, clock_ns(), hz, stderr);
}

static void *recorder_thread(void *argument)
{
	struct trace_recorder *t = argument;
	const struct plx_trace_ring *ring = t->trace ? t->trace->ring : NULL;
	const struct timespec look = { .tv_nsec = ring ? LOOK_NS : 20000000 };
	uint64_t next_draw = 0;
	bool last;

	do {
		last = atomic_load(&t->stop);
		if (ring && take_all(t))
			;
		else if (!last)
			nanosleep(&look, NULL);
		plx_vm_trace_collect(t->vm);
		if (t->live && clock_ns() >= next_draw) {
			draw(t);
			next_draw = clock_ns() + PROFILE_PERIOD_MS * 1000000ull;
		}
	} while (!last);
	return NULL;
}

/* ---- start and end --------------------------------------------------------------------------------------- */

/* What the engine need not even record. Triggers want to see everything. */
static void narrow(struct plx_trace_control *control, const struct trace_filter *f)
{
	const struct trace_trigger *triggers[] = { &f->start, &f->stop };
	bool any = false;

	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(triggers); i++) {
		any |= triggers[i]->kind != TRIGGER_NONE;
		if (triggers[i]->kind == TRIGGER_ADDRESS && triggers[i]->value.first == triggers[i]->value.last)
			control->watch[control->nwatch++] = triggers[i]->value.first;
	}
	control->fills = f->event_mask >> PLX_TRACE_FILL & 1;
	if (any)
		return;
	control->class_mask = f->event_mask >> PLX_TRACE_INSN & 1 ? f->class_mask : 0;
	control->cpl_mask = f->cpl_mask;
}

int trace_recorder_start(struct trace_recorder *t, struct trace_options *o, struct plx_vm *vm, const char *version, const char *command,
			 bool live_profile, char *why, size_t why_bytes)
{
	const struct timespec moment = { .tv_nsec = 2000000 };
	const struct trace_header_text text = { .version = version, .command = command, .filter = o->filter.text };
	uint64_t start_tsc;
	int err;

	*t = (struct trace_recorder){ .options = o, .vm = vm };
	if (!trace_wanted(o))
		return 0;
	t->sites = plx_vm_sites(vm, o->profile);
	if (!t->sites) {
		snprintf(why, why_bytes, "%s", plx_vm_error(vm));
		return -EOPNOTSUPP;
	}
	t->live = o->profile && live_profile;
	t->start_ns = clock_ns();
	start_tsc = __rdtsc();
	t->writer.totals.start_tsc = start_tsc;
	if (o->file) {
		nanosleep(&moment, NULL);
		err = trace_writer_open(&t->writer, o->file, &text, start_tsc, tsc_rate(start_tsc, t->start_ns), why, why_bytes);
		if (err)
			return err;
	}
	if (trace_records_or_sums(o))
		t->trace = plx_vm_trace(vm, o->file ? TRACE_RING_ENTRIES : 0, !o->drop);
	if (trace_records_or_sums(o) && !t->trace) {
		snprintf(why, why_bytes, "%s", plx_vm_error(vm));
		err = -ENOMEM;
		goto discard;
	}
	if (o->file)
		narrow(t->trace->control, &o->filter);
	err = -pthread_create(&t->thread, NULL, recorder_thread, t);
	if (err) {
		snprintf(why, why_bytes, "no thread for the trace: %s", strerror(-err));
		goto discard;
	}
	t->running = true;
	return 0;
discard:
	if (o->file)
		trace_writer_discard(&t->writer);
	t->trace = NULL;
	return err;
}

static void join(struct trace_recorder *t)
{
	atomic_store(&t->stop, true);
	pthread_join(t->thread, NULL);
	t->running = false;
	trace_profile_free(&t->profile);
}

static int write_summary(struct trace_recorder *t, uint64_t hz, char *why, size_t why_bytes)
{
	const struct trace_options *o = t->options;
	struct trace_tally tally;
	struct host_new_file file;
	int err = trace_tally_live(&tally, t->trace, t->sites, hz);

	if (err) {
		snprintf(why, why_bytes, "out of memory for the trace's summary");
	} else if (o->summary) {
		fputc('\n', stderr);
		trace_tally_print(&tally, NULL, SUMMARY_SITES, stderr);
	}
	if (!err && o->summary_json)
		err = host_file_create(&file, o->summary_json, why, why_bytes);
	if (!err && o->summary_json) {
		trace_tally_json(&tally, NULL, PLX_SITES, file.stream);
		err = host_file_commit(&file, why, why_bytes);
	}
	trace_tally_free(&tally);
	return err;
}

int trace_recorder_finish(struct trace_recorder *t, char *why, size_t why_bytes)
{
	uint64_t hz;
	int err = 0;

	if (!t->running)
		return 0;
	join(t);
	plx_vm_trace_collect(t->vm);
	hz = trace_recorder_rate(t);
	if (t->options->file) {
		struct trace_totals *totals = &t->writer.totals;

		totals->end_tsc = __rdtsc();
		totals->tsc_hz = hz;
		totals->dropped = t->trace->ring->dropped;
		totals->filtered = t->filtered;
		if (totals->dropped)
			say("--trace-full=drop: %llu records did not fit and are missing in %s", (unsigned long long)totals->dropped,
			    t->options->file);
		err = trace_writer_close(&t->writer, why, why_bytes);
	}
	if (t->options->profile)
		trace_profile_print(t->sites, SUMMARY_SITES, hz, stderr);
	if (!err && (t->options->summary || t->options->summary_json))
		err = write_summary(t, hz, why, why_bytes);
	return err;
}

void trace_recorder_abandon(struct trace_recorder *t)
{
	if (!t->running)
		return;
	join(t);
	if (t->options->file)
		trace_writer_discard(&t->writer);
}
