/* Requests and answers of the AWS types, one JSON document on every line of standard input:
 * {"type", "operation": ["update", 0], "context": {…}} → {"method", "path", "query", "headers", "body"}
 * {"type", "status", "answer": TEXT, "paths": [[items or null, path] …]} → [value at path of the first item
 * …]
 * {} → every type file as it was read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "provisioner/wire.h"

enum { LINE_MAX = 64 << 20 };

static struct hf_specs *specs;
static struct hf_arena *forever;

static int line_print(const struct hf_value *v)
{
	const struct hf_json_style style = HF_JSON_COMPACT;
	hf_auto_buf out = hf_buf_init(LINE_MAX);
	if (hf_json_write(&out, v, &style, NULL) < 0)
		return -1;
	printf("%.*s\n", HF_STR_ARG(hf_buf_str(&out)));
	fflush(stdout);
	return 0;
}

static const struct hf_value *operation_of(const struct hf_spec *spec, const struct hf_value *steps)
{
	const struct hf_value *v = spec->doc;
	for (size_t i = 0; v != NULL && i < hf_list_len(steps); i++) {
		const struct hf_value *step = hf_list_at(steps, i);
		v = hf_is(step, HF_INT) ? hf_list_at(v, (size_t)step->u.integer)
					: hf_dict_get(v, step->u.string.p);
	}
	return v;
}

static int request(
	struct hf_arena *a, const struct hf_spec *spec, const struct hf_value *asked, struct hf_error *err)
{
	struct hf_aws_call call = { 0 };
	const struct hf_value *operation = operation_of(spec, hf_dict_get(asked, "operation"));
	const struct hf_service *service = operation == spec->find ? spec->find_service : spec->service;
	int rc = hf_wire_request(a, service, operation, hf_dict_get(asked, "context"), &call, err);
	if (rc < 0)
		return rc;
	struct hf_value *out = hf_value_dict(a), *headers = hf_value_dict(a);
	for (size_t i = 0; i < call.n_headers; i++)
		hf_dict_put(headers, call.headers[i].name, hf_value_cstr(a, call.headers[i].value));
	hf_dict_put(out, "method", hf_value_cstr(a, call.method));
	hf_dict_put(out, "path", hf_value_cstr(a, call.path));
	hf_dict_put(out, "query", hf_value_cstr(a, call.query == NULL ? "" : call.query));
	hf_dict_put(out, "headers", headers);
	hf_dict_put(out, "body", hf_value_str(a, call.body));
	return line_print(out);
}

static int answer(
	struct hf_arena *a, const struct hf_spec *spec, const struct hf_value *asked, struct hf_error *err)
{
	struct hf_http_response r = { .arena = a,
		.status = (int)hf_dict_int(asked, "status", 200),
		.body = hf_dict_get(asked, "answer")->u.string,
		.place = "door" };
	struct hf_value *doc, *out = hf_value_list(a);
	int rc = hf_wire_answer(a, spec->service, &r, &doc, err);
	if (rc < 0)
		return rc;
	const struct hf_value *paths = hf_dict_get(asked, "paths");
	for (size_t i = 0; i < hf_list_len(paths); i++) {
		const struct hf_value *pair = hf_list_at(paths, i), *items = hf_list_at(pair, 0);
		struct hf_value *list =
			hf_wire_items(a, doc, hf_is(items, HF_NULL) ? NULL : items->u.string.p);
		struct hf_value *v = hf_list_len(list) == 0 ? NULL
							    : hf_wire_at(a, hf_list_at(list, 0),
								      hf_list_at(pair, 1)->u.string.p);
		hf_list_append(out, v == NULL ? hf_value_null(a) : v);
	}
	return line_print(out);
}

static int every_type(struct hf_arena *a)
{
	struct hf_value *out = hf_value_list(a);
	for (size_t i = 0; i < hf_specs_count(specs); i++) {
		const struct hf_spec *spec = hf_specs_at(specs, i);
		struct hf_value *doc = hf_value_shallow(a, spec->doc);
		hf_dict_put(doc, "signing", hf_value_cstr(a, spec->service->signing));
		hf_dict_put(doc, "tag_key", hf_value_cstr(a, spec->service->tag_key));
		hf_dict_put(doc, "tag_value", hf_value_cstr(a, spec->service->tag_value));
		hf_list_append(out, doc);
	}
	return line_print(out);
}

static int line_answer(struct hf_arena *a, struct hf_str line, struct hf_error *err)
{
	struct hf_value *asked;
	int rc = hf_json_parse(a, line, "stdin", &asked, err);
	if (rc < 0)
		return rc;
	const struct hf_spec *spec = hf_spec_find(specs, hf_dict_cstr(asked, "type", ""));
	if (spec == NULL)
		return every_type(a);
	return hf_dict_get(asked, "answer") != NULL ? answer(a, spec, asked, err)
						    : request(a, spec, asked, err);
}

int main(void)
{
	struct hf_error err = { 0 };
	hf_auto_free char *line = NULL;
	size_t room = 0;
	ssize_t n;
	forever = hf_arena_new();
	if (hf_specs_load(forever, &specs, &err) < 0) {
		fprintf(stderr, "wire_door: %s\n", err.text);
		return 1;
	}
	while ((n = getline(&line, &room, stdin)) > 0) {
		hf_auto_arena a = hf_arena_new();
		if (line_answer(a, hf_str_trim(hf_strn(line, (size_t)n)), &err) < 0) {
			fprintf(stderr, "wire_door: %s\n", err.text);
			return 1;
		}
	}
	hf_arena_free(forever);
	return 0;
}
