#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/module.h"

enum { ERRORS_MAX = 1500, OPTIONS_MAX = 1000, DEPTH_MAX = 8 };

struct params {
	struct hf_value *spec, *provided, *context;
};

static const struct hf_arg args[] = {
	{ "argument_spec", HF_ARG_RAW, offsetof(struct params, spec), HF_REQUIRED,
		.help = "Options and their types." },
	{ "provided_arguments", HF_ARG_DICT, offsetof(struct params, provided),
		.help = "Values beside the variables." },
	{ "validate_args_context", HF_ARG_DICT, offsetof(struct params, context),
		.help = "What is validated." },
	{ .type = HF_ARG_END },
};

static enum hf_arg_type type_of(const char *name)
{
	static const struct {
		const char *name;
		enum hf_arg_type type;
	} types[] = {
		{ "str", HF_ARG_STR },
		{ "bool", HF_ARG_BOOL },
		{ "int", HF_ARG_INT },
		{ "float", HF_ARG_FLOAT },
		{ "path", HF_ARG_PATH },
		{ "list", HF_ARG_LIST },
		{ "dict", HF_ARG_DICT },
		{ "json", HF_ARG_JSON },
		{ "jsonarg", HF_ARG_JSON },
		{ "bytes", HF_ARG_BYTES },
		{ "raw", HF_ARG_RAW },
	};
	for (size_t i = 0; i < HF_COUNT(types); i++) {
		if (name != NULL && strcmp(types[i].name, name) == 0)
			return types[i].type;
	}
	return name == NULL ? HF_ARG_STR : HF_ARG_RAW;
}

static bool yes(const struct hf_value *d, const char *key)
{
	const struct hf_value *v = hf_dict_get(d, key);
	return hf_is(v, HF_BOOL) && v->u.boolean;
}

static const char *const *texts(struct hf_arena *a, const struct hf_value *list)
{
	if (!hf_is(list, HF_LIST))
		return NULL;
	const char **out = hf_new_array(a, hf_list_len(list) + 1, const char *);
	for (size_t i = 0; i < hf_list_len(list); i++)
		out[i] = hf_value_text(a, hf_list_at(list, i)).p;
	return out;
}

/* The argument table a spec describes; every option gets room for any value. */
static const struct hf_arg *table_of(struct hf_arena *a, const struct hf_value *spec, unsigned depth)
{
	struct hf_arg *table = hf_new_array(a, hf_dict_len(spec) + 1, struct hf_arg);
	size_t n = 0;
	HF_DICT_EACH (spec, e) {
		const struct hf_value *one = hf_entry_value(e);
		if (!hf_is(one, HF_DICT))
			continue;
		struct hf_arg *arg = &table[n++];
		const char *elements = hf_dict_cstr(one, "elements", NULL);
		const struct hf_value *options = hf_dict_get(one, "options");
		arg->name = hf_value_text(a, hf_entry_key(e)).p;
		arg->type = type_of(hf_dict_cstr(one, "type", NULL));
		arg->offset = (n - 1) * 2 * sizeof(struct hf_str);
		arg->flags = (yes(one, "required") ? HF_REQUIRED : 0) | (yes(one, "no_log") ? HF_NO_LOG : 0);
		arg->choices = texts(a, hf_dict_get(one, "choices"));
		arg->aliases = texts(a, hf_dict_get(one, "aliases"));
		arg->elements = elements == NULL ? HF_ARG_END : type_of(elements);
		if (hf_is(options, HF_DICT) && depth < DEPTH_MAX)
			arg->options = table_of(a, options, depth + 1);
	}
	return table;
}

/* The variables the spec names, as the role will see them. */
static int take_variables(
	struct hf_module_context *c, const struct params *p, struct hf_value *into, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	HF_DICT_EACH (p->spec, e) {
		struct hf_value *v = NULL;
		int r = hf_task_evaluate(c, hf_value_text(a, hf_entry_key(e)), &v, err);
		if (r == -HF_E_UNDEFINED)
			continue;
		if (r < 0)
			return r;
		if (!hf_is(v, HF_UNDEFINED))
			hf_dict_set(into, hf_entry_key(e), v);
	}
	return 0;
}

static int by_text(const void *x, const void *y)
{
	const struct hf_value *a = *(const struct hf_value *const *)x,
			      *b = *(const struct hf_value *const *)y;
	return hf_str_compare(a->u.string, b->u.string);
}

/* Everything that is wrong, as Ansible tells it: what is missing first, then each option's own. */
static struct hf_value *all_errors(
	struct hf_arena *a, const struct hf_schema *schema, const struct hf_value *values, const char *first)
{
	enum { MISSING_MAX = 1 << 16 };
	struct hf_value *errors = hf_value_list(a);
	hf_auto_buf missing = hf_buf_init(MISSING_MAX);
	struct hf_value *names = hf_value_list(a);
	for (const struct hf_arg *arg = schema->args; arg->type != HF_ARG_END; arg++)
		if ((arg->flags & HF_REQUIRED) != 0 && hf_dict_get(values, arg->name) == NULL)
			hf_list_append(names, hf_value_cstr(a, arg->name));
	if (hf_list_len(names) > 1)
		qsort(names->u.list->at, hf_list_len(names), sizeof(*names->u.list->at), by_text);
	for (size_t i = 0; i < hf_list_len(names); i++)
		hf_buf_printf(&missing, "%s%s", i == 0 ? "" : ", ", hf_list_at(names, i)->u.string.p);
	if (missing.n > 0)
		hf_list_append(
			errors, hf_value_cstr(a, hf_sprintf(a, "missing required arguments: %s", missing.p)));
	for (const struct hf_arg *arg = schema->args; arg->type != HF_ARG_END; arg++) {
		struct hf_arg alone[2] = { *arg, { .type = HF_ARG_END } };
		struct hf_schema one = { alone, NULL, schema->size };
		struct hf_value *own = hf_value_dict(a), *given = hf_dict_get(values, arg->name);
		struct hf_error err;
		alone[0].flags &= ~(unsigned)HF_REQUIRED;
		if (given == NULL)
			continue;
		hf_dict_put(own, arg->name, given);
		if (hf_schema_bind(a, &one, own, NULL, hf_zalloc(a, one.size), NULL, &err) < 0)
			hf_list_append(errors, hf_value_cstr(a, hf_strdup(a, err.text)));
	}
	if (hf_list_len(errors) == 0)
		hf_list_append(errors, hf_value_cstr(a, hf_strdup(a, first)));
	return errors;
}

static int validate_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	if (!hf_is(p->spec, HF_DICT))
		return hf_fail(err, HF_E_TASK,
			"Incorrect type for argument_spec, expected dict and got <class '%s'>",
			hf_type_name(p->spec));
	struct hf_value *values = hf_value_dict(a);
	int r = take_variables(c, p, values, err);
	if (r < 0)
		return r;
	struct hf_schema schema = { table_of(a, p->spec, 0), NULL,
		(hf_dict_len(p->spec) + 1) * 2 * sizeof(struct hf_str) };
	struct hf_error own;
	r = hf_schema_bind(a, &schema, values, NULL, hf_zalloc(a, schema.size), NULL, &own);
	if (p->context != NULL)
		hf_result_put(c, change, "validate_args_context", p->context);
	if (r < 0) {
		enum { TEXT_MAX = 1 << 16 };
		struct hf_value *errors = all_errors(a, &schema, values, own.text);
		hf_auto_buf text = hf_buf_init(TEXT_MAX);
		for (size_t i = 0; i < hf_list_len(errors); i++)
			hf_buf_printf(&text, "\n%s", hf_list_at(errors, i)->u.string.p);
		hf_result_put(c, change, "argument_errors", errors);
		hf_result_put(c, change, "argument_spec_data", p->spec);
		return hf_fail(err, HF_E_TASK, "Validation of arguments failed:%s", text.p);
	}
	hf_result_cstr(c, change, "msg", "The arg spec validation passed");
	return 0;
}

const struct hf_module hf_module_validate_argument_spec = {
	.name = "validate_argument_spec",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_NO_BECOME | HF_MODULE_READ_ONLY,
	.check = validate_check,
};
