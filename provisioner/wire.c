#include "provisioner/wire.h"

#include <openssl/evp.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/net/xml.h"

const char *hf_wire_text(struct hf_arena *a, const struct hf_value *v)
{
	if (hf_is(v, HF_BOOL))
		return v->u.boolean ? "true" : "false";
	return hf_value_text(a, v).p;
}

/* --- references --- */

static struct hf_value *known(const struct hf_value *context, const char *name)
{
	struct hf_value *v = hf_dict_get(context, name);
	return v == NULL || hf_is(v, HF_NULL) || hf_is(v, HF_UNDEFINED) ? NULL : v;
}

static const char *after_last_slash(const char *text)
{
	const char *slash = strrchr(text, '/');
	return slash == NULL ? text : slash + 1;
}

static const char *after_scheme(const char *text)
{
	const char *scheme = strstr(text, "://");
	return scheme == NULL ? text : scheme + strlen("://");
}

typedef const char *text_part(const char *text);

static const struct {
	const char *name;
	text_part *part;
} parts[] = { { "|last", after_last_slash }, { "|host", after_scheme } };

/* What "|last" or "|host" at the end of *name asks for is cut off it; NULL: the whole. */
static text_part *part_wanted(struct hf_str *name)
{
	for (size_t i = 0; i < HF_COUNT(parts); i++) {
		if (!hf_str_ends(*name, parts[i].name))
			continue;
		name->n -= strlen(parts[i].name);
		return parts[i].part;
	}
	return NULL;
}

static const char *named_text(struct hf_arena *a, const struct hf_value *context, struct hf_str name)
{
	text_part *part = part_wanted(&name);
	const struct hf_value *value = known(context, hf_str_dup(a, name));
	if (value == NULL)
		return NULL;
	const char *text = hf_wire_text(a, value);
	return part == NULL ? text : part(text);
}

/* Text with its "${name}" replaced. encoded: it is a path, and what is put in is one segment of it. */
static int fill_text(struct hf_arena *a, const struct hf_value *v, const struct hf_value *context,
	bool encoded, struct hf_value **ret, struct hf_error *err)
{
	struct hf_str s = v->u.string;
	hf_auto_buf out = hf_buf_init(HF_WIRE_BODY_MAX);
	for (size_t at; (at = hf_str_find(s, HF_STR("${"), 0)) != SIZE_MAX;) {
		size_t end = hf_str_find(s, HF_STR("}"), at);
		if (end == SIZE_MAX)
			break;
		struct hf_str name = hf_strn(s.p + at + 2, end - at - 2);
		bool slashes = hf_str_ends(name, "|path"); /* a key of S3: several segments */
		name.n -= slashes ? strlen("|path") : 0;
		const char *text = named_text(a, context, name);
		if (text == NULL)
			return hf_fail_at(
				err, HF_E_UNDEFINED, hf_value_pos(v), "%.*s is not known", HF_STR_ARG(name));
		hf_buf_append(&out, s.p, at);
		if (encoded)
			hf_uri_encode(&out, hf_str(text), slashes);
		else
			hf_buf_puts(&out, text);
		s = hf_strn(s.p + end + 1, s.n - end - 1);
	}
	hf_buf_add(&out, s);
	*ret = hf_value_str(a, hf_buf_str(&out));
	return 0;
}

static int expand_text(struct hf_arena *a, const struct hf_value *v, const struct hf_value *context,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_str s = v->u.string;
	if (hf_str_starts(s, "$$")) {
		*ret = hf_value_str(a, hf_strn(s.p + 1, s.n - 1));
		return 0;
	}
	if (hf_str_starts(s, "$#")) { /* how many there are */
		const struct hf_value *list = known(context, s.p + 2);
		*ret = list == NULL ? NULL : hf_value_int(a, (int64_t)hf_list_len(list));
		return 0;
	}
	if (s.n > 1 && s.p[0] == '$' && s.p[1] != '{') {
		*ret = known(context, s.p + 1);
		return 0;
	}
	return fill_text(a, v, context, false, ret, err);
}

static int expand_list(struct hf_arena *a, const struct hf_value *v, const struct hf_value *context,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(v); i++) {
		struct hf_value *item;
		int rc = hf_wire_expand(a, hf_list_at(v, i), context, &item, err);
		if (rc < 0)
			return rc;
		if (item != NULL)
			hf_list_append(out, item);
	}
	*ret = hf_list_len(out) == 0 && hf_list_len(v) > 0 ? NULL : out;
	return 0;
}

static int expand_dict(struct hf_arena *a, const struct hf_value *v, const struct hf_value *context,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = hf_value_dict(a);
	HF_DICT_EACH (v, e) {
		struct hf_value *item;
		int rc = hf_wire_expand(a, hf_entry_value(e), context, &item, err);
		if (rc < 0)
			return rc;
		if (item != NULL)
			hf_dict_set(out, hf_entry_key(e), item);
	}
	*ret = hf_dict_len(out) == 0 && hf_dict_len(v) > 0 ? NULL : out;
	return 0;
}

int hf_wire_expand(struct hf_arena *a, const struct hf_value *v, const struct hf_value *context,
	struct hf_value **ret, struct hf_error *err)
{
	*ret = NULL;
	if (v == NULL)
		return 0;
	if (hf_is(v, HF_STRING))
		return expand_text(a, v, context, ret, err);
	if (hf_is(v, HF_LIST))
		return expand_list(a, v, context, ret, err);
	if (hf_is(v, HF_DICT))
		return expand_dict(a, v, context, ret, err);
	*ret = hf_value_copy(a, v);
	return 0;
}

/* --- bodies --- */

static void form_add(
	struct hf_arena *a, struct hf_buf *out, const char *name, const struct hf_value *v, bool ec2)
{
	if (hf_is(v, HF_DICT)) {
		HF_DICT_EACH (v, e) {
			const char *key = hf_entry_key(e)->u.string.p;
			form_add(a, out, name[0] == '\0' ? key : hf_sprintf(a, "%s.%s", name, key),
				hf_entry_value(e), ec2);
		}
	} else if (hf_is(v, HF_LIST)) {
		for (size_t i = 0; i < hf_list_len(v); i++)
			form_add(a, out, hf_sprintf(a, ec2 ? "%s.%zu" : "%s.member.%zu", name, i + 1),
				hf_list_at(v, i), ec2);
	} else {
		hf_buf_put(out, '&');
		hf_uri_encode(out, hf_str(name), false);
		hf_buf_put(out, '=');
		hf_uri_encode(out, hf_str(hf_wire_text(a, v)), false);
	}
}

static void xml_add(struct hf_arena *a, struct hf_buf *out, const char *name, const struct hf_value *v)
{
	if (hf_is(v, HF_LIST)) { /* a flattened list: the element repeats */
		for (size_t i = 0; i < hf_list_len(v); i++)
			xml_add(a, out, name, hf_list_at(v, i));
		return;
	}
	hf_buf_printf(out, "<%s>", name);
	if (hf_is(v, HF_DICT)) {
		HF_DICT_EACH (v, e)
			xml_add(a, out, hf_entry_key(e)->u.string.p, hf_entry_value(e));
	} else {
		hf_xml_escape(out, hf_str(hf_wire_text(a, v)));
	}
	hf_buf_printf(out, "</%s>", name);
}

static int body_form(struct hf_arena *a, const struct hf_service *service, const struct hf_value *operation,
	const struct hf_value *request, struct hf_buf *out, struct hf_error *err)
{
	hf_buf_printf(
		out, "Action=%s&Version=%s", hf_dict_cstr(operation, "operation", ""), service->version);
	if (request != NULL)
		form_add(a, out, "", request, service->protocol == HF_PROTOCOL_EC2 || service->flat_lists);
	return 0;
}

static int body_json(struct hf_arena *a, const struct hf_service *service, const struct hf_value *operation,
	const struct hf_value *request, struct hf_buf *out, struct hf_error *err)
{
	const struct hf_json_style style = HF_JSON_COMPACT;
	if (request != NULL)
		return hf_json_write(out, request, &style, err);
	hf_buf_puts(out, service->protocol == HF_PROTOCOL_JSON ? "{}" : "");
	return 0;
}

static int body_xml(struct hf_arena *a, const struct hf_service *service, const struct hf_value *operation,
	const struct hf_value *request, struct hf_buf *out, struct hf_error *err)
{
	const char *root = hf_dict_cstr(operation, "root", NULL);
	if (hf_is(request, HF_STRING)) {
		hf_buf_add(out, request->u.string);
	} else if (request != NULL && root != NULL && service->xml_namespace != NULL) {
		hf_buf_printf(out, "<%s xmlns=\"%s\">", root, service->xml_namespace);
		HF_DICT_EACH (request, e)
			xml_add(a, out, hf_entry_key(e)->u.string.p, hf_entry_value(e));
		hf_buf_printf(out, "</%s>", root);
	} else if (request != NULL && root != NULL) {
		xml_add(a, out, root, request);
	}
	return 0;
}

static const struct {
	const char *content;
	int (*body)(struct hf_arena *, const struct hf_service *, const struct hf_value *,
		const struct hf_value *, struct hf_buf *, struct hf_error *);
} dialects[] = {
	[HF_PROTOCOL_EC2] = { "application/x-www-form-urlencoded; charset=utf-8", body_form },
	[HF_PROTOCOL_QUERY] = { "application/x-www-form-urlencoded; charset=utf-8", body_form },
	[HF_PROTOCOL_JSON] = { "application/x-amz-json-%s", body_json },
	[HF_PROTOCOL_REST_JSON] = { "application/json", body_json },
	[HF_PROTOCOL_REST_XML] = { "application/xml", body_xml },
};

/* --- requests --- */

/* A list is its name again and again. */
static void query_add(struct hf_arena *a, struct hf_buf *out, const struct hf_value *query)
{
	HF_DICT_EACH (query, e) {
		const struct hf_value *v = hf_entry_value(e);
		size_t n = hf_is(v, HF_LIST) ? hf_list_len(v) : 1;
		for (size_t i = 0; i < n; i++)
			form_add(a, out, hf_entry_key(e)->u.string.p,
				hf_is(v, HF_LIST) ? hf_list_at(v, i) : v, true);
	}
}

static int request_place(struct hf_arena *a, const struct hf_value *operation, const struct hf_value *context,
	struct hf_aws_call *call, struct hf_error *err)
{
	struct hf_value *query = NULL, *path = hf_dict_get(operation, "path");
	int rc = path == NULL ? 0 : fill_text(a, path, context, true, &path, err);
	if (rc == 0)
		rc = hf_wire_expand(a, hf_dict_get(operation, "query"), context, &query, err);
	if (rc < 0)
		return rc;
	call->path = path == NULL ? "/" : path->u.string.p;
	if (hf_is(query, HF_DICT)) {
		hf_auto_buf out = hf_buf_init(HF_WIRE_BODY_MAX);
		query_add(a, &out, query);
		call->query = hf_strndup(a, out.p + 1, out.n - 1);
	}
	return 0;
}

static void header_add(
	struct hf_aws_call *call, struct hf_http_header *headers, const char *name, const char *value)
{
	headers[call->n_headers++] = (struct hf_http_header){ name, value };
}

/* S3 deletes several objects only when it is sure of what it was told. */
static const char *checksum(struct hf_arena *a, struct hf_str body)
{
	struct hf_digest d = hf_sha256(body);
	unsigned char *out = hf_alloc(a, sizeof(d.bytes) * 2);
	EVP_EncodeBlock(out, d.bytes, sizeof(d.bytes));
	return (const char *)out;
}

static int request_headers(struct hf_arena *a, const struct hf_service *service,
	const struct hf_value *operation, const struct hf_value *context, struct hf_aws_call *call,
	struct hf_error *err)
{
	struct hf_value *own = NULL;
	int rc = hf_wire_expand(a, hf_dict_get(operation, "headers"), context, &own, err);
	if (rc < 0)
		return rc;
	struct hf_http_header *headers =
		hf_new_array(a, 3 + (own == NULL ? 0 : hf_dict_len(own)), struct hf_http_header);
	bool json = service->protocol == HF_PROTOCOL_JSON;
	call->headers = headers;
	if (call->body.n > 0)
		header_add(call, headers, "content-type",
			json ? hf_sprintf(a, "application/x-amz-json-%s", service->content)
			     : dialects[service->protocol].content);
	if (json)
		header_add(call, headers, "x-amz-target",
			hf_sprintf(a, "%s.%s", service->target, hf_dict_cstr(operation, "operation", "")));
	if (strcmp(hf_dict_cstr(operation, "checksum", ""), "sha256") == 0)
		header_add(call, headers, "x-amz-checksum-sha256", checksum(a, call->body));
	if (own != NULL)
		HF_DICT_EACH (own, e)
			header_add(call, headers, hf_entry_key(e)->u.string.p,
				hf_wire_text(a, hf_entry_value(e)));
	return 0;
}

int hf_wire_request(struct hf_arena *a, const struct hf_service *service, const struct hf_value *operation,
	const struct hf_value *context, struct hf_aws_call *call, struct hf_error *err)
{
	bool rest = service->protocol == HF_PROTOCOL_REST_JSON || service->protocol == HF_PROTOCOL_REST_XML;
	struct hf_value *request = NULL;
	const char *members = hf_dict_get(operation, "text") != NULL ? "text" : rest ? "body" : "request";
	int rc = hf_wire_expand(a, hf_dict_get(operation, members), context, &request, err);
	if (rc == 0)
		rc = request_place(a, operation, context, call, err);
	if (rc < 0)
		return rc;
	hf_auto_buf out = hf_buf_init(HF_WIRE_BODY_MAX);
	rc = dialects[service->protocol].body(a, service, operation, request, &out, err);
	if (rc == 0)
		rc = hf_buf_check(&out, "the request", err);
	if (rc < 0)
		return rc;
	call->method = rest ? hf_dict_cstr(operation, "method", "GET") : "POST";
	call->service = service->signing == NULL ? service->name : service->signing;
	call->s3 = strcmp(service->name, "s3") == 0;
	call->body = hf_buf_dup(a, &out);
	call->max_body = HF_WIRE_ANSWER_MAX;
	return request_headers(a, service, operation, context, call, err);
}

/* --- answers --- */

int hf_wire_answer(struct hf_arena *a, const struct hf_service *service, const struct hf_http_response *r,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_str body = hf_str_trim(r->body);
	struct hf_value *v = hf_value_dict(a);
	if (body.n > 0 && body.p[0] == '<') {
		struct hf_xml *root;
		if (hf_xml_parse(a, body, r->place, &root, err) < 0)
			return err == NULL ? -HF_E_PARSE : -(int)err->code;
		v = hf_xml_value(a, root);
	} else if (body.n > 0 && body.p[0] == '{') {
		if (hf_json_parse(a, body, r->place, &v, err) < 0)
			return err == NULL ? -HF_E_PARSE : -(int)err->code;
	}
	*ret = hf_is(v, HF_DICT) ? v : hf_value_dict(a);
	const char *etag = hf_http_header(&r->headers, "etag");
	if (etag != NULL)
		hf_dict_put(*ret, "@etag", hf_value_cstr(a, etag));
	return 0;
}

/* "name[].rest": what rest finds below every element. */
static struct hf_value *each_at(struct hf_arena *a, struct hf_value *v, struct hf_str rest)
{
	struct hf_value *out = hf_value_list(a);
	size_t n = hf_is(v, HF_LIST) ? hf_list_len(v) : 1;
	const char *path = rest.p == NULL ? NULL : hf_str_dup(a, rest);
	for (size_t i = 0; i < n; i++) {
		struct hf_value *item = hf_is(v, HF_LIST) ? hf_list_at(v, i) : v;
		struct hf_value *below = hf_wire_items(a, item, path);
		for (size_t k = 0; k < hf_list_len(below); k++)
			hf_list_append(out, hf_list_at(below, k));
	}
	return out;
}

struct hf_value *hf_wire_at(struct hf_arena *a, struct hf_value *v, const char *path)
{
	struct hf_str rest = hf_str(path), step;
	while (v != NULL && hf_str_split(&rest, '.', &step)) {
		bool each = hf_str_ends(step, "[]");
		if (each)
			step.n -= 2;
		if (hf_is(v, HF_LIST) && hf_list_len(v) > 0) /* the first stands for all where no "[]" asks */
			v = hf_list_at(v, 0);
		v = hf_is(v, HF_DICT) ? hf_dict_get(v, hf_str_dup(a, step)) : NULL;
		if (each && v != NULL)
			return each_at(a, v, rest);
	}
	return v;
}

const char *hf_wire_id(struct hf_arena *a, struct hf_value *v, const char *path)
{
	struct hf_str plain = hf_str(path);
	text_part *part = part_wanted(&plain);
	const struct hf_value *found = hf_wire_at(a, v, hf_str_dup(a, plain));
	if (found == NULL)
		return NULL;
	const char *text = hf_wire_text(a, found);
	return part == NULL ? text : part(text);
}

struct hf_value *hf_wire_items(struct hf_arena *a, struct hf_value *v, const char *path)
{
	struct hf_value *found = path == NULL ? v : hf_wire_at(a, v, path), *out;
	if (hf_is(found, HF_LIST))
		return found;
	out = hf_value_list(a);
	if (found != NULL)
		hf_list_append(out, found);
	return out;
}
