# monitor/local.mk
