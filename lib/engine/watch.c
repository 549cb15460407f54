#include "lib/engine/watch.h"

static void add(struct hf_watches *w, const char *kind, const char *key, struct hf_value *value)
{
	struct hf_value *d = hf_value_dict(w->arena);
	hf_dict_put(d, "kind", hf_value_cstr(w->arena, kind));
	if (key != NULL)
		hf_dict_put(d, key, value);
	hf_list_append(w->list, d);
}

void hf_watch_path(struct hf_watches *w, const char *path)
{
	add(w, "path", "path", hf_value_cstr(w->arena, path));
}

void hf_watch_tree(struct hf_watches *w, const char *path)
{
	add(w, "tree", "path", hf_value_cstr(w->arena, path));
}

void hf_watch_unit(struct hf_watches *w, const char *unit)
{
	add(w, "unit", "unit", hf_value_cstr(w->arena, unit));
}

void hf_watch_packages(struct hf_watches *w)
{
	add(w, "packages", NULL, NULL);
}

void hf_watch_users(struct hf_watches *w)
{
	add(w, "users", NULL, NULL);
}

void hf_watch_mounts(struct hf_watches *w)
{
	add(w, "mounts", NULL, NULL);
}

void hf_watch_sysctl(struct hf_watches *w, const char *key)
{
	add(w, "sysctl", "key", hf_value_cstr(w->arena, key));
}

void hf_watch_poll(struct hf_watches *w, unsigned seconds)
{
	add(w, "poll", "seconds", hf_value_int(w->arena, seconds));
}
