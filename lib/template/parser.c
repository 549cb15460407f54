#include "lib/template/parser.h"

#include "lib/template/methods.h"

static int nodes_add(struct parser *p, struct node *above, struct nodes *list, struct node *item)
{
	*hf_vec_push(p->arena, list) = item;
	return hf_parse_above(p, above, item);
}

/* The binary operators that give one value from two, loosest first. */
static const struct level {
	struct {
		enum token_kind token;
		enum arith_op op;
	} at[4];
	size_t n;
} levels[] = {
	{ { { T_ADD, OP_ADD }, { T_SUB, OP_SUB } }, 2 },
	{ { { T_TILDE, OP_ADD } }, 1 }, /* gathers its operands in one node */
	{ { { T_MUL, OP_MUL }, { T_DIV, OP_DIV }, { T_FLOORDIV, OP_FLOORDIV }, { T_MOD, OP_MOD } }, 4 },
	{ { { T_POW, OP_POW } }, 1 },
};
enum { LEVEL_CONCAT = 1 };

static int parse_unary(struct parser *p, bool with_filters, struct node **ret);
static int parse_arguments(struct parser *p, struct node *above, struct arguments *ret);

static int parse_concat_rest(struct parser *p, struct node *first, struct node **ret);

static bool level_operator(const struct parser *p, size_t level, enum arith_op *ret_op)
{
	for (size_t i = 0; i < levels[level].n; i++)
		if (parser_is(p, levels[level].at[i].token)) {
			*ret_op = levels[level].at[i].op;
			return true;
		}
	return false;
}

static int parse_level(struct parser *p, size_t level, struct node **ret)
{
	if (level == HF_COUNT(levels))
		return parse_unary(p, true, ret);
	struct node *left;
	enum arith_op op;
	int r = parse_level(p, level + 1, &left);
	if (r == 0 && level == LEVEL_CONCAT && parser_is(p, T_TILDE))
		r = parse_concat_rest(p, left, &left);
	while (r == 0 && level_operator(p, level, &op)) {
		struct node *n = hf_parse_node(p, N_ARITH, parser_token(p));
		p->at++;
		n->op = (uint8_t)op;
		n->u.pair.left = left;
		r = parse_level(p, level + 1, &n->u.pair.right);
		if (r == 0)
			r = hf_parse_above(p, n, left);
		if (r == 0)
			r = hf_parse_above(p, n, n->u.pair.right);
		left = n;
	}
	if (r == 0)
		*ret = left;
	return r;
}

static int parse_concat_rest(struct parser *p, struct node *first, struct node **ret)
{
	struct node *n = hf_parse_node(p, N_CONCAT, parser_token(p));
	int r = nodes_add(p, n, &n->u.list, first);
	while (r == 0 && hf_parse_skip(p, T_TILDE)) {
		struct node *item;
		r = parse_level(p, LEVEL_CONCAT + 1, &item);
		if (r == 0)
			r = nodes_add(p, n, &n->u.list, item);
	}
	*ret = n;
	return r;
}

static bool comparison(struct parser *p, enum compare_op *ret)
{
	static const struct {
		enum token_kind token;
		enum compare_op op;
	} rows[] = { { T_EQ, CMP_EQ }, { T_NE, CMP_NE }, { T_LT, CMP_LT }, { T_LE, CMP_LE }, { T_GT, CMP_GT },
		{ T_GE, CMP_GE } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (hf_parse_skip(p, rows[i].token)) {
			*ret = rows[i].op;
			return true;
		}
	if (hf_parse_skip_word(p, "in")) {
		*ret = CMP_IN;
		return true;
	}
	if (!hf_parse_word(p, "not") || p->tokens[p->at + 1].kind != T_NAME ||
		!hf_str_is(p->tokens[p->at + 1].text, "in"))
		return false;
	p->at += 2;
	*ret = CMP_NOT_IN;
	return true;
}

static int parse_compare(struct parser *p, struct node **ret)
{
	struct node *first, *n = NULL;
	const struct token *where = parser_token(p);
	int r = parse_level(p, 0, &first);
	enum compare_op op;
	while (r == 0 && comparison(p, &op)) {
		if (n == NULL) {
			n = hf_parse_node(p, N_COMPARE, where);
			n->u.compare.first = first;
			r = hf_parse_above(p, n, first);
		}
		struct operand *operand = hf_vec_push(p->arena, &n->u.compare);
		operand->op = op;
		if (r == 0)
			r = parse_level(p, 0, &operand->value);
		if (r == 0)
			r = hf_parse_above(p, n, operand->value);
	}
	if (r == 0)
		*ret = n == NULL ? first : n;
	return r;
}

static int parse_not(struct parser *p, struct node **ret)
{
	const struct token *where = parser_token(p);
	if (!hf_parse_skip_word(p, "not"))
		return parse_compare(p, ret);
	int r = hf_parse_enter(p);
	struct node *n = hf_parse_node(p, N_NOT, where);
	if (r == 0)
		r = parse_not(p, &n->u.pair.left);
	p->depth--;
	if (r == 0)
		r = hf_parse_above(p, n, n->u.pair.left);
	if (r == 0)
		*ret = n;
	return r;
}

/* and, or: both take what is below them and join it to the left. */
static int parse_logic(struct parser *p, bool is_or, struct node **ret)
{
	struct node *left;
	int r = is_or ? parse_logic(p, false, &left) : parse_not(p, &left);
	const struct token *where = parser_token(p);
	while (r == 0 && hf_parse_skip_word(p, is_or ? "or" : "and")) {
		struct node *n = hf_parse_node(p, is_or ? N_OR : N_AND, where);
		n->u.pair.left = left;
		r = is_or ? parse_logic(p, false, &n->u.pair.right) : parse_not(p, &n->u.pair.right);
		if (r == 0)
			r = hf_parse_above(p, n, left);
		if (r == 0)
			r = hf_parse_above(p, n, n->u.pair.right);
		left = n;
		where = parser_token(p);
	}
	if (r == 0)
		*ret = left;
	return r;
}

static int parse_condition(struct parser *p, struct node **ret)
{
	struct node *then;
	int r = parse_logic(p, true, &then);
	while (r == 0 && hf_parse_word(p, "if")) {
		struct node *n = hf_parse_node(p, N_CONDITION, parser_token(p));
		p->at++;
		n->u.condition.then = then;
		r = parse_logic(p, true, &n->u.condition.test);
		if (r == 0 && hf_parse_skip_word(p, "else"))
			r = hf_parse_expression(p, true, &n->u.condition.otherwise);
		if (r == 0)
			r = hf_parse_above(p, n, then);
		if (r == 0)
			r = hf_parse_above(p, n, n->u.condition.test);
		if (r == 0)
			r = hf_parse_above(p, n, n->u.condition.otherwise);
		then = n;
	}
	if (r == 0)
		*ret = then;
	return r;
}

int hf_parse_expression(struct parser *p, bool with_condition, struct node **ret)
{
	int r = hf_parse_enter(p);
	if (r == 0)
		r = with_condition ? parse_condition(p, ret) : parse_logic(p, true, ret);
	p->depth--;
	return r;
}

static struct node *constant(struct parser *p, const struct token *where, struct hf_value *v)
{
	struct node *n = hf_parse_node(p, N_CONST, where);
	n->u.constant = v;
	return n;
}

static struct node *name_node(struct parser *p, const struct token *t)
{
	struct node *n = hf_parse_node(p, N_NAME, t);
	n->u.name.key = hf_value_borrow(p->arena, t->text);
	return n;
}

static struct node *parse_name(struct parser *p, bool namespace_target)
{
	const struct token *t = parser_token(p);
	p->at++;
	if (hf_str_is(t->text, "true") || hf_str_is(t->text, "True"))
		return constant(p, t, hf_value_bool(p->arena, true));
	if (hf_str_is(t->text, "false") || hf_str_is(t->text, "False"))
		return constant(p, t, hf_value_bool(p->arena, false));
	if (hf_str_is(t->text, "none") || hf_str_is(t->text, "None"))
		return constant(p, t, hf_value_null(p->arena));
	if (namespace_target && parser_is(p, T_DOT) && p->tokens[p->at + 1].kind == T_NAME) {
		struct node *n = hf_parse_node(p, N_NAMESPACE_TARGET, t);
		n->u.namespace_target.name = name_node(p, t);
		n->u.namespace_target.attribute = hf_value_borrow(p->arena, p->tokens[p->at + 1].text);
		p->at += 2;
		return n;
	}
	return name_node(p, t);
}

static struct node *parse_strings(struct parser *p)
{
	const struct token *first = parser_token(p);
	p->at++;
	if (!parser_is(p, T_STRING))
		return constant(p, first, first->value);
	struct hf_str all = first->value->u.string;
	while (parser_is(p, T_STRING)) {
		struct hf_str more = parser_token(p)->value->u.string;
		char *joined = hf_alloc(p->arena, all.n + more.n + 1);
		memcpy(joined, all.p, all.n);
		memcpy(joined + all.n, more.p, more.n + 1);
		all = (struct hf_str){ joined, all.n + more.n };
		p->at++;
	}
	return constant(p, first, hf_value_borrow(p->arena, all));
}

/* Items up to the closing bracket; pairs: "key: value". */
static int parse_items(struct parser *p, struct node *n, enum token_kind close, bool pairs)
{
	while (!parser_is(p, close)) {
		struct node *item;
		int r = n->u.list.n > 0 ? hf_parse_expect(p, T_COMMA, NULL) : 0;
		if (r < 0)
			return r;
		if (parser_is(p, close))
			break;
		r = hf_parse_expression(p, true, &item);
		if (r == 0)
			r = nodes_add(p, n, &n->u.list, item);
		if (r == 0 && pairs)
			r = hf_parse_expect(p, T_COLON, NULL);
		if (r == 0 && pairs)
			r = hf_parse_expression(p, true, &item);
		if (r == 0 && pairs)
			r = nodes_add(p, n, &n->u.list, item);
		if (r < 0)
			return r;
	}
	return hf_parse_expect(p, close, NULL);
}

static int parse_primary(struct parser *p, bool namespace_target, struct node **ret)
{
	struct token *t = parser_token(p);
	int r;
	switch ((int)t->kind) {
	case T_NAME:
		*ret = parse_name(p, namespace_target);
		return 0;
	case T_STRING:
		*ret = parse_strings(p);
		return 0;
	case T_INTEGER:
	case T_FLOAT:
		p->at++;
		*ret = constant(p, t, t->value);
		return 0;
	case T_LPAREN:
		p->at++;
		r = hf_parse_tuple(p, TUPLE_IN_PARENTHESES, NULL, ret);
		return r < 0 ? r : hf_parse_expect(p, T_RPAREN, NULL);
	case T_LBRACKET:
		p->at++;
		*ret = hf_parse_node(p, N_LIST, t);
		return parse_items(p, *ret, T_RBRACKET, false);
	case T_LBRACE:
		p->at++;
		*ret = hf_parse_node(p, N_DICT, t);
		return parse_items(p, *ret, T_RBRACE, true);
	default:
		return hf_parse_unexpected(p);
	}
}

static bool tuple_ends(const struct parser *p, const char *end_word)
{
	return parser_is(p, T_PRINT_END) || parser_is(p, T_BLOCK_END) || parser_is(p, T_RPAREN) ||
	       (end_word != NULL && hf_parse_word(p, end_word));
}

static int parse_tuple_item(struct parser *p, unsigned flags, struct node **ret)
{
	if (!(flags & TUPLE_SIMPLE))
		return hf_parse_expression(p, !(flags & TUPLE_NO_CONDITION), ret);
	int r = hf_parse_enter(p);
	if (r == 0)
		r = parse_primary(p, flags & TUPLE_NAMESPACE, ret);
	p->depth--;
	return r;
}

int hf_parse_tuple(struct parser *p, unsigned flags, const char *end_word, struct node **ret)
{
	struct node *n = hf_parse_node(p, N_TUPLE, parser_token(p));
	bool tuple = false;
	for (;;) {
		struct node *item;
		int r = n->u.list.n > 0 ? hf_parse_expect(p, T_COMMA, NULL) : 0;
		if (r < 0)
			return r;
		if (tuple_ends(p, end_word))
			break;
		r = parse_tuple_item(p, flags, &item);
		if (r == 0)
			r = nodes_add(p, n, &n->u.list, item);
		if (r < 0)
			return r;
		if (!parser_is(p, T_COMMA))
			break;
		tuple = true;
	}
	char shown[128];
	if (!tuple && n->u.list.n == 0 && !(flags & TUPLE_IN_PARENTHESES))
		return hf_parse_fail(
			p, "Expected an expression, got '%s'", hf_parse_shown(p, shown, sizeof(shown)));
	*ret = !tuple && n->u.list.n == 1 ? n->u.list.at[0] : n;
	return 0;
}

/* start:stop:step, of which every part may be missing; or one expression. */
static int parse_subscript_item(struct parser *p, struct node **ret)
{
	struct node *n = hf_parse_node(p, N_SLICE, parser_token(p));
	struct node **parts[] = { &n->u.slice.start, &n->u.slice.stop, &n->u.slice.step };
	for (size_t i = 0; i < HF_COUNT(parts); i++) {
		int r = 0;
		if (!parser_is(p, T_COLON) && !parser_is(p, T_RBRACKET) && !parser_is(p, T_COMMA))
			r = hf_parse_expression(p, true, parts[i]);
		if (r == 0)
			r = hf_parse_above(p, n, *parts[i]);
		if (r < 0)
			return r;
		if (i == 0 && *parts[i] != NULL && !parser_is(p, T_COLON)) {
			*ret = *parts[i];
			return 0;
		}
		if (!parser_is(p, T_COLON))
			break;
		if (i == 2)
			return hf_parse_unexpected(p);
		p->at++;
	}
	*ret = n;
	return 0;
}

static int parse_brackets(struct parser *p, struct node *object, struct node **ret)
{
	struct node *n = hf_parse_node(p, N_ITEM, parser_token(p));
	struct node *tuple = hf_parse_node(p, N_TUPLE, parser_token(p));
	p->at++;
	n->u.item.object = object;
	while (!parser_is(p, T_RBRACKET)) {
		struct node *part = NULL;
		int r = tuple->u.list.n > 0 ? hf_parse_expect(p, T_COMMA, NULL) : 0;
		if (r == 0)
			r = parse_subscript_item(p, &part);
		if (r == 0)
			r = nodes_add(p, tuple, &tuple->u.list, part);
		if (r < 0)
			return r;
	}
	p->at++;
	n->u.item.index = tuple->u.list.n == 1 ? tuple->u.list.at[0] : tuple;
	*ret = n;
	int r = hf_parse_above(p, n, object);
	return r < 0 ? r : hf_parse_above(p, n, n->u.item.index);
}

static int parse_dot(struct parser *p, struct node *object, struct node **ret)
{
	struct token *dot = parser_token(p), *t = dot + 1;
	p->at++;
	struct node *n;
	if (t->kind == T_NAME) {
		n = hf_parse_node(p, N_ATTRIBUTE, dot);
		n->u.attribute.object = object;
		n->u.attribute.key = hf_value_borrow(p->arena, t->text);
	} else if (t->kind == T_INTEGER) {
		n = hf_parse_node(p, N_ITEM, dot);
		n->u.item.object = object;
		n->u.item.index = constant(p, t, t->value);
	} else {
		return hf_parse_fail(p, "expected name or number");
	}
	p->at++;
	*ret = n;
	return hf_parse_above(p, n, object);
}

static int parse_call(struct parser *p, struct node *callee, struct node **ret)
{
	struct node *n = hf_parse_node(p, N_CALL, parser_token(p));
	n->u.call.target = callee;
	int r = parse_arguments(p, n, &n->u.call.args);
	if (r == 0)
		r = hf_parse_above(p, n, callee);
	*ret = n;
	return r;
}

static int parse_postfix(struct parser *p, struct node **n)
{
	for (;;) {
		int r;
		if (parser_is(p, T_DOT))
			r = parse_dot(p, *n, n);
		else if (parser_is(p, T_LBRACKET))
			r = parse_brackets(p, *n, n);
		else if (parser_is(p, T_LPAREN))
			r = parse_call(p, *n, n);
		else
			return 0;
		if (r < 0)
			return r;
	}
}

/* "name" or "name.name": filters and tests of collections have dots. */
static int parse_dotted(struct parser *p, struct hf_value **ret)
{
	struct token *t;
	int r = hf_parse_expect(p, T_NAME, &t);
	if (r < 0)
		return r;
	struct hf_str name = t->text;
	while (hf_parse_skip(p, T_DOT)) {
		r = hf_parse_expect(p, T_NAME, &t);
		if (r < 0)
			return r;
		const char *joined = hf_sprintf(p->arena, "%.*s.%.*s", HF_STR_ARG(name), HF_STR_ARG(t->text));
		name = hf_str(joined);
	}
	*ret = hf_value_borrow(p->arena, name);
	return 0;
}

static int parse_filter(struct parser *p, struct node *target, struct node **ret)
{
	struct node *n = hf_parse_node(p, N_FILTER, parser_token(p));
	n->u.call.target = target;
	int r = parse_dotted(p, &n->u.call.name);
	if (r == 0 && parser_is(p, T_LPAREN))
		r = parse_arguments(p, n, &n->u.call.args);
	if (r == 0)
		r = hf_parse_above(p, n, target);
	*ret = n;
	return r;
}

int hf_parse_filters(struct parser *p, struct node *target, bool start_inline, struct node **ret)
{
	while (start_inline || parser_is(p, T_PIPE)) {
		p->at += !start_inline;
		int r = parse_filter(p, target, &target);
		if (r < 0)
			return r;
		start_inline = false;
	}
	*ret = target;
	return 0;
}

static bool test_argument_follows(const struct parser *p)
{
	static const enum token_kind starts[] = { T_NAME, T_STRING, T_INTEGER, T_FLOAT, T_LPAREN, T_LBRACKET,
		T_LBRACE };
	if (hf_parse_word(p, "else") || hf_parse_word(p, "or") || hf_parse_word(p, "and"))
		return false;
	for (size_t i = 0; i < HF_COUNT(starts); i++)
		if (parser_is(p, starts[i]))
			return true;
	return false;
}

static int parse_test(struct parser *p, struct node *target, struct node **ret)
{
	struct token *where = parser_token(p);
	p->at++;
	bool negated = hf_parse_skip_word(p, "not");
	struct node *n = hf_parse_node(p, N_TEST, where);
	n->u.call.target = target;
	int r = parse_dotted(p, &n->u.call.name);
	if (r == 0 && parser_is(p, T_LPAREN)) {
		r = parse_arguments(p, n, &n->u.call.args);
	} else if (r == 0 && test_argument_follows(p)) {
		if (hf_parse_word(p, "is"))
			return hf_parse_fail(p, "You cannot chain multiple tests with is");
		struct node *argument;
		r = parse_primary(p, false, &argument);
		if (r == 0)
			r = parse_postfix(p, &argument);
		if (r == 0)
			r = nodes_add(p, n, &n->u.call.args.positional, argument);
	}
	if (r == 0)
		r = hf_parse_above(p, n, target);
	*ret = n;
	if (r < 0 || !negated)
		return r;
	*ret = hf_parse_node(p, N_NOT, where);
	(*ret)->u.pair.left = n;
	return hf_parse_above(p, *ret, n);
}

static int parse_filters_and_tests(struct parser *p, struct node **n)
{
	for (;;) {
		int r;
		if (parser_is(p, T_PIPE))
			r = hf_parse_filters(p, *n, false, n);
		else if (hf_parse_word(p, "is"))
			r = parse_test(p, *n, n);
		else if (parser_is(p, T_LPAREN))
			r = parse_call(p, *n, n);
		else
			return 0;
		if (r < 0)
			return r;
	}
}

static int parse_unary(struct parser *p, bool with_filters, struct node **ret)
{
	struct token *where = parser_token(p);
	struct node *n;
	int r = hf_parse_enter(p);
	if (r < 0)
		return r;
	if (where->kind == T_SUB || where->kind == T_ADD) {
		p->at++;
		n = hf_parse_node(p, where->kind == T_SUB ? N_NEGATE : N_PLUS, where);
		r = parse_unary(p, false, &n->u.pair.left);
		if (r == 0)
			r = hf_parse_above(p, n, n->u.pair.left);
	} else {
		r = parse_primary(p, false, &n);
	}
	if (r == 0)
		r = parse_postfix(p, &n);
	if (r == 0 && with_filters)
		r = parse_filters_and_tests(p, &n);
	p->depth--;
	if (r == 0)
		*ret = n;
	return r;
}

static int argument_keyword(struct parser *p, struct node *above, struct arguments *args)
{
	struct keyword *k = hf_vec_grow(
		p->arena, args->keywords, &args->n_keywords, &args->keywords_room, sizeof(*args->keywords));
	args->keywords = k;
	k = &args->keywords[args->n_keywords - 1];
	k->name = hf_value_borrow(p->arena, parser_token(p)->text);
	p->at += 2;
	int r = hf_parse_expression(p, true, &k->value);
	return r < 0 ? r : hf_parse_above(p, above, k->value);
}

static int argument_invalid(struct parser *p)
{
	return hf_parse_fail(p, "invalid syntax for function call expression");
}

/* *values or **values: once each, in this order. */
static int argument_star(struct parser *p, struct node *above, struct arguments *args)
{
	bool twice = parser_is(p, T_POW);
	struct node **to = twice ? &args->star_star : &args->star;
	if (*to != NULL || args->star_star != NULL)
		return argument_invalid(p);
	p->at++;
	int r = hf_parse_expression(p, true, to);
	return r < 0 ? r : hf_parse_above(p, above, *to);
}

static int argument_one(struct parser *p, struct node *above, struct arguments *args)
{
	if (parser_is(p, T_MUL) || parser_is(p, T_POW))
		return argument_star(p, above, args);
	if (args->star_star != NULL)
		return argument_invalid(p);
	if (parser_is(p, T_NAME) && p->tokens[p->at + 1].kind == T_ASSIGN)
		return argument_keyword(p, above, args);
	if (args->star != NULL || args->n_keywords > 0)
		return argument_invalid(p);
	struct node *value;
	int r = hf_parse_expression(p, true, &value);
	return r < 0 ? r : nodes_add(p, above, &args->positional, value);
}

static int parse_arguments(struct parser *p, struct node *above, struct arguments *ret)
{
	int r = hf_parse_expect(p, T_LPAREN, NULL);
	bool first = true;
	while (r == 0 && !parser_is(p, T_RPAREN)) {
		if (!first)
			r = hf_parse_expect(p, T_COMMA, NULL);
		if (r < 0 || parser_is(p, T_RPAREN))
			break;
		first = false;
		r = argument_one(p, above, ret);
	}
	return r < 0 ? r : hf_parse_expect(p, T_RPAREN, NULL);
}
