/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/trace_record.h - the thread that takes trace records from the machine while it runs.
 *
 *      processor --records--> ring in shared memory --> [this thread] --> filter --> file
 *                --sums, sites--> tables in shared memory --> [this thread] --> live profile; at the end: profile, summary
 */
#ifndef USER_TRACE_RECORD_H
#define USER_TRACE_RECORD_H

#include <pthread.h>
#include <stdatomic.h>

#include "plexus/plexus.h"
#include "user/trace_file.h"
#include "user/trace_options.h"
#include "user/trace_profile.h"

struct trace_recorder {
	struct trace_options *options;	/* its filter remembers triggers */
	struct plx_vm *vm;
	const struct plx_sites *sites;	/* always kept; the profile's */
	struct plx_trace *trace;	/* NULL: nothing is traced */
	struct trace_writer writer;
	struct trace_profile profile;
	uint64_t start_ns;
	uint64_t filtered;
	pthread_t thread;
	bool running, live;
	atomic_bool stop;
};

/* Between machine_build and the first run; does nothing if no trace is wanted. 0, or -errno with one sentence in @why. */
int trace_recorder_start(struct trace_recorder *t, struct trace_options *options, struct plx_vm *vm, const char *version,
			 const char *command, bool live_profile, char *why, size_t why_bytes);
/* The processor has stopped for good: the rest is taken, file and summary are written. 0, or -errno with one sentence in @why. */
int trace_recorder_finish(struct trace_recorder *t, char *why, size_t why_bytes);
/* Ticks of the TSC a second, measured since the start. */
uint64_t trace_recorder_rate(const struct trace_recorder *t);
/* The processor does not stop, and the process is about to: no file is left behind. */
void trace_recorder_abandon(struct trace_recorder *t);

#endif
