/* lib/engine/lookup_parse.c - values out of ini, properties and CSV files. */
#include <ctype.h>
#include <strings.h>

#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/engine/filters.h"
#include "lib/engine/lookup.h"
#include "lib/engine/regex.h"

/* A term "key opt=value opt=value": the options of the call, those of the term over them. */
struct parse_term {
	struct hf_str key;
	bool given; /* the key, and not only options */
	struct hf_value *options;
};

static int term_read(const struct lookup_call *c, const struct hf_value *term, struct parse_term *ret,
	struct hf_error *err)
{
	struct hf_value *words = NULL;
	struct hf_str text;
	ret->options = c->options == NULL ? hf_value_dict(c->arena) : hf_value_shallow(c->arena, c->options);
	int r = lookup_text(c, term, &text, err);
	if (r == 0)
		r = lookup_words(c, text, &words, err);
	if (r < 0)
		return r;
	hf_auto_buf key = hf_buf_init(text.n + 1);
	for (size_t i = 0; i < hf_list_len(words); i++) {
		struct hf_str word = hf_list_at(words, i)->u.string;
		const char *eq = memchr(word.p, '=', word.n);
		if (eq == NULL) {
			hf_buf_puts(&key, key.n > 0 ? " " : "");
			hf_buf_add(&key, word);
		} else {
			hf_dict_put(ret->options, hf_strndup(c->arena, word.p, (size_t)(eq - word.p)),
				hf_value_cstr(c->arena, eq + 1));
		}
	}
	ret->given = key.n > 0;
	ret->key = key.n == 0 ? text : hf_buf_dup(c->arena, &key);
	return 0;
}

static const char *option(
	const struct lookup_call *c, const struct parse_term *t, const char *name, const char *fallback)
{
	const struct hf_value *v = hf_dict_get(t->options, name);
	return v == NULL || v->type == HF_NULL ? fallback : hf_value_text(c->arena, v).p;
}

static bool option_true(const struct parse_term *t, const char *name)
{
	const struct hf_value *v = hf_dict_get(t->options, name);
	return v != NULL && filter_truth(v);
}

static int file_read(const struct lookup_call *c, const struct parse_term *t, const char *fallback,
	struct hf_str *ret, struct hf_error *err)
{
	char *path = NULL;
	struct hf_str text;
	int r = lookup_find(c, "files", option(c, t, "file", fallback), &path, err);
	if (r == 0)
		r = lookup_read(c, path, &text, err);
	if (r == 0)
		r = hf_utf8_from(c->arena, option(c, t, "encoding", "utf-8"), &text, err);
	if (r == 0)
		*ret = text;
	return r;
}

/* --- ini --- */

static char *folded(struct hf_arena *a, struct hf_str key, bool exact_case)
{
	char *name = hf_str_dup(a, key);
	for (char *p = name; !exact_case && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return name;
}

struct ini {
	const struct lookup_call *c;
	struct hf_value *sections, *section, *last_key; /* section: NULL before the first header */
	const char *name;                               /* of section */
	unsigned line;
	bool exact_case, allow_none;
};

/* "key = value" or "key: value"; a key alone where that is allowed. */
static int ini_pair(struct ini *f, struct hf_str s, struct hf_error *err)
{
	struct hf_arena *a = f->c->arena;
	size_t n = 0;
	while (n < s.n && s.p[n] != '=' && s.p[n] != ':')
		n++;
	if (f->section == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "File contains no section headers. Line %u: %.*s", f->line,
			HF_STR_ARG(s));
	if (n == s.n && !f->allow_none)
		return hf_fail(err, HF_E_TEMPLATE, "Source contains parsing errors. Line %u: %.*s", f->line,
			HF_STR_ARG(s));
	struct hf_str value = n < s.n ? hf_str_trim(hf_strn(s.p + n + 1, s.n - n - 1)) : HF_STR("");
	f->last_key = hf_value_cstr(a, folded(a, hf_str_trim(hf_strn(s.p, n)), f->exact_case));
	if (hf_dict_find(f->section, f->last_key) != NULL)
		return hf_fail(err, HF_E_TEMPLATE,
			"Duplicate option in line %u: option '%s' in section '%s' already exists", f->line,
			f->last_key->u.string.p, f->name);
	hf_dict_set(f->section, f->last_key, hf_value_str(a, value));
	return 0;
}

static int ini_header(struct ini *f, struct hf_str name, struct hf_error *err)
{
	f->name = hf_str_dup(f->c->arena, name);
	f->last_key = NULL;
	f->section = hf_dict_get(f->sections, f->name);
	if (f->section != NULL && strcmp(f->name, "DEFAULT") == 0)
		return 0;
	if (f->section != NULL)
		return hf_fail(err, HF_E_TEMPLATE,
			"Duplicate section in line %u: section '%s' already exists", f->line, f->name);
	f->section = hf_value_dict(f->c->arena);
	hf_dict_put(f->sections, f->name, f->section);
	return 0;
}

/* f->sections: {section: {key: value}}, as Python's configparser with interpolation off reads it. */
static int ini_read(struct ini *f, struct hf_str text, struct hf_error *err)
{
	struct hf_arena *a = f->c->arena;
	struct hf_str line;
	int r = 0;
	for (; r == 0 && hf_str_split(&text, '\n', &line);) {
		struct hf_str s = hf_str_trim(line);
		bool deeper = line.n > 0 && isspace((unsigned char)line.p[0]);
		f->line++;
		if (s.n == 0 || s.p[0] == '#' || s.p[0] == ';')
			continue;
		if (deeper && f->last_key != NULL) { /* goes on from the line before */
			const struct hf_value *old = hf_dict_find(f->section, f->last_key);
			hf_dict_set(f->section, f->last_key,
				hf_value_cstr(a, hf_sprintf(a, "%s\n%.*s", old->u.string.p, HF_STR_ARG(s))));
		} else if (s.p[0] == '[' && memrchr(s.p, ']', s.n) > (const void *)(s.p + 1)) {
			const char *end = memrchr(s.p, ']', s.n); /* what follows is not read */
			r = ini_header(f, hf_strn(s.p + 1, (size_t)(end - s.p - 1)), err);
		} else {
			r = ini_pair(f, s, err);
		}
	}
	return r;
}

static int ini_regexp(const struct lookup_call *c, const struct hf_value *section, struct hf_str pattern,
	struct hf_value *into, struct hf_error *err)
{
	hf_auto_regex re = NULL;
	int r = hf_regex_get(pattern, 0, &re, err);
	HF_DICT_EACH (section, e) {
		struct hf_regex_match m;
		if (r == 0)
			r = hf_regex_exec(
				c->arena, re, hf_entry_key(e)->u.string, 0, HF_REGEX_MATCH, &m, err);
		if (r == 0 && m.found)
			hf_list_append(into, hf_entry_value(e));
	}
	return r;
}

static int ini_one(
	const struct lookup_call *c, const struct hf_value *term, struct hf_value *into, struct hf_error *err)
{
	struct parse_term t;
	struct hf_str text;
	int r = term_read(c, term, &t, err);
	if (r == 0)
		r = file_read(c, &t, "ansible.ini", &text, err);
	if (r < 0)
		return r;
	bool properties = strcmp(option(c, &t, "type", "ini"), "properties") == 0;
	bool exact = option_true(&t, "case_sensitive");
	const char *name = properties ? "java_properties" : option(c, &t, "section", "global");
	struct ini f = { .c = c,
		.sections = hf_value_dict(c->arena),
		.exact_case = exact,
		.allow_none = option_true(&t, "allow_none") };
	if (properties)
		r = ini_header(&f, hf_str(name), err);
	if (r == 0)
		r = ini_read(&f, text, err);
	if (r < 0)
		return hf_wrap(err, "%s", option(c, &t, "file", "ansible.ini"));
	const struct hf_value *section = hf_dict_get(f.sections, name),
			      *fallback = hf_dict_get(t.options, "default");
	if (option_true(&t, "re"))
		return section == NULL ? 0 : ini_regexp(c, section, t.key, into, err);
	struct hf_value *v = section == NULL ? NULL : hf_dict_get(section, folded(c->arena, t.key, exact));
	if (section == NULL && fallback == NULL && hf_dict_get(t.options, "section") != NULL)
		return hf_fail(err, HF_E_TEMPLATE, "No section: '%s'", name);
	if (v == NULL)
		v = fallback == NULL ? hf_value_str(c->arena, HF_STR(""))
				     : (struct hf_value *)(uintptr_t)fallback;
	hf_list_append(into, v);
	return 0;
}

static int lookup_ini(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(c->terms); i++)
		r = ini_one(c, hf_list_at(c->terms, i), into, err);
	return r;
}

/* --- CSV --- */

struct hf_value *filter_csv_record(struct hf_arena *a, struct hf_str *text, char delimiter)
{
	struct hf_value *fields = hf_value_list(a);
	hf_auto_buf field = hf_buf_init(text->n + 1);
	size_t i = 0;
	bool quoted = false;
	for (; i < text->n; i++) {
		char ch = text->p[i];
		if (quoted) {
			if (ch == '"' && i + 1 < text->n && text->p[i + 1] == '"')
				hf_buf_put(&field, text->p[++i]);
			else if (ch == '"')
				quoted = false;
			else
				hf_buf_put(&field, ch);
		} else if (ch == '"' && field.n == 0) {
			quoted = true;
		} else if (ch == delimiter) {
			hf_list_append(fields, hf_value_str(a, hf_buf_str(&field)));
			hf_buf_clear(&field);
		} else if (ch == '\n') {
			i++;
			break;
		} else if (ch != '\r') {
			hf_buf_put(&field, ch);
		}
	}
	hf_list_append(fields, hf_value_str(a, hf_buf_str(&field)));
	*text = hf_strn(text->p + i, text->n - i);
	return fields;
}

/* The field of the first record whose key column is key; *ret stays where there is none. */
static int csv_find(const struct lookup_call *c, struct hf_str text, char delimiter, struct hf_str key,
	const size_t columns[2], struct hf_value **ret, struct hf_error *err)
{
	while (text.n > 0) {
		struct hf_value *fields = filter_csv_record(c->arena, &text, delimiter);
		size_t n = hf_list_len(fields);
		if (columns[1] >= n || !hf_str_equal(hf_list_at(fields, columns[1])->u.string, key))
			continue;
		if (columns[0] >= n)
			return hf_fail(err, HF_E_TEMPLATE, "csvfile: list index out of range");
		*ret = hf_list_at(fields, columns[0]);
		return 0;
	}
	return 0;
}

static int csv_one(
	const struct lookup_call *c, const struct hf_value *term, struct hf_value *into, struct hf_error *err)
{
	struct parse_term t;
	struct hf_str text;
	uint64_t column, key_column;
	int r = term_read(c, term, &t, err);
	if (r == 0)
		r = t.given ? file_read(c, &t, "ansible.csv", &text, err)
			    : hf_fail(err, HF_E_TEMPLATE, "Search key is required but was not found");
	if (r < 0)
		return r;
	const char *delimiter = option(c, &t, "delimiter", "\t");
	bool tab = strcmp(delimiter, "TAB") == 0 || delimiter[0] == '\0';
	if (!hf_str_to_uint64(hf_str(option(c, &t, "col", "1")), &column) ||
		!hf_str_to_uint64(hf_str(option(c, &t, "keycol", "0")), &key_column))
		return hf_fail(err, HF_E_TEMPLATE, "csvfile: col and keycol are numbers of columns");
	struct hf_value *found = hf_dict_get(t.options, "default");
	const size_t columns[2] = { (size_t)column, (size_t)key_column };
	r = csv_find(c, text, tab ? '\t' : delimiter[0], t.key, columns, &found, err);
	if (r == 0 && found != NULL)
		hf_list_append(into, found);
	return r;
}

static int lookup_csvfile(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(c->terms); i++)
		r = csv_one(c, hf_list_at(c->terms, i), into, err);
	return r;
}

const struct lookup_row hf_lookups_parse[] = {
	{ "ini", lookup_ini, true },
	{ "csvfile", lookup_csvfile, true },
	{ 0 },
};
