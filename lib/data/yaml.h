/* lib/data/yaml.h - YAML 1.1 as Ansible users get it, from libyaml's events with typing and bounds of our
 * own. Every value carries file, line and column; quoted scalars are marked. !unsafe marks strings, !vault
 * makes HF_VALUE_VAULT strings. Duplicate keys: the last wins and warning is called. Fails: HF_E_PARSE with
 * position, HF_E_LIMIT past a bound. */
#pragma once
#include "lib/data/value.h"

enum {
	HF_YAML_SIZE_MAX = 32 << 20,
	HF_YAML_DEPTH_MAX = 128,
	HF_YAML_NODES_MAX = 4000000,
	HF_YAML_ALIASES_MAX = 10000
};

struct hf_yaml_options {
	bool plain;   /* PyYAML's SafeLoader: !vault and !unsafe are unknown tags */
	bool libyaml; /* its events even where lib/data/yaml_simple.h has the same, for comparing them */
	bool strict;  /* duplicate keys are errors (our own configuration files) */
	void (*warning)(void *data, struct hf_pos pos, const char *text); /* may be NULL */
	void *data;
};
/* One document; empty text gives null. options may be NULL. name is shown in errors and is copied. */
HF_CHECK int hf_yaml_parse(struct hf_arena *a, struct hf_str text, const char *name,
	const struct hf_yaml_options *options, struct hf_value **ret, struct hf_error *err);
/* All documents, as a list. */
HF_CHECK int hf_yaml_parse_all(struct hf_arena *a, struct hf_str text, const char *name,
	const struct hf_yaml_options *options, struct hf_value **ret, struct hf_error *err);
/* Reads the file, then hf_yaml_parse(). */
HF_CHECK int hf_yaml_load(struct hf_arena *a, const char *path, const struct hf_yaml_options *options,
	struct hf_value **ret, struct hf_error *err);
/* The type a plain scalar resolves to; the dumper quotes text that would not come back as a string. */
enum hf_type hf_yaml_resolve(struct hf_str plain);

/* PyYAML's dump, byte for byte: to_yaml is {flow_leaves, indent 2}, to_nice_yaml {indent 4}. */
struct hf_yaml_style {
	bool flow;        /* default_flow_style=True: everything on one line */
	bool flow_leaves; /* default_flow_style=None: collections of scalars in flow style */
	int indent, width;
	bool sort_keys, unicode, explicit_start, explicit_end;
};
HF_CHECK int hf_yaml_write(struct hf_buf *out, const struct hf_value *v, const struct hf_yaml_style *style,
	struct hf_error *err);
