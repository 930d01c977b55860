#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/check-ring0.sh - the freestanding archives keep their promises (run by make check, in the build directory).
#
#   1. Together they ask for nothing but the symbols in tests/ring0-symbols.txt.
#   2. They hold no writable data: everything hangs off a context pointer.
#   3. They use no vector or x87 registers: what the compiler emits must not touch the guest's.
set -u
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
nm=${NM:-nm}
list=$top_srcdir/tests/ring0-symbols.txt
archives=(prescan/libprescan-ring0.a nexus/libnexus-ring0.a monitor/libmonitor-ring0.a host-module/libtables-ring0.a)
failed=0

verdict() { # verdict NAME LINES: passes when LINES is empty
	if [ -z "$2" ]; then
		echo "[       OK ] $1"
	else
		echo "[  FAILED  ] $1"
		printf '%s\n' "$2" | sed 's/^/    /'
		failed=1
	fi
}

for archive in "${archives[@]}"; do
	if [ ! -e "$archive" ]; then
		echo "[  FAILED  ] $archive is not built; run make first, and this in the build directory"
		exit 1
	fi
done

defined=$("$nm" --defined-only "${archives[@]}" 2>/dev/null | awk 'NF == 3 && $2 ~ /^[A-Zu]$/ {print $3}' | sort -u)
wanted=$("$nm" -u "${archives[@]}" 2>/dev/null | awk '$1 == "U" {print $2}' | sort -u)
# The linker makes this one up where position-independent code reads its table of addresses.
outside=$(comm -23 <(printf '%s\n' "$wanted") <(printf '%s\n' "$defined") | grep -v -x _GLOBAL_OFFSET_TABLE_)
allowed=$(grep -v '^#' "$list" | sort -u)

verdict ring0_archives_ask_for_listed_symbols_only "$(comm -23 <(printf '%s\n' "$outside") <(printf '%s\n' "$allowed"))"
verdict ring0_symbol_list_has_no_idle_line "$(comm -13 <(printf '%s\n' "$outside") <(printf '%s\n' "$allowed"))"

# .data.rel.ro is read-only once relocated: tables of pointers may stand there.
verdict ring0_archives_hold_no_writable_data "$(for archive in "${archives[@]}"; do
	size -A "$archive" 2>/dev/null | awk -v archive="$archive" '
		/:$/ || / \(ex / {member = $1}
		$1 ~ /^\.(data|bss|tdata|tbss)$/ && $2 > 0 {print archive, member, $1, $2, "bytes"}
		$1 ~ /^\.(data|bss)\./ && $1 !~ /^\.data\.rel\.ro/ && $2 > 0 {print archive, member, $1, $2, "bytes"}'
	"$nm" "$archive" 2>/dev/null | awk -v archive="$archive" '$2 == "C" {print archive, $3, "common"}'
done)"

# Only C code is bound by this; hand-written switches save and restore the guest's FPU state on purpose. An assembler
# source's member is named after it: libnexus_ring0_a-switch.o for nexus/switch.S.
by_hand=$(find "$top_srcdir/prescan" "$top_srcdir/nexus" "$top_srcdir/monitor" -name '*.S' -exec basename {} .S \; | tr '\n' ' ')
verdict ring0_c_code_uses_general_registers_only "$(for archive in "${archives[@]}"; do
	objdump -d --no-show-raw-insn "$archive" 2>/dev/null | awk -v archive="$archive" -v by_hand="$by_hand" '
		BEGIN {n = split(by_hand, name, " "); for (i = 1; i <= n; i++) skip_member["-" name[i] ".o:"] = 1}
		/file format/ {skip = 0; for (m in skip_member) if (index($1, m)) skip = 1; member = $1}
		/^[0-9a-f]+ <.*>:$/ {function_name = $2}
		!skip && /%[xyz]mm[0-9]|%st\(/ {print archive, member, function_name, $0}' | head -n 20
done)"

exit $failed
