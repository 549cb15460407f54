#include "lib/data/schema_convert.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"

enum { TEXT_MAX = 64 << 20, LIST_MAX = 1000000 };

static const char *type_word(enum hf_arg_type type)
{
	static const char *const words[] = {
		[HF_ARG_END] = "raw",
		[HF_ARG_STR] = "str",
		[HF_ARG_TEXT] = "str",
		[HF_ARG_BOOL] = "bool",
		[HF_ARG_INT] = "int",
		[HF_ARG_FLOAT] = "float",
		[HF_ARG_MODE] = "raw",
		[HF_ARG_PATH] = "path",
		[HF_ARG_LIST] = "list",
		[HF_ARG_DICT] = "dict",
		[HF_ARG_RAW] = "raw",
		[HF_ARG_ENUM] = "str",
		[HF_ARG_BYTES] = "bytes",
		[HF_ARG_JSON] = "jsonarg",
	};
	return words[type];
}

static int refuse(const struct hf_arg *arg, const char *label, const struct hf_value *value, const char *why,
	struct hf_error *err)
{
	return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(value),
		"argument '%s' is of type <class '%s'> and we were unable to convert to %s: %s", label,
		hf_type_name(value), type_word(arg->type), why);
}

/* A copy of value with new content keeps the marks and the place of the old. */
static struct hf_value *carry(struct hf_arena *a, struct hf_value *made, const struct hf_value *from)
{
	made = hf_value_taint(a, made, from);
	return hf_value_pos(made).line == 0 && from->line != 0 ? hf_value_at(made, hf_value_pos(from)) : made;
}

static struct hf_value *text_of(struct hf_arena *a, struct hf_value *value)
{
	if (hf_is(value, HF_STRING))
		return value;
	return carry(a, hf_value_borrow(a, hf_value_text(a, value)), value);
}

static int convert_text(struct hf_arena *a, const struct hf_arg *arg, const char *label,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err)
{
	if (hf_is(value, HF_NULL))
		return refuse(arg, label, value, "'None' is not a string and conversion is not allowed", err);
	*ret = text_of(a, value);
	return 0;
}

enum hf_tristate hf_text_bool(struct hf_str text)
{
	static const struct {
		const char word[6];
		enum hf_tristate value;
	} words[] = {
		{ "yes", HF_YES },
		{ "no", HF_NO },
		{ "true", HF_YES },
		{ "false", HF_NO },
		{ "on", HF_YES },
		{ "off", HF_NO },
		{ "1", HF_YES },
		{ "0", HF_NO },
		{ "y", HF_YES },
		{ "n", HF_NO },
		{ "t", HF_YES },
		{ "f", HF_NO },
		{ "1.0", HF_YES },
		{ "0.0", HF_NO },
	};
	struct hf_str s = hf_str_trim(text);
	for (size_t i = 0; s.n > 0 && i < HF_COUNT(words); i++) {
		const char *word = words[i].word;
		bool as_long = s.n < sizeof(words[i].word) && word[s.n - 1] != '\0' && word[s.n] == '\0';
		if (as_long && strncasecmp(word, s.p, s.n) == 0)
			return words[i].value;
	}
	return HF_UNSET;
}

static int convert_bool(struct hf_arena *a, const struct hf_arg *arg, const char *label,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err)
{
	if (hf_is(value, HF_BOOL)) {
		*ret = value;
		return 0;
	}
	enum hf_tristate b = HF_UNSET;
	if (hf_is(value, HF_STRING) || hf_is(value, HF_INT) || hf_is(value, HF_FLOAT))
		b = hf_text_bool(hf_value_text(a, value));
	if (b == HF_UNSET) {
		const char *why = hf_sprintf(a,
			"The value '%s' is not a valid boolean.  Valid booleans include: 0, 1, 'f', 'false', "
			"'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'",
			hf_is_secret(value) ? "********" : hf_value_text(a, value).p);
		return refuse(arg, label, value, why, err);
	}
	*ret = carry(a, hf_value_bool(a, b == HF_YES), value);
	return 0;
}

static int convert_int(struct hf_arena *a, const struct hf_arg *arg, const char *label,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err)
{
	if (hf_is(value, HF_INT)) {
		*ret = value;
		return 0;
	}
	int64_t n;
	if (hf_is(value, HF_BOOL)) {
		n = value->u.boolean;
	} else {
		struct hf_str s = hf_is(value, HF_STRING) ? hf_str_trim(value->u.string) : HF_STR("");
		if (s.n > 1 && s.p[0] == '+')
			s = hf_strn(s.p + 1, s.n - 1);
		if (!hf_str_to_int64(s, &n)) {
			const char *why = hf_sprintf(
				a, "<class '%s'> cannot be converted to an int", hf_type_name(value));
			return refuse(arg, label, value, why, err);
		}
	}
	*ret = carry(a, hf_value_int(a, n), value);
	return 0;
}

static int convert_float(struct hf_arena *a, const struct hf_arg *arg, const char *label,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err)
{
	if (hf_is(value, HF_FLOAT)) {
		*ret = value;
		return 0;
	}
	double d = 0;
	bool ok = hf_is(value, HF_INT);
	if (ok) {
		d = (double)value->u.integer;
	} else if (hf_is(value, HF_STRING)) {
		struct hf_str s = hf_str_trim(value->u.string);
		char *end = NULL, *text = hf_str_dup(a, s);
		d = strtod(text, &end);
		ok = s.n > 0 && *end == '\0';
	}
	if (!ok) {
		const char *why =
			hf_sprintf(a, "<class '%s'> cannot be converted to a float", hf_type_name(value));
		return refuse(arg, label, value, why, err);
	}
	*ret = carry(a, hf_value_float(a, d), value);
	return 0;
}

static int convert_mode(struct hf_arena *a, const struct hf_arg *arg, const char *label,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err)
{
	if (!hf_is(value, HF_INT))
		return convert_text(a, arg, label, value, ret, err);
	*ret = carry(
		a, hf_value_cstr(a, hf_sprintf(a, "0%03llo", (unsigned long long)value->u.integer)), value);
	return 0;
}

/* The NAME of $NAME or ${NAME} at p; *ret_end is behind it. Empty when p starts none. */
static struct hf_str variable_at(const char *p, const char **ret_end)
{
	const char *start = p + 1, *end;
	if (*start == '{') {
		start++;
		end = strchr(start, '}');
		*ret_end = end == NULL ? p : end + 1;
		return end == NULL ? HF_STR("") : hf_strn(start, (size_t)(end - start));
	}
	for (end = start; isalnum((unsigned char)*end) || *end == '_';)
		end++;
	*ret_end = end;
	return hf_strn(start, (size_t)(end - start));
}

/* As os.path.expandvars: what is not set stays as it is written. */
static const char *expand_vars(struct hf_arena *a, const char *path)
{
	if (strchr(path, '$') == NULL)
		return path;
	hf_auto_buf out = hf_buf_init(TEXT_MAX);
	for (const char *p = path; *p != '\0';) {
		const char *end = p;
		struct hf_str name = *p == '$' ? variable_at(p, &end) : HF_STR("");
		const char *value = name.n == 0 ? NULL : getenv(hf_str_dup(a, name));
		if (value == NULL) {
			hf_buf_put(&out, *p++);
		} else {
			hf_buf_puts(&out, value);
			p = end;
		}
	}
	return hf_buf_dup(a, &out).p;
}

static int convert_path(struct hf_arena *a, const struct hf_arg *arg, const char *label,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err)
{
	int r = convert_text(a, arg, label, value, ret, err);
	if (r < 0)
		return r;
	struct hf_str s = (*ret)->u.string;
	if (memchr(s.p, '\0', s.n) != NULL)
		return refuse(arg, label, value, "a path cannot hold a NUL", err);
	const char *path = expand_vars(a, hf_path_expand_user(a, s.p, NULL));
	if (path != s.p)
		*ret = carry(a, hf_value_cstr(a, path), value);
	return 0;
}

static int convert_elements(struct hf_arena *a, const struct hf_arg *arg, const char *label,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err)
{
	if (arg->elements == HF_ARG_END && arg->choices == NULL) {
		*ret = value;
		return 0;
	}
	struct hf_arg element = { .name = arg->name, .type = arg->elements, .options = arg->options };
	if (element.type == HF_ARG_END)
		element.type = HF_ARG_RAW;
	struct hf_value *list = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(value); i++) {
		struct hf_value *item = hf_list_at(value, i);
		int r = hf_schema_convert(a, &element, label, item, &item, err);
		if (r < 0)
			return hf_wrap(err, "Elements value for option '%s'", label);
		if (arg->choices != NULL && hf_schema_choice(arg->choices, hf_value_text(a, item)) < 0) {
			hf_auto_buf names = hf_buf_init(TEXT_MAX);
			for (size_t c = 0; arg->choices[c] != NULL; c++)
				hf_buf_printf(&names, "%s%s", c == 0 ? "" : ", ", arg->choices[c]);
			return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(value),
				"value of %s must be one or more of: %s. Got no match for: %s", label,
				names.p, hf_value_text(a, item).p);
		}
		hf_list_append(list, item);
	}
	*ret = carry(a, list, value);
	return 0;
}

static int convert_list(struct hf_arena *a, const struct hf_arg *arg, const char *label,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *list = NULL;
	if (hf_is_sequence(value)) {
		list = value;
	} else if (hf_is(value, HF_STRING)) {
		list = carry(a, hf_value_list(a), value);
		struct hf_str rest = value->u.string, piece;
		for (size_t from = 0, n = 0; n < LIST_MAX; n++) {
			size_t at = hf_str_find(rest, HF_STR(","), from);
			piece = hf_strn(rest.p + from, (at == SIZE_MAX ? rest.n : at) - from);
			hf_list_append(list, carry(a, hf_value_str(a, piece), value));
			if (at == SIZE_MAX)
				break;
			from = at + 1;
		}
	} else if (hf_is(value, HF_INT) || hf_is(value, HF_FLOAT) || hf_is(value, HF_BOOL)) {
		list = carry(a, hf_value_list(a), value);
		hf_list_append(list, text_of(a, value));
	} else {
		return refuse(arg, label, value,
			hf_sprintf(a, "<class '%s'> cannot be converted to a list", hf_type_name(value)),
			err);
	}
	return convert_elements(a, arg, label, list, ret, err);
}

/* Adds "k=v" to dict; nothing for blanks. False when there is no "=". */
static bool put_pair(
	struct hf_arena *a, struct hf_value *dict, struct hf_str text, const struct hf_value *from)
{
	struct hf_str field = hf_str_trim(text);
	if (field.n == 0)
		return true;
	size_t at = hf_str_find(field, HF_STR("="), 0);
	if (at == SIZE_MAX)
		return false;
	hf_dict_put(dict, hf_strndup(a, field.p, at),
		carry(a, hf_value_str(a, hf_strn(field.p + at + 1, field.n - at - 1)), from));
	return true;
}

/* "k=v, k2='v 2'": pieces end at commas or blanks outside quotes; a backslash takes the next character as it
 * is. */
static int split_pairs(struct hf_arena *a, const struct hf_value *from, struct hf_value **ret)
{
	struct hf_value *dict = hf_value_dict(a);
	hf_auto_buf piece = hf_buf_init(TEXT_MAX);
	struct hf_str s = from->u.string;
	char quote = '\0';
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '\\' && i + 1 < s.n) {
			hf_buf_put(&piece, s.p[++i]);
		} else if (quote != '\0' ? c == quote : c == '\'' || c == '"') {
			quote = quote == '\0' ? c : '\0';
		} else if (quote == '\0' && (c == ',' || c == ' ')) {
			if (!put_pair(a, dict, hf_buf_str(&piece), from))
				return -1;
			hf_buf_clear(&piece);
		} else {
			hf_buf_put(&piece, c);
		}
	}
	*ret = dict;
	return put_pair(a, dict, hf_buf_str(&piece), from) ? 0 : -1;
}

static int convert_dict(struct hf_arena *a, const struct hf_arg *arg, const char *label,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *dict = value;
	if (hf_is(value, HF_STRING)) {
		struct hf_str s = hf_str_trim(value->u.string);
		if (s.n > 0 && s.p[0] == '{') {
			if (hf_json_parse(a, s, value->file != NULL ? value->file : "option", &dict, err) <
					0 ||
				!hf_is(dict, HF_DICT))
				return refuse(
					arg, label, value, "unable to evaluate string as dictionary", err);
		} else if (memchr(s.p, '=', s.n) == NULL || split_pairs(a, value, &dict) < 0) {
			return refuse(arg, label, value,
				"dictionary requested, could not parse JSON or key=value", err);
		}
		dict = carry(a, dict, value);
	} else if (!hf_is(value, HF_DICT)) {
		return refuse(arg, label, value,
			hf_sprintf(a, "<class '%s'> cannot be converted to a dict", hf_type_name(value)),
			err);
	}
	*ret = dict;
	return 0;
}

/* Power of 1024 that "K", "KB", " M" … stand for; -1 for another word. */
static int unit_power(const char *unit)
{
	static const char units[] = "BKMGTPEZY";
	while (*unit == ' ')
		unit++;
	if (*unit == '\0')
		return 0;
	const char *at = strchr(units, toupper((unsigned char)*unit));
	bool known = unit[1] == '\0' || strcasecmp(unit + 1, "B") == 0 || strcasecmp(unit, "bytes") == 0;
	return at == NULL || !known ? -1 : (int)(at - units);
}

static int convert_bytes(struct hf_arena *a, const struct hf_arg *arg, const char *label,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err)
{
	if (hf_is(value, HF_INT)) {
		*ret = value;
		return 0;
	}
	struct hf_str text = hf_str_trim(hf_value_text(a, value));
	char *end = NULL;
	double number = strtod(text.n == 0 ? "" : hf_str_dup(a, text), &end);
	int power = end == NULL || text.n == 0 || !isdigit((unsigned char)text.p[0]) ? -1 : unit_power(end);
	if (power < 0)
		return refuse(arg, label, value,
			hf_sprintf(a, "human_to_bytes() failed to convert %s", text.p), err);
	double bytes = nearbyint(ldexp(number, 10 * power));
	if (bytes >= 9.2e18)
		return refuse(arg, label, value, "the number of bytes is too large", err);
	*ret = carry(a, hf_value_int(a, (int64_t)bytes), value);
	return 0;
}

static int convert_json(struct hf_arena *a, const struct hf_arg *arg, const char *label,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err)
{
	if (hf_is(value, HF_STRING)) {
		struct hf_str s = hf_str_trim(value->u.string);
		*ret = s.n == value->u.string.n ? value : carry(a, hf_value_str(a, s), value);
		return 0;
	}
	if (!hf_is(value, HF_DICT) && !hf_is_sequence(value))
		return refuse(arg, label, value,
			hf_sprintf(
				a, "<class '%s'> cannot be converted to a json string", hf_type_name(value)),
			err);
	hf_auto_buf out = hf_buf_init(TEXT_MAX);
	int r = hf_json_write(&out, value, &HF_JSON_PYTHON, err);
	if (r < 0)
		return hf_wrap(err, "argument '%s'", label);
	*ret = carry(a, hf_value_str(a, hf_buf_str(&out)), value);
	return 0;
}

static int convert_raw(struct hf_arena *a HF_UNUSED, const struct hf_arg *arg HF_UNUSED,
	const char *label HF_UNUSED, struct hf_value *value, struct hf_value **ret,
	struct hf_error *err HF_UNUSED)
{
	*ret = value;
	return 0;
}

int hf_schema_choice(const char *const *choices, struct hf_str text)
{
	for (int i = 0; choices[i] != NULL; i++) {
		if (hf_str_is(text, choices[i]))
			return i;
	}
	return -1;
}

/* `state: on` reaches us as a boolean: the one choice that means the same is what was written. */
static struct hf_value *choice_of_bool(struct hf_arena *a, const char *const *choices, struct hf_value *value)
{
	if (!hf_str_is(value->u.string, "True") && !hf_str_is(value->u.string, "False"))
		return value;
	enum hf_tristate want = hf_text_bool(value->u.string);
	const char *found = NULL;
	for (size_t i = 0; choices[i] != NULL; i++) {
		if (hf_text_bool(hf_str(choices[i])) == want) {
			if (found != NULL)
				return value;
			found = choices[i];
		}
	}
	return found == NULL ? value : carry(a, hf_value_cstr(a, found), value);
}

int hf_schema_convert(struct hf_arena *a, const struct hf_arg *arg, const char *label, struct hf_value *value,
	struct hf_value **ret, struct hf_error *err)
{
	static int (*const table[])(struct hf_arena *, const struct hf_arg *, const char *, struct hf_value *,
		struct hf_value **, struct hf_error *) = {
		[HF_ARG_END] = convert_raw,
		[HF_ARG_STR] = convert_text,
		[HF_ARG_TEXT] = convert_text,
		[HF_ARG_BOOL] = convert_bool,
		[HF_ARG_INT] = convert_int,
		[HF_ARG_FLOAT] = convert_float,
		[HF_ARG_MODE] = convert_mode,
		[HF_ARG_PATH] = convert_path,
		[HF_ARG_LIST] = convert_list,
		[HF_ARG_DICT] = convert_dict,
		[HF_ARG_RAW] = convert_raw,
		[HF_ARG_ENUM] = convert_text,
		[HF_ARG_BYTES] = convert_bytes,
		[HF_ARG_JSON] = convert_json,
	};
	struct hf_value *made = NULL;
	int r = table[arg->type](a, arg, label, value, &made, err);
	if (r < 0)
		return r;
	if (arg->choices != NULL && hf_is(made, HF_STRING) &&
		hf_schema_choice(arg->choices, made->u.string) < 0) {
		made = choice_of_bool(a, arg->choices, made);
		if (hf_schema_choice(arg->choices, made->u.string) < 0) {
			hf_auto_buf names = hf_buf_init(TEXT_MAX);
			for (size_t i = 0; arg->choices[i] != NULL; i++)
				hf_buf_printf(&names, "%s%s", i == 0 ? "" : ", ", arg->choices[i]);
			return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(value),
				"value of %s must be one of: %s, got: %s", label,
				names.p == NULL ? "" : names.p,
				hf_is_secret(made) ? "********" : made->u.string.p);
		}
	}
	*ret = made;
	return 0;
}
