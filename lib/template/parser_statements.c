#include "lib/template/parser.h"

static int parse_body(struct parser *p, struct node *above, const char *const *ends, struct nodes *ret);
static int parse_nodes(struct parser *p, struct node *above, const char *const *ends, struct nodes *ret);

static int node_add(struct parser *p, struct node *above, struct nodes *list, struct node *item)
{
	*hf_vec_push(p->arena, list) = item;
	return above == NULL ? 0 : hf_parse_above(p, above, item);
}

/* A name, without constants. */
static int target_name(struct parser *p, struct node **ret)
{
	struct token *t;
	int r = hf_parse_expect(p, T_NAME, &t);
	if (r < 0)
		return r;
	static const char *const constants[] = { "true", "True", "false", "False", "none", "None" };
	for (size_t i = 0; i < HF_COUNT(constants); i++)
		if (hf_str_is(t->text, constants[i])) {
			p->at--;
			return hf_parse_fail(p, "can't assign to '%s'", constants[i]);
		}
	*ret = hf_parse_node(p, N_NAME, t);
	(*ret)->u.name.key = hf_value_borrow(p->arena, t->text);
	return 0;
}

static bool assignable(const struct node *n)
{
	if (n->kind == N_NAME || n->kind == N_NAMESPACE_TARGET)
		return true;
	if (n->kind != N_TUPLE)
		return false;
	for (size_t i = 0; i < n->u.list.n; i++)
		if (!assignable(n->u.list.at[i]))
			return false;
	return true;
}

static int parse_target(struct parser *p, unsigned flags, const char *end_word, struct node **ret)
{
	size_t start = p->at;
	int r = hf_parse_tuple(p, flags | TUPLE_SIMPLE, end_word, ret);
	if (r < 0 || assignable(*ret))
		return r;
	p->at = start;
	return hf_parse_fail(p, "can't assign to this expression");
}

static int parse_set(struct parser *p, struct node **ret)
{
	struct node *n = hf_parse_node(p, N_SET, parser_token(p));
	p->at++;
	int r = parse_target(p, TUPLE_NAMESPACE, NULL, &n->u.assign.target);
	if (r < 0)
		return r;
	*ret = n;
	if (hf_parse_skip(p, T_ASSIGN)) {
		r = hf_parse_tuple(p, 0, NULL, &n->u.assign.value);
		return r < 0 ? r : hf_parse_above(p, n, n->u.assign.value);
	}
	static const char *const ends[] = { "endset", NULL };
	n->kind = N_SET_BLOCK;
	r = hf_parse_filters(p, NULL, false, &n->u.assign.value);
	if (r == 0)
		r = parse_body(p, n, ends, &n->u.assign.body);
	p->at++;
	return r;
}

static int parse_for(struct parser *p, struct node **ret)
{
	static const char *const ends[] = { "endfor", "else", NULL }, *const else_ends[] = { "endfor", NULL };
	struct node *n = hf_parse_node(p, N_FOR, parser_token(p));
	p->at++;
	*ret = n;
	int r = parse_target(p, 0, "in", &n->u.loop.target);
	if (r == 0)
		r = hf_parse_expect_word(p, "in");
	if (r == 0)
		r = hf_parse_tuple(p, TUPLE_NO_CONDITION, "recursive", &n->u.loop.iterable);
	if (r == 0)
		r = hf_parse_above(p, n, n->u.loop.iterable);
	if (r == 0 && hf_parse_skip_word(p, "if")) {
		r = hf_parse_expression(p, true, &n->u.loop.test);
		if (r == 0)
			r = hf_parse_above(p, n, n->u.loop.test);
	}
	if (r < 0)
		return r;
	n->u.loop.recursive = hf_parse_skip_word(p, "recursive");
	p->loops++;
	r = parse_body(p, n, ends, &n->u.loop.body);
	p->loops--;
	if (r < 0)
		return r;
	bool has_else = hf_parse_word(p, "else");
	p->at++;
	if (has_else) {
		r = parse_body(p, n, else_ends, &n->u.loop.otherwise);
		p->at++;
	}
	return r;
}

static int parse_if(struct parser *p, struct node **ret)
{
	static const char *const ends[] = { "elif", "else", "endif", NULL }, *const else_ends[] = { "endif",
		NULL };
	struct node *n = hf_parse_node(p, N_IF, parser_token(p));
	*ret = n;
	int r = 0;
	while (r == 0) {
		bool is_else = hf_parse_word(p, "else"), is_end = hf_parse_word(p, "endif");
		p->at++;
		if (is_end)
			return 0;
		struct branch *b = hf_vec_push(p->arena, &n->u.branches);
		if (!is_else) {
			r = hf_parse_tuple(p, TUPLE_NO_CONDITION, NULL, &b->test);
			if (r == 0)
				r = hf_parse_above(p, n, b->test);
		}
		if (r == 0)
			r = parse_body(p, n, is_else ? else_ends : ends,
				&n->u.branches.at[n->u.branches.n - 1].body);
	}
	return r;
}

static int parse_with(struct parser *p, struct node **ret)
{
	static const char *const ends[] = { "endwith", NULL };
	struct node *n = hf_parse_node(p, N_WITH, parser_token(p));
	p->at++;
	*ret = n;
	while (!parser_is(p, T_BLOCK_END)) {
		struct node *target, *value;
		int r = n->u.with.targets.n > 0 ? hf_parse_expect(p, T_COMMA, NULL) : 0;
		if (r == 0)
			r = parse_target(p, 0, NULL, &target);
		if (r == 0)
			r = hf_parse_expect(p, T_ASSIGN, NULL);
		if (r == 0)
			r = hf_parse_expression(p, true, &value);
		if (r == 0)
			r = node_add(p, n, &n->u.with.targets, target);
		if (r == 0)
			r = node_add(p, n, &n->u.with.values, value);
		if (r < 0)
			return r;
	}
	int r = parse_body(p, n, ends, &n->u.with.body);
	p->at++;
	return r;
}

static int parse_signature(struct parser *p, struct node *n)
{
	struct macro_node *m = &n->u.macro;
	int r = hf_parse_expect(p, T_LPAREN, NULL);
	while (r == 0 && !parser_is(p, T_RPAREN)) {
		struct node *param, *value;
		if (m->params.n > 0)
			r = hf_parse_expect(p, T_COMMA, NULL);
		if (r == 0)
			r = target_name(p, &param);
		if (r < 0)
			return r;
		*hf_vec_push(p->arena, &m->params) = param;
		if (hf_parse_skip(p, T_ASSIGN)) {
			r = hf_parse_expression(p, true, &value);
			if (r == 0)
				r = node_add(p, n, &m->defaults, value);
		} else if (m->defaults.n > 0) {
			return hf_parse_fail(p, "non-default argument follows default argument");
		}
	}
	return r < 0 ? r : hf_parse_expect(p, T_RPAREN, NULL);
}

/* Bodies that are functions of their own do not see the loop around them. */
static int parse_function_body(struct parser *p, struct node *n, const char *const *ends, struct nodes *ret)
{
	unsigned loops = p->loops;
	p->loops = 0;
	int r = parse_body(p, n, ends, ret);
	p->loops = loops;
	p->at++;
	return r;
}

static int parse_macro(struct parser *p, struct node **ret)
{
	static const char *const ends[] = { "endmacro", NULL };
	struct node *n = hf_parse_node(p, N_MACRO, parser_token(p));
	p->at++;
	*ret = n;
	int r = target_name(p, &n->u.macro.target);
	if (r < 0)
		return r;
	n->u.macro.name = n->u.macro.target->u.name.key;
	r = parse_signature(p, n);
	return r < 0 ? r : parse_function_body(p, n, ends, &n->u.macro.body);
}

static int parse_call_block(struct parser *p, struct node **ret)
{
	static const char *const ends[] = { "endcall", NULL };
	struct node *n = hf_parse_node(p, N_CALL_BLOCK, parser_token(p));
	p->at++;
	*ret = n;
	n->u.macro.name = hf_value_cstr(p->arena, "caller");
	int r = parser_is(p, T_LPAREN) ? parse_signature(p, n) : 0;
	if (r == 0)
		r = hf_parse_expression(p, true, &n->u.macro.call);
	if (r < 0)
		return r;
	if (n->u.macro.call->kind != N_CALL)
		return hf_parse_fail(p, "expected call");
	r = hf_parse_above(p, n, n->u.macro.call);
	return r < 0 ? r : parse_function_body(p, n, ends, &n->u.macro.body);
}

static int parse_filter_block(struct parser *p, struct node **ret)
{
	static const char *const ends[] = { "endfilter", NULL };
	struct node *n = hf_parse_node(p, N_FILTER_BLOCK, parser_token(p));
	p->at++;
	*ret = n;
	int r = hf_parse_filters(p, NULL, true, &n->u.scoped.expression);
	if (r == 0)
		r = parse_body(p, n, ends, &n->u.scoped.body);
	p->at++;
	return r;
}

static int parse_autoescape(struct parser *p, struct node **ret)
{
	static const char *const ends[] = { "endautoescape", NULL };
	struct node *n = hf_parse_node(p, N_AUTOESCAPE, parser_token(p));
	p->at++;
	*ret = n;
	int r = hf_parse_expression(p, true, &n->u.scoped.expression);
	if (r == 0)
		r = parse_body(p, n, ends, &n->u.scoped.body);
	p->at++;
	return r;
}

static bool only_white_space(const struct nodes *body)
{
	for (size_t i = 0; i < body->n; i++)
		if (body->at[i]->kind != N_TEXT || hf_str_trim(body->at[i]->u.text).n > 0)
			return false;
	return true;
}

static int parse_block(struct parser *p, struct node **ret)
{
	static const char *const ends[] = { "endblock", NULL };
	struct node *n = hf_parse_node(p, N_BLOCK, parser_token(p));
	p->at++;
	*ret = n;
	struct token *name;
	int r = hf_parse_expect(p, T_NAME, &name);
	if (r < 0)
		return r;
	n->u.block.name = hf_value_borrow(p->arena, name->text);
	n->u.block.scoped = hf_parse_skip_word(p, "scoped");
	n->u.block.required = hf_parse_skip_word(p, "required");
	if (parser_is(p, T_SUB))
		return hf_parse_fail(p,
			"Block names in Jinja have to be valid Python identifiers and may not contain "
			"hyphens, use an underscore instead.");
	for (size_t i = 0; i < p->template->blocks.n; i++)
		if (hf_value_equal(p->template->blocks.at[i]->u.block.name, n->u.block.name))
			return hf_parse_fail(p, "block '%.*s' defined twice", HF_STR_ARG(name->text));
	*hf_vec_push(p->arena, &p->template->blocks) = n;
	r = parse_function_body(p, n, ends, &n->u.block.body);
	if (r < 0)
		return r;
	if (n->u.block.required && !only_white_space(&n->u.block.body))
		return hf_parse_fail(p, "Required blocks can only contain comments or whitespace");
	hf_parse_skip_word(p, n->u.block.name->u.string.p);
	return 0;
}

static int parse_extends(struct parser *p, struct node **ret)
{
	*ret = hf_parse_node(p, N_EXTENDS, parser_token(p));
	p->at++;
	return hf_parse_expression(p, true, &(*ret)->u.print);
}

/* "with context", "without context"; false when neither stands here. */
static bool context_words(struct parser *p, bool *ret_with)
{
	bool with = hf_parse_word(p, "with");
	const struct token *next = &p->tokens[p->at + (parser_token(p)->kind != T_EOF)];
	if ((!with && !hf_parse_word(p, "without")) || next->kind != T_NAME ||
		!hf_str_is(next->text, "context"))
		return false;
	p->at += 2;
	*ret_with = with;
	return true;
}

static int parse_include(struct parser *p, struct node **ret)
{
	struct node *n = hf_parse_node(p, N_INCLUDE, parser_token(p));
	p->at++;
	*ret = n;
	int r = hf_parse_expression(p, true, &n->u.include.name);
	if (r < 0)
		return r;
	if (hf_parse_word(p, "ignore") && p->tokens[p->at + 1].kind == T_NAME &&
		hf_str_is(p->tokens[p->at + 1].text, "missing")) {
		n->u.include.ignore_missing = true;
		p->at += 2;
	}
	n->u.include.with_context = true;
	context_words(p, &n->u.include.with_context);
	return hf_parse_above(p, n, n->u.include.name);
}

static int parse_import(struct parser *p, struct node **ret)
{
	struct node *n = hf_parse_node(p, N_IMPORT, parser_token(p));
	p->at++;
	*ret = n;
	int r = hf_parse_expression(p, true, &n->u.include.name);
	if (r == 0)
		r = hf_parse_expect_word(p, "as");
	if (r == 0)
		r = target_name(p, &n->u.include.target);
	if (r < 0)
		return r;
	context_words(p, &n->u.include.with_context);
	return hf_parse_above(p, n, n->u.include.name);
}

static int parse_import_name(struct parser *p, struct include_node *from)
{
	from->names =
		hf_vec_grow(p->arena, from->names, &from->n_names, &from->names_room, sizeof(*from->names));
	struct import_name *name = &from->names[from->n_names - 1];
	int r = target_name(p, &name->target);
	if (r < 0)
		return r;
	name->name = name->target->u.name.key;
	if (name->name->u.string.p[0] == '_') {
		p->at--;
		return hf_parse_fail(p, "names starting with an underline can not be imported");
	}
	return hf_parse_skip_word(p, "as") ? target_name(p, &name->target) : 0;
}

static int parse_from(struct parser *p, struct node **ret)
{
	struct node *n = hf_parse_node(p, N_FROM, parser_token(p));
	p->at++;
	*ret = n;
	int r = hf_parse_expression(p, true, &n->u.include.name);
	if (r == 0)
		r = hf_parse_expect_word(p, "import");
	while (r == 0) {
		if (n->u.include.n_names > 0)
			r = hf_parse_expect(p, T_COMMA, NULL);
		if (r < 0 || context_words(p, &n->u.include.with_context))
			break;
		r = parse_import_name(p, &n->u.include);
		if (r < 0 || context_words(p, &n->u.include.with_context) || !parser_is(p, T_COMMA))
			break;
	}
	return r < 0 ? r : hf_parse_above(p, n, n->u.include.name);
}

static int parse_print(struct parser *p, struct node **ret)
{
	/* Several expressions print one after the other: without a separator, as a concatenation. */
	struct node *n = hf_parse_node(p, N_PRINT, parser_token(p));
	struct node *all = hf_parse_node(p, N_CONCAT, parser_token(p));
	p->at++;
	while (!parser_is(p, T_BLOCK_END)) {
		struct node *item;
		int r = all->u.list.n > 0 ? hf_parse_expect(p, T_COMMA, NULL) : 0;
		if (r == 0)
			r = hf_parse_expression(p, true, &item);
		if (r == 0)
			r = node_add(p, all, &all->u.list, item);
		if (r < 0)
			return r;
	}
	n->u.print = all->u.list.n == 1 ? all->u.list.at[0] : all;
	*ret = n;
	return hf_parse_above(p, n, n->u.print);
}

static int parse_do(struct parser *p, struct node **ret)
{
	*ret = hf_parse_node(p, N_DO, parser_token(p));
	p->at++;
	int r = hf_parse_tuple(p, 0, NULL, &(*ret)->u.print);
	return r < 0 ? r : hf_parse_above(p, *ret, (*ret)->u.print);
}

static int parse_jump(struct parser *p, struct node **ret)
{
	bool is_break = hf_parse_word(p, "break");
	if (p->loops == 0)
		return hf_parse_fail(p, "'%s' outside loop", is_break ? "break" : "continue");
	*ret = hf_parse_node(p, is_break ? N_BREAK : N_CONTINUE, parser_token(p));
	p->at++;
	return 0;
}

static const struct statement {
	const char *word;
	int (*parse)(struct parser *p, struct node **ret);
	enum { CORE, WITH_DO, WITH_LOOPCONTROLS } needs;
} table[] = {
	{ "for", parse_for, CORE },
	{ "if", parse_if, CORE },
	{ "set", parse_set, CORE },
	{ "with", parse_with, CORE },
	{ "macro", parse_macro, CORE },
	{ "call", parse_call_block, CORE },
	{ "filter", parse_filter_block, CORE },
	{ "autoescape", parse_autoescape, CORE },
	{ "block", parse_block, CORE },
	{ "extends", parse_extends, CORE },
	{ "include", parse_include, CORE },
	{ "import", parse_import, CORE },
	{ "from", parse_from, CORE },
	{ "print", parse_print, CORE },
	{ "do", parse_do, WITH_DO },
	{ "break", parse_jump, WITH_LOOPCONTROLS },
	{ "continue", parse_jump, WITH_LOOPCONTROLS },
};

static int parse_statement(struct parser *p, struct node **ret)
{
	if (!parser_is(p, T_NAME))
		return hf_parse_fail(p, "tag name expected");
	for (size_t i = 0; i < HF_COUNT(table); i++) {
		if (!hf_parse_word(p, table[i].word))
			continue;
		if ((table[i].needs == WITH_DO && !p->env->extension_do) ||
			(table[i].needs == WITH_LOOPCONTROLS && !p->env->extension_loopcontrols))
			break;
		return table[i].parse(p, ret);
	}
	return hf_parse_fail(p, "Encountered unknown tag '%.*s'.", HF_STR_ARG(parser_token(p)->text));
}

static bool at_end_word(const struct parser *p, const char *const *ends)
{
	for (size_t i = 0; ends != NULL && ends[i] != NULL; i++)
		if (hf_parse_word(p, ends[i]))
			return true;
	return false;
}

static int parse_one(struct parser *p, struct node **ret)
{
	struct token *t = parser_token(p);
	int r;
	if (t->kind == T_DATA) {
		*ret = hf_parse_node(p, N_TEXT, t);
		(*ret)->u.text = t->text;
		p->at++;
		return 0;
	}
	p->at++;
	if (t->kind == T_PRINT_BEGIN) {
		*ret = hf_parse_node(p, N_PRINT, t);
		r = hf_parse_tuple(p, 0, NULL, &(*ret)->u.print);
		if (r == 0)
			r = hf_parse_above(p, *ret, (*ret)->u.print);
		return r < 0 ? r : hf_parse_expect(p, T_PRINT_END, NULL);
	}
	r = parse_statement(p, ret);
	return r < 0 ? r : hf_parse_expect(p, T_BLOCK_END, NULL);
}

/* Up to "{% word" of ends, whose word is then the current token; to the end of the template when ends is
 * NULL. */
static int parse_nodes(struct parser *p, struct node *above, const char *const *ends, struct nodes *ret)
{
	while (!parser_is(p, T_EOF)) {
		if (parser_is(p, T_BLOCK_BEGIN)) {
			p->at++;
			if (at_end_word(p, ends))
				return 0;
			p->at--;
		}
		struct node *n;
		int r = hf_parse_enter(p);
		if (r == 0)
			r = parse_one(p, &n);
		p->depth--;
		if (r == 0)
			r = node_add(p, above, ret, n);
		if (r < 0)
			return r;
	}
	if (ends != NULL)
		return hf_parse_fail(p,
			"Unexpected end of template. Jinja was looking for the following tags: '%s'",
			ends[0]);
	return 0;
}

static int parse_body(struct parser *p, struct node *above, const char *const *ends, struct nodes *ret)
{
	hf_parse_skip(p, T_COLON);
	int r = hf_parse_expect(p, T_BLOCK_END, NULL);
	return r < 0 ? r : parse_nodes(p, above, ends, ret);
}

int hf_parse_template(struct parser *p)
{
	return parse_nodes(p, NULL, NULL, &p->template->body);
}
