#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/module/lib/kernels.bash - Debian's amd64 kernels and their headers, downloaded and unpacked: sourced by build and run.
#
#   cloud   linux-image-cloud-amd64: few drivers, boots in two seconds under QEMU's TCG; the bench's usual one
#   full    linux-image-amd64: what most people run
#   rt      linux-image-rt-amd64: PREEMPT_RT, so every spinlock sleeps and every section may be preempted
#   debug   Debian has none: tests/module/make-debug-kernel builds it (lock checker, memory checker) when it is asked for
#
# Asks of whoever sources it: $top. Everything lands in $top/build/module/kernels, one folder a package.
# A module fits the kernel whose headers it was built with and no other, so image and headers are fetched as one version.
# shellcheck disable=SC2154,SC2034 # "top" is the sourcing script's, and the results are for it

kernels=$top/build/module/kernels

kernel_die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

kernel_package() { # kernel_package KERNEL: its name at Debian
	case $1 in
	cloud) echo linux-image-cloud-amd64 ;;
	full) echo linux-image-amd64 ;;
	rt) echo linux-image-rt-amd64 ;;
	*) return 1 ;;
	esac
}

# kernel_image KERNEL: sets kernel_release, kernel_vmlinuz, kernel_tree (which holds lib/modules).
kernel_image() {
	local package
	mkdir -p "$kernels"
	if [ "$1" = debug ]; then
		kernel_tree=$kernels/debug
		[ -e "$kernel_tree/.complete" ] || "$top/tests/module/make-debug-kernel" || kernel_die "there is no debug kernel"
	else
		package=$(kernel_package "$1") || kernel_die "no kernel called $1; there are cloud, full, rt and debug"
		kernel_tree=$kernels/$package
		# Two downloads at a time would tread on each other.
		flock "$kernels" "$top/tests/guests/fetch-debian" --arch amd64 "$kernels" "$package" busybox-static ||
			kernel_die "there is no $package"
	fi
	kernel_vmlinuz=$(find "$kernel_tree/boot" -name 'vmlinuz-*' | head -n 1)
	kernel_release=${kernel_vmlinuz##*/vmlinuz-}
	[ -n "$kernel_release" ] || kernel_die "no kernel in $kernel_tree"
}

# kernel_headers KERNEL: sets kernel_release and kernel_kdir, for make -C. Nothing is installed on the host: the three packages
# that make up a headers folder are laid into one, and the absolute path in its Makefile is made ours.
kernel_headers() {
	local headers common kbuild folder deb
	kernel_image "$1"
	if [ "$1" = debug ]; then
		kernel_kdir=$kernel_tree/headers
		return
	fi
	folder=$kernels/headers-$kernel_release
	kernel_kdir=$folder/usr/src/linux-headers-$kernel_release
	[ ! -e "$folder/.complete" ] || return 0
	headers=linux-headers-$kernel_release
	common=linux-headers-$(echo "$kernel_release" | sed -E 's/-(cloud-|rt-)?amd64$//')-common
	# The archive holds only the newest version: headers of last month's image may be gone, and then both start anew.
	if ! flock "$kernels" "$top/tests/guests/fetch-debian" --arch amd64 "$kernels" "$headers" "$common"; then
		rm -rf "$kernel_tree"
		kernel_image "$1"
		headers=linux-headers-$kernel_release
		common=linux-headers-$(echo "$kernel_release" | sed -E 's/-(cloud-|rt-)?amd64$//')-common
		folder=$kernels/headers-$kernel_release
		kernel_kdir=$folder/usr/src/linux-headers-$kernel_release
		flock "$kernels" "$top/tests/guests/fetch-debian" --arch amd64 "$kernels" "$headers" "$common" ||
			kernel_die "there is no $headers"
	fi
	deb=$(find "$kernels/debs" -name "${headers}_*.deb" | sort | tail -n 1)
	kbuild=$(dpkg-deb -f "$deb" Depends | grep -oE 'linux-kbuild-[^ ,]*')
	flock "$kernels" "$top/tests/guests/fetch-debian" --arch amd64 "$kernels" "$kbuild" || kernel_die "there is no $kbuild"
	rm -rf "$folder"
	mkdir -p "$folder"
	cp -al "$kernels/$headers/." "$kernels/$common/." "$kernels/$kbuild/." "$folder/"
	rm -f "$folder/.complete" "$kernel_kdir/Makefile"
	echo "include $folder/usr/src/$common/Makefile" > "$kernel_kdir/Makefile"
	touch "$folder/.complete"
}
