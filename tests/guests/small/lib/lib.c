/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/lib/lib.c - output, power-off and memory functions; built for 32-bit and, with -m16, for real mode.
 */
#include <stdarg.h>
#include "guest.h"

/* PIIX4 power management where SeaBIOS puts it: base 600h, PM1_CNT at 4; SLP_EN with SLP_TYP 0 is S5, soft off. */
#define PM1_CONTROL 0x604
#define SLP_EN 0x2000

static void put(char c)
{
	uint16_t cs;

	/* User code has no ports: INT 31h prints for it. */
	__asm__ volatile("movw %%cs, %0" : "=r"(cs));
	if ((cs & 3) == 3) {
		__asm__ volatile("int $0x31" : : "a"(c));
		return;
	}
	outb(0x402, (uint8_t)c);
	while (!(inb(0x3fd) & 0x20))
		;
	outb(0x3f8, (uint8_t)c);
}

static void put_number(uint32_t value, unsigned int base, unsigned int width, char pad, bool minus)
{
	char digits[12];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (minus)
		digits[n++] = '-';
	for (; width > n; width--)
		put(pad);
	while (n)
		put(digits[--n]);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		unsigned int width = 0;
		char pad = ' ';
		int value;

		if (*format != '%') {
			put(*format);
			continue;
		}
		format++;
		if (*format == '0')
			pad = '0';
		for (; *format >= '0' && *format <= '9'; format++)
			width = width * 10 + (unsigned int)(*format - '0');
		switch (*format) {
		case 's':
			for (const char *s = va_arg(args, const char *); *s; s++)
				put(*s);
			break;
		case 'c':
			put((char)va_arg(args, int));
			break;
		case 'd':
			value = va_arg(args, int);
			put_number(value < 0 ? -(uint32_t)value : (uint32_t)value, 10, width, pad, value < 0);
			break;
		case 'u':
			put_number(va_arg(args, uint32_t), 10, width, pad, false);
			break;
		case 'x':
			put_number(va_arg(args, uint32_t), 16, width, pad, false);
			break;
		default:
			put(*format);
		}
	}
	va_end(args);
}

void *memset(void *to, int byte, size_t n)
{
	for (uint8_t *p = to; n; n--)
		*p++ = (uint8_t)byte;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	uint8_t *t = to;

	for (const uint8_t *f = from; n; n--)
		*t++ = *f++;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void end(void)
{
	print("END\n");
	outw(PM1_CONTROL, SLP_EN);
	for (;;)
		__asm__ volatile("cli; hlt");
}
