/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/workload/main.c - plexwork: "list" names the claims, a name checks one, "all" checks all. */
#include <cpuid.h>
#include <stdio.h>
#include <string.h>
#include "work.h"

#define CLAIM(claim) { .name = #claim, .holds = claim }
/* A true processor does this, and so must we; QEMU's TCG is known not to, and is excused. */
#define STRICT(claim) { .name = #claim, .holds = claim, .strict = true }

static const struct claim claims[] = {
	CLAIM(fork_copies_memory), CLAIM(exec_passes_arguments), CLAIM(pipes_carry_everything), CLAIM(signals_arrive_in_order),
	CLAIM(alternate_stack_survives_overflow), CLAIM(timers_fire), CLAIM(select_sees_what_is_ready), CLAIM(threads_share_and_lock),
	CLAIM(vfork_and_wait_status),
	CLAIM(mmap_is_zeroed_and_private), CLAIM(shared_mappings_are_shared), CLAIM(mprotect_guards_pages), CLAIM(brk_and_large_allocations),
	CLAIM(every_page_of_many_keeps_its_value), CLAIM(files_map_and_sync), CLAIM(mremap_moves_data),
	CLAIM(generated_code_follows_its_changes), CLAIM(generated_code_in_many_pages), CLAIM(indirect_calls_reach_their_targets),
	CLAIM(deep_recursion_returns), CLAIM(exceptions_become_signals), CLAIM(sha256_of_known_data), CLAIM(sorting_is_right),
	CLAIM(x87_gives_known_results), CLAIM(x87_rounding_modes), CLAIM(x87_state_survives_switches), CLAIM(integers_64_bit),
	CLAIM(sse_gives_known_results), CLAIM(sse_state_survives_signals),
	STRICT(code_of_16_bits_runs), CLAIM(stack_of_16_bits_keeps_esp), STRICT(code_in_a_based_segment_runs),
	STRICT(segment_limits_are_kept), CLAIM(thread_storage_lies_below_its_base), CLAIM(kernel_memory_is_out_of_reach),
	CLAIM(single_steps_see_every_instruction), CLAIM(breakpoint_registers_stop_the_traced),
	CLAIM(breakpoints_poked_into_code_are_met), CLAIM(a_program_can_step_itself),
	CLAIM(interrupts_find_registers_as_they_are), STRICT(forbidden_instructions_are_refused),
	STRICT(alignment_is_checked_when_asked_for), STRICT(numeric_errors_become_signals), CLAIM(ports_open_and_close),
	CLAIM(time_stamps_can_be_forbidden), CLAIM(string_instructions_go_on_after_faults),
	CLAIM(code_changes_right_before_it_runs), CLAIM(code_changes_through_another_view), CLAIM(low_pages_are_pages),
	CLAIM(pages_without_execute_are_as_the_processor_says), CLAIM(a_crowd_passes_a_token),
	CLAIM(a_crowd_keeps_its_floating_point), CLAIM(a_crowd_shares_what_it_shares), CLAIM(address_spaces_come_and_go),
};

static bool in_tcg(void)
{
	unsigned int max, b, c, d;

	__cpuid(1, max, b, c, d);
	if (!(c >> 31 & 1))		/* no hypervisor */
		return false;
	__cpuid(0x40000000, max, b, c, d);
	return b == 0x54474354;		/* "TCGT" */
}

int main(int argc, char **argv)
{
	const size_t n = sizeof(claims) / sizeof(claims[0]);
	int wrong = 0;

	if (argc == 3 && strcmp(argv[1], "echo-arguments") == 0)
		return strcmp(argv[2], "one argument with blanks") == 0 ? 42 : 1;
	if (argc != 2) {
		fprintf(stderr, "usage: plexwork list|all|CLAIM\n");
		return 2;
	}
	if (strcmp(argv[1], "list") == 0) {
		for (size_t i = 0; i < n; i++)
			puts(claims[i].name);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		bool holds;

		if (strcmp(argv[1], "all") != 0 && strcmp(argv[1], claims[i].name) != 0)
			continue;
		holds = (claims[i].strict && in_tcg()) || claims[i].holds();
		if (strcmp(argv[1], "all") == 0)
			printf("%s %s\n", holds ? "ok" : "WRONG", claims[i].name);
		else
			return holds ? 0 : 1;
		wrong += !holds;
	}
	if (strcmp(argv[1], "all") == 0)
		return wrong != 0;
	fprintf(stderr, "no claim %s\n", argv[1]);
	return 2;
}
