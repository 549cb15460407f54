bin_PROGRAMS += holdfast
holdfast_SOURCES = \
	%reldir%/apply.c \
	%reldir%/apply_print.c %reldir%/apply_print.h \
	%reldir%/command.c %reldir%/command.h %reldir%/commands.def \
	%reldir%/diff.c %reldir%/diff.h \
	%reldir%/key.c \
	%reldir%/env.c %reldir%/env.h %reldir%/env_graph.c %reldir%/env_look.c %reldir%/env_read.c %reldir%/env_reference.c \
	%reldir%/env_show.c %reldir%/env_state.c \
	%reldir%/eval.c \
	%reldir%/eval_jinja.c %reldir%/eval_jinja.h \
	%reldir%/eval_cases.c %reldir%/eval_cases.h \
	%reldir%/eval_play.c %reldir%/eval_play.h \
	%reldir%/eval_value.c %reldir%/eval_value.h \
	%reldir%/main.c \
	%reldir%/options.c %reldir%/options.h \
	%reldir%/progress.c %reldir%/progress.h \
	%reldir%/release.c %reldir%/release.h \
	%reldir%/release_build.c \
	%reldir%/release_attest.c \
	%reldir%/release_channel.c \
	%reldir%/release_lint.c \
	%reldir%/release_root.c \
	%reldir%/release_show.c \
	%reldir%/release_sign.c \
	%reldir%/release_tasks.c \
	%reldir%/require.c %reldir%/require.h \
	%reldir%/require_fetch.c \
	%reldir%/require_galaxy.c \
	%reldir%/require_read.c \
	%reldir%/require_unpack.c
# Commands that talk to the agent.
holdfast_SOURCES += \
	%reldir%/ask.c %reldir%/ask.h \
	%reldir%/drift.c \
	%reldir%/history.c \
	%reldir%/order.c \
	%reldir%/status.c
holdfast_LDADD = $(modules_libs) $(provisioner_libs)
holdfast_SOURCES += %reldir%/modules.c %reldir%/plan.c %reldir%/lint.c
holdfast_SOURCES += %reldir%/completion.c %reldir%/manual.c
holdfast_SOURCES += %reldir%/bootstrap.c %reldir%/bootstrap.h %reldir%/bootstrap_bundle.c %reldir%/bootstrap_pack.c
# `holdfast doc`: the modules' pages, and the table over all of them for people to read.
holdfast_SOURCES += %reldir%/doc.c %reldir%/doc_table.c %reldir%/doc.h
nodist_holdfast_SOURCES = %reldir%/pages.c
CLEANFILES += %reldir%/pages.c docs/modules.md docs/environment-types.md
%reldir%/pages.c: $(module_pages) %reldir%/pages.awk
	$(AM_V_GEN)$(MKDIR_P) %reldir% && cd $(srcdir) && \
	$(AWK) -f %reldir%/pages.awk $(module_pages) >$(abs_builddir)/$@.new
	$(AM_V_at)mv $@.new $@

docs: docs/modules.md docs/environment-types.md
docs/modules.md: holdfast$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs && ./holdfast$(EXEEXT) doc --table >$@.new && mv $@.new $@
docs/environment-types.md: holdfast$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs && ./holdfast$(EXEEXT) env types --reference >$@.new && mv $@.new $@
.PHONY: docs
nodist_doc_DATA = docs/modules.md docs/environment-types.md
