/* A look at a few resources need not go through all others. A task is passed over when none of those few is
 * its own and nobody can ask what it did. */
#include "lib/base/scope.h"
#include "lib/engine/state.h"

enum { KEY_MAX = 1 << 16, DEPTH_MAX = 64 };

void hf_resource_place(struct hf_arena *a, const struct hf_node *n, struct hf_buf *out)
{
	for (; n != NULL; n = n->parent) {
		const struct hf_value *name = n->kw[HF_KW_name];
		if (n->kind == HF_NODE_ROLE && n->role != NULL)
			hf_buf_printf(out, "role %s\n", n->role->name);
		else if (name != NULL)
			hf_buf_printf(out, "%s\n", hf_value_text(a, name).p);
	}
}

static const char *place_key(struct hf_run *run, const struct hf_node *n)
{
	hf_auto_buf b = hf_buf_init(KEY_MAX);
	hf_buf_printf(&b, "%s\n%s\n", n->play == NULL ? "" : n->play->name, n->module->name);
	hf_resource_place(run->arena, n, &b);
	return b.failed ? NULL : hf_buf_dup(run->arena, &b).p;
}

static void count_places(struct hf_run *run, const struct hf_nodes *nodes, unsigned depth)
{
	for (size_t i = 0; i < nodes->n && depth < DEPTH_MAX; i++) {
		const struct hf_node *n = nodes->at[i];
		const char *key = n->module == NULL ? NULL : place_key(run, n);
		if (key != NULL)
			hf_map_set(&run->places, key, (void *)((uintptr_t)hf_map_get(&run->places, key) + 1));
		count_places(run, &n->body, depth + 1);
		count_places(run, &n->rescue, depth + 1);
		count_places(run, &n->always, depth + 1);
	}
}

static void places_know(struct hf_run *run)
{
	if (run->places_known)
		return;
	run->places_known = true;
	hf_map_init_str(&run->places, run->arena);
	for (size_t i = 0; i < run->plays.n; i++) {
		const struct hf_play *p = run->plays.at[i];
		const struct hf_nodes *const parts[] = { &p->pre_tasks, &p->roles, &p->tasks,
			&p->post_tasks };
		for (size_t j = 0; j < HF_COUNT(parts); j++)
			count_places(run, parts[j], 0);
	}
}

/* Tasks that read alike are told apart by their order, so each of them has to be come across. */
static bool unlike_all_others(struct hf_run *run, const struct hf_node *n)
{
	places_know(run);
	const char *key = place_key(run, n);
	return key != NULL && (uintptr_t)hf_map_get(&run->places, key) == 1;
}

bool hf_task_alone(struct hf_run *run, const struct hf_node *n)
{
	if (n->kind != HF_NODE_TASK || n->task != HF_TASK_MODULE || n->module == NULL || n->handler ||
		n->implicit || n->kw[HF_KW_register] != NULL ||
		(n->module->flags & (HF_MODULE_NO_RESOURCE | HF_MODULE_READ_ONLY)) != 0)
		return false;
	for (const struct hf_node *up = n->parent; up != NULL; up = up->parent)
		if (up->dynamic || up->rescue.n > 0) /* its failure is somebody's cue */
			return false;
	return unlike_all_others(run, n);
}

bool hf_task_passed_over(struct hf_run *run, const struct hf_node *n)
{
	return run->hooks != NULL && run->hooks->wanted != NULL && hf_task_alone(run, n) &&
	       !run->hooks->wanted(run->hooks->data, n->pos);
}
