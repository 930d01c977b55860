# nexus/local.mk
