/* lib/template/wordwrap.c - text in lines of a width, as Python's textwrap breaks them. */
#include "lib/base/scope.h"
#include "lib/template/filters.h"
#include "lib/template/method.h"
#include "lib/template/text.h"

struct chunk { /* a word, a part of one, or white space: points from … to */
	size_t from, to;
};

struct wrap {
	struct hf_eval *e;
	int64_t width;
	bool break_words, break_hyphens;
	uint32_t *points;
	size_t n;
	struct {
		struct chunk *at;
		size_t n, room;
	} chunks;
	struct hf_value *lines;
};

static bool is_blank(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(uint32_t c)
{
	return c == '_' || hf_point_alnum(c);
}

/* A word character that is no digit. */
static bool is_letter(const struct wrap *w, size_t at)
{
	int digit;
	return at < w->n && is_word(w->points[at]) && !hf_point_decimal(w->points[at], &digit);
}

static bool ends_word(uint32_t c)
{
	return is_word(c) || (c < 0x80 && c != 0 && strchr("!\"'&.,?", (int)c) != NULL);
}

/* Length of two or more dashes at position at with a word behind them; 0 when there are none. */
static size_t dashes(const struct wrap *w, size_t at)
{
	size_t end = at;
	while (end < w->n && w->points[end] == '-')
		end++;
	return end - at >= 2 && end < w->n && is_word(w->points[end]) ? end - at : 0;
}

/* A word may be broken behind the hyphen before position at. */
static bool after_hyphen(const struct wrap *w, size_t start, size_t at)
{
	if (at - start < 2 || w->points[at - 1] != '-')
		return false;
	bool left = at >= 3 && is_letter(w, at - 2) && is_letter(w, at - 3);
	left |= at >= 4 && is_letter(w, at - 2) && w->points[at - 3] == '-' && is_letter(w, at - 4);
	bool right =
		is_letter(w, at) &&
		(is_letter(w, at + 1) || (at + 1 < w->n && w->points[at + 1] == '-' && is_letter(w, at + 2)));
	return left && right;
}

static size_t chunk_end(const struct wrap *w, size_t from)
{
	size_t at = from;
	if (is_blank(w->points[at])) {
		while (at < w->n && is_blank(w->points[at]))
			at++;
		return at;
	}
	if (w->break_hyphens && from > 0 && ends_word(w->points[from - 1]) && dashes(w, from) > 0)
		return from + dashes(w, from);
	for (at = from + 1; at < w->n && !is_blank(w->points[at]); at++)
		if (w->break_hyphens &&
			(after_hyphen(w, from, at) || (ends_word(w->points[at - 1]) && dashes(w, at) > 0)))
			break;
	return at;
}

static void line_add(struct wrap *w, size_t from, size_t to)
{
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	for (size_t i = from; i < to; i++)
		hf_text_put(&out, w->points[i]);
	hf_list_append(w->lines, hf_value_str(w->e->arena, hf_buf_str(&out)));
}

/* How much of a chunk longer than a line still goes on this one. */
static size_t long_part(const struct wrap *w, const struct chunk *c, size_t room)
{
	if (w->break_hyphens && c->to - c->from > room) {
		size_t hyphen = room;
		while (hyphen > 0 && w->points[c->from + hyphen - 1] != '-')
			hyphen--;
		bool other = false;
		for (size_t i = 0; hyphen > 1 && i < hyphen - 1; i++)
			other |= w->points[c->from + i] != '-';
		if (hyphen > 1 && other)
			return hyphen;
	}
	return room;
}

static void fill_lines(struct wrap *w)
{
	size_t width = (size_t)w->width;
	for (size_t i = 0; i < w->chunks.n;) {
		if (is_blank(w->points[w->chunks.at[i].from]) && hf_list_len(w->lines) > 0) {
			i++;
			if (i >= w->chunks.n)
				break;
		}
		size_t from = w->chunks.at[i].from, to = from, last = from;
		while (i < w->chunks.n && w->chunks.at[i].to - from <= width) {
			last = w->chunks.at[i].from;
			to = w->chunks.at[i++].to;
		}
		if (i < w->chunks.n && w->chunks.at[i].to - w->chunks.at[i].from > width) {
			struct chunk *c = &w->chunks.at[i];
			if (w->break_words) {
				size_t part = long_part(w, c, width - (to - from));
				if (part > 0) {
					last = c->from;
					to = c->from += part;
				}
			} else if (to == from) {
				last = c->from;
				to = c->to;
				i++;
			}
		}
		if (to > from && is_blank(w->points[last]))
			to = last;
		if (to > from)
			line_add(w, from, to);
	}
}

static int wrap_line(struct wrap *w, struct hf_str line, struct hf_error *err)
{
	w->points = hf_new_array(w->e->arena, line.n + 1, uint32_t);
	w->n = 0;
	w->chunks.n = 0;
	w->lines = hf_value_list(w->e->arena);
	for (size_t at = 0; at < line.n;)
		w->points[w->n++] = hf_text_next(line, &at);
	for (size_t at = 0; at < w->n;) {
		struct chunk *c = hf_vec_push(w->e->arena, &w->chunks);
		c->from = at;
		at = c->to = chunk_end(w, at);
	}
	int r = hf_eval_steps(w->e, w->n, err);
	if (r == 0)
		fill_lines(w);
	return r;
}

int hf_filter_wordwrap(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	struct wrap w = { .e = e, .width = 79, .break_words = true, .break_hyphens = true };
	struct hf_str between = hf_str(e->env->newline_sequence == NULL ? "\n" : e->env->newline_sequence);
	const struct filter_arg args[] = { { "width", ARG_INT, &w.width },
		{ "break_long_words", ARG_BOOL, &w.break_words }, { "wrapstring", ARG_TEXT, &between },
		{ "break_on_hyphens", ARG_BOOL, &w.break_hyphens } };
	int r = hf_filter_args(e, call, "wordwrap", args, HF_COUNT(args), err);
	if (r < 0)
		return r;
	if (input->type == HF_UNDEFINED)
		return hf_eval_undefined(e, input, err);
	if (input->type != HF_STRING)
		return hf_raise(err, "'%s' object has no attribute 'splitlines'", hf_type_name(input));
	struct hf_value *paragraphs = hf_text_lines(e->arena, input->u.string, false);
	if (w.width <= 0 && hf_list_len(paragraphs) > 0)
		return hf_raise(err, "invalid width %lld (must be > 0)", (long long)w.width);
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	for (size_t i = 0; r == 0 && i < hf_list_len(paragraphs); i++) {
		r = wrap_line(&w, hf_list_at(paragraphs, i)->u.string, err);
		if (i > 0)
			hf_buf_add(&out, between);
		for (size_t k = 0; r == 0 && k < hf_list_len(w.lines); k++) {
			hf_buf_add(&out, k > 0 ? between : HF_STR(""));
			hf_buf_add(&out, hf_list_at(w.lines, k)->u.string);
		}
	}
	return r < 0 ? r : hf_buf_value(e, &out, 0, ret, err);
}
