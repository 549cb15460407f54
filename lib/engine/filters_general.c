/* lib/engine/filters_general.c - filters of community.general and ansible.utils that roles use. */
#include <ctype.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/engine/filters.h"
#include "lib/engine/version_order.h"

FILTER(dict_of_pairs)
{
	struct hf_value *list = NULL;
	int r = filter_items(e, input, &list, err);
	if (r < 0)
		return r;
	*ret = hf_value_dict(hf_eval_arena(e));
	for (size_t i = 0; i < hf_list_len(list); i++) {
		const struct hf_value *pair = hf_list_at(list, i);
		if (!hf_is_sequence(pair) || hf_list_len(pair) != 2 ||
			!hf_value_hashable(hf_list_at(pair, 0)))
			return hf_fail(err, HF_E_TEMPLATE,
				"dictionary update sequence element #%zu is no pair with a key", i);
		hf_dict_set(*ret, hf_list_at(pair, 0), hf_list_at(pair, 1));
	}
	return 0;
}

FILTER(dict_kv)
{
	FILTER_ARGS(1, "key");
	struct hf_value *key = hf_call_arg(call, 0, "key");
	if (key == NULL || !hf_value_hashable(key))
		return hf_fail(err, HF_E_TEMPLATE, "dict_kv needs a key");
	*ret = hf_value_dict(hf_eval_arena(e));
	hf_dict_set(*ret, key, input);
	return 0;
}

static int version_merge_sort(
	struct hf_arena *a, struct hf_value **at, struct hf_value **spare, size_t n, struct hf_error *err)
{
	if (n < 2)
		return 0;
	size_t half = n / 2;
	int r = version_merge_sort(a, at, spare, half, err);
	if (r == 0)
		r = version_merge_sort(a, at + half, spare, n - half, err);
	for (size_t i = 0, j = half, k = 0; r == 0 && k < n; k++) {
		int order = i < half ? -1 : 1;
		if (i < half && j < n)
			r = hf_version_order(HF_VERSION_LOOSE, hf_value_text(a, at[i]),
				hf_value_text(a, at[j]), &order, err);
		spare[k] = order <= 0 ? at[i++] : at[j++];
	}
	if (r == 0)
		memcpy(at, spare, n * sizeof(*at));
	return r;
}

FILTER(version_sort)
{
	FILTER_ARGS(1, "reverse");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_value *list = NULL;
	int r = filter_items(e, input, &list, err);
	if (r < 0)
		return r;
	list = hf_value_shallow(a, list);
	list->type = HF_LIST;
	size_t n = hf_list_len(list);
	bool reverse = filter_bool_arg(call, 0, "reverse", false);
	struct hf_value **spare = hf_new_array(a, n + 1, struct hf_value *);
	r = version_merge_sort(a, list->u.list->at, spare, n, err);
	for (size_t i = 0; r == 0 && reverse && i < n / 2; i++) {
		struct hf_value *kept = list->u.list->at[i];
		list->u.list->at[i] = list->u.list->at[n - 1 - i];
		list->u.list->at[n - 1 - i] = kept;
	}
	*ret = list;
	return r;
}

/* --- spans of time --- */

static const struct {
	const char *names[3];
	double seconds;
} spans[] = {
	{ { "ms", "millisecond", "milliseconds" }, 0.001 },
	{ { "s", "second", "seconds" }, 1 },
	{ { "min", "minute", "minutes" }, 60 },
	{ { "h", "hour", "hours" }, 3600 },
	{ { "d", "day", "days" }, 86400 },
	{ { "w", "week", "weeks" }, 604800 },
	{ { "mo", "month", "months" }, 2592000 },
	{ { "y", "year", "years" }, 31536000 },
};

static int span_find(struct hf_str name, double year, double month, double *ret)
{
	static const char *const more[][2] = { { "sec", "s" }, { "m", "min" }, { "secs", "s" },
		{ "mins", "min" }, { "msec", "ms" }, { "msecs", "ms" }, { "msecond", "ms" },
		{ "mseconds", "ms" } };
	for (size_t i = 0; i < HF_COUNT(more); i++)
		if (hf_str_is(name, more[i][0]))
			name = hf_str(more[i][1]);
	for (size_t i = 0; i < HF_COUNT(spans); i++)
		for (size_t k = 0; k < 3; k++)
			if (hf_str_is(name, spans[i].names[k])) {
				*ret = i == 7 ? year * 86400 : i == 6 ? month * 86400 : spans[i].seconds;
				return 0;
			}
	return -1;
}

static int number_option(
	const struct hf_call *call, const char *name, double fallback, double *ret, struct hf_error *err)
{
	const struct hf_value *v = filter_arg(call, SIZE_MAX, name);
	*ret = fallback;
	return v == NULL ? 0 : filter_number(v, name, ret, err);
}

/* "-5minutes": digits, and the word behind them; what follows the word is ignored. */
static bool span_word(struct hf_str word, int64_t *ret, struct hf_str *ret_name)
{
	size_t start = word.p[0] == '-', digits = strspn(word.p + start, "0123456789");
	size_t at = start + digits;
	if (digits == 0 || at >= word.n || !hf_str_to_int64(hf_strn(word.p, at), ret))
		return false;
	size_t n = 0;
	while (at + n < word.n && (isalnum((unsigned char)word.p[at + n]) || word.p[at + n] == '_'))
		n++;
	*ret_name = hf_strn(word.p + at, n);
	return n > 0;
}

static int span_convert(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_str unit, struct hf_value **ret, struct hf_error *err)
{
	struct hf_str text, word;
	double year, month, total = 0, size = 0;
	int r = hf_eval_text(e, input, &text, err);
	if (r == 0)
		r = number_option(call, "year", 365, &year, err);
	if (r == 0)
		r = number_option(call, "month", 30, &month, err);
	if (r < 0)
		return r;
	if (span_find(unit, year, month, &size) < 0)
		return hf_fail(err, HF_E_TEMPLATE, "to_time_unit() can not convert to unit '%.*s'",
			HF_STR_ARG(unit));
	if (input->type != HF_STRING)
		return hf_fail(
			err, HF_E_TEMPLATE, "to_time_unit(): text expected, not %s", hf_type_name(input));
	if (hf_str_is(text, "0")) {
		*ret = hf_value_int(hf_eval_arena(e), 0);
		return 0;
	}
	double target = size * 1000;
	while (hf_str_split(&text, ' ', &word)) {
		if (word.n == 0)
			continue;
		struct hf_str name;
		int64_t n;
		if (!span_word(word, &n, &name) || span_find(name, year, month, &size) < 0)
			return hf_fail(err, HF_E_TEMPLATE,
				"to_time_unit() can not interpret following string: %.*s", HF_STR_ARG(word));
		total += (double)n * (size * 1000);
	}
	hf_auto_buf rounded = hf_buf_init(64);
	hf_buf_printf(&rounded, "%.12f", total / target);
	*ret = hf_value_float(hf_eval_arena(e), strtod(rounded.p, NULL));
	return 0;
}

FILTER(to_time_unit)
{
	struct hf_str unit;
	int r = filter_text_arg(e, call, 0, "unit", "ms", &unit, err);
	return r < 0 ? r : span_convert(e, input, call, unit, ret, err);
}

#define SPAN(name, unit)                                                                                     \
	FILTER(name)                                                                                         \
	{                                                                                                    \
		return span_convert(e, input, call, HF_STR(unit), ret, err);                                 \
	}
SPAN(to_milliseconds, "ms")
SPAN(to_seconds, "s")
SPAN(to_minutes, "min")
SPAN(to_hours, "h")
SPAN(to_days, "d")
SPAN(to_weeks, "w")
SPAN(to_months, "mo")
SPAN(to_years, "y")

/* --- counting and grouping --- */

FILTER(counter)
{
	struct hf_value *list = NULL;
	int r = input->type == HF_DICT ? hf_fail(err, HF_E_TEMPLATE, "counter: a sequence expected, not dict")
				       : filter_items(e, input, &list, err);
	if (r < 0)
		return r;
	*ret = hf_value_dict(hf_eval_arena(e));
	for (size_t i = 0; i < hf_list_len(list); i++) {
		struct hf_value *v = hf_list_at(list, i);
		if (!hf_value_hashable(v))
			return hf_fail(err, HF_E_TEMPLATE,
				"counter needs a sequence of hashable elements, got %s", hf_type_name(v));
		const struct hf_value *old = hf_dict_find(*ret, v);
		hf_dict_set(*ret, v, hf_value_int(hf_eval_arena(e), old == NULL ? 1 : old->u.integer + 1));
	}
	return 0;
}

FILTER(groupby_as_dict)
{
	FILTER_ARGS(1, "attribute");
	struct hf_value *list = NULL, *attribute = hf_call_arg(call, 0, "attribute");
	int r = filter_items(e, input, &list, err);
	if (r < 0)
		return r;
	if (attribute == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "groupby_as_dict needs an attribute");
	*ret = hf_value_dict(hf_eval_arena(e));
	for (size_t i = 0; i < hf_list_len(list); i++) {
		struct hf_value *item = hf_list_at(list, i);
		struct hf_value *key = item->type == HF_DICT ? hf_dict_find(item, attribute) : NULL;
		if (key == NULL || !hf_value_hashable(key) || hf_dict_find(*ret, key) != NULL)
			return hf_fail(err, HF_E_TEMPLATE,
				"groupby_as_dict: element %zu is no dictionary, lacks the attribute, or "
				"repeats its value",
				i);
		hf_dict_set(*ret, key, item);
	}
	return 0;
}

FILTER(crc32)
{
	struct hf_str text;
	uint32_t crc = 0xFFFFFFFFu;
	hf_auto_buf out = hf_buf_init(32);
	int r = input->type != HF_STRING ? hf_fail(err, HF_E_TEMPLATE, "Invalid value type (%s) for crc32",
						   hf_type_name(input))
					 : hf_eval_text(e, input, &text, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < text.n; i++) {
		crc ^= (unsigned char)text.p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1u) != 0 ? 0xEDB88320u : 0u);
	}
	hf_buf_printf(&out, "%x", ~crc);
	return filter_return_buf(e, input, &out, "checksum", ret, err);
}

/* --- CSV --- */

static int csv_delimiter(struct hf_eval *e, const struct hf_call *call, char *ret, struct hf_error *err)
{
	static const struct {
		const char *name;
		char delimiter;
	} dialects[] = { { "excel", ',' }, { "excel-tab", '\t' }, { "unix", ',' } };
	struct hf_str name, given;
	int r = filter_text_arg(e, call, 0, "dialect", "excel", &name, err);
	if (r == 0)
		r = filter_text_arg(e, call, 2, "delimiter", "", &given, err);
	if (r < 0)
		return r;
	*ret = '\0';
	for (size_t i = 0; i < HF_COUNT(dialects); i++)
		if (hf_str_is(name, dialects[i].name))
			*ret = dialects[i].delimiter;
	if (*ret == '\0')
		return hf_fail(err, HF_E_TEMPLATE, "Dialect '%s' is not supported by your version of python.",
			name.p);
	if (given.n > 1)
		return hf_fail(err, HF_E_TEMPLATE, "\"delimiter\" must be a 1-character string");
	*ret = given.n == 1 ? given.p[0] : *ret;
	return 0;
}

/* A record as a dictionary: what it lacks is null, what is beyond the names is a list under null. */
static struct hf_value *csv_row(
	struct hf_arena *a, const struct hf_value *names, const struct hf_value *fields)
{
	struct hf_value *row = hf_value_dict(a), *rest = hf_value_list(a);
	size_t n = hf_list_len(names);
	for (size_t i = 0; i < n; i++)
		hf_dict_set(row, hf_list_at(names, i),
			i < hf_list_len(fields) ? hf_list_at(fields, i) : hf_value_null(a));
	for (size_t i = n; i < hf_list_len(fields); i++)
		hf_list_append(rest, hf_list_at(fields, i));
	if (hf_list_len(rest) > 0)
		hf_dict_set(row, hf_value_null(a), rest);
	return row;
}

FILTER(from_csv)
{
	FILTER_ARGS(3, "dialect", "fieldnames", "delimiter");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_value *names = filter_arg(call, 1, "fieldnames");
	struct hf_str text;
	char delimiter;
	int r = csv_delimiter(e, call, &delimiter, err);
	if (r == 0)
		r = hf_eval_text(e, input, &text, err);
	if (r < 0)
		return r;
	if (names != NULL && !hf_is_sequence(names))
		return hf_fail(
			err, HF_E_TEMPLATE, "from_csv: fieldnames is a list, not %s", hf_type_name(names));
	*ret = hf_value_list(a);
	while (text.n > 0) {
		bool empty = text.p[0] == '\n' || text.p[0] == '\r';
		struct hf_value *fields = filter_csv_record(a, &text, delimiter);
		if (empty && hf_list_len(fields) == 1 && names != NULL)
			continue;
		if (names == NULL)
			names = empty ? hf_value_list(a) : fields;
		else
			hf_list_append(*ret, csv_row(a, names, fields));
	}
	return 0;
}

const struct hf_callable_row hf_ansible_filters_general[] = {
	{ "dict", dict_of_pairs, 0 },
	{ "dict_kv", dict_kv, 0 },
	{ "version_sort", version_sort, 0 },
	{ "to_time_unit", to_time_unit, 0 },
	{ "to_milliseconds", to_milliseconds, 0 },
	{ "to_seconds", to_seconds, 0 },
	{ "to_minutes", to_minutes, 0 },
	{ "to_hours", to_hours, 0 },
	{ "to_days", to_days, 0 },
	{ "to_weeks", to_weeks, 0 },
	{ "to_months", to_months, 0 },
	{ "to_years", to_years, 0 },
	{ "counter", counter, 0 },
	{ "groupby_as_dict", groupby_as_dict, 0 },
	{ "crc32", crc32, HF_NO_ARGUMENTS },
	{ "from_csv", from_csv, 0 },
	{ 0 },
};
