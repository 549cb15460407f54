# Each fuzz_X.c defines LLVMFuzzerTestOneInput. Configured with --enable-fuzzers it is a libFuzzer program; otherwise
# replay.c is its main and `make check` feeds it the seeds in seeds/X.
fuzz_programs = %reldir%/fuzz_yaml %reldir%/fuzz_xml %reldir%/fuzz_envelope %reldir%/fuzz_pointer %reldir%/fuzz_root \
	%reldir%/fuzz_manifest %reldir%/fuzz_template %reldir%/fuzz_regex %reldir%/fuzz_literal %reldir%/fuzz_jmespath \
	%reldir%/fuzz_templar %reldir%/fuzz_playbook %reldir%/fuzz_inventory %reldir%/fuzz_args \
	%reldir%/fuzz_crypto

check_PROGRAMS += $(fuzz_programs)
if HF_FUZZERS
fuzz_main =
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer
else
fuzz_main = %reldir%/replay.c
fuzz_ldflags = $(AM_LDFLAGS)
endif

%canon_reldir%_fuzz_yaml_SOURCES = %reldir%/fuzz_yaml.c $(fuzz_main)
%canon_reldir%_fuzz_yaml_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_yaml_LDADD = $(data_libs)

%canon_reldir%_fuzz_envelope_SOURCES = %reldir%/fuzz_envelope.c $(fuzz_main)
%canon_reldir%_fuzz_envelope_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_envelope_LDADD = $(release_libs)

%canon_reldir%_fuzz_pointer_SOURCES = %reldir%/fuzz_pointer.c $(fuzz_main)
%canon_reldir%_fuzz_pointer_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_pointer_LDADD = $(release_libs)

%canon_reldir%_fuzz_root_SOURCES = %reldir%/fuzz_root.c $(fuzz_main)
%canon_reldir%_fuzz_root_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_root_LDADD = $(release_libs)

%canon_reldir%_fuzz_manifest_SOURCES = %reldir%/fuzz_manifest.c $(fuzz_main)
%canon_reldir%_fuzz_manifest_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_manifest_LDADD = $(release_libs)

%canon_reldir%_fuzz_xml_SOURCES = %reldir%/fuzz_xml.c $(fuzz_main)
%canon_reldir%_fuzz_xml_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_xml_LDADD = $(net_libs)

%canon_reldir%_fuzz_template_SOURCES = %reldir%/fuzz_template.c $(fuzz_main)
%canon_reldir%_fuzz_template_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_template_LDADD = $(template_libs)

%canon_reldir%_fuzz_regex_SOURCES = %reldir%/fuzz_regex.c $(fuzz_main)
%canon_reldir%_fuzz_regex_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_regex_LDADD = $(engine_libs)

%canon_reldir%_fuzz_literal_SOURCES = %reldir%/fuzz_literal.c $(fuzz_main)
%canon_reldir%_fuzz_literal_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_literal_LDADD = $(engine_libs)

%canon_reldir%_fuzz_jmespath_SOURCES = %reldir%/fuzz_jmespath.c $(fuzz_main)
%canon_reldir%_fuzz_jmespath_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_jmespath_LDADD = $(engine_libs)

%canon_reldir%_fuzz_templar_SOURCES = %reldir%/fuzz_templar.c $(fuzz_main)
%canon_reldir%_fuzz_templar_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_templar_LDADD = $(engine_libs)

%canon_reldir%_fuzz_playbook_SOURCES = %reldir%/fuzz_playbook.c $(fuzz_main)
%canon_reldir%_fuzz_playbook_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_playbook_LDADD = $(modules_libs) $(release_libs)

%canon_reldir%_fuzz_inventory_SOURCES = %reldir%/fuzz_inventory.c $(fuzz_main)
%canon_reldir%_fuzz_inventory_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_inventory_LDADD = $(engine_libs)

%canon_reldir%_fuzz_args_SOURCES = %reldir%/fuzz_args.c $(fuzz_main)
%canon_reldir%_fuzz_args_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_args_LDADD = $(engine_libs)

%canon_reldir%_fuzz_crypto_SOURCES = %reldir%/fuzz_crypto.c $(fuzz_main)
%canon_reldir%_fuzz_crypto_LDFLAGS = $(fuzz_ldflags)
%canon_reldir%_fuzz_crypto_LDADD = $(modules_libs) $(SSL_LIBS)
