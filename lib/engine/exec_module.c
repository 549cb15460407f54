#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/engine/become.h"
#include "lib/engine/inputs.h"
#include "lib/engine/undo.h"
#include "lib/engine/watch.h"

enum { ID_TEXT_MAX = 1 << 20, FINGERPRINT_TEXT_MAX = 64 << 20 };

/* --- what the resource is --- */

static const char *hash_text(struct hf_arena *a, const struct hf_buf *b)
{
	struct hf_digest d = hf_sha256(hf_buf_str(b));
	char hex[HF_SHA256_HEX];
	return hf_strdup(a, hf_digest_hex(&d, hex));
}

/* Play, role, block path, task, module and item: what stays when contents change. Two that read alike are
 * told apart by their order. */
static const char *resource_id(struct hf_task *t)
{
	hf_auto_buf b = hf_buf_init(ID_TEXT_MAX);
	hf_buf_printf(&b, "%s\n%s\n", t->run->play->name, t->host->name);
	hf_resource_place(t->arena, t->node, &b);
	hf_buf_printf(&b, "%s\n", t->module->name);
	if (t->item != NULL)
		hf_value_repr(&b, t->item);
	const char *base = hash_text(t->arena, &b);
	struct hf_map *seen = &t->run->resource_names;
	uintptr_t count = (uintptr_t)hf_map_get(seen, base) + 1;
	hf_map_set(seen, hf_strdup(t->run->arena, base), (void *)count);
	if (count == 1)
		return base;
	hf_buf_printf(&b, "\n%lu", (unsigned long)count);
	return hash_text(t->arena, &b);
}

/* Module, bound arguments, environment and what else goes in. */
static int fingerprint(struct hf_task *t, const char **ret, struct hf_error *err)
{
	hf_auto_buf b = hf_buf_init(FINGERPRINT_TEXT_MAX);
	struct hf_inputs inputs = { hf_value_list(t->arena) };
	hf_buf_printf(&b, "%s.%s\n", t->module->collection, t->module->name);
	hf_value_repr(&b, t->given != NULL ? t->given : t->args);
	if (t->environment != NULL)
		hf_value_repr(&b, t->environment);
	if (t->module->inputs != NULL) {
		int result = t->module->inputs((struct hf_module_context *)t, t->params, &inputs, err);
		if (result < 0)
			return result;
	}
	hf_value_repr(&b, inputs.digests);
	*ret = hash_text(t->arena, &b);
	return 0;
}

static const char *policy(struct hf_task *t)
{
	struct hf_value *v = NULL;
	if (hf_scope_lookup(&t->scope, HF_STR("holdfast_policy"), &v, NULL) < 0 || !hf_is(v, HF_STRING))
		return NULL;
	return v->u.string.p;
}

static int describe(struct hf_task *t, struct hf_resource *r, struct hf_error *err)
{
	int result = fingerprint(t, &r->fingerprint, err);
	if (result < 0)
		return result;
	r->id = resource_id(t);
	r->title = t->label != NULL ? hf_sprintf(t->arena, "%s (%s)", t->title, t->label) : t->title;
	r->module = t->module->name;
	r->policy = policy(t);
	r->pos = t->node->pos;
	r->handler = t->node->handler;
	r->needed = !hf_task_alone(t->run, t->node);
	r->args = t->given != NULL ? t->given : t->args;
	r->notifies = hf_node_keyword(t->node, HF_KW_notify);
	if ((t->run->options->watches || t->run->options->plan) && t->module->watch != NULL) {
		struct hf_watches w = { t->arena, hf_value_list(t->arena) };
		t->module->watch((struct hf_module_context *)t, t->params, &w);
		r->watches = w.list;
	}
	return 0;
}

/* --- running --- */

/* Ansible passes over options that the module's action never asks for: here somebody is told. */
static struct hf_value *known_args(struct hf_task *t)
{
	struct hf_value *known = hf_value_dict(t->arena);
	HF_DICT_EACH (t->args, e) {
		const struct hf_value *key = hf_entry_key(e);
		if (hf_is(key, HF_STRING) && hf_schema_find(t->module->schema.args, key->u.string.p) == NULL)
			hf_task_warn((struct hf_module_context *)t,
				"%s has no option '%s': it is passed over, as by Ansible", t->module->name,
				key->u.string.p);
		else
			hf_dict_set(known, hf_entry_key(e), hf_entry_value(e));
	}
	return known;
}

static int bind_args(struct hf_task *t, struct hf_error *err)
{
	if ((t->module->flags & HF_MODULE_ANY_ARGS) != 0) {
		struct hf_value **params = hf_new(t->arena, struct hf_value *);
		*params = t->args;
		t->params = params;
		return 0;
	}
	t->params = hf_zalloc(t->arena, t->module->schema.size);
	const struct hf_value *args =
		(t->module->flags & HF_MODULE_LOOSE_ARGS) != 0 ? known_args(t) : t->args;
	return hf_schema_bind(t->arena, &t->module->schema, args, NULL, t->params, &t->given, err);
}

static int journal(
	struct hf_task *t, const struct hf_resource *r, const struct hf_change *change, struct hf_error *err)
{
	const struct hf_run_hooks *hooks = t->run->hooks;
	if (hooks == NULL || hooks->journal == NULL || r->id == NULL)
		return 0;
	struct hf_undo u = { t->arena, hooks, hf_value_list(t->arena) };
	int described = 0;
	hf_become_raise(t);
	if (t->module->undo == NULL)
		hf_undo_impossible(&u, hf_sprintf(t->arena, "module %s has no way back", t->module->name));
	else
		described = t->module->undo((struct hf_module_context *)t, t->params, change, &u, err);
	hf_become_lower(t);
	if (described < 0)
		return hf_wrap(err, "undo record");
	struct hf_value *record = hf_value_dict(t->arena);
	hf_dict_put(record, "resource", hf_value_cstr(t->arena, r->id));
	hf_dict_put(record, "title", hf_value_cstr(t->arena, r->title));
	hf_dict_put(record, "module", hf_value_cstr(t->arena, t->module->name));
	hf_dict_put(record, "steps", u.steps);
	struct hf_resource told = *r;
	told.unknown = change->unknown && !change->changed;
	hf_become_raise(t);
	int result = hooks->journal(hooks->data, &told, record, err);
	hf_become_lower(t);
	return result < 0 ? hf_wrap(err, "undo record") : 0;
}

static int skip_check_mode(struct hf_task *t, struct hf_change *change)
{
	change->skipped = true;
	hf_dict_put(t->result, "msg",
		hf_value_cstr(t->arena, hf_sprintf(t->arena, "remote module (%s) does not support check mode",
						t->node->action)));
	return 0;
}

static int check_and_apply(
	struct hf_task *t, const struct hf_resource *r, struct hf_change *change, struct hf_error *err)
{
	struct hf_module_context *c = (struct hf_module_context *)t;
	if (t->check && (t->module->flags & HF_MODULE_NO_CHECK) != 0)
		return skip_check_mode(t, change);
	int result = t->module->check(c, t->params, change, err);
	if (t->run->options->plan)
		return hf_plan_looked(t, r, change, result, err);
	if (result < 0 || t->check || t->module->apply == NULL || change->skipped)
		return result;
	if (!change->changed && !change->unknown)
		return 0;
	result = journal(t, r, change, err);
	if (result < 0)
		return result;
	/* What looking found is no longer what there is to say once the change fails. */
	const struct hf_value *said = hf_dict_get(t->result, "msg");
	result = t->module->apply(c, t->params, change, err);
	if (result < 0 && said != NULL && hf_dict_get(t->result, "msg") == said)
		hf_dict_remove(t->result, "msg");
	return result;
}

/* Goes to the folder of the task, by the descriptor of it that the task before left where it is the same one.
 * A user that the task becomes goes by the path, and so only where every folder above lets it. */
static bool enter(struct hf_task *t)
{
	struct hf_run *run = t->run;
	const char *dir = hf_task_dir((struct hf_module_context *)t);
	if (t->forked)
		return chdir(dir) == 0;
	if (run->task_dir > 0 && strcmp(run->task_dir_path, dir) == 0)
		return fchdir(run->task_dir - 1) == 0;
	if (chdir(dir) < 0)
		return false;
	if (run->task_dir > 0)
		close(run->task_dir - 1);
	run->task_dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC) + 1;
	run->task_dir_path = hf_strdup(run->arena, dir);
	return true;
}

/* Relative paths of a task mean the playbook's directory, as in Ansible. Where the user that the task becomes
 * may not enter it, they mean the directory the run was started in. */
static int run_in_playbook_dir(
	struct hf_task *t, const struct hf_resource *r, struct hf_change *change, struct hf_error *err)
{
	if (t->run->start_dir == 0)
		t->run->start_dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC) + 1;
	bool moved = t->run->start_dir > 0 && enter(t);
	int result = check_and_apply(t, r, change, err);
	if (moved && fchdir(t->run->start_dir - 1) < 0 && result == 0)
		return hf_fail_errno(err, HF_E_IO, "return to the directory the run was started in");
	return result;
}

static void put_change(struct hf_task *t, const struct hf_change *change)
{
	struct hf_arena *a = t->arena;
	hf_dict_put(t->result, "changed", hf_value_bool(a, change->changed));
	if (change->skipped && hf_dict_get(t->result, "skipped") == NULL)
		hf_dict_put(t->result, "skipped", hf_value_bool(a, true));
	if (change->skipped && hf_dict_get(t->result, "failed") == NULL)
		hf_dict_put(t->result, "failed", hf_value_bool(a, false));
	size_t n = hf_list_len(change->diff);
	if (n > 0)
		hf_dict_put(t->result, "diff", n == 1 ? hf_list_at(change->diff, 0) : change->diff);
}

static bool is_resource(const struct hf_task *t)
{
	return t->run->hooks != NULL && (t->module->flags & HF_MODULE_NO_RESOURCE) == 0 &&
	       (t->run->options->plan || t->run->hooks->recall != NULL || t->run->hooks->journal != NULL ||
		       t->run->hooks->settled != NULL);
}

static int recall(struct hf_task *t, const struct hf_resource *r, bool *ret_known, struct hf_error *err)
{
	const struct hf_run_hooks *hooks = t->run->hooks;
	*ret_known = false;
	if (r->id == NULL || hooks->recall == NULL)
		return 0;
	struct hf_value *known = NULL;
	hf_become_raise(t);
	int result = hooks->recall(hooks->data, t->arena, r, &known, err);
	hf_become_lower(t);
	if (result == 0 && known != NULL) {
		t->result = known;
		*ret_known = true;
	}
	return result;
}

static int settled(struct hf_task *t, const struct hf_resource *r, int result, struct hf_error *err)
{
	const struct hf_run_hooks *hooks = t->run->hooks;
	if (r->id == NULL || hooks->settled == NULL)
		return result;
	const char *status = result < 0                                  ? "failed"
			     : hf_dict_bool(t->result, "skipped", false) ? "skipped"
			     : hf_dict_bool(t->result, "changed", false) ? "changed"
									 : "ok";
	struct hf_error own;
	struct hf_resource whole = *r;
	whole.variables = t->scope.used;
	hf_become_raise(t);
	int told = hooks->settled(hooks->data, &whole, status, t->result, &own);
	hf_become_lower(t);
	if (told < 0) {
		*err = own;
		return -(int)own.code;
	}
	return result;
}

static int run_direct(struct hf_task *t, struct hf_error *err)
{
	struct hf_resource r = { 0 };
	struct hf_change change = { .result = t->result, .diff = hf_value_list(t->arena) };
	int result = bind_args(t, err);
	if (result < 0)
		return result;
	bool known = false;
	if (is_resource(t)) {
		result = describe(t, &r, err);
		if (result == 0)
			result = recall(t, &r, &known, err);
		if (result < 0 || known)
			return result;
	}
	t->resource = r.id == NULL ? NULL : &r;
	result = run_in_playbook_dir(t, &r, &change, err);
	t->resource = NULL;
	put_change(t, &change);
	hf_no_log_strip(t, result < 0 ? err : NULL);
	return settled(t, &r, result, err);
}

/* invocation: what the module was given, which loops look for in what they registered. */
static void put_invocation(struct hf_task *t)
{
	bool asked = (t->node->kw[HF_KW_register] != NULL && t->item != NULL) ||
		     t->run->options->verbosity > 2 || t->host->run->rescue_depth > 0;
	if (!asked || t->given == NULL || (t->module->flags & HF_MODULE_NO_BECOME) != 0)
		return;
	struct hf_value *invocation = hf_value_dict(t->arena);
	hf_dict_put(
		invocation, "module_args", hf_schema_shown(t->arena, &t->module->schema, t->args, t->given));
	hf_dict_put(t->result, "invocation", invocation);
}

int hf_module_direct(struct hf_task *t, struct hf_error *err)
{
	t->given = NULL;
	int r = run_direct(t, err);
	put_invocation(t);
	return r;
}
