#include "lib/engine/inventory.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/yaml.h"

enum { SOURCES_MAX = 4096, SOURCE_DEPTH_MAX = 8 };

struct hf_inventory *hf_inventory_new(struct hf_arena *a)
{
	struct hf_inventory *v = hf_new(a, struct hf_inventory);
	v->arena = a;
	hf_map_init_str(&v->groups, a);
	hf_map_init_str(&v->hosts, a);
	v->all = hf_inventory_group(v, "all");
	v->ungrouped = hf_inventory_group(v, "ungrouped");
	hf_inventory_nest(v, v->all, v->ungrouped);
	return v;
}

struct hf_group *hf_inventory_group(struct hf_inventory *v, const char *name)
{
	struct hf_group *g = hf_map_get(&v->groups, name);
	if (g == NULL) {
		g = hf_new(v->arena, struct hf_group);
		g->name = hf_strdup(v->arena, name);
		g->vars = hf_value_dict(v->arena);
		g->priority = 1;
		hf_map_set(&v->groups, g->name, g);
	}
	return g;
}

struct hf_host *hf_inventory_host(struct hf_inventory *v, const char *name)
{
	struct hf_host *h = hf_map_get(&v->hosts, name);
	if (h == NULL) {
		h = hf_new(v->arena, struct hf_host);
		h->name = hf_strdup(v->arena, name);
		h->vars = hf_value_dict(v->arena);
		h->index = (unsigned)v->order.n;
		h->source = v->reading;
		hf_map_set(&v->hosts, h->name, h);
		*hf_vec_push(v->arena, &v->order) = h;
	}
	return h;
}

void hf_inventory_join(struct hf_inventory *v, struct hf_group *g, struct hf_host *h)
{
	for (size_t i = 0; i < g->hosts.n; i++) {
		if (g->hosts.at[i] == h)
			return;
	}
	*hf_vec_push(v->arena, &g->hosts) = h;
	*hf_vec_push(v->arena, &h->groups) = g;
	h->implicit = false;
}

void hf_inventory_leave(struct hf_group *g, struct hf_host *h)
{
	size_t kept = 0;
	for (size_t i = 0; i < g->hosts.n; i++) {
		if (g->hosts.at[i] != h)
			g->hosts.at[kept++] = g->hosts.at[i];
	}
	g->hosts.n = kept;
	kept = 0;
	for (size_t i = 0; i < h->groups.n; i++) {
		if (h->groups.at[i] != g)
			h->groups.at[kept++] = h->groups.at[i];
	}
	h->groups.n = kept;
}

void hf_inventory_nest(struct hf_inventory *v, struct hf_group *parent, struct hf_group *child)
{
	for (size_t i = 0; i < parent->children.n; i++) {
		if (parent->children.at[i] == child)
			return;
	}
	if (parent == child)
		return;
	*hf_vec_push(v->arena, &parent->children) = child;
	*hf_vec_push(v->arena, &child->parents) = parent;
}

static void deepen(struct hf_group *g, unsigned depth)
{
	if (depth < g->depth || depth > HF_GROUP_DEPTH_MAX)
		return;
	g->depth = depth;
	for (size_t i = 0; i < g->children.n; i++)
		deepen(g->children.at[i], depth + 1);
}

/* Some group holds h besides those that hold everybody. */
static bool is_grouped(const struct hf_inventory *v, const struct hf_host *h)
{
	for (size_t i = 0; i < h->groups.n; i++) {
		if (h->groups.at[i] != v->all && h->groups.at[i] != v->ungrouped)
			return true;
	}
	return false;
}

void hf_inventory_settle(struct hf_inventory *v)
{
	for (size_t i = 0; i < v->order.n; i++) {
		struct hf_host *h = v->order.at[i];
		if (h->groups.n == 0 && !h->implicit)
			hf_inventory_join(v, v->ungrouped, h);
		else if (h->groups.n == 1 && h->groups.at[0] == v->all)
			hf_inventory_join(v, v->ungrouped, h);
		else if (is_grouped(v, h))
			hf_inventory_leave(v->ungrouped, h);
	}
	HF_MAP_EACH (&v->groups, e) {
		struct hf_group *g = e->value;
		if (g != v->all && g->parents.n == 0)
			hf_inventory_nest(v, v->all, g);
		g->depth = 0;
	}
	deepen(v->all, 0);
}

/* --- questions --- */

static void collect_groups(struct hf_arena *a, struct hf_group *g, unsigned depth, struct hf_groups *out)
{
	for (size_t i = 0; i < out->n; i++) {
		if (out->at[i] == g)
			return;
	}
	*hf_vec_push(a, out) = g;
	for (size_t i = 0; depth < HF_GROUP_DEPTH_MAX && i < g->parents.n; i++)
		collect_groups(a, g->parents.at[i], depth + 1, out);
}

static int by_depth(const void *x, const void *y)
{
	const struct hf_group *a = *(const struct hf_group *const *)x,
			      *b = *(const struct hf_group *const *)y;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return strcmp(a->name, b->name);
}

struct hf_groups hf_inventory_groups_of(struct hf_inventory *v, const struct hf_host *h)
{
	struct hf_groups out = { 0 };
	for (size_t i = 0; i < h->groups.n; i++)
		collect_groups(v->arena, h->groups.at[i], 0, &out);
	if (!h->implicit && out.n > 0)
		collect_groups(v->arena, v->all, 0, &out);
	if (out.n > 0)
		qsort(out.at, out.n, sizeof(*out.at), by_depth);
	return out;
}

/* Group by group, level by level, as Ansible lists them. */
struct hf_hosts hf_inventory_members(struct hf_inventory *v, const struct hf_group *g)
{
	struct hf_hosts out = { 0 };
	const struct hf_group **queue = hf_new_array(v->arena, v->groups.live + 1, const struct hf_group *);
	size_t queued = 0;
	bool *seen = hf_new_array(v->arena, v->order.n + 1, bool);
	struct hf_map met;
	hf_map_init_str(&met, v->arena);
	queue[queued++] = g;
	hf_map_set(&met, g->name, (void *)(uintptr_t)g);
	for (size_t n = 0; n < queued; n++) {
		const struct hf_group *one = queue[n];
		for (size_t i = 0; i < one->hosts.n; i++) {
			if (!seen[one->hosts.at[i]->index])
				*hf_vec_push(v->arena, &out) = one->hosts.at[i];
			seen[one->hosts.at[i]->index] = true;
		}
		for (size_t i = 0; i < one->children.n; i++) {
			struct hf_group *child = one->children.at[i];
			if (hf_map_get(&met, child->name) != NULL)
				continue;
			hf_map_set(&met, child->name, child);
			queue[queued++] = child;
		}
	}
	return out;
}

/* --- sources --- */

static int add_list(struct hf_inventory *v, const char *source, struct hf_error *err)
{
	struct hf_str rest = hf_str(source), piece;
	for (size_t i = 0; i < HF_HOSTS_MAX && hf_str_split(&rest, ',', &piece); i++) {
		piece = hf_str_trim(piece);
		if (piece.n == 0)
			continue;
		struct hf_value *names = NULL;
		int r = hf_inventory_expand(v->arena, piece, &names, err);
		if (r < 0)
			return r;
		for (size_t n = 0; n < hf_list_len(names); n++)
			hf_inventory_join(
				v, v->ungrouped, hf_inventory_host(v, hf_list_at(names, n)->u.string.p));
	}
	return 0;
}

static bool has_extension(const char *path, const char *const *extensions)
{
	const char *dot = strrchr(hf_path_base(path), '.');
	for (size_t i = 0; dot != NULL && extensions[i] != NULL; i++) {
		if (strcmp(dot, extensions[i]) == 0)
			return true;
	}
	return false;
}

static int read_file(struct hf_inventory *v, const char *path, struct hf_error *err)
{
	static const char *const yaml[] = { ".yml", ".yaml", ".json", NULL };
	struct hf_str text;
	int r = hf_fs_read(v->arena, path, HF_YAML_SIZE_MAX, &text, err);
	if (r < 0)
		return r;
	if (hf_str_starts(text, "#!") && access(path, X_OK) == 0)
		return hf_fail(err, HF_E_UNSUPPORTED,
			"%s: inventory scripts are not supported; write its output to a file", path);
	if (!has_extension(path, yaml))
		return hf_inventory_read_ini(v, path, text, err);
	struct hf_value *doc = NULL;
	r = hf_yaml_parse(v->arena, text, path, NULL, &doc, err);
	return r < 0 ? r : hf_inventory_read_yaml(v, doc, err);
}

static int add_file(struct hf_inventory *v, const char *path, struct hf_error *err)
{
	v->reading = hf_strdup(v->arena, path);
	int r = read_file(v, path, err);
	v->reading = NULL;
	return r;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int add_dir(struct hf_inventory *v, const char *path, unsigned depth, struct hf_error *err)
{
	static const char *const skip[] = { ".orig", ".ini", ".cfg", ".retry", ".pyc", ".pyo", ".md", ".rst",
		".bak", NULL };
	if (depth > SOURCE_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: folders are nested too deeply", path);
	hf_auto_dir d = opendir(path);
	if (d == NULL)
		return hf_fail_errno(err, HF_E_IO, "open %s", path);
	HF_VEC(const char *) names = { 0 };
	for (const struct dirent *e; (e = readdir(d)) != NULL && names.n < SOURCES_MAX;) {
		bool ours = strcmp(e->d_name, "group_vars") == 0 || strcmp(e->d_name, "host_vars") == 0;
		if (e->d_name[0] != '.' && !ours && !has_extension(e->d_name, skip) &&
			strchr(e->d_name, '~') == NULL)
			*hf_vec_push(v->arena, &names) = hf_strdup(v->arena, e->d_name);
	}
	if (names.n > 0)
		qsort(names.at, names.n, sizeof(*names.at), by_name);
	int r = 0;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		const char *full = hf_path_join(v->arena, path, names.at[i]);
		r = hf_fs_is_dir(full) ? add_dir(v, full, depth + 1, err) : add_file(v, full, err);
	}
	return r;
}

int hf_inventory_add(struct hf_inventory *v, const char *source, struct hf_error *err)
{
	if (strchr(source, ',') != NULL)
		return add_list(v, source, err);
	char *path = realpath(source, NULL);
	if (path == NULL)
		return hf_fail_errno(err, HF_E_IO, "inventory %s", source);
	const char *full = hf_strdup(v->arena, path);
	free(path);
	*hf_vec_push(v->arena, &v->sources) = full;
	return hf_fs_is_dir(full) ? add_dir(v, full, 0, err) : add_file(v, full, err);
}

/* --- ranges --- */

struct range {
	struct hf_str head, begin, end, tail;
	int64_t step;
};

static bool find_range(struct hf_str s, struct range *ret)
{
	size_t open = hf_str_find(s, HF_STR("["), 0);
	size_t close = open == SIZE_MAX ? SIZE_MAX : hf_str_find(s, HF_STR("]"), open);
	if (close == SIZE_MAX)
		return false;
	struct hf_str inner = hf_strn(s.p + open + 1, close - open - 1), parts[3];
	size_t n = 0;
	while (n < 3 && hf_str_split(&inner, ':', &parts[n]))
		n++;
	if (n < 2)
		return false;
	ret->head = hf_strn(s.p, open);
	ret->tail = hf_strn(s.p + close + 1, s.n - close - 1);
	ret->begin = parts[0].n == 0 ? HF_STR("0") : parts[0];
	ret->end = parts[1];
	ret->step = 1;
	return parts[1].n > 0 && (n < 3 || (hf_str_to_int64(parts[2], &ret->step) && ret->step > 0));
}

static int expand_numbers(struct hf_arena *a, const struct range *r, int64_t from, int64_t to,
	struct hf_value *out, struct hf_error *err)
{
	for (int64_t i = from; i <= to; i += r->step) {
		int width = r->begin.n > 1 && r->begin.p[0] == '0' ? (int)r->begin.n : 0;
		struct hf_value *names = NULL;
		int result = hf_inventory_expand(a,
			hf_str(hf_sprintf(a, "%.*s%0*lld%.*s", HF_STR_ARG(r->head), width, (long long)i,
				HF_STR_ARG(r->tail))),
			&names, err);
		if (result < 0)
			return result;
		for (size_t n = 0; n < hf_list_len(names); n++)
			hf_list_append(out, hf_list_at(names, n));
		if (hf_list_len(out) > HF_HOSTS_MAX)
			return hf_fail(
				err, HF_E_LIMIT, "a host range names more than %d hosts", HF_HOSTS_MAX);
	}
	return 0;
}

static int expand_letters(
	struct hf_arena *a, const struct range *r, struct hf_value *out, struct hf_error *err)
{
	for (int c = r->begin.p[0]; c <= r->end.p[0]; c += (int)r->step) {
		struct hf_value *names = NULL;
		int result = hf_inventory_expand(a,
			hf_str(hf_sprintf(a, "%.*s%c%.*s", HF_STR_ARG(r->head), c, HF_STR_ARG(r->tail))),
			&names, err);
		if (result < 0)
			return result;
		for (size_t n = 0; n < hf_list_len(names); n++)
			hf_list_append(out, hf_list_at(names, n));
	}
	return 0;
}

int hf_inventory_expand(
	struct hf_arena *a, struct hf_str pattern, struct hf_value **ret_names, struct hf_error *err)
{
	struct hf_value *out = hf_value_list(a);
	struct range range;
	int64_t from, to;
	int r = 0;
	if (!find_range(pattern, &range))
		hf_list_append(out, hf_value_str(a, pattern));
	else if (hf_str_to_int64(range.begin, &from) && hf_str_to_int64(range.end, &to))
		r = expand_numbers(a, &range, from, to, out, err);
	else if (range.begin.n == 1 && range.end.n == 1 && isalpha((unsigned char)range.begin.p[0]))
		r = expand_letters(a, &range, out, err);
	else
		return hf_fail(err, HF_E_PARSE, "host range '%.*s' is not valid", HF_STR_ARG(pattern));
	if (r == 0)
		*ret_names = out;
	return r;
}
