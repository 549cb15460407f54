/* provisioner/environment.h - the environment file: what shall exist, checked offline down to file, line and
 * column. Owns: everything lives in the arena of hf_environment_load(). Values of properties stay templates
 * until hf_resource_render(), because they may speak of resources that do not exist yet. */
#pragma once
#include "lib/base/vec.h"
#include "provisioner/spec.h"

enum { HF_RESOURCES_MAX = 20000, HF_RESOURCE_NAME_MAX = 100 };

struct hf_resource {
	const char *name; /* "subnet", or "subnet.a" of a for_each */
	const char *base; /* "subnet" */
	const struct hf_spec *spec;
	struct hf_value *properties; /* dict as written */
	struct hf_value *each;       /* dict {key, value}; NULL without for_each */
	bool prevent_destroy;
	const char *bootstrap; /* the property that holds what its machines start with; NULL: it makes none */
	struct hf_pos pos;
	struct { /* numbers of the resources it speaks of or depends_on */
		size_t *at;
		size_t n, room;
	} depends;
};

/* Something that exists and is nobody's to make: its outputs are values for templates. */
struct hf_lookup {
	const char *name;
	const struct hf_spec *spec;
	struct hf_value *properties; /* templates of variables only */
	struct hf_pos pos;
};

struct hf_environment {
	const char *path, *name, *region, *state;
	struct hf_specs *specs;
	struct hf_value *variables, *tags, *outputs; /* dicts */
	struct hf_value *bootstrap; /* dict: where hosts find their package and trust; or NULL */
	struct hf_value *accounts;  /* list of allowed account ids; NULL: any */
	struct {
		struct hf_resource *at;
		size_t n, room;
	} resources;
	struct {
		struct hf_lookup *at;
		size_t n, room;
	} lookups;
	struct hf_value *unlooked; /* dict: names of look-ups whose outputs are not in variables yet */
	/* name → its number + 1; base → number + 1 of the first: those of one base follow each other */
	struct hf_map names, bases;
	size_t *order; /* numbers, dependencies first */
};

/* variables: a dict of what was given on the command line; may be NULL. Circles are HF_E_ARGUMENT that names
 * them. */
HF_CHECK int hf_environment_load(struct hf_arena *a, const char *path, const struct hf_value *variables,
	struct hf_environment **ret, struct hf_error *err);
const struct hf_resource *hf_environment_find(const struct hf_environment *env, const char *name);

/* Properties with their templates rendered. known: dict of resource name → dict of its outputs. A property
 * that speaks of a resource named in pending (a dict) is HF_UNDEFINED: not known before apply. */
HF_CHECK int hf_resource_render(struct hf_arena *a, const struct hf_environment *env,
	const struct hf_resource *r, const struct hf_value *known, const struct hf_value *pending,
	struct hf_value **ret, struct hf_error *err);
/* The same for the outputs of the environment. */
HF_CHECK int hf_environment_outputs(struct hf_arena *a, const struct hf_environment *env,
	const struct hf_value *known, const struct hf_value *pending, struct hf_value **ret,
	struct hf_error *err);

/* Internal to environment.c and render.c. */
HF_CHECK int hf_value_render(struct hf_arena *a, const struct hf_environment *env,
	const struct hf_value *each, struct hf_value *v, const struct hf_value *known,
	const struct hf_value *pending, struct hf_value **ret, struct hf_error *err);
/* Add the names templates inside v read to names (a dict name → the value that reads it). */
HF_CHECK int hf_value_names(
	struct hf_arena *a, const struct hf_value *v, struct hf_value *names, struct hf_error *err);
