/* What holdfast has not, in tasks that are sure to run: told before anything is touched. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/absent.h"
#include "lib/engine/refuse.h"
#include "lib/engine/templar_internal.h"

struct refusal {
	struct hf_run *run;
	const struct hf_node *node;
	struct hf_template_env env[TEMPLAR_WAYS];
	struct hf_pos pos;
	struct hf_error *err;
	int result; /* of the first refusal */
	bool over;  /* a task before may end the play */
	unsigned depth;
};

static struct hf_plugin_places places_of(const struct hf_run *run, const struct hf_node *n)
{
	return (struct hf_plugin_places){ .role_dir = n->role == NULL ? NULL : n->role->dir,
		.play_dir = n->play == NULL ? run->loader.base : n->play->node.dir,
		.collections_path = run->loader.collections_path };
}

/* --- names inside expressions --- */

/* What Ansible could not know either fails when it is reached, as it does there. */
static void absent(struct refusal *w, enum hf_plugin_kind kind, struct hf_str name)
{
	struct hf_arena *a = w->run->arena;
	struct hf_plugin_places places = places_of(w->run, w->node);
	const char *text = hf_str_dup(a, name);
	if (w->result == 0 && hf_plugin_possible(a, &places, kind, text))
		w->result = hf_fail_at(
			w->err, HF_E_UNSUPPORTED, w->pos, "%s", hf_plugin_absent(a, &places, kind, text));
}

static void seen(void *data, const struct hf_template_seen *what)
{
	struct refusal *w = data;
	bool lookup = hf_str_is(what->name, "lookup") || hf_str_is(what->name, "query") ||
		      hf_str_is(what->name, "q");
	if (what->kind != HF_SEEN_CALL && !what->known) {
		absent(w, what->kind == HF_SEEN_FILTER ? HF_PLUGIN_FILTER : HF_PLUGIN_TEST, what->name);
	} else if (what->kind == HF_SEEN_CALL && lookup && what->argument.p != NULL) {
		const char *name = hf_str_dup(w->run->arena, what->argument);
		if (!hf_templar_has_lookup(name))
			absent(w, HF_PLUGIN_LOOKUP, what->argument);
	}
}

/* Texts that name no filter, test or function need not be read. */
static bool names_any(struct hf_str s)
{
	static const char *const signs[] = { "|", " is ", "lookup", "query", "q(" };
	for (size_t i = 0; i < HF_COUNT(signs); i++)
		if (hf_str_find(s, hf_str(signs[i]), 0) != SIZE_MAX)
			return true;
	return false;
}

static bool names_lookup(struct hf_str s)
{
	return hf_str_find(s, HF_STR("lookup"), 0) != SIZE_MAX ||
	       hf_str_find(s, HF_STR("query"), 0) != SIZE_MAX || hf_str_find(s, HF_STR("q("), 0) != SIZE_MAX;
}

static void text(struct refusal *w, enum templar_way way, const struct hf_value *v)
{
	struct hf_error err;
	struct compiled *c = NULL;
	if (!names_any(v->u.string))
		return;
	w->pos = hf_value_pos(v);
	/* The run will want it compiled anyway: only what does not compile is looked at again. */
	int r = templar_compile(w->run->templar, w->run->arena, way, v->u.string, w->pos, &c, &err);
	if (r == 0 && !names_lookup(v->u.string))
		return;
	hf_auto_arena a = hf_arena_new();
	struct hf_template *made = NULL;
	r = way == TEMPLAR_CONDITION
		    ? hf_template_compile_expression(a, &w->env[way], v->u.string, NULL, false, &made, &err)
		    : hf_template_compile(a, &w->env[way], v->u.string, NULL, &made, &err);
	(void)r; /* what is no expression fails when it is reached, as in Ansible */
}

static void value(struct refusal *w, const struct hf_value *v)
{
	if (v == NULL || w->result < 0 || w->depth >= HF_LOAD_DEPTH_MAX)
		return;
	w->depth++;
	if (hf_is(v, HF_DICT)) {
		HF_DICT_EACH (v, e)
			value(w, hf_entry_value(e));
	} else if (hf_is_sequence(v)) {
		for (size_t i = 0; i < hf_list_len(v); i++)
			value(w, hf_list_at(v, i));
	} else if (hf_is(v, HF_STRING) && (v->flags & (HF_VALUE_UNSAFE | HF_VALUE_VAULT)) == 0 &&
		   hf_templar_is_template(w->run->templar, v)) {
		text(w, TEMPLAR_STRING, v);
	}
	w->depth--;
}

static void condition(struct refusal *w, const struct hf_value *v)
{
	for (size_t i = 0; hf_is_sequence(v) && i < hf_list_len(v); i++)
		condition(w, hf_list_at(v, i));
	if (!hf_is(v, HF_STRING) || w->result < 0)
		return;
	if (hf_templar_is_template(w->run->templar, v))
		value(w, v);
	else
		text(w, TEMPLAR_CONDITION, v);
}

/* --- one task --- */

/* Options Ansible's module has and ours refuses. */
static int options(struct refusal *w, const struct hf_node *n)
{
	const struct hf_module *m = n->module;
	if ((m->flags & HF_MODULE_ANY_ARGS) != 0 || m->schema.args == NULL)
		return 0;
	HF_DICT_EACH (n->args, e) {
		const struct hf_value *key = hf_entry_key(e);
		const struct hf_arg *arg =
			hf_is(key, HF_STRING) ? hf_schema_find(m->schema.args, key->u.string.p) : NULL;
		if (arg != NULL && (arg->flags & HF_REFUSED) != 0)
			return hf_fail_at(w->err, HF_E_UNSUPPORTED, hf_value_pos(key),
				"option '%s' of module '%s' is refused: %s", key->u.string.p, m->name,
				arg->help == NULL ? "holdfast does not do it" : arg->help);
	}
	return 0;
}

int hf_refuse_module(
	const struct hf_run *run, const struct hf_node *n, const char *name, struct hf_error *err)
{
	struct hf_plugin_places places = places_of(run, n);
	return hf_fail_at(err, HF_E_UNSUPPORTED, n->pos, "%s",
		hf_plugin_absent(run->arena, &places, HF_PLUGIN_MODULE, name));
}

static const enum hf_keyword late[] = { HF_KW_changed_when, HF_KW_failed_when, HF_KW_until };

static int task(struct refusal *w, const struct hf_node *n)
{
	static const enum hf_keyword texts[] = { HF_KW_environment, HF_KW_vars, HF_KW_delegate_to,
		HF_KW_become_user };
	w->node = n;
	if (n->module == NULL)
		return strstr(n->action, "{{") != NULL ? 0 : hf_refuse_module(w->run, n, n->action, w->err);
	int r = options(w, n);
	if (r < 0)
		return r;
	value(w, n->args);
	for (size_t i = 0; i < HF_COUNT(late); i++)
		if (n->kw[late[i]] != NULL)
			condition(w, n->kw[late[i]]);
	for (size_t i = 0; i < HF_COUNT(texts); i++)
		value(w, n->kw[texts[i]]);
	return w->result;
}

/* --- which tasks are sure to run --- */

static bool never(const struct hf_value *tags)
{
	struct hf_str s = hf_is(tags, HF_STRING) ? tags->u.string : HF_STR("");
	bool found =
		hf_str_find(s, HF_STR("never"), 0) != SIZE_MAX || hf_str_find(s, HF_STR("{{"), 0) != SIZE_MAX;
	for (size_t i = 0; !found && hf_is_sequence(tags) && i < hf_list_len(tags); i++)
		found = never(hf_list_at(tags, i));
	return found;
}

/* No condition, no loop that may be empty, no tag that leaves it out, not in a rescue, no handler, and
 * nothing before it that ends the play. */
static bool sure(const struct refusal *w, const struct hf_node *n)
{
	const struct hf_run_options *o = w->run->options;
	struct hf_value *levels[HF_NODE_LEVELS_MAX];
	if (w->over || n->handler || n->loop != NULL || o->start_at_task != NULL || o->step ||
		hf_node_collect(n, HF_KW_when, levels) > 0)
		return false;
	size_t tags = hf_node_collect(n, HF_KW_tags, levels);
	if (o->tags != NULL || o->skip_tags != NULL)
		return false;
	for (size_t i = 0; i < tags; i++)
		if (never(levels[i]))
			return false;
	return true;
}

static bool ends(const struct hf_node *n)
{
	return n->task == HF_TASK_META && strncmp(hf_dict_cstr(n->args, "_raw_params", ""), "end_", 4) == 0;
}

static int nodes(struct refusal *w, const struct hf_nodes *list)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < list->n; i++) {
		const struct hf_node *n = list->at[i];
		if (n->kind != HF_NODE_TASK) {
			r = nodes(w, &n->body);
			if (r == 0 && n->always.n > 0)
				r = nodes(w, &n->always);
		} else if (n->task == HF_TASK_MODULE && sure(w, n)) {
			r = task(w, n);
		}
		w->over = w->over || (n->kind == HF_NODE_TASK && ends(n));
	}
	return r;
}

static void refusal_init(struct refusal *w, struct hf_run *run, struct hf_error *err)
{
	*w = (struct refusal){ .run = run, .err = err };
	for (size_t i = 0; i < TEMPLAR_WAYS; i++) {
		w->env[i] = run->templar->env[i];
		w->env[i].seen = seen;
		w->env[i].seen_data = w;
	}
}

int hf_refuse_late(struct hf_run *run, const struct hf_node *n, struct hf_error *err)
{
	struct refusal w;
	bool any = false;
	for (size_t i = 0; i < HF_COUNT(late); i++)
		any = any || (n->kw[late[i]] != NULL && !hf_is(n->kw[late[i]], HF_BOOL));
	if (!any)
		return 0;
	refusal_init(&w, run, err);
	w.node = n;
	for (size_t i = 0; i < HF_COUNT(late); i++)
		if (n->kw[late[i]] != NULL)
			condition(&w, n->kw[late[i]]);
	return w.result;
}

bool hf_refuse_named(
	const struct hf_run *run, const struct hf_node *n, const struct hf_error *err, struct hf_error *ret)
{
	static const struct {
		const char *before;
		char after;
		enum hf_plugin_kind kind;
	} said[] = { { "No filter named '", '\'', HF_PLUGIN_FILTER },
		{ "No test named '", '\'', HF_PLUGIN_TEST }, { "lookup plugin (", ')', HF_PLUGIN_LOOKUP } };
	struct hf_plugin_places places = places_of(run, n);
	for (size_t i = 0; i < HF_COUNT(said); i++) {
		const char *at = strstr(err->text, said[i].before);
		const char *name = at == NULL ? NULL : at + strlen(said[i].before);
		const char *end = name == NULL ? NULL : strchr(name, said[i].after);
		if (end == NULL)
			continue;
		const char *text = hf_strndup(run->arena, name, (size_t)(end - name));
		if (!hf_plugin_possible(run->arena, &places, said[i].kind, text))
			continue;
		hf_fail_at(ret, HF_E_UNSUPPORTED, err->pos.file != NULL ? err->pos : n->pos, "%s",
			hf_plugin_absent(run->arena, &places, said[i].kind, text));
		return true;
	}
	return false;
}

int hf_refuse_sure(struct hf_run *run, struct hf_error *err)
{
	struct refusal w;
	refusal_init(&w, run, err);
	int r = 0;
	for (size_t i = 0; r == 0 && i < run->plays.n; i++) {
		const struct hf_play *p = run->plays.at[i];
		const struct hf_nodes *const parts[] = { &p->pre_tasks, &p->roles, &p->tasks,
			&p->post_tasks };
		w.over = false;
		for (size_t j = 0; r == 0 && j < HF_COUNT(parts); j++)
			r = nodes(&w, parts[j]);
	}
	return r;
}
