# Programs the differential tests ask; each reads cases and answers what the library says.
noinst_PROGRAMS += %reldir%/sigv4_door
%canon_reldir%_sigv4_door_LDADD = $(net_libs)
noinst_PROGRAMS += %reldir%/wire_door
%canon_reldir%_wire_door_LDADD = $(provisioner_libs)
