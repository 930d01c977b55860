/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * include/plexus/errors.h - the error numbers of freestanding code, under names of its own.
 *
 * The numbers are Linux's, so that a value may go through an ioctl as it is. <errno.h> and <linux/errno.h> are not for code that is
 * built for both worlds. Functions return them negative.
 */
#ifndef PLEXUS_ERRORS_H
#define PLEXUS_ERRORS_H

#define PLX_ENOENT	2	/* what was named is not there */
#define PLX_ENOMEM	12	/* no page to be had now; nothing has changed */
#define PLX_EBUSY	16	/* it is there, and in use */
#define PLX_EEXIST	17	/* something is there already */
#define PLX_EINVAL	22	/* misaligned, out of range, unknown flag */
#define PLX_ENOSPC	28	/* a fixed number of places, all taken */
#define PLX_EALREADY	114	/* done before: a page given back twice */

#endif
