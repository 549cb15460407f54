/* lib/template/parser_token.c - looking at tokens, failing at one, making nodes; declared in parser.h. */
#include "lib/template/parser.h"

#include <stdarg.h>
#include <stdio.h>

enum { PARSER_DEPTH_MAX = 160 };

bool hf_parse_word(const struct parser *p, const char *word)
{
	return parser_is(p, T_NAME) && hf_str_is(parser_token(p)->text, word);
}

bool hf_parse_skip(struct parser *p, enum token_kind kind)
{
	bool fits = parser_is(p, kind);
	p->at += fits;
	return fits;
}

bool hf_parse_skip_word(struct parser *p, const char *word)
{
	bool fits = hf_parse_word(p, word);
	p->at += fits;
	return fits;
}

static struct hf_pos parser_pos(const struct parser *p)
{
	return (struct hf_pos){ p->template->name, parser_token(p)->line, parser_token(p)->column };
}

int hf_parse_fail(struct parser *p, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return hf_fail_at(p->err, HF_E_PARSE, parser_pos(p), "%s", text);
}

/* How a message names the token that is there. */
const char *hf_parse_shown(const struct parser *p, char *out, size_t size)
{
	const struct token *t = parser_token(p);
	if (t->kind == T_NAME)
		snprintf(out, size, "%.*s", HF_STR_ARG(t->text));
	else
		snprintf(out, size, "%s", hf_token_name(t->kind));
	return out;
}

int hf_parse_unexpected(struct parser *p)
{
	char shown[128];
	return hf_parse_fail(p, "unexpected '%s'", hf_parse_shown(p, shown, sizeof(shown)));
}

int hf_parse_expect(struct parser *p, enum token_kind kind, struct token **ret)
{
	char shown[128];
	if (!parser_is(p, kind) && parser_is(p, T_EOF))
		return hf_parse_fail(p, "unexpected end of template, expected '%s'.", hf_token_name(kind));
	if (!parser_is(p, kind))
		return hf_parse_fail(p, "expected token '%s', got '%s'", hf_token_name(kind),
			hf_parse_shown(p, shown, sizeof(shown)));
	if (ret != NULL)
		*ret = parser_token(p);
	p->at++;
	return 0;
}

int hf_parse_expect_word(struct parser *p, const char *word)
{
	char shown[128];
	if (!hf_parse_skip_word(p, word))
		return hf_parse_fail(
			p, "expected token '%s', got '%s'", word, hf_parse_shown(p, shown, sizeof(shown)));
	return 0;
}

struct node *hf_node_new(struct hf_arena *a, enum node_kind kind, uint32_t line, uint32_t column)
{
	struct node *n = hf_new(a, struct node);
	n->kind = (uint8_t)kind;
	n->line = line;
	n->column = column > UINT16_MAX ? UINT16_MAX : (uint16_t)column;
	return n;
}

struct node *hf_parse_node(struct parser *p, enum node_kind kind, const struct token *where)
{
	return hf_node_new(p->arena, kind, where->line, where->column);
}

int hf_parse_above(struct parser *p, struct node *n, const struct node *below)
{
	if (below == NULL || n->height > below->height)
		return 0;
	if (below->height >= HF_NODE_HEIGHT_MAX)
		return hf_fail_at(p->err, HF_E_LIMIT, parser_pos(p),
			"more than %d operations inside each other", HF_NODE_HEIGHT_MAX);
	n->height = (uint16_t)(below->height + 1);
	return 0;
}

int hf_parse_enter(struct parser *p)
{
	if (++p->depth > PARSER_DEPTH_MAX)
		return hf_fail_at(
			p->err, HF_E_LIMIT, parser_pos(p), "nested deeper than %d", PARSER_DEPTH_MAX);
	return 0;
}
