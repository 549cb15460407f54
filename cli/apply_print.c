#include "cli/apply_print.h"

#include <stdio.h>
#include <string.h>

#include "cli/diff.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"

enum { OUT_MAX = 128 << 20, BANNER = 79 };

static const char *colour_of(const struct apply_print *p, const char *status)
{
	static const struct {
		const char *status, *code;
	} rows[] = { { "ok", "\033[0;32m" }, { "changed", "\033[0;33m" }, { "skipped", "\033[0;36m" },
		{ "failed", "\033[0;31m" }, { "rescued", "\033[0;31m" }, { "ignored", "\033[0;31m" },
		{ "unreachable", "\033[1;31m" } };
	for (size_t i = 0; p->colour && i < HF_COUNT(rows); i++) {
		if (strcmp(rows[i].status, status) == 0)
			return rows[i].code;
	}
	return "";
}

static void banner(const char *text)
{
	size_t n = strlen(text);
	printf("\n%s ", text);
	for (size_t i = n + 1; i < BANNER || i < n + 4; i++)
		putchar('*');
	putchar('\n');
}

static void banner_of(struct hf_arena *a, const char *what, const char *name)
{
	banner(name == NULL || *name == '\0' ? what : hf_sprintf(a, "%s [%s]", what, name));
}

/* Keys that are ours or noise to a reader. */
static struct hf_value *shown(struct hf_arena *a, const struct hf_value *result, int verbosity)
{
	static const char *const quiet[] = { "diff", "invocation", "skip_reason", "_ansible_no_log", NULL };
	struct hf_value *out = hf_value_dict(a);
	HF_DICT_EACH (result, e) {
		const struct hf_value *key = hf_entry_key(e);
		bool hide = false;
		for (size_t i = 0; hf_is(key, HF_STRING) && verbosity < 3 && quiet[i] != NULL; i++)
			hide = hide || hf_str_is(key->u.string, quiet[i]);
		if (!hide)
			hf_dict_set(out, hf_entry_key(e), hf_entry_value(e));
	}
	return out;
}

static void put_json(struct hf_buf *out, const struct hf_value *v, int indent)
{
	struct hf_json_style style = { .indent = indent, .sort_keys = true, .hide_secrets = true };
	struct hf_error err;
	/* What JSON cannot hold is still worth showing. */
	if (hf_json_write(out, v, &style, &err) < 0)
		hf_value_repr(out, v);
}

static void print_diff_one(const struct apply_print *p, struct hf_arena *a, const struct hf_value *d)
{
	struct hf_value *before = hf_dict_get(d, "before"), *after = hf_dict_get(d, "after");
	if (before == NULL || after == NULL)
		return;
	hf_auto_buf b = hf_buf_init(OUT_MAX), f = hf_buf_init(OUT_MAX), out = hf_buf_init(OUT_MAX);
	if (hf_is(before, HF_DICT))
		put_json(&b, before, 4);
	else
		hf_buf_add(&b, hf_value_text(a, before));
	if (hf_is(after, HF_DICT))
		put_json(&f, after, 4);
	else
		hf_buf_add(&f, hf_value_text(a, after));
	struct hf_diff_headers headers = { hf_dict_cstr(d, "before_header", NULL),
		hf_dict_cstr(d, "after_header", NULL) };
	hf_diff_print(&out, hf_buf_str(&b), hf_buf_str(&f), headers, p->colour);
	fwrite(out.p == NULL ? "" : out.p, 1, out.n, stdout);
}

static void print_diff(const struct apply_print *p, struct hf_arena *a, const struct hf_value *diff)
{
	if (diff == NULL)
		return;
	if (!hf_is_sequence(diff)) {
		print_diff_one(p, a, diff);
		return;
	}
	for (size_t i = 0; i < hf_list_len(diff); i++) {
		if (hf_is(hf_list_at(diff, i), HF_DICT))
			print_diff_one(p, a, hf_list_at(diff, i));
	}
}

static bool is_debug(const char *module)
{
	return module != NULL &&
	       (strcmp(module, "debug") == 0 || strcmp(module, "ansible.builtin.debug") == 0 ||
		       strcmp(module, "assert") == 0 || strcmp(module, "ansible.builtin.assert") == 0);
}

static bool is_bad(const char *status)
{
	return strcmp(status, "failed") == 0 || strcmp(status, "ignored") == 0 ||
	       strcmp(status, "rescued") == 0;
}

/* debug and assert show what they say, not what every result has. */
static void only_message(const struct apply_print *p, const struct hf_value *e, struct hf_value *seen)
{
	const char *loop_var = hf_dict_cstr(seen, "ansible_loop_var", NULL);
	if (loop_var != NULL)
		hf_dict_remove(seen, loop_var);
	hf_dict_remove(seen, "ansible_loop_var");
	if (p->verbosity < 1 && strstr(hf_dict_cstr(e, "module", ""), "assert") == NULL)
		hf_dict_remove(seen, "changed");
}

static void print_result(
	const struct apply_print *p, struct hf_arena *a, const struct hf_value *e, const char *status)
{
	const struct hf_value *result = hf_dict_get(e, "result");
	bool bad = strcmp(status, "failed") == 0 || strcmp(status, "ignored") == 0 ||
		   strcmp(status, "rescued") == 0;
	bool debug = is_debug(hf_dict_cstr(e, "module", NULL)) && strcmp(status, "skipped") != 0;
	if (!hf_is(result, HF_DICT)) {
		if (bad)
			printf(" => {\"msg\": \"%s\"}", hf_dict_cstr(e, "msg", ""));
		return;
	}
	if (!bad && !debug && p->verbosity < 1)
		return;
	hf_auto_buf out = hf_buf_init(OUT_MAX);
	struct hf_value *seen = shown(a, result, p->verbosity);
	hf_dict_remove(seen, "failed");
	if (debug && !bad)
		only_message(p, e, seen);
	put_json(&out, seen, debug || p->verbosity > 1 ? 4 : -1);
	printf(" => %s", out.p == NULL ? "{}" : out.p);
}

/* A loop's own result: its items were shown already. */
static bool is_loop(const struct hf_value *e)
{
	const struct hf_value *result = hf_dict_get(e, "result");
	const struct hf_value *list = hf_is(result, HF_DICT) ? hf_dict_get(result, "results") : NULL;
	if (hf_dict_get(e, "item") != NULL || !hf_is(list, HF_LIST) || hf_list_len(list) == 0)
		return false;
	return hf_is(hf_list_at(list, 0), HF_DICT) &&
	       hf_dict_get(hf_list_at(list, 0), "ansible_loop_var") != NULL;
}

static void print_status(
	const struct apply_print *p, struct hf_arena *a, const struct hf_value *e, const char *status)
{
	const struct hf_value *item = hf_dict_get(e, "item");
	const char *host = hf_dict_cstr(e, "host", ""), *delegate = hf_dict_cstr(e, "delegate", NULL);
	bool bad = is_bad(status);
	const char *word = strcmp(status, "skipped") == 0 ? "skipping"
			   : !bad                         ? status
			   : item != NULL                 ? "failed"
							  : "fatal";
	printf("%s: [%s]", word, delegate == NULL ? host : hf_sprintf(a, "%s -> %s", host, delegate));
	if (bad && item == NULL)
		printf(": FAILED!");
	if (item != NULL)
		printf("%s (item=%s)", bad ? "" : " =>", hf_value_text(a, item).p);
	print_result(p, a, e, status);
}

static void print_included(struct hf_arena *a, const struct hf_value *e, const struct hf_value *include)
{
	const struct hf_value *item = hf_dict_get(e, "item");
	printf("included: %s for %s", hf_value_text(a, include).p, hf_dict_cstr(e, "host", ""));
	if (item != NULL)
		printf(" => (item=%s)", hf_value_text(a, item).p);
}

static void print_task(const struct apply_print *p, struct hf_arena *a, const struct hf_value *e)
{
	const char *status = hf_dict_cstr(e, "status", "");
	const struct hf_value *result = hf_dict_get(e, "result");
	bool loop = is_loop(e);
	if (loop && !is_bad(status))
		return;
	if (!loop)
		print_diff(p, a, hf_dict_get(e, "diff"));
	const char *on = colour_of(p, status), *off = *on == '\0' ? "" : "\033[0m";
	const struct hf_value *include = hf_is(result, HF_DICT) ? hf_dict_get(result, "include") : NULL;
	printf("%s", on);
	if (include != NULL && !is_bad(status))
		print_included(a, e, include);
	else
		print_status(p, a, e, status);
	printf("%s\n", off);
	if (strcmp(status, "ignored") == 0 && hf_dict_get(e, "item") == NULL)
		printf("%s...ignoring%s\n", colour_of(p, "skipped"), off);
}

static void print_recap(const struct apply_print *p, const struct hf_value *e)
{
	static const char *const names[] = { "ok", "changed", "unreachable", "failed", "skipped", "rescued",
		"ignored" };
	const struct hf_value *hosts = hf_dict_get(e, "hosts");
	banner("PLAY RECAP");
	HF_DICT_EACH (hosts, h) {
		const struct hf_value *one = hf_entry_value(h);
		const char *state = hf_dict_int(one, "failed", 0) + hf_dict_int(one, "unreachable", 0) > 0
					    ? "failed"
				    : hf_dict_int(one, "changed", 0) > 0 ? "changed"
									 : "ok";
		const char *on = colour_of(p, state), *off = *on == '\0' ? "" : "\033[0m";
		printf("%s%-26s%s :", on, hf_entry_key(h)->u.string.p, off);
		for (size_t i = 0; i < HF_COUNT(names); i++)
			printf(" %s=%-4lld", names[i], (long long)hf_dict_int(one, names[i], 0));
		putchar('\n');
	}
	putchar('\n');
}

static void print_human(const struct apply_print *p, const struct hf_value *e)
{
	hf_auto_arena a = hf_arena_new();
	const char *type = hf_dict_cstr(e, "type", ""), *msg = hf_dict_cstr(e, "msg", "");
	if (strcmp(type, "play") == 0)
		banner_of(a, "PLAY", hf_dict_cstr(e, "play", NULL));
	else if (strcmp(type, "task_start") == 0)
		banner_of(a, hf_dict_bool(e, "handler", false) ? "RUNNING HANDLER" : "TASK",
			hf_dict_cstr(e, "task", NULL));
	else if (strcmp(type, "task") == 0)
		print_task(p, a, e);
	else if (strcmp(type, "retry") == 0)
		printf("FAILED - RETRYING: [%s]: %s (%lld retries left).\n", hf_dict_cstr(e, "host", ""),
			hf_dict_cstr(e, "task", ""), (long long)hf_dict_int(e, "left", 0));
	else if (strcmp(type, "stats") == 0)
		print_recap(p, e);
	else if (strcmp(type, "warning") == 0)
		fprintf(stderr, "[WARNING]: %s\n", msg);
	else
		printf("%s\n", msg);
	fflush(stdout);
}

static void print_line(const struct apply_print *p, const struct hf_value *e)
{
	static const char *const details[] = { "result", "line", "file", "delegate", "role" };
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf out = hf_buf_init(OUT_MAX);
	struct hf_value *own = (struct hf_value *)(uintptr_t)e;
	if (strcmp(hf_dict_cstr(e, "type", ""), "task_start") == 0)
		return;
	if (p->verbosity < 1) {
		own = hf_value_shallow(a, e);
		for (size_t i = 0; i < HF_COUNT(details); i++)
			hf_dict_remove(own, details[i]);
	}
	struct hf_json_style style = { .indent = -1, .hide_secrets = true };
	struct hf_error err;
	if (hf_json_write(&out, own, &style, &err) < 0) {
		/* What JSON cannot hold (a set, bytes) goes out as Python would print it. */
		hf_buf_clear(&out);
		hf_dict_put(own, "msg", hf_value_str(a, hf_value_text(a, hf_dict_get(own, "msg"))));
		hf_dict_remove(own, "item");
		hf_dict_remove(own, "diff");
		hf_dict_remove(own, "result");
		if (hf_json_write(&out, own, &style, &err) < 0)
			return;
	}
	hf_buf_put(&out, '\n');
	fwrite(out.p, 1, out.n, stdout);
}

void apply_print_event(void *data, const struct hf_value *event)
{
	const struct apply_print *p = data;
	if (p->jsonl)
		print_line(p, event);
	else
		print_human(p, event);
}
