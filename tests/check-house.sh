#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/check-house.sh - what the source tree promises about itself (run by make check; needs only the sources).
set -u
cd "${top_srcdir:-$(dirname "$0")/..}" || exit 1
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

sources() { find prescan nexus monitor host host-process host-module devices guest-bios user include tests -name '*.[chS]' 2>/dev/null | sort; }

# COPYING is one file; the licence of each source is its own first line.
verdict every_source_names_its_licence_first "$(sources | while read -r file; do
	head -n 1 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || echo "$file"
done)"

# Arrows go down only: who may include whose headers. Three headers are layouts that both sides of a door agree on, and no more:
# the window (what stands where in it), the frame of the world switch, and what stands behind the gate's INT3.
up() { # up FOLDER FORBIDDEN...: includes in FOLDER of a forbidden folder
	local folder=$1
	shift
	grep -nE "^#[[:space:]]*include[[:space:]]+\"($(IFS='|'; echo "$*"))/" "$folder"/*.[chS] 2>/dev/null |
		grep -vE '"(monitor/window|nexus/frame|nexus/gate)\.h"'
}
verdict includes_point_down_only "$(
	up prescan nexus monitor host host-process host-module devices guest-bios user
	up nexus monitor host host-process host-module devices guest-bios user
	up monitor host host-process host-module devices guest-bios user
	up devices host host-process host-module user monitor nexus prescan
	up guest-bios host host-process host-module user monitor nexus prescan
	up host-process devices guest-bios user
	up host host-process devices guest-bios user
)"

# The dual-built folders know the compiler's own headers, by way of plexus/base.h, and no library's.
verdict dual_built_folders_include_no_library_header "$(
	grep -nE '^#[[:space:]]*include[[:space:]]+<' prescan/*.[chS] nexus/*.[chS] monitor/*.[chS] 2>/dev/null |
		grep -vE '<(stdbool|stddef|stdint|stdarg|limits)\.h>'
)"

# docs/reading-order is a list of paths; README sends people there.
verdict reading_order_names_files_that_exist "$(grep -v '^#' docs/reading-order | while read -r file rest; do
	[ -z "$file" ] || [ -e "$file" ] || echo "$file $rest"
done)"

exit $failed
