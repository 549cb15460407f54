/* Why something did not come up or does not go, in the service's own words: the last lines of a console,
 * failed activities, the network interface that is still there and whose it is. Only asked after a failure,
 * and only ever adds to it. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/scope.h"
#include "provisioner/resource.h"

enum { ROWS_MAX = 3, TEXT_MAX = 1400, LINES = 12, CONSOLE_MAX = 128 << 10 };

/* One "${path}", or "[…]" that is left out when a path in it leads nowhere. false: something was missing. */
static bool say_part(struct hf_arena *a, struct hf_value *item, struct hf_str text, struct hf_buf *out)
{
	bool whole = true;
	for (size_t i = 0; i < text.n;) {
		const char *at = text.p + i, *end = memchr(at, *at == '[' ? ']' : '}', text.n - i);
		if (*at == '[' && end != NULL) {
			hf_auto_buf inner = hf_buf_init(TEXT_MAX);
			if (say_part(a, item, hf_strn(at + 1, (size_t)(end - at - 1)), &inner))
				hf_buf_add(out, hf_buf_str(&inner));
			i = (size_t)(end + 1 - text.p);
		} else if (*at == '$' && i + 1 < text.n && at[1] == '{' && end != NULL) {
			struct hf_value *v =
				hf_wire_at(a, item, hf_strndup(a, at + 2, (size_t)(end - at - 2)));
			if (hf_is(v, HF_LIST)) /* the first stands for all */
				v = hf_list_len(v) == 0 ? NULL : hf_list_at(v, 0);
			const char *found = v == NULL || hf_is(v, HF_NULL) ? "" : hf_wire_text(a, v);
			whole = whole && found[0] != '\0';
			hf_buf_puts(out, found);
			i = (size_t)(end + 1 - text.p);
		} else {
			hf_buf_put(out, *at);
			i++;
		}
	}
	return whole;
}

static const char *base64_text(struct hf_arena *a, const char *text)
{
	size_t n = strlen(text);
	if (n > CONSOLE_MAX || n % 4 != 0)
		return text;
	unsigned char *out = hf_zalloc(a, n / 4 * 3 + 1);
	return EVP_DecodeBlock(out, (const unsigned char *)text, (int)n) < 0 ? text : (const char *)out;
}

/* The last lines that say something, without what would move a terminal's cursor. */
static const char *last_lines(struct hf_arena *a, const char *text)
{
	char *plain = hf_strdup(a, text);
	size_t n = strlen(plain);
	int lines = 0;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)plain[i] < ' ' && plain[i] != '\n')
			plain[i] = ' ';
	while (n > 0 && (plain[n - 1] == '\n' || plain[n - 1] == ' '))
		plain[--n] = '\0';
	size_t start = n;
	for (; start > 0 && n - start < TEXT_MAX; start--)
		if (plain[start - 1] == '\n' && ++lines == LINES)
			break;
	return plain + start;
}

static bool list_holds(const struct hf_value *list, const struct hf_value *item)
{
	for (size_t i = 0; i < hf_list_len(list); i++)
		if (hf_list_at(list, i) == item)
			return true;
	return false;
}

/* Where the order of an answer is not said, the latest by the time at the path newest come first. */
static struct hf_value *newest_first(struct hf_arena *a, struct hf_value *items, const char *newest)
{
	struct hf_value *out = hf_value_list(a);
	if (newest == NULL)
		return items;
	for (size_t told = 0; told < ROWS_MAX && told < hf_list_len(items); told++) {
		struct hf_value *best = NULL;
		const char *time = "";
		for (size_t i = 0; i < hf_list_len(items); i++) {
			const struct hf_value *found = hf_wire_at(a, hf_list_at(items, i), newest);
			const char *text = found == NULL ? "" : hf_wire_text(a, found);
			if (!list_holds(out, hf_list_at(items, i)) &&
				(best == NULL || strcmp(text, time) > 0)) {
				best = hf_list_at(items, i);
				time = text;
			}
		}
		hf_list_append(out, best);
	}
	return out;
}

static void row_say(struct hf_engine *e, struct hf_arena *a, const struct hf_value *row,
	const struct reply *reply, struct hf_buf *out)
{
	struct hf_value *items = hf_wire_items(a, reply->doc, hf_dict_cstr(row, "items", NULL));
	const char *say = hf_dict_cstr(row, "say", "");
	const struct hf_value *only = hf_dict_get(row, "where");
	size_t told = 0;
	if (hf_dict_bool(row, "console", false)) {
		const char *text = hf_list_len(items) == 0 ? "" : hf_wire_text(a, hf_list_at(items, 0));
		text = last_lines(a, base64_text(a, text));
		if (text[0] != '\0')
			hf_buf_printf(out, "; %s:\n%s", say, text);
		return;
	}
	items = newest_first(a, items, hf_dict_cstr(row, "newest", NULL));
	for (size_t i = 0; i < hf_list_len(items) && told < ROWS_MAX; i++) {
		hf_auto_buf text = hf_buf_init(TEXT_MAX);
		if (only != NULL && !value_in(a, hf_list_at(items, i), only))
			continue;
		if (say_part(a, hf_list_at(items, i), hf_str(say), &text))
			hf_buf_printf(out, "; %.*s", HF_STR_ARG(hf_buf_str(&text)));
		told++;
	}
}

const char *resource_why(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *rows, const struct hf_value *context)
{
	hf_auto_buf out = hf_buf_init(4 * TEXT_MAX);
	for (size_t i = 0; hf_is(rows, HF_LIST) && i < hf_list_len(rows); i++) {
		const struct hf_value *row = hf_list_at(rows, i);
		struct hf_spec other = *spec;
		struct reply reply;
		struct hf_error unasked = { 0 };
		const struct hf_service *service =
			hf_service_find(e->env->specs, hf_dict_cstr(row, "service", spec->service->name));
		other.service = service == NULL ? spec->service : service;
		if (engine_call(e, a, &other, row, context, &reply, &unasked) == 0)
			row_say(e, a, row, &reply, &out);
		else /* the failure itself is what counts */
			hf_buf_printf(&out, "; why cannot be asked: %s", unasked.text);
	}
	return hf_str_dup(a, hf_buf_str(&out));
}

int resource_explain(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *rows, const struct hf_value *context, int rc, struct hf_error *err)
{
	const char *why =
		rc == 0 || err == NULL || rows == NULL ? "" : resource_why(e, a, spec, rows, context);
	if (why[0] == '\0')
		return rc;
	const char *text = hf_strdup(a, err->text);
	const struct hf_pos pos = err->pos;
	return hf_fail_at(err, err->code, pos, "%s%s", text, why);
}
