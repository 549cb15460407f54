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
