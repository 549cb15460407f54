/* cli/order.c - commands that tell the agent to do something: rollback, pause, resume, run, doctor. */
#include <stdio.h>
#include <unistd.h>

#include "cli/ask.h"

enum { RUN_MAX = 1 << 30, LOOK_MS = 200 };

static int order_give(struct cli_call *call, const char *name, struct hf_value *request, const char *done)
{
	struct hf_value *answer = NULL;
	struct hf_error err = { 0 };
	if (cli_ask(call, name, request, &answer, &err) < 0)
		return cli_fail(call, &err);
	if (cli_given(call, "json"))
		return cli_ask_print_json(call, answer);
	printf("%s\n", done);
	return CLI_OK;
}

/* Until no run is at work; the exit status follows how it ended. */
static int outcome_wait(struct cli_call *call)
{
	struct hf_error err = { 0 };
	for (;;) {
		struct hf_arena_mark mark = hf_arena_mark(call->arena);
		struct hf_value *answer = NULL;
		usleep(LOOK_MS * 1000);
		if (cli_ask(call, "status", NULL, &answer, &err) < 0)
			return cli_fail(call, &err);
		const struct hf_value *s = hf_dict_get(answer, "status"), *run = hf_dict_get(s, "last_run");
		const char *status = run == NULL ? "" : hf_dict_cstr(run, "status", "");
		if (strcmp(status, "running") != 0) {
			printf("%s: %s%s%s\n", hf_dict_cstr(s, "state", ""), status,
				hf_dict_get(s, "message") != NULL ? ": " : "",
				hf_dict_cstr(s, "message", ""));
			return strcmp(status, "ok") == 0 || strcmp(status, "rolled_back") == 0 ? CLI_OK
											       : CLI_CHANGES;
		}
		hf_arena_reset(call->arena, mark);
	}
}

static int rollback_run(struct cli_call *call)
{
	struct hf_value *request = hf_value_dict(call->arena);
	struct hf_error err = { 0 };
	long long run;
	if (cli_number(call, "run", 1, RUN_MAX, 0, &run, &err) < 0)
		return cli_fail(call, &err);
	hf_dict_put(request, "run", hf_value_int(call->arena, run));
	hf_dict_put(request, "reason",
		hf_value_cstr(call->arena, cli_value(call, "reason", "asked for on this host")));
	int status = order_give(call, "rollback", request, "the rollback begins");
	return status == CLI_OK && !cli_given(call, "no-wait") ? outcome_wait(call) : status;
}

/* 90s, 5m, 2h, 1d */
static bool span_read(const char *text, int64_t *ret)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t n = strlen(text);
	int64_t number;
	for (size_t i = 0; i < HF_COUNT(units); i++)
		if (n > 1 && text[n - 1] == units[i].unit && hf_str_to_int64(hf_strn(text, n - 1), &number) &&
			number > 0 && number < RUN_MAX) {
			*ret = number * units[i].seconds;
			return true;
		}
	return false;
}

static int pause_run(struct cli_call *call)
{
	struct hf_value *request = hf_value_dict(call->arena);
	const char *span = cli_value(call, "for", NULL);
	int64_t seconds;
	if (span == NULL || !span_read(span, &seconds))
		return cli_usage(call, "say for how long: --for 30m, 2h or 1d");
	hf_dict_put(request, "seconds", hf_value_int(call->arena, seconds));
	hf_dict_put(request, "reason", hf_value_cstr(call->arena, cli_value(call, "reason", "")));
	return order_give(call, "pause", request, "paused: drift is reported, nothing is changed");
}

static int resume_run(struct cli_call *call)
{
	return order_give(call, "resume", NULL, "at work again");
}

static int run_run(struct cli_call *call)
{
	struct hf_value *request = hf_value_dict(call->arena);
	hf_dict_put(request, "full", hf_value_bool(call->arena, cli_given(call, "full")));
	return order_give(call, "run", request, "the store is asked now");
}

static int doctor_run(struct cli_call *call)
{
	struct hf_value *answer = NULL;
	struct hf_error err = { 0 };
	bool well = true;
	if (cli_ask(call, "doctor", NULL, &answer, &err) < 0)
		return cli_fail(call, &err);
	const struct hf_value *checks = hf_dict_get(answer, "checks");
	for (size_t i = 0; i < hf_list_len(checks); i++) {
		const struct hf_value *c = hf_list_at(checks, i);
		well = well && hf_dict_bool(c, "ok", false);
		if (!cli_given(call, "json"))
			printf("%-4s %-9s %s\n", hf_dict_bool(c, "ok", false) ? "ok" : "BAD",
				hf_dict_cstr(c, "check", ""), hf_dict_cstr(c, "text", ""));
	}
	if (cli_given(call, "json"))
		cli_ask_print_json(call, checks);
	return well ? CLI_OK : CLI_ERROR;
}

static const struct cli_option rollback_options[] = { CLI_ASK_OPTIONS,
	{ "run", 0, "N", "take back run N and every later one (default: the newest release run)" },
	{ "reason", 'r', "TEXT", "why; shown in history and reports" },
	{ "no-wait", 0, NULL, "do not wait for the end" }, { NULL } };
static const struct cli_option pause_options[] = { CLI_ASK_OPTIONS,
	{ "for", 0, "SPAN", "how long: 30m, 2h, 1d" }, { "reason", 'r', "TEXT", "why; the fleet sees it" },
	{ NULL } };
static const struct cli_option run_options[] = { CLI_ASK_OPTIONS,
	{ "full", 0, NULL, "run every task of the release, not only what changed" }, { NULL } };
static const struct cli_option plain_options[] = { CLI_ASK_OPTIONS, { NULL } };

const struct cli_command cli_command_rollback = { .name = "rollback",
	.summary = "take back what runs changed on this host, then apply the release before them",
	.options = rollback_options,
	.run = rollback_run,
	.details = "What was taken back stays away until the channel names something newer.\n"
		   "Exit status 2 when something could not be taken back (state rolled_back_partial)." };
const struct cli_command cli_command_pause = { .name = "pause",
	.summary = "change nothing on this host for a while",
	.options = pause_options,
	.run = pause_run };
const struct cli_command cli_command_resume = {
	.name = "resume", .summary = "end a pause", .options = plain_options, .run = resume_run
};
const struct cli_command cli_command_run = {
	.name = "run", .summary = "ask the store now", .options = run_options, .run = run_run
};
const struct cli_command cli_command_doctor = { .name = "doctor",
	.summary = "is everything the agent needs there",
	.options = plain_options,
	.run = doctor_run,
	.details = "Exit status 1 when something is wrong." };
