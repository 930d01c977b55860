/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/display.h - the screen and keyboard of the machine in a terminal.
 *
 * Asked by: user/run.c and its event loop. Asks: devices/pc.h (pc_text_screen, pc_key_scancode), ncursesw.
 * Threads:  start, refresh and stop from one thread, the event loop's. restore from anywhere.
 */
#ifndef USER_DISPLAY_H
#define USER_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>

struct pc;

struct display_config {
	struct pc *pc;
	void (*quit)(void *owner);	/* Ctrl-A x: the user wants to leave; must only ask for it, not free things */
	void (*screenshot)(void *owner);	/* Ctrl-A s; NULL: the key does nothing */
	void *owner;
};

#define DISPLAY_REFRESH_MS 33

/* Takes the terminal over. 0, or -errno with one sentence in @error (no terminal: -ENOTTY). */
int display_curses_start(const struct display_config *config, char *error, size_t nbytes);

/*
 * One turn: reads what was typed (never blocks), sends scan codes, redraws what changed. Call it about every
 * DISPLAY_REFRESH_MS, and also when standard input is readable. Scan codes the keyboard had no room for
 * are kept and sent in a later turn.
 */
void display_curses_refresh(void);

/* Gives the terminal back, in order. Harmless when not started. */
void display_curses_stop(void);

/*
 * The same for fatal signals: async-signal-safe (tcsetattr and write only), idempotent, harmless when not started. After it, the
 * terminal is usable; call it from the handler, then raise the signal again.
 */
void display_curses_restore(void);

#endif
