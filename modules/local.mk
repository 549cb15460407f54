noinst_LIBRARIES += %reldir%/libhf-modules.a
# One line a module.
%canon_reldir%_libhf_modules_a_SOURCES = \
	%reldir%/registry.c %reldir%/registry.h %reldir%/registry.def \
	%reldir%/add_host.c \
	%reldir%/assert.c \
	%reldir%/debug.c \
	%reldir%/fail.c \
	%reldir%/group_by.c \
	%reldir%/pause.c \
	%reldir%/ping.c \
	%reldir%/set_fact.c \
	%reldir%/set_stats.c
