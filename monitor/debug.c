/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/debug.c - the guest's breakpoints: DR0 to DR3 under DR7.
 *
 *      sysreg.c, task.c (DR7 changed) --> mon_debug_arm --> vcpu->debug_armed
 *      memory.c (an access, while data breakpoints are armed) --> mon_debug_data --> vcpu->debug_hits
 *      interp.c (mon_step) --> mon_debug_code, and the trap for what was hit
 *
 * Breakpoints are the guest's debuggers' business and rare, so they cost nothing while DR7 enables none: the engine then
 * runs code natively and never asks. While it enables any, the engine steps, and each instruction and each access is
 * compared here. The host's own debug registers stay the host's.
 *
 * Asked by:  see above. Asks: nothing.
 * Source:    SDM 3B, "Debug Registers", "Debug Exceptions".
 * Built:     twice, freestanding and hosted.
 * Tested by: tests/unit/test_debug.c, tests/guests/small/debug.c.
 *
 * I/O breakpoints (R/W = 10 with CR4.DE) are accepted and never hit.
 */
#include "monitor/mon.h"

enum { RW_CODE = 0, RW_WRITE = 1, RW_IO = 2, RW_ACCESS = 3 };

/* DR7: Ln and Gn in bits 2n and 2n + 1; R/Wn in bits 16 + 4n, LENn above it. */
static bool enabled(const struct mon_vcpu *v, unsigned int n) { return v->dr[7] >> 2 * n & 3; }
static unsigned int kind(const struct mon_vcpu *v, unsigned int n) { return v->dr[7] >> (16 + 4 * n) & 3; }

static uint32_t length(const struct mon_vcpu *v, unsigned int n)
{
	static const uint8_t bytes[] = { 1, 2, 8, 4 };

	return bytes[v->dr[7] >> (18 + 4 * n) & 3];
}

void mon_debug_arm(struct mon_vcpu *v)
{
	uint8_t armed = 0;

	for (unsigned int n = 0; n < 4; n++)
		if (enabled(v, n) && kind(v, n) != RW_IO)
			armed |= kind(v, n) == RW_CODE ? MON_DEBUG_CODE : MON_DEBUG_DATA;
	v->debug_armed = armed;
	if (!(armed & MON_DEBUG_DATA))
		v->debug_hits = 0;
}

uint8_t mon_debug_code(const struct mon_vcpu *v, uint32_t linear)
{
	uint8_t hits = 0;

	for (unsigned int n = 0; n < 4; n++)
		if (enabled(v, n) && kind(v, n) == RW_CODE && v->dr[n] == linear)
			hits |= (uint8_t)(1u << n);
	return hits;
}

void mon_debug_data(struct mon_vcpu *v, uint32_t linear, uint32_t nbytes, bool write)
{
	for (unsigned int n = 0; n < 4; n++) {
		uint32_t len = length(v, n), base = v->dr[n] & ~(len - 1);	/* the low bits of an address are ignored */

		if (!enabled(v, n) || (kind(v, n) != RW_ACCESS && !(kind(v, n) == RW_WRITE && write)))
			continue;
		/* Either begins inside the other; differences wrap as addresses do. */
		if (base - linear < nbytes || linear - base < len)
			v->debug_hits |= (uint8_t)(1u << n);
	}
}
