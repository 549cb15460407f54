#include "lib/data/schema.h"

#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/schema_convert.h"

enum { MESSAGE_MAX = 1500, WORD_MAX = 64, OPTIONS_DEPTH_MAX = 8 };

const struct hf_arg *hf_schema_find(const struct hf_arg *args, const char *name)
{
	for (const struct hf_arg *arg = args; arg->type != HF_ARG_END; arg++) {
		if (arg->name[0] == name[0] && strcmp(arg->name, name) == 0)
			return arg;
		for (size_t i = 0; arg->aliases != NULL && arg->aliases[i] != NULL; i++) {
			if (arg->aliases[i][0] == name[0] && strcmp(arg->aliases[i], name) == 0)
				return arg;
		}
	}
	return NULL;
}

/* Edit distance with swaps of neighbours; words longer than WORD_MAX are never near. */
static unsigned distance(const char *x, const char *y)
{
	size_t n = strlen(x), m = strlen(y);
	unsigned rows[3][WORD_MAX + 1];
	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	unsigned *before = rows[2], *last = rows[0], *now = rows[1];
	for (size_t i = 1; i <= n; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned best = last[j - 1] + (x[i - 1] != y[j - 1]);
			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1] &&
				before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		unsigned *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[m];
}

const char *hf_nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	unsigned most = (unsigned)(strlen(word) / 3) + 1, least = most > 3 ? 4 : most + 1;
	for (size_t i = 0; names[i] != NULL; i++) {
		unsigned d = distance(word, names[i]);
		if (d < least) {
			least = d;
			best = names[i];
		}
	}
	return best;
}

/* --- unknown options -------------------------------------------------------------------------------------
 */

static int refuse_unknown(struct hf_arena *a, const struct hf_arg *args, const struct hf_value *key,
	const char *label, struct hf_error *err)
{
	size_t n = 0;
	for (const struct hf_arg *arg = args; arg->type != HF_ARG_END; arg++)
		n++;
	const char **names = hf_new_array(a, n + 1, const char *);
	hf_auto_buf list = hf_buf_init(MESSAGE_MAX);
	for (size_t i = 0; i < n; i++) {
		names[i] = args[i].name;
		hf_buf_printf(&list, "%s%s", i == 0 ? "" : ", ", args[i].name);
	}
	const char *word = hf_value_text(a, key).p, *near = hf_nearest(word, names);
	const char *hint = near == NULL ? "" : hf_sprintf(a, " (did you mean %s?)", near);
	return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key),
		"Unsupported parameters: %s%s%s. Supported parameters include: %s.", label, word, hint,
		list.p == NULL ? "none" : list.p);
}

/* --- given values to a dict of canonical names --- */

static int convert_options(struct hf_arena *a, const struct hf_arg *args, const struct hf_value *values,
	const char *label, unsigned depth, struct hf_value **ret, struct hf_error *err);

static int convert_suboptions(struct hf_arena *a, const struct hf_arg *arg, const char *label, unsigned depth,
	struct hf_value **value, struct hf_error *err)
{
	if (depth == OPTIONS_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "options of %s are nested too deeply", label);
	const char *inner = hf_sprintf(a, "%s.", label);
	if (hf_is(*value, HF_DICT))
		return convert_options(a, arg->options, *value, inner, depth + 1, value, err);
	struct hf_value *list = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(*value); i++) {
		struct hf_value *item = hf_list_at(*value, i);
		if (!hf_is(item, HF_DICT))
			return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(item),
				"value of %s must be of type dict or list of dicts", label);
		int r = convert_options(a, arg->options, item, inner, depth + 1, &item, err);
		if (r < 0)
			return r;
		hf_list_append(list, item);
	}
	*value = hf_value_taint(a, list, *value);
	return 0;
}

static int convert_one(struct hf_arena *a, const struct hf_arg *arg, const char *label, unsigned depth,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err)
{
	if ((arg->flags & HF_NO_LOG) != 0 && !hf_is_secret(value))
		value = hf_value_with_flags(a, value, HF_VALUE_SECRET);
	int r = hf_schema_convert(a, arg, label, value, &value, err);
	if (r == 0 && arg->options != NULL)
		r = convert_suboptions(a, arg, label, depth, &value, err);
	if (r == 0)
		*ret = value;
	return r;
}

static int take_given(struct hf_arena *a, const struct hf_arg *args, const struct hf_value *values,
	const char *label, unsigned depth, struct hf_value *out, struct hf_error *err)
{
	HF_DICT_EACH (values, e) {
		const struct hf_value *key = hf_entry_key(e);
		struct hf_value *value = hf_entry_value(e);
		const struct hf_arg *arg =
			hf_is(key, HF_STRING) ? hf_schema_find(args, key->u.string.p) : NULL;
		if (arg == NULL)
			return refuse_unknown(a, args, key, label, err);
		if (hf_is(value, HF_OMIT) || (hf_is(value, HF_NULL) && (arg->flags & HF_REQUIRED) == 0))
			continue;
		if ((arg->flags & HF_REFUSED) != 0)
			return hf_fail_at(err, HF_E_UNSUPPORTED, hf_value_pos(key),
				"option '%s%s' is not supported: %s", label, arg->name, arg->help);
		const char *full = *label == '\0' ? arg->name : hf_sprintf(a, "%s%s", label, arg->name);
		int r = convert_one(a, arg, full, depth, value, &value, err);
		if (r < 0)
			return r;
		/* The canonical name wins over an alias that is given besides. */
		if (hf_dict_get(out, arg->name) == NULL || strcmp(arg->name, key->u.string.p) == 0)
			hf_dict_put(out, arg->name, value);
	}
	return 0;
}

static int check_required(const struct hf_arg *args, const struct hf_value *given,
	const struct hf_value *values, const char *label, struct hf_error *err)
{
	hf_auto_buf missing = hf_buf_init(MESSAGE_MAX);
	for (const struct hf_arg *arg = args; arg->type != HF_ARG_END; arg++) {
		if ((arg->flags & HF_REQUIRED) != 0 && hf_dict_get(given, arg->name) == NULL)
			hf_buf_printf(&missing, "%s%s", missing.n == 0 ? "" : ", ", arg->name);
	}
	if (missing.n == 0)
		return 0;
	if (*label == '\0')
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(values), "missing required arguments: %s",
			missing.p);
	return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(values),
		"missing required arguments: %s found in %.*s", missing.p, (int)strlen(label) - 1, label);
}

/* The value of an argument: the given one, else its default; NULL without either. */
static int value_or_default(struct hf_arena *a, const struct hf_arg *arg, const struct hf_value *given,
	const char *label, unsigned depth, struct hf_value **ret, struct hf_error *err)
{
	*ret = hf_dict_get(given, arg->name);
	if (*ret != NULL || arg->dflt == NULL)
		return 0;
	int r = convert_one(a, arg, arg->name, depth, hf_value_borrow(a, hf_str(arg->dflt)), ret, err);
	return r < 0 ? hf_wrap(err, "default of %s%s", label, arg->name) : 0;
}

static int add_defaults(struct hf_arena *a, const struct hf_arg *args, const char *label, unsigned depth,
	struct hf_value *out, struct hf_error *err)
{
	for (const struct hf_arg *arg = args; arg->type != HF_ARG_END; arg++) {
		if (arg->dflt == NULL || hf_dict_get(out, arg->name) != NULL)
			continue;
		struct hf_value *value = NULL;
		int r = value_or_default(a, arg, out, label, depth, &value, err);
		if (r < 0)
			return r;
		hf_dict_put(out, arg->name, value);
	}
	return 0;
}

static int convert_options(struct hf_arena *a, const struct hf_arg *args, const struct hf_value *values,
	const char *label, unsigned depth, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = hf_value_dict(a);
	int r = take_given(a, args, values, label, depth, out, err);
	if (r == 0)
		r = check_required(args, out, values, label, err);
	if (r == 0 && depth > 0)
		r = add_defaults(a, args, label, depth, out, err);
	if (r == 0)
		*ret = hf_value_taint(a, out, values);
	return r;
}

/* --- rules between options --- */

static size_t count_given(const struct hf_value *given, const char *const *names)
{
	size_t n = 0;
	for (size_t i = 0; names[i] != NULL; i++)
		n += hf_dict_get(given, names[i]) != NULL;
	return n;
}

static const char *joined(
	struct hf_arena *a, const char *const *names, const char *separator, const struct hf_value *without)
{
	hf_auto_buf out = hf_buf_init(MESSAGE_MAX);
	for (size_t i = 0; names[i] != NULL; i++) {
		if (without == NULL || hf_dict_get(without, names[i]) == NULL)
			hf_buf_printf(&out, "%s%s", out.n == 0 ? "" : separator, names[i]);
	}
	return out.n == 0 ? "" : hf_buf_dup(a, &out).p;
}

static int check_if(struct hf_arena *a, const struct hf_rule *rule, const struct hf_value *effective,
	struct hf_pos pos, struct hf_error *err)
{
	const struct hf_value *when = hf_dict_get(effective, rule->when);
	if (when == NULL)
		return 0;
	const char *text = hf_value_text(a, when).p;
	bool same = strcmp(text, rule->equals) == 0 ||
		    (hf_is(when, HF_BOOL) &&
			    hf_text_bool(hf_str(rule->equals)) == (when->u.boolean ? HF_YES : HF_NO));
	size_t n = 0, have = count_given(effective, rule->names);
	while (rule->names[n] != NULL)
		n++;
	if (!same || (rule->any ? have > 0 : have == n))
		return 0;
	return hf_fail_at(err, HF_E_ARGUMENT, pos, "%s is %s but %s of the following are missing: %s",
		rule->when, text, rule->any ? "any" : "all", joined(a, rule->names, ", ", effective));
}

static int check_rule(struct hf_arena *a, const struct hf_rule *rule, const struct hf_value *given,
	const struct hf_value *effective, struct hf_pos pos, struct hf_error *err)
{
	size_t n = 0, have = count_given(given, rule->names);
	while (rule->names[n] != NULL)
		n++;
	switch (rule->kind) {
	case HF_RULE_EXCLUSIVE:
		if (have > 1)
			return hf_fail_at(err, HF_E_ARGUMENT, pos, "parameters are mutually exclusive: %s",
				joined(a, rule->names, "|", NULL));
		break;
	case HF_RULE_ONE_OF:
		if (have == 0)
			return hf_fail_at(err, HF_E_ARGUMENT, pos, "one of the following is required: %s",
				joined(a, rule->names, ", ", NULL));
		break;
	case HF_RULE_TOGETHER:
		if (have > 0 && have < n)
			return hf_fail_at(err, HF_E_ARGUMENT, pos, "parameters are required together: %s",
				joined(a, rule->names, ", ", NULL));
		break;
	case HF_RULE_IF:
		return check_if(a, rule, effective, pos, err);
	case HF_RULE_BY:
		if (hf_dict_get(given, rule->when) != NULL && have < n)
			return hf_fail_at(err, HF_E_ARGUMENT, pos,
				"missing parameter(s) required by '%s': %s", rule->when,
				joined(a, rule->names, ", ", given));
		break;
	case HF_RULE_END:
		break;
	}
	return 0;
}

static int check_rules(struct hf_arena *a, const struct hf_schema *schema, const struct hf_value *given,
	struct hf_pos pos, struct hf_error *err)
{
	struct hf_value *effective = NULL; /* with the defaults: only "if" looks at them */
	int r = 0;
	for (const struct hf_rule *rule = schema->rules; r == 0 && rule != NULL && rule->kind != HF_RULE_END;
		rule++) {
		if (rule->kind == HF_RULE_IF && effective == NULL) {
			effective = hf_value_shallow(a, given);
			r = add_defaults(a, schema->args, "", 0, effective, err);
		}
		if (r == 0)
			r = check_rule(a, rule, given, effective, pos, err);
	}
	return r;
}

/* --- into the struct --- */

static void store(const struct hf_arg *arg, struct hf_value *v, char *params)
{
	void *at = params + arg->offset;
	switch (arg->type) {
	case HF_ARG_STR:
	case HF_ARG_MODE:
	case HF_ARG_PATH:
	case HF_ARG_JSON:
		*(const char **)at = v == NULL ? NULL : v->u.string.p;
		break;
	case HF_ARG_TEXT:
		*(struct hf_str *)at = v == NULL ? (struct hf_str){ 0 } : v->u.string;
		break;
	case HF_ARG_BOOL:
		*(enum hf_tristate *)at = v == NULL ? HF_UNSET : v->u.boolean ? HF_YES : HF_NO;
		break;
	case HF_ARG_INT:
	case HF_ARG_BYTES:
		*(int64_t *)at = v == NULL ? 0 : v->u.integer;
		break;
	case HF_ARG_FLOAT:
		*(double *)at = v == NULL ? 0 : v->u.real;
		break;
	case HF_ARG_LIST:
	case HF_ARG_DICT:
	case HF_ARG_RAW:
		*(struct hf_value **)at = v;
		break;
	case HF_ARG_ENUM:
		*(int *)at = v == NULL ? -1 : hf_schema_choice(arg->choices, v->u.string);
		break;
	case HF_ARG_END:
		break;
	}
}

static int bind(struct hf_arena *a, const struct hf_schema *schema, const struct hf_value *values,
	char *params, struct hf_value **ret_given, struct hf_error *err)
{
	if (!hf_is(values, HF_DICT))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(values), "options must be a dictionary");
	struct hf_value *given = NULL;
	int r = convert_options(a, schema->args, values, "", 0, &given, err);
	if (r < 0)
		return r;
	r = check_rules(a, schema, given, hf_value_pos(values), err);
	memset(params, 0, schema->size);
	for (const struct hf_arg *arg = schema->args; r == 0 && arg->type != HF_ARG_END; arg++) {
		struct hf_value *value = NULL;
		r = value_or_default(a, arg, given, "", 0, &value, err);
		if (r == 0)
			store(arg, value, params);
	}
	if (r < 0)
		return r;
	if (ret_given != NULL)
		*ret_given = given;
	return 0;
}

int hf_schema_bind(struct hf_arena *a, const struct hf_schema *schema, const struct hf_value *values,
	const char *what, void *ret_params, struct hf_value **ret_given, struct hf_error *err)
{
	int r = bind(a, schema, values, ret_params, ret_given, err);
	return r < 0 && what != NULL ? hf_wrap(err, "%s", what) : r;
}

static struct hf_value *shown(struct hf_arena *a, const struct hf_arg *arg, const struct hf_value *given)
{
	struct hf_value *v = NULL;
	struct hf_error unconverted;
	if (value_or_default(a, arg, given, "", 0, &v, &unconverted) < 0 || v == NULL)
		return hf_value_null(a);
	if ((arg->flags & HF_NO_LOG) != 0)
		return hf_value_cstr(a, "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER");
	return v;
}

struct hf_value *hf_schema_shown(struct hf_arena *a, const struct hf_schema *schema,
	const struct hf_value *values, const struct hf_value *given)
{
	struct hf_value *out = hf_value_dict(a);
	for (const struct hf_arg *arg = schema->args; arg->type != HF_ARG_END; arg++)
		hf_dict_put(out, arg->name, shown(a, arg, given));
	HF_DICT_EACH (values, e) {
		const struct hf_value *key = hf_entry_key(e);
		const struct hf_arg *arg = !hf_is(key, HF_STRING) || hf_is(hf_entry_value(e), HF_OMIT)
						   ? NULL
						   : hf_schema_find(schema->args, key->u.string.p);
		if (arg != NULL && strcmp(arg->name, key->u.string.p) != 0)
			hf_dict_set(out, hf_entry_key(e), hf_dict_get(out, arg->name));
	}
	return out;
}
