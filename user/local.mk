# user/local.mk - the `plexus` command. All of it but main() is an archive, so that tests can link it.
noinst_LIBRARIES += user/libuser.a
user_libuser_a_SOURCES = \
	user/command.c \
	user/command.h \
	user/coverage_file.c \
	user/coverage_file.h \
	user/coverage_html.c \
	user/coverage_match.c \
	user/coverage_match.h \
	user/coverage_print.c \
	user/coverage_record.c \
	user/coverage_record.h \
	user/coverage_report.c \
	user/coverage_report.h \
	user/display.h \
	user/display_curses.c \
	user/display_keys.c \
	user/display_keys.h \
	user/doctor.c \
	user/doctor.h \
	user/escape.c \
	user/escape.h \
	user/event_loop.c \
	user/event_loop.h \
	user/host_files.c \
	user/host_files.h \
	user/options.c \
	user/options.h \
	user/prescan_ar.c \
	user/prescan_boot.c \
	user/prescan_bzimage.c \
	user/prescan_command.c \
	user/prescan_elf.c \
	user/prescan_gpt.c \
	user/prescan_grub.c \
	user/prescan_guess.c \
	user/prescan_html.c \
	user/prescan_image.c \
	user/prescan_image.h \
	user/prescan_iso.c \
	user/prescan_json.c \
	user/prescan_pack.c \
	user/prescan_pe.c \
	user/prescan_pool.c \
	user/prescan_pool.h \
	user/prescan_report.c \
	user/prescan_report.h \
	user/prescan_result.c \
	user/prescan_result.h \
	user/prescan_rom.c \
	user/prescan_scan.c \
	user/prescan_scan.h \
	user/prescan_state.c \
	user/prescan_state.h \
	user/prescan_sweep.c \
	user/prescan_sweep.h \
	user/prescan_unpack.c \
	user/prescan_walk.c \
	user/prescan_walk.h \
	user/processor.c \
	user/processor.h \
	user/run.c \
	user/say.h \
	user/screenshot.c \
	user/screenshot.h \
	user/stats.c \
	user/stats.h \
	user/terminal.c \
	user/terminal.h \
	user/run.h \
	user/trace_codec.c \
	user/trace_command.c \
	user/trace_compare.c \
	user/trace_compare.h \
	user/trace_disasm.c \
	user/trace_disasm.h \
	user/trace_file.c \
	user/trace_file.h \
	user/trace_filter.c \
	user/trace_filter.h \
	user/trace_options.c \
	user/trace_options.h \
	user/trace_print.c \
	user/trace_print.h \
	user/trace_profile.c \
	user/trace_profile.h \
	user/trace_site.c \
	user/trace_site.h \
	user/trace_read.c \
	user/trace_read.h \
	user/trace_record.c \
	user/trace_record.h \
	user/trace_symbols.c \
	user/trace_symbols.h \
	user/trace_tally.c \
	user/trace_tally.h \
	user/wake.h

# What the devices call back, on the processor's thread: see plx_vm_host_call in include/plexus/plexus.h.
noinst_LIBRARIES += user/libcallbacks.a
user_libcallbacks_a_SOURCES = \
	user/machine.c \
	user/machine.h \
	user/ring.c \
	user/ring.h
user_libcallbacks_a_CFLAGS = $(AM_CFLAGS) -mgeneral-regs-only

# The order is the order of the arrows: who asks stands before who is asked.
bin_PROGRAMS += plexus
plexus_SOURCES = user/main.c
plexus_LDADD = \
	user/libuser.a \
	user/libcallbacks.a \
	guest-bios/libguestbios.a \
	devices/libdevices.a \
	host/libhost.a \
	host-process/libhostprocess.a \
	host-module/libclient.a \
	host/libhost.a \
	monitor/libmonitor.a \
	nexus/libnexus.a \
	prescan/libprescan.a \
	$(CAPSTONE_LIBS) $(NCURSESW_LIBS) $(PNG_LIBS) $(UNPACK_LIBS) -lpthread
# The guest's linear space is the low 4 GiB: the program itself must live above.
plexus_LDFLAGS = -pie

dist_man_MANS += docs/plexus.1 docs/plexus-prescan.1 docs/plexus-trace.1

# Completion for bash: found there by the bash-completion package.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = user/plexus.bash-completion
install-data-hook:
	mv $(DESTDIR)$(bashcompletiondir)/plexus.bash-completion $(DESTDIR)$(bashcompletiondir)/plexus
uninstall-hook:
	rm -f $(DESTDIR)$(bashcompletiondir)/plexus
