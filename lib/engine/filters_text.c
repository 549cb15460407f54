/* lib/engine/filters_text.c - comment, quote, ternary, bool, human sizes and other small ones. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/engine/filters.h"

/* --- comment --- */

static const struct comment_style {
	const char *name, *beginning, *decoration, *end;
} comment_styles[] = {
	{ "plain", "", "# ", "" },
	{ "erlang", "", "% ", "" },
	{ "c", "", "// ", "" },
	{ "cblock", "/*", " * ", " */" },
	{ "xml", "<!--", " - ", "-->" },
};

static void add_repeated(struct hf_buf *out, struct hf_str first, struct hf_str second, int64_t count)
{
	for (int64_t i = 0; i < count && !out->failed; i++) {
		hf_buf_add(out, first);
		hf_buf_add(out, second);
	}
}

static struct hf_str right_trim(struct hf_str s)
{
	while (s.n > 0 && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

struct comment_parts {
	struct hf_str newline, beginning, prefix, decoration, postfix, end;
	int64_t prefix_count, postfix_count;
};

static void comment_build(struct hf_buf *out, const struct comment_parts *p, struct hf_str text)
{
	if (p->beginning.n > 0)
		add_repeated(out, p->beginning, p->newline, 1);
	if (p->prefix.n > 0)
		add_repeated(out, hf_str_equal(p->prefix, p->newline) ? HF_STR("") : p->prefix, p->newline,
			p->prefix_count);
	struct hf_str bare = right_trim(p->decoration);
	for (size_t from = 0;;) {
		size_t at = p->newline.n == 0 ? SIZE_MAX : hf_str_find(text, p->newline, from);
		size_t to = at == SIZE_MAX ? text.n : at;
		/* a line that is empty gets the decoration without its blanks, except the last */
		hf_buf_add(out, to == from && at != SIZE_MAX ? bare : p->decoration);
		hf_buf_append(out, text.p + from, to - from);
		if (at == SIZE_MAX)
			break;
		hf_buf_add(out, p->newline);
		from = at + p->newline.n;
	}
	add_repeated(out, p->newline, p->postfix, p->postfix_count);
	if (p->end.n > 0)
		add_repeated(out, p->newline, p->end, 1);
}

static int comment_parts(struct hf_eval *e, const struct hf_call *call, const struct comment_style *style,
	struct comment_parts *p, struct hf_error *err)
{
	int r = filter_text_arg(e, call, SIZE_MAX, "decoration", style->decoration, &p->decoration, err);
	char *bare = hf_str_dup(hf_eval_arena(e), right_trim(p->decoration));
	const struct {
		const char *name, *fallback;
		struct hf_str *to;
	} rows[] = {
		{ "newline", "\n", &p->newline },
		{ "beginning", style->beginning, &p->beginning },
		{ "prefix", bare, &p->prefix },
		{ "postfix", bare, &p->postfix },
		{ "end", style->end, &p->end },
	};
	for (size_t i = 0; i < HF_COUNT(rows) && r == 0; i++)
		r = filter_text_arg(e, call, SIZE_MAX, rows[i].name, rows[i].fallback, rows[i].to, err);
	if (r == 0)
		r = filter_int_arg(call, SIZE_MAX, "prefix_count", 1, &p->prefix_count, err);
	return r < 0 ? r : filter_int_arg(call, SIZE_MAX, "postfix_count", 1, &p->postfix_count, err);
}

FILTER(comment)
{
	struct hf_str style_name, text = input->u.string;
	if (input->type != HF_STRING)
		return hf_fail(
			err, HF_E_TEMPLATE, "'%s' object has no attribute 'replace'", hf_type_name(input));
	int r = filter_text_arg(e, call, 0, "style", "plain", &style_name, err);
	if (r < 0)
		return r;
	const struct comment_style *style = NULL;
	for (size_t i = 0; i < HF_COUNT(comment_styles); i++)
		if (hf_str_is(style_name, comment_styles[i].name))
			style = &comment_styles[i];
	if (style == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "no comment style '%.*s'", HF_STR_ARG(style_name));
	struct comment_parts p;
	r = comment_parts(e, call, style, &p, err);
	if (r < 0)
		return r;
	hf_auto_buf out = hf_buf_init(FILTER_TEXT_MAX);
	comment_build(&out, &p, text);
	return filter_return_buf(e, input, &out, "comment", ret, err);
}

/* --- words and truth --- */

FILTER(quote)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";
	struct hf_str text = HF_STR("");
	int r = input->type == HF_NULL ? 0 : hf_eval_text(e, input, &text, err);
	if (r < 0)
		return r;
	size_t plain = 0;
	while (plain < text.n && text.p[plain] != '\0' && strchr(safe, text.p[plain]) != NULL)
		plain++;
	if (text.n > 0 && plain == text.n)
		return filter_return_text(e, input, text, ret);
	hf_auto_buf out = hf_buf_init(FILTER_TEXT_MAX);
	hf_buf_put(&out, '\'');
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\'')
			hf_buf_puts(&out, "'\"'\"'");
		else
			hf_buf_put(&out, text.p[i]);
	hf_buf_put(&out, '\'');
	return filter_return_buf(e, input, &out, "quoted text", ret, err);
}

/* Jinja's string; the text it gives is never read as a literal again. */
FILTER(string)
{
	struct hf_str text = { 0 };
	int r = hf_eval_text(e, input, &text, err);
	if (r == 0)
		r = filter_return_text(e, input, text, ret);
	if (r == 0)
		(*ret)->flags |= HF_VALUE_TEXT | (input->flags & HF_VALUE_MARKUP);
	return r;
}

FILTER(to_bool)
{
	*ret = input->type == HF_NULL ? input : hf_value_bool(hf_eval_arena(e), filter_truth(input));
	return 0;
}

FILTER(ternary)
{
	FILTER_ARGS(3, "true_val", "false_val", "none_val");
	struct hf_value *yes = hf_call_arg(call, 0, "true_val"), *no = hf_call_arg(call, 1, "false_val");
	struct hf_value *none = filter_arg(call, 2, "none_val");
	if (yes == NULL || no == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "ternary needs a value for true and one for false");
	bool truth = false;
	int r = hf_eval_truth(e, input, &truth, err);
	if (r < 0)
		return r;
	*ret = input->type == HF_NULL && none != NULL ? none : truth ? yes : no;
	return 0;
}

FILTER(mandatory)
{
	FILTER_ARGS(1, "msg");
	struct hf_str msg;
	if (input->type != HF_UNDEFINED) {
		*ret = input;
		return 0;
	}
	int r = filter_text_arg(e, call, 0, "msg", "", &msg, err);
	if (r < 0)
		return r;
	if (filter_arg(call, 0, "msg") != NULL)
		return hf_fail(err, HF_E_TEMPLATE, "%.*s", HF_STR_ARG(msg));
	return hf_fail(err, HF_E_TEMPLATE, "Mandatory variable '%s'  not defined.",
		input->u.string.p == NULL ? "" : input->u.string.p);
}

FILTER(type_debug)
{
	if (input->type == HF_UNDEFINED)
		return filter_return_text(e, NULL, HF_STR("AnsibleUndefined"), ret);
	if (input->type == HF_STRING && input->flags & HF_VALUE_TEXT)
		return filter_return_text(e, NULL, HF_STR("NativeJinjaText"), ret);
	if (input->type == HF_STRING && input->flags & HF_VALUE_MARKUP)
		return filter_return_text(e, NULL, HF_STR("Markup"), ret);
	return filter_return_text(e, NULL, hf_str(hf_type_name(input)), ret);
}

int hf_filter_undef(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_str hint;
	int r = filter_text_arg(e, call, 0, "hint", "", &hint, err);
	if (r < 0)
		return r;
	*ret = hf_value_undefined(hf_eval_arena(e), hint.n == 0 ? "Mandatory variable has not been overridden"
								: hf_str_dup(hf_eval_arena(e), hint));
	return 0;
}

/* str.split() of Python, as the filter `split`. */
static void split_blanks(struct hf_arena *a, struct hf_str s, int64_t most, struct hf_value *list)
{
	size_t i = 0;
	for (;;) {
		while (i < s.n && isspace((unsigned char)s.p[i]))
			i++;
		if (i == s.n)
			return;
		size_t from = i;
		if (most >= 0 && (int64_t)hf_list_len(list) == most) {
			hf_list_append(list, hf_value_str(a, right_trim(hf_strn(s.p + from, s.n - from))));
			return;
		}
		while (i < s.n && !isspace((unsigned char)s.p[i]))
			i++;
		hf_list_append(list, hf_value_str(a, hf_strn(s.p + from, i - from)));
	}
}

FILTER(split)
{
	FILTER_ARGS(2, "sep", "maxsplit");
	struct hf_arena *a = hf_eval_arena(e);
	const struct hf_value *separator = filter_arg(call, 0, "sep");
	int64_t most;
	int r = filter_int_arg(call, 1, "maxsplit", -1, &most, err);
	if (r < 0)
		return r;
	if (input->type != HF_STRING || (separator != NULL && separator->type != HF_STRING))
		return hf_fail(err, HF_E_TEMPLATE, "split wants a string, not %s", hf_type_name(input));
	struct hf_value *list = hf_value_list(a);
	struct hf_str s = input->u.string;
	*ret = list;
	if (separator == NULL) {
		split_blanks(a, s, most, list);
		return 0;
	}
	if (separator->u.string.n == 0)
		return hf_fail(err, HF_E_TEMPLATE, "empty separator");
	size_t from = 0, at;
	while ((most < 0 || (int64_t)hf_list_len(list) < most) &&
		(at = hf_str_find(s, separator->u.string, from)) != SIZE_MAX) {
		hf_list_append(list, hf_value_str(a, hf_strn(s.p + from, at - from)));
		from = at + separator->u.string.n;
	}
	hf_list_append(list, hf_value_str(a, hf_strn(s.p + from, s.n - from)));
	return 0;
}

/* --- sizes --- */

static const struct {
	char letter;
	double size;
} units[] = { { 'Y', 0x1p80 }, { 'Z', 0x1p70 }, { 'E', 0x1p60 }, { 'P', 0x1p50 }, { 'T', 0x1p40 },
	{ 'G', 0x1p30 }, { 'M', 0x1p20 }, { 'K', 0x1p10 }, { 'B', 1 } };

FILTER(human_readable)
{
	FILTER_ARGS(2, "isbits", "unit");
	const char *base = filter_bool_arg(call, 0, "isbits", false) ? "bits" : "Bytes";
	const struct hf_value *unit = filter_arg(call, 1, "unit");
	double size;
	int r = filter_number(input, "human_readable()", &size, err);
	if (r < 0)
		return r;
	size_t row = 0;
	char wanted =
		unit != NULL && unit->type == HF_STRING && unit->u.string.n == 1 ? unit->u.string.p[0] : '\0';
	for (; row + 1 < HF_COUNT(units); row++)
		if (unit == NULL ? size >= units[row].size
				 : toupper((unsigned char)wanted) == units[row].letter)
			break;
	hf_auto_buf out = hf_buf_init(128);
	hf_buf_printf(&out, "%.2f ", size / units[row].size);
	if (units[row].letter != 'B')
		hf_buf_printf(&out, "%c%c", units[row].letter, base[0]);
	else
		hf_buf_puts(&out, base);
	return filter_return_buf(e, NULL, &out, "size", ret, err);
}

/* The first letter says how large; of more letters the second must be B (b for bits), or the whole is a word.
 */
static int unit_size(struct hf_str unit, bool bits, double *ret, struct hf_error *err)
{
	*ret = 1;
	if (unit.n == 0)
		return 0;
	bool word = false;
	for (size_t i = 0; i + 3 <= unit.n; i++)
		word |= strncasecmp(unit.p + i, bits ? "bit" : "byte", bits || i + 4 > unit.n ? 3 : 4) == 0 &&
			(bits || i + 4 <= unit.n);
	bool fits = unit.n == 1 || word || unit.p[1] == (bits ? 'b' : 'B');
	for (size_t i = 0; i < HF_COUNT(units) && fits; i++)
		if (toupper((unsigned char)unit.p[0]) == units[i].letter) {
			*ret = units[i].size;
			return 0;
		}
	return hf_fail(
		err, HF_E_TEMPLATE, "human_to_bytes() failed to convert: no unit '%.*s'", HF_STR_ARG(unit));
}

FILTER(human_to_bytes)
{
	FILTER_ARGS(2, "default_unit", "isbits");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_str text, unit;
	bool bits = filter_bool_arg(call, 1, "isbits", false);
	int r = hf_eval_text(e, input, &text, err);
	if (r == 0)
		r = filter_text_arg(e, call, 0, "default_unit", "", &unit, err);
	if (r < 0)
		return r;
	if (filter_arg(call, 0, "default_unit") == NULL)
		unit = HF_STR("");
	const char *p = hf_str_dup(a, hf_str_trim(text));
	size_t whole = strspn(p, "0123456789"), n = whole;
	if (p[n] == '.')
		n += 1 + strspn(p + n + 1, "0123456789");
	if (n == 0 || (n == 1 && whole == 0))
		return hf_fail(err, HF_E_TEMPLATE, "human_to_bytes() can't interpret following string: %.*s",
			HF_STR_ARG(text));
	double number = strtod(hf_strndup(a, p, n), NULL), size = 1;
	const char *letters = p + n + strspn(p + n, " \t\n");
	struct hf_str given = hf_strn(letters, 0);
	while (isalpha((unsigned char)letters[given.n]))
		given.n++;
	r = unit_size(given.n > 0 ? given : unit, bits, &size, err);
	if (r < 0)
		return r;
	double bytes = nearbyint(number * size);
	if (bytes < 0x1p63) {
		*ret = hf_value_int(a, (int64_t)bytes);
		return 0;
	}
	*ret = hf_value_bigint(a, hf_str(hf_sprintf(a, "%.0f", bytes)));
	return 0;
}

const struct hf_callable_row hf_ansible_filters_text[] = {
	{ "comment", comment, 0 },
	{ "quote", quote, HF_NO_ARGUMENTS },
	{ "string", string, HF_NO_ARGUMENTS },
	{ "bool", to_bool, HF_NO_ARGUMENTS },
	{ "ternary", ternary, HF_TAKES_UNDEFINED },
	{ "mandatory", mandatory, HF_TAKES_UNDEFINED },
	{ "type_debug", type_debug, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "split", split, 0 },
	{ "human_readable", human_readable, 0 },
	{ "human_to_bytes", human_to_bytes, 0 },
	{ 0 },
};
