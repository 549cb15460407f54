#include "lib/engine/url.h"

#include <ctype.h>

static size_t find_any(struct hf_str s, const char *set)
{
	size_t i = 0;
	while (i < s.n && (s.p[i] == '\0' || strchr(set, s.p[i]) == NULL))
		i++;
	return i;
}

static struct hf_str rest_from(struct hf_str s, size_t i)
{
	return i >= s.n ? hf_strn(s.p + s.n, 0) : hf_strn(s.p + i, s.n - i);
}

static char *cleaned(struct hf_arena *a, struct hf_str text)
{
	while (text.n > 0 && (unsigned char)*text.p <= ' ')
		text = rest_from(text, 1);
	char *out = hf_alloc(a, text.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\t' && text.p[i] != '\r' && text.p[i] != '\n')
			out[n++] = text.p[i];
	out[n] = '\0';
	return out;
}

static void lower(struct hf_str s)
{
	for (size_t i = 0; i < s.n; i++)
		((char *)(uintptr_t)s.p)[i] = (char)tolower((unsigned char)s.p[i]);
}

static void scheme_take(struct hf_str *rest, struct hf_url_parts *u)
{
	size_t colon = find_any(*rest, ":");
	u->scheme = hf_strn(rest->p, 0);
	if (colon == 0 || colon == rest->n || !isalpha((unsigned char)*rest->p))
		return;
	for (size_t i = 0; i < colon; i++)
		if (!isalnum((unsigned char)rest->p[i]) && strchr("+-.", rest->p[i]) == NULL)
			return;
	u->scheme = hf_strn(rest->p, colon);
	*rest = rest_from(*rest, colon + 1);
}

static int port_read(struct hf_str text, int *ret, struct hf_error *err)
{
	uint64_t port;
	if (text.n == 0)
		return 0;
	if (!hf_str_to_uint64(text, &port))
		return hf_fail(err, HF_E_TEMPLATE, "Port could not be cast to integer value as '%.*s'",
			HF_STR_ARG(text));
	if (port > 65535)
		return hf_fail(err, HF_E_TEMPLATE, "Port out of range 0-65535");
	*ret = (int)port;
	return 0;
}

static int netloc_split(struct hf_arena *a, struct hf_url_parts *u, struct hf_error *err)
{
	struct hf_str host = { hf_str_dup(a, u->netloc), u->netloc.n }, port = { 0 };
	for (size_t i = host.n; i > 0; i--)
		if (host.p[i - 1] == '@') {
			struct hf_str user = hf_strn(host.p, i - 1);
			size_t colon = find_any(user, ":");
			u->username = hf_strn(user.p, colon);
			if (colon < user.n)
				u->password = rest_from(user, colon + 1);
			host = rest_from(host, i);
			break;
		}
	size_t bracket = find_any(host, "[");
	if (bracket < host.n) {
		struct hf_str inside = rest_from(host, bracket + 1);
		size_t close = find_any(inside, "]");
		struct hf_str behind = rest_from(inside, close + 1);
		host = hf_strn(inside.p, close);
		port = rest_from(behind, find_any(behind, ":") + 1);
	} else {
		size_t colon = find_any(host, ":");
		port = rest_from(host, colon + 1);
		host = hf_strn(host.p, colon);
	}
	if (host.n > 0) {
		lower(hf_strn(host.p, find_any(host, "%"))); /* a zone keeps its case */
		u->hostname = host;
	}
	return port_read(port, &u->port, err);
}

int hf_url_split(struct hf_arena *a, struct hf_str text, struct hf_url_parts *ret, struct hf_error *err)
{
	struct hf_url_parts u = { .port = -1 };
	struct hf_str rest = hf_str(cleaned(a, text));
	u.netloc = u.query = u.fragment = hf_strn("", 0);
	scheme_take(&rest, &u);
	lower(u.scheme);
	if (hf_str_starts(rest, "//")) {
		rest = rest_from(rest, 2);
		size_t end = find_any(rest, "/?#");
		u.netloc = hf_strn(rest.p, end);
		rest = rest_from(rest, end);
		if ((memchr(u.netloc.p, '[', u.netloc.n) == NULL) !=
			(memchr(u.netloc.p, ']', u.netloc.n) == NULL))
			return hf_fail(err, HF_E_TEMPLATE, "Invalid IPv6 URL");
	}
	size_t hash = find_any(rest, "#");
	if (hash < rest.n)
		u.fragment = rest_from(rest, hash + 1);
	rest.n = hash;
	size_t question = find_any(rest, "?");
	if (question < rest.n)
		u.query = rest_from(rest, question + 1);
	u.path = hf_strn(rest.p, question);
	int r = netloc_split(a, &u, err);
	*ret = u; /* also with a port that is none: only who asks for the port minds */
	return r;
}
