#include "lib/net/sigv4.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"

enum { STAMP_TEXT = 17 /* 20261121T055037Z */, DAY_TEXT = 9 };

struct pair {
	const char *name, *value;
	size_t order;
};
struct pairs {
	struct pair *at;
	size_t n, room;
};

/* --- percent encoding --- */

static bool uri_plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

void hf_uri_encode(struct hf_buf *out, struct hf_str s, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (uri_plain(s.p[i]) || (c == '/' && keep_slash)) {
			hf_buf_put(out, s.p[i]);
		} else {
			char code[3] = { '%', digits[c >> 4], digits[c & 15] };
			hf_buf_append(out, code, sizeof(code));
		}
	}
}

char *hf_uri_encode_dup(struct hf_arena *a, struct hf_str s, bool keep_slash)
{
	hf_auto_buf out = hf_buf_init(s.n * 3 + 1);
	hf_uri_encode(&out, s, keep_slash);
	return hf_str_dup(a, hf_buf_str(&out));
}

struct hf_str hf_uri_decode(struct hf_arena *a, struct hf_str s)
{
	char *out = hf_alloc(a, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char byte;
		if (s.p[i] == '%' && s.n - i > 2 && hf_unhex(hf_strn(s.p + i + 1, 2), &byte, 1)) {
			out[n++] = (char)byte;
			i += 2;
		} else {
			out[n++] = s.p[i];
		}
	}
	out[n] = '\0';
	return (struct hf_str){ out, n };
}

/* --- the canonical request --- */

/* Drop ".", empty and "..": "/a/./b//../c/" → "/a/c/". */
static struct hf_str path_normalize(struct hf_arena *a, struct hf_str path)
{
	char *out = hf_alloc(a, path.n + 2);
	size_t n = 0;
	struct hf_str rest = path, piece;
	while (hf_str_split(&rest, '/', &piece)) {
		if (piece.n == 0 || hf_str_is(piece, "."))
			continue;
		if (hf_str_is(piece, "..")) {
			while (n > 0 && out[--n] != '/')
				;
			continue;
		}
		out[n++] = '/';
		memcpy(out + n, piece.p, piece.n);
		n += piece.n;
	}
	if (n == 0 || (path.n > 0 && path.p[path.n - 1] == '/'))
		out[n++] = '/';
	out[n] = '\0';
	return (struct hf_str){ out, n };
}

static void canonical_path(struct hf_arena *a, struct hf_buf *out, const struct hf_sigv4 *s)
{
	struct hf_str path = hf_str(s->path == NULL || s->path[0] == '\0' ? "/" : s->path);
	if (s->s3)
		path = hf_uri_decode(a, path);
	else if (!s->keep_path)
		path = path_normalize(a, path);
	hf_uri_encode(out, path, true);
}

static int pair_compare(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order != 0 ? order : strcmp(x->value, y->value);
}

static void query_add(struct hf_arena *a, struct pairs *pairs, const char *name, const char *value)
{
	*hf_vec_push(a, pairs) = (struct pair){ hf_uri_encode_dup(a, hf_str(name), false),
		hf_uri_encode_dup(a, hf_str(value), false), pairs->n };
}

static int query_read(struct hf_arena *a, const char *query, struct pairs *pairs, struct hf_error *err)
{
	struct hf_str rest = hf_str(query), piece;
	while (hf_str_split(&rest, '&', &piece)) {
		if (piece.n == 0)
			continue;
		if (pairs->n >= HF_SIGV4_PAIRS_MAX)
			return hf_fail(err, HF_E_LIMIT, "more than %d query parameters", HF_SIGV4_PAIRS_MAX);
		const char *equal = memchr(piece.p, '=', piece.n);
		size_t n = equal == NULL ? piece.n : (size_t)(equal - piece.p);
		struct hf_str value = equal == NULL ? HF_STR("") : hf_strn(equal + 1, piece.n - n - 1);
		*hf_vec_push(a, pairs) = (struct pair){
			hf_uri_encode_dup(a, hf_uri_decode(a, hf_strn(piece.p, n)), false),
			hf_uri_encode_dup(a, hf_uri_decode(a, value), false),
			pairs->n,
		};
	}
	return 0;
}

static void query_write(struct hf_buf *out, struct pairs *pairs)
{
	if (pairs->n > 0)
		qsort(pairs->at, pairs->n, sizeof(pairs->at[0]), pair_compare);
	for (size_t i = 0; i < pairs->n; i++) {
		if (i > 0)
			hf_buf_put(out, '&');
		hf_buf_puts(out, pairs->at[i].name);
		hf_buf_put(out, '=');
		hf_buf_puts(out, pairs->at[i].value);
	}
}

/* Trimmed, with every run of white space inside as one blank. */
static char *header_value(struct hf_arena *a, const char *value)
{
	struct hf_str s = hf_str_trim(hf_str(value));
	char *out = hf_alloc(a, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		bool blank = s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r');
		if (!blank)
			out[n++] = s.p[i];
		else if (out[n - 1] != ' ')
			out[n++] = ' ';
	}
	out[n] = '\0';
	return out;
}

/* What a proxy or the transport may add or change is not signed. */
static bool header_skipped(const char *name)
{
	static const char *const skipped[] = { "authorization", "connection", "expect", "transfer-encoding",
		"user-agent", "x-amzn-trace-id" };
	for (size_t i = 0; i < HF_COUNT(skipped); i++)
		if (strcasecmp(name, skipped[i]) == 0)
			return true;
	return false;
}

static void header_add(struct hf_arena *a, struct pairs *pairs, const char *name, const char *value)
{
	char *lower = hf_strdup(a, name);
	for (char *p = lower; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	*hf_vec_push(a, pairs) = (struct pair){ lower, header_value(a, value), pairs->n };
}

static int header_compare(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* "name:value" lines into lines, "a;b;c" into names. Repeats are joined in the order given. */
static void headers_write(struct hf_buf *lines, struct hf_buf *names, struct pairs *headers)
{
	qsort(headers->at, headers->n, sizeof(headers->at[0]), header_compare);
	for (size_t i = 0; i < headers->n; i++) {
		const struct pair *h = &headers->at[i];
		if (i > 0 && strcmp(h->name, headers->at[i - 1].name) == 0) {
			hf_buf_printf(lines, ",%s", h->value);
			continue;
		}
		hf_buf_printf(lines, "%s%s:%s", i > 0 ? "\n" : "", h->name, h->value);
		hf_buf_printf(names, "%s%s", i > 0 ? ";" : "", h->name);
	}
	hf_buf_put(lines, '\n');
}

/* --- the signature --- */

struct work {
	char stamp[STAMP_TEXT], day[DAY_TEXT];
	const char *scope, *names;
	struct pairs headers, query;
};

static void work_time(struct work *w, int64_t time)
{
	char text[HF_TIME_TEXT];
	hf_time_print(time, text);
	size_t n = 0;
	for (const char *p = text; *p != '\0' && n < STAMP_TEXT - 1; p++)
		if (*p != '-' && *p != ':')
			w->stamp[n++] = *p;
	w->stamp[n] = '\0';
	memcpy(w->day, w->stamp, DAY_TEXT - 1);
	w->day[DAY_TEXT - 1] = '\0';
}

static const char *signature_of(
	struct hf_arena *a, const struct hf_sigv4 *s, const struct work *w, const char *text)
{
	struct hf_str first = hf_str(hf_sprintf(a, "AWS4%s", s->key.secret));
	struct hf_digest d = hf_hmac_sha256(first, hf_str(w->day));
	const char *const parts[] = { s->region, s->service, "aws4_request", text };
	for (size_t i = 0; i < HF_COUNT(parts); i++)
		d = hf_hmac_sha256(hf_strn((const char *)d.bytes, sizeof(d.bytes)), hf_str(parts[i]));
	char hex[HF_SHA256_HEX];
	return hf_strdup(a, hf_digest_hex(&d, hex));
}

static int work_start(struct hf_arena *a, const struct hf_sigv4 *s, struct work *w, struct hf_error *err)
{
	*w = (struct work){ 0 };
	work_time(w, s->time);
	w->scope = hf_sprintf(a, "%s/%s/%s/aws4_request", w->day, s->region, s->service);
	for (size_t i = 0; i < s->n_headers; i++)
		if (!header_skipped(s->headers[i].name))
			header_add(a, &w->headers, s->headers[i].name, s->headers[i].value);
	return s->query == NULL ? 0 : query_read(a, s->query, &w->query, err);
}

/* The names of the signed headers are needed before the query of the query form is complete. */
static void work_headers(struct hf_arena *a, struct work *w, struct hf_buf *lines)
{
	hf_auto_buf names = hf_buf_init(HF_SIGV4_TEXT_MAX);
	headers_write(lines, &names, &w->headers);
	w->names = hf_str_dup(a, hf_buf_str(&names));
}

static int work_sign(struct hf_arena *a, const struct hf_sigv4 *s, struct work *w, const struct hf_buf *lines,
	struct hf_sigv4_signed *ret, struct hf_error *err)
{
	hf_auto_buf text = hf_buf_init(HF_SIGV4_TEXT_MAX);
	hf_auto_buf query = hf_buf_init(HF_SIGV4_TEXT_MAX);
	query_write(&query, &w->query);
	hf_buf_printf(&text, "%s\n", s->method);
	canonical_path(a, &text, s);
	hf_buf_put(&text, '\n');
	hf_buf_add(&text, hf_buf_str(&query));
	hf_buf_put(&text, '\n');
	hf_buf_add(&text, hf_buf_str(lines));
	hf_buf_printf(&text, "\n%s\n%s", w->names, s->payload_hash);
	if (hf_buf_check(&query, "the query", err) < 0 || hf_buf_check(lines, "the headers", err) < 0 ||
		hf_buf_check(&text, "the canonical request", err) < 0)
		return -HF_E_LIMIT;
	struct hf_digest digest = hf_sha256(hf_buf_str(&text));
	char hex[HF_SHA256_HEX];
	ret->canonical = hf_str_dup(a, hf_buf_str(&text));
	ret->query = hf_str_dup(a, hf_buf_str(&query));
	ret->string_to_sign = hf_sprintf(
		a, "AWS4-HMAC-SHA256\n%s\n%s\n%s", w->stamp, w->scope, hf_digest_hex(&digest, hex));
	ret->signature = signature_of(a, s, w, ret->string_to_sign);
	return 0;
}

int hf_sigv4_header(
	struct hf_arena *a, const struct hf_sigv4 *s, struct hf_sigv4_signed *ret, struct hf_error *err)
{
	struct work w;
	if (work_start(a, s, &w, err) < 0)
		return hf_wrap(err, "sign");
	struct hf_sigv4_signed out = { 0 };
	const struct hf_http_header adds[] = {
		{ "x-amz-date", w.stamp },
		{ "x-amz-content-sha256", s->hash_header ? s->payload_hash : NULL },
		{ "x-amz-security-token", s->key.token },
	};
	for (size_t i = 0; i < HF_COUNT(adds); i++) {
		if (adds[i].value == NULL)
			continue;
		*hf_vec_push(a, &out.added) =
			(struct hf_http_header){ adds[i].name, hf_strdup(a, adds[i].value) };
		if (adds[i].value != s->key.token || !s->token_unsigned)
			header_add(a, &w.headers, adds[i].name, adds[i].value);
	}
	hf_auto_buf lines = hf_buf_init(HF_SIGV4_TEXT_MAX);
	work_headers(a, &w, &lines);
	if (work_sign(a, s, &w, &lines, &out, err) < 0)
		return hf_wrap(err, "sign");
	*hf_vec_push(a, &out.added) = (struct hf_http_header){
		"authorization",
		hf_sprintf(a, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
			s->key.access, w.scope, w.names, out.signature),
	};
	*ret = out;
	return 0;
}

int hf_sigv4_query(
	struct hf_arena *a, const struct hf_sigv4 *s, struct hf_sigv4_signed *ret, struct hf_error *err)
{
	struct work w;
	if (s->expires == 0 || s->expires > HF_SIGV4_EXPIRES_MAX)
		return hf_fail(err, HF_E_ARGUMENT, "sign: a signed URL holds for 1 to %d seconds",
			HF_SIGV4_EXPIRES_MAX);
	if (work_start(a, s, &w, err) < 0)
		return hf_wrap(err, "sign");
	struct hf_sigv4_signed out = { 0 };
	hf_auto_buf lines = hf_buf_init(HF_SIGV4_TEXT_MAX);
	work_headers(a, &w, &lines);
	query_add(a, &w.query, "X-Amz-Algorithm", "AWS4-HMAC-SHA256");
	query_add(a, &w.query, "X-Amz-Credential", hf_sprintf(a, "%s/%s", s->key.access, w.scope));
	query_add(a, &w.query, "X-Amz-Date", w.stamp);
	query_add(a, &w.query, "X-Amz-Expires", hf_sprintf(a, "%u", (unsigned)s->expires));
	query_add(a, &w.query, "X-Amz-SignedHeaders", w.names);
	if (s->key.token != NULL && !s->token_unsigned)
		query_add(a, &w.query, "X-Amz-Security-Token", s->key.token);
	if (work_sign(a, s, &w, &lines, &out, err) < 0)
		return hf_wrap(err, "sign");
	const char *late = s->key.token != NULL && s->token_unsigned
				   ? hf_sprintf(a, "&X-Amz-Security-Token=%s",
					     hf_uri_encode_dup(a, hf_str(s->key.token), false))
				   : "";
	out.query = hf_sprintf(a, "%s%s&X-Amz-Signature=%s", out.query, late, out.signature);
	*ret = out;
	return 0;
}
