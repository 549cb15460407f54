/* Going back: the steps of a record in reverse order. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/state.h"
#include "lib/engine/undo.h"

enum { CONTENT_MAX = 1 << 30, REPORT_MAX = 1800, XATTR_VALUE_MAX = 65536 };

static int remove_present(const char *path, struct hf_error *err)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : hf_fail_errno(err, HF_E_IO, "stat %s", path);
	if (S_ISDIR(st.st_mode) ? rmdir(path) < 0 : unlink(path) < 0)
		return hf_fail_errno(err, HF_E_IO, "remove %s", path);
	return 0;
}

static int clear_other_kind(const char *path, mode_t kind, struct hf_error *err)
{
	struct stat st;
	if (lstat(path, &st) < 0 || (st.st_mode & S_IFMT) == kind)
		return 0;
	return S_ISDIR(st.st_mode) ? hf_fs_remove_tree(path, err) : remove_present(path, err);
}

static int restore_content(struct hf_arena *a, const struct hf_value *step, const char *path,
	const char *blobs, struct hf_error *err)
{
	const char *blob = hf_dict_cstr(step, "blob", NULL);
	if (blob == NULL)
		return hf_fail(err, HF_E_NOT_FOUND, "the content of %s was not kept", path);
	struct hf_str content;
	int r = hf_fs_read(a, hf_sprintf(a, "%s/%.2s/%s", blobs, blob, blob), CONTENT_MAX, &content, err);
	if (r < 0)
		return r;
	struct hf_digest want, got = hf_sha256(content);
	if (!hf_digest_parse(hf_str(blob), &want) || !hf_digest_equal(&want, &got))
		return hf_fail(err, HF_E_TRUST, "what was kept of %s is damaged", path);
	struct hf_fs_attr attr = { (mode_t)hf_dict_int(step, "mode", 0600),
		(uid_t)hf_dict_int(step, "uid", 0), (gid_t)hf_dict_int(step, "gid", 0), true };
	return hf_fs_replace(path, content, attr, err);
}

static int restore_xattrs(
	struct hf_arena *a, const struct hf_value *step, const char *path, struct hf_error *err)
{
	const struct hf_value *all = hf_dict_get(step, "xattrs");
	char *names = hf_alloc(a, XATTR_VALUE_MAX);
	ssize_t n = llistxattr(path, names, XATTR_VALUE_MAX);
	for (char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
		if (all == NULL || hf_dict_get(all, name) == NULL)
			(void)lremovexattr(path, name);
	}
	if (all == NULL)
		return 0;
	HF_DICT_EACH (all, e) {
		struct hf_str hex = hf_entry_value(e)->u.string;
		unsigned char *value = hf_alloc(a, hex.n / 2 + 1);
		if (!hf_unhex(hex, value, hex.n / 2))
			return hf_fail(err, HF_E_PARSE, "xattr of %s is damaged", path);
		if (lsetxattr(path, hf_entry_key(e)->u.string.p, value, hex.n / 2, 0) < 0)
			return hf_fail_errno(err, HF_E_IO, "set %s of %s", hf_entry_key(e)->u.string.p, path);
	}
	return 0;
}

static int restore_meta(
	struct hf_arena *a, const struct hf_value *step, const char *path, bool is_link, struct hf_error *err)
{
	if (lchown(path, (uid_t)hf_dict_int(step, "uid", 0), (gid_t)hf_dict_int(step, "gid", 0)) < 0)
		return hf_fail_errno(err, HF_E_IO, "chown %s", path);
	if (!is_link && chmod(path, (mode_t)hf_dict_int(step, "mode", 0)) < 0)
		return hf_fail_errno(err, HF_E_IO, "chmod %s", path);
	int r = restore_xattrs(a, step, path, err);
	if (r < 0)
		return r;
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = hf_dict_int(step, "mtime", 0), .tv_nsec = (long)hf_dict_int(step, "nsec", 0) } };
	if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) < 0)
		return hf_fail_errno(err, HF_E_IO, "set times of %s", path);
	return 0;
}

static int make_link(const struct hf_value *step, const char *path, struct hf_error *err)
{
	const char *target = hf_dict_cstr(step, "target", "");
	if (remove_present(path, err) < 0)
		return -(int)err->code;
	return symlink(target, path) < 0 ? hf_fail_errno(err, HF_E_IO, "link %s", path) : 0;
}

static int make_node(const struct hf_value *step, const char *path, mode_t kind, struct hf_error *err)
{
	struct stat st;
	if (lstat(path, &st) == 0)
		return 0;
	if (mknod(path, kind | 0600, (dev_t)hf_dict_int(step, "rdev", 0)) < 0)
		return hf_fail_errno(err, HF_E_IO, "mknod %s", path);
	return 0;
}

static int restore_file(
	struct hf_arena *a, const struct hf_value *step, const char *blobs, struct hf_error *err)
{
	static const struct {
		const char *name;
		mode_t kind;
	} kinds[] = { { "file", S_IFREG }, { "dir", S_IFDIR }, { "link", S_IFLNK }, { "fifo", S_IFIFO },
		{ "char", S_IFCHR }, { "block", S_IFBLK } };
	const char *path = hf_dict_cstr(step, "path", NULL), *name = hf_dict_cstr(step, "kind", "");
	if (path == NULL)
		return hf_fail(err, HF_E_PARSE, "a step without a path");
	if (strcmp(name, "absent") == 0)
		return remove_present(path, err);
	mode_t kind = 0;
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			kind = kinds[i].kind;
	}
	if (kind == 0)
		return hf_fail(err, HF_E_UNSUPPORTED, "%s was a %s", path, name);
	int r = clear_other_kind(path, kind, err);
	if (r == 0)
		r = hf_fs_mkdirs(hf_path_dir(a, path), 0755, err);
	if (r < 0)
		return r;
	if (kind == S_IFREG)
		r = restore_content(a, step, path, blobs, err);
	else if (kind == S_IFDIR)
		r = hf_fs_mkdirs(path, 0700, err);
	else if (kind == S_IFLNK)
		r = make_link(step, path, err);
	else
		r = make_node(step, path, kind, err);
	return r < 0 ? r : restore_meta(a, step, path, kind == S_IFLNK, err);
}

/* --- trees: what was not there goes, what was there comes back, directories get their times last --- */

struct paths {
	const char **at;
	size_t n, room;
};

struct extras {
	struct hf_map known;
	struct hf_arena *arena;
	struct paths paths;
};

static int note_extra(void *data, const char *path, const char *relative HF_UNUSED,
	const struct stat *st HF_UNUSED, struct hf_error *err HF_UNUSED)
{
	struct extras *x = data;
	if (hf_map_get(&x->known, path) == NULL)
		*hf_vec_push(x->arena, &x->paths) = hf_strdup(x->arena, path);
	return 0;
}

static int restore_tree(
	struct hf_arena *a, const struct hf_value *step, const char *blobs, struct hf_error *err)
{
	const struct hf_value *entries = hf_dict_get(step, "entries");
	const char *path = hf_dict_cstr(step, "path", NULL);
	if (path == NULL || !hf_is(entries, HF_LIST))
		return hf_fail(err, HF_E_PARSE, "a tree step without entries");
	struct extras x = { .arena = a };
	hf_map_init_str(&x.known, a);
	for (size_t i = 0; i < hf_list_len(entries); i++)
		hf_map_set(
			&x.known, hf_dict_cstr(hf_list_at(entries, i), "path", ""), hf_list_at(entries, i));
	int r = hf_fs_is_dir(path) ? hf_fs_walk(path, note_extra, &x, err) : 0;
	for (size_t i = x.paths.n; r == 0 && i > 0; i--)
		r = remove_present(x.paths.at[i - 1], err);
	for (size_t i = 0; r == 0 && i < hf_list_len(entries); i++)
		r = restore_file(a, hf_list_at(entries, i), blobs, err);
	for (size_t i = hf_list_len(entries); r == 0 && i > 0; i--) {
		const struct hf_value *one = hf_list_at(entries, i - 1);
		if (strcmp(hf_dict_cstr(one, "kind", ""), "dir") == 0)
			r = restore_meta(a, one, hf_dict_cstr(one, "path", ""), false, err);
	}
	return r;
}

static int restore_module(struct hf_arena *a, const struct hf_module_registry *registry,
	const struct hf_value *record, const struct hf_value *step, const struct hf_run_hooks *hooks,
	struct hf_error *err)
{
	const char *name = hf_dict_cstr(record, "module", "");
	const struct hf_module *m = hf_module_find(registry, name);
	if (m == NULL || m->restore == NULL)
		return hf_fail(err, HF_E_UNSUPPORTED, "module %s cannot take it back", name);
	/* restore() runs outside any playbook: a run without plays gives it arena, environment and deadline.
	 */
	struct hf_run_options options = { .registry = registry, .hooks = hooks };
	struct hf_run *run = hf_new(a, struct hf_run);
	struct hf_host *host = hf_new(a, struct hf_host);
	struct hf_node *node = hf_new(a, struct hf_node);
	struct hf_play *play = hf_new(a, struct hf_play);
	struct hf_task *t = hf_new(a, struct hf_task);
	run->arena = a;
	run->options = &options;
	run->hooks = hooks;
	run->secrets = hf_value_list(a);
	run->loader.base = "/";
	host->name = "localhost";
	hf_vars_host(run, host);
	node->play = play;
	*t = (struct hf_task){
		.run = run, .node = node, .host = host, .arena = a, .title = "rollback", .module = m
	};
	t->result = hf_value_dict(a);
	const struct hf_value *inner = hf_dict_get(step, "step");
	return m->restore((struct hf_module_context *)t, inner == NULL ? step : inner, err);
}

int hf_run_undo(const struct hf_module_registry *registry, const struct hf_value *record, const char *blobs,
	const struct hf_run_hooks *hooks, struct hf_error *err)
{
	const struct hf_value *steps = hf_dict_get(record, "steps");
	if (!hf_is(steps, HF_LIST))
		return hf_fail(err, HF_E_PARSE, "an undo record without steps");
	hf_auto_buf failures = hf_buf_init(REPORT_MAX);
	for (size_t i = hf_list_len(steps); i > 0; i--) {
		hf_auto_arena a = hf_arena_new();
		const struct hf_value *step = hf_list_at(steps, i - 1);
		const char *what = hf_dict_cstr(step, "do", "");
		struct hf_error own;
		int r;
		if (strcmp(what, "file") == 0)
			r = restore_file(a, step, blobs, &own);
		else if (strcmp(what, "tree") == 0)
			r = restore_tree(a, step, blobs, &own);
		else if (strcmp(what, "module") == 0)
			r = restore_module(a, registry, record, step, hooks, &own);
		else
			r = hf_fail(&own, HF_E_UNSUPPORTED, "%s",
				hf_dict_cstr(step, "reason", "an unknown step"));
		if (r < 0)
			hf_buf_printf(&failures, "%s%s", failures.n == 0 ? "" : "; ", own.text);
	}
	if (failures.n > 0 || failures.failed)
		return hf_fail(err, HF_E_TASK, "%s: not restored: %s",
			hf_dict_cstr(record, "title", "resource"),
			failures.p == NULL ? "too much to list" : failures.p);
	return 0;
}
