/* A plan as a document: shown, kept in a file, and compared with what the world is when it is carried out. */
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "provisioner/engine.h"

enum { SAVED_MAX = 64 << 20, SAVED_VERSION = 1 };

static struct hf_value *difference_value(struct hf_arena *a, const struct hf_difference *d)
{
	struct hf_value *v = hf_value_dict(a);
	if (d->before == NULL && d->after == NULL) {
		hf_dict_put(v, "reason", hf_value_cstr(a, d->property));
		return v;
	}
	bool unknown = hf_is(d->after, HF_UNDEFINED);
	hf_dict_put(v, "property", hf_value_cstr(a, d->property));
	hf_dict_put(v, "before", d->before == NULL ? hf_value_null(a) : d->before);
	hf_dict_put(v, "after", d->after == NULL || unknown ? hf_value_null(a) : d->after);
	hf_dict_put(v, "unknown", hf_value_bool(a, unknown));
	hf_dict_put(v, "forces_replacement", hf_value_bool(a, d->forces));
	return v;
}

struct hf_value *hf_plan_value(
	struct hf_arena *a, const struct hf_environment *env, const struct hf_plan *plan)
{
	struct hf_value *out = hf_value_dict(a), *list = hf_value_list(a), *counts = hf_value_dict(a);
	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct hf_change *c = &plan->changes.at[i];
		struct hf_value *v = hf_value_dict(a), *differences = hf_value_list(a);
		for (size_t k = 0; k < c->differences.n; k++)
			hf_list_append(differences, difference_value(a, &c->differences.at[k]));
		hf_dict_put(v, "name", hf_value_cstr(a, c->name));
		hf_dict_put(v, "type", hf_value_cstr(a, c->spec->type));
		hf_dict_put(v, "action", hf_value_cstr(a, hf_action_name(c->action)));
		hf_dict_put(v, "differences", differences);
		hf_list_append(list, v);
	}
	for (int i = HF_NONE; i <= HF_DELETE; i++)
		hf_dict_put(
			counts, hf_action_name((enum hf_action)i), hf_value_int(a, (int64_t)plan->counts[i]));
	hf_dict_put(out, "environment", hf_value_cstr(a, env->name));
	hf_dict_put(out, "changes", list);
	hf_dict_put(out, "counts", counts);
	return out;
}

/* Over everything, secrets included, and over the file and its modules: what is shown may hide a difference.
 */
static int fingerprint(struct hf_arena *a, const struct hf_environment *env, const struct hf_plan *plan,
	const char **ret, struct hf_error *err)
{
	const struct hf_json_style style = { .indent = -1, .compact = true, .sort_keys = true };
	hf_auto_buf text = hf_buf_init(SAVED_MAX);
	char hex[HF_SHA256_HEX];
	int rc = hf_json_write(&text, hf_plan_value(a, env, plan), &style, err);
	if (rc == 0)
		rc = hf_json_write(&text, env->doc, &style, err);
	HF_MAP_EACH (&env->files, e) {
		rc = rc < 0 ? rc : hf_json_write(&text, e->value, &style, err);
	}
	for (size_t i = 0; rc == 0 && i < plan->changes.n; i++) {
		const struct hf_change *c = &plan->changes.at[i];
		if (c->doc != NULL)
			hf_buf_puts(&text, c->doc->etag.text);
	}
	if (rc == 0)
		rc = hf_buf_check(&text, "the plan", err);
	if (rc < 0)
		return rc;
	struct hf_digest d = hf_sha256(hf_buf_str(&text));
	*ret = hf_strdup(a, hf_digest_hex(&d, hex));
	return 0;
}

int hf_plan_save(struct hf_arena *a, const char *path, const struct hf_environment *env,
	const struct hf_plan *plan, const struct hf_plan_given *given, struct hf_error *err)
{
	const struct hf_json_style style = { .indent = 2, .hide_secrets = true };
	const char *print;
	struct hf_value *doc = hf_plan_value(a, env, plan);
	hf_auto_buf text = hf_buf_init(SAVED_MAX);
	int rc = fingerprint(a, env, plan, &print, err);
	if (rc < 0)
		return rc;
	hf_dict_put(doc, "version", hf_value_int(a, SAVED_VERSION));
	struct hf_value *targets = hf_value_list(a);
	for (size_t i = 0; given->targets != NULL && given->targets[i] != NULL; i++)
		hf_list_append(targets, hf_value_cstr(a, given->targets[i]));
	hf_dict_put(doc, "variables", hf_value_copy(a, given->variables));
	hf_dict_put(doc, "targets", targets);
	hf_dict_put(doc, "fingerprint", hf_value_cstr(a, print));
	rc = hf_json_write(&text, doc, &style, err);
	if (rc == 0)
		rc = hf_buf_check(&text, path, err);
	const struct hf_fs_attr mode = { 0600, HF_KEEP_UID, HF_KEEP_GID, true };
	return rc < 0 ? rc : hf_fs_replace(path, hf_buf_str(&text), mode, err);
}

static int saved_read(struct hf_arena *a, const char *path, struct hf_value **ret, struct hf_error *err)
{
	struct hf_str text;
	int rc = hf_fs_read(a, path, SAVED_MAX, &text, err);
	if (rc == 0)
		rc = hf_json_parse(a, text, path, ret, err);
	if (rc < 0)
		return rc;
	if (!hf_is(*ret, HF_DICT) || hf_dict_int(*ret, "version", 0) != SAVED_VERSION ||
		hf_dict_cstr(*ret, "fingerprint", NULL) == NULL)
		return hf_fail(
			err, HF_E_PARSE, "%s: this is no saved plan of version %d", path, SAVED_VERSION);
	return 0;
}

int hf_plan_given(struct hf_arena *a, const char *path, struct hf_plan_given *ret, struct hf_error *err)
{
	struct hf_value *doc;
	int rc = saved_read(a, path, &doc, err);
	if (rc < 0)
		return rc;
	ret->variables = hf_dict_get(doc, "variables");
	const struct hf_value *targets = hf_dict_get(doc, "targets");
	if (!hf_is(ret->variables, HF_DICT) || !hf_is(targets, HF_LIST))
		return hf_fail(err, HF_E_PARSE, "%s: a saved plan has variables and targets", path);
	const char **names = hf_new_array(a, hf_list_len(targets) + 1, const char *);
	for (size_t i = 0; i < hf_list_len(targets); i++)
		names[i] = hf_value_text(a, hf_list_at(targets, i)).p;
	ret->targets = names;
	return 0;
}

/* The first resource of either list that the other does not have alike. */
static const char *moved(const struct hf_value *before, const struct hf_value *now)
{
	size_t n = hf_is(before, HF_LIST) ? hf_list_len(before) : 0;
	for (size_t i = 0; i < hf_list_len(now); i++)
		if (i >= n || !hf_value_equal(hf_list_at(before, i), hf_list_at(now, i)))
			return hf_dict_cstr(hf_list_at(now, i), "name", "?");
	return n > hf_list_len(now) ? hf_dict_cstr(hf_list_at(before, hf_list_len(now)), "name", "?") : NULL;
}

int hf_plan_holds(struct hf_arena *a, const char *path, const struct hf_environment *env,
	const struct hf_plan *plan, struct hf_error *err)
{
	struct hf_value *doc;
	const char *print;
	int rc = saved_read(a, path, &doc, err);
	if (rc == 0)
		rc = fingerprint(a, env, plan, &print, err);
	if (rc < 0)
		return rc;
	const char *of = hf_dict_cstr(doc, "environment", "");
	if (strcmp(of, env->name) != 0)
		return hf_fail(
			err, HF_E_CONFLICT, "%s is a plan for environment %s, not %s", path, of, env->name);
	if (strcmp(hf_dict_cstr(doc, "fingerprint", ""), print) == 0)
		return 0;
	const char *first =
		moved(hf_dict_get(doc, "changes"), hf_dict_get(hf_plan_value(a, env, plan), "changes"));
	return hf_fail(err, HF_E_CONFLICT,
		"%s does not hold any more: %s%s changed since it was made; plan again", path,
		first == NULL ? "the file or the state" : "what is to be done to ",
		first == NULL ? "" : first);
}
