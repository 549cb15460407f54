/* lib/data/yaml_quick.h - reads the YAML nearly every playbook is written in (block mappings and lists,
 * scalars on one line, | and > blocks, flow collections of one line) some ten times faster than libyaml's
 * events do. It never says no: what it does not know, and whatever might be an error or deserve a warning
 * (anchors, tags,
 * <<, keys given twice, tabs, a scalar over several lines …), it leaves to yaml.c. What it does
 * read is the same value at the same position: tests/unit/test_yaml_quick.c and the fuzzer hold both
 * together. */
#pragma once
#include "lib/data/value.h"

/* One document. NULL: the caller reads it with libyaml. file outlives the values. */
struct hf_value *hf_yaml_quick(struct hf_arena *a, struct hf_str text, const char *file);
