/* modules/docker_compare.c - a container that is there against what is wanted, and the bodies of the calls
 * that make it so.
 */
#include <stdlib.h>

#include "modules/docker_container.h"

enum { DEPTH_MAX = 32 };

static bool nothing(const struct hf_value *v)
{
	return v == NULL || !hf_value_truthy(v);
}

static bool within(const struct hf_value *b, const struct hf_value *a, int depth)
{
	if (!hf_is(a, HF_DICT) || !hf_is(b, HF_DICT) || depth > DEPTH_MAX)
		return (nothing(a) && nothing(b)) || (a != NULL && b != NULL && hf_value_equal(a, b));
	HF_DICT_EACH (a, e) {
		const struct hf_value *other = hf_dict_find(b, hf_entry_key(e));
		if (!within(other, hf_entry_value(e), depth + 1))
			return false;
	}
	return true;
}

bool hf_container_contains(const struct hf_value *b, const struct hf_value *a)
{
	return within(b, a, 0);
}

static bool found_in(const struct hf_value *list, const struct hf_value *one, bool dicts, bool turned)
{
	for (size_t i = 0; i < hf_list_len(list); i++) {
		const struct hf_value *other = hf_list_at(list, i);
		bool same = !dicts   ? hf_value_equal(one, other)
			    : turned ? hf_container_contains(one, other)
				     : hf_container_contains(other, one);
		if (same)
			return true;
	}
	return false;
}

static bool sets_match(const struct hf_value *a, const struct hf_value *b, bool dicts, bool strict)
{
	for (size_t i = 0; i < hf_list_len(a); i++)
		if (!found_in(b, hf_list_at(a, i), dicts, false))
			return false;
	for (size_t i = 0; strict && i < hf_list_len(b); i++)
		if (!found_in(a, hf_list_at(b, i), dicts, true))
			return false;
	return true;
}

static bool in_order(const struct hf_value *a, const struct hf_value *b)
{
	size_t k = 0;
	for (size_t i = 0; i < hf_list_len(a); i++, k++) {
		while (k < hf_list_len(b) && !hf_value_equal(hf_list_at(b, k), hf_list_at(a, i)))
			k++;
		if (k == hf_list_len(b))
			return false;
	}
	return true;
}

static bool matches(
	const struct hf_value *a, const struct hf_value *b, enum hf_container_compare kind, const char *mode)
{
	bool strict = strcmp(mode, "strict") == 0;
	if (strcmp(mode, "ignore") == 0)
		return true;
	if (b == NULL || hf_is(b, HF_NULL))
		return kind == HF_COMPARE_VALUE ? hf_is(a, HF_NULL) : !hf_value_truthy(a);
	switch (kind) {
	case HF_COMPARE_LIST:
		return hf_is(b, HF_LIST) && (strict ? hf_value_equal(a, b) : in_order(a, b));
	case HF_COMPARE_DICT:
		return strict ? hf_value_equal(a, b) : hf_container_contains(b, a);
	case HF_COMPARE_SET:
	case HF_COMPARE_SETDICT:
		return hf_is(b, HF_LIST) && sets_match(a, b, kind == HF_COMPARE_SETDICT, strict);
	case HF_COMPARE_VALUE:
	case HF_COMPARE_IGNORED:
		break;
	}
	return hf_value_equal(a, b);
}

static struct hf_value *keys_of(struct hf_arena *a, const struct hf_value *dict)
{
	struct hf_value *out = hf_value_list(a);
	if (hf_is(dict, HF_DICT))
		HF_DICT_EACH (dict, e)
			hf_list_append(out, hf_entry_key(e));
	return out;
}

static struct hf_value *part(const struct hf_value *v, const char *outer, const char *inner)
{
	const struct hf_value *o = hf_is(v, HF_DICT) ? hf_dict_get(v, outer) : NULL;
	return hf_is(o, HF_DICT) ? hf_dict_get(o, inner) : NULL;
}

/* The places of options that no table row describes. */
static struct hf_value *own_value(
	struct hf_container_job *j, const struct hf_value *container, const char *option)
{
	static const char *const places[][4] = { { "restart_policy", "HostConfig", "RestartPolicy", "Name" },
		{ "restart_retries", "HostConfig", "RestartPolicy", "MaximumRetryCount" },
		{ "log_driver", "HostConfig", "LogConfig", "Type" },
		{ "log_options", "HostConfig", "LogConfig", "Config" },
		{ "mounts", "HostConfig", "Mounts", NULL }, { "volume_binds", "HostConfig", "Binds", NULL },
		{ "published_ports", "HostConfig", "PortBindings", NULL } };
	struct hf_value *v;
	for (size_t i = 0; i < HF_COUNT(places); i++) {
		if (strcmp(places[i][0], option) != 0)
			continue;
		v = part(container, places[i][1], places[i][2]);
		return places[i][3] == NULL || !hf_is(v, HF_DICT) ? v : hf_dict_get(v, places[i][3]);
	}
	if (strcmp(option, "volumes") == 0)
		return part(container, "Config", "Volumes");
	if (strcmp(option, "exposed_ports") == 0)
		return keys_of(j->a, part(container, "Config", "ExposedPorts"));
	if (strcmp(option, "interactive") == 0)
		return hf_value_bool(j->a, !nothing(part(container, "Config", "OpenStdin")));
	bool attached = !nothing(part(container, "Config", "AttachStderr")) &&
			!nothing(part(container, "Config", "AttachStdout"));
	return hf_value_bool(j->a, !attached); /* detach */
}

static void merge(struct hf_value *into, const struct hf_value *from)
{
	if (hf_is(from, HF_DICT))
		HF_DICT_EACH (from, e)
			hf_dict_set(into, hf_entry_key(e), hf_entry_value(e));
}

static struct hf_value *env_expected(
	struct hf_arena *a, const struct hf_value *image, const struct hf_value *given)
{
	const struct hf_value *const lists[] = { part(image, "Config", "Env"), given };
	struct hf_value *by_name = hf_value_dict(a), *out = hf_value_list(a);
	for (size_t i = 0; i < HF_COUNT(lists); i++)
		for (size_t k = 0; hf_is(lists[i], HF_LIST) && k < hf_list_len(lists[i]); k++) {
			struct hf_value *one = hf_list_at(lists[i], k);
			const char *s = hf_value_text(a, one).p;
			hf_dict_put(by_name, hf_strndup(a, s, strcspn(s, "=")), one);
		}
	HF_DICT_EACH (by_name, e)
		hf_list_append(out, hf_entry_value(e));
	return out;
}

/* What the container must have: what is given and what the image brings. NULL: nothing to compare. */
static struct hf_value *expected(struct hf_container_job *j, const char *option, const struct hf_value *image)
{
	struct hf_value *given = hf_dict_get(j->values, option), *out = hf_value_dict(j->a);
	if (strcmp(option, "env") == 0)
		return env_expected(j->a, image, given);
	if (strcmp(option, "labels") == 0 && given != NULL) {
		if (strcmp(j->p->image_label_mismatch, "ignore") == 0)
			merge(out, part(image, "Config", "Labels"));
		merge(out, given);
		return out;
	}
	if (strcmp(option, "volumes") == 0) {
		merge(out, part(image, "Config", "Volumes"));
		merge(out, given);
		return hf_dict_len(out) > 0 ? out : NULL;
	}
	if (strcmp(option, "exposed_ports") == 0) {
		merge(out, part(image, "Config", "ExposedPorts"));
		merge(out, given);
		return keys_of(j->a, out);
	}
	return strcmp(option, "volume_binds") == 0 && given == NULL ? hf_value_list(j->a) : given;
}

void hf_container_note(struct hf_container_job *j, const char *what, const struct hf_value *wanted,
	const struct hf_value *is)
{
	hf_dict_put(j->after, what, wanted == NULL ? hf_value_null(j->a) : hf_value_copy(j->a, wanted));
	hf_dict_put(j->before, what, is == NULL ? hf_value_null(j->a) : hf_value_copy(j->a, is));
}

static bool row_differs(struct hf_container_job *j, const struct hf_value *container,
	const struct hf_value *image, const char *option, const struct hf_container_row *row)
{
	static const char *const defaults[] = { [HF_COMPARE_VALUE] = "strict",
		[HF_COMPARE_LIST] = "strict",
		[HF_COMPARE_SET] = "allow_more_present",
		[HF_COMPARE_SETDICT] = "allow_more_present",
		[HF_COMPARE_DICT] = "allow_more_present",
		[HF_COMPARE_IGNORED] = "ignore" };
	const struct hf_value *wanted = expected(j, option, image), *is;
	const char *mode = hf_dict_cstr(j->comparisons, row->option, defaults[row->kind]);
	enum hf_container_compare kind = strcmp(option, "volumes") == 0 ? HF_COMPARE_DICT : row->kind;
	is = row->where == HF_CONTAINER_OWN
		     ? own_value(j, container, option)
		     : part(container, row->where == HF_CONTAINER_HOST ? "HostConfig" : "Config", row->key);
	if (strcmp(option, "healthcheck") == 0 && nothing(is) && wanted != NULL) {
		struct hf_value *none = hf_value_dict(j->a);
		hf_dict_put(none, "Test", hf_text_list(j->a, "NONE", NULL));
		is = none;
	}
	if (wanted == NULL || matches(wanted, is, kind, mode))
		return false;
	struct hf_value *pair = hf_value_dict(j->a), *named = hf_value_dict(j->a);
	hf_container_note(j, option, wanted, is);
	hf_dict_put(pair, "parameter", hf_dict_get(j->after, option));
	hf_dict_put(pair, "container", hf_dict_get(j->before, option));
	hf_dict_put(named, option, pair);
	hf_list_append(j->differences, named);
	return true;
}

bool hf_container_differs(struct hf_container_job *j, const struct hf_value *container,
	const struct hf_value *image, bool updates)
{
	bool any = false;
	for (size_t i = 0; hf_container_rows[i].option != NULL; i++) {
		const struct hf_container_row *row = &hf_container_rows[i];
		if (row->update != updates)
			continue;
		any |= row_differs(j, container, image, row->option, row);
		if (strcmp(row->option, "volumes") == 0)
			any |= row_differs(j, container, image, "volume_binds", row);
	}
	return any;
}

static struct hf_value *restart_policy(struct hf_container_job *j)
{
	struct hf_value *out = hf_value_dict(j->a), *retries = hf_dict_get(j->values, "restart_retries");
	hf_dict_put(out, "Name", hf_dict_get(j->values, "restart_policy"));
	hf_dict_put(out, "MaximumRetryCount", retries == NULL ? hf_value_null(j->a) : retries);
	return out;
}

static void own_put(struct hf_container_job *j, struct hf_value *body, struct hf_value *host)
{
	static const char *const plain[][2] = { { "mounts", "Mounts" }, { "volume_binds", "Binds" },
		{ "published_ports", "PortBindings" } };
	struct hf_value *v = hf_dict_get(j->values, "detach"), *in = hf_dict_get(j->values, "interactive");
	bool attach = v == NULL || !v->u.boolean, interactive = in != NULL && in->u.boolean;
	for (size_t i = 0; i < HF_COUNT(plain); i++)
		if ((v = hf_dict_get(j->values, plain[i][0])) != NULL)
			hf_dict_put(host, plain[i][1], v);
	if ((v = hf_dict_get(j->values, "volumes")) != NULL)
		hf_dict_put(body, "Volumes", v);
	if ((v = hf_dict_get(j->values, "exposed_ports")) != NULL)
		hf_dict_put(body, "ExposedPorts", v);
	if (hf_dict_get(j->values, "restart_policy") != NULL)
		hf_dict_put(host, "RestartPolicy", restart_policy(j));
	if ((v = hf_dict_get(j->values, "log_driver")) != NULL) {
		struct hf_value *log = hf_value_dict(j->a), *options = hf_dict_get(j->values, "log_options");
		hf_dict_put(log, "Type", v);
		hf_dict_put(log, "Config", options == NULL ? hf_value_dict(j->a) : options);
		hf_dict_put(host, "LogConfig", log);
	}
	hf_dict_put(body, "AttachStdout", hf_value_bool(j->a, attach));
	hf_dict_put(body, "AttachStderr", hf_value_bool(j->a, attach));
	hf_dict_put(body, "AttachStdin", hf_value_bool(j->a, attach && interactive));
	hf_dict_put(body, "StdinOnce", hf_value_bool(j->a, attach && interactive));
	hf_dict_put(body, "OpenStdin", in == NULL ? hf_value_null(j->a) : in);
}

struct hf_value *hf_container_create_body(struct hf_container_job *j, const char *image)
{
	struct hf_value *body = hf_value_dict(j->a), *host = hf_value_dict(j->a), *ends = hf_value_dict(j->a);
	struct hf_value *networking = hf_value_dict(j->a);
	bool many =
		strtod(strchr(j->d.version, '.') == NULL ? "0" : strchr(j->d.version, '.') + 1, NULL) >= 44;
	for (size_t i = 0; hf_container_rows[i].option != NULL; i++) {
		const struct hf_container_row *row = &hf_container_rows[i];
		struct hf_value *v = hf_dict_get(j->values, row->option);
		if (v != NULL && row->where != HF_CONTAINER_OWN)
			hf_dict_put(row->where == HF_CONTAINER_HOST ? host : body, row->key, v);
	}
	own_put(j, body, host);
	for (size_t i = 0; j->networks != NULL && j->p->networks_cli_compatible == HF_YES &&
			   i < hf_list_len(j->networks) && (many || i == 0);
		i++)
		hf_dict_put(ends, hf_dict_cstr(hf_list_at(j->networks, i), "name", ""),
			hf_dict_get(hf_list_at(j->networks, i), "endpoint"));
	hf_dict_put(networking, "EndpointsConfig", ends);
	hf_dict_put(body, "Image", hf_value_cstr(j->a, image));
	if (hf_dict_len(host) > 0)
		hf_dict_put(body, "HostConfig", host);
	hf_dict_put(body, "NetworkingConfig", networking);
	return body;
}

struct hf_value *hf_container_update_body(struct hf_container_job *j)
{
	struct hf_value *body = hf_value_dict(j->a);
	for (size_t i = 0; hf_container_rows[i].option != NULL; i++) {
		const struct hf_container_row *row = &hf_container_rows[i];
		struct hf_value *v = hf_dict_get(j->values, row->option);
		if (row->update && v != NULL && row->where == HF_CONTAINER_HOST)
			hf_dict_put(body, row->key, v);
	}
	if (hf_dict_get(j->values, "restart_policy") != NULL)
		hf_dict_put(body, "RestartPolicy", restart_policy(j));
	return body;
}
