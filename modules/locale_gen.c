/* modules/locale_gen.c - locales a Debian system has compiled. */
#include <strings.h>

#include "lib/base/scope.h"
#include "modules/host.h"

static const char *const states[] = { "absent", "present", NULL };
struct params {
	const struct hf_value *name;
	const char *state;
};
static const struct hf_arg args[] = {
	{ "name", HF_ARG_LIST, offsetof(struct params, name), .flags = HF_REQUIRED, .elements = HF_ARG_STR },
	{ "state", HF_ARG_STR, offsetof(struct params, state), .dflt = "present", .choices = states },
	{ .type = HF_ARG_END },
};

struct state {
	struct hf_edit file;
	bool generate;
};

/* en_US.UTF-8 and en_US.utf8 are one. */
static bool names_same(const char *a, struct hf_str b)
{
	size_t i = 0, k = 0, n = strlen(a);
	while (i < n && k < b.n) {
		if (a[i] == '-') {
			i++;
			continue;
		}
		if (b.p[k] == '-') {
			k++;
			continue;
		}
		if (strncasecmp(a + i++, b.p + k++, 1) != 0)
			return false;
	}
	return i == n && k == b.n;
}

static bool is_compiled(struct hf_str all, const char *name)
{
	struct hf_str line;
	while (hf_str_split(&all, '\n', &line))
		if (names_same(name, hf_str_trim(line)))
			return true;
	return false;
}

/* The line of locale.gen that stands for name: "# en_US.UTF-8 UTF-8" */
static bool line_names(struct hf_str line, const char *name, bool *ret_on)
{
	struct hf_str text = hf_str_trim(line);
	*ret_on = text.n > 0 && text.p[0] != '#';
	while (text.n > 0 && (text.p[0] == '#' || text.p[0] == ' '))
		text = hf_strn(text.p + 1, text.n - 1);
	size_t n = strlen(name);
	return text.n > n && memcmp(text.p, name, n) == 0 && text.p[n] == ' ';
}

static int plan_name(
	struct hf_module_context *c, struct state *s, const char *name, bool present, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_str rest = s->file.after, line;
	bool known = false, on;
	while (rest.n > 0 && hf_str_split(&rest, '\n', &line)) {
		struct hf_str bare = hf_str_trim(line);
		if (!line_names(line, name, &on) || on == present) {
			known = known || line_names(line, name, &on);
			hf_buf_printf(&out, "%.*s\n", HF_STR_ARG(line));
			continue;
		}
		known = true;
		while (present && bare.n > 0 && (bare.p[0] == '#' || bare.p[0] == ' '))
			bare = hf_strn(bare.p + 1, bare.n - 1);
		hf_buf_printf(&out, "%s%.*s\n", present ? "" : "# ", HF_STR_ARG(bare));
	}
	if (!known)
		return hf_fail(err, HF_E_TASK,
			"The locale you've entered is not available on your system: %s", name);
	hf_edit_set(c, &s->file, &out);
	return 0;
}

static int locale_gen_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct state *s = hf_new(a, struct state);
	struct hf_words w = hf_words(a, "locale", "-a", NULL);
	struct hf_str all;
	bool present = strcmp(p->state, "present") == 0;
	change->state = s;
	if (!hf_fs_exists("/etc/locale.gen"))
		return hf_fail(err, HF_E_TASK,
			"/etc/locale.gen and /var/lib/locales/supported.d/local are missing. Is the package "
			"\"locales\" installed?");
	int r = hf_edit_open(c, "/etc/locale.gen", 0644, &s->file, err);
	if (r == 0)
		r = hf_host_output(c, &w, &all, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(p->name); i++) {
		const char *name = hf_list_at(p->name, i)->u.string.p;
		bool wrong = is_compiled(all, name) != present;
		struct hf_str before = s->file.after;
		r = plan_name(c, s, name, present, err);
		if (!wrong)
			s->file.after = before;
		s->generate = s->generate || wrong;
	}
	change->changed = s->generate;
	if (r == 0 && s->generate)
		hf_edit_describe(c, change, &s->file);
	return r;
}

static int generate(struct hf_module_context *c, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "locale-gen", NULL);
	return hf_host_output(c, &w, NULL, err);
}

static int locale_gen_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct state *s = change->state;
	(void)params;
	int r = hf_edit_write(&s->file, err);
	return r < 0 ? r : generate(c, err);
}

static int locale_gen_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct state *s = change->state;
	(void)params;
	hf_undo_step(undo, hf_step(c, "generate"));
	return hf_edit_undo(undo, &s->file, err);
}

static int locale_gen_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	(void)step;
	return generate(c, err);
}

static void locale_gen_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_path(w, "/etc/locale.gen");
	hf_watch_path(w, "/usr/lib/locale/locale-archive");
}

const struct hf_module hf_module_locale_gen = {
	.name = "locale_gen",
	.collection = "community.general",
	.schema = { args, NULL, sizeof(struct params) },
	.check = locale_gen_check,
	.apply = locale_gen_apply,
	.undo = locale_gen_undo,
	.restore = locale_gen_restore,
	.watch = locale_gen_watch,
};
