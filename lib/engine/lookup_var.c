/* lib/engine/lookup_var.c - variables and the environment: vars, varnames, env; inventory_hostnames, url. */
#include <stdlib.h>

#include "lib/engine/filters.h"
#include "lib/engine/lookup.h"
#include "lib/engine/regex.h"

static int lookup_vars(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	for (size_t i = 0; i < hf_list_len(c->terms); i++) {
		const struct hf_value *term = hf_list_at(c->terms, i);
		struct hf_value *v = NULL, *fallback = lookup_option(c, "default");
		if (term->type != HF_STRING)
			return hf_fail(err, HF_E_TEMPLATE,
				"Invalid setting identifier, \"%s\" is not a string, its a %s",
				hf_value_text(c->arena, term).p, hf_type_name(term));
		int r = lookup_variable(c, term->u.string, &v, err);
		if (r < 0)
			return r;
		if (v == NULL)
			v = fallback;
		if (v == NULL)
			return hf_fail(err, HF_E_UNDEFINED, "No variable found with this name: %.*s",
				HF_STR_ARG(term->u.string));
		hf_list_append(into, v);
	}
	return 0;
}

static int names_match(const struct lookup_call *c, const struct hf_value *names, struct hf_str pattern,
	struct hf_value *into, struct hf_error *err)
{
	hf_auto_regex re = NULL;
	int r = hf_regex_get(pattern, 0, &re, err);
	if (r < 0)
		return hf_wrap(err, "Unable to use \"%.*s\" as a search parameter", HF_STR_ARG(pattern));
	for (size_t i = 0; r == 0 && i < hf_list_len(names); i++) {
		struct hf_regex_match m;
		r = hf_regex_exec(c->arena, re, hf_list_at(names, i)->u.string, 0, HF_REGEX_SEARCH, &m, err);
		if (r == 0 && m.found)
			hf_list_append(into, hf_list_at(names, i));
	}
	return r;
}

static int lookup_varnames(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	const struct hf_templar_source *source = &c->templar->source;
	struct hf_value *names = hf_value_list(c->arena);
	int r = source->names == NULL ? 0 : source->names(source->data, c->arena, &names, err);
	if (r == 0 && c->locals != NULL)
		HF_DICT_EACH (c->locals, e)
			if (!filter_contains(names, hf_entry_key(e)))
				hf_list_append(names, hf_entry_key(e));
	for (size_t i = 0; r == 0 && i < hf_list_len(c->terms); i++) {
		const struct hf_value *term = hf_list_at(c->terms, i);
		r = term->type != HF_STRING
			    ? hf_fail(err, HF_E_TEMPLATE,
				      "Invalid setting identifier, \"%s\" is not a string, it is a %s",
				      hf_value_text(c->arena, term).p, hf_type_name(term))
			    : names_match(c, names, term->u.string, into, err);
	}
	return r;
}

static int lookup_env(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	for (size_t i = 0; i < hf_list_len(c->terms); i++) {
		struct hf_str term;
		int r = lookup_text(c, hf_list_at(c->terms, i), &term, err);
		if (r < 0)
			return r;
		size_t n = strcspn(term.p, " \t\n"); /* what follows the name is ignored */
		const char *value = getenv(hf_strndup(c->arena, term.p, n));
		struct hf_value *fallback = lookup_option(c, "default");
		if (value == NULL && fallback != NULL && fallback->type == HF_UNDEFINED)
			return hf_fail(err, HF_E_UNDEFINED, "the environment variable %.*s is not set",
				HF_STR_ARG(term));
		hf_list_append(into, value != NULL || fallback == NULL
					     ? hf_value_cstr(c->arena, value == NULL ? "" : value)
					     : fallback);
	}
	return 0;
}

/* Options of lookup('url') that were not given, from ansible_lookup_url_X or ANSIBLE_LOOKUP_URL_X. */
static int url_options(const struct lookup_call *c, struct hf_value **ret, struct hf_error *err)
{
	static const struct {
		const char *option, *variable, *environment;
	} rows[] = {
		{ "force", "ansible_lookup_url_force", "ANSIBLE_LOOKUP_URL_FORCE" },
		{ "timeout", "ansible_lookup_url_timeout", "ANSIBLE_LOOKUP_URL_TIMEOUT" },
		{ "http_agent", "ansible_lookup_url_agent", "ANSIBLE_LOOKUP_URL_AGENT" },
		{ "force_basic_auth", "ansible_lookup_url_force_basic_auth",
			"ANSIBLE_LOOKUP_URL_FORCE_BASIC_AUTH" },
		{ "follow_redirects", "ansible_lookup_url_follow_redirects",
			"ANSIBLE_LOOKUP_URL_FOLLOW_REDIRECTS" },
		{ "use_gssapi", "ansible_lookup_url_use_gssapi", "ANSIBLE_LOOKUP_URL_USE_GSSAPI" },
		{ "use_netrc", "ansible_lookup_url_use_netrc", "ANSIBLE_LOOKUP_URL_USE_NETRC" },
		{ "unix_socket", "ansible_lookup_url_unix_socket", "ANSIBLE_LOOKUP_URL_UNIX_SOCKET" },
		{ "ca_path", "ansible_lookup_url_ca_path", "ANSIBLE_LOOKUP_URL_CA_PATH" },
		{ "unredirected_headers", "ansible_lookup_url_unredir_headers",
			"ANSIBLE_LOOKUP_URL_UNREDIR_HEADERS" },
		{ "ciphers", "ansible_lookup_url_ciphers", "ANSIBLE_LOOKUP_URL_CIPHERS" },
	};
	struct hf_value *options =
		c->options == NULL ? hf_value_dict(c->arena) : hf_value_shallow(c->arena, c->options);
	int r = 0;
	for (size_t i = 0; r == 0 && i < HF_COUNT(rows); i++) {
		struct hf_value *v = NULL;
		const char *text = getenv(rows[i].environment);
		if (hf_dict_get(options, rows[i].option) != NULL)
			continue;
		r = lookup_variable(c, hf_str(rows[i].variable), &v, err);
		if (v == NULL && text != NULL)
			v = hf_value_cstr(c->arena, text);
		if (r == 0 && v != NULL)
			hf_dict_put(options, rows[i].option, v);
	}
	*ret = options;
	return r;
}

/* The inventory and the network are the program's to answer for. */
static int lookup_given(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	const struct hf_templar_source *source = &c->templar->source;
	struct hf_value *found = NULL, *options = c->options;
	const char *dot = strrchr(c->name, '.'), *name = dot == NULL ? c->name : dot + 1;
	int r = strcmp(name, "url") == 0 ? url_options(c, &options, err) : 0;
	if (r == 0 && source->lookup != NULL)
		r = source->lookup(source->data, c->arena, name, c->terms, options, &found, err);
	if (r == 0 && found == NULL)
		return hf_fail(err, HF_E_UNSUPPORTED, "the lookup '%s' has nothing to ask here", c->name);
	for (size_t i = 0; r == 0 && i < hf_list_len(found); i++)
		hf_list_append(into, hf_list_at(found, i));
	return r;
}

const struct lookup_row hf_lookups_var[] = {
	{ "inventory_hostnames", lookup_given },
	{ "url", lookup_given, true },
	{ "vars", lookup_vars },
	{ "varnames", lookup_varnames },
	{ "env", lookup_env, true },
	{ 0 },
};
