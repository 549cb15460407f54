#include "agent/notice.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/child.h"
#include "agent/identity.h"
#include "agent/notice_role.h"
#include "agent/report.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { AGAIN_MS = 5000, WORD_MAX = 40, BOOT_MAX = 64, STORED_MAX = 1024 };

struct hf_notice {
	struct hf_agent *agent;
	struct hf_child *role, *hook;
	sd_event_source *again;
	bool never, stopping;
	uint64_t hook_began_ms;
};

/* --- the notice in the state, so that a start after a kill knows it --- */

static const char *boot_id(struct hf_arena *a)
{
	struct hf_str text = { 0 };
	return hf_fs_read(a, "/proc/sys/kernel/random/boot_id", BOOT_MAX, &text, NULL) == 0
		       ? hf_str_dup(a, hf_str_trim(text))
		       : "";
}

static void notice_store(struct hf_agent *agent)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf b = hf_buf_init(STORED_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	const struct hf_notice_now *now = &agent->notice;
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "boot", hf_value_cstr(a, boot_id(a)));
	hf_dict_put(v, "kind", hf_value_cstr(a, hf_notice_names[now->kind]));
	hf_dict_put(v, "action", hf_value_cstr(a, now->action));
	hf_dict_put(v, "time", hf_value_cstr(a, now->time));
	hf_dict_put(v, "drain", hf_value_cstr(a, now->drain));
	HF_MUST(hf_json_write(&b, v, &style, err));
	HF_MUST(hf_state_set(agent->state, "notice", hf_buf_str(&b).p, err));
}

static enum hf_notice_kind kind_of(const char *word)
{
	for (int i = 0; hf_notice_names[i] != NULL; i++)
		if (strcmp(word, hf_notice_names[i]) == 0)
			return (enum hf_notice_kind)i;
	return HF_NOTICE_NONE;
}

/* Words from outside: bounded, and nothing in them but what times and actions are made of. */
static void word_copy(char to[HF_NOTICE_TEXT], const char *from)
{
	size_t n = 0;
	for (; from[n] != '\0' && n < WORD_MAX; n++) {
		bool good = (from[n] >= 'a' && from[n] <= 'z') || (from[n] >= 'A' && from[n] <= 'Z') ||
			    (from[n] >= '0' && from[n] <= '9') || strchr("-:.+", from[n]) != NULL;
		to[n] = '?';
		if (good)
			to[n] = from[n];
	}
	to[n] = '\0';
}

static void notice_set(struct hf_agent *agent, const struct hf_value *v, const char *drain)
{
	struct hf_notice_now *now = &agent->notice;
	now->kind = kind_of(hf_dict_cstr(v, "kind", ""));
	word_copy(now->action, hf_dict_cstr(v, "action", ""));
	word_copy(now->time, hf_dict_cstr(v, "time", ""));
	word_copy(now->drain, drain);
	agent->drains =
		now->kind == HF_NOTICE_INTERRUPTION ||
		(now->kind == HF_NOTICE_REBALANCE && agent->config.drain.rebalance == HF_REBALANCE_DRAIN);
}

/* --- the hook --- */

static int hook_body(int socket, void *data)
{
	const struct hf_agent *agent = ((struct hf_notice *)data)->agent;
	const struct hf_notice_now *now = &agent->notice;
	setenv("HOLDFAST_NOTICE", hf_notice_names[now->kind], 1);
	setenv("HOLDFAST_ACTION", now->action, 1);
	setenv("HOLDFAST_TIME", now->time, 1);
	execl("/bin/sh", "sh", "-c", agent->config.drain.command, (char *)NULL);
	return 127;
}

static void on_hook_line(void *data, struct hf_child *c, struct hf_str line)
{
}

static void on_hook_ended(void *data, struct hf_child *c, int status, bool timed_out)
{
	struct hf_notice *n = data;
	struct hf_agent *agent = n->agent;
	n->hook = NULL;
	if (n->stopping)
		return; /* begun again at the next start */
	word_copy(agent->notice.drain, timed_out ? "timed-out" : status == 0 ? "done" : "failed");
	notice_store(agent);
	uint64_t took = hf_time_monotonic_ms() - n->hook_began_ms;
	if (status == 0 && !timed_out)
		hf_log(HF_LOG_NOTICE, "drained in %llu ms", (unsigned long long)took);
	else
		hf_report_alarm(agent, "drain-failed", "drain-failed",
			"the drain command %s %d after %llu ms",
			timed_out ? "did not end in time, status" : "ended with status", status,
			(unsigned long long)took);
	hf_report_state(agent);
}

static void hook_start(struct hf_notice *n)
{
	struct hf_agent *agent = n->agent;
	struct hf_error err = { 0 };
	struct hf_child_spec spec = { .name = "drain",
		.body = hook_body,
		.keep_fd = -1,
		.deadline_ms = (uint64_t)agent->config.drain.deadline_s * 1000,
		.line = on_hook_line,
		.ended = on_hook_ended,
		.data = n };
	if (n->hook != NULL || agent->config.drain.command == NULL)
		return;
	word_copy(agent->notice.drain, "running");
	notice_store(agent);
	n->hook_began_ms = hf_time_monotonic_ms();
	if (hf_child_start(agent->loop, &spec, &n->hook, &err) < 0)
		hf_report_alarm(agent, "drain-failed", "drain-failed", "%s", err.text);
}

/* --- what the role tells --- */

static void notice_take(struct hf_notice *n, const struct hf_value *line)
{
	static const char *const words[] = { "notice-withdrawn", "rebalance-recommended",
		"spot-interruption" };
	struct hf_agent *agent = n->agent;
	struct hf_notice_now before = agent->notice;
	bool drained = agent->drains;
	notice_set(agent, line, before.drain);
	const struct hf_notice_now *now = &agent->notice;
	if (now->kind == before.kind && strcmp(now->action, before.action) == 0 &&
		strcmp(now->time, before.time) == 0)
		return;
	if (!agent->drains)
		word_copy(agent->notice.drain, "");
	notice_store(agent);
	hf_report_alarm(agent, words[now->kind], "notice", "%s%s%s%s%s",
		now->kind == HF_NOTICE_NONE ? "the notice is gone" : "the cloud will take this instance",
		now->action[0] != '\0' ? ": " : "", now->action, now->time[0] != '\0' ? " at " : "",
		now->time);
	if (agent->drains && !drained)
		hook_start(n);
	hf_report_state(agent);
}

static void on_role_line(void *data, struct hf_child *c, struct hf_str text)
{
	struct hf_notice *n = data;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *line = NULL;
	if (text.n > STORED_MAX || hf_json_parse(a, text, "notice", &line, NULL) < 0)
		return; /* the role has fences; what it says has a form */
	if (strcmp(hf_dict_cstr(line, "k", ""), "never") == 0)
		n->never = true;
	else
		notice_take(n, line);
}

static void on_role_ended(void *data, struct hf_child *c, int status, bool timed_out)
{
	struct hf_notice *n = data;
	n->role = NULL;
	if (n->stopping || n->never)
		return;
	hf_log(status == 0 ? HF_LOG_DEBUG : HF_LOG_WARNING,
		"the role that asks for notices ended (%d): again in %d s", status, AGAIN_MS / 1000);
	hf_timer_set(n->again, AGAIN_MS);
}

static int role_body(int socket, void *data)
{
	return hf_notice_role_body(socket, &((struct hf_notice *)data)->agent->config);
}

static void role_start(struct hf_notice *n)
{
	struct hf_error err = { 0 };
	struct hf_child_spec spec = { .name = "notices",
		.body = role_body,
		.keep_fd = -1,
		.line = on_role_line,
		.ended = on_role_ended,
		.data = n };
	if (hf_child_start(n->agent->loop, &spec, &n->role, &err) == 0)
		return;
	hf_log(HF_LOG_WARNING, "notices: %s: again in %d s", err.text, AGAIN_MS / 1000);
	hf_timer_set(n->again, AGAIN_MS);
}

static int on_again(sd_event_source *source, uint64_t now, void *data)
{
	role_start(data);
	return 0;
}

static int stored_load(struct hf_notice *n, struct hf_error *err)
{
	struct hf_agent *agent = n->agent;
	hf_auto_arena a = hf_arena_new();
	const char *text = NULL;
	struct hf_value *v = NULL;
	int result = hf_state_get(agent->state, a, "notice", &text, err);
	if (result < 0 || text == NULL)
		return result;
	if ((result = hf_json_parse(a, hf_str(text), "notice", &v, err)) < 0)
		return result;
	if (strcmp(hf_dict_cstr(v, "boot", ""), boot_id(a)) == 0) /* after a stop it was obeyed */
		notice_set(agent, v, hf_dict_cstr(v, "drain", ""));
	return 0;
}

int hf_notice_new(struct hf_agent *agent, struct hf_notice **ret, struct hf_error *err)
{
	struct hf_notice *n = hf_new(agent->arena, struct hf_notice);
	n->agent = agent;
	n->again = hf_timer_new(agent->loop, false, on_again, n);
	*ret = n;
	return stored_load(n, err);
}

void hf_notice_start(struct hf_notice *n)
{
	if (n->agent->config.drain.notices == HF_NOTICES_NEVER || !hf_identity_asks(n->agent))
		return;
	if (n->agent->drains && strcmp(n->agent->notice.drain, "running") == 0)
		hook_start(n);
	role_start(n);
}

void hf_notice_stop(struct hf_notice *n)
{
	n->stopping = true;
	if (n->role != NULL)
		hf_child_stop(n->role, SIGKILL);
	if (n->hook != NULL)
		hf_child_stop(n->hook, SIGKILL);
}
