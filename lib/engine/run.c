#include "lib/engine/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/engine/absent.h"
#include "lib/engine/config.h"
#include "lib/engine/inventory_read.h"
#include "lib/engine/list.h"
#include "lib/engine/refuse.h"
#include "lib/engine/state.h"

static void loader_warning(void *data, const char *text)
{
	hf_event_warning(data, text);
}

static int loader_text(
	void *data, const struct hf_node *node, struct hf_value *v, struct hf_str *ret, struct hf_error *err)
{
	struct hf_run *run = data;
	struct hf_scope *s = hf_new(run->arena, struct hf_scope), *outer = run->scope;
	struct hf_host *h = outer == NULL ? NULL : outer->host;
	hf_scope_init(s, run, run->arena, node->play, h, node->play == NULL ? NULL : node);
	run->scope = s;
	int r = hf_templar_text(
		run->templar, run->arena, hf_value_text(run->arena, v), hf_value_pos(v), NULL, ret, err);
	run->scope = outer;
	return r;
}

static int add_vaults(struct hf_run *run, const struct hf_config *config, struct hf_error *err)
{
	const char *const *files = run->options->vault_password_files;
	int r = 0;
	for (size_t i = 0; r == 0 && files != NULL && files[i] != NULL; i++)
		r = hf_vault_add_file(run->vault, files[i], err);
	if (r == 0 && files == NULL && config->vault_password_file != NULL)
		r = hf_vault_add_file(run->vault, config->vault_password_file, err);
	struct hf_str rest = hf_str(config->vault_identities == NULL ? "" : config->vault_identities), one;
	while (r == 0 && hf_str_split(&rest, ',', &one))
		if (hf_str_trim(one).n > 0)
			r = hf_vault_add_file(run->vault, hf_str_dup(run->arena, hf_str_trim(one)), err);
	return r;
}

static int add_sources(struct hf_run *run, const char *const *list, struct hf_error *err)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
		run->inventory->named = true;
		/* As Ansible: what is not there is said, and nobody is in it. */
		if (strchr(list[i], ',') == NULL && access(list[i], F_OK) < 0 && errno == ENOENT) {
			hf_event_warning(run,
				hf_sprintf(run->arena, "Unable to parse %s as an inventory source", list[i]));
			continue;
		}
		int r = hf_inventory_add(run->inventory, list[i], err);
		if (r < 0)
			return r;
	}
	if (run->inventory->named && run->inventory->order.n == 0)
		hf_event_warning(run, "No inventory was parsed, only implicit localhost is available");
	return 0;
}

static int add_inventory(struct hf_run *run, const struct hf_config *config, struct hf_error *err)
{
	int r = add_sources(run,
		run->options->inventories != NULL ? run->options->inventories : config->inventories, err);
	if (r < 0)
		return r;
	if (run->options->host_name != NULL || run->options->groups != NULL) {
		const char *name = run->options->host_name != NULL ? run->options->host_name : "localhost";
		struct hf_host *h = hf_inventory_host(run->inventory, name);
		const char *const *groups = run->options->groups;
		if (run->options->host_vars != NULL)
			h->vars = hf_value_copy(run->arena, run->options->host_vars);
		for (size_t i = 0; groups != NULL && groups[i] != NULL; i++)
			hf_inventory_join(run->inventory, hf_inventory_group(run->inventory, groups[i]), h);
	}
	hf_inventory_settle(run->inventory);
	return 0;
}

static void init(struct hf_run *run, struct hf_arena *a, const struct hf_run_options *options)
{
	run->arena = a;
	run->options = options;
	run->hooks = options->hooks;
	run->extra = hf_value_dict(a);
	run->secrets = hf_value_list(a);
	run->generation = 1;
	run->started = options->start_at_task == NULL;
	run->deadline_ms =
		options->deadline_s == 0 ? 0 : hf_time_monotonic_ms() + options->deadline_s * UINT64_C(1000);
	run->vault = hf_vault_new(a);
	run->inventory = hf_inventory_new(a);
	hf_map_init_str(&run->roles_done, a);
	hf_map_init_str(&run->notified, a);
	hf_map_init_str(&run->resource_names, a);
	hf_map_init_str(&run->plan.handlers, a);
	hf_magic_init(run);
	struct hf_templar_source source = hf_vars_source(run);
	source.sealed = options->no_lookups;
	run->templar = hf_templar_new(a, &source);
	hf_templar_set_vault(run->templar, run->vault);
}

static void follow_tags(struct hf_run *run, struct hf_run_options *o, const struct hf_config *config)
{
	const char **one = hf_new_array(run->arena, 4, const char *);
	one[0] = config->run_tags;
	one[2] = config->skip_tags;
	o->tags = o->tags != NULL || one[0] == NULL ? o->tags : one;
	o->skip_tags = o->skip_tags != NULL || one[2] == NULL ? o->skip_tags : one + 2;
	bool given;
	run->only_tags = hf_tags_list(run->arena, o->tags, &given);
	if (!given)
		hf_list_append(run->only_tags, hf_value_cstr(run->arena, "all"));
	run->skip_tags = hf_tags_list(run->arena, o->skip_tags, &given);
}

static int follow_strategy(struct hf_run *run, const char *name, struct hf_error *err)
{
	if (name == NULL)
		return 0;
	const struct hf_value v = { .type = HF_STRING, .u.string = hf_str(name) };
	const char *why = hf_keyword_refused(run->arena, HF_KW_strategy, &v);
	run->strategy = name;
	return why == NULL ? 0 : hf_fail(err, HF_E_UNSUPPORTED, "ansible.cfg: %s", why);
}

static int check_duplicates(const char *word, struct hf_error *err)
{
	static const char *const words[] = { "error", "warn", "ignore" };
	for (size_t i = 0; i < HF_COUNT(words); i++)
		if (word == NULL || strcmp(word, words[i]) == 0)
			return 0;
	return hf_fail(err, HF_E_ARGUMENT,
		"ansible.cfg: duplicate_dict_key is one of error, warn, ignore; it is %s", word);
}

/* What the command line leaves open the configuration answers. */
static int follow_config(struct hf_run *run, const struct hf_config *config, struct hf_error *err)
{
	struct hf_run_options *o = hf_new(run->arena, struct hf_run_options);
	*o = *run->options;
	o->become = o->become || hf_config_bool(config->become, false);
	o->become_user = o->become_user != NULL ? o->become_user : config->become_user;
	o->become_method = o->become_method != NULL ? o->become_method : config->become_method;
	o->force_handlers = o->force_handlers || hf_config_bool(config->force_handlers, false);
	o->diff = o->diff || hf_config_bool(config->diff, false);
	run->options = o;
	follow_tags(run, o, config);
	const char *path = hf_config_path(run->arena);
	hf_event_verbose(run, 1,
		path == NULL ? "No config file found; using defaults"
			     : hf_sprintf(run->arena, "Using %s as config file", path));
	run->gathering = config->gathering;
	run->any_errors_fatal = hf_config_bool(config->any_errors_fatal, false);
	run->facts_apart = !hf_config_bool(config->inject_facts, true);
	int64_t limit = 0;
	if (config->task_timeout != NULL && hf_str_to_int64(hf_str(config->task_timeout), &limit) &&
		limit > 0)
		run->task_timeout = (double)limit;
	for (size_t i = 0; i < hf_list_len(config->warnings); i++)
		hf_event_warning(run, hf_list_at(config->warnings, i)->u.string.p);
	int r = check_duplicates(config->duplicate_keys, err);
	if (r == 0)
		r = follow_strategy(run, config->strategy, err);
	return r < 0 ? r : hf_templar_extensions(run->templar, config->extensions, err);
}

static void init_loader(struct hf_run *run, const struct hf_config *config, const char *base)
{
	run->loader = (struct hf_loader){
		.arena = run->arena,
		.registry = run->options->registry,
		.templar = run->templar,
		.vault = run->vault,
		.base = base,
		.roles_path = config->roles_path,
		.collections_path = config->collections_path,
		.duplicate_keys = config->duplicate_keys,
		.warning = loader_warning,
		.secret = hf_secret_add,
		.data = run,
		.text = loader_text,
	};
	hf_map_init_str(&run->loader.files, run->arena);
}

static int base_of(struct hf_arena *a, const char *playbook, const char **ret, struct hf_error *err)
{
	char *path = realpath(playbook, NULL);
	if (path == NULL)
		return hf_fail(err, HF_E_NOT_FOUND, "the playbook: %s could not be found", playbook);
	*ret = hf_path_dir(a, path);
	free(path);
	return 0;
}

static const char *absolute(struct hf_arena *a, const char *dir, const char *path)
{
	return hf_path_join(a, dir, hf_path_base(path));
}

/* --- the run --- */

/* The directory names start from, of a playbook that is a file, or of plays that are only said to stand in
 * one. */
static int find_base(struct hf_run *run, const char **ret, struct hf_error *err)
{
	const char *first = run->options->playbooks[0];
	if (run->options->plays == NULL)
		return base_of(run->arena, first, ret, err);
	char *dir = realpath(hf_path_dir(run->arena, first), NULL);
	if (dir == NULL)
		return hf_fail_errno(err, HF_E_NOT_FOUND, "the directory of %s", first);
	*ret = hf_strdup(run->arena, dir);
	free(dir);
	return 0;
}

static int load_books(struct hf_run *run, const char *base, struct hf_error *err)
{
	const char *const *books = run->options->playbooks;
	if (run->options->plays != NULL) {
		const char *path = absolute(run->arena, base, books[0]);
		hf_map_set(&run->loader.files, path, (void *)(uintptr_t)run->options->plays);
		return hf_load_playbook(&run->loader, path, NULL, &run->plays, err);
	}
	int r = 0;
	for (size_t i = 0; r == 0 && books[i] != NULL; i++) {
		size_t first = run->plays.n;
		r = base_of(run->arena, books[i], &base, err);
		if (r == 0)
			r = hf_load_playbook(
				&run->loader, absolute(run->arena, base, books[i]), NULL, &run->plays, err);
		*hf_vec_push(run->arena, &run->books) =
			(struct hf_book){ books[i], first, run->plays.n - first };
	}
	return r;
}

static int load_all(struct hf_run *run, struct hf_error *err)
{
	struct hf_config config;
	if (run->options->playbooks == NULL || run->options->playbooks[0] == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "no playbook was named");
	const char *base = NULL;
	int r = find_base(run, &base, err);
	if (r == 0)
		r = hf_config_read(run->arena, run->options, base, &config, err);
	if (r == 0)
		r = follow_config(run, &config, err);
	if (r < 0)
		return r;
	init_loader(run, &config, base);
	r = add_vaults(run, &config, err);
	if (r == 0)
		r = hf_vars_extra(run, err);
	if (r == 0)
		r = add_inventory(run, &config, err);
	return r == 0 ? load_books(run, base, err) : r;
}

static void sum_up(struct hf_run *run, struct hf_run_summary *ret)
{
	unsigned *const sums[HF_ST_COUNT] = { &ret->ok, &ret->changed, &ret->skipped, &ret->failed,
		&ret->unreachable, &ret->rescued, &ret->ignored };
	for (size_t i = 0; i < run->inventory->order.n; i++) {
		const struct hf_host *h = run->inventory->order.at[i];
		for (size_t s = 0; h->run != NULL && s < HF_ST_COUNT; s++)
			*sums[s] += h->run->count[s];
		if (h->run == NULL)
			continue;
		if (h->run->unreachable)
			ret->exit_status = EXIT_UNREACHABLE;
		else if (h->run->failed && ret->exit_status == EXIT_DONE)
			ret->exit_status = EXIT_HOSTS_FAILED;
	}
}

static int run_plays(struct hf_run *run, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < run->plays.n && !run->run_over; i++) {
		for (size_t b = 0; b < run->books.n; b++)
			if (run->books.at[b].first == i)
				hf_event_playbook(run, run->books.at[b].path, run->books.at[b].plays);
		r = hf_exec_play(run, run->plays.at[i], err);
	}
	return r;
}

/* --limit @FILE: a pattern in each line. */
static int read_limit(struct hf_run *run, struct hf_error *err)
{
	enum { LIMIT_MAX = 1 << 20 };
	struct hf_str rest = hf_str(run->options->limit), piece, text, line;
	hf_auto_buf all = hf_buf_init(LIMIT_MAX);
	while (hf_str_split(&rest, ',', &piece)) {
		piece = hf_str_trim(piece);
		if (!hf_str_starts(piece, "@")) {
			hf_buf_printf(&all, "%s%.*s", all.n > 0 ? "," : "", HF_STR_ARG(piece));
			continue;
		}
		const char *path = hf_str_dup(run->arena, hf_strn(piece.p + 1, piece.n - 1));
		if (!hf_fs_exists(path))
			return hf_fail(err, HF_E_ARGUMENT, "Unable to find limit file %s", path);
		if (hf_fs_is_dir(path))
			return hf_fail(err, HF_E_ARGUMENT,
				"Limit starting with \"@\" must be a file, not a directory: %s", path);
		int r = hf_fs_read(run->arena, path, LIMIT_MAX, &text, err);
		if (r < 0)
			return r;
		while (hf_str_split(&text, '\n', &line))
			if (hf_str_trim(line).n > 0)
				hf_buf_printf(
					&all, "%s%.*s", all.n > 0 ? "," : "", HF_STR_ARG(hf_str_trim(line)));
	}
	if (all.failed)
		return hf_fail(err, HF_E_LIMIT, "--limit: more than %d bytes", LIMIT_MAX);
	struct hf_run_options *o = hf_new(run->arena, struct hf_run_options);
	*o = *run->options;
	o->limit = hf_buf_dup(run->arena, &all).p;
	run->options = o;
	return 0;
}

static int check_limit(struct hf_run *run, struct hf_error *err)
{
	struct hf_hosts limited = { 0 };
	if (run->options->limit == NULL)
		return 0;
	int r = strchr(run->options->limit, '@') != NULL ? read_limit(run, err) : 0;
	if (r == 0)
		r = hf_inventory_match(run->inventory, run->options->limit, &limited, NULL, err);
	if (r == 0 && limited.n == 0)
		return hf_fail(err, HF_E_ARGUMENT,
			"Specified inventory, host pattern and/or --limit leaves us with no hosts to "
			"target.");
	return r;
}

/* Who waited for a job may still say how it is to be done. */
static int loaded(struct hf_run *run, struct hf_error *err)
{
	if (run->hooks == NULL || run->hooks->loaded == NULL)
		return 0;
	struct hf_run_options *o = hf_new(run->arena, struct hf_run_options);
	*o = *run->options;
	run->options = o;
	return run->hooks->loaded(run->hooks->data, o, err);
}

static int run_all(struct hf_run *run, struct hf_run_summary *ret, bool *ret_started, struct hf_error *err)
{
	int r = load_all(run, err);
	if (r == 0)
		r = hf_refuse_sure(run, err);
	if (r < 0)
		return r;
	const struct hf_run_options *o = run->options;
	if (o->syntax_check || o->list_tasks || o->list_tags || o->list_hosts)
		return hf_list_plays(run, err);
	if ((r = loaded(run, err)) < 0)
		return r;
	r = check_limit(run, err);
	if (r < 0)
		return r;
	*ret_started = true;
	r = run_plays(run, err);
	sum_up(run, ret);
	hf_event_stats(run);
	/* As Ansible, which ends well then. */
	if (r == 0 && !run->started)
		hf_event_warning(
			run, hf_sprintf(run->arena,
				     "No matching task \"%s\" found. Note: --start-at-task can only follow "
				     "static includes.",
				     o->start_at_task));
	return r;
}

/* The file's name goes with the run's memory: the position becomes part of the sentence. */
static void keep_position(struct hf_error *err)
{
	char text[HF_ERROR_TEXT_MAX];
	if (err == NULL || err->pos.file == NULL)
		return;
	hf_error_print(err, text, sizeof(text));
	err->pos = (struct hf_pos){ 0 };
	memcpy(err->text, text, sizeof(text));
}

int hf_run_playbooks(const struct hf_run_options *options, struct hf_run_summary *ret, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_run *run = hf_new(a, struct hf_run);
	*ret = (struct hf_run_summary){ 0 };
	init(run, a, options);
	bool started = false;
	int r = run_all(run, ret, &started, err);
	if (run->start_dir > 0)
		close(run->start_dir - 1);
	if (run->task_dir > 0)
		close(run->task_dir - 1);
	if (r < 0)
		ret->exit_status = started || (r != -HF_E_PARSE && r != -HF_E_UNSUPPORTED && r != -HF_E_LIMIT)
					   ? EXIT_ERROR
					   : EXIT_PARSE;
	if (r < 0 && run->fatal != 0)
		ret->exit_status = run->fatal;
	if (r < 0)
		keep_position(err);
	return r;
}
