#include <stdio.h>

#include "cli/ask.h"
#include "lib/base/time.h"

static void release_print(const char *label, const struct hf_value *t)
{
	if (t == NULL)
		return;
	printf("%-10s %s (%.12s, seq %lld, %s)\n", label, hf_dict_cstr(t, "name", ""),
		hf_dict_cstr(t, "release", ""), (long long)hf_dict_int(t, "seq", 0),
		hf_dict_cstr(t, "kind", ""));
}

static void run_print(const struct hf_value *r)
{
	if (r == NULL)
		return;
	printf("last run   %lld %s: %s; %lld ok, %lld changed, %lld failed, %lld not run again\n",
		(long long)hf_dict_int(r, "run", 0), hf_dict_cstr(r, "cause", ""),
		hf_dict_cstr(r, "status", ""), (long long)hf_dict_int(r, "ok", 0),
		(long long)hf_dict_int(r, "changed", 0), (long long)hf_dict_int(r, "failed", 0),
		(long long)hf_dict_int(r, "recalled", 0));
}

/* "ready in   83.2 s: boot 12.1, bootstrap 20.3, ..." */
static void timeline_print(const struct hf_value *t)
{
	static const char *const phases[][2] = { { "boot_ms", "boot" }, { "bootstrap_ms", "bootstrap" },
		{ "fetch_ms", "fetch" }, { "verify_ms", "verify" }, { "apply_ms", "apply" },
		{ "gates_ms", "gates" } };
	const char *between = ": ";
	if (t == NULL)
		return;
	printf("%-10s %.1f s", "ready in", (double)hf_dict_int(t, "total_ms", 0) / 1000);
	for (size_t i = 0; i < HF_COUNT(phases); i++)
		if (hf_dict_get(t, phases[i][0]) != NULL) {
			printf("%s%s %.1f", between, phases[i][1],
				(double)hf_dict_int(t, phases[i][0], 0) / 1000);
			between = ", ";
		}
	putchar('\n');
}

static void broker_print(const struct hf_value *m)
{
	if (!hf_dict_bool(m, "configured", false))
		printf("broker     none is configured; %lld reports wait\n",
			(long long)hf_dict_int(m, "waiting", 0));
	else if (hf_dict_bool(m, "connected", false))
		printf("broker     connected; %lld reports wait\n", (long long)hf_dict_int(m, "waiting", 0));
	else
		printf("broker     not connected: %s; %lld reports wait\n", hf_dict_cstr(m, "trouble", ""),
			(long long)hf_dict_int(m, "waiting", 0));
}

static int status_run(struct cli_call *call)
{
	struct hf_value *answer = NULL;
	struct hf_error err = { 0 };
	if (cli_ask(call, "status", NULL, &answer, &err) < 0)
		return cli_fail(call, &err);
	const struct hf_value *s = hf_dict_get(answer, "status");
	if (cli_given(call, "json"))
		return cli_ask_print_json(call, s);
	printf("%-10s %s/%s/%s\n", "host", hf_dict_cstr(s, "environment", ""), hf_dict_cstr(s, "fleet", ""),
		hf_dict_cstr(s, "host", ""));
	printf("%-10s %s\n", "state", hf_dict_cstr(s, "state", ""));
	if (hf_dict_get(s, "message") != NULL)
		printf("%-10s %s\n", "because", hf_dict_cstr(s, "message", ""));
	if (hf_dict_get(s, "paused_until") != NULL)
		printf("%-10s until %s: %s\n", "paused", hf_dict_cstr(s, "paused_until", ""),
			hf_dict_cstr(s, "pause_reason", ""));
	const struct hf_value *notice = hf_dict_get(s, "notice");
	if (hf_dict_get(s, "readiness") != NULL)
		printf("%-10s %s%s%s\n", "for jobs", hf_dict_cstr(s, "readiness", ""),
			hf_dict_get(s, "readiness_because") != NULL ? ": " : "",
			hf_dict_cstr(s, "readiness_because", ""));
	if (notice != NULL)
		printf("%-10s %s %s at %s; drain: %s\n", "notice", hf_dict_cstr(notice, "kind", ""),
			hf_dict_cstr(notice, "action", ""), hf_dict_cstr(notice, "time", "?"),
			hf_dict_cstr(notice, "drain", "none"));
	release_print("installed", hf_dict_get(s, "installed"));
	release_print("wanted", hf_dict_get(s, "wanted"));
	if (hf_dict_get(s, "waits") != NULL)
		printf("%-10s %s\n", "waits", hf_dict_cstr(s, "waits", ""));
	if (hf_dict_get(s, "quarantined_until") != NULL)
		printf("%-10s what is wanted, until the channel goes beyond seq %lld\n", "refused",
			(long long)hf_dict_int(s, "quarantined_until", 0));
	printf("%-10s %lld; %lld drifted, %lld contended\n", "resources",
		(long long)hf_dict_int(s, "resources", 0), (long long)hf_dict_int(s, "drifted", 0),
		(long long)hf_dict_int(s, "contended", 0));
	run_print(hf_dict_get(s, "last_run"));
	timeline_print(hf_dict_get(s, "ready_in"));
	printf("%-10s %s%s%s\n", "store", hf_dict_cstr(s, "store", ""),
		hf_dict_get(s, "store_trouble") != NULL ? ": " : "", hf_dict_cstr(s, "store_trouble", ""));
	broker_print(hf_dict_get(s, "mqtt"));
	return CLI_OK;
}

static const struct cli_option options[] = { CLI_ASK_OPTIONS, { NULL } };

const struct cli_command cli_command_status = { .name = "status",
	.summary = "what the agent on this host knows and does",
	.options = options,
	.run = status_run };
