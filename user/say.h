/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/say.h - one sentence to the person at the keyboard. */
#ifndef USER_SAY_H
#define USER_SAY_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "plexus/base.h"

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

/* "plexus: SENTENCE" on standard error. */
PLX_PRINTF(1, 2)
static inline void say(const char *fmt, ...)
{
	va_list args;

	fputs("plexus: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

#endif
