noinst_LIBRARIES += %reldir%/libhf-release.a
%canon_reldir%_libhf_release_a_SOURCES = \
	%reldir%/accept.c %reldir%/accept.h \
	%reldir%/base64.c %reldir%/base64.h \
	%reldir%/channel.c \
	%reldir%/document.h \
	%reldir%/envelope.c %reldir%/envelope.h \
	%reldir%/evidence.c \
	%reldir%/fields.c %reldir%/fields.h \
	%reldir%/gc.c \
	%reldir%/ignore.c %reldir%/ignore.h \
	%reldir%/key.c %reldir%/key.h \
	%reldir%/keyfile.c %reldir%/keyfile.h \
	%reldir%/kms.c %reldir%/kms.h \
	%reldir%/log.c \
	%reldir%/logbook.c \
	%reldir%/manage.h \
	%reldir%/manifest.c \
	%reldir%/names.c \
	%reldir%/pointer.c \
	%reldir%/push.c \
	%reldir%/refusal.c %reldir%/refusal.h \
	%reldir%/rollout.c %reldir%/rollout.h \
	%reldir%/root.c \
	%reldir%/roots.c \
	%reldir%/store.c %reldir%/store.h \
	%reldir%/store_file.c \
	%reldir%/tree.c %reldir%/tree.h \
	%reldir%/store_file.c %reldir%/store_s3.c \
	%reldir%/unpack.c %reldir%/unpack.h \
	%reldir%/verify.c %reldir%/verify.h \
	%reldir%/window.c %reldir%/window.h
