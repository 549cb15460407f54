/* modules/pam_limits.c - one limit in /etc/security/limits.conf. */
#include <stdlib.h>

#include "lib/base/scope.h"
#include "modules/file_content.h"
#include "modules/host.h"

static const char *const types[] = { "hard", "soft", "-", NULL };
static const char *const items[] = { "core", "data", "fsize", "memlock", "nofile", "rss", "stack", "cpu",
	"nproc", "as", "maxlogins", "maxsyslogins", "priority", "locks", "sigpending", "msgqueue", "nice",
	"rtprio", "chroot", NULL };
struct params {
	const char *domain, *limit_type, *limit_item, *value, *dest, *comment;
	int use_max, use_min, backup;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "domain", HF_ARG_STR, AT(domain), .flags = HF_REQUIRED },
	{ "limit_type", HF_ARG_STR, AT(limit_type), .flags = HF_REQUIRED, .choices = types },
	{ "limit_item", HF_ARG_STR, AT(limit_item), .flags = HF_REQUIRED, .choices = items },
	{ "value", HF_ARG_STR, AT(value), .flags = HF_REQUIRED },
	{ "use_max", HF_ARG_BOOL, AT(use_max), .dflt = "no" },
	{ "use_min", HF_ARG_BOOL, AT(use_min), .dflt = "no" },
	{ "backup", HF_ARG_BOOL, AT(backup), .dflt = "no" },
	{ "dest", HF_ARG_STR, AT(dest), .dflt = "/etc/security/limits.conf" },
	{ "comment", HF_ARG_STR, AT(comment), .dflt = "" },
	{ .type = HF_ARG_END },
};
enum { FIELDS = 4 };

static bool is_unlimited(const char *value)
{
	return strcmp(value, "unlimited") == 0 || strcmp(value, "infinity") == 0 || strcmp(value, "-1") == 0;
}

static bool is_number(const char *value)
{
	int64_t number;
	return hf_str_to_int64(hf_str(value), &number);
}

/* where: what the message begins with. */
static int value_check(const char *where, const char *item, const char *value, struct hf_error *err)
{
	bool signs = strcmp(item, "nice") == 0 || strcmp(item, "priority") == 0;
	long number = strtol(value, NULL, 10);
	if (signs && (!is_number(value) || number < -20 || number > 19))
		return hf_fail(err, HF_E_TASK,
			"%s Value of '%s' for item '%s' is invalid. Value must be a number in the range -20 "
			"to 19 inclusive. Refer to the limits.conf(5) manual pages for more details.",
			where, value, item);
	if (signs || (is_number(value) && value[0] != '-') || is_unlimited(value))
		return 0;
	return hf_fail(err, HF_E_TASK,
		"%s Value of '%s' for item '%s' is invalid. Value must either be 'unlimited', 'infinity' or "
		"-1, all of which indicate no limit, or a limit of 0 or larger. Refer to the limits.conf(5) "
		"manual pages for more details.",
		where, value, item);
}

/* Of two values the one that counts: the greater, the smaller, or ours. */
static const char *value_choose(const struct params *p, const char *old)
{
	bool both = is_unlimited(old) && is_unlimited(p->value),
	     any = is_unlimited(old) || is_unlimited(p->value);
	if (p->use_max != HF_YES && p->use_min != HF_YES)
		return p->value;
	if (both)
		return old;
	if (any)
		return (p->use_max == HF_YES) == is_unlimited(old) ? old : p->value;
	bool greater = strtoll(old, NULL, 10) > strtoll(p->value, NULL, 10);
	return greater == (p->use_max == HF_YES) ? old : p->value;
}

/* Words before a comment; false unless they are four. */
static bool line_fields(
	struct hf_arena *a, struct hf_str line, const char *field[FIELDS], const char **ret_comment)
{
	const char *hash = line.n == 0 ? NULL : memchr(line.p, '#', line.n);
	size_t end = hash == NULL ? line.n : (size_t)(hash - line.p), n = 0;
	*ret_comment = hash == NULL ? "" : hf_strndup(a, hash + 1, line.n - end - 1);
	for (size_t i = 0; i < end;) {
		size_t start = i;
		while (i < end && line.p[i] != ' ' && line.p[i] != '\t')
			i++;
		if (i > start && n < FIELDS)
			field[n] = hf_strndup(a, line.p + start, i - start);
		n += i > start;
		i += i == start;
	}
	return n == FIELDS;
}

static const char *limit_line(
	struct hf_arena *a, const struct params *p, const char *value, const char *comment)
{
	const char *tail = p->comment[0] != '\0' ? p->comment : comment;
	return hf_sprintf(a, "%s\t%s\t%s\t%s%s%s", p->domain, p->limit_type, p->limit_item, value,
		tail[0] == '\0' ? "" : "\t#", tail);
}

/* The line as it shall be; *ret_ours: it is the one for this limit. */
static int line_plan(struct hf_arena *a, const struct params *p, struct hf_str line, const char **ret,
	bool *ret_ours, struct hf_error *err)
{
	const char *field[FIELDS] = { 0 }, *comment, *text = hf_str_dup(a, line);
	*ret = text;
	*ret_ours = false;
	if (text[0] == '#' || !line_fields(a, line, field, &comment))
		return 0;
	*ret_ours = strcmp(field[0], p->domain) == 0 && strcmp(field[1], p->limit_type) == 0 &&
		    strcmp(field[2], p->limit_item) == 0;
	const char *value = *ret_ours ? value_choose(p, field[3]) : field[3];
	if (strcmp(value, field[3]) != 0)
		*ret = limit_line(a, p, value, comment);
	return value_check(
		hf_sprintf(a, "Invalid configuration found in '%s'.", p->dest), field[2], field[3], err);
}

struct state {
	struct hf_edit file;
	const char *backup; /* NULL: none is to be made */
};

static int pam_limits_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct state *s = hf_new(a, struct state);
	struct hf_edit *file = &s->file;
	change->state = s;
	if (p->use_max == HF_YES && p->use_min == HF_YES)
		return hf_fail(err, HF_E_TASK, "Cannot use use_min and use_max at the same time.");
	int r = value_check("", p->limit_item, p->value, err);
	if (r == 0)
		r = hf_edit_open(c, p->dest, 0644, file, err);
	if (r < 0)
		return r;
	file->link_gives_way = true;
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_str rest = file->before, line;
	const char *message = NULL, *text;
	while (rest.n > 0 && hf_str_split(&rest, '\n', &line)) {
		bool ours;
		r = line_plan(a, p, line, &text, &ours, err);
		if (r < 0)
			return r;
		message = ours ? text : message;
		hf_buf_printf(&out, "%s\n", text);
	}
	if (message == NULL) {
		message = limit_line(a, p, p->value, "");
		hf_buf_printf(&out, "%s\n", message);
	}
	hf_edit_set(c, file, &out);
	hf_edit_describe(c, change, file);
	if (p->backup == HF_YES && hf_edit_changed(file))
		s->backup = file->existed ? hf_file_backup_name(a, p->dest) : "";
	hf_result_cstr(c, change, "msg", hf_sprintf(a, "%s\n", message));
	return 0;
}

static int pam_limits_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	int r = s->backup != NULL && *s->backup != '\0' ? hf_file_backup(p->dest, s->backup, err) : 0;
	if (r == 0 && s->backup != NULL)
		hf_result_cstr(c, change, "backup_file", s->backup);
	return r < 0 ? r : hf_edit_write(&s->file, err);
}

static int pam_limits_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct state *s = change->state;
	(void)c;
	(void)params;
	int r = s->backup != NULL && *s->backup != '\0' ? hf_undo_file(undo, s->backup, err) : 0;
	return r < 0 ? r : hf_edit_undo(undo, &s->file, err);
}

static void pam_limits_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	(void)c;
	hf_watch_path(w, p->dest);
}

const struct hf_module hf_module_pam_limits = {
	.name = "pam_limits",
	.collection = "community.general",
	.schema = { args, NULL, sizeof(struct params) },
	.check = pam_limits_check,
	.apply = pam_limits_apply,
	.undo = pam_limits_undo,
	.watch = pam_limits_watch,
};
