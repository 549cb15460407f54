/* lib/engine/templar_file.c - template files: header, includes, what a file knows about itself; see
 * templar.h. */
#include <pwd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/engine/literal.h"
#include "lib/engine/templar_internal.h"

enum { TEMPLATE_SIZE_MAX = 32 << 20, SEARCH_MAX = 64 };

/* --- "#jinja2: trim_blocks: False, …" --- */

static const struct {
	const char *name;
	size_t offset;
	bool text;
} settings[] = {
	{ "block_start_string", offsetof(struct hf_template_env, block_start), true },
	{ "block_end_string", offsetof(struct hf_template_env, block_end), true },
	{ "variable_start_string", offsetof(struct hf_template_env, variable_start), true },
	{ "variable_end_string", offsetof(struct hf_template_env, variable_end), true },
	{ "comment_start_string", offsetof(struct hf_template_env, comment_start), true },
	{ "comment_end_string", offsetof(struct hf_template_env, comment_end), true },
	{ "newline_sequence", offsetof(struct hf_template_env, newline_sequence), true },
	{ "trim_blocks", offsetof(struct hf_template_env, trim_blocks), false },
	{ "lstrip_blocks", offsetof(struct hf_template_env, lstrip_blocks), false },
	{ "keep_trailing_newline", offsetof(struct hf_template_env, keep_trailing_newline), false },
};

static int setting_apply(struct hf_templar *t, struct hf_str key, const struct hf_value *v,
	struct hf_template_env *env, struct hf_error *err)
{
	for (size_t i = 0; i < HF_COUNT(settings); i++) {
		if (!hf_str_is(key, settings[i].name))
			continue;
		char *field = (char *)env + settings[i].offset;
		if (!settings[i].text) {
			*(bool *)field = hf_value_truthy(v);
			return 0;
		}
		if (v->type != HF_STRING || v->u.string.n == 0)
			return hf_fail(err, HF_E_PARSE, "the setting %s in the #jinja2: line must be text",
				settings[i].name);
		*(const char **)field = v->u.string.p;
		return 0;
	}
	templar_warn(t, "Could not find Jinja2 environment setting to override: '%.*s'", HF_STR_ARG(key));
	return 0;
}

int templar_header(struct hf_templar *t, struct hf_arena *a, struct hf_str *source,
	struct hf_template_env *env, struct hf_error *err)
{
	const char *eol = memchr(source->p, '\n', source->n);
	if (!hf_str_starts(*source, "#jinja2:"))
		return 0;
	size_t line = eol == NULL ? source->n : (size_t)(eol - source->p), head = strlen("#jinja2:");
	struct hf_str rest = hf_strn(source->p + head, line - head), pair;
	while (hf_str_split(&rest, ',', &pair)) {
		const char *colon = memchr(pair.p, ':', pair.n);
		struct hf_value *v = NULL;
		if (colon == NULL)
			return hf_fail(err, HF_E_PARSE,
				"failed to parse jinja2 override '%.*s'. Did you use something different "
				"from colon as key-value "
				"separator?",
				HF_STR_ARG(pair));
		struct hf_str key = hf_str_trim(hf_strn(pair.p, (size_t)(colon - pair.p)));
		struct hf_str text = hf_str_trim(hf_strn(colon + 1, pair.n - (size_t)(colon + 1 - pair.p)));
		if (!hf_literal_parse(a, text, &v))
			return hf_fail(err, HF_E_PARSE,
				"the value '%.*s' in the #jinja2: line is not a literal", HF_STR_ARG(text));
		int r = setting_apply(t, key, v, env, err);
		if (r < 0)
			return r;
	}
	*source = eol == NULL ? hf_strn(source->p, 0) : hf_strn(eol + 1, source->n - line - 1);
	return 0;
}

/* --- include, import, extends --- */

static bool leaves_directory(const char *name)
{
	struct hf_str rest = hf_str(name), part;
	while (hf_str_split(&rest, '/', &part))
		if (hf_str_is(part, ".."))
			return true;
	return false;
}

static int source_read(struct hf_arena *a, const char *path, struct hf_str *ret, struct hf_error *err)
{
	int r = hf_fs_read(a, path, TEMPLATE_SIZE_MAX, ret, err);
	if (r == 0 && !hf_utf8_valid(*ret))
		return hf_fail(err, HF_E_TEMPLATE, "the template %s is not UTF-8", path);
	return r;
}

int templar_load(void *data, struct hf_arena *a, const char *name, const char *parent,
	struct hf_str *ret_source, struct hf_error *err)
{
	const struct rendering *r = data;
	char *path = NULL;
	if (!leaves_directory(name) && r->search != NULL) {
		for (size_t i = 0; i < SEARCH_MAX && r->search[i] != NULL; i++) {
			path = hf_sprintf(a, "%s/%s", r->search[i], name);
			if (hf_fs_exists(path) && !hf_fs_is_dir(path))
				return source_read(a, path, ret_source, err);
		}
		return hf_fail(err, HF_E_NOT_FOUND, "%s: no such template", name);
	}
	const struct hf_templar_source *source = &r->templar->source;
	if (leaves_directory(name) || source->find_file == NULL)
		return hf_fail(err, HF_E_NOT_FOUND, "%s: no such template", name);
	while (*name == '/')
		name++; /* as Jinja2's loader: below the folders searched, whatever the name */
	int result = source->find_file(source->data, a, "templates", name, &path, err);
	return result < 0 ? result : source_read(a, path, ret_source, err);
}

/* --- a file --- */

static struct hf_value *time_value(struct hf_arena *a, time_t seconds, long nanoseconds)
{
	struct tm tm;
	struct hf_value *v = hf_value_null(a);
	localtime_r(&seconds, &tm);
	v->type = HF_DATETIME;
	v->u.time = hf_new(a, struct hf_time_value);
	*v->u.time = (struct hf_time_value){ .year = (int16_t)(tm.tm_year + 1900),
		.month = (uint8_t)(tm.tm_mon + 1),
		.day = (uint8_t)tm.tm_mday,
		.hour = (uint8_t)tm.tm_hour,
		.minute = (uint8_t)tm.tm_min,
		.second = (uint8_t)tm.tm_sec,
		.microsecond = (int32_t)(nanoseconds / 1000) };
	return v;
}

static void put_unsafe(struct hf_arena *a, struct hf_value *dict, const char *key, const char *text)
{
	struct hf_value *v = hf_value_cstr(a, text);
	v->flags |= HF_VALUE_UNSAFE;
	hf_dict_put(dict, key, v);
}

/* The last owner asked for is remembered: the templates of a playbook mostly belong to one. */
static const char *owner_name(struct hf_templar *t, struct hf_arena *a, uid_t uid)
{
	if (t->owner == NULL || t->owner_uid != uid) {
		const struct passwd *owner = getpwuid(uid);
		if (owner == NULL)
			return hf_sprintf(a, "%u", uid);
		t->owner = hf_strdup(t->arena, owner->pw_name);
		t->owner_uid = uid;
	}
	return t->owner;
}

static struct hf_value *file_locals(struct hf_templar *t, struct hf_arena *a,
	const struct hf_templar_file *how, const struct hf_value *locals)
{
	struct hf_value *all = locals == NULL ? hf_value_dict(a) : hf_value_shallow(a, locals);
	struct utsname host;
	struct stat st;
	if (uname(&host) == 0)
		put_unsafe(a, all, "template_host", host.nodename);
	put_unsafe(a, all, "template_path", how->path);
	put_unsafe(a, all, "template_fullpath", how->path);
	if (how->dest != NULL)
		put_unsafe(a, all, "template_destpath", how->dest);
	else
		hf_dict_put(all, "template_destpath", hf_value_null(a));
	if (stat(how->path, &st) == 0) {
		put_unsafe(a, all, "template_uid", owner_name(t, a, st.st_uid));
		hf_dict_put(all, "template_mtime", time_value(a, st.st_mtim.tv_sec, st.st_mtim.tv_nsec));
	}
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	hf_dict_put(all, "template_run_date", time_value(a, now.tv_sec, now.tv_nsec));
	hf_dict_put(all, "ansible_managed", hf_value_cstr(a, "Ansible managed"));
	return all;
}

static void env_override(const struct hf_templar_file *how, struct hf_template_env *env)
{
	const char *const given[] = { how->block_start, how->block_end, how->variable_start,
		how->variable_end, how->comment_start, how->comment_end, how->newline_sequence };
	for (size_t i = 0; i < HF_COUNT(given); i++)
		if (given[i] != NULL)
			*(const char **)((char *)env + settings[i].offset) = given[i];
	env->trim_blocks = how->trim_blocks != 0;
	env->lstrip_blocks = how->lstrip_blocks > 0;
}

static const char *const *file_search(struct hf_arena *a, const struct hf_templar_file *how)
{
	if (how->search != NULL)
		return how->search;
	const char **search = hf_new_array(a, 3, const char *);
	search[0] = hf_path_dir(a, how->path);
	search[1] = hf_path_dir(a, search[0]);
	return search;
}

int hf_templar_file(struct hf_templar *t, struct hf_arena *a, struct hf_str source,
	const struct hf_templar_file *how, struct hf_value *locals, struct hf_str *ret, bool *ret_secret,
	struct hf_error *err)
{
	struct hf_template_env env = t->env[TEMPLAR_CONDITION];
	struct hf_str whole = source;
	struct hf_template *template = NULL;
	env_override(how, &env);
	int r = hf_utf8_valid(source)
			? templar_header(t, a, &source, &env, err)
			: hf_fail(err, HF_E_TEMPLATE, "the template %s is not UTF-8", how->path);
	if (r == 0)
		r = hf_template_compile(a, &env, source, how->path, &template, err);
	if (r < 0)
		return r;
	struct rendering rendering = templar_rendering(t, a, file_locals(t, a, how, locals), NULL);
	rendering.mutates = true;
	rendering.file = true;
	rendering.env = &env;
	rendering.search = file_search(a, how);
	struct hf_render render = { .arena = a, .env = &env, .data = &rendering };
	hf_auto_buf out = hf_buf_init(HF_TEMPLATE_OUTPUT);
	unsigned marks = 0;
	r = hf_template_render(template, &render, &out, &marks, err);
	if (r < 0)
		return r;
	*ret = templar_newlines(a, hf_buf_dup(a, &out), whole, env.newline_sequence);
	if (ret_secret != NULL)
		*ret_secret = ((marks | rendering.marks) & HF_VALUE_SECRET) != 0;
	return 0;
}
