/* provisioner/environment.h - the environment file and the modules it uses: what shall exist, checked offline
 * down to file, line and column. Owns: everything lives in the arena of hf_environment_load(). Values of
 * properties stay templates until hf_resource_render(), because they may speak of resources that do not exist
 * yet. */
#pragma once
#include "lib/base/vec.h"
#include "provisioner/spec.h"

enum {
	HF_RESOURCES_MAX = 20000,
	HF_RESOURCE_NAME_MAX = 100, /* of each part of a full name */
	HF_FULL_NAME_MAX = 250,     /* it is the value of a tag */
	HF_MODULE_DEPTH_MAX = 8,
	HF_MODULES_MAX = 2000
};

/* The names templates of one file see: the environment's, or those of one instance of a module. */
struct hf_scope {
	const char *name;   /* "", "module.net", "module.net.module.inner", "module.net.a" of a for_each */
	const char *prefix; /* "", or the name and a dot: what full names of its resources begin with */
	const char *path;   /* of its file */
	struct hf_pos pos;  /* where it is called */
	const struct hf_scope *parent;
	struct hf_value *variables, *unlooked; /* dicts; unlooked: look-ups whose outputs are not known yet */
	struct hf_value *inputs;               /* dict as given: templates of the parent's names */
	struct hf_value *declared;             /* dict: input → {type, default, description} */
	struct hf_value *outputs;              /* dict: templates of its own names */
	struct hf_value *resources;            /* dict as written */
	struct hf_value *for_each;             /* as written, or NULL */
	struct hf_value *each;                 /* dict {key, value} for the inputs; NULL without for_each */
	struct hf_map modules;                 /* name → struct hf_module */
	bool unexpanded; /* stands for all of a for_each over what is not looked up yet */
};

struct hf_module {
	bool by_key; /* of a for_each: its instances have keys */
	HF_VEC(struct hf_scope *) instances;
};

struct hf_resource {
	const char *name; /* full: "subnet", "subnet.a" of a for_each, "module.net.subnet.a" */
	const char *base; /* "subnet", "module.net.subnet" */
	const struct hf_scope *scope;
	const struct hf_spec *spec;
	struct hf_value *properties; /* dict as written */
	struct hf_value *depends_on; /* list as written, or NULL */
	struct hf_value *for_each;   /* as written, or NULL */
	struct hf_value *each;       /* dict {key, value}; NULL without for_each */
	bool prevent_destroy;
	bool force_destroy;    /* what is in it goes, too */
	bool unexpanded;       /* stands for all of a for_each over what is not looked up yet: "subnet.*" */
	const char *bootstrap; /* the property that holds what its machines start with; NULL: it makes none */
	struct hf_pos pos;
	struct { /* numbers of the resources it speaks of or depends_on */
		size_t *at;
		size_t n, room;
	} depends;
};

/* Something that exists and is nobody's to make: its outputs are values for templates. */
struct hf_lookup {
	const char *name; /* full */
	const char *base; /* in its scope */
	struct hf_scope *scope;
	const struct hf_spec *spec;
	struct hf_value *properties; /* templates of variables and inputs only */
	struct hf_pos pos;
};

struct hf_environment {
	const char *path, *name, *region, *state;
	struct hf_specs *specs;
	struct hf_scope root;
	struct hf_value *doc;                        /* the file, for hf_environment_expand() */
	struct hf_value *variables, *tags, *outputs; /* dicts; variables and outputs are root's */
	struct hf_value *bootstrap; /* dict: where hosts find their package and trust; or NULL */
	struct hf_value *max_hourly_price, *prices; /* a number or NULL; dict: instance type → price */
	struct hf_value *accounts;                  /* list of allowed account ids; NULL: any */
	struct {
		struct hf_resource *at;
		size_t n, room;
	} resources;
	struct {
		struct hf_lookup *at;
		size_t n, room;
	} lookups;
	struct hf_value *looked; /* dict: full name of a look-up → its outputs */
	size_t n_modules, n_unexpanded;
	struct hf_map files; /* path of a module's file → its document */
	/* name → its number + 1; base → number + 1 of the first: those of one base follow each other */
	struct hf_map names, bases;
	size_t *order; /* numbers, dependencies first */
};

/* variables: a dict of what was given on the command line; may be NULL. Circles are HF_E_ARGUMENT that names
 * them. */
HF_CHECK int hf_environment_load(struct hf_arena *a, const char *path, const struct hf_value *variables,
	struct hf_environment **ret, struct hf_error *err);
/* Once more, with what was looked up: every for_each has its instances now, or a look-up of theirs is left.
 * Resources found before are gone. */
HF_CHECK int hf_environment_expand(struct hf_arena *a, struct hf_environment *env, struct hf_error *err);
const struct hf_resource *hf_environment_find(const struct hf_environment *env, const char *name);
/* The same; for a name of a for_each that is not expanded, what stands for it. */
const struct hf_resource *hf_environment_like(const struct hf_environment *env, const char *name);
/* The outputs of a look-up: values for templates from now on. */
void hf_environment_looked(struct hf_environment *env, const struct hf_lookup *l, struct hf_value *outputs);

/* Properties with their templates rendered. known: dict of resource base → dict of its outputs. A property
 * that speaks of a resource named in pending (a dict) is HF_UNDEFINED: not known before apply. */
HF_CHECK int hf_resource_render(struct hf_arena *a, const struct hf_environment *env,
	const struct hf_resource *r, const struct hf_value *known, const struct hf_value *pending,
	struct hf_value **ret, struct hf_error *err);
/* One of them. *ret: NULL when it was not written. */
HF_CHECK int hf_property_render(struct hf_arena *a, const struct hf_environment *env,
	const struct hf_resource *r, const char *name, const struct hf_value *known,
	const struct hf_value *pending, struct hf_value **ret, struct hf_error *err);
/* A value of the environment itself, of variables and look-ups. */
HF_CHECK int hf_root_render(struct hf_arena *a, const struct hf_environment *env, struct hf_value *v,
	struct hf_value **ret, struct hf_error *err);
/* The same for the outputs of the environment. */
HF_CHECK int hf_environment_outputs(struct hf_arena *a, const struct hf_environment *env,
	const struct hf_value *known, const struct hf_value *pending, struct hf_value **ret,
	struct hf_error *err);
/* The properties of a look-up. */
HF_CHECK int hf_lookup_render(struct hf_arena *a, const struct hf_environment *env, const struct hf_lookup *l,
	struct hf_value **ret, struct hf_error *err);
