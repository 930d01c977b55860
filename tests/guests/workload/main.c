/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/workload/main.c - plexwork: "list" names the claims, a name checks one, "all" checks all. */
#include <stdio.h>
#include <string.h>
#include "work.h"

#define CLAIM(name) { #name, name }

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
};

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
		holds = claims[i].holds();
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
