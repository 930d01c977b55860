# SPDX-License-Identifier: GPL-2.0-or-later
# tests/guests/lib/trace-numbers.awk - from a trace's lines of JSON: "MNEMONIC class number" of the sensitive instructions that did
# not fault; string instructions by elements. As small/count.numbers has them, but unsorted.
# Asked by: run-trace, and tests/module/inside/what_is_recorded_is_right.
function text(key,   at) {
	if (!match($0, "\"" key "\": \"[^\"]*\"")) return ""
	at = length(key) + 6
	return substr($0, RSTART + at - 1, RLENGTH - at)
}
text("event") == "insn" && text("result") != "faulted" && text("class") !~ /^(plain|fpu|branch)$/ {
	n = match($0, /"elements": [0-9]+/) ? substr($0, RSTART + 12, RLENGTH - 12) : 1
	count[text("insn") " " text("class")] += n
}
END { for (key in count) print key, count[key] }
