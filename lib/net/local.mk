noinst_LIBRARIES += %reldir%/libhf-net.a
%canon_reldir%_libhf_net_a_SOURCES = \
	%reldir%/aws.c %reldir%/aws.h %reldir%/aws_endpoint.c %reldir%/aws_error.c \
	%reldir%/aws_json.c %reldir%/aws_json.h \
	%reldir%/credentials.c %reldir%/credentials.h %reldir%/credentials_chain.h \
	%reldir%/credentials_profile.c %reldir%/credentials_remote.c \
	%reldir%/http.c %reldir%/http.h %reldir%/http_answer.c \
	%reldir%/http_transfer.c %reldir%/http_transfer.h \
	%reldir%/imds.c %reldir%/imds.h \
	%reldir%/s3.c %reldir%/s3.h \
	%reldir%/sigv4.c %reldir%/sigv4.h \
	%reldir%/xml.c %reldir%/xml.h
