/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/terminal.h - the terminal in raw mode, and given back whatever happens.
 *
 * Between terminal_raw() and terminal_restore() every key goes to the guest, Ctrl-C and Ctrl-Z too. It is given back at exit(), at
 * a fatal signal (SIGSEGV and its kind, SIGABRT), and by whoever handles the others and calls terminal_restore().
 */
#ifndef USER_TERMINAL_H
#define USER_TERMINAL_H

#include <stdbool.h>

/* 0, or -errno: -ENOTTY when @fd is no terminal. A background job's terminal is left alone until terminal_resume(). */
int terminal_raw(int fd);
/* Async-signal-safe, idempotent, harmless when nothing was changed. */
void terminal_restore(void);
/* After SIGCONT: raw again, if it was before and we are in the foreground. */
void terminal_resume(void);

/* Restores terminal and display on fatal signals, then lets the signal kill us as it would have. */
void terminal_guard_fatal_signals(void);

#endif
