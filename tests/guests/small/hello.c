/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/small/hello.c - the library itself: output, catching, user mode. */
#include "guest.h"

static void user(void)
{
	print("at CPL 3\n");
	TRY("cli");
	show("cli");
}

void guest_main(void)
{
	print("hello %d %u %08x %s %c\n", -5, 5u, 0xabcdefu, "text", 'c');
	TRY("ud2");
	show("ud2");
	TRY("nop");
	show("nop");
	run_user(user);
	print("back at CPL 0\n");
}
