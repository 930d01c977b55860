/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/fpu.c - x87 and SSE with known results, lazy switching by CR0.TS, EM and OSFXSR, and their exceptions.
 * SDM 1, "Programming with the x87 FPU" and "Programming with SSE"; SDM 3A, "Saving the x87 FPU, MMX, SSE State".
 */
#include "guest.h"

static volatile uint32_t nm_count;
static volatile double d[8];
static uint8_t area[2][512] __attribute__((aligned(16)));
static uint32_t vector[4] __attribute__((aligned(16)));

static void lazy(struct frame *f)
{
	(void)f;
	nm_count++;
	__asm__ volatile("clts");
}

static void show_double(const char *what, const volatile double *value)
{
	const volatile uint32_t *w = (const volatile uint32_t *)value;

	print("%s %08x%08x\n", what, w[1], w[0]);
}

static uint16_t status(void)
{
	uint16_t sw;

	__asm__ volatile("fnstsw %0" : "=a"(sw));
	return sw;
}

static void x87(void)
{
	uint16_t cw;
	uint32_t integer;

	__asm__ volatile("fninit; fnstcw %0" : "=m"(cw));
	print("fninit: cw %x sw %x\n", cw, status());
	__asm__ volatile("fld1; fldpi; fmulp; fstpl %0" : "=m"(d[0]));
	show_double("pi", &d[0]);
	__asm__ volatile("fldl2e; fldln2; fmulp; fstpl %0" : "=m"(d[0]));
	show_double("log2e ln2", &d[0]);
	integer = 1000000007;
	__asm__ volatile("fildl %1; fsqrt; fstpl %0" : "=m"(d[0]) : "m"(integer));
	show_double("sqrt", &d[0]);
	__asm__ volatile("fld1; fildl %1; fdivrp; fstpl %0" : "=m"(d[0]) : "m"(integer));
	show_double("divide", &d[0]);
	__asm__ volatile("fldl %1; fistpl %0" : "=m"(integer) : "m"(d[0]));
	print("rounded %d\n", (int)integer);
	/* Rounding modes. */
	for (unsigned int mode = 0; mode < 4; mode++) {
		cw = 0x037f | mode << 10;
		__asm__ volatile("fldcw %0" : : "m"(cw));
		d[1] = -2.5;
		__asm__ volatile("fldl %1; frndint; fstpl %0" : "=m"(d[2]) : "m"(d[1]));
		show_double("round -2.5:", &d[2]);
	}
	__asm__ volatile("fninit; fld1; fldz; fcompp");
	print("compare 0 with 1: c %x\n", status() & 0x4700);
	__asm__ volatile("fninit; fldz; fld1; fdivp; fstpl %0" : "=m"(d[0]));
	show_double("1/0 or 0/1", &d[0]);
	print("sw %x\n", status());
	__asm__ volatile("fnclex");
	__asm__ volatile("fld1; fcomi %%st, %%st; fstp %%st; fldl %0; fldl %0; fucomip; fstp %%st" : : "m"(d[0]) : "cc");
	{
		uint32_t environment[7];

		__asm__ volatile("fninit; fld1; fnstenv %0" : "=m"(environment));
		print("fnstenv: cw %x sw %x tw %x\n", environment[0] & 0xffff, environment[1] & 0xffff, environment[2] & 0xffff);
	}
	__asm__ volatile("fninit");
}

static void task_switched(void)
{
	uint32_t cr0 = read_cr0();

	write_cr0(cr0 | 8);
	TRY("fldz");
	show("fld with ts");
	TRY("fwait");
	show("fwait with ts, mp 0");
	write_cr0(cr0 | 8 | 2);
	TRY("fwait");
	show("fwait with ts, mp 1");
	TRY("movaps %%xmm0, %%xmm1", : );
	show("movaps with ts");
	write_cr0((cr0 & ~8u) | 4);
	TRY("fldz");
	show("fld with em");
	TRY("movaps %%xmm0, %%xmm1", : );
	show("movaps with em");
	write_cr0(cr0);
	TRY("fldz; fstp %%st", : );
	show("fld");

	/* A handler that gives the FPU: each of 100 switches costs one #NM. */
	hook[7] = lazy;
	d[3] = 0;
	__asm__ volatile("fninit; fldz");
	for (unsigned int i = 0; i < 100; i++) {
		write_cr0(read_cr0() | 8);
		__asm__ volatile("fld1; faddp");
	}
	__asm__ volatile("fstpl %0" : "=m"(d[3]));
	show_double("sum", &d[3]);
	print("#NM %u\n", nm_count);
	hook[7] = 0;
}

static void sse(void)
{
	static const uint32_t a[4] __attribute__((aligned(16))) = { 0x3f800000, 0x40000000, 0x40400000, 0x40800000 };
	static const double b[2] __attribute__((aligned(16))) = { 1.5, -2.25 };
	uint32_t mxcsr, cr4 = read_cr4();

	TRY("movaps %%xmm0, %%xmm1", : );
	show("movaps without osfxsr");
	write_cr4(cr4 | 0x200);
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	print("mxcsr %x\n", mxcsr);
	__asm__ volatile("movaps %1, %%xmm0; addps %%xmm0, %%xmm0; mulps %1, %%xmm0; movaps %%xmm0, %0" : "=m"(vector) : "m"(a));
	print("ps %08x %08x %08x %08x\n", vector[0], vector[1], vector[2], vector[3]);
	__asm__ volatile("movapd %1, %%xmm1; sqrtpd %%xmm1, %%xmm2; mulpd %%xmm1, %%xmm1; movapd %%xmm1, %0" : "=m"(vector) : "m"(b));
	print("pd %08x%08x %08x%08x\n", vector[1], vector[0], vector[3], vector[2]);
	__asm__ volatile("pcmpeqd %%xmm3, %%xmm3; psrlw $9, %%xmm3; movdqu %%xmm3, %0" : "=m"(vector));
	print("mmx in xmm %08x\n", vector[3]);
	TRY("movaps 4(%0), %%xmm0", : : "r"(vector));
	show("movaps unaligned");

	/* FXSAVE and FXRSTOR carry all of it. */
	__asm__ volatile("fninit; fldpi; movaps %1, %%xmm7; fxsave %0; fninit; pxor %%xmm7, %%xmm7" : "=m"(area[0]) : "m"(a));
	__asm__ volatile("fxrstor %1; movaps %%xmm7, %0; fstpl %2" : "=m"(vector) : "m"(area[0]), "m"(d[0]));
	print("fxsave: xmm7 %08x %08x cw %x\n", vector[0], vector[3], *(uint16_t *)area[0]);
	show_double("st0", &d[0]);

	/* SIMD exceptions: masked; unmasked ones are in fpu-traps.c. */
	mxcsr = 0x1f80;
	__asm__ volatile("ldmxcsr %0; pxor %%xmm0, %%xmm0; movaps %1, %%xmm1; divps %%xmm0, %%xmm1; stmxcsr %0" : "+m"(mxcsr) : "m"(a));
	print("masked divide: mxcsr %x\n", mxcsr);
	mxcsr = 0x1f80;
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	print("mxcsr %x\n", mxcsr);
	write_cr4(cr4);
}

static void user(void)
{
	TRY("fldz; fstp %%st", : );
	show("user fld");
	TRY("clts");
	show("user clts");
}

static void exceptions(void)
{
	static const uint16_t unmasked = 0x0340;
	uint32_t cr0 = read_cr0();

	/* CR0.NE: #MF at the next waiting instruction, not at the one that erred. */
	write_cr0(cr0 | 0x20);
	__asm__ volatile("fninit; fldcw %0; fld1; fldz" : : "m"(unmasked));
	TRY("fdivrp %%st, %%st(1)", : );
	show("1/0 itself");
	TRY("fnstsw %%ax", : : : "eax");
	show("fnstsw");
	TRY("fwait");
	show("fwait");
	TRY("fnclex; fwait");
	show("after fnclex");
	__asm__ volatile("fninit");
	run_user(user);
	write_cr0(cr0 | 8);
	run_user(user);
	write_cr0(cr0);
}

void guest_main(void)
{
	write_cr0(read_cr0() & ~0x2eu);
	x87();
	sse();
	write_cr4(read_cr4() | 0x200);
	task_switched();
	exceptions();
}
