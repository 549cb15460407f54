noinst_PROGRAMS += %reldir%/bench_template
%canon_reldir%_bench_template_LDADD = $(engine_libs)
