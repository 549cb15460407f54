/* modules/conda_env.c - an environment of conda, mamba or micromamba. What is in it is read from its
 * conda-meta folder; the program is asked only to change it. */
#include <dirent.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "modules/host.h"

static const char *const states[] = { "present", "absent", "latest", NULL };
struct params {
	const char *prefix, *name, *executable, *file, *state;
	struct hf_value *packages, *channels;
	enum hf_tristate override_channels;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "prefix", HF_ARG_PATH, AT(prefix), .aliases = ALIASES("path"),
		.help = "Folder of the environment." },
	{ "name", HF_ARG_STR, AT(name),
		.help = "Its name, where the program keeps environments; base: the program's own." },
	{ "packages", HF_ARG_LIST, AT(packages), .elements = HF_ARG_STR,
		.help = "NAME, NAME=VERSION, NAME==VERSION or NAME=VERSION=BUILD, with CHANNEL:: before "
			"it." },
	{ "file", HF_ARG_PATH, AT(file),
		.help = "A lock file (@EXPLICIT and URLs) or an environment.yml, on this host." },
	{ "channels", HF_ARG_LIST, AT(channels), .elements = HF_ARG_STR,
		.help = "Channels, the first first." },
	{ "override_channels", HF_ARG_BOOL, AT(override_channels), .dflt = "false",
		.help = "No channels but these." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "absent: the packages, or without any the environment. latest: nothing newer is to "
			"be "
			"had." },
	{ "executable", HF_ARG_PATH, AT(executable),
		.help = "The program; without it the first of micromamba, mamba and conda that is there." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_ONE_OF, ALIASES("prefix", "name") },
	{ HF_RULE_EXCLUSIVE, ALIASES("prefix", "name") },
	{ HF_RULE_EXCLUSIVE, ALIASES("packages", "file") },
	{ HF_RULE_END },
};
enum { FILE_MAX = 16 << 20, RECORD_MAX = 64 << 20, PACKAGES_MAX = 100000 };

/* One package, there or wanted; build and version NULL: any. */
struct spec {
	const char *text, *name, *version, *build;
	bool exact;
};

struct plan {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	const char *program, *prefix;
	bool exists, lock; /* lock: file names every package */
	HF_VEC(struct spec) there;
	HF_VEC(struct spec) wanted;
	HF_VEC(const char *) wheels; /* what pip: of an environment.yml wants */
};

static bool is(const struct params *p, const char *state)
{
	return strcmp(p->state, state) == 0;
}

/* --- what is there ------------------------------------------------------------------------------------- */

/* NAME-VERSION-BUILD */
static bool dist_split(struct hf_arena *a, const char *dist, struct spec *ret)
{
	const char *build = strrchr(dist, '-'), *version = build;
	while (version != NULL && version > dist && *--version != '-')
		;
	if (build == NULL || version == dist)
		return false;
	*ret = (struct spec){ .text = dist,
		.name = hf_strndup(a, dist, (size_t)(version - dist)),
		.version = hf_strndup(a, version + 1, (size_t)(build - version) - 1),
		.build = build + 1,
		.exact = true };
	return true;
}

/* The same of the file that a URL names. */
static bool url_split(struct hf_arena *a, const char *url, struct spec *ret)
{
	const char *base = hf_path_base(url), *end = strstr(base, ".conda");
	if (end == NULL)
		end = strstr(base, ".tar.bz2");
	return end != NULL && dist_split(a, hf_strndup(a, base, (size_t)(end - base)), ret);
}

static int meta_read(struct plan *plan, struct hf_error *err)
{
	const char *path = hf_path_join(plan->a, plan->prefix, "conda-meta");
	hf_auto_dir d = opendir(path);
	struct dirent *e;
	plan->exists = d != NULL;
	if (d == NULL && errno != ENOENT && errno != ENOTDIR)
		return hf_fail_errno(err, HF_E_TASK, "open %s", path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);
		struct spec one;
		if (n < 5 || strcmp(e->d_name + n - 5, ".json") != 0 ||
			!dist_split(plan->a, hf_strndup(plan->a, e->d_name, n - 5), &one))
			continue;
		if (plan->there.n == PACKAGES_MAX)
			return hf_fail(
				err, HF_E_LIMIT, "%s: more than %d packages", plan->prefix, PACKAGES_MAX);
		*hf_vec_push(plan->a, &plan->there) = one;
	}
	return 0;
}

static bool version_fits(const struct spec *wanted, const char *have)
{
	size_t n = strlen(wanted->version);
	if (n > 1 && strcmp(wanted->version + n - 1, "*") == 0) {
		n -= wanted->version[n - 2] == '.' ? 2 : 1;
		return strncmp(wanted->version, have, n) == 0;
	}
	if (strcmp(wanted->version, have) == 0)
		return true;
	return !wanted->exact && strncmp(wanted->version, have, n) == 0 && have[n] == '.';
}

static bool is_there(const struct plan *plan, const struct spec *wanted)
{
	for (size_t i = 0; i < plan->there.n; i++) {
		const struct spec *t = &plan->there.at[i];
		if (strcmp(t->name, wanted->name) == 0)
			return (wanted->version == NULL || version_fits(wanted, t->version)) &&
			       (wanted->build == NULL || strcmp(wanted->build, t->build) == 0);
	}
	return false;
}

/* Names of Python packages as pip compares them. */
static const char *wheel_name(struct hf_arena *a, struct hf_str name)
{
	char *out = hf_str_dup(a, name);
	for (char *c = out; *c != '\0'; c++)
		*c = *c == '_' || *c == '.' ? '-' : (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
	return out;
}

/* NAME-VERSION.dist-info in a folder of site-packages. */
static bool wheel_in(struct plan *plan, const char *folder, const char *wanted)
{
	hf_auto_dir d = opendir(folder);
	struct dirent *e;
	const char *pin = strstr(wanted, "==");
	size_t n = strcspn(wanted, "=[ ");
	const char *name = wheel_name(plan->a, hf_strn(wanted, n));
	while (d != NULL && (e = readdir(d)) != NULL) {
		const char *end = strstr(e->d_name, ".dist-info"), *dash = strchr(e->d_name, '-');
		if (end == NULL || dash == NULL || dash > end)
			continue;
		struct hf_str version = hf_strn(dash + 1, (size_t)(end - dash) - 1);
		if (strcmp(wheel_name(plan->a, hf_strn(e->d_name, (size_t)(dash - e->d_name))), name) == 0)
			return pin == NULL || hf_str_is(version, pin + 2);
	}
	return false;
}

static bool wheel_there(struct plan *plan, const char *wanted)
{
	const char *lib = hf_path_join(plan->a, plan->prefix, "lib");
	hf_auto_dir d = opendir(lib);
	struct dirent *e;
	bool found = false;
	while (!found && d != NULL && (e = readdir(d)) != NULL)
		if (strncmp(e->d_name, "python3", 7) == 0)
			found = wheel_in(
				plan, hf_sprintf(plan->a, "%s/%s/site-packages", lib, e->d_name), wanted);
	return found;
}

/* --- what is wanted ------------------------------------------------------------------------------------ */

static int spec_take(struct plan *plan, const char *text, struct hf_error *err)
{
	const char *channel = strstr(text, "::"), *at = channel == NULL ? text : channel + 2;
	struct spec one = { .text = text };
	size_t n = strcspn(at, "= ");
	if (strpbrk(at, "<>!|,~[") != NULL || n == 0)
		return hf_fail(err, HF_E_ARGUMENT,
			"package '%s': NAME, NAME=VERSION, NAME==VERSION and NAME=VERSION=BUILD are "
			"understood; "
			"ranges are not, since what is there could not be told from what is wanted",
			text);
	one.name = hf_strndup(plan->a, at, n);
	at += n + strspn(at + n, " ");
	if (*at == '=') {
		one.exact = at[1] == '=';
		at += 1 + one.exact;
		one.version = hf_strndup(plan->a, at, strcspn(at, "="));
		at += strlen(one.version);
		one.build = *at == '=' ? at + 1 : NULL;
	}
	*hf_vec_push(plan->a, &plan->wanted) = one;
	return 0;
}

static int specs_take(struct plan *plan, const struct hf_value *list, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && list != NULL && i < hf_list_len(list); i++)
		r = spec_take(plan, hf_value_text(plan->a, hf_list_at(list, i)).p, err);
	return r;
}

static int lock_take(struct plan *plan, struct hf_str text, struct hf_error *err)
{
	struct hf_str line;
	while (text.n > 0) {
		hf_str_split(&text, '\n', &line);
		line = hf_str_trim(line);
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == '@')
			continue;
		const char *url = hf_strndup(plan->a, line.p, strcspn(hf_str_dup(plan->a, line), "#"));
		struct spec one;
		if (!url_split(plan->a, url, &one))
			return hf_fail(err, HF_E_TASK, "%s: '%.*s' is no URL of a package", plan->p->file,
				HF_STR_ARG(line));
		*hf_vec_push(plan->a, &plan->wanted) = one;
	}
	return 0;
}

static int document_take(struct plan *plan, struct hf_str text, struct hf_error *err)
{
	struct hf_value *doc = NULL;
	int r = hf_yaml_parse(plan->a, text, plan->p->file, NULL, &doc, err);
	const struct hf_value *all = r == 0 && hf_is(doc, HF_DICT) ? hf_dict_get(doc, "dependencies") : NULL;
	if (r == 0 && !hf_is(all, HF_LIST))
		return hf_fail(
			err, HF_E_TASK, "%s: neither a lock file nor one with `dependencies`", plan->p->file);
	for (size_t i = 0; r == 0 && i < hf_list_len(all); i++) {
		const struct hf_value *one = hf_list_at(all, i);
		const struct hf_value *pip = hf_is(one, HF_DICT) ? hf_dict_get(one, "pip") : NULL;
		if (!hf_is(one, HF_DICT))
			r = spec_take(plan, hf_value_text(plan->a, one).p, err);
		for (size_t k = 0; hf_is(pip, HF_LIST) && k < hf_list_len(pip); k++) {
			const char *wheel = hf_value_text(plan->a, hf_list_at(pip, k)).p;
			if (strpbrk(wheel, "<>!~;,@/") != NULL || wheel[0] == '-')
				return hf_fail(err, HF_E_ARGUMENT,
					"%s: '%s': of pip's packages NAME and NAME==VERSION are understood",
					plan->p->file, wheel);
			*hf_vec_push(plan->a, &plan->wheels) = wheel;
		}
	}
	return r;
}

static int wanted_read(struct plan *plan, struct hf_error *err)
{
	struct hf_str text;
	if (plan->p->file == NULL)
		return specs_take(plan, plan->p->packages, err);
	int r = hf_fs_read(plan->a, plan->p->file, FILE_MAX, &text, err);
	if (r < 0)
		return r;
	plan->lock = strstr(text.p, "@EXPLICIT") != NULL;
	return plan->lock ? lock_take(plan, text, err) : document_take(plan, text, err);
}

/* --- the program --------------------------------------------------------------------------------------- */

static int program_find(struct plan *plan, struct hf_error *err)
{
	static const char *const names[] = { "micromamba", "mamba", "conda" };
	struct hf_error why;
	plan->program = plan->p->executable;
	for (size_t i = 0; plan->program == NULL && i < HF_COUNT(names); i++)
		if (hf_host_program(plan->c, names[i], &plan->program, &why) < 0)
			plan->program = NULL;
	return plan->program != NULL
		       ? 0
		       : hf_fail(err, HF_E_TASK,
				 "none of micromamba, mamba and conda is there: give `executable`");
}

static bool micro(const struct plan *plan)
{
	return strstr(hf_path_base(plan->program), "micromamba") != NULL;
}

static int json_asked(
	struct plan *plan, const struct hf_words *w, struct hf_value **ret, struct hf_error *err)
{
	struct hf_str out;
	int r = hf_host_output(plan->c, w, &out, err);
	if (r == 0 && (hf_json_loads(plan->a, out, ret, err) < 0 || !hf_is(*ret, HF_DICT)))
		return hf_fail(err, HF_E_TASK, "%s answers with no JSON object", hf_words_line(w));
	return r;
}

static int prefix_find(struct plan *plan, struct hf_error *err)
{
	struct hf_words w = hf_words(plan->a, plan->program, "info", "--json", NULL);
	struct hf_value *told;
	bool m = micro(plan), base = hf_same(plan->p->name, "base");
	plan->prefix = plan->p->prefix;
	if (plan->prefix != NULL)
		return 0;
	int r = json_asked(plan, &w, &told, err);
	if (r < 0)
		return r;
	const struct hf_value *dirs = hf_dict_get(told, m ? "envs directories" : "envs_dirs");
	const char *root = hf_dict_cstr(told, m ? "base environment" : "root_prefix", NULL);
	if (base)
		plan->prefix = root;
	else if (hf_is(dirs, HF_LIST) && hf_list_len(dirs) > 0)
		plan->prefix =
			hf_path_join(plan->a, hf_value_text(plan->a, hf_list_at(dirs, 0)).p, plan->p->name);
	return plan->prefix != NULL
		       ? 0
		       : hf_fail(err, HF_E_TASK, "%s does not tell where environments are", plan->program);
}

static struct hf_words words(struct plan *plan, const char *verb)
{
	const struct params *p = plan->p;
	struct hf_words w = hf_words(plan->a, plan->program, NULL);
	bool document = p->file != NULL && !plan->lock && !micro(plan);
	if (document)
		hf_words_add(&w, "env");
	hf_words_add(&w, document && strcmp(verb, "install") == 0 ? "update" : verb);
	if (!document)
		hf_words_add(&w, "--yes");
	hf_words_add(&w, "--prefix");
	hf_words_add(&w, plan->prefix);
	for (size_t i = 0; !document && p->channels != NULL && i < hf_list_len(p->channels); i++) {
		hf_words_add(&w, "--channel");
		hf_words_add(&w, hf_value_text(plan->a, hf_list_at(p->channels, i)).p);
	}
	if (p->override_channels == HF_YES && !document)
		hf_words_add(&w, "--override-channels");
	if (p->file != NULL) {
		hf_words_add(&w, "--file");
		hf_words_add(&w, p->file);
	} else if (p->packages != NULL) {
		hf_words_text(&w, p->packages);
	}
	return w;
}

/* Would an update bring anything? Only the program can tell. */
static int newer_look(struct plan *plan, bool *ret, struct hf_error *err)
{
	struct hf_words w = words(plan, "update");
	struct hf_value *told;
	if (plan->p->packages == NULL)
		hf_words_add(&w, "--all");
	hf_words_add(&w, "--dry-run");
	hf_words_add(&w, "--json");
	int r = json_asked(plan, &w, &told, err);
	const struct hf_value *actions = r == 0 ? hf_dict_get(told, "actions") : NULL;
	const struct hf_value *link = hf_is(actions, HF_DICT) ? hf_dict_get(actions, "LINK") : NULL;
	*ret = hf_is(link, HF_LIST) && hf_list_len(link) > 0;
	return r;
}

/* --- the module ---------------------------------------------------------------------------------------- */

static int differs(struct plan *plan, bool *ret, struct hf_error *err)
{
	bool gone = is(plan->p, "absent"), missing = !plan->exists, any = false;
	for (size_t i = 0; i < plan->wanted.n; i++) {
		bool there = is_there(plan, &plan->wanted.at[i]);
		missing = missing || !there;
		any = any || there;
	}
	for (size_t i = 0; !missing && i < plan->wheels.n; i++)
		missing = !wheel_there(plan, plan->wheels.at[i]);
	*ret = gone ? (plan->p->packages == NULL ? plan->exists : any) : missing;
	if (!missing && is(plan->p, "latest") && plan->p->file == NULL)
		return newer_look(plan, ret, err);
	return 0;
}

static int conda_env_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct plan *plan = change->state = hf_new(hf_task_arena(c), struct plan);
	plan->c = c;
	plan->a = hf_task_arena(c);
	plan->p = params;
	if (is(plan->p, "absent") && plan->p->file != NULL)
		return hf_fail(
			err, HF_E_ARGUMENT, "state=absent takes `packages`, or neither these nor `file`");
	int r = program_find(plan, err);
	if (r == 0)
		r = prefix_find(plan, err);
	if (r == 0)
		r = meta_read(plan, err);
	if (r == 0)
		r = wanted_read(plan, err);
	if (r == 0)
		r = differs(plan, &change->changed, err);
	if (r < 0)
		return r;
	hf_result_cstr(c, change, "prefix", plan->prefix);
	hf_result_cstr(c, change, "executable", plan->program);
	return 0;
}

static int conda_env_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct plan *plan = change->state;
	const struct params *p = params;
	static const char *const env[] = { "CONDA_ALWAYS_YES=true", "MAMBA_NO_BANNER=1", "LC_ALL=C.UTF-8",
		NULL };
	bool gone = is(p, "absent");
	struct hf_words w = words(plan, gone ? "remove" : plan->exists ? "install" : "create");
	if (plan->exists && is(p, "latest") && p->file == NULL) {
		w = words(plan, "update");
		if (p->packages == NULL)
			hf_words_add(&w, "--all");
	}
	if (gone && p->packages == NULL)
		w = micro(plan) ? hf_words(plan->a, plan->program, "env", "remove", "--yes", "--prefix",
					  plan->prefix, NULL)
				: hf_words(plan->a, plan->program, "remove", "--yes", "--all", "--prefix",
					  plan->prefix, NULL);
	int r = hf_host_must(c, change, &w, NULL, env, NULL, err);
	if (r == 0 && gone && p->packages == NULL)
		r = hf_fs_remove_tree(plan->prefix, err);
	return r;
}

static bool holds_something(const char *path)
{
	hf_auto_dir d = opendir(path);
	const struct dirent *e;
	while (d != NULL && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return true;
	return false;
}

/* Every package as the URL it came from: what makes the environment anew. */
static int conda_env_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct plan *plan = change->state;
	struct hf_value *step = hf_step(c, "environment"), *urls = hf_value_list(plan->a), *record;
	struct hf_str text;
	(void)params;
	if (!plan->exists && holds_something(plan->prefix)) {
		hf_undo_impossible(
			undo, "the folder was no environment, and not empty: nothing goes from it");
		return 0;
	}
	for (size_t i = 0; i < plan->there.n; i++) {
		const char *path =
			hf_sprintf(plan->a, "%s/conda-meta/%s.json", plan->prefix, plan->there.at[i].text);
		int r = hf_fs_read(plan->a, path, RECORD_MAX, &text, err);
		if (r == 0)
			r = hf_json_loads(plan->a, text, &record, err);
		if (r < 0)
			return hf_wrap(err, "%s", path);
		const char *url = hf_is(record, HF_DICT) ? hf_dict_cstr(record, "url", NULL) : NULL;
		if (url == NULL) {
			hf_undo_impossible(
				undo, hf_sprintf(plan->a, "%s does not say where it came from", path));
			return 0;
		}
		hf_list_append(urls, hf_value_cstr(plan->a, url));
	}
	hf_dict_put(step, "program", hf_value_cstr(plan->a, plan->program));
	hf_dict_put(step, "prefix", hf_value_cstr(plan->a, plan->prefix));
	hf_dict_put(step, "existed", hf_value_bool(plan->a, plan->exists));
	hf_dict_put(step, "urls", urls);
	hf_undo_step(undo, step);
	if (plan->wheels.n > 0 && plan->exists)
		hf_undo_impossible(undo, "what pip put into the environment stays");
	return 0;
}

static int others_remove(struct plan *plan, const struct plan *before, struct hf_error *err)
{
	struct hf_words w = hf_words(
		plan->a, plan->program, "remove", "--yes", "--force", "--prefix", plan->prefix, NULL);
	size_t n = w.n;
	for (size_t i = 0; i < plan->there.n; i++) {
		const struct spec any = { .name = plan->there.at[i].name };
		if (!is_there(before, &any))
			hf_words_add(&w, any.name);
	}
	return w.n == n ? 0 : hf_host_output(plan->c, &w, NULL, err);
}

static int conda_env_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct hf_value *urls = hf_dict_get(step, "urls");
	struct plan now = { .c = c,
		.a = a,
		.program = hf_step_text(step, "program"),
		.prefix = hf_step_text(step, "prefix") };
	struct plan before = now;
	hf_auto_buf lock = hf_buf_init(FILE_MAX);
	struct hf_fs_temp temp;
	struct spec one;
	int r = meta_read(&now, err);
	if (r < 0 || !hf_dict_bool(step, "existed", false))
		return r < 0 || !now.exists ? r : hf_fs_remove_tree(now.prefix, err);
	hf_buf_puts(&lock, "@EXPLICIT\n");
	for (size_t i = 0; hf_is(urls, HF_LIST) && i < hf_list_len(urls); i++) {
		const char *url = hf_list_at(urls, i)->u.string.p;
		if (url_split(a, url, &one))
			*hf_vec_push(a, &before.there) = one;
		hf_buf_printf(&lock, "%s\n", url);
	}
	r = hf_buf_check(&lock, "the list of packages", err);
	if (r == 0)
		r = hf_fs_temp_open(a, "/tmp/holdfast-lock.txt", &temp, err);
	if (r < 0)
		return r;
	r = hf_fs_write_all(temp.fd, hf_buf_str(&lock), err);
	struct hf_words w = hf_words(a, now.program, now.exists ? "install" : "create", "--yes", "--prefix",
		now.prefix, "--file", temp.path, NULL);
	if (r == 0 && before.there.n > 0)
		r = hf_host_output(c, &w, NULL, err);
	hf_fs_temp_discard(&temp);
	return r < 0 ? r : others_remove(&now, &before, err);
}

static void conda_env_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	if (p->prefix != NULL)
		hf_watch_tree(w, hf_path_join(hf_task_arena(c), p->prefix, "conda-meta"));
	else
		hf_watch_poll(w, 600);
	if (p->file != NULL)
		hf_watch_path(w, p->file);
}

const struct hf_module hf_module_conda_env = {
	.name = "conda_env",
	.collection = "holdfast",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = conda_env_check,
	.apply = conda_env_apply,
	.undo = conda_env_undo,
	.restore = conda_env_restore,
	.watch = conda_env_watch,
};
