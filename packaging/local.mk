# Sources of packaging/ are added here.
# What systemd reads: the agent's unit, its user, its folders.
systemdunitdir = $(prefix)/lib/systemd/system
dist_systemdunit_DATA = %reldir%/systemd/holdfastd.service
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = %reldir%/sysusers/holdfast.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
dist_tmpfiles_DATA = %reldir%/tmpfiles/holdfast.conf
