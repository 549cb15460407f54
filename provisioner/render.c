/* Templates inside the values of an environment file. */
#include "lib/base/scope.h"
#include "lib/template/template.h"
#include "provisioner/bootstrap.h"
#include "provisioner/environment.h"

enum { RENDER_OUTPUT_MAX = 4 << 20, RENDER_DEPTH_MAX = 64, RENDER_STEPS_MAX = 1000000 };

static const struct hf_template_env language = {
	.undefined = HF_UNDEFINED_STRICT,
	.lists_not_iterators = true,
	.keep_trailing_newline = true,
	.limits = { .steps = RENDER_STEPS_MAX, .output = RENDER_OUTPUT_MAX },
};

static int text_compile(
	struct hf_arena *a, const struct hf_value *v, struct hf_template **ret, struct hf_error *err)
{
	*ret = NULL;
	if (!hf_is(v, HF_STRING) || !hf_template_is_template(&language, v->u.string))
		return 0;
	struct hf_error why = { 0 };
	int rc = hf_template_compile(a, &language, v->u.string, "template", ret, &why);
	if (rc < 0)
		return hf_fail_at(err, why.code, hf_value_pos(v), "%s", why.text);
	return 0;
}

int hf_value_names(struct hf_arena *a, const struct hf_value *v, struct hf_value *names, struct hf_error *err)
{
	struct hf_template *t;
	int rc = text_compile(a, v, &t, err);
	if (rc == 0 && t != NULL) {
		struct hf_value *found = hf_template_names(a, t);
		for (size_t i = 0; i < hf_list_len(found); i++)
			hf_dict_set(names, hf_list_at(found, i), (struct hf_value *)(uintptr_t)v);
	}
	for (size_t i = 0; rc == 0 && hf_is_sequence(v) && i < hf_list_len(v); i++)
		rc = hf_value_names(a, hf_list_at(v, i), names, err);
	if (rc < 0 || !hf_is(v, HF_DICT))
		return rc;
	HF_DICT_EACH (v, e) {
		rc = hf_value_names(a, hf_entry_value(e), names, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

struct rendering {
	struct hf_arena *arena;
	struct hf_value *variables;
	const struct hf_value *pending, *unlooked;
};

static bool waits(const struct rendering *r, const struct hf_template *t)
{
	struct hf_value *names = hf_template_names(r->arena, t);
	for (size_t i = 0; i < hf_list_len(names); i++)
		if ((r->pending != NULL && hf_dict_find(r->pending, hf_list_at(names, i)) != NULL) ||
			hf_dict_find(r->unlooked, hf_list_at(names, i)) != NULL)
			return true;
	return false;
}

static int render_text(
	const struct rendering *r, struct hf_value *v, struct hf_value **ret, struct hf_error *err)
{
	struct hf_template *t;
	struct hf_error why = { 0 };
	int rc = text_compile(r->arena, v, &t, err);
	*ret = v;
	if (rc < 0 || t == NULL)
		return rc;
	if (waits(r, t)) {
		*ret = hf_value_at(hf_value_undefined(r->arena, "known after apply"), hf_value_pos(v));
		return 0;
	}
	const struct hf_render how = { r->arena, &language, r->variables, NULL };
	if (hf_template_single(t)) {
		rc = hf_template_evaluate(t, &how, ret, &why);
	} else {
		hf_auto_buf out = hf_buf_init(RENDER_OUTPUT_MAX);
		rc = hf_template_render(t, &how, &out, NULL, &why);
		if (rc == 0)
			*ret = hf_value_str(r->arena, hf_buf_str(&out));
	}
	if (rc < 0)
		return hf_fail_at(err, why.code, hf_value_pos(v), "%s", why.text);
	*ret = hf_value_at(hf_value_copy(r->arena, *ret), hf_value_pos(v));
	return 0;
}

static int render(const struct rendering *r, struct hf_value *v, int depth, struct hf_value **ret,
	struct hf_error *err);

/* The parts of a container; *unknown when one of them is. */
static int render_parts(const struct rendering *r, const struct hf_value *v, int depth, struct hf_value *out,
	bool *unknown, struct hf_error *err)
{
	struct hf_value *item;
	for (size_t i = 0; hf_is(v, HF_LIST) && i < hf_list_len(v); i++) {
		int rc = render(r, hf_list_at(v, i), depth + 1, &item, err);
		if (rc < 0)
			return rc;
		*unknown = *unknown || hf_is(item, HF_UNDEFINED);
		hf_list_append(out, item);
	}
	if (!hf_is(v, HF_DICT))
		return 0;
	HF_DICT_EACH (v, e) {
		int rc = render(r, hf_entry_value(e), depth + 1, &item, err);
		if (rc < 0)
			return rc;
		*unknown = *unknown || hf_is(item, HF_UNDEFINED);
		hf_dict_set(out, hf_entry_key(e), item);
	}
	return 0;
}

static int render(
	const struct rendering *r, struct hf_value *v, int depth, struct hf_value **ret, struct hf_error *err)
{
	bool unknown = false;
	if (depth > RENDER_DEPTH_MAX)
		return hf_fail_at(err, HF_E_LIMIT, hf_value_pos(v), "nested too deep");
	if (hf_is(v, HF_STRING))
		return render_text(r, v, ret, err);
	*ret = v;
	if (!hf_is(v, HF_LIST) && !hf_is(v, HF_DICT))
		return 0;
	struct hf_value *out = hf_is(v, HF_LIST) ? hf_value_list(r->arena) : hf_value_dict(r->arena);
	int rc = render_parts(r, v, depth, out, &unknown, err);
	if (rc < 0)
		return rc;
	*ret = hf_value_at(
		unknown ? hf_value_undefined(r->arena, "known after apply") : out, hf_value_pos(v));
	return 0;
}

int hf_value_render(struct hf_arena *a, const struct hf_environment *env, const struct hf_value *each,
	struct hf_value *v, const struct hf_value *known, const struct hf_value *pending,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *variables = hf_value_shallow(a, env->variables);
	if (known != NULL) {
		HF_DICT_EACH (known, e) {
			hf_dict_set(variables, hf_entry_key(e), hf_entry_value(e));
		}
	}
	hf_dict_put(variables, "environment", hf_value_cstr(a, env->name));
	hf_dict_put(variables, "region", hf_value_cstr(a, env->region == NULL ? "" : env->region));
	if (each != NULL)
		hf_dict_put(variables, "each", hf_value_copy(a, each));
	const struct rendering r = { a, variables, pending, env->unlooked };
	return render(&r, v, 0, ret, err);
}

/* The text machines start with, of its parts. */
static int bootstrap_render(struct hf_arena *a, const struct hf_environment *env, struct hf_value *parts,
	struct hf_value **ret, struct hf_error *err)
{
	if (hf_is(parts, HF_UNDEFINED))
		return 0;
	struct hf_value *given = hf_value_shallow(a, parts);
	struct hf_str text;
	hf_dict_put(given, "environment", hf_value_cstr(a, env->name));
	if (hf_dict_get(given, "region") == NULL && env->region != NULL)
		hf_dict_put(given, "region", hf_value_cstr(a, env->region));
	int rc = hf_bootstrap_of(a, given, &text, err);
	if (rc < 0)
		return hf_error_set_pos(err, hf_value_pos(parts));
	*ret = hf_value_at(hf_value_str(a, text), hf_value_pos(parts));
	return 0;
}

int hf_resource_render(struct hf_arena *a, const struct hf_environment *env, const struct hf_resource *r,
	const struct hf_value *known, const struct hf_value *pending, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_value *out = hf_value_dict(a), *item, *mine = hf_value_dict(a);
	/* What it speaks of is among what it depends on: a small dict, however large the environment is. */
	for (size_t i = 0; known != NULL && i < r->depends.n; i++) {
		const char *base = env->resources.at[r->depends.at[i]].base;
		struct hf_value *outputs = hf_dict_get(known, base);
		if (outputs != NULL)
			hf_dict_put(mine, base, outputs);
	}
	HF_DICT_EACH (r->properties, e) {
		int rc = hf_value_render(a, env, r->each, hf_entry_value(e), mine, pending, &item, err);
		if (rc == 0 && r->bootstrap != NULL && hf_str_is(hf_entry_key(e)->u.string, r->bootstrap))
			rc = bootstrap_render(a, env, item, &item, err);
		if (rc < 0)
			return hf_wrap(err, "%s: %s", r->name, hf_entry_key(e)->u.string.p);
		if (!hf_is(item, HF_NULL))
			hf_dict_set(out, hf_entry_key(e), item);
	}
	*ret = out;
	return 0;
}

int hf_environment_outputs(struct hf_arena *a, const struct hf_environment *env, const struct hf_value *known,
	const struct hf_value *pending, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = hf_value_dict(a), *item;
	HF_DICT_EACH (env->outputs, e) {
		int rc = hf_value_render(a, env, NULL, hf_entry_value(e), known, pending, &item, err);
		if (rc < 0)
			return hf_wrap(err, "output %s", hf_entry_key(e)->u.string.p);
		hf_dict_set(out, hf_entry_key(e), item);
	}
	*ret = out;
	return 0;
}
