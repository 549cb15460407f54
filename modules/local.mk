noinst_LIBRARIES += %reldir%/libhf-modules.a
%canon_reldir%_libhf_modules_a_SOURCES =
