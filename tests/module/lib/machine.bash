#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/module/lib/machine.bash - the machine that the module is tested in: its initramfs, and its start in QEMU or Bochs.
# Sourced by run.
#
# Asks of whoever sources it: $here, $inside, $work, $ko, $kernel_tree, $kernel_release, $kernel_vmlinuz, $kernels, and the settings
# $engine, $cpu, $cpus, $append, $memory, $disk, $payload, $icount.
# Never: KVM. The bench must give the same results on a host without virtualization, and an emulator obeys at once when asked for
# an interrupt, a processor model or a count of instructions.
# shellcheck disable=SC2154,SC2034 # see above

# shellcheck source=tests/guests/lib/cover.bash
. "$top/tests/guests/lib/cover.bash"

# Drivers for a disk, in the order of their dependencies, as far as the kernel does not hold them already.
drivers_for_disk=(scsi_common scsi_mod libata ata_piix crc-t10dif crct10dif_generic t10-pi sd_mod)

# pack_programs OUT: tests/module/*.c, static, so that they run in a machine without a C library.
pack_programs() {
	local source program
	mkdir -p "$1"
	for source in "$here"/*.c; do
		[ -e "$source" ] || continue
		program=$1/$(basename "${source%.c}")
		[ ! "$program" -nt "$source" ] || continue
		gcc -std=gnu11 -O2 -g -Wall -Wextra -Werror -static -pthread -I"$top/include" -I"$top" -o "$program" "$source" || return 1
	done
}

# pack_command FILE ROOT: a program and the shared libraries that it asks for, at the places where it looks for them.
pack_command() {
	local library
	install -D -m 755 "$1" "$2/bench/bin/$(basename "$1")"
	for library in $(ldd "$1" 2>/dev/null | grep -oE '/[^ ]+'); do
		[ -e "$2$library" ] || install -D -m 755 "$library" "$2$library"
	done
}

# pack_initramfs OUT TEST...: everything that the machine needs, one cpio archive.
pack_initramfs() {
	local out=$1 root=$work/root driver file strategy
	shift
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/dev" "$root/etc" "$root/lib/drivers" "$root/bench/bin" "$root/bench/lib" "$root/bench/guests"
	install -m 755 "$(find "$kernels/busybox-static" -path '*bin/busybox' -type f | head -n 1)" "$root/bin/busybox"
	install -m 755 "$here/init" "$root/init"
	install -m 755 "$inside"/* -Dt "$root/bench/inside"
	install -m 644 "$here/lib/inside.sh" "$root/bench/lib/"
	cp "$programs"/* "$root/bench/bin/" 2>/dev/null
	strip -d -o "$root/bench/$(basename "$ko")" "$ko" || return 1
	if [ -x "$plexus" ]; then
		pack_command "$plexus" "$root"
		for file in bios.bin bios-256k.bin vgabios-stdvga.bin; do
			[ ! -e "/usr/share/seabios/$file" ] || install -D -m 644 "/usr/share/seabios/$file" "$root/usr/share/seabios/$file"
		done
	fi
	# Mostly zeros; a test unpacks the one that it boots (inside.sh, guest_image).
	for file in "$small_guests"/*.img "$work"/guests/*.img; do
		[ ! -e "$file" ] || gzip -1nc "$file" > "$root/bench/guests/${file##*/}.gz"
	done
	install -m 644 "$top"/tests/guests/small/*.expected "$top/tests/guests/small/count.numbers" "$top"/tests/guests/lib/*.awk -t "$root/bench/guests"
	if [ -e "$small_guests/cover.elf" ]; then
		for strategy in adaptive farcall; do
			cover_promised "$small_guests/cover.elf" $strategy > "$root/bench/guests/cover.$strategy"
		done
		echo "$((0x$(cover_symbol "$small_guests/cover.elf" cover_begin))) $((0x$(cover_symbol "$small_guests/cover.elf" cover_end)))" \
			> "$root/bench/guests/cover.range"
	fi
	[ -z "$payload" ] || cp -r "$payload/." "$root/"
	if [ -n "$disk" ]; then
		for driver in "${drivers_for_disk[@]}"; do
			file=$(find "$kernel_tree/lib/modules" -name "${driver//[-_]/[-_]}.ko" | head -n 1)
			[ -n "$file" ] || continue
			cp "$file" "$root/lib/drivers/"
			basename "$file" >> "$root/lib/drivers/order"
		done
	fi
	echo root:x:0:0:root:/root:/bin/sh > "$root/etc/passwd"
	echo nobody:x:65534:65534:nobody:/tmp:/bin/sh >> "$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' > "$root/etc/group"
	cat > "$root/etc/bench" <<-SETTINGS
		PLX_ENGINE=$engine
		PLX_KERNEL=$kernel
		PLX_CPU=$cpu
		PLX_KO=/bench/$(basename "$ko")
		PLX_MODULE=$(basename "$ko" .ko | tr - _)
		PLX_DEVICE=$device
		PLX_TIME_SCALE=$scale
		PLX_DISK=${disk:+/dev/sda}
		PLX_SHELL=$shell
		PLX_BENCH=$bench
	SETTINGS
	printf '%s\n' "$@" > "$root/etc/tests"
	(cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) > "$out"
}

# The kernel says everything on the first port; stalls are told early, for the tests are short. An Oops is the end of a machine.
kernel_arguments() {
	local words="console=ttyS0,115200 panic=0 oops=panic rcupdate.rcu_cpu_stall_timeout=20 mitigations=auto apic_extnmi=all"
	# Bochs has no HPET by default and its TSC may not agree with the PIT; the kernel shall not hunt for better clocks there.
	# QEMU's TSC is the host's, and a busy host makes other clocks late, which the kernel would hold against the TSC.
	if [ "$engine" = bochs ]; then words+=" tsc=reliable clocksource=tsc"; else words+=" tsc=nowatchdog"; fi
	echo "$words $append"
}

# start_qemu INITRAMFS: begins to run, in the background; sets machine (a process number). Results come in $work/results, the
# kernel's words in $work/console. The monitor reads $work/monitor, a FIFO that stays open on descriptor 7.
start_qemu() {
	# QEMU's CMPXCHG16B, up to 7.2 at least, now and then leaves garbage in EFLAGS, TF and NT included, and Linux 6.12 dies of that
	# with or without us. A kernel that does not find the instruction does without.
	local command=(qemu-system-x86_64 -accel tcg -M pc -cpu "$cpu,-cx16" -smp "$cpus" -m "$memory" -display none -nic none -no-reboot
		-kernel "$kernel_vmlinuz" -initrd "$1" -append "$(kernel_arguments)")
	[ -z "$disk" ] || command+=(-drive "file=$disk,format=raw,if=ide,snapshot=on")
	# One instruction takes one nanosecond, and RDTSC counts instructions.
	[ -z "$icount" ] || command+=(-icount "shift=0,sleep=off")
	if [ "$shell" = yes ]; then
		exec "${command[@]}" -serial mon:stdio -serial "file:$work/results"
	fi
	rm -f "$work/monitor"
	mkfifo "$work/monitor"
	exec 7<> "$work/monitor"
	"${command[@]}" -serial "file:$work/console" -serial "file:$work/results" -monitor stdio < "$work/monitor" > "$work/engine.log" 2>&1 &
	machine=$!
}

# start_bochs INITRAMFS: as above. Bochs has no loader of its own, so a disk is made that GRUB boots without any file system:
# LBA 0 the boot sector, LBA 1.. GRUB's core with its configuration inside, and kernel and initramfs as plain runs of blocks.
start_bochs() {
	local grub=/usr/lib/grub/i386-pc image=$work/bochs.img lba=2048 blocks kernel_run initrd_run
	gzip -1n < "$1" > "$work/initrd.gz"
	blocks=$((($(stat -c %s "$kernel_vmlinuz") + 511) / 512))
	kernel_run=$lba+$blocks
	truncate -s $(((lba + blocks) * 512)) "$image"
	dd if="$kernel_vmlinuz" of="$image" bs=512 seek=$lba conv=notrunc status=none
	lba=$((lba + blocks))
	blocks=$((($(stat -c %s "$work/initrd.gz") + 511) / 512))
	initrd_run=$lba+$blocks
	dd if="$work/initrd.gz" of="$image" bs=512 seek=$lba conv=notrunc status=none
	# Whole cylinders, as Bochs wants them.
	truncate -s $((((lba + blocks) / 1008 + 1) * 1008 * 512)) "$image"
	cat > "$work/grub.cfg" <<-CFG
		linux (hd0)$kernel_run $(kernel_arguments)
		initrd (hd0)$initrd_run
		boot
	CFG
	grub-mkimage -O i386-pc -d $grub -c "$work/grub.cfg" -p '(hd0)' -o "$work/core.img" biosdisk linux normal || return 1
	dd if=$grub/boot.img of="$image" bs=440 count=1 conv=notrunc status=none
	dd if="$work/core.img" of="$image" bs=512 seek=1 conv=notrunc status=none
	printf '\x55\xaa' | dd of="$image" bs=1 seek=510 conv=notrunc status=none

	# The display: "rfb" waits for nobody with timeout=0. ALSA aborts where there is no sound card, so there is none here either.
	cat > "$work/bochsrc" <<-RC
		display_library: rfb, options="timeout=0"
		cpu: model=$cpu, count=$cpus, ips=50000000, reset_on_triple_fault=0
		megs: $memory
		romimage: file=/usr/share/seabios/bios.bin
		vgaromimage: file=/usr/share/seabios/vgabios-stdvga.bin
		ata0-master: type=disk, path=$image, mode=flat, cylinders=0
		boot: disk
		com1: enabled=1, mode=file, dev=$work/console
		com2: enabled=1, mode=file, dev=$work/results
		sound: driver=dummy
		plugin_ctrl: es1370=0, sb16=0, gameport=0
		clock: sync=none, time0=utc
		log: $work/bochs.log
		panic: action=fatal
		error: action=report
		info: action=ignore
		mouse: enabled=0
	RC
	echo c > "$work/bochs.debug"
	bochs -q -f "$work/bochsrc" -rc "$work/bochs.debug" < /dev/null > "$work/engine.log" 2>&1 &
	machine=$!
}

# stop_machine: ends it if it still runs, and its descriptors.
stop_machine() {
	[ -z "$machine" ] || kill -9 "$machine" 2>/dev/null
	[ -z "$machine" ] || wait "$machine" 2>/dev/null
	machine=
	exec 7>&- 2>/dev/null
}

# grant WORDS: what a test asked for (see lib/inside.sh, ask).
grant() {
	local word=$1 rate=${2:-100} seconds=${3:-1}
	case $word in
	nmi)
		[ "$engine" = qemu ] || return 0
		(
			exec 8<> <(:)
			for ((sent = 0; sent < rate * seconds; sent++)); do
				echo nmi
				read -r -t "$(printf '0.%03d' $((1000 / rate)))" -u 8
			done
		) >&7 &
		;;
	wake)
		[ "$engine" = qemu ] || return 0
		# What QEMU's monitor answers lands in engine.log. A minute, and who did not fall asleep by then is not woken any more.
		(
			exec 8<> <(:)
			answered=$(grep -ac '(suspended)' "$work/engine.log")
			for ((sent = 0; sent < 120; sent++)); do
				echo "info status"
				read -r -t 0.5 -u 8
				[ "$(grep -ac '(suspended)' "$work/engine.log")" = "$answered" ] || break
			done
			read -r -t "${rate}" -u 8
			echo system_wakeup
		) >&7 &
		;;
	*) echo "    a test asked for \"$*\", which this bench does not know" ;;
	esac
}
