/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/opcode_table_3dnow.h - 0F 0F /r ib, where the last byte is the opcode
 * (AMD 3DNow! Technology Manual, "3DNow! Instruction Set").
 *
 * Read by opcode_table_all.h. ModRM and address are decoded by the row of 0F 0F.
 */
#define N(op, name)	ROW(OP(op), name, FPU, M_R | MMX, NONE, FPU_MMX)
N(0x0c, "PI2FW")	N(0x0d, "PI2FD")
N(0x1c, "PF2IW")	N(0x1d, "PF2ID")
N(0x8a, "PFNACC")	N(0x8e, "PFPNACC")
N(0x90, "PFCMPGE")	N(0x94, "PFMIN")
N(0x96, "PFRCP")	N(0x97, "PFRSQRT")
N(0x9a, "PFSUB")	N(0x9e, "PFADD")
N(0xa0, "PFCMPGT")	N(0xa4, "PFMAX")
N(0xa6, "PFRCPIT1")	N(0xa7, "PFRSQIT1")
N(0xaa, "PFSUBR")	N(0xae, "PFACC")
N(0xb0, "PFCMPEQ")	N(0xb4, "PFMUL")
N(0xb6, "PFRCPIT2")	N(0xb7, "PMULHRW")
N(0xbb, "PSWAPD")	N(0xbf, "PAVGUSB")
#undef N
