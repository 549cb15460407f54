/* requirements.lock, and the view of a tree that has in it what the lock pins. */
#include "cli/require.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/release.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"

static const char *const kinds[] = { "role", "collection" };
static const char *const types[] = { "git", "url", "file", "dir", "galaxy" };

/* --- the lock --- */

/* Text fields, in the order they are written. */
#define LOCK_FIELDS(F)                                                                                       \
	F(name) F(source) F(below) F(version) F(server) F(resolved) F(url) F(commit) F(sha256) F(tree)

static int number_of(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

static int lock_row(const struct hf_value *one, struct requirement *ret)
{
	int kind = number_of(kinds, HF_COUNT(kinds), hf_dict_cstr(one, "kind", ""));
	int type = number_of(types, HF_COUNT(types), hf_dict_cstr(one, "type", ""));
	struct requirement q = { .pos = hf_value_pos(one), .needed = hf_dict_bool(one, "needed", false) };
#define LOCK_READ(field) q.field = hf_dict_cstr(one, #field, NULL);
	LOCK_FIELDS(LOCK_READ)
	q.below = q.below == NULL ? "" : q.below;
	q.version = q.version == NULL ? "" : q.version;
	if (kind < 0 || type < 0 || q.name == NULL || q.source == NULL || q.tree == NULL)
		return -1;
	q.kind = (enum require_kind)kind;
	q.type = (enum require_type)type;
	*ret = q;
	return (q.type == REQUIRE_GIT && q.commit == NULL) || (q.type == REQUIRE_GALAXY && q.url == NULL) ? -1
													  : 0;
}

int require_lock_read(struct require *r, struct requirements *ret, struct hf_error *err)
{
	const char *path = hf_path_join(r->arena, r->folder, REQUIRE_LOCK);
	struct hf_value *v = NULL;
	*ret = (struct requirements){ 0 };
	if (!hf_fs_exists(path))
		return 0;
	int result = hf_yaml_load(
		r->arena, path, &(struct hf_yaml_options){ .plain = true, .strict = true }, &v, err);
	if (result < 0)
		return result;
	size_t n = hf_is(v, HF_LIST) ? hf_list_len(v) : REQUIRE_MAX + 1;
	for (size_t i = 0; n <= REQUIRE_MAX && i < n; i++) {
		struct requirement q;
		const struct hf_value *one = hf_list_at(v, i);
		if (!hf_is(one, HF_DICT) || lock_row(one, &q) < 0)
			return hf_fail_at(
				err, HF_E_PARSE, hf_value_pos(one), "not as holdfast release lock writes it");
		*hf_vec_push(r->arena, ret) = q;
	}
	return n > REQUIRE_MAX ? hf_fail(err, HF_E_PARSE, "%s: not as holdfast release lock writes it", path)
			       : 0;
}

static int field_write(
	struct hf_buf *out, struct hf_arena *a, const char *name, const char *text, struct hf_error *err)
{
	struct hf_json_style style = HF_JSON_COMPACT;
	if (text == NULL || *text == '\0')
		return 0;
	hf_buf_printf(out, "  %s: ", name);
	int result = hf_json_write(out, hf_value_cstr(a, text), &style, err);
	hf_buf_put(out, '\n');
	return result;
}

int require_lock_write(struct require *r, const struct requirements *locked, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(REQUIRE_FILE_MAX);
	int result = 0;
	hf_buf_puts(&out, "# What requirements.yml names, as holdfast release lock found it.\n");
	if (locked->n == 0)
		hf_buf_puts(&out, "[]\n");
	for (size_t i = 0; i < locked->n && result == 0; i++) {
		const struct requirement *q = &locked->at[i];
		hf_buf_printf(&out, "- kind: %s\n  type: %s\n%s", kinds[q->kind], types[q->type],
			q->needed ? "  needed: true\n" : "");
#define LOCK_WRITE(field)                                                                                    \
	if (result == 0)                                                                                     \
		result = field_write(&out, r->arena, #field, q->field, err);
		LOCK_FIELDS(LOCK_WRITE)
	}
	if (result == 0)
		result = hf_buf_check(&out, REQUIRE_LOCK, err);
	if (result == 0)
		result = hf_fs_replace(hf_path_join(r->arena, r->folder, REQUIRE_LOCK), hf_buf_str(&out),
			(struct hf_fs_attr){ 0644, HF_KEEP_UID, HF_KEEP_GID, true }, err);
	return result;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

static const struct requirement *lock_find(const struct requirements *locked, const struct requirement *q)
{
	for (size_t i = 0; i < locked->n; i++) {
		const struct requirement *l = &locked->at[i];
		if (l->kind == q->kind && l->type == q->type && same_text(l->source, q->source) &&
			same_text(l->below, q->below) && same_text(l->version, q->version) &&
			same_text(l->server, q->server) && (q->name == NULL || same_text(l->name, q->name)))
			return l;
	}
	return NULL;
}

/* Both files must speak of the same things. */
static int lock_fits(struct require *r, const struct requirements *locked, struct hf_error *err)
{
	for (size_t i = 0; i < r->wanted.n; i++)
		if (lock_find(locked, &r->wanted.at[i]) == NULL)
			return hf_fail_at(err, HF_E_PARSE, r->wanted.at[i].pos,
				"%s is not pinned by " REQUIRE_LOCK
				" as it is asked for: run holdfast release lock %s",
				require_title(r->arena, &r->wanted.at[i]), r->base);
	for (size_t i = 0; i < locked->n; i++) {
		bool wanted = locked->at[i].needed;
		for (size_t k = 0; k < r->wanted.n && !wanted; k++)
			wanted = lock_find(locked, &r->wanted.at[k]) == &locked->at[i];
		if (!wanted)
			return hf_fail_at(err, HF_E_PARSE, locked->at[i].pos,
				"%s is pinned, and no requirements.yml names it: run holdfast release lock "
				"%s",
				require_title(r->arena, &locked->at[i]), r->base);
	}
	return 0;
}

/* --- the view --- */

static int temp_make(struct require *r, struct hf_error *err)
{
	const char *temp = getenv("TMPDIR");
	char *folder = hf_sprintf(r->arena, "%s/holdfast-require-XXXXXX", temp == NULL ? "/tmp" : temp);
	if (mkdtemp(folder) == NULL)
		return hf_fail_errno(err, HF_E_IO, "make a folder in %s", temp == NULL ? "/tmp" : temp);
	r->temp = folder;
	return 0;
}

/* A folder of the view that was a link becomes one of links, to what the folder of the tree holds. */
static int folder_open(struct require *r, const char *view, const char *below, struct hf_error *err)
{
	struct hf_arena *a = r->arena;
	const char *shown = hf_path_join(a, view, below), *from = hf_path_join(a, r->folder, below);
	struct stat st;
	bool there = lstat(shown, &st) == 0;
	if (there && S_ISDIR(st.st_mode))
		return 0;
	if (there && unlink(shown) < 0)
		return hf_fail_errno(err, HF_E_IO, "remove %s", shown);
	int result = hf_fs_mkdirs(shown, 0755, err);
	hf_auto_dir dir = result < 0 ? NULL : opendir(from);
	for (struct dirent *e; result == 0 && dir != NULL && (e = readdir(dir)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (symlink(hf_path_join(a, from, e->d_name), hf_path_join(a, shown, e->d_name)) < 0)
			result = hf_fail_errno(err, HF_E_IO, "link %s", e->d_name);
	}
	return result;
}

static int view_place(struct require *r, const char *view, const struct requirement *q, struct hf_error *err)
{
	struct hf_arena *a = r->arena;
	const char *place = require_place(a, q);
	int result = folder_open(r, view, "", err);
	for (const char *slash = strchr(place, '/'); result == 0 && slash != NULL;
		slash = strchr(slash + 1, '/'))
		result = folder_open(r, view, hf_strndup(a, place, (size_t)(slash - place)), err);
	if (result == 0 && symlink(q->folder, hf_path_join(a, view, place)) < 0)
		result = hf_fail_errno(err, HF_E_IO, "place %s", place);
	return result;
}

int require_view(
	void *data, struct hf_arena *a, const char *folder, struct hf_tree_view *ret, struct hf_error *err)
{
	struct require *r = data;
	struct requirements locked;
	hf_auto_free char *real = realpath(folder, NULL);
	r->arena = a;
	r->folder = real == NULL ? folder : hf_strdup(a, real);
	int result = require_read(r, err);
	if (result == 0)
		result = require_lock_read(r, &locked, err);
	if (result == 0)
		result = lock_fits(r, &locked, err);
	if (result < 0 || locked.n == 0)
		return result;
	result = temp_make(r, err);
	const char *view = r->temp == NULL ? NULL : hf_sprintf(a, "%s/view", r->temp);
	for (size_t i = 0; i < locked.n && result == 0; i++) {
		result = require_fetch(r, &locked.at[i], err);
		if (result == 0)
			result = view_place(r, view, &locked.at[i], err);
	}
	if (result < 0)
		return result;
	const char **within = hf_new_array(a, 3, const char *);
	within[0] = r->folder;
	within[1] = r->temp;
	*ret = (struct hf_tree_view){ view, within };
	return 0;
}

void require_done(struct require *r)
{
	struct hf_error ignored; /* a folder left in TMPDIR is less than what there is to tell */
	if (r->temp != NULL)
		(void)!hf_fs_remove_tree(r->temp, &ignored);
	r->temp = NULL;
}

/* --- release lock --- */

struct lock_params {
	struct release_base base;
	const char *galaxy;
};
static const struct cli_option lock_options[] = {
	{ "galaxy-server", 0, "URL",
		"where roles and collections known by name come from [ANSIBLE_GALAXY_SERVER]" },
	RELEASE_JSON,
	{ NULL },
};

static int lock_tell(const struct lock_params *p, const struct requirements *locked, struct hf_arena *a,
	struct hf_error *err)
{
	struct hf_value *list = hf_value_list(a);
	for (size_t i = 0; i < locked->n; i++) {
		const struct requirement *q = &locked->at[i];
		const char *pin = q->commit != NULL ? q->commit : q->sha256 != NULL ? q->sha256 : q->tree;
		struct hf_value *v = hf_value_dict(a);
		if (!p->base.json)
			printf("%-10s %-32s %s  %.12s\n", kinds[q->kind], q->name,
				q->resolved != NULL ? q->resolved : q->version, pin);
		hf_dict_put(v, "kind", hf_value_cstr(a, kinds[q->kind]));
		hf_dict_put(v, "name", hf_value_cstr(a, q->name));
		hf_dict_put(v, "version", hf_value_cstr(a, q->resolved != NULL ? q->resolved : q->version));
		hf_dict_put(v, "pin", hf_value_cstr(a, pin));
		hf_list_append(list, v);
	}
	return p->base.json ? release_print_json(list, err) : 0;
}

static int lock_run(struct hf_arena *a, const struct lock_params *p, struct hf_error *err)
{
	const char *folder = p->base.words.at[0];
	struct require r = { .arena = a, .folder = folder, .base = folder, .galaxy = p->galaxy };
	struct requirements locked = { 0 };
	if (!hf_fs_is_dir(folder))
		return hf_fail(err, HF_E_NOT_FOUND, "there is no folder %s", folder);
	int result = require_read(&r, err);
	if (result == 0)
		result = temp_make(&r, err);
	/* What is fetched may need more: the list grows. */
	for (size_t i = 0; i < r.wanted.n && result == 0; i++) {
		struct requirement q = r.wanted.at[i];
		result = require_fetch(&r, &q, err);
		if (result == 0 && !hf_fs_is_dir(hf_path_join(a, folder, require_place(a, &q))))
			*hf_vec_push(a, &locked) = q;
	}
	require_done(&r);
	if (result == 0)
		result = require_lock_write(&r, &locked, err);
	return result < 0 ? result : lock_tell(p, &locked, a, err);
}

static int lock_start(
	struct cli_call *call, int (*run)(struct hf_arena *, const struct lock_params *, struct hf_error *))
{
	struct hf_error err;
	struct lock_params p = { 0 };
	const char *set = getenv("ANSIBLE_GALAXY_SERVER");
	release_base_read(call, &p.base);
	p.galaxy = cli_value(call, "galaxy-server", set == NULL || *set == '\0' ? NULL : set);
	return release_status(call, run(call->arena, &p, &err), &err);
}

RELEASE_COMMAND("release lock", release_lock, lock_start, lock, 1, 1, "FOLDER",
	"pin the roles and collections that requirements.yml names");
