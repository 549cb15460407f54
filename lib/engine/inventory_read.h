/* lib/engine/inventory_read.h - hosts and groups from INI and YAML files, directories and "a,b," lists.
 * Fails: HF_E_PARSE with position, HF_E_LIMIT past a bound, HF_E_UNSUPPORTED for scripts and plugins. */
#pragma once
#include "lib/engine/inventory.h"

/* source: a file, a directory, or a list with a comma in it. */
HF_CHECK int hf_inventory_add(struct hf_inventory *v, const char *source, struct hf_error *err);

HF_CHECK int hf_inventory_read_ini(
	struct hf_inventory *v, const char *path, struct hf_str text, struct hf_error *err);
HF_CHECK int hf_inventory_read_yaml(struct hf_inventory *v, const struct hf_value *doc, struct hf_error *err);
/* "web[01:10].x" and "db[a:c]" to names. */
HF_CHECK int hf_inventory_expand(
	struct hf_arena *a, struct hf_str pattern, struct hf_value **ret_names, struct hf_error *err);
