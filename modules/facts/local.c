/* modules/facts/local.c - local facts: *.fact files, JSON or INI, or programs that print either. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/data/json.h"
#include "modules/facts/facts.h"

enum { FACT_FILES_MAX = 1000, INTERPOLATION_MAX = 10 };

/* Python's configparser: sections, "key = value" or "key: value", continuation lines, DEFAULT, %(name)s. */
struct ini {
	struct hf_facts *f;
	struct hf_value *sections, *defaults, *section;
	const char *key; /* of the last option; a deeper indented line goes on with it */
	size_t indent;
};

static void ini_continue(struct ini *ini, struct hf_str text)
{
	const char *before = hf_dict_cstr(ini->section, ini->key, "");
	hf_dict_text(ini->section, ini->key, hf_sprintf(ini->f->a, "%s\n%.*s", before, HF_STR_ARG(text)));
}

static bool ini_option(struct ini *ini, struct hf_str line)
{
	size_t n = 0;
	while (n < line.n && line.p[n] != '=' && line.p[n] != ':')
		n++;
	struct hf_str key = hf_str_trim(hf_strn(line.p, n));
	if (n == line.n || key.n == 0 || ini->section == NULL)
		return false;
	char *name = hf_str_dup(ini->f->a, key);
	for (char *p = name; *p != '\0'; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
	ini->key = name;
	hf_dict_put(ini->section, name,
		hf_value_str(ini->f->a, hf_str_trim(hf_strn(line.p + n + 1, line.n - n - 1))));
	return true;
}

static bool ini_line(struct ini *ini, struct hf_str raw)
{
	struct hf_str line = hf_str_trim(raw);
	size_t indent = line.n == 0 ? 0 : (size_t)(line.p - raw.p);
	if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
		return true;
	if (ini->key != NULL && indent > ini->indent) {
		ini_continue(ini, line);
		return true;
	}
	ini->indent = indent;
	const char *close = line.p[0] == '[' ? memchr(line.p, ']', line.n) : NULL;
	if (close == NULL)
		return ini_option(ini, line);
	char *name = hf_strndup(ini->f->a, line.p + 1, (size_t)(close - line.p - 1));
	ini->key = NULL;
	if (strcmp(name, "DEFAULT") == 0) {
		ini->section = ini->defaults;
		return true;
	}
	if (hf_dict_get(ini->sections, name) != NULL)
		return false;
	ini->section = hf_value_dict(ini->f->a);
	hf_dict_put(ini->sections, name, ini->section);
	return true;
}

/* %(name)s and %% in a value; NULL when a name is not there. */
static const char *ini_interpolate(
	struct ini *ini, const struct hf_value *section, const char *text, int depth)
{
	struct hf_buf out = hf_buf_init(HF_FACTS_FILE_MAX);
	bool fine = depth < INTERPOLATION_MAX;
	for (const char *p = text; fine && *p != '\0'; p++) {
		const char *close = p[0] == '%' && p[1] == '(' ? strstr(p, ")s") : NULL;
		if (p[0] == '%' && p[1] == '%') {
			hf_buf_put(&out, *p++);
		} else if (close != NULL) {
			const char *name = hf_strndup(ini->f->a, p + 2, (size_t)(close - p - 2));
			const char *value =
				hf_dict_cstr(section, name, hf_dict_cstr(ini->defaults, name, NULL));
			value = value == NULL ? NULL : ini_interpolate(ini, section, value, depth + 1);
			fine = value != NULL;
			hf_buf_puts(&out, value == NULL ? "" : value);
			p = close + 1;
		} else {
			fine = p[0] != '%';
			hf_buf_put(&out, *p);
		}
	}
	const char *done = fine ? hf_buf_dup(ini->f->a, &out).p : NULL;
	hf_buf_done(&out);
	return done;
}

static struct hf_value *ini_parse(struct hf_facts *f, struct hf_str text)
{
	struct ini ini = { .f = f, .sections = hf_value_dict(f->a), .defaults = hf_value_dict(f->a) };
	struct hf_str line;
	while (hf_str_split(&text, '\n', &line))
		if (!ini_line(&ini, line))
			return NULL;
	struct hf_value *result = hf_value_dict(f->a);
	HF_DICT_EACH (ini.sections, s) {
		struct hf_value *section = hf_entry_value(s), *out = hf_value_dict(f->a);
		const struct hf_value *both[] = { section, ini.defaults };
		for (size_t i = 0; i < HF_COUNT(both); i++) {
			HF_DICT_EACH (both[i], e) {
				const char *key = hf_entry_key(e)->u.string.p;
				const char *value =
					ini_interpolate(&ini, section, hf_entry_value(e)->u.string.p, 0);
				if (value == NULL)
					return NULL;
				if (hf_dict_get(out, key) == NULL)
					hf_dict_text(out, key, value);
			}
		}
		hf_dict_put(result, hf_entry_key(s)->u.string.p, out);
	}
	return result;
}

static struct hf_value *complain(struct hf_facts *f, const char *text)
{
	hf_task_warn(f->c, "%s", text);
	return hf_value_cstr(f->a, text);
}

static struct hf_value *local_fact(struct hf_facts *f, const char *path)
{
	struct stat st;
	struct hf_str text = HF_STR("");
	if (stat(path, &st) < 0)
		return complain(f, hf_sprintf(f->a, "Could not stat fact (%s): %s", path, strerror(errno)));
	if ((st.st_mode & S_IXUSR) != 0) {
		struct hf_proc_result ran;
		struct hf_error why = { 0 };
		struct hf_proc_spec spec = { .argv = (const char *const[]){ path, NULL },
			.timeout_ms = f->timeout_ms,
			.umask = HF_PROC_KEEP_UMASK };
		if (hf_task_run(f->c, &spec, &ran, &why) < 0)
			return complain(f,
				hf_sprintf(f->a, "Could not execute fact script (%s): %s", path, why.text));
		if (ran.status != 0)
			return complain(
				f, hf_sprintf(f->a, "Failure executing fact script (%s), rc: %d, err: %.*s",
					   path, ran.status, HF_STR_ARG(ran.err)));
		text = ran.out;
	} else if (hf_fs_read(f->a, path, HF_FACTS_FILE_MAX, &text, NULL) < 0) {
		text = HF_STR("");
	}
	struct hf_value *value;
	if (hf_json_parse(f->a, text, path, &value, NULL) == 0)
		return value;
	value = ini_parse(f, text);
	if (value != NULL)
		return value;
	return complain(
		f, hf_sprintf(f->a, "error loading facts as JSON or ini - please check content: %s", path));
}

static int names_compare(const void *a, const void *b)
{
	const struct hf_value *const *x = a, *const *y = b;
	return strcmp((*x)->u.string.p, (*y)->u.string.p);
}

void hf_facts_local(struct hf_facts *f)
{
	struct hf_value *local = hf_value_dict(f->a);
	if (f->fact_path != NULL && hf_fs_is_dir(f->fact_path)) {
		struct hf_value *names = hf_facts_names(f, f->fact_path);
		size_t n = hf_list_len(names);
		if (n > 1)
			qsort(names->u.list->at, n, sizeof(names->u.list->at[0]), names_compare);
		for (size_t i = 0; i < n && i < FACT_FILES_MAX; i++) {
			struct hf_str name = hf_list_at(names, i)->u.string;
			if (!hf_str_ends(name, ".fact") || name.p[0] == '.')
				continue;
			const char *base = hf_strndup(f->a, name.p, name.n - strlen(".fact"));
			hf_dict_put(local, base, local_fact(f, hf_path_join(f->a, f->fact_path, name.p)));
		}
	}
	hf_facts_put(f, "local", local);
}
