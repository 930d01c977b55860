# host-process/local.mk
