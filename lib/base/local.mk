noinst_LIBRARIES += %reldir%/libhf-base.a
%canon_reldir%_libhf_base_a_SOURCES = \
	%reldir%/arena.c %reldir%/arena.h \
	%reldir%/attr.h \
	%reldir%/curl_late.c %reldir%/curl_late.h \
	%reldir%/digest.c %reldir%/digest.h \
	%reldir%/error.c %reldir%/error.h \
	%reldir%/fs.c %reldir%/fs.h %reldir%/path.c \
	%reldir%/late.c %reldir%/late.h \
	%reldir%/log.c %reldir%/log.h \
	%reldir%/map.c %reldir%/map.h \
	%reldir%/proc.c %reldir%/proc.h \
	%reldir%/scope.h \
	%reldir%/str.c %reldir%/str.h \
	%reldir%/time.c %reldir%/time.h \
	%reldir%/vec.h
