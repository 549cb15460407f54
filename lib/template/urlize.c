/* lib/template/urlize.c - links around the addresses in a text. */
#include <ctype.h>

#include "lib/base/scope.h"
#include "lib/template/filters.h"
#include "lib/template/text.h"

struct urlize {
	int64_t limit;                  /* of the text shown; < 0: none */
	struct hf_str attributes;       /* ' rel="…" target="…"' */
	const struct hf_value *schemes; /* a sequence or NULL */
};

static bool starts(struct hf_str s, const char *word)
{
	return s.n >= strlen(word) && strncasecmp(s.p, word, strlen(word)) == 0;
}

static struct hf_str skip(struct hf_str s, size_t n)
{
	return hf_strn(s.p + n, s.n - n);
}

static bool name_char(char c, bool hyphen)
{
	return isalnum((unsigned char)c) || c == '_' || c == '%' || (unsigned char)c >= 0x80 ||
	       (hyphen && c == '-');
}

static bool label_valid(struct hf_str s, size_t least, size_t most)
{
	bool valid = s.n >= least && s.n <= most;
	for (size_t i = 0; valid && i < s.n; i++)
		valid = name_char(s.p[i], true);
	return valid;
}

/* The last label: letters, or "xn--" and letters. */
static bool top_valid(struct hf_str s)
{
	bool letters = s.n >= 2 && s.n <= 63, idna = starts(s, "xn--") && s.n >= 6 && s.n <= 63;
	for (size_t i = 0; i < s.n; i++) {
		letters = letters && isalpha((unsigned char)s.p[i]);
		idna = idna && (i < 4 || name_char(s.p[i], false));
	}
	return letters || idna;
}

static bool labels_valid(
	struct hf_str host, size_t least, size_t most, struct hf_str *ret_top, size_t *ret_count)
{
	struct hf_str rest = host, label;
	*ret_count = 0;
	while (hf_str_split(&rest, '.', &label)) {
		++*ret_count;
		if (rest.p == NULL)
			*ret_top = label;
		else if (!label_valid(label, least, most))
			return false;
	}
	return true;
}

static bool ipv4_valid(struct hf_str s)
{
	struct hf_str rest = s, part;
	size_t n = 0;
	while (hf_str_split(&rest, '.', &part)) {
		n++;
		if (part.n < 1 || part.n > 3)
			return false;
		for (size_t i = 0; i < part.n; i++)
			if (!isdigit((unsigned char)part.p[i]))
				return false;
	}
	return n == 4;
}

static bool ipv6_valid(struct hf_str s)
{
	size_t colons = 0;
	if (s.n < 4 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < s.n; i++) {
		colons += s.p[i] == ':';
		if (s.p[i] != ':' && !isxdigit((unsigned char)s.p[i]))
			return false;
	}
	return colons >= 2 && colons <= 8;
}

static bool known_top(struct hf_str s)
{
	static const char *const tops[] = { "com", "net", "int", "edu", "gov", "org", "info", "mil" };
	for (size_t i = 0; i < HF_COUNT(tops); i++)
		if (s.n == strlen(tops[i]) && starts(s, tops[i]))
			return true;
	return false;
}

/* Host part of an address without its scheme; the path may hold anything but white space. */
static struct hf_str host_of(struct hf_str s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] != '/' && s.p[n] != '?' && s.p[n] != '#')
		n++;
	struct hf_str host = { s.p, n };
	size_t digits = 0;
	while (digits < host.n && isdigit((unsigned char)host.p[host.n - 1 - digits]))
		digits++;
	if (digits >= 1 && digits <= 5 && digits < host.n && host.p[host.n - 1 - digits] == ':')
		host.n -= digits + 1;
	return host;
}

/* A bare name counts only below a well-known top. */
static bool is_bare_name(struct hf_str s)
{
	struct hf_str top = { 0 };
	size_t labels;
	return labels_valid(host_of(s), 2, 63, &top, &labels) && labels > 1 && known_top(top);
}

static bool is_url(struct hf_str s)
{
	bool scheme = starts(s, "http://") || starts(s, "https://"), www = starts(s, "www.");
	struct hf_str top = { 0 };
	size_t labels, head = www ? 4 : !scheme ? 0 : starts(s, "https") ? 8 : 7;
	struct hf_str host = host_of(skip(s, head));
	if (host.n == 0)
		return false;
	if (scheme && (ipv4_valid(host) || ipv6_valid(host)))
		return true;
	if (head > 0 && labels_valid(host, 1, SIZE_MAX, &top, &labels) && top_valid(top))
		return true;
	return !scheme && is_bare_name(s);
}

/* \S+@\w[\w.-]*\.\w+ */
static bool is_email(struct hf_str s)
{
	const char *at = s.n == 0 ? NULL : memrchr(s.p, '@', s.n);
	if (at == NULL || at == s.p)
		return false;
	struct hf_str host = skip(s, (size_t)(at - s.p) + 1);
	const char *dot = host.n == 0 ? NULL : memrchr(host.p, '.', host.n);
	if (dot == NULL || dot == host.p || host.p[0] == '.' || host.p[0] == '-')
		return false;
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] != '.' && (!name_char(host.p[i], host.p + i < dot) || host.p[i] == '%'))
			return false;
	return dot + 1 < host.p + host.n;
}

static void put_trimmed(struct hf_buf *out, const struct urlize *u, struct hf_str url)
{
	if (u->limit >= 0 && (int64_t)hf_utf8_length(url) > u->limit) {
		hf_buf_append(out, url.p, hf_utf8_offset(url, (size_t)u->limit));
		hf_buf_puts(out, "...");
	} else {
		hf_buf_add(out, url);
	}
}

static void put_link(struct hf_buf *out, const char *prefix, struct hf_str url, struct hf_str attributes)
{
	hf_buf_puts(out, "<a href=\"");
	hf_buf_puts(out, prefix);
	hf_buf_add(out, url);
	hf_buf_put(out, '"');
	hf_buf_add(out, attributes);
	hf_buf_put(out, '>');
}

static void put_middle(struct hf_buf *out, const struct urlize *u, struct hf_str s)
{
	struct hf_str none = { "", 0 };
	bool mailto = hf_str_starts(s, "mailto:");
	bool address = memchr(s.p, '@', s.n) != NULL && !hf_str_starts(s, "www.") && s.p[0] != '@' &&
		       memchr(s.p, ':', s.n) == NULL && is_email(s);
	if (is_url(s)) {
		bool scheme = hf_str_starts(s, "http://") || hf_str_starts(s, "https://");
		put_link(out, scheme ? "" : "https://", s, u->attributes);
		put_trimmed(out, u, s);
	} else if (mailto && is_email(skip(s, 7))) {
		put_link(out, "", s, none);
		hf_buf_add(out, skip(s, 7));
	} else if (address) {
		put_link(out, "mailto:", s, none);
		hf_buf_add(out, s);
	} else {
		for (size_t i = 0; u->schemes != NULL && i < hf_list_len(u->schemes); i++) {
			struct hf_str scheme = hf_list_at(u->schemes, i)->u.string;
			if (s.n <= scheme.n || memcmp(s.p, scheme.p, scheme.n) != 0)
				continue;
			put_link(out, "", s, u->attributes);
			hf_buf_add(out, s);
			hf_buf_puts(out, "</a>");
			return;
		}
		hf_buf_add(out, s);
		return;
	}
	hf_buf_puts(out, "</a>");
}

static size_t count_of(struct hf_str s, struct hf_str what)
{
	size_t n = 0;
	for (size_t at = 0; (at = hf_str_find(s, what, at)) != SIZE_MAX; at += what.n)
		n++;
	return n;
}

/* Closing brackets go with the address as far as it has opening ones. */
static void balance(struct hf_str *middle, struct hf_str *tail)
{
	static const struct {
		struct hf_str open, close;
	} pairs[] = { { { "(", 1 }, { ")", 1 } }, { { "<", 1 }, { ">", 1 } },
		{ { "&lt;", 4 }, { "&gt;", 4 } } };
	for (size_t i = 0; i < HF_COUNT(pairs); i++) {
		size_t open = count_of(*middle, pairs[i].open), close = count_of(*tail, pairs[i].close);
		if (open <= count_of(*middle, pairs[i].close))
			continue;
		for (size_t k = 0; k < open && k < close; k++) {
			size_t end = hf_str_find(*tail, pairs[i].close, 0) + pairs[i].close.n;
			middle->n += end; /* tail stands right behind it */
			*tail = skip(*tail, end);
		}
	}
}

static size_t head_length(struct hf_str s)
{
	size_t at = 0;
	for (;;) {
		if (at < s.n && (s.p[at] == '(' || s.p[at] == '<'))
			at++;
		else if (s.n - at >= 4 && memcmp(s.p + at, "&lt;", 4) == 0)
			at += 4;
		else
			return at;
	}
}

static size_t tail_start(struct hf_str s)
{
	size_t end = s.n;
	for (;;) {
		if (end > 0 && strchr(")>.,\n", s.p[end - 1]) != NULL && s.p[end - 1] != '\0')
			end--;
		else if (end >= 4 && memcmp(s.p + end - 4, "&gt;", 4) == 0)
			end -= 4;
		else
			return end;
	}
}

static void put_word(struct hf_buf *out, const struct urlize *u, struct hf_str word)
{
	size_t head = head_length(word);
	hf_buf_append(out, word.p, head);
	struct hf_str middle = skip(word, head);
	size_t end = tail_start(middle);
	struct hf_str tail = skip(middle, end);
	middle.n = end;
	balance(&middle, &tail);
	if (middle.n > 0)
		put_middle(out, u, middle);
	hf_buf_add(out, tail);
}

/* rel: the words given, "nofollow" if asked, and "noopener", sorted. */
static void put_rel(struct hf_eval *e, struct hf_str given, bool nofollow, struct hf_buf *out)
{
	struct hf_value *words = hf_value_set(e->arena), *list = hf_value_list(e->arena);
	struct hf_str rest = given, word;
	while (hf_str_split(&rest, ' ', &word))
		if (word.n > 0)
			hf_dict_set(words, hf_value_str(e->arena, word), NULL);
	if (nofollow)
		hf_dict_set(words, hf_value_cstr(e->arena, "nofollow"), NULL);
	hf_dict_set(words, hf_value_cstr(e->arena, "noopener"), NULL);
	HF_DICT_EACH (words, entry)
		hf_list_append(list, hf_entry_key(entry));
	size_t n = hf_list_len(list);
	struct hf_value **keys = hf_new_array(e->arena, n, struct hf_value *);
	memcpy(keys, list->u.list->at, n * sizeof(*keys));
	hf_buf_puts(out, " rel=\"");
	if (hf_filter_sort(e, list->u.list->at, keys, n, false, NULL) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			hf_buf_put(out, ' ');
		hf_text_escape(out, hf_list_at(list, i)->u.string);
	}
	hf_buf_put(out, '"');
}

static int schemes_read(struct hf_eval *e, struct hf_value *v, struct urlize *u, struct hf_error *err)
{
	struct hf_value *list;
	if (v == NULL || v->type == HF_NULL)
		return 0;
	int r = hf_eval_sequence(e, v, &list, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(list); i++) {
		const struct hf_value *s = hf_list_at(list, i);
		struct hf_str text = hf_is(s, HF_STRING) ? s->u.string : HF_STR("");
		size_t n = 0;
		while (n < text.n && (name_char(text.p[n], true) || text.p[n] == '.' || text.p[n] == '+'))
			n++;
		struct hf_str rest = skip(text, n);
		if (n < 2 || (!hf_str_is(rest, ":") && !hf_str_is(rest, ":/") && !hf_str_is(rest, "://")))
			return hf_raise(err, "'%.*s' is not a valid URI scheme prefix.", HF_STR_ARG(text));
	}
	if (r == 0)
		u->schemes = list;
	return r;
}

/* White space as it is, words between it with links. */
static void put_words(struct hf_buf *out, const struct urlize *u, struct hf_str text)
{
	for (size_t at = 0; at < text.n;) {
		size_t start = at, space;
		while ((space = hf_text_space(skip(text, at))) > 0)
			at += space;
		hf_buf_append(out, text.p + start, at - start);
		start = at;
		while (at < text.n && hf_text_space(skip(text, at)) == 0)
			hf_text_next(text, &at);
		if (at > start)
			put_word(out, u, hf_strn(text.p + start, at - start));
	}
}

int hf_filter_urlize(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	struct urlize u = { .limit = -1 };
	struct hf_str target = { "", 0 }, rel = { "", 0 }, text;
	struct hf_value *schemes = NULL;
	bool nofollow = false;
	const struct filter_arg args[] = { { "trim_url_limit", ARG_INT_OR_NONE, &u.limit },
		{ "nofollow", ARG_BOOL, &nofollow }, { "target", ARG_TEXT, &target },
		{ "rel", ARG_TEXT, &rel }, { "extra_schemes", ARG_VALUE, &schemes } };
	int r = hf_filter_args(e, call, "urlize", args, HF_COUNT(args), err);
	if (r == 0)
		r = schemes_read(e, schemes, &u, err);
	if (r == 0)
		r = hf_eval_escaped(e, input, &text, err);
	if (r < 0)
		return r;
	hf_auto_buf attributes = hf_buf_init(HF_EVAL_TEXT_MAX);
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	put_rel(e, rel, nofollow, &attributes);
	if (target.n > 0) {
		hf_buf_puts(&attributes, " target=\"");
		hf_text_escape(&attributes, target);
		hf_buf_put(&attributes, '"');
	}
	u.attributes = hf_buf_str(&attributes);
	put_words(&out, &u, text);
	r = hf_eval_steps(e, text.n, err);
	return r < 0 ? r : hf_buf_value(e, &out, e->autoescape ? HF_VALUE_MARKUP : 0, ret, err);
}
