# Programs the system tests ask.
noinst_PROGRAMS += %reldir%/net_door
%canon_reldir%_net_door_LDADD = $(net_libs)
noinst_PROGRAMS += %reldir%/store_door
%canon_reldir%_store_door_LDADD = $(release_libs)
noinst_PROGRAMS += %reldir%/undo_door
%canon_reldir%_undo_door_LDADD = $(modules_libs)
