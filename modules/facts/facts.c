/* modules/facts/facts.c - small readers every collector uses. */
#include "modules/facts/facts.h"

#include <limits.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"

void hf_facts_put(struct hf_facts *f, const char *name, struct hf_value *value)
{
	char *full = hf_sprintf(f->a, "ansible_%s", name);
	for (char *p = full; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
	hf_dict_put(f->all, full, value);
}

void hf_facts_text(struct hf_facts *f, const char *name, const char *text)
{
	hf_facts_put(f, name, hf_value_cstr(f->a, text));
}

void hf_facts_int(struct hf_facts *f, const char *name, int64_t number)
{
	hf_facts_put(f, name, hf_value_int(f->a, number));
}

void hf_facts_bool(struct hf_facts *f, const char *name, bool b)
{
	hf_facts_put(f, name, hf_value_bool(f->a, b));
}

const char *hf_facts_get(const struct hf_facts *f, const char *name, const char *fallback)
{
	return hf_dict_cstr(f->all, hf_sprintf(f->a, "ansible_%s", name), fallback);
}

static const char *file_read(struct hf_facts *f, const char *path)
{
	struct hf_str text;
	if (hf_fs_read(f->a, path, HF_FACTS_FILE_MAX, &text, NULL) < 0)
		return NULL;
	text = hf_str_trim(text);
	return text.n == 0 ? NULL : hf_strndup(f->a, text.p, text.n);
}

const char *hf_facts_file(struct hf_facts *f, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const char *path = hf_vsprintf(f->a, format, args);
	va_end(args);
	return file_read(f, path);
}

struct hf_value *hf_facts_file_value(struct hf_facts *f, const char *fallback, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const char *path = hf_vsprintf(f->a, format, args);
	va_end(args);
	const char *text = file_read(f, path);
	if (text == NULL)
		text = fallback;
	return text == NULL ? hf_value_null(f->a) : hf_value_cstr(f->a, text);
}

struct hf_value *hf_facts_names(struct hf_facts *f, const char *path)
{
	struct hf_value *names = hf_value_list(f->a);
	hf_auto_dir dir = opendir(path);
	if (dir == NULL)
		return names;
	for (int i = 0; i < HF_FACTS_ENTRIES_MAX; i++) {
		struct dirent *entry = readdir(dir);
		if (entry == NULL)
			break;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			hf_list_append(names, hf_value_cstr(f->a, entry->d_name));
	}
	return names;
}

const char *hf_facts_link(struct hf_facts *f, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return NULL;
	target[n] = '\0';
	return hf_strdup(f->a, hf_path_base(target));
}

void hf_dict_text(struct hf_value *dict, const char *key, const char *text)
{
	hf_dict_put(dict, key, hf_value_cstr(dict->u.dict->map.arena, text));
}

const char *hf_facts_assignment(struct hf_facts *f, const char *text, const char *key)
{
	size_t n = strlen(key);
	struct hf_str rest = hf_str(text), line;
	while (hf_str_split(&rest, '\n', &line)) {
		line = hf_str_trim(line);
		if (line.n <= n || memcmp(line.p, key, n) != 0 || line.p[n] != '=')
			continue;
		struct hf_str value = hf_str_trim(hf_strn(line.p + n + 1, line.n - n - 1));
		if (value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\'') &&
			value.p[value.n - 1] == value.p[0])
			value = hf_strn(value.p + 1, value.n - 2);
		return hf_strndup(f->a, value.p, value.n);
	}
	return NULL;
}

const char *hf_facts_env(struct hf_facts *f, const char *name)
{
	size_t n = strlen(name);
	const char *const *env = hf_task_env(f->c);
	for (size_t i = 0; env != NULL && env[i] != NULL && i < HF_FACTS_ENTRIES_MAX; i++)
		if (strncmp(env[i], name, n) == 0 && env[i][n] == '=')
			return env[i] + n + 1;
	return NULL;
}
