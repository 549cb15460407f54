/* modules/web.h - one HTTP request for the modules that are about the network: get_url, uri, unarchive of a
 * URL. Blocking, through libcurl; proxies and .netrc as the environment says. A status like 404 is not an
 * error here. */
#pragma once
#include "lib/data/schema.h"

enum { HF_WEB_BODY_MAX = 256 << 20, HF_WEB_REDIRECTS_MAX = 10 };
enum hf_web_follow { HF_WEB_FOLLOW_NONE, HF_WEB_FOLLOW_SAFE, HF_WEB_FOLLOW_ALL };

struct hf_web_request {
	const char *url, *method;
	struct hf_str body;                /* .p NULL: none */
	const char *upload;                /* file whose bytes are the body */
	const struct hf_value *headers;    /* dict, or NULL */
	const struct hf_value *first_only; /* list of names of headers that no redirection is sent; or NULL */
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

/* The options that get_url and uri share. */
struct hf_web_options {
	const char *user, *password, *agent, *client_cert, *client_key;
	struct hf_value *headers, *unredirected, *ciphers;
	enum hf_tristate use_proxy, validate_certs, basic, decompress, netrc, gssapi;
	int64_t timeout;
};
/* Rows for a module's table. T: its params struct; M: its member of type struct hf_web_options; SECONDS:
 * timeout as text; USERS, PASSWORDS: aliases. */
/* clang-format off */
#define HF_WEB_ARGS(T, M, SECONDS, USERS, PASSWORDS) \
	{ "timeout", HF_ARG_INT, offsetof(T, M.timeout), .dflt = SECONDS, .help = "Seconds of silence allowed." }, \
	{ "headers", HF_ARG_DICT, offsetof(T, M.headers), .help = "Headers to send." }, \
	{ "unredirected_headers", HF_ARG_LIST, offsetof(T, M.unredirected), .elements = HF_ARG_STR, \
		.help = "Names of headers that are not sent again where the server sends elsewhere." }, \
	{ "url_username", HF_ARG_STR, offsetof(T, M.user), .aliases = USERS, .help = "User name." }, \
	{ "url_password", HF_ARG_STR, offsetof(T, M.password), HF_NO_LOG, .aliases = PASSWORDS, .help = "Password." }, \
	{ "force_basic_auth", HF_ARG_BOOL, offsetof(T, M.basic), .dflt = "false", \
		.help = "Send the password with the first request." }, \
	{ "http_agent", HF_ARG_STR, offsetof(T, M.agent), .dflt = "ansible-httpget", .help = "User-Agent." }, \
	{ "use_proxy", HF_ARG_BOOL, offsetof(T, M.use_proxy), .dflt = "true", .help = "Use the environment's proxy." }, \
	{ "validate_certs", HF_ARG_BOOL, offsetof(T, M.validate_certs), .dflt = "true", \
		.help = "Check the server's certificate." }, \
	{ "client_cert", HF_ARG_PATH, offsetof(T, M.client_cert), .help = "PEM certificate to show." }, \
	{ "client_key", HF_ARG_PATH, offsetof(T, M.client_key), .help = "PEM key of client_cert." }, \
	{ "use_gssapi", HF_ARG_BOOL, offsetof(T, M.gssapi), HF_REFUSED, \
		.help = "Kerberos authentication is not built in" }, \
	{ "decompress", HF_ARG_BOOL, offsetof(T, M.decompress), .dflt = "true", .help = "Unpack gzip content coding." }, \
	{ "ciphers", HF_ARG_LIST, offsetof(T, M.ciphers), .elements = HF_ARG_STR, .help = "TLS ciphers." }, \
	{ "use_netrc", HF_ARG_BOOL, offsetof(T, M.netrc), .dflt = "true", .help = "Read ~/.netrc." }
/* clang-format on */

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
/* A request as the options ask for it. */
struct hf_web_request hf_web_request(const struct hf_web_options *o, const char *url, const char *method);
