#include <stdio.h>
#include <unistd.h>

#include "cli/ask.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { WATCH_MS = 200, LIMIT_MAX = 5000, LINE_MAX_BYTES = 4 << 20 };

static void event_print(const struct hf_value *e, bool diff)
{
	char when[HF_TIME_TEXT];
	hf_time_print(hf_dict_int(e, "t", 0) / 1000, when);
	printf("%s  %s: %s (%s), by %s\n", when, hf_dict_cstr(e, "title", ""), hf_dict_cstr(e, "action", ""),
		hf_dict_cstr(e, "class", ""), hf_dict_cstr(e, "actor", "unknown"));
	if (hf_is(hf_dict_get(e, "message"), HF_STRING))
		printf("    %s\n", hf_dict_cstr(e, "message", ""));
	if (diff)
		cli_ask_print_diff(hf_dict_get(e, "diff"));
}

/* Who reads on gets one object a line: a document would have no end. */
static void event_print_line(const struct hf_value *e)
{
	hf_auto_buf b = hf_buf_init(LINE_MAX_BYTES);
	struct hf_json_style style = HF_JSON_COMPACT;
	struct hf_error err = { 0 };
	if (hf_json_write(&b, e, &style, &err) < 0 || hf_buf_check(&b, "an event", &err) < 0)
		fprintf(stderr, "holdfast: %s\n", err.text);
	else
		printf("%s\n", hf_buf_str(&b).p);
}

/* since -1: the newest, as many as asked for; else all after that one. */
static int request_make(struct cli_call *call, int64_t since, struct hf_value **ret, struct hf_error *err)
{
	long long limit;
	int result = cli_number(call, "limit", 1, LIMIT_MAX, 20, &limit, err);
	if (result < 0)
		return result;
	if (since >= 0)
		limit = LIMIT_MAX;
	*ret = hf_value_dict(call->arena);
	hf_dict_put(*ret, "limit", hf_value_int(call->arena, limit));
	hf_dict_put(*ret, "since", hf_value_int(call->arena, since < 0 ? 0 : since));
	return 0;
}

static int64_t events_print(struct cli_call *call, const struct hf_value *answer, int64_t last)
{
	const struct hf_value *events = hf_dict_get(answer, "events");
	for (size_t i = 0; events != NULL && i < hf_list_len(events); i++) {
		if (cli_given(call, "json"))
			event_print_line(hf_list_at(events, i));
		else
			event_print(hf_list_at(events, i), true);
		last = hf_dict_int(hf_list_at(events, i), "id", last);
	}
	fflush(stdout);
	return last;
}

static int drift_run(struct cli_call *call)
{
	struct hf_value *request = NULL, *answer = NULL;
	struct hf_error err = { 0 };
	if (request_make(call, -1, &request, &err) < 0 || cli_ask(call, "drift", request, &answer, &err) < 0)
		return cli_fail(call, &err);
	bool json = cli_given(call, "json");
	if (json && !cli_given(call, "watch"))
		return cli_ask_print_json(call, answer);
	int64_t last = events_print(call, answer, 0);
	const struct hf_value *now = hf_dict_get(answer, "now");
	for (size_t i = 0; !json && now != NULL && i < hf_list_len(now); i++)
		printf("%s now: %s\n", hf_dict_cstr(hf_list_at(now, i), "state", ""),
			hf_dict_cstr(hf_list_at(now, i), "title", ""));
	if (!json && last == 0 && hf_list_len(now) == 0)
		printf("no drift was seen\n");
	fflush(stdout);
	while (cli_given(call, "watch")) {
		struct hf_arena_mark mark = hf_arena_mark(call->arena);
		usleep(WATCH_MS * 1000);
		if (request_make(call, last, &request, &err) < 0 ||
			cli_ask(call, "drift", request, &answer, &err) < 0)
			return cli_fail(call, &err);
		last = events_print(call, answer, last);
		hf_arena_reset(call->arena, mark);
	}
	return CLI_OK;
}

static int diff_run(struct cli_call *call)
{
	struct hf_value *answer = NULL;
	struct hf_error err = { 0 };
	if (cli_ask(call, "drift", NULL, &answer, &err) < 0)
		return cli_fail(call, &err);
	const struct hf_value *now = hf_dict_get(answer, "now");
	size_t n = now == NULL ? 0 : hf_list_len(now);
	if (cli_given(call, "json"))
		cli_ask_print_json(call, now);
	for (size_t i = 0; i < n && !cli_given(call, "json"); i++) {
		const struct hf_value *r = hf_list_at(now, i);
		printf("%s: %s, by %s\n", hf_dict_cstr(r, "title", ""), hf_dict_cstr(r, "state", ""),
			hf_dict_cstr(r, "actor", "unknown"));
		cli_ask_print_diff(hf_dict_get(r, "diff"));
	}
	return n > 0 ? CLI_CHANGES : CLI_OK;
}

static const struct cli_option drift_options[] = { CLI_ASK_OPTIONS,
	{ "watch", 'w', NULL, "go on and print events as they come; with --json one a line" },
	{ "limit", 'n', "N", "how many past events (20)" }, { NULL } };
static const struct cli_option diff_options[] = { CLI_ASK_OPTIONS, { NULL } };

const struct cli_command cli_command_drift = { .name = "drift",
	.summary = "what was changed behind the release's back, and by whom",
	.options = drift_options,
	.run = drift_run };
const struct cli_command cli_command_diff = { .name = "diff",
	.summary = "how this host differs from its release now",
	.options = diff_options,
	.run = diff_run,
	.details = "Exit status 2 when something differs." };
