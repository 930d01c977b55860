# SPDX-License-Identifier: GPL-2.0-or-later
#
# ring0.mk - the freestanding twins of prescan, nexus, monitor and the module host's memory structures, from the same source lists (see Makefile.am).
# tests/check-ring0.sh looks at what these archives still ask for.
RING0_CPPFLAGS = $(AM_CPPFLAGS) -DPLX_RING0
RING0_ALL_CFLAGS = -std=gnu11 -Wall -Wextra $(WERROR_CFLAGS) -g $(RING0_CFLAGS)

noinst_LIBRARIES += prescan/libprescan-ring0.a nexus/libnexus-ring0.a monitor/libmonitor-ring0.a host-module/libtables-ring0.a

prescan_libprescan_ring0_a_SOURCES = $(prescan_libprescan_a_SOURCES)
prescan_libprescan_ring0_a_CPPFLAGS = $(RING0_CPPFLAGS)
prescan_libprescan_ring0_a_CFLAGS = $(RING0_ALL_CFLAGS)

nexus_libnexus_ring0_a_SOURCES = $(nexus_libnexus_a_SOURCES)
nexus_libnexus_ring0_a_CPPFLAGS = $(RING0_CPPFLAGS)
nexus_libnexus_ring0_a_CFLAGS = $(RING0_ALL_CFLAGS)

monitor_libmonitor_ring0_a_SOURCES = $(monitor_libmonitor_a_SOURCES)
monitor_libmonitor_ring0_a_CPPFLAGS = $(RING0_CPPFLAGS)
monitor_libmonitor_ring0_a_CFLAGS = $(RING0_ALL_CFLAGS)

host_module_libtables_ring0_a_SOURCES = $(host_module_libtables_a_SOURCES)
host_module_libtables_ring0_a_CPPFLAGS = $(RING0_CPPFLAGS)
host_module_libtables_ring0_a_CFLAGS = $(RING0_ALL_CFLAGS)
