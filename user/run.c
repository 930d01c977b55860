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
#include "user/display.h"
#include "user/event_loop.h"
#include "user/say.h"
#include "user/screenshot.h"
#include "user/stats.h"
#include "user/terminal.h"

struct run {
	struct run_options options;
	struct machine machine;
	struct processor cpu;
	struct event_loop loop;
	struct stats stats;
	char why[WHY_BYTES];
};

static int failed(const struct run *run)
{
	say("%s", run->why);
	return STATUS_FAILED;
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
	if (take_terminal(run))
		return failed(run);
	err = processor_start(&run->cpu, &run->machine);
	if (err) {
		terminal_restore();
		display_curses_stop();
		say("no thread for the processor: %s", strerror(-err));
		return STATUS_FAILED;
	}
	event_loop_run(&run->loop);
	display_curses_stop();
	machine_tell_host_error(&run->machine);
	if (run->loop.stuck && !atomic_load(&run->cpu.done)) {
		/* The thread is still in the machine: nothing may be taken from under it. */
		machine_flush_disks(&run->machine, run->why, sizeof(run->why));
		terminal_restore();
		say("the processor did not stop in time; left without it");
		_exit(run->loop.signal ? 128 + run->loop.signal : STATUS_FAILED);
	}
	pthread_join(run->cpu.thread, NULL);
	terminal_restore();
	return finish(run);
}

int command_run(int argc, char **argv)
{
	static struct run run;		/* large, and there is one */
	int status;

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
