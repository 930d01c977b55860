# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/module/lib/inside.sh - what tests inside the machine share: sourced by init and, as /bench/lib/inside.sh, by tests.
#
# Settings, from /etc/bench: PLX_ENGINE (qemu, bochs), PLX_KO (the module's file), PLX_MODULE (its name), PLX_DEVICE (its node),
# PLX_TIME_SCALE (how many times longer than usual things may take), PLX_DISK (a block device, or empty).
# shellcheck shell=dash

# fail WHY: the test ends here.
fail() { echo "$*"; exit 1; }
skip() { echo "$*"; exit 77; }

# ask WORDS: a wish to the emulator. Only QEMU can grant it (# needs: qemu).
#   nmi PER_SECOND SECONDS   non-maskable interrupts to every processor; begins within a fraction of a second and ends by itself
#   wake SECONDS             once the machine sleeps (within a minute) it sleeps so long, then is woken
ask() { printf 'ASK %s\n' "$*" > /dev/ttyS1; }

# What no healthy kernel says. The machine's own quirks, that stand in every boot with or without a module, are taken out first.
kernel_complaints() {
	grep -vE "leak detector initialized|mitigation|Spectre|vulnerab|taints kernel|module verification failed|loading out-of-tree module" |
		grep -E 'WARNING:|BUG[: ]|Oops|general protection fault|stack-protector|Call Trace|lockup|rcu.*(self-detected|detected stalls|kthread starved)|hung_task|blocked for more than|scheduling while atomic|sleeping function called|possible (circular|recursive) lock|inconsistent lock state|suspicious RCU|INFO: (task|rcu|trying|possible)|KASAN|UBSAN|KFENCE|kmemleak|corrupt|Bad page|unhandled|Kernel panic|clocksource.*unstable|Clocksource.*skew|refcount_t|use-after-free|list_(add|del) corruption'
}

# timer_ticks CPU: how many timer interrupts that processor has had.
timer_ticks() { awk -v column=$(($1 + 2)) '/^ *LOC:/ { print $column }' /proc/interrupts; }

# free_kib: free memory in KiB, once caches are dropped and the processors' own small stocks of free pages are counted too (what
# /proc/meminfo calls free leaves those out, and they come and go by the hundred).
free_kib() {
	sync
	echo 3 > /proc/sys/vm/drop_caches
	cat /proc/sys/vm/stat_refresh
	awk '/^ *pages free / { pages += $3 } /^ *count: / { pages += $2 } END { print pages * 4 }' /proc/zoneinfo
}

# lost_kib COMMAND...: what running it costs in memory that does not come back, in KiB: once to fill the kernel's own caches, then
# the middle one of five measurements, for the rest of the host moves by a few pages too. So COMMAND should do its deed ten times
# or more: a page lost in each is 40 KiB then.
lost_kib() {
	"$@" || return 1
	for _ in 1 2 3 4 5; do
		free_before=$(free_kib)
		"$@" || return 1
		echo $((free_before - $(free_kib)))
	done > /tmp/lost
	sort -n /tmp/lost | sed -n 3p
}

guest_image() { # guest_image NAME: a small guest's disk, unpacked; prints its path
	[ -e "/tmp/$1.img" ] || gunzip -c "/bench/guests/$1.img.gz" > "/tmp/$1.img"
	echo "/tmp/$1.img"
}
