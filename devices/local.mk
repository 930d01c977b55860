# devices/local.mk
noinst_LIBRARIES += devices/libdevices.a
devices_libdevices_a_SOURCES =

# The VGA.
devices_libdevices_a_SOURCES += \
	devices/vga.c \
	devices/vga.h \
	devices/vga_dispi.c \
	devices/vga_mem.c \
	devices/vga_parts.h \
	devices/vga_regs.c \
	devices/vga_render.c \
	devices/vga_timing.c
