#include "cli/diff.h"

#include <string.h>

#include "lib/base/scope.h"
#include "lib/base/vec.h"

enum { TABLE_LINES_MAX = 3000, CONTEXT = 3 };

struct lines {
	struct hf_str *at;
	size_t n, room;
};

struct edit {
	char sign; /* ' ', '-', '+' */
	struct hf_str line;
	size_t before, after; /* line numbers, from 0, where it stands */
};

struct edits {
	struct edit *at;
	size_t n, room;
};

static struct lines split(struct hf_arena *a, struct hf_str text)
{
	struct lines out = { 0 };
	struct hf_str line;
	/* The last line end makes no line of its own, and is told of where it is missing. */
	bool whole = text.n == 0 || text.p[text.n - 1] == '\n';
	while (text.n > 0 && hf_str_split(&text, '\n', &line))
		*hf_vec_push(a, &out) = line;
	if (whole || out.n == 0)
		return out;
	struct hf_str *last = &out.at[out.n - 1];
	*last = hf_str(hf_sprintf(a, "%.*s\n\\ No newline at end of file", HF_STR_ARG(*last)));
	return out;
}

static void add(
	struct hf_arena *a, struct edits *e, char sign, struct hf_str line, size_t before, size_t after)
{
	*hf_vec_push(a, e) = (struct edit){ sign, line, before, after };
}

/* best[i * (m + 1) + j]: length of the longest common subsequence of what is left at i and j. NULL: too
 * large. */
static uint16_t *subsequences(
	struct hf_arena *a, const struct lines *x, const struct lines *y, size_t head, size_t n, size_t m)
{
	if (n > TABLE_LINES_MAX || m > TABLE_LINES_MAX)
		return NULL;
	uint16_t *best = hf_new_array(a, (n + 1) * (m + 1), uint16_t);
	for (size_t i = n; i-- > 0;) {
		for (size_t j = m; j-- > 0;) {
			uint16_t down = best[(i + 1) * (m + 1) + j], right = best[i * (m + 1) + j + 1];
			bool same = hf_str_equal(x->at[head + i], y->at[head + j]);
			uint16_t through = (uint16_t)(best[(i + 1) * (m + 1) + j + 1] + 1);
			best[i * (m + 1) + j] = same ? through : down > right ? down : right;
		}
	}
	return best;
}

/* The part between common head and tail; when it is too large to compare, all of it is replaced. */
static void middle(struct hf_arena *a, const struct lines *x, const struct lines *y, size_t head, size_t tail,
	struct edits *e)
{
	size_t n = x->n - head - tail, m = y->n - head - tail, i = 0, j = 0;
	const uint16_t *best = subsequences(a, x, y, head, n, m);
	while (i < n || j < m) {
		bool both = best != NULL && i < n && j < m;
		if (both && hf_str_equal(x->at[head + i], y->at[head + j])) {
			add(a, e, ' ', x->at[head + i], head + i, head + j);
			i++;
			j++;
		} else if (i < n && (!both || best[(i + 1) * (m + 1) + j] >= best[i * (m + 1) + j + 1])) {
			add(a, e, '-', x->at[head + i], head + i, head + j);
			i++;
		} else {
			add(a, e, '+', y->at[head + j], head + i, head + j);
			j++;
		}
	}
}

static struct edits compare(struct hf_arena *a, const struct lines *x, const struct lines *y)
{
	struct edits e = { 0 };
	size_t head = 0, tail = 0, most = x->n < y->n ? x->n : y->n;
	while (head < most && hf_str_equal(x->at[head], y->at[head]))
		head++;
	while (tail < most - head && hf_str_equal(x->at[x->n - 1 - tail], y->at[y->n - 1 - tail]))
		tail++;
	for (size_t i = 0; i < head; i++)
		add(a, &e, ' ', x->at[i], i, i);
	middle(a, x, y, head, tail, &e);
	for (size_t i = tail; i > 0; i--)
		add(a, &e, ' ', x->at[x->n - i], x->n - i, y->n - i);
	return e;
}

static void put_line(struct hf_buf *out, char sign, struct hf_str line, bool colour)
{
	const char *on = !colour ? "" : sign == '-' ? "\033[0;31m" : sign == '+' ? "\033[0;32m" : "";
	hf_buf_printf(out, "%s%c%.*s%s\n", on, sign, HF_STR_ARG(line), *on == '\0' ? "" : "\033[0m");
}

static void put_hunk(struct hf_buf *out, const struct edits *e, size_t from, size_t to, bool colour)
{
	size_t before = 0, after = 0;
	for (size_t i = from; i < to; i++) {
		before += e->at[i].sign != '+';
		after += e->at[i].sign != '-';
	}
	size_t b = e->at[from].before + (before > 0), f = e->at[from].after + (after > 0);
	hf_buf_printf(out, "%s@@ -%zu", colour ? "\033[0;36m" : "", b);
	if (before != 1)
		hf_buf_printf(out, ",%zu", before);
	hf_buf_printf(out, " +%zu", f);
	if (after != 1)
		hf_buf_printf(out, ",%zu", after);
	hf_buf_printf(out, " @@%s\n", colour ? "\033[0m" : "");
	for (size_t i = from; i < to; i++)
		put_line(out, e->at[i].sign, e->at[i].line, colour);
}

/* Hunks: changes with CONTEXT lines around, joined where those touch. */
static void put_hunks(struct hf_buf *out, const struct edits *e, bool colour)
{
	for (size_t i = 0; i < e->n;) {
		if (e->at[i].sign == ' ') {
			i++;
			continue;
		}
		size_t from = i < CONTEXT ? 0 : i - CONTEXT, last = i;
		for (size_t j = i; j < e->n && j <= last + 2 * CONTEXT + 1; j++) {
			if (e->at[j].sign != ' ')
				last = j;
		}
		size_t to = last + 1 + CONTEXT > e->n ? e->n : last + 1 + CONTEXT;
		put_hunk(out, e, from, to, colour);
		i = to;
	}
}

void hf_diff_print(struct hf_buf *out, struct hf_str before, struct hf_str after,
	struct hf_diff_headers headers, bool colour)
{
	if (hf_str_equal(before, after))
		return;
	hf_auto_arena a = hf_arena_new();
	struct lines x = split(a, before), y = split(a, after);
	struct edits e = compare(a, &x, &y);
	hf_buf_printf(out, "--- before%s%s\n+++ after%s%s\n", headers.before == NULL ? "" : ": ",
		headers.before == NULL ? "" : headers.before, headers.after == NULL ? "" : ": ",
		headers.after == NULL ? "" : headers.after);
	put_hunks(out, &e, colour);
	hf_buf_put(out, '\n');
}
