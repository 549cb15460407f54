#include <stdio.h>

#include "cli/ask.h"

enum { LIMIT_MAX = 5000 };

static void run_print(struct hf_arena *a, const struct hf_value *r)
{
	const char *message = hf_dict_cstr(r, "message", "");
	printf("%5lld  %-9s %-20s %-16s %lld changed, %lld failed, %lld not run again  %s%s\n",
		(long long)hf_dict_int(r, "id", 0), hf_dict_cstr(r, "kind", ""),
		hf_dict_cstr(r, "status", ""), hf_dict_cstr(r, "name", ""),
		(long long)hf_dict_int(r, "changed", 0), (long long)hf_dict_int(r, "failed", 0),
		(long long)hf_dict_int(r, "recalled", 0), cli_ask_ago(a, hf_dict_int(r, "started", 0)),
		hf_dict_int(r, "undone", 0) != 0 ? "  (taken back)" : "");
	if (*message != '\0')
		printf("       %s\n", message);
}

static int history_run(struct cli_call *call)
{
	struct hf_value *request = hf_value_dict(call->arena), *answer = NULL;
	struct hf_error err = { 0 };
	long long limit;
	if (cli_number(call, "limit", 1, LIMIT_MAX, 20, &limit, &err) < 0)
		return cli_fail(call, &err);
	hf_dict_put(request, "limit", hf_value_int(call->arena, limit));
	if (cli_ask(call, "history", request, &answer, &err) < 0)
		return cli_fail(call, &err);
	if (cli_given(call, "json"))
		return cli_ask_print_json(call, answer);
	const struct hf_value *runs = hf_dict_get(answer, "runs"),
			      *refused = hf_dict_get(answer, "quarantine");
	for (size_t i = 0; runs != NULL && i < hf_list_len(runs); i++)
		run_print(call->arena, hf_list_at(runs, i));
	for (size_t i = 0; refused != NULL && i < hf_list_len(refused); i++)
		printf("quarantined until seq %lld: %.12s: %s\n",
			(long long)hf_dict_int(hf_list_at(refused, i), "seq", 0) + 1,
			hf_dict_cstr(hf_list_at(refused, i), "release", ""),
			hf_dict_cstr(hf_list_at(refused, i), "reason", ""));
	return CLI_OK;
}

/* When drift was seen last, and who made it; the variables of its task and where each was given. */
static void explain_print_more(struct cli_call *call, const struct hf_value *r)
{
	const struct hf_value *variables = hf_dict_get(r, "variables");
	if (hf_dict_int(r, "drifted", 0) > 0)
		printf("  drift    %s, %s, by %s\n", cli_ask_ago(call->arena, hf_dict_int(r, "drifted", 0)),
			hf_dict_cstr(r, "action", ""), hf_dict_cstr(r, "actor", "unknown"));
	if (!hf_is(variables, HF_DICT))
		return;
	HF_DICT_EACH (variables, e)
		printf("  variable %s, %s\n", hf_entry_key(e)->u.string.p,
			hf_is(hf_entry_value(e), HF_STRING) ? hf_entry_value(e)->u.string.p
							    : "a fact or a result");
}

static int explain_run(struct cli_call *call)
{
	struct hf_value *request = hf_value_dict(call->arena), *answer = NULL;
	struct hf_error err = { 0 };
	hf_dict_put(request, "resource", hf_value_cstr(call->arena, call->arguments[0]));
	if (cli_ask(call, "explain", request, &answer, &err) < 0)
		return cli_fail(call, &err);
	const struct hf_value *all = hf_dict_get(answer, "resources");
	if (cli_given(call, "json"))
		return cli_ask_print_json(call, all);
	for (size_t i = 0; i < hf_list_len(all); i++) {
		const struct hf_value *r = hf_list_at(all, i), *watches = hf_dict_get(r, "watches");
		printf("%s\n  module   %s\n  from     %s:%lld\n  state    %s (%s)\n",
			hf_dict_cstr(r, "title", ""), hf_dict_cstr(r, "module", ""),
			hf_dict_cstr(r, "file", "?"), (long long)hf_dict_int(r, "line", 0),
			hf_dict_cstr(r, "state", ""), hf_dict_cstr(r, "status", ""));
		printf("  checked  %s\n", cli_ask_ago(call->arena, hf_dict_int(r, "checked", 0)));
		if (hf_dict_int(r, "changed", 0) > 0)
			printf("  changed  %s, run %lld, by %s\n",
				cli_ask_ago(call->arena, hf_dict_int(r, "changed", 0)),
				(long long)hf_dict_int(r, "run", 0),
				hf_dict_cstr(r, "changed_by", "a release"));
		explain_print_more(call, r);
		for (size_t w = 0; hf_is(watches, HF_LIST) && w < hf_list_len(watches); w++)
			printf("  watched  %s %s\n", hf_dict_cstr(hf_list_at(watches, w), "kind", ""),
				hf_dict_cstr(hf_list_at(watches, w), "name", ""));
	}
	return CLI_OK;
}

static const struct cli_option history_options[] = { CLI_ASK_OPTIONS,
	{ "limit", 'n', "N", "how many runs (20)" }, { NULL } };
static const struct cli_option explain_options[] = { CLI_ASK_OPTIONS, { NULL } };

const struct cli_command cli_command_history = { .name = "history",
	.summary = "what ran on this host, newest first",
	.options = history_options,
	.run = history_run };
const struct cli_command cli_command_explain = { .name = "explain",
	.summary = "why a resource is as it is: task, watches, last change",
	.arguments = "RESOURCE",
	.options = explain_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = explain_run,
	.details = "RESOURCE is the title of a task, an id, or a path that a task manages." };
