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
	%reldir%/vault.h
	%reldir%/vault.h \
	%reldir%/config.c %reldir%/config.h \
	%reldir%/context.c \
	%reldir%/event.c \
	%reldir%/exec_async.c \
	%reldir%/exec_become.c \
	%reldir%/exec_block.c \
	%reldir%/exec_handler.c \
	%reldir%/exec_include.c \
	%reldir%/exec_loop.c \
	%reldir%/exec_meta.c \
	%reldir%/exec_module.c \
	%reldir%/exec_once.c \
	%reldir%/exec_play.c \
	%reldir%/exec_task.c \
	%reldir%/inventory.c %reldir%/inventory.h \
	%reldir%/inventory_ini.c \
	%reldir%/inventory_yaml.c \
	%reldir%/list.c %reldir%/list.h \
	%reldir%/load_file.c \
	%reldir%/load_play.c \
	%reldir%/load_role.c \
	%reldir%/load_task.c \
	%reldir%/magic.c \
	%reldir%/module.c \
	%reldir%/node.c \
	%reldir%/pattern.c \
	%reldir%/playbook.h \
	%reldir%/run.c \
	%reldir%/search.c \
	%reldir%/settle.c \
	%reldir%/state.h \
	%reldir%/tags.c \
	%reldir%/undo.c %reldir%/undo.h \
	%reldir%/undo_restore.c \
	%reldir%/vars.c \
	%reldir%/vars_load.c \
	%reldir%/watch.c %reldir%/watch.h
