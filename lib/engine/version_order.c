#include "lib/engine/version_order.h"

#include <ctype.h>
#include <stdlib.h>

#include "lib/base/scope.h"

/* Digits of any length, by value. */
static int digits_compare(struct hf_str a, struct hf_str b)
{
	while (a.n > 0 && *a.p == '0') {
		a.p++;
		a.n--;
	}
	while (b.n > 0 && *b.p == '0') {
		b.p++;
		b.n--;
	}
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return hf_str_compare(a, b);
}

static bool is_digits(struct hf_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isdigit((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

static size_t digits_at(struct hf_str s, size_t from)
{
	size_t n = 0;
	while (from + n < s.n && isdigit((unsigned char)s.p[from + n]))
		n++;
	return n;
}

/* --- loose --- */

/* Runs of digits, of small letters, of anything else; dots only separate. */
static bool loose_next(struct hf_str *rest, struct hf_str *ret)
{
	while (rest->n > 0 && *rest->p == '.')
		*rest = hf_strn(rest->p + 1, rest->n - 1);
	if (rest->n == 0)
		return false;
	size_t n = 0;
#define KIND(c) (isdigit((unsigned char)(c)) ? 1 : ((c) >= 'a' && (c) <= 'z') ? 2 : (c) == '.' ? 3 : 4)
	int kind = KIND(rest->p[0]);
	while (n < rest->n && KIND(rest->p[n]) == kind)
		n++;
#undef KIND
	*ret = hf_strn(rest->p, n);
	*rest = hf_strn(rest->p + n, rest->n - n);
	return true;
}

static int loose_compare(struct hf_str a, struct hf_str b, int *ret, struct hf_error *err)
{
	for (;;) {
		struct hf_str x, y;
		bool more_a = loose_next(&a, &x), more_b = loose_next(&b, &y);
		if (!more_a || !more_b) {
			*ret = (int)more_a - (int)more_b;
			return 0;
		}
		bool number_x = is_digits(x), number_y = is_digits(y);
		if (number_x != number_y)
			return hf_fail(err, HF_E_TEMPLATE,
				"Version comparison failed: '<' not supported between instances of '%s' "
				"and '%s'",
				number_x ? "int" : "str", number_y ? "int" : "str");
		*ret = number_x ? digits_compare(x, y) : hf_str_compare(x, y);
		if (*ret != 0)
			return 0;
	}
}

/* --- strict --- */

struct strict {
	struct hf_str part[3], number;
	char letter; /* 'a', 'b' or 0 */
};

static bool strict_read(struct hf_str s, struct strict *v)
{
	size_t at = 0;
	*v = (struct strict){ 0 };
	for (size_t i = 0; i < 3; i++) {
		if (i > 0 && (at >= s.n || s.p[at] != '.'))
			break;
		at += i > 0;
		size_t n = digits_at(s, at);
		if (n == 0)
			return false;
		v->part[i] = hf_strn(s.p + at, n);
		at += n;
	}
	if (v->part[1].p == NULL)
		return false;
	if (at < s.n && (s.p[at] == 'a' || s.p[at] == 'b')) {
		v->letter = s.p[at++];
		size_t n = digits_at(s, at);
		v->number = hf_strn(s.p + at, n);
		at += n;
		if (n == 0)
			return false;
	}
	return at == s.n;
}

static int strict_compare(struct hf_str a, struct hf_str b, int *ret, struct hf_error *err)
{
	struct strict x, y;
	if (!strict_read(a, &x) || !strict_read(b, &y))
		return hf_fail(err, HF_E_TEMPLATE, "Version comparison failed: invalid version number");
	int order = 0;
	for (size_t i = 0; i < 3 && order == 0; i++)
		order = digits_compare(x.part[i], y.part[i]);
	if (order == 0 && (x.letter == 0 || y.letter == 0))
		order = (x.letter == 0) - (y.letter == 0);
	else if (order == 0)
		order = x.letter != y.letter ? x.letter - y.letter : digits_compare(x.number, y.number);
	*ret = order;
	return 0;
}

/* --- semantic --- */

struct semantic {
	struct hf_str core[3], before; /* before: after the '-' */
};

static bool identifiers_valid(struct hf_str s, bool numbers_bare)
{
	for (;;) {
		const char *dot = memchr(s.p, '.', s.n);
		struct hf_str part = hf_strn(s.p, dot == NULL ? s.n : (size_t)(dot - s.p));
		if (part.n == 0 || (numbers_bare && is_digits(part) && part.n > 1 && part.p[0] == '0'))
			return false;
		for (size_t i = 0; i < part.n; i++)
			if (!isalnum((unsigned char)part.p[i]) && part.p[i] != '-')
				return false;
		if (dot == NULL)
			return true;
		s = hf_strn(dot + 1, s.n - part.n - 1);
	}
}

static bool semantic_read(struct hf_str s, struct semantic *v)
{
	size_t at = 0;
	*v = (struct semantic){ 0 };
	for (size_t i = 0; i < 3; i++) {
		if (i > 0 && (at >= s.n || s.p[at++] != '.'))
			return false;
		size_t n = digits_at(s, at);
		if (n == 0 || (n > 1 && s.p[at] == '0'))
			return false;
		v->core[i] = hf_strn(s.p + at, n);
		at += n;
	}
	struct hf_str rest = hf_strn(s.p + at, s.n - at);
	const char *plus = rest.n == 0 ? NULL : memchr(rest.p, '+', rest.n);
	if (plus != NULL) {
		if (!identifiers_valid(hf_strn(plus + 1, rest.n - (size_t)(plus + 1 - rest.p)), false))
			return false;
		rest.n = (size_t)(plus - rest.p);
	}
	if (rest.n == 0)
		return true;
	v->before = hf_strn(rest.p + 1, rest.n - 1);
	return rest.p[0] == '-' && rest.n > 1 && identifiers_valid(v->before, true);
}

static int identifiers_compare(struct hf_str a, struct hf_str b)
{
	for (;;) {
		struct hf_str x, y;
		bool more_a = hf_str_split(&a, '.', &x), more_b = hf_str_split(&b, '.', &y);
		if (!more_a || !more_b)
			return (int)more_a - (int)more_b;
		bool number_x = is_digits(x), number_y = is_digits(y);
		int order = number_x != number_y ? (number_x ? -1 : 1)
			    : number_x           ? digits_compare(x, y)
						 : hf_str_compare(x, y);
		if (order != 0)
			return order;
	}
}

static int semantic_compare(struct hf_str a, struct hf_str b, int *ret, struct hf_error *err)
{
	struct semantic x, y;
	if (!semantic_read(a, &x) || !semantic_read(b, &y))
		return hf_fail(err, HF_E_TEMPLATE, "Version comparison failed: invalid semantic version");
	int order = 0;
	for (size_t i = 0; i < 3 && order == 0; i++)
		order = digits_compare(x.core[i], y.core[i]);
	if (order == 0 && (x.before.n == 0 || y.before.n == 0))
		order = (x.before.n == 0) - (y.before.n == 0);
	else if (order == 0)
		order = identifiers_compare(x.before, y.before);
	*ret = order;
	return 0;
}

/* --- PEP 440 --- */

enum { RELEASE_MAX = 32 };
struct pep440 {
	int64_t epoch, release[RELEASE_MAX], pre, post, dev;
	size_t n;
	char phase; /* 'a', 'b', 'c', 0: none */
	bool has_post, has_dev;
	struct hf_str local;
};

static bool number_take(struct hf_str *s, int64_t *ret)
{
	size_t n = digits_at(*s, 0);
	if (n == 0 || n > 18)
		return false;
	*ret = strtoll(s->p, NULL, 10);
	*s = hf_strn(s->p + n, s->n - n);
	return true;
}

static bool word_take(struct hf_str *s, const char *word)
{
	size_t n = strlen(word);
	if (s->n < n || memcmp(s->p, word, n) != 0)
		return false;
	*s = hf_strn(s->p + n, s->n - n);
	return true;
}

static void separator_take(struct hf_str *s)
{
	if (s->n > 0 && (*s->p == '.' || *s->p == '-' || *s->p == '_'))
		*s = hf_strn(s->p + 1, s->n - 1);
}

/* One of words behind an optional separator, then an optional number. */
static bool phase_take(struct hf_str *s, const char *const *words, size_t *ret_word, int64_t *ret_number)
{
	struct hf_str rest = *s;
	separator_take(&rest);
	for (size_t i = 0; words[i] != NULL; i++) {
		struct hf_str after = rest, numbered;
		if (!word_take(&after, words[i]))
			continue;
		numbered = after;
		separator_take(&numbered);
		*ret_number = 0;
		if (number_take(&numbered, ret_number))
			after = numbered;
		*s = after;
		*ret_word = i;
		return true;
	}
	return false;
}

static bool pep440_read(struct hf_str s, struct pep440 *v)
{
	static const char *const phases[] = { "alpha", "a", "beta", "b", "preview", "pre", "c", "rc", NULL };
	static const char letters[] = "aabbcccc";
	static const char *const posts[] = { "post", "rev", "r", NULL }, *const devs[] = { "dev", NULL };
	*v = (struct pep440){ 0 };
	size_t which;
	struct hf_str rest = hf_str_trim(s);
	word_take(&rest, "v");
	struct hf_str probe = rest;
	if (number_take(&probe, &v->epoch) && word_take(&probe, "!"))
		rest = probe;
	else
		v->epoch = 0;
	do {
		if (v->n == RELEASE_MAX || !number_take(&rest, &v->release[v->n]))
			return false;
		v->n++;
		probe = rest;
	} while (word_take(&probe, ".") && digits_at(probe, 0) > 0 && (rest = probe, true));
	if (phase_take(&rest, phases, &which, &v->pre))
		v->phase = letters[which];
	probe = rest;
	if (word_take(&probe, "-") && number_take(&probe, &v->post)) {
		v->has_post = true;
		rest = probe;
	} else {
		v->has_post = phase_take(&rest, posts, &which, &v->post);
	}
	v->has_dev = phase_take(&rest, devs, &which, &v->dev);
	if (word_take(&rest, "+")) {
		v->local = rest;
		rest.n = 0;
	}
	while (v->n > 1 && v->release[v->n - 1] == 0) /* trailing zeros say nothing */
		v->n--;
	return rest.n == 0;
}

static int order_of(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

/* Before any phase: a bare dev release; after all: no phase at all. */
static int phase_rank(const struct pep440 *v)
{
	if (v->phase != 0)
		return v->phase;
	return v->has_dev && !v->has_post ? 0 : 'z';
}

static int local_compare(struct hf_str a, struct hf_str b)
{
	if (a.p == NULL || b.p == NULL)
		return (a.p != NULL) - (b.p != NULL);
	for (;;) {
		struct hf_str x, y;
		bool more_a = hf_str_split(&a, '.', &x), more_b = hf_str_split(&b, '.', &y);
		if (!more_a || !more_b)
			return (int)more_a - (int)more_b;
		bool number_x = is_digits(x), number_y = is_digits(y);
		int order = number_x != number_y ? (number_x ? 1 : -1)
			    : number_x           ? digits_compare(x, y)
						 : hf_str_compare(x, y);
		if (order != 0)
			return order;
	}
}

static int release_compare(const struct pep440 *x, const struct pep440 *y)
{
	int order = order_of(x->epoch, y->epoch);
	for (size_t i = 0; order == 0 && (i < x->n || i < y->n); i++)
		order = i >= x->n ? -1 : i >= y->n ? 1 : order_of(x->release[i], y->release[i]);
	return order;
}

static int pep440_compare(struct hf_str a, struct hf_str b, int *ret, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct hf_str both[2] = { a, b };
	struct pep440 v[2];
	for (size_t i = 0; i < 2; i++) {
		char *lower = hf_str_dup(scratch, both[i]);
		for (char *p = lower; *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
		if (!pep440_read(hf_str(lower), &v[i]))
			return hf_fail(err, HF_E_TEMPLATE,
				"Version comparison failed: Invalid version: '%.*s'", HF_STR_ARG(both[i]));
	}
	int order = release_compare(&v[0], &v[1]);
	if (order == 0)
		order = phase_rank(&v[0]) - phase_rank(&v[1]);
	if (order == 0)
		order = order_of(v[0].pre, v[1].pre);
	if (order == 0)
		order = order_of(v[0].has_post ? v[0].post : -1, v[1].has_post ? v[1].post : -1);
	if (order == 0)
		order = order_of(v[0].has_dev ? v[0].dev : INT64_MAX, v[1].has_dev ? v[1].dev : INT64_MAX);
	*ret = order != 0 ? order : local_compare(v[0].local, v[1].local);
	return 0;
}

int hf_version_order(
	enum hf_version_kind kind, struct hf_str a, struct hf_str b, int *ret_order, struct hf_error *err)
{
	static int (*const compare[])(struct hf_str, struct hf_str, int *, struct hf_error *) = {
		[HF_VERSION_LOOSE] = loose_compare,
		[HF_VERSION_STRICT] = strict_compare,
		[HF_VERSION_SEMANTIC] = semantic_compare,
		[HF_VERSION_PEP440] = pep440_compare,
	};
	return compare[kind](a, b, ret_order, err);
}
