/* modules/web.h - one HTTP request for the modules that are about the network: get_url, uri, unarchive of a
 * URL. Blocking, through libcurl; proxies and .netrc as the environment says. A status like 404 is not an
 * error here. */
#pragma once
#include "lib/data/value.h"

enum { HF_WEB_BODY_MAX = 256 << 20, HF_WEB_REDIRECTS_MAX = 10 };
enum hf_web_follow { HF_WEB_FOLLOW_NONE, HF_WEB_FOLLOW_SAFE, HF_WEB_FOLLOW_ALL };

struct hf_web_request {
	const char *url, *method;
	struct hf_str body;             /* .p NULL: none */
	const struct hf_value *headers; /* dict, or NULL */
	const char *agent;
	const char *user, *password;
	const char *client_cert, *client_key, *ca_path, *unix_socket;
	const char *file; /* body goes there instead of memory; made 0600 */
	int64_t timeout_s;
	int64_t newer_than; /* If-Modified-Since; 0: not asked */
	enum hf_web_follow follow;
	bool insecure, basic_first, no_proxy, no_netrc, no_decompress;
	const struct hf_value *ciphers; /* list, or NULL */
};

struct hf_web_response {
	int status;               /* 0: not HTTP (file:, ftp:) */
	const char *reason;       /* "OK", "Not Found" */
	const char *url;          /* after redirections */
	struct hf_value *headers; /* dict: names in lower case; repeated ones joined by ", " */
	struct hf_str body;       /* empty when it went to a file */
	uint64_t size;
};

/* HF_E_NET when no response came. */
HF_CHECK int hf_web_perform(struct hf_arena *a, const struct hf_web_request *request,
	struct hf_web_response *ret, struct hf_error *err);
/* Last part of the URL's path; "" where there is none. */
const char *hf_web_name(struct hf_arena *a, const char *url);
