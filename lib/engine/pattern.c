#include <fnmatch.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/inventory.h"

enum { PIECES_MAX = 1000 };

static bool contains(const struct hf_hosts *set, const struct hf_host *h)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->at[i] == h)
			return true;
	}
	return false;
}

static void add(struct hf_arena *a, struct hf_hosts *set, struct hf_host *h)
{
	if (!contains(set, h))
		*hf_vec_push(a, set) = h;
}

/* "name[1:3]", "name[-1]": the name without it, and which of its hosts. */
static struct hf_str subscript(struct hf_str s, int64_t *from, int64_t *to, bool *any)
{
	*any = false;
	size_t open = hf_str_find(s, HF_STR("["), 0);
	if (open == SIZE_MAX || open == 0 || s.p[s.n - 1] != ']')
		return s;
	struct hf_str inner = hf_strn(s.p + open + 1, s.n - open - 2);
	size_t colon = hf_str_find(inner, HF_STR(":"), 0);
	if (colon == SIZE_MAX) {
		if (!hf_str_to_int64(inner, from))
			return s;
		*to = *from;
	} else {
		struct hf_str left = hf_strn(inner.p, colon),
			      right = hf_strn(inner.p + colon + 1, inner.n - colon - 1);
		*from = 0;
		*to = -1;
		if ((left.n > 0 && !hf_str_to_int64(left, from)) ||
			(right.n > 0 && !hf_str_to_int64(right, to)))
			return s;
	}
	*any = true;
	return hf_strn(s.p, open);
}

struct matcher {
	const char *text;
	regex_t regex;
	bool is_regex;
};

static bool matches(const struct matcher *m, const char *name)
{
	if (m->is_regex)
		return regexec(&m->regex, name, 0, NULL, 0) == 0;
	return fnmatch(m->text, name, 0) == 0;
}

struct hf_host *hf_inventory_local(struct hf_inventory *v, const char *name)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "::1" };
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		struct hf_host *h = hf_inventory_host(v, name);
		if (h->groups.n == 0 && !h->implicit) {
			h->implicit = true;
			hf_dict_put(h->vars, "ansible_connection", hf_value_cstr(v->arena, "local"));
			hf_dict_put(h->vars, "ansible_python_interpreter",
				hf_value_cstr(v->arena, "/usr/bin/python3"));
		}
		return h;
	}
	return NULL;
}

/* Without an inventory everybody is this machine. */
static bool means_this_machine(const struct hf_inventory *v, const char *text)
{
	bool nobody = v->order.n == 0 || (v->order.n == 1 && v->order.at[0]->implicit);
	return nobody && !v->named && (strcmp(text, "all") == 0 || strcmp(text, "*") == 0);
}

static void match_piece(struct hf_inventory *v, const struct matcher *m, struct hf_hosts *out)
{
	bool plain = !m->is_regex && strpbrk(m->text, "*?[") == NULL;
	HF_MAP_EACH (&v->groups, e) {
		const struct hf_group *g = e->value;
		if (!matches(m, g->name))
			continue;
		struct hf_hosts members = hf_inventory_members(v, g);
		for (size_t i = 0; i < members.n; i++)
			add(v->arena, out, members.at[i]);
	}
	for (size_t i = 0; i < v->order.n; i++) {
		if (!v->order.at[i]->implicit && matches(m, v->order.at[i]->name))
			add(v->arena, out, v->order.at[i]);
	}
	if (means_this_machine(v, m->text)) {
		add(v->arena, out, hf_inventory_local(v, "localhost"));
		return;
	}
	if (plain && out->n == 0 && hf_map_get(&v->groups, m->text) == NULL) {
		struct hf_host *h = hf_inventory_local(v, m->text);
		if (h != NULL)
			add(v->arena, out, h);
	}
}

static int one_piece(struct hf_inventory *v, struct hf_str piece, struct hf_hosts *ret, struct hf_error *err)
{
	int64_t from = 0, to = -1;
	bool some;
	struct matcher m = { .is_regex = piece.n > 0 && piece.p[0] == '~' };
	struct hf_str name =
		m.is_regex ? hf_strn(piece.p + 1, piece.n - 1) : subscript(piece, &from, &to, &some);
	if (m.is_regex)
		some = false;
	m.text = hf_str_dup(v->arena, name);
	if (m.is_regex && regcomp(&m.regex, m.text, REG_EXTENDED | REG_NOSUB) != 0)
		return hf_fail(err, HF_E_PARSE, "host pattern '%.*s' is not a regular expression",
			HF_STR_ARG(piece));
	struct hf_hosts all = { 0 };
	match_piece(v, &m, &all);
	if (m.is_regex)
		regfree(&m.regex);
	if (!some) {
		*ret = all;
		return 0;
	}
	int64_t n = (int64_t)all.n;
	from = from < 0 ? from + n : from;
	to = to < 0 ? to + n : to;
	*ret = (struct hf_hosts){ 0 };
	for (int64_t i = from < 0 ? 0 : from; i <= to && i < n; i++)
		*hf_vec_push(v->arena, ret) = all.at[i];
	return 0;
}

static struct hf_hosts combine(
	struct hf_arena *a, char sign, const struct hf_hosts *so_far, const struct hf_hosts *piece)
{
	struct hf_hosts out = { 0 };
	for (size_t i = 0; i < so_far->n; i++) {
		if (sign == '+' || contains(piece, so_far->at[i]) == (sign == '&'))
			add(a, &out, so_far->at[i]);
	}
	for (size_t i = 0; sign == '+' && i < piece->n; i++)
		add(a, &out, piece->at[i]);
	return out;
}

/* Commas separate; without any, colons do, but not those inside brackets or of an address. */
static size_t split_pattern(struct hf_arena *a, const char *pattern, struct hf_str pieces[PIECES_MAX])
{
	struct hf_str s = hf_str(hf_strdup(a, pattern));
	bool commas = memchr(s.p, ',', s.n) != NULL, address = strstr(s.p, "::") != NULL;
	size_t n = 0, start = 0;
	int depth = 0;
	for (size_t i = 0; i <= s.n && n < PIECES_MAX; i++) {
		char c = i < s.n ? s.p[i] : '\0';
		depth += c == '[' ? 1 : c == ']' ? -1 : 0;
		bool cut = i == s.n || (c == ',' && depth <= 0) ||
			   (!commas && !address && depth <= 0 && (c == ':' || c == ';'));
		if (!cut)
			continue;
		struct hf_str piece = hf_str_trim(hf_strn(s.p + start, i - start));
		if (piece.n > 0)
			pieces[n++] = piece;
		start = i + 1;
	}
	return n;
}

static char sign_of(struct hf_str piece)
{
	return piece.p[0] == '!' || piece.p[0] == '&' ? piece.p[0] : '+';
}

static int apply_piece(struct hf_inventory *v, struct hf_str text, struct hf_hosts *out,
	const char **ret_unmatched, struct hf_error *err)
{
	char sign = sign_of(text);
	struct hf_str name = sign == '+' ? text : hf_strn(text.p + 1, text.n - 1);
	struct hf_hosts piece = { 0 };
	int r = one_piece(v, name, &piece, err);
	if (r < 0)
		return r;
	if (piece.n == 0 && sign == '+' && ret_unmatched != NULL && *ret_unmatched == NULL)
		*ret_unmatched = hf_str_dup(v->arena, name);
	*out = combine(v->arena, sign, out, &piece);
	return 0;
}

int hf_inventory_match(struct hf_inventory *v, const char *pattern, struct hf_hosts *ret,
	const char **ret_unmatched, struct hf_error *err)
{
	struct hf_str *pieces = hf_new_array(v->arena, PIECES_MAX, struct hf_str);
	size_t n = split_pattern(v->arena, pattern, pieces);
	struct hf_hosts out = { 0 };
	bool positive = false;
	for (size_t i = 0; i < n; i++)
		positive = positive || sign_of(pieces[i]) == '+';
	if (!positive)
		out = hf_inventory_members(v, v->all);
	/* Unions first, then intersections, then exclusions. */
	static const char signs[] = { '+', '&', '!' };
	for (size_t s = 0; s < HF_COUNT(signs); s++) {
		for (size_t i = 0; i < n; i++) {
			if (sign_of(pieces[i]) != signs[s])
				continue;
			int r = apply_piece(v, pieces[i], &out, ret_unmatched, err);
			if (r < 0)
				return r;
		}
	}
	*ret = out;
	return 0;
}
