/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pit.c - the 8254: three counters that are functions of time, and one interrupt.
 *
 *      bus --> [pit] --irq0--> pic.c
 *               ^  |
 *               |  +-- pit_deadline: when counter 0 next raises its output
 *               +----- pit_irq0_taken: the guest got the last tick
 *
 * Asked by:  the bus; devices/pc.c for time.
 * Source:    Intel 8254 datasheet, "Mode Definitions"; port 61h from the PIIX3 datasheet, "NMI Status and Control".
 * Tested by: tests/unit/test_pit.c.
 *
 * Time
 *   We never tick. A counter remembers when it started (@start) and from what (@reload); count and output are
 *   computed from the ticks that have passed. A count written takes effect at the next clock, so a counter of mode 0
 *   ends N + 1 clocks after the write, as the datasheet says.
 *
 * Missed ticks
 *   A guest counts the ticks of counter 0 to know the time. The vCPU does not always run when one falls due, and two
 *   ticks that meet in the interrupt controller are one: the guest's clock would lose. So a tick that falls due while
 *   the one before has not been taken is owed, and owed ticks are given one by one, each only after the one before was
 *   taken and not sooner than half a period after it. The guest therefore sees at most twice the rate that it asked for,
 *   and catches up with guest time within as long as it was behind. Not owed are: ticks while IRQ 0 is masked (a PC
 *   loses them too), ticks of a programming that has been replaced, and more than OWED_MAX_NS worth (a machine that
 *   stood still that long need not be hunted through it). One-shot modes have one tick and so never owe.
 */
#include "devices/pit.h"

#define CTL_COUNTER(v)	((v) >> 6)
#define CTL_ACCESS(v)	(((v) >> 4) & 3)
#define CTL_MODE(v)	(((v) >> 1) & 7)
#define CTL_BCD(v)	((v) & 1)
enum { ACCESS_LATCH = 0, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH, COUNTER_READBACK = 3 };

/* Read-back command: both bits are active low. */
#define READBACK_NO_COUNT	0x20
#define READBACK_NO_STATUS	0x10

#define OWED_MAX_NS	(10 * DEV_NS_PER_S)
/* A period shorter than this (20 us) raises IRQ 0 on every n-th edge only: no guest could take them all, and
 * the event thread would do nothing else. */
#define SHORTEST_EDGE	24

/* Port 61h */
#define SYS_GATE2	0x01
#define SYS_WRITABLE	0x0f	/* gate, speaker, two parity masks */
#define SYS_REFRESH	0x10
#define SYS_OUT2	0x20
#define REFRESH_NS	15085	/* counter 1's customary 18 ticks */

static uint64_t ticks_at(uint64_t now_ns)
{
	/* ns * PIT_HZ passes 2^64 after 4.3 hours: seconds are taken apart. */
	return now_ns / DEV_NS_PER_S * PIT_HZ + now_ns % DEV_NS_PER_S * PIT_HZ / DEV_NS_PER_S;
}

/* The first nanosecond at which @tick has come. */
static uint64_t ns_at(uint64_t tick)
{
	return tick / PIT_HZ * DEV_NS_PER_S + (tick % PIT_HZ * DEV_NS_PER_S + PIT_HZ - 1) / PIT_HZ;
}

static bool is_periodic(const struct pit_counter *c)
{
	return c->mode == 2 || c->mode == 3;
}

static uint32_t modulus(const struct pit_counter *c)
{
	return c->bcd ? 10000 : 65536;
}

/* Bring a periodic counter past the point where its new count takes over. */
static void settle(struct pit_counter *c, uint64_t tick)
{
	if (!c->next_reload || tick < c->next_at)
		return;
	c->reload = c->next_reload;
	c->start = c->next_start;
	c->next_reload = 0;
}

/* Clocks since the count was taken. Before that (the write was less than a clock ago) it stands at zero. */
static uint64_t elapsed(const struct pit_counter *c, uint64_t tick)
{
	if (!c->gate && (c->mode == 0 || c->mode == 4))
		return c->held;
	return tick > c->start ? tick - c->start : 0;
}

/* Mode 3 counts down by twos, once while OUT is high and once while it is low; an odd count is high one clock longer. */
static uint32_t high_clocks(uint32_t reload)
{
	return (reload + 1) / 2;
}

static bool counter_out(const struct pit_counter *c, uint64_t tick)
{
	uint64_t e;

	if (!c->counting)
		return c->mode != 0;
	e = elapsed(c, tick);
	switch (c->mode) {
	case 0:
		return e >= c->reload;
	case 1:
		/* Low from the clock after the trigger. */
		return tick < c->start || e >= c->reload;
	case 2:
		return !c->gate || e % c->reload != c->reload - 1;
	case 3:
		return !c->gate || e % c->reload < high_clocks(c->reload);
	default:
		return e != c->reload;	/* 4 and 5: one clock low */
	}
}

static uint32_t counter_count(const struct pit_counter *c, uint64_t tick)
{
	uint32_t mod = modulus(c), phase, half;
	uint64_t e;

	if (!c->counting)
		return c->reload % mod;
	e = elapsed(c, tick);
	switch (c->mode) {
	case 2:
		return (c->gate ? c->reload - (uint32_t)(e % c->reload) : c->reload) % mod;
	case 3:
		if (!c->gate)
			return c->reload % mod;
		phase = (uint32_t)(e % c->reload);
		half = high_clocks(c->reload);
		if (phase >= half)
			phase -= half;
		return ((c->reload & ~1u) - 2 * phase) % mod;
	default:
		/* Counts on below zero, from ffff or 9999. */
		return (c->reload % mod + mod - (uint32_t)(e % mod)) % mod;
	}
}

static uint16_t to_bcd(uint32_t n)
{
	return (uint16_t)(n / 1000 % 10 << 12 | n / 100 % 10 << 8 | n / 10 % 10 << 4 | n % 10);
}

/* Digits above 9 are no BCD; they weigh what they weigh. 0 stands for the whole modulus. */
static uint32_t count_from(const struct pit_counter *c, uint16_t value)
{
	uint32_t n = value;

	if (c->bcd)
		n = (value >> 12) * 1000u + (value >> 8 & 15) * 100u + (value >> 4 & 15) * 10u + (value & 15);
	return n ? n : modulus(c);
}

static uint16_t count_visible(const struct pit_counter *c, uint64_t tick)
{
	uint32_t n = counter_count(c, tick);

	return c->bcd ? to_bcd(n) : (uint16_t)n;
}

static uint8_t counter_status(const struct pit_counter *c, uint64_t tick)
{
	/* "Null count": what was written has not reached the counting element. */
	bool null = !c->counting || c->next_reload || tick < c->start;

	return (uint8_t)(counter_out(c, tick) << 7 | null << 6 | c->access << 4 | c->mode << 1 | c->bcd);
}

/*
 * Counter 0's edges.
 */

/* The first rising edge of OUT after @tick. */
static uint64_t next_edge(const struct pit_counter *c, uint64_t tick)
{
	uint64_t step, at;

	if (!c->counting || !c->gate)
		return DEV_NEVER;
	switch (c->mode) {
	case 0:
		at = c->start + c->reload;
		break;
	case 2:
	case 3:
		step = c->reload;
		if (step < SHORTEST_EDGE)
			step *= SHORTEST_EDGE / step;
		at = c->start + step;
		if (tick >= at)
			at += (tick - at) / step * step + step;
		/* Mode 3 changes over in mid-period, and then the edge is the new count's. */
		if (c->next_reload && at > c->next_at)
			at = c->next_start + c->next_reload;
		return at;
	case 4:
		at = c->start + c->reload + 1;
		break;
	default:
		return DEV_NEVER;	/* 1 and 5 need a trigger, and counter 0's gate is soldered high */
	}
	return at > tick ? at : DEV_NEVER;
}

static void set_irq0(struct pit *pit, bool level)
{
	if (level == pit->irq0_level)
		return;
	pit->irq0_level = level;
	irq_set(&pit->irq0, level);
}

/* The falling edge of a periodic mode is nobody's event; it is made up for just before the next rise. */
static void give_tick(struct pit *pit, uint64_t now_ns)
{
	pit->awaiting = true;
	pit->last_ns = now_ns;
	pit->ticks_given++;
	set_irq0(pit, false);
	set_irq0(pit, true);
}

static uint64_t period_ns(const struct pit_counter *c)
{
	return (uint64_t)c->reload * DEV_NS_PER_S / PIT_HZ;
}

static uint64_t catch_up_ns(const struct pit *pit)
{
	if (!pit->owed || pit->awaiting || pit->masked)
		return DEV_NEVER;
	return pit->last_ns + period_ns(&pit->counter[0]) / 2;
}

static void owe(struct pit *pit, uint64_t nticks)
{
	uint64_t max = OWED_MAX_NS / (period_ns(&pit->counter[0]) + 1);
	uint64_t owed = pit->owed + nticks;

	if (pit->masked) {
		pit->ticks_lost += nticks;
		return;
	}
	pit->ticks_late += nticks;
	if (owed > max) {
		pit->ticks_lost += owed - max;
		owed = max;
	}
	pit->owed = (uint32_t)owed;
}

uint64_t pit_deadline(const struct pit *pit)
{
	uint64_t edge_ns = pit->edge == DEV_NEVER ? DEV_NEVER : ns_at(pit->edge);

	return plx_min64(edge_ns, catch_up_ns(pit));
}

void pit_advance(struct pit *pit, uint64_t now_ns)
{
	struct pit_counter *c = &pit->counter[0];
	uint64_t tick = ticks_at(now_ns), missed, step;

	if (tick >= pit->edge) {
		if (pit->awaiting && is_periodic(c))
			owe(pit, 1);
		give_tick(pit, now_ns);
		settle(c, tick);
		/* Whole periods that passed between the edge we meant and now. */
		if (is_periodic(c)) {
			step = c->reload < SHORTEST_EDGE ? c->reload * (SHORTEST_EDGE / c->reload) : c->reload;
			missed = (tick - pit->edge) / step;
			if (missed)
				owe(pit, missed);
		}
		pit->edge = next_edge(c, tick);
	}
	if (now_ns >= catch_up_ns(pit)) {
		pit->owed--;
		give_tick(pit, now_ns);
	}
}

void pit_irq0_taken(struct pit *pit)
{
	pit->awaiting = false;
}

void pit_irq0_masked(struct pit *pit, bool masked)
{
	pit->masked = masked;
	if (masked)
		pit->owed = 0;
}

/* After any change of counter 0: its output now, its next edge, and a clean slate for the ticks. */
static void counter0_changed(struct pit *pit, uint64_t tick)
{
	struct pit_counter *c = &pit->counter[0];

	set_irq0(pit, counter_out(c, tick));
	pit->edge = next_edge(c, tick);
	pit->owed = 0;
}

/*
 * Registers.
 */

static void load_count(struct pit_counter *c, uint16_t value, uint64_t tick)
{
	uint32_t count = count_from(c, value);
	uint64_t period, phase;

	if (is_periodic(c) && c->counting && c->gate && tick >= c->start) {
		/* Mode 2 takes it at the end of the period, mode 3 at the end of the half. */
		period = c->start + (tick - c->start) / c->reload * c->reload;
		phase = tick - period;
		c->next_reload = count;
		if (c->mode == 3 && phase < high_clocks(c->reload)) {
			c->next_at = period + high_clocks(c->reload);
			c->next_start = c->next_at - high_clocks(count);
		} else {
			c->next_at = period + c->reload;
			c->next_start = c->next_at;
		}
		return;
	}
	if (c->mode == 1 || c->mode == 5) {
		c->next_reload = count;		/* taken at the trigger; a shot under way keeps its own */
		c->next_at = DEV_NEVER;
		return;
	}
	c->reload = count;
	c->next_reload = 0;
	c->counting = true;
	c->start = tick + 1;
	c->held = 0;
}

static void write_control_word(struct pit *pit, uint8_t value, uint64_t tick)
{
	struct pit_counter *c = &pit->counter[CTL_COUNTER(value)];
	uint8_t mode = CTL_MODE(value);

	if (CTL_ACCESS(value) == ACCESS_LATCH) {
		if (!c->count_latched) {		/* a second latch is ignored until the first is read */
			c->latch = count_visible(c, tick);
			c->count_latched = true;
		}
		return;
	}
	c->mode = mode > 5 ? mode - 4 : mode;		/* 6 and 7 are 2 and 3: bit 2 is "don't care" */
	c->access = CTL_ACCESS(value);
	c->bcd = CTL_BCD(value);
	c->counting = false;
	c->next_reload = 0;
	c->write_high = false;
	c->read_high = false;
	c->count_latched = false;
	c->status_latched = false;
	if (c == &pit->counter[0])
		counter0_changed(pit, tick);
}

static void read_back(struct pit *pit, uint8_t value, uint64_t tick)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		struct pit_counter *c = &pit->counter[i];

		if (!(value >> (i + 1) & 1))
			continue;
		if (!(value & READBACK_NO_COUNT) && !c->count_latched) {
			c->latch = count_visible(c, tick);
			c->count_latched = true;
		}
		if (!(value & READBACK_NO_STATUS) && !c->status_latched) {
			c->status = counter_status(c, tick);
			c->status_latched = true;
		}
	}
}

static void write_counter(struct pit *pit, unsigned int which, uint8_t value, uint64_t tick)
{
	struct pit_counter *c = &pit->counter[which];

	switch (c->access) {
	case ACCESS_LOW:
		load_count(c, value, tick);
		break;
	case ACCESS_HIGH:
		load_count(c, (uint16_t)(value << 8), tick);
		break;
	default:
		c->write_high = !c->write_high;
		if (c->write_high) {
			c->low_byte = value;
			if (c->mode != 0)
				return;
			c->counting = false;		/* "writing the first byte disables counting"; OUT is low */
		} else {
			load_count(c, (uint16_t)(value << 8 | c->low_byte), tick);
		}
		break;
	}
	if (which == 0)
		counter0_changed(pit, tick);
}

static uint8_t read_counter(struct pit_counter *c, uint64_t tick)
{
	uint16_t count;
	bool high;

	if (c->status_latched) {		/* status comes before the count when both are latched */
		c->status_latched = false;
		return c->status;
	}
	count = c->count_latched ? c->latch : count_visible(c, tick);
	high = c->access == ACCESS_HIGH || (c->access == ACCESS_BOTH && c->read_high);
	if (c->access == ACCESS_BOTH)
		c->read_high = !c->read_high;
	if (c->access != ACCESS_BOTH || high)
		c->count_latched = false;	/* the last byte frees the latch */
	return (uint8_t)(high ? count >> 8 : count);
}

static void trigger(struct pit_counter *c, uint64_t tick)
{
	if (c->next_reload)
		c->reload = c->next_reload;
	c->next_reload = 0;
	c->start = tick + 1;
}

/* Port 61h bit 0: the only gate software can move. */
static void set_gate2(struct pit_counter *c, bool gate, uint64_t tick)
{
	if (gate == c->gate)
		return;
	switch (c->mode) {
	case 0:
	case 4:				/* the gate stops and starts the clock */
		if (gate)
			c->start = c->held || c->start <= tick ? tick - c->held : c->start;
		else
			c->held = elapsed(c, tick);
		break;
	case 2:
	case 3:				/* low stops with OUT high; the rise starts a new period */
		if (gate)
			trigger(c, tick);
		break;
	default:			/* 1 and 5: the rise is the trigger, and there may be another */
		if (gate) {
			c->counting = true;
			trigger(c, tick);
		}
		break;
	}
	c->gate = gate;
}

static uint32_t pit_in(void *opaque, uint16_t port, unsigned int size, uint64_t now_ns)
{
	struct pit *pit = opaque;
	uint64_t tick = ticks_at(now_ns);
	unsigned int i;

	(void)size;
	for (i = 0; i < 3; i++)
		settle(&pit->counter[i], tick);
	if (port == PIT_PORT_SYSTEM)
		return pit->system | (now_ns / REFRESH_NS & 1 ? SYS_REFRESH : 0) |
		       (counter_out(&pit->counter[2], tick) ? SYS_OUT2 : 0);
	if (port == PIT_PORT_CONTROL)
		return 0xff;		/* write-only: the bus floats */
	return read_counter(&pit->counter[port - PIT_PORT_COUNTER0], tick);
}

static void pit_out(void *opaque, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct pit *pit = opaque;
	uint64_t tick = ticks_at(now_ns);
	unsigned int i;

	(void)size;
	pit_advance(pit, now_ns);	/* an edge that is due comes before the change */
	for (i = 0; i < 3; i++)
		settle(&pit->counter[i], tick);
	if (port == PIT_PORT_SYSTEM) {
		pit->system = value & SYS_WRITABLE;
		set_gate2(&pit->counter[2], value & SYS_GATE2, tick);
	} else if (port != PIT_PORT_CONTROL) {
		write_counter(pit, port - PIT_PORT_COUNTER0, (uint8_t)value, tick);
	} else if (CTL_COUNTER(value) == COUNTER_READBACK) {
		read_back(pit, (uint8_t)value, tick);
	} else {
		write_control_word(pit, (uint8_t)value, tick);
	}
}

const struct bus_port_ops pit_port_ops = { .in = pit_in, .out = pit_out, .byte_wide = true };

void pit_reset(struct pit *pit, uint64_t now_ns)
{
	uint64_t tick = ticks_at(now_ns);
	unsigned int i;

	/* The 8254 wakes undefined. This is what a PC's firmware finds useful: all count 65536, outputs high. */
	for (i = 0; i < 3; i++) {
		struct pit_counter *c = &pit->counter[i];

		memset(c, 0, sizeof(*c));
		c->mode = 3;
		c->access = ACCESS_BOTH;
		c->reload = 65536;
		c->gate = i != 2;
		c->counting = true;
		c->start = tick;
	}
	pit->system = 0;
	pit->awaiting = false;
	pit->masked = false;
	pit->last_ns = now_ns;
	counter0_changed(pit, tick);
}

void pit_init(struct pit *pit, struct irq_line irq0, uint64_t now_ns)
{
	memset(pit, 0, sizeof(*pit));
	pit->irq0 = irq0;
	pit_reset(pit, now_ns);
}
