# tests/unit/local.mk

# Firmware and its tables: guest-bios/.
check_PROGRAMS += tests/unit/test_acpi tests/unit/test_firmware tests/unit/test_linux_loader
tests_unit_test_acpi_SOURCES = tests/unit/test_acpi.c
tests_unit_test_acpi_LDADD = guest-bios/libguestbios.a $(CMOCKA_LIBS)
tests_unit_test_firmware_SOURCES = tests/unit/test_firmware.c
tests_unit_test_firmware_LDADD = guest-bios/libguestbios.a $(CMOCKA_LIBS)
tests_unit_test_linux_loader_SOURCES = tests/unit/test_linux_loader.c
tests_unit_test_linux_loader_LDADD = guest-bios/libguestbios.a $(CMOCKA_LIBS)
