#include "modules/userdb.h"

#include <shadow.h>
#include <string.h>

enum { LINES_MAX = 1000000 };

/* The files that hold one line a user, and one line a group. */
static const char *const user_files[] = { "/etc/passwd", "/etc/shadow", "/etc/subuid", "/etc/subgid", NULL };
static const char *const group_files[] = { "/etc/group", "/etc/gshadow", NULL };

static bool line_is(struct hf_str line, const char *name)
{
	size_t n = strlen(name);
	return line.n > n && memcmp(line.p, name, n) == 0 && line.p[n] == ':';
}

/* NAME's line; p is NULL when there is none. */
static struct hf_str line_find(struct hf_arena *a, const char *path, const char *name)
{
	struct hf_str text, line;
	if (hf_fs_read(a, path, HF_EDIT_MAX, &text, NULL) < 0)
		return (struct hf_str){ NULL, 0 };
	while (hf_str_split(&text, '\n', &line))
		if (line_is(line, name))
			return line;
	return (struct hf_str){ NULL, 0 };
}

struct hf_value *hf_userdb_fields(struct hf_arena *a, const char *path, const char *name)
{
	struct hf_str line = line_find(a, path, name), field;
	if (line.p == NULL)
		return NULL;
	struct hf_value *fields = hf_value_list(a);
	while (hf_str_split(&line, ':', &field))
		hf_list_append(fields, hf_value_str(a, field));
	if (line.p != NULL && line.n == 0 && hf_list_len(fields) == 0)
		return NULL;
	return fields;
}

static bool members_have(struct hf_str members, const char *user)
{
	struct hf_str one;
	while (members.n > 0 && hf_str_split(&members, ',', &one))
		if (hf_str_is(one, user))
			return true;
	return false;
}

struct hf_value *hf_userdb_groups(struct hf_arena *a, const char *user)
{
	struct hf_value *groups = hf_value_list(a);
	struct hf_str text, line;
	if (hf_fs_read(a, "/etc/group", HF_EDIT_MAX, &text, NULL) < 0)
		return groups;
	while (hf_str_split(&text, '\n', &line)) {
		struct hf_str rest = line, name, field = HF_STR("");
		if (!hf_str_split(&rest, ':', &name))
			continue;
		for (int i = 0; i < 3 && hf_str_split(&rest, ':', &field); i++)
			if (i == 2 && members_have(field, user))
				hf_list_append(groups, hf_value_str(a, name));
	}
	return groups;
}

static void lines_save(
	struct hf_module_context *c, struct hf_value *step, const char *const *files, const char *name)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *lines = hf_dict_get(step, "lines");
	for (size_t i = 0; files[i] != NULL; i++) {
		struct hf_str line = line_find(a, files[i], name);
		struct hf_value *text = line.p == NULL ? hf_value_null(a) : hf_value_str(a, line);
		bool secret = strstr(files[i], "shadow") != NULL && line.p != NULL;
		if (hf_fs_exists(files[i]))
			hf_dict_put(lines, files[i],
				secret ? hf_value_with_flags(a, text, HF_VALUE_SECRET) : text);
	}
}

void hf_userdb_save(struct hf_module_context *c, struct hf_undo *undo, const char *what, const char *name,
	const char *new_home)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *step = hf_step(c, what);
	hf_dict_put(step, "name", hf_value_cstr(a, name));
	hf_dict_put(step, "lines", hf_value_dict(a));
	if (new_home != NULL)
		hf_dict_put(step, "new_home", hf_value_cstr(a, new_home));
	if (strcmp(what, "user") == 0) {
		lines_save(c, step, user_files, name);
		hf_dict_put(step, "groups", hf_userdb_groups(a, name));
	}
	lines_save(c, step, group_files, name); /* a user's own group comes and goes with it */
	hf_undo_step(undo, step);
}

/* text with NAME's line replaced; NULL value: without it. */
static int line_put(struct hf_arena *a, const char *path, const char *name, const struct hf_value *line,
	struct hf_error *err)
{
	struct hf_str text, rest, one;
	int r = hf_fs_read(a, path, HF_EDIT_MAX, &text, err);
	if (r < 0)
		return r;
	struct hf_buf out = hf_buf_init(HF_EDIT_MAX);
	bool put = !hf_is(line, HF_STRING);
	rest = text;
	while (hf_str_split(&rest, '\n', &one)) {
		bool mine = line_is(one, name);
		if (mine && !put)
			hf_buf_printf(&out, "%.*s\n", HF_STR_ARG(line->u.string));
		put = put || mine;
		if (!mine && (one.n > 0 || rest.n > 0))
			hf_buf_printf(&out, "%.*s\n", HF_STR_ARG(one));
	}
	if (!put)
		hf_buf_printf(&out, "%.*s\n", HF_STR_ARG(line->u.string));
	if (!hf_str_equal(hf_buf_str(&out), text))
		r = hf_fs_replace(path, hf_buf_str(&out), HF_FS_KEEP, err);
	hf_buf_done(&out);
	return r;
}

/* One group line with user in or out of its last field. */
static void member_line(struct hf_buf *out, struct hf_str line, const char *user, bool in)
{
	size_t last = line.n;
	while (last > 0 && line.p[last - 1] != ':')
		last--;
	struct hf_str members = hf_strn(line.p + last, line.n - last), one;
	bool had = members_have(members, user), first = true;
	hf_buf_append(out, line.p, last);
	while (members.n > 0 && hf_str_split(&members, ',', &one)) {
		if (hf_str_is(one, user) && !in)
			continue;
		hf_buf_printf(out, "%s%.*s", first ? "" : ",", HF_STR_ARG(one));
		first = false;
	}
	if (in && !had)
		hf_buf_printf(out, "%s%s", first ? "" : ",", user);
	hf_buf_put(out, '\n');
}

static int members_put(struct hf_arena *a, const char *path, const char *user, const struct hf_value *groups,
	struct hf_error *err)
{
	struct hf_str text, rest, line, name;
	int r = hf_fs_read(a, path, HF_EDIT_MAX, &text, err);
	if (r < 0)
		return r;
	struct hf_buf out = hf_buf_init(HF_EDIT_MAX);
	rest = text;
	while (hf_str_split(&rest, '\n', &line)) {
		struct hf_str copy = line;
		if (line.n == 0 || !hf_str_split(&copy, ':', &name))
			continue;
		member_line(&out, line, user, hf_list_has(groups, hf_str_dup(a, name)));
	}
	if (!hf_str_equal(hf_buf_str(&out), text))
		r = hf_fs_replace(path, hf_buf_str(&out), HF_FS_KEEP, err);
	hf_buf_done(&out);
	return r;
}

int hf_userdb_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *name = hf_step_text(step, "name");
	const struct hf_value *lines = hf_dict_get(step, "lines"), *groups = hf_dict_get(step, "groups");
	if (lckpwdf() < 0)
		return hf_fail_errno(err, HF_E_BUSY, "lock /etc/passwd");
	int r = 0;
	HF_DICT_EACH (lines, e) {
		if (r == 0)
			r = line_put(a, hf_entry_key(e)->u.string.p, name, hf_entry_value(e), err);
	}
	for (size_t i = 0; r == 0 && groups != NULL && group_files[i] != NULL; i++)
		if (hf_fs_exists(group_files[i]))
			r = members_put(a, group_files[i], name, groups, err);
	ulckpwdf();
	const char *home = hf_step_text(step, "new_home");
	if (r == 0 && home[0] == '/')
		r = hf_fs_remove_tree(home, err);
	return r;
}
