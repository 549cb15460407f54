/* lib/template/methods_find.c - methods of str that search, split and join; declared in method.h. */
#include "lib/base/scope.h"
#include "lib/template/filters.h"
#include "lib/template/method.h"
#include "lib/template/text.h"

static void list_add(struct hf_eval *e, struct hf_value *list, const struct hf_value *self, struct hf_str s)
{
	struct hf_value *v = hf_value_str(e->arena, s);
	v->flags = self->flags & (HF_VALUE_MARKUP | HF_VALUE_SECRET | HF_VALUE_UNSAFE);
	hf_list_append(list, v);
}

static void reverse_list(struct hf_value *list)
{
	struct hf_list *l = list->u.list;
	for (size_t i = 0, j = l->n; i + 1 < j; i++) {
		struct hf_value *v = l->at[i];
		l->at[i] = l->at[--j];
		l->at[j] = v;
	}
}

static struct hf_str trailing_space_cut(struct hf_str s)
{
	return hf_text_strip(s, false, true);
}

static void split_space(struct hf_eval *e, const struct hf_value *self, int64_t most, struct hf_value *list)
{
	struct hf_str rest = hf_text_strip(self->u.string, true, false);
	while (rest.n > 0) {
		if (most >= 0 && (int64_t)hf_list_len(list) == most) {
			list_add(e, list, self, rest); /* keeps the white space at its end */
			return;
		}
		size_t at = 0, end = 0;
		while (at < rest.n && !hf_point_space(hf_text_next(rest, &at)))
			end = at;
		list_add(e, list, self, hf_strn(rest.p, end));
		rest = hf_text_strip(hf_strn(rest.p + end, rest.n - end), true, false);
	}
}

static void rsplit_space(struct hf_eval *e, const struct hf_value *self, int64_t most, struct hf_value *list)
{
	struct hf_str rest = trailing_space_cut(self->u.string);
	while (rest.n > 0) {
		if (most >= 0 && (int64_t)hf_list_len(list) == most) {
			list_add(e, list, self, rest);
			break;
		}
		size_t start = 0, at = 0;
		while (at < rest.n)
			if (hf_point_space(hf_text_next(rest, &at)))
				start = at;
		list_add(e, list, self, hf_strn(rest.p + start, rest.n - start));
		rest = trailing_space_cut(hf_strn(rest.p, start));
	}
	reverse_list(list);
}

static size_t rfind_bytes(struct hf_str s, struct hf_str needle)
{
	for (size_t at = s.n - needle.n + 1; needle.n <= s.n && at-- > 0;)
		if (memcmp(s.p + at, needle.p, needle.n) == 0)
			return at;
	return SIZE_MAX;
}

static void split_at(struct hf_eval *e, const struct hf_value *self, struct hf_str separator, int64_t most,
	bool right, struct hf_value *list)
{
	struct hf_str rest = self->u.string;
	while (most < 0 || (int64_t)hf_list_len(list) < most) {
		size_t hit = right ? rfind_bytes(rest, separator) : hf_str_find(rest, separator, 0);
		if (hit == SIZE_MAX)
			break;
		size_t after = hit + separator.n;
		list_add(e, list, self,
			right ? hf_strn(rest.p + after, rest.n - after) : hf_strn(rest.p, hit));
		rest = right ? hf_strn(rest.p, hit) : hf_strn(rest.p + after, rest.n - after);
	}
	list_add(e, list, self, rest);
	if (right)
		reverse_list(list);
}

static int split(struct hf_eval *e, struct hf_value *self, const struct hf_call *call, bool right,
	struct hf_value **ret, struct hf_error *err)
{
	static const char *const names[] = { "sep", "maxsplit", NULL };
	struct hf_str separator = { 0 };
	int64_t most = -1;
	int r = hf_call_check(call, "split", 2, names, err);
	if (r == 0)
		r = hf_filter_text(e, call, 0, "sep", (struct hf_str){ 0 }, &separator, err);
	if (r == 0)
		r = hf_filter_int(e, call, 1, "maxsplit", -1, &most, err);
	if (r == 0 && separator.p != NULL && separator.n == 0)
		return hf_raise(err, "empty separator");
	if (r == 0)
		r = hf_eval_steps(e, self->u.string.n / 8, err);
	if (r < 0)
		return r;
	*ret = hf_value_list(e->arena);
	if (separator.p != NULL)
		split_at(e, self, separator, most, right, *ret);
	else if (right)
		rsplit_space(e, self, most, *ret);
	else
		split_space(e, self, most, *ret);
	return 0;
}

STR_METHOD(split)
{
	return split(e, input, call, false, ret, err);
}

STR_METHOD(rsplit)
{
	return split(e, input, call, true, ret, err);
}

static bool line_end(uint32_t c)
{
	return (c >= '\n' && c <= '\r') || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 ||
	       c == 0x2029;
}

struct hf_value *hf_text_lines(struct hf_arena *a, struct hf_str s, bool keep_ends)
{
	struct hf_value *list = hf_value_list(a);
	size_t start = 0;
	for (size_t at = 0; at < s.n;) {
		size_t before = at;
		uint32_t c = hf_text_next(s, &at);
		if (!line_end(c))
			continue;
		at += c == '\r' && at < s.n && s.p[at] == '\n';
		hf_list_append(
			list, hf_value_str(a, hf_strn(s.p + start, (keep_ends ? at : before) - start)));
		start = at;
	}
	if (start < s.n)
		hf_list_append(list, hf_value_str(a, hf_strn(s.p + start, s.n - start)));
	return list;
}

STR_METHOD(splitlines)
{
	static const char *const names[] = { "keepends", NULL };
	bool keep = false;
	int r = hf_call_check(call, "splitlines", 1, names, err);
	if (r == 0)
		r = hf_filter_bool(e, call, 0, "keepends", false, &keep, err);
	if (r < 0)
		return r;
	*ret = hf_text_lines(e->arena, input->u.string, keep);
	for (size_t i = 0; i < hf_list_len(*ret); i++)
		hf_list_at(*ret, i)->flags =
			input->flags & (HF_VALUE_MARKUP | HF_VALUE_SECRET | HF_VALUE_UNSAFE);
	return 0;
}

static int partition(struct hf_eval *e, struct hf_value *self, const struct hf_call *call, bool right,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_str separator, s = self->u.string;
	int r = hf_call_check(call, "partition", 1, NULL, err);
	if (r == 0)
		r = hf_method_argument(e, call, 0, "partition", &separator, err);
	if (r == 0 && separator.n == 0)
		return hf_raise(err, "empty separator");
	if (r < 0)
		return r;
	size_t hit = right ? rfind_bytes(s, separator) : hf_str_find(s, separator, 0);
	struct hf_str none = { "", 0 };
	struct hf_str parts[3] = { right ? none : s, none, right ? s : none };
	if (hit != SIZE_MAX) {
		parts[0] = hf_strn(s.p, hit);
		parts[1] = separator;
		parts[2] = hf_strn(s.p + hit + separator.n, s.n - hit - separator.n);
	}
	*ret = hf_value_tuple(e->arena);
	for (size_t i = 0; i < HF_COUNT(parts); i++)
		list_add(e, *ret, self, parts[i]);
	return 0;
}

STR_METHOD(partition)
{
	return partition(e, input, call, false, ret, err);
}

STR_METHOD(rpartition)
{
	return partition(e, input, call, true, ret, err);
}

struct window { /* s[start:end] as bytes; valid: start is not past the end */
	struct hf_str part;
	size_t start; /* in characters */
	bool valid;
};

/* Arguments start and end of find and its like, at positions 1 and 2. */
static int window_of(struct hf_eval *e, struct hf_str s, const struct hf_call *call, struct window *ret,
	struct hf_error *err)
{
	int64_t n = (int64_t)hf_utf8_length(s), at[2] = { 0, n };
	for (size_t i = 0; i < 2; i++) {
		if (i + 1 >= call->n_args || call->args[i + 1]->type == HF_NULL)
			continue;
		int r = hf_eval_int(e, call->args[i + 1], "slice index", &at[i], err);
		if (r < 0)
			return r;
		if (at[i] < 0)
			at[i] = at[i] + n < 0 ? 0 : at[i] + n;
	}
	if (at[1] > n)
		at[1] = n;
	ret->valid = at[0] <= at[1];
	ret->start = (size_t)(at[0] > n ? n : at[0]);
	size_t from = hf_utf8_offset(s, ret->start),
	       to = ret->valid ? hf_utf8_offset(s, (size_t)at[1]) : from;
	ret->part = hf_strn(s.p + from, to - from);
	return 0;
}

static int find(struct hf_eval *e, struct hf_value *self, const struct hf_call *call, bool right, bool must,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_str needle;
	struct window w;
	int r = hf_call_check(call, "find", 3, NULL, err);
	if (r == 0)
		r = hf_method_argument(e, call, 0, "find", &needle, err);
	if (r == 0)
		r = window_of(e, self->u.string, call, &w, err);
	if (r < 0)
		return r;
	size_t hit = !w.valid ? SIZE_MAX
		     : right  ? rfind_bytes(w.part, needle)
			      : hf_str_find(w.part, needle, 0);
	if (hit == SIZE_MAX && must)
		return hf_raise(err, "substring not found");
	*ret = hf_value_int(
		e->arena, hit == SIZE_MAX ? -1 : (int64_t)(w.start + hf_utf8_length(hf_strn(w.part.p, hit))));
	return 0;
}

STR_METHOD(find)
{
	return find(e, input, call, false, false, ret, err);
}

STR_METHOD(rfind)
{
	return find(e, input, call, true, false, ret, err);
}

STR_METHOD(index)
{
	return find(e, input, call, false, true, ret, err);
}

STR_METHOD(rindex)
{
	return find(e, input, call, true, true, ret, err);
}

STR_METHOD(count)
{
	struct hf_str needle;
	struct window w;
	int r = hf_call_check(call, "count", 3, NULL, err);
	if (r == 0)
		r = hf_method_argument(e, call, 0, "count", &needle, err);
	if (r == 0)
		r = window_of(e, input->u.string, call, &w, err);
	if (r < 0)
		return r;
	int64_t n = 0;
	if (needle.n == 0 && w.valid)
		n = (int64_t)hf_utf8_length(w.part) + 1;
	for (size_t at = 0; needle.n > 0 && w.valid && (at = hf_str_find(w.part, needle, at)) != SIZE_MAX;
		at += needle.n)
		n++;
	*ret = hf_value_int(e->arena, n);
	return 0;
}

static bool has_affix(struct hf_str s, struct hf_str affix, bool prefix)
{
	return s.n >= affix.n && memcmp(prefix ? s.p : s.p + s.n - affix.n, affix.p, affix.n) == 0;
}

static int affix(struct hf_eval *e, struct hf_value *self, const struct hf_call *call, bool prefix,
	struct hf_value **ret, struct hf_error *err)
{
	struct window w;
	struct hf_str one;
	bool holds = false;
	int r = hf_call_check(call, prefix ? "startswith" : "endswith", 3, NULL, err);
	if (r == 0)
		r = window_of(e, self->u.string, call, &w, err);
	if (r == 0 && call->n_args > 0 && call->args[0]->type == HF_TUPLE) {
		const struct hf_value *any = call->args[0];
		for (size_t i = 0; i < hf_list_len(any); i++) {
			if (hf_list_at(any, i)->type != HF_STRING)
				return hf_raise(err, "tuple for startswith must only contain str");
			holds |= w.valid && has_affix(w.part, hf_list_at(any, i)->u.string, prefix);
		}
	} else if (r == 0) {
		r = hf_method_argument(e, call, 0, prefix ? "startswith" : "endswith", &one, err);
		holds = r == 0 && w.valid && has_affix(w.part, one, prefix);
	}
	if (r == 0)
		*ret = hf_value_bool(e->arena, holds);
	return r;
}

STR_METHOD(startswith)
{
	return affix(e, input, call, true, ret, err);
}

STR_METHOD(endswith)
{
	return affix(e, input, call, false, ret, err);
}

int hf_text_replace(struct hf_eval *e, struct hf_str text, struct hf_str old, struct hf_str new,
	int64_t count, struct hf_buf *out, struct hf_error *err)
{
	size_t at = 0;
	for (int64_t done = 0; count < 0 || done < count; done++) {
		size_t hit = old.n == 0 ? at : hf_str_find(text, old, at);
		if (hit == SIZE_MAX || (old.n == 0 && done > 0 && at >= text.n))
			break;
		if (old.n == 0 && done > 0) { /* between characters */
			size_t next = at;
			hf_text_next(text, &next);
			hf_buf_append(out, text.p + at, next - at);
			hit = at = next;
		}
		hf_buf_append(out, text.p + at, hit - at);
		hf_buf_add(out, new);
		at = hit + old.n;
	}
	hf_buf_append(out, text.p + at, text.n - at);
	int r = hf_buf_check(out, "text after replacing", err);
	return r < 0 ? r : hf_eval_steps(e, out->n / 16, err);
}

STR_METHOD(replace)
{
	static const char *const names[] = { "old", "new", "count", NULL };
	struct hf_str old, new;
	int64_t count = -1;
	int r = hf_call_check(call, "replace", 3, names, err);
	if (r == 0)
		r = hf_method_argument(e, call, 0, "replace", &old, err);
	if (r == 0)
		r = hf_method_argument(e, call, 1, "replace", &new, err);
	if (r == 0)
		r = hf_filter_int(e, call, 2, "count", -1, &count, err);
	if (r == 0 && input->flags & HF_VALUE_MARKUP)
		r = hf_eval_escaped(e, call->args[1], &new, err);
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	if (r == 0)
		r = hf_text_replace(e, input->u.string, old, new, count, &out, err);
	return r < 0 ? r : hf_method_text(e, input, &out, ret, err);
}

STR_METHOD(join)
{
	struct hf_value *items;
	int r = hf_call_check(call, "join", 1, NULL, err);
	if (r == 0 && call->n_args == 0)
		return hf_raise(err, "join() takes exactly one argument (0 given)");
	if (r == 0)
		r = hf_eval_sequence(e, call->args[0], &items, err);
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	for (size_t i = 0; r == 0 && i < hf_list_len(items); i++) {
		struct hf_value *v = hf_list_at(items, i);
		if (v->type != HF_STRING && !(input->flags & HF_VALUE_MARKUP))
			return v->type == HF_UNDEFINED
				       ? hf_eval_undefined(e, v, err)
				       : hf_raise(err, "sequence item %zu: expected str instance, %s found",
						 i, hf_type_name(v));
		struct hf_str text = v->u.string;
		if (input->flags & HF_VALUE_MARKUP)
			r = hf_eval_escaped(e, v, &text, err);
		if (i > 0)
			hf_buf_add(&out, input->u.string);
		if (r == 0)
			hf_buf_add(&out, text);
	}
	return r < 0 ? r : hf_method_text(e, input, &out, ret, err);
}

STR_METHOD(translate)
{
	int r = hf_call_check(call, "translate", 1, NULL, err);
	if (r == 0 && (call->n_args == 0 || call->args[0]->type != HF_DICT))
		return hf_raise(err, "translate() takes a table as its only argument");
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	for (size_t at = 0; r == 0 && at < input->u.string.n;) {
		uint32_t c = hf_text_next(input->u.string, &at);
		struct hf_value key = { .type = HF_INT, .u.integer = c };
		const struct hf_map_entry *entry = hf_map_find(&call->args[0]->u.dict->map, &key);
		const struct hf_value *to = entry == NULL ? NULL : entry->value;
		if (to == NULL)
			hf_text_put(&out, c);
		else if (to->type == HF_INT && to->u.integer >= 0 && to->u.integer <= 0x10FFFF)
			hf_text_put(&out, (uint32_t)to->u.integer);
		else if (to->type == HF_STRING)
			hf_buf_add(&out, to->u.string);
		else if (to->type != HF_NULL)
			return hf_raise(err, "character mapping must return integer, None or str");
	}
	return r < 0 ? r : hf_method_text(e, input, &out, ret, err);
}

/* maketrans(from, to[, removed]) or maketrans({character: …}). */
STR_METHOD(maketrans)
{
	struct hf_str parts[3] = { { 0 } };
	struct hf_value *table = hf_value_dict(e->arena);
	int r = hf_call_check(call, "maketrans", 3, NULL, err);
	*ret = table;
	if (r == 0 && call->n_args == 1 && call->args[0]->type == HF_DICT) {
		HF_DICT_EACH (call->args[0], entry) {
			struct hf_value *key = hf_entry_key(entry);
			size_t at = 0;
			if (key->type == HF_STRING && hf_utf8_length(key->u.string) == 1)
				key = hf_value_int(e->arena, hf_text_next(key->u.string, &at));
			if (key->type != HF_INT)
				return hf_raise(err, "string keys in translate table must be of length 1");
			hf_dict_set(table, key, entry->value);
		}
		return 0;
	}
	for (size_t i = 0; r == 0 && i < (call->n_args > 2 ? 3 : 2); i++)
		r = hf_method_argument(e, call, i, "maketrans", &parts[i], err);
	if (r < 0)
		return r;
	if (hf_utf8_length(parts[0]) != hf_utf8_length(parts[1]))
		return hf_raise(err, "the first two maketrans arguments must have equal length");
	for (size_t i = 0, j = 0; i < parts[0].n;) {
		struct hf_value *from = hf_value_int(e->arena, hf_text_next(parts[0], &i));
		hf_dict_set(table, from, hf_value_int(e->arena, hf_text_next(parts[1], &j)));
	}
	for (size_t i = 0; i < parts[2].n;)
		hf_dict_set(
			table, hf_value_int(e->arena, hf_text_next(parts[2], &i)), hf_value_null(e->arena));
	return 0;
}
