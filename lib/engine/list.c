#include "lib/engine/list.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/scope.h"

enum { LINE_MAX_BYTES = 1 << 16 };

static void line(struct hf_run *run, const char *text)
{
	hf_event_text(run, "list", text);
}

static void join(struct hf_buf *out, const struct hf_value *tags)
{
	for (size_t i = 0; i < hf_list_len(tags); i++)
		hf_buf_printf(out, "%s%s", i == 0 ? "" : ", ", hf_list_at(tags, i)->u.string.p);
}

static int by_text(const void *x, const void *y)
{
	const struct hf_value *a = *(const struct hf_value *const *)x,
			      *b = *(const struct hf_value *const *)y;
	return hf_str_compare(a->u.string, b->u.string);
}

static void add_unique(struct hf_value *all, const struct hf_value *tags)
{
	for (size_t i = 0; i < hf_list_len(tags); i++)
		hf_dict_set(all, hf_list_at(tags, i), hf_list_at(tags, i));
}

static struct hf_value *sorted(struct hf_arena *a, const struct hf_value *set)
{
	struct hf_value *list = hf_value_list(a);
	HF_DICT_EACH (set, e)
		hf_list_append(list, hf_entry_key(e));
	if (hf_list_len(list) > 1)
		qsort(list->u.list->at, list->u.list->n, sizeof(*list->u.list->at), by_text);
	return list;
}

static int list_nodes(struct hf_run *run, struct hf_play *play, const struct hf_nodes *nodes,
	struct hf_value *all, struct hf_error *err)
{
	for (size_t i = 0; i < nodes->n; i++) {
		const struct hf_node *n = nodes->at[i];
		if (n->kind != HF_NODE_TASK) {
			const struct hf_nodes *const parts[] = { &n->body, &n->rescue, &n->always };
			for (size_t p = 0; p < HF_COUNT(parts); p++) {
				int r = list_nodes(run, play, parts[p], all, err);
				if (r < 0)
					return r;
			}
			continue;
		}
		struct hf_scope *s = hf_new(run->arena, struct hf_scope);
		struct hf_value *tags = NULL;
		bool runs = false;
		hf_scope_init(s, run, run->arena, play, NULL, n);
		int r = hf_tags_of(run, s, n, &tags, err);
		if (r == 0)
			r = hf_tags_run(run, s, n, &runs, err);
		if (r < 0)
			return r;
		if (!runs || (n->task == HF_TASK_META && n->implicit))
			continue;
		struct hf_value *unique = hf_value_dict(run->arena);
		add_unique(unique, tags);
		add_unique(all, tags);
		if (!run->options->list_tasks)
			continue;
		hf_auto_buf out = hf_buf_init(LINE_MAX_BYTES);
		const char *name = n->kw[HF_KW_name] == NULL ? n->action
							     : hf_value_text(run->arena, n->kw[HF_KW_name]).p;
		/* As Ansible: whose role it is only of one that has a name. */
		bool of_role = n->role != NULL && n->kw[HF_KW_name] != NULL;
		hf_buf_printf(&out, "      %s%s%s\tTAGS: [", of_role ? n->role->name : "",
			of_role ? " : " : "", name);
		join(&out, sorted(run->arena, unique));
		hf_buf_puts(&out, "]");
		line(run, out.p);
	}
	return 0;
}

static int list_hosts(struct hf_run *run, struct hf_play *play, struct hf_error *err)
{
	struct hf_hosts hosts = { 0 };
	int r = hf_inventory_match(
		run->inventory, hf_value_text(run->arena, play->node.kw[HF_KW_hosts]).p, &hosts, NULL, err);
	if (r < 0)
		return r;
	line(run, hf_sprintf(run->arena, "    hosts (%zu):", hosts.n));
	for (size_t i = 0; i < hosts.n; i++)
		line(run, hf_sprintf(run->arena, "      %s", hosts.at[i]->name));
	return 0;
}

static int list_play(struct hf_run *run, struct hf_play *play, size_t number, struct hf_error *err)
{
	struct hf_value *all = hf_value_dict(run->arena), *tags = NULL;
	struct hf_scope *s = hf_new(run->arena, struct hf_scope);
	hf_scope_init(s, run, run->arena, play, NULL, NULL);
	int r = hf_tags_of(run, s, &play->node, &tags, err);
	if (r < 0)
		return r;
	hf_auto_buf out = hf_buf_init(LINE_MAX_BYTES);
	hf_buf_printf(&out, "  play #%zu (%s): %s\tTAGS: [", number,
		hf_value_text(run->arena, play->node.kw[HF_KW_hosts]).p, play->name);
	join(&out, tags);
	hf_buf_puts(&out, "]");
	line(run, out.p);
	if (run->options->list_hosts)
		r = list_hosts(run, play, err);
	if (run->options->list_tasks)
		line(run, "    tasks:");
	const struct hf_nodes *const parts[] = { &play->pre_tasks, &play->roles, &play->tasks,
		&play->post_tasks };
	for (size_t i = 0; r == 0 && i < HF_COUNT(parts); i++)
		r = list_nodes(run, play, parts[i], all, err);
	if (r == 0 && run->options->list_tags) {
		hf_auto_buf text = hf_buf_init(LINE_MAX_BYTES);
		hf_buf_puts(&text, "      TASK TAGS: [");
		join(&text, sorted(run->arena, all));
		hf_buf_puts(&text, "]");
		line(run, text.p);
	}
	return r;
}

int hf_list_plays(struct hf_run *run, struct hf_error *err)
{
	const struct hf_run_options *o = run->options;
	line(run, "");
	line(run, hf_sprintf(run->arena, "playbook: %s", o->playbooks[0]));
	int r = 0;
	for (size_t i = 0; r == 0 && i < run->plays.n && (o->list_tasks || o->list_tags || o->list_hosts);
		i++) {
		line(run, "");
		r = list_play(run, run->plays.at[i], i + 1, err);
	}
	return r;
}
