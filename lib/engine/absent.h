/* lib/engine/absent.h - what Ansible could have and holdfast has not: one place that says so, for the loader,
 * for tasks that are reached, for lint and for --strict. Owns:  nothing; texts live in the given arena. */
#pragma once
#include "lib/engine/keyword.h"
#include "lib/engine/playbook.h"

enum hf_plugin_kind { HF_PLUGIN_MODULE, HF_PLUGIN_FILTER, HF_PLUGIN_TEST, HF_PLUGIN_LOOKUP, HF_PLUGIN_KINDS };

/* Where Python plugins may lie for a place in a playbook. Members may be NULL. */
struct hf_plugin_places {
	const char *role_dir, *play_dir;
	const char *const *collections_path; /* NULL-terminated */
};

/* "module", "filter", "test", "lookup". */
const char *hf_plugin_word(enum hf_plugin_kind kind);
/* The Python file that is or may hold the plugin; NULL when nothing beside the playbook could bring it. A
 * filter or test may come from any file of its folder, so that folder is given. */
const char *hf_plugin_file(struct hf_arena *a, const struct hf_plugin_places *places,
	enum hf_plugin_kind kind, const char *name);
/* Ansible, with the collections its package brings or those beside the playbook, could know the name. */
bool hf_plugin_possible(struct hf_arena *a, const struct hf_plugin_places *places, enum hf_plugin_kind kind,
	const char *name);
/* One sentence about a name that is not there, in Ansible's words where Ansible would refuse it too. */
const char *hf_plugin_absent(struct hf_arena *a, const struct hf_plugin_places *places,
	enum hf_plugin_kind kind, const char *name);
/* Why the value of a keyword is refused; NULL: it is not. */
const char *hf_keyword_refused(struct hf_arena *a, enum hf_keyword k, const struct hf_value *v);
