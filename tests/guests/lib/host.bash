#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/guests/lib/host.bash - what a machine leaves on its host: sourced by run-errors and run-killed.
#
# Asks of whoever sources it: $plexus, $work (a directory of this run alone; every image's path begins with it), $prefix.
# shellcheck disable=SC2154,SC2034 # those are the sourcing script's, and "failed" is for it

failed=0
plexus_exe=$(readlink -f "$plexus")

result() { # result PASS|FAIL|SKIP NAME [WHY]
	printf '%s %s%s.%s%s\n' "$1" "$prefix" "${0##*/run-}" "$2" "${3:+: $3}"
	[ "$1" != FAIL ] || failed=1
}

# The host processes of this run's machines, a number a line. Forked ones have the command line of the first.
vm_processes() {
	local at words
	for at in /proc/[0-9]*; do
		[ "$(readlink "$at/exe" 2>/dev/null)" = "$plexus_exe" ] || continue
		words=$(tr '\0' ' ' 2>/dev/null < "$at/cmdline")
		case $words in
		*"$work"*) echo "${at#/proc/}" ;;
		esac
	done
}

# gone: within two seconds no process of the machine is left. Says which ones are.
gone() {
	local tenth left
	for tenth in $(seq 20); do
		left=$(vm_processes)
		[ -n "$left" ] || return 0
		[ "$tenth" = 20 ] || sleep 0.1
	done
	echo "    still there: $(echo "$left" | tr '\n' ' ')"
	# They are ours: not to be left to the next test.
	# shellcheck disable=SC2086 # numbers
	kill -9 $left 2>/dev/null
	return 1
}

# nothing_left: no process, and no file where temporary ones go. $TMPDIR is $work/tmp for whoever starts plexus here.
nothing_left() {
	local files
	gone || return 1
	files=$(find "$work/tmp" -mindepth 1
		find /tmp /var/tmp /dev/shm -maxdepth 1 -type f -name '*plexus*' -user "$(id -un)" -newer "$work/began" 2>/dev/null)
	[ -z "$files" ] || { echo "    left behind: ${files//$'\n'/ }"; return 1; }
}

# one_sentence FILE [WORDS]: standard error is one line that begins with "plexus: ", with WORDS in it.
one_sentence() {
	if [ "$(wc -l < "$1")" -ne 1 ] || ! grep -q '^plexus: ' "$1"; then
		echo "    standard error is not one sentence:"
	elif ! grep -qF -- "${2:-}" "$1"; then
		echo "    standard error does not say '$2':"
	else
		return 0
	fi
	head -n 5 "$1" | sed 's/^/    | /'
	return 1
}

# work_directory NAME: makes $work, with a $TMPDIR in it that must stay empty. What it holds goes with the script.
work_directory() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/$1.XXXXXX") || exit 1
	trap 'left=$(vm_processes); [ -z "$left" ] || kill -9 $left 2>/dev/null; chmod -R u+rwX "$work"; rm -rf "$work"' EXIT
	mkdir "$work/tmp"
	export TMPDIR=$work/tmp
	: > "$work/began"
}
