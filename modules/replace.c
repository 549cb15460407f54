#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/engine/regex.h"
#include "modules/text_file.h"

/* replace: every match of a regular expression in a text file. */
struct params {
	const char *regexp, *replace, *after, *before, *encoding;
	struct hf_text_options text;
};

static const struct hf_arg args[] = {
	HF_TEXT_PATH_ARG(struct params, text),
	{ "regexp", HF_ARG_STR, offsetof(struct params, regexp), HF_REQUIRED,
		.help = "Python regular expression; ^ and $ match at every line." },
	{ "replace", HF_ARG_STR, offsetof(struct params, replace), .dflt = "",
		.help = "What each match becomes; \\1 and \\g<name> are filled." },
	{ "after", HF_ARG_STR, offsetof(struct params, after),
		.help = "Only behind the first match of this." },
	{ "before", HF_ARG_STR, offsetof(struct params, before), .help = "Only in front of this." },
	{ "encoding", HF_ARG_STR, offsetof(struct params, encoding), .dflt = "utf-8",
		.help = "Encoding of the file; utf-8 only." },
	HF_TEXT_ARGS(struct params, text),
	{ .type = HF_ARG_END },
};

/* The part between after and before; *ret_found false when the file has none. */
static int section_find(struct hf_arena *a, const struct params *p, struct hf_str text,
	const char **ret_pattern, struct hf_str *ret, bool *ret_found, struct hf_error *err)
{
	bool after = p->after != NULL && *p->after != '\0', before = p->before != NULL && *p->before != '\0';
	*ret = text;
	*ret_found = true;
	if (!after && !before)
		return 0;
	*ret_pattern = hf_sprintf(a, "%s(?P<subsection>.*%s)%s", after ? p->after : "",
		after && before ? "?" : "", before ? p->before : "");
	struct hf_regex *made;
	int result = hf_regex_get(hf_str(*ret_pattern), HF_REGEX_DOTALL, &made, err);
	if (result < 0)
		return result;
	hf_auto_regex re = made;
	struct hf_regex_match m;
	result = hf_regex_exec(a, re, text, 0, HF_REGEX_SEARCH, &m, err);
	if (result < 0)
		return result;
	*ret_found = m.found;
	int group = hf_regex_group_number(re, HF_STR("subsection"));
	if (m.found && group > 0)
		*ret = hf_regex_group(&m, (unsigned)group);
	return 0;
}

static int replace_in(
	struct hf_text_edit *e, const struct params *p, struct hf_str section, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(e->c);
	struct hf_regex *made;
	int result = hf_regex_get(hf_str(p->regexp), HF_REGEX_MULTILINE, &made, err);
	if (result < 0)
		return result;
	hf_auto_regex re = made;
	struct hf_str now;
	size_t count;
	result = hf_regex_sub(a, re, section, hf_str(p->replace), 0, &now, &count, err);
	if (result < 0)
		return hf_wrap(err, "Unable to process replace due to error");
	e->after = e->before;
	if (count == 0 || hf_str_equal(section, now))
		return 0;
	size_t head = (size_t)(section.p - e->before.p);
	struct hf_text_line_list parts = { 0 };
	hf_text_insert(a, &parts, 0, hf_strn(e->before.p, head));
	hf_text_insert(a, &parts, 1, now);
	hf_text_insert(a, &parts, 2, hf_strn(section.p + section.n, e->before.n - head - section.n));
	e->after = hf_text_join(a, &parts);
	e->message = hf_sprintf(a, "%zu replacements made", count);
	e->content_changed = true;
	return 0;
}

static int replace_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_text_edit *e = hf_new(a, struct hf_text_edit);
	*e = hf_text_edit(c, change, &p->text);
	e->bare_header = true;
	char known[HF_ENCODING_MAX];
	if (strcmp(hf_encoding_name(hf_str(p->encoding), known), "UTF-8") != 0)
		return hf_fail(err, HF_E_UNSUPPORTED, "encoding %s: only utf-8 is read", p->encoding);
	int result = hf_text_load(e, p->text.path, err);
	if (result < 0)
		return result;
	if (!e->exists) {
		hf_result_int(c, change, "rc", 257);
		return hf_fail(err, HF_E_TASK, "Path %s does not exist !", p->text.path);
	}
	hf_result_int(c, change, "rc", 0);
	const char *pattern = NULL;
	struct hf_str section;
	bool found;
	result = section_find(a, p, e->before, &pattern, &section, &found, err);
	if (result < 0)
		return result;
	if (!found) {
		hf_result_cstr(c, change, "msg",
			hf_sprintf(a, "Pattern for before/after params did not match the given file: %s",
				pattern));
		return 0;
	}
	result = replace_in(e, p, section, err);
	return result < 0 ? result : hf_text_look(e, err);
}

static void replace_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	hf_watch_path(w, ((const struct params *)params)->text.path);
}

const struct hf_module hf_module_replace = {
	.name = "replace",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.check = replace_check,
	.apply = hf_text_apply,
	.undo = hf_text_undo,
	.watch = replace_watch,
};
