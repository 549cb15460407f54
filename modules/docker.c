#include "modules/docker.h"

#include <ctype.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/schema_convert.h"
#include "modules/docker_auth.h"
#include "modules/web.h"

enum { LINES_MAX = 1000000, VERSION_BODY_MAX = 64 << 20, ID_DIGITS = 64, OUTPUT_HEADER = 8 };

const char *hf_docker_escape(struct hf_arena *a, const char *text)
{
	hf_auto_buf out = hf_buf_init(1 << 20);
	for (const char *p = text; *p != '\0'; p++)
		if (isalnum((unsigned char)*p) || strchr("-_.~/:@", *p) != NULL)
			hf_buf_put(&out, *p);
		else
			hf_buf_printf(&out, "%%%02X", (unsigned)(unsigned char)*p);
	return hf_buf_dup(a, &out).p;
}

bool hf_docker_is_id(const char *name)
{
	return strncmp(name, "sha256:", 7) == 0 && strspn(name + 7, "0123456789abcdefABCDEF") == ID_DIGITS &&
	       strlen(name + 7) == ID_DIGITS;
}

void hf_docker_tag_split(struct hf_arena *a, const char *text, const char **ret_name, const char **ret_tag)
{
	const char *mark = strrchr(text, '@');
	if (mark == NULL) {
		mark = strrchr(text, ':');
		if (mark != NULL && strchr(mark, '/') != NULL)
			mark = NULL; /* a port */
	}
	*ret_name = mark == NULL ? text : hf_strndup(a, text, (size_t)(mark - text));
	*ret_tag = mark == NULL ? NULL : mark + 1;
}

struct hf_value *hf_docker_texts(struct hf_arena *a, const struct hf_value *dict)
{
	struct hf_value *out = hf_value_dict(a);
	if (!hf_is(dict, HF_DICT))
		return out;
	HF_DICT_EACH (dict, e) {
		const struct hf_value *v = hf_entry_value(e);
		const char *text =
			hf_is(v, HF_BOOL) ? (v->u.boolean ? "true" : "false") : hf_value_text(a, v).p;
		hf_dict_put(out, hf_value_text(a, hf_entry_key(e)).p, hf_value_cstr(a, text));
	}
	return out;
}

int hf_docker_bytes(struct hf_arena *a, const char *name, const char *value, bool unlimited,
	struct hf_value **ret, struct hf_error *err)
{
	static const struct hf_arg bytes = { "bytes", HF_ARG_BYTES, 0 };
	struct hf_error why;
	if (unlimited && (strcmp(value, "unlimited") == 0 || strcmp(value, "-1") == 0)) {
		*ret = hf_value_int(a, -1);
		return 0;
	}
	if (hf_schema_convert(a, &bytes, name, hf_value_cstr(a, value), ret, &why) == 0)
		return 0;
	const char *number = value + strspn(value, " ");
	return hf_fail(err, HF_E_TASK,
		"Failed to convert %s to bytes: human_to_bytes() can't interpret following number: %.*s "
		"(original input string: %s)",
		name, (int)strspn(number, "0123456789."), number, value);
}

const char *hf_docker_env(const struct hf_docker *d, const char *name)
{
	const char *const *env = hf_task_env(d->c);
	size_t n = strlen(name);
	for (size_t i = 0; env != NULL && env[i] != NULL; i++)
		if (strncmp(env[i], name, n) == 0 && env[i][n] == '=')
			return env[i] + n + 1;
	return NULL;
}

/* An option, or the variable of the environment that stands in for it. */
static const char *fallback(struct hf_docker *d, const char *option, const char *variable, const char *value)
{
	const char *instead = hf_task_given(d->c, option) ? NULL : hf_docker_env(d, variable);
	return instead == NULL ? value : instead;
}

static bool switched(struct hf_docker *d, const char *option, const char *variable, enum hf_tristate value)
{
	return hf_text_bool(hf_str(fallback(d, option, variable, value == HF_YES ? "yes" : "no"))) == HF_YES;
}

static int base_make(struct hf_docker *d, struct hf_error *err)
{
	const char *host = fallback(d, "docker_host", "DOCKER_HOST", d->options->docker_host);
	bool tls = switched(d, "tls", "DOCKER_TLS", d->options->tls) ||
		   switched(d, "validate_certs", "DOCKER_TLS_VERIFY", d->options->validate_certs);
	if (strncmp(host, "unix://", 7) == 0) {
		d->socket = host + 7;
		d->base = "http://localhost";
	} else if (strncmp(host, "tcp://", 6) == 0)
		d->base = hf_sprintf(d->a, "%s://%s", tls ? "https" : "http", host + 6);
	else if (strncmp(host, "http://", 7) == 0 || strncmp(host, "https://", 8) == 0)
		d->base = host;
	else
		return hf_fail(err, HF_E_UNSUPPORTED,
			"docker_host %s: unix://, tcp://, http:// and https:// are known", host);
	return 0;
}

static struct hf_web_request request_make(struct hf_docker *d, const char *method, const char *path)
{
	const struct hf_docker_options *o = d->options;
	const char *seconds =
		fallback(d, "timeout", "DOCKER_TIMEOUT", hf_sprintf(d->a, "%lld", (long long)o->timeout));
	char *end;
	return (struct hf_web_request){ .url = hf_sprintf(d->a, "%s%s", d->base, path),
		.method = method,
		.unix_socket = d->socket,
		.ca_path = o->ca_path,
		.client_cert = o->client_cert,
		.client_key = o->client_key,
		.insecure = !switched(d, "validate_certs", "DOCKER_TLS_VERIFY", o->validate_certs),
		.timeout_s = strtol(seconds, &end, 10),
		.no_proxy = true,
		.no_netrc = true };
}

static int refused(const struct hf_web_request *q, const struct hf_web_response *r, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct hf_value *told;
	const char *message = "";
	if (hf_json_loads(scratch, r->body, &told, NULL) == 0 && hf_is(told, HF_DICT))
		message = hf_dict_cstr(told, "message", "");
	return hf_fail(err, r->status == 404 ? HF_E_NOT_FOUND : HF_E_TASK, "%d %s Error for %s: %s (\"%s\")",
		r->status, r->status < 500 ? "Client" : "Server", q->url, r->reason, message);
}

static int perform(
	struct hf_docker *d, struct hf_web_request *q, struct hf_web_response *ret, struct hf_error *err)
{
	int r = hf_web_perform(d->a, q, ret, err);
	if (r < 0)
		return hf_wrap(
			err, "Error connecting to the engine at %s", d->socket == NULL ? d->base : d->socket);
	return ret->status >= 400 ? refused(q, ret, err) : 0;
}

int hf_docker_call(struct hf_docker *d, const char *method, const char *path, const struct hf_value *body,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_web_request q = request_make(d, method, path);
	struct hf_web_response response;
	hf_auto_buf text = hf_buf_init(VERSION_BODY_MAX);
	struct hf_value *headers = hf_value_dict(d->a);
	int r = 0;
	if (body != NULL) {
		r = hf_json_write(&text, body, &HF_JSON_COMPACT, err);
		q.body = hf_buf_dup(d->a, &text);
		hf_dict_put(headers, "Content-Type", hf_value_cstr(d->a, "application/json"));
		q.headers = headers;
	}
	if (r == 0)
		r = perform(d, &q, &response, err);
	if (r < 0 || ret == NULL)
		return r;
	*ret = NULL;
	return hf_str_trim(response.body).n == 0 ? 0 : hf_json_loads(d->a, response.body, ret, err);
}

int hf_docker_send(struct hf_docker *d, const struct hf_docker_send *s, struct hf_value **ret_events,
	struct hf_error *err)
{
	struct hf_web_request q = request_make(d, s->method, s->path);
	struct hf_web_response response;
	struct hf_value *events = hf_value_list(d->a), *one;
	struct hf_str line;
	q.headers = s->headers;
	q.upload = s->upload;
	q.file = s->into;
	q.timeout_s = s->timeout_s;
	int r = perform(d, &q, &response, err);
	while (r == 0 && response.body.n > 0 && hf_str_split(&response.body, '\n', &line)) {
		if (hf_str_trim(line).n == 0)
			continue;
		if (hf_list_len(events) == LINES_MAX) /* the last line says how it went */
			return hf_fail(err, HF_E_LIMIT, "%s: the engine answers with more than %d lines",
				s->path, LINES_MAX);
		r = hf_json_loads(d->a, line, &one, err);
		if (r == 0)
			hf_list_append(events, one);
	}
	if (r == 0 && ret_events != NULL)
		*ret_events = events;
	return r;
}

int hf_docker_text(struct hf_docker *d, const char *path, struct hf_str *ret, struct hf_error *err)
{
	struct hf_web_request q = request_make(d, "GET", path);
	struct hf_web_response response;
	int r = perform(d, &q, &response, err);
	if (r == 0)
		*ret = response.body;
	return r;
}

int hf_docker_open(struct hf_module_context *c, const struct hf_docker_options *options,
	struct hf_docker *ret, struct hf_error *err)
{
	struct hf_docker d = { .c = c, .a = hf_task_arena(c), .options = options };
	struct hf_value *told;
	int r = base_make(&d, err);
	d.version = fallback(&d, "api_version", "DOCKER_API_VERSION", options->api_version);
	if (r == 0 && strcmp(d.version, "auto") == 0) {
		r = hf_docker_call(&d, "GET", "/version", NULL, &told, err);
		d.version =
			r == 0 && hf_is(told, HF_DICT) ? hf_dict_cstr(told, "ApiVersion", "1.41") : "1.41";
	}
	if (r < 0)
		return r;
	d.base = hf_sprintf(d.a, "%s/v%s", d.base, d.version);
	*ret = d;
	return 0;
}

/* --- looking things up
 * ---------------------------------------------------------------------------------------- */

static int inspected(struct hf_docker *d, const char *path, struct hf_value **ret, struct hf_error *err)
{
	struct hf_error why;
	int r = hf_docker_call(d, "GET", path, NULL, ret, &why);
	if (r == -HF_E_NOT_FOUND) {
		*ret = NULL;
		return 0;
	}
	if (r < 0 && err != NULL)
		*err = why;
	return r;
}

/* The first of a list with the name or an id that starts so; NULL: none. */
static const char *listed(const struct hf_value *list, const char *name,
	bool (*named)(const struct hf_value *one, const char *name))
{
	for (size_t i = 0; hf_is(list, HF_LIST) && i < hf_list_len(list); i++) {
		const char *id = hf_dict_cstr(hf_list_at(list, i), "Id", "");
		if (named(hf_list_at(list, i), name) || strncmp(id, name, strlen(name)) == 0)
			return id;
	}
	return NULL;
}

static bool container_named(const struct hf_value *one, const char *name)
{
	const struct hf_value *names = hf_dict_get(one, "Names");
	for (size_t i = 0; hf_is(names, HF_LIST) && i < hf_list_len(names); i++) {
		const char *text = hf_list_at(names, i)->u.string.p;
		if (strcmp(text, name) == 0 || (text[0] == '/' && strcmp(text + 1, name) == 0))
			return true;
	}
	return false;
}

static bool network_named(const struct hf_value *one, const char *name)
{
	return strcmp(hf_dict_cstr(one, "Name", ""), name) == 0;
}

int hf_docker_container(struct hf_docker *d, const char *name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *list;
	int r = hf_docker_call(
		d, "GET", "/containers/json?limit=-1&all=1&size=0&trunc_cmd=0", NULL, &list, err);
	const char *id = r == 0 ? listed(list, name, container_named) : NULL;
	*ret = NULL;
	return id == NULL ? r : inspected(d, hf_sprintf(d->a, "/containers/%s/json", id), ret, err);
}

int hf_docker_network(struct hf_docker *d, const char *name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *list;
	int r = hf_docker_call(d, "GET", "/networks", NULL, &list, err);
	const char *id = r == 0 ? listed(list, name, network_named) : NULL;
	*ret = NULL;
	return id == NULL ? r : inspected(d, hf_sprintf(d->a, "/networks/%s", id), ret, err);
}

int hf_docker_image(
	struct hf_docker *d, const char *name, const char *tag, struct hf_value **ret, struct hf_error *err)
{
	const char *full =
		tag == NULL || hf_docker_is_id(name)
			? name
			: hf_sprintf(d->a, "%s%s%s", name, strchr(tag, ':') != NULL ? "@" : ":", tag);
	return inspected(d, hf_sprintf(d->a, "/images/%s/json", hf_docker_escape(d->a, full)), ret, err);
}

static int pull_told(struct hf_arena *a, const char *name, const struct hf_value *one, struct hf_error *err)
{
	const char *error = hf_dict_cstr(one, "error", NULL);
	const struct hf_value *detail = error == NULL ? NULL : hf_dict_get(one, "errorDetail");
	if (error == NULL)
		return 0;
	if (!hf_is(detail, HF_DICT))
		return hf_fail(err, HF_E_TASK, "Error pulling %s - %s", name, error);
	const struct hf_value *code = hf_dict_get(detail, "code");
	return hf_fail(err, HF_E_TASK, "Error pulling %s - code: %s message: %s", name,
		code == NULL ? "None" : hf_value_text(a, code).p, hf_dict_cstr(detail, "message", error));
}

int hf_docker_pull(struct hf_docker *d, const char *name, const char *tag, const char *platform,
	struct hf_value **ret, bool *ret_same, struct hf_error *err)
{
	struct hf_value *events, *before = NULL;
	struct hf_docker_send send = { .method = "POST" };
	send.path = hf_sprintf(d->a, "/images/create?tag=%s&fromImage=%s%s%s", hf_docker_escape(d->a, tag),
		hf_docker_escape(d->a, name), platform == NULL ? "" : "&platform=",
		platform == NULL ? "" : hf_docker_escape(d->a, platform));
	int r = hf_docker_image(d, name, tag, &before, err);
	if (r == 0)
		r = hf_docker_auth(d, name, &send.headers, err);
	if (r == 0)
		r = hf_docker_send(d, &send, &events, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(events); i++) {
		int told = pull_told(d->a, name, hf_list_at(events, i), err);
		if (told < 0)
			return told;
	}
	if (r == 0)
		r = hf_docker_image(d, name, tag, ret, err);
	if (r < 0)
		return hf_wrap(err, "Error pulling image %s:%s", name, tag);
	*ret_same = before != NULL && *ret != NULL && hf_value_equal(before, *ret);
	return 0;
}

static const struct hf_value *within(const struct hf_value *v, const char *outer, const char *inner)
{
	const struct hf_value *o = hf_is(v, HF_DICT) ? hf_dict_get(v, outer) : NULL;
	return hf_is(o, HF_DICT) ? hf_dict_get(o, inner) : NULL;
}

int hf_docker_output(
	struct hf_docker *d, const struct hf_value *container, struct hf_value **ret, struct hf_error *err)
{
	const struct hf_value *config = within(container, "HostConfig", "LogConfig");
	const char *driver = hf_is(config, HF_DICT) ? hf_dict_cstr(config, "Type", "") : "";
	struct hf_str all;
	if (strcmp(driver, "json-file") != 0 && strcmp(driver, "journald") != 0 &&
		strcmp(driver, "local") != 0) {
		*ret = hf_value_cstr(d->a, hf_sprintf(d->a, "Result logged using `%s` driver", driver));
		return 0;
	}
	int r = hf_docker_text(d,
		hf_sprintf(d->a, "/containers/%s/logs?stderr=1&stdout=1&timestamps=0&follow=0&tail=all",
			hf_dict_cstr(container, "Id", "")),
		&all, err);
	const struct hf_value *tty = within(container, "Config", "Tty");
	if (r < 0)
		return r;
	if (tty != NULL && hf_value_truthy(tty)) {
		*ret = hf_value_str(d->a, all);
		return 0;
	}
	hf_auto_buf out = hf_buf_init(HF_PROC_OUTPUT_MAX);
	for (size_t at = 0; at + OUTPUT_HEADER <= all.n;) {
		const unsigned char *h = (const unsigned char *)all.p + at;
		size_t n = ((size_t)h[4] << 24) | ((size_t)h[5] << 16) | ((size_t)h[6] << 8) | h[7];
		at += OUTPUT_HEADER;
		n = n > all.n - at ? all.n - at : n;
		hf_buf_append(&out, all.p + at, n);
		at += n;
	}
	*ret = hf_value_str(d->a, hf_buf_dup(d->a, &out));
	return 0;
}

struct hf_value *hf_docker_undo_step(
	const struct hf_docker *d, const char *what, const char *name, struct hf_value *was)
{
	struct hf_value *step = hf_step(d->c, what);
	const char *host =
		d->socket != NULL ? hf_sprintf(d->a, "unix://%s", d->socket) : d->options->docker_host;
	hf_dict_put(step, "name", hf_value_cstr(d->a, name));
	hf_dict_put(step, "host", hf_value_cstr(d->a, host));
	hf_dict_put(step, "was", was == NULL ? hf_value_null(d->a) : was);
	return step;
}
