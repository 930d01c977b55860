# SPDX-License-Identifier: GPL-2.0-or-later
# tests/guests/lib/cover-recorded.awk - of plexus prescan --coverage --json, "address how cpl" of the 32-bit code in [first, last), unsorted.
# Asked by: run-coverage, and tests/module/inside/what_is_recorded_is_right.
function hex(s,   i, n) {
	for (i = 3; i <= length(s); i++) n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return n
}
/"type":"ran",/ && /"mode":32/ {
	match($0, /"address":"0x[0-9a-f]*"/); address = substr($0, RSTART + 11, RLENGTH - 12)
	if (hex(address) < first || hex(address) >= last) next
	match($0, /"how":\[[^]]*\]/); how = substr($0, RSTART + 7, RLENGTH - 8); gsub(/"/, "", how)
	match($0, /"cpl":\[[^]]*\]/); cpl = substr($0, RSTART + 7, RLENGTH - 8)
	print address, how, cpl
}
