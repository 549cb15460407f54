#include "lib/engine/regex_translate.h"

#include <ctype.h>

#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/engine/regex.h"

struct translation {
	const char *p, *end, *start;
	struct hf_buf *out;
	unsigned flags;
	unsigned groups;
	bool repeated; /* the last thing was a quantifier: another one is an error */
	bool any;      /* something that can be repeated stands before */
	struct hf_arena *names_arena;
	struct hf_map names; /* char * → anything */
	struct hf_error *err;
};

static int refuse(const struct translation *t, const char *what)
{
	return hf_fail(t->err, HF_E_ARGUMENT, "%s in the regular expression '%.*s' at position %zu", what,
		(int)(t->end - t->start > 80 ? 80 : t->end - t->start), t->start, (size_t)(t->p - t->start));
}

static char peek(const struct translation *t)
{
	return t->p < t->end ? *t->p : '\0';
}

static bool take(struct translation *t, char c)
{
	if (t->p >= t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static void emit_point(struct translation *t, uint32_t point)
{
	if (point < 0x80 && isalnum((int)point))
		hf_buf_put(t->out, (char)point);
	else
		hf_buf_printf(t->out, "\\x{%x}", point);
}

static int hex_escape(struct translation *t, int digits)
{
	uint32_t point = 0;
	for (int i = 0; i < digits; i++, t->p++) {
		if (!isxdigit((unsigned char)peek(t)))
			return refuse(t, "incomplete escape");
		char c = (char)tolower((unsigned char)*t->p);
		point = point << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
		return refuse(t, "no such character");
	emit_point(t, point);
	return 0;
}

/* Up to most octal digits, the first already read. */
static int octal_escape(struct translation *t, char first, int most)
{
	uint32_t point = (uint32_t)(first - '0');
	for (int i = 1; i < most && is_octal(peek(t)); i++)
		point = point << 3 | (uint32_t)(*t->p++ - '0');
	if (point > 0377)
		return refuse(t, "octal escape above 0o377");
	emit_point(t, point);
	return 0;
}

/* Escapes that mean the same in and outside a class. *ret_done false: not one of them. */
static int common_escape(struct translation *t, char c, bool *ret_done)
{
	static const char names[] = "afnrtv", values[] = "\a\f\n\r\t\v";
	*ret_done = true;
	const char *found = c == '\0' ? NULL : strchr(names, c);
	if (found != NULL) {
		emit_point(t, (unsigned char)values[found - names]);
		return 0;
	}
	if (c != '\0' && strchr("dDsSwW", c) != NULL) {
		hf_buf_printf(t->out, "\\%c", c);
		return 0;
	}
	if (c == 'x')
		return hex_escape(t, 2);
	if ((c == 'u' || c == 'U') && !(t->flags & HF_REGEX_BYTES))
		return hex_escape(t, c == 'u' ? 4 : 8);
	if (isalpha((unsigned char)c) && (unsigned char)c < 0x80 && strchr("AZbB", c) == NULL) {
		char what[] = "bad escape \\?";
		what[sizeof(what) - 2] = c;
		return refuse(t, what);
	}
	*ret_done = false;
	return 0;
}

/* A character that stands for itself; never a letter or digit of ASCII. */
static void emit_literal(struct translation *t, char c)
{
	if ((unsigned char)c < 0x80)
		emit_point(t, (unsigned char)c);
	else if (t->flags & HF_REGEX_BYTES)
		emit_point(t, (unsigned char)c);
	else
		hf_buf_put(t->out, c); /* the rest of the character follows as it is */
}

static int group_reference(struct translation *t, char first)
{
	unsigned number = (unsigned)(first - '0');
	if (isdigit((unsigned char)peek(t))) {
		char second = *t->p++;
		if (is_octal(first) && is_octal(second) && is_octal(peek(t))) {
			t->p--;
			return octal_escape(t, first, 3);
		}
		number = number * 10 + (unsigned)(second - '0');
	}
	if (number > t->groups)
		return refuse(t, "invalid group reference");
	hf_buf_printf(t->out, "\\g{%u}", number);
	return 0;
}

static int escape_outside(struct translation *t)
{
	if (t->p == t->end)
		return refuse(t, "bad escape (end of pattern)");
	char c = *t->p++;
	if (c == '0')
		return octal_escape(t, c, 3);
	if (isdigit((unsigned char)c))
		return group_reference(t, c);
	if (c == 'A' || c == 'b' || c == 'B') {
		hf_buf_printf(t->out, "\\%c", c);
		return 0;
	}
	if (c == 'Z') {
		hf_buf_puts(t->out, "\\z");
		return 0;
	}
	bool done;
	int r = common_escape(t, c, &done);
	if (r == 0 && !done)
		emit_literal(t, c);
	return r;
}

static int class_escape(struct translation *t)
{
	if (t->p == t->end)
		return refuse(t, "bad escape (end of pattern)");
	char c = *t->p++;
	if (is_octal(c))
		return octal_escape(t, c, 3);
	if (c == 'b') {
		emit_point(t, '\b');
		return 0;
	}
	if (isdigit((unsigned char)c) || c == 'A' || c == 'B' || c == 'Z')
		return refuse(t, "bad escape");
	bool done;
	int r = common_escape(t, c, &done);
	if (r == 0 && !done)
		emit_literal(t, c);
	return r;
}

static int class_read(struct translation *t)
{
	hf_buf_put(t->out, '[');
	if (take(t, '^'))
		hf_buf_put(t->out, '^');
	for (bool first = true;; first = false) {
		if (t->p == t->end)
			return refuse(t, "unterminated character set");
		char c = *t->p++;
		int r = 0;
		if (c == ']' && !first)
			break;
		if (c == '\\')
			r = class_escape(t);
		else if (c == '[' || c == ']') /* no POSIX classes in Python */
			hf_buf_printf(t->out, "\\%c", c);
		else
			hf_buf_put(t->out, c);
		if (r < 0)
			return r;
	}
	hf_buf_put(t->out, ']');
	return 0;
}

static int name_read(struct translation *t, char end, struct hf_str *ret)
{
	const char *from = t->p;
	while (t->p < t->end && *t->p != end)
		t->p++;
	if (t->p == t->end || t->p == from)
		return refuse(t, "missing group name");
	*ret = hf_strn(from, (size_t)(t->p - from));
	t->p++;
	for (size_t i = 0; i < ret->n; i++)
		if (!isalnum((unsigned char)ret->p[i]) && ret->p[i] != '_' && (unsigned char)ret->p[i] < 0x80)
			return refuse(t, "bad character in group name");
	return 0;
}

static int named_group(struct translation *t)
{
	struct hf_str name;
	if (take(t, '<')) {
		int r = name_read(t, '>', &name);
		if (r < 0)
			return r;
		char *key = hf_str_dup(t->names_arena, name);
		if (isdigit((unsigned char)key[0]) || hf_map_get(&t->names, key) != NULL)
			return refuse(t, isdigit((unsigned char)key[0]) ? "bad group name"
									: "redefinition of group name");
		hf_map_set(&t->names, key, key);
		t->groups++;
		hf_buf_printf(t->out, "(?<%s>", key);
		t->any = false;
		return 0;
	}
	if (!take(t, '='))
		return refuse(t, "unknown extension ?P");
	int r = name_read(t, ')', &name);
	if (r < 0)
		return r;
	char *key = hf_str_dup(t->names_arena, name);
	if (hf_map_get(&t->names, key) == NULL)
		return refuse(t, "unknown group name");
	hf_buf_printf(t->out, "\\k{%s}", key);
	t->any = true;
	return 0;
}

static int conditional_group(struct translation *t)
{
	struct hf_str name;
	int r = name_read(t, ')', &name);
	if (r < 0)
		return r;
	bool number = isdigit((unsigned char)name.p[0]);
	hf_buf_printf(t->out, number ? "(?(%.*s)" : "(?(<%.*s>)", HF_STR_ARG(name));
	t->any = false;
	return 0;
}

/* (?i:…), (?i-s:…); at the very start also (?i). */
static int flags_group(struct translation *t)
{
	static const struct {
		char letter;
		unsigned flag;
	} rows[] = { { 'i', HF_REGEX_IGNORECASE }, { 'm', HF_REGEX_MULTILINE }, { 's', HF_REGEX_DOTALL },
		{ 'x', HF_REGEX_VERBOSE }, { 'a', HF_REGEX_ASCII }, { 'u', 0 } };
	bool at_start = t->out->n == 0;
	unsigned on = 0;
	char text[16] = "";
	size_t n = 0;
	for (; t->p < t->end && *t->p != ':' && *t->p != ')'; t->p++) {
		size_t row = 0;
		while (row < HF_COUNT(rows) && rows[row].letter != *t->p)
			row++;
		if ((row == HF_COUNT(rows) && *t->p != '-') || n + 1 >= sizeof(text))
			return refuse(t, "unknown extension or flag");
		on |= row < HF_COUNT(rows) ? rows[row].flag : 0;
		if (*t->p != 'u')
			text[n++] = *t->p;
	}
	if (take(t, ')')) {
		if (!at_start)
			return refuse(t, "global flags not at the start of the expression");
		t->flags |= on;
		return 0;
	}
	if (!take(t, ':'))
		return refuse(t, "missing -, : or )");
	if (strchr(text, 'a') != NULL)
		return refuse(t, "the flag a inside a group is not supported,");
	hf_buf_printf(t->out, "(?%.*s:", (int)n, text);
	t->any = false;
	return 0;
}

static int comment_skip(struct translation *t)
{
	while (t->p < t->end && *t->p != ')')
		t->p++;
	return take(t, ')') ? 0 : refuse(t, "missing ), unterminated comment");
}

static int group_open(struct translation *t)
{
	if (!take(t, '?')) {
		if (peek(t) == '*')
			return refuse(t, "nothing to repeat");
		t->groups++;
		hf_buf_put(t->out, '(');
		t->any = false;
		return t->groups > HF_REGEX_GROUPS_MAX ? refuse(t, "too many groups") : 0;
	}
	char c = peek(t);
	if (c == '\0')
		return refuse(t, "unexpected end of pattern");
	if (c == ':' || c == '=' || c == '!' || c == '>') {
		hf_buf_printf(t->out, "(?%c", c);
		t->p++;
		t->any = false;
		return 0;
	}
	if (take(t, 'P'))
		return named_group(t);
	if (take(t, '#'))
		return comment_skip(t);
	if (take(t, '('))
		return conditional_group(t);
	if (take(t, '<')) {
		if (peek(t) != '=' && peek(t) != '!')
			return refuse(t, "unknown extension ?<");
		hf_buf_printf(t->out, "(?<%c", *t->p++);
		t->any = false;
		return 0;
	}
	return flags_group(t);
}

/* {m}, {m,}, {,n}, {m,n}; anything else is a brace that stands for itself. True when it was a quantifier. */
static bool brace_read(struct translation *t)
{
	const char *p = t->p, *low = p;
	while (p < t->end && isdigit((unsigned char)*p))
		p++;
	struct hf_str least = hf_strn(low, (size_t)(p - low)), most = least;
	bool comma = p < t->end && *p == ',';
	if (comma) {
		const char *high = ++p;
		while (p < t->end && isdigit((unsigned char)*p))
			p++;
		most = hf_strn(high, (size_t)(p - high));
	}
	if (p == t->end || *p != '}' || (!comma && least.n == 0)) {
		hf_buf_puts(t->out, "\\{");
		return false;
	}
	t->p = p + 1;
	hf_buf_printf(t->out, "{%.*s", HF_STR_ARG(least.n > 0 ? least : HF_STR("0")));
	if (comma)
		hf_buf_printf(t->out, ",%.*s", HF_STR_ARG(most));
	hf_buf_put(t->out, '}');
	return true;
}

static int quantifier(struct translation *t)
{
	if (!t->any)
		return refuse(t, t->repeated ? "multiple repeat" : "nothing to repeat");
	if (peek(t) == '?' || peek(t) == '+')
		hf_buf_put(t->out, *t->p++);
	t->any = false;
	t->repeated = true;
	return 0;
}

static bool verbose_skip(struct translation *t, char c)
{
	if (!(t->flags & HF_REGEX_VERBOSE))
		return false;
	if (c == '#')
		while (t->p < t->end && *t->p != '\n')
			t->p++;
	return c == '#' || isspace((unsigned char)c);
}

static void emit_plain(struct translation *t, char c)
{
	if (c == '#' || c == ' ' || ((t->flags & HF_REGEX_BYTES) && (unsigned char)c >= 0x80))
		emit_point(t, (unsigned char)c);
	else
		hf_buf_put(t->out, c);
}

static int item_read(struct translation *t)
{
	char c = *t->p++;
	if (verbose_skip(t, c))
		return 0;
	if (c == '*' || c == '+' || c == '?') {
		hf_buf_put(t->out, c);
		return quantifier(t);
	}
	if (c == '{' && brace_read(t))
		return quantifier(t);
	t->repeated = false;
	t->any = true;
	if (c == '\\')
		return escape_outside(t);
	if (c == '[')
		return class_read(t);
	if (c == '(')
		return group_open(t);
	if (c == '{')
		return 0; /* written already */
	if (c == '|')
		t->any = false;
	emit_plain(t, c);
	return 0;
}

int hf_regex_translate(struct hf_str pattern, unsigned *flags, struct hf_buf *out, struct hf_error *err)
{
	if (pattern.n > HF_REGEX_PATTERN_MAX)
		return hf_fail(
			err, HF_E_LIMIT, "a regular expression longer than %d bytes", HF_REGEX_PATTERN_MAX);
	hf_auto_arena names = hf_arena_new();
	struct translation t = { .p = pattern.p,
		.start = pattern.p,
		.end = pattern.p + pattern.n,
		.out = out,
		.flags = *flags,
		.names_arena = names,
		.err = err };
	hf_map_init_str(&t.names, names);
	int r = 0;
	while (t.p < t.end && r == 0)
		r = item_read(&t);
	if (r < 0)
		return r;
	*flags = t.flags;
	return hf_buf_check(out, "regular expression", err);
}
