/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/terminal.c - raw mode and back.
 *
 * Asked by:  user/event_loop.c and user/run.c. Asks: termios.
 * State:     file-scope, for signal handlers have no argument of ours: written by the event loop's thread alone.
 * Tested by: tests/unit/test_run.c, on a pseudo-terminal.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "plexus/base.h"
#include "user/display.h"
#include "user/terminal.h"

static struct termios before;		/* as we found it */
static int terminal_fd = -1;		/* -1: terminal_raw() was never called with success */
static volatile sig_atomic_t raw;	/* the terminal is changed at this moment */
static pid_t owner;			/* forked host processes of the engine must leave it alone */

static const int fatal_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };

void terminal_restore(void)
{
	int saved_errno = errno;

	if (raw && getpid() == owner) {
		raw = 0;
		tcsetattr(terminal_fd, TCSANOW, &before);
	}
	errno = saved_errno;
}

void terminal_resume(void)
{
	struct termios mode;

	/* Changing the terminal from the background would stop us again (SIGTTOU), and take it from the shell. */
	if (terminal_fd < 0 || raw || tcgetpgrp(terminal_fd) != getpgrp())
		return;
	mode = before;
	mode.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
	/* OPOST stays: our own lines end in "\n" alone, and the guest's "\r\n" suffers no harm. */
	mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	mode.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
	mode.c_cflag |= CS8;
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	raw = 1;			/* first: a signal in between restores what is still so */
	if (tcsetattr(terminal_fd, TCSANOW, &mode) < 0)
		raw = 0;
}

int terminal_raw(int fd)
{
	static bool at_exit;

	if (tcgetattr(fd, &before) < 0)
		return -errno;
	terminal_fd = fd;
	owner = getpid();
	if (!at_exit && atexit(terminal_restore) == 0)
		at_exit = true;
	terminal_resume();
	return 0;
}

static void on_fatal_signal(int sig)
{
	terminal_restore();
	display_curses_restore();
	signal(sig, SIG_DFL);
	raise(sig);			/* delivered when this handler returns, with the core dump people may want */
}

void terminal_guard_fatal_signals(void)
{
	struct sigaction action = { .sa_handler = on_fatal_signal };

	for (size_t i = 0; i < PLX_ARRAY_SIZE(fatal_signals); i++) {
		struct sigaction old;

		/* What somebody (a debugger, a sanitizer) has already claimed stays theirs. */
		if (sigaction(fatal_signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(fatal_signals[i], &action, NULL);
	}
}
