/* lib/engine/filters_url.c - urlsplit, urldecode and the tests uri, url, urn. */
#include <ctype.h>

#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/engine/filters.h"
#include "lib/engine/url.h"

static struct hf_value *piece(struct hf_arena *a, struct hf_str s)
{
	return s.p == NULL ? hf_value_null(a) : hf_value_str(a, s);
}

FILTER(urlsplit)
{
	FILTER_ARGS(2, "query", "alias");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_url_parts u;
	struct hf_str wanted = { 0 };
	if (input->type != HF_STRING)
		return hf_fail(
			err, HF_E_TEMPLATE, "urlsplit: a URL is a string, not %s", hf_type_name(input));
	int r = filter_text_arg(e, call, 0, "query", "", &wanted, err);
	if (r == 0)
		r = hf_url_split(a, input->u.string, &u, err);
	if (r < 0)
		return r;
	struct hf_value *parts = hf_value_dict(a);
	hf_dict_put(parts, "fragment", piece(a, u.fragment));
	hf_dict_put(parts, "hostname", piece(a, u.hostname));
	hf_dict_put(parts, "netloc", piece(a, u.netloc));
	hf_dict_put(parts, "password", piece(a, u.password));
	hf_dict_put(parts, "path", piece(a, u.path));
	hf_dict_put(parts, "port", u.port < 0 ? hf_value_null(a) : hf_value_int(a, u.port));
	hf_dict_put(parts, "query", piece(a, u.query));
	hf_dict_put(parts, "scheme", piece(a, u.scheme));
	hf_dict_put(parts, "username", piece(a, u.username));
	*ret = wanted.n == 0 ? parts : hf_dict_get(parts, hf_str_dup(a, wanted));
	if (*ret == NULL)
		return hf_fail(
			err, HF_E_TEMPLATE, "urlsplit: unknown URL component: %.*s", HF_STR_ARG(wanted));
	return 0;
}

FILTER(urldecode)
{
	if (input->type != HF_STRING)
		return hf_fail(
			err, HF_E_TEMPLATE, "'%s' object has no attribute 'replace'", hf_type_name(input));
	const struct hf_str text = input->u.string;
	hf_auto_buf raw = hf_buf_init(FILTER_TEXT_MAX), out = hf_buf_init(FILTER_TEXT_MAX);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char byte;
		if (text.p[i] == '%' && i + 2 < text.n && hf_unhex(hf_strn(text.p + i + 1, 2), &byte, 1)) {
			hf_buf_put(&raw, (char)byte);
			i += 2;
		} else {
			hf_buf_put(&raw, text.p[i] == '+' ? ' ' : text.p[i]);
		}
	}
	for (size_t i = 0; i < raw.n;) {
		uint32_t point;
		size_t n = hf_utf8_decode(raw.p + i, raw.n - i, &point);
		if (point >= 0xDC80 && point <= 0xDCFF)
			hf_buf_puts(&out, "\xEF\xBF\xBD");
		else
			hf_buf_append(&out, raw.p + i, n);
		i += n;
	}
	return filter_return_buf(e, input, &out, "text", ret, err);
}

const struct hf_callable_row hf_ansible_filters_url[] = {
	{ "urlsplit", urlsplit, 0 },
	{ "urldecode", urldecode, 0 },
	{ 0 },
};

/* --- tests --- */

static bool is_uri(
	struct hf_arena *a, const struct hf_value *v, const struct hf_value *schemes, struct hf_url_parts *u)
{
	*u = (struct hf_url_parts){ 0 };
	if (v->type != HF_STRING)
		return v->type != HF_UNDEFINED && !hf_value_truthy(v) &&
		       schemes == NULL; /* nothing is a URL of nothing, in Python */
	if (hf_url_split(a, v->u.string, u, NULL) < 0 && u->path.p == NULL)
		return false;
	if (schemes == NULL || !hf_value_truthy(schemes))
		return true;
	struct hf_value scheme = { .type = HF_STRING, .u.string = u->scheme };
	if (schemes->type == HF_STRING)
		return hf_str_find(schemes->u.string, u->scheme, 0) != SIZE_MAX;
	return filter_contains(schemes, &scheme);
}

FILTER(test_uri)
{
	FILTER_ARGS(1, "schemes");
	struct hf_url_parts u;
	*ret = hf_value_bool(
		hf_eval_arena(e), is_uri(hf_eval_arena(e), input, filter_arg(call, 0, "schemes"), &u));
	return 0;
}

FILTER(test_url)
{
	FILTER_ARGS(1, "schemes");
	struct hf_url_parts u;
	bool yes = is_uri(hf_eval_arena(e), input, filter_arg(call, 0, "schemes"), &u) &&
		   (u.netloc.n > 0 || hf_str_is(u.scheme, "file"));
	*ret = hf_value_bool(hf_eval_arena(e), yes);
	return 0;
}

FILTER(test_urn)
{
	struct hf_url_parts u;
	bool yes = is_uri(hf_eval_arena(e), input, NULL, &u) && hf_str_is(u.scheme, "urn");
	*ret = hf_value_bool(hf_eval_arena(e), yes);
	return 0;
}

const struct hf_callable_row hf_ansible_tests_uri[] = {
	{ "uri", test_uri, HF_TAKES_UNDEFINED },
	{ "url", test_url, HF_TAKES_UNDEFINED },
	{ "urn", test_urn, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ 0 },
};
