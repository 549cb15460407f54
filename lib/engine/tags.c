#include <string.h>

#include "lib/engine/state.h"

static bool has(const struct hf_value *list, const char *word)
{
	for (size_t i = 0; i < hf_list_len(list); i++) {
		if (hf_is(hf_list_at(list, i), HF_STRING) && hf_str_is(hf_list_at(list, i)->u.string, word))
			return true;
	}
	return false;
}

static bool share(const struct hf_value *x, const struct hf_value *y)
{
	for (size_t i = 0; i < hf_list_len(x); i++) {
		if (has(y, hf_list_at(x, i)->u.string.p))
			return true;
	}
	return false;
}

static void split_into(struct hf_arena *a, struct hf_value *list, const struct hf_value *v)
{
	struct hf_str rest = hf_value_text(a, v), piece;
	while (hf_str_split(&rest, ',', &piece)) {
		piece = hf_str_trim(piece);
		if (piece.n > 0)
			hf_list_append(list, hf_value_str(a, piece));
	}
}

struct hf_value *hf_tags_list(struct hf_arena *a, const char *const *options, bool *ret_given)
{
	struct hf_value *list = hf_value_list(a);
	for (size_t i = 0; options != NULL && options[i] != NULL; i++)
		split_into(a, list, hf_value_cstr(a, options[i]));
	*ret_given = hf_list_len(list) > 0;
	return list;
}

/* Tags of plays and role entries stay as they are written, as in Ansible: it resolves those of tasks and
 * blocks. */
static bool stays_written(const struct hf_node *n, const struct hf_value *v)
{
	for (; n != NULL; n = hf_node_up(n))
		if (n->kw[HF_KW_tags] == v)
			return n->kind == HF_NODE_PLAY || n->kind == HF_NODE_ROLE;
	return false;
}

int hf_tags_of(struct hf_run *run, struct hf_scope *s, const struct hf_node *n, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_value *levels[HF_NODE_LEVELS_MAX], *list = hf_value_list(s->arena);
	size_t count = hf_node_collect(n, HF_KW_tags, levels);
	for (size_t i = 0; i < count; i++) {
		struct hf_value *v = levels[i];
		if (hf_templar_is_template(run->templar, v) && !stays_written(n, v)) {
			struct hf_scope *outer = run->scope;
			run->scope = s;
			int r = hf_templar_value(run->templar, s->arena, v, NULL, &v, err);
			run->scope = outer;
			if (r < 0)
				return hf_wrap(err, "tags");
		}
		for (size_t j = 0; hf_is_sequence(v) && j < hf_list_len(v); j++)
			split_into(s->arena, list, hf_list_at(v, j));
		if (!hf_is_sequence(v))
			split_into(s->arena, list, v);
	}
	*ret = list;
	return 0;
}

static bool is_wanted(const struct hf_value *tags, const struct hf_value *only, bool tagged)
{
	bool never = has(tags, "never");
	if (hf_list_len(only) == 0 || has(tags, "always") || share(tags, only))
		return true;
	return !never && (has(only, "all") || (has(only, "tagged") && tagged));
}

static bool is_skipped(const struct hf_value *tags, const struct hf_value *skip, bool tagged)
{
	if (has(skip, "all"))
		return !has(tags, "always") || has(skip, "always");
	return share(tags, skip) || (has(skip, "tagged") && tagged);
}

int hf_tags_run(
	struct hf_run *run, struct hf_scope *s, const struct hf_node *n, bool *ret, struct hf_error *err)
{
	struct hf_value *tags = NULL;
	int r = hf_tags_of(run, s, n, &tags, err);
	if (r < 0)
		return r;
	bool tagged = hf_list_len(tags) > 0;
	if (!tagged)
		hf_list_append(tags, hf_value_cstr(s->arena, "untagged"));
	*ret = is_wanted(tags, run->only_tags, tagged) &&
	       (hf_list_len(run->skip_tags) == 0 || !is_skipped(tags, run->skip_tags, tagged));
	return 0;
}
