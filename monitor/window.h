/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/window.h - the window's layout: offsets from its base. Read by prescan, monitor and the hosts.
 */
#ifndef MONITOR_WINDOW_H
#define MONITOR_WINDOW_H

#define WINDOW_BYTES		0x04000000u	/* 64 MiB */
#define WINDOW_FLAG_PAGE	0x00000000u
#define WINDOW_SCRATCH_PAGE	0x00001000u	/* CPL 0's */
#define WINDOW_STUB_PAGE	0x00003000u	/* module host: how stubs in ring 3 leave */
#define WINDOW_USER_SCRATCH	0x00002000u	/* CPL 3's: a page of the object that is shown elsewhere */
#define WINDOW_JUMP_TABLE	0x00010000u	/* two: CPL 0, then CPL 3 */
#define WINDOW_JUMP_BYTES	0x00040000u	/* 64 Ki entries of 4 bytes */
#define WINDOW_BLOCK		0x000c0000u	/* module host: GDT, IDT, TSS and handlers, 64 KiB for ring 0 alone */
#define WINDOW_CODE		0x00100000u
#define WINDOW_COLD		0x02800000u	/* veneers and 64-bit stubs from here on */

#define WINDOW_PREFERRED	0xfa000000u
#define USER_SCRATCH_PREFERRED	0x00200000u

#endif
