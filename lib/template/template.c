#include "lib/template/template.h"

#include "lib/base/scope.h"
#include "lib/template/eval.h"
#include "lib/template/parser.h"

/* scratch holds what only the parser needs. */
static int template_new(struct hf_arena *a, struct hf_arena *scratch, const struct hf_template_env *env,
	struct hf_str source, const char *name, bool expression, struct parser *ret_parser,
	struct hf_error *err)
{
	struct hf_template *t = hf_new(a, struct hf_template);
	t->name = name == NULL ? "template" : hf_strdup(a, name);
	t->env = env;
	struct tokens tokens;
	int r = hf_lex(a, scratch, env, source, t->name, expression, &tokens, err);
	if (r < 0)
		return r;
	*ret_parser =
		(struct parser){ .arena = a, .env = env, .template = t, .tokens = tokens.at, .err = err };
	return 0;
}

int hf_template_compile(struct hf_arena *a, const struct hf_template_env *env, struct hf_str source,
	const char *name, struct hf_template **ret, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct parser p;
	int r = template_new(a, scratch, env, source, name, false, &p, err);
	if (r == 0)
		r = hf_parse_template(&p);
	if (r == 0)
		r = hf_scope_link(a, p.template, err);
	if (r == 0)
		*ret = p.template;
	return r;
}

int hf_template_compile_expression(struct hf_arena *a, const struct hf_template_env *env,
	struct hf_str source, const char *name, bool with_inline_if, struct hf_template **ret,
	struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct parser p;
	int r = template_new(a, scratch, env, source, name, true, &p, err);
	if (r == 0)
		r = hf_parse_expression(&p, with_inline_if, &p.template->expression);
	if (r == 0 && !parser_is(&p, T_EOF))
		r = hf_parse_unexpected(&p);
	if (r == 0)
		r = hf_scope_link(a, p.template, err);
	if (r == 0)
		*ret = p.template;
	return r;
}

static struct hf_eval eval_start(const struct hf_render *how, struct hf_buf *out)
{
	return (struct hf_eval){
		.arena = how->arena,
		.env = how->env,
		.how = how,
		.out = out,
		.steps = how->env->limits.steps == 0 ? HF_TEMPLATE_STEPS : how->env->limits.steps,
		.range_max = how->env->limits.range == 0 ? HF_TEMPLATE_RANGE : how->env->limits.range,
		.autoescape = how->env->autoescape,
		.stack_base = __builtin_frame_address(0),
	};
}

int hf_template_render(const struct hf_template *t, const struct hf_render *how, struct hf_buf *out,
	unsigned *ret_marks, struct hf_error *err)
{
	struct hf_eval e = eval_start(how, out);
	size_t before = out->n, max = out->max;
	size_t limit = how->env->limits.output == 0 ? HF_TEMPLATE_OUTPUT : how->env->limits.output;
	if (out->max > out->n && out->max - out->n > limit)
		out->max = out->n + limit;
	int r;
	struct context context = { 0 };
	if (t->expression != NULL) {
		struct hf_value *v;
		r = hf_template_evaluate(t, how, &v, err);
		e.frame = hf_frame_new(&e, t, t->root, NULL, &context);
		if (r == 0)
			r = hf_emit(&e, v, err);
	} else {
		r = hf_exec_root(&e, t, &context, err);
	}
	if (r == 0)
		r = hf_buf_check(out, "output", err);
	out->max = max;
	if (r < 0 && out->p != NULL) {
		out->n = before;
		out->p[before] = '\0';
	}
	if (r == 0 && ret_marks != NULL)
		*ret_marks = e.marks;
	return r;
}

/* The one thing a template prints, when it does nothing else. */
static const struct node *template_single(const struct hf_template *t)
{
	if (t->expression != NULL)
		return t->expression;
	return t->body.n == 1 && t->body.at[0]->kind == N_PRINT ? t->body.at[0]->u.print : NULL;
}

bool hf_template_single(const struct hf_template *t)
{
	return template_single(t) != NULL;
}

int hf_template_evaluate(
	const struct hf_template *t, const struct hf_render *how, struct hf_value **ret, struct hf_error *err)
{
	const struct node *n = template_single(t);
	if (n == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "the template is more than one expression");
	struct hf_buf none = hf_buf_init(0);
	struct hf_eval e = eval_start(how, &none);
	struct context context = { 0 };
	e.frame = hf_frame_new(&e, t, t->root, NULL, &context);
	struct root_frame root = { e.frame, NULL };
	context.roots = &root;
	context.plain = true;
	int r = hf_eval_node(&e, n, ret, err);
	if (r == 0 && t->expression == NULL && how->env->finalize != NULL) /* it stands for a {{ }} */
		r = how->env->finalize(&e, ret, err);
	if (r < 0 && err != NULL && err->pos.line == 0)
		err->pos = (struct hf_pos){ t->name, n->line, n->column };
	return r;
}

struct hf_str hf_template_single_name(const struct hf_template *t)
{
	const struct node *n = template_single(t);
	return n != NULL && n->kind == N_NAME ? n->u.name.key->u.string : (struct hf_str){ 0 };
}

struct hf_value *hf_template_names(struct hf_arena *a, const struct hf_template *t)
{
	struct hf_value *names = hf_value_set(a), *list = hf_value_list(a);
	for (size_t i = 0; i < t->names.n; i++)
		if (t->names.at[i]->kind == N_NAME)
			hf_dict_set(names, t->names.at[i]->u.name.key, NULL);
	HF_DICT_EACH (names, entry)
		hf_list_append(list, hf_entry_key(entry));
	return list;
}

/* What is read of n, when that is one step by a constant name; NULL: nothing. */
static const struct node *step_of(const struct hf_template *t, const struct node *n, struct hf_str *ret)
{
	for (size_t i = 0; i < t->steps.n; i++) {
		const struct node *s = t->steps.at[i];
		if (s->kind == N_ATTRIBUTE && s->u.attribute.object == n) {
			*ret = s->u.attribute.key->u.string;
			return s;
		}
		if (s->kind == N_ITEM && s->u.item.object == n && s->u.item.index->kind == N_CONST &&
			hf_is(s->u.item.index->u.constant, HF_STRING)) {
			*ret = s->u.item.index->u.constant->u.string;
			return s;
		}
	}
	return NULL;
}

struct hf_value *hf_template_paths(struct hf_arena *a, const struct hf_template *t)
{
	enum { STEPS_MAX = 8 };
	struct hf_value *paths = hf_value_set(a), *list = hf_value_list(a);
	for (size_t i = 0; i < t->names.n; i++) {
		const struct node *n = t->names.at[i];
		struct hf_str step;
		if (n->kind != N_NAME || !n->u.name.cached || n->u.name.global != NULL)
			continue; /* the template's own, or a function of the language */
		const char *path = n->u.name.key->u.string.p;
		for (int k = 0; k < STEPS_MAX && (n = step_of(t, n, &step)) != NULL; k++) {
			if (memchr(step.p, '.', step.n) != NULL)
				break;
			path = hf_sprintf(a, "%s.%.*s", path, HF_STR_ARG(step));
		}
		hf_dict_put(paths, path, NULL);
	}
	HF_DICT_EACH (paths, entry)
		hf_list_append(list, hf_entry_key(entry));
	return list;
}

bool hf_template_is_template(const struct hf_template_env *env, struct hf_str text)
{
	const char *starts[] = { env->block_start, env->variable_start, env->comment_start };
	if (starts[0] == NULL && starts[1] == NULL && starts[2] == NULL) {
		/* The usual delimiters share their first byte: one pass. */
		const char *end = text.p + text.n;
		for (const char *p = text.p; p < end && (p = memchr(p, '{', (size_t)(end - p))) != NULL; p++)
			if (p + 1 < end && (p[1] == '{' || p[1] == '%' || p[1] == '#'))
				return true;
		return false;
	}
	static const char *const standard[] = { "{%", "{{", "{#" };
	for (size_t i = 0; i < HF_COUNT(starts); i++)
		if (hf_str_find(text, hf_str(starts[i] == NULL ? standard[i] : starts[i]), 0) != SIZE_MAX)
			return true;
	return false;
}

struct hf_arena *hf_eval_arena(struct hf_eval *e)
{
	return e->arena;
}

void *hf_eval_data(struct hf_eval *e)
{
	return e->how->data;
}

const struct hf_template_env *hf_eval_env(struct hf_eval *e)
{
	return e->env;
}

int hf_eval_steps(struct hf_eval *e, uint64_t n, struct hf_error *err)
{
	if (e->steps < n) {
		e->steps = 0;
		return hf_fail(err, HF_E_LIMIT, "the template takes more steps than it may");
	}
	e->steps -= n;
	return 0;
}
