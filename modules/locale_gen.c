/* modules/locale_gen.c - locales a Debian system has compiled. */
#include <string.h>

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

/* What locale -a says of an encoding, and what locale.gen does. */
static const char *const encodings[][2] = {
	{ ".utf8", ".UTF-8" },
	{ ".eucjp", ".EUC-JP" },
	{ ".iso885915", ".ISO-8859-15" },
	{ ".cp1251", ".CP1251" },
	{ ".koi8r", ".KOI8-R" },
	{ ".armscii8", ".ARMSCII-8" },
	{ ".euckr", ".EUC-KR" },
	{ ".gbk", ".GBK" },
	{ ".gb18030", ".GB18030" },
	{ ".euctw", ".EUC-TW" },
};

/* en_US.UTF-8 and en_US.utf8 are one. */
static const char *one_name(struct hf_arena *a, struct hf_str name)
{
	const char *text = hf_str_dup(a, name), *dot = strchr(text, '.');
	for (size_t i = 0; dot != NULL && i < HF_COUNT(encodings); i++) {
		size_t n = strlen(encodings[i][0]);
		if (strncmp(dot, encodings[i][0], n) == 0)
			return hf_sprintf(a, "%.*s%s%s", (int)(dot - text), text, encodings[i][1], dot + n);
	}
	return text;
}

/* What locale -a calls it; NULL: it is not compiled. */
static const char *compiled(struct hf_arena *a, struct hf_str all, const char *name)
{
	const char *wanted = one_name(a, hf_str(name));
	struct hf_str line;
	while (hf_str_split(&all, '\n', &line))
		if (line.n > 0 && strcmp(wanted, one_name(a, line)) == 0)
			return hf_str_dup(a, line);
	return NULL;
}

/* The line of locale.gen that stands for name, without its one '#' and its blanks: "# en_US.UTF-8 UTF-8" */
static bool line_names(struct hf_str line, const char *name, struct hf_str *ret_bare)
{
	size_t n = strlen(name);
	if (line.n > 0 && line.p[0] == '#')
		line = hf_strn(line.p + 1, line.n - 1);
	while (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
		line = hf_strn(line.p + 1, line.n - 1);
	*ret_bare = line;
	return line.n > n + 1 && memcmp(line.p, name, n) == 0 && line.p[n] == ' ';
}

static bool is_listed(struct hf_str text, const char *name)
{
	struct hf_str line, bare;
	while (text.n > 0 && hf_str_split(&text, '\n', &line))
		if (line_names(line, name, &bare))
			return true;
	return false;
}

static void plan_name(struct hf_module_context *c, struct state *s, const char *name, bool present)
{
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_str rest = s->file.after, line, bare;
	while (rest.n > 0 && hf_str_split(&rest, '\n', &line)) {
		bool named = line_names(line, name, &bare);
		hf_buf_printf(
			&out, "%s%.*s\n", named && !present ? "# " : "", HF_STR_ARG(named ? bare : line));
	}
	hf_edit_set(c, &s->file, &out);
}

/* What is not there stands for all: none is made where each is, and each has to be there for one to go. What
 * has a folder of its own beside the archive never goes. */
static int compare(struct hf_module_context *c, const struct params *p, struct state *s, bool present,
	struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "locale", "-a", NULL);
	hf_auto_buf unknown = hf_buf_init(HF_EDIT_MAX);
	struct hf_str all;
	bool missing = false, goes = false;
	int nobody = 0;
	int r = hf_host_output(c, &w, &all, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(p->name); i++) {
		const char *name = hf_list_at(p->name, i)->u.string.p, *there = compiled(a, all, name);
		if (there == NULL && !is_listed(s->file.before, name))
			hf_buf_printf(&unknown, "%s%s", nobody++ > 0 ? ", " : "", name);
		missing = missing || there == NULL;
		goes = goes || (there != NULL && !hf_fs_is_dir(hf_sprintf(a, "/usr/lib/locale/%s", there)));
	}
	if (r == 0 && nobody > 0)
		r = hf_fail(err, HF_E_TASK,
			"The following locales you've entered are not available on your system: %s",
			hf_buf_dup(a, &unknown).p);
	s->generate = present ? missing : !missing && goes;
	return r;
}

static int locale_gen_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct state *s = hf_new(hf_task_arena(c), struct state);
	bool present = strcmp(p->state, "present") == 0;
	change->state = s;
	if (!hf_fs_exists("/etc/locale.gen"))
		return hf_fail(err, HF_E_TASK,
			"/var/lib/locales/supported.d/ and /etc/locale.gen are missing. Is the package "
			"\"locales\" installed?");
	int r = hf_edit_open(c, "/etc/locale.gen", 0644, &s->file, err);
	if (r == 0)
		r = compare(c, p, s, present, err);
	if (r < 0)
		return r;
	for (size_t i = 0; s->generate && i < hf_list_len(p->name); i++)
		plan_name(c, s, hf_list_at(p->name, i)->u.string.p, present);
	hf_result_put(c, change, "name", hf_value_copy(hf_task_arena(c), p->name));
	hf_result_bool(c, change, "ubuntu_mode", false);
	change->changed = s->generate;
	if (s->generate)
		hf_edit_describe(c, change, &s->file);
	return 0;
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
