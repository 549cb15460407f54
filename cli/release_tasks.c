/* Which tasks differ between two versions of a file of tasks or plays. */
#include <stdio.h>
#include <string.h>

#include "cli/release.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"

enum { FILE_MAX = 1 << 20, DEPTH_MAX = 32, TASK_TEXT_MAX = 1 << 20 };

/* A task as people call it, and everything it says. */
struct task {
	const char *name;
	struct hf_str text;
	bool seen;
};
struct tasks {
	struct task *at;
	size_t n, room;
};

static const char *const lists[] = { "pre_tasks", "tasks", "post_tasks", "handlers", "block", "rescue",
	"always" };

static const char *task_name(struct hf_arena *a, const struct hf_value *task)
{
	const char *name = hf_dict_cstr(task, "name", NULL);
	if (name != NULL)
		return name;
	HF_DICT_EACH (task, e) {
		const struct hf_value *key = hf_entry_key(e);
		if (hf_is(key, HF_STRING))
			return hf_str_dup(a, key->u.string); /* without a name the module stands first */
	}
	return "?";
}

static int tasks_collect(
	struct hf_arena *a, const struct hf_value *list, int depth, struct tasks *out, struct hf_error *err)
{
	for (size_t i = 0; hf_is(list, HF_LIST) && depth < DEPTH_MAX && i < hf_list_len(list); i++) {
		const struct hf_value *v = hf_list_at(list, i);
		if (!hf_is(v, HF_DICT))
			continue;
		struct hf_value *own = hf_value_shallow(a, v);
		hf_auto_buf text = hf_buf_init(TASK_TEXT_MAX);
		int result = 0;
		for (size_t k = 0; result == 0 && k < HF_COUNT(lists); k++) {
			result = tasks_collect(a, hf_dict_get(v, lists[k]), depth + 1, out, err);
			hf_dict_remove(own, lists[k]);
		}
		if (result == 0)
			result = hf_json_write(&text, own, &HF_JSON_COMPACT, err);
		if (result < 0)
			return result;
		*(struct task *)hf_vec_push(a, out) =
			(struct task){ task_name(a, v), hf_buf_dup(a, &text), false };
	}
	return 0;
}

/* A file that is no YAML, or no list, has no tasks. */
static int tasks_read(
	struct release_session *s, const struct hf_file *file, struct tasks *out, struct hf_error *err)
{
	if (file == NULL || file->size > FILE_MAX)
		return 0;
	hf_auto_buf bytes = hf_buf_init(FILE_MAX + 1);
	char key[HF_OBJECT_KEY_SIZE];
	struct hf_store_get get = {
		.key = hf_object_key(&file->sha256, key), .out = &bytes, .fd = -1, .max = (uint64_t)file->size
	};
	struct hf_value *v = NULL;
	struct hf_error no_yaml;
	int result = hf_store_get(s->store, &get, err);
	if (result < 0)
		return result;
	struct hf_digest digest = hf_sha256(hf_buf_str(&bytes));
	if (!hf_digest_equal(&digest, &file->sha256))
		return hf_refuse(&s->refusal, err, HF_REFUSED_HASH_MISMATCH, "file \"%s\"", file->path);
	if (hf_yaml_parse(s->arena, hf_buf_str(&bytes), file->path,
		    &(struct hf_yaml_options){ .plain = true }, &v, &no_yaml) < 0)
		return 0;
	return tasks_collect(s->arena, v, 0, out, err);
}

static struct task *task_match(struct tasks *all, const struct task *t, bool by_text)
{
	for (size_t i = 0; i < all->n; i++)
		if (!all->at[i].seen && strcmp(all->at[i].name, t->name) == 0 &&
			(!by_text || hf_str_equal(all->at[i].text, t->text)))
			return &all->at[i];
	return NULL;
}

static void change_add(
	struct release_session *s, struct hf_value *rows, char sign, const char *path, const char *name)
{
	struct hf_arena *a = s->arena;
	struct hf_value *row = hf_value_dict(a);
	hf_dict_put(row, "file", hf_value_cstr(a, path));
	hf_dict_put(row, "task", hf_value_cstr(a, name));
	hf_dict_put(row, "change",
		hf_value_cstr(a, sign == '+'   ? "added"
				 : sign == '-' ? "removed"
					       : "changed"));
	hf_list_append(rows, row);
	if (!s->base->json)
		printf("    %c task: %s\n", sign, name);
}

bool release_holds_tasks(const char *path)
{
	return hf_str_ends(hf_str(path), ".yml") || hf_str_ends(hf_str(path), ".yaml");
}

int release_task_changes(struct release_session *s, const struct hf_file *old, const struct hf_file *new,
	struct hf_value *rows, struct hf_error *err)
{
	struct tasks before = { 0 }, after = { 0 };
	const char *path = new == NULL ? old->path : new->path;
	int result = tasks_read(s, old, &before, err);
	if (result == 0)
		result = tasks_read(s, new, &after, err);
	if (result < 0)
		return result;
	/* First what is the same, then what has the same name, then the rest. */
	for (size_t i = 0; i < after.n; i++) {
		struct task *same = task_match(&before, &after.at[i], true);
		if (same != NULL)
			same->seen = after.at[i].seen = true;
	}
	for (size_t i = 0; i < after.n; i++) {
		if (after.at[i].seen)
			continue;
		struct task *named = task_match(&before, &after.at[i], false);
		if (named != NULL)
			named->seen = true;
		change_add(s, rows, named != NULL ? '~' : '+', path, after.at[i].name);
	}
	for (size_t i = 0; i < before.n; i++)
		if (!before.at[i].seen)
			change_add(s, rows, '-', path, before.at[i].name);
	return 0;
}
