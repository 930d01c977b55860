/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/module/guests/ring0_counted.c - tests/bench/ring0.c for a machine whose TSC counts instructions: rows so short that the
 * host's timer interrupt misses one of the three, and the empty loop as a row, to be subtracted.
 */
#define ROW_MS 1
#define ROW_EMPTY
#include "../../bench/ring0.c"
