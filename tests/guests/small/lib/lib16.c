/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/small/lib/lib16.c - the frame around a real-mode guest's guest_main(). */
#include "guest.h"

void guest_start16(void);

void guest_start16(void)
{
	print("BEGIN %s\n", guest_name);
	guest_main();
	end();
}
