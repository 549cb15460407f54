# One program a unit. Rows of a table are cmocka tests of their own, printed as TAP.
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += %reldir%/test_str
TESTS += $(check_PROGRAMS)

%canon_reldir%_test_str_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_str_LDADD = $(base_libs) $(CMOCKA_LIBS)

check_PROGRAMS += %reldir%/test_base %reldir%/test_files
%canon_reldir%_test_base_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_base_LDADD = $(base_libs) $(CMOCKA_LIBS)
%canon_reldir%_test_files_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_files_LDADD = $(base_libs) $(CMOCKA_LIBS)

check_PROGRAMS += %reldir%/test_envelope %reldir%/test_accept
%canon_reldir%_test_envelope_SOURCES = %reldir%/test_envelope.c %reldir%/release_kit.c %reldir%/release_kit.h
%canon_reldir%_test_envelope_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_envelope_LDADD = $(release_libs) $(CMOCKA_LIBS)
%canon_reldir%_test_accept_SOURCES = %reldir%/test_accept.c %reldir%/release_kit.c %reldir%/release_kit.h
%canon_reldir%_test_accept_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_accept_LDADD = $(release_libs) $(CMOCKA_LIBS)

check_PROGRAMS += %reldir%/test_unpack
%canon_reldir%_test_unpack_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_unpack_LDADD = $(release_libs) $(CMOCKA_LIBS)

check_PROGRAMS += %reldir%/test_documents
%canon_reldir%_test_documents_SOURCES = %reldir%/test_documents.c %reldir%/release_kit.c %reldir%/release_kit.h
%canon_reldir%_test_documents_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_documents_LDADD = $(release_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_template
%canon_reldir%_test_template_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_template_LDADD = $(template_libs) $(CMOCKA_LIBS)

check_PROGRAMS += %reldir%/test_aws
%canon_reldir%_test_aws_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_aws_LDADD = $(provisioner_libs) $(CMOCKA_LIBS)
# Values and templating.
check_PROGRAMS += %reldir%/test_regex %reldir%/test_yaml %reldir%/test_templar %reldir%/test_templar_safe
%canon_reldir%_test_regex_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_regex_LDADD = $(engine_libs) $(CMOCKA_LIBS)
%canon_reldir%_test_yaml_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_yaml_LDADD = $(data_libs) $(CMOCKA_LIBS)
%canon_reldir%_test_templar_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_templar_LDADD = $(engine_libs) $(CMOCKA_LIBS)
%canon_reldir%_test_templar_safe_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_templar_safe_LDADD = $(engine_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_schema
%canon_reldir%_test_schema_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_schema_LDADD = $(template_libs) $(CMOCKA_LIBS)

check_PROGRAMS += %reldir%/test_inventory
%canon_reldir%_test_inventory_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_inventory_LDADD = $(modules_libs) $(release_libs) $(CMOCKA_LIBS)

check_PROGRAMS += %reldir%/test_playbook_errors
%canon_reldir%_test_playbook_errors_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_playbook_errors_LDADD = $(modules_libs) $(release_libs) $(CMOCKA_LIBS)

check_PROGRAMS += %reldir%/test_window
%canon_reldir%_test_window_SOURCES = %reldir%/test_window.c lib/release/window.c lib/release/window.h
%canon_reldir%_test_window_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_window_LDADD = $(data_libs) $(CMOCKA_LIBS)

check_PROGRAMS += %reldir%/test_file_mode %reldir%/test_cmdline
%canon_reldir%_test_file_mode_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_file_mode_LDADD = $(modules_libs) $(CMOCKA_LIBS)
%canon_reldir%_test_cmdline_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_cmdline_LDADD = $(modules_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_dpkg
%canon_reldir%_test_dpkg_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_dpkg_LDADD = $(modules_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_gpu_kmsg
%canon_reldir%_test_gpu_kmsg_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_gpu_kmsg_LDADD = $(modules_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_fit
%canon_reldir%_test_fit_SOURCES = %reldir%/test_fit.c agent/config.c agent/config.h agent/fit.c agent/fit.h lib/release/window.c lib/release/window.h
%canon_reldir%_test_fit_CPPFLAGS = $(UNIT_CPPFLAGS) $(SQLITE_CFLAGS)
%canon_reldir%_test_fit_LDADD = $(data_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_watch_inotify
%canon_reldir%_test_watch_inotify_SOURCES = %reldir%/test_watch_inotify.c agent/watch_inotify.c agent/watch_index.c
%canon_reldir%_test_watch_inotify_CPPFLAGS = $(UNIT_CPPFLAGS) $(SQLITE_CFLAGS) $(SYSTEMD_CFLAGS)
%canon_reldir%_test_watch_inotify_LDADD = $(data_libs) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

check_PROGRAMS += %reldir%/test_timeline
%canon_reldir%_test_timeline_SOURCES = %reldir%/test_timeline.c agent/timeline_of.c agent/timeline_of.h
%canon_reldir%_test_timeline_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_timeline_LDADD = $(data_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_looks
%canon_reldir%_test_looks_SOURCES = %reldir%/test_looks.c agent/look.c agent/looks.c
%canon_reldir%_test_looks_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_looks_LDADD = $(data_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_rollout
%canon_reldir%_test_rollout_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_rollout_LDADD = $(release_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_watch_fanotify
%canon_reldir%_test_watch_fanotify_SOURCES = %reldir%/test_watch_fanotify.c agent/watch_fanotify.c agent/watch_index.c
%canon_reldir%_test_watch_fanotify_CPPFLAGS = $(UNIT_CPPFLAGS) $(SQLITE_CFLAGS) $(SYSTEMD_CFLAGS)
%canon_reldir%_test_watch_fanotify_LDADD = $(data_libs) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)
check_PROGRAMS += %reldir%/test_differs
%canon_reldir%_test_differs_SOURCES = %reldir%/test_differs.c agent/differs.c
%canon_reldir%_test_differs_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_differs_LDADD = $(data_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_prune
%canon_reldir%_test_prune_SOURCES = %reldir%/test_prune.c agent/prune_files.c
%canon_reldir%_test_prune_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_prune_LDADD = $(data_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_crypto
%canon_reldir%_test_crypto_SOURCES = %reldir%/test_crypto.c
%canon_reldir%_test_crypto_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_crypto_LDADD = $(modules_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_docker_context
%canon_reldir%_test_docker_context_SOURCES = %reldir%/test_docker_context.c
%canon_reldir%_test_docker_context_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_docker_context_LDADD = $(modules_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_memory
%canon_reldir%_test_memory_SOURCES = %reldir%/test_memory.c agent/memory.c agent/memory.h
%canon_reldir%_test_memory_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_memory_LDADD = $(data_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_state
%canon_reldir%_test_state_SOURCES = %reldir%/test_state.c agent/state.c agent/state.h
%canon_reldir%_test_state_CPPFLAGS = $(UNIT_CPPFLAGS) $(SQLITE_CFLAGS)
%canon_reldir%_test_state_LDADD = $(data_libs) $(CMOCKA_LIBS) $(SQLITE_LIBS)
check_PROGRAMS += %reldir%/test_sweep
%canon_reldir%_test_sweep_SOURCES = %reldir%/test_sweep.c agent/look.c agent/state.c agent/sweep.c
%canon_reldir%_test_sweep_CPPFLAGS = $(UNIT_CPPFLAGS) $(SQLITE_CFLAGS) $(SYSTEMD_CFLAGS)
%canon_reldir%_test_sweep_LDADD = $(data_libs) $(CMOCKA_LIBS) $(SQLITE_LIBS) $(SYSTEMD_LIBS)
check_PROGRAMS += %reldir%/test_watch_index
%canon_reldir%_test_watch_index_SOURCES = %reldir%/test_watch_index.c agent/watch_index.c agent/watch_index.h
%canon_reldir%_test_watch_index_CPPFLAGS = $(UNIT_CPPFLAGS) $(SQLITE_CFLAGS) $(SYSTEMD_CFLAGS)
%canon_reldir%_test_watch_index_LDADD = $(data_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_yaml_simple
%canon_reldir%_test_yaml_simple_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_yaml_simple_LDADD = $(data_libs) $(CMOCKA_LIBS)
check_PROGRAMS += %reldir%/test_systemd_files
%canon_reldir%_test_systemd_files_CPPFLAGS = $(UNIT_CPPFLAGS)
%canon_reldir%_test_systemd_files_LDADD = $(modules_libs) $(CMOCKA_LIBS)
