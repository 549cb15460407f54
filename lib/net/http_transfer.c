#include "lib/net/http_transfer.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/time.h"

static uint64_t body_max(const struct hf_http_transfer *t)
{
	return t->request.max_body == 0 ? HF_HTTP_BODY_MAX : t->request.max_body;
}

static long transfer_status(const struct hf_http_transfer *t)
{
	long status = 0;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t refuse(struct hf_http_transfer *t, enum hf_code code, const char *why)
{
	t->failed = true;
	hf_fail(&t->failure, code, "%s %s: %s", t->response.method, t->response.place, why);
	return 0;
}

static size_t write_to_file(struct hf_http_transfer *t, struct hf_str piece)
{
	t->wrote = true;
	if (hf_fs_write_all(t->request.to_fd, piece, &t->failure) < 0) {
		t->failed = true;
		hf_wrap(&t->failure, "%s %s", t->response.method, t->response.place);
		return 0;
	}
	return piece.n;
}

static size_t on_body(char *p, size_t size, size_t count, void *data)
{
	struct hf_http_transfer *t = data;
	struct hf_str piece = { p, size * count };
	long status = transfer_status(t);
	if (status < 200 || status > 299) {
		size_t room = t->body.n < HF_HTTP_ERROR_BODY_MAX ? HF_HTTP_ERROR_BODY_MAX - t->body.n : 0;
		hf_buf_append(&t->body, p, piece.n < room ? piece.n : room);
		t->response.received += piece.n;
		/* An error document may be of any length, but nobody has to wait for its end. */
		return t->response.received > (uint64_t)HF_HTTP_ERROR_BODY_MAX * 16
			       ? refuse(t, HF_E_LIMIT, "the error document has no end")
			       : piece.n;
	}
	if (piece.n > body_max(t) - t->response.received) {
		char why[96];
		snprintf(why, sizeof(why), "the answer is larger than %llu bytes",
			(unsigned long long)body_max(t));
		return refuse(t, HF_E_LIMIT, why);
	}
	t->response.received += piece.n;
	if (t->request.to_file)
		return write_to_file(t, piece);
	hf_buf_add(&t->body, piece);
	return piece.n;
}

static size_t on_header(char *p, size_t size, size_t count, void *data)
{
	struct hf_http_transfer *t = data;
	struct hf_str line = { p, size * count };
	if (hf_str_starts(line, "HTTP/")) { /* a new answer: after a redirect or a 100 */
		t->response.headers.n = 0;
		t->header_bytes = 0;
		return line.n;
	}
	t->header_bytes += line.n;
	if (t->header_bytes > HF_HTTP_HEADER_BYTES_MAX || t->response.headers.n >= HF_HTTP_HEADERS_MAX)
		return refuse(t, HF_E_LIMIT, "too many answer headers");
	const char *colon = memchr(line.p, ':', line.n);
	if (colon == NULL)
		return line.n;
	struct hf_str name = hf_str_trim(hf_strn(line.p, (size_t)(colon - line.p)));
	struct hf_str value = hf_str_trim(hf_strn(colon + 1, line.n - (size_t)(colon + 1 - line.p)));
	*hf_vec_push(t->arena, &t->response.headers) =
		(struct hf_http_header){ hf_str_dup(t->arena, name), hf_str_dup(t->arena, value) };
	return line.n;
}

static size_t on_send(char *p, size_t size, size_t count, void *data)
{
	struct hf_http_transfer *t = data;
	const struct hf_http_request *r = &t->request;
	uint64_t left = r->body_size - t->sent;
	size_t n = size * count < left ? size * count : (size_t)left;
	t->sent_anything = true;
	if (n == 0)
		return 0;
	if (r->body.n > 0) {
		memcpy(p, r->body.p + t->sent, n);
	} else {
		ssize_t got = pread(r->body_fd, p, n, (off_t)t->sent);
		if (got <= 0) {
			refuse(t, HF_E_IO, got < 0 ? strerror(errno) : "the file to send became shorter");
			return CURL_READFUNC_ABORT;
		}
		n = (size_t)got;
	}
	t->sent += n;
	return n;
}

static int on_rewind(void *data, curl_off_t offset, int origin)
{
	struct hf_http_transfer *t = data;
	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > t->request.body_size)
		return CURL_SEEKFUNC_CANTSEEK;
	t->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void option_protocols(CURL *easy, bool secure)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS,
		(long)(secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void options_security(
	CURL *easy, const struct hf_http_request *r, const struct hf_http_options *options)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (r->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (r->ca_file != NULL) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, r->ca_file);
	} else if (options->ca_pem.n > 0) {
		struct curl_blob blob = { (void *)(uintptr_t)options->ca_pem.p, options->ca_pem.n,
			CURL_BLOB_NOCOPY };
		curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (r->client_cert != NULL)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, r->client_cert);
	if (r->client_key != NULL)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, r->client_key);
	if (r->user != NULL) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_USERNAME, r->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, r->password == NULL ? "" : r->password);
	}
	if (r->direct)
		curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	if (r->unix_socket != NULL)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, r->unix_socket);
}

static void options_time(CURL *easy, const struct hf_http_transfer *t)
{
	const struct hf_http_request *r = &t->request;
	uint64_t now = hf_time_monotonic_ms();
	uint64_t left = t->deadline_ms > now ? t->deadline_ms - now : 1;
	if (r->attempt_ms > 0 && r->attempt_ms < left)
		left = r->attempt_ms;
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)left);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(r->connect_ms == 0 ? HF_HTTP_CONNECT_MS : r->connect_ms));
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)HF_HTTP_STALL_BYTES);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)HF_HTTP_STALL_S);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

static void options_method(CURL *easy, struct hf_http_transfer *t)
{
	const char *method = t->response.method;
	bool head = strcmp(method, "HEAD") == 0;
	bool body = t->request.body_size > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
		    strcmp(method, "PATCH") == 0;
	if (head) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else if (body) {
		curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->request.body_size);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
		curl_easy_setopt(easy, CURLOPT_READDATA, t);
		curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_rewind);
		curl_easy_setopt(easy, CURLOPT_SEEKDATA, t);
	}
	if (!head)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* libcurl drops "Name:" and sends an empty value only for "Name;". */
static int option_headers(
	struct hf_http_transfer *t, const struct hf_http_attempt *attempt, struct hf_error *err)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	bool typed = false, accepts = false;
	for (size_t i = 0; list != NULL && i < attempt->headers.n; i++) {
		const struct hf_http_header *h = &attempt->headers.at[i];
		if (strpbrk(h->name, "\r\n:") != NULL || strpbrk(h->value, "\r\n") != NULL) {
			curl_slist_free_all(list);
			return hf_fail(err, HF_E_ARGUMENT, "%s %s: header %s holds a line break",
				t->response.method, t->response.place, h->name);
		}
		typed = typed || strcasecmp(h->name, "content-type") == 0;
		accepts = accepts || strcasecmp(h->name, "accept") == 0;
		const char *line = h->value[0] == '\0' ? hf_sprintf(t->arena, "%s;", h->name)
						       : hf_sprintf(t->arena, "%s: %s", h->name, h->value);
		list = curl_slist_append(list, line);
	}
	if (list != NULL && !typed)
		list = curl_slist_append(list, "Content-Type:");
	if (list != NULL && !accepts)
		list = curl_slist_append(list, "Accept: */*");
	if (list == NULL)
		return hf_fail(err, HF_E_INTERNAL, "libcurl has no memory");
	t->header_list = list;
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, list);
	return 0;
}

/* Host and path, without scheme, user, query and fragment, which may hold secrets. */
static const char *place_of(struct hf_arena *a, const char *url)
{
	const char *host = strstr(url, "://");
	host = host == NULL ? url : host + 3;
	size_t n = strcspn(host, "?#");
	const char *at = memchr(host, '@', strcspn(host, "/?#"));
	return at == NULL ? hf_strndup(a, host, n) : hf_strndup(a, at + 1, n - (size_t)(at + 1 - host));
}

/* Forget the answer of the attempt before. */
static int transfer_rewind(struct hf_http_transfer *t, struct hf_error *err)
{
	t->failed = t->wrote = t->sent_anything = false;
	t->sent = 0;
	t->reason[0] = '\0';
	t->response.status = 0;
	t->response.received = 0;
	t->response.headers = (struct hf_http_headers){ 0 };
	t->header_bytes = 0;
	hf_buf_clear(&t->body);
	if (!t->request.to_file || t->response.attempts == 0 || t->start_offset < 0)
		return 0;
	if (lseek(t->request.to_fd, t->start_offset, SEEK_SET) < 0 ||
		ftruncate(t->request.to_fd, t->start_offset) < 0)
		return hf_fail_errno(err, HF_E_IO, "wind back the file for %s", t->response.place);
	return 0;
}

int transfer_open(struct hf_http_transfer *t, const struct hf_http_options *options, struct hf_error *err)
{
	if (transfer_rewind(t, err) < 0)
		return -err->code;
	struct hf_http_attempt attempt = { t->arena, ++t->response.attempts, t->request.url, { 0 } };
	for (size_t i = 0; i < t->request.n_headers; i++)
		*hf_vec_push(t->arena, &attempt.headers) = t->request.headers[i];
	if (t->request.prepare != NULL && t->request.prepare(&attempt, t->request.data, err) < 0)
		return -err->code;
	t->response.url = hf_strdup(t->arena, attempt.url);
	t->response.place = place_of(t->arena, attempt.url);
	CURL *easy = t->easy = curl_easy_init();
	if (easy == NULL)
		return hf_fail(err, HF_E_INTERNAL, "libcurl has no memory");
	bool secure = strncasecmp(attempt.url, "https://", 8) == 0;
	option_protocols(easy, secure);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(easy, CURLOPT_URL, attempt.url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* what is signed is what is sent */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, t->request.follow ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)HF_HTTP_REDIRECTS_MAX);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->reason);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, options->user_agent);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 65536L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	options_security(easy, &t->request, options);
	options_time(easy, t);
	options_method(easy, t);
	return option_headers(t, &attempt, err);
}

void transfer_close(struct hf_http_transfer *t)
{
	if (t->easy != NULL)
		curl_easy_cleanup(t->easy);
	t->easy = NULL;
	curl_slist_free_all(t->header_list);
	t->header_list = NULL;
}

static enum hf_code code_of(CURLcode code)
{
	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		return HF_E_TIMEOUT;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return HF_E_ARGUMENT;
	default:
		return HF_E_NET;
	}
}

bool transfer_failed(struct hf_http_transfer *t, CURLcode code)
{
	t->response.status = (int)transfer_status(t);
	t->response.body = hf_buf_dup(t->arena, &t->body);
	char *url = NULL;
	if (curl_easy_getinfo(t->easy, CURLINFO_EFFECTIVE_URL, &url) == CURLE_OK && url != NULL)
		t->response.url = hf_strdup(t->arena, url);
	if (code == CURLE_OK)
		return false;
	if (t->failed) /* a callback of ours said why */
		return true;
	t->failed = true;
	const char *reason = t->reason[0] != '\0' ? t->reason : curl_easy_strerror(code);
	hf_fail(&t->failure, code_of(code), "%s %s: %s", t->response.method, t->response.place, reason);
	return true;
}

bool transfer_may_repeat(const struct hf_http_transfer *t, CURLcode code)
{
	if (t->wrote && t->start_offset < 0)
		return false;
	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
		return t->request.repeat != HF_HTTP_ONCE;
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return t->request.repeat == HF_HTTP_REPEAT;
	default:
		return false;
	}
}
