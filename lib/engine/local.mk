noinst_LIBRARIES += %reldir%/libhf-engine.a
%canon_reldir%_libhf_engine_a_SOURCES = \
	%reldir%/action.c \
	%reldir%/args.c %reldir%/args.h \
	%reldir%/keyword.c %reldir%/keyword.h %reldir%/keyword.def \
	%reldir%/module.h \
	%reldir%/run.h \
	%reldir%/filters.c \
	%reldir%/filters.h \
	%reldir%/filters_codec.c \
	%reldir%/filters_data.c \
	%reldir%/filters_dict.c \
	%reldir%/filters_hash.c \
	%reldir%/filters_math.c \
	%reldir%/filters_path.c \
	%reldir%/filters_random.c \
	%reldir%/filters_regex.c \
	%reldir%/filters_regex.h \
	%reldir%/filters_set.c \
	%reldir%/filters_text.c \
	%reldir%/filters_time.c \
	%reldir%/literal.c \
	%reldir%/literal.h \
	%reldir%/lookup.c \
	%reldir%/lookup.h \
	%reldir%/lookup_file.c \
	%reldir%/lookup_list.c \
	%reldir%/lookup_parse.c \
	%reldir%/lookup_var.c \
	%reldir%/regex.c \
	%reldir%/regex.h \
	%reldir%/regex_replace.c \
	%reldir%/regex_translate.c \
	%reldir%/regex_translate.h \
	%reldir%/templar.c \
	%reldir%/templar.h \
	%reldir%/templar_condition.c \
	%reldir%/templar_env.c \
	%reldir%/templar_file.c \
	%reldir%/templar_internal.h \
	%reldir%/tests_core.c \
	%reldir%/twister.c \
	%reldir%/twister.h \
	%reldir%/vault.c \
	%reldir%/vault.h \
	%reldir%/version_order.c \
	%reldir%/version_order.h \
	%reldir%/tests_version.c \
	%reldir%/tests_file.c \
	%reldir%/url.c \
	%reldir%/url.h \
	%reldir%/filters_url.c
