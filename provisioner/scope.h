/* provisioner/scope.h - what the files that read an environment share: names, properties, modules, rendering.
 * Internal to environment.c, property.c, module.c, depend.c and render.c. */
#pragma once
#include "provisioner/environment.h"

enum {
	HF_MODULE_CHAIN_MAX =
		40 /* inputs and outputs that speak of each other; rendered on a fiber's stack */
};

/* Names become keys of the state and names in templates; keys of a for_each may begin with a digit and have
 * a "-". */
bool hf_name_valid(struct hf_str s);
bool hf_key_valid(struct hf_str s);

/* property.c: names, types and choices of what was written; r->scope, spec and properties are set. */
bool hf_type_fits(const char *type, const struct hf_value *v); /* of a property or an input */
bool hf_type_known(const char *type);
bool hf_is_template(const struct hf_value *v);
/* "did you mean" among the keys of dict; NULL: none is near. */
const char *hf_key_nearest(struct hf_arena *a, const struct hf_value *dict, const char *name);
HF_CHECK int hf_properties_check(const struct hf_resource *r, struct hf_error *err);
/* What a template gave for a property: of its type, too. */
HF_CHECK int hf_property_fit(struct hf_arena *a, const struct hf_resource *r, const char *name,
	struct hf_value *v, struct hf_value **ret, struct hf_error *err);

/* environment.c: look-ups, modules (dicts as written, or NULL) and resources of one file, into env. */
HF_CHECK int hf_scope_fill(struct hf_arena *a, struct hf_environment *env, struct hf_scope *s,
	const struct hf_value *data, struct hf_value *modules, struct hf_error *err);
/* An error inside a module names its call, too. Returns -err->code. */
int hf_scope_wrap(const struct hf_scope *s, struct hf_error *err);
int hf_call_wrap(const struct hf_scope *s, struct hf_error *err); /* the innermost call alone */
/* One item of a for_each. key: NULL when the items are not looked up yet, and this one stands for all. */
struct hf_item {
	const char *key;
	struct hf_value *each; /* {key, value}; value HF_UNDEFINED where it is not known */
};
struct hf_items {
	struct hf_item *at;
	size_t n, room;
};
/* What a for_each goes over. what: for messages. HF_E_UNDEFINED says what is not known before apply. */
HF_CHECK int hf_each_items(struct hf_arena *a, const struct hf_environment *env, const struct hf_scope *s,
	struct hf_value *for_each, const char *what, struct hf_items *ret, struct hf_error *err);

/* module.c: the modules a file calls, and what is inside. */
HF_CHECK int hf_modules_read(struct hf_arena *a, struct hf_environment *env, struct hf_scope *s,
	struct hf_value *calls, struct hf_error *err);

/* depend.c: who needs whom; every name is somebody's; dependencies first. */
HF_CHECK int hf_depends_find(struct hf_arena *a, struct hf_environment *env, struct hf_error *err);
/* A number in a map, where 0 would be "none". */
void *hf_number_pack(size_t i);
size_t hf_number_of(const struct hf_map *m, const char *key); /* SIZE_MAX: not there */

/* render.c: what templates inside v read, as paths (a dict path → the value that reads it), added to paths.
 */
HF_CHECK int hf_value_paths(
	struct hf_arena *a, const struct hf_value *v, struct hf_value *paths, struct hf_error *err);
/* v before anything is known of what is made. *ret_waits: NULL, or the name it waits for; *ret_look: that is
 * a look-up. */
HF_CHECK int hf_value_render_early(struct hf_arena *a, const struct hf_environment *env,
	const struct hf_scope *s, struct hf_value *v, struct hf_value **ret, const char **ret_waits,
	bool *ret_look, struct hf_error *err);
