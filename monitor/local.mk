# monitor/local.mk
noinst_LIBRARIES += monitor/libmonitor.a
monitor_libmonitor_a_SOURCES = monitor/mon.h monitor/vcpu.h monitor/vm.h

# The system half: guest memory, segments, privilege, interrupts, tasks, system registers.
monitor_libmonitor_a_SOURCES += \
	monitor/system.h \
	monitor/memory.c \
	monitor/paging.c \
	monitor/segment.c \
	monitor/stack.c \
	monitor/far.c \
	monitor/interrupt.c \
	monitor/task.c \
	monitor/sysreg.c \
	monitor/msr.c \
	monitor/cpuid.c

# Ring 0 alone has no libc: it adds this one.
EXTRA_DIST += monitor/mem_builtin.c
