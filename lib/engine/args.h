/* lib/engine/args.h - how a task says what it wants: free-form text, key=value text, and the task's own dict.
 * Owns:  results live in the given arena.
 * Fails: HF_E_PARSE with the words Ansible uses. */
#pragma once
#include "lib/data/value.h"

enum { HF_ARGS_TEXT_MAX = 8 << 20 };

/* Text into pieces at blanks and newlines outside quotes and {{ }} {% %} {# #}; quotes are kept. A list of
 * strings. */
HF_CHECK int hf_args_split(
	struct hf_arena *a, struct hf_str text, struct hf_value **ret, struct hf_error *err);
/* "k=v k2='v 2' rest": a dict of strings, what is not k=v under _raw_params. raw: as command and shell read
 * it, only options in keep (NULL: Ansible's own list) are taken out. */
HF_CHECK int hf_args_pairs(struct hf_arena *a, struct hf_str text, bool raw, const char *const *keep,
	struct hf_value **ret, struct hf_error *err);

struct hf_action {
	const char *name;          /* as written; NULL: none */
	struct hf_value *args;     /* a dict, own to this task */
	struct hf_value *delegate; /* of delegate_to or local_action; NULL: none */
	struct hf_pos pos;         /* of the module's name */
};
/* is_action: whether a key that is no keyword names an action; NULL: all do. */
HF_CHECK int hf_action_parse(struct hf_arena *a, const struct hf_value *task,
	bool (*is_action)(const void *data, const char *name), const void *data, struct hf_action *ret,
	struct hf_error *err);
/* name without ansible.builtin. or ansible.legacy. */
const char *hf_action_short(const char *name);
bool hf_action_is_raw(const char *name); /* command, shell, script, raw … : free text is their argument */
/* Ansible knows the name, be it of a module of its own or of a collection. */
bool hf_action_is_known(const char *name);
