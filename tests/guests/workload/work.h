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
	bool strict;
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

/* segments.c */
bool code_of_16_bits_runs(void);
bool stack_of_16_bits_keeps_esp(void);
bool code_in_a_based_segment_runs(void);
bool segment_limits_are_kept(void);
bool thread_storage_lies_below_its_base(void);
bool kernel_memory_is_out_of_reach(void);

/* tracing.c */
bool single_steps_see_every_instruction(void);
bool breakpoint_registers_stop_the_traced(void);
bool breakpoints_poked_into_code_are_met(void);
bool a_program_can_step_itself(void);
bool interrupts_find_registers_as_they_are(void);

/* odd.c */
bool forbidden_instructions_are_refused(void);
bool alignment_is_checked_when_asked_for(void);
bool numeric_errors_become_signals(void);
bool ports_open_and_close(void);
bool time_stamps_can_be_forbidden(void);
bool string_instructions_go_on_after_faults(void);
bool code_changes_right_before_it_runs(void);
bool code_changes_through_another_view(void);
bool low_pages_are_pages(void);
bool pages_without_execute_are_as_the_processor_says(void);

/* crowd.c */
bool a_crowd_passes_a_token(void);
bool a_crowd_keeps_its_floating_point(void);
bool a_crowd_shares_what_it_shares(void);
bool address_spaces_come_and_go(void);

#endif
