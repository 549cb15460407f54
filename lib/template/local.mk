noinst_LIBRARIES += %reldir%/libhf-template.a
%canon_reldir%_libhf_template_a_SOURCES =
