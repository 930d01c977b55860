# SPDX-License-Identifier: GPL-2.0-or-later
# tests/guests/lib/cover.bash - what the labels of small/cover.c promise of a run. To be sourced.
# Asked by: run-coverage, and tests/module/lib/machine.bash for the bench.
# shellcheck shell=bash

cover_symbol() { # cover_symbol ELF NAME
	nm "$1" | sed -n "s/^\([0-9a-f]*\) . $2\$/\1/p"
}

# "address how cpl" a line, sorted. The place that is patched has two forms, so it is named twice.
cover_promised() { # cover_promised ELF STRATEGY
	local address how cpl patched
	patched=$(cover_symbol "$1" cover_patched)
	nm "$1" | sed -n 's/^\([0-9a-f]*\) . cov_\(.\)\(.\)_.*/\1 \2 \3/p' | while read -r address how cpl; do
		case $how in
		z) continue ;;
		n) how=native ;;
		i) how=inlined; [ "$2" = adaptive ] || how=nexus ;;
		x) how=nexus ;;
		t) how=interpreted ;;
		esac
		[ "$2" != interpret ] || how=interpreted
		echo "0x$(printf %x "0x$address") $how $cpl"
		[ "$address" != "$patched" ] || echo "0x$(printf %x "0x$address") $how $cpl"
	done | LC_ALL=C sort
}
