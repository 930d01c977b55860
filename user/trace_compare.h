/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/trace_compare.h - `plexus trace --compare`: the same machine under each way of rewriting, and what each costs. */
#ifndef USER_TRACE_COMPARE_H
#define USER_TRACE_COMPARE_H

/* @list: "int3,farcall,adaptive". @until: a run ends when this stands on the serial port; NULL: when the guest powers off.
 * @argv[0] is the subcommand, the rest are options of `plexus run`. The exit status; what is wrong has been said. */
int trace_compare(const char *list, const char *until, int argc, char **argv);

#endif
