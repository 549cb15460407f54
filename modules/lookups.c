#include "modules/lookups.h"

#include <string.h>

#include "lib/data/unicode.h"
#include "modules/web.h"

/* Options of lookup('url'), bound as a module's. */
struct params {
	const char *follow, *ca_path, *unix_socket;
	enum hf_tristate force, split;
	struct hf_web_options web;
};
static const char *const follows[] = { "all", "no", "none", "safe", "urllib2", "yes", NULL };
#define WEB(member) offsetof(struct params, web.member)
static const struct hf_arg args[] = {
	{ "username", HF_ARG_STR, WEB(user) },
	{ "password", HF_ARG_STR, WEB(password), HF_NO_LOG },
	{ "http_agent", HF_ARG_STR, WEB(agent), .dflt = "ansible-httpget" },
	{ "headers", HF_ARG_DICT, WEB(headers) },
	{ "unredirected_headers", HF_ARG_LIST, WEB(unredirected), .elements = HF_ARG_STR },
	{ "ciphers", HF_ARG_LIST, WEB(ciphers), .elements = HF_ARG_STR },
	{ "force_basic_auth", HF_ARG_BOOL, WEB(basic), .dflt = "false" },
	{ "use_gssapi", HF_ARG_BOOL, WEB(gssapi), HF_REFUSED,
		.help = "Kerberos authentication is not built in" },
	{ "use_proxy", HF_ARG_BOOL, WEB(use_proxy), .dflt = "true" },
	{ "use_netrc", HF_ARG_BOOL, WEB(netrc), .dflt = "true" },
	{ "validate_certs", HF_ARG_BOOL, WEB(validate_certs), .dflt = "true" },
	{ "timeout", HF_ARG_INT, WEB(timeout), .dflt = "10" },
	{ "follow_redirects", HF_ARG_STR, offsetof(struct params, follow), .dflt = "urllib2",
		.choices = follows },
	{ "ca_path", HF_ARG_STR, offsetof(struct params, ca_path) },
	{ "unix_socket", HF_ARG_STR, offsetof(struct params, unix_socket) },
	{ "force", HF_ARG_BOOL, offsetof(struct params, force), .dflt = "false" },
	{ "split_lines", HF_ARG_BOOL, offsetof(struct params, split), .dflt = "true" },
	{ .type = HF_ARG_END },
};
#undef WEB
static const struct hf_schema schema = { args, NULL, sizeof(struct params) };

/* As splitlines() of bytes: \n, \r\n and \r end a line. */
static void lines_add(struct hf_arena *a, struct hf_str text, struct hf_value *into)
{
	size_t start = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '\n' && text.p[i] != '\r')
			continue;
		hf_list_append(into, hf_value_str(a, hf_strn(text.p + start, i - start)));
		if (text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
			i++;
		start = i + 1;
	}
	if (start < text.n)
		hf_list_append(into, hf_value_str(a, hf_strn(text.p + start, text.n - start)));
}

static int url_one(struct hf_arena *a, const struct params *p, const char *url, struct hf_value *into,
	struct hf_error *err)
{
	struct hf_web_request request = hf_web_request(&p->web, url, "GET");
	struct hf_web_response response;
	struct hf_value *headers =
		p->web.headers == NULL ? hf_value_dict(a) : hf_value_shallow(a, p->web.headers);
	if (p->force == HF_YES)
		hf_dict_put(headers, "cache-control", hf_value_cstr(a, "no-cache"));
	request.headers = headers;
	request.ca_path = p->ca_path;
	request.unix_socket = p->unix_socket;
	request.follow = *p->follow == 'n' ? HF_WEB_FOLLOW_NONE : HF_WEB_FOLLOW_SAFE;
	int r = hf_web_perform(a, &request, &response, err);
	if (r < 0)
		return hf_wrap(err, "Failed lookup url for %s", url);
	if (response.status >= 300)
		return hf_fail(err, HF_E_NET, "Received HTTP error for %s : HTTP Error %d: %s", url,
			response.status, response.reason);
	if (!hf_utf8_valid(response.body))
		return hf_fail(err, HF_E_NET, "the answer of %s is not UTF-8 text", url);
	if (p->split == HF_YES)
		lines_add(a, response.body, into);
	else
		hf_list_append(into, hf_value_str(a, response.body));
	return 0;
}

int hf_lookups(struct hf_arena *a, const char *name, const struct hf_value *terms,
	const struct hf_value *options, struct hf_value **ret, struct hf_error *err)
{
	struct params p;
	*ret = NULL;
	if (strcmp(name, "url") != 0)
		return 0;
	struct hf_value *list = hf_value_list(a);
	int r = hf_schema_bind(
		a, &schema, options == NULL ? hf_value_dict(a) : options, "lookup url", &p, NULL, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(terms); i++)
		r = url_one(a, &p, hf_value_text(a, hf_list_at(terms, i)).p, list, err);
	if (r == 0)
		*ret = list;
	return r;
}
