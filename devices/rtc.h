/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/rtc.h - the MC146818 clock with its 128 bytes of CMOS memory, and the NMI mask that shares its port.
 *
 * Ports 70-71h; IRQ 8. Time is the wall clock's at power-on plus guest time, until the guest sets it.
 */
#ifndef DEVICES_RTC_H
#define DEVICES_RTC_H

#include "devices/device.h"

#define RTC_PORT_INDEX	0x70
#define RTC_PORT_DATA	0x71
#define RTC_CMOS_BYTES	128

/* CMOS bytes of a PC that the machine and its firmware agree on */
#define RTC_CMOS_SHUTDOWN	0x0f
#define RTC_CMOS_FLOPPY		0x10
#define RTC_CMOS_DISKS		0x12
#define RTC_CMOS_EQUIPMENT	0x14
#define RTC_CMOS_BASE_KIB	0x15	/* and 16h */
#define RTC_CMOS_EXT_KIB	0x17	/* and 18h; at most 65535 KiB above 1 MiB */
#define RTC_CMOS_EXT2_KIB	0x30	/* and 31h; the same, as the BIOS found it */
#define RTC_CMOS_CENTURY	0x32
#define RTC_CMOS_ABOVE_16M	0x34	/* and 35h; in 64 KiB */
#define RTC_CMOS_BOOT2		0x38	/* high nibble: third boot device */
#define RTC_CMOS_TRANSLATION	0x39	/* two bits a disk */
#define RTC_CMOS_BOOT1		0x3d	/* low nibble: first, high nibble: second */
#define RTC_CMOS_ABOVE_4G	0x5b	/* 5bh-5dh; in 64 KiB */
#define RTC_CMOS_CPUS		0x5f	/* processors less one */

struct rtc {
	uint8_t cmos[RTC_CMOS_BYTES];	/* 0-9 and the century hold the time only while it stands still (SET) */
	uint8_t index;			/* 0..127 */
	bool nmi_masked;		/* port 70h bit 7 */
	struct irq_line irq8;

	/* The clock: at guest time @base_ns it was @base_s seconds since 1970, exactly. */
	int64_t base_s;
	uint64_t base_ns;
	uint8_t weekday_shift;		/* what a guest that sets the weekday by itself has added to the true one */
	bool held;			/* the divider is in reset: time stands at base_s */

	uint64_t seconds_seen;		/* updates up to here have set their flags: seconds since base_ns */
	uint64_t periods_seen;		/* the same for the periodic rate: periods since power-on */
};

extern const struct bus_port_ops rtc_port_ops;

/* Power-on with a flat memory: CMOS all zero, 24-hour BCD, the time @wall_s. */
void rtc_init(struct rtc *rtc, struct irq_line irq8, int64_t wall_s, uint64_t now_ns);
/* RESET#: interrupt enables and flags are cleared. Time and CMOS are the battery's and stay. */
void rtc_reset(struct rtc *rtc, uint64_t now_ns);
uint64_t rtc_deadline(const struct rtc *rtc);
void rtc_advance(struct rtc *rtc, uint64_t now_ns);

/* For the machine: CMOS bytes from 0Eh up, and the checksum over 10h-2Dh in 2Eh-2Fh. */
void rtc_set_cmos(struct rtc *rtc, uint8_t index, uint8_t value);
void rtc_set_checksum(struct rtc *rtc);

#endif
