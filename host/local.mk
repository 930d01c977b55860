# host/local.mk - what both hosts share: include/plexus/plexus.h as a door to either of them, and the names of what they count.
# The machine's devices come through here from the processor's thread: see plx_vm_host_call in include/plexus/plexus.h.
noinst_LIBRARIES += host/libhost.a
host_libhost_a_SOURCES = \
	host/features.c \
	host/host.h \
	host/registers.c \
	host/stats.c \
	host/stats.h \
	host/vm.c
host_libhost_a_CFLAGS = $(AM_CFLAGS) -mgeneral-regs-only
