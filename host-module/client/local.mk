# host-module/client/local.mk - the module host's other side: an ordinary program's library over /dev/plexus.
noinst_LIBRARIES += host-module/libclient.a
host_module_libclient_a_SOURCES = \
	host-module/client/calls.c \
	host-module/client/client.h \
	host-module/client/device.c \
	host-module/client/record.c \
	host-module/client/run.c \
	host-module/client/vm.c
