#include <string.h>

#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/engine/regex.h"
#include "modules/text_file.h"

/* lineinfile: one line of a text file. */
enum { LINE_ABSENT, LINE_PRESENT };

struct params {
	const char *regexp, *search, *line, *after, *before;
	int state;
	enum hf_tristate backrefs, firstmatch;
	struct hf_text_options text;
};

static const char *const states[] = { "absent", "present", NULL };
static const char *const regexp_aliases[] = { "regex", NULL };
static const char *const line_aliases[] = { "value", NULL };

static const struct hf_arg args[] = {
	HF_TEXT_PATH_ARG(struct params, text),
	{ "state", HF_ARG_ENUM, offsetof(struct params, state), .dflt = "present", .choices = states,
		.help = "Whether the line shall be there." },
	{ "regexp", HF_ARG_STR, offsetof(struct params, regexp), .aliases = regexp_aliases,
		.help = "Python regular expression for the line to replace (the last that matches) or remove "
			"(all)." },
	{ "search_string", HF_ARG_STR, offsetof(struct params, search),
		.help = "Plain text instead of regexp." },
	{ "line", HF_ARG_STR, offsetof(struct params, line), .aliases = line_aliases, .help = "The line." },
	{ "insertafter", HF_ARG_STR, offsetof(struct params, after),
		.help = "Without a match: after the last line this matches; EOF, BOF." },
	{ "insertbefore", HF_ARG_STR, offsetof(struct params, before),
		.help = "Without a match: before the last line this matches; BOF." },
	{ "backrefs", HF_ARG_BOOL, offsetof(struct params, backrefs), .dflt = "false",
		.help = "Fill \\1 of line from regexp; without a match leave the file alone." },
	HF_TEXT_CREATE_ARG(struct params, text),
	{ "firstmatch", HF_ARG_BOOL, offsetof(struct params, firstmatch), .dflt = "false",
		.help = "Take the first match, not the last." },
	HF_TEXT_ARGS(struct params, text),
	{ .type = HF_ARG_END },
};
static const char *const insert_names[] = { "insertbefore", "insertafter", NULL };
static const char *const match_names[] = { "regexp", "search_string", NULL };
static const char *const backrefs_names[] = { "backrefs", "search_string", NULL };
static const struct hf_rule rules[] = {
	{ HF_RULE_EXCLUSIVE, insert_names },
	{ HF_RULE_EXCLUSIVE, match_names },
	{ HF_RULE_EXCLUSIVE, backrefs_names },
	{ HF_RULE_END },
};

struct edit {
	struct hf_text_edit text;
	const struct params *p;
	struct hf_arena *a;
	struct hf_error *err;
	struct hf_text_line_list lines;
	struct hf_str line; /* the line without its end */
	const char *after, *before;
	bool matched;                /* regexp or search_string found something */
	struct hf_regex_match match; /* of regexp */
	ptrdiff_t found, place;      /* the matching line; where insertafter/insertbefore point */
};

static int line_search(
	struct edit *e, const struct hf_regex *re, struct hf_str line, struct hf_regex_match *m)
{
	return hf_regex_exec(e->a, re, line, 0, HF_REGEX_SEARCH, m, e->err);
}

/* The line that regexp or search_string names. */
static int find_match(struct edit *e, const struct hf_regex *re)
{
	struct hf_str text = hf_str(e->p->search);
	for (size_t i = 0; i < e->lines.n; i++) {
		struct hf_regex_match m = { 0 };
		if (re != NULL && line_search(e, re, e->lines.at[i], &m) < 0)
			return -HF_E_TASK;
		if (re == NULL)
			m.found = text.n == 0 || hf_str_find(e->lines.at[i], text, 0) != SIZE_MAX;
		if (!m.found)
			continue;
		e->found = (ptrdiff_t)i;
		e->match = m;
		e->matched = true;
		if (e->p->firstmatch == HF_YES)
			break;
	}
	return 0;
}

/* The line itself, or the place where it would go. */
static int find_place(struct edit *e, const struct hf_regex *re)
{
	for (size_t i = 0; i < e->lines.n; i++) {
		if (hf_text_line_is(e->lines.at[i], e->line)) {
			e->found = (ptrdiff_t)i;
			continue;
		}
		struct hf_regex_match m = { 0 };
		if (re != NULL && line_search(e, re, e->lines.at[i], &m) < 0)
			return -HF_E_TASK;
		if (!m.found)
			continue;
		e->place = (ptrdiff_t)i + (e->after != NULL && *e->after != '\0' ? 1 : 0);
		if (e->p->firstmatch == HF_YES)
			break;
	}
	return 0;
}

static struct hf_str line_ended(struct edit *e, struct hf_str line)
{
	if (hf_str_ends(line, "\n"))
		return line;
	char *p = hf_strndup(e->a, line.p, line.n + 1);
	p[line.n] = '\n';
	return hf_strn(p, line.n + 1);
}

static struct hf_str line_always_ended(struct edit *e, struct hf_str line)
{
	char *p = hf_alloc(e->a, line.n + 2);
	if (line.n > 0)
		memcpy(p, line.p, line.n);
	p[line.n] = '\n';
	p[line.n + 1] = '\0';
	return hf_strn(p, line.n + 1);
}

static void line_add(struct edit *e, size_t at)
{
	hf_text_insert(e->a, &e->lines, at, line_always_ended(e, e->line));
	e->text.message = "line added";
	e->text.content_changed = true;
}

static int line_replace(struct edit *e, const struct hf_regex *re)
{
	struct hf_str line = e->line;
	if (e->p->backrefs == HF_YES && e->matched && re != NULL) {
		hf_auto_buf out = hf_buf_init(HF_FILE_TEXT_MAX);
		int result = hf_regex_expand(re, &e->match, e->line, &out, e->err);
		if (result == 0)
			result = hf_buf_check(&out, "line", e->err);
		if (result < 0)
			return result;
		line = hf_buf_dup(e->a, &out);
	}
	line = line_ended(e, line);
	if (hf_str_equal(e->lines.at[e->found], line))
		return 0;
	e->lines.at[e->found] = line;
	e->text.message = "line replaced";
	e->text.content_changed = true;
	return 0;
}

static void line_append(struct edit *e)
{
	struct hf_str last = e->lines.n > 0 ? e->lines.at[e->lines.n - 1] : HF_STR("\n");
	if (last.n > 0 && last.p[last.n - 1] != '\n' && last.p[last.n - 1] != '\r')
		hf_text_insert(e->a, &e->lines, e->lines.n, HF_STR("\n"));
	line_add(e, e->lines.n);
}

static void line_place(struct edit *e)
{
	bool is_after = e->after != NULL && *e->after != '\0';
	if ((e->before != NULL && strcmp(e->before, "BOF") == 0) ||
		(e->after != NULL && strcmp(e->after, "BOF") == 0)) {
		line_add(e, 0);
		return;
	}
	if (e->place < 0 || (e->after != NULL && strcmp(e->after, "EOF") == 0)) {
		line_append(e);
		return;
	}
	size_t at = (size_t)e->place;
	/* The line that is there already is not added a second time. */
	if (is_after && hf_text_line_is(e->lines.at[at == e->lines.n ? at - 1 : at], e->line))
		return;
	if (is_after && at == e->lines.n) {
		struct hf_str *last = &e->lines.at[at - 1];
		*last = line_ended(e, *last);
	}
	line_add(e, at);
}

static int regex_or_none(struct edit *e, const char *pattern, struct hf_regex **ret)
{
	*ret = NULL;
	return pattern == NULL ? 0 : hf_regex_get(hf_str(pattern), HF_REGEX_BYTES, ret, e->err);
}

static int line_present(struct edit *e)
{
	const char *place = e->after != NULL ? e->after : e->before;
	bool end =
		place == NULL || strcmp(place, "BOF") == 0 || (e->after != NULL && strcmp(place, "EOF") == 0);
	struct hf_regex *made;
	int result = regex_or_none(e, e->p->regexp, &made);
	if (result < 0)
		return result;
	hf_auto_regex re = made;
	result = regex_or_none(e, end ? NULL : place, &made);
	if (result < 0)
		return result;
	hf_auto_regex where = made;
	if (re != NULL || e->p->search != NULL)
		result = find_match(e, re);
	if (result == 0 && !e->matched)
		result = find_place(e, where);
	if (result < 0)
		return result;
	if (e->found >= 0)
		return line_replace(e, re);
	if (e->p->backrefs != HF_YES)
		line_place(e);
	return 0;
}

static int line_absent(struct edit *e, size_t *ret_removed)
{
	struct hf_regex *made;
	int result = regex_or_none(e, e->p->regexp, &made);
	if (result < 0)
		return result;
	hf_auto_regex re = made;
	size_t kept = 0;
	for (size_t i = 0; i < e->lines.n; i++) {
		struct hf_str line = e->lines.at[i];
		struct hf_regex_match m = { 0 };
		if (re != NULL && line_search(e, re, line, &m) < 0)
			return -HF_E_TASK;
		bool found = m.found;
		if (re == NULL && e->p->search != NULL)
			found = *e->p->search == '\0' ||
				hf_str_find(line, hf_str(e->p->search), 0) != SIZE_MAX;
		else if (re == NULL)
			found = hf_text_line_is(line, e->line);
		if (!found)
			e->lines.at[kept++] = line;
	}
	*ret_removed = e->lines.n - kept;
	e->lines.n = kept;
	return 0;
}

static void warn_empty(struct hf_module_context *c, const struct params *p)
{
	bool regexp = p->regexp != NULL && *p->regexp == '\0';
	if (!regexp && (p->search == NULL || *p->search != '\0'))
		return;
	hf_task_warn(c,
		"The %s is an empty string, which will match every line in the file. This may have "
		"unintended "
		"consequences, such as replacing the last line in the file rather than appending.%s",
		regexp ? "regular expression" : "search string",
		regexp ? " If this is desired, use '^' to match every line in the file and avoid this "
			 "warning."
		       : "");
}

static int check_present(struct hf_module_context *c, struct edit *e, struct hf_change *change)
{
	const struct params *p = e->p;
	if (p->backrefs == HF_YES && p->regexp == NULL)
		return hf_fail(e->err, HF_E_TASK, "regexp is required with backrefs=true");
	if (p->line == NULL)
		return hf_fail(e->err, HF_E_TASK, "line is required with state=present");
	if (!e->text.exists && p->text.create != HF_YES) {
		hf_result_int(c, change, "rc", 257);
		return hf_fail(e->err, HF_E_TASK, "Destination %s does not exist !", p->text.path);
	}
	e->after = p->after == NULL && p->before == NULL ? "EOF" : p->after;
	e->before = p->before;
	hf_result_cstr(c, change, "backup", "");
	return line_present(e);
}

static int check_absent(struct hf_module_context *c, struct edit *e, struct hf_change *change)
{
	const struct params *p = e->p;
	if (p->regexp == NULL && p->search == NULL && p->line == NULL)
		return hf_fail(e->err, HF_E_TASK,
			"one of line, search_string, or regexp is required with state=absent");
	if (!e->text.exists) {
		e->text.message = "file not present";
		return 0;
	}
	size_t removed = 0;
	int result = line_absent(e, &removed);
	e->text.content_changed = removed > 0;
	if (removed > 0)
		e->text.message = hf_sprintf(e->a, "%zu line(s) removed", removed);
	hf_result_int(c, change, "found", (int64_t)removed);
	hf_result_cstr(c, change, "backup", "");
	return result;
}

static int lineinfile_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct edit *e = hf_new(a, struct edit);
	*e = (struct edit){ .p = p, .a = a, .err = err, .line = hf_str(p->line), .found = -1, .place = -1 };
	e->text = hf_text_edit(c, change, &p->text);
	warn_empty(c, p);
	int result = hf_text_load(&e->text, p->text.path, err);
	if (result < 0)
		return result;
	hf_text_split(a, e->text.before, false, &e->lines);
	result = p->state == LINE_PRESENT ? check_present(c, e, change) : check_absent(c, e, change);
	if (result < 0)
		return result;
	e->text.after = hf_text_join(a, &e->lines);
	return hf_text_look(&e->text, err);
}

/* The copy's name under the key this module has for it. */
static int lineinfile_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	int result = hf_text_apply(c, params, change, err);
	const struct hf_text_edit *e = change->state;
	if (e->backup_file != NULL) {
		hf_result_cstr(c, change, "backup", e->backup_file);
		hf_dict_remove(change->result, "backup_file");
	}
	return result;
}

static void lineinfile_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	hf_watch_path(w, ((const struct params *)params)->text.path);
}

const struct hf_module hf_module_lineinfile = {
	.name = "lineinfile",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct params) },
	.check = lineinfile_check,
	.apply = lineinfile_apply,
	.undo = hf_text_undo,
	.watch = lineinfile_watch,
};
