#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/regex.h"
#include "modules/text_file.h"

/* blockinfile: some lines of a text file between two marker lines. */
enum { BLOCK_ABSENT, BLOCK_PRESENT };

struct params {
	const char *marker, *marker_begin, *marker_end, *block, *after, *before;
	int state;
	enum hf_tristate append_newline, prepend_newline;
	struct hf_text_options text;
};

static const char *const states[] = { "absent", "present", NULL };
static const char *const block_aliases[] = { "content", NULL };

static const struct hf_arg args[] = {
	HF_TEXT_PATH_ARG(struct params, text),
	{ "state", HF_ARG_ENUM, offsetof(struct params, state), .dflt = "present", .choices = states,
		.help = "Whether the block shall be there." },
	{ "block", HF_ARG_STR, offsetof(struct params, block), .dflt = "", .aliases = block_aliases,
		.help = "The lines; empty removes the block." },
	{ "marker", HF_ARG_STR, offsetof(struct params, marker), .dflt = "# {mark} ANSIBLE MANAGED BLOCK",
		.help = "Line around the block; {mark} becomes marker_begin and marker_end." },
	{ "marker_begin", HF_ARG_STR, offsetof(struct params, marker_begin), .dflt = "BEGIN",
		.help = "First mark." },
	{ "marker_end", HF_ARG_STR, offsetof(struct params, marker_end), .dflt = "END",
		.help = "Last mark." },
	{ "insertafter", HF_ARG_STR, offsetof(struct params, after),
		.help = "A new block goes after the last line this matches; EOF." },
	{ "insertbefore", HF_ARG_STR, offsetof(struct params, before),
		.help = "A new block goes before the last line this matches; BOF." },
	HF_TEXT_CREATE_ARG(struct params, text),
	{ "append_newline", HF_ARG_BOOL, offsetof(struct params, append_newline), .dflt = "false",
		.help = "An empty line after the block." },
	{ "prepend_newline", HF_ARG_BOOL, offsetof(struct params, prepend_newline), .dflt = "false",
		.help = "An empty line before the block." },
	HF_TEXT_ARGS(struct params, text),
	{ .type = HF_ARG_END },
};
static const char *const insert_names[] = { "insertbefore", "insertafter", NULL };
static const struct hf_rule rules[] = { { HF_RULE_EXCLUSIVE, insert_names }, { HF_RULE_END } };

struct edit {
	struct hf_text_edit text;
	const struct params *p;
	struct hf_arena *a;
	struct hf_error *err;
	struct hf_text_line_list lines;
};

static struct hf_str marker_line(struct hf_arena *a, const char *marker, const char *mark)
{
	hf_auto_buf out = hf_buf_init(1 << 20);
	for (const char *p = marker; *p != '\0';) {
		if (strncmp(p, "{mark}", 6) == 0) {
			hf_buf_puts(&out, mark);
			p += 6;
		} else {
			hf_buf_put(&out, *p++);
		}
	}
	hf_buf_put(&out, '\n');
	return hf_buf_dup(a, &out);
}

/* A pattern that asks for (?m) is searched in the whole text, as it may span lines. */
static bool pattern_multiline(const char *pattern)
{
	size_t n = strncmp(pattern, "(?", 2) == 0 ? strspn(pattern + 2, "aiLmsux") : 0;
	return n > 0 && pattern[2 + n] == ')' && memchr(pattern + 2, 'm', n) != NULL;
}

static int place_whole(struct edit *e, const struct hf_regex *re, ptrdiff_t *ret)
{
	struct hf_regex_match m;
	int result = hf_regex_exec(e->a, re, e->text.before, 0, HF_REGEX_SEARCH, &m, e->err);
	if (result < 0 || !m.found)
		return result;
	size_t end = e->p->after != NULL ? m.end : m.start;
	*ret = 0;
	for (size_t i = 0; i < end; i++)
		*ret += e->text.before.p[i] == '\n';
	return 0;
}

static int place_line(struct edit *e, const struct hf_regex *re, ptrdiff_t *ret)
{
	for (size_t i = 0; i < e->lines.n; i++) {
		struct hf_regex_match m;
		int result = hf_regex_exec(e->a, re, e->lines.at[i], 0, HF_REGEX_SEARCH, &m, e->err);
		if (result < 0)
			return result;
		if (m.found)
			*ret = (ptrdiff_t)i;
	}
	return 0;
}

/* Where a block that is not there yet goes. */
static int block_place(struct edit *e, size_t *ret)
{
	const struct params *p = e->p;
	const char *pattern = NULL;
	if (p->after != NULL && strcmp(p->after, "EOF") != 0)
		pattern = p->after;
	else if (p->after == NULL && p->before != NULL && strcmp(p->before, "BOF") != 0)
		pattern = p->before;
	if (pattern == NULL) {
		*ret = p->before != NULL ? 0 : e->lines.n;
		return 0;
	}
	struct hf_regex *made;
	int result = hf_regex_get(hf_str(pattern), HF_REGEX_BYTES, &made, e->err);
	if (result < 0)
		return result;
	hf_auto_regex re = made;
	ptrdiff_t at = -1;
	result = pattern_multiline(pattern) ? place_whole(e, re, &at) : place_line(e, re, &at);
	if (result == 0)
		*ret = at < 0 ? e->lines.n : (size_t)at + (p->after != NULL ? 1 : 0);
	return result;
}

/* Take the old block out; where it was, or where a new one goes. */
static int block_remove(struct edit *e, struct hf_str first, struct hf_str last, size_t *ret)
{
	ptrdiff_t n0 = -1, n1 = -1;
	for (size_t i = 0; i < e->lines.n; i++) {
		if (hf_str_equal(e->lines.at[i], first))
			n0 = (ptrdiff_t)i;
		if (hf_str_equal(e->lines.at[i], last))
			n1 = (ptrdiff_t)i;
	}
	if (n0 < 0 || n1 < 0)
		return block_place(e, ret);
	size_t from = (size_t)(n0 < n1 ? n0 : n1), to = (size_t)(n0 < n1 ? n1 : n0);
	hf_text_remove(&e->lines, from, to - from + 1);
	*ret = from;
	return 0;
}

static size_t block_insert(struct edit *e, size_t at, struct hf_str first, struct hf_str last)
{
	struct hf_text_line_list block;
	struct hf_str text = hf_str(e->p->block);
	if (e->p->state != BLOCK_PRESENT || text.n == 0)
		return 0;
	if (!hf_str_ends(text, "\n"))
		text = hf_str(hf_sprintf(e->a, "%s\n", text.p));
	hf_text_split(e->a, text, true, &block);
	hf_text_insert(e->a, &e->lines, at, first);
	for (size_t i = 0; i < block.n; i++)
		hf_text_insert(e->a, &e->lines, at + 1 + i, block.at[i]);
	hf_text_insert(e->a, &e->lines, at + 1 + block.n, last);
	return block.n + 2;
}

static void newline_after(struct edit *e, size_t at)
{
	if (at < e->lines.n && !hf_str_is(e->lines.at[at], "\n"))
		hf_text_insert(e->a, &e->lines, at, HF_STR("\n"));
}

static int block_edit(struct edit *e)
{
	const struct params *p = e->p;
	struct hf_str first = marker_line(e->a, p->marker, p->marker_begin);
	struct hf_str last = marker_line(e->a, p->marker, p->marker_end);
	bool present = p->state == BLOCK_PRESENT;
	size_t at = 0;
	int result = block_remove(e, first, last, &at);
	if (result < 0)
		return result;
	if (at > 0 && !hf_str_ends(e->lines.at[at - 1], "\n"))
		e->lines.at[at - 1] = hf_str(hf_sprintf(e->a, "%.*s\n", HF_STR_ARG(e->lines.at[at - 1])));
	if (p->prepend_newline == HF_YES && present && at > 0 && !hf_str_is(e->lines.at[at - 1], "\n"))
		hf_text_insert(e->a, &e->lines, at++, HF_STR("\n"));
	size_t n = block_insert(e, at, first, last);
	if (p->append_newline == HF_YES && present)
		newline_after(e, at + n);
	e->text.after = hf_text_join(e->a, &e->lines);
	e->text.content_changed = !e->text.exists || !hf_str_equal(e->text.before, e->text.after);
	if (!e->text.exists)
		e->text.message = "File created";
	else if (e->text.content_changed)
		e->text.message = n == 0 ? "Block removed" : "Block inserted";
	return 0;
}

static int blockinfile_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct edit *e = hf_new(a, struct edit);
	*e = (struct edit){ .p = p, .a = a, .err = err };
	e->text = hf_text_edit(c, change, &p->text);
	int result = hf_text_load(&e->text, p->text.path, err);
	if (result < 0)
		return result;
	if (!e->text.exists && p->text.create != HF_YES) {
		hf_result_int(c, change, "rc", 257);
		return hf_fail(err, HF_E_TASK, "Path %s does not exist !", p->text.path);
	}
	if (!e->text.exists && p->state == BLOCK_ABSENT) {
		hf_result_cstr(c, change, "msg", hf_sprintf(a, "File %s not present", p->text.path));
		return 0;
	}
	hf_text_split(a, e->text.before, true, &e->lines);
	result = block_edit(e);
	return result < 0 ? result : hf_text_look(&e->text, err);
}

static void blockinfile_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	hf_watch_path(w, ((const struct params *)params)->text.path);
}

const struct hf_module hf_module_blockinfile = {
	.name = "blockinfile",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct params) },
	.check = blockinfile_check,
	.apply = hf_text_apply,
	.undo = hf_text_undo,
	.watch = blockinfile_watch,
};
