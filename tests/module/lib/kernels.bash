#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/module/lib/kernels.bash - Debian's amd64 kernels and their headers, downloaded and unpacked: sourced by build and run.
#
#   cloud        linux-image-cloud-amd64: few drivers, boots in two seconds under QEMU's TCG; the bench's usual one
#   full         linux-image-amd64: what most people run
#   rt           linux-image-rt-amd64: PREEMPT_RT, so every spinlock sleeps and every section may be preempted
#   cloud-6.12   the next long-lived Linux, as Debian's backports build it for the same release
#   debug        Debian has none: tests/module/make-debug-kernel builds it (lock checker, memory checker) when it is asked for
#
# Asks of whoever sources it: $top. Everything lands in $top/build/module/kernels, one folder a package (backports: in a folder of
# their own below it, for fetch-debian wants one folder a release).
# A module fits the kernel whose headers it was built with and no other, so image and headers are fetched as one version.
# shellcheck disable=SC2154,SC2034 # "top" is the sourcing script's, and the results are for it

# shellcheck disable=SC2030,SC2031 # one call in a subshell has another kernel_folder, and means it
kernels=$top/build/module/kernels

kernel_die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# fetch RELEASE PACKAGE...: into $kernel_folder. Two downloads into one folder at a time would tread on each other.
fetch() {
	local release=$1
	shift
	mkdir -p "$kernel_folder"
	flock "$kernel_folder" "$top/tests/guests/fetch-debian" --arch amd64 --release "$release" "$kernel_folder" "$@"
}

# kernel_image KERNEL: sets kernel_release, kernel_vmlinuz, kernel_tree (which holds lib/modules), kernel_debian, kernel_folder.
kernel_image() {
	local package
	kernel_folder=$kernels
	kernel_debian=bookworm
	case $1 in
	cloud) package=linux-image-cloud-amd64 ;;
	full) package=linux-image-amd64 ;;
	rt) package=linux-image-rt-amd64 ;;
	cloud-6.12) package=linux-image-cloud-amd64 kernel_debian=bookworm-backports kernel_folder=$kernels/bookworm-backports ;;
	debug) package='' ;;
	*) kernel_die "no kernel called $1; there are cloud, full, rt, cloud-6.12 and debug" ;;
	esac
	(kernel_folder=$kernels; fetch bookworm busybox-static) || kernel_die "there is no busybox-static"
	if [ -z "$package" ]; then
		kernel_tree=$kernels/debug
		[ -e "$kernel_tree/.complete" ] || "$top/tests/module/make-debug-kernel" || kernel_die "there is no debug kernel"
	else
		kernel_tree=$kernel_folder/$package
		fetch "$kernel_debian" "$package" || kernel_die "there is no $package"
	fi
	kernel_vmlinuz=$(find "$kernel_tree/boot" -name 'vmlinuz-*' | head -n 1)
	kernel_release=${kernel_vmlinuz##*/vmlinuz-}
	[ -n "$kernel_release" ] || kernel_die "no kernel in $kernel_tree"
}

# kernel_headers KERNEL: as above, and kernel_kdir, for make -C. Nothing is installed on the host: the three packages that make up
# a headers folder are laid into one, and the absolute path in its Makefile is made ours.
kernel_headers() {
	local headers common kbuild folder deb depends
	kernel_image "$1"
	if [ "$1" = debug ]; then
		kernel_kdir=$kernel_tree/headers
		return
	fi
	# The archive holds only the newest version: headers of last month's image may be gone, and then both start anew.
	if ! fetch "$kernel_debian" "linux-headers-$kernel_release"; then
		rm -rf "$kernel_tree"
		kernel_image "$1"
		fetch "$kernel_debian" "linux-headers-$kernel_release" || kernel_die "there is no linux-headers-$kernel_release"
	fi
	headers=linux-headers-$kernel_release
	folder=$kernel_folder/headers-$kernel_release
	kernel_kdir=$folder/usr/src/$headers
	# Somebody may have moved the project's folder, and the path inside is absolute.
	if [ -e "$folder/.complete" ] && grep -q "^include $folder/" "$kernel_kdir/Makefile"; then
		return 0
	fi
	deb=$(find "$kernel_folder/debs" -name "${headers}_*.deb" | sort | tail -n 1)
	depends=$(dpkg-deb -f "$deb" Depends | grep -oE 'linux-(headers|kbuild)-[^ ,]*')
	common=$(grep -- '-common$' <<< "$depends")
	kbuild=$(grep -- '-kbuild-' <<< "$depends")
	fetch "$kernel_debian" "$common" "$kbuild" || kernel_die "there is no $common or no $kbuild"
	rm -rf "$folder"
	mkdir -p "$folder"
	cp -al "$kernel_folder/$headers/." "$kernel_folder/$common/." "$kernel_folder/$kbuild/." "$folder/"
	rm -f "$folder/.complete" "$kernel_kdir/Makefile"
	echo "include $folder/usr/src/$common/Makefile" > "$kernel_kdir/Makefile"
	touch "$folder/.complete"
}
