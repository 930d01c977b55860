# devices/local.mk
