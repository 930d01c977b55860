# tests/oracle/local.mk - programs that ./dev coverage and ./dev bench make when they are asked for, and nobody else.
EXTRA_PROGRAMS += tests/oracle/oracle tests/oracle/coverage tests/corpora/generate tests/bench/decode tests/bench/tables
oracles = tests/oracle/capstone.c tests/oracle/capstone_errata.h tests/oracle/zydis.c tests/oracle/zydis_errata.h \
	tests/oracle/verdict.c tests/oracle/verdict.h
tests_oracle_oracle_SOURCES = tests/oracle/oracle.c tests/oracle/bare.c tests/oracle/bare_enter.S $(oracles) \
	tests/corpora/walk.c tests/corpora/walk.h
tests_oracle_oracle_LDADD = prescan/libprescan.a $(CAPSTONE_LIBS) $(ZYDIS_LIBS)
tests_oracle_coverage_SOURCES = tests/oracle/coverage.c tests/oracle/code_file.c tests/oracle/code_file.h $(oracles)
tests_oracle_coverage_LDADD = prescan/libprescan.a $(CAPSTONE_LIBS) $(ZYDIS_LIBS)
tests_corpora_generate_SOURCES = tests/corpora/generate.c $(corpora)
tests_corpora_generate_LDADD = prescan/libprescan.a
tests_bench_decode_SOURCES = tests/bench/decode.c tests/oracle/code_file.c tests/oracle/code_file.h
tests_bench_decode_LDADD = prescan/libprescan.a $(CAPSTONE_LIBS) $(ZYDIS_LIBS)
tests_bench_tables_SOURCES = tests/bench/tables.c tests/unit/tables_lab.h
tests_bench_tables_LDADD = host-module/libtables.a $(CMOCKA_LIBS)
CLEANFILES += $(EXTRA_PROGRAMS)
