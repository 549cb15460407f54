#include "lib/engine/templar_internal.h"

#include <ctype.h>
#include <stdio.h>

#include "lib/base/scope.h"
#include "lib/engine/literal.h"

struct hf_templar *hf_templar_new(struct hf_arena *a, const struct hf_templar_source *source)
{
	struct hf_templar *t = hf_new(a, struct hf_templar);
	t->arena = a;
	if (source != NULL)
		t->source = *source;
	for (size_t way = 0; way < TEMPLAR_WAYS; way++)
		hf_map_init_str(&t->cache[way], a);
	templar_env_init(t);
	return t;
}

void hf_templar_set_vault(struct hf_templar *t, const struct hf_vault *vault)
{
	t->vault = vault;
}

void templar_warn(const struct hf_templar *t, const char *format, ...)
{
	if (t->source.warning == NULL)
		return;
	char text[HF_ERROR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	t->source.warning(t->source.data, text);
}

/* --- what a value holds --- */

enum { HOLDS_TEMPLATE = 1 << 8, HOLDS_VAULT = 1 << 9, HOLDS_TUPLE = 1 << 10, SCAN_DEPTH_MAX = 200 };

/* HF_VALUE_UNSAFE, HF_VALUE_SECRET and the flags above of everything inside v. */
static unsigned scan(const struct hf_templar *t, const struct hf_value *v, int depth)
{
	unsigned found = v->flags & (HF_VALUE_SECRET | HF_VALUE_UNSAFE);
	if (depth > SCAN_DEPTH_MAX)
		return found;
	if (v->type == HF_STRING) {
		if (v->flags & HF_VALUE_VAULT)
			return found | HOLDS_VAULT;
		if (!(v->flags & HF_VALUE_UNSAFE) &&
			hf_template_is_template(&t->env[TEMPLAR_STRING], v->u.string))
			found |= HOLDS_TEMPLATE;
	} else if (hf_is_sequence(v)) {
		found |= v->type == HF_TUPLE ? HOLDS_TUPLE : 0;
		for (size_t i = 0; i < hf_list_len(v); i++)
			found |= scan(t, hf_list_at(v, i), depth + 1);
	} else if (v->type == HF_DICT) {
		HF_DICT_EACH (v, e)
			found |= scan(t, hf_entry_value(e), depth + 1);
	}
	return found;
}

bool hf_templar_is_template(const struct hf_templar *t, const struct hf_value *v)
{
	return (scan(t, v, 0) & HOLDS_TEMPLATE) != 0;
}

struct hf_value *templar_mark(struct hf_arena *a, struct hf_value *v, unsigned flags)
{
	flags &= HF_VALUE_SECRET | HF_VALUE_UNSAFE;
	if (flags == 0 || v->type == HF_OBJECT || v->type == HF_UNDEFINED)
		return v;
	struct hf_value *out = v;
	if (hf_is_sequence(v)) {
		out = hf_value_shallow(a, v);
		for (size_t i = 0; i < hf_list_len(out); i++)
			out->u.list->at[i] = templar_mark(a, hf_list_at(out, i), flags);
	} else if (v->type == HF_DICT) {
		out = hf_value_shallow(a, v);
		HF_DICT_EACH (out, e)
			e->value = templar_mark(a, hf_entry_value(e), flags);
	}
	return hf_value_with_flags(a, out, out->type == HF_STRING ? flags : flags & HF_VALUE_SECRET);
}

/* --- compiled texts --- */

/* Methods that change a list or dict in place. A text that names none of them cannot change the variables it
 * reads. */
static bool text_mutates(const struct hf_template_env *env, struct hf_str text)
{
	/* A call or a statement does that; delimiters of one's own may hide the statement. */
	if (env->block_start == NULL && text.n > 0 && memchr(text.p, '(', text.n) == NULL &&
		memchr(text.p, '%', text.n) == NULL)
		return false;
	static const char *const words[] = { "append", "update", "pop", "extend", "insert", "remove",
		"setdefault", "sort(", "reverse(", "clear", "discard", "include", "import", "extends",
		"add(" };
	for (size_t i = 0; i < HF_COUNT(words); i++)
		if (hf_str_find(text, hf_str(words[i]), 0) != SIZE_MAX)
			return true;
	return false;
}

static int text_parse(struct hf_templar *t, struct hf_arena *where, enum templar_way way, struct hf_str text,
	struct hf_template **ret, struct hf_error *err)
{
	if (way == TEMPLAR_CONDITION)
		return hf_template_compile_expression(where, &t->env[way], text, NULL, false, ret, err);
	return hf_template_compile(where, &t->env[way], text, NULL, ret, err);
}

void templar_place(struct hf_error *err, struct hf_pos pos)
{
	if (err == NULL || pos.file == NULL)
		return;
	if (pos.line != 0)
		err->pos = pos;
	else if (err->pos.file == NULL || strcmp(err->pos.file, "template") == 0)
		err->pos.file = pos.file; /* a variable that stands in another file keeps its place */
}

/* The sentence Ansible gives, at the place in the user's file where that is known: it says more than the one
 * in the text. */
static int parse_failed(enum templar_way way, struct hf_str text, struct hf_pos pos,
	const struct hf_error *why, struct hf_error *err)
{
	if (err == NULL)
		return -(int)why->code;
	if (way == TEMPLAR_STRING && why->code == HF_E_PARSE)
		hf_fail_at(err, why->code, why->pos,
			"template error while templating string: %s. String: %.*s. %s", why->text,
			HF_STR_ARG(text), why->text);
	else
		*err = *why;
	templar_place(err, pos);
	return -(int)why->code;
}

/* Results may share the constants of a compiled text, so nothing cached is ever freed before the templar's
 * arena is; a text that finds the cache full is compiled for this call alone. */
int templar_compile(struct hf_templar *t, struct hf_arena *a, enum templar_way way, struct hf_str text,
	struct hf_pos pos, struct compiled **ret, struct hf_error *err)
{
	struct hf_map *cache = &t->cache[way];
	char *key = hf_str_dup(a, text);
	struct compiled *c = hf_map_get(cache, key);
	if (c != NULL && c->size == text.n) {
		*ret = c;
		return 0;
	}
	bool keep = c == NULL && strlen(key) == text.n && cache->live < TEMPLAR_CACHE_ENTRIES &&
		    t->cached_bytes + text.n < TEMPLAR_CACHE_BYTES;
	struct hf_arena *where = keep ? t->arena : a;
	struct hf_error why;
	c = hf_new(where, struct compiled);
	if (text_parse(t, where, way, text, &c->template, &why) < 0)
		return parse_failed(way, text, pos, &why, err);
	c->size = text.n;
	c->single = way == TEMPLAR_CONDITION || hf_template_single(c->template);
	c->mutates = text_mutates(&t->env[way], text);
	if (way == TEMPLAR_STRING)
		c->single_name = hf_template_single_name(c->template);
	if (keep) {
		t->cached_bytes += text.n;
		hf_map_set(cache, hf_str_dup(t->arena, text), c);
	}
	*ret = c;
	return 0;
}

struct rendering templar_rendering(
	struct hf_templar *t, struct hf_arena *a, struct hf_value *locals, const struct chain *chain)
{
	struct rendering r = {
		.templar = t, .arena = a, .locals = locals, .chain = chain, .env = &t->env[TEMPLAR_STRING]
	};
	hf_map_init_str(&r.resolved, a);
	return r;
}

/* --- one string --- */

static size_t newlines_at_end(struct hf_str s)
{
	size_t n = 0;
	while (n < s.n && s.p[s.n - 1 - n] == '\n')
		n++;
	return n;
}

struct hf_str templar_newlines(
	struct hf_arena *a, struct hf_str result, struct hf_str source, const char *newline)
{
	size_t wanted = newlines_at_end(source), have = newlines_at_end(result);
	if (have >= wanted)
		return result;
	hf_auto_buf out = hf_buf_init(SIZE_MAX / 4);
	hf_buf_add(&out, result);
	for (size_t i = have; i < wanted; i++)
		hf_buf_puts(&out, newline == NULL ? "\n" : newline);
	return hf_buf_dup(a, &out);
}

/* Text that looks like a list, a dict or a boolean becomes one. */
struct hf_value *templar_convert(struct hf_arena *a, struct hf_str text)
{
	struct hf_value *v = NULL;
	bool looks = (text.n > 0 && (text.p[0] == '{' || text.p[0] == '[')) || hf_str_is(text, "True") ||
		     hf_str_is(text, "False");
	if (looks && hf_literal_parse(a, text, &v))
		return v;
	return hf_value_str(a, text);
}

static struct hf_value *result_convert(struct hf_arena *a, struct hf_value *v, bool convert)
{
	if (v->type == HF_OMIT)
		return v;
	if (v->type == HF_STRING && (v->flags & HF_VALUE_TEXT))
		return v;
	if (convert &&
		(v->type == HF_BOOL || ((v->type == HF_LIST || v->type == HF_DICT) && hf_literal_stable(v))))
		return v;
	if (!convert && v->type == HF_STRING)
		return v;
	struct hf_str text = v->type == HF_NULL ? HF_STR("") : hf_value_text(a, v);
	struct hf_value *out = convert ? templar_convert(a, text) : hf_value_str(a, text);
	if (hf_is(v, HF_STRING) && hf_is(out, HF_STRING))
		out->flags |= v->flags & HF_VALUE_SECRET;
	return out;
}

static int string_render(struct rendering *r, const struct compiled *c, bool convert, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_render how = { .arena = r->arena, .env = &r->templar->env[TEMPLAR_STRING], .data = r };
	if (c->single) {
		struct hf_value *v = NULL;
		int result = hf_template_evaluate(c->template, &how, &v, err);
		if (result < 0)
			return result;
		r->marks |= scan(r->templar, v, 0) & (HF_VALUE_SECRET | HF_VALUE_UNSAFE);
		*ret = result_convert(r->arena, v, convert);
		return 0;
	}
	hf_auto_buf out = hf_buf_init(HF_TEMPLATE_OUTPUT);
	unsigned marks = 0;
	int result = hf_template_render(c->template, &how, &out, &marks, err);
	if (result < 0)
		return result;
	r->marks |= marks & (HF_VALUE_SECRET | HF_VALUE_UNSAFE);
	*ret = convert ? templar_convert(r->arena, hf_buf_str(&out))
		       : hf_value_str(r->arena, hf_buf_str(&out));
	return 0;
}

/* A template that is nothing but {{ name }} keeps numbers, booleans and null of a plain variable. */
static int single_variable(
	struct rendering *r, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *raw = NULL;
	const struct hf_templar *t = r->templar;
	if (name.p == NULL)
		return 0;
	const char *key = hf_str_dup(r->arena, name);
	if (r->locals != NULL)
		raw = hf_dict_get(r->locals, key);
	if (raw == NULL && t->source.variable != NULL) {
		int result = t->source.variable(t->source.data, name, &raw, err);
		if (result < 0)
			return result;
	}
	if (raw == NULL || (raw->type != HF_BOOL && raw->type != HF_INT && raw->type != HF_BIGINT &&
				   raw->type != HF_FLOAT && raw->type != HF_NULL))
		return 0;
	if (t->source.used != NULL)
		t->source.used(t->source.data, name);
	*ret = raw;
	return 0;
}

int templar_string(struct hf_templar *t, struct hf_arena *a, const struct hf_value *text,
	struct hf_value *locals, const struct chain *chain, bool convert, struct hf_value **ret,
	struct hf_error *err)
{
	struct rendering r = templar_rendering(t, a, locals, chain);
	struct hf_pos pos = hf_value_pos(text);
	struct hf_str source = text->u.string;
	struct hf_template_env env;
	struct compiled own = { 0 }, *c = &own;
	int result;
	if (hf_str_starts(source, "#jinja2:")) {
		env = t->env[TEMPLAR_STRING];
		result = templar_header(t, a, &source, &env, err);
		if (result == 0)
			result = hf_template_compile(a, &env, source, NULL, &own.template, err);
		own.mutates = true;
		c = &own;
		r.env = &env;
	} else {
		result = templar_compile(t, a, TEMPLAR_STRING, source, pos, &c, err);
	}
	if (result != 0)
		return hf_error_set_pos(err, pos);
	struct hf_value *v = NULL;
	result = single_variable(&r, c->single_name, &v, err);
	if (result == 0 && v != NULL) {
		*ret = v;
		return 0;
	}
	r.mutates = c->mutates;
	if (result == 0)
		result = string_render(&r, c, convert, &v, err);
	if (result < 0) {
		templar_place(err, pos);
		return result;
	}
	if (v->type == HF_STRING) {
		struct hf_str kept = templar_newlines(
			a, v->u.string, text->u.string, t->env[TEMPLAR_STRING].newline_sequence);
		if (kept.p != v->u.string.p) {
			unsigned flags = v->flags & (HF_VALUE_SECRET | HF_VALUE_UNSAFE);
			v = hf_value_with_flags(a, hf_value_borrow(a, kept), flags);
		}
	}
	v = templar_mark(a, v, r.marks);
	if (v->file == NULL && v->type != HF_OMIT && pos.file != NULL) {
		struct hf_value *placed = hf_new(a, struct hf_value);
		*placed = *v;
		v = hf_value_at(placed, pos);
	}
	*ret = v;
	return 0;
}

/* --- any value --- */

static int list_template(struct hf_templar *t, struct hf_arena *a, const struct hf_value *v,
	struct hf_value *locals, const struct chain *chain, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = hf_value_at(hf_value_list(a), hf_value_pos(v)), *item = NULL;
	for (size_t i = 0; i < hf_list_len(v); i++) {
		int r = templar_any(t, a, hf_list_at(v, i), locals, chain, &item, err);
		if (r < 0)
			return r;
		hf_list_append(out, item);
	}
	*ret = out;
	return 0;
}

static int dict_template(struct hf_templar *t, struct hf_arena *a, const struct hf_value *v,
	struct hf_value *locals, const struct chain *chain, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = hf_value_at(hf_value_dict(a), hf_value_pos(v)), *item = NULL;
	HF_DICT_EACH (v, e) {
		int r = templar_any(t, a, hf_entry_value(e), locals, chain, &item, err);
		if (r < 0)
			return r;
		hf_dict_set(out, hf_entry_key(e), item);
	}
	*ret = out;
	return 0;
}

static int vault_open(struct hf_templar *t, struct hf_arena *a, const struct hf_value *v,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_str plain = { 0 };
	int r = hf_vault_decrypt(a, t->vault, v->u.string, &plain, err);
	if (r < 0)
		return hf_error_set_pos(err, hf_value_pos(v));
	struct hf_value *out = hf_value_at(hf_value_str(a, plain), hf_value_pos(v));
	out->flags |= HF_VALUE_SECRET;
	if (t->source.secret != NULL)
		t->source.secret(t->source.data, plain);
	*ret = out;
	return 0;
}

int templar_any(struct hf_templar *t, struct hf_arena *a, const struct hf_value *v, struct hf_value *locals,
	const struct chain *chain, struct hf_value **ret, struct hf_error *err)
{
	unsigned holds = scan(t, v, 0);
	if (!(holds & (HOLDS_TEMPLATE | HOLDS_VAULT | HOLDS_TUPLE))) {
		*ret = (struct hf_value *)(uintptr_t)v;
		return 0;
	}
	if (v->type == HF_STRING) {
		if (v->flags & HF_VALUE_VAULT)
			return vault_open(t, a, v, ret, err);
		return templar_string(t, a, v, locals, chain, true, ret, err);
	}
	if (hf_is_sequence(v))
		return list_template(t, a, v, locals, chain, ret, err);
	return dict_template(t, a, v, locals, chain, ret, err);
}

/* An undefined left inside a container is an error once the value is complete. */
static int all_defined(const struct hf_value *v, int depth, struct hf_error *err)
{
	if (v->type == HF_UNDEFINED)
		return hf_fail(err, HF_E_UNDEFINED, "'%s' is undefined",
			v->u.string.p == NULL ? "value" : v->u.string.p);
	int r = 0;
	if (depth > SCAN_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "a value nested deeper than %d", SCAN_DEPTH_MAX);
	if (hf_is_sequence(v)) {
		for (size_t i = 0; i < hf_list_len(v) && r == 0; i++)
			r = all_defined(hf_list_at(v, i), depth + 1, err);
	} else if (v->type == HF_DICT) {
		HF_DICT_EACH (v, e)
			if (r == 0)
				r = all_defined(hf_entry_value(e), depth + 1, err);
	}
	return r;
}

int hf_templar_value(struct hf_templar *t, struct hf_arena *a, const struct hf_value *v,
	struct hf_value *locals, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = NULL;
	int r = templar_any(t, a, v, locals, NULL, &out, err);
	if (r == 0)
		r = all_defined(out, 0, err);
	if (r == 0)
		*ret = out;
	return r;
}

/* Options left out, also inside options that are dicts. */
static struct hf_value *omit_remove(struct hf_arena *a, const struct hf_value *dict)
{
	struct hf_value *kept = hf_value_at(hf_value_dict(a), hf_value_pos(dict));
	kept->flags = dict->flags;
	HF_DICT_EACH (dict, e) {
		struct hf_value *v = hf_entry_value(e);
		if (v->type != HF_OMIT)
			hf_dict_set(kept, hf_entry_key(e), v->type == HF_DICT ? omit_remove(a, v) : v);
	}
	return kept;
}

int hf_templar_args(struct hf_templar *t, struct hf_arena *a, const struct hf_value *v,
	struct hf_value *locals, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = NULL;
	int r = hf_templar_value(t, a, v, locals, &out, err);
	if (r < 0)
		return r;
	if (out->type == HF_DICT)
		out = omit_remove(a, out);
	*ret = out;
	return 0;
}

int hf_templar_text(struct hf_templar *t, struct hf_arena *a, struct hf_str text, struct hf_pos pos,
	struct hf_value *locals, struct hf_str *ret, struct hf_error *err)
{
	struct hf_value source = { .type = HF_STRING, .u.string = text };
	hf_value_at(&source, pos);
	if (!hf_template_is_template(&t->env[TEMPLAR_STRING], text)) {
		*ret = (struct hf_str){ hf_str_dup(a, text), text.n };
		return 0;
	}
	struct hf_value *v = NULL;
	int r = templar_string(t, a, &source, locals, NULL, false, &v, err);
	if (r == 0)
		*ret = hf_value_text(a, v);
	return r;
}
