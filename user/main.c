/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/main.c - the door. Everything behind it is in libuser.a, where tests can reach it. Read next: user/command.c. */
#include "user/command.h"

int main(int argc, char **argv)
{
	return plexus_main(argc, argv);
}
