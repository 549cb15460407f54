#include "lib/engine/args.h"

#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/unicode.h"

enum { PIECES_MAX = 200000 };

static const char *const raw_options[] = { "creates", "removes", "chdir", "executable", "warn", "stdin",
	"stdin_add_newline", "strip_empty_ends", NULL };

/* --- splitting --- */

static const struct pair {
	struct hf_str open, close;
} blocks[] = {
	{ { "{{", 2 }, { "}}", 2 } },
	{ { "{%", 2 }, { "%}", 2 } },
	{ { "{#", 2 }, { "#}", 2 } },
};

struct splitter {
	struct hf_arena *arena;
	struct hf_value *list;
	struct hf_buf last; /* the piece that may still grow */
	bool have;          /* last is a piece */
	char quote;         /* open quote, or 0 */
	int depth[HF_COUNT(blocks)];
};

static void piece_end(struct splitter *s)
{
	if (s->have)
		hf_list_append(s->list, hf_value_str(s->arena, hf_buf_str(&s->last)));
	hf_buf_clear(&s->last);
	s->have = false;
}

static void piece_new(struct splitter *s, struct hf_str token)
{
	piece_end(s);
	hf_buf_add(&s->last, token);
	s->have = true;
}

static int count(struct hf_str token, struct hf_str what)
{
	int n = 0;
	for (size_t at = 0; (at = hf_str_find(token, what, at)) != SIZE_MAX; at += what.n)
		n++;
	return n;
}

static char quote_after(struct hf_str token, char quote)
{
	for (size_t i = 0; i < token.n; i++) {
		char c = token.p[i];
		if ((c != '"' && c != '\'') || (i > 0 && token.p[i - 1] == '\\'))
			continue;
		if (quote == '\0')
			quote = c;
		else if (quote == c)
			quote = '\0';
	}
	return quote;
}

static bool inside_block(const struct splitter *s)
{
	return s->depth[0] + s->depth[1] + s->depth[2] > 0;
}

static bool depths_change(struct splitter *s, struct hf_str token)
{
	bool changed = false;
	for (size_t i = 0; i < HF_COUNT(blocks); i++) {
		int before = s->depth[i];
		int after = before + count(token, blocks[i].open) - count(token, blocks[i].close);
		s->depth[i] = after < 0 ? 0 : after;
		changed = changed || s->depth[i] != before;
	}
	return changed;
}

/* One token between blanks; first: it begins its line. */
static void split_token(struct splitter *s, struct hf_str token, bool first)
{
	bool was_quoted = s->quote != '\0', was_inside = inside_block(s), placed = false;
	s->quote = quote_after(token, s->quote);
	bool quoted = s->quote != '\0';
	if (quoted && !was_quoted && !was_inside) {
		piece_new(s, token);
		placed = true;
	} else if (was_inside || quoted || was_quoted) {
		if (!first)
			hf_buf_put(&s->last, ' ');
		hf_buf_add(&s->last, token);
		s->have = placed = true;
	}
	if (depths_change(s, token) && !placed) {
		piece_new(s, token);
		placed = true;
	}
	if (!placed && !quoted && !inside_block(s) && token.n > 0)
		piece_new(s, token);
}

/* True when the line ended in a lone backslash: the next line goes on with it. */
static bool split_line(struct splitter *s, struct hf_str line)
{
	bool continued = false;
	for (size_t from = 0, index = 0;; index++) {
		size_t at = hf_str_find(line, HF_STR(" "), from);
		struct hf_str token = hf_strn(line.p + from, (at == SIZE_MAX ? line.n : at) - from);
		if (token.n == 0 && index != 0) {
			hf_buf_put(&s->last, ' ');
			s->have = true;
		} else if (hf_str_is(token, "\\") && s->quote == '\0') {
			continued = true;
		} else {
			split_token(s, token, index == 0);
		}
		if (at == SIZE_MAX)
			return continued;
		from = at + 1;
	}
}

int hf_args_split(struct hf_arena *a, struct hf_str text, struct hf_value **ret, struct hf_error *err)
{
	if (text.n > HF_ARGS_TEXT_MAX)
		return hf_fail(err, HF_E_LIMIT, "arguments are larger than %d bytes", HF_ARGS_TEXT_MAX);
	struct splitter s = {
		.arena = a, .list = hf_value_list(a), .last = hf_buf_init(HF_ARGS_TEXT_MAX * 2)
	};
	for (size_t from = 0; text.n > 0;) {
		size_t at = hf_str_find(text, HF_STR("\n"), from);
		bool continued =
			split_line(&s, hf_strn(text.p + from, (at == SIZE_MAX ? text.n : at) - from));
		if (at == SIZE_MAX)
			break;
		if (!continued) {
			hf_buf_put(&s.last, '\n');
			s.have = true;
		}
		from = at + 1;
	}
	piece_end(&s);
	hf_buf_done(&s.last);
	if (s.quote != '\0' || inside_block(&s))
		return hf_fail(err, HF_E_PARSE,
			"failed at splitting arguments, either an unbalanced jinja2 block or quotes: %.*s",
			HF_STR_ARG(text));
	*ret = s.list;
	return 0;
}

/* --- key=value --- */

static const char simple_from[] = "\\'\"abfnrtv";
static const char simple_to[] = "\\'\"\a\b\f\n\r\t\v";

static bool hex_value(struct hf_str s, size_t at, size_t n, uint32_t *ret)
{
	*ret = 0;
	for (size_t i = at; i < at + n; i++) {
		char c = i < s.n ? s.p[i] : '\0';
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return false;
		*ret = *ret << 4 | (uint32_t)digit;
	}
	return true;
}

/* One escape at s.p[at] == '\\'; the number of bytes it took, 0 when it is none. */
static size_t decode_escape(struct hf_str s, size_t at, struct hf_buf *out)
{
	static const struct {
		char letter;
		size_t digits;
	} hex[] = { { 'x', 2 }, { 'u', 4 }, { 'U', 8 } };
	char c = at + 1 < s.n ? s.p[at + 1] : '\0';
	const char *simple = c == '\0' ? NULL : strchr(simple_from, c);
	if (simple != NULL) {
		hf_buf_put(out, simple_to[simple - simple_from]);
		return 2;
	}
	for (size_t i = 0; i < HF_COUNT(hex); i++) {
		uint32_t code;
		if (c == hex[i].letter && hex_value(s, at + 2, hex[i].digits, &code)) {
			char bytes[4];
			hf_buf_append(out, bytes, hf_utf8_encode(code, bytes));
			return 2 + hex[i].digits;
		}
	}
	return 0;
}

static void decode_escapes(struct hf_str s, struct hf_buf *out)
{
	for (size_t i = 0; i < s.n;) {
		size_t n = s.p[i] == '\\' ? decode_escape(s, i, out) : 0;
		if (n == 0)
			hf_buf_put(out, s.p[i++]);
		i += n;
	}
}

/* The first "=" behind the first byte without a backslash before it; SIZE_MAX when there is none. */
static size_t find_equals(struct hf_str s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '=' && s.p[i - 1] != '\\')
			return i;
	}
	return SIZE_MAX;
}

static struct hf_str unquote(struct hf_str s)
{
	if (s.n > 1 && s.p[0] == s.p[s.n - 1] && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 2] != '\\')
		return hf_strn(s.p + 1, s.n - 2);
	return s;
}

static bool is_kept(struct hf_str key, const char *const *keep)
{
	for (size_t i = 0; keep[i] != NULL; i++) {
		if (hf_str_is(key, keep[i]))
			return true;
	}
	return false;
}

static void raw_add(struct hf_buf *raw, struct hf_str piece, bool unescape)
{
	if (raw->n > 0 && raw->p[raw->n - 1] != '\n')
		hf_buf_put(raw, ' ');
	for (size_t i = 0; i < piece.n; i++) {
		if (unescape && piece.p[i] == '\\' && i + 1 < piece.n && piece.p[i + 1] == '=')
			continue;
		hf_buf_put(raw, piece.p[i]);
	}
}

int hf_args_pairs(struct hf_arena *a, struct hf_str text, bool raw, const char *const *keep,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *pieces = NULL;
	int r = hf_args_split(a, text, &pieces, err);
	if (r < 0)
		return r;
	struct hf_value *dict = hf_value_dict(a);
	hf_auto_buf rest = hf_buf_init(HF_ARGS_TEXT_MAX * 2), decoded = hf_buf_init(HF_ARGS_TEXT_MAX * 2);
	bool any_raw = false;
	for (size_t i = 0; i < hf_list_len(pieces); i++) {
		struct hf_str piece = hf_list_at(pieces, i)->u.string;
		hf_buf_clear(&decoded);
		decode_escapes(piece, &decoded);
		struct hf_str x = hf_buf_str(&decoded);
		bool has_equals = memchr(x.p, '=', x.n) != NULL;
		size_t at = find_equals(x);
		struct hf_str key = hf_strn(x.p, at == SIZE_MAX ? 0 : at);
		if (at == SIZE_MAX || (raw && !is_kept(key, keep == NULL ? raw_options : keep))) {
			raw_add(&rest, has_equals && at == SIZE_MAX ? x : piece,
				has_equals && at == SIZE_MAX);
			any_raw = true;
			continue;
		}
		struct hf_str value = unquote(hf_str_trim(hf_strn(x.p + at + 1, x.n - at - 1)));
		hf_dict_set(dict, hf_value_str(a, hf_str_trim(key)), hf_value_str(a, value));
	}
	if (any_raw)
		hf_dict_put(dict, "_raw_params", hf_value_str(a, hf_buf_str(&rest)));
	*ret = dict;
	return hf_buf_check(&rest, "arguments", err);
}
