# Programs the system tests ask.
noinst_PROGRAMS += %reldir%/net_door
%canon_reldir%_net_door_LDADD = $(net_libs)
