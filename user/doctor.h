/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/doctor.h - can this host run Plexus, and if not, what is to be done? */
#ifndef USER_DOCTOR_H
#define USER_DOCTOR_H

#include <stdbool.h>
#include <stdio.h>

/*
 * One line a check to @out: "ok", "warning" or "MISSING", then what was found, then what to do. @root is where /proc, /sys and
 * /usr are looked for: "" but in tests. Return: true if nothing essential is missing.
 */
bool doctor_examine(FILE *out, const char *root);

#endif
