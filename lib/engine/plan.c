/* A plan looks at every task as check mode does and says of each: it would change something, it would not, or
 * that cannot be known before. Nobody can know what a command does, what hangs on its result, or how
 * something looks that an earlier task of the same run is about to change. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/state.h"

static const char key[] = "_holdfast_plan"; /* in a module's result: it may have run in a child */
enum { DEPTH_MAX = 64 };

static bool is_word(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool text_mentions(struct hf_str text, const char *name)
{
	struct hf_str word = hf_str(name);
	for (size_t at = 0; (at = hf_str_find(text, word, at)) != SIZE_MAX; at++) {
		bool begins = at == 0 || !is_word(text.p[at - 1]);
		bool ends = at + word.n >= text.n || !is_word(text.p[at + word.n]);
		if (begins && ends)
			return true;
	}
	return false;
}

static bool mentions(const struct hf_value *v, const char *name, int depth)
{
	if (v == NULL || depth > DEPTH_MAX)
		return false;
	if (hf_is(v, HF_STRING))
		return text_mentions(v->u.string, name);
	if (hf_is(v, HF_DICT))
		HF_DICT_EACH (v, e)
			if (mentions(hf_entry_key(e), name, depth + 1) ||
				mentions(hf_entry_value(e), name, depth + 1))
				return true;
	for (size_t i = 0; hf_is_sequence(v) && i < hf_list_len(v); i++)
		if (mentions(hf_list_at(v, i), name, depth + 1))
			return true;
	return false;
}

static bool node_mentions(const struct hf_node *n, const char *name)
{
	if (mentions(n->args, name, 0) || mentions(n->loop, name, 0))
		return true;
	for (; n != NULL && n->kind != HF_NODE_PLAY; n = n->parent)
		for (int k = 0; k < HF_KW_COUNT; k++)
			if (k != HF_KW_register && k != HF_KW_name && mentions(n->kw[k], name, 0))
				return true;
	return false;
}

static const char *const *paths_of(struct hf_task *t, const struct hf_value *watches)
{
	size_t n = hf_is(watches, HF_LIST) ? hf_list_len(watches) : 0, used = 0;
	const char **out = hf_new_array(t->arena, n + 1, const char *);
	for (size_t i = 0; i < n; i++) {
		const char *path = hf_dict_cstr(hf_list_at(watches, i), "path", NULL);
		if (path != NULL)
			out[used++] = path;
	}
	out[used] = NULL;
	return out;
}

static bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

/* The title of the earlier task that changes path itself (same), or something it lies below. */
static const char *earlier(const struct hf_run *run, const char *path, bool same)
{
	for (size_t i = 0; i < run->plan.changes.n; i++) {
		const struct hf_planned *p = &run->plan.changes.at[i];
		if (same ? strcmp(path, p->path) == 0 : below(path, p->path))
			return p->title;
	}
	return NULL;
}

static const char *earlier_any(struct hf_task *t, const struct hf_value *watches, bool same)
{
	const char *title = NULL;
	for (const char *const *p = paths_of(t, watches); *p != NULL && title == NULL; p++)
		title = earlier(t->run, *p, same);
	return title;
}

const char *hf_plan_unsure(struct hf_task *t)
{
	const struct hf_run *run = t->run;
	for (size_t i = 0; i < run->plan.names.n; i++)
		if (node_mentions(t->node, run->plan.names.at[i].path))
			return hf_sprintf(
				t->arena, "depends on what \"%s\" finds", run->plan.names.at[i].title);
	if (t->node->handler &&
		hf_map_get(&run->plan.handlers, hf_sprintf(t->arena, "%u", t->node->id)) == t->run)
		return "runs if a task changes something of which that is not known";
	return NULL;
}

void hf_plan_notified(struct hf_task *t, const struct hf_node *h)
{
	struct hf_run *run = t->run;
	const char *id = hf_sprintf(run->arena, "%u", h->id);
	/* The run stands for "perhaps", the host for "surely". */
	if (t->unsure == NULL || hf_map_get(&run->plan.handlers, id) == NULL)
		hf_map_set(&run->plan.handlers, id, t->unsure != NULL ? (void *)run : (void *)t->host);
}

static void leave(struct hf_task *t, const char *why, const struct hf_value *watches)
{
	struct hf_value *v = hf_value_dict(t->arena);
	if (why != NULL)
		hf_dict_put(v, "why", hf_value_cstr(t->arena, why));
	if (watches != NULL)
		hf_dict_put(v, "watches", hf_value_copy(t->arena, watches));
	hf_dict_put(t->result, key, v);
}

int hf_plan_looked(struct hf_task *t, const struct hf_resource *r, struct hf_change *change, int result,
	struct hf_error *err)
{
	const char *above = earlier_any(t, r->watches, false), *same = earlier_any(t, r->watches, true),
		   *why = NULL;
	if (same != NULL) {
		why = hf_sprintf(t->arena, "\"%s\" changes the same thing before", same);
	} else if (result < 0 && above != NULL) {
		change->changed = true; /* what it needs is not there yet; it will be */
		change->skipped = false;
		result = 0;
	} else if (result < 0 && t->run->plan.first != NULL) {
		why = hf_sprintf(t->arena, "cannot be looked at before \"%s\" has run: %s",
			t->run->plan.first, err->text);
	} else if (result == 0 && change->unknown) {
		why = "only running it tells";
	}
	if (result < 0 && why != NULL) {
		change->skipped = true;
		change->changed = false;
		result = 0;
	}
	leave(t, why, r->watches);
	return result;
}

void hf_plan_take(struct hf_task *t)
{
	const struct hf_value *left = hf_dict_get(t->result, key);
	struct hf_arena *a = t->run->arena;
	bool changed = hf_dict_bool(t->result, "changed", false);
	t->unsure = NULL;
	if (left == NULL)
		return;
	const char *why = hf_dict_cstr(left, "why", NULL);
	const char *title = hf_strdup(a, t->title);
	t->unsure = why == NULL ? NULL : hf_strdup(a, why);
	for (const char *const *p = paths_of(t, hf_dict_get(left, "watches"));
		(changed || why != NULL) && *p != NULL; p++)
		*hf_vec_push(a, &t->run->plan.changes) = (struct hf_planned){ hf_strdup(a, *p), title };
	if ((changed || why != NULL) && t->run->plan.first == NULL)
		t->run->plan.first = title;
	if (why != NULL)
		t->any_unsure = t->unsure;
	hf_dict_remove(t->result, key);
}

/* A look at what will have changed by then. */
static bool reads_changed(struct hf_task *t)
{
	static const char *const options[] = { "path", "src", "paths", "name", "dest" };
	for (size_t i = 0; t->args != NULL && i < HF_COUNT(options); i++) {
		const char *path = hf_dict_cstr(t->args, options[i], NULL);
		if (path != NULL &&
			(earlier(t->run, path, true) != NULL || earlier(t->run, path, false) != NULL))
			return true;
	}
	return false;
}

static bool name_known(const struct hf_run *run, const char *name)
{
	for (size_t i = 0; i < run->plan.names.n; i++)
		if (strcmp(run->plan.names.at[i].path, name) == 0)
			return true;
	return false;
}

/* Variables made of it are as unknown as it is. */
static void vars_add(struct hf_run *run, const struct hf_value *vars, const char *name, const char *title)
{
	if (!hf_is(vars, HF_DICT))
		return;
	HF_DICT_EACH (vars, e) {
		const struct hf_value *k = hf_entry_key(e);
		if (hf_is(k, HF_STRING) && mentions(hf_entry_value(e), name, 0) &&
			!name_known(run, k->u.string.p))
			*hf_vec_push(run->arena, &run->plan.names) =
				(struct hf_planned){ hf_strdup(run->arena, k->u.string.p), title };
	}
}

static void name_add(struct hf_run *run, const char *name, const char *title)
{
	size_t first = run->plan.names.n;
	*hf_vec_push(run->arena, &run->plan.names) = (struct hf_planned){ name, title };
	for (size_t i = first; i < run->plan.names.n; i++) {
		const char *one = run->plan.names.at[i].path;
		vars_add(run, run->play->vars, one, title);
		for (size_t j = 0; j < run->play->all_roles.n; j++) {
			vars_add(run, run->play->all_roles.at[j]->defaults, one, title);
			vars_add(run, run->play->all_roles.at[j]->vars, one, title);
		}
	}
}

void hf_plan_settled(struct hf_task *t)
{
	struct hf_arena *a = t->run->arena;
	const struct hf_value *name = t->node->kw[HF_KW_register];
	bool reads = t->module != NULL &&
		     (t->module->flags & (HF_MODULE_NO_RESOURCE | HF_MODULE_READ_ONLY)) != 0 &&
		     reads_changed(t);
	if (t->any_unsure != NULL && t->run->plan.first == NULL)
		t->run->plan.first = hf_strdup(a, t->title);
	if (!hf_is(name, HF_STRING) || (t->any_unsure == NULL && !reads))
		return;
	name_add(t->run, hf_strdup(a, name->u.string.p), hf_strdup(a, t->title));
}
