/* lib/template/parser.h - tokens into a tree: expressions in parser.c, statements in statements.c. Private.
 * Fails: HF_E_PARSE at the token that does not fit; HF_E_LIMIT when things are nested too deep. */
#pragma once
#include "lib/template/lexer.h"
#include "lib/template/tree.h"

struct parser {
	struct hf_arena *arena;
	const struct hf_template_env *env;
	struct hf_template *template;
	struct token *tokens;
	size_t at;
	unsigned depth; /* of the recursion in progress */
	unsigned loops; /* for loops around, in which break and continue make sense */
	bool in_block;  /* blocks do not hold extends */
	struct hf_error *err;
};

static inline struct token *parser_token(const struct parser *p)
{
	return &p->tokens[p->at];
}
static inline bool parser_is(const struct parser *p, enum token_kind kind)
{
	return p->tokens[p->at].kind == kind;
}
/* The current token is this word. */
bool hf_parse_word(const struct parser *p, const char *word);
/* Move behind the token if it is of that kind, or that word. */
bool hf_parse_skip(struct parser *p, enum token_kind kind);
bool hf_parse_skip_word(struct parser *p, const char *word);
HF_CHECK int hf_parse_expect(struct parser *p, enum token_kind kind, struct token **ret);
HF_CHECK int hf_parse_expect_word(struct parser *p, const char *word);
/* HF_E_PARSE at the current token. */
int hf_parse_fail(struct parser *p, const char *format, ...) HF_PRINTF(2, 3);
int hf_parse_unexpected(struct parser *p);
/* How a message names the current token. */
const char *hf_parse_shown(const struct parser *p, char *out, size_t size);
struct node *hf_parse_node(struct parser *p, enum node_kind kind, const struct token *where);
/* Takes over the height of what is below; HF_E_LIMIT when it is too deep. */
HF_CHECK int hf_parse_above(struct parser *p, struct node *n, const struct node *below);
/* Guard around each recursion; every successful enter has its leave. */
HF_CHECK int hf_parse_enter(struct parser *p);

enum tuple_flags {
	TUPLE_SIMPLE = 1 << 0,       /* items are primary expressions: targets */
	TUPLE_NO_CONDITION = 1 << 1, /* no inline if */
	TUPLE_IN_PARENTHESES = 1 << 2,
	TUPLE_NAMESPACE = 1 << 3, /* ns.name is an item */
};
HF_CHECK int hf_parse_expression(struct parser *p, bool with_condition, struct node **ret);
/* end_word: a word that ends the tuple, or NULL. */
HF_CHECK int hf_parse_tuple(struct parser *p, unsigned flags, const char *end_word, struct node **ret);
/* Filters in a row applied to *target (NULL in filter blocks); inline: the first has no '|' in front. */
HF_CHECK int hf_parse_filters(struct parser *p, struct node *target, bool start_inline, struct node **ret);
HF_CHECK int hf_parse_template(struct parser *p);
