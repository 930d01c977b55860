# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/module/lib/figures.awk - the table of tests/module/run --bench, and its JSON.
#
#   awk -v json=FILE -f figures.awk FIGURES [BENCH.JSON]
#
# How far figures go: with QEMU's -icount an instruction is one count of the TSC, on every host and in every run. What disturbs is the
# timer interrupt inside (every four million counts, some 3000 each); rows are short, and the least of several passes counts. So
# rows of machine_costs.c are exact to a few counts, and those of ring0.c, with longer rows, to a percent or so.
# What an instruction costs is another matter: a CR3 load, an exception, LTR or WRMSR is one count and takes hundreds of cycles, REP
# counts its rounds. These are for comparing two versions of the code, or parts of one, not for foretelling nanoseconds.
#
# FIGURES has lines "NAME VALUE" in instructions, HOST.NAME where the same program ran under both hosts (process.cli_sti,
# module.cli_sti). BENCH.JSON is what ./dev bench wrote on this machine: the process host's nanoseconds, in its group ring0.
function say(name, what) { what_of[name] = what; order[++named] = name }
BEGIN {
	say("cpuid", "callout: out of the guest, interpreted, back in")
	say("read_cr0", "callout")
	say("clts", "callout")
	say("near_call", "native")
	say("cli_sti", "inline form")
	say("pushf_popf", "inline form")
	say("pushf_cli_popf", "inline form")
	say("far_call", "far call and far return")
	say("load_es", "segment load")
	say("read_ds", "inline form")
	say("rdtsc", "native")
	say("int_iret", "INT n and IRET at CPL 0: two callouts")
	say("ud2_iret", "an exception, its handler, IRET")
	say("out_80", "a device behind user space, no effect")
	say("in_uart", "the same, read")
	say("in_pit", "the same, read")
	say("in_pic", "the same, read")
	say("vga_write", "a store to the text memory of the VGA")
	say("invlpg_touch", "INVLPG, nothing changed, and a load")
	say("write_pte", "a store into a page table that is not watched: native")
	say("mov_cr3", "CR3 again, nothing changed, and a load")
	say("page_fault", "a guest's page fault: PTE, INVLPG, load, #PF, handler, IRET")
	nboth = named
	say("system_call_of_host", "an ioctl that the module does not know: the host's way in and out")
	say("world_switch", "kernel -> monitor's world -> kernel, by a command, without that ioctl")
	say("device_out_run_call", "PLEXUS_RUN from OUT to OUT, as user space sees it: the ioctl, the world switch, the guest")
	say("device_out", "OUT to a device that user space answers at once, as the guest sees it")
	say("device_in", "IN, the same")
	say("device_memory", "store to a device's page, the same")
	say("interrupt_in_guest", "host's timer interrupt while a guest runs: all of it")
	say("interrupt_in_program", "the same while a program of the host runs; the difference is the module's")
	say("callout_smsw", "callout: SMSW")
	say("sti_shadow", "sti; nop; cli")
	say("int_iret.", "INT n and IRET at CPL 0, exactly")
	say("ud2_iret.", "#UD, the handler steps over it")
	say("gp_iret", "#GP of a segment load, the handler steps over it")
	say("system_call", "INT from CPL 3 to CPL 0 and IRET")
	say("fill_neighbours", "touch the next page, never mapped before")
	say("fill_far", "touch a page 128 KiB on, never mapped before")
	say("cr3_same", "CR3 again, nothing changed, and a load (3 tables seen)")
	say("cr3_changed", "CR3 again, one entry changed, and a load of its page")
	say("cr3_other", "CR3 of another address space, and a load")
	say("invlpg_same", "INVLPG, nothing changed, and a load")
	say("invlpg_changed", "INVLPG of a changed entry, and a load")
	say("page_fault.", "a guest's page fault, exactly")
	say("window_moves", "one move of the monitor's window, with the two stores that cause it")
	say("store_watched", "store into a page directory that is watched")
	split("cli_sti pushf_popf read_ds read_cr0", things)
	split("int3 gate farcall adaptive", strategies)
	for (i = 1; i in things; i++)
		for (j = 1; j in strategies; j++)
			say(things[i] "_" strategies[j], "the same under --rewrite=" strategies[j])
}
FILENAME ~ /json$/ {
	if (match($0, /"group": "ring0", "name": "[a-z0-9_]+"/)) {
		name = substr($0, RSTART + 27, RLENGTH - 28)
		if (match($0, /"plexus": [0-9.e+]+/))
			ns[name] = substr($0, RSTART + 10, RLENGTH - 10)
	}
	next
}
{ value[$1] = $2 }
function number(v) { return v == "" ? "-" : v >= 1000 ? sprintf("%.0f", v) : sprintf("%.1f", v) }
# The loop around a row of ring0.c.
function less(v, loop) { return v == "" ? "" : v - loop < 0.05 ? 0 : v - loop }
END {
	printf "{\n  \"unit\": \"instructions\",\n  \"rows\": [\n" > json
	for (i = 1; i <= named; i++) {
		name = order[i]
		plain = name
		sub(/[.]$/, "", plain)
		if (i <= nboth) {
			module = less(value["module." name], value["module.empty"])
			process = less(value["process." name], value["process.empty"])
			if (module process != "" && !headed["both"]++)
				printf "\n%-22s %12s %12s %14s   %s\n", "under both hosts", "module", "process", "process, ns", "one of what (instructions; ns: of ./dev bench)"
		} else {
			module = value[plain]
			process = ""
			if (module != "" && !headed["module"]++)
				printf "\n%-22s %12s %12s %14s   %s\n", "module host alone", "module", "", "process, ns", "one of what"
		}
		if (module == "" && process == "")
			continue
		printf "%-22s %12s %12s %14s   %s\n", plain, number(module), process == "" ? "" : number(process), i <= nboth ? number(ns[plain]) : "", what_of[name]
		line = sprintf("    {\"group\": \"%s\", \"name\": \"%s\"", i <= nboth ? "both" : "module", plain)
		if (module != "") line = line sprintf(", \"module\": %s", module)
		if (process != "") line = line sprintf(", \"process\": %s", process)
		if (i <= nboth && ns[plain] != "") line = line sprintf(", \"process_ns\": %s", ns[plain])
		printf "%s%s, \"what\": \"%s\"}", (written++ ? ",\n" : ""), line, what_of[name] > json
	}
	printf "\n  ]\n}\n" > json
}
