bin_PROGRAMS += holdfast
holdfast_SOURCES = \
	%reldir%/command.c %reldir%/command.h %reldir%/commands.def \
	%reldir%/key.c \
	%reldir%/main.c \
	%reldir%/options.c %reldir%/options.h \
	%reldir%/release.c %reldir%/release.h \
	%reldir%/release_build.c \
	%reldir%/release_channel.c \
	%reldir%/release_root.c \
	%reldir%/release_show.c \
	%reldir%/release_sign.c
# Commands that talk to the agent.
holdfast_SOURCES += \
	%reldir%/ask.c %reldir%/ask.h \
	%reldir%/drift.c \
	%reldir%/history.c \
	%reldir%/order.c \
	%reldir%/status.c
holdfast_LDADD = $(modules_libs) $(release_libs)
