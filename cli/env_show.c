/* How a plan, and the work on it, is shown. */
#include <stdio.h>
#include <string.h>

#include "cli/env.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"

enum { OUTPUT_MAX = 64 << 20 };

static const char *value_show(struct hf_arena *a, const struct hf_value *v)
{
	const struct hf_json_style style = { .indent = -1, .hide_secrets = true };
	hf_auto_buf out = hf_buf_init(OUTPUT_MAX);
	if (v == NULL)
		return "not set";
	if (hf_is(v, HF_UNDEFINED))
		return "known after apply";
	return hf_json_write(&out, v, &style, NULL) < 0 ? "?" : hf_str_dup(a, hf_buf_str(&out));
}

static void change_show(struct hf_arena *a, const struct hf_change *c)
{
	static const char *const marks[] = {
		[HF_CREATE] = "+", [HF_UPDATE] = "~", [HF_REPLACE] = "-/+", [HF_DELETE] = "-"
	};
	printf("%4s %s (%s)\n", marks[c->action], c->name, c->spec->type);
	for (size_t i = 0; i < c->differences.n; i++) {
		const struct hf_difference *d = &c->differences.at[i];
		if (d->before == NULL && d->after == NULL)
			printf("         %s\n", d->property);
		else
			printf("         %s: %s → %s%s\n", d->property, value_show(a, d->before),
				value_show(a, d->after), d->forces ? "  (cannot be changed in place)" : "");
	}
}

size_t env_plan_todo(const struct hf_plan *p)
{
	return p->counts[HF_CREATE] + p->counts[HF_UPDATE] + p->counts[HF_REPLACE] + p->counts[HF_DELETE];
}

void env_plan_show(struct hf_arena *a, const struct hf_environment *env, const struct hf_plan *p)
{
	for (size_t i = 0; i < p->changes.n; i++)
		if (p->changes.at[i].action != HF_NONE)
			change_show(a, &p->changes.at[i]);
	printf("%s: %zu to create, %zu to update, %zu to replace, %zu to delete, %zu unchanged\n", env->name,
		p->counts[HF_CREATE], p->counts[HF_UPDATE], p->counts[HF_REPLACE], p->counts[HF_DELETE],
		p->counts[HF_NONE]);
}

void env_on_event(void *data, const char *name, enum hf_action action, enum hf_event event, uint64_t ms,
	const char *text)
{
	static const char *const words[] = { [HF_STARTED] = "started",
		[HF_WAITS] = "waits",
		[HF_FINISHED] = "done",
		[HF_FAILED] = "failed",
		[HF_SKIPPED] = "skipped" };
	const struct env_telling *t = data;
	if (t->json) {
		const struct hf_json_style style = HF_JSON_COMPACT;
		hf_auto_arena a = hf_arena_new();
		hf_auto_buf line = hf_buf_init(OUTPUT_MAX);
		struct hf_value *v = hf_value_dict(a);
		hf_dict_put(v, "type", hf_value_cstr(a, "resource"));
		hf_dict_put(v, "name", hf_value_cstr(a, name));
		hf_dict_put(v, "action", hf_value_cstr(a, hf_action_name(action)));
		hf_dict_put(v, "event", hf_value_cstr(a, words[event]));
		hf_dict_put(v, "ms", hf_value_int(a, (int64_t)ms));
		hf_dict_put(v, "msg", hf_value_cstr(a, text));
		if (hf_json_write(&line, v, &style, NULL) == 0)
			printf("%.*s\n", HF_STR_ARG(hf_buf_str(&line)));
	} else if (event != HF_STARTED) {
		printf("%-8s %s %s", words[event], hf_action_name(action), name);
		printf(text[0] == '\0' ? " (%.1f s)%s\n" : " (%.1f s): %s\n", (double)ms / 1000, text);
	}
	fflush(stdout);
}
