#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/engine/regex.h"
#include "modules/text_file.h"

/* assemble: a file made of the files of a directory, in order of their names. */
struct params {
	const char *src, *dest, *delimiter, *regexp, *validate;
	enum hf_tristate backup, remote_src, ignore_hidden, decrypt;
	struct hf_file_attr attr;
};

static const struct hf_arg args[] = {
	{ "src", HF_ARG_PATH, offsetof(struct params, src), HF_REQUIRED,
		.help = "Directory with the fragments." },
	{ "dest", HF_ARG_PATH, offsetof(struct params, dest), HF_REQUIRED, .help = "File to make." },
	{ "delimiter", HF_ARG_STR, offsetof(struct params, delimiter),
		.help = "Text between fragments; \\n is a newline." },
	{ "regexp", HF_ARG_STR, offsetof(struct params, regexp),
		.help = "Only fragments whose name this matches." },
	{ "ignore_hidden", HF_ARG_BOOL, offsetof(struct params, ignore_hidden), .dflt = "false",
		.help = "Leave out names that start with a dot." },
	{ "remote_src", HF_ARG_BOOL, offsetof(struct params, remote_src), .dflt = "true",
		.help = "src is a path of this host; no: of the release." },
	{ "decrypt", HF_ARG_BOOL, offsetof(struct params, decrypt), .dflt = "true",
		.help = "Decrypt vaulted fragments of the release." },
	{ "backup", HF_ARG_BOOL, offsetof(struct params, backup), .dflt = "false",
		.help = "Keep a dated copy of the old file." },
	{ "validate", HF_ARG_STR, offsetof(struct params, validate),
		.help = "Command that must accept the new file, named by %s." },
	HF_FILE_ATTR_ARGS(struct params, attr),
	{ .type = HF_ARG_END },
};

/* Backslash escapes as in a Python bytes literal. */
static struct hf_str delimiter_text(struct hf_arena *a, const char *text)
{
	static const char names[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
	hf_auto_buf out = hf_buf_init(1 << 20);
	while (*text != '\0') {
		const char *name = *text == '\\' && text[1] != '\0' ? strchr(names, text[1]) : NULL;
		unsigned char byte;
		if (name != NULL) {
			hf_buf_put(&out, values[name - names]);
			text += 2;
		} else if (*text == '\\' && text[1] == 'x' && isxdigit((unsigned char)text[2]) &&
			   hf_unhex(hf_strn(text + 2, 2), &byte, 1)) {
			hf_buf_put(&out, (char)byte);
			text += 4;
		} else {
			hf_buf_put(&out, *text++);
		}
	}
	return hf_buf_dup(a, &out);
}

static int name_compare(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

struct names {
	char **at;
	size_t n, room;
};

/* Names of the fragments, sorted. */
static int fragment_names(
	struct hf_arena *a, const struct params *p, const char *dir, struct names *ret, struct hf_error *err)
{
	struct hf_regex *made = NULL;
	int result = p->regexp != NULL ? hf_regex_get(hf_str(p->regexp), 0, &made, err) : 0;
	if (result < 0)
		return hf_wrap(err, "Invalid Regexp in \"%s\"", p->regexp);
	hf_auto_regex re = made;
	hf_auto_dir d = opendir(dir);
	if (d == NULL)
		return hf_fail_errno(err, HF_E_IO, "open directory %s", dir);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		struct hf_regex_match m = { .found = true };
		struct stat st;
		if (re != NULL && hf_regex_exec(a, re, hf_str(e->d_name), 0, HF_REGEX_SEARCH, &m, err) < 0)
			return -HF_E_TASK;
		bool hidden = p->ignore_hidden == HF_YES && e->d_name[0] == '.';
		if (!m.found || hidden || stat(hf_path_join(a, dir, e->d_name), &st) < 0 ||
			!S_ISREG(st.st_mode))
			continue;
		*hf_vec_push(a, ret) = hf_strdup(a, e->d_name);
	}
	if (ret->n > 1)
		qsort(ret->at, ret->n, sizeof(*ret->at), name_compare);
	return 0;
}

static int fragment_read(struct hf_module_context *c, const struct params *p, const char *path,
	struct hf_str *ret, struct hf_error *err)
{
	bool secret;
	if (p->remote_src == HF_YES)
		return hf_fs_read(hf_task_arena(c), path, HF_FILE_TEXT_MAX, ret, err);
	return hf_task_read(c, path, p->decrypt == HF_NO, ret, &secret, err);
}

static int fragments_join(struct hf_module_context *c, const struct params *p, const char *dir,
	struct hf_buf *out, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct names names = { 0 };
	struct hf_str delimiter = p->delimiter != NULL ? delimiter_text(a, p->delimiter) : HF_STR("");
	int result = fragment_names(a, p, dir, &names, err);
	bool newline = false;
	for (size_t i = 0; result == 0 && i < names.n; i++) {
		struct hf_str text;
		result = fragment_read(c, p, hf_path_join(a, dir, names.at[i]), &text, err);
		if (result < 0)
			return result;
		if (newline)
			hf_buf_put(out, '\n');
		if (i > 0 && delimiter.n > 0) {
			hf_buf_add(out, delimiter);
			if (!hf_str_ends(delimiter, "\n"))
				hf_buf_put(out, '\n');
		}
		hf_buf_add(out, text);
		newline = !hf_str_ends(text, "\n");
	}
	return result < 0 ? result : hf_buf_check(out, "the assembled file", err);
}

static int source_dir(struct hf_module_context *c, const struct params *p, char **ret, struct hf_error *err)
{
	*ret = hf_strdup(hf_task_arena(c), p->src);
	int result = p->remote_src == HF_YES ? 0 : hf_task_find(c, "files", p->src, ret, err);
	if (result < 0)
		return result;
	if (!hf_fs_exists(*ret))
		return hf_fail(err, HF_E_TASK, "Source (%s) does not exist", *ret);
	if (!hf_fs_is_dir(*ret))
		return hf_fail(err, HF_E_TASK, "Source (%s) is not a directory", *ret);
	return 0;
}

static int assemble_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_text_edit *e = hf_new(a, struct hf_text_edit);
	*e = (struct hf_text_edit){ .c = c,
		.change = change,
		.attr = &p->attr,
		.validate = p->validate,
		.backup = p->backup == HF_YES,
		.message = "OK",
		.no_attr_words = true,
		.no_parents = true,
		.bare_refusal = p->remote_src == HF_NO };
	char *dir, hex[HF_DIGEST_HEX_MAX];
	/* In check mode the tasks before this one have made no folder. Ansible passes over any assemble
	 * there. */
	if (hf_task_check_mode(c) && hf_task_acts(c) && p->remote_src == HF_YES && !hf_fs_exists(p->src)) {
		change->skipped = true;
		hf_result_cstr(c, change, "msg",
			hf_sprintf(a, "skipped in check mode, as %s is not there yet", p->src));
		return 0;
	}
	int result = source_dir(c, p, &dir, err);
	if (result < 0)
		return result;
	if (p->validate != NULL && strstr(p->validate, "%s") == NULL)
		return hf_fail(err, HF_E_TASK, "validate must contain %%s: %s", p->validate);
	result = hf_text_load(e, p->dest, err);
	if (result < 0)
		return result;
	hf_auto_buf out = hf_buf_init(HF_FILE_TEXT_MAX);
	result = fragments_join(c, p, dir, &out, err);
	if (result < 0)
		return result;
	e->real = p->dest; /* a link gives way to the file */
	e->after = hf_buf_dup(a, &out);
	e->content_changed = !e->exists || !hf_str_equal(e->before, e->after);
	hf_result_cstr(c, change, "src", p->src);
	hf_result_cstr(c, change, "dest", p->dest);
	if (hf_hash_hex("sha1", e->after, hex, err) < 0)
		return -HF_E_INTERNAL;
	hf_result_cstr(c, change, "checksum", hex);
	if (hf_hash_hex("md5", e->after, hex, err) < 0)
		return -HF_E_INTERNAL;
	hf_result_cstr(c, change, "md5sum", hex);
	return hf_file_attr_done(c, change, hf_text_look(e, err));
}

static int assemble_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	return hf_file_attr_done(c, change, hf_text_apply(c, params, change, err));
}

static void assemble_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	hf_watch_path(w, p->dest);
	if (p->remote_src == HF_YES)
		hf_watch_tree(w, p->src);
}

static int assemble_inputs(
	struct hf_module_context *c, const void *params, struct hf_inputs *inputs, struct hf_error *err)
{
	const struct params *p = params;
	if (p->remote_src == HF_NO)
		hf_input_source(c, inputs, "files", p->src);
	return 0;
}

const struct hf_module hf_module_assemble = {
	.name = "assemble",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.inputs = assemble_inputs,
	.check = assemble_check,
	.apply = assemble_apply,
	.undo = hf_text_undo,
	.watch = assemble_watch,
};
