noinst_LIBRARIES += %reldir%/libhf-data.a
%canon_reldir%_libhf_data_a_SOURCES = \
	%reldir%/schema.c %reldir%/schema.h \
	%reldir%/schema_convert.c %reldir%/schema_convert.h \
	%reldir%/json.c %reldir%/json_loads.c %reldir%/json.h \
	%reldir%/unicode.c %reldir%/unicode.h %reldir%/unicode_printable.h \
	%reldir%/value.c %reldir%/value_print.c %reldir%/value.h \
	%reldir%/yaml.c %reldir%/yaml.h \
	%reldir%/yaml_event.c %reldir%/yaml_event.h \
	%reldir%/yaml_simple.c %reldir%/yaml_simple.h \
	%reldir%/yaml_scalar.c %reldir%/yaml_scalar.h \
	%reldir%/yaml_write.c
