/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/workload/work.h - the claims of plexwork: each checks one thing that ordinary programs rely on.
 *
 * A claim returns true when it holds, and otherwise says on standard error what it saw.
 */
#ifndef WORK_H
#define WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct claim {
	const char *name;
	bool (*holds)(void);
};

/* processes.c */
bool fork_copies_memory(void);
bool exec_passes_arguments(void);
bool pipes_carry_everything(void);
bool signals_arrive_in_order(void);
bool alternate_stack_survives_overflow(void);
bool timers_fire(void);
bool select_sees_what_is_ready(void);
bool threads_share_and_lock(void);
bool vfork_and_wait_status(void);

/* memory.c */
bool mmap_is_zeroed_and_private(void);
bool shared_mappings_are_shared(void);
bool mprotect_guards_pages(void);
bool brk_and_large_allocations(void);
bool every_page_of_many_keeps_its_value(void);
bool files_map_and_sync(void);
bool mremap_moves_data(void);

/* code.c */
bool generated_code_follows_its_changes(void);
bool generated_code_in_many_pages(void);
bool indirect_calls_reach_their_targets(void);
bool deep_recursion_returns(void);
bool exceptions_become_signals(void);
bool sha256_of_known_data(void);
bool sorting_is_right(void);

/* numbers.c */
bool x87_gives_known_results(void);
bool x87_rounding_modes(void);
bool x87_state_survives_switches(void);
bool integers_64_bit(void);

/* simd.c, compiled with SSE2 by attribute; skipped (true) where the processor has none */
bool sse_gives_known_results(void);
bool sse_state_survives_signals(void);

#endif
