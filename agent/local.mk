sbin_PROGRAMS += holdfastd
holdfastd_SOURCES = \
	%reldir%/agent.c %reldir%/agent.h \
	%reldir%/apply.c %reldir%/apply.h \
	%reldir%/broker.c %reldir%/broker.h \
	%reldir%/child.c %reldir%/child.h \
	%reldir%/cloud.c %reldir%/cloud.h \
	%reldir%/cloud_body.c %reldir%/cloud_body.h \
	%reldir%/cloud_role.c %reldir%/cloud_role.h \
	%reldir%/config.c %reldir%/config.h \
	%reldir%/ctl.c %reldir%/ctl.h \
	%reldir%/ctl_command.c %reldir%/ctl_command.h \
	%reldir%/differs.c %reldir%/differs.h \
	%reldir%/drift.c %reldir%/drift.h \
	%reldir%/drift_set.c %reldir%/drift_set.h \
	%reldir%/fetch.c %reldir%/fetch.h \
	%reldir%/first.c %reldir%/first.h \
	%reldir%/fit.c %reldir%/fit.h \
	%reldir%/gate.c %reldir%/gate.h \
	%reldir%/identity.c %reldir%/identity.h \
	%reldir%/job.c %reldir%/job.h \
	%reldir%/ledger.c %reldir%/ledger.h \
	%reldir%/look.c %reldir%/look.h \
	%reldir%/looks.c %reldir%/looks.h \
	%reldir%/main.c \
	%reldir%/memory.c %reldir%/memory.h \
	%reldir%/mqtt.c %reldir%/mqtt.h \
	%reldir%/net.c %reldir%/net.h \
	%reldir%/net_unit.c %reldir%/net_unit.h \
	%reldir%/notice.c %reldir%/notice.h \
	%reldir%/notice_role.c %reldir%/notice_role.h \
	%reldir%/outbox.c %reldir%/outbox.h \
	%reldir%/plan.c %reldir%/plan.h \
	%reldir%/prune.c %reldir%/prune.h \
	%reldir%/prune_files.c %reldir%/prune_files.h \
	%reldir%/pull.c %reldir%/pull.h \
	%reldir%/ready.c %reldir%/ready.h \
	%reldir%/reboot.c %reldir%/reboot.h \
	%reldir%/recall.c %reldir%/recall.h \
	%reldir%/report.c %reldir%/report.h \
	%reldir%/runlog.c %reldir%/runlog.h \
	%reldir%/run_report.c %reldir%/run_report.h \
	%reldir%/sandbox.c %reldir%/sandbox.h \
	%reldir%/spool.c %reldir%/spool.h \
	%reldir%/state.c %reldir%/state.h \
	%reldir%/store_wire.c %reldir%/store_wire.h \
	%reldir%/supervisor.c %reldir%/supervisor.h \
	%reldir%/sweep.c %reldir%/sweep.h \
	%reldir%/timeline.c %reldir%/timeline.h \
	%reldir%/timeline_of.c %reldir%/timeline_of.h \
	%reldir%/turn.c %reldir%/turn.h \
	%reldir%/undo.c %reldir%/undo.h \
	%reldir%/watch.c %reldir%/watch.h \
	%reldir%/watch_bus.c \
	%reldir%/watch_fanotify.c \
	%reldir%/watch_index.c %reldir%/watch_index.h \
	%reldir%/watch_inotify.c \
	%reldir%/watch_source.h \
	%reldir%/wire.c %reldir%/wire.h \
	%reldir%/work.c %reldir%/work.h \
	%reldir%/work_runs.c %reldir%/work_runs.h
holdfastd_LDADD = $(modules_libs) $(release_libs) $(SQLITE_LIBS) $(SECCOMP_LIBS) $(MOSQUITTO_LIBS) $(SSL_LIBS) \
	$(SYSTEMD_LIBS)
