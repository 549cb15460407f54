#include "lib/net/s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/net/xml.h"

struct hf_s3 {
	struct hf_arena *arena;
	struct hf_aws *aws;
	const char *bucket;
	const char *region, *endpoint; /* of the service */
	bool custom;
};

struct work {
	struct hf_s3 *s3;
	struct hf_arena *arena;
	enum hf_s3_what what;
	bool moved; /* the region was corrected once */
	hf_s3_done done;
	void *data;
};

static bool bucket_valid(const char *bucket)
{
	size_t n = strlen(bucket);
	return n >= 3 && n <= 63 &&
	       strspn(bucket, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == n &&
	       bucket[0] != '.' && bucket[0] != '-' && strstr(bucket, "..") == NULL;
}

int hf_s3_new(struct hf_arena *a, struct hf_aws *aws, const struct hf_aws_io *io, const char *bucket,
	const char *region, struct hf_s3 **ret, struct hf_error *err)
{
	struct hf_aws_endpoint endpoint;
	if (!bucket_valid(bucket))
		return hf_fail(err, HF_E_ARGUMENT, "\"%s\" is not the name of a bucket", bucket);
	int rc = region == NULL ? hf_aws_region(a, io, &region, err) : 0;
	if (rc == 0)
		rc = hf_aws_endpoint(a, io, "s3", NULL, region, &endpoint, err);
	if (rc < 0)
		return hf_wrap(err, "s3://%s", bucket);
	struct hf_s3 *s3 = hf_new(a, struct hf_s3);
	*s3 = (struct hf_s3){ a, aws, hf_strdup(a, bucket), hf_strdup(a, region), endpoint.base,
		endpoint.custom };
	*ret = s3;
	return 0;
}

/* The bucket goes into the host name where a certificate can cover it. */
static void address(const struct hf_s3 *s3, struct hf_arena *a, const char *key, struct hf_aws_call *call)
{
	const char *encoded = hf_uri_encode_dup(a, hf_str(key), true);
	call->s3 = true;
	call->service = "s3";
	call->region = s3->region;
	if (s3->custom || strchr(s3->bucket, '.') != NULL) {
		call->endpoint = s3->endpoint;
		call->path = hf_sprintf(a, "/%s/%s", s3->bucket, encoded);
	} else {
		call->endpoint = hf_sprintf(a, "https://%s.%s", s3->bucket, strstr(s3->endpoint, "://") + 3);
		call->path = hf_sprintf(a, "/%s", encoded);
	}
}

/* Where the bucket really is: a header, or the error document of a 400 and a 301. */
static const char *region_of(const struct hf_aws_answer *answer)
{
	const char *region = hf_http_header(&answer->http->headers, "x-amz-bucket-region");
	struct hf_xml *root;
	if (region != NULL || answer->code == NULL ||
		strcmp(answer->code, "AuthorizationHeaderMalformed") != 0)
		return region;
	if (hf_xml_parse(answer->http->arena, answer->http->body, "error document", &root, NULL) < 0)
		return NULL;
	return hf_xml_text(root, "Region", NULL);
}

static enum hf_http_verdict region_follow(
	struct hf_s3 *s3, bool *moved, struct hf_aws_call *call, const struct hf_aws_answer *answer)
{
	int status = answer->http->status;
	const char *region = status == 301 || status == 307 || status == 400 ? region_of(answer) : NULL;
	if (region == NULL || *moved || strcmp(region, call->region) == 0 || strlen(region) >= 64 ||
		region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
		return HF_HTTP_DONE;
	*moved = true;
	if (!s3->custom) {
		const char *old = strstr(call->endpoint, call->region);
		if (old == NULL)
			return HF_HTTP_DONE;
		call->endpoint = hf_sprintf(answer->http->arena, "%.*s%s%s", (int)(old - call->endpoint),
			call->endpoint, region, old + strlen(call->region));
		s3->endpoint = hf_sprintf(s3->arena, "https://s3.%s.amazonaws.com%s", region,
			strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
	}
	s3->region = hf_strdup(s3->arena, region);
	call->region = s3->region;
	return HF_HTTP_AGAIN;
}

static enum hf_http_verdict on_judge(struct hf_aws_call *call, const struct hf_aws_answer *answer, void *data)
{
	struct work *w = data;
	if (answer->http->status == 409 && w->what == HF_S3_PUT)
		return HF_HTTP_RETRY; /* two writers at once: the condition is decided by the next try */
	return region_follow(w->s3, &w->moved, call, answer);
}

static void answer_read(const struct hf_http_response *r, struct hf_s3_answer *ret)
{
	const char *etag = hf_http_header(&r->headers, "etag");
	const char *length = hf_http_header(&r->headers, "content-length");
	const char *modified = hf_http_header(&r->headers, "last-modified");
	*ret = (struct hf_s3_answer){
		.not_modified = r->status == 304, .size = r->received, .body = r->body
	};
	if (etag != NULL && strlen(etag) < sizeof(ret->etag))
		snprintf(ret->etag, sizeof(ret->etag), "%s", etag);
	if (strcmp(r->method, "HEAD") == 0 && length != NULL && !hf_str_to_uint64(hf_str(length), &ret->size))
		ret->size = 0;
	if (modified != NULL && !hf_http_date_parse(modified, &ret->modified))
		ret->modified = 0;
}

static void on_done(const struct hf_aws_answer *answer, const struct hf_error *failure, void *data)
{
	struct work *w = data;
	struct hf_error refusal = { 0 };
	struct hf_s3_answer out = { 0 };
	if (failure == NULL) {
		bool kept = answer->http->status == 304 && w->what == HF_S3_GET;
		bool gone = answer->http->status == 404 && w->what == HF_S3_DELETE &&
			    (answer->code == NULL || strcmp(answer->code, "NoSuchKey") == 0);
		if (!kept && !gone && hf_aws_expect(answer, &refusal) < 0) {
			/* No bucket is a wrong address; whoever asks for a key must not take it for a missing
			 * key. */
			if (answer->code != NULL && strcmp(answer->code, "NoSuchBucket") == 0)
				refusal.code = HF_E_ARGUMENT;
			failure = &refusal;
		}
		if (failure == NULL)
			answer_read(answer->http, &out);
	}
	out.attempts = answer->http->attempts;
	w->done(&out, failure, w->data);
}

static void on_release(void *data)
{
	struct work *w = data;
	hf_arena_free(w->arena);
}

static int body_hash(
	struct hf_arena *a, const struct hf_s3_request *r, const char **ret, struct hf_error *err)
{
	struct hf_digest d;
	uint64_t size;
	char hex[HF_SHA256_HEX];
	if (lseek(r->body_fd, 0, SEEK_SET) < 0)
		return hf_fail_errno(err, HF_E_IO, "put %s", r->key);
	if (hf_sha256_fd(r->body_fd, r->body_size, &d, &size, err) < 0)
		return hf_wrap(err, "put %s", r->key);
	if (size != r->body_size)
		return hf_fail(err, HF_E_IO, "put %s: the file has %llu bytes, not %llu", r->key,
			(unsigned long long)size, (unsigned long long)r->body_size);
	*ret = hf_strdup(a, hf_digest_hex(&d, hex));
	return 0;
}

static int request_headers(
	struct hf_arena *a, const struct hf_s3_request *r, struct hf_aws_call *call, struct hf_error *err)
{
	const struct hf_http_header rows[] = {
		{ "if-none-match", r->if_none_match },
		{ "if-match", r->if_match },
		{ "content-type", r->what != HF_S3_PUT      ? NULL
				  : r->content_type == NULL ? "application/octet-stream"
							    : r->content_type },
	};
	struct hf_http_headers headers = { 0 };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (rows[i].value != NULL)
			*hf_vec_push(a, &headers) = rows[i];
	call->headers = headers.at;
	call->n_headers = headers.n;
	if (r->what != HF_S3_PUT)
		return 0;
	call->body = r->body;
	call->body_fd = r->body_fd;
	call->body_size = r->body_size;
	call->payload_hash = r->payload_hash;
	if (r->body.n == 0 && r->body_size > 0 && r->payload_hash == NULL)
		return body_hash(a, r, &call->payload_hash, err);
	return 0;
}

struct hf_http_transfer *hf_s3_start(
	struct hf_s3 *s3, const struct hf_s3_request *r, hf_s3_done done, void *data, struct hf_error *err)
{
	static const char *const methods[] = {
		[HF_S3_GET] = "GET", [HF_S3_HEAD] = "HEAD", [HF_S3_PUT] = "PUT", [HF_S3_DELETE] = "DELETE"
	};
	size_t n = strlen(r->key);
	if (n == 0 || n > HF_S3_KEY_MAX) {
		hf_fail(err, HF_E_ARGUMENT, "s3://%s: a key has 1 to %d bytes", s3->bucket, HF_S3_KEY_MAX);
		return NULL;
	}
	hf_auto_arena arena = hf_arena_new();
	struct work *w = hf_new(arena, struct work);
	*w = (struct work){ s3, arena, r->what, false, done, data };
	struct hf_aws_call call = {
		.method = methods[r->what],
		.to_file = r->to_file,
		.to_fd = r->to_fd,
		.max_body = r->max,
		.deadline_ms = r->deadline_ms,
		.judge = on_judge,
		.release = on_release,
		.data = w,
	};
	address(s3, arena, r->key, &call);
	if (request_headers(arena, r, &call, err) < 0)
		return NULL;
	struct hf_http_transfer *t = hf_aws_start(s3->aws, &call, on_done);
	hf_take_arena(&arena);
	return t;
}

/* --- blocking --- */

struct fetch {
	struct hf_arena *arena;
	struct hf_s3_answer *ret;
	struct hf_error *err;
	int rc;
};

static void fetch_done(const struct hf_s3_answer *answer, const struct hf_error *failure, void *data)
{
	struct fetch *f = data;
	*f->ret = *answer;
	if (failure != NULL) {
		f->rc = -(int)failure->code;
		if (f->err != NULL)
			*f->err = *failure;
		return;
	}
	f->rc = 0;
	f->ret->body = hf_strn(hf_str_dup(f->arena, answer->body), answer->body.n);
}

int hf_s3_fetch(struct hf_s3 *s3, struct hf_arena *a, const struct hf_s3_request *r, struct hf_s3_answer *ret,
	struct hf_error *err)
{
	struct fetch f = { a, ret, err, -HF_E_INTERNAL };
	struct hf_error failure = { 0 };
	if (hf_s3_start(s3, r, fetch_done, &f, &failure) == NULL) {
		if (err != NULL)
			*err = failure;
		return -(int)failure.code;
	}
	if (hf_http_run(s3->aws->http, err) < 0)
		return -HF_E_INTERNAL;
	return f.rc;
}

/* --- listing --- */

struct page {
	struct hf_s3 *s3;
	struct hf_arena *arena; /* of the entries */
	size_t max;
	struct hf_s3_objects *objects;
	const char *next; /* continuation token; NULL at the end */
	bool moved;
	struct hf_error failure;
	bool failed;
};

static enum hf_http_verdict page_judge(
	struct hf_aws_call *call, const struct hf_aws_answer *answer, void *data)
{
	struct page *p = data;
	return region_follow(p->s3, &p->moved, call, answer);
}

static int page_entry(struct page *p, const struct hf_xml *node, bool encoded, struct hf_error *err)
{
	struct hf_str raw = hf_str(hf_xml_text(node, "Key", ""));
	struct hf_str key =
		encoded ? hf_uri_decode(p->arena, raw) : hf_strn(hf_str_dup(p->arena, raw), raw.n);
	struct hf_s3_object object = { .key = key.p,
		.etag = hf_strdup(p->arena, hf_xml_text(node, "ETag", "")) };
	const char *modified = hf_xml_text(node, "LastModified", "");
	if (key.n == 0 || !hf_str_to_uint64(hf_str(hf_xml_text(node, "Size", "")), &object.size) ||
		(modified[0] != '\0' && !hf_time_parse(hf_str(modified), &object.modified)))
		return hf_fail(
			err, HF_E_PARSE, "s3://%s: an entry of the listing makes no sense", p->s3->bucket);
	if (p->objects->n >= p->max)
		return hf_fail(err, HF_E_LIMIT, "s3://%s: more than %zu objects", p->s3->bucket, p->max);
	*hf_vec_push(p->arena, p->objects) = object;
	return 0;
}

static int page_read(struct page *p, const struct hf_http_response *r, struct hf_error *err)
{
	struct hf_xml *root;
	if (hf_xml_parse(r->arena, r->body, "listing", &root, err) < 0)
		return -HF_E_PARSE;
	/* Some servers do not know the encoding that was asked for. */
	bool encoded = strcmp(hf_xml_text(root, "EncodingType", ""), "url") == 0;
	for (const struct hf_xml *n = hf_xml_child(root, "Contents"); n != NULL; n = hf_xml_again(n)) {
		int rc = page_entry(p, n, encoded, err);
		if (rc < 0)
			return rc;
	}
	p->next = NULL;
	if (strcmp(hf_xml_text(root, "IsTruncated", "false"), "true") == 0) {
		const char *token = hf_xml_text(root, "NextContinuationToken", NULL);
		if (token == NULL)
			return hf_fail(err, HF_E_PARSE, "s3://%s: a listing goes on, but does not say how",
				p->s3->bucket);
		p->next = hf_strdup(p->arena, token);
	}
	return 0;
}

static void page_done(const struct hf_aws_answer *answer, const struct hf_error *failure, void *data)
{
	struct page *p = data;
	p->failed = failure != NULL;
	if (failure != NULL)
		p->failure = *failure;
	else if (hf_aws_expect(answer, &p->failure) < 0 || page_read(p, answer->http, &p->failure) < 0)
		p->failed = true;
}

static int page_fetch(struct page *p, const char *prefix, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct hf_aws_call call = { .max_body = HF_S3_LIST_BODY_MAX, .judge = page_judge, .data = p };
	address(p->s3, scratch, "", &call);
	if (p->s3->custom || strchr(p->s3->bucket, '.') != NULL)
		call.path = hf_sprintf(scratch, "/%s", p->s3->bucket);
	const char *token = p->next == NULL ? ""
					    : hf_sprintf(scratch, "continuation-token=%s&",
						      hf_uri_encode_dup(scratch, hf_str(p->next), false));
	call.query = hf_sprintf(scratch, "%sencoding-type=url&list-type=2&max-keys=%d&prefix=%s", token,
		HF_S3_LIST_PAGE, hf_uri_encode_dup(scratch, hf_str(prefix), false));
	hf_aws_start(p->s3->aws, &call, page_done);
	if (hf_http_run(p->s3->aws->http, err) < 0)
		return -HF_E_INTERNAL;
	if (!p->failed)
		return 0;
	if (err != NULL)
		*err = p->failure;
	return -(int)p->failure.code;
}

int hf_s3_list(struct hf_s3 *s3, struct hf_arena *a, const char *prefix, size_t max,
	struct hf_s3_objects *ret, struct hf_error *err)
{
	struct hf_s3_objects objects = { 0 };
	struct page p = { .s3 = s3, .arena = a, .max = max, .objects = &objects };
	for (size_t pages = 0; pages == 0 || p.next != NULL; pages++) {
		if (pages >= HF_S3_LIST_PAGES_MAX)
			return hf_fail(err, HF_E_LIMIT, "s3://%s: a listing of more than %d pages",
				s3->bucket, HF_S3_LIST_PAGES_MAX);
		int rc = page_fetch(&p, prefix, err);
		if (rc < 0)
			return rc;
	}
	*ret = objects;
	return 0;
}
