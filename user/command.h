/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/command.h - the subcommands of `plexus`. Each returns the exit status; argv[0] is the subcommand's own name. */
#ifndef USER_COMMAND_H
#define USER_COMMAND_H

/* The whole command: what main() calls, and tests. */
int plexus_main(int argc, char **argv);

int command_run(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_prescan(int argc, char **argv);

extern const char plexus_version[];

#endif
