/* lib/engine/regex_replace.c - sub, expand, findall, split, escape; declared in regex.h. */
#include <ctype.h>

#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/data/unicode.h"
#include "lib/engine/regex.h"

enum { REPLACED_MAX = 256 << 20 };

/* A replacement template, parsed: literal text, or the number of a group. */
struct piece {
	struct hf_str text;
	int group; /* -1: text */
};
typedef HF_VEC(struct piece) piece_vec;

struct template
{
	struct hf_arena *arena;
	const struct hf_regex *re;
	const char *p, *end;
	struct hf_buf text;
	piece_vec pieces;
	struct hf_error *err;
};

static void text_flush(struct template *t)
{
	if (t->text.n == 0)
		return;
	*hf_vec_push(t->arena, &t->pieces) = (struct piece){ hf_buf_dup(t->arena, &t->text), -1 };
	hf_buf_clear(&t->text);
}

static int group_add(struct template *t, long number)
{
	if (number < 0 || number > (long)hf_regex_groups(t->re))
		return hf_fail(t->err, HF_E_ARGUMENT, "invalid group reference %ld in a replacement", number);
	text_flush(t);
	*hf_vec_push(t->arena, &t->pieces) = (struct piece){ .group = (int)number };
	return 0;
}

static int named_reference(struct template *t)
{
	const char *from = t->p + 1;
	if (t->p == t->end || *t->p != '<')
		return hf_fail(t->err, HF_E_ARGUMENT, "missing < after \\g in a replacement");
	const char *close = memchr(from, '>', (size_t)(t->end - from));
	if (close == NULL || close == from)
		return hf_fail(t->err, HF_E_ARGUMENT, "missing group name in a replacement");
	struct hf_str name = hf_strn(from, (size_t)(close - from));
	t->p = close + 1;
	int64_t number;
	if (hf_str_to_int64(name, &number))
		return group_add(t, number > 100000 ? 100000 : (long)number);
	number = hf_regex_group_number(t->re, name);
	if (number < 0)
		return hf_fail(t->err, HF_E_ARGUMENT, "unknown group name '%.*s' in a replacement",
			HF_STR_ARG(name));
	return group_add(t, (long)number);
}

static bool octal_at(const struct template *t, size_t i)
{
	return (size_t)(t->end - t->p) > i && t->p[i] >= '0' && t->p[i] <= '7';
}

static int octal_add(struct template *t, uint32_t point)
{
	if (point > 0377)
		return hf_fail(t->err, HF_E_ARGUMENT, "octal escape above 0o377 in a replacement");
	char bytes[4];
	hf_buf_append(&t->text, bytes, hf_utf8_encode(point, bytes));
	return 0;
}

static int number_reference(struct template *t, char first)
{
	uint32_t number = (uint32_t)(first - '0');
	if (first == '0') {
		for (int i = 0; i < 2 && octal_at(t, 0); i++)
			number = number * 8 + (uint32_t)(*t->p++ - '0');
		return octal_add(t, number);
	}
	if (t->p < t->end && isdigit((unsigned char)*t->p)) {
		if (first <= '7' && octal_at(t, 0) && octal_at(t, 1)) {
			number = (number * 8 + (uint32_t)(t->p[0] - '0')) * 8 + (uint32_t)(t->p[1] - '0');
			t->p += 2;
			return octal_add(t, number);
		}
		number = number * 10 + (uint32_t)(*t->p++ - '0');
	}
	return group_add(t, number);
}

static int template_escape(struct template *t)
{
	static const char names[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
	if (t->p == t->end)
		return hf_fail(t->err, HF_E_ARGUMENT, "bad escape (end of pattern) in a replacement");
	char c = *t->p++;
	if (c == 'g')
		return named_reference(t);
	if (isdigit((unsigned char)c))
		return number_reference(t, c);
	const char *found = c == '\0' ? NULL : strchr(names, c);
	if (found != NULL) {
		hf_buf_put(&t->text, values[found - names]);
		return 0;
	}
	if (isalpha((unsigned char)c) && (unsigned char)c < 0x80)
		return hf_fail(t->err, HF_E_ARGUMENT, "bad escape \\%c in a replacement", c);
	hf_buf_put(&t->text, '\\');
	hf_buf_put(&t->text, c);
	return 0;
}

static int template_parse(struct hf_arena *a, const struct hf_regex *re, struct hf_str replacement,
	piece_vec *ret, struct hf_error *err)
{
	struct template t = {
		.arena = a, .re = re, .p = replacement.p, .end = replacement.p + replacement.n, .err = err
	};
	t.text = hf_buf_init(replacement.n * 4 + 4);
	int r = 0;
	while (t.p < t.end && r == 0) {
		char c = *t.p++;
		if (c == '\\')
			r = template_escape(&t);
		else
			hf_buf_put(&t.text, c);
	}
	text_flush(&t);
	hf_buf_done(&t.text);
	memcpy(ret, &t.pieces, sizeof(*ret));
	return r;
}

static void pieces_add(const piece_vec *pieces, const struct hf_regex_match *m, struct hf_buf *out)
{
	for (size_t i = 0; i < pieces->n; i++)
		hf_buf_add(out, pieces->at[i].group < 0 ? pieces->at[i].text
							: hf_regex_group(m, (unsigned)pieces->at[i].group));
}

int hf_regex_expand(const struct hf_regex *re, const struct hf_regex_match *m, struct hf_str replacement,
	struct hf_buf *out, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	piece_vec pieces;
	int r = template_parse(scratch, re, replacement, &pieces, err);
	if (r < 0)
		return r;
	pieces_add(&pieces, m, out);
	return 0;
}

struct substitution {
	piece_vec pieces;
	struct hf_buf out;
	size_t last, done, most;
};

static int substitute(void *data, const struct hf_regex_match *m, struct hf_error *err)
{
	struct substitution *s = data;
	hf_buf_append(&s->out, m->subject.p + s->last, m->start - s->last);
	pieces_add(&s->pieces, m, &s->out);
	s->last = m->end;
	s->done++;
	int r = hf_buf_check(&s->out, "text after replacing", err);
	return r < 0 ? r : s->done == s->most;
}

int hf_regex_sub(struct hf_arena *a, const struct hf_regex *re, struct hf_str subject,
	struct hf_str replacement, size_t count, struct hf_str *ret, size_t *ret_count, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct substitution s = { .out = hf_buf_init(REPLACED_MAX), .most = count == 0 ? SIZE_MAX : count };
	int r = template_parse(scratch, re, replacement, &s.pieces, err);
	if (r == 0)
		r = hf_regex_each(scratch, re, subject, substitute, &s, err);
	if (r == 0) {
		hf_buf_append(&s.out, subject.p + s.last, subject.n - s.last);
		r = hf_buf_check(&s.out, "text after replacing", err);
	}
	if (r == 0) {
		*ret = s.out.n == 0 ? hf_strn(hf_strdup(a, ""), 0) : hf_buf_dup(a, &s.out);
		if (ret_count != NULL)
			*ret_count = s.done;
	}
	hf_buf_done(&s.out);
	return r;
}

struct collection {
	struct hf_arena *arena;
	struct hf_value *list;
	size_t last, done, most;
};

static struct hf_value *group_value(struct hf_arena *a, const struct hf_regex_match *m, unsigned number)
{
	struct hf_str text = hf_regex_group(m, number);
	return hf_value_str(a, text.p == NULL ? HF_STR("") : text);
}

static int found_add(void *data, const struct hf_regex_match *m, struct hf_error *err)
{
	struct collection *c = data;
	struct hf_value *item;
	if (m->groups <= 2) {
		item = group_value(c->arena, m, m->groups - 1);
	} else {
		item = hf_value_tuple(c->arena);
		for (unsigned i = 1; i < m->groups; i++)
			hf_list_append(item, group_value(c->arena, m, i));
	}
	hf_list_append(c->list, item);
	return 0;
}

int hf_regex_findall(struct hf_arena *a, const struct hf_regex *re, struct hf_str subject,
	struct hf_value **ret, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct collection c = { .arena = a, .list = hf_value_list(a) };
	int r = hf_regex_each(scratch, re, subject, found_add, &c, err);
	if (r == 0)
		*ret = c.list;
	return r;
}

static int split_add(void *data, const struct hf_regex_match *m, struct hf_error *err)
{
	struct collection *c = data;
	hf_list_append(c->list, hf_value_str(c->arena, hf_strn(m->subject.p + c->last, m->start - c->last)));
	for (unsigned i = 1; i < m->groups; i++) {
		struct hf_str text = hf_regex_group(m, i);
		hf_list_append(
			c->list, text.p == NULL ? hf_value_null(c->arena) : hf_value_str(c->arena, text));
	}
	c->last = m->end;
	return ++c->done == c->most;
}

int hf_regex_split(struct hf_arena *a, const struct hf_regex *re, struct hf_str subject, size_t max,
	struct hf_value **ret, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct collection c = { .arena = a, .list = hf_value_list(a), .most = max == 0 ? SIZE_MAX : max };
	int r = hf_regex_each(scratch, re, subject, split_add, &c, err);
	if (r < 0)
		return r;
	hf_list_append(c.list, hf_value_str(a, hf_strn(subject.p + c.last, subject.n - c.last)));
	*ret = c.list;
	return 0;
}

struct hf_str hf_regex_escape(struct hf_arena *a, struct hf_str text)
{
	static const char special[] = "()[]{}?*+-|^$\\.&~# \t\n\r\v\f";
	char *out = hf_alloc(a, text.n * 2 + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '\0' && strchr(special, text.p[i]) != NULL)
			out[n++] = '\\';
		out[n++] = text.p[i];
	}
	out[n] = '\0';
	return hf_strn(out, n);
}
