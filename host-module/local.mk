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

# The monitor in ring 0: a flat image for one address, and the code of the block, which stands anywhere. plexus.ko carries both.
noinst_LIBRARIES += host-module/libring0.a
host_module_libring0_a_SOURCES = \
	host-module/ring0/block.c \
	host-module/ring0/gate_handler.S \
	host-module/ring0/gate.c \
	host-module/ring0/guest_tables.c \
	host-module/ring0/host.h \
	host-module/ring0/host_ops.c \
	host-module/ring0/io.c \
	host-module/ring0/record.c \
	host-module/ring0/start.c \
	host-module/ring0/trap.c \
	host-module/ring0/world.c \
	host-module/ring0/world_call.S \
	host-module/world.h \
	include/plexus/plexus-abi.h
host_module_libring0_a_CPPFLAGS = $(RING0_CPPFLAGS)
host_module_libring0_a_CFLAGS = $(RING0_ALL_CFLAGS)

noinst_LIBRARIES += host-module/libblock.a
host_module_libblock_a_SOURCES = host-module/ring0/handlers.S
host_module_libblock_a_CPPFLAGS = $(RING0_CPPFLAGS)

monitor_archives = host-module/libring0.a host-module/libtables-ring0.a monitor/libmonitor-ring0.a prescan/libprescan-ring0.a \
	nexus/libnexus-ring0.a

host-module/monitor.elf: $(monitor_archives) $(srcdir)/host-module/ring0/image.lds
	$(AM_V_GEN)$(LD) -m elf_x86_64 -static --no-relax --no-dynamic-linker -z noexecstack --no-warn-rwx-segments -T $(srcdir)/host-module/ring0/image.lds -o $@ \
		--whole-archive host-module/libring0.a --no-whole-archive --start-group $(monitor_archives) --end-group

host-module/block.elf: host-module/libblock.a $(srcdir)/host-module/ring0/block.lds
	$(AM_V_GEN)$(LD) -m elf_x86_64 -static -z noexecstack -T $(srcdir)/host-module/ring0/block.lds -o $@ --whole-archive host-module/libblock.a

host-module/monitor.bin: host-module/monitor.elf
	$(AM_V_GEN)$(OBJCOPY) -O binary $< $@

host-module/block.bin: host-module/block.elf
	$(AM_V_GEN)$(OBJCOPY) -O binary $< $@

noinst_DATA = host-module/monitor.bin host-module/block.bin
CLEANFILES += host-module/monitor.elf host-module/monitor.bin host-module/block.elf host-module/block.bin

dist_man_MANS += docs/plexus.4

# What builds plexus.ko elsewhere, by DKMS or by hand: Kbuild's sources, the two images ready made, and DKMS' and udev's files.
# Root's places, not the prefix's: so "make install-module-source" asks for it, or configure --with-module-source, and then
# "make install" and "make uninstall" do it too.
module_tree = $(DESTDIR)$(usrsrcdir)/$(PACKAGE)-$(VERSION)
module_sources = \
	COPYING \
	host-module/Kbuild \
	host-module/Makefile \
	host-module/kernel/machine.c \
	host-module/kernel/main.c \
	host-module/kernel/memory.c \
	host-module/kernel/plexus_module.h \
	host-module/kernel/run.c \
	host-module/kernel/transition.S \
	$(host_module_libtables_a_SOURCES) \
	host-module/world.h \
	include/plexus/base.h \
	include/plexus/errors.h \
	include/plexus/plexus-abi.h \
	include/plexus/x86.h

install-module-source: host-module/monitor.bin host-module/block.bin host-module/dkms.conf host-module/60-plexus.rules
	$(AM_V_GEN)for file in $(module_sources); do \
		$(MKDIR_P) "$(module_tree)/$$(dirname $$file)" && $(INSTALL_DATA) "$(srcdir)/$$file" "$(module_tree)/$$file" || exit 1; \
	done
	$(AM_V_at)$(INSTALL_DATA) host-module/monitor.bin host-module/block.bin "$(module_tree)/host-module/"
	$(AM_V_at)$(INSTALL_DATA) host-module/dkms.conf "$(module_tree)/"
	$(AM_V_at)$(MKDIR_P) "$(DESTDIR)$(udevrulesdir)"
	$(AM_V_at)$(INSTALL_DATA) host-module/60-plexus.rules "$(DESTDIR)$(udevrulesdir)/"

uninstall-module-source:
	rm -rf "$(module_tree)"
	rm -f "$(DESTDIR)$(udevrulesdir)/60-plexus.rules"

.PHONY: install-module-source uninstall-module-source

if MODULE_SOURCE
install-data-local: install-module-source
uninstall-local: uninstall-module-source
endif
