/* Where a module runs: here, or in a child that is another user or has a time limit. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/engine/become.h"

enum { ANSWER_MAX = 256 << 20 };

/* An environment made of facts is none before there are facts: gathering them is a task too. */
static bool wants_facts(const struct hf_task *t, const struct hf_error *err)
{
	bool gathering = t->module != NULL && strcmp(t->module->name, "setup") == 0;
	return strstr(err->text, "ansible_env") != NULL ||
	       (gathering && strstr(err->text, "ansible_facts.env") != NULL);
}

/* v, a value of the environment or a whole one; HF_OMIT where it waits for facts. */
static int read_one(struct hf_task *t, struct hf_value *v, struct hf_value **ret, struct hf_error *err)
{
	int r = hf_templar_value(t->run->templar, t->arena, v, NULL, ret, err);
	if (r != -HF_E_UNDEFINED || !wants_facts(t, err))
		return r;
	*ret = hf_value_null(t->arena);
	(*ret)->type = HF_OMIT;
	return 0;
}

static int add_level(struct hf_task *t, struct hf_value *one, struct hf_value *all, struct hf_error *err)
{
	bool written = hf_is(one, HF_DICT);
	int r = written ? 0 : read_one(t, one, &one, err);
	if (r < 0 || hf_is(one, HF_NULL) || hf_is(one, HF_OMIT))
		return r;
	if (!hf_is(one, HF_DICT))
		return hf_fail_at(err, HF_E_TASK, hf_value_pos(one),
			"environment must be a dictionary, received %s", hf_value_text(t->arena, one).p);
	HF_DICT_EACH (one, e) {
		struct hf_value *v = hf_entry_value(e);
		r = written ? read_one(t, v, &v, err) : 0;
		if (r < 0)
			return r;
		if (!hf_is(v, HF_OMIT))
			hf_dict_set(all, hf_entry_key(e), v);
	}
	return 0;
}

static int read_environment(struct hf_task *t, struct hf_error *err)
{
	struct hf_value *levels[HF_NODE_LEVELS_MAX];
	size_t n = hf_node_collect(t->node, HF_KW_environment, levels);
	t->env = NULL;
	t->environment = NULL;
	if (n == 0)
		return 0;
	struct hf_value *all = hf_value_dict(t->arena);
	t->run->scope = &t->scope;
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct hf_value *v = levels[i];
		bool whole = !hf_is(v, HF_DICT) && !hf_is_sequence(v);
		if (whole && (r = read_one(t, v, &v, err)) < 0)
			return r;
		for (size_t j = 0; r == 0 && j < (hf_is_sequence(v) ? hf_list_len(v) : 1); j++)
			r = add_level(t, hf_is_sequence(v) ? hf_list_at(v, j) : v, all, err);
	}
	if (r == 0 && hf_dict_len(all) > 0)
		t->environment = all;
	return r;
}

static HF_NORETURN void child(struct hf_task *t, const struct hf_become *b, int fd)
{
	struct hf_error own;
	memset(&own, 0, sizeof(own));
	setpgid(0, 0);
	t->forked = true;
	int r = b->user == NULL ? 0 : hf_become_enter(t, b, &own);
	if (r == 0)
		r = hf_module_direct(t, &own);
	hf_become_leave(t);
	struct hf_value *answer = hf_value_dict(t->arena);
	hf_dict_put(answer, "code", hf_value_int(t->arena, r));
	if (r < 0)
		hf_dict_put(answer, "text", hf_value_cstr(t->arena, own.text));
	hf_dict_put(answer, "result", t->result);
	if (t->warnings != NULL)
		hf_dict_put(answer, "warnings", t->warnings);
	struct hf_buf out = hf_buf_init(ANSWER_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	if (hf_json_write(&out, answer, &style, &own) < 0) {
		hf_buf_clear(&out);
		hf_buf_puts(&out, "{\"code\":-1,\"text\":\"the result cannot be sent\",\"result\":{}}");
	}
	_exit(hf_fs_write_all(fd, hf_buf_str(&out), &own) < 0);
}

static int take_answer(struct hf_task *t, struct hf_str text, struct hf_error *err)
{
	struct hf_value *answer = NULL;
	if (hf_json_parse(t->arena, text, "result", &answer, err) < 0 || !hf_is(answer, HF_DICT))
		return hf_fail(err, HF_E_TASK, "the module ended without a result");
	struct hf_value *result = hf_dict_get(answer, "result");
	if (hf_is(result, HF_DICT))
		t->result = result;
	t->warnings = hf_dict_get(answer, "warnings");
	int64_t code = hf_dict_int(answer, "code", 0);
	if (code < 0)
		return hf_fail(err, (enum hf_code) - code, "%s", hf_dict_cstr(answer, "text", "failed"));
	return 0;
}

/* Bytes until the child closes its end, or the deadline; false when it passed. */
static bool read_answer(int fd, uint64_t deadline_ms, struct hf_buf *out)
{
	for (;;) {
		int wait_ms = -1;
		if (deadline_ms != 0) {
			uint64_t now = hf_time_monotonic_ms();
			if (now >= deadline_ms)
				return false;
			wait_ms = (int)(deadline_ms - now);
		}
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int n = poll(&p, 1, wait_ms);
		if (n < 0 && errno != EINTR)
			return true;
		if (n <= 0)
			continue;
		char *at = hf_buf_room(out, 65536);
		ssize_t got = at == NULL ? 0 : read(fd, at, 65536);
		if (got <= 0)
			return true;
		hf_buf_added(out, (size_t)got);
	}
}

int hf_module_fork(struct hf_task *t, const struct hf_become *b, uint32_t timeout_s, struct hf_error *err)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return hf_fail_errno(err, HF_E_IO, "pipe");
	pid_t pid = fork();
	if (pid < 0) {
		int r = hf_fail_errno(err, HF_E_IO, "fork");
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	if (pid == 0)
		child(t, b, fds[1]);
	close(fds[1]);
	hf_auto_fd in = fds[0];
	hf_auto_buf out = hf_buf_init(ANSWER_MAX);
	bool in_time = read_answer(
		in, timeout_s == 0 ? 0 : hf_time_monotonic_ms() + timeout_s * UINT64_C(1000), &out);
	if (!in_time)
		kill(-pid, SIGKILL);
	int status;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	if (!in_time)
		return hf_fail(err, HF_E_TASK,
			"The %s action failed to execute in the expected time frame (%u) and was terminated",
			t->node->action, timeout_s);
	return take_answer(t, hf_buf_dup(t->arena, &out), err);
}

/* What Ansible does on its own side cannot be left to a job. */
static int refuse_async(struct hf_task *t, struct hf_error *err)
{
	static const char *const own[] = { "add_host", "assemble", "assert", "async_status", "copy", "debug",
		"fail", "fetch", "group_by", "include_vars", "pause", "raw", "reboot", "script", "set_fact",
		"set_stats", "template", "unarchive", "validate_argument_spec", "wait_for_connection" };
	for (size_t i = 0; i < HF_COUNT(own); i++)
		if (strcmp(t->module->name, own[i]) == 0)
			return hf_fail(
				err, HF_E_TASK, "This action (%s) does not support async.", t->node->action);
	return 0;
}

int hf_module_run(struct hf_task *t, struct hf_error *err)
{
	struct hf_become b = { 0 };
	double timeout = 0, async = 0, poll_s = 15;
	int r = read_environment(t, err);
	if (r == 0 && (t->module->flags & HF_MODULE_NO_BECOME) == 0)
		r = hf_become_read(t, &b, err);
	if (r == 0)
		r = hf_task_number(t, HF_KW_timeout, t->run->task_timeout, &timeout, err);
	if (r == 0)
		r = hf_task_number(t, HF_KW_async, 0, &async, err);
	if (r == 0)
		r = hf_task_number(t, HF_KW_poll, 15, &poll_s, err);
	if (r < 0)
		return r;
	if (async > 0 && (r = refuse_async(t, err)) < 0)
		return r;
	if (async > 0 && !t->check)
		return hf_module_async(t, &b, (int64_t)async, (int64_t)poll_s, err);
	if (b.user != NULL || timeout > 0)
		return hf_module_fork(t, &b, (uint32_t)timeout, err);
	return hf_module_direct(t, err);
}
