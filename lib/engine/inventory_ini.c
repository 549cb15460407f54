#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/yaml.h"
#include "lib/engine/args.h"
#include "lib/engine/inventory_read.h"

enum { LINES_MAX = 1000000 };

static struct hf_value *constant(struct hf_arena *a, struct hf_str s)
{
	if (hf_str_is(s, "True") || hf_str_is(s, "False"))
		return hf_value_bool(a, s.p[0] == 'T');
	return hf_str_is(s, "None") ? hf_value_null(a) : NULL;
}

static struct hf_value *number(struct hf_arena *a, struct hf_str s)
{
	int64_t n;
	if (s.n == 0 || (!isdigit((unsigned char)s.p[0]) && s.p[0] != '-' && s.p[0] != '.'))
		return NULL;
	if (s.n > 1 && s.p[0] == '0' && isdigit((unsigned char)s.p[1]))
		return NULL;
	if (hf_str_to_int64(s, &n))
		return hf_value_int(a, n);
	char *end = NULL, *text = hf_str_dup(a, s);
	double d = memchr(s.p, '.', s.n) == NULL ? 0 : strtod(text, &end);
	return end != NULL && *end == '\0' && end != text ? hf_value_float(a, d) : NULL;
}

/* A value as Python's literal_eval reads it; what is none is text. */
static struct hf_value *literal(struct hf_arena *a, struct hf_str s, struct hf_pos pos)
{
	struct hf_value *v = constant(a, s);
	if (v == NULL)
		v = number(a, s);
	if (v != NULL)
		return v;
	if (s.n > 1 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
		return hf_value_str(a, hf_strn(s.p + 1, s.n - 2));
	bool container = s.n > 1 && (s.p[0] == '[' || s.p[0] == '{') && s.p[1] != '{' && s.p[1] != '%';
	if (container && hf_yaml_parse(a, s, pos.file, NULL, &v, NULL) == 0)
		return v;
	return hf_value_str(a, s);
}

static struct hf_str without_comment(struct hf_str line)
{
	char quote = '\0';
	for (size_t i = 0; i < line.n; i++) {
		char c = line.p[i];
		if (quote != '\0' ? c == quote : c == '\'' || c == '"')
			quote = quote == '\0' ? c : '\0';
		else if (c == '#' && quote == '\0' && (i == 0 || isblank((unsigned char)line.p[i - 1])))
			return hf_strn(line.p, i);
	}
	return line;
}

static int bad(struct hf_pos pos, struct hf_str line, const char *why, struct hf_error *err)
{
	return hf_fail_at(err, HF_E_PARSE, pos, "%s: %.*s", why, HF_STR_ARG(line));
}

static int host_line(struct hf_inventory *v, struct hf_group *group, struct hf_str line, struct hf_pos pos,
	struct hf_error *err)
{
	struct hf_value *pieces = NULL, *names = NULL;
	int r = hf_args_split(v->arena, line, &pieces, err);
	if (r == 0 && hf_list_len(pieces) > 0)
		r = hf_inventory_expand(v->arena, hf_str_trim(hf_list_at(pieces, 0)->u.string), &names, err);
	if (r < 0)
		return hf_error_set_pos(err, pos);
	for (size_t n = 0; names != NULL && n < hf_list_len(names); n++) {
		struct hf_host *h = hf_inventory_host(v, hf_list_at(names, n)->u.string.p);
		hf_inventory_join(v, group, h);
		for (size_t i = 1; i < hf_list_len(pieces); i++) {
			struct hf_str piece = hf_str_trim(hf_list_at(pieces, i)->u.string);
			size_t at = hf_str_find(piece, HF_STR("="), 0);
			if (at == SIZE_MAX)
				return bad(pos, line, "Expected key=value host variable assignment", err);
			struct hf_str value = hf_strn(piece.p + at + 1, piece.n - at - 1);
			/* shlex takes quotes away first, then the rest is read as a literal. */
			if (value.n > 1 && (value.p[0] == '"' || value.p[0] == '\'') &&
				value.p[value.n - 1] == value.p[0])
				value = hf_strn(value.p + 1, value.n - 2);
			hf_dict_put(h->vars, hf_strndup(v->arena, piece.p, at),
				hf_value_at(literal(v->arena, value, pos), pos));
		}
	}
	return 0;
}

static int vars_line(struct hf_inventory *v, struct hf_group *group, struct hf_str line, struct hf_pos pos,
	struct hf_error *err)
{
	size_t at = hf_str_find(line, HF_STR("="), 0);
	if (at == SIZE_MAX)
		return bad(pos, line, "Expected key=value", err);
	struct hf_str key = hf_str_trim(hf_strn(line.p, at));
	struct hf_str value = hf_str_trim(hf_strn(line.p + at + 1, line.n - at - 1));
	struct hf_value *made = hf_value_at(literal(v->arena, value, pos), pos);
	if (hf_str_is(key, "ansible_group_priority") && hf_is(made, HF_INT))
		group->priority = made->u.integer;
	hf_dict_put(group->vars, hf_str_dup(v->arena, key), made);
	return 0;
}

enum section { HOSTS, VARS, CHILDREN };

static int section_line(struct hf_inventory *v, struct hf_str line, struct hf_pos pos,
	struct hf_group **group, enum section *kind, struct hf_error *err)
{
	if (line.p[line.n - 1] != ']')
		return bad(pos, line,
			"Invalid section entry. Please make sure that there are no spaces in the section",
			err);
	struct hf_str name = hf_str_trim(hf_strn(line.p + 1, line.n - 2)), suffix = { 0 };
	size_t at = hf_str_find(name, HF_STR(":"), 0);
	if (at != SIZE_MAX) {
		suffix = hf_strn(name.p + at + 1, name.n - at - 1);
		name = hf_strn(name.p, at);
	}
	if (suffix.n > 0 && !hf_str_is(suffix, "vars") && !hf_str_is(suffix, "children") &&
		!hf_str_is(suffix, "hosts"))
		return bad(pos, line, "Section has unknown type", err);
	*kind = hf_str_is(suffix, "vars") ? VARS : hf_str_is(suffix, "children") ? CHILDREN : HOSTS;
	*group = hf_inventory_group(v, hf_str_dup(v->arena, name));
	return 0;
}

int hf_inventory_read_ini(struct hf_inventory *v, const char *path, struct hf_str text, struct hf_error *err)
{
	struct hf_group *group = v->ungrouped;
	enum section kind = HOSTS;
	struct hf_str line;
	struct hf_pos pos = { .file = hf_strdup(v->arena, path) };
	for (size_t n = 0; hf_str_split(&text, '\n', &line); n++) {
		pos.line++;
		if (n >= LINES_MAX)
			return hf_fail_at(
				err, HF_E_LIMIT, pos, "inventory has more than %d lines", LINES_MAX);
		line = hf_str_trim(line);
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
			continue;
		int r = 0;
		if (line.p[0] == '[' && (kind != VARS || memchr(line.p, '=', line.n) == NULL))
			r = section_line(v, hf_str_trim(without_comment(line)), pos, &group, &kind, err);
		else if (kind == VARS)
			r = vars_line(v, group, hf_str_trim(without_comment(line)), pos, err);
		else if (kind == CHILDREN)
			hf_inventory_nest(v, group,
				hf_inventory_group(
					v, hf_str_dup(v->arena, hf_str_trim(without_comment(line)))));
		else
			r = host_line(v, group, hf_str_trim(without_comment(line)), pos, err);
		if (r < 0)
			return r;
	}
	return 0;
}
