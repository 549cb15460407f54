/* What an answer means: headers, dates, which statuses are worth another try, which error a status is. */
#include "lib/net/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/time.h"

enum { RETRY_AFTER_MAX = 3600 };

const char *hf_http_header(const struct hf_http_headers *headers, const char *name)
{
	for (size_t i = 0; i < headers->n; i++)
		if (strcasecmp(headers->at[i].name, name) == 0)
			return headers->at[i].value;
	return NULL;
}

bool hf_http_date_parse(const char *text, int64_t *ret)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
		"Oct", "Nov", "Dec" };
	struct hf_str s = hf_str(text);
	if (s.n != 29 || s.p[3] != ',' || !hf_str_ends(s, " GMT"))
		return false;
	char iso[32];
	for (unsigned m = 0; m < HF_COUNT(months); m++) {
		if (memcmp(s.p + 8, months[m], 3) != 0)
			continue;
		snprintf(iso, sizeof(iso), "%.4s-%02u-%.2sT%.8sZ", s.p + 12, m + 1, s.p + 5, s.p + 17);
		return hf_time_parse(hf_str(iso), ret);
	}
	return false;
}

void hf_http_response_copy(struct hf_arena *a, const struct hf_http_response *r, struct hf_http_response *ret)
{
	struct hf_http_response out = *r;
	out.arena = a;
	out.body = hf_strn(hf_str_dup(a, r->body), r->body.n);
	out.method = hf_strdup(a, r->method);
	out.place = hf_strdup(a, r->place);
	out.url = hf_strdup(a, r->url);
	out.headers = (struct hf_http_headers){ 0 };
	for (size_t i = 0; i < r->headers.n; i++)
		*hf_vec_push(a, &out.headers) = (struct hf_http_header){ hf_strdup(a, r->headers.at[i].name),
			hf_strdup(a, r->headers.at[i].value) };
	*ret = out;
}

int64_t hf_http_retry_after(const struct hf_http_headers *headers)
{
	const char *value = hf_http_header(headers, "retry-after");
	uint64_t seconds;
	int64_t when;
	if (value == NULL)
		return -1;
	if (hf_str_to_uint64(hf_str(value), &seconds))
		return seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : (int64_t)seconds;
	if (!hf_http_date_parse(value, &when))
		return -1;
	int64_t wait = when - hf_time_now();
	return wait < 0 ? 0 : wait > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : wait;
}

enum hf_http_verdict hf_http_judge(const struct hf_http_response *r, void *unused)
{
	switch (r->status) {
	case 408:
	case 500:
	case 502:
	case 504:
		return HF_HTTP_RETRY;
	case 429:
	case 503:
		return HF_HTTP_SLOW;
	default:
		return HF_HTTP_DONE;
	}
}

int hf_http_expect(const struct hf_http_response *r, const char *detail, struct hf_error *err)
{
	static const struct {
		int status;
		enum hf_code code;
	} codes[] = { { 400, HF_E_ARGUMENT }, { 401, HF_E_DENIED }, { 403, HF_E_DENIED },
		{ 404, HF_E_NOT_FOUND }, { 408, HF_E_TIMEOUT }, { 409, HF_E_CONFLICT },
		{ 410, HF_E_NOT_FOUND }, { 412, HF_E_CONFLICT }, { 429, HF_E_BUSY }, { 503, HF_E_BUSY } };
	if (r->status >= 200 && r->status <= 299)
		return 0;
	enum hf_code code = HF_E_NET;
	for (size_t i = 0; i < HF_COUNT(codes); i++)
		if (codes[i].status == r->status)
			code = codes[i].code;
	hf_fail(err, code, "%s %s: %d%s%s", r->method, r->place, r->status, detail == NULL ? "" : " ",
		detail == NULL ? "" : detail);
	return r->attempts > 1 ? hf_wrap(err, "after %u attempts", r->attempts) : -(int)code;
}
