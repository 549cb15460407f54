#include "provisioner/spec.h"

#include <string.h>

#include "lib/base/vec.h"
#include "lib/data/schema.h"
#include "lib/data/yaml.h"
#include "provisioner/spec_data.h"

struct hf_specs {
	HF_VEC(struct hf_service) services;
	HF_VEC(struct hf_spec) specs;
	HF_VEC(const char *) names; /* NULL at the end */
};

static const char *const protocols[] = {
	[HF_PROTOCOL_EC2] = "ec2",
	[HF_PROTOCOL_QUERY] = "query",
	[HF_PROTOCOL_JSON] = "json",
	[HF_PROTOCOL_REST_JSON] = "rest-json",
	[HF_PROTOCOL_REST_XML] = "rest-xml",
};

static int services_read(
	struct hf_arena *a, struct hf_specs *s, const struct hf_value *doc, struct hf_error *err)
{
	HF_DICT_EACH (doc, e) {
		const struct hf_value *row = hf_entry_value(e);
		const char *protocol = hf_dict_cstr(row, "protocol", "");
		struct hf_service service = {
			.name = hf_entry_key(e)->u.string.p,
			.version = hf_dict_cstr(row, "version", NULL),
			.prefix = hf_dict_cstr(row, "prefix", NULL),
			.flat_lists = hf_dict_bool(row, "flat_lists", false),
			.signing = hf_dict_cstr(row, "signing", hf_entry_key(e)->u.string.p),
			.tag_key = hf_dict_cstr(row, "tag_key", "Key"),
			.tag_value = hf_dict_cstr(row, "tag_value", "Value"),
			.xml_namespace = hf_dict_cstr(row, "namespace", NULL),
			.target = hf_dict_cstr(row, "target", NULL),
			.content = hf_dict_cstr(row, "content", NULL),
		};
		size_t i = 0;
		while (i < HF_COUNT(protocols) && strcmp(protocols[i], protocol) != 0)
			i++;
		if (i == HF_COUNT(protocols))
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(row), "no protocol \"%s\"", protocol);
		service.protocol = (enum hf_protocol)i;
		*hf_vec_push(a, &s->services) = service;
	}
	return 0;
}

const struct hf_service *hf_service_find(const struct hf_specs *s, const char *name)
{
	for (size_t i = 0; name != NULL && i < s->services.n; i++)
		if (strcmp(s->services.at[i].name, name) == 0)
			return &s->services.at[i];
	return NULL;
}

static bool handled_by(const struct hf_value *doc, const char *handler)
{
	return strcmp(hf_dict_cstr(doc, "handler", ""), handler) == 0;
}

static int spec_read(struct hf_arena *a, struct hf_specs *s, struct hf_value *doc, struct hf_error *err)
{
	struct hf_spec spec = {
		.type = hf_dict_cstr(doc, "type", NULL),
		.service = hf_service_find(s, hf_dict_cstr(doc, "service", NULL)),
		.doc = doc,
		.properties = hf_dict_get(doc, "properties"),
		.create = hf_dict_get(doc, "create"),
		.read = hf_dict_get(doc, "read"),
		.find = hf_dict_get(doc, "find"),
		.ready = hf_dict_get(doc, "ready"),
		.vanish = hf_dict_get(doc, "vanish"),
		.update = hf_dict_get(doc, "update"),
		.remove = hf_dict_get(doc, "delete"),
		.key = hf_dict_get(doc, "key"),
		.capacity = handled_by(doc, "capacity") || handled_by(doc, "fleet"),
		.pooled = handled_by(doc, "fleet"),
		.block = handled_by(doc, "block"),
		.lookup = hf_dict_bool(doc, "lookup", false),
		.owned_by_tags = strcmp(hf_dict_cstr(doc, "owned", ""), "tags") == 0,
	};
	spec.find_service =
		hf_service_find(s, hf_dict_cstr(spec.find, "service", hf_dict_cstr(doc, "service", NULL)));
	if (spec.type == NULL || spec.service == NULL || spec.find_service == NULL ||
		!hf_is(spec.properties, HF_DICT) || !hf_is(spec.read, HF_DICT) ||
		(!spec.lookup && (!hf_is(spec.create, HF_DICT) || !hf_is(spec.remove, HF_LIST))))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(doc),
			"a type needs type, service, properties, create, read and delete");
	if (!hf_is(spec.update, HF_LIST))
		spec.update = hf_value_list(a);
	*hf_vec_push(a, &s->specs) = spec;
	*hf_vec_push(a, &s->names) = spec.type;
	return 0;
}

int hf_specs_load(struct hf_arena *a, struct hf_specs **ret, struct hf_error *err)
{
	const struct hf_yaml_options strict = { .plain = true, .strict = true };
	struct hf_specs *s = hf_new(a, struct hf_specs);
	for (int services = 1; services >= 0; services--) { /* the services first: types name them */
		for (const struct hf_spec_file *f = hf_spec_files; f->name != NULL; f++) {
			struct hf_value *doc;
			if ((strcmp(f->name, "services.yaml") == 0) != (services == 1))
				continue;
			int rc = hf_yaml_parse(a, hf_str(f->text), f->name, &strict, &doc, err);
			if (rc == 0)
				rc = services == 1 ? services_read(a, s, doc, err)
						   : spec_read(a, s, doc, err);
			if (rc < 0)
				return hf_wrap(err, "resource type");
		}
	}
	*hf_vec_push(a, &s->names) = NULL;
	*ret = s;
	return 0;
}

const struct hf_spec *hf_spec_find(const struct hf_specs *s, const char *type)
{
	for (size_t i = 0; i < s->specs.n; i++)
		if (strcmp(s->specs.at[i].type, type) == 0)
			return &s->specs.at[i];
	return NULL;
}

const char *hf_spec_nearest(const struct hf_specs *s, const char *type)
{
	return hf_nearest(type, s->names.at);
}

size_t hf_specs_count(const struct hf_specs *s)
{
	return s->specs.n;
}

const struct hf_spec *hf_specs_at(const struct hf_specs *s, size_t i)
{
	return &s->specs.at[i];
}

/* Some text inside v is "$name" or holds "${name}". */
static bool refers(const struct hf_value *v, const char *name)
{
	if (hf_is(v, HF_STRING)) {
		struct hf_str s = v->u.string, rest = s;
		if (s.n > 1 && s.p[0] == '$' && strcmp(s.p + 1, name) == 0)
			return true;
		for (size_t at; (at = hf_str_find(rest, HF_STR("${"), 0)) != SIZE_MAX;) {
			rest = hf_strn(rest.p + at + 2, rest.n - at - 2);
			if (rest.n > strlen(name) && hf_str_starts(rest, name) && rest.p[strlen(name)] == '}')
				return true;
		}
		return false;
	}
	if (hf_is(v, HF_LIST))
		for (size_t i = 0; i < hf_list_len(v); i++)
			if (refers(hf_list_at(v, i), name))
				return true;
	if (hf_is(v, HF_DICT))
		HF_DICT_EACH (v, e)
			if (refers(hf_entry_value(e), name))
				return true;
	return false;
}

enum hf_dedupe hf_spec_dedupe(const struct hf_spec *spec)
{
	if (refers(spec->create, "token"))
		return HF_DEDUPE_TOKEN;
	if (spec->key != NULL && hf_list_len(spec->key) > 1)
		return HF_DEDUPE_KEY;
	if (hf_dict_get(spec->create, "exists") != NULL)
		return spec->key == NULL && !spec->owned_by_tags ? HF_DEDUPE_KEY : HF_DEDUPE_NAME;
	return spec->key != NULL ? HF_DEDUPE_PUT : HF_DEDUPE_TAG;
}

const char *hf_dedupe_name(enum hf_dedupe dedupe)
{
	static const char *const names[] = { [HF_DEDUPE_TOKEN] = "by token",
		[HF_DEDUPE_NAME] = "by name",
		[HF_DEDUPE_TAG] = "by tag",
		[HF_DEDUPE_PUT] = "by putting it again",
		[HF_DEDUPE_KEY] = "by what it connects" };
	return names[dedupe];
}

bool hf_spec_created_with(const struct hf_spec *spec, const char *property)
{
	return refers(spec->create, property) ||
	       (strcmp(property, "Tags") == 0 && refers(spec->create, "tags"));
}

bool hf_spec_updatable(const struct hf_spec *spec, const char *property)
{
	const struct hf_value *row = hf_dict_get(spec->properties, property);
	if (row == NULL || hf_dict_bool(row, "replace", false))
		return false;
	for (size_t i = 0; i < hf_list_len(spec->update); i++) {
		const struct hf_value *members = hf_dict_get(hf_list_at(spec->update, i), "members");
		for (size_t m = 0; hf_is(members, HF_LIST) && m < hf_list_len(members); m++)
			if (hf_str_is(hf_list_at(members, m)->u.string, property))
				return true;
	}
	return false;
}
