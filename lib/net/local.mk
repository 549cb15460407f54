noinst_LIBRARIES += %reldir%/libhf-net.a
%canon_reldir%_libhf_net_a_SOURCES =
