#include "lib/engine/lookup.h"

#include <ctype.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/filters.h"

/* --- finding a plugin --- */

static const char *short_name(const char *name)
{
	static const char *const prefixes[] = { "ansible.builtin.", "ansible.legacy.", "community.general." };
	for (size_t i = 0; i < HF_COUNT(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return name + strlen(prefixes[i]);
	return name;
}

static const struct lookup_row *lookup_find_plugin(const char *name)
{
	static const struct lookup_row *const tables[] = { hf_lookups_list, hf_lookups_file, hf_lookups_var,
		hf_lookups_parse, hf_lookups_config };
	name = short_name(name);
	for (size_t i = 0; i < HF_COUNT(tables); i++)
		for (const struct lookup_row *row = tables[i]; row->name != NULL; row++)
			if (strcmp(row->name, name) == 0)
				return row;
	return NULL;
}

bool hf_templar_has_lookup(const char *name)
{
	return lookup_find_plugin(name) != NULL;
}

static int lookup_run(const struct lookup_call *c, struct hf_value **ret, struct hf_error *err)
{
	const struct lookup_row *row = lookup_find_plugin(c->name);
	const struct hf_templar_source *source = &c->templar->source;
	struct hf_value *results = hf_value_list(c->arena);
	int r;
	if (source->sealed && row != NULL && row->outside) {
		r = hf_fail(err, HF_E_DENIED,
			"the lookup '%s' reaches outside of templates, which is switched off here", c->name);
	} else if (row != NULL) {
		r = row->fn(c, results, err);
	} else {
		r = hf_fail(err, HF_E_NOT_FOUND, "lookup plugin (%s) not found", c->name);
	}
	if (r == 0)
		*ret = results;
	return r;
}

int hf_templar_lookup(struct hf_templar *t, struct hf_arena *a, const char *name, struct hf_value *terms,
	struct hf_value *options, struct hf_value *locals, struct hf_value **ret, struct hf_error *err)
{
	struct lookup_call c = {
		.templar = t, .arena = a, .locals = locals, .terms = terms, .options = options, .name = name
	};
	if (terms->type != HF_LIST) {
		c.terms = hf_value_list(a);
		if (hf_is_sequence(terms))
			for (size_t i = 0; i < hf_list_len(terms); i++)
				hf_list_append(c.terms, hf_list_at(terms, i));
		else
			hf_list_append(c.terms, terms);
	}
	return lookup_run(&c, ret, err);
}

/* --- what plugins share --- */

struct hf_value *lookup_option(const struct lookup_call *c, const char *name)
{
	return c->options == NULL ? NULL : hf_dict_get(c->options, name);
}

bool lookup_bool(const struct lookup_call *c, const char *name, bool fallback)
{
	const struct hf_value *v = lookup_option(c, name);
	return v == NULL ? fallback : filter_truth(v);
}

const char *lookup_cstr(const struct lookup_call *c, const char *name, const char *fallback)
{
	const struct hf_value *v = lookup_option(c, name);
	return v == NULL || v->type == HF_NULL ? fallback : hf_value_text(c->arena, v).p;
}

int lookup_text(
	const struct lookup_call *c, const struct hf_value *v, struct hf_str *ret, struct hf_error *err)
{
	if (v->type == HF_UNDEFINED)
		return hf_fail(err, HF_E_UNDEFINED, "'%s' is undefined",
			v->u.string.p == NULL ? "value" : v->u.string.p);
	*ret = hf_value_text(c->arena, v);
	return 0;
}

int lookup_find(
	const struct lookup_call *c, const char *kind, const char *name, char **ret, struct hf_error *err)
{
	const struct hf_templar_source *source = &c->templar->source;
	if (name[0] != '/' && source->find_file != NULL)
		return source->find_file(source->data, c->arena, kind, name, ret, err);
	if (!hf_fs_exists(name))
		return hf_fail(err, HF_E_NOT_FOUND, "could not locate file in lookup: %s", name);
	*ret = hf_strdup(c->arena, name);
	return 0;
}

int lookup_read(const struct lookup_call *c, const char *path, struct hf_str *ret, struct hf_error *err)
{
	int r = hf_fs_read(c->arena, path, LOOKUP_FILE_MAX, ret, err);
	if (r == 0 && hf_vault_is_envelope(*ret))
		r = hf_vault_decrypt(c->arena, c->templar->vault, *ret, ret, err);
	return r;
}

int lookup_variable(
	const struct lookup_call *c, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *raw = NULL;
	const struct hf_templar_source *source = &c->templar->source;
	*ret = NULL;
	if (c->locals != NULL)
		raw = hf_dict_get(c->locals, hf_str_dup(c->arena, name));
	if (raw == NULL && source->variable != NULL) {
		int r = source->variable(source->data, name, &raw, err);
		if (r < 0)
			return r;
	}
	if (raw == NULL)
		return 0;
	return templar_any(c->templar, c->arena, raw, c->locals, c->chain, ret, err);
}

int lookup_words(const struct lookup_call *c, struct hf_str term, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *words = hf_value_list(c->arena);
	hf_auto_buf word = hf_buf_init(term.n + 1);
	char quote = '\0';
	bool open = false;
	for (size_t i = 0; i <= term.n; i++) {
		char ch = i < term.n ? term.p[i] : ' ';
		if (quote == '\0' && isspace((unsigned char)ch)) {
			if (open)
				hf_list_append(words, hf_value_str(c->arena, hf_buf_str(&word)));
			hf_buf_clear(&word);
			open = false;
			continue;
		}
		open = true;
		if (quote != '\0' ? ch == quote : (ch == '\'' || ch == '"'))
			quote = quote != '\0' ? '\0' : ch;
		else
			hf_buf_put(&word, ch);
	}
	if (quote != '\0')
		return hf_fail(err, HF_E_TEMPLATE, "%s: a quote that is not closed in '%.*s'", c->name,
			HF_STR_ARG(term));
	*ret = words;
	return 0;
}

struct hf_value *lookup_flatten(struct hf_arena *a, struct hf_value *list)
{
	struct hf_value *out = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		struct hf_value *item = hf_list_at(list, i);
		if (!hf_is_sequence(item)) {
			hf_list_append(out, item);
			continue;
		}
		for (size_t k = 0; k < hf_list_len(item); k++)
			hf_list_append(out, hf_list_at(item, k));
	}
	return out;
}

/* --- lookup(), query() --- */

/* Strings are joined by commas, one other thing stands for itself, several stay a list. */
static struct hf_value *results_join(struct hf_arena *a, struct hf_value *list)
{
	bool text = true;
	for (size_t i = 0; i < hf_list_len(list); i++)
		text &= hf_list_at(list, i)->type == HF_STRING;
	if (!text)
		return hf_list_len(list) == 1 ? hf_list_at(list, 0) : list;
	if (hf_list_len(list) == 1)
		return hf_list_at(list, 0);
	hf_auto_buf out = hf_buf_init(HF_TEMPLATE_OUTPUT);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		hf_buf_puts(&out, i == 0 ? "" : ",");
		hf_buf_add(&out, hf_list_at(list, i)->u.string);
	}
	return hf_value_str(a, hf_buf_str(&out));
}

/* Options of the call that are about the call itself come off. */
static struct hf_value *options_take(struct hf_arena *a, const struct hf_call *call, bool *wantlist,
	bool *allow_unsafe, const char **errors)
{
	struct hf_value *options =
		call->kwargs == NULL ? hf_value_dict(a) : hf_value_shallow(a, call->kwargs);
	const struct hf_value *v;
	if ((v = hf_dict_get(options, "wantlist")) != NULL)
		*wantlist = hf_value_truthy(v);
	if ((v = hf_dict_get(options, "allow_unsafe")) != NULL)
		*allow_unsafe = hf_value_truthy(v);
	*errors = hf_dict_cstr(options, "errors", "strict");
	hf_dict_remove(options, "wantlist");
	hf_dict_remove(options, "allow_unsafe");
	hf_dict_remove(options, "errors");
	return options;
}

static int terms_template(
	const struct rendering *r, const struct hf_call *call, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *terms = hf_value_list(r->arena), *term = NULL;
	for (size_t i = 1; i < call->n_args; i++) {
		int result =
			templar_any(r->templar, r->arena, call->args[i], r->locals, r->chain, &term, err);
		if (result < 0)
			return result;
		hf_list_append(terms, term);
	}
	*ret = terms;
	return 0;
}

/* A lookup that failed is a template that failed, whatever the reason inside. */
static int lookup_failed(struct hf_error *why, struct hf_error *err)
{
	if (why->code != HF_E_UNDEFINED && why->code != HF_E_LIMIT && why->code != HF_E_DENIED)
		why->code = HF_E_TEMPLATE;
	if (err != NULL)
		*err = *why;
	return -(int)why->code;
}

static int lookup_global(struct hf_eval *e, const struct hf_call *call, bool wantlist, struct hf_value **ret,
	struct hf_error *err)
{
	struct rendering *r = hf_eval_data(e);
	const char *errors;
	bool allow_unsafe = false;
	if (call->n_args == 0 || call->args[0]->type != HF_STRING)
		return hf_fail(err, HF_E_TEMPLATE, "lookup() needs the name of a plugin");
	struct lookup_call c = { .templar = r->templar,
		.arena = r->arena,
		.locals = r->locals,
		.chain = r->chain,
		.search = r->search,
		.name = call->args[0]->u.string.p };
	c.options = options_take(r->arena, call, &wantlist, &allow_unsafe, &errors);
	bool known = lookup_find_plugin(c.name) != NULL;
	int result = terms_template(r, call, &c.terms, err);
	if (result < 0)
		return result;
	struct hf_value *list = NULL;
	struct hf_error why;
	result = lookup_run(&c, &list, &why);
	if (result < 0 && result != -HF_E_UNDEFINED && result != -HF_E_DENIED && known &&
		strcmp(errors, "strict") != 0) {
		if (strcmp(errors, "warn") == 0)
			templar_warn(
				r->templar, "Lookup failed but the error is being ignored: %s", why.text);
		*ret = wantlist ? hf_value_list(r->arena) : hf_value_null(r->arena);
		return 0;
	}
	if (result < 0)
		return lookup_failed(&why, err);
	if (hf_list_len(list) == 0) {
		*ret = list;
		return 0;
	}
	struct hf_value *v = wantlist ? list : results_join(r->arena, list);
	if (!allow_unsafe) {
		r->marks |= HF_VALUE_UNSAFE;
		v = templar_mark(r->arena, v, HF_VALUE_UNSAFE);
	}
	*ret = v;
	return 0;
}

int templar_global_lookup(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	return lookup_global(e, call, false, ret, err);
}

int templar_global_query(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	return lookup_global(e, call, true, ret, err);
}
