#include "modules/web.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/curl_late.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"

/* What the callbacks fill. */
struct transfer {
	struct hf_arena *a;
	const struct hf_web_request *request;
	struct hf_web_response *response;
	struct hf_buf body;
	int fd;
	int errnum;
};

static size_t body_take(char *p, size_t size, size_t n, void *data)
{
	struct transfer *t = data;
	n *= size;
	t->response->size += n;
	if (t->fd < 0) {
		hf_buf_append(&t->body, p, n);
		return t->body.failed ? 0 : n;
	}
	struct hf_error err;
	if (hf_fs_write_all(t->fd, hf_strn(p, n), &err) < 0) {
		t->errnum = err.errnum;
		return 0;
	}
	return n;
}

static void header_keep(struct transfer *t, struct hf_str name, struct hf_str value)
{
	char *key = hf_str_dup(t->a, name);
	for (char *c = key; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	const char *before = hf_dict_cstr(t->response->headers, key, NULL);
	const char *text = before == NULL ? hf_str_dup(t->a, value)
					  : hf_sprintf(t->a, "%s, %.*s", before, HF_STR_ARG(value));
	hf_dict_put(t->response->headers, key, hf_value_cstr(t->a, text));
}

static size_t header_take(char *p, size_t size, size_t n, void *data)
{
	struct transfer *t = data;
	struct hf_str line = hf_str_trim(hf_strn(p, n * size));
	if (hf_str_starts(line, "HTTP/")) {
		/* a new response: of a redirection, or after 100 Continue */
		t->response->headers = hf_value_dict(t->a);
		const char *space = memchr(line.p, ' ', line.n);
		struct hf_str rest = space != NULL ? hf_strn(space + 1, (size_t)(line.p + line.n - space - 1))
						   : HF_STR("");
		space = memchr(rest.p, ' ', rest.n);
		t->response->reason =
			space != NULL ? hf_str_dup(t->a, hf_str_trim(hf_strn(space + 1,
								 (size_t)(rest.p + rest.n - space - 1))))
				      : "";
		return n * size;
	}
	const char *colon = memchr(line.p, ':', line.n);
	if (colon != NULL)
		header_keep(t, hf_strn(line.p, (size_t)(colon - line.p)),
			hf_str_trim(hf_strn(colon + 1, (size_t)(line.p + line.n - colon - 1))));
	return n * size;
}

static size_t upload_give(char *p, size_t size, size_t n, void *data)
{
	const int *fd = data;
	ssize_t got = read(*fd, p, size * n);
	return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

/* The body is the bytes of a file, whose size is said before. */
static int upload_open(CURL *easy, const struct hf_web_request *r, int *fd, struct hf_error *err)
{
	struct stat st;
	if (r->upload == NULL)
		return 0;
	*fd = open(r->upload, O_RDONLY | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", r->upload);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)st.st_size);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, upload_give);
	curl_easy_setopt(easy, CURLOPT_READDATA, fd);
	return 0;
}

static void easy_free(CURL **easy)
{
	if (*easy != NULL)
		curl_easy_cleanup(*easy);
	*easy = NULL;
}
static void slist_free(struct curl_slist **list)
{
	curl_slist_free_all(*list);
	*list = NULL;
}

static struct curl_slist *headers_list(struct hf_arena *a, const struct hf_web_request *r)
{
	struct curl_slist *list = NULL;
	bool typed = false;
	if (r->headers != NULL) {
		HF_DICT_EACH (r->headers, e) {
			struct hf_str name = hf_value_text(a, hf_entry_key(e)),
				      value = hf_value_text(a, hf_entry_value(e));
			typed = typed || strcasecmp(name.p, "content-type") == 0;
			list = curl_slist_append(list, value.n > 0 ? hf_sprintf(a, "%s: %s", name.p, value.p)
								   : hf_sprintf(a, "%s;", name.p));
		}
	}
	if (r->body.p != NULL && !typed)
		list = curl_slist_append(list, "Content-Type: application/x-www-form-urlencoded");
	if (r->newer_than > 0 && strncmp(r->url, "http", 4) == 0) {
		/* Not libcurl's own time condition, which drops a body that the server did send. */
		char when[64];
		struct tm tm;
		time_t t = (time_t)r->newer_than;
		gmtime_r(&t, &tm);
		strftime(when, sizeof(when), "If-Modified-Since: %a, %d %b %Y %H:%M:%S GMT", &tm);
		list = curl_slist_append(list, when);
	}
	return curl_slist_append(list, "Expect:");
}

static void easy_identity(CURL *easy, const struct hf_web_request *r)
{
	const struct {
		CURLoption option;
		const char *value;
	} texts[] = { { CURLOPT_USERNAME, r->user }, { CURLOPT_PASSWORD, r->password },
		{ CURLOPT_SSLCERT, r->client_cert }, { CURLOPT_SSLKEY, r->client_key },
		{ CURLOPT_CAINFO, r->ca_path }, { CURLOPT_UNIX_SOCKET_PATH, r->unix_socket },
		{ CURLOPT_USERAGENT, r->agent } };
	for (size_t i = 0; i < HF_COUNT(texts); i++)
		if (texts[i].value != NULL)
			curl_easy_setopt(easy, texts[i].option, texts[i].value);
	if (r->user != NULL)
		curl_easy_setopt(
			easy, CURLOPT_HTTPAUTH, r->basic_first ? (long)CURLAUTH_BASIC : (long)CURLAUTH_ANY);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, r->insecure ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, r->insecure ? 0L : 2L);
	curl_easy_setopt(
		easy, CURLOPT_NETRC, r->no_netrc ? (long)CURL_NETRC_IGNORED : (long)CURL_NETRC_OPTIONAL);
	if (r->no_proxy)
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

static void easy_method(CURL *easy, const struct hf_web_request *r)
{
	bool head = strcmp(r->method, "HEAD") == 0, get = strcmp(r->method, "GET") == 0;
	if (r->body.p != NULL) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body.p);
	}
	if (head)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else if (!get || r->body.p != NULL)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
	bool safe = head || get;
	bool follow = r->follow == HF_WEB_FOLLOW_ALL || (r->follow == HF_WEB_FOLLOW_SAFE && safe);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, follow ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)HF_WEB_REDIRECTS_MAX);
}

static int ciphers_set(struct hf_arena *a, CURL *easy, const struct hf_value *list)
{
	const char *text = "";
	for (size_t i = 0; list != NULL && i < hf_list_len(list); i++)
		text = hf_sprintf(
			a, "%s%s%s", text, i > 0 ? ":" : "", hf_value_text(a, hf_list_at(list, i)).p);
	return *text == '\0' ? 0 : (int)curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, text);
}

static int transfer_failed(const struct transfer *t, CURLcode code, const char *detail, struct hf_error *err)
{
	if (t->errnum != 0) {
		errno = t->errnum;
		return hf_fail_errno(err, HF_E_IO, "write %s", t->request->file);
	}
	if (t->body.failed)
		return hf_fail(
			err, HF_E_LIMIT, "%s: answer larger than %d bytes", t->request->url, HF_WEB_BODY_MAX);
	return hf_fail(err, code == CURLE_OPERATION_TIMEDOUT ? HF_E_TIMEOUT : HF_E_NET,
		"Request failed: <urlopen error %s>", *detail != '\0' ? detail : curl_easy_strerror(code));
}

static void easy_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https,ftp,file");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https,ftp");
#else
	const long redirects = CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FTP;
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, redirects | CURLPROTO_FILE);
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, redirects);
#endif
}

/* *ret_next: where the answer sends on to, unless that has been followed; NULL: nowhere. */
static int transfer_run(struct hf_arena *a, const struct hf_web_request *r, struct hf_web_response *ret,
	const char **ret_next, struct hf_error *err)
{
	int result = hf_curl_ready(err);
	if (result < 0)
		return result;
	char detail[CURL_ERROR_SIZE] = "";
	struct hf_web_response response = { .headers = hf_value_dict(a), .reason = "", .body = HF_STR("") };
	struct transfer t = {
		.a = a, .request = r, .response = &response, .body = hf_buf_init(HF_WEB_BODY_MAX), .fd = -1
	};
	hf_auto_fd fd = -1;
	hf_auto_fd sent = -1;
	if (r->file != NULL) {
		t.fd = fd = open(r->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0)
			return hf_fail_errno(err, HF_E_IO, "create %s", r->file);
	}
	HF_CLEANUP(easy_free) CURL *easy = curl_easy_init();
	HF_CLEANUP(slist_free) struct curl_slist *headers = headers_list(a, r);
	curl_easy_setopt(easy, CURLOPT_URL, r->url);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	easy_protocols(easy);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &t);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_take);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, &t);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, r->no_decompress ? NULL : "gzip");
	/* As Ansible's timeout: for each silence, not for the whole of a large download. */
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)r->timeout_s);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)r->timeout_s);
	easy_identity(easy, r);
	easy_method(easy, r);
	if (ciphers_set(a, easy, r->ciphers) != 0)
		return hf_fail(err, HF_E_ARGUMENT, "ciphers: not understood by this TLS library");
	result = upload_open(easy, r, &sent, err);
	if (result < 0)
		return result;
	CURLcode code = curl_easy_perform(easy);
	result = code == CURLE_OK ? 0 : transfer_failed(&t, code, detail, err);
	long status = 0;
	const char *url = NULL;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
	response.status = (int)status;
	response.url = hf_strdup(a, url != NULL ? url : r->url);
	response.body = hf_buf_dup(a, &t.body);
	hf_buf_done(&t.body);
	if (result < 0)
		return result;
	const char *next = NULL;
	curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &next);
	*ret_next = next != NULL ? hf_strdup(a, next) : NULL;
	*ret = response;
	return 0;
}

static bool listed(struct hf_arena *a, const struct hf_value *names, const char *name)
{
	for (size_t i = 0; names != NULL && i < hf_list_len(names); i++)
		if (strcasecmp(hf_value_text(a, hf_list_at(names, i)).p, name) == 0)
			return true;
	return false;
}

/* Length of scheme, host and port of a URL: who is spoken to. */
static size_t origin_length(const char *url)
{
	const char *host = strstr(url, "://");
	return host == NULL ? 0 : (size_t)(host - url) + 3 + strcspn(host + 3, "/?#");
}

/* The headers that go on with a redirection: without those for the first server only, without what a body
 * that is gone was, and to another server without what says who asks. */
static struct hf_value *headers_on(
	struct hf_arena *a, const struct hf_web_request *r, bool elsewhere, bool body_kept)
{
	struct hf_value *headers = hf_value_dict(a);
	if (r->headers == NULL)
		return headers;
	HF_DICT_EACH (r->headers, e) {
		const char *name = hf_value_text(a, hf_entry_key(e)).p;
		bool who = strcasecmp(name, "authorization") == 0 || strcasecmp(name, "cookie") == 0,
		     what = strcasecmp(name, "content-type") == 0;
		if (!listed(a, r->first_only, name) && !(who && elsewhere) && !(what && !body_kept))
			hf_dict_set(headers, hf_entry_key(e), hf_entry_value(e));
	}
	return headers;
}

static struct hf_web_request redirected(
	struct hf_arena *a, const struct hf_web_request *r, int status, const char *url)
{
	struct hf_web_request next = *r;
	size_t n = origin_length(r->url);
	bool elsewhere = n != origin_length(url) || strncasecmp(r->url, url, n) != 0,
	     kept = status == 307 || status == 308;
	next.url = url;
	next.headers = headers_on(a, r, elsewhere, kept);
	next.first_only = NULL;
	if (elsewhere)
		next.user = next.password = NULL;
	if (kept)
		return next;
	next.body = (struct hf_str){ 0 };
	next.upload = NULL;
	if (strcmp(r->method, "HEAD") != 0 && (status != 301 || strcmp(r->method, "POST") == 0))
		next.method = "GET";
	return next;
}

int hf_web_perform(
	struct hf_arena *a, const struct hf_web_request *r, struct hf_web_response *ret, struct hf_error *err)
{
	const char *next = NULL;
	struct hf_web_request now = *r;
	/* libcurl sends on all headers, and a body's method where the body is gone: such steps are taken
	 * here. */
	for (int i = 0; i < HF_WEB_REDIRECTS_MAX; i++) {
		bool safe = strcmp(now.method, "GET") == 0 || strcmp(now.method, "HEAD") == 0,
		     once = now.first_only != NULL && hf_list_len(now.first_only) > 0;
		if (now.follow == HF_WEB_FOLLOW_NONE || (safe ? !once : now.follow != HF_WEB_FOLLOW_ALL))
			return transfer_run(a, &now, ret, &next, err);
		now.follow = HF_WEB_FOLLOW_NONE;
		struct hf_web_response response;
		int result = transfer_run(a, &now, &response, &next, err);
		if (result < 0)
			return result;
		if (next == NULL) {
			*ret = response;
			return 0;
		}
		now.follow = r->follow;
		now = redirected(a, &now, response.status, next);
	}
	return hf_fail(
		err, HF_E_NET, "Request failed: %s: more than %d redirections", r->url, HF_WEB_REDIRECTS_MAX);
}

const char *hf_web_name(struct hf_arena *a, const char *url)
{
	const char *path = strstr(url, "://");
	path = path != NULL ? strchr(path + 3, '/') : url;
	if (path == NULL)
		return "";
	const char *whole = hf_strndup(a, path, strcspn(path, "?#"));
	const char *slash = strrchr(whole, '/');
	return slash != NULL ? slash + 1 : whole;
}

struct hf_web_request hf_web_request(const struct hf_web_options *o, const char *url, const char *method)
{
	return (struct hf_web_request){ .url = url,
		.method = method,
		.headers = o->headers,
		.first_only = o->unredirected,
		.agent = o->agent,
		.user = o->user,
		.password = o->password,
		.client_cert = o->client_cert,
		.client_key = o->client_key,
		.timeout_s = o->timeout,
		.insecure = o->validate_certs == HF_NO,
		.basic_first = o->basic == HF_YES,
		.no_proxy = o->use_proxy == HF_NO,
		.no_netrc = o->netrc == HF_NO,
		.no_decompress = o->decompress == HF_NO,
		.ciphers = o->ciphers };
}
