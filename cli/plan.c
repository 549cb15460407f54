/* holdfast plan: what a release or a playbook would do on this host, task by task, without doing it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ask.h"
#include "lib/base/fs.h"
#include "lib/engine/run.h"
#include "modules/registry.h"

static const struct cli_option options[] = { CLI_ASK_OPTIONS,
	{ "inventory", 'i', "SOURCE", "inventory file, folder or \"host,\" list; may be repeated" },
	{ "extra-vars", 'e', "VARS", "k=v, JSON or @file; may be repeated" },
	{ "tags", 't', "TAGS", "only what is tagged so" },
	{ "skip-tags", 0, "TAGS", "leave out what is tagged so" },
	{ "limit", 'l', "PATTERN", "only these hosts of the inventory" },
	{ "vault-password-file", 0, "FILE", "file or program with the vault password; may be repeated" },
	{ "roles-path", 0, "PATHS", "where roles are, colons between" },
	{ "diff", 'D', NULL, "show what would change inside files" },
	{ "all", 'a', NULL, "name the tasks that would do nothing as well" },
	{ "full", 0, NULL, "of a release: as if it ran from nothing, not only what changed" },
	{ "detailed-exitcode", 0, NULL, "exit status 2 when something would change or is unknown" },
	{ NULL, 0, NULL, NULL } };

struct plan {
	struct cli_call *call;
	struct hf_value *tasks; /* list of events */
};

static void on_event(void *data, const struct hf_value *event)
{
	struct plan *p = data;
	if (strcmp(hf_dict_cstr(event, "type", ""), "task") != 0)
		return;
	struct hf_value *copy = hf_value_copy(p->call->arena, event);
	hf_dict_remove(copy, "result");
	hf_list_append(p->tasks, copy);
}

/* A release's folder means its entry. */
static const char *entry_of(struct cli_call *call, const char *path)
{
	return hf_fs_is_dir(path) ? hf_path_join(call->arena, path, "site.yml") : path;
}

static int plan_playbook(struct plan *p, struct hf_error *err)
{
	struct cli_call *call = p->call;
	const char *const books[] = { entry_of(call, call->arguments[0]), NULL };
	struct hf_run_hooks hooks = { .data = p, .event = on_event };
	struct hf_run_options o = { .registry = &hf_modules,
		.playbooks = books,
		.inventories = cli_values(call, "inventory"),
		.extra_vars = cli_values(call, "extra-vars"),
		.tags = cli_values(call, "tags"),
		.skip_tags = cli_values(call, "skip-tags"),
		.limit = cli_value(call, "limit", NULL),
		.vault_password_files = cli_values(call, "vault-password-file"),
		.roles_path = cli_value(call, "roles-path", NULL),
		.connection = "local",
		.check = true,
		.plan = true,
		.diff = true,
		.hooks = &hooks };
	struct hf_run_summary summary;
	return hf_run_playbooks(&o, &summary, err);
}

static int plan_release(struct plan *p, struct hf_error *err)
{
	struct cli_call *call = p->call;
	struct hf_value *request = hf_value_dict(call->arena), *answer = NULL;
	hf_dict_put(request, "full", hf_value_bool(call->arena, cli_given(call, "full")));
	int result = cli_ask(call, "plan", request, &answer, err);
	if (result < 0)
		return result;
	if (hf_is(hf_dict_get(answer, "tasks"), HF_LIST))
		p->tasks = hf_dict_get(answer, "tasks");
	if (!cli_given(call, "json"))
		printf("release %s\n", hf_dict_cstr(answer, "release", "?"));
	return 0;
}

static size_t count(const struct plan *p, const char *word)
{
	size_t n = 0;
	for (size_t i = 0; i < hf_list_len(p->tasks); i++) {
		const struct hf_value *e = hf_list_at(p->tasks, i);
		n += hf_dict_get(e, "item") == NULL && strcmp(hf_dict_cstr(e, "plan", ""), word) == 0;
	}
	return n;
}

static void task_print(const struct plan *p, const struct hf_value *e)
{
	static const struct {
		const char *word, *mark;
	} marks[] = { { "change", "~" }, { "unknown", "?" }, { "fail", "!" }, { "none", " " } };
	const char *word = hf_dict_cstr(e, "plan", "none");
	if (strcmp(word, "none") == 0 && !cli_given(p->call, "all"))
		return;
	for (size_t i = 0; i < HF_COUNT(marks); i++)
		if (strcmp(word, marks[i].word) == 0)
			printf("%s ", marks[i].mark);
	printf("%s", hf_dict_cstr(e, "task", ""));
	if (hf_dict_get(e, "item") != NULL)
		printf(" (%s)", hf_value_text(p->call->arena, hf_dict_get(e, "item")).p);
	const char *why = hf_dict_cstr(e, "why", NULL);
	printf(": %s%s%s%s\n", word, why != NULL ? ", " : "", why != NULL ? why : "",
		hf_dict_bool(e, "recalled", false) ? ", not run again" : "");
	if (strcmp(word, "fail") == 0)
		printf("    %s\n", hf_dict_cstr(e, "msg", ""));
	if (cli_given(p->call, "diff"))
		cli_ask_print_diff(hf_dict_get(e, "diff"));
}

static int plan_show(const struct plan *p)
{
	size_t change = count(p, "change"), unknown = count(p, "unknown"), fail = count(p, "fail");
	if (cli_given(p->call, "json")) {
		struct hf_value *v = hf_value_dict(p->call->arena);
		hf_dict_put(v, "tasks", p->tasks);
		cli_ask_print_json(p->call, v);
	} else {
		for (size_t i = 0; i < hf_list_len(p->tasks); i++)
			task_print(p, hf_list_at(p->tasks, i));
		printf("%zu to change, %zu unknown, %zu would fail, %zu as they are\n", change, unknown, fail,
			count(p, "none"));
	}
	if (fail > 0)
		return CLI_ERROR;
	return change + unknown > 0 && cli_given(p->call, "detailed-exitcode") ? CLI_CHANGES : CLI_OK;
}

static int plan_run(struct cli_call *call)
{
	struct plan p = { call, hf_value_list(call->arena) };
	struct hf_error err = { 0 };
	int result = call->n_arguments > 0 ? plan_playbook(&p, &err) : plan_release(&p, &err);
	return result < 0 ? cli_fail(call, &err) : plan_show(&p);
}

const struct cli_command cli_command_plan = { .name = "plan",
	.summary = "what the wanted release, or a playbook, would do on this host",
	.arguments = "[PLAYBOOK|FOLDER]",
	.options = options,
	.max_arguments = 1,
	.run = plan_run,
	.details =
		"Without an argument the agent is asked about the release its channel names; with one the "
		"playbook, or site.yml of the folder, is read here. Nothing is changed. Of each task: "
		"change, none, "
		"fail, or unknown with the reason: a command without creates or removes, what depends on its "
		"result, and what an earlier task changes first." };
