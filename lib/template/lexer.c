#include "lib/template/lexer.h"

#include <ctype.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/template/arith.h"
#include "lib/template/tree.h"
#include "lib/template/text.h"

struct lexer {
	struct hf_arena *arena;
	struct hf_arena *scratch; /* of the tokens */
	const struct hf_template_env *env;
	const char *name;
	struct hf_str source; /* newlines are \n */
	size_t at;
	uint32_t line;
	size_t line_start;
	bool line_starting; /* the last match ended a line */
	bool in_print;
	struct hf_str block_start, block_end, print_start, print_end, comment_start, comment_end;
	const char *newline;
	char balance[HF_NODE_HEIGHT_MAX];
	size_t open;
	struct tokens *out;
};

enum directive { DIRECTIVE_NONE, DIRECTIVE_RAW, DIRECTIVE_BLOCK, DIRECTIVE_PRINT, DIRECTIVE_COMMENT };

static struct hf_pos lexer_pos(const struct lexer *x)
{
	return (struct hf_pos){ x->name, x->line, (unsigned)(x->at - x->line_start) + 1 };
}

/* Behind a piece that holds no newline. */
static void lexer_pass(struct lexer *x, size_t length)
{
	x->at += length;
}

/* Move to position at, counting the lines passed. */
static void lexer_advance(struct lexer *x, size_t at)
{
	for (const char *p = x->source.p + x->at, *end = x->source.p + at; p < end; p++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			break;
		x->line++;
		x->line_start = (size_t)(p - x->source.p) + 1;
	}
	x->at = at;
}

static bool source_has(const struct lexer *x, size_t at, struct hf_str word)
{
	const char *p = x->source.p + at;
	return x->source.n - at >= word.n && word.n > 0 && p[0] == word.p[0] &&
	       memcmp(p, word.p, word.n) == 0;
}

static size_t space_end(const struct lexer *x, size_t at)
{
	size_t width;
	while (at < x->source.n && (width = hf_text_space(hf_strn(x->source.p + at, x->source.n - at))) > 0)
		at += width;
	return at;
}

static struct token *token_push(struct lexer *x, enum token_kind kind)
{
	enum { FIRST_ROOM = 32 };
	struct tokens *out = x->out;
	if (out->n == out->room) {
		out->room = out->room == 0 ? FIRST_ROOM : out->room * 2;
		struct token *wider = hf_alloc(x->scratch, out->room * sizeof(*wider));
		if (out->n > 0)
			memcpy(wider, out->at, out->n * sizeof(*wider));
		out->at = wider;
	}
	struct token *t = &out->at[out->n++];
	*t = (struct token){ kind, x->line, (uint32_t)(x->at - x->line_start) + 1, { 0 }, NULL };
	return t;
}

static struct hf_str newlines_replaced(struct hf_arena *a, struct hf_str s, const char *newline)
{
	if (memchr(s.p, '\n', s.n) == NULL || strcmp(newline, "\n") == 0)
		return s;
	hf_auto_buf out = hf_buf_init(SIZE_MAX / 4);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\n')
			hf_buf_puts(&out, newline);
		else
			hf_buf_put(&out, s.p[i]);
	return hf_buf_dup(a, &out);
}

/* \r\n and \r become \n; the last newline goes unless it is to be kept. */
static struct hf_str source_normalised(struct hf_arena *a, struct hf_str s, bool keep_trailing)
{
	if (s.n == 0 || memchr(s.p, '\r', s.n) == NULL) {
		size_t kept = s.n - (!keep_trailing && s.n > 0 && s.p[s.n - 1] == '\n');
		return hf_strn(hf_strndup(a, s.p, kept), kept);
	}
	char *p = hf_alloc(a, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r') {
			p[n++] = '\n';
			i += i + 1 < s.n && s.p[i + 1] == '\n';
		} else {
			p[n++] = s.p[i];
		}
	}
	if (!keep_trailing && n > 0 && p[n - 1] == '\n')
		n--;
	p[n] = '\0';
	return (struct hf_str){ p, n };
}

/* Length of the end of a directive at position at: "+%}", "-%}" with the white space behind, "%}" with the
 * newline behind when blocks are trimmed. 0: it does not end here. */
static size_t end_length(const struct lexer *x, size_t at, struct hf_str end, bool plus, bool trim)
{
	char c = at < x->source.n ? x->source.p[at] : '\0';
	if (plus && c == '+' && source_has(x, at + 1, end))
		return 1 + end.n;
	if (c == '-' && source_has(x, at + 1, end))
		return space_end(x, at + 1 + end.n) - at;
	if (!source_has(x, at, end))
		return 0;
	size_t after = at + end.n;
	return end.n + (trim && after < x->source.n && x->source.p[after] == '\n');
}

/* Length of "{% word %}" at position at, 0 when it is something else. *ret_sign: '-', '+' or 0 behind the
 * start. */
static size_t raw_tag(const struct lexer *x, size_t at, const char *word, bool ending, char *ret_sign)
{
	if (!source_has(x, at, x->block_start))
		return 0;
	size_t i = at + x->block_start.n;
	char sign =
		i < x->source.n && (x->source.p[i] == '-' || x->source.p[i] == '+') ? x->source.p[i] : '\0';
	i = space_end(x, i + (sign != '\0'));
	if (!source_has(x, i, hf_str(word)))
		return 0;
	i = space_end(x, i + strlen(word));
	size_t end = end_length(x, i, x->block_end, ending, ending && x->env->trim_blocks);
	if (end == 0)
		return 0;
	*ret_sign = sign;
	return i + end - at;
}

static enum directive directive_at(const struct lexer *x, size_t at, size_t *ret_length, char *ret_sign)
{
	*ret_length = raw_tag(x, at, "raw", false, ret_sign);
	if (*ret_length > 0)
		return DIRECTIVE_RAW;
	enum directive best = DIRECTIVE_NONE;
	size_t length = 0;
	const struct {
		struct hf_str start;
		enum directive kind;
	} rows[] = { { x->print_start, DIRECTIVE_PRINT }, { x->comment_start, DIRECTIVE_COMMENT },
		{ x->block_start, DIRECTIVE_BLOCK } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (rows[i].start.n > length && source_has(x, at, rows[i].start)) {
			best = rows[i].kind;
			length = rows[i].start.n;
		}
	if (best == DIRECTIVE_NONE)
		return best;
	char c = at + length < x->source.n ? x->source.p[at + length] : '\0';
	*ret_sign = c == '-' || c == '+' ? c : '\0';
	*ret_length = length + (*ret_sign != '\0');
	return best;
}

/* Text up to position to as a data token, stripped as the sign of the tag that follows says. */
static void data_push(struct lexer *x, size_t to, char sign, bool may_lstrip)
{
	struct hf_str text = { x->source.p + x->at, to - x->at };
	if (sign == '-') {
		text = hf_text_strip(text, false, true);
	} else if (sign != '+' && x->env->lstrip_blocks && may_lstrip) {
		size_t line = text.n;
		while (line > 0 && text.p[line - 1] != '\n')
			line--;
		bool blank = hf_text_strip(hf_strn(text.p + line, text.n - line), true, false).n == 0;
		if ((line > 0 || x->line_starting) && blank)
			text.n = line;
	}
	if (text.n > 0)
		token_push(x, T_DATA)->text = newlines_replaced(x->arena, text, x->newline);
	lexer_advance(x, to);
}

static void match_end(struct lexer *x, size_t at)
{
	x->line_starting = at > 0 && x->source.p[at - 1] == '\n';
	lexer_advance(x, at);
}

static int lex_raw(struct lexer *x, struct hf_error *err)
{
	for (size_t at = x->at; at < x->source.n; at++) {
		char sign = '\0';
		size_t length = raw_tag(x, at, "endraw", true, &sign);
		if (length > 0) {
			data_push(x, at, sign, true);
			match_end(x, at + length);
			return 0;
		}
	}
	if (x->at >= x->source.n) /* nothing behind it: Jinja2 lets that pass */
		return 0;
	return hf_fail_at(err, HF_E_PARSE, lexer_pos(x), "Missing end of raw directive");
}

static int lex_comment(struct lexer *x, struct hf_error *err)
{
	for (size_t at = x->at; at < x->source.n; at++) {
		size_t length = end_length(x, at, x->comment_end, true, x->env->trim_blocks);
		if (length > 0) {
			match_end(x, at + length);
			return 0;
		}
	}
	if (x->at >= x->source.n)
		return 0;
	return hf_fail_at(err, HF_E_PARSE, lexer_pos(x), "Missing end of comment tag");
}

static bool is_digit(const struct lexer *x, size_t at)
{
	return at < x->source.n && x->source.p[at] >= '0' && x->source.p[at] <= '9';
}

/* Digits with single underscores between them; 0 when there is none at position at. */
static size_t digits_length(const struct lexer *x, size_t at)
{
	size_t i = at;
	while (is_digit(x, i) || (i > at && i < x->source.n && x->source.p[i] == '_' && is_digit(x, i + 1)))
		i++;
	return i - at;
}

static size_t float_length(const struct lexer *x)
{
	size_t at = x->at, whole = digits_length(x, at);
	if (whole == 0 || (at > 0 && x->source.p[at - 1] == '.'))
		return 0;
	size_t i = at + whole;
	size_t fraction = i < x->source.n && x->source.p[i] == '.' ? digits_length(x, i + 1) : 0;
	if (fraction > 0)
		i += 1 + fraction;
	if (i < x->source.n && (x->source.p[i] == 'e' || x->source.p[i] == 'E')) {
		size_t j = i + 1;
		j += j < x->source.n && (x->source.p[j] == '+' || x->source.p[j] == '-');
		size_t exponent = digits_length(x, j);
		if (exponent > 0)
			return j + exponent - at;
	}
	return fraction > 0 ? i - at : 0;
}

static bool digit_of_base(char c, int base)
{
	if (base == 16)
		return isxdigit((unsigned char)c) != 0;
	return c >= '0' && c < '0' + base;
}

/* "0x1F" and its like at position at; 0 when it is none. */
static size_t prefixed_length(const struct lexer *x, size_t at, int *ret_base)
{
	const char *p = x->source.p;
	char letter = at + 1 < x->source.n ? (char)tolower((unsigned char)p[at + 1]) : '\0';
	int base = letter == 'x' ? 16 : letter == 'b' ? 2 : letter == 'o' ? 8 : 0;
	size_t i = at + 2;
	while (base != 0 && i < x->source.n) {
		size_t digit = i + (p[i] == '_');
		if (digit >= x->source.n || !digit_of_base(p[digit], base))
			break;
		i = digit + 1;
	}
	if (base == 0 || i == at + 2)
		return 0;
	*ret_base = base;
	return i - at;
}

static size_t integer_length(const struct lexer *x, int *ret_base)
{
	size_t at = x->at, i = at + 1;
	const char *p = x->source.p;
	if (!is_digit(x, at))
		return 0;
	*ret_base = 10;
	if (p[at] != '0')
		return digits_length(x, at);
	size_t prefixed = prefixed_length(x, at, ret_base);
	if (prefixed > 0)
		return prefixed;
	while (i < x->source.n && (p[i] == '0' || (p[i] == '_' && i + 1 < x->source.n && p[i + 1] == '0')))
		i++;
	return i - at;
}

static char *without_underscores(struct hf_arena *a, struct hf_str s, size_t *ret_n)
{
	char *p = hf_alloc(a, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '_')
			p[n++] = s.p[i];
	p[n] = '\0';
	*ret_n = n;
	return p;
}

static void number_push(struct lexer *x, size_t length, int base /* 0: float */)
{
	size_t n;
	char *digits = without_underscores(x->arena, hf_strn(x->source.p + x->at, length), &n);
	struct token *t = token_push(x, base == 0 ? T_FLOAT : T_INTEGER);
	t->text = hf_strn(digits, n);
	if (base == 0)
		t->value = hf_value_float(x->arena, strtod(digits, NULL));
	else
		t->value =
			hf_arith_parse_int(x->arena, base == 10 ? t->text : hf_strn(digits + 2, n - 2), base);
	lexer_pass(x, length);
}

static int lex_string(struct lexer *x, struct hf_error *err)
{
	char quote = x->source.p[x->at];
	bool literal = x->in_print && x->env->double_backslashes;
	size_t i = x->at + 1;
	while (i < x->source.n && x->source.p[i] != quote)
		i += x->source.p[i] == '\\' && !literal ? 2 : 1;
	if (i >= x->source.n)
		return hf_fail_at(
			err, HF_E_PARSE, lexer_pos(x), "unexpected char %c: the string has no end", quote);
	struct hf_str raw = { x->source.p + x->at + 1, i - x->at - 1 }, text = raw;
	text = newlines_replaced(x->arena, text, x->newline);
	if (!literal && memchr(text.p, '\\', text.n) != NULL) {
		int r = hf_lex_unescape(x->arena, text, lexer_pos(x), &text, err);
		if (r < 0)
			return r;
	}
	struct token *t = token_push(x, T_STRING);
	t->value = hf_value_str(x->arena, text);
	t->text = raw;
	lexer_advance(x, i + 1);
	return 0;
}

static const struct {
	const char text[3];
	enum token_kind kind;
} operators[] = {
	{ "//", T_FLOORDIV },
	{ "**", T_POW },
	{ "==", T_EQ },
	{ "!=", T_NE },
	{ ">=", T_GE },
	{ "<=", T_LE },
	{ "+", T_ADD },
	{ "-", T_SUB },
	{ "*", T_MUL },
	{ "/", T_DIV },
	{ "%", T_MOD },
	{ "~", T_TILDE },
	{ "[", T_LBRACKET },
	{ "]", T_RBRACKET },
	{ "(", T_LPAREN },
	{ ")", T_RPAREN },
	{ "{", T_LBRACE },
	{ "}", T_RBRACE },
	{ ">", T_GT },
	{ "<", T_LT },
	{ "=", T_ASSIGN },
	{ ".", T_DOT },
	{ ":", T_COLON },
	{ "|", T_PIPE },
	{ ",", T_COMMA },
	{ ";", T_SEMICOLON },
};

static int balance_check(struct lexer *x, char c, struct hf_error *err)
{
	static const char pairs[] = "()[]{}";
	const char *which = strchr(pairs, c);
	if (which == NULL || c == '\0')
		return 0;
	if ((which - pairs) % 2 == 0) {
		if (x->open == sizeof(x->balance))
			return hf_fail_at(err, HF_E_LIMIT, lexer_pos(x),
				"more than %zu brackets inside each other", sizeof(x->balance));
		x->balance[x->open++] = which[1];
		return 0;
	}
	if (x->open == 0)
		return hf_fail_at(err, HF_E_PARSE, lexer_pos(x), "unexpected '%c'", c);
	if (x->balance[--x->open] != c)
		return hf_fail_at(err, HF_E_PARSE, lexer_pos(x), "unexpected '%c', expected '%c'", c,
			x->balance[x->open]);
	return 0;
}

static int lex_operator(struct lexer *x, struct hf_error *err)
{
	for (size_t i = 0; i < HF_COUNT(operators); i++) {
		if (operators[i].text[0] != x->source.p[x->at])
			continue;
		struct hf_str text = hf_str(operators[i].text);
		if (!source_has(x, x->at, text))
			continue;
		int r = balance_check(x, text.n == 1 ? text.p[0] : '\0', err);
		if (r < 0)
			return r;
		token_push(x, operators[i].kind)->text = text;
		lexer_pass(x, text.n);
		return 0;
	}
	uint32_t point;
	size_t width = hf_utf8_decode(x->source.p + x->at, x->source.n - x->at, &point);
	return hf_fail_at(
		err, HF_E_PARSE, lexer_pos(x), "unexpected char '%.*s'", (int)width, x->source.p + x->at);
}

static int lex_name(struct lexer *x, size_t length, struct hf_error *err)
{
	struct hf_str text = { x->source.p + x->at, length };
	if (!hf_text_identifier(text))
		return hf_fail_at(err, HF_E_PARSE, lexer_pos(x), "Invalid character in identifier");
	struct token *t = token_push(x, T_NAME);
	t->text = hf_strn(hf_str_dup(x->arena, text), length);
	lexer_pass(x, length);
	return 0;
}

static int lex_code_token(struct lexer *x, struct hf_error *err)
{
	int base = 0;
	size_t length = 0;
	if (is_digit(x, x->at) && (length = float_length(x)) == 0)
		length = integer_length(x, &base);
	if (length > 0) {
		number_push(x, length, base);
		return 0;
	}
	length = hf_text_word(hf_strn(x->source.p + x->at, x->source.n - x->at));
	if (length > 0)
		return lex_name(x, length, err);
	char c = x->source.p[x->at];
	if (c == '\'' || c == '"')
		return lex_string(x, err);
	return lex_operator(x, err);
}

/* Tokens up to the end delimiter, which is not looked for inside brackets. */
static int lex_code(struct lexer *x, struct hf_str end, bool print, struct hf_error *err)
{
	x->in_print = print;
	while (x->at < x->source.n) {
		size_t length = x->open > 0 || end.n == 0
					? 0
					: end_length(x, x->at, end, !print, !print && x->env->trim_blocks);
		if (length > 0) {
			token_push(x, print ? T_PRINT_END : T_BLOCK_END);
			match_end(x, x->at + length);
			return 0;
		}
		size_t after = space_end(x, x->at);
		if (after > x->at) {
			lexer_advance(x, after);
			continue;
		}
		int r = lex_code_token(x, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Moves *at to the next directive, or to the end. */
static enum directive directive_next(
	const struct lexer *x, size_t *ret_at, size_t *ret_length, char *ret_sign)
{
	const char first[] = { x->block_start.p[0], x->print_start.p[0], x->comment_start.p[0] };
	size_t at = *ret_at;
	enum directive kind = DIRECTIVE_NONE;
	bool alike = first[0] == first[1] && first[0] == first[2]; /* as they are unless changed */
	for (; at < x->source.n && kind == DIRECTIVE_NONE; at += kind == DIRECTIVE_NONE) {
		const char *next =
			alike ? memchr(x->source.p + at, first[0], x->source.n - at) : x->source.p + at;
		at = next == NULL ? x->source.n : (size_t)(next - x->source.p);
		if (at == x->source.n)
			break;
		if (x->source.p[at] == first[0] || x->source.p[at] == first[1] || x->source.p[at] == first[2])
			kind = directive_at(x, at, ret_length, ret_sign);
	}
	*ret_at = at;
	return kind;
}

static int lex_root(struct lexer *x, struct hf_error *err)
{
	size_t at = x->at, length = 0;
	char sign = '\0';
	enum directive kind = directive_next(x, &at, &length, &sign);
	if (kind == DIRECTIVE_NONE) {
		data_push(x, x->source.n, '+', false);
		return 0;
	}
	data_push(x, at, sign, kind != DIRECTIVE_PRINT);
	if (kind == DIRECTIVE_BLOCK || kind == DIRECTIVE_PRINT)
		token_push(x, kind == DIRECTIVE_BLOCK ? T_BLOCK_BEGIN : T_PRINT_BEGIN);
	match_end(x, at + length);
	switch (kind) {
	case DIRECTIVE_RAW:
		return lex_raw(x, err);
	case DIRECTIVE_COMMENT:
		return lex_comment(x, err);
	case DIRECTIVE_BLOCK:
		return lex_code(x, x->block_end, false, err);
	case DIRECTIVE_PRINT:
		return lex_code(x, x->print_end, true, err);
	case DIRECTIVE_NONE:
		break;
	}
	return 0;
}

static struct hf_str delimiter(const char *given, const char *standard)
{
	return hf_str(given != NULL && given[0] != '\0' ? given : standard);
}

int hf_lex(struct hf_arena *a, struct hf_arena *scratch, const struct hf_template_env *env,
	struct hf_str source, const char *name, bool expression, struct tokens *ret, struct hf_error *err)
{
	if (source.n > HF_TEMPLATE_SOURCE_MAX)
		return hf_fail(err, HF_E_LIMIT, "template is larger than %d bytes", HF_TEMPLATE_SOURCE_MAX);
	struct lexer x = {
		.arena = a,
		.scratch = scratch,
		.env = env,
		.name = name,
		.line = 1,
		.line_starting = true,
		.newline = env->newline_sequence == NULL ? "\n" : env->newline_sequence,
		.block_start = delimiter(env->block_start, "{%"),
		.block_end = delimiter(env->block_end, "%}"),
		.print_start = delimiter(env->variable_start, "{{"),
		.print_end = delimiter(env->variable_end, "}}"),
		.comment_start = delimiter(env->comment_start, "{#"),
		.comment_end = delimiter(env->comment_end, "#}"),
		.source = source_normalised(a, source, env->keep_trailing_newline || expression),
	};
	struct tokens tokens = { 0 };
	x.out = &tokens;
	int r = expression ? lex_code(&x, (struct hf_str){ 0 }, true, err) : 0;
	while (r == 0 && x.at < x.source.n)
		r = lex_root(&x, err);
	if (r < 0)
		return r;
	uint32_t line = tokens.n == 0 ? 1 : tokens.at[tokens.n - 1].line;
	token_push(&x, T_EOF)->line = line; /* where the last thing began, as Jinja2 counts */
	*ret = tokens;
	return 0;
}

const char *hf_token_name(enum token_kind kind)
{
	static const char *const names[] = {
		[T_EOF] = "end of template",
		[T_DATA] = "template data",
		[T_PRINT_BEGIN] = "begin of print statement",
		[T_PRINT_END] = "end of print statement",
		[T_BLOCK_BEGIN] = "begin of statement block",
		[T_BLOCK_END] = "end of statement block",
		[T_NAME] = "name",
		[T_STRING] = "string",
		[T_INTEGER] = "integer",
		[T_FLOAT] = "float",
	};
	if ((size_t)kind < HF_COUNT(names))
		return names[kind];
	for (size_t i = 0; i < HF_COUNT(operators); i++)
		if (operators[i].kind == kind)
			return operators[i].text;
	return "token";
}
