/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/run.c - `plexus run`: options, machine, two threads, and an orderly end.
 *
 *      main thread:      build --> event loop ------------------------> end
 *      processor thread:           plx_vcpu_run ... plx_vcpu_run --> done
 *
 * Asked by:  user/command.c. Read next: user/machine.c, user/event_loop.c.
 * Tested by: tests/unit/test_run.c, against an engine made for it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "user/command.h"
#include "user/coverage_record.h"
#include "user/display.h"
#include "user/event_loop.h"
#include "user/host_files.h"
#include "user/say.h"
#include "user/screenshot.h"
#include "user/stats.h"
#include "user/terminal.h"
#include "user/run.h"
#include "user/trace_record.h"

struct run {
	struct run_options options;
	struct machine machine;
	struct processor cpu;
	struct event_loop loop;
	struct stats stats;
	struct trace_recorder recorder;
	struct coverage_recorder coverage;
	struct run_figures *figures;	/* NULL: nobody compares */
	char command[4096];		/* as it was typed */
	char why[WHY_BYTES];
};

static int failed(const struct run *run)
{
	say("%s", run->why);
	return STATUS_FAILED;
}

/* What is written at the end only: a slip in a name is to be told before hours of running. The others are opened at the start. */
static int check_results(struct run *run)
{
	const char *path[] = { run->options.screenshot, run->options.stats_json, run->options.trace.summary_json, run->options.coverage };

	for (size_t i = 0; i < PLX_ARRAY_SIZE(path); i++)
		if (path[i] && host_file_check(path[i], run->why, sizeof(run->why)))
			return -1;
	return 0;
}

/* Terminal or display, as the options say. 0 or -errno and run->why. */
static int take_terminal(struct run *run)
{
	const struct run_options *o = &run->options;

	if (o->display == DISPLAY_CURSES)
		return event_loop_start_display(&run->loop, run->why, sizeof(run->why));
	/* Not a terminal is no error: input then comes from a pipe or a file. */
	if (o->serial == SERIAL_STDIO)
		terminal_raw(STDIN_FILENO);
	return 0;
}

static int write_statistics(struct run *run)
{
	struct stats *stats = &run->stats;
	struct plx_stat counters[STATS_MAX];
	struct host_new_file file;
	size_t n;

	if (!run->options.stats && !run->options.stats_json)
		return STATUS_OK;
	stats_times(stats, run->machine.shared->start_ns);
	n = plx_vm_stats(run->machine.vm, counters, STATS_MAX);
	stats_add(stats, counters, plx_min64(n, STATS_MAX));
	n = pc_stats(run->machine.pc, counters, STATS_MAX);
	stats_add(stats, counters, plx_min64(n, STATS_MAX));

	if (run->options.stats)
		stats_print(stats, stderr);
	if (!run->options.stats_json)
		return STATUS_OK;
	if (host_file_create(&file, run->options.stats_json, run->why, sizeof(run->why)))
		return failed(run);
	stats_print_json(stats, plexus_version, file.stream);
	return host_file_commit(&file, run->why, sizeof(run->why)) ? failed(run) : STATUS_OK;
}

static uint64_t counter(const struct plx_stat *stat, size_t n, const char *group, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(stat[i].group, group) && !strcmp(stat[i].name, name))
			return stat[i].value;
	return 0;
}

/* For run_measured. The recorder's thread still runs; the processor does not. */
static void take_figures(struct run *run)
{
	const struct plx_trace *trace = run->recorder.trace;
	struct run_figures *to = run->figures;
	struct plx_stat stat[STATS_MAX];
	size_t n = plx_min64(plx_vm_stats(run->machine.vm, stat, STATS_MAX), STATS_MAX);

	to->callouts = counter(stat, n, "nexus", "callouts");
	to->signals = counter(stat, n, "signal", "all faults");
	to->interpreted = counter(stat, n, "interpreter", "instructions interpreted");
	to->gate = counter(stat, n, "nexus", "done behind the gate of INT3");
	for (unsigned int row = 0; trace && row < PLX_TRACE_ROWS; row++) {
		unsigned int klass = trace->sums->klass[row] % PRESCAN_NR_CLASSES;

		to->inlined += trace->sums->sum[row][PLX_TRACE_INLINE].count;
		for (unsigned int how = PLX_TRACE_INLINE + 1; how < PLX_TRACE_HOWS; how++) {
			to->count[klass] += trace->sums->sum[row][how].count;
			to->ticks[klass] += trace->sums->sum[row][how].cost;
		}
	}
	to->tsc_hz = trace_recorder_rate(&run->recorder);
	to->complete = true;
}

/* What the end means to whoever started us. */
static int verdict(const struct run *run)
{
	const struct processor *cpu = &run->cpu;

	switch (cpu->exit) {
	case PLX_EXIT_TRIPLE_FAULT:
		say("the guest's processor stopped with a triple fault (--on-triple-fault=reset would start it again):\n%s",
		    cpu->why);
		return STATUS_FAILED;
	case PLX_EXIT_ERROR:
		say("%s", cpu->why);
		return STATUS_FAILED;
	default:
		if (cpu->triple_faults)
			say("the guest was reset %u times after a triple fault", cpu->triple_faults);
		if (run->loop.signal && !pc_powered_off(run->machine.pc))
			return 128 + run->loop.signal;
		return run->machine.nothing_to_start ? STATUS_FAILED : STATUS_OK;
	}
}

/* The processor has stopped: bring home what it made. */
static int finish(struct run *run)
{
	struct machine *m = &run->machine;
	int status = STATUS_OK, end;

	if (run->options.screenshot && screenshot_write(m->pc, run->options.screenshot, run->why, sizeof(run->why)))
		status = failed(run);
	if (machine_flush_disks(m, run->why, sizeof(run->why)))
		status = failed(run);
	outlet_finish(&m->serial, OUTPUT_PATIENCE_MS);
	outlet_finish(&m->debug, OUTPUT_PATIENCE_MS);
	if (run->figures)
		take_figures(run);
	if (trace_recorder_finish(&run->recorder, run->why, sizeof(run->why)))
		status = failed(run);
	if (coverage_recorder_finish(&run->coverage, run->why, sizeof(run->why)))
		status = failed(run);
	if (write_statistics(run))
		status = STATUS_FAILED;
	end = verdict(run);
	return end ? end : status;
}

static int run_machine(struct run *run)
{
	int err;

	/* Told before the terminal is taken; the firmware says it too, but on the screen alone. */
	if (run->machine.nothing_to_start)
		say("%s has no boot sector (it does not end in 55h AAh), so the firmware finds nothing to start; "
		    "the machine runs on as a PC would, until Ctrl-A x or a signal ends it", run->options.disk[0]);
	if (coverage_recorder_start(&run->coverage, run->options.coverage, run->machine.vm, run->options.rewrite, plexus_version, run->command,
				    run->why, sizeof(run->why)))
		return failed(run);
	/* On the terminal where the guest's serial port is, a table that moves would be in the way. */
	if (trace_recorder_start(&run->recorder, &run->options.trace, run->machine.vm, plexus_version, run->command,
				 isatty(STDERR_FILENO) && run->options.serial != SERIAL_STDIO && run->options.display == DISPLAY_NONE,
				 run->why, sizeof(run->why)))
		return failed(run);
	if (take_terminal(run)) {
		trace_recorder_abandon(&run->recorder);
		return failed(run);
	}
	err = processor_start(&run->cpu, &run->machine);
	if (err) {
		trace_recorder_abandon(&run->recorder);
		terminal_restore();
		display_curses_stop();
		say("no thread for the processor: %s; raise the limit of processes (ulimit -u)", strerror(-err));
		return STATUS_FAILED;
	}
	event_loop_run(&run->loop);
	display_curses_stop();
	machine_tell_host_error(&run->machine);
	if (run->loop.stuck && !atomic_load(&run->cpu.done)) {
		/* The thread is still in the machine: nothing may be taken from under it. */
		machine_flush_disks(&run->machine, run->why, sizeof(run->why));
		terminal_restore();
		trace_recorder_abandon(&run->recorder);
		/* It may still be writing there; what it has written is true. */
		if (coverage_recorder_finish(&run->coverage, run->why, sizeof(run->why)))
			say("%s", run->why);
		say("the processor did not stop in time; left without it");
		_exit(run->loop.signal ? 128 + run->loop.signal : STATUS_FAILED);
	}
	pthread_join(run->cpu.thread, NULL);
	terminal_restore();
	return finish(run);
}

/* The words of a command line with blanks between them, quoted where a shell would need it. */
static void join_words(char *to, size_t room, int argc, char **argv)
{
	size_t n = 0;

	for (int i = 0; i < argc && n < room; i++) {
		bool quote = !*argv[i] || strpbrk(argv[i], " \t\n'\"\\$`*?;&|<>()");

		n += (size_t)snprintf(to + n, room - n, quote ? "%s'%s'" : "%s%s", i ? " " : "", argv[i]);
	}
}

static int run_with(int argc, char **argv, int told_argc, char **told, struct run_figures *figures)
{
	static struct run run;		/* large, and there is one */
	int status;

	run.figures = figures;
	join_words(run.command, sizeof(run.command), told_argc, told);
	if (run_options_parse(argc, argv, &run.options, run.why, sizeof(run.why))) {
		say("%s", run.why);
		return STATUS_USAGE;
	}
	if (run.options.help) {
		fputs(run_options_help, stdout);
		return fflush(stdout) ? STATUS_FAILED : STATUS_OK;
	}
	if (!run.options.kernel && !run.options.ndisks && !run.options.firmware) {
		say("there is nothing to start; give a disk with --disk FILE or a kernel with --kernel FILE");
		return STATUS_USAGE;
	}
	if (check_results(&run))
		return failed(&run);
	terminal_guard_fatal_signals();
	if (event_loop_init(&run.loop, &run.machine, &run.cpu)) {
		say("no descriptor for signals: %s", strerror(errno));
		return STATUS_FAILED;
	}
	if (machine_build(&run.machine, &run.options, run.why, sizeof(run.why)))
		status = failed(&run);
	else
		status = run_machine(&run);
	machine_close(&run.machine);
	event_loop_close(&run.loop);
	return status;
}

int run_command(int argc, char **argv, int told_argc, char **told)
{
	return run_with(argc, argv, told_argc, told, NULL);
}

int run_measured(int argc, char **argv, struct run_figures *figures)
{
	return run_with(argc, argv, argc, argv, figures);
}

int command_run(int argc, char **argv)
{
	return run_command(argc, argv, argc, argv);
}
