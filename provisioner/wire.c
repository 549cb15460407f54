#include "provisioner/wire.h"

#include <string.h>

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

static int expand_text(struct hf_arena *a, const struct hf_value *v, const struct hf_value *context,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_str s = v->u.string;
	if (hf_str_starts(s, "$$")) {
		*ret = hf_value_str(a, hf_strn(s.p + 1, s.n - 1));
		return 0;
	}
	if (s.n > 1 && s.p[0] == '$' && s.p[1] != '{') {
		*ret = known(context, s.p + 1);
		return 0;
	}
	hf_auto_buf out = hf_buf_init(HF_WIRE_BODY_MAX);
	for (size_t at; (at = hf_str_find(s, HF_STR("${"), 0)) != SIZE_MAX;) {
		size_t end = hf_str_find(s, HF_STR("}"), at);
		if (end == SIZE_MAX)
			break;
		const char *name = hf_strndup(a, s.p + at + 2, end - at - 2);
		const struct hf_value *value = known(context, name);
		if (value == NULL)
			return hf_fail_at(err, HF_E_UNDEFINED, hf_value_pos(v), "%s is not known", name);
		hf_buf_append(&out, s.p, at);
		hf_buf_puts(&out, hf_wire_text(a, value));
		s = hf_strn(s.p + end + 1, s.n - end - 1);
	}
	hf_buf_add(&out, s);
	*ret = hf_value_str(a, hf_buf_str(&out));
	return 0;
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
	if (hf_is(request, HF_STRING))
		hf_buf_add(out, request->u.string);
	else if (request != NULL && root != NULL)
		xml_add(a, out, root, request);
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

static int request_place(struct hf_arena *a, const struct hf_value *operation, const struct hf_value *context,
	struct hf_aws_call *call, struct hf_error *err)
{
	struct hf_value *path = NULL, *query = NULL;
	int rc = hf_wire_expand(a, hf_dict_get(operation, "path"), context, &path, err);
	if (rc == 0)
		rc = hf_wire_expand(a, hf_dict_get(operation, "query"), context, &query, err);
	if (rc < 0)
		return rc;
	call->path = path == NULL ? "/" : hf_uri_encode_dup(a, path->u.string, true);
	if (hf_is(query, HF_DICT)) {
		hf_auto_buf out = hf_buf_init(HF_WIRE_BODY_MAX);
		form_add(a, &out, "", query, true);
		call->query = hf_strndup(a, out.p + 1, out.n - 1);
	}
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
	struct hf_http_header *headers = hf_new_array(a, 2, struct hf_http_header);
	bool json = service->protocol == HF_PROTOCOL_JSON;
	call->headers = headers;
	if (call->body.n > 0)
		headers[call->n_headers++] = (struct hf_http_header){ "content-type",
			json ? hf_sprintf(a, "application/x-amz-json-%s", service->content)
			     : dialects[service->protocol].content };
	if (json)
		headers[call->n_headers++] = (struct hf_http_header){ "x-amz-target",
			hf_sprintf(a, "%s.%s", service->target, hf_dict_cstr(operation, "operation", "")) };
	return 0;
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
