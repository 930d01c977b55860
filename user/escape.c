/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/escape.c - the two states of escape.h. Tested by tests/unit/test_run.c. */
#include "user/escape.h"

const char escape_help[] =
	"\r\nPlexus: Ctrl-A and then\r\n"
	"  x       leave, as if the plug were pulled\r\n"
	"  p       press the power button\r\n"
	"  s       write the screenshot now (--screenshot)\r\n"
	"  h       this text\r\n"
	"  Ctrl-A  send Ctrl-A itself\r\n";

enum escape_action escape_feed(struct escape *escape, uint8_t byte)
{
	if (!escape->escaped) {
		if (byte != ESCAPE_KEY)
			return ESCAPE_SEND;
		escape->escaped = true;
		return ESCAPE_NOTHING;
	}
	escape->escaped = false;
	switch (byte) {
	case ESCAPE_KEY: return ESCAPE_SEND;
	case 'x': case 'X': return ESCAPE_QUIT;
	case 'h': case 'H': case '?': return ESCAPE_HELP;
	case 'p': case 'P': return ESCAPE_POWER_BUTTON;
	case 's': case 'S': return ESCAPE_SCREENSHOT;
	default: return ESCAPE_NOTHING;
	}
}
