/* Emptying what must be empty to be deleted, and only where the file says force_destroy: every version of
 * every object of a bucket, a page after the other. */
#include <string.h>

#include "lib/base/scope.h"
#include "provisioner/resource.h"

enum { PAGES_MAX = 1000000, NAME_MAX_BYTES = 4096 };

/* Names come URL-encoded, because XML cannot hold every one of them, from servers that can do it. */
static struct hf_value *name_plain(struct hf_arena *a, struct hf_value *encoded, bool url)
{
	if (!url)
		return encoded;
	char *text = hf_strdup(a, encoded == NULL ? "" : hf_wire_text(a, encoded));
	for (char *at = text; *at != '\0'; at++)
		if (*at == '+')
			*at = ' ';
	return hf_value_str(a, hf_uri_decode(a, hf_str(text)));
}

static void objects_add(
	struct hf_arena *a, struct hf_value *doc, const struct hf_value *paths, struct hf_value *objects)
{
	bool url = strcmp(hf_dict_cstr(doc, "EncodingType", ""), "url") == 0;
	for (size_t i = 0; hf_is(paths, HF_LIST) && i < hf_list_len(paths); i++) {
		struct hf_value *items = hf_wire_items(a, doc, hf_list_at(paths, i)->u.string.p);
		for (size_t k = 0; k < hf_list_len(items); k++) {
			struct hf_value *one = hf_value_dict(a), *item = hf_list_at(items, k);
			hf_dict_put(one, "Key", name_plain(a, hf_dict_get(item, "Key"), url));
			hf_dict_put(one, "VersionId", hf_dict_get(item, "VersionId"));
			hf_list_append(objects, one);
		}
	}
}

/* One page of what there is, deleted. *ret_n: how many that were. */
static int page_delete(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *rule, const struct hf_value *context, size_t *ret_n, struct hf_buf *first,
	struct hf_error *err)
{
	const struct hf_value *list = hf_dict_get(rule, "list");
	struct hf_value *objects = hf_value_list(a), *mine = hf_value_shallow(a, context);
	struct reply reply;
	int rc = engine_call(e, a, spec, list, context, &reply, err);
	*ret_n = 0;
	if (rc < 0)
		return reply_in(list, "absent", &reply) ? 0 : rc;
	objects_add(a, reply.doc, hf_dict_get(rule, "rows"), objects);
	if (hf_list_len(objects) == 0)
		return 0;
	const char *name = hf_sprintf(a, "%s %s", hf_dict_cstr(hf_list_at(objects, 0), "Key", ""),
		hf_dict_cstr(hf_list_at(objects, 0), "VersionId", ""));
	if (first->n > 0 && hf_str_is(hf_buf_str(first), name))
		return hf_fail(err, HF_E_TASK, "%s was deleted, and is still there", name);
	hf_buf_clear(first);
	hf_buf_puts(first, name);
	hf_dict_put(mine, "objects", objects);
	rc = engine_call(e, a, spec, hf_dict_get(rule, "delete"), mine, &reply, err);
	if (rc < 0)
		return rc;
	struct hf_value *refused = hf_wire_items(a, reply.doc, "Error");
	if (hf_list_len(refused) > 0)
		return hf_fail(err, HF_E_DENIED, "%s of %zu objects cannot be deleted: %s: %s",
			hf_list_len(refused) == 1 ? "one" : "some", hf_list_len(objects),
			hf_dict_cstr(hf_list_at(refused, 0), "Key", ""),
			hf_dict_cstr(hf_list_at(refused, 0), "Message", ""));
	*ret_n = hf_list_len(objects);
	return 0;
}

int resource_empty(struct hf_engine *e, const struct hf_change *change, const struct hf_value *context,
	struct hf_error *err)
{
	const struct hf_value *rule = hf_dict_get(change->spec->doc, "empty");
	bool forced = change->resource != NULL ? change->resource->force_destroy
					       : hf_dict_bool(change->doc->doc, "force_destroy", false);
	if (rule == NULL || !forced)
		return 0;
	hf_auto_buf first = hf_buf_init(NAME_MAX_BYTES);
	for (int page = 0; page < PAGES_MAX; page++) {
		hf_auto_arena a = hf_arena_new();
		size_t n;
		int rc = page_delete(e, a, change->spec, rule, context, &n, &first, err);
		if (rc < 0 || n == 0)
			return rc < 0 ? hf_wrap(err, "emptying it") : 0;
	}
	return hf_fail(err, HF_E_LIMIT, "it is still not empty after %d pages", PAGES_MAX);
}
