/* lib/template/lexer.h - template text into tokens: delimiters, white space control, literals. Private to
 * lib/template. Fails: HF_E_PARSE at line and column. */
#pragma once
#include "lib/template/template.h"

enum token_kind {
	T_EOF,
	T_DATA,
	T_PRINT_BEGIN,
	T_PRINT_END,
	T_BLOCK_BEGIN,
	T_BLOCK_END,
	T_NAME,
	T_STRING,
	T_INTEGER,
	T_FLOAT,
	T_ADD,
	T_SUB,
	T_MUL,
	T_DIV,
	T_FLOORDIV,
	T_MOD,
	T_POW,
	T_TILDE,
	T_LBRACKET,
	T_RBRACKET,
	T_LPAREN,
	T_RPAREN,
	T_LBRACE,
	T_RBRACE,
	T_EQ,
	T_NE,
	T_GT,
	T_GE,
	T_LT,
	T_LE,
	T_ASSIGN,
	T_DOT,
	T_COLON,
	T_PIPE,
	T_COMMA,
	T_SEMICOLON,
};

struct token {
	enum token_kind kind;
	uint32_t line, column;
	struct hf_str text;     /* data, names, operators as written; terminated for names */
	struct hf_value *value; /* of literals */
};

struct tokens {
	struct token *at;
	size_t n, room;
};

/* The last token is T_EOF. expression: the whole source stands between delimiters. The tokens live in
 * scratch, the texts and values they name in a. */
HF_CHECK int hf_lex(struct hf_arena *a, struct hf_arena *scratch, const struct hf_template_env *env,
	struct hf_str source, const char *name, bool expression, struct tokens *ret, struct hf_error *err);
/* "print end", "name", "'+'" … for messages. */
const char *hf_token_name(enum token_kind kind);
/* The text between the quotes with Python's escapes resolved. */
HF_CHECK int hf_lex_unescape(
	struct hf_arena *a, struct hf_str raw, struct hf_pos pos, struct hf_str *ret, struct hf_error *err);
