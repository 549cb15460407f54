/* modules/alternatives.c - which program a generic name stands for, through update-alternatives. */
#include <stdlib.h>

#include "modules/host.h"

static const char *const states[] = { "present", "selected", "auto", "absent", NULL };
struct params {
	const char *name, *path, *link, *state;
	int64_t priority;
	struct hf_value *subcommands;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg subcommand[] = {
	{ "name", HF_ARG_STR, 0, .flags = HF_REQUIRED },
	{ "path", HF_ARG_PATH, 0, .flags = HF_REQUIRED },
	{ "link", HF_ARG_PATH, 0, .flags = HF_REQUIRED },
	{ .type = HF_ARG_END },
};
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), .flags = HF_REQUIRED },
	{ "path", HF_ARG_PATH, AT(path), .flags = HF_REQUIRED },
	{ "link", HF_ARG_PATH, AT(link) },
	{ "priority", HF_ARG_INT, AT(priority), .dflt = "-9999999" },
	{ "state", HF_ARG_STR, AT(state), .dflt = "selected", .choices = states },
	{ "subcommands", HF_ARG_LIST, AT(subcommands), .elements = HF_ARG_DICT, .options = subcommand,
		.aliases = ALIASES("slaves") },
	{ .type = HF_ARG_END },
};
enum { NO_PRIORITY = -9999999, DEFAULT_PRIORITY = 50 };

struct state {
	const char *link, *current; /* as they are */
	bool listed, manual;        /* our path stands under the name; somebody chose */
	int64_t priority;
	struct hf_value *links, *helpers; /* name: link; what our path brings along */
	bool install, remove, select, automatic;
};

/* What stands behind head and one word, and then mark: "slave NAME is LINK". */
static bool named_line(struct hf_arena *a, struct hf_str line, const char *head, const char *mark,
	const char **ret_name, const char **ret_value)
{
	if (!hf_str_starts(line, head))
		return false;
	struct hf_str rest = hf_strn(line.p + strlen(head), line.n - strlen(head));
	size_t at = hf_str_find(rest, hf_str(mark), 0);
	if (at == SIZE_MAX)
		return false;
	*ret_name = hf_strndup(a, rest.p, at);
	*ret_value = hf_str_dup(a, hf_strn(rest.p + at + strlen(mark), rest.n - at - strlen(mark)));
	return true;
}

/* A line below the path of one alternative, or above them all. */
static void line_look(
	struct hf_arena *a, const struct params *p, struct state *s, struct hf_str line, bool ours)
{
	static const char *const heads[] = { "slave ", "follower " };
	const char *name, *value;
	if (hf_str_starts(line, "link currently points to "))
		s->current = hf_str_dup(a, hf_strn(line.p + 25, line.n - 25));
	else if (named_line(a, line, "link ", " is ", &name, &value) && strcmp(name, p->name) == 0)
		s->link = value;
	for (size_t i = 0; i < HF_COUNT(heads); i++) {
		if (named_line(a, line, heads[i], " is ", &name, &value)) {
			hf_dict_put(s->links, name, hf_value_cstr(a, value));
		} else if (ours && named_line(a, line, heads[i], ": ", &name, &value) &&
			   strcmp(value, "(null)") != 0) {
			struct hf_value *helper = hf_value_dict(a), *link = hf_dict_get(s->links, name);
			hf_dict_put(helper, "name", hf_value_cstr(a, name));
			hf_dict_put(helper, "path", hf_value_cstr(a, value));
			hf_dict_put(helper, "link", link == NULL ? hf_value_null(a) : link);
			hf_list_append(s->helpers, helper);
		}
	}
}

/* update-alternatives --display, which Debian's and Red Hat's print alike: what is chosen, then a paragraph
 * for each alternative, "/its/path - priority 50". */
static int look(struct hf_module_context *c, const struct params *p, struct state *s, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "update-alternatives", "--display", p->name, NULL);
	struct hf_proc_result ran;
	s->links = hf_value_dict(a);
	s->helpers = hf_value_list(a);
	int r = hf_host_run(c, &w, (const char *const[]){ "LC_ALL=C", NULL }, &ran, err);
	if (r < 0 || ran.status != 0)
		return r;
	bool ours = false, first = true;
	struct hf_str rest = ran.out, line;
	const char *head = hf_sprintf(a, "%s - ", p->path);
	while (hf_str_split(&rest, '\n', &line)) {
		size_t at =
			line.n > 0 && line.p[0] == '/' ? hf_str_find(line, HF_STR("priority "), 0) : SIZE_MAX;
		if (first)
			s->manual = hf_str_find(line, HF_STR("manual"), 0) != SIZE_MAX;
		first = false;
		if (at != SIZE_MAX) {
			ours = hf_str_starts(line, head);
			if (ours)
				s->priority = strtoll(hf_str_dup(a, line) + at + 9, NULL, 10);
			s->listed = s->listed || ours;
		} else {
			line_look(a, p, s, hf_str_trim(line), ours);
		}
	}
	return 0;
}

static bool helpers_within(const struct hf_value *some, const struct hf_value *all)
{
	static const char *const keys[] = { "name", "path", "link" };
	for (size_t i = 0; i < hf_list_len(some); i++) {
		bool found = false;
		for (size_t k = 0; !found && k < hf_list_len(all); k++) {
			found = true;
			for (size_t j = 0; j < HF_COUNT(keys); j++)
				found = found && hf_same(hf_dict_cstr(hf_list_at(some, i), keys[j], ""),
							 hf_dict_cstr(hf_list_at(all, k), keys[j], ""));
		}
		if (!found)
			return false;
	}
	return true;
}

static void plan(const struct params *p, struct state *s)
{
	if (strcmp(p->state, "absent") == 0) {
		s->remove = s->listed;
		return;
	}
	s->install = !s->listed || (p->priority != NO_PRIORITY && s->priority != p->priority) ||
		     (p->subcommands != NULL && (!helpers_within(s->helpers, p->subcommands) ||
							!helpers_within(p->subcommands, s->helpers)));
	s->select = strcmp(p->state, "selected") == 0 && !hf_same(s->current, p->path);
	s->automatic = strcmp(p->state, "auto") == 0 && s->manual;
}

/* What Ansible's module says it does. */
static void report(
	struct hf_module_context *c, const struct params *p, const struct state *s, struct hf_change *change)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct {
		bool done;
		const char *text;
	} rows[] = {
		{ s->install, hf_sprintf(a, "Install alternative '%s' for '%s'.", p->path, p->name) },
		{ s->select, hf_sprintf(a, "Set alternative '%s' for '%s'.", p->path, p->name) },
		{ s->automatic, hf_sprintf(a, "Set alternative to auto for '%s'.", p->name) },
		{ s->remove, hf_sprintf(a, "Remove alternative '%s' from '%s'.", p->path, p->name) },
	};
	const char *msg = "";
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (rows[i].done)
			msg = hf_sprintf(a, "%s%s%s", msg, *msg == '\0' ? "" : " ", rows[i].text);
	hf_result_cstr(c, change, "msg", msg);
}

static void diff_put(
	struct hf_module_context *c, const struct params *p, const struct state *s, struct hf_change *change)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *before = hf_value_dict(a), *after = hf_value_dict(a);
	hf_dict_put(before, "path", hf_value_cstr(a, s->current == NULL ? "" : s->current));
	hf_dict_put(before, "state", hf_value_cstr(a, s->listed ? "present" : "absent"));
	hf_dict_put(after, "path", hf_value_cstr(a, p->path));
	hf_dict_put(after, "state", hf_value_cstr(a, p->state));
	hf_change_diff_values(c, change, before, after);
}

static int alternatives_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct state *s = hf_new(hf_task_arena(c), struct state);
	change->state = s;
	int r = look(c, p, s, err);
	if (r < 0)
		return r;
	plan(p, s);
	if (s->install && !hf_fs_exists(p->path))
		return hf_fail(err, HF_E_TASK, "Specified path %s does not exist", p->path);
	if (s->install && s->link == NULL && p->link == NULL)
		return hf_fail(err, HF_E_TASK,
			"Needed to install the alternative, but unable to do so as we are missing the link");
	change->changed = s->install || s->remove || s->select || s->automatic;
	report(c, p, s, change);
	if (change->changed)
		diff_put(c, p, s, change);
	return 0;
}

static int update(struct hf_module_context *c, struct hf_words *w, struct hf_error *err)
{
	return hf_host_output(c, w, NULL, err);
}

static int alternatives_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	struct hf_arena *a = hf_task_arena(c);
	int r = 0;
	if (s->remove) {
		struct hf_words w = hf_words(a, "update-alternatives", "--remove", p->name, p->path, NULL);
		return update(c, &w, err);
	}
	if (s->install) {
		int64_t priority = p->priority != NO_PRIORITY ? p->priority
				   : s->listed                ? s->priority
							      : DEFAULT_PRIORITY;
		struct hf_words w =
			hf_words(a, "update-alternatives", "--install", p->link != NULL ? p->link : s->link,
				p->name, p->path, hf_sprintf(a, "%lld", (long long)priority), NULL);
		for (size_t i = 0; p->subcommands != NULL && i < hf_list_len(p->subcommands); i++) {
			const struct hf_value *sub = hf_list_at(p->subcommands, i);
			hf_words_add(&w, "--slave");
			hf_words_add(&w, hf_dict_cstr(sub, "link", ""));
			hf_words_add(&w, hf_dict_cstr(sub, "name", ""));
			hf_words_add(&w, hf_dict_cstr(sub, "path", ""));
		}
		r = update(c, &w, err);
	}
	if (r == 0 && s->select) {
		struct hf_words w = hf_words(a, "update-alternatives", "--set", p->name, p->path, NULL);
		r = update(c, &w, err);
	}
	if (r == 0 && s->automatic) {
		struct hf_words w = hf_words(a, "update-alternatives", "--auto", p->name, NULL);
		r = update(c, &w, err);
	}
	return r;
}

static int helpers_undo(
	struct hf_arena *a, const struct hf_value *helpers, struct hf_undo *undo, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && helpers != NULL && i < hf_list_len(helpers); i++) {
		const struct hf_value *helper = hf_list_at(helpers, i);
		const char *link = hf_dict_cstr(helper, "link", "");
		r = hf_undo_file(
			undo, hf_sprintf(a, "/etc/alternatives/%s", hf_dict_cstr(helper, "name", "")), err);
		if (r == 0 && *link != '\0')
			r = hf_undo_file(undo, link, err);
	}
	return r;
}

static int alternatives_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	struct hf_arena *a = hf_task_arena(c);
	const char *link = p->link != NULL ? p->link : s->link;
	int r = hf_undo_file(undo, hf_sprintf(a, "/var/lib/dpkg/alternatives/%s", p->name), err);
	if (r == 0)
		r = hf_undo_file(undo, hf_sprintf(a, "/etc/alternatives/%s", p->name), err);
	if (r == 0 && link != NULL)
		r = hf_undo_file(undo, link, err);
	if (r == 0)
		r = helpers_undo(a, p->subcommands, undo, err);
	return r == 0 ? helpers_undo(a, s->helpers, undo, err) : r;
}

static void alternatives_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	hf_watch_path(w, hf_sprintf(hf_task_arena(c), "/etc/alternatives/%s", p->name));
}

const struct hf_module hf_module_alternatives = {
	.name = "alternatives",
	.collection = "community.general",
	.schema = { args, NULL, sizeof(struct params) },
	.check = alternatives_check,
	.apply = alternatives_apply,
	.undo = alternatives_undo,
	.watch = alternatives_watch,
};
