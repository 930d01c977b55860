# host-process/local.mk - the process host. Code that runs between guest code and FXSAVE must not touch FPU registers, nor
# thread-local storage, which is what the stack protector reads: see host-process/process.h.
noinst_LIBRARIES += host-process/libhostprocess.a
host_process_libhostprocess_a_SOURCES = \
	host-process/features.c \
	host-process/features.h \
	host-process/io.c \
	host-process/map.c \
	host-process/process.h \
	host-process/record.c \
	host-process/signal.c \
	host-process/spaces.c \
	host-process/vm.c
host_process_libhostprocess_a_CFLAGS = $(AM_CFLAGS) -mgeneral-regs-only -fno-stack-protector
