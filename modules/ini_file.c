#include <string.h>

#include "lib/base/scope.h"
#include "modules/host.h"
#include "modules/text_file.h"

/* ini_file: one option of one section. Comments and everything else in the file stay as they are. */
enum { INI_ABSENT, INI_PRESENT };

struct params {
	const char *path, *section, *option, *value;
	struct hf_value *values, *section_has_values;
	int state;
	enum hf_tristate backup, exclusive, no_extra_spaces, ignore_spaces, create, allow_no_value,
		modify_inactive, follow;
	struct hf_file_attr attr;
};

static const char *const states[] = { "absent", "present", NULL };
static const char *const path_aliases[] = { "dest", NULL };
static const struct hf_arg condition_args[] = {
	{ "option", HF_ARG_STR, 0, HF_REQUIRED },
	{ "value", HF_ARG_STR, 0 },
	{ "values", HF_ARG_LIST, 0, .elements = HF_ARG_STR },
	{ .type = HF_ARG_END },
};
static const struct hf_arg args[] = {
	{ "path", HF_ARG_PATH, offsetof(struct params, path), HF_REQUIRED, .aliases = path_aliases,
		.help = "The file." },
	{ "section", HF_ARG_STR, offsetof(struct params, section),
		.help = "Section; without it, what comes before any." },
	{ "option", HF_ARG_STR, offsetof(struct params, option),
		.help = "Option; without it the section alone." },
	{ "value", HF_ARG_STR, offsetof(struct params, value), .help = "Its value." },
	{ "values", HF_ARG_LIST, offsetof(struct params, values), .elements = HF_ARG_STR,
		.help = "Values, one line each." },
	{ "state", HF_ARG_ENUM, offsetof(struct params, state), .dflt = "present", .choices = states,
		.help = "Whether it shall be there." },
	{ "exclusive", HF_ARG_BOOL, offsetof(struct params, exclusive), .dflt = "true",
		.help = "No other line with this option." },
	{ "no_extra_spaces", HF_ARG_BOOL, offsetof(struct params, no_extra_spaces), .dflt = "false",
		.help = "No blanks around =." },
	{ "ignore_spaces", HF_ARG_BOOL, offsetof(struct params, ignore_spaces), .dflt = "false",
		.help = "Do not change a line for its blanks alone." },
	{ "create", HF_ARG_BOOL, offsetof(struct params, create), .dflt = "true", .help = "Make the file." },
	{ "allow_no_value", HF_ARG_BOOL, offsetof(struct params, allow_no_value), .dflt = "false",
		.help = "An option without = and value." },
	{ "modify_inactive_option", HF_ARG_BOOL, offsetof(struct params, modify_inactive), .dflt = "true",
		.help = "Use the line of a commented option." },
	{ "backup", HF_ARG_BOOL, offsetof(struct params, backup), .dflt = "false",
		.help = "Keep a dated copy of the old file." },
	{ "follow", HF_ARG_BOOL, offsetof(struct params, follow), .dflt = "false",
		.help = "Where path is a link, write what it leads to." },
	{ "section_has_values", HF_ARG_LIST, offsetof(struct params, section_has_values),
		.elements = HF_ARG_DICT, .options = condition_args,
		.help = "Of several sections of that name the first with these options: {option, value or "
			"values}." },
	HF_FILE_ATTR_ARGS(struct params, attr),
	{ .type = HF_ARG_END },
};
static const char *const value_names[] = { "value", "values", NULL };
static const struct hf_rule rules[] = { { HF_RULE_EXCLUSIVE, value_names }, { HF_RULE_END } };

struct ini {
	struct hf_text_edit text;
	const struct params *p;
	struct hf_arena *a;
	struct hf_text_line_list lines, wanted; /* wanted: values still to be placed */
	size_t from, to;                        /* the section's lines; `from` is its header, if it has one */
	bool *done; /* lines that already hold a wanted value, by index from `from` */
	bool found; /* the section is there */
	bool bare;  /* the option is there without a value */
};

struct option_match {
	bool found, inactive;
	struct hf_str value;
};

static const char *blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* `option = value`, `option`, and with a comment sign in front where that counts. */
static struct option_match named_match(const char *option, struct hf_str line, bool inactive_too)
{
	struct option_match m = { 0 };
	const char *p = line.p, *end = p + line.n;
	size_t n = strlen(option);
	while (end > p && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	m.inactive = inactive_too && p < end && (*p == '#' || *p == ';') &&
		     !hf_str_starts(hf_strn(p, (size_t)(end - p)), option);
	p = blanks(m.inactive ? p + 1 : p, end);
	if ((size_t)(end - p) < n || memcmp(p, option, n) != 0)
		return m;
	p = blanks(p + n, end);
	if (p < end && *p != '=')
		return m;
	m.found = true;
	p = p < end ? blanks(p + 1, end) : end;
	m.value = hf_strn(p, (size_t)(end - p));
	return m;
}

static struct option_match option_match(const struct ini *e, struct hf_str line, bool inactive_too)
{
	return named_match(e->p->option, line, inactive_too);
}

static struct option_match option_match_any(const struct ini *e, struct hf_str line)
{
	return option_match(e, line, e->p->modify_inactive == HF_YES);
}

static struct hf_str option_line(struct ini *e, struct hf_str value)
{
	const char *format = e->p->no_extra_spaces == HF_YES ? "=" : " = ";
	return hf_str(hf_sprintf(e->a, "%s%s%.*s\n", e->p->option, format, HF_STR_ARG(value)));
}

static void changed(struct ini *e, const char *message)
{
	e->text.content_changed = true;
	e->text.message = message;
}

static void line_set(struct ini *e, size_t at, struct hf_str line)
{
	struct option_match old = option_match(e, e->lines.at[at], true), now = option_match(e, line, true);
	bool differs = !hf_str_equal(e->lines.at[at], line);
	if (e->p->ignore_spaces == HF_YES && !old.inactive)
		differs = !hf_str_equal(old.value, now.value);
	e->done[at - e->from] = true;
	if (!differs)
		return;
	e->lines.at[at] = line;
	changed(e, "option changed");
}

static bool header_is(struct hf_str line, struct hf_str section)
{
	if (!hf_str_starts(line, "["))
		return false;
	struct hf_str rest = hf_str_trim(hf_strn(line.p + 1, line.n - 1));
	if (rest.n < section.n || memcmp(rest.p, section.p, section.n) != 0)
		return false;
	return hf_str_starts(hf_str_trim(hf_strn(rest.p + section.n, rest.n - section.n)), "]");
}

/* The values a condition asks for: none means any. */
static struct hf_value *condition_values(const struct ini *e, const struct hf_value *condition)
{
	struct hf_value *value = hf_dict_get(condition, "value"), *values = hf_dict_get(condition, "values");
	struct hf_value *out = hf_value_list(e->a);
	if (value != NULL && !hf_is(value, HF_NULL))
		hf_list_append(out, value);
	return hf_is(values, HF_LIST) ? values : out;
}

static bool condition_holds(const struct ini *e, const struct hf_value *condition, size_t from, size_t to)
{
	const char *option = hf_dict_cstr(condition, "option", "");
	const struct hf_value *values = condition_values(e, condition);
	for (size_t i = from; i < to; i++) {
		struct option_match m = named_match(option, e->lines.at[i], true);
		if (m.found && (hf_list_len(values) == 0 || hf_list_has(values, hf_str_dup(e->a, m.value))))
			return true;
	}
	return false;
}

static bool conditions_hold(const struct ini *e, size_t from, size_t to)
{
	const struct hf_value *all = e->p->section_has_values;
	for (size_t i = 0; all != NULL && i < hf_list_len(all); i++)
		if (!condition_holds(e, hf_list_at(all, i), from, to))
			return false;
	return true;
}

static int section_find(struct ini *e, struct hf_error *err)
{
	bool top = e->p->section == NULL || *e->p->section == '\0', within = top;
	struct hf_str name = hf_str_trim(hf_str(top ? "" : e->p->section));
	size_t start = 0;
	for (size_t i = 0; i <= e->lines.n; i++) {
		bool ends = i == e->lines.n || hf_str_starts(e->lines.at[i], "[");
		if (within && ends && conditions_hold(e, start, i)) {
			e->found = true;
			e->from = start;
			e->to = i;
			return 0;
		}
		within = within && !ends;
		if (!top && i < e->lines.n && header_is(e->lines.at[i], name)) {
			within = true;
			start = i;
		}
	}
	return top && e->p->state == INI_PRESENT ? hf_fail(err, HF_E_TASK,
							   "what comes before any section of %s has not the "
							   "values of section_has_values, "
							   "and there can be no other",
							   e->p->path)
						 : 0;
}

/* First line that may be an option: behind the header. */
static size_t section_body(const struct ini *e)
{
	bool top = e->p->section == NULL || *e->p->section == '\0';
	return e->from + (top ? 0 : 1);
}

static void values_match(struct ini *e)
{
	for (size_t i = section_body(e); i < e->to; i++) {
		struct option_match m = option_match_any(e, e->lines.at[i]);
		if (!m.found)
			continue;
		size_t k = 0;
		while (k < e->wanted.n && !hf_str_equal(e->wanted.at[k], m.value))
			k++;
		if (k < e->wanted.n) {
			line_set(e, i, option_line(e, m.value));
			hf_text_remove(&e->wanted, k, 1);
		} else if (e->wanted.n == 0 && e->p->allow_no_value == HF_YES) {
			line_set(e, i, hf_str(hf_sprintf(e->a, "%s\n", e->p->option)));
			e->bare = true;
			return;
		}
	}
}

/* Other lines of the option take the values left over, and the rest of them go. */
static void values_override(struct ini *e)
{
	for (size_t i = section_body(e); i < e->to && e->wanted.n > 0; i++) {
		if (e->done[i - e->from] || !option_match_any(e, e->lines.at[i]).found)
			continue;
		line_set(e, i, option_line(e, e->wanted.at[0]));
		hf_text_remove(&e->wanted, 0, 1);
	}
	for (size_t i = e->to; i > section_body(e); i--) {
		if (e->done[i - 1 - e->from] || !option_match_any(e, e->lines.at[i - 1]).found)
			continue;
		hf_text_remove(&e->lines, i - 1, 1);
		memmove(e->done + (i - 1 - e->from), e->done + (i - e->from), (e->to - i) * sizeof(*e->done));
		e->to--;
		changed(e, "option changed");
	}
}

static bool line_empty(struct hf_str line)
{
	const char *p = blanks(line.p, line.p + line.n), *end = line.p + line.n;
	return p == end || *p == '\n' || *p == '\r' || *p == '#' || *p == ';';
}

/* At the end of the section, before the blank lines and comments that lead to the next. */
static void values_insert(struct ini *e)
{
	size_t at = e->to, low = e->from;
	while (at > low && line_empty(e->lines.at[at - 1]))
		at--;
	for (size_t k = e->wanted.n; k > 0; k--) {
		hf_text_insert(e->a, &e->lines, at, option_line(e, e->wanted.at[k - 1]));
		changed(e, "option added");
	}
	bool bare = e->wanted.n == 0 && e->p->allow_no_value == HF_YES && !e->bare && e->p->value == NULL;
	if (bare) {
		hf_text_insert(e->a, &e->lines, at, hf_str(hf_sprintf(e->a, "%s\n", e->p->option)));
		changed(e, "option added");
	}
}

static bool value_listed(const struct ini *e, struct hf_str value)
{
	for (size_t k = 0; k < e->wanted.n; k++)
		if (hf_str_equal(e->wanted.at[k], value))
			return true;
	return false;
}

static void line_append(struct ini *e, const char *option, struct hf_str value)
{
	const char *format = e->p->no_extra_spaces == HF_YES ? "=" : " = ";
	hf_text_insert(e->a, &e->lines, e->lines.n,
		hf_str(hf_sprintf(e->a, "%s%s%.*s\n", option, format, HF_STR_ARG(value))));
}

/* A new section holds what it was to be known by. */
static void conditions_add(struct ini *e)
{
	const struct hf_value *all = e->p->section_has_values;
	for (size_t i = 0; all != NULL && i < hf_list_len(all); i++) {
		const char *option = hf_dict_cstr(hf_list_at(all, i), "option", "");
		const struct hf_value *values = condition_values(e, hf_list_at(all, i));
		bool ours = e->p->option != NULL && strcmp(option, e->p->option) == 0;
		for (size_t k = 0; k < hf_list_len(values); k++) {
			struct hf_str value = hf_value_text(e->a, hf_list_at(values, k));
			if (!ours)
				line_append(e, option, value);
			else if (e->p->exclusive != HF_YES && !value_listed(e, value))
				hf_text_insert(e->a, &e->wanted, e->wanted.n, value);
		}
		if (!ours && hf_list_len(values) == 0 && e->p->allow_no_value == HF_YES)
			hf_text_insert(e->a, &e->lines, e->lines.n, hf_str(hf_sprintf(e->a, "%s\n", option)));
	}
}

static void section_add(struct ini *e)
{
	hf_text_insert(e->a, &e->lines, e->lines.n, hf_str(hf_sprintf(e->a, "[%s]\n", e->p->section)));
	conditions_add(e);
	bool bare = e->p->option != NULL && e->wanted.n == 0 && e->p->allow_no_value == HF_YES;
	for (size_t k = 0; e->p->option != NULL && k < e->wanted.n; k++)
		line_append(e, e->p->option, e->wanted.at[k]);
	if (bare)
		hf_text_insert(e->a, &e->lines, e->lines.n, hf_str(hf_sprintf(e->a, "%s\n", e->p->option)));
	changed(e, bare || (e->p->option != NULL && e->wanted.n > 0) ? "section and option added"
								     : "only section added");
}

static void ini_present(struct ini *e)
{
	if (!e->found) {
		section_add(e);
		return;
	}
	if (e->p->option == NULL)
		return;
	values_match(e);
	if (e->p->exclusive == HF_YES && e->p->allow_no_value != HF_YES)
		values_override(e);
	values_insert(e);
}

static void ini_absent(struct ini *e)
{
	if (!e->found)
		return;
	if (e->p->option == NULL) {
		if (e->to > e->from)
			changed(e, "section removed");
		hf_text_remove(&e->lines, e->from, e->to - e->from);
		return;
	}
	for (size_t i = e->to; i > section_body(e); i--) {
		struct option_match m = option_match(e, e->lines.at[i - 1], false);
		if (!m.found || (e->p->exclusive != HF_YES && !value_listed(e, m.value)))
			continue;
		hf_text_remove(&e->lines, i - 1, 1);
		changed(e, "option changed");
	}
}

static void values_take(struct ini *e)
{
	const struct params *p = e->p;
	if (p->value != NULL)
		hf_text_insert(e->a, &e->wanted, 0, hf_str(p->value));
	for (size_t i = 0; p->values != NULL && i < hf_list_len(p->values); i++) {
		struct hf_str value = hf_value_text(e->a, hf_list_at(p->values, i));
		if (!value_listed(e, value))
			hf_text_insert(e->a, &e->wanted, e->wanted.n, value);
	}
}

static int ini_load(struct ini *e, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = e->p;
	int result = hf_text_load(&e->text, p->path, err);
	if (result < 0)
		return result;
	if (!e->text.exists && p->create != HF_YES) {
		hf_result_int(e->text.c, change, "rc", 257);
		return hf_fail(err, HF_E_TASK, "Destination %s does not exist!", p->path);
	}
	if (p->follow != HF_YES)
		e->text.real = p->path;
	if (hf_str_starts(e->text.before, "\xef\xbb\xbf"))
		e->text.before = hf_strn(e->text.before.p + 3, e->text.before.n - 3);
	e->text.before = hf_text_newlines(e->a, e->text.before);
	hf_text_split(e->a, e->text.before, false, &e->lines);
	if (e->lines.n == 0)
		hf_text_insert(e->a, &e->lines, 0, HF_STR("\n"));
	struct hf_str *last = &e->lines.at[e->lines.n - 1];
	if (!hf_str_ends(*last, "\n")) {
		*last = hf_str(hf_sprintf(e->a, "%.*s\n", HF_STR_ARG(*last)));
		e->text.content_changed = true;
	}
	return 0;
}

static bool given_twice(const struct hf_value *condition)
{
	const struct hf_value *value = hf_dict_get(condition, "value"),
			      *values = hf_dict_get(condition, "values");
	return value != NULL && !hf_is(value, HF_NULL) && values != NULL && !hf_is(values, HF_NULL);
}

static int ini_file_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct ini *e = hf_new(a, struct ini);
	*e = (struct ini){ .p = p, .a = a };
	e->text = (struct hf_text_edit){ .c = c,
		.change = change,
		.attr = &p->attr,
		.backup = p->backup == HF_YES,
		.message = "OK",
		.no_attr_words = true };
	values_take(e);
	if (p->state == INI_PRESENT && e->wanted.n == 0 && p->allow_no_value != HF_YES)
		return hf_fail(err, HF_E_TASK,
			"Parameter 'value(s)' must be defined if state=present and allow_no_value=False.");
	for (size_t i = 0; p->section_has_values != NULL && i < hf_list_len(p->section_has_values); i++)
		if (given_twice(hf_list_at(p->section_has_values, i)))
			return hf_fail(err, HF_E_ARGUMENT,
				"parameters are mutually exclusive: value|values found in "
				"section_has_values");
	int result = ini_load(e, change, err);
	if (result < 0)
		return hf_file_attr_done(c, change, result);
	hf_result_cstr(c, change, "path", p->path);
	result = section_find(e, err);
	if (result < 0)
		return hf_file_attr_done(c, change, result);
	e->done = hf_new_array(a, e->to - e->from + 1, bool);
	if (p->state == INI_PRESENT)
		ini_present(e);
	else
		ini_absent(e);
	e->text.after = hf_text_join(a, &e->lines);
	if (!e->text.exists && !e->text.content_changed)
		e->text.after = HF_STR("");
	return hf_file_attr_done(c, change, hf_text_look(&e->text, err));
}

static int ini_file_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct hf_text_edit *e = change->state;
	if (e->backup && e->content_changed && !e->exists)
		hf_result_cstr(c, change, "backup_file", "");
	return hf_file_attr_done(c, change, hf_text_apply(c, params, change, err));
}

static void ini_file_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	hf_watch_path(w, ((const struct params *)params)->path);
}

static const char *const aliases[] = { "community.general.ini_file", NULL };

const struct hf_module hf_module_ini_file = {
	.name = "ini_file",
	.collection = "community.general",
	.aliases = aliases,
	.schema = { args, rules, sizeof(struct params) },
	.check = ini_file_check,
	.apply = ini_file_apply,
	.undo = hf_text_undo,
	.watch = ini_file_watch,
};
