noinst_LIBRARIES += %reldir%/libhf-engine.a
%canon_reldir%_libhf_engine_a_SOURCES =
