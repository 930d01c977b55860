/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/opcode_table.c - the rows, as the decoder reads them.
 *
 * All of IA-32's opcodes are in the opcode_table_*.h files; here they become one
 * constant array. A doubled row is a compile error (-Woverride-init).
 *
 * Asked by:  prescan/decode.c.
 * Read next: prescan/decode.c.
 */
#include "prescan/opcode_table.h"

const struct prescan_row prescan_rows[PRESCAN_NR_ROWS] = {
#define ROW(at, name, klass_, bits_, imm_, why) \
	[at] = { .bits = (bits_), .klass = PRESCAN_##klass_, .imm = IMM_##imm_, .quick = QUICK(PRESCAN_##klass_, bits_, IMM_##imm_) },
#define GROUP(at, tag, sel_, n) \
	[at] = { .sel = SEL_##sel_, .next = G_##tag },
#define PREFIX(at)	[at] = { .sel = SEL_PREFIX },
#define ESCAPE(at, map)	[at] = { .sel = SEL_MAP, .next = (map) },
#include "prescan/opcode_table_all.h"
};
