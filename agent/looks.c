#include "agent/looks.h"

#include <string.h>

#include "agent/look.h"

enum { WATCHES_MAX = 4096 };

struct hf_value *hf_looks_watches(struct hf_arena *a, const struct hf_value *watches)
{
	static const char *const keys[] = { "name", "path", "unit", "key", "seconds" };
	struct hf_value *list = hf_value_list(a);
	size_t n = hf_is(watches, HF_LIST) ? hf_list_len(watches) : 0;
	for (size_t i = 0; i < n && i < WATCHES_MAX; i++) {
		const struct hf_value *w = hf_list_at(watches, i), *name = NULL;
		struct hf_value *plain = hf_value_dict(a);
		for (size_t k = 0; k < HF_COUNT(keys) && name == NULL; k++)
			name = hf_dict_get(w, keys[k]);
		hf_dict_put(plain, "kind", hf_value_cstr(a, hf_dict_cstr(w, "kind", "")));
		hf_dict_put(plain, "name",
			name == NULL ? hf_value_cstr(a, "") : hf_value_str(a, hf_value_text(a, name)));
		hf_list_append(list, plain);
	}
	return list;
}

/* NULL: no path. */
static const char *path_of(const struct hf_value *watch, bool *ret_tree)
{
	const char *kind = hf_dict_cstr(watch, "kind", "");
	*ret_tree = strcmp(kind, "tree") == 0;
	return *ret_tree || strcmp(kind, "path") == 0 ? hf_dict_cstr(watch, "name", "") : NULL;
}

void hf_looks_before(struct hf_looks *l, const struct hf_value *watches)
{
	hf_arena_free(l->arena);
	l->arena = hf_arena_new();
	hf_map_init_str(&l->before, l->arena);
	struct hf_value *plain = hf_looks_watches(l->arena, watches);
	for (size_t i = 0; i < hf_list_len(plain); i++) {
		bool tree;
		const char *path = path_of(hf_list_at(plain, i), &tree);
		struct hf_look look;
		if (path == NULL)
			continue;
		hf_look_take(path, tree, false, &look);
		hf_map_set(&l->before, path, hf_strdup(l->arena, look.stat));
	}
}

/* Nothing happened to it since before the module looked until after its content was read here. */
static bool stood_still(
	const struct hf_looks *l, const char *path, bool tree, bool touched, const struct hf_look *look)
{
	const char *before = touched || l->arena == NULL ? NULL : hf_map_get(&l->before, path);
	struct hf_look again;
	if (before != NULL && strcmp(before, look->stat) != 0)
		return false;
	hf_look_take(path, tree, false, &again);
	return strcmp(again.stat, look->stat) == 0;
}

struct hf_value *hf_looks_after(
	struct hf_looks *l, struct hf_arena *a, const struct hf_value *watches, bool touched)
{
	struct hf_value *looks = hf_value_dict(a);
	size_t n = watches == NULL ? 0 : hf_list_len(watches);
	for (size_t i = 0; i < n; i++) {
		bool tree;
		const char *path = path_of(hf_list_at(watches, i), &tree);
		struct hf_look look;
		if (path == NULL)
			continue;
		hf_look_take(path, tree, true, &look);
		bool still = stood_still(l, path, tree, touched, &look);
		struct hf_value *pair = hf_value_list(a);
		hf_list_append(pair, hf_value_cstr(a, still ? look.stat : "in motion"));
		hf_list_append(pair, hf_value_cstr(a, still  ? look.what
						      : tree ? "tree in motion"
							     : "in motion"));
		hf_list_append(pair, hf_value_bool(a, tree));
		hf_dict_put(looks, path, pair);
	}
	return looks;
}

void hf_looks_done(struct hf_looks *l)
{
	l->arena = hf_arena_free(l->arena);
}
