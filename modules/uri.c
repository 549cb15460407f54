#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/data/unicode.h"
#include "modules/cmdline.h"
#include "modules/file_content.h"
#include "modules/web.h"

/* uri: one request to a web service. Every request may change something at the other end, so it is made in
 * apply. */
enum { FORMAT_FORM, FORMAT_JSON, FORMAT_RAW, FORMAT_MULTIPART };
enum { BODY_MAX = 64 << 20 };

struct params {
	const char *url, *dest, *src, *method, *follow, *creates, *removes, *unix_socket, *ca_path;
	struct hf_value *body, *status;
	enum hf_tristate return_content, remote_src, force;
	int format;
	struct hf_web_options web;
	struct hf_file_attr attr;
};

static const char *const formats[] = { "form-urlencoded", "json", "raw", "form-multipart", NULL };
static const char *const follows[] = { "all", "no", "none", "safe", "urllib2", "yes", NULL };
static const char *const user_aliases[] = { "user", NULL };
static const char *const password_aliases[] = { "password", NULL };

static const struct hf_arg args[] = {
	{ "url", HF_ARG_STR, offsetof(struct params, url), HF_REQUIRED, .help = "http or https URL." },
	{ "method", HF_ARG_STR, offsetof(struct params, method), .dflt = "GET",
		.help = "Method, in capitals." },
	{ "body", HF_ARG_RAW, offsetof(struct params, body), .help = "What to send." },
	{ "body_format", HF_ARG_ENUM, offsetof(struct params, format), .dflt = "raw", .choices = formats,
		.help = "How body becomes bytes; form-multipart is refused." },
	{ "src", HF_ARG_PATH, offsetof(struct params, src), .help = "File to send." },
	{ "remote_src", HF_ARG_BOOL, offsetof(struct params, remote_src), .dflt = "false",
		.help = "src is a path of this host." },
	{ "dest", HF_ARG_PATH, offsetof(struct params, dest),
		.help = "File or directory to keep the answer in." },
	{ "return_content", HF_ARG_BOOL, offsetof(struct params, return_content), .dflt = "false",
		.help = "Return the answer as content." },
	{ "status_code", HF_ARG_LIST, offsetof(struct params, status), .elements = HF_ARG_INT, .dflt = "200",
		.help = "Statuses that are success." },
	{ "follow_redirects", HF_ARG_STR, offsetof(struct params, follow), .dflt = "safe", .choices = follows,
		.help = "safe: for GET and HEAD." },
	{ "creates", HF_ARG_PATH, offsetof(struct params, creates),
		.help = "No request when this path exists." },
	{ "removes", HF_ARG_PATH, offsetof(struct params, removes),
		.help = "No request when this path is missing." },
	{ "force", HF_ARG_BOOL, offsetof(struct params, force), .dflt = "false",
		.help = "Ask caches for a fresh answer." },
	{ "ca_path", HF_ARG_PATH, offsetof(struct params, ca_path),
		.help = "PEM file of authorities to trust." },
	{ "unix_socket", HF_ARG_PATH, offsetof(struct params, unix_socket),
		.help = "Socket to speak through." },
	HF_WEB_ARGS(struct params, web, "30", user_aliases, password_aliases),
	HF_FILE_ATTR_ARGS(struct params, attr),
	{ .type = HF_ARG_END },
};
static const char *const exclusive[] = { "body", "src", NULL };
static const struct hf_rule rules[] = { { HF_RULE_EXCLUSIVE, exclusive }, { HF_RULE_END } };

struct call {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_change *change;
	struct hf_error *err;
	struct hf_str body;
	struct hf_value *headers;
};

static void url_encode(struct hf_buf *out, struct hf_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (isalnum(c) || strchr("_.-~", c) != NULL)
			hf_buf_put(out, (char)c);
		else if (c == ' ')
			hf_buf_put(out, '+');
		else
			hf_buf_printf(out, "%%%02X", c);
	}
}

static void form_pair(
	struct call *call, struct hf_buf *out, const struct hf_value *key, const struct hf_value *v)
{
	if (hf_is(v, HF_NULL))
		return;
	if (out->n > 0)
		hf_buf_put(out, '&');
	url_encode(out, hf_value_text(call->a, key));
	hf_buf_put(out, '=');
	url_encode(out, hf_value_text(call->a, v));
}

static void form_values(
	struct call *call, struct hf_buf *out, const struct hf_value *key, const struct hf_value *v)
{
	if (!hf_is_sequence(v)) {
		form_pair(call, out, key, v);
		return;
	}
	for (size_t i = 0; i < hf_list_len(v); i++)
		form_pair(call, out, key, hf_list_at(v, i));
}

/* A dict, or a list of pairs. */
static int body_form(struct call *call, struct hf_buf *out)
{
	const struct hf_value *v = call->p->body;
	if (hf_is(v, HF_DICT)) {
		HF_DICT_EACH (v, e)
			form_values(call, out, hf_entry_key(e), hf_entry_value(e));
		return 0;
	}
	for (size_t i = 0; hf_is_sequence(v) && i < hf_list_len(v); i++) {
		const struct hf_value *pair = hf_list_at(v, i);
		if (!hf_is_sequence(pair) || hf_list_len(pair) != 2)
			return hf_fail(call->err, HF_E_TASK,
				"failed to parse body as form_urlencoded: cannot form-urlencode body, expect "
				"list or dict");
		form_values(call, out, hf_list_at(pair, 0), hf_list_at(pair, 1));
	}
	return 0;
}

static bool header_given(struct call *call, const char *name)
{
	HF_DICT_EACH (call->headers, e)
		if (strcasecmp(hf_value_text(call->a, hf_entry_key(e)).p, name) == 0)
			return true;
	return false;
}

static int body_make(struct call *call)
{
	static const char *const types[] = {
		[FORMAT_FORM] = "application/x-www-form-urlencoded",
		[FORMAT_JSON] = "application/json",
		[FORMAT_RAW] = NULL,
		[FORMAT_MULTIPART] = NULL,
	};
	const struct params *p = call->p;
	const struct hf_value *v = p->body;
	hf_auto_buf out = hf_buf_init(BODY_MAX);
	int result = 0;
	if (types[p->format] != NULL && !header_given(call, "content-type"))
		hf_dict_put(call->headers, "Content-Type", hf_value_cstr(call->a, types[p->format]));
	bool none = v == NULL || hf_is(v, HF_NULL);
	if (none && p->format != FORMAT_JSON)
		return 0;
	if (p->format == FORMAT_JSON && !hf_is(v, HF_STRING))
		result = hf_json_write(&out, none ? hf_value_null(call->a) : v, &HF_JSON_PYTHON, call->err);
	else if (p->format == FORMAT_FORM && !hf_is(v, HF_STRING))
		result = body_form(call, &out);
	else
		hf_buf_add(&out, hf_value_text(call->a, v));
	if (result == 0)
		result = hf_buf_check(&out, "body", call->err);
	call->body = hf_buf_dup(call->a, &out);
	return result;
}

static int body_source(struct call *call)
{
	char *path = hf_strdup(call->a, call->p->src);
	bool secret;
	if (call->p->remote_src != HF_YES) {
		int result = hf_task_find(call->c, "files", path, &path, call->err);
		return result < 0 ? result
				  : hf_task_read(call->c, path, false, &call->body, &secret, call->err);
	}
	if (hf_fs_read(call->a, path, BODY_MAX, &call->body, call->err) < 0)
		return hf_fail(call->err, HF_E_TASK, "Unable to open source file %s", path);
	return 0;
}

static int uri_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	if (p->format == FORMAT_MULTIPART)
		return hf_fail(err, HF_E_UNSUPPORTED, "body_format form-multipart is not done");
	for (const char *m = p->method; *m != '\0'; m++)
		if (!isalpha((unsigned char)*m))
			return hf_fail(err, HF_E_TASK,
				"Parameter 'method' needs to be a single word in uppercase, like GET or "
				"POST.");
	const char *why = NULL;
	if (p->creates != NULL && hf_fs_exists(p->creates))
		why = hf_sprintf(a, "skipped, since '%s' exists", p->creates);
	else if (p->removes != NULL && !hf_fs_exists(p->removes))
		why = hf_sprintf(a, "skipped, since '%s' does not exist", p->removes);
	if (why != NULL) {
		hf_result_cstr(c, change, "stdout", why);
		hf_result_put(c, change, "stdout_lines", hf_cmdline_lines(a, hf_str(why)));
		return 0;
	}
	struct call *call = change->state = hf_new(a, struct call);
	*call = (struct call){ .c = c,
		.a = a,
		.p = p,
		.change = change,
		.err = err,
		.headers = p->web.headers != NULL ? hf_value_shallow(a, p->web.headers) : hf_value_dict(a) };
	change->unknown = true;
	return p->src != NULL ? body_source(call) : body_make(call);
}

static enum hf_web_follow follow_kind(const char *word)
{
	if (strcmp(word, "all") == 0 || strcmp(word, "yes") == 0 || strcmp(word, "urllib2") == 0)
		return HF_WEB_FOLLOW_ALL;
	return strcmp(word, "safe") == 0 ? HF_WEB_FOLLOW_SAFE : HF_WEB_FOLLOW_NONE;
}

static bool status_wanted(const struct params *p, int status)
{
	for (size_t i = 0; i < hf_list_len(p->status); i++)
		if (hf_is(hf_list_at(p->status, i), HF_INT) && hf_list_at(p->status, i)->u.integer == status)
			return true;
	return false;
}

static bool content_is_json(const struct hf_web_response *r)
{
	const char *type = hf_dict_cstr(r->headers, "content-type", "");
	size_t n = strcspn(type, ";");
	const char *slash = memchr(type, '/', n);
	if (slash == NULL)
		return false;
	const char *sub = slash + 1;
	const char *plus = memchr(sub, '+', n - (size_t)(sub - type));
	if (plus != NULL)
		sub = plus + 1;
	size_t m = n - (size_t)(sub - type);
	return (m == 4 && strncasecmp(sub, "json", 4) == 0) ||
	       (m == 10 && strncasecmp(sub, "javascript", 10) == 0);
}

/* Every header with '-' as '_', and what the request came to. */
static void uri_report(struct call *call, const struct hf_web_response *r, uint64_t ms)
{
	struct hf_arena *a = call->a;
	HF_DICT_EACH (r->headers, e) {
		char *key = hf_strdup(a, hf_value_text(a, hf_entry_key(e)).p);
		for (char *p = key; *p != '\0'; p++)
			*p = *p == '-' ? '_' : *p;
		hf_result_put(call->c, call->change, key, hf_entry_value(e));
	}
	hf_result_int(call->c, call->change, "status", r->status);
	hf_result_cstr(call->c, call->change, "url", r->url);
	hf_result_bool(call->c, call->change, "redirected", strcmp(r->url, call->p->url) != 0);
	hf_result_int(call->c, call->change, "elapsed", (int64_t)(ms / 1000));
	hf_result_put(call->c, call->change, "cookies", hf_value_dict(a));
	hf_result_cstr(call->c, call->change, "cookies_string", "");
	const char *text =
		r->status >= 300 ? hf_sprintf(a, "HTTP Error %d: %s", r->status, r->reason)
		: hf_dict_cstr(r->headers, "content-length", NULL) == NULL
			? "OK (unknown bytes)"
			: hf_sprintf(a, "OK (%s bytes)", hf_dict_cstr(r->headers, "content-length", "0"));
	hf_result_cstr(call->c, call->change, "msg", text);
}

/* A Location header in full. */
static void location_report(struct call *call)
{
	struct hf_arena *a = call->a;
	const char *to = hf_dict_cstr(call->change->result, "location", NULL), *url = call->p->url;
	const char *path = strstr(url, "://") != NULL ? strchr(strstr(url, "://") + 3, '/') : NULL;
	if (to == NULL || strstr(to, "://") != NULL)
		return;
	const char *base = *to == '/' ? hf_strndup(a, url, path != NULL ? (size_t)(path - url) : strlen(url))
				      : hf_sprintf(a, "%s/", hf_path_dir(a, url));
	hf_result_cstr(call->c, call->change, "location", hf_sprintf(a, "%s%s", base, to));
}

static void content_report(struct call *call, const struct hf_web_response *r)
{
	struct hf_value *json = NULL;
	struct hf_error not_json;
	bool shown = content_is_json(r) || call->p->return_content == HF_YES;
	location_report(call);
	if (r->status >= 300 && !shown && status_wanted(call->p, r->status))
		hf_result_put(call->c, call->change, "body", hf_value_str(call->a, r->body));
	if (content_is_json(r) && hf_json_parse(call->a, r->body, "answer", &json, &not_json) == 0)
		hf_result_put(call->c, call->change, "json", json);
	if (call->p->return_content == HF_YES)
		hf_result_put(call->c, call->change, "content", hf_value_str(call->a, r->body));
}

static int answer_keep(struct call *call, const struct hf_web_response *r)
{
	const char *dest = call->p->dest;
	bool changed = true;
	if (dest == NULL || r->status == 304)
		return 0;
	if (hf_fs_is_dir(dest)) {
		const char *name = hf_web_name(call->a, r->url);
		dest = hf_path_join(call->a, dest, *name != '\0' ? name : "index.html");
	}
	hf_result_cstr(call->c, call->change, "path", dest);
	struct hf_file_content f = { .path = dest, .data = r->body, .attr = &call->p->attr };
	if (!hf_file_content_same(dest, NULL, r->body))
		return hf_file_content_write(call->c, call->change, &f, call->err);
	return hf_file_attr_sync(
		call->c, call->change, dest, &call->p->attr, NULL, true, &changed, call->err);
}

static int uri_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct call *call = change->state;
	const struct params *p = params;
	struct hf_arena *a = call->a;
	call->err = err;
	char *method = hf_strdup(a, p->method);
	for (char *m = method; *m != '\0'; m++)
		*m = (char)toupper((unsigned char)*m);
	if (p->force == HF_YES)
		hf_dict_put(call->headers, "cache-control", hf_value_cstr(a, "no-cache"));
	struct hf_web_request request = hf_web_request(&p->web, p->url, method);
	request.body = call->body;
	request.headers = call->headers;
	request.ca_path = p->ca_path;
	request.unix_socket = p->unix_socket;
	request.follow = follow_kind(p->follow);
	struct stat st;
	if (p->dest != NULL && stat(p->dest, &st) == 0 && S_ISREG(st.st_mode) && p->force != HF_YES)
		request.newer_than = st.st_mtim.tv_sec;
	struct hf_web_response r;
	uint64_t start = hf_time_monotonic_ms();
	int result = hf_web_perform(a, &request, &r, err);
	if (result < 0) {
		hf_result_int(c, change, "status", -1);
		hf_result_cstr(c, change, "url", p->url);
		hf_result_bool(c, change, "redirected", false);
		hf_result_int(c, change, "elapsed", (int64_t)((hf_time_monotonic_ms() - start) / 1000));
		return hf_wrap(err, "Status code was -1 and not %s", hf_value_text(a, p->status).p);
	}
	uri_report(call, &r, hf_time_monotonic_ms() - start);
	content_report(call, &r);
	if (!status_wanted(p, r.status)) {
		const char *text = hf_dict_cstr(change->result, "msg", "");
		hf_dict_remove(change->result, "msg");
		return hf_fail(err, HF_E_TASK, "Status code was %d and not %s: %s", r.status,
			hf_value_text(a, p->status).p, text);
	}
	result = answer_keep(call, &r);
	change->changed = result == 0 && p->dest != NULL && r.status != 304;
	return hf_file_attr_done(c, change, result);
}

static int uri_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	if (strcasecmp(p->method, "GET") != 0 && strcasecmp(p->method, "HEAD") != 0)
		hf_undo_impossible(undo, "what a request does at the other end is known there only");
	return p->dest != NULL && !hf_fs_is_dir(p->dest) ? hf_undo_file(undo, p->dest, err) : 0;
}

const struct hf_module hf_module_uri = {
	.name = "uri",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_CHECK | HF_MODULE_NO_DIFF,
	.check = uri_check,
	.apply = uri_apply,
	.undo = uri_undo,
};
