/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pc.c - the machine's doors: the processor's accesses, time, input, reset, and the lock around them all.
 *
 *      vCPU's thread ---> in, out, ins, outs, mmio, intack ---+
 *      event thread ----> pc_deadline, pc_advance, input -----+--> [lock] --> bus.c, chips
 *
 * Asked by:  the engine through struct plx_machine_ops, user/.
 * Asks:      the chips, wired in pc_wire.c.
 * Time:      each chip that must act later has a deadline in due[]; it is asked for again after each access to that chip
 *            (bus.touched), and the least of all is @earliest. The event thread sleeps until what pc_deadline said; when
 *            something nearer comes up it is woken. An access that finds a deadline passed does the chip's duty
 *            first, so the guest never sees a chip that is late.
 * Tested by: tests/unit/test_pc.c.
 * Read next: devices/pc_wire.c, pc_memory.c, pc_firmware.c.
 */
#include <errno.h>

#include "devices/pc_parts.h"

/* ---- deadlines ---- */

static uint64_t ask_deadline(const struct pc *pc, enum pc_timer timer)
{
	switch (timer) {
	case PC_TIMER_PIT:
		return pit_deadline(&pc->pit);
	case PC_TIMER_RTC:
		return rtc_deadline(&pc->rtc);
	case PC_TIMER_KBD:
		return kbd_deadline(&pc->kbd);
	case PC_TIMER_COM1:
		return uart_deadline(&pc->uart[0]);
	case PC_TIMER_COM2:
		return uart_deadline(&pc->uart[1]);
	case PC_TIMER_PM:
		return acpi_pm_deadline(&pc->pm);
	default:
		return DEV_NEVER;
	}
}

static void advance_chip(struct pc *pc, enum pc_timer timer, uint64_t now_ns)
{
	switch (timer) {
	case PC_TIMER_PIT:
		pit_advance(&pc->pit, now_ns);
		break;
	case PC_TIMER_RTC:
		rtc_advance(&pc->rtc, now_ns);
		break;
	case PC_TIMER_KBD:
		kbd_advance(&pc->kbd, now_ns);
		break;
	case PC_TIMER_COM1:
		uart_advance(&pc->uart[0], now_ns);
		break;
	case PC_TIMER_COM2:
		uart_advance(&pc->uart[1], now_ns);
		break;
	case PC_TIMER_PM:
		acpi_pm_advance(&pc->pm, now_ns);
		break;
	default:
		break;
	}
}

void pc_rearm(struct pc *pc, enum pc_timer timer)
{
	uint64_t at = ask_deadline(pc, timer), old = pc->due[timer];
	unsigned int i;

	if (at == old)
		return;
	pc->due[timer] = at;
	if (at <= pc->earliest) {
		pc->earliest = at;
		return;
	}
	if (old != pc->earliest)
		return;
	/* The earliest has moved away: look for its successor. */
	for (i = 1; i < PC_NR_TIMERS; i++)
		at = plx_min64(at, pc->due[i]);
	pc->earliest = at;
}

static void advance(struct pc *pc)
{
	unsigned int i;

	for (i = 1; i < PC_NR_TIMERS; i++) {
		if (pc->due[i] > pc->last_ns)
			continue;
		advance_chip(pc, i, pc->last_ns);
		pc_rearm(pc, i);
	}
}

/* Does anybody listen to the PIT? If not, its ticks need not be kept. */
void pc_note_masks(struct pc *pc)
{
	bool masked = pic_masked(&pc->pic, 0);

	if (masked == pc->pit.masked)
		return;
	pit_irq0_masked(&pc->pit, masked);
	pc_rearm(pc, PC_TIMER_PIT);
}

/* ---- the lock and the clock ---- */

static void enter_at(struct pc *pc, uint64_t now_ns)
{
	pc->last_ns = now_ns > pc->last_ns ? now_ns : pc->last_ns;
	if (PLX_UNLIKELY(pc->last_ns >= pc->earliest))
		advance(pc);
}

static uint64_t enter(struct pc *pc)
{
	pc_lock_take(&pc->lock);
	/* Read under the lock: two threads must not bring their times in the wrong order. */
	enter_at(pc, pc->config.now_ns(pc->config.clock_owner));
	return pc->last_ns;
}

static void leave(struct pc *pc)
{
	bool wake = pc->earliest < pc->promised;

	if (wake)
		pc->promised = pc->earliest;	/* told once is enough */
	pc_lock_leave(&pc->lock);
	if (PLX_UNLIKELY(wake) && pc->config.wake_events)
		pc->config.wake_events(pc->config.wake_owner);
}

/* After an access: only the chips that were touched can have changed their minds about time. */
static void leave_bus(struct pc *pc)
{
	uint32_t touched = pc->bus.touched >> 1;	/* bit 0: chips without deadlines */
	unsigned int timer;

	pc->bus.touched = 0;
	if (touched & 1u << (PC_TAG_PIC - 1))
		pc_note_masks(pc);
	for (timer = 1; touched && timer < PC_NR_TIMERS; timer++, touched >>= 1)
		if (touched & 1)
			pc_rearm(pc, timer);
	leave(pc);
}

/* ---- the processor's accesses ---- */

static uint32_t pc_in(void *machine, uint16_t port, unsigned int size)
{
	struct pc *pc = machine;
	uint32_t value = bus_in(&pc->bus, port, size, enter(pc));

	leave_bus(pc);
	return value;
}

static void pc_out(void *machine, uint16_t port, unsigned int size, uint32_t value)
{
	struct pc *pc = machine;

	bus_out(&pc->bus, port, size, value, enter(pc));
	leave_bus(pc);
}

static uint32_t pc_ins(void *machine, uint16_t port, unsigned int size, void *buf, uint32_t count)
{
	struct pc *pc = machine;
	uint32_t moved = bus_ins(&pc->bus, port, size, buf, count, enter(pc));

	leave_bus(pc);
	return moved;
}

static uint32_t pc_outs(void *machine, uint16_t port, unsigned int size, const void *buf, uint32_t count)
{
	struct pc *pc = machine;
	uint32_t moved = bus_outs(&pc->bus, port, size, buf, count, enter(pc));

	leave_bus(pc);
	return moved;
}

static uint32_t pc_mmio_read(void *machine, uint32_t gpa, unsigned int size)
{
	struct pc *pc = machine;
	uint32_t value = bus_mmio_read(&pc->bus, gpa, size, enter(pc));

	leave_bus(pc);
	return value;
}

static void pc_mmio_write(void *machine, uint32_t gpa, unsigned int size, uint32_t value)
{
	struct pc *pc = machine;

	bus_mmio_write(&pc->bus, gpa, size, value, enter(pc));
	leave_bus(pc);
}

/* The processor saw INTR high, but the request may have gone meanwhile: then there is nothing to take. */
static int pc_intack(void *machine)
{
	struct pc *pc = machine;
	int vector = -1;

	pc_lock_take(&pc->lock);
	if (pc->intr)
		vector = pic_acknowledge(&pc->pic);
	leave(pc);
	return vector;
}

static bool pc_ferr(void *machine, bool level)
{
	struct pc *pc = machine;
	bool ignne;

	enter(pc);
	ignne = pc_coprocessor_error(pc, level);
	leave(pc);
	return ignne;
}

static const struct plx_machine_ops machine_ops = {
	.in = pc_in, .out = pc_out, .ins = pc_ins, .outs = pc_outs,
	.mmio_read = pc_mmio_read, .mmio_write = pc_mmio_write,
	.intack = pc_intack, .ferr = pc_ferr,
};

/* ---- time and input, from the event thread ---- */

uint64_t pc_deadline(struct pc *pc)
{
	uint64_t at;

	pc_lock_take(&pc->lock);
	at = pc->promised = pc->earliest;
	pc_lock_leave(&pc->lock);
	return at;
}

void pc_advance(struct pc *pc, uint64_t now_ns)
{
	pc_lock_take(&pc->lock);
	enter_at(pc, now_ns);
	leave(pc);
}

bool pc_serial_input(struct pc *pc, unsigned int port, uint8_t byte)
{
	bool taken;

	if (port > 1)
		return true;		/* no such port: as if it had been sent down an open line */
	enter(pc);
	taken = uart_input(&pc->uart[port], byte, pc->last_ns);
	pc_rearm(pc, PC_TIMER_COM1 + port);
	leave(pc);
	return taken;
}

bool pc_key_scancode(struct pc *pc, uint8_t set1_byte)
{
	bool taken;

	enter(pc);
	taken = kbd_scancode(&pc->kbd, set1_byte, pc->last_ns);
	pc_rearm(pc, PC_TIMER_KBD);
	leave(pc);
	return taken;
}

void pc_mouse(struct pc *pc, int dx, int dy, int dz, uint8_t buttons)
{
	enter(pc);
	kbd_mouse_event(&pc->kbd, dx, dy, dz, buttons, pc->last_ns);
	pc_rearm(pc, PC_TIMER_KBD);
	leave(pc);
}

void pc_power_button(struct pc *pc)
{
	enter(pc);
	acpi_pm_power_button(&pc->pm);
	pc_rearm(pc, PC_TIMER_PM);
	leave(pc);
}

void pc_break_lock(struct pc *pc)
{
	__atomic_store_n(&pc->lock.word, 0, __ATOMIC_RELEASE);
	pc_lock_wake(&pc->lock);
}

bool pc_powered_off(const struct pc *pc)
{
	return __atomic_load_n(&pc->powered_off, __ATOMIC_ACQUIRE);
}

/* ---- the screen ---- */

void pc_text_screen(struct pc *pc, struct pc_text_screen *screen)
{
	screen->valid = false;
	if (!pc->config.has_vga)
		return;
	pc_lock_take(&pc->lock);
	vga_text_snapshot(&pc->vga, screen);
	pc_lock_leave(&pc->lock);
}

void pc_picture(struct pc *pc, uint32_t *width, uint32_t *height, uint8_t *rgb, size_t nbytes)
{
	*width = *height = 0;
	if (!pc->config.has_vga)
		return;
	pc_lock_take(&pc->lock);
	vga_picture(&pc->vga, DEV_NEVER, width, height, rgb, nbytes);
	pc_lock_leave(&pc->lock);
}

/* ---- power-on ---- */

static void reset_chips(struct pc *pc, uint64_t now_ns)
{
	kbd_reset(&pc->kbd);
	port92_reset(&pc->port92);
	uart_reset(&pc->uart[0]);
	uart_reset(&pc->uart[1]);
	pc_coprocessor_reset(pc);
	dma8237_reset(&pc->dma);
	rtc_reset(&pc->rtc, now_ns);
	pit_reset(&pc->pit, now_ns);

	pci_reset(&pc->pci);
	ide_reset(&pc->ide);
	acpi_pm_reset(&pc->pm, now_ns);
	piix3_reset(&pc->piix3);
	i440fx_reset(&pc->i440fx);
	fwcfg_reset(&pc->fwcfg);
	if (pc->config.has_vga)
		vga_reset(&pc->vga);

	/* Last: what the others' lines did while they were reset is no request. */
	pic_reset(&pc->pic);
}

static void power_on(struct pc *pc, uint64_t now_ns)
{
	unsigned int i;

	__atomic_store_n(&pc->powered_off, false, __ATOMIC_RELEASE);
	reset_chips(pc, now_ns);
	if (!pc->config.firmware_bytes)
		pc_firmware_absent(pc, now_ns);
	pc_note_masks(pc);
	for (i = 1; i < PC_NR_TIMERS; i++)
		pc_rearm(pc, i);
}

void pc_reset(struct pc *pc)
{
	power_on(pc, enter(pc));
	leave(pc);
}

int pc_create(const struct pc_config *config, struct pc **result)
{
	struct pc *pc = plx_vm_alloc(config->vm, sizeof(*pc));
	unsigned int i;
	int err;

	if (!pc)
		return -ENOMEM;
	pc->config = *config;
	pc->vm = config->vm;
	pc->a20_open = true;
	pc->last_ns = config->now_ns(config->clock_owner);
	pc->earliest = DEV_NEVER;
	for (i = 0; i < PC_NR_TIMERS; i++)
		pc->due[i] = DEV_NEVER;

	err = pc_memory_init(pc);
	if (err)
		return err;
	pc_wire(pc);
	err = pc_firmware_init(pc);
	if (err)
		return err;
	plx_vm_set_a20(pc->vm, true);
	power_on(pc, pc->last_ns);
	plx_vm_set_machine(pc->vm, &machine_ops, pc);
	*result = pc;
	return 0;
}
