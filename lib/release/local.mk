noinst_LIBRARIES += %reldir%/libhf-release.a
%canon_reldir%_libhf_release_a_SOURCES = \
	%reldir%/store.c %reldir%/store.h \
	%reldir%/store_file.c
