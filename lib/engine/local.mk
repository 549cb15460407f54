noinst_LIBRARIES += %reldir%/libhf-engine.a
%canon_reldir%_libhf_engine_a_SOURCES = \
	%reldir%/action.c \
	%reldir%/args.c %reldir%/args.h \
	%reldir%/keyword.c %reldir%/keyword.h %reldir%/keyword.def \
	%reldir%/module.h \
	%reldir%/run.h \
	%reldir%/regex.c %reldir%/regex.h %reldir%/regex_replace.c \
	%reldir%/regex_translate.c %reldir%/regex_translate.h \
	%reldir%/templar.h \
	%reldir%/vault.h
