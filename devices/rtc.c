/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/rtc.c - the MC146818: calendar, alarm, and a periodic interrupt.
 *
 *      bus --> [rtc] --irq8--> pic.c
 *
 * Asked by:  the bus; devices/pc.c for time and to fill the CMOS.
 * Source:    Motorola MC146818A datasheet; the century byte at 32h is IBM's.
 * Time:      seconds change at whole seconds after @base_ns. UIP is up for the 2,228 us before that, so a guest that
 *            finds UIP clear has at least the 244 us that the datasheet promises; that it finds the old time while UIP
 *            is up is allowed, for it must not look.
 *            Flags are set when somebody asks (a read of register C, or the deadline of an enabled interrupt), for all
 *            the time since they were asked for last.
 * Not here:  daylight saving (bit stored, no effect), the square-wave pin, and catching up of missed periodic
 *            interrupts: register C must be read for each, so a guest knows that it may miss some.
 * Tested by: tests/unit/test_rtc.c.
 */
#include "devices/rtc.h"

enum { SECONDS = 0, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH, YEAR,
       REG_A, REG_B, REG_C, REG_D };

#define CENTURY_PS2	0x37	/* where PS/2 machines keep it; the same byte to us */

#define A_UIP		0x80
#define A_DIVIDER	0x70
#define A_DIVIDER_RESET	0x60	/* 11x: the divider chain is held in reset */
#define A_RATE		0x0f
#define B_SET		0x80
#define B_PIE		0x40
#define B_AIE		0x20
#define B_UIE		0x10
#define B_BINARY	0x04
#define B_24H		0x02
#define C_IRQF		0x80
#define C_PF		0x40
#define C_AF		0x20
#define C_UF		0x10
#define D_VRT		0x80	/* the battery is good */

#define DAY_S		86400
#define UPDATE_NS	2228000ull	/* 244 us of warning, 1,984 us of update */
#define CRYSTAL_HZ	32768ull
#define DONT_CARE(v)	(((v) & 0xc0) == 0xc0)

struct rtc_time {
	uint32_t year;			/* 0 .. 9999 */
	uint8_t month, day;		/* from 1 */
	uint8_t hour, minute, second;
	uint8_t weekday;		/* 0 is Sunday */
};

/*
 * The calendar. Days are counted from 1 March 0000 inside, so that the leap day is the last of its year.
 */
#define DAYS_TO_1970	719468

static int64_t days_from_date(uint32_t year, uint32_t month, uint32_t day)
{
	uint32_t y = month <= 2 ? year - 1 : year;	/* year 0 is refused by the caller */
	uint32_t from_march = month <= 2 ? month + 9 : month - 3;
	int64_t days = (int64_t)y * 365 + y / 4 - y / 100 + y / 400;

	return days + (153 * from_march + 2) / 5 + day - 1 - DAYS_TO_1970;
}

static void date_from_days(int64_t days, struct rtc_time *t)
{
	uint32_t n = (uint32_t)(days + DAYS_TO_1970);
	uint32_t era = n / 146097, of_era = n % 146097;
	uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint32_t from_march = (5 * of_year + 2) / 153;

	t->day = (uint8_t)(of_year - (153 * from_march + 2) / 5 + 1);
	t->month = (uint8_t)(from_march < 10 ? from_march + 3 : from_march - 9);
	t->year = era * 400 + year + (t->month <= 2);
}

static struct rtc_time time_from_seconds(const struct rtc *rtc, int64_t s)
{
	struct rtc_time t;
	int64_t days = s / DAY_S, rest = s % DAY_S;

	if (rest < 0) {
		rest += DAY_S;
		days--;
	}
	date_from_days(days, &t);
	t.hour = (uint8_t)(rest / 3600);
	t.minute = (uint8_t)(rest / 60 % 60);
	t.second = (uint8_t)(rest % 60);
	/* 1 January 1970 was a Thursday; 700,000 is a multiple of 7 that keeps the sum positive. */
	t.weekday = (uint8_t)((days + 700000 + 4 + rtc->weekday_shift) % 7);
	return t;
}

/*
 * Registers from and to numbers.
 */
static uint8_t encode(const struct rtc *rtc, uint32_t n)
{
	return (uint8_t)(rtc->cmos[REG_B] & B_BINARY ? n : n / 10 % 10 << 4 | n % 10);
}

static uint32_t decode(const struct rtc *rtc, uint8_t value)
{
	return rtc->cmos[REG_B] & B_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

static uint8_t encode_hour(const struct rtc *rtc, uint32_t hour)
{
	if (rtc->cmos[REG_B] & B_24H)
		return encode(rtc, hour);
	return encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0);
}

static uint32_t decode_hour(const struct rtc *rtc, uint8_t value)
{
	if (rtc->cmos[REG_B] & B_24H)
		return decode(rtc, value);
	return decode(rtc, value & 0x7f) % 12 + (value & 0x80 ? 12 : 0);
}

static uint64_t seconds_since_base(const struct rtc *rtc, uint64_t now_ns)
{
	return rtc->held || now_ns < rtc->base_ns ? 0 : (now_ns - rtc->base_ns) / DEV_NS_PER_S;
}

static int64_t seconds_now(const struct rtc *rtc, uint64_t now_ns)
{
	return rtc->base_s + (int64_t)seconds_since_base(rtc, now_ns);
}

static bool stands_still(const struct rtc *rtc)
{
	return rtc->held || rtc->cmos[REG_B] & B_SET;
}

static uint8_t encode_field(const struct rtc *rtc, const struct rtc_time *t, unsigned int reg)
{
	switch (reg) {
	case SECONDS:
		return encode(rtc, t->second);
	case MINUTES:
		return encode(rtc, t->minute);
	case HOURS:
		return encode_hour(rtc, t->hour);
	case WEEKDAY:
		return encode(rtc, t->weekday + 1u);
	case DAY:
		return encode(rtc, t->day);
	case MONTH:
		return encode(rtc, t->month);
	case YEAR:
		return encode(rtc, t->year % 100);
	default:
		return encode(rtc, t->year / 100);
	}
}

static const uint8_t time_registers[] = {
	SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, RTC_CMOS_CENTURY
};

static bool is_time_register(unsigned int reg)
{
	return reg == RTC_CMOS_CENTURY || (reg <= YEAR && reg != SECONDS_ALARM && reg != MINUTES_ALARM &&
					   reg != HOURS_ALARM);
}

/* The time as registers show it, stored in them: the guest is about to change some. */
static void time_to_registers(struct rtc *rtc, uint64_t now_ns)
{
	struct rtc_time t = time_from_seconds(rtc, seconds_now(rtc, now_ns));
	unsigned int i;

	for (i = 0; i < PLX_ARRAY_SIZE(time_registers); i++)
		rtc->cmos[time_registers[i]] = encode_field(rtc, &t, time_registers[i]);
}

static uint32_t clamp(uint32_t n, uint32_t low, uint32_t high)
{
	return n < low ? low : n > high ? high : n;
}

/* The other way: the clock runs on from what the registers hold. Nonsense becomes the nearest sense. */
static void registers_to_time(struct rtc *rtc)
{
	const uint8_t *r = rtc->cmos;
	uint32_t century = clamp(decode(rtc, r[RTC_CMOS_CENTURY]), 1, 99);
	uint32_t year = century * 100 + clamp(decode(rtc, r[YEAR]), 0, 99);
	uint32_t month = clamp(decode(rtc, r[MONTH]), 1, 12);
	uint32_t day = clamp(decode(rtc, r[DAY]), 1, 31);
	int64_t days = days_from_date(year, month, day);
	uint32_t weekday;

	rtc->base_s = days * DAY_S + clamp(decode_hour(rtc, r[HOURS]), 0, 23) * 3600 +
		      clamp(decode(rtc, r[MINUTES]), 0, 59) * 60 + clamp(decode(rtc, r[SECONDS]), 0, 59);
	/* The weekday is a counter by itself: whatever the guest wrote is right, and counts on. */
	weekday = clamp(decode(rtc, r[WEEKDAY]), 1, 7) - 1;
	rtc->weekday_shift = (uint8_t)((weekday + 7 - (days + 700000 + 4) % 7) % 7);
}

/*
 * Flags and the interrupt.
 */
static void update_irq(struct rtc *rtc)
{
	uint8_t wanted = rtc->cmos[REG_B] & (B_PIE | B_AIE | B_UIE);	/* the same bits as their flags in C */

	if (rtc->cmos[REG_C] & wanted)
		rtc->cmos[REG_C] |= C_IRQF;
	else
		rtc->cmos[REG_C] &= ~C_IRQF;
	irq_set(&rtc->irq8, rtc->cmos[REG_C] & C_IRQF);
}

static bool alarm_matches(const struct rtc *rtc, int64_t s)
{
	const uint8_t *r = rtc->cmos;
	int64_t rest = (s % DAY_S + DAY_S) % DAY_S;

	return (DONT_CARE(r[SECONDS_ALARM]) || decode(rtc, r[SECONDS_ALARM]) == rest % 60) &&
	       (DONT_CARE(r[MINUTES_ALARM]) || decode(rtc, r[MINUTES_ALARM]) == rest / 60 % 60) &&
	       (DONT_CARE(r[HOURS_ALARM]) || decode_hour(rtc, r[HOURS_ALARM]) == rest / 3600);
}

/* Clocks of the 32 kHz crystal in one period; 0: no rate chosen. Rates 1 and 2 are those of 8 and 9. */
static uint64_t period_clocks(const struct rtc *rtc)
{
	unsigned int rate = rtc->cmos[REG_A] & A_RATE;

	if (!rate)
		return 0;
	return 1ull << (rate <= 2 ? rate + 6 : rate - 1);
}

static uint64_t crystal_clocks(uint64_t now_ns)
{
	return now_ns / DEV_NS_PER_S * CRYSTAL_HZ + now_ns % DEV_NS_PER_S * CRYSTAL_HZ / DEV_NS_PER_S;
}

static uint64_t ns_of_clocks(uint64_t clocks)
{
	return clocks / CRYSTAL_HZ * DEV_NS_PER_S +
	       (clocks % CRYSTAL_HZ * DEV_NS_PER_S + CRYSTAL_HZ - 1) / CRYSTAL_HZ;
}

/* What happens from now on counts; what happened before was seen, or was under other settings. */
static void forget_past(struct rtc *rtc, uint64_t now_ns)
{
	uint64_t clocks = period_clocks(rtc);

	rtc->seconds_seen = seconds_since_base(rtc, now_ns);
	rtc->periods_seen = clocks ? crystal_clocks(now_ns) / clocks : 0;
}

void rtc_advance(struct rtc *rtc, uint64_t now_ns)
{
	uint64_t clocks = period_clocks(rtc), periods, seconds, s;

	if (clocks && !rtc->held) {
		periods = crystal_clocks(now_ns) / clocks;
		if (periods > rtc->periods_seen)
			rtc->cmos[REG_C] |= C_PF;
		rtc->periods_seen = periods;
	}
	seconds = seconds_since_base(rtc, now_ns);
	if (!stands_still(rtc) && seconds > rtc->seconds_seen) {
		rtc->cmos[REG_C] |= C_UF;
		/* After a whole day each alarm has matched that ever will. */
		s = seconds - rtc->seconds_seen > DAY_S ? seconds - DAY_S : rtc->seconds_seen;
		while (s < seconds && !(rtc->cmos[REG_C] & C_AF))
			if (alarm_matches(rtc, rtc->base_s + (int64_t)++s))
				rtc->cmos[REG_C] |= C_AF;
	}
	rtc->seconds_seen = seconds;
	update_irq(rtc);
}

uint64_t rtc_deadline(const struct rtc *rtc)
{
	uint64_t at = DEV_NEVER, clocks = period_clocks(rtc);
	uint8_t b = rtc->cmos[REG_B];

	/* The line is up already: nothing more to say until register C is read. */
	if (rtc->cmos[REG_C] & C_IRQF)
		return DEV_NEVER;
	if (b & B_PIE && clocks && !rtc->held)
		at = ns_of_clocks((rtc->periods_seen + 1) * clocks);
	if (b & (B_AIE | B_UIE) && !stands_still(rtc))
		at = plx_min64(at, rtc->base_ns + (rtc->seconds_seen + 1) * DEV_NS_PER_S);
	return at;
}

static bool update_in_progress(const struct rtc *rtc, uint64_t now_ns)
{
	if (stands_still(rtc) || now_ns < rtc->base_ns)
		return false;
	return (now_ns - rtc->base_ns) % DEV_NS_PER_S >= DEV_NS_PER_S - UPDATE_NS;
}

static uint8_t read_register(struct rtc *rtc, unsigned int reg, uint64_t now_ns)
{
	struct rtc_time t;
	uint8_t value;

	if (is_time_register(reg) && !(rtc->cmos[REG_B] & B_SET)) {
		t = time_from_seconds(rtc, seconds_now(rtc, now_ns));
		return encode_field(rtc, &t, reg);
	}
	switch (reg) {
	case REG_A:
		return rtc->cmos[REG_A] | (update_in_progress(rtc, now_ns) ? A_UIP : 0);
	case REG_C:
		rtc_advance(rtc, now_ns);
		value = rtc->cmos[REG_C];
		rtc->cmos[REG_C] = 0;
		update_irq(rtc);
		return value;
	case REG_D:
		return D_VRT;
	default:
		return rtc->cmos[reg];
	}
}

/* A write to the time while it runs: the second that is under way keeps its phase. */
static void write_time(struct rtc *rtc, unsigned int reg, uint8_t value, uint64_t now_ns)
{
	uint64_t whole;

	if (rtc->cmos[REG_B] & B_SET) {
		rtc->cmos[reg] = value;
		return;
	}
	rtc_advance(rtc, now_ns);
	whole = seconds_since_base(rtc, now_ns) * DEV_NS_PER_S;
	time_to_registers(rtc, now_ns);
	rtc->cmos[reg] = value;
	rtc->base_ns += whole;
	registers_to_time(rtc);
	forget_past(rtc, now_ns);
}

static void write_a(struct rtc *rtc, uint8_t value, uint64_t now_ns)
{
	bool hold = (value & A_DIVIDER_RESET) == A_DIVIDER_RESET;

	rtc_advance(rtc, now_ns);
	if (hold && !rtc->held) {
		rtc->base_s = seconds_now(rtc, now_ns);
		rtc->held = true;
	} else if (!hold && rtc->held) {
		/* "The first update cycle is one-half second later." */
		rtc->held = false;
		rtc->base_ns = now_ns - plx_min64(now_ns, DEV_NS_PER_S / 2);
	}
	rtc->cmos[REG_A] = value & ~A_UIP;
	forget_past(rtc, now_ns);
}

static void write_b(struct rtc *rtc, uint8_t value, uint64_t now_ns)
{
	uint8_t old = rtc->cmos[REG_B];
	uint64_t whole;

	rtc_advance(rtc, now_ns);
	if (value & B_SET) {
		if (!(old & B_SET))
			time_to_registers(rtc, now_ns);
		value &= ~B_UIE;	/* "cleared by SET going high" */
	}
	/* The clock goes on in the format of the new B, as its registers were filled for it. */
	rtc->cmos[REG_B] = value;
	if (old & B_SET && !(value & B_SET)) {
		whole = seconds_since_base(rtc, now_ns) * DEV_NS_PER_S;
		rtc->base_ns += whole;
		registers_to_time(rtc);
		forget_past(rtc, now_ns);
	}
	update_irq(rtc);
}

static void write_register(struct rtc *rtc, unsigned int reg, uint8_t value, uint64_t now_ns)
{
	if (is_time_register(reg)) {
		write_time(rtc, reg, value, now_ns);
		return;
	}
	switch (reg) {
	case REG_A:
		write_a(rtc, value, now_ns);
		break;
	case REG_B:
		write_b(rtc, value, now_ns);
		break;
	case REG_C:
	case REG_D:
		break;			/* read-only */
	case SECONDS_ALARM:
	case MINUTES_ALARM:
	case HOURS_ALARM:
		rtc_advance(rtc, now_ns);	/* up to now the old alarm counts */
		rtc->cmos[reg] = value;
		break;
	default:
		rtc->cmos[reg] = value;
		break;
	}
}

static uint32_t rtc_in(void *opaque, uint16_t port, unsigned int size, uint64_t now_ns)
{
	struct rtc *rtc = opaque;

	(void)size;
	if (port == RTC_PORT_INDEX)
		return 0xff;		/* write-only */
	return read_register(rtc, rtc->index == CENTURY_PS2 ? RTC_CMOS_CENTURY : rtc->index, now_ns);
}

static void rtc_out(void *opaque, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct rtc *rtc = opaque;

	(void)size;
	if (port == RTC_PORT_INDEX) {
		rtc->index = value & 0x7f;
		rtc->nmi_masked = value & 0x80;
		return;
	}
	write_register(rtc, rtc->index == CENTURY_PS2 ? RTC_CMOS_CENTURY : rtc->index, (uint8_t)value, now_ns);
}

const struct bus_port_ops rtc_port_ops = { .in = rtc_in, .out = rtc_out, .byte_wide = true };

void rtc_set_cmos(struct rtc *rtc, uint8_t index, uint8_t value)
{
	if (index > REG_D && index < RTC_CMOS_BYTES && index != RTC_CMOS_CENTURY)
		rtc->cmos[index] = value;
}

void rtc_set_checksum(struct rtc *rtc)
{
	unsigned int i, sum = 0;

	for (i = 0x10; i <= 0x2d; i++)
		sum += rtc->cmos[i];
	rtc->cmos[0x2e] = (uint8_t)(sum >> 8);
	rtc->cmos[0x2f] = (uint8_t)sum;
}

void rtc_reset(struct rtc *rtc, uint64_t now_ns)
{
	rtc_advance(rtc, now_ns);
	rtc->cmos[REG_B] &= ~(B_PIE | B_AIE | B_UIE);
	rtc->cmos[REG_C] = 0;
	rtc->nmi_masked = false;
	update_irq(rtc);
}

void rtc_init(struct rtc *rtc, struct irq_line irq8, int64_t wall_s, uint64_t now_ns)
{
	memset(rtc, 0, sizeof(*rtc));
	rtc->irq8 = irq8;
	rtc->cmos[REG_A] = 0x26;	/* 32 kHz crystal, 1,024 Hz: as a PC's firmware sets it */
	rtc->cmos[REG_B] = B_24H;
	rtc->base_s = wall_s;
	rtc->base_ns = now_ns;
	forget_past(rtc, now_ns);
}
