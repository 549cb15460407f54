noinst_LIBRARIES += %reldir%/libhf-release.a
%canon_reldir%_libhf_release_a_SOURCES = \
	%reldir%/accept.h \
	%reldir%/document.h \
	%reldir%/envelope.h \
	%reldir%/key.h \
	%reldir%/refusal.c %reldir%/refusal.h \
	%reldir%/store.c %reldir%/store.h \
	%reldir%/store_file.c \
	%reldir%/unpack.h \
	%reldir%/verify.h
