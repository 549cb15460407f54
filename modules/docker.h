/* modules/docker.h - calls to a container engine's API, through its socket or over HTTP, for
 * docker_container, docker_image and docker_network. Owns:  everything lives in the task's arena. Fails:
 * HF_E_NOT_FOUND where the engine has not what was asked for, HF_E_TASK for its other refusals, HF_E_NET
 * where it does not answer. */
#pragma once
#include "modules/host.h"

struct hf_docker_options {
	const char *docker_host, *tls_hostname, *api_version, *ca_path, *client_cert, *client_key,
		*ssl_version;
	int64_t timeout;
	enum hf_tristate tls, use_ssh_client, validate_certs, debug;
};
/* Rows for a module's table. T: its params struct; M: its member of type struct hf_docker_options. */
/* clang-format off */
#define HF_DOCKER_ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define HF_DOCKER_ARGS(T, M) \
	{ "docker_host", HF_ARG_STR, offsetof(T, M.docker_host), .dflt = "unix:///var/run/docker.sock", \
		.aliases = HF_DOCKER_ALIASES("docker_url"), .help = "unix://, tcp://, http:// or https:// of the engine." }, \
	{ "tls_hostname", HF_ARG_STR, offsetof(T, M.tls_hostname), HF_REFUSED, \
		.help = "the certificate must bear the name in docker_host" }, \
	{ "api_version", HF_ARG_STR, offsetof(T, M.api_version), .dflt = "auto", \
		.aliases = HF_DOCKER_ALIASES("docker_api_version"), .help = "Version of the API; auto: the engine's." }, \
	{ "timeout", HF_ARG_INT, offsetof(T, M.timeout), .dflt = "60", .help = "Seconds of silence allowed." }, \
	{ "ca_path", HF_ARG_PATH, offsetof(T, M.ca_path), \
		.aliases = HF_DOCKER_ALIASES("ca_cert", "tls_ca_cert", "cacert_path"), .help = "PEM certificates to trust." }, \
	{ "client_cert", HF_ARG_PATH, offsetof(T, M.client_cert), \
		.aliases = HF_DOCKER_ALIASES("tls_client_cert", "cert_path"), .help = "PEM certificate to show." }, \
	{ "client_key", HF_ARG_PATH, offsetof(T, M.client_key), \
		.aliases = HF_DOCKER_ALIASES("tls_client_key", "key_path"), .help = "PEM key of client_cert." }, \
	{ "ssl_version", HF_ARG_STR, offsetof(T, M.ssl_version), HF_REFUSED, \
		.help = "the TLS library takes the newest version both know" }, \
	{ "tls", HF_ARG_BOOL, offsetof(T, M.tls), .dflt = "false", .help = "TLS, the certificate unchecked." }, \
	{ "use_ssh_client", HF_ARG_BOOL, offsetof(T, M.use_ssh_client), HF_REFUSED, \
		.help = "an engine is reached through a socket or HTTP, not SSH" }, \
	{ "validate_certs", HF_ARG_BOOL, offsetof(T, M.validate_certs), .dflt = "false", \
		.aliases = HF_DOCKER_ALIASES("tls_verify"), .help = "TLS, the certificate checked." }, \
	{ "debug", HF_ARG_BOOL, offsetof(T, M.debug), .dflt = "false", .help = "`actions` outside check mode too." }
#define HF_DOCKER_RULES { HF_RULE_TOGETHER, HF_DOCKER_ALIASES("client_cert", "client_key") }
/* clang-format on */

struct hf_docker {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct hf_docker_options *options;
	const char *socket, *base; /* base: http://…/v1.43 */
	const char *version;
};
HF_CHECK int hf_docker_open(struct hf_module_context *c, const struct hf_docker_options *options,
	struct hf_docker *ret, struct hf_error *err);
/* A call; path with its query. body: sent as JSON, NULL: none. ret: what came back as JSON (NULL where it is
 * empty); may be NULL. */
HF_CHECK int hf_docker_call(struct hf_docker *d, const char *method, const char *path,
	const struct hf_value *body, struct hf_value **ret, struct hf_error *err);
/* What is sent to a call that answers in a stream of JSON objects, or with bytes. */
struct hf_docker_send {
	const char *method, *path;
	struct hf_value *headers; /* dict, or NULL */
	const char *upload;       /* file whose bytes are sent, or NULL */
	const char *into;         /* file that the answer goes to, or NULL */
	int64_t timeout_s;        /* silence allowed; 0: any, as work of the engine goes on in it */
};
/* ret_events: a list of the objects; may be NULL where the answer goes into a file. */
HF_CHECK int hf_docker_send(struct hf_docker *d, const struct hf_docker_send *s, struct hf_value **ret_events,
	struct hf_error *err);
/* The answer's bytes. */
HF_CHECK int hf_docker_text(struct hf_docker *d, const char *path, struct hf_str *ret, struct hf_error *err);
/* The output of a container that has ended: frames of 8 bytes and text, or text alone where it has a
 * terminal. */
HF_CHECK int hf_docker_output(
	struct hf_docker *d, const struct hf_value *container, struct hf_value **ret, struct hf_error *err);
/* What is inspected; NULL where there is none of the name (or, container and network, the start of its id).
 */
HF_CHECK int hf_docker_container(
	struct hf_docker *d, const char *name, struct hf_value **ret, struct hf_error *err);
HF_CHECK int hf_docker_network(
	struct hf_docker *d, const char *name, struct hf_value **ret, struct hf_error *err);
/* name: without tag, or sha256:… */
HF_CHECK int hf_docker_image(
	struct hf_docker *d, const char *name, const char *tag, struct hf_value **ret, struct hf_error *err);
/* Pulls it; ret_same: it was there already, as the engine tells. */
HF_CHECK int hf_docker_pull(struct hf_docker *d, const char *name, const char *tag, const char *platform,
	struct hf_value **ret, bool *ret_same, struct hf_error *err);
/* "host:5000/name:1" → "host:5000/name", "1"; also NAME@DIGEST. *ret_tag NULL: none. */
void hf_docker_tag_split(struct hf_arena *a, const char *text, const char **ret_name, const char **ret_tag);
bool hf_docker_is_id(const char *name);
/* "512M" → 536870912; unlimited: whether that word and -1 are taken. */
HF_CHECK int hf_docker_bytes(struct hf_arena *a, const char *name, const char *value, bool unlimited,
	struct hf_value **ret, struct hf_error *err);
/* A variable of the task's environment; NULL: not there. */
const char *hf_docker_env(const struct hf_docker *d, const char *name);
/* For URLs. */
const char *hf_docker_escape(struct hf_arena *a, const char *text);
/* Text of a value as the engine wants it: true and false in lower case. */
struct hf_value *hf_docker_texts(struct hf_arena *a, const struct hf_value *dict);
/* The undo step of a container or network that was as inspected; was NULL: there was none. */
struct hf_value *hf_docker_undo_step(
	const struct hf_docker *d, const char *what, const char *name, struct hf_value *was);
