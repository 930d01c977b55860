# nexus/local.mk - the world switch.
noinst_LIBRARIES += nexus/libnexus.a
nexus_libnexus_a_SOURCES = \
	nexus/frame.h \
	nexus/gate.h \
	nexus/switch.S
