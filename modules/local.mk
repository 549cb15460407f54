noinst_LIBRARIES += %reldir%/libhf-modules.a
# One line a module.
%canon_reldir%_libhf_modules_a_SOURCES = \
	%reldir%/registry.c %reldir%/registry.h %reldir%/registry.def \
	%reldir%/add_host.c \
	%reldir%/assemble.c \
	%reldir%/assert.c \
	%reldir%/debug.c \
	%reldir%/fail.c \
	%reldir%/blockinfile.c \
	%reldir%/command.c \
	%reldir%/copy.c \
	%reldir%/copy_remote.c \
	%reldir%/copy_tree.c \
	%reldir%/copy_work.c %reldir%/copy_work.h \
	%reldir%/debug.c \
	%reldir%/fail.c \
	%reldir%/fetch.c \
	%reldir%/file.c \
	%reldir%/file_attr.c %reldir%/file_attr.h \
	%reldir%/file_content.c %reldir%/file_content.h \
	%reldir%/file_flags.c %reldir%/file_flags.h \
	%reldir%/file_label.c %reldir%/file_label.h \
	%reldir%/file_link.c %reldir%/file_work.h \
	%reldir%/file_mode.c %reldir%/file_mode.h \
	%reldir%/find.c \
	%reldir%/group_by.c \
	%reldir%/lineinfile.c \
	%reldir%/pause.c \
	%reldir%/ping.c \
	%reldir%/set_fact.c \
	%reldir%/set_stats.c
# Packages, services, users and facts of the host.
%canon_reldir%_libhf_modules_a_SOURCES += \
	%reldir%/host.c %reldir%/host.h %reldir%/dpkg.c %reldir%/dpkg.h \
	%reldir%/apt.c %reldir%/apt_get.c %reldir%/apt.h \
	%reldir%/facts/facts.h \
	%reldir%/facts/facts.c \
	%reldir%/facts/setup.c \
	%reldir%/facts/distribution.c \
	%reldir%/facts/platform.c \
	%reldir%/facts/hardware.c \
	%reldir%/facts/devices.c \
	%reldir%/facts/network.c \
	%reldir%/facts/services.c \
	%reldir%/facts/virtual.c \
	%reldir%/facts/local.c
	%reldir%/replace.c \
	%reldir%/script.c \
	%reldir%/set_fact.c \
	%reldir%/set_stats.c \
	%reldir%/slurp.c \
	%reldir%/stat.c \
	%reldir%/tempfile.c \
	%reldir%/template.c \
	%reldir%/text_file.c %reldir%/text_file.h \
	%reldir%/words.c %reldir%/words.h
