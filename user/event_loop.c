/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/event_loop.c - one ppoll() in the main thread, beside the processor's.
 *
 *      standard input, pty --> bytes --> pc_serial_input        (kept here while the UART has no room)
 *      pc_deadline         --> pc_advance
 *      rings               --> standard output, files
 *      signals             --> plx_vm_stop, the shell's job control, a process of the machine that died
 *      display             --> a turn every 33 ms
 *
 * Asked by:  user/run.c. Asks: devices/pc.h (which locks the machine), user/ring.h, user/terminal.h, user/display.h.
 * Never:     blocks in a read or write: a slow reader of our output must not stop the guest's clock.
 * Tested by: tests/unit/test_run.c.
 */
#define _GNU_SOURCE			/* ppoll */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "user/display.h"
#include "user/event_loop.h"
#include "user/say.h"
#include "user/screenshot.h"
#include "user/terminal.h"

#define NS_PER_MS	1000000ull
#define HOT_NS		(2 * NS_PER_MS)		/* how long output may lie in a ring after the first bytes */
#define RETRY_NS	(2 * NS_PER_MS)		/* input that the UART had no room for */
#define STUCK_NS	(5 * DEV_NS_PER_S)	/* how long the processor may take to stop */
#define AGAIN_NS	(1 * DEV_NS_PER_S)	/* requests this close together are one: timeout(1) signals us and our group */

static const int loop_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGCHLD };

int event_loop_init(struct event_loop *loop, struct machine *machine, struct processor *cpu)
{
	sigset_t set;

	*loop = (struct event_loop){ .machine = machine, .cpu = cpu, .signal_fd = -1 };
	sigemptyset(&set);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(loop_signals); i++)
		sigaddset(&set, loop_signals[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);		/* a reader that went away is EPIPE, told in a sentence */
	signal(SIGXFSZ, SIG_IGN);		/* so is a file that may not grow (ulimit -f) */
	signal(SIGCHLD, SIG_DFL);		/* whoever started us may ignore it; then we would not learn of a child's end */
	loop->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (loop->signal_fd < 0)
		return -errno;
	/* Guest timers of 100 us are common; the kernel's habit of rounding up by 50 us would be seen. */
	prctl(PR_SET_TIMERSLACK, 1000);
	return 0;
}

void event_loop_close(struct event_loop *loop)
{
	if (loop->signal_fd >= 0)
		close(loop->signal_fd);
	loop->signal_fd = -1;
}

static void stop(struct event_loop *loop)
{
	uint64_t now = machine_now_ns(loop->machine);

	if (loop->stop_ns) {
		if (now >= loop->stop_ns + AGAIN_NS)
			loop->stuck = true;	/* asked twice: the person does not want to wait */
		return;
	}
	loop->stop_ns = now | 1;
	plx_vm_stop(loop->machine->vm);
}

/* ---- what a person asks for, by Ctrl-A in the terminal or in the display ------------------------ */

static void quit(void *loop)
{
	stop(loop);
}

static void screenshot_now(void *owner)
{
	struct event_loop *loop = owner;
	const char *path = loop->machine->options->screenshot;
	char why[WHY_BYTES];

	if (!path)
		say("no screenshot: --screenshot FILE.png was not given");
	else if (screenshot_write(loop->machine->pc, path, why, sizeof(why)))
		say("%s", why);
}

int event_loop_start_display(struct event_loop *loop, char *why, size_t why_bytes)
{
	const struct display_config config = {
		.pc = loop->machine->pc,
		.quit = quit,
		.screenshot = loop->machine->options->screenshot ? screenshot_now : NULL,
		.owner = loop,
	};

	return display_curses_start(&config, why, why_bytes);
}

/* ---- signals ---------------------------------------------------------------------------------- */

/* Ctrl-Z from outside (kill -TSTP): give the terminal back, really stop, and take it again when continued. */
static void suspend(struct event_loop *loop)
{
	bool curses = loop->machine->options->display == DISPLAY_CURSES;
	char why[WHY_BYTES];

	if (curses)
		display_curses_stop();
	terminal_restore();
	kill(getpid(), SIGSTOP);
	terminal_resume();
	if (curses && event_loop_start_display(loop, why, sizeof(why))) {
		say("%s", why);
		quit(loop);
	}
}

static void take_signals(struct event_loop *loop)
{
	struct signalfd_siginfo info;

	while (read(loop->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTSTP:
			suspend(loop);
			break;
		case SIGCONT:
			terminal_resume();
			break;
		case SIGCHLD:
			plx_vm_child_died(loop->machine->vm);
			break;
		default:
			loop->signal = (int)info.ssi_signo;
			stop(loop);
		}
	}
}

/* ---- input ------------------------------------------------------------------------------------ */

/* One byte from the terminal. Return true if it is the guest's. */
static bool for_guest(struct event_loop *loop, uint8_t byte)
{
	switch (escape_feed(&loop->escape, byte)) {
	case ESCAPE_SEND:
		return true;
	case ESCAPE_QUIT:
		quit(loop);
		return false;
	case ESCAPE_HELP:
		fputs(escape_help, stderr);
		return false;
	case ESCAPE_POWER_BUTTON:
		pc_power_button(loop->machine->pc);
		return false;
	case ESCAPE_SCREENSHOT:
		screenshot_now(loop);
		return false;
	default:
		return false;
	}
}

static void read_input(struct event_loop *loop)
{
	ssize_t n = read(loop->machine->serial_in, loop->input, sizeof(loop->input));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		loop->input_open = false;	/* end of file: the guest goes on without */
		return;
	}
	loop->input_at = 0;
	loop->input_end = (unsigned int)n;
	if (!loop->keys)
		return;
	loop->input_end = 0;
	for (ssize_t i = 0; i < n; i++)
		if (for_guest(loop, loop->input[i]))
			loop->input[loop->input_end++] = loop->input[i];
}

static void feed_input(struct event_loop *loop)
{
	while (loop->input_at < loop->input_end &&
	       pc_serial_input(loop->machine->pc, 0, loop->input[loop->input_at]))
		loop->input_at++;
}

static bool input_waits(const struct event_loop *loop)
{
	return loop->input_at < loop->input_end;
}

/* ---- output ----------------------------------------------------------------------------------- */

static bool has_bytes(const struct outlet *outlet)
{
	return outlet->ring && ring_used(outlet->ring);
}

static void drain(struct event_loop *loop)
{
	struct machine *m = loop->machine;

	loop->serial_full = m->serial.ring && outlet_drain(&m->serial) == OUTLET_FULL;
	loop->debug_full = m->debug.ring && outlet_drain(&m->debug) == OUTLET_FULL;
}

/*
 * Output comes a byte at a time, thousands in a row. The first byte wakes us; then we look again every HOT_NS without being
 * woken (the producer sees @poked set and saves the system call), until there was nothing to be seen.
 */
static void output_turn(struct event_loop *loop, bool woken)
{
	struct machine *m = loop->machine;
	uint64_t count;

	if (woken) {
		(void)!read(m->shared->output.fd, &count, sizeof(count));	/* @poked stays set */
		loop->output_hot = true;
	} else if (loop->output_hot && !has_bytes(&m->serial) && !has_bytes(&m->debug)) {
		loop->output_hot = false;
		atomic_store(&m->shared->output.poked, 0);
	}
	/* Also right after @poked was cleared: a byte that came in between poked nobody. */
	drain(loop);
}

/* ---- time ------------------------------------------------------------------------------------- */

static void sooner(uint64_t *when, uint64_t other)
{
	if (other < *when)
		*when = other;
}

/* Guest time at which there is something to do even if nothing comes in. */
static uint64_t next_turn(struct event_loop *loop, uint64_t now)
{
	uint64_t when = pc_deadline(loop->machine->pc);

	if (input_waits(loop))
		sooner(&when, now + RETRY_NS);
	if (loop->output_hot)
		sooner(&when, now + HOT_NS);
	if (loop->machine->options->display == DISPLAY_CURSES)
		sooner(&when, loop->next_refresh_ns);
	if (loop->stop_ns)
		sooner(&when, loop->stop_ns + STUCK_NS);
	return when;
}

static void refresh_display(struct event_loop *loop, uint64_t now, bool typed)
{
	if (loop->machine->options->display != DISPLAY_CURSES || (now < loop->next_refresh_ns && !typed))
		return;
	display_curses_refresh();
	loop->next_refresh_ns = now + DISPLAY_REFRESH_MS * NS_PER_MS;
}

/* ---- the loop --------------------------------------------------------------------------------- */

enum { POLL_SIGNAL, POLL_EVENTS, POLL_OUTPUT, POLL_INPUT, POLL_SERIAL, POLL_DEBUG, POLL_COUNT };

static void fill_poll(struct event_loop *loop, struct pollfd *p)
{
	struct machine *m = loop->machine;
	bool curses = m->options->display == DISPLAY_CURSES;

	p[POLL_SIGNAL] = (struct pollfd){ .fd = loop->signal_fd, .events = POLLIN };
	p[POLL_EVENTS] = (struct pollfd){ .fd = m->shared->events.fd, .events = POLLIN };
	p[POLL_OUTPUT] = (struct pollfd){ .fd = m->shared->output.fd, .events = POLLIN };
	p[POLL_INPUT] = (struct pollfd){ .fd = -1, .events = POLLIN };
	p[POLL_SERIAL] = (struct pollfd){ .fd = loop->serial_full ? m->serial.fd : -1, .events = POLLOUT };
	p[POLL_DEBUG] = (struct pollfd){ .fd = loop->debug_full ? m->debug.fd : -1, .events = POLLOUT };
	/* While bytes wait for the UART no more are read: whoever writes to us feels it, and nothing is lost. */
	if (curses)
		p[POLL_INPUT].fd = STDIN_FILENO;
	else if (loop->input_open && !input_waits(loop))
		p[POLL_INPUT].fd = m->serial_in;
}

static void turn(struct event_loop *loop)
{
	struct machine *m = loop->machine;
	struct pollfd p[POLL_COUNT];
	struct timespec timeout;
	uint64_t now = machine_now_ns(m), when;
	bool typed;

	if (pc_deadline(m->pc) <= now)
		pc_advance(m->pc, now);
	feed_input(loop);
	when = next_turn(loop, now);
	now = machine_now_ns(m);
	when = when > now ? when - now : 0;
	timeout.tv_sec = (time_t)plx_min64(when / DEV_NS_PER_S, 3600);
	timeout.tv_nsec = (long)(when % DEV_NS_PER_S);

	fill_poll(loop, p);
	if (ppoll(p, POLL_COUNT, &timeout, NULL) < 0)
		return;			/* EINTR: nothing was looked at */

	if (p[POLL_EVENTS].revents)
		wake_take(&m->shared->events);
	if (m->options->display == DISPLAY_NONE)	/* a display owns the terminal: told at the end */
		machine_tell_host_error(m);
	if (p[POLL_SIGNAL].revents)
		take_signals(loop);
	typed = p[POLL_INPUT].revents;
	if (typed && m->options->display == DISPLAY_NONE)
		read_input(loop);
	output_turn(loop, p[POLL_OUTPUT].revents);
	now = machine_now_ns(m);
	refresh_display(loop, now, typed);
	if (loop->stop_ns && now >= loop->stop_ns + STUCK_NS)
		loop->stuck = true;
}

void event_loop_run(struct event_loop *loop)
{
	struct machine *m = loop->machine;

	loop->input_open = m->serial_in >= 0;
	loop->keys = m->options->serial == SERIAL_STDIO && isatty(STDIN_FILENO);
	while (!atomic_load(&loop->cpu->done) && !loop->stuck)
		turn(loop);
}
