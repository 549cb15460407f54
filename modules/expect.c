/* modules/expect.c - a program that asks questions: it gets a terminal, and answers where its output matches.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/engine/regex.h"
#include "modules/cmdline.h"
#include "modules/host.h"

enum { OUTPUT_MAX = 64 << 20, READ_SIZE = 4096, ANSWERS_MAX = 100000, GRACE_MS = 1000, NO_COMMAND = 256 };

struct params {
	const char *command, *chdir, *creates, *removes;
	struct hf_value *responses, *timeout;
	enum hf_tristate echo;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "command", HF_ARG_STR, AT(command), HF_REQUIRED, .help = "The program and its words; no shell." },
	{ "responses", HF_ARG_DICT, AT(responses), HF_REQUIRED,
		.help = "Python regular expressions, and the answer to each; a list is given one by one." },
	{ "chdir", HF_ARG_PATH, AT(chdir), .help = "Where it runs." },
	{ "creates", HF_ARG_PATH, AT(creates), .help = "Not when this exists." },
	{ "removes", HF_ARG_PATH, AT(removes), .help = "Not when this is missing." },
	{ "timeout", HF_ARG_RAW, AT(timeout), .dflt = "30",
		.help = "Seconds without anything that is expected; null waits for ever." },
	{ "echo", HF_ARG_BOOL, AT(echo), .dflt = "false", .help = "Show the answers in the output." },
	{ .type = HF_ARG_END },
};

struct answer {
	struct hf_regex *pattern;
	const struct hf_value *question, *value; /* text, or a list */
	size_t used;
};
struct talk {
	struct hf_arena *a;
	struct hf_error *err;
	struct answer *answers;
	size_t n;
	int master;
	int64_t timeout_ms; /* -1: none */
	struct hf_buf out;
	size_t seen; /* of out, what earlier matches took */
	size_t given;
	bool timed_out;
};

static int answer_text(struct talk *t, struct answer *x, struct hf_str *ret)
{
	const struct hf_value *v = x->value;
	if (hf_is_sequence(v)) {
		if (x->used >= hf_list_len(v))
			return hf_fail(t->err, HF_E_TASK,
				"No remaining responses for '%s', output was '%.*s'",
				hf_value_text(t->a, x->question).p, (int)(t->out.n - t->seen),
				t->out.p + t->seen);
		v = hf_list_at(v, x->used++);
	}
	struct hf_str text = hf_value_text(t->a, v);
	while (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	*ret = hf_str(hf_sprintf(t->a, "%.*s\n", HF_STR_ARG(text)));
	return 0;
}

/* The first thing in the output that is expected; *ret_found NULL where there is none yet. */
static int match_first(struct talk *t, struct answer **ret_found, size_t *ret_end)
{
	struct hf_str rest = hf_strn(t->out.p + t->seen, t->out.n - t->seen);
	size_t first = SIZE_MAX;
	*ret_found = NULL;
	for (size_t i = 0; rest.n > 0 && i < t->n; i++) {
		struct hf_regex_match m;
		int r = hf_regex_exec(t->a, t->answers[i].pattern, rest, 0, HF_REGEX_SEARCH, &m, t->err);
		if (r < 0)
			return r;
		if (!m.found || m.start >= first)
			continue;
		first = m.start;
		*ret_found = &t->answers[i];
		*ret_end = m.end;
	}
	return 0;
}

static int answers_give(struct talk *t, bool *ret_given)
{
	struct answer *x;
	size_t end = 0;
	*ret_given = false;
	while (t->given < ANSWERS_MAX) {
		struct hf_str text;
		int r = match_first(t, &x, &end);
		if (r < 0 || x == NULL)
			return r;
		r = answer_text(t, x, &text);
		if (r < 0)
			return r;
		t->seen += end;
		t->given++;
		*ret_given = true;
		struct hf_error gone; /* a program that has ended needs no answer */
		if (hf_fs_write_all(t->master, text, &gone) < 0)
			return 0;
		if (end == 0)
			return 0; /* matches nothing: wait for more */
	}
	return hf_fail(t->err, HF_E_LIMIT, "more than %d answers were asked for", ANSWERS_MAX);
}

/* Until the program closes its terminal or nothing expected comes in time. */
static int converse(struct talk *t)
{
	uint64_t since = hf_time_monotonic_ms();
	for (;;) {
		int64_t left =
			t->timeout_ms < 0 ? -1 : t->timeout_ms - (int64_t)(hf_time_monotonic_ms() - since);
		struct pollfd fd = { .fd = t->master, .events = POLLIN };
		int ready = poll(
			&fd, 1, left < 0 && t->timeout_ms >= 0 ? 0 : (int)(left > INT_MAX ? INT_MAX : left));
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0) {
			t->timed_out = true;
			return 0;
		}
		char *room = hf_buf_room(&t->out, READ_SIZE);
		if (room == NULL)
			return hf_fail(
				t->err, HF_E_LIMIT, "the program printed more than %d bytes", OUTPUT_MAX);
		ssize_t n = read(t->master, room, READ_SIZE);
		if (n <= 0)
			return 0; /* EIO: the other end is closed */
		hf_buf_added(&t->out, (size_t)n);
		bool given;
		int r = answers_give(t, &given);
		if (r < 0)
			return r;
		if (given)
			since = hf_time_monotonic_ms();
	}
}

static void child_run(const struct params *p, char *const *words, const char *const *env)
{
	struct termios tio;
	if (p->echo != HF_YES && tcgetattr(STDIN_FILENO, &tio) == 0) {
		tio.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &tio);
	}
	if (p->chdir != NULL && chdir(p->chdir) < 0)
		_exit(126);
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	execve(words[0], words, (char *const *)(uintptr_t)env);
	_exit(127);
}

/* The exit status; -1 for a program that was stopped or killed. */
static int child_end(pid_t pid, bool stop)
{
	int status = 0;
	if (stop) {
		kill(-pid, SIGHUP);
		for (int i = 0; i < GRACE_MS / 10; i++) {
			if (waitpid(pid, &status, WNOHANG) == pid)
				return -1;
			usleep(10000);
		}
		kill(-pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return !stop && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int patterns_make(struct talk *t, const struct hf_value *responses)
{
	t->answers = hf_new_array(t->a, hf_dict_len(responses) + 1, struct answer);
	HF_DICT_EACH (responses, e) {
		struct answer *x = &t->answers[t->n];
		x->question = hf_entry_key(e);
		x->value = hf_entry_value(e);
		int r = hf_regex_get(hf_value_text(t->a, x->question), HF_REGEX_BYTES | HF_REGEX_DOTALL,
			&x->pattern, t->err);
		if (r < 0)
			return r;
		t->n++;
	}
	return 0;
}

static int timeout_read(const struct params *p, int64_t *ret_ms, struct hf_error *err)
{
	int64_t seconds = 30;
	*ret_ms = -1;
	if (hf_is(p->timeout, HF_NULL))
		return 0;
	if (hf_is(p->timeout, HF_INT))
		seconds = p->timeout->u.integer;
	else if (p->timeout != NULL && (!hf_is(p->timeout, HF_STRING) ||
					       !hf_str_to_int64(hf_str_trim(p->timeout->u.string), &seconds)))
		return hf_fail(err, HF_E_TASK,
			"argument 'timeout' is of type <class '%s'> and we were unable to convert to int: "
			"<class '%s'> "
			"cannot be converted to an int",
			hf_type_name(p->timeout), hf_type_name(p->timeout));
	*ret_ms = seconds * 1000;
	return 0;
}

static int talk_run(struct hf_module_context *c, const struct params *p, struct talk *t, int *ret_status)
{
	char **words;
	size_t n;
	int r = hf_cmdline_split(t->a, p->command, &words, &n, t->err);
	if (r < 0)
		return r;
	bool of_dir = p->chdir != NULL && words[0][0] != '/' && strchr(words[0], '/') != NULL;
	char *program = hf_proc_which(t->a, of_dir ? hf_path_join(t->a, p->chdir, words[0]) : words[0]);
	if (program == NULL)
		return hf_fail(
			t->err, HF_E_TASK, "The command was not found or was not executable: %s.", words[0]);
	if (!of_dir)
		words[0] = program;
	const char *const *env = hf_task_env(c);
	pid_t pid = forkpty(&t->master, NULL, NULL, NULL);
	if (pid < 0)
		return hf_fail_errno(t->err, HF_E_IO, "open a terminal");
	if (pid == 0)
		child_run(p, words, env);
	(void)fcntl(t->master, F_SETFD, FD_CLOEXEC);
	r = converse(t);
	*ret_status = child_end(pid, r < 0 || t->timed_out);
	hf_close_fd(&t->master);
	return r;
}

static int expect_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	int64_t ms;
	int r = timeout_read(p, &ms, err);
	if (r < 0)
		return r;
	if (hf_str_trim(hf_str(p->command)).n == 0) {
		hf_result_int(c, change, "rc", NO_COMMAND);
		return hf_fail(err, HF_E_TASK, "no command given");
	}
	const char *dir = p->chdir != NULL ? p->chdir : hf_task_dir(c), *why = NULL;
	if (p->creates != NULL && hf_fs_exists(hf_path_join(a, dir, p->creates)))
		why = hf_sprintf(a, "skipped, since %s exists", p->creates);
	else if (p->removes != NULL && !hf_fs_exists(hf_path_join(a, dir, p->removes)))
		why = hf_sprintf(a, "skipped, since %s does not exist", p->removes);
	hf_result_cstr(c, change, "cmd", p->command);
	change->changed = why == NULL;
	change->unknown = why == NULL && p->creates == NULL && p->removes == NULL;
	if (why != NULL) {
		hf_result_cstr(c, change, "stdout", why);
		hf_result_put(c, change, "stdout_lines", hf_cmdline_lines(a, hf_str(why)));
		hf_result_int(c, change, "rc", 0);
	}
	return 0;
}

static int expect_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct talk t = { .a = a, .err = err, .master = -1, .out = hf_buf_init(OUTPUT_MAX) };
	struct timeval start, end;
	int status = -1;
	gettimeofday(&start, NULL);
	int r = timeout_read(p, &t.timeout_ms, err);
	if (r == 0)
		r = patterns_make(&t, p->responses);
	if (r == 0)
		r = talk_run(c, p, &t, &status);
	gettimeofday(&end, NULL);
	for (size_t i = 0; i < t.n; i++)
		hf_regex_put(t.answers[i].pattern);
	struct hf_str out = hf_buf_dup(a, &t.out);
	hf_buf_done(&t.out);
	if (r < 0)
		return r;
	while (out.n > 0 && strchr("\r\n", out.p[out.n - 1]) != NULL)
		out.n--;
	hf_result_put(c, change, "stdout", hf_value_str(a, out));
	hf_result_put(c, change, "stdout_lines", hf_cmdline_lines(a, out));
	hf_result_put(c, change, "rc", status < 0 ? hf_value_null(a) : hf_value_int(a, status));
	hf_result_cstr(c, change, "start", hf_cmdline_moment(a, &start));
	hf_result_cstr(c, change, "end", hf_cmdline_moment(a, &end));
	hf_result_cstr(c, change, "delta", hf_cmdline_delta(a, &start, &end));
	change->changed = true;
	if (status < 0)
		return hf_fail(err, HF_E_TASK, "command exceeded timeout");
	return status == 0 ? 0 : hf_fail(err, HF_E_TASK, "non-zero return code");
}

static int expect_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	(void)c;
	(void)params;
	(void)change;
	(void)err;
	hf_undo_impossible(undo, "what a command does is known to the command only");
	return 0;
}

static void expect_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	(void)c;
	if (p->creates != NULL)
		hf_watch_path(w, p->creates);
}

const struct hf_module hf_module_expect = {
	.name = "expect",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_CHECK | HF_MODULE_NO_DIFF,
	.check = expect_check,
	.apply = expect_apply,
	.undo = expect_undo,
	.watch = expect_watch,
};
