# host-module/local.mk - what the module host is made of. The kernel module itself is built by the kernel's own build system.

# Its memory structures: free pages, page tables, guest physical memory. Built here for the tests, by ring0.mk for the monitor's
# image, and by the kernel's build for the module.
noinst_LIBRARIES += host-module/libtables.a
host_module_libtables_a_SOURCES = \
	host-module/collect.c \
	host-module/pairs.c \
	host-module/physmap.c \
	host-module/physmap.h \
	host-module/pool.c \
	host-module/pool.h \
	host-module/table_pages.c \
	host-module/table_pages.h \
	host-module/tables.c \
	host-module/tables.h \
	host-module/tables_inside.h
host_module_libtables_a_CFLAGS = $(AM_CFLAGS) -mgeneral-regs-only -fno-stack-protector
