# tests/unit/local.mk

# Firmware and its tables: guest-bios/.
check_PROGRAMS += tests/unit/test_acpi tests/unit/test_firmware tests/unit/test_linux_loader
tests_unit_test_acpi_SOURCES = tests/unit/test_acpi.c
tests_unit_test_acpi_LDADD = guest-bios/libguestbios.a $(CMOCKA_LIBS)
tests_unit_test_firmware_SOURCES = tests/unit/test_firmware.c
tests_unit_test_firmware_LDADD = guest-bios/libguestbios.a $(CMOCKA_LIBS)
tests_unit_test_linux_loader_SOURCES = tests/unit/test_linux_loader.c
tests_unit_test_linux_loader_LDADD = guest-bios/libguestbios.a $(CMOCKA_LIBS)

# The VGA, and the displays that show it.
check_PROGRAMS += tests/unit/test_vga tests/unit/test_vga_picture tests/unit/test_screenshot tests/unit/test_display_keys
tests_unit_test_vga_SOURCES = tests/unit/test_vga.c tests/unit/vga_guest.h
tests_unit_test_vga_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_vga_picture_SOURCES = tests/unit/test_vga_picture.c tests/unit/vga_guest.h
tests_unit_test_vga_picture_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_screenshot_SOURCES = tests/unit/test_screenshot.c
tests_unit_test_screenshot_LDADD = user/libuser.a user/libcallbacks.a $(PNG_LIBS) $(CMOCKA_LIBS)
tests_unit_test_display_keys_SOURCES = tests/unit/test_display_keys.c
tests_unit_test_display_keys_LDADD = user/libuser.a user/libcallbacks.a $(CMOCKA_LIBS)

# The command: user/. test_run has its own engine and PC instead of the real ones.
check_PROGRAMS += tests/unit/test_options tests/unit/test_ring tests/unit/test_stats tests/unit/test_host_files tests/unit/test_run
tests_unit_test_options_SOURCES = tests/unit/test_options.c
tests_unit_test_options_LDADD = user/libuser.a user/libcallbacks.a prescan/libprescan.a $(CMOCKA_LIBS)
tests_unit_test_ring_SOURCES = tests/unit/test_ring.c
tests_unit_test_ring_LDADD = user/libuser.a user/libcallbacks.a $(CMOCKA_LIBS) -lpthread
tests_unit_test_stats_SOURCES = tests/unit/test_stats.c
tests_unit_test_stats_LDADD = user/libuser.a user/libcallbacks.a $(CMOCKA_LIBS)
tests_unit_test_host_files_SOURCES = tests/unit/test_host_files.c
tests_unit_test_host_files_LDADD = user/libuser.a user/libcallbacks.a guest-bios/libguestbios.a host-module/libclient.a $(CMOCKA_LIBS)
tests_unit_test_run_SOURCES = tests/unit/test_run.c tests/unit/fake_machine.c tests/unit/fake_machine.h
tests_unit_test_run_LDADD = user/libuser.a user/libcallbacks.a guest-bios/libguestbios.a devices/libdevices.a \
	prescan/libprescan.a $(CAPSTONE_LIBS) $(NCURSESW_LIBS) $(PNG_LIBS) $(UNPACK_LIBS) $(CMOCKA_LIBS) -lutil -lpthread

# The decoder, by its own claims and against Capstone.
check_PROGRAMS += tests/unit/test_decode tests/unit/test_decode_capstone
tests_unit_test_decode_SOURCES = tests/unit/test_decode.c
tests_unit_test_decode_LDADD = prescan/libprescan.a $(CMOCKA_LIBS)
tests_unit_test_decode_capstone_SOURCES = tests/unit/test_decode_capstone.c \
	tests/oracle/capstone.c tests/oracle/capstone_errata.h tests/oracle/verdict.c tests/oracle/verdict.h
tests_unit_test_decode_capstone_LDADD = prescan/libprescan.a $(CAPSTONE_LIBS) $(CMOCKA_LIBS)

# PCI, the chipset, disks and fw_cfg: devices/.
check_PROGRAMS += tests/unit/test_pci tests/unit/test_ide tests/unit/test_ide_data tests/unit/test_ide_dma tests/unit/test_fwcfg tests/unit/test_acpi_pm tests/unit/test_block
tests_unit_test_pci_SOURCES = tests/unit/test_pci.c
tests_unit_test_pci_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_ide_SOURCES = tests/unit/test_ide.c tests/unit/ide_board.h
tests_unit_test_ide_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_ide_data_SOURCES = tests/unit/test_ide_data.c tests/unit/ide_board.h
tests_unit_test_ide_data_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_ide_dma_SOURCES = tests/unit/test_ide_dma.c tests/unit/ide_board.h
tests_unit_test_ide_dma_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_fwcfg_SOURCES = tests/unit/test_fwcfg.c
tests_unit_test_fwcfg_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_acpi_pm_SOURCES = tests/unit/test_acpi_pm.c
tests_unit_test_acpi_pm_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_block_SOURCES = tests/unit/test_block.c
tests_unit_test_block_LDADD = devices/libdevices.a $(CMOCKA_LIBS)

# The system half of the virtual processor: monitor/.
check_PROGRAMS += tests/unit/test_memory tests/unit/test_segment tests/unit/test_far tests/unit/test_interrupt \
	tests/unit/test_task tests/unit/test_sysreg tests/unit/test_cpuid tests/unit/test_system_random
tests_unit_test_memory_SOURCES = tests/unit/test_memory.c tests/unit/flat_vm.h
tests_unit_test_memory_LDADD = monitor/libmonitor.a prescan/libprescan.a $(CMOCKA_LIBS)
tests_unit_test_segment_SOURCES = tests/unit/test_segment.c tests/unit/flat_vm.h
tests_unit_test_segment_LDADD = monitor/libmonitor.a prescan/libprescan.a $(CMOCKA_LIBS)
tests_unit_test_far_SOURCES = tests/unit/test_far.c tests/unit/flat_vm.h
tests_unit_test_far_LDADD = monitor/libmonitor.a prescan/libprescan.a $(CMOCKA_LIBS)
tests_unit_test_interrupt_SOURCES = tests/unit/test_interrupt.c tests/unit/flat_vm.h
tests_unit_test_interrupt_LDADD = monitor/libmonitor.a prescan/libprescan.a $(CMOCKA_LIBS)
tests_unit_test_task_SOURCES = tests/unit/test_task.c tests/unit/flat_vm.h
tests_unit_test_task_LDADD = monitor/libmonitor.a prescan/libprescan.a $(CMOCKA_LIBS)
tests_unit_test_sysreg_SOURCES = tests/unit/test_sysreg.c tests/unit/flat_vm.h
tests_unit_test_sysreg_LDADD = monitor/libmonitor.a prescan/libprescan.a $(CMOCKA_LIBS)
tests_unit_test_cpuid_SOURCES = tests/unit/test_cpuid.c tests/unit/flat_vm.h
tests_unit_test_cpuid_LDADD = monitor/libmonitor.a prescan/libprescan.a $(CMOCKA_LIBS)
tests_unit_test_system_random_SOURCES = tests/unit/test_system_random.c tests/unit/flat_vm.h
tests_unit_test_system_random_LDADD = monitor/libmonitor.a prescan/libprescan.a $(CMOCKA_LIBS)

# The legacy chips, the bus, and the machine.
check_PROGRAMS += tests/unit/test_bus tests/unit/test_pic tests/unit/test_pit tests/unit/test_rtc \
	tests/unit/test_kbd tests/unit/test_uart tests/unit/test_pc
tests_unit_test_bus_SOURCES = tests/unit/test_bus.c
tests_unit_test_bus_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_pic_SOURCES = tests/unit/test_pic.c
tests_unit_test_pic_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_pit_SOURCES = tests/unit/test_pit.c
tests_unit_test_pit_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_rtc_SOURCES = tests/unit/test_rtc.c
tests_unit_test_rtc_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_kbd_SOURCES = tests/unit/test_kbd.c
tests_unit_test_kbd_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_uart_SOURCES = tests/unit/test_uart.c
tests_unit_test_uart_LDADD = devices/libdevices.a $(CMOCKA_LIBS)
tests_unit_test_pc_SOURCES = tests/unit/test_pc.c
tests_unit_test_pc_LDADD = devices/libdevices.a $(CMOCKA_LIBS)

# The interpreter, by its own claims and against the bare processor.
check_PROGRAMS += tests/unit/test_interp tests/unit/test_interp_bare tests/unit/test_interp_native
interp_machine = tests/unit/interp_machine.c tests/unit/interp_machine.h
interp_bare = $(interp_machine) tests/unit/interp_compare.c tests/unit/interp_compare.h \
	tests/unit/bare_cpu.c tests/unit/bare_cpu.h tests/unit/bare_cpu_switch.S
interp_libs = monitor/libmonitor.a prescan/libprescan.a $(CMOCKA_LIBS)
tests_unit_test_interp_SOURCES = tests/unit/test_interp.c $(interp_machine)
tests_unit_test_interp_LDADD = $(interp_libs)
check_PROGRAMS += tests/unit/test_debug
tests_unit_test_debug_SOURCES = tests/unit/test_debug.c $(interp_machine)
tests_unit_test_debug_LDADD = $(interp_libs)
check_PROGRAMS += tests/unit/test_ferr
tests_unit_test_ferr_SOURCES = tests/unit/test_ferr.c $(interp_bare)
tests_unit_test_ferr_LDADD = $(interp_libs)
tests_unit_test_interp_bare_SOURCES = tests/unit/test_interp_bare.c $(interp_bare)
tests_unit_test_interp_bare_LDADD = $(interp_libs)
tests_unit_test_interp_native_SOURCES = tests/unit/test_interp_native.c $(interp_bare)
tests_unit_test_interp_native_LDADD = $(interp_libs)

# The engine: whole little VMs, run natively.
check_PROGRAMS += tests/unit/test_engine tests/unit/test_engine_events tests/unit/test_engine_user tests/unit/test_engine_random
engine_libs = host/libhost.a host-process/libhostprocess.a host-module/libclient.a host/libhost.a monitor/libmonitor.a nexus/libnexus.a prescan/libprescan.a monitor/libmonitor.a \
	$(CMOCKA_LIBS) -lpthread
tests_unit_test_engine_SOURCES = tests/unit/test_engine.c tests/unit/engine_vm.h
tests_unit_test_engine_LDADD = $(engine_libs)
tests_unit_test_engine_LDFLAGS = -pie
check_PROGRAMS += tests/unit/test_engine_farcall tests/unit/test_engine_code16
tests_unit_test_engine_code16_SOURCES = tests/unit/test_engine_code16.c tests/unit/engine_vm.h
tests_unit_test_engine_code16_LDADD = $(engine_libs)
tests_unit_test_engine_code16_LDFLAGS = -pie
tests_unit_test_engine_farcall_SOURCES = tests/unit/test_engine_farcall.c tests/unit/engine_vm.h
tests_unit_test_engine_farcall_LDADD = $(engine_libs)
tests_unit_test_engine_farcall_LDFLAGS = -pie
tests_unit_test_engine_events_SOURCES = tests/unit/test_engine_events.c tests/unit/engine_vm.h
tests_unit_test_engine_events_LDADD = $(engine_libs)
tests_unit_test_engine_events_LDFLAGS = -pie
tests_unit_test_engine_user_SOURCES = tests/unit/test_engine_user.c tests/unit/engine_vm.h
tests_unit_test_engine_user_LDADD = $(engine_libs)
tests_unit_test_engine_user_LDFLAGS = -pie
tests_unit_test_engine_random_SOURCES = tests/unit/test_engine_random.c tests/unit/random_program.h tests/unit/engine_vm.h
tests_unit_test_engine_random_LDADD = $(engine_libs)
tests_unit_test_engine_random_LDFLAGS = -pie
check_PROGRAMS += tests/unit/test_engine_soak
tests_unit_test_engine_soak_SOURCES = tests/unit/test_engine_soak.c tests/unit/engine_vm.h
tests_unit_test_engine_soak_LDADD = $(engine_libs)
tests_unit_test_engine_soak_LDFLAGS = -pie
check_PROGRAMS += tests/unit/test_engine_move
tests_unit_test_engine_move_SOURCES = tests/unit/test_engine_move.c tests/unit/engine_vm.h
tests_unit_test_engine_move_LDADD = $(engine_libs)
tests_unit_test_engine_move_LDFLAGS = -pie

check_PROGRAMS += tests/unit/test_engine_touch
tests_unit_test_engine_touch_SOURCES = tests/unit/test_engine_touch.c tests/unit/engine_vm.h
tests_unit_test_engine_touch_LDADD = $(engine_libs)
tests_unit_test_engine_touch_LDFLAGS = -pie
check_PROGRAMS += tests/unit/test_engine_stats
tests_unit_test_engine_stats_SOURCES = tests/unit/test_engine_stats.c
tests_unit_test_engine_stats_LDADD = host/libhost.a monitor/libmonitor.a prescan/libprescan.a $(CMOCKA_LIBS)

# The module host's other side, against a kernel that the test plays.
check_PROGRAMS += tests/unit/test_module_client
tests_unit_test_module_client_SOURCES = tests/unit/test_module_client.c
tests_unit_test_module_client_LDADD = $(engine_libs)
tests_unit_test_module_client_LDFLAGS = -pie

# What reports say of an instruction, against what the translator does with it.
check_PROGRAMS += tests/unit/test_prescan_rewriting
tests_unit_test_prescan_rewriting_SOURCES = tests/unit/test_prescan_rewriting.c
tests_unit_test_prescan_rewriting_LDADD = prescan/libprescan.a $(CMOCKA_LIBS)

# The code cache, in plain memory.
check_PROGRAMS += tests/unit/test_cache tests/unit/test_translate tests/unit/test_places
tests_unit_test_cache_SOURCES = tests/unit/test_cache.c tests/unit/cache_lab.h
tests_unit_test_cache_LDADD = prescan/libprescan.a $(CMOCKA_LIBS)
tests_unit_test_places_SOURCES = tests/unit/test_places.c tests/unit/cache_lab.h
tests_unit_test_places_LDADD = prescan/libprescan.a $(CMOCKA_LIBS)
tests_unit_test_translate_SOURCES = tests/unit/test_translate.c tests/unit/cache_lab.h
tests_unit_test_translate_LDADD = monitor/libmonitor.a prescan/libprescan.a nexus/libnexus.a monitor/libmonitor.a $(CMOCKA_LIBS)

# The corpora: what each encoding is.
check_PROGRAMS += tests/unit/test_corpora
corpora = tests/corpora/corpus.c tests/corpora/corpus.h tests/corpora/walk.c tests/corpora/walk.h tests/corpora/checksum.h
tests_unit_test_corpora_SOURCES = tests/unit/test_corpora.c $(corpora)
tests_unit_test_corpora_LDADD = prescan/libprescan.a $(CMOCKA_LIBS)

# plexus prescan: files, sweep, and the command.
check_PROGRAMS += tests/unit/test_prescan_image tests/unit/test_prescan_scan tests/unit/test_prescan_command
check_PROGRAMS += tests/unit/test_prescan_unpack tests/unit/test_prescan_disk
prescan_command_libs = user/libuser.a prescan/libprescan.a $(UNPACK_LIBS) $(CMOCKA_LIBS) -lpthread
tests_unit_test_prescan_image_SOURCES = tests/unit/test_prescan_image.c
tests_unit_test_prescan_image_LDADD = $(prescan_command_libs)
tests_unit_test_prescan_unpack_SOURCES = tests/unit/test_prescan_unpack.c
tests_unit_test_prescan_unpack_LDADD = $(prescan_command_libs)
tests_unit_test_prescan_disk_SOURCES = tests/unit/test_prescan_disk.c
tests_unit_test_prescan_disk_LDADD = $(prescan_command_libs)
tests_unit_test_prescan_scan_SOURCES = tests/unit/test_prescan_scan.c
tests_unit_test_prescan_scan_LDADD = $(prescan_command_libs)
tests_unit_test_prescan_command_SOURCES = tests/unit/test_prescan_command.c
tests_unit_test_prescan_command_LDADD = $(prescan_command_libs)

# The trace: what the engine records, the file, filters, forms.
check_PROGRAMS += tests/unit/test_trace_engine
tests_unit_test_trace_engine_SOURCES = tests/unit/test_trace_engine.c tests/unit/engine_vm.h
tests_unit_test_trace_engine_LDADD = $(engine_libs)
tests_unit_test_trace_engine_LDFLAGS = -pie
check_PROGRAMS += tests/unit/test_sites tests/unit/test_trace_profile
tests_unit_test_sites_SOURCES = tests/unit/test_sites.c tests/unit/engine_vm.h
tests_unit_test_sites_LDADD = $(engine_libs)
tests_unit_test_sites_LDFLAGS = -pie
tests_unit_test_trace_profile_SOURCES = tests/unit/test_trace_profile.c
tests_unit_test_trace_profile_LDADD = $(trace_libs)
check_PROGRAMS += tests/unit/test_trace_file tests/unit/test_trace_filter tests/unit/test_trace_print
trace_libs = user/libuser.a prescan/libprescan.a $(CAPSTONE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_trace_file_SOURCES = tests/unit/test_trace_file.c
tests_unit_test_trace_file_LDADD = $(trace_libs)
tests_unit_test_trace_filter_SOURCES = tests/unit/test_trace_filter.c
tests_unit_test_trace_filter_LDADD = $(trace_libs)
tests_unit_test_trace_print_SOURCES = tests/unit/test_trace_print.c
tests_unit_test_trace_print_LDADD = $(trace_libs)
check_PROGRAMS += tests/unit/test_trace_record
tests_unit_test_trace_record_SOURCES = tests/unit/test_trace_record.c tests/unit/fake_machine.c tests/unit/fake_machine.h
tests_unit_test_trace_record_LDADD = $(trace_libs) -lpthread

# Coverage: what the engine says was run, the file, merging.
check_PROGRAMS += tests/unit/test_coverage_engine
tests_unit_test_coverage_engine_SOURCES = tests/unit/test_coverage_engine.c tests/unit/engine_vm.h
tests_unit_test_coverage_engine_LDADD = $(engine_libs)
tests_unit_test_coverage_engine_LDFLAGS = -pie
check_PROGRAMS += tests/unit/test_coverage_file
tests_unit_test_coverage_file_SOURCES = tests/unit/test_coverage_file.c
tests_unit_test_coverage_file_LDADD = user/libuser.a $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_coverage_match
tests_unit_test_coverage_match_SOURCES = tests/unit/test_coverage_match.c
tests_unit_test_coverage_match_LDADD = $(prescan_command_libs)

# What fuzzing found.
check_PROGRAMS += tests/unit/test_fuzz_found
tests_unit_test_fuzz_found_SOURCES = tests/unit/test_fuzz_found.c tests/fuzz/fuzz.h tests/fuzz/fuzz_decode.c \
	tests/fuzz/fuzz_translate.c tests/fuzz/fuzz_interp.c $(interp_machine)
tests_unit_test_fuzz_found_LDADD = $(interp_libs)

# The module host's memory structures.
check_PROGRAMS += tests/unit/test_pool tests/unit/test_physmap
tests_unit_test_pool_SOURCES = tests/unit/test_pool.c tests/unit/tables_lab.h
tests_unit_test_pool_LDADD = host-module/libtables.a $(CMOCKA_LIBS)
tests_unit_test_physmap_SOURCES = tests/unit/test_physmap.c tests/unit/tables_lab.h
tests_unit_test_physmap_LDADD = host-module/libtables.a $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_tables tests/unit/test_tables_random
tests_unit_test_tables_SOURCES = tests/unit/test_tables.c tests/unit/tables_lab.h tests/unit/tables_walker.h
tests_unit_test_tables_LDADD = host-module/libtables.a $(CMOCKA_LIBS)
tests_unit_test_tables_random_SOURCES = tests/unit/test_tables_random.c tests/unit/tables_lab.h tests/unit/tables_walker.h
tests_unit_test_tables_random_LDADD = host-module/libtables.a $(CMOCKA_LIBS)
