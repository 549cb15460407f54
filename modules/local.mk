noinst_LIBRARIES += %reldir%/libhf-modules.a
# One line a module.
%canon_reldir%_libhf_modules_a_SOURCES = \
	%reldir%/registry.c %reldir%/registry.h %reldir%/registry.def \
	%reldir%/accounts.c %reldir%/accounts.h \
	%reldir%/add_host.c \
	%reldir%/assert.c \
	%reldir%/command.c \
	%reldir%/copy.c \
	%reldir%/copy_remote.c \
	%reldir%/copy_tree.c \
	%reldir%/copy_work.c %reldir%/copy_work.h \
	%reldir%/debug.c \
	%reldir%/fail.c \
	%reldir%/file.c \
	%reldir%/file_attr.c %reldir%/file_attr.h \
	%reldir%/file_content.c %reldir%/file_content.h \
	%reldir%/file_flags.c %reldir%/file_flags.h \
	%reldir%/file_label.c %reldir%/file_label.h \
	%reldir%/file_link.c %reldir%/file_work.h \
	%reldir%/file_mode.c %reldir%/file_mode.h \
	%reldir%/group_by.c \
	%reldir%/pause.c \
	%reldir%/ping.c \
	%reldir%/script.c \
	%reldir%/set_fact.c \
	%reldir%/set_stats.c \
	%reldir%/slurp.c \
	%reldir%/stat.c \
	%reldir%/template.c \
	%reldir%/words.c %reldir%/words.h
