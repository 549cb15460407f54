#include "lib/engine/event.h"

#include <string.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/engine/state.h"

static const char *const words[HF_ST_COUNT] = { "ok", "changed", "skipped", "failed", "unreachable",
	"rescued", "ignored" };
static const char hidden[] = "********";
static const char censored[] =
	"the output has been hidden due to the fact that 'no_log: true' was specified for this result";

const char *hf_status_word(enum hf_status s)
{
	return words[s];
}

/* --- secrets --- */

void hf_secret_add(void *data, struct hf_str text)
{
	enum { SHORT = 4 };
	struct hf_run *run = data;
	struct hf_str s = hf_str_trim(text);
	for (size_t i = 0; i < hf_list_len(run->secrets); i++) {
		if (hf_str_equal(hf_list_at(run->secrets, i)->u.string, s))
			return;
	}
	if (s.n >= SHORT)
		hf_list_append(run->secrets, hf_value_str(run->arena, s));
}

static struct hf_value *hide_text(const struct hf_run *run, struct hf_arena *a, struct hf_value *v)
{
	bool found = false;
	for (size_t i = 0; !found && i < hf_list_len(run->secrets); i++)
		found = hf_str_find(v->u.string, hf_list_at(run->secrets, i)->u.string, 0) != SIZE_MAX;
	if (!found)
		return v;
	hf_auto_buf out = hf_buf_init(v->u.string.n * sizeof(hidden) + sizeof(hidden));
	struct hf_str s = v->u.string;
	for (size_t at = 0; at < s.n;) {
		size_t n = 0;
		for (size_t i = 0; i < hf_list_len(run->secrets); i++) {
			struct hf_str secret = hf_list_at(run->secrets, i)->u.string;
			if (secret.n > n && secret.n <= s.n - at && memcmp(s.p + at, secret.p, secret.n) == 0)
				n = secret.n;
		}
		if (n > 0)
			hf_buf_puts(&out, hidden);
		else
			hf_buf_put(&out, s.p[at]);
		at += n > 0 ? n : 1;
	}
	return hf_value_str(a, hf_buf_str(&out));
}

/* True when hiding would change nothing: no secret inside, no text of one. */
static bool is_open(const struct hf_run *run, const struct hf_value *v)
{
	return hf_list_len(run->secrets) == 0 && !hf_value_has_secret(v);
}

static struct hf_value *hide(struct hf_run *run, struct hf_arena *a, const struct hf_value *v)
{
	struct hf_value *same = (struct hf_value *)(uintptr_t)v;
	if (hf_is_secret(v) && !hf_is(v, HF_NULL) && !hf_is(v, HF_BOOL))
		return hf_value_cstr(a, hidden);
	if (hf_is(v, HF_STRING))
		return hide_text(run, a, same);
	if (hf_is(v, HF_DICT)) {
		struct hf_value *out = hf_value_dict(a);
		HF_DICT_EACH (v, e)
			hf_dict_set(out, hf_entry_key(e), hide(run, a, hf_entry_value(e)));
		return out;
	}
	if (hf_is_sequence(v)) {
		struct hf_value *out = hf_value_list(a);
		for (size_t i = 0; i < hf_list_len(v); i++)
			hf_list_append(out, hide(run, a, hf_list_at(v, i)));
		return out;
	}
	return same;
}

struct hf_value *hf_hide(struct hf_run *run, struct hf_arena *a, const struct hf_value *v)
{
	return is_open(run, v) ? (struct hf_value *)(uintptr_t)v : hide(run, a, v);
}

/* --- events --- */

static bool wanted(const struct hf_run *run)
{
	return run->hooks != NULL && run->hooks->event != NULL;
}

/* An event is read while it is sent, and not kept: the texts in it stay where they are. */
static void put_value(struct hf_arena *a, struct hf_value *e, const char *key, struct hf_value *value)
{
	hf_dict_set(e, hf_value_borrow(a, hf_str(key)), value);
}

static void put(struct hf_arena *a, struct hf_value *e, const char *key, const char *text)
{
	put_value(a, e, key, text == NULL ? hf_value_null(a) : hf_value_borrow(a, hf_str(text)));
}

static struct hf_value *event_new(struct hf_arena *a, const char *type)
{
	struct hf_value *e = hf_value_dict(a);
	put(a, e, "type", type);
	return e;
}

static void send(struct hf_run *run, const struct hf_value *e)
{
	run->hooks->event(run->hooks->data, e);
}

void hf_event_play(struct hf_run *run, const struct hf_play *play)
{
	if (!wanted(run))
		return;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *e = event_new(a, "play");
	put(a, e, "play", play->name);
	put_value(a, e, "hosts", hf_value_int(a, (int64_t)run->play_hosts.n));
	send(run, e);
}

void hf_event_task_start(struct hf_run *run, const struct hf_node *n, const char *title)
{
	if (!wanted(run))
		return;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *e = event_new(a, "task_start");
	put(a, e, "play", run->play == NULL ? NULL : run->play->name);
	put_value(a, e, "task", hf_hide(run, a, hf_value_borrow(a, hf_str(title))));
	put(a, e, "module", n->action);
	put_value(a, e, "handler", hf_value_bool(a, n->handler));
	put_value(a, e, "number", hf_value_int(a, run->task_number));
	put_value(a, e, "of",
		hf_value_int(a, run->task_count > run->task_number ? run->task_count : run->task_number));
	put_value(a, e, "path",
		hf_value_cstr(
			a, hf_sprintf(a, "%s:%u", n->pos.file == NULL ? "" : n->pos.file, n->pos.line)));
	send(run, e);
}

static bool run_verbose(const struct hf_run *run)
{
	return run->options->verbosity > 2;
}

static void put_item(struct hf_task *t, struct hf_arena *a, struct hf_value *e)
{
	if (t->item == NULL)
		return;
	if (t->no_log)
		put(a, e, "item", "None"); /* as Ansible shows an item it hides */
	else if (t->label != NULL)
		put_value(a, e, "item", hf_hide(t->run, a, hf_value_cstr(a, t->label)));
	else
		put_value(a, e, "item", hf_hide(t->run, a, t->item));
}

static void put_plan(struct hf_task *t, struct hf_arena *a, struct hf_value *e)
{
	const char *unsure = t->item == NULL ? t->any_unsure : t->unsure;
	if (!t->run->options->plan)
		return;
	if (unsure != NULL)
		put(a, e, "why", unsure);
	put(a, e, "plan",
		unsure != NULL               ? "unknown"
		: t->status == HF_ST_FAILED  ? "fail"
		: t->status == HF_ST_CHANGED ? "change"
					     : "none");
}

void hf_result_plain(struct hf_value *result)
{
	static const char *const keys[] = { "_ansible_facts_cacheable", "_ansible_verbose_always" };
	for (size_t i = 0; hf_is(result, HF_DICT) && i < HF_COUNT(keys); i++)
		hf_dict_remove(result, keys[i]);
}

static void put_delegate(struct hf_task *t, struct hf_arena *a, struct hf_value *e)
{
	if (t->delegate == NULL)
		return;
	const struct hf_value *address = hf_dict_get(t->delegate->run->inventory, "ansible_host");
	put(a, e, "delegate", t->delegate->name);
	if (address != NULL && strcmp(hf_value_text(a, address).p, t->delegate->name) != 0)
		put(a, e, "delegate_address", hf_value_text(a, address).p);
}

static struct hf_value *task_event(struct hf_task *t, struct hf_arena *a, const char *type)
{
	struct hf_run *run = t->run;
	struct hf_value *e = event_new(a, type);
	put(a, e, "play", run->play == NULL ? NULL : run->play->name);
	put_value(a, e, "task", hf_hide(run, a, hf_value_borrow(a, hf_str(t->title))));
	put(a, e, "host", t->host->name);
	put(a, e, "module", t->node->action);
	if (t->node->role != NULL)
		put(a, e, "role", t->node->role->name);
	put_item(t, a, e);
	put(a, e, "status", words[t->status]);
	put_value(a, e, "changed", hf_value_bool(a, hf_dict_bool(t->result, "changed", false)));
	put_value(a, e, "ms", hf_value_int(a, (int64_t)(hf_time_monotonic_ms() - t->started_ms)));
	put_plan(t, a, e);
	if (t->no_log) {
		put(a, e, "msg", censored);
		return e;
	}
	struct hf_value *msg = hf_dict_get(t->result, "msg"), *diff = hf_dict_get(t->result, "diff");
	if (msg == NULL)
		msg = hf_dict_get(t->result, "skip_reason");
	put_value(a, e, "msg", msg == NULL ? hf_value_null(a) : hf_hide(run, a, msg));
	if (diff != NULL && t->diff)
		put_value(a, e, "diff", hf_hide(run, a, diff));
	struct hf_value *result = hf_value_shallow(a, t->result);
	if (hf_dict_bool(result, "_ansible_verbose_always", false))
		put_value(a, e, "broad", hf_value_bool(a, true));
	hf_result_plain(result);
	if (!run_verbose(run))
		hf_dict_remove(result, "invocation");
	put_value(a, e, "result", hf_hide(run, a, result));
	put_value(a, e, "line", hf_value_int(a, t->node->pos.line));
	put(a, e, "file", t->node->pos.file);
	put_delegate(t, a, e);
	return e;
}

void hf_event_item(struct hf_task *t)
{
	if (!wanted(t->run))
		return;
	hf_auto_arena a = hf_arena_new();
	send(t->run, task_event(t, a, "task"));
}

void hf_event_task(struct hf_task *t)
{
	hf_event_item(t);
}

void hf_event_retry(struct hf_task *t, unsigned attempt, unsigned retries)
{
	if (!wanted(t->run))
		return;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *e = event_new(a, "retry");
	put_value(a, e, "task", hf_hide(t->run, a, hf_value_borrow(a, hf_str(t->title))));
	put(a, e, "host", t->host->name);
	if (t->delegate != NULL)
		put(a, e, "delegate", t->delegate->name);
	struct hf_value *result = hf_value_shallow(a, t->result);
	hf_result_plain(result);
	if (run_verbose(t->run))
		put_value(a, e, "result", hf_hide(t->run, a, result));
	put_value(a, e, "attempt", hf_value_int(a, attempt));
	put_value(a, e, "left", hf_value_int(a, retries - attempt));
	send(t->run, e);
}

void hf_event_text(struct hf_run *run, const char *type, const char *text)
{
	if (!wanted(run))
		return;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *e = event_new(a, type);
	put_value(a, e, "msg", hf_hide(run, a, hf_value_cstr(a, text)));
	send(run, e);
}

void hf_event_warning(struct hf_run *run, const char *text)
{
	hf_event_text(run, "warning", text);
}

void hf_event_verbose(struct hf_run *run, int level, const char *text)
{
	if (run->options->verbosity >= level)
		hf_event_text(run, "verbose", text);
}

void hf_event_playbook(struct hf_run *run, const char *path, size_t plays)
{
	if (!wanted(run) || run->options->verbosity < 2)
		return;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *e = event_new(a, "playbook");
	put(a, e, "path", path);
	put_value(a, e, "plays", hf_value_int(a, (int64_t)plays));
	send(run, e);
}

void hf_event_meta(
	struct hf_run *run, const struct hf_host *h, const char *reason, const char *msg, bool skipped)
{
	if (!wanted(run))
		return;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *e = event_new(a, "meta"), *result = hf_value_dict(a);
	put(a, e, "host", h->name);
	put(a, e, "msg", reason);
	put(a, result, "msg", msg);
	put(a, result, "skip_reason", reason);
	put_value(a, e, "skipped", hf_value_bool(a, skipped));
	put_value(a, e, "result", result);
	send(run, e);
}

void hf_event_stats(struct hf_run *run)
{
	if (!wanted(run))
		return;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *e = event_new(a, "stats"), *hosts = hf_value_dict(a);
	for (size_t i = 0; i < run->inventory->order.n; i++) {
		const struct hf_host *h = run->inventory->order.at[i];
		bool any = false;
		struct hf_value *one = hf_value_dict(a);
		for (size_t s = 0; h->run != NULL && s < HF_ST_COUNT; s++) {
			any = any || h->run->count[s] > 0;
			put_value(a, one, words[s], hf_value_int(a, h->run->count[s]));
		}
		if (any)
			put_value(a, hosts, h->name, one);
	}
	put_value(a, e, "hosts", hosts);
	if (run->stats != NULL && hf_dict_len(run->stats) > 0)
		put_value(a, e, "custom", hf_hide(run, a, run->stats));
	send(run, e);
}
