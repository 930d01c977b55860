/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/event_loop.h - everything that happens to a running machine from the outside: time, keys, output, signals. */
#ifndef USER_EVENT_LOOP_H
#define USER_EVENT_LOOP_H

#include "user/escape.h"
#include "user/machine.h"
#include "user/processor.h"

#define INPUT_BYTES 256

struct event_loop {
	struct machine *machine;
	struct processor *cpu;
	int signal_fd;

	/* input on its way to COM1: bytes [input_at, input_end) wait for room in the UART */
	uint8_t input[INPUT_BYTES];
	unsigned int input_at, input_end;
	bool input_open;
	bool keys;			/* input is a terminal's: Ctrl-A means something */
	struct escape escape;

	bool output_hot;		/* bytes came a moment ago: look again soon instead of being woken for each */
	bool serial_full, debug_full;	/* the descriptor took no more: wait until it is writable */
	uint64_t next_refresh_ns;	/* of the display, guest time */

	int signal;			/* the signal that asked us to end; 0: none */
	uint64_t stop_ns;		/* when the processor was asked to stop; 0: it was not */
	bool stuck;			/* ... and it does not */
};

/* Blocks the signals that the loop reads from a descriptor. Before any thread is created. 0 or -errno. */
int event_loop_init(struct event_loop *loop, struct machine *machine, struct processor *cpu);
/* Until the processor is done, or stuck. */
void event_loop_run(struct event_loop *loop);
/* Takes the terminal for --display curses. 0, or -errno with one sentence in @why. */
int event_loop_start_display(struct event_loop *loop, char *why, size_t why_bytes);
void event_loop_close(struct event_loop *loop);

#endif
