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

# PCI, the chipset, fw_cfg, and what disks are made of.
devices_libdevices_a_SOURCES += \
	devices/acpi_pm.c \
	devices/acpi_pm.h \
	devices/block_file.c \
	devices/block_file.h \
	devices/block_overlay.c \
	devices/block_overlay.h \
	devices/fwcfg.c \
	devices/fwcfg.h \
	devices/i440fx.c \
	devices/i440fx.h \
	devices/pci.c \
	devices/pci.h \
	devices/piix3.c \
	devices/piix3.h
