/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/escape.h - Ctrl-A, the key by which a person at the serial terminal speaks to Plexus and not to the guest.
 *
 *      PLAIN --Ctrl-A--> ESCAPED --any key--> PLAIN
 */
#ifndef USER_ESCAPE_H
#define USER_ESCAPE_H

#include <stdbool.h>
#include <stdint.h>

#define ESCAPE_KEY 0x01

enum escape_action {
	ESCAPE_SEND,		/* the byte is the guest's */
	ESCAPE_NOTHING,		/* swallowed */
	ESCAPE_QUIT,
	ESCAPE_HELP,
	ESCAPE_POWER_BUTTON,
	ESCAPE_SCREENSHOT,
};

struct escape {
	bool escaped;		/* Ctrl-A was the byte before */
};

enum escape_action escape_feed(struct escape *escape, uint8_t byte);
extern const char escape_help[];

#endif
