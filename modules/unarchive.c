#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/cmdline.h"
#include "modules/file_content.h"

#include "modules/unarchive_work.h"
#include "modules/web.h"

static const struct hf_arg args[] = {
	{ "src", HF_ARG_PATH, offsetof(struct hf_unarchive_params, src), HF_REQUIRED,
		.help = "Archive of the release; of this host, or a URL, with remote_src." },
	{ "dest", HF_ARG_PATH, offsetof(struct hf_unarchive_params, dest), HF_REQUIRED,
		.help = "Existing directory to unpack in." },
	{ "remote_src", HF_ARG_BOOL, offsetof(struct hf_unarchive_params, remote_src), .dflt = "false",
		.help = "src is a path of this host." },
	{ "copy", HF_ARG_BOOL, offsetof(struct hf_unarchive_params, copy),
		.help = "The opposite of remote_src." },
	{ "creates", HF_ARG_PATH, offsetof(struct hf_unarchive_params, creates),
		.help = "Skip when this path exists." },
	{ "list_files", HF_ARG_BOOL, offsetof(struct hf_unarchive_params, list_files), .dflt = "false",
		.help = "Return the members' names as files." },
	{ "exclude", HF_ARG_LIST, offsetof(struct hf_unarchive_params, exclude), .elements = HF_ARG_STR,
		.help = "Members to leave out; patterns." },
	{ "include", HF_ARG_LIST, offsetof(struct hf_unarchive_params, include), .elements = HF_ARG_STR,
		.help = "The only members to take, by whole name or folder; patterns in a zip or with "
			"--wildcards. Each must be there." },
	{ "keep_newer", HF_ARG_BOOL, offsetof(struct hf_unarchive_params, keep_newer), .dflt = "false",
		.help = "Leave files that are newer than the archive's." },
	{ "extra_opts", HF_ARG_LIST, offsetof(struct hf_unarchive_params, extra_opts), .elements = HF_ARG_STR,
		.help = "tar: --strip-components, --exclude, --[no-]same-owner, --[no-]same-permissions; "
			"unzip: -j." },
	{ "decrypt", HF_ARG_BOOL, offsetof(struct hf_unarchive_params, decrypt), .dflt = "true",
		.help = "Decrypt a vaulted archive." },
	{ "validate_certs", HF_ARG_BOOL, offsetof(struct hf_unarchive_params, validate_certs), .dflt = "true",
		.help = "Check the server's certificate when src is a URL." },
	{ "io_buffer_size", HF_ARG_INT, offsetof(struct hf_unarchive_params, io_buffer_size), .dflt = "65536",
		.help = "Accepted; the size of reads is fixed." },
	HF_FILE_ATTR_ARGS(struct hf_unarchive_params, attr),
	{ .type = HF_ARG_END },
};
static const char *const exclusive[] = { "include", "exclude", NULL };
static const char *const either[] = { "copy", "remote_src", NULL };
static const struct hf_rule rules[] = { { HF_RULE_EXCLUSIVE, exclusive }, { HF_RULE_EXCLUSIVE, either },
	{ HF_RULE_END } };

static bool is_vaulted(struct hf_str text)
{
	return hf_str_starts(text, "$ANSIBLE_VAULT;");
}

/* A vaulted archive of the release, decrypted beside nothing of the host's: in a directory of this task. */
static int source_release(struct hf_unarchive *u)
{
	struct hf_arena *a = hf_task_arena(u->c);
	char *path, *dir;
	struct hf_str head;
	bool secret;
	int result = hf_task_find(u->c, "files", u->p->src, &path, u->err);
	if (result < 0)
		return result;
	u->archive = path;
	struct hf_error ignored;
	bool small = hf_fs_read(a, path, 1 << 24, &head, &ignored) == 0;
	if (!small || !is_vaulted(head) || u->p->decrypt != HF_YES)
		return 0;
	result = hf_task_read(u->c, path, false, &head, &secret, u->err);
	if (result == 0)
		result = hf_cmdline_temp_dir(a, "unarchive", &dir, u->err);
	if (result < 0)
		return result;
	u->archive = hf_path_join(a, dir, "source");
	return hf_fs_replace(
		u->archive, head, (struct hf_fs_attr){ 0600, HF_KEEP_UID, HF_KEEP_GID, false }, u->err);
}

static int source_host(struct hf_unarchive *u)
{
	u->archive = u->p->src;
	if (hf_fs_exists(u->archive))
		return 0;
	if (strstr(u->archive, "://") == NULL)
		return hf_fail(u->err, HF_E_TASK, "Source '%s' does not exist", u->archive);
	struct hf_arena *a = hf_task_arena(u->c);
	char *dir;
	int result = hf_cmdline_temp_dir(a, "unarchive", &dir, u->err);
	if (result < 0)
		return result;
	struct hf_web_request request = { .url = u->p->src,
		.method = "GET",
		.insecure = u->p->validate_certs == HF_NO,
		.follow = HF_WEB_FOLLOW_ALL,
		.file = hf_path_join(a, dir, "source"),
		.timeout_s = 600 };
	struct hf_web_response response;
	result = hf_web_perform(a, &request, &response, u->err);
	u->archive = request.file;
	if (result == 0 && response.status != 200 && response.status != 0)
		return hf_fail(u->err, HF_E_TASK, "Failure downloading %s, HTTP Error %d", u->p->src,
			response.status);
	return result < 0 ? hf_wrap(u->err, "Failure downloading %s", u->p->src) : 0;
}

/* What was fetched or decrypted for this task alone. */
static int source_drop(struct hf_unarchive *u, int outcome)
{
	struct hf_arena *a = hf_task_arena(u->c);
	const char *dir = u->archive != NULL ? hf_path_dir(a, u->archive) : "";
	if (strstr(dir, "/holdfast-unarchive.") == NULL)
		return outcome;
	struct hf_error ignored;
	int removed = hf_fs_remove_tree(dir, outcome < 0 ? &ignored : u->err);
	return outcome < 0 ? outcome : removed;
}

static int source_usable(struct hf_unarchive *u)
{
	struct stat st;
	if (access(u->archive, R_OK) < 0 || stat(u->archive, &st) < 0)
		return hf_fail(u->err, HF_E_TASK, "Source '%s' not readable", u->archive);
	if (st.st_size == 0)
		return hf_fail(u->err, HF_E_TASK, "Invalid archive '%s', the file is 0 bytes", u->archive);
	return 0;
}

static bool looks_zip(const char *path)
{
	struct hf_error unreadable;
	hf_auto_arena scratch = hf_arena_new();
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char head[4];
	(void)unreadable;
	return fd >= 0 && read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
	       memcmp(head, "PK\3\4", 4) == 0;
}

static int unarchive_look(struct hf_unarchive *u)
{
	const struct hf_unarchive_params *p = u->p;
	bool remote = p->copy != HF_UNSET ? p->copy == HF_NO : p->remote_src == HF_YES;
	int result = remote ? 0 : source_release(u);
	if (result == 0 && !hf_fs_is_dir(p->dest))
		result = hf_fail(u->err, HF_E_TASK, "dest '%s' must be an existing dir", p->dest);
	if (result == 0 && remote)
		result = source_host(u);
	if (result == 0)
		result = source_usable(u);
	if (result < 0)
		return result;
	u->dest = hf_file_realpath(hf_task_arena(u->c), p->dest);
	u->zip = looks_zip(u->archive);
	result = hf_unarchive_options(hf_task_arena(u->c), p->extra_opts, u->zip, &u->options, u->err);
	return result < 0 ? result : hf_unarchive_compare(u);
}

static int unarchive_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct hf_unarchive_params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	if (p->creates != NULL && hf_cmdline_glob(a, hf_task_dir(c), p->creates)) {
		change->skipped = true;
		hf_result_cstr(c, change, "msg", hf_sprintf(a, "skipped, since %s exists", p->creates));
		return 0;
	}
	struct hf_unarchive *u = change->state = hf_new(a, struct hf_unarchive);
	*u = (struct hf_unarchive){ .c = c, .p = p, .change = change, .err = err };
	int result = unarchive_look(u);
	if (result < 0)
		return source_drop(u, result);
	change->changed = u->changed;
	hf_result_cstr(c, change, "handler", u->handler != NULL ? u->handler : "TarArchive");
	hf_result_cstr(c, change, "dest", p->dest);
	hf_result_cstr(c, change, "src", p->src);
	if (p->list_files == HF_YES)
		hf_result_put(c, change, "files", u->files);
	if (!u->changed || hf_task_check_mode(c))
		result = source_drop(u, result);
	return hf_file_attr_done(c, change, result);
}

static int unarchive_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct hf_unarchive *u = change->state;
	struct hf_arena *a = hf_task_arena(c);
	u->err = err;
	int result = hf_unarchive_extract(u);
	struct hf_value *done = hf_value_dict(a);
	hf_dict_put(done, "rc", hf_value_int(a, result < 0 ? 1 : 0));
	hf_dict_put(done, "out", hf_value_cstr(a, ""));
	hf_dict_put(done, "err", hf_value_cstr(a, result < 0 ? err->text : ""));
	hf_dict_put(done, "cmd", hf_unarchive_command(u));
	hf_result_put(c, change, "extract_results", done);
	return hf_file_attr_done(c, change, source_drop(u, result));
}

static int unarchive_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct hf_unarchive *u = change->state;
	HF_MAP_EACH (&u->differs, e) {
		int result = hf_undo_file(undo, e->key, err);
		if (result < 0)
			return result;
	}
	return 0;
}

static void unarchive_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct hf_unarchive_params *p = params;
	if (p->creates != NULL)
		hf_watch_path(w, p->creates);
	else
		hf_watch_tree(w, p->dest);
}

static int unarchive_inputs(
	struct hf_module_context *c, const void *params, struct hf_inputs *inputs, struct hf_error *err)
{
	const struct hf_unarchive_params *p = params;
	if (p->remote_src != HF_YES)
		hf_input_source(c, inputs, "files", p->src);
	return 0;
}

const struct hf_module hf_module_unarchive = {
	.name = "unarchive",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct hf_unarchive_params) },
	.flags = HF_MODULE_NO_DIFF,
	.inputs = unarchive_inputs,
	.check = unarchive_check,
	.apply = unarchive_apply,
	.undo = unarchive_undo,
	.watch = unarchive_watch,
};
