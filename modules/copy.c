#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "modules/copy_work.h"

enum { CONTENT_MAX = 64 << 20 };

static const struct hf_arg copy_args[] = {
	{ "src", HF_ARG_PATH, offsetof(struct hf_copy_params, src),
		.help = "File or directory of the release, or of this host with remote_src." },
	{ "content", HF_ARG_RAW, offsetof(struct hf_copy_params, content), HF_NO_LOG,
		.help = "The file's content, instead of src." },
	{ "dest", HF_ARG_PATH, offsetof(struct hf_copy_params, dest), HF_REQUIRED, .help = "Where it goes." },
	{ "backup", HF_ARG_BOOL, offsetof(struct hf_copy_params, backup), .dflt = "false",
		.help = "Keep a dated copy of the file that is replaced." },
	{ "force", HF_ARG_BOOL, offsetof(struct hf_copy_params, force), .dflt = "true",
		.help = "Replace a file with other content; no leaves whatever exists." },
	{ "validate", HF_ARG_STR, offsetof(struct hf_copy_params, validate),
		.help = "Command that must accept the new file, named by %s." },
	{ "directory_mode", HF_ARG_MODE, offsetof(struct hf_copy_params, directory_mode),
		.help = "Mode of directories that are made." },
	{ "remote_src", HF_ARG_BOOL, offsetof(struct hf_copy_params, remote_src), .dflt = "false",
		.help = "src is a path of this host." },
	{ "local_follow", HF_ARG_BOOL, offsetof(struct hf_copy_params, local_follow),
		.help = "Copy what links in a source directory lead to." },
	{ "follow", HF_ARG_BOOL, offsetof(struct hf_copy_params, follow), .dflt = "false",
		.help = "Where dest is a link, write what it leads to." },
	{ "checksum", HF_ARG_STR, offsetof(struct hf_copy_params, checksum),
		.help = "SHA-1 that src must have." },
	{ "decrypt", HF_ARG_BOOL, offsetof(struct hf_copy_params, decrypt), .dflt = "true",
		.help = "Decrypt a vaulted src." },
	HF_FILE_ATTR_ARGS(struct hf_copy_params, attr),
	{ .type = HF_ARG_END },
};

/* content as bytes: text as it is, containers as JSON. */
static int content_text(struct hf_copy_work *w, struct hf_str *ret)
{
	const struct hf_value *v = w->p->content;
	struct hf_arena *a = hf_task_arena(w->c);
	if (!hf_is(v, HF_DICT) && !hf_is_sequence(v)) {
		*ret = hf_value_text(a, v);
		return 0;
	}
	hf_auto_buf out = hf_buf_init(CONTENT_MAX);
	int result = hf_json_write(&out, v, &HF_JSON_PYTHON, w->err);
	if (result == 0)
		result = hf_buf_check(&out, "content", w->err);
	if (result == 0)
		*ret = hf_buf_dup(a, &out);
	return result;
}

/* A vaulted file starts with this; only such a file is read whole to be decrypted, the rest is streamed. */
static bool source_vaulted(const char *path)
{
	static const char mark[] = "$ANSIBLE_VAULT;";
	char head[sizeof(mark) - 1];
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd >= 0 && read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
	       memcmp(head, mark, sizeof(head)) == 0;
}

static int source_load(struct hf_copy_work *w, const char *path)
{
	struct hf_copy_source *s = &w->source;
	bool secret = false;
	*s = (struct hf_copy_source){ .path = path, .shown = path };
	if (w->p->remote_src != HF_YES && w->p->decrypt == HF_YES && source_vaulted(path)) {
		int result = hf_task_read(w->c, path, false, &s->data, &secret, w->err);
		if (result < 0)
			return result;
		s->in_memory = true;
	}
	return hf_copy_work_source(w, s);
}

static int checksum_refused(struct hf_copy_work *w)
{
	if (w->p->checksum == NULL || *w->p->checksum == '\0' || strcmp(w->p->checksum, w->source.sha1) == 0)
		return 0;
	hf_result_cstr(w->c, w->change, "checksum", w->source.sha1);
	hf_result_cstr(w->c, w->change, "expected_checksum", w->p->checksum);
	return hf_fail(
		w->err, HF_E_TASK, "Copied file does not match the expected checksum. Transfer failed.");
}

static int copy_content(struct hf_copy_work *w)
{
	if (!w->touch) {
		w->source = (struct hf_copy_source){ .in_memory = true };
		int result = content_text(w, &w->source.data);
		if (result == 0)
			result = hf_copy_work_source(w, &w->source);
		if (result < 0)
			return result;
	}
	int result = checksum_refused(w);
	return result < 0 ? result
			  : hf_copy_work_file(w, &w->source, NULL, w->p->dest, w->p->follow == HF_YES);
}

static int copy_remote(struct hf_copy_work *w)
{
	const char *src = w->p->src;
	struct stat st;
	if (stat(src, &st) < 0)
		return hf_fail(w->err, HF_E_TASK, "Source %s not found", src);
	if (access(src, R_OK) < 0)
		return hf_fail(w->err, HF_E_TASK, "Source %s not readable", src);
	if (S_ISDIR(st.st_mode))
		return hf_copy_remote_tree(w, src, w->p->dest);
	if (!S_ISREG(st.st_mode))
		return hf_fail(w->err, HF_E_TASK, "Cannot copy invalid source '%s': not a file", src);
	int result = w->touch ? 0 : source_load(w, src);
	if (result == 0)
		result = checksum_refused(w);
	return result < 0 ? result
			  : hf_copy_work_file(
				    w, &w->source, hf_path_base(src), w->p->dest, w->p->follow == HF_YES);
}

static int copy_release(struct hf_copy_work *w)
{
	char *path;
	int result = hf_task_find(w->c, "files", w->p->src, &path, w->err);
	if (result < 0)
		return result;
	if (hf_fs_is_dir(path)) {
		size_t n = strlen(w->p->src);
		bool inside = w->p->src[n - 1] == '/';
		size_t m = strlen(path);
		while (m > 1 && path[m - 1] == '/')
			m--;
		return hf_copy_tree(
			w, hf_sprintf(hf_task_arena(w->c), "%.*s%s", (int)m, path, inside ? "/" : ""));
	}
	result = w->touch ? 0 : source_load(w, path);
	if (result == 0)
		result = checksum_refused(w);
	return result < 0 ? result
			  : hf_copy_work_file(
				    w, &w->source, hf_path_base(path), w->p->dest, w->p->follow == HF_YES);
}

static int copy_step(struct hf_copy_work *w)
{
	const struct hf_copy_params *p = w->p;
	bool has_src = p->src != NULL && *p->src != '\0',
	     has_content = p->content != NULL && !hf_is(p->content, HF_NULL);
	if (!has_src && !has_content)
		return hf_fail(w->err, HF_E_TASK, "src (or content) is required");
	if (*p->dest == '\0')
		return hf_fail(w->err, HF_E_TASK, "dest is required");
	if (has_src && has_content)
		return hf_fail(w->err, HF_E_TASK, "src and content are mutually exclusive");
	if (has_content && p->dest[strlen(p->dest) - 1] == '/')
		return hf_fail(w->err, HF_E_TASK, "can not use content with a dir as dest");
	if (has_content)
		return copy_content(w);
	return p->remote_src == HF_YES ? copy_remote(w) : copy_release(w);
}

static int copy_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct hf_copy_work *w = hf_copy_work_new(c, params, change, err);
	return hf_copy_work_end(w, copy_step(w));
}

static int copy_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct hf_copy_work *w = change->state;
	w->err = err;
	w->touch = true;
	return hf_copy_work_end(w, copy_step(w));
}

static int copy_inputs(
	struct hf_module_context *c, const void *params, struct hf_inputs *inputs, struct hf_error *err)
{
	const struct hf_copy_params *p = params;
	if (p->src != NULL && p->remote_src != HF_YES)
		hf_input_source(c, inputs, "files", p->src);
	return 0;
}

const struct hf_module hf_module_copy = {
	.name = "copy",
	.collection = "ansible.builtin",
	.schema = { copy_args, NULL, sizeof(struct hf_copy_params) },
	.inputs = copy_inputs,
	.check = copy_check,
	.apply = copy_apply,
	.undo = hf_copy_work_undo,
	.watch = hf_copy_work_watch,
};
