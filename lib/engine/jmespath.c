/* lib/engine/jmespath.c - text to tree: a scanner and a parser by binding power; see jmespath.h. */
#include <ctype.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/engine/jmespath_internal.h"

enum token {
	T_END,
	T_NAME,
	T_QUOTED,
	T_LITERAL,
	T_NUMBER,
	T_CLOSE_BRACKET,
	T_CLOSE_PAREN,
	T_CLOSE_BRACE,
	T_COMMA,
	T_COLON,
	T_CURRENT,
	T_EXPRESSION,
	T_PIPE,
	T_OR,
	T_AND,
	T_COMPARE,
	T_FLATTEN,
	T_STAR,
	T_FILTER,
	T_DOT,
	T_NOT,
	T_OPEN_BRACE,
	T_OPEN_BRACKET,
	T_OPEN_PAREN,
};

static const unsigned char power[] = { [T_PIPE] = 1,
	[T_OR] = 2,
	[T_AND] = 3,
	[T_COMPARE] = 5,
	[T_FLATTEN] = 9,
	[T_STAR] = 20,
	[T_FILTER] = 21,
	[T_DOT] = 40,
	[T_NOT] = 45,
	[T_OPEN_BRACE] = 50,
	[T_OPEN_BRACKET] = 55,
	[T_OPEN_PAREN] = 60 };
enum { POWER_PROJECTION_STOP = 10 };

struct parser {
	struct hf_arena *arena;
	const char *p, *end, *start;
	enum token token;       /* the one ahead */
	struct hf_str name;     /* of NAME, QUOTED */
	struct hf_value *value; /* of LITERAL, NUMBER */
	enum jmespath_compare compare;
	int depth;
	struct hf_error *err;
};

static int parse_fail(const struct parser *p, const char *what)
{
	return hf_fail(p->err, HF_E_TEMPLATE, "JMESPath \"%.*s\": %s at column %zu", (int)(p->end - p->start),
		p->start, what, (size_t)(p->p - p->start));
}

/* --- scanner --- */

/* From behind the quote to the closing one, escapes of it undone when raw. */
static int quoted_text(struct parser *p, char quote, struct hf_str *ret)
{
	hf_auto_buf out = hf_buf_init((size_t)(p->end - p->p) + 1);
	for (; p->p < p->end && *p->p != quote; p->p++) {
		if (*p->p == '\\' && p->p + 1 < p->end && (p->p[1] == quote || quote == '"')) {
			if (quote == '"' || p->p[1] != quote)
				hf_buf_put(&out, '\\');
			p->p++;
		}
		hf_buf_put(&out, *p->p);
	}
	if (p->p == p->end)
		return parse_fail(p, "a quote that is not closed");
	p->p++;
	*ret = out.n == 0 ? HF_STR("") : hf_buf_dup(p->arena, &out);
	return 0;
}

static int literal_scan(struct parser *p)
{
	struct hf_str text;
	int r = quoted_text(p, '`', &text);
	if (r < 0)
		return r;
	p->token = T_LITERAL;
	if (hf_json_loads(p->arena, text, &p->value, NULL) == 0)
		return 0;
	while (text.n > 0 && isspace((unsigned char)*text.p)) /* what is no JSON is a string */
		text = hf_strn(text.p + 1, text.n - 1);
	p->value = hf_value_str(p->arena, text);
	return 0;
}

static int quoted_name(struct parser *p)
{
	struct hf_str text;
	int r = quoted_text(p, '"', &text);
	if (r < 0)
		return r;
	struct hf_value *v = NULL;
	r = hf_json_loads(p->arena, hf_str(hf_sprintf(p->arena, "\"%s\"", text.p)), &v, NULL);
	if (r < 0)
		return parse_fail(p, "a bad escape");
	p->token = T_QUOTED;
	p->name = v->u.string;
	return 0;
}

static void word_scan(struct parser *p)
{
	const char *from = p->p;
	if (isdigit((unsigned char)*p->p) || *p->p == '-') {
		for (p->p++; p->p < p->end && isdigit((unsigned char)*p->p);)
			p->p++;
		p->token = T_NUMBER;
		p->value = hf_value_int(p->arena, strtoll(from, NULL, 10));
		return;
	}
	while (p->p < p->end && (isalnum((unsigned char)*p->p) || *p->p == '_'))
		p->p++;
	p->token = T_NAME;
	p->name = hf_strn(from, (size_t)(p->p - from));
}

static const struct {
	const char *text;
	enum token token;
	enum jmespath_compare compare;
} symbols[] = { { "[?", T_FILTER, 0 }, { "[]", T_FLATTEN, 0 }, { "[", T_OPEN_BRACKET, 0 },
	{ "]", T_CLOSE_BRACKET, 0 }, { "(", T_OPEN_PAREN, 0 }, { ")", T_CLOSE_PAREN, 0 },
	{ "{", T_OPEN_BRACE, 0 }, { "}", T_CLOSE_BRACE, 0 }, { ",", T_COMMA, 0 }, { ":", T_COLON, 0 },
	{ "@", T_CURRENT, 0 }, { "&&", T_AND, 0 }, { "&", T_EXPRESSION, 0 }, { "||", T_OR, 0 },
	{ "|", T_PIPE, 0 }, { "==", T_COMPARE, JMES_EQ }, { "!=", T_COMPARE, JMES_NE },
	{ "<=", T_COMPARE, JMES_LE }, { "<", T_COMPARE, JMES_LT }, { ">=", T_COMPARE, JMES_GE },
	{ ">", T_COMPARE, JMES_GT }, { "!", T_NOT, 0 }, { ".", T_DOT, 0 }, { "*", T_STAR, 0 } };

static int raw_string(struct parser *p)
{
	struct hf_str text;
	int r = quoted_text(p, '\'', &text);
	p->token = T_LITERAL;
	p->value = r < 0 ? NULL : hf_value_str(p->arena, text);
	return r;
}

static int symbol_scan(struct parser *p)
{
	for (size_t i = 0; i < HF_COUNT(symbols); i++) {
		size_t n = strlen(symbols[i].text);
		if ((size_t)(p->end - p->p) >= n && memcmp(p->p, symbols[i].text, n) == 0) {
			p->p += n;
			p->token = symbols[i].token;
			p->compare = symbols[i].compare;
			return 0;
		}
	}
	return parse_fail(p, "an unknown character");
}

static int advance(struct parser *p)
{
	while (p->p < p->end && isspace((unsigned char)*p->p))
		p->p++;
	p->token = T_END;
	if (p->p == p->end)
		return 0;
	char c = *p->p;
	if (isalnum((unsigned char)c) || c == '_' ||
		(c == '-' && p->p + 1 < p->end && isdigit((unsigned char)p->p[1]))) {
		word_scan(p);
		return 0;
	}
	if (c == '`' || c == '"' || c == '\'') {
		p->p++;
		if (c == '`')
			return literal_scan(p);
		return c == '"' ? quoted_name(p) : raw_string(p);
	}
	return symbol_scan(p);
}

static int expect(struct parser *p, enum token token, const char *what)
{
	return p->token == token ? advance(p) : parse_fail(p, what);
}

/* --- parser --- */

static int expression(struct parser *p, unsigned least, struct jmespath_node **ret);

static struct jmespath_node *node(struct parser *p, enum jmespath_kind kind, struct jmespath_node *left)
{
	struct jmespath_node *n = hf_new(p->arena, struct jmespath_node);
	n->kind = kind;
	n->left = left;
	return n;
}

/* [a, b]; the bracket is read. */
static int list_select(struct parser *p, struct jmespath_node **ret)
{
	struct jmespath_node *list = node(p, JMES_LIST, NULL), *item = NULL;
	for (;;) {
		int r = expression(p, 0, &item);
		if (r < 0)
			return r;
		*hf_vec_push(p->arena, &list->items) = item;
		if (p->token != T_COMMA)
			break;
		r = advance(p);
		if (r < 0)
			return r;
	}
	*ret = list;
	return expect(p, T_CLOSE_BRACKET, "a missing ]");
}

/* {a: x, b: y}; the brace is read. */
static int hash_select(struct parser *p, struct jmespath_node **ret)
{
	struct jmespath_node *hash = node(p, JMES_HASH, NULL), *item = NULL;
	for (;;) {
		if (p->token != T_NAME && p->token != T_QUOTED)
			return parse_fail(p, "a key expected");
		*hf_vec_push(p->arena, &hash->keys) = hf_value_str(p->arena, p->name);
		int r = advance(p);
		if (r == 0)
			r = expect(p, T_COLON, "a missing :");
		if (r == 0)
			r = expression(p, 0, &item);
		if (r < 0)
			return r;
		*hf_vec_push(p->arena, &hash->items) = item;
		if (p->token != T_COMMA)
			break;
		r = advance(p);
		if (r < 0)
			return r;
	}
	*ret = hash;
	return expect(p, T_CLOSE_BRACE, "a missing }");
}

static int behind_dot(struct parser *p, unsigned least, struct jmespath_node **ret)
{
	int r;
	if (p->token == T_NAME || p->token == T_QUOTED || p->token == T_STAR)
		return expression(p, least, ret);
	if (p->token == T_OPEN_BRACKET)
		return (r = advance(p)) < 0 ? r : list_select(p, ret);
	if (p->token == T_OPEN_BRACE)
		return (r = advance(p)) < 0 ? r : hash_select(p, ret);
	return parse_fail(p, "a name, *, [ or { expected behind the dot");
}

/* What is applied to every item of a projection. */
static int projected(struct parser *p, unsigned least, struct jmespath_node **ret)
{
	*ret = node(p, JMES_IDENTITY, NULL);
	if (power[p->token] < POWER_PROJECTION_STOP)
		return 0;
	if (p->token == T_OPEN_BRACKET || p->token == T_FILTER)
		return expression(p, least, ret);
	if (p->token != T_DOT)
		return parse_fail(p, "something unexpected");
	int r = advance(p);
	return r < 0 ? r : behind_dot(p, least, ret);
}

static int project(struct parser *p, enum jmespath_kind kind, struct jmespath_node *left, unsigned least,
	struct jmespath_node **ret)
{
	struct jmespath_node *n = node(p, kind, left);
	int r = projected(p, least, &n->right);
	*ret = n;
	return r;
}

/* [3], [1:2:3]; the bracket is read, a number or a colon is ahead. */
static int index_read(struct parser *p, struct jmespath_node *left, struct jmespath_node **ret)
{
	struct jmespath_node *n = node(p, JMES_INDEX, NULL);
	int part = 0, r = 0;
	while (r == 0 && p->token != T_CLOSE_BRACKET) {
		if (p->token == T_COLON && part < 2) {
			n->kind = JMES_SLICE;
			part++;
		} else if (p->token == T_NUMBER && !n->given[part]) {
			n->number[part] = p->value->u.integer;
			n->given[part] = true;
		} else {
			return parse_fail(p, "a bad index or slice");
		}
		r = advance(p);
	}
	if (r == 0)
		r = advance(p);
	if (r < 0)
		return r;
	struct jmespath_node *sub = node(p, JMES_SUB, left);
	sub->right = n;
	*ret = sub;
	return n->kind == JMES_SLICE ? project(p, JMES_PROJECT, sub, power[T_STAR], ret) : 0;
}

static int bracket(struct parser *p, struct jmespath_node *left, bool leading, struct jmespath_node **ret)
{
	int r = advance(p);
	if (r < 0)
		return r;
	if (p->token == T_NUMBER || p->token == T_COLON)
		return index_read(p, left, ret);
	if (p->token == T_STAR && p->p < p->end && *p->p == ']') {
		r = advance(p);
		if (r == 0)
			r = advance(p);
		return r < 0 ? r : project(p, JMES_PROJECT, left, power[T_STAR], ret);
	}
	return leading ? list_select(p, ret) : parse_fail(p, "a bad index");
}

static int filter(struct parser *p, struct jmespath_node *left, struct jmespath_node **ret)
{
	struct jmespath_node *n = node(p, JMES_FILTER, left);
	int r = advance(p);
	if (r == 0)
		r = expression(p, 0, &n->condition);
	if (r == 0)
		r = expect(p, T_CLOSE_BRACKET, "a missing ]");
	if (r == 0 && p->token == T_FLATTEN)
		n->right = node(p, JMES_IDENTITY, NULL);
	else if (r == 0)
		r = projected(p, power[T_FILTER], &n->right);
	*ret = n;
	return r;
}

static int call_read(struct parser *p, struct jmespath_node *left, struct jmespath_node **ret)
{
	struct jmespath_node *n = node(p, JMES_CALL, NULL), *item = NULL;
	if (left->kind != JMES_FIELD)
		return parse_fail(p, "only names can be called");
	n->name = left->name;
	int r = advance(p);
	while (r == 0 && p->token != T_CLOSE_PAREN) {
		r = expression(p, 0, &item);
		if (r < 0)
			return r;
		*hf_vec_push(p->arena, &n->items) = item;
		if (p->token == T_COMMA)
			r = advance(p);
		else if (p->token != T_CLOSE_PAREN)
			return parse_fail(p, "a missing )");
	}
	*ret = n;
	return r < 0 ? r : advance(p);
}

/* What an expression starts with. */
static int prefix(struct parser *p, struct jmespath_node **ret)
{
	struct jmespath_node *identity = node(p, JMES_IDENTITY, NULL), *n;
	enum token token = p->token;
	int r;
	switch (token) {
	case T_NAME:
	case T_QUOTED:
		n = node(p, JMES_FIELD, NULL);
		n->name = p->name;
		*ret = n;
		r = advance(p);
		return r == 0 && token == T_QUOTED && p->token == T_OPEN_PAREN
			       ? parse_fail(p, "a quoted function name")
			       : r;
	case T_LITERAL:
		n = node(p, JMES_LITERAL, NULL);
		n->literal = p->value;
		*ret = n;
		return advance(p);
	case T_CURRENT:
		*ret = identity;
		return advance(p);
	case T_STAR:
		r = advance(p);
		return r < 0 ? r : project(p, JMES_PROJECT_VALUES, identity, power[T_STAR], ret);
	case T_FLATTEN:
		r = advance(p);
		return r < 0 ? r
			     : project(p, JMES_PROJECT, node(p, JMES_FLATTEN, identity), power[T_FLATTEN],
				       ret);
	case T_FILTER:
		return filter(p, identity, ret);
	case T_OPEN_BRACKET:
		return bracket(p, identity, true, ret);
	case T_OPEN_BRACE:
		r = advance(p);
		return r < 0 ? r : hash_select(p, ret);
	case T_OPEN_PAREN:
		r = advance(p);
		if (r == 0)
			r = expression(p, 0, ret);
		return r < 0 ? r : expect(p, T_CLOSE_PAREN, "a missing )");
	case T_NOT:
	case T_EXPRESSION:
		*ret = n = node(p, token == T_NOT ? JMES_NOT : JMES_EXPRESSION, NULL);
		r = advance(p);
		return r < 0 ? r
			     : expression(p, token == T_NOT ? power[T_NOT] : power[T_OPEN_PAREN], &n->left);
	default:
		return parse_fail(
			p, token == T_END ? "an expression that ends too early" : "something unexpected");
	}
}

static int binary(
	struct parser *p, enum jmespath_kind kind, struct jmespath_node *left, struct jmespath_node **ret)
{
	struct jmespath_node *n = node(p, kind, left);
	unsigned least = power[p->token];
	n->compare = p->compare;
	int r = advance(p);
	*ret = n;
	return r < 0 ? r : expression(p, least, &n->right);
}

/* What goes on behind a whole expression. */
static int infix(struct parser *p, struct jmespath_node *left, struct jmespath_node **ret)
{
	int r;
	switch (p->token) {
	case T_PIPE:
		return binary(p, JMES_PIPE, left, ret);
	case T_OR:
		return binary(p, JMES_OR, left, ret);
	case T_AND:
		return binary(p, JMES_AND, left, ret);
	case T_COMPARE:
		return binary(p, JMES_COMPARE, left, ret);
	case T_OPEN_PAREN:
		return call_read(p, left, ret);
	case T_FILTER:
		return filter(p, left, ret);
	case T_OPEN_BRACKET:
		return bracket(p, left, false, ret);
	case T_FLATTEN:
		r = advance(p);
		return r < 0 ? r
			     : project(p, JMES_PROJECT, node(p, JMES_FLATTEN, left), power[T_FLATTEN], ret);
	case T_DOT:
		r = advance(p);
		if (r == 0 && p->token == T_STAR) {
			r = advance(p);
			return r < 0 ? r : project(p, JMES_PROJECT_VALUES, left, power[T_STAR], ret);
		}
		*ret = node(p, JMES_SUB, left);
		return r < 0 ? r : behind_dot(p, power[T_DOT], &(*ret)->right);
	default:
		return parse_fail(p, "something unexpected");
	}
}

static int expression(struct parser *p, unsigned least, struct jmespath_node **ret)
{
	if (++p->depth > HF_JMESPATH_DEPTH_MAX)
		return hf_fail(p->err, HF_E_LIMIT, "JMESPath nested deeper than %d", HF_JMESPATH_DEPTH_MAX);
	int r = prefix(p, ret);
	while (r == 0 && least < power[p->token])
		r = infix(p, *ret, ret);
	p->depth--;
	return r;
}

int hf_jmespath_compile(
	struct hf_arena *a, struct hf_str text, struct jmespath_node **ret, struct hf_error *err)
{
	if (text.n > HF_JMESPATH_SIZE_MAX)
		return hf_fail(err, HF_E_LIMIT, "JMESPath longer than %d bytes", HF_JMESPATH_SIZE_MAX);
	const char *copy = hf_str_dup(a, text);
	struct parser p = { .arena = a, .p = copy, .start = copy, .end = copy + text.n, .err = err };
	struct jmespath_node *n = NULL;
	int r = advance(&p);
	if (r == 0)
		r = expression(&p, 0, &n);
	if (r == 0 && p.token != T_END)
		r = parse_fail(&p, "something unexpected");
	if (r == 0)
		*ret = n;
	return r;
}
