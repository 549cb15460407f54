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
	const char *link, *mode, *current; /* as they are; mode: auto or manual */
	bool known, listed;                /* the name; our path under it */
	int64_t priority;
	bool install, remove, select, automatic;
};

/* update-alternatives --query: "Key: value" lines, a stanza for the name, then one for each alternative. */
static int look(struct hf_module_context *c, const struct params *p, struct state *s, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "update-alternatives", "--query", p->name, NULL);
	struct hf_proc_result ran;
	int r = hf_host_run(c, &w, (const char *const[]){ "LC_ALL=C", NULL }, &ran, err);
	if (r < 0 || ran.status != 0)
		return r;
	s->known = true;
	bool ours = false;
	struct hf_str rest = ran.out, line;
	while (hf_str_split(&rest, '\n', &line)) {
		const char *colon = memchr(line.p, ':', line.n);
		if (colon == NULL)
			continue;
		const char *key = hf_strndup(a, line.p, (size_t)(colon - line.p));
		const char *value =
			hf_str_dup(a, hf_str_trim(hf_strn(colon + 1, line.n - (size_t)(colon - line.p) - 1)));
		if (strcmp(key, "Link") == 0)
			s->link = value;
		else if (strcmp(key, "Status") == 0)
			s->mode = value;
		else if (strcmp(key, "Value") == 0)
			s->current = value;
		else if (strcmp(key, "Alternative") == 0)
			ours = strcmp(value, p->path) == 0;
		else if (strcmp(key, "Priority") == 0 && ours)
			s->priority = strtoll(value, NULL, 10);
		s->listed = s->listed || ours;
	}
	return 0;
}

static void plan(const struct params *p, struct state *s)
{
	bool selected = strcmp(p->state, "selected") == 0;
	if (strcmp(p->state, "absent") == 0) {
		s->remove = s->listed;
		return;
	}
	bool other = p->priority != NO_PRIORITY && s->listed && s->priority != p->priority;
	bool moved = p->link != NULL && s->link != NULL && strcmp(p->link, s->link) != 0;
	s->install = !s->listed || other || moved;
	s->select = selected && (!hf_same(s->current, p->path) || !hf_same(s->mode, "manual"));
	s->automatic = strcmp(p->state, "auto") == 0 && s->known && !hf_same(s->mode, "auto");
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
	if (s->install && !s->known && p->link == NULL)
		return hf_fail(err, HF_E_TASK,
			"Needed to install the alternative, but unable to do so as we are missing the link");
	change->changed = s->install || s->remove || s->select || s->automatic;
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
	return r;
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
