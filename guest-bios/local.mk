# guest-bios/local.mk
