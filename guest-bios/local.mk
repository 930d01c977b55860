# guest-bios/local.mk - firmware, ACPI tables and the loader for kernels that need no firmware.
noinst_LIBRARIES += guest-bios/libguestbios.a
guest_bios_libguestbios_a_SOURCES = \
	guest-bios/acpi.c \
	guest-bios/acpi.h \
	guest-bios/firmware.c \
	guest-bios/firmware.h \
	guest-bios/linux_loader.c \
	guest-bios/linux_loader.h

# The DSDT as a C array. Message 3168 is about Processor(), which systems of the machine's age expect.
BUILT_SOURCES += guest-bios/dsdt_aml.h
CLEANFILES += guest-bios/dsdt.aml guest-bios/dsdt_aml.h

guest-bios/dsdt.aml: $(srcdir)/guest-bios/dsdt.asl
	@$(MKDIR_P) guest-bios
	$(AM_V_GEN)$(IASL) -vs -vi -we -vw 3168 -p guest-bios/dsdt $(srcdir)/guest-bios/dsdt.asl >guest-bios/dsdt.log 2>&1 \
		|| { cat guest-bios/dsdt.log >&2; echo "guest-bios: iasl failed; it comes with the package acpica-tools" >&2; exit 1; }
	@rm -f guest-bios/dsdt.log

guest-bios/dsdt_aml.h: guest-bios/dsdt.aml
	$(AM_V_GEN)od -An -v -tx1 guest-bios/dsdt.aml | awk 'BEGIN { \
		print "/* SPDX-License-Identifier: GPL-2.0-or-later */"; \
		print "/* Made from guest-bios/dsdt.asl by the build. */"; \
		print "static const unsigned char dsdt_aml[] = {" } \
		{ for (i = 1; i <= NF; i++) printf "0x%s,%s", $$i, i == NF ? "\n" : " " } \
		END { print "};" }' >$@.tmp && mv -f $@.tmp $@

guest-bios/acpi.$(OBJEXT): guest-bios/dsdt_aml.h
