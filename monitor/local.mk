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
	monitor/debug.c \
	monitor/msr.c \
	monitor/cpuid.c

# The engine: native execution.
monitor_libmonitor_a_SOURCES += \
	monitor/cover.c \
	monitor/cover.h \
	monitor/allocate.c \
	monitor/engine.h \
	monitor/exits.c \
	monitor/fragments.c \
	monitor/hooks.c \
	monitor/host_ops.h \
	monitor/mem_builtin.c \
	monitor/run.c \
	monitor/segs.c \
	monitor/sites.c \
	monitor/sites.h \
	monitor/shadow.c \
	monitor/space.c \
	monitor/stats.c \
	monitor/stats.h \
	monitor/trace.c \
	monitor/trace.h \
	monitor/space.h \
	monitor/window.c \
	monitor/window.h

# Guest FPU state and the guest's FS are in the processor while this runs, in both worlds.
monitor_libmonitor_a_CFLAGS = $(AM_CFLAGS) -mgeneral-regs-only -fno-stack-protector

# The interpreter: one instruction at a time, and the way to run one on the bare processor.
monitor_libmonitor_a_SOURCES += \
	monitor/interp.h \
	monitor/interp_flags.h \
	monitor/interp_repeat.h \
	monitor/interp_simd.h \
	monitor/native.h \
	monitor/interp.c \
	monitor/interp_alu.c \
	monitor/interp_bit.c \
	monitor/interp_branch.c \
	monitor/interp_decimal.c \
	monitor/interp_fpu.c \
	monitor/interp_move.c \
	monitor/interp_port.c \
	monitor/interp_repeat.c \
	monitor/interp_shift.c \
	monitor/interp_simd.c \
	monitor/interp_stack.c \
	monitor/interp_string.c \
	monitor/interp_system.c \
	monitor/native.c \
	nexus/native.h \
	nexus/native_run.S
