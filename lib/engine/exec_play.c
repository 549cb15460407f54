#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/engine/state.h"

/* --- which hosts --- */

static const char *pattern_of(struct hf_run *run, const struct hf_value *v)
{
	hf_auto_buf out = hf_buf_init(1 << 20);
	for (size_t i = 0; i < (hf_is_sequence(v) ? hf_list_len(v) : 1); i++)
		hf_buf_printf(&out, "%s%s", i == 0 ? "" : ",",
			hf_value_text(run->arena, hf_is_sequence(v) ? hf_list_at(v, i) : v).p);
	return hf_buf_dup(run->arena, &out).p;
}

static struct hf_error *with_status(struct hf_run *run, int exit_status, struct hf_error *err)
{
	run->fatal = exit_status;
	return err;
}

static int templated(struct hf_run *run, struct hf_play *play, struct hf_value *v, struct hf_value **ret,
	struct hf_error *err)
{
	*ret = v;
	if (v == NULL || !hf_templar_is_template(run->templar, v))
		return 0;
	struct hf_scope *s = hf_new(run->arena, struct hf_scope), *outer = run->scope;
	hf_scope_init(s, run, run->arena, play, NULL, NULL);
	run->scope = s;
	int r = hf_templar_value(run->templar, run->arena, v, NULL, ret, err);
	run->scope = outer;
	if (r < 0)
		return hf_wrap(with_status(run, EXIT_PARSE, err), "the play has a value that cannot be told");
	if (hf_is(*ret, HF_OMIT))
		*ret = NULL;
	return 0;
}

bool hf_host_is_here(struct hf_run *run, const struct hf_play *play, const struct hf_host *h)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "::1" };
	char own[256] = "";
	if (h->implicit ||
		(run->options->connection != NULL && strcmp(run->options->connection, "local") == 0))
		return true;
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		if (strcmp(h->name, names[i]) == 0)
			return true;
	}
	if (run->options->host_name != NULL && strcmp(h->name, run->options->host_name) == 0)
		return true;
	if (gethostname(own, sizeof(own) - 1) == 0 && strcmp(own, h->name) == 0)
		return true;
	const struct hf_value *keyword = play->node.kw[HF_KW_connection];
	const struct hf_value *v = hf_dict_get(run->extra, "ansible_connection");
	if (v == NULL && h->run != NULL)
		v = hf_dict_get(h->run->inventory, "ansible_connection");
	if (v == NULL)
		v = keyword;
	return hf_is(v, HF_STRING) && hf_str_is(v->u.string, "local");
}

static int resolve_hosts(struct hf_run *run, struct hf_play *play, struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r = templated(run, play, play->node.kw[HF_KW_hosts], &v, err);
	const char *unmatched = NULL;
	if (r == 0)
		r = hf_inventory_match(run->inventory, pattern_of(run, v), &run->play_hosts, &unmatched, err);
	if (r < 0)
		return hf_error_set_pos(err, play->node.pos);
	if (unmatched != NULL)
		hf_event_warning(
			run, hf_sprintf(run->arena, "Could not match supplied host pattern, ignoring: %s",
				     unmatched));
	if (run->options->limit != NULL) {
		struct hf_hosts limited = { 0 }, both = { 0 };
		r = hf_inventory_match(run->inventory, run->options->limit, &limited, NULL, err);
		for (size_t i = 0; r == 0 && i < run->play_hosts.n; i++) {
			for (size_t j = 0; j < limited.n; j++) {
				if (limited.at[j] == run->play_hosts.at[i])
					*hf_vec_push(run->arena, &both) = limited.at[j];
			}
		}
		run->play_hosts = both;
	}
	return r;
}

static int prepare_hosts(struct hf_run *run, struct hf_play *play, struct hf_error *err)
{
	for (size_t i = 0; i < run->play_hosts.n; i++) {
		struct hf_host *h = run->play_hosts.at[i];
		hf_vars_host(run, h);
		int r = hf_vars_inventory(run, h, play->node.dir, err);
		if (r < 0)
			return r;
		if (!hf_host_is_here(run, play, h))
			return hf_fail_at(err, HF_E_UNSUPPORTED, play->node.pos,
				"host '%s' is another machine: holdfast changes only the one it runs on. Set "
				"ansible_connection: local "
				"if it is this one, or leave it out with --limit",
				h->name);
		h->run->failing = h->run->ended = h->run->ended_role = h->run->handler_failed = false;
		h->run->rescue_depth = 0;
		r = hf_vars_load_cache(run, h, err);
		if (r == 0)
			r = hf_vars_files(run, play, h, err);
		if (r < 0)
			return r;
	}
	run->generation++;
	return 0;
}

/* --- gathering facts --- */

static bool gathers(struct hf_run *run, const struct hf_play *play, const struct hf_value *keyword)
{
	(void)play;
	if (keyword != NULL)
		return hf_text_bool(hf_value_text(run->arena, keyword)) != HF_NO;
	return run->gathering == NULL || strcmp(run->gathering, "explicit") != 0;
}

static int gather(struct hf_run *run, struct hf_play *play, struct hf_error *err)
{
	struct hf_value *keyword = NULL;
	int r = templated(run, play, play->node.kw[HF_KW_gather_facts], &keyword, err);
	const struct hf_module *setup = hf_module_find(run->options->registry, "setup");
	if (r < 0 || !gathers(run, play, keyword) || setup == NULL)
		return r;
	struct hf_node *n = hf_load_node(&run->loader, HF_NODE_TASK, &play->node, play->node.pos);
	n->kw[HF_KW_name] = hf_value_cstr(run->arena, "Gathering Facts");
	n->kw[HF_KW_tags] = hf_value_cstr(run->arena, "always");
	n->action = "gather_facts";
	n->module = setup;
	n->implicit = true;
	n->args = hf_value_dict(run->arena);
	static const enum hf_keyword keys[] = { HF_KW_gather_subset, HF_KW_gather_timeout, HF_KW_fact_path };
	for (size_t i = 0; i < HF_COUNT(keys); i++) {
		if (play->node.kw[keys[i]] != NULL)
			hf_dict_put(n->args, hf_keyword_name(keys[i]), play->node.kw[keys[i]]);
	}
	run->task_count++;
	struct hf_hosts who = { 0 };
	bool smart = run->gathering != NULL && strcmp(run->gathering, "smart") == 0 && keyword == NULL;
	for (size_t i = 0; i < run->batch.n; i++) {
		if (!smart || !run->batch.at[i]->run->gathered)
			*hf_vec_push(run->arena, &who) = run->batch.at[i];
	}
	r = hf_exec_task(run, n, &who, err);
	for (size_t i = 0; r == 0 && i < who.n; i++) {
		r = hf_vars_files(run, play, who.at[i], err);
		if (r == 0)
			r = hf_vars_save_cache(run, who.at[i], err);
	}
	return r;
}

/* --- sections --- */

/* A failure that no rescue took: the host is out. */
static void fail_hosts(struct hf_run *run)
{
	for (size_t i = 0; i < run->batch.n; i++) {
		struct hf_host_vars *v = run->batch.at[i]->run;
		v->failed = v->failed || v->failing;
		v->failing = false;
	}
}

static int section(
	struct hf_run *run, const struct hf_nodes *first, const struct hf_nodes *second, struct hf_error *err)
{
	int r = hf_exec_play_nodes(run, first, &run->batch, err);
	if (r == 0 && second != NULL)
		r = hf_exec_play_nodes(run, second, &run->batch, err);
	fail_hosts(run);
	if (r == 0)
		r = hf_exec_flush_last(run, &run->batch, err);
	fail_hosts(run);
	return r;
}

static int run_batch(struct hf_run *run, struct hf_play *play, struct hf_error *err)
{
	run->task_number = 0;
	run->task_count = hf_count_tasks(run, &play->pre_tasks) + hf_count_tasks(run, &play->roles) +
			  hf_count_tasks(run, &play->tasks) + hf_count_tasks(run, &play->post_tasks);
	int r = gather(run, play, err);
	fail_hosts(run);
	if (r == 0)
		r = section(run, &play->pre_tasks, NULL, err);
	if (r == 0)
		r = section(run, &play->roles, &play->tasks, err);
	if (r == 0)
		r = section(run, &play->post_tasks, NULL, err);
	return r;
}

/* One size: a number, or a percentage of the hosts, at least one of them. */
static int batch_number(struct hf_run *run, const struct hf_value *v, int64_t *ret, struct hf_error *err)
{
	struct hf_str s = hf_str_trim(hf_value_text(run->arena, v));
	bool percent = hf_is(v, HF_STRING) && s.n > 0 && s.p[s.n - 1] == '%';
	if (hf_is(v, HF_BOOL) || hf_is(v, HF_FLOAT)) {
		*ret = hf_is(v, HF_BOOL) ? v->u.boolean : (int64_t)v->u.real;
		return 0;
	}
	if (!hf_str_to_int64(percent ? hf_strn(s.p, s.n - 1) : s, ret))
		return hf_fail_at(with_status(run, EXIT_UNEXPECTED, err), HF_E_PARSE, hf_value_pos(v),
			"serial: \"%.*s\" is neither a number of hosts nor a percentage of them",
			HF_STR_ARG(s));
	if (!percent)
		return 0;
	*ret = (int64_t)run->play_hosts.n * *ret / 100;
	*ret = *ret < 1 ? 1 : *ret;
	return 0;
}

/* Every size is looked at before the first batch: a wrong one must not be met half way. */
static int serial_check(struct hf_run *run, const struct hf_value *serial, struct hf_error *err)
{
	int64_t n;
	int r = 0;
	if (serial == NULL || hf_is(serial, HF_NULL))
		return 0;
	if (!hf_is_sequence(serial))
		return batch_number(run, serial, &n, err);
	size_t left = run->play_hosts.n;
	for (size_t i = 0; r == 0 && left > 0 && i < hf_list_len(serial); i++) {
		r = batch_number(run, hf_list_at(serial, i), &n, err);
		left -= r < 0 || n <= 0 || (size_t)n > left ? left : (size_t)n;
	}
	return r;
}

/* A size, or a list of them of which the last repeats; none and 0 mean everybody. */
static size_t batch_size(struct hf_run *run, const struct hf_value *serial, size_t number)
{
	const struct hf_value *v = serial;
	int64_t n = 0;
	struct hf_error checked;
	if (serial == NULL || hf_is(serial, HF_NULL) || (hf_is_sequence(serial) && hf_list_len(serial) == 0))
		return run->play_hosts.n;
	if (hf_is_sequence(serial))
		v = hf_list_at(serial, number < hf_list_len(serial) ? number : hf_list_len(serial) - 1);
	return batch_number(run, v, &n, &checked) < 0 || n <= 0 ? run->play_hosts.n : (size_t)n;
}

static bool all_failed(const struct hf_hosts *hosts)
{
	for (size_t i = 0; i < hosts->n; i++) {
		if (!hosts->at[i]->run->failed && !hosts->at[i]->run->unreachable)
			return false;
	}
	return hosts->n > 0;
}

static int order_hosts(struct hf_run *run, struct hf_play *play, struct hf_error *err)
{
	struct hf_value *v = NULL;
	struct hf_hosts *h = &run->play_hosts;
	int r = templated(run, play, play->node.kw[HF_KW_order], &v, err);
	if (r < 0 || v == NULL || hf_str_is(hf_value_text(run->arena, v), "inventory"))
		return r;
	struct hf_str how = hf_value_text(run->arena, v);
	bool reverse = hf_str_starts(how, "reverse_"), sorted = hf_str_ends(how, "sorted");
	if (!sorted && !hf_str_is(how, "reverse_inventory") && !hf_str_is(how, "shuffle"))
		return hf_fail_at(with_status(run, EXIT_OPTIONS, err), HF_E_PARSE, hf_value_pos(v),
			"Invalid 'order' specified for inventory hosts: %.*s", HF_STR_ARG(how));
	for (size_t i = 1; sorted && i < h->n; i++) {
		for (size_t j = i; j > 0 && strcmp(h->at[j]->name, h->at[j - 1]->name) < 0; j--) {
			struct hf_host *swap = h->at[j];
			h->at[j] = h->at[j - 1];
			h->at[j - 1] = swap;
		}
	}
	for (size_t i = 0; reverse && i < h->n / 2; i++) {
		struct hf_host *swap = h->at[i];
		h->at[i] = h->at[h->n - 1 - i];
		h->at[h->n - 1 - i] = swap;
	}
	return 0;
}

static int play_title(struct hf_run *run, struct hf_play *play, struct hf_error *err)
{
	struct hf_value *v = NULL;
	struct hf_value name = { .type = HF_STRING, .u.string = hf_str(play->name) };
	int r = templated(run, play, &name, &v, err);
	if (r == 0 && v != &name)
		play->name = hf_value_text(run->arena, v).p;
	/* As Ansible: a title that cannot be templated is shown as written. */
	return 0;
}

/* max_fail_percentage: a number, with or without "%". */
static int read_max_fail(struct hf_run *run, struct hf_play *play, struct hf_error *err)
{
	struct hf_value *v = NULL;
	char text[32], *end = text;
	run->max_fail = -1;
	int r = templated(run, play, play->node.kw[HF_KW_max_fail_percentage], &v, err);
	if (r < 0 || v == NULL || hf_is(v, HF_NULL))
		return r;
	struct hf_str s = hf_str_trim(hf_value_text(run->arena, v));
	s.n -= s.n > 0 && s.p[s.n - 1] == '%';
	if (s.n > 0 && s.n < sizeof(text)) {
		memcpy(text, s.p, s.n);
		text[s.n] = '\0';
		run->max_fail = strtod(text, &end);
	}
	if (end == text || *end != '\0')
		return hf_fail_at(with_status(run, EXIT_PARSE, err), HF_E_PARSE, hf_value_pos(v),
			"the field 'max_fail_percentage' has an invalid value ('%.*s'), and could not be "
			"converted to percent",
			HF_STR_ARG(s));
	return 0;
}

static int run_batches(
	struct hf_run *run, struct hf_play *play, const struct hf_value *serial, struct hf_error *err)
{
	int r = 0;
	size_t at = 0;
	for (size_t number = 0; r == 0 && at < run->play_hosts.n && !run->play_over; number++) {
		size_t size = batch_size(run, serial, number);
		if (size > run->play_hosts.n - at)
			size = run->play_hosts.n - at;
		run->batch = (struct hf_hosts){ run->play_hosts.at + at, size, size };
		at += size;
		if (serial != NULL && number > 0)
			hf_event_play(run, play);
		r = run_batch(run, play, err);
		if (all_failed(&run->batch)) {
			run->run_over = true;
			break;
		}
	}
	return r;
}

int hf_exec_play(struct hf_run *run, struct hf_play *play, struct hf_error *err)
{
	run->play = play;
	run->play_over = false;
	hf_map_init_str(&run->notified, run->arena);
	int r = hf_prompt_vars(run, play, err);
	if (r == 0)
		r = play_title(run, play, err);
	if (r == 0)
		r = read_max_fail(run, play, err);
	if (r == 0)
		r = resolve_hosts(run, play, err);
	if (r < 0)
		return r;
	hf_event_play(run, play);
	if (run->play_hosts.n == 0) {
		hf_event_text(run, "no_hosts", "skipping: no hosts matched");
		return 0;
	}
	r = order_hosts(run, play, err);
	if (r == 0)
		r = prepare_hosts(run, play, err);
	struct hf_value *serial = NULL;
	if (r == 0)
		r = templated(run, play, play->node.kw[HF_KW_serial], &serial, err);
	if (r == 0)
		r = serial_check(run, serial, err);
	return r < 0 ? r : run_batches(run, play, serial, err);
}
