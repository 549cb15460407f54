/* Which resources a run is about: those named, and what they need or what needs them. */
#include <string.h>

#include "provisioner/resource.h"

bool target_chosen(const struct targets *t, const char *name)
{
	return t->all || hf_map_get(&t->names, name) != NULL;
}

/* "subnet" means every subnet.KEY, too. */
static bool named(const char *name, const char *target)
{
	size_t n = strlen(target);
	return strncmp(name, target, n) == 0 && (name[n] == '\0' || name[n] == '.');
}

static void choose(struct targets *t, const char *name)
{
	hf_map_set(&t->names, name, t);
}

static bool choose_named(struct hf_engine *e, struct targets *t, const char *target)
{
	bool found = false;
	for (size_t i = 0; i < e->env->resources.n; i++) {
		const char *name = e->env->resources.at[i].name;
		if (named(name, target)) {
			choose(t, name);
			found = true;
		}
	}
	for (size_t i = 0; i < hf_state_count(e->state); i++) {
		const struct hf_state_doc *d = hf_state_at(e->state, i);
		if (d->doc != NULL && named(d->name, target)) {
			choose(t, d->name);
			found = true;
		}
	}
	return found;
}

/* What they need: the order has dependencies first, so one way back through it is enough. */
static void choose_needed(struct hf_engine *e, struct targets *t)
{
	for (size_t i = e->env->resources.n; i-- > 0;) {
		const struct hf_resource *r = &e->env->resources.at[e->env->order[i]];
		for (size_t k = 0; target_chosen(t, r->name) && k < r->depends.n; k++)
			choose(t, e->env->resources.at[r->depends.at[k]].name);
	}
}

static bool needs_chosen(const struct targets *t, const struct hf_state_doc *d)
{
	const struct hf_value *needs = hf_dict_get(d->doc, "depends");
	for (size_t i = 0; hf_is(needs, HF_LIST) && i < hf_list_len(needs); i++)
		if (target_chosen(t, hf_list_at(needs, i)->u.string.p))
			return true;
	return false;
}

/* What needs them, and so on: as many rounds as the longest chain of documents. */
static void choose_dependents(struct hf_engine *e, struct targets *t)
{
	bool more = true;
	for (size_t round = 0; more && round <= hf_state_count(e->state); round++) {
		more = false;
		for (size_t i = 0; i < hf_state_count(e->state); i++) {
			const struct hf_state_doc *d = hf_state_at(e->state, i);
			if (d->doc == NULL || target_chosen(t, d->name) || !needs_chosen(t, d))
				continue;
			choose(t, d->name);
			more = true;
		}
	}
}

int targets_choose(
	struct hf_engine *e, const struct hf_plan_options *options, struct targets *ret, struct hf_error *err)
{
	hf_map_init_str(&ret->names, e->arena);
	ret->all = options->targets == NULL || options->targets[0] == NULL;
	for (size_t i = 0; !ret->all && options->targets[i] != NULL; i++)
		if (!choose_named(e, ret, options->targets[i]))
			return hf_fail(err, HF_E_ARGUMENT, "%s: there is no resource \"%s\"", e->env->path,
				options->targets[i]);
	if (!ret->all && options->kind == HF_PLAN_APPLY)
		choose_needed(e, ret);
	if (!ret->all && options->kind == HF_PLAN_DESTROY)
		choose_dependents(e, ret);
	return 0;
}
