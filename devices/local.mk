# devices/local.mk
noinst_LIBRARIES += devices/libdevices.a
devices_libdevices_a_SOURCES =
# The guest's FPU state is in the processor while device code runs: see plx_vm_host_call in include/plexus/plexus.h.
devices_libdevices_a_CFLAGS = $(AM_CFLAGS) -mgeneral-regs-only

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

# The legacy chips, the bus, and the machine.
devices_libdevices_a_SOURCES += \
	devices/bus.c \
	devices/bus.h \
	devices/debugcon.c \
	devices/debugcon.h \
	devices/device.h \
	devices/dma8237.c \
	devices/dma8237.h \
	devices/kbd.c \
	devices/kbd.h \
	devices/pc.c \
	devices/pc.h \
	devices/pc_firmware.c \
	devices/pc_lock.c \
	devices/pc_lock.h \
	devices/pc_memory.c \
	devices/pc_parts.h \
	devices/pc_stats.c \
	devices/pc_wire.c \
	devices/pic.c \
	devices/pic.h \
	devices/pit.c \
	devices/pit.h \
	devices/port92.c \
	devices/port92.h \
	devices/ps2_keyboard.c \
	devices/ps2_mouse.c \
	devices/rtc.c \
	devices/rtc.h \
	devices/scancode.c \
	devices/uart.c \
	devices/uart.h

# The IDE function and its disks.
devices_libdevices_a_SOURCES += \
	devices/ata_command.c \
	devices/ata_identify.c \
	devices/ata_transfer.c \
	devices/ide.c \
	devices/ide.h \
	devices/ide_dma.c \
	devices/ide_parts.h
