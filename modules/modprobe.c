/* modules/modprobe.c - kernel modules: loaded now, and at every boot. */
#include <sys/utsname.h>

#include "lib/base/scope.h"
#include "modules/host.h"

static const char *const states[] = { "absent", "present", NULL };
static const char *const persists[] = { "disabled", "absent", "present", NULL };
struct params {
	const char *name, *state, *params, *persistent;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), .flags = HF_REQUIRED },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states },
	{ "params", HF_ARG_STR, AT(params), .dflt = "" },
	{ "persistent", HF_ARG_STR, AT(persistent), .dflt = "disabled", .choices = persists,
		.help = "files in /etc/modules-load.d and /etc/modprobe.d" },
	{ .type = HF_ARG_END },
};
enum { FILES_MAX = 1000 };

struct edits { /* grown by hf_vec_push() */
	struct hf_edit *at;
	size_t n, room;
};
struct state {
	bool load, unload, files_change;
	struct edits files;
};

static bool module_loaded(struct hf_module_context *c, const char *name)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str text, line;
	struct utsname u;
	char *plain = hf_sprintf(a, "%s ", name), *file = hf_sprintf(a, "/%s.ko", name);
	for (char *p = plain; *p != '\0'; p++)
		*p = *p == '-' ? '_' : *p;
	if (hf_fs_read(a, "/proc/modules", HF_EDIT_MAX, &text, NULL) == 0)
		while (hf_str_split(&text, '\n', &line))
			if (hf_str_starts(line, plain))
				return true;
	uname(&u);
	if (hf_fs_read(a, hf_sprintf(a, "/lib/modules/%s/modules.builtin", u.release), HF_EDIT_MAX, &text,
		    NULL) == 0)
		while (hf_str_split(&text, '\n', &line))
			if (hf_str_ends(hf_str_trim(line), file))
				return true;
	return false;
}

/* "name" alone on a line of modules-load.d; "options name key=value" on one of modprobe.d, whose last word is
 * given; a comment may follow. */
static bool line_is_module(struct hf_str line, const char *name)
{
	struct hf_str text = hf_str_trim(line);
	size_t n = strlen(name);
	if (text.n < n || memcmp(text.p, name, n) != 0)
		return false;
	struct hf_str rest = hf_str_trim(hf_strn(text.p + n, text.n - n));
	return text.n == n || (rest.n > 0 && strchr("#;", rest.p[0]) != NULL);
}

static bool line_is_option(
	struct hf_arena *a, struct hf_str line, const char *name, struct hf_str *ret_option)
{
	const char *head = hf_sprintf(a, "options %s ", name);
	if (!hf_str_starts(line, head))
		return false;
	struct hf_str rest = hf_strn(line.p + strlen(head), line.n - strlen(head)), option;
	if (!hf_str_split(&rest, ' ', &option))
		return false;
	rest = hf_str_trim(rest);
	*ret_option = hf_str_trim(option);
	return memchr(option.p, '=', option.n) != NULL && (rest.n == 0 || strchr("#;", rest.p[0]) != NULL);
}

/* What a folder says of the module. */
struct said {
	struct hf_value *options;
	bool named;
};

/* One file: matching lines are put behind '#' when off. */
static int file_plan(struct hf_module_context *c, struct state *s, const char *path, const struct params *p,
	bool off, struct said *said, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_edit file;
	int r = hf_edit_open(c, path, 0644, &file, err);
	if (r < 0)
		return r;
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_str rest = file.before, line, option;
	bool hit = false;
	while (rest.n > 0 && hf_str_split(&rest, '\n', &line)) {
		bool set = line_is_option(a, line, p->name, &option), named = line_is_module(line, p->name);
		hit = hit || set || named;
		said->named = said->named || named;
		if (set)
			hf_list_append(said->options, hf_value_str(a, option));
		hf_buf_printf(&out, "%s%.*s\n", off && (set || named) ? "#" : "", HF_STR_ARG(line));
	}
	if (off && hit) {
		hf_edit_set(c, &file, &out);
		*hf_vec_push(a, &s->files) = file;
	}
	return 0;
}

static int folder_plan(struct hf_module_context *c, struct state *s, const char *folder,
	const struct params *p, bool off, struct said *said, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	hf_auto_dir dir = opendir(folder);
	*said = (struct said){ .options = hf_value_list(a) };
	for (int i = 0; dir != NULL && i < FILES_MAX; i++) {
		struct dirent *entry = readdir(dir);
		const char *path = entry == NULL ? NULL : hf_sprintf(a, "%s/%s", folder, entry->d_name);
		if (entry == NULL)
			break;
		if (entry->d_name[0] == '.' || hf_fs_is_dir(path))
			continue;
		int r = file_plan(c, s, path, p, off, said, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int file_add(struct hf_module_context *c, struct state *s, const char *path, const char *text,
	struct hf_error *err)
{
	for (size_t i = 0; i < s->files.n; i++)
		if (strcmp(s->files.at[i].path, path) == 0) {
			s->files.at[i].after = hf_str(text);
			return 0;
		}
	struct hf_edit file;
	int r = hf_edit_open(c, path, 0644, &file, err);
	if (r < 0)
		return r;
	file.after = hf_str(text);
	*hf_vec_push(hf_task_arena(c), &s->files) = file;
	return 0;
}

static bool options_same(struct hf_arena *a, const struct hf_value *have, const char *want)
{
	struct hf_str rest = hf_str(want), one;
	size_t n = 0;
	while (rest.n > 0 && hf_str_split(&rest, ' ', &one)) {
		if (one.n == 0)
			continue;
		if (!hf_list_has(have, hf_str_dup(a, one)))
			return false;
		n++;
	}
	return n == hf_list_len(have);
}

static int plan_options(
	struct hf_module_context *c, struct state *s, const struct params *p, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct said said;
	int r = folder_plan(c, s, "/etc/modprobe.d", p, false, &said, err);
	if (r < 0 || options_same(a, said.options, p->params))
		return r;
	r = folder_plan(c, s, "/etc/modprobe.d", p, true, &said, err);
	hf_auto_buf text = hf_buf_init(HF_EDIT_MAX);
	struct hf_str rest = hf_str(p->params), one;
	while (rest.n > 0 && hf_str_split(&rest, ' ', &one))
		if (one.n > 0)
			hf_buf_printf(&text, "options %s %.*s\n", p->name, HF_STR_ARG(one));
	if (r == 0)
		r = file_add(
			c, s, hf_sprintf(a, "/etc/modprobe.d/%s.conf", p->name), hf_buf_dup(a, &text).p, err);
	return r;
}

static int plan_persistent(
	struct hf_module_context *c, struct state *s, const struct params *p, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	bool off = strcmp(p->persistent, "absent") == 0;
	struct said said;
	int r = folder_plan(c, s, "/etc/modules-load.d", p, off, &said, err);
	if (r < 0)
		return r;
	if (off)
		return folder_plan(c, s, "/etc/modprobe.d", p, true, &said, err);
	if (!said.named)
		r = file_add(c, s, hf_sprintf(a, "/etc/modules-load.d/%s.conf", p->name),
			hf_sprintf(a, "%s\n", p->name), err);
	return r < 0 ? r : plan_options(c, s, p, err);
}

/* As Ansible's module: what modprobe wrote is the message, its status and words are in the result. */
static int tool(
	struct hf_module_context *c, struct hf_change *change, const struct hf_words *w, struct hf_error *err)
{
	struct hf_proc_result ran;
	int r = hf_host_run(c, w, NULL, &ran, err);
	if (r < 0 || ran.status == 0)
		return r;
	hf_host_report(c, change, &ran);
	return hf_fail(err, HF_E_TASK, "%.*s", HF_STR_ARG(ran.err));
}

/* modprobe NAME OPTIONS, or -r NAME; dry: only whether it could be. */
static int load_or_unload(struct hf_module_context *c, const struct params *p, bool load, bool dry,
	struct hf_change *change, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "modprobe", NULL);
	int r = 0;
	if (dry)
		hf_words_add(&w, "-n");
	if (!load)
		hf_words_add(&w, "-r");
	hf_words_add(&w, p->name);
	if (load)
		r = hf_words_split(&w, p->params, err);
	return r < 0 ? r : tool(c, change, &w, err);
}

static int modprobe_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct state *s = hf_new(hf_task_arena(c), struct state);
	bool present = strcmp(p->state, "present") == 0, loaded = module_loaded(c, p->name);
	change->state = s;
	s->load = present && !loaded;
	s->unload = !present && loaded;
	hf_result_cstr(c, change, "name", p->name);
	hf_result_cstr(c, change, "params", p->params);
	hf_result_cstr(c, change, "state", p->state);
	int r = s->load || s->unload ? load_or_unload(c, p, s->load, true, change, err) : 0;
	if (r == 0 && strcmp(p->persistent, "disabled") != 0)
		r = plan_persistent(c, s, p, err);
	for (size_t i = 0; r == 0 && i < s->files.n; i++)
		hf_edit_describe(c, change, &s->files.at[i]);
	s->files_change = change->changed;
	change->changed = s->files_change || s->load || s->unload;
	return r;
}

static int modprobe_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	int r = 0;
	if (s->load || s->unload)
		r = load_or_unload(c, p, s->load, false, change, err);
	/* "install NAME /bin/true" of modprobe.d: modprobe is content, and nothing was loaded. */
	if (r == 0 && s->load && !module_loaded(c, p->name))
		change->changed = s->files_change;
	for (size_t i = 0; r == 0 && i < s->files.n; i++)
		r = hf_edit_write(&s->files.at[i], err);
	return r;
}

static int modprobe_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	int r = 0;
	if (s->load || s->unload) {
		struct hf_value *step = hf_step(c, s->load ? "unload" : "load");
		hf_dict_put(step, "name", hf_value_cstr(hf_task_arena(c), p->name));
		hf_undo_step(undo, step);
	}
	for (size_t i = 0; r == 0 && i < s->files.n; i++)
		r = hf_edit_undo(undo, &s->files.at[i], err);
	return r;
}

static int modprobe_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	bool unload = strcmp(hf_step_text(step, "what"), "unload") == 0;
	struct hf_words w = hf_words(hf_task_arena(c), "modprobe", NULL);
	if (unload)
		hf_words_add(&w, "-r");
	hf_words_add(&w, hf_step_text(step, "name"));
	return hf_host_output(c, &w, NULL, err);
}

static void modprobe_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	(void)c;
	if (strcmp(p->persistent, "disabled") != 0) {
		hf_watch_tree(w, "/etc/modules-load.d");
		hf_watch_tree(w, "/etc/modprobe.d");
	}
	hf_watch_poll(w, 300);
}

const struct hf_module hf_module_modprobe = {
	.name = "modprobe",
	.collection = "community.general",
	.schema = { args, NULL, sizeof(struct params) },
	.check = modprobe_check,
	.apply = modprobe_apply,
	.undo = modprobe_undo,
	.restore = modprobe_restore,
	.watch = modprobe_watch,
};
