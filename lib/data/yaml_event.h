/* lib/data/yaml_event.h - what a YAML text consists of, event by event: for lib/data/yaml.c, which makes
 * values of it. */
#pragma once
#include "lib/base/str.h"

enum hf_yaml_event_type {
	HF_YAML_STREAM_START,
	HF_YAML_STREAM_END,
	HF_YAML_DOCUMENT_START,
	HF_YAML_DOCUMENT_END,
	HF_YAML_ALIAS,
	HF_YAML_SCALAR,
	HF_YAML_SEQUENCE,
	HF_YAML_SEQUENCE_END,
	HF_YAML_MAPPING,
	HF_YAML_MAPPING_END
};

struct hf_yaml_mark {
	unsigned line, column; /* from 0 */
};

struct hf_yaml_event {
	enum hf_yaml_event_type type;
	struct hf_yaml_mark mark; /* where it starts */
	struct hf_str text;       /* of a scalar, until the next event */
	const char *tag;          /* NULL: none */
	const char *anchor;       /* NULL: none; of an alias: its name */
	bool kept;     /* text is terminated and lives as long as the arena the events were opened with */
	bool implicit; /* a scalar whose type its text tells */
	bool quoted;   /* a scalar in quotes or in a block */
};

struct hf_yaml_events; /* opaque: its fields are in yaml_event.c */

/* libyaml: even where the text is of the simple kind. NULL: no memory. a, file and text are borrowed. */
struct hf_yaml_events *hf_yaml_events_open(
	struct hf_arena *a, struct hf_arena *scratch, const char *file, struct hf_str text, bool libyaml);
/* The last is HF_YAML_STREAM_END, and must not be passed. Fails: HF_E_PARSE with position. */
HF_CHECK int hf_yaml_events_next(
	struct hf_yaml_events *events, struct hf_yaml_event *ret, struct hf_error *err);
void hf_yaml_events_close(struct hf_yaml_events *events);
