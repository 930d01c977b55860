# user/local.mk - the `plexus` command. All of it but main() is an archive, so that tests can link it.
noinst_LIBRARIES += user/libuser.a
user_libuser_a_SOURCES = \
	user/command.c \
	user/command.h \
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
	host-process/libhostprocess.a \
	monitor/libmonitor.a \
	nexus/libnexus.a \
	prescan/libprescan.a \
	$(NCURSESW_LIBS) $(PNG_LIBS) -lpthread
# The guest's linear space is the low 4 GiB: the program itself must live above.
plexus_LDFLAGS = -pie

dist_man_MANS += docs/plexus.1
