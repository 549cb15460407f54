noinst_LIBRARIES += %reldir%/libhf-net.a
%canon_reldir%_libhf_net_a_SOURCES = \
	%reldir%/http.c %reldir%/http.h %reldir%/http_answer.c \
	%reldir%/http_transfer.c %reldir%/http_transfer.h \
	%reldir%/sigv4.c %reldir%/sigv4.h
