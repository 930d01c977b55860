/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/opcode_table_all.h - every map once, in row order.
 *
 * No include guard: opcode_table.h, opcode_table.c and names.c each include it
 * under their own meaning of ROW and GROUP. MAP is where the map at hand begins;
 * MAPTAG and IN_MAP name the group of one of its opcodes.
 */
#define MAP ROWS_1B
#include "prescan/opcode_table_1b.h"
#include "prescan/opcode_table_x87.h"
#undef MAP

#define MAP ROWS_0F
#define MAPTAG(op)	T0F_##op
#define IN_MAP(op, i)	IN(T0F_##op, i)
#include "prescan/opcode_table_0f.h"
#include "prescan/opcode_table_sse.h"
#undef MAP
#undef MAPTAG
#undef IN_MAP

#define MAP ROWS_0F38
#define MAPTAG(op)	T0F38_##op
#define IN_MAP(op, i)	IN(T0F38_##op, i)
#include "prescan/opcode_table_0f38.h"
#undef MAP
#undef MAPTAG
#undef IN_MAP

#define MAP ROWS_0F3A
#define MAPTAG(op)	T0F3A_##op
#define IN_MAP(op, i)	IN(T0F3A_##op, i)
#include "prescan/opcode_table_0f3a.h"
#undef MAP
#undef MAPTAG
#undef IN_MAP

#define MAP ROWS_3DNOW
#include "prescan/opcode_table_3dnow.h"
#undef MAP

#define MAP ROWS_VEX_0F
#define MAPTAG(op)	TV0F_##op
#define IN_MAP(op, i)	IN(TV0F_##op, i)
#include "prescan/opcode_table_vex_0f.h"
#undef MAP
#undef MAPTAG
#undef IN_MAP

#define MAP ROWS_VEX_0F38
#define MAPTAG(op)	TV0F38_##op
#define IN_MAP(op, i)	IN(TV0F38_##op, i)
#include "prescan/opcode_table_vex_0f38.h"
#undef MAP
#undef MAPTAG
#undef IN_MAP

#define MAP ROWS_VEX_0F3A
#define MAPTAG(op)	TV0F3A_##op
#define IN_MAP(op, i)	IN(TV0F3A_##op, i)
#include "prescan/opcode_table_vex_0f3a.h"
#undef MAP
#undef MAPTAG
#undef IN_MAP
