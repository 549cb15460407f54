bin_PROGRAMS += holdfast
holdfast_SOURCES = \
	%reldir%/command.c %reldir%/command.h %reldir%/commands.def \
	%reldir%/main.c \
	%reldir%/options.c %reldir%/options.h
holdfast_LDADD = $(modules_libs) $(release_libs)
