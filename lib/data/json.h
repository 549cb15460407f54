/* lib/data/json.h - JSON in and out, through jansson on the way in.
 * Order of keys is kept, depth and size are bounded. hf_json_parse() refuses duplicate keys, integers beyond
 * int64_t and NUL. The writer produces what Python's json.dumps does.
 */
#pragma once
#include "lib/data/value.h"

enum { HF_JSON_SIZE_MAX = 64 << 20, HF_JSON_DEPTH_MAX = 512 };

/* name: shown in errors as the file. Fails with HF_E_PARSE at line and column, HF_E_LIMIT past a bound. */
HF_CHECK int hf_json_parse(struct hf_arena *a, struct hf_str text, const char *name, struct hf_value **ret,
	struct hf_error *err);

/* As Python's json.loads(), for values of playbooks: integers of any size, NUL, NaN and Infinity are
 * accepted, of duplicate keys the last wins. */
HF_CHECK int hf_json_loads(
	struct hf_arena *a, struct hf_str text, struct hf_value **ret, struct hf_error *err);

struct hf_json_style {
	int indent; /* < 0: one line */
	bool sort_keys;
	bool ascii;        /* escape everything beyond ASCII, as ensure_ascii=True */
	bool compact;      /* "," and ":" without blanks */
	bool tight;        /* "," without a blank, whatever the indentation */
	bool hide_secrets; /* a secret value becomes "********" */
};
#define HF_JSON_COMPACT ((struct hf_json_style){ .indent = -1, .compact = true })
#define HF_JSON_PRETTY  ((struct hf_json_style){ .indent = 2 })
#define HF_JSON_PYTHON  ((struct hf_json_style){ .indent = -1, .ascii = true }) /* json.dumps(v) */
/* Non-string keys become strings as in Python; dates become ISO text, bytes and sets and objects are
 * HF_E_ARGUMENT. */
HF_CHECK int hf_json_write(struct hf_buf *out, const struct hf_value *v, const struct hf_json_style *style,
	struct hf_error *err);
