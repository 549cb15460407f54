#include "cli/apply_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/diff.h"
#include "cli/progress.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { OUT_MAX = 128 << 20, BANNER = 79, WORTH_SAYING_MS = 1000 };

static const char *colour_of(const struct apply_print *p, const char *what)
{
	static const struct {
		const char *what, *code;
	} rows[] = { { "ok", "\033[0;32m" }, { "changed", "\033[0;33m" }, { "skipped", "\033[0;36m" },
		{ "failed", "\033[0;31m" }, { "rescued", "\033[0;31m" }, { "ignored", "\033[0;31m" },
		{ "unreachable", "\033[1;31m" }, { "warning", "\033[1;35m" }, { "retry", "\033[1;30m" },
		{ "verbose", "\033[0;34m" } };
	for (size_t i = 0; p->colour && i < HF_COUNT(rows); i++) {
		if (strcmp(rows[i].what, what) == 0)
			return rows[i].code;
	}
	return "";
}

/* Every line in its colour by itself, as Ansible prints them, so that a pager shows each right. */
static void say(const struct apply_print *p, FILE *to, const char *what, struct hf_str text)
{
	const char *on = colour_of(p, what), *off = *on == '\0' ? "" : "\033[0m";
	struct hf_str rest = text, line;
	bool first = true;
	while (hf_str_split(&rest, '\n', &line)) {
		if (!first)
			fputc('\n', to);
		fputs(on, to);
		fwrite(line.p, 1, line.n, to);
		fputs(off, to);
		first = false;
	}
	fputc('\n', to);
}

/* As wide as the terminal less one column; 79 where there is none. */
static size_t columns(const struct apply_print *p)
{
	struct winsize w;
	if (!p->terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
		return BANNER;
	return w.ws_col > BANNER ? (size_t)w.ws_col - 1 : BANNER;
}

static size_t characters(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xC0) != 0x80;
	return n;
}

/* name: behind what, in brackets; NULL or empty: none. */
static void banner_of(const struct apply_print *p, const char *what, const char *name)
{
	static const char row[] =
		"***************************************************************************"
		"****";
	bool named = name != NULL && *name != '\0';
	size_t n = characters(what) + (named ? characters(name) + 3 : 0), width = columns(p);
	size_t stars = width > n + 3 ? width - n : 3;
	putchar('\n');
	fputs(what, stdout);
	if (named) {
		fputs(" [", stdout);
		fputs(name, stdout);
		putchar(']');
	}
	putchar(' ');
	for (size_t left = stars; left > 0; left -= left < sizeof(row) - 1 ? left : sizeof(row) - 1)
		fwrite(row, 1, left < sizeof(row) - 1 ? left : sizeof(row) - 1, stdout);
	putchar('\n');
}

static void banner(const struct apply_print *p, const char *text)
{
	banner_of(p, text, NULL);
}

/* Keys that are ours or noise to a reader. */
static struct hf_value *shown(struct hf_arena *a, const struct hf_value *result, int verbosity)
{
	static const char *const quiet[] = { "diff", "invocation", NULL };
	static const char *const never[] = { "failed", "skipped", "exception", "_ansible_no_log", "warnings",
		NULL };
	struct hf_value *out = hf_value_shallow(a, result);
	for (size_t i = 0; never[i] != NULL; i++)
		hf_dict_remove(out, never[i]);
	for (size_t i = 0; verbosity < 3 && quiet[i] != NULL; i++)
		hf_dict_remove(out, quiet[i]);
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
	if (hf_is(before, HF_DICT)) {
		put_json(&b, before, 4);
		hf_buf_put(&b, '\n');
	} else {
		hf_buf_add(&b, hf_value_text(a, before));
	}
	if (hf_is(after, HF_DICT)) {
		put_json(&f, after, 4);
		hf_buf_put(&f, '\n');
	} else {
		hf_buf_add(&f, hf_value_text(a, after));
	}
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

static bool is_bad(const char *status)
{
	return strcmp(status, "failed") == 0 || strcmp(status, "ignored") == 0 ||
	       strcmp(status, "rescued") == 0;
}

/* debug shows what it says, not what every result has. */
static struct hf_value *only_message(struct hf_arena *a, struct hf_value *seen)
{
	struct hf_value *msg = hf_dict_get(seen, "msg"), *only = hf_value_dict(a);
	if (msg != NULL) {
		hf_dict_put(only, "msg", msg);
		return only;
	}
	hf_dict_remove(seen, "changed");
	return seen;
}

static bool is_named(const struct hf_value *e, const char *module)
{
	const char *name = hf_dict_cstr(e, "module", "");
	const char *dot = strrchr(name, '.');
	return strcmp(dot == NULL ? name : dot + 1, module) == 0;
}

static struct hf_value *seen_of(const struct apply_print *p, struct hf_arena *a, const struct hf_value *e)
{
	const struct hf_value *result = hf_dict_get(e, "result");
	if (hf_is(result, HF_DICT))
		return shown(a, result, p->verbosity);
	struct hf_value *seen = hf_value_dict(a);
	hf_dict_put(seen, "censored", hf_value_cstr(a, hf_dict_cstr(e, "msg", "")));
	hf_dict_put(seen, "changed", hf_value_bool(a, hf_dict_bool(e, "changed", false)));
	return seen;
}

static void put_result(const struct apply_print *p, struct hf_arena *a, const struct hf_value *e,
	const char *status, struct hf_buf *out)
{
	bool bad = is_bad(status), skipped = strcmp(status, "skipped") == 0;
	bool open = hf_is(hf_dict_get(e, "result"), HF_DICT) && !skipped;
	/* debug and assert take several lines, once they have come to say something. */
	bool broad = open && hf_dict_bool(e, "broad", false);
	if (!bad && !broad && p->verbosity < 1)
		return;
	struct hf_value *seen = seen_of(p, a, e);
	if (skipped)
		hf_dict_remove(seen, "results");
	if (is_named(e, "debug") && open)
		seen = only_message(a, seen);
	hf_buf_puts(out, " => ");
	put_json(out, seen, broad || p->verbosity > 2 ? 4 : -1);
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

/* Who watches may want to know what took so long. */
static void put_duration(const struct apply_print *p, int64_t ms, struct hf_buf *out)
{
	if (!p->terminal || ms < WORTH_SAYING_MS)
		return;
	if (ms < 60 * 1000)
		hf_buf_printf(out, "%lld.%lld s", (long long)ms / 1000, (long long)ms % 1000 / 100);
	else
		hf_buf_printf(out, "%lld min %lld s", (long long)ms / 60000, (long long)ms / 1000 % 60);
}

/* Whose result it is, and who did it for him. */
static const char *host_label(struct hf_arena *a, const struct hf_value *e)
{
	const char *host = hf_dict_cstr(e, "host", ""), *delegate = hf_dict_cstr(e, "delegate", NULL),
		   *address = hf_dict_cstr(e, "delegate_address", NULL);
	if (delegate == NULL || strcmp(delegate, host) == 0)
		return host;
	return address == NULL ? hf_sprintf(a, "%s -> %s", host, delegate)
			       : hf_sprintf(a, "%s -> %s(%s)", host, delegate, address);
}

static void print_status(
	const struct apply_print *p, struct hf_arena *a, const struct hf_value *e, const char *status)
{
	const struct hf_value *item = hf_dict_get(e, "item");
	bool bad = is_bad(status), skipped = strcmp(status, "skipped") == 0;
	bool away = strcmp(status, "unreachable") == 0;
	const char *word = skipped ? "skipping" : !bad && !away ? status : item != NULL ? "failed" : "fatal";
	hf_auto_buf out = hf_buf_init(OUT_MAX);
	hf_buf_puts(&out, word);
	hf_buf_puts(&out, ": [");
	hf_buf_puts(&out, skipped ? hf_dict_cstr(e, "host", "") : host_label(a, e));
	hf_buf_put(&out, ']');
	if ((bad || away) && item == NULL)
		hf_buf_puts(&out, away ? ": UNREACHABLE!" : ": FAILED!");
	if (item != NULL)
		hf_buf_printf(&out, "%s (item=%s)%s", bad ? "" : " =>", hf_value_text(a, item).p,
			skipped ? " " : "");
	hf_auto_buf took = hf_buf_init(OUT_MAX);
	put_duration(p, hf_dict_int(e, "ms", 0), &took);
	if (took.n > 0)
		hf_buf_printf(&out, " (%.*s)", HF_STR_ARG(hf_buf_str(&took)));
	put_result(p, a, e, status, &out);
	say(p, stdout, status, hf_buf_str(&out));
}

/* --- files brought in: one line for all hosts --- */

void apply_print_flush(struct apply_print *p)
{
	if (p->arena == NULL)
		return;
	HF_DICT_EACH (p->included, one) {
		const struct hf_value *hosts = hf_dict_get(hf_entry_value(one), "hosts"),
				      *item = hf_dict_get(hf_entry_value(one), "item");
		hf_auto_buf out = hf_buf_init(OUT_MAX);
		hf_buf_printf(&out, "included: %s for ", hf_dict_cstr(hf_entry_value(one), "path", ""));
		for (size_t i = 0; i < hf_list_len(hosts); i++)
			hf_buf_printf(&out, "%s%s", i == 0 ? "" : ", ", hf_list_at(hosts, i)->u.string.p);
		if (item != NULL)
			hf_buf_printf(&out, " => (item=%s)", hf_value_text(p->arena, item).p);
		say(p, stdout, "skipped", hf_buf_str(&out));
	}
	hf_arena_free(p->arena);
	p->arena = NULL;
}

void apply_print_done(struct apply_print *p)
{
	apply_print_flush(p);
	hf_arena_free(p->kept);
	p->kept = NULL;
}

static void note_included(struct apply_print *p, const struct hf_value *e, const struct hf_value *path)
{
	if (p->arena == NULL) {
		p->arena = hf_arena_new();
		p->included = hf_value_dict(p->arena);
	}
	struct hf_arena *a = p->arena;
	const struct hf_value *item = hf_dict_get(e, "item");
	const char *text = hf_strdup(a, hf_value_text(a, path).p);
	const char *key = item == NULL ? text : hf_sprintf(a, "%s (%s)", text, hf_value_text(a, item).p);
	struct hf_value *one = hf_dict_get(p->included, key);
	if (one == NULL) {
		one = hf_value_dict(a);
		hf_dict_put(one, "path", hf_value_cstr(a, text));
		hf_dict_put(one, "hosts", hf_value_list(a));
		if (item != NULL)
			hf_dict_put(one, "item", hf_value_copy(a, item));
		hf_dict_put(p->included, key, one);
	}
	hf_list_append(
		hf_dict_get(one, "hosts"), hf_value_cstr(a, hf_strdup(a, hf_dict_cstr(e, "host", ""))));
}

static void print_warning(const struct apply_print *p, struct hf_arena *a, const char *msg)
{
	fflush(stdout); /* what came before stays before it where both go to one place */
	say(p, stderr, "warning", hf_str(hf_sprintf(a, "[WARNING]: %s", msg)));
}

/* What a task warned of, before its line. */
static void print_warnings(struct apply_print *p, struct hf_arena *a, const struct hf_value *result)
{
	enum { KEPT_MAX = 1000 };
	const struct hf_value *list = hf_is(result, HF_DICT) ? hf_dict_get(result, "warnings") : NULL;
	for (size_t i = 0; hf_is(list, HF_LIST) && i < hf_list_len(list); i++) {
		const char *text = hf_value_text(a, hf_list_at(list, i)).p;
		if (p->kept == NULL) {
			p->kept = hf_arena_new();
			p->warned = hf_value_dict(p->kept);
		}
		if (hf_dict_get(p->warned, text) != NULL)
			continue;
		if (hf_dict_len(p->warned) < KEPT_MAX)
			hf_dict_put(p->warned, hf_strdup(p->kept, text), hf_value_null(p->kept));
		print_warning(p, a, text);
	}
}

static bool is_hidden(const struct apply_print *p, const char *status)
{
	return (p->hide_skipped && strcmp(status, "skipped") == 0) ||
	       (p->hide_ok && strcmp(status, "ok") == 0);
}

static void print_task(struct apply_print *p, struct hf_arena *a, const struct hf_value *e)
{
	const char *status = hf_dict_cstr(e, "status", "");
	const struct hf_value *result = hf_dict_get(e, "result");
	const struct hf_value *include = hf_is(result, HF_DICT) ? hf_dict_get(result, "include") : NULL;
	if (include == NULL && hf_is(result, HF_DICT))
		include = hf_dict_get(result, "include_role");
	if (include != NULL && !is_bad(status)) {
		note_included(p, e, include);
		return;
	}
	if (is_hidden(p, status))
		return;
	print_warnings(p, a, result);
	/* A loop's items were shown; the whole is one more line only where nothing ran, or, as in Ansible, of
	 * debug. */
	bool loop = is_loop(e) && !(is_named(e, "debug") && is_bad(status));
	if (!loop)
		print_diff(p, a, hf_dict_get(e, "diff"));
	if (!loop || strcmp(status, "skipped") == 0)
		print_status(p, a, e, status);
	if (strcmp(status, "ignored") == 0 && hf_dict_get(e, "item") == NULL)
		say(p, stdout, "skipped", HF_STR("...ignoring"));
}

static int by_text(const void *x, const void *y)
{
	const struct hf_value *a = *(const struct hf_value *const *)x,
			      *b = *(const struct hf_value *const *)y;
	return hf_str_compare(a->u.string, b->u.string);
}

static void print_recap(const struct apply_print *p, struct hf_arena *a, const struct hf_value *e)
{
	static const struct {
		const char *name, *colour;
	} rows[] = { { "ok", "ok" }, { "changed", "changed" }, { "unreachable", "unreachable" },
		{ "failed", "failed" }, { "skipped", "skipped" }, { "rescued", "ok" },
		{ "ignored", "warning" } };
	const struct hf_value *all = hf_dict_get(e, "hosts");
	struct hf_value *names = hf_value_list(a);
	HF_DICT_EACH (all, h)
		hf_list_append(names, hf_entry_key(h));
	if (hf_list_len(names) > 1)
		qsort(names->u.list->at, hf_list_len(names), sizeof(*names->u.list->at), by_text);
	banner(p, "PLAY RECAP");
	for (size_t h = 0; h < hf_list_len(names); h++) {
		const char *name = hf_list_at(names, h)->u.string.p;
		const struct hf_value *one = hf_dict_get(all, name);
		bool bad = hf_dict_int(one, "failed", 0) + hf_dict_int(one, "unreachable", 0) > 0;
		const char *on = colour_of(p, bad                                  ? "failed"
					      : hf_dict_int(one, "changed", 0) > 0 ? "changed"
										   : "ok");
		int width = 26 - (int)characters(name);
		printf("%s%s%s%*s :", on, name, *on == '\0' ? "" : "\033[0m", width < 0 ? 0 : width, "");
		for (size_t i = 0; i < HF_COUNT(rows); i++) {
			long long n = hf_dict_int(one, rows[i].name, 0);
			on = n == 0 ? "" : colour_of(p, rows[i].colour);
			printf(" %s%s=%-4lld%s", on, rows[i].name, n, *on == '\0' ? "" : "\033[0m");
		}
		putchar('\n');
	}
	putchar('\n');
}

/* What the run is at goes to the line of progress.h, where there is one. */
static void note_progress(const struct hf_value *e)
{
	char text[64] = "a handler";
	if (!hf_dict_bool(e, "handler", false))
		snprintf(text, sizeof(text), "task %lld of %lld", (long long)hf_dict_int(e, "number", 0),
			(long long)hf_dict_int(e, "of", 0));
	progress_show(text);
}

static void print_task_start(const struct apply_print *p, struct hf_arena *a, const struct hf_value *e)
{
	banner_of(p, hf_dict_bool(e, "handler", false) ? "RUNNING HANDLER" : "TASK",
		hf_dict_cstr(e, "task", NULL));
	if (p->verbosity > 1)
		say(p, stdout, "verbose",
			hf_str(hf_sprintf(a, "task path: %s", hf_dict_cstr(e, "path", ""))));
	if (p->terminal)
		note_progress(e);
}

static void print_end(const struct apply_print *p, struct hf_arena *a, const struct hf_value *e)
{
	hf_auto_buf took = hf_buf_init(OUT_MAX);
	print_recap(p, a, e);
	put_duration(p, (int64_t)(hf_time_monotonic_ms() - p->started_ms), &took);
	if (took.n > 0)
		printf("Took %.*s.\n\n", HF_STR_ARG(hf_buf_str(&took)));
}

static void print_retry(const struct apply_print *p, struct hf_arena *a, const struct hf_value *e)
{
	hf_auto_buf out = hf_buf_init(OUT_MAX);
	hf_buf_printf(&out, "FAILED - RETRYING: [%s]: %s (%lld retries left).", host_label(a, e),
		hf_dict_cstr(e, "task", ""), (long long)hf_dict_int(e, "left", 0));
	if (hf_dict_get(e, "result") != NULL) {
		hf_buf_puts(&out, "Result was: ");
		put_json(&out, shown(a, hf_dict_get(e, "result"), p->verbosity), 4);
	}
	say(p, stdout, "retry", hf_buf_str(&out));
}

static void print_playbook(const struct apply_print *p, struct hf_arena *a, const struct hf_value *e)
{
	const char *path = hf_dict_cstr(e, "path", ""), *slash = strrchr(path, '/');
	banner(p, hf_sprintf(a, "PLAYBOOK: %s", slash == NULL ? path : slash + 1));
	say(p, stdout, "verbose",
		hf_str(hf_sprintf(a, "%lld plays in %s", (long long)hf_dict_int(e, "plays", 0), path)));
}

static void print_meta(const struct apply_print *p, struct hf_arena *a, const struct hf_value *e)
{
	bool skipped = hf_dict_bool(e, "skipped", false);
	if (p->verbosity > 1)
		say(p, stdout, "verbose", hf_str(hf_sprintf(a, "META: %s", hf_dict_cstr(e, "msg", ""))));
	if (!skipped || p->hide_skipped)
		return;
	hf_auto_buf out = hf_buf_init(OUT_MAX);
	hf_buf_printf(&out, "skipping: [%s]", hf_dict_cstr(e, "host", ""));
	if (p->verbosity > 0) {
		hf_buf_puts(&out, " => ");
		put_json(&out, hf_dict_get(e, "result"), p->verbosity > 2 ? 4 : -1);
	}
	say(p, stdout, "skipped", hf_buf_str(&out));
}

static void print_play(struct apply_print *p, const struct hf_value *e)
{
	p->hosts = hf_dict_int(e, "hosts", 0);
	banner_of(p, "PLAY", hf_dict_cstr(e, "play", NULL));
}

/* How a task ended goes out in one write with the next banner, which follows at once; not where somebody
 * looks on, nor where the next item or host may take its time first. */
static bool next_follows(const struct apply_print *p, const struct hf_value *e)
{
	return !p->terminal && p->hosts == 1 && hf_dict_get(e, "item") == NULL;
}

static void print_human(struct apply_print *p, const struct hf_value *e)
{
	hf_auto_arena a = hf_arena_new();
	const char *type = hf_dict_cstr(e, "type", ""), *msg = hf_dict_cstr(e, "msg", "");
	bool task = strcmp(type, "task") == 0;
	if (!task)
		apply_print_flush(p);
	if (strcmp(type, "play") == 0)
		print_play(p, e);
	else if (strcmp(type, "task_start") == 0)
		print_task_start(p, a, e);
	else if (task)
		print_task(p, a, e);
	else if (strcmp(type, "retry") == 0)
		print_retry(p, a, e);
	else if (strcmp(type, "meta") == 0)
		print_meta(p, a, e);
	else if (strcmp(type, "playbook") == 0)
		print_playbook(p, a, e);
	else if (strcmp(type, "verbose") == 0)
		say(p, stdout, "verbose", hf_str(msg));
	else if (strcmp(type, "stats") == 0)
		print_end(p, a, e);
	else if (strcmp(type, "no_hosts") == 0)
		say(p, stdout, "skipped", hf_str(msg));
	else if (strcmp(type, "warning") == 0)
		print_warning(p, a, msg);
	else
		printf("%s\n", msg);
	if (!task || !next_follows(p, e))
		fflush(stdout);
}

static void print_line(const struct apply_print *p, const struct hf_value *e)
{
	static const char *const details[] = { "result", "line", "file", "delegate", "delegate_address",
		"role" };
	static const char *const for_people[] = { "task_start", "verbose", "playbook", "meta" };
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf out = hf_buf_init(OUT_MAX);
	struct hf_value *own = (struct hf_value *)(uintptr_t)e;
	for (size_t i = 0; i < HF_COUNT(for_people); i++)
		if (strcmp(hf_dict_cstr(e, "type", ""), for_people[i]) == 0)
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
	struct apply_print *p = data;
	if (p->jsonl) {
		print_line(p, event);
		return;
	}
	progress_lock();
	print_human(p, event);
	progress_unlock();
}

void apply_print_versions(const struct apply_print *p, const char *config)
{
	hf_auto_buf out = hf_buf_init(OUT_MAX);
	hf_buf_printf(&out,
		"holdfast apply [%s]\n  config file = %s\n  language = that of ansible-core 2.17, without "
		"Python",
		PACKAGE_VERSION, config == NULL ? "None" : config);
	if (!p->jsonl && p->verbosity > 1)
		say(p, stdout, "verbose", hf_buf_str(&out));
}
