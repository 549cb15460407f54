#include <errno.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "modules/file_content.h"

/* fetch: a file of this host, kept below a directory; controller and host are one here. */
struct params {
	const char *src, *dest;
	enum hf_tristate flat, fail_on_missing, validate_checksum;
};

static const struct hf_arg args[] = {
	{ "src", HF_ARG_STR, offsetof(struct params, src), HF_REQUIRED, .help = "File to fetch." },
	{ "dest", HF_ARG_STR, offsetof(struct params, dest), HF_REQUIRED,
		.help = "Directory to keep it in, as dest/HOST/src; with flat the file or directory/ "
			"itself." },
	{ "flat", HF_ARG_BOOL, offsetof(struct params, flat), .dflt = "false",
		.help = "Do not add host and path." },
	{ "fail_on_missing", HF_ARG_BOOL, offsetof(struct params, fail_on_missing), .dflt = "true",
		.help = "Fail when src does not exist." },
	{ "validate_checksum", HF_ARG_BOOL, offsetof(struct params, validate_checksum), .dflt = "true",
		.help = "Compare the bytes afterwards." },
	{ .type = HF_ARG_END },
};

/* Why src cannot be fetched. */
static int fetch_missing(struct hf_module_context *c, const struct params *p, const char *src,
	const char *message, struct hf_change *change, struct hf_error *err)
{
	if (p->fail_on_missing == HF_YES)
		return hf_fail(err, HF_E_TASK, "%s", message);
	hf_result_cstr(c, change, "file", src);
	hf_result_cstr(c, change, "msg", message);
	return 0;
}

static int fetch_dest(struct hf_module_context *c, const struct params *p, const char *src, char **ret,
	struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *dest = hf_path_expand_user(a, p->dest, NULL);
	size_t n = strlen(dest);
	if (p->flat == HF_YES) {
		bool slash = n > 0 && dest[n - 1] == '/';
		if (hf_fs_is_dir(dest) && !slash)
			return hf_fail(err, HF_E_TASK,
				"dest is an existing directory, use a trailing slash if you "
				"want to fetch src into that directory");
		dest = hf_path_join(
			a, hf_task_dir(c), slash ? hf_path_join(a, dest, hf_path_base(src)) : dest);
		if (slash && hf_fs_is_dir(dest))
			return hf_fail(err, HF_E_TASK,
				"calculated dest '%s' is an existing directory, use another path "
				"that does not point to an existing directory",
				dest);
		*ret = hf_path_normalize(a, dest);
		return 0;
	}
	struct hf_value *host;
	int result = hf_task_evaluate(c, HF_STR("inventory_hostname"), &host, err);
	if (result < 0)
		return result;
	*ret = hf_path_normalize(a, hf_sprintf(a, "%s/%s/%s", hf_path_join(a, hf_task_dir(c), dest),
					    hf_value_text(a, host).p, src));
	return 0;
}

static int put_hash(struct hf_module_context *c, struct hf_change *change, const char *key,
	const char *algorithm, const char *path, struct hf_error *err)
{
	char hex[HF_DIGEST_HEX_MAX];
	int result = hf_hash_file_hex(algorithm, path, hex, err);
	if (result == 0)
		hf_result_cstr(c, change, key, hex);
	return result;
}

static int fetch_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	if (hf_task_check_mode(c)) {
		change->skipped = true;
		hf_result_cstr(c, change, "msg", "check mode not (yet) supported for this module");
		return 0;
	}
	const char *given = hf_path_expand_user(a, p->src, NULL),
		   *src = hf_path_join(a, hf_task_dir(c), given);
	if (hf_fs_is_dir(src))
		return fetch_missing(c, p, src,
			"remote file is a directory, fetch cannot work on directories", change, err);
	if (!hf_fs_exists(src))
		return fetch_missing(
			c, p, src, "the remote file does not exist, not transferring, ignored", change, err);
	char *dest = NULL;
	int result = fetch_dest(c, p, given, &dest, err);
	if (result < 0)
		return result;
	change->state = dest;
	change->changed = !hf_file_content_same_file(dest, src);
	hf_result_cstr(c, change, "dest", dest);
	result = put_hash(c, change, "md5sum", "md5", src, err);
	if (result == 0)
		result = put_hash(c, change, "checksum", "sha1", src, err);
	if (result == 0 && change->changed) {
		result = put_hash(c, change, "remote_checksum", "sha1", src, err);
		hf_result_put(c, change, "remote_md5sum", hf_value_null(a));
	} else if (result == 0) {
		hf_result_cstr(c, change, "file", given);
	}
	return result;
}

static int fetch_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	const char *dest = change->state;
	const char *src = hf_path_join(a, hf_task_dir(c), hf_path_expand_user(a, p->src, NULL));
	int result = hf_fs_mkdirs(hf_path_dir(a, dest), 0777, err);
	if (result < 0)
		return result;
	struct hf_file_attr none = { 0 };
	struct hf_file_content f = { .path = dest, .source = src, .attr = &none };
	result = hf_file_content_write(c, change, &f, err);
	if (result == 0 && p->validate_checksum == HF_YES && !hf_file_content_same_file(dest, src))
		return hf_fail(err, HF_E_TASK, "checksum mismatch");
	return result;
}

static int fetch_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	int result =
		hf_file_undo_new(undo, hf_task_arena(c), hf_path_dir(hf_task_arena(c), change->state), err);
	return result < 0 ? result : hf_undo_file(undo, change->state, err);
}

const struct hf_module hf_module_fetch = {
	.name = "fetch",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF | HF_MODULE_LOOSE_ARGS,
	.check = fetch_check,
	.apply = fetch_apply,
	.undo = fetch_undo,
};
