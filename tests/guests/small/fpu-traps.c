/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/fpu-traps.c - x87 and SSE behaviour that fpu.c leaves out because TCG differs: stack overflow, #XM,
 * reserved MXCSR bits, EMMS with TS, and that a pending x87 exception stops each waiting instruction.
 * SDM 1, "x87 FPU Exception Handling", "SSE and SSE2 SIMD Floating-Point Exceptions"; SDM 2A, "EMMS".
 */
#include "guest.h"

static uint16_t status(void)
{
	uint16_t sw;

	__asm__ volatile("fnstsw %0" : "=a"(sw));
	return sw;
}

void guest_main(void)
{
	static const uint32_t ones[4] __attribute__((aligned(16))) = { 0x3f800000, 0x3f800000, 0x3f800000, 0x3f800000 };
	static const uint16_t unmasked = 0x0340;
	uint32_t cr0 = read_cr0() & ~0x2eu, cr4 = read_cr4(), mxcsr;

	write_cr0(cr0);
	__asm__ volatile("fninit; fld1; fld1; fld1; fld1; fld1; fld1; fld1; fld1; fld1");
	print("overflow: sw %x\n", status());
	__asm__ volatile("fninit; fstp %st");
	print("underflow: sw %x\n", status());
	__asm__ volatile("fninit");

	write_cr0(cr0 | 8);
	TRY("emms");
	show("emms with ts");
	write_cr0(cr0 | 4);
	TRY("emms");
	show("emms with em");
	write_cr0(cr0);

	write_cr0(cr0 | 0x20);
	__asm__ volatile("fninit; fldcw %0; fld1; fldz" : : "m"(unmasked));
	TRY("fdivrp %%st, %%st(1)", : );
	show("1/0 itself");
	TRY("fld1");
	show("fld behind it");
	TRY("fldcw %0", : : "m"(unmasked));
	show("fldcw behind it");
	TRY("fnstsw %%ax", : : : "eax");
	show("fnstsw behind it");
	TRY("fnclex; fld1");
	show("after fnclex");
	__asm__ volatile("fninit");
	write_cr0(cr0);

	write_cr4(cr4 | 0x600);
	mxcsr = 0x1d80;				/* divide by zero unmasked */
	__asm__ volatile("ldmxcsr %0; pxor %%xmm0, %%xmm0; movaps %1, %%xmm1" : : "m"(mxcsr), "m"(ones));
	TRY("divps %%xmm0, %%xmm1", : );
	show("divps, osxmmexcpt");
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	print("mxcsr %x\n", mxcsr);
	write_cr4(cr4 | 0x200);
	TRY("divps %%xmm0, %%xmm1", : );
	show("divps, no osxmmexcpt");
	mxcsr = 0x1f80;
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	mxcsr = 0x80000000u;
	TRY("ldmxcsr %0", : : "m"(mxcsr));
	show("reserved bit in mxcsr");
}
