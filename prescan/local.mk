# prescan/local.mk - the decoder. The same list is built for ring 0.
noinst_LIBRARIES += prescan/libprescan.a
prescan_libprescan_a_SOURCES = \
	prescan/decode.c \
	prescan/names.c \
	prescan/opcode_table.c \
	prescan/opcode_table.h \
	prescan/opcode_table_0f.h \
	prescan/opcode_table_0f38.h \
	prescan/opcode_table_0f3a.h \
	prescan/opcode_table_1b.h \
	prescan/opcode_table_3dnow.h \
	prescan/opcode_table_all.h \
	prescan/opcode_table_sse.h \
	prescan/opcode_table_vex_0f.h \
	prescan/opcode_table_vex_0f38.h \
	prescan/opcode_table_vex_0f3a.h \
	prescan/opcode_table_x87.h \
	prescan/prescan.h

# The code cache and the translator.
prescan_libprescan_a_SOURCES += \
	prescan/cache.c \
	prescan/cache.h \
	prescan/emit.h \
	prescan/inline.c \
	prescan/places.c \
	prescan/rewriting.c \
	prescan/rewriting.h \
	prescan/translate.c

# Guest FPU state and the guest's FS are in the processor while this runs, in both worlds.
prescan_libprescan_a_CFLAGS = $(AM_CFLAGS) -mgeneral-regs-only -fno-stack-protector
