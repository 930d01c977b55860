# SPDX-License-Identifier: GPL-2.0-or-later
# tests/guests/lib/serial.bash - talk to a machine whose serial port is $work/in (descriptor 7) and $work/out, and whose process is $pid,
# started at $started (date +%s%N). To be sourced.
# Asked by: run-linux, run-others.
# shellcheck shell=bash disable=SC2154,SC2034,SC2086 # see above; the bare variables are numbers

elapsed() { printf '%d.%01d s' $((($(date +%s%N) - started) / 1000000000)) $((($(date +%s%N) - started) / 100000000 % 10)); }

# expect SECONDS TEXT [FROM]: wait until TEXT stands in the output behind byte FROM. Fails when the machine has ended.
expect() {
	local until=$((SECONDS + $1)) from=${3:-0}
	while ! tail -c "+$((from + 1))" "$work/out" | grep -qaF -- "$2"; do
		if ! kill -0 "$pid" 2>/dev/null || [ $SECONDS -ge $until ]; then
			# The last words may have come just before the end.
			tail -c "+$((from + 1))" "$work/out" | grep -qaF -- "$2"
			return
		fi
		sleep 0.1
	done
}

# ask COMMAND TEXT: type a line; TEXT must come back. The caller picks commands whose answer is not in their own echo.
ask() {
	local from
	from=$(stat -c %s "$work/out")
	printf '%s\n' "$1" >&7
	expect 60 "$2" "$from" || { echo "    asked '$1', no answer '$2'"; return 1; }
}

# finished SECONDS: the machine powers itself off, status 0.
finished() {
	local until=$((SECONDS + $1)) status
	while kill -0 "$pid" 2>/dev/null; do
		if [ $SECONDS -ge $until ]; then
			kill -9 "$pid" 2>/dev/null
			wait "$pid" 2>/dev/null
			pid=
			echo "    it did not power off"
			return 1
		fi
		sleep 0.1
	done
	wait "$pid"
	status=$?
	pid=
	[ $status -eq 0 ] || echo "    it ended with status $status"
	return $status
}
